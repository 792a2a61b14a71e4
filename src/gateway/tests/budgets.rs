//! One request, one budget; and nobody's content pushes out what is known of another's.

use super::*;

#[test]
fn requests_to_the_upstream_are_counted() {
    let world = World::default();
    let gateway = Gateway::new(Config {
        requests: 20,
        ..config(&policy("index"))
    });
    let (digest, _) = world.image("digest", "1.0", "a");
    let text = |number: u32| {
        payload(
            &digest,
            "r.example/digest:1.0",
            &format!(r#"{{"n":{number}}}"#),
        )
    };
    let layers: Vec<String> = (0..100)
        .map(|number| {
            let text = text(number);
            world.blob("digest", text.as_bytes());
            descriptor(
                SIMPLE,
                text.as_bytes(),
                r#","annotations":{"dev.cosignproject.cosign/signature":"AA=="}"#,
            )
        })
        .collect();
    world.put(
        "digest",
        &format!("sha256-{}.sig", digest.hex()),
        MANIFEST,
        &artifact(&layers),
    );
    let asked = |path: &str| {
        world.asked.borrow_mut().clear();
        let answer = verdict(&gateway, &world, path);
        (answer, world.asked.borrow().len())
    };
    let ((status, code), count) = asked("/v2/digest/manifests/1.0");
    assert!(
        status == 503 && code == "limit.request" && count == 20,
        "{status} {code} {count}"
    );
    let ((status, _), count) = asked("/api/evidence/digest?ref=1.0");
    assert!(status == 200 && count <= 20, "{status} {count}");
}

/// An image whose evidence is evidence: one request for a blob fetches that blob, however much
/// stands beside it.
#[test]
fn one_blob_is_one_request() {
    let world = World::default();
    let gateway = gateway();
    let texts: Vec<String> = (0..30_u32)
        .map(|number| payload(&Digest::of(&number.to_be_bytes()), "x", "null"))
        .collect();
    texts
        .iter()
        .for_each(|text| world.blob("app", text.as_bytes()));
    world.blob("app", b"{}");
    let layers: Vec<String> = texts
        .iter()
        .map(|text| descriptor(SIMPLE, text.as_bytes(), ""))
        .collect();
    world.put("app", "sig", MANIFEST, &artifact(&layers));
    assert_eq!(get(&gateway, &world, "/v2/app/manifests/sig").status, 200);
    for bytes in [b"{}".as_slice(), texts[7].as_bytes()] {
        world.asked.borrow_mut().clear();
        assert_eq!(blob_status(&gateway, &world, "app", bytes), 200);
        assert_eq!(world.asked.borrow().len(), 1, "{:?}", world.asked.borrow());
    }
    // And the manifest again costs one HEAD of the tag.
    world.asked.borrow_mut().clear();
    assert_eq!(get(&gateway, &world, "/v2/app/manifests/sig").status, 200);
    assert_eq!(world.asked.borrow().len(), 1);
}

/// Pushes of a tenant do not break pulls of another.
#[test]
fn nobody_evicts_anybody() {
    let world = World::default();
    let gateway = gateway();
    world.signed("app", "1.0", "a");
    assert_eq!(get(&gateway, &world, "/v2/app/manifests/1.0").status, 200);
    let large = |number: u32| {
        format!(
            r#","annotations":{{"x":"{}{number}"}}"#,
            "x".repeat(250 << 10)
        )
    };
    for number in 0..100 {
        // Denied, so never kept; allowed where anything is, so kept on the tenant's own account.
        for repository in ["evil/a", "open"] {
            let bytes = artifact(&[descriptor(LAYER, b"x", &large(number))]);
            world.put(repository, "1.0", MANIFEST, &bytes);
            get(&gateway, &world, &format!("/v2/{repository}/manifests/1.0"));
        }
    }
    world.store.borrow_mut().clear();
    world.asked.borrow_mut().clear();
    assert_eq!(blob_status(&gateway, &world, "app", b"a"), 200);
    // The manifest was still there, and its verdict.
    assert_eq!(world.asked.borrow().len(), 1, "{:?}", world.asked.borrow());
}

/// A type that only the upstream's header names is not kept: one wrong answer is one wrong answer.
#[test]
fn a_wrong_type_is_not_kept() {
    let world = World::default();
    let gateway = gateway();
    let (digest, bytes) = world.signed("app", "1.0", "a");
    for path in [
        "/v2/app/manifests/1.0",
        &format!("/v2/app/manifests/{digest}"),
    ] {
        world.fail(
            &format!("GET http://up.test/v2/app/manifests/{digest}"),
            1,
            Ok(response(200, &[("content-type", INDEX)], &bytes)),
        );
        assert_eq!(get(&gateway, &world, path).status, 403);
        assert_eq!(get(&gateway, &world, path).status, 200);
        forget_all(&gateway);
        world.store.borrow_mut().clear();
    }
}

/// A tag that was resolved here answers for its digest for ten minutes, and then if it still means
/// it.
#[test]
fn a_tag_moves_on() {
    let world = World::default();
    let gateway = gateway();
    let (digest, _) = world.image("digest", "old", "a");
    // Allowed by this tag alone: another rule holds for the rest of the repository.
    let policy = policy("index").replacen(
        r#""r.example/app""#,
        r#""r.example/digest:old": [{"type": "insecureAcceptAnything"}], "r.example/app""#,
        1,
    );
    let gateway = {
        drop(gateway);
        Gateway::new(config(&policy))
    };
    let status =
        |path: &str, time: i64| match act(&gateway, &world, &request("GET", path, &[], time)) {
            Action::Respond(respond) => respond.status,
            _ => 200,
        };
    let (by_digest, blob) = (
        format!("/v2/digest/manifests/{digest}"),
        format!("/v2/digest/blobs/{}", Digest::of(b"a")),
    );
    assert_eq!(status(&by_digest, 1_000), 403);
    assert_eq!(status("/v2/digest/manifests/old", 1_100), 200);
    assert_eq!(
        (status(&by_digest, 1_110), status(&blob, 1_699)),
        (200, 200)
    );
    // Asked again after that: it still means this digest.
    assert_eq!(status(&by_digest, 9_000), 200);
    world.image("digest", "old", "b");
    assert_eq!(
        (status(&by_digest, 9_500), status(&blob, 9_599)),
        (200, 200)
    );
    assert_eq!(
        (
            status(&by_digest, 9_600),
            status(&blob, 20_000),
            status(&by_digest, 2_000_000)
        ),
        (403, 403, 403)
    );
}

/// No store is touched for a request that the upstream has not let in, whatever this isolate knows
/// already.
#[test]
fn stores_are_for_those_who_may_read() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    let knows = gateway();
    get(&knows, &world, "/v2/app/manifests/1.0");
    // It knows the manifest and what it lists; its verdict stands in the store alone.
    *knows.caches.rulings.borrow_mut() = cache::Cache::new(limits::KEPT_VERDICTS);
    world.private.set(true);
    for gateway in [gateway(), knows] {
        for path in [
            "/v2/app/manifests/1.0",
            &format!("/v2/app/blobs/{}", Digest::of(b"a")),
        ] {
            let (loads, stored) = (world.loads.get(), world.store.borrow().clone());
            assert_eq!(get(&gateway, &world, path).status, 401, "{path}");
            assert_eq!(
                (world.loads.get(), world.store.borrow().clone()),
                (loads, stored),
                "{path}"
            );
        }
    }
}

/// Another isolate with the same secret and store goes on where this one was.
#[test]
fn isolates_share_a_store() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    assert_eq!(get(&gateway(), &world, "/v2/app/manifests/1.0").status, 200);
    assert_eq!(blob_status(&gateway(), &world, "app", b"a"), 200);
    // What was tampered with is not there.
    let keys: Vec<String> = world
        .store
        .borrow()
        .keys()
        .filter(|key| key.starts_with("news/"))
        .cloned()
        .collect();
    assert_eq!(keys.len(), 1);
    let record = world.store.borrow()[&keys[0]].clone();
    for bad in [
        record.replacen("lists", "good", 1),
        record.replace('\n', "\n\n"),
        String::new(),
    ] {
        world.store.borrow_mut().insert(keys[0].clone(), bad);
        assert_eq!(blob_status(&gateway(), &world, "app", b"a"), 403);
    }
}
