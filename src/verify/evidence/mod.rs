//! A document that holds a registry's answers about one image, so that its verdict can be reached
//! elsewhere (`/api/evidence`, docs/gateway.md "Beside /v2/"). Every byte in it is untrusted:
//! digests and signatures carry their own proof.

mod document;
mod recorder;
#[cfg(feature = "openpgp")]
mod simple;

pub(super) use document::Files;
pub use document::{EvidenceDocument, EvidenceError, PolicyFiles};
pub use recorder::{Frame, Out, collect};
