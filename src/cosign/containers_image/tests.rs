//! fixtures/containers-image/ by tools/fixtures/containers-image.mjs: certificates by OpenSSL,
//! whose leaves' key is known here. Log entries are made up on the spot. A chain is `leaf < int <
//! root` unless a row says otherwise. The C's and P's are the decision cases of
//! docs/containers-image.md section 10.

use super::*;
use crate::crypto::{RustCrypto, Step};
use crate::digest::sha256;
use crate::encoding::{base64, hex, pem};
use crate::time::UnixTime;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};
use p256::ecdsa::signature::Signer as _;
use serde_json::{Value, json};

extern crate std;

/// The seeds of the leaves' key, of two policy keys, and of Rekor's key.
const LEAF: u8 = 5;
const KEY: u8 = 1;
const OTHER_KEY: u8 = 2;
const REKOR: u8 = 11;
const ISSUER: &str = "https://accounts.example.com";
const EMAIL: &str = "me@example.com";

fn text(name: &str) -> String {
    std::fs::read_to_string(format!("fixtures/containers-image/{name}.pem")).unwrap()
}

fn cert(name: &str) -> Certificate {
    material::roots(text(name).as_bytes()).unwrap().remove(0)
}

fn certs(names: &[&str]) -> Vec<Certificate> {
    names.iter().map(|name| cert(name)).collect()
}

fn ecdsa(seed: u8) -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap()
}

fn public(seed: u8) -> PublicKey {
    let mut der = hex::decode("3059301306072a8648ce3d020106082a8648ce3d030107034200").unwrap();
    der.extend_from_slice(ecdsa(seed).verifying_key().to_sec1_point(false).as_bytes());
    PublicKey::from_spki_der(&der).unwrap()
}

fn sign(seed: u8, message: &[u8]) -> Vec<u8> {
    let signature: p256::ecdsa::DerSignature = ecdsa(seed).sign(message);
    signature.as_bytes().to_vec()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    match Box::pin(future)
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("RustCrypto answers at once"),
    }
}

fn payload(name: &str) -> String {
    let digest = "0".repeat(64);
    format!(
        r#"{{"critical":{{"identity":{{"docker-reference":"{name}"}},"image":{{"docker-manifest-digest":"sha256:{digest}"}},"type":"cosign container image signature"}},"optional":null}}"#
    )
}

/// A signature, and what an entry of the log says of it; each part can be altered alone.
#[derive(Clone)]
struct Case {
    payload: String,
    signature: Vec<u8>,
    certificate: Option<String>,
    chain: Option<String>,
    body: Value,
    entry: Value,
    /// Who signs the entry.
    log: u8,
    bundle: Option<String>,
}

impl Case {
    /// Signed by `seed`, logged with `verifier` in PEM.
    fn new(seed: u8, verifier: &str, time: i64) -> Self {
        let payload = payload("registry.example/app");
        let signature = sign(seed, payload.as_bytes());
        let body = json!({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {
            "data": {"hash": {"algorithm": "sha256", "value": hex::encode(&sha256(payload.as_bytes()))}},
            "signature": {"content": base64::encode(&signature), "publicKey": {"content": base64::encode(verifier.as_bytes())}},
        }});
        let entry = json!({"integratedTime": time, "logIndex": 7, "logID": hex::encode(&sha256(public(REKOR).spki_der()))});
        Self {
            payload,
            signature,
            certificate: None,
            chain: None,
            body,
            entry,
            log: REKOR,
            bundle: None,
        }
    }

    /// By a key.
    fn key() -> Self {
        Self::new(KEY, &public(KEY).to_pem(), 1_700_000_000)
    }

    /// By the holder of a certificate, in its first second.
    fn certificate(leaf: &str, chain: &[&str]) -> Self {
        let certificate = text(leaf);
        let mut case = Self::new(LEAF, &certificate, cert(leaf).not_before().0);
        case.certificate = Some(certificate);
        case.chain = Some(chain.iter().map(|name| text(name)).collect());
        case
    }

    fn with(mut self, pointer: &str, new: impl Into<Value>) -> Self {
        *self.body.pointer_mut(pointer).unwrap() = new.into();
        self
    }

    fn at(mut self, time: i64) -> Self {
        self.entry["integratedTime"] = time.into();
        self
    }

    /// The annotation, with Rekor's signature over the canonical form (members are sorted here).
    fn bundle(&self) -> String {
        self.bundle.clone().unwrap_or_else(|| {
            let mut payload = self.entry.clone();
            payload["body"] = base64::encode(self.body.to_string().as_bytes()).into();
            let set = base64::encode(&sign(self.log, payload.to_string().as_bytes()));
            json!({"SignedEntryTimestamp": set, "Payload": payload}).to_string()
        })
    }

    fn layer(&self) -> SignatureLayer {
        let mut annotations = vec![
            (SIGNATURE.to_string(), base64::encode(&self.signature)),
            (LOG_ENTRY.to_string(), self.bundle()),
        ];
        annotations.extend(
            self.certificate
                .clone()
                .map(|text| (CERTIFICATE.to_string(), text)),
        );
        annotations.extend(self.chain.clone().map(|text| (CHAIN.to_string(), text)));
        SignatureLayer {
            media_type: super::super::SIMPLE_SIGNING.into(),
            payload: self.payload.clone().into_bytes(),
            annotations,
        }
    }
}

fn with_set(case: &Case, set: &str) -> String {
    let mut bundle: Value = serde_json::from_str(&case.bundle()).unwrap();
    bundle["SignedEntryTimestamp"] = set.into();
    bundle.to_string()
}

fn verify(
    layer: &SignatureLayer,
    trust: &Trust<'_>,
    rekor: &[PublicKey],
) -> Result<Verified<ContainersImageSignature>, Refused> {
    block_on(layer.verify_as_containers_image(trust, rekor, &RustCrypto)).unwrap()
}

fn code(result: Result<Verified<ContainersImageSignature>, Refused>) -> &'static str {
    result.map_or_else(|refused| refused.failure.code, |_| "ok")
}

fn message(result: Result<Verified<ContainersImageSignature>, Refused>) -> String {
    result.map_or_else(|refused| refused.failure.message, |_| "ok".into())
}

fn by_key(case: &Case) -> &'static str {
    code(verify(
        &case.layer(),
        &Trust::Keys(&[public(OTHER_KEY), public(KEY)]),
        &[public(REKOR)],
    ))
}

fn fulcio(ca: &[Certificate]) -> Fulcio<'_> {
    Fulcio {
        ca,
        oidc_issuer: ISSUER,
        subject_email: EMAIL,
    }
}

fn by_fulcio(case: &Case) -> Result<Verified<ContainersImageSignature>, Refused> {
    verify(
        &case.layer(),
        &Trust::Fulcio(fulcio(&certs(&["root"]))),
        &[public(REKOR)],
    )
}

fn pki(
    leaf: &str,
    email: Option<&str>,
    host: Option<&str>,
) -> Result<Verified<ContainersImageSignature>, Refused> {
    let (roots, intermediates) = (certs(&["root"]), certs(&["int"]));
    let mut case = Case::certificate(leaf, &[]);
    case.bundle = Some("not looked at".into());
    let trust = Trust::Pki(Pki {
        roots: &roots,
        intermediates: &intermediates,
        subject_email: email,
        subject_hostname: host,
        now: cert(leaf).not_before(),
    });
    verify(&case.layer(), &trust, &[])
}

/// A time after the first one.
fn after(name: &str, seconds: i64) -> i64 {
    cert(name).not_before().0 + seconds
}

const DAY: i64 = 86_400;

#[test]
fn keys_with_a_log_say_how() {
    let verified = verify(
        &Case::key().layer(),
        &Trust::Keys(&[public(KEY)]),
        &[public(12), public(REKOR)],
    )
    .unwrap();
    let letter = verified.claim();
    assert_eq!(
        (
            letter.payload().docker_reference.as_str(),
            letter.certificate()
        ),
        ("registry.example/app", None)
    );
    assert_eq!(
        letter
            .logged()
            .map(|logged| (logged.time(), logged.log_index())),
        Some((UnixTime(1_700_000_000), 7))
    );
    let names: Vec<&str> = verified
        .steps()
        .iter()
        .map(|step| match step {
            Step::Rule(rule) => rule.name,
            Step::Settled(check, crate::crypto::Outcome::Holds) => check.role().name(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        names,
        [
            "signature.set",
            "set.entry",
            "log.no-time-demanded",
            "signature.cosign-payload",
            "payload.reads",
            "containers-image.one-layer"
        ]
    );
}

/// CVE-2022-23649 (cosign): the word of the log on another signature passed as one on this.
/// CVE-2026-22703 (cosign): an entry that had one part swapped passed too. Each entry is well
/// signed by the log.
#[test]
fn cve_2022_23649_and_2026_22703_with_keys() {
    let pem = |seed| base64::encode(public(seed).to_pem().as_bytes());
    let other = Case::new(KEY, &public(KEY).to_pem(), 1);
    let mut stolen = Case::key();
    stolen.payload = payload("registry.example/other");
    stolen.signature = sign(KEY, stolen.payload.as_bytes());
    for (what, case, expected) in [
        ("good", Case::key(), "ok"),
        (
            "the entry of another signature",
            stolen,
            "containers-image.logged-key",
        ),
        (
            "another digest",
            Case::key().with("/spec/data/hash/value", "0".repeat(64)),
            "containers-image.logged-key",
        ),
        (
            "another algorithm",
            Case::key().with("/spec/data/hash/algorithm", "sha512"),
            "containers-image.logged-key",
        ),
        (
            "another key of the rule",
            Case::key().with("/spec/signature/publicKey/content", pem(OTHER_KEY)),
            "signature.invalid",
        ),
        (
            "a key of nobody",
            Case::key().with("/spec/signature/publicKey/content", pem(3)),
            "containers-image.logged-key",
        ),
        (
            "a certificate",
            Case::key().with(
                "/spec/signature/publicKey/content",
                base64::encode(text("leaf").as_bytes()),
            ),
            "containers-image.logged-key",
        ),
        (
            "two keys",
            Case::key().with(
                "/spec/signature/publicKey/content",
                base64::encode((public(KEY).to_pem() + &public(3).to_pem()).as_bytes()),
            ),
            "containers-image.logged-key",
        ),
        (
            "another signature",
            Case::key().with(
                "/spec/signature/content",
                base64::encode(&sign(KEY, b"other")),
            ),
            "containers-image.logged-key",
        ),
        (
            "another kind",
            Case::key().with("/kind", "rekord"),
            "containers-image.logged-key",
        ),
        (
            "another version",
            Case::key().with("/apiVersion", "0.0.2"),
            "containers-image.logged-key",
        ),
        (
            "an entry without keys",
            Case::key().with("/spec/signature/publicKey", Value::Null),
            "containers-image.logged-key",
        ),
        ("the same, logged at another time", other, "ok"),
        (
            "C14: the log is another",
            Case {
                log: 12,
                ..Case::key()
            },
            "containers-image.logged-key",
        ),
        (
            "C12: an empty bundle",
            Case {
                bundle: Some(String::new()),
                ..Case::key()
            },
            "containers-image.logged-key",
        ),
        (
            "no bundle at all",
            Case {
                bundle: Some("{}".into()),
                ..Case::key()
            },
            "containers-image.logged-key",
        ),
        (
            "no SET",
            Case {
                bundle: Some(
                    Case::key()
                        .bundle()
                        .replace("SignedEntryTimestamp", "signedEntryTimestamp"),
                ),
                ..Case::key()
            },
            "containers-image.logged-key",
        ),
        (
            "C17: the time altered",
            Case {
                bundle: Some(Case::key().bundle().replace("1700000000", "1700000001")),
                ..Case::key()
            },
            "containers-image.logged-key",
        ),
        (
            "C16: the time with a fraction",
            Case {
                bundle: Some(Case::key().bundle().replace("1700000000", "1700000000.0")),
                ..Case::key()
            },
            "ok",
        ),
        (
            "the signature is another",
            Case {
                signature: sign(KEY, b"other"),
                ..Case::key()
            },
            "containers-image.logged-key",
        ),
    ] {
        assert_eq!(by_key(&case), expected, "{what}");
    }
}

/// The entry tells which of the rule's keys must have signed: no other may take its place (section
/// 2.4).
#[test]
fn only_the_logged_key_counts() {
    let mut case = Case::new(KEY, &public(OTHER_KEY).to_pem(), 1);
    assert_eq!(by_key(&case), "signature.invalid");
    case = Case::new(OTHER_KEY, &public(OTHER_KEY).to_pem(), 1);
    assert_eq!(by_key(&case), "ok");
}

#[test]
fn what_people_search_for() {
    let keys = [public(KEY)];
    let key = |case: &Case, rekor: u8| {
        message(verify(&case.layer(), &Trust::Keys(&keys), &[public(rekor)]))
    };
    assert!(key(&Case::key(), 12).starts_with(
        "No public key verified against the RekorSET: cryptographic signature verification of \
         Rekor SET failed"
    ));
    let mut layer = Case::key().layer();
    layer.annotations.retain(|(key, _)| key != LOG_ENTRY);
    assert!(
        message(verify(&layer, &Trust::Keys(&keys), &[public(REKOR)]))
            .starts_with("missing dev.sigstore.cosign/bundle annotation")
    );
    let with = |names: &[&str], issuer: &str, email: &str| {
        let ca = certs(names);
        let trust = Trust::Fulcio(Fulcio {
            ca: &ca,
            oidc_issuer: issuer,
            subject_email: email,
        });
        message(verify(
            &Case::certificate("leaf", &["int", "root"]).layer(),
            &trust,
            &[public(REKOR)],
        ))
    };
    assert_eq!(with(&["root"], ISSUER, EMAIL), "ok");
    assert!(with(&["other-root"], ISSUER, EMAIL).starts_with("veryfing leaf certificate failed: "));
    assert!(
        with(&["root"], "https://accounts.example.org", EMAIL)
            .starts_with("Unexpected Fulcio OIDC issuer ")
    );
    assert!(
        with(&["root"], "https://accounts.example.com/", EMAIL)
            .starts_with("Unexpected Fulcio OIDC issuer \"https://accounts.example.com\"")
    );
    assert!(
        with(&["root"], ISSUER, "Me@example.com")
            .starts_with("Required email \"Me@example.com\" not found (got [\"me@example.com\"])")
    );
    assert!(
        message(pki("leaf-host", None, Some("other.example.com")))
            .starts_with("Unexpected subject hostname: ")
    );
}

#[test]
fn fulcio_says_how() {
    let verified = by_fulcio(&Case::certificate("leaf", &["int", "root"])).unwrap();
    assert_eq!(verified.claim().certificate(), Some(&cert("leaf")));
    assert_eq!(
        verified.claim().logged().map(IntegratedTime::time),
        Some(cert("leaf").not_before())
    );
    let rules: Vec<&str> = verified
        .steps()
        .iter()
        .filter_map(|step| {
            if let Step::Rule(rule) = step {
                Some(rule.name)
            } else {
                None
            }
        })
        .collect();
    for name in [
        "set.entry",
        "certificate.validity",
        "certificate.authority",
        "fulcio.issuer",
        "certificate.email",
        "certificate.logged",
        "containers-image.one-layer",
    ] {
        assert!(rules.contains(&name), "{name}: {rules:?}");
    }
}

/// Leaves under `fulcio`: which certificate is one, and whom it names.
#[test]
fn leaves() {
    for (leaf, expected) in [
        ("leaf", "ok"),
        // Section 2.4: some address matches, whatever other names there are.
        ("leaf-two-names", "ok"),
        ("leaf-host", "ok"),
        ("leaf-uri", "containers-image.email"),
        ("leaf-subject-email", "containers-image.email"),
        ("leaf-user-name", "containers-image.email"),
        ("leaf-old-issuer", "ok"),
        ("leaf-new-issuer", "ok"),
        ("leaf-printable-issuer", "ok"),
        ("leaf-issuers-differ", "x509.issuers-differ"),
        ("leaf-no-issuer", "containers-image.issuer-missing"),
        ("leaf-raw-new-issuer", "x509.claim"),
        // Go's rules: no purpose is any purpose; usage and constraints of a leaf are nobody's
        // business.
        ("leaf-no-purpose", "ok"),
        ("leaf-any-purpose", "ok"),
        ("leaf-other-purpose", "x509.ext-key-usage"),
        ("leaf-other-usage", "ok"),
        ("leaf-ca", "ok"),
        ("leaf-policies", "ok"),
        ("leaf-critical", "x509.critical-extension"),
        ("leaf-stranger", "x509.unknown-issuer"),
        ("leaf-self", "x509.unknown-issuer"),
    ] {
        let case = Case::certificate(leaf, &["int", "root"]);
        let expected = if leaf == "leaf-stranger" {
            "signature.invalid"
        } else {
            expected
        };
        assert_eq!(code(by_fulcio(&case)), expected, "{leaf}");
    }
}

/// C19 and around: the last of the chain is left out, and nothing in it is trusted.
#[test]
fn chains_that_come_along() {
    for (leaf, chain, roots, expected) in [
        ("leaf", &["int", "root"][..], &["root"][..], "ok"),
        ("leaf", &["int"], &["root"], "x509.unknown-issuer"),
        ("leaf", &[], &["root"], "x509.unknown-issuer"),
        ("leaf", &["root", "int"], &["root"], "x509.unknown-issuer"),
        ("leaf", &["int", "other-root"], &["root"], "ok"),
        ("leaf", &[], &["int"], "ok"),
        (
            "leaf",
            &["int", "root"],
            &["other-root"],
            "signature.invalid",
        ),
        ("leaf", &["int", "root"], &["other-root", "root"], "ok"),
        ("leaf", &["int-stranger", "int", "root"], &["root"], "ok"),
        ("leaf-root", &[], &["root"], "ok"),
        // A certificate that the rule itself names need be no authority, if nobody else issued it.
        ("leaf-self", &[], &["leaf-self"], "ok"),
        ("leaf-self", &[], &["root", "leaf-self"], "ok"),
        ("leaf", &[], &["leaf"], "x509.unknown-issuer"),
        ("leaf-self", &[], &["leaf"], "x509.unknown-issuer"),
        (
            "leaf-stranger",
            &["int-stranger", "other-root"],
            &["root"],
            "signature.invalid",
        ),
        (
            "leaf-stranger",
            &["int-stranger", "other-root"],
            &["root", "other-root"],
            "ok",
        ),
        ("leaf", &["int-policies", "root"], &["root"], "ok"),
        (
            "leaf",
            &[
                "leaf", "leaf", "leaf", "leaf", "leaf", "leaf", "leaf", "leaf", "leaf", "int",
                "root",
            ],
            &["root"],
            "containers-image.too-many",
        ),
    ] {
        let ca = certs(roots);
        let found = code(verify(
            &Case::certificate(leaf, chain).layer(),
            &Trust::Fulcio(fulcio(&ca)),
            &[public(REKOR)],
        ));
        assert_eq!(found, expected, "{leaf} {chain:?} {roots:?}");
    }
}

/// C15: the log's time decides, at every certificate, ends included; never now.
#[test]
fn times() {
    let end = cert("leaf").not_after().0;
    for (time, expected) in [
        (after("leaf", 0), "ok"),
        (after("leaf", -1), "x509.not-yet-valid"),
        (end, "ok"),
        (end + 1, "x509.expired"),
        (0, "x509.not-yet-valid"),
        (4_102_444_800, "x509.expired"),
    ] {
        assert_eq!(
            code(by_fulcio(
                &Case::certificate("leaf", &["int", "root"]).at(time)
            )),
            expected,
            "{time}"
        );
    }
    // CVE-2026-24122 (cosign): of intermediates too.
    let short = cert("int-short").not_after().0;
    for (time, expected) in [
        (short, "ok"),
        (short + 1, "x509.expired"),
        (after("leaf", DAY + 60), "x509.expired"),
    ] {
        assert_eq!(
            code(by_fulcio(
                &Case::certificate("leaf", &["int-short", "root"]).at(time)
            )),
            expected,
            "{time}"
        );
    }
}

/// CVE-2022-23649 and CVE-2026-22703 with certificates.
#[test]
fn entries_of_other_certificates() {
    let good = || Case::certificate("leaf", &["int", "root"]);
    let pem = |name: &str| base64::encode(text(name).as_bytes());
    let mut stolen = good();
    stolen.payload = payload("registry.example/other");
    stolen.signature = sign(LEAF, stolen.payload.as_bytes());
    for (what, case, expected) in [
        ("good", good(), "ok"),
        ("the entry of another signature", stolen, "log-body.digest"),
        (
            "another digest",
            good().with("/spec/data/hash/value", "0".repeat(64)),
            "log-body.digest",
        ),
        (
            "another algorithm",
            good().with("/spec/data/hash/algorithm", "sha512"),
            "log-entry.shape",
        ),
        (
            "another certificate of the same key",
            good().with("/spec/signature/publicKey/content", pem("leaf-two-names")),
            "log-body.verifier",
        ),
        (
            "the certificate's key alone",
            good().with(
                "/spec/signature/publicKey/content",
                base64::encode(public(LEAF).to_pem().as_bytes()),
            ),
            "log-body.verifier",
        ),
        (
            "another signature",
            good().with(
                "/spec/signature/content",
                base64::encode(&sign(LEAF, b"other")),
            ),
            "log-body.signature",
        ),
        (
            "another kind",
            good().with("/kind", "rekord"),
            "log-body.kind",
        ),
        (
            "a kind for envelopes",
            good().with("/kind", "intoto"),
            "log-entry.shape",
        ),
        (
            "the log is another",
            Case { log: 12, ..good() },
            "containers-image.set",
        ),
        (
            "garbage",
            Case {
                bundle: Some("garbage".into()),
                ..good()
            },
            "log-entry.json",
        ),
        (
            "the time altered",
            Case {
                bundle: Some(good().bundle().replacen(
                    &cert("leaf").not_before().0.to_string(),
                    "1",
                    1,
                )),
                ..good()
            },
            "containers-image.set",
        ),
        (
            "a SET that is no signature",
            Case {
                bundle: Some(with_set(&good(), "AAAA")),
                ..good()
            },
            "containers-image.set",
        ),
        (
            "a SET of nothing",
            Case {
                bundle: Some(with_set(&good(), "")),
                ..good()
            },
            "log-entry.shape",
        ),
        // C18.
        (
            "the certificate's label changed",
            Case {
                certificate: Some(text("leaf").replace("CERTIFICATE", "X")),
                ..good()
            },
            "ok",
        ),
        (
            "a blank line after the certificate",
            Case {
                certificate: Some(text("leaf") + "\n"),
                ..good()
            },
            "containers-image.certificate-pem",
        ),
        (
            "text before the certificate",
            Case {
                certificate: Some("text\n".to_string() + &text("leaf")),
                ..good()
            },
            "ok",
        ),
        (
            "another certificate before it, indented",
            Case {
                certificate: Some(" ".to_string() + &text("leaf-two-names") + &text("leaf")),
                ..good()
            },
            "containers-image.leaf",
        ),
        (
            "the certificate twice",
            Case {
                certificate: Some(text("leaf") + &text("leaf")),
                ..good()
            },
            "containers-image.certificate-pem",
        ),
        (
            "no PEM",
            Case {
                certificate: Some("garbage".into()),
                ..good()
            },
            "containers-image.certificate-pem",
        ),
        (
            "no certificate",
            Case {
                certificate: None,
                ..good()
            },
            "containers-image.annotation",
        ),
        (
            "a chain that is no PEM",
            Case {
                chain: Some("garbage".into()),
                ..good()
            },
            "containers-image.pem",
        ),
        (
            "a chain with a block that is no certificate",
            Case {
                chain: Some(text("int") + &pem::encode("CERTIFICATE", b"x") + &text("root")),
                ..good()
            },
            "x509.der",
        ),
        (
            "a chain with garbage after it",
            Case {
                chain: Some(text("int") + &text("root") + "garbage"),
                ..good()
            },
            "containers-image.pem",
        ),
        (
            "a chain with space around it",
            Case {
                chain: Some("\n ".to_string() + &text("int") + "\n" + &text("root") + "\n\n"),
                ..good()
            },
            "ok",
        ),
        (
            "an endless chain",
            Case {
                chain: Some(" ".repeat(crate::limits::CHAIN_TEXT + 1)),
                ..good()
            },
            "containers-image.too-large",
        ),
        (
            "another key signed",
            Case {
                signature: sign(KEY, payload("registry.example/app").as_bytes()),
                ..good()
            },
            "log-body.signature",
        ),
    ] {
        assert_eq!(code(by_fulcio(&case)), expected, "{what}");
    }
    let forged = sign(KEY, payload("registry.example/app").as_bytes());
    let forged = Case {
        signature: forged.clone(),
        ..good().with("/spec/signature/content", base64::encode(&forged))
    };
    assert_eq!(code(by_fulcio(&forged)), "signature.invalid");
}

#[test]
fn combinations_that_prove_nothing() {
    let layer = Case::certificate("leaf", &["int", "root"]).layer();
    let ca = certs(&["root"]);
    assert_eq!(
        code(verify(&layer, &Trust::Fulcio(fulcio(&ca)), &[])),
        "containers-image.rekor-missing"
    );
    assert_eq!(
        code(verify(
            &layer,
            &Trust::Fulcio(fulcio(&[])),
            &[public(REKOR)]
        )),
        "x509.unknown-issuer"
    );
    let trust = |email, host| {
        Trust::Pki(Pki {
            roots: &ca,
            intermediates: &[],
            subject_email: email,
            subject_hostname: host,
            now: cert("leaf").not_before(),
        })
    };
    assert_eq!(
        code(verify(&layer, &trust(Some(EMAIL), None), &[public(REKOR)])),
        "containers-image.rekor-for-pki"
    );
    assert_eq!(code(verify(&layer, &trust(Some(EMAIL), None), &[])), "ok");
    assert_eq!(
        code(verify(&layer, &trust(None, None), &[])),
        "containers-image.email"
    );
    assert_eq!(
        code(verify(&layer, &Trust::Keys(&[]), &[public(REKOR)])),
        "containers-image.logged-key"
    );
    assert_eq!(code(verify(&layer, &Trust::Keys(&[]), &[])), "key.none");
    // C13: without a key of Rekor nobody looks at the bundle.
    assert_eq!(
        code(verify(
            &Case {
                bundle: Some("garbage".into()),
                ..Case::key()
            }
            .layer(),
            &Trust::Keys(&[public(KEY)]),
            &[]
        )),
        "ok"
    );
    for (media_type, remove, expected) in [
        ("text/plain", "", "cosign.media-type"),
        (super::super::SIMPLE_SIGNING, SIGNATURE, "cosign.annotation"),
        (
            super::super::SIMPLE_SIGNING,
            LOG_ENTRY,
            "containers-image.annotation",
        ),
    ] {
        let mut layer = SignatureLayer {
            media_type: media_type.into(),
            ..layer.clone()
        };
        layer.annotations.retain(|(key, _)| key != remove);
        assert_eq!(
            code(verify(
                &layer,
                &Trust::Fulcio(fulcio(&ca)),
                &[public(REKOR)]
            )),
            expected
        );
    }
}

/// Section 2.4, `pki`: what is given of the subject must match, both when both are.
#[test]
fn subjects_of_pki() {
    for (email, host, expected) in [
        (Some(EMAIL), None, "ok"),
        (None, Some("host.example.com"), "ok"),
        (Some(EMAIL), Some("host.example.com"), "ok"),
        (None, Some("HOST.example.com."), "ok"),
        (None, Some("a.wild.example.com"), "ok"),
        (
            None,
            Some("a.b.wild.example.com"),
            "containers-image.hostname",
        ),
        (None, Some("wild.example.com"), "containers-image.hostname"),
        (None, Some("192.0.2.1"), "ok"),
        (None, Some("[192.0.2.1]"), "ok"),
        (None, Some("::ffff:192.0.2.1"), "ok"),
        (None, Some("192.0.2.2"), "containers-image.hostname"),
        (
            Some("other@example.com"),
            Some("host.example.com"),
            "containers-image.email",
        ),
        (
            Some(EMAIL),
            Some("other.example.com"),
            "containers-image.hostname",
        ),
        // Each is compared with names of its own type.
        (Some("host.example.com"), None, "containers-image.email"),
        (None, Some(EMAIL), "containers-image.hostname"),
        (None, Some("leaf"), "containers-image.hostname"),
    ] {
        assert_eq!(
            code(pki("leaf-host", email, host)),
            expected,
            "{email:?} {host:?}"
        );
    }
    // A certificate without hosts.
    assert_eq!(
        code(pki("leaf", None, Some("host.example.com"))),
        "containers-image.hostname"
    );
    // No issuer of identities is asked for.
    assert_eq!(code(pki("leaf-no-issuer", Some(EMAIL), None)), "ok");
}

/// C22, and the whole chain is valid now.
#[test]
fn pki_is_judged_now() {
    let roots = certs(&["root"]);
    let at = |now: i64, intermediates: &[Certificate], chain: &[&str]| {
        let pki = Pki {
            roots: &roots,
            intermediates,
            subject_email: Some(EMAIL),
            subject_hostname: None,
            now: UnixTime(now),
        };
        code(verify(
            &Case::certificate("leaf", chain).layer(),
            &Trust::Pki(pki),
            &[],
        ))
    };
    let (int, short) = (certs(&["int"]), certs(&["int-short"]));
    let end = cert("leaf").not_after().0;
    assert_eq!(at(end, &int, &[]), "ok");
    assert_eq!(at(end + 1, &int, &[]), "x509.expired");
    assert_eq!(at(after("leaf", -1), &int, &[]), "x509.not-yet-valid");
    assert_eq!(at(end, &short, &[]), "x509.expired");
    assert_eq!(at(end, &short, &["int", "root"]), "ok");
    assert_eq!(at(end, &[], &["int", "root"]), "ok");
    assert_eq!(at(end, &[], &["int"]), "x509.unknown-issuer");
    // A policy may name more certificates than a search may look at.
    let many: Vec<Certificate> = [
        "leaf-ca",
        "leaf-self",
        "root",
        "other-root",
        "int-stranger",
        "leaf",
        "leaf-host",
        "leaf-uri",
        "leaf-critical",
        "leaf-policies",
        "leaf-root",
        "int",
    ]
    .map(cert)
    .into();
    assert_eq!(at(end, &many, &[]), "ok");
    let mut layer = Case::certificate("leaf", &[]).layer();
    layer.annotations.retain(|(key, _)| key != CERTIFICATE);
    let pki = Pki {
        roots: &roots,
        intermediates: &int,
        subject_email: Some(EMAIL),
        subject_hostname: None,
        now: UnixTime(end),
    };
    assert_eq!(
        code(verify(&layer, &Trust::Pki(pki), &[])),
        "containers-image.annotation"
    );
}

/// Section 2.2, key material.
#[test]
fn files_of_a_policy() {
    let roots = |text: &str| {
        material::roots(text.as_bytes()).map_or_else(
            |error| Err(crate::error::Coded::code(&error)),
            |roots| Ok(roots.len()),
        )
    };
    let broken = pem::encode("CERTIFICATE", b"x");
    let root = text("root");
    for (what, text, expected) in [
        ("one", root.clone(), Ok(1)),
        (
            "two, with text between them",
            root.clone() + "text\n" + &text("int"),
            Ok(2),
        ),
        ("one twice", root.clone() + &root, Ok(1)),
        (
            "an unparsable one beside it",
            broken.clone() + &root + &broken,
            Ok(1),
        ),
        ("a key beside it", public(KEY).to_pem() + &root, Ok(1)),
        (
            "only an unparsable one",
            broken.clone(),
            Err("containers-image.no-authority"),
        ),
        (
            "nothing",
            String::new(),
            Err("containers-image.no-authority"),
        ),
        (
            "no PEM",
            "garbage".into(),
            Err("containers-image.no-authority"),
        ),
        (
            "another label",
            root.replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
            Err("containers-image.no-authority"),
        ),
        (
            "headers",
            root.replacen('\n', "\nName: value\n\n", 1),
            Err("containers-image.no-authority"),
        ),
        (
            "too many",
            broken.repeat(crate::limits::AUTHORITIES + 1),
            Err("containers-image.too-many"),
        ),
        (
            "too large",
            " ".repeat(crate::limits::KEY_FILE + 1),
            Err("containers-image.too-large"),
        ),
    ] {
        assert_eq!(roots(&text), expected, "{what}");
    }
    let intermediates = |text: &str| {
        material::intermediates(text.as_bytes())
            .map_or_else(|failure| Err(failure.code), |found| Ok(found.len()))
    };
    for (what, text, expected) in [
        ("none", String::new(), Ok(0)),
        ("one", text("int"), Ok(1)),
        (
            "two, another label",
            text("int") + &root.replace("CERTIFICATE", "X"),
            Ok(2),
        ),
        (
            "an unparsable one beside it",
            text("int") + &broken,
            Err("x509.der"),
        ),
        (
            "garbage after it",
            text("int") + "garbage",
            Err("containers-image.pem"),
        ),
        ("garbage", "garbage".into(), Err("containers-image.pem")),
    ] {
        assert_eq!(intermediates(&text), expected, "{what}");
    }
    let (good, rsa) = (
        public(REKOR).to_pem(),
        std::fs::read_to_string("fixtures/cosign/rsa-2048-signature/key.pub").unwrap(),
    );
    let keys = |files: &[&str]| {
        material::rekor_keys(&files.iter().map(|file| file.as_bytes()).collect::<Vec<_>>())
    };
    assert_eq!(keys(&[&good]).unwrap(), [public(REKOR)]);
    // C21, and all keys must be of use.
    let refused = keys(&[&good, &rsa]).unwrap_err();
    assert_eq!(refused.code, "containers-image.rekor-key");
    assert!(
        refused
            .message
            .starts_with("Rekor public key 2 is not using ECDSA"),
        "{}",
        refused.message
    );
    assert_eq!(keys(&[&good, "garbage"]).unwrap_err().code, "key.pem");
}
