//! The OpenPGP message of a simple signature. It is read once, where it was found: what it inflates
//! to counts as evidence (docs/trust.md section 7), whoever asks about it afterwards.

#[cfg(feature = "openpgp")]
use crate::error::Failure;
#[cfg(feature = "openpgp")]
use crate::openpgp::{Message, OpenPgpError};

/// A message, or why these bytes are none. Without the feature `openpgp` nobody asks.
#[derive(Debug)]
pub(super) struct SimpleMessage {
    #[cfg(feature = "openpgp")]
    read: Result<Message, Failure>,
    size: usize,
}

#[cfg(feature = "openpgp")]
impl SimpleMessage {
    /// `None` where it would become more than `room` bytes.
    pub(super) fn read(bytes: &[u8], room: usize) -> Option<Self> {
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
    pub(super) fn message(&self) -> Result<&Message, &Failure> {
        self.read.as_ref()
    }

    /// Whether these bytes are a signed message, and nothing else.
    pub(super) fn is_one(&self) -> bool {
        self.read.is_ok()
    }
}

#[cfg(not(feature = "openpgp"))]
impl SimpleMessage {
    /// `None` where there is no room.
    pub(super) fn read(bytes: &[u8], room: usize) -> Option<Self> {
        let size = bytes.len();
        (size <= room).then_some(Self { size })
    }

    /// It was not looked at.
    pub(super) fn is_one(&self) -> bool {
        false
    }
}

impl SimpleMessage {
    /// Bytes, of itself or of what it inflated to, whichever are more.
    pub(super) fn size(&self) -> usize {
        self.size
    }
}
