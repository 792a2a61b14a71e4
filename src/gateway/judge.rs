//! Is this content allowed under this reference, now?

use super::budget::Budget;
use super::context::Context;
use super::memory::Ruling;
use super::stop::Stop;
use crate::crypto::Provider;
use crate::digest::Digest;
use crate::error::Failure;
use crate::host::{Host, Store};
use crate::limits;
use crate::oci::{Descriptor, Document, Index};
use crate::policy::Coverage;
use crate::reference::Reference;
use crate::time::UnixTime;
use crate::verify;
use crate::verify::{
    Either, Judged, Origin, Reason, Rules, Subject, Verdict, VerifyError, Work, refused_images,
    says_attestation,
};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// The rules, applied to the content of one request.
pub(super) struct Judge<'a, R> {
    pub context: &'a Context<'a, R>,
    pub rules: &'a Rules,
    /// Signature checks, for everything that is judged for this request.
    work: Work<'a, Budget<'a, R>>,
}

impl<'a, R: Host + Provider + Store> Judge<'a, R> {
    pub(super) fn new(context: &'a Context<'a, R>, rules: &'a Rules) -> Self {
        Self {
            context,
            rules,
            work: Work::new(context.remote),
        }
    }

    /// A ruling that is remembered and still holds.
    pub(super) async fn ruling_on(
        &self,
        name: &Reference,
        within: Option<&Digest>,
        digest: &Digest,
    ) -> Option<Ruling> {
        let memory = &self.context.memory;
        let key = memory.ruling_key(&name.to_string(), within, digest);
        memory.ruling(&key, self.context.now()).await
    }

    /// Judged under this very reference and no other; remembered under everything that it depends
    /// on.
    pub(super) async fn judge_as(
        &self,
        subject: &Subject,
        name: &Reference,
    ) -> Result<Ruling, Stop> {
        match &subject.document {
            Document::Index(index) if self.rules.coverage() == Coverage::Instance => {
                self.judge_list(subject, index, name).await
            }
            _ => self.judge_one(subject, None, name).await,
        }
    }

    /// An image of an index that is a list, under the reference of that index.
    pub(super) async fn judge_listed(
        &self,
        child: &Subject,
        index: &Subject,
        name: &Reference,
    ) -> Result<Ruling, Stop> {
        if matches!(child.document, Document::Index(_)) {
            return Err(Stop::denied(VerifyError::NestedIndex {
                digest: child.digest.to_string(),
            }));
        }
        self.judge_one(child, Some(index), name).await
    }

    /// One document; `within` is the index as an image of which it is judged.
    async fn judge_one(
        &self,
        subject: &Subject,
        within: Option<&Subject>,
        name: &Reference,
    ) -> Result<Ruling, Stop> {
        let within = within.map(|index| &index.digest);
        let (memory, now) = (&self.context.memory, self.context.now());
        let key = memory.ruling_key(&name.to_string(), within, &subject.digest);
        if let Some(ruling) = memory.ruling(&key, now).await {
            return ruling.allowed();
        }
        // One verification in flight per key; a request that waited finds the ruling.
        self.context.remote.lock(&memory.stored(&key)).await;
        if let Some(ruling) = memory.ruling(&key, now).await {
            return ruling.allowed();
        }
        self.prefer_what_satisfied(&subject.digest);
        let judge = verify::Judge {
            rules: self.rules,
            name,
            now,
            archive: &Either::Registry(&self.context.registry),
            work: &self.work,
        };
        let ruling = ruling(judge.manifest(subject, within).await)?;
        if ruling.allow && !self.context.settings.beside {
            self.remember_what_satisfied(&subject.digest).await;
        }
        memory.keep_ruling(&key, &ruling, now).await;
        ruling.allowed()
    }

    fn prefer_what_satisfied(&self, image: &Digest) {
        for origin in self.context.hints.satisfied(image).chunks_exact(2) {
            if let [manifest, blob] = origin {
                let origin = Origin {
                    manifest: manifest.clone(),
                    blob: blob.clone(),
                };
                self.work.prefer(image, origin);
            }
        }
    }

    async fn remember_what_satisfied(&self, image: &Digest) {
        let satisfied = self.work.satisfied(image).into_iter();
        let digests: Vec<Digest> = satisfied
            .flat_map(|origin| [origin.manifest, origin.blob])
            .collect();
        let hints = &self.context.hints;
        hints.remember_satisfied(image, &digests).await;
    }

    /// An index that is a list goes out when every image of it that a client could run is allowed
    /// under the reference that was asked for (docs/trust.md section 8): containerd asks for an
    /// image of it only when it does not hold it already. The ruling on each is kept, so that the
    /// next try goes on from there.
    async fn judge_list(
        &self,
        subject: &Subject,
        index: &Index,
        name: &Reference,
    ) -> Result<Ruling, Stop> {
        let (memory, now) = (&self.context.memory, self.context.now());
        let key = memory.ruling_key(&name.to_string(), None, &subject.digest);
        if let Some(ruling) = memory.ruling(&key, now).await {
            return ruling.allowed();
        }
        let found = index.manifests.len();
        if found > limits::INSTANCES {
            return Err(Stop::denied(VerifyError::Instances {
                found,
                limit: limits::INSTANCES,
            }));
        }
        self.context
            .remote
            .allow_images(found, self.context.settings.requests);
        self.work.allow_images(found);
        let mut tally = Tally::default();
        for entry in &index.manifests {
            self.judge_entry(entry, subject, name, &mut tally).await?;
        }
        let ruling = tally.ruling();
        memory.keep_ruling(&key, &ruling, now).await;
        ruling.allowed()
    }

    async fn judge_entry<'i>(
        &self,
        entry: &'i Descriptor,
        index: &Subject,
        name: &Reference,
        tally: &mut Tally<'i>,
    ) -> Result<(), Stop> {
        // An image with a ruling is not fetched again.
        let known = self
            .ruling_on(name, Some(&index.digest), &entry.digest)
            .await;
        if let Some(ruling) = known.filter(|ruling| ruling.allow) {
            tally.allowed(&ruling);
            return Ok(());
        }
        let child = match self.context.subject(&entry.digest).await {
            Err(Stop::Missing) => {
                let digest = entry.digest.to_string();
                let missing = VerifyError::InstanceMissing { digest };
                return Err(Stop::Unknown(missing.into()));
            }
            child => child?,
        };
        if says_attestation(entry) && self.context.is_unsigned_attestation(&child).await? {
            return Ok(());
        }
        match self.judge_listed(&child, index, name).await {
            Ok(ruling) => tally.allowed(&ruling),
            Err(Stop::Denied(failure)) => tally.refused(entry, failure),
            Err(stop) => return Err(stop),
        }
        Ok(())
    }
}

/// What was found about the images of an index that could be run.
#[derive(Default)]
struct Tally<'i> {
    refused: Vec<(&'i Descriptor, Failure)>,
    runnable: usize,
    /// When the first of the rulings that allow ends.
    until: Option<UnixTime>,
    signers: Vec<String>,
}

impl<'i> Tally<'i> {
    fn allowed(&mut self, ruling: &Ruling) {
        self.runnable = self.runnable.saturating_add(1);
        self.until = self.until.into_iter().chain(ruling.until).min();
        for signer in &ruling.signers {
            if !self.signers.contains(signer) && self.signers.len() < limits::LOGGED_SIGNERS {
                self.signers.push(signer.clone());
            }
        }
    }

    fn refused(&mut self, entry: &'i Descriptor, failure: Failure) {
        self.runnable = self.runnable.saturating_add(1);
        self.refused.push((entry, failure));
    }

    fn ruling(self) -> Ruling {
        let failure = match self.refused.as_slice() {
            [] if self.runnable == 0 => Some(VerifyError::EmptyIndex.into()),
            [] => None,
            refused => Some(refused_images(refused, self.runnable)),
        };
        let allow = failure.is_none();
        let all_allowed = || {
            let message = format!("all {} images of this index are allowed", self.runnable);
            Reason::Signature { message }.into()
        };
        Ruling {
            allow,
            reason: failure.unwrap_or_else(all_allowed),
            signers: self.signers,
            until: self.until,
        }
    }
}

/// What was judged, as a ruling; it is none while the question is open.
fn ruling(judged: Judged) -> Result<Ruling, Stop> {
    let until = judged.expires();
    let signers = judged.signers();
    let allow = match judged.finding.verdict {
        Verdict::Unknown => return Err(Stop::Unknown(judged.finding.into_reason())),
        Verdict::Deny => false,
        Verdict::Allow => true,
    };
    Ok(Ruling {
        allow,
        reason: judged.finding.into_reason(),
        signers,
        until,
    })
}
