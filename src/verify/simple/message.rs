//! The OpenPGP message of a simple signature. It is read once, where it was found: what it inflates
//! to counts as evidence (docs/trust.md section 7), whoever asks about it afterwards.

use crate::error::Failure;
use crate::openpgp::{Message, OpenPgpError};

/// A message, or why these bytes are none.
#[derive(Debug)]
pub(in crate::verify) struct SimpleMessage {
    read: Result<Message, Failure>,
    size: usize,
}

impl SimpleMessage {
    /// `None` where it would become more than `room` bytes.
    pub(in crate::verify) fn read(bytes: &[u8], room: usize) -> Option<Self> {
        let mut left = room;
        let read = match Message::read_within(bytes, &mut left) {
            Err(OpenPgpError::Inflated { .. }) if left == 0 => return None,
            read => read.map_err(Failure::from),
        };
        let size = bytes.len().max(room.saturating_sub(left));
        Some(Self { read, size })
    }

    /// The message.
    ///
    /// # Errors
    /// The codes of [`OpenPgpError`].
    pub(in crate::verify) fn message(&self) -> Result<&Message, &Failure> {
        self.read.as_ref()
    }

    /// Whether these bytes are a signed message, and nothing else.
    pub(in crate::verify) fn is_one(&self) -> bool {
        self.read.is_ok()
    }
}

impl SimpleMessage {
    /// Bytes, of itself or of what it inflated to, whichever are more.
    pub(in crate::verify) fn size(&self) -> usize {
        self.size
    }
}
