//! The next policy: what it would change is known, and nothing else happens.

use super::*;

const ADMIN: &str = "0123456789abcdef";

/// In force is the usual policy; next is one that rejects `r.example/app` and has `good.pub` for
/// `r.example/exact`, where `other.pub` stood, and signs nothing else.
fn with_next(next: &str) -> Gateway {
    let next = next.as_bytes().to_vec();
    with(|config| {
        config.policy_next = Some(next);
        config.admin_secret = ADMIN.into();
    })
}

fn rejects(scope: &str) -> String {
    policy("index").replace(
        r#""docker": {"#,
        &format!(r#""docker": {{"{scope}": [{{"type": "reject"}}], "#),
    )
}

/// What the shell does: an answer, then what is next. Both.
fn pull(gateway: &Gateway, world: &World, path: &str, time: i64) -> (u16, Option<String>) {
    let request = request("GET", path, &[], time);
    let Action::Respond(respond) = act(gateway, world, &request) else {
        panic!("a manifest is an answer");
    };
    let line = gateway
        .has_next(&request)
        .then(|| run(gateway.judge_next(&request, world)))
        .flatten();
    (respond.status, line)
}

fn told(gateway: &Gateway, world: &World) -> serde_json::Value {
    let bearer = format!("Bearer {ADMIN}");
    let request = request("GET", "/admin/next", &[("authorization", &bearer)], 1_000);
    serde_json::from_str(&seen(world, act(gateway, world, &request)).text()).unwrap()
}

#[test]
fn what_the_next_policy_would_change_is_told() {
    let world = World::default();
    let gateway = with_next(&rejects("r.example/app:1.0"));
    world.signed("app", "1.0", "a");
    world.signed("app", "2.0", "b");
    world.image("app", "3.0", "c");
    let (status, line) = pull(&gateway, &world, "/v2/app/manifests/1.0", 1_000);
    let line: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
    assert_eq!(status, 200);
    assert_eq!(line["event"], "next");
    assert_eq!(line["image"], "r.example/app:1.0");
    assert_eq!(line["now"]["verdict"], "allow");
    assert_eq!(line["next"]["verdict"], "deny");
    assert_eq!(line["next"]["code"], "policy.reject");
    // Where both agree, no line is written.
    assert_eq!(
        pull(&gateway, &world, "/v2/app/manifests/2.0", 1_000),
        (200, None)
    );
    assert_eq!(
        pull(&gateway, &world, "/v2/app/manifests/3.0", 1_000),
        (403, None)
    );
    let told = told(&gateway, &world);
    assert_eq!(told["policy"]["state"], "ok");
    assert_eq!(told["compared"], 3);
    let differences = told["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 1, "{told}");
    assert_eq!(differences[0]["image"], "r.example/app:1.0");
    assert_eq!(differences[0]["since"], 1_000);
    let metrics = get(&gateway, &world, "/metrics").text();
    assert!(
        metrics.contains("\nsealgate_next_differences 1\n"),
        "{metrics}"
    );
    assert!(metrics.contains("\nsealgate_next_compared_total 3\n"));
}

/// It decides nothing: neither does what it allows go out, nor is what it refuses held back, and what
/// it found is not what the policy in force remembers.
#[test]
fn the_next_policy_never_decides() {
    let world = World::default();
    let lenient = r#"{"default": [{"type": "insecureAcceptAnything"}]}"#;
    let gateway = with_next(lenient);
    world.image("app", "1.0", "a");
    for time in [1_000, 1_001, 1_200] {
        let (status, line) = pull(&gateway, &world, "/v2/app/manifests/1.0", time);
        assert_eq!(status, 403, "{time}");
        assert_eq!(line.is_some(), time != 1_001, "{time}");
    }
    assert_eq!(blob_status(&gateway, &world, "app", b"a"), 403);
    assert!(
        gateway
            .caches
            .content
            .borrow()
            .entries_of("app")
            .next()
            .is_none()
    );
    let strict = with_next(r#"{"default": [{"type": "reject"}]}"#);
    world.signed("app", "2.0", "b");
    for time in [1_000, 1_001, 1_200] {
        assert_eq!(pull(&strict, &world, "/v2/app/manifests/2.0", time).0, 200);
    }
    assert_eq!(blob_status(&strict, &world, "app", b"b"), 200);
}

/// A broken one is reported, and changes nothing.
#[test]
fn a_broken_next_policy_is_reported() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    for (next, code) in [
        ("{", "config.policy"),
        (
            &policy("index").replace("good.pub", "absent.pub"),
            "key.missing",
        ),
    ] {
        let gateway = with_next(next);
        assert!(gateway.misconfigured().is_none());
        assert_eq!(gateway.next_misconfigured().unwrap().code, code);
        assert_eq!(
            pull(&gateway, &world, "/v2/app/manifests/1.0", 1_000),
            (200, None)
        );
        let told = told(&gateway, &world);
        assert_eq!(told["policy"]["code"], code);
        assert_eq!(told["compared"], 0, "{told}");
        assert!(
            get(&gateway, &world, "/metrics")
                .text()
                .contains("\nsealgate_next_misconfigured 1\n")
        );
    }
    let none = with(|config| config.admin_secret = ADMIN.into());
    assert!(
        told(&none, &world)["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("POLICY_NEXT")
    );
}

/// What it could not find out is no difference, and is asked again later.
#[test]
fn what_the_next_policy_cannot_find_out_is_counted() {
    let world = World::default();
    let gateway = with_next(&policy("index").replace("good.pub", "other.pub"));
    let (digest, _) = world.signed("app", "1.0", "a");
    let request = request("GET", "/v2/app/manifests/1.0", &[], 1_000);
    act(&gateway, &world, &request);
    assert!(gateway.has_next(&request));
    // Its key has signed nothing, so that it looks for more than the other had to.
    world.fail(
        &digest.to_string().replace(':', "-"),
        99,
        Ok(response(503, &[], b"")),
    );
    assert_eq!(run(gateway.judge_next(&request, &world)), None);
    world.mend();
    let seen = told(&gateway, &world);
    assert_eq!((&seen["compared"], &seen["open"]), (&1.into(), &1.into()));
    assert_eq!(seen["differences"].as_array().unwrap().len(), 0);
    assert!(!gateway.has_next(&request));
    let (status, line) = pull(&gateway, &world, "/v2/app/manifests/1.0", 1_100);
    assert!(status == 200 && line.unwrap().contains(r#""next":{"verdict":"deny""#));
}

/// Nobody who is refused at the door makes it work, and what waits is bounded.
#[test]
fn what_waits_is_bounded() {
    let world = World::default();
    let gateway = with_next(&rejects("r.example/app"));
    world.image("app", "1.0", "a");
    for number in 0..2 * limits::NEXT_PENDING {
        get(
            &gateway,
            &world,
            &format!(
                "/v2/app/blobs/{}",
                Digest::of(number.to_string().as_bytes())
            ),
        );
    }
    let waits = |path: &str| gateway.has_next(&request("GET", path, &[], 1_000));
    assert!(!waits("/v2/app/manifests/1.0"));
    get(&gateway, &world, "/v2/app/manifests/absent");
    assert!(!waits("/v2/app/manifests/absent"));
    get(&gateway, &world, "/v2/app/manifests/1.0");
    assert!(waits("/v2/app/manifests/1.0"));
}
