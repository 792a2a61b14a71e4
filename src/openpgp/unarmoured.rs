//! What armour holds, for tests alone: keyrings are read as a whole.

use super::armor;
use alloc::vec::Vec;

/// The blocks of public keys in `text`, in order; none for one that is malformed.
pub fn keys(text: &str) -> Vec<Option<Vec<u8>>> {
    armor::blocks(text, armor::PUBLIC_KEY)
}
