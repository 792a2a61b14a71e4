//! Hash algorithms (RFC 9580 section 9.5).

use super::error::OpenPgpError;
use crate::crypto::Hash;
use crate::digest::{sha1, sha224};
use alloc::vec::Vec;

/// What a signature may be over. Where SHA-1 is allowed at all is decided by who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HashAlgorithm {
    Sha1,
    Sha224,
    Sha2(Hash),
}

impl HashAlgorithm {
    pub(super) fn of(id: u8) -> Result<Self, OpenPgpError> {
        match id {
            1 => Err(OpenPgpError::Md5),
            2 => Ok(Self::Sha1),
            8 => Ok(Self::Sha2(Hash::Sha256)),
            9 => Ok(Self::Sha2(Hash::Sha384)),
            10 => Ok(Self::Sha2(Hash::Sha512)),
            11 => Ok(Self::Sha224),
            found => Err(OpenPgpError::Hash { found }),
        }
    }

    /// As people write it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha224 => "SHA-224",
            Self::Sha2(Hash::Sha256) => "SHA-256",
            Self::Sha2(Hash::Sha384) => "SHA-384",
            Self::Sha2(Hash::Sha512) => "SHA-512",
        }
    }

    pub(super) fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => sha1(bytes).into(),
            Self::Sha224 => sha224(bytes).into(),
            Self::Sha2(hash) => hash.hash(bytes),
        }
    }

    /// Bytes of a digest.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha2(hash) => hash.size(),
        }
    }

    /// Bytes of salt that a signature of version 6 has (section 9.5).
    pub(super) fn salt(self) -> Option<usize> {
        match self {
            Self::Sha1 => None,
            Self::Sha224 | Self::Sha2(Hash::Sha256) => Some(16),
            Self::Sha2(Hash::Sha384) => Some(24),
            Self::Sha2(Hash::Sha512) => Some(32),
        }
    }
}
