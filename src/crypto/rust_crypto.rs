//! The provider in pure Rust: synchronous, everywhere.

use super::check::{Hash, Message, Outcome, Provider, Scheme, SignatureCheck};
#[cfg(feature = "openpgp")]
use super::key::dsa_integers;
use super::key::{Curve, KeyKind, PublicKey, rsa_integers};
use crate::error::HostError;
use crate::limits;
use alloc::vec;
use alloc::vec::Vec;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::{BoxedUint, Pkcs1v15Sign, Pss};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// RustCrypto's implementations.
#[derive(Debug, Clone, Copy, Default)]
pub struct RustCrypto;

impl Provider for RustCrypto {
    async fn verify(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        Ok(if verify(check).is_some() {
            Outcome::Holds
        } else {
            Outcome::Fails
        })
    }
}

/// `Some` when the signature holds.
fn verify(check: &SignatureCheck) -> Option<()> {
    let signature = check.signature();
    match (check.scheme(), check.key().kind()) {
        (Scheme::Ecdsa(hash), KeyKind::Ecdsa(curve)) => ecdsa(
            curve,
            check.key().subject_public_key()?,
            &prehash(check, hash)?,
            signature,
        ),
        (Scheme::RsaPkcs1(hash), KeyKind::Rsa(_)) => {
            let key = rsa_key(check.key())?;
            let scheme = match hash {
                Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
                Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
                Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
            };
            key.verify(scheme, &prehash(check, hash)?, signature).ok()
        }
        (Scheme::RsaPss(hash), KeyKind::Rsa(_)) => {
            let key = rsa_key(check.key())?;
            let digest = prehash(check, hash)?;
            match hash {
                Hash::Sha256 => key.verify(Pss::<Sha256>::new(), &digest, signature).ok(),
                Hash::Sha384 => key.verify(Pss::<Sha384>::new(), &digest, signature).ok(),
                Hash::Sha512 => key.verify(Pss::<Sha512>::new(), &digest, signature).ok(),
            }
        }
        #[cfg(feature = "openpgp")]
        (Scheme::RsaPkcs1Sha1, KeyKind::Rsa(_)) => {
            let digest = sha1::Sha1::digest(whole(check)?);
            let scheme = Pkcs1v15Sign::new::<sha1::Sha1>();
            (rsa_key(check.key())?.verify(scheme, &digest, signature)).ok()
        }
        #[cfg(feature = "openpgp")]
        (Scheme::RsaPkcs1Sha224, KeyKind::Rsa(_)) => {
            let digest = sha2::Sha224::digest(whole(check)?);
            let scheme = Pkcs1v15Sign::new::<sha2::Sha224>();
            (rsa_key(check.key())?.verify(scheme, &digest, signature)).ok()
        }
        #[cfg(feature = "openpgp")]
        (Scheme::Dsa(hash), KeyKind::Dsa(_)) => {
            dsa_holds(check.key(), &prehash(check, hash)?, signature)
        }
        #[cfg(feature = "openpgp")]
        (Scheme::DsaSha224, KeyKind::Dsa(_)) => {
            let digest = sha2::Sha224::digest(whole(check)?);
            dsa_holds(check.key(), &digest, signature)
        }
        (scheme, KeyKind::Ed25519) => ed25519(check, scheme),
        _ => None,
    }
}

fn ed25519(check: &SignatureCheck, scheme: Scheme) -> Option<()> {
    let point = check.key().subject_public_key()?.try_into().ok()?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(point).ok()?;
    // The crate hashes by itself, so only whole messages can be asked.
    let Message::Bytes(message) = check.message() else {
        return None;
    };
    let signature = ed25519_dalek::Signature::from_slice(check.signature()).ok()?;
    match scheme {
        Scheme::Ed25519 => key.verify_strict(message, &signature).ok(),
        Scheme::Ed25519ph => key
            .verify_prehashed_strict(Sha512::new_with_prefix(message), None, &signature)
            .ok(),
        _ => None,
    }
}

/// PKCS#1, whose values were checked when the key was read.
fn rsa_key(key: &PublicKey) -> Option<rsa::PublicKey> {
    let (modulus, exponent) = rsa_integers(key.subject_public_key()?).ok()?;
    let n = BoxedUint::from_be_slice_vartime(modulus);
    let e = BoxedUint::from_be_slice_vartime(exponent);
    rsa::PublicKey::new_with_size_limits(n, e, limits::RSA_BITS).ok()
}

/// The values were checked when the key was read, and when the signature was.
#[cfg(feature = "openpgp")]
fn dsa_holds(key: &PublicKey, digest: &[u8], signature: &[u8]) -> Option<()> {
    let [p, q, g, y] = dsa_integers(key.spki_der()).ok()?;
    let number = |bytes: &[u8], like: &[u8]| {
        let mut padded = vec![0; like.len().checked_sub(bytes.len())?];
        padded.extend_from_slice(bytes);
        BoxedUint::from_be_slice(&padded, u32::try_from(like.len() * 8).ok()?).ok()
    };
    let (p, q, g, y) = (number(p, p)?, number(q, q)?, number(g, p)?, number(y, p)?);
    let (r, s) = signature.split_at(signature.len() / 2);
    let (r, s) = (number(r, r)?, number(s, s)?);
    let components = dsa::Components::from_components(p, q, g).ok()?;
    let key = dsa::VerifyingKey::from_components(components, y).ok()?;
    let signature = dsa::Signature::from_components(r, s)?;
    key.verify_prehash(digest, &signature).ok()
}

fn ecdsa(curve: Curve, point: &[u8], digest: &[u8], signature: &[u8]) -> Option<()> {
    match curve {
        Curve::P256 => {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
            let signature = p256::ecdsa::Signature::from_slice(signature).ok()?;
            key.verify_prehash(digest, &signature).ok()
        }
        Curve::P384 => {
            let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
            let signature = p384::ecdsa::Signature::from_slice(signature).ok()?;
            key.verify_prehash(digest, &signature).ok()
        }
        Curve::P521 => {
            let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
            // The crate refuses hashes shorter than half the field; zeros to the left change
            // nothing (FIPS 186-5, 6.4.2).
            let mut padded = vec![0; 66_usize.checked_sub(digest.len())?];
            padded.extend_from_slice(digest);
            let signature = p521::ecdsa::Signature::from_slice(signature).ok()?;
            key.verify_prehash(&padded, &signature).ok()
        }
    }
}

#[cfg(feature = "openpgp")]
fn whole(check: &SignatureCheck) -> Option<&[u8]> {
    match check.message() {
        Message::Bytes(bytes) => Some(bytes),
        Message::Digest(..) => None,
    }
}

fn prehash(check: &SignatureCheck, hash: Hash) -> Option<Vec<u8>> {
    match check.message() {
        Message::Bytes(bytes) => Some(hash.hash(bytes)),
        Message::Digest(found, digest) => (*found == hash).then(|| digest.clone()),
    }
}
