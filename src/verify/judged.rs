//! What was found about a manifest or index.

use super::finding::Finding;
use super::report::{
    Candidate, Instance, MirrorQuestion, Note, Requirement, RuleReport, is_verified,
};
use super::rules::Rules;
use crate::error::Kind;
use crate::limits;
use crate::policy::Matcher;
use crate::reference::Reference;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What was found about a manifest or index.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Judged {
    /// May it be used, and why?
    pub finding: Finding,
    /// The rule.
    pub rule: RuleReport,
    /// The requirements on the document itself.
    pub requirements: Vec<Requirement>,
    /// Its images, where each was judged for itself.
    pub instances: Vec<Instance>,
    /// What deserves attention.
    pub notes: Vec<Note>,
}

impl Judged {
    /// Found before, or without, a look at any requirement.
    pub(super) fn new(rules: &Rules, name: &Reference, finding: Finding) -> Self {
        Self {
            finding,
            rule: rules.report(name),
            requirements: Vec::new(),
            instances: Vec::new(),
            notes: rules.notes(name),
        }
    }

    /// Whether it may be used, and a signature or attestation satisfied a requirement for
    /// everything that was judged.
    pub fn is_verified(&self) -> bool {
        match self.instances.as_slice() {
            [] => is_verified(&self.finding, &self.requirements),
            instances => {
                self.finding.is_allowed() && instances.iter().all(|instance| instance.verified)
            }
        }
    }

    /// The requirements on the document and on each of its images.
    pub(super) fn all_requirements(&self) -> impl Iterator<Item = &Requirement> {
        let of_instances = self
            .instances
            .iter()
            .flat_map(|instance| &instance.requirements);
        self.requirements.iter().chain(of_instances)
    }

    /// Whose signatures satisfied the requirements, each once, for logs: `key sha256:<hex>` of its
    /// SubjectPublicKeyInfo, `openpgp <fingerprint>` of the primary key, or `<subject> (<issuer>)` of
    /// a certificate.
    pub fn signers(&self) -> Vec<String> {
        let mut signers = Vec::new();
        for signer in self
            .all_requirements()
            .filter_map(|requirement| requirement.accepted()?.signer())
        {
            if !signers.contains(&signer) && signers.len() < limits::LOGGED_SIGNERS {
                signers.push(signer);
            }
        }
        signers
    }

    /// When the answer may change by time alone: the first end of anything that was accepted.
    pub fn expires(&self) -> Option<UnixTime> {
        let ends = |requirement: &Requirement| {
            requirement
                .candidates
                .iter()
                .filter_map(|candidate| candidate.expires)
                .chain(requirement.expires)
                .min()
        };
        self.all_requirements().filter_map(ends).min().map(UnixTime)
    }

    /// The first good signature that was refused for its name alone, and the name.
    pub(super) fn mirror_question(
        &self,
        rules: &Rules,
        name: &Reference,
    ) -> Option<MirrorQuestion> {
        if self.finding.is_allowed() {
            return None;
        }
        let has_other_name = |candidate: &&Candidate| candidate.reason.kind == Kind::OtherName;
        let copied = self
            .all_requirements()
            .flat_map(|requirement| &requirement.candidates)
            .find(has_other_name)?;
        let signed = copied.claims.as_ref()?.identity.clone()?;
        let signed_identity = match rules {
            Rules::Policy(_) => Matcher::suggest(Some(name), &signed),
            Rules::Direct(_) => None,
        };
        let is_same_repository = Matcher::Repository.accepts(Some(name), &signed);
        let signed: String = signed.chars().take(limits::REFERENCE).collect();
        let name = name.name();
        let question = if is_same_repository {
            format!(
                "Is any tag of {name} as good as another? cosign signs the repository without a \
                 tag, and whoever can push may move a signed image to any tag."
            )
        } else {
            format!(
                "Is {name} a mirror of {signed}, and do you know who filled it? If you cannot \
                 tell, it is a copy that somebody else made."
            )
        };
        Some(MirrorQuestion {
            question,
            signed,
            signed_identity,
        })
    }
}
