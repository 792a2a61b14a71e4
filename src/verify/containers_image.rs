//! `fulcio`, `pki` and `rekorPublicKey…` of a policy: what its files hold, and what a verified
//! signature says for the report (docs/containers-image.md sections 2.2 to 2.4).

use super::candidate::Who;
use super::judge::{files, keys};
use super::report::{Claims, LogEntry, Signer};
use crate::cosign::containers_image::{ContainersImageSignature, Fulcio, Pki, Trust, material};
use crate::crypto::PublicKey;
use crate::error::Failure;
use crate::limits;
use crate::policy;
use crate::policy::{KeySource, SigstoreSigned};
use crate::time::UnixTime;
use crate::x509::{Certificate, fulcio};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What the files of one requirement hold.
#[derive(Default)]
pub(super) struct Material {
    keys: Vec<PublicKey>,
    roots: Vec<Certificate>,
    intermediates: Vec<Certificate>,
    rekor: Vec<PublicKey>,
}

impl Material {
    /// All is read first: what cannot be used rejects everything. `None` where the requirement is
    /// none of those that only containers/image knows.
    ///
    /// # Errors
    /// The codes of [`material`] and [`crate::crypto::KeyError`].
    pub(super) fn read(
        signed: &SigstoreSigned,
        assets: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Option<Self>, Failure> {
        let rekor = match &signed.rekor {
            Some(source) => rekor_keys(&files(source, assets)?)?,
            None => Vec::new(),
        };
        Ok(match &signed.trust {
            policy::Trust::Keys(source) if signed.rekor.is_some() => Some(Self {
                keys: keys(source, assets)?,
                rekor,
                ..Self::default()
            }),
            policy::Trust::Fulcio(fulcio) => Some(Self {
                roots: material::roots(one(&fulcio.ca, assets)?)?,
                rekor,
                ..Self::default()
            }),
            policy::Trust::Pki(pki) => {
                let intermediates = match &pki.intermediates {
                    Some(source) => material::intermediates(one(source, assets)?)?,
                    None => Vec::new(),
                };
                Some(Self {
                    roots: material::roots(one(&pki.roots, assets)?)?,
                    intermediates,
                    rekor,
                    ..Self::default()
                })
            }
            policy::Trust::Keys(_)
            | policy::Trust::LoggedKeys { .. }
            | policy::Trust::Certificates { .. } => None,
        })
    }

    /// Who must have signed. `now` is when a certificate of `pki` must be valid.
    pub(super) fn who<'a>(&'a self, trust: &'a policy::Trust, now: UnixTime) -> Who<'a> {
        let trust = match trust {
            policy::Trust::Fulcio(fulcio) => Trust::Fulcio(Fulcio {
                ca: &self.roots,
                oidc_issuer: &fulcio.oidc_issuer,
                subject_email: &fulcio.subject_email,
            }),
            policy::Trust::Pki(pki) => Trust::Pki(Pki {
                roots: &self.roots,
                intermediates: &self.intermediates,
                subject_email: pki.subject_email.as_deref(),
                subject_hostname: pki.subject_hostname.as_deref(),
                now,
            }),
            _ => Trust::Keys(&self.keys),
        };
        Who::ContainersImage {
            trust,
            rekor: &self.rekor,
        }
    }
}

/// A member for certificates names one file.
fn one<'a>(
    source: &'a KeySource,
    assets: &'a BTreeMap<String, Vec<u8>>,
) -> Result<&'a [u8], Failure> {
    Ok(files(source, assets)?.first().copied().unwrap_or_default())
}

/// At least one, of at most as many as a requirement may have.
fn rekor_keys(files: &[&[u8]]) -> Result<Vec<PublicKey>, Failure> {
    use super::rules::RulesError;
    match files.len() {
        0 => Err(RulesError::NoKeys.into()),
        found if found > limits::KEYS => Err(RulesError::TooManyKeys.into()),
        _ => material::rekor_keys(files),
    }
}

/// Certificate and log entry, for the report. A certificate with several names is described by none
/// of them.
pub(super) fn claims(signature: &ContainersImageSignature) -> Claims {
    let signer = |certificate: &Certificate| {
        Some(Signer::of(
            certificate,
            &fulcio::Claims::of(certificate).ok()?,
        ))
    };
    let entry = |logged: &crate::tlog::rekor::IntegratedTime| LogEntry {
        log_id: logged.log_id().into(),
        index: logged.log_index().to_string(),
        kind: "hashedrekord 0.0.1".into(),
        time: Some(logged.time().0),
        origin: None,
        tree_size: None,
    };
    Claims {
        signer: signature.certificate().and_then(signer),
        log_entries: signature.logged().map(entry).into_iter().collect(),
        ..Claims::default()
    }
}

/// Who signed, in words.
pub(super) fn by_whom(trust: &Trust<'_>) -> String {
    match trust {
        Trust::Keys(_) => "by a trusted key, logged by Rekor".into(),
        Trust::Fulcio(fulcio) => format!("by {} ({})", fulcio.subject_email, fulcio.oidc_issuer),
        Trust::Pki(pki) => format!(
            "by {}",
            pki.subject_email
                .into_iter()
                .chain(pki.subject_hostname)
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}
