//! Packets (RFC 9580 section 4): a type and a body.

use super::error::OpenPgpError;
use super::octets::Octets;
use alloc::borrow::Cow;
use alloc::vec::Vec;

/// Types (RFC 9580 section 5).
pub(super) const ENCRYPTED_KEY: u8 = 1;
pub(super) const SIGNATURE: u8 = 2;
pub(super) const SYMMETRIC_KEY: u8 = 3;
pub(super) const ONE_PASS: u8 = 4;
pub(super) const SECRET_KEY: u8 = 5;
pub(super) const PUBLIC_KEY: u8 = 6;
pub(super) const SECRET_SUBKEY: u8 = 7;
pub(super) const COMPRESSED: u8 = 8;
pub(super) const ENCRYPTED: u8 = 9;
pub(super) const LITERAL: u8 = 11;
pub(super) const USER_ID: u8 = 13;
pub(super) const PUBLIC_SUBKEY: u8 = 14;
pub(super) const USER_ATTRIBUTE: u8 = 17;
pub(super) const ENCRYPTED_INTEGRITY: u8 = 18;
pub(super) const ENCRYPTED_AEAD: u8 = 20;

/// One packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub tag: u8,
    /// Owned where it came in parts.
    pub body: Cow<'a, [u8]>,
}

/// Packets that follow each other, and nothing else.
#[derive(Debug)]
pub(super) struct Packets<'a> {
    octets: Octets<'a>,
}

/// How long a body is (sections 4.2.1 and 4.2.2).
enum Length {
    Known(usize),
    Part(usize),
    ToTheEnd,
}

impl<'a> Packets<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self {
            octets: Octets::of(bytes, "a packet"),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// The next packet; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Packet<'a>>, OpenPgpError> {
        if self.octets.is_empty() {
            return Ok(None);
        }
        let head = self.octets.u8()?;
        // Section 4.2: the highest bit is always set.
        if head & 0x80 == 0 {
            return Err(self.octets.malformed());
        }
        let (tag, length) = if head & 0x40 != 0 {
            (head & 0x3f, self.new_length()?)
        } else {
            (head >> 2 & 0x0f, self.old_length(head & 3)?)
        };
        // Type 0 is reserved.
        if tag == 0 {
            return Err(self.octets.malformed());
        }
        let body = match length {
            Length::Known(length) => Cow::Borrowed(self.octets.take(length)?),
            // Sections 4.2.1.4 and 4.2.2: for data alone. Of indeterminate length we read compressed
            // data only, as GnuPG writes it, because other data would swallow its signature.
            Length::Part(length) if matches!(tag, LITERAL | COMPRESSED) => {
                Cow::Owned(self.parts(length)?)
            }
            Length::ToTheEnd if tag == COMPRESSED => {
                Cow::Borrowed(self.octets.take(self.octets.rest().len())?)
            }
            Length::Part(_) | Length::ToTheEnd => return Err(self.octets.malformed()),
        };
        Ok(Some(Packet { tag, body }))
    }

    fn old_length(&mut self, size: u8) -> Result<Length, OpenPgpError> {
        Ok(match size {
            0 => Length::Known(self.octets.u8()?.into()),
            1 => Length::Known(self.octets.u16()?),
            2 => Length::Known(self.octets.length()?),
            _ => Length::ToTheEnd,
        })
    }

    fn new_length(&mut self) -> Result<Length, OpenPgpError> {
        Ok(match self.octets.u8()? {
            first @ 0..=191 => Length::Known(first.into()),
            first @ 192..=223 => {
                let high = (usize::from(first) - 192) << 8;
                Length::Known(high + usize::from(self.octets.u8()?) + 192)
            }
            255 => Length::Known(self.octets.length()?),
            part => Length::Part(1 << (part & 0x1f)),
        })
    }

    /// Section 4.2.1.4; the first part may be shorter than the 512 bytes that it asks for, as Go's
    /// library wrote it and GnuPG reads it.
    fn parts(&mut self, first: usize) -> Result<Vec<u8>, OpenPgpError> {
        let mut body = Vec::from(self.octets.take(first)?);
        loop {
            let (length, is_last) = match self.new_length()? {
                Length::Part(length) => (length, false),
                Length::Known(length) => (length, true),
                Length::ToTheEnd => return Err(self.octets.malformed()),
            };
            body.extend_from_slice(self.octets.take(length)?);
            if is_last {
                return Ok(body);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<(u8, Vec<u8>)>, OpenPgpError> {
        let (mut packets, mut found) = (Packets::of(bytes), Vec::new());
        while let Some(packet) = packets.next()? {
            found.push((packet.tag, packet.body.into_owned()));
        }
        Ok(found)
    }

    #[test]
    fn every_length() {
        let body = |n: usize| Vec::from_iter((0..n).map(|at| u8::try_from(at % 251).unwrap()));
        let old = |tag: u8, size: u8, length: &[u8], n| {
            [&[0x80 | tag << 2 | size][..], length, &body(n)].concat()
        };
        let new = |tag: u8, length: &[u8], n| [&[0xc0 | tag][..], length, &body(n)].concat();
        for (bytes, tag, n) in [
            (old(2, 0, &[3], 3), 2, 3),
            (old(2, 1, &[1, 0], 256), 2, 256),
            (old(2, 2, &[0, 0, 1, 0], 256), 2, 256),
            (old(8, 3, &[], 7), 8, 7),
            (new(2, &[0], 0), 2, 0),
            (new(2, &[191], 191), 2, 191),
            (new(2, &[192, 0], 192), 2, 192),
            (new(2, &[223, 255], 8383), 2, 8383),
            (new(2, &[255, 0, 0, 0, 4], 4), 2, 4),
        ] {
            assert_eq!(all(&bytes), Ok([(tag, body(n))].to_vec()));
            if bytes[0] & 3 != 3 {
                assert!(n == 0 || all(&bytes[..bytes.len() - 1]).is_err());
                assert!(all(&[&bytes[..], &[7]].concat()).is_err());
            }
        }
        let parts = [0xcb, 0xe1, 1, 2, 0xe0, 3, 2, 4, 5];
        assert_eq!(all(&parts), Ok([(11, [1, 2, 3, 4, 5].to_vec())].to_vec()));
    }

    #[test]
    fn what_is_no_packet() {
        for bad in [
            &[0x02, 1, 0][..],
            &[0x80, 0],
            &[0xc0, 0],
            &[0xc2],
            &[0xc2, 192],
            &[0xc2, 255, 255, 255, 255, 255, 0],
            &[0x8a, 255, 255, 255, 255],
            // Parts and indeterminate lengths where there must be none.
            &[0xc2, 0xe0, 1, 0],
            &[0x8b, 1, 2],
            &[0xaf, 1, 2],
            &[0xcb, 0xe0, 1],
            &[0xcb, 0xfe, 1, 2],
        ] {
            assert!(all(bad).is_err(), "{bad:?}");
        }
    }
}
