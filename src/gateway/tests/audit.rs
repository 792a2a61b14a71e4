//! Audit: what would be stopped goes out, and the log says so.

use super::*;

/// GATEWAY, "Serving": audit never breaks a pull, and what it lets pass is written down.
#[test]
fn a_scope_under_audit_is_served_and_written_down() {
    let world = World::default();
    let audit = |scope: &str| {
        Gateway::new(config(&policy("index").replace(
            r#""version": 1"#,
            &format!(r#""version": 1, "audit": ["{scope}"]"#),
        )))
    };
    let gateway = audit("r.example/app");
    let (digest, bytes) = world.image("app", "1.0", "a");
    let (tag, by_digest, blob) = (
        "/v2/app/manifests/1.0".to_string(),
        format!("/v2/app/manifests/{digest}"),
        format!("/v2/app/blobs/{}", Digest::of(b"a")),
    );
    let log = |gateway: &Gateway, path: &str| match act(
        gateway,
        &world,
        &request("GET", path, &[], 1_000),
    ) {
        Action::Respond(respond) => respond.log,
        Action::Stream(stream) => stream.log,
        other => panic!("{other:?}"),
    };
    // The blob first: nothing that was served leads to it, and it passes all the same.
    for (path, code) in [
        (&blob, "gateway.not-linked"),
        (&tag, "signature.missing"),
        (&by_digest, "signature.missing"),
        (&blob, "signature.missing"),
    ] {
        assert_eq!(get(&gateway, &world, path).status, 200, "{path}");
        let log = log(&gateway, path).unwrap();
        assert!(
            log.contains(r#""verdict":"audit""#) && log.contains(&format!(r#""code":"{code}""#)),
            "{log}"
        );
    }
    assert_eq!(get(&gateway, &world, &tag).body, bytes);
    // Who enforces believes nothing of it, and neither does another scope here.
    let strict = super::gateway();
    for path in [&tag, &by_digest, &blob] {
        assert_eq!(verdict(&strict, &world, path).0, 403, "{path}");
    }
    world.image("exact", "1.0", "c");
    assert_eq!(
        verdict(&gateway, &world, "/v2/exact/manifests/1.0"),
        is(403, "signature.missing")
    );
    assert_eq!(
        verdict(&audit("r.example/app:2.0"), &world, &tag),
        is(403, "signature.missing")
    );
    // A scope of the policy below an audited one is enforced.
    assert_eq!(
        verdict(&audit(""), &world, &tag),
        is(403, "signature.missing")
    );
    // What cannot be found out passes; what the upstream says is still what it says.
    world.fail(".sig", 9, Ok(response(503, &[], b"")));
    forget_verdicts(&gateway, &world);
    forget_all(&strict);
    assert_eq!(get(&gateway, &world, &tag).status, 200);
    assert_eq!(verdict(&strict, &world, &tag).0, 503);
    world.mend();
    assert_eq!(
        get(&gateway, &world, "/v2/app/manifests/absent").status,
        404
    );
    // Bytes that contradict the digest that was asked for do not.
    world.store.borrow_mut().clear();
    forget_all(&gateway);
    world.fail(
        &format!("GET http://up.test{by_digest}"),
        2,
        Ok(response(200, &[("content-type", MANIFEST)], b"{}")),
    );
    assert_eq!(
        verdict(&gateway, &world, &by_digest),
        is(403, "digest.mismatch")
    );
    world.mend();
    // What is good is allowed, as ever.
    world.sign("app", &digest, &format!("{NAME}/app:1.0"), GOOD);
    world.store.borrow_mut().clear();
    forget_all(&gateway);
    assert!(
        log(&gateway, &tag)
            .unwrap()
            .contains(r#""verdict":"allow""#)
    );
}

/// A scope may be one tag: what was resolved under it is served by digest, too, with its blobs, and
/// nothing else is.
#[test]
fn a_tag_under_audit_is_served_whole() {
    let world = World::default();
    let gateway = Gateway::new(config(&policy("index").replace(
        r#""version": 1"#,
        r#""version": 1, "audit": ["r.example/app:2.0"]"#,
    )));
    let (digest, _) = world.image("app", "2.0", "a");
    let (other, _) = world.image("app", "1.0", "b");
    let (by_digest, blob) = (
        format!("/v2/app/manifests/{digest}"),
        format!("/v2/app/blobs/{}", Digest::of(b"a")),
    );
    assert_eq!(
        verdict(&gateway, &world, &by_digest),
        is(403, "signature.missing")
    );
    for path in ["/v2/app/manifests/2.0", &by_digest, &blob] {
        assert_eq!(get(&gateway, &world, path).status, 200, "{path}");
    }
    for path in [
        "/v2/app/manifests/1.0",
        &format!("/v2/app/manifests/{other}"),
        &format!("/v2/app/blobs/{}", Digest::of(b"b")),
    ] {
        assert_eq!(get(&gateway, &world, path).status, 403, "{path}");
    }
}
