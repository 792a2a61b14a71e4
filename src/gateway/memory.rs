//! What a gateway remembers, and under which keys (GATEWAY.md, "Remembering"). Everything works without it.
//!
//! Hints are facts about content and admit nothing. A verdict answers one question only: its key is a hash of
//! everything that it depends on, and it carries an HMAC under the gateway's secret.

use super::config::Gateway;
use crate::digest::{sha256, Digest};
use crate::encoding::{base64, hex};
use crate::host::Store;
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
/// Parents or tags that one hint lists.
const HINTS: usize = 16;
/// Bytes of a manifest that is kept.
const KEPT: usize = 256 << 10;

/// What a hint leads from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hint {
    /// From a blob to manifests that list it.
    Blob,
    /// From an image to indexes that list it.
    Child,
    /// From a digest to tags under which it was resolved.
    Tag,
}

impl Hint {
    fn name(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Child => "child",
            Self::Tag => "tag",
        }
    }
}

/// A verdict as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub allow: bool,
    pub code: String,
    pub message: String,
}

/// The memory of one repository.
pub(super) struct Memory<'a, S> {
    pub gateway: &'a Gateway,
    pub store: &'a S,
    /// At the upstream.
    pub repository: String,
}

impl<S: Store> Memory<'_, S> {
    fn hint_key(&self, hint: Hint, from: &Digest) -> String {
        format!("hint/{}/{}/{}/{from}", self.gateway.upstream, self.repository, hint.name())
    }

    pub(super) async fn hints(&self, hint: Hint, from: &Digest) -> Vec<String> {
        let value = self.store.load(&self.hint_key(hint, from)).await.unwrap_or_default();
        value.lines().take(HINTS).map(ToString::to_string).collect()
    }

    pub(super) async fn add_hint(&self, hint: Hint, from: &Digest, to: &str) {
        let mut list = self.hints(hint, from).await;
        if list.first().is_some_and(|first| first == to) {
            return;
        }
        list.retain(|old| old != to);
        list.insert(0, to.into());
        list.truncate(HINTS);
        self.store.save(&self.hint_key(hint, from), &list.join("\n"), HINT_SECONDS).await;
    }

    fn content_key(&self, digest: &Digest) -> String {
        format!("content/{}/{}/{digest}", self.gateway.upstream, self.repository)
    }

    /// Bytes and content type that were kept; they are hashed again here.
    pub(super) async fn content(&self, digest: &Digest) -> Option<(Vec<u8>, Option<String>)> {
        let value = self.store.load(&self.content_key(digest)).await?;
        let (kind, body) = value.split_once('\n')?;
        let bytes = base64::decode(body)?;
        digest.check(&bytes).ok()?;
        Some((bytes, (!kind.is_empty()).then(|| kind.to_string())))
    }

    pub(super) async fn keep_content(&self, digest: &Digest, bytes: &[u8], content_type: Option<&str>) {
        if bytes.len() <= KEPT {
            let kind = content_type.unwrap_or_default().replace('\n', "");
            self.store.save(&self.content_key(digest), &format!("{kind}\n{}", base64::encode(bytes)), CONTENT_SECONDS).await;
        }
    }

    /// `judged` is the reference as judged, tag or digest included; `subject` says what else the verdict is about.
    pub(super) fn verdict_key(&self, judged: &str, digest: &Digest) -> String {
        let parts = format!("{}\n{}\n{judged}\n{digest}", self.gateway.basis, self.repository);
        format!("verdict/{}", hex::encode(&sha256(parts.as_bytes())))
    }

    pub(super) async fn verdict(&self, key: &str, now: UnixTime) -> Option<Kept> {
        let record = self.store.load(key).await?;
        let (signed, tag) = record.rsplit_once('\n')?;
        let mut mac = self.mac()?;
        mac.update(signed.as_bytes());
        mac.verify_slice(&hex::decode(tag)?).ok()?;
        let mut lines = signed.splitn(5, '\n');
        let (found, expires, allow, code, message) = (lines.next()?, lines.next()?, lines.next()?, lines.next()?, lines.next()?);
        let fresh = expires.parse::<i64>().ok()? > now.0;
        (found == key && fresh).then(|| Kept { allow: allow == "allow", code: code.into(), message: message.into() })
    }

    /// `until`: when the answer may change by time alone.
    pub(super) async fn keep_verdict(&self, key: &str, kept: &Kept, now: UnixTime, until: Option<UnixTime>) {
        let Some(mut mac) = self.mac() else { return };
        let longest = if kept.allow { ALLOW_SECONDS } else { DENY_SECONDS };
        let left = until.map_or(longest, |until| u32::try_from(until.0.saturating_sub(now.0)).unwrap_or(if until > now { u32::MAX } else { 0 }));
        let seconds = longest.min(left);
        if seconds == 0 {
            return;
        }
        let word = if kept.allow { "allow" } else { "deny" };
        let signed = format!("{key}\n{}\n{word}\n{}\n{}", now.0.saturating_add(i64::from(seconds)), kept.code, kept.message);
        mac.update(signed.as_bytes());
        let tag = hex::encode(&mac.finalize().into_bytes());
        self.store.save(key, &format!("{signed}\n{tag}"), seconds).await;
    }

    fn mac(&self) -> Option<Hmac<Sha256>> {
        if self.gateway.secret.len() < 16 {
            return None;
        }
        Hmac::new_from_slice(&self.gateway.secret).ok()
    }
}
