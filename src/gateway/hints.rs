//! Facts about content that was served: what leads from a part back to the documents that list it.
//! They say where to look and admit nothing: what they lead to is fetched, hashed and judged again.

use super::cache::Cache;
use super::moment::Moment;
use super::records::Records;
use crate::digest::Digest;
use crate::host::Store;
use crate::limits;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;

const RECORD_SECONDS: u32 = 30 * 24 * 3_600;
/// How long a tag that was resolved here answers for its digest without being asked for again.
const TAG_SECONDS: i64 = 600;
/// Seconds before the store is asked for hints of a repository again.
const RECALL_SECONDS: i64 = 5;
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
    parents: Cache<DigestPrefixes>,
    tags: Cache<Vec<ResolvedTag>>,
    satisfied: Cache<Vec<Digest>>,
    recalled: Cache<UnixTime>,
}

impl Default for HintCaches {
    fn default() -> Self {
        Self {
            parents: Cache::new(limits::KEPT_LINKS),
            tags: Cache::new(limits::KEPT_TAGS),
            satisfied: Cache::new(limits::KEPT_TAGS),
            recalled: Cache::new(limits::KEPT_TAGS),
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
        let prefix = prefix(of);
        let caches = self.caches.borrow();
        let found = caches
            .parents
            .entries_of(&self.repository)
            .filter(|(_, listed)| listed.contains(prefix));
        found
            .filter_map(|(parent, _)| Digest::parse(parent).ok())
            .take(MOST)
            .collect()
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

    /// What served content lists, and under which tag it was found. At most one record is written.
    pub(super) async fn remember<'d>(
        &self,
        parent: &Digest,
        listed: impl Iterator<Item = &'d Digest>,
        tag: Option<&str>,
        now: UnixTime,
    ) {
        let listed = DigestPrefixes::new(listed.map(prefix).collect());
        let text = parent.to_string();
        let known = self.knows_parent(&text, &listed);
        let is_news = !known || tag.is_some_and(|tag| self.is_news(parent, tag, now));
        if is_news {
            self.records.store.writable().await;
        }
        if !known {
            self.insert_parent(&text, listed);
        }
        if let Some(tag) = tag {
            self.insert_tag(parent, tag, now);
        }
        if is_news {
            self.save(now).await;
        }
    }

    /// A tag that was asked for again, and still means this digest.
    pub(super) async fn remember_tag(&self, digest: &Digest, tag: &str, now: UnixTime) {
        let is_news = self.is_news(digest, tag, now);
        if is_news {
            self.records.store.writable().await;
        }
        self.insert_tag(digest, tag, now);
        if is_news {
            self.save(now).await;
        }
    }

    /// Which evidence satisfied for this digest.
    pub(super) async fn remember_satisfied(
        &self,
        digest: &Digest,
        evidence: &[Digest],
        now: UnixTime,
    ) {
        if evidence.is_empty() || self.satisfied(digest) == evidence {
            return;
        }
        self.records.store.writable().await;
        self.insert_satisfied(&digest.to_string(), evidence.into());
        self.save(now).await;
    }

    fn knows_parent(&self, parent: &str, listed: &DigestPrefixes) -> bool {
        let mut caches = self.caches.borrow_mut();
        let known = caches.parents.get(&self.repository, parent);
        known.is_some_and(|known| known == listed)
    }

    fn insert_parent(&self, parent: &str, listed: DigestPrefixes) {
        let weight = listed.0.len().saturating_add(8);
        self.caches
            .borrow_mut()
            .parents
            .insert(&self.repository, parent, listed, weight);
    }

    /// Whether other isolates should know that this tag means this digest: it is new, or they would
    /// soon ask for it again.
    fn is_news(&self, digest: &Digest, tag: &str, now: UnixTime) -> bool {
        let mut caches = self.caches.borrow_mut();
        let known = caches.tags.get(&self.repository, &digest.to_string());
        let old = known.and_then(|known| known.iter().find(|old| old.tag == tag));
        old.is_none_or(|old| now.0.saturating_sub(old.at.0) > TAG_SECONDS / 2)
    }

    fn insert_tag(&self, digest: &Digest, tag: &str, at: UnixTime) {
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

    fn insert_satisfied(&self, digest: &str, evidence: Vec<Digest>) {
        let weight = evidence.len();
        self.caches
            .borrow_mut()
            .satisfied
            .insert(&self.repository, digest, evidence, weight);
    }

    fn key(&self) -> String {
        format!("hints/{}/{}", self.upstream, self.repository)
    }

    /// Reads from the store what other isolates know of this repository; whether there may be
    /// anything new.
    pub(super) async fn recall(&self, now: UnixTime) -> bool {
        let last = self
            .caches
            .borrow_mut()
            .recalled
            .get(&self.repository, "")
            .map(|last| *last);
        if last.is_some_and(|last| (0..RECALL_SECONDS).contains(&now.0.saturating_sub(last.0))) {
            return false;
        }
        let Some(text) = self.records.load("hints", &self.key()).await else {
            return false;
        };
        self.caches
            .borrow_mut()
            .recalled
            .insert(&self.repository, "", now, 1);
        // The last used stands first, and so is inserted last.
        for line in text.lines().collect::<Vec<_>>().into_iter().rev() {
            self.read_line(line);
        }
        true
    }

    fn read_line(&self, line: &str) -> Option<()> {
        let mut words = line.split(' ');
        let (kind, text) = (words.next()?, words.next()?);
        let digest = Digest::parse(text).ok()?;
        match kind {
            "lists" => {
                let prefixes = words
                    .map(|word| u64::from_str_radix(word, 16).ok())
                    .collect::<Option<Vec<_>>>()?;
                let listed = DigestPrefixes::new(prefixes);
                if !self.knows_parent(text, &listed) {
                    self.insert_parent(text, listed);
                }
            }
            "tag" => {
                let (at, tag) = (UnixTime(words.next()?.parse().ok()?), words.next()?);
                let known = self.tags(&digest);
                // What this isolate saw itself is newer.
                if known.iter().all(|known| known.tag != tag || known.at < at) {
                    self.insert_tag(&digest, tag, at);
                }
            }
            "good" => self.insert_satisfied(
                text,
                words
                    .filter_map(|word| Digest::parse(word).ok())
                    .take(2 * limits::EVIDENCE_PREFERRED)
                    .collect(),
            ),
            _ => return None,
        }
        Some(())
    }

    /// Everything that is known of this repository goes into one record.
    async fn save(&self, now: UnixTime) {
        // What other isolates wrote stays in it.
        self.recall(now).await;
        let text = self.to_record();
        self.records
            .save("hints", &self.key(), &text, RECORD_SECONDS)
            .await;
    }

    fn to_record(&self) -> String {
        let caches = self.caches.borrow();
        let mut text = String::new();
        let mut add = |line: String| {
            if text.len().saturating_add(line.len()) < limits::HINTS_RECORD {
                text.push_str(&line);
                text.push('\n');
            }
        };
        for (digest, tags) in caches.tags.entries_of(&self.repository) {
            for resolved in tags {
                add(format!("tag {digest} {} {}", resolved.at.0, resolved.tag));
            }
        }
        for (digest, evidence) in caches.satisfied.entries_of(&self.repository) {
            let words: Vec<String> = evidence.iter().map(ToString::to_string).collect();
            add(format!("good {digest} {}", words.join(" ")));
        }
        for (digest, listed) in caches.parents.entries_of(&self.repository) {
            let words: Vec<String> = listed.0.iter().map(|one| format!("{one:x}")).collect();
            add(format!("lists {digest} {}", words.join(" ")));
        }
        text
    }
}

/// The digests that a document lists, by their first eight bytes: enough to find the document by
/// one of them, and then the document itself is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DigestPrefixes(Vec<u64>);

impl DigestPrefixes {
    fn new(mut prefixes: Vec<u64>) -> Self {
        prefixes.sort_unstable();
        prefixes.dedup();
        Self(prefixes)
    }

    fn contains(&self, prefix: u64) -> bool {
        self.0.binary_search(&prefix).is_ok()
    }
}

/// The first eight bytes.
fn prefix(digest: &Digest) -> u64 {
    digest
        .bytes()
        .first_chunk()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_found() {
        let listed = DigestPrefixes::new(alloc::vec![3, 1, 2, 3]);
        assert!(listed.contains(1) && listed.contains(3) && !listed.contains(4));
        assert_eq!(listed.0, [1, 2, 3]);
    }
}
