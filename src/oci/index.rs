//! Indexes: lists of images, one a platform, and lists of referrers (OCI image specification,
//! image-index.md; Docker manifest list).

use crate::oci::descriptor::Descriptor;
use crate::oci::descriptor::descriptors;
use crate::oci::descriptor::lookup;
use crate::oci::error::OciError;
use crate::oci::fields::Fields;
use crate::oci::media_type;
use crate::oci::platform::Platform;
use alloc::string::String;
use alloc::vec::Vec;

/// The annotation by which containers/image marks images whose layers are compressed with zstd.
const ZSTD: &str = "io.github.containers.compression.zstd";

/// A list of manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// [`OCI_INDEX`](media_type::OCI_INDEX) or [`DOCKER_LIST`](media_type::DOCKER_LIST).
    pub media_type: String,
    /// Where the whole index is an artifact.
    pub artifact_type: Option<String>,
    /// What it lists, in the document's order.
    pub manifests: Vec<Descriptor>,
    /// What this is attached to.
    pub subject: Option<Descriptor>,
    /// In the document's order; every key once.
    pub annotations: Vec<(String, String)>,
}

/// Which of two images for the same platform is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// The one that is marked as zstd: what containers/image takes unless it is told otherwise.
    PreferZstd,
    /// The one that is not.
    PreferGzip,
}

impl Index {
    pub(super) fn read(fields: &Fields<'_>, media_type: String) -> Result<Self, OciError> {
        fields.required("manifests", "an array")?;
        Ok(Self {
            media_type,
            artifact_type: fields.text("artifactType")?,
            manifests: descriptors(fields, "manifests")?,
            subject: fields.optional("subject", |node| Descriptor::read(node, "subject"))?,
            annotations: fields.map("annotations")?,
        })
    }

    /// The value of this annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        lookup(&self.annotations, key)
    }

    /// The entry that containers/image takes for this platform.
    pub fn select(&self, platform: &Platform) -> Option<&Descriptor> {
        self.select_by(platform, Compression::PreferZstd)
    }

    /// The best entry for this platform: by variant, then by compression, then the first. In an OCI
    /// index an entry without a platform runs everywhere, but worst.
    pub fn select_by(&self, platform: &Platform, compression: Compression) -> Option<&Descriptor> {
        let oci = self.media_type == media_type::OCI_INDEX;
        let rank = |entry: &Descriptor| {
            let rank = match &entry.platform {
                Some(image) => platform.rank(image)?,
                None if oci => usize::MAX,
                None => return None,
            };
            let zstd = entry.annotation(ZSTD) == Some("true");
            Some((
                rank,
                oci && zstd != (compression == Compression::PreferZstd),
            ))
        };
        let ranked = self
            .manifests
            .iter()
            .filter_map(|entry| Some((rank(entry)?, entry)));
        ranked.min_by_key(|(rank, _)| *rank).map(|(_, entry)| entry)
    }
}
