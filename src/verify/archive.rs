//! Where manifests and evidence come from: a registry, or whatever holds a registry's answers. None
//! is trusted.

#[cfg(feature = "openpgp")]
use super::simple::Lookaside;
use crate::digest::Digest;
use crate::encoding::json::{self, Dialect, Node};
use crate::host::Host;
use crate::oci::registry::{Fetched, Registry, RegistryError};
use alloc::string::String;
use alloc::vec::Vec;

/// One entry of a list of referrers: its digest, and the artifact type that the list gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// The digest of its manifest.
    pub digest: Digest,
    /// As the list says.
    pub artifact_type: Option<String>,
}

/// A list of referrers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The entries.
    pub entries: Vec<Referrer>,
    /// Why there may be more.
    pub incomplete: Option<RegistryError>,
}

/// Answers about one repository. `None` is "there is none", never "could not find out".
pub trait Archive {
    /// A manifest by tag or digest. Its bytes are not checked here.
    fn manifest(
        &self,
        reference: &str,
    ) -> impl Future<Output = Result<Option<Fetched>, RegistryError>>;
    /// A blob, whose digest was checked.
    fn blob(
        &self,
        digest: &Digest,
        max_bytes: usize,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, RegistryError>>;
    /// What refers to a manifest.
    fn referrers(&self, digest: &Digest) -> impl Future<Output = Result<Listed, RegistryError>>;
    /// The simple signature of this number (from 1 on) of a manifest in a lookaside. `lookaside` is
    /// where `registries.d` keeps them.
    #[cfg(feature = "openpgp")]
    fn simple_signature(
        &self,
        lookaside: Option<&Lookaside>,
        digest: &Digest,
        number: usize,
        max_bytes: usize,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, RegistryError>> {
        let _ = (lookaside, digest, number, max_bytes);
        core::future::ready(Ok(None))
    }
    /// The registry's own list of simple signatures of a manifest, as it came; `None` where the
    /// registry keeps no such lists. It takes the place of a lookaside.
    #[cfg(feature = "openpgp")]
    fn simple_signatures(
        &self,
        digest: &Digest,
        max_bytes: usize,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, RegistryError>> {
        let _ = (digest, max_bytes);
        core::future::ready(Ok(None))
    }
}

impl<H: Host> Archive for Registry<'_, H> {
    async fn manifest(&self, reference: &str) -> Result<Option<Fetched>, RegistryError> {
        Registry::manifest(self, reference).await
    }

    async fn blob(
        &self,
        digest: &Digest,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        Registry::blob(self, digest, max_bytes).await
    }

    async fn referrers(&self, digest: &Digest) -> Result<Listed, RegistryError> {
        let listed = Registry::referrers(self, digest).await?;
        Ok(Listed {
            entries: entries(&listed.bytes),
            incomplete: listed.incomplete,
        })
    }

    #[cfg(feature = "openpgp")]
    async fn simple_signature(
        &self,
        lookaside: Option<&Lookaside>,
        digest: &Digest,
        number: usize,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        match lookaside {
            Some(lookaside) => {
                let address = lookaside.address(digest, number);
                Registry::lookaside(self, &address, max_bytes).await
            }
            None => Ok(None),
        }
    }

    #[cfg(feature = "openpgp")]
    async fn simple_signatures(
        &self,
        digest: &Digest,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        Registry::signatures(self, digest, max_bytes).await
    }
}

/// What a list names. It is no document that anyone runs, so it is not read as strictly: an entry
/// that does not read, which whoever may push can add, is passed over. What is no index lists
/// nothing.
fn entries(bytes: &[u8]) -> Vec<Referrer> {
    let Ok(root) = json::parse(bytes, Dialect::Strict) else {
        return Vec::new();
    };
    let entry = |node: &Node| {
        let digest = Digest::parse(node.member("digest")?.as_str()?).ok()?;
        Some(Referrer {
            digest,
            artifact_type: node
                .member("artifactType")
                .and_then(Node::as_str)
                .map(Into::into),
        })
    };
    root.member("manifests")
        .and_then(Node::as_array)
        .unwrap_or_default()
        .iter()
        .filter_map(entry)
        .collect()
}
