//! Secrets of every algorithm, and what they sign.

use crate::packets::mpi;
use crate::random::Random;
use crypto_bigint::BoxedUint;
use crypto_bigint::Odd;
use crypto_bigint::modular::BoxedMontyForm;
use crypto_bigint::modular::BoxedMontyParams;
use ed25519_dalek::Signer;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use rsa::traits::PublicKeyParts;
use sha2::Digest;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    Rsa2048,
    Rsa3072,
    Dsa,
    P256,
    P384,
    P521,
    Ed25519,
}

impl Algorithm {
    /// What a case may sign with.
    pub const USUAL: [Self; 7] = [
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Dsa,
        Self::P256,
        Self::P384,
        Self::P521,
        Self::Ed25519,
    ];

    /// RFC 9580 section 9.1; Ed25519 has another number in keys of version 6.
    pub fn id(self, version: u8) -> u8 {
        match self {
            Self::Ed25519 if version == 6 => 27,
            Self::Rsa2048 | Self::Rsa3072 => 1,
            Self::Dsa => 17,
            Self::P256 | Self::P384 | Self::P521 => 19,
            Self::Ed25519 => 22,
        }
    }

    /// As GnuPG has it.
    pub fn takes_sha224(self) -> bool {
        matches!(self, Self::Rsa2048 | Self::Rsa3072 | Self::Ed25519)
    }

    /// The hash that is usual with the key, by its id.
    pub fn usual_hash(self) -> u8 {
        match self {
            Self::P521 => 10,
            Self::P384 => 9,
            _ => 8,
        }
    }
}

enum Secret {
    Rsa(Box<rsa::PrivateKey>),
    Dsa(Box<dsa::SigningKey>),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

/// A secret, and the numbers of its public key.
pub struct Pair {
    pub algorithm: Algorithm,
    secret: Secret,
    public: Vec<u8>,
}

/// Four of each algorithm, for each part.
pub struct Kit {
    pairs: Vec<Pair>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    Primary,
    Subkey,
    Stranger,
    /// Whom a key names to revoke it.
    Revoker,
}

impl Kit {
    pub fn make(seed: u64) -> Self {
        let mut random = Random::of(seed, u64::MAX);
        let mut pairs = Vec::new();
        for algorithm in Algorithm::USUAL {
            for _ in 0..4 {
                pairs.push(Pair::make(algorithm, &mut random));
            }
        }
        Self { pairs }
    }

    pub fn pair(&self, algorithm: Algorithm, part: Part) -> &Pair {
        let mut of = self.pairs.iter().filter(|own| own.algorithm == algorithm);
        of.nth(part as usize)
            .unwrap_or_else(|| panic!("expected four keys of {algorithm:?}, found fewer"))
    }
}

impl Pair {
    fn make(algorithm: Algorithm, random: &mut Random) -> Self {
        let bytes = |random: &mut Random, length: usize| -> Vec<u8> {
            (0..length).map(|_| random.next() as u8).collect()
        };
        let (secret, public) = match algorithm {
            Algorithm::Rsa2048 => rsa(2048, random),
            Algorithm::Rsa3072 => rsa(3072, random),
            Algorithm::Dsa => dsa(&bytes(random, 31)),
            Algorithm::P256 => {
                let key = p256::ecdsa::SigningKey::from_slice(&bytes(random, 32)).unwrap();
                let point = key.verifying_key().to_sec1_point(false);
                let oid = [8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
                let public = [&oid[..], &mpi(point.as_bytes())].concat();
                (Secret::P256(key), public)
            }
            Algorithm::P384 => {
                let key = p384::ecdsa::SigningKey::from_slice(&bytes(random, 48)).unwrap();
                let point = key.verifying_key().to_sec1_point(false);
                let oid = [5, 0x2b, 0x81, 0x04, 0x00, 0x22];
                (
                    Secret::P384(key),
                    [&oid[..], &mpi(point.as_bytes())].concat(),
                )
            }
            Algorithm::P521 => {
                // Below the order, whose first byte is 1.
                let scalar = [vec![0, 0], bytes(random, 64)].concat();
                let key = p521::ecdsa::SigningKey::from_slice(&scalar).unwrap();
                let point = key.verifying_key().to_sec1_point(false);
                let oid = [5, 0x2b, 0x81, 0x04, 0x00, 0x23];
                (
                    Secret::P521(key),
                    [&oid[..], &mpi(point.as_bytes())].concat(),
                )
            }
            Algorithm::Ed25519 => {
                let seed: [u8; 32] = bytes(random, 32).try_into().unwrap();
                let key = ed25519_dalek::SigningKey::from_bytes(&seed);
                let point = [&[0x40], &key.verifying_key().to_bytes()[..]].concat();
                let oid = [9, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];
                (Secret::Ed25519(key), [&oid[..], &mpi(&point)].concat())
            }
        };
        Self {
            algorithm,
            secret,
            public,
        }
    }

    /// As a key packet of this version has them.
    pub fn public(&self, version: u8) -> &[u8] {
        match self.algorithm.id(version) {
            27 => &self.public[self.public.len() - 32..],
            _ => &self.public,
        }
    }

    /// The numbers of a signature of this version over a digest by this hash.
    pub fn sign(&self, version: u8, hash: u8, digest: &[u8]) -> Vec<u8> {
        let halves = |bytes: &[u8]| {
            let (r, s) = bytes.split_at(bytes.len() / 2);
            [mpi(r), mpi(s)].concat()
        };
        match &self.secret {
            Secret::Rsa(key) => {
                let scheme = match hash {
                    2 => rsa::Pkcs1v15Sign::new::<sha1::Sha1>(),
                    9 => rsa::Pkcs1v15Sign::new::<sha2::Sha384>(),
                    11 => rsa::Pkcs1v15Sign::new::<sha2::Sha224>(),
                    10 => rsa::Pkcs1v15Sign::new::<sha2::Sha512>(),
                    _ => rsa::Pkcs1v15Sign::new::<sha2::Sha256>(),
                };
                mpi(&key.sign(scheme, digest).unwrap())
            }
            Secret::Dsa(key) => {
                let made = key.sign_prehashed_rfc6979::<sha2::Sha256>(digest).unwrap();
                [mpi(&made.r().to_be_bytes()), mpi(&made.s().to_be_bytes())].concat()
            }
            Secret::P256(key) => {
                let made: p256::ecdsa::Signature = key.sign_prehash(&wide(digest, 32)).unwrap();
                halves(&made.to_bytes())
            }
            Secret::P384(key) => {
                let made: p384::ecdsa::Signature = key.sign_prehash(&wide(digest, 48)).unwrap();
                halves(&made.to_bytes())
            }
            Secret::P521(key) => {
                let made: p521::ecdsa::Signature = key.sign_prehash(&wide(digest, 66)).unwrap();
                halves(&made.to_bytes())
            }
            Secret::Ed25519(key) if version == 6 => key.sign(digest).to_bytes().into(),
            Secret::Ed25519(key) => halves(&key.sign(digest).to_bytes()),
        }
    }
}

/// The crates want as many bytes as a field element has; a shorter digest is a smaller number.
fn wide(digest: &[u8], size: usize) -> Vec<u8> {
    let zeros = size.saturating_sub(digest.len());
    [&vec![0; zeros][..], digest].concat()
}

fn rsa(bits: usize, random: &mut Random) -> (Secret, Vec<u8>) {
    let key = rsa::PrivateKey::new(random, bits).unwrap();
    let modulus = mpi(&key.as_public_key().n().to_be_bytes());
    let exponent = mpi(&key.as_public_key().e().to_be_bytes());
    (Secret::Rsa(Box::new(key)), [modulus, exponent].concat())
}

/// In the group of a key that GnuPG made, since to find one takes minutes.
fn dsa(secret: &[u8]) -> (Secret, Vec<u8>) {
    let keyring = include_bytes!("../../../fixtures/openpgp/dsa.gpg");
    // Behind the packet's head, version, time and algorithm.
    let mut rest = &keyring[9..];
    let mut number = || {
        let size = usize::from(u16::from_be_bytes([rest[0], rest[1]])).div_ceil(8);
        let (value, behind) = rest[2..].split_at(size);
        rest = behind;
        BoxedUint::from_be_slice_vartime(value)
    };
    let (p, q, g) = (number(), number(), number());
    let odd = Odd::new(p.clone()).into_option().unwrap();
    let params = BoxedMontyParams::new_vartime(odd);
    let x = BoxedUint::from_be_slice_vartime(secret);
    let y = BoxedMontyForm::new(g.clone(), &params).pow(&x).retrieve();
    let public = [&p, &q, &g, &y].map(|number| mpi(&number.to_be_bytes()));
    let components = dsa::Components::from_components(p, q, g).unwrap();
    let verifying = dsa::VerifyingKey::from_components(components, y).unwrap();
    let key = dsa::SigningKey::from_components(verifying, x).unwrap();
    (Secret::Dsa(Box::new(key)), public.concat())
}

/// By the id of the hash.
pub fn digest(hash: u8, message: &[u8]) -> Vec<u8> {
    match hash {
        2 => sha1::Sha1::digest(message).to_vec(),
        8 => sha2::Sha256::digest(message).to_vec(),
        9 => sha2::Sha384::digest(message).to_vec(),
        10 => sha2::Sha512::digest(message).to_vec(),
        11 => sha2::Sha224::digest(message).to_vec(),
        other => panic!("expected the id of a hash that is used here, found {other}"),
    }
}
