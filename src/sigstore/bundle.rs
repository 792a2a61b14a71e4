//! Sigstore bundles (sigstore/protobuf-specs, `sigstore_bundle.proto`), as JSON.
//!
//! In scope: reading the envelope that a key signed. Certificates, log entries and timestamps are counted, so that a
//! report can say that they were not checked. Nothing here is trusted before the signature was verified; the key hint
//! never is.

use crate::encoding::base64;
use crate::encoding::json::{self, Dialect, JsonError, Node};
use alloc::string::String;
use alloc::vec::Vec;

/// The media type of version 0.3, and of the manifests that carry bundles.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Whether a layer or artifact of this media type says that it is a bundle.
pub fn is_bundle_type(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.dev.sigstore.bundle")
}

const VERSIONS: [&str; 4] = [
    MEDIA_TYPE,
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
];

/// A bundle with a DSSE envelope, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The envelope's payload type.
    pub payload_type: String,
    /// The envelope's payload.
    pub payload: Vec<u8>,
    /// The envelope's one signature.
    pub signature: Vec<u8>,
    /// Whether a certificate is said to certify the key, instead of a hint to a key.
    pub has_certificate: bool,
    /// Log entries that it carries.
    pub log_entries: usize,
    /// Timestamps that it carries.
    pub timestamps: usize,
}

codes! {
    /// These bytes are no bundle of an image signature.
    pub enum BundleError {
        Json { error: JsonError } => "bundle.json", "the bundle is no JSON that can be read: {error}";
        MediaType { found: String } => "bundle.media-type", "expected a Sigstore bundle of version 0.1 to 0.3, found the media type {found:?}";
        Shape { at: &'static str, expected: &'static str } => "bundle.shape", "the bundle: expected {expected} at {at}";
        MessageSignature => "bundle.message-signature", "the bundle signs a blob (messageSignature), not an image: such signatures never admit an image";
        Signatures { found: usize } => "bundle.signatures", "expected an envelope with exactly one signature, found {found}";
    }
}

impl Bundle {
    /// Reads a bundle that carries a DSSE envelope.
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        let root = json::parse(bytes, Dialect::Strict).map_err(|error| BundleError::Json { error })?;
        let media_type = text(root.member("mediaType"), "mediaType")?;
        if !VERSIONS.contains(&media_type) {
            return Err(BundleError::MediaType { found: media_type.chars().take(100).collect() });
        }
        let envelope = match (root.member("dsseEnvelope"), root.member("messageSignature")) {
            (Some(envelope), None) => envelope,
            (None, Some(_)) => return Err(BundleError::MessageSignature),
            _ => return Err(BundleError::Shape { at: "dsseEnvelope", expected: "an envelope, and no messageSignature beside it" }),
        };
        let signatures = array(envelope.member("signatures"), "dsseEnvelope.signatures")?;
        let [signature] = signatures else { return Err(BundleError::Signatures { found: signatures.len() }) };
        let material = root.member("verificationMaterial").filter(|node| node.as_object().is_some());
        let material = material.ok_or(BundleError::Shape { at: "verificationMaterial", expected: "an object" })?;
        let has = |name: &str| material.member(name).is_some_and(|node| !node.is_null());
        let (has_certificate, has_key) = (has("certificate") || has("x509CertificateChain"), has("publicKey"));
        if has_certificate == has_key {
            return Err(BundleError::Shape { at: "verificationMaterial", expected: "either publicKey or a certificate" });
        }
        Ok(Self {
            payload_type: text(envelope.member("payloadType"), "dsseEnvelope.payloadType")?.into(),
            payload: bytes_of(envelope.member("payload"), "dsseEnvelope.payload")?,
            signature: bytes_of(signature.member("sig"), "dsseEnvelope.signatures[0].sig")?,
            has_certificate,
            log_entries: count(material.member("tlogEntries")),
            timestamps: count(material.member("timestampVerificationData").and_then(|data| data.member("rfc3161Timestamps"))),
        })
    }
}

fn text<'a>(node: Option<&'a Node>, at: &'static str) -> Result<&'a str, BundleError> {
    node.and_then(Node::as_str).ok_or(BundleError::Shape { at, expected: "a string" })
}

fn array<'a>(node: Option<&'a Node>, at: &'static str) -> Result<&'a [Node], BundleError> {
    node.and_then(Node::as_array).ok_or(BundleError::Shape { at, expected: "an array" })
}

fn bytes_of(node: Option<&Node>, at: &'static str) -> Result<Vec<u8>, BundleError> {
    base64::decode(text(node, at)?).ok_or(BundleError::Shape { at, expected: "standard base64 with padding" })
}

fn count(node: Option<&Node>) -> usize {
    node.and_then(Node::as_array).map_or(0, <[Node]>::len)
}
