//! Where manifests and evidence come from: a registry, a document that holds a registry's answers, or a registry whose
//! answers are kept on the way. None is trusted.

use super::evidence::EvidenceDocument;
use crate::digest::Digest;
use crate::encoding::json::{self, Dialect, Node};
use crate::error::HostError;
use crate::host::Host;
use crate::limits;
use crate::oci::registry::{Fetched, Registry, RegistryError};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

/// One entry of a list of referrers: its digest, and the artifact type that the list gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// The digest of its manifest.
    pub digest: Digest,
    /// By the list's word.
    pub artifact_type: Option<String>,
}

/// A list of referrers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The entries.
    pub entries: Vec<Referrer>,
    /// Why there may be more.
    pub incomplete: Option<RegistryError>,
}

/// Answers about one repository. `None` is "there is none", never "could not find out".
pub trait Archive {
    /// A manifest by tag or digest. Its bytes are not checked here.
    fn manifest(&self, reference: &str) -> impl Future<Output = Result<Option<Fetched>, RegistryError>>;
    /// A blob, whose digest was checked.
    fn blob(&self, digest: &Digest, max_bytes: usize) -> impl Future<Output = Result<Option<Vec<u8>>, RegistryError>>;
    /// What refers to a manifest.
    fn referrers(&self, digest: &Digest) -> impl Future<Output = Result<Listed, RegistryError>>;
}

impl<H: Host> Archive for Registry<'_, H> {
    async fn manifest(&self, reference: &str) -> Result<Option<Fetched>, RegistryError> {
        Registry::manifest(self, reference).await
    }

    async fn blob(&self, digest: &Digest, max_bytes: usize) -> Result<Option<Vec<u8>>, RegistryError> {
        Registry::blob(self, digest, max_bytes).await
    }

    async fn referrers(&self, digest: &Digest) -> Result<Listed, RegistryError> {
        let listed = Registry::referrers(self, digest).await?;
        Ok(Listed { entries: entries(&listed.bytes), incomplete: listed.incomplete })
    }
}

/// What a list names. It is no document that anyone runs, so it is not read as strictly: an entry that does not read, which
/// whoever may push can add, takes the others not with it. What is no index lists nothing.
fn entries(bytes: &[u8]) -> Vec<Referrer> {
    let Ok(root) = json::parse(bytes, Dialect::Strict) else { return Vec::new() };
    let entry = |node: &Node| {
        let digest = Digest::parse(node.member("digest")?.as_str()?).ok()?;
        Some(Referrer { digest, artifact_type: node.member("artifactType").and_then(Node::as_str).map(Into::into) })
    };
    root.member("manifests").and_then(Node::as_array).unwrap_or_default().iter().filter_map(entry).collect()
}

/// Either of the two, so that what judges is compiled once.
pub enum Either<'a, H: Host> {
    /// A registry.
    Registry(&'a Registry<'a, H>),
    /// A document that holds its answers.
    Document(&'a EvidenceDocument),
}

impl<H: Host> Archive for Either<'_, H> {
    async fn manifest(&self, reference: &str) -> Result<Option<Fetched>, RegistryError> {
        match self {
            Self::Registry(registry) => Archive::manifest(*registry, reference).await,
            Self::Document(document) => document.manifest(reference).await,
        }
    }

    async fn blob(&self, digest: &Digest, max_bytes: usize) -> Result<Option<Vec<u8>>, RegistryError> {
        match self {
            Self::Registry(registry) => Archive::blob(*registry, digest, max_bytes).await,
            Self::Document(document) => document.blob(digest, max_bytes).await,
        }
    }

    async fn referrers(&self, digest: &Digest) -> Result<Listed, RegistryError> {
        match self {
            Self::Registry(registry) => Archive::referrers(*registry, digest).await,
            Self::Document(document) => document.referrers(digest).await,
        }
    }
}

/// Keeps every answer on its way, until there are too many bytes of them: then nothing more is asked.
pub struct Recorder<'a, A: Archive> {
    inner: &'a A,
    answers: RefCell<EvidenceDocument>,
    kept: Cell<usize>,
}

impl<'a, A: Archive> Recorder<'a, A> {
    /// Around `inner`.
    pub fn new(inner: &'a A) -> Self {
        Self { inner, answers: RefCell::default(), kept: Cell::new(0) }
    }

    fn has_room(&self, path: &str) -> Result<(), RegistryError> {
        if self.kept.get() < limits::EVIDENCE_DOCUMENT {
            return Ok(());
        }
        Err(HostError::TooLarge { url: path.into(), limit: limits::EVIDENCE_DOCUMENT }.into())
    }

    fn count(&self, bytes: usize) {
        self.kept.set(self.kept.get().saturating_add(bytes));
    }

    /// What was kept.
    pub fn into_document(self) -> EvidenceDocument {
        self.answers.into_inner()
    }
}

impl<A: Archive> Archive for Recorder<'_, A> {
    async fn manifest(&self, reference: &str) -> Result<Option<Fetched>, RegistryError> {
        let path = format!("manifests/{reference}");
        let answer = match self.has_room(&path) {
            Ok(()) => self.inner.manifest(reference).await,
            Err(full) => Err(full),
        };
        self.count(answer.as_ref().ok().and_then(Option::as_ref).map_or(0, |found| found.bytes.len()));
        match &answer {
            Ok(Some(found)) => self.answers.borrow_mut().add_manifest(&path, found),
            Ok(None) => self.answers.borrow_mut().add_missing(&path),
            Err(error) => self.answers.borrow_mut().add_error(&path, &error.to_string()),
        }
        answer
    }

    async fn blob(&self, digest: &Digest, max_bytes: usize) -> Result<Option<Vec<u8>>, RegistryError> {
        let path = format!("blobs/{digest}");
        let answer = match self.has_room(&path) {
            Ok(()) => self.inner.blob(digest, max_bytes).await,
            Err(full) => Err(full),
        };
        self.count(answer.as_ref().ok().and_then(Option::as_ref).map_or(0, Vec::len));
        match &answer {
            Ok(Some(bytes)) => self.answers.borrow_mut().add_blob(&path, bytes),
            Ok(None) => self.answers.borrow_mut().add_missing(&path),
            Err(error) => self.answers.borrow_mut().add_error(&path, &error.to_string()),
        }
        answer
    }

    async fn referrers(&self, digest: &Digest) -> Result<Listed, RegistryError> {
        let path = format!("referrers/{digest}");
        let answer = match self.has_room(&path) {
            Ok(()) => self.inner.referrers(digest).await,
            Err(full) => Err(full),
        };
        match &answer {
            Ok(Listed { incomplete: Some(error), .. }) => self.answers.borrow_mut().add_error(&path, &error.to_string()),
            Ok(list) => self.answers.borrow_mut().add_referrers(&path, &list.entries),
            Err(error) => self.answers.borrow_mut().add_error(&path, &error.to_string()),
        }
        answer
    }
}

impl Archive for EvidenceDocument {
    async fn manifest(&self, reference: &str) -> Result<Option<Fetched>, RegistryError> {
        let answer = self.answer(&format!("manifests/{reference}"))?;
        Ok(answer.map(|answer| Fetched { bytes: answer.body.clone(), content_type: answer.content_type.clone(), digest: answer.digest.clone() }))
    }

    async fn blob(&self, digest: &Digest, max_bytes: usize) -> Result<Option<Vec<u8>>, RegistryError> {
        let path = format!("blobs/{digest}");
        let Some(answer) = self.answer(&path)? else { return Ok(None) };
        if answer.body.len() > max_bytes {
            return Err(HostError::TooLarge { url: path, limit: max_bytes }.into());
        }
        digest.check(&answer.body)?;
        Ok(Some(answer.body.clone()))
    }

    async fn referrers(&self, digest: &Digest) -> Result<Listed, RegistryError> {
        let answer = self.answer(&format!("referrers/{digest}"))?;
        Ok(Listed { entries: answer.map(|answer| answer.referrers.clone()).unwrap_or_default(), incomplete: None })
    }
}
