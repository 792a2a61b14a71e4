//! What one request may cost, in signature checks, and where to look first (docs/trust.md section
//! 7).
//!
//! In scope: counting before a check is passed on, and what satisfied before. Out of scope: what is
//! fetched ([`super::discover`]). A provider that fails on a check is no answer: the built-in one
//! decides that check.

use crate::crypto::{Message, Outcome, Provider, RustCrypto, SignatureCheck};
use crate::digest::Digest;
use crate::error::HostError;
use crate::limits;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

/// Where a candidate was found: the manifest that lists it, and its own bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The digest of a referrer, or of the manifest under a `.sig` or `.att` tag.
    pub manifest: Digest,
    /// The digest of the layer.
    pub blob: Digest,
}

/// The budget of one request, shared by everything that is judged for it.
pub struct Work<'p, P> {
    provider: &'p P,
    limit: Cell<usize>,
    spent: Cell<usize>,
    /// Bytes that were read since others had their turn.
    stretch: Cell<usize>,
    preferred: RefCell<BTreeMap<Digest, Vec<Origin>>>,
    satisfied: RefCell<BTreeMap<Digest, Vec<Origin>>>,
}

impl<'p, P: Provider> Work<'p, P> {
    /// For one judgement.
    pub fn new(provider: &'p P) -> Self {
        Self {
            provider,
            limit: Cell::new(limits::CHECKS),
            spent: Cell::new(0),
            stretch: Cell::new(0),
            preferred: RefCell::default(),
            satisfied: RefCell::default(),
        }
    }

    /// For so many images that are judged one by one, if they may cost more.
    pub fn allow_images(&self, images: usize) {
        self.limit.set(
            self.limit
                .get()
                .max(images.saturating_mul(limits::CHECKS_IMAGE)),
        );
    }

    /// A candidate about this image that satisfied before: it is looked at first, and verified anew
    /// like any other.
    pub fn prefer(&self, image: &Digest, origin: Origin) {
        let mut all = self.preferred.borrow_mut();
        let places = all.entry(image.clone()).or_default();
        if places.len() < limits::EVIDENCE_PREFERRED && !places.contains(&origin) {
            places.push(origin);
        }
    }

    /// The candidates about this image that satisfied a requirement now.
    pub fn satisfied(&self, image: &Digest) -> Vec<Origin> {
        self.satisfied
            .borrow()
            .get(image)
            .cloned()
            .unwrap_or_default()
    }

    /// How many signature checks there were.
    pub fn checks(&self) -> usize {
        self.spent.get()
    }

    pub(super) fn preferred(&self, image: &Digest) -> Vec<Origin> {
        self.preferred
            .borrow()
            .get(image)
            .cloned()
            .unwrap_or_default()
    }

    pub(super) fn note_satisfied(&self, image: &Digest, origin: Origin) {
        let mut all = self.satisfied.borrow_mut();
        let places = all.entry(image.clone()).or_default();
        if !places.contains(&origin) {
            places.push(origin);
        }
    }

    /// The failure of a judgement that has come to its end.
    pub(super) fn spent(&self) -> Option<HostError> {
        (self.spent.get() >= self.limit.get()).then(|| HostError::Checks {
            whose: "this judgement",
            limit: self.limit.get(),
        })
    }

    /// For one candidate.
    pub(super) fn candidate(&self) -> Meter<'_, P> {
        self.meter(limits::CHECKS_CANDIDATE)
    }

    /// For a candidate of which only what costs no check is looked at.
    pub(super) fn free_of_charge(&self) -> Meter<'_, P> {
        self.meter(0)
    }

    fn meter(&self, limit: usize) -> Meter<'_, P> {
        Meter {
            work: self,
            limit,
            checks: Cell::new(0),
            known: RefCell::default(),
        }
    }

    /// Says that so much was read; others have their turn when it has become too much.
    pub(super) async fn pass(&self, bytes: usize) {
        self.stretch.set(self.stretch.get().saturating_add(bytes));
        if self.stretch.get() >= limits::STRETCH {
            self.stretch.set(0);
            self.provider.pause().await;
        }
    }
}

/// The provider as one candidate sees it: it counts before it asks, and asks nothing small twice.
pub(super) struct Meter<'w, P> {
    work: &'w Work<'w, P>,
    limit: usize,
    checks: Cell<usize>,
    known: RefCell<Vec<(SignatureCheck, Outcome)>>,
}

impl<P> Meter<'_, P> {
    /// How many checks there were.
    pub(super) fn checks(&self) -> usize {
        self.checks.get()
    }

    fn known(&self, check: &SignatureCheck) -> Option<Outcome> {
        self.known
            .borrow()
            .iter()
            .find(|(known, _)| known == check)
            .map(|(_, outcome)| *outcome)
    }
}

impl<P: Provider> Provider for Meter<'_, P> {
    async fn verify(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        // A chain, an entry, a token: met again under another key or another path.
        if let Some(outcome) = self.known(check) {
            return Ok(outcome);
        }
        if self.checks() >= self.limit {
            return Err(HostError::Checks {
                whose: "this signature",
                limit: self.limit,
            });
        }
        if let Some(error) = self.work.spent() {
            return Err(error);
        }
        self.checks.set(self.checks().saturating_add(1));
        self.work.spent.set(self.work.spent.get().saturating_add(1));
        let outcome = match self.work.provider.verify(check).await {
            Ok(outcome) => outcome,
            Err(_) => RustCrypto.verify(check).await?,
        };
        let size = match check.message() {
            Message::Bytes(bytes) | Message::Digest(_, bytes) => bytes.len(),
        };
        if size <= limits::CERTIFICATE {
            self.known.borrow_mut().push((check.clone(), outcome));
        }
        Ok(outcome)
    }

    async fn pause(&self) {
        self.work.provider.pause().await;
    }
}
