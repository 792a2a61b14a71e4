//! The trusted roots by which is judged. They are read and verified here, once.

use super::error::RulesError;
use crate::crypto::Provider;
use crate::error::{Failure, HostError};
use crate::policy;
use crate::policy::{Policy, Requirement, Trust};
use crate::sigstore::roots;
use crate::sigstore::trusted_root::TrustedRoot;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A trusted root and what to call it.
#[derive(Debug, Clone)]
pub struct NamedRoot {
    /// For people, for instance `public-good (as of 2026-10-21)`.
    pub name: String,
    /// The root.
    pub(crate) root: TrustedRoot,
    /// By which name this program carries it.
    pub(super) carried: Option<&'static str>,
}

/// The trusted roots of a policy.
#[derive(Debug, Default)]
pub struct Roots(Vec<(policy::TrustedRoot, NamedRoot)>);

impl NamedRoot {
    /// Reads and verifies a `trusted_root.json`, in pure Rust.
    ///
    /// # Errors
    /// [`RulesError::Root`].
    #[cfg(feature = "arithmetic")]
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, RulesError> {
        here(Self::read_by(name, bytes, &crate::crypto::RustCrypto))
    }

    /// Reads and verifies a `trusted_root.json`: the signatures inside it are checked by
    /// `provider`.
    ///
    /// # Errors
    /// [`RulesError::Root`].
    pub async fn read_by<P: Provider>(
        name: &str,
        bytes: &[u8],
        provider: &P,
    ) -> Result<Self, RulesError> {
        let failed = |failure: Failure| RulesError::Root {
            name: name.into(),
            message: failure.message,
        };
        let loaded = TrustedRoot::load_by(bytes, provider)
            .await
            .map_err(|error: HostError| failed(error.into()))?;
        Ok(Self {
            name: name.into(),
            root: loaded.map_err(failed)?,
            carried: None,
        })
    }

    /// One of the roots that this program carries, `public-good`, `staging` or `github`; verified
    /// in pure Rust.
    ///
    /// # Errors
    /// [`RulesError::Root`].
    #[cfg(feature = "arithmetic")]
    pub fn embedded(name: &str) -> Result<Self, RulesError> {
        here(Self::embedded_by(name, &crate::crypto::RustCrypto))
    }

    /// One of the roots that this program carries: `public-good`, `staging` or `github`.
    ///
    /// # Errors
    /// [`RulesError::Root`].
    pub async fn embedded_by<P: Provider>(name: &str, provider: &P) -> Result<Self, RulesError> {
        let unknown = || RulesError::Root {
            name: name.into(),
            message: "expected public-good, staging or github".into(),
        };
        let root = roots::named(name).ok_or_else(unknown)?;
        let shown = format!("{} (as of {})", root.name, root.date);
        Ok(Self {
            carried: Some(root.name),
            ..Self::read_by(&shown, root.bytes, provider).await?
        })
    }

    /// Whether certificates can be judged under it (docs/trust.md section 4, "Time").
    pub(super) fn check_for_identities(self) -> Result<Self, RulesError> {
        if self.root.authorities().is_empty() {
            return Err(RulesError::NoAuthority { name: self.name });
        }
        if self.root.timestamp_authorities().is_empty() && !self.root.has_log_that_tells_time() {
            return Err(RulesError::NoTime { name: self.name });
        }
        Ok(self)
    }
}

/// In pure Rust, which waits for nothing.
#[cfg(feature = "arithmetic")]
pub(super) fn here<T>(
    loading: impl Future<Output = Result<T, RulesError>>,
) -> Result<T, RulesError> {
    crate::crypto::at_once(loading).unwrap_or_else(|error| {
        Err(RulesError::Root {
            name: "that is loaded".into(),
            message: Failure::from(error).message,
        })
    })
}

impl Roots {
    pub(super) async fn of<P: Provider>(
        policy: &Policy,
        assets: &BTreeMap<String, Vec<u8>>,
        provider: &P,
    ) -> Result<Self, RulesError> {
        let mut roots = Self::default();
        for trust in policy
            .scopes()
            .flat_map(|scope| scope.requirements)
            .filter_map(Requirement::trust)
        {
            let Some(wanted) = trust.root() else { continue };
            let named = match roots.get(wanted) {
                Some(known) => known.clone(),
                None => Self::load(wanted, assets, provider).await?,
            };
            let named = if matches!(trust, Trust::Certificates { .. }) {
                named.check_for_identities()?
            } else {
                named
            };
            if roots.get(wanted).is_none() {
                roots.0.push((wanted.clone(), named));
            }
        }
        Ok(roots)
    }

    async fn load<P: Provider>(
        wanted: &policy::TrustedRoot,
        assets: &BTreeMap<String, Vec<u8>>,
        provider: &P,
    ) -> Result<NamedRoot, RulesError> {
        let (name, bytes) = match wanted {
            policy::TrustedRoot::PublicGood => {
                return NamedRoot::embedded_by("public-good", provider).await;
            }
            policy::TrustedRoot::Staging => {
                return NamedRoot::embedded_by("staging", provider).await;
            }
            policy::TrustedRoot::GitHub => {
                return NamedRoot::embedded_by("github", provider).await;
            }
            policy::TrustedRoot::Path(path) => {
                let missing = || RulesError::Missing {
                    paths: path.clone(),
                };
                (path.as_str(), assets.get(path).ok_or_else(missing)?)
            }
            policy::TrustedRoot::Data(bytes) => ("trustedRootData", bytes),
        };
        NamedRoot::read_by(name, bytes, provider).await
    }

    /// The root that a requirement names.
    pub(super) fn get(&self, wanted: &policy::TrustedRoot) -> Option<&NamedRoot> {
        self.0
            .iter()
            .find(|(known, _)| known == wanted)
            .map(|(_, root)| root)
    }
}
