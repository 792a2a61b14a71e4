//! Published bypasses that concern Sigstore: each has a test here that names it, or is named in a
//! test elsewhere.

use crate::edit::{alter_at, decode, encode};
use crate::forge::{self, ARTIFACT, Key, TIME};
use crate::support::{self, Memory};
use crate::vectors::{self, Vector};
use sealgate::internals::crypto::PublicKey;
use sealgate::internals::digest::Digest;
use sealgate::internals::sigstore::identity::{Identity, Pattern};
use sealgate::internals::sigstore::verify::{Artifact, Signer, Thresholds};
use sealgate::internals::time::UnixTime;
use sealgate::internals::verify::{Direct, Referrer, Rules, Signers, Verdict};
use sealgate::internals::x509::Window;
use serde_json::{Value, json};
use std::collections::BTreeSet;

macro_rules! advisories {
    ($($(#[$meta:meta])* $name:ident [$($id:literal),+] $body:block)+) => {
        $($(#[$meta])* #[test] fn $name() $body)+
        /// What is tested here.
        const HERE: &[&str] = &[$($($id),+),+];
    };
}

/// Named in tests that stand nearer to the code: advisory, file.
const ELSEWHERE: &[(&str, &str)] = &[
    ("GHSA-vfp6-jrw2-99g9", "tests/images.rs"),
    ("GHSA-88jx-383q-w4qc", "tests/images.rs"),
    ("GHSA-95pr-fxf5-86gv", "tests/images.rs"),
    ("CVE-2026-24122", "src/x509/tests.rs"),
    ("CVE-2026-39984", "src/timestamp/tests.rs"),
    ("TOB-SIGSTORE-11", "src/timestamp/tests.rs"),
    ("RUSTSEC-2026-0098", "src/x509/tests.rs"),
];

/// Rows of docs/security.md that speak of other systems, or of registries and digests whatever the
/// signature.
const OTHERS: &[&str] = &[
    "GHSA-m3cq-xcx9-3gvm",
    "CVE-2023-47630",
    "CVE-2026-122321",
    "CVE-2023-33959",
    "GHSA-9m3v-v4r5-ppx7",
    "CVE-2023-25656",
    "CVE-2024-23332",
    "CVE-2024-56138",
    "CVE-2024-3727",
    "CVE-2026-111361",
    "CVE-2026-75939",
    "CVE-2025-47934",
    "CVE-2019-11841",
    "GHSA-qwqc-28w3-fww6",
    "CVE-2021-41190",
    "CVE-2026-95839",
    "CVE-2026-23992",
    "CVE-2021-41087",
];

/// Every row of docs/security.md, by its first name, that concerns Sigstore.
const ROWS: [&str; 27] = [
    "CVE-2022-23649",
    "CVE-2022-35929",
    "CVE-2022-35930",
    "CVE-2022-36056",
    "GHSA-vfp6-jrw2-99g9",
    "GHSA-88jx-383q-w4qc",
    "GHSA-95pr-fxf5-86gv",
    "CVE-2026-22703",
    "CVE-2026-24122",
    "CVE-2026-39395",
    "GHSA-fx35-mq7g-6g98",
    "GHSA-cq38-jh5f-37mq",
    "CVE-2026-49834",
    "CVE-2026-54787",
    "CVE-2026-48815",
    "CVE-2026-48816",
    "CVE-2024-55655",
    "CVE-2024-53267",
    "CVE-2024-54140",
    "CVE-2026-31830",
    "CVE-2026-39984",
    "TOB-SIGSTORE-11",
    "TOB-SIGSTORE-9",
    "CVE-2023-47122",
    "CVE-2025-29778",
    "CVE-2025-25204",
    "RUSTSEC-2026-0098",
];

/// `left ^ right`, as lists.
fn difference<'a>(
    left: impl IntoIterator<Item = &'a str>,
    right: impl IntoIterator<Item = &'a str>,
) -> Vec<&'a str> {
    let (left, right): (BTreeSet<_>, BTreeSet<_>) =
        (left.into_iter().collect(), right.into_iter().collect());
    left.symmetric_difference(&right).copied().collect()
}

#[test]
fn the_table_is_complete() {
    let tested = HERE
        .iter()
        .copied()
        .chain(ELSEWHERE.iter().map(|(id, _)| *id));
    assert_eq!(difference(tested, ROWS), Vec::<&str>::new());
    for (id, file) in ELSEWHERE {
        assert!(
            std::fs::read_to_string(file).unwrap().contains(id),
            "{file} does not name {id}"
        );
    }
    // Nothing was added to the table without being seen here.
    let table = std::fs::read_to_string("docs/security.md").unwrap();
    let rows: Vec<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .filter(|first| {
            ["CVE-", "GHSA-", "TOB-", "RUSTSEC-"]
                .iter()
                .any(|kind| first.starts_with(kind))
        })
        .collect();
    assert_eq!(rows.len(), ROWS.len() + OTHERS.len());
    let unseen: Vec<&str> = rows
        .into_iter()
        .filter(|row| !ROWS.iter().chain(OTHERS).any(|id| row.contains(id)))
        .collect();
    assert!(unseen.is_empty(), "rows without a test: {unseen:?}");
}

#[track_caller]
fn refused(vector: &Vector, bundle: &Value, codes: &[&str]) {
    match vector.judge(bundle) {
        Ok(_) => panic!("{}: accepted, expected {codes:?}", vector.name),
        Err(code) => assert!(
            codes.iter().any(|expected| vector.tells(&code, expected)),
            "{}: {code}, expected {codes:?}",
            vector.name
        ),
    }
}

/// Vectors for which `which` is true of the first entry in a listed log; at least one.
fn logged(which: impl Fn(&Value) -> bool) -> Vec<&'static Vector> {
    let found: Vec<_> = vectors::all()
        .iter()
        .filter(|vector| {
            vector
                .entries()
                .iter()
                .any(|entry| vector.lists(entry) && which(entry))
        })
        .collect();
    assert!(!found.is_empty(), "no vector is like that");
    found
}

fn edited(vector: &Vector, edit: impl Fn(&mut Value)) -> Value {
    let mut bundle = vector.bundle.clone();
    bundle["verificationMaterial"]["tlogEntries"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .for_each(edit);
    bundle
}

/// `payload` signed with a key and logged, asked about [`ARTIFACT`].
fn signed(payload: &[u8]) -> Vector {
    let (_, signer, log) = forge::happy();
    forge::vector(
        forge::bundle(&signer, payload, &[forge::entry(&log, 1, &signer, payload)]),
        &signer,
        &[&log],
    )
}

/// An image with these bundles as referrers.
pub(crate) fn image(bundles: &[Value]) -> (Memory, Digest) {
    let mut memory = Memory::default();
    let config = memory.put(b"{}");
    let layer = |digest: &Digest, kind: &str| json!({"mediaType": kind, "digest": digest.to_string(), "size": 2});
    let image = json!({"schemaVersion": 2, "mediaType": support::MANIFEST, "config": layer(&config, "application/vnd.oci.image.config.v1+json"), "layers": []}).to_string().into_bytes();
    let digest = Digest::of(&image);
    memory
        .manifests
        .insert("1".into(), (image, support::MANIFEST.into()));
    let mut list = Vec::new();
    for bundle in bundles {
        let kind = bundle["mediaType"].as_str().unwrap();
        let bytes = bundle.to_string().into_bytes();
        let blob = memory.put(&bytes);
        let mut entry = layer(&blob, kind);
        entry["size"] = bytes.len().into();
        let manifest = json!({"schemaVersion": 2, "mediaType": support::MANIFEST, "artifactType": kind, "config": layer(&config, "application/vnd.oci.empty.v1+json"), "layers": [entry],
            "subject": {"mediaType": support::MANIFEST, "digest": digest.to_string(), "size": 1}}).to_string().into_bytes();
        let name = Digest::of(&manifest);
        memory
            .manifests
            .insert(name.to_string(), (manifest, support::MANIFEST.into()));
        list.push(Referrer {
            digest: name,
            artifact_type: Some(kind.into()),
        });
    }
    memory.referrers.insert(digest.to_string(), list);
    (memory, digest)
}

fn by_key(key: &PublicKey, predicate_type: Option<&str>) -> Rules {
    Rules::Direct(Direct {
        predicate_type: predicate_type.map(Into::into),
        ..Direct::by(Signers::Keys(vec![key.clone()]))
    })
}

const SPDX: &str = "https://spdx.dev/Document";
const VULN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";

/// The image's digest, in an attestation of this type.
fn attested(digest: &Digest, predicate_type: &str) -> Value {
    let payload = forge::statement(
        predicate_type,
        &[json!({"name": "image", "digest": {"sha256": digest.hex()}})],
    );
    forge::bundle(&Key::new(1), &payload, &[])
}

fn verdict(memory: &Memory, rules: &Rules) -> Verdict {
    support::judge(memory, rules, "demo.example/it:1")
        .finding
        .verdict
}

advisories! {
    /// A timestamp of the log that was made over another entry.
    set_of_another_signature ["CVE-2022-23649"] {
        let with_set = logged(|entry| entry["inclusionPromise"].is_object());
        for vector in &with_set {
            for other in with_set.iter().filter(|other| other.signature() != vector.signature()).take(3) {
                let promise = &other.entries()[0]["inclusionPromise"];
                refused(vector, &edited(vector, |entry| entry["inclusionPromise"] = promise.clone()), &["signature.invalid"]);
                // With everything that it was made over: then it is about another signature.
                refused(vector, &edited(vector, |entry| *entry = other.entries()[0].clone()), &["log-body.signature", "log-body.digest", "log-body.verifier", "log-body.kind", "log-body.algorithm", "sigstore.log", "bundle.shape"]);
            }
        }
    }

    /// Only another type of attestation is there.
    the_wanted_type_is_absent ["CVE-2022-35929"] {
        let digest = image(&[]).1;
        let memory = image(&[attested(&digest, VULN)]).0;
        let key = Key::new(1).public();
        assert_eq!(verdict(&memory, &by_key(&key, Some(VULN))), Verdict::Allow);
        assert_eq!(verdict(&memory, &by_key(&key, Some(SPDX))), Verdict::Deny);
        assert_eq!(verdict(&memory, &by_key(&key, None)), Verdict::Deny, "an attestation is no signature");
    }

    the_wanted_type_is_absent_under_a_policy ["CVE-2022-35930"] {
        let digest = image(&[]).1;
        let memory = image(&[attested(&digest, VULN)]).0;
        for (wanted, expected) in [(VULN, Verdict::Allow), (SPDX, Verdict::Deny)] {
            let root = forge::root(&[]).to_string();
            let requirement = json!({"type": "attested", "predicateType": wanted, "keyData": encode(Key::new(1).public().to_pem().as_bytes()), "trustedRootData": encode(root.as_bytes())});
            let policy = json!({"sealgate": {"version": 1}, "default": [{"type": "reject"}], "transports": {"docker": {"demo.example": [requirement]}}}).to_string();
            let rules = Rules::policy(sealgate::policy::Policy::parse(policy.as_bytes()).unwrap(), Default::default()).unwrap();
            assert_eq!(verdict(&memory, &rules), expected, "{wanted}");
        }
    }

    /// verify-blob's: an entry of something else, an identity that is not compared because a bundle
    /// is there, an entry that
    /// cannot be read.
    four_holes_of_verify_blob ["CVE-2022-36056"] {
        let (vector, signer, log) = forge::happy();
        let payload = forge::statement("https://example.com/other", &[forge::subject(b"other")]);
        let foreign = forge::entry(&log, 9, &signer, &payload);
        refused(&vector, &edited(&vector, |entry| *entry = foreign.clone()), &["log-body.digest"]);
        for pinned in vectors::all().iter().filter(|vector| !vector.is_keyed()) {
            let asked = Vector { signer: Signer::Identity(vec![Identity::exact("https://issuer.test", "someone").unwrap()]), ..pinned.clone() };
            refused(&asked, &asked.bundle, &["sigstore.identity"]);
        }
        refused(&vector, &edited(&vector, |entry| entry["canonicalizedBody"] = encode(b"{")), &["log-entry.json"]);
        refused(&vector, &edited(&vector, |entry| *entry = json!({})), &["bundle.shape"]);
    }

    /// Digest, key and signature of an entry, each of another, in an entry that the log did sign.
    any_entry_of_the_log ["CVE-2026-22703"] {
        let (vector, signer, log) = forge::happy();
        let payload = decode(&vector.bundle["dsseEnvelope"]["payload"]);
        let other = forge::statement("https://example.com/p", &[forge::subject(ARTIFACT), forge::subject(b"more")]);
        let stranger = Key::new(9);
        for (entry, code) in [
            (forge::entry(&log, 7, &signer, &other), "log-body.digest"),
            (forge::entry(&log, 7, &stranger, &payload), "log-body.signature"),
            (with_verifier(&log, &signer, &stranger, &payload), "log-body.verifier"),
        ] {
            refused(&vector, &edited(&vector, |place| *place = entry.clone()), &[code]);
        }
    }

    /// What is signed and cannot be read is no statement.
    signed_and_malformed ["CVE-2026-39395"] {
        assert!(forge::happy().0.judge(&forge::happy().0.bundle).is_ok());
        for (payload, code) in [
            (&b"{"[..], "statement.json"), (b"", "statement.json"), (b"[]", "statement.shape"), (b"{\"_type\":\"https://example.com/other\"}", "statement.type"),
            (b"{\"_type\":\"https://in-toto.io/Statement/v1\",\"_type\":\"https://in-toto.io/Statement/v1\"}", "statement.json"),
        ] {
            let vector = signed(payload);
            refused(&vector, &vector.bundle, &[code]);
        }
    }

    /// A key of the attacker's in the bundle or its entry, while an identity is asked for.
    a_key_that_nobody_expects ["GHSA-fx35-mq7g-6g98"] {
        let (vector, signer, log) = forge::happy();
        let asked = Vector { signer: Signer::Identity(vec![Identity { issuer: Pattern::whole(".*").unwrap(), subject: Pattern::whole(".*").unwrap(), claims: Vec::new() }]), ..vector.clone() };
        refused(&asked, &asked.bundle, &["sigstore.material"]);
        let attacker = Key::new(66);
        let payload = decode(&vector.bundle["dsseEnvelope"]["payload"]);
        let forged = forge::bundle(&attacker, &payload, &[forge::entry(&log, 1, &attacker, &payload)]);
        refused(&vector, &forged, &["log-body.verifier"]);
        let unlogged = forge::vector(forge::bundle(&attacker, &payload, &[]), &signer, &[]);
        refused(&unlogged, &unlogged.bundle, &["signature.invalid"]);
    }

    /// Each at its bound, and one more.
    bounds ["GHSA-cq38-jh5f-37mq"] {
        let (_, signer, log) = forge::happy();
        let payload = forge::statement("https://example.com/p", &[forge::subject(ARTIFACT)]);
        let entries: Vec<Value> = (0..33).map(|number| forge::entry(&log, number, &signer, &payload)).collect();
        let with = |count: usize| forge::vector(forge::bundle(&signer, &payload, &entries[..count]), &signer, &[&log]);
        with(32).accepted();
        refused(&with(33), &with(33).bundle, &["limit.log-entries"]);
        let mut stamped = with(1);
        stamped.bundle["verificationMaterial"]["timestampVerificationData"] = json!({"rfc3161Timestamps": (0..33).map(|number| json!({"signedTimestamp": encode(&[0x30, number])})).collect::<Vec<_>>()});
        refused(&stamped, &stamped.bundle, &["limit.timestamps"]);
        for (count, holds) in [(1_024, true), (1_025, false)] {
            let mut subjects = vec![forge::subject(ARTIFACT)];
            subjects.resize(count, forge::subject(b"other"));
            let vector = signed(&forge::statement("https://example.com/p", &subjects));
            assert_eq!(vector.judge(&vector.bundle).map(drop), if holds { Ok(()) } else { Err("statement.subjects".into()) });
        }
        for (count, holds) in [(32, true), (33, false)] {
            let mut subject = forge::subject(ARTIFACT);
            (1..count).for_each(|number| subject["digest"][format!("a{number}")] = "00".into());
            let vector = signed(&forge::statement("https://example.com/p", &[subject]));
            assert_eq!(vector.judge(&vector.bundle).map(drop), if holds { Ok(()) } else { Err("statement.subject-digests".into()) });
        }
    }

    /// Two entries in one log are one log; the same entry twice is none.
    thresholds_count_logs ["CVE-2026-49834"] {
        let (_, signer, log) = forge::happy();
        let other = Key::new(3);
        let payload = forge::statement("https://example.com/p", &[forge::subject(ARTIFACT)]);
        let judge = |entries: &[Value], thresholds| Vector { thresholds, ..forge::vector(forge::bundle(&signer, &payload, entries), &signer, &[&log, &other]) };
        let (one, two) = ([forge::entry(&log, 1, &signer, &payload), forge::entry(&log, 2, &signer, &payload)], [forge::entry(&log, 1, &signer, &payload), forge::entry(&other, 2, &signer, &payload)]);
        for (thresholds, code) in [
            (Thresholds { logs: 2, ..Thresholds::default() }, "sigstore.log"),
            (Thresholds { integrated: 2, ..Thresholds::default() }, "sigstore.times"),
            (Thresholds { observers: 2, ..Thresholds::default() }, "sigstore.times"),
        ] {
            let (same, apart) = (judge(&one, thresholds), judge(&two, thresholds));
            refused(&same, &same.bundle, &[code]);
            apart.accepted();
        }
        let twice = judge(&[one[0].clone(), one[0].clone()], Thresholds::default());
        refused(&twice, &twice.bundle, &["log-entry.repeated"]);
    }

    /// Signed when the key did not count: the signer's, and the log's.
    key_windows ["CVE-2026-54787"] {
        let (vector, signer, _) = forge::happy();
        let time = i64::try_from(TIME).unwrap();
        let under = |start: i64, end: Option<i64>| Vector { signer: Signer::Key(signer.public(), Some(Window { start: UnixTime(start), end: end.map(UnixTime) })), ..vector.clone() };
        under(time, Some(time)).accepted();
        for window in [under(0, Some(time - 1)), under(time + 1, None)] {
            refused(&window, &window.bundle, &["sigstore.key-window"]);
        }
        // A window asks for a time.
        let mut bundle = vector.bundle.clone();
        bundle["verificationMaterial"]["tlogEntries"][0].as_object_mut().unwrap().remove("inclusionPromise");
        refused(&under(time, None), &bundle, &["sigstore.key-window"]);
        for vector in logged(|entry| entry["inclusionPromise"].is_object()) {
            let mut root = vector.root.clone();
            root["tlogs"].as_array_mut().unwrap().iter_mut().for_each(|log| log["publicKey"]["validFor"] = json!({"start": "2000-01-01T00:00:00Z", "end": "2001-01-01T00:00:00Z"}));
            let closed = vector.under(&root);
            refused(&closed, &closed.bundle, &["sigstore.log-window"]);
        }
    }

    /// Every option has a failing case.
    no_option_is_dropped ["CVE-2026-48815"] {
        let (vector, _, _) = forge::happy();
        let most = usize::MAX;
        for (thresholds, code) in [
            (Thresholds { logs: most, ..Thresholds::default() }, "sigstore.log"),
            (Thresholds { timestamps: 1, ..Thresholds::default() }, "sigstore.timestamps"),
            (Thresholds { integrated: most, ..Thresholds::default() }, "sigstore.times"),
            (Thresholds { observers: most, ..Thresholds::default() }, "sigstore.times"),
        ] {
            let asked = Vector { thresholds, ..vector.clone() };
            refused(&asked, &asked.bundle, &[code]);
        }
        let other = Vector { artifact: Artifact::Bytes(b"other".into()), ..vector.clone() };
        refused(&other, &other.bundle, &["sigstore.artifact"]);
        let other = Vector { signer: Signer::Key(Key::new(5).public(), None), ..vector.clone() };
        refused(&other, &other.bundle, &["log-body.verifier"]);
        for vector in vectors::all().iter().filter(|vector| !vector.is_keyed()) {
            let Signer::Identity(own) = &vector.signer else { continue };
            let wrong = || Pattern::exact("other").unwrap();
            for identity in [
                Identity { issuer: wrong(), ..own[0].clone() }, Identity { subject: wrong(), ..own[0].clone() },
                Identity { claims: vec![("sourceRepositoryURI".into(), "other".into())], ..own[0].clone() }, Identity { claims: vec![("noSuchClaim".into(), "".into())], ..own[0].clone() },
            ] {
                let asked = Vector { signer: Signer::Identity(vec![identity]), ..vector.clone() };
                refused(&asked, &asked.bundle, &["sigstore.identity"]);
            }
            let nobody = Vector { signer: Signer::Identity(Vec::new()), ..vector.clone() };
            refused(&nobody, &nobody.bundle, &["sigstore.identity"]);
        }
    }

    /// A proof alone says that an entry is in the log, and not since when.
    integrated_time_without_set ["CVE-2026-48816", "CVE-2024-55655"] {
        let mut count = 0;
        for vector in logged(|entry| entry["inclusionPromise"].is_object() && entry["inclusionProof"]["checkpoint"].is_object()) {
            if vector.is_keyed() || vector.bundle["mediaType"].as_str().unwrap().ends_with("0.1") {
                continue;
            }
            let mut bundle = edited(vector, |entry| {
                entry.as_object_mut().unwrap().remove("inclusionPromise");
                entry["integratedTime"] = "1700000000".into();
            });
            bundle["verificationMaterial"].as_object_mut().unwrap().remove("timestampVerificationData");
            refused(vector, &bundle, &["sigstore.no-trusted-time", "sigstore.times"]);
            count += 1;
        }
        assert!(count > 0, "no vector is like that");
    }

    /// A good entry of the same log and signer, about something else.
    a_mismatched_but_valid_entry ["CVE-2024-53267"] {
        let (vector, signer, log) = forge::happy();
        let payload = forge::statement("https://example.com/p", &[forge::subject(b"other")]);
        let other = forge::vector(forge::bundle(&signer, &payload, &[forge::entry(&log, 8, &signer, &payload)]), &signer, &[&log]);
        Vector { artifact: Artifact::Bytes(b"other".into()), ..other.clone() }.accepted();
        refused(&vector, &edited(&vector, |entry| *entry = other.entries()[0].clone()), &["log-body.digest"]);
    }

    /// One bit of the checkpoint's signature; the signature taken away; the checkpoint.
    checkpoint_signature ["CVE-2024-54140"] {
        for vector in logged(|entry| entry["inclusionProof"]["checkpoint"].is_object()) {
            let envelope = "/inclusionProof/checkpoint/envelope";
            let text = |entry: &Value| String::from(entry.pointer(envelope).unwrap().as_str().unwrap());
            let set = |entry: &mut Value, text: &str| *entry.pointer_mut(envelope).unwrap() = text.into();
            refused(vector, &edited(vector, |entry| { let text = text(entry); set(entry, text.split_inclusive("\n\n").next().unwrap()) }), &["checkpoint.unsigned"]);
            refused(vector, &edited(vector, |entry| { let flipped = flip_signatures(&text(entry)); set(entry, &flipped) }), &["signature.invalid"]);
            if !vector.bundle["mediaType"].as_str().unwrap().ends_with("0.1") {
                refused(vector, &edited(vector, |entry| drop(entry["inclusionProof"].as_object_mut().unwrap().remove("checkpoint"))), &["bundle.shape"]);
            }
        }
    }

    /// A good bundle, about another image.
    subject_is_another_image ["CVE-2026-31830"] {
        let other = Digest::of(b"another image");
        let memory = image(&[attested(&other, sealgate::internals::sigstore::statement::COSIGN_SIGN), attested(&other, VULN)]).0;
        let key = Key::new(1).public();
        assert_eq!(verdict(&memory, &by_key(&key, None)), Verdict::Deny);
        assert_eq!(verdict(&memory, &by_key(&key, Some(VULN))), Verdict::Deny);
        let own = image(&[]).1;
        let memory = image(&[attested(&own, sealgate::internals::sigstore::statement::COSIGN_SIGN)]).0;
        assert_eq!(verdict(&memory, &by_key(&key, None)), Verdict::Allow);
    }

    /// Two signatures, one of them good.
    two_signatures_in_one_envelope ["TOB-SIGSTORE-9"] {
        for vector in vectors::all().iter().filter(|vector| vector.is_dsse()) {
            let mut bundle = vector.bundle.clone();
            let good = bundle["dsseEnvelope"]["signatures"][0].clone();
            let mut bad = good.clone();
            alter_at(&mut bad, "/sig");
            for signatures in [json!([good, bad]), json!([bad, good]), json!([good, good]), json!([])] {
                bundle["dsseEnvelope"]["signatures"] = signatures;
                refused(vector, &bundle, &["bundle.signatures"]);
            }
        }
    }

    /// Nothing that verifies can reach the network: what is trusted is given.
    no_key_is_fetched ["CVE-2023-47122"] {
        let mut files = 0;
        for folder in ["src/sigstore", "src/sigstore/verify", "src/sigstore/roots", "src/tlog", "src/tlog/rekor", "src/timestamp", "src/x509", "src/crypto"] {
            for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).filter(|file| file.extension().is_some_and(|kind| kind == "rs")) {
                assert!(!std::fs::read_to_string(&file).unwrap().contains("crate::host"), "{} can ask the host", file.display());
                files += 1;
            }
        }
        assert!(files > 20, "the sources are elsewhere");
    }

    /// Expressions that do not match.
    expressions_are_heeded ["CVE-2025-29778"] {
        for vector in vectors::all().iter().filter(|vector| !vector.is_keyed()) {
            let any = || Pattern::whole(".*").unwrap();
            for (issuer, subject) in [(Pattern::whole("https://issuer[.]test/.*").unwrap(), any()), (any(), Pattern::whole("https://github[.]com/someone-else/.*").unwrap())] {
                let asked = Vector { signer: Signer::Identity(vec![Identity { issuer, subject, claims: Vec::new() }]), ..vector.clone() };
                refused(&asked, &asked.bundle, &["sigstore.identity"]);
            }
        }
    }

    /// An empty set is never success.
    nothing_is_no_attestation ["CVE-2025-25204"] {
        let memory = image(&[]).0;
        let key = Key::new(1).public();
        for rules in [by_key(&key, None), by_key(&key, Some(SPDX))] {
            assert_eq!(verdict(&memory, &rules), Verdict::Deny);
        }
        assert!(Rules::keys(&[]).is_err());
    }
}

/// An entry with the right signature and another key.
fn with_verifier(log: &Key, signer: &Key, stranger: &Key, payload: &[u8]) -> Value {
    let own = forge::entry(log, 7, signer, payload);
    let mut body: Value = serde_json::from_slice(&decode(&own["canonicalizedBody"])).unwrap();
    body["spec"]["signatures"][0]["verifier"] = encode(stranger.public().to_pem().as_bytes());
    forge::entry_of(log, 7, body.to_string().as_bytes())
}

/// Every signature of a note, with one bit altered.
fn flip_signatures(note: &str) -> String {
    let (text, signatures) = note.split_once("\n\n").unwrap();
    let flipped = signatures.lines().map(|line| {
        let (head, signature) = line.rsplit_once(' ').unwrap();
        let mut bytes = decode(&json!(signature));
        let last = bytes.len() - 2;
        bytes[last] ^= 1;
        format!("{head} {}\n", encode(&bytes).as_str().unwrap())
    });
    format!("{text}\n\n{}", flipped.collect::<String>())
}

/// What a container claims of itself drives no allocation: DER lengths, and sizes in logs.
#[test]
fn huge_sizes_are_refused_at_once() {
    let (vector, _, _) = forge::happy();
    let huge = [0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x02];
    let mut bundle = vector.bundle.clone();
    bundle["verificationMaterial"]["timestampVerificationData"] =
        json!({"rfc3161Timestamps": [{"signedTimestamp": encode(&huge)}]});
    refused(&vector, &bundle, &["timestamp.der"]);
    let mut bundle = vector.bundle.clone();
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = encode(&huge);
    refused(&vector, &bundle, &["log-body.signature"]);
    for keyless in vectors::all().iter().filter(|vector| !vector.is_keyed()) {
        let mut bundle = keyless.bundle.clone();
        *bundle.pointer_mut(keyless.leaf_pointer().unwrap()).unwrap() = encode(&huge);
        refused(keyless, &bundle, &["x509.der"]);
    }
    for (pointer, value, codes) in [
        (
            "/inclusionProof/treeSize",
            "9223372036854775807",
            &["proof.stated"][..],
        ),
        (
            "/inclusionProof/logIndex",
            "9223372036854775807",
            &["proof.index"],
        ),
        (
            "/inclusionProof/treeSize",
            "9223372036854775808",
            &["log-entry.shape"],
        ),
        ("/logIndex", "-1", &["log-entry.shape"]),
        (
            "/integratedTime",
            "9223372036854775807",
            &["signature.invalid"],
        ),
    ] {
        refused(
            &vector,
            &edited(&vector, |entry| {
                *entry.pointer_mut(pointer).unwrap() = value.into()
            }),
            codes,
        );
    }
    let many = vec![encode(&[0; 32]); 65];
    refused(
        &vector,
        &edited(&vector, |entry| {
            entry["inclusionProof"]["hashes"] = json!(many)
        }),
        &["log-entry.shape"],
    );
}
