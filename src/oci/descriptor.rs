//! Descriptors: what is listed, by digest and size (OCI image specification, descriptor.md).
//!
//! In scope: the members that clients read. Out of scope: what `data` (embedded content) holds,
//! which nothing here uses. All of it is the claim of the document that it stands in.

use crate::digest::Digest;
use crate::encoding::json::Node;
use crate::encoding::json::Value;
use crate::limits;
use crate::oci::error::OciError;
use crate::oci::fields::Fields;
use crate::oci::fields::shown;
use crate::oci::platform::Platform;
use alloc::string::String;
use alloc::vec::Vec;

const MEMBERS: [&str; 8] = [
    "mediaType",
    "digest",
    "size",
    "urls",
    "annotations",
    "data",
    "artifactType",
    "platform",
];

/// A reference to content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// What the content claims to be; never empty.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes, at most 2^63 - 1. A claim: never allocate by it.
    pub size: u64,
    /// Other places that have it ("foreign" layers).
    pub urls: Vec<String>,
    /// Whether the content stands in `data`: some clients take it from there and fetch nothing.
    pub embedded: bool,
    /// In the document's order; every key once.
    pub annotations: Vec<(String, String)>,
    /// The artifact type, where the content is an artifact's manifest.
    pub artifact_type: Option<String>,
    /// What the content runs on, where it is an image in an index.
    pub platform: Option<Platform>,
}

impl Descriptor {
    /// Reads a descriptor that stands as `member`.
    pub(super) fn read(node: &Node, member: &'static str) -> Result<Self, OciError> {
        let fields = Fields::of(node, member, &MEMBERS)?;
        // CVE-2024-3727: a digest that is not validated becomes a path.
        let digest = Digest::parse(&fields.required_text("digest")?)
            .map_err(|error| OciError::Digest { member, error })?;
        Ok(Self {
            media_type: fields.required_text("mediaType")?,
            digest,
            size: size(fields.required("size", "a number of bytes")?)?,
            urls: fields.texts("urls")?,
            embedded: fields.node("data").is_some(),
            annotations: fields.map("annotations")?,
            artifact_type: fields.text("artifactType")?,
            platform: fields.optional("platform", Platform::read)?,
        })
    }

    /// The value of this annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        lookup(&self.annotations, key)
    }
}

/// A bounded list of descriptors.
pub(super) fn descriptors(
    fields: &Fields<'_>,
    member: &'static str,
) -> Result<Vec<Descriptor>, OciError> {
    let nodes = fields.array(member)?;
    if nodes.len() > limits::DESCRIPTORS {
        return Err(OciError::Descriptors { found: nodes.len() });
    }
    nodes
        .iter()
        .map(|node| Descriptor::read(node, member))
        .collect()
}

/// The value of `key`.
pub(super) fn lookup<'a>(annotations: &'a [(String, String)], key: &str) -> Option<&'a str> {
    annotations
        .iter()
        .find(|(name, _)| name == key)
        .map(|(_, value)| value.as_str())
}

/// descriptor.md: "size: int64"; Go reads no fraction and no exponent.
fn size(node: &Node) -> Result<u64, OciError> {
    node.as_u64()
        .filter(|size| i64::try_from(*size).is_ok())
        .ok_or_else(|| {
            let found = if let Value::Number(text) = &node.value {
                text.as_str()
            } else {
                node.kind()
            };
            OciError::Size {
                found: shown(found),
            }
        })
}
