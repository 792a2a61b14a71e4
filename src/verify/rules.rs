//! By what an image is judged: a policy, or what a command line asks for.

use super::direct::{Direct, Paths, Signers, public_keys};
use super::error::{RulesError, VerifyError};
use super::pins::{self, InHand};
use super::report::{Note, RuleReport};
#[cfg(feature = "arithmetic")]
use super::roots::here;
use super::roots::{NamedRoot, Roots};
#[cfg(feature = "openpgp")]
use super::simple::{Keyrings, Lookaside};
use super::subject::Subject;
use crate::crypto::{Provider, holds_private_key};
use crate::error::Failure;
#[cfg(feature = "openpgp")]
use crate::policy::FileTransport;
use crate::policy::registries_d::{self, RegistriesD, RegistriesError};
use crate::policy::{Coverage, Matcher, Policy, Requirement, SigstoreSigned};
use crate::reference::Reference;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// By what is judged.
#[derive(Debug)]
pub enum Rules {
    /// What a command line asks for.
    Direct(Direct),
    /// A policy.
    Policy(PolicyRules),
}

/// A policy, and everything that it names.
#[derive(Debug)]
pub struct PolicyRules {
    pub(super) policy: Policy,
    /// The content of the files, by the path that the policy writes.
    pub(super) assets: BTreeMap<String, Vec<u8>>,
    /// The trusted roots that it names.
    pub(super) roots: Roots,
    /// The keyrings that it names.
    #[cfg(feature = "openpgp")]
    pub(super) keyrings: Keyrings,
    /// Where signatures are kept; none: attachments everywhere (docs/trust.md section 1).
    registries: Option<Box<RegistriesD>>,
    /// Where the files lie.
    pub(super) paths: Paths,
}

impl PolicyRules {
    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    fn with_registries_d(self, registries: RegistriesD) -> Result<Self, RegistriesError> {
        #[cfg(not(feature = "openpgp"))]
        if registries.needs_openpgp(&self.policy) {
            return Err(RegistriesError::Part);
        }
        Ok(Self {
            registries: Some(Box::new(registries)),
            ..self
        })
    }
}

impl Rules {
    /// Keys in PEM: one of them must have signed, as `cosign verify --key` has it, and under the
    /// name that is asked for.
    ///
    /// # Errors
    /// [`RulesError`].
    pub fn keys(pem: &[Vec<u8>]) -> Result<Self, RulesError> {
        let keys = public_keys(pem, &[])?;
        Ok(Self::Direct(Direct::by(Signers::Keys(keys))))
    }

    /// One demand; the trusted root is verified in pure Rust.
    ///
    /// # Errors
    /// As [`Self::direct_by`].
    #[cfg(feature = "arithmetic")]
    pub fn direct(direct: Direct) -> Result<Self, RulesError> {
        here(Self::direct_by(direct, &crate::crypto::RustCrypto))
    }

    /// One demand. Identities are judged under the public-good root where no other is given, whose
    /// signatures are checked by `provider`.
    ///
    /// # Errors
    /// [`RulesError`]: identities without a root under which they can be judged.
    pub async fn direct_by<P: Provider>(
        mut direct: Direct,
        provider: &P,
    ) -> Result<Self, RulesError> {
        if matches!(direct.signers, Signers::Identities(_)) {
            if direct.all_keys {
                return Err(RulesError::NotKeys);
            }
            let root = match direct.root {
                Some(root) => root,
                None => NamedRoot::embedded_by("public-good", provider).await?,
            };
            direct.root = Some(root.check_for_identities()?);
        }
        Ok(Self::Direct(direct))
    }

    /// A policy, with the content of every file that it names, by the path that it writes; its
    /// trusted roots are verified in pure Rust.
    ///
    /// # Errors
    /// As [`Self::policy_by`].
    #[cfg(feature = "arithmetic")]
    pub fn policy(policy: Policy, assets: BTreeMap<String, Vec<u8>>) -> Result<Self, RulesError> {
        here(Self::policy_by(policy, assets, &crate::crypto::RustCrypto))
    }

    /// A policy, with the content of every file that it names, by the path that it writes. The
    /// signatures inside its trusted roots are checked by `provider`.
    ///
    /// # Errors
    /// [`RulesError`]: a missing file, a private key, a trusted root that cannot be used.
    pub async fn policy_by<P: Provider>(
        policy: Policy,
        assets: BTreeMap<String, Vec<u8>>,
        provider: &P,
    ) -> Result<Self, RulesError> {
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
        let roots = Roots::of(&policy, &assets, provider).await?;
        #[cfg(feature = "openpgp")]
        let keyrings = Keyrings::of(&policy, &assets);
        Ok(Self::Policy(PolicyRules {
            policy,
            assets,
            roots,
            #[cfg(feature = "openpgp")]
            keyrings,
            registries: None,
            paths: Paths::default(),
        }))
    }

    /// With the places of the files, for the commands that are shown.
    #[must_use]
    pub fn with_paths(self, paths: Paths) -> Self {
        match self {
            Self::Policy(rules) => Self::Policy(PolicyRules { paths, ..rules }),
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
        match self {
            Self::Policy(rules) => rules.with_registries_d(parsed).map(Self::Policy),
            direct @ Self::Direct(_) => Ok(direct),
        }
    }

    /// For this image of the transport `dir:`, by its path with links resolved. It has no name.
    ///
    /// # Errors
    /// The codes of [`crate::policy::scope::IdentityError`]; without a policy [`RulesError::Dir`].
    #[cfg(feature = "openpgp")]
    pub fn of_dir(self, path: &str) -> Result<Self, Failure> {
        match self {
            Self::Policy(rules) if rules.registries.is_none() => Ok(Self::Policy(PolicyRules {
                policy: rules.policy.of_file(FileTransport::Dir, path)?,
                ..rules
            })),
            _ => Err(RulesError::Dir.into()),
        }
    }

    /// The name, of an image that has one.
    pub(super) fn named<'a>(&self, name: &'a Reference) -> Option<&'a Reference> {
        match self {
            Self::Policy(rules) if rules.policy.file().is_some() => None,
            _ => Some(name),
        }
    }

    /// Whether the simple signatures of this image must be readable, whatever is demanded: podman
    /// copies them with the image.
    #[cfg(feature = "openpgp")]
    pub(super) fn copies_simple(&self, name: &Reference) -> bool {
        let is_of_dir = match self {
            Self::Policy(rules) => rules.policy.file().is_some() && !rules.policy.is_extended(),
            Self::Direct(_) => false,
        };
        is_of_dir || self.copied_lookaside(name).is_some()
    }

    /// Whether the policy has anything under audit.
    pub(crate) fn has_audit(&self) -> bool {
        match self {
            Self::Policy(rules) => rules.policy.has_audit(),
            Self::Direct(_) => false,
        }
    }

    /// How many digests the policy distrusts.
    pub(crate) fn distrusted_digests(&self) -> usize {
        match self {
            Self::Policy(rules) => {
                (rules.policy.marker()).map_or(0, |marker| marker.distrusted.len())
            }
            Self::Direct(_) => 0,
        }
    }

    /// Why this does not run under any name, if the policy distrusts it.
    pub(crate) fn distrusts(&self, subject: &Subject) -> Option<Failure> {
        self.distrusted(InHand {
            subject,
            within: None,
        })
    }

    /// The same, and because of the index in whose place it is judged.
    pub(super) fn distrusted(&self, in_hand: InHand<'_>) -> Option<Failure> {
        let Self::Policy(rules) = self else {
            return None;
        };
        let digest = pins::distrusted(&rules.policy.marker()?.distrusted, in_hand)?;
        let digest = digest.to_string();
        Some(VerifyError::Distrusted { digest }.into())
    }

    /// The docker scope of this image that the policy has under audit: refusals there are written
    /// down and pass.
    pub fn audited(&self, name: &Reference) -> Option<&str> {
        match self {
            Self::Policy(rules) => rules.policy.audited(name),
            Self::Direct(_) => None,
        }
    }

    /// Whether attachments of this image are looked at.
    pub(super) fn reads_attachments(&self, name: &Reference) -> bool {
        match self {
            Self::Policy(rules) => registries_d::storage(rules.registries.as_deref(), name)
                .is_ok_and(|storage| storage.use_sigstore_attachments),
            Self::Direct(_) => true,
        }
    }

    /// Where the simple signatures of this image are kept, if a `registries.d` names a place.
    #[cfg(feature = "openpgp")]
    pub(super) fn lookaside(&self, name: &Reference) -> Option<Lookaside> {
        match self {
            Self::Policy(rules) => {
                let storage = registries_d::storage(rules.registries.as_deref(), name).ok()?;
                Lookaside::of(&storage, name)
            }
            Self::Direct(_) => None,
        }
    }

    /// The lookaside of this image whose signatures must be readable, whatever is demanded: podman
    /// copies them with the image (docs/containers-image.md section 4).
    #[cfg(feature = "openpgp")]
    pub(super) fn copied_lookaside(&self, name: &Reference) -> Option<Lookaside> {
        let Self::Policy(rules) = self else {
            return None;
        };
        self.lookaside(name)
            .filter(|lookaside| !rules.policy.is_extended() && !lookaside.is_local())
    }

    /// Whether simple signatures may decide on this image, and where they are kept.
    #[cfg(feature = "openpgp")]
    pub(crate) fn simple(&self, name: &Reference) -> Option<Option<Lookaside>> {
        let Self::Policy(rules) = self else {
            return None;
        };
        let mut selected = rules.policy.select(name).ok()?.requirements.iter();
        let is_judged = selected.any(|requirement| matches!(requirement, Requirement::SignedBy(_)));
        (is_judged || self.copied_lookaside(name).is_some()).then(|| self.lookaside(name))
    }

    /// Whether attachments of this image are looked at, where a `registries.d` says so.
    pub(super) fn attachments(&self, name: &Reference) -> Option<bool> {
        match self {
            Self::Policy(rules) if rules.registries.is_some() => Some(self.reads_attachments(name)),
            _ => None,
        }
    }

    /// Whether an index covers its images.
    pub fn coverage(&self) -> Coverage {
        match self {
            Self::Direct(_) => Coverage::Index,
            Self::Policy(rules) => rules.policy.coverage(),
        }
    }

    /// The rule that applies to `name`, for the report.
    pub(super) fn report(&self, name: &Reference) -> RuleReport {
        let (source, scope) = match self {
            Self::Direct(direct) => (direct.signers.kind(), None),
            Self::Policy(rules) => {
                let selected = rules.policy.select(name).ok();
                ("policy", selected.map(|selection| selection.scope))
            }
        };
        let coverage = match self.coverage() {
            Coverage::Index => "index",
            Coverage::Instance => "instance",
        };
        RuleReport {
            source,
            scope,
            coverage: Some(coverage),
        }
    }

    /// What was not demanded, and what deserves attention.
    pub(super) fn notes(&self, name: &Reference) -> Vec<Note> {
        let rules = match self {
            Self::Direct(direct) => return direct.notes(),
            Self::Policy(rules) => rules,
        };
        let mut notes = rules
            .policy
            .select(name)
            .map(|selection| policy_notes(selection.requirements))
            .unwrap_or_default();
        if !self.reads_attachments(name) {
            notes.push(Note {
                code: "registries-d.attachments-off",
                message: "use-sigstore-attachments is off for this image in registries.d: \
                          signatures and attestations that are attached to it were not looked at"
                    .into(),
            });
        }
        notes.extend(self.audited(name).map(|scope| Note {
            code: "policy.audit",
            message: format!(
                "the policy has docker \"{scope}\" under audit: a gateway lets its images pass, \
                 allowed and not verified, and writes refusals down; the verdict here is what it \
                 will be once the scope is enforced"
            ),
        }));
        notes
    }
}

fn policy_notes(requirements: &[Requirement]) -> Vec<Note> {
    let signed: Vec<&SigstoreSigned> = requirements
        .iter()
        .filter_map(|requirement| match requirement {
            Requirement::SigstoreSigned(signed) => Some(signed),
            _ => None,
        })
        .collect();
    let mut notes = Vec::new();
    if signed
        .iter()
        .any(|signed| signed.trust.root().is_none() && signed.rekor.is_none())
    {
        notes.push(Note::log_not_required());
    }
    if signed
        .iter()
        .any(|signed| matches!(signed.identity, Matcher::Digest { .. }))
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
        .all(|requirement| matches!(requirement, Requirement::InsecureAcceptAnything))
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
