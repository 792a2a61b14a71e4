//! Signature packets (RFC 9580 section 5.2; version 3: RFC 4880 section 5.2.2).

use super::error::OpenPgpError;
use super::fingerprint::{Fingerprint, Handle};
use super::hash::HashAlgorithm;
use super::octets::Octets;
use super::subpackets::Subpackets;
use crate::time::UnixTime;
use alloc::vec::Vec;

/// Types (section 5.2.1).
pub(super) const BINARY: u8 = 0x00;
pub(super) const TEXT: u8 = 0x01;
pub(super) const CERTIFICATIONS: core::ops::RangeInclusive<u8> = 0x10..=0x13;
pub(super) const SUBKEY_BINDING: u8 = 0x18;
pub(super) const PRIMARY_BINDING: u8 = 0x19;
pub(super) const DIRECT: u8 = 0x1f;
pub(super) const KEY_REVOCATION: u8 = 0x20;
pub(super) const SUBKEY_REVOCATION: u8 = 0x28;
pub(super) const CERTIFICATION_REVOCATION: u8 = 0x30;

/// A signature as it stands there: nothing of it is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignaturePacket {
    pub version: u8,
    pub kind: u8,
    pub algorithm: u8,
    /// By its number: whether it is one that is checked is asked when it is checked.
    pub hash: u8,
    pub created: UnixTime,
    pub subpackets: Subpackets,
    /// What is hashed before the signed data (section 5.2.4), for version 6.
    pub salt: Vec<u8>,
    /// What is hashed after it.
    pub trailer: Vec<u8>,
    /// The first two bytes of the digest.
    pub start: [u8; 2],
    /// The signature's numbers.
    pub numbers: Vec<u8>,
    /// All of it, as it came.
    pub body: Vec<u8>,
}

impl SignaturePacket {
    pub(super) fn parse(body: &[u8]) -> Result<Self, OpenPgpError> {
        let mut octets = Octets::of(body, "a signature");
        let parsed = match octets.u8()? {
            3 => Self::parse_v3(octets),
            version @ (4 | 6) => Self::parse_v4(version, octets),
            found => Err(OpenPgpError::Version {
                what: "the signature",
                found,
            }),
        }?;
        Ok(Self {
            body: body.into(),
            ..parsed
        })
    }

    /// RFC 4880 section 5.2.2.
    fn parse_v3(mut octets: Octets<'_>) -> Result<Self, OpenPgpError> {
        if octets.u8()? != 5 {
            return Err(octets.malformed());
        }
        let trailer: [u8; 5] = octets.array()?;
        let [kind, created @ ..] = trailer;
        let issuer = Handle::KeyId(octets.array()?);
        Ok(Self {
            version: 3,
            kind,
            algorithm: octets.u8()?,
            hash: octets.u8()?,
            created: UnixTime(u32::from_be_bytes(created).into()),
            subpackets: Subpackets {
                issuers: [issuer].into(),
                ..Subpackets::default()
            },
            salt: Vec::new(),
            trailer: trailer.into(),
            start: octets.array()?,
            numbers: octets.rest().into(),
            body: Vec::new(),
        })
    }

    /// Section 5.2.3; `octets` are what follows the version.
    fn parse_v4(version: u8, mut octets: Octets<'_>) -> Result<Self, OpenPgpError> {
        let whole = octets.rest();
        let [kind, algorithm, hash] = octets.array()?;
        let area = |octets: &mut Octets<'_>| match version {
            4 => octets.u16(),
            _ => octets.length(),
        };
        let length = area(&mut octets)?;
        let hashed = octets.take(length)?;
        let signed = whole.len() - octets.rest().len();
        let trailer = trailer(version, whole.get(..signed).unwrap_or_default());
        let length = area(&mut octets)?;
        let unhashed = octets.take(length)?;
        let start = octets.array()?;
        let salt = match version {
            4 => &[],
            _ => salt(&mut octets, hash)?,
        };
        let subpackets = Subpackets::parse(hashed, unhashed)?;
        // Section 5.2.3.11: it must be there, and be signed.
        let created = subpackets.created.ok_or_else(|| octets.malformed())?;
        Ok(Self {
            version,
            kind,
            algorithm,
            hash,
            created: UnixTime(created.into()),
            subpackets,
            salt: salt.into(),
            trailer: trailer.ok_or_else(|| octets.malformed())?,
            start,
            numbers: octets.rest().into(),
            body: Vec::new(),
        })
    }

    /// When it stops to count; 0 seconds are for ever (section 5.2.3.18).
    pub(super) fn expires(&self) -> Option<UnixTime> {
        match self.subpackets.expires {
            None | Some(0) => None,
            Some(seconds) => Some(UnixTime(self.created.0 + i64::from(seconds))),
        }
    }

    /// Whether it may be of the key of this name; one that names nobody may be of anybody.
    pub(super) fn may_be_of(&self, key: &Fingerprint) -> bool {
        let issuers = &self.subpackets.issuers;
        issuers.is_empty() || issuers.iter().any(|issuer| issuer.names(key))
    }

    /// What the digest is made of, around `data` (section 5.2.4).
    pub(super) fn message(&self, data: &[&[u8]]) -> Vec<u8> {
        let parts = [&[&self.salt[..]], data, &[&self.trailer]].concat();
        parts.concat()
    }
}

/// Section 5.2.4: the fields up to the signed subpackets, and how long they are.
fn trailer(version: u8, fields: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(fields.len() + 1).ok()?.to_be_bytes();
    Some([&[version], fields, &[version, 0xff], &length].concat())
}

/// Section 5.2.3: as long as the hash demands (section 9.5).
fn salt<'a>(octets: &mut Octets<'a>, hash: u8) -> Result<&'a [u8], OpenPgpError> {
    let length = usize::from(octets.u8()?);
    let salt = octets.take(length)?;
    match HashAlgorithm::of(hash)?.salt() {
        Some(expected) if expected == length => Ok(salt),
        _ => Err(octets.malformed()),
    }
}
