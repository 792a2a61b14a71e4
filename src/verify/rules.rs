//! By what an image is judged: a policy, or what a command line asks for. Trusted roots are read and verified here, once.

use super::pins::scopes;
use super::report::{Note, RuleReport};
use crate::crypto::{KeyError, PublicKey};
use crate::error::{Failure, HostError};
use crate::limits;
use crate::policy;
use crate::policy::{Coverage, Matcher, Policy, Requirement, SigstoreSigned, Trust};
use crate::policy::registries_d::{self, RegistriesD, RegistriesError};
use crate::reference::Reference;
use crate::sigstore::identity::Identity;
use crate::sigstore::roots;
use crate::sigstore::trusted_root::TrustedRoot;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
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
        /// Where signatures are kept; none: attachments everywhere (TRUST section 1).
        registries: Option<RegistriesD>,
    },
}

/// One demand, whatever the image is called, as cosign's commands make it.
#[derive(Debug)]
pub struct Direct {
    /// Who must have signed.
    pub signers: Signers,
    /// Under which trusted root. Identities always have one.
    pub root: Option<NamedRoot>,
    /// The type of the attestation that is wanted; none: a signature.
    pub predicate_type: Option<String>,
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
        Key { number: usize, error: KeyError } => "key.unusable", "key {number}: {error}";
        NoKeys => "key.none", "expected at least one key, found none";
        TooManyKeys => "limit.keys", "more than 64 keys were given";
        Missing { paths: String } => "key.missing", "the policy names files that were not given: {paths}";
        Root { name: String, message: String } => "root.unusable", "the trusted root {name}: {message}";
        NoTime { name: String } => "root.no-time", "identities are judged by certificates, which are valid for minutes, and the trusted root {name} lists nobody who could say when a signature was made: add a transparency log of version 1, or a timestamp authority";
        NoAuthority { name: String } => "root.no-authority", "identities are judged by certificates, and the trusted root {name} lists no certificate authority";
    }
}

impl NamedRoot {
    /// Reads and verifies a `trusted_root.json`.
    ///
    /// # Errors
    /// [`RulesError::Root`].
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, RulesError> {
        let failed = |failure: Failure| RulesError::Root { name: name.into(), message: failure.message };
        let loaded = TrustedRoot::load(bytes).map_err(|error: HostError| failed(error.into()))?;
        Ok(Self { name: name.into(), root: loaded.map_err(failed)? })
    }

    /// One of the roots that this program carries: `public-good`, `staging` or `github`.
    ///
    /// # Errors
    /// [`RulesError::Root`].
    pub fn embedded(name: &str) -> Result<Self, RulesError> {
        let unknown = || RulesError::Root { name: name.into(), message: "expected public-good, staging or github".into() };
        let root = roots::named(name).ok_or_else(unknown)?;
        Self::read(&format!("{name} (as of {})", root.date), root.bytes)
    }

    /// Whether certificates can be judged under it (TRUST section 4, "Time").
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
        for trust in policy.scopes().flat_map(|scope| scope.requirements).filter_map(Requirement::trust) {
            let Some(wanted) = trust.root() else { continue };
            let named = match roots.get(wanted) {
                Some(known) => known.clone(),
                None => Self::load(wanted, assets)?,
            };
            let named = if matches!(trust, Trust::Certificates { .. }) { named.check_for_identities()? } else { named };
            if roots.get(wanted).is_none() {
                roots.0.push((wanted.clone(), named));
            }
        }
        Ok(roots)
    }

    fn load(wanted: &policy::TrustedRoot, assets: &BTreeMap<String, Vec<u8>>) -> Result<NamedRoot, RulesError> {
        match wanted {
            policy::TrustedRoot::PublicGood => NamedRoot::embedded("public-good"),
            policy::TrustedRoot::Staging => NamedRoot::embedded("staging"),
            policy::TrustedRoot::GitHub => NamedRoot::embedded("github"),
            policy::TrustedRoot::Path(path) => NamedRoot::read(path, assets.get(path).ok_or_else(|| RulesError::Missing { paths: path.clone() })?),
            policy::TrustedRoot::Data(bytes) => NamedRoot::read("trustedRootData", bytes),
        }
    }

    /// The root that a requirement names.
    pub(super) fn get(&self, wanted: &policy::TrustedRoot) -> Option<&NamedRoot> {
        self.0.iter().find(|(known, _)| known == wanted).map(|(_, root)| root)
    }
}

impl Rules {
    /// Keys in PEM: one of them must have signed, as `cosign verify --key` has it.
    ///
    /// # Errors
    /// [`RulesError`].
    pub fn keys(pem: &[Vec<u8>]) -> Result<Self, RulesError> {
        Ok(Self::Direct(Direct { signers: Signers::Keys(public_keys(pem)?), root: None, predicate_type: None }))
    }

    /// One demand.
    ///
    /// # Errors
    /// [`RulesError`]: identities without a root under which they can be judged.
    pub fn direct(mut direct: Direct) -> Result<Self, RulesError> {
        if matches!(direct.signers, Signers::Identities(_)) {
            let root = direct.root.map_or_else(|| NamedRoot::embedded("public-good"), Ok)?;
            direct.root = Some(root.check_for_identities()?);
        }
        Ok(Self::Direct(direct))
    }

    /// A policy, with every file that it names.
    ///
    /// # Errors
    /// [`RulesError`]: a missing file, a trusted root that cannot be used.
    pub fn policy(policy: Policy, assets: BTreeMap<String, Vec<u8>>) -> Result<Self, RulesError> {
        let missing: Vec<&str> = policy.asset_paths().into_iter().filter(|path| !assets.contains_key(*path)).collect();
        if !missing.is_empty() {
            return Err(RulesError::Missing { paths: missing.join(", ") });
        }
        let roots = Roots::of(&policy, &assets)?;
        Ok(Self::Policy { policy, assets, roots, registries: None })
    }

    /// With the files of a `registries.d`, by their names. It says nothing where there is no policy.
    ///
    /// # Errors
    /// [`RegistriesError`].
    pub fn with_registries_d(self, files: &BTreeMap<String, Vec<u8>>) -> Result<Self, RegistriesError> {
        let parsed = RegistriesD::parse(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))?;
        Ok(match self {
            Self::Policy { policy, assets, roots, .. } => Self::Policy { policy, assets, roots, registries: Some(parsed) },
            direct @ Self::Direct(_) => direct,
        })
    }

    /// The docker scope of this image that the policy has under audit: refusals there are written down and pass.
    pub fn audited(&self, name: &Reference) -> Option<&str> {
        let Self::Policy { policy, .. } = self else { return None };
        let scopes = scopes(name);
        policy.marker()?.audit.iter().find(|scope| scopes.contains(scope)).map(String::as_str)
    }

    /// Whether attachments of this image are looked at.
    pub(super) fn reads_attachments(&self, name: &Reference) -> bool {
        match self {
            Self::Policy { registries, .. } => registries_d::storage(registries.as_ref(), name).is_ok_and(|storage| storage.use_sigstore_attachments),
            Self::Direct(_) => true,
        }
    }

    /// Whether attachments of this image are looked at, where a `registries.d` says so.
    pub(super) fn attachments(&self, name: &Reference) -> Option<bool> {
        match self {
            Self::Policy { registries: Some(_), .. } => Some(self.reads_attachments(name)),
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
            Self::Direct(direct) => RuleReport { source: direct.signers.kind(), scope: None, coverage },
            Self::Policy { policy, .. } => RuleReport { source: "policy", scope: policy.select(name).ok().map(|selection| selection.scope), coverage },
        }
    }

    /// What was not demanded, and what deserves attention.
    pub(super) fn notes(&self, name: &Reference) -> Vec<Note> {
        match self {
            Self::Direct(direct) => direct.notes(),
            Self::Policy { policy, .. } => {
                let mut notes = policy.select(name).map(|selection| policy_notes(selection.requirements)).unwrap_or_default();
                if !self.reads_attachments(name) {
                    notes.push(Note { code: "registries-d.attachments-off", message: "use-sigstore-attachments is off for this image in registries.d: signatures and attestations that are attached to it were not looked at".into() });
                }
                notes.extend(self.audited(name).map(|scope| Note {
                    code: "policy.audit",
                    message: format!("the policy has docker \"{scope}\" under audit: a gateway lets its images pass and writes refusals down; the verdict here is what it will be once the scope is enforced"),
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
    fn notes(&self) -> Vec<Note> {
        let mut notes = vec![];
        if self.root.as_ref().is_none_or(|root| root.root.transparency_logs().is_empty()) {
            notes.push(log_not_required());
        }
        if self.predicate_type.is_none() {
            notes.push(Note {
                code: "identity.any",
                message: format!("the name in the signature was not compared: a{} alone says nothing about which image was meant to have this name", if self.signers.kind() == "key" { " key" } else { "n identity" }),
            });
        }
        if let Signers::Identities(identities) = &self.signers {
            let loose = identities.iter().flat_map(|identity| [&identity.issuer, &identity.subject]).filter(|pattern| pattern.is_unanchored());
            notes.extend(loose.map(|pattern| Note {
                code: "identity.unanchored",
                message: format!("the expression {} is searched for and nothing holds it to both ends of the text: write ^(?:{})$ if a whole match is meant", pattern.text(), pattern.text()),
            }));
        }
        notes
    }
}

fn log_not_required() -> Note {
    Note { code: "log.not-required", message: "transparency log: not required".into() }
}

fn policy_notes(requirements: &[Requirement]) -> Vec<Note> {
    let signed: Vec<&SigstoreSigned> = requirements.iter().filter_map(|r| if let Requirement::SigstoreSigned(s) = r { Some(s) } else { None }).collect();
    let mut notes = Vec::new();
    if signed.iter().any(|signed| signed.trust.root().is_none() && signed.rekor.is_none()) {
        notes.push(log_not_required());
    }
    if signed.iter().any(|s| matches!(s.identity, Matcher::Digest { .. })) {
        notes.push(Note { code: "identity.match-digest", message: "matchDigest: any image that this signer ever signed, under any name, of any age, passes as this one".into() });
    }
    if requirements.iter().all(|r| matches!(r, Requirement::InsecureAcceptAnything)) {
        notes.push(Note { code: "policy.accept-anything", message: "the policy accepts anything here: no signature was looked at".into() });
    }
    notes
}

/// Keys of files in PEM, each usable.
///
/// # Errors
/// [`RulesError`].
pub fn public_keys(pem: &[Vec<u8>]) -> Result<Vec<PublicKey>, RulesError> {
    if pem.is_empty() {
        return Err(RulesError::NoKeys);
    }
    if pem.len() > limits::KEYS {
        return Err(RulesError::TooManyKeys);
    }
    let key = |(number, bytes): (usize, &Vec<u8>)| PublicKey::from_pem(bytes).map_err(|error| RulesError::Key { number: number.saturating_add(1), error });
    pem.iter().enumerate().map(key).collect()
}

/// The command with which cosign asks for the same, up to the image; `None` where it has none. Proofs that our verdict did
/// not use are waived in it, too.
pub(super) fn cosign_command(rules: &Rules, name: &Reference) -> Option<String> {
    let (signer, root, predicate_type) = match rules {
        Rules::Direct(direct) => match &direct.signers {
            Signers::Keys(_) => ("--key cosign.pub".to_string(), direct.root.as_ref(), direct.predicate_type.as_deref()),
            Signers::Identities(identities) => (cosign_identity(identities)?, direct.root.as_ref(), direct.predicate_type.as_deref()),
        },
        Rules::Policy { policy, roots, .. } => policy.select(name).ok()?.requirements.iter().find_map(|requirement| {
            let Requirement::SigstoreSigned(signed) = requirement else { return None };
            let root = signed.trust.root().and_then(|root| roots.get(root));
            match &signed.trust {
                // cosign is told of Rekor's key by other means.
                Trust::Keys(_) if signed.rekor.is_some() => None,
                Trust::Keys(source) | Trust::LoggedKeys { keys: source, .. } => {
                    Some((format!("--key {}", source.paths().first().map_or("cosign.pub", String::as_str)), root, None))
                }
                Trust::Certificates { identities, .. } => Some((cosign_identity(identities)?, root, None)),
                Trust::Fulcio(_) | Trust::Pki(_) => None,
            }
        })?,
    };
    let verb = predicate_type.map_or("verify".to_string(), |kind| format!("verify-attestation --type {kind}"));
    let file = root.filter(|root| !root.name.starts_with("public-good")).map_or(String::new(), |_| " --trusted-root trusted_root.json".into());
    let tlog = if root.is_none_or(|root| root.root.transparency_logs().is_empty()) { " --insecure-ignore-tlog=true" } else { "" };
    let sct = if root.is_some_and(|root| root.root.certificate_logs().is_empty()) && !signer.starts_with("--key") { " --insecure-ignore-sct=true" } else { "" };
    Some(format!("cosign {verb} {signer}{file}{tlog}{sct}"))
}

/// One identity; cosign takes no more, and knows no claims.
fn cosign_identity(identities: &[Identity]) -> Option<String> {
    use crate::sigstore::identity::Pattern;
    let [identity] = identities else { return None };
    let quote = |text: &str| if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./:@=+".contains(&byte)) { text.to_string() } else { format!("'{}'", text.replace('\'', "'\\''")) };
    let option = |name: &str, pattern: &Pattern| match pattern {
        Pattern::Exact(text) => format!("--certificate-{name} {}", quote(text)),
        Pattern::Search(_) => format!("--certificate-{name}-regexp {}", quote(pattern.text())),
        Pattern::Whole(_) => format!("--certificate-{name}-regexp {}", quote(&format!(r"\A(?:{})\z", pattern.text()))),
    };
    Some(format!("{} {}", option("identity", &identity.subject), option("oidc-issuer", &identity.issuer)))
}
