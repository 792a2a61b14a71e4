//! DER (X.690) one value at a time, over the `der` crate's strict headers: minimal lengths, known
//! tags, nothing left over.

use super::error::TimestampError;
use alloc::vec::Vec;
use der::asn1::ObjectIdentifier;
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

    /// The values inside the only value of `bytes`.
    pub(super) fn inside_only(
        bytes: &'a [u8],
        tag: Tag,
        what: &'static str,
    ) -> Result<Self, TimestampError> {
        let mut outside = Self::of(bytes, what);
        let inside = outside.inside(tag)?;
        outside.finish()?;
        Ok(inside)
    }

    pub(super) fn error(&self) -> TimestampError {
        TimestampError::Der { what: self.what }
    }

    /// Says what is read from here on.
    pub(super) fn now(&mut self, what: &'static str) {
        self.what = what;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next value.
    pub(super) fn peek(&self) -> Option<Tag> {
        first(self.rest).map(|value| value.tag)
    }

    /// The next value, whatever it is.
    pub(super) fn any(&mut self) -> Result<Value<'a>, TimestampError> {
        let value = first(self.rest).ok_or_else(|| self.error())?;
        self.rest = self
            .rest
            .get(value.raw.len()..)
            .ok_or_else(|| self.error())?;
        Ok(value)
    }

    /// The next value, which must have this tag.
    pub(super) fn take(&mut self, tag: Tag) -> Result<Value<'a>, TimestampError> {
        let value = self.any()?;
        if value.tag == tag {
            Ok(value)
        } else {
            Err(self.error())
        }
    }

    /// The next value if it has this tag.
    pub(super) fn optional(&mut self, tag: Tag) -> Result<Option<Value<'a>>, TimestampError> {
        if self.peek() == Some(tag) {
            self.any().map(Some)
        } else {
            Ok(None)
        }
    }

    /// The values inside the next one.
    pub(super) fn inside(&mut self, tag: Tag) -> Result<Values<'a>, TimestampError> {
        Ok(Values::of(self.take(tag)?.body, self.what))
    }

    pub(super) fn oid(&mut self) -> Result<ObjectIdentifier, TimestampError> {
        ObjectIdentifier::from_bytes(self.take(Tag::ObjectIdentifier)?.body)
            .map_err(|_| self.error())
    }

    /// An INTEGER's two's complement, minimal (X.690 section 8.3.2).
    pub(super) fn integer(&mut self) -> Result<&'a [u8], TimestampError> {
        match self.take(Tag::Integer)?.body {
            [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => Err(self.error()),
            body => Ok(body),
        }
    }

    /// A BOOLEAN whose default is false. X.690 section 11.5: the default is left out.
    pub(super) fn flag(&mut self) -> Result<bool, TimestampError> {
        match self.optional(Tag::Boolean)?.map(|value| value.body) {
            None => Ok(false),
            Some([0xff]) => Ok(true),
            Some(_) => Err(self.error()),
        }
    }

    /// Every value that is left.
    pub(super) fn all(mut self) -> Result<Vec<Value<'a>>, TimestampError> {
        let mut values = Vec::new();
        while !self.is_empty() {
            values.push(self.any()?);
        }
        Ok(values)
    }

    /// Nothing may be left.
    pub(super) fn finish(&self) -> Result<(), TimestampError> {
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
pub(super) fn constructed(n: u32) -> Tag {
    Tag::ContextSpecific {
        constructed: true,
        number: TagNumber(n),
    }
}

/// `[n] IMPLICIT`, primitive.
pub(super) fn primitive(n: u32) -> Tag {
    Tag::ContextSpecific {
        constructed: false,
        number: TagNumber(n),
    }
}
