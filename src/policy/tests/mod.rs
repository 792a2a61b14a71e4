//! Our own vocabulary, hostile input, and what the decision cases (tests/containers/decisions.rs)
//! leave open.

mod explaining;
mod extended;
mod hostile;
mod matchers;
mod parsing;
mod schema;
mod scopes;

use super::Policy;
use super::Requirement;
use super::Vocabulary;
use crate::error::Coded;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;

/// The digits of a digest.
const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// `ok`, or the code.
fn policy(text: &str) -> &'static str {
    Policy::parse(text.as_bytes()).map_or_else(|error| error.code(), |_| "ok")
}

/// The same for a requirement without the marker.
fn requirement(text: &str) -> &'static str {
    Requirement::parse(text.as_bytes(), Vocabulary::Containers)
        .map_or_else(|error| error.code(), |_| "ok")
}

/// The same for a `sigstoreSigned` with these members.
fn sigstore(members: &str) -> &'static str {
    requirement(&format!(r#"{{"type":"sigstoreSigned",{members}}}"#))
}

/// The same for a `signedBy` of GPG keys with these members.
fn signed_by(members: &str) -> &'static str {
    requirement(&format!(
        r#"{{"type":"signedBy","keyType":"GPGKeys",{members}}}"#
    ))
}

/// The message of a policy that is refused.
fn message(text: &str) -> String {
    Policy::parse(text.as_bytes()).unwrap_err().to_string()
}
