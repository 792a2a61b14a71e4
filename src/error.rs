//! Errors: how they are declared, and the two that every layer shares.
//!
//! Three channels are kept apart (docs/design.md section 4): a parse error (these bytes are no X),
//! a [`Failure`] (the evidence is bad) and a [`HostError`] (could not find out). Each has a stable
//! code; tests compare codes, people read messages.

use alloc::string::{String, ToString};
use core::fmt;
use serde::Serialize;

/// Something with a stable code, and a message that says what was expected, what was found and what
/// to do.
pub trait Coded: fmt::Display {
    /// The stable code, for instance `digest.mismatch`.
    fn code(&self) -> &'static str;

    /// What sort of reason it is, where anything is decided on it.
    fn kind(&self) -> Kind {
        Kind::Other
    }
}

/// What sort of reason something is: verdicts, ranks and counts are decided on this alone. Codes
/// are printed, and compared by tests only, so that a renamed one changes no verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Nothing is decided on which it is.
    #[default]
    Other,
    /// A certificate leads to no issuer that is known here. Another path, or another root, may.
    UnknownIssuer,
    /// A timestamp is of no authority that is listed here: it is set aside.
    UnknownAuthority,
    /// There is no signature that could be checked: none, one that is not well-formed, or one that
    /// needs another type of key.
    Uncheckable,
    /// A signature by another key, or over other bytes.
    InvalidSignature,
    /// What was signed does not read, or a proof that the format or the root demands is missing or
    /// fails.
    Unproven,
    /// Signed by somebody who was not asked for.
    OtherSigner,
    /// About other content.
    OtherContent,
    /// About this content, under the name of another image.
    OtherName,
    /// A demanded annotation is missing.
    Annotation,
    /// A good attestation that does not say what the policy demands, or is too old.
    Condition,
    /// Something attached to the image that is no evidence.
    Attachment,
    /// A statement of another predicate type than the wanted one.
    OtherPredicate,
    /// A signature of a blob, where an image is asked about.
    Blob,
    /// A bundle of a form that is not looked for: by a certificate, or of another payload type.
    OtherForm,
    /// No evidence of the demanded sort exists.
    NoEvidence,
    /// The policy itself refuses, whatever evidence there is.
    Policy,
    /// The policy itself admits by an exception, whatever evidence is lacking.
    Exception,
    /// A gateway in front of the registry refused.
    Gateway,
    /// The registry lists evidence that it does not have.
    Dangling,
    /// One piece of evidence, or one list of it, is larger than what is read.
    TooMuch,
    /// The budget of the whole request is spent: asking for more is in vain.
    Spent,
}

impl Kind {
    /// How much a failure says: the further a verification came, the more.
    pub fn rank(self) -> u8 {
        match self {
            Self::UnknownIssuer | Self::UnknownAuthority => 0,
            Self::InvalidSignature => 2,
            Self::Unproven => 3,
            Self::OtherSigner => 4,
            Self::OtherContent => 5,
            Self::OtherName | Self::Annotation | Self::Condition => 6,
            Self::Other
            | Self::Uncheckable
            | Self::Attachment
            | Self::OtherPredicate
            | Self::Blob
            | Self::OtherForm
            | Self::NoEvidence
            | Self::Policy
            | Self::Exception
            | Self::Gateway
            | Self::Dangling
            | Self::TooMuch
            | Self::Spent => 1,
        }
    }
}

/// Declares a flat error enum: each variant with its stable code, its kind where something is
/// decided on it (`as Kind`; after the enum's name, for every variant without its own), and its
/// message (a format string over its fields).
macro_rules! codes {
    (@kind $default:ident) => { $crate::error::Kind::$default };
    (@kind $default:ident $kind:ident) => { $crate::error::Kind::$kind };
    ($(#[$meta:meta])* pub enum $name:ident { $($rest:tt)+ }) => {
        codes! { $(#[$meta])* pub enum $name as Other { $($rest)+ } }
    };
    ($(#[$meta:meta])* pub enum $name:ident as $default:ident {
        $( $(#[$vmeta:meta])* $variant:ident $( { $($field:ident : $ty:ty),+ $(,)? } )? => $code:literal $(as $kind:ident)?, $message:literal; )+
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

            fn kind(&self) -> $crate::error::Kind {
                match self { $( Self::$variant $( { $($field: _),+ } )? => codes!(@kind $default $($kind)?) ),+ }
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The stable code.
    pub code: &'static str,
    /// What was expected, what was found, what to do.
    pub message: String,
    /// What is decided on.
    #[serde(skip)]
    pub kind: Kind,
}

impl Failure {
    /// A failure with this code and message, on which nothing is decided.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            kind: Kind::Other,
        }
    }
}

impl<E: Coded> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
            kind: error.kind(),
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
        TooLarge { url: String, limit: usize } => "host.too-large" as TooMuch,
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
        Budget { what: &'static str } => "limit.request" as Spent,
            "this request needs more {what} than one request may have: ask again, since what was \
             found out is kept; if it stays, there is too much attached to this image";
        Provider { reason: String } => "host.provider",
            "a signature could not be checked ({reason}): try again; in a page or worker, see that \
             the package's module for this (sealgate_arithmetic_bg.wasm) lies beside the others";
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
    "host.wasm-forbidden",
    "host.wasm-unloadable",
    "host.not-initialised",
];
