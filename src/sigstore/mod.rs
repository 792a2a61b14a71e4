//! What Sigstore's clients exchange: bundles, DSSE envelopes, in-toto statements; and whom a
//! trusted root makes believe them.

pub mod bundle;
pub mod dsse;
pub mod identity;
pub mod roots;
pub mod statement;
pub mod trusted_root;
pub mod verify;
