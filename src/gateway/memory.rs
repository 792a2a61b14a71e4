//! What a gateway remembers, and under which keys (docs/gateway.md "Remembering"). Everything works
//! without it.
//!
//! Two levels: the isolate's own memory ([`Shelf`]), and behind it a store that others may write to
//! and that is trusted for nothing. What comes from there carries an HMAC under the gateway's
//! secret, for its kind, its key and this build, or it is not there. [`super::budget`] asks it only
//! in a request that the upstream has let in.
//!
//! Hints are facts about content and admit nothing. A verdict answers one question only: its key is
//! a hash of everything that it depends on.

use super::config::Gateway;
use super::shelf::{Listed, Shelf};
use crate::digest::{Digest, sha256};
use crate::encoding::{base64, hex};
use crate::host::Store;
use crate::limits;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const HINT_SECONDS: u32 = 30 * 24 * 3_600;
const ALLOW_SECONDS: u32 = 3_600;
const DENY_SECONDS: u32 = 10;
const CONTENT_SECONDS: u32 = 3_600;
/// How long a tag that was resolved here answers for its digest without being asked for again.
const TAG_SECONDS: i64 = 600;
/// Seconds before the store is asked for hints of a repository again.
const RECALL_SECONDS: i64 = 5;
/// Parents or tags that are tried for one digest.
const HINTS: usize = 16;

/// A verdict as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub allow: bool,
    pub code: String,
    pub message: String,
    /// When the answer may change by time alone.
    pub until: Option<UnixTime>,
}

/// A tag under which a digest was resolved, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolved {
    pub tag: String,
    pub at: UnixTime,
}

impl Resolved {
    /// Whether the tag was resolved here a short time ago.
    pub(super) fn is_fresh(&self, now: UnixTime) -> bool {
        (0..=TAG_SECONDS).contains(&now.0.saturating_sub(self.at.0))
    }
}

/// The isolate's own memory, each kind with a budget of its own.
#[derive(Debug)]
pub(super) struct Shelves {
    pub(super) verdicts: Shelf<(Kept, UnixTime)>,
    pub(super) content: Shelf<Vec<u8>>,
    pub(super) parents: Shelf<Listed>,
    pub(super) tags: Shelf<Vec<Resolved>>,
    pub(super) satisfied: Shelf<Vec<Digest>>,
    pub(super) recalled: Shelf<UnixTime>,
}

impl Default for Shelves {
    fn default() -> Self {
        Self {
            verdicts: Shelf::new(limits::KEPT_VERDICTS),
            content: Shelf::new(limits::KEPT_CONTENT),
            parents: Shelf::new(limits::KEPT_LINKS),
            tags: Shelf::new(limits::KEPT_TAGS),
            satisfied: Shelf::new(limits::KEPT_TAGS),
            recalled: Shelf::new(limits::KEPT_TAGS),
        }
    }
}

/// The memory of one repository.
pub(super) struct Memory<'a, S> {
    pub gateway: &'a Gateway,
    pub store: &'a S,
    /// At the upstream.
    pub repository: String,
}

/// Enough of a digest to find its parents by.
fn part(digest: &Digest) -> u64 {
    digest
        .bytes()
        .first_chunk()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

impl<S: Store> Memory<'_, S> {
    /// Manifests and indexes that were served here and may list this digest, the last used first.
    pub(super) fn parents(&self, of: &Digest) -> Vec<Digest> {
        let part = part(of);
        let shelves = self.gateway.shelves.borrow();
        let found = shelves
            .parents
            .of(&self.repository)
            .filter(|(_, listed)| listed.has(part));
        found
            .filter_map(|(parent, _)| Digest::parse(parent).ok())
            .take(HINTS)
            .collect()
    }

    /// Tags under which this digest was resolved here, the last first.
    pub(super) fn tags(&self, of: &Digest) -> Vec<Resolved> {
        self.gateway
            .shelves
            .borrow_mut()
            .tags
            .find(&self.repository, &of.to_string())
            .cloned()
            .unwrap_or_default()
    }

    /// Evidence that satisfied for this digest before: the manifest that lists it, and its own
    /// bytes, in pairs.
    pub(super) fn satisfied(&self, of: &Digest) -> Vec<Digest> {
        self.gateway
            .shelves
            .borrow_mut()
            .satisfied
            .find(&self.repository, &of.to_string())
            .cloned()
            .unwrap_or_default()
    }

    /// Facts about content that was served: what it lists, and under which tag it was found. One
    /// operation.
    pub(super) async fn remember<'d>(
        &self,
        parent: &Digest,
        listed: impl Iterator<Item = &'d Digest>,
        tag: Option<&str>,
        now: UnixTime,
    ) {
        let listed = Listed::new(listed.map(part).collect());
        let known = self.put_parent(&parent.to_string(), listed);
        let resolved = tag.is_some_and(|tag| {
            self.put_tag(
                &parent.to_string(),
                Resolved {
                    tag: tag.into(),
                    at: now,
                },
                now,
            )
        });
        if !known || resolved {
            self.save_hints(now).await;
        }
    }

    /// A tag that was asked for again, and still means this digest.
    pub(super) async fn remember_tag(&self, digest: &Digest, tag: &str, now: UnixTime) {
        if self.put_tag(
            &digest.to_string(),
            Resolved {
                tag: tag.into(),
                at: now,
            },
            now,
        ) {
            self.save_hints(now).await;
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
        self.put_satisfied(&digest.to_string(), evidence.into());
        self.save_hints(now).await;
    }

    /// Whether it was known already.
    fn put_parent(&self, parent: &str, listed: Listed) -> bool {
        let mut shelves = self.gateway.shelves.borrow_mut();
        if shelves
            .parents
            .find(&self.repository, parent)
            .is_some_and(|known| *known == listed)
        {
            return true;
        }
        let weight = listed.parts().len().saturating_add(8);
        shelves
            .parents
            .put(&self.repository, parent, listed, weight);
        false
    }

    /// Whether that is news to others: a tag that they do not know, or one that would soon be asked
    /// for again.
    fn put_tag(&self, digest: &str, resolved: Resolved, now: UnixTime) -> bool {
        let mut shelves = self.gateway.shelves.borrow_mut();
        let mut list = shelves
            .tags
            .find(&self.repository, digest)
            .cloned()
            .unwrap_or_default();
        let old = list
            .iter()
            .position(|old| old.tag == resolved.tag)
            .map(|at| list.remove(at));
        let news = old.is_none_or(|old| now.0.saturating_sub(old.at.0) > TAG_SECONDS / 2);
        list.insert(0, resolved);
        list.truncate(HINTS);
        let weight = list.len();
        shelves.tags.put(&self.repository, digest, list, weight);
        news
    }

    fn put_satisfied(&self, digest: &str, evidence: Vec<Digest>) {
        let weight = evidence.len();
        self.gateway
            .shelves
            .borrow_mut()
            .satisfied
            .put(&self.repository, digest, evidence, weight);
    }

    fn hints_key(&self) -> String {
        format!("hints/{}/{}", self.gateway.upstream, self.repository)
    }

    /// Looks into the store for what others know of this repository; whether anything may have
    /// come.
    pub(super) async fn recall(&self, now: UnixTime) -> bool {
        let last = self
            .gateway
            .shelves
            .borrow_mut()
            .recalled
            .find(&self.repository, "")
            .map(|last| *last);
        if last.is_some_and(|last| (0..RECALL_SECONDS).contains(&now.0.saturating_sub(last.0))) {
            return false;
        }
        let Some(text) = self.load("hints", &self.hints_key()).await else {
            return false;
        };
        self.gateway
            .shelves
            .borrow_mut()
            .recalled
            .put(&self.repository, "", now, 1);
        // What was used last stands first, and is put last.
        for line in text.lines().collect::<Vec<_>>().into_iter().rev() {
            self.take_hint(line, now);
        }
        true
    }

    fn take_hint(&self, line: &str, now: UnixTime) -> Option<()> {
        let mut words = line.split(' ');
        let (kind, digest) = (words.next()?, words.next()?);
        Digest::parse(digest).ok()?;
        match kind {
            "lists" => {
                let parts = words
                    .map(|word| u64::from_str_radix(word, 16).ok())
                    .collect::<Option<Vec<_>>>()?;
                self.put_parent(digest, Listed::new(parts));
            }
            "tag" => {
                let (at, tag) = (words.next()?.parse().ok()?, words.next()?);
                let known = self.tags(&Digest::parse(digest).ok()?);
                // What this isolate saw itself is newer.
                if known
                    .iter()
                    .all(|known| known.tag != tag || known.at.0 < at)
                {
                    self.put_tag(
                        digest,
                        Resolved {
                            tag: tag.into(),
                            at: UnixTime(at),
                        },
                        now,
                    );
                }
            }
            "good" => self.put_satisfied(
                digest,
                words
                    .filter_map(|word| Digest::parse(word).ok())
                    .take(2 * limits::EVIDENCE_PREFERRED)
                    .collect(),
            ),
            _ => return None,
        }
        Some(())
    }

    /// Everything that is known of this repository, in one record.
    async fn save_hints(&self, now: UnixTime) {
        // What others wrote stays in it.
        self.recall(now).await;
        let text = {
            let shelves = self.gateway.shelves.borrow();
            let mut text = String::new();
            let mut add = |line: String| {
                if text.len().saturating_add(line.len()) < limits::HINTS_RECORD {
                    text.push_str(&line);
                    text.push('\n');
                }
            };
            for (digest, list) in shelves.tags.of(&self.repository) {
                for one in list {
                    add(format!("tag {digest} {} {}", one.at.0, one.tag));
                }
            }
            for (digest, evidence) in shelves.satisfied.of(&self.repository) {
                add(format!(
                    "good {digest} {}",
                    evidence
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(" ")
                ));
            }
            for (digest, listed) in shelves.parents.of(&self.repository) {
                add(format!(
                    "lists {digest} {}",
                    listed
                        .parts()
                        .iter()
                        .map(|part| format!("{part:x}"))
                        .collect::<Vec<_>>()
                        .join(" ")
                ));
            }
            text
        };
        self.save("hints", &self.hints_key(), &text, HINT_SECONDS)
            .await;
    }

    fn content_key(&self, digest: &Digest) -> String {
        format!(
            "content/{}/{}/{digest}",
            self.gateway.upstream, self.repository
        )
    }

    /// Bytes that this isolate kept; they were hashed before.
    pub(super) fn content(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.gateway
            .shelves
            .borrow_mut()
            .content
            .find(&self.repository, &digest.to_string())
            .map(|bytes| bytes.clone())
    }

    /// Bytes that the store has; they are hashed again here.
    pub(super) async fn recall_content(&self, digest: &Digest) -> Option<Vec<u8>> {
        let bytes = base64::decode(&self.load("content", &self.content_key(digest)).await?)?;
        digest.check(&bytes).ok()?;
        self.put_content(digest, &bytes);
        Some(bytes)
    }

    fn put_content(&self, digest: &Digest, bytes: &[u8]) {
        self.gateway.shelves.borrow_mut().content.put(
            &self.repository,
            &digest.to_string(),
            bytes.into(),
            bytes.len(),
        );
    }

    /// Keeps bytes that were hashed and allowed.
    pub(super) async fn keep_content(&self, digest: &Digest, bytes: &[u8]) {
        if bytes.len() > limits::KEPT_MANIFEST || self.content(digest).is_some() {
            return;
        }
        self.put_content(digest, bytes);
        self.save(
            "content",
            &self.content_key(digest),
            &base64::encode(bytes),
            CONTENT_SECONDS,
        )
        .await;
    }

    /// `judged` is the reference as judged, tag or digest included; `within`: the index as an image
    /// of which it was judged.
    pub(super) fn verdict_key(
        &self,
        judged: &str,
        within: Option<&Digest>,
        digest: &Digest,
    ) -> String {
        let within = within.map(ToString::to_string).unwrap_or_default();
        let parts = format!(
            "{}\n{}\n{judged}\n{within}\n{digest}",
            self.gateway.basis, self.repository
        );
        format!("verdict/{}", hex::encode(&sha256(parts.as_bytes())))
    }

    /// A verdict that is still an answer.
    pub(super) async fn verdict(&self, key: &str, now: UnixTime) -> Option<Kept> {
        let fresh = |until: UnixTime| until > now;
        let found = self
            .gateway
            .shelves
            .borrow_mut()
            .verdicts
            .find(&self.repository, key)
            .cloned();
        if let Some((kept, until)) = found {
            if fresh(until) {
                return Some(kept);
            }
            self.gateway
                .shelves
                .borrow_mut()
                .verdicts
                .remove(&self.repository, key);
        }
        let record = self.load("verdict", key).await?;
        let mut lines = record.splitn(5, '\n');
        let (until, end, allow, code, message) = (
            lines.next()?,
            lines.next()?,
            lines.next()?,
            lines.next()?,
            lines.next()?,
        );
        let until = UnixTime(until.parse().ok()?);
        let end = if end.is_empty() {
            None
        } else {
            Some(UnixTime(end.parse().ok()?))
        };
        let kept = Kept {
            allow: allow == "allow",
            code: code.into(),
            message: message.into(),
            until: end,
        };
        fresh(until).then(|| {
            self.put_verdict(key, &kept, until);
            kept
        })
    }

    fn put_verdict(&self, key: &str, kept: &Kept, until: UnixTime) {
        let weight = kept.message.len().saturating_add(256);
        self.gateway.shelves.borrow_mut().verdicts.put(
            &self.repository,
            key,
            (kept.clone(), until),
            weight,
        );
    }

    /// Keeps a verdict for as long as it is an answer.
    pub(super) async fn keep_verdict(&self, key: &str, kept: &Kept, now: UnixTime) {
        let longest = if kept.allow {
            ALLOW_SECONDS
        } else {
            DENY_SECONDS
        };
        let left = kept.until.map_or(longest, |until| {
            u32::try_from(until.0.saturating_sub(now.0)).unwrap_or(if until > now {
                u32::MAX
            } else {
                0
            })
        });
        let seconds = longest.min(left);
        if seconds == 0 {
            return;
        }
        let until = UnixTime(now.0.saturating_add(i64::from(seconds)));
        self.put_verdict(key, kept, until);
        let word = if kept.allow { "allow" } else { "deny" };
        let end = kept.until.map(|end| end.0.to_string()).unwrap_or_default();
        self.save(
            "verdict",
            key,
            &format!(
                "{}\n{end}\n{word}\n{}\n{}",
                until.0, kept.code, kept.message
            ),
            seconds,
        )
        .await;
    }

    /// What the store has under this key, if this gateway's secret vouches for it.
    async fn load(&self, kind: &str, key: &str) -> Option<String> {
        let mut mac = self.mac(kind, key)?;
        let record = self.store.load(key).await?;
        let (body, tag) = record.rsplit_once('\n')?;
        mac.update(body.as_bytes());
        mac.verify_slice(&hex::decode(tag)?).ok()?;
        Some(body.into())
    }

    async fn save(&self, kind: &str, key: &str, body: &str, seconds: u32) {
        let Some(mut mac) = self.mac(kind, key) else {
            return;
        };
        mac.update(body.as_bytes());
        let tag = hex::encode(&mac.finalize().into_bytes());
        self.store
            .save(key, &format!("{body}\n{tag}"), seconds)
            .await;
    }

    /// Over the kind of record, the build that reads it, and its key; no part can be taken for
    /// another.
    fn mac(&self, kind: &str, key: &str) -> Option<Hmac<Sha256>> {
        if self.gateway.secret.len() < 16 {
            return None;
        }
        let mut mac: Hmac<Sha256> = Hmac::new_from_slice(&self.gateway.secret).ok()?;
        for part in [kind, &self.gateway.build, key] {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part.as_bytes());
        }
        Some(mac)
    }
}
