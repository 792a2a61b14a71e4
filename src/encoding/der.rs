//! DER (X.690) one element at a time, over the `der` crate's strict headers: minimal lengths, known
//! tags, nothing left over. No other module names that crate.
//!
//! Out of scope: which elements a format has, and what they mean. Whoever reads says what it is
//! reading, so that an error can name the part that is malformed.

use crate::time::UnixTime;
use alloc::vec::Vec;
use der::asn1::{GeneralizedTime, UtcTime};
use der::{Decode, Header, Reader, SliceReader, TagNumber};

pub(crate) use der::asn1::ObjectIdentifier;
pub(crate) use der::{DateTime, Tag};

/// What was being read is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DerError {
    /// For messages: "the serial number".
    pub what: &'static str,
}

/// One element: a tag, a length and a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub tag: Tag,
    /// The value, without the header.
    pub body: &'a [u8],
    /// With its header, as received.
    pub raw: &'a [u8],
}

/// The elements of a SEQUENCE or SET, or of any bytes, from first to last.
#[derive(Debug)]
pub(crate) struct Elements<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Elements<'a> {
    /// The elements that follow each other in `bytes`.
    pub(crate) fn of(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    /// The elements inside the only element of `bytes`.
    pub(crate) fn inside_only(
        bytes: &'a [u8],
        tag: Tag,
        what: &'static str,
    ) -> Result<Self, DerError> {
        let mut outside = Self::of(bytes, what);
        let inside = outside.inside(tag)?;
        outside.finish()?;
        Ok(inside)
    }

    /// That what is being read is malformed.
    pub(crate) fn error(&self) -> DerError {
        DerError { what: self.what }
    }

    /// Says what is read from here on.
    pub(crate) fn now(&mut self, what: &'static str) {
        self.what = what;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next element, if there is one that is well-formed.
    pub(crate) fn peek(&self) -> Option<Tag> {
        first(self.rest).map(|element| element.tag)
    }

    /// The next element, whatever it is.
    pub(crate) fn any(&mut self) -> Result<Element<'a>, DerError> {
        let element = first(self.rest).ok_or_else(|| self.error())?;
        self.rest = self
            .rest
            .get(element.raw.len()..)
            .ok_or_else(|| self.error())?;
        Ok(element)
    }

    /// The next element, which must have this tag.
    pub(crate) fn take(&mut self, tag: Tag) -> Result<Element<'a>, DerError> {
        let element = self.any()?;
        if element.tag == tag {
            Ok(element)
        } else {
            Err(self.error())
        }
    }

    /// The next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: Tag) -> Result<Option<Element<'a>>, DerError> {
        if self.peek() == Some(tag) {
            self.any().map(Some)
        } else {
            Ok(None)
        }
    }

    /// The elements inside the next one.
    pub(crate) fn inside(&mut self, tag: Tag) -> Result<Self, DerError> {
        Ok(Self::of(self.take(tag)?.body, self.what))
    }

    /// Every element that is left.
    pub(crate) fn all(mut self) -> Result<Vec<Element<'a>>, DerError> {
        let mut elements = Vec::new();
        while !self.is_empty() {
            elements.push(self.any()?);
        }
        Ok(elements)
    }

    /// Nothing may be left.
    pub(crate) fn finish(&self) -> Result<(), DerError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error())
        }
    }

    pub(crate) fn oid(&mut self) -> Result<ObjectIdentifier, DerError> {
        ObjectIdentifier::from_bytes(self.take(Tag::ObjectIdentifier)?.body)
            .map_err(|_| self.error())
    }

    /// A BOOLEAN whose default is false. X.690 section 11.5: the default is left out.
    pub(crate) fn flag(&mut self) -> Result<bool, DerError> {
        match self.optional(Tag::Boolean)?.map(|element| element.body) {
            None => Ok(false),
            Some([0xff]) => Ok(true),
            Some(_) => Err(self.error()),
        }
    }

    /// An INTEGER's two's complement, minimal (X.690 section 8.3.2).
    pub(crate) fn integer(&mut self) -> Result<&'a [u8], DerError> {
        match self.take(Tag::Integer)?.body {
            [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => Err(self.error()),
            body => Ok(body),
        }
    }

    /// An INTEGER that is not negative, without the zero that only keeps it positive.
    pub(crate) fn unsigned(&mut self) -> Result<&'a [u8], DerError> {
        match self.integer()? {
            [0x80..=0xff, ..] => Err(self.error()),
            [0, positive @ ..] if !positive.is_empty() => Ok(positive),
            body => Ok(body),
        }
    }

    /// A BIT STRING of whole bytes.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], DerError> {
        match self.take(Tag::BitString)?.body {
            [0, bytes @ ..] => Ok(bytes),
            _ => Err(self.error()),
        }
    }

    /// Time (RFC 5280 section 4.1.2.5): UTC, to the second.
    pub(crate) fn time(&mut self) -> Result<UnixTime, DerError> {
        let element = self.any()?;
        let since = match element.tag {
            Tag::UtcTime => UtcTime::from_der(element.raw).map(|time| time.to_unix_duration()),
            Tag::GeneralizedTime => {
                GeneralizedTime::from_der(element.raw).map(|time| time.to_unix_duration())
            }
            _ => return Err(self.error()),
        };
        let seconds = since.map_err(|_| self.error())?.as_secs();
        i64::try_from(seconds)
            .map(UnixTime)
            .map_err(|_| self.error())
    }
}

/// The first element of `bytes`.
fn first(bytes: &[u8]) -> Option<Element<'_>> {
    let mut reader = SliceReader::new(bytes).ok()?;
    let header = Header::decode(&mut reader).ok()?;
    let body = reader.read_slice(header.length()).ok()?;
    let end = usize::try_from(reader.position()).ok()?;
    Some(Element {
        tag: header.tag(),
        body,
        raw: bytes.get(..end)?,
    })
}

/// `[n]`, constructed.
pub(crate) const fn constructed(n: u32) -> Tag {
    Tag::ContextSpecific {
        constructed: true,
        number: TagNumber(n),
    }
}

/// `[n] IMPLICIT`, primitive.
pub(crate) const fn primitive(n: u32) -> Tag {
    Tag::ContextSpecific {
        constructed: false,
        number: TagNumber(n),
    }
}

/// An element of `tag` (its first byte) around `body`, which is written as it is.
pub(crate) fn wrap(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut element = alloc::vec![tag];
    let length = body.len().to_be_bytes();
    let zeros = length.iter().take_while(|byte| **byte == 0).count();
    let length = length.get(zeros..).unwrap_or_default();
    match length {
        [] => element.push(0),
        [short @ ..0x80] => element.push(*short),
        long => {
            element.push(0x80 | u8::try_from(long.len()).unwrap_or(0x7f));
            element.extend_from_slice(long);
        }
    }
    element.extend_from_slice(body);
    element
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WHAT: &str = "the test";
    const ERROR: DerError = DerError { what: WHAT };

    fn elements(bytes: &[u8]) -> Elements<'_> {
        Elements::of(bytes, WHAT)
    }

    #[test]
    fn reads_elements_in_order() {
        let mut values = elements(&[0x02, 1, 5, 0x04, 2, 7, 8, 0x05, 0]);
        let integer = values.take(Tag::Integer).unwrap();
        assert_eq!((integer.body, integer.raw), (&[5][..], &[2, 1, 5][..]));
        assert_eq!(values.peek(), Some(Tag::OctetString));
        assert_eq!(values.optional(Tag::Null), Ok(None));
        let octets = values.optional(Tag::OctetString).unwrap().unwrap();
        assert_eq!(octets.body, [7, 8]);
        assert_eq!(values.finish(), Err(ERROR));
        assert_eq!(values.any().unwrap().tag, Tag::Null);
        assert!(values.is_empty());
        assert_eq!(values.finish(), Ok(()));
        assert_eq!(values.any(), Err(ERROR));
        assert_eq!(values.peek(), None);
    }

    #[test]
    fn names_what_is_read() {
        let mut values = elements(&[0x30, 2, 0x05, 0]);
        values.now("something else");
        let error = DerError {
            what: "something else",
        };
        assert_eq!(values.take(Tag::Set), Err(error));
        let mut values = elements(&[0x30, 2, 0x05, 0]);
        values.now("something else");
        assert_eq!(values.inside(Tag::Sequence).unwrap().oid(), Err(error));
    }

    #[test]
    fn lengths_are_minimal_definite_and_true() {
        for (bytes, why) in [
            (&[0x04, 0x81, 1, 7][..], "0x81 where one byte does"),
            (&[0x04, 0x81, 0x7f], "0x81 where one byte does, truncated"),
            (&[0x04, 0x82, 0, 1, 7], "0x82 with a zero"),
            (&[0x04, 0x84, 0, 0, 0, 1, 7], "0x84 with zeros"),
            (&[0x04, 0x80, 7, 0, 0], "indefinite, primitive"),
            (&[0x30, 0x80, 0x05, 0, 0, 0], "indefinite, constructed"),
            (&[0x04, 0xff, 7], "reserved"),
            (&[0x04, 0x85, 1, 0, 0, 0, 0, 7], "five bytes"),
            (
                &[0x04, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                "2^64 - 1",
            ),
            (&[0x04, 0x84, 0xff, 0xff, 0xff, 0xff, 7], "4 GiB"),
            (&[0x04, 0x84, 0x7f, 0xff, 0xff, 0xff, 7], "2 GiB"),
            (&[], "nothing"),
            (&[0x04], "no length"),
            (&[0x04, 0x81], "no length behind 0x81"),
            (&[0x04, 0x82, 1], "half a length"),
            (&[0x04, 2, 7], "half a value"),
            (&[0x1f], "half a tag"),
            (&[0x00, 0], "tag 0"),
        ] {
            assert_eq!(elements(bytes).any(), Err(ERROR), "{why}");
            assert_eq!(elements(bytes).peek(), None, "{why}");
        }
        // What does not fit on the outside is not looked for on the inside either.
        let mut outside = elements(&[0x30, 3, 0x04, 2, 7, 8]);
        assert_eq!(outside.inside(Tag::Sequence).unwrap().any(), Err(ERROR));
    }

    #[test]
    fn trailing_bytes_are_seen() {
        let inside = |bytes: &'static [u8]| Elements::inside_only(bytes, Tag::Sequence, WHAT);
        assert!(inside(&[0x30, 0]).unwrap().is_empty());
        assert_eq!(inside(&[0x30, 0, 0]).err(), Some(ERROR));
        assert_eq!(inside(&[0x30, 0, 0x05, 0]).err(), Some(ERROR));
        assert_eq!(inside(&[0x31, 0]).err(), Some(ERROR));
        assert_eq!(elements(&[0x05, 0, 0x05]).all(), Err(ERROR));
        assert_eq!(elements(&[0x05, 0, 0x05, 0]).all().unwrap().len(), 2);
        assert_eq!(elements(&[]).all(), Ok(Vec::new()));
    }

    #[test]
    fn integers_are_minimal() {
        for (body, integer, unsigned) in [
            (&[][..], None, None),
            (&[0], Some(&[0][..]), Some(&[0][..])),
            (&[0x7f], Some(&[0x7f]), Some(&[0x7f])),
            (&[0x80], Some(&[0x80]), None),
            (&[0xff], Some(&[0xff]), None),
            (&[0, 0x7f], None, None),
            (&[0, 0], None, None),
            (&[0, 0x80], Some(&[0, 0x80]), Some(&[0x80])),
            (&[0xff, 0x80], None, None),
            (&[0xff, 0x7f], Some(&[0xff, 0x7f]), None),
            (&[1, 0], Some(&[1, 0]), Some(&[1, 0])),
        ] {
            let raw = wrap(2, body);
            assert_eq!(elements(&raw).integer().ok(), integer, "{body:?}");
            assert_eq!(elements(&raw).unsigned().ok(), unsigned, "{body:?}");
            let other = wrap(4, body);
            assert_eq!(elements(&other).integer(), Err(ERROR), "{body:?}");
        }
    }

    #[test]
    fn flags_leave_their_default_out() {
        assert_eq!(elements(&[]).flag(), Ok(false));
        assert_eq!(elements(&[0x05, 0]).flag(), Ok(false));
        assert_eq!(elements(&[1, 1, 0xff]).flag(), Ok(true));
        assert_eq!(elements(&[1, 1, 0]).flag(), Err(ERROR));
        assert_eq!(elements(&[1, 1, 1]).flag(), Err(ERROR));
        assert_eq!(elements(&[1, 0]).flag(), Err(ERROR));
        assert_eq!(elements(&[1, 2, 0xff, 0xff]).flag(), Err(ERROR));
    }

    #[test]
    fn bit_strings_are_of_whole_bytes() {
        assert_eq!(elements(&[3, 1, 0]).bytes(), Ok(&[][..]));
        assert_eq!(elements(&[3, 3, 0, 7, 8]).bytes(), Ok(&[7, 8][..]));
        assert_eq!(elements(&[3, 0]).bytes(), Err(ERROR));
        assert_eq!(elements(&[3, 2, 1, 6]).bytes(), Err(ERROR));
        assert_eq!(elements(&[0x23, 4, 3, 2, 0, 7]).bytes(), Err(ERROR));
    }

    #[test]
    fn object_identifiers_are_minimal() {
        let mut values = elements(&[6, 3, 0x55, 4, 3]);
        assert_eq!(values.oid(), Ok(ObjectIdentifier::new_unwrap("2.5.4.3")));
        assert_eq!(elements(&[6, 0]).oid(), Err(ERROR));
        assert_eq!(elements(&[6, 2, 0x55, 0x84]).oid(), Err(ERROR));
        assert_eq!(elements(&[5, 0]).oid(), Err(ERROR));
    }

    #[test]
    fn times_are_in_utc_to_the_second() {
        for (tag, text, seconds) in [
            (0x17, "700101000000Z", Some(0)),
            (0x17, "491231235959Z", Some(2_524_607_999)),
            (0x17, "500101000000Z", None),
            (0x17, "7001010000Z", None),
            (0x17, "700101000000+0000", None),
            (0x18, "20240229235959Z", Some(1_709_251_199)),
            (0x18, "20230229000000Z", None),
            (0x18, "20240101000000.5Z", None),
            (0x18, "20240101000000", None),
            (0x04, "20240229235959Z", None),
        ] {
            let raw = wrap(tag, text.as_bytes());
            assert_eq!(
                elements(&raw).time().ok(),
                seconds.map(UnixTime),
                "{tag:#x} {text}"
            );
        }
    }

    #[test]
    fn tags_of_a_context_are_told_apart() {
        let mut values = elements(&[0xa1, 0, 0x81, 0, 0x82, 0]);
        assert_eq!(values.optional(primitive(1)), Ok(None));
        assert_eq!(values.take(constructed(1)).unwrap().raw, [0xa1, 0]);
        assert_eq!(values.take(primitive(1)).unwrap().raw, [0x81, 0]);
        assert_eq!(values.take(primitive(1)), Err(ERROR));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            if let Ok(element) = elements(&bytes).any() {
                prop_assert!(bytes.starts_with(element.raw));
                prop_assert!(element.raw.ends_with(element.body));
            }
            let _ = elements(&bytes).all();
            let _ = elements(&bytes).time();
        }

        #[test]
        fn what_is_wrapped_is_read_and_nothing_shorter(length in 0..70_000_usize) {
            let body = alloc::vec![7; length];
            let raw = wrap(4, &body);
            let mut values = elements(&raw);
            let element = values.take(Tag::OctetString).unwrap();
            prop_assert!(element.body == body && element.raw == raw);
            prop_assert!(values.is_empty());
            prop_assert_eq!(elements(&raw[..raw.len() - 1]).any(), Err(ERROR));
        }
    }
}
