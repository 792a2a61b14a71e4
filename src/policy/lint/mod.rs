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

mod context;
mod docker_scope;
mod document;
mod edit;
mod finding;
#[cfg(feature = "openpgp")]
mod keyring;
mod material;
mod ours;
mod pattern;
mod registries;
mod rule;
mod scopes;
mod signed;

#[cfg(test)]
mod tests;

pub use context::{Context, KnownImage};
pub use edit::Edit;
pub use finding::Lint;
pub use rule::Severity;

use super::Policy;
use super::error::PolicyError;
use super::field;
use crate::sigstore::identity::Identity;
use alloc::string::String;
use alloc::vec::Vec;
use document::Document;
use finding::Findings;
use rule::Rule;

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
    let mut findings = Findings::default();
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
    Ok(findings.in_order(document.place()))
}
