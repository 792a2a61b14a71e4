//! Audit (docs/gateway.md "Serving"): it never breaks a pull. What was decided is remembered as it
//! is, so that nothing changes but what goes out.

use super::config::Mode;
use super::context::Resource;
use super::judge::Judge;
use super::stop::Stop;
use crate::crypto::Provider;
use crate::digest::Digest;
use crate::error::Failure;
use crate::host::{Host, Store};
use crate::oci::Document;
use crate::reference::Reference;
use alloc::string::ToString;

impl<R: Host + Provider + Store> Judge<'_, R> {
    /// The one place where something that is stopped may go out all the same: what the log then
    /// says.
    pub(super) async fn unless_audited(
        &self,
        stop: Stop,
        resource: &Resource<'_>,
    ) -> Result<Failure, Stop> {
        let audited = match resource {
            Resource::Manifest(reference) => self.audits(reference).await,
            Resource::Blob(digest) => self.audits_blob(digest).await,
            Resource::Ping | Resource::List(_) => false,
        };
        if audited {
            Ok(stop.into_failure())
        } else {
            Err(stop)
        }
    }

    /// Whether everything is under audit, or the policy has this image under it: as this reference, by
    /// a tag under which it was resolved, or as an image of an index with such a tag.
    async fn audits(&self, reference: &str) -> bool {
        if self.context.settings.mode == Mode::Audit {
            return true;
        }
        if !self.rules.has_audit() {
            return false;
        }
        let audited = |name: &Reference| self.rules.audited(name).is_some();
        if self
            .context
            .name(reference)
            .is_ok_and(|name| audited(&name))
        {
            return true;
        }
        match Digest::parse(reference) {
            Ok(digest) => {
                let names = self.context.names_by_tag(&digest).await;
                names.iter().any(audited) || self.audits_index_of(&digest).await
            }
            Err(_) => false,
        }
    }

    /// The hint is only where to look: the index is hashed, and must list the image.
    async fn audits_index_of(&self, digest: &Digest) -> bool {
        let audited = |name: &Reference| self.rules.audited(name).is_some();
        for parent in self.context.hints.parents(digest) {
            let lists = self.context.subject(&parent).await.is_ok_and(|found| {
                matches!(&found.document, Document::Index(index)
                    if index.manifests.iter().any(|entry| entry.digest == *digest))
            });
            if lists && self.context.names_by_tag(&parent).await.iter().any(audited) {
                return true;
            }
        }
        false
    }

    /// Under audit are all blobs of an audited repository, and those of an image with an audited
    /// tag.
    async fn audits_blob(&self, digest: &Digest) -> bool {
        if self.audits(&digest.to_string()).await {
            return true;
        }
        for parent in self.context.hints.parents(digest) {
            let manifest = self.context.manifest_with(&parent, digest).await;
            if manifest.is_ok_and(|found| found.is_some()) && self.audits(&parent.to_string()).await
            {
                return true;
            }
        }
        false
    }
}
