//! containers/image's decisions on `sigstoreSigned` (docs/containers-image.md section 10, cases C
//! and A), in [`simple_signing`] and [`lookaside`] those on `signedBy`, in [`dir`] images in folders, and in
//! [`decisions`] the table of all cases by their ids.
//! Certificates are those of fixtures/containers-image; log entries are made up on the spot.

#[path = "containers/decisions.rs"]
mod decisions;
#[path = "containers/dir.rs"]
mod dir;
#[path = "containers/lookaside.rs"]
mod lookaside;
#[path = "containers/simple_signing.rs"]
mod simple_signing;
mod support;

use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer;
use sealgate::internals::crypto::PublicKey;
use sealgate::internals::digest::{Algorithm, Digest};
use sealgate::internals::encoding::{base64, pem};
use sealgate::internals::verify::{Report, Rules, Verdict};
use sealgate::internals::x509::Certificate;
use sealgate::policy::Policy;
use std::collections::BTreeMap;
use support::{MANIFEST, Memory, judge, judge_at};

const NAME: &str = "registry.example/team/app:1";
const REPOSITORY: &str = "registry.example/team/app";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

fn signer(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

/// SubjectPublicKeyInfo of a P-256 key.
fn public(key: &SigningKey) -> String {
    let mut der = vec![
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
        0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    der.extend_from_slice(key.verifying_key().to_sec1_point(false).as_bytes());
    pem::encode("PUBLIC KEY", &der)
}

fn image() -> Vec<u8> {
    let config = Digest::of(b"{}");
    format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":2}},"layers":[]}}"#).into_bytes()
}

fn payload(digest: &str, identity: &str, optional: &str) -> String {
    format!(
        r#"{{"critical":{{"identity":{{"docker-reference":"{identity}"}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"cosign container image signature"}}{optional}}}"#
    )
}

fn good_payload() -> String {
    payload(
        &Digest::of(&image()).to_string(),
        REPOSITORY,
        r#","optional":null"#,
    )
}

/// A signature that says it is over this digest.
fn signed_over(digest: &str) -> Layer {
    signed(&payload(digest, REPOSITORY, r#","optional":null"#), 1)
}

/// One layer of a `.sig` manifest.
struct Layer {
    kind: &'static str,
    payload: Vec<u8>,
    annotations: BTreeMap<&'static str, String>,
}

fn layer(payload: &[u8], signature: &str) -> Layer {
    Layer {
        kind: SIMPLE,
        payload: payload.into(),
        annotations: [("dev.cosignproject.cosign/signature", signature.to_owned())].into(),
    }
}

fn signed(payload: &str, seed: u8) -> Layer {
    let signature: p256::ecdsa::DerSignature = signer(seed).sign(payload.as_bytes());
    layer(payload.as_bytes(), &base64::encode(signature.as_bytes()))
}

fn archive(layers: &[Layer]) -> Memory {
    let mut memory = Memory::default();
    let image = image();
    let mut list = Vec::new();
    for layer in layers {
        let digest = Digest::of(&layer.payload).to_string();
        list.push(serde_json::json!({"mediaType": layer.kind, "digest": digest, "size": layer.payload.len(), "annotations": layer.annotations}));
        memory.blobs.insert(digest, layer.payload.clone());
    }
    let config = Digest::of(b"{}").to_string();
    let manifest = serde_json::json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2}, "layers": list});
    if !layers.is_empty() {
        memory.manifests.insert(
            format!("sha256-{}.sig", Digest::of(&image).hex()),
            (manifest.to_string().into_bytes(), MANIFEST.into()),
        );
    }
    memory
        .manifests
        .insert("1".into(), (image.clone(), MANIFEST.into()));
    memory
        .manifests
        .insert("2".into(), (image, MANIFEST.into()));
    memory
}

/// A policy without our marker: it means what it means to podman.
fn rules(identity: &str, keys: &[String]) -> Rules {
    let datas: Vec<String> = keys
        .iter()
        .map(|key| base64::encode(key.as_bytes()))
        .collect();
    let identity = if identity.is_empty() {
        String::new()
    } else {
        format!(r#","signedIdentity":{identity}"#)
    };
    let text = format!(
        r#"{{"default":[{{"type":"sigstoreSigned","keyDatas":{}{identity}}}]}}"#,
        serde_json::json!(datas)
    );
    Rules::policy(Policy::parse(text.as_bytes()).unwrap(), BTreeMap::new()).unwrap()
}

const ANY_TAG: &str = r#"{"type":"matchRepository"}"#;

fn report(layers: &[Layer], identity: &str, keys: &[String]) -> Report {
    judge(&archive(layers), &rules(identity, keys), NAME)
}

fn verdict(layers: &[Layer]) -> Verdict {
    report(layers, ANY_TAG, &[public(&signer(1))])
        .finding
        .verdict
}

fn c1_encodings_of_keys_and_signatures() {
    let payload = good_payload();
    assert_eq!(verdict(&[signed(&payload, 1)]), Verdict::Allow);
    let raw: p256::ecdsa::Signature = signer(1).sign(payload.as_bytes());
    assert_eq!(
        verdict(&[layer(payload.as_bytes(), &base64::encode(&raw.to_bytes()))]),
        Verdict::Allow
    );
    let ed = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let mut der = vec![
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
    ];
    der.extend_from_slice(ed.verifying_key().as_bytes());
    let key = pem::encode("PUBLIC KEY", &der);
    let signature = base64::encode(&ed.sign(payload.as_bytes()).to_bytes());
    assert_eq!(
        report(&[layer(payload.as_bytes(), &signature)], ANY_TAG, &[key])
            .finding
            .verdict,
        Verdict::Allow
    );
}

/// C1: a PKCS#1 PEM key is the same key.
fn c1_pkcs1() {
    let folder = support::fixtures().join("cosign/rsa-2048-signature");
    let key = PublicKey::from_pem(&support::read(folder.join("key.pub"))).unwrap();
    // The BIT STRING of an RSA SubjectPublicKeyInfo, whose header has a fixed length for this size.
    let pkcs1 = pem::encode("RSA PUBLIC KEY", &key.spki_der()[24..]);
    assert_eq!(PublicKey::from_pem(pkcs1.as_bytes()).unwrap(), key);
}

fn c4_base64() {
    let payload = good_payload();
    let signature: p256::ecdsa::DerSignature = signer(1).sign(payload.as_bytes());
    let text = base64::encode(signature.as_bytes());
    let with = |text: &str| verdict(&[layer(payload.as_bytes(), text)]);
    assert_eq!(
        with(&format!("{}\n{}\n", &text[..20], &text[20..])),
        Verdict::Allow
    );
    assert_eq!(
        with(&format!("{} {}", &text[..20], &text[20..])),
        Verdict::Deny
    );
    // A signature that needs padding and both special letters, so that the refusals are about the
    // spelling.
    let find = |wanted: fn(&str) -> bool| {
        (0..=255_u16)
            .find_map(|number| {
                let text = payload.replace("null", &format!(r#"{{"n":{number}}}"#));
                let signature: p256::ecdsa::DerSignature = signer(1).sign(text.as_bytes());
                let encoded = base64::encode(signature.as_bytes());
                wanted(&encoded).then_some((text, encoded))
            })
            .unwrap()
    };
    let (text, encoded) = find(|text| text.ends_with('='));
    assert_eq!(verdict(&[layer(text.as_bytes(), &encoded)]), Verdict::Allow);
    assert_eq!(
        verdict(&[layer(text.as_bytes(), encoded.trim_end_matches('='))]),
        Verdict::Deny
    );
    let (text, encoded) = find(|text| text.contains('+') && text.contains('/'));
    assert_eq!(verdict(&[layer(text.as_bytes(), &encoded)]), Verdict::Allow);
    assert_eq!(
        verdict(&[layer(
            text.as_bytes(),
            &encoded.replace('+', "-").replace('/', "_")
        )]),
        Verdict::Deny
    );
}

fn c5_c6_payloads() {
    // What nobody trusted signed is not read (section 6, "Order").
    let unread = |seed| {
        report(&[signed("{", seed)], ANY_TAG, &[public(&signer(1))])
            .finding
            .code
    };
    assert_eq!(
        (unread(1), unread(2)),
        ("payload.json", "signature.invalid")
    );
    let digest = Digest::of(&image()).to_string();
    for (optional, after, expected) in [
        (r#","optional":null"#, "", Verdict::Allow),
        (r#","optional":{}"#, "", Verdict::Allow),
        ("", "", Verdict::Deny),
        (r#","optional":null"#, "\n", Verdict::Allow),
        (r#","optional":null"#, "{}", Verdict::Deny),
        (r#","optional":null,"more":1"#, "", Verdict::Deny),
        (r#","optional":{"timestamp":1.5}"#, "", Verdict::Deny),
    ] {
        let text = payload(&digest, REPOSITORY, optional) + after;
        assert_eq!(verdict(&[signed(&text, 1)]), expected, "{text}");
    }
}

fn c7_only_the_first_block_of_a_key_file_counts() {
    let both = public(&signer(2)) + &public(&signer(1));
    let layers = [signed(&good_payload(), 1)];
    assert_eq!(
        report(&layers, ANY_TAG, &[both]).finding.verdict,
        Verdict::Deny
    );
    assert_eq!(
        report(&layers, ANY_TAG, &[public(&signer(2)), public(&signer(1))])
            .finding
            .verdict,
        Verdict::Allow
    );
}

fn c8_to_c10_identities() {
    let key = [public(&signer(1))];
    let bare = [signed(&good_payload(), 1)];
    let refused = report(&bare, "", &key);
    assert_eq!(
        (refused.finding.verdict, refused.finding.code),
        (Verdict::Deny, "identity.not-accepted")
    );
    assert!(
        refused
            .finding
            .message
            .contains("Signature for identity \"registry.example/team/app\" is not accepted"),
        "{}",
        refused.finding.message
    );
    assert!(
        refused
            .mirror_question
            .unwrap()
            .signed_identity
            .unwrap()
            .contains("matchRepository")
    );
    assert_eq!(report(&bare, ANY_TAG, &key).finding.verdict, Verdict::Allow);
    let tagged = [signed(
        &payload(
            &Digest::of(&image()).to_string(),
            NAME,
            r#","optional":null"#,
        ),
        1,
    )];
    assert_eq!(report(&tagged, "", &key).finding.verdict, Verdict::Allow);
    let other_tag = |identity: &str| {
        judge(
            &archive(&tagged),
            &rules(identity, &key),
            "registry.example/team/app:2",
        )
        .finding
        .verdict
    };
    assert_eq!(other_tag(ANY_TAG), Verdict::Allow);
    assert_eq!(other_tag(""), Verdict::Deny);
}

fn c11_an_attachment_is_no_signature() {
    let attachment = Layer {
        kind: "application/vnd.dsse.envelope.v1+json",
        payload: b"{}".into(),
        annotations: BTreeMap::new(),
    };
    let refused = report(&[attachment], ANY_TAG, &[public(&signer(1))]);
    assert_eq!(
        (refused.finding.verdict, refused.finding.code),
        (Verdict::Deny, "signature.missing")
    );
    assert!(
        refused.finding.message.contains(
            "A signature was required, but no signature exists (0 non-sigstore signatures, 1 \
             sigstore non-signature attachments)"
        ),
        "{}",
        refused.finding.message
    );
    assert_eq!(
        report(&[], ANY_TAG, &[public(&signer(1))]).finding.code,
        "signature.missing"
    );
}

fn c13_annotations_that_are_not_needed_are_not_looked_at() {
    let mut one = signed(&good_payload(), 1);
    one.annotations
        .insert("dev.sigstore.cosign/bundle", "garbage".into());
    assert_eq!(verdict(&[one]), Verdict::Allow);
    let mut none = signed(&good_payload(), 1);
    none.annotations.clear();
    assert_eq!(
        report(&[none], ANY_TAG, &[public(&signer(1))]).finding.code,
        "cosign.annotation"
    );
}

fn c23_only_sha256_digests_match() {
    let other = Digest::of(b"another").to_string();
    let words = |signed: &str| {
        report(&[signed_over(signed)], ANY_TAG, &[public(&signer(1))])
            .finding
            .message
    };
    assert!(
        words(&other).starts_with(&format!("Signature for digest {other} does not match")),
        "{}",
        words(&other)
    );
    assert!(
        words("sha256:x").starts_with("invalid docker-manifest-digest value \"sha256:x\":"),
        "{}",
        words("sha256:x")
    );
    let sha512 = Digest::with(Algorithm::Sha512, &image()).to_string();
    let refused = report(
        &[signed(
            &payload(&sha512, REPOSITORY, r#","optional":null"#),
            1,
        )],
        ANY_TAG,
        &[public(&signer(1))],
    );
    assert_eq!(
        (refused.finding.verdict, refused.finding.code),
        (Verdict::Deny, "digest.not-signed")
    );
    let upper = Digest::of(&image())
        .to_string()
        .to_uppercase()
        .replace("SHA256", "sha256");
    assert_eq!(
        verdict(&[signed(
            &payload(&upper, REPOSITORY, r#","optional":null"#),
            1
        )]),
        Verdict::Deny
    );
}

fn c24_one_key_that_cannot_be_used_rejects_everything() {
    let layers = [signed(&good_payload(), 1)];
    let broken = pem::encode("PUBLIC KEY", b"no key");
    assert_eq!(
        report(&layers, ANY_TAG, &[public(&signer(1)), broken])
            .finding
            .verdict,
        Verdict::Deny
    );
}

/// Section 4: one accepted signature suffices, and several refusals are told together.
#[test]
fn signatures_are_alternatives() {
    let layers = [signed(&good_payload(), 2), signed(&good_payload(), 1)];
    assert_eq!(verdict(&layers), Verdict::Allow);
    let refused = report(
        &[signed(&good_payload(), 2), signed(&good_payload(), 3)],
        ANY_TAG,
        &[public(&signer(1))],
    );
    assert!(
        refused.finding.message.starts_with(
            "None of the signatures were accepted, reasons: cryptographic signature verification \
             failed"
        ),
        "{}",
        refused.finding.message
    );
}

/// Section 4: requirements are ANDed, and different signatures may meet them.
fn requirements_are_conjunctions() {
    let one = |seed: u8| {
        format!(
            r#"{{"type":"sigstoreSigned","keyData":"{}","signedIdentity":{ANY_TAG}}}"#,
            base64::encode(public(&signer(seed)).as_bytes())
        )
    };
    let policy = |requirements: String| {
        Rules::policy(
            Policy::parse(format!(r#"{{"default":[{requirements}]}}"#).as_bytes()).unwrap(),
            BTreeMap::new(),
        )
        .unwrap()
    };
    let both = archive(&[signed(&good_payload(), 1), signed(&good_payload(), 2)]);
    let first = archive(&[signed(&good_payload(), 1)]);
    let and = || policy(format!("{},{}", one(1), one(2)));
    assert_eq!(judge(&both, &and(), NAME).finding.verdict, Verdict::Allow);
    assert_eq!(judge(&first, &and(), NAME).finding.verdict, Verdict::Deny);
    let accept = r#"{"type":"insecureAcceptAnything"}"#;
    let open = judge(&first, &policy(accept.into()), NAME);
    // No cosign command asks what this rule asks.
    assert_eq!(
        (open.finding.verdict, open.equivalent),
        (Verdict::Allow, None)
    );
    assert_eq!(
        judge(
            &first,
            &policy(format!(r#"{accept},{{"type":"reject"}}"#)),
            NAME
        )
        .finding
        .code,
        "policy.reject"
    );
    assert_eq!(
        judge(
            &first,
            &policy(format!(r#"{{"type":"reject"}},{accept}"#)),
            NAME
        )
        .finding
        .code,
        "policy.reject"
    );
    assert_eq!(
        judge(&first, &policy(format!("{},{}", one(2), one(1))), NAME)
            .finding
            .verdict,
        Verdict::Deny
    );
    assert_eq!(
        judge(
            &first,
            &policy(
                r#"{"type":"signedBaseLayer","baseLayerIdentity":{"type":"matchExact"}}"#.into()
            ),
            NAME
        )
        .finding
        .message,
        "signedBaseLayer not implemented yet!"
    );
}

/// Who signs log entries, and the holder of the certificates of fixtures/containers-image.
const REKOR: u8 = 11;
const LEAF: u8 = 5;

fn certificate(name: &str) -> String {
    String::from_utf8(support::read(
        support::fixtures().join(format!("containers-image/{name}.pem")),
    ))
    .unwrap()
}

/// The first second of a certificate.
fn start(name: &str) -> i64 {
    Certificate::parse(&pem::first(&certificate(name)).unwrap().0.body)
        .unwrap()
        .not_before()
        .0
}

/// A signature, and the annotation of its log entry, which names `verifier`.
fn logged(seed: u8, verifier: &str, time: i64) -> Layer {
    let mut layer = signed(&good_payload(), seed);
    let body = serde_json::json!({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {
        "data": {"hash": {"algorithm": "sha256", "value": Digest::of(&layer.payload).hex()}},
        "signature": {"content": layer.annotations["dev.cosignproject.cosign/signature"], "publicKey": {"content": data(verifier)}},
    }});
    // In canonical form: members are sorted.
    let entry = serde_json::json!({"body": data(&body.to_string()), "integratedTime": time, "logID": "00", "logIndex": 7});
    let set: p256::ecdsa::DerSignature = signer(REKOR).sign(entry.to_string().as_bytes());
    let bundle = serde_json::json!({"Payload": entry, "SignedEntryTimestamp": base64::encode(set.as_bytes())});
    layer
        .annotations
        .insert("dev.sigstore.cosign/bundle", bundle.to_string());
    layer
}

fn certified(leaf: &str, chain: &[&str], time: i64) -> Layer {
    let mut layer = logged(LEAF, &certificate(leaf), time);
    layer
        .annotations
        .insert("dev.sigstore.cosign/certificate", certificate(leaf));
    layer.annotations.insert(
        "dev.sigstore.cosign/chain",
        chain.iter().map(|name| certificate(name)).collect(),
    );
    layer
}

fn with(mut layer: Layer, key: &'static str, change: impl FnOnce(&str) -> String) -> Layer {
    let changed = change(&layer.annotations[key]);
    layer.annotations.insert(key, changed);
    layer
}

/// Without our marker, for any tag.
fn trusting(members: &str) -> Rules {
    let text = format!(
        r#"{{"default":[{{"type":"sigstoreSigned",{members},"signedIdentity":{ANY_TAG}}}]}}"#
    );
    Rules::policy(Policy::parse(text.as_bytes()).unwrap(), BTreeMap::new()).unwrap()
}

fn data(text: &str) -> String {
    base64::encode(text.as_bytes())
}

fn by_log(rekor: &str) -> String {
    format!(r#""rekorPublicKeyData":"{}""#, data(rekor))
}

fn fulcio(email: &str, issuer: &str) -> String {
    format!(
        r#""fulcio":{{"caData":"{}","oidcIssuer":"{issuer}","subjectEmail":"{email}"}},{}"#,
        data(&certificate("root")),
        by_log(&public(&signer(REKOR)))
    )
}

fn c12_to_c14_keys_and_a_log() {
    let rules = |rekor: &str| {
        trusting(&format!(
            r#""keyDatas":["{}","{}"],{rekor}"#,
            data(&public(&signer(3))),
            data(&public(&signer(1)))
        ))
    };
    let log = by_log(&public(&signer(REKOR)));
    let own = || [logged(1, &public(&signer(1)), 1)];
    let good = judge(&archive(&own()), &rules(&log), NAME);
    // No cosign command asks what this rule asks, and the log was asked.
    assert_eq!(
        (good.finding.verdict, good.equivalent),
        (Verdict::Allow, None),
        "{}",
        good.finding.message
    );
    assert!(good.notes.is_empty(), "{:?}", good.notes);
    let entries = &good.requirements[0].candidates[0]
        .claims
        .as_ref()
        .unwrap()
        .log_entries;
    assert_eq!(
        (entries.len(), entries[0].index.as_str(), entries[0].time),
        (1, "7", Some(1))
    );
    let refused = |layers: &[Layer]| {
        let report = judge(&archive(layers), &rules(&log), NAME);
        assert_eq!(report.finding.verdict, Verdict::Deny);
        (report.finding.code, report.finding.message)
    };
    let (code, message) = refused(&[signed(&good_payload(), 1)]);
    assert!(
        code == "containers-image.annotation"
            && message.starts_with("missing dev.sigstore.cosign/bundle annotation"),
        "{message}"
    );
    // C13, P30: an empty path asks for no log.
    let garbage = with(
        own().into_iter().next().unwrap(),
        "dev.sigstore.cosign/bundle",
        |_| "garbage".into(),
    );
    assert_eq!(
        judge(
            &archive(&[garbage]),
            &rules("\"rekorPublicKeyPath\":\"\""),
            NAME
        )
        .finding
        .verdict,
        Verdict::Allow
    );
    let (code, message) = refused(&[logged(1, &public(&signer(9)), 1)]);
    assert!(
        code == "containers-image.logged-key"
            && message.starts_with("No public key verified against the RekorSET: "),
        "{message}"
    );
    // The first key that the entry names is the only one that counts.
    assert_eq!(
        refused(&[logged(1, &public(&signer(3)), 1)]).0,
        "signature.invalid"
    );
    // CVE-2022-23649: the log's word on another signature.
    let payload = good_payload().replace("null", "{}");
    let stolen = Layer {
        payload: payload.clone().into_bytes(),
        ..with(
            own().into_iter().next().unwrap(),
            "dev.cosignproject.cosign/signature",
            |_| signed(&payload, 1).annotations["dev.cosignproject.cosign/signature"].clone(),
        )
    };
    assert_eq!(refused(&[stolen]).0, "containers-image.logged-key");
    // Of several signatures one suffices; digest and name are asked as ever.
    assert_eq!(
        judge(
            &archive(&[
                signed(&good_payload(), 1),
                logged(1, &public(&signer(1)), 1)
            ]),
            &rules(&log),
            NAME
        )
        .finding
        .verdict,
        Verdict::Allow
    );
    assert_eq!(
        judge(
            &archive(&own()),
            &rules(&log),
            "registry.example/team/other:1"
        )
        .finding
        .code,
        "identity.not-accepted"
    );
}

fn c15_to_c20_fulcio() {
    const EMAIL: &str = "me@example.com";
    const ISSUER: &str = "https://accounts.example.com";
    const BUNDLE: &str = "dev.sigstore.cosign/bundle";
    const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
    let time = start("leaf");
    let outcome = |layer: Layer, rule: &str| {
        judge_at(
            &archive(&[layer]),
            &trusting(rule),
            NAME,
            time + 366 * 86_400,
        )
    };
    let rule = fulcio(EMAIL, ISSUER);
    let chain = &["int", "root"][..];
    let good = || certified("leaf", chain, time);
    // C15: the leaf has long expired, and is judged by the log's time.
    let report = outcome(good(), &rule);
    assert_eq!(
        (report.finding.verdict, report.equivalent),
        (Verdict::Allow, None),
        "{}",
        report.finding.message
    );
    assert_eq!(
        report.finding.message,
        format!("a good signature by {EMAIL} ({ISSUER}), as {REPOSITORY}")
    );
    let by = report.requirements[0].candidates[0]
        .claims
        .as_ref()
        .unwrap()
        .signer
        .as_ref()
        .unwrap();
    assert_eq!(
        (by.subject.as_str(), by.issuer.as_deref()),
        (EMAIL, Some(ISSUER))
    );
    for (what, layer, rule, code) in [
        (
            "C15",
            certified("leaf", chain, time - 1),
            &rule,
            "x509.not-yet-valid",
        ),
        (
            "C15",
            certified("leaf", chain, time + 366 * 86_400),
            &rule,
            "x509.expired",
        ),
        (
            "C17",
            with(good(), BUNDLE, |text| text.replacen('{', "{\"more\":1,", 1)),
            &rule,
            "log-entry.shape",
        ),
        (
            "C17",
            with(good(), BUNDLE, |text| {
                text.replacen(&time.to_string(), &(time + 1).to_string(), 1)
            }),
            &rule,
            "containers-image.set",
        ),
        (
            "C18",
            with(good(), CERTIFICATE, |text| text.to_owned() + "\n"),
            &rule,
            "containers-image.certificate-pem",
        ),
        (
            "C19",
            certified("leaf", &[], time),
            &rule,
            "x509.unknown-issuer",
        ),
        (
            "C19",
            certified("leaf", &["int"], time),
            &rule,
            "x509.unknown-issuer",
        ),
        (
            "C20",
            good(),
            &fulcio(EMAIL, "https://accounts.example.com/"),
            "containers-image.issuer",
        ),
        (
            "C20",
            good(),
            &fulcio("Me@example.com", ISSUER),
            "containers-image.email",
        ),
        (
            "a key's signature",
            logged(LEAF, &public(&signer(LEAF)), time),
            &rule,
            "containers-image.annotation",
        ),
    ] {
        let report = outcome(layer, rule);
        assert_eq!(
            (report.finding.verdict, report.finding.code),
            (Verdict::Deny, code),
            "{what}: {}",
            report.finding.message
        );
    }
    // C16, C18: spellings that do not matter.
    let spelled = with(good(), BUNDLE, |text| {
        text.replace(':', " :\n ")
            .replace(&time.to_string(), &format!("{time}.0"))
    });
    assert_eq!(
        outcome(
            with(spelled, CERTIFICATE, |text| text
                .replace("CERTIFICATE", "OTHER")),
            &rule
        )
        .finding
        .verdict,
        Verdict::Allow
    );
    // Several names are no obstacle, and the report names none of them.
    let several = outcome(
        certified("leaf-two-names", chain, start("leaf-two-names")),
        &rule,
    );
    assert_eq!(
        (
            several.finding.verdict,
            &several.requirements[0].candidates[0]
                .claims
                .as_ref()
                .unwrap()
                .signer
        ),
        (Verdict::Allow, &None)
    );
}

fn c21_keys_of_rekor() {
    let key = data(&public(&signer(1)));
    let under = |rekor: &str| {
        judge(
            &archive(&[logged(1, &public(&signer(1)), 1)]),
            &trusting(&format!(r#""keyData":"{key}",{}"#, by_log(rekor))),
            NAME,
        )
    };
    let other = under(&public(&signer(12)));
    assert!(
        other.finding.code == "containers-image.logged-key"
            && other
                .finding
                .message
                .contains("cryptographic signature verification of Rekor SET failed"),
        "{}",
        other.finding.message
    );
    let rsa = under(
        &String::from_utf8(support::read(
            support::fixtures().join("cosign/rsa-2048-signature/key.pub"),
        ))
        .unwrap(),
    );
    assert!(
        rsa.finding.code == "containers-image.rekor-key"
            && rsa
                .finding
                .message
                .starts_with("Rekor public key 1 is not using ECDSA"),
        "{}",
        rsa.finding.message
    );
    // A file that cannot be used: the rule is not met, with signatures and without.
    for (rule, code) in [
        (
            format!(r#""keyData":"{key}",{}"#, by_log("garbage")),
            "key.pem",
        ),
        (
            fulcio("e", "i").replace(&data(&certificate("root")), &data("garbage")),
            "containers-image.no-authority",
        ),
        (
            format!(
                r#""pki":{{"caRootsData":"{}","caIntermediatesData":"{}","subjectEmail":"e"}}"#,
                data(&certificate("root")),
                data("garbage")
            ),
            "containers-image.pem",
        ),
    ] {
        assert_eq!(
            judge(
                &archive(&[logged(1, &public(&signer(1)), 1)]),
                &trusting(&rule),
                NAME
            )
            .finding
            .code,
            code
        );
        assert_eq!(
            judge(&archive(&[]), &trusting(&rule), NAME).finding.verdict,
            Verdict::Deny
        );
    }
}

fn c22_pki() {
    let rule = |subject: &str| {
        trusting(&format!(
            r#""pki":{{"caRootsData":"{}","caIntermediatesData":"{}",{subject}}}"#,
            data(&certificate("root")),
            data(&certificate("int"))
        ))
    };
    let host = rule(r#""subjectEmail":"me@example.com","subjectHostname":"host.example.com""#);
    let now = start("leaf-host");
    let mut layer = certified("leaf-host", &[], 0);
    layer.annotations.remove("dev.sigstore.cosign/bundle");
    let memory = archive(&[layer]);
    let good = judge_at(&memory, &host, NAME, now);
    assert_eq!(
        good.finding.verdict,
        Verdict::Allow,
        "{}",
        good.finding.message
    );
    assert_eq!(
        good.finding.message,
        format!("a good signature by me@example.com, host.example.com, as {REPOSITORY}")
    );
    assert!(
        good.notes
            .iter()
            .any(|note| note.code == "log.not-required")
    );
    // Now decides: before and after, the same signature is none; and the answer ends with the first
    // certificate.
    let ends = good.requirements[0].candidates[0].expires.unwrap();
    assert_eq!(
        judge_at(&memory, &host, NAME, ends - 1).finding.verdict,
        Verdict::Allow
    );
    assert_eq!(
        judge_at(&memory, &host, NAME, ends).finding.code,
        "x509.expired"
    );
    assert_eq!(
        judge_at(&memory, &host, NAME, now - 1).finding.code,
        "x509.not-yet-valid"
    );
    assert_eq!(
        judge_at(&memory, &host, NAME, now + 3 * 86_400)
            .finding
            .code,
        "x509.expired"
    );
    assert_eq!(
        judge_at(
            &memory,
            &rule(r#""subjectHostname":"other.example.com""#),
            NAME,
            now
        )
        .finding
        .code,
        "containers-image.hostname"
    );
    assert_eq!(
        judge_at(
            &memory,
            &rule(r#""subjectEmail":"host.example.com""#),
            NAME,
            now
        )
        .finding
        .code,
        "containers-image.email"
    );
    let missing = judge_at(&archive(&[signed(&good_payload(), LEAF)]), &host, NAME, now);
    assert!(
        missing.finding.code == "containers-image.annotation"
            && missing
                .finding
                .message
                .starts_with("missing dev.sigstore.cosign/certificate annotation"),
        "{}",
        missing.finding.message
    );
}

/// What is decided above is reached by these combinations alone; the other P's are in
/// src/policy/tests.
#[test]
fn p29_to_p36_combinations() {
    let (key, root, log) = (
        data(&public(&signer(1))),
        data(&certificate("root")),
        by_log(&public(&signer(REKOR))),
    );
    let fulcio = format!(r#""fulcio":{{"caData":"{root}","oidcIssuer":"i","subjectEmail":"e"}}"#);
    let pki = format!(r#""pki":{{"caRootsData":"{root}","subjectEmail":"e"}}"#);
    let no_path = "\"rekorPublicKeyPath\":\"\"";
    for (id, members, is_policy) in [
        ("P29", fulcio.clone(), false),
        ("P29", format!("{fulcio},{no_path}"), false),
        ("", format!("{fulcio},{log}"), true),
        ("P30", format!(r#""keyData":"{key}",{no_path}"#), true),
        (
            "P31",
            format!(r#""keyData":"{key}","rekorPublicKeyPaths":[]"#),
            false,
        ),
        (
            "P32",
            format!(r#""keyData":"{key}",{log},"rekorPublicKeyPath":"/r""#),
            false,
        ),
        ("P33", format!(r#""keyData":"{key}",{fulcio},{log}"#), false),
        ("P33", format!("{pki},{fulcio},{log}"), false),
        ("P34", format!("{pki},{log}"), false),
        ("", pki.clone(), true),
        ("P35", pki.replace(r#","subjectEmail":"e""#, ""), false),
        (
            "P35",
            format!("{},{log}", fulcio.replace(r#","subjectEmail":"e""#, "")),
            false,
        ),
        (
            "P36",
            format!("{},{log}", fulcio.replace("subjectEmail", "subjectURI")),
            false,
        ),
    ] {
        let text = format!(r#"{{"default":[{{"type":"sigstoreSigned",{members}}}]}}"#);
        assert_eq!(
            Policy::parse(text.as_bytes()).is_ok(),
            is_policy,
            "{id} {members}"
        );
    }
}

/// A10: a `.sig` tag of another type is not read.
fn a10_the_signature_manifest_has_one_type() {
    let mut memory = archive(&[signed(&good_payload(), 1)]);
    let tag = format!("sha256-{}.sig", Digest::of(&image()).hex());
    memory.manifests.get_mut(&tag).unwrap().1 =
        "application/vnd.docker.distribution.manifest.v2+json".into();
    let report = judge(&memory, &rules(ANY_TAG, &[public(&signer(1))]), NAME);
    assert_eq!(
        (report.finding.verdict, report.finding.code),
        (Verdict::Deny, "signature.manifest")
    );
}

/// Section 8: an index is a list; each image is judged by its own signatures, under the reference
/// that was asked for.
fn an_index_is_a_list() {
    let mut memory = archive(&[signed(&good_payload(), 1)]);
    let other = String::from_utf8(image())
        .unwrap()
        .replace(
            "\"layers\":[]",
            "\"layers\":[],\"annotations\":{\"a\":\"b\"}",
        )
        .into_bytes();
    let entry = |bytes: &[u8], architecture: &str| serde_json::json!({"mediaType": MANIFEST, "digest": Digest::of(bytes).to_string(), "size": bytes.len(), "platform": {"os": "linux", "architecture": architecture}});
    let index = serde_json::json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry(&image(), "amd64"), entry(&other, "arm64")]});
    memory
        .manifests
        .insert("1".into(), (index.to_string().into_bytes(), INDEX.into()));
    memory
        .manifests
        .insert(Digest::of(&image()).to_string(), (image(), MANIFEST.into()));
    memory
        .manifests
        .insert(Digest::of(&other).to_string(), (other, MANIFEST.into()));
    let rules = rules(ANY_TAG, &[public(&signer(1))]);
    let all = judge(&memory, &rules, NAME);
    assert_eq!(
        (all.finding.verdict, all.finding.code),
        (Verdict::Deny, "signature.missing")
    );
    assert_eq!(
        all.instances
            .iter()
            .map(|instance| instance.finding.verdict)
            .collect::<Vec<_>>(),
        [Verdict::Allow, Verdict::Deny]
    );
    assert_eq!(
        support::judge_platform(&memory, &rules, NAME, "linux/amd64")
            .finding
            .verdict,
        Verdict::Allow
    );
    assert_eq!(
        support::judge_platform(&memory, &rules, NAME, "linux/arm64")
            .finding
            .verdict,
        Verdict::Deny
    );
    assert_eq!(
        support::judge_platform(&memory, &rules, NAME, "linux/s390x")
            .finding
            .code,
        "index.platform"
    );
    // Without a policy: the index is unsigned, so every image must be signed.
    let key = Rules::keys(&[public(&signer(1)).into_bytes()]).unwrap();
    assert_eq!(judge(&memory, &key, NAME).finding.verdict, Verdict::Deny);
    assert_eq!(
        support::judge_platform(&memory, &key, NAME, "linux/amd64")
            .finding
            .verdict,
        Verdict::Allow
    );
}
