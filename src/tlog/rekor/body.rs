//! What an entry's body says, of whatever kind it is, and its comparison with the signature that it
//! is to speak for.
//!
//! This comparison is the heart: each field that is left out makes room for an entry that was
//! logged for something else (CVE-2022-23649, CVE-2026-22703, CVE-2024-53267). Bytes are compared,
//! never what they might mean.

use crate::crypto::{Curve, Hash, KeyKind, PublicKey};
use crate::tlog::error::{TlogError, shown};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The signature that an entry is to be about, from the evidence beside it.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The signature, as the evidence has it.
    pub signature: &'a [u8],
    /// What verifies it.
    pub verifier: Verifier<'a>,
    /// What it is over.
    pub content: Content<'a>,
}

/// What verifies the signature.
#[derive(Debug, Clone, Copy)]
pub enum Verifier<'a> {
    /// A certificate, DER.
    Certificate(&'a [u8]),
    /// A key.
    Key(&'a PublicKey),
}

/// What the signature is over.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// A message, by its digest: of the algorithm by which the signature is verified.
    MessageDigest(Hash, &'a [u8]),
    /// A DSSE envelope.
    Dsse {
        /// The payload, decoded.
        payload: &'a [u8],
        /// Its type.
        payload_type: &'a str,
        /// All signatures of the envelope, decoded.
        signatures: &'a [&'a [u8]],
        /// The envelope's own bytes, where the evidence has them: payload, type and signatures
        /// were read from these.
        envelope: Option<&'a [u8]>,
    },
}

/// What an entry says.
pub(super) struct Body {
    pub covers: Covers,
    pub hash: Hash,
    pub digest: Vec<u8>,
    pub payload_type: Option<String>,
    pub signatures: Vec<LoggedSignature>,
}

/// Of what an entry's digest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Covers {
    /// A message (hashedrekord 0.0.1).
    Message,
    /// An envelope's payload (dsse, intoto 0.0.2).
    Payload,
    /// An envelope's bytes (intoto 0.0.1).
    Envelope,
    /// The bytes that were signed: a message, or an envelope's pre-authentication encoding
    /// (hashedrekord 0.0.2).
    Signed,
}

/// One signature of an entry.
pub(super) struct LoggedSignature {
    pub signature: Vec<u8>,
    pub verifier: LoggedVerifier,
}

/// What an entry says that its signature is verified by.
pub(super) enum LoggedVerifier {
    /// Certificate or key, by their PEM; the DER tells which it is.
    Pem(Vec<u8>),
    /// A certificate, with the stated details of its key.
    Certificate(Vec<u8>, KeyDetails),
    /// A key, with its stated details.
    Key(Vec<u8>, KeyDetails),
}

/// `PublicKeyDetails` of sigstore/protobuf-specs (`sigstore_common.proto`), those that sign log
/// entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyDetails {
    pub name: &'static str,
    key: KeyKind,
    /// The digest that the scheme signs; none for Ed25519, which signs the message.
    hash: Option<Hash>,
}

const DETAILS: [KeyDetails; 10] = [
    KeyDetails {
        name: "PKIX_ECDSA_P256_SHA_256",
        key: KeyKind::Ecdsa(Curve::P256),
        hash: Some(Hash::Sha256),
    },
    KeyDetails {
        name: "PKIX_ECDSA_P384_SHA_384",
        key: KeyKind::Ecdsa(Curve::P384),
        hash: Some(Hash::Sha384),
    },
    KeyDetails {
        name: "PKIX_ECDSA_P521_SHA_512",
        key: KeyKind::Ecdsa(Curve::P521),
        hash: Some(Hash::Sha512),
    },
    KeyDetails {
        name: "PKIX_ECDSA_P384_SHA_256",
        key: KeyKind::Ecdsa(Curve::P384),
        hash: Some(Hash::Sha256),
    },
    KeyDetails {
        name: "PKIX_ECDSA_P521_SHA_256",
        key: KeyKind::Ecdsa(Curve::P521),
        hash: Some(Hash::Sha256),
    },
    KeyDetails {
        name: "PKIX_ED25519",
        key: KeyKind::Ed25519,
        hash: None,
    },
    KeyDetails {
        name: "PKIX_ED25519_PH",
        key: KeyKind::Ed25519,
        hash: Some(Hash::Sha512),
    },
    KeyDetails {
        name: "PKIX_RSA_PKCS1V15_2048_SHA256",
        key: KeyKind::Rsa(2048),
        hash: Some(Hash::Sha256),
    },
    KeyDetails {
        name: "PKIX_RSA_PKCS1V15_3072_SHA256",
        key: KeyKind::Rsa(3072),
        hash: Some(Hash::Sha256),
    },
    KeyDetails {
        name: "PKIX_RSA_PKCS1V15_4096_SHA256",
        key: KeyKind::Rsa(4096),
        hash: Some(Hash::Sha256),
    },
];

impl KeyDetails {
    pub(super) fn parse(name: &str) -> Result<Self, TlogError> {
        DETAILS
            .into_iter()
            .find(|details| details.name == name)
            .ok_or_else(|| TlogError::KeyDetails { found: shown(name) })
    }
}

impl Body {
    /// `kind` is for messages.
    pub(super) fn check(&self, expected: &Expected<'_>, kind: &str) -> Result<(), TlogError> {
        self.check_content(&expected.content, kind)?;
        self.check_payload_type(&expected.content)?;
        self.check_signatures(expected)?;
        self.check_verifier(expected)
    }

    /// The digest is of what was signed, and of the right part of it.
    fn check_content(&self, content: &Content<'_>, kind: &str) -> Result<(), TlogError> {
        let digest = match (content, self.covers) {
            (Content::MessageDigest(hash, digest), Covers::Message | Covers::Signed)
                if *hash == self.hash =>
            {
                digest.to_vec()
            }
            (Content::MessageDigest(..), Covers::Message | Covers::Signed) => {
                return Err(TlogError::Algorithm {
                    found: self.hash.name().into(),
                });
            }
            (Content::Dsse { payload, .. }, Covers::Payload) => self.hash.hash(payload),
            (
                Content::Dsse {
                    payload,
                    payload_type,
                    ..
                },
                Covers::Signed,
            ) => self.hash.hash(&pae(payload_type, payload)),
            (
                Content::Dsse {
                    envelope: Some(envelope),
                    ..
                },
                Covers::Envelope,
            ) => self.hash.hash(envelope),
            (Content::MessageDigest(..), Covers::Payload | Covers::Envelope)
            | (Content::Dsse { .. }, Covers::Message | Covers::Envelope) => {
                return Err(TlogError::Kind { found: kind.into() });
            }
        };
        if digest == self.digest {
            Ok(())
        } else {
            Err(TlogError::Digest)
        }
    }

    fn check_payload_type(&self, content: &Content<'_>) -> Result<(), TlogError> {
        match (&self.payload_type, content) {
            (Some(found), Content::Dsse { payload_type, .. }) if found != payload_type => {
                Err(TlogError::PayloadType {
                    found: shown(found),
                })
            }
            _ => Ok(()),
        }
    }

    /// The same signatures: none missing, none more. Under hashedrekord it is the one; an
    /// envelope's hash covers them.
    fn check_signatures(&self, expected: &Expected<'_>) -> Result<(), TlogError> {
        if self.covers == Covers::Envelope {
            return Ok(());
        }
        let mut wanted: Vec<&[u8]> = match (&expected.content, self.covers) {
            (Content::Dsse { signatures, .. }, Covers::Payload) => signatures.to_vec(),
            _ => Vec::from([expected.signature]),
        };
        let mut found: Vec<&[u8]> = self
            .signatures
            .iter()
            .map(|logged| logged.signature.as_slice())
            .collect();
        if wanted.len() != found.len() {
            return Err(TlogError::Signatures {
                expected: wanted.len(),
                found: found.len(),
            });
        }
        wanted.sort_unstable();
        found.sort_unstable();
        if wanted == found {
            Ok(())
        } else {
            Err(TlogError::Signature)
        }
    }

    /// The signature that counts was logged with what verifies it.
    fn check_verifier(&self, expected: &Expected<'_>) -> Result<(), TlogError> {
        let of_envelope = self.covers == Covers::Envelope;
        let mut logged = self
            .signatures
            .iter()
            .filter(|logged| of_envelope || logged.signature == expected.signature)
            .peekable();
        if logged.peek().is_none() {
            return Err(TlogError::Signature);
        }
        logged.try_for_each(|logged| logged.verifier.check(&expected.verifier, self))
    }
}

impl LoggedVerifier {
    fn check(&self, expected: &Verifier<'_>, body: &Body) -> Result<(), TlogError> {
        let (same, details) = match (self, expected) {
            (Self::Pem(der), Verifier::Certificate(expected)) => (der == expected, None),
            (Self::Pem(der), Verifier::Key(key)) => (der == key.spki_der(), None),
            (Self::Certificate(der, details), Verifier::Certificate(expected)) => {
                (der == expected, Some(details))
            }
            (Self::Key(der, details), Verifier::Key(key)) => (der == key.spki_der(), Some(details)),
            (Self::Certificate(..), Verifier::Key(_))
            | (Self::Key(..), Verifier::Certificate(_)) => (false, None),
        };
        if !same {
            return Err(TlogError::Verifier);
        }
        // A certificate's key is its reader's to look at; the digest of what was signed is ours.
        let fits = details.is_none_or(|details| {
            let key = match expected {
                Verifier::Key(key) => key.kind() == details.key,
                Verifier::Certificate(_) => true,
            };
            key && (body.covers != Covers::Signed || details.hash == Some(body.hash))
        });
        match details {
            Some(details) if !fits => Err(TlogError::KeyDetails {
                found: details.name.into(),
            }),
            _ => Ok(()),
        }
    }
}

/// DSSE's pre-authentication encoding (protocol.md). The envelope's own reader stands above this
/// module.
fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}
