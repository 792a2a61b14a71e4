//! Whom a signature must come from (docs/containers-image.md section 2.2, docs/trust.md section 1).

use super::error::PolicyError;
use super::field::Members;
use super::fulcio::Fulcio;
use super::keys::KeySource;
use super::pki::Pki;
use super::trusted_root;
use super::trusted_root::TrustedRoot;
use crate::sigstore::identity::Identity;
use alloc::vec::Vec;

/// Exactly one way to trust a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// One of these keys.
    Keys(KeySource),
    /// One of these keys, and the log that the root lists.
    LoggedKeys {
        /// The keys.
        keys: KeySource,
        /// Says which log is demanded.
        root: TrustedRoot,
    },
    /// A certificate for an e-mail address, of containers/image's kind.
    Fulcio(Fulcio),
    /// A certificate of one's own authority.
    Pki(Pki),
    /// A certificate that the root covers, for one of these identities.
    Certificates {
        /// Who certifies, logs and stamps.
        root: TrustedRoot,
        /// One of them must match.
        identities: Vec<Identity>,
    },
}

/// The members of keys.
pub(super) const KEYS: [&str; 4] = ["keyPath", "keyPaths", "keyData", "keyDatas"];
/// The members of Rekor keys.
pub(super) const REKOR: [&str; 4] = [
    "rekorPublicKeyPath",
    "rekorPublicKeyPaths",
    "rekorPublicKeyData",
    "rekorPublicKeyDatas",
];

const ONE_SOURCE: &str =
    "exactly one of keyPath, keyPaths, keyData, keyDatas, fulcio, and pki must be specified";

impl Trust {
    /// Of an object that knows the members of keys, and perhaps the others.
    pub(super) fn read(members: &Members<'_>) -> Result<Self, PolicyError> {
        let mut trusts: Vec<Self> = KeySource::effective(members, &KEYS)?
            .into_iter()
            .map(Self::Keys)
            .collect();
        if let Some(field) = members.find("fulcio") {
            trusts.push(Self::Fulcio(Fulcio::read(&field)?));
        }
        if let Some(field) = members.find("pki") {
            trusts.push(Self::Pki(Pki::read(&field)?));
        }
        let root = TrustedRoot::read(members)?;
        let identities = trusted_root::identities(members)?;
        let trust = trusts.pop();
        if !trusts.is_empty() {
            return Err(PolicyError::KeySource {
                place: members.place(),
                rule: ONE_SOURCE,
            });
        }
        match (root, identities) {
            (None, None) => trust.ok_or_else(|| PolicyError::KeySource {
                place: members.place(),
                rule: ONE_SOURCE,
            }),
            (None, Some(_)) => Err(PolicyError::Identities {
                place: members.place(),
                rule: "identities speak of certificates: they need one of trustedRoot, \
                       trustedRootPath and trustedRootData",
            }),
            (Some(root), identities) => Self::rooted(members, root, trust, identities),
        }
    }

    fn rooted(
        members: &Members<'_>,
        root: TrustedRoot,
        trust: Option<Self>,
        identities: Option<Vec<Identity>>,
    ) -> Result<Self, PolicyError> {
        let fail = |rule| {
            Err(PolicyError::TrustedRoot {
                place: members.place(),
                rule,
            })
        };
        if REKOR.iter().any(|key| members.has(key)) {
            return fail("trustedRoot stands in place of rekorPublicKey…: remove one of the two");
        }
        match (trust, identities) {
            (None, Some(identities)) => Ok(Self::Certificates { root, identities }),
            (Some(Self::Keys(keys)), None) => Ok(Self::LoggedKeys { keys, root }),
            (None, None) => fail(
                "a trusted root alone says nothing of who signs: add identities for certificates, \
                 or keys",
            ),
            (Some(Self::Keys(_)), Some(_)) => {
                fail("identities speak of certificates and keys have none: remove one of the two")
            }
            (Some(_), _) => {
                fail("trustedRoot stands in place of fulcio and pki: remove one of the two")
            }
        }
    }

    /// Every source of keys and certificates.
    pub fn sources(&self) -> Vec<&KeySource> {
        match self {
            Self::Keys(keys) | Self::LoggedKeys { keys, .. } => alloc::vec![keys],
            Self::Fulcio(fulcio) => alloc::vec![&fulcio.ca],
            Self::Pki(pki) => pki.sources().collect(),
            Self::Certificates { .. } => Vec::new(),
        }
    }

    /// The trusted root, if it names one.
    pub fn root(&self) -> Option<&TrustedRoot> {
        match self {
            Self::LoggedKeys { root, .. } | Self::Certificates { root, .. } => Some(root),
            Self::Keys(_) | Self::Fulcio(_) | Self::Pki(_) => None,
        }
    }
}

/// The members of ours that [`Trust::read`] looks at.
pub(super) const EXTENDED: [&str; 4] = trusted_root::MEMBERS;
