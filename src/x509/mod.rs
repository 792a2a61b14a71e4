//! X.509 certificates (RFC 5280) as Sigstore uses them: Fulcio's leaves, the CAs above them,
//! timestamp authorities.
//!
//! In scope: one strict reading of DER ([`Certificate`]), path validation to an [`Anchor`]
//! ([`path`], RFC 5280 section 6), what Fulcio says about a signer ([`fulcio::Claims`]) and signed
//! certificate timestamps ([`sct`], RFC 6962). Out of scope: revocation (Fulcio has none, its
//! certificates live ten minutes), certificate policies, clocks. Trusted: the anchor. Everything
//! else is what someone sent.

mod anchor;
mod certificate;
mod constraints;
mod error;
mod extension;
mod hostname;
mod name;
mod path;
#[cfg(test)]
mod tests;

pub mod fulcio;
pub mod sct;

pub use anchor::{Anchor, Window};
pub use certificate::Certificate;
pub use error::X509Error;
pub use extension::{ExtKeyUsage, KeyUsage};
pub use hostname::has_hostname;
pub use name::San;
pub use path::{Chain, Path, Purpose, Untimed, chains, own_path, path};
