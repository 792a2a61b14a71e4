//! Manifests as they go out, and what becomes of failures.

use super::*;

#[test]
fn head_says_what_get_says() {
    let world = World::default();
    let (digest, bytes) = world.signed("app", "1.0", "a");
    let (unsigned, _) = world.image("app", "2.0", "b");
    let gateway = gateway();
    for reference in [
        "1.0",
        &digest.to_string(),
        "2.0",
        &unsigned.to_string(),
        "3.0",
    ] {
        let path = format!("/v2/app/manifests/{reference}");
        let (get, head) = (
            get(&gateway, &world, &path),
            ask(&gateway, &world, "HEAD", &path),
        );
        assert!(head.body.is_empty());
        assert_eq!(
            Seen {
                body: Vec::new(),
                ..get.clone()
            },
            head,
            "{reference}"
        );
        assert_eq!(
            get.header("content-length"),
            Some(get.body.len().to_string().as_str())
        );
        if get.status == 200 {
            assert_eq!(
                (get.body.as_slice(), get.header("docker-content-digest")),
                (bytes.as_slice(), Some(digest.to_string().as_str()))
            );
            assert_eq!(
                (get.header("content-type"), get.header("cache-control")),
                (Some(MANIFEST), Some("no-transform"))
            );
        }
    }
    assert_eq!(verdict(&gateway, &world, "/v2/app/manifests/1.0").0, 200);
    assert_eq!(
        verdict(&gateway, &world, "/v2/app/manifests/2.0"),
        is(403, "signature.missing")
    );
    assert_eq!(verdict(&gateway, &world, "/v2/app/manifests/3.0").0, 404);
}

/// With any of HEAD's answers, with and without a store.
#[test]
fn a_tag_that_moves_is_served_as_what_was_judged() {
    let world = World::default();
    let (signed, bytes) = world.signed("app", "1.0", "a");
    let gateway = gateway();
    assert_eq!(get(&gateway, &world, "/v2/app/manifests/1.0").body, bytes);
    let (unsigned, other) = world.image("app", "1.0", "b");
    // What was kept does not answer for the tag, nor its verdict for the other digest.
    assert_eq!(
        verdict(&gateway, &world, "/v2/app/manifests/1.0"),
        is(403, "signature.missing")
    );
    // HEAD still named the old one: the old one's bytes are sent, which is what was judged.
    let old = response(200, &[("docker-content-digest", &signed.to_string())], b"");
    world.fail(
        "HEAD http://up.test/v2/app/manifests/1.0",
        1,
        Ok(old.clone()),
    );
    assert_eq!(get(&gateway, &world, "/v2/app/manifests/1.0").body, bytes);
    // And with nothing kept, whatever the GET by that digest returns must have it.
    world.store.borrow_mut().clear();
    forget_all(&gateway);
    world.fail("HEAD http://up.test/v2/app/manifests/1.0", 1, Ok(old));
    world.fail(
        &format!("GET http://up.test/v2/app/manifests/{signed}"),
        2,
        Ok(response(200, &[("content-type", MANIFEST)], &other)),
    );
    assert_eq!(
        verdict(&gateway, &world, "/v2/app/manifests/1.0"),
        is(403, "digest.mismatch")
    );
    world.mute.set(true);
    assert_eq!(
        verdict(&gateway, &world, "/v2/app/manifests/1.0"),
        is(403, "signature.missing")
    );
    assert_eq!(
        verdict(&gateway, &world, &format!("/v2/app/manifests/{unsigned}")),
        is(403, "signature.missing")
    );
}

/// One retry, then refused: by digest, and where only the GET of a tag tells its digest.
#[test]
fn bytes_that_contradict_the_digest() {
    let world = World::default();
    let (digest, _) = world.signed("app", "1.0", "a");
    let gateway = gateway();
    let wrong = response(
        200,
        &[
            ("content-type", MANIFEST),
            ("docker-content-digest", &digest.to_string()),
        ],
        b"{}",
    );
    let by_digest = format!("GET http://up.test/v2/app/manifests/{digest}");
    for (times, expected) in [(2, is(403, "digest.mismatch")), (1, is(200, ""))] {
        world.mend();
        world.store.borrow_mut().clear();
        world.fail(&by_digest, times, Ok(wrong.clone()));
        assert_eq!(
            verdict(&gateway, &world, &format!("/v2/app/manifests/{digest}")),
            expected
        );
    }
    for (times, expected) in [(2, is(403, "digest.mismatch")), (1, is(200, ""))] {
        world.mend();
        world.store.borrow_mut().clear();
        world.fail(
            "HEAD http://up.test/v2/app/manifests/1.0",
            1,
            Ok(response(405, &[], b"")),
        );
        world.fail(
            "GET http://up.test/v2/app/manifests/1.0",
            times,
            Ok(wrong.clone()),
        );
        assert_eq!(
            verdict(&gateway, &world, "/v2/app/manifests/1.0"),
            expected,
            "{times}"
        );
    }
}

#[test]
fn an_upstream_that_says_no_or_nothing() {
    let world = World::default();
    let (digest, _) = world.signed("app", "1.0", "a");
    let gateway = gateway();
    let challenge = "Bearer realm=\"https://auth.test/token\"";
    let limited = response(429, &[("retry-after", "7")], b"");
    let denied = response(
        403,
        &[],
        br#"{"errors":[{"code":"DENIED","message":"not for you"}]}"#,
    );
    for (answer, status) in [
        (
            Ok(response(401, &[("www-authenticate", challenge)], b"")),
            401,
        ),
        (Ok(denied), 403),
        (Ok(response(404, &[], b"")), 404),
        (Ok(limited), 429),
        (Ok(response(500, &[], b"")), 503),
        (Ok(response(502, &[], b"")), 503),
        (Ok(response(418, &[], b"")), 503),
        (Err(HostError::Timeout { url: "u".into() }), 503),
    ] {
        for reference in ["1.0", &digest.to_string()] {
            world.mend();
            world.store.borrow_mut().clear();
            world.fail("http", usize::MAX, answer.clone());
            let path = format!("/v2/app/manifests/{reference}");
            let seen = get(&gateway, &world, &path);
            assert_eq!(seen.status, status, "{reference}: {answer:?}");
            assert_eq!(
                seen.header("www-authenticate"),
                (status == 401).then_some(challenge)
            );
            assert_eq!(seen.header("retry-after"), (status == 429).then_some("7"));
            assert_eq!(seen.header("cache-control"), Some("no-store"));
            assert_eq!(ask(&gateway, &world, "HEAD", &path).status, status);
        }
    }
}

/// A source of evidence that gives no answer is never "unsigned", and nothing of it is kept.
#[test]
fn evidence_out_of_reach_is_could_not_find_out() {
    let world = World::default();
    let (digest, _) = world.signed("app", "1.0", "a");
    let payload = format!(
        "/blobs/{}",
        Digest::of(payload(&digest, "r.example/app:1.0", "null").as_bytes())
    );
    let gateway = gateway();
    for (part, answer) in [
        (".sig", Ok(response(500, &[], b""))),
        (".sig", Ok(response(429, &[], b""))),
        (".sig", Ok(response(403, &[], b""))),
        (".sig", Err(HostError::Timeout { url: "u".into() })),
        (&payload, Ok(response(500, &[], b""))),
        (&payload, Ok(response(404, &[], b""))),
    ] {
        world.mend();
        world.fail(part, usize::MAX, answer.clone());
        assert_eq!(
            get(&gateway, &world, "/v2/app/manifests/1.0").status,
            503,
            "{part}: {answer:?}"
        );
    }
    world.mend();
    assert_eq!(get(&gateway, &world, "/v2/app/manifests/1.0").status, 200);
}

/// containerd fetches whatever has `urls` from there first, an index's images too, and takes `data`
/// instead of fetching: an image that a list names would bypass this gateway.
#[test]
fn nothing_leads_past_the_gateway() {
    for coverage in ["index", "instance"] {
        let world = World::default();
        let gateway = Gateway::new(config(&policy(coverage)));
        let (_, signed) = world.signed("app", "child", "a");
        let (_, unsigned) = world.image("app", "unsigned", "b");
        let layer = |more: &str| artifact(&[descriptor(LAYER, b"x", more)]);
        let urls = r#","urls":["http://evil.test/x"]"#;
        let data = format!(r#","data":"{}""#, base64::encode(&unsigned));
        for (kind, bytes) in [
            (MANIFEST, layer(urls)),
            (
                MANIFEST,
                manifest(
                    &descriptor(CONFIG, b"{}", urls),
                    &[descriptor(LAYER, b"x", "")],
                ),
            ),
            (
                INDEX,
                index_of(&[
                    descriptor(MANIFEST, &signed, ""),
                    descriptor(MANIFEST, &unsigned, urls),
                ]),
            ),
            (
                INDEX,
                index_of(&[
                    descriptor(MANIFEST, &signed, ""),
                    descriptor(MANIFEST, &unsigned, &data),
                ]),
            ),
        ] {
            let digest = world.put("app", "1.0", kind, &bytes);
            world.sign("app", &digest, "r.example/app:1.0", GOOD);
            assert_eq!(
                verdict(&gateway, &world, "/v2/app/manifests/1.0"),
                is(403, "gateway.foreign-layer"),
                "{}",
                String::from_utf8_lossy(&bytes)
            );
            assert_eq!(
                verdict(&gateway, &world, &format!("/v2/app/manifests/{digest}")),
                is(403, "gateway.foreign-layer")
            );
        }
    }
}

/// Old images of Windows have layers that only their maker may distribute. What is let through are
/// layers that say so, in an image: no config, no image of an index, no ordinary layer.
#[test]
fn foreign_layers_pass_where_the_operator_lets_them() {
    let urls = r#","urls":["https://elsewhere.example/x"]"#;
    let lenient = with(|config| config.foreign_layers = true);
    for (kind, passes) in [
        (
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            true,
        ),
        (
            "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            true,
        ),
        (LAYER, false),
        (
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip+x",
            false,
        ),
    ] {
        let world = World::default();
        let layer = descriptor(kind, b"x", urls);
        let image = manifest(
            &descriptor(CONFIG, b"{}", ""),
            core::slice::from_ref(&layer),
        );
        let as_config = manifest(&layer, &[descriptor(LAYER, b"x", "")]);
        let listed = index_of(&[descriptor(MANIFEST, &image, urls)]);
        for (tag, of, bytes, passes) in [
            ("image", MANIFEST, &image, passes),
            ("config", MANIFEST, &as_config, false),
            ("index", INDEX, &listed, false),
        ] {
            let digest = world.put("app", tag, of, bytes);
            let path = format!("/v2/app/manifests/{tag}");
            if !passes {
                world.sign("app", &digest, &format!("r.example/app:{tag}"), GOOD);
                assert_eq!(
                    verdict(&lenient, &world, &path),
                    is(403, "gateway.foreign-layer"),
                    "{kind} {tag}"
                );
                continue;
            }
            // It is judged as ever.
            assert_eq!(
                verdict(&lenient, &world, &path),
                is(403, "signature.missing")
            );
            forget_all(&lenient);
            world.store.borrow_mut().clear();
            world.sign("app", &digest, &format!("r.example/app:{tag}"), GOOD);
            assert_eq!(get(&lenient, &world, &path).status, 200, "{kind} {tag}");
            assert_eq!(
                verdict(&gateway(), &world, &path),
                is(403, "gateway.foreign-layer")
            );
        }
    }
}
