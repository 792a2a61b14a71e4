//! A manifest from an archive: fetched, hashed and read.

use super::archive::Archive;
use super::error::VerifyError;
use super::finding::Finding;
use super::subject::Subject;
use crate::digest::Digest;
use crate::error::Failure;
use crate::oci::registry::RegistryError;

/// `None`: there is none.
///
/// # Errors
/// Why it could not be had, or what is wrong with it.
pub(super) async fn fetch<A: Archive>(
    archive: &A,
    reference: &str,
    pinned: Option<&Digest>,
) -> Result<Option<Subject>, Finding> {
    let fetched = archive
        .manifest(reference)
        .await
        .map_err(|error| Finding::unknown(refusal(error)))?;
    let Some(fetched) = fetched else {
        return Ok(None);
    };
    // What the registry says of a tag (CVE-2023-47630): a digest is taken from the bytes, and must
    // be the one that the registry gives.
    if let Some(given) = fetched
        .digest
        .as_deref()
        .and_then(|text| Digest::parse(text).ok())
    {
        given.check(&fetched.bytes).map_err(Finding::deny)?;
    }
    Subject::read(fetched.bytes, fetched.content_type.as_deref(), pinned)
        .map(Some)
        .map_err(Finding::deny)
}

/// Another sealgate in front of the archive gives its own reason.
fn refusal(error: RegistryError) -> Failure {
    match error {
        RegistryError::Refused {
            status: 403,
            message,
            ..
        } if message.starts_with("sealgate:") => VerifyError::GatewayRefused { message }.into(),
        RegistryError::Refused {
            status, message, ..
        } => VerifyError::RegistryRefused { status, message }.into(),
        other => other.into(),
    }
}
