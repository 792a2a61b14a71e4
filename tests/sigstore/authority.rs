//! A certificate authority and certificate transparency logs of our own, for chains that no vector
//! has.

use crate::edit::encode;
use crate::forge::{self, ARTIFACT, Key, TIME};
use crate::vectors::{Vector, load_root};
use p521::ecdsa::signature::Signer as _;
use sealgate::internals::crypto::Hash;
use sealgate::internals::encoding::{hex, pem};
use sealgate::internals::sigstore::identity::Identity;
use sealgate::internals::sigstore::verify::{Artifact, Signer, Thresholds};
use serde_json::{Value, json};

pub(crate) const SUBJECT: &str = "someone@example.test";
pub(crate) const ISSUER: &str = "https://issuer.test";

pub(crate) fn der(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = match body.len() {
        n @ 0..128 => vec![u8::try_from(n).unwrap()],
        n @ 128..256 => vec![0x81, u8::try_from(n).unwrap()],
        n => vec![
            0x82,
            u8::try_from(n >> 8).unwrap(),
            u8::try_from(n & 255).unwrap(),
        ],
    };
    [&[tag][..], &length, body].concat()
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    der(0x30, &parts.concat())
}

fn oid(digits: &str) -> Vec<u8> {
    der::Encode::to_der(&der::asn1::ObjectIdentifier::new_unwrap(digits)).unwrap()
}

fn name(common: &str) -> Vec<u8> {
    sequence(&[der(
        0x31,
        &sequence(&[oid("2.5.4.3"), der(0x0c, common.as_bytes())]),
    )])
}

fn extension(id: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical {
        vec![1, 1, 0xff]
    } else {
        Vec::new()
    };
    sequence(&[oid(id), critical, der(4, value)])
}

/// A key that signs certificates.
pub(crate) enum Authority {
    P256(Key),
    P521(Box<p521::ecdsa::SigningKey>),
}

/// An authority, a signer's key that it certified, a log, who keeps its promise, and the certificate.
pub(crate) fn certified() -> (Authority, Key, Key, Key, Vec<u8>) {
    let (ca, key, log, promises) = (
        Authority::P256(Key::new(21)),
        Key::new(22),
        Key::new(23),
        Key::new(24),
    );
    let leaf = ca.leaf("ca", &key, |tbs| vec![ca.promise(&promises, tbs, 0)]);
    (ca, key, log, promises, leaf)
}

impl Authority {
    pub(crate) fn p521(seed: u8) -> Self {
        let mut scalar = [seed; 66];
        scalar[0] = 0;
        Self::P521(Box::new(
            p521::ecdsa::SigningKey::from_slice(&scalar).unwrap(),
        ))
    }

    fn spki(&self) -> Vec<u8> {
        match self {
            Self::P256(key) => key.spki(),
            Self::P521(key) => {
                let head = hex::decode(
                    "30819b301006072a8648ce3d020106052b81040023038186 00"
                        .replace(' ', "")
                        .as_str(),
                )
                .unwrap();
                [
                    head.as_slice(),
                    key.verifying_key().to_sec1_point(false).as_bytes(),
                ]
                .concat()
            }
        }
    }

    fn algorithm(&self) -> Vec<u8> {
        sequence(&[oid(if matches!(self, Self::P256(_)) {
            "1.2.840.10045.4.3.2"
        } else {
            "1.2.840.10045.4.3.4"
        })])
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(key) => key.sign(message),
            Self::P521(key) => {
                let signature: p521::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().into()
            }
        }
    }

    fn tbs(
        &self,
        serial: u8,
        issuer: &str,
        subject: &str,
        spki: &[u8],
        extensions: &[Vec<u8>],
    ) -> Vec<u8> {
        let validity = sequence(&[der(0x17, b"200101000000Z"), der(0x17, b"400101000000Z")]);
        sequence(&[
            der(0xa0, &[2, 1, 2]),
            der(2, &[serial]),
            self.algorithm(),
            name(issuer),
            validity,
            name(subject),
            spki.into(),
            der(0xa3, &sequence(extensions)),
        ])
    }

    fn issue(&self, tbs: &[u8]) -> Vec<u8> {
        sequence(&[
            tbs.into(),
            self.algorithm(),
            der(3, &[&[0][..], &self.sign(tbs)].concat()),
        ])
    }

    /// An authority of this name, certified by itself.
    pub(crate) fn certificate(&self, serial: u8, common: &str) -> Vec<u8> {
        let extensions = [
            extension("2.5.29.19", true, &[0x30, 3, 1, 1, 0xff]),
            extension("2.5.29.15", true, &[3, 2, 1, 6]),
        ];
        self.issue(&self.tbs(serial, common, common, &self.spki(), &extensions))
    }

    /// A signer's, by `issuer`, whose promises `promise` makes of the precertificate.
    pub(crate) fn leaf(
        &self,
        issuer: &str,
        key: &Key,
        promise: impl Fn(&[u8]) -> Vec<Vec<u8>>,
    ) -> Vec<u8> {
        let mut extensions = vec![
            extension("2.5.29.15", true, &[3, 2, 7, 0x80]),
            extension("2.5.29.37", false, &sequence(&[oid("1.3.6.1.5.5.7.3.3")])),
            extension(
                "2.5.29.17",
                true,
                &sequence(&[der(0x81, SUBJECT.as_bytes())]),
            ),
            extension(
                "1.3.6.1.4.1.57264.1.8",
                false,
                &der(0x0c, ISSUER.as_bytes()),
            ),
        ];
        let tbs = self.tbs(9, issuer, "", &key.spki(), &extensions);
        let list: Vec<u8> = promise(&tbs)
            .iter()
            .flat_map(|sct| [&length(sct)[..], sct].concat())
            .collect();
        extensions.push(extension(
            "1.3.6.1.4.1.11129.2.4.2",
            false,
            &der(4, &[&length(&list)[..], &list].concat()),
        ));
        self.issue(&self.tbs(9, issuer, "", &key.spki(), &extensions))
    }

    /// What `log` promises about a precertificate of this authority, `number` milliseconds late
    /// (RFC 6962 section 3.2).
    pub(crate) fn promise(&self, log: &Key, tbs: &[u8], number: u64) -> Vec<u8> {
        let time = (TIME * 1_000 + number).to_be_bytes();
        let size = u32::try_from(tbs.len()).unwrap().to_be_bytes();
        let signed = [
            &[0, 0][..],
            &time,
            &[0, 1],
            &Hash::Sha256.hash(&self.spki()),
            &size[1..],
            tbs,
            &[0, 0],
        ]
        .concat();
        let signature = log.sign(&signed);
        [
            &[0][..],
            &Hash::Sha256.hash(&log.spki()),
            &time,
            &[0, 0, 4, 3],
            &length(&signature),
            &signature,
        ]
        .concat()
    }
}

fn length(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).unwrap().to_be_bytes()
}

/// A root with one authority, one log of each kind.
pub(crate) fn root(authority: &Authority, log: &Key, promises: &Key) -> Value {
    let mut root = forge::root(&[log]);
    root["certificateAuthorities"] = json!([{
        "subject": {"organization": "ours", "commonName": "ca"}, "uri": "https://ca.test", "validFor": {"start": "2020-01-01T00:00:00Z"},
        "certChain": {"certificates": [{"rawBytes": encode(&authority.certificate(1, "ca"))}]},
    }]);
    root["ctlogs"] = forge::root(&[promises])["tlogs"].clone();
    root
}

/// A bundle of version 0.1 by a certificate, in the log.
pub(crate) fn bundle(key: &Key, leaf: &[u8], intermediates: &[Vec<u8>], log: &Key) -> Value {
    bundle_of(
        &forge::statement("https://example.com/p", &[forge::subject(ARTIFACT)]),
        key,
        leaf,
        intermediates,
        log,
    )
}

/// The same, that says this.
pub(crate) fn bundle_of(
    payload: &[u8],
    key: &Key,
    leaf: &[u8],
    intermediates: &[Vec<u8>],
    log: &Key,
) -> Value {
    let mut bundle = forge::bundle(key, payload, &[]);
    bundle["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.1");
    let chain: Vec<Value> = [leaf.to_vec()]
        .iter()
        .chain(intermediates)
        .map(|certificate| json!({"rawBytes": encode(certificate)}))
        .collect();
    bundle["verificationMaterial"] = json!({"x509CertificateChain": {"certificates": chain}, "tlogEntries": [forge::entry_by(log, 3, &pem::encode("CERTIFICATE", leaf), key, payload)]});
    bundle
}

pub(crate) fn vector(bundle: Value, root: Value) -> Vector {
    let trusted = load_root(&serde_json::to_vec(&root).unwrap()).unwrap();
    let signer = Signer::Identity(vec![Identity::exact(ISSUER, SUBJECT).unwrap()]);
    Vector {
        name: "ours".into(),
        bundle,
        root,
        trusted,
        artifact: Artifact::Bytes(ARTIFACT.into()),
        signer,
        thresholds: Thresholds::default(),
    }
}
