//! Each field of a body, changed alone, is refused: entries that were logged for something else do
//! not count.

use super::*;
use crate::tlog::rekor::{Content, Expected, Verifier};
use proptest::prelude::*;

const SIGNATURES: &[&[u8]] = &[SIGNATURE];

fn message(digest: &[u8]) -> Expected<'_> {
    Expected {
        signature: SIGNATURE,
        verifier: Verifier::Certificate(CERTIFICATE),
        content: Content::MessageDigest(Hash::Sha256, digest),
    }
}

fn envelope() -> Expected<'static> {
    let content = Content::Dsse {
        payload: PAYLOAD,
        payload_type: PAYLOAD_TYPE,
        signatures: SIGNATURES,
        envelope: None,
    };
    Expected {
        signature: SIGNATURE,
        verifier: Verifier::Certificate(CERTIFICATE),
        content,
    }
}

fn entry(body: &Value) -> Entry {
    parse(
        &if body["apiVersion"] == "0.0.2" && body["kind"] != "intoto" {
            v2_entry(body)
        } else {
            v1_entry(body)
        },
    )
    .unwrap()
}

fn check(body: &Value, expected: &Expected<'_>) -> &'static str {
    code(entry(body).check_body(expected))
}

fn repeated(value: &Value, times: usize) -> Value {
    alloc::vec![value.clone(); times].into()
}

fn b64(bytes: &[u8]) -> Value {
    base64::encode(bytes).into()
}

#[test]
fn each_kind_speaks_for_what_it_is_for() {
    let digest = sha256(PAYLOAD);
    for (body, for_message, for_envelope) in [
        (hashedrekord_1(), "ok", "log-body.kind"),
        (dsse_1(), "log-body.kind", "ok"),
        (intoto_2(), "log-body.kind", "ok"),
        (hashedrekord_2(PAYLOAD), "ok", "log-body.digest"),
        (hashedrekord_2(&pae()), "log-body.digest", "ok"),
        (dsse_2(), "log-body.kind", "ok"),
        (
            with(&hashedrekord_1(), "/kind", "rekord".into()),
            "log-body.kind",
            "log-body.kind",
        ),
        (
            with(&intoto_2(), "/apiVersion", "0.0.1".into()),
            "log-entry.shape",
            "log-entry.shape",
        ),
        (
            with(&intoto_2(), "/apiVersion", "0.0.3".into()),
            "log-body.kind",
            "log-body.kind",
        ),
        (
            with(&dsse_2(), "/apiVersion", "0.0.3".into()),
            "log-body.kind",
            "log-body.kind",
        ),
    ] {
        assert_eq!(check(&body, &message(&digest)), for_message, "{body}");
        assert_eq!(check(&body, &envelope()), for_envelope, "{body}");
    }
}

/// By the hash of the envelope's own bytes, and by what verifies it.
#[test]
fn an_envelope_by_its_hash() {
    let bytes = b"{an envelope}";
    let verifier = with(&intoto_2(), "/apiVersion", "0.0.1".into())["spec"]["content"]["envelope"]
        ["signatures"][0]["publicKey"]
        .clone();
    let body = |hash: &str, verifier: &Value| serde_json::json!({ "apiVersion": "0.0.1", "kind": "intoto", "spec": { "content": { "hash": { "algorithm": "sha256", "value": hash } }, "publicKey": verifier } });
    let hash = crate::encoding::hex::encode(&sha256(bytes));
    let expected = |bytes: Option<&'static [u8]>| Expected {
        content: Content::Dsse {
            payload: PAYLOAD,
            payload_type: PAYLOAD_TYPE,
            signatures: SIGNATURES,
            envelope: bytes,
        },
        ..envelope()
    };
    assert_eq!(check(&body(&hash, &verifier), &expected(Some(bytes))), "ok");
    assert_eq!(
        check(&body(&hash, &verifier), &expected(Some(b"{another}"))),
        "log-body.digest"
    );
    assert_eq!(
        check(&body(&hash, &verifier), &expected(None)),
        "log-body.kind"
    );
    let other = Value::from(base64::encode(
        pem::encode("CERTIFICATE", b"0\x05another").as_bytes(),
    ));
    assert_eq!(
        check(&body(&hash, &other), &expected(Some(bytes))),
        "log-body.verifier"
    );
    assert_eq!(
        check(&body(&hash, &verifier), &message(&sha256(bytes))),
        "log-body.kind"
    );
}

/// CVE-2026-22703 (cosign): any entry was accepted. Digest, key and signature are swapped in the
/// body, each alone.
#[test]
fn cve_2026_22703_version_1() {
    let other_pem = || {
        Value::from(base64::encode(
            pem::encode("CERTIFICATE", b"0\x05another").as_bytes(),
        ))
    };
    let twice = |bytes: &[u8]| Value::from(base64::encode(base64::encode(bytes).as_bytes()));
    let digest = sha256(PAYLOAD);
    let rekord = |pointer: &str, new: Value| {
        check(
            &with(&hashedrekord_1(), &format!("/spec{pointer}"), new),
            &message(&digest),
        )
    };
    let dsse = |pointer: &str, new: Value| {
        check(
            &with(&dsse_1(), &format!("/spec{pointer}"), new),
            &envelope(),
        )
    };
    let intoto = |pointer: &str, new: Value| {
        check(
            &with(&intoto_2(), &format!("/spec/content{pointer}"), new),
            &envelope(),
        )
    };
    let appended = |text: &str| {
        Value::from(base64::encode(
            format!("{}{text}", pem::encode("CERTIFICATE", CERTIFICATE)).as_bytes(),
        ))
    };
    for (name, found, expected) in [
        (
            "digest",
            rekord("/data/hash/value", hex_sha256(b"other").into()),
            "log-body.digest",
        ),
        (
            "digest in upper case",
            rekord(
                "/data/hash/value",
                hex_sha256(PAYLOAD).to_uppercase().into(),
            ),
            "ok",
        ),
        (
            "digest cut",
            rekord("/data/hash/value", hex_sha256(PAYLOAD)[..62].into()),
            "log-entry.shape",
        ),
        (
            "algorithm by name",
            rekord("/data/hash/algorithm", "sha512".into()),
            "log-entry.shape",
        ),
        (
            "algorithm",
            rekord(
                "/data/hash",
                json!({ "algorithm": "sha512", "value": hex::encode(&Hash::Sha512.hash(PAYLOAD)) }),
            ),
            "log-body.algorithm",
        ),
        (
            "unknown algorithm",
            rekord("/data/hash/algorithm", "md5".into()),
            "log-body.algorithm",
        ),
        (
            "no digest",
            rekord("/data/hash", Value::Null),
            "log-entry.shape",
        ),
        (
            "signature",
            rekord("/signature/content", b64(b"another")),
            "log-body.signature",
        ),
        (
            "empty signature",
            rekord("/signature/content", "".into()),
            "log-entry.shape",
        ),
        (
            "no signature",
            rekord("/signature/content", Value::Null),
            "log-entry.shape",
        ),
        (
            "certificate",
            rekord("/signature/publicKey/content", other_pem()),
            "log-body.verifier",
        ),
        (
            "two certificates",
            rekord(
                "/signature/publicKey/content",
                appended(&pem::encode("CERTIFICATE", b"0\x05another")),
            ),
            "log-body.verifier",
        ),
        (
            "text after the certificate",
            rekord("/signature/publicKey/content", appended("x")),
            "log-body.verifier",
        ),
        (
            "no PEM",
            rekord("/signature/publicKey/content", b64(CERTIFICATE)),
            "log-body.verifier",
        ),
        (
            "no certificate",
            rekord("/signature/publicKey", Value::Null),
            "log-entry.shape",
        ),
        (
            "payload hash",
            dsse("/payloadHash/value", hex_sha256(b"other").into()),
            "log-body.digest",
        ),
        (
            "signature",
            dsse("/signatures/0/signature", b64(b"another")),
            "log-body.signature",
        ),
        (
            "verifier",
            dsse("/signatures/0/verifier", other_pem()),
            "log-body.verifier",
        ),
        (
            "no signatures",
            dsse("/signatures", json!([])),
            "log-entry.shape",
        ),
        (
            "33 signatures",
            dsse(
                "/signatures",
                repeated(&dsse_1()["spec"]["signatures"][0], 33),
            ),
            "log-entry.shape",
        ),
        (
            "the same twice",
            dsse(
                "/signatures",
                repeated(&dsse_1()["spec"]["signatures"][0], 2),
            ),
            "log-body.signatures",
        ),
        (
            "payload hash",
            intoto("/payloadHash/value", hex_sha256(b"other").into()),
            "log-body.digest",
        ),
        (
            "payload type",
            intoto("/envelope/payloadType", "text/plain".into()),
            "log-body.payload-type",
        ),
        (
            "no payload type",
            intoto("/envelope/payloadType", Value::Null),
            "log-entry.shape",
        ),
        (
            "signature",
            intoto("/envelope/signatures/0/sig", twice(b"another")),
            "log-body.signature",
        ),
        (
            "signature in base64 once",
            intoto("/envelope/signatures/0/sig", b64(SIGNATURE)),
            "log-entry.shape",
        ),
        (
            "key",
            intoto("/envelope/signatures/0/publicKey", other_pem()),
            "log-body.verifier",
        ),
    ] {
        assert_eq!(found, expected, "{name}");
    }
}

/// The same for Rekor v2.
#[test]
fn cve_2026_22703_version_2() {
    let digest = sha256(PAYLOAD);
    let rekord = |pointer: &str, new: Value| {
        check(
            &with(
                &hashedrekord_2(PAYLOAD),
                &format!("/spec/hashedRekordV002{pointer}"),
                new,
            ),
            &message(&digest),
        )
    };
    let dsse = |pointer: &str, new: Value| {
        check(
            &with(&dsse_2(), &format!("/spec/dsseV002{pointer}"), new),
            &envelope(),
        )
    };
    let other = || json!({ "rawBytes": base64::encode(b"another") });
    let both = json!({ "keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": { "rawBytes": base64::encode(CERTIFICATE) }, "publicKey": { "rawBytes": base64::encode(CERTIFICATE) } });
    let as_key = json!({ "keyDetails": "PKIX_ECDSA_P256_SHA_256", "publicKey": { "rawBytes": base64::encode(CERTIFICATE) } });
    for (name, found, expected) in [
        (
            "digest",
            rekord("/data/digest", b64(&sha256(b"other"))),
            "log-body.digest",
        ),
        (
            "digest cut",
            rekord("/data/digest", b64(&digest[..31])),
            "log-entry.shape",
        ),
        (
            "algorithm by name",
            rekord("/data/algorithm", "SHA2_512".into()),
            "log-entry.shape",
        ),
        (
            "algorithm",
            rekord(
                "/data",
                json!({ "algorithm": "SHA2_512", "digest": base64::encode(&Hash::Sha512.hash(PAYLOAD)) }),
            ),
            "log-body.algorithm",
        ),
        (
            "unknown algorithm",
            rekord("/data/algorithm", "SHA3_256".into()),
            "log-body.algorithm",
        ),
        (
            "signature",
            rekord("/signature/content", b64(b"another")),
            "log-body.signature",
        ),
        (
            "no signature",
            rekord("/signature/content", Value::Null),
            "log-entry.shape",
        ),
        (
            "certificate",
            rekord("/signature/verifier/x509Certificate", other()),
            "log-body.verifier",
        ),
        (
            "no certificate",
            rekord("/signature/verifier/x509Certificate", Value::Null),
            "log-body.verifier",
        ),
        (
            "certificate and key",
            rekord("/signature/verifier", both),
            "log-body.verifier",
        ),
        (
            "certificate as key",
            rekord("/signature/verifier", as_key),
            "log-body.verifier",
        ),
        (
            "details of another digest",
            rekord(
                "/signature/verifier/keyDetails",
                "PKIX_ECDSA_P384_SHA_384".into(),
            ),
            "log-body.key-details",
        ),
        (
            "details without a digest",
            rekord("/signature/verifier/keyDetails", "PKIX_ED25519".into()),
            "log-body.key-details",
        ),
        (
            "unknown details",
            rekord(
                "/signature/verifier/keyDetails",
                "PKIX_RSA_PSS_2048_SHA256".into(),
            ),
            "log-body.key-details",
        ),
        (
            "unknown member",
            rekord("/more", 1.into()),
            "log-entry.shape",
        ),
        (
            "payload hash",
            dsse("/payloadHash/digest", b64(&sha256(b"other"))),
            "log-body.digest",
        ),
        (
            "signature",
            dsse("/signatures/0/content", b64(b"another")),
            "log-body.signature",
        ),
        (
            "certificate",
            dsse("/signatures/0/verifier/x509Certificate", other()),
            "log-body.verifier",
        ),
        (
            "no signatures",
            dsse("/signatures", Value::Null),
            "log-entry.shape",
        ),
        (
            "the same twice",
            dsse(
                "/signatures",
                repeated(&dsse_2()["spec"]["dsseV002"]["signatures"][0], 2),
            ),
            "log-body.signatures",
        ),
        (
            "spec of the other kind",
            check(
                &with(&dsse_2(), "/spec", hashedrekord_2(&pae())["spec"].clone()),
                &envelope(),
            ),
            "log-entry.shape",
        ),
    ] {
        assert_eq!(found, expected, "{name}");
    }
}

/// The other way round: the entry stays, what it is to speak for changes.
#[test]
fn another_signature_key_or_content_beside_the_entry() {
    let digest = sha256(PAYLOAD);
    let others: &[&[u8]] = &[b"another"];
    let two: &[&[u8]] = &[SIGNATURE, b"another"];
    let dsse = |payload, payload_type, signatures| Expected {
        content: Content::Dsse {
            payload,
            payload_type,
            signatures,
            envelope: None,
        },
        ..envelope()
    };
    let key = ecdsa_public(9);
    for (body, expected) in [
        (hashedrekord_1(), message(&digest)),
        (dsse_1(), envelope()),
        (intoto_2(), envelope()),
        (hashedrekord_2(&pae()), envelope()),
        (dsse_2(), envelope()),
    ] {
        assert_eq!(check(&body, &expected), "ok");
        assert_eq!(
            check(
                &body,
                &Expected {
                    signature: b"another",
                    ..expected
                }
            ),
            "log-body.signature"
        );
        assert_eq!(
            check(
                &body,
                &Expected {
                    verifier: Verifier::Certificate(b"another"),
                    ..expected
                }
            ),
            "log-body.verifier"
        );
        assert_eq!(
            check(
                &body,
                &Expected {
                    verifier: Verifier::Key(&key),
                    ..expected
                }
            ),
            "log-body.verifier"
        );
    }
    for body in [dsse_1(), intoto_2(), hashedrekord_2(&pae()), dsse_2()] {
        assert_eq!(
            check(&body, &dsse(b"other", PAYLOAD_TYPE, SIGNATURES)),
            "log-body.digest"
        );
    }
    for body in [dsse_1(), intoto_2(), dsse_2()] {
        assert_eq!(
            check(&body, &dsse(PAYLOAD, PAYLOAD_TYPE, others)),
            "log-body.signature"
        );
        assert_eq!(
            check(&body, &dsse(PAYLOAD, PAYLOAD_TYPE, two)),
            "log-body.signatures"
        );
    }
    assert_eq!(
        check(&intoto_2(), &dsse(PAYLOAD, "text/plain", SIGNATURES)),
        "log-body.payload-type"
    );
    assert_eq!(
        check(
            &hashedrekord_2(&pae()),
            &dsse(PAYLOAD, "text/plain", SIGNATURES)
        ),
        "log-body.digest"
    );
    assert_eq!(
        check(
            &hashedrekord_1(),
            &Expected {
                content: Content::MessageDigest(Hash::Sha384, &digest),
                ..message(&digest)
            }
        ),
        "log-body.algorithm"
    );
}

/// Keys instead of certificates: their SubjectPublicKeyInfo.
#[test]
fn keys() {
    let (digest, key, other, ed) = (
        sha256(PAYLOAD),
        ecdsa_public(1),
        ecdsa_public(2),
        ed25519_public(3),
    );
    let expected = |key| Expected {
        verifier: Verifier::Key(key),
        ..message(&digest)
    };
    let v1 = with(
        &hashedrekord_1(),
        "/spec/signature/publicKey/content",
        base64::encode(key.to_pem().as_bytes()).into(),
    );
    let v2 = |key: &PublicKey, details: &str| {
        let verifier = json!({ "keyDetails": details, "publicKey": { "rawBytes": base64::encode(key.spki_der()) } });
        with(
            &hashedrekord_2(PAYLOAD),
            "/spec/hashedRekordV002/signature/verifier",
            verifier,
        )
    };
    assert_eq!(check(&v1, &expected(&key)), "ok");
    assert_eq!(check(&v1, &expected(&other)), "log-body.verifier");
    assert_eq!(
        check(&v2(&key, "PKIX_ECDSA_P256_SHA_256"), &expected(&key)),
        "ok"
    );
    assert_eq!(
        check(&v2(&key, "PKIX_ECDSA_P256_SHA_256"), &expected(&other)),
        "log-body.verifier"
    );
    assert_eq!(
        check(&v2(&key, "PKIX_ECDSA_P384_SHA_256"), &expected(&key)),
        "log-body.key-details"
    );
    assert_eq!(
        check(&v2(&ed, "PKIX_ED25519_PH"), &expected(&ed)),
        "log-body.key-details"
    );
    assert_eq!(
        check(
            &v2(&key, "PKIX_ECDSA_P256_SHA_256"),
            &Expected {
                verifier: Verifier::Certificate(key.spki_der()),
                ..message(&digest)
            }
        ),
        "log-body.verifier"
    );
}

/// CVE-2022-23649 (cosign): a valid timestamp of another signature. CVE-2024-53267 (sigstore-java):
/// an unrelated entry. The log says that it has them; they say nothing about this signature.
#[test]
fn cve_2022_23649_and_cve_2024_53267() {
    let digest = sha256(PAYLOAD);
    let theirs = with(
        &hashedrekord_1(),
        "/spec/signature/content",
        b64(b"another"),
    );
    let entry = parse(&v1_entry(&theirs)).unwrap();
    let time = settle(entry.set_claim(&v1_log())).unwrap();
    assert_eq!(time.claim().leaf_hash(), &entry.leaf_hash());
    assert!(settle(entry.inclusion_claim(&v1_log())).is_ok());
    assert_eq!(
        code(entry.check_body(&message(&digest))),
        "log-body.signature"
    );
    // Our body under their timestamp and proof.
    let mixed = with(
        &v1_entry(&theirs),
        "/canonicalizedBody",
        b64(hashedrekord_1().to_string().as_bytes()),
    );
    let entry = parse(&mixed).unwrap();
    assert_eq!(code(entry.check_body(&message(&digest))), "ok");
    assert_eq!(
        settle(entry.set_claim(&v1_log())).unwrap_err(),
        "signature.invalid"
    );
    assert_eq!(
        settle(entry.inclusion_claim(&v1_log())).unwrap_err(),
        "proof.root"
    );
}

proptest! {
    // Each case signs.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_other_signature_digest_or_certificate(signature: Vec<u8>, payload: Vec<u8>, certificate: Vec<u8>, body in 0_usize..5) {
        let digest = sha256(PAYLOAD);
        let (body, expected) = [(hashedrekord_1(), message(&digest)), (dsse_1(), envelope()), (intoto_2(), envelope()), (hashedrekord_2(&pae()), envelope()), (dsse_2(), envelope())].into_iter().nth(body).unwrap();
        let entry = entry(&body);
        let (other, signatures) = (sha256(&payload), [signature.as_slice()]);
        let content = match expected.content {
            Content::Dsse { .. } => Content::Dsse { payload: &payload, payload_type: PAYLOAD_TYPE, signatures: SIGNATURES, envelope: None },
            Content::MessageDigest(hash, _) => Content::MessageDigest(hash, &other),
        };
        let resigned = Content::Dsse { payload: PAYLOAD, payload_type: PAYLOAD_TYPE, signatures: &signatures, envelope: None };
        for (same, changed) in [
            (signature == SIGNATURE, Expected { signature: &signature, ..expected }),
            (signature == SIGNATURE, Expected { signature: &signature, content: resigned, ..expected }),
            (certificate == CERTIFICATE, Expected { verifier: Verifier::Certificate(&certificate), ..expected }),
            (payload == PAYLOAD, Expected { content, ..expected }),
        ] {
            prop_assert!(same || entry.check_body(&changed).is_err());
        }
    }
}
