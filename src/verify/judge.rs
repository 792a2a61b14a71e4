//! Requirements against the evidence of one manifest: ANDed in order, stopping at the first that is
//! not met (docs/containers-image.md section 4).

use super::archive::Archive;
use super::candidate::{Names, Order, Question, Wants, Who};
use super::containers_image::Material;
use super::discover::{Found, Place, Source, Trouble};
use super::image::Subject;
use super::pins;
use super::report::{Candidate, Outcome, Requirement as RequirementReport, Verdict};
use super::rules::{Direct, NamedRoot, Roots, Rules, RulesError, SignedNames, Signers};
use super::trouble::VerifyError;
use super::work::Work;
use crate::crypto::{Provider, PublicKey, Refused};
use crate::digest::Digest;
use crate::error::Failure;
use crate::limits;
use crate::policy::{KeySource, Requirement, Trust};
use crate::reference::Reference;
use crate::time::UnixTime;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

/// What the requirements say of one manifest.
pub(super) struct Judgement {
    pub verdict: Verdict,
    pub code: &'static str,
    pub message: String,
    pub requirements: Vec<RequirementReport>,
}

/// Everything that one judgement looks at.
struct Desk<'a, A: Archive, P> {
    subject: &'a Subject,
    within: Option<&'a Digest>,
    name: &'a Reference,
    now: UnixTime,
    evidence: Source<'a, A>,
    work: &'a Work<'a, P>,
    /// What a payload's `optional` must say.
    annotations: &'a [(String, String)],
    /// The candidates whose signatures were checked.
    examined: BTreeSet<[u8; 32]>,
}

/// Judges one manifest under `name`, at the time `now`; `within` is the index that lists it, where
/// each of its images is judged for itself.
pub(super) async fn judge<A: Archive, P: Provider>(
    rules: &Rules,
    subject: &Subject,
    within: Option<&Digest>,
    name: &Reference,
    now: UnixTime,
    archive: &A,
    work: &Work<'_, P>,
) -> Judgement {
    let evidence = match rules.reads_attachments(name) {
        true => Source::new(archive, &subject.digest, work.preferred(&subject.digest)),
        false => Source::nothing(archive, &subject.digest),
    };
    let mut desk = Desk {
        subject,
        within,
        name,
        now,
        evidence,
        work,
        annotations: match rules {
            Rules::Direct(direct) => &direct.annotations,
            Rules::Policy { .. } => &[],
        },
        examined: BTreeSet::new(),
    };
    let mut requirements = Vec::new();
    match rules {
        Rules::Direct(direct) => {
            for keys in direct.demands() {
                let report = desk.direct(direct, keys).await;
                let met = report.verdict == Verdict::Allow;
                requirements.push(report);
                if !met {
                    break;
                }
            }
        }
        Rules::Policy {
            policy,
            assets,
            roots,
            ..
        } => {
            let selected = match policy.select(name) {
                Ok(selection) => selection.requirements,
                Err(error) => {
                    let failure = Failure::from(error);
                    return Judgement {
                        verdict: Verdict::Deny,
                        code: failure.code,
                        message: failure.message,
                        requirements,
                    };
                }
            };
            for requirement in selected {
                let report = desk.requirement(requirement, assets, roots).await;
                let met = report.verdict == Verdict::Allow;
                requirements.push(report);
                if !met {
                    // Break-glass: what is lacking stays in the report.
                    let exceptions = policy
                        .marker()
                        .map(|marker| marker.exceptions.as_slice())
                        .unwrap_or_default();
                    if let Some(admitted) =
                        pins::exception(exceptions, pins::Judged { subject, within }, name, now)
                    {
                        let (code, message) = (admitted.code, admitted.message.clone());
                        requirements.push(admitted);
                        return Judgement {
                            verdict: Verdict::Allow,
                            code,
                            message,
                            requirements,
                        };
                    }
                    break;
                }
            }
        }
    }
    // A policy's list is never empty (its parser), and "nothing was demanded" is no reason to
    // allow.
    match requirements
        .iter()
        .find(|requirement| requirement.verdict != Verdict::Allow)
        .or(requirements.last())
    {
        Some(last) => Judgement {
            verdict: last.verdict,
            code: last.code,
            message: last.message.clone(),
            requirements,
        },
        None => Judgement {
            verdict: Verdict::Deny,
            code: "internal",
            message: "no requirement applied".into(),
            requirements,
        },
    }
}

impl<'a, A: Archive, P: Provider> Desk<'a, A, P> {
    async fn direct(&mut self, direct: &Direct, keys: &[PublicKey]) -> RequirementReport {
        let root = direct.root.as_ref();
        let who = match &direct.signers {
            Signers::Keys(_) => Who::Keys {
                keys,
                root: root.map(|root| &root.root),
            },
            Signers::Identities(identities) => match root {
                Some(root) => Who::Identities {
                    identities,
                    root: &root.root,
                },
                None => {
                    return denied(
                        "identity",
                        RulesError::NoAuthority {
                            name: "none".into(),
                        }
                        .into(),
                    );
                }
            },
        };
        let kind = direct.signers.kind();
        let report = match &direct.predicate_type {
            None => {
                self.union(
                    kind,
                    who,
                    Wants::Signature(if direct.names == SignedNames::Any {
                        Names::Any
                    } else {
                        Names::Own
                    }),
                )
                .await
            }
            Some(predicate_type) => {
                self.union(
                    kind,
                    who,
                    Wants::Statement {
                        predicate_type,
                        conditions: &[],
                        max_age: None,
                    },
                )
                .await
            }
        };
        under(report, root)
    }

    async fn requirement(
        &mut self,
        requirement: &Requirement,
        assets: &BTreeMap<String, Vec<u8>>,
        roots: &Roots,
    ) -> RequirementReport {
        let kind = requirement.kind();
        if let Some(what) = requirement.not_implemented() {
            return denied(
                kind,
                VerifyError::NotImplemented { what: what.into() }.into(),
            );
        }
        match requirement {
            Requirement::InsecureAcceptAnything => RequirementReport {
                kind: kind.into(),
                verdict: Verdict::Allow,
                code: "policy.accept-anything",
                message: "the policy accepts anything here".into(),
                trusted_root: None,
                candidates: Vec::new(),
                expires: None,
            },
            Requirement::Reject => denied(
                kind,
                VerifyError::Rejected {
                    image: format!("docker://{}", self.name.familiar()),
                }
                .into(),
            ),
            Requirement::SigstoreSigned(signed) => {
                let wants = Wants::Signature(Names::Matched(&signed.identity));
                match Material::read(signed, assets) {
                    Ok(Some(material)) => {
                        return self
                            .as_containers_image(kind, material.who(&signed.trust, self.now), wants)
                            .await;
                    }
                    Ok(None) => {}
                    Err(failure) => return denied(kind, failure),
                }
                self.trusted(
                    kind,
                    &signed.trust,
                    assets,
                    roots,
                    wants,
                    signed.reads_bundles(),
                )
                .await
            }
            Requirement::Attested(attested) => {
                let wants = Wants::Statement {
                    predicate_type: &attested.predicate_type,
                    conditions: &attested.conditions,
                    max_age: attested.max_age,
                };
                self.trusted(kind, &attested.trust, assets, roots, wants, true)
                    .await
            }
            Requirement::Pinned(pinned) => pins::pinned(
                pinned,
                pins::Judged {
                    subject: self.subject,
                    within: self.within,
                },
                self.name,
            ),
            // containers/image never implemented it either, and says so in these words.
            Requirement::SignedBaseLayer { .. } => denied(
                kind,
                Failure::new(
                    "requirement.not-implemented",
                    "signedBaseLayer not implemented yet!",
                ),
            ),
            _ => denied(
                kind,
                VerifyError::NotImplemented {
                    what: format!("the requirement type {kind}"),
                }
                .into(),
            ),
        }
    }

    async fn trusted(
        &mut self,
        kind: &str,
        trust: &Trust,
        assets: &BTreeMap<String, Vec<u8>>,
        roots: &Roots,
        wants: Wants<'_>,
        is_ours: bool,
    ) -> RequirementReport {
        let root = match trust.root().map(|wanted| roots.get(wanted)) {
            Some(None) => return denied(kind, VerifyError::RootMissing.into()),
            Some(found) => found,
            None => None,
        };
        let keys = match trust {
            Trust::Keys(source) | Trust::LoggedKeys { keys: source, .. } => {
                match keys(source, assets) {
                    Ok(keys) => keys,
                    Err(failure) => return denied(kind, failure),
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
                return denied(
                    kind,
                    VerifyError::NotImplemented {
                        what: "another trust than keys and identities".into(),
                    }
                    .into(),
                );
            }
        };
        let report = if is_ours {
            self.union(kind, who, wants).await
        } else {
            self.as_containers_image(kind, who, wants).await
        };
        under(report, root)
    }

    /// As containers/image: `.sig` alone, and whatever cannot be read is fatal.
    async fn as_containers_image(
        &mut self,
        kind: &str,
        who: Who<'_>,
        wants: Wants<'_>,
    ) -> RequirementReport {
        match self.evidence.layers_of_signature_tag().await {
            Ok(layers) if layers > limits::EVIDENCE_EXAMINED => {
                return troubled(kind, too_many_candidates(), Vec::new());
            }
            Ok(_) => {}
            Err(trouble) => return troubled(kind, trouble, Vec::new()),
        }
        let mut found = Vec::new();
        while let Some(one) = self
            .evidence
            .candidate(Place::SignatureTag, found.len())
            .await
        {
            found.push(one);
        }
        if let Some(trouble) = self.evidence.trouble(Place::SignatureTag) {
            return troubled(kind, trouble, Vec::new());
        }
        let mut round = Round {
            question: self.question(who, wants, Order::ContainersImage),
            candidates: Vec::new(),
            trouble: None,
        };
        for one in found {
            if self.examine(&mut round, &one).await == Next::Stop {
                break;
            }
        }
        conclude(kind, wants, round.candidates, round.trouble)
    }

    /// Ours: what satisfied before, the tag, the referrers, each fetched as it is looked at and
    /// until one satisfies. What does not parse or verify is recorded and skipped, what could not
    /// be had makes a denial "could not find out" (docs/trust.md section 7).
    async fn union(&mut self, kind: &str, who: Who<'_>, wants: Wants<'_>) -> RequirementReport {
        let tag = match wants {
            Wants::Signature(_) => Place::SignatureTag,
            Wants::Statement { .. } => Place::AttestationTag,
        };
        let places = [Place::Preferred, tag, Place::Referrers];
        let mut round = Round {
            question: self.question(who, wants, Order::CheapFirst),
            candidates: Vec::new(),
            trouble: None,
        };
        let (mut seen, mut next) = (BTreeSet::new(), Next::GoOn);
        for place in places {
            let mut number = 0;
            while next == Next::GoOn
                && let Some(found) = self.evidence.candidate(place, number).await
            {
                number = number.saturating_add(1);
                if seen.insert(found.key) {
                    next = self.examine(&mut round, &found).await;
                }
            }
        }
        let missed = places
            .into_iter()
            .find_map(|place| self.evidence.missed(place));
        let trouble = round.trouble.or(missed);
        conclude(kind, wants, round.candidates, trouble)
    }

    fn question<'q>(&self, who: Who<'q>, wants: Wants<'q>, order: Order) -> Question<'q>
    where
        'a: 'q,
    {
        Question {
            subject: self.subject,
            name: self.name,
            now: self.now,
            who,
            wants,
            annotations: self.annotations,
            order,
        }
    }

    /// One candidate. What it lacks is recorded, and never ends the examination of the others; a
    /// bound of the judgement does.
    async fn examine(&mut self, round: &mut Round<'_>, found: &Found) -> Next {
        self.work.pass(found.size().saturating_add(CANDIDATE)).await;
        let may_be_checked =
            self.examined.len() < limits::EVIDENCE_EXAMINED || self.examined.contains(&found.key);
        let meter = if may_be_checked {
            self.work.candidate()
        } else {
            self.work.free_of_charge()
        };
        let outcome = round.question.examine(found, &meter).await;
        if meter.checks() > 0 {
            self.examined.insert(found.key);
        }
        let error = match outcome {
            Ok(candidate) => {
                let accepted = candidate.outcome == Outcome::Accepted;
                round.candidates.push(candidate);
                if let (true, Some(origin)) = (accepted, &found.origin) {
                    self.work
                        .note_satisfied(&self.subject.digest, origin.clone());
                }
                return if accepted { Next::Stop } else { Next::GoOn };
            }
            Err(error) => error,
        };
        let spent = self.work.spent();
        let (trouble, next) = match spent {
            Some(error) => (
                Trouble {
                    failure: error.into(),
                    unknown: true,
                },
                Next::Stop,
            ),
            None if !may_be_checked => (too_many_candidates(), Next::Stop),
            None => (
                Trouble {
                    failure: error.into(),
                    unknown: true,
                },
                Next::GoOn,
            ),
        };
        if may_be_checked {
            round.candidates.push(Candidate::refused(
                &found.source,
                "other",
                found.digest.as_ref().map(ToString::to_string),
                &Refused {
                    failure: trouble.failure.clone(),
                    steps: Vec::new(),
                },
            ));
        }
        round.trouble = round
            .trouble
            .take()
            .filter(|_| next == Next::GoOn)
            .or(Some(trouble));
        next
    }
}

/// What one candidate costs to look at, in bytes.
const CANDIDATE: usize = 4 << 10;

/// One requirement's way through the candidates.
struct Round<'q> {
    question: Question<'q>,
    candidates: Vec<Candidate>,
    trouble: Option<Trouble>,
}

/// Whether to look at the next candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    Stop,
}

fn too_many_candidates() -> Trouble {
    VerifyError::EvidenceLimit {
        what: "candidates",
        limit: limits::EVIDENCE_EXAMINED,
    }
    .into()
}

/// Says under which trusted root a requirement was judged.
fn under(report: RequirementReport, root: Option<&NamedRoot>) -> RequirementReport {
    RequirementReport {
        trusted_root: root.map(|root| root.name.clone()),
        ..report
    }
}

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
        return Err(RulesError::TooManyKeys.into());
    }
    material
        .into_iter()
        .map(|bytes| PublicKey::from_pem(bytes).map_err(Failure::from))
        .collect()
}

/// The content of every file that a policy names, or carries, in one member.
pub(super) fn files<'a>(
    source: &'a KeySource,
    assets: &'a BTreeMap<String, Vec<u8>>,
) -> Result<Vec<&'a [u8]>, Failure> {
    let file = |path: &String| {
        assets
            .get(path)
            .map(Vec::as_slice)
            .ok_or_else(|| Failure::from(VerifyError::KeyMissing { path: path.clone() }))
    };
    match source {
        KeySource::Path(path) => Ok(vec![file(path)?]),
        KeySource::Paths(paths) => paths.iter().map(file).collect(),
        KeySource::Data(data) => Ok(vec![data]),
        KeySource::Datas(list) => Ok(list.iter().map(Vec::as_slice).collect()),
    }
}

fn denied(kind: &str, failure: Failure) -> RequirementReport {
    RequirementReport {
        kind: kind.into(),
        verdict: Verdict::Deny,
        code: failure.code,
        message: failure.message,
        trusted_root: None,
        candidates: Vec::new(),
        expires: None,
    }
}

fn troubled(kind: &str, trouble: Trouble, candidates: Vec<Candidate>) -> RequirementReport {
    let verdict = if trouble.unknown {
        Verdict::Unknown
    } else {
        Verdict::Deny
    };
    RequirementReport {
        kind: kind.into(),
        verdict,
        code: trouble.failure.code,
        message: trouble.failure.message,
        trusted_root: None,
        candidates,
        expires: None,
    }
}

fn conclude(
    kind: &str,
    wants: Wants<'_>,
    candidates: Vec<Candidate>,
    trouble: Option<Trouble>,
) -> RequirementReport {
    if let Some(accepted) = candidates
        .iter()
        .find(|candidate| candidate.outcome == Outcome::Accepted)
    {
        let (code, message) = (accepted.code, accepted.message.clone());
        return RequirementReport {
            kind: kind.into(),
            verdict: Verdict::Allow,
            code,
            message,
            trusted_root: None,
            candidates,
            expires: None,
        };
    }
    if let Some(trouble) = trouble {
        return troubled(kind, trouble, candidates);
    }
    let rejected: Vec<&Candidate> = candidates
        .iter()
        .filter(|candidate| candidate.outcome == Outcome::Rejected)
        .collect();
    let (code, message) = match rejected.as_slice() {
        [] => {
            let failure = Failure::from(match wants {
                Wants::Signature(_) => VerifyError::NoSignature {
                    detail: aside(&candidates),
                },
                Wants::Statement { predicate_type, .. } => VerifyError::NoAttestation {
                    predicate_type: predicate_type.into(),
                    others: candidates.len(),
                },
            });
            (failure.code, failure.message)
        }
        [one] => (one.code, one.message.clone()),
        many => {
            let mut reasons: Vec<&str> = many
                .iter()
                .map(|candidate| candidate.message.as_str())
                .take(limits::REASONS)
                .collect();
            let more = format!("and {} more", many.len().saturating_sub(reasons.len()));
            if many.len() > reasons.len() {
                reasons.push(&more);
            }
            let code = many
                .iter()
                .map(|candidate| candidate.code)
                .max_by_key(|code| rank(code))
                .unwrap_or("signature.none-accepted");
            (
                code,
                VerifyError::SeveralReasons {
                    reasons: reasons.join("; "),
                }
                .to_string(),
            )
        }
    };
    RequirementReport {
        kind: kind.into(),
        verdict: Verdict::Deny,
        code,
        message,
        trusted_root: None,
        candidates,
        expires: None,
    }
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
        "identity.not-accepted"
        | "identity.other-name"
        | "annotation.missing"
        | "attestation.condition"
        | "attestation.too-old" => 5,
        "digest.not-signed" | "sigstore.artifact" => 4,
        "sigstore.identity"
        | "containers-image.email"
        | "containers-image.issuer"
        | "containers-image.hostname" => 3,
        code if code.starts_with("payload.")
            || code.starts_with("statement.")
            || code.starts_with("sigstore.")
            || code.starts_with("containers-image.") =>
        {
            2
        }
        "signature.invalid" => 1,
        _ => 0,
    }
}
