//! Key material: what the files of a policy hold (docs/containers-image.md sections 2.2 to 2.4 and
//! 6).

use super::error::RulesError;
use super::key_files::files;
use super::question::Who;
use crate::cosign::containers_image::{Fulcio, Pki, Trust, material};
use crate::crypto::PublicKey;
use crate::error::Failure;
use crate::limits;
use crate::policy;
use crate::policy::{KeySource, SigstoreSigned};
use crate::time::UnixTime;
use crate::x509::Certificate;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// All are built first: one that cannot be used rejects everything (docs/containers-image.md
/// section 6).
pub(super) fn keys(
    source: &KeySource,
    assets: &BTreeMap<String, Vec<u8>>,
) -> Result<Vec<PublicKey>, Failure> {
    let material = files(source, assets)?;
    if material.is_empty() {
        return Err(RulesError::NoKeys.into());
    }
    if material.len() > limits::KEYS {
        return Err(RulesError::TooManyKeys {
            limit: limits::KEYS,
        }
        .into());
    }
    material
        .into_iter()
        .map(|bytes| PublicKey::from_pem(bytes).map_err(Failure::from))
        .collect()
}

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
    match files.len() {
        0 => Err(RulesError::NoKeys.into()),
        found if found > limits::KEYS => Err(RulesError::TooManyKeys {
            limit: limits::KEYS,
        }
        .into()),
        _ => material::rekor_keys(files),
    }
}
