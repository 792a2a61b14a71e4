//! One certificate (RFC 5280 section 4.1), read strictly; its bytes are kept as received, for
//! hashing.

use super::error::X509Error;
use super::extension::{self, Extension, Known};
use super::name::{San, attributes};
use crate::crypto::EcdsaForm;
use crate::crypto::Hash;
use crate::crypto::Message;
use crate::crypto::PublicKey;
use crate::crypto::Role;
use crate::crypto::Scheme;
use crate::crypto::SignatureCheck;
use crate::crypto::SignatureError;
use crate::encoding::der::{Element, Elements, ObjectIdentifier, Tag, constructed};
use crate::encoding::hex;
use crate::limits;
use crate::time::UnixTime;
use alloc::string::String;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");
const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// A well-formed certificate: a claim of its issuer, until [`super::path`] settles. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Certificate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    der: Vec<u8>,
    tbs: Vec<u8>,
    signature: Vec<u8>,
    scheme: Scheme,
    fields: Fields,
}

/// TBSCertificate.
#[derive(Debug)]
struct Fields {
    serial: Vec<u8>,
    issuer: Vec<u8>,
    not_before: UnixTime,
    not_after: UnixTime,
    subject: Vec<u8>,
    key: PublicKey,
    extensions: Vec<Extension>,
    known: Known,
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl Certificate {
    /// A DER Certificate, and nothing after it.
    ///
    /// # Errors
    /// [`X509Error`]: too large, not canonical DER, another version than 3, a key or signature
    /// algorithm that is not
    /// supported, an extension that occurs twice or is known here and malformed.
    pub fn parse(der: &[u8]) -> Result<Self, X509Error> {
        if der.len() > limits::CERTIFICATE {
            return Err(X509Error::TooLarge {
                limit: limits::CERTIFICATE,
                found: der.len(),
            });
        }
        let mut certificate = Elements::inside_only(der, Tag::Sequence, "the certificate")?;
        let tbs = certificate.take(Tag::Sequence)?;
        let algorithm = certificate.take(Tag::Sequence)?;
        let signature = certificate.bytes()?;
        certificate.finish()?;
        let (fields, inner_algorithm) = tbs_certificate(tbs)?;
        // RFC 5280 section 4.1.1.2: the algorithm inside what is signed must be the one outside.
        if inner_algorithm != algorithm.raw {
            return Err(X509Error::Der {
                what: "the signature algorithm",
            });
        }
        let scheme = scheme(algorithm)?;
        Ok(Self(Arc::new(Inner {
            der: der.into(),
            tbs: tbs.raw.into(),
            signature: signature.into(),
            scheme,
            fields,
        })))
    }

    /// As received.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The TBSCertificate as received: what the issuer signed.
    pub fn tbs_der(&self) -> &[u8] {
        &self.0.tbs
    }

    /// The subject's key.
    pub fn public_key(&self) -> &PublicKey {
        &self.0.fields.key
    }

    /// The subject's DER Name.
    pub fn subject(&self) -> &[u8] {
        &self.0.fields.subject
    }

    /// The issuer's DER Name.
    pub fn issuer(&self) -> &[u8] {
        &self.0.fields.issuer
    }

    /// The content of the serial number's DER INTEGER.
    pub fn serial(&self) -> &[u8] {
        &self.0.fields.serial
    }

    /// The first second at which it is valid.
    pub fn not_before(&self) -> UnixTime {
        self.0.fields.not_before
    }

    /// The last second at which it is valid.
    pub fn not_after(&self) -> UnixTime {
        self.0.fields.not_after
    }

    /// Basic constraints (RFC 5280 section 4.2.1.9): a certificate authority.
    pub fn is_ca(&self) -> bool {
        self.known().basic.is_some_and(|basic| basic.ca)
    }

    /// Key usage (RFC 5280 section 4.2.1.3).
    pub fn key_usage(&self) -> Option<extension::KeyUsage> {
        self.known().key_usage
    }

    /// Extended key usage (RFC 5280 section 4.2.1.12).
    pub fn ext_key_usage(&self) -> Option<&extension::ExtKeyUsage> {
        self.known().ext_key_usage.as_ref()
    }

    /// The subject alternative names (RFC 5280 section 4.2.1.6).
    pub fn names(&self) -> &[San] {
        &self.known().names
    }

    /// The value of the extension `oid`: what its OCTET STRING holds.
    pub fn extension(&self, oid: ObjectIdentifier) -> Option<&[u8]> {
        self.extensions()
            .iter()
            .find(|extension| extension.oid == oid)
            .map(|extension| extension.value.as_slice())
    }

    /// The subject for people: its common name, else its first name, else the Name in hexadecimal.
    /// Never compared.
    pub fn shown(&self) -> String {
        let name = self.names().first().map(ToString::to_string);
        common_name(self.subject())
            .or(name)
            .unwrap_or_else(|| hex::encode(self.subject()))
            .chars()
            .take(120)
            .collect()
    }

    /// The issuer for people.
    pub fn shown_issuer(&self) -> String {
        common_name(self.issuer())
            .unwrap_or_else(|| hex::encode(self.issuer()))
            .chars()
            .take(120)
            .collect()
    }

    /// Whether this certificate was signed with `issuer`'s key.
    pub(super) fn signed_by(
        &self,
        issuer: &PublicKey,
        role: Role,
    ) -> Result<SignatureCheck, SignatureError> {
        SignatureCheck::new(
            role,
            issuer,
            self.0.scheme,
            EcdsaForm::Der,
            Message::Bytes(self.0.tbs.clone()),
            &self.0.signature,
        )
    }

    pub(super) fn extensions(&self) -> &[Extension] {
        &self.0.fields.extensions
    }

    pub(super) fn known(&self) -> &Known {
        &self.0.fields.known
    }
}

/// RFC 5280 section 4.1.2. Beside the fields, the signature algorithm as received.
fn tbs_certificate(tbs: Element<'_>) -> Result<(Fields, &[u8]), X509Error> {
    let mut values = Elements::of(tbs.body, "the TBSCertificate");
    // Section 4.1.2.1. We reject versions 1 and 2, which cannot say whether they are of an
    // authority.
    let mut version = values
        .optional(constructed(0))?
        .map(|value| Elements::of(value.body, "the version"))
        .ok_or(X509Error::Version)?;
    if version.integer()? != [2] {
        return Err(X509Error::Version);
    }
    version.finish()?;
    let serial = values.integer()?.into();
    let algorithm = values.take(Tag::Sequence)?.raw;
    let issuer = name(values.take(Tag::Sequence)?)?;
    let mut validity = values.inside(Tag::Sequence)?;
    let (not_before, not_after) = (validity.time()?, validity.time()?);
    validity.finish()?;
    let subject = name(values.take(Tag::Sequence)?)?;
    let key = PublicKey::from_spki_der(values.take(Tag::Sequence)?.raw)
        .map_err(|error| X509Error::Key { error })?;
    // Section 4.1.2.8: we reject unique identifiers, which no CA may issue; they are not read, so
    // `finish` meets them.
    let extensions = match values.optional(constructed(3))? {
        Some(value) => extension::list(value.body)?,
        None => Vec::new(),
    };
    values.finish()?;
    let known = extension::known(&extensions)?;
    Ok((
        Fields {
            serial,
            issuer,
            not_before,
            not_after,
            subject,
            key,
            extensions,
            known,
        },
        algorithm,
    ))
}

/// RFC 5280 section 4.1.2.4, as received.
fn name(value: Element<'_>) -> Result<Vec<u8>, X509Error> {
    attributes(value.raw, |_, _| ())?;
    Ok(value.raw.into())
}

fn common_name(name: &[u8]) -> Option<String> {
    let mut found = None;
    attributes(name, |oid, value| {
        if oid == COMMON_NAME && found.is_none() {
            found = core::str::from_utf8(value.body).ok().map(String::from);
        }
    })
    .ok()?;
    found
}

/// RFC 5758 section 3.2, RFC 8410 section 3: no parameters. RFC 4055 section 5: NULL. SHA-1 is
/// refused.
fn scheme(algorithm: Element<'_>) -> Result<Scheme, X509Error> {
    let mut values = Elements::of(algorithm.body, "the signature algorithm");
    let oid = values.oid()?;
    let scheme = match oid {
        ECDSA_SHA256 => Scheme::Ecdsa(Hash::Sha256),
        ECDSA_SHA384 => Scheme::Ecdsa(Hash::Sha384),
        ECDSA_SHA512 => Scheme::Ecdsa(Hash::Sha512),
        RSA_SHA256 => Scheme::RsaPkcs1(Hash::Sha256),
        RSA_SHA384 => Scheme::RsaPkcs1(Hash::Sha384),
        RSA_SHA512 => Scheme::RsaPkcs1(Hash::Sha512),
        ED25519 => Scheme::Ed25519,
        other => {
            return Err(X509Error::Algorithm {
                oid: other.to_string(),
            });
        }
    };
    if matches!(scheme, Scheme::RsaPkcs1(_)) && !values.take(Tag::Null)?.body.is_empty() {
        return Err(values.error().into());
    }
    values.finish()?;
    Ok(scheme)
}
