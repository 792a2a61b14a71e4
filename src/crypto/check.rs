//! One open question to a provider of cryptography: does this signature by this key over this
//! message hold?

use super::key::{Curve, KeyKind, PublicKey};
use crate::digest::Algorithm;
use crate::encoding::der::{Elements, Tag};
use crate::error::HostError;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use p256::elliptic_curve::scalar::ScalarValue;

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
    /// DSA (FIPS 186-4 section 4.7), as OpenPGP alone has it.
    Dsa(Hash),
    /// RSASSA-PKCS1-v1_5 with SHA-1: in the self-signatures of old OpenPGP keys, and nowhere else.
    RsaPkcs1Sha1,
    /// RSASSA-PKCS1-v1_5 with SHA-224, as OpenPGP alone has it.
    RsaPkcs1Sha224,
    /// DSA with SHA-224, as OpenPGP alone has it.
    DsaSha224,
}

const HASHES: [Hash; 3] = [Hash::Sha256, Hash::Sha384, Hash::Sha512];

impl Scheme {
    /// As the options of `verifySignature` and the bindings name it, for instance `ecdsa-sha256`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Ecdsa(Hash::Sha256) => "ecdsa-sha256",
            Self::Ecdsa(Hash::Sha384) => "ecdsa-sha384",
            Self::Ecdsa(Hash::Sha512) => "ecdsa-sha512",
            Self::RsaPkcs1(Hash::Sha256) => "rsa-pkcs1-sha256",
            Self::RsaPkcs1(Hash::Sha384) => "rsa-pkcs1-sha384",
            Self::RsaPkcs1(Hash::Sha512) => "rsa-pkcs1-sha512",
            Self::RsaPss(Hash::Sha256) => "rsa-pss-sha256",
            Self::RsaPss(Hash::Sha384) => "rsa-pss-sha384",
            Self::RsaPss(Hash::Sha512) => "rsa-pss-sha512",
            Self::Ed25519 => "ed25519",
            Self::Ed25519ph => "ed25519ph",
            Self::Dsa(Hash::Sha256) => "dsa-sha256",
            Self::Dsa(Hash::Sha384) => "dsa-sha384",
            Self::Dsa(Hash::Sha512) => "dsa-sha512",
            Self::RsaPkcs1Sha1 => "rsa-pkcs1-sha1",
            Self::RsaPkcs1Sha224 => "rsa-pkcs1-sha224",
            Self::DsaSha224 => "dsa-sha224",
        }
    }

    /// By which hash of content's the message enters; none where it is given whole.
    pub fn hash(self) -> Option<Hash> {
        match self {
            Self::Ecdsa(hash) | Self::RsaPkcs1(hash) | Self::RsaPss(hash) | Self::Dsa(hash) => {
                Some(hash)
            }
            Self::Ed25519ph => Some(Hash::Sha512),
            Self::Ed25519 | Self::RsaPkcs1Sha1 | Self::RsaPkcs1Sha224 | Self::DsaSha224 => None,
        }
    }

    /// The scheme of this [`Self::id`]; what OpenPGP alone uses cannot be asked for by name.
    pub fn by_id(id: &str) -> Option<Self> {
        let schemes = HASHES
            .into_iter()
            .flat_map(|hash| [Self::Ecdsa(hash), Self::RsaPkcs1(hash), Self::RsaPss(hash)])
            .chain([Self::Ed25519, Self::Ed25519ph]);
        schemes.into_iter().find(|scheme| scheme.id() == id)
    }

    /// The scheme of this [`Self::id`], of those that OpenPGP alone uses.
    #[cfg(all(feature = "openpgp", feature = "wasm-arithmetic"))]
    pub(crate) fn of_openpgp(id: &str) -> Option<Self> {
        let others = [Self::RsaPkcs1Sha1, Self::RsaPkcs1Sha224, Self::DsaSha224];
        let mut schemes = HASHES.map(Self::Dsa).into_iter().chain(others);
        schemes.find(|scheme| scheme.id() == id)
    }
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
            Self::Dsa(h) => write!(f, "DSA with {}", hash(h)),
            Self::RsaPkcs1Sha1 => f.write_str("RSA PKCS#1 v1.5 with SHA-1"),
            Self::RsaPkcs1Sha224 => f.write_str("RSA PKCS#1 v1.5 with SHA-224"),
            Self::DsaSha224 => f.write_str("DSA with SHA-224"),
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
    /// Of an OpenPGP key over a message.
    OpenPgpMessage,
    /// Of an OpenPGP key over itself: what binds its user ids and subkeys, and what revokes.
    OpenPgpSelfSignature,
    /// Of an OpenPGP subkey over the key that it belongs to.
    OpenPgpCrossSignature,
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
            Self::OpenPgpMessage => "signature.openpgp-message",
            Self::OpenPgpSelfSignature => "signature.openpgp-self",
            Self::OpenPgpCrossSignature => "signature.openpgp-cross",
            Self::Given => "signature.given",
        }
    }
}

macro_rules! rsa_schemes {
    () => {
        Scheme::RsaPkcs1(_) | Scheme::RsaPss(_) | Scheme::RsaPkcs1Sha1 | Scheme::RsaPkcs1Sha224
    };
}

macro_rules! dsa_schemes {
    () => {
        Scheme::Dsa(_) | Scheme::DsaSha224
    };
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
            (rsa_schemes!(), KeyKind::Rsa(bits)) if signature.len() == bits.div_ceil(8) => {
                signature.into()
            }
            (Scheme::Ed25519 | Scheme::Ed25519ph, KeyKind::Ed25519) if signature.len() == 64 => {
                signature.into()
            }
            (dsa_schemes!(), KeyKind::Dsa(_)) if key.is_dsa_signature(signature) => {
                signature.into()
            }
            (rsa_schemes!(), KeyKind::Rsa(_))
            | (dsa_schemes!(), KeyKind::Dsa(_))
            | (Scheme::Ed25519 | Scheme::Ed25519ph, KeyKind::Ed25519) => return Err(malformed()),
            (_, key) => return Err(SignatureError::KeyMismatch { scheme, key }),
        };
        if let Message::Digest(hash, digest) = message.as_ref()
            && (scheme.hash() != Some(*hash) || digest.len() != hash.size())
        {
            return Err(malformed());
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

    /// Whether WebCrypto can answer: it verifies whole messages only, and knows no Ed25519ph, no DSA
    /// and no SHA-224.
    pub fn is_for_web_crypto(&self) -> bool {
        let knows = !matches!(
            self.scheme,
            Scheme::Ed25519ph | dsa_schemes!() | Scheme::RsaPkcs1Sha1 | Scheme::RsaPkcs1Sha224
        );
        matches!(self.message(), Message::Bytes(_)) && knows
    }

    pub(super) fn invalid(&self) -> SignatureError {
        SignatureError::Invalid {
            scheme: self.scheme,
            key: self.key.fingerprint(),
        }
    }
}

fn ecdsa_fixed(curve: Curve, form: EcdsaForm, signature: &[u8]) -> Option<Vec<u8>> {
    let fixed = match form {
        EcdsaForm::Der => of_der(curve, signature)?,
        EcdsaForm::Fixed => signature.into(),
        EcdsaForm::DerOrHalves => of_der(curve, signature).or_else(|| halves(curve, signature))?,
    };
    if fixed.len() != curve.size() * 2 {
        return None;
    }
    let (r, s) = fixed.split_at(curve.size());
    let is_scalar = match curve {
        Curve::P256 => is_scalar::<p256::NistP256>,
        Curve::P384 => is_scalar::<p384::NistP384>,
        Curve::P521 => is_scalar::<p521::NistP521>,
    };
    (is_scalar(r) && is_scalar(s)).then_some(fixed)
}

/// Whether it is from 1 to the order of the curve less 1 (FIPS 186-5 section 6.4.2).
fn is_scalar<C: p256::elliptic_curve::Curve>(value: &[u8]) -> bool {
    ScalarValue::<C>::from_slice(value).is_ok_and(|scalar| !bool::from(scalar.is_zero()))
}

/// DER `SEQUENCE { r, s }`, nothing after it and no byte too many.
fn of_der(curve: Curve, signature: &[u8]) -> Option<Vec<u8>> {
    let mut values = Elements::inside_only(signature, Tag::Sequence, "the signature").ok()?;
    let (r, s) = (values.unsigned().ok()?, values.unsigned().ok()?);
    values.finish().ok()?;
    padded(curve, [r, s])
}

/// Both brought to the curve's length.
fn padded(curve: Curve, halves: [&[u8]; 2]) -> Option<Vec<u8>> {
    let mut fixed = Vec::with_capacity(curve.size() * 2);
    for half in halves {
        let zeros = half.iter().take_while(|byte| **byte == 0).count();
        let value = half.get(zeros..)?;
        fixed.resize(fixed.len() + curve.size().checked_sub(value.len())?, 0);
        fixed.extend_from_slice(value);
    }
    Some(fixed)
}

/// Two big-endian integers of equal length, at most 132 bytes together, brought to the curve's
/// length.
fn halves(curve: Curve, signature: &[u8]) -> Option<Vec<u8>> {
    if signature.len() > 132 || !signature.len().is_multiple_of(2) {
        return None;
    }
    let (r, s) = signature.split_at(signature.len() / 2);
    padded(curve, [r, s])
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
