//! Names in certificates: the attributes of a DER Name, and alternative names (RFC 5280 sections
//! 4.1.2.4 and 4.2.1.6).

use super::error::X509Error;
use crate::encoding::der::{Element, Elements, ObjectIdentifier, Tag, constructed};
use crate::encoding::hex;
use crate::limits;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A subject alternative name (RFC 5280 section 4.2.1.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum San {
    /// `rfc822Name`.
    Email(String),
    /// `dNSName`.
    Dns(String),
    /// `uniformResourceIdentifier`.
    Uri(String),
    /// `iPAddress`: 4 or 16 bytes.
    Ip(Vec<u8>),
    /// `directoryName`: a DER Name.
    Directory(Vec<u8>),
    /// `otherName`: its type, and its value in DER.
    Other(ObjectIdentifier, Vec<u8>),
    /// `x400Address`, `ediPartyName` or `registeredID`, by its tag number.
    Unread(u32),
}

impl fmt::Display for San {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(text) | Self::Dns(text) | Self::Uri(text) => f.write_str(text),
            Self::Ip(bytes) | Self::Directory(bytes) => f.write_str(&hex::encode(bytes)),
            Self::Other(oid, value) => write!(f, "{oid}:{}", hex::encode(value)),
            Self::Unread(tag) => write!(f, "a name of type {tag}"),
        }
    }
}

/// Each attribute of a DER Name in order (RFC 5280 section 4.1.2.4: a SEQUENCE of SETs of type and
/// value).
pub(super) fn attributes<'a>(
    name: &'a [u8],
    mut each: impl FnMut(ObjectIdentifier, Element<'a>),
) -> Result<(), X509Error> {
    let mut sets = Elements::inside_only(name, Tag::Sequence, "a name")?;
    while !sets.is_empty() {
        let mut set = sets.inside(Tag::Set)?;
        while !set.is_empty() {
            let mut attribute = set.inside(Tag::Sequence)?;
            let (oid, value) = (attribute.oid()?, attribute.any()?);
            attribute.finish()?;
            each(oid, value);
        }
    }
    Ok(())
}

/// SubjectAltName.
pub(super) fn alternatives(bytes: &[u8]) -> Result<Vec<San>, X509Error> {
    let mut values = Elements::inside_only(bytes, Tag::Sequence, "the subject alternative names")?;
    let mut names = Vec::new();
    while names.is_empty() || !values.is_empty() {
        if names.len() == limits::NAMES {
            return Err(X509Error::TooMany {
                what: "subject alternative names",
                limit: limits::NAMES,
            });
        }
        names.push(general_name(values.any()?)?);
    }
    Ok(names)
}

/// GeneralName (RFC 5280 section 4.2.1.6).
fn general_name(value: Element<'_>) -> Result<San, X509Error> {
    let mut inside = Elements::of(value.body, "a subject alternative name");
    Ok(match tag_number(value.tag) {
        Some((false, 1)) => San::Email(ia5(value.body).ok_or_else(|| inside.error())?),
        Some((false, 2)) => San::Dns(ia5(value.body).ok_or_else(|| inside.error())?),
        Some((false, 6)) => San::Uri(ia5(value.body).ok_or_else(|| inside.error())?),
        Some((false, 7)) if matches!(value.body.len(), 4 | 16) => San::Ip(value.body.into()),
        Some((true, 4)) => {
            attributes(value.body, |_, _| ())?;
            San::Directory(value.body.into())
        }
        Some((true, 0)) => {
            let (oid, wrapped) = (inside.oid()?, inside.take(constructed(0))?);
            inside.finish()?;
            let mut content = Elements::of(wrapped.body, "a subject alternative name");
            let content_raw = content.any()?.raw;
            content.finish()?;
            San::Other(oid, content_raw.into())
        }
        Some((true, number @ (3 | 5)) | (false, number @ 8)) => San::Unread(number),
        _ => return Err(inside.error().into()),
    })
}

/// Whether it is constructed, and its number, of a context-specific tag.
pub(super) fn tag_number(tag: Tag) -> Option<(bool, u32)> {
    match tag {
        Tag::ContextSpecific {
            constructed,
            number,
        } => Some((constructed, number.value())),
        _ => None,
    }
}

/// IA5String: ASCII. We reject control characters, which no name has, and an empty text.
pub(super) fn ia5(bytes: &[u8]) -> Option<String> {
    let is_text = !bytes.is_empty() && bytes.iter().all(|byte| (0x20..0x7f).contains(byte));
    if is_text {
        core::str::from_utf8(bytes).ok().map(String::from)
    } else {
        None
    }
}
