//! Whether a manifest or index that was asked for by its digest may go out.

use super::judge::Judge;
use super::links::lists;
use super::memory::{Ruling, RulingKey};
use super::stop::Stop;
use crate::crypto::Provider;
use crate::digest::Digest;
use crate::host::{Host, Store};
use crate::oci::Document;
use crate::policy::Coverage;
use crate::reference::Reference;
use crate::verify::Subject;
use alloc::string::ToString;
use alloc::vec::Vec;

impl<R: Host + Provider + Store> Judge<'_, R> {
    /// Before anything else lets it out: what is distrusted is so by its bytes, whatever lists it and
    /// by which digest, and be it evidence.
    pub(super) fn check_trust(&self, subject: &Subject) -> Result<(), Stop> {
        match self.rules.distrusts(subject) {
            Some(failure) => Err(Stop::Denied(failure)),
            None => Ok(()),
        }
    }

    /// Allowed as `name@digest`, or as a tag under which it was resolved here for this same digest,
    /// or as an image of an index that is allowed now (docs/gateway.md "Serving"). The first
    /// refusal is the one that is reported.
    pub(super) async fn admit(&self, subject: &Subject, asked: &Digest) -> Result<Ruling, Stop> {
        let first = match self.admit_by_hints(subject, asked).await {
            Err(Stop::Denied(failure)) => failure,
            answer => return answer,
        };
        // Other isolates may know of more.
        if !self.context.hints.recall(self.context.now()).await {
            return Err(Stop::Denied(first));
        }
        match self.admit_by_hints(subject, asked).await {
            Err(Stop::Denied(_)) => Err(Stop::Denied(first)),
            answer => answer,
        }
    }

    async fn admit_by_hints(&self, subject: &Subject, asked: &Digest) -> Result<Ruling, Stop> {
        let by_digest = self.context.name(&asked.to_string())?;
        if let Some(ruling) = self.remembered(subject, &by_digest).await {
            return Ok(ruling);
        }
        let first = match self.judge_as(subject, &by_digest).await {
            Ok(ruling) => return Ok(ruling),
            Err(stop) => stop,
        };
        let mut open = None;
        for name in self.context.names_by_tag(&subject.digest).await {
            match self.judge_as(subject, &name).await {
                Ok(ruling) => return Ok(ruling),
                Err(stop) => open = open.or(stop.if_open()),
            }
        }
        for parent in self.context.hints.parents(asked) {
            match self.covered_by(subject, &parent).await {
                Ok(ruling) => return Ok(ruling),
                Err(stop) => open = open.or(stop.if_open()),
            }
        }
        Err(open.unwrap_or(first))
    }

    /// A ruling that allows it and costs the registry nothing: of this isolate's own, or from the
    /// store.
    async fn remembered(&self, subject: &Subject, by_digest: &Reference) -> Option<Ruling> {
        let (memory, now) = (&self.context.memory, self.context.now());
        let allows = |ruling: &Ruling| ruling.allow;
        let key_of = |name: &Reference| memory.ruling_key(&name.to_string(), None, &subject.digest);
        let by_digest = key_of(by_digest);
        if let Some(ruling) = memory.kept_ruling(&by_digest, now).filter(allows) {
            return Some(ruling);
        }
        let resolved = self.context.hints.tags(&subject.digest).into_iter();
        let by_tag: Vec<RulingKey> = resolved
            .filter(|resolved| resolved.is_fresh(now))
            .filter_map(|resolved| self.context.name(&resolved.tag).ok())
            .map(|name| key_of(&name))
            .collect();
        let mut kept = by_tag.iter().filter_map(|key| memory.kept_ruling(key, now));
        if let Some(ruling) = kept.find(allows) {
            return Some(ruling);
        }
        for key in core::iter::once(&by_digest).chain(&by_tag) {
            if let Some(ruling) = memory.ruling(key, now).await.filter(allows) {
                return Some(ruling);
            }
        }
        None
    }

    /// The hint is only where to look: the index is fetched, hashed, must list the image, and must
    /// be allowed now.
    async fn covered_by(&self, subject: &Subject, parent: &Digest) -> Result<Ruling, Stop> {
        let index = self.context.subject(parent).await?;
        let Document::Index(listed) = &index.document else {
            return Err(Stop::not_linked());
        };
        if !lists(listed, &subject.bytes) {
            return Err(Stop::not_linked());
        }
        self.check_trust(&index)?;
        let mut names = alloc::vec![self.context.name(&parent.to_string())?];
        names.extend(self.context.names_by_tag(&index.digest).await);
        let mut last = Stop::not_linked();
        for name in names {
            // An index that covers its images is judged itself; one that is a list lends them the
            // reference by which it was asked for (docs/trust.md section 8).
            let judged = match self.rules.coverage() {
                Coverage::Index => self.judge_as(&index, &name).await,
                Coverage::Instance => self.judge_listed(subject, &index, &name).await,
            };
            match judged {
                Ok(ruling) => return Ok(ruling),
                Err(stop) => last = stop,
            }
        }
        Err(last)
    }
}
