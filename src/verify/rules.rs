//! By what an image is judged: a policy, or what a command line asks for. Trusted roots are read
//! and verified here, once.

use super::report::{Note, RuleReport};
use crate::crypto::{KeyError, PublicKey, holds_private_key};
use crate::error::{Failure, HostError};
use crate::limits;
use crate::policy;
use crate::policy::lint;
use crate::policy::registries_d::{self, RegistriesD, RegistriesError};
use crate::policy::{Coverage, Matcher, Policy, Requirement, SigstoreSigned, Trust};
use crate::reference::Reference;
use crate::sigstore::identity::Identity;
use crate::sigstore::roots;
use crate::sigstore::trusted_root::TrustedRoot;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// By what is judged.
#[derive(Debug)]
pub enum Rules {
    /// What a command line asks for.
    Direct(Direct),
    /// A policy, and the content of the files that it names.
    Policy {
        /// The policy.
        policy: Policy,
        /// The files, by the path that the policy writes.
        assets: BTreeMap<String, Vec<u8>>,
        /// The trusted roots that it names.
        roots: Roots,
        /// Where signatures are kept; none: attachments everywhere (docs/trust.md section 1).
        registries: Option<RegistriesD>,
        /// Where the files lie.
        paths: Paths,
    },
}

/// One demand without a policy, as cosign's commands make it.
#[derive(Debug)]
pub struct Direct {
    /// Who must have signed.
    pub signers: Signers,
    /// Under which trusted root. Identities always have one.
    pub root: Option<NamedRoot>,
    /// The type of the attestation that is wanted; none: a signature.
    pub predicate_type: Option<String>,
    /// Which names a signature may speak of.
    pub names: SignedNames,
    /// What a signature must carry in its payload's `optional`, as `cosign verify -a` has it.
    pub annotations: Vec<(String, String)>,
    /// Whether each of several keys must have signed.
    pub all_keys: bool,
    /// Where the files lie.
    pub paths: Paths,
}

/// Which names a signature may speak of where there is no policy (docs/trust.md section 9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SignedNames {
    /// The repository that was asked for. A bundle names none.
    #[default]
    Own,
    /// Any: a copied signature passes.
    Any,
}

/// Where files lie, for the commands that are shown to people; nothing is read there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paths {
    /// Of the keys, in their order.
    pub keys: Vec<String>,
    /// Of the trusted root.
    pub trusted_root: Option<String>,
    /// Of files that a policy names, where it is not the name that the policy writes.
    pub assets: BTreeMap<String, String>,
}

/// Who must have signed.
#[derive(Debug)]
pub enum Signers {
    /// One of these keys.
    Keys(Vec<PublicKey>),
    /// One of these identities.
    Identities(Vec<Identity>),
}

/// A trusted root and what to call it.
#[derive(Debug, Clone)]
pub struct NamedRoot {
    /// For people, for instance `public-good (as of 2026-10-21)`.
    pub name: String,
    /// The root.
    pub root: TrustedRoot,
}

/// The trusted roots of a policy.
#[derive(Debug, Default)]
pub struct Roots(Vec<(policy::TrustedRoot, NamedRoot)>);

codes! {
    /// These rules cannot be judged by.
    pub enum RulesError {
        Key { what: String, error: KeyError } => "key.unusable", "{what}: {error}";
        NotKeys => "rule.all-keys",
            "expected keys, all of which must have signed, found an identity: give keys, or leave \
             the demand for all of them out";
        NoKeys => "key.none", "expected at least one key, found none";
        TooManyKeys => "limit.keys", "more than 64 keys were given";
        PrivateKey { what: String } => "key.private",
            "{what} holds a private key, which must lie where nobody else reads it: give the public \
             key in its place (made by: cosign public-key --key FILE, openssl pkey -in FILE \
             -pubout, or gpg --export), and make a new pair if others could read this file";
        Missing { paths: String } => "key.missing",
            "the policy names files that were not given: {paths}";
        Root { name: String, message: String } => "root.unusable",
            "the trusted root {name}: {message}";
        NoTime { name: String } => "root.no-time",
            "identities are judged by certificates, which are valid for minutes, and the trusted \
             root {name} lists nobody who could say when a signature was made: add a transparency \
             log of version 1, or a timestamp authority";
        NoAuthority { name: String } => "root.no-authority",
            "identities are judged by certificates, and the trusted root {name} lists no \
             certificate authority";
    }
}

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
        Self::read(&format!("{name} (as of {})", root.date), root.bytes)
    }

    /// Whether certificates can be judged under it (docs/trust.md section 4, "Time").
    fn check_for_identities(self) -> Result<Self, RulesError> {
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
    fn of(policy: &Policy, assets: &BTreeMap<String, Vec<u8>>) -> Result<Self, RulesError> {
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

impl Rules {
    /// Keys in PEM: one of them must have signed, as `cosign verify --key` has it, and under the
    /// name that is asked for.
    ///
    /// # Errors
    /// [`RulesError`].
    pub fn keys(pem: &[Vec<u8>]) -> Result<Self, RulesError> {
        Ok(Self::Direct(Direct::by(Signers::Keys(public_keys(
            pem,
            &[],
        )?))))
    }

    /// One demand.
    ///
    /// # Errors
    /// [`RulesError`]: identities without a root under which they can be judged.
    pub fn direct(mut direct: Direct) -> Result<Self, RulesError> {
        if matches!(direct.signers, Signers::Identities(_)) {
            if direct.all_keys {
                return Err(RulesError::NotKeys);
            }
            let root = direct
                .root
                .map_or_else(|| NamedRoot::embedded("public-good"), Ok)?;
            direct.root = Some(root.check_for_identities()?);
        }
        Ok(Self::Direct(direct))
    }

    /// A policy, with every file that it names.
    ///
    /// # Errors
    /// [`RulesError`]: a missing file, a private key, a trusted root that cannot be used.
    pub fn policy(policy: Policy, assets: BTreeMap<String, Vec<u8>>) -> Result<Self, RulesError> {
        let missing: Vec<&str> = policy
            .asset_paths()
            .into_iter()
            .filter(|path| !assets.contains_key(*path))
            .collect();
        if !missing.is_empty() {
            return Err(RulesError::Missing {
                paths: missing.join(", "),
            });
        }
        check_private(&policy, &assets)?;
        let roots = Roots::of(&policy, &assets)?;
        Ok(Self::Policy {
            policy,
            assets,
            roots,
            registries: None,
            paths: Paths::default(),
        })
    }

    /// With the places of the files, for the commands that are shown.
    #[must_use]
    pub fn with_paths(self, paths: Paths) -> Self {
        match self {
            Self::Policy {
                policy,
                assets,
                roots,
                registries,
                ..
            } => Self::Policy {
                policy,
                assets,
                roots,
                registries,
                paths,
            },
            Self::Direct(direct) => Self::Direct(Direct { paths, ..direct }),
        }
    }

    /// With the files of a `registries.d`, by their names. It says nothing where there is no
    /// policy.
    ///
    /// # Errors
    /// [`RegistriesError`].
    pub fn with_registries_d(
        self,
        files: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, RegistriesError> {
        let parsed = RegistriesD::parse(
            files
                .iter()
                .map(|(name, bytes)| (name.as_str(), bytes.as_slice())),
        )?;
        Ok(match self {
            Self::Policy {
                policy,
                assets,
                roots,
                paths,
                ..
            } => Self::Policy {
                policy,
                assets,
                roots,
                registries: Some(parsed),
                paths,
            },
            direct @ Self::Direct(_) => direct,
        })
    }

    /// The docker scope of this image that the policy has under audit: refusals there are written
    /// down and pass.
    pub fn audited(&self, name: &Reference) -> Option<&str> {
        match self {
            Self::Policy { policy, .. } => policy.audited(name),
            Self::Direct(_) => None,
        }
    }

    /// Whether attachments of this image are looked at.
    pub(super) fn reads_attachments(&self, name: &Reference) -> bool {
        match self {
            Self::Policy { registries, .. } => registries_d::storage(registries.as_ref(), name)
                .is_ok_and(|storage| storage.use_sigstore_attachments),
            Self::Direct(_) => true,
        }
    }

    /// Whether attachments of this image are looked at, where a `registries.d` says so.
    pub(super) fn attachments(&self, name: &Reference) -> Option<bool> {
        match self {
            Self::Policy {
                registries: Some(_),
                ..
            } => Some(self.reads_attachments(name)),
            _ => None,
        }
    }

    /// Whether an index covers its images.
    pub fn coverage(&self) -> Coverage {
        match self {
            Self::Direct(_) => Coverage::Index,
            Self::Policy { policy, .. } => policy.coverage(),
        }
    }

    /// The rule that applies to `name`, for the report.
    pub(super) fn report(&self, name: &Reference) -> RuleReport {
        let coverage = Some(match self.coverage() {
            Coverage::Index => "index",
            Coverage::Instance => "instance",
        });
        match self {
            Self::Direct(direct) => RuleReport {
                source: direct.signers.kind(),
                scope: None,
                coverage,
            },
            Self::Policy { policy, .. } => RuleReport {
                source: "policy",
                scope: policy.select(name).ok().map(|selection| selection.scope),
                coverage,
            },
        }
    }

    /// What was not demanded, and what deserves attention.
    pub(super) fn notes(&self, name: &Reference) -> Vec<Note> {
        match self {
            Self::Direct(direct) => direct.notes(),
            Self::Policy { policy, .. } => {
                let mut notes = policy
                    .select(name)
                    .map(|selection| policy_notes(selection.requirements))
                    .unwrap_or_default();
                if !self.reads_attachments(name) {
                    notes.push(Note {
                        code: "registries-d.attachments-off",
                        message: "use-sigstore-attachments is off for this image in registries.d: \
                                  signatures and attestations that are attached to it were not \
                                  looked at"
                            .into(),
                    });
                }
                notes.extend(self.audited(name).map(|scope| Note {
                    code: "policy.audit",
                    message: format!(
                        "the policy has docker \"{scope}\" under audit: a gateway lets its images \
                         pass, allowed and not verified, and writes refusals down; the verdict \
                         here is what it will be once the scope is enforced"
                    ),
                }));
                notes
            }
        }
    }
}

impl Signers {
    /// `key` or `identity`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Keys(_) => "key",
            Self::Identities(_) => "identity",
        }
    }
}

impl Direct {
    /// By these, and nothing more is demanded.
    pub fn by(signers: Signers) -> Self {
        Self {
            signers,
            root: None,
            predicate_type: None,
            names: SignedNames::default(),
            annotations: Vec::new(),
            all_keys: false,
            paths: Paths::default(),
        }
    }

    /// The keys of each demand, one of which must have signed: each key, where all must have.
    pub(super) fn demands(&self) -> Vec<&[PublicKey]> {
        match &self.signers {
            Signers::Keys(keys) if self.all_keys => keys.chunks(1).collect(),
            Signers::Keys(keys) => vec![keys],
            Signers::Identities(_) => vec![&[]],
        }
    }

    fn notes(&self) -> Vec<Note> {
        let mut notes = vec![];
        if self
            .root
            .as_ref()
            .is_none_or(|root| root.root.transparency_logs().is_empty())
        {
            notes.push(log_not_required());
        }
        if self.predicate_type.is_none() && self.names == SignedNames::Any {
            notes.push(Note {
                code: "identity.any",
                message: format!(
                    "the name in the signature was not compared: a{} alone says nothing about \
                     which image was meant to have this name",
                    if self.signers.kind() == "key" {
                        " key"
                    } else {
                        "n identity"
                    }
                ),
            });
        }
        if let Signers::Identities(identities) = &self.signers {
            notes.extend(
                identities
                    .iter()
                    .flat_map(lint::identity)
                    .map(|(code, message)| Note { code, message }),
            );
        }
        notes
    }
}

fn log_not_required() -> Note {
    Note {
        code: "log.not-required",
        message: "transparency log: not required".into(),
    }
}

fn policy_notes(requirements: &[Requirement]) -> Vec<Note> {
    let signed: Vec<&SigstoreSigned> = requirements
        .iter()
        .filter_map(|r| {
            if let Requirement::SigstoreSigned(s) = r {
                Some(s)
            } else {
                None
            }
        })
        .collect();
    let mut notes = Vec::new();
    if signed
        .iter()
        .any(|signed| signed.trust.root().is_none() && signed.rekor.is_none())
    {
        notes.push(log_not_required());
    }
    if signed
        .iter()
        .any(|s| matches!(s.identity, Matcher::Digest { .. }))
    {
        notes.push(Note {
            code: "identity.match-digest",
            message: "matchDigest: any image that this signer ever signed, under any name, of any \
                      age, passes as this one"
                .into(),
        });
    }
    if requirements
        .iter()
        .all(|r| matches!(r, Requirement::InsecureAcceptAnything))
    {
        notes.push(Note {
            code: "policy.accept-anything",
            message: "the policy accepts anything here: no signature was looked at".into(),
        });
    }
    notes
}

/// docs/trust.md section 1: wherever a policy names it, whatever for, and unmarked policies
/// included.
fn check_private(policy: &Policy, assets: &BTreeMap<String, Vec<u8>>) -> Result<(), RulesError> {
    let shown = |path: &str| {
        format!(
            "the file {:?}, which the policy names,",
            path.chars().take(100).collect::<String>()
        )
    };
    let named = policy.asset_paths().into_iter().find(|path| {
        assets
            .get(*path)
            .is_some_and(|bytes| holds_private_key(bytes))
    });
    let carries = || {
        policy
            .scopes()
            .flat_map(|scope| scope.requirements)
            .flat_map(Requirement::datas)
            .any(holds_private_key)
    };
    match named {
        Some(path) => Err(RulesError::PrivateKey { what: shown(path) }),
        None if carries() => Err(RulesError::PrivateKey {
            what: "the inline data of the policy".into(),
        }),
        None => Ok(()),
    }
}

/// Keys of files in PEM, each usable; messages name the files at `paths`, as far as they are given.
///
/// # Errors
/// [`RulesError`].
pub fn public_keys(pem: &[Vec<u8>], paths: &[String]) -> Result<Vec<PublicKey>, RulesError> {
    if pem.is_empty() {
        return Err(RulesError::NoKeys);
    }
    if pem.len() > limits::KEYS {
        return Err(RulesError::TooManyKeys);
    }
    let name = |number: usize| match paths.get(number) {
        Some(path) => format!("the key {path}"),
        None => format!("key {}", number.saturating_add(1)),
    };
    if let Some(number) = pem.iter().position(|bytes| holds_private_key(bytes)) {
        return Err(RulesError::PrivateKey { what: name(number) });
    }
    let key = |(number, bytes): (usize, &Vec<u8>)| {
        PublicKey::from_pem(bytes).map_err(|error| RulesError::Key {
            what: name(number),
            error,
        })
    };
    pem.iter().enumerate().map(key).collect()
}
