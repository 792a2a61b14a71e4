//! What clients are told.

use super::*;

const ADMIN: &str = "0123456789abcdef";

fn gateway() -> Gateway {
    with(|config| {
        (config.upstream, config.name) = Default::default();
        config.registries = Some(
            r#"[{"prefix": "", "upstream": "https://r.example"},
                {"prefix": "hub", "upstream": "https://registry-1.docker.io"}]"#
                .into(),
        );
        config.public_url = "https://gate.example".into();
        config.admin_secret = ADMIN.into();
    })
}

#[test]
fn podman_is_sent_elsewhere_and_to_no_mirror() {
    let world = World::default();
    let text = get(&gateway(), &world, "/setup?for=podman").text();
    assert!(
        text.contains("prefix = \"docker.io\"\nlocation = \"gate.example/hub\"\n"),
        "{text}"
    );
    assert!(
        text.contains("prefix = \"r.example\"\nlocation = \"gate.example\"\n"),
        "{text}"
    );
    assert!(!text.contains("mirror]") && !text.contains("insecure"));
    assert_eq!(get(&gateway(), &world, "/setup?for=cri-o").text(), text);
    let plain = get(&super::gateway(), &world, "/setup?for=podman").text();
    assert!(
        plain.contains("location = \"gate.test\"\ninsecure = true\n"),
        "{plain}"
    );
}

#[test]
fn containerd_has_no_other_server() {
    let world = World::default();
    let of = |name: &str| {
        get(
            &gateway(),
            &world,
            &format!("/setup?for=containerd&name={name}"),
        )
    };
    let hub = of("docker.io").text();
    let address = "https://gate.example/v2/hub";
    assert!(
        hub.contains(&format!("server = \"{address}\"\noverride_path = true\n")),
        "{hub}"
    );
    assert!(
        hub.contains(&format!("[host.\"{address}\"]")) && hub.matches("override_path").count() == 2
    );
    let root = of("r.example").text();
    assert!(
        root.contains("server = \"https://gate.example\"\n") && !root.contains("override_path")
    );
    let missing = of("x.example");
    assert_eq!(missing.status, 400);
    assert!(
        missing.message().contains("docker.io, r.example"),
        "{}",
        missing.message()
    );
    assert_eq!(
        get(&super::gateway(), &world, "/setup?for=containerd").status,
        200
    );
}

#[test]
fn everybody_is_told_how_and_the_administrator_by_which_policy() {
    let world = World::default();
    let gateway = gateway();
    let text = get(&gateway, &world, "/setup").text();
    for part in [
        "'https://gate.example/setup?for=podman'",
        "certs.d/docker.io/hosts.toml",
        "'https://gate.example/setup?for=openshift'",
        "'https://gate.example/setup?for=buildkit'",
        "'https://gate.example/setup?for=hosts'",
        "docker pull gate.example/hub/REPOSITORY:TAG",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let unknown = get(&gateway, &world, "/setup?for=nerdctl");
    assert_eq!(unknown.status, 400);
    for kind in ["containerd", "cri-o", "openshift", "buildkitd", "hosts"] {
        assert!(unknown.message().contains(kind), "{}", unknown.message());
    }
    let policy = get(&gateway, &world, "/setup?for=policy");
    assert!(policy.status == 401 && !policy.text().contains("transports"));
    let bearer = format!("Bearer {ADMIN}");
    let asked = request(
        "GET",
        "/setup?for=policy",
        &[("authorization", &bearer)],
        1_000,
    );
    assert_eq!(
        seen(&world, act(&gateway, &world, &asked)).text(),
        super::policy("index")
    );
    assert!(world.asked.borrow().is_empty());
}

/// What the machine-config operator makes of it is asked of its own code (pkg-tests/clients).
#[test]
fn openshift_never_contacts_a_source() {
    let world = World::default();
    let text = get(&gateway(), &world, "/setup?for=openshift").text();
    let source = "    - source: \"docker.io\"\n      mirrors:\n        - \"gate.example/hub\"\n
      mirrorSourcePolicy: NeverContactSource\n"
        .replace("\n\n", "\n");
    assert_eq!(text.matches(&source).count(), 2, "{text}");
    assert_eq!(text.matches("NeverContactSource").count(), 4, "{text}");
    // The sources themselves are no blocked registries: pulls through mirrors would be refused.
    let (_, image) = text.split_once("blockedRegistries:\n").unwrap();
    assert_eq!(image, "      - \"r.example/hub\"\n");
    assert!(!text.contains("insecureRegistries"), "{text}");
    let plain = get(&super::gateway(), &world, "/setup?for=openshift").text();
    assert!(plain.ends_with("    insecureRegistries:\n      - \"gate.test\"\n"));
}

#[test]
fn docker_has_a_mirror_for_docker_hub_alone() {
    let world = World::default();
    let of = |registries: &str, public_url: &str| {
        let gateway = with(|config| {
            (config.upstream, config.name) = Default::default();
            config.registries = Some(registries.into());
            config.public_url = public_url.into();
        });
        get(&gateway, &world, "/setup?for=docker").text()
    };
    let hub = r#"{"prefix": "", "upstream": "https://registry-1.docker.io"}"#;
    let https = "https://gate.example";
    assert_eq!(
        of(&format!("[{hub}]"), https),
        "{\n  \"registry-mirrors\": [\"https://gate.example\"]\n}\n"
    );
    let plain = of(&format!("[{hub}]"), "http://gate.example:8787");
    assert!(
        plain.contains("\n  \"insecure-registries\": [\"gate.example:8787\"]\n}"),
        "{plain}"
    );
    // Below a prefix docker asks nothing, and what it asks at the root may be of another registry.
    let other = r#"{"prefix": "team", "upstream": "https://r.example"}"#;
    assert_eq!(of(&format!("[{hub}, {other}]"), https), "{}\n");
    assert_eq!(of(&format!("[{other}]"), https), "{}\n");
    assert_eq!(get(&gateway(), &world, "/setup?for=docker").text(), "{}\n");
}

#[test]
fn a_build_is_led_elsewhere_and_its_daemon_has_mirrors() {
    let world = World::default();
    let text = get(&gateway(), &world, "/setup?for=buildkit").text();
    let rules = serde_json::from_str::<serde_json::Value>(&text).unwrap();
    let rules = rules["rules"].as_array().unwrap();
    let seen: Vec<_> = rules
        .iter()
        .map(|rule| {
            let at = |pointer: &str| rule.pointer(pointer).and_then(|value| value.as_str());
            assert_eq!(at("/selector/matchType"), Some("WILDCARD"));
            (
                at("/action").unwrap(),
                at("/selector/identifier").unwrap(),
                at("/updates/identifier"),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            // Before what it is below.
            (
                "CONVERT",
                "docker-image://r.example/hub/*",
                Some("docker-image://blocked.invalid/r.example/hub/${1}")
            ),
            (
                "CONVERT",
                "docker-image://docker.io/*",
                Some("docker-image://gate.example/hub/${1}")
            ),
            (
                "CONVERT",
                "docker-image://r.example/*",
                Some("docker-image://gate.example/${1}")
            ),
            ("DENY", "docker-image://blocked.invalid/*", None),
        ]
    );
    let daemon = get(&gateway(), &world, "/setup?for=buildkitd").text();
    assert!(
        daemon.contains("[registry.\"docker.io\"]\n  mirrors = [\"gate.example/hub\"]\n"),
        "{daemon}"
    );
    assert!(!daemon.contains("http = true"));
    let plain = get(&super::gateway(), &world, "/setup?for=buildkitd").text();
    assert!(plain.ends_with("[registry.\"gate.test\"]\n  http = true\n"));
}

#[test]
fn registries_are_names_that_lead_nowhere_and_the_gateway_is_not() {
    let world = World::default();
    let text = get(&gateway(), &world, "/setup?for=hosts").text();
    let names: Vec<&str> = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    assert_eq!(
        names,
        [
            "0.0.0.0 registry-1.docker.io",
            ":: registry-1.docker.io",
            "0.0.0.0 r.example",
            ":: r.example",
        ]
    );
    let gateway = with(|config| {
        (config.upstream, config.name) = Default::default();
        config.registries = Some(
            r#"[{"prefix": "a", "upstream": "http://10.0.0.1:5000"},
                {"prefix": "b", "upstream": "http://up.test", "name": "gate.example:5000"}]"#
                .into(),
        );
        config.public_url = "https://gate.example".into();
    });
    let text = get(&gateway, &world, "/setup?for=hosts").text();
    assert!(
        text.lines()
            .all(|line| line.is_empty() || line.starts_with('#')),
        "{text}"
    );
    assert!(text.contains("# 10.0.0.1 is an address") && text.contains("gate.example is this"));
}

/// Whoever asks may name any host: nothing of it gets into a file.
#[test]
fn an_address_that_is_none_gets_no_file() {
    let world = World::default();
    for kind in [
        "",
        "?for=podman",
        "?for=openshift",
        "?for=docker",
        "?for=hosts",
    ] {
        let mut asked = request("GET", &format!("/setup{kind}"), &[], 1_000);
        asked.url = format!("http://a\"b/setup{kind}");
        let answer = seen(&world, act(&super::gateway(), &world, &asked));
        assert_eq!(answer.status, 400, "{kind}");
        assert!(answer.message().contains("PUBLIC_URL") && !answer.message().contains("a\"b"));
    }
}
