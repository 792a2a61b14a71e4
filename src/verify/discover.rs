//! Finding the evidence of one manifest in its archive (docs/trust.md section 7;
//! docs/containers-image.md section 7).
//!
//! Nothing found here is trusted: every document is hashed where a digest names it, and verified
//! afterwards.

use super::archive::{Archive, Listed, Referrer};
use super::artifact::may_be_signature;
use super::error::VerifyError;
use super::finding::{Finding, Verdict};
use super::found::{Body, Found};
use super::work::Origin;
use crate::cosign::{ATTESTATION, SIMPLE_SIGNING, SignatureLayer};
use crate::digest::{Digest, DigestError, sha256};
use crate::error::Kind;
use crate::limits;
use crate::oci::media_type;
use crate::oci::registry::RegistryError;
use crate::oci::{Descriptor, Document, Manifest, tag};
use crate::sigstore::bundle::is_bundle_type;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Where candidates are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Location {
    /// What satisfied before.
    Preferred,
    /// The layers of `sha256-<hex>.sig`.
    SignatureTag,
    /// The layers of `sha256-<hex>.att`.
    AttestationTag,
    /// What refers to the manifest: bundles, and signatures of the older referrers mode, in order
    /// of digest.
    Referrers,
}

/// What is still to be fetched.
#[derive(Debug)]
enum Errand {
    Tag(String),
    List,
    Artifact(Digest),
    Preferred(Origin),
    Layer {
        source: String,
        manifest: Digest,
        layer: Box<Descriptor>,
        read: Read,
    },
}

/// How a layer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    AsItsType,
    /// Not as a signature, whatever its type: this location is for others.
    AsAttachment,
}

/// One location: what was found there so far, and what there is to fetch.
#[derive(Debug, Default)]
struct Shelf {
    errands: VecDeque<Errand>,
    found: Vec<Arc<Found>>,
    /// The first thing that could not be had.
    missed: Option<Finding>,
    /// The first thing that could not be had or does not read.
    trouble: Option<Finding>,
}

/// What one errand brought.
enum Brought {
    Found(Arc<Found>),
    Errands(Vec<Errand>),
    /// Errands, and why there may be more.
    Incomplete(Vec<Errand>, Finding),
}

/// The evidence of one manifest, fetched as it is looked at; nothing is asked for twice. Counts
/// what was fetched and listed.
pub(super) struct Source<'r, A: Archive> {
    archive: &'r A,
    digest: &'r Digest,
    shelves: Vec<(Location, Shelf)>,
    known: Vec<([u8; 32], Arc<Found>)>,
    pub(super) fetched: usize,
    listed: usize,
    failures: usize,
}

impl<'r, A: Archive> Source<'r, A> {
    /// Of the manifest with this digest; `preferred` are looked at first.
    pub(super) fn new(archive: &'r A, digest: &'r Digest, preferred: Vec<Origin>) -> Self {
        let preferred = preferred.into_iter().map(Errand::Preferred).collect();
        let signatures = Errand::Tag(tag::signature_tag(digest));
        let attestations = Errand::Tag(tag::attestation_tag(digest));
        let shelf = |errands: Vec<Errand>| Shelf {
            errands: errands.into(),
            ..Shelf::default()
        };
        Self {
            shelves: [
                (Location::Preferred, shelf(preferred)),
                (Location::SignatureTag, shelf([signatures].into())),
                (Location::AttestationTag, shelf([attestations].into())),
                (Location::Referrers, shelf([Errand::List].into())),
            ]
            .into(),
            ..Self::nothing(archive, digest)
        }
    }

    /// As if nothing were there: nobody is asked.
    pub(super) fn nothing(archive: &'r A, digest: &'r Digest) -> Self {
        Self {
            archive,
            digest,
            shelves: Vec::new(),
            known: Vec::new(),
            fetched: 0,
            listed: 0,
            failures: 0,
        }
    }

    fn shelf(&self, location: Location) -> Option<&Shelf> {
        let found = self.shelves.iter().find(|(at, _)| *at == location);
        found.map(|(_, shelf)| shelf)
    }

    fn shelf_mut(&mut self, location: Location) -> Option<&mut Shelf> {
        let found = self.shelves.iter_mut().find(|(at, _)| *at == location);
        found.map(|(_, shelf)| shelf)
    }

    /// The candidate with this number in this location, fetched if it must be. None: there is no
    /// more, or no more can be had, which [`Self::missed`] says.
    pub(super) async fn candidate(
        &mut self,
        location: Location,
        number: usize,
    ) -> Option<Arc<Found>> {
        loop {
            if let Some(found) = self.shelf(location)?.found.get(number) {
                return Some(found.clone());
            }
            self.advance(location).await?;
        }
    }

    /// How many layers the tag lists. Nothing else of it is fetched.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(super) async fn layers_of_signature_tag(&mut self) -> Result<usize, Finding> {
        while matches!(
            self.shelf(Location::SignatureTag)
                .and_then(|shelf| shelf.errands.front()),
            Some(Errand::Tag(_))
        ) {
            self.advance(Location::SignatureTag).await;
        }
        let Some(shelf) = self.shelf(Location::SignatureTag) else {
            return Ok(0);
        };
        match &shelf.trouble {
            Some(trouble) => Err(trouble.clone()),
            None => Ok(shelf.errands.len().saturating_add(shelf.found.len())),
        }
    }

    /// The first thing in this location that could not be had: with nothing satisfied it is
    /// "unknown".
    pub(super) fn missed(&self, location: Location) -> Option<Finding> {
        self.shelf(location)?.missed.clone()
    }

    /// The first thing in this location that could not be had or does not read.
    pub(super) fn trouble(&self, location: Location) -> Option<Finding> {
        self.shelf(location)?.trouble.clone()
    }

    /// One errand further in this location. None: there is none.
    async fn advance(&mut self, location: Location) -> Option<()> {
        let errand = self.shelf_mut(location)?.errands.pop_front()?;
        let broken = broken(&errand);
        let brought = self.run(errand).await;
        let shelf = self.shelf_mut(location)?;
        let mut first = |errands: Vec<Errand>| {
            for errand in errands.into_iter().rev() {
                shelf.errands.push_front(errand);
            }
        };
        let trouble = match brought {
            Ok(Brought::Found(found)) => {
                shelf.found.push(found);
                None
            }
            Ok(Brought::Errands(errands)) => {
                first(errands);
                None
            }
            Ok(Brought::Incomplete(errands, trouble)) => {
                first(errands);
                Some(trouble)
            }
            // A hint that leads nowhere is none.
            Err(trouble)
                if location == Location::Preferred
                    && (trouble.verdict == Verdict::Deny || trouble.kind == Kind::Dangling) =>
            {
                None
            }
            Err(trouble) => {
                if trouble.verdict == Verdict::Deny {
                    shelf.found.push(Arc::new(Found {
                        body: Body::Broken(trouble.clone().into_reason()),
                        ..broken
                    }));
                }
                Some(trouble)
            }
        };
        if let Some(trouble) = trouble {
            self.record(location, trouble);
        }
        Some(())
    }

    fn record(&mut self, location: Location, trouble: Finding) {
        let is_unknown = trouble.verdict == Verdict::Unknown;
        let is_about_one = matches!(trouble.kind, Kind::Dangling | Kind::TooMuch);
        let is_over = trouble.kind == Kind::Spent;
        self.failures = self
            .failures
            .saturating_add(usize::from(is_unknown && !is_about_one));
        if let Some(shelf) = self.shelf_mut(location) {
            shelf.missed = shelf.missed.take().or(is_unknown.then(|| trouble.clone()));
            shelf.trouble = shelf.trouble.take().or(Some(trouble));
        }
        // Asking for more would be in vain: a bound is used up, the request's too, or the registry
        // is unwell.
        if is_over
            || self.listed > limits::EVIDENCE_LISTED
            || self.fetched >= limits::EVIDENCE_TOTAL
            || self.failures >= limits::EVIDENCE_FAILURES
        {
            self.shelves
                .iter_mut()
                .for_each(|(_, shelf)| shelf.errands.clear());
        }
    }

    async fn run(&mut self, errand: Errand) -> Result<Brought, Finding> {
        match errand {
            Errand::Tag(name) => self.tag(&name).await.map(Brought::Errands),
            Errand::List => self.list().await,
            Errand::Artifact(digest) => {
                let layers = artifact_layers(self.artifact(&digest).await?);
                let source = format!("referrer {}", short(&digest.to_string()));
                Ok(Brought::Errands(of_artifact(&digest, layers, &source)))
            }
            Errand::Preferred(origin) => {
                let layers = artifact_layers(self.artifact(&origin.manifest).await?)
                    .into_iter()
                    .filter(|layer| layer.digest == origin.blob)
                    .collect();
                let source = format!("remembered {}", short(&origin.manifest.to_string()));
                Ok(Brought::Errands(of_artifact(
                    &origin.manifest,
                    layers,
                    &source,
                )))
            }
            Errand::Layer {
                source,
                manifest,
                layer,
                read,
            } => self
                .layer(source, manifest, &layer, read)
                .await
                .map(Brought::Found),
        }
    }

    async fn tag(&mut self, name: &str) -> Result<Vec<Errand>, Finding> {
        self.has_room()?;
        let Some(fetched) = self.archive.manifest(name).await.map_err(unanswered)? else {
            return Ok(Vec::new());
        };
        self.fetched = self.fetched.saturating_add(fetched.bytes.len());
        let layers = signature_manifest(&fetched.bytes, fetched.content_type.as_deref())?.layers;
        let manifest = Digest::of(&fetched.bytes);
        let source = format!("tag {}", short(name));
        let errand = |(number, layer): (usize, Descriptor)| Errand::Layer {
            source: format!("{source}, layer {}", number.saturating_add(1)),
            manifest: manifest.clone(),
            read: match layer.media_type.as_str() {
                SIMPLE_SIGNING => Read::AsItsType,
                ATTESTATION if name.ends_with(".att") => Read::AsItsType,
                _ => Read::AsAttachment,
            },
            layer: Box::new(layer),
        };
        Ok(layers.into_iter().enumerate().map(errand).collect())
    }

    /// Digests of the entries whose type is a signature's, or says nothing (some registries list
    /// the config's type).
    async fn list(&self) -> Result<Brought, Finding> {
        let Listed {
            entries,
            incomplete,
        } = self
            .archive
            .referrers(self.digest)
            .await
            .map_err(unanswered)?;
        let may_be =
            |entry: &&Referrer| entry.artifact_type.as_deref().is_none_or(may_be_signature);
        let mut digests: Vec<&Digest> = entries
            .iter()
            .filter(may_be)
            .map(|entry| &entry.digest)
            .collect();
        digests.sort_unstable();
        digests.dedup();
        let is_over = digests.len() > limits::EVIDENCE_LISTED;
        let errands = digests
            .into_iter()
            .take(limits::EVIDENCE_LISTED)
            .map(|digest| Errand::Artifact(digest.clone()))
            .collect();
        Ok(match incomplete {
            _ if is_over => Brought::Incomplete(errands, over("entries", limits::EVIDENCE_LISTED)),
            Some(error) => Brought::Incomplete(errands, unanswered(error)),
            None => Brought::Errands(errands),
        })
    }

    async fn artifact(&mut self, digest: &Digest) -> Result<Option<Manifest>, Finding> {
        self.has_room()?;
        let missing = || dangling(format!("{digest} as a referrer"));
        let fetched = self
            .archive
            .manifest(&digest.to_string())
            .await
            .map_err(unanswered)?
            .ok_or_else(missing)?;
        self.fetched = self.fetched.saturating_add(fetched.bytes.len());
        digest.check(&fetched.bytes).map_err(Finding::deny)?;
        match Document::parse(&fetched.bytes, fetched.content_type.as_deref())
            .map_err(Finding::deny)?
        {
            Document::Manifest(manifest) => Ok(Some(manifest)),
            Document::Index(_) => Ok(None),
        }
    }

    async fn layer(
        &mut self,
        source: String,
        manifest: Digest,
        layer: &Descriptor,
        read: Read,
    ) -> Result<Arc<Found>, Finding> {
        let key = key(layer, read);
        self.listed = self.listed.saturating_add(1);
        if self.listed > limits::EVIDENCE_LISTED {
            return Err(over("candidates", limits::EVIDENCE_LISTED));
        }
        if let Some((_, known)) = self.known.iter().find(|(known, _)| *known == key) {
            return Ok(known.clone());
        }
        let media_type = layer.media_type.as_str();
        let body = match media_type {
            _ if read == Read::AsAttachment => Body::Attachment(media_type.into()),
            SIMPLE_SIGNING => Body::Layer(SignatureLayer {
                media_type: media_type.into(),
                payload: self.blob(layer).await?,
                annotations: layer.annotations.clone(),
            }),
            ATTESTATION => Body::Envelope(self.blob(layer).await?, layer.annotations.clone()),
            _ if is_bundle_type(media_type) => Body::Bundle(self.blob(layer).await?),
            _ => Body::Attachment(media_type.into()),
        };
        let found = Arc::new(Found {
            source,
            digest: Some(layer.digest.clone()),
            origin: Some(Origin {
                manifest,
                blob: layer.digest.clone(),
            }),
            key,
            body,
        });
        self.known.push((key, found.clone()));
        Ok(found)
    }

    async fn blob(&mut self, descriptor: &Descriptor) -> Result<Vec<u8>, Finding> {
        // The size that a descriptor claims is tested before anything is fetched; the bound while
        // reading holds anyway.
        let size = usize::try_from(descriptor.size).unwrap_or(usize::MAX);
        if size > limits::EVIDENCE {
            return Err(over(
                "bytes, by the descriptor's size, of one signature",
                limits::EVIDENCE,
            ));
        }
        let left = self.has_room()?;
        if size > left {
            return Err(out_of_bytes());
        }
        let bytes = self
            .archive
            .blob(&descriptor.digest, limits::EVIDENCE.min(left))
            .await
            .map_err(unanswered)?;
        let bytes = bytes.ok_or_else(|| {
            dangling(format!(
                "a signature with the content {}",
                descriptor.digest
            ))
        })?;
        self.fetched = self.fetched.saturating_add(bytes.len());
        Ok(bytes)
    }

    /// The bytes that may still be fetched.
    fn has_room(&self) -> Result<usize, Finding> {
        match limits::EVIDENCE_TOTAL.saturating_sub(self.fetched) {
            0 => Err(out_of_bytes()),
            left => Ok(left),
        }
    }
}

/// Why something could not be had; other bytes than those that were asked for are bad evidence.
fn unanswered(error: RegistryError) -> Finding {
    match error {
        RegistryError::Digest(DigestError::Mismatch { .. }) => Finding::deny(error),
        error => Finding::unknown(error),
    }
}

fn dangling(what: String) -> Finding {
    Finding::unknown(VerifyError::Dangling { what })
}

fn over(what: &'static str, limit: usize) -> Finding {
    Finding::unknown(VerifyError::EvidenceLimit { what, limit })
}

fn out_of_bytes() -> Finding {
    over("bytes of evidence", limits::EVIDENCE_TOTAL)
}

/// The manifest under a signature tag, which is served as one and nothing else.
fn signature_manifest(bytes: &[u8], content_type: Option<&str>) -> Result<Manifest, Finding> {
    let other = |found: String| Finding::deny(VerifyError::SignatureManifest { found });
    let essence = content_type.map(|text| {
        text.split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    });
    if essence.as_deref() != Some(media_type::OCI_MANIFEST) {
        return Err(other(essence.unwrap_or_else(|| "none".into())));
    }
    match Document::parse(bytes, Some(media_type::OCI_MANIFEST)).map_err(Finding::deny)? {
        Document::Manifest(manifest) => Ok(manifest),
        Document::Index(_) => Err(other("an index".into())),
    }
}

/// What stands for an errand whose document does not read.
fn broken(errand: &Errand) -> Found {
    let (source, digest) = match errand {
        Errand::Tag(name) if name.ends_with(".att") => ("attestation tag".into(), None),
        Errand::Tag(_) => ("signature tag".into(), None),
        Errand::List => ("referrers".into(), None),
        Errand::Artifact(digest)
        | Errand::Preferred(Origin {
            manifest: digest, ..
        }) => (
            format!("referrer {}", short(&digest.to_string())),
            Some(digest.clone()),
        ),
        Errand::Layer { source, layer, .. } => (source.clone(), Some(layer.digest.clone())),
    };
    let key = sha256(format!("broken {source} {digest:?}").as_bytes());
    Found {
        source,
        digest,
        origin: None,
        key,
        body: Body::Attachment(String::new()),
    }
}

/// Each layer is a candidate by itself.
fn of_artifact(manifest: &Digest, layers: Vec<Descriptor>, source: &str) -> Vec<Errand> {
    let errand = |layer| Errand::Layer {
        source: source.into(),
        manifest: manifest.clone(),
        read: Read::AsItsType,
        layer: Box::new(layer),
    };
    layers.into_iter().map(errand).collect()
}

/// Of an artifact: bundles; and where it is one of the older referrers mode, what else there is
/// beside signatures.
fn artifact_layers(manifest: Option<Manifest>) -> Vec<Descriptor> {
    let Some(Manifest { layers, .. }) = manifest else {
        return Vec::new();
    };
    let older =
        |layer: &Descriptor| layer.media_type == SIMPLE_SIGNING || layer.media_type == ATTESTATION;
    let is_older = layers.iter().any(older);
    layers
        .into_iter()
        .filter(|layer| is_older || is_bundle_type(&layer.media_type))
        .collect()
}

/// Two signers' layers share one payload: what a layer's annotations say of the signature is a part
/// of it.
fn key(layer: &Descriptor, read: Read) -> [u8; 32] {
    let mut annotations: Vec<&(String, String)> = layer
        .annotations
        .iter()
        .filter(|(name, _)| {
            name.starts_with("dev.cosignproject.cosign/")
                || name.starts_with("dev.sigstore.cosign/")
        })
        .collect();
    annotations.sort_unstable();
    let (digest, media_type) = (&layer.digest, &layer.media_type);
    sha256(format!("{digest} {media_type:?} {read:?} {annotations:?}").as_bytes())
}

/// The first twelve digits of a digest or of a tag made of one.
fn short(text: &str) -> String {
    match text.split_once([':', '-']) {
        Some((algorithm, rest)) if rest.len() > 12 => {
            let suffix = rest
                .rsplit_once('.')
                .map_or(String::new(), |(_, suffix)| format!(".{suffix}"));
            let separator = if text.contains(':') { ':' } else { '-' };
            format!(
                "{algorithm}{separator}{}…{suffix}",
                rest.chars().take(12).collect::<String>()
            )
        }
        _ => text.into(),
    }
}
