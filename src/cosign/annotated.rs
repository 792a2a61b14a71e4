//! Signatures and attestations whose certificate, log entry and timestamp are annotations of a
//! layer (sigstore/cosign `specs/SIGNATURE_SPEC.md` and `pkg/oci/static`), in the terms of a
//! Sigstore bundle.

use super::signature::{SIGNATURE, SignatureLayer, SignatureUse};
use crate::encoding::base64;
use crate::encoding::json::{self, Dialect, Node};
use crate::encoding::pem;
use crate::error::Failure;
use crate::limits;
use crate::sigstore::bundle::{Bundle, Content, LogEntries, Material, Version};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// The media type of a layer that is an attestation.
pub const ATTESTATION: &str = "application/vnd.dsse.envelope.v1+json";
pub(super) const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
pub(super) const CHAIN: &str = "dev.sigstore.cosign/chain";
pub(super) const LOG_ENTRY: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

impl SignatureLayer {
    /// In the terms of Sigstore's verification, signed by a certificate, or by a key whatever the
    /// annotations say. A certificate is read only where one is asked for: a key's signature needs
    /// none.
    ///
    /// # Errors
    /// [`SignatureUse`].
    pub fn as_bundle(&self, by_certificate: bool) -> Result<Bundle, Failure> {
        let text = self.annotation(SIGNATURE).ok_or(SignatureUse::Annotation)?;
        let signature = base64::decode_go(text).ok_or(SignatureUse::Base64)?;
        let material = if by_certificate {
            certificates(&self.annotations)?.ok_or(SignatureUse::NoCertificate)?
        } else {
            Material::Key
        };
        Ok(Bundle {
            version: Version::Layer,
            content: Content::Payload(self.payload.clone()),
            signature,
            material,
            log_entries: log_entries(&self.annotations),
            timestamps: timestamps(&self.annotations)?,
            stamped: None,
        })
    }
}

/// A layer of an `.att` manifest. Its timestamp is over the whole envelope (cosign
/// `pkg/cosign/verify.go`, `VerifyRFC3161Timestamp`), which is what `stamped` says.
pub(super) fn attestation(
    envelope: &[u8],
    annotations: &[(String, String)],
) -> Result<Bundle, Failure> {
    let (content, signature) = read_envelope(envelope)?;
    Ok(Bundle {
        version: Version::Layer,
        content,
        signature,
        material: certificates(annotations)?.unwrap_or(Material::Key),
        log_entries: log_entries(annotations),
        timestamps: timestamps(annotations)?,
        stamped: Some(envelope.into()),
    })
}

fn read_envelope(bytes: &[u8]) -> Result<(Content, Vec<u8>), Failure> {
    let wrong = |error: &str| SignatureUse::Envelope {
        error: error.into(),
    };
    let root = json::parse(bytes, Dialect::Strict).map_err(|error| SignatureUse::Envelope {
        error: error.to_string(),
    })?;
    let text = |node: Option<&Node>| node.and_then(Node::as_str).map(String::from);
    let payload_type =
        text(root.member("payloadType")).ok_or_else(|| wrong("payloadType is no string"))?;
    let payload = text(root.member("payload"))
        .and_then(|text| base64::decode(&text))
        .ok_or_else(|| wrong("payload is not standard base64"))?;
    let [signature] = root
        .member("signatures")
        .and_then(Node::as_array)
        .unwrap_or_default()
    else {
        return Err(wrong("signatures is no list of one").into());
    };
    let signature = text(signature.member("sig"))
        .and_then(|text| base64::decode(&text))
        .ok_or_else(|| wrong("sig is not standard base64"))?;
    Ok((
        Content::Dsse {
            payload_type,
            payload,
        },
        signature,
    ))
}

/// An annotation that says something; some writers leave them empty.
fn annotation<'a>(annotations: &'a [(String, String)], key: &str) -> Option<&'a str> {
    annotations
        .iter()
        .find(|(name, _)| name == key)
        .map(|(_, value)| value.as_str())
        .filter(|value| !value.is_empty())
}

fn certificates(annotations: &[(String, String)]) -> Result<Option<Material>, Failure> {
    let Some(leaf) = annotation(annotations, CERTIFICATE) else {
        return Ok(None);
    };
    let blocks = |text| {
        pem::all(text, limits::CHAIN + 1)
            .into_iter()
            .filter(|block| block.label == "CERTIFICATE")
            .map(|block| block.body)
            .collect::<Vec<_>>()
    };
    let mut ders = blocks(leaf);
    if ders.len() != 1 {
        return Err(SignatureUse::Certificate.into());
    }
    ders.extend(
        annotation(annotations, CHAIN)
            .map(blocks)
            .unwrap_or_default(),
    );
    if ders.len() > limits::CHAIN {
        Err(SignatureUse::Certificate.into())
    } else {
        Ok(Some(Material::Certificates(ders)))
    }
}

fn log_entries(annotations: &[(String, String)]) -> LogEntries {
    match annotation(annotations, LOG_ENTRY).filter(|text| *text != "null") {
        Some(text) => LogEntries::Annotation(text.into()),
        None => LogEntries::Listed(Vec::new()),
    }
}

fn timestamps(annotations: &[(String, String)]) -> Result<Vec<Vec<u8>>, Failure> {
    let Some(text) = annotation(annotations, TIMESTAMP).filter(|text| *text != "null") else {
        return Ok(Vec::new());
    };
    let root =
        json::parse(text.as_bytes(), Dialect::Strict).map_err(|_| SignatureUse::Timestamp)?;
    let token = root
        .member("SignedRFC3161Timestamp")
        .and_then(Node::as_str)
        .and_then(base64::decode)
        .ok_or(SignatureUse::Timestamp)?;
    Ok(alloc::vec![token])
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    /// The chain follows in an annotation of its own: a second certificate beside the leaf could be
    /// taken for it.
    #[test]
    fn there_is_one_leaf() {
        let read = |leaf: &str, chain: &str| {
            certificates(&[
                (CERTIFICATE.into(), leaf.into()),
                (CHAIN.into(), chain.into()),
            ])
        };
        let Ok(Some(Material::Certificates(found))) = read(BLOCK, &BLOCK.repeat(2)) else {
            panic!()
        };
        assert_eq!(found.len(), 3);
        for (leaf, chain) in [
            (BLOCK.repeat(2), ""),
            ("no certificate".into(), BLOCK),
            (BLOCK.into(), BLOCK.repeat(limits::CHAIN).as_str()),
        ] {
            assert_eq!(
                read(&leaf, chain).unwrap_err().code,
                "cosign.certificate",
                "{leaf}"
            );
        }
        assert_eq!(read("", BLOCK), Ok(None));
    }
}
