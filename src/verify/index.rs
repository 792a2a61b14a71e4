//! A manifest, or an index with the images that it lists (docs/trust.md section 8).

use super::archive::Archive;
use super::artifact::{is_unsigned_attestation, says_attestation};
use super::error::VerifyError;
use super::fetch::fetch;
use super::finding::{Finding, Verdict};
use super::judge::Judge;
use super::judged::Judged;
use super::report::{Instance, RuleReport, is_verified};
use super::rules::Rules;
use super::subject::Subject;
use crate::crypto::Provider;
use crate::digest::Digest;
use crate::error::{Failure, Kind};
use crate::limits;
use crate::oci::{Descriptor, Document, Index, Platform};
use crate::policy::Coverage;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

impl<A: Archive, P: Provider> Judge<'_, A, P> {
    /// One document: a manifest or index by itself, or an index by its images; of these, only what
    /// could run on `platform`, where one is given.
    pub(super) async fn document(&self, subject: &Subject, platform: Option<&Platform>) -> Judged {
        let Document::Index(index) = &subject.document else {
            return self.manifest(subject, None).await;
        };
        // By whichever digest it is named, and whatever of it is asked for.
        if let Some(failure) = self.rules.distrusts(subject) {
            return self.judged(Finding::deny(failure));
        }
        let listed = entries(index, platform);
        if let (Some(platform), []) = (platform, listed.as_slice()) {
            let platform = platform.to_string();
            return self.judged(Finding::deny(VerifyError::NoPlatform { platform }));
        }
        if self.rules.coverage() == Coverage::Instance {
            return self.images(&listed, &subject.digest).await;
        }
        let own = self.manifest(subject, None).await;
        let is_unsigned =
            own.finding.verdict == Verdict::Deny && own.finding.kind == Kind::NoEvidence;
        if !is_unsigned || matches!(self.rules, Rules::Policy(_)) {
            return own;
        }
        // Without a policy: the index is not signed, so each image must be.
        Judged {
            requirements: own.requirements,
            ..self.images(&listed, &subject.digest).await
        }
    }

    fn judged(&self, finding: Finding) -> Judged {
        Judged::new(self.rules, self.name, finding)
    }

    /// Each image for itself; `index` is the digest of the list.
    async fn images(&self, listed: &[&Descriptor], index: &Digest) -> Judged {
        let by_image = |finding, instances| {
            let judged = self.judged(finding);
            Judged {
                rule: RuleReport {
                    coverage: Some("instance"),
                    ..judged.rule
                },
                instances,
                ..judged
            }
        };
        let found = listed.len();
        if found > limits::INSTANCES {
            let finding = Finding::deny(VerifyError::Instances {
                found,
                limit: limits::INSTANCES,
            });
            return by_image(finding, Vec::new());
        }
        self.work.allow_images(found);
        let mut instances = Vec::new();
        for entry in listed {
            if !self.is_attestation(entry).await {
                instances.push(self.image(entry, index).await);
            }
        }
        by_image(combine(&instances), instances)
    }

    /// What BuildKit attaches to an index is no image. Whatever of it cannot be had makes an image
    /// of it, which then needs its own signature.
    async fn is_attestation(&self, entry: &Descriptor) -> bool {
        if !says_attestation(entry) {
            return false;
        }
        let digest = entry.digest.to_string();
        let Ok(Some(fetched)) = self.archive.manifest(&digest).await else {
            return false;
        };
        let Ok(Document::Manifest(manifest)) =
            Document::parse(&fetched.bytes, fetched.content_type.as_deref())
        else {
            return false;
        };
        let config = self
            .archive
            .blob(&manifest.config.digest, limits::CONFIG)
            .await;
        let Ok(Some(config)) = config else {
            return false;
        };
        entry.digest.check(&fetched.bytes).is_ok()
            && is_unsigned_attestation(&fetched.bytes, &config)
    }

    async fn image(&self, entry: &Descriptor, index: &Digest) -> Instance {
        let digest = entry.digest.to_string();
        let judged = match fetch(self.archive, &digest, Some(&entry.digest)).await {
            Ok(Some(subject)) if matches!(subject.document, Document::Index(_)) => {
                let digest = digest.clone();
                self.judged(Finding::deny(VerifyError::NestedIndex { digest }))
            }
            // Under the reference that was asked for (docs/containers-image.md section 8).
            Ok(Some(subject)) => self.manifest(&subject, Some(index)).await,
            Ok(None) => {
                let digest = digest.clone();
                self.judged(Finding::unknown(VerifyError::InstanceMissing { digest }))
            }
            Err(finding) => self.judged(finding),
        };
        Instance {
            digest,
            platform: entry.platform.as_ref().map(ToString::to_string),
            verified: is_verified(&judged.finding, &judged.requirements),
            finding: judged.finding,
            requirements: judged.requirements,
        }
    }
}

/// Every entry that some client could take for what is wanted: for a platform those of the same
/// system and architecture, whatever else they say, and those that say nothing.
fn entries<'i>(index: &'i Index, platform: Option<&Platform>) -> Vec<&'i Descriptor> {
    let fits = |entry: &&Descriptor| match (platform, &entry.platform) {
        (None, _) | (_, None) => true,
        (Some(wanted), Some(said)) => {
            said.os == wanted.os && said.architecture == wanted.architecture
        }
    };
    index.manifests.iter().filter(fits).collect()
}

/// Of all images, the first that is unknown; else the first that is denied.
fn combine(instances: &[Instance]) -> Finding {
    let Some(first) = instances.first() else {
        return Finding::deny(VerifyError::EmptyIndex);
    };
    let with = |verdict| {
        let found = instances
            .iter()
            .filter(|one| one.finding.verdict == verdict);
        found.collect::<Vec<_>>()
    };
    let shown = |images: &[&Instance]| {
        let shown = images
            .iter()
            .map(|image| shown(&image.digest, image.platform.as_deref()));
        shown.collect::<Vec<_>>()
    };
    match (
        with(Verdict::Unknown).as_slice(),
        with(Verdict::Deny).as_slice(),
    ) {
        ([], []) => {
            let message = match instances {
                [_] => "the one image that was judged is allowed".into(),
                all => format!("all {} images that were judged are allowed", all.len()),
            };
            first.finding.clone().in_words(message)
        }
        ([], denied @ [worst, ..]) => {
            let message = denied_images(&shown(denied), instances.len(), &worst.finding.message);
            worst.finding.clone().in_words(message)
        }
        (unknown @ [worst, ..], _) => worst.finding.clone().in_words(format!(
            "{} of the {} images in this index could not be judged, and each is judged for itself \
             here: {}; the first: {}",
            unknown.len(),
            instances.len(),
            shown(unknown).join(", "),
            worst.finding.message
        )),
    }
}

fn shown(digest: &str, platform: Option<&str>) -> String {
    match platform {
        Some(platform) => format!("{digest} ({platform})"),
        None => digest.into(),
    }
}

fn denied_images(images: &[String], of: usize, first: &str) -> String {
    format!(
        "{} of the {of} images in this index are not allowed, and each is judged for itself here: \
         {}; the first: {first} Sign each of them (cosign sign -r), or have the policy say \
         \"sealgate\": {{\"version\": 1, \"coverage\": \"index\"}} if the index is what you sign",
        images.len(),
        images.join(", ")
    )
}

/// Why an index is refused of which each image is judged for itself: which images, why the first,
/// and what to do.
pub fn refused_images(refused: &[(&Descriptor, Failure)], of: usize) -> Failure {
    let Some((_, first)) = refused.first() else {
        return Failure::new("internal", "no image was judged");
    };
    let images: Vec<String> = refused
        .iter()
        .map(|(entry, _)| {
            let platform = entry.platform.as_ref().map(ToString::to_string);
            shown(&entry.digest.to_string(), platform.as_deref())
        })
        .collect();
    Failure {
        message: denied_images(&images, of, &first.message),
        ..first.clone()
    }
}
