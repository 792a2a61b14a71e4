//! Why a policy was refused, and where.
//!
//! Messages keep the words of containers/image (docs/containers-image.md), which people search
//! for; tests compare codes.

use crate::cosign::PredicateError;
use crate::encoding::json::JsonError;
use crate::reference::ReferenceError;
use crate::sigstore::identity::PatternError;
use alloc::string::String;
use core::fmt;
use serde::Serialize;

/// A place in a policy: a path such as `transports.docker["registry.local"][0].keyPath`, and the
/// byte at which it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The path from the top; empty for the document itself.
    pub pointer: String,
    /// Bytes from the start of the document.
    pub at: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() {
            "policy"
        } else {
            &self.pointer
        };
        write!(f, "{pointer} (byte {})", self.at)
    }
}

codes! {
    /// These bytes are no policy.
    pub enum PolicyError {
        TooLarge { limit: usize, found: usize } => "policy.too-large",
            "expected a policy of at most {limit} bytes, found {found}: list fewer scopes, or name \
             key files by path";
        Json { error: JsonError } => "policy.json", "the policy is no JSON document: {error}";
        Type { place: Place, expected: &'static str, found: &'static str } => "policy.type",
            "{place}: {expected} expected, got {found}";
        DuplicateKey { place: Place, key: String } => "policy.duplicate-key",
            "{place}: Duplicate key {key:?}: keep one of the two";
        UnknownKey { place: Place, key: String, advice: String } => "policy.unknown-key",
            "{place}: Unknown key {key:?}: {advice}";
        Scope { place: Place, scope: String, expected: &'static str } => "policy.scope",
            "{place}: Unknown key {scope:?}: a scope of this transport is empty or {expected}";
        MissingKey { place: Place, key: &'static str } => "policy.missing-key",
            "{place}: Key {key:?} missing in a JSON object";
        NoDefault { place: Place } => "policy.no-default",
            "{place}: Default policy is missing: add \"default\": [{{\"type\": \"reject\"}}]";
        NoRequirements { place: Place } => "policy.no-requirements",
            "{place}: List of verification policy requirements must not be empty: write \
             [{{\"type\": \"reject\"}}] to refuse everything";
        RequirementType { place: Place, found: String, advice: &'static str } => "policy.requirement-type",
            "{place}: Unknown policy requirement type {found:?}: {advice}";
        MatchType { place: Place, found: String, advice: &'static str } => "policy.match-type",
            "{place}: Unknown policy reference match type {found:?}: {advice}";
        NoKeyType { place: Place } => "policy.key-type",
            "{place}: invalid keyType \"\": write \"keyType\": \"GPGKeys\"";
        KeyType { place: Place, found: String } => "policy.key-type",
            "{place}: Unrecognized keyType value {found:?}: expected GPGKeys (or signedByGPGKeys, \
             X509Certificates, signedByX509CAs, which parse and accept nothing)";
        KeySource { place: Place, rule: &'static str } => "policy.key-source", "{place}: {rule}";
        RekorSource { place: Place, rule: &'static str } => "policy.rekor-source",
            "{place}: {rule}";
        CaSource { place: Place, rule: &'static str } => "policy.ca-source", "{place}: {rule}";
        Subject { place: Place, rule: &'static str } => "policy.subject", "{place}: {rule}";
        TrustedRoot { place: Place, rule: &'static str } => "policy.trusted-root",
            "{place}: {rule}";
        Identities { place: Place, rule: &'static str } => "policy.identities", "{place}: {rule}";
        Pattern { place: Place, error: PatternError } => "policy.pattern", "{place}: {error}";
        PredicateType { place: Place, error: PredicateError } => "policy.predicate-type",
            "{place}: {error}";
        Condition { place: Place, rule: &'static str } => "policy.condition", "{place}: {rule}";
        MaxAge { place: Place } => "policy.max-age",
            "{place}: keys sign without a certificate, which alone tells how old a signature is at \
             most (whoever holds it can have it logged and stamped again): leave maxAge out, and \
             add a condition on a time that the statement itself signs, such as {{\"pointer\": \
             \"/metadata/scanFinishedOn\", \"maxAge\": 86400}}";
        NoEntries { place: Place, member: &'static str } => "policy.no-entries",
            "{place}: {member:?} contains no entries: add one, or leave the member out";
        Base64 { place: Place } => "policy.base64",
            "{place}: expected standard base64 with padding, found something else: write the output \
             of `base64 -w0 FILE`";
        Reference { place: Place, error: ReferenceError } => "policy.reference", "{place}: {error}";
        NoTag { place: Place, found: String } => "policy.no-tag",
            "{place}: {found:?} contains neither a tag nor digest: add one, or use exactRepository";
        Prefix { place: Place, found: String } => "policy.prefix",
            "{place}: prefix {found:?} is not valid: expected host[:port], or host[:port]/path \
             without tag, digest, wildcard or trailing slash";
        Version { place: Place } => "policy.version",
            "{place}: expected \"version\": 1, the only version of these extensions that is \
             understood here: use a newer sealgate, or write 1";
        Value { place: Place, expected: &'static str, found: String } => "policy.value",
            "{place}: expected {expected}, found {found}";
        ExceptionScope { place: Place, found: String } => "policy.exception-scope",
            "{place}: expected one repository such as registry.example.com/team/app, or one with a \
             tag, in its full spelling, found {found:?}: an exception is for that one exactly, and \
             never for a registry, a namespace or what lies below";
        /// As [`PatternError::Part`].
        Part => "part.missing",
            "this policy has regular expressions, which are not part of this build: use one with \
             the feature expressions";
        OpenPgpPart => "part.missing",
            "this policy has signedBy (OpenPGP), which is not part of this build: use one with the \
             feature openpgp";
        TooMany { place: Place, limit: usize, found: usize } => "policy.too-many",
            "{place}: expected at most {limit} entries, found {found}: split the requirement";
    }
}

/// `text`, no longer than a message can bear.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}
