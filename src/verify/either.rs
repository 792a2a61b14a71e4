//! A registry, a document that holds its answers, or a folder.

use super::archive::{Archive, Listed};
use super::evidence::EvidenceDocument;
#[cfg(feature = "openpgp")]
use super::simple::{DirImage, Lookaside};
use crate::digest::Digest;
use crate::host::Host;
use crate::oci::registry::{Fetched, Registry, RegistryError};
use alloc::vec::Vec;

/// Any of them, so that what judges is compiled once.
pub enum Either<'a, H: Host> {
    /// A registry.
    Registry(&'a Registry<'a, H>),
    /// A document that holds its answers.
    Document(&'a EvidenceDocument),
    /// An image in a folder.
    #[cfg(feature = "openpgp")]
    Dir(&'a DirImage),
}

impl<H: Host> Archive for Either<'_, H> {
    async fn manifest(&self, reference: &str) -> Result<Option<Fetched>, RegistryError> {
        match self {
            Self::Registry(registry) => Archive::manifest(*registry, reference).await,
            Self::Document(document) => document.manifest(reference).await,
            #[cfg(feature = "openpgp")]
            Self::Dir(image) => image.manifest(reference).await,
        }
    }

    async fn blob(
        &self,
        digest: &Digest,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        match self {
            Self::Registry(registry) => Archive::blob(*registry, digest, max_bytes).await,
            Self::Document(document) => document.blob(digest, max_bytes).await,
            #[cfg(feature = "openpgp")]
            Self::Dir(image) => image.blob(digest, max_bytes).await,
        }
    }

    async fn referrers(&self, digest: &Digest) -> Result<Listed, RegistryError> {
        match self {
            Self::Registry(registry) => Archive::referrers(*registry, digest).await,
            Self::Document(document) => document.referrers(digest).await,
            #[cfg(feature = "openpgp")]
            Self::Dir(image) => image.referrers(digest).await,
        }
    }

    #[cfg(feature = "openpgp")]
    async fn simple_signature(
        &self,
        lookaside: Option<&Lookaside>,
        digest: &Digest,
        number: usize,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        match self {
            Self::Registry(registry) => {
                let registry = *registry;
                Archive::simple_signature(registry, lookaside, digest, number, max_bytes).await
            }
            Self::Document(document) => {
                let document = *document;
                document
                    .simple_signature(lookaside, digest, number, max_bytes)
                    .await
            }
            Self::Dir(image) => {
                image
                    .simple_signature(lookaside, digest, number, max_bytes)
                    .await
            }
        }
    }

    #[cfg(feature = "openpgp")]
    async fn simple_signatures(
        &self,
        digest: &Digest,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        match self {
            Self::Registry(registry) => {
                Archive::simple_signatures(*registry, digest, max_bytes).await
            }
            Self::Document(document) => document.simple_signatures(digest, max_bytes).await,
            Self::Dir(image) => image.simple_signatures(digest, max_bytes).await,
        }
    }
}
