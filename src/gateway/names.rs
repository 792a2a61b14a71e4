//! The references by which content is known here.

use super::context::Context;
use super::stop::Stop;
use crate::digest::Digest;
use crate::host::{Host, Store};
use crate::reference::Reference;
use alloc::vec::Vec;

impl<R: Host + Store> Context<'_, R> {
    /// The reference by which policy and signatures know this tag or digest.
    pub(super) fn name(&self, reference: &str) -> Result<Reference, Stop> {
        self.entry
            .judged_name(self.repository, reference)
            .map_err(Stop::denied)
    }

    /// The names with a tag that means this digest now: it was resolved here a short time ago, or
    /// its HEAD, asked now, says so. An older hint may have been true once: a tag moves on.
    pub(super) async fn names_by_tag(&self, digest: &Digest) -> Vec<Reference> {
        let mut names = Vec::new();
        for resolved in self.hints.tags(digest) {
            let Ok(name) = self.name(&resolved.tag) else {
                continue;
            };
            if resolved.is_fresh(self.now()) || self.still_means(&resolved.tag, digest).await {
                names.push(name);
            }
        }
        names
    }

    async fn still_means(&self, tag: &str, digest: &Digest) -> bool {
        let Ok(Some(head)) = self.registry.head(tag).await else {
            return false;
        };
        let means = head
            .digest
            .and_then(|text| Digest::parse(&text).ok())
            .is_some_and(|found| found == *digest);
        if means {
            self.hints.remember_tag(digest, tag, self.now()).await;
        }
        means
    }
}
