//! Bodies of Rekor v1 (sigstore/rekor, `pkg/types`), in the form in which the log keeps them.
//!
//! Members beside those that are read are not looked at, as in containers/image: the log signed the
//! body as it is, and the hash of an envelope (`envelopeHash`, `content.hash`) cannot be computed
//! from what the evidence has of it.

use super::body::{Body, Covers, LoggedSignature, LoggedVerifier};
use super::fields::{go, text};
use crate::crypto::Hash;
use crate::encoding::base64;
use crate::encoding::hex;
use crate::encoding::json::Node;
use crate::encoding::pem;
use crate::limits;
use crate::tlog::error::{TlogError, shown};
use alloc::string::String;
use alloc::vec::Vec;

/// hashedrekord 0.0.1 (`hashedrekord_v0_0_1_schema.json`).
pub(super) fn hashedrekord(spec: &Node) -> Result<Body, TlogError> {
    let (hash, digest) = digest(at(spec, &["data", "hash"], "spec.data.hash")?)?;
    let signature = at(spec, &["signature"], "spec.signature")?;
    let verifier = pem_block(at(
        signature,
        &["publicKey", "content"],
        "spec.signature.publicKey.content",
    )?)?;
    let signature = go(
        at(signature, &["content"], "spec.signature.content")?,
        "spec.signature.content",
    )?;
    Ok(Body {
        covers: Covers::Message,
        hash,
        digest,
        payload_type: None,
        signatures: Vec::from([LoggedSignature {
            signature,
            verifier,
        }]),
    })
}

/// dsse 0.0.1 (`dsse_v0_0_1_schema.json`).
pub(super) fn dsse(spec: &Node) -> Result<Body, TlogError> {
    let (hash, digest) = digest(at(spec, &["payloadHash"], "spec.payloadHash")?)?;
    let signatures = signatures(at(spec, &["signatures"], "spec.signatures")?, |node| {
        let verifier = pem_block(at(node, &["verifier"], "spec.signatures[].verifier")?)?;
        let signature = go(
            at(node, &["signature"], "spec.signatures[].signature")?,
            "spec.signatures[].signature",
        )?;
        Ok(LoggedSignature {
            signature,
            verifier,
        })
    })?;
    Ok(Body {
        covers: Covers::Payload,
        hash,
        digest,
        payload_type: None,
        signatures,
    })
}

/// intoto 0.0.1 (`intoto_v0_0_1_schema.json`): the envelope by its hash, and what verifies it.
pub(super) fn intoto_by_hash(spec: &Node) -> Result<Body, TlogError> {
    let (hash, digest) = digest(at(spec, &["content", "hash"], "spec.content.hash")?)?;
    let verifier = pem_block(at(spec, &["publicKey"], "spec.publicKey")?)?;
    Ok(Body {
        covers: Covers::Envelope,
        hash,
        digest,
        payload_type: None,
        signatures: Vec::from([LoggedSignature {
            signature: Vec::new(),
            verifier,
        }]),
    })
}

/// intoto 0.0.2 (`intoto_v0_0_2_schema.json`). The envelope is as cosign sent it, once more in
/// base64: so are signatures.
pub(super) fn intoto(spec: &Node) -> Result<Body, TlogError> {
    const SIG: &str = "spec.content.envelope.signatures[].sig";
    const TYPE: &str = "spec.content.envelope.payloadType";
    let (hash, digest) = digest(at(
        spec,
        &["content", "payloadHash"],
        "spec.content.payloadHash",
    )?)?;
    let envelope = at(spec, &["content", "envelope"], "spec.content.envelope")?;
    let signatures = signatures(
        at(
            envelope,
            &["signatures"],
            "spec.content.envelope.signatures",
        )?,
        |node| {
            let verifier = pem_block(at(
                node,
                &["publicKey"],
                "spec.content.envelope.signatures[].publicKey",
            )?)?;
            let inner = String::from_utf8(go(at(node, &["sig"], SIG)?, SIG)?).ok();
            let signature = inner
                .and_then(|inner| base64::decode_go(&inner))
                .filter(|signature| !signature.is_empty());
            Ok(LoggedSignature {
                signature: signature.ok_or(TlogError::Shape {
                    at: SIG,
                    expected: "base64 of base64",
                })?,
                verifier,
            })
        },
    )?;
    let payload_type = text(at(envelope, &["payloadType"], TYPE)?, TYPE)?;
    Ok(Body {
        covers: Covers::Payload,
        hash,
        digest,
        payload_type: Some(payload_type.into()),
        signatures,
    })
}

/// The value at the end of a path of members.
fn at<'a>(node: &'a Node, path: &[&str], name: &'static str) -> Result<&'a Node, TlogError> {
    path.iter()
        .try_fold(node, |node, key| node.member(key))
        .ok_or(TlogError::Shape {
            at: name,
            expected: "a value",
        })
}

/// `{algorithm, value}`; the value is hexadecimal in either case.
fn digest(node: &Node) -> Result<(Hash, Vec<u8>), TlogError> {
    let name = text(
        at(node, &["algorithm"], "hash.algorithm")?,
        "hash.algorithm",
    )?;
    let hash = [Hash::Sha256, Hash::Sha384, Hash::Sha512]
        .into_iter()
        .find(|hash| hash.name() == name);
    let hash = hash.ok_or_else(|| TlogError::Algorithm { found: shown(name) })?;
    let value = text(at(node, &["value"], "hash.value")?, "hash.value")?;
    let digest =
        hex::decode(&value.to_ascii_lowercase()).filter(|digest| digest.len() == hash.size());
    Ok((
        hash,
        digest.ok_or(TlogError::Shape {
            at: "hash.value",
            expected: "a digest in hexadecimal",
        })?,
    ))
}

fn signatures(
    node: &Node,
    read: impl Fn(&Node) -> Result<LoggedSignature, TlogError>,
) -> Result<Vec<LoggedSignature>, TlogError> {
    let list = node
        .as_array()
        .filter(|list| (1..=limits::LOG_SIGNATURES).contains(&list.len()));
    list.ok_or(TlogError::Shape {
        at: "the body's signatures",
        expected: "1 to 32 of them",
    })?
    .iter()
    .map(read)
    .collect()
}

/// Base64 of exactly one PEM block with nothing after it (docs/containers-image.md section 2.3,
/// step 6). Its label is not looked at: that the DER is the expected certificate or key is what
/// counts.
fn pem_block(node: &Node) -> Result<LoggedVerifier, TlogError> {
    let wrong = || TlogError::VerifierForm {
        expected: "base64 of one PEM block",
    };
    let text = String::from_utf8(go(node, "the body's verifier")?).map_err(|_| wrong())?;
    match pem::first(&text) {
        Some((block, "")) => Ok(LoggedVerifier::Pem(block.body)),
        _ => Err(wrong()),
    }
}
