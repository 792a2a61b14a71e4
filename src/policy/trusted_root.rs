//! The members `trustedRoot…` and `identities` (docs/trust.md sections 1, 4 and 5). Ours; they
//! exist under the marker only.
//!
//! In scope: their shape. Out of scope: the root's content, and judging a certificate.

use super::error::PolicyError;
use super::field::Field;
use super::field::Members;
use crate::limits;
use crate::sigstore::identity::Identity;
use crate::sigstore::identity::Pattern;
use crate::sigstore::identity::PatternError;
use crate::x509::fulcio::Claims;
use alloc::string::String;
use alloc::vec::Vec;

/// Who is trusted to certify, to log and to stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustedRoot {
    /// `"trustedRoot": "public-good"`
    PublicGood,
    /// `"trustedRoot": "staging"`
    Staging,
    /// `"trustedRoot": "github"`
    GitHub,
    /// `trustedRootPath`: a `trusted_root.json`.
    Path(String),
    /// `trustedRootData`: the content of one.
    Data(Vec<u8>),
}

/// The members that this file reads.
pub(super) const MEMBERS: [&str; 4] = [
    "trustedRoot",
    "trustedRootPath",
    "trustedRootData",
    "identities",
];

impl TrustedRoot {
    /// The member that names it.
    pub fn member(&self) -> &'static str {
        match self {
            Self::PublicGood | Self::Staging | Self::GitHub => "trustedRoot",
            Self::Path(_) => "trustedRootPath",
            Self::Data(_) => "trustedRootData",
        }
    }

    /// At most one of the three members; each, where it stands, must say something.
    pub(super) fn read(members: &Members<'_>) -> Result<Option<Self>, PolicyError> {
        let [name, path, data, _] = MEMBERS.map(|key| members.find(key));
        match (name, path, data) {
            (None, None, None) => Ok(None),
            (Some(name), None, None) => named(&name).map(Some),
            (None, Some(path), None) => Ok(Some(Self::Path(path.text()?.into()))),
            (None, None, Some(data)) => match data.bytes()? {
                Some(bytes) if !bytes.is_empty() => Ok(Some(Self::Data(bytes))),
                _ => data.value("base64 of a trusted_root.json"),
            },
            _ => Err(PolicyError::TrustedRoot {
                place: members.place(),
                rule: "exactly one of trustedRoot, trustedRootPath and trustedRootData must be \
                       specified, more than one present",
            }),
        }
    }
}

fn named(field: &Field<'_>) -> Result<TrustedRoot, PolicyError> {
    match field.node.as_str() {
        Some("public-good") => Ok(TrustedRoot::PublicGood),
        Some("staging") => Ok(TrustedRoot::Staging),
        Some("github") => Ok(TrustedRoot::GitHub),
        _ => field.value("\"public-good\", \"staging\" or \"github\""),
    }
}

/// An expression for the whole of a text.
pub(super) fn regexp(field: &Field<'_>) -> Result<Pattern, PolicyError> {
    Pattern::whole(field.string()?).map_err(|error| match error {
        PatternError::Part => PolicyError::Part,
        error => PolicyError::Pattern {
            place: field.place(),
            error,
        },
    })
}

fn exact(field: &Field<'_>) -> Result<Pattern, PolicyError> {
    Pattern::exact(field.string()?).map_err(|error| PolicyError::Pattern {
        place: field.place(),
        error,
    })
}

/// The member `identities`: absent, or a list that is not empty.
pub(super) fn identities(members: &Members<'_>) -> Result<Option<Vec<Identity>>, PolicyError> {
    let Some(field) = members.find("identities") else {
        return Ok(None);
    };
    let found = field.node.as_array().map_or(0, <[_]>::len);
    if found > limits::IDENTITIES {
        return Err(PolicyError::TooMany {
            place: field.place(),
            limit: limits::IDENTITIES,
            found,
        });
    }
    let identities = field.list(identity)?;
    if identities.is_empty() {
        return Err(PolicyError::NoEntries {
            place: field.place(),
            member: "identities",
        });
    }
    Ok(Some(identities))
}

fn identity(field: &Field<'_>) -> Result<Identity, PolicyError> {
    let members = field.members(
        &[
            "issuer",
            "issuerRegexp",
            "subject",
            "subjectRegexp",
            "claims",
        ],
        &[],
    )?;
    let pattern = |plain, expression, rule| match (members.find(plain), members.find(expression)) {
        (Some(text), None) => exact(&text),
        (None, Some(text)) => regexp(&text),
        _ => Err(PolicyError::Identities {
            place: field.place(),
            rule,
        }),
    };
    Ok(Identity {
        issuer: pattern(
            "issuer",
            "issuerRegexp",
            "exactly one of issuer and issuerRegexp must be specified",
        )?,
        subject: pattern(
            "subject",
            "subjectRegexp",
            "exactly one of subject and subjectRegexp must be specified",
        )?,
        claims: members
            .find("claims")
            .map_or(Ok(Vec::new()), |field| claims(&field))?,
    })
}

fn claims(field: &Field<'_>) -> Result<Vec<(String, String)>, PolicyError> {
    let names: Vec<&str> = Claims::names().collect();
    let members = field.members(&names, &[])?;
    let claims: Vec<(String, String)> = Claims::names()
        .filter_map(|name| Some((name, members.find(name)?)))
        .map(|(name, value)| Ok((name.into(), value.text()?.into())))
        .collect::<Result<_, PolicyError>>()?;
    if claims.is_empty() {
        return Err(PolicyError::NoEntries {
            place: field.place(),
            member: "claims",
        });
    }
    Ok(claims)
}
