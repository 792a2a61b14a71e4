//! Whom `signedBy` trusts (docs/containers-image.md section 2.1).

use super::error::VerifyError;
#[cfg(feature = "openpgp")]
use super::key_files::files;
use crate::error::Failure;
#[cfg(feature = "openpgp")]
use crate::openpgp::Keyring;
use crate::policy::SignedBy;
use crate::time::UnixTime;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// The OpenPGP keys of one `signedBy`.
#[derive(Debug)]
pub(super) struct GpgKeys {
    #[cfg(feature = "openpgp")]
    pub keyring: Keyring,
    /// Until when it is passed over that a key has expired.
    pub expired_until: Option<UnixTime>,
}

impl GpgKeys {
    /// All files together are one keyring. A failure is the reason against each signature, so that
    /// without any it is not noticed (docs/containers-image.md section 2.2).
    ///
    /// # Errors
    /// [`VerifyError`], or the codes of [`crate::openpgp::OpenPgpError`].
    #[cfg(feature = "openpgp")]
    pub(super) fn read(
        signed: &SignedBy,
        assets: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, Failure> {
        if signed.key_type != crate::policy::KeyType::GpgKeys {
            let found = signed.key_type.name();
            return Err(VerifyError::KeyType { found }.into());
        }
        let mut keyring = Keyring::default();
        for file in files(&signed.keys, assets)? {
            keyring.merge(Keyring::read(file)?)?;
        }
        if keyring.is_empty() {
            let note = keyring.note().map(|note| alloc::format!(" ({note})"));
            let detail = note.unwrap_or_default();
            return Err(VerifyError::NoPublicKeys { detail }.into());
        }
        Ok(Self {
            keyring,
            expired_until: signed.expired_keys,
        })
    }

    /// Without the feature `openpgp` no policy with `signedBy` loads (`part.missing`).
    ///
    /// # Errors
    /// Always.
    #[cfg(not(feature = "openpgp"))]
    pub(super) fn read(
        _signed: &SignedBy,
        _assets: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, Failure> {
        let what = "signedBy, for which this build has no part".into();
        Err(VerifyError::NotImplemented { what }.into())
    }
}
