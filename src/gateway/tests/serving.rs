//! Manifests as they go out, configuration, audit, and what comes of failures.

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
    // HEAD still told of the old one: the old one's bytes are sent, which is what was judged.
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

#[test]
fn writes_and_other_names() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    let gateway = gateway();
    for method in ["PUT", "POST", "PATCH", "DELETE", "OPTIONS"] {
        let seen = ask(&gateway, &world, method, "/v2/app/manifests/1.0");
        assert!(
            seen.status == 405 && seen.message().contains("push to and sign at r.example"),
            "{method}"
        );
    }
    for (ns, status) in [
        ("r.example", 200),
        ("gate.test", 200),
        ("docker.io", 403),
        ("R.example", 403),
        ("", 403),
        ("r.example&ns=docker.io", 403),
        ("r%2Eexample", 200),
    ] {
        assert_eq!(
            get(&gateway, &world, &format!("/v2/app/manifests/1.0?ns={ns}")).status,
            status,
            "{ns}"
        );
    }
}

#[test]
fn a_wrong_configuration_refuses_everything_and_says_why() {
    let world = World::default();
    let (digest, _) = world.signed("app", "1.0", "a");
    let good = config(&policy("index"));
    let mut upper = good.clone();
    upper.assets.remove("other.pub");
    for (config, code) in [
        (
            Config {
                policy: b"{}".to_vec(),
                ..good.clone()
            },
            "config.policy",
        ),
        (
            Config {
                policy: vec![b' '; 2 << 20],
                ..good.clone()
            },
            "config.policy-size",
        ),
        (upper, "key.missing"),
        (
            Config {
                upstream: "ftp://x".into(),
                ..good.clone()
            },
            "config.upstream",
        ),
        (
            Config {
                upstream: "http://up.test/path".into(),
                ..good.clone()
            },
            "config.upstream",
        ),
        (
            Config {
                registries_d: Some([("a.yaml".to_string(), b"docker: [".to_vec())].into()),
                ..good.clone()
            },
            "config.registries-d",
        ),
        (
            Config {
                name: "no host".into(),
                ..good.clone()
            },
            "config.name",
        ),
        (
            Config {
                name: "team/docker.io".into(),
                ..good.clone()
            },
            "config.name",
        ),
    ] {
        let gateway = Gateway::new(config);
        assert_eq!(gateway.misconfigured().unwrap().code, code);
        for path in [
            "/v2/app/manifests/1.0".to_string(),
            format!("/v2/app/manifests/{digest}"),
            format!("/v2/app/blobs/{}", Digest::of(b"a")),
            "/v2/app/tags/list".into(),
            format!("/v2/app/referrers/{digest}"),
        ] {
            let seen = get(&gateway, &world, &path);
            assert!(
                seen.status == 403
                    && seen.message().starts_with("sealgate:")
                    && seen.message().contains(&format!("[{code}]")),
                "{code} {path}"
            );
        }
        assert_eq!(
            get(&gateway, &world, "/healthz").text(),
            r#"{"state":"misconfigured"}"#
        );
    }
}

/// docs/gateway.md "Configuration": `REGISTRIES_D` decides where signatures are, for whoever judges
/// the evidence, too.
#[test]
fn registries_d_decides_where_signatures_are() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    let files = |text: &str| Some([("excerpt.yaml".to_string(), text.as_bytes().to_vec())].into());
    for (text, status) in [
        ("default-docker:\n  use-sigstore-attachments: true\n", 200),
        (
            "docker:\n  r.example/app:\n    use-sigstore-attachments: true\n",
            200,
        ),
        (
            "docker:\n  r.example/other:\n    use-sigstore-attachments: true\n",
            403,
        ),
    ] {
        let config = Config {
            registries_d: files(text),
            ..config(&policy("index"))
        };
        let gateway = Gateway::new(config.clone());
        let seen = get(&gateway, &world, "/v2/app/manifests/1.0");
        assert_eq!(seen.status, status, "{text}");
        assert!(status == 200 || seen.message().contains("[signature.missing]"));
        let evidence = crate::verify::EvidenceDocument::parse(
            &get(&gateway, &world, "/api/evidence/app?ref=1.0").body,
        )
        .unwrap();
        // Nothing of other images' settings: what holds for this one.
        let told = evidence.policy.unwrap().registries_d.unwrap();
        assert_eq!(
            told["excerpt.yaml"],
            format!(
                "default-docker:\n  use-sigstore-attachments: {}\n",
                status == 200
            )
            .into_bytes()
        );
    }
}

/// docs/gateway.md "Serving": audit never breaks a pull, and what it lets pass is written down.
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

/// docs/gateway.md "Configuration": the name's default is the upstream's host, and Docker Hub is
/// always docker.io.
#[test]
fn names() {
    for (upstream, name, repository, judged, fetched) in [
        (
            "https://reg.test:5000",
            "",
            "app",
            "reg.test:5000/app:1",
            "app",
        ),
        (
            "https://registry-1.docker.io",
            "",
            "busybox",
            "docker.io/library/busybox:1",
            "library/busybox",
        ),
        (
            "https://registry-1.docker.io/",
            "index.docker.io",
            "team/app",
            "docker.io/team/app:1",
            "team/app",
        ),
        (
            "http://up.test",
            "docker.io",
            "busybox",
            "docker.io/library/busybox:1",
            "library/busybox",
        ),
    ] {
        let gateway = Gateway::new(Config {
            upstream: upstream.into(),
            name: name.into(),
            ..config(&policy("index"))
        });
        assert_eq!(gateway.misconfigured(), None, "{upstream} {name}");
        assert_eq!(
            gateway.judged_name(repository, "1").unwrap().to_string(),
            judged
        );
        assert_eq!(gateway.upstream_repository(repository), fetched);
    }
}

/// containerd fetches whatever has `urls` from there first, an index's images too, and takes `data`
/// instead of fetching: an image that a list names would come past this gateway.
#[test]
fn nothing_leads_past_the_gateway() {
    for coverage in ["index", "instance"] {
        let world = World::default();
        let gateway = Gateway::new(config(&policy(coverage)));
        let (_, signed) = world.signed("app", "child", "a");
        let (_, unsigned) = world.image("app", "unsigned", "b");
        let layer = |more: &str| {
            manifest(
                &descriptor(CONFIG, b"{}", ""),
                &[descriptor(LAYER, b"x", more)],
            )
        };
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
