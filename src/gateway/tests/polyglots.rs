//! Documents that are evidence and something else as well. A tenant lists an image manifest, an
//! index or an image's config as the config or as a layer of an artifact that passes as a
//! signature: containerd takes what `manifests/` refuses from `blobs/`, keeps it, and runs it
//! later.

use super::*;

/// What a format's document looks like, and where in it something foreign could stand: `@` at every
/// level of the format.
fn formats(image: &Digest) -> Vec<(&'static str, String)> {
    let proof = r#"{"logIndex":"1","rootHash":"AA==","treeSize":"2","hashes":[],
      "checkpoint":{"envelope":"x"@}@}"#;
    let entry = format!(
        r#"{{"logIndex":"1","logId":{{"keyId":"AA=="@}},"kindVersion":{{"kind":"dsse",
          "version":"0.0.1"@}},"integratedTime":"1",
          "inclusionPromise":{{"signedEntryTimestamp":"AA=="@}},"inclusionProof":{proof},
          "canonicalizedBody":"AA=="@}}"#
    );
    let material = format!(
        r#"{{"certificate":{{"rawBytes":"AA=="@}},"tlogEntries":[{entry}],
          "timestampVerificationData":{{"rfc3161Timestamps":[{{"signedTimestamp":"AA=="@}}]@}}@}}"#
    );
    let envelope = r#"{"payload":"e30=","payloadType":"application/vnd.in-toto+json",
      "signatures":[{"sig":"AA==","keyid":""@}]@}"#;
    let message =
        r#"{"messageDigest":{"algorithm":"SHA2_256","digest":"AA=="@},"signature":"AA=="@}"#;
    let critical = format!(
        r#"{{"identity":{{"docker-reference":"r.example/app"@}},
          "image":{{"docker-manifest-digest":"{image}"@}},
          "type":"cosign container image signature"@}}"#
    );
    vec![
        (
            SIMPLE,
            format!(r#"{{"critical":{critical},"optional":{{"creator":"x"}}@}}"#),
        ),
        (DSSE, envelope.into()),
        (
            BUNDLE,
            format!(
                r#"{{"mediaType":"{BUNDLE}","verificationMaterial":{material},
                  "dsseEnvelope":{envelope}@}}"#
            ),
        ),
        (
            BUNDLE,
            format!(
                r#"{{"mediaType":"{BUNDLE}",
                  "verificationMaterial":{{"publicKey":{{"hint":"x"@}}@}},
                  "messageSignature":{message}@}}"#
            ),
        ),
    ]
}

/// Every member by which Go's clients know a manifest, an index or a config, in spellings that they
/// read.
fn foreign() -> Vec<String> {
    let names = [
        ("layers", "[]"),
        ("config", "{}"),
        ("manifests", "[]"),
        ("schemaVersion", "2"),
        ("rootfs", r#"{"type":"layers","diff_ids":[]}"#),
        ("history", "[]"),
        ("architecture", "\"amd64\""),
        ("os", "\"linux\""),
        ("x", "1"),
    ];
    let spellings = |name: &str| {
        let mut title = name.to_string();
        title[..1].make_ascii_uppercase();
        let escaped = format!("\\u{:04x}{}", u32::from(name.as_bytes()[0]), &name[1..]);
        vec![
            name.to_string(),
            title,
            name.to_ascii_uppercase(),
            name.replacen('s', "\u{17f}", 1),
            name.replacen('k', "\u{212a}", 1),
            escaped,
        ]
    };
    names
        .iter()
        .flat_map(|(name, value)| {
            spellings(name)
                .into_iter()
                .map(move |spelled| format!(r#","{spelled}":{value}"#))
        })
        .collect()
}

/// `text` with `what` at the place that stands at `at`, and nothing at the others.
fn at_place(text: &str, at: usize, what: &str) -> String {
    text.split('@')
        .enumerate()
        .map(|(number, part)| {
            if number == at + 1 {
                format!("{what}{part}")
            } else {
                part.into()
            }
        })
        .collect()
}

#[test]
fn a_foreign_member_makes_an_image_of_it_wherever_it_stands() {
    let world = World::default();
    let (image, _) = world.image("app", "1.0", "a");
    let mut cases = 0;
    for (kind, text) in formats(&image) {
        let plain = text.replace('@', "");
        assert!(
            crate::verify::is_evidence_document(kind, plain.as_bytes()),
            "{kind} {plain}"
        );
        for place in 0..text.matches('@').count() {
            for what in foreign() {
                let odd = at_place(&text, place, &what);
                assert!(
                    serde_json::from_str::<serde_json::Value>(&odd).is_ok(),
                    "{odd}"
                );
                assert!(
                    !crate::verify::is_evidence_document(kind, odd.as_bytes()),
                    "{kind} {odd}"
                );
                cases += 1;
            }
        }
        // A member twice; something after the document; something before it.
        for odd in [
            plain.replacen('{', "{\"x\":1,\"x\":1,", 1),
            format!("{plain}{{}}"),
            format!("\u{feff}{plain}"),
            format!("[{plain}]"),
        ] {
            assert!(
                !crate::verify::is_evidence_document(kind, odd.as_bytes()),
                "{kind} {odd}"
            );
        }
    }
    assert!(cases > 1_200, "{cases}");
}

/// The config that cosign writes for a signature of this layer, a place for something foreign at
/// every `@`.
fn cosign_config(layer: &Digest) -> String {
    format!(
        r#"{{"architecture":"","created":"0001-01-01T00:00:00Z",
          "history":[{{"created":"0001-01-01T00:00:00Z"@}}],"os":"",
          "rootfs":{{"type":"layers","diff_ids":["{layer}"]@}},"config":{{@}}@}}"#
    )
}

/// With each foreign member at each place. One that stands after an opening brace needs no comma;
/// a member that cosign writes itself then stands twice.
fn with_foreign_members(text: &str) -> Vec<String> {
    let places = 0..text.matches('@').count();
    places
        .flat_map(|place| {
            foreign()
                .into_iter()
                .map(move |what| at_place(text, place, &what).replace("{,", "{"))
        })
        .collect()
}

/// A config goes out only if it means nothing beside the layers of its manifest.
#[test]
fn a_config_that_means_something_makes_an_image_of_it() {
    let world = World::default();
    let (image, manifest_bytes) = world.image("app", "1.0", "a");
    let text = payload(&image, "r.example/app", "null");
    let layer = descriptor(SIMPLE, text.as_bytes(), "");
    world.blob("app", text.as_bytes());
    let own = Digest::of(text.as_bytes());
    let cosign = cosign_config(&own);
    let gateway = gateway();
    let served = |config: &[u8]| {
        world.blob("app", config);
        let bytes = manifest(
            &descriptor(CONFIG, config, ""),
            core::slice::from_ref(&layer),
        );
        world.put("app", "odd", MANIFEST, &bytes);
        let status = get(&gateway, &world, "/v2/app/manifests/odd").status;
        assert_eq!(blob_status(&gateway, &world, "app", config), status);
        status
    };
    let good = cosign.replace('@', "");
    assert_eq!((served(b"{}"), served(good.as_bytes())), (200, 200));
    let mut odd = with_foreign_members(&cosign);
    odd.extend([
        "null".into(),
        "[]".into(),
        "{ }".into(),
        String::from_utf8(manifest_bytes).unwrap(),
        r#"{"os":"linux","text":"a"}"#.into(),
        good.replace(&own.to_string(), &image.to_string()),
        good.replace(&format!(r#""{own}""#), ""),
        good.replace("\"config\":{}", r#""config":{"Entrypoint":["/bin/evil"]}"#),
    ]);
    assert!(odd.len() > 150);
    for config in odd {
        if config != good {
            assert_eq!(served(config.as_bytes()), 403, "{config}");
        }
    }
}

/// The attack as it ran: the manifest of an unsigned image, as config and as layer of what passes
/// for a signature.
#[test]
fn an_unsigned_image_does_not_leave_as_a_blob() {
    for coverage in ["index", "instance"] {
        let world = World::default();
        let gateway = Gateway::new(config(&policy(coverage)));
        let (_, evil) = world.image("app", "evil", "a");
        let inner = br#"{"os":"linux","text":"a"}"#;
        let text = payload(&Digest::of(b"x"), "r.example/app", "null");
        for bytes in [&evil[..], inner, text.as_bytes()] {
            world.blob("app", bytes);
        }
        for hidden in [&evil[..], inner] {
            for kind in [SIMPLE, DSSE, BUNDLE, "application/vnd.in-toto+json"] {
                let as_config = manifest(
                    &descriptor(CONFIG, hidden, ""),
                    &[descriptor(SIMPLE, text.as_bytes(), "")],
                );
                let as_layer = artifact(&[descriptor(kind, hidden, "")]);
                let beside = artifact(&[
                    descriptor(SIMPLE, text.as_bytes(), ""),
                    descriptor(kind, hidden, ""),
                ]);
                for bytes in [as_config, as_layer, beside] {
                    let artifact = world.put("app", "artifact", MANIFEST, &bytes);
                    for path in [
                        "manifests/artifact".into(),
                        format!("manifests/{artifact}"),
                        format!("blobs/{}", Digest::of(hidden)),
                        "manifests/evil".into(),
                        format!("manifests/{}", Digest::of(&evil)),
                    ] {
                        assert_eq!(
                            get(&gateway, &world, &format!("/v2/app/{path}")).status,
                            403,
                            "{kind} {path} {}",
                            String::from_utf8_lossy(&bytes)
                        );
                    }
                    let shown = get(&gateway, &world, "/api/evidence/app?ref=artifact");
                    assert!(!shown.text().contains(&base64::encode(hidden)), "{kind}");
                }
            }
        }
    }
}

/// A manifest or list of evidence has the members of its format and no others.
#[test]
fn manifests_of_evidence_have_an_exact_form() {
    let world = World::default();
    let gateway = gateway();
    let (image, _) = world.image("app", "1.0", "a");
    let text = payload(&image, "r.example/app", "null");
    world.blob("app", text.as_bytes());
    world.blob("app", b"{}");
    let other = base64::encode(b"other");
    let subject = descriptor(MANIFEST, b"x", "@");
    let full = format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","artifactType":"x","config":{},
          "layers":[{}],"subject":{subject},"annotations":{{"a":"b"}}@}}"#,
        descriptor(CONFIG, b"{}", r#","data":"e30="@"#),
        descriptor(SIMPLE, text.as_bytes(), r#","annotations":{"a":"b"}@"#),
    );
    let served = |bytes: &str| {
        world.put("app", "odd", MANIFEST, bytes.as_bytes());
        get(&gateway, &world, "/v2/app/manifests/odd").status
    };
    assert_eq!(served(&full.replace('@', "")), 200);
    for place in 0..full.matches('@').count() {
        for what in [
            r#","x":1"#,
            r#","platform":{"os":"linux","architecture":"amd64"}"#,
            r#","urls":["https://x.test/"]"#,
        ] {
            assert_eq!(served(&at_place(&full, place, what)), 403, "{what}");
        }
    }
    assert_eq!(served(&full.replace('@', "").replace("e30=", &other)), 403);
}

#[test]
fn lists_of_evidence_have_an_exact_form() {
    let world = World::default();
    let gateway = gateway();
    let (image, _) = world.image("app", "1.0", "a");
    let text = payload(&image, "r.example/app", "null");
    world.blob("app", text.as_bytes());
    world.blob("app", b"{}");
    let child = artifact(&[descriptor(SIMPLE, text.as_bytes(), "")]);
    world.put("app", "child", MANIFEST, &child);
    let list = format!(
        r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]@}}"#,
        descriptor(MANIFEST, &child, "@")
    );
    let served = |bytes: &str| {
        world.put("app", "odd", INDEX, bytes.as_bytes());
        get(&gateway, &world, "/v2/app/manifests/odd").status
    };
    assert_eq!(served(&list.replace('@', "")), 200);
    for place in 0..2 {
        for what in [
            r#","x":1"#,
            r#","data":"e30=""#,
            r#","platform":{"os":"linux"}"#,
        ] {
            assert_eq!(served(&at_place(&list, place, what)), 403, "{what}");
        }
    }
}

const STATEMENT: &str = r#"{"_type":"https://in-toto.io/Statement/v0.1",
  "predicateType":"https://slsa.dev/provenance/v0.2",
  "subject":[{"name":"x","digest":{"sha256":"00"}}],"predicate":{"layers":["free"]}}"#;
const IN_TOTO: &str = "application/vnd.in-toto+json";
const UNKNOWN: &str = r#","platform":{"os":"unknown","architecture":"unknown"}"#;

/// The config that BuildKit writes beside this layer.
fn buildkit_config(text: &str) -> String {
    format!(
        r#"{{"architecture":"unknown","os":"unknown","config":{{}},
          "rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
        Digest::of(text.as_bytes())
    )
}

/// The answers for an index of a signed image and this attestation, for the attestation and for its
/// layer.
fn attested(platform: &str, config: &str, layer_kind: &str, text: &str) -> (u16, u16, u16) {
    attested_by(&policy("instance"), platform, config, layer_kind, text)
}

fn attested_by(
    policy: &str,
    platform: &str,
    config: &str,
    layer_kind: &str,
    text: &str,
) -> (u16, u16, u16) {
    let world = World::default();
    let gateway = Gateway::new(super::config(policy));
    let (image, bytes) = world.image("exact", "amd64", "a");
    world.sign("exact", &image, "r.example/exact:1.0", GOOD);
    world.blob("exact", text.as_bytes());
    world.blob("exact", config.as_bytes());
    let attestation = manifest(
        &descriptor(CONFIG, config.as_bytes(), ""),
        &[descriptor(layer_kind, text.as_bytes(), "")],
    );
    let digest = world.put("exact", "attestation", MANIFEST, &attestation);
    let amd64 = r#","platform":{"os":"linux","architecture":"amd64"}"#;
    let entries = [
        descriptor(MANIFEST, &bytes, amd64),
        descriptor(MANIFEST, &attestation, platform),
    ];
    world.put("exact", "1.0", INDEX, &index_of(&entries));
    (
        get(&gateway, &world, "/v2/exact/manifests/1.0").status,
        get(&gateway, &world, &format!("/v2/exact/manifests/{digest}")).status,
        blob_status(&gateway, &world, "exact", text.as_bytes()),
    )
}

/// BuildKit's attestations are no images: they need no signature where each image does, and leave
/// as what they are.
#[test]
fn attestations_of_buildkit() {
    let config = buildkit_config;
    for good in ["{}", &config(STATEMENT)] {
        assert_eq!(
            attested(UNKNOWN, good, IN_TOTO, STATEMENT),
            (200, 200, 200),
            "{good}"
        );
    }
    // What says more than that is an image, which needs its signature; and a layer that is no
    // statement does not leave.
    let odd = STATEMENT.replace("\"predicate\":", "\"layers\":[],\"predicate\":");
    assert_eq!(
        attested(UNKNOWN, &config(&odd), IN_TOTO, &odd),
        (200, 403, 403)
    );
}

/// An index that lists one which is distrusted goes with it, and so does what the attestation lists.
#[test]
fn a_distrusted_attestation_takes_its_index_along() {
    let config = buildkit_config(STATEMENT);
    let attestation = manifest(
        &descriptor(CONFIG, config.as_bytes(), ""),
        &[descriptor(IN_TOTO, STATEMENT.as_bytes(), "")],
    );
    let distrusted = format!(
        r#""version": 1, "distrusted": ["{}"]"#,
        Digest::of(&attestation)
    );
    let policy = policy("instance").replace(r#""version": 1"#, &distrusted);
    assert_eq!(
        attested_by(&policy, UNKNOWN, &config, IN_TOTO, STATEMENT),
        (403, 403, 403)
    );
}

#[test]
fn what_only_resembles_an_attestation_of_buildkit_is_an_image() {
    let config = || buildkit_config(STATEMENT);
    let variant = r#","platform":{"os":"unknown","architecture":"unknown","variant":"v1"}"#;
    let linux = r#","platform":{"os":"linux","architecture":"unknown"}"#;
    let runs = config().replace("\"config\":{}", "\"config\":{\"Cmd\":[\"sh\"]}");
    let on_linux = config().replace("\"os\":\"unknown\"", "\"os\":\"linux\"");
    assert!(runs != config() && on_linux != config());
    for (platform, config, layer_kind) in [
        (variant, config(), IN_TOTO),
        (linux, config(), IN_TOTO),
        ("", config(), IN_TOTO),
        (UNKNOWN, on_linux, IN_TOTO),
        (UNKNOWN, runs, IN_TOTO),
        (UNKNOWN, buildkit_config("other"), IN_TOTO),
        (UNKNOWN, config(), LAYER),
    ] {
        assert_eq!(
            attested(platform, &config, layer_kind, STATEMENT).0,
            403,
            "{platform} {config} {layer_kind}"
        );
    }
}
