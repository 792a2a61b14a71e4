//! What Sigstore's clients exchange: bundles, DSSE envelopes, in-toto statements.
//!
//! In scope so far: what a signature with a key needs. Certificates, logs and timestamps are shown as not checked.

pub mod bundle;
pub mod dsse;
pub mod statement;
pub mod trusted_root;
pub mod verify;
