//! One signature carries a whole requirement (docs/trust.md section 2): whatever is good in one
//! bundle, under one root or for one identity is worth nothing beside parts of another.

use crate::edit::encode;
use crate::vectors::{self, Vector};
use sealgate::internals::crypto::RustCrypto;
use sealgate::internals::digest::Digest;
use sealgate::internals::sigstore::identity::{Identity, Pattern};
use sealgate::internals::sigstore::roots;
use sealgate::internals::sigstore::verify::{Artifact, Signer, Thresholds};
use sealgate::internals::x509::Certificate;
use sealgate::internals::x509::fulcio::Claims;
use serde_json::{Value, json};

fn keyless() -> impl Iterator<Item = &'static Vector> {
    vectors::all().iter().filter(|vector| !vector.is_keyed())
}

/// Each with another that has the same trusted root, and was signed apart from it.
fn pairs(of: impl Iterator<Item = &'static Vector>) -> Vec<(&'static Vector, &'static Vector)> {
    let all: Vec<_> = of.collect();
    let other = |one: &Vector| {
        all.iter()
            .find(|other| other.root == one.root && other.signature() != one.signature())
            .copied()
    };
    let found: Vec<_> = all
        .iter()
        .filter_map(|one| Some((*one, other(one)?)))
        .collect();
    assert!(!found.is_empty(), "no two vectors have the same root");
    found
}

fn refused(vector: &Vector, bundle: &Value, what: &str) -> String {
    match vector.judge(bundle) {
        Ok(_) => panic!("{}: accepted with {what}", vector.name),
        Err(code) => code,
    }
}

fn claims(vector: &Vector) -> Claims {
    Claims::of(&Certificate::parse(&vector.leaf()).unwrap()).unwrap()
}

fn asked(vector: &Vector, identities: Vec<Identity>) -> Result<(), String> {
    let asked = Vector {
        signer: Signer::Identity(identities),
        ..vector.clone()
    };
    asked.judge(&vector.bundle).map(drop)
}

fn identity(issuer: &str, subject: &str, claims: &[(&str, &str)]) -> Identity {
    let claims = claims
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect();
    Identity {
        claims,
        ..Identity::exact(issuer, subject).unwrap()
    }
}

#[track_caller]
fn assert_other_identity(vector: &Vector, identities: Vec<Identity>) {
    let code =
        asked(vector, identities.clone()).expect_err(&format!("{}: {identities:?}", vector.name));
    assert!(
        vector.tells(&code, "sigstore.identity"),
        "{}: {code}",
        vector.name
    );
}

/// Issuer of one entry of `identities`, subject of another; and claims of a third.
#[test]
fn identities_are_not_mixed() {
    for vector in keyless() {
        let own = claims(vector);
        let (issuer, subject) = (own.issuer().unwrap(), own.subject().text());
        let (other_issuer, other_subject) = ("https://issuer.test", "someone@else.test");
        assert_eq!(
            asked(
                vector,
                vec![
                    identity(other_issuer, other_subject, &[]),
                    identity(issuer, subject, &[])
                ]
            ),
            Ok(())
        );
        assert_other_identity(
            vector,
            vec![
                identity(issuer, other_subject, &[]),
                identity(other_issuer, subject, &[]),
            ],
        );
        let Some((name, value)) = Claims::names().find_map(|name| Some((name, own.get(name)?)))
        else {
            continue;
        };
        assert_eq!(
            asked(vector, vec![identity(issuer, subject, &[(name, value)])]),
            Ok(())
        );
        assert_other_identity(
            vector,
            vec![
                identity(issuer, subject, &[(name, "another")]),
                identity(other_issuer, subject, &[(name, value)]),
            ],
        );
    }
}

/// What a certificate does not say never matches, and what it says matches whole.
#[test]
fn claims_and_expressions_are_heeded() {
    for vector in keyless() {
        let own = claims(vector);
        let (issuer, subject) = (own.issuer().unwrap(), own.subject().text());
        if let Some(absent) = Claims::names().find(|name| own.get(name).is_none()) {
            assert_other_identity(vector, vec![identity(issuer, subject, &[(absent, "")])]);
        }
        let expressions = |issuer: Pattern, subject: Pattern| {
            vec![Identity {
                issuer,
                subject,
                claims: Vec::new(),
            }]
        };
        let (any, part) = (
            || Pattern::whole(".*").unwrap(),
            Pattern::whole(&subject[..3].replace(|c: char| !c.is_ascii_alphanumeric(), "."))
                .unwrap(),
        );
        assert_eq!(
            asked(vector, expressions(any(), any())),
            Ok(()),
            "{}",
            vector.name
        );
        assert_other_identity(vector, expressions(any(), part));
        assert_other_identity(
            vector,
            expressions(Pattern::whole("https://issuer[.]test").unwrap(), any()),
        );
        assert_other_identity(
            vector,
            expressions(any(), Pattern::search("^someone@else[.]test$").unwrap()),
        );
    }
}

/// GitHub's releases are certified without an issuer: no identity is theirs.
#[test]
fn an_absent_issuer_never_matches() {
    let folder = std::path::Path::new("fixtures/sigstore/github/release");
    let bundle: Value =
        serde_json::from_slice(&std::fs::read(folder.join("bundle.json")).unwrap()).unwrap();
    let case: Value =
        serde_json::from_slice(&std::fs::read(folder.join("case.json")).unwrap()).unwrap();
    let root = roots::named("github").unwrap().bytes;
    let pattern = || Pattern::whole(".*").unwrap();
    let vector = Vector {
        name: "release".into(),
        bundle,
        root: serde_json::from_slice(root).unwrap(),
        trusted: vectors::load_root(root).unwrap(),
        artifact: Artifact::Digest(Digest::parse(case["digest"].as_str().unwrap()).unwrap()),
        signer: Signer::Identity(vec![Identity {
            issuer: pattern(),
            subject: pattern(),
            claims: Vec::new(),
        }]),
        thresholds: Thresholds::default(),
    };
    let code = refused(&vector, &vector.bundle, "no issuer");
    assert!(vector.tells(&code, "sigstore.identity"), "{code}");
}

/// Certificate of one bundle, all else of another.
#[test]
fn certificate_of_another_bundle() {
    for (one, other) in pairs(keyless()) {
        let mut bundle = one.bundle.clone();
        *bundle.pointer_mut(one.leaf_pointer().unwrap()).unwrap() = encode(&other.leaf());
        let asked = Vector {
            signer: other.signer.clone(),
            ..one.clone()
        };
        for vector in [one, &asked] {
            let code = refused(vector, &bundle, "another certificate");
            let logged = one.entries().iter().any(|entry| one.lists(entry));
            // Of a key of another kind, the digest in the log is of another algorithm.
            let expected = if logged {
                code.starts_with("log-body.")
            } else {
                code == "signature.invalid" || code == "timestamp.imprint"
            };
            assert!(
                expected
                    || vector.tells(&code, "signature.invalid")
                    || other.tells(&code, "signature.invalid"),
                "{}: {code}",
                one.name
            );
        }
    }
}

/// Signature and certificate of one, digest of another: the artifact that is asked for.
#[test]
fn artifact_of_another_bundle() {
    let mut count = 0;
    for (one, other) in pairs(vectors::all().iter()) {
        if !same_artifact(&one.artifact, &other.artifact) {
            refused(
                &Vector {
                    artifact: other.artifact.clone(),
                    ..one.clone()
                },
                &one.bundle,
                "another artifact",
            );
            count += 1;
        }
    }
    assert!(count > 0, "all vectors are about the same");
}

/// Whoever read a file as a stream is told the same as whoever has its bytes, or to give them.
#[test]
fn digests_stand_for_the_artifact() {
    use sealgate::internals::digest::Algorithm;
    let known = |bytes: &[u8]| {
        let all = [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512];
        Artifact::Digests(all.map(|algorithm| Digest::with(algorithm, bytes)).into())
    };
    let mut count = 0;
    for vector in vectors::all() {
        let Artifact::Bytes(bytes) = &vector.artifact else {
            continue;
        };
        let by_digests = |bytes: &[u8]| {
            let vector = Vector {
                artifact: known(bytes),
                ..vector.clone()
            };
            vector.judge(&vector.bundle).map(drop)
        };
        match by_digests(bytes) {
            Ok(()) => count += 1,
            Err(code) => assert_eq!(code, "sigstore.need-bytes", "{}", vector.name),
        }
        assert!(by_digests(b"another").is_err(), "{}", vector.name);
    }
    assert!(count > 0, "no vector was judged by digests");
}

fn same_artifact(one: &Artifact, other: &Artifact) -> bool {
    match (one, other) {
        (Artifact::Bytes(one), Artifact::Bytes(other)) => one == other,
        (Artifact::Digest(one), Artifact::Digest(other)) => one == other,
        (Artifact::Bytes(bytes), Artifact::Digest(digest))
        | (Artifact::Digest(digest), Artifact::Bytes(bytes)) => digest.check(bytes).is_ok(),
        (Artifact::Digests(_), _) | (_, Artifact::Digests(_)) => {
            unreachable!("no vector has several")
        }
    }
}

/// Claims from a second certificate of the same bundle.
#[test]
fn claims_of_a_second_certificate() {
    for (one, other) in pairs(keyless()) {
        let mut bundle = one.bundle.clone();
        let chain = "/verificationMaterial/x509CertificateChain/certificates";
        let asked = Vector {
            signer: other.signer.clone(),
            ..one.clone()
        };
        let Some(list) = bundle.pointer_mut(chain).and_then(Value::as_array_mut) else {
            bundle["verificationMaterial"]["x509CertificateChain"] = json!({"certificates": [{"rawBytes": encode(&one.leaf())}, {"rawBytes": encode(&other.leaf())}]});
            assert_eq!(
                refused(&asked, &bundle, "two certificates"),
                "bundle.shape",
                "{}",
                one.name
            );
            continue;
        };
        list.push(json!({"rawBytes": encode(&other.leaf())}));
        if claims(one).subject().text() != claims(other).subject().text() {
            let code = refused(&asked, &bundle, "a certificate more");
            assert!(
                asked.tells(&code, "sigstore.identity"),
                "{}: {code}",
                one.name
            );
        }
        bundle
            .pointer_mut(chain)
            .unwrap()
            .as_array_mut()
            .unwrap()
            .reverse();
        refused(&asked, &bundle, "the other certificate first");
        refused(one, &bundle, "the other certificate first");
    }
}

/// Log entry, or a part of its proof, of another bundle.
#[test]
fn entry_of_another_bundle() {
    let logged = vectors::all()
        .iter()
        .filter(|vector| vector.entries().iter().any(|entry| vector.lists(entry)));
    for (one, other) in pairs(logged) {
        let with = |key: &str| {
            let mut bundle = one.bundle.clone();
            let entry = other.entries()[0].clone();
            let place = &mut bundle["verificationMaterial"]["tlogEntries"][0];
            *(if key.is_empty() {
                &mut *place
            } else {
                place.pointer_mut(key)?
            }) = if key.is_empty() {
                entry
            } else {
                entry.pointer(key)?.clone()
            };
            // What the other lacks would be stripped, which is another test.
            (bundle != one.bundle && !other.entries()[0].pointer(key)?.is_null()).then_some(bundle)
        };
        for (part, expected) in [
            ("", "log-body."),
            ("/canonicalizedBody", "log-body."),
            ("/inclusionPromise", "signature.invalid"),
            ("/inclusionProof", "proof."),
            ("/inclusionProof/hashes", "proof."),
        ] {
            let Some(bundle) = with(part) else { continue };
            let code = refused(one, &bundle, &format!("the other's entry{part}"));
            // A body of another kind is none; a proof of another version has a checkpoint of
            // another form.
            let other_kind = [
                "log-entry.kind-version",
                "bundle.shape",
                "checkpoint.origin",
                "checkpoint.unsigned",
                "set.version",
            ]
            .contains(&code.as_str());
            assert!(
                code.starts_with(expected) || other_kind || one.tells(&code, "log-body.digest"),
                "{} with {}{part}: {code}",
                one.name,
                other.name
            );
        }
        if let Some(bundle) = with("/inclusionProof/checkpoint") {
            let code = refused(one, &bundle, "the other's checkpoint");
            let expected = [
                "proof.stated",
                "checkpoint.origin",
                "checkpoint.unsigned",
                "bundle.shape",
            ]
            .contains(&code.as_str());
            assert!(
                expected || one.tells(&code, "proof.stated"),
                "{}: {code}",
                one.name
            );
        }
    }
}

/// Timestamp of another bundle.
#[test]
fn timestamp_of_another_bundle() {
    let stamped = vectors::all()
        .iter()
        .filter(|vector| vector.stamps().is_some());
    for (one, other) in pairs(stamped) {
        let mut bundle = one.bundle.clone();
        bundle["verificationMaterial"]["timestampVerificationData"] =
            other.stamps().unwrap().clone();
        assert_eq!(
            refused(one, &bundle, "the other's timestamp"),
            "timestamp.imprint",
            "{}",
            one.name
        );
    }
}

/// Authorities of one root, logs of another, in either way: roots are never merged, and none of
/// them vouches for half a bundle.
#[test]
fn authority_of_one_root_and_log_of_another() {
    let roots = ["public-good", "staging"]
        .map(|name| serde_json::from_slice::<Value>(roots::named(name).unwrap().bytes).unwrap());
    let mut count = 0;
    for vector in
        keyless().filter(|vector| vector.entries().iter().any(|entry| vector.lists(entry)))
    {
        let foreign = |root: &&Value| {
            !vector.entries().iter().any(|entry| {
                root["tlogs"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|log| log["logId"] == entry["logId"])
            })
        };
        for root in roots.iter().filter(foreign) {
            let mut mixed = vector.root.clone();
            mixed["certificateAuthorities"] = root["certificateAuthorities"].clone();
            let under = vector.under(&mixed);
            let code = refused(&under, &under.bundle, "authorities of another root");
            assert!(
                [
                    "x509.unknown-issuer",
                    "signature.invalid",
                    "sigstore.authority",
                    "x509.expired",
                    "x509.not-yet-valid",
                    "sigstore.need-bytes"
                ]
                .contains(&code.as_str()),
                "{}: {code}",
                vector.name
            );
            let mut mixed = vector.root.clone();
            mixed["tlogs"] = root["tlogs"].clone();
            let under = vector.under(&mixed);
            assert!(
                under.tells(
                    &refused(&under, &under.bundle, "logs of another root"),
                    "sigstore.log"
                ),
                "{}",
                vector.name
            );
            count += 1;
        }
    }
    assert!(count > 0, "no vector has another root");
}

/// A bundle by a certificate is none by its key, and the other way round.
#[test]
fn keys_and_certificates_are_not_exchanged() {
    for vector in keyless() {
        let key = Certificate::parse(&vector.leaf())
            .unwrap()
            .public_key()
            .clone();
        let by_key = Vector {
            signer: Signer::Key(key, None),
            ..vector.clone()
        };
        assert_eq!(
            refused(&by_key, &vector.bundle, "the certificate's key"),
            "sigstore.material"
        );
        let mut bundle = vector.bundle.clone();
        let material = bundle["verificationMaterial"].as_object_mut().unwrap();
        material.remove("certificate");
        material.remove("x509CertificateChain");
        material.insert("publicKey".into(), json!({"hint": ""}));
        assert_eq!(
            refused(vector, &bundle, "a key in place of the certificate"),
            "sigstore.material"
        );
        let bytes = serde_json::to_vec(&bundle).unwrap();
        assert!(
            by_key.judge_bytes(&bytes, &RustCrypto).is_err()
                || by_key.entries().iter().all(|entry| !by_key.lists(entry)),
            "{}: the log knows a certificate, not a key",
            vector.name
        );
    }
}
