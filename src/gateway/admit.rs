//! Is this content allowed in this repository, now?

use super::action::Request;
use super::config::Gateway;
use super::memory::{Hint, Kept, Memory};
use super::refuse;
use crate::crypto::Provider;
use crate::digest::{sha256, Algorithm, Digest};
use crate::encoding::hex;
use crate::error::{Coded, Failure};
use crate::host::{Host, Store};
use crate::limits;
use crate::oci::auth::Credentials;
use crate::oci::registry::{Registry, RegistryError};
use crate::oci::{Document, Index, Manifest};
use crate::policy::Coverage;
use crate::reference::Reference;
use crate::verify::{is_evidence_document, is_evidence_type, judge_manifest, Either, Rules, Subject, Verdict, Work};
use alloc::collections::BTreeMap;
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
    pub remote: &'a R,
    pub registry: Registry<'a, R>,
    pub memory: Memory<'a, R>,
    /// As the client wrote it.
    pub repository: &'a str,
}

/// The registry that is fronted, asked with the client's own credentials.
pub(super) fn upstream<'a, R: Host>(gateway: &Gateway, request: &Request, repository: &str, remote: &'a R) -> Result<Registry<'a, R>, RegistryError> {
    let authorization = request.header("authorization").map(|value| ("authorization".to_string(), value.to_string()));
    Registry::new(remote, &gateway.upstream, &gateway.upstream_repository(repository), Credentials::Forward(authorization.into_iter().collect()))
}

impl<'a, R: Host + Provider + Store> Desk<'a, R> {
    pub(super) fn new(gateway: &'a Gateway, rules: &'a Rules, request: &'a Request, repository: &'a str, remote: &'a R) -> Result<Self, RegistryError> {
        let registry = upstream(gateway, request, repository, remote)?;
        let memory = Memory { gateway, store: remote, repository: gateway.upstream_repository(repository) };
        Ok(Self { gateway, rules, request, remote, registry, memory, repository })
    }

    /// The bytes with this digest: kept ones, or fetched, hashed and asked for once more if they are not what was asked
    /// for. `authorised`: this request's own credentials were already accepted by the upstream for this content.
    pub(super) async fn subject(&self, digest: &Digest, authorised: bool) -> Result<Subject, Stop> {
        if authorised
            && let Some((bytes, content_type)) = self.memory.content(digest).await {
                return Subject::read(bytes, content_type.as_deref(), Some(digest)).map_err(Stop::Denied);
            }
        let mut fetched = self.registry.manifest(&digest.to_string()).await?.ok_or(Stop::Missing)?;
        if digest.check(&fetched.bytes).is_err() {
            fetched = self.registry.manifest(&digest.to_string()).await?.ok_or(Stop::Missing)?;
            digest.check(&fetched.bytes).map_err(|error| Stop::Denied(error.into()))?;
        }
        self.memory.keep_content(digest, &fetched.bytes, fetched.content_type.as_deref()).await;
        Subject::read(fetched.bytes, fetched.content_type.as_deref(), Some(digest)).map_err(Stop::Denied)
    }

    /// Judged under this very reference and no other; remembered under everything that it depends on.
    pub(super) async fn judge_as(&self, subject: &Subject, name: &Reference) -> Result<Kept, Stop> {
        let key = self.memory.verdict_key(&name.to_string(), &subject.digest);
        if let Some(kept) = self.memory.verdict(&key, self.request.time).await {
            return allowed(kept);
        }
        // One verification in flight per key; who waited finds what the other found.
        self.remote.lock(&key).await;
        if let Some(kept) = self.memory.verdict(&key, self.request.time).await {
            return allowed(kept);
        }
        let judged = judge_manifest(self.rules, subject, name, self.request.time, &Either::Registry(&self.registry), &Work::new(self.remote)).await;
        let kept = Kept { allow: judged.verdict == Verdict::Allow, code: judged.code.into(), message: judged.message.clone() };
        match judged.verdict {
            Verdict::Unknown => Err(Stop::Unknown(Failure::new(judged.code, judged.message))),
            _ => {
                self.memory.keep_verdict(&key, &kept, self.request.time, judged.expires()).await;
                allowed(kept)
            }
        }
    }

    fn name(&self, reference: &str) -> Result<Reference, Stop> {
        self.gateway.judged_name(self.repository, reference).map_err(|error| Stop::Denied(error.into()))
    }

    /// Allowed as `name@digest`, or as a tag under which it was resolved here for this same digest, or as an image of an
    /// index that is allowed now (GATEWAY, "Serving"). The first refusal is the one that is told.
    pub(super) async fn admit(&self, subject: &Subject, asked: &Digest) -> Result<Kept, Stop> {
        let by_digest = self.name(&asked.to_string())?;
        let tags = self.memory.hints(Hint::Tag, &subject.digest).await;
        let by_tag = tags.iter().map(|tag| self.name(tag)).collect::<Result<Vec<_>, _>>()?;
        // What is remembered costs the registry nothing.
        for name in core::iter::once(&by_digest).chain(&by_tag) {
            let key = self.memory.verdict_key(&name.to_string(), &subject.digest);
            if let Some(kept) = self.memory.verdict(&key, self.request.time).await.filter(|kept| kept.allow) {
                return Ok(kept);
            }
        }
        let first = match self.judge_as(subject, &by_digest).await {
            Ok(kept) => return Ok(kept),
            Err(stop) => stop,
        };
        let mut unknown = None;
        for name in &by_tag {
            match self.judge_as(subject, name).await {
                Ok(kept) => return Ok(kept),
                Err(stop) => unknown = unknown.or(could_not(stop)),
            }
        }
        for parent in self.memory.hints(Hint::Child, asked).await {
            match self.covered_by(subject, &parent).await {
                Ok(kept) => return Ok(kept),
                Err(stop) => unknown = unknown.or(could_not(stop)),
            }
        }
        Err(unknown.unwrap_or(first))
    }

    /// The hint is only where to look: the index is fetched, hashed, must list the image, and must be allowed now.
    async fn covered_by(&self, subject: &Subject, parent: &str) -> Result<Kept, Stop> {
        let digest = Digest::parse(parent).map_err(|error| Stop::Denied(error.into()))?;
        let index = self.subject(&digest, true).await?;
        let Document::Index(listed) = &index.document else { return Err(not_linked()) };
        if !lists(listed, &subject.bytes) {
            return Err(not_linked());
        }
        let mut names = alloc::vec![self.name(parent)?];
        for tag in self.memory.hints(Hint::Tag, &index.digest).await {
            names.push(self.name(&tag)?);
        }
        let mut last = not_linked();
        for name in names {
            // An index that covers its images is judged itself; one that is a list lends them the reference by which it
            // was asked for (TRUST section 8).
            let judged = match self.coverage() {
                Coverage::Index => self.judge_as(&index, &name).await,
                Coverage::Instance => self.judge_as(subject, &name).await,
            };
            match judged {
                Ok(kept) => return Ok(kept),
                Err(stop) => last = stop,
            }
        }
        Err(last)
    }

    /// Whether the policy has this image under audit (GATEWAY, "Serving": audit never breaks a pull). What was decided is
    /// remembered as it is, so that nothing changes but what goes out.
    pub(super) fn audits(&self, reference: &str) -> bool {
        self.name(reference).is_ok_and(|name| self.rules.audited(&name).is_some())
    }

    fn coverage(&self) -> Coverage {
        self.rules.coverage()
    }

    /// Facts about content that was served: what leads from its parts back to it.
    pub(super) async fn remember(&self, subject: &Subject, tag: Option<&str>) {
        if let Some(tag) = tag {
            self.memory.add_hint(Hint::Tag, &subject.digest, tag).await;
        }
        let own = subject.digest.to_string();
        match &subject.document {
            Document::Index(index) => {
                for entry in &index.manifests {
                    self.memory.add_hint(Hint::Child, &entry.digest, &own).await;
                }
            }
            Document::Manifest(manifest) => {
                for blob in blobs(manifest) {
                    self.memory.add_hint(Hint::Blob, blob, &own).await;
                }
            }
        }
    }

    /// Evidence is recognised by its bytes: each layer is fetched, hashed and parsed as what its type says, the config is
    /// small JSON. `None`: it is an image like any other. The layers' checked bytes are returned.
    pub(super) async fn evidence(&self, manifest: &Manifest) -> Result<Option<BTreeMap<String, Vec<u8>>>, Stop> {
        let mut left = limits::EVIDENCE_TOTAL;
        self.evidence_within(manifest, &mut left).await
    }

    /// `left`: bytes that may still be fetched.
    async fn evidence_within(&self, manifest: &Manifest, left: &mut usize) -> Result<Option<BTreeMap<String, Vec<u8>>>, Stop> {
        if manifest.layers.is_empty() || manifest.layers.len() > limits::EVIDENCE_EXAMINED || !manifest.layers.iter().all(|layer| is_evidence_type(&layer.media_type)) {
            return Ok(None);
        }
        let mut checked = BTreeMap::new();
        let config = self.registry.blob(&manifest.config.digest, limits::CONFIG).await;
        match config {
            Ok(Some(bytes)) if crate::encoding::json::parse(&bytes, crate::encoding::json::Dialect::Strict).is_ok() => {
                checked.insert(manifest.config.digest.to_string(), bytes);
            }
            Ok(_) => return Ok(None),
            Err(error) if error.code() == "host.too-large" => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        for layer in &manifest.layers {
            let bytes = match self.registry.blob(&layer.digest, limits::EVIDENCE).await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return Ok(None),
                Err(error) if error.code() == "host.too-large" => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let Some(rest) = left.checked_sub(bytes.len()) else { return Ok(None) };
            *left = rest;
            if !is_evidence_document(&layer.media_type, &bytes) {
                return Ok(None);
            }
            checked.insert(layer.digest.to_string(), bytes);
        }
        Ok(Some(checked))
    }

    /// A list all of whose entries are evidence.
    pub(super) async fn is_evidence_list(&self, subject: &Subject) -> Result<bool, Stop> {
        let Document::Index(index) = &subject.document else { return Ok(false) };
        let may_be = |kind: Option<&str>| kind.is_none_or(|kind| is_evidence_type(kind) || kind.starts_with("application/vnd.oci.empty") || kind.starts_with("application/vnd.dev.cosign."));
        if index.manifests.is_empty() || index.manifests.len() > limits::EVIDENCE_EXAMINED || !index.manifests.iter().all(|entry| may_be(entry.artifact_type.as_deref())) {
            return Ok(false);
        }
        let mut left = limits::EVIDENCE_TOTAL;
        for entry in &index.manifests {
            let child = match self.subject(&entry.digest, true).await {
                Ok(child) => child,
                Err(Stop::Denied(_) | Stop::Missing) => return Ok(false),
                Err(stop) => return Err(stop),
            };
            let Document::Manifest(manifest) = &child.document else { return Ok(false) };
            if self.evidence_within(manifest, &mut left).await?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// An id for people who compare an answer with the log.
    pub(super) fn decision_id(&self, reference: &str) -> String {
        let text = format!("{}\n{}\n{reference}\n{}", self.gateway.basis, self.repository, self.request.time.0);
        hex::encode(&sha256(text.as_bytes())).chars().take(12).collect()
    }

    /// The answer to a client.
    pub(super) fn stop(&self, reference: &str, stop: &Stop) -> super::action::Action {
        let id = self.decision_id(reference);
        match stop {
            Stop::Denied(failure) => refuse::denied(self.gateway, self.request, self.repository, reference, failure, &id),
            Stop::Unknown(failure) => refuse::unknown(self.gateway, self.repository, reference, failure, &id),
            Stop::Upstream(error) => refuse::upstream(self.gateway, self.repository, reference, error),
            Stop::Missing => refuse::not_found("MANIFEST_UNKNOWN", self.gateway, self.repository, reference),
        }
    }
}

/// Whether it lists these bytes, which are hashed once an algorithm however long the list is.
fn lists(index: &Index, bytes: &[u8]) -> bool {
    let own = [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512].map(|algorithm| Digest::with(algorithm, bytes));
    index.manifests.iter().any(|entry| own.contains(&entry.digest))
}

/// Config and layers.
pub(super) fn blobs(manifest: &Manifest) -> impl Iterator<Item = &Digest> {
    core::iter::once(&manifest.config).chain(&manifest.layers).map(|descriptor| &descriptor.digest)
}

fn allowed(kept: Kept) -> Result<Kept, Stop> {
    if kept.allow { Ok(kept) } else { Err(Stop::Denied(Failure { code: interned(&kept.code), message: kept.message })) }
}

/// A kept code as one of the codes that this build can give.
fn interned(code: &str) -> &'static str {
    crate::verify::codes().find(|known| *known == code).unwrap_or("policy.denied")
}

pub(super) fn could_not(stop: Stop) -> Option<Stop> {
    if matches!(stop, Stop::Unknown(_) | Stop::Upstream(_)) { Some(stop) } else { None }
}

/// Nothing that is allowed leads here.
pub(super) fn not_linked() -> Stop {
    Stop::Denied(Failure::new("gateway.not-linked", "no allowed image of this repository lists it: pull the manifest again"))
}
