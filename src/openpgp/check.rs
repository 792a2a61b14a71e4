//! From a signature packet, a key and what was signed to a check in the form that `crypto` takes.

use super::error::OpenPgpError;
use super::hash::HashAlgorithm;
use super::key_packet::{DSA, ECDSA, ED448, ED25519, EDDSA, KeyPacket, RSA, RSA_SIGN};
use super::octets::Octets;
use super::signature_packet::SignaturePacket;
use crate::crypto::{EcdsaForm, KeyKind, Message, PublicKey, Role, Scheme, SignatureCheck};
use crate::error::Failure;
use alloc::vec::Vec;

/// Whose SHA-1 is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sha1 {
    Refused,
    /// RSA alone: what a primary key says of itself, as old keys have it, and revocations.
    Allowed,
}

/// That `key` made `signature` over `data`.
pub(super) fn check(
    role: Role,
    key: &KeyPacket,
    signature: &SignaturePacket,
    data: &[&[u8]],
    sha1: Sha1,
) -> Result<SignatureCheck, Failure> {
    if let Some(found) = signature.subpackets.critical {
        return Err(OpenPgpError::Critical { found }.into());
    }
    let (public, hash) = (key.key.clone()?, HashAlgorithm::of(signature.hash)?);
    fits(key, signature)?;
    let message = signature.message(data);
    let digest = hash.digest(&message);
    let scheme = scheme(key.algorithm, &public, hash, sha1)?;
    // Section 5.2.3: what tells early that it is over something else.
    if !digest.starts_with(&signature.start) {
        return Err(OpenPgpError::Digest.into());
    }
    let numbers = numbers(&public, signature)?;
    // Sections 5.2.3.3 to 5.2.3.5: EdDSA signs the digest as its message.
    let message = match scheme {
        Scheme::Ed25519 => digest,
        _ => message,
    };
    let message = Message::Bytes(message);
    SignatureCheck::new(role, &public, scheme, EcdsaForm::Fixed, message, &numbers)
        .map_err(Failure::from)
}

/// Section 5.2: the algorithm is the key's, and keys of version 6 make signatures of version 6, no
/// others do.
fn fits(key: &KeyPacket, signature: &SignaturePacket) -> Result<(), OpenPgpError> {
    let is_rsa = |algorithm| matches!(algorithm, RSA | RSA_SIGN);
    let same = key.algorithm == signature.algorithm
        || is_rsa(key.algorithm) && is_rsa(signature.algorithm);
    if same && (key.version == 6) == (signature.version == 6) {
        Ok(())
    } else {
        Err(OpenPgpError::OtherAlgorithm)
    }
}

fn scheme(
    algorithm: u8,
    key: &PublicKey,
    hash: HashAlgorithm,
    sha1: Sha1,
) -> Result<Scheme, OpenPgpError> {
    let kind = key.kind();
    if hash == HashAlgorithm::Sha1 {
        return match (kind, sha1) {
            (KeyKind::Rsa(_), Sha1::Allowed) => Ok(Scheme::RsaPkcs1Sha1),
            _ => Err(OpenPgpError::Sha1),
        };
    }
    // Sections 5.2.3.2 to 5.2.3.4, and as GnuPG demands it: P-521 takes SHA-512, DSA what is as long
    // as q, and Ed25519 as GnuPG has it (22) any.
    let shortest = match kind {
        KeyKind::Ecdsa(curve) => curve.size().min(64),
        KeyKind::Dsa(_) => key.dsa_size().unwrap_or(usize::MAX),
        KeyKind::Ed25519 if algorithm == ED25519 => 32,
        KeyKind::Ed25519 | KeyKind::Rsa(_) => 0,
    };
    if hash.size() < shortest {
        return Err(OpenPgpError::ShortHash);
    }
    Ok(match (kind, hash) {
        (KeyKind::Ed25519, _) => Scheme::Ed25519,
        (KeyKind::Ecdsa(_), HashAlgorithm::Sha2(hash)) => Scheme::Ecdsa(hash),
        (KeyKind::Rsa(_), HashAlgorithm::Sha2(hash)) => Scheme::RsaPkcs1(hash),
        (KeyKind::Dsa(_), HashAlgorithm::Sha2(hash)) => Scheme::Dsa(hash),
        (KeyKind::Rsa(_), HashAlgorithm::Sha224) => Scheme::RsaPkcs1Sha224,
        (KeyKind::Dsa(_), HashAlgorithm::Sha224) => Scheme::DsaSha224,
        (_, HashAlgorithm::Sha224 | HashAlgorithm::Sha1) => return Err(OpenPgpError::ShortHash),
    })
}

/// Section 5.2.3.1 and those after it: each number as long as the key has it.
fn numbers(key: &PublicKey, signature: &SignaturePacket) -> Result<Vec<u8>, OpenPgpError> {
    let mut octets = Octets::of(&signature.numbers, "the numbers of a signature");
    let (count, size) = match (signature.algorithm, key.kind()) {
        (ED25519, _) => {
            let numbers = octets.take(64)?.into();
            octets.finish()?;
            return Ok(numbers);
        }
        (ED448, _) => return Err(OpenPgpError::Ed448),
        (RSA | RSA_SIGN, KeyKind::Rsa(bits)) => (1, bits.div_ceil(8)),
        (ECDSA, KeyKind::Ecdsa(curve)) => (2, curve.size()),
        (EDDSA, KeyKind::Ed25519) => (2, 32),
        (DSA, KeyKind::Dsa(_)) => (2, key.dsa_size().unwrap_or(0)),
        (found, _) => return Err(OpenPgpError::Algorithm { found }),
    };
    let mut numbers = Vec::with_capacity(count * size);
    for _ in 0..count {
        let number = octets.mpi()?;
        let zeros = (size.checked_sub(number.len())).ok_or_else(|| octets.malformed())?;
        numbers.resize(numbers.len() + zeros, 0);
        numbers.extend_from_slice(number);
    }
    octets.finish()?;
    Ok(numbers)
}

/// What of `signature` is signed data, read from the very message that is checked: whole, or by the
/// digest that EdDSA signs.
pub(super) fn signed_data<'a>(
    signature: &SignaturePacket,
    message: &'a Message,
    data: &'a [u8],
) -> Result<&'a [u8], OpenPgpError> {
    let Message::Bytes(bytes) = message else {
        return Err(OpenPgpError::Digest);
    };
    let inside = bytes
        .strip_prefix(&signature.salt[..])
        .and_then(|bytes| bytes.strip_suffix(&signature.trailer[..]));
    match inside {
        Some(inside) if inside == data => Ok(inside),
        _ => {
            let digest = HashAlgorithm::of(signature.hash)?.digest(&signature.message(&[data]));
            if *bytes == digest {
                Ok(data)
            } else {
                Err(OpenPgpError::Digest)
            }
        }
    }
}
