//! From a message and a keyring to a fact: which key signed what.

use super::check::{Sha1, check, signed_data};
use super::error::OpenPgpError;
use super::fingerprint::{Fingerprint, Handle};
use super::hash::HashAlgorithm;
use super::history::gather;
use super::keyring::{Candidate, Keyring};
use super::message::Message;
use super::self_signature::SelfSignature;
use super::signature_packet::{PRIMARY_BINDING, SignaturePacket};
use super::signer::MessageSigner;
use super::standing::{Said, Standing, Terms, standing};
use super::transferable::UserId;
use crate::crypto::{
    KeyKind, Pending, Provider, Refusals, Refused, Role, Rule, Scheme, Step, Verified,
    first_to_settle,
};
use crate::error::{Failure, HostError};
use crate::limits;
use crate::time::UnixTime;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

/// What a key of the keyring signed. Each proof that it needs has a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedPayload {
    signed: Signed,
    /// The primary key says that it is one.
    certified: SelfSignature,
    signer: SigningKey,
    by: MessageSigner,
    /// When the key expired, where that was passed over.
    expired: Option<UnixTime>,
    /// The first second at which time alone makes another answer of this one.
    ends: Option<UnixTime>,
}

/// Read from the message that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Signed {
    payload: Vec<u8>,
    created: UnixTime,
    expires: Option<UnixTime>,
    scheme: Scheme,
    kind: KeyKind,
    hash: HashAlgorithm,
}

/// Why a message proves nothing.
#[derive(Debug)]
pub struct Unproven {
    /// The code and message, and the steps up to there.
    pub refused: Refused,
    /// Whose it is, where every signature held and a date alone refuses it.
    pub signer: Option<Box<MessageSigner>>,
}

impl From<Refused> for Unproven {
    fn from(refused: Refused) -> Self {
        Self {
            refused,
            signer: None,
        }
    }
}

/// By whom.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SigningKey {
    Primary,
    /// The primary key says that it is its own, and it says so too.
    Subkey(SelfSignature, Cross),
}

/// A subkey says which key it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cross {
    expires: Option<UnixTime>,
}

impl SignedPayload {
    /// The payload: the very bytes that were signed.
    pub fn payload(&self) -> &[u8] {
        &self.signed.payload
    }

    /// Who signed.
    pub fn by(&self) -> &MessageSigner {
        &self.by
    }

    /// The fingerprint of the primary key: what an operator lists.
    pub fn primary(&self) -> &Fingerprint {
        &self.by.primary
    }

    /// The fingerprint of the key that signed: the primary key or its subkey.
    pub fn signer(&self) -> &Fingerprint {
        &self.by.signer
    }

    /// When it was signed: the signer's own word.
    pub fn created(&self) -> UnixTime {
        self.signed.created
    }

    /// When the key that signed was made.
    pub fn key_created(&self) -> UnixTime {
        self.by.key_created
    }

    /// When its key expired, where the terms pass that over.
    pub fn expired(&self) -> Option<UnixTime> {
        self.expired
    }

    /// The first second at which it may prove something else or nothing, by what it and its key say.
    pub fn ends(&self) -> Option<UnixTime> {
        self.ends
    }

    /// `last` is the last second at which its key counts, `said` when the first of what the key says
    /// of itself ends.
    fn until(self, last: Option<UnixTime>, said: Option<UnixTime>) -> Self {
        let crossed = match &self.signer {
            SigningKey::Primary => None,
            SigningKey::Subkey(_, cross) => cross.expires,
        };
        let after = last.map(|last| UnixTime(last.0.saturating_add(1)));
        let ends = [self.signed.expires, said, crossed, after];
        Self {
            ends: ends.into_iter().flatten().min(),
            ..self
        }
    }

    /// By which scheme.
    pub fn scheme(&self) -> Scheme {
        self.signed.scheme
    }
}

impl Message {
    /// That a key of `keyring` signed the payload, and may have:
    ///
    /// 1. the signature has not expired; 2. it holds; 3. what the key says of itself: not revoked,
    ///    certified, a subkey bound both ways, meant for signing; 4. not expired, or passed over.
    ///
    /// # Errors
    /// [`HostError`] when the provider gave no answer; inside, why it proves nothing.
    pub async fn verify<P: Provider>(
        &self,
        keyring: &Keyring,
        terms: Terms,
        provider: &P,
    ) -> Result<Result<Verified<SignedPayload>, Unproven>, HostError> {
        let candidates = match self.candidates(keyring, terms) {
            Ok(candidates) => candidates,
            Err(error) => return Ok(Err(Refused::new(error).into())),
        };
        let (mut refusals, mut signer) = (Refusals::default(), None);
        for candidate in candidates {
            match self.by(candidate, keyring, terms, provider).await? {
                Ok(verified) => return Ok(Ok(verified)),
                Err(unproven) => {
                    refusals.add(unproven.refused);
                    signer = signer.or(unproven.signer);
                }
            }
        }
        let refused = refusals.into_refused(OpenPgpError::NoIssuer);
        Ok(Err(Unproven { refused, signer }))
    }

    /// Who may have signed; what costs no check comes first.
    fn candidates<'a>(
        &self,
        keyring: &'a Keyring,
        terms: Terms,
    ) -> Result<Vec<Candidate<'a>>, OpenPgpError> {
        if let Some(at) = self.signature.expires().filter(|at| *at <= terms.now) {
            return Err(OpenPgpError::SignatureExpired { at });
        }
        let candidates = keyring.named(self.issuers());
        if candidates.len() > limits::OPENPGP_CANDIDATES {
            return Err(OpenPgpError::TooManyKeys {
                what: "keys of one key id",
                limit: limits::OPENPGP_CANDIDATES,
            });
        }
        if candidates.is_empty() {
            let issuer = self.issuers().last().cloned();
            return Err(
                issuer.map_or(OpenPgpError::NoIssuer, |issuer| OpenPgpError::UnknownKey {
                    issuer,
                }),
            );
        }
        Ok(candidates)
    }

    async fn by<P: Provider>(
        &self,
        candidate: Candidate<'_>,
        keyring: &Keyring,
        terms: Terms,
        provider: &P,
    ) -> Result<Result<Verified<SignedPayload>, Unproven>, HostError> {
        // The message's own signature first: without it nothing of the key is asked.
        let signed = match self.claim(candidate) {
            Ok(claim) => match claim.settle(provider).await? {
                Ok(signed) => signed,
                Err(refused) => return Ok(Err(refused.into())),
            },
            Err(refused) => return Ok(Err(refused.into())),
        };
        let steps = signed.steps().to_vec();
        let (standing, proofs) = match prove(candidate, keyring, signed, terms, provider).await? {
            Ok(proven) => proven,
            Err(refused) => return Ok(Err(refused.after(steps).into())),
        };
        let verified = match proofs.conclude(candidate, standing) {
            Ok(verified) => verified,
            Err(refused) => return Ok(Err(refused.into())),
        };
        let signer = verified.claim().by().clone();
        Ok(
            in_time(verified, standing, terms).map_err(|refused| Unproven {
                refused,
                signer: Some(Box::new(signer)),
            }),
        )
    }

    /// The signature over the payload (RFC 9580 section 5.2.1.1): the claim is read from the
    /// message that is checked.
    fn claim(&self, candidate: Candidate<'_>) -> Result<Pending<Signed>, Refused> {
        let (signature, packet) = (&self.signature, candidate.packet());
        let role = Role::OpenPgpMessage;
        let data: [&[u8]; 1] = [&self.payload];
        let check = check(role, packet, signature, &data, Sha1::Refused).map_err(Refused::new)?;
        let (scheme, kind) = (check.scheme(), check.key().kind());
        Pending::read(check, |message| {
            Ok(Signed {
                payload: signed_data(signature, message, &self.payload)?.into(),
                created: signature.created,
                expires: signature.expires(),
                scheme,
                kind,
                hash: HashAlgorithm::of(signature.hash)?,
            })
        })
    }
}

/// What the key says of itself, next to what it signed.
async fn prove<P: Provider>(
    candidate: Candidate<'_>,
    keyring: &Keyring,
    signed: Verified<Signed>,
    terms: Terms,
    provider: &P,
) -> Result<Result<(Standing, Proofs), Refused>, HostError> {
    let history = match gather(candidate, keyring, provider).await? {
        Ok(history) => history,
        Err(refused) => return Ok(Err(refused)),
    };
    let said = Said {
        claims: history.verified.iter().map(Verified::claim).collect(),
        doubtful: &history.doubtful,
        terms,
    };
    let standing = match standing(candidate, &said) {
        Ok(standing) => standing,
        Err(error) => return Ok(Err(Refused::new(error))),
    };
    let (mut certified, mut binding, mut others) = (None, None, Vec::new());
    for (place, verified) in history.verified.into_iter().enumerate() {
        if place == standing.certified {
            certified = Some(verified);
        } else if Some(place) == standing.bound {
            binding = Some(verified);
        } else {
            others.extend_from_slice(verified.steps());
        }
    }
    let bound = match binding {
        None => None,
        Some(binding) => {
            let cross = cross_signed(candidate, binding.claim(), terms.now, provider).await?;
            match cross {
                Ok(cross) => Some(binding.and(cross)),
                Err(refused) => return Ok(Err(refused)),
            }
        }
    };
    let Some(certified) = certified else {
        return Ok(Err(Refused::new(OpenPgpError::NotCertified {
            key: Handle::from(candidate.key.fingerprint()),
        })));
    };
    let proofs = Proofs {
        signed,
        certified,
        bound,
        others,
    };
    Ok(Ok((standing, proofs)))
}

/// That the subkey signed that it belongs to the primary key (RFC 9580 section 5.2.1.8), inside of
/// the signature that binds it: else a key could take somebody else's subkey for its own.
async fn cross_signed<P: Provider>(
    candidate: Candidate<'_>,
    binding: &SelfSignature,
    now: UnixTime,
    provider: &P,
) -> Result<Result<Verified<Cross>, Refused>, HostError> {
    let signer = candidate.packet();
    let claim = |body: &Vec<u8>| {
        let signature = SignaturePacket::parse(body).map_err(Refused::new)?;
        let missing = OpenPgpError::NotCrossSigned {
            key: Handle::from(&signer.fingerprint),
        };
        let has_expired = signature.expires().is_some_and(|at| at <= now);
        if signature.kind != PRIMARY_BINDING || has_expired {
            return Err(Refused::new(missing));
        }
        let role = Role::OpenPgpCrossSignature;
        let data: [&[u8]; 2] = [&candidate.key.primary.hashed, &signer.hashed];
        let check = check(role, signer, &signature, &data, Sha1::Refused).map_err(Refused::new)?;
        let expires = signature.expires();
        Pending::read(check.recurring(), |_| Ok(Cross { expires }))
    };
    let alternatives: Vec<_> = binding.embedded.iter().map(claim).collect();
    if alternatives.is_empty() {
        return Ok(Err(Refused::new(OpenPgpError::NotCrossSigned {
            key: Handle::from(&signer.fingerprint),
        })));
    }
    first_to_settle(alternatives, provider).await
}

/// All that was seen to hold.
struct Proofs {
    signed: Verified<Signed>,
    certified: Verified<SelfSignature>,
    /// Of a subkey.
    bound: Option<Verified<(SelfSignature, Cross)>>,
    /// What else the key says of itself.
    others: Vec<Step>,
}

impl Proofs {
    fn conclude(
        self,
        candidate: Candidate<'_>,
        standing: Standing,
    ) -> Result<Verified<SignedPayload>, Refused> {
        let packet = candidate.packet();
        let of = |signed, certified, signer| SignedPayload {
            by: by(candidate, standing, &signed),
            signed,
            certified,
            signer,
            expired: None,
            ends: None,
        };
        let key = self.signed.and(self.certified).meanwhile(&self.others);
        let verified = match self.bound {
            None if candidate.subkey.is_none() => {
                let rule = Rule::new("openpgp.primary", "the primary key itself signed");
                key.check(rule, |(signed, certified)| {
                    Ok(of(signed, certified, SigningKey::Primary))
                })?
            }
            Some(bound) => {
                let text = format!("the subkey {} of the key signed", packet.fingerprint);
                key.and(bound).check(
                    Rule::new("openpgp.subkey", text),
                    |((signed, certified), (binding, cross))| {
                        Ok(of(signed, certified, SigningKey::Subkey(binding, cross)))
                    },
                )?
            }
            None => {
                return Err(Refused::new(OpenPgpError::NotBound {
                    key: Handle::from(&packet.fingerprint),
                }));
            }
        };
        if !verified.claim().certified.is_sha1 {
            return Ok(verified);
        }
        let text = "the key's signature over itself has a SHA-1 digest, which is taken there alone";
        Ok(verified.note_waived(Rule::new("openpgp.sha1-self-signature", text)))
    }
}

fn by(candidate: Candidate<'_>, standing: Standing, signed: &Signed) -> MessageSigner {
    let packet = candidate.packet();
    let user_ids = &candidate.key.user_ids;
    let user_id = standing.user_id.and_then(|place| user_ids.get(place));
    MessageSigner {
        primary: candidate.key.fingerprint().clone(),
        signer: packet.fingerprint.clone(),
        user_id: user_id.and_then(UserId::text),
        kind: signed.kind,
        hash: signed.hash,
        key_created: packet.created,
        key_expires: standing.expires,
        signed: signed.created,
        expires: signed.expires,
    }
}

/// As GnuPG has it: the key is no newer than what it signed, and has not expired.
fn in_time(
    verified: Verified<SignedPayload>,
    standing: Standing,
    terms: Terms,
) -> Result<Verified<SignedPayload>, Refused> {
    let key = Handle::from(verified.claim().signer());
    let rule = Rule::new("openpgp.key-time", "the key was made before it signed");
    let verified = verified.check(rule, |signed| {
        if signed.key_created() <= signed.created() {
            Ok(signed)
        } else {
            let created = signed.key_created();
            Err(Failure::from(OpenPgpError::KeyNewer {
                key: key.clone(),
                created,
            }))
        }
    })?;
    let now = terms.now;
    let rule = Rule::new(
        "openpgp.key-expiry",
        format!("the key has not expired at {now}"),
    );
    let (expires, said) = (standing.expires, standing.said_until);
    let Some(at) = expires.filter(|at| *at < now) else {
        return verified.check(rule, |signed| Ok(signed.until(expires, said)));
    };
    let Some(until) = terms.expired_keys_until.filter(|until| now <= *until) else {
        let error = OpenPgpError::KeyExpired { key, at };
        return verified.check(rule, |_| Err(Failure::from(error)));
    };
    let text = format!("the key expired at {at}, which is passed over until {until}");
    let verified = verified.note_waived(Rule::new("openpgp.key-expiry", text));
    let rule = Rule::new(
        "openpgp.signed-before-expiry",
        "it signed before it expired",
    );
    verified.check(rule, |signed| {
        if signed.created() <= at {
            let expired = Some(at);
            Ok(SignedPayload {
                expired,
                ..signed.until(Some(until), said)
            })
        } else {
            Err(Failure::from(OpenPgpError::SignedAfterExpiry { key, at }))
        }
    })
}
