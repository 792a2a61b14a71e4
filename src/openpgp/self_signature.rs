//! What a key says of itself (RFC 9580 sections 5.2.1 and 5.2.3.10).

use super::fingerprint::Fingerprint;
use super::hash::HashAlgorithm;
use super::signature_packet::{
    CERTIFICATION_REVOCATION, CERTIFICATIONS, DIRECT, KEY_REVOCATION, SUBKEY_BINDING,
    SUBKEY_REVOCATION, SignaturePacket,
};
use crate::time::UnixTime;
use alloc::vec::Vec;

/// What it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// The primary key.
    Primary,
    /// The user id or attribute at this place.
    UserId(usize),
    /// The subkey that signed the message.
    Subkey,
}

impl Target {
    /// Whether signatures of this type are about it, by the key itself.
    pub(super) fn takes(self, kind: u8) -> bool {
        match self {
            Self::Primary => matches!(kind, DIRECT | KEY_REVOCATION),
            Self::UserId(_) => CERTIFICATIONS.contains(&kind) || kind == CERTIFICATION_REVOCATION,
            Self::Subkey => matches!(kind, SUBKEY_BINDING | SUBKEY_REVOCATION),
        }
    }
}

/// Read from a self-signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SelfSignature {
    pub target: Target,
    pub kind: u8,
    pub created: UnixTime,
    pub expires: Option<UnixTime>,
    /// Seconds after the key was created; never 0, which says nothing.
    pub key_expires: Option<u32>,
    pub key_flags: Option<u8>,
    /// Whether its user id is the one to be shown.
    pub is_primary: bool,
    pub is_sha1: bool,
    /// Whose revocations of the key count.
    pub revokers: Vec<Fingerprint>,
    /// Signature packets inside of it.
    pub embedded: Vec<Vec<u8>>,
}

impl SelfSignature {
    pub(super) fn of(target: Target, signature: &SignaturePacket) -> Self {
        Self {
            target,
            kind: signature.kind,
            created: signature.created,
            expires: signature.expires(),
            key_expires: (signature.subpackets.key_expires).filter(|seconds| *seconds > 0),
            key_flags: signature.subpackets.key_flags,
            is_primary: signature.subpackets.is_primary,
            revokers: signature.subpackets.revokers.clone(),
            embedded: signature.subpackets.embedded.clone(),
            is_sha1: HashAlgorithm::of(signature.hash) == Ok(HashAlgorithm::Sha1),
        }
    }

    /// As GnuPG has it: one that has expired is passed over.
    pub(super) fn is_live(&self, now: UnixTime) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}
