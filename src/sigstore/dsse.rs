//! DSSE envelopes (secure-systems-lab/dsse, `envelope.md` and `protocol.md` version 1).

use crate::crypto::{
    Curve, EcdsaForm, Hash, KeyKind, Message, Pending, PublicKey, Refused, Role, Scheme,
    SignatureCheck,
};
use crate::encoding::base64;
use crate::encoding::json::{self, Dialect, JsonError, Node};
use crate::limits;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// Pre-authentication encoding: the bytes that are signed.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// The schemes under which a key of this kind may have signed an envelope, the usual one first.
/// SHA-256 under the larger curves comes from older clients (docs/trust.md section 4).
pub fn schemes(key: KeyKind) -> Vec<Scheme> {
    match key {
        KeyKind::Ecdsa(Curve::P256) => vec![Scheme::Ecdsa(Hash::Sha256)],
        KeyKind::Ecdsa(Curve::P384) => {
            vec![Scheme::Ecdsa(Hash::Sha384), Scheme::Ecdsa(Hash::Sha256)]
        }
        KeyKind::Ecdsa(Curve::P521) => {
            vec![Scheme::Ecdsa(Hash::Sha512), Scheme::Ecdsa(Hash::Sha256)]
        }
        KeyKind::Rsa(_) => vec![Scheme::RsaPkcs1(Hash::Sha256)],
        KeyKind::Ed25519 => vec![Scheme::Ed25519],
        KeyKind::Dsa(_) => Vec::new(),
    }
}

/// An envelope by itself, with any number of signatures. No rule about images reads one: theirs
/// have one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// What kind of payload.
    pub payload_type: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// Its signatures.
    pub signatures: Vec<Vec<u8>>,
}

codes! {
    /// These bytes are no envelope.
    pub enum EnvelopeError {
        Json { error: JsonError } => "envelope.json",
            "the envelope is no JSON that can be read: {error}";
        Shape { at: &'static str, expected: &'static str } => "envelope.shape",
            "the envelope: expected {expected} at {at}";
        Signatures { found: usize } => "envelope.signatures",
            "expected 1 to 32 signatures, found {found}";
    }
}

impl Envelope {
    /// Reads an envelope.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        Self::read(
            &json::parse(bytes, Dialect::Strict).map_err(|error| EnvelopeError::Json { error })?,
        )
    }

    /// Reads an envelope within a document.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn read(node: &Node) -> Result<Self, EnvelopeError> {
        let decoded = |node: &Node, at| {
            let text = text(node, at)?;
            // protocol.md: a verifier accepts either alphabet.
            base64::decode(text)
                .or_else(|| base64::decode_url(text))
                .ok_or(EnvelopeError::Shape {
                    at,
                    expected: "base64 with padding",
                })
        };
        let signatures = node
            .member("signatures")
            .and_then(Node::as_array)
            .unwrap_or_default();
        if signatures.is_empty() || signatures.len() > limits::LOG_SIGNATURES {
            return Err(EnvelopeError::Signatures {
                found: signatures.len(),
            });
        }
        let signatures = signatures
            .iter()
            .map(|signature| decoded(signature, "sig"))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            payload_type: text(node, "payloadType")?.into(),
            payload: decoded(node, "payload")?,
            signatures,
        })
    }

    /// Each signature as a claim of this key: alternatives, of which one has to hold for the key to
    /// count. Thresholds count keys, never signatures.
    pub fn claims(
        &self,
        key: &PublicKey,
        scheme: Scheme,
        form: EcdsaForm,
    ) -> Vec<Result<Pending<()>, Refused>> {
        let claim = |signature: &Vec<u8>| {
            let message = Message::Bytes(pae(&self.payload_type, &self.payload));
            let check =
                SignatureCheck::new(Role::DsseEnvelope, key, scheme, form, message, signature);
            Pending::read(check.map_err(Refused::new)?, |_| Ok(()))
        };
        self.signatures.iter().map(claim).collect()
    }
}

fn text<'a>(node: &'a Node, at: &'static str) -> Result<&'a str, EnvelopeError> {
    node.member(at)
        .and_then(Node::as_str)
        .ok_or(EnvelopeError::Shape {
            at,
            expected: "a string",
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of protocol.md.
    #[test]
    fn pae_of_the_specification() {
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }
}
