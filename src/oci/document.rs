//! What a registry answers under `/manifests/`: a manifest or an index, and never both
//! (CVE-2021-41190).
//!
//! In scope: OCI and Docker documents of schema version 2. Docker schema 1 is told apart and
//! refused; [`schema1`] hashes it. Out of scope: whether the bytes have the digest that was asked
//! for, which the caller checks before. Bytes and content type are both untrusted; they must agree.
//!
//! [`schema1`]: crate::oci::schema1

use crate::encoding::json::Dialect;
use crate::encoding::json::Node;
use crate::encoding::json::parse;
use crate::limits;
use crate::oci::descriptor::Descriptor;
use crate::oci::error::OciError;
use crate::oci::fields::Fields;
use crate::oci::fields::shown;
use crate::oci::index::Index;
use crate::oci::manifest::Manifest;
use crate::oci::media_type;
use crate::oci::media_type::Kind;
use alloc::string::String;

/// The names that clients read at the top of any kind of manifest.
pub(super) const MEMBERS: [&str; 11] = [
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "manifests",
    "subject",
    "annotations",
    "fsLayers",
    "history",
    "signatures",
];

/// A manifest or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
// One document a request: boxing it would save nothing and burden every match.
#[allow(clippy::large_enum_variant)]
pub enum Document {
    /// An image or an artifact.
    Manifest(Manifest),
    /// A list of them.
    Index(Index),
}

impl Document {
    /// Reads `bytes` that came with this `Content-Type`, or from a descriptor with this media type.
    ///
    /// # Errors
    /// [`OciError`]: too long, no JSON, schema 1, ambiguous, of a type that differs from
    /// `content_type` or is unknown, or
    /// a descriptor that is not well-formed.
    pub fn parse(bytes: &[u8], content_type: Option<&str>) -> Result<Self, OciError> {
        if bytes.len() > limits::MANIFEST {
            return Err(OciError::TooLong { found: bytes.len() });
        }
        let node = parse(bytes, Dialect::Strict)?;
        let fields = top(&node)?;
        let version = fields.node("schemaVersion");
        if version.and_then(Node::as_u64) == Some(1) {
            return Err(OciError::Schema1);
        }
        let header = media_type::of_header(content_type);
        let media_type = agreed(&fields, header)?;
        let kind = Kind::of(&media_type).ok_or_else(|| OciError::UnknownDocument {
            found: shown(&media_type),
        })?;
        if kind == Kind::Schema1 {
            return Err(OciError::Schema1);
        }
        if version.and_then(Node::as_u64) != Some(2) {
            return Err(OciError::UnknownDocument {
                found: "a document without \"schemaVersion\": 2".into(),
            });
        }
        unambiguous(&fields, kind)?;
        Ok(match kind {
            Kind::Index => Self::Index(Index::read(&fields, media_type)?),
            _ => Self::Manifest(Manifest::read(&fields, media_type)?),
        })
    }

    /// The media type to serve it with.
    pub fn media_type(&self) -> &str {
        match self {
            Self::Manifest(manifest) => &manifest.media_type,
            Self::Index(index) => &index.media_type,
        }
    }

    /// What this is attached to.
    pub fn subject(&self) -> Option<&Descriptor> {
        match self {
            Self::Manifest(manifest) => manifest.subject.as_ref(),
            Self::Index(index) => index.subject.as_ref(),
        }
    }

    /// In the document's order; every key once.
    pub fn annotations(&self) -> &[(String, String)] {
        match self {
            Self::Manifest(manifest) => &manifest.annotations,
            Self::Index(index) => &index.annotations,
        }
    }
}

/// The members of a document of any kind.
pub(super) fn top(node: &Node) -> Result<Fields<'_>, OciError> {
    if node.as_object().is_none() {
        return Err(OciError::UnknownDocument {
            found: node.kind().into(),
        });
    }
    Fields::of(node, "manifest", &MEMBERS)
}

/// The media type by the document itself and by the header, which may both be silent.
fn agreed(fields: &Fields<'_>, header: Option<String>) -> Result<String, OciError> {
    match (fields.text("mediaType")?, header) {
        (Some(document), Some(header)) if document != header => Err(OciError::MediaTypeMismatch {
            document: shown(&document),
            header: shown(&header),
        }),
        (Some(named), _) | (None, Some(named)) => Ok(named),
        (None, None) => {
            by_members(fields)
                .map(Into::into)
                .ok_or_else(|| OciError::UnknownDocument {
                    found: "a document with neither \"mediaType\" nor \"manifests\" nor \"config\""
                        .into(),
                })
        }
    }
}

/// The media type of a document that does not name it. OCI before 1.0.2 had none; Docker's
/// documents always do, but a config of Docker's type shows one that lost it.
pub(super) fn by_members(fields: &Fields<'_>) -> Option<&'static str> {
    if fields.node("manifests").is_some() {
        return Some(media_type::OCI_INDEX);
    }
    let config = fields
        .node("config")?
        .member("mediaType")
        .and_then(Node::as_str);
    Some(if config == Some(media_type::DOCKER_CONFIG) {
        media_type::DOCKER_MANIFEST
    } else {
        media_type::OCI_MANIFEST
    })
}

/// CVE-2021-41190: no member that another kind of document is read by, whatever its value.
pub(super) fn unambiguous(fields: &Fields<'_>, kind: Kind) -> Result<(), OciError> {
    let foreign: &[&'static str] = match kind {
        Kind::Manifest => &["manifests", "fsLayers", "history", "signatures"],
        Kind::Index => &["config", "layers", "fsLayers", "history", "signatures"],
        Kind::Schema1 => &["config", "layers", "manifests"],
    };
    match foreign.iter().find(|member| fields.node(member).is_some()) {
        Some(member) => Err(OciError::Ambiguous {
            kind: kind.name(),
            member,
        }),
        None => Ok(()),
    }
}
