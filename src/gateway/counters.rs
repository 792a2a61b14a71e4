//! What `/metrics` counts since this instance began (docs/gateway.md "Beside /v2/").

use super::log::{Decided, Resolution};
use crate::keyed::Keyed;
use core::cell::{Cell, RefCell};

/// Counts only grow.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub requests: Count,
    /// Those that were answered out of memory, after one question to the registry.
    pub remembered: Count,
    pub upstream: Count,
    pub checks: Count,
    /// Refusals of content to which a hint led: its parent is no longer allowed.
    pub hints: Count,
    /// Whether a newer configuration could not be used, so that an older one runs.
    pub stale: Cell<bool>,
    verdicts: [Count; Resolution::ALL.len()],
    sign_ins: [Count; SignInRefusal::ALL.len()],
    /// By code, of what was not allowed.
    refusals: RefCell<Keyed<u64>>,
}

/// Why somebody who brought credentials was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignInRefusal {
    /// They are none of a client of this gateway's.
    Client,
    /// A client's repositories are others.
    Repository,
    /// The registry does not accept them, or not for this.
    Registry,
    /// The registry, or its token service, does not accept those of this gateway.
    Own,
}

impl SignInRefusal {
    pub(super) const ALL: [Self; 4] = [Self::Client, Self::Repository, Self::Registry, Self::Own];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Repository => "repository",
            Self::Registry => "registry",
            Self::Own => "own",
        }
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(Cell<u64>);

impl Count {
    pub(super) fn add(&self, more: u64) {
        self.0.set(self.0.get().saturating_add(more));
    }

    pub(super) fn get(&self) -> u64 {
        self.0.get()
    }
}

impl Counters {
    /// Counts what was decided, and why.
    pub(super) fn decided(&self, (resolution, code): Decided) {
        if let Some(count) = self.verdict(resolution) {
            count.add(1);
        }
        if resolution != Resolution::Allow {
            let mut refusals = self.refusals.borrow_mut();
            if let Some(count) = refusals.of(code) {
                *count = count.saturating_add(1);
            }
        }
    }

    /// Counts a request that was answered out of memory.
    pub(super) fn answered(&self, decided: Decided) {
        for count in [&self.requests, &self.remembered, &self.upstream] {
            count.add(1);
        }
        self.decided(decided);
    }

    /// Counts somebody who was not let in.
    pub(super) fn refused_sign_in(&self, refusal: SignInRefusal) {
        let all = SignInRefusal::ALL.iter().zip(&self.sign_ins);
        for (_, count) in all.filter(|(known, _)| **known == refusal) {
            count.add(1);
        }
    }

    pub(super) fn sign_ins(&self) -> impl Iterator<Item = (SignInRefusal, u64)> {
        let counts = self.sign_ins.iter().map(Count::get);
        SignInRefusal::ALL.into_iter().zip(counts)
    }

    fn verdict(&self, verdict: Resolution) -> Option<&Count> {
        let at = Resolution::ALL.iter().position(|known| *known == verdict)?;
        self.verdicts.get(at)
    }

    pub(super) fn verdicts(&self) -> impl Iterator<Item = (Resolution, u64)> {
        let counts = self.verdicts.iter().map(Count::get);
        Resolution::ALL.into_iter().zip(counts)
    }

    pub(super) fn refusals(&self) -> Keyed<u64> {
        self.refusals.borrow().clone()
    }
}
