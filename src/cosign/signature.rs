//! The older form: a layer of the manifest under the tag `sha256-<hex>.sig`, its payload the
//! layer's content, its signature an annotation.

use crate::crypto::{
    Curve, EcdsaForm, Hash, KeyError, KeyKind, Message, Pending, Provider, PublicKey, Refused,
    Role, Rule, Scheme, SignatureCheck, Verified, first_to_settle,
};
use crate::encoding::base64;
use crate::error::{Failure, HostError, Kind};
use crate::simple_signing::{Payload, PayloadKind};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The media type of a layer that is a signature.
pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
pub(super) const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

codes! {
    /// This layer carries no signature that can be checked.
    pub enum SignatureUse {
        Annotation => "cosign.annotation",
            "missing dev.cosignproject.cosign/signature annotation: the layer is typed as a \
             signature and carries none";
        Base64 => "cosign.base64",
            "base64 decoding: the annotation dev.cosignproject.cosign/signature is not standard \
             base64 with padding";
        OtherHash { scheme: Scheme, expected: Scheme } => "cosign.other-hash",
            "cryptographic signature verification failed: the signature was made by this key, but \
             as {scheme}; this format is verified as {expected}, by cosign and containers/image \
             too: sign again with an ECDSA P-256 key, or with a client that writes {expected}";
        NoCertificate => "cosign.no-certificate",
            "the signature carries no certificate (annotation dev.sigstore.cosign/certificate), and \
             this rule asks who signed: it was made with a key";
        Certificate => "cosign.certificate",
            "the annotations dev.sigstore.cosign/certificate and /chain: expected one to ten \
             certificates in PEM";
        Timestamp => "cosign.timestamp",
            "the annotation dev.sigstore.cosign/rfc3161timestamp: expected \
             {{\"SignedRFC3161Timestamp\": base64}}";
        Envelope { error: String } => "cosign.envelope",
            "the layer is no DSSE envelope with one signature: {error}";
        MediaType { found: String } => "cosign.media-type",
            "expected a layer of type application/vnd.dev.cosign.simplesigning.v1+json, found \
             {found}";
    }
}

/// One layer of a `.sig` manifest: its content and its annotations. Descriptor fields other than
/// these are not evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLayer {
    /// The layer's media type.
    pub media_type: String,
    /// The layer's content.
    pub payload: Vec<u8>,
    /// The descriptor's annotations.
    pub annotations: Vec<(String, String)>,
}

impl SignatureLayer {
    /// Whether it says that it is a signature at all; others are attachments.
    pub fn is_signature(&self) -> bool {
        self.media_type == SIMPLE_SIGNING
    }

    /// An annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// That one key signed the layer's content, under one scheme. What the content says is read
    /// afterwards (docs/containers-image.md section 6, "Order").
    fn claim(
        &self,
        key: &PublicKey,
        scheme: Scheme,
        message: &Arc<Message>,
    ) -> Result<Pending<&[u8]>, Refused> {
        if !self.is_signature() {
            return Err(Refused::new(SignatureUse::MediaType {
                found: self.media_type.chars().take(100).collect(),
            }));
        }
        let text = self
            .annotation(SIGNATURE)
            .ok_or_else(|| Refused::new(SignatureUse::Annotation))?;
        let signature =
            base64::decode_go(text).ok_or_else(|| Refused::new(SignatureUse::Base64))?;
        let check = SignatureCheck::new(
            Role::CosignPayload,
            key,
            scheme,
            EcdsaForm::DerOrHalves,
            message.clone(),
            &signature,
        )
        .map_err(Refused::new)?;
        Pending::read(check, |_| Ok(self.payload.as_slice()))
    }

    /// The payload, once one of `keys` is seen to have signed it. `hash` is SHA-256 for whatever
    /// cosign and containers/image verify; it is the caller's word, never the evidence's.
    ///
    /// # Errors
    /// [`HostError`] when the provider gave no answer; inside, why it is not signed by any of them.
    pub async fn verify<P: Provider>(
        &self,
        keys: &[PublicKey],
        hash: Hash,
        provider: &P,
    ) -> Result<Result<Verified<Payload>, Refused>, HostError> {
        if keys.is_empty() {
            return Ok(Err(Refused::new(KeyError::None)));
        }
        let message = Arc::new(Message::Bytes(self.payload.clone()));
        let alternatives = keys
            .iter()
            .map(|key| self.claim(key, scheme(key.kind(), hash), &message))
            .collect();
        match first_to_settle(alternatives, provider).await? {
            Err(refused) if refused.failure.kind == Kind::InvalidSignature => Ok(Err(self
                .explain(keys, hash, refused, &message, provider)
                .await?)),
            settled => Ok(settled.and_then(|verified| {
                verified.check(
                    Rule::new("payload.reads", "the content is a payload of Cosign"),
                    |bytes| Payload::parse(bytes, PayloadKind::Cosign).map_err(Failure::from),
                )
            })),
        }
    }

    /// Newer versions of cosign sign with a hash that no client verifies in this format. It stays
    /// refused, and says so.
    async fn explain<P: Provider>(
        &self,
        keys: &[PublicKey],
        hash: Hash,
        refused: Refused,
        message: &Arc<Message>,
        provider: &P,
    ) -> Result<Refused, HostError> {
        for key in keys {
            let Some(other) = other_scheme(key.kind()) else {
                continue;
            };
            if let Ok(pending) = self.claim(key, other, message)
                // An explanation that cannot be had changes nothing.
                && pending.settle(provider).await.is_ok_and(|settled| settled.is_ok())
            {
                let failure = SignatureUse::OtherHash {
                    scheme: other,
                    expected: scheme(key.kind(), hash),
                }
                .into();
                return Ok(Refused { failure, ..refused });
            }
        }
        Ok(refused)
    }
}

fn scheme(key: KeyKind, hash: Hash) -> Scheme {
    match key {
        KeyKind::Ecdsa(_) => Scheme::Ecdsa(hash),
        KeyKind::Rsa(_) => Scheme::RsaPkcs1(hash),
        KeyKind::Ed25519 => Scheme::Ed25519,
        // No key file makes such a key.
        KeyKind::Dsa(_) => Scheme::Dsa(hash),
    }
}

/// What newer versions of cosign sign with (seen in 2.6 and 3.1), where it is not what is verified.
fn other_scheme(key: KeyKind) -> Option<Scheme> {
    match key {
        KeyKind::Ecdsa(Curve::P384) => Some(Scheme::Ecdsa(Hash::Sha384)),
        KeyKind::Ecdsa(Curve::P521) => Some(Scheme::Ecdsa(Hash::Sha512)),
        KeyKind::Ed25519 => Some(Scheme::Ed25519ph),
        KeyKind::Ecdsa(Curve::P256) | KeyKind::Rsa(_) | KeyKind::Dsa(_) => None,
    }
}
