//! Keys, signatures and messages that no program would make.

use super::*;
use crate::digest::{Algorithm, sha1, sha224};
use crate::openpgp::key_packet::KeyPacket;
use alloc::boxed::Box;
use ed25519_dalek::Signer as _;
use rsa::traits::PublicKeyParts as _;

/// When the keys were made, and when they sign: a day later.
pub(super) const MADE: u32 = 1_767_225_600;
pub(super) const SIGNED: u32 = MADE + 86_400;
pub(super) const PAYLOAD: &[u8] = b"{\"critical\": 1}";

/// Of version 4 or 6.
pub(super) struct Key {
    secret: Secret,
    pub version: u8,
    pub created: u32,
}

enum Secret {
    Ed25519(Box<ed25519_dalek::SigningKey>),
    Rsa(Box<rsa::PrivateKey>),
}

/// Ed25519.
pub(super) fn key(version: u8, seed: u8) -> Key {
    Key {
        secret: Secret::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&[seed; 32]))),
        version,
        created: MADE,
    }
}

/// RSA, whose primes everybody knows: 2^1024 - 105 and 3 · 2^1022 - 91.
pub(super) fn rsa() -> Key {
    let prime = |first: u8, last: u8| {
        let mut bytes = [0xff; 128];
        (bytes[0], bytes[127]) = (first, last);
        rsa::BoxedUint::from_be_slice_vartime(&bytes)
    };
    let exponent = rsa::BoxedUint::from_be_slice_vartime(&[1, 0, 1]);
    let secret = rsa::PrivateKey::from_p_q(prime(0xff, 151), prime(0xbf, 165), exponent).unwrap();
    Key {
        secret: Secret::Rsa(Box::new(secret)),
        version: 4,
        created: MADE,
    }
}

/// A new-format packet.
pub(super) fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[0xc0 | tag, 255], &length[..], body].concat()
}

pub(super) fn subpacket(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(body.len() + 1).unwrap();
    [&[length, kind], body].concat()
}

pub(super) fn mpi(value: &[u8]) -> Vec<u8> {
    let zeros = value.iter().take_while(|byte| **byte == 0).count();
    let value = &value[zeros..];
    let unused = value.first().map_or(0, |byte| byte.leading_zeros());
    let bits = u16::try_from(value.len() * 8).unwrap() - u16::try_from(unused).unwrap();
    [&bits.to_be_bytes(), value].concat()
}

/// What a signature is made of.
#[derive(Clone)]
pub(super) struct Made {
    pub version: u8,
    pub kind: u8,
    pub algorithm: u8,
    pub hash: u8,
    pub hashed: Vec<u8>,
    pub unhashed: Vec<u8>,
    pub salt: Vec<u8>,
}

impl Key {
    pub(super) fn body(&self) -> Vec<u8> {
        let created = self.created.to_be_bytes();
        let point = match &self.secret {
            Secret::Ed25519(secret) => secret.verifying_key().to_bytes(),
            Secret::Rsa(secret) => {
                let modulus = mpi(&secret.as_public_key().n().to_be_bytes());
                return [&[4], &created[..], &[1], &modulus, &mpi(&[1, 0, 1])].concat();
            }
        };
        if self.version == 6 {
            return [&[6], &created[..], &[27, 0, 0, 0, 32], &point].concat();
        }
        let oid = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];
        let point = mpi(&[&[0x40], &point[..]].concat());
        [&[4], &created[..], &[22, 9], &oid, &point].concat()
    }

    pub(super) fn parsed(&self) -> KeyPacket {
        KeyPacket::parse(&self.body()).unwrap()
    }

    /// The issuer fingerprint subpacket's body.
    pub(super) fn issuer(&self) -> Vec<u8> {
        [&[self.version], self.parsed().fingerprint.bytes()].concat()
    }

    /// As most signatures are.
    pub(super) fn plain(&self, kind: u8) -> Made {
        Made {
            version: self.version,
            kind,
            algorithm: match (&self.secret, self.version) {
                (Secret::Rsa(_), _) => 1,
                (_, 6) => 27,
                _ => 22,
            },
            hash: 8,
            hashed: [
                subpacket(2, &SIGNED.to_be_bytes()),
                subpacket(33, &self.issuer()),
            ]
            .concat(),
            unhashed: Vec::new(),
            salt: [7; 16].into(),
        }
    }

    /// The body of a signature packet over `data`.
    pub(super) fn sign(&self, made: &Made, data: &[&[u8]]) -> Vec<u8> {
        let head = [made.version, made.kind, made.algorithm, made.hash];
        let size = |length: usize| {
            let length = u32::try_from(length).unwrap().to_be_bytes();
            length[if made.version == 6 { 0 } else { 2 }..].to_vec()
        };
        let hashed = &made.hashed;
        let fields = [&head[..], &size(hashed.len()), hashed].concat();
        let length = u32::try_from(fields.len()).unwrap().to_be_bytes();
        let trailer = [&fields[..], &[made.version, 0xff], &length].concat();
        let salt: &[u8] = if made.version == 6 { &made.salt } else { &[] };
        let message = [salt, &data.concat(), &trailer].concat();
        let digest = digest(made.hash, &message);
        let unhashed = [size(made.unhashed.len()), made.unhashed.clone()].concat();
        let salted = match made.version {
            6 => [&[u8::try_from(salt.len()).unwrap()], salt].concat(),
            _ => Vec::new(),
        };
        let numbers = self.numbers(made, &digest);
        [&fields[..], &unhashed, &digest[..2], &salted, &numbers].concat()
    }

    /// RFC 4880 section 5.2.2.
    pub(super) fn sign_v3(&self, kind: u8, data: &[u8]) -> Vec<u8> {
        let signed = [&[kind], &SIGNED.to_be_bytes()[..]].concat();
        let digest = digest(8, &[data, &signed].concat());
        let id = self.parsed().fingerprint.key_id();
        let numbers = self.numbers(&self.plain(kind), &digest);
        [&[3, 5], &signed[..], &id, &[22, 8], &digest[..2], &numbers].concat()
    }

    fn numbers(&self, made: &Made, digest: &[u8]) -> Vec<u8> {
        let secret = match &self.secret {
            Secret::Ed25519(secret) => secret,
            Secret::Rsa(secret) => {
                let scheme = match made.hash {
                    2 => rsa::Pkcs1v15Sign::new::<sha1::Sha1>(),
                    11 => rsa::Pkcs1v15Sign::new::<sha2::Sha224>(),
                    _ => rsa::Pkcs1v15Sign::new::<sha2::Sha256>(),
                };
                return mpi(&secret.sign(scheme, digest).unwrap());
            }
        };
        let signature = secret.sign(digest).to_bytes();
        match made.algorithm {
            27 => signature.into(),
            _ => [mpi(&signature[..32]), mpi(&signature[32..])].concat(),
        }
    }

    /// The announcement of a signature.
    pub(super) fn one_pass(&self, made: &Made) -> Vec<u8> {
        let fingerprint = self.parsed().fingerprint;
        let body = match made.version {
            6 => [
                &[6, made.kind, made.hash, made.algorithm, 16][..],
                &made.salt,
                fingerprint.bytes(),
                &[1],
            ]
            .concat(),
            _ => [
                &[3, made.kind, made.hash, made.algorithm][..],
                &fingerprint.key_id(),
                &[1],
            ]
            .concat(),
        };
        packet(4, &body)
    }

    /// One-pass signature, payload, signature.
    pub(super) fn parts(&self, made: &Made) -> [Vec<u8>; 3] {
        [
            self.one_pass(made),
            literal(PAYLOAD),
            packet(2, &self.sign(made, &[PAYLOAD])),
        ]
    }

    pub(super) fn message(&self) -> Vec<u8> {
        self.parts(&self.plain(0)).concat()
    }

    /// A self-signature.
    pub(super) fn says(&self, kind: u8, more: &[u8], data: &[&[u8]]) -> Vec<u8> {
        let mut made = self.plain(kind);
        made.hashed.extend_from_slice(more);
        packet(2, &self.sign(&made, data))
    }

    /// The primary key, and what certifies it.
    pub(super) fn ring(&self) -> Vec<u8> {
        let body = self.body();
        let hashed = self.parsed().hashed;
        match self.version {
            6 => [packet(6, &body), self.says(0x1f, &[], &[&hashed])].concat(),
            _ => [packet(6, &body), self.user_id(b"me", 0x13, &[])].concat(),
        }
    }

    /// A user id with a signature over it.
    pub(super) fn user_id(&self, id: &[u8], kind: u8, more: &[u8]) -> Vec<u8> {
        [packet(13, id), self.says_of(id, kind, more)].concat()
    }

    pub(super) fn says_of(&self, id: &[u8], kind: u8, more: &[u8]) -> Vec<u8> {
        let hashed = self.parsed().hashed;
        self.says(kind, more, &[&hashed, &hashed_id(id)])
    }
}

pub(super) fn hashed_id(id: &[u8]) -> Vec<u8> {
    let length = u32::try_from(id.len()).unwrap().to_be_bytes();
    [&[0xb4], &length[..], id].concat()
}

pub(super) fn literal(payload: &[u8]) -> Vec<u8> {
    packet(11, &[b"b\x04name\0\0\0\0", payload].concat())
}

fn digest(hash: u8, message: &[u8]) -> Vec<u8> {
    match hash {
        8 => Algorithm::Sha256.hash(message),
        9 => Algorithm::Sha384.hash(message),
        10 => Algorithm::Sha512.hash(message),
        11 => sha224(message).into(),
        // What no check reads needs no digest of its own.
        _ => sha1(message).into(),
    }
}

/// Judged two days after the keys were made.
pub(super) fn judged(message: &[u8], keyring: &[u8]) -> &'static str {
    code(message, keyring, at(UnixTime(i64::from(MADE) + 2 * DAY)))
}
