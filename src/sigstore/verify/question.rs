//! What is asked of a bundle.

use crate::crypto::{Hash, PublicKey};
use crate::digest::Digest;
use crate::sigstore::identity::Identity;
use crate::x509::Window;
use alloc::vec::Vec;

/// What the bundle is to be about.
#[derive(Debug, Clone)]
pub enum Artifact {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// Its digest alone.
    Digest(Digest),
    /// Its digests by several algorithms, by somebody who read it as a stream.
    Digests(Vec<Digest>),
}

impl Artifact {
    /// Its hash; none where only other ones are known.
    pub fn hash(&self, hash: Hash) -> Option<Vec<u8>> {
        let known = match self {
            Self::Bytes(bytes) => return Some(hash.hash(bytes)),
            Self::Digest(digest) => core::slice::from_ref(digest),
            Self::Digests(digests) => digests,
        };
        known
            .iter()
            .find(|digest| digest.algorithm() == hash)
            .map(|digest| digest.bytes().into())
    }
}

/// Who is to have signed.
#[derive(Debug, Clone)]
pub enum Signer {
    /// The holder of this key; within this window, where one is given.
    Key(PublicKey, Option<Window>),
    /// Whoever one of these identities is.
    Identity(Vec<Identity>),
}

/// Further demands. They only add to what the trusted root demands; counts are of distinct logs and
/// authorities.
#[derive(Debug, Clone, Copy, Default)]
pub struct Thresholds {
    /// Transparency logs.
    pub logs: usize,
    /// Timestamp authorities.
    pub timestamps: usize,
    /// Logs with a signed entry timestamp.
    pub integrated: usize,
    /// Logs and authorities together, that say when.
    pub observers: usize,
}
