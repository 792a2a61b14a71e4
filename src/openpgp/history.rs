//! Which of the things that a key says of itself hold, as far as one signature of it needs them.

use super::check::{Sha1, check};
use super::error::OpenPgpError;
use super::fingerprint::Handle;
use super::key_packet::KeyPacket;
use super::keyring::{Candidate, Keyring};
use super::self_signature::{SelfSignature, Target};
use super::signature_packet::{
    CERTIFICATION_REVOCATION, CERTIFICATIONS, DIRECT, KEY_REVOCATION, SUBKEY_BINDING,
    SUBKEY_REVOCATION, SignaturePacket,
};
use crate::crypto::{Pending, Provider, Refused, Role, Verified};
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
    let questions = match questions(candidate, keyring) {
        Ok(questions) => questions,
        Err(error) => return Ok(Err(Refused::new(error))),
    };
    let mut history = History::default();
    for question in questions {
        let check = match question.check() {
            Ok(check) => check,
            Err(failure) => {
                if let Err(error) = history.unchecked(&question, &failure) {
                    return Ok(Err(Refused::new(error)));
                }
                continue;
            }
        };
        let Ok(verified) = check.settle(provider).await? else {
            continue;
        };
        if let Some(error) = question.revoked() {
            let steps = verified.steps().to_vec();
            return Ok(Err(Refused::new(error).after(steps)));
        }
        history.verified.push(verified);
    }
    Ok(Ok(history))
}

impl History {
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

impl Question<'_> {
    fn check(&self) -> Result<Pending<SelfSignature>, Failure> {
        // SHA-1 counts in what a primary key says of itself alone, and in what revokes; it never
        // binds a subkey.
        let sha1 = match self.signature.kind {
            SUBKEY_BINDING => Sha1::Refused,
            _ => Sha1::Allowed,
        };
        let role = Role::OpenPgpSelfSignature;
        let check = check(role, self.by, self.signature, &self.data, sha1)?;
        let claim = SelfSignature::of(self.target, self.signature);
        // Asked again for each message of the key.
        Pending::read(check.recurring(), |_| Ok(claim)).map_err(|refused| refused.failure)
    }

    /// Sections 5.2.1.11 and 5.2.1.12. As GnuPG has it: once revoked is revoked, whatever reason
    /// and whatever date it gives.
    fn revoked(&self) -> Option<OpenPgpError> {
        match self.signature.kind {
            KEY_REVOCATION => Some(OpenPgpError::KeyRevoked {
                key: Handle::from(&self.by.fingerprint),
            }),
            SUBKEY_REVOCATION => Some(OpenPgpError::SubkeyRevoked {
                key: Handle::from(&self.by.fingerprint),
            }),
            _ => None,
        }
    }
}

/// What must be asked of a key before a signature of it counts: revocations first.
fn questions<'a>(
    candidate: Candidate<'a>,
    keyring: &'a Keyring,
) -> Result<Vec<Question<'a>>, OpenPgpError> {
    let key = candidate.key;
    let primary = &key.primary;
    let mut questions = revocations(candidate, keyring)?;
    let mut add = |target, signatures: &'a [SignaturePacket], part: Option<&'a [u8]>| {
        for signature in signatures {
            let belongs = match target {
                Target::Primary => signature.kind == DIRECT,
                Target::UserId(_) => {
                    CERTIFICATIONS.contains(&signature.kind)
                        || signature.kind == CERTIFICATION_REVOCATION
                }
                Target::Subkey => matches!(signature.kind, SUBKEY_BINDING | SUBKEY_REVOCATION),
            };
            if belongs && signature.may_be_of(&primary.fingerprint) {
                questions.push(Question {
                    target,
                    signature,
                    by: primary,
                    // Section 5.2.4: the primary key, then what it is said of.
                    data: [&primary.hashed[..]].into_iter().chain(part).collect(),
                });
            }
        }
    };
    if let Some(subkey) = candidate.subkey {
        let hashed = Some(&subkey.packet.hashed[..]);
        add(Target::Subkey, &subkey.signatures, hashed);
    }
    add(Target::Primary, &key.direct, None);
    for (place, user_id) in key.user_ids.iter().enumerate() {
        let hashed = Some(&user_id.hashed[..]);
        add(Target::UserId(place), &user_id.signatures, hashed);
    }
    if questions.len() > limits::OPENPGP_SELF_SIGNATURES {
        return Err(OpenPgpError::TooManyKeys {
            what: "signatures of an OpenPGP key over itself",
            limit: limits::OPENPGP_SELF_SIGNATURES,
        });
    }
    Ok(questions)
}

/// Key revocations, by the key itself or (section 5.2.3.23) by one that it names for that.
fn revocations<'a>(
    candidate: Candidate<'a>,
    keyring: &'a Keyring,
) -> Result<Vec<Question<'a>>, OpenPgpError> {
    let key = candidate.key;
    let primary = &key.primary;
    let mut questions = Vec::new();
    let found = key.direct.iter();
    for signature in found.filter(|signature| signature.kind == KEY_REVOCATION) {
        let mut ask = |by| {
            questions.push(Question {
                target: Target::Primary,
                signature,
                by,
                data: vec![&primary.hashed],
            });
        };
        if signature.may_be_of(key.fingerprint()) {
            ask(primary);
        }
        let named = key.signatures().flat_map(|own| &own.subpackets.revokers);
        for revoker in named.filter(|revoker| signature.may_be_of(revoker)) {
            let found = keyring.named(&[Handle::from(revoker)]);
            let Some(by) = found.first().map(Candidate::packet) else {
                return Err(OpenPgpError::Revocation {
                    key: Handle::from(key.fingerprint()),
                });
            };
            ask(by);
        }
        if questions.len() > limits::OPENPGP_SELF_SIGNATURES {
            break;
        }
    }
    Ok(questions)
}
