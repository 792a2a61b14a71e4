//! Which of the things that a key says of itself hold, as far as one signature of it needs them.

use super::check::{Sha1, check};
use super::error::OpenPgpError;
use super::fingerprint::Handle;
use super::key_packet::KeyPacket;
use super::keyring::{Candidate, Keyring};
use super::self_signature::{SelfSignature, Target};
use super::signature_packet::{
    CERTIFICATION_REVOCATION, KEY_REVOCATION, SUBKEY_BINDING, SUBKEY_REVOCATION, SignaturePacket,
};
use super::transferable::{Subkey, TransferableKey};
use crate::crypto::{Pending, Provider, Refused, Role, SignatureCheck, Verified};
use crate::error::{Failure, HostError};
use crate::limits;
use alloc::vec;
use alloc::vec::Vec;

/// Self-signatures that hold.
#[derive(Debug, Default)]
pub(super) struct History {
    pub verified: Vec<Verified<SelfSignature>>,
    /// User ids with a revocation that cannot be checked: it may be real.
    pub doubtful: Vec<usize>,
}

/// A signature that may be a self-signature.
struct Question<'a> {
    target: Target,
    signature: &'a SignaturePacket,
    /// Who is to have made it.
    by: &'a KeyPacket,
    /// What it is over.
    data: Vec<&'a [u8]>,
}

/// Checks what a key says of itself. What does not hold is passed over, as GnuPG does, because
/// anybody can put such things into a keyring; a revocation that cannot be checked is not.
///
/// # Errors
/// [`HostError`] when the provider gave no answer; inside, that the key or subkey was revoked.
pub(super) async fn gather<P: Provider>(
    candidate: Candidate<'_>,
    keyring: &Keyring,
    provider: &P,
) -> Result<Result<History, Refused>, HostError> {
    let mut history = History::default();
    let own = questions(candidate.key, parts(candidate));
    if let Err(refused) = history.ask(own, provider).await? {
        return Ok(Err(refused));
    }
    let others = by_others(candidate, &history, keyring);
    Ok(history.ask(others, provider).await?.map(|()| history))
}

impl History {
    async fn ask<P: Provider>(
        &mut self,
        questions: Result<Vec<Question<'_>>, OpenPgpError>,
        provider: &P,
    ) -> Result<Result<(), Refused>, HostError> {
        let questions = match questions {
            Ok(questions) => questions,
            Err(error) => return Ok(Err(Refused::new(error))),
        };
        for question in questions {
            let claim = match question.claim() {
                Ok(claim) => claim,
                Err(failure) => match self.unchecked(&question, &failure) {
                    Ok(()) => continue,
                    Err(error) => return Ok(Err(Refused::new(error))),
                },
            };
            let Ok(verified) = claim.settle(provider).await? else {
                continue;
            };
            if let Some(error) = question.revoked() {
                let steps = verified.steps().to_vec();
                return Ok(Err(Refused::new(error).after(steps)));
            }
            self.verified.push(verified);
        }
        Ok(Ok(()))
    }

    /// A signature that cannot be checked: if it may revoke, what it revokes is not used.
    fn unchecked(
        &mut self,
        question: &Question<'_>,
        failure: &Failure,
    ) -> Result<(), OpenPgpError> {
        // It is over something else, or by somebody else.
        if *failure == Failure::from(OpenPgpError::Digest) {
            return Ok(());
        }
        match (question.signature.kind, question.target) {
            (KEY_REVOCATION | SUBKEY_REVOCATION, _) => Err(OpenPgpError::Revocation {
                key: Handle::from(&question.by.fingerprint),
            }),
            (CERTIFICATION_REVOCATION, Target::UserId(place)) => {
                self.doubtful.push(place);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// What a key says of itself and its user ids, where nothing was verified. What cannot be checked is
/// left out, as what plainly is over something else.
///
/// # Errors
/// [`OpenPgpError`]: there is a revocation.
pub(super) fn unverified(key: &TransferableKey) -> Result<Vec<SelfSignature>, OpenPgpError> {
    claims(key, parts(Candidate { key, subkey: None }))
}

/// The same of one of its subkeys alone.
///
/// # Errors
/// As [`unverified`].
pub(super) fn unverified_subkey(
    key: &TransferableKey,
    subkey: &Subkey,
) -> Result<Vec<SelfSignature>, OpenPgpError> {
    claims(key, [of_subkey(subkey)])
}

fn claims<'a>(
    key: &'a TransferableKey,
    parts: impl IntoIterator<Item = Part<'a>>,
) -> Result<Vec<SelfSignature>, OpenPgpError> {
    let mut claims = Vec::new();
    for question in questions(key, parts)? {
        if question.check().is_err() {
            continue;
        }
        if let Some(error) = question.revoked() {
            return Err(error);
        }
        claims.push(SelfSignature::of(question.target, question.signature));
    }
    Ok(claims)
}

impl Question<'_> {
    fn check(&self) -> Result<SignatureCheck, Failure> {
        // SHA-1 counts in what a primary key says of itself alone, and in what revokes; it never
        // binds a subkey.
        let sha1 = match self.signature.kind {
            SUBKEY_BINDING => Sha1::Refused,
            _ => Sha1::Allowed,
        };
        let role = Role::OpenPgpSelfSignature;
        check(role, self.by, self.signature, &self.data, sha1)
    }

    fn claim(&self) -> Result<Pending<SelfSignature>, Failure> {
        let claim = SelfSignature::of(self.target, self.signature);
        // Asked again for each message of the key.
        Pending::read(self.check()?.recurring(), |_| Ok(claim)).map_err(|refused| refused.failure)
    }

    /// Sections 5.2.1.11 and 5.2.1.12. As GnuPG has it: once revoked is revoked, whatever reason
    /// and whatever date it gives.
    fn revoked(&self) -> Option<OpenPgpError> {
        match self.signature.kind {
            KEY_REVOCATION => Some(OpenPgpError::KeyRevoked {
                by: Handle::from(&self.by.fingerprint),
            }),
            SUBKEY_REVOCATION => Some(OpenPgpError::SubkeyRevoked),
            _ => None,
        }
    }
}

/// Of a key: what it is, the signatures over it, and what they hash beside the primary key.
type Part<'a> = (Target, &'a [SignaturePacket], Option<&'a [u8]>);

fn of_subkey(subkey: &Subkey) -> Part<'_> {
    let hashed = Some(&subkey.packet.hashed[..]);
    (Target::Subkey, &subkey.signatures, hashed)
}

/// Of what must be asked before a signature of a key counts.
fn parts(candidate: Candidate<'_>) -> impl Iterator<Item = Part<'_>> {
    let key = candidate.key;
    let primary: Part<'_> = (Target::Primary, &key.direct, None);
    let user_ids = key.user_ids.iter().enumerate();
    core::iter::once(primary)
        .chain(candidate.subkey.map(of_subkey))
        .chain(user_ids.map(|(place, id)| {
            let part: Part<'_> = (Target::UserId(place), &id.signatures, Some(&id.hashed));
            part
        }))
}

/// What must be asked about these parts of a key.
fn questions<'a>(
    key: &'a TransferableKey,
    parts: impl IntoIterator<Item = Part<'a>>,
) -> Result<Vec<Question<'a>>, OpenPgpError> {
    let mut questions = Vec::new();
    for (target, signatures, part) in parts {
        for signature in signatures {
            if !target.takes(signature.kind) || !signature.may_be_of(key.fingerprint()) {
                continue;
            }
            questions.push(Question {
                target,
                signature,
                by: &key.primary,
                // Section 5.2.4: the primary key, then what it is said of.
                data: [&key.primary.hashed[..]].into_iter().chain(part).collect(),
            });
            bounded(questions.len())?;
        }
    }
    Ok(questions)
}

/// Key revocations by those that the key itself names for it (section 5.2.3.23).
fn by_others<'a>(
    candidate: Candidate<'a>,
    history: &History,
    keyring: &'a Keyring,
) -> Result<Vec<Question<'a>>, OpenPgpError> {
    let key = candidate.key;
    let mut questions = Vec::new();
    let named = history
        .verified
        .iter()
        .flat_map(|own| &own.claim().revokers);
    for revoker in named {
        for signature in &key.direct {
            if signature.kind != KEY_REVOCATION || !signature.may_be_of(revoker) {
                continue;
            }
            let found = keyring.named(&[Handle::from(revoker)]);
            let Some(by) = found.first().map(Candidate::packet) else {
                return Err(OpenPgpError::Revocation {
                    key: Handle::from(key.fingerprint()),
                });
            };
            questions.push(Question {
                target: Target::Primary,
                signature,
                by,
                data: vec![&key.primary.hashed],
            });
            bounded(questions.len())?;
        }
    }
    Ok(questions)
}

fn bounded(questions: usize) -> Result<(), OpenPgpError> {
    if questions <= limits::OPENPGP_SELF_SIGNATURES {
        return Ok(());
    }
    Err(OpenPgpError::TooManyKeys {
        what: "signatures of an OpenPGP key over itself",
        limit: limits::OPENPGP_SELF_SIGNATURES,
    })
}
