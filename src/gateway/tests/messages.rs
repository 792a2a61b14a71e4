//! What a refusal says.

use super::*;

/// Before any signature was checked, and straight into people's terminals.
#[test]
fn text_from_evidence_carries_no_control_characters() {
    let world = World::default();
    let (image, _) = world.image("app", "1.0", "a");
    let hostile = "\\u001b[2J\\nallowed\\u202e\\u0000";
    let text = payload(&image, "r.example/app", "null")
        .replace("\"type\":", &format!("\"{hostile}\":1,\"type\":"));
    world.blob("app", text.as_bytes());
    let signature = base64::encode(&mark(&PublicKey::from_pem(GOOD).unwrap(), text.as_bytes()));
    let layer = descriptor(
        SIMPLE,
        text.as_bytes(),
        &format!(r#","annotations":{{"dev.cosignproject.cosign/signature":"{signature}"}}"#),
    );
    world.put(
        "app",
        &format!("sha256-{}.sig", image.hex()),
        MANIFEST,
        &artifact(&[layer]),
    );
    let gateway = gateway();
    let message = get(&gateway, &world, "/v2/app/manifests/1.0").message();
    assert!(
        message.contains("Unknown key")
            && !message.contains(|c: char| c.is_control() || c == '\u{202e}'),
        "{message:?}"
    );
}

#[test]
fn a_message_has_an_end() {
    let world = World::default();
    let (image, _) = world.image("app", "1.0", "a");
    world.sign("app", &image, &"x".repeat(100_000), GOOD);
    let message = get(&gateway(), &world, "/v2/app/manifests/1.0").message();
    assert!(
        message.len() < 8_000
            && message.contains("[identity.not-accepted]")
            && message.contains("http://gate.test/#"),
        "{}",
        message.len()
    );
}

#[test]
fn a_refusal_says_what_to_do() {
    let world = World::default();
    world.image("app", "1.0", "a");
    let seen = get(&gateway(), &world, "/v2/app/manifests/1.0");
    let message = seen.message();
    assert!(
        message.starts_with("sealgate: r.example/app:1.0 is refused: ")
            && message.contains("http://gate.test/#gate.test/app:1.0"),
        "{message}"
    );
    assert!(seen.phrase.starts_with("sealgate: r.example/app:1.0"));
    assert_eq!(
        (seen.header("content-type"), seen.header("cache-control")),
        (Some("application/json"), Some("no-store"))
    );
}
