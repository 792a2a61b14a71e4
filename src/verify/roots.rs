//! The trusted roots by which is judged. They are read and verified here, once.

use super::error::RulesError;
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
    /// Reads and verifies a `trusted_root.json`.
    ///
    /// # Errors
    /// [`RulesError::Root`].
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, RulesError> {
        let failed = |failure: Failure| RulesError::Root {
            name: name.into(),
            message: failure.message,
        };
        let loaded = TrustedRoot::load(bytes).map_err(|error: HostError| failed(error.into()))?;
        Ok(Self {
            name: name.into(),
            root: loaded.map_err(failed)?,
            carried: None,
        })
    }

    /// One of the roots that this program carries: `public-good`, `staging` or `github`.
    ///
    /// # Errors
    /// [`RulesError::Root`].
    pub fn embedded(name: &str) -> Result<Self, RulesError> {
        let unknown = || RulesError::Root {
            name: name.into(),
            message: "expected public-good, staging or github".into(),
        };
        let root = roots::named(name).ok_or_else(unknown)?;
        let shown = format!("{} (as of {})", root.name, root.date);
        Ok(Self {
            carried: Some(root.name),
            ..Self::read(&shown, root.bytes)?
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

impl Roots {
    pub(super) fn of(
        policy: &Policy,
        assets: &BTreeMap<String, Vec<u8>>,
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
                None => Self::load(wanted, assets)?,
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

    fn load(
        wanted: &policy::TrustedRoot,
        assets: &BTreeMap<String, Vec<u8>>,
    ) -> Result<NamedRoot, RulesError> {
        match wanted {
            policy::TrustedRoot::PublicGood => NamedRoot::embedded("public-good"),
            policy::TrustedRoot::Staging => NamedRoot::embedded("staging"),
            policy::TrustedRoot::GitHub => NamedRoot::embedded("github"),
            policy::TrustedRoot::Path(path) => NamedRoot::read(
                path,
                assets.get(path).ok_or_else(|| RulesError::Missing {
                    paths: path.clone(),
                })?,
            ),
            policy::TrustedRoot::Data(bytes) => NamedRoot::read("trustedRootData", bytes),
        }
    }

    /// The root that a requirement names.
    pub(super) fn get(&self, wanted: &policy::TrustedRoot) -> Option<&NamedRoot> {
        self.0
            .iter()
            .find(|(known, _)| known == wanted)
            .map(|(_, root)| root)
    }
}
