//! Image manifests, also those of artifacts (OCI image specification, manifest.md; Docker image
//! manifest 2.2).

use crate::oci::descriptor::Descriptor;
use crate::oci::descriptor::descriptors;
use crate::oci::descriptor::lookup;
use crate::oci::error::OciError;
use crate::oci::fields::Fields;
use alloc::string::String;
use alloc::vec::Vec;

/// An image, or an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// [`OCI_MANIFEST`](crate::oci::media_type::OCI_MANIFEST) or
    /// [`DOCKER_MANIFEST`](crate::oci::media_type::DOCKER_MANIFEST).
    pub media_type: String,
    /// As it is written; [`Manifest::referrer_type`] is what the referrers API lists.
    pub artifact_type: Option<String>,
    /// The config.
    pub config: Descriptor,
    /// The layers, lowest first.
    pub layers: Vec<Descriptor>,
    /// What this is attached to.
    pub subject: Option<Descriptor>,
    /// In the document's order; every key once.
    pub annotations: Vec<(String, String)>,
}

impl Manifest {
    pub(super) fn read(fields: &Fields<'_>, media_type: String) -> Result<Self, OciError> {
        fields.required("layers", "an array")?;
        Ok(Self {
            media_type,
            artifact_type: fields.text("artifactType")?,
            config: Descriptor::read(fields.required("config", "a descriptor")?, "config")?,
            layers: descriptors(fields, "layers")?,
            subject: fields.optional("subject", |node| Descriptor::read(node, "subject"))?,
            annotations: fields.map("annotations")?,
        })
    }

    /// The value of this annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        lookup(&self.annotations, key)
    }

    /// The artifact type as the referrers API gives it: its own, else the media type of the config
    /// (distribution specification, "Listing Referrers").
    pub fn referrer_type(&self) -> &str {
        self.artifact_type
            .as_deref()
            .unwrap_or(&self.config.media_type)
    }
}
