//! Facts about content that was served: what leads from a part back to the documents that list it.
//! They say where to look and admit nothing: what they lead to is fetched, hashed and judged again.

use super::cache::Cache;
use super::moment::Moment;
use super::news::{News, good_line, lists_line, tag_line};
use super::parents::{DigestPrefixes, Parents};
use super::records::Records;
use crate::digest::Digest;
use crate::host::Store;
use crate::limits;
use crate::time::UnixTime;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;

/// How long a tag that was resolved here answers for its digest without being asked for again.
const TAG_SECONDS: i64 = 600;
/// Parents or tags that are tried for one digest.
const MOST: usize = 16;

/// A tag under which a digest was resolved, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResolvedTag {
    pub tag: String,
    pub at: UnixTime,
}

impl ResolvedTag {
    /// Whether the tag was resolved here a short time ago.
    pub(super) fn is_fresh(&self, now: UnixTime) -> bool {
        let end = UnixTime(self.at.0.saturating_add(TAG_SECONDS));
        self.at <= now && Moment::of(now).is_before(end)
    }
}

/// What the isolate remembers of all repositories, each kind with a budget of its own.
#[derive(Debug)]
pub(super) struct HintCaches {
    pub(super) parents: Parents,
    pub(super) tags: Cache<Vec<ResolvedTag>>,
    pub(super) satisfied: Cache<Vec<Digest>>,
    pub(super) news: Cache<News>,
}

impl Default for HintCaches {
    fn default() -> Self {
        Self {
            parents: Parents::new(limits::KEPT_LINKS),
            tags: Cache::new(limits::KEPT_TAGS),
            satisfied: Cache::new(limits::KEPT_TAGS),
            news: Cache::new(limits::KEPT_NEWS),
        }
    }
}

/// The hints of one repository.
pub(super) struct Hints<'a, S> {
    pub caches: &'a RefCell<HintCaches>,
    pub records: Records<'a, S>,
    pub upstream: &'a str,
    /// At the upstream.
    pub repository: String,
}

impl<S: Store> Hints<'_, S> {
    /// Manifests and indexes that were served here and may list this digest, the last used first.
    pub(super) fn parents(&self, of: &Digest) -> Vec<Digest> {
        let caches = self.caches.borrow();
        let found = caches.parents.of(&self.repository, of);
        found.take(MOST).collect()
    }

    /// Tags under which this digest was resolved here, the last first.
    pub(super) fn tags(&self, of: &Digest) -> Vec<ResolvedTag> {
        self.caches
            .borrow_mut()
            .tags
            .get(&self.repository, &of.to_string())
            .cloned()
            .unwrap_or_default()
    }

    /// Evidence that satisfied for this digest before: the manifest that lists it, and its own
    /// bytes, in pairs.
    pub(super) fn satisfied(&self, of: &Digest) -> Vec<Digest> {
        self.caches
            .borrow_mut()
            .satisfied
            .get(&self.repository, &of.to_string())
            .cloned()
            .unwrap_or_default()
    }

    /// What served content lists, and under which tag it was found.
    pub(super) async fn remember<'d>(
        &self,
        parent: &Digest,
        listed: impl Iterator<Item = &'d Digest>,
        tag: Option<&str>,
        now: UnixTime,
    ) {
        let listed = DigestPrefixes::of(listed);
        let text = parent.to_string();
        let knows = |caches: &HintCaches| caches.parents.knows(&self.repository, &text, &listed);
        let mut news = Vec::new();
        if !knows(&self.caches.borrow()) {
            news.push(lists_line(&text, &listed));
        }
        news.extend(tag.and_then(|tag| self.news_of_tag(parent, tag, now)));
        if !news.is_empty() {
            self.records.store.writable().await;
        }
        self.insert_parent(&text, listed);
        if let Some(tag) = tag {
            self.insert_tag(parent, tag, now);
        }
        self.tell(news, now).await;
    }

    /// A tag that was asked for again, and still means this digest.
    pub(super) async fn remember_tag(&self, digest: &Digest, tag: &str, now: UnixTime) {
        let news: Vec<String> = self.news_of_tag(digest, tag, now).into_iter().collect();
        if !news.is_empty() {
            self.records.store.writable().await;
        }
        self.insert_tag(digest, tag, now);
        self.tell(news, now).await;
    }

    /// Which evidence satisfied for this digest. It is written with what is remembered next: whoever
    /// does not know it looks at other evidence first.
    pub(super) async fn remember_satisfied(&self, digest: &Digest, evidence: &[Digest]) {
        if evidence.is_empty() || self.satisfied(digest) == evidence {
            return;
        }
        self.records.store.writable().await;
        let text = digest.to_string();
        self.note(good_line(&text, evidence));
        self.insert_satisfied(&text, evidence.into());
    }

    pub(super) fn insert_parent(&self, parent: &str, listed: DigestPrefixes) {
        let mut caches = self.caches.borrow_mut();
        caches.parents.insert(&self.repository, parent, listed);
    }

    /// What other isolates should know of this tag and digest: that is new, or they would soon ask
    /// for it again.
    fn news_of_tag(&self, digest: &Digest, tag: &str, now: UnixTime) -> Option<String> {
        let known = self.tags(digest);
        let old = known.iter().find(|old| old.tag == tag);
        let is_news = old.is_none_or(|old| now.0.saturating_sub(old.at.0) > TAG_SECONDS / 2);
        is_news.then(|| tag_line(&digest.to_string(), tag, now))
    }

    pub(super) fn insert_tag(&self, digest: &Digest, tag: &str, at: UnixTime) {
        let digest = digest.to_string();
        let mut caches = self.caches.borrow_mut();
        let mut known = caches.tags.get(&self.repository, &digest);
        let first = known.as_mut().and_then(|known| known.first_mut());
        if let Some(first) = first.filter(|first| first.tag == tag) {
            first.at = at;
            return;
        }
        let mut list = known.map(core::mem::take).unwrap_or_default();
        list.retain(|old| old.tag != tag);
        let tag = tag.into();
        list.insert(0, ResolvedTag { tag, at });
        list.truncate(MOST);
        let weight = list.len();
        caches.tags.insert(&self.repository, &digest, list, weight);
    }

    pub(super) fn insert_satisfied(&self, digest: &str, evidence: Vec<Digest>) {
        let weight = evidence.len();
        self.caches
            .borrow_mut()
            .satisfied
            .insert(&self.repository, digest, evidence, weight);
    }
}
