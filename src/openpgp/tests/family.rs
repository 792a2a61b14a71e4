//! Keys with subkeys, and what they say at which time.

use super::make::*;
use super::*;

pub(super) fn at_seconds(seconds: u32) -> Vec<u8> {
    subpacket(2, &seconds.to_be_bytes())
}

/// A self-signature made at another time.
pub(super) fn said_at(key: &Key, created: u32, kind: u8, more: &[u8], data: &[&[u8]]) -> Vec<u8> {
    let mut made = key.plain(kind);
    let issuer = subpacket(33, &key.issuer());
    made.hashed = [&at_seconds(created), &issuer, more].concat();
    packet(2, &key.sign(&made, data))
}

pub(super) const FLAGS: u8 = 27;
pub(super) const KEY_EXPIRES: u8 = 9;

pub(super) fn days(days: u32) -> [u8; 4] {
    (days * 86_400).to_be_bytes()
}

/// A subkey of `primary` with what is said over both.
pub(super) struct Family {
    pub primary: Key,
    pub subkey: Key,
}

impl Family {
    pub(super) fn data(&self) -> [Vec<u8>; 2] {
        [self.primary.parsed().hashed, self.subkey.parsed().hashed]
    }

    pub(super) fn cross(&self, by: &Key, kind: u8, more: &[u8]) -> Vec<u8> {
        let [primary, subkey] = self.data();
        let mut made = by.plain(kind);
        made.hashed.extend_from_slice(more);
        subpacket(32, &by.sign(&made, &[&primary, &subkey]))
    }

    pub(super) fn of(version: u8) -> Self {
        let [primary, subkey] = [1, 2].map(|seed| key(version, seed));
        Self { primary, subkey }
    }

    /// Bound both ways.
    pub(super) fn good_ring(&self) -> Vec<u8> {
        self.ring(&self.binding(SIGNED, 0x18, &self.good_cross()))
    }

    pub(super) fn good_cross(&self) -> Vec<u8> {
        self.cross(&self.subkey, 0x19, &[])
    }

    pub(super) fn binding(&self, created: u32, kind: u8, more: &[u8]) -> Vec<u8> {
        let [primary, subkey] = self.data();
        said_at(&self.primary, created, kind, more, &[&primary, &subkey])
    }

    pub(super) fn ring(&self, bindings: &[u8]) -> Vec<u8> {
        let subkey = packet(14, &self.subkey.body());
        [&self.primary.ring()[..], &subkey, bindings].concat()
    }
}
