//! OpenPGP packets, written byte by byte (RFC 9580), so that they can be odd.

use crate::keys::Pair;
use crate::keys::digest;

pub fn mpi(value: &[u8]) -> Vec<u8> {
    let zeros = value.iter().take_while(|byte| **byte == 0).count();
    let value = &value[zeros..];
    let unused = value.first().map_or(0, |byte| byte.leading_zeros());
    let bits = (value.len() * 8) as u16 - unused as u16;
    [&bits.to_be_bytes(), value].concat()
}

/// Of the new format.
pub fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = match body.len() {
        length @ 0..192 => vec![length as u8],
        length @ 192..8384 => vec![((length - 192) >> 8) as u8 + 192, (length - 192) as u8],
        length => [&[255][..], &(length as u32).to_be_bytes()].concat(),
    };
    [&[0xc0 | tag], &length[..], body].concat()
}

/// Of the old format.
pub fn old_packet(tag: u8, body: &[u8]) -> Vec<u8> {
    let head = [0x80 | tag << 2 | 1];
    [&head, &(body.len() as u16).to_be_bytes()[..], body].concat()
}

/// In parts of 512 bytes, or of one at the end.
pub fn partial_packet(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xc0 | tag];
    let mut rest = body;
    for power in [9, 6, 4] {
        if rest.len() > 1 << power {
            bytes.push(0xe0 | power);
            bytes.extend_from_slice(&rest[..1 << power]);
            rest = &rest[1 << power..];
        }
    }
    [bytes, packet(0, rest)[1..].to_vec()].concat()
}

pub fn subpacket(kind: u8, body: &[u8]) -> Vec<u8> {
    [&packet(0, &[&[kind], body].concat())[1..]].concat()
}

/// A key packet, of version 4 or 6.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    pub version: u8,
    pub pair: &'a Pair,
    pub created: u32,
}

/// What a signature says beside what it is over.
#[derive(Clone, Default)]
pub struct Fields {
    pub kind: u8,
    pub hash: u8,
    pub hashed: Vec<u8>,
    pub unhashed: Vec<u8>,
}

impl Key<'_> {
    pub fn body(&self) -> Vec<u8> {
        let created = self.created.to_be_bytes();
        let public = self.pair.public(self.version);
        let length = match self.version {
            6 => (public.len() as u32).to_be_bytes().to_vec(),
            _ => Vec::new(),
        };
        let algorithm = [self.pair.algorithm.id(self.version)];
        [&[self.version], &created[..], &algorithm, &length, public].concat()
    }

    /// What signatures over the key hash.
    pub fn hashed(&self) -> Vec<u8> {
        let body = self.body();
        match self.version {
            6 => [&[0x9b], &(body.len() as u32).to_be_bytes()[..], &body].concat(),
            _ => [&[0x99], &(body.len() as u16).to_be_bytes()[..], &body].concat(),
        }
    }

    pub fn fingerprint(&self) -> Vec<u8> {
        digest(if self.version == 6 { 8 } else { 2 }, &self.hashed())
    }

    pub fn id(&self) -> Vec<u8> {
        match self.version {
            6 => self.fingerprint()[..8].to_vec(),
            _ => self.fingerprint()[12..].to_vec(),
        }
    }

    /// Time, and who: as most signatures have it. The key id is of version 4 alone.
    pub fn usual(&self, kind: u8, hash: u8, signed: u32) -> Fields {
        let fingerprint = [&[self.version][..], &self.fingerprint()].concat();
        Fields {
            kind,
            hash,
            hashed: [
                subpacket(33, &fingerprint),
                subpacket(2, &signed.to_be_bytes()),
            ]
            .concat(),
            unhashed: match self.version {
                6 => Vec::new(),
                _ => subpacket(16, &self.id()),
            },
        }
    }

    /// The body of a signature packet.
    pub fn sign(&self, fields: &Fields, data: &[u8]) -> Vec<u8> {
        let version = self.version;
        let area = |bytes: &[u8]| match version {
            6 => [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat(),
            _ => [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat(),
        };
        let algorithm = self.pair.algorithm.id(version);
        let head = [version, fields.kind, algorithm, fields.hash];
        let signed = [&head[..], &area(&fields.hashed)].concat();
        let length = (signed.len() as u32).to_be_bytes();
        let salt = self.salt(fields.hash);
        let hashed = [&salt[..], data, &signed, &[version, 0xff], &length].concat();
        let digest = digest(fields.hash, &hashed);
        let numbers = self.pair.sign(version, fields.hash, &digest);
        let salted = match version {
            6 => [&[salt.len() as u8], &salt[..]].concat(),
            _ => Vec::new(),
        };
        [
            &signed,
            &area(&fields.unhashed),
            &digest[..2],
            &salted,
            &numbers,
        ]
        .concat()
    }

    /// Of version 6, as long as the hash demands (RFC 9580 section 9.5; SHA-1 has none there).
    fn salt(&self, hash: u8) -> Vec<u8> {
        let length = match (self.version, hash) {
            (6, 10) => 32,
            (6, 9) => 24,
            (6, _) => 16,
            _ => 0,
        };
        vec![7; length]
    }

    /// RFC 4880 section 5.2.2.
    pub fn sign_v3(&self, kind: u8, hash: u8, signed: u32, data: &[u8]) -> Vec<u8> {
        let fields = [&[kind], &signed.to_be_bytes()[..]].concat();
        let digest = digest(hash, &[data, &fields].concat());
        let numbers = self.pair.sign(4, hash, &digest);
        let algorithms = [self.pair.algorithm.id(4), hash];
        [
            &[3, 5],
            &fields[..],
            &self.id(),
            &algorithms,
            &digest[..2],
            &numbers,
        ]
        .concat()
    }

    /// The announcement of a signature.
    pub fn one_pass(&self, kind: u8, hash: u8, is_last: bool) -> Vec<u8> {
        let algorithm = self.pair.algorithm.id(self.version);
        let last = [u8::from(is_last)];
        if self.version == 6 {
            let salt = self.salt(hash);
            let head = [6, kind, hash, algorithm, salt.len() as u8];
            return [&head[..], &salt, &self.fingerprint(), &last].concat();
        }
        let head = [3, kind, hash, algorithm];
        [&head[..], &self.id(), &last].concat()
    }
}

pub fn literal(payload: &[u8], is_text: bool) -> Vec<u8> {
    let head = [if is_text { b't' } else { b'b' }, 0, 0, 0, 0, 0];
    [&head, payload].concat()
}

/// What a certification hashes of a user id.
pub fn hashed_id(id: &[u8]) -> Vec<u8> {
    [&[0xb4], &(id.len() as u32).to_be_bytes()[..], id].concat()
}

pub fn armoured(kind: &str, bytes: &[u8]) -> Vec<u8> {
    let text = sealgate::internals::encoding::base64::encode(bytes);
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .map(|at| &text[at..text.len().min(at + 64)])
        .collect();
    let mut crc: u32 = 0xb7_04ce;
    for byte in bytes {
        crc ^= u32::from(*byte) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x100_0000 != 0 {
                crc ^= 0x186_4cfb;
            }
        }
    }
    let sum = sealgate::internals::encoding::base64::encode(&crc.to_be_bytes()[1..]);
    let body = lines.join("\n");
    format!("-----BEGIN PGP {kind}-----\n\n{body}\n={sum}\n-----END PGP {kind}-----\n").into_bytes()
}
