//! One request, one budget (docs/gateway.md "One request, one budget"): what a request may ask of
//! the upstream, images of an index included. The store is used only for a request that the
//! upstream has let in.

use super::counters::Counters;
use crate::crypto::{Outcome, Provider, SignatureCheck};
use crate::error::HostError;
use crate::host::{Host, Request, Response, Sink, Store};
use crate::limits;
use core::cell::Cell;

/// Does what `inner` does, as long as the budget lasts.
pub(crate) struct Budget<'a, R> {
    inner: &'a R,
    pub(super) counters: &'a Counters,
    requests: Cell<usize>,
    allowed: Cell<usize>,
    bytes: Cell<usize>,
    /// Whether the upstream has answered with content to this request's credentials. All of a
    /// request is about one repository.
    let_in: Cell<bool>,
}

impl<'a, R> Budget<'a, R> {
    pub(super) fn new(inner: &'a R, counters: &'a Counters, requests: usize) -> Self {
        Self {
            inner,
            counters,
            requests: Cell::new(0),
            allowed: Cell::new(requests),
            bytes: Cell::new(limits::REQUEST_BYTES),
            let_in: Cell::new(false),
        }
    }

    /// For a job that is no client's request: what it asks is bounded by itself.
    #[cfg(all(feature = "wasm", target_arch = "wasm32", target_os = "unknown"))]
    pub(crate) fn unbounded(inner: &'a R, counters: &'a Counters) -> Self {
        Self {
            bytes: Cell::new(usize::MAX),
            let_in: Cell::new(true),
            ..Self::new(inner, counters, usize::MAX)
        }
    }

    /// For an index whose images, or a list whose entries, are looked at one by one.
    pub(super) fn allow_images(&self, images: usize, configured: usize) {
        // An operator who configured fewer than the standard wants no more.
        if configured == limits::REQUESTS {
            self.allowed.set(
                self.allowed
                    .get()
                    .max(images.saturating_mul(limits::REQUESTS_AN_IMAGE)),
            );
        }
    }

    /// Whether the upstream has answered with content to this request's credentials.
    pub(super) fn was_let_in(&self) -> bool {
        self.let_in.get()
    }

    fn exhausted(what: &'static str) -> HostError {
        HostError::Budget { what }
    }
}

impl<R: Host> Host for Budget<'_, R> {
    async fn fetch(&self, request: Request) -> Result<Response, HostError> {
        if self.requests.get() >= self.allowed.get() {
            return Err(Self::exhausted("requests to the registry"));
        }
        self.requests.set(self.requests.get().saturating_add(1));
        self.counters.upstream.add(1);
        let left = self.bytes.get();
        let wanted = request.max_bytes;
        // What gives out credentials says nothing of who may read.
        let lets_in = request.sign.is_none();
        let answer = self
            .inner
            .fetch(Request {
                max_bytes: wanted.min(left),
                ..request
            })
            .await;
        match answer {
            Ok(response) if response.body.len() > left => {
                Err(Self::exhausted("bytes from the registry"))
            }
            Ok(response) => {
                self.bytes.set(left.saturating_sub(response.body.len()));
                self.let_in
                    .set(self.let_in.get() || lets_in && response.status == 200);
                Ok(response)
            }
            Err(HostError::TooLarge { .. }) if left < wanted => {
                Err(Self::exhausted("bytes from the registry"))
            }
            Err(error) => Err(error),
        }
    }
}

impl<R: Provider> Provider for Budget<'_, R> {
    fn remembers(&self, check: &SignatureCheck) -> bool {
        self.inner.remembers(check)
    }

    async fn verify(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        self.counters.checks.add(1);
        self.inner.verify(check).await
    }

    async fn pause(&self) {
        self.inner.pause().await;
    }
}

impl<R: Store> Store for Budget<'_, R> {
    async fn load(&self, key: &str) -> Option<alloc::string::String> {
        if self.let_in.get() {
            self.inner.load(key).await
        } else {
            None
        }
    }

    async fn lock(&self, key: &str) {
        self.inner.lock(key).await;
    }

    async fn writable(&self) {
        self.inner.writable().await;
    }

    async fn save(&self, key: &str, value: &str, seconds: u32) {
        if self.let_in.get() {
            self.inner.save(key, value, seconds).await;
        }
    }
}

impl<R: Sink> Sink for Budget<'_, R> {
    async fn begin(&self, status: u16, headers: &[(alloc::string::String, alloc::string::String)]) {
        self.inner.begin(status, headers).await;
    }

    async fn write(&self, piece: alloc::vec::Vec<u8>) -> bool {
        self.inner.write(piece).await
    }
}
