//! Public keys: SubjectPublicKeyInfo (RFC 5280 section 4.1, RFC 5480, RFC 8410) and PKCS#1 (RFC
//! 8017 A.1.1).
//!
//! A key that is parsed is in canonical form: uncompressed points, minimal integers, the parameters
//! that its algorithm prescribes. Trusting it is the caller's decision.

use crate::digest::sha256;
use crate::encoding::der::{DerError, Element, Elements, ObjectIdentifier, Tag, wrap};
use crate::encoding::hex;
use crate::encoding::pem;
use crate::limits;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use p256::elliptic_curve::point::AffineCoordinates;
use p256::elliptic_curve::{CurveArithmetic, FieldBytes};

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const DSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10040.4.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const NULL: [u8; 2] = [5, 0];

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
        DsaSize { p: usize, q: usize } => "key.dsa-size",
            "expected a DSA key of 2048 bits (q of 224 or 256) or 3072 bits (q of 256), found {p} \
             and {q}";
        DsaValue => "key.dsa-value",
            "the DSA key has a value that no honest key has";
        RsaValue => "key.rsa-value",
            "the RSA modulus or exponent has a value that no honest key has";
    }
}

#[cfg(feature = "openpgp")]
impl KeyError {
    /// Whether it is too small to be believed.
    pub(crate) fn is_weak(&self) -> bool {
        matches!(self, Self::RsaSize { bits } if *bits < 2048)
            || matches!(self, Self::DsaSize { .. })
    }
}

impl From<DerError> for KeyError {
    fn from(_: DerError) -> Self {
        Self::Der
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
    /// DSA with a modulus of so many bits; OpenPGP alone has such.
    Dsa(usize),
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ecdsa(curve) => write!(f, "ECDSA {}", curve.name()),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::Dsa(bits) => write!(f, "DSA {bits}"),
        }
    }
}

#[derive(Debug)]
struct Inner {
    spki: Vec<u8>,
    kind: KeyKind,
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
        let (algorithm, parameters, key) = subject_public_key_info(bytes)?;
        let kind = match algorithm {
            EC => ec(parameters, key)?,
            ED25519 if parameters.is_none() => ed25519(key)?,
            RSA if parameters.is_some_and(|value| value.raw == NULL) => rsa_key(key)?,
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
        })))
    }

    /// A DER PKCS#1 RSAPublicKey.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_pkcs1_der(bytes: &[u8]) -> Result<Self, KeyError> {
        let algorithm = wrap(0x30, &[&wrap(0x06, RSA.as_bytes()), &NULL[..]].concat());
        // No bit of the last byte is unused.
        let key = wrap(0x03, &[&[0], bytes].concat());
        Self::from_spki_der(&wrap(0x30, &[algorithm, key].concat()))
    }

    /// RSA (RFC 8017 section 3.1), from big-endian integers.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        Self::from_pkcs1_der(&wrap(0x30, &[integer(modulus), integer(exponent)].concat()))
    }

    /// ECDSA, from an uncompressed point (SEC 1 section 2.3.3).
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_point(curve: Curve, point: &[u8]) -> Result<Self, KeyError> {
        let oid = match curve {
            Curve::P256 => P256,
            Curve::P384 => P384,
            Curve::P521 => P521,
        };
        let parameters = wrap(0x06, oid.as_bytes());
        Self::from_spki_der(&spki(EC, &parameters, point))
    }

    /// Ed25519 (RFC 8032 section 5.1.5).
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_ed25519(point: &[u8]) -> Result<Self, KeyError> {
        Self::from_spki_der(&spki(ED25519, &[], point))
    }

    /// DSA (FIPS 186-4 section 4.1), from big-endian integers: the one way to such a key, so that no
    /// key file makes one.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_dsa(p: &[u8], q: &[u8], g: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        let [p, q, g, y] = [p, q, g, y].map(minimal);
        if !matches!((bits(p), bits(q)), (2_048, 224 | 256) | (3_072, 256)) {
            return Err(KeyError::DsaSize {
                p: bits(p),
                q: bits(q),
            });
        }
        let is_odd = |value: &[u8]| value.last().is_some_and(|byte| byte & 1 == 1);
        let lies_between = |value: &[u8]| bits(value) > 1 && is_less(value, p);
        if !is_odd(p) || !is_odd(q) || !lies_between(g) || !lies_between(y) {
            return Err(KeyError::DsaValue);
        }
        let parameters = wrap(0x30, &[p, q, g].map(integer).concat());
        Ok(Self(Arc::new(Inner {
            spki: spki(DSA, &parameters, &integer(y)),
            kind: KeyKind::Dsa(bits(p)),
        })))
    }

    /// The same from a SubjectPublicKeyInfo that [`Self::from_dsa`] made.
    ///
    /// # Errors
    /// [`KeyError`].
    #[cfg(all(feature = "openpgp", feature = "wasm-arithmetic"))]
    pub(crate) fn from_dsa_spki(spki: &[u8]) -> Result<Self, KeyError> {
        let [p, q, g, y] = dsa_integers(spki).map_err(|_| KeyError::Der)?;
        Self::from_dsa(p, q, g, y)
    }

    /// Bytes of a DSA key's q, and of each half of a signature.
    #[cfg(feature = "openpgp")]
    pub(crate) fn dsa_size(&self) -> Option<usize> {
        let [_, q, ..] = dsa_integers(&self.0.spki).ok()?;
        Some(q.len())
    }

    /// Whether it is r‖s, each as long as q and from 1 to q less 1 (FIPS 186-4 section 4.7).
    pub(super) fn is_dsa_signature(&self, signature: &[u8]) -> bool {
        let Ok([_, q, ..]) = dsa_integers(&self.0.spki) else {
            return false;
        };
        let (r, s) = signature.split_at(signature.len() / 2);
        r.len() == q.len()
            && s.len() == q.len()
            && [r, s]
                .map(minimal)
                .iter()
                .all(|value| bits(value) > 0 && is_less(value, q))
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

    /// What its subjectPublicKey holds: a point, or PKCS#1.
    #[cfg(feature = "arithmetic")]
    pub(super) fn subject_public_key(&self) -> Option<&[u8]> {
        subject_public_key_info(&self.0.spki)
            .ok()
            .map(|(_, _, key)| key)
    }
}

/// p, q, g, y of a SubjectPublicKeyInfo that [`PublicKey::from_dsa`] made (RFC 3279 section 2.3.2).
pub(super) fn dsa_integers(spki: &[u8]) -> Result<[&[u8]; 4], DerError> {
    let (_, parameters, key) = subject_public_key_info(spki)?;
    let parameters = parameters.map(|found| found.raw).unwrap_or_default();
    let mut parts = Elements::inside_only(parameters, Tag::Sequence, "the DSA parameters")?;
    let (p, q, g) = (parts.unsigned()?, parts.unsigned()?, parts.unsigned()?);
    let y = Elements::of(key, "the DSA key").unsigned()?;
    Ok([p, q, g, y])
}

fn spki(algorithm: ObjectIdentifier, parameters: &[u8], key: &[u8]) -> Vec<u8> {
    let algorithm = [&wrap(0x06, algorithm.as_bytes()), parameters].concat();
    // No bit of the last byte is unused.
    let key = wrap(0x03, &[&[0], key].concat());
    wrap(0x30, &[wrap(0x30, &algorithm), key].concat())
}

/// A DER INTEGER that is not negative.
fn integer(value: &[u8]) -> Vec<u8> {
    let value = minimal(value);
    match value.first() {
        Some(0..=0x7f) => wrap(0x02, value),
        _ => wrap(0x02, &[&[0], value].concat()),
    }
}

/// Without zeros in front.
fn minimal(value: &[u8]) -> &[u8] {
    let zeros = value.iter().take_while(|byte| **byte == 0).count();
    value.get(zeros..).unwrap_or_default()
}

/// Bits of a number without zeros in front.
fn bits(value: &[u8]) -> usize {
    let first = value.first().map_or(0, |byte| byte.leading_zeros());
    (value.len() * 8).saturating_sub(usize::try_from(first).unwrap_or(0))
}

/// Of two numbers without zeros in front.
fn is_less(a: &[u8], b: &[u8]) -> bool {
    (a.len(), a) < (b.len(), b)
}

/// The algorithm, its parameters and the key (RFC 5280 section 4.1).
fn subject_public_key_info(
    bytes: &[u8],
) -> Result<(ObjectIdentifier, Option<Element<'_>>, &[u8]), DerError> {
    let mut info = Elements::inside_only(bytes, Tag::Sequence, "the key")?;
    let mut algorithm = info.inside(Tag::Sequence)?;
    let oid = algorithm.oid()?;
    let parameters = if algorithm.is_empty() {
        None
    } else {
        Some(algorithm.any()?)
    };
    algorithm.finish()?;
    let key = info.bytes()?;
    info.finish()?;
    Ok((oid, parameters, key))
}

/// RFC 5480: named curve, uncompressed point.
fn ec(curve: Option<Element<'_>>, point: &[u8]) -> Result<KeyKind, KeyError> {
    let curve = curve.ok_or(KeyError::Der)?;
    let curve = Elements::of(curve.raw, "the curve").oid()?;
    let Some((4, coordinates)) = point.split_first() else {
        return Err(KeyError::Point);
    };
    let (curve, lies_on_it) = match curve {
        P256 => (Curve::P256, is_point::<p256::NistP256>(coordinates)),
        P384 => (Curve::P384, is_point::<p384::NistP384>(coordinates)),
        P521 => (Curve::P521, is_point::<p521::NistP521>(coordinates)),
        other => {
            return Err(KeyError::Algorithm {
                oid: alloc::format!("{other}"),
            });
        }
    };
    if lies_on_it {
        Ok(KeyKind::Ecdsa(curve))
    } else {
        Err(KeyError::Point)
    }
}

/// Whether x‖y lies on the curve. Whatever checks signatures is asked under such keys only.
fn is_point<C>(coordinates: &[u8]) -> bool
where
    C: CurveArithmetic,
    C::AffinePoint: AffineCoordinates<FieldRepr = FieldBytes<C>>,
{
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    match (FieldBytes::<C>::try_from(x), FieldBytes::<C>::try_from(y)) {
        (Ok(x), Ok(y)) => C::AffinePoint::from_coordinates(&x, &y).is_some().into(),
        _ => false,
    }
}

/// RFC 8410. We reject points of small order because under them one signature fits many messages.
fn ed25519(point: &[u8]) -> Result<KeyKind, KeyError> {
    let point: &[u8; 32] = point.try_into().map_err(|_| KeyError::Point)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(point).map_err(|_| KeyError::Point)?;
    if key.is_weak() {
        return Err(KeyError::Point);
    }
    Ok(KeyKind::Ed25519)
}

/// RFC 8017 A.1.1.
fn rsa_key(bytes: &[u8]) -> Result<KeyKind, KeyError> {
    let (modulus, exponent) = rsa_integers(bytes)?;
    let first = modulus.first().ok_or(KeyError::RsaValue)?;
    let bits =
        (modulus.len() * 8).saturating_sub(usize::try_from(first.leading_zeros()).unwrap_or(0));
    if !limits::RSA_BITS.contains(&bits) {
        return Err(KeyError::RsaSize { bits });
    }
    let is_odd = |value: &[u8]| value.last().is_some_and(|byte| byte & 1 == 1);
    if !is_odd(modulus) || !is_odd(exponent) || exponent == [1] || !fits_33_bits(exponent) {
        return Err(KeyError::RsaValue);
    }
    Ok(KeyKind::Rsa(bits))
}

/// The largest exponent that the arithmetic takes.
fn fits_33_bits(value: &[u8]) -> bool {
    match value {
        [high, _, _, _, _] => *high <= 1,
        shorter => shorter.len() < 5,
    }
}

/// `SEQUENCE { INTEGER, INTEGER }` and nothing after it.
pub(super) fn rsa_integers(bytes: &[u8]) -> Result<(&[u8], &[u8]), DerError> {
    let mut values = Elements::inside_only(bytes, Tag::Sequence, "the RSA key")?;
    let integers = (values.unsigned()?, values.unsigned()?);
    values.finish()?;
    Ok(integers)
}
