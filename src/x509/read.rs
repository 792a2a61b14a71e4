//! DER (X.690) one value at a time, over the `der` crate's strict headers: minimal lengths, known
//! tags, nothing left over.

use super::error::X509Error;
use der::asn1::{GeneralizedTime, ObjectIdentifier, UtcTime};
use der::{Decode, Header, Reader, SliceReader, Tag, TagNumber};

/// One value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    pub tag: Tag,
    /// Without header.
    pub body: &'a [u8],
    /// With header, as received.
    pub raw: &'a [u8],
}

/// The values of a SEQUENCE or SET, or of any bytes.
pub(super) struct Values<'a> {
    rest: &'a [u8],
    /// What is being read; for messages.
    what: &'static str,
}

impl<'a> Values<'a> {
    pub(super) fn of(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    pub(super) fn error(&self) -> X509Error {
        X509Error::Der { what: self.what }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next value, whatever it is.
    pub(super) fn any(&mut self) -> Result<Value<'a>, X509Error> {
        let value = first(self.rest).ok_or_else(|| self.error())?;
        self.rest = self
            .rest
            .get(value.raw.len()..)
            .ok_or_else(|| self.error())?;
        Ok(value)
    }

    /// The next value, which must have this tag.
    pub(super) fn take(&mut self, tag: Tag) -> Result<Value<'a>, X509Error> {
        let value = self.any()?;
        if value.tag == tag {
            Ok(value)
        } else {
            Err(self.error())
        }
    }

    /// The next value if it has this tag.
    pub(super) fn optional(&mut self, tag: Tag) -> Result<Option<Value<'a>>, X509Error> {
        let is_next = first(self.rest).is_some_and(|value| value.tag == tag);
        if is_next {
            self.any().map(Some)
        } else {
            Ok(None)
        }
    }

    /// The values inside the next one.
    pub(super) fn inside(&mut self, tag: Tag) -> Result<Values<'a>, X509Error> {
        Ok(Values::of(self.take(tag)?.body, self.what))
    }

    pub(super) fn oid(&mut self) -> Result<ObjectIdentifier, X509Error> {
        ObjectIdentifier::from_bytes(self.take(Tag::ObjectIdentifier)?.body)
            .map_err(|_| self.error())
    }

    /// A BOOLEAN whose default is false. X.690 section 11.5: the default is left out.
    pub(super) fn flag(&mut self) -> Result<bool, X509Error> {
        match self.optional(Tag::Boolean)?.map(|value| value.body) {
            None => Ok(false),
            Some([0xff]) => Ok(true),
            Some(_) => Err(self.error()),
        }
    }

    /// An INTEGER's two's complement, minimal (X.690 section 8.3.2).
    pub(super) fn integer(&mut self) -> Result<&'a [u8], X509Error> {
        let body = self.take(Tag::Integer)?.body;
        match body {
            [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => Err(self.error()),
            _ => Ok(body),
        }
    }

    /// A BIT STRING of whole bytes.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], X509Error> {
        match self.take(Tag::BitString)?.body {
            [0, bytes @ ..] => Ok(bytes),
            _ => Err(self.error()),
        }
    }

    /// Time (RFC 5280 section 4.1.2.5): UTC, to the second.
    pub(super) fn time(&mut self) -> Result<crate::time::UnixTime, X509Error> {
        let value = self.any()?;
        let since = match value.tag {
            Tag::UtcTime => UtcTime::from_der(value.raw).map(|time| time.to_unix_duration()),
            Tag::GeneralizedTime => {
                GeneralizedTime::from_der(value.raw).map(|time| time.to_unix_duration())
            }
            _ => return Err(self.error()),
        };
        let seconds = since.map_err(|_| self.error())?.as_secs();
        i64::try_from(seconds)
            .map(crate::time::UnixTime)
            .map_err(|_| self.error())
    }

    /// Nothing may be left.
    pub(super) fn finish(&self) -> Result<(), X509Error> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error())
        }
    }
}

/// The first value of `bytes`.
fn first(bytes: &[u8]) -> Option<Value<'_>> {
    let mut reader = SliceReader::new(bytes).ok()?;
    let header = Header::decode(&mut reader).ok()?;
    let body = reader.read_slice(header.length()).ok()?;
    let end = usize::try_from(reader.position()).ok()?;
    Some(Value {
        tag: header.tag(),
        body,
        raw: bytes.get(..end)?,
    })
}

/// `[n]`, constructed.
pub(super) fn explicit(n: u32) -> Tag {
    Tag::ContextSpecific {
        constructed: true,
        number: TagNumber(n),
    }
}

/// `[n] IMPLICIT`, primitive.
pub(super) fn implicit(n: u32) -> Tag {
    Tag::ContextSpecific {
        constructed: false,
        number: TagNumber(n),
    }
}

/// A value of `tag` (its first byte) around `body`, which is written as it is.
pub(super) fn wrap(tag: u8, body: &[u8]) -> alloc::vec::Vec<u8> {
    let mut value = alloc::vec![tag];
    let length = body.len().to_be_bytes();
    let zeros = length.iter().take_while(|byte| **byte == 0).count();
    let length = length.get(zeros..).unwrap_or_default();
    match length {
        [] => value.push(0),
        [short @ ..0x80] => value.push(*short),
        long => {
            value.push(0x80 | u8::try_from(long.len()).unwrap_or(0x7f));
            value.extend_from_slice(long);
        }
    }
    value.extend_from_slice(body);
    value
}
