//! Subpackets of signatures (RFC 9580 section 5.2.3.7).

use super::error::OpenPgpError;
use super::fingerprint::{Fingerprint, Handle};
use super::octets::Octets;
use crate::limits;
use alloc::vec::Vec;

/// Types (section 5.2.3.7).
const CREATED: u8 = 2;
const EXPIRES: u8 = 3;
const KEY_EXPIRES: u8 = 9;
const REVOKER: u8 = 12;
const ISSUER: u8 = 16;
const PRIMARY_USER_ID: u8 = 25;
const KEY_FLAGS: u8 = 27;
const EMBEDDED: u8 = 32;
const ISSUER_FINGERPRINT: u8 = 33;
/// What a critical one may be: those above, and those that change nothing here (preferences, policy
/// addresses, features, names of signers). Notations (20) and regular expressions (6) are not.
const UNDERSTOOD: [u8; 24] = [
    CREATED,
    EXPIRES,
    4,
    5,
    7,
    KEY_EXPIRES,
    11,
    REVOKER,
    ISSUER,
    21,
    22,
    23,
    24,
    PRIMARY_USER_ID,
    26,
    KEY_FLAGS,
    28,
    29,
    30,
    EMBEDDED,
    ISSUER_FINGERPRINT,
    34,
    35,
    39,
];

/// What a signature says beside what it is over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Subpackets {
    /// Seconds since 1970.
    pub created: Option<u32>,
    /// Seconds after it was created.
    pub expires: Option<u32>,
    /// Seconds after the key was created.
    pub key_expires: Option<u32>,
    pub key_flags: Option<u8>,
    /// Whether the user id that it certifies is the one to be shown.
    pub is_primary: bool,
    /// Whose revocations of this key count.
    pub revokers: Vec<Fingerprint>,
    /// Who made it. Those that are not hashed are found here too: they prove nothing.
    pub issuers: Vec<Handle>,
    /// Signature packets' bodies.
    pub embedded: Vec<Vec<u8>>,
    /// The first that is critical, and not understood.
    pub critical: Option<u8>,
}

impl Subpackets {
    /// Those that are signed, then those that are not: of the latter only who made the signature
    /// and what proves itself are read.
    pub(super) fn parse(hashed: &[u8], unhashed: &[u8]) -> Result<Self, OpenPgpError> {
        let mut found = Self::default();
        for (area, is_hashed) in [(hashed, true), (unhashed, false)] {
            let mut octets = Octets::of(area, "a subpacket");
            while !octets.is_empty() {
                let body = octets.take_subpacket()?;
                found.add(body, is_hashed)?;
            }
        }
        Ok(found)
    }

    fn add(&mut self, body: &[u8], is_hashed: bool) -> Result<(), OpenPgpError> {
        let mut octets = Octets::of(body, "a subpacket");
        let head = octets.u8()?;
        let (kind, is_critical) = (head & 0x7f, head & 0x80 != 0);
        if is_critical && !UNDERSTOOD.contains(&kind) && self.critical.is_none() {
            self.critical = Some(kind);
        }
        match kind {
            ISSUER => self.add_issuer(Handle::KeyId(octets.array()?))?,
            ISSUER_FINGERPRINT => self.add_issuer(fingerprint(&mut octets)?)?,
            EMBEDDED if self.embedded.len() < limits::OPENPGP_EMBEDDED => {
                self.embedded.push(octets.rest().into());
                return Ok(());
            }
            CREATED if is_hashed => once(&mut self.created, &mut octets)?,
            EXPIRES if is_hashed => once(&mut self.expires, &mut octets)?,
            KEY_EXPIRES if is_hashed => once(&mut self.key_expires, &mut octets)?,
            PRIMARY_USER_ID if is_hashed => {
                // Section 5.2.3.27. It is for people alone: said twice, it changes no verdict.
                self.is_primary = octets.rest().first().is_some_and(|said| *said != 0);
                return Ok(());
            }
            KEY_FLAGS if is_hashed => {
                // Section 5.2.3.29: what is left out is zero.
                let flags = octets.rest().first().copied().unwrap_or(0);
                if self.key_flags.replace(flags).is_some() {
                    return Err(octets.malformed());
                }
                return Ok(());
            }
            REVOKER if is_hashed => {
                // Section 5.2.3.23: a class and an algorithm stand before the fingerprint.
                octets.take(2)?;
                self.revokers.push(Fingerprint::v4(octets.array()?));
            }
            _ => return Ok(()),
        }
        octets.finish()
    }

    fn add_issuer(&mut self, issuer: Handle) -> Result<(), OpenPgpError> {
        if self.issuers.len() >= limits::OPENPGP_ISSUERS {
            return Err(OpenPgpError::TooManyKeys {
                what: "issuers of one OpenPGP signature",
                limit: limits::OPENPGP_ISSUERS,
            });
        }
        self.issuers.push(issuer);
        Ok(())
    }
}

/// Section 5.2.3.35: a version, which says how long the fingerprint is.
fn fingerprint(octets: &mut Octets<'_>) -> Result<Handle, OpenPgpError> {
    let fingerprint = match octets.u8()? {
        4 => Fingerprint::v4(octets.array()?),
        6 => Fingerprint::v6(octets.array()?),
        _ => return Err(octets.malformed()),
    };
    Ok(Handle::Fingerprint(fingerprint))
}

/// We reject what is said twice, because readers differ in which of them they take.
fn once(place: &mut Option<u32>, octets: &mut Octets<'_>) -> Result<(), OpenPgpError> {
    match place.replace(octets.u32()?) {
        None => Ok(()),
        Some(_) => Err(octets.malformed()),
    }
}

impl<'a> Octets<'a> {
    /// Type and body (section 5.2.3.7), without the length before them.
    fn take_subpacket(&mut self) -> Result<&'a [u8], OpenPgpError> {
        let length = match self.u8()? {
            first @ 0..=191 => usize::from(first),
            255 => self.length()?,
            first => ((usize::from(first) - 192) << 8) + usize::from(self.u8()?) + 192,
        };
        self.take(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[u8::try_from(body.len() + 1).unwrap(), kind], body].concat()
    }

    #[test]
    fn what_is_signed_counts() {
        let created = one(CREATED, &[0, 0, 0, 1]);
        let flags = one(KEY_FLAGS, &[2]);
        let area = [&created[..], &flags].concat();
        let found = Subpackets::parse(&area, &[]).unwrap();
        assert_eq!((found.created, found.key_flags), (Some(1), Some(2)));
        assert_eq!(Subpackets::parse(&[], &area), Ok(Subpackets::default()));
        let issuer = one(ISSUER, &[1; 8]);
        let found = Subpackets::parse(&[], &issuer).unwrap();
        assert_eq!(found.issuers, [Handle::KeyId([1; 8])]);
    }

    #[test]
    fn what_is_critical_must_be_understood() {
        for (kind, expected) in [(0x80 | 20, Some(20)), (20, None), (0x80 | 2, None)] {
            let found = Subpackets::parse(&one(kind, &[0, 0, 0, 1]), &[]).unwrap();
            assert_eq!(found.critical, expected);
        }
        let unhashed = Subpackets::parse(&[], &one(0x80 | 99, &[])).unwrap();
        assert_eq!(unhashed.critical, Some(99));
    }

    #[test]
    fn malformed_or_said_twice() {
        let created = one(CREATED, &[0, 0, 0, 1]);
        for bad in [
            [&created[..], &created].concat(),
            one(CREATED, &[0, 0, 1]),
            one(CREATED, &[0, 0, 0, 0, 1]),
            one(ISSUER, &[1; 7]),
            one(ISSUER_FINGERPRINT, &[4; 20]),
            one(ISSUER_FINGERPRINT, &[5; 33]),
            one(REVOKER, &[0; 21]),
            [0].into(),
            [5, CREATED, 0].into(),
            [255, 255, 255, 255, 255].into(),
            one(ISSUER, &[1; 8]).repeat(limits::OPENPGP_ISSUERS + 1),
        ] {
            assert!(Subpackets::parse(&bad, &[]).is_err(), "{bad:?}");
        }
    }
}
