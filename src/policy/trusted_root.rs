//! The members `trustedRoot…` and `identities` (TRUST.md sections 1, 4 and 5). Ours; they exist under the marker only.
//!
//! In scope: their shape. Out of scope: what they mean, which comes with Sigstore's trust roots; regular expressions are
//! bounded and kept as text.

use super::error::PolicyError;
use super::field::Field;
use super::field::Members;
use crate::limits;
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

/// An exact text, or a regular expression for the whole of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// Byte for byte.
    Exact(String),
    /// RE2 syntax without Unicode classes, matched whole.
    Regexp(String),
}

/// One entry of `identities`: all of it must match one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The issuer of the identity.
    pub issuer: Pattern,
    /// The certificate's subject alternative name.
    pub subject: Pattern,
    /// Further claims of the certificate, by sigstore-go's names.
    pub claims: Vec<(String, String)>,
}

/// The members that this file reads.
pub(super) const MEMBERS: [&str; 4] = ["trustedRoot", "trustedRootPath", "trustedRootData", "identities"];

/// sigstore-go's `certificate.Extensions`, extensions .1.2 to .1.6 and .1.9 to .1.22.
const CLAIMS: &[&str] = &[
    "githubWorkflowTrigger",
    "githubWorkflowSHA",
    "githubWorkflowName",
    "githubWorkflowRepository",
    "githubWorkflowRef",
    "buildSignerURI",
    "buildSignerDigest",
    "runnerEnvironment",
    "sourceRepositoryURI",
    "sourceRepositoryDigest",
    "sourceRepositoryRef",
    "sourceRepositoryIdentifier",
    "sourceRepositoryOwnerURI",
    "sourceRepositoryOwnerIdentifier",
    "buildConfigURI",
    "buildConfigDigest",
    "buildTrigger",
    "runInvocationURI",
    "sourceRepositoryVisibilityAtSigning",
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
                rule: "exactly one of trustedRoot, trustedRootPath and trustedRootData must be specified, more than one present",
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

impl Pattern {
    /// A regular expression. Its syntax is looked at where it is used.
    pub(super) fn regexp(field: &Field<'_>) -> Result<Self, PolicyError> {
        let text = field.text()?;
        if text.len() > limits::REGEXP {
            return field.value("a regular expression of at most 1024 bytes");
        }
        if has_unicode_class(text) {
            return field.value("a regular expression without Unicode classes (\\p, \\P): list the letters instead");
        }
        Ok(Self::Regexp(text.into()))
    }
}

/// Whether a backslash that is not itself escaped stands before a `p` or `P`.
fn has_unicode_class(text: &str) -> bool {
    let mut escaped = false;
    text.chars().any(|c| {
        let class = escaped && matches!(c, 'p' | 'P');
        escaped = c == '\\' && !escaped;
        class
    })
}

impl Identity {
    /// The member `identities`: absent, or a list that is not empty.
    pub(super) fn read_list(members: &Members<'_>) -> Result<Option<Vec<Self>>, PolicyError> {
        let Some(field) = members.find("identities") else { return Ok(None) };
        let found = field.node.as_array().map_or(0, <[_]>::len);
        if found > limits::IDENTITIES {
            return Err(PolicyError::TooMany { place: field.place(), limit: limits::IDENTITIES, found });
        }
        let identities = field.list(Self::read)?;
        if identities.is_empty() {
            return Err(PolicyError::NoEntries { place: field.place(), member: "identities" });
        }
        Ok(Some(identities))
    }

    fn read(field: &Field<'_>) -> Result<Self, PolicyError> {
        let members = field.members(&["issuer", "issuerRegexp", "subject", "subjectRegexp", "claims"], &[])?;
        let pattern = |exact, regexp, rule| match (members.find(exact), members.find(regexp)) {
            (Some(text), None) => Ok(Pattern::Exact(text.text()?.into())),
            (None, Some(regexp)) => Pattern::regexp(&regexp),
            _ => Err(PolicyError::Identities { place: field.place(), rule }),
        };
        Ok(Self {
            issuer: pattern("issuer", "issuerRegexp", "exactly one of issuer and issuerRegexp must be specified")?,
            subject: pattern("subject", "subjectRegexp", "exactly one of subject and subjectRegexp must be specified")?,
            claims: members.find("claims").map_or(Ok(Vec::new()), |field| claims(&field))?,
        })
    }
}

fn claims(field: &Field<'_>) -> Result<Vec<(String, String)>, PolicyError> {
    let members = field.members(CLAIMS, &[])?;
    let claims: Vec<(String, String)> = CLAIMS
        .iter()
        .filter_map(|name| Some((*name, members.find(name)?)))
        .map(|(name, value)| Ok((name.into(), value.text()?.into())))
        .collect::<Result<_, PolicyError>>()?;
    if claims.is_empty() {
        return Err(PolicyError::NoEntries { place: field.place(), member: "claims" });
    }
    Ok(claims)
}
