//! Signatures and attestations are recognised by their bytes, whatever they are typed as.

use super::*;

fn typed(world: &World, kind: &str, config: &[u8], layers: &[&[u8]]) -> (Digest, Vec<u8>) {
    for bytes in layers.iter().chain([&config]) {
        world.blob("app", bytes);
    }
    let listed: Vec<String> = layers
        .iter()
        .map(|bytes| descriptor(kind, bytes, ""))
        .collect();
    let bytes = manifest(&descriptor(CONFIG, config, ""), &listed);
    (world.put("app", "odd", MANIFEST, &bytes), bytes)
}

fn bundle() -> String {
    format!(
        r#"{{"mediaType":"{BUNDLE}","verificationMaterial":{{"publicKey":{{"hint":"x"}}}},
          "dsseEnvelope":{{"payload":"e30=","payloadType":"x","signatures":[{{"sig":"AA=="}}]}}}}"#
    )
}

#[test]
fn signatures_are_served_and_so_is_their_content() {
    let world = World::default();
    let (image, _) = world.image("app", "1.0", "a");
    let signature = world.sign("app", &image, "r.example/app:1.0", OTHER);
    let gateway = gateway();
    let text = payload(&image, "r.example/app:1.0", "null");
    let blob = format!("/v2/app/blobs/{}", Digest::of(text.as_bytes()));
    assert_eq!(get(&gateway, &world, &blob).status, 403);
    for reference in [format!("sha256-{}.sig", image.hex()), signature.to_string()] {
        assert_eq!(
            get(&gateway, &world, &format!("/v2/app/manifests/{reference}")).status,
            200,
            "{reference}"
        );
    }
    let (get, head) = (
        get(&gateway, &world, &blob),
        ask(&gateway, &world, "HEAD", &blob),
    );
    assert_eq!(
        (get.status, get.body.as_slice(), head),
        (
            200,
            text.as_bytes(),
            Seen {
                body: Vec::new(),
                ..get.clone()
            }
        )
    );
    for (kind, bytes) in [
        (BUNDLE, bundle()),
        (
            DSSE,
            r#"{"payload":"e30=","payloadType":"x","signatures":[{"sig":"AA=="}]}"#.into(),
        ),
    ] {
        typed(&world, kind, b"{}", &[bytes.as_bytes()]);
        assert_eq!(
            super::get(&gateway, &world, "/v2/app/manifests/odd").status,
            200,
            "{kind}"
        );
    }
}

/// podman runs an image whose layer is *typed* as a signature.
#[test]
fn an_image_is_an_image_however_it_is_typed() {
    let world = World::default();
    let gateway = gateway();
    let good = payload(&Digest::of(b"x"), "r.example/app", "null");
    let large = vec![b' '; 64 << 10];
    for kind in [
        SIMPLE,
        BUNDLE,
        DSSE,
        "application/vnd.dev.sigstore.bundle+json;version=0.1",
    ] {
        for (config, layers) in [
            (&b"{}"[..], vec![&b"a layer"[..]]),
            (b"{}", vec![b"\x1f\x8b\x08"]),
            (b"{}", vec![b"{}"]),
            (b"{}", vec![good.as_bytes(), b"a layer"]),
            (b"{}", vec![]),
            (b"no JSON", vec![good.as_bytes()]),
            (&large, vec![good.as_bytes()]),
        ] {
            let (digest, bytes) = typed(&world, kind, config, &layers);
            for tag in [
                "odd",
                &digest.to_string(),
                &format!("sha256-{}", digest.hex()),
                &format!("sha256-{}.sig", digest.hex()),
            ] {
                world.put("app", tag, MANIFEST, &bytes);
                assert_eq!(
                    get(&gateway, &world, &format!("/v2/app/manifests/{tag}")).status,
                    403,
                    "{kind} {tag}: {}",
                    String::from_utf8_lossy(&bytes)
                );
                world
                    .content
                    .borrow_mut()
                    .remove(&format!("app/manifests/{tag}"));
                world.put("app", "odd", MANIFEST, &bytes);
            }
            for layer in layers {
                assert_eq!(blob_status(&gateway, &world, "app", layer), 403);
            }
        }
    }
}

/// Beside an ordinary layer, and with a layer that the registry does not send.
#[test]
fn a_signature_is_recognised_by_all_its_layers() {
    let world = World::default();
    let gateway = gateway();
    let good = payload(&Digest::of(b"x"), "r.example/app", "null");
    typed(&world, SIMPLE, b"{}", &[good.as_bytes(), b"a layer"]);
    let mixed = artifact(&[
        descriptor(SIMPLE, good.as_bytes(), ""),
        descriptor(LAYER, b"a layer", ""),
    ]);
    world.put("app", "odd", MANIFEST, &mixed);
    assert_eq!(get(&gateway, &world, "/v2/app/manifests/odd").status, 403);
    typed(&world, SIMPLE, b"{}", &[good.as_bytes()]);
    let blob = format!("/blobs/{}", Digest::of(good.as_bytes()));
    for (answer, status) in [
        (response(404, &[], b""), 403),
        (response(500, &[], b""), 503),
        (response(200, &[], b"other"), 403),
    ] {
        world.mend();
        forget_all(&gateway);
        world.store.borrow_mut().clear();
        world.fail(&blob, usize::MAX, Ok(answer));
        assert_eq!(
            get(&gateway, &world, "/v2/app/manifests/odd").status,
            status
        );
    }
}

/// A payload may hold any text as `optional`, and a tar archive of the oldest format needs no byte
/// that JSON forbids: one document can be both.
#[test]
fn a_signature_that_is_an_archive_too_is_an_image() {
    let world = World::default();
    let gateway = gateway();
    let critical = payload(&Digest::of(b"x"), "r.example/app", "null")
        .replace(r#","optional":null"#, "")[1..]
        .to_string();
    for (kind, head, tail) in [
        (
            SIMPLE,
            r#"{"optional":{"x":""#,
            format!(r#""}},{critical}"#),
        ),
        (BUNDLE, r#"{"x":""#, format!(r#"",{}"#, &bundle()[1..])),
        (
            DSSE,
            r#"{"x":""#,
            r#"","payload":"e30=","payloadType":"x","signatures":[{"sig":"AA=="}]}"#.into(),
        ),
    ] {
        let mut bytes = archive(head);
        bytes.extend_from_slice(tail.as_bytes());
        assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
        typed(&world, kind, b"{}", &[&bytes]);
        assert_eq!(
            verdict(&gateway, &world, "/v2/app/manifests/odd"),
            is(403, "signature.missing"),
            "{kind}"
        );
        // It is only the sum that makes it an archive; but a payload alone has room for it in its
        // form.
        bytes[20] = b'x';
        typed(&world, kind, b"{}", &[&bytes]);
        assert_eq!(
            get(&gateway, &world, "/v2/app/manifests/odd").status,
            if kind == SIMPLE { 200 } else { 403 },
            "{kind}"
        );
    }
}

/// A header of tar without a NUL, whose file's name begins with `head`, and 512 bytes of file.
fn archive(head: &str) -> Vec<u8> {
    let mut block = [b' '; 1_024];
    block[..head.len()].copy_from_slice(head.as_bytes());
    block[100..148].copy_from_slice(b"0000644 0000000 0000000 00000001000 00000000000 ");
    block[156] = b'0';
    let sum: u32 = block[..512].iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}  ").as_bytes());
    block.to_vec()
}

#[test]
fn lists_of_evidence() {
    let world = World::default();
    let (image, bytes) = world.image("app", "1.0", "a");
    let signature = world.sign("app", &image, "r.example/app:1.0", OTHER);
    let signed = world.content.borrow()[&format!("app/manifests/{signature}")]
        .0
        .clone();
    let gateway = gateway();
    let tag = format!("sha256-{}", image.hex());
    let listed = |entries: &[String]| {
        world.put("app", &tag, INDEX, &index_of(entries));
        get(&gateway, &world, &format!("/v2/app/manifests/{tag}")).status
    };
    let good = descriptor(MANIFEST, &signed, &format!(r#","artifactType":"{BUNDLE}""#));
    assert_eq!(listed(core::slice::from_ref(&good)), 200);
    // An image among them, or called evidence.
    for entry in [
        descriptor(MANIFEST, &bytes, ""),
        descriptor(MANIFEST, &bytes, &format!(r#","artifactType":"{BUNDLE}""#)),
        descriptor(MANIFEST, b"gone", ""),
    ] {
        assert_eq!(listed(&[good.clone(), entry.clone()]), 403, "{entry}");
        assert_eq!(listed(&[entry]), 403);
    }
    assert_eq!(listed(&[]), 403);
    // It covers nothing.
    assert_eq!(
        get(&gateway, &world, &format!("/v2/app/manifests/{image}")).status,
        403
    );
}

/// 16 MiB together for one manifest; for a list what one request may fetch, and the next goes on
/// from there.
#[test]
fn lists_are_bounded() {
    let world = World::default();
    let gateway = gateway();
    let texts: Vec<String> = (0..14_u32)
        .map(|number| {
            payload(
                &Digest::of(&number.to_be_bytes()),
                "x",
                &format!("null{}", " ".repeat(3 << 20)),
            )
        })
        .collect();
    let layers: Vec<String> = texts
        .iter()
        .map(|text| descriptor(SIMPLE, text.as_bytes(), ""))
        .collect();
    world.blob("app", b"{}");
    texts
        .iter()
        .for_each(|text| world.blob("app", text.as_bytes()));
    for (count, status) in [(5, 200), (6, 403)] {
        world.put("app", "one", MANIFEST, &artifact(&layers[..count]));
        assert_eq!(
            get(&gateway, &world, "/v2/app/manifests/one").status,
            status,
            "{count}"
        );
    }
    let entries: Vec<String> = layers
        .iter()
        .enumerate()
        .map(|(number, layer)| {
            let bytes = artifact(core::slice::from_ref(layer));
            world.put("app", &format!("e{number}"), MANIFEST, &bytes);
            descriptor(MANIFEST, &bytes, "")
        })
        .collect();
    world.put("app", "list", INDEX, &index_of(&entries));
    assert_eq!(
        verdict(&gateway, &world, "/v2/app/manifests/list"),
        is(503, "limit.request")
    );
    assert_eq!(
        verdict(&gateway, &world, "/v2/app/manifests/list"),
        is(200, "")
    );
}
