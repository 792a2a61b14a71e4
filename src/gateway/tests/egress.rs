//! What clients learn of addresses, and where the registry's word leads.

use super::*;

/// Status, code, message and log of the answer to this path.
fn told(gateway: &Gateway, world: &World, path: &str) -> (u16, String, String) {
    match act(gateway, world, &request("GET", path, &[], 1_000)) {
        Action::Respond(respond) => (
            respond.status,
            String::from_utf8(respond.body.unwrap()).unwrap(),
            respond.log.unwrap_or_default(),
        ),
        other => panic!("{other:?}"),
    }
}

/// docs/gateway.md "Egress": nobody else is asked (the world has no other host), the operator reads
/// how to allow it, clients no address.
#[test]
fn a_redirect_into_the_private_network_is_not_followed() {
    for location in [
        "http://127.0.0.1:6379/secret",
        "http://up.test:81/secret",
        "http://other.internal/secret",
        "https://169.254.169.254/secret",
        "https://a.localhost/secret",
    ] {
        let world = World::default();
        world.signed("app", "1.0", "a");
        world.fail(
            "/manifests/",
            usize::MAX,
            Ok(response(307, &[("location", location)], b"")),
        );
        world.fail(
            "/tags/list",
            usize::MAX,
            Ok(response(307, &[("location", location)], b"")),
        );
        for path in [
            "/v2/app/manifests/1.0".to_string(),
            format!("/v2/app/manifests/{}", Digest::of(b"a")),
            "/api/evidence/app?ref=1.0".into(),
            "/v2/app/tags/list".into(),
        ] {
            let (status, body, log) = told(&gateway(), &world, &path);
            assert!(
                status == 503
                    && body.contains("[host.egress]")
                    && !body.contains("secret")
                    && !body.contains("up.test"),
                "{location} {path}: {status} {body}"
            );
            let line: serde_json::Value = serde_json::from_str(&log).unwrap();
            let upstream = line["upstream"][0].as_str().unwrap();
            assert!(
                upstream.contains(location) && upstream.contains("EGRESS"),
                "{log}"
            );
        }
    }
    // What the operator lists is asked; that nobody else may be is the world's own check.
    let world = World::default();
    let (digest, _) = world.signed("app", "1.0", "a");
    world.fail(
        "/manifests/1.0",
        usize::MAX,
        Ok(response(
            307,
            &[(
                "location",
                &format!("http://up.test/v2/app/manifests/{digest}"),
            )],
            b"",
        )),
    );
    assert_eq!(
        get(&gateway(), &world, "/v2/app/manifests/1.0").status,
        200,
        "to itself"
    );
}

/// A 503 says the registry's name; where it is stands in the log.
#[test]
fn clients_learn_no_address_of_the_registry() {
    for outcome in [
        Ok(response(500, &[], b"")),
        Err(HostError::Timeout {
            url: "http://up.test/x".into(),
        }),
        Err(HostError::Unreachable {
            url: "http://up.test/x".into(),
            reason: "connect ECONNREFUSED up.test:80".into(),
        }),
    ] {
        for part in ["/manifests/1.0", ".sig", "/v2/"] {
            let world = World::default();
            world.signed("app", "1.0", "a");
            world.fail(part, usize::MAX, outcome.clone());
            let (status, body, log) = told(&gateway(), &world, "/v2/app/manifests/1.0");
            assert!(
                status == 503 && body.contains(NAME) && !body.contains("up.test"),
                "{part}: {status} {body}"
            );
            assert!(
                log.contains("http://up.test/v2/app/")
                    && serde_json::from_str::<serde_json::Value>(&log).is_ok(),
                "{part}: {log}"
            );
            assert!(
                !get(&gateway(), &world, "/api/evidence/app?ref=1.0")
                    .text()
                    .contains("up.test")
            );
        }
    }
}

/// Behind something that ends TLS, the request's own scheme is not the one that clients know.
#[test]
fn the_public_address_is_what_clients_are_told() {
    let world = World::default();
    world.image("app", "1.0", "a");
    let (_, bytes) = world.signed("digest", "1.0", "b");
    assert!(!bytes.is_empty());
    let gateway = Gateway::new(Config {
        public_url: "https://gate.example/".into(),
        ..config(&policy("index"))
    });
    let message = get(&gateway, &world, "/v2/app/manifests/1.0").message();
    assert!(
        message.contains("https://gate.example/#gate.example/app:1.0")
            && !message.contains("gate.test"),
        "{message}"
    );
    assert_eq!(
        get(&gateway, &world, "/v2/digest/manifests/1.0?ns=gate.example").status,
        200
    );
    let Action::Stream(stream) = act(
        &gateway,
        &world,
        &request(
            "GET",
            &format!("/v2/digest/blobs/{}", Digest::of(b"b")),
            &[],
            1_000,
        ),
    ) else {
        panic!()
    };
    assert_eq!(
        stream.location,
        (
            "http://up.test/v2/".to_string(),
            "https://gate.example/v2/".to_string()
        )
    );
    for (config, code) in [
        (
            Config {
                public_url: "https://gate.example/path".into(),
                ..config(&policy("index"))
            },
            "config.public-url",
        ),
        (
            Config {
                public_url: "gate.example".into(),
                ..config(&policy("index"))
            },
            "config.public-url",
        ),
        (
            Config {
                egress: vec!["minio.internal".into(), "http://x".into()],
                ..config(&policy("index"))
            },
            "config.egress",
        ),
    ] {
        assert_eq!(
            Gateway::new(config)
                .misconfigured()
                .map(|failure| failure.code),
            Some(code)
        );
    }
    assert!(
        Gateway::new(Config {
            egress: vec!["minio.internal:9000".into(), "10.0.0.1".into()],
            ..config(&policy("index"))
        })
        .misconfigured()
        .is_none()
    );
}
