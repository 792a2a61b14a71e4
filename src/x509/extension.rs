//! The extensions that path validation needs (RFC 5280 section 4.2).

use super::constraints::NameConstraints;
use super::error::X509Error;
use super::name::{self, San};
use crate::encoding::der::{Elements, ObjectIdentifier, Tag, primitive};
use crate::limits;
use alloc::string::ToString;
use alloc::vec::Vec;

const SUBJECT_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const AUTHORITY_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");
const EXT_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
/// Those that path validation processes, so that they may be critical.
const PROCESSED: [ObjectIdentifier; 5] = [
    KEY_USAGE,
    SUBJECT_ALT_NAME,
    BASIC_CONSTRAINTS,
    NAME_CONSTRAINTS,
    EXT_KEY_USAGE,
];

/// One extension as received.
#[derive(Debug)]
pub(super) struct Extension {
    pub oid: ObjectIdentifier,
    pub critical: bool,
    pub value: Vec<u8>,
    /// With its header, for the precertificate.
    pub raw: Vec<u8>,
}

impl Extension {
    /// Critical, and not processed here.
    pub(super) fn is_unknown_critical(&self) -> bool {
        self.critical && !PROCESSED.contains(&self.oid)
    }
}

/// The extensions that are read here.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub basic: Option<BasicConstraints>,
    pub key_usage: Option<KeyUsage>,
    pub ext_key_usage: Option<ExtKeyUsage>,
    pub names: Vec<San>,
    pub constraints: Option<NameConstraints>,
    pub subject_key_id: Option<Vec<u8>>,
    pub authority_key_id: Option<Vec<u8>>,
}

/// Section 4.2.1.9.
#[derive(Debug, Clone, Copy)]
pub(super) struct BasicConstraints {
    pub ca: bool,
    pub path_length: Option<usize>,
}

/// Section 4.2.1.3, as far as it is asked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyUsage {
    /// Signatures over other things than certificates.
    pub digital_signature: bool,
    /// The same, with the intent to be held to it (nonRepudiation).
    pub content_commitment: bool,
    /// Signatures over certificates.
    pub key_cert_sign: bool,
}

/// Section 4.2.1.12.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtKeyUsage {
    /// Marked critical.
    pub critical: bool,
    /// What the key is for.
    pub purposes: Vec<ObjectIdentifier>,
}

/// The body of `[3] EXPLICIT Extensions`. A repeated extension is refused (section 4.2).
pub(super) fn list(bytes: &[u8]) -> Result<Vec<Extension>, X509Error> {
    let mut values = Elements::inside_only(bytes, Tag::Sequence, "the list of extensions")?;
    let mut extensions: Vec<Extension> = Vec::new();
    while extensions.is_empty() || !values.is_empty() {
        let found = values.take(Tag::Sequence)?;
        let mut parts = Elements::of(found.body, "an extension");
        let (oid, critical) = (parts.oid()?, parts.flag()?);
        let value = parts.take(Tag::OctetString)?.body.into();
        parts.finish()?;
        if extensions.iter().any(|other| other.oid == oid) {
            return Err(X509Error::DuplicateExtension {
                oid: oid.to_string(),
            });
        }
        if extensions.len() == limits::EXTENSIONS {
            return Err(X509Error::TooMany {
                what: "extensions",
                limit: limits::EXTENSIONS,
            });
        }
        extensions.push(Extension {
            oid,
            critical,
            value,
            raw: found.raw.into(),
        });
    }
    Ok(extensions)
}

pub(super) fn known(extensions: &[Extension]) -> Result<Known, X509Error> {
    let mut known = Known::default();
    for extension in extensions {
        let value = extension.value.as_slice();
        match extension.oid {
            BASIC_CONSTRAINTS => known.basic = Some(basic_constraints(value)?),
            KEY_USAGE => known.key_usage = Some(key_usage(value)?),
            EXT_KEY_USAGE => {
                known.ext_key_usage = Some(ExtKeyUsage {
                    critical: extension.critical,
                    purposes: purposes(value)?,
                })
            }
            SUBJECT_ALT_NAME => known.names = name::alternatives(value)?,
            NAME_CONSTRAINTS => known.constraints = Some(NameConstraints::read(value)?),
            SUBJECT_KEY_ID => known.subject_key_id = Some(subject_key_id(value)?),
            AUTHORITY_KEY_ID => known.authority_key_id = authority_key_id(value)?,
            _ => {}
        }
    }
    Ok(known)
}

fn basic_constraints(bytes: &[u8]) -> Result<BasicConstraints, X509Error> {
    let mut values = Elements::inside_only(bytes, Tag::Sequence, "basic constraints")?;
    let ca = values.flag()?;
    let path_length = if values.is_empty() {
        None
    } else {
        match values.integer()? {
            [0x80..=0xff, ..] => return Err(values.error().into()),
            [length] => Some(usize::from(*length)),
            _ => Some(usize::MAX),
        }
    };
    values.finish()?;
    // "CAs MUST NOT include the pathLenConstraint field unless the cA boolean is asserted".
    if !ca && path_length.is_some() {
        return Err(values.error().into());
    }
    Ok(BasicConstraints { ca, path_length })
}

/// A named bit list: X.690 section 11.2.2, no zeros at its end.
fn key_usage(bytes: &[u8]) -> Result<KeyUsage, X509Error> {
    let mut values = Elements::of(bytes, "the key usage");
    let body = values.take(Tag::BitString)?.body;
    values.finish()?;
    let (unused, bits) = body.split_first().ok_or_else(|| values.error())?;
    let last = bits.last().ok_or_else(|| values.error())?;
    if u32::from(*unused) != last.trailing_zeros() || bits.len() > 2 {
        return Err(values.error().into());
    }
    let first = bits.first().copied().unwrap_or_default();
    Ok(KeyUsage {
        digital_signature: first & 0x80 != 0,
        content_commitment: first & 0x40 != 0,
        key_cert_sign: first & 0x04 != 0,
    })
}

fn purposes(bytes: &[u8]) -> Result<Vec<ObjectIdentifier>, X509Error> {
    let mut values = Elements::inside_only(bytes, Tag::Sequence, "the extended key usage")?;
    let mut purposes = Vec::new();
    while purposes.is_empty() || !values.is_empty() {
        purposes.push(values.oid()?);
        if purposes.len() > limits::EXTENSIONS {
            return Err(X509Error::TooMany {
                what: "extended key usages",
                limit: limits::EXTENSIONS,
            });
        }
    }
    Ok(purposes)
}

fn subject_key_id(bytes: &[u8]) -> Result<Vec<u8>, X509Error> {
    let mut values = Elements::of(bytes, "the subject key identifier");
    let id = values.take(Tag::OctetString)?.body;
    values.finish()?;
    Ok(id.into())
}

/// Section 4.2.1.1: only the identifier; the issuer and serial number beside it are a hint that
/// nothing here follows.
fn authority_key_id(bytes: &[u8]) -> Result<Option<Vec<u8>>, X509Error> {
    let mut values = Elements::inside_only(bytes, Tag::Sequence, "the authority key identifier")?;
    Ok(values
        .optional(primitive(0))?
        .map(|value| value.body.into()))
}
