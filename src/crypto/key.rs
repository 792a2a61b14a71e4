//! Public keys: SubjectPublicKeyInfo (RFC 5280 section 4.1, RFC 5480, RFC 8410) and PKCS#1 (RFC
//! 8017 A.1.1).
//!
//! A key that is parsed is in canonical form: uncompressed points, minimal integers, the parameters
//! that its algorithm prescribes. Trusting it is the caller's decision.

use crate::digest::sha256;
use crate::encoding::hex;
use crate::encoding::pem;
use crate::limits;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef};
use der::{Decode, Encode, Header, Reader, SliceReader, Tag};
use rsa::BoxedUint;
use spki::SubjectPublicKeyInfoRef;

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

codes! {
    /// These bytes are no public key that can be used.
    pub enum KeyError {
        None => "key.none", "expected at least one key to check with, found none";
        NoPem => "key.pem",
            "expected a PEM block (-----BEGIN PUBLIC KEY-----), found none that is well-formed: is \
             this the public key file?";
        Label { found: String } => "key.label",
            "expected a PEM block PUBLIC KEY or RSA PUBLIC KEY, found {found}: give the public key, \
             not a certificate or private key";
        Der => "key.der",
            "the key is no canonical DER SubjectPublicKeyInfo (or PKCS#1 RSAPublicKey)";
        Algorithm { oid: String } => "key.algorithm",
            "expected an ECDSA P-256/P-384/P-521, Ed25519 or RSA key, found the algorithm {oid}";
        Point => "key.point", "the key's point is not a valid, uncompressed point of its curve";
        RsaSize { bits: usize } => "key.rsa-size",
            "expected an RSA modulus of 2048 to 8192 bits, found {bits}";
        RsaValue => "key.rsa-value",
            "the RSA modulus or exponent has a value that no honest key has";
    }
}

/// A curve of FIPS 186-5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    /// Bytes of a coordinate or scalar.
    pub fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// As FIPS 186-5 and WebCrypto write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }
}

/// What kind of key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA over this curve.
    Ecdsa(Curve),
    /// Ed25519.
    Ed25519,
    /// RSA with a modulus of so many bits.
    Rsa(usize),
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ecdsa(curve) => write!(f, "ECDSA {}", curve.name()),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
        }
    }
}

/// The key as RustCrypto holds it.
#[derive(Debug)]
pub(super) enum Material {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
    Rsa(rsa::PublicKey),
}

#[derive(Debug)]
struct Inner {
    spki: Vec<u8>,
    kind: KeyKind,
    material: Material,
}

/// A public key in canonical form. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PublicKey(Arc<Inner>);

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.spki == other.0.spki
    }
}

impl Eq for PublicKey {}

impl PublicKey {
    /// The key in the **first** PEM block of `bytes`, as containers/image and cosign read key
    /// files: text before it and blocks after it are ignored (docs/containers-image.md section
    /// 2.2).
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_pem(bytes: &[u8]) -> Result<Self, KeyError> {
        let text = String::from_utf8_lossy(bytes);
        let (block, _) = pem::first(&text).ok_or(KeyError::NoPem)?;
        match block.label {
            "PUBLIC KEY" => Self::from_spki_der(&block.body),
            "RSA PUBLIC KEY" => Self::from_pkcs1_der(&block.body),
            other => Err(KeyError::Label {
                found: other.chars().take(60).collect(),
            }),
        }
    }

    /// A DER SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_spki_der(bytes: &[u8]) -> Result<Self, KeyError> {
        let info = SubjectPublicKeyInfoRef::try_from(bytes).map_err(|_| KeyError::Der)?;
        if info.to_der().ok().as_deref() != Some(bytes) {
            return Err(KeyError::Der);
        }
        let key = info.subject_public_key.as_bytes().ok_or(KeyError::Der)?;
        let parameters = info.algorithm.parameters;
        let (kind, material) = match info.algorithm.oid {
            EC => ec(
                parameters.and_then(|value| value.decode_as::<ObjectIdentifier>().ok()),
                key,
            )?,
            ED25519 if parameters.is_none() => ed25519(key)?,
            RSA if parameters == Some(AnyRef::NULL) => rsa_key(key)?,
            ED25519 | RSA => return Err(KeyError::Der),
            other => {
                return Err(KeyError::Algorithm {
                    oid: alloc::format!("{other}"),
                });
            }
        };
        Ok(Self(Arc::new(Inner {
            spki: bytes.into(),
            kind,
            material,
        })))
    }

    /// A DER PKCS#1 RSAPublicKey.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_pkcs1_der(bytes: &[u8]) -> Result<Self, KeyError> {
        let bits = BitStringRef::from_bytes(bytes).map_err(|_| KeyError::Der)?;
        let algorithm = spki::AlgorithmIdentifierRef {
            oid: RSA,
            parameters: Some(AnyRef::NULL),
        };
        let info = SubjectPublicKeyInfoRef {
            algorithm,
            subject_public_key: bits,
        };
        Self::from_spki_der(&info.to_der().map_err(|_| KeyError::Der)?)
    }

    /// Canonical DER SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> &[u8] {
        &self.0.spki
    }

    /// As PEM, `PUBLIC KEY`.
    pub fn to_pem(&self) -> String {
        pem::encode("PUBLIC KEY", &self.0.spki)
    }

    /// SHA-256 of the SubjectPublicKeyInfo, in hexadecimal.
    pub fn fingerprint(&self) -> String {
        hex::encode(&sha256(&self.0.spki))
    }

    /// What kind of key it is.
    pub fn kind(&self) -> KeyKind {
        self.0.kind
    }

    pub(super) fn material(&self) -> &Material {
        &self.0.material
    }
}

/// RFC 5480: named curve, uncompressed point.
fn ec(curve: Option<ObjectIdentifier>, point: &[u8]) -> Result<(KeyKind, Material), KeyError> {
    let curve = curve.ok_or(KeyError::Der)?;
    if point.first() != Some(&4) {
        return Err(KeyError::Point);
    }
    let (curve, material) = match curve {
        P256 => (
            Curve::P256,
            p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map(Material::P256),
        ),
        P384 => (
            Curve::P384,
            p384::ecdsa::VerifyingKey::from_sec1_bytes(point).map(Material::P384),
        ),
        P521 => (
            Curve::P521,
            p521::ecdsa::VerifyingKey::from_sec1_bytes(point).map(Material::P521),
        ),
        other => {
            return Err(KeyError::Algorithm {
                oid: alloc::format!("{other}"),
            });
        }
    };
    Ok((
        KeyKind::Ecdsa(curve),
        material.map_err(|_| KeyError::Point)?,
    ))
}

/// RFC 8410. We reject points of small order because under them one signature fits many messages.
fn ed25519(point: &[u8]) -> Result<(KeyKind, Material), KeyError> {
    let point: &[u8; 32] = point.try_into().map_err(|_| KeyError::Point)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(point).map_err(|_| KeyError::Point)?;
    if key.is_weak() {
        return Err(KeyError::Point);
    }
    Ok((KeyKind::Ed25519, Material::Ed25519(key)))
}

/// RFC 8017 A.1.1.
fn rsa_key(bytes: &[u8]) -> Result<(KeyKind, Material), KeyError> {
    let (modulus, exponent) = rsa_integers(bytes).map_err(|_| KeyError::Der)?;
    let first = modulus.first().ok_or(KeyError::RsaValue)?;
    let bits =
        (modulus.len() * 8).saturating_sub(usize::try_from(first.leading_zeros()).unwrap_or(0));
    if !limits::RSA_BITS.contains(&bits) {
        return Err(KeyError::RsaSize { bits });
    }
    if exponent.len() > 5
        || modulus.last().is_none_or(|byte| byte & 1 == 0)
        || exponent.last().is_none_or(|byte| byte & 1 == 0)
    {
        return Err(KeyError::RsaValue);
    }
    let n = BoxedUint::from_be_slice_vartime(&modulus);
    let e = BoxedUint::from_be_slice_vartime(&exponent);
    let key = rsa::PublicKey::new_with_size_limits(n, e, limits::RSA_BITS)
        .map_err(|_| KeyError::RsaValue)?;
    Ok((KeyKind::Rsa(bits), Material::Rsa(key)))
}

/// `SEQUENCE { INTEGER, INTEGER }` and nothing after it.
fn rsa_integers(bytes: &[u8]) -> der::Result<(Vec<u8>, Vec<u8>)> {
    let mut reader = SliceReader::new(bytes)?;
    let header = Header::decode(&mut reader)?;
    header.tag().assert_eq(Tag::Sequence)?;
    let integers = reader.read_nested(header.length(), |inner| {
        let (n, e) = (UintRef::decode(inner)?, UintRef::decode(inner)?);
        Ok::<_, der::Error>((n.as_bytes().to_vec(), e.as_bytes().to_vec()))
    })?;
    reader.finish()?;
    Ok(integers)
}
