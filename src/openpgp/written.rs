//! A keyring written anew from what was read of it (RFC 9580 section 10.1): for whoever is to judge
//! by it, without what else its files hold.

use super::key_packet::KeyPacket;
use super::keyring::Keyring;
use super::packet::{PUBLIC_KEY, PUBLIC_SUBKEY, SIGNATURE, USER_ATTRIBUTE, USER_ID};
use super::signature_packet::SignaturePacket;
use super::transferable::TransferableKey;
use alloc::vec::Vec;

impl Keyring {
    /// Its keys, in binary, with what each says of itself and the revocations that are beside it.
    pub fn written(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.keys().for_each(|key| write_key(&mut out, key));
        out
    }
}

fn write_key(out: &mut Vec<u8>, key: &TransferableKey) {
    packet(out, PUBLIC_KEY, body(&key.primary));
    signatures(out, &key.direct);
    for user_id in &key.user_ids {
        // As it is hashed: one byte for its type, four for its length.
        let (kind, body) = user_id.hashed.split_at_checked(5).unwrap_or_default();
        let tag = if kind.first() == Some(&0xb4) {
            USER_ID
        } else {
            USER_ATTRIBUTE
        };
        packet(out, tag, body);
        signatures(out, &user_id.signatures);
    }
    for subkey in &key.subkeys {
        packet(out, PUBLIC_SUBKEY, body(&subkey.packet));
        signatures(out, &subkey.signatures);
    }
}

fn signatures(out: &mut Vec<u8>, all: &[SignaturePacket]) {
    all.iter()
        .for_each(|signature| packet(out, SIGNATURE, &signature.body));
}

/// Behind one byte, and two or four for the length.
fn body(key: &KeyPacket) -> &[u8] {
    let frame = if key.version == 6 { 5 } else { 3 };
    key.hashed.get(frame..).unwrap_or_default()
}

/// Section 4.2.1, with a length of five bytes.
fn packet(out: &mut Vec<u8>, tag: u8, body: &[u8]) {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&[0xc0 | tag, 0xff]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(body);
}
