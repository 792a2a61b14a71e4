//! Evidence is recognised by its bytes, never by a tag, a media type, a `subject` or a User-Agent
//! (docs/gateway.md "Serving"): podman runs an image whose layer is only *typed* as a signature,
//! and containerd keeps what it was given as a blob.
//!
//! What was recognised is a fact about content. It is remembered for the manifest; a blob is looked
//! at again each time.

use super::context::Context;
use super::links::blobs;
use super::memory::{EVIDENCE, Ruling};
use super::stop::Stop;
use crate::crypto::Provider;
use crate::digest::Digest;
use crate::error::{Failure, HostError};
use crate::host::{Host, Store};
use crate::limits;
use crate::oci::registry::RegistryError;
use crate::oci::{Document, Index, Manifest};
use crate::verify::{
    Subject, is_empty_config, is_evidence_document, is_evidence_list, is_evidence_manifest,
    is_unsigned_attestation,
};
use alloc::boxed::Box;
use alloc::vec::Vec;

impl<R: Host + Provider + Store> Context<'_, R> {
    /// Whether a document is evidence, or a list of nothing else. A part that is missing makes an
    /// image of it; one that could not be asked for is an error.
    pub(super) async fn is_evidence(&self, subject: &Subject) -> Result<bool, Stop> {
        let key = self.memory.ruling_key(EVIDENCE, None, &subject.digest);
        if let Some(ruling) = self.memory.kept_ruling(&key, self.now()) {
            return Ok(ruling.allow);
        }
        let has_form = match &subject.document {
            Document::Manifest(manifest) => is_evidence_manifest(&subject.bytes, manifest),
            Document::Index(index) => is_evidence_list(&subject.bytes, index),
        };
        if !has_form {
            return Ok(false);
        }
        if let Some(ruling) = self.memory.ruling(&key, self.now()).await {
            return Ok(ruling.allow);
        }
        let allow = match &subject.document {
            Document::Manifest(manifest) => self.all_parts_are_evidence(manifest).await?,
            Document::Index(index) => self.all_entries_are_evidence(index).await?,
        };
        let ruling = Ruling {
            allow,
            reason: Failure::new(EVIDENCE, ""),
            signers: Vec::new(),
            until: None,
        };
        self.memory.keep_ruling(&key, &ruling, self.now()).await;
        Ok(allow)
    }

    async fn all_parts_are_evidence(&self, manifest: &Manifest) -> Result<bool, Stop> {
        let mut left = limits::EVIDENCE_TOTAL;
        for descriptor in blobs(manifest) {
            let Some(rest) = self
                .evidence_blob(manifest, &descriptor.digest)
                .await?
                .and_then(|bytes| left.checked_sub(bytes.len()))
            else {
                return Ok(false);
            };
            left = rest;
        }
        Ok(true)
    }

    async fn all_entries_are_evidence(&self, index: &Index) -> Result<bool, Stop> {
        self.remote
            .allow_images(index.manifests.len(), self.settings.requests);
        for entry in &index.manifests {
            let child = match self.subject(&entry.digest).await {
                Ok(child) => child,
                Err(Stop::Denied(_) | Stop::Missing) => return Ok(false),
                Err(stop) => return Err(stop),
            };
            // Of manifests: a list within a list is none of a signature's forms.
            if !matches!(child.document, Document::Manifest(_))
                || !Box::pin(self.is_evidence(&child)).await?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The bytes of one blob of a manifest that has the form of evidence, if they are what the
    /// manifest says; this one blob is fetched, and no other.
    pub(super) async fn evidence_blob(
        &self,
        manifest: &Manifest,
        digest: &Digest,
    ) -> Result<Option<Vec<u8>>, Stop> {
        let layer = manifest.layers.iter().find(|layer| layer.digest == *digest);
        let most = if layer.is_some() {
            limits::EVIDENCE
        } else {
            limits::CONFIG
        };
        let Some(bytes) = self.small_blob(digest, most).await? else {
            return Ok(None);
        };
        // One digest may stand in several places: it must be right in each.
        let as_layer = manifest
            .layers
            .iter()
            .filter(|layer| layer.digest == *digest)
            .all(|layer| is_evidence_document(&layer.media_type, &bytes));
        let as_config = manifest.config.digest != *digest || is_empty_config(&bytes, manifest);
        Ok((as_layer && as_config).then_some(bytes))
    }

    /// Whether this is what BuildKit attaches to an index, and nobody can run (docs/trust.md
    /// section 8).
    pub(super) async fn is_unsigned_attestation(&self, child: &Subject) -> Result<bool, Stop> {
        let Document::Manifest(manifest) = &child.document else {
            return Ok(false);
        };
        let config = self
            .small_blob(&manifest.config.digest, limits::CONFIG)
            .await?;
        Ok(config.is_some_and(|config| is_unsigned_attestation(&child.bytes, &config)))
    }

    /// The blob, unless the registry has none with this digest and of at most this size.
    async fn small_blob(&self, digest: &Digest, most: usize) -> Result<Option<Vec<u8>>, Stop> {
        match self.registry.blob(digest, most).await {
            Ok(found) => Ok(found),
            Err(RegistryError::Digest(_) | RegistryError::Host(HostError::TooLarge { .. })) => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}
