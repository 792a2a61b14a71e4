//! What the keys of a keyring say of themselves, for lints: nothing is verified here, and no verdict
//! asks.

use super::error::OpenPgpError;
use super::fingerprint::{Fingerprint, Handle};
use super::history::unverified;
use super::keyring::{Candidate, Keyring};
use super::standing::{Said, Terms, standing};
use super::transferable::TransferableKey;
use crate::time::UnixTime;
use alloc::vec::Vec;

/// What one key of a keyring says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The fingerprint of the primary key.
    pub key: Fingerprint,
    /// Its primary key, then its subkeys.
    pub signers: Vec<PossibleSigner>,
    /// Whether a SHA-1 digest is all that makes it a key (RFC 9580 section 9.5).
    pub is_sha1: bool,
}

/// A primary key or subkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PossibleSigner {
    /// Its fingerprint.
    pub key: Fingerprint,
    /// When it expires, if ever; or why none of its signatures count.
    pub expires: Result<Option<UnixTime>, OpenPgpError>,
}

impl Keyring {
    /// What each key says of itself at this time.
    pub fn outlooks(&self, now: UnixTime) -> Vec<Outlook> {
        self.keys().map(|key| outlook(key, now)).collect()
    }
}

fn outlook(key: &TransferableKey, now: UnixTime) -> Outlook {
    let mut is_sha1 = false;
    let subkeys = key.subkeys.iter().map(Some);
    let signers = core::iter::once(None).chain(subkeys).map(|subkey| {
        let candidate = Candidate { key, subkey };
        PossibleSigner {
            key: candidate.packet().fingerprint.clone(),
            expires: expires(candidate, now, &mut is_sha1),
        }
    });
    Outlook {
        key: key.fingerprint().clone(),
        signers: signers.collect(),
        is_sha1,
    }
}

fn expires(
    candidate: Candidate<'_>,
    now: UnixTime,
    is_sha1: &mut bool,
) -> Result<Option<UnixTime>, OpenPgpError> {
    candidate.key.primary.key.clone()?;
    candidate.packet().key.clone()?;
    let claims = unverified(candidate)?;
    let said = Said {
        claims: claims.iter().collect(),
        doubtful: &[],
        terms: Terms {
            now,
            expired_keys_until: None,
        },
    };
    let standing = standing(candidate, &said)?;
    if let Some(binding) = standing.bound.and_then(|place| claims.get(place))
        && binding.embedded.is_empty()
    {
        return Err(OpenPgpError::NotCrossSigned {
            key: Handle::from(&candidate.packet().fingerprint),
        });
    }
    let certified = claims.get(standing.certified);
    *is_sha1 |= certified.is_some_and(|certified| certified.is_sha1);
    Ok(standing.expires)
}
