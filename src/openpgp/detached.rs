//! Detached signatures, for tests alone: no policy can reach this room's file.

use super::armor;
use super::error::OpenPgpError;
use super::message::Message;
use super::packet::{Packets, SIGNATURE};
use super::signature_packet::SignaturePacket;
use alloc::string::String;
use alloc::vec::Vec;

/// A detached signature, armoured or not, and what it is to be over, as a message.
///
/// # Errors
/// [`OpenPgpError`].
pub fn message(signature: &[u8], data: &[u8]) -> Result<Message, OpenPgpError> {
    let text = String::from_utf8_lossy(signature);
    let block = armor::blocks(&text, "SIGNATURE")
        .into_iter()
        .flatten()
        .next();
    let bytes: Vec<u8> = block.unwrap_or_else(|| signature.into());
    let mut packets = Packets::of(&bytes);
    let packet = packets.next()?.ok_or(OpenPgpError::Empty)?;
    if packet.tag != SIGNATURE || !packets.is_empty() {
        return Err(OpenPgpError::Trailing);
    }
    Ok(Message {
        signature: SignaturePacket::parse(&packet.body)?,
        payload: data.into(),
    })
}
