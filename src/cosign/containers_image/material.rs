//! What a policy's files hold (docs/containers-image.md section 2.2, "Key material"), read as Go
//! reads it.

use super::error::ContainersImageError;
use crate::crypto::{KeyKind, PublicKey};
use crate::encoding::pem;
use crate::error::Failure;
use crate::limits;
use crate::x509::Certificate;
use alloc::string::String;
use alloc::vec::Vec;

/// The roots of `fulcio` and `pki`: every block `CERTIFICATE` without headers; other blocks, those
/// that are no certificate and whatever stands between them are passed over. At least one is there.
///
/// # Errors
/// [`ContainersImageError::NoAuthority`], [`ContainersImageError::TooLarge`],
/// [`ContainersImageError::TooMany`].
pub fn roots(bytes: &[u8]) -> Result<Vec<Certificate>, ContainersImageError> {
    const WHAT: &str = "the CA certificates";
    let text = text(bytes, WHAT)?;
    let blocks = pem::all(&text, limits::AUTHORITIES + 1);
    if blocks.len() > limits::AUTHORITIES {
        return Err(ContainersImageError::TooMany {
            what: WHAT,
            limit: limits::AUTHORITIES,
        });
    }
    let mut roots: Vec<Certificate> = Vec::new();
    for block in blocks
        .iter()
        .filter(|block| block.label == "CERTIFICATE" && !block.has_headers)
    {
        if let Ok(certificate) = Certificate::parse(&block.body)
            && !roots.contains(&certificate)
        {
            roots.push(certificate);
        }
    }
    if roots.is_empty() {
        Err(ContainersImageError::NoAuthority { what: WHAT })
    } else {
        Ok(roots)
    }
}

/// The intermediates of `pki`: every block must be a certificate, whatever its label says.
///
/// # Errors
/// [`ContainersImageError::Pem`], [`ContainersImageError::TooLarge`],
/// [`ContainersImageError::TooMany`], [`crate::x509::X509Error`].
pub fn intermediates(bytes: &[u8]) -> Result<Vec<Certificate>, Failure> {
    const WHAT: &str = "trusted intermediate certificates";
    certificates(&text(bytes, WHAT)?, WHAT, limits::AUTHORITIES)
}

/// The keys of Rekor, one a file: all are of ECDSA, and all can be used.
///
/// # Errors
/// [`ContainersImageError::RekorKey`], [`crate::crypto::KeyError`].
pub fn rekor_keys(files: &[&[u8]]) -> Result<Vec<PublicKey>, Failure> {
    let read = |(file, number): (&&[u8], usize)| {
        let key = PublicKey::from_pem(file)?;
        if matches!(key.kind(), KeyKind::Ecdsa(_)) {
            Ok(key)
        } else {
            Err(ContainersImageError::RekorKey { number }.into())
        }
    };
    files.iter().zip(1..).map(read).collect()
}

/// Every block, each a certificate, and nothing but blank space after the last; no block at all is
/// an empty list.
pub(super) fn certificates(
    text: &str,
    what: &'static str,
    limit: usize,
) -> Result<Vec<Certificate>, Failure> {
    let mut rest = text.trim();
    let mut found = Vec::new();
    while !rest.is_empty() {
        if found.len() == limit {
            return Err(ContainersImageError::TooMany { what, limit }.into());
        }
        let (block, after) = pem::first(rest).ok_or(ContainersImageError::Pem { what })?;
        found.push(Certificate::parse(&block.body)?);
        rest = after;
    }
    Ok(found)
}

fn text(bytes: &[u8], what: &'static str) -> Result<String, ContainersImageError> {
    if bytes.len() > limits::KEY_FILE {
        return Err(ContainersImageError::TooLarge {
            what,
            limit: limits::KEY_FILE,
        });
    }
    Ok(String::from_utf8_lossy(bytes).into_owned())
}
