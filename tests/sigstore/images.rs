//! Images whose signatures are forged: well-formed, and lacking one thing.

use crate::advisories::image;
use crate::edit::encode;
use crate::forge::{self, Key, TIME};
use crate::support::{self, Memory};
use sealgate::internals::crypto::Hash;
use sealgate::internals::digest::Digest;
use sealgate::internals::encoding::{base64, hex};
use sealgate::internals::verify::{Direct, NamedRoot, Report, Rules, Signers};
use serde_json::{Value, json};

/// The key, in a listed log.
fn logged_key(signer: &Key, log: &Key) -> Rules {
    let root = NamedRoot::read("ours", &serde_json::to_vec(&forge::root(&[log])).unwrap()).unwrap();
    Rules::Direct(Direct {
        root: Some(root),
        ..Direct::by(Signers::Keys(vec![signer.public()]))
    })
}

fn judge(memory: &Memory, rules: &Rules) -> Report {
    support::judge(memory, rules, "demo.example/it:1")
}

/// A tag's signature by `signer`, whose annotation of the log is made by `edit` from one that
/// holds.
fn tagged(signer: &Key, log: &Key, edit: impl Fn(&mut Value)) -> Memory {
    tagged_as("demo.example/it", signer, log, edit)
}

/// The same, of an image of this name.
fn tagged_as(name: &str, signer: &Key, log: &Key, edit: impl Fn(&mut Value)) -> Memory {
    let (mut memory, image) = image(&[]);
    let payload = json!({"critical": {"identity": {"docker-reference": name}, "image": {"docker-manifest-digest": image.to_string()}, "type": "cosign container image signature"}, "optional": null});
    let payload = payload.to_string().into_bytes();
    let signature = signer.sign(&payload);
    let body = json!({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {
        "data": {"hash": {"algorithm": "sha256", "value": hex::encode(&Hash::Sha256.hash(&payload))}},
        "signature": {"content": encode(&signature), "publicKey": {"content": encode(signer.public().to_pem().as_bytes())}},
    }});
    let body = base64::encode(body.to_string().as_bytes());
    let log_id = hex::encode(&Hash::Sha256.hash(&log.spki()));
    let promised =
        format!(r#"{{"body":"{body}","integratedTime":{TIME},"logID":"{log_id}","logIndex":5}}"#);
    let mut entry = json!({"SignedEntryTimestamp": encode(&log.sign(promised.as_bytes())), "Payload": {"body": body, "integratedTime": TIME, "logIndex": 5, "logID": log_id}});
    edit(&mut entry);
    let config = memory.put(b"{}");
    let blob = memory.put(&payload);
    let manifest = json!({"schemaVersion": 2, "mediaType": support::MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config.to_string(), "size": 2},
        "layers": [{"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", "digest": blob.to_string(), "size": payload.len(),
            "annotations": {"dev.cosignproject.cosign/signature": encode(&signature), "dev.sigstore.cosign/bundle": entry.to_string()}}]});
    memory.manifests.insert(
        format!("sha256-{}.sig", image.hex()),
        (manifest.to_string().into_bytes(), support::MANIFEST.into()),
    );
    memory
}

/// The log's timestamp is all that this form has; it is enough, and it is looked at.
#[test]
fn a_tag_is_proven_by_the_timestamp_of_its_log() {
    let (signer, log) = (Key::new(1), Key::new(2));
    let code = |edit: fn(&mut Value)| {
        judge(&tagged(&signer, &log, edit), &logged_key(&signer, &log))
            .finding
            .code
    };
    assert_eq!(code(|_| ()), "signature.accepted");
    assert_eq!(
        code(|entry| entry["Payload"]["integratedTime"] = json!(TIME + 1)),
        "signature.invalid"
    );
    assert_eq!(
        code(|entry| entry["Payload"]["logIndex"] = json!(6)),
        "signature.invalid"
    );
    assert_eq!(code(|entry| *entry = Value::Null), "sigstore.log");
    let unlisted = judge(
        &tagged(&signer, &Key::new(3), |_| ()),
        &logged_key(&signer, &log),
    );
    assert_eq!(unlisted.finding.code, "sigstore.log");
}

/// Repositories are compared, with a tag or without, as containers/image normalises them
/// (docs/trust.md section 9); under a root as without one.
#[test]
fn a_signature_names_the_repository_that_is_asked_for() {
    let (signer, log) = (Key::new(1), Key::new(2));
    let without = Rules::Direct(Direct::by(Signers::Keys(vec![signer.public()])));
    for (signed, asked, code) in [
        ("demo.example/it", "demo.example/it:1", "signature.accepted"),
        (
            "demo.example/it:other",
            "demo.example/it:1",
            "signature.accepted",
        ),
        (
            "index.docker.io/library/busybox",
            "busybox:1",
            "signature.accepted",
        ),
        (
            "docker.io/busybox",
            "docker.io/library/busybox:1",
            "signature.accepted",
        ),
        (
            "busybox:7",
            "index.docker.io/library/busybox:1",
            "signature.accepted",
        ),
        (
            "demo.example/it",
            "demo.example/it/below:1",
            "identity.other-name",
        ),
        (
            "demo.example/it/below",
            "demo.example/it:1",
            "identity.other-name",
        ),
        (
            "demo.example:443/it",
            "demo.example/it:1",
            "identity.other-name",
        ),
        (
            "demo.example/other",
            "demo.example/it:1",
            "identity.other-name",
        ),
        ("team/it", "demo.example/team/it:1", "identity.other-name"),
        ("", "demo.example/it:1", "identity.other-name"),
        (
            "DEMO.example/IT",
            "demo.example/it:1",
            "identity.other-name",
        ),
    ] {
        let memory = tagged_as(signed, &signer, &log, |_| ());
        for rules in [&without, &logged_key(&signer, &log)] {
            assert_eq!(
                support::judge(&memory, rules, asked).finding.code,
                code,
                "{signed:?} as {asked}"
            );
        }
    }
}

/// A statement that does not say that it is one may be read as an attestation; it signs no image.
#[test]
fn a_signature_of_an_image_says_that_it_is_a_statement() {
    let (signer, log) = (Key::new(1), Key::new(2));
    let (_, digest) = image(&[]);
    let judged = |edit: fn(&mut Value)| {
        let payload = forge::statement(
            "https://sigstore.dev/cosign/sign/v1",
            &[json!({"name": "it", "digest": {"sha256": digest.hex()}})],
        );
        let mut statement: Value = serde_json::from_slice(&payload).unwrap();
        edit(&mut statement);
        let payload = statement.to_string().into_bytes();
        let bundle = forge::bundle(
            &signer,
            &payload,
            &[forge::entry(&log, 1, &signer, &payload)],
        );
        judge(&image(&[bundle]).0, &logged_key(&signer, &log))
            .finding
            .code
    };
    assert_eq!(judged(|_| ()), "signature.accepted");
    assert_eq!(
        judged(|statement| drop(statement.as_object_mut().unwrap().remove("_type"))),
        "statement.type"
    );
    assert_eq!(
        judged(|statement| statement["_type"] = json!("https://in-toto.io/Statement/v2")),
        "statement.type"
    );
    assert_eq!(
        judged(|statement| statement["subject"][0]["digest"]["sha256"] =
            json!(Digest::of(b"another").hex())),
        "digest.not-signed"
    );
}
