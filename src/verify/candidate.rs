//! One piece of evidence against one requirement: signature, digest, name, identity, log entry, times, predicate and
//! conditions, all from the same candidate (TRUST section 2).

use super::discover::{Body, Found};
use super::image::Subject;
use super::letter;
use super::report::{Candidate, Claims, Outcome, StepReport};
use super::trouble::VerifyError;
use crate::cosign::letter::{Letter, Trust};
use crate::cosign::{AttachedBundle, SignatureLayer, check_predicate, predicate_rule};
use crate::crypto::{Hash, Provider, PublicKey, Refused, Rule, Verified};
use crate::digest::Digest;
use crate::error::{Failure, HostError};
use crate::policy::{Condition, Matcher};
use crate::reference::Reference;
use crate::sigstore::bundle::Bundle;
use crate::sigstore::identity::Identity;
use crate::sigstore::statement::{COSIGN_SIGN, Statement};
use crate::sigstore::trusted_root::TrustedRoot;
use crate::sigstore::verify::{Artifact, Says, Signed, Signer, Thresholds, verify_bundle};
use crate::simple_signing::Payload;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Which names a signature may speak of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Names<'a> {
    /// Any, because someone said so.
    Any,
    /// The repository that was asked for, where it names one (TRUST section 9).
    Own,
    /// As the policy says.
    Matched(&'a Matcher),
}

/// Who must have signed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Who<'a> {
    /// The holder of one of these keys, with the proofs that the root demands.
    Keys { keys: &'a [PublicKey], root: Option<&'a TrustedRoot> },
    /// One of these identities, under this root.
    Identities { identities: &'a [Identity], root: &'a TrustedRoot },
    /// Whom containers/image would believe. Its letter knows `.sig` layers alone.
    Letter { trust: Trust<'a>, rekor: &'a [PublicKey] },
}

/// What must be signed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wants<'a> {
    /// A signature of the image.
    Signature(Names<'a>),
    /// A statement about the image.
    Statement { predicate_type: &'a str, conditions: &'a [Condition], max_age: Option<u64> },
}

/// What is asked of each candidate.
pub(super) struct Question<'a> {
    pub subject: &'a Subject,
    /// The reference as judged.
    pub name: &'a Reference,
    pub now: UnixTime,
    pub who: Who<'a>,
    pub wants: Wants<'a>,
}

/// The rule for names where there is no policy.
const OWN_NAME: Matcher = Matcher::Digest { any_name: false };
/// Characters of a signed name that a message shows.
const SHOWN_NAME: usize = 300;

/// Where a candidate was found, and in which form.
struct Place<'a> {
    found: &'a Found,
    format: &'static str,
}

impl Question<'_> {
    /// Examines one candidate.
    pub(super) async fn examine<P: Provider>(&self, found: &Found, provider: &P) -> Result<Candidate, HostError> {
        match &found.body {
            Body::Layer(layer) => self.layer(&Place { found, format: "cosign-signature" }, layer, provider).await,
            Body::Bundle(bundle) => self.bundle(&Place { found, format: if bundle.is_layer() { "cosign-attestation" } else { "sigstore-bundle" } }, bundle, provider).await,
            Body::Attachment(media_type) => Ok(Place { found, format: "other" }.aside(Failure::new("cosign.attachment", format!("an attachment of type {media_type}, no signature")))),
            Body::Broken(failure) => Ok(Place { found, format: "other" }.refused(&Refused { failure: failure.clone(), steps: Vec::new() })),
        }
    }

    /// A `.sig` layer.
    async fn layer<P: Provider>(&self, place: &Place<'_>, layer: &SignatureLayer, provider: &P) -> Result<Candidate, HostError> {
        if matches!(self.wants, Wants::Statement { .. }) {
            return Ok(place.aside(Failure::new("cosign.attachment", "a signature of the image, no attestation")));
        }
        let (root, by_certificate) = match self.who {
            Who::Keys { keys, root: None } => {
                let verified = match layer.verify(keys, Hash::Sha256, provider).await? {
                    Ok(verified) => verified,
                    Err(refused) => return Ok(place.refused(&refused)),
                };
                let payload = verified.claim().clone();
                let judged = self.judge_payload(verified, |payload| payload);
                return Ok(place.judged(judged, payload_claims(Claims::default(), &payload), format!("a good signature by a trusted key, as {}", payload.docker_reference)));
            }
            Who::Keys { root: Some(root), .. } => (root, false),
            Who::Identities { root, .. } => (root, true),
            Who::Letter { trust, rekor } => {
                return Ok(match layer.verify_letter(&trust, rekor, provider).await? {
                    Ok(verified) => self.judge_letter(place, &trust, verified),
                    Err(refused) => place.refused(&refused),
                });
            }
        };
        match layer.as_bundle(by_certificate) {
            Ok(bundle) => self.rooted(place, &bundle, root, provider).await,
            Err(failure) => Ok(place.refused(&Refused { failure, steps: Vec::new() })),
        }
    }

    /// A bundle, or an `.att` layer.
    async fn bundle<P: Provider>(&self, place: &Place<'_>, bundle: &AttachedBundle, provider: &P) -> Result<Candidate, HostError> {
        if let Some(failure) = self.is_another_thing(bundle) {
            return Ok(place.aside(failure));
        }
        if matches!(self.wants, Wants::Signature(Names::Matched(matcher)) if !matcher.accepts_unnamed()) {
            let failure = Failure::new("identity.unnamed", "a bundle names no repository, and this rule wants a name: only matchDigest accepts it");
            return Ok(place.refused(&Refused { failure, steps: Vec::new() }));
        }
        let keys = match self.who {
            Who::Keys { keys, root: None } => keys,
            Who::Keys { root: Some(root), .. } | Who::Identities { root, .. } => return self.rooted(place, bundle.bundle(), root, provider).await,
            Who::Letter { .. } => return Ok(place.aside(Failure::new("cosign.attachment", "a bundle: this rule reads .sig signatures alone, as containers/image does"))),
        };
        let verified = match bundle.verify_statement(keys, self.predicate_type(), provider).await? {
            Ok(verified) => verified,
            Err(refused) if matches!(refused.failure.code, "bundle.predicate-type" | "bundle.certificate" | "bundle.payload-type") => {
                return Ok(Candidate { outcome: Outcome::SetAside, ..place.refused(&refused) });
            }
            Err(refused) => return Ok(place.refused(&refused)),
        };
        let predicate_type = Some(verified.claim().statement().predicate_type.clone());
        let about = Rule::new("digest.equals", format!("the statement is about {}", self.subject.digest));
        let judged = verified
            .check(about, |claim| if claim.statement().is_about(&self.subject.bytes) { Ok(claim) } else { Err(VerifyError::Subject { digest: self.subject.digest.to_string() }.into()) })
            .and_then(|verified| self.judge_statement(verified, |claim| (claim.statement(), &[])));
        let claims = Claims { digest: Some(self.subject.digest.to_string()), predicate_type, ..Claims::default() };
        Ok(place.judged(judged, claims, self.good("by a trusted key")))
    }

    /// Under a trusted root.
    async fn rooted<P: Provider>(&self, place: &Place<'_>, bundle: &Bundle, root: &TrustedRoot, provider: &P) -> Result<Candidate, HostError> {
        let signers: Vec<Signer> = match self.who {
            Who::Keys { keys, .. } => keys.iter().map(|key| Signer::Key(key.clone(), None)).collect(),
            Who::Identities { identities, .. } => alloc::vec![Signer::Identity(identities.to_vec())],
            Who::Letter { .. } => Vec::new(),
        };
        let artifact = Artifact::Bytes(self.subject.bytes.clone());
        let mut last = Refused { failure: Failure::new("key.none", "expected at least one key to check with, found none"), steps: Vec::new() };
        for signer in &signers {
            match verify_bundle(bundle, &artifact, signer, root, Thresholds::default(), provider).await? {
                Ok(verified) => return Ok(self.judge_signed(place, verified)),
                Err(refused) => last = refused,
            }
        }
        Ok(place.refused(&last))
    }

    fn judge_letter(&self, place: &Place<'_>, trust: &Trust<'_>, verified: Verified<Letter>) -> Candidate {
        let claims = payload_claims(letter::claims(verified.claim()), verified.claim().payload());
        let message = format!("a good signature {}, as {}", letter::by_whom(trust), verified.claim().payload().docker_reference);
        // By the letter a pki chain is judged now, so that its end is the end of this answer.
        let expires = match trust {
            Trust::Pki(pki) => {
                let ends = verified.claim().certificate().into_iter().chain(pki.intermediates).chain(pki.roots).map(|certificate| certificate.not_after().0);
                ends.filter(|end| *end >= self.now.0).min().map(|end| end.saturating_add(1))
            }
            Trust::Keys(_) | Trust::Fulcio(_) => None,
        };
        place.judged(self.judge_payload(verified, Letter::payload), claims, message).until(expires)
    }

    fn judge_signed(&self, place: &Place<'_>, verified: Verified<Signed>) -> Candidate {
        let signed = verified.claim().clone();
        let who = signed.claims.as_ref().map_or("by a trusted key".to_string(), |claims| format!("by {} ({})", claims.subject().text(), claims.issuer().unwrap_or("no issuer")));
        let expires = self.expires(&signed.times);
        let claims = Claims::of(&signed);
        match &signed.says {
            Says::Payload(payload) => {
                let message = format!("a good signature {who}, as {}", payload.docker_reference);
                let judged = verified.check(Rule::new("payload.present", "a payload of simple signing was signed"), |signed| match signed.says {
                    Says::Payload(payload) => Ok(payload),
                    _ => Err(Failure::new("internal", "another thing was signed")),
                });
                place.judged(judged.and_then(|verified| self.judge_payload(verified, |payload| payload)), payload_claims(claims, payload), message)
            }
            Says::Statement(statement) => {
                let claims = Claims { digest: Some(self.subject.digest.to_string()), predicate_type: Some(statement.predicate_type.clone()), ..claims };
                let judged = verified.check(predicate_rule(self.predicate_type()), |signed| match signed.says {
                    Says::Statement(statement) => Ok((check_predicate(statement, self.predicate_type())?, signed.times)),
                    _ => Err(Failure::new("internal", "another thing was signed")),
                });
                place.judged(judged.and_then(|verified| self.judge_statement(verified, |(statement, times)| (statement, times))), claims, self.good(&who)).until(expires)
            }
            Says::Blob => place.aside(crate::cosign::BundleUse::MessageSignature.into()),
        }
    }

    /// Digest and name of a payload.
    fn judge_payload<T>(&self, verified: Verified<T>, payload: impl Fn(&T) -> &Payload) -> Result<Verified<T>, Refused> {
        verified
            .check(Rule::new("digest.equals", format!("the signature is over {}", self.subject.digest)), |claim| self.check_digest(payload(&claim)).map(|()| claim))
            .and_then(|verified| verified.check(self.identity_rule(), |claim| self.check_identity(payload(&claim)).map(|()| claim)))
    }

    /// Conditions and age of an attestation.
    fn judge_statement<T>(&self, verified: Verified<T>, parts: impl Fn(&T) -> (&Statement, &[UnixTime])) -> Result<Verified<T>, Refused> {
        let Wants::Statement { conditions, max_age, .. } = self.wants else { return Ok(verified) };
        let verified = match conditions {
            [] => verified,
            _ => verified.check(Rule::new("attestation.conditions", "the predicate says all that the policy demands"), |claim| check_conditions(parts(&claim).0, conditions).map(|()| claim))?,
        };
        let Some(limit) = max_age else { return Ok(verified) };
        verified.check(Rule::new("attestation.age", format!("the attestation was signed at most {limit} seconds ago")), |claim| self.check_age(parts(&claim).1, limit).map(|()| claim))
    }

    /// By the oldest of the times that are believed: whoever has a signature can have it stamped again.
    fn check_age(&self, times: &[UnixTime], limit: u64) -> Result<(), Failure> {
        let oldest = times.iter().min().ok_or(VerifyError::NoAge)?;
        let age = self.now.0.saturating_sub(oldest.0);
        if u64::try_from(age).is_ok_and(|age| age > limit) { Err(VerifyError::TooOld { age, limit }.into()) } else { Ok(()) }
    }

    fn expires(&self, times: &[UnixTime]) -> Option<i64> {
        let Wants::Statement { max_age: Some(limit), .. } = self.wants else { return None };
        // At the limit itself it still holds.
        Some(times.iter().min()?.0.saturating_add(i64::try_from(limit).unwrap_or(i64::MAX)).saturating_add(1))
    }

    fn predicate_type(&self) -> &str {
        match self.wants {
            Wants::Signature(_) => COSIGN_SIGN,
            Wants::Statement { predicate_type, .. } => predicate_type,
        }
    }

    /// What by its own word is not what is looked for; whoever lies here only takes his own evidence away.
    fn is_another_thing(&self, bundle: &AttachedBundle) -> Option<Failure> {
        use crate::cosign::BundleUse;
        let Some(found) = bundle.predicate_type_unverified() else {
            return bundle.is_message().then(|| BundleUse::MessageSignature.into());
        };
        let shown = || found.chars().take(100).collect::<String>();
        match self.wants {
            Wants::Signature(_) if found != COSIGN_SIGN || bundle.is_layer() => Some(BundleUse::Predicate { found: shown() }.into()),
            Wants::Statement { predicate_type, .. } if found != predicate_type => Some(BundleUse::OtherPredicate { found: shown(), wanted: predicate_type.into() }.into()),
            _ => None,
        }
    }

    fn good(&self, who: &str) -> String {
        match self.wants {
            Wants::Signature(_) => format!("a good signature {who}; it names the image's digest and no repository, so that it does not say which name was meant"),
            Wants::Statement { predicate_type, .. } => format!("a good attestation of type {predicate_type} {who}"),
        }
    }

    /// Compared as text with the SHA-256 digest of the bytes in hand (facts/containers-policy.md section 5, "Digest").
    fn check_digest(&self, payload: &Payload) -> Result<(), Failure> {
        let digest = self.subject.digest.to_string();
        match Digest::parse(&payload.manifest_digest) {
            _ if payload.manifest_digest == digest => Ok(()),
            Ok(_) => Err(VerifyError::SignedDigest { signed: payload.manifest_digest.clone(), digest }.into()),
            Err(_) => Err(VerifyError::SignedText { signed: payload.manifest_digest.clone(), digest }.into()),
        }
    }

    fn identity_rule(&self) -> Rule {
        match self.wants {
            Wants::Signature(Names::Matched(matcher)) => Rule::new("identity.matches", matcher.describe(Some(self.name))),
            Wants::Signature(Names::Own) => Rule::new("identity.own-name", format!("a signature that names a repository names {}", self.name.name())),
            _ => Rule::new("identity.any", "the name in the signature is not compared (any name was asked for)"),
        }
    }

    fn check_identity(&self, payload: &Payload) -> Result<(), Failure> {
        let signer = if matches!(self.who, Who::Keys { .. } | Who::Letter { trust: Trust::Keys(_), .. }) { "key" } else { "signer" };
        let signed = || payload.docker_reference.chars().take(SHOWN_NAME).collect::<String>();
        let accepts = |matcher: &Matcher| matcher.accepts(Some(self.name), &payload.docker_reference);
        let perhaps = if accepts(&Matcher::Repository) { "possibly a signature of another tag" } else { "possibly a signature copied from another image" };
        match self.wants {
            Wants::Signature(Names::Matched(matcher)) if !accepts(matcher) => Err(VerifyError::Identity { signer, signed: signed(), wanted: matcher.describe(Some(self.name)), perhaps }.into()),
            Wants::Signature(Names::Own) if !accepts(&OWN_NAME) => Err(VerifyError::OtherName { signer, signed: signed(), asked: self.name.name() }.into()),
            _ => Ok(()),
        }
    }
}

fn check_conditions(statement: &Statement, conditions: &[Condition]) -> Result<(), Failure> {
    let failed: Vec<String> = conditions.iter().filter(|condition| !condition.holds(statement.predicate.as_ref())).map(Condition::describe).collect();
    if failed.is_empty() { Ok(()) } else { Err(VerifyError::Conditions { failed: failed.join("; ") }.into()) }
}

fn payload_claims(claims: Claims, payload: &Payload) -> Claims {
    Claims {
        digest: Some(payload.manifest_digest.clone()),
        identity: Some(payload.docker_reference.clone()),
        creator: payload.creator.clone(),
        timestamp: payload.timestamp,
        ..claims
    }
}

impl Place<'_> {
    fn refused(&self, refused: &Refused) -> Candidate {
        Candidate::refused(&self.found.source, self.format, Some(self.found.digest.to_string()), refused)
    }

    fn aside(&self, failure: Failure) -> Candidate {
        Candidate { outcome: Outcome::SetAside, ..self.refused(&Refused { failure, steps: Vec::new() }) }
    }

    /// Its signature was verified: what it claims is shown either way.
    fn judged<T>(&self, judged: Result<Verified<T>, Refused>, claims: Claims, message: String) -> Candidate {
        match judged {
            Ok(verified) => Candidate {
                source: self.found.source.clone(),
                format: self.format,
                digest: Some(self.found.digest.to_string()),
                outcome: Outcome::Accepted,
                code: "signature.accepted",
                message,
                claims: Some(claims),
                steps: StepReport::of(verified.steps()),
                expires: None,
            },
            Err(refused) => Candidate { claims: Some(claims), ..self.refused(&refused) },
        }
    }
}

impl Candidate {
    /// An answer that was accepted ends then.
    fn until(self, expires: Option<i64>) -> Self {
        Self { expires: expires.filter(|_| self.outcome == Outcome::Accepted), ..self }
    }
}
