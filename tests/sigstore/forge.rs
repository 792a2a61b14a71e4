//! A signer and logs of our own, for what no vector can be altered into: things that are signed,
//! and wrong.

use crate::edit::encode;
use crate::vectors::{Vector, load_root};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use sealgate::internals::crypto::{Hash, PublicKey};
use sealgate::internals::encoding::{base64, hex};
use sealgate::internals::sigstore::verify::{Artifact, Signer, Thresholds};
use sealgate::internals::tlog::merkle;
use serde_json::{Value, json};

pub(crate) const ARTIFACT: &[u8] = b"what is signed here";
pub(crate) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// When our logs say that everything happened.
pub(crate) const TIME: u64 = 1_750_000_000;

/// An ECDSA key pair on P-256. The numbers are no secrets.
pub(crate) struct Key(SigningKey);

impl Key {
    pub(crate) fn new(seed: u8) -> Self {
        Self(SigningKey::from_slice(&[seed; 32]).unwrap())
    }

    /// SubjectPublicKeyInfo (RFC 5480): the same 26 bytes before every point of the curve.
    pub(crate) fn spki(&self) -> Vec<u8> {
        let head = hex::decode("3059301306072a8648ce3d020106082a8648ce3d030107034200").unwrap();
        [
            head.as_slice(),
            self.0.verifying_key().to_sec1_point(false).as_bytes(),
        ]
        .concat()
    }

    pub(crate) fn public(&self) -> PublicKey {
        PublicKey::from_spki_der(&self.spki()).unwrap()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.0.sign(message);
        signature.to_der().as_bytes().into()
    }

    fn id(&self) -> Vec<u8> {
        Hash::Sha256.hash(&self.spki())
    }

    fn pem(&self) -> String {
        self.public().to_pem()
    }
}

/// A statement about [`ARTIFACT`], and whatever else is given.
pub(crate) fn statement(predicate_type: &str, subjects: &[Value]) -> Vec<u8> {
    json!({"_type": "https://in-toto.io/Statement/v1", "subject": subjects, "predicateType": predicate_type, "predicate": {}}).to_string().into_bytes()
}

pub(crate) fn subject(bytes: &[u8]) -> Value {
    json!({"name": "it", "digest": {"sha256": hex::encode(&Hash::Sha256.hash(bytes))}})
}

pub(crate) fn signature(key: &Key, payload: &[u8]) -> Vec<u8> {
    let pae = [
        format!(
            "DSSEv1 {} {PAYLOAD_TYPE} {} ",
            PAYLOAD_TYPE.len(),
            payload.len()
        )
        .as_bytes(),
        payload,
    ]
    .concat();
    key.sign(&pae)
}

/// A bundle of version 0.3 by a key.
pub(crate) fn bundle(key: &Key, payload: &[u8], entries: &[Value]) -> Value {
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "ours"}, "tlogEntries": entries},
        "dsseEnvelope": {"payloadType": PAYLOAD_TYPE, "payload": encode(payload), "signatures": [{"sig": encode(&signature(key, payload))}]}
    })
}

/// An entry of a log of our own (Rekor v1, dsse 0.0.1), with timestamp, proof and checkpoint.
/// `number` makes bodies differ.
pub(crate) fn entry(log: &Key, number: u64, signer: &Key, payload: &[u8]) -> Value {
    entry_by(log, number, &signer.pem(), signer, payload)
}

/// The same, of whom `verifier` (a key or a certificate, in PEM) is.
pub(crate) fn entry_by(
    log: &Key,
    number: u64,
    verifier: &str,
    signer: &Key,
    payload: &[u8],
) -> Value {
    let envelope = hex::encode(&Hash::Sha256.hash(&number.to_be_bytes()));
    let body = json!({"apiVersion": "0.0.1", "kind": "dsse", "spec": {
        "envelopeHash": {"algorithm": "sha256", "value": envelope},
        "payloadHash": {"algorithm": "sha256", "value": hex::encode(&Hash::Sha256.hash(payload))},
        "signatures": [{"signature": encode(&signature(signer, payload)), "verifier": encode(verifier.as_bytes())}],
    }});
    entry_of(log, number, body.to_string().as_bytes())
}

/// The log signs this body, whatever it says.
pub(crate) fn entry_of(log: &Key, number: u64, body: &[u8]) -> Value {
    let promised = format!(
        r#"{{"body":"{}","integratedTime":{TIME},"logID":"{}","logIndex":{number}}}"#,
        base64::encode(body),
        hex::encode(&log.id())
    );
    // A tree of one leaf: its root is the leaf, and the proof is empty.
    let root = merkle::leaf_hash(body);
    let text = format!("log.test - 1\n1\n{}\n", base64::encode(&root));
    let signed = [&log.id()[..4], &log.sign(text.as_bytes())].concat();
    json!({
        "logIndex": number.to_string(), "logId": {"keyId": encode(&log.id())}, "kindVersion": {"kind": "dsse", "version": "0.0.1"}, "integratedTime": TIME.to_string(),
        "inclusionPromise": {"signedEntryTimestamp": encode(&log.sign(promised.as_bytes()))},
        "inclusionProof": {"logIndex": "0", "treeSize": "1", "rootHash": encode(&root), "hashes": [], "checkpoint": {"envelope": format!("{text}\n\u{2014} log.test {}\n", base64::encode(&signed))}},
        "canonicalizedBody": encode(body),
    })
}

/// A trusted root that lists these logs, and nothing else.
pub(crate) fn root(logs: &[&Key]) -> Value {
    let logs: Vec<Value> = logs.iter().map(|log| {
        let key = json!({"rawBytes": encode(&log.spki()), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": {"start": "2020-01-01T00:00:00Z"}});
        json!({"baseUrl": "https://log.test", "hashAlgorithm": "SHA2_256", "publicKey": key, "logId": {"keyId": encode(&log.id())}})
    }).collect();
    json!({"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1", "tlogs": logs})
}

/// `bundle` about [`ARTIFACT`] by `signer`, under a root with these logs.
pub(crate) fn vector(bundle: Value, signer: &Key, logs: &[&Key]) -> Vector {
    let root = root(logs);
    let trusted = load_root(&serde_json::to_vec(&root).unwrap()).unwrap();
    Vector {
        name: "ours".into(),
        bundle,
        root,
        trusted,
        artifact: Artifact::Bytes(ARTIFACT.into()),
        signer: Signer::Key(signer.public(), None),
        thresholds: Thresholds::default(),
    }
}

/// One that holds.
pub(crate) fn happy() -> (Vector, Key, Key) {
    let (signer, log) = (Key::new(1), Key::new(2));
    let payload = statement("https://example.com/p", &[subject(ARTIFACT)]);
    let bundle = bundle(&signer, &payload, &[entry(&log, 7, &signer, &payload)]);
    (vector(bundle, &signer, &[&log]), signer, log)
}
