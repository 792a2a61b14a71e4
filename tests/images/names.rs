//! What a signature names, what is verified and what is only allowed, and what is shown of it
//! (docs/trust.md section 9).

use super::*;
use sealgate::internals::error::Coded;
use sealgate::internals::reference::{Grammar, Reference};
use sealgate::internals::sigstore::verify::{Artifact, Thresholds};
use sealgate::internals::verify::{
    BundleQuestion, ClaimWanted, Direct, Paths, SignedNames, Signers, Trusted, public_keys,
};
use serde_json::{Value, json};

fn key() -> std::path::PathBuf {
    fixtures().join("demo/cosign.pub")
}

fn direct(key: &std::path::Path, names: SignedNames) -> Rules {
    let signers = Signers::Keys(public_keys(&[read(key)], &[]).unwrap());
    Rules::Direct(Direct {
        names,
        paths: Paths {
            keys: vec![key.display().to_string()],
            ..Paths::default()
        },
        ..Direct::by(signers)
    })
}

fn said(report: &Report) -> (Verdict, &str) {
    (report.finding.verdict, report.finding.code)
}

fn policy(requirements: Value, marker: Value) -> Rules {
    let policy = json!({ "sealgate": marker, "default": [{ "type": "reject" }], "transports": { "docker": { "demo.example": requirements } } });
    Rules::policy(
        Policy::parse(policy.to_string().as_bytes()).unwrap(),
        demo_assets(),
    )
    .unwrap()
}

const OWN: (Verdict, &str) = (Verdict::Allow, "signature.accepted");
const OTHER: (Verdict, &str) = (Verdict::Deny, "identity.other-name");

/// The copied signature is the attack that the demo shows; `verify … --key` has to refuse it, too.
#[test]
fn without_a_policy_names_are_compared() {
    let rules = key_rules(&key());
    for (repository, name, expected) in [
        ("signed", "demo.example/demo/signed:1.0", OWN),
        ("signed", "localhost:8787/demo/signed:1.0", OTHER),
        ("signed", "demo.example/demo/signed/below:1.0", OTHER),
        ("copied", "demo.example/demo/copied:1.0", OTHER),
        ("copied", "localhost:8787/demo/copied:1.0", OTHER),
        ("copied", "demo.example/demo/signed:1.0", OWN),
        ("multi", "demo.example/demo/multi:1.0", OWN),
        ("multi", "demo.example/demo/signed:1.0", OTHER),
    ] {
        let report = judge(&demo(repository), &rules, name);
        assert_eq!(
            said(&report),
            expected,
            "{repository} as {name}: {}",
            report.finding.message
        );
        let any = judge(&demo(repository), &direct(&key(), SignedNames::Any), name);
        assert_eq!(said(&any), OWN, "{repository} as {name}, any name");
        assert!(any.notes.iter().any(|note| note.code == "identity.any"));
    }
    // A bundle names no repository, and the verdict says so.
    let bundle = judge(
        &demo("bundle"),
        &key_rules(&fixtures().join("demo/bundle.pub")),
        "localhost:8787/demo/bundle:1.0",
    );
    assert_eq!(said(&bundle), OWN);
    assert!(
        bundle.finding.message.contains("no repository"),
        "{}",
        bundle.finding.message
    );
}

/// What a refusal says first is what it may be, and never what would admit it: that is a question,
/// apart.
#[test]
fn a_refusal_hands_over_no_bypass() {
    let by_key = judge(
        &demo("copied"),
        &key_rules(&key()),
        "demo.example/demo/copied:1.0",
    );
    let by_policy = judged(&demo("copied"), "copied");
    assert_eq!(
        (by_key.finding.code, by_policy.finding.code),
        ("identity.other-name", "identity.not-accepted")
    );
    for report in [&by_key, &by_policy] {
        let candidates = report
            .requirements
            .iter()
            .flat_map(|requirement| &requirement.candidates);
        let messages = candidates
            .map(|candidate| &candidate.reason.message)
            .chain(report.requirements.iter().map(|one| &one.finding.message))
            .chain([&report.finding.message]);
        for message in messages {
            for word in [
                "signedIdentity",
                "exactReference",
                "remapIdentity",
                "would admit",
                "--as",
                "--any-name",
                "--mirror",
            ] {
                assert!(!message.contains(word), "{message}");
            }
        }
        assert!(
            report.finding.message.starts_with("signed by ")
                && report.finding.message.contains("demo.example/demo/signed")
                && report.finding.message.contains("copied from"),
            "{}",
            report.finding.message
        );
        let question = report.mirror_question.as_ref().unwrap();
        assert_eq!(
            (question.signed.as_str(), question.question.ends_with('.')),
            ("demo.example/demo/signed", true)
        );
    }
    // What the reason phrase of a refusal has room for, says it already.
    assert!(
        by_policy
            .finding
            .message
            .chars()
            .take(180)
            .collect::<String>()
            .contains("possibly"),
        "{}",
        by_policy.finding.message
    );
    let suggested = by_policy.mirror_question.unwrap().signed_identity.unwrap();
    assert_eq!(by_key.mirror_question.unwrap().signed_identity, None);
    let admitted = policy(
        json!([{ "type": "sigstoreSigned", "keyPath": "cosign.pub", "signedIdentity": serde_json::from_str::<Value>(&suggested).unwrap() }]),
        json!({ "version": 1 }),
    );
    let report = judge(&demo("copied"), &admitted, "demo.example/demo/copied:1.0");
    assert_eq!(
        (said(&report), &report.mirror_question),
        (OWN, &None),
        "what is asked about is what would admit it"
    );
    // The same repository, and a tag that the signature does not give.
    let tags = policy(
        json!([{ "type": "sigstoreSigned", "keyPath": "cosign.pub" }]),
        json!({ "version": 1 }),
    );
    let report = judge(&demo("signed"), &tags, "demo.example/demo/signed:1.0");
    assert_eq!(report.finding.code, "identity.not-accepted");
    assert!(
        report.finding.message.contains("another tag")
            && !report.finding.message.contains("copied")
            && !report.finding.message.contains("matchRepository"),
        "{}",
        report.finding.message
    );
    assert_eq!(
        report.mirror_question.unwrap().signed_identity.as_deref(),
        Some(r#"{"type": "matchRepository"}"#)
    );
    for repository in ["signed", "unsigned", "wrong-key", "other-digest", "bundle"] {
        assert_eq!(
            judged(&demo(repository), repository).mirror_question,
            None,
            "{repository}"
        );
    }
}

/// `insecureAcceptAnything`, an exception and a pin let pass; a signature or attestation vouches.
#[test]
fn allowed_is_not_verified() {
    let signed = json!({ "type": "sigstoreSigned", "keyPath": "cosign.pub", "signedIdentity": { "type": "matchRepository" } });
    let open = json!({ "type": "insecureAcceptAnything" });
    let digest = |repository: &str| Digest::of(&demo(repository).manifests["1.0"].0).to_string();
    let pin = |repository: &str| json!({ "type": "pinned", "pins": { format!("demo.example/demo/{repository}:1.0"): digest(repository) } });
    let attested = json!({ "type": "attested", "predicateType": "vuln", "keyPath": "cosign.pub" });
    let plain = || json!({ "version": 1 });
    let excepted = |repository: &str| json!({ "version": 1, "exceptions": [{ "scope": format!("demo.example/demo/{repository}"), "digests": [digest(repository)], "until": "2027-12-31T00:00:00Z", "reason": "r" }] });
    for (what, repository, requirements, marker, verified) in [
        ("a signature", "signed", json!([signed]), plain(), true),
        (
            "a signature and a pin",
            "signed",
            json!([signed, pin("signed")]),
            plain(),
            true,
        ),
        (
            "anything, and a signature",
            "signed",
            json!([signed, open]),
            plain(),
            true,
        ),
        ("anything", "signed", json!([open]), plain(), false),
        ("a pin", "signed", json!([pin("signed")]), plain(), false),
        (
            "an exception",
            "unsigned",
            json!([signed]),
            excepted("unsigned"),
            false,
        ),
        (
            "a signature, and an exception for what is lacking",
            "signed",
            json!([signed, attested]),
            excepted("signed"),
            false,
        ),
        (
            "an index, each image of it signed or open",
            "multi",
            json!([open]),
            json!({ "version": 1, "coverage": "instance" }),
            false,
        ),
    ] {
        let report = judge(
            &demo(repository),
            &policy(requirements, marker),
            &format!("demo.example/demo/{repository}:1.0"),
        );
        assert_eq!(
            (report.finding.verdict, report.verified),
            (Verdict::Allow, verified),
            "{what}: {} {}",
            report.finding.code,
            report.finding.message
        );
        assert_eq!(
            report
                .finding
                .message
                .starts_with("allowed, not verified: "),
            !verified,
            "{what}: {}",
            report.finding.message
        );
        assert!(
            report
                .instances
                .iter()
                .all(|instance| instance.verified == verified),
            "{what}"
        );
    }
    for repository in ["unsigned", "copied", "wrong-key"] {
        assert!(
            !judged(&demo(repository), repository).verified,
            "{repository}"
        );
    }
    assert!(
        judge(
            &demo("signed"),
            &key_rules(&key()),
            "demo.example/demo/signed:1.0"
        )
        .verified
    );
    for repository in ["bundle", "keyless", "attested", "multi"] {
        assert!(
            judged(&demo(repository), repository).verified,
            "{repository}"
        );
    }
}

/// Whoever writes exceptions for what was denied has to know what was made to look signed.
#[test]
fn failed_signatures_are_counted() {
    for (repository, failed) in [
        ("signed", 0),
        ("unsigned", 0),
        ("bundle", 0),
        ("wrong-key", 1),
        ("other-digest", 1),
        ("copied", 1),
    ] {
        assert_eq!(
            judged(&demo(repository), repository).failed_signatures,
            failed,
            "{repository}"
        );
        assert_eq!(
            judge(
                &demo(repository),
                &policy(json!([{ "type": "reject" }]), json!({ "version": 1 })),
                &format!("demo.example/demo/{repository}:1.0")
            )
            .failed_signatures,
            0
        );
    }
    // A tag that holds no signature that can be read.
    let mut broken = demo("unsigned");
    broken.any_signature = Some(b"{}".to_vec());
    assert_eq!(judged(&broken, "unsigned").failed_signatures, 1);
    // What is signed well and says what the policy does not want.
    let attested = |equals: &str| {
        let mut text: Value =
            serde_json::from_slice(&read(fixtures().join("demo/policy.json"))).unwrap();
        text["transports"]["docker"]["demo.example/demo/attested"][1]["conditions"][0]["equals"] =
            equals.into();
        let rules = Rules::policy(
            Policy::parse(text.to_string().as_bytes()).unwrap(),
            demo_assets(),
        )
        .unwrap();
        let report = judge(&demo("attested"), &rules, "demo.example/demo/attested:1.0");
        (report.finding.code, report.failed_signatures)
    };
    assert_eq!(
        attested("https://demo.example/build/v2"),
        ("attestation.condition", 0)
    );
}

#[test]
fn the_command_for_cosign_says_what_we_say() {
    let shown = |rules: &Rules, repository: &str| {
        judge(
            &demo(repository),
            rules,
            &format!("demo.example/demo/{repository}:1.0"),
        )
        .equivalent
    };
    let at = |keys: &[&str]| Paths {
        keys: keys.iter().map(ToString::to_string).collect(),
        ..Paths::default()
    };
    let by = |files: &[&std::path::Path], keys: &[&str]| {
        let pem: Vec<Vec<u8>> = files.iter().map(read).collect();
        Rules::keys(&pem).unwrap().with_paths(at(keys))
    };
    let (cosign, bundle) = (key(), fixtures().join("demo/bundle.pub"));
    let digest = |repository: &str| Digest::of(&demo(repository).manifests["1.0"].0).to_string();
    let name =
        "# cosign does not compare the name in the signature, and this verdict rests on it, too\n";
    let command = |key: &str, repository: &str| {
        format!(
            "cosign verify --key {key} --insecure-ignore-tlog=true \
             demo.example/demo/{repository}@{}",
            digest(repository)
        )
    };
    // The file that was used, quoted; the name is what cosign leaves out.
    assert_eq!(
        shown(&by(&[&cosign], &["k's $(key).pub"]), "signed"),
        Some(format!(
            "{name}{}",
            command(r"'k'\''s $(key).pub'", "signed")
        ))
    );
    assert_eq!(
        shown(&by(&[&bundle], &["b.pub"]), "bundle"),
        Some(command("b.pub", "bundle")),
        "no name was there to be compared"
    );
    assert_eq!(
        shown(&direct(&cosign, SignedNames::Any), "signed"),
        Some(command(&cosign.display().to_string(), "signed"))
    );
    // Of several the one that signed, and none that did not.
    assert_eq!(
        shown(&by(&[&bundle, &cosign], &["b.pub", "c.pub"]), "signed"),
        Some(format!("{name}{}", command("c.pub", "signed")))
    );
    assert_eq!(
        shown(&by(&[&bundle, &cosign], &["b.pub", "c.pub"]), "wrong-key"),
        None
    );
    // A key without a file has no name that could be shown.
    assert_eq!(shown(&by(&[&cosign], &[]), "signed"), None);
    // cosign says no, too.
    for repository in ["wrong-key", "unsigned", "other-digest"] {
        assert_eq!(
            shown(&by(&[&cosign], &["c.pub"]), repository),
            Some(command("c.pub", repository)),
            "{repository}"
        );
    }
    // cosign would say yes.
    assert_eq!(shown(&by(&[&cosign], &["c.pub"]), "copied"), None);
    for repository in ["copied", "unsigned", "wrong-key"] {
        assert_eq!(
            judged(&demo(repository), repository).equivalent,
            None,
            "{repository}: this rule reads .sig tags alone, cosign bundles too"
        );
    }
    let lies = Paths {
        assets: [("cosign.pub".to_string(), "etc/a b.pub".to_string())].into(),
        ..Paths::default()
    };
    let both = json!([{ "type": "sigstoreSigned", "keyPath": "cosign.pub", "signedIdentity": { "type": "matchRepository" } }, { "type": "attested", "predicateType": "vuln", "keyPath": "cosign.pub" }]);
    let one = json!([both[0]]);
    assert_eq!(
        shown(
            &policy(one, json!({ "version": 1 })).with_paths(lies.clone()),
            "signed"
        ),
        Some(format!("{name}{}", command("'etc/a b.pub'", "signed")))
    );
    assert_eq!(
        shown(
            &policy(both, json!({ "version": 1 })).with_paths(lies),
            "signed"
        ),
        None,
        "the attestation is missing, and cosign is asked for the signature"
    );
    let inline = json!([{ "type": "sigstoreSigned", "keyData": sealgate::internals::encoding::base64::encode(&read(&cosign)), "signedIdentity": { "type": "matchRepository" } }]);
    assert_eq!(
        shown(&policy(inline, json!({ "version": 1 })), "signed"),
        None
    );
    // Under a root: its file, and no proof is waived that was demanded.
    let keyless = judged(&demo("keyless"), "keyless").equivalent.unwrap();
    assert!(
        keyless.contains(" --trusted-root trusted_root.json ")
            && !keyless.contains("--insecure-ignore-tlog"),
        "{keyless}"
    );
    assert!(
        keyless.starts_with(
            "# this command does not compare the certificate's claims sourceRepositoryURI\ncosign \
             verify --certificate-identity "
        ),
        "{keyless}"
    );
    assert!(keyless.ends_with(&digest("keyless")), "{keyless}");
    // Each image of an index for itself is no one question.
    let instance = policy(
        json!([{ "type": "sigstoreSigned", "keyPath": "cosign.pub", "signedIdentity": { "type": "matchDigest" } }]),
        json!({ "version": 1, "coverage": "instance" }),
    );
    assert_eq!(shown(&instance, "multi"), None);
}

/// docs/trust.md section 1: wherever it is named, unmarked policies included.
#[test]
fn private_keys_are_refused_where_they_are_named() {
    let pair = [
        read(key()),
        pem::encode("ENCRYPTED SIGSTORE PRIVATE KEY", b"x").into_bytes(),
    ]
    .concat();
    let (pgp, public) = (
        [&[0xc6, 1, 0][..], &[0xc5, 1, 0]].concat(),
        vec![0xc6, 1, 0],
    );
    assert_eq!(
        Rules::keys(&[read(key()), pair.clone()])
            .unwrap_err()
            .code(),
        "key.private"
    );
    let parse = |requirement: &str, marker: &str| {
        Policy::parse(format!(r#"{{{marker}"default":[{{"type":"reject"}}],"transports":{{"docker":{{"never.example":[{requirement}]}}}}}}"#).as_bytes()).unwrap()
    };
    let root = r#""trustedRoot":"public-good","identities":[{"issuer":"i","subject":"s"}]"#;
    for (requirement, marker, file, code) in [
        (
            r#"{"type":"sigstoreSigned","keyPath":"k"}"#,
            "",
            &pair,
            "key.private",
        ),
        (
            r#"{"type":"sigstoreSigned","keyPath":"other","rekorPublicKeyPath":"k"}"#,
            "",
            &pair,
            "key.private",
        ),
        (
            r#"{"type":"sigstoreSigned","pki":{"caRootsPath":"k","subjectEmail":"a@b.c"}}"#,
            "",
            &pair,
            "key.private",
        ),
        (
            r#"{"type":"signedBy","keyType":"GPGKeys","keyPath":"k"}"#,
            "",
            &pair,
            "key.private",
        ),
        (
            r#"{"type":"signedBy","keyType":"GPGKeys","keyPaths":["other","k"]}"#,
            "",
            &pgp,
            "key.private",
        ),
        (
            r#"{"type":"signedBy","keyType":"GPGKeys","keyPath":"k"}"#,
            "",
            &public,
            "",
        ),
        (
            r#"{"type":"sigstoreSigned","keyPath":"k"}"#,
            r#""sealgate":{"version":1},"#,
            &pair,
            "key.private",
        ),
        (
            r#"{"type":"sigstoreSigned","trustedRootPath":"k","keyPath":"other"}"#,
            r#""sealgate":{"version":1},"#,
            &pair,
            "key.private",
        ),
        (
            &format!(r#"{{"type":"sigstoreSigned",{root}}}"#),
            r#""sealgate":{"version":1},"#,
            &pair,
            "",
        ),
    ] {
        let assets = [
            ("k".to_string(), file.clone()),
            ("other".to_string(), read(key())),
        ]
        .into();
        let found = Rules::policy(parse(requirement, marker), assets).err();
        assert_eq!(
            found.as_ref().map_or("", Coded::code),
            code,
            "{requirement}"
        );
        if let Some(error) = found {
            assert!(error.to_string().contains("cosign public-key"), "{error}");
        }
    }
    let inline = parse(
        &format!(
            r#"{{"type":"sigstoreSigned","keyData":"{}"}}"#,
            sealgate::internals::encoding::base64::encode(&pair)
        ),
        "",
    );
    assert_eq!(
        Rules::policy(inline, [].into()).unwrap_err().code(),
        "key.private"
    );
}

/// A policy for a name that the signature does not give is a copy's, unless someone says that it is
/// a mirror's.
#[test]
fn no_first_policy_for_another_name_unasked() {
    let name = |text: &str| Reference::normalize(text, Grammar::Containers).unwrap();
    let (text, copied) = ("demo.example/demo/copied:1.0", demo("copied"));
    let own = judge(&copied, &key_rules(&key()), text);
    let any = judge(&copied, &direct(&key(), SignedNames::Any), text);
    assert_eq!(
        first_policy(&own, &name(text), Trusted::Key("k.pub"), Mirrors::Refuse)
            .unwrap_err()
            .code(),
        "init.other-name"
    );
    assert_eq!(
        first_policy(&any, &name(text), Trusted::Key("k.pub"), Mirrors::Refuse)
            .unwrap_err()
            .code(),
        "init.other-name"
    );
    let policy = first_policy(&any, &name(text), Trusted::Key("k.pub"), Mirrors::Admit).unwrap();
    let rules = Rules::policy(
        Policy::parse(policy.as_bytes()).unwrap(),
        [("k.pub".to_owned(), read(key()))].into(),
    )
    .unwrap();
    assert_eq!(said(&judge(&copied, &rules, text)), OWN, "{policy}");
    assert_eq!(
        said(&judge(
            &demo("signed"),
            &rules,
            "demo.example/demo/signed:1.0"
        )),
        (Verdict::Deny, "policy.reject")
    );
}

/// Measured: cosign 3.1 prints "Verified OK" for a signed "12 critical findings: do not run".
#[test]
fn an_attestation_signs_no_file() {
    let ask = |folder: &str,
               predicate_type: Option<&str>,
               wanted: ClaimWanted,
               artifact: Option<&[u8]>| {
        let folder = fixtures().join("sigstore").join(folder);
        let case: Value = serde_json::from_slice(&read(folder.join("case.json"))).unwrap();
        let root = sealgate::internals::verify::NamedRoot::read(
            "ours",
            &read(
                fixtures()
                    .join("sigstore")
                    .join(case["root"].as_str().unwrap()),
            ),
        )
        .unwrap();
        let signers = match case["key"].as_str() {
            Some(key) => Signers::Keys(public_keys(&[read(folder.join(key))], &[]).unwrap()),
            None => Signers::Identities(vec![
                sealgate::internals::sigstore::identity::Identity::exact(
                    case["issuer"].as_str().unwrap(),
                    case["identity"].as_str().unwrap(),
                )
                .unwrap(),
            ]),
        };
        let artifact = artifact.map_or_else(
            || {
                if folder.join("artifact").exists() {
                    read(folder.join("artifact"))
                } else {
                    read(folder.join("manifest.json"))
                }
            },
            <[u8]>::to_vec,
        );
        let direct = Direct {
            root: Some(root),
            predicate_type: predicate_type.map(Into::into),
            ..Direct::by(signers)
        };
        let question = BundleQuestion {
            bundle: read(folder.join("bundle.json")),
            artifact: Artifact::Bytes(artifact),
            direct,
            key_validity: None,
            thresholds: Thresholds::default(),
            wanted,
        };
        match block_on(question.ask(&sealgate::internals::crypto::RustCrypto)).unwrap() {
            Ok(verified) => serde_json::to_value(verified).unwrap()["kind"]
                .as_str()
                .unwrap()
                .to_string(),
            Err(failure) => {
                failure.code.to_string()
                    + if failure
                        .message
                        .starts_with("this is not the file that was signed")
                    {
                        " (another file)"
                    } else {
                        ""
                    }
            }
        }
    };
    const ATTESTED: &str = "attestation-key";
    const ATTESTED_TYPE: &str = "https://slsa.dev/provenance/v1";
    let other = Some(&b"another file"[..]);
    assert_eq!(
        ask("image-key", None, ClaimWanted::Signature, None),
        "statement",
        "of cosign's own type"
    );
    assert_eq!(
        ask("blob-ci", None, ClaimWanted::Signature, None),
        "message"
    );
    assert_eq!(ask("blob-ci", None, ClaimWanted::Any, None), "message");
    assert_eq!(
        ask("blob-ci", None, ClaimWanted::Signature, other),
        "sigstore.artifact (another file)"
    );
    assert_eq!(
        ask("blob-ci", None, ClaimWanted::Any, other),
        "sigstore.artifact (another file)"
    );
    assert_eq!(
        ask(ATTESTED, None, ClaimWanted::Signature, None),
        "bundle.attestation"
    );
    assert_eq!(
        ask(ATTESTED, None, ClaimWanted::Any, None),
        "statement",
        "whoever asks so has to look"
    );
    assert_eq!(
        ask(ATTESTED, Some(ATTESTED_TYPE), ClaimWanted::Signature, None),
        "statement"
    );
    assert_eq!(
        ask(
            ATTESTED,
            Some("https://other.example/v1"),
            ClaimWanted::Any,
            None
        ),
        "bundle.predicate-type"
    );
    assert_eq!(
        ask(ATTESTED, None, ClaimWanted::Any, other),
        "sigstore.artifact (another file)"
    );
    assert_eq!(
        ask("blob-ci", Some(ATTESTED_TYPE), ClaimWanted::Any, None),
        "sigstore.payload-type"
    );
}
