//! `/api/evidence`: what is refused can be inspected, and not pulled.

use super::*;

#[test]
fn a_refused_image_can_be_inspected_and_not_pulled() {
    let world = World::default();
    let (image, _) = world.image("app", "1.0", "a");
    let gateway = gateway();
    let seen = get(&gateway, &world, "/api/evidence/app?ref=1.0");
    let value: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(
        (
            seen.status,
            value["name"].as_str(),
            value["digest"].as_str()
        ),
        (
            200,
            Some("r.example/app:1.0"),
            Some(image.to_string().as_str())
        )
    );
    assert!(!seen.text().contains("blobs/"));
    assert_eq!(get(&gateway, &world, "/api/evidence/app?ref=9").status, 404);
    assert_eq!(
        get(&gateway, &world, "/api/evidence/../app?ref=1.0").status,
        400
    );
}

/// An index of 64 images, each with as much evidence as one may have, does not become one document.
#[test]
fn a_document_is_bounded() {
    let world = World::default();
    let children: Vec<(Digest, Vec<u8>)> = (0..20)
        .map(|number| world.image("app", &format!("c{number}"), &number.to_string()))
        .collect();
    for (digest, _) in &children {
        let text = payload(
            digest,
            "r.example/app",
            &format!("null{}", " ".repeat(3 << 20)),
        );
        world.blob("app", text.as_bytes());
        world.put(
            "app",
            &format!("sha256-{}.sig", digest.hex()),
            MANIFEST,
            &artifact(&[descriptor(SIMPLE, text.as_bytes(), "")]),
        );
    }
    let entries: Vec<String> = children
        .iter()
        .map(|(_, bytes)| descriptor(MANIFEST, bytes, ""))
        .collect();
    world.put("app", "1.0", INDEX, &index_of(&entries));
    let seen = get(&gateway(), &world, "/api/evidence/app?ref=1.0");
    assert_eq!(seen.status, 200);
    assert!(seen.body.len() < 48 << 20, "{}", seen.body.len());
    crate::verify::EvidenceDocument::parse(&seen.body).unwrap();
}
