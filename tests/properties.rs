//! Properties of decisions: names have one full spelling, a stricter policy never allows more,
//! evidence only helps (docs/trust.md section 7), and no policy, however hostile, does worse than
//! being refused.

#[path = "properties/budgets.rs"]
mod budgets;
mod support;

use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use sealgate::internals::digest::Digest;
use sealgate::internals::encoding::{base64, pem};
use sealgate::internals::error::Coded;
use sealgate::internals::reference::{Grammar, Reference};
use sealgate::internals::verify::{Referrer, Rules, Verdict};
use sealgate::policy::{Policy, PolicyError};
use std::collections::BTreeMap;
use support::{MANIFEST, Memory, judge};

const NAME: &str = "registry.example/team/app:1";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

fn signer(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

/// The base64 of a P-256 key's PEM, as a policy holds it.
fn key_data(seed: u8) -> String {
    let mut der = vec![
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
        0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    der.extend_from_slice(signer(seed).verifying_key().to_sec1_point(false).as_bytes());
    base64::encode(pem::encode("PUBLIC KEY", &der).as_bytes())
}

fn policy(requirements: &[String], marker: &str) -> Rules {
    let text = format!(r#"{{{marker}"default":[{}]}}"#, requirements.join(","));
    Rules::policy(Policy::parse(text.as_bytes()).unwrap(), BTreeMap::new()).unwrap()
}

/// One thing that hangs on the image.
#[derive(Debug, Clone)]
enum Evidence {
    /// A signature by this key, as this name.
    Signed(u8, &'static str),
    /// A good signature over another image.
    OtherImage(u8),
    /// Its annotation is no base64.
    BrokenSignature,
    /// Its payload is no JSON, and is signed.
    BrokenPayload(u8),
    /// Listed, and not there.
    Missing,
    /// No signature at all.
    Attachment,
    /// A bundle by this key.
    Bundle(u8),
    /// A bundle with a byte altered.
    BrokenBundle(u8),
    /// A referrer that is no manifest.
    BrokenReferrer,
}

fn image() -> Vec<u8> {
    let config = Digest::of(b"{}");
    format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":2}},"layers":[]}}"#).into_bytes()
}

fn payload(digest: &Digest, name: &str) -> Vec<u8> {
    format!(r#"{{"critical":{{"identity":{{"docker-reference":"{name}"}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"cosign container image signature"}},"optional":null}}"#).into_bytes()
}

fn sign(seed: u8, message: &[u8]) -> String {
    let signature: p256::ecdsa::DerSignature = signer(seed).sign(message);
    base64::encode(signature.as_bytes())
}

/// That the image with this digest is signed.
fn statement(digest: &Digest) -> String {
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}}}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{{}}}}"#,
        digest.hex()
    )
}

/// A bundle as cosign 3 writes it, about the image.
fn bundle(seed: u8) -> Vec<u8> {
    let statement = statement(&Digest::of(&image()));
    let kind = "application/vnd.in-toto+json";
    let signature = sign(
        seed,
        format!(
            "DSSEv1 {} {kind} {} {statement}",
            kind.len(),
            statement.len()
        )
        .as_bytes(),
    );
    format!(r#"{{"mediaType":"{BUNDLE}","verificationMaterial":{{"publicKey":{{"hint":""}}}},"dsseEnvelope":{{"payload":"{}","payloadType":"{kind}","signatures":[{{"sig":"{signature}"}}]}}}}"#, base64::encode(statement.as_bytes())).into_bytes()
}

impl Memory {
    fn of(evidence: &[Evidence]) -> Self {
        let mut memory = Self::default();
        memory
            .manifests
            .insert("1".into(), (image(), MANIFEST.into()));
        let digest = Digest::of(&image());
        let layers: Vec<serde_json::Value> = evidence
            .iter()
            .filter_map(|one| memory.layer(one, &digest))
            .collect();
        if !layers.is_empty() {
            memory.manifests.insert(
                format!("sha256-{}.sig", digest.hex()),
                (manifest(&layers), MANIFEST.into()),
            );
        }
        let referrers: Vec<Referrer> = evidence
            .iter()
            .filter_map(|one| memory.referrer(one))
            .collect();
        memory.referrers.insert(digest.to_string(), referrers);
        memory
    }

    /// As a layer of the `.sig` tag.
    fn layer(&mut self, one: &Evidence, digest: &Digest) -> Option<serde_json::Value> {
        let (kind, content, signature) = match one {
            Evidence::Signed(seed, name) => (
                SIMPLE,
                payload(digest, name),
                sign(*seed, &payload(digest, name)),
            ),
            Evidence::OtherImage(seed) => (
                SIMPLE,
                payload(&Digest::of(b"another"), NAME),
                sign(*seed, &payload(&Digest::of(b"another"), NAME)),
            ),
            Evidence::BrokenSignature => (SIMPLE, payload(digest, NAME), "-".into()),
            Evidence::BrokenPayload(seed) => (SIMPLE, b"{".to_vec(), sign(*seed, b"{")),
            Evidence::Missing => (SIMPLE, b"not there".to_vec(), "MEUCIQ==".into()),
            Evidence::Attachment => ("text/plain", b"a text".to_vec(), String::new()),
            Evidence::Bundle(_) | Evidence::BrokenBundle(_) | Evidence::BrokenReferrer => {
                return None;
            }
        };
        let own = Digest::of(&content).to_string();
        if !matches!(one, Evidence::Missing) {
            self.blobs.insert(own.clone(), content.clone());
        }
        Some(
            serde_json::json!({"mediaType": kind, "digest": own, "size": content.len(), "annotations": {"dev.cosignproject.cosign/signature": signature}}),
        )
    }

    fn referrer(&mut self, one: &Evidence) -> Option<Referrer> {
        let content = match one {
            Evidence::Bundle(seed) => bundle(*seed),
            Evidence::BrokenBundle(seed) => String::from_utf8(bundle(*seed))
                .unwrap()
                .replace("payload\":\"ey", "payload\":\"fy")
                .into_bytes(),
            Evidence::BrokenReferrer => return Some(self.artifact(b"{".to_vec())),
            _ => return None,
        };
        let own = Digest::of(&content).to_string();
        let layer = serde_json::json!({"mediaType": BUNDLE, "digest": own, "size": content.len()});
        self.blobs.insert(own, content);
        Some(self.artifact(manifest(&[layer])))
    }

    fn artifact(&mut self, bytes: Vec<u8>) -> Referrer {
        let digest = Digest::of(&bytes);
        self.manifests
            .insert(digest.to_string(), (bytes, MANIFEST.into()));
        Referrer {
            digest,
            artifact_type: Some(BUNDLE.into()),
        }
    }
}

const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

fn manifest(layers: &[serde_json::Value]) -> Vec<u8> {
    let config = Digest::of(b"{}").to_string();
    serde_json::json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2}, "layers": layers}).to_string().into_bytes()
}

fn allows(rules: &Rules, memory: &Memory) -> bool {
    judge(memory, rules, NAME).finding.verdict == Verdict::Allow
}

fn any_evidence() -> impl Strategy<Value = Vec<Evidence>> {
    let names = select(vec![
        NAME,
        "registry.example/team/app",
        "registry.example/team/app:2",
        "other.example/x:1",
    ]);
    let one = prop_oneof![
        4 => (1u8..4, names).prop_map(|(seed, name)| Evidence::Signed(seed, name)),
        1 => (1u8..4).prop_map(Evidence::OtherImage),
        1 => Just(Evidence::BrokenSignature),
        1 => (1u8..4).prop_map(Evidence::BrokenPayload),
        1 => Just(Evidence::Missing),
        1 => Just(Evidence::Attachment),
        2 => (1u8..4).prop_map(Evidence::Bundle),
        1 => (1u8..4).prop_map(Evidence::BrokenBundle),
        1 => Just(Evidence::BrokenReferrer),
    ];
    proptest::collection::vec(one, 0..6)
}

/// A requirement that is decided, by usable keys: one that is not would reject everything by
/// itself.
fn any_requirement() -> impl Strategy<Value = String> {
    let identity = select(vec![
        r#"{"type":"matchExact"}"#,
        r#"{"type":"matchRepository"}"#,
        r#"{"type":"matchDigest"}"#,
        r#"{"type":"exactRepository","dockerRepository":"other.example/x"}"#,
    ]);
    let signed = (subsequence(vec![1u8, 2, 3], 1..=3), identity)
        .prop_map(|(seeds, identity)| signed_by(&seeds, identity));
    prop_oneof![8 => signed, 1 => Just(r#"{"type":"insecureAcceptAnything"}"#.to_owned()), 1 => Just(r#"{"type":"reject"}"#.to_owned())]
}

fn signed_by(seeds: &[u8], identity: &str) -> String {
    let keys: Vec<String> = seeds
        .iter()
        .map(|seed| format!("\"{}\"", key_data(*seed)))
        .collect();
    format!(
        r#"{{"type":"sigstoreSigned","keyDatas":[{}],"signedIdentity":{identity}}}"#,
        keys.join(",")
    )
}

const MARKER: &str = r#""sealgate":{"version":1},"#;

/// Texts of which many are references, in parts that people write.
fn any_reference() -> impl Strategy<Value = String> {
    let host = select(vec![
        "",
        "a.b/",
        "localhost/",
        "localhost:5000/",
        "docker.io/",
        "index.docker.io/",
        "A.b/",
        "a.b_c/",
        "[::1]:1/",
    ]);
    let path = select(vec![
        "busybox",
        "library/busybox",
        "library/a/b",
        "a/b",
        "a--b/c_d",
        "a__b",
        "A/b",
        "library",
        "docker.io/x",
        "a/b/c",
    ]);
    let tag = select(vec!["", ":1", ":latest", ":A.b-c", ":5000/x", ":"]);
    let digest = select(vec![
        String::new(),
        format!("@sha256:{}", "a".repeat(64)),
        format!("@sha512:{}", "b".repeat(128)),
        "@sha256:x".into(),
    ]);
    (host, path, tag, digest)
        .prop_map(|(host, path, tag, digest)| format!("{host}{path}{tag}{digest}"))
}

proptest! {
    /// The full spelling is read as itself; for a path without a host there is none.
    #[test]
    fn names_have_one_full_spelling(text in any_reference()) {
        let Ok(name) = Reference::normalize(&text, Grammar::Containers) else { return Ok(()) };
        if !name.domain().is_empty() {
            prop_assert_eq!(Reference::normalize(&name.to_string(), Grammar::Containers), Ok(name));
        }
    }

    /// Adding a requirement anywhere allows nothing new.
    #[test]
    fn another_requirement_allows_no_more(evidence in any_evidence(), list in proptest::collection::vec(any_requirement(), 1..3), more in any_requirement(), at: prop::sample::Index) {
        let memory = Memory::of(&evidence);
        let mut stricter = list.clone();
        stricter.insert(at.index(list.len() + 1), more);
        if allows(&policy(&stricter, MARKER), &memory) {
            prop_assert!(allows(&policy(&list, MARKER), &memory));
        }
    }

    /// Nor does trusting fewer keys, each usable.
    #[test]
    fn fewer_keys_allow_no_more(evidence in any_evidence(), seeds in subsequence(vec![1u8, 2, 3], 1..=2), identity in select(vec!["matchExact", "matchRepository", "matchDigest"])) {
        let memory = Memory::of(&evidence);
        let identity = format!(r#"{{"type":"{identity}"}}"#);
        if allows(&policy(&[signed_by(&seeds, &identity)], MARKER), &memory) {
            prop_assert!(allows(&policy(&[signed_by(&[1, 2, 3], &identity)], MARKER), &memory));
        }
    }

    /// docs/trust.md section 7: for requirements with new members, whole candidates that are taken
    /// away never turn Deny into
    /// Allow, and those that are added never turn Allow into Deny. The verdict says which
    /// candidates there were, and in
    /// no order.
    #[test]
    fn evidence_only_helps(evidence in any_evidence().prop_shuffle(), kept in proptest::collection::vec(any::<bool>(), 6), seeds in subsequence(vec![1u8, 2], 1..=2), any_name: bool) {
        let rules = policy(&[signed_by(&seeds, &format!(r#"{{"type":"matchDigest","anyName":{any_name}}}"#))], MARKER);
        let some: Vec<Evidence> = evidence.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(one, _)| one.clone()).collect();
        let (with_some, with_all) = (allows(&rules, &Memory::of(&some)), allows(&rules, &Memory::of(&evidence)));
        prop_assert!(!with_some || with_all);
        let satisfies = |one: &Evidence| match one {
            Evidence::Signed(seed, name) => seeds.contains(seed) && (any_name || name.starts_with("registry.example/team/app")),
            Evidence::Bundle(seed) => seeds.contains(seed),
            _ => false,
        };
        prop_assert_eq!(with_all, evidence.iter().any(satisfies));
        prop_assert_eq!(with_some, some.iter().any(satisfies));
    }

    /// A policy of people's, altered in some places: it is read and decides, or is refused by a
    /// code, in few words.
    #[test]
    fn altered_policies_are_read_or_refused(which in 0usize..4, changes in proptest::collection::vec((any::<prop::sample::Index>(), 0u8..6, any::<u8>()), 1..6)) {
        let mut bytes = real_policy(which);
        for (at, how, byte) in changes {
            alter(&mut bytes, at, how, byte);
        }
        match Policy::parse(&bytes) {
            Ok(policy) => {
                let assets: BTreeMap<String, Vec<u8>> = policy.asset_paths().into_iter().map(|path| (path.to_owned(), b"no key".to_vec())).collect();
                // The demo's policy names a trusted root, which these bytes are not.
                match Rules::policy(policy, assets) {
                    Ok(rules) => prop_assert!(!judge(&Memory::of(&[Evidence::Signed(1, NAME)]), &rules, NAME).finding.code.is_empty()),
                    Err(error) => prop_assert_eq!(error.code(), "root.unusable"),
                }
            }
            Err(error) => {
                prop_assert!(PolicyError::CODES.contains(&error.code()), "{}", error.code());
                prop_assert!(error.to_string().len() < 4_096, "{}", error);
            }
        }
    }
}

/// Policies as people have them, with and without the marker.
fn real_policy(which: usize) -> Vec<u8> {
    let key = key_data(1);
    match which {
        0 => support::read(support::fixtures().join("demo/policy.json")),
        1 => format!(r#"{{"default":[{{"type":"reject"}}],"transports":{{"docker":{{"registry.example":[{{"type":"sigstoreSigned","keyData":"{key}","signedIdentity":{{"type":"remapIdentity","prefix":"registry.example","signedPrefix":"other.example/x"}}}}],"":[{{"type":"insecureAcceptAnything"}}]}},"docker-daemon":{{"":[{{"type":"insecureAcceptAnything"}}]}},"dir":{{"/a/b":[{{"type":"reject"}}]}}}}}}"#).into_bytes(),
        2 => format!(r#"{{"sealgate":{{"version":1,"coverage":"instance","audit":["registry.example"]}},"default":[{{"type":"sigstoreSigned","keyDatas":["{key}"],"signedIdentity":{{"type":"matchDigest","anyName":true}}}},{{"type":"pinned","pins":{{"registry.example/team/app:1":"{}"}},"others":"allow"}}]}}"#, Digest::of(b"")).into_bytes(),
        _ => br#"{"default":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"/etc/pki/key"}],"transports":{"docker":{"*.example":[{"type":"sigstoreSigned","fulcio":{"caPath":"/ca","oidcIssuer":"https://i.example","subjectEmail":"e@x.example"},"rekorPublicKeyPath":"/rekor"}],"b.example":[{"type":"sigstoreSigned","pki":{"caRootsPath":"/roots","subjectHostname":"x.example"}}]}}}"#.to_vec(),
    }
}

fn alter(bytes: &mut Vec<u8>, at: prop::sample::Index, how: u8, byte: u8) {
    if bytes.is_empty() {
        return;
    }
    let at = at.index(bytes.len());
    match how {
        0 => bytes[at] = byte,
        1 => bytes.insert(at, byte),
        2 => drop(bytes.remove(at)),
        3 => bytes.truncate(at),
        // A part of it again, elsewhere.
        4 => {
            let part: Vec<u8> = bytes
                .iter()
                .skip(at)
                .take(usize::from(byte))
                .copied()
                .collect();
            let place = usize::from(byte) * 3 % bytes.len();
            bytes.splice(place..place, part);
        }
        _ => {
            let words: [&[u8]; 6] = [b"null", b"{}", b"[]", b"\"\"", b"1e999", b"\"\\ud800\""];
            bytes.splice(
                at..at,
                words[usize::from(byte) % words.len()].iter().copied(),
            );
        }
    }
}

/// At its bounds a policy is read, and one beyond refused: 1 MiB, and 64 levels (`equals` of our
/// vocabulary is any JSON).
#[test]
fn bounds_are_where_they_are_said_to_be() {
    let padded = |length: usize| {
        let text = r#"{"default":[{"type":"reject"}]}"#;
        format!("{text}{}", " ".repeat(length - text.len()))
    };
    let nested = |depth: usize| {
        // Five levels stand around the value: document, list, requirement, conditions, condition.
        let value = format!("{}{}", "[".repeat(depth - 5), "]".repeat(depth - 5));
        format!(
            r#"{{{MARKER}"default":[{{"type":"attested","predicateType":"https://p.example","keyData":"YQ==","conditions":[{{"pointer":"/a","equals":{value}}}]}}]}}"#
        )
    };
    let code =
        |text: &str| Policy::parse(text.as_bytes()).map_or_else(|error| error.code(), |_| "ok");
    for (text, expected) in [
        (padded(1 << 20), "ok"),
        (padded((1 << 20) + 1), "policy.too-large"),
        (nested(64), "ok"),
        (nested(65), "policy.json"),
        (nested(100_000), "policy.json"),
    ] {
        assert_eq!(code(&text), expected, "{} bytes", text.len());
    }
}
