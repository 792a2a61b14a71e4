//! `/api/verify`: what is decided, explained, to whoever may read the image.

use super::*;

fn verify(gateway: &Gateway, world: &World, image: &str) -> (u16, serde_json::Value) {
    let seen = get(gateway, world, &format!("/api/verify?image={image}"));
    let value = serde_json::from_str(&seen.text()).unwrap();
    (seen.status, value)
}

#[test]
fn the_decision_is_explained() {
    let world = World::default();
    let gateway = gateway();
    let (digest, _) = world.signed("app", "1.0", "a");
    world.image("app", "2.0", "b");
    for image in ["r.example/app:1.0", "gate.test/app:1.0"] {
        let (status, report) = verify(&gateway, &world, image);
        assert_eq!(status, 200, "{image}");
        assert_eq!(report["verdict"], "allow");
        assert_eq!(report["verified"], true);
        assert_eq!(report["image"]["digest"], digest.to_string());
        assert_eq!(report["image"]["name"], "r.example/app:1.0");
    }
    let (status, report) = verify(&gateway, &world, "r.example/app:2.0");
    assert_eq!(
        (status, &report["verdict"], &report["code"]),
        (200, &"deny".into(), &"signature.missing".into())
    );
    let (status, _) = verify(&gateway, &world, &format!("r.example/app@{digest}"));
    assert_eq!(status, 200);
    // What is said here admits nothing, and is kept for nobody.
    assert_eq!(blob_status(&gateway, &world, "app", b"b"), 403);
    let seen = get(&gateway, &world, "/api/verify?image=r.example/app:1.0");
    assert_eq!(seen.header("cache-control"), Some("no-store"));
}

/// It says nothing to whom the registry says nothing.
#[test]
fn only_who_may_read_it_is_told() {
    let world = World::default();
    let gateway = gateway();
    world.signed("app", "1.0", "a");
    world.private.set(true);
    let (status, _) = verify(&gateway, &world, "r.example/app:1.0");
    assert_eq!(status, 401);
    let path = "/api/verify?image=r.example/app:1.0";
    let request = request("GET", path, &[("authorization", TOKEN)], 1_000);
    assert_eq!(seen(&world, act(&gateway, &world, &request)).status, 200);
    world.private.set(false);
    assert_eq!(verify(&gateway, &world, "r.example/app:absent").0, 404);
}

#[test]
fn what_is_no_image_of_this_gateway_is_refused() {
    let world = World::default();
    let gateway = gateway();
    for image in [
        "",
        "x.example/app:1.0",
        "app",
        "r.example/app:1.0@sha256:0",
        "r.example/APP:1",
        "%20",
    ] {
        let (status, answer) = verify(&gateway, &world, image);
        assert_eq!(status, 400, "{image}");
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("r.example/REPOSITORY:TAG"), "{message}");
    }
    assert_eq!(
        ask(
            &gateway,
            &world,
            "POST",
            "/api/verify?image=r.example/app:1.0"
        )
        .status,
        405
    );
    assert!(world.asked.borrow().is_empty());
    let broken = with(|config| config.policy = b"{}".into());
    assert_eq!(verify(&broken, &world, "r.example/app:1.0").0, 403);
}

/// A report names the scope and what it demands.
#[test]
fn who_publishes_no_policy_gives_no_report() {
    let world = World::default();
    let gateway = with(|config| config.publish_policy = false);
    world.signed("app", "1.0", "a");
    let (status, answer) = verify(&gateway, &world, "r.example/app:1.0");
    assert_eq!(status, 403);
    let message = answer["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("PUBLISH_POLICY"), "{message}");
    let badge = get(&gateway, &world, "/badge/app:1.0.svg").text();
    assert!(badge.contains("verified by policy"), "{badge}");
}

/// Where the registry is, is the operator's to know.
#[test]
fn a_report_says_no_internal_address() {
    let world = World::default();
    let gateway = gateway();
    world.signed("app", "1.0", "a");
    world.fail(".sig", 9, Ok(response(500, &[], b"")));
    let (status, report) = verify(&gateway, &world, "r.example/app:1.0");
    assert_eq!((status, &report["verdict"]), (200, &"unknown".into()));
    assert!(!report.to_string().contains("up.test"), "{report}");
    world.mend();
    for image in ["r.example/app:1.0", "r.example/app:absent"] {
        let (_, report) = verify(&gateway, &world, image);
        assert!(!report.to_string().contains("up.test"), "{report}");
    }
}

/// Anonymous clients may ask for reports and badges, and whoever may read an image for its evidence:
/// not for more at once than leave room for pulls. Each sort has its own bound.
#[test]
fn what_is_made_at_once_has_a_bound() {
    let world = World::default();
    let gateway = with(|config| config.relay = vec!["relayed.example".into()]);
    world.signed("app", "1.0", "a");
    let status = |path: &str| get(&gateway, &world, path).status;
    let reference = String::from("1.0");
    let (report, badge) = ("/api/verify?image=r.example/app:1.0", "/badge/app:1.0.svg");
    let (evidence, relayed) = (
        "/api/evidence/app?ref=1.0",
        "/relay/relayed.example/app?ref=1.0",
    );
    let sorts = [
        (
            Wanted::Report {
                reference: reference.clone(),
            },
            limits::REPORTS,
            &[report, badge][..],
        ),
        (
            Wanted::Evidence {
                reference: reference.clone(),
            },
            limits::EVIDENCE_WAITING,
            &[evidence],
        ),
        (Wanted::Relay { reference }, limits::RELAYED, &[relayed]),
    ];
    for (wanted, most, paths) in sorts {
        let take = || gateway.turns.take(&wanted, UnixTime(1_000)).ok().flatten();
        let turns: Vec<_> = (0..most).map(|_| take().unwrap()).collect();
        assert!(take().is_none());
        for path in [report, badge, evidence] {
            let expected = if paths.contains(&path) { 503 } else { 200 };
            assert_eq!(status(path), expected, "{path} beside {most}");
        }
        if paths.contains(&relayed) {
            assert_eq!(status(relayed), 503);
        }
        assert_eq!(status("/v2/app/manifests/1.0"), 200);
        drop(turns);
        assert!(take().is_some(), "a turn ends with whoever holds it");
    }
    assert_eq!(
        (status(report), status(badge), status(evidence)),
        (200, 200, 200)
    );
}
