//! Several registries behind one gateway, each below its prefix.

use super::*;

/// Two of them: the usual one below `team`, under its name, and the same address below `hub/mirror`,
/// under another.
fn two() -> Gateway {
    several(
        r#"[{"prefix": "team", "upstream": "http://up.test", "name": "r.example"},
            {"prefix": "hub/mirror", "upstream": "http://up.test/", "name": "other.example"}]"#,
    )
}

fn several(registries: &str) -> Gateway {
    with(|config| {
        (config.upstream, config.name) = Default::default();
        config.registries = Some(registries.into());
    })
}

/// What is asked of a registry is its own; what is judged has its name.
#[test]
fn each_prefix_leads_to_its_registry() {
    let world = World::default();
    let gateway = two();
    assert_eq!(gateway.misconfigured(), None);
    let (digest, bytes) = world.signed("app", "1.0", "a");
    assert_eq!(
        get(&gateway, &world, "/v2/team/app/manifests/1.0").body,
        bytes
    );
    assert!(
        world
            .asked
            .borrow()
            .iter()
            .all(|asked| !asked.contains("team"))
    );
    // The same image under the other name is another one, whose scope the policy does not have.
    assert_eq!(
        verdict(&gateway, &world, "/v2/hub/mirror/app/manifests/1.0"),
        is(403, "policy.reject")
    );
    let by_digest = format!("manifests/{digest}");
    assert_eq!(
        get(&gateway, &world, &format!("/v2/team/app/{by_digest}")).status,
        200
    );
    assert_eq!(
        get(&gateway, &world, &format!("/v2/hub/mirror/app/{by_digest}")).status,
        403
    );
    // A blob goes out where an allowed image of that registry lists it.
    assert_eq!(blob_status(&gateway, &world, "team/app", b"a"), 200);
    assert_eq!(blob_status(&gateway, &world, "hub/mirror/app", b"a"), 403);
    let refused = get(&gateway, &world, "/v2/hub/mirror/app/manifests/1.0").message();
    assert!(
        refused.contains("sealgate: other.example/app:1.0 is refused")
            && refused.contains("http://gate.test/#gate.test/hub/mirror/app:1.0"),
        "{refused}"
    );
}

#[test]
fn what_no_prefix_fits_is_nowhere() {
    let world = World::default();
    let gateway = two();
    world.signed("app", "1.0", "a");
    world.signed("team", "1.0", "a");
    for path in [
        "/v2/app/manifests/1.0",
        "/v2/team/manifests/1.0",
        "/v2/teams/app/manifests/1.0",
        "/v2/hub/app/manifests/1.0",
        "/v2/hub/mirror/manifests/1.0",
        "/v2/app/tags/list",
        "/api/evidence/app?ref=1.0",
    ] {
        let seen = get(&gateway, &world, path);
        assert_eq!(seen.status, 404, "{path}");
        assert!(
            seen.message().contains("below hub/mirror/ or team/"),
            "{}",
            seen.message()
        );
    }
    assert!(world.asked.borrow().is_empty());
    // Without a registry at the root, nobody can say more than that one may ask.
    assert_eq!(get(&gateway, &world, "/v2/").status, 200);
    assert!(world.asked.borrow().is_empty());
    for (ns, status) in [
        ("r.example", 200),
        ("other.example", 403),
        ("gate.test", 200),
        ("x.example", 403),
    ] {
        let path = format!("/v2/team/app/manifests/1.0?ns={ns}");
        assert_eq!(get(&gateway, &world, &path).status, status, "{ns}");
    }
}

/// The longest prefix is the one, and what stands at the root has the rest.
#[test]
fn the_longest_prefix_wins() {
    let gateway = several(
        r#"[{"prefix": "", "upstream": "https://root.test"},
            {"prefix": "a", "upstream": "https://a.test"},
            {"prefix": "a/b", "upstream": "https://registry-1.docker.io"}]"#,
    );
    assert_eq!(gateway.misconfigured(), None);
    for (asked, name, own, upstream) in [
        ("x", "root.test", "x", "x"),
        ("a", "root.test", "a", "a"),
        ("ab/c", "root.test", "ab/c", "ab/c"),
        ("a/c", "a.test", "c", "c"),
        ("a/b", "a.test", "b", "b"),
        ("a/b/c", "docker.io", "c", "library/c"),
        ("a/b/c/d", "docker.io", "c/d", "c/d"),
    ] {
        let (entry, found) = gateway.settings.entries.of(asked).unwrap();
        assert_eq!((entry.name.as_str(), found), (name, own), "{asked}");
        assert_eq!(entry.upstream_repository(found), upstream, "{asked}");
    }
    assert_eq!(
        gateway.settings.entries.of_ping().unwrap().name,
        "root.test"
    );
    // Messages have the name by which it is judged.
    let (entry, own) = gateway.settings.entries.of("a/b/c").unwrap();
    assert_eq!(entry.image(own, "1"), "docker.io/library/c:1");
}

/// What one registry is remembered for is nothing of another's, at the same address or not.
#[test]
fn registries_share_nothing_that_is_remembered() {
    let world = World::default();
    let gateway = two();
    world.signed("app", "1.0", "a");
    for _ in 0..2 {
        assert_eq!(
            get(&gateway, &world, "/v2/team/app/manifests/1.0").status,
            200
        );
    }
    let stored: Vec<String> = world.store.borrow().keys().cloned().collect();
    assert!(!stored.is_empty());
    world.asked.borrow_mut().clear();
    assert_eq!(
        get(&gateway, &world, "/v2/hub/mirror/app/manifests/1.0").status,
        403
    );
    // It had to be fetched again.
    assert!(
        world
            .asked
            .borrow()
            .iter()
            .any(|asked| asked.starts_with("GET"))
    );
}

#[test]
fn lists_and_links_have_the_clients_names() {
    let world = World::default();
    let gateway = two();
    world.signed("app", "1.0", "a");
    get(&gateway, &world, "/v2/team/app/manifests/1.0");
    let path = format!("/v2/team/app/blobs/{}", Digest::of(b"a"));
    let Action::Stream(stream) = act(&gateway, &world, &request("GET", &path, &[], 1_000)) else {
        panic!("a blob streams");
    };
    assert_eq!(
        stream.url,
        format!("http://up.test/v2/app/blobs/{}", Digest::of(b"a"))
    );
    assert_eq!(
        stream.location,
        (
            "http://up.test/v2/".to_string(),
            "http://gate.test/v2/team/".to_string()
        )
    );
    let document = get(&gateway, &world, "/api/evidence/team/app?ref=1.0").text();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["name"], "r.example/app:1.0");
    assert_eq!(document["repository"], "team/app");
}

#[test]
fn wrong_registries_refuse_everything() {
    let world = World::default();
    let entry = r#"{"prefix": "a", "upstream": "http://up.test"}"#;
    for (registries, words) in [
        ("", "JSON"),
        ("{}", "found 0"),
        ("[]", "found 0"),
        ("[1]", "an object"),
        (&format!("[{entry},{entry}]"), "twice"),
        (&format!("[{}]", [entry; 65].join(",")), "found 65"),
        (r#"[{"prefix": "a", "upstream": 1}]"#, "to be a text"),
        (
            r#"[{"prefix": "a", "upstream": "http://up.test", "allow": true}]"#,
            "found \"allow\"",
        ),
        (
            r#"[{"prefix": "a", "upstream": "http://up.test", "public": "yes"}]"#,
            "public to be true or false",
        ),
        (
            r#"[{"prefix": "a", "upstream": "http://up.test", "realm": "auth.test"}]"#,
            "the address of a token service",
        ),
        (
            r#"[{"prefix": "/a", "upstream": "http://up.test"}]"#,
            "whole components",
        ),
        (
            r#"[{"prefix": "a/", "upstream": "http://up.test"}]"#,
            "whole components",
        ),
        (
            r#"[{"prefix": "A", "upstream": "http://up.test"}]"#,
            "whole components",
        ),
        (r#"[{"prefix": "a", "upstream": "up.test"}]"#, "UPSTREAM"),
        (r#"[{"prefix": "a"}]"#, "UPSTREAM"),
    ] {
        let gateway = several(registries);
        let failure = gateway.misconfigured().expect(registries);
        assert!(
            failure.message.contains(words),
            "{registries}: {}",
            failure.message
        );
        let seen = get(&gateway, &world, "/v2/a/app/manifests/1.0");
        assert_eq!(seen.status, 403, "{registries}");
    }
    let both = with(|config| config.registries = Some(format!("[{entry}]")));
    assert_eq!(both.misconfigured().unwrap().code, "config.registries");
    assert!(world.asked.borrow().is_empty());
}

/// What stands at the root under the name of a prefix is another registry's here: nobody is told of
/// one for the other, and clients that ask by the registries' own names get neither.
#[test]
fn what_a_prefix_hides_is_nobody_elses() {
    let world = World::default();
    let gateway = several(
        r#"[{"prefix": "", "upstream": "http://root.test", "name": "root.example"},
            {"prefix": "team", "upstream": "http://up.test", "name": "r.example"},
            {"prefix": "team/x", "upstream": "http://x.test", "name": "x.example"}]"#,
    );
    world.signed("app", "1.0", "a");
    let report = |image: &str| get(&gateway, &world, &format!("/api/verify?image={image}")).status;
    assert_eq!(report("r.example/app:1.0"), 200);
    assert_eq!(report("root.example/team/app:1.0"), 400);
    assert_eq!(report("r.example/x/app:1.0"), 400);
    let text = get(&gateway, &world, "/setup?for=podman").text();
    for hidden in ["root.example/team", "root.example/team/x", "r.example/x"] {
        let part = format!(
            "[[registry]]\nprefix = \"{hidden}\"\nlocation = \"{hidden}\"\nblocked = true\n"
        );
        assert!(text.contains(&part), "{hidden}: {text}");
    }
    assert_eq!(text.matches("blocked").count(), 3, "{text}");
}

/// Who pushes much below a prefix of several components takes no room from another owner there.
#[test]
fn owners_below_a_long_prefix_are_apart() {
    let world = World::default();
    let gateway =
        several(r#"[{"prefix": "a/b", "upstream": "http://up.test", "name": "r.example"}]"#);
    let budget = Budget::new(&world, &gateway.counters, 9);
    let kept = |repository: &str| {
        let asked = request("GET", "/v2/", &[], 1_000);
        let context = context::Context::new(
            &gateway.settings,
            &gateway.caches,
            &asked,
            repository,
            &budget,
            context::Way::Usual,
        );
        let context = context.unwrap().unwrap();
        context
            .memory
            .repository
            .split('/')
            .next()
            .unwrap()
            .to_string()
    };
    assert_ne!(kept("a/b/victim/app"), kept("a/b/evil/app"));
}

/// Clients have one login for the gateway's host: it goes to the registry at the root, and to no other,
/// nor to a token service that another one names.
#[test]
fn what_clients_sign_in_with_goes_to_one_registry() {
    const CLIENTS: &str = "Basic Y2xpZW50OnNlY3JldA==";
    let gateway = several(
        r#"[{"prefix": "", "upstream": "http://up.test", "name": "r.example"},
            {"prefix": "b", "upstream": "http://up.test", "name": "r.example"}]"#,
    );
    let world = World::default();
    let (digest, _) = world.signed("app", "1.0", "a");
    world.private.set(true);
    let ask = |path: &str| {
        world.borne.borrow_mut().clear();
        let headers = [("authorization", CLIENTS)];
        act(&gateway, &world, &request("GET", path, &headers, 1_000))
    };
    let layer = Digest::of(b"a");
    let paths = |prefix: &str| {
        [
            format!("/v2/{prefix}app/manifests/1.0"),
            format!("/v2/{prefix}app/manifests/{digest}"),
            format!("/v2/{prefix}app/blobs/{layer}"),
            format!("/v2/{prefix}app/tags/list"),
            format!("/api/evidence/{prefix}app?ref=1.0"),
        ]
    };
    for path in paths("") {
        let seen = seen(&world, ask(&path));
        assert_eq!(seen.status, 401, "{path}");
        assert!(seen.header("www-authenticate").is_some());
        assert!(world.borne.borrow().iter().all(|borne| borne == CLIENTS));
    }
    // Its token service lets nobody in without credentials: then nobody is let in, and nobody is asked
    // for any.
    world.fail("auth.test/token", 99, Ok(response(401, &[], b"")));
    for path in paths("b/") {
        let seen = seen(&world, ask(&path));
        assert_eq!(seen.status, 401, "{path}");
        assert!(seen.header("www-authenticate").is_none(), "{path}");
        assert!(
            seen.message().contains("everybody may read"),
            "{}",
            seen.message()
        );
        assert_eq!(*world.borne.borrow(), [""; 0], "{path}");
    }
    assert!(
        world
            .asked
            .borrow()
            .iter()
            .any(|asked| asked.contains("auth.test/token"))
    );
    // Or it lets everybody in.
    world.mend();
    world.fail(
        "auth.test/token",
        99,
        Ok(response(200, &[], br#"{"token": "yes"}"#)),
    );
    for path in &paths("b/")[..2] {
        assert_eq!(seen(&world, ask(path)).status, 200, "{path}");
        assert!(world.borne.borrow().iter().all(|borne| borne == TOKEN));
    }
    let Action::Stream(stream) = ask(&paths("b/")[2]) else {
        panic!("a blob streams");
    };
    let borne = stream
        .headers
        .iter()
        .filter(|(name, _)| name == "authorization");
    assert_eq!(
        borne.map(|(_, value)| value.as_str()).collect::<Vec<_>>(),
        [TOKEN]
    );
    assert!(stream.pass.iter().all(|name| name != "www-authenticate"));
    // What is answered in two steps bears what comes with the request: not here.
    let bears = |prefix: &str, lines: &str| {
        let head = gateway.look_in_lines(lines).unwrap();
        assert_eq!(head.contains(CLIENTS), prefix.is_empty(), "{head}");
    };
    let lines = |prefix: &str| {
        let path = &paths(prefix)[0];
        format!("1000\nGET\nhttp://gate.test{path}\nauthorization\n{CLIENTS}")
    };
    for prefix in ["b/", "", "b/", ""] {
        bears(prefix, &lines(prefix));
    }
}
