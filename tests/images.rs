//! Whole images against real rules, on fixtures that real cosign made (`make fixtures`).

#[path = "images/demands.rs"]
mod demands;
#[path = "images/names.rs"]
mod names;
#[path = "images/pins.rs"]
mod pins;
#[path = "images/platforms.rs"]
mod platforms;
#[path = "images/reports.rs"]
mod reports;
#[path = "images/requests.rs"]
mod requests;
#[path = "images/steps.rs"]
mod steps;
mod support;

use sealgate::internals::crypto::PublicKey;
use sealgate::internals::digest::Digest;
use sealgate::internals::encoding::pem;
use sealgate::internals::oci::Document;
use sealgate::internals::verify::{
    EvidenceDocument, Frame, Mirrors, Out, Report, Rules, Trusted, Verdict, collect, first_policy,
};
use sealgate::policy::Policy;
use support::{Memory, block_on, demo_assets, demo_rules, fixtures, judge, key_rules, read};

fn demo(repository: &str) -> Memory {
    let mut memory = Memory::layout(&fixtures().join("demo").join(repository));
    let lookaside = fixtures().join("demo/lookaside/demo");
    for entry in std::fs::read_dir(lookaside).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap();
        if let Some((_, digest)) = name.split_once('@').filter(|(own, _)| *own == repository) {
            let signatures = vec![read(folder.join("signature-1"))];
            memory.simple.insert(digest.replace('=', ":"), signatures);
        }
    }
    memory
}

fn judged(archive: &Memory, repository: &str) -> Report {
    // Loading a trusted root verifies it, which is too slow for every flipped bit.
    thread_local! { static RULES: Rules = demo_rules(); }
    RULES.with(|rules| {
        judge(
            archive,
            rules,
            &format!("demo.example/demo/{repository}:1.0"),
        )
    })
}

#[test]
fn the_demo_under_its_policy() {
    for (repository, verdict, code) in [
        ("signed", Verdict::Allow, "signature.accepted"),
        ("bundle", Verdict::Allow, "signature.accepted"),
        ("multi", Verdict::Allow, "signature.accepted"),
        ("keyless", Verdict::Allow, "signature.accepted"),
        ("attested", Verdict::Allow, "signature.accepted"),
        ("unsigned", Verdict::Deny, "signature.missing"),
        ("wrong-key", Verdict::Deny, "signature.invalid"),
        ("tampered", Verdict::Deny, "digest.mismatch"),
        ("copied", Verdict::Deny, "identity.not-accepted"),
        ("other-digest", Verdict::Deny, "digest.not-signed"),
        ("gpg", Verdict::Allow, "signature.accepted"),
        ("gpg-wrong-key", Verdict::Deny, "openpgp.unknown-key"),
        ("gpg-expired", Verdict::Deny, "openpgp.key-expired"),
        ("gpg-copied", Verdict::Deny, "identity.not-accepted"),
    ] {
        let report = judged(&demo(repository), repository);
        assert_eq!(
            (report.finding.verdict, report.finding.code),
            (verdict, code),
            "{repository}: {}",
            report.finding.message
        );
    }
}

#[test]
fn every_case_of_the_fixtures() {
    let list: serde_json::Value =
        serde_json::from_slice(&read(fixtures().join("cosign/cases.json"))).unwrap();
    let cases = list
        .as_array()
        .or_else(|| list["cases"].as_array())
        .unwrap();
    assert!(cases.len() >= 26);
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let folder = fixtures().join("cosign").join(id);
        let report = judge(
            &Memory::case(&folder),
            &key_rules(&folder.join("key.pub")),
            &format!("demo.example/fixtures/{id}:1"),
        );
        let expected = if case["outcome"] == "allow" {
            Verdict::Allow
        } else {
            Verdict::Deny
        };
        assert_eq!(
            report.finding.verdict, expected,
            "{id}: {} {}",
            report.finding.code, report.finding.message
        );
        if id.contains("-ph_fail") || id.contains("-sha384_fail") || id.contains("-sha512_fail") {
            assert_eq!(report.finding.code, "cosign.other-hash", "{id}");
        }
        if id.contains("attestation") {
            assert_eq!(
                report.requirements[0].candidates[0].reason.code,
                "bundle.predicate-type"
            );
        }
    }
}

fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..bytes.len() * 8).map(|bit| {
        let mut copy = bytes.to_vec();
        copy[bit / 8] ^= 1 << (bit % 8);
        copy
    })
}

/// The parts of a `.sig` image: image manifest, signature manifest, payload.
fn parts(memory: &Memory) -> (Vec<u8>, serde_json::Value, Vec<u8>) {
    let image = memory.manifests["1.0"].0.clone();
    let signature: serde_json::Value = serde_json::from_slice(
        &memory.manifests[&format!("sha256-{}.sig", Digest::of(&image).hex())].0,
    )
    .unwrap();
    let payload = memory.blobs[signature["layers"][0]["digest"].as_str().unwrap()].clone();
    (image, signature, payload)
}

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// A registry that serves this payload and signature for whatever is asked.
fn hostile(base: &Memory, image: &[u8], signature: &serde_json::Value, payload: &[u8]) -> Memory {
    let mut memory = base.clone();
    memory.told.clear();
    memory.manifests.get_mut("1.0").unwrap().0 = image.into();
    let mut manifest = signature.clone();
    let digest = Digest::of(payload).to_string();
    manifest["layers"][0]["digest"] = digest.clone().into();
    manifest["layers"][0]["size"] = payload.len().into();
    memory.blobs.insert(digest, payload.into());
    memory.any_signature = Some(manifest.to_string().into_bytes());
    memory
}

#[test]
fn any_flipped_bit_of_signature_payload_manifest_or_index_is_refused() {
    for repository in ["signed", "multi"] {
        let base = demo(repository);
        let (image, signature, payload) = parts(&base);
        assert_eq!(
            judged(&hostile(&base, &image, &signature, &payload), repository)
                .finding
                .verdict,
            Verdict::Allow
        );
        let refused = |memory: Memory, what: &str, at: usize| {
            let report = judged(&memory, repository);
            assert_ne!(
                report.finding.verdict,
                Verdict::Allow,
                "{repository}: {what}, bit {at}"
            );
        };
        for (at, altered) in flips(&image).enumerate() {
            refused(
                hostile(&base, &altered, &signature, &payload),
                "manifest",
                at,
            );
        }
        for (at, altered) in flips(&payload).enumerate() {
            refused(hostile(&base, &image, &signature, &altered), "payload", at);
        }
        let text = signature["layers"][0]["annotations"][SIGNATURE]
            .as_str()
            .unwrap();
        let decoded = sealgate::internals::encoding::base64::decode(text).unwrap();
        for (at, altered) in flips(&decoded).enumerate() {
            let mut manifest = signature.clone();
            manifest["layers"][0]["annotations"][SIGNATURE] =
                sealgate::internals::encoding::base64::encode(&altered).into();
            refused(hostile(&base, &image, &manifest, &payload), "signature", at);
        }
    }
}

#[test]
fn any_flipped_bit_of_the_key_is_refused() {
    let memory = demo("signed");
    let key = PublicKey::from_pem(&read(fixtures().join("demo/cosign.pub"))).unwrap();
    for (at, altered) in flips(key.spki_der()).enumerate() {
        let text = pem::encode("PUBLIC KEY", &altered).into_bytes();
        let Ok(rules) = Rules::keys(&[text]) else {
            continue;
        };
        assert_ne!(
            judge(&memory, &rules, "demo.example/demo/signed:1.0")
                .finding
                .verdict,
            Verdict::Allow,
            "bit {at}"
        );
    }
}

/// Whatever is altered in an evidence document: it never admits what is not signed, and never
/// panics.
#[test]
fn flips_elsewhere_never_admit() {
    for repository in ["wrong-key", "copied", "other-digest"] {
        let base = demo(repository);
        let (image, signature, payload) = parts(&base);
        let original = signature.to_string().into_bytes();
        for altered in flips(&original) {
            let mut memory = hostile(&base, &image, &signature, &payload);
            memory.any_signature = Some(altered);
            assert_ne!(
                judged(&memory, repository).finding.verdict,
                Verdict::Allow,
                "{repository}"
            );
        }
    }
    // And what is signed is never turned into something else by a panic.
    let base = demo("signed");
    let (image, signature, payload) = parts(&base);
    for altered in flips(&signature.to_string().into_bytes()) {
        let mut memory = hostile(&base, &image, &signature, &payload);
        memory.any_signature = Some(altered);
        judged(&memory, "signed");
    }
}

#[test]
fn any_flipped_bit_of_a_bundles_signature_or_payload_is_refused_and_no_flip_panics() {
    let base = demo("bundle");
    let image = base.manifests["1.0"].0.clone();
    let list: serde_json::Value =
        serde_json::from_slice(&base.manifests[&format!("sha256-{}", Digest::of(&image).hex())].0)
            .unwrap();
    let referrer: serde_json::Value =
        serde_json::from_slice(&base.manifests[list["manifests"][0]["digest"].as_str().unwrap()].0)
            .unwrap();
    let bundle = base.blobs[referrer["layers"][0]["digest"].as_str().unwrap()].clone();
    let with = |bundle: &[u8]| {
        let mut memory = base.clone();
        let mut manifest = referrer.clone();
        let digest = Digest::of(bundle).to_string();
        manifest["layers"][0]["digest"] = digest.clone().into();
        manifest["layers"][0]["size"] = bundle.len().into();
        memory.blobs.insert(digest, bundle.into());
        let bytes = manifest.to_string().into_bytes();
        let digest = Digest::of(&bytes);
        memory
            .manifests
            .insert(digest.to_string(), (bytes, support::MANIFEST.into()));
        memory.any_referrers = Some(vec![sealgate::internals::verify::Referrer {
            digest,
            artifact_type: None,
        }]);
        memory
    };
    let value: serde_json::Value = serde_json::from_slice(&bundle).unwrap();
    assert_eq!(
        judged(&with(value.to_string().as_bytes()), "bundle")
            .finding
            .verdict,
        Verdict::Allow
    );
    for path in ["/dsseEnvelope/payload", "/dsseEnvelope/signatures/0/sig"] {
        let decoded = sealgate::internals::encoding::base64::decode(
            value.pointer(path).unwrap().as_str().unwrap(),
        )
        .unwrap();
        for (at, altered) in flips(&decoded).enumerate() {
            let mut changed = value.clone();
            *changed.pointer_mut(path).unwrap() =
                sealgate::internals::encoding::base64::encode(&altered).into();
            assert_ne!(
                judged(&with(changed.to_string().as_bytes()), "bundle")
                    .finding
                    .verdict,
                Verdict::Allow,
                "{path}, bit {at}"
            );
        }
    }
    for altered in flips(&bundle) {
        judged(&with(&altered), "bundle");
    }
    // Bound to this image: the same bundle on another image.
    let mut other = with(&bundle);
    other.told.clear();
    other
        .manifests
        .insert("1.0".into(), demo("unsigned").manifests["1.0"].clone());
    let report = judged(&other, "bundle");
    assert_eq!(
        (report.finding.verdict, report.finding.code),
        (Verdict::Deny, "digest.not-signed")
    );
}

/// Removing evidence never admits; adding it never takes an admission away (docs/trust.md section
/// 7, requirements of ours).
#[test]
fn evidence_is_monotone() {
    let base = demo("bundle");
    assert_eq!(judged(&base, "bundle").finding.verdict, Verdict::Allow);
    let removable: Vec<String> = base
        .manifests
        .keys()
        .filter(|key| *key != "1.0")
        .cloned()
        .collect();
    for gone in removable {
        let mut memory = demo("wrong-key");
        memory.manifests.remove(&gone);
        assert_ne!(judged(&memory, "bundle").finding.verdict, Verdict::Allow);
    }
    for junk in [
        b"{}".to_vec(),
        b"junk".to_vec(),
        demo("wrong-key").manifests["1.0"].0.clone(),
    ] {
        let mut memory = base.clone();
        memory.any_signature = Some(junk);
        assert_eq!(judged(&memory, "bundle").finding.verdict, Verdict::Allow);
    }
}

/// GHSA-95pr-fxf5-86gv, CVE-2023-46737: endless signatures; GHSA-88jx-383q-w4qc: a layer that
/// claims to be huge.
#[test]
fn too_much_evidence_is_could_not_find_out() {
    let base = demo("wrong-key");
    let (image, signature, payload) = parts(&base);
    let mut many = signature.clone();
    many["layers"] = vec![signature["layers"][0].clone(); 1_001].into();
    let mut memory = hostile(&base, &image, &signature, &payload);
    memory.any_signature = Some(many.to_string().into_bytes());
    let report = judged(&memory, "wrong-key");
    assert_eq!(
        (report.finding.verdict, report.finding.code),
        (Verdict::Unknown, "limit.evidence")
    );
    let mut huge = signature.clone();
    huge["layers"][0]["size"] = (5 << 20).into();
    memory.any_signature = Some(huge.to_string().into_bytes());
    let report = judged(&memory, "wrong-key");
    assert_eq!(
        (report.finding.verdict, report.finding.code),
        (Verdict::Unknown, "limit.evidence")
    );
}

/// GHSA-vfp6-jrw2-99g9: endless attestations.
#[test]
fn too_many_referrers_are_could_not_find_out() {
    let mut memory = demo("unsigned");
    let list = (0..100_000_u32).map(|number| sealgate::internals::verify::Referrer {
        digest: Digest::of(&number.to_be_bytes()),
        artifact_type: None,
    });
    memory.any_referrers = Some(list.collect());
    let report = judge(
        &memory,
        &key_rules(&fixtures().join("demo/cosign.pub")),
        "demo.example/demo/unsigned:1.0",
    );
    assert_eq!(
        (report.finding.verdict, report.finding.code),
        (Verdict::Unknown, "limit.evidence")
    );
}

/// An evidence document in one piece.
#[derive(Default)]
struct Written(std::cell::RefCell<String>);

impl Out for Written {
    async fn begin(&self) {}

    async fn put(&self, piece: String) -> bool {
        self.0.borrow_mut().push_str(&piece);
        true
    }

    async fn pause(&self) {}
}

/// The verdict reached on recorded answers is the verdict on the registry.
#[test]
fn recorded_evidence_gives_the_same_verdict() {
    for repository in [
        "signed",
        "bundle",
        "multi",
        "unsigned",
        "wrong-key",
        "tampered",
        "copied",
        "other-digest",
    ] {
        let memory = demo(repository);
        let written = Written::default();
        assert!(
            block_on(collect(
                &memory,
                &Frame {
                    reference: "1.0".into(),
                    ..Frame::default()
                },
                &written
            ))
            .unwrap()
        );
        let document = EvidenceDocument::parse(written.0.borrow().as_bytes()).unwrap();
        let name = format!("demo.example/demo/{repository}:1.0");
        let (live, replayed) = (
            judge(&memory, &demo_rules(), &name),
            judge(&document, &demo_rules(), &name),
        );
        assert_eq!(live, replayed, "{repository}");
    }
}

#[test]
fn a_first_policy_admits_its_image() {
    let key = fixtures().join("demo/cosign.pub");
    for (repository, key) in [
        ("signed", &key),
        ("bundle", &fixtures().join("demo/bundle.pub")),
        ("multi", &key),
    ] {
        let text = format!("demo.example/demo/{repository}:1.0");
        let report = judge(&demo(repository), &key_rules(key), &text);
        let name = sealgate::internals::reference::Reference::normalize(
            &text,
            sealgate::internals::reference::Grammar::Containers,
        )
        .unwrap();
        let policy = first_policy(&report, &name, Trusted::Key("k.pub"), Mirrors::Refuse).unwrap();
        let rules = Rules::policy(
            Policy::parse(policy.as_bytes()).unwrap(),
            [("k.pub".to_owned(), read(key))].into(),
        )
        .unwrap();
        assert_eq!(
            judge(&demo(repository), &rules, &text).finding.verdict,
            Verdict::Allow,
            "{policy}"
        );
    }
    let report = judge(
        &demo("unsigned"),
        &key_rules(&key),
        "demo.example/demo/unsigned:1.0",
    );
    let name = sealgate::internals::reference::Reference::normalize(
        "demo.example/demo/unsigned:1.0",
        sealgate::internals::reference::Grammar::Containers,
    )
    .unwrap();
    assert!(first_policy(&report, &name, Trusted::Key("k.pub"), Mirrors::Refuse).is_err());
}

/// Without the marker an index is a list: each image of it must be signed (docs/trust.md section
/// 8).
#[test]
fn coverage_follows_the_marker() {
    let text = String::from_utf8(read(fixtures().join("demo/policy.json"))).unwrap();
    let mut policy: serde_json::Value = serde_json::from_str(&text).unwrap();
    let rules = |policy: &serde_json::Value| {
        Rules::policy(
            Policy::parse(policy.to_string().as_bytes()).unwrap(),
            demo_assets(),
        )
        .unwrap()
    };
    policy["sealgate"]["coverage"] = "instance".into();
    let report = judge(
        &demo("multi"),
        &rules(&policy),
        "demo.example/demo/multi:1.0",
    );
    assert_eq!(
        (
            report.finding.verdict,
            report.finding.code,
            report.instances.len()
        ),
        (Verdict::Deny, "signature.missing", 2)
    );
    assert!(matches!(
        sealgate::internals::oci::Document::parse(&demo("multi").manifests["1.0"].0, None),
        Ok(Document::Index(_))
    ));
}

/// The TypeScript union of codes is the list that the core can give.
#[test]
fn codes_are_in_the_types() {
    let mut codes: Vec<&str> = sealgate::gateway::codes().collect();
    codes.sort_unstable();
    codes.dedup();
    let lines: String = codes
        .iter()
        .map(|code| format!("\n  | \"{code}\""))
        .collect();
    let expected = format!(
        "// Every code that the core can give; `UPDATE=1 cargo test --test images codes` writes \
         it.\nexport type Code ={lines};\n"
    );
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write("js/codes.d.ts", &expected).unwrap();
    }
    assert_eq!(String::from_utf8(read("js/codes.d.ts")).unwrap(), expected);
}
