//! Transparency logs: that a signature was made public, and when.
//!
//! In scope: signed notes and checkpoints (C2SP `signed-note`, `tlog-checkpoint`,
//! `tlog-cosignature`), Merkle inclusion (RFC 9162 section 2.1.3.2), entries of Rekor v1 and v2
//! with what they say, signed entry timestamps. Out of scope: consistency between checkpoints,
//! asking a log anything, which logs are trusted and when (the trust root).
//!
//! Everything that is read here comes from the evidence. What a log says is a
//! [`crate::crypto::Pending`] claim; what an entry is about is tied to the signature by
//! [`rekor::Entry::check_body`], field by field.

mod canonical;
pub mod checkpoint;
mod error;
pub mod merkle;
pub mod note;
pub mod rekor;

pub use checkpoint::{Checkpoint, Cosigned, SignedCheckpoint};
pub use error::TlogError;
pub use note::{Note, VerifierKey};

#[cfg(test)]
mod tests;
