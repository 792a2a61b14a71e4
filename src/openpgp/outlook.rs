//! What the keys of a keyring say of themselves, for lints: nothing is verified here, and no verdict
//! asks.

use super::error::OpenPgpError;
use super::fingerprint::{Fingerprint, Handle};
use super::history::{unverified, unverified_subkey};
use super::keyring::{Candidate, Keyring};
use super::self_signature::SelfSignature;
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
    let mut outlook = Outlook {
        key: key.fingerprint().clone(),
        signers: Vec::new(),
        is_sha1: false,
    };
    // Once for all subkeys: user ids can be long.
    let own = (key.primary.key.clone()).and_then(|_| unverified(key));
    for subkey in core::iter::once(None).chain(key.subkeys.iter().map(Some)) {
        let candidate = Candidate { key, subkey };
        let expires = match &own {
            Ok(own) => expires(candidate, own, now, &mut outlook.is_sha1),
            Err(error) => Err(error.clone()),
        };
        outlook.signers.push(PossibleSigner {
            key: candidate.packet().fingerprint.clone(),
            expires,
        });
    }
    outlook
}

fn expires(
    candidate: Candidate<'_>,
    own: &[SelfSignature],
    now: UnixTime,
    is_sha1: &mut bool,
) -> Result<Option<UnixTime>, OpenPgpError> {
    candidate.packet().key.clone()?;
    let bindings = match candidate.subkey {
        Some(subkey) => unverified_subkey(candidate.key, subkey)?,
        None => Vec::new(),
    };
    let said = Said {
        claims: own.iter().chain(&bindings).collect(),
        doubtful: &[],
        terms: Terms {
            now,
            expired_keys_until: None,
        },
    };
    let standing = standing(candidate, &said)?;
    let claim = |place: usize| said.claims.get(place).copied();
    if let Some(binding) = standing.bound.and_then(claim)
        && binding.embedded.is_empty()
    {
        return Err(OpenPgpError::NotCrossSigned {
            key: Handle::from(&candidate.packet().fingerprint),
        });
    }
    *is_sha1 |= claim(standing.certified).is_some_and(|certified| certified.is_sha1);
    Ok(standing.expires)
}
