//! What a gateway remembers of content and verdicts, and under which keys (docs/gateway.md
//! "Remembering"). Everything works without it.
//!
//! Two levels: the isolate's own memory, and behind it the authenticated [`Records`] of a store. A
//! verdict answers one question only: its key is a hash of everything that it depends on.

use super::cache::Cache;
use super::ecr::Issued;
use super::fetching::{Fetching, UnderWay};
use super::hints::HintCaches;
use super::moment::{Moment, SaidNow};
use super::records::Records;
use super::stop::Stop;
use crate::digest::{Digest, sha256};
use crate::encoding::json::{self, Dialect, Node};
use crate::encoding::{base64, hex};
use crate::error::Failure;
use crate::host::Store;
use crate::limits;
use crate::oci::registry::Tokens;
use crate::time::UnixTime;
use crate::verify::Subject;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

const ALLOW_SECONDS: u32 = 3_600;
const DENY_SECONDS: u32 = 10;
const CONTENT_SECONDS: u32 = 3_600;

/// The code of a ruling on whether content is evidence.
pub(super) const EVIDENCE: &str = "evidence";

/// What was decided about one question, for as long as the answer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ruling {
    pub allow: bool,
    pub reason: Failure,
    /// Whose signatures were accepted, for the log.
    pub signers: Vec<String>,
    /// When the answer may change by time alone.
    pub until: Option<UnixTime>,
}

impl Ruling {
    /// Itself if it allows.
    pub(super) fn allowed(self) -> Result<Self, Stop> {
        if self.allow {
            Ok(self)
        } else {
            Err(Stop::Denied(self.reason))
        }
    }

    /// Seconds for which it may be kept.
    fn seconds(&self, now: UnixTime) -> u32 {
        let longest = if self.allow {
            ALLOW_SECONDS
        } else {
            DENY_SECONDS
        };
        let left = self.until.map_or(i64::from(longest), |until| {
            until.0.saturating_sub(now.0).max(0)
        });
        u32::try_from(left).unwrap_or(u32::MAX).min(longest)
    }

    fn to_record(&self, end: UnixTime) -> String {
        let word = if self.allow { "allow" } else { "deny" };
        let until = self.until.map(|until| until.0.to_string());
        format!(
            "{}\n{}\n{word}\n{}\n{}\n{}",
            end.0,
            until.unwrap_or_default(),
            json::list(&self.signers),
            self.reason.code,
            self.reason.message
        )
    }

    /// With the time until which the record holds. A record whose code this build does not know is
    /// ignored.
    fn from_record(record: &str) -> Option<(Self, UnixTime)> {
        let mut lines = record.splitn(6, '\n');
        let end = UnixTime(lines.next()?.parse().ok()?);
        let until = match lines.next()? {
            "" => None,
            until => Some(UnixTime(until.parse().ok()?)),
        };
        let allow = lines.next()? == "allow";
        let signers = json::parse(lines.next()?.as_bytes(), Dialect::Strict).ok()?;
        let signers = signers.as_array()?.iter().filter_map(Node::as_str);
        let signers = signers.map(ToString::to_string).collect();
        let code = lines.next()?;
        let code = crate::verify::codes()
            .chain([EVIDENCE])
            .find(|known| *known == code)?;
        let reason = Failure::new(code, lines.next()?);
        Some((
            Self {
                allow,
                reason,
                signers,
                until,
            },
            end,
        ))
    }
}

/// A question that was answered. The isolate's own memory is that of one configuration, and is asked
/// by repository; beyond it, both belong to the name ([`Memory::stored`]).
pub(super) struct RulingKey {
    question: String,
    /// Since when nothing was forgotten, as the question was asked.
    since: i64,
}

/// The isolate's own memory, each kind with a budget of its own.
#[derive(Debug)]
pub(super) struct Caches {
    pub(super) rulings: RefCell<Cache<(Ruling, UnixTime)>>,
    pub(super) content: Rc<RefCell<Cache<Rc<Subject>>>>,
    pub(super) under_way: Rc<UnderWay>,
    pub(super) hints: Rc<RefCell<HintCaches>>,
    pub(super) said: RefCell<SaidNow>,
    /// What registries are asked with: it says nothing of images.
    pub(super) tokens: Rc<Tokens>,
    pub(super) issued: Rc<Issued>,
    /// When everything was forgotten, in milliseconds, or a number after the one before: verdicts of
    /// before that answer other questions.
    pub(super) since: Cell<i64>,
}

impl Caches {
    /// For another policy: facts about content are the same, verdicts are its own.
    pub(super) fn beside(&self) -> Self {
        Self {
            content: self.content.clone(),
            hints: self.hints.clone(),
            tokens: self.tokens.clone(),
            issued: self.issued.clone(),
            since: self.since.clone(),
            ..Self::default()
        }
    }

    /// What was kept so far is kept no more, and what a store has of it is asked for no more.
    pub(super) fn forget(&self, now: UnixTime) {
        let fresh = Self::default();
        self.rulings.swap(&fresh.rulings);
        self.content.swap(&fresh.content);
        self.hints.swap(&fresh.hints);
        self.said.swap(&fresh.said);
        let next = self.since.get().saturating_add(1);
        self.since.set(now.0.saturating_mul(1_000).max(next));
    }
}

impl Default for Caches {
    fn default() -> Self {
        Self {
            rulings: RefCell::new(Cache::new(limits::KEPT_VERDICTS)),
            content: Rc::new(RefCell::new(Cache::new(limits::KEPT_CONTENT))),
            under_way: Rc::default(),
            hints: Rc::default(),
            said: RefCell::default(),
            tokens: Rc::default(),
            issued: Rc::default(),
            since: Cell::default(),
        }
    }
}

/// What is remembered of one repository.
pub(super) struct Memory<'a, S> {
    pub caches: &'a Caches,
    pub records: Records<'a, S>,
    pub upstream: &'a str,
    /// At the upstream.
    pub repository: String,
    /// What verdicts depend on beside the image.
    pub basis: &'a str,
}

impl<S: Store> Memory<'_, S> {
    fn content_key(&self, digest: &Digest) -> String {
        format!("content/{}/{}/{digest}", self.upstream, self.repository)
    }

    /// Content that this isolate kept; it was hashed and read before.
    pub(super) fn content(&self, digest: &Digest) -> Option<Rc<Subject>> {
        self.caches
            .content
            .borrow_mut()
            .get(&self.repository, &digest.to_string())
            .cloned()
    }

    /// Whether this isolate kept it.
    pub(super) fn has_content(&self, digest: &Digest) -> bool {
        self.content(digest).is_some()
    }

    /// Whether another request fetches it just now, or waits for that.
    pub(super) fn is_under_way(&self, digest: &Digest) -> bool {
        self.caches.under_way.has(&self.content_key(digest))
    }

    /// Waits until no other request fetches it; others know of this one until the value is dropped.
    pub(super) async fn take_turn(&self, digest: &Digest) -> Fetching {
        let key = self.content_key(digest);
        let fetching = self.caches.under_way.begin(key.clone());
        self.records.store.lock(&key).await;
        fetching
    }

    /// Content that the store has; it is hashed and read again here. Its kind was derived from the
    /// bytes alone, or they would not have been kept.
    pub(super) async fn recall_content(&self, digest: &Digest) -> Option<Rc<Subject>> {
        let record = self
            .records
            .load("content", &self.content_key(digest))
            .await?;
        let bytes = base64::decode(&record)?;
        let subject = Rc::new(Subject::read(bytes, None, Some(digest)).ok()?);
        self.insert_content(digest, &subject);
        Some(subject)
    }

    fn insert_content(&self, digest: &Digest, subject: &Rc<Subject>) {
        self.caches.content.borrow_mut().insert(
            &self.repository,
            &digest.to_string(),
            subject.clone(),
            subject.bytes.len().saturating_mul(limits::KEPT_READ),
        );
    }

    /// Keeps content that was hashed and allowed.
    pub(super) async fn keep_content(&self, digest: &Digest, subject: &Rc<Subject>) {
        if subject.bytes.len() > limits::KEPT_MANIFEST || self.has_content(digest) {
            return;
        }
        self.records.store.writable().await;
        self.insert_content(digest, subject);
        self.records
            .save(
                "content",
                &self.content_key(digest),
                &base64::encode(&subject.bytes),
                CONTENT_SECONDS,
            )
            .await;
    }

    /// `judged` is the reference as judged, tag or digest included; `within`: the index as an image
    /// of which it was judged.
    pub(super) fn ruling_key(
        &self,
        judged: &str,
        within: Option<&Digest>,
        digest: &Digest,
    ) -> RulingKey {
        let within = within.map(ToString::to_string).unwrap_or_default();
        RulingKey {
            question: [judged, &within, &digest.to_string()].join("\n"),
            since: self.caches.since.get(),
        }
    }

    /// The name of a ruling beyond this isolate: a hash of everything that it depends on, beside its
    /// repository's other records, so that each repository takes the room of its own alone.
    pub(super) fn stored(&self, key: &RulingKey) -> String {
        let since = key.since.to_string();
        let parts = [self.basis, &since, &self.repository, &key.question].join("\n");
        let hash = hex::encode(&sha256(parts.as_bytes()));
        format!("verdict/{}/{}/{hash}", self.upstream, self.repository)
    }

    /// A ruling that still holds.
    pub(super) async fn ruling(&self, key: &RulingKey, now: UnixTime) -> Option<Ruling> {
        if let Some(ruling) = self.kept_ruling(key, now) {
            return Some(ruling);
        }
        let record = self.records.load("verdict", &self.stored(key)).await?;
        let (ruling, end) = Ruling::from_record(&record)?;
        let holds = key.since == self.caches.since.get() && Moment::of(now).is_before(end);
        holds.then(|| {
            self.insert_ruling(key, &ruling, end);
            ruling
        })
    }

    /// The same, where this isolate kept it.
    pub(super) fn kept_ruling(&self, key: &RulingKey, now: UnixTime) -> Option<Ruling> {
        let mut rulings = self.caches.rulings.borrow_mut();
        let (ruling, end) = rulings.get(&self.repository, &key.question)?;
        if Moment::of(now).is_before(*end) {
            return Some(ruling.clone());
        }
        rulings.remove(&self.repository, &key.question);
        None
    }

    fn insert_ruling(&self, key: &RulingKey, ruling: &Ruling, end: UnixTime) {
        let texts = key.question.len().saturating_mul(2);
        let texts = texts.saturating_add(ruling.reason.message.len());
        let texts = (ruling.signers.iter())
            .map(String::len)
            .fold(texts, usize::saturating_add);
        let weight = texts.saturating_add(limits::KEPT_RULING);
        self.caches.rulings.borrow_mut().insert(
            &self.repository,
            &key.question,
            (ruling.clone(), end),
            weight,
        );
    }

    /// Keeps a ruling for as long as it holds; not if everything was forgotten while it was made.
    pub(super) async fn keep_ruling(&self, key: &RulingKey, ruling: &Ruling, now: UnixTime) {
        if key.since != self.caches.since.get() {
            return;
        }
        let seconds = ruling.seconds(now);
        let end = UnixTime(now.0.saturating_add(i64::from(seconds)));
        if !Moment::of(now).is_before(end) {
            return;
        }
        self.records.store.writable().await;
        self.insert_ruling(key, ruling, end);
        self.records
            .save(
                "verdict",
                &self.stored(key),
                &ruling.to_record(end),
                seconds,
            )
            .await;
    }
}
