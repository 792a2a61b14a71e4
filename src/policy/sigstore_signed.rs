//! The requirement `sigstoreSigned` (docs/containers-image.md section 2.2, docs/trust.md section
//! 1).
//!
//! Sources count by their *effective value*: `""` for a path and `null` for data are as if absent.
//! So `"rekorPublicKeyPath": ""` beside a key asks for no log; containers/image does so too, and a
//! lint says so.

use super::error::PolicyError;
use super::field::Field;
use super::field::Members;
use super::keys::KeySource;
use super::matcher::Matcher;
use super::trust;
use super::trust::Trust;

/// `sigstoreSigned`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigstoreSigned {
    /// Whom the signature must come from.
    pub trust: Trust,
    /// Keys of Rekor, under which the signature must be logged. They govern `.sig` signatures
    /// alone.
    pub rekor: Option<KeySource>,
    /// What the signature must name.
    pub identity: Matcher,
}

const MEMBERS: &[&str] = &[
    "type",
    "keyPath",
    "keyPaths",
    "keyData",
    "keyDatas",
    "fulcio",
    "pki",
    "rekorPublicKeyPath",
    "rekorPublicKeyPaths",
    "rekorPublicKeyData",
    "rekorPublicKeyDatas",
    "signedIdentity",
];

impl SigstoreSigned {
    pub(super) fn read(field: &Field<'_>) -> Result<Self, PolicyError> {
        let members = field.members(MEMBERS, &trust::EXTENDED)?;
        let trust = Trust::read(&members)?;
        Ok(Self {
            rekor: rekor(&members, &trust)?,
            trust,
            identity: Matcher::of_sigstore(&members)?,
        })
    }

    /// Whether Sigstore bundles can satisfy it, beside `.sig` signatures (docs/trust.md sections 1
    /// and 4).
    pub fn reads_bundles(&self) -> bool {
        match self.trust {
            Trust::LoggedKeys { .. } | Trust::Certificates { .. } => true,
            Trust::Keys(_) => {
                self.rekor.is_none()
                    && matches!(
                        self.identity,
                        Matcher::Digest { .. } | Matcher::RemapRepository { .. }
                    )
            }
            Trust::Fulcio(_) | Trust::Pki(_) => false,
        }
    }
}

fn rekor(members: &Members<'_>, trust: &Trust) -> Result<Option<KeySource>, PolicyError> {
    let fail = |rule| {
        Err(PolicyError::RekorSource {
            place: members.place(),
            rule,
        })
    };
    let mut sources = KeySource::effective(members, &trust::REKOR)?;
    let rekor = sources.pop();
    match (&rekor, trust) {
        _ if !sources.is_empty() => fail(
            "at most one of rekorPublicKeyPath, rekorPublicKeyPaths, rekorPublicKeyData and \
             rekorPublicKeyDatas can be used simultaneously",
        ),
        (None, Trust::Fulcio(_)) => fail(
            "At least one of rekorPublicKeyPath, rekorPublicKeyPaths, rekorPublicKeyData and \
             rekorPublicKeyDatas must be specified if fulcio is used",
        ),
        (Some(_), Trust::Pki(_)) => fail(
            "rekorPublicKeyPath, rekorPublicKeyPaths, rekorPublicKeyData and rekorPublicKeyDatas \
             are not supported for pki",
        ),
        _ => Ok(rekor),
    }
}
