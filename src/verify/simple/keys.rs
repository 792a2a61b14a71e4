//! Whom `signedBy` trusts (docs/containers-image.md section 2.1).

use crate::error::Failure;
use crate::openpgp::Keyring;
use crate::policy::SignedBy;
use crate::time::UnixTime;
use crate::verify::error::VerifyError;
use crate::verify::key_files::files;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// The OpenPGP keys of one `signedBy`.
#[derive(Debug)]
pub(in crate::verify) struct GpgKeys {
    pub(super) keyring: Keyring,
    /// Until when it is passed over that a key has expired.
    pub(super) expired_until: Option<UnixTime>,
}

impl GpgKeys {
    /// All files together are one keyring. A failure is the reason against each signature, so that
    /// without any it is not noticed (docs/containers-image.md section 2.2).
    ///
    /// # Errors
    /// [`VerifyError`], or the codes of [`crate::openpgp::OpenPgpError`].
    pub(in crate::verify) fn read(
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
}
