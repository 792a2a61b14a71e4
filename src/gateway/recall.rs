//! How isolates share the hints of a repository: one record has everything, another the news, which
//! is what came since. What is new is written with the news alone, which are few; when they are many,
//! everything is gathered into its record, and the news begin anew. So a new manifest costs about the
//! same however much is known of its repository.
//!
//! Isolates may write at once, and one of the two is then lost: each writes all the news that it knows,
//! so that what it found itself is there again with what it finds next.

use super::hints::{HintCaches, Hints};
use super::news::{News, good_line, lists_line, parts, record, tag_line};
use super::parents::DigestPrefixes;
use crate::digest::Digest;
use crate::host::Store;
use crate::keyed::Keys;
use crate::limits;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

const RECORD_SECONDS: u32 = 30 * 24 * 3_600;
/// Seconds before the store is asked for hints of a repository again.
const RECALL_SECONDS: i64 = 5;

impl<S: Store> Hints<'_, S> {
    /// Reads from the store what other isolates know of this repository; whether there may be
    /// anything new.
    pub(super) async fn recall(&self, now: UnixTime) -> bool {
        let last = self.with_news(|news| news.recalled);
        let is_young = |last: UnixTime| (0..RECALL_SECONDS).contains(&now.0.saturating_sub(last.0));
        if last.is_some_and(is_young) {
            return false;
        }
        self.read(now, last.is_none()).await
    }

    /// The news; and everything, where that is wanted, or was gathered anew.
    async fn read(&self, now: UnixTime, everything: bool) -> bool {
        let found = self.records.load("news", &self.key("news")).await;
        let Some((gathered, news)) = found.as_deref().and_then(parts) else {
            return false;
        };
        if everything || self.with_news(|news| news.gathered < gathered) {
            self.read_everything().await;
        }
        for line in news.lines() {
            // Nobody else may have it any more.
            if self.read_line(line).is_some() {
                self.with_news(|news| news.add(line.into()));
            }
        }
        self.with_news(|news| news.recalled = Some(now));
        true
    }

    async fn read_everything(&self) {
        let found = self.records.load("hints", &self.key("hints")).await;
        let Some((gathered, text)) = found.as_deref().and_then(parts) else {
            return;
        };
        // The last used stands first, and so is inserted last.
        let lines: Vec<&str> = text.lines().collect();
        for line in lines.iter().rev() {
            self.read_line(line);
        }
        let mut known = Keys::default();
        for line in lines {
            known.add(line);
        }
        self.with_news(|news| {
            news.gathered = news.gathered.max(gathered);
            news.lines.retain(|line| !known.contains(line.as_str()));
        });
    }

    /// What this line says, if this isolate did not know it.
    fn read_line(&self, line: &str) -> Option<()> {
        let mut words = line.split(' ');
        let (kind, text) = (words.next()?, words.next()?);
        let digest = Digest::parse(text).ok()?;
        match kind {
            "lists" => {
                let prefixes = words.map(|word| u64::from_str_radix(word, 16).ok());
                let listed = DigestPrefixes::new(prefixes.collect::<Option<_>>()?);
                let knows =
                    |caches: &HintCaches| caches.parents.knows(&self.repository, text, &listed);
                let is_known = knows(&self.caches.borrow());
                (!is_known).then(|| self.insert_parent(text, listed))
            }
            "tag" => {
                let (at, tag) = (UnixTime(words.next()?.parse().ok()?), words.next()?);
                let known = self.tags(&digest);
                // What this isolate saw itself is newer.
                let is_new = known.iter().all(|known| known.tag != tag || known.at < at);
                is_new.then(|| self.insert_tag(&digest, tag, at))
            }
            "good" => {
                let evidence = words.filter_map(|word| Digest::parse(word).ok());
                let evidence: Vec<_> = evidence.take(2 * limits::EVIDENCE_PREFERRED).collect();
                let is_new = self.satisfied(&digest).is_empty();
                is_new.then(|| self.insert_satisfied(text, evidence))
            }
            _ => None,
        }
    }

    /// What other isolates should know, without a hurry: it is written with the next news.
    pub(super) fn note(&self, line: String) {
        self.with_news(|news| news.add(line));
    }

    /// The same at once: one record is written, now and then another with everything.
    pub(super) async fn tell(&self, lines: Vec<String>, now: UnixTime) {
        if lines.is_empty() {
            return;
        }
        lines.into_iter().for_each(|line| self.note(line));
        // What other isolates wrote stays in it.
        self.recall(now).await;
        if self.with_news(|news| news.are_due(now)) {
            self.read(now, true).await;
        }
        if let Some(text) = self.gather(now) {
            self.write("hints", &text).await;
        }
        let text = self.with_news(|news| news.to_record());
        self.write("news", &text).await;
    }

    /// Everything, if it is time for it: then there are no news.
    fn gather(&self, now: UnixTime) -> Option<String> {
        let gathered = self.with_news(|news| {
            let is_due = news.are_due(now);
            is_due.then(|| {
                news.lines.clear();
                news.gathered = now.0.max(news.gathered.saturating_add(1));
                news.gathered
            })
        })?;
        Some(record(gathered, &self.everything()))
    }

    /// What is known of this repository, the last used first; each kind with room of its own.
    fn everything(&self) -> String {
        let caches = self.caches.borrow();
        let mut text = String::new();
        let tags = caches.tags.entries_of(&self.repository);
        let tags = tags.flat_map(|(digest, tags)| {
            let lines = tags.iter();
            lines.map(move |resolved| tag_line(digest, &resolved.tag, resolved.at))
        });
        fill(&mut text, limits::HINTS_RECORD / 4, tags);
        let satisfied = caches.satisfied.entries_of(&self.repository);
        let satisfied = satisfied.map(|(digest, evidence)| good_line(digest, evidence));
        fill(&mut text, limits::HINTS_RECORD / 2, satisfied);
        let listed = caches.parents.all(&self.repository);
        let listed = listed.map(|(digest, listed)| lists_line(digest, listed));
        fill(&mut text, limits::HINTS_RECORD, listed);
        text
    }

    async fn write(&self, kind: &str, text: &str) {
        let key = self.key(kind);
        self.records.save(kind, &key, text, RECORD_SECONDS).await;
    }

    fn key(&self, kind: &str) -> String {
        format!("{kind}/{}/{}", self.upstream, self.repository)
    }

    fn with_news<T>(&self, f: impl FnOnce(&mut News) -> T) -> T {
        let mut caches = self.caches.borrow_mut();
        let known = caches.news.remove(&self.repository, "");
        let mut news = known.map(|known| known.value).unwrap_or_default();
        let answer = f(&mut news);
        let weight = news.size().saturating_add(limits::KEPT_PARENT);
        caches.news.insert(&self.repository, "", news, weight);
        answer
    }
}

/// Room that is too small to look for what still fits into it.
const NEARLY_NOTHING: usize = 512;

/// Adds lines until the text has this size.
fn fill(text: &mut String, most: usize, lines: impl Iterator<Item = String>) {
    for line in lines {
        let room = most.saturating_sub(text.len());
        if room < NEARLY_NOTHING {
            return;
        }
        if line.len() < room {
            text.push_str(&line);
            text.push('\n');
        }
    }
}
