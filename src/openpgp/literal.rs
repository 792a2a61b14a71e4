//! Literal Data packets (RFC 9580 section 5.9): the payload.

use super::error::OpenPgpError;
use super::octets::Octets;

/// The data as it stands there. Name and date before it are not signed, and not read.
pub(super) fn data(body: &[u8]) -> Result<&[u8], OpenPgpError> {
    let mut octets = Octets::of(body, "the payload's packet");
    // Binary, or text, whose line ends stay as they were signed.
    if !matches!(octets.u8()?, b'b' | b't' | b'u') {
        return Err(octets.malformed());
    }
    let name = octets.u8()?;
    octets.take(name.into())?;
    octets.take(4)?;
    Ok(octets.rest())
}
