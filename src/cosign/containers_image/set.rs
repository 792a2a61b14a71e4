//! Signed entry timestamps in the annotation `dev.sigstore.cosign/bundle`
//! (docs/containers-image.md section 2.3).
//!
//! 1. the annotation is read, and the log's message is made canonical
//! 2. a key of Rekor signed it
//! 3. the entry names the same key or certificate, the same signature and the SHA-256 of the same
//!    payload
//!
//! Where the third is left out, the log's word on somebody else's signature passes as one on this
//! (CVE-2022-23649, CVE-2026-22703).

use super::error::ContainersImageError;
use crate::cosign::signature::SignatureUse;
use crate::crypto::{Hash, Provider, PublicKey, Refused, Rule, Verified, first_to_settle};
use crate::digest::sha256;
use crate::encoding::{base64, pem};
use crate::error::{Failure, HostError, Kind};
use crate::limits;
use crate::tlog::rekor::{Content, Entry, Expected, IntegratedTime, Verifier};
use alloc::vec::Vec;

/// The signature that a log entry is to be about.
#[derive(Debug, Clone, Copy)]
pub struct Logged<'a> {
    /// The signature in base64, as its annotation has it.
    pub signature: &'a str,
    /// What it is over.
    pub payload: &'a [u8],
}

/// The log's word on an entry that is still to be tied to the signature.
struct Logging {
    entry: Entry,
    time: Verified<IntegratedTime>,
}

impl Logged<'_> {
    /// When the log took this signature by the holder of `certificate`: one PEM block, with nothing
    /// after it. Beside the time, the DER of the certificate that it was compared with.
    ///
    /// # Errors
    /// [`HostError`] when the provider gave no answer; inside, [`ContainersImageError`],
    /// [`crate::tlog::TlogError`], [`SignatureUse`].
    pub async fn verify_for_certificate<P: Provider>(
        &self,
        bundle: &str,
        certificate: &str,
        rekor: &[PublicKey],
        provider: &P,
    ) -> Result<Result<Verified<(IntegratedTime, Vec<u8>)>, Refused>, HostError> {
        Ok(logging(bundle, rekor, provider)
            .await?
            .and_then(|Logging { entry, time }| {
                time.check(
                    Rule::new(
                        "set.entry",
                        "the log entry is about this certificate, this signature and this payload",
                    ),
                    |time| {
                        let der = only_block(certificate)?;
                        self.check(&entry, Verifier::Certificate(&der))?;
                        Ok((time, der))
                    },
                )
            }))
    }

    /// When the log took this signature, and the first of `keys` that the entry names.
    ///
    /// # Errors
    /// As [`Self::verify_for_certificate`]; [`ContainersImageError::NoKey`].
    pub async fn verify_for_keys<P: Provider>(
        &self,
        bundle: &str,
        keys: &[PublicKey],
        rekor: &[PublicKey],
        provider: &P,
    ) -> Result<Result<Verified<(IntegratedTime, PublicKey)>, Refused>, HostError> {
        let no_key = |reasons: &[Failure]| {
            let reasons: Vec<&str> = reasons
                .iter()
                .map(|reason| reason.message.as_str())
                .collect();
            Failure::from(ContainersImageError::NoKey {
                reasons: reasons.join(", "),
            })
        };
        let Logging { entry, time } = match logging(bundle, rekor, provider).await? {
            Ok(logging) => logging,
            Err(refused) => {
                return Ok(Err(Refused {
                    failure: no_key(&[refused.failure]),
                    ..refused
                }));
            }
        };
        Ok(time.check(
            Rule::new(
                "set.entry",
                "the log entry is about one of the rule's keys, this signature and this payload",
            ),
            |time| {
                let mut reasons = Vec::new();
                for key in keys {
                    match self.check(&entry, Verifier::Key(key)) {
                        Ok(()) => return Ok((time, key.clone())),
                        Err(reason) => reasons.push(reason),
                    }
                }
                Err(no_key(&reasons))
            },
        ))
    }

    /// Steps 5 to 8.
    fn check(&self, entry: &Entry, verifier: Verifier<'_>) -> Result<(), Failure> {
        let signature = base64::decode_go(self.signature).ok_or(SignatureUse::Base64)?;
        let content = Content::MessageDigest(Hash::Sha256, &sha256(self.payload));
        Ok(entry.check_body(&Expected {
            signature: &signature,
            verifier,
            content,
        })?)
    }
}

/// Steps 1 to 4.
async fn logging<P: Provider>(
    bundle: &str,
    rekor: &[PublicKey],
    provider: &P,
) -> Result<Result<Logging, Refused>, HostError> {
    let entry = match Entry::parse_annotation(bundle.as_bytes()) {
        Ok(entry) => entry,
        Err(error) => return Ok(Err(Refused::new(error))),
    };
    if rekor.is_empty() {
        return Ok(Err(Refused::new(ContainersImageError::RekorMissing)));
    }
    let alternatives = rekor
        .iter()
        .map(|key| entry.set_claim_of_any_log(key))
        .collect();
    Ok(match first_to_settle(alternatives, provider).await? {
        Ok(time) => Ok(Logging { entry, time }),
        Err(refused)
            if matches!(
                refused.failure.kind,
                Kind::Uncheckable | Kind::InvalidSignature
            ) =>
        {
            Err(Refused {
                failure: ContainersImageError::Set.into(),
                ..refused
            })
        }
        Err(refused) => Err(refused),
    })
}

/// Step 6, for what the evidence has: the label and what stands before the block are not looked at.
fn only_block(text: &str) -> Result<Vec<u8>, ContainersImageError> {
    if text.len() > limits::CHAIN_TEXT {
        return Err(ContainersImageError::TooLarge {
            what: "the annotation dev.sigstore.cosign/certificate",
            limit: limits::CHAIN_TEXT,
        });
    }
    match pem::first(text) {
        Some((block, "")) => Ok(block.body),
        Some(_) => Err(ContainersImageError::LoggedPem {
            expected: "one PEM block, found trailing data after it",
        }),
        None => Err(ContainersImageError::LoggedPem {
            expected: "PEM, found none",
        }),
    }
}
