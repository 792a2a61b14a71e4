//! Everything in a bundle that can be altered, and the code that each alteration gets. What is not
//! in these tables, a test does not know, and fails.

use crate::edit::{alter, alter_at, decode, encode, find, leaves, positions};
use crate::vectors::{self, Vector};
use sealgate::internals::crypto::Hash;
use sealgate::internals::sigstore::verify::Artifact;
use sealgate::internals::x509::{Certificate, sct};
use serde_json::{Value, json};

/// What an alteration comes to.
#[derive(Debug, Clone, Copy)]
enum Comes {
    /// One of these codes.
    To(&'static [&'static str]),
    /// Nothing: this is nobody's word, and the verdict takes nothing from it.
    ToNothing,
}
use Comes::{To, ToNothing};

/// What an entry is, as far as codes depend on it.
struct Facts {
    has_set: bool,
    has_checkpoint: bool,
    is_v2: bool,
}

impl Facts {
    fn of(entry: &Value) -> Self {
        let is_v2 =
            entry["kindVersion"]["version"] == "0.0.2" && entry["kindVersion"]["kind"] != "intoto";
        Self {
            has_set: entry["inclusionPromise"].is_object(),
            has_checkpoint: entry["inclusionProof"]["checkpoint"].is_object(),
            is_v2,
        }
    }

    /// What the log's word on the body gives when the body alone was altered: the SET is looked at
    /// first.
    fn unlogged(&self) -> Comes {
        if self.has_set {
            To(&["signature.invalid"])
        } else {
            To(&["proof.root"])
        }
    }
}

/// Of `tlogEntries[]`, by pointer.
fn entry_field(pointer: &str, facts: &Facts) -> Comes {
    match pointer {
        "/logIndex" | "/integratedTime" if facts.has_set => To(&["signature.invalid"]),
        "/logIndex" if facts.is_v2 => To(&["proof.stated"]),
        // Without a signed entry timestamp they are nobody's word: no time is taken from them
        // (CVE-2024-55655).
        "/logIndex" | "/integratedTime" => ToNothing,
        // It is of no listed log then, and there is no other.
        "/logId/keyId" => To(&["sigstore.log"]),
        "/kindVersion/kind" | "/kindVersion/version" => To(&["log-entry.kind-version"]),
        "/inclusionPromise/signedEntryTimestamp" => To(&["signature.invalid"]),
        "/inclusionProof/logIndex" if facts.is_v2 => To(&["proof.stated"]),
        "/inclusionProof/logIndex" => To(&["proof.root", "proof.index", "proof.length"]),
        "/inclusionProof/rootHash" | "/inclusionProof/treeSize" if facts.has_checkpoint => {
            To(&["proof.stated"])
        }
        "/inclusionProof/rootHash" => To(&["proof.root"]),
        // A bare proof proves nothing: trees of several sizes share it.
        "/inclusionProof/treeSize" => ToNothing,
        "/inclusionProof/checkpoint/envelope" => To(&["note.syntax"]),
        pointer if pointer.starts_with("/inclusionProof/hashes/") => To(&["proof.root"]),
        other => panic!("no one has said what comes of altering {other}"),
    }
}

/// Of the entry's body, by kind and pointer.
fn body_field(kind: &str, pointer: &str, facts: &Facts) -> Comes {
    match (kind, pointer) {
        (_, "/kind" | "/apiVersion") => To(&["log-entry.kind-version"]),
        ("hashedrekord 0.0.1", "/spec/data/hash/algorithm")
        | ("dsse 0.0.1", "/spec/payloadHash/algorithm")
        | ("intoto 0.0.2", "/spec/content/payloadHash/algorithm")
        | ("hashedrekord 0.0.2", "/spec/hashedRekordV002/data/algorithm")
        | ("dsse 0.0.2", "/spec/dsseV002/payloadHash/algorithm") => To(&["log-body.algorithm"]),
        ("hashedrekord 0.0.1", "/spec/data/hash/value")
        | ("dsse 0.0.1", "/spec/payloadHash/value")
        | ("intoto 0.0.2", "/spec/content/payloadHash/value")
        | ("hashedrekord 0.0.2", "/spec/hashedRekordV002/data/digest")
        | ("dsse 0.0.2", "/spec/dsseV002/payloadHash/digest") => To(&["log-body.digest"]),
        ("hashedrekord 0.0.1", "/spec/signature/content")
        | ("dsse 0.0.1", "/spec/signatures/0/signature")
        | ("hashedrekord 0.0.2", "/spec/hashedRekordV002/signature/content")
        | ("dsse 0.0.2", "/spec/dsseV002/signatures/0/content") => To(&["log-body.signature"]),
        // Base64 in base64: the inner one may suffer.
        ("intoto 0.0.2", "/spec/content/envelope/signatures/0/sig") => {
            To(&["log-body.signature", "log-entry.shape"])
        }
        ("hashedrekord 0.0.1", "/spec/signature/publicKey/content")
        | ("dsse 0.0.1", "/spec/signatures/0/verifier")
        | ("intoto 0.0.2", "/spec/content/envelope/signatures/0/publicKey")
        | (
            "hashedrekord 0.0.2",
            "/spec/hashedRekordV002/signature/verifier/x509Certificate/rawBytes"
            | "/spec/hashedRekordV002/signature/verifier/publicKey/rawBytes",
        )
        | (
            "dsse 0.0.2",
            "/spec/dsseV002/signatures/0/verifier/x509Certificate/rawBytes"
            | "/spec/dsseV002/signatures/0/verifier/publicKey/rawBytes",
        ) => To(&["log-body.verifier"]),
        ("hashedrekord 0.0.2", "/spec/hashedRekordV002/signature/verifier/keyDetails")
        | ("dsse 0.0.2", "/spec/dsseV002/signatures/0/verifier/keyDetails") => {
            To(&["log-body.key-details"])
        }
        ("intoto 0.0.2", "/spec/content/envelope/payloadType") => To(&["log-body.payload-type"]),
        // Hashes of an envelope's JSON, which no bundle has; a payload, which its hash stands for;
        // a hint. The log signed them as they are.
        ("dsse 0.0.1", "/spec/envelopeHash/algorithm" | "/spec/envelopeHash/value")
        | (
            "intoto 0.0.2",
            "/spec/content/envelope/payload"
            | "/spec/content/hash/algorithm"
            | "/spec/content/hash/value"
            | "/spec/content/envelope/signatures/0/keyid",
        ) => facts.unlogged(),
        other => panic!("no one has said what comes of altering {other:?}"),
    }
}

fn compare(vector: &Vector, what: &str, bundle: &Value, comes: Comes) {
    let name = format!("{}: altered {what}", vector.name);
    let found = vector.judge(bundle);
    match (found, comes) {
        (Ok(accepted), ToNothing) => {
            let whole = vector.whole();
            assert_eq!(
                (&accepted.says, &accepted.times),
                (&whole.says, &whole.times),
                "{name}"
            );
        }
        (Ok(_), To(codes)) => panic!("{name}: accepted, expected {codes:?}"),
        (Err(code), To(codes)) if codes.iter().any(|expected| vector.tells(&code, expected)) => {}
        // A bare proof may fail as well.
        (Err(code), ToNothing)
            if vector.tells(&code, "proof.root") || code.starts_with("proof.") => {}
        (Err(code), comes) => panic!("{name}: {code}, expected {comes:?}"),
    }
}

fn listed_entries(vector: &Vector) -> impl Iterator<Item = (usize, &Value)> {
    vector
        .entries()
        .iter()
        .enumerate()
        .filter(|(_, entry)| vector.lists(entry))
}

fn edit_entry(vector: &Vector, at: usize, edit: impl FnOnce(&mut Value)) -> Value {
    let mut bundle = vector.bundle.clone();
    edit(&mut bundle["verificationMaterial"]["tlogEntries"][at]);
    bundle
}

#[test]
fn each_field_of_each_log_entry() {
    let mut count = 0;
    for vector in vectors::all() {
        for (at, entry) in listed_entries(vector) {
            for pointer in leaves(entry)
                .into_iter()
                .filter(|pointer| pointer != "/canonicalizedBody")
            {
                let bundle = edit_entry(vector, at, |entry| alter_at(entry, &pointer));
                compare(
                    vector,
                    &pointer,
                    &bundle,
                    entry_field(&pointer, &Facts::of(entry)),
                );
                count += 1;
            }
        }
    }
    assert!(count > 0, "no vector has a log entry");
}

#[test]
fn each_field_of_each_log_body() {
    for vector in vectors::all() {
        for (at, entry) in listed_entries(vector) {
            let body: Value = serde_json::from_slice(&decode(&entry["canonicalizedBody"])).unwrap();
            let kind = format!(
                "{} {}",
                body["kind"].as_str().unwrap(),
                body["apiVersion"].as_str().unwrap()
            );
            for pointer in leaves(&body) {
                let mut altered = body.clone();
                alter_at(&mut altered, &pointer);
                let bundle = edit_entry(vector, at, |entry| {
                    entry["canonicalizedBody"] = encode(&serde_json::to_vec(&altered).unwrap())
                });
                compare(
                    vector,
                    &format!("body {pointer}"),
                    &bundle,
                    body_field(&kind, &pointer, &Facts::of(entry)),
                );
            }
            // What says the same in other bytes is another leaf of the log.
            let spaced = [decode(&entry["canonicalizedBody"]), b" ".to_vec()].concat();
            let bundle = edit_entry(vector, at, |entry| {
                entry["canonicalizedBody"] = encode(&spaced)
            });
            compare(
                vector,
                "body with a space",
                &bundle,
                Facts::of(entry).unlogged(),
            );
        }
    }
}

/// The text that the log signed, and its signature. Witnesses are listed by no trusted root: their
/// lines count for nothing.
#[test]
fn each_line_of_each_checkpoint() {
    for vector in vectors::all() {
        for (at, entry) in listed_entries(vector) {
            let Some(envelope) = entry
                .pointer("/inclusionProof/checkpoint/envelope")
                .and_then(Value::as_str)
            else {
                continue;
            };
            let with = |text: String| {
                edit_entry(vector, at, |entry| {
                    entry["inclusionProof"]["checkpoint"]["envelope"] = Value::String(text)
                })
            };
            let (text, signatures) = envelope.split_once("\n\n").unwrap();
            for (number, line) in text.lines().enumerate() {
                let altered: Vec<_> = text
                    .lines()
                    .enumerate()
                    .map(|(other, line)| {
                        if other == number {
                            alter(&json!(line)).as_str().unwrap().into()
                        } else {
                            String::from(line)
                        }
                    })
                    .collect();
                let comes = match number {
                    // Of Rekor v1 it is "name - tree": with a letter at its end it is no tree.
                    0 => To(&["checkpoint.origin"]),
                    1 | 2 => To(&["proof.stated"]),
                    _ => To(&["signature.invalid"]),
                };
                compare(
                    vector,
                    &format!("checkpoint line {line:?}"),
                    &with(format!("{}\n\n{signatures}", altered.join("\n"))),
                    comes,
                );
            }
            compare(
                vector,
                "checkpoint with a line more",
                &with(format!("{text}\nmore\n\n{signatures}")),
                To(&["signature.invalid"]),
            );
            compare(
                vector,
                "checkpoint without signatures",
                &with(format!("{text}\n\n")),
                To(&["checkpoint.unsigned"]),
            );
            own_signatures(vector, entry, text, signatures, &with);
        }
    }
}

/// What identifies the log's key on a checkpoint (C2SP signed-note; ECDSA keys by themselves).
fn key_id(vector: &Vector, entry: &Value, name: &str) -> Vec<u8> {
    let log = vector.root["tlogs"]
        .as_array()
        .unwrap()
        .iter()
        .find(|log| log["logId"]["keyId"] == entry["logId"]["keyId"])
        .unwrap();
    let key = decode(&log["publicKey"]["rawBytes"]);
    let identified = match log["publicKey"]["keyDetails"].as_str() {
        Some("PKIX_ED25519") => [name.as_bytes(), b"\n\x01", &key[key.len() - 32..]].concat(),
        _ => key,
    };
    Hash::Sha256.hash(&identified)[..4].into()
}

/// Each signature by the log's key: altered, and under another key id or name, which makes it
/// someone else's.
fn own_signatures(
    vector: &Vector,
    entry: &Value,
    text: &str,
    signatures: &str,
    with: &dyn Fn(String) -> Value,
) {
    let origin = text.lines().next().unwrap();
    let name = if Facts::of(entry).is_v2 {
        origin
    } else {
        origin.split_once(" - ").unwrap().0
    };
    let id = key_id(vector, entry, name);
    let is_own = |line: &&str| {
        line.strip_prefix(&format!("\u{2014} {name} "))
            .is_some_and(|signature| decode(&json!(signature)).starts_with(&id))
    };
    let own: Vec<&str> = signatures.lines().filter(is_own).collect();
    assert!(
        !own.is_empty(),
        "{}: the log signed no checkpoint",
        vector.name
    );
    for line in &own {
        let (head, signature) = line.rsplit_once(' ').unwrap();
        let replaced = |new: String| with(format!("{text}\n\n{}", signatures.replace(line, &new)));
        let flipped = |at: usize| {
            let mut bytes = decode(&json!(signature));
            bytes[at] ^= 1;
            replaced(format!("{head} {}", encode(&bytes).as_str().unwrap()))
        };
        compare(
            vector,
            "checkpoint signature",
            &flipped(decode(&json!(signature)).len() - 2),
            To(&["signature.invalid"]),
        );
        // The log may have signed twice: then the other signature is enough.
        if own.len() == 1 {
            compare(
                vector,
                "checkpoint key id",
                &flipped(0),
                To(&["checkpoint.unsigned"]),
            );
            compare(
                vector,
                "checkpoint signer",
                &replaced(format!("\u{2014} {name}x {signature}")),
                To(&["checkpoint.unsigned"]),
            );
        }
    }
}

/// The first that looks: the log, else the timestamp, else the signature check.
fn first_look(
    vector: &Vector,
    log: &'static [&'static str],
    timestamp: &'static [&'static str],
    none: &'static [&'static str],
) -> Comes {
    let stamped =
        vector.bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
            .as_array()
            .is_some_and(|tokens| !tokens.is_empty());
    match () {
        () if listed_entries(vector).next().is_some() => To(log),
        () if stamped => To(timestamp),
        () => To(none),
    }
}

#[test]
fn the_signature() {
    for vector in vectors::all() {
        let mut bundle = vector.bundle.clone();
        alter_at(&mut bundle, vector.signature_pointer());
        compare(
            vector,
            "signature",
            &bundle,
            first_look(
                vector,
                &["log-body.signature"],
                &["timestamp.imprint"],
                &["signature.invalid"],
            ),
        );
    }
}

#[test]
fn what_was_signed() {
    for vector in vectors::all() {
        let mut bundle = vector.bundle.clone();
        if vector.is_dsse() {
            // The subject's digest is another.
            let payload = String::from_utf8(decode(&bundle["dsseEnvelope"]["payload"])).unwrap();
            let digest = subject_digest(&vector.artifact, &payload);
            let other = alter(&json!(digest));
            bundle["dsseEnvelope"]["payload"] =
                encode(payload.replace(&digest, other.as_str().unwrap()).as_bytes());
            compare(
                vector,
                "subject",
                &bundle,
                first_look(
                    vector,
                    &["log-body.digest"],
                    &["sigstore.artifact", "signature.invalid"],
                    &["sigstore.artifact", "signature.invalid"],
                ),
            );
            // A space more says the same.
            bundle["dsseEnvelope"]["payload"] = encode(format!("{payload} ").as_bytes());
            compare(
                vector,
                "payload with a space",
                &bundle,
                first_look(
                    vector,
                    &["log-body.digest"],
                    &["signature.invalid"],
                    &["signature.invalid"],
                ),
            );
            let mut bundle = vector.bundle.clone();
            alter_at(&mut bundle, "/dsseEnvelope/payloadType");
            compare(
                vector,
                "payload type",
                &bundle,
                first_look(
                    vector,
                    &[
                        "log-body.digest",
                        "log-body.payload-type",
                        "sigstore.payload-type",
                    ],
                    &["sigstore.payload-type"],
                    &["sigstore.payload-type"],
                ),
            );
        } else {
            alter_at(&mut bundle, "/messageSignature/messageDigest/digest");
            compare(
                vector,
                "message digest",
                &bundle,
                To(&["sigstore.artifact"]),
            );
            let mut bundle = vector.bundle.clone();
            alter_at(&mut bundle, "/messageSignature/messageDigest/algorithm");
            compare(
                vector,
                "message digest algorithm",
                &bundle,
                To(&["sigstore.need-bytes"]),
            );
        }
        let other = Vector {
            artifact: other_artifact(&vector.artifact),
            ..vector.clone()
        };
        let comes = if vector.is_dsse() {
            To(&["sigstore.artifact"])
        } else {
            first_look(
                vector,
                &["log-body.digest"],
                &["sigstore.artifact"],
                &["sigstore.artifact"],
            )
        };
        compare(&other, "artifact", &vector.bundle, comes);
    }
}

/// The digest by which a statement names the artifact.
fn subject_digest(artifact: &Artifact, payload: &str) -> String {
    use sealgate::internals::digest::{Algorithm, Digest};
    let known = match artifact {
        Artifact::Digest(digest) => vec![digest.hex()],
        Artifact::Digests(digests) => digests.iter().map(Digest::hex).collect(),
        Artifact::Bytes(bytes) => [Algorithm::Sha256, Algorithm::Sha512]
            .map(|algorithm| Digest::with(algorithm, bytes).hex())
            .into(),
    };
    known
        .into_iter()
        .find(|hex| payload.contains(hex))
        .expect("the statement names the artifact")
}

fn other_artifact(artifact: &Artifact) -> Artifact {
    match artifact {
        Artifact::Bytes(bytes) => Artifact::Bytes([bytes.as_slice(), b"!"].concat()),
        Artifact::Digest(digest) => Artifact::Digest(sealgate::internals::digest::Digest::with(
            digest.algorithm(),
            b"another",
        )),
        Artifact::Digests(_) => unreachable!("no vector has several"),
    }
}

/// One bit in each region, at up to 32 places: nothing of a certificate can be altered.
#[test]
fn each_region_of_the_certificate() {
    for vector in vectors::all() {
        let Some(pointer) = vector.leaf_pointer() else {
            continue;
        };
        let der = vector.leaf();
        for at in interesting(&der)
            .into_iter()
            .chain(positions(der.len(), 32))
        {
            let mut altered = der.clone();
            altered[at] ^= 1;
            let mut bundle = vector.bundle.clone();
            *bundle.pointer_mut(pointer).unwrap() = encode(&altered);
            let code = vector
                .judge(&bundle)
                .expect_err(&format!("{}: certificate, byte {at}", vector.name));
            // The log has another certificate. Without a log it does not parse, does not chain, or
            // did not sign.
            let expected = code == "log-body.verifier"
                || code.starts_with("x509.")
                || listed_entries(vector).next().is_none()
                    && ["signature.invalid", "sigstore.identity"].contains(&code.as_str());
            assert!(
                expected || vector.tells(&code, "log-body.verifier"),
                "{}: certificate, byte {at}: {code}",
                vector.name
            );
        }
    }
}

/// The subject alternative name, the promise of certificate transparency, the key, the last byte of
/// the signature.
fn interesting(der: &[u8]) -> Vec<usize> {
    let certificate = Certificate::parse(der).unwrap();
    let inside = |value: Option<&[u8]>| {
        value.and_then(|value| find(der, value).map(|at| at + value.len() / 2))
    };
    let san = der::asn1::ObjectIdentifier::new_unwrap("2.5.29.17");
    let found = [
        inside(certificate.extension(san)),
        inside(certificate.extension(sct::OID)),
        inside(Some(certificate.public_key().spki_der())),
        Some(der.len() - 1),
    ];
    found.into_iter().flatten().collect()
}

/// The log's body altered together with what it speaks about: they fit, and the signature does not
/// hold.
#[test]
fn bundle_and_log_body_together() {
    for vector in vectors::all() {
        for (at, entry) in listed_entries(vector) {
            let signature = vector.bundle.pointer(vector.signature_pointer()).unwrap();
            let altered = alter(signature);
            let body = String::from_utf8(decode(&entry["canonicalizedBody"])).unwrap();
            let (old, new) = (signature.as_str().unwrap(), altered.as_str().unwrap());
            // intoto has it in base64 once more.
            let twice = |text: &str| encode(text.as_bytes()).as_str().unwrap().to_owned();
            let forged = if body.contains(old) {
                body.replace(old, new)
            } else {
                body.replace(&twice(old), &twice(new))
            };
            assert_ne!(
                forged, body,
                "{}: the entry does not speak about the signature",
                vector.name
            );
            let mut bundle = edit_entry(vector, at, |entry| {
                entry["canonicalizedBody"] = encode(forged.as_bytes())
            });
            *bundle.pointer_mut(vector.signature_pointer()).unwrap() = altered;
            // No key made the signature, and no timestamp is over it.
            compare(
                vector,
                "signature and log body",
                &bundle,
                if vector.stamps().is_some() {
                    To(&["timestamp.imprint"])
                } else {
                    To(&["signature.invalid"])
                },
            );
        }
    }
}

fn tokens(vector: &Vector) -> Vec<Vec<u8>> {
    let tokens =
        vector.bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
            .as_array();
    tokens
        .into_iter()
        .flatten()
        .map(|token| decode(&token["signedTimestamp"]))
        .collect()
}

fn with_token(vector: &Vector, at: usize, token: &[u8]) -> Value {
    let mut bundle = vector.bundle.clone();
    bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"][at]["signedTimestamp"] =
        encode(token);
    bundle
}

fn with_flip(vector: &Vector, at: usize, position: usize) -> Value {
    let mut token = tokens(vector)[at].clone();
    token[position] ^= 1;
    with_token(vector, at, &token)
}

#[test]
fn each_part_of_each_timestamp() {
    for vector in vectors::all() {
        for (at, token) in tokens(vector).iter().enumerate() {
            let signature = decode(vector.bundle.pointer(vector.signature_pointer()).unwrap());
            let imprint = [Hash::Sha256, Hash::Sha384, Hash::Sha512]
                .iter()
                .find_map(|hash| find(token, &hash.hash(&signature)));
            compare(
                vector,
                "timestamp imprint",
                &with_flip(vector, at, imprint.unwrap() + 1),
                To(&["timestamp.message-digest"]),
            );
            // GeneralizedTime "20…Z": another minute.
            let time = token
                .windows(17)
                .position(|part| part.starts_with(&[0x18, 15]) && part.ends_with(b"Z"))
                .unwrap();
            compare(
                vector,
                "timestamp time",
                &with_flip(vector, at, time + 12),
                To(&["timestamp.message-digest"]),
            );
            compare(
                vector,
                "timestamp signature",
                &with_flip(vector, at, token.len() - 2),
                To(&["signature.invalid"]),
            );
            let digest = [4, 32];
            let attribute = token
                .windows(2)
                .rposition(|part| part == digest || part == [4, 48] || part == [4, 64])
                .unwrap();
            compare(
                vector,
                "timestamp attributes",
                &with_flip(vector, at, attribute + 3),
                To(&[
                    "timestamp.message-digest",
                    "timestamp.signing-certificate",
                    "signature.invalid",
                ]),
            );
        }
    }
}

/// One bit anywhere: refused, or set aside because it names nobody any more, or of what nobody
/// signs (what the bag has beside the signer). In no case is there another time than before.
#[test]
fn each_byte_of_each_timestamp() {
    let mut refused = 0;
    for vector in vectors::all() {
        let whole = vector.whole();
        for (at, token) in tokens(vector).iter().enumerate() {
            for position in positions(token.len(), 32) {
                match vector.judge(&with_flip(vector, at, position)) {
                    Ok(accepted) => assert!(
                        accepted.says == whole.says
                            && accepted.times.iter().all(|time| whole.times.contains(time)),
                        "{}: timestamp, byte {position}",
                        vector.name
                    ),
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(refused > 0, "no vector has a timestamp");
}

/// Values of the wrong kind, and members taken away, anywhere in the bundle: whatever is still
/// accepted says the same.
#[test]
fn each_value_of_the_bundle() {
    for vector in vectors::all() {
        let whole = vector.whole();
        for pointer in leaves(&vector.bundle) {
            for other in [json!([]), json!("")] {
                let mut bundle = vector.bundle.clone();
                *bundle.pointer_mut(&pointer).unwrap() = other.clone();
                if let Ok(accepted) = vector.judge(&bundle) {
                    let same = accepted.says == whole.says
                        && accepted.times.iter().all(|time| whole.times.contains(time));
                    assert!(
                        same,
                        "{}: {pointer} as {other} changes what is said",
                        vector.name
                    );
                }
            }
        }
    }
}
