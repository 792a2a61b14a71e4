//! Finding the evidence of one manifest in its archive (TRUST section 7; facts/containers-policy.md section 7).
//!
//! Nothing found here is trusted: every document is hashed where a digest names it, and verified afterwards.

use super::trouble::VerifyError;
use crate::cosign::{ATTESTATION, AttachedBundle, SIMPLE_SIGNING, SignatureLayer};
use crate::digest::Digest;
use crate::error::{Coded, Failure};
use super::archive::{Archive, Listed, Referrer};
use crate::limits;
use crate::oci::media_type;
use crate::oci::registry::RegistryError;
use crate::oci::{tag, Descriptor, Document, Manifest};
use crate::sigstore::bundle::is_bundle_type;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::Cell;

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
        Self { failure: error.into(), unknown }
    }
}

impl From<VerifyError> for Trouble {
    fn from(error: VerifyError) -> Self {
        let unknown = matches!(error, VerifyError::EvidenceLimit { .. });
        Self { failure: error.into(), unknown }
    }
}

/// One thing that may be a signature.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Where it was, for people.
    pub source: String,
    /// The digest of its bytes.
    pub digest: Digest,
    /// What it is.
    pub body: Body,
}

/// What was found.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// A layer of a `.sig` manifest, or of an artifact of the older referrers mode.
    Layer(SignatureLayer),
    /// A Sigstore bundle, or an attestation in a layer of the older form.
    Bundle(AttachedBundle),
    /// A layer of another type beside signatures.
    Attachment(String),
    /// Something that does not read.
    Broken(Failure),
}

/// Which layers of a manifest are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layers {
    /// Signatures; whatever else there is, is an attachment.
    Signatures,
    /// Signatures and attestations.
    Any,
}

/// What one place holds; and the first thing there that could not be had or does not read.
pub(super) type Gathered = (Vec<Found>, Option<Trouble>);

/// The evidence of one manifest; counts what was fetched.
pub(super) struct Source<'r, A: Archive> {
    archive: &'r A,
    digest: &'r Digest,
    fetched: Cell<usize>,
}

impl<'r, A: Archive> Source<'r, A> {
    pub(super) fn new(archive: &'r A, digest: &'r Digest) -> Self {
        Self { archive, digest, fetched: Cell::new(0) }
    }

    fn count(&self, bytes: usize) -> Result<(), Trouble> {
        self.fetched.set(self.fetched.get().saturating_add(bytes));
        if self.fetched.get() > limits::EVIDENCE_TOTAL {
            return Err(VerifyError::EvidenceLimit { what: "bytes of evidence", limit: limits::EVIDENCE_TOTAL }.into());
        }
        Ok(())
    }

    async fn blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>, Trouble> {
        // The size that a descriptor claims is tested before anything is fetched; the bound while reading holds anyway.
        if usize::try_from(descriptor.size).map_or(true, |size| size > limits::EVIDENCE) {
            return Err(VerifyError::EvidenceLimit { what: "bytes, by its own word, of one signature", limit: limits::EVIDENCE }.into());
        }
        let bytes = self.archive.blob(&descriptor.digest, limits::EVIDENCE).await?;
        let bytes = bytes.ok_or_else(|| Trouble {
            failure: Failure::new("signature.blob-missing", format!("the registry lists a signature with the content {} and does not have it", descriptor.digest)),
            unknown: true,
        })?;
        self.count(bytes.len())?;
        Ok(bytes)
    }

    /// The layers of `sha256-<hex>.sig`; empty when there is no such tag. Whether a layer that makes trouble is fatal, as in
    /// containers/image, or skipped is the caller's to say.
    pub(super) async fn signature_tag(&self) -> Result<Gathered, Trouble> {
        self.tagged(&tag::signature_tag(self.digest), Layers::Signatures).await
    }

    /// The layers of `sha256-<hex>.att`.
    pub(super) async fn attestation_tag(&self) -> Result<Gathered, Trouble> {
        self.tagged(&tag::attestation_tag(self.digest), Layers::Any).await
    }

    async fn tagged(&self, name: &str, layers: Layers) -> Result<Gathered, Trouble> {
        let Some(fetched) = self.archive.manifest(name).await? else { return Ok((Vec::new(), None)) };
        self.count(fetched.bytes.len())?;
        let essence = fetched.content_type.as_deref().map(|text| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        if essence.as_deref() != Some(media_type::OCI_MANIFEST) {
            return Err(VerifyError::SignatureManifest { found: essence.unwrap_or_else(|| "none".into()) }.into());
        }
        let manifest = match Document::parse(&fetched.bytes, Some(media_type::OCI_MANIFEST)) {
            Ok(Document::Manifest(manifest)) => manifest,
            Ok(Document::Index(_)) => return Err(VerifyError::SignatureManifest { found: "an index".into() }.into()),
            Err(error) => return Err(Trouble { failure: error.into(), unknown: false }),
        };
        Ok(self.layers(&manifest, &format!("tag {}", short(name)), layers).await)
    }

    async fn layers(&self, manifest: &Manifest, place: &str, layers: Layers) -> Gathered {
        let mut trouble = (manifest.layers.len() > limits::EVIDENCE_EXAMINED)
            .then(|| VerifyError::EvidenceLimit { what: "signatures", limit: limits::EVIDENCE_EXAMINED }.into());
        let mut found = Vec::new();
        for (number, layer) in manifest.layers.iter().enumerate().take(limits::EVIDENCE_EXAMINED) {
            let source = format!("{place}, layer {}", number.saturating_add(1));
            let body = match self.layer(layer, layers).await {
                Ok(body) => Some(body),
                Err(error) => {
                    let body = (!error.unknown).then(|| Body::Broken(error.failure.clone()));
                    let ends = self.ends(&error);
                    trouble = trouble.or(Some(error));
                    if ends {
                        break;
                    }
                    body
                }
            };
            found.extend(body.map(|body| Found { source, digest: layer.digest.clone(), body }));
        }
        (found, trouble)
    }

    async fn layer(&self, layer: &Descriptor, layers: Layers) -> Result<Body, Trouble> {
        if layer.media_type == ATTESTATION && layers == Layers::Any {
            let envelope = self.blob(layer).await?;
            return Ok(AttachedBundle::parse_layer(&envelope, &layer.annotations).map_or_else(Body::Broken, Body::Bundle));
        }
        if layer.media_type != SIMPLE_SIGNING {
            return Ok(Body::Attachment(layer.media_type.clone()));
        }
        let payload = self.blob(layer).await?;
        Ok(Body::Layer(SignatureLayer { media_type: layer.media_type.clone(), payload, annotations: layer.annotations.clone() }))
    }

    /// Whether asking for more would be in vain: all bytes are used up, or the registry is unwell.
    fn ends(&self, trouble: &Trouble) -> bool {
        let about_one = matches!(trouble.failure.code, "signature.blob-missing" | "limit.evidence" | "host.too-large");
        self.fetched.get() > limits::EVIDENCE_TOTAL || trouble.unknown && !about_one
    }

    /// What refers to the manifest: bundles, and signatures of the older referrers mode, in order of digest. A document
    /// that does not read is recorded; what could not be had is trouble, and never "unsigned".
    pub(super) async fn referrers(&self) -> Gathered {
        let (listed, mut trouble) = match self.list().await {
            Ok(listed) => listed,
            Err(trouble) => return (Vec::new(), Some(trouble)),
        };
        let mut found = Vec::new();
        for (number, digest) in listed.iter().enumerate() {
            if number >= limits::EVIDENCE_EXAMINED {
                trouble = Some(VerifyError::EvidenceLimit { what: "candidates", limit: limits::EVIDENCE_EXAMINED }.into());
                break;
            }
            match self.artifact(digest).await {
                Ok((more, failed)) => {
                    found.extend(more);
                    trouble = trouble.or(failed.filter(|trouble| trouble.unknown));
                }
                Err(error) if error.unknown => trouble = Some(error),
                Err(error) => found.push(Found { source: format!("referrer {}", short(&digest.to_string())), digest: digest.clone(), body: Body::Broken(error.failure) }),
            }
        }
        (found, trouble)
    }

    /// Digests of the entries whose type is a signature's, or says nothing (some registries list the config's type).
    async fn list(&self) -> Result<(BTreeSet<Digest>, Option<Trouble>), Trouble> {
        let Listed { entries, incomplete } = self.archive.referrers(self.digest).await?;
        if entries.len() > limits::EVIDENCE_LISTED {
            return Err(VerifyError::EvidenceLimit { what: "entries", limit: limits::EVIDENCE_LISTED }.into());
        }
        let may_be = |entry: &&Referrer| entry.artifact_type.as_deref().is_none_or(may_be_signature);
        Ok((entries.iter().filter(may_be).map(|entry| entry.digest.clone()).collect(), incomplete.map(Trouble::from)))
    }

    async fn artifact(&self, digest: &Digest) -> Result<Gathered, Trouble> {
        let place = format!("referrer {}", short(&digest.to_string()));
        let missing = || Trouble { failure: Failure::new("signature.blob-missing", format!("the registry lists {digest} as a referrer and does not have it")), unknown: true };
        let fetched = self.archive.manifest(&digest.to_string()).await?.ok_or_else(missing)?;
        self.count(fetched.bytes.len())?;
        let bad = |failure: Failure| Trouble { failure, unknown: false };
        digest.check(&fetched.bytes).map_err(|error| bad(error.into()))?;
        let manifest = match Document::parse(&fetched.bytes, fetched.content_type.as_deref()).map_err(|error| bad(error.into()))? {
            Document::Manifest(manifest) => manifest,
            Document::Index(_) => return Ok((Vec::new(), None)),
        };
        if manifest.layers.iter().any(|layer| layer.media_type == SIMPLE_SIGNING || layer.media_type == ATTESTATION) {
            return Ok(self.layers(&manifest, &place, Layers::Any).await);
        }
        let mut found = Vec::new();
        for layer in manifest.layers.iter().filter(|layer| is_bundle_type(&layer.media_type)).take(limits::EVIDENCE_EXAMINED) {
            let bytes = self.blob(layer).await?;
            let body = AttachedBundle::parse(&bytes).map_or_else(Body::Broken, Body::Bundle);
            found.push(Found { source: place.clone(), digest: layer.digest.clone(), body });
        }
        Ok((found, None))
    }
}

pub(super) fn may_be_signature(artifact_type: &str) -> bool {
    is_bundle_type(artifact_type) || artifact_type == ATTESTATION || artifact_type.starts_with("application/vnd.dev.cosign.") || matches!(artifact_type, "" | media_type::OCI_EMPTY | media_type::OCI_CONFIG)
}

/// The first twelve digits of a digest or of a tag made of one.
fn short(text: &str) -> String {
    match text.split_once([':', '-']) {
        Some((algorithm, rest)) if rest.len() > 12 => {
            let suffix = rest.rsplit_once('.').map_or(String::new(), |(_, suffix)| format!(".{suffix}"));
            let separator = if text.contains(':') { ':' } else { '-' };
            format!("{algorithm}{separator}{}…{suffix}", rest.chars().take(12).collect::<String>())
        }
        _ => text.into(),
    }
}
