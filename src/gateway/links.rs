//! What a document lists, and which documents list a blob.

use super::context::Context;
use super::stop::Stop;
use crate::crypto::Provider;
use crate::digest::{Algorithm, Digest};
use crate::host::{Host, Store};
use crate::oci::{Descriptor, Document, Index, Manifest};
use crate::verify::Subject;
use alloc::rc::Rc;
use alloc::vec::Vec;

/// Config and layers.
pub(super) fn blobs(manifest: &Manifest) -> impl Iterator<Item = &Descriptor> {
    core::iter::once(&manifest.config).chain(&manifest.layers)
}

/// All descriptors of a document.
pub(super) fn descriptors(document: &Document) -> Vec<&Descriptor> {
    match document {
        Document::Manifest(manifest) => blobs(manifest).collect(),
        Document::Index(index) => index.manifests.iter().collect(),
    }
}

/// Whether the index lists these bytes, which are hashed once an algorithm however long the list
/// is.
pub(super) fn lists(index: &Index, bytes: &[u8]) -> bool {
    let own = [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512]
        .map(|algorithm| Digest::with(algorithm, bytes));
    index
        .manifests
        .iter()
        .any(|entry| own.contains(&entry.digest))
}

impl<R: Host + Provider + Store> Context<'_, R> {
    /// The manifest with the digest `parent`, if it lists the blob.
    pub(super) async fn manifest_with(
        &self,
        parent: &Digest,
        blob: &Digest,
    ) -> Result<Option<Rc<Subject>>, Stop> {
        let subject = self.subject(parent).await?;
        let listed = match &subject.document {
            Document::Manifest(manifest) => blobs(manifest).any(|listed| listed.digest == *blob),
            Document::Index(_) => false,
        };
        Ok(listed.then_some(subject))
    }
}
