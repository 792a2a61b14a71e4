//! Timestamps (RFC 3161, RFC 5816): an authority says that bytes existed at a time, in a CMS
//! SignedData (RFC 5652).
//!
//! 1. [`Token::parse`] reads a TimeStampResp or a TimeStampToken, strictly, and says nothing about
//!    who made it.
//! 2. [`Token::claims`] ties it to an authority of the trusted root by the certificate that its
//!    SignerInfo names, and lists what must hold: signature, digest of the content, imprint of the
//!    stamped bytes, the signer's certificate up to the authority at the token's own time, the
//!    authority's window.
//!
//! In scope: one signer, ECDSA, RSA PKCS#1 v1.5 and Ed25519 over SHA-2. Out of scope: requests and
//! nonces, policies of authorities, accuracy (a time is what genTime says, to the second),
//! revocation, RSA-PSS. Trusted: the authorities. The certificates inside a token are not signed
//! with it and count only along a path.

mod claim;
mod error;
mod info;
mod signer;
#[cfg(test)]
mod tests;
mod token;

pub use claim::{Timestamp, TimestampAuthority};
pub use error::TimestampError;
pub use token::Token;
