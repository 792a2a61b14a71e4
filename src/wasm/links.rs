//! What is remembered of chains, for as long as this module lives: across its requests
//! (docs/trust.md section 7).

use crate::crypto::Links;
use crate::host::Remote;

_std::thread_local! {
    static LINKS: Links = Links::default();
}

/// The world of one task.
pub(super) fn remote(web_crypto: bool) -> Remote {
    LINKS.with(|links| Remote::remembering(web_crypto, links))
}
