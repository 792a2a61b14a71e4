//! DSSE envelopes (secure-systems-lab/dsse, `envelope.md` and `protocol.md` version 1).

use crate::crypto::{Curve, Hash, KeyKind, Scheme};
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

/// Pre-authentication encoding: the bytes that are signed.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// The schemes under which a key of this kind may have signed an envelope, the usual one first. SHA-256 under the larger
/// curves comes from older clients (TRUST section 4).
pub fn schemes(key: KeyKind) -> Vec<Scheme> {
    match key {
        KeyKind::Ecdsa(Curve::P256) => vec![Scheme::Ecdsa(Hash::Sha256)],
        KeyKind::Ecdsa(Curve::P384) => vec![Scheme::Ecdsa(Hash::Sha384), Scheme::Ecdsa(Hash::Sha256)],
        KeyKind::Ecdsa(Curve::P521) => vec![Scheme::Ecdsa(Hash::Sha512), Scheme::Ecdsa(Hash::Sha256)],
        KeyKind::Rsa(_) => vec![Scheme::RsaPkcs1(Hash::Sha256)],
        KeyKind::Ed25519 => vec![Scheme::Ed25519],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of protocol.md.
    #[test]
    fn pae_of_the_specification() {
        assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }
}
