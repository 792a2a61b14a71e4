//! Blobs go out only while an allowed manifest lists them.

use super::*;

#[test]
fn only_what_an_allowed_manifest_lists_now() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    let (unsigned, _) = world.image("app", "2.0", "b");
    let gateway = gateway();
    let blob = |text: &str| format!("/v2/app/blobs/{}", Digest::of(text.as_bytes()));
    assert_eq!(
        verdict(&gateway, &world, &blob("a")),
        is(403, "gateway.not-linked")
    );
    get(&gateway, &world, "/v2/app/manifests/1.0");
    get(&gateway, &world, "/v2/app/manifests/2.0");
    for (text, status) in [
        ("a", 200),
        (r#"{"os":"linux","text":"a"}"#, 200),
        ("b", 403),
        (r#"{"os":"linux","text":"b"}"#, 403),
    ] {
        assert_eq!(get(&gateway, &world, &blob(text)).status, status, "{text}");
        assert_eq!(
            ask(&gateway, &world, "HEAD", &blob(text)).status,
            status,
            "{text}"
        );
    }
    // A manifest is no blob.
    let bytes = world.content.borrow()["app/manifests/2.0"].0.clone();
    world.blob("app", &bytes);
    assert_eq!(
        verdict(&gateway, &world, &format!("/v2/app/blobs/{unsigned}")),
        is(403, "gateway.not-linked")
    );
}

/// A hint to a manifest that does not list it, that is not allowed, that is gone.
#[test]
fn a_hint_admits_nothing() {
    let world = World::default();
    let (signed, _) = world.signed("app", "1.0", "a");
    let (unsigned, _) = world.image("app", "2.0", "b");
    let gateway = gateway();
    let blob = format!("/v2/app/blobs/{}", Digest::of(b"b"));
    let gone = Digest::of(b"gone");
    for parent in [&signed, &unsigned, &gone] {
        plant(&gateway, "app", parent, &Digest::of(b"b"));
        assert_eq!(get(&gateway, &world, &blob).status, 403);
    }
    // One that could not be asked outweighs one that refuses, in either order.
    world.fail(&gone.to_string(), usize::MAX, Ok(response(500, &[], b"")));
    for order in [[&unsigned, &gone], [&gone, &unsigned]] {
        order
            .iter()
            .for_each(|parent| plant(&gateway, "app", parent, &Digest::of(b"b")));
        assert_eq!(get(&gateway, &world, &blob).status, 503);
    }
}

#[test]
fn an_allowed_manifest_lends_no_blob_to_another_repository_or_time() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    world.image("app", "2.0", "b");
    let gateway = gateway();
    let blob = |text: &str| format!("/v2/app/blobs/{}", Digest::of(text.as_bytes()));
    get(&gateway, &world, "/v2/app/manifests/1.0");
    // Another repository with the same blob.
    world.image("open", "1.0", "b");
    get(&gateway, &world, "/v2/open/manifests/1.0");
    assert_eq!(
        (
            get(&gateway, &world, &blob("b")).status,
            get(&gateway, &world, &blob("b").replace("/app/", "/open/")).status
        ),
        (403, 200)
    );
    // No longer allowed: no longer sent.
    world
        .content
        .borrow_mut()
        .retain(|path, _| !path.ends_with(".sig"));
    forget_verdicts(&gateway, &world);
    assert_eq!(
        verdict(&gateway, &world, &blob("a")),
        is(403, "signature.missing")
    );
}

#[test]
fn streams_carry_what_they_should() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    let gateway = gateway();
    get(&gateway, &world, "/v2/app/manifests/1.0");
    let headers = [
        ("authorization", "Basic eA=="),
        ("range", "bytes=1-"),
        ("cookie", "c"),
        ("x-forwarded-for", "1"),
        ("host", "gate.test"),
    ];
    let path = format!("/v2/app/blobs/{}", Digest::of(b"a"));
    let Action::Stream(stream) = act(&gateway, &world, &request("GET", &path, &headers, 1_000))
    else {
        panic!()
    };
    let sent: Vec<&str> = stream
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        (stream.method, stream.url.as_str(), sent),
        (
            "GET",
            format!("http://up.test{path}").as_str(),
            vec!["authorization", "range"]
        )
    );
    assert_eq!(
        stream.location,
        (
            "http://up.test/v2/".to_string(),
            "http://gate.test/v2/".to_string()
        )
    );
    // What a browser is shown from here cannot act as a page of ours.
    assert!(
        stream
            .set
            .iter()
            .any(|(name, value)| name == "content-security-policy" && value.contains("sandbox"))
    );
    assert!(
        stream
            .set
            .contains(&("content-type".into(), "application/octet-stream".into()))
            && !stream.pass.contains(&"content-type".into())
    );
}
