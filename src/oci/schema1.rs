//! Docker image manifests of schema 1: told apart, hashed and taken apart, never accepted as a
//! [`Document`] (distribution, manifest-v2-1.md).
//!
//! The digest of a signed one is over its payload: the first `formatLength` bytes and the decoded
//! `formatTail`, both from the protected header of each signature. Those signatures prove nothing
//! here and are not verified; whoever writes the header chooses which bytes are hashed, so that
//! what a digest vouches for is the [`payload`] and nothing around it.
//!
//! [`Document`]: crate::oci::Document

use crate::digest::Digest;
use crate::encoding::base64;
use crate::encoding::json::Dialect;
use crate::encoding::json::Node;
use crate::encoding::json::parse;
use crate::limits;
use crate::oci::document::by_members;
use crate::oci::document::top;
use crate::oci::document::unambiguous;
use crate::oci::error::OciError;
use crate::oci::fields::Fields;
use crate::oci::media_type;
use crate::oci::media_type::Kind;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

/// What a schema 1 manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema1 {
    /// Whether it carries signatures.
    pub signed: bool,
    /// The digests of its layers, topmost first.
    pub layers: Vec<Digest>,
}

/// The media type that containers/image guesses for `bytes`: the document's own where that is
/// known, else by its members. `None` for what is no manifest. A guess says nothing about whether
/// the document may be used.
pub fn recognise(bytes: &[u8]) -> Option<&'static str> {
    if bytes.len() > limits::MANIFEST {
        return None;
    }
    let node = parse(bytes, Dialect::Strict).ok()?;
    let fields = top(&node).ok()?;
    let named = fields.text("mediaType").ok()?.unwrap_or_default();
    let modern = [
        media_type::OCI_MANIFEST,
        media_type::OCI_INDEX,
        media_type::DOCKER_MANIFEST,
        media_type::DOCKER_LIST,
    ];
    if let Some(known) = modern.into_iter().find(|known| *known == named) {
        return Some(known);
    }
    match fields.node("schemaVersion").and_then(Node::as_u64)? {
        1 if fields
            .node("signatures")
            .is_some_and(|node| !node.is_null()) =>
        {
            Some(media_type::DOCKER_V1_SIGNED)
        }
        1 => Some(media_type::DOCKER_V1),
        2 => by_members(&fields),
        _ => None,
    }
}

/// The bytes that the digest of a document is over: the payload of a signed schema 1 manifest, all
/// bytes of anything else.
///
/// # Errors
/// [`OciError::Schema1Signatures`].
pub fn payload(bytes: &[u8]) -> Result<Cow<'_, [u8]>, OciError> {
    if recognise(bytes) != Some(media_type::DOCKER_V1_SIGNED) {
        return Ok(Cow::Borrowed(bytes));
    }
    let node = parse(bytes, Dialect::Strict)?;
    let signatures = node
        .member("signatures")
        .and_then(Node::as_array)
        .unwrap_or_default();
    let mut formats = signatures.iter().map(format);
    let (length, tail) = formats
        .next()
        .ok_or_else(|| unsigned("there is no list of signatures"))??;
    for other in formats {
        if other? != (length, tail.clone()) {
            return Err(unsigned("they disagree about the signed bytes"));
        }
    }
    let head = bytes
        .get(..length)
        .ok_or_else(|| unsigned("formatLength is larger than the document"))?;
    Ok(Cow::Owned([head, &tail].concat()))
}

/// The sha256 digest of a document of any kind, as registries compute it.
///
/// # Errors
/// [`OciError::Schema1Signatures`].
pub fn digest(bytes: &[u8]) -> Result<Digest, OciError> {
    Ok(Digest::of(&payload(bytes)?))
}

impl Schema1 {
    /// Reads these very bytes, with or without signatures; to read what a digest vouches for, give
    /// it the [`payload`].
    ///
    /// # Errors
    /// [`OciError`]: too long, another kind of document, ambiguous, a bad digest.
    pub fn parse(bytes: &[u8]) -> Result<Self, OciError> {
        if bytes.len() > limits::MANIFEST {
            return Err(OciError::TooLong { found: bytes.len() });
        }
        let node = parse(bytes, Dialect::Strict)?;
        let fields = top(&node)?;
        check(&fields)?;
        let nodes = fields.array("fsLayers")?;
        if nodes.len() > limits::DESCRIPTORS {
            return Err(OciError::Descriptors { found: nodes.len() });
        }
        let history = fields.array("history")?.len();
        if history != nodes.len() {
            return Err(OciError::Schema1Layers {
                layers: nodes.len(),
                history,
            });
        }
        let signed = fields
            .node("signatures")
            .is_some_and(|node| !node.is_null());
        Ok(Self {
            signed,
            layers: nodes.iter().map(layer).collect::<Result<_, _>>()?,
        })
    }
}

fn check(fields: &Fields<'_>) -> Result<(), OciError> {
    unambiguous(fields, Kind::Schema1)?;
    let version = fields.node("schemaVersion").and_then(Node::as_u64);
    let named = fields.text("mediaType")?;
    match named.as_deref().map_or(Some(Kind::Schema1), Kind::of) {
        Some(Kind::Schema1) if version == Some(1) => Ok(()),
        _ => Err(OciError::UnknownDocument {
            found: "a document that is not of schema 1".into(),
        }),
    }
}

fn layer(node: &Node) -> Result<Digest, OciError> {
    let text = Fields::of(node, "fsLayers", &["blobSum"])?.required_text("blobSum")?;
    Digest::parse(&text).map_err(|error| OciError::Digest {
        member: "fsLayers",
        error,
    })
}

/// Length of the head and the tail, by the protected header of one signature.
fn format(signature: &Node) -> Result<(usize, Vec<u8>), OciError> {
    let text = |node: &Node, key: &str| node.member(key).and_then(Node::as_str).and_then(base64url);
    let header = text(signature, "protected")
        .ok_or_else(|| unsigned("a protected header is not base64url"))?;
    let header =
        parse(&header, Dialect::Strict).map_err(|_| unsigned("a protected header is not JSON"))?;
    let length = header
        .member("formatLength")
        .and_then(Node::as_u64)
        .and_then(|length| usize::try_from(length).ok());
    let length = length.ok_or_else(|| unsigned("a protected header has no formatLength"))?;
    let tail = text(&header, "formatTail")
        .ok_or_else(|| unsigned("a protected header has no formatTail in base64url"))?;
    Ok((length, tail))
}

fn unsigned(reason: &'static str) -> OciError {
    OciError::Schema1Signatures { reason }
}

/// RFC 7515, section 2: the URL alphabet without padding.
fn base64url(text: &str) -> Option<Vec<u8>> {
    if text.contains(['+', '/', '=']) {
        return None;
    }
    let mut standard: String = text
        .chars()
        .map(|c| {
            if c == '-' {
                '+'
            } else if c == '_' {
                '/'
            } else {
                c
            }
        })
        .collect();
    while !standard.len().is_multiple_of(4) {
        standard.push('=');
    }
    base64::decode(&standard)
}
