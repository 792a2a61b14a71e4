//! Requirements against the evidence of one manifest: ANDed in order, stopping at the first that is not met
//! (facts/containers-policy.md section 4).

use super::candidate::{Names, Question};
use super::discover::{Found, Gathered, Source, Trouble};
use super::image::Subject;
use super::report::{Candidate, Note, Outcome, Requirement as RequirementReport, RuleReport, Verdict};
use super::trouble::VerifyError;
use crate::crypto::{KeyError, Provider, PublicKey};
use crate::error::Failure;
use super::archive::Archive;
use crate::limits;
use crate::policy::{Coverage, KeySource, Matcher, Policy, Requirement, SigstoreSigned, Trust};
use crate::reference::Reference;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

/// By what is judged.
#[derive(Debug)]
pub enum Rules {
    /// One of these keys must have signed, as `cosign verify --key` has it.
    Keys(Vec<PublicKey>),
    /// A policy, and the content of the files that it names.
    Policy {
        /// The policy.
        policy: Policy,
        /// The files, by the path that the policy writes.
        assets: BTreeMap<String, Vec<u8>>,
    },
}

codes! {
    /// These rules cannot be judged by.
    pub enum RulesError {
        Key { number: usize, error: KeyError } => "key.unusable", "key {number}: {error}";
        NoKeys => "key.none", "expected at least one key, found none";
        TooManyKeys => "limit.keys", "more than 64 keys were given";
        Missing { paths: String } => "key.missing", "the policy names files that were not given: {paths}";
    }
}

impl Rules {
    /// Keys in PEM.
    ///
    /// # Errors
    /// [`RulesError`].
    pub fn keys(pem: &[Vec<u8>]) -> Result<Self, RulesError> {
        if pem.is_empty() {
            return Err(RulesError::NoKeys);
        }
        if pem.len() > limits::KEYS {
            return Err(RulesError::TooManyKeys);
        }
        let key = |(number, bytes): (usize, &Vec<u8>)| PublicKey::from_pem(bytes).map_err(|error| RulesError::Key { number: number.saturating_add(1), error });
        Ok(Self::Keys(pem.iter().enumerate().map(key).collect::<Result<_, _>>()?))
    }

    /// A policy, with every file that it names.
    ///
    /// # Errors
    /// [`RulesError::Missing`].
    pub fn policy(policy: Policy, assets: BTreeMap<String, Vec<u8>>) -> Result<Self, RulesError> {
        let missing: Vec<&str> = policy.asset_paths().into_iter().filter(|path| !assets.contains_key(*path)).collect();
        if missing.is_empty() { Ok(Self::Policy { policy, assets }) } else { Err(RulesError::Missing { paths: missing.join(", ") }) }
    }

    /// Whether an index covers its images.
    pub fn coverage(&self) -> Coverage {
        match self {
            Self::Keys(_) => Coverage::Index,
            Self::Policy { policy, .. } => policy.coverage(),
        }
    }

    /// The key file that cosign would be given for an image of this name; `None` where no rule asks for a key.
    pub(super) fn key_file(&self, name: &Reference) -> Option<String> {
        let Self::Policy { policy, .. } = self else { return Some("cosign.pub".into()) };
        policy.select(name).ok()?.requirements.iter().find_map(|requirement| match requirement {
            Requirement::SigstoreSigned(SigstoreSigned { trust: Trust::Keys(source), .. }) => Some(source.paths().first().map_or("cosign.pub", String::as_str).into()),
            _ => None,
        })
    }

    /// The rule that applies to `name`, for the report.
    pub(super) fn report(&self, name: &Reference) -> RuleReport {
        let coverage = Some(match self.coverage() {
            Coverage::Index => "index",
            Coverage::Instance => "instance",
        });
        match self {
            Self::Keys(_) => RuleReport { source: "key", scope: None, coverage },
            Self::Policy { policy, .. } => RuleReport { source: "policy", scope: policy.select(name).ok().map(|selection| selection.scope), coverage },
        }
    }

    /// What was not demanded, and what deserves attention.
    pub(super) fn notes(&self, name: &Reference) -> Vec<Note> {
        let log = Note { code: "log.not-required", message: "transparency log: not required".into() };
        match self {
            Self::Keys(_) => vec![log, Note { code: "identity.any", message: "the name in the signature was not compared: a key alone says nothing about which image was meant to have this name".into() }],
            Self::Policy { policy, .. } => {
                let Ok(selection) = policy.select(name) else { return Vec::new() };
                let signed: Vec<&SigstoreSigned> = selection.requirements.iter().filter_map(|r| if let Requirement::SigstoreSigned(s) = r { Some(s) } else { None }).collect();
                let mut notes = Vec::new();
                if !signed.is_empty() {
                    notes.push(log);
                }
                if signed.iter().any(|s| matches!(s.identity, Matcher::Digest { .. })) {
                    notes.push(Note { code: "identity.match-digest", message: "matchDigest: any image that this signer ever signed, under any name, of any age, passes as this one".into() });
                }
                if selection.requirements.iter().all(|r| matches!(r, Requirement::InsecureAcceptAnything)) {
                    notes.push(Note { code: "policy.accept-anything", message: "the policy accepts anything here: no signature was looked at".into() });
                }
                notes
            }
        }
    }
}

/// What the requirements say of one manifest.
pub(super) struct Judgement {
    pub verdict: Verdict,
    pub code: &'static str,
    pub message: String,
    pub requirements: Vec<RequirementReport>,
}

/// The evidence of one manifest, each source asked at most once.
struct Evidence<'r, A: Archive> {
    source: Source<'r, A>,
    tag: Option<Result<Gathered, Trouble>>,
    referrers: Option<Gathered>,
}

/// Judges one manifest under `name`.
pub(super) async fn judge<A: Archive, P: Provider>(rules: &Rules, subject: &Subject, name: &Reference, archive: &A, provider: &P) -> Judgement {
    let mut evidence = Evidence { source: Source::new(archive, &subject.digest), tag: None, referrers: None };
    let mut requirements = Vec::new();
    match rules {
        Rules::Keys(keys) => {
            let question = Question { subject, name, keys, names: Names::Any };
            requirements.push(union("key", &question, &mut evidence, provider).await);
        }
        Rules::Policy { policy, assets } => {
            let selected = match policy.select(name) {
                Ok(selection) => selection.requirements,
                Err(error) => {
                    let failure = Failure::from(error);
                    return Judgement { verdict: Verdict::Deny, code: failure.code, message: failure.message, requirements };
                }
            };
            for requirement in selected {
                let report = judge_requirement(requirement, assets, subject, name, &mut evidence, provider).await;
                let met = report.verdict == Verdict::Allow;
                requirements.push(report);
                if !met {
                    break;
                }
            }
        }
    }
    // A policy's list is never empty (its parser), and "nothing was demanded" is no reason to allow.
    match requirements.iter().find(|requirement| requirement.verdict != Verdict::Allow).or(requirements.last()) {
        Some(last) => Judgement { verdict: last.verdict, code: last.code, message: last.message.clone(), requirements },
        None => Judgement { verdict: Verdict::Deny, code: "internal", message: "no requirement applied".into(), requirements },
    }
}

async fn judge_requirement<A: Archive, P: Provider>(
    requirement: &Requirement,
    assets: &BTreeMap<String, Vec<u8>>,
    subject: &Subject,
    name: &Reference,
    evidence: &mut Evidence<'_, A>,
    provider: &P,
) -> RequirementReport {
    let kind = requirement.kind();
    if let Some(what) = requirement.not_implemented() {
        return denied(kind, VerifyError::NotImplemented { what: what.into() }.into());
    }
    match requirement {
        Requirement::InsecureAcceptAnything => {
            RequirementReport { kind: kind.into(), verdict: Verdict::Allow, code: "policy.accept-anything", message: "the policy accepts anything here".into(), candidates: Vec::new() }
        }
        Requirement::Reject => denied(kind, VerifyError::Rejected { image: format!("docker://{}", name.familiar()) }.into()),
        Requirement::SigstoreSigned(signed) => {
            let keys = match keys(signed, assets) {
                Ok(keys) => keys,
                Err(failure) => return denied(kind, failure),
            };
            let question = Question { subject, name, keys: &keys, names: Names::Matched(&signed.identity) };
            match signed.identity {
                Matcher::Digest { .. } => union(kind, &question, evidence, provider).await,
                _ => letter(kind, &question, evidence, provider).await,
            }
        }
        // containers/image never implemented it either, and says so in these words.
        Requirement::SignedBaseLayer { .. } => denied(kind, Failure::new("requirement.not-implemented", "signedBaseLayer not implemented yet!")),
        _ => denied(kind, VerifyError::NotImplemented { what: format!("the requirement type {kind}") }.into()),
    }
}

/// All are built first: one that cannot be used rejects everything (facts/containers-policy.md section 6).
fn keys(signed: &SigstoreSigned, assets: &BTreeMap<String, Vec<u8>>) -> Result<Vec<PublicKey>, Failure> {
    let file = |path: &String| assets.get(path).map(Vec::as_slice).ok_or_else(|| Failure::from(VerifyError::KeyMissing { path: path.clone() }));
    let Trust::Keys(source) = &signed.trust else {
        return Err(VerifyError::NotImplemented { what: "another trust than keys".into() }.into());
    };
    let material: Vec<&[u8]> = match source {
        KeySource::Path(path) => vec![file(path)?],
        KeySource::Paths(paths) => paths.iter().map(file).collect::<Result<_, _>>()?,
        KeySource::Data(data) => vec![data],
        KeySource::Datas(list) => list.iter().map(Vec::as_slice).collect(),
    };
    if material.is_empty() {
        return Err(RulesError::NoKeys.into());
    }
    if material.len() > limits::KEYS {
        return Err(RulesError::TooManyKeys.into());
    }
    material.into_iter().map(|bytes| PublicKey::from_pem(bytes).map_err(Failure::from)).collect()
}

fn denied(kind: &str, failure: Failure) -> RequirementReport {
    RequirementReport { kind: kind.into(), verdict: Verdict::Deny, code: failure.code, message: failure.message, candidates: Vec::new() }
}

/// As containers/image: `.sig` alone, and whatever cannot be read is fatal.
async fn letter<A: Archive, P: Provider>(kind: &str, question: &Question<'_>, evidence: &mut Evidence<'_, A>, provider: &P) -> RequirementReport {
    let found = match evidence.signature_tag().await {
        Ok((found, None)) => found,
        Ok((_, Some(trouble))) | Err(trouble) => return troubled(kind, trouble, Vec::new()),
    };
    let (candidates, trouble) = examine(question, &found, provider).await;
    conclude(kind, candidates, trouble)
}

/// Ours: `.sig` and referrers; what does not parse or verify is recorded and skipped, what could not be had makes a
/// denial "could not find out" (TRUST section 7).
async fn union<A: Archive, P: Provider>(kind: &str, question: &Question<'_>, evidence: &mut Evidence<'_, A>, provider: &P) -> RequirementReport {
    let (mut candidates, mut trouble) = match evidence.signature_tag().await {
        Ok((found, missed)) => {
            let (candidates, failed) = examine(question, &found, provider).await;
            (candidates, missed.filter(|trouble| trouble.unknown).or(failed))
        }
        Err(trouble) if trouble.unknown => (Vec::new(), Some(trouble)),
        Err(trouble) => (vec![Candidate::refused("signature tag", "other", None, &crate::crypto::Refused { failure: trouble.failure, steps: Vec::new() })], None),
    };
    if !candidates.iter().any(|candidate| candidate.outcome == Outcome::Accepted) {
        let (found, more) = evidence.referrers().await;
        let (examined, failed) = examine(question, &found, provider).await;
        candidates.extend(examined);
        trouble = trouble.or(more).or(failed);
    }
    conclude(kind, candidates, trouble)
}

impl<A: Archive> Evidence<'_, A> {
    async fn signature_tag(&mut self) -> Result<Gathered, Trouble> {
        if self.tag.is_none() {
            self.tag = Some(self.source.signature_tag().await);
        }
        self.tag.clone().unwrap_or_else(|| Ok((Vec::new(), None)))
    }

    async fn referrers(&mut self) -> Gathered {
        if self.referrers.is_none() {
            self.referrers = Some(self.source.referrers().await);
        }
        self.referrers.clone().unwrap_or_default()
    }
}

/// Each in turn, until one satisfies.
async fn examine<P: Provider>(question: &Question<'_>, found: &[Found], provider: &P) -> (Vec<Candidate>, Option<Trouble>) {
    let mut candidates = Vec::new();
    for one in found {
        match question.examine(one, provider).await {
            Ok(candidate) => {
                let accepted = candidate.outcome == Outcome::Accepted;
                candidates.push(candidate);
                if accepted {
                    break;
                }
            }
            Err(error) => return (candidates, Some(Trouble { failure: error.into(), unknown: true })),
        }
    }
    (candidates, None)
}

fn troubled(kind: &str, trouble: Trouble, candidates: Vec<Candidate>) -> RequirementReport {
    let verdict = if trouble.unknown { Verdict::Unknown } else { Verdict::Deny };
    RequirementReport { kind: kind.into(), verdict, code: trouble.failure.code, message: trouble.failure.message, candidates }
}

fn conclude(kind: &str, candidates: Vec<Candidate>, trouble: Option<Trouble>) -> RequirementReport {
    if let Some(accepted) = candidates.iter().find(|candidate| candidate.outcome == Outcome::Accepted) {
        let (code, message) = (accepted.code, accepted.message.clone());
        return RequirementReport { kind: kind.into(), verdict: Verdict::Allow, code, message, candidates };
    }
    if let Some(trouble) = trouble {
        return troubled(kind, trouble, candidates);
    }
    let rejected: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.outcome == Outcome::Rejected).collect();
    let (code, message) = match rejected.as_slice() {
        [] => {
            let failure = Failure::from(VerifyError::NoSignature { detail: aside(&candidates) });
            (failure.code, failure.message)
        }
        [one] => (one.code, one.message.clone()),
        many => {
            let reasons: Vec<&str> = many.iter().map(|candidate| candidate.message.as_str()).collect();
            let code = many.iter().map(|candidate| candidate.code).max_by_key(|code| rank(code)).unwrap_or("signature.none-accepted");
            (code, VerifyError::SeveralReasons { reasons: reasons.join("; ") }.to_string())
        }
    };
    RequirementReport { kind: kind.into(), verdict: Verdict::Deny, code, message, candidates }
}

fn aside(candidates: &[Candidate]) -> String {
    match candidates.len() {
        0 => String::new(),
        n => format!(" (0 non-sigstore signatures, {n} sigstore non-signature attachments)"),
    }
}

/// The further a candidate came, the more its failure says.
fn rank(code: &str) -> u8 {
    match code {
        "identity.not-accepted" => 4,
        "digest.not-signed" => 3,
        code if code.starts_with("payload.") || code.starts_with("statement.") => 2,
        "signature.invalid" => 1,
        _ => 0,
    }
}
