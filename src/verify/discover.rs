//! Finding the evidence of one manifest in its archive (docs/trust.md section 7;
//! docs/containers-image.md section 7).
//!
//! Nothing found here is trusted: every document is hashed where a digest names it, and verified
//! afterwards.

use super::archive::{Archive, Listed, Referrer};
use super::trouble::VerifyError;
use super::work::Origin;
use crate::cosign::{ATTESTATION, SIMPLE_SIGNING, SignatureLayer};
use crate::digest::{Digest, sha256};
use crate::error::{Coded, Failure};
use crate::limits;
use crate::oci::media_type;
use crate::oci::registry::RegistryError;
use crate::oci::{Descriptor, Document, Manifest, tag};
use crate::sigstore::bundle::is_bundle_type;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Why evidence could not be had.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub failure: Failure,
    /// Whether it is "could not find out"; else the evidence itself is bad.
    pub unknown: bool,
}

impl From<RegistryError> for Trouble {
    fn from(error: RegistryError) -> Self {
        let unknown = error.code() != "digest.mismatch";
        Self {
            failure: error.into(),
            unknown,
        }
    }
}

impl From<VerifyError> for Trouble {
    fn from(error: VerifyError) -> Self {
        let unknown = matches!(error, VerifyError::EvidenceLimit { .. });
        Self {
            failure: error.into(),
            unknown,
        }
    }
}

/// One thing that may be a signature, as it came.
#[derive(Debug)]
pub(super) struct Found {
    /// Where it was, for people.
    pub source: String,
    /// The digest of its bytes.
    pub digest: Option<Digest>,
    /// Where it was, to look there first another time.
    pub origin: Option<Origin>,
    /// The same bytes, type and signature annotations are one candidate, wherever they are.
    pub key: [u8; 32],
    /// What it is.
    pub body: Body,
}

/// What was found. Bundles and attestations are read when they are examined, so that only one at a
/// time takes memory.
#[derive(Debug)]
pub(super) enum Body {
    /// A layer of a `.sig` manifest, or of an artifact of the older referrers mode.
    Layer(SignatureLayer),
    /// A Sigstore bundle.
    Bundle(Vec<u8>),
    /// An attestation in a layer of the older form, with its annotations.
    Envelope(Vec<u8>, Vec<(String, String)>),
    /// A layer of another type beside signatures.
    Attachment(String),
    /// Something that does not read.
    Broken(Failure),
}

impl Found {
    /// How much there is to read.
    pub(super) fn size(&self) -> usize {
        match &self.body {
            Body::Layer(layer) => layer.payload.len(),
            Body::Bundle(bytes) | Body::Envelope(bytes, _) => bytes.len(),
            Body::Attachment(_) | Body::Broken(_) => 0,
        }
    }
}

/// Where candidates come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
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

/// What is still to be fetched in one place.
#[derive(Debug)]
enum Step {
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
    /// Whatever it says, it is none of those that this place is for.
    AsAttachment,
}

/// One place: what came of it so far, and what there is to fetch.
#[derive(Debug, Default)]
struct Shelf {
    steps: VecDeque<Step>,
    found: Vec<Rc<Found>>,
    /// The first thing that could not be had.
    missed: Option<Trouble>,
    /// The first thing that could not be had or does not read.
    trouble: Option<Trouble>,
}

/// What one step leads to.
enum Led {
    To(Rc<Found>),
    Further(Vec<Step>),
}

/// The evidence of one manifest, fetched as it is looked at; nothing is asked for twice. Counts
/// what was fetched and listed.
pub(super) struct Source<'r, A: Archive> {
    archive: &'r A,
    digest: &'r Digest,
    shelves: BTreeMap<Place, Shelf>,
    known: BTreeMap<[u8; 32], Rc<Found>>,
    fetched: usize,
    listed: usize,
    failures: usize,
}

impl<'r, A: Archive> Source<'r, A> {
    /// Of the manifest with this digest; `preferred` are looked at first.
    pub(super) fn new(archive: &'r A, digest: &'r Digest, preferred: Vec<Origin>) -> Self {
        let shelf = |steps: VecDeque<Step>| Shelf {
            steps,
            ..Shelf::default()
        };
        let shelves = BTreeMap::from([
            (
                Place::Preferred,
                shelf(preferred.into_iter().map(Step::Preferred).collect()),
            ),
            (
                Place::SignatureTag,
                shelf([Step::Tag(tag::signature_tag(digest))].into()),
            ),
            (
                Place::AttestationTag,
                shelf([Step::Tag(tag::attestation_tag(digest))].into()),
            ),
            (Place::Referrers, shelf([Step::List].into())),
        ]);
        Self {
            archive,
            digest,
            shelves,
            known: BTreeMap::new(),
            fetched: 0,
            listed: 0,
            failures: 0,
        }
    }

    /// As if nothing were there: nobody is asked.
    pub(super) fn nothing(archive: &'r A, digest: &'r Digest) -> Self {
        Self {
            archive,
            digest,
            shelves: BTreeMap::new(),
            known: BTreeMap::new(),
            fetched: 0,
            listed: 0,
            failures: 0,
        }
    }

    /// The candidate with this number in this place, fetched if it must be. None: there is no more,
    /// or no more can be had, which [`Self::missed`] tells.
    pub(super) async fn candidate(&mut self, place: Place, number: usize) -> Option<Rc<Found>> {
        loop {
            if let Some(found) = self.shelves.get(&place)?.found.get(number) {
                return Some(found.clone());
            }
            self.advance(place).await?;
        }
    }

    /// How many layers the tag lists. Nothing else of it is fetched.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(super) async fn layers_of_signature_tag(&mut self) -> Result<usize, Trouble> {
        while matches!(
            self.shelves
                .get(&Place::SignatureTag)
                .and_then(|shelf| shelf.steps.front()),
            Some(Step::Tag(_))
        ) {
            self.advance(Place::SignatureTag).await;
        }
        let Some(shelf) = self.shelves.get(&Place::SignatureTag) else {
            return Ok(0);
        };
        match &shelf.trouble {
            Some(trouble) => Err(trouble.clone()),
            None => Ok(shelf.steps.len().saturating_add(shelf.found.len())),
        }
    }

    /// The first thing in this place that could not be had: with nothing satisfied it is "could not
    /// find out".
    pub(super) fn missed(&self, place: Place) -> Option<Trouble> {
        self.shelves.get(&place)?.missed.clone()
    }

    /// The first thing in this place that could not be had or does not read.
    pub(super) fn trouble(&self, place: Place) -> Option<Trouble> {
        self.shelves.get(&place)?.trouble.clone()
    }

    /// One step further in this place. None: there is none.
    async fn advance(&mut self, place: Place) -> Option<()> {
        let step = self.shelves.get_mut(&place)?.steps.pop_front()?;
        let broken = self.broken(&step);
        let taken = self.take(step).await;
        let shelf = self.shelves.get_mut(&place)?;
        let trouble = match taken {
            Ok((Led::To(found), trouble)) => {
                shelf.found.push(found);
                trouble
            }
            Ok((Led::Further(steps), trouble)) => {
                steps
                    .into_iter()
                    .rev()
                    .for_each(|step| shelf.steps.push_front(step));
                trouble
            }
            // A hint that leads nowhere is none.
            Err(trouble)
                if place == Place::Preferred
                    && (!trouble.unknown || trouble.failure.code == "signature.blob-missing") =>
            {
                None
            }
            Err(trouble) => {
                if !trouble.unknown {
                    shelf.found.push(Rc::new(Found {
                        body: Body::Broken(trouble.failure.clone()),
                        ..broken
                    }));
                }
                Some(trouble)
            }
        };
        if let Some(trouble) = trouble {
            self.record(place, trouble);
        }
        Some(())
    }

    fn record(&mut self, place: Place, trouble: Trouble) {
        let about_one = matches!(
            trouble.failure.code,
            "signature.blob-missing" | "limit.evidence" | "host.too-large"
        );
        let is_over = trouble.failure.code == "limit.request";
        self.failures = self
            .failures
            .saturating_add(usize::from(trouble.unknown && !about_one));
        if let Some(shelf) = self.shelves.get_mut(&place) {
            shelf.missed = shelf
                .missed
                .take()
                .or(trouble.unknown.then(|| trouble.clone()));
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
                .values_mut()
                .for_each(|shelf| shelf.steps.clear());
        }
    }

    /// What stands for a step whose document does not read.
    fn broken(&self, step: &Step) -> Found {
        let (source, digest) = match step {
            Step::Tag(name) => (
                if name.ends_with(".att") {
                    "attestation tag"
                } else {
                    "signature tag"
                }
                .into(),
                None,
            ),
            Step::List => ("referrers".into(), None),
            Step::Artifact(digest)
            | Step::Preferred(Origin {
                manifest: digest, ..
            }) => (
                format!("referrer {}", short(&digest.to_string())),
                Some(digest.clone()),
            ),
            Step::Layer { source, layer, .. } => (source.clone(), Some(layer.digest.clone())),
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

    async fn take(&mut self, step: Step) -> Result<(Led, Option<Trouble>), Trouble> {
        let further = |steps| (Led::Further(steps), None);
        match step {
            Step::Tag(name) => self.tag(&name).await.map(further),
            Step::List => self
                .list()
                .await
                .map(|(steps, trouble)| (Led::Further(steps), trouble)),
            Step::Artifact(digest) => {
                let manifest = self.artifact(&digest).await?;
                let source = format!("referrer {}", short(&digest.to_string()));
                Ok(further(self.steps(
                    &digest,
                    artifact_layers(manifest),
                    |_| source.clone(),
                    |_| Read::AsItsType,
                )))
            }
            Step::Preferred(origin) => {
                let manifest = self.artifact(&origin.manifest).await?;
                let layers = artifact_layers(manifest)
                    .into_iter()
                    .filter(|layer| layer.digest == origin.blob)
                    .collect();
                let source = format!("remembered {}", short(&origin.manifest.to_string()));
                Ok(further(self.steps(
                    &origin.manifest,
                    layers,
                    |_| source.clone(),
                    |_| Read::AsItsType,
                )))
            }
            Step::Layer {
                source,
                manifest,
                layer,
                read,
            } => self
                .layer(source, manifest, &layer, read)
                .await
                .map(|found| (Led::To(found), None)),
        }
    }

    /// Each layer is a candidate by itself.
    fn steps(
        &self,
        manifest: &Digest,
        layers: Vec<Descriptor>,
        source: impl Fn(usize) -> String,
        read: impl Fn(&Descriptor) -> Read,
    ) -> Vec<Step> {
        let step = |(number, layer): (usize, Descriptor)| Step::Layer {
            source: source(number.saturating_add(1)),
            manifest: manifest.clone(),
            read: read(&layer),
            layer: Box::new(layer),
        };
        layers.into_iter().enumerate().map(step).collect()
    }

    async fn tag(&mut self, name: &str) -> Result<Vec<Step>, Trouble> {
        self.has_room()?;
        let Some(fetched) = self.archive.manifest(name).await? else {
            return Ok(Vec::new());
        };
        self.fetched = self.fetched.saturating_add(fetched.bytes.len());
        let essence = fetched.content_type.as_deref().map(|text| {
            text.split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase()
        });
        if essence.as_deref() != Some(media_type::OCI_MANIFEST) {
            return Err(VerifyError::SignatureManifest {
                found: essence.unwrap_or_else(|| "none".into()),
            }
            .into());
        }
        let manifest = match Document::parse(&fetched.bytes, Some(media_type::OCI_MANIFEST)) {
            Ok(Document::Manifest(manifest)) => manifest,
            Ok(Document::Index(_)) => {
                return Err(VerifyError::SignatureManifest {
                    found: "an index".into(),
                }
                .into());
            }
            Err(error) => {
                return Err(Trouble {
                    failure: error.into(),
                    unknown: false,
                });
            }
        };
        let read = |layer: &Descriptor| match layer.media_type.as_str() {
            SIMPLE_SIGNING => Read::AsItsType,
            ATTESTATION if name.ends_with(".att") => Read::AsItsType,
            _ => Read::AsAttachment,
        };
        let place = format!("tag {}", short(name));
        Ok(self.steps(
            &Digest::of(&fetched.bytes),
            manifest.layers,
            |number| format!("{place}, layer {number}"),
            read,
        ))
    }

    /// Digests of the entries whose type is a signature's, or says nothing (some registries list
    /// the config's type).
    async fn list(&self) -> Result<(Vec<Step>, Option<Trouble>), Trouble> {
        let Listed {
            entries,
            incomplete,
        } = self.archive.referrers(self.digest).await?;
        let may_be =
            |entry: &&Referrer| entry.artifact_type.as_deref().is_none_or(may_be_signature);
        let digests: BTreeSet<&Digest> = entries
            .iter()
            .filter(may_be)
            .map(|entry| &entry.digest)
            .collect();
        let over = (digests.len() > limits::EVIDENCE_LISTED).then(|| {
            VerifyError::EvidenceLimit {
                what: "entries",
                limit: limits::EVIDENCE_LISTED,
            }
            .into()
        });
        let steps = digests
            .into_iter()
            .take(limits::EVIDENCE_LISTED)
            .map(|digest| Step::Artifact(digest.clone()))
            .collect();
        Ok((steps, over.or(incomplete.map(Trouble::from))))
    }

    async fn artifact(&mut self, digest: &Digest) -> Result<Option<Manifest>, Trouble> {
        self.has_room()?;
        let missing = || Trouble {
            failure: Failure::new(
                "signature.blob-missing",
                format!("the registry lists {digest} as a referrer and does not have it"),
            ),
            unknown: true,
        };
        let fetched = self
            .archive
            .manifest(&digest.to_string())
            .await?
            .ok_or_else(missing)?;
        self.fetched = self.fetched.saturating_add(fetched.bytes.len());
        let bad = |failure: Failure| Trouble {
            failure,
            unknown: false,
        };
        digest
            .check(&fetched.bytes)
            .map_err(|error| bad(error.into()))?;
        match Document::parse(&fetched.bytes, fetched.content_type.as_deref())
            .map_err(|error| bad(error.into()))?
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
    ) -> Result<Rc<Found>, Trouble> {
        let key = key(layer, read);
        self.listed = self.listed.saturating_add(1);
        if self.listed > limits::EVIDENCE_LISTED {
            return Err(VerifyError::EvidenceLimit {
                what: "candidates",
                limit: limits::EVIDENCE_LISTED,
            }
            .into());
        }
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let kind = layer.media_type.as_str();
        let body = match kind {
            _ if read == Read::AsAttachment => Body::Attachment(kind.into()),
            SIMPLE_SIGNING => Body::Layer(SignatureLayer {
                media_type: kind.into(),
                payload: self.blob(layer).await?,
                annotations: layer.annotations.clone(),
            }),
            ATTESTATION => Body::Envelope(self.blob(layer).await?, layer.annotations.clone()),
            _ if is_bundle_type(kind) => Body::Bundle(self.blob(layer).await?),
            _ => Body::Attachment(kind.into()),
        };
        let origin = Some(Origin {
            manifest,
            blob: layer.digest.clone(),
        });
        let found = Rc::new(Found {
            source,
            digest: Some(layer.digest.clone()),
            origin,
            key,
            body,
        });
        self.known.insert(key, found.clone());
        Ok(found)
    }

    async fn blob(&mut self, descriptor: &Descriptor) -> Result<Vec<u8>, Trouble> {
        // The size that a descriptor claims is tested before anything is fetched; the bound while
        // reading holds anyway.
        let size = usize::try_from(descriptor.size).unwrap_or(usize::MAX);
        if size > limits::EVIDENCE {
            return Err(VerifyError::EvidenceLimit {
                what: "bytes, by its own word, of one signature",
                limit: limits::EVIDENCE,
            }
            .into());
        }
        let left = self.has_room()?;
        if size > left {
            return Err(out_of_bytes());
        }
        let bytes = self
            .archive
            .blob(&descriptor.digest, limits::EVIDENCE.min(left))
            .await?;
        let bytes = bytes.ok_or_else(|| Trouble {
            failure: Failure::new(
                "signature.blob-missing",
                format!(
                    "the registry lists a signature with the content {} and does not have it",
                    descriptor.digest
                ),
            ),
            unknown: true,
        })?;
        self.fetched = self.fetched.saturating_add(bytes.len());
        Ok(bytes)
    }

    /// The bytes that may still be fetched.
    fn has_room(&self) -> Result<usize, Trouble> {
        match limits::EVIDENCE_TOTAL.saturating_sub(self.fetched) {
            0 => Err(out_of_bytes()),
            left => Ok(left),
        }
    }
}

fn out_of_bytes() -> Trouble {
    VerifyError::EvidenceLimit {
        what: "bytes of evidence",
        limit: limits::EVIDENCE_TOTAL,
    }
    .into()
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
    sha256(
        format!(
            "{} {:?} {read:?} {annotations:?}",
            layer.digest, layer.media_type
        )
        .as_bytes(),
    )
}

pub(super) fn may_be_signature(artifact_type: &str) -> bool {
    is_bundle_type(artifact_type)
        || artifact_type == ATTESTATION
        || artifact_type.starts_with("application/vnd.dev.cosign.")
        || matches!(
            artifact_type,
            "" | media_type::OCI_EMPTY | media_type::OCI_CONFIG
        )
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
