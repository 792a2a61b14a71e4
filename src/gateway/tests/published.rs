//! What `/api/evidence` publishes: the part of the policy that decides, written anew, and evidence.

use super::*;
use crate::verify::EvidenceDocument;

const SECRET: &str =
    "-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0LXNlY3JldC1zZWNyZXQ=\n-----END EC PRIVATE KEY-----\n";

fn published(gateway: &Gateway, world: &World, path: &str) -> (String, serde_json::Value) {
    let seen = get(gateway, world, path);
    assert_eq!(seen.status, 200);
    let policy = EvidenceDocument::parse(&seen.body).unwrap().policy.unwrap();
    assert!(policy.assets.is_empty());
    let text = String::from_utf8(policy.text).unwrap();
    (seen.text(), serde_json::from_str(&text).unwrap())
}

/// A key file may hold more than the key, and a policy more than is anyone's business.
#[test]
fn the_deciding_part_of_the_policy_and_nothing_else() {
    let world = World::default();
    let (image, _) = world.signed("app", "1.0", "a");
    let file = format!("{}# a note\n{SECRET}", String::from_utf8_lossy(GOOD));
    let policy = r#"{
      "sealgate": {"version": 1, "audit": ["r.example/hidden"], "exceptions": [
        {"scope": "r.example/hidden",
          "digests": ["sha256:0000000000000000000000000000000000000000000000000000000000000000"],
          "until": "2999-01-01T00:00:00Z", "reason": "secret reason"},
        {"scope": "r.example/app",
          "digests": ["sha256:1111111111111111111111111111111111111111111111111111111111111111"],
          "until": "2999-01-01T00:00:00Z", "reason": "own"}]},
      "default": [{"type": "sigstoreSigned", "keyPath": "/keys/other.pub",
        "signedIdentity": {"type": "matchDigest"}}],
      "transports": {"docker": {
        "r.example/hidden": [{"type": "reject"}],
        "r.example/app": [
          {"type": "sigstoreSigned", "keyPaths": ["/keys/good.pub", "/keys/other.pub"],
            "signedIdentity": {"type": "matchRepository"}},
          {"type": "pinned", "pins": {"r.example/app:1.0": "IMAGE",
            "r.example/hidden:1.0": "IMAGE"}, "others": "allow"}]}}}"#;
    let policy = policy.replace("IMAGE", &image.to_string());
    let assets = [
        ("/keys/good.pub".to_string(), file.clone().into_bytes()),
        ("/keys/other.pub".to_string(), OTHER.to_vec()),
    ]
    .into();
    // Such a file does not load at all; what follows holds with any other note in it.
    assert_eq!(
        Gateway::new(Config {
            assets,
            ..config(&policy)
        })
        .misconfigured()
        .map(|failure| failure.code),
        Some("key.private")
    );
    the_deciding_part_of(
        &world,
        &image,
        &policy,
        file.replace(SECRET, "secret-secret"),
    );
}

fn the_deciding_part_of(world: &World, image: &Digest, policy: &str, file: String) {
    let assets = [
        ("/keys/good.pub".to_string(), file.into_bytes()),
        ("/keys/other.pub".to_string(), OTHER.to_vec()),
    ]
    .into();
    let gateway = Gateway::new(Config {
        assets,
        ..config(policy)
    });
    assert_eq!(gateway.misconfigured(), None);
    let (text, excerpt) = published(&gateway, world, "/api/evidence/app?ref=1.0");
    let all = format!("{text}\n{excerpt}");
    for hidden in [
        "secret",
        "hidden",
        "PRIVATE",
        "a note",
        "/keys",
        "c2VjcmV0",
        &base64::encode(SECRET.as_bytes())[..40],
    ] {
        assert!(!all.contains(hidden), "{hidden}: {excerpt}");
    }
    let key = base64::encode(PublicKey::from_pem(GOOD).unwrap().to_pem().as_bytes());
    let requirements = &excerpt["transports"]["docker"]["r.example/app"];
    assert_eq!(requirements[0]["keyDatas"][0].as_str(), Some(key.as_str()));
    assert_eq!(
        requirements[1]["pins"],
        serde_json::json!({"r.example/app:1.0": image.to_string()})
    );
    assert_eq!(
        excerpt["sealgate"]["exceptions"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(excerpt["default"], serde_json::json!([{"type": "reject"}]));
    // Another image, another part: the default, whose files are not those of the scope.
    world.image("elsewhere", "1.0", "b");
    let (_, excerpt) = published(&gateway, world, "/api/evidence/elsewhere?ref=1.0");
    assert_eq!(
        (
            excerpt["transports"].is_null(),
            excerpt["default"][0]["keyData"].is_string()
        ),
        (true, true)
    );
}

/// Keyrings are not read yet: what selects one is denied, by the excerpt as by the policy.
const MORE_SCOPES: &str = r#""r.example/gpg": [
    {"type": "signedBy", "keyType": "GPGKeys", "keyPath": "ring.gpg"}],
  "r.example/fulcio": [{"type": "sigstoreSigned",
    "fulcio": {"caPath": "good.pub", "oidcIssuer": "https://i.test", "subjectEmail": "a@b.test"},
    "rekorPublicKeyPath": "good.pub"}],
  "r.example/keyless": [{"type": "sigstoreSigned", "trustedRootPath": "root.json",
    "signedIdentity": {"type": "matchDigest"},
    "identities": [{"issuer": "https://i.test", "subject": "s"}]}],
  "r.example/vouched": [
    {"type": "attested", "predicateType": "slsaprovenance1", "keyPath": "good.pub"}],
  "r.example/app""#;

/// The excerpt leads to the same verdict.
#[test]
fn the_excerpt_decides_as_the_policy_does() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    world.image("app", "2.0", "b");
    world.image("open", "1.0", "c");
    let root = include_bytes!("../../../fixtures/demo/trusted_root.json");
    let text = policy("index").replacen(r#""r.example/app""#, MORE_SCOPES, 1);
    let gateway = with(|config| {
        config.policy = text.into_bytes();
        config.assets.insert("root.json".into(), root.to_vec());
        config.assets.insert("ring.gpg".into(), b"a ring".to_vec());
    });
    assert_eq!(gateway.misconfigured(), None);
    world.image("keyless", "1.0", "d");
    for (repository, tag) in [
        ("app", "1.0"),
        ("app", "2.0"),
        ("app", "prod"),
        ("open", "1.0"),
        ("keyless", "1.0"),
        ("gpg", "prod"),
        ("fulcio", "prod"),
        ("vouched", "prod"),
        ("nowhere", "1.0"),
    ] {
        world.image(repository, "prod", "p");
        let path = format!("/v2/{repository}/manifests/{tag}");
        let status = get(&gateway, &world, &path).status;
        let evidence = format!("/api/evidence/{repository}?ref={tag}");
        let seen = get(&gateway, &world, &evidence);
        if status == 404 {
            continue;
        }
        let files = EvidenceDocument::parse(&seen.body).unwrap().policy.unwrap();
        let own = Gateway::new(Config {
            policy: files.text,
            assets: files.assets,
            registries_d: None,
            ..config("")
        });
        assert_eq!(own.misconfigured(), None);
        assert_eq!(
            get(&own, &world, &path).status,
            status,
            "{repository}:{tag}"
        );
    }
}

#[test]
fn a_policy_that_is_not_to_be_published_is_not() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    let silent = with(|config| config.publish_policy = false);
    assert_eq!(
        EvidenceDocument::parse(&get(&silent, &world, "/api/evidence/app?ref=1.0").body)
            .unwrap()
            .policy,
        None
    );
}

/// A layer that is listed as a signature goes out neither as a blob nor in the document.
#[test]
fn layers_are_not_evidence() {
    let world = World::default();
    let (image, _) = world.image("app", "1.0", "a");
    let layer = vec![b'L'; 3 << 20];
    world.blob("app", &layer);
    world.blob("app", b"{}");
    for kind in [SIMPLE, DSSE, BUNDLE] {
        for tag in [
            format!("sha256-{}.sig", image.hex()),
            format!("sha256-{}.att", image.hex()),
        ] {
            world.put(
                "app",
                &tag,
                MANIFEST,
                &artifact(&[descriptor(kind, &layer, "")]),
            );
            let seen = get(&gateway(), &world, "/api/evidence/app?ref=1.0");
            assert!(
                seen.status == 200 && seen.body.len() < 1 << 20,
                "{kind} {tag}"
            );
            assert_eq!(blob_status(&gateway(), &world, "app", &layer), 403);
        }
    }
}

/// A website reads what the operator lets it read, and what is beside `/v2/` alone.
#[test]
fn websites() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    let allowed = |gateway: &Gateway, method: &str, path: &str| match act(
        gateway,
        &world,
        &request(method, path, &[("origin", "https://docs.example")], 1_000),
    ) {
        Action::Respond(respond) => respond
            .headers
            .iter()
            .find(|(name, _)| name == "access-control-allow-origin")
            .map(|(_, value)| value.clone()),
        _ => panic!(),
    };
    let evidence = "/api/evidence/app?ref=1.0";
    for (origins, expected) in [
        (&[][..], None),
        (&["https://other.example"], None),
        (
            &["https://other.example", "https://docs.example"],
            Some("https://docs.example"),
        ),
        (&["*"], Some("*")),
    ] {
        let origins: Vec<String> = origins.iter().map(ToString::to_string).collect();
        let gateway = with(|config| config.cors_origins = origins.clone());
        assert_eq!(gateway.misconfigured(), None);
        for method in ["GET", "OPTIONS"] {
            assert_eq!(
                allowed(&gateway, method, evidence).as_deref(),
                expected,
                "{origins:?}"
            );
        }
        for path in [
            "/v2/",
            "/v2/app/manifests/1.0",
            "/v2/app/tags/list",
            "/healthz",
        ] {
            assert_eq!(allowed(&gateway, "GET", path), None, "{path}");
        }
    }
}

#[test]
fn origins_have_one_spelling() {
    for odd in [
        "docs.example",
        "https://docs.example/",
        "https://docs.example/x",
        "null",
        "",
    ] {
        assert_eq!(
            with(|config| config.cors_origins = vec![odd.into()])
                .misconfigured()
                .map(|failure| failure.code),
            Some("config.cors-origins"),
            "{odd}"
        );
    }
}

/// Whoever goes away is asked for no more, and nothing more is asked for.
#[test]
fn a_document_that_nobody_takes_ends() {
    let world = World::default();
    let (image, _) = world.image("app", "1.0", "a");
    let texts: Vec<String> = (0..20_u32)
        .map(|number| {
            payload(
                &image,
                "r.example/app",
                &format!(r#"{{"n":"{number}{}"}}"#, "x".repeat(100_000)),
            )
        })
        .collect();
    texts
        .iter()
        .for_each(|text| world.blob("app", text.as_bytes()));
    let layers: Vec<String> = texts
        .iter()
        .map(|text| descriptor(SIMPLE, text.as_bytes(), ""))
        .collect();
    world.put(
        "app",
        &format!("sha256-{}.sig", image.hex()),
        MANIFEST,
        &artifact(&layers),
    );
    world.taken.set(300_000);
    get(&gateway(), &world, "/api/evidence/app?ref=1.0");
    let blobs = world
        .asked
        .borrow()
        .iter()
        .filter(|line| line.contains("/blobs/"))
        .count();
    assert!((1..5).contains(&blobs), "{blobs}");
}
