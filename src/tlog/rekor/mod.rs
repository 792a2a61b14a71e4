//! Rekor's log entries as evidence carries them: `TransparencyLogEntry` of sigstore/protobuf-specs
//! (`sigstore_rekor.proto`), and cosign's `bundle` annotation (docs/containers-image.md section
//! 2.3).
//!
//! In scope: their shape; the log's signed word on them ([`IntegratedTime`], [`Included`]); what
//! they are about ([`Entry::check_body`]). Out of scope: which log is trusted when, how many
//! entries are demanded.
//!
//! There is no accessor for the integrated time of an entry: it counts as signed by the log only
//! (CVE-2026-48816, CVE-2024-55655), so it is read out of the message of a signed entry timestamp.

mod body;
mod claim;
mod entry;
mod fields;
mod promise;
mod proof;
mod v1;
mod v2;

pub use body::{Content, Expected, Verifier};
pub use claim::{Included, IntegratedTime, LogKey};
pub use entry::{Entry, ProofForm, Version, entries};
