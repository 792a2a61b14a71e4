//! One piece of evidence against one requirement: signature, digest, identity, all from the same candidate (TRUST
//! section 2).

use super::discover::{Body, Found};
use super::image::Subject;
use super::report::{Candidate, Claims, Outcome, StepReport};
use super::trouble::VerifyError;
use crate::cosign::{AttachedBundle, SignatureLayer};
use crate::crypto::{Hash, Provider, PublicKey, Refused, Rule};
use crate::digest::Digest;
use crate::error::{Failure, HostError};
use crate::policy::Matcher;
use crate::reference::Reference;
use crate::simple_signing::Payload;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Which names a signature may speak of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Names<'a> {
    /// Any, as `cosign verify --key` has it.
    Any,
    /// As the policy says.
    Matched(&'a Matcher),
}

/// What is asked of each candidate.
pub(super) struct Question<'a> {
    pub subject: &'a Subject,
    /// The reference as judged.
    pub name: &'a Reference,
    pub keys: &'a [PublicKey],
    pub names: Names<'a>,
}

impl Question<'_> {
    /// Examines one candidate.
    pub(super) async fn examine<P: Provider>(&self, found: &Found, provider: &P) -> Result<Candidate, HostError> {
        let digest = Some(found.digest.to_string());
        match &found.body {
            Body::Layer(layer) => self.layer(&found.source, digest, layer, provider).await,
            Body::Bundle(bundle) => self.bundle(&found.source, digest, bundle, provider).await,
            Body::Attachment(media_type) => Ok(set_aside(found, Failure::new("cosign.attachment", format!("an attachment of type {media_type}, no signature")))),
            Body::Broken(failure) => {
                Ok(Candidate::refused(&found.source, "other", digest, &Refused { failure: failure.clone(), steps: Vec::new() }))
            }
        }
    }

    async fn layer<P: Provider>(&self, source: &str, digest: Option<String>, layer: &SignatureLayer, provider: &P) -> Result<Candidate, HostError> {
        const FORMAT: &str = "cosign-signature";
        let verified = match layer.verify(self.keys, Hash::Sha256, provider).await? {
            Ok(verified) => verified,
            Err(refused) => return Ok(Candidate::refused(source, FORMAT, digest, &refused)),
        };
        let payload = verified.claim().clone();
        let judged = verified
            .check(Rule::new("digest.equals", format!("the signature is over {}", self.subject.digest)), |payload| self.check_digest(payload))
            .and_then(|verified| verified.check(self.identity_rule(), |payload| self.check_identity(payload)));
        let claims = Claims {
            digest: Some(payload.manifest_digest),
            identity: Some(payload.docker_reference.clone()),
            creator: payload.creator,
            timestamp: payload.timestamp,
            predicate_type: None,
        };
        Ok(match judged {
            Ok(verified) => Candidate {
                source: source.into(),
                format: FORMAT,
                digest,
                outcome: Outcome::Accepted,
                code: "signature.accepted",
                message: format!("a good signature by a trusted key, as {}", payload.docker_reference),
                claims: Some(claims),
                steps: StepReport::of(verified.steps()),
            },
            Err(refused) => Candidate { claims: Some(claims), ..Candidate::refused(source, FORMAT, digest, &refused) },
        })
    }

    /// Compared as text with the SHA-256 digest of the bytes in hand (facts/containers-policy.md section 5, "Digest").
    fn check_digest(&self, payload: Payload) -> Result<Payload, Failure> {
        let digest = self.subject.digest.to_string();
        match Digest::parse(&payload.manifest_digest) {
            _ if payload.manifest_digest == digest => Ok(payload),
            Ok(_) => Err(VerifyError::SignedDigest { signed: payload.manifest_digest, digest }.into()),
            Err(_) => Err(VerifyError::SignedText { signed: payload.manifest_digest, digest }.into()),
        }
    }

    fn identity_rule(&self) -> Rule {
        match self.names {
            Names::Any => Rule::new("identity.any", "the name in the signature is not compared (a key alone was asked for)"),
            Names::Matched(matcher) => Rule::new("identity.matches", matcher.describe(Some(self.name))),
        }
    }

    fn check_identity(&self, payload: Payload) -> Result<Payload, Failure> {
        let Names::Matched(matcher) = self.names else { return Ok(payload) };
        if matcher.accepts(Some(self.name), &payload.docker_reference) {
            return Ok(payload);
        }
        let suggestion = Matcher::suggest(Some(self.name), &payload.docker_reference);
        let suggestion = suggestion.map_or(String::new(), |json| format!(" This signedIdentity would admit it: {json}"));
        Err(VerifyError::Identity { signed: payload.docker_reference, wanted: matcher.describe(Some(self.name)), suggestion }.into())
    }

    async fn bundle<P: Provider>(&self, source: &str, digest: Option<String>, bundle: &AttachedBundle, provider: &P) -> Result<Candidate, HostError> {
        const FORMAT: &str = "sigstore-bundle";
        if matches!(self.names, Names::Matched(matcher) if !matcher.accepts_unnamed()) {
            let failure = Failure::new("identity.unnamed", "a bundle names no repository, and this rule wants a name: only matchDigest accepts it");
            return Ok(Candidate::refused(source, FORMAT, digest, &Refused { failure, steps: Vec::new() }));
        }
        let verified = match bundle.verify(self.keys, provider).await? {
            Ok(verified) => verified,
            Err(refused) => {
                let aside = matches!(refused.failure.code, "bundle.predicate-type" | "bundle.certificate" | "bundle.payload-type");
                let outcome = if aside { Outcome::SetAside } else { Outcome::Rejected };
                return Ok(Candidate { outcome, ..Candidate::refused(source, FORMAT, digest, &refused) });
            }
        };
        let predicate_type = Some(verified.claim().statement().predicate_type.clone());
        let judged = verified.check(Rule::new("digest.equals", format!("the statement is about {}", self.subject.digest)), |claim| {
            if claim.statement().is_about(&self.subject.bytes) { Ok(claim) } else { Err(VerifyError::Subject { digest: self.subject.digest.to_string() }.into()) }
        });
        Ok(match judged {
            Ok(verified) => Candidate {
                source: source.into(),
                format: FORMAT,
                digest,
                outcome: Outcome::Accepted,
                code: "signature.accepted",
                message: "a good signature by a trusted key; it names the image's digest, and no repository".into(),
                claims: Some(Claims { digest: Some(self.subject.digest.to_string()), predicate_type, ..Claims::default() }),
                steps: StepReport::of(verified.steps()),
            },
            Err(refused) => Candidate::refused(source, FORMAT, digest, &refused),
        })
    }
}

fn set_aside(found: &Found, failure: Failure) -> Candidate {
    let refused = Refused { failure, steps: Vec::new() };
    Candidate { outcome: Outcome::SetAside, ..Candidate::refused(&found.source, "other", Some(found.digest.to_string()), &refused) }
}
