//! Bodies of Rekor v2 (sigstore/rekor-tiles, `rekor/v2/{entry,hashedrekord,dsse,verifier}.proto`),
//! protobuf as JSON.
//!
//! Members that are not of the specification are refused: the log writes canonical JSON of its own
//! messages.

use super::body::{Body, Covers, KeyDetails, LoggedSignature, LoggedVerifier};
use super::fields::{find, need, object, strict, text};
use crate::crypto::Hash;
use crate::encoding::json::Node;
use crate::limits;
use crate::tlog::error::{TlogError, shown};
use alloc::vec::Vec;

/// hashedrekord 0.0.2. Its digest is of the signed bytes, so that it speaks for envelopes too.
pub(super) fn hashedrekord(spec: &Node) -> Result<Body, TlogError> {
    let spec = object(spec, "spec", &["hashedRekordV002"])?;
    let record = object(
        need(spec, "hashedRekordV002", "spec.hashedRekordV002")?,
        "spec.hashedRekordV002",
        &["data", "signature"],
    )?;
    let (hash, digest) = digest(need(record, "data", "spec.hashedRekordV002.data")?)?;
    let signature = signature(need(
        record,
        "signature",
        "spec.hashedRekordV002.signature",
    )?)?;
    Ok(Body {
        covers: Covers::Signed,
        hash,
        digest,
        payload_type: None,
        signatures: Vec::from([signature]),
    })
}

/// dsse 0.0.2.
pub(super) fn dsse(spec: &Node) -> Result<Body, TlogError> {
    let spec = object(spec, "spec", &["dsseV002"])?;
    let record = object(
        need(spec, "dsseV002", "spec.dsseV002")?,
        "spec.dsseV002",
        &["payloadHash", "signatures"],
    )?;
    let (hash, digest) = digest(need(record, "payloadHash", "spec.dsseV002.payloadHash")?)?;
    let list = find(record, "signatures")
        .and_then(Node::as_array)
        .filter(|list| (1..=limits::LOG_SIGNATURES).contains(&list.len()));
    let list = list.ok_or(TlogError::Shape {
        at: "spec.dsseV002.signatures",
        expected: "1 to 32 signatures",
    })?;
    Ok(Body {
        covers: Covers::Payload,
        hash,
        digest,
        payload_type: None,
        signatures: list.iter().map(signature).collect::<Result<_, _>>()?,
    })
}

/// `HashOutput {algorithm, digest}`.
fn digest(node: &Node) -> Result<(Hash, Vec<u8>), TlogError> {
    let members = object(node, "the body's digest", &["algorithm", "digest"])?;
    let hash = match text(need(members, "algorithm", "algorithm")?, "algorithm")? {
        "SHA2_256" => Hash::Sha256,
        "SHA2_384" => Hash::Sha384,
        "SHA2_512" => Hash::Sha512,
        other => {
            return Err(TlogError::Algorithm {
                found: shown(other),
            });
        }
    };
    let digest = strict(need(members, "digest", "digest")?, "digest")?;
    if digest.len() != hash.size() {
        return Err(TlogError::Shape {
            at: "the body's digest",
            expected: "a digest of the algorithm's length",
        });
    }
    Ok((hash, digest))
}

/// `Signature {content, verifier}`; `Verifier` is a certificate or a key, with its details.
fn signature(node: &Node) -> Result<LoggedSignature, TlogError> {
    let members = object(node, "the body's signature", &["content", "verifier"])?;
    let verifier = object(
        need(members, "verifier", "signature.verifier")?,
        "signature.verifier",
        &["publicKey", "x509Certificate", "keyDetails"],
    )?;
    let details = KeyDetails::parse(text(
        need(verifier, "keyDetails", "verifier.keyDetails")?,
        "verifier.keyDetails",
    )?)?;
    let raw = |node| {
        let members = object(node, "verifier", &["rawBytes"])?;
        strict(
            need(members, "rawBytes", "verifier.rawBytes")?,
            "verifier.rawBytes",
        )
    };
    let verifier = match (
        find(verifier, "x509Certificate"),
        find(verifier, "publicKey"),
    ) {
        (Some(certificate), None) => LoggedVerifier::Certificate(raw(certificate)?, details),
        (None, Some(key)) => LoggedVerifier::Key(raw(key)?, details),
        _ => {
            return Err(TlogError::VerifierForm {
                expected: "either a certificate or a public key",
            });
        }
    };
    Ok(LoggedSignature {
        signature: strict(
            need(members, "content", "signature.content")?,
            "signature.content",
        )?,
        verifier,
    })
}
