//! The requirement `signedBy` (docs/containers-image.md section 2.1): simple signing with
//! OpenPGP.
//!
//! Here the *presence* of a key member counts, whatever its value; in `sigstoreSigned` its
//! effective value does.

use super::error::PolicyError;
use super::error::shown;
use super::field::Field;
use super::field::Members;
use super::keys::KeySource;
use super::matcher::Matcher;
use crate::time::UnixTime;

/// The kinds of keys. All but [`KeyType::GpgKeys`] parse and accept nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// `GPGKeys`
    GpgKeys,
    /// `signedByGPGKeys`
    SignedByGpgKeys,
    /// `X509Certificates`
    X509Certificates,
    /// `signedByX509CAs`
    SignedByX509Cas,
}

/// `signedBy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBy {
    /// The kind of the keys.
    pub key_type: KeyType,
    /// The keyrings.
    pub keys: KeySource,
    /// What a signature must name.
    pub identity: Matcher,
    /// Until when it is passed over that a key has expired (docs/trust.md section 1). Ours.
    pub expired_keys: Option<UnixTime>,
}

const MEMBERS: &[&str] = &[
    "type",
    "keyType",
    "keyPath",
    "keyPaths",
    "keyData",
    "signedIdentity",
];

impl SignedBy {
    pub(super) fn read(field: &Field<'_>) -> Result<Self, PolicyError> {
        // Said before anything is decided by less than the policy demands.
        if cfg!(not(feature = "openpgp")) {
            return Err(PolicyError::OpenPgpPart);
        }
        let members = field.members(MEMBERS, &["expiredKeys"])?;
        Ok(Self {
            key_type: key_type(&members)?,
            keys: keys(&members)?,
            identity: Matcher::of_signed_by(&members)?,
            expired_keys: members
                .find("expiredKeys")
                .map(|field| until(&field))
                .transpose()?,
        })
    }

    /// Whether it has members that containers/image does not know: then what does not read is
    /// passed over (docs/trust.md section 7).
    pub fn is_ours(&self) -> bool {
        self.expired_keys.is_some()
    }
}

impl KeyType {
    /// As a policy writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::GpgKeys => "GPGKeys",
            Self::SignedByGpgKeys => "signedByGPGKeys",
            Self::X509Certificates => "X509Certificates",
            Self::SignedByX509Cas => "signedByX509CAs",
        }
    }
}

fn until(field: &Field<'_>) -> Result<UnixTime, PolicyError> {
    let until = field.members(&["until"], &[])?.need("until")?;
    match until.node.as_str().and_then(UnixTime::parse) {
        Some(time) => Ok(time),
        None => until.value("a time in UTC such as 2027-01-31T12:00:00Z"),
    }
}

fn key_type(members: &Members<'_>) -> Result<KeyType, PolicyError> {
    let Some(field) = members.find("keyType") else {
        return Err(PolicyError::NoKeyType {
            place: members.place(),
        });
    };
    match field.string()? {
        "GPGKeys" => Ok(KeyType::GpgKeys),
        "signedByGPGKeys" => Ok(KeyType::SignedByGpgKeys),
        "X509Certificates" => Ok(KeyType::X509Certificates),
        "signedByX509CAs" => Ok(KeyType::SignedByX509Cas),
        found => Err(PolicyError::KeyType {
            place: field.place(),
            found: shown(found),
        }),
    }
}

fn keys(members: &Members<'_>) -> Result<KeySource, PolicyError> {
    let fail = |rule| {
        Err(PolicyError::KeySource {
            place: members.place(),
            rule,
        })
    };
    let source = match (
        members.find("keyPath"),
        members.find("keyPaths"),
        members.find("keyData"),
    ) {
        (Some(field), None, None) => Some(field.string()?)
            .filter(|path| !path.is_empty())
            .map(|path| KeySource::Path(path.into())),
        (None, Some(field), None) => field.strings()?.map(KeySource::Paths),
        (None, None, Some(field)) => field.bytes()?.map(KeySource::Data),
        (None, None, None) => {
            return fail(
                "Exactly one of keyPath, keyPaths and keyData must be specified, none of them \
                 present",
            );
        }
        _ => {
            return fail(
                "Exactly one of keyPath, keyPaths and keyData must be specified, more than one \
                 present",
            );
        }
    };
    source.map_or_else(
        || fail("exactly one of keyPath, keyPaths and keyData must be specified, and not be empty"),
        Ok,
    )
}
