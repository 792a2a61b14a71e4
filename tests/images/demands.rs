//! What may be demanded without a policy beside one good signature: annotations, and each of
//! several keys.

use super::*;
use sealgate::internals::crypto::RustCrypto;
use sealgate::internals::error::Coded;
use sealgate::internals::sigstore::identity::Identity;
use sealgate::internals::sigstore::verify::{Artifact, Thresholds};
use sealgate::internals::verify::{BundleQuestion, ClaimWanted, Direct, Signers, public_keys};

fn keys(files: &[&str]) -> Direct {
    let pem: Vec<Vec<u8>> = files
        .iter()
        .map(|file| read(fixtures().join(file)))
        .collect();
    Direct::by(Signers::Keys(public_keys(&pem, &[]).unwrap()))
}

fn annotated(wanted: &[(&str, &str)]) -> Direct {
    let own = |(name, value): &(&str, &str)| ((*name).into(), (*value).into());
    Direct {
        annotations: wanted.iter().map(own).collect(),
        ..keys(&["cosign/ecdsa-p256-signature-annotations/key.pub"])
    }
}

#[test]
fn annotations_are_compared_with_what_was_signed() {
    let name = "demo.example/fixtures/ecdsa-p256-signature-annotations:1";
    let image = Memory::case(&fixtures().join("cosign/ecdsa-p256-signature-annotations"));
    let (build, other) = (("build", "42"), ("name with space", "ö"));
    for (wanted, code) in [
        (&[][..], "signature.accepted"),
        (&[build], "signature.accepted"),
        (&[build, other], "signature.accepted"),
        (&[("build", "43")], "annotation.missing"),
        (&[("build", "4")], "annotation.missing"),
        (&[("build", "")], "annotation.missing"),
        (&[("Build", "42")], "annotation.missing"),
        (&[build, ("team", "red")], "annotation.missing"),
    ] {
        let rules = Rules::direct(annotated(wanted)).unwrap();
        let report = judge(&image, &rules, name);
        assert_eq!(
            report.finding.code, code,
            "{wanted:?}: {}",
            report.finding.message
        );
        assert_eq!(
            report.finding.verdict == Verdict::Allow,
            code == "signature.accepted"
        );
    }
}

#[test]
fn a_bundle_has_no_annotations_that_could_be_compared() {
    let direct = Direct {
        annotations: vec![("build".into(), "42".into())],
        ..keys(&["demo/bundle.pub"])
    };
    let report = judge(
        &demo("bundle"),
        &Rules::direct(direct).unwrap(),
        "demo.example/demo/bundle:1.0",
    );
    assert_eq!(
        (report.finding.verdict, report.finding.code),
        (Verdict::Deny, "annotation.unsupported")
    );
}

#[test]
fn one_of_the_keys_or_each_of_them() {
    const GOOD: &str = "demo/cosign.pub";
    const OTHER: &str = "demo/bundle.pub";
    for (files, all_keys, code) in [
        (&[GOOD][..], true, "signature.accepted"),
        (&[GOOD, OTHER], false, "signature.accepted"),
        (&[OTHER, GOOD], false, "signature.accepted"),
        (&[GOOD, OTHER], true, "signature.invalid"),
        (&[OTHER, GOOD], true, "signature.invalid"),
    ] {
        let rules = Rules::direct(Direct {
            all_keys,
            ..keys(files)
        });
        let report = judge(
            &demo("signed"),
            &rules.unwrap(),
            "demo.example/demo/signed:1.0",
        );
        assert_eq!(report.finding.code, code, "{files:?} {all_keys}");
        assert_eq!(report.verified, code == "signature.accepted");
    }
}

#[test]
fn no_demand_at_all_is_no_reason_to_allow() {
    for all_keys in [false, true] {
        let direct = Direct {
            all_keys,
            ..Direct::by(Signers::Keys(Vec::new()))
        };
        let report = judge(
            &demo("signed"),
            &Rules::Direct(direct),
            "demo.example/demo/signed:1.0",
        );
        assert_eq!(report.finding.verdict, Verdict::Deny);
    }
}

/// Ignoring a demand would accept less than was asked for.
#[test]
fn what_cannot_be_demanded_is_an_error() {
    let identity = Identity::exact("https://issuer.example", "a@b.example").unwrap();
    let direct = Direct {
        all_keys: true,
        ..Direct::by(Signers::Identities(vec![identity]))
    };
    assert_eq!(Rules::direct(direct).unwrap_err().code(), "rule.all-keys");

    let all_keys = Direct {
        all_keys: true,
        ..keys(&["demo/bundle.pub", "demo/cosign.pub"])
    };
    for direct in [all_keys, annotated(&[("build", "42")])] {
        let question = BundleQuestion {
            bundle: b"{}".to_vec(),
            artifact: Artifact::Bytes(Vec::new()),
            direct,
            key_validity: None,
            thresholds: Thresholds::default(),
            wanted: ClaimWanted::Any,
        };
        let Err(failure) = block_on(question.ask(&RustCrypto)).unwrap() else {
            panic!("a bundle was verified by a demand that it cannot meet")
        };
        assert_eq!(failure.code, "bundle.image-demand");
    }
}
