//! Indexes, and the images that they list.

use super::*;

fn multi(world: &World, repository: &str, tag: &str) -> (Digest, [(Digest, Vec<u8>); 2]) {
    let children = [
        world.image(repository, "child-a", "a"),
        world.image(repository, "child-b", "b"),
    ];
    let entries: Vec<String> = children
        .iter()
        .map(|(_, bytes)| descriptor(MANIFEST, bytes, ""))
        .collect();
    (
        world.put(repository, tag, INDEX, &index_of(&entries)),
        children,
    )
}

#[test]
fn an_allowed_index_covers_what_it_lists() {
    let world = World::default();
    let (index, [(a, _), (b, _)]) = multi(&world, "app", "1.0");
    world.sign("app", &index, "r.example/app:1.0", GOOD);
    let gateway = gateway();
    // Before the index was seen here, an image of it is one like any other.
    assert_eq!(
        verdict(&gateway, &world, &format!("/v2/app/manifests/{a}")),
        is(403, "signature.missing")
    );
    assert_eq!(get(&gateway, &world, "/v2/app/manifests/1.0").status, 200);
    for child in [&a, &b] {
        assert_eq!(
            get(&gateway, &world, &format!("/v2/app/manifests/{child}")).status,
            200
        );
        assert_eq!(
            get(
                &gateway,
                &world,
                &format!(
                    "/v2/app/blobs/{}",
                    Digest::of(if *child == a { b"a" } else { b"b" })
                )
            )
            .status,
            200
        );
    }
    // Its tag is another reference, under which it was never judged.
    assert_eq!(
        verdict(&gateway, &world, "/v2/app/manifests/child-a"),
        is(403, "signature.missing")
    );
    // A hint to an index that does not list it.
    let (stranger, _) = world.image("app", "stranger", "c");
    plant(&gateway, "app", &index, &stranger);
    assert_eq!(
        verdict(&gateway, &world, &format!("/v2/app/manifests/{stranger}")),
        is(403, "signature.missing")
    );
    // An index that is not allowed any more covers nothing.
    world
        .content
        .borrow_mut()
        .retain(|path, _| !path.ends_with(".sig"));
    forget_verdicts(&gateway, &world);
    assert_eq!(
        verdict(&gateway, &world, &format!("/v2/app/manifests/{a}")),
        is(403, "signature.missing")
    );
}

#[test]
fn every_image_of_a_long_index_is_covered() {
    let world = World::default();
    let children: Vec<(Digest, Vec<u8>)> = (0..70)
        .map(|number| world.image("app", &format!("c{number}"), &number.to_string()))
        .collect();
    let entries: Vec<String> = children
        .iter()
        .map(|(_, bytes)| descriptor(MANIFEST, bytes, ""))
        .collect();
    let index = world.put("app", "1.0", INDEX, &index_of(&entries));
    world.sign("app", &index, "r.example/app:1.0", GOOD);
    let gateway = gateway();
    assert_eq!(get(&gateway, &world, "/v2/app/manifests/1.0").status, 200);
    for (child, _) in [&children[0], &children[69]] {
        assert_eq!(
            get(&gateway, &world, &format!("/v2/app/manifests/{child}")).status,
            200
        );
    }
}

#[test]
fn an_index_that_is_a_list_covers_nothing() {
    let world = World::default();
    let (index, [(a, _), (b, _)]) = multi(&world, "exact", "1.0");
    let gateway = Gateway::new(config(&policy("instance")));
    world.sign("exact", &index, "r.example/exact:1.0", GOOD);
    assert_eq!(
        verdict(&gateway, &world, "/v2/exact/manifests/1.0"),
        is(403, "signature.missing")
    );
    // Signed under the reference of the index, as podman wants it; all of them, or the list does
    // not go out.
    world.sign("exact", &a, "r.example/exact:1.0", GOOD);
    forget_verdicts(&gateway, &world);
    let seen = get(&gateway, &world, "/v2/exact/manifests/1.0");
    assert_eq!(seen.status, 403);
    let message = seen.message();
    assert!(
        message.contains(&b.to_string())
            && !message.contains(&a.to_string())
            && message.contains("cosign sign -r"),
        "{message}"
    );
    world.sign("exact", &b, "r.example/exact:1.0", GOOD);
    forget_verdicts(&gateway, &world);
    assert_eq!(get(&gateway, &world, "/v2/exact/manifests/1.0").status, 200);
    for (child, text) in [(&a, b"a"), (&b, b"b")] {
        assert_eq!(
            get(&gateway, &world, &format!("/v2/exact/manifests/{child}")).status,
            200
        );
        assert_eq!(blob_status(&gateway, &world, "exact", text), 200);
    }
}

/// A pin on a list speaks for the images of it, by the list's own tag and digest, and for nothing
/// else.
#[test]
fn a_pinned_list_speaks_for_its_images() {
    let world = World::default();
    let (index, [(a, _), _]) = multi(&world, "exact", "1.0");
    let pinned = format!(
        r#"{{"sealgate": {{"version": 1, "coverage": "instance"}}, "default": [{{"type": "pinned",
          "pins": {{"r.example/exact:1.0": "{index}"}}}}]}}"#
    );
    let gateway = Gateway::new(config(&pinned));
    assert_eq!(gateway.misconfigured(), None);
    let child = format!("/v2/exact/manifests/{a}");
    assert_eq!(
        verdict(&gateway, &world, &child),
        is(403, "pinned.unlisted-digest")
    );
    assert_eq!(get(&gateway, &world, "/v2/exact/manifests/1.0").status, 200);
    assert_eq!(
        (
            get(&gateway, &world, &child).status,
            blob_status(&gateway, &world, "exact", b"a")
        ),
        (200, 200)
    );
    // A tag that moves to such an image is another question.
    let bytes = world.content.borrow()[&format!("exact/manifests/{a}")]
        .0
        .clone();
    world.put("exact", "1.0", MANIFEST, &bytes);
    assert_eq!(
        verdict(&gateway, &world, "/v2/exact/manifests/1.0"),
        is(403, "pinned.other-digest")
    );
}

/// A list of 4,096 entries costs one hash of the image, not one an entry.
#[test]
fn a_long_list_costs_little() {
    let world = World::default();
    let layer = descriptor(
        LAYER,
        b"a",
        &format!(r#","annotations":{{"x":"{}"}}"#, "x".repeat(2 << 20)),
    );
    let bytes = artifact(&[layer]);
    let child = world.put("app", "child", MANIFEST, &bytes);
    let entries: Vec<String> = (0..4_000_u32)
        .map(|number| descriptor(MANIFEST, &number.to_be_bytes(), ""))
        .chain([descriptor(MANIFEST, &bytes, "")])
        .collect();
    let index = world.put("app", "1.0", INDEX, &index_of(&entries));
    world.sign("app", &index, "r.example/app:1.0", GOOD);
    let gateway = gateway();
    assert_eq!(get(&gateway, &world, "/v2/app/manifests/1.0").status, 200);
    let path = format!("/v2/app/manifests/{child}");
    let seen = get(&gateway, &world, &path);
    assert_eq!(seen.status, 200, "{}", seen.text());
}

fn distrusting(coverage: &str, digest: &Digest) -> Gateway {
    with(|config| {
        config.policy = policy(coverage)
            .replace(
                r#""version": 1"#,
                &format!(r#""version": 1, "distrusted": ["{digest}"]"#),
            )
            .into_bytes();
    })
}

/// Distrust comes with the policy, whatever was served before it, under every path: the index that
/// lists the image, the image by its digest, its layer.
#[test]
fn a_distrusted_image_goes_out_no_more() {
    let world = World::default();
    let (index, [(a, _), (b, _)]) = multi(&world, "app", "1.0");
    world.sign("app", &index, "r.example/app:1.0", GOOD);
    world.sign("app", &a, "r.example/app:child-a", GOOD);
    let distrusting = |digest: &Digest| distrusting("index", digest);
    let layer = format!("/v2/app/blobs/{}", Digest::of(b"a"));
    let manifest = |reference: &str| format!("/v2/app/manifests/{reference}");
    let paths = [
        manifest("1.0"),
        manifest(&index.to_string()),
        manifest("child-a"),
        manifest(&a.to_string()),
        layer,
    ];
    let trusting = gateway();
    for path in &paths {
        assert_eq!(get(&trusting, &world, path).status, 200, "{path}");
    }
    let refusing = distrusting(&a);
    for path in &paths {
        assert_eq!(get(&refusing, &world, path).status, 403, "{path}");
    }
    assert_eq!(
        verdict(&refusing, &world, &paths[3]),
        is(403, "policy.distrusted")
    );
    // Another one.
    assert_eq!(
        get(&distrusting(&b), &world, &manifest("child-a")).status,
        200
    );
}

/// An index may list an image by another digest than the policy does.
#[test]
fn distrust_knows_an_image_by_its_bytes() {
    let world = World::default();
    let (digest, bytes) = world.image("app", "child", "a");
    let sha512 = Digest::with(crate::digest::Algorithm::Sha512, &bytes);
    world.put("app", &sha512.to_string(), MANIFEST, &bytes);
    let entry = descriptor(MANIFEST, &bytes, "").replace(&digest.to_string(), &sha512.to_string());
    let index = world.put("app", "1.0", INDEX, &index_of(&[entry]));
    world.sign("app", &index, "r.example/app:1.0", GOOD);
    let path = format!("/v2/app/manifests/{sha512}");
    for (marker, code) in [
        (String::new(), (200, String::new())),
        (
            format!(r#", "distrusted": ["{digest}"]"#),
            is(403, "policy.distrusted"),
        ),
    ] {
        let gateway = with(|config| {
            config.policy = policy("index")
                .replace(r#""version": 1"#, &format!(r#""version": 1{marker}"#))
                .into_bytes();
        });
        assert_eq!(get(&gateway, &world, "/v2/app/manifests/1.0").status, 200);
        assert_eq!(verdict(&gateway, &world, &path), code, "{marker}");
    }
}

/// Where images are judged for themselves, a list is refused by its bytes, and lends its images no
/// name any more, though it did before this policy.
#[test]
fn a_distrusted_list_goes_out_no_more() {
    let world = World::default();
    let (list, [(a, _), (b, _)]) = multi(&world, "tagged", "1.0");
    for child in [&a, &b] {
        world.sign("tagged", child, "r.example/tagged:1.0", GOOD);
    }
    let bytes = world.content.borrow()["tagged/manifests/1.0"].0.clone();
    let manifest = |reference: &str| format!("/v2/tagged/manifests/{reference}");
    let paths = [
        manifest("1.0"),
        manifest(&list.to_string()),
        manifest(&a.to_string()),
        format!("/v2/tagged/blobs/{}", Digest::of(b"a")),
    ];
    let trusting = Gateway::new(config(&policy("instance")));
    for path in &paths {
        assert_eq!(get(&trusting, &world, path).status, 200, "{path}");
    }
    for algorithm in [
        crate::digest::Algorithm::Sha256,
        crate::digest::Algorithm::Sha384,
        crate::digest::Algorithm::Sha512,
    ] {
        let refusing = distrusting("instance", &Digest::with(algorithm, &bytes));
        for path in &paths {
            let status = get(&refusing, &world, path).status;
            assert_eq!(status, 403, "{algorithm:?} {path}");
        }
        assert_eq!(
            verdict(&refusing, &world, &paths[0]),
            is(403, "policy.distrusted")
        );
    }
}

/// Evidence needs no signature of its own; distrust is about all manifests, and about their blobs.
#[test]
fn distrusted_evidence_goes_out_no_more() {
    let world = World::default();
    let (image, _) = world.signed("app", "1.0", "a");
    let signature = format!("sha256-{}.sig", image.hex());
    let (digest, text) = {
        let content = world.content.borrow();
        let bytes = &content[&format!("app/manifests/{signature}")].0;
        (
            Digest::of(bytes),
            payload(&image, "r.example/app:1.0", "null"),
        )
    };
    let listed = index_of(&[descriptor(
        MANIFEST,
        &world.content.borrow()[&format!("app/manifests/{signature}")].0,
        "",
    )]);
    world.put("app", "listed", INDEX, &listed);
    let paths = [
        format!("/v2/app/manifests/{signature}"),
        format!("/v2/app/manifests/{digest}"),
        "/v2/app/manifests/listed".into(),
        format!("/v2/app/blobs/{}", Digest::of(text.as_bytes())),
    ];
    let trusting = gateway();
    for path in &paths {
        assert_eq!(get(&trusting, &world, path).status, 200, "{path}");
    }
    let refusing = distrusting("index", &digest);
    plant(&refusing, "app", &digest, &Digest::of(text.as_bytes()));
    for path in &paths {
        assert_eq!(
            verdict(&refusing, &world, path),
            is(403, "policy.distrusted"),
            "{path}"
        );
    }
}
