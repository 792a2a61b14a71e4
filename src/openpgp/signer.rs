//! Who signed a message, for people.

use super::fingerprint::Fingerprint;
use super::hash::HashAlgorithm;
use crate::crypto::KeyKind;
use crate::time::UnixTime;
use alloc::string::String;

/// The key of a message whose signature holds, as far as the key's own signatures hold too. Dates
/// and the user id are the key owner's own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageSigner {
    /// The fingerprint of the primary key: what an operator lists.
    pub primary: Fingerprint,
    /// The fingerprint of the key that signed: the primary key or its subkey.
    pub signer: Fingerprint,
    /// What the key calls itself: any text, cut where it is long. A key may have none.
    pub user_id: Option<String>,
    /// What kind of key signed.
    pub kind: KeyKind,
    /// Over which digest.
    pub(super) hash: HashAlgorithm,
    /// When the key that signed was made.
    pub key_created: UnixTime,
    /// The last second at which it counts.
    pub key_expires: Option<UnixTime>,
    /// When it signed.
    pub signed: UnixTime,
    /// The first second at which the signature does not count any more.
    pub expires: Option<UnixTime>,
}

impl MessageSigner {
    /// The name of the hash algorithm.
    pub fn hash(&self) -> &'static str {
        self.hash.name()
    }
}
