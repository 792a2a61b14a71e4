//! The cases of fixtures/sigstore as the commands ask about them, images and tags whole: good under
//! their root, for their identity, about their artifact, and for nothing else.

use crate::support::{Memory, block_on, fixtures, judge, read};
use sealgate::internals::crypto::RustCrypto;
use sealgate::internals::digest::Digest;
use sealgate::internals::sigstore::identity::Identity;
use sealgate::internals::sigstore::verify::{Artifact, Thresholds};
use sealgate::internals::verify::{
    BundleQuestion, ClaimWanted, Direct, NamedRoot, Rules, Signers, Verdict, public_keys,
};
use serde_json::Value;
use std::path::{Path, PathBuf};

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
        let group = folder
            .parent()
            .unwrap()
            .file_name()
            .unwrap()
            .to_str()
            .unwrap();
        let root = match facts["root"].as_str() {
            Some(name) => NamedRoot::read(name, &read(fixtures().join("sigstore").join(name))),
            None => NamedRoot::embedded(group),
        };
        let artifact = match std::fs::read(folder.join("artifact")) {
            Ok(bytes) => Artifact::Bytes(bytes),
            Err(_) => Artifact::Digest(Digest::parse(facts["digest"].as_str().unwrap()).unwrap()),
        };
        let bundle = std::fs::read(folder.join("bundle.json")).unwrap_or_default();
        Self {
            id: folder.file_name().unwrap().to_str().unwrap().into(),
            folder: folder.into(),
            facts,
            bundle,
            root: Some(root.unwrap()),
            artifact,
        }
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
            Some(key) => Signers::Keys(public_keys(&[read(self.folder.join(key))], &[]).unwrap()),
            None => identity(
                self.facts["issuer"]
                    .as_str()
                    .unwrap_or("https://issuer.invalid"),
                self.facts["identity"].as_str().unwrap(),
            ),
        }
    }

    /// The code of the verdict; `accepted` when it is good.
    fn ask(&self, signers: Signers) -> String {
        let attested =
            self.kind().starts_with("attestation") || !self.is_image() && self.kind() == "image";
        let predicate_type = self.facts["predicateType"]
            .as_str()
            .filter(|_| attested)
            .map(String::from);
        let direct = Direct {
            root: self.root.clone(),
            predicate_type,
            ..Direct::by(signers)
        };
        if self.is_image() {
            let report = judge(
                &Memory::case(&self.folder),
                &Rules::direct(direct).unwrap(),
                &format!("demo.example/fixtures/sigstore-{}:1", self.id),
            );
            return if report.finding.verdict == Verdict::Allow {
                "accepted".into()
            } else {
                report.finding.code.into()
            };
        }
        let question = BundleQuestion {
            bundle: self.bundle.clone(),
            artifact: self.artifact.clone(),
            direct,
            key_validity: None,
            thresholds: Thresholds::default(),
            wanted: ClaimWanted::Any,
        };
        match block_on(question.ask(&RustCrypto)).unwrap() {
            Ok(_) => "accepted".into(),
            Err(failure) => failure.code.into(),
        }
    }
}

fn identity(issuer: &str, subject: &str) -> Signers {
    Signers::Identities(vec![Identity::exact(issuer, subject).unwrap()])
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let all = std::fs::read_dir(of)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = all.filter(|path| path.join("case.json").exists()).collect();
    folders.sort();
    folders
}

/// What a private Sigstore made.
fn private() -> Vec<Case> {
    let cases: Vec<Case> = folders(&fixtures().join("sigstore"))
        .iter()
        .map(|folder| Case::read(folder))
        .collect();
    assert_eq!(cases.len(), 13);
    cases
}

/// What the public instances, and GitHub's, made.
fn public() -> Vec<Case> {
    let cases: Vec<Case> = GROUPS
        .iter()
        .flat_map(|group| folders(&fixtures().join("sigstore").join(group)))
        .map(|folder| Case::read(&folder))
        .collect();
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
    for mut case in private()
        .into_iter()
        .filter(|case| case.id != "attestation-tag-key")
    {
        case.root = Some(
            NamedRoot::read(
                "other",
                &read(fixtures().join("sigstore/trusted_root.other.json")),
            )
            .unwrap(),
        );
        assert_eq!(case.ask(case.signers()), "sigstore.log", "{}", case.id);
    }
}

#[test]
fn a_log_that_the_root_lists_is_demanded_of_tags_too() {
    for mut case in private()
        .into_iter()
        .filter(|case| case.kind().ends_with("-tag"))
    {
        case.root = Some(
            NamedRoot::read("root", &read(fixtures().join("sigstore/trusted_root.json"))).unwrap(),
        );
        assert_eq!(case.ask(case.signers()), "sigstore.log", "{}", case.id);
    }
}

#[test]
fn only_the_identity_that_signed() {
    for case in private()
        .into_iter()
        .chain(public())
        .filter(|case| case.facts["issuer"].is_string() && !case.id.ends_with("_fail"))
    {
        let (issuer, subject) = (
            case.facts["issuer"].as_str().unwrap(),
            case.facts["identity"].as_str().unwrap(),
        );
        for (issuer, subject) in [
            (format!("{issuer}/"), subject.to_owned()),
            (issuer.to_owned(), format!("{subject}x")),
            (subject.to_owned(), issuer.to_owned()),
        ] {
            assert_eq!(
                case.ask(identity(&issuer, &subject)),
                "sigstore.identity",
                "{}: {subject} by {issuer}",
                case.id
            );
        }
    }
}

#[test]
fn a_key_is_no_identity_and_an_identity_no_key() {
    let stranger =
        || Signers::Keys(public_keys(&[read(fixtures().join("demo/cosign.pub"))], &[]).unwrap());
    for case in private() {
        assert_ne!(case.ask(stranger()), "accepted", "{}", case.id);
        if case.facts["key"].is_string() {
            assert_ne!(
                case.ask(Case::named("blob-ci").signers()),
                "accepted",
                "{}",
                case.id
            );
        }
    }
}

#[test]
fn only_the_artifact_that_was_signed() {
    for mut case in private()
        .into_iter()
        .chain(public())
        .filter(|case| !case.is_image() && !case.id.ends_with("_fail"))
    {
        case.artifact = Artifact::Bytes(b"something else".to_vec());
        assert_eq!(case.ask(case.signers()), "sigstore.artifact", "{}", case.id);
    }
}
