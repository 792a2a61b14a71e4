//! Errors: how they are declared, and the two that every layer shares.
//!
//! Three channels are kept apart (docs/design.md section 4): a parse error (these bytes are no X),
//! a [`Failure`] (the evidence is bad) and a [`HostError`] (could not find out). Each has a stable
//! code; tests compare codes, people read messages.

use alloc::string::{String, ToString};
use core::fmt;

/// Something with a stable code, and a message that says what was expected, what was found and what
/// to do.
pub trait Coded: fmt::Display {
    /// The stable code, for instance `digest.mismatch`.
    fn code(&self) -> &'static str;
}

/// Declares a flat error enum: each variant with its stable code and its message (a format string
/// over its fields).
#[macro_export]
#[doc(hidden)]
macro_rules! codes {
    ($(#[$meta:meta])* pub enum $name:ident {
        $( $(#[$vmeta:meta])* $variant:ident $( { $($field:ident : $ty:ty),+ $(,)? } )? => $code:literal, $message:literal; )+
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        #[allow(missing_docs)]
        pub enum $name { $( $(#[$vmeta])* $variant $( { $($field: $ty),+ } )? ),+ }

        impl $name {
            /// Every code that this type can give.
            pub const CODES: &'static [&'static str] = &[$($code),+];
        }

        impl $crate::error::Coded for $name {
            fn code(&self) -> &'static str {
                match self { $( Self::$variant $( { $($field: _),+ } )? => $code ),+ }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self { $( Self::$variant $( { $($field),+ } )? => { $( $(let _ = $field;)+ )? write!(f, $message) } ),+ }
            }
        }

        impl core::error::Error for $name {}
    };
}

/// Why something was refused, in a form that no longer knows its module: the stable code and the
/// message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The stable code.
    pub code: &'static str,
    /// What was expected, what was found, what to do.
    pub message: String,
}

impl Failure {
    /// A failure with this code and message.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

impl<E: Coded> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
        }
    }
}

codes! {
    /// The outside world gave no answer. It never means "unsigned": the decision is "could not find
    /// out".
    pub enum HostError {
        Unreachable { url: String, reason: String } => "host.unreachable",
            "{url} gave no answer ({reason}): check the address and the network, then try again";
        Timeout { url: String } => "host.timeout", "{url} did not answer in time: try again";
        TooLarge { url: String, limit: usize } => "host.too-large",
            "the answer of {url} is larger than the {limit} bytes that are read";
        Status { url: String, status: u16, expected: &'static str } => "host.status",
            "{url} answered with status {status} where {expected} was expected: the registry is \
             unwell, try again";
        Unauthorized { url: String, reason: String } => "host.unauthorized",
            "{url} wants other credentials ({reason}): sign in to the registry";
        RateLimited { url: String } => "host.rate-limited",
            "{url} says that there were too many requests (429): wait and try again";
        Redirect { url: String, reason: String } => "host.redirect",
            "a redirect of {url} was not followed: {reason}";
        NotRecorded { url: String } => "host.not-recorded",
            "this evidence does not hold the answer of {url}: fetch the evidence again, or ask the \
             registry itself";
        Refused { url: String, reason: String } => "host.refused", "{url} was not asked: {reason}";
        Egress { url: String, reason: String } => "host.egress",
            "{url} was not asked: {reason}. When it is meant, list its host in the option \
             \"egress\" (EGRESS of a gateway's worker)";
        Budget { what: &'static str } => "limit.request",
            "this request needs more {what} than one request may have: ask again, since what was \
             found out is kept; if it stays, there is too much attached to this image";
        Provider { reason: String } => "host.provider",
            "the platform's cryptography gave no answer ({reason}): use the built-in provider";
        Checks { whose: &'static str, limit: usize } => "limit.checks",
            "{whose} would take more than {limit} signature checks, so it is unknown whether there is \
             a good signature: remove what was attached to the image beside its signatures";
    }
}

impl HostError {
    /// The same, about this address.
    #[must_use]
    pub fn at(mut self, address: String) -> Self {
        match &mut self {
            Self::Unreachable { url, .. }
            | Self::Timeout { url }
            | Self::TooLarge { url, .. }
            | Self::Status { url, .. }
            | Self::Unauthorized { url, .. }
            | Self::RateLimited { url }
            | Self::Redirect { url, .. }
            | Self::Refused { url, .. }
            | Self::Egress { url, .. } => *url = address,
            Self::NotRecorded { .. }
            | Self::Budget { .. }
            | Self::Checks { .. }
            | Self::Provider { .. } => {}
        }
        self
    }

    /// The same for people who know the registry by this name only: what it says of addresses is
    /// left out.
    #[must_use]
    pub fn without_addresses(self, name: &str) -> Self {
        let see = || String::from("the gateway's log says more");
        match self.at(name.into()) {
            Self::Unreachable { url, .. } => Self::Unreachable { url, reason: see() },
            Self::Unauthorized { url, .. } => Self::Unauthorized { url, reason: see() },
            Self::Redirect { url, .. } => Self::Redirect { url, reason: see() },
            Self::Refused { url, .. } => Self::Refused { url, reason: see() },
            Self::Egress { url, .. } => Self::Egress {
                url: alloc::format!("a place that {url} names"),
                reason: see(),
            },
            Self::Provider { .. } => Self::Provider { reason: see() },
            other => other,
        }
    }
}

/// Codes of failures that no enum carries.
///
/// Those of `host.` but for the enum's are given by the JavaScript around the core, where there is
/// no core that could.
pub const FAILURES: &[&str] = &[
    "internal",
    "argument",
    "signature.none",
    "key.none",
    "host.wasm-forbidden",
    "host.wasm-unloadable",
    "host.not-initialised",
];
