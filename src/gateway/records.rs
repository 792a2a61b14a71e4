//! The store behind the isolate's own memory (docs/gateway.md "Remembering"). Others may write to
//! it, and it is trusted for nothing: a record without an HMAC under the gateway's secret, over its
//! kind, its key and this build, is ignored. The store is asked only in a request that the
//! upstream has let in: the request's budget sees to that.

use super::config::SECRET;
use crate::encoding::hex;
use crate::host::Store;
use alloc::format;
use alloc::string::String;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Authenticated records in a store.
pub(super) struct Records<'a, S> {
    pub store: &'a S,
    pub secret: &'a [u8],
    pub build: &'a str,
}

impl<S: Store> Records<'_, S> {
    /// The record of this kind under this key, if this gateway or one with its secret wrote it.
    pub(super) async fn load(&self, kind: &str, key: &str) -> Option<String> {
        // Without a secret nothing is asked for.
        self.mac(kind, key)?;
        let record = self.store.load(key).await?;
        self.body(kind, key, &record).map(Into::into)
    }

    /// What a record of this kind under this key says, if it is one of this gateway or of one with its
    /// secret.
    pub(super) fn body<'r>(&self, kind: &str, key: &str, record: &'r str) -> Option<&'r str> {
        let mut mac = self.mac(kind, key)?;
        let (body, tag) = record.rsplit_once('\n')?;
        mac.update(body.as_bytes());
        mac.verify_slice(&hex::decode(tag)?).ok()?;
        Some(body)
    }

    /// Keeps a record for at most so many seconds; without a secret nothing is kept.
    pub(super) async fn save(&self, kind: &str, key: &str, body: &str, seconds: u32) {
        if let Some(record) = self.record(kind, key, body) {
            self.store.save(key, &record, seconds).await;
        }
    }

    /// Adds a record to a log, as [`Self::save`] keeps one.
    pub(super) async fn append(&self, kind: &str, log: &str, body: &str, seconds: u32) {
        if let Some(record) = self.record(kind, log, body) {
            self.store.append(log, &record, seconds).await;
        }
    }

    fn record(&self, kind: &str, key: &str, body: &str) -> Option<String> {
        let mut mac = self.mac(kind, key)?;
        mac.update(body.as_bytes());
        let tag = hex::encode(&mac.finalize().into_bytes());
        Some(format!("{body}\n{tag}"))
    }

    /// Over kind, build and key, each with its length, so that no part can be taken for another.
    fn mac(&self, kind: &str, key: &str) -> Option<Hmac<Sha256>> {
        if self.secret.len() < SECRET {
            return None;
        }
        let mut mac: Hmac<Sha256> = Hmac::new_from_slice(self.secret).ok()?;
        for part in [kind, self.build, key] {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part.as_bytes());
        }
        Some(mac)
    }
}
