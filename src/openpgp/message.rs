//! Signed messages (RFC 9580 section 10.3): one signature, one payload, nothing else.

use super::error::OpenPgpError;
use super::fingerprint::Handle;
use super::inflate::inflated;
use super::literal;
use super::octets::Octets;
use super::packet::{
    COMPRESSED, ENCRYPTED, ENCRYPTED_AEAD, ENCRYPTED_INTEGRITY, ENCRYPTED_KEY, LITERAL, ONE_PASS,
    Packet, Packets, SIGNATURE, SYMMETRIC_KEY,
};
use super::signature_packet::{BINARY, SignaturePacket, TEXT};
use crate::limits;
use alloc::vec::Vec;

/// A message that says that somebody signed its payload. Nothing of it is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub(super) signature: SignaturePacket,
    pub(super) payload: Vec<u8>,
}

impl Message {
    /// Reads a signed message, compressed or not: a one-pass signature, the payload and the
    /// signature, or, in the older form, signature and payload. We reject whatever else stands in
    /// it, markers and padding included, because readers differ in what they make of it
    /// (CVE-2025-47934).
    ///
    /// # Errors
    /// [`OpenPgpError`].
    pub fn read(blob: &[u8]) -> Result<Self, OpenPgpError> {
        Self::read_within(blob, &mut { limits::OPENPGP_INFLATED })
    }

    /// As [`Self::read`]; it may inflate to no more than `room` bytes. What it inflated to is taken
    /// off, whatever came of it.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_within(blob: &[u8], room: &mut usize) -> Result<Self, OpenPgpError> {
        if blob.len() > limits::EVIDENCE {
            return Err(OpenPgpError::TooLarge {
                what: "an OpenPGP message",
                limit: limits::EVIDENCE,
            });
        }
        // Section 6.2 and 7: armour and cleartext signatures.
        if blob.trim_ascii_start().starts_with(b"-----BEGIN PGP") {
            return Err(OpenPgpError::Armoured);
        }
        let mut packets = Packets::of(blob);
        let first = packets.next()?.ok_or(OpenPgpError::Empty)?;
        if first.tag != COMPRESSED {
            return Self::signed(&first, packets);
        }
        let inside = inflated(&first.body, room)?;
        end(&mut packets)?;
        let mut packets = Packets::of(&inside);
        let first = packets.next()?.ok_or(OpenPgpError::Empty)?;
        Self::signed(&first, packets)
    }

    /// Which keys its signature names: a hint.
    pub fn issuers(&self) -> &[Handle] {
        &self.signature.subpackets.issuers
    }

    fn signed(first: &Packet<'_>, mut packets: Packets<'_>) -> Result<Self, OpenPgpError> {
        let (signature, literal) = match first.tag {
            ONE_PASS => {
                let literal = next(&mut packets, LITERAL, "the payload (type 11)")?;
                let signature = next(&mut packets, SIGNATURE, "the signature (type 2)")?;
                let signature = SignaturePacket::parse(&signature.body)?;
                one_pass(&first.body, &signature)?;
                (signature, literal)
            }
            SIGNATURE if packets.is_empty() => return Err(OpenPgpError::Detached),
            SIGNATURE => {
                let literal = next(&mut packets, LITERAL, "the payload (type 11)")?;
                (SignaturePacket::parse(&first.body)?, literal)
            }
            found => return Err(unsigned(found)),
        };
        end(&mut packets)?;
        // Section 5.2.1: others were not made to sign a document (GHSA-qwqc-28w3-fww6). Text is
        // taken as it stands there, as GnuPG hashes it.
        if !matches!(signature.kind, BINARY | TEXT) {
            return Err(OpenPgpError::SignatureType {
                found: signature.kind,
            });
        }
        if signature.subpackets.issuers.is_empty() {
            return Err(OpenPgpError::NoIssuer);
        }
        Ok(Self {
            signature,
            payload: literal::data(&literal.body)?.into(),
        })
    }
}

/// The next packet, of this type.
fn next<'a>(
    packets: &mut Packets<'a>,
    tag: u8,
    expected: &'static str,
) -> Result<Packet<'a>, OpenPgpError> {
    match packets.next()? {
        Some(packet) if packet.tag == tag => Ok(packet),
        Some(packet) if matches!(packet.tag, ONE_PASS | SIGNATURE) => {
            Err(OpenPgpError::SeveralSignatures)
        }
        Some(Packet { tag: found, .. }) => Err(OpenPgpError::Packet { found, expected }),
        None if tag == SIGNATURE => Err(OpenPgpError::Unsigned),
        None => Err(OpenPgpError::Malformed {
            what: "the signed message",
        }),
    }
}

/// Nothing may follow.
fn end(packets: &mut Packets<'_>) -> Result<(), OpenPgpError> {
    match packets.next() {
        Ok(None) => Ok(()),
        Ok(Some(packet)) if packet.tag == SIGNATURE => Err(OpenPgpError::SeveralSignatures),
        _ => Err(OpenPgpError::Trailing),
    }
}

fn unsigned(found: u8) -> OpenPgpError {
    match found {
        LITERAL => OpenPgpError::Unsigned,
        ENCRYPTED_KEY | SYMMETRIC_KEY | ENCRYPTED | ENCRYPTED_INTEGRITY | ENCRYPTED_AEAD => {
            OpenPgpError::Encrypted
        }
        found => OpenPgpError::Packet {
            found,
            expected: "a signature (type 4 or 2)",
        },
    }
}

/// Section 5.4: it announces the very signature that follows, and no other one between.
fn one_pass(body: &[u8], signature: &SignaturePacket) -> Result<(), OpenPgpError> {
    let mut octets = Octets::of(body, "a one-pass signature");
    let version = octets.u8()?;
    let [kind, hash, algorithm] = octets.array()?;
    let same = (kind, hash, algorithm) == (signature.kind, signature.hash, signature.algorithm);
    let issuer = match (version, signature.version) {
        (3, 3 | 4) => Handle::KeyId(octets.array()?),
        (6, 6) => {
            let salt = octets.u8()?;
            if octets.take(salt.into())? != signature.salt {
                return Err(OpenPgpError::OnePass);
            }
            Handle::v6(octets.array()?)
        }
        _ => return Err(OpenPgpError::OnePass),
    };
    let is_last = octets.u8()?;
    octets.finish()?;
    let issuers = &signature.subpackets.issuers;
    let is_named = issuers.iter().any(|own| own.agrees(&issuer));
    if same && is_last == 1 && is_named {
        Ok(())
    } else if is_last == 0 {
        Err(OpenPgpError::SeveralSignatures)
    } else {
        Err(OpenPgpError::OnePass)
    }
}
