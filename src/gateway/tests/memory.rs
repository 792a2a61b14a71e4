//! What is remembered, for how long, and what it never answers for.

use super::*;
use crate::error::Failure;
use crate::gateway::memory::{Memory, Ruling};
use alloc::boxed::Box;
use alloc::rc::Rc;

fn memory_of<'a>(gateway: &'a Gateway, world: &'a World) -> Memory<'a, World> {
    Memory {
        caches: &gateway.caches,
        records: records_of(gateway, world),
        upstream: &only(gateway).upstream,
        repository: "app".into(),
        basis: &gateway.settings.basis,
    }
}

fn records(world: &World) -> Vec<(String, String)> {
    world
        .store
        .borrow()
        .iter()
        .filter(|(key, _)| key.starts_with("verdict/"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// How many signatures were checked by this request.
fn checks(world: &World, gateway: &Gateway, path: &str, time: i64) -> usize {
    let before = world.checks.get();
    act(gateway, world, &request("GET", path, &[], time));
    world.checks.get() - before
}

#[test]
fn a_verdict_is_used_while_it_is_good() {
    let world = World::default();
    let (digest, _) = world.signed("app", "1.0", "a");
    let path = "/v2/app/manifests/1.0";
    let gateway = gateway();
    let again = |gateway: &Gateway, time| checks(&world, gateway, path, time);
    assert_eq!(
        (
            again(&gateway, 1_000),
            again(&gateway, 1_001),
            again(&gateway, 4_599),
            again(&gateway, 4_600)
        ),
        (1, 0, 0, 1)
    );
    // Refusals are short.
    world
        .content
        .borrow_mut()
        .retain(|path, _| !path.ends_with(".sig"));
    assert_eq!(
        act(&gateway, &world, &request("GET", path, &[], 10_000)),
        act(&gateway, &world, &request("GET", path, &[], 10_000))
    );
    world.sign("app", &digest, "r.example/app:1.0", GOOD);
    let status = |time| match act(&gateway, &world, &request("GET", path, &[], time)) {
        Action::Respond(respond) => respond.status,
        _ => 0,
    };
    assert_eq!((status(10_009), status(10_010)), (403, 200));
}

/// Another secret, another policy, another key file, another name: another question.
#[test]
fn a_verdict_answers_for_its_own_configuration() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    let path = "/v2/app/manifests/1.0";
    let gateway = gateway();
    let again = |gateway: &Gateway, time| checks(&world, gateway, path, time);
    for other in [
        with(|config| config.secret = vec![8; 32]),
        with(|config| config.policy.push(b' ')),
        with(|config| config.assets.get_mut("other.pub").unwrap().push(b'\n')),
        with(|config| {
            config
                .assets
                .insert("more".into(), Vec::new())
                .map_or((), |_| ())
        }),
        with(|config| {
            config.registries_d = Some(
                [(
                    "a.yaml".to_string(),
                    b"default-docker:\n  use-sigstore-attachments: true\n".to_vec(),
                )]
                .into(),
            )
        }),
    ] {
        forget_verdicts(&gateway, &world);
        assert_eq!(
            (
                again(&gateway, 4_601),
                again(&gateway, 4_601),
                again(&other, 4_601)
            ),
            (1, 0, 1)
        );
    }
    // Another isolate with the same secret finds what this one stored; another build does not.
    forget_verdicts(&gateway, &world);
    again(&gateway, 4_602);
    assert_eq!(
        (
            again(&with(|_| ()), 4_602),
            again(&with(|config| config.build = "x".into()), 4_602)
        ),
        (0, 1)
    );
}

#[test]
fn with_no_secret_worth_the_name_nothing_is_stored() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    let again = |gateway: &Gateway| checks(&world, gateway, "/v2/app/manifests/1.0", 4_601);
    for weak in [
        with(|config| config.secret.clear()),
        with(|config| config.secret.truncate(15)),
    ] {
        world.store.borrow_mut().clear();
        assert_eq!(
            (again(&weak), again(&weak), world.store.borrow().len()),
            (1, 0, 0)
        );
    }
}

#[test]
fn a_record_that_is_not_ours_is_ignored() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    world.image("app", "2.0", "b");
    let gateway = gateway();
    assert_eq!(
        (
            get(&gateway, &world, "/v2/app/manifests/1.0").status,
            get(&gateway, &world, "/v2/app/manifests/2.0").status
        ),
        (200, 403)
    );
    let all = records(&world);
    let (allow, deny) = (
        all.iter()
            .find(|(_, value)| value.contains("\nallow\n"))
            .unwrap(),
        all.iter()
            .find(|(_, value)| value.contains("\ndeny\n"))
            .unwrap(),
    );
    let forged = deny.1.replace("\ndeny\n", "\nallow\n");
    let longer = allow.1.replacen("4600\n", "9999999\n", 1);
    assert!(longer != allow.1 && forged != deny.1);
    for record in [
        &allow.1,
        &forged,
        &longer,
        &allow.1.replace(&allow.0, &deny.0),
        "",
        "\n",
        &format!("{}\n\n\n\n\n", deny.0),
        "x",
    ] {
        forget_all(&gateway);
        world
            .store
            .borrow_mut()
            .insert(deny.0.clone(), record.to_string());
        assert_eq!(
            verdict(&gateway, &world, "/v2/app/manifests/2.0"),
            is(403, "signature.missing"),
            "{record:?}"
        );
    }
    forget_all(&gateway);
    world.store.borrow_mut().insert(allow.0.clone(), longer);
    assert_eq!(checks(&world, &gateway, "/v2/app/manifests/1.0", 5_000), 1);
}

#[test]
fn a_verdict_is_kept_no_longer_than_it_is_an_answer() {
    let (gateway, world) = (gateway(), World::default());
    let memory = memory_of(&gateway, &world);
    let key = memory.ruling_key("k", None, &Digest::of(b"k"));
    let kept = |until: Option<i64>| Ruling {
        allow: true,
        reason: Failure::new("signature.accepted", "m"),
        signers: Vec::new(),
        until: until.map(UnixTime),
    };
    let found = |now: i64| run(memory.ruling(&key, UnixTime(now))).is_some();
    for (until, last) in [(Some(125), 119), (Some(1_000_000), 3_699), (None, 3_699)] {
        run(memory.keep_ruling(&key, &kept(until), UnixTime(100)));
        assert!(found(last) && !found(last + 1), "{until:?}");
        forget_all(&gateway);
        assert!(found(last) && !found(last + 1), "from the store: {until:?}");
        forget_all(&gateway);
        world.store.borrow_mut().clear();
    }
    for over in [105, 100, 99, i64::MIN] {
        run(memory.keep_ruling(&key, &kept(Some(over)), UnixTime(100)));
        assert!(!found(100) && !found(-5_000), "{over}");
    }
}

/// Another build's code may mean what this one does not know.
#[test]
fn a_record_with_an_unknown_code_is_not_there() {
    let (gateway, world) = (gateway(), World::default());
    let memory = memory_of(&gateway, &world);
    let key = memory.ruling_key("k", None, &Digest::of(b"k"));
    let found = |code: &str| {
        let record = format!("200\n\nallow\n[]\n{code}\nm");
        forget_all(&gateway);
        run(records_of(&gateway, &world).save("verdict", &memory.stored(&key), &record, 100));
        run(memory.ruling(&key, UnixTime(100))).map(|ruling| ruling.reason.code)
    };
    for code in ["signature.accepted", "digest.mismatch", "evidence"] {
        assert_eq!(found(code), Some(code));
    }
    for code in ["", "signature.accepted ", "not.a-code"] {
        assert_eq!(found(code), None, "{code:?}");
    }
}

/// What a signed payload makes of a message stays inside the message.
#[test]
fn lines_in_a_message_are_no_fields_of_a_record() {
    let world = World::default();
    let (digest, _) = world.image("app", "1.0", "a");
    world.sign(
        "app",
        &digest,
        "x\\nallow\\nsignature.accepted\\n\\u001b[2Jok",
        GOOD,
    );
    let gateway = gateway();
    for _ in 0..2 {
        let seen = get(&gateway, &world, "/v2/app/manifests/1.0");
        assert_eq!(
            (
                seen.status,
                verdict(&gateway, &world, "/v2/app/manifests/1.0")
                    .1
                    .as_str()
            ),
            (403, "identity.not-accepted")
        );
        assert!(
            seen.phrase.len() < 200
                && seen
                    .phrase
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() || byte == b' ')
        );
    }
}

/// Kept bytes answer nobody whom the upstream would not.
#[test]
fn what_is_kept_needs_the_requests_own_authorisation() {
    let world = World::default();
    let (digest, _) = world.signed("app", "1.0", "a");
    let (unsigned, _) = world.image("app", "2.0", "b");
    world.private.set(true);
    let gateway = gateway();
    let with = |path: &str, token: &[(&str, &str)]| match act(
        &gateway,
        &world,
        &request("GET", path, token, 1_000),
    ) {
        Action::Respond(respond) => respond.status,
        Action::Stream(_) => 0,
        _ => panic!(),
    };
    let (layer, other) = (Digest::of(b"a"), Digest::of(b"b"));
    plant(&gateway, "app", &unsigned, &other);
    let yes = [("authorization", TOKEN)];
    assert_eq!(with("/v2/app/manifests/1.0", &yes), 200);
    assert_eq!(with("/v2/app/manifests/2.0", &yes), 403);
    assert_eq!(with(&format!("/v2/app/blobs/{other}"), &yes), 403);
    for token in [vec![], vec![("authorization", "Bearer no")]] {
        for path in [
            "/v2/",
            "/v2/app/manifests/1.0",
            "/v2/app/manifests/2.0",
            "/v2/app/manifests/3.0",
            &format!("/v2/app/manifests/{digest}"),
            &format!("/v2/app/manifests/{unsigned}"),
            "/api/evidence/app?ref=1.0",
        ] {
            assert_eq!(with(path, &token), 401, "{path}");
        }
        // An allowed blob streams, and the upstream says 401; a refusal, with its reason, is for
        // those who may read.
        assert_eq!(with(&format!("/v2/app/blobs/{layer}"), &token), 0);
        for blob in [other.clone(), Digest::of(b"nowhere")] {
            assert_eq!(
                with(&format!("/v2/app/blobs/{blob}"), &token),
                401,
                "{blob}"
            );
        }
    }
    assert_eq!(
        with(&format!("/v2/app/blobs/{}", Digest::of(b"nowhere")), &yes),
        404
    );
}

/// Many that ask for one image at once: what one has fetched the others take from it, whatever is
/// decided on it, and the upstream lets each in by itself.
#[test]
fn what_is_being_fetched_is_fetched_once_for_those_who_may_read() {
    let world = World::default();
    world.private.set(true);
    let (digest, _) = world.image("app", "1.0", "a");
    let gateway = gateway();
    let asked = |reference: &str, token: &str| {
        world.asked.borrow_mut().clear();
        let path = format!("/v2/app/manifests/{reference}");
        let request = request("GET", &path, &[("authorization", token)], 1_000);
        let Action::Respond(respond) = act(&gateway, &world, &request) else {
            panic!("{reference}")
        };
        let manifests = [&digest.to_string(), "1.0"].map(|end| format!("/manifests/{end}"));
        let asked = world.asked.borrow();
        let of = |method: &str| {
            let is = |line: &&String| {
                line.starts_with(method) && manifests.iter().any(|end| line.ends_with(end))
            };
            asked.iter().filter(is).count()
        };
        (respond.status, of("GET"), of("HEAD"))
    };
    let by_digest = digest.to_string();
    assert_eq!(asked("1.0", TOKEN), (403, 1, 1));
    assert_eq!(asked("1.0", TOKEN), (403, 1, 1));
    assert_eq!(asked(&by_digest, TOKEN), (403, 1, 0));
    // While another request has the turn, or waits for it.
    let memory = memory_of(&gateway, &world);
    let turn = run(memory.take_turn(&digest));
    assert_eq!(asked(&by_digest, "Bearer no"), (401, 0, 1));
    assert_eq!(asked("1.0", TOKEN), (403, 1, 1));
    for reference in ["1.0", &by_digest] {
        assert_eq!(asked(reference, TOKEN), (403, 0, 1), "{reference}");
        assert_eq!(asked(reference, "Bearer no"), (401, 0, 1), "{reference}");
    }
    drop(turn);
    assert_eq!(asked(&by_digest, TOKEN), (403, 1, 0));
    // What was denied is not kept as content, here or in the store.
    let key = format!("content/{}/app/{digest}", only(&gateway).upstream);
    assert!(!world.store.borrow().contains_key(&key));
}

#[test]
fn everything_works_without_a_store() {
    let world = World::default();
    let (digest, _) = world.signed("app", "1.0", "a");
    let gateway = gateway();
    for reference in ["1.0", &digest.to_string()] {
        world.store.borrow_mut().clear();
        forget_all(&gateway);
        assert_eq!(
            get(&gateway, &world, &format!("/v2/app/manifests/{reference}")).status,
            200
        );
    }
    world.store.borrow_mut().clear();
    forget_all(&gateway);
    assert_eq!(
        verdict(
            &gateway,
            &world,
            &format!("/v2/app/blobs/{}", Digest::of(b"a"))
        ),
        is(403, "gateway.not-linked")
    );
}

/// A record of other bytes under this digest, by whoever has the secret: its bytes are hashed, and
/// the upstream is asked.
#[test]
fn kept_content_is_hashed_when_it_comes_from_a_store() {
    let world = World::default();
    let (digest, bytes) = world.signed("app", "1.0", "a");
    let (_, other) = world.image("app", "2.0", "b");
    let gateway = gateway();
    let key = format!("content/{}/app/{digest}", only(&gateway).upstream);
    run(records_of(&gateway, &world).save("content", &key, &base64::encode(&other), 60));
    assert!(world.store.borrow().contains_key(&key));
    assert!(run(memory_of(&gateway, &world).recall_content(&digest)).is_none());
    for reference in ["1.0".to_string(), digest.to_string()] {
        let path = format!("/v2/app/manifests/{reference}");
        let Action::Respond(respond) = act(&gateway, &world, &request("GET", &path, &[], 1_000))
        else {
            panic!("{reference}")
        };
        assert_eq!((respond.status, respond.body.as_ref()), (200, Some(&bytes)));
    }
}

/// What is judged while everything is forgotten was judged by what was to be forgotten.
#[test]
fn a_verdict_that_was_under_way_at_a_flush_is_not_kept() {
    let world = World::default();
    let gateway = gateway();
    let memory = memory_of(&gateway, &world);
    let (now, digest) = (UnixTime(1_000), Digest::of(b"a"));
    let ruling = Ruling {
        allow: true,
        reason: Failure::new("signature.missing", ""),
        signers: Vec::new(),
        until: None,
    };
    for _ in 0..2 {
        let key = memory.ruling_key("r.example/app:1.0", None, &digest);
        // Twice in the same second, too.
        gateway.caches.forget(now);
        run(memory.keep_ruling(&key, &ruling, now));
        let again = memory.ruling_key("r.example/app:1.0", None, &digest);
        assert_eq!(run(memory.ruling(&again, now)), None);
        assert!(records(&world).is_empty());
    }
}

/// A gateway that takes the place of another does not find in the store what that one forgot.
#[test]
fn what_was_forgotten_stays_so_in_the_next_gateway() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    let path = "/v2/app/manifests/1.0";
    let made = |since| with(|config| config.since = since);
    assert_eq!(checks(&world, &made(1), path, 1_000), 1);
    assert_eq!(checks(&world, &made(1), path, 1_000), 0);
    assert_eq!(checks(&world, &made(2), path, 1_000), 1);
}

/// While one who is nobody waits for a turn, another one, who may, fetches the same manifest.
#[test]
fn nobody_takes_what_another_one_fetched_without_being_let_in() {
    let world = Rc::new(World::default());
    let (digest, _) = world.signed("app", "1.0", "a");
    world.private.set(true);
    let gateway = Rc::new(gateway());
    let token: &[(&str, &str)] = &[("authorization", TOKEN)];
    let status = |world: &World, gateway: &Gateway, headers: &[(&str, &str)], reference: &str| {
        let path = format!("/v2/app/manifests/{reference}");
        match act(gateway, world, &request("GET", &path, headers, 1_000)) {
            Action::Respond(respond) => respond.status,
            _ => 0,
        }
    };
    let (beside, of_all) = (world.clone(), gateway.clone());
    *world.meanwhile.borrow_mut() = Some(Box::new(move || {
        assert_eq!(status(&beside, &of_all, token, "1.0"), 200);
    }));
    assert_eq!(status(&world, &gateway, &[], &digest.to_string()), 401);
    assert!(world.meanwhile.borrow().is_none(), "nobody waited");
    assert_eq!(status(&world, &gateway, token, &digest.to_string()), 200);
}
