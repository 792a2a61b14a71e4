//! Names, tags and digests: each is its own question.

use super::*;

/// An Allow for `repo@digest` never answers for `repo:prod` under a stricter scope, in whatever
/// order they are asked.
#[test]
fn each_reference_is_its_own_question() {
    let world = World::default();
    let (digest, bytes) = world.signed("app", "1.0", "a");
    world.put("app", "prod", MANIFEST, &bytes);
    let gateway = gateway();
    for _ in 0..2 {
        assert_eq!(
            get(&gateway, &world, &format!("/v2/app/manifests/{digest}")).status,
            200
        );
        assert_eq!(
            verdict(&gateway, &world, "/v2/app/manifests/prod"),
            is(403, "signature.invalid")
        );
        assert_eq!(get(&gateway, &world, "/v2/app/manifests/1.0").status, 200);
    }
    // And the same content in another repository is another question.
    let all = world.content.borrow().clone();
    for (path, content) in all {
        world
            .content
            .borrow_mut()
            .insert(path.replacen("app/", "exact/", 1), content);
    }
    assert_eq!(
        verdict(&gateway, &world, "/v2/exact/manifests/1.0"),
        is(403, "identity.not-accepted")
    );
    assert_eq!(
        verdict(&gateway, &world, &format!("/v2/exact/manifests/{digest}")),
        is(403, "identity.not-accepted")
    );
    assert_eq!(
        verdict(&gateway, &world, "/v2/unknown/manifests/1.0").0,
        404
    );
}

/// A GET by digest that follows a HEAD by tag.
#[test]
fn a_tag_that_was_resolved_here_admits_its_digest() {
    let world = World::default();
    let (digest, _) = world.signed("tagged", "1.0", "a");
    let gateway = gateway();
    let by_digest = format!("/v2/tagged/manifests/{digest}");
    assert_eq!(
        verdict(&gateway, &world, &by_digest),
        is(403, "policy.reject")
    );
    assert_eq!(
        ask(&gateway, &world, "HEAD", "/v2/tagged/manifests/1.0").status,
        200
    );
    assert_eq!(get(&gateway, &world, &by_digest).status, 200);
    assert_eq!(blob_status(&gateway, &world, "tagged", b"a"), 200);
    // The hint alone admits nothing: the tag is judged for this digest, now.
    let (unsigned, _) = world.image("tagged", "2.0", "b");
    let hint = format!("hint/http://up.test/tagged/tag/{unsigned}");
    world.store.borrow_mut().insert(hint, "1.0".into());
    assert_eq!(
        verdict(
            &gateway,
            &world,
            &format!("/v2/tagged/manifests/{unsigned}")
        ),
        is(403, "policy.reject")
    );
    // A policy that no longer allows the tag: nothing that was remembered helps.
    let strict = Gateway::new(config(&policy("index").replace("tagged:1.0", "tagged:2.0")));
    assert_eq!(
        verdict(&strict, &world, &by_digest),
        is(403, "policy.reject")
    );
}

#[test]
fn other_digest_algorithms() {
    let world = World::default();
    let (digest, bytes) = world.signed("app", "1.0", "a");
    let long = Digest::with(Algorithm::Sha512, &bytes).to_string();
    world.content.borrow_mut().insert(
        format!("app/manifests/{long}"),
        (bytes.clone(), MANIFEST.into()),
    );
    let gateway = gateway();
    let seen = get(&gateway, &world, &format!("/v2/app/manifests/{long}"));
    assert_eq!(
        (seen.status, seen.header("docker-content-digest")),
        (200, Some(long.as_str()))
    );
    let other = world.image("app", "x", "b").1;
    world
        .content
        .borrow_mut()
        .insert(format!("app/manifests/{long}"), (other, MANIFEST.into()));
    world.store.borrow_mut().clear();
    forget_all(&gateway);
    assert_eq!(
        verdict(&gateway, &world, &format!("/v2/app/manifests/{long}")),
        is(403, "digest.mismatch")
    );
    assert_eq!(
        get(&gateway, &world, &format!("/v2/app/manifests/{digest}")).status,
        200
    );
}
