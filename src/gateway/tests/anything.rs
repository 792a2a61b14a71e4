//! Whatever a tenant writes into a registry, and whatever is asked for: what leaves is of an
//! allowed image, or evidence in its exact form, or words of the gateway. Old defects are planted
//! by `make mutants-gateway`, and this must find each.

use super::*;
use alloc::collections::BTreeSet;
use proptest::prelude::*;

const REPOSITORY: &str = "app";

/// One thing that a tenant may push.
#[derive(Debug, Clone)]
enum Push {
    /// A document of parts that were pushed before: config, layers; each by its place among all
    /// blobs, with a type.
    Manifest {
        config: usize,
        layers: Vec<(usize, usize)>,
        tag: usize,
    },
    /// A list of documents that were pushed before.
    Index {
        entries: Vec<(usize, bool)>,
        tag: usize,
    },
    /// Some bytes, or those of a document.
    Blob(usize),
    /// The bytes of a document that was pushed before, as a blob.
    Document(usize),
}

const TYPES: [&str; 6] = [
    LAYER,
    SIMPLE,
    DSSE,
    BUNDLE,
    "application/vnd.in-toto+json",
    CONFIG,
];

fn seeds(signed: &Digest) -> Vec<Vec<u8>> {
    let envelope = r#"{"payload":"e30=","payloadType":"x","signatures":[{"sig":"AA=="}]}"#;
    let text = payload(signed, "r.example/app", "null");
    let config = format!(
        r#"{{"architecture":"","os":"","rootfs":{{"type":"layers","diff_ids":["{}"]}},
          "config":{{}}}}"#,
        Digest::of(text.as_bytes())
    );
    [
        "{}".to_string(),
        text.clone(),
        envelope.into(),
        format!(
            r#"{{"mediaType":"{BUNDLE}","verificationMaterial":{{"publicKey":{{"hint":"x"}}}},
          "dsseEnvelope":{envelope}}}"#
        ),
        config,
        r#"{"_type":"x","subject":[],"predicateType":"x","predicate":{}}"#.into(),
        r#"{"os":"linux","architecture":"amd64","config":{"Entrypoint":["/evil"]},
          "rootfs":{"type":"layers","diff_ids":[]}}"#
            .into(),
        text.replacen('{', r#"{"Layers":[],"#, 1),
        envelope.replacen('{', r#"{"config":{},"#, 1),
        "a layer".into(),
    ]
    .map(String::into_bytes)
    .to_vec()
}

fn pushes() -> impl Strategy<Value = Vec<Push>> {
    let one = prop_oneof![
        (
            0..40_usize,
            prop::collection::vec((0..40_usize, 0..TYPES.len()), 0..3),
            0..4_usize
        )
            .prop_map(|(config, layers, tag)| Push::Manifest {
                config,
                layers,
                tag
            }),
        (
            prop::collection::vec((0..12_usize, any::<bool>()), 0..4),
            0..4_usize
        )
            .prop_map(|(entries, tag)| Push::Index { entries, tag }),
        (0..20_usize).prop_map(Push::Blob),
        (0..12_usize).prop_map(Push::Document),
    ];
    prop::collection::vec(one, 1..14)
}

/// What the registry holds after it, and every digest in it.
fn write(world: &World, pushes: &[Push]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (digest, bytes) = world.signed(REPOSITORY, "good", "approved");
    let mut blobs = seeds(&digest);
    blobs.push(b"approved".to_vec());
    blobs.iter().for_each(|blob| world.blob(REPOSITORY, blob));
    let mut documents = vec![bytes];
    let tags = ["good2", "t1", "t2", &format!("sha256-{}", digest.hex())].map(String::from);
    for push in pushes {
        match push {
            Push::Manifest {
                config,
                layers,
                tag,
            } => {
                let at = |number: usize| &blobs[number % blobs.len()];
                let listed: Vec<String> = layers
                    .iter()
                    .map(|(number, kind)| descriptor(TYPES[*kind], at(*number), ""))
                    .collect();
                let bytes = manifest(&descriptor(CONFIG, at(*config), ""), &listed);
                world.put(REPOSITORY, &tags[*tag], MANIFEST, &bytes);
                documents.push(bytes);
            }
            Push::Index { entries, tag } => {
                let listed: Vec<String> = entries
                    .iter()
                    .map(|(number, typed)| {
                        let more = if *typed {
                            format!(r#","artifactType":"{BUNDLE}""#)
                        } else {
                            String::new()
                        };
                        descriptor(MANIFEST, &documents[number % documents.len()], &more)
                    })
                    .collect();
                let bytes = index_of(&listed);
                world.put(REPOSITORY, &tags[*tag], INDEX, &bytes);
                documents.push(bytes);
            }
            Push::Blob(number) => blobs.push(format!("blob {number}").into_bytes()),
            Push::Document(number) => blobs.push(documents[number % documents.len()].clone()),
        }
        blobs.iter().for_each(|blob| world.blob(REPOSITORY, blob));
    }
    (documents, blobs)
}

/// Judged here by other means than the gateway's: the one signed image, what it lists, and the
/// empty config.
struct Expected {
    signed: Vec<u8>,
    /// Each image of an index is judged for itself.
    one_by_one: bool,
}

impl Expected {
    fn may_leave_as_manifest(&self, bytes: &[u8], all: &[Vec<u8>]) -> bool {
        bytes == self.signed
            || self.one_by_one && self.lists_the_signed(bytes)
            || self.is_evidence(bytes, all)
    }

    fn lists_the_signed(&self, bytes: &[u8]) -> bool {
        let value: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        let signed = Digest::of(&self.signed).to_string();
        value["manifests"].as_array().is_some_and(|entries| {
            !entries.is_empty()
                && entries
                    .iter()
                    .all(|entry| entry["digest"].as_str() == Some(&signed))
        })
    }

    /// By serde_json's reading: every layer is a document of a known set of members, the config
    /// says nothing.
    fn is_evidence(&self, bytes: &[u8], all: &[Vec<u8>]) -> bool {
        let value: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        let content = |descriptor: &serde_json::Value| {
            all.iter().find(|one| {
                Some(Digest::of(one).to_string().as_str()) == descriptor["digest"].as_str()
            })
        };
        if let Some(entries) = value["manifests"].as_array() {
            return !entries.is_empty()
                && entries.iter().all(|entry| {
                    content(entry)
                        .is_some_and(|bytes| is_manifest(bytes) && self.is_evidence(bytes, all))
                });
        }
        let layers = value["layers"].as_array().cloned().unwrap_or_default();
        let layers_fit = layers
            .iter()
            .all(|layer| content(layer).is_some_and(|bytes| is_harmless(bytes)));
        !layers.is_empty()
            && layers_fit
            && content(&value["config"]).is_some_and(|bytes| is_harmless(bytes))
    }
}

fn is_manifest(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(bytes)
        .is_ok_and(|value| value["layers"].is_array() && value["config"].is_object())
}

/// Nothing at its top that a client could run.
fn is_harmless(bytes: &[u8]) -> bool {
    let Ok(serde_json::Value::Object(members)) = serde_json::from_slice::<serde_json::Value>(bytes)
    else {
        return false;
    };
    let empty = members
        .get("config")
        .is_none_or(|config| config.as_object().is_some_and(serde_json::Map::is_empty));
    let names: BTreeSet<String> = members.keys().map(|key| key.to_ascii_lowercase()).collect();
    empty
        && !names.contains("layers")
        && !names.contains("manifests")
        && !names.contains("schemaversion")
}

proptest! {
    // `make mutants-gateway` asks for more.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(300),
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_leaves_but_allowed_images_and_evidence(
        pushes in pushes(),
        coverage in prop_oneof![Just("index"), Just("instance")],
        order in any::<u64>(),
    ) {
        let world = World::default();
        let (documents, blobs) = write(&world, &pushes);
        let signed = documents[0].clone();
        let expected = Expected { signed, one_by_one: coverage == "instance" };
        let all: Vec<Vec<u8>> = documents.iter().chain(&blobs).cloned().collect();
        let gateway = Gateway::new(config(&policy(coverage)));
        let paths_of = |bytes: &Vec<u8>| {
            ["manifests", "blobs"].map(|kind| format!("{kind}/{}", Digest::of(bytes)))
        };
        let mut paths: Vec<String> = all.iter().flat_map(paths_of).collect();
        paths.extend(["good", "good2", "t1", "t2"].map(|tag| format!("manifests/{tag}")));
        // In some order, twice: what was served before leads to what is served then.
        paths.sort_by_key(|path| sha256(format!("{order}{path}").as_bytes()));
        for path in paths.iter().chain(&paths) {
            world.asked.borrow_mut().clear();
            let seen = get(&gateway, &world, &format!("/v2/{REPOSITORY}/{path}"));
            prop_assert!(world.asked.borrow().len() <= 256);
            if seen.status != 200 {
                continue;
            }
            let fits = if path.starts_with("manifests/") {
                expected.may_leave_as_manifest(&seen.body, &all)
            } else {
                let approved = [&b"approved"[..], br#"{"os":"linux","text":"approved"}"#];
                is_harmless(&seen.body) || approved.contains(&seen.body.as_slice())
            };
            prop_assert!(fits, "{path}: {}", String::from_utf8_lossy(&seen.body));
        }
        for tag in ["good", "t1", "t2"] {
            let shown = get(&gateway, &world, &format!("/api/evidence/{REPOSITORY}?ref={tag}"));
            prop_assert!(!shown.text().contains(&base64::encode(b"approved")));
        }
    }
}

/// One thing that whoever may push can attach to an image.
#[derive(Debug, Clone, Copy)]
enum Attached {
    OtherKey,
    OtherDigest,
    NotThere,
    NoPayload,
    NoSignature,
    Huge,
    /// The platform's cryptography gives no answer.
    NoAnswer,
}

fn attached() -> impl Strategy<Value = Attached> {
    prop::sample::select(vec![
        Attached::OtherKey,
        Attached::OtherDigest,
        Attached::NotThere,
        Attached::NoPayload,
        Attached::NoSignature,
        Attached::Huge,
        Attached::NoAnswer,
    ])
}

/// As a layer of a signature's manifest; each number is another one.
fn layer(world: &World, image: &Digest, what: Attached, number: usize) -> String {
    let other = Digest::of(&number.to_be_bytes());
    let about = if matches!(what, Attached::OtherDigest) {
        &other
    } else {
        image
    };
    let text = match what {
        Attached::NoPayload => format!("no payload {number}"),
        _ => payload(
            about,
            "r.example/digest:1.0",
            &format!(r#"{{"n":{number}}}"#),
        ),
    };
    let key = PublicKey::from_pem(if matches!(what, Attached::OtherKey) {
        OTHER
    } else {
        GOOD
    })
    .unwrap();
    let mut signature = mark(&key, text.as_bytes());
    if matches!(what, Attached::NoAnswer) {
        signature[1..9].copy_from_slice(&NO_ANSWER);
    }
    if !matches!(what, Attached::NotThere) {
        world.blob("digest", text.as_bytes());
    }
    let signature = if matches!(what, Attached::NoSignature) {
        String::from("?")
    } else {
        base64::encode(&signature)
    };
    let layer = descriptor(
        SIMPLE,
        text.as_bytes(),
        &format!(r#","annotations":{{"dev.cosignproject.cosign/signature":"{signature}"}}"#),
    );
    if matches!(what, Attached::Huge) {
        layer
            .replacen("\"size\":", "\"size\":9", 1)
            .replacen("\"size\":9", "\"size\":9999999", 1)
    } else {
        layer
    }
}

/// The good key's signature of this payload.
fn good_layer(payload: &str) -> String {
    let key = PublicKey::from_pem(GOOD).unwrap();
    let signature = base64::encode(&mark(&key, payload.as_bytes()));
    descriptor(
        SIMPLE,
        payload.as_bytes(),
        &format!(r#","annotations":{{"dev.cosignproject.cosign/signature":"{signature}"}}"#),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// docs/trust.md section 7: below the bounds nothing that is added takes an Allow away, and
    /// work stays within its budget, however much is attached.
    #[test]
    fn what_is_attached_takes_nothing_away_and_costs_little(
        kinds in prop::collection::vec(attached(), 1..5),
        many in 1..400_usize,
        good_at in 0..60_usize,
        is_signed in any::<bool>(),
    ) {
        let world = World::default();
        let gateway = Gateway::new(config(&policy("index")));
        let (image, _) = world.image("digest", "1.0", "a");
        let kind = |number: usize| kinds[number % kinds.len()];
        let mut layers: Vec<String> = (0..many)
            .map(|number| layer(&world, &image, kind(number), number))
            .collect();
        if is_signed {
            let text = payload(&image, "r.example/digest:1.0", "null");
            world.blob("digest", text.as_bytes());
            layers.insert(good_at.min(many), good_layer(&text));
        }
        let signatures = artifact(&layers);
        let tag = format!("sha256-{}.sig", image.hex());
        world.put("digest", &tag, MANIFEST, &signatures);
        for path in ["/v2/digest/manifests/1.0", "/api/evidence/digest?ref=1.0"] {
            world.asked.borrow_mut().clear();
            let (status, code) = verdict(&gateway, &world, path);
            let asked = world.asked.borrow().len();
            prop_assert!(asked <= 256, "{asked} requests");
            let fits = path.starts_with("/api/") || (status == 200) == is_signed;
            prop_assert!(fits, "{status} {code}");
        }
    }
}

/// And whoever was admitted before stays admitted, however much is attached later and wherever it
/// stands.
#[test]
fn what_satisfied_before_is_looked_at_first() {
    let world = World::default();
    let gateway = Gateway::new(config(&policy("index")));
    let (image, _) = world.image("digest", "1.0", "a");
    let text = payload(&image, "r.example/digest:1.0", "null");
    world.blob("digest", text.as_bytes());
    world.blob("digest", b"{}");
    let good = good_layer(&text);
    let tag = format!("sha256-{}.sig", image.hex());
    world.put(
        "digest",
        &tag,
        MANIFEST,
        &artifact(core::slice::from_ref(&good)),
    );
    assert_eq!(
        get(&gateway, &world, "/v2/digest/manifests/1.0").status,
        200
    );
    let mut layers: Vec<String> = (0..500)
        .map(|number| layer(&world, &image, Attached::OtherKey, number))
        .collect();
    layers.push(good);
    world.put("digest", &tag, MANIFEST, &artifact(&layers));
    forget_verdicts(&gateway, &world);
    assert_eq!(
        verdict(&gateway, &world, "/v2/digest/manifests/1.0"),
        is(200, "")
    );
    // An isolate that never saw it cannot decide.
    assert_eq!(
        verdict(
            &Gateway::new(config(&policy("index"))),
            &World {
                content: world.content.clone(),
                ..World::default()
            },
            "/v2/digest/manifests/1.0"
        ),
        is(503, "limit.evidence")
    );
}
