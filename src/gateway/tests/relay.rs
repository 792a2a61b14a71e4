//! `/relay/`: what everybody may read of an image's signatures in a registry that is not behind this
//! gateway, for websites.

use super::*;

fn relaying(relay: &[&str]) -> Gateway {
    with(|config| {
        config.upstream = "http://own.test".into();
        config.relay = relay.iter().map(ToString::to_string).collect();
        config.cors_origins = vec!["https://docs.example".into()];
    })
}

const PATH: &str = "/relay/up.test/app?ref=1.0";

#[test]
fn what_everybody_may_read_is_carried() {
    let world = World::default();
    let gateway = relaying(&["http://up.test"]);
    let (digest, _) = world.signed("app", "1.0", "a");
    let headers = [("authorization", TOKEN), ("origin", "https://docs.example")];
    let seen = seen(
        &world,
        act(&gateway, &world, &request("GET", PATH, &headers, 1_000)),
    );
    assert_eq!(seen.status, 200, "{}", seen.text());
    assert_eq!(
        seen.header("access-control-allow-origin"),
        Some("https://docs.example")
    );
    let document: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(
        (document["name"].as_str(), document["digest"].as_str()),
        (Some("up.test/app:1.0"), Some(digest.to_string().as_str()))
    );
    // This gateway's policy is not about it; and there is nothing that could be pulled.
    assert!(document.get("policy").is_none(), "{}", seen.text());
    assert!(!seen.text().contains("/v2/"));
    // What lets a client in here is nobody's business there.
    assert_eq!(world.borne.borrow().as_slice(), [""; 0]);
    world.private.set(true);
    assert_ne!(get(&gateway, &world, PATH).status, 200);
}

/// It is no registry, and carries no other one.
#[test]
fn nothing_else_is_carried() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    let gateway = relaying(&["http://up.test"]);
    for path in [
        "/relay/other.test/app?ref=1.0",
        "/relay/up.test.evil.test/app?ref=1.0",
        "/relay/UP.test/app?ref=1.0",
        "/relay/own.test/app?ref=1.0",
        "/relay/r.example/app?ref=1.0",
        "/relay/up.test/?ref=1.0",
        "/relay/up.test",
        "/relay/",
        "/relay/up.test/../x?ref=1.0",
        "/relay/up.test/v2/app/manifests/1.0%00",
        "/relay/up.test/app?ref=../blobs/x",
    ] {
        assert!(
            matches!(get(&gateway, &world, path).status, 400 | 404),
            "{path}"
        );
        assert!(world.asked.borrow().is_empty(), "{path}");
    }
    // It says who could change that; the page goes by the code.
    let other = get(&gateway, &world, "/relay/other.test/app?ref=1.0");
    assert_eq!(other.status, 404);
    assert!(
        other.text().contains("NAME_UNKNOWN") && other.message().contains("in RELAY"),
        "{}",
        other.text()
    );
    // Nothing at all where the operator lists none.
    assert_eq!(get(&super::gateway(), &world, PATH).status, 404);
    assert_eq!(ask(&gateway, &world, "POST", PATH).status, 405);
    assert_eq!(ask(&gateway, &world, "OPTIONS", PATH).status, 204);
}

#[test]
fn a_registry_behind_the_gateway_is_not_relayed() {
    for relay in [
        &["own.test", "http://own.test"][..],
        &["http://own.test"],
        &["r.example"],
        &["http://up.test", "http://up.test"],
        // One registry has many spellings.
        &["http://OWN.test"],
        &["http://own.test:80"],
        &["OWN.test:80"],
        &["r.example:443"],
        &["R.example"],
        &["up.test", "https://up.test:443"],
        &["up.test/x"],
        &["ftp://up.test"],
        &["*"],
        &[""],
    ] {
        let failure = relaying(relay).misconfigured().unwrap().clone();
        assert_eq!(failure.code, "config.relay", "{relay:?}");
    }
    for relay in [&["docker.io", "ghcr.io"][..], &["localhost:5000"]] {
        assert_eq!(relaying(relay).misconfigured(), None, "{relay:?}");
    }
    let hub = relaying(&["docker.io"]);
    let entry = hub.settings.relayed.iter().next().unwrap();
    assert_eq!(
        (entry.upstream.as_str(), entry.name.as_str()),
        ("https://registry-1.docker.io", "docker.io")
    );
}

#[test]
fn so_much_a_minute_and_no_more() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    let gateway = relaying(&["http://up.test"]);
    let at = |time: i64| {
        let action = act(&gateway, &world, &request("GET", PATH, &[], time));
        seen(&world, action)
    };
    for _ in 0..crate::limits::RELAYED_A_MINUTE {
        assert_eq!(at(1_000).status, 200);
    }
    let refused = at(1_019);
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(at(1_020).status, 200);
}

/// Where redirects of the registries behind this gateway may lead, one of another may not.
#[test]
fn it_leads_into_no_private_network() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    let gateway = with(|config| {
        config.upstream = "http://own.test".into();
        config.relay = vec!["http://up.test".into()];
        config.egress = vec!["minio.internal:9000".into()];
    });
    let location = "http://minio.internal:9000/secret";
    let redirect = response(307, &[("location", location)], b"");
    world.fail("/manifests/", usize::MAX, Ok(redirect));
    let seen = get(&gateway, &world, PATH);
    assert_eq!(seen.status, 503);
    assert!(
        seen.message().contains("[host.egress]"),
        "{}",
        seen.message()
    );
    let asked = world.asked.borrow();
    assert!(!asked.iter().any(|asked| asked.contains("minio")));
}
