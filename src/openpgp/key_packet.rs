//! Public-Key and Public-Subkey packets (RFC 9580 sections 5.5.2 and 5.5.5), versions 4 and 6.

use super::error::OpenPgpError;
use super::fingerprint::Fingerprint;
use super::octets::Octets;
use crate::crypto::{Curve, KeyError, PublicKey};
use crate::digest::{sha1, sha256};
use crate::encoding::hex;
use crate::time::UnixTime;
use alloc::vec::Vec;

/// Algorithms (section 9.1).
pub(super) const RSA: u8 = 1;
pub(super) const RSA_SIGN: u8 = 3;
pub(super) const DSA: u8 = 17;
pub(super) const ECDSA: u8 = 19;
pub(super) const EDDSA: u8 = 22;
pub(super) const ED25519: u8 = 27;
pub(super) const ED448: u8 = 28;

/// Object identifiers of curves (section 9.2), as the bytes of their DER.
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
const ED25519_LEGACY: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];

/// A public key as it stands in a keyring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyPacket {
    pub version: u8,
    pub created: UnixTime,
    pub algorithm: u8,
    pub fingerprint: Fingerprint,
    /// What checks its signatures, or why nothing does.
    pub key: Result<PublicKey, OpenPgpError>,
    /// As signatures over it hash it.
    pub hashed: Vec<u8>,
}

impl KeyPacket {
    pub(super) fn parse(body: &[u8]) -> Result<Self, OpenPgpError> {
        let mut octets = Octets::of(body, "a public key");
        let version = octets.u8()?;
        if !matches!(version, 4 | 6) {
            return Err(OpenPgpError::Version {
                what: "the key",
                found: version,
            });
        }
        let created = UnixTime(octets.u32()?.into());
        let algorithm = octets.u8()?;
        // Section 5.5.2.3: version 6 says how long its material is.
        if version == 6 && octets.length()? != octets.rest().len() {
            return Err(octets.malformed());
        }
        let (hashed, fingerprint) = named(version, body).ok_or_else(|| octets.malformed())?;
        Ok(Self {
            version,
            created,
            algorithm,
            fingerprint,
            key: material(algorithm, version, octets.rest()),
            hashed,
        })
    }
}

/// Section 5.5.4: what names the key is a hash of what signatures over it hash.
fn named(version: u8, body: &[u8]) -> Option<(Vec<u8>, Fingerprint)> {
    if version == 6 {
        let length = u32::try_from(body.len()).ok()?.to_be_bytes();
        let hashed = [&[0x9b], &length[..], body].concat();
        let fingerprint = Fingerprint::v6(sha256(&hashed));
        return Some((hashed, fingerprint));
    }
    let length = u16::try_from(body.len()).ok()?.to_be_bytes();
    let hashed = [&[0x99], &length[..], body].concat();
    let fingerprint = Fingerprint::v4(sha1(&hashed));
    Some((hashed, fingerprint))
}

fn material(algorithm: u8, version: u8, bytes: &[u8]) -> Result<PublicKey, OpenPgpError> {
    let mut octets = Octets::of(bytes, "the numbers of a public key");
    let key = match algorithm {
        RSA | RSA_SIGN => PublicKey::from_rsa(octets.mpi()?, octets.mpi()?),
        DSA => PublicKey::from_dsa(octets.mpi()?, octets.mpi()?, octets.mpi()?, octets.mpi()?),
        ECDSA => ecdsa(&mut octets)?,
        // Section 5.5.5.5: not for version 6.
        EDDSA if version == 4 => eddsa(&mut octets)?,
        ED25519 => PublicKey::from_ed25519(octets.take(32)?),
        ED448 => return Err(OpenPgpError::Ed448),
        // RSA for encryption alone (2) is none of them.
        _ => return Err(OpenPgpError::Algorithm { found: algorithm }),
    };
    octets.finish()?;
    key.map_err(|error| OpenPgpError::Key { error })
}

/// Section 5.5.5.4: a curve, an uncompressed point.
fn ecdsa(octets: &mut Octets<'_>) -> Result<Result<PublicKey, KeyError>, OpenPgpError> {
    let curve = match curve(octets)? {
        P256 => Curve::P256,
        P384 => Curve::P384,
        P521 => Curve::P521,
        other => return Err(unknown(other)),
    };
    Ok(PublicKey::from_point(curve, octets.mpi()?))
}

/// Section 5.5.5.5: a point of Ed25519 after 0x40.
fn eddsa(octets: &mut Octets<'_>) -> Result<Result<PublicKey, KeyError>, OpenPgpError> {
    match curve(octets)? {
        ED25519_LEGACY => {}
        other => return Err(unknown(other)),
    }
    match octets.mpi()? {
        [0x40, point @ ..] => Ok(PublicKey::from_ed25519(point)),
        _ => Err(octets.malformed()),
    }
}

/// Section 9.2: lengths 0 and 255 are reserved.
fn curve<'a>(octets: &mut Octets<'a>) -> Result<&'a [u8], OpenPgpError> {
    match octets.u8()? {
        0 | 255 => Err(octets.malformed()),
        length => octets.take(length.into()),
    }
}

fn unknown(oid: &[u8]) -> OpenPgpError {
    OpenPgpError::Curve {
        oid: hex::encode(oid),
    }
}
