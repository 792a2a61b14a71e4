//! Recognising evidence by its bytes: a layer is what its type says only if it parses as that (GATEWAY, "Serving").

use crate::cosign::{AttachedBundle, SIMPLE_SIGNING};
use crate::encoding::base64;
use crate::encoding::json::{self, Dialect, Node};
use crate::sigstore::bundle::is_bundle_type;
use crate::simple_signing::{Kind, Payload};

const DSSE: &str = "application/vnd.dsse.envelope.v1+json";

/// Whether this media type says that a layer is a signature or an attestation that we can parse.
pub fn is_evidence_type(media_type: &str) -> bool {
    media_type == SIMPLE_SIGNING || media_type == DSSE || is_bundle_type(media_type)
}

/// Whether the bytes are what the type says.
pub fn is_evidence_document(media_type: &str, bytes: &[u8]) -> bool {
    match media_type {
        SIMPLE_SIGNING => Payload::parse(bytes, Kind::Cosign).is_ok(),
        DSSE => is_envelope(bytes),
        other => is_bundle_type(other) && AttachedBundle::parse(bytes).is_ok(),
    }
}

/// A DSSE envelope: payload, its type, and signatures, all in base64.
fn is_envelope(bytes: &[u8]) -> bool {
    let Ok(root) = json::parse(bytes, Dialect::Strict) else { return false };
    let encoded = |node: Option<&Node>| node.and_then(Node::as_str).is_some_and(|text| base64::decode(text).is_some());
    let signatures = root.member("signatures").and_then(Node::as_array).unwrap_or_default();
    encoded(root.member("payload"))
        && root.member("payloadType").and_then(Node::as_str).is_some()
        && !signatures.is_empty()
        && signatures.iter().all(|signature| encoded(signature.member("sig")))
}
