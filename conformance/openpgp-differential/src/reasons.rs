//! Why answers differ: each reason is a predicate on the case, never on an answer alone.

use crate::spec::Spec;

/// Who differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Between {
    /// The two oracles: GnuPG's answer is named first.
    Oracles,
    /// We and containers/image with GnuPG.
    OursGnupg,
    /// We and containers/image with OpenPGP in Go.
    OursGo,
}

pub struct Reason {
    pub name: &'static str,
    pub between: Between,
    /// What the first of the two says; the other says the contrary.
    pub first_allows: bool,
    pub applies: fn(&Spec) -> bool,
}

pub const REASONS: &[Reason] = &[];
