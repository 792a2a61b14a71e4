//! Verifying a bundle under a trusted root (docs/trust.md sections 2 and 4), offline.
//!
//! First what costs nothing: whether the log entries are tied field by field to this signature,
//! whether the timestamps are over it, whether there would be enough of both, what the signature is
//! about. Then the signatures, told in this order, up to the first that fails (docs/trust.md section
//! 7); under a chain that holds 2 to 5 are asked at once:
//!
//! 1. the certificate's chain, from the root down
//! 2. the certificate transparency promises
//! 3. the signature
//! 4. the log entries
//! 5. the timestamps
//! 6. the chain at every verified time
//! 7. who made it
//!
//! All from one bundle, under one root. A promise, an entry or a token of an unlisted issuer is set
//! aside; one that names a listed issuer and fails refuses the bundle.

mod attempt;
mod chain;
mod content;
mod error;
mod order;
mod question;
mod signed;
mod signer;
mod witness;

pub use error::SigstoreError;
pub use order::verify_bundle;
pub use question::{Artifact, Signer, Thresholds};
pub use signed::{Says, Signed};
pub use signer::check_identity;
pub use witness::{LoggedEntry, Stamp};
