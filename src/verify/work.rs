//! What one request may cost, in signature checks, and where to look first (TRUST section 7).
//!
//! In scope: counting before a check is passed on, and what satisfied before. Out of scope: what is fetched
//! ([`super::discover`]). A provider that fails on a check is no answer: the built-in one decides that check.

use crate::crypto::{Outcome, Provider, RustCrypto, SignatureCheck};
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
        Self { provider, limit: Cell::new(limits::CHECKS), spent: Cell::new(0), stretch: Cell::new(0), preferred: RefCell::default(), satisfied: RefCell::default() }
    }

    /// For so many images that are judged one by one, if they may cost more.
    pub fn allow_images(&self, images: usize) {
        self.limit.set(self.limit.get().max(images.saturating_mul(limits::CHECKS_IMAGE)));
    }

    /// A candidate about this image that satisfied before: it is looked at first, and verified anew like any other.
    pub fn prefer(&self, image: &Digest, origin: Origin) {
        let mut all = self.preferred.borrow_mut();
        let places = all.entry(image.clone()).or_default();
        if places.len() < limits::EVIDENCE_PREFERRED && !places.contains(&origin) {
            places.push(origin);
        }
    }

    /// The candidates about this image that satisfied a requirement now.
    pub fn satisfied(&self, image: &Digest) -> Vec<Origin> {
        self.satisfied.borrow().get(image).cloned().unwrap_or_default()
    }

    /// How many signature checks there were.
    pub fn checks(&self) -> usize {
        self.spent.get()
    }

    pub(super) fn preferred(&self, image: &Digest) -> Vec<Origin> {
        self.preferred.borrow().get(image).cloned().unwrap_or_default()
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
        (self.spent.get() >= self.limit.get()).then(|| HostError::Checks { whose: "this judgement", limit: self.limit.get() })
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
        Meter { work: self, limit, known: RefCell::default() }
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

/// The provider as one candidate sees it: it counts before it asks, and asks nothing twice.
pub(super) struct Meter<'w, P> {
    work: &'w Work<'w, P>,
    limit: usize,
    /// Without an outcome while it is under way.
    known: RefCell<Vec<(SignatureCheck, Option<Outcome>)>>,
}

impl<P> Meter<'_, P> {
    /// How many checks there were.
    pub(super) fn checks(&self) -> usize {
        self.known.borrow().len()
    }
}

impl<P: Provider> Provider for Meter<'_, P> {
    async fn verify(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        if let Some(outcome) = self.known.borrow().iter().find_map(|(known, outcome)| outcome.filter(|_| known == check)) {
            return Ok(outcome);
        }
        let over = if self.checks() >= self.limit { Some(HostError::Checks { whose: "this signature", limit: self.limit }) } else { self.work.spent() };
        if let Some(error) = over {
            return Err(error);
        }
        // Counted first: several may be under way.
        let place = self.checks();
        self.known.borrow_mut().push((check.clone(), None));
        self.work.spent.set(self.work.spent.get().saturating_add(1));
        let outcome = match self.work.provider.verify(check).await {
            Ok(outcome) => outcome,
            Err(_) => RustCrypto.verify(check).await?,
        };
        if let Some((_, known)) = self.known.borrow_mut().get_mut(place) {
            *known = Some(outcome);
        }
        Ok(outcome)
    }

    async fn pause(&self) {
        self.work.provider.pause().await;
    }
}
