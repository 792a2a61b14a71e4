//! The linter: what the author of a policy probably did not mean (docs/containers-image.md
//! section 11: PL01 to PL31; docs/trust.md sections 3 to 6: SL01 and on).
//!
//! In scope: what the policy says, and what the [`Context`] knows about files, images and
//! `registries.d`. Out of scope: deciding anything; a lint never changes a verdict. A policy that
//! does not parse has no lints, it has an error.
//!
//! Severities: *error* is a policy that does something else than it says (it opens what it seems to
//! close, or can match nothing), *warning* is probably not meant, *note* is a consequence that one
//! should know.

mod docker_scope;
mod document;
mod edit;
mod material;
mod ours;
mod pattern;
mod registries;
mod scopes;
mod signed;

#[cfg(test)]
mod tests;

use super::Policy;
use super::error::Place;
use super::error::PolicyError;
use super::field;
use super::registries_d::RegistriesD;
use crate::limits;
use crate::reference::Reference;
use crate::sigstore::identity::Identity;
use crate::time::UnixTime;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;
use document::Document;
use serde::Serialize;

/// How much a lint matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A consequence that one should know.
    Note,
    /// Probably not meant.
    Warning,
    /// The policy does something else than it says.
    Error,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lint {
    /// Stable, for instance `PL01`.
    pub id: &'static str,
    /// Stable, for instance `default-open`.
    pub name: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Where; of a `registries.d` file, its name and the place in it.
    #[serde(flatten)]
    pub place: Place,
    /// What it means, and what to do.
    pub message: String,
    /// What would put it right, where one change does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit: Option<Edit>,
}

/// A suggested change: these bytes of the document become this text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// Bytes from the start of the document; empty for an insertion.
    pub at: Range<usize>,
    /// What stands there then.
    pub text: String,
}

/// What is known besides the policy. What is absent is not linted about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The files that the policy names, by the names that it writes.
    pub assets: Option<&'a BTreeMap<String, Vec<u8>>>,
    /// Now.
    pub now: Option<UnixTime>,
    /// Images that are pulled under this policy.
    pub images: &'a [KnownImage],
    /// The `registries.d` that is in force.
    pub registries: Option<&'a RegistriesD>,
    /// Whether this is a user's own policy, which stands in place of the system's.
    pub is_user_policy: bool,
}

/// An image that is pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownImage {
    /// Its name.
    pub name: Reference,
    /// Whether the name means an index.
    pub is_index: bool,
}

/// Declares the lints: identity, name and severity of each.
macro_rules! rules {
    ($($variant:ident $id:literal $name:literal $severity:ident;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum Rule { $($variant),+ }

        impl Rule {
            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn facts(self) -> (&'static str, &'static str, Severity) {
                match self { $(Self::$variant => ($id, $name, Severity::$severity)),+ }
            }
        }
    };
}

rules! {
    DefaultOpen "PL01" "default-open" Warning;
    TransportOpen "PL02" "transport-open" Warning;
    WeakerChild "PL03" "weaker-child" Warning;
    DeadRequirement "PL04" "dead-requirement" Warning;
    UnexpandedScope "PL05" "unexpanded-scope" Error;
    NoncanonicalScope "PL06" "noncanonical-scope" Error;
    PortScope "PL07" "port-scope" Warning;
    BadWildcard "PL08" "bad-wildcard" Error;
    WildcardApex "PL09" "wildcard-apex" Note;
    TagScopeBypass "PL10" "tag-scope-bypass" Warning;
    UnknownTransport "PL11" "unknown-transport" Warning;
    Unimplemented "PL12" "unimplemented" Error;
    IdentityNeedsRef "PL13" "identity-needs-ref" Error;
    NoSignatureTransport "PL14" "no-signature-transport" Error;
    CosignIdentity "PL15" "cosign-identity" Warning;
    TagSubstitution "PL16" "tag-substitution" Note;
    RekorOff "PL17" "rekor-off" Error;
    NoTransparency "PL18" "no-transparency" Note;
    FulcioUri "PL19" "fulcio-uri" Error;
    IssuerForm "PL20" "issuer-form" Warning;
    MultiPem "PL21" "multi-pem" Warning;
    AndRotation "PL22" "and-rotation" Warning;
    ExpiredKey "PL23" "expired-key" Warning;
    PkiLifetime "PL24" "pki-lifetime" Warning;
    EmptyKeys "PL25" "empty-keys" Error;
    AttachmentsOff "PL26" "attachments-off" Error;
    LookasideUrl "PL27" "lookaside-url" Warning;
    IndexOnly "PL28" "index-only" Warning;
    RemapMiss "PL29" "remap-miss" Warning;
    CosignV3 "PL30" "cosign-v3" Note;
    UserShadow "PL31" "user-shadow" Note;
    More "SL00" "more" Warning;
    SharedSigner "SL01" "shared-signer" Error;
    AnyDigest "SL02" "any-digest" Note;
    AnyIdentity "SL03" "any-identity" Error;
    AnyCaller "SL04" "any-caller" Error;
    UnescapedDot "SL05" "unescaped-dot" Warning;
    ExactWildcard "SL06" "exact-wildcard" Error;
    PinnedAlone "SL07" "pinned-alone" Warning;
    PinOutside "SL08" "pin-outside" Warning;
    FindingsWithoutAge "SL09" "findings-without-age" Warning;
    ExceptionEnds "SL11" "exception-ends" Warning;
    RekorWithoutBundles "SL12" "rekor-without-bundles" Warning;
    FileMissing "SL13" "file-missing" Error;
    KeyUnusable "SL14" "key-unusable" Error;
    RegistryOpen "SL15" "registry-open" Warning;
    AuditAbove "SL16" "audit-above" Error;
    PrivateKey "SL17" "private-key" Error;
}

/// What was found so far; each severity within its bound.
struct Findings {
    lints: Vec<Lint>,
    listed: [usize; 3],
    left_out: usize,
}

impl Findings {
    fn add(&mut self, rule: Rule, place: Place, message: String, edit: Option<Edit>) {
        let (id, name, severity) = rule.facts();
        let [notes, warnings, errors] = &mut self.listed;
        let listed = match severity {
            Severity::Note => notes,
            Severity::Warning => warnings,
            Severity::Error => errors,
        };
        *listed = listed.saturating_add(1);
        if *listed > limits::LINTS {
            self.left_out = self.left_out.saturating_add(1);
        } else {
            self.lints.push(Lint {
                id,
                name,
                severity,
                place,
                message,
                edit,
            });
        }
    }
}

/// What deserves a word about one identity outside of a policy, as a command line gives it: a code
/// and the words (docs/trust.md section 9).
pub fn identity(identity: &Identity) -> Vec<(&'static str, String)> {
    ours::of_identity(identity)
}

/// Everything that deserves a word, in the order of the document.
///
/// # Errors
/// [`PolicyError`]: these bytes are no policy.
pub fn lint(bytes: &[u8], context: &Context<'_>) -> Result<Vec<Lint>, PolicyError> {
    let policy = Policy::parse(bytes)?;
    let node = field::document(bytes)?;
    let document = Document::new(&policy, &node, bytes, context);
    let mut findings = Findings {
        lints: Vec::new(),
        listed: [0; 3],
        left_out: 0,
    };
    scopes::check(&document, &mut findings);
    signed::check(&document, &mut findings);
    material::check(&document, &mut findings);
    registries::check(&document, &mut findings);
    ours::check(&document, &mut findings);
    if context.is_user_policy {
        let message = "a user's policy stands in place of the system's, it does not add to it: \
                       whatever the system's policy demands must stand here too"
            .into();
        findings.add(Rule::UserShadow, document.place(), message, None);
    }
    let left_out = findings.left_out;
    if left_out > 0 {
        findings.listed = [0; 3];
        findings.add(
            Rule::More,
            document.place(),
            format!(
                "{left_out} more findings are not listed: put right what is listed, and look again"
            ),
            None,
        );
    }
    findings.lints.sort_by_key(|lint| lint.place.at);
    Ok(findings.lints)
}
