//! What a log's signatures make of an entry, and each way in which they do not.

use super::*;
use crate::time::UnixTime;
use crate::tlog::rekor::{ProofForm, Version, entries};
use proptest::prelude::*;

fn set(entry: &Value) -> &'static str {
    parse(entry).map_or_else(
        |error| code::<()>(Err(error)),
        |entry| settle(entry.set_claim(&v1_log())).map_or_else(|code| code, |_| "ok"),
    )
}

fn included(entry: &Value, log: &LogKey) -> &'static str {
    parse(entry).map_or_else(
        |error| code::<()>(Err(error)),
        |entry| settle(entry.inclusion_claim(log)).map_or_else(|code| code, |_| "ok"),
    )
}

#[test]
fn happy() {
    let entry = parse(&v1_entry(&hashedrekord_1())).unwrap();
    assert_eq!(
        (entry.version(), entry.proof_form(), entry.kind().as_str()),
        (Version::V1, ProofForm::WithCheckpoint, "hashedrekord 0.0.1")
    );
    let time = settle(entry.set_claim(&v1_log())).unwrap();
    assert_eq!(
        (
            time.claim().time(),
            time.claim().log_index(),
            time.claim().leaf_hash()
        ),
        (UnixTime(1_700_000_000), 1006, &entry.leaf_hash())
    );
    let place = settle(entry.inclusion_claim(&v1_log())).unwrap();
    assert_eq!(
        (
            place.claim().index(),
            place.claim().checkpoint().size(),
            place.claim().leaf_hash()
        ),
        (6, 11, &entry.leaf_hash())
    );
    for body in [hashedrekord_2(PAYLOAD), dsse_2()] {
        let entry = parse(&v2_entry(&body)).unwrap();
        assert_eq!(entry.version(), Version::V2);
        assert!(settle(entry.inclusion_claim(&v2_log())).is_ok());
        assert_eq!(
            settle(entry.set_claim(&v2_log())).unwrap_err(),
            "set.version"
        );
    }
}

#[test]
fn named_mutations_of_version_1() {
    let good = v1_entry(&hashedrekord_1());
    let other = v1_entry(&with(
        &hashedrekord_1(),
        "/spec/signature/content",
        base64::encode(b"another").into(),
    ));
    let taken = |pointer: &str| with(&good, pointer, other.pointer(pointer).unwrap().clone());
    for (name, entry, for_set, for_place) in [
        ("as it is", good.clone(), "ok", "ok"),
        (
            "integers as numbers",
            with(
                &with(&good, "/logIndex", 1006.into()),
                "/inclusionProof/treeSize",
                11.into(),
            ),
            "ok",
            "ok",
        ),
        (
            "no timestamp",
            with(&good, "/inclusionPromise", Value::Null),
            "set.missing",
            "ok",
        ),
        (
            "no proof",
            with(&good, "/inclusionProof", Value::Null),
            "ok",
            "proof.missing",
        ),
        (
            "another's timestamp",
            taken("/inclusionPromise"),
            "signature.invalid",
            "ok",
        ),
        (
            "another's proof",
            taken("/inclusionProof"),
            "ok",
            "proof.root",
        ),
        (
            "another's checkpoint",
            taken("/inclusionProof/checkpoint"),
            "ok",
            "proof.stated",
        ),
        (
            "another's body",
            taken("/canonicalizedBody"),
            "signature.invalid",
            "proof.root",
        ),
        (
            "time",
            with(&good, "/integratedTime", "1700000001".into()),
            "signature.invalid",
            "ok",
        ),
        (
            "no time",
            with(&good, "/integratedTime", Value::Null),
            "signature.invalid",
            "ok",
        ),
        (
            "log index",
            with(&good, "/logIndex", "1007".into()),
            "signature.invalid",
            "ok",
        ),
        (
            "log id",
            with(&good, "/logId/keyId", base64::encode(&[2; 32]).into()),
            "log-entry.log-id",
            "log-entry.log-id",
        ),
        (
            "kind",
            with(&good, "/kindVersion/kind", "dsse".into()),
            "log-entry.kind-version",
            "log-entry.kind-version",
        ),
        (
            "version",
            with(&good, "/kindVersion/version", "0.0.2".into()),
            "log-entry.kind-version",
            "log-entry.kind-version",
        ),
        (
            "place in the tree",
            with(&good, "/inclusionProof/logIndex", "7".into()),
            "ok",
            "proof.root",
        ),
        (
            "size",
            with(&good, "/inclusionProof/treeSize", "12".into()),
            "ok",
            "proof.stated",
        ),
        (
            "root",
            with(
                &good,
                "/inclusionProof/rootHash",
                base64::encode(&[0; 32]).into(),
            ),
            "ok",
            "proof.stated",
        ),
        (
            "hashes",
            with(
                &good,
                "/inclusionProof/hashes/0",
                base64::encode(&[0; 32]).into(),
            ),
            "ok",
            "proof.root",
        ),
        (
            "no hashes",
            with(&good, "/inclusionProof/hashes", Value::Null),
            "ok",
            "proof.length",
        ),
        (
            "a short hash",
            with(
                &good,
                "/inclusionProof/hashes/0",
                base64::encode(&[0; 31]).into(),
            ),
            "log-entry.shape",
            "log-entry.shape",
        ),
        (
            "65 hashes",
            with(
                &good,
                "/inclusionProof/hashes",
                alloc::vec![base64::encode(&[0; 32]); 65].into(),
            ),
            "log-entry.shape",
            "log-entry.shape",
        ),
        (
            "negative index",
            with(&good, "/logIndex", (-1).into()),
            "log-entry.shape",
            "log-entry.shape",
        ),
        (
            "index with sign",
            with(&good, "/logIndex", "+1006".into()),
            "log-entry.shape",
            "log-entry.shape",
        ),
        (
            "index with zeros",
            with(&good, "/logIndex", "01006".into()),
            "log-entry.shape",
            "log-entry.shape",
        ),
        (
            "index with exponent",
            with(&good, "/logIndex", json!(1e3)),
            "log-entry.shape",
            "log-entry.shape",
        ),
        (
            "index beyond int64",
            with(&good, "/logIndex", "9223372036854775808".into()),
            "log-entry.shape",
            "log-entry.shape",
        ),
        (
            "no log id",
            with(&good, "/logId", Value::Null),
            "log-entry.shape",
            "log-entry.shape",
        ),
        (
            "no body",
            with(&good, "/canonicalizedBody", Value::Null),
            "log-entry.shape",
            "log-entry.shape",
        ),
        (
            "empty body",
            with(&good, "/canonicalizedBody", "".into()),
            "log-entry.shape",
            "log-entry.shape",
        ),
        (
            "body that is no JSON",
            with(&good, "/canonicalizedBody", "AAAA".into()),
            "log-entry.json",
            "log-entry.json",
        ),
        (
            "unknown member",
            with(&good, "/more", 1.into()),
            "log-entry.shape",
            "log-entry.shape",
        ),
        (
            "empty timestamp",
            with(&good, "/inclusionPromise/signedEntryTimestamp", "".into()),
            "log-entry.shape",
            "log-entry.shape",
        ),
        (
            "timestamp that is no DER",
            with(
                &good,
                "/inclusionPromise/signedEntryTimestamp",
                base64::encode(&[1; 64]).into(),
            ),
            "signature.malformed",
            "ok",
        ),
    ] {
        assert_eq!(
            (set(&entry), included(&entry, &v1_log())),
            (for_set, for_place),
            "{name}"
        );
    }
    // The key of another log, under this log's id.
    let imposter = LogKey::new(
        v1_log().id(),
        "rekor.example",
        &ecdsa_public(99),
        Scheme::Ecdsa(Hash::Sha256),
    );
    assert_eq!(
        settle(parse(&good).unwrap().set_claim(&imposter)).unwrap_err(),
        "signature.invalid"
    );
    assert_eq!(included(&good, &imposter), "checkpoint.unsigned");
    let ed25519 = LogKey::new(
        v1_log().id(),
        "rekor.example",
        &ed25519_public(1),
        Scheme::Ed25519,
    );
    assert_eq!(
        settle(parse(&good).unwrap().set_claim(&ed25519)).unwrap_err(),
        "set.key"
    );
}

#[test]
fn named_mutations_of_version_2() {
    let good = v2_entry(&dsse_2());
    let other = v2_entry(&hashedrekord_2(PAYLOAD));
    let bytes = dsse_2().to_string().into_bytes();
    let renamed = |root: &[u8]| v2_checkpoint(root).replace(V2_ORIGIN, "other.example");
    let tree_name = |root: &[u8]| {
        let text = format!("{V2_ORIGIN} - 42\n11\n{}\n", base64::encode(root));
        format!(
            "{text}\n{}",
            line(
                V2_ORIGIN,
                &key_id(V2_ORIGIN, 1, V2),
                &ed25519(V2).sign(text.as_bytes()).to_bytes()
            )
        )
    };
    for (name, entry, expected) in [
        ("as it is", good.clone(), "ok"),
        (
            "a time of zero",
            with(&good, "/integratedTime", "0".into()),
            "ok",
        ),
        (
            "log index",
            with(&good, "/logIndex", "7".into()),
            "proof.stated",
        ),
        (
            "no log index",
            with(&good, "/logIndex", Value::Null),
            "proof.stated",
        ),
        (
            "place in the tree",
            with(
                &with(&good, "/logIndex", "7".into()),
                "/inclusionProof/logIndex",
                "7".into(),
            ),
            "proof.root",
        ),
        (
            "another's proof",
            with(&good, "/inclusionProof", other["inclusionProof"].clone()),
            "proof.root",
        ),
        (
            "no proof",
            with(&good, "/inclusionProof", Value::Null),
            "proof.missing",
        ),
        (
            "another log's name",
            with(&good, "/inclusionProof", proof(&bytes, renamed)),
            "checkpoint.unsigned",
        ),
        (
            "another origin, signed",
            with(&good, "/inclusionProof", proof(&bytes, tree_name)),
            "checkpoint.origin",
        ),
        (
            "Rekor v1's checkpoint",
            with(&good, "/inclusionProof", proof(&bytes, v1_checkpoint)),
            "checkpoint.unsigned",
        ),
        (
            "log id",
            with(&good, "/logId/keyId", base64::encode(&[3; 32]).into()),
            "log-entry.log-id",
        ),
    ] {
        assert_eq!(included(&entry, &v2_log()), expected, "{name}");
    }
    let elsewhere = LogKey::new(
        v2_log().id(),
        "elsewhere.example",
        &ed25519_public(V2),
        Scheme::Ed25519,
    );
    assert_eq!(included(&good, &elsewhere), "checkpoint.unsigned");
    // Rekor v1 under a checkpoint that names no tree.
    let body = hashedrekord_1();
    let v2_style = with(
        &v1_entry(&body),
        "/inclusionProof",
        proof(body.to_string().as_bytes(), v2_checkpoint),
    );
    assert_eq!(included(&v2_style, &v1_log()), "checkpoint.origin");
}

/// CVE-2024-54140 (sigstore-java): a bad checkpoint signature was ignored. A bit is flipped; the
/// signature goes; the checkpoint goes.
#[test]
fn cve_2024_54140() {
    let good = v1_entry(&hashedrekord_1());
    let note = good
        .pointer("/inclusionProof/checkpoint/envelope")
        .unwrap()
        .as_str()
        .unwrap();
    let (text, signature) = note.rsplit_once(' ').unwrap();
    let bytes = base64::decode(signature.trim_end()).unwrap();
    for bit in 0..8 {
        let mut flipped = bytes.clone();
        *flipped.last_mut().unwrap() ^= 1 << bit;
        let entry = with(
            &good,
            "/inclusionProof/checkpoint/envelope",
            format!("{text} {}\n", base64::encode(&flipped)).into(),
        );
        assert_eq!(included(&entry, &v1_log()), "signature.invalid");
    }
    let unsigned = note.split_once('\u{2014}').unwrap().0;
    assert_eq!(
        included(
            &with(
                &good,
                "/inclusionProof/checkpoint/envelope",
                unsigned.into()
            ),
            &v1_log()
        ),
        "checkpoint.unsigned"
    );
    let bare = parse(&with(&good, "/inclusionProof/checkpoint", Value::Null)).unwrap();
    assert_eq!(bare.proof_form(), ProofForm::WithoutCheckpoint);
    assert_eq!(
        settle(bare.inclusion_claim(&v1_log())).unwrap_err(),
        "proof.checkpoint-missing"
    );
    // Such a proof proves nothing, but must not be wrong.
    assert_eq!(code(bare.check_proof()), "ok");
    let wrong = with(
        &with(&good, "/inclusionProof/checkpoint", Value::Null),
        "/inclusionProof/rootHash",
        base64::encode(&[0; 32]).into(),
    );
    assert_eq!(code(parse(&wrong).unwrap().check_proof()), "proof.root");
}

/// CVE-2026-48816 (sigstore-js) and CVE-2024-55655 (sigstore-python): an integrated time without a
/// signed entry timestamp. The proof holds, whatever time stands beside it; a time comes from
/// `set_claim` alone, and there is none.
#[test]
fn cve_2026_48816_and_cve_2024_55655() {
    let good = v1_entry(&hashedrekord_1());
    let forged = with(
        &with(&good, "/inclusionPromise", Value::Null),
        "/integratedTime",
        "1600000000".into(),
    );
    assert_eq!(
        (set(&forged), included(&forged, &v1_log())),
        ("set.missing", "ok")
    );
    assert_eq!(
        set(&with(&good, "/integratedTime", "1600000000".into())),
        "signature.invalid"
    );
    let v2 = with(
        &with(&v2_entry(&dsse_2()), "/integratedTime", "1600000000".into()),
        "/inclusionPromise",
        good["inclusionPromise"].clone(),
    );
    let v2 = parse(&v2).unwrap();
    assert_eq!(settle(v2.set_claim(&v2_log())).unwrap_err(), "set.version");
    assert_eq!(
        settle(v2.set_claim_of_any_log(&ecdsa_public(V1))).unwrap_err(),
        "set.version"
    );
}

/// GHSA-cq38-jh5f-37mq (sigstore-go): unbounded entries. CVE-2026-49834 (sigstore-go): one entry
/// counted twice.
#[test]
fn ghsa_cq38_jh5f_37mq_and_cve_2026_49834() {
    let body = |n: usize| {
        with(
            &hashedrekord_1(),
            "/spec/signature/content",
            base64::encode(format!("{n}").as_bytes()).into(),
        )
    };
    let entry = |n: usize| with(&v1_entry(&body(n)), "/logIndex", n.into());
    let list = |list: Vec<Value>| {
        let text = Value::from(list).to_string();
        code(entries(
            json::parse(text.as_bytes(), json::Dialect::Strict)
                .unwrap()
                .as_array()
                .unwrap(),
        ))
    };
    assert_eq!(list((0..32).map(entry).collect()), "ok");
    assert_eq!(list((0..33).map(entry).collect()), "log-entry.too-many");
    assert_eq!(
        list(Vec::from([entry(1), entry(2), entry(1)])),
        "log-entry.repeated"
    );
    assert_eq!(
        list(Vec::from([
            entry(1),
            with(&entry(1), "/logIndex", 5.into())
        ])),
        "log-entry.repeated"
    );
    assert_eq!(
        list(Vec::from([
            entry(1),
            with(&entry(2), "/logIndex", 1.into())
        ])),
        "log-entry.repeated"
    );
    assert_eq!(
        list(Vec::from([
            entry(1),
            with(&entry(1), "/logId/keyId", base64::encode(&[9; 32]).into())
        ])),
        "ok"
    );
}

/// Cosign's annotation, as docs/containers-image.md section 2.3 has it (cases C14, C16, C17,
/// C21).
#[test]
fn annotations() {
    let body = hashedrekord_1().to_string().into_bytes();
    let signature = base64::encode(&ecdsa_sign(V1, set_message(&body, TIME, 1006).as_bytes()));
    let payload = set_message(&body, TIME, 1006);
    let annotation =
        |payload: &str| format!(r#"{{"SignedEntryTimestamp":"{signature}","Payload":{payload}}}"#);
    let check = |text: &str, key: &PublicKey| match Entry::parse_annotation(text.as_bytes()) {
        Ok(entry) => settle(entry.set_claim_of_any_log(key)).map_or_else(
            |code| code,
            |time| {
                if time.claim().time() == UnixTime(1_700_000_000) {
                    "ok"
                } else {
                    "another time"
                }
            },
        ),
        Err(error) => code::<()>(Err(error)),
    };
    let good = annotation(&payload);
    let shuffled = format!(
        r#" {{ "logIndex" : 1006.0 , "logID":"{}", "integratedTime": 17e8, "body":"{}" }} "#,
        hex::encode(v1_log().id()),
        base64::encode(&body)
    );
    let newline = base64::encode(&body).replacen("ey", "ey\\n", 1);
    for (name, text, expected) in [
        ("as it is", good.clone(), "ok"),
        ("reindented, N.0", annotation(&shuffled), "ok"),
        (
            "time altered",
            annotation(&payload.replace("1700000000", "1700000001")),
            "signature.invalid",
        ),
        (
            "index altered",
            annotation(&payload.replace("1006", "1007")),
            "signature.invalid",
        ),
        (
            "log id altered",
            annotation(&payload.replace(&hex::encode(v1_log().id()), "x")),
            "signature.invalid",
        ),
        (
            "a newline in the body's base64",
            annotation(&payload.replace(&base64::encode(&body), &newline)),
            "signature.invalid",
        ),
        (
            "fraction",
            annotation(&payload.replace("1006", "1006.5")),
            "set.payload",
        ),
        (
            "negative time",
            annotation(&payload.replace("1700000000", "-1")),
            "set.payload",
        ),
        (
            "beyond 53 bits",
            annotation(&payload.replace("1006", "9007199254740993")),
            "set.payload",
        ),
        (
            "time as text",
            annotation(&payload.replace("1700000000", "\"1700000000\"")),
            "set.payload",
        ),
        (
            "extra member inside",
            annotation(&payload.replace("{\"body", "{\"a\":1,\"body")),
            "set.payload",
        ),
        (
            "member missing inside",
            annotation(&payload.replace(",\"logIndex\":1006", "")),
            "set.payload",
        ),
        (
            "member twice inside",
            annotation(&payload.replace("{\"body", "{\"logIndex\":1006,\"body")),
            "log-entry.json",
        ),
        ("no object inside", annotation("[]"), "set.payload"),
        (
            "extra member",
            good.replace("{\"Signed", "{\"a\":1,\"Signed"),
            "log-entry.shape",
        ),
        (
            "no payload",
            format!(r#"{{"SignedEntryTimestamp":"{signature}"}}"#),
            "log-entry.shape",
        ),
        ("null payload", annotation("null"), "log-entry.shape"),
        (
            "no timestamp",
            format!(r#"{{"Payload":{payload}}}"#),
            "log-entry.shape",
        ),
        (
            "another case",
            good.replace("SignedEntry", "signedEntry"),
            "log-entry.shape",
        ),
        ("empty", String::new(), "log-entry.json"),
        ("twice", format!("{good}{good}"), "log-entry.json"),
    ] {
        assert_eq!(check(&text, &ecdsa_public(V1)), expected, "{name}");
    }
    assert_eq!(check(&good, &ecdsa_public(99)), "signature.invalid");
    assert_eq!(check(&good, &ed25519_public(1)), "set.key");
    // Under a trust root the log counts too.
    let entry = Entry::parse_annotation(good.as_bytes()).unwrap();
    assert!(settle(entry.set_claim(&v1_log())).is_ok());
    assert_eq!(
        settle(entry.set_claim(&v2_log())).unwrap_err(),
        "log-entry.log-id"
    );
    assert_eq!(
        settle(entry.inclusion_claim(&v1_log())).unwrap_err(),
        "proof.missing"
    );
}

proptest! {
    // Each case signs.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn never_panics(bytes: Vec<u8>, text in r#"\{("(Payload|SignedEntryTimestamp|body|logID|logIndex)":(1|"e30="|\{"body":"e30="\}),?){0,4}\}"#, at in 0_usize..4000, new: u8) {
        let _ = Entry::parse_annotation(&bytes);
        let _ = Entry::parse_annotation(text.as_bytes());
        let mut entry = v1_entry(&intoto_2()).to_string().into_bytes();
        let at = at % entry.len();
        entry[at] = new;
        let entry = json::parse(&entry, json::Dialect::Strict).ok().and_then(|node| Entry::parse(&node).ok());
        let _ = entry.map(|entry| (entry.set_claim(&v1_log()).is_ok(), entry.inclusion_claim(&v1_log()).is_ok(), entry.check_proof()));
    }

    /// A body of which any byte is another has neither timestamp nor place.
    #[test]
    fn every_byte_of_a_body_counts(at in 0_usize..2000, bit in 0_u32..8) {
        let mut body = hashedrekord_1().to_string().into_bytes();
        let at = at % body.len();
        body[at] ^= 1 << bit;
        let entry = with(&v1_entry(&hashedrekord_1()), "/canonicalizedBody", base64::encode(&body).into());
        prop_assert_ne!(set(&entry), "ok");
        prop_assert_ne!(included(&entry, &v1_log()), "ok");
    }
}
