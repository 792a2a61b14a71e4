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

    /// Whether everything is under audit, or the policy has this image under it, as this reference or by a tag under which it
    /// was resolved.
    async fn audits(&self, reference: &str) -> bool {
        if self.context.settings.mode == Mode::Audit {
            return true;
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
            Ok(digest) => self.context.names_by_tag(&digest).await.iter().any(audited),
            Err(_) => false,
        }
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
