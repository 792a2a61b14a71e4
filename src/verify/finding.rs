//! A verdict and its reason: the one form in which a judgement travels, from a piece of evidence to
//! the report.

use crate::error::{Failure, Kind};
use alloc::string::String;
use serde::Serialize;

/// May it run?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Yes.
    Allow,
    /// No.
    Deny,
    /// Nobody knows. Never treated as yes.
    Unknown,
}

/// A verdict and its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// May it run?
    pub verdict: Verdict,
    /// The stable code of the reason.
    pub code: &'static str,
    /// What was expected, what was found, and what to do.
    pub message: String,
    /// What is decided on.
    #[serde(skip)]
    pub kind: Kind,
}

impl Finding {
    fn new(verdict: Verdict, reason: impl Into<Failure>) -> Self {
        let Failure {
            code,
            message,
            kind,
        } = reason.into();
        Self {
            verdict,
            code,
            message,
            kind,
        }
    }

    /// It may run, for this reason.
    pub(super) fn allow(reason: impl Into<Failure>) -> Self {
        Self::new(Verdict::Allow, reason)
    }

    /// It may not, for this reason.
    pub(super) fn deny(reason: impl Into<Failure>) -> Self {
        Self::new(Verdict::Deny, reason)
    }

    /// Nobody knows, for this reason.
    pub(super) fn unknown(reason: impl Into<Failure>) -> Self {
        Self::new(Verdict::Unknown, reason)
    }

    /// Whether it may run.
    pub fn is_allowed(&self) -> bool {
        self.verdict == Verdict::Allow
    }

    /// The reason alone.
    pub fn into_reason(self) -> Failure {
        Failure {
            code: self.code,
            message: self.message,
            kind: self.kind,
        }
    }

    /// The same verdict, in these words.
    pub(super) fn in_words(self, message: String) -> Self {
        Self { message, ..self }
    }
}
