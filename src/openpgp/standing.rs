//! What holds of a key at a time, by what it says of itself; decided as GnuPG does
//! (`merge_selfsigs`).

use super::error::OpenPgpError;
use super::fingerprint::Handle;
use super::key_packet::KeyPacket;
use super::keyring::Candidate;
use super::self_signature::{SelfSignature, Target};
use super::signature_packet::{CERTIFICATION_REVOCATION, DIRECT, SUBKEY_BINDING};
use crate::time::UnixTime;
use alloc::vec::Vec;

/// May sign data (RFC 9580 section 5.2.3.29).
const SIGNS: u8 = 0x02;

/// When a signature is judged, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The time.
    pub now: UnixTime,
    /// Until when it is passed over that a key has expired since it signed. A signature's date is
    /// the signer's own word.
    pub expired_keys_until: Option<UnixTime>,
}

/// What holds of the key that signed. Places are those of [`Said::claims`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// What certifies the primary key.
    pub certified: usize,
    /// What binds the subkey, where one signed.
    pub bound: Option<usize>,
    /// The user id to be shown, of those that stand.
    pub user_id: Option<usize>,
    pub expires: Option<UnixTime>,
    /// When the first of what the key says of itself ends: something else may hold from then on.
    pub said_until: Option<UnixTime>,
}

/// What a key says of itself, in the order in which it was found.
pub(super) struct Said<'a> {
    pub claims: Vec<&'a SelfSignature>,
    /// User ids with a revocation that may be real.
    pub doubtful: &'a [usize],
    pub terms: Terms,
}

/// # Errors
/// [`OpenPgpError`]: not certified, not bound, not for signing, not yet made.
pub(super) fn standing(
    candidate: Candidate<'_>,
    said: &Said<'_>,
) -> Result<Standing, OpenPgpError> {
    let (key, signer) = (&candidate.key.primary, candidate.packet());
    for packet in [key, signer] {
        if packet.created > said.terms.now {
            return Err(OpenPgpError::KeyFuture {
                key: Handle::from(&packet.fingerprint),
                created: packet.created,
            });
        }
    }
    let primary = said.primary(key)?;
    let (bound, signing) = match candidate.subkey {
        None => (None, primary),
        Some(subkey) => {
            let binding = said.latest(Target::Subkey, |own| own.kind == SUBKEY_BINDING);
            let (place, binding) = binding.ok_or_else(|| OpenPgpError::NotBound {
                key: Handle::from(&subkey.packet.fingerprint),
            })?;
            let expires = later(&subkey.packet, binding.key_expires);
            let own = Holds {
                expires,
                key_flags: binding.key_flags,
                certified: place,
            };
            (Some(place), own)
        }
    };
    // Section 5.2.3.29; without flags a key may do what its algorithm can, as with GnuPG.
    if signing.key_flags.is_some_and(|flags| flags & SIGNS == 0) {
        return Err(OpenPgpError::NotForSigning {
            key: Handle::from(&signer.fingerprint),
        });
    }
    Ok(Standing {
        certified: primary.certified,
        bound,
        user_id: said.user_id(candidate),
        // A subkey ends with its primary key.
        expires: [primary.expires, signing.expires]
            .into_iter()
            .flatten()
            .min(),
        said_until: said.live().filter_map(|(_, claim)| claim.expires).min(),
    })
}

/// Of one key.
#[derive(Clone, Copy)]
struct Holds {
    expires: Option<UnixTime>,
    key_flags: Option<u8>,
    certified: usize,
}

impl<'a> Said<'a> {
    /// What has not expired, in order.
    fn live(&self) -> impl Iterator<Item = (usize, &'a SelfSignature)> {
        let claims = self.claims.iter().copied().enumerate();
        claims.filter(|(_, claim)| claim.is_live(self.terms.now))
    }

    /// The latest about this; of equals the last.
    fn latest(
        &self,
        target: Target,
        is_wanted: impl Fn(&SelfSignature) -> bool,
    ) -> Option<(usize, &'a SelfSignature)> {
        self.live()
            .filter(|(_, claim)| claim.target == target && is_wanted(claim))
            .max_by_key(|(place, claim)| (claim.created, *place))
    }

    /// What certifies each user id that stands, the newest last.
    fn certifications(&self) -> Vec<(usize, &'a SelfSignature)> {
        let mut found = Vec::new();
        for (_, claim) in self.live() {
            let Target::UserId(id) = claim.target else {
                continue;
            };
            let latest = self.latest(claim.target, |_| true);
            // What is over SHA-1 brings nothing back that was revoked.
            let is_revoked = |own: &SelfSignature| own.kind == CERTIFICATION_REVOCATION;
            let revoked = self.latest(claim.target, is_revoked).is_some();
            let stands = !self.doubtful.contains(&id);
            if let Some((place, claim)) = latest
                && stands
                && !is_revoked(claim)
                && !(revoked && claim.is_sha1)
                && !found.contains(&(place, claim))
            {
                found.push((place, claim));
            }
        }
        found.sort_by_key(|(place, claim)| (claim.created, *place));
        found
    }

    /// As GnuPG chooses it: one that says that it is to be shown, the newest of such.
    fn user_id(&self, candidate: Candidate<'_>) -> Option<usize> {
        let texts = |(_, own): (usize, &SelfSignature)| match own.target {
            Target::UserId(id) => {
                let text = candidate.key.user_ids.get(id)?.text();
                text.map(|_| (own.is_primary, own.created, id))
            }
            _ => None,
        };
        let found = self.certifications().into_iter().filter_map(texts);
        found
            .max_by_key(|(is_primary, created, _)| (*is_primary, *created))
            .map(|(.., id)| id)
    }

    /// Version 6 (RFC 9580 section 10.1.1): by its direct-key signature. Version 4, as GnuPG: by a
    /// user id that stands; a direct-key signature says more than it, then the newest that says
    /// anything.
    fn primary(&self, key: &KeyPacket) -> Result<Holds, OpenPgpError> {
        let direct = self.latest(Target::Primary, |own| own.kind == DIRECT);
        let certifications = self.certifications();
        let certified = match key.version {
            6 => direct,
            _ => certifications.last().copied(),
        };
        let (certified, _) = certified.ok_or_else(|| OpenPgpError::NotCertified {
            key: Handle::from(&key.fingerprint),
        })?;
        let newest_first = certifications.iter().rev().filter(|_| key.version != 6);
        let said = || direct.iter().chain(newest_first.clone());
        let seconds = said().find_map(|(_, own)| own.key_expires);
        Ok(Holds {
            expires: later(key, seconds),
            key_flags: said().find_map(|(_, own)| own.key_flags),
            certified,
        })
    }
}

fn later(key: &KeyPacket, seconds: Option<u32>) -> Option<UnixTime> {
    seconds.map(|seconds| UnixTime(key.created.0 + i64::from(seconds)))
}
