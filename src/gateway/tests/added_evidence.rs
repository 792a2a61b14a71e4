//! docs/trust.md section 7, for requirements of ours: evidence that is added never takes an Allow
//! away.

use super::*;

const LIST: &str = "application/vnd.oci.image.index.v1+json";

fn layer(world: &World, digest: &Digest, key: &[u8], text: &str) -> String {
    let payload = payload(digest, "r.example/digest:1.0", text);
    let signature = base64::encode(&mark(
        &PublicKey::from_pem(key).unwrap(),
        payload.as_bytes(),
    ));
    world.blob("digest", payload.as_bytes());
    descriptor(
        SIMPLE,
        payload.as_bytes(),
        &format!(r#","annotations":{{"dev.cosignproject.cosign/signature":"{signature}"}}"#),
    )
}

#[test]
fn a_layer_that_does_not_load_is_skipped() {
    let world = World::default();
    let (digest, _) = world.image("digest", "1.0", "a");
    let good = layer(&world, &digest, GOOD, "null");
    let path = "/v2/digest/manifests/1.0";
    let with = |layers: &[String]| {
        world.store.borrow_mut().clear();
        world.put(
            "digest",
            &format!("sha256-{}.sig", digest.hex()),
            MANIFEST,
            &artifact(layers),
        );
        verdict(&gateway(), &world, path)
    };
    let altered = layer(&world, &digest, GOOD, "{}");
    let altered_digest = Digest::of(payload(&digest, "r.example/digest:1.0", "{}").as_bytes());
    world.content.borrow_mut().insert(
        format!("digest/blobs/{altered_digest}"),
        (b"other".to_vec(), String::new()),
    );
    let missing = descriptor(SIMPLE, b"missing", "");
    let huge = missing.replace("\"size\":7", "\"size\":5000000");
    for (bad, alone) in [
        (&missing, is(503, "signature.blob-missing")),
        (&huge, is(503, "limit.evidence")),
        (&altered, is(403, "digest.mismatch")),
    ] {
        assert_eq!(with(&[bad.clone(), good.clone()]), is(200, ""), "{bad}");
        assert_eq!(with(&[good.clone(), bad.clone()]), is(200, ""), "{bad}");
        assert_eq!(with(core::slice::from_ref(bad)), alone, "{bad}");
    }
    // The letter of containers/image knows no skipping.
    let bytes = artifact(&[layer(&world, &digest, GOOD, "null"), missing]);
    let all = world.content.borrow().clone();
    for (place, content) in all {
        world
            .content
            .borrow_mut()
            .insert(place.replacen("digest/", "app/", 1), content);
    }
    world.put(
        "app",
        &format!("sha256-{}.sig", digest.hex()),
        MANIFEST,
        &bytes,
    );
    assert_eq!(
        verdict(&gateway(), &world, "/v2/app/manifests/1.0"),
        is(503, "signature.blob-missing")
    );
}

#[test]
fn a_list_with_an_entry_that_does_not_read_lists_the_others() {
    let world = World::default();
    let (digest, bytes) = world.image("digest", "1.0", "a");
    let good = layer(&world, &digest, GOOD, "null");
    let artifact = artifact(&[good]);
    world.put("digest", "artifact", MANIFEST, &artifact);
    let entry = descriptor(
        MANIFEST,
        &artifact,
        r#","artifactType":"application/vnd.dev.cosign.artifact.sig.v1+json""#,
    );
    let path = "/v2/digest/manifests/1.0";
    let gateway = gateway();
    let long = descriptor(
        MANIFEST,
        &bytes,
        &format!(
            r#","artifactType":"x","annotations":{{"a":"{}"}}"#,
            "a".repeat(3 << 20)
        ),
    );
    // Together they are more than a manifest may be.
    let other = long.replace("aaaa", "bbbb");
    for odd in [
        r#"{"digest":"sha256:00","mediaType":"x","size":1}"#,
        "{}",
        "5",
        r#"{"digest":5}"#,
        &long,
    ] {
        world.store.borrow_mut().clear();
        world.content.borrow_mut().insert(
            format!("digest/referrers/{digest}"),
            (index_of(core::slice::from_ref(&other)), LIST.into()),
        );
        world.put(
            "digest",
            &format!("sha256-{}", digest.hex()),
            LIST,
            &index_of(&[odd.into(), entry.clone()]),
        );
        assert_eq!(
            verdict(&gateway, &world, path),
            is(200, ""),
            "{}",
            &odd[..odd.len().min(80)]
        );
    }
}
