//! One piece of evidence against one requirement: signature, digest, name, identity, log entry,
//! times, predicate and conditions, all from the same candidate (docs/trust.md section 2).

use super::containers_image::{by_whom, claims, expires};
use super::error::{Reason, VerifyError};
use super::found::{Body, Found};
use super::payload::payload_claims;
use super::question::{Order, Question, Wants, Who};
use super::report::{Candidate, Claims};
use crate::cosign::containers_image::{ContainersImageSignature, Trust};
use crate::cosign::{
    AttachedBundle, BundleClaim, BundleUse, SignatureLayer, check_predicate, predicate_rule,
};
use crate::crypto::{Hash, KeyError, Provider, PublicKey, Refusals, Refused, Rule, Verified};
use crate::error::{Failure, HostError, Kind};
use crate::limits;
use crate::sigstore::bundle::Bundle;
use crate::sigstore::identity::Identity;
use crate::sigstore::statement::Statement;
use crate::sigstore::trusted_root::TrustedRoot;
use crate::sigstore::verify::{
    Artifact, Says, Signed, Signer, Thresholds, check_identity, verify_bundle,
};
use crate::simple_signing::{Payload, PayloadKind};
use crate::x509::{Certificate, fulcio};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

impl Question<'_> {
    /// Examines one candidate.
    ///
    /// # Errors
    /// [`HostError`] when the provider gave no answer: nothing is known of the candidate then.
    pub(super) async fn examine<P: Provider>(
        &self,
        found: &Found,
        provider: &P,
    ) -> Result<Candidate, HostError> {
        let bundle = match &found.body {
            #[cfg(feature = "openpgp")]
            Body::Simple(message) => return self.simple(found, message, provider).await,
            #[cfg(feature = "openpgp")]
            Body::Layer(_) | Body::Bundle(_) | Body::Envelope(..)
                if matches!(self.who, Who::GpgKeys(_)) =>
            {
                return Ok(found.not_for_this());
            }
            Body::Layer(layer) => return self.layer(found, layer, provider).await,
            Body::Bundle(bytes) => AttachedBundle::parse(bytes),
            Body::Envelope(bytes, annotations) => AttachedBundle::parse_layer(bytes, annotations),
            Body::Attachment(media_type) => {
                let media_type = media_type.clone();
                return Ok(found.set_aside(Refused::new(Reason::Attachment { media_type })));
            }
            Body::Broken(failure) => Err(failure.clone()),
        };
        match bundle {
            Ok(bundle) => self.bundle(found, &bundle, provider).await,
            Err(failure) => Ok(found.unreadable(failure)),
        }
    }

    /// A `.sig` layer.
    async fn layer<P: Provider>(
        &self,
        found: &Found,
        layer: &SignatureLayer,
        provider: &P,
    ) -> Result<Candidate, HostError> {
        if matches!(self.wants, Wants::Statement { .. }) {
            return Ok(found.set_aside(Refused::new(Reason::NotAnAttestation)));
        }
        if self.order == Order::CheapFirst
            && let Err(failure) = self.check_layer_unverified(layer)
        {
            return Ok(found.rejected(Refused::new(failure)));
        }
        let (root, by_certificate) = match self.who {
            Who::Keys { keys, root: None } => {
                return self.layer_by_keys(found, layer, keys, provider).await;
            }
            Who::Keys {
                root: Some(root), ..
            } => (root, false),
            Who::Identities { root, .. } => (root, true),
            Who::ContainersImage { trust, rekor } => {
                let verified = layer
                    .verify_as_containers_image(&trust, rekor, provider)
                    .await?;
                return Ok(match verified {
                    Ok(verified) => self.judge_as_containers_image(found, &trust, verified),
                    Err(refused) => found.rejected(refused),
                });
            }
            #[cfg(feature = "openpgp")]
            Who::GpgKeys(_) => return Ok(found.not_for_this()),
        };
        match layer.as_bundle(by_certificate) {
            Ok(bundle) => self.verify_under(root, found, &bundle, provider).await,
            Err(failure) => Ok(found.rejected(Refused::new(failure))),
        }
    }

    async fn layer_by_keys<P: Provider>(
        &self,
        found: &Found,
        layer: &SignatureLayer,
        keys: &[PublicKey],
        provider: &P,
    ) -> Result<Candidate, HostError> {
        let verified = match layer.verify(keys, Hash::Sha256, provider).await? {
            Ok(verified) => verified,
            Err(refused) => return Ok(found.rejected(refused)),
        };
        let claims = payload_claims(Claims::default(), verified.claim());
        let message = format!(
            "a good signature by a trusted key, as {}",
            verified.claim().docker_reference
        );
        let judged = self.judge_payload(verified, |payload| payload);
        Ok(found.judged(judged, claims, message))
    }

    /// A bundle, or an `.att` layer.
    async fn bundle<P: Provider>(
        &self,
        found: &Found,
        bundle: &AttachedBundle,
        provider: &P,
    ) -> Result<Candidate, HostError> {
        if let Some(failure) = self.is_for_another(bundle) {
            return Ok(found.set_aside(Refused::new(failure)));
        }
        let unfit = if !self.annotations.is_empty() {
            Err(VerifyError::AnnotationsOfBundle.into())
        } else if self.wants_name() {
            Err(VerifyError::Unnamed.into())
        } else if self.order == Order::CheapFirst {
            self.check_bundle_unverified(bundle)
        } else {
            Ok(())
        };
        if let Err(failure) = unfit {
            return Ok(found.rejected(Refused::new(failure)));
        }
        match self.who {
            Who::Keys { keys, root: None } => {
                let verified = bundle
                    .verify_statement(keys, self.predicate_type(), provider)
                    .await?;
                Ok(match verified {
                    Ok(verified) => self.judge_by_keys(found, verified),
                    Err(refused) => match refused.failure.kind {
                        Kind::OtherPredicate | Kind::OtherForm => found.set_aside(refused),
                        _ => found.rejected(refused),
                    },
                })
            }
            Who::Keys {
                root: Some(root), ..
            }
            | Who::Identities { root, .. } => {
                self.verify_under(root, found, bundle.bundle(), provider)
                    .await
            }
            Who::ContainersImage { .. } => Ok(found.set_aside(Refused::new(Reason::NotALayer))),
            #[cfg(feature = "openpgp")]
            Who::GpgKeys(_) => Ok(found.not_for_this()),
        }
    }

    /// A statement by one of the keys, about which no root has a say.
    fn judge_by_keys(&self, found: &Found, verified: Verified<BundleClaim>) -> Candidate {
        let claims = self.statement_claims(Claims::default(), verified.claim().statement());
        let expires = self.expires(verified.claim().statement(), None);
        let judged = self
            .judge_subject(verified, BundleClaim::statement)
            .and_then(|verified| self.judge_statement(verified, BundleClaim::statement, None));
        found
            .judged(judged, claims, self.good_statement("by a trusted key"))
            .until(expires)
    }

    fn statement_claims(&self, claims: Claims, statement: &Statement) -> Claims {
        Claims {
            digest: Some(self.subject.digest.to_string()),
            predicate_type: Some(statement.predicate_type.clone()),
            ..claims
        }
    }

    /// As it describes itself: a payload about this image. Its name is not compared here: whose
    /// signature names another image is worth a check.
    fn check_layer_unverified(&self, layer: &SignatureLayer) -> Result<(), Failure> {
        let payload = Payload::parse(&layer.payload, PayloadKind::Cosign)?;
        self.check_digest(&payload).map_err(unchecked)?;
        match self.who {
            Who::Identities { identities, .. } => {
                check_leaf_unverified(layer.as_bundle(true)?.leaf(), identities)
            }
            _ => Ok(()),
        }
    }

    /// As it describes itself: a statement about this image, by one of the identities.
    fn check_bundle_unverified(&self, bundle: &AttachedBundle) -> Result<(), Failure> {
        if bundle.is_about_unverified(&self.subject.bytes) == Some(false) {
            return Err(unchecked(self.other_subject().into()));
        }
        match self.who {
            Who::Identities { identities, .. } => {
                check_leaf_unverified(bundle.bundle().leaf(), identities)
            }
            _ => Ok(()),
        }
    }

    /// Under a trusted root.
    async fn verify_under<P: Provider>(
        &self,
        root: &TrustedRoot,
        found: &Found,
        bundle: &Bundle,
        provider: &P,
    ) -> Result<Candidate, HostError> {
        let signers: Vec<Signer> = match self.who {
            Who::Keys { keys, .. } => keys
                .iter()
                .map(|key| Signer::Key(key.clone(), None))
                .collect(),
            Who::Identities { identities, .. } => vec![Signer::Identity(identities.to_vec())],
            _ => Vec::new(),
        };
        let artifact = Artifact::Bytes(self.subject.bytes.clone());
        let thresholds = Thresholds::default();
        let mut refusals = Refusals::default();
        for (number, signer) in signers.iter().enumerate() {
            // Each reads the bundle anew: of a large one no eight fit into a stretch.
            if number > 0 && found.size() > limits::STRETCH / 8 {
                provider.pause().await;
            }
            match verify_bundle(bundle, &artifact, signer, root, thresholds, provider).await? {
                Ok(verified) => return Ok(self.judge_signed(found, verified)),
                Err(refused) => refusals.add(refused),
            }
        }
        Ok(found.rejected(refusals.into_refused(KeyError::None)))
    }

    fn judge_as_containers_image(
        &self,
        found: &Found,
        trust: &Trust<'_>,
        verified: Verified<ContainersImageSignature>,
    ) -> Candidate {
        let claims = payload_claims(claims(verified.claim()), verified.claim().payload());
        let message = format!(
            "a good signature {}, as {}",
            by_whom(trust),
            verified.claim().payload().docker_reference
        );
        let expires = expires(trust, verified.claim(), self.now);
        let judged = self.judge_payload(verified, ContainersImageSignature::payload);
        found.judged(judged, claims, message).until(expires)
    }

    fn judge_signed(&self, found: &Found, verified: Verified<Signed>) -> Candidate {
        let signed = verified.claim();
        let by_whom = signed
            .claims
            .as_ref()
            .map_or("by a trusted key".to_string(), |claims| {
                format!(
                    "by {} ({})",
                    claims.subject().text(),
                    claims.issuer().unwrap_or("no issuer")
                )
            });
        match &signed.says {
            Says::Payload(payload) => {
                let claims = payload_claims(Claims::of(signed), payload);
                let message = format!(
                    "a good signature {by_whom}, as {}",
                    payload.docker_reference
                );
                let rule = Rule::new("payload.present", "a payload of simple signing was signed");
                let judged = verified
                    .check(rule, signed_payload)
                    .and_then(|verified| self.judge_payload(verified, |payload| payload));
                found.judged(judged, claims, message)
            }
            Says::Statement(statement) => {
                let since = signed.certificate.as_ref().map(Certificate::not_before);
                let claims = self.statement_claims(Claims::of(signed), statement);
                let expires = self.expires(statement, since);
                let wanted = self.predicate_type();
                let judged = verified
                    .check(predicate_rule(wanted), |signed| {
                        check_predicate(signed_statement(signed)?, wanted)
                    })
                    .and_then(|verified| {
                        self.judge_statement(verified, |statement| statement, since)
                    });
                found
                    .judged(judged, claims, self.good_statement(&by_whom))
                    .until(expires)
            }
            Says::Blob => found.set_aside(Refused::new(BundleUse::MessageSignature)),
        }
    }
}

fn signed_payload(signed: Signed) -> Result<Payload, Failure> {
    match signed.says {
        Says::Payload(payload) => Ok(payload),
        _ => Err(Failure::new("internal", "another thing was signed")),
    }
}

fn signed_statement(signed: Signed) -> Result<Statement, Failure> {
    match signed.says {
        Says::Statement(statement) => Ok(statement),
        _ => Err(Failure::new("internal", "another thing was signed")),
    }
}

/// None: it is by a key, which is said elsewhere.
fn check_leaf_unverified(leaf: Option<&[u8]>, identities: &[Identity]) -> Result<(), Failure> {
    let Some(leaf) = leaf else { return Ok(()) };
    let claims = fulcio::Claims::of(&Certificate::parse(leaf)?)?;
    check_identity(identities, &claims).map_err(unchecked)
}

/// What is said of a candidate whose signatures nobody looked at.
fn unchecked(failure: Failure) -> Failure {
    let message: String = format!(
        "{} (as it describes itself; its signature was not checked, since it could not admit this \
         image)",
        failure.message
    );
    Failure { message, ..failure }
}
