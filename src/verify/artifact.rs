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

/// Whether the bytes are what the type says, and nothing that a client could unpack as well.
pub fn is_evidence_document(media_type: &str, bytes: &[u8]) -> bool {
    if is_archive(bytes) {
        return false;
    }
    match media_type {
        SIMPLE_SIGNING => Payload::parse(bytes, Kind::Cosign).is_ok(),
        DSSE => is_envelope(bytes),
        other => is_bundle_type(other) && AttachedBundle::parse(bytes).is_ok(),
    }
}

/// Whether a reader of tar (POSIX.1-2017, pax, "ustar Interchange Format") would take it: the first block carries its own
/// sum. All the rest of a header can be written in characters that JSON allows.
fn is_archive(bytes: &[u8]) -> bool {
    let Some((header, field)) = bytes.get(..512).and_then(|header| Some((header, header.get(SUM)?))) else { return false };
    let digits = field.iter().skip_while(|byte| matches!(byte, b' ' | 0)).map_while(|byte| char::from(*byte).to_digit(8));
    let said = digits.fold(0_i64, |sum, digit| sum.saturating_mul(8).saturating_add(i64::from(digit)));
    let blank = |at: usize, byte: u8| if SUM.contains(&at) { b' ' } else { byte };
    let sum = |value: fn(u8) -> i64| header.iter().enumerate().map(|(at, byte)| value(blank(at, *byte))).sum::<i64>();
    // Old writers summed signed bytes, and readers allow for it.
    said == sum(i64::from) || said == sum(|byte| i64::from(byte.cast_signed()))
}

/// Where a header of tar has its sum; counted as spaces in it.
const SUM: core::ops::Range<usize> = 148..156;

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
