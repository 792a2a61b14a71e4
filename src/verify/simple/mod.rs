//! Simple signing: OpenPGP messages in a lookaside or in the registry's own lists, by the keys of a
//! `signedBy` (docs/containers-image.md sections 2.1, 5 and 7).
//!
//! All of it is the feature `openpgp`.

mod dir;
mod examine;
mod judge;
mod keys;
mod lookaside;
mod message;
mod source;
mod stored;

pub use dir::{DIR_TAG, DirImage};
pub(super) use keys::{GpgKeys, Keyrings};
pub use lookaside::Lookaside;
pub(super) use message::SimpleMessage;
pub(super) use source::SimpleSource;
pub use stored::StoredError;
pub(super) use stored::{Stored, listed, written_list};
