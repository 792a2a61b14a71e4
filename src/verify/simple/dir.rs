//! An image of the transport `dir:`, as `skopeo copy … dir:PATH` writes it: `manifest.json`,
//! `signature-1`, `signature-2` … beside it, and of each image of an index `HEX.manifest.json` and
//! `HEX.signature-1` … (containers/image `directory/directory_transport.go`).
//!
//! In scope: which file holds what. Out of scope: reading a folder, believing any of it; layers.

use super::lookaside::Lookaside;
use crate::digest::Digest;
use crate::error::HostError;
use crate::oci::registry::{Fetched, RegistryError};
use crate::verify::archive::{Archive, Listed};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The files of such an image, by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirImage {
    files: BTreeMap<String, Vec<u8>>,
}

/// What it holds has no tag; this one asks for its `manifest.json`.
pub const DIR_TAG: &str = "latest";
const MANIFEST: &str = "manifest.json";

impl DirImage {
    /// Of what is in its folder.
    pub fn of(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self { files }
    }

    fn file(&self, name: &str, max_bytes: usize) -> Result<Option<Vec<u8>>, RegistryError> {
        match self.files.get(name) {
            Some(bytes) if bytes.len() > max_bytes => Err(HostError::TooLarge {
                url: name.into(),
                limit: max_bytes,
            }
            .into()),
            found => Ok(found.cloned()),
        }
    }

    /// Before the names of what belongs to this manifest.
    fn prefix(&self, digest: &Digest) -> String {
        let is_top = self.files.get(MANIFEST);
        match is_top.is_some_and(|bytes| digest.check(bytes).is_ok()) {
            true => String::new(),
            false => format!("{}.", digest.hex()),
        }
    }
}

impl Archive for DirImage {
    async fn manifest(&self, reference: &str) -> Result<Option<Fetched>, RegistryError> {
        let name = match Digest::parse(reference) {
            Ok(digest) => format!("{}{MANIFEST}", self.prefix(&digest)),
            Err(_) if reference == DIR_TAG => MANIFEST.into(),
            // Of signatures that are attached to an image: there is no place for such.
            Err(_) => return Ok(None),
        };
        let found = self.file(&name, crate::limits::MANIFEST)?;
        Ok(found.map(|bytes| Fetched {
            bytes,
            content_type: None,
            digest: None,
        }))
    }

    async fn blob(&self, _: &Digest, _: usize) -> Result<Option<Vec<u8>>, RegistryError> {
        Ok(None)
    }

    async fn referrers(&self, _: &Digest) -> Result<Listed, RegistryError> {
        Ok(Listed::default())
    }

    async fn simple_signature(
        &self,
        _: Option<&Lookaside>,
        digest: &Digest,
        number: usize,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        let name = format!("{}signature-{number}", self.prefix(digest));
        self.file(&name, max_bytes)
    }
}
