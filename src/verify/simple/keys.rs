//! Whom `signedBy` trusts (docs/containers-image.md section 2.1).

use crate::error::Failure;
use crate::openpgp::Keyring;
use crate::policy::{KeySource, KeyType, Policy, Requirement, SignedBy};
use crate::time::UnixTime;
use crate::verify::error::VerifyError;
use crate::verify::key_files::files;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// The keyrings that a policy names, each read once. A failure is the reason against each signature,
/// so that without any it is not noticed (docs/containers-image.md section 2.2).
#[derive(Debug, Default)]
pub(in crate::verify) struct Keyrings(BTreeMap<KeySource, Result<Keyring, Failure>>);

/// The OpenPGP keys of one `signedBy`.
#[derive(Debug, Clone, Copy)]
pub(in crate::verify) struct GpgKeys<'a> {
    pub(super) keyring: &'a Keyring,
    /// Until when it is passed over that a key has expired.
    pub(super) expired_until: Option<UnixTime>,
}

impl Keyrings {
    /// Reads them.
    pub(in crate::verify) fn of(policy: &Policy, assets: &BTreeMap<String, Vec<u8>>) -> Self {
        let mut keyrings = BTreeMap::new();
        for requirement in policy.scopes().flat_map(|scope| scope.requirements) {
            if let Requirement::SignedBy(signed) = requirement
                && signed.key_type == KeyType::GpgKeys
                && !keyrings.contains_key(&signed.keys)
            {
                keyrings.insert(signed.keys.clone(), read(&signed.keys, assets));
            }
        }
        Self(keyrings)
    }

    /// Those of this requirement of the policy.
    ///
    /// # Errors
    /// [`VerifyError`], or the codes of [`crate::openpgp::OpenPgpError`].
    pub(super) fn trusted_by(&self, signed: &SignedBy) -> Result<GpgKeys<'_>, Failure> {
        if signed.key_type != KeyType::GpgKeys {
            let found = signed.key_type.name();
            return Err(VerifyError::KeyType { found }.into());
        }
        let keyring = (self.0.get(&signed.keys))
            .ok_or_else(|| Failure::new("internal", "a keyring of the policy was not read"))?;
        Ok(GpgKeys {
            keyring: keyring.as_ref().map_err(Clone::clone)?,
            expired_until: signed.expired_keys,
        })
    }
}

/// All files together are one keyring.
fn read(source: &KeySource, assets: &BTreeMap<String, Vec<u8>>) -> Result<Keyring, Failure> {
    let mut keyring = Keyring::default();
    for file in files(source, assets)? {
        keyring.merge(Keyring::read(file)?)?;
    }
    if keyring.is_empty() {
        let note = keyring.note().map(|note| alloc::format!(" ({note})"));
        let detail = note.unwrap_or_default();
        return Err(VerifyError::NoPublicKeys { detail }.into());
    }
    Ok(keyring)
}
