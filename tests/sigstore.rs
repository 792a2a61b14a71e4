//! Bundles and tags with identities, timestamps and log entries, that real cosign made in a private Sigstore (`make fixtures`),
//! and bundles of the public instances: good under their root, for their identity, about their artifact, and for nothing else.

mod support;

use sealgate::crypto::RustCrypto;
use sealgate::digest::Digest;
use sealgate::sigstore::identity::Identity;
use sealgate::sigstore::verify::{Artifact, Thresholds};
use sealgate::verify::{BundleQuestion, Direct, NamedRoot, Rules, Signers, Verdict, public_keys};
use serde_json::Value;
use std::path::{Path, PathBuf};
use support::{block_on, fixtures, judge, read, Memory};

const GROUPS: [&str; 3] = ["public-good", "staging", "github"];

/// A folder of `fixtures/sigstore`, with what is asked of it.
struct Case {
    id: String,
    folder: PathBuf,
    facts: Value,
    bundle: Vec<u8>,
    root: Option<NamedRoot>,
    artifact: Artifact,
}

impl Case {
    fn read(folder: &Path) -> Self {
        let facts: Value = serde_json::from_slice(&read(folder.join("case.json"))).unwrap();
        let group = folder.parent().unwrap().file_name().unwrap().to_str().unwrap();
        let root = match facts["root"].as_str() {
            Some(name) => NamedRoot::read(name, &read(fixtures().join("sigstore").join(name))),
            None => NamedRoot::embedded(group),
        };
        let artifact = match std::fs::read(folder.join("artifact")) {
            Ok(bytes) => Artifact::Bytes(bytes),
            Err(_) => Artifact::Digest(Digest::parse(facts["digest"].as_str().unwrap()).unwrap()),
        };
        let bundle = std::fs::read(folder.join("bundle.json")).unwrap_or_default();
        Self { id: folder.file_name().unwrap().to_str().unwrap().into(), folder: folder.into(), facts, bundle, root: Some(root.unwrap()), artifact }
    }

    fn named(id: &str) -> Self {
        Self::read(&fixtures().join("sigstore").join(id))
    }

    fn kind(&self) -> &str {
        self.facts["kind"].as_str().unwrap()
    }

    fn is_image(&self) -> bool {
        self.folder.join("manifest.json").exists()
    }

    fn signers(&self) -> Signers {
        match self.facts["key"].as_str() {
            Some(key) => Signers::Keys(public_keys(&[read(self.folder.join(key))]).unwrap()),
            None => identity(self.facts["issuer"].as_str().unwrap_or("https://issuer.invalid"), self.facts["identity"].as_str().unwrap()),
        }
    }

    /// The code of the verdict; `accepted` when it is good.
    fn ask(&self, signers: Signers) -> String {
        let attested = self.kind().starts_with("attestation") || !self.is_image() && self.kind() == "image";
        let predicate_type = self.facts["predicateType"].as_str().filter(|_| attested).map(String::from);
        let direct = Direct { signers, root: self.root.clone(), predicate_type };
        if self.is_image() {
            let mut memory = Memory::case(&self.folder);
            self.replace_bundle(&mut memory);
            let report = judge(&memory, &Rules::direct(direct).unwrap(), "demo.example/app:1");
            return if report.verdict == Verdict::Allow { "accepted".into() } else { report.code.into() };
        }
        let question = BundleQuestion { bundle: self.bundle.clone(), artifact: self.artifact.clone(), direct, key_validity: None, thresholds: Thresholds::default() };
        match block_on(question.ask(&RustCrypto)).unwrap() {
            Ok(_) => "accepted".into(),
            Err(failure) => failure.code.into(),
        }
    }

    /// Hangs this case's bundle, which a test may have changed, on its image.
    fn replace_bundle(&self, memory: &mut Memory) {
        let Ok(referrer) = std::fs::read(self.folder.join("referrer-manifest.json")) else { return };
        let mut manifest: Value = serde_json::from_slice(&referrer).unwrap();
        let digest = Digest::of(&self.bundle).to_string();
        manifest["layers"][0]["size"] = self.bundle.len().into();
        manifest["layers"][0]["digest"] = digest.clone().into();
        let bytes = if self.bundle == read(self.folder.join("bundle.json")) { referrer.clone() } else { manifest.to_string().into_bytes() };
        memory.blobs.insert(digest, self.bundle.clone());
        for list in memory.referrers.values_mut().flatten() {
            list.digest = Digest::of(&bytes);
        }
        memory.manifests.insert(Digest::of(&bytes).to_string(), (bytes, support::MANIFEST.into()));
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.bundle).unwrap()
    }
}

fn identity(issuer: &str, subject: &str) -> Signers {
    Signers::Identities(vec![Identity::exact(issuer, subject).unwrap()])
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let all = std::fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = all.filter(|path| path.join("case.json").exists()).collect();
    folders.sort();
    folders
}

/// What a private Sigstore made.
fn private() -> Vec<Case> {
    let cases: Vec<Case> = folders(&fixtures().join("sigstore")).iter().map(|folder| Case::read(folder)).collect();
    assert_eq!(cases.len(), 13);
    cases
}

/// What the public instances, and GitHub's, made.
fn public() -> Vec<Case> {
    let cases: Vec<Case> = GROUPS.iter().flat_map(|group| folders(&fixtures().join("sigstore").join(group))).map(|folder| Case::read(&folder)).collect();
    assert_eq!(cases.len(), 14);
    cases
}

#[test]
fn what_cosign_made_is_good() {
    for case in private() {
        assert_eq!(case.ask(case.signers()), "accepted", "{}", case.id);
    }
}

#[test]
fn the_public_instances() {
    for case in public() {
        let expected = match case.id.as_str() {
            "v02-no-checkpoint_fail" => "bundle.shape",
            "v03-no-time_fail" => "sigstore.no-trusted-time",
            // Its certificate names no issuer: everything else about it holds.
            "release" => "sigstore.identity",
            _ => "accepted",
        };
        assert_eq!(case.ask(case.signers()), expected, "{}", case.id);
    }
}

#[test]
fn nothing_is_good_in_another_sigstore_of_the_same_names() {
    for mut case in private().into_iter().filter(|case| case.id != "attestation-tag-key") {
        case.root = Some(NamedRoot::read("other", &read(fixtures().join("sigstore/trusted_root.other.json"))).unwrap());
        assert_eq!(case.ask(case.signers()), "sigstore.log", "{}", case.id);
    }
}

#[test]
fn a_log_that_the_root_lists_is_demanded_of_tags_too() {
    for mut case in private().into_iter().filter(|case| case.kind().ends_with("-tag")) {
        case.root = Some(NamedRoot::read("root", &read(fixtures().join("sigstore/trusted_root.json"))).unwrap());
        assert_eq!(case.ask(case.signers()), "sigstore.log", "{}", case.id);
    }
}

#[test]
fn only_the_identity_that_signed() {
    for case in private().into_iter().chain(public()).filter(|case| case.facts["issuer"].is_string() && !case.id.ends_with("_fail")) {
        let (issuer, subject) = (case.facts["issuer"].as_str().unwrap(), case.facts["identity"].as_str().unwrap());
        for (issuer, subject) in [(format!("{issuer}/"), subject.to_owned()), (issuer.to_owned(), format!("{subject}x")), (subject.to_owned(), issuer.to_owned())] {
            assert_eq!(case.ask(identity(&issuer, &subject)), "sigstore.identity", "{}: {subject} by {issuer}", case.id);
        }
    }
}

#[test]
fn a_key_is_no_identity_and_an_identity_no_key() {
    let stranger = || Signers::Keys(public_keys(&[read(fixtures().join("demo/cosign.pub"))]).unwrap());
    for case in private() {
        assert_ne!(case.ask(stranger()), "accepted", "{}", case.id);
        if case.facts["key"].is_string() {
            assert_ne!(case.ask(Case::named("blob-ci").signers()), "accepted", "{}", case.id);
        }
    }
}

#[test]
fn only_the_artifact_that_was_signed() {
    for mut case in private().into_iter().chain(public()).filter(|case| !case.is_image() && !case.id.ends_with("_fail")) {
        case.artifact = Artifact::Bytes(b"something else".to_vec());
        // A log entry is about the same bytes, and is looked at first.
        let expected = if case.facts["predicateType"].is_string() { "sigstore.artifact" } else { "log-body.digest" };
        assert_eq!(case.ask(case.signers()), expected, "{}", case.id);
    }
}

type Change = fn(&mut Value, &Value);

/// One change to a good bundle each; the second value is another bundle of the same signer.
const MUTATIONS: &[(&str, Change, &str)] = &[
    ("no log entry", |it, _| it["verificationMaterial"]["tlogEntries"] = Value::Array(vec![]), "sigstore.log"),
    ("the log entry twice", |it, _| { let entry = entry(it).clone(); it["verificationMaterial"]["tlogEntries"].as_array_mut().unwrap().push(entry); }, "log-entry.repeated"),
    ("another signature's log entry", |it, other| *entry(it) = other["verificationMaterial"]["tlogEntries"][0].clone(), "log-body.digest"),
    ("an unlisted log", |it, _| entry(it)["logId"]["keyId"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into(), "sigstore.log"),
    ("no proof", |it, _| { entry(it).as_object_mut().unwrap().remove("inclusionProof"); }, "bundle.shape"),
    ("no checkpoint", |it, _| { proof(it).as_object_mut().unwrap().remove("checkpoint"); }, "bundle.shape"),
    ("another checkpoint", |it, other| proof(it)["checkpoint"] = other["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["checkpoint"].clone(), "proof.stated"),
    ("another tree size", |it, _| proof(it)["treeSize"] = "1000".into(), "proof.stated"),
    ("another index", |it, _| proof(it)["logIndex"] = "0".into(), "proof.stated"),
    ("a hash less", |it, _| { proof(it)["hashes"].as_array_mut().unwrap().pop(); }, "proof.length"),
    ("a hash changed", |it, _| proof(it)["hashes"][0] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into(), "proof.root"),
    ("another root hash", |it, _| proof(it)["rootHash"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into(), "proof.stated"),
    ("another entry's body", |it, other| entry(it)["canonicalizedBody"] = other["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"].clone(), "log-body.digest"),
    ("another kind of entry", |it, _| entry(it)["kindVersion"]["kind"] = "dsse".into(), "log-entry.kind-version"),
    ("another version of entry", |it, _| entry(it)["kindVersion"]["version"] = "0.0.1".into(), "log-entry.kind-version"),
    ("no timestamp", |it, _| it["verificationMaterial"]["timestampVerificationData"] = Value::Object(Default::default()), "sigstore.no-trusted-time"),
    ("the timestamp twice", |it, _| { let stamp = stamps(it)[0].clone(); stamps(it).push(stamp); }, "bundle.shape"),
    ("another signature's timestamp", |it, other| it["verificationMaterial"]["timestampVerificationData"] = other["verificationMaterial"]["timestampVerificationData"].clone(), "timestamp.imprint"),
    ("another certificate of the signer", |it, other| it["verificationMaterial"]["certificate"] = other["verificationMaterial"]["certificate"].clone(), "log-body.verifier"),
    ("a key's hint instead of the certificate", |it, _| {
        it["verificationMaterial"].as_object_mut().unwrap().remove("certificate");
        it["verificationMaterial"]["publicKey"]["hint"] = "x".into();
    }, "sigstore.material"),
    ("another version of the bundle", |it, _| it["mediaType"] = "application/vnd.dev.sigstore.bundle.v0.4+json".into(), "bundle.media-type"),
];

fn entry(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"][0]
}

fn proof(bundle: &mut Value) -> &mut Value {
    &mut entry(bundle)["inclusionProof"]
}

fn stamps(bundle: &mut Value) -> &mut Vec<Value> {
    bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"].as_array_mut().unwrap()
}

#[test]
fn each_mutation_has_its_code() {
    for (id, other) in [("blob-ci", "blob-email"), ("image-ci", "image-email"), ("attestation-provenance", "attestation-cyclonedx")] {
        let other = Case::named(other).json();
        for (what, change, code) in MUTATIONS {
            let mut case = Case::named(id);
            let mut bundle = case.json();
            change(&mut bundle, &other);
            assert_ne!(bundle, case.json(), "{id}: {what} changed nothing");
            case.bundle = bundle.to_string().into_bytes();
            assert_eq!(case.ask(case.signers()), *code, "{id}: {what}");
        }
    }
}

#[test]
fn another_signature_in_the_same_wrapping() {
    for (id, other, code) in [
        ("blob-ci", "blob-email", "log-body.signature"),
        ("image-ci", "image-email", "log-body.digest"),
        // Another predicate's envelope: nothing of the type that is asked for.
        ("attestation-provenance", "attestation-cyclonedx", "attestation.missing"),
    ] {
        let mut case = Case::named(id);
        let (mut bundle, other) = (case.json(), Case::named(other).json());
        let content = if bundle["messageSignature"].is_object() { "messageSignature" } else { "dsseEnvelope" };
        bundle[content] = other[content].clone();
        case.bundle = bundle.to_string().into_bytes();
        assert_eq!(case.ask(case.signers()), code, "{id}");
    }
}
