//! One image or index: fetched, hashed, judged, reported.

use super::judge::judge;
use super::equivalent::equivalent;
use super::rules::Rules;
use super::report::{Candidate, ImageReport, Instance, MirrorQuestion, Note, Report, Requirement, RuleReport, Verdict, is_verified};
use super::trouble::VerifyError;
use crate::crypto::Provider;
use crate::digest::{Digest, DigestError};
use crate::error::{Coded, Failure};
use super::archive::Archive;
use crate::limits;
use crate::oci::registry::RegistryError;
use crate::oci::{Descriptor, Document, Index, Platform};
use crate::policy::{Coverage, Matcher};
use crate::reference::Reference;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Bytes that were hashed and read as a manifest or index.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their SHA-256 digest, or the digest that they were asked by and have.
    pub digest: Digest,
    /// What they say.
    pub document: Document,
}

/// What is to be verified.
#[derive(Debug, Clone)]
pub struct Fetched<'a> {
    /// As a person wrote it.
    pub shown: &'a str,
    /// Tag or digest to ask the registry for.
    pub reference: &'a str,
    /// The digest that the bytes must have, where one was asked for.
    pub pinned: Option<&'a Digest>,
    /// The name to judge by.
    pub name: &'a Reference,
    /// Who says which digest a tag means.
    pub told_by: &'a str,
    /// Only this image of an index.
    pub platform: Option<&'a Platform>,
    /// Now.
    pub time: UnixTime,
}

impl Subject {
    /// Hashes and reads.
    ///
    /// # Errors
    /// `digest.mismatch` when the bytes are not those of `pinned`; the codes of [`crate::oci::OciError`].
    pub fn read(bytes: Vec<u8>, content_type: Option<&str>, pinned: Option<&Digest>) -> Result<Self, Failure> {
        if let Some(digest) = pinned {
            let failure = |error: DigestError| Failure::new(error.code(), format!("Manifest does not match provided manifest digest {digest}: {error}"));
            digest.check(&bytes).map_err(failure)?;
        }
        let document = Document::parse(&bytes, content_type)?;
        let digest = Digest::of(&bytes);
        Ok(Self { bytes, digest, document })
    }
}

/// Which images of an index must be allowed where each is judged for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted<'a> {
    All,
    One(&'a Platform),
    /// At least one: a gateway serves the list, and judges each image when it is asked for.
    AtLeastOne,
}

/// An index whose images are judged one by one, and its digest.
#[derive(Clone, Copy)]
struct Listing<'a> {
    index: &'a Index,
    digest: &'a Digest,
}

/// What was found about a manifest or index.
#[derive(Debug, Clone)]
pub struct Judged {
    /// May it be used?
    pub verdict: Verdict,
    /// The stable code of the reason.
    pub code: &'static str,
    /// In words.
    pub message: String,
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
    /// Whether it may be used, and a signature or attestation satisfied a requirement for everything that was judged.
    pub fn is_verified(&self) -> bool {
        match self.instances.as_slice() {
            [] => is_verified(self.verdict, &self.requirements),
            instances => self.verdict == Verdict::Allow && instances.iter().all(|instance| instance.verified),
        }
    }

    fn all_requirements(&self) -> impl Iterator<Item = &Requirement> {
        self.requirements.iter().chain(self.instances.iter().flat_map(|instance| &instance.requirements))
    }

    /// The first good signature that was refused for its name alone, and the name.
    fn mirror_question(&self, rules: &Rules, name: &Reference) -> Option<MirrorQuestion> {
        let named = |candidate: &Candidate| matches!(candidate.code, "identity.not-accepted" | "identity.other-name");
        let copied = self.all_requirements().flat_map(|requirement| &requirement.candidates).find(|candidate| named(candidate));
        let signed = copied.filter(|_| self.verdict != Verdict::Allow)?.claims.as_ref()?.identity.clone()?;
        let signed_identity = if matches!(rules, Rules::Policy { .. }) { Matcher::suggest(Some(name), &signed) } else { None };
        let same_repository = Matcher::Repository.accepts(Some(name), &signed);
        let signed: String = signed.chars().take(limits::REFERENCE).collect();
        if same_repository {
            let question = format!("Is any tag of {} as good as another? cosign signs the repository without a tag, and whoever can push may move a signed image to any tag.", name.name());
            return Some(MirrorQuestion { question, signed, signed_identity });
        }
        let question = format!("Is {} a mirror of {signed}, and do you know who filled it? If you cannot tell, it is a copy that somebody else made.", name.name());
        Some(MirrorQuestion { question, signed, signed_identity })
    }
    /// When the answer may change by time alone: the first end of anything that was accepted.
    pub fn expires(&self) -> Option<UnixTime> {
        let of_instances = self.instances.iter().flat_map(|instance| &instance.requirements);
        let ends = |requirement: &Requirement| requirement.candidates.iter().filter_map(|candidate| candidate.expires).chain(requirement.expires).min();
        self.requirements.iter().chain(of_instances).filter_map(ends).min().map(UnixTime)
    }
}

/// Judges bytes in hand, as a gateway does: an index that is "a list" passes when one of its images does.
pub async fn judge_manifest<A: Archive, P: Provider>(rules: &Rules, subject: &Subject, name: &Reference, now: UnixTime, archive: &A, provider: &P) -> Judged {
    judge_document(rules, subject, name, now, archive, provider, Wanted::AtLeastOne).await
}

async fn judge_document<A: Archive, P: Provider>(rules: &Rules, subject: &Subject, name: &Reference, now: UnixTime, archive: &A, provider: &P, wanted: Wanted<'_>) -> Judged {
    let (rule, notes) = (rules.report(name), rules.notes(name));
    let instance_rule = rules.coverage() == Coverage::Instance;
    if let (Document::Index(index), true) = (&subject.document, instance_rule) {
        return judge_instances(rules, Listing { index, digest: &subject.digest }, name, now, archive, provider, wanted).await;
    }
    let own = judge(rules, subject, None, name, now, archive, provider).await;
    let unsigned = own.verdict == Verdict::Deny && matches!(own.code, "signature.missing" | "attestation.missing");
    if let (Document::Index(index), Rules::Direct(_), true) = (&subject.document, rules, unsigned) {
        // Without a policy: the index is not signed, so each image must be (TRUST section 8).
        let judged = judge_instances(rules, Listing { index, digest: &subject.digest }, name, now, archive, provider, wanted).await;
        return Judged { requirements: own.requirements, ..judged };
    }
    Judged { verdict: own.verdict, code: own.code, message: own.message, rule, requirements: own.requirements, instances: Vec::new(), notes }
}

async fn judge_instances<A: Archive, P: Provider>(rules: &Rules, listing: Listing<'_>, name: &Reference, now: UnixTime, archive: &A, provider: &P, wanted: Wanted<'_>) -> Judged {
    let refuse = |failure: Failure| Judged {
        verdict: Verdict::Deny,
        code: failure.code,
        message: failure.message,
        rule: RuleReport { coverage: Some("instance"), ..rules.report(name) },
        requirements: Vec::new(),
        instances: Vec::new(),
        notes: rules.notes(name),
    };
    let listed: Vec<&Descriptor> = match wanted {
        Wanted::One(platform) => match listing.index.select(platform) {
            Some(one) => alloc::vec![one],
            None => return refuse(VerifyError::NoPlatform { platform: platform.to_string() }.into()),
        },
        Wanted::All | Wanted::AtLeastOne => listing.index.manifests.iter().collect(),
    };
    if listed.len() > limits::INSTANCES {
        return refuse(VerifyError::Instances { found: listed.len() }.into());
    }
    if listed.is_empty() {
        return refuse(Failure::new("index.empty", "the index lists no image: there is nothing that could be allowed"));
    }
    let mut instances = Vec::new();
    for descriptor in listed {
        let instance = judge_instance(rules, descriptor, listing.digest, name, now, archive, provider).await;
        let enough = wanted == Wanted::AtLeastOne && instance.verdict == Verdict::Allow;
        instances.push(instance);
        if enough {
            break;
        }
    }
    let (verdict, code, message) = combine(&instances, wanted);
    Judged { verdict, code, message, instances, ..refuse(Failure::new("internal", "")) }
}

fn combine(instances: &[Instance], wanted: Wanted<'_>) -> (Verdict, &'static str, String) {
    let allowed = instances.iter().filter(|instance| instance.verdict == Verdict::Allow).count();
    let enough = if wanted == Wanted::AtLeastOne { allowed > 0 } else { allowed == instances.len() };
    if let (true, Some(first)) = (enough, instances.iter().find(|instance| instance.verdict == Verdict::Allow)) {
        return (Verdict::Allow, first.code, format!("{allowed} of the {} images that were judged are allowed", instances.len()));
    }
    let worst = instances.iter().find(|instance| instance.verdict == Verdict::Unknown);
    match worst.or_else(|| instances.iter().find(|instance| instance.verdict == Verdict::Deny)) {
        Some(first) => {
            let error = VerifyError::InstanceDenied { denied: instances.len().saturating_sub(allowed), of: instances.len(), first: first.message.clone() };
            (first.verdict, first.code, error.to_string())
        }
        None => (Verdict::Deny, "internal", "no image was judged".into()),
    }
}

async fn judge_instance<A: Archive, P: Provider>(rules: &Rules, descriptor: &Descriptor, within: &Digest, name: &Reference, now: UnixTime, archive: &A, provider: &P) -> Instance {
    let digest = descriptor.digest.to_string();
    let platform = descriptor.platform.as_ref().map(ToString::to_string);
    let subject = match fetch(archive, &digest, Some(&descriptor.digest)).await {
        Ok(Some(subject)) => subject,
        Ok(None) => return unjudged(digest.clone(), platform, Verdict::Unknown, VerifyError::InstanceMissing { digest }.into()),
        Err((verdict, failure)) => return unjudged(digest, platform, verdict, failure),
    };
    if matches!(subject.document, Document::Index(_)) {
        return unjudged(digest.clone(), platform, Verdict::Deny, VerifyError::NestedIndex { digest }.into());
    }
    // Under the reference that was asked for (facts/containers-policy.md section 8).
    let own = judge(rules, &subject, Some(within), name, now, archive, provider).await;
    Instance { digest, platform, verdict: own.verdict, verified: is_verified(own.verdict, &own.requirements), code: own.code, message: own.message, requirements: own.requirements }
}

fn unjudged(digest: String, platform: Option<String>, verdict: Verdict, failure: Failure) -> Instance {
    Instance { digest, platform, verdict, verified: false, code: failure.code, message: failure.message, requirements: Vec::new() }
}

async fn fetch<A: Archive>(archive: &A, reference: &str, pinned: Option<&Digest>) -> Result<Option<Subject>, (Verdict, Failure)> {
    let fetched = archive.manifest(reference).await.map_err(|error| (Verdict::Unknown, refusal(error)))?;
    let Some(fetched) = fetched else { return Ok(None) };
    // The registry's own word on a tag (CVE-2023-47630: a digest is taken from the bytes, and must be the one it told).
    if let Some(told) = fetched.digest.as_deref().and_then(|text| Digest::parse(text).ok()) {
        told.check(&fetched.bytes).map_err(|error| (Verdict::Deny, error.into()))?;
    }
    let subject = Subject::read(fetched.bytes, fetched.content_type.as_deref(), pinned).map_err(|failure| (Verdict::Deny, failure))?;
    Ok(Some(subject))
}

/// Another sealgate in front of the archive says why by itself.
fn refusal(error: RegistryError) -> Failure {
    match error {
        RegistryError::Refused { status: 403, message, .. } if message.starts_with("sealgate:") => VerifyError::GatewayRefused { message }.into(),
        RegistryError::Refused { status, message, .. } => VerifyError::RegistryRefused { status, message }.into(),
        other => other.into(),
    }
}

/// Fetches, hashes, judges and reports. Whatever goes wrong is a report that does not allow.
pub async fn verify_image<A: Archive, P: Provider>(archive: &A, provider: &P, rules: &Rules, what: &Fetched<'_>) -> Report {
    let mut image = ImageReport { reference: what.shown.into(), name: what.name.to_string(), ..ImageReport::default() };
    if what.pinned.is_none() {
        image.told_by = Some(what.told_by.into());
    }
    let judged = match fetch(archive, what.reference, what.pinned).await {
        Ok(Some(subject)) => {
            image.digest = Some(subject.digest.to_string());
            image.media_type = Some(subject.document.media_type().into());
            image.size = Some(subject.bytes.len());
            image.kind = Some(if matches!(subject.document, Document::Index(_)) { "index" } else { "image" });
            let wanted = what.platform.map_or(Wanted::All, Wanted::One);
            judge_document(rules, &subject, what.name, what.time, archive, provider, wanted).await
        }
        Ok(None) => unfetched(rules, what.name, Verdict::Unknown, VerifyError::NotFound { image: what.shown.into() }.into()),
        Err((verdict, failure)) => unfetched(rules, what.name, verdict, failure),
    };
    let verified = judged.is_verified();
    Report {
        version: 1,
        verifier: verifier(),
        verdict: judged.verdict,
        verified,
        code: judged.code,
        equivalent: equivalent(rules, what, &judged, image.digest.as_deref()),
        mirror_question: judged.mirror_question(rules, what.name),
        failed_signatures: judged.all_requirements().map(Requirement::failed_signatures).fold(0, usize::saturating_add),
        message: if judged.verdict == Verdict::Allow && !verified { format!("allowed, not verified: {}", judged.message) } else { judged.message },
        image,
        rule: judged.rule,
        requirements: judged.requirements,
        instances: judged.instances,
        notes: judged.notes,
        time: what.time.0,
    }
}

/// The name and version of this program.
fn verifier() -> String {
    format!("sealgate {}", env!("CARGO_PKG_VERSION"))
}

fn unfetched(rules: &Rules, name: &Reference, verdict: Verdict, failure: Failure) -> Judged {
    Judged { verdict, code: failure.code, message: failure.message, rule: rules.report(name), requirements: Vec::new(), instances: Vec::new(), notes: rules.notes(name) }
}
