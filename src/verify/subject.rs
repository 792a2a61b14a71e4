//! Bytes that were hashed and read as a manifest or index.

use crate::digest::{Algorithm, Digest, DigestError};
use crate::error::Failure;
use crate::oci::Document;
use alloc::format;
use alloc::vec::Vec;

/// Bytes that were hashed and read as a manifest or index.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their SHA-256 digest.
    pub digest: Digest,
    /// What they say.
    pub document: Document,
}

impl Subject {
    /// Hashes and reads.
    ///
    /// # Errors
    /// `digest.mismatch` when the bytes are not those of `pinned`; the codes of
    /// [`crate::oci::OciError`].
    pub fn read(
        bytes: Vec<u8>,
        content_type: Option<&str>,
        pinned: Option<&Digest>,
    ) -> Result<Self, Failure> {
        if let Some(digest) = pinned {
            digest
                .check(&bytes)
                .map_err(|error| mismatch(digest, error))?;
        }
        let document = Document::parse(&bytes, content_type)?;
        let digest = match pinned {
            // They were hashed just now.
            Some(digest) if digest.algorithm() == Algorithm::Sha256 => digest.clone(),
            _ => Digest::of(&bytes),
        };
        Ok(Self {
            bytes,
            digest,
            document,
        })
    }

    /// Whether the bytes alone, without the content type that they came with, say the same.
    pub fn reads_alone(&self) -> bool {
        Document::parse(&self.bytes, None).is_ok_and(|document| document == self.document)
    }
}

/// In the words of containers/image.
fn mismatch(digest: &Digest, error: DigestError) -> Failure {
    let message = format!("Manifest does not match provided manifest digest {digest}: {error}");
    Failure {
        message,
        ..Failure::from(error)
    }
}
