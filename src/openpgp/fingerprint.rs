//! What names a key (RFC 9580 section 5.5.4).

use alloc::vec::Vec;
use core::fmt;

/// A key's fingerprint: SHA-1 for version 4, SHA-256 for version 6.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(Vec<u8>);

impl Fingerprint {
    pub(super) fn v4(sha1: [u8; 20]) -> Self {
        Self(sha1.into())
    }

    pub(super) fn v6(sha256: [u8; 32]) -> Self {
        Self(sha256.into())
    }

    /// 20 or 32 bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Section 5.5.4: the last eight bytes of version 4, the first eight of version 6.
    pub fn key_id(&self) -> [u8; 8] {
        let id = if self.0.len() == 20 {
            self.0.last_chunk()
        } else {
            self.0.first_chunk()
        };
        id.copied().unwrap_or_default()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// How a signature names the key that made it. It finds keys, and proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handle {
    /// By a key id; different keys may have the same.
    KeyId([u8; 8]),
    /// By a fingerprint.
    Fingerprint(Fingerprint),
}

impl Handle {
    pub(super) fn v6(sha256: [u8; 32]) -> Self {
        Self::Fingerprint(Fingerprint::v6(sha256))
    }

    /// Whether both may name one key.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Fingerprint(own), other) | (other, Self::Fingerprint(own)) => other.names(own),
            (own, other) => own == other,
        }
    }

    /// Whether it names the key of this fingerprint.
    pub(super) fn names(&self, fingerprint: &Fingerprint) -> bool {
        match self {
            Self::KeyId(id) => *id == fingerprint.key_id(),
            Self::Fingerprint(own) => own == fingerprint,
        }
    }
}

impl From<&Fingerprint> for Handle {
    fn from(fingerprint: &Fingerprint) -> Self {
        Self::Fingerprint(fingerprint.clone())
    }
}

/// In upper-case hexadecimal, as GnuPG writes it.
impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyId(id) => id.iter().try_for_each(|byte| write!(f, "{byte:02X}")),
            Self::Fingerprint(fingerprint) => fingerprint.fmt(f),
        }
    }
}
