//! Keys made for one run, and the files that policies name.

use crate::certificates;
use crate::random::Random;
use ed25519_dalek::Signer;
use p256::ecdsa::signature::SignatureEncoding;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::pkcs8::EncodePublicKey;
use p256::pkcs8::LineEnding;
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::signature::RandomizedSigner;
use sealgate::internals::crypto::PublicKey;
use sha2::Digest;
use sha2::Sha256;
use sha2::Sha384;
use std::path::Path;
use std::path::PathBuf;

/// A private key of each kind that either side knows.
pub enum Secret {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
    Rsa(rsa::PrivateKey),
}

pub struct Key {
    pub secret: Secret,
    /// SubjectPublicKeyInfo in PEM.
    pub pem: String,
}

/// How a signature is made; all but the first are ways in which clients or attackers write others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Usual,
    /// ECDSA: r and s without DER.
    Halves,
    /// ECDSA over SHA-384; RSA-PSS.
    Other,
}

/// What one run signs with: its keys, and a folder with files that hold some of them.
pub struct Kit {
    pub keys: Vec<Key>,
    /// The certificate of the authority, whose key is the third.
    pub root: String,
    /// As a policy names them, with their content.
    pub files: Vec<(String, Vec<u8>)>,
    folder: PathBuf,
}

impl Kit {
    pub fn make(seed: u64) -> Result<Self, String> {
        let mut random = Random::of(seed, u64::MAX);
        let mut bytes = |length| {
            (0..length)
                .map(|_| random.next() as u8)
                .collect::<Vec<u8>>()
        };
        let mut keys = Vec::new();
        for _ in 0..3 {
            keys.push(Key::new(Secret::P256(
                p256::ecdsa::SigningKey::from_slice(&bytes(32)).map_err(said)?,
            ))?);
        }
        keys.push(Key::new(Secret::P384(
            p384::ecdsa::SigningKey::from_slice(&bytes(48)).map_err(said)?,
        ))?);
        // Below the order, whose first byte is 1.
        let scalar: Vec<u8> = [0, 0].into_iter().chain(bytes(64)).collect();
        keys.push(Key::new(Secret::P521(
            p521::ecdsa::SigningKey::from_slice(&scalar).map_err(said)?,
        ))?);
        let seed: [u8; 32] = bytes(32).try_into().unwrap_or_default();
        keys.push(Key::new(Secret::Ed25519(
            ed25519_dalek::SigningKey::from_bytes(&seed),
        ))?);
        keys.push(Key::new(Secret::Rsa(
            rsa::PrivateKey::new(&mut random, 2048).map_err(said)?,
        ))?);
        let folder =
            std::env::temp_dir().join(format!("sealgate-differential-{}", std::process::id()));
        let mut files = Vec::new();
        std::fs::create_dir_all(&folder).map_err(said)?;
        let root = certificates::root(&keys[2], &mut random);
        let both = format!("{}{}", keys[1].pem, keys[0].pem);
        for (name, content) in [
            ("a.pub", keys[0].pem.clone()),
            ("b.pub", keys[1].pem.clone()),
            ("ed.pub", keys[5].pem.clone()),
            ("two.pub", both),
            ("junk.pub", "no key\n".into()),
            ("empty.pub", String::new()),
            ("root.pem", root.clone()),
        ] {
            let path = folder.join(name);
            std::fs::write(&path, &content).map_err(said)?;
            files.push((path.to_string_lossy().into_owned(), content.into_bytes()));
        }
        Ok(Self {
            keys,
            root,
            files,
            folder,
        })
    }

    /// The content of a file that policies may name.
    pub fn file(&self, path: &str) -> Option<Vec<u8>> {
        self.files
            .iter()
            .find(|(name, _)| Path::new(name) == Path::new(path))
            .map(|(_, content)| content.clone())
    }
}

impl Drop for Kit {
    fn drop(&mut self) {
        // What stays behind in the folder for temporary files does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Key {
    fn new(secret: Secret) -> Result<Self, String> {
        let pem = match &secret {
            Secret::P256(key) => {
                p256::PublicKey::from(key.verifying_key()).to_public_key_pem(LineEnding::LF)
            }
            Secret::P384(key) => {
                p384::PublicKey::from(key.verifying_key()).to_public_key_pem(LineEnding::LF)
            }
            Secret::P521(key) => {
                p521::PublicKey::from(key.verifying_key()).to_public_key_pem(LineEnding::LF)
            }
            Secret::Ed25519(key) => key.verifying_key().to_public_key_pem(LineEnding::LF),
            Secret::Rsa(key) => key.to_public_key().to_public_key_pem(LineEnding::LF),
        };
        Ok(Self {
            secret,
            pem: pem.map_err(said)?,
        })
    }

    /// SubjectPublicKeyInfo in DER.
    pub fn spki(&self) -> Vec<u8> {
        PublicKey::from_pem(self.pem.as_bytes())
            .map(|key| key.spki_der().to_vec())
            .unwrap_or_else(|error| panic!("a key made here reads: {error}"))
    }

    /// PKCS #1, which only RSA keys have.
    pub fn pkcs1(&self) -> Option<String> {
        let Secret::Rsa(key) = &self.secret else {
            return None;
        };
        key.to_public_key().to_pkcs1_pem(LineEnding::LF).ok()
    }

    pub fn sign(&self, message: &[u8], form: Form, random: &mut Random) -> Vec<u8> {
        let (sha256, sha384) = (Sha256::digest(message), Sha384::digest(message));
        let hash: &[u8] = if form == Form::Other {
            &sha384
        } else {
            &sha256
        };
        let (halves, der) = match &self.secret {
            Secret::P256(key) => ecdsa(
                PrehashSigner::<p256::ecdsa::Signature>::sign_prehash(key, hash)
                    .map(|s| (s.to_vec(), s.to_der().as_bytes().to_vec())),
            ),
            Secret::P384(key) => ecdsa(
                PrehashSigner::<p384::ecdsa::Signature>::sign_prehash(key, hash)
                    .map(|s| (s.to_vec(), s.to_der().as_bytes().to_vec())),
            ),
            Secret::P521(key) => {
                // The crate wants as many bytes as a field element has; a shorter hash is a smaller
                // number.
                let padded: Vec<u8> = std::iter::repeat_n(0, 66 - hash.len())
                    .chain(hash.iter().copied())
                    .collect();
                ecdsa(
                    PrehashSigner::<p521::ecdsa::Signature>::sign_prehash(key, &padded)
                        .map(|s| (s.to_vec(), s.to_der().as_bytes().to_vec())),
                )
            }
            Secret::Ed25519(key) => return key.sign(message).to_vec(),
            Secret::Rsa(key) if form == Form::Other => {
                return rsa::pss::SigningKey::<Sha256>::new(key.clone())
                    .sign_with_rng(random, message)
                    .to_vec();
            }
            Secret::Rsa(key) => {
                return rsa::pkcs1v15::SigningKey::<Sha256>::new(key.clone())
                    .sign(message)
                    .to_vec();
            }
        };
        if form == Form::Halves { halves } else { der }
    }
}

fn ecdsa(signed: Result<(Vec<u8>, Vec<u8>), p256::ecdsa::Error>) -> (Vec<u8>, Vec<u8>) {
    signed.unwrap_or_else(|error| panic!("a key made here signs: {error}"))
}
