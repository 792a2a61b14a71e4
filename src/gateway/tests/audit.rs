//! Audit: what would be stopped goes out, and the log says so.

use super::*;

/// An operator is told at the start, and whenever he looks, that an audit stops nothing of what is
/// distrusted, either.
#[test]
fn distrust_under_audit_is_told() {
    let gateway = |mode: Mode, distrusted: &str| {
        let distrusting = policy("index").replacen("\"version\": 1", distrusted, 1);
        with(|config| {
            config.mode = mode;
            config.policy = distrusting.into_bytes();
            config.admin_secret = b"0123456789abcdef".to_vec();
        })
    };
    let world = World::default();
    let (digest, _) = world.signed("app", "1.0", "a");
    let some = format!(r#""version": 1, "distrusted": ["{digest}"]"#);
    let audit = gateway(Mode::Audit, &some);
    let note = audit.note().unwrap();
    assert!(note.starts_with("MODE=audit: ") && note.contains("(1 under \"distrusted\")"));
    let bearer = [("authorization", "Bearer 0123456789abcdef")];
    let health = act(&audit, &world, &request("GET", "/healthz", &bearer, 1_000));
    let health: serde_json::Value = serde_json::from_slice(&seen(&world, health).body).unwrap();
    assert_eq!(health["note"], note.as_str());
    // And so it is.
    let path = "/v2/app/manifests/1.0";
    assert_eq!(get(&audit, &world, path).status, 200);
    let enforce = gateway(Mode::Enforce, &some);
    assert_eq!(enforce.note(), None);
    assert_eq!(
        verdict(&enforce, &world, path),
        is(403, "policy.distrusted")
    );
    assert_eq!(gateway(Mode::Audit, r#""version": 1"#).note(), None);
}

/// A gateway that has this scope under audit.
fn audit(scope: &str) -> Gateway {
    Gateway::new(config(&policy("index").replace(
        r#""version": 1"#,
        &format!(r#""version": 1, "audit": ["{scope}"]"#),
    )))
}

/// Of `app:1.0`: by its tag, by its digest, and its layer.
fn paths(digest: &Digest) -> [String; 3] {
    [
        "/v2/app/manifests/1.0".into(),
        format!("/v2/app/manifests/{digest}"),
        format!("/v2/app/blobs/{}", Digest::of(b"a")),
    ]
}

fn log(gateway: &Gateway, world: &World, path: &str) -> String {
    match act(gateway, world, &request("GET", path, &[], 1_000)) {
        Action::Respond(respond) => respond.log.unwrap().line(),
        Action::Stream(stream) => stream.log.unwrap().line(),
        other => panic!("{other:?}"),
    }
}

/// An image that nobody signed. The blob first: nothing that was served leads to it, and it passes all
/// the same.
fn assert_served_and_written_down(
    gateway: &Gateway,
    world: &World,
    [tag, by_digest, blob]: [&String; 3],
) {
    for (path, code) in [
        (blob, "gateway.not-linked"),
        (tag, "signature.missing"),
        (by_digest, "signature.missing"),
        (blob, "signature.missing"),
    ] {
        assert_eq!(get(gateway, world, path).status, 200, "{path}");
        let log = log(gateway, world, path);
        assert!(
            log.contains(r#""verdict":"audit""#) && log.contains(&format!(r#""code":"{code}""#)),
            "{log}"
        );
    }
}

/// docs/gateway.md "Serving": audit never breaks a pull, and what it lets pass is written down.
#[test]
fn a_scope_under_audit_is_served_and_written_down() {
    let world = World::default();
    let gateway = audit("r.example/app");
    let (digest, bytes) = world.image("app", "1.0", "a");
    let [tag, by_digest, blob] = paths(&digest);
    assert_served_and_written_down(&gateway, &world, [&tag, &by_digest, &blob]);
    assert_eq!(get(&gateway, &world, &tag).body, bytes);
    // What is good is allowed, as ever.
    world.sign("app", &digest, &format!("{NAME}/app:1.0"), GOOD);
    world.store.borrow_mut().clear();
    forget_all(&gateway);
    assert!(log(&gateway, &world, &tag).contains(r#""verdict":"allow""#));
}

/// A gateway that enforces learns nothing from it, and neither does another scope.
#[test]
fn audit_ends_at_its_scope() {
    let world = World::default();
    let gateway = audit("r.example/app");
    let (digest, _) = world.image("app", "1.0", "a");
    let [tag, by_digest, blob] = paths(&digest);
    for path in [&tag, &by_digest, &blob] {
        assert_eq!(get(&gateway, &world, path).status, 200, "{path}");
    }
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
}

/// What is undecided passes; the upstream's own refusals, and bytes that contradict the digest that
/// was asked for, do not.
#[test]
fn audit_lets_pass_what_cannot_be_decided() {
    let world = World::default();
    let (gateway, strict) = (audit("r.example/app"), super::gateway());
    let (digest, _) = world.image("app", "1.0", "a");
    let [tag, by_digest, _] = paths(&digest);
    world.fail(".sig", 9, Ok(response(503, &[], b"")));
    assert_eq!(get(&gateway, &world, &tag).status, 200);
    assert_eq!(verdict(&strict, &world, &tag).0, 503);
    world.mend();
    assert_eq!(
        get(&gateway, &world, "/v2/app/manifests/absent").status,
        404
    );
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

fn in_audit(change: impl FnOnce(&mut Config)) -> Gateway {
    with(|config| {
        config.mode = Mode::Audit;
        change(config);
    })
}

/// `MODE=audit`: every scope is served and written down, whatever the policy says of audit.
#[test]
fn a_gateway_in_audit_serves_every_scope() {
    let world = World::default();
    let gateway = in_audit(|_| ());
    let (digest, bytes) = world.image("exact", "1.0", "a");
    let [tag, by_digest, blob] = paths(&digest).map(|path| path.replace("app", "exact"));
    assert_served_and_written_down(&gateway, &world, [&tag, &by_digest, &blob]);
    assert_eq!(get(&gateway, &world, &tag).body, bytes);
    // A gateway that enforces reads nothing of what it wrote, in the same store and with its secret.
    assert_ne!(gateway.settings.basis, super::gateway().settings.basis);
    assert_eq!(
        verdict(&super::gateway(), &world, &tag),
        is(403, "signature.missing")
    );
    world.fail(
        &format!("GET http://up.test{by_digest}"),
        2,
        Ok(response(200, &[("content-type", MANIFEST)], b"{}")),
    );
    forget_all(&gateway);
    world.store.borrow_mut().clear();
    assert_eq!(
        verdict(&gateway, &world, &by_digest),
        is(403, "digest.mismatch")
    );
}

/// Without a policy nothing is judged, and the registry alone decides; its bytes are still those of
/// the digest, and an address that is none leads nowhere.
#[test]
fn a_gateway_in_audit_serves_by_a_broken_policy() {
    let world = World::default();
    let gateway = in_audit(|config| config.policy = b"{}".to_vec());
    assert_eq!(gateway.misconfigured().unwrap().code, "config.policy");
    let (digest, bytes) = world.image("app", "1.0", "a");
    for path in &paths(&digest) {
        assert_eq!(get(&gateway, &world, path).status, 200, "{path}");
        let log = log(&gateway, &world, path);
        assert!(
            log.contains(r#""verdict":"audit","#) && log.contains(r#""code":"config.policy""#),
            "{log}"
        );
    }
    let [tag, by_digest, _] = paths(&digest);
    assert_eq!(get(&gateway, &world, &tag).body, bytes);
    // Lists, too, are for the registry to give, which has none here.
    assert_eq!(get(&gateway, &world, "/v2/app/tags/list").status, 404);
    assert_eq!(
        get(&gateway, &world, "/v2/app/manifests/absent").status,
        404
    );
    let lie = Ok(response(200, &[("content-type", MANIFEST)], b"{}"));
    world.fail(&format!("GET http://up.test{by_digest}"), 2, lie);
    assert_eq!(
        verdict(&gateway, &world, &by_digest),
        is(403, "digest.mismatch")
    );
    world.mend();
    let nowhere = in_audit(|config| config.upstream = "ftp://up.test".into());
    let seen = get(&nowhere, &world, &tag);
    assert!(seen.status == 403 && seen.message().contains("[config.upstream]"));
}

#[test]
fn any_other_mode_enforces() {
    for name in ["", "enforce", "Audit", "audit ", "off"] {
        assert_eq!(Mode::named(name), Mode::Enforce, "{name}");
    }
    assert_eq!(Mode::named("audit"), Mode::Audit);
}

/// An index under an audited tag is served with its images and their blobs, and no other image is.
#[test]
fn an_index_with_a_tag_under_audit_is_served_whole() {
    let world = World::default();
    for coverage in ["index", "instance"] {
        let gateway = Gateway::new(config(&policy(coverage).replace(
            r#""version": 1"#,
            r#""version": 1, "audit": ["r.example/app:2.0"]"#,
        )));
        let (child, bytes) = world.image("app", "arm", "a");
        let (other, _) = world.image("app", "1.0", "b");
        world.put(
            "app",
            "2.0",
            INDEX,
            &index_of(&[descriptor(MANIFEST, &bytes, "")]),
        );
        for path in [
            "/v2/app/manifests/2.0".to_string(),
            format!("/v2/app/manifests/{child}"),
            format!("/v2/app/blobs/{}", Digest::of(b"a")),
        ] {
            assert_eq!(
                get(&gateway, &world, &path).status,
                200,
                "{coverage} {path}"
            );
        }
        for path in [
            format!("/v2/app/manifests/{other}"),
            format!("/v2/app/blobs/{}", Digest::of(b"b")),
        ] {
            assert_eq!(
                get(&gateway, &world, &path).status,
                403,
                "{coverage} {path}"
            );
        }
    }
}
