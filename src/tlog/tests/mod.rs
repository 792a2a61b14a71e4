//! Logs made up on the spot, and what they sign.

mod bodies;
mod entries;
mod notes;

use super::merkle::{self, NodeHash};
use super::rekor::{Entry, LogKey};
use super::{TlogError, merkle::tests::path, merkle::tests::root};
use crate::crypto::{Hash, Pending, PublicKey, Refused, RustCrypto, Scheme, Verified};
use crate::digest::sha256;
use crate::encoding::{base64, hex, json, pem};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};
use ed25519_dalek::Signer;
use serde_json::{Value, json};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    match Box::pin(future)
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("pure Rust does not wait"),
    }
}

/// The claim, or the code of what refuses it.
fn settle<T>(pending: Result<Pending<T>, Refused>) -> Result<Verified<T>, &'static str> {
    block_on(
        pending
            .map_err(|refused| refused.failure.code)?
            .settle(&RustCrypto),
    )
    .unwrap()
    .map_err(|refused| refused.failure.code)
}

fn code<T>(result: Result<T, TlogError>) -> &'static str {
    use crate::error::Coded;
    result.map_or_else(|error| error.code(), |_| "ok")
}

fn ecdsa(seed: u8) -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap()
}

fn ecdsa_public(seed: u8) -> PublicKey {
    let mut der = hex::decode("3059301306072a8648ce3d020106082a8648ce3d030107034200").unwrap();
    der.extend_from_slice(ecdsa(seed).verifying_key().to_sec1_point(false).as_bytes());
    PublicKey::from_spki_der(&der).unwrap()
}

fn ecdsa_sign(seed: u8, message: &[u8]) -> Vec<u8> {
    let signature: p256::ecdsa::DerSignature = ecdsa(seed).sign(message);
    signature.as_bytes().to_vec()
}

fn ed25519(seed: u8) -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[seed; 32])
}

fn ed25519_public(seed: u8) -> PublicKey {
    let mut der = hex::decode("302a300506032b6570032100").unwrap();
    der.extend_from_slice(ed25519(seed).verifying_key().as_bytes());
    PublicKey::from_spki_der(&der).unwrap()
}

fn key_id(name: &str, kind: u8, seed: u8) -> Vec<u8> {
    sha256(
        &[
            name.as_bytes(),
            b"\n",
            &[kind],
            ed25519(seed).verifying_key().as_bytes(),
        ]
        .concat(),
    )[..4]
        .to_vec()
}

fn line(name: &str, id: &[u8], signature: &[u8]) -> String {
    format!(
        "\u{2014} {name} {}\n",
        base64::encode(&[id, signature].concat())
    )
}

/// The seed of Rekor v1's key, and of Rekor v2's.
const V1: u8 = 11;
const V2: u8 = 12;
const V2_ORIGIN: &str = "log.example";
const TIME: u64 = 1_700_000_000;

fn v1_log() -> LogKey {
    let key = ecdsa_public(V1);
    LogKey::new(
        &sha256(key.spki_der()),
        "rekor.example",
        &key,
        Scheme::Ecdsa(Hash::Sha256),
    )
}

fn v2_log() -> LogKey {
    LogKey::new(&[2; 32], V2_ORIGIN, &ed25519_public(V2), Scheme::Ed25519)
}

/// Eleven entries, ours the seventh.
const AT: usize = 6;

fn tree(body: &[u8]) -> (Vec<NodeHash>, NodeHash) {
    let leaves: Vec<NodeHash> = (0..11_u8)
        .map(|i| {
            if usize::from(i) == AT {
                merkle::leaf_hash(body)
            } else {
                merkle::leaf_hash(&[i])
            }
        })
        .collect();
    (path(AT, &leaves), root(&leaves))
}

fn v1_checkpoint(root: &[u8]) -> String {
    let text = format!(
        "rekor.example - 42\n11\n{}\nTimestamp: 1\n",
        base64::encode(root)
    );
    format!(
        "{text}\n{}",
        line(
            "rekor.example",
            &v1_log().id()[..4],
            &ecdsa_sign(V1, text.as_bytes())
        )
    )
}

fn v2_checkpoint(root: &[u8]) -> String {
    let text = format!("{V2_ORIGIN}\n11\n{}\n", base64::encode(root));
    format!(
        "{text}\n{}",
        line(
            V2_ORIGIN,
            &key_id(V2_ORIGIN, 1, V2),
            &ed25519(V2).sign(text.as_bytes()).to_bytes()
        )
    )
}

fn proof(body: &[u8], checkpoint: impl Fn(&[u8]) -> String) -> Value {
    let (hashes, root) = tree(body);
    let hashes: Vec<String> = hashes.iter().map(|hash| base64::encode(hash)).collect();
    json!({ "logIndex": AT.to_string(), "treeSize": "11", "rootHash": base64::encode(&root), "hashes": hashes, "checkpoint": { "envelope": checkpoint(&root) } })
}

fn set_message(body: &[u8], time: u64, index: u64) -> String {
    format!(
        r#"{{"body":"{}","integratedTime":{time},"logID":"{}","logIndex":{index}}}"#,
        base64::encode(body),
        hex::encode(v1_log().id())
    )
}

/// A complete entry of Rekor v1, whose index in the log is not that in the tree.
fn v1_entry(body: &Value) -> Value {
    let bytes = body.to_string().into_bytes();
    json!({
        "logIndex": "1006", "logId": { "keyId": base64::encode(v1_log().id()) }, "kindVersion": { "kind": body["kind"], "version": body["apiVersion"] },
        "integratedTime": TIME.to_string(), "inclusionPromise": { "signedEntryTimestamp": base64::encode(&ecdsa_sign(V1, set_message(&bytes, TIME, 1006).as_bytes())) },
        "inclusionProof": proof(&bytes, v1_checkpoint), "canonicalizedBody": base64::encode(&bytes),
    })
}

/// A complete entry of Rekor v2.
fn v2_entry(body: &Value) -> Value {
    let bytes = body.to_string().into_bytes();
    json!({
        "logIndex": AT.to_string(), "logId": { "keyId": base64::encode(v2_log().id()) }, "kindVersion": { "kind": body["kind"], "version": body["apiVersion"] },
        "inclusionProof": proof(&bytes, v2_checkpoint), "canonicalizedBody": base64::encode(&bytes),
    })
}

fn parse(entry: &Value) -> Result<Entry, TlogError> {
    Entry::parse(&json::parse(entry.to_string().as_bytes(), json::Dialect::Strict).unwrap())
}

/// What was signed in these tests, by whom. The certificate is no certificate: here it is bytes
/// that are compared.
const PAYLOAD: &[u8] = b"{\"a\":1}";
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const SIGNATURE: &[u8] = b"a signature";
const CERTIFICATE: &[u8] = b"0\x03a certificate";

fn certificate_pem() -> String {
    base64::encode(pem::encode("CERTIFICATE", CERTIFICATE).as_bytes())
}

fn hex_sha256(bytes: &[u8]) -> String {
    hex::encode(&sha256(bytes))
}

fn hashedrekord_1() -> Value {
    json!({ "apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {
        "data": { "hash": { "algorithm": "sha256", "value": hex_sha256(PAYLOAD) } },
        "signature": { "content": base64::encode(SIGNATURE), "publicKey": { "content": certificate_pem() } },
    } })
}

fn dsse_1() -> Value {
    json!({ "apiVersion": "0.0.1", "kind": "dsse", "spec": {
        "envelopeHash": { "algorithm": "sha256", "value": hex_sha256(b"its JSON") }, "payloadHash": { "algorithm": "sha256", "value": hex_sha256(PAYLOAD) },
        "signatures": [{ "signature": base64::encode(SIGNATURE), "verifier": certificate_pem() }],
    } })
}

fn intoto_2() -> Value {
    let twice = base64::encode(base64::encode(SIGNATURE).as_bytes());
    json!({ "apiVersion": "0.0.2", "kind": "intoto", "spec": { "content": {
        "envelope": { "payloadType": PAYLOAD_TYPE, "signatures": [{ "publicKey": certificate_pem(), "sig": twice }] },
        "hash": { "algorithm": "sha256", "value": hex_sha256(b"its JSON") }, "payloadHash": { "algorithm": "sha256", "value": hex_sha256(PAYLOAD) },
    } } })
}

fn verifier_2() -> Value {
    json!({ "keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": { "rawBytes": base64::encode(CERTIFICATE) } })
}

fn hashedrekord_2(signed: &[u8]) -> Value {
    json!({ "apiVersion": "0.0.2", "kind": "hashedrekord", "spec": { "hashedRekordV002": {
        "data": { "algorithm": "SHA2_256", "digest": base64::encode(&sha256(signed)) },
        "signature": { "content": base64::encode(SIGNATURE), "verifier": verifier_2() },
    } } })
}

fn dsse_2() -> Value {
    json!({ "apiVersion": "0.0.2", "kind": "dsse", "spec": { "dsseV002": {
        "payloadHash": { "algorithm": "SHA2_256", "digest": base64::encode(&sha256(PAYLOAD)) },
        "signatures": [{ "content": base64::encode(SIGNATURE), "verifier": verifier_2() }],
    } } })
}

/// DSSE protocol.md, for [`PAYLOAD`].
fn pae() -> Vec<u8> {
    [
        b"DSSEv1 28 application/vnd.in-toto+json 7 ".as_slice(),
        PAYLOAD,
    ]
    .concat()
}

/// `value` with what `pointer` names replaced; `null` takes it away.
fn with(value: &Value, pointer: &str, new: Value) -> Value {
    let mut value = value.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Object(members) if new.is_null() => drop(members.remove(key).unwrap()),
        Value::Object(members) => drop(members.insert(key.into(), new)),
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = new,
        other => panic!("{other}"),
    }
    value
}
