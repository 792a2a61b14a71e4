//! A payload of simple signing against the question: the digest that it signs, under which name,
//! and its annotations (docs/containers-image.md section 5).

use super::error::VerifyError;
use super::question::{Names, Question, Wants, Who};
use super::report::Claims;
use crate::cosign::containers_image::Trust;
use crate::crypto::{Refused, Rule, Verified};
use crate::digest::Digest;
use crate::error::Failure;
use crate::policy::Matcher;
use crate::reference::Reference;
use crate::simple_signing::Payload;
use alloc::format;
use alloc::string::{String, ToString};

/// The rule for names where there is no policy.
const OWN_NAME: Matcher = Matcher::Digest { any_name: false };
/// Characters of a signed name that a message shows.
const SHOWN_NAME: usize = 300;

fn short(text: &str) -> String {
    text.chars().take(SHOWN_NAME).collect()
}

impl Question<'_> {
    /// Digest, name and annotations of a payload.
    pub(super) fn judge_payload<T>(
        &self,
        verified: Verified<T>,
        payload: impl Fn(&T) -> &Payload,
    ) -> Result<Verified<T>, Refused> {
        let about = Rule::new(
            "digest.equals",
            format!("the signature is over {}", self.subject.digest),
        );
        let verified = verified
            .check(about, |claim| {
                self.check_digest(payload(&claim)).map(|()| claim)
            })?
            .check(self.name_rule(), |claim| {
                self.check_name(payload(&claim)).map(|()| claim)
            })?;
        if self.annotations.is_empty() {
            return Ok(verified);
        }
        let rule = Rule::new(
            "annotations.signed",
            "the signature carries the annotations that were asked for",
        );
        verified.check(rule, |claim| {
            self.check_annotations(payload(&claim)).map(|()| claim)
        })
    }

    /// Compared as text with the SHA-256 digest of the bytes in hand (docs/containers-image.md
    /// section 5, "Digest").
    pub(super) fn check_digest(&self, payload: &Payload) -> Result<(), Failure> {
        let digest = self.subject.digest.to_string();
        let signed = payload.manifest_digest.clone();
        if signed == digest {
            return Ok(());
        }
        Err(match Digest::parse(&signed) {
            Ok(_) => VerifyError::SignedDigest { signed, digest }.into(),
            Err(_) => VerifyError::SignedText { signed, digest }.into(),
        })
    }

    fn name_rule(&self) -> Rule {
        match self.wants {
            Wants::Signature(Names::Matched(matcher)) => {
                Rule::new("identity.matches", matcher.describe(self.name))
            }
            Wants::Signature(Names::Own) => Rule::new(
                "identity.own-name",
                format!("a signature that names a repository names {}", self.asked()),
            ),
            _ => Rule::new(
                "identity.any",
                "the name in the signature is not compared (any name was asked for)",
            ),
        }
    }

    fn check_name(&self, payload: &Payload) -> Result<(), Failure> {
        let signed = &payload.docker_reference;
        let accepts = |matcher: &Matcher| matcher.accepts(self.name, signed);
        match self.wants {
            Wants::Signature(Names::Matched(matcher)) if !accepts(matcher) => {
                let perhaps = if accepts(&Matcher::Repository) {
                    "possibly a signature of another tag"
                } else {
                    "possibly a signature copied from another image"
                };
                Err(VerifyError::Identity {
                    signer: self.signer(),
                    signed: short(signed),
                    wanted: matcher.describe(self.name),
                    perhaps,
                }
                .into())
            }
            Wants::Signature(Names::Own) if !accepts(&OWN_NAME) => Err(VerifyError::OtherName {
                signer: self.signer(),
                signed: short(signed),
                asked: self.asked(),
            }
            .into()),
            _ => Ok(()),
        }
    }

    fn asked(&self) -> String {
        self.name
            .map_or_else(|| "an image without a name".into(), Reference::name)
    }

    /// What to call whoever signed.
    fn signer(&self) -> &'static str {
        match self.who {
            Who::Identities { .. }
            | Who::ContainersImage {
                trust: Trust::Fulcio(_) | Trust::Pki(_),
                ..
            } => "signer",
            _ => "key",
        }
    }

    /// Each as a string of exactly this value (sigstore/cosign, `correctAnnotations`).
    fn check_annotations(&self, payload: &Payload) -> Result<(), Failure> {
        let signed = &payload.annotations;
        let Some((name, value)) = self
            .annotations
            .iter()
            .find(|wanted| !signed.contains(wanted))
        else {
            return Ok(());
        };
        let found = signed
            .iter()
            .find(|(other, _)| other == name)
            .map_or("none of this name".into(), |(_, other)| {
                format!("{:?}", short(other))
            });
        Err(VerifyError::Annotation {
            name: short(name),
            value: short(value),
            found,
        }
        .into())
    }
}

/// What a payload says, beside what is known already.
pub(super) fn payload_claims(claims: Claims, payload: &Payload) -> Claims {
    Claims {
        digest: Some(payload.manifest_digest.clone()),
        identity: Some(payload.docker_reference.clone()),
        creator: payload.creator.clone(),
        timestamp: payload.timestamp,
        ..claims
    }
}
