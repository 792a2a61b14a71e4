//! The signature, and what it is over.

use super::attempt::{Attempt, refuse};
use super::error::SigstoreError;
use super::question::Artifact;
use super::signed::Says;
use crate::crypto::{
    EcdsaForm, Hash, Message, Pending, Refused, Role, Rule, Scheme, SignatureCheck,
};
use crate::error::Failure;
use crate::sigstore::bundle::Content;
use crate::sigstore::dsse;
use crate::sigstore::statement;
use crate::sigstore::statement::Statement;
use crate::simple_signing::{Payload, PayloadKind};

impl Attempt<'_> {
    /// Sections 4 and 5: the signature, and what it is about.
    pub(super) fn signature(&self) -> Result<Pending<Says>, Refused> {
        match &self.bundle.content {
            Content::Dsse {
                payload_type,
                payload,
            } => self.envelope(payload_type, payload),
            // What it is about is compared by whoever knows the image and its name.
            Content::Payload(payload) => {
                let check = self.check(
                    Role::CosignPayload,
                    EcdsaForm::DerOrHalves,
                    Message::Bytes(payload.clone()),
                )?;
                Pending::read(check, |_| {
                    Payload::parse(payload, PayloadKind::Cosign)
                        .map(Says::Payload)
                        .map_err(Failure::from)
                })
            }
            Content::Message { algorithm, digest } => self.blob(algorithm, digest),
        }
    }

    fn envelope(&self, payload_type: &str, payload: &[u8]) -> Result<Pending<Says>, Refused> {
        if payload_type != statement::PAYLOAD_TYPE {
            return refuse(SigstoreError::Payload, &[]);
        }
        let message = Message::Bytes(dsse::pae(payload_type, payload));
        let check = self.check(Role::DsseEnvelope, EcdsaForm::Der, message)?;
        let pending = Pending::read(check, |_| {
            Statement::parse_untyped(payload).map_err(Failure::from)
        })?;
        pending.check(
            Rule::new("artifact.matches", "the statement is about this artifact"),
            |statement| {
                let about = match self.artifact {
                    Artifact::Bytes(bytes) => statement.is_about(bytes),
                    Artifact::Digest(digest) => statement.is_about_digest(digest),
                    Artifact::Digests(digests) => statement.is_about_digests(digests),
                };
                if about {
                    Ok(Says::Statement(statement))
                } else {
                    Err(SigstoreError::Artifact.into())
                }
            },
        )
    }

    fn blob(&self, algorithm: &str, hint: &[u8]) -> Result<Pending<Says>, Refused> {
        let hash = self.message_hash();
        let own = self.artifact_digest(hash).map_err(Refused::new)?;
        self.check_hint(algorithm, hint, hash, &own)
            .map_err(Refused::new)?;
        let message = match self.artifact {
            Artifact::Bytes(bytes) => Message::Bytes(bytes.clone()),
            // Ed25519 is over the message, and what checks Ed25519ph hashes by itself.
            _ if matches!(self.scheme, Scheme::Ed25519 | Scheme::Ed25519ph) => {
                return refuse(SigstoreError::NeedBytes, &[]);
            }
            Artifact::Digest(_) | Artifact::Digests(_) => Message::Digest(hash, own),
        };
        let check = self.check(Role::Given, EcdsaForm::Der, message)?;
        Pending::read(check, |_| Ok(Says::Blob))
    }

    /// The digest in the bundle is only a hint, but one that contradicts the artifact was altered.
    fn check_hint(
        &self,
        algorithm: &str,
        hint: &[u8],
        hash: Hash,
        own: &[u8],
    ) -> Result<(), Failure> {
        let named = match algorithm {
            "SHA2_256" => Some(Hash::Sha256),
            "SHA2_384" => Some(Hash::Sha384),
            "SHA2_512" => Some(Hash::Sha512),
            _ => None,
        };
        let own = match named {
            Some(named) if named == hash => own.into(),
            Some(named) => self.artifact_digest(named)?,
            None => return Err(SigstoreError::NeedBytes.into()),
        };
        if own == hint {
            Ok(())
        } else {
            Err(SigstoreError::Artifact.into())
        }
    }

    fn check(
        &self,
        role: Role,
        form: EcdsaForm,
        message: Message,
    ) -> Result<SignatureCheck, Refused> {
        SignatureCheck::new(
            role,
            self.key,
            self.scheme,
            form,
            message,
            &self.bundle.signature,
        )
        .map_err(Refused::new)
    }
}
