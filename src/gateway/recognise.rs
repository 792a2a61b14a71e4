//! Evidence is recognised by its bytes, never by a tag, a media type, a `subject` or a User-Agent
//! (docs/gateway.md "Serving"): podman runs an image whose layer is only *typed* as a signature,
//! and containerd keeps what it was given as a blob.
//!
//! What was recognised is a fact about content. It is remembered for the manifest; a blob is looked
//! at again each time.

use super::admit::{Desk, Stop, blobs};
use super::memory::Kept;
use crate::crypto::Provider;
use crate::digest::Digest;
use crate::error::Coded;
use crate::host::{Host, Store};
use crate::limits;
use crate::oci::registry::RegistryError;
use crate::oci::{Document, Index, Manifest};
use crate::verify::{
    Subject, is_empty_config, is_evidence_document, is_evidence_list, is_evidence_manifest,
    is_unsigned_attestation,
};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

impl<R: Host + Provider + Store> Desk<'_, R> {
    /// Whether a document is evidence, or a list of nothing else. What cannot be had makes an image
    /// of it, what could not be found out an error.
    pub(super) async fn is_evidence(&self, subject: &Subject) -> Result<bool, Stop> {
        let has_form = match &subject.document {
            Document::Manifest(manifest) => is_evidence_manifest(&subject.bytes, manifest),
            Document::Index(index) => is_evidence_list(&subject.bytes, index),
        };
        if !has_form {
            return Ok(false);
        }
        let key = self.memory.verdict_key("evidence", None, &subject.digest);
        if let Some(kept) = self.memory.verdict(&key, self.request.time).await {
            return Ok(kept.allow);
        }
        let allow = match &subject.document {
            Document::Manifest(manifest) => self.all_parts_are_evidence(manifest).await?,
            Document::Index(index) => self.all_entries_are_evidence(index).await?,
        };
        let kept = Kept {
            allow,
            code: String::from("evidence"),
            message: String::new(),
            until: None,
        };
        self.memory
            .keep_verdict(&key, &kept, self.request.time)
            .await;
        Ok(allow)
    }

    async fn all_parts_are_evidence(&self, manifest: &Manifest) -> Result<bool, Stop> {
        let mut left = limits::EVIDENCE_TOTAL;
        for digest in blobs(manifest) {
            let Some(rest) = self
                .evidence_blob(manifest, digest)
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
            .allow_images(index.manifests.len(), self.gateway.requests);
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
        let bytes = match self.registry.blob(digest, most).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(None),
            Err(RegistryError::Digest(_)) => return Ok(None),
            Err(error) if error.code() == "host.too-large" => return Ok(None),
            Err(error) => return Err(error.into()),
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
        let config = match self
            .registry
            .blob(&manifest.config.digest, limits::CONFIG)
            .await
        {
            Ok(Some(config)) => config,
            Ok(None) | Err(RegistryError::Digest(_)) => return Ok(false),
            Err(error) if error.code() == "host.too-large" => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        Ok(is_unsigned_attestation(&child.bytes, &config))
    }
}
