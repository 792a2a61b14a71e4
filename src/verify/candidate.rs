//! One piece of evidence against one requirement: signature, digest, name, identity, log entry,
//! times, predicate and conditions, all from the same candidate (docs/trust.md section 2).

use super::containers_image;
use super::discover::{Body, Found};
use super::image::Subject;
use super::report::{Candidate, Claims, Outcome, StepReport};
use super::trouble::VerifyError;
use crate::cosign::containers_image::{ContainersImageSignature, Trust};
use crate::cosign::{AttachedBundle, SignatureLayer, check_predicate, predicate_rule};
use crate::crypto::{Hash, Provider, PublicKey, Refused, Rule, Verified};
use crate::digest::Digest;
use crate::error::{Failure, HostError};
use crate::limits;
use crate::policy::{Condition, Matcher};
use crate::reference::Reference;
use crate::sigstore::bundle::Bundle;
use crate::sigstore::identity::Identity;
use crate::sigstore::statement::{COSIGN_SIGN, Statement};
use crate::sigstore::trusted_root::TrustedRoot;
use crate::sigstore::verify::{
    Artifact, Says, Signed, Signer, Thresholds, check_identity, verify_bundle,
};
use crate::simple_signing::{Payload, PayloadKind};
use crate::time::UnixTime;
use crate::x509::{Certificate, fulcio};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Which names a signature may speak of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Names<'a> {
    /// Any, because someone said so.
    Any,
    /// The repository that was asked for, where it names one (docs/trust.md section 9).
    Own,
    /// As the policy says.
    Matched(&'a Matcher),
}

/// Who must have signed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Who<'a> {
    /// The holder of one of these keys, with the proofs that the root demands.
    Keys {
        keys: &'a [PublicKey],
        root: Option<&'a TrustedRoot>,
    },
    /// One of these identities, under this root.
    Identities {
        identities: &'a [Identity],
        root: &'a TrustedRoot,
    },
    /// Whom containers/image would believe. It knows `.sig` layers alone.
    ContainersImage {
        trust: Trust<'a>,
        rekor: &'a [PublicKey],
    },
}

/// What must be signed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wants<'a> {
    /// A signature of the image.
    Signature(Names<'a>),
    /// A statement about the image.
    Statement {
        predicate_type: &'a str,
        conditions: &'a [Condition],
        max_age: Option<u64>,
    },
}

/// In which order a candidate is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As containers/image: what nobody trusted signed is not read.
    ContainersImage,
    /// What a candidate claims first: one that could not meet the requirement, were all of it true,
    /// costs no signature check (docs/trust.md section 7).
    CheapFirst,
}

/// What is asked of each candidate.
pub(super) struct Question<'a> {
    pub subject: &'a Subject,
    /// The reference as judged.
    pub name: &'a Reference,
    pub now: UnixTime,
    pub who: Who<'a>,
    pub wants: Wants<'a>,
    /// What a payload's `optional` must say.
    pub annotations: &'a [(String, String)],
    pub order: Order,
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
    pub(super) async fn examine<P: Provider>(
        &self,
        found: &Found,
        provider: &P,
    ) -> Result<Candidate, HostError> {
        match &found.body {
            Body::Layer(layer) => {
                self.layer(
                    &Place {
                        found,
                        format: "cosign-signature",
                    },
                    layer,
                    provider,
                )
                .await
            }
            Body::Bundle(bytes) => {
                self.read_bundle(
                    &Place {
                        found,
                        format: "sigstore-bundle",
                    },
                    AttachedBundle::parse(bytes),
                    provider,
                )
                .await
            }
            Body::Envelope(bytes, annotations) => {
                self.read_bundle(
                    &Place {
                        found,
                        format: "cosign-attestation",
                    },
                    AttachedBundle::parse_layer(bytes, annotations),
                    provider,
                )
                .await
            }
            Body::Attachment(media_type) => Ok(Place {
                found,
                format: "other",
            }
            .aside(Failure::new(
                "cosign.attachment",
                format!("an attachment of type {media_type}, no signature"),
            ))),
            Body::Broken(failure) => Ok(Place {
                found,
                format: "other",
            }
            .refused(&Refused {
                failure: failure.clone(),
                steps: Vec::new(),
            })),
        }
    }

    async fn read_bundle<P: Provider>(
        &self,
        place: &Place<'_>,
        read: Result<AttachedBundle, Failure>,
        provider: &P,
    ) -> Result<Candidate, HostError> {
        match read {
            Ok(bundle) => self.bundle(place, &bundle, provider).await,
            Err(failure) => Ok(Place {
                found: place.found,
                format: "other",
            }
            .refused(&Refused {
                failure,
                steps: Vec::new(),
            })),
        }
    }

    /// A `.sig` layer.
    async fn layer<P: Provider>(
        &self,
        place: &Place<'_>,
        layer: &SignatureLayer,
        provider: &P,
    ) -> Result<Candidate, HostError> {
        if matches!(self.wants, Wants::Statement { .. }) {
            return Ok(place.aside(Failure::new(
                "cosign.attachment",
                "a signature of the image, no attestation",
            )));
        }
        if let (Order::CheapFirst, Err(failure)) = (self.order, self.check_layer_unverified(layer))
        {
            return Ok(place.refused(&Refused {
                failure,
                steps: Vec::new(),
            }));
        }
        let (root, by_certificate) = match self.who {
            Who::Keys { keys, root: None } => {
                let verified = match layer.verify(keys, Hash::Sha256, provider).await? {
                    Ok(verified) => verified,
                    Err(refused) => return Ok(place.refused(&refused)),
                };
                let payload = verified.claim().clone();
                let judged = self.judge_payload(verified, |payload| payload);
                return Ok(place.judged(
                    judged,
                    payload_claims(Claims::default(), &payload),
                    format!(
                        "a good signature by a trusted key, as {}",
                        payload.docker_reference
                    ),
                ));
            }
            Who::Keys {
                root: Some(root), ..
            } => (root, false),
            Who::Identities { root, .. } => (root, true),
            Who::ContainersImage { trust, rekor } => {
                return Ok(
                    match layer
                        .verify_as_containers_image(&trust, rekor, provider)
                        .await?
                    {
                        Ok(verified) => self.judge_as_containers_image(place, &trust, verified),
                        Err(refused) => place.refused(&refused),
                    },
                );
            }
        };
        match layer.as_bundle(by_certificate) {
            Ok(bundle) => self.rooted(place, &bundle, root, provider).await,
            Err(failure) => Ok(place.refused(&Refused {
                failure,
                steps: Vec::new(),
            })),
        }
    }

    /// A bundle, or an `.att` layer.
    async fn bundle<P: Provider>(
        &self,
        place: &Place<'_>,
        bundle: &AttachedBundle,
        provider: &P,
    ) -> Result<Candidate, HostError> {
        if let Some(failure) = self.is_another_thing(bundle) {
            return Ok(place.aside(failure));
        }
        if !self.annotations.is_empty() {
            return Ok(place.refused(&Refused {
                failure: VerifyError::AnnotationsOfBundle.into(),
                steps: Vec::new(),
            }));
        }
        if matches!(self.wants, Wants::Signature(Names::Matched(matcher)) if !matcher.accepts_unnamed())
        {
            let failure = Failure::new(
                "identity.unnamed",
                "a bundle names no repository, and this rule wants a name: only matchDigest \
                 accepts it",
            );
            return Ok(place.refused(&Refused {
                failure,
                steps: Vec::new(),
            }));
        }
        if let (Order::CheapFirst, Err(failure)) =
            (self.order, self.check_bundle_unverified(bundle))
        {
            return Ok(place.refused(&Refused {
                failure,
                steps: Vec::new(),
            }));
        }
        let keys = match self.who {
            Who::Keys { keys, root: None } => keys,
            Who::Keys {
                root: Some(root), ..
            }
            | Who::Identities { root, .. } => {
                return self.rooted(place, bundle.bundle(), root, provider).await;
            }
            Who::ContainersImage { .. } => {
                return Ok(place.aside(Failure::new(
                    "cosign.attachment",
                    "a bundle: this rule reads .sig signatures alone, as containers/image does",
                )));
            }
        };
        let verified = match bundle
            .verify_statement(keys, self.predicate_type(), provider)
            .await?
        {
            Ok(verified) => verified,
            Err(refused)
                if matches!(
                    refused.failure.code,
                    "bundle.predicate-type" | "bundle.certificate" | "bundle.payload-type"
                ) =>
            {
                return Ok(Candidate {
                    outcome: Outcome::SetAside,
                    ..place.refused(&refused)
                });
            }
            Err(refused) => return Ok(place.refused(&refused)),
        };
        let predicate_type = Some(verified.claim().statement().predicate_type.clone());
        let about = Rule::new(
            "digest.equals",
            format!("the statement is about {}", self.subject.digest),
        );
        let judged = verified
            .check(about, |claim| {
                if claim.statement().is_about(&self.subject.bytes) {
                    Ok(claim)
                } else {
                    Err(VerifyError::Subject {
                        digest: self.subject.digest.to_string(),
                    }
                    .into())
                }
            })
            .and_then(|verified| self.judge_statement(verified, |claim| (claim.statement(), None)));
        let expires = judged
            .as_ref()
            .ok()
            .and_then(|verified| self.expires(verified.claim().statement(), None));
        let claims = Claims {
            digest: Some(self.subject.digest.to_string()),
            predicate_type,
            ..Claims::default()
        };
        Ok(place
            .judged(judged, claims, self.good("by a trusted key"))
            .until(expires))
    }

    /// By its own word: a payload about this image. Its name is not compared here: whose signature
    /// names another image is worth a check.
    fn check_layer_unverified(&self, layer: &SignatureLayer) -> Result<(), Failure> {
        let payload = Payload::parse(&layer.payload, PayloadKind::Cosign)?;
        self.check_digest(&payload).map_err(unchecked)?;
        match self.who {
            Who::Identities { identities, .. } => {
                self.check_leaf_unverified(layer.as_bundle(true)?.leaf(), identities)
            }
            Who::Keys { .. } | Who::ContainersImage { .. } => Ok(()),
        }
    }

    /// By its own word: a statement about this image, by one of the identities.
    fn check_bundle_unverified(&self, bundle: &AttachedBundle) -> Result<(), Failure> {
        if bundle.is_about_unverified(&self.subject.bytes) == Some(false) {
            return Err(unchecked(
                VerifyError::Subject {
                    digest: self.subject.digest.to_string(),
                }
                .into(),
            ));
        }
        match self.who {
            Who::Identities { identities, .. } => {
                self.check_leaf_unverified(bundle.bundle().leaf(), identities)
            }
            Who::Keys { .. } | Who::ContainersImage { .. } => Ok(()),
        }
    }

    /// None: it is by a key, which is said elsewhere.
    fn check_leaf_unverified(
        &self,
        leaf: Option<&[u8]>,
        identities: &[Identity],
    ) -> Result<(), Failure> {
        let Some(leaf) = leaf else { return Ok(()) };
        let claims = fulcio::Claims::of(&Certificate::parse(leaf)?)?;
        check_identity(identities, &claims).map_err(unchecked)
    }

    /// Under a trusted root.
    async fn rooted<P: Provider>(
        &self,
        place: &Place<'_>,
        bundle: &Bundle,
        root: &TrustedRoot,
        provider: &P,
    ) -> Result<Candidate, HostError> {
        let signers: Vec<Signer> = match self.who {
            Who::Keys { keys, .. } => keys
                .iter()
                .map(|key| Signer::Key(key.clone(), None))
                .collect(),
            Who::Identities { identities, .. } => {
                alloc::vec![Signer::Identity(identities.to_vec())]
            }
            Who::ContainersImage { .. } => Vec::new(),
        };
        let artifact = Artifact::Bytes(self.subject.bytes.clone());
        let mut last = Refused {
            failure: Failure::new(
                "key.none",
                "expected at least one key to check with, found none",
            ),
            steps: Vec::new(),
        };
        for (number, signer) in signers.iter().enumerate() {
            // Each reads the bundle anew.
            if number > 0 && place.found.size() > limits::STRETCH / 8 {
                provider.pause().await;
            }
            match verify_bundle(
                bundle,
                &artifact,
                signer,
                root,
                Thresholds::default(),
                provider,
            )
            .await?
            {
                Ok(verified) => return Ok(self.judge_signed(place, verified)),
                Err(refused) => last = refused,
            }
        }
        Ok(place.refused(&last))
    }

    fn judge_as_containers_image(
        &self,
        place: &Place<'_>,
        trust: &Trust<'_>,
        verified: Verified<ContainersImageSignature>,
    ) -> Candidate {
        let claims = payload_claims(
            containers_image::claims(verified.claim()),
            verified.claim().payload(),
        );
        let message = format!(
            "a good signature {}, as {}",
            containers_image::by_whom(trust),
            verified.claim().payload().docker_reference
        );
        // containers/image judges a pki chain now, so that its end is the end of this answer.
        let expires = match trust {
            Trust::Pki(pki) => {
                let ends = verified
                    .claim()
                    .certificate()
                    .into_iter()
                    .chain(pki.intermediates)
                    .chain(pki.roots)
                    .map(|certificate| certificate.not_after().0);
                ends.filter(|end| *end >= self.now.0)
                    .min()
                    .map(|end| end.saturating_add(1))
            }
            Trust::Keys(_) | Trust::Fulcio(_) => None,
        };
        place
            .judged(
                self.judge_payload(verified, ContainersImageSignature::payload),
                claims,
                message,
            )
            .until(expires)
    }

    fn judge_signed(&self, place: &Place<'_>, verified: Verified<Signed>) -> Candidate {
        let signed = verified.claim().clone();
        let who = signed
            .claims
            .as_ref()
            .map_or("by a trusted key".to_string(), |claims| {
                format!(
                    "by {} ({})",
                    claims.subject().text(),
                    claims.issuer().unwrap_or("no issuer")
                )
            });
        let since = signed.certificate.as_ref().map(Certificate::not_before);
        let claims = Claims::of(&signed);
        match &signed.says {
            Says::Payload(payload) => {
                let message = format!("a good signature {who}, as {}", payload.docker_reference);
                let judged = verified.check(
                    Rule::new("payload.present", "a payload of simple signing was signed"),
                    |signed| match signed.says {
                        Says::Payload(payload) => Ok(payload),
                        _ => Err(Failure::new("internal", "another thing was signed")),
                    },
                );
                place.judged(
                    judged.and_then(|verified| self.judge_payload(verified, |payload| payload)),
                    payload_claims(claims, payload),
                    message,
                )
            }
            Says::Statement(statement) => {
                let claims = Claims {
                    digest: Some(self.subject.digest.to_string()),
                    predicate_type: Some(statement.predicate_type.clone()),
                    ..claims
                };
                let judged =
                    verified.check(
                        predicate_rule(self.predicate_type()),
                        |signed| match signed.says {
                            Says::Statement(statement) => {
                                Ok(check_predicate(statement, self.predicate_type())?)
                            }
                            _ => Err(Failure::new("internal", "another thing was signed")),
                        },
                    );
                let judged = judged.and_then(|verified| {
                    self.judge_statement(verified, |statement| (statement, since))
                });
                place
                    .judged(judged, claims, self.good(&who))
                    .until(self.expires(statement, since))
            }
            Says::Blob => place.aside(crate::cosign::BundleUse::MessageSignature.into()),
        }
    }

    /// Digest and name of a payload.
    fn judge_payload<T>(
        &self,
        verified: Verified<T>,
        payload: impl Fn(&T) -> &Payload,
    ) -> Result<Verified<T>, Refused> {
        verified
            .check(
                Rule::new(
                    "digest.equals",
                    format!("the signature is over {}", self.subject.digest),
                ),
                |claim| self.check_digest(payload(&claim)).map(|()| claim),
            )
            .and_then(|verified| {
                verified.check(self.identity_rule(), |claim| {
                    self.check_identity(payload(&claim)).map(|()| claim)
                })
            })
            .and_then(|verified| {
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
            })
    }

    /// Each as a string of exactly this value (sigstore/cosign, `correctAnnotations`).
    fn check_annotations(&self, payload: &Payload) -> Result<(), Failure> {
        let missing = self
            .annotations
            .iter()
            .find(|wanted| !payload.annotations.contains(wanted));
        let Some((name, value)) = missing else {
            return Ok(());
        };
        let short = |text: &str| text.chars().take(SHOWN_NAME).collect::<String>();
        let found = payload
            .annotations
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

    /// Conditions and age of an attestation.
    fn judge_statement<T>(
        &self,
        verified: Verified<T>,
        parts: impl Fn(&T) -> (&Statement, Option<UnixTime>),
    ) -> Result<Verified<T>, Refused> {
        let Wants::Statement {
            conditions,
            max_age,
            ..
        } = self.wants
        else {
            return Ok(verified);
        };
        let verified = match conditions {
            [] => verified,
            _ => verified.check(
                Rule::new(
                    "attestation.conditions",
                    "the predicate says all that the policy demands",
                ),
                |claim| check_conditions(parts(&claim).0, conditions, self.now).map(|()| claim),
            )?,
        };
        let Some(limit) = max_age else {
            return Ok(verified);
        };
        let rule = Rule::new(
            "attestation.age",
            format!("the signer's certificate began at most {limit} seconds ago"),
        );
        verified.check(rule, |claim| {
            self.check_age(parts(&claim).1, limit).map(|()| claim)
        })
    }

    /// From the first second of the certificate on: whoever has a signature can have it logged and
    /// stamped again, and leave the old time out (docs/trust.md section 6).
    fn check_age(&self, since: Option<UnixTime>, limit: u64) -> Result<(), Failure> {
        let age = self
            .now
            .0
            .saturating_sub(since.ok_or(VerifyError::NoAge)?.0);
        if u64::try_from(age).is_ok_and(|age| age > limit) {
            Err(VerifyError::TooOld { age, limit }.into())
        } else {
            Ok(())
        }
    }

    /// When time alone makes another answer of this one.
    fn expires(&self, statement: &Statement, since: Option<UnixTime>) -> Option<i64> {
        let Wants::Statement {
            conditions,
            max_age,
            ..
        } = self.wants
        else {
            return None;
        };
        // At the limit itself it still holds.
        let of_certificate = max_age.zip(since).map(|(limit, since)| {
            since
                .0
                .saturating_add(i64::try_from(limit).unwrap_or(i64::MAX))
                .saturating_add(1)
        });
        conditions
            .iter()
            .filter_map(|condition| condition.ends(statement.predicate.as_ref()))
            .chain(of_certificate)
            .min()
    }

    fn predicate_type(&self) -> &str {
        match self.wants {
            Wants::Signature(_) => COSIGN_SIGN,
            Wants::Statement { predicate_type, .. } => predicate_type,
        }
    }

    /// What by its own word is not what is looked for; whoever lies here only takes his own
    /// evidence away.
    fn is_another_thing(&self, bundle: &AttachedBundle) -> Option<Failure> {
        use crate::cosign::BundleUse;
        let Some(found) = bundle.predicate_type_unverified() else {
            return bundle
                .is_message()
                .then(|| BundleUse::MessageSignature.into());
        };
        let shown = || found.chars().take(100).collect::<String>();
        match self.wants {
            Wants::Signature(_) if found != COSIGN_SIGN || bundle.is_layer() => {
                Some(BundleUse::Predicate { found: shown() }.into())
            }
            Wants::Statement { predicate_type, .. } if found != predicate_type => Some(
                BundleUse::OtherPredicate {
                    found: shown(),
                    wanted: predicate_type.into(),
                }
                .into(),
            ),
            _ => None,
        }
    }

    fn good(&self, who: &str) -> String {
        match self.wants {
            Wants::Signature(_) => format!(
                "a good signature {who}; it names the image's digest and no repository, so that \
                 it does not say which name was meant"
            ),
            Wants::Statement { predicate_type, .. } => {
                format!("a good attestation of type {predicate_type} {who}")
            }
        }
    }

    /// Compared as text with the SHA-256 digest of the bytes in hand (docs/containers-image.md
    /// section 5, "Digest").
    fn check_digest(&self, payload: &Payload) -> Result<(), Failure> {
        let digest = self.subject.digest.to_string();
        match Digest::parse(&payload.manifest_digest) {
            _ if payload.manifest_digest == digest => Ok(()),
            Ok(_) => Err(VerifyError::SignedDigest {
                signed: payload.manifest_digest.clone(),
                digest,
            }
            .into()),
            Err(_) => Err(VerifyError::SignedText {
                signed: payload.manifest_digest.clone(),
                digest,
            }
            .into()),
        }
    }

    fn identity_rule(&self) -> Rule {
        match self.wants {
            Wants::Signature(Names::Matched(matcher)) => {
                Rule::new("identity.matches", matcher.describe(Some(self.name)))
            }
            Wants::Signature(Names::Own) => Rule::new(
                "identity.own-name",
                format!(
                    "a signature that names a repository names {}",
                    self.name.name()
                ),
            ),
            _ => Rule::new(
                "identity.any",
                "the name in the signature is not compared (any name was asked for)",
            ),
        }
    }

    fn check_identity(&self, payload: &Payload) -> Result<(), Failure> {
        let signer = if matches!(
            self.who,
            Who::Keys { .. }
                | Who::ContainersImage {
                    trust: Trust::Keys(_),
                    ..
                }
        ) {
            "key"
        } else {
            "signer"
        };
        let signed = || {
            payload
                .docker_reference
                .chars()
                .take(SHOWN_NAME)
                .collect::<String>()
        };
        let accepts =
            |matcher: &Matcher| matcher.accepts(Some(self.name), &payload.docker_reference);
        let perhaps = if accepts(&Matcher::Repository) {
            "possibly a signature of another tag"
        } else {
            "possibly a signature copied from another image"
        };
        match self.wants {
            Wants::Signature(Names::Matched(matcher)) if !accepts(matcher) => {
                Err(VerifyError::Identity {
                    signer,
                    signed: signed(),
                    wanted: matcher.describe(Some(self.name)),
                    perhaps,
                }
                .into())
            }
            Wants::Signature(Names::Own) if !accepts(&OWN_NAME) => Err(VerifyError::OtherName {
                signer,
                signed: signed(),
                asked: self.name.name(),
            }
            .into()),
            _ => Ok(()),
        }
    }
}

/// What is said of a candidate whose signatures nobody looked at.
fn unchecked(failure: Failure) -> Failure {
    Failure {
        message: format!(
            "{} (by its own word; its signature was not checked, since it could not admit this \
             image)",
            failure.message
        ),
        ..failure
    }
}

fn check_conditions(
    statement: &Statement,
    conditions: &[Condition],
    now: UnixTime,
) -> Result<(), Failure> {
    let failed: Vec<String> = conditions
        .iter()
        .filter(|condition| !condition.holds(statement.predicate.as_ref(), now))
        .map(Condition::describe)
        .collect();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(VerifyError::Conditions {
            failed: failed.join("; "),
        }
        .into())
    }
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
        Candidate::refused(
            &self.found.source,
            self.format,
            self.found.digest.as_ref().map(ToString::to_string),
            refused,
        )
    }

    fn aside(&self, failure: Failure) -> Candidate {
        Candidate {
            outcome: Outcome::SetAside,
            ..self.refused(&Refused {
                failure,
                steps: Vec::new(),
            })
        }
    }

    /// Its signature was verified: what it claims is shown either way.
    fn judged<T>(
        &self,
        judged: Result<Verified<T>, Refused>,
        claims: Claims,
        message: String,
    ) -> Candidate {
        match judged {
            Ok(verified) => Candidate {
                source: self.found.source.clone(),
                format: self.format,
                digest: self.found.digest.as_ref().map(ToString::to_string),
                outcome: Outcome::Accepted,
                code: "signature.accepted",
                message,
                claims: Some(claims),
                steps: StepReport::of(verified.steps()),
                expires: None,
            },
            Err(refused) => Candidate {
                claims: Some(claims),
                ..self.refused(&refused)
            },
        }
    }
}

impl Candidate {
    /// An answer that was accepted ends then.
    fn until(self, expires: Option<i64>) -> Self {
        Self {
            expires: expires.filter(|_| self.outcome == Outcome::Accepted),
            ..self
        }
    }
}
