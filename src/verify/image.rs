//! One image or index: fetched, hashed, judged, reported.

use super::archive::Archive;
use super::artifact::{is_unsigned_attestation, says_attestation};
use super::equivalent::equivalent;
use super::judge::judge;
use super::report::{
    Candidate, ImageReport, Instance, MirrorQuestion, Note, Report, Requirement, RuleReport,
    Verdict, is_verified,
};
use super::rules::Rules;
use super::trouble::VerifyError;
use super::work::Work;
use crate::crypto::Provider;
use crate::digest::{Digest, DigestError};
use crate::error::{Coded, Failure};
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
    /// `digest.mismatch` when the bytes are not those of `pinned`; the codes of
    /// [`crate::oci::OciError`].
    pub fn read(
        bytes: Vec<u8>,
        content_type: Option<&str>,
        pinned: Option<&Digest>,
    ) -> Result<Self, Failure> {
        if let Some(digest) = pinned {
            let failure = |error: DigestError| {
                Failure::new(
                    error.code(),
                    format!("Manifest does not match provided manifest digest {digest}: {error}"),
                )
            };
            digest.check(&bytes).map_err(failure)?;
        }
        let document = Document::parse(&bytes, content_type)?;
        let digest = Digest::of(&bytes);
        Ok(Self {
            bytes,
            digest,
            document,
        })
    }

    /// Whether the bytes alone, without the content type that they came with, say the same.
    pub fn reads_alone(&self) -> bool {
        Document::parse(&self.bytes, None).is_ok_and(|document| document == self.document)
    }
}

/// The index as an image of which a manifest is judged.
#[derive(Debug, Clone, Copy)]
pub struct Within<'a> {
    /// Its digest.
    pub digest: &'a Digest,
}

/// Which images of an index must be allowed where each is judged for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted<'a> {
    All,
    For(&'a Platform),
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
    /// Whether it may be used, and a signature or attestation satisfied a requirement for
    /// everything that was judged.
    pub fn is_verified(&self) -> bool {
        match self.instances.as_slice() {
            [] => is_verified(self.verdict, &self.requirements),
            instances => {
                self.verdict == Verdict::Allow && instances.iter().all(|instance| instance.verified)
            }
        }
    }

    fn all_requirements(&self) -> impl Iterator<Item = &Requirement> {
        self.requirements.iter().chain(
            self.instances
                .iter()
                .flat_map(|instance| &instance.requirements),
        )
    }

    /// The first good signature that was refused for its name alone, and the name.
    fn mirror_question(&self, rules: &Rules, name: &Reference) -> Option<MirrorQuestion> {
        let named = |candidate: &Candidate| {
            matches!(
                candidate.code,
                "identity.not-accepted" | "identity.other-name"
            )
        };
        let copied = self
            .all_requirements()
            .flat_map(|requirement| &requirement.candidates)
            .find(|candidate| named(candidate));
        let signed = copied
            .filter(|_| self.verdict != Verdict::Allow)?
            .claims
            .as_ref()?
            .identity
            .clone()?;
        let signed_identity = if matches!(rules, Rules::Policy { .. }) {
            Matcher::suggest(Some(name), &signed)
        } else {
            None
        };
        let same_repository = Matcher::Repository.accepts(Some(name), &signed);
        let signed: String = signed.chars().take(limits::REFERENCE).collect();
        if same_repository {
            let question = format!(
                "Is any tag of {} as good as another? cosign signs the repository without a tag, \
                 and whoever can push may move a signed image to any tag.",
                name.name()
            );
            return Some(MirrorQuestion {
                question,
                signed,
                signed_identity,
            });
        }
        let question = format!(
            "Is {} a mirror of {signed}, and do you know who filled it? If you cannot tell, it is \
             a copy that somebody else made.",
            name.name()
        );
        Some(MirrorQuestion {
            question,
            signed,
            signed_identity,
        })
    }
    /// When the answer may change by time alone: the first end of anything that was accepted.
    pub fn expires(&self) -> Option<UnixTime> {
        let of_instances = self
            .instances
            .iter()
            .flat_map(|instance| &instance.requirements);
        let ends = |requirement: &Requirement| {
            requirement
                .candidates
                .iter()
                .filter_map(|candidate| candidate.expires)
                .chain(requirement.expires)
                .min()
        };
        self.requirements
            .iter()
            .chain(of_instances)
            .filter_map(ends)
            .min()
            .map(UnixTime)
    }
}

/// Judges one document in hand; `within` is the index as an image of which it is judged, where each
/// image is judged for itself. Such an index itself is not judged here, but by its images. `work`
/// is the budget of the request, whatever else is judged for it.
pub async fn judge_manifest<A: Archive, P: Provider>(
    rules: &Rules,
    subject: &Subject,
    within: Option<Within<'_>>,
    name: &Reference,
    now: UnixTime,
    archive: &A,
    work: &Work<'_, P>,
) -> Judged {
    let own = judge(
        rules,
        subject,
        within.map(|within| within.digest),
        name,
        now,
        archive,
        work,
    )
    .await;
    Judged {
        verdict: own.verdict,
        code: own.code,
        message: own.message,
        rule: rules.report(name),
        requirements: own.requirements,
        instances: Vec::new(),
        notes: rules.notes(name),
    }
}

async fn judge_document<A: Archive, P: Provider>(
    rules: &Rules,
    subject: &Subject,
    name: &Reference,
    now: UnixTime,
    archive: &A,
    work: &Work<'_, P>,
    wanted: Wanted<'_>,
) -> Judged {
    let (rule, notes) = (rules.report(name), rules.notes(name));
    let instance_rule = rules.coverage() == Coverage::Instance;
    if let (Document::Index(index), Wanted::For(platform)) = (&subject.document, wanted)
        && entries(index, wanted).is_empty()
    {
        let failure = Failure::from(VerifyError::NoPlatform {
            platform: platform.to_string(),
        });
        return Judged {
            verdict: Verdict::Deny,
            code: failure.code,
            message: failure.message,
            rule,
            requirements: Vec::new(),
            instances: Vec::new(),
            notes,
        };
    }
    if let (Document::Index(index), true) = (&subject.document, instance_rule) {
        return judge_instances(
            rules,
            Listing {
                index,
                digest: &subject.digest,
            },
            name,
            now,
            archive,
            work,
            wanted,
        )
        .await;
    }
    let own = judge(rules, subject, None, name, now, archive, work).await;
    let unsigned = own.verdict == Verdict::Deny
        && matches!(own.code, "signature.missing" | "attestation.missing");
    if let (Document::Index(index), Rules::Direct(_), true) = (&subject.document, rules, unsigned) {
        // Without a policy: the index is not signed, so each image must be (docs/trust.md section
        // 8).
        let judged = judge_instances(
            rules,
            Listing {
                index,
                digest: &subject.digest,
            },
            name,
            now,
            archive,
            work,
            wanted,
        )
        .await;
        return Judged {
            requirements: own.requirements,
            ..judged
        };
    }
    Judged {
        verdict: own.verdict,
        code: own.code,
        message: own.message,
        rule,
        requirements: own.requirements,
        instances: Vec::new(),
        notes,
    }
}

async fn judge_instances<A: Archive, P: Provider>(
    rules: &Rules,
    listing: Listing<'_>,
    name: &Reference,
    now: UnixTime,
    archive: &A,
    work: &Work<'_, P>,
    wanted: Wanted<'_>,
) -> Judged {
    let refuse = |failure: Failure| Judged {
        verdict: Verdict::Deny,
        code: failure.code,
        message: failure.message,
        rule: RuleReport {
            coverage: Some("instance"),
            ..rules.report(name)
        },
        requirements: Vec::new(),
        instances: Vec::new(),
        notes: rules.notes(name),
    };
    let listed = entries(listing.index, wanted);
    if listed.len() > limits::INSTANCES {
        return refuse(
            VerifyError::Instances {
                found: listed.len(),
            }
            .into(),
        );
    }
    work.allow_images(listed.len());
    let mut instances = Vec::new();
    for descriptor in listed {
        if !is_attestation(descriptor, archive).await {
            instances.push(
                judge_instance(rules, descriptor, listing.digest, name, now, archive, work).await,
            );
        }
    }
    if instances.is_empty() {
        return refuse(Failure::new(
            "index.empty",
            "the index lists no image that could be run: there is nothing that could be allowed",
        ));
    }
    let (verdict, code, message) = combine(&instances);
    Judged {
        verdict,
        code,
        message,
        instances,
        ..refuse(Failure::new("internal", ""))
    }
}

/// Every entry that some client could take for what is wanted: for a platform those of the same
/// system and architecture, whatever else they say, and those that say nothing.
fn entries<'i>(index: &'i Index, wanted: Wanted<'_>) -> Vec<&'i Descriptor> {
    let fits = |entry: &&Descriptor| match (wanted, &entry.platform) {
        (Wanted::All, _) | (_, None) => true,
        (Wanted::For(platform), Some(said)) => {
            said.os == platform.os && said.architecture == platform.architecture
        }
    };
    index.manifests.iter().filter(fits).collect()
}

/// What BuildKit attaches to an index is no image. Whatever of it cannot be had makes an image of
/// it, which then needs its own signature.
async fn is_attestation<A: Archive>(entry: &Descriptor, archive: &A) -> bool {
    if !says_attestation(entry) {
        return false;
    }
    let Ok(Some(fetched)) = archive.manifest(&entry.digest.to_string()).await else {
        return false;
    };
    let Ok(Document::Manifest(manifest)) =
        Document::parse(&fetched.bytes, fetched.content_type.as_deref())
    else {
        return false;
    };
    let Ok(Some(config)) = archive.blob(&manifest.config.digest, limits::CONFIG).await else {
        return false;
    };
    entry.digest.check(&fetched.bytes).is_ok() && is_unsigned_attestation(&fetched.bytes, &config)
}

/// Why an index is refused of which each image is judged for itself: which images, why the first,
/// and what to do.
pub fn refused_images(refused: &[(&Descriptor, Failure)], of: usize) -> Failure {
    let one = |(entry, _): &(&Descriptor, Failure)| match &entry.platform {
        Some(platform) => format!("{} ({platform})", entry.digest),
        None => entry.digest.to_string(),
    };
    let images = refused.iter().map(one).collect::<Vec<_>>().join(", ");
    let Some((_, first)) = refused.first() else {
        return Failure::new("internal", "no image was judged");
    };
    let error = VerifyError::InstanceDenied {
        denied: refused.len(),
        of,
        images,
        first: first.message.clone(),
    };
    Failure::new(first.code, error.to_string())
}

fn combine(instances: &[Instance]) -> (Verdict, &'static str, String) {
    let judged = |verdict: Verdict| {
        instances
            .iter()
            .filter(move |instance| instance.verdict == verdict)
    };
    let shown = |instance: &Instance| {
        instance
            .platform
            .as_ref()
            .map_or(instance.digest.clone(), |platform| {
                format!("{} ({platform})", instance.digest)
            })
    };
    let allowed = judged(Verdict::Allow).count();
    match (
        judged(Verdict::Unknown).next(),
        judged(Verdict::Deny).next(),
        instances.first(),
    ) {
        (None, None, Some(first)) => (
            Verdict::Allow,
            first.code,
            format!("all {allowed} images that were judged are allowed"),
        ),
        (worst, denied, _) => match worst.or(denied) {
            Some(first) => {
                let images = instances
                    .iter()
                    .filter(|instance| instance.verdict == first.verdict)
                    .map(shown)
                    .collect::<Vec<_>>()
                    .join(", ");
                let error = VerifyError::InstanceDenied {
                    denied: instances.len().saturating_sub(allowed),
                    of: instances.len(),
                    images,
                    first: first.message.clone(),
                };
                (first.verdict, first.code, error.to_string())
            }
            None => (Verdict::Deny, "internal", "no image was judged".into()),
        },
    }
}

async fn judge_instance<A: Archive, P: Provider>(
    rules: &Rules,
    descriptor: &Descriptor,
    within: &Digest,
    name: &Reference,
    now: UnixTime,
    archive: &A,
    work: &Work<'_, P>,
) -> Instance {
    let digest = descriptor.digest.to_string();
    let platform = descriptor.platform.as_ref().map(ToString::to_string);
    let subject = match fetch(archive, &digest, Some(&descriptor.digest)).await {
        Ok(Some(subject)) => subject,
        Ok(None) => {
            return unjudged(
                digest.clone(),
                platform,
                Verdict::Unknown,
                VerifyError::InstanceMissing { digest }.into(),
            );
        }
        Err((verdict, failure)) => return unjudged(digest, platform, verdict, failure),
    };
    if matches!(subject.document, Document::Index(_)) {
        return unjudged(
            digest.clone(),
            platform,
            Verdict::Deny,
            VerifyError::NestedIndex { digest }.into(),
        );
    }
    // Under the reference that was asked for (docs/containers-image.md section 8).
    let own = judge(rules, &subject, Some(within), name, now, archive, work).await;
    Instance {
        digest,
        platform,
        verdict: own.verdict,
        verified: is_verified(own.verdict, &own.requirements),
        code: own.code,
        message: own.message,
        requirements: own.requirements,
    }
}

fn unjudged(
    digest: String,
    platform: Option<String>,
    verdict: Verdict,
    failure: Failure,
) -> Instance {
    Instance {
        digest,
        platform,
        verdict,
        verified: false,
        code: failure.code,
        message: failure.message,
        requirements: Vec::new(),
    }
}

async fn fetch<A: Archive>(
    archive: &A,
    reference: &str,
    pinned: Option<&Digest>,
) -> Result<Option<Subject>, (Verdict, Failure)> {
    let fetched = archive
        .manifest(reference)
        .await
        .map_err(|error| (Verdict::Unknown, refusal(error)))?;
    let Some(fetched) = fetched else {
        return Ok(None);
    };
    // The registry's own word on a tag (CVE-2023-47630: a digest is taken from the bytes, and must
    // be the one it told).
    if let Some(told) = fetched
        .digest
        .as_deref()
        .and_then(|text| Digest::parse(text).ok())
    {
        told.check(&fetched.bytes)
            .map_err(|error| (Verdict::Deny, error.into()))?;
    }
    let subject = Subject::read(fetched.bytes, fetched.content_type.as_deref(), pinned)
        .map_err(|failure| (Verdict::Deny, failure))?;
    Ok(Some(subject))
}

/// Another sealgate in front of the archive says why by itself.
fn refusal(error: RegistryError) -> Failure {
    match error {
        RegistryError::Refused {
            status: 403,
            message,
            ..
        } if message.starts_with("sealgate:") => VerifyError::GatewayRefused { message }.into(),
        RegistryError::Refused {
            status, message, ..
        } => VerifyError::RegistryRefused { status, message }.into(),
        other => other.into(),
    }
}

/// Fetches, hashes, judges and reports. Whatever goes wrong is a report that does not allow.
pub async fn verify_image<A: Archive, P: Provider>(
    archive: &A,
    provider: &P,
    rules: &Rules,
    what: &Fetched<'_>,
) -> Report {
    let mut image = ImageReport {
        reference: what.shown.into(),
        name: what.name.to_string(),
        ..ImageReport::default()
    };
    if what.pinned.is_none() {
        image.told_by = Some(what.told_by.into());
    }
    let judged = match fetch(archive, what.reference, what.pinned).await {
        Ok(Some(subject)) => {
            image.digest = Some(subject.digest.to_string());
            image.media_type = Some(subject.document.media_type().into());
            image.size = Some(subject.bytes.len());
            image.kind = Some(if matches!(subject.document, Document::Index(_)) {
                "index"
            } else {
                "image"
            });
            let wanted = what.platform.map_or(Wanted::All, Wanted::For);
            judge_document(
                rules,
                &subject,
                what.name,
                what.time,
                archive,
                &Work::new(provider),
                wanted,
            )
            .await
        }
        Ok(None) => unfetched(
            rules,
            what.name,
            Verdict::Unknown,
            VerifyError::NotFound {
                image: what.shown.into(),
            }
            .into(),
        ),
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
        failed_signatures: judged
            .all_requirements()
            .map(Requirement::failed_signatures)
            .fold(0, usize::saturating_add),
        message: if judged.verdict == Verdict::Allow && !verified {
            format!("allowed, not verified: {}", judged.message)
        } else {
            judged.message
        },
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
    Judged {
        verdict,
        code: failure.code,
        message: failure.message,
        rule: rules.report(name),
        requirements: Vec::new(),
        instances: Vec::new(),
        notes: rules.notes(name),
    }
}
