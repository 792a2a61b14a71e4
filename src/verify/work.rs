//! What one request may cost, in signature checks, and where to look first (docs/trust.md section
//! 7).
//!
//! In scope: counting before a check is passed on, and what satisfied before. Out of scope: what is
//! fetched ([`super::discover`]). A provider that fails on a check is no answer: the built-in one
//! decides that check.

use crate::crypto::{Message, Outcome, Provider, SignatureCheck};
use crate::digest::Digest;
use crate::error::HostError;
use crate::keyed::Keyed;
use crate::limits;
use crate::shared::Shared;
use alloc::string::ToString;
use alloc::vec::Vec;

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
    limit: Shared<usize>,
    spent: Shared<usize>,
    /// Bytes that were read since others had their turn.
    stretch: Shared<usize>,
    preferred: Shared<Keyed<Vec<Origin>>>,
    satisfied: Shared<Keyed<Vec<Origin>>>,
}

impl<'p, P: Provider> Work<'p, P> {
    /// For one judgement.
    pub fn new(provider: &'p P) -> Self {
        Self {
            provider,
            limit: Shared::new(limits::CHECKS),
            spent: Shared::default(),
            stretch: Shared::default(),
            preferred: Shared::default(),
            satisfied: Shared::default(),
        }
    }

    /// For so many images that are judged one by one, if they may cost more.
    pub fn allow_images(&self, images: usize) {
        let wanted = images.saturating_mul(limits::CHECKS_IMAGE);
        self.limit.with(|limit| *limit = wanted.max(*limit));
    }

    /// A candidate about this image that satisfied before: it is looked at first, and verified anew
    /// like any other.
    pub fn prefer(&self, image: &Digest, origin: Origin) {
        self.preferred.with(|all| {
            if let Some(origins) = all.of(&image.to_string())
                && origins.len() < limits::EVIDENCE_PREFERRED
                && !origins.contains(&origin)
            {
                origins.push(origin);
            }
        });
    }

    /// The candidates about this image that satisfied a requirement now.
    pub fn satisfied(&self, image: &Digest) -> Vec<Origin> {
        self.satisfied
            .with(|all| all.get(&image.to_string()).cloned().unwrap_or_default())
    }

    /// How many signature checks there were.
    pub fn checks(&self) -> usize {
        self.spent.get()
    }

    pub(super) fn preferred(&self, image: &Digest) -> Vec<Origin> {
        self.preferred
            .with(|all| all.get(&image.to_string()).cloned().unwrap_or_default())
    }

    pub(super) fn note_satisfied(&self, image: &Digest, origin: Origin) {
        self.satisfied.with(|all| {
            if let Some(origins) = all.of(&image.to_string())
                && !origins.contains(&origin)
            {
                origins.push(origin);
            }
        });
    }

    /// That the budget is used up; none while something is left.
    pub(super) fn exhausted(&self) -> Option<HostError> {
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
            checks: Shared::default(),
            known: Shared::default(),
        }
    }

    /// Says that so much was read; others have their turn when it has become too much.
    pub(super) async fn pass(&self, bytes: usize) {
        let is_over = self.stretch.with(|stretch| {
            *stretch = stretch.saturating_add(bytes);
            let is_over = *stretch >= limits::STRETCH;
            if is_over {
                *stretch = 0;
            }
            is_over
        });
        if is_over {
            self.provider.pause().await;
        }
    }
}

/// The provider as one candidate sees it: it counts before it asks, and asks nothing small twice.
pub(super) struct Meter<'w, P> {
    work: &'w Work<'w, P>,
    limit: usize,
    checks: Shared<usize>,
    known: Shared<Vec<(SignatureCheck, Outcome)>>,
}

impl<P> Meter<'_, P> {
    /// How many checks there were.
    pub(super) fn checks(&self) -> usize {
        self.checks.get()
    }

    fn known(&self, check: &SignatureCheck) -> Option<Outcome> {
        self.known.with(|known| {
            let known = known.iter().find(|(known, _)| known == check);
            known.map(|(_, outcome)| *outcome)
        })
    }
}

impl<P: Provider> Provider for Meter<'_, P> {
    fn remembers(&self, check: &SignatureCheck) -> bool {
        self.work.provider.remembers(check)
    }

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
        if let Some(error) = self.work.exhausted() {
            return Err(error);
        }
        for count in [&self.checks, &self.work.spent] {
            count.with(|count| *count = count.saturating_add(1));
        }
        let outcome = match self.work.provider.verify(check).await {
            #[cfg(feature = "arithmetic")]
            Err(_) => crate::crypto::RustCrypto.verify(check).await?,
            answer => answer?,
        };
        let size = match check.message() {
            Message::Bytes(bytes) | Message::Digest(_, bytes) => bytes.len(),
        };
        if size <= limits::CERTIFICATE {
            self.known
                .with(|known| known.push((check.clone(), outcome)));
        }
        Ok(outcome)
    }

    async fn pause(&self) {
        self.work.provider.pause().await;
    }
}
