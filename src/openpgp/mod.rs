//! OpenPGP (RFC 9580; RFC 4880 for version 3) as far as simple signing needs it: signed messages
//! that carry their payload, and keyrings (docs/containers-image.md section 5).
//!
//! 1. [`Keyring::read`] reads the public keys of a file, binary or armoured, and believes nothing of
//!    what they say of themselves.
//! 2. [`Message::read`] reads a signed message, and says which keys may have made it.
//! 3. [`Message::verify`] has checked what such a key says of itself (user ids, subkeys,
//!    revocations), decides as GnuPG does what of it holds at a time, and has the message's own
//!    signature checked. What holds is a [`SignedPayload`].
//!
//! In scope: exactly one signature over binary or text data, by RSA, DSA, ECDSA or Ed25519 keys of
//! version 4 or 6, with SHA-2; deflate and zlib. Out of scope: encryption, detached, cleartext and
//! armoured messages, bzip2, Ed448, the web of trust, keys of version 3. Trusted: the keyring's
//! primary keys, because an operator lists them; nothing else that stands in a keyring.

mod armor;
mod check;
#[cfg(any(test, feature = "internals"))]
pub mod detached;
mod error;
mod fingerprint;
mod hash;
mod history;
mod inflate;
mod key_packet;
mod keyring;
mod literal;
mod message;
mod octets;
mod outlook;
mod packet;
mod self_signature;
mod signature_packet;
mod signer;
mod standing;
mod subpackets;
#[cfg(test)]
mod tests;
mod transferable;
#[cfg(feature = "internals")]
pub mod unarmoured;
mod verify;
mod written;

pub use error::OpenPgpError;
pub use fingerprint::{Fingerprint, Handle};
pub use keyring::Keyring;
pub use message::Message;
pub use outlook::{Outlook, PossibleSigner};
pub use signer::MessageSigner;
pub use standing::Terms;
pub use verify::{SignedPayload, Unproven};
