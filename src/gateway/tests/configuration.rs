//! What an operator decides, and what is made of a wrong value.

use super::*;

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
    let upstream = |text: &str| with(|config| config.upstream = text.into());
    let name = |text: &str| with(|config| config.name = text.into());
    let policy = |bytes: Vec<u8>| with(|config| config.policy = bytes);
    let files = [("a.yaml".to_string(), b"docker: [".to_vec())];
    for (gateway, code) in [
        (policy(b"{}".to_vec()), "config.policy"),
        (policy(vec![b' '; 2 << 20]), "config.policy-size"),
        (
            with(|config| drop(config.assets.remove("other.pub"))),
            "key.missing",
        ),
        (upstream("ftp://x"), "config.upstream"),
        (upstream("http://up.test/path"), "config.upstream"),
        (upstream("http://up.test?x"), "config.upstream"),
        (upstream("http://u@up.test"), "config.upstream"),
        (upstream("http://127.1"), "config.upstream"),
        (
            with(|config| config.registries_d = Some(files.into())),
            "config.registries-d",
        ),
        (name("no host"), "config.name"),
        (name("team/docker.io"), "config.name"),
    ] {
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
            only(&gateway)
                .judged_name(repository, "1")
                .unwrap()
                .to_string(),
            judged
        );
        assert_eq!(only(&gateway).upstream_repository(repository), fetched);
    }
}
