//! Digests of content: `algorithm:hex` (OCI image specification, descriptor.md, section "Digests").
//!
//! A digest that is parsed is only a claim about content; [`Digest::of`] and [`Digest::check`] are
//! what hashes.

use crate::encoding::hex;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// The registered algorithms that containers/image and distribution know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

impl Algorithm {
    /// As it is written before the colon.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// The hash of `bytes`.
    pub fn hash(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    /// Bytes of a hash.
    pub fn size(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-1 of `bytes`, which names OpenPGP keys (RFC 9580 section 5.5.4.2): no digest of content.
#[cfg(feature = "openpgp")]
pub(crate) fn sha1(bytes: &[u8]) -> [u8; 20] {
    sha1::Sha1::digest(bytes).into()
}

/// SHA-224 of `bytes`, which OpenPGP signatures may be over: no digest of content.
#[cfg(feature = "openpgp")]
pub(crate) fn sha224(bytes: &[u8]) -> [u8; 28] {
    sha2::Sha224::digest(bytes).into()
}

/// A well-formed digest. It is in canonical spelling (lower case) by construction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    hash: Vec<u8>,
}

codes! {
    /// This text is no digest, or content does not have it.
    pub enum DigestError {
        Format { text: String } => "digest.format",
            "expected a digest such as sha256:<64 hexadecimal digits>, found {text:?}";
        Algorithm { text: String } => "digest.algorithm",
            "expected a sha256, sha384 or sha512 digest, found {text:?}";
        Length { text: String, expected: usize } => "digest.length",
            "expected {expected} lower-case hexadecimal digits after the colon, found {text:?}";
        Mismatch { expected: Digest, found: Digest } => "digest.mismatch",
            "expected content with the digest {expected}, found content with {found}: it was \
             altered or is something else; do not use it";
    }
}

impl Digest {
    /// The SHA-256 digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::with(Algorithm::Sha256, bytes)
    }

    /// The digest of `bytes` by `algorithm`.
    pub fn with(algorithm: Algorithm, bytes: &[u8]) -> Self {
        Self {
            algorithm,
            hash: algorithm.hash(bytes),
        }
    }

    /// Parses `algorithm:hex`.
    ///
    /// # Errors
    /// [`DigestError`]: no colon, an unknown algorithm, a wrong length, upper case or anything but
    /// hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, DigestError> {
        let shown = || text.chars().take(160).collect::<String>();
        let (name, digits) = text
            .split_once(':')
            .ok_or_else(|| DigestError::Format { text: shown() })?;
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "sha384" => Algorithm::Sha384,
            "sha512" => Algorithm::Sha512,
            _ => return Err(DigestError::Algorithm { text: shown() }),
        };
        let wrong = || DigestError::Length {
            text: shown(),
            expected: algorithm.size() * 2,
        };
        if digits.len() != algorithm.size() * 2 {
            return Err(wrong());
        }
        Ok(Self {
            algorithm,
            hash: hex::decode(digits).ok_or_else(wrong)?,
        })
    }

    /// Whether `bytes` have this digest.
    ///
    /// # Errors
    /// [`DigestError::Mismatch`], with the digest that they have.
    pub fn check(&self, bytes: &[u8]) -> Result<(), DigestError> {
        let found = Self::with(self.algorithm, bytes);
        if &found == self {
            Ok(())
        } else {
            Err(DigestError::Mismatch {
                expected: self.clone(),
                found,
            })
        }
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The hash in lower-case hexadecimal.
    pub fn hex(&self) -> String {
        hex::encode(&self.hash)
    }

    /// The hash.
    pub fn bytes(&self) -> &[u8] {
        &self.hash
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), self.hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Coded;
    use alloc::format;
    use alloc::string::ToString;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn round_trips_and_checks() {
        assert_eq!(Digest::of(b"").to_string(), EMPTY);
        let digest = Digest::parse(EMPTY).unwrap();
        assert!(digest.check(b"").is_ok());
        assert_eq!(digest.check(b"x").unwrap_err().code(), "digest.mismatch");
        for algorithm in [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
            let digest = Digest::with(algorithm, b"x");
            assert_eq!(Digest::parse(&digest.to_string()).unwrap(), digest);
        }
    }

    /// CVE-2024-3727: digests that were not validated.
    #[test]
    fn refuses_what_is_no_digest() {
        for (text, code) in [
            ("", "digest.format"),
            ("sha256", "digest.format"),
            ("sha256:../x", "digest.length"),
            ("sha256:", "digest.length"),
            ("md5:00", "digest.algorithm"),
            (&EMPTY.to_uppercase(), "digest.algorithm"),
            (&EMPTY.replace('e', "E"), "digest.length"),
            (&format!("{EMPTY} "), "digest.length"),
            (&EMPTY[..70], "digest.length"),
            (&EMPTY.replace("sha256", "sha512"), "digest.length"),
            ("SHA256:00", "digest.algorithm"),
        ] {
            assert_eq!(Digest::parse(text).unwrap_err().code(), code, "{text}");
        }
    }
}
