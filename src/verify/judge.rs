//! Requirements against the evidence of one manifest: ANDed in order, stopping at the first that is
//! not met (docs/containers-image.md section 4).

use super::archive::Archive;
use super::direct::{Direct, SignedNames, Signers};
use super::discover::{Location, Source};
use super::error::{Reason, RulesError, VerifyError};
use super::finding::Finding;
use super::found::Found;
use super::judged::Judged;
use super::material::{Material, keys};
use super::pins;
use super::question::{Names, Order, Question, Wants, Who};
use super::report::{Candidate, Outcome, Requirement as Judgement};
use super::roots::NamedRoot;
use super::rules::{PolicyRules, Rules};
#[cfg(feature = "openpgp")]
use super::simple::SimpleSource;
use super::subject::Subject;
use super::work::Work;
use crate::crypto::{Provider, PublicKey};
use crate::digest::Digest;
use crate::error::Failure;
use crate::limits;
use crate::policy::{Requirement, SigstoreSigned, Trust};
use crate::reference::Reference;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Judges documents by one set of rules, under one name, at one time. `work` is the budget of the
/// request, whatever else is judged for it.
pub struct Judge<'a, A, P> {
    /// By what is judged.
    pub rules: &'a Rules,
    /// The name to judge by.
    pub name: &'a Reference,
    /// When.
    pub now: UnixTime,
    /// Where evidence is.
    pub archive: &'a A,
    /// What it may cost.
    pub work: &'a Work<'a, P>,
}

impl<A: Archive, P: Provider> Judge<'_, A, P> {
    /// One manifest or index, by the requirements that its name selects. Where the images of an index
    /// are judged one by one, `within` is the digest of the index that lists this one. The index
    /// itself is not judged here then.
    pub async fn manifest(&self, subject: &Subject, within: Option<&Digest>) -> Judged {
        let (finding, requirements) = Case::new(self, subject, within).judge().await;
        Judged {
            requirements,
            ..Judged::new(self.rules, self.name, finding)
        }
    }
}

/// One manifest, and what was looked at of its evidence.
pub(super) struct Case<'a, A: Archive, P> {
    pub(super) judge: &'a Judge<'a, A, P>,
    subject: &'a Subject,
    within: Option<&'a Digest>,
    pub(super) evidence: Source<'a, A>,
    #[cfg(feature = "openpgp")]
    pub(super) simple: SimpleSource<'a, A>,
    /// What a payload's `optional` must say.
    annotations: &'a [(String, String)],
    /// The candidates whose signatures were checked.
    examined: Vec<[u8; 32]>,
}

impl<'a, A: Archive, P: Provider> Case<'a, A, P> {
    fn new(judge: &'a Judge<'a, A, P>, subject: &'a Subject, within: Option<&'a Digest>) -> Self {
        let digest = &subject.digest;
        let evidence = if judge.rules.reads_attachments(judge.name) {
            Source::new(judge.archive, digest, judge.work.preferred(digest))
        } else {
            Source::nothing(judge.archive, digest)
        };
        Self {
            judge,
            subject,
            within,
            evidence,
            #[cfg(feature = "openpgp")]
            simple: SimpleSource::new(
                judge.archive,
                digest,
                judge.rules.lookaside(judge.name),
                match judge.rules.named(judge.name) {
                    Some(_) => "lookaside",
                    None => "dir",
                },
            ),
            annotations: match judge.rules {
                Rules::Direct(direct) => &direct.annotations,
                Rules::Policy(_) => &[],
            },
            examined: Vec::new(),
        }
    }

    async fn judge(mut self) -> (Finding, Vec<Judgement>) {
        let requirements = match self.judge.rules {
            Rules::Direct(direct) => self.direct(direct).await,
            Rules::Policy(rules) => match self.policy(rules).await {
                Ok(requirements) => requirements,
                Err(finding) => return (finding, Vec::new()),
            },
        };
        // Judging stops at the first that is not met, or behind it at the exception that admits it.
        // A policy's list is never empty (its parser), and "nothing was demanded" is no reason to
        // allow.
        let finding = requirements.last().map_or_else(
            || Finding::deny(Failure::new("internal", "no requirement applied")),
            |last| last.finding.clone(),
        );
        (finding, requirements)
    }

    async fn policy(&mut self, rules: &'a PolicyRules) -> Result<Vec<Judgement>, Finding> {
        if let Some(failure) = self.judge.rules.distrusted(self.in_hand()) {
            return Err(Finding::deny(failure));
        }
        let selected = rules
            .policy
            .select(self.judge.name)
            .map_err(Finding::deny)?
            .requirements;
        let mut requirements = Vec::new();
        for requirement in selected {
            let judgement = self.requirement(requirement, rules).await;
            let is_met = judgement.finding.is_allowed();
            requirements.push(judgement);
            if !is_met {
                // Break-glass: what is lacking stays in the report.
                requirements.extend(self.exception(rules));
                return Ok(requirements);
            }
        }
        #[cfg(feature = "openpgp")]
        requirements.extend(self.unread().await);
        Ok(requirements)
    }

    fn exception(&self, rules: &PolicyRules) -> Option<Judgement> {
        let exceptions = &rules.policy.marker()?.exceptions;
        pins::exception(exceptions, self.in_hand(), self.judge.name, self.judge.now)
    }

    fn in_hand(&self) -> pins::InHand<'a> {
        pins::InHand {
            subject: self.subject,
            within: self.within,
        }
    }

    async fn direct(&mut self, direct: &'a Direct) -> Vec<Judgement> {
        let mut requirements = Vec::new();
        for keys in direct.demands() {
            let judgement = self.demand(direct, keys).await;
            let is_met = judgement.finding.is_allowed();
            requirements.push(judgement);
            if !is_met {
                break;
            }
        }
        requirements
    }

    async fn demand(&mut self, direct: &'a Direct, keys: &'a [PublicKey]) -> Judgement {
        let root = direct.root.as_ref();
        let who = match (&direct.signers, root) {
            (Signers::Keys(_), root) => Who::Keys {
                keys,
                root: root.map(|root| &root.root),
            },
            (Signers::Identities(identities), Some(root)) => Who::Identities {
                identities,
                root: &root.root,
            },
            (Signers::Identities(_), None) => {
                let name = "none".into();
                let finding = Finding::deny(RulesError::NoAuthority { name });
                return Judgement::decided("identity", finding);
            }
        };
        let wants = match (&direct.predicate_type, direct.names) {
            (None, SignedNames::Any) => Wants::Signature(Names::Any),
            (None, SignedNames::Own) => Wants::Signature(Names::Own),
            (Some(predicate_type), _) => Wants::Statement {
                predicate_type,
                conditions: &[],
                max_age: None,
            },
        };
        let judgement = self
            .by_all_evidence(direct.signers.kind(), who, wants)
            .await;
        with_root(judgement, root)
    }

    async fn requirement(
        &mut self,
        requirement: &'a Requirement,
        rules: &'a PolicyRules,
    ) -> Judgement {
        let kind = requirement.kind();
        match requirement {
            Requirement::InsecureAcceptAnything => {
                Judgement::decided(kind, Finding::allow(Reason::Anything))
            }
            Requirement::Reject => {
                let image = match rules.policy.file() {
                    Some(image) => image.into(),
                    None => format!("docker://{}", self.judge.name.familiar()),
                };
                Judgement::decided(kind, Finding::deny(VerifyError::Rejected { image }))
            }
            Requirement::SigstoreSigned(signed) => self.signed(kind, signed, rules).await,
            Requirement::Attested(attested) => {
                let wants = Wants::Statement {
                    predicate_type: &attested.predicate_type,
                    conditions: &attested.conditions,
                    max_age: attested.max_age,
                };
                self.trusted(kind, &attested.trust, rules, wants, true)
                    .await
            }
            Requirement::Pinned(pinned) => {
                let name = self.judge.rules.named(self.judge.name);
                pins::pinned(pinned, self.in_hand(), name)
            }
            Requirement::SignedBaseLayer { .. } => {
                Judgement::decided(kind, Finding::deny(VerifyError::BaseLayer))
            }
            #[cfg(feature = "openpgp")]
            Requirement::SignedBy(signed) => self.signed_by(kind, signed, rules).await,
            // No policy with it loads then.
            #[cfg(not(feature = "openpgp"))]
            Requirement::SignedBy(_) => {
                let what = "signedBy, for which this build has no part".into();
                Judgement::decided(kind, Finding::deny(VerifyError::NotImplemented { what }))
            }
        }
    }

    async fn signed(
        &mut self,
        kind: &str,
        signed: &'a SigstoreSigned,
        rules: &'a PolicyRules,
    ) -> Judgement {
        let wants = Wants::Signature(Names::Matched(&signed.identity));
        match Material::read(signed, &rules.assets) {
            Ok(Some(material)) => {
                let who = material.who(&signed.trust, self.judge.now);
                self.by_signature_tag(kind, who, wants).await
            }
            Ok(None) => {
                let reads_bundles = signed.reads_bundles();
                self.trusted(kind, &signed.trust, rules, wants, reads_bundles)
                    .await
            }
            Err(failure) => Judgement::decided(kind, Finding::deny(failure)),
        }
    }

    async fn trusted(
        &mut self,
        kind: &str,
        trust: &Trust,
        rules: &PolicyRules,
        wants: Wants<'_>,
        reads_bundles: bool,
    ) -> Judgement {
        let root = match trust.root().map(|wanted| rules.roots.get(wanted)) {
            Some(None) => {
                return Judgement::decided(kind, Finding::deny(VerifyError::RootMissing));
            }
            Some(found) => found,
            None => None,
        };
        let keys = match trust {
            Trust::Keys(source) | Trust::LoggedKeys { keys: source, .. } => {
                match keys(source, &rules.assets) {
                    Ok(keys) => keys,
                    Err(failure) => return Judgement::decided(kind, Finding::deny(failure)),
                }
            }
            _ => Vec::new(),
        };
        let who = match (trust, root) {
            (Trust::Keys(_) | Trust::LoggedKeys { .. }, root) => Who::Keys {
                keys: &keys,
                root: root.map(|root| &root.root),
            },
            (Trust::Certificates { identities, .. }, Some(root)) => Who::Identities {
                identities,
                root: &root.root,
            },
            _ => {
                let what = "another trust than keys and identities".into();
                return Judgement::decided(
                    kind,
                    Finding::deny(VerifyError::NotImplemented { what }),
                );
            }
        };
        let judgement = if reads_bundles {
            self.by_all_evidence(kind, who, wants).await
        } else {
            self.by_signature_tag(kind, who, wants).await
        };
        with_root(judgement, root)
    }

    /// As containers/image: `.sig` alone, and whatever cannot be read is fatal.
    async fn by_signature_tag(&mut self, kind: &str, who: Who<'_>, wants: Wants<'_>) -> Judgement {
        let found = match self.load_attachments().await {
            Ok(found) => found,
            Err(trouble) => return Judgement::decided(kind, trouble),
        };
        let mut round = Round::new(self.question(who, wants, Order::ContainersImage));
        for one in found {
            if self.examine(&mut round, &one).await == Next::Stop {
                break;
            }
        }
        round.conclude(kind, None)
    }

    /// All layers of the `.sig` tag.
    pub(super) async fn load_attachments(&mut self) -> Result<Vec<Arc<Found>>, Finding> {
        if self.evidence.layers_of_signature_tag().await? > limits::EVIDENCE_EXAMINED {
            return Err(too_many_candidates());
        }
        let mut found = Vec::new();
        while let Some(one) = self
            .evidence
            .candidate(Location::SignatureTag, found.len())
            .await
        {
            found.push(one);
        }
        match self.evidence.trouble(Location::SignatureTag) {
            Some(trouble) => Err(trouble),
            None => Ok(found),
        }
    }

    /// Ours: what satisfied before, the tag, the referrers, each fetched as it is looked at and
    /// until one satisfies. What does not parse or verify is recorded and skipped, what could not
    /// be had makes a denial "unknown" (docs/trust.md section 7).
    async fn by_all_evidence(&mut self, kind: &str, who: Who<'_>, wants: Wants<'_>) -> Judgement {
        let tag = match wants {
            Wants::Signature(_) => Location::SignatureTag,
            Wants::Statement { .. } => Location::AttestationTag,
        };
        let locations = [Location::Preferred, tag, Location::Referrers];
        let mut round = Round::new(self.question(who, wants, Order::CheapFirst));
        let (mut seen, mut next) = (Vec::new(), Next::GoOn);
        for location in locations {
            let mut number = 0;
            while next == Next::GoOn
                && let Some(found) = self.evidence.candidate(location, number).await
            {
                number = number.saturating_add(1);
                if !seen.contains(&found.key) {
                    seen.push(found.key);
                    next = self.examine(&mut round, &found).await;
                }
            }
        }
        let missed = locations
            .into_iter()
            .find_map(|location| self.evidence.missed(location));
        round.conclude(kind, missed)
    }

    pub(super) fn question<'q>(&self, who: Who<'q>, wants: Wants<'q>, order: Order) -> Question<'q>
    where
        'a: 'q,
    {
        Question {
            subject: self.subject,
            name: self.judge.rules.named(self.judge.name),
            now: self.judge.now,
            who,
            wants,
            annotations: self.annotations,
            order,
        }
    }

    /// One candidate. What it lacks is recorded, and never ends the examination of the others; a
    /// bound of the judgement does.
    pub(super) async fn examine(&mut self, round: &mut Round<'_>, found: &Found) -> Next {
        let work = self.judge.work;
        work.pass(found.size().saturating_add(CANDIDATE)).await;
        let may_be_checked =
            self.examined.len() < limits::EVIDENCE_EXAMINED || self.examined.contains(&found.key);
        let meter = if may_be_checked {
            work.candidate()
        } else {
            work.free_of_charge()
        };
        let outcome = round.question.examine(found, &meter).await;
        if meter.checks() > 0 && !self.examined.contains(&found.key) {
            self.examined.push(found.key);
        }
        let error = match outcome {
            Ok(candidate) => return self.examined(round, found, candidate),
            Err(error) => error,
        };
        let (trouble, next) = match work.exhausted() {
            Some(error) => (Finding::unknown(error), Next::Stop),
            None if !may_be_checked => (too_many_candidates(), Next::Stop),
            None => (Finding::unknown(error), Next::GoOn),
        };
        if may_be_checked {
            let reason = trouble.clone().into_reason();
            round.candidates.push(found.unreadable(reason));
        }
        // What stops the judgement says more than what happened before.
        round.trouble = round
            .trouble
            .take()
            .filter(|_| next == Next::GoOn)
            .or(Some(trouble));
        next
    }

    fn examined(&self, round: &mut Round<'_>, found: &Found, candidate: Candidate) -> Next {
        let is_accepted = candidate.outcome == Outcome::Accepted;
        round.candidates.push(candidate);
        if !is_accepted {
            return Next::GoOn;
        }
        if let Some(origin) = &found.origin {
            self.judge
                .work
                .note_satisfied(&self.subject.digest, origin.clone());
        }
        Next::Stop
    }
}

/// What one candidate costs to look at, in bytes.
pub(super) const CANDIDATE: usize = 4 << 10;

/// Whether to look at the next candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    GoOn,
    Stop,
}

/// One requirement's way through the candidates.
pub(super) struct Round<'q> {
    question: Question<'q>,
    candidates: Vec<Candidate>,
    trouble: Option<Finding>,
}

impl<'q> Round<'q> {
    pub(super) fn new(question: Question<'q>) -> Self {
        Self {
            question,
            candidates: Vec::new(),
            trouble: None,
        }
    }

    /// Whether one satisfied; else what kept all from it. `missed` is what could not be had.
    pub(super) fn conclude(self, kind: &str, missed: Option<Finding>) -> Judgement {
        let accepted = self
            .candidates
            .iter()
            .find(|candidate| candidate.outcome == Outcome::Accepted);
        let finding = match (accepted, self.trouble.or(missed)) {
            (Some(accepted), _) => Finding::allow(accepted.reason.clone()),
            (None, Some(trouble)) => trouble,
            (None, None) => none_accepted(&self.candidates, &self.question),
        };
        Judgement::found(kind, finding, self.candidates)
    }
}

fn none_accepted(candidates: &[Candidate], question: &Question<'_>) -> Finding {
    let rejected: Vec<&Failure> = candidates
        .iter()
        .filter(|candidate| candidate.outcome == Outcome::Rejected)
        .map(|candidate| &candidate.reason)
        .collect();
    // Of equals the first, as among alternatives.
    let foremost = rejected
        .iter()
        .rev()
        .max_by_key(|reason| reason.kind.rank());
    let Some(foremost) = foremost else {
        return Finding::deny(no_evidence(candidates.len(), question));
    };
    let finding = Finding::deny((*foremost).clone());
    if rejected.len() == 1 {
        return finding;
    }
    let mut reasons: Vec<&str> = rejected
        .iter()
        .map(|reason| reason.message.as_str())
        .take(limits::REASONS)
        .collect();
    let more = format!("and {} more", rejected.len().saturating_sub(reasons.len()));
    if rejected.len() > reasons.len() {
        reasons.push(&more);
    }
    let reasons = reasons.join("; ");
    finding.in_words(format!(
        "None of the signatures were accepted, reasons: {reasons}"
    ))
}

/// Nothing of the wanted sort is there; `others` is how many things were set aside.
fn no_evidence(others: usize, question: &Question<'_>) -> VerifyError {
    match question.wants {
        #[cfg(feature = "openpgp")]
        _ if matches!(question.who, Who::GpgKeys(_)) => VerifyError::NoSimpleSignature,
        Wants::Signature(_) => VerifyError::NoSignature {
            detail: match others {
                0 => String::new(),
                n => {
                    format!(" (0 non-sigstore signatures, {n} sigstore non-signature attachments)")
                }
            },
        },
        Wants::Statement { predicate_type, .. } => VerifyError::NoAttestation {
            predicate_type: predicate_type.into(),
            others,
        },
    }
}

fn too_many_candidates() -> Finding {
    Finding::unknown(VerifyError::EvidenceLimit {
        what: "candidates",
        limit: limits::EVIDENCE_EXAMINED,
    })
}

/// Says under which trusted root a requirement was judged.
fn with_root(judgement: Judgement, root: Option<&NamedRoot>) -> Judgement {
    Judgement {
        trusted_root: root.map(|root| root.name.clone()),
        ..judgement
    }
}
