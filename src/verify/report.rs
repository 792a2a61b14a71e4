//! The full explanation of a decision, as plain data (JSON schema: `js/report.schema.json`).

use super::finding::Finding;
use crate::crypto;
use crate::crypto::{Role, Step};
use crate::digest::Digest;
use crate::error::{Failure, Kind};
use crate::limits;
use crate::sigstore::verify::{LoggedEntry, Signed};
use crate::x509::{Certificate, fulcio};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::Serialize;

/// What became of one piece of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// It satisfied the requirement.
    Accepted,
    /// It did not.
    Rejected,
    /// It is no signature of an image, and does not count.
    SetAside,
}

/// The full explanation of a verdict on one image (JSON schema: `js/report.schema.json`).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Report {
    /// Of this form: 1.
    pub version: u32,
    /// Which program judged.
    pub verifier: String,
    /// May it run, and why?
    #[serde(flatten)]
    pub finding: Finding,
    /// Whether it may, and a signature or attestation satisfied a requirement for every image that
    /// was judged. What is allowed by a rule that demands none, by an exception or by a pin is
    /// allowed, not verified (docs/trust.md section 9).
    pub verified: bool,
    /// What was judged.
    pub image: ImageReport,
    /// By which rule.
    pub rule: RuleReport,
    /// Each requirement that was looked at, in order; judging stops at the first that is not met.
    pub requirements: Vec<Requirement>,
    /// The images of an index that were judged one by one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<Instance>,
    /// What was not demanded, and what deserves attention.
    pub notes: Vec<Note>,
    /// The command with which cosign checks the same, perhaps below a comment line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equivalent: Option<String>,
    /// Where a good signature names another image: what a person has to answer before it may
    /// count. Not the next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror_question: Option<MirrorQuestion>,
    /// Signatures that the image bears and that failed: by another key, over other bytes, for
    /// another name, or unreadable.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed_signatures: usize,
    /// When, in seconds since 1970.
    pub time: i64,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// What a person has to answer where a good signature names another image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MirrorQuestion {
    /// In words.
    pub question: String,
    /// The name that was signed.
    pub signed: String,
    /// The `signedIdentity` that a mirror would need in the policy, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_identity: Option<String>,
}

/// What was judged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ImageReport {
    /// As it was asked for.
    pub reference: String,
    /// The name that policies and signatures know it by.
    pub name: String,
    /// The digest of the bytes that were judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Their media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Their length in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
    /// `image` or `index`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// Who said which digest the tag means: trusted for that alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_by: Option<String>,
}

/// By which rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RuleReport {
    /// `policy`, `key` or `identity`.
    pub source: &'static str,
    /// Where in the policy, for instance `docker "registry.example.com"` or `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// `index` or `instance` (docs/trust.md section 8).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<&'static str>,
}

/// One requirement and what was found for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Requirement {
    /// As in the policy; `key` for the command line's.
    #[serde(rename = "type")]
    pub kind: String,
    /// Is it met, and why?
    #[serde(flatten)]
    pub finding: Finding,
    /// The trusted root under which it was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_root: Option<String>,
    /// Each piece of evidence that was examined.
    pub candidates: Vec<Candidate>,
    /// When an exception ends, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Candidate {
    /// Where it was found.
    pub source: String,
    /// `cosign-signature`, `cosign-attestation`, `sigstore-bundle`, `simple-signature` or `other`.
    pub format: &'static str,
    /// The digest of its bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why.
    #[serde(flatten)]
    pub reason: Failure,
    /// What it says; present only when its signature was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<Claims>,
    /// Each step of its verification.
    pub steps: Vec<StepReport>,
    /// When this stops being an answer, in seconds since 1970; most answers have no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
}

/// What a verified signature says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Claims {
    /// The digest that was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The reference that was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The predicate type of a statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// The program that signed, as it names itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    /// The time of signing, as the signer gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
    /// Who signed, by the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<Signer>,
    /// Which OpenPGP key signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub openpgp: Option<OpenPgpSigner>,
    /// Entries in transparency logs of the trusted root; all of them hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub log_entries: Vec<LogEntry>,
    /// Timestamps of authorities of the trusted root.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub timestamps: Vec<Timestamp>,
}

/// Who signed, as the certificate authority saw them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Signer {
    /// The subject alternative name: an email address, a workflow, a user.
    pub subject: String,
    /// Who vouched for the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Further claims of the certificate, by sigstore-go's names.
    pub claims: BTreeMap<&'static str, String>,
    /// Who issued the certificate, for people.
    pub authority: String,
    /// Start of its validity, in seconds since 1970.
    pub not_before: i64,
    /// Last second of its validity.
    pub not_after: i64,
    /// SHA-256 of the certificate.
    pub fingerprint: String,
}

/// Which OpenPGP key signed, and when. Dates are the key owner's own word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OpenPgpSigner {
    /// What the key calls itself, cut where it is long: any text that its owner chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The fingerprint of the primary key, in upper-case hexadecimal, as GnuPG writes it.
    pub key: String,
    /// That of the subkey which signed, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subkey: Option<String>,
    /// What kind of key signed, for instance `RSA 3072`.
    pub algorithm: String,
    /// The hash algorithm of the signature.
    pub hash: &'static str,
    /// When the key that signed was made, in seconds since 1970.
    pub key_created: i64,
    /// The last second at which it counts, if it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_expires: Option<i64>,
    /// When it expired, where that was passed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_expired: Option<i64>,
    /// When it signed, in seconds since 1970.
    pub signed: i64,
    /// The first second at which the signature does not count any more, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
}

/// An entry in a transparency log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LogEntry {
    /// The log's id.
    pub log_id: String,
    /// The entry's index, as text: JSON's numbers end at 2^53.
    pub index: String,
    /// Kind and version.
    pub kind: String,
    /// When the log took it, by its signed entry timestamp.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<i64>,
    /// The log's name in the checkpoint that proves inclusion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The log's size in that checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tree_size: Option<String>,
}

/// A timestamp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Timestamp {
    /// When, in seconds since 1970.
    pub time: i64,
    /// Who says so.
    pub authority: String,
}

impl Signer {
    pub(super) fn of(certificate: &Certificate, claims: &fulcio::Claims) -> Self {
        let mut named = BTreeMap::new();
        for (name, value) in claims.iter() {
            named.insert(name, value.into());
        }
        Self {
            subject: claims.subject().text().into(),
            issuer: claims.issuer().map(Into::into),
            claims: named,
            authority: certificate.shown_issuer(),
            not_before: certificate.not_before().0,
            not_after: certificate.not_after().0,
            fingerprint: Digest::of(certificate.der()).hex(),
        }
    }
}

impl Claims {
    /// What a bundle said that was verified.
    pub(super) fn of(signed: &Signed) -> Self {
        let entry = |entry: &LoggedEntry| LogEntry {
            log_id: entry.log_id.clone(),
            index: entry.index.to_string(),
            kind: entry.kind.clone(),
            time: entry.time.map(|time| time.0),
            origin: entry.checkpoint.as_ref().map(|(origin, _)| origin.clone()),
            tree_size: entry.checkpoint.as_ref().map(|(_, size)| size.to_string()),
        };
        Self {
            signer: signed
                .certificate
                .as_ref()
                .zip(signed.claims.as_ref())
                .map(|(certificate, claims)| Signer::of(certificate, claims)),
            log_entries: signed.log_entries.iter().map(entry).collect(),
            timestamps: signed
                .timestamps
                .iter()
                .map(|stamp| Timestamp {
                    time: stamp.time.0,
                    authority: stamp.authority.clone(),
                })
                .collect(),
            ..Self::default()
        }
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StepReport {
    /// `rule`, `waived` or `signature`.
    pub kind: &'static str,
    /// Its stable name.
    pub name: &'static str,
    /// In words.
    pub text: String,
    /// `holds`, `fails` or `not-run`.
    pub outcome: &'static str,
    /// The scheme of a signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// SHA-256 of the key's SubjectPublicKeyInfo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether a link of a chain holds because it was checked before (docs/trust.md section 7).
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub remembered: bool,
}

/// Something to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Note {
    /// Stable.
    pub code: &'static str,
    /// In words.
    pub message: String,
}

/// One image of an index.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Instance {
    /// Its digest.
    pub digest: String,
    /// Its platform, as the index gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// May it run, and why?
    #[serde(flatten)]
    pub finding: Finding,
    /// Whether it may, and a signature or attestation satisfied a requirement.
    pub verified: bool,
    /// Each requirement that was looked at.
    pub requirements: Vec<Requirement>,
}

impl Report {
    /// The digest of what may run: the one place where "nobody knows" becomes "no". `None` is a
    /// denial, and [`Self::finding`] says why.
    pub fn allowed(&self) -> Option<Digest> {
        let digest = self.image.digest.as_deref()?;
        Digest::parse(digest)
            .ok()
            .filter(|_| self.finding.is_allowed())
    }
}

/// Whether it is allowed, and by more than a rule that demands no signature, an exception or a pin.
pub(super) fn is_verified(finding: &Finding, requirements: &[Requirement]) -> bool {
    finding.is_allowed()
        && requirements
            .iter()
            .all(|requirement| requirement.finding.is_allowed())
        && requirements
            .iter()
            .any(|requirement| requirement.accepted().is_some())
}

impl Requirement {
    /// Decided without a look at any evidence.
    pub(super) fn decided(kind: &str, finding: Finding) -> Self {
        Self::found(kind, finding, Vec::new())
    }

    /// Decided by these candidates.
    pub(super) fn found(kind: &str, finding: Finding, candidates: Vec<Candidate>) -> Self {
        Self {
            kind: kind.into(),
            finding,
            trusted_root: None,
            candidates,
            expires: None,
        }
    }

    /// The evidence that satisfied it.
    pub(super) fn accepted(&self) -> Option<&Candidate> {
        self.candidates
            .iter()
            .find(|candidate| candidate.outcome == Outcome::Accepted)
    }

    /// Evidence for it that failed. What does not say yet what the policy demands is signed well;
    /// what is no signature does not count; and where nothing could be examined, all but "there is
    /// none" and "nothing passes" is a failure.
    pub(super) fn failed_signatures(&self) -> usize {
        let failed = |candidate: &&Candidate| match candidate.outcome {
            Outcome::Accepted => false,
            Outcome::Rejected => candidate.reason.kind != Kind::Condition,
            Outcome::SetAside => !matches!(
                candidate.reason.kind,
                Kind::Attachment | Kind::OtherPredicate | Kind::Blob
            ),
        };
        let unexamined = self.candidates.is_empty()
            && !self.finding.is_allowed()
            && !matches!(self.finding.kind, Kind::NoEvidence | Kind::Policy);
        self.candidates
            .iter()
            .filter(failed)
            .count()
            .saturating_add(usize::from(unexamined))
    }
}

impl Candidate {
    /// Who signed it, in one line.
    pub(super) fn signer(&self) -> Option<String> {
        let claims = self.claims.as_ref();
        if let Some(signer) = claims.and_then(|claims| claims.signer.as_ref()) {
            let issuer = signer.issuer.as_deref().unwrap_or("no issuer");
            let text = alloc::format!("{} ({issuer})", signer.subject);
            return Some(text.chars().take(limits::REFERENCE).collect());
        }
        if let Some(signer) = claims.and_then(|claims| claims.openpgp.as_ref()) {
            return Some(alloc::format!("openpgp {}", signer.key));
        }
        let of_content = [Role::CosignPayload, Role::DsseEnvelope].map(Role::name);
        let step = (self.steps.iter())
            .find(|step| step.outcome == "holds" && of_content.contains(&step.name))?;
        let key = step.key.as_ref()?;
        Some(alloc::format!("key sha256:{key}"))
    }
}

impl StepReport {
    /// The steps of a verification, in words.
    pub(super) fn of(steps: &[Step]) -> Vec<Self> {
        steps.iter().map(Self::one).collect()
    }

    fn one(step: &Step) -> Self {
        let rule = |kind, rule: &crypto::Rule, outcome| Self {
            kind,
            name: rule.name,
            text: rule.text.clone(),
            outcome,
            scheme: None,
            key: None,
            remembered: false,
        };
        let signature = |check: &crypto::SignatureCheck, outcome, verb: &str| Self {
            kind: "signature",
            name: check.role().name(),
            text: alloc::format!(
                "the signature ({} key, {}) {verb}",
                check.key().kind(),
                check.scheme()
            ),
            outcome,
            scheme: Some(check.scheme().to_string()),
            key: Some(check.key().fingerprint()),
            remembered: false,
        };
        match step {
            Step::Rule(r) => rule("rule", r, "holds"),
            Step::Broken(r) => rule("rule", r, "fails"),
            Step::Waived(r) => rule("waived", r, "not-run"),
            Step::Open(check) => signature(check, "not-run", "was not checked"),
            Step::Settled(check, crypto::Outcome::Holds) => {
                signature(check, "holds", "was made by this key over these bytes")
            }
            Step::Remembered(check) => Self {
                remembered: true,
                ..signature(
                    check,
                    "holds",
                    "was made by this key over these bytes: it was checked before",
                )
            },
            Step::Settled(check, crypto::Outcome::Fails) => {
                signature(check, "fails", "was not made by this key over these bytes")
            }
        }
    }
}
