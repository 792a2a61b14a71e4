//! What containers/image demands of `.sig` signatures with certificates or transparency logs:
//! `fulcio`, `pki` and `rekorPublicKey…` of a policy (docs/containers-image.md sections 2.2 to
//! 2.4 and 6).
//!
//! In this order, all of one layer: 1. the annotations that are demanded; 2. the signed entry
//! timestamp, and that its entry is about this signature, this payload and this key or certificate;
//! 3. the certificate's path, at the log's time or now;
//! 4. who the certificate names; 5. the signature. What is not demanded is not looked at.
//!
//! Out of scope, as there: inclusion proofs, which log an entry names, certificate transparency,
//! revocation. Trusted: the policy's keys and certificates, and for `pki` the time that the caller
//! gives.
//!
//! We reject more than Go where a reader below is stricter: certificates of version 1, with RSA-PSS
//! or other curves, a leaf that is itself among the roots and was issued by somebody else, bodies
//! of log entries that repeat a member. Name constraints of directory names are judged, where Go
//! refuses whatever has them.

mod certificate;
mod error;
pub mod material;
mod set;
#[cfg(test)]
mod tests;

pub use certificate::{Fulcio, Pki};
pub use error::ContainersImageError;
pub use set::Logged;

use super::annotated::{CERTIFICATE, CHAIN, LOG_ENTRY};
use super::signature::{SIGNATURE, SignatureLayer, SignatureUse};
use crate::crypto::{Hash, Provider, PublicKey, Refused, Rule, Verified};
use crate::error::HostError;
use crate::simple_signing::Payload;
use crate::tlog::TlogError;
use crate::tlog::rekor::IntegratedTime;
use crate::x509::Certificate;

/// Whom a signature must come from.
#[derive(Debug, Clone, Copy)]
pub enum Trust<'a> {
    /// The holder of one of these keys; logged, where Rekor keys are given.
    Keys(&'a [PublicKey]),
    /// An e-mail address that Fulcio certified; logged.
    Fulcio(Fulcio<'a>),
    /// Somebody whom one's own authority certified; logs have no say.
    Pki(Pki<'a>),
}

/// What a verified signature says.
#[derive(Debug, Clone)]
pub struct ContainersImageSignature {
    payload: Payload,
    signer: ProvenSigner,
}

/// By whom it is, and what a log said of it.
#[derive(Debug, Clone, Default)]
struct ProvenSigner {
    certificate: Option<Certificate>,
    logged: Option<IntegratedTime>,
}

impl ContainersImageSignature {
    /// The payload.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The certificate, where one was demanded. Its path is verified, and so is that it names whom
    /// the policy wants; more of its names may be there.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.signer.certificate.as_ref()
    }

    /// When and where it was logged, where that was demanded.
    pub fn logged(&self) -> Option<&IntegratedTime> {
        self.signer.logged.as_ref()
    }
}

impl SignatureLayer {
    /// The payload, once somebody whom `trust` names is seen to have signed it. `rekor` are the
    /// keys of Rekor, one of which must have logged it: demanded with [`Trust::Fulcio`], impossible
    /// with [`Trust::Pki`]; with [`Trust::Keys`], none means that no log is demanded.
    ///
    /// # Errors
    /// [`HostError`] when the provider gave no answer; inside, [`ContainersImageError`],
    /// [`SignatureUse`], [`crate::x509::X509Error`], [`crate::tlog::TlogError`] and
    /// [`crate::crypto::SignatureError`].
    pub async fn verify_as_containers_image<P: Provider>(
        &self,
        trust: &Trust<'_>,
        rekor: &[PublicKey],
        provider: &P,
    ) -> Result<Result<Verified<ContainersImageSignature>, Refused>, HostError> {
        let signature = match self.signature_text() {
            Ok(text) => text,
            Err(error) => return Ok(Err(Refused::new(error))),
        };
        let logged = Logged {
            signature,
            payload: &self.payload,
        };
        let signer = match trust {
            Trust::Keys(keys) if rekor.is_empty() => return self.unlogged(keys, provider).await,
            Trust::Keys(keys) => self.logged_key(logged, keys, rekor, provider).await?,
            Trust::Fulcio(fulcio) => self.fulcio(logged, fulcio, rekor, provider).await?,
            Trust::Pki(_) if !rekor.is_empty() => {
                Err(Refused::new(ContainersImageError::RekorForPki))
            }
            Trust::Pki(pki) => self.pki(pki, provider).await?,
        };
        let signer = match signer {
            Ok(signer) => signer,
            Err(refused) => return Ok(Err(refused)),
        };
        let key = signer.claim().1.clone();
        Ok(self
            .verify(&[key], Hash::Sha256, provider)
            .await?
            .and_then(|payload| {
                let rule = Rule::new(
                    "containers-image.one-layer",
                    "what verified the signature, what was logged and the signature are of the \
                     same layer",
                );
                signer.and(payload).check(rule, |((signer, _), payload)| {
                    Ok(ContainersImageSignature { payload, signer })
                })
            }))
    }

    fn signature_text(&self) -> Result<&str, SignatureUse> {
        if !self.is_signature() {
            return Err(SignatureUse::MediaType {
                found: self.media_type.chars().take(100).collect(),
            });
        }
        self.annotation(SIGNATURE).ok_or(SignatureUse::Annotation)
    }

    fn demanded(&self, key: &'static str) -> Result<&str, Refused> {
        self.annotation(key)
            .ok_or_else(|| Refused::new(ContainersImageError::Annotation { key }))
    }

    async fn unlogged<P: Provider>(
        &self,
        keys: &[PublicKey],
        provider: &P,
    ) -> Result<Result<Verified<ContainersImageSignature>, Refused>, HostError> {
        Ok(self
            .verify(keys, Hash::Sha256, provider)
            .await?
            .and_then(|payload| {
                let rule = Rule::new(
                    "log.not-demanded",
                    "the rule names no key of Rekor: no log was looked at",
                );
                payload.check(rule, |payload| {
                    Ok(ContainersImageSignature {
                        payload,
                        signer: ProvenSigner::default(),
                    })
                })
            }))
    }

    /// Section 2.4, keys with Rekor: the first policy key that the entry names is the only one that
    /// counts.
    async fn logged_key<P: Provider>(
        &self,
        logged: Logged<'_>,
        keys: &[PublicKey],
        rekor: &[PublicKey],
        provider: &P,
    ) -> Result<Result<Verified<(ProvenSigner, PublicKey)>, Refused>, HostError> {
        let bundle = match self.demanded(LOG_ENTRY) {
            Ok(bundle) => bundle,
            Err(refused) => return Ok(Err(refused)),
        };
        Ok(logged
            .verify_for_keys(bundle, keys, rekor, provider)
            .await?
            .and_then(|verified| {
                let rule = Rule::new(
                    "log.no-time-demanded",
                    "a key has no time in which it is valid: that the signature was logged is \
                     enough",
                );
                verified.check(rule, |(time, key)| {
                    Ok((
                        ProvenSigner {
                            certificate: None,
                            logged: Some(time),
                        },
                        key,
                    ))
                })
            }))
    }

    /// Section 2.4, fulcio: the log's time is the certificate's.
    async fn fulcio<P: Provider>(
        &self,
        logged: Logged<'_>,
        fulcio: &Fulcio<'_>,
        rekor: &[PublicKey],
        provider: &P,
    ) -> Result<Result<Verified<(ProvenSigner, PublicKey)>, Refused>, HostError> {
        let (bundle, certificate) = match self
            .demanded(LOG_ENTRY)
            .and_then(|bundle| Ok((bundle, self.demanded(CERTIFICATE)?)))
        {
            Ok(found) => found,
            Err(refused) => return Ok(Err(refused)),
        };
        let time = match logged
            .verify_for_certificate(bundle, certificate, rekor, provider)
            .await?
        {
            Ok(time) => time,
            Err(refused) => return Ok(Err(refused)),
        };
        let leaf = fulcio
            .verify(
                certificate,
                self.annotation(CHAIN),
                time.claim().0.time(),
                provider,
            )
            .await?;
        Ok(leaf.and_then(|leaf| {
            let rule = Rule::new(
                "certificate.logged",
                "the certificate is the one that was logged, and the log's time is when it was \
                 used",
            );
            // Both were read from one text; compared all the same, so that it holds whatever
            // becomes of the two readers.
            time.and(leaf).check(rule, |((time, logged), leaf)| {
                if leaf.der() == logged {
                    Ok(certified(leaf, Some(time)))
                } else {
                    Err(TlogError::Verifier.into())
                }
            })
        }))
    }

    /// Section 2.4, pki: now is the certificate's time.
    async fn pki<P: Provider>(
        &self,
        pki: &Pki<'_>,
        provider: &P,
    ) -> Result<Result<Verified<(ProvenSigner, PublicKey)>, Refused>, HostError> {
        let certificate = match self.demanded(CERTIFICATE) {
            Ok(certificate) => certificate,
            Err(refused) => return Ok(Err(refused)),
        };
        let leaf = pki
            .verify(certificate, self.annotation(CHAIN), provider)
            .await?;
        Ok(leaf.and_then(|leaf| {
            leaf.check(
                Rule::new(
                    "log.not-demanded",
                    "an authority of one's own is asked for no log",
                ),
                |leaf| Ok(certified(leaf, None)),
            )
        }))
    }
}

fn certified(leaf: Certificate, logged: Option<IntegratedTime>) -> (ProvenSigner, PublicKey) {
    let key = leaf.public_key().clone();
    (
        ProvenSigner {
            certificate: Some(leaf),
            logged,
        },
        key,
    )
}
