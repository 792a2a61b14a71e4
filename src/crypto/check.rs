//! One open question to a provider of cryptography: does this signature by this key over this
//! message hold?

use super::key::{Curve, KeyKind, PublicKey};
use crate::digest::Algorithm;
use crate::error::HostError;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

/// A hash of FIPS 180-4.
pub type Hash = Algorithm;

/// A signature scheme. Its hash is decided by the format that is read, never by the evidence
/// (docs/trust.md section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// ECDSA (FIPS 186-5 section 6) over the key's curve.
    Ecdsa(Hash),
    /// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2).
    RsaPkcs1(Hash),
    /// RSASSA-PSS (RFC 8017 section 8.1), MGF1 with the same hash, salt as long as the hash.
    RsaPss(Hash),
    /// Ed25519 (RFC 8032 section 5.1).
    Ed25519,
    /// Ed25519ph (RFC 8032 section 5.1), empty context.
    Ed25519ph,
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = |hash: &Hash| match hash {
            Hash::Sha256 => "SHA-256",
            Hash::Sha384 => "SHA-384",
            Hash::Sha512 => "SHA-512",
        };
        match self {
            Self::Ecdsa(h) => write!(f, "ECDSA with {}", hash(h)),
            Self::RsaPkcs1(h) => write!(f, "RSA PKCS#1 v1.5 with {}", hash(h)),
            Self::RsaPss(h) => write!(f, "RSA-PSS with {}", hash(h)),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Ed25519ph => f.write_str("Ed25519ph"),
        }
    }
}

/// How an ECDSA signature may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EcdsaForm {
    /// DER `SEQUENCE { r, s }` (RFC 3279 section 2.2.3).
    Der,
    /// r‖s, each as long as the curve's order (IEEE P1363).
    Fixed,
    /// DER; what is not DER is read as two halves of equal length, as sigstore's Go library does
    /// (docs/containers-image.md section 6).
    DerOrHalves,
}

/// What was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The message itself.
    Bytes(Vec<u8>),
    /// Its hash alone, by the scheme's hash.
    Digest(Hash, Vec<u8>),
}

/// What a signature is there for; shown in reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Over the simple-signing payload of a Cosign signature.
    CosignPayload,
    /// Over the DSSE envelope of a Sigstore bundle.
    DsseEnvelope,
    /// Of an issuer over a certificate.
    CertificateSignature,
    /// Of a certificate transparency log over a precertificate.
    SignedCertificateTimestamp,
    /// Of a transparency log over an entry and its time.
    SignedEntryTimestamp,
    /// Of a transparency log or a witness over a checkpoint.
    Checkpoint,
    /// Of a timestamp authority over a token.
    TimestampToken,
    /// Of an issuer over a timestamp authority's certificate.
    TimestampCertificate,
    /// Over something that a caller gave.
    Given,
}

impl Role {
    /// A stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::CosignPayload => "signature.cosign-payload",
            Self::DsseEnvelope => "signature.dsse-envelope",
            Self::CertificateSignature => "signature.certificate",
            Self::SignedCertificateTimestamp => "signature.sct",
            Self::SignedEntryTimestamp => "signature.set",
            Self::Checkpoint => "signature.checkpoint",
            Self::TimestampToken => "signature.timestamp-token",
            Self::TimestampCertificate => "signature.timestamp-certificate",
            Self::Given => "signature.given",
        }
    }
}

codes! {
    /// This signature cannot be checked at all.
    pub enum SignatureError {
        Malformed { scheme: Scheme } => "signature.malformed" as Uncheckable,
            "cryptographic signature verification failed: the signature is not well-formed for \
             {scheme}";
        KeyMismatch { scheme: Scheme, key: KeyKind } => "signature.key-type" as Uncheckable,
            "{scheme} needs another key than {key}";
        None => "signature.none" as Uncheckable, "expected a signature, found none to check";
        Invalid { scheme: Scheme, key: String } => "signature.invalid" as InvalidSignature,
            "cryptographic signature verification failed: the signature ({scheme}) was not made by \
             the key {key} over these bytes";
    }
}

/// A question to a [`Provider`]. Key and signature are in canonical form, and fit the scheme.
#[derive(Debug, Clone, PartialEq)]
pub struct SignatureCheck {
    role: Role,
    key: PublicKey,
    scheme: Scheme,
    /// Shared: one message may be asked about under many keys.
    message: Arc<Message>,
    signature: Vec<u8>,
    recurs: bool,
}

impl SignatureCheck {
    /// # Errors
    /// [`SignatureError::KeyMismatch`], [`SignatureError::Malformed`].
    pub fn new(
        role: Role,
        key: &PublicKey,
        scheme: Scheme,
        form: EcdsaForm,
        message: impl Into<Arc<Message>>,
        signature: &[u8],
    ) -> Result<Self, SignatureError> {
        let message = message.into();
        let malformed = || SignatureError::Malformed { scheme };
        let signature = match (scheme, key.kind()) {
            (Scheme::Ecdsa(_), KeyKind::Ecdsa(curve)) => {
                ecdsa_fixed(curve, form, signature).ok_or_else(malformed)?
            }
            (Scheme::RsaPkcs1(_) | Scheme::RsaPss(_), KeyKind::Rsa(bits))
                if signature.len() == bits.div_ceil(8) =>
            {
                signature.into()
            }
            (Scheme::Ed25519 | Scheme::Ed25519ph, KeyKind::Ed25519) if signature.len() == 64 => {
                signature.into()
            }
            (Scheme::RsaPkcs1(_) | Scheme::RsaPss(_), KeyKind::Rsa(_))
            | (Scheme::Ed25519 | Scheme::Ed25519ph, KeyKind::Ed25519) => return Err(malformed()),
            (_, key) => return Err(SignatureError::KeyMismatch { scheme, key }),
        };
        if let Message::Digest(hash, digest) = message.as_ref() {
            let expected = match scheme {
                Scheme::Ecdsa(h) | Scheme::RsaPkcs1(h) | Scheme::RsaPss(h) => Some(h),
                Scheme::Ed25519ph => Some(Hash::Sha512),
                Scheme::Ed25519 => None,
            };
            if expected != Some(*hash) || digest.len() != hash.size() {
                return Err(malformed());
            }
        }
        Ok(Self {
            role,
            key: key.clone(),
            scheme,
            message,
            signature,
            recurs: false,
        })
    }

    /// That the very same is asked again and again, so that it is worth to be remembered: an
    /// issuer's signature over an authority (docs/trust.md section 7).
    pub(crate) fn recurring(self) -> Self {
        Self {
            recurs: true,
            ..self
        }
    }

    /// Whether it is an issuer's signature over an authority, asked again and again.
    pub fn recurs(&self) -> bool {
        self.recurs
    }

    /// What it is for.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// What was signed.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// ECDSA as r‖s of the curve's length, the others as they are defined.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Whether WebCrypto can answer: it verifies whole messages only, and knows no Ed25519ph.
    pub fn is_for_web_crypto(&self) -> bool {
        matches!(self.message(), Message::Bytes(_)) && self.scheme != Scheme::Ed25519ph
    }

    pub(super) fn invalid(&self) -> SignatureError {
        SignatureError::Invalid {
            scheme: self.scheme,
            key: self.key.fingerprint(),
        }
    }
}

fn ecdsa_fixed(curve: Curve, form: EcdsaForm, signature: &[u8]) -> Option<Vec<u8>> {
    let der = || match curve {
        Curve::P256 => p256::ecdsa::Signature::from_der(signature)
            .ok()
            .map(|s| s.to_bytes().to_vec()),
        Curve::P384 => p384::ecdsa::Signature::from_der(signature)
            .ok()
            .map(|s| s.to_bytes().to_vec()),
        Curve::P521 => p521::ecdsa::Signature::from_der(signature)
            .ok()
            .map(|s| s.to_bytes().to_vec()),
    };
    let fixed = match form {
        EcdsaForm::Der => der()?,
        EcdsaForm::Fixed => signature.into(),
        EcdsaForm::DerOrHalves => der().or_else(|| halves(curve, signature))?,
    };
    let in_range = match curve {
        Curve::P256 => p256::ecdsa::Signature::from_slice(&fixed).is_ok(),
        Curve::P384 => p384::ecdsa::Signature::from_slice(&fixed).is_ok(),
        Curve::P521 => p521::ecdsa::Signature::from_slice(&fixed).is_ok(),
    };
    in_range.then_some(fixed)
}

/// Two big-endian integers of equal length, at most 132 bytes together, brought to the curve's
/// length.
fn halves(curve: Curve, signature: &[u8]) -> Option<Vec<u8>> {
    if signature.len() > 132 || !signature.len().is_multiple_of(2) {
        return None;
    }
    let (r, s) = signature.split_at(signature.len() / 2);
    let mut fixed = Vec::with_capacity(curve.size() * 2);
    for half in [r, s] {
        let zeros = half.iter().take_while(|byte| **byte == 0).count();
        let value = half.get(zeros..)?;
        fixed.resize(fixed.len() + curve.size().checked_sub(value.len())?, 0);
        fixed.extend_from_slice(value);
    }
    Some(fixed)
}

/// A provider's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The signature is good.
    Holds,
    /// It is not.
    Fails,
}

/// What checks signatures: [`super::RustCrypto`], or the platform's WebCrypto behind the host.
pub trait Provider {
    /// Whether this very check was seen to hold before, so that it need not be made again: of the
    /// links of chains alone (docs/trust.md section 7).
    fn remembers(&self, _check: &SignatureCheck) -> bool {
        false
    }

    /// Anything but a clear yes is [`Outcome::Fails`]; no answer at all is a [`HostError`].
    fn verify(&self, check: &SignatureCheck) -> impl Future<Output = Result<Outcome, HostError>>;

    /// Lets others have their turn, where there are others: called between stretches of work
    /// (docs/trust.md section 7).
    fn pause(&self) -> impl Future<Output = ()> {
        core::future::ready(())
    }
}
