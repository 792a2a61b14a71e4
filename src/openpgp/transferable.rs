//! Transferable public keys (RFC 9580 section 10.1): a primary key, and what is said of it.

use super::error::OpenPgpError;
use super::fingerprint::Fingerprint;
use super::key_packet::KeyPacket;
use super::packet::{PUBLIC_SUBKEY, Packet, SIGNATURE, USER_ATTRIBUTE, USER_ID};
use super::signature_packet::{KEY_REVOCATION, SignaturePacket};
use crate::limits;
use alloc::string::String;
use alloc::vec::Vec;

/// A user id or attribute with the signatures over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UserId {
    /// As signatures over it hash it (section 5.2.4).
    pub hashed: Vec<u8>,
    pub signatures: Vec<SignaturePacket>,
}

/// What signatures over a user id or attribute begin with (section 5.2.4).
const ID: u8 = 0xb4;
const ATTRIBUTE: u8 = 0xd1;

impl UserId {
    /// Its text, cut; an attribute has none.
    pub(super) fn text(&self) -> Option<String> {
        let [ID, _, _, _, _, text @ ..] = self.hashed.as_slice() else {
            return None;
        };
        let most = limits::OPENPGP_USER_ID;
        // A character has at most four bytes.
        let start = text.get(..most * 4 + 4).unwrap_or(text);
        let read = String::from_utf8_lossy(start);
        let shown: String = read.chars().take(most).collect();
        let is_cut = read.chars().nth(most).is_some();
        Some(if is_cut { shown + "…" } else { shown })
    }
}

/// A subkey with the signatures over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subkey {
    pub packet: KeyPacket,
    pub signatures: Vec<SignaturePacket>,
}

/// A key as a keyring has it: only that an operator lists its primary key is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TransferableKey {
    pub primary: KeyPacket,
    /// Signatures over the primary key itself.
    pub direct: Vec<SignaturePacket>,
    pub user_ids: Vec<UserId>,
    pub subkeys: Vec<Subkey>,
    /// Whether what follows is skipped: it belongs to a subkey that cannot be read.
    skips: bool,
}

impl TransferableKey {
    pub(super) fn new(primary: KeyPacket) -> Self {
        Self {
            primary,
            direct: Vec::new(),
            user_ids: Vec::new(),
            subkeys: Vec::new(),
            skips: false,
        }
    }

    /// A packet that follows the primary key's. What is not known here is skipped, as GnuPG does.
    pub(super) fn add(&mut self, packet: &Packet<'_>) -> Result<(), OpenPgpError> {
        match packet.tag {
            SIGNATURE if !self.skips => match SignaturePacket::parse(&packet.body) {
                Ok(signature) => self.add_signature(signature),
                // It may be this key's, and cannot be asked.
                Err(error) if SignaturePacket::may_revoke(&packet.body) => return Err(error),
                Err(_) => {}
            },
            USER_ID => self.add_user_id(ID, &packet.body)?,
            USER_ATTRIBUTE => self.add_user_id(ATTRIBUTE, &packet.body)?,
            PUBLIC_SUBKEY => {
                let parsed = KeyPacket::parse(&packet.body);
                self.skips = parsed.is_err();
                if let Ok(packet) = parsed {
                    let signatures = Vec::new();
                    self.subkeys.push(Subkey { packet, signatures });
                    bounded(self.subkeys.len(), "subkeys of one OpenPGP key")?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn add_user_id(&mut self, tag: u8, body: &[u8]) -> Result<(), OpenPgpError> {
        self.skips = !self.subkeys.is_empty();
        if self.skips {
            return Ok(());
        }
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
        self.user_ids.push(UserId {
            hashed: [&[tag], &length[..], body].concat(),
            signatures: Vec::new(),
        });
        bounded(self.user_ids.len(), "user ids of one OpenPGP key")
    }

    /// What others say of the key does not count; whose revocations count is seen later.
    fn add_signature(&mut self, signature: SignaturePacket) {
        let is_own = signature.may_be_of(&self.primary.fingerprint);
        if !is_own && signature.kind != KEY_REVOCATION {
            return;
        }
        let place = match (self.subkeys.last_mut(), self.user_ids.last_mut()) {
            (Some(subkey), _) => &mut subkey.signatures,
            (None, Some(user_id)) => &mut user_id.signatures,
            (None, None) => &mut self.direct,
        };
        // Wherever it was put: it is about the primary key.
        let place = if signature.kind == KEY_REVOCATION {
            &mut self.direct
        } else {
            place
        };
        if !place.contains(&signature) {
            place.push(signature);
        }
    }

    /// What another copy of the same key says as well.
    pub(super) fn merge(&mut self, other: Self) -> Result<(), OpenPgpError> {
        extend(&mut self.direct, other.direct);
        for theirs in other.user_ids {
            let mut own = self.user_ids.iter_mut();
            match own.find(|own| own.hashed == theirs.hashed) {
                Some(own) => extend(&mut own.signatures, theirs.signatures),
                None => self.user_ids.push(theirs),
            }
        }
        for theirs in other.subkeys {
            let mut own = self.subkeys.iter_mut();
            match own.find(|own| own.packet == theirs.packet) {
                Some(own) => extend(&mut own.signatures, theirs.signatures),
                None => self.subkeys.push(theirs),
            }
        }
        bounded(self.user_ids.len(), "user ids of one OpenPGP key")?;
        bounded(self.subkeys.len(), "subkeys of one OpenPGP key")
    }

    pub(super) fn fingerprint(&self) -> &Fingerprint {
        &self.primary.fingerprint
    }
}

fn extend(own: &mut Vec<SignaturePacket>, theirs: Vec<SignaturePacket>) {
    for signature in theirs {
        if !own.contains(&signature) {
            own.push(signature);
        }
    }
}

fn bounded(found: usize, what: &'static str) -> Result<(), OpenPgpError> {
    if found <= limits::OPENPGP_PARTS {
        Ok(())
    } else {
        Err(OpenPgpError::TooManyKeys {
            what,
            limit: limits::OPENPGP_PARTS,
        })
    }
}
