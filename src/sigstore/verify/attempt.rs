//! One bundle under one scheme of one signer.

use super::error::SigstoreError;
use super::question::{Artifact, Signer, Thresholds};
use crate::crypto::{Hash, PublicKey, Refused, Scheme, Step};
use crate::error::Failure;
use crate::sigstore::bundle::Bundle;
use crate::sigstore::trusted_root::TrustedRoot;
use crate::x509::Certificate;
use alloc::vec::Vec;

/// Everything that one attempt looks at.
pub(super) struct Attempt<'a> {
    pub bundle: &'a Bundle,
    pub artifact: &'a Artifact,
    pub signer: &'a Signer,
    pub root: &'a TrustedRoot,
    pub thresholds: Thresholds,
    /// The signer's first; none where a key signed.
    pub certificates: &'a [Certificate],
    /// Whoever signed: a key that was asked for, or the certificate's.
    pub key: &'a PublicKey,
    pub scheme: Scheme,
}

impl Attempt<'_> {
    pub(super) fn artifact_digest(&self, hash: Hash) -> Result<Vec<u8>, Failure> {
        self.artifact
            .hash(hash)
            .ok_or_else(|| SigstoreError::NeedBytes.into())
    }

    /// The hash of a message signature, by which a log entry names it.
    pub(super) fn message_hash(&self) -> Hash {
        match self.scheme {
            Scheme::Ecdsa(hash)
            | Scheme::RsaPkcs1(hash)
            | Scheme::RsaPss(hash)
            | Scheme::Dsa(hash) => hash,
            Scheme::Ed25519
            | Scheme::Ed25519ph
            | Scheme::RsaPkcs1Sha1
            | Scheme::RsaPkcs1Sha224
            | Scheme::DsaSha224 => Hash::Sha512,
        }
    }
}

pub(super) fn refuse<T>(error: impl Into<Failure>, steps: &[Step]) -> Result<T, Refused> {
    Err(Refused {
        failure: error.into(),
        steps: steps.into(),
    })
}
