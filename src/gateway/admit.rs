//! Is this content allowed in this repository, now?

use super::action::Request;
use super::budget::Budget;
use super::config::Gateway;
use super::memory::{Kept, Memory};
use super::refuse;
use crate::crypto::Provider;
use crate::digest::{Algorithm, Digest, sha256};
use crate::encoding::hex;
use crate::error::{Coded, Failure};
use crate::host::{Host, Store};
use crate::limits;
use crate::oci::auth::Credentials;
use crate::oci::registry::{Registry, RegistryError};
use crate::oci::{Descriptor, Document, Index, Manifest};
use crate::policy::Coverage;
use crate::reference::Reference;
use crate::verify::{
    Either, Judged, Origin, Rules, Subject, Verdict, VerifyError, Within, Work, judge_manifest,
    refused_images, says_attestation,
};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// Why content does not go out.
#[derive(Debug)]
pub(super) enum Stop {
    /// Refused by the rules.
    Denied(Failure),
    /// Could not find out.
    Unknown(Failure),
    /// The upstream's own answer.
    Upstream(RegistryError),
    /// The upstream has no such thing.
    Missing,
}

impl Stop {
    /// For the log.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Denied(failure) | Self::Unknown(failure) => failure.code,
            Self::Upstream(error) => error.code(),
            Self::Missing => "image.not-found",
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(failure) | Self::Unknown(failure) => f.write_str(&failure.message),
            Self::Upstream(error) => write!(f, "{error}"),
            Self::Missing => f.write_str("the upstream has no such thing"),
        }
    }
}

impl From<RegistryError> for Stop {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Digest(error) => Self::Denied(error.into()),
            other => Self::Upstream(other),
        }
    }
}

/// What all steps of one request share.
pub(super) struct Desk<'a, R> {
    pub gateway: &'a Gateway,
    pub rules: &'a Rules,
    pub request: &'a Request,
    pub remote: &'a Budget<'a, R>,
    pub registry: Registry<'a, Budget<'a, R>>,
    pub memory: Memory<'a, Budget<'a, R>>,
    /// Signature checks, for everything that is judged for this request.
    pub work: Work<'a, Budget<'a, R>>,
    /// As the client wrote it.
    pub repository: &'a str,
}

/// The registry that is fronted, asked with the client's own credentials.
pub(super) fn upstream<'a, R: Host>(
    gateway: &Gateway,
    request: &Request,
    repository: &str,
    remote: &'a R,
) -> Result<Registry<'a, R>, RegistryError> {
    let authorization = request
        .header("authorization")
        .map(|value| ("authorization".to_string(), value.to_string()));
    let registry = Registry::new(
        remote,
        &gateway.upstream,
        &gateway.upstream_repository(repository),
        Credentials::Forward(authorization.into_iter().collect()),
    )?;
    Ok(registry
        .with_egress(gateway.egress.clone())
        .named(&gateway.name))
}

impl<'a, R: Host + Provider + Store> Desk<'a, R> {
    pub(super) fn new(
        gateway: &'a Gateway,
        rules: &'a Rules,
        request: &'a Request,
        repository: &'a str,
        remote: &'a Budget<'a, R>,
    ) -> Result<Self, RegistryError> {
        let registry = upstream(gateway, request, repository, remote)?;
        let memory = Memory {
            gateway,
            store: remote,
            repository: gateway.upstream_repository(repository),
        };
        Ok(Self {
            gateway,
            rules,
            request,
            remote,
            registry,
            memory,
            work: Work::new(remote),
            repository,
        })
    }

    /// The bytes with this digest: kept ones, or fetched, hashed and asked for once more if they
    /// are not what was asked for.
    pub(super) async fn subject(&self, digest: &Digest) -> Result<Subject, Stop> {
        let kept = match self.memory.content(digest) {
            None => self.memory.recall_content(digest).await,
            kept => kept,
        };
        if let Some(bytes) = kept {
            // What kind of document it is was derived from the bytes alone, or they would not have
            // been kept.
            return Subject::read(bytes, None, Some(digest)).map_err(Stop::Denied);
        }
        self.fetched(digest).await
    }

    /// The same from the upstream.
    pub(super) async fn fetched(&self, digest: &Digest) -> Result<Subject, Stop> {
        let mut fetched = self
            .registry
            .manifest(&digest.to_string())
            .await?
            .ok_or(Stop::Missing)?;
        if digest.check(&fetched.bytes).is_err() {
            fetched = self
                .registry
                .manifest(&digest.to_string())
                .await?
                .ok_or(Stop::Missing)?;
            digest
                .check(&fetched.bytes)
                .map_err(|error| Stop::Denied(error.into()))?;
        }
        Subject::read(fetched.bytes, fetched.content_type.as_deref(), Some(digest))
            .map_err(Stop::Denied)
    }

    /// Judged under this very reference and no other; remembered under everything that it depends
    /// on.
    pub(super) async fn judge_as(&self, subject: &Subject, name: &Reference) -> Result<Kept, Stop> {
        match &subject.document {
            Document::Index(index) if self.coverage() == Coverage::Instance => {
                self.judge_list(subject, index, name).await
            }
            _ => self.judge_one(subject, None, name).await,
        }
    }

    /// One document; `within` is the index as an image of which it is judged.
    async fn judge_one(
        &self,
        subject: &Subject,
        within: Option<&Subject>,
        name: &Reference,
    ) -> Result<Kept, Stop> {
        let key = self.memory.verdict_key(
            &name.to_string(),
            within.map(|index| &index.digest),
            &subject.digest,
        );
        if let Some(kept) = self.memory.verdict(&key, self.request.time).await {
            return allowed(kept);
        }
        // One verification in flight per key; who waited finds what the other found.
        self.remote.lock(&key).await;
        if let Some(kept) = self.memory.verdict(&key, self.request.time).await {
            return allowed(kept);
        }
        for origin in self.memory.satisfied(&subject.digest).chunks_exact(2) {
            if let [manifest, blob] = origin {
                self.work.prefer(
                    &subject.digest,
                    Origin {
                        manifest: manifest.clone(),
                        blob: blob.clone(),
                    },
                );
            }
        }
        let archive = Either::Registry(&self.registry);
        let judged = judge_manifest(
            self.rules,
            subject,
            within.map(|index| Within {
                digest: &index.digest,
            }),
            name,
            self.request.time,
            &archive,
            &self.work,
        )
        .await;
        if judged.verdict == Verdict::Allow {
            let good: Vec<Digest> = self
                .work
                .satisfied(&subject.digest)
                .into_iter()
                .flat_map(|origin| [origin.manifest, origin.blob])
                .collect();
            self.memory
                .remember_satisfied(&subject.digest, &good, self.request.time)
                .await;
        }
        self.keep(&key, &judged).await
    }

    async fn keep(&self, key: &str, judged: &Judged) -> Result<Kept, Stop> {
        let kept = Kept {
            allow: judged.verdict == Verdict::Allow,
            code: judged.code.into(),
            message: judged.message.clone(),
            until: judged.expires(),
        };
        if judged.verdict == Verdict::Unknown {
            return Err(Stop::Unknown(Failure::new(
                judged.code,
                judged.message.clone(),
            )));
        }
        self.memory
            .keep_verdict(key, &kept, self.request.time)
            .await;
        allowed(kept)
    }

    /// An index that is a list goes out when every image of it that a client could run is allowed
    /// under the reference that was asked for (docs/trust.md section 8): containerd asks for an
    /// image of it only when it does not hold it already. What was found about each is kept, so
    /// that the next try goes on from there.
    async fn judge_list(
        &self,
        subject: &Subject,
        index: &Index,
        name: &Reference,
    ) -> Result<Kept, Stop> {
        let key = self
            .memory
            .verdict_key(&name.to_string(), None, &subject.digest);
        if let Some(kept) = self.memory.verdict(&key, self.request.time).await {
            return allowed(kept);
        }
        let listed = &index.manifests;
        if listed.len() > limits::INSTANCES {
            return Err(Stop::Denied(
                VerifyError::Instances {
                    found: listed.len(),
                }
                .into(),
            ));
        }
        self.remote
            .allow_images(listed.len(), self.gateway.requests);
        self.work.allow_images(listed.len());
        let (mut refused, mut runnable, mut until) = (Vec::new(), 0_usize, None);
        for entry in listed {
            // What was found about it before is not fetched again.
            let known =
                self.memory
                    .verdict_key(&name.to_string(), Some(&subject.digest), &entry.digest);
            if let Some(kept) = self
                .memory
                .verdict(&known, self.request.time)
                .await
                .filter(|kept| kept.allow)
            {
                runnable = runnable.saturating_add(1);
                until = until.into_iter().chain(kept.until).min();
                continue;
            }
            let child = match self.subject(&entry.digest).await {
                Err(Stop::Missing) => {
                    return Err(Stop::Unknown(
                        VerifyError::InstanceMissing {
                            digest: entry.digest.to_string(),
                        }
                        .into(),
                    ));
                }
                child => child?,
            };
            if says_attestation(entry) && self.is_unsigned_attestation(&child).await? {
                continue;
            }
            runnable = runnable.saturating_add(1);
            match self.judge_listed(&child, subject, name).await {
                Ok(kept) => until = until.into_iter().chain(kept.until).min(),
                Err(Stop::Denied(failure)) => refused.push((entry, failure)),
                Err(stop) => return Err(stop),
            }
        }
        let failure = match refused.first() {
            None if runnable == 0 => Some(Failure::new(
                "index.empty",
                "the index lists no image that could be run: there is nothing that could be \
                 allowed",
            )),
            None => None,
            Some(_) => Some(refused_images(&refused, runnable)),
        };
        let (code, message) = match &failure {
            None => (
                "signature.accepted",
                alloc::format!("all {runnable} images of this index are allowed"),
            ),
            Some(failure) => (failure.code, failure.message.clone()),
        };
        let kept = Kept {
            allow: failure.is_none(),
            code: code.into(),
            message,
            until,
        };
        self.memory
            .keep_verdict(&key, &kept, self.request.time)
            .await;
        allowed(kept)
    }

    async fn judge_listed(
        &self,
        child: &Subject,
        index: &Subject,
        name: &Reference,
    ) -> Result<Kept, Stop> {
        if matches!(child.document, Document::Index(_)) {
            return Err(Stop::Denied(
                VerifyError::NestedIndex {
                    digest: child.digest.to_string(),
                }
                .into(),
            ));
        }
        self.judge_one(child, Some(index), name).await
    }

    pub(super) fn name(&self, reference: &str) -> Result<Reference, Stop> {
        self.gateway
            .judged_name(self.repository, reference)
            .map_err(|error| Stop::Denied(error.into()))
    }

    /// Allowed as `name@digest`, or as a tag under which it was resolved here for this same digest,
    /// or as an image of an index that is allowed now (docs/gateway.md "Serving"). The first
    /// refusal is the one that is told.
    pub(super) async fn admit(&self, subject: &Subject, asked: &Digest) -> Result<Kept, Stop> {
        match self.admit_by_hints(subject, asked).await {
            Err(Stop::Denied(failure)) if self.memory.recall(self.request.time).await => self
                .admit_by_hints(subject, asked)
                .await
                .map_err(|stop| match stop {
                    Stop::Denied(_) => Stop::Denied(failure),
                    other => other,
                }),
            answer => answer,
        }
    }

    async fn admit_by_hints(&self, subject: &Subject, asked: &Digest) -> Result<Kept, Stop> {
        let by_digest = self.name(&asked.to_string())?;
        // What is remembered costs the registry nothing.
        let now = self.request.time;
        let fresh = self
            .memory
            .tags(&subject.digest)
            .into_iter()
            .filter(|one| one.is_fresh(now))
            .filter_map(|one| self.name(&one.tag).ok());
        for name in core::iter::once(by_digest.clone()).chain(fresh) {
            let key = self
                .memory
                .verdict_key(&name.to_string(), None, &subject.digest);
            if let Some(kept) = self
                .memory
                .verdict(&key, now)
                .await
                .filter(|kept| kept.allow)
            {
                return Ok(kept);
            }
        }
        let first = match self.judge_as(subject, &by_digest).await {
            Ok(kept) => return Ok(kept),
            Err(stop) => stop,
        };
        let mut unknown = None;
        for name in self.names_by_tag(&subject.digest).await {
            match self.judge_as(subject, &name).await {
                Ok(kept) => return Ok(kept),
                Err(stop) => unknown = unknown.or(could_not(stop)),
            }
        }
        for parent in self.memory.parents(asked) {
            match self.covered_by(subject, &parent).await {
                Ok(kept) => return Ok(kept),
                Err(stop) => unknown = unknown.or(could_not(stop)),
            }
        }
        Err(unknown.unwrap_or(first))
    }

    /// The names with a tag that means this digest now: it was resolved here a short time ago, or
    /// its HEAD, asked now, says so. What an older hint says may have been true once: a tag moves
    /// on.
    pub(super) async fn names_by_tag(&self, digest: &Digest) -> Vec<Reference> {
        let mut names = Vec::new();
        for one in self.memory.tags(digest) {
            let Ok(name) = self.name(&one.tag) else {
                continue;
            };
            if one.is_fresh(self.request.time) || self.still_means(&one.tag, digest).await {
                names.push(name);
            }
        }
        names
    }

    async fn still_means(&self, tag: &str, digest: &Digest) -> bool {
        let Ok(Some(head)) = self.registry.head(tag).await else {
            return false;
        };
        let means = head
            .digest
            .and_then(|text| Digest::parse(&text).ok())
            .is_some_and(|told| told == *digest);
        if means {
            self.memory
                .remember_tag(digest, tag, self.request.time)
                .await;
        }
        means
    }

    /// The hint is only where to look: the index is fetched, hashed, must list the image, and must
    /// be allowed now.
    async fn covered_by(&self, subject: &Subject, parent: &Digest) -> Result<Kept, Stop> {
        let index = self.subject(parent).await?;
        let Document::Index(listed) = &index.document else {
            return Err(not_linked());
        };
        if !lists(listed, &subject.bytes) {
            return Err(not_linked());
        }
        let mut names = alloc::vec![self.name(&parent.to_string())?];
        names.extend(self.names_by_tag(&index.digest).await);
        let mut last = not_linked();
        for name in names {
            // An index that covers its images is judged itself; one that is a list lends them the
            // reference by which it was asked for (docs/trust.md section 8).
            let judged = match self.coverage() {
                Coverage::Index => self.judge_as(&index, &name).await,
                Coverage::Instance => self.judge_listed(subject, &index, &name).await,
            };
            match judged {
                Ok(kept) => return Ok(kept),
                Err(stop) => last = stop,
            }
        }
        Err(last)
    }

    /// Whether the policy has this image under audit, as this reference or by a tag under which it
    /// was resolved (docs/gateway.md "Serving": audit never breaks a pull). What was decided is
    /// remembered as it is, so that nothing changes but what goes out.
    pub(super) async fn audits(&self, reference: &str) -> bool {
        let audited = |name: &Reference| self.rules.audited(name).is_some();
        if self.name(reference).is_ok_and(|name| audited(&name)) {
            return true;
        }
        match Digest::parse(reference) {
            Ok(digest) => self.names_by_tag(&digest).await.iter().any(audited),
            Err(_) => false,
        }
    }

    fn coverage(&self) -> Coverage {
        self.rules.coverage()
    }

    /// Facts about content that was served: what leads from its parts back to it.
    pub(super) async fn remember(&self, subject: &Subject, tag: Option<&str>) {
        match &subject.document {
            Document::Index(index) => {
                self.memory
                    .remember(
                        &subject.digest,
                        index.manifests.iter().map(|entry| &entry.digest),
                        tag,
                        self.request.time,
                    )
                    .await
            }
            Document::Manifest(manifest) => {
                self.memory
                    .remember(&subject.digest, blobs(manifest), tag, self.request.time)
                    .await
            }
        }
    }

    /// An id for people who compare an answer with the log.
    pub(super) fn decision_id(&self, reference: &str) -> String {
        let text = format!(
            "{}\n{}\n{reference}\n{}",
            self.gateway.basis, self.repository, self.request.time.0
        );
        hex::encode(&sha256(text.as_bytes()))
            .chars()
            .take(12)
            .collect()
    }

    /// The answer to a client.
    pub(super) fn stop(&self, reference: &str, stop: &Stop) -> super::action::Action {
        let id = self.decision_id(reference);
        let action = match stop {
            Stop::Denied(failure) => refuse::denied(
                self.gateway,
                self.request,
                self.repository,
                reference,
                failure,
                &id,
            ),
            Stop::Unknown(failure) => {
                refuse::unknown(self.gateway, self.repository, reference, failure, &id)
            }
            Stop::Upstream(error) => {
                refuse::upstream(self.gateway, self.repository, reference, error)
            }
            Stop::Missing => {
                refuse::not_found("MANIFEST_UNKNOWN", self.gateway, self.repository, reference)
            }
        };
        refuse::with_troubles(action, &self.registry.take_troubles())
    }
}

/// Whether it lists these bytes, which are hashed once an algorithm however long the list is.
fn lists(index: &Index, bytes: &[u8]) -> bool {
    let own = [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512]
        .map(|algorithm| Digest::with(algorithm, bytes));
    index
        .manifests
        .iter()
        .any(|entry| own.contains(&entry.digest))
}

/// Config and layers.
pub(super) fn blobs(manifest: &Manifest) -> impl Iterator<Item = &Digest> {
    core::iter::once(&manifest.config)
        .chain(&manifest.layers)
        .map(|descriptor| &descriptor.digest)
}

fn allowed(kept: Kept) -> Result<Kept, Stop> {
    if kept.allow {
        Ok(kept)
    } else {
        Err(Stop::Denied(Failure {
            code: interned(&kept.code),
            message: kept.message,
        }))
    }
}

/// A kept code as one of the codes that this build can give.
fn interned(code: &str) -> &'static str {
    crate::verify::codes()
        .find(|known| *known == code)
        .unwrap_or("policy.denied")
}

/// The descriptors that are looked at for addresses of their own.
pub(super) fn descriptors(document: &Document) -> Vec<&Descriptor> {
    match document {
        Document::Manifest(manifest) => core::iter::once(&manifest.config)
            .chain(&manifest.layers)
            .collect(),
        Document::Index(index) => index.manifests.iter().collect(),
    }
}

pub(super) fn could_not(stop: Stop) -> Option<Stop> {
    if matches!(stop, Stop::Unknown(_) | Stop::Upstream(_)) {
        Some(stop)
    } else {
        None
    }
}

/// Nothing that is allowed leads here.
pub(super) fn not_linked() -> Stop {
    Stop::Denied(Failure::new(
        "gateway.not-linked",
        "no allowed image of this repository lists it: pull the manifest again",
    ))
}
