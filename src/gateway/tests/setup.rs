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
        "docker pull gate.example/hub/REPOSITORY:TAG",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(get(&gateway, &world, "/setup?for=docker").status, 400);
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
