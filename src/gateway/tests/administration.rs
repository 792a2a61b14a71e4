//! What is counted, kept and told, and to whom.

use super::*;

const SECRET: &str = "0123456789abcdef";

fn administrated() -> Gateway {
    with(|config| config.admin_secret = SECRET.into())
}

/// What an administrator sees.
fn told(gateway: &Gateway, world: &World, path: &str) -> Seen {
    let bearer = format!("Bearer {SECRET}");
    let request = request("GET", path, &[("authorization", &bearer)], 1_000);
    seen(world, act(gateway, world, &request))
}

#[test]
fn only_its_administrator_administrates() {
    let world = World::default();
    let gateway = administrated();
    let short = with(|config| config.admin_secret = b"too short".into());
    assert_eq!(short.misconfigured().unwrap().code, "config.admin-secret");
    for path in ["/admin/decisions", "/admin/refusals", "/admin/flush"] {
        let ask_with = |gateway: &Gateway, header: &str| {
            let headers = [("authorization", header)];
            act(gateway, &world, &request("POST", path, &headers, 1_000))
        };
        for header in [
            "",
            "Bearer ",
            "Bearer 0123456789abcdeg",
            "Bearer 0123456789abcdef ",
            "Basic 0123456789abcdef",
        ] {
            let seen = seen(&world, ask_with(&gateway, header));
            assert_eq!(seen.status, 401, "{path} {header}");
            assert!(seen.header("www-authenticate").is_some());
        }
        // Where nobody administrates, there is no such address.
        let nobody = super::gateway();
        assert_eq!(
            seen(&world, ask_with(&nobody, "Bearer ")).status,
            405,
            "{path}"
        );
        assert!(matches!(
            act(
                &nobody,
                &world,
                &request("GET", path, &[("authorization", "Bearer ")], 1_000)
            ),
            Action::Asset(_)
        ));
        assert_eq!(
            seen(&world, ask_with(&short, "Bearer too short")).status,
            405,
            "{path}"
        );
    }
    assert!(world.asked.borrow().is_empty());
}

#[test]
fn decisions_are_kept_and_found() {
    let world = World::default();
    let gateway = administrated();
    let (digest, _) = world.signed("app", "1.0", "a");
    world.image("app", "2.0", "b");
    for path in [
        "/v2/app/manifests/1.0",
        "/v2/app/manifests/2.0",
        "/v2/app/manifests/2.0",
    ] {
        get(&gateway, &world, path);
    }
    let all = told(&gateway, &world, "/admin/decisions").text();
    let kept = r#""kept":{"in":"instance","count":10000,"since":1000}}"#;
    assert!(all.ends_with(&format!(r#"],"more":false,{kept}"#)), "{all}");
    assert_eq!(all.matches(r#""id":"#).count(), 2, "{all}");
    let refused = told(&gateway, &world, "/admin/refusals").text();
    assert_eq!(
        refused.matches(r#""verdict":"deny""#).count(),
        1,
        "{refused}"
    );
    assert!(refused.contains(r#""image":"r.example/app:2.0","code":"signature.missing""#));
    assert!(!refused.contains("app:1.0"));
    let one = told(&gateway, &world, "/admin/decisions?image=r.example/app:1.0").text();
    assert!(
        one.contains(r#""verdict":"allow""#) && !one.contains("app:2.0"),
        "{one}"
    );
    // By the id that a refusal names.
    let message = get(&gateway, &world, "/v2/app/manifests/2.0").message();
    let id = message
        .split("Decision ")
        .nth(1)
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    let by_id = told(&gateway, &world, &format!("/admin/decisions?id={id}")).text();
    assert_eq!(by_id.matches(r#""id":"#).count(), 1, "{by_id}");
    assert_eq!(
        told(&gateway, &world, "/admin/refusals?since=1001").text(),
        format!(r#"{{"decisions":[],"more":false,{kept}"#)
    );
    assert_eq!(
        told(
            &gateway,
            &world,
            "/admin/refusals?since=1970-01-01T00:16:40Z"
        )
        .text(),
        refused
    );
    assert_eq!(
        told(&gateway, &world, "/admin/refusals?since=today").status,
        400
    );
    // What went out by its digest has a name of its own.
    get(&gateway, &world, &format!("/v2/app/manifests/{digest}"));
    let by_digest = told(
        &gateway,
        &world,
        &format!("/admin/decisions?image=r.example/app@{digest}"),
    );
    assert_eq!(by_digest.text().matches(r#""id":"#).count(), 1);
}

/// What was forgotten is judged again, whatever the store has of it.
#[test]
fn a_flush_forgets() {
    let world = World::default();
    let gateway = administrated();
    world.signed("app", "1.0", "a");
    let path = "/v2/app/manifests/1.0";
    let gets = |gateway: &Gateway| {
        world.asked.borrow_mut().clear();
        assert_eq!(get(gateway, &world, path).status, 200);
        world
            .asked
            .borrow()
            .iter()
            .filter(|asked| asked.starts_with("GET"))
            .count()
    };
    assert!(gets(&gateway) > 0);
    assert_eq!(gets(&gateway), 0);
    let bearer = format!("Bearer {SECRET}");
    let flush = request("POST", "/admin/flush", &[("authorization", &bearer)], 1_000);
    assert_eq!(
        seen(&world, act(&gateway, &world, &flush)).text(),
        r#"{"flushed":true}"#
    );
    assert!(gets(&gateway) > 0);
    assert_eq!(gets(&gateway), 0);
}

#[test]
fn health_tells_an_administrator_why() {
    let world = World::default();
    let gateway = administrated();
    assert_eq!(
        get(&gateway, &world, "/healthz").text(),
        r#"{"state":"ok"}"#
    );
    let told_well = told(&gateway, &world, "/healthz").text();
    for part in [
        r#""state":"ok","#,
        r#""mode":"enforce""#,
        r#""registries":[{"prefix":"","upstream":"http://up.test","name":"r.example"}]"#,
        r#""trustedRoots":"20"#,
    ] {
        assert!(told_well.contains(part), "{told_well}");
    }
    let broken = with(|config| {
        config.admin_secret = SECRET.into();
        config.policy = b"{}".into();
    });
    assert_eq!(
        get(&broken, &world, "/healthz").text(),
        r#"{"state":"misconfigured"}"#
    );
    let why = told(&broken, &world, "/healthz");
    assert_eq!(why.status, 503);
    assert!(why.text().contains(r#""code":"config.policy""#));
}

/// One line of `/metrics`.
fn metric(gateway: &Gateway, world: &World, name: &str) -> Option<u64> {
    let text = get(gateway, world, "/metrics").text();
    let line = text.lines().find(|line| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(' '))
    })?;
    line.rsplit(' ').next()?.parse().ok()
}

#[test]
fn what_happens_is_counted() {
    let world = World::default();
    let gateway = administrated();
    let (digest, _) = world.signed("app", "1.0", "a");
    world.image("app", "2.0", "b");
    let is = |name: &str, wanted: u64| {
        assert_eq!(metric(&gateway, &world, name), Some(wanted), "{name}")
    };
    for path in [
        "/v2/app/manifests/1.0",
        "/v2/app/manifests/2.0",
        "/v2/app/manifests/2.0",
    ] {
        get(&gateway, &world, path);
    }
    let upstream = u64::try_from(world.asked.borrow().len()).unwrap();
    is(r#"sealgate_decisions_total{verdict="allow"}"#, 1);
    is(r#"sealgate_decisions_total{verdict="deny"}"#, 2);
    is(r#"sealgate_decisions_total{verdict="unknown"}"#, 0);
    is(r#"sealgate_refusals_total{code="signature.missing"}"#, 2);
    is("sealgate_upstream_requests_total", upstream);
    is("sealgate_signature_checks_total", 1);
    is("sealgate_misconfigured", 0);
    is("sealgate_audit", 0);
    // Both steps of a remembered answer are one request.
    let lines =
        format!("1000\nGET\nhttp://gate.test/v2/app/manifests/{digest}\nauthorization\n{TOKEN}");
    get(&gateway, &world, &format!("/v2/app/manifests/{digest}"));
    let allowed = metric(
        &gateway,
        &world,
        r#"sealgate_decisions_total{verdict="allow"}"#,
    )
    .unwrap();
    let upstream = metric(&gateway, &world, "sealgate_upstream_requests_total").unwrap();
    for more in 1..3 {
        let asked = gateway.look_in_lines(&lines).unwrap();
        let asked = asked.lines().next().unwrap().to_string();
        assert!(
            gateway
                .answer_in_lines(&lines, asked, Some(digest.to_string()))
                .is_some()
        );
        is("sealgate_remembered_total", more);
        is("sealgate_upstream_requests_total", upstream + more);
        is(
            r#"sealgate_decisions_total{verdict="allow"}"#,
            allowed + more,
        );
    }
    // The age is that of the roots, and grows with time.
    let at = |time: i64| {
        let text = seen(
            &world,
            act(&gateway, &world, &request("GET", "/metrics", &[], time)),
        )
        .text();
        let line = text
            .lines()
            .find(|line| line.starts_with("sealgate_trusted_root_age_seconds "))
            .unwrap();
        line.rsplit(' ').next().unwrap().parse::<i64>().unwrap()
    };
    let date = UnixTime::parse(&format!("{}T00:00:00Z", crate::sigstore::roots::DATE)).unwrap();
    assert_eq!(at(date.0 + 86_400), 86_400);
    // Nothing that somebody asked for stands there.
    let text = get(&gateway, &world, "/metrics").text();
    assert!(!text.contains("app") && !text.contains("r.example") && !text.contains("up.test"));
}

/// An image about which nobody can decide is listed like any other, and once in ten seconds.
#[test]
fn silent_registries_are_told_image_by_image() {
    let world = World::default();
    let gateway = administrated();
    world.fail("up.test", 9, Ok(response(500, &[], b"")));
    for path in [
        "/v2/app/manifests/1.0",
        "/v2/app/manifests/2.0",
        "/v2/app/manifests/2.0",
    ] {
        assert_eq!(get(&gateway, &world, path).status, 503);
    }
    let open = told(&gateway, &world, "/admin/refusals").text();
    assert_eq!(open.matches(r#""verdict":"unknown""#).count(), 2, "{open}");
}

/// The administrator's secret is for this gateway: no registry behind it sees it.
#[test]
fn no_registry_gets_the_secret() {
    let world = World::default();
    let gateway = administrated();
    let (digest, _) = world.signed("app", "1.0", "a");
    let path = "/v2/app/manifests/1.0";
    let text = |who: &str| format!("1000\nGET\nhttp://gate.test{path}\nhost\ngate.test{who}");
    get(&gateway, &world, path);
    assert!(gateway.look_in_lines(&text("")).is_some());
    let bearer = format!("Bearer {SECRET}");
    assert_eq!(
        gateway.look_in_lines(&text(&format!("\nauthorization\n{bearer}"))),
        None
    );
    let blob = format!("/v2/app/blobs/{}", Digest::of(b"a"));
    for path in [path, &format!("/v2/app/manifests/{digest}"), &blob] {
        let headers = [("authorization", bearer.as_str())];
        let asked = request("GET", path, &headers, 1_000);
        if let Some(head) = gateway.look(&asked) {
            assert!(head.headers.iter().all(|(name, _)| name != "authorization"));
        }
        if let Action::Stream(stream) = act(&gateway, &world, &asked) {
            assert!(stream.headers.is_empty(), "{:?}", stream.headers);
        }
    }
}

/// The log names who signed, also where the verdict comes out of the isolate's memory, or of the store;
/// for an image of an index, who signed the index.
#[test]
fn the_log_names_who_signed() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    world.image("app", "2.0", "b");
    let (child, bytes) = world.image("app", "child", "c");
    let index = index_of(&[descriptor(MANIFEST, &bytes, "")]);
    let index = world.put("app", "3.0", INDEX, &index);
    world.sign("app", &index, "r.example/app:3.0", GOOD);
    let gateway = gateway();
    let signer = format!(
        r#""signers":["key sha256:{}"]"#,
        PublicKey::from_pem(GOOD).unwrap().fingerprint()
    );
    let line = |gateway: &Gateway, path: &str| match act(
        gateway,
        &world,
        &request("GET", path, &[], 1_000),
    ) {
        Action::Respond(respond) => respond.log.unwrap().line(),
        other => panic!("{other:?}"),
    };
    let of_child = format!("/v2/app/manifests/{child}");
    let signed = ["/v2/app/manifests/1.0", "/v2/app/manifests/3.0", &of_child];
    for gateway in [&gateway, &gateway, &super::gateway()] {
        for path in signed {
            let line = line(gateway, path);
            assert!(line.ends_with(&format!("{signer}}}")), "{line}");
        }
        let line = line(gateway, "/v2/app/manifests/2.0");
        assert!(!line.contains("signers"), "{line}");
    }
}

#[test]
fn a_configuration_that_was_refused_is_in_the_metrics() {
    let (world, gateway) = (World::default(), gateway());
    let stale = |number: u8| {
        let line = format!("\nsealgate_configuration_stale {number}\n");
        get(&gateway, &world, "/metrics").text().contains(&line)
    };
    assert!(stale(0));
    gateway.set_stale(true);
    assert!(stale(1));
    gateway.set_stale(false);
    assert!(stale(0));
}

/// Of an index that is a list, who signed its images, each once.
#[test]
fn the_log_names_who_signed_the_images_of_a_list() {
    let world = World::default();
    let signed = |tag: &str, text: &str, key: &[u8]| {
        let (digest, bytes) = world.image("app", tag, text);
        world.sign("app", &digest, "r.example/app:1.0", key);
        descriptor(MANIFEST, &bytes, "")
    };
    let entries = [signed("a", "a", GOOD), signed("b", "b", GOOD)];
    world.put("app", "1.0", INDEX, &index_of(&entries));
    let gateway = Gateway::new(config(&policy("instance")));
    let path = "/v2/app/manifests/1.0";
    let Action::Respond(respond) = act(&gateway, &world, &request("GET", path, &[], 1_000)) else {
        panic!("a manifest is an answer");
    };
    let line = respond.log.unwrap().line();
    let key = PublicKey::from_pem(GOOD).unwrap().fingerprint();
    assert!(
        line.ends_with(&format!(r#""signers":["key sha256:{key}"]}}"#)),
        "{line}"
    );
}
