//! What Fulcio says about a signer (oid-info.md in fulcio's repository), by the names of
//! sigstore-go's `certificate.Extensions`.
//!
//! The certificate is a claim of its issuer: use what is read here with the [`super::Path`] of the
//! same certificate.

use super::certificate::Certificate;
use super::error::X509Error;
use super::name::San;
use crate::encoding::der::{Elements, ObjectIdentifier, Tag};
use alloc::string::String;
use alloc::vec::Vec;

/// How an extension holds its text: as it is (the oldest ones), as a DER UTF8String, or as any of
/// the DER strings that Go reads into one and that can be compared byte by byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TextForm {
    Raw,
    Utf8String,
    AnyString,
}

const OLD_ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");
const ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.8");
/// The type of an `otherName` that holds a user name.
const USERNAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");

/// Extensions .1.2 to .1.6 and .1.9 to .1.22.
const EXTENSIONS: [(&str, ObjectIdentifier, TextForm); 19] = [
    (
        "githubWorkflowTrigger",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.2"),
        TextForm::Raw,
    ),
    (
        "githubWorkflowSHA",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.3"),
        TextForm::Raw,
    ),
    (
        "githubWorkflowName",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.4"),
        TextForm::Raw,
    ),
    (
        "githubWorkflowRepository",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.5"),
        TextForm::Raw,
    ),
    (
        "githubWorkflowRef",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.6"),
        TextForm::Raw,
    ),
    (
        "buildSignerURI",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.9"),
        TextForm::Utf8String,
    ),
    (
        "buildSignerDigest",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.10"),
        TextForm::Utf8String,
    ),
    (
        "runnerEnvironment",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.11"),
        TextForm::Utf8String,
    ),
    (
        "sourceRepositoryURI",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.12"),
        TextForm::Utf8String,
    ),
    (
        "sourceRepositoryDigest",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.13"),
        TextForm::Utf8String,
    ),
    (
        "sourceRepositoryRef",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.14"),
        TextForm::Utf8String,
    ),
    (
        "sourceRepositoryIdentifier",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.15"),
        TextForm::Utf8String,
    ),
    (
        "sourceRepositoryOwnerURI",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.16"),
        TextForm::Utf8String,
    ),
    (
        "sourceRepositoryOwnerIdentifier",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.17"),
        TextForm::Utf8String,
    ),
    (
        "buildConfigURI",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.18"),
        TextForm::Utf8String,
    ),
    (
        "buildConfigDigest",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.19"),
        TextForm::Utf8String,
    ),
    (
        "buildTrigger",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.20"),
        TextForm::Utf8String,
    ),
    (
        "runInvocationURI",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.21"),
        TextForm::Utf8String,
    ),
    (
        "sourceRepositoryVisibilityAtSigning",
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.22"),
        TextForm::Utf8String,
    ),
];

/// Who signed, as Fulcio saw them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    subject: SubjectName,
    issuer: Option<String>,
    claims: Vec<(&'static str, String)>,
}

/// The one subject alternative name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectName {
    /// An email address.
    Email(String),
    /// A URI: a workflow, a SPIFFE id, a service.
    Uri(String),
    /// A user name (`otherName` 1.3.6.1.4.1.57264.1.7).
    Username(String),
}

impl SubjectName {
    /// As it stands in the certificate.
    pub fn text(&self) -> &str {
        match self {
            Self::Email(text) | Self::Uri(text) | Self::Username(text) => text,
        }
    }
}

impl Claims {
    /// # Errors
    /// [`X509Error`]: not exactly one subject alternative name, one of another type, an extension
    /// that is malformed, two
    /// issuers that differ.
    pub fn of(certificate: &Certificate) -> Result<Self, X509Error> {
        let subject = subject(certificate.names())?;
        let issuer = issuer(certificate, TextForm::Utf8String)?;
        let mut claims = Vec::new();
        for (name, oid, form) in EXTENSIONS {
            if let Some(text) = text(certificate, oid, form, name)? {
                claims.push((name, text));
            }
        }
        Ok(Self {
            subject,
            issuer,
            claims,
        })
    }

    /// Who.
    pub fn subject(&self) -> &SubjectName {
        &self.subject
    }

    /// The OIDC issuer that told Fulcio so. Without one, no identity matches.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The claim of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.claims
            .iter()
            .find(|(found, _)| *found == name)
            .map(|(_, text)| text.as_str())
    }

    /// Every claim that the certificate has, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.claims
            .iter()
            .map(|(name, text)| (*name, text.as_str()))
    }

    /// Every name that a claim can have.
    pub fn names() -> impl Iterator<Item = &'static str> {
        EXTENSIONS.iter().map(|(name, ..)| *name)
    }
}

/// docs/trust.md section 5: exactly one, so that nobody is taken for another by the order of names.
fn subject(names: &[San]) -> Result<SubjectName, X509Error> {
    let [name] = names else {
        return Err(X509Error::Names { found: names.len() });
    };
    match name {
        San::Email(text) => Ok(SubjectName::Email(text.clone())),
        San::Uri(text) => Ok(SubjectName::Uri(text.clone())),
        San::Other(USERNAME, value) => utf8_string(value)
            .map(SubjectName::Username)
            .ok_or(X509Error::Claim { name: "otherName" }),
        _ => Err(X509Error::NameType),
    }
}

/// The OIDC issuer by the letter of containers/image (docs/containers-image.md section 2.4), of a
/// certificate that may have any names: as [`Claims::issuer`], but a DER string of other types is
/// read too.
///
/// # Errors
/// [`X509Error::Claim`], [`X509Error::IssuersDiffer`].
pub fn issuer_as_go(certificate: &Certificate) -> Result<Option<String>, X509Error> {
    issuer(certificate, TextForm::AnyString)
}

/// docs/trust.md section 5: .1.8, else .1.1; when both are present, they agree.
fn issuer(certificate: &Certificate, form: TextForm) -> Result<Option<String>, X509Error> {
    let old = text(certificate, OLD_ISSUER, TextForm::Raw, "issuer")?;
    let new = text(certificate, ISSUER, form, "issuer")?;
    match (old, new) {
        (Some(old), Some(new)) if old != new => Err(X509Error::IssuersDiffer { old, new }),
        (old, new) => Ok(new.or(old)),
    }
}

fn text(
    certificate: &Certificate,
    oid: ObjectIdentifier,
    form: TextForm,
    name: &'static str,
) -> Result<Option<String>, X509Error> {
    let Some(value) = certificate.extension(oid) else {
        return Ok(None);
    };
    let text = match form {
        TextForm::Raw => core::str::from_utf8(value).ok().map(String::from),
        TextForm::Utf8String => utf8_string(value),
        TextForm::AnyString => [Tag::Utf8String, Tag::PrintableString, Tag::Ia5String]
            .into_iter()
            .find_map(|tag| string(value, tag)),
    };
    text.map(Some).ok_or(X509Error::Claim { name })
}

fn utf8_string(bytes: &[u8]) -> Option<String> {
    string(bytes, Tag::Utf8String)
}

fn string(bytes: &[u8], tag: Tag) -> Option<String> {
    let mut values = Elements::of(bytes, "a claim");
    let body = values.take(tag).ok()?.body;
    values.finish().ok()?;
    core::str::from_utf8(body).ok().map(String::from)
}
