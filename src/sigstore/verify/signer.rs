//! Who signed, by the certificate.

use super::error::SigstoreError;
use crate::error::Failure;
use crate::sigstore::identity::Identity;
use crate::x509::fulcio::Claims;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Whether a certificate with these claims is of one of the identities.
///
/// # Errors
/// [`SigstoreError::Identity`].
pub fn check_identity(wanted: &[Identity], claims: &Claims) -> Result<(), Failure> {
    if wanted.iter().any(|identity| identity.matches(claims)) {
        return Ok(());
    }
    let mut found = format!(
        "{} (vouched for by {})",
        claims.subject().text(),
        claims.issuer().unwrap_or("nobody")
    );
    for name in wanted
        .iter()
        .take(3)
        .flat_map(|identity| identity.missed(claims))
    {
        found.push_str(&format!(
            ", {name} {}",
            claims.get(name).unwrap_or("not there")
        ));
    }
    let wanted: Vec<String> = wanted.iter().take(3).map(ToString::to_string).collect();
    Err(SigstoreError::Identity {
        found,
        wanted: wanted.join("; or "),
    }
    .into())
}
