//! What clients learn of addresses, and where answers of the registry may lead.

use super::*;

/// Status, code, message and log of the answer to this path.
fn answered(gateway: &Gateway, world: &World, path: &str) -> (u16, String, String) {
    match act(gateway, world, &request("GET", path, &[], 1_000)) {
        Action::Respond(respond) => (
            respond.status,
            String::from_utf8(respond.body.unwrap()).unwrap(),
            respond.log.unwrap_or_default().line(),
        ),
        other => panic!("{other:?}"),
    }
}

fn redirect(location: &str) -> Result<Response, HostError> {
    Ok(response(307, &[("location", location)], b""))
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
        for part in ["/manifests/", "/tags/list"] {
            world.fail(part, usize::MAX, redirect(location));
        }
        for path in [
            "/v2/app/manifests/1.0".to_string(),
            format!("/v2/app/manifests/{}", Digest::of(b"a")),
            "/api/evidence/app?ref=1.0".into(),
            "/v2/app/tags/list".into(),
        ] {
            let (status, body, log) = answered(&gateway(), &world, &path);
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
}

/// What the operator lists is asked; that nobody else may be is the world's own check.
#[test]
fn a_redirect_to_the_upstream_itself_is_followed() {
    let world = World::default();
    let (digest, _) = world.signed("app", "1.0", "a");
    let location = format!("http://up.test/v2/app/manifests/{digest}");
    world.fail("/manifests/1.0", usize::MAX, redirect(&location));
    assert_eq!(get(&gateway(), &world, "/v2/app/manifests/1.0").status, 200);
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
            let (status, body, log) = answered(&gateway(), &world, "/v2/app/manifests/1.0");
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
fn clients_are_given_the_public_address() {
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
}

#[test]
fn addresses_in_the_configuration_are_checked() {
    let public_url = |text: &str| with(|config| config.public_url = text.into());
    let egress = |hosts: &[&str]| {
        with(|config| config.egress = hosts.iter().map(ToString::to_string).collect())
    };
    for (gateway, code) in [
        (
            public_url("https://gate.example/path"),
            Some("config.public-url"),
        ),
        (public_url("gate.example"), Some("config.public-url")),
        (public_url("https://gate.example/"), None),
        (
            egress(&["minio.internal", "http://x"]),
            Some("config.egress"),
        ),
        (egress(&["minio.internal:9000", "10.0.0.1"]), None),
    ] {
        assert_eq!(gateway.misconfigured().map(|failure| failure.code), code);
    }
}
