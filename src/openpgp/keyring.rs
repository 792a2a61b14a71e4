//! Keyrings: the public keys that an operator lists, in any number of files.

use super::armor;
use super::error::OpenPgpError;
use super::fingerprint::{Fingerprint, Handle};
use super::key_packet::KeyPacket;
use super::packet::{PUBLIC_KEY, Packets, SECRET_KEY, SECRET_SUBKEY};
use super::transferable::{Subkey, TransferableKey};
use crate::limits;
use alloc::string::String;
use alloc::vec::Vec;

/// Public keys. What they say of themselves is checked when one of them is needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keyring {
    keys: Vec<TransferableKey>,
    note: Option<OpenPgpError>,
}

/// A key of a keyring that may have made a signature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub key: &'a TransferableKey,
    /// None: the primary key itself.
    pub subkey: Option<&'a Subkey>,
}

impl<'a> Candidate<'a> {
    pub(super) fn packet(&self) -> &'a KeyPacket {
        self.subkey
            .map_or(&self.key.primary, |subkey| &subkey.packet)
    }
}

impl Keyring {
    /// Reads a binary keyring, or the armoured blocks of one. Bytes without any key are an empty
    /// keyring, as with GnuPG, and [`Self::note`] says why; keys of unknown versions are skipped.
    ///
    /// # Errors
    /// [`OpenPgpError`]: too large, a secret key, or malformed behind a key that was read, because
    /// what cannot be read may be its revocation.
    pub fn read(bytes: &[u8]) -> Result<Self, OpenPgpError> {
        if bytes.len() > limits::KEY_FILE {
            return Err(OpenPgpError::TooLarge {
                what: "an OpenPGP keyring",
                limit: limits::KEY_FILE,
            });
        }
        let mut keyring = Self::default();
        if bytes.first().is_some_and(|first| first & 0x80 != 0) {
            keyring.add_packets(bytes)?;
        } else {
            let blocks = armor::blocks(&String::from_utf8_lossy(bytes), armor::PUBLIC_KEY);
            for block in blocks.iter().flatten() {
                keyring.add_packets(block)?;
            }
            if blocks.iter().any(Option::is_none) {
                let what = "an armoured block of a keyring";
                keyring.incomplete(OpenPgpError::Malformed { what })?;
            }
        }
        if keyring.keys.is_empty() && keyring.note.is_none() {
            keyring.note = Some(OpenPgpError::NoKeys);
        }
        Ok(keyring)
    }

    /// Another file of the same list. What one says of a key counts for the other's copy too.
    ///
    /// # Errors
    /// [`OpenPgpError::TooManyKeys`].
    pub fn merge(&mut self, other: Self) -> Result<(), OpenPgpError> {
        self.note = self.note.take().or(other.note);
        (other.keys.into_iter()).try_for_each(|key| self.add(key))
    }

    /// The primary keys' fingerprints.
    pub fn fingerprints(&self) -> impl Iterator<Item = &Fingerprint> {
        self.keys.iter().map(TransferableKey::fingerprint)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &TransferableKey> {
        self.keys.iter()
    }

    /// Whether there is no key in it.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Why something in it is no key.
    pub fn note(&self) -> Option<&OpenPgpError> {
        self.note.as_ref()
    }

    /// Primary keys and subkeys that every one of these names.
    pub(super) fn named(&self, issuers: &[Handle]) -> Vec<Candidate<'_>> {
        let is_named = |packet: &KeyPacket| {
            let fingerprint = &packet.fingerprint;
            !issuers.is_empty() && issuers.iter().all(|issuer| issuer.names(fingerprint))
        };
        let mut found = Vec::new();
        for key in &self.keys {
            if is_named(&key.primary) {
                found.push(Candidate { key, subkey: None });
            }
            let subkeys = key.subkeys.iter().filter(|own| is_named(&own.packet));
            found.extend(subkeys.map(|subkey| Candidate {
                key,
                subkey: Some(subkey),
            }));
        }
        found
    }

    fn add_packets(&mut self, bytes: &[u8]) -> Result<(), OpenPgpError> {
        let mut packets = Packets::of(bytes);
        let mut current: Option<TransferableKey> = None;
        loop {
            let packet = match packets.next() {
                Ok(Some(packet)) => packet,
                Ok(None) => break,
                Err(error) if current.is_some() => return Err(error),
                Err(error) => {
                    self.incomplete(error)?;
                    break;
                }
            };
            match packet.tag {
                SECRET_KEY | SECRET_SUBKEY => return Err(OpenPgpError::SecretKey),
                PUBLIC_KEY => {
                    current.take().map_or(Ok(()), |key| self.add(key))?;
                    match KeyPacket::parse(&packet.body) {
                        Ok(primary) => current = Some(TransferableKey::new(primary)),
                        Err(error) => self.note = Some(error),
                    }
                }
                _ => current.as_mut().map_or(Ok(()), |key| key.add(&packet))?,
            }
        }
        current.map_or(Ok(()), |key| self.add(key))
    }

    /// Something cannot be read: beside keys that were, it may be a revocation of one.
    fn incomplete(&mut self, error: OpenPgpError) -> Result<(), OpenPgpError> {
        if !self.keys.is_empty() {
            return Err(error);
        }
        self.note = Some(error);
        Ok(())
    }

    fn add(&mut self, key: TransferableKey) -> Result<(), OpenPgpError> {
        let mut own = self.keys.iter_mut();
        if let Some(own) = own.find(|own| own.fingerprint() == key.fingerprint()) {
            return own.merge(key);
        }
        if self.keys.len() >= limits::OPENPGP_KEYS {
            return Err(OpenPgpError::TooManyKeys {
                what: "keys in an OpenPGP keyring",
                limit: limits::OPENPGP_KEYS,
            });
        }
        self.keys.push(key);
        Ok(())
    }
}
