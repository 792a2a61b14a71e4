//! Signatures and attestations in DSSE envelopes. The form of cosign 3: a Sigstore bundle whose
//! DSSE envelope carries an in-toto statement of cosign's own predicate type. A statement of any
//! other type is an attestation, and never a signature of an image (docs/trust.md section 3). The
//! older form of an attestation: a layer of the manifest under the tag `sha256-<hex>.att`, read in
//! the terms of a bundle.

use super::annotated;
use super::signature::SignatureUse;
use crate::crypto::{
    EcdsaForm, KeyError, KeyKind, Message, Pending, Provider, PublicKey, Refused, Role, Rule,
    Scheme, SignatureCheck, Verified, first_to_settle,
};
use crate::error::{Failure, HostError, Kind};
use crate::sigstore::bundle::{Bundle, Content, Material, Version};
use crate::sigstore::dsse;
use crate::sigstore::statement::{self, Statement, StatementError};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

codes! {
    /// This bundle is no signature of an image by a key.
    pub enum BundleUse {
        PayloadType { found: String } => "bundle.payload-type" as OtherForm,
            "expected an envelope of type application/vnd.in-toto+json, found {found:?}";
        Predicate { found: String } => "bundle.predicate-type" as OtherPredicate,
            "expected a signature of the image (predicate type \
             https://sigstore.dev/cosign/sign/v1), found an attestation of type {found:?}: \
             attestations say something about an image, they do not sign it";
        OtherPredicate { found: String, wanted: String } => "bundle.predicate-type" as OtherPredicate,
            "expected an attestation of type {wanted}, found one of type {found:?}";
        MessageSignature => "bundle.message-signature" as Blob,
            "the bundle signs a blob (messageSignature), not an image: such signatures never admit \
             an image";
        Certificate => "bundle.certificate" as OtherForm,
            "the bundle was signed with a certificate (keyless), and this rule trusts keys";
    }
}

/// An envelope that was found attached to an image.
#[derive(Debug, Clone, PartialEq)]
pub struct AttachedBundle(Bundle);

/// What it says once it is verified: a statement of the type that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct BundleClaim {
    statement: Statement,
}

impl BundleClaim {
    /// The statement.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }
}

impl AttachedBundle {
    /// Reads a bundle.
    ///
    /// # Errors
    /// The codes of [`crate::sigstore::bundle::BundleError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        Ok(Self(Bundle::parse(bytes)?))
    }

    /// Reads a layer of an `.att` manifest, with the descriptor's annotations.
    ///
    /// # Errors
    /// The codes of [`crate::sigstore::bundle::BundleError`] and [`SignatureUse`].
    pub fn parse_layer(envelope: &[u8], annotations: &[(String, String)]) -> Result<Self, Failure> {
        annotated::attestation(envelope, annotations).map(Self)
    }

    /// In the terms of Sigstore's verification.
    pub fn bundle(&self) -> &Bundle {
        &self.0
    }

    /// Whether it is a layer of the older form.
    pub fn is_layer(&self) -> bool {
        self.0.version == Version::Layer
    }

    /// Whether it signs a blob.
    pub fn is_message(&self) -> bool {
        matches!(self.0.content, Content::Message { .. })
    }

    /// What the statement says that it is, to set aside what was not asked for; `None` where
    /// nothing can be read.
    pub fn predicate_type_unverified(&self) -> Option<String> {
        let Content::Dsse { payload, .. } = &self.0.content else {
            return None;
        };
        Statement::parse_untyped(payload)
            .ok()
            .map(|statement| statement.predicate_type)
    }

    /// Whether the statement says that it is about this content; `None` where nothing can be read.
    pub fn is_about_unverified(&self, content: &[u8]) -> Option<bool> {
        let Content::Dsse { payload, .. } = &self.0.content else {
            return None;
        };
        Statement::parse_untyped(payload)
            .ok()
            .map(|statement| statement.is_about(content))
    }

    /// The message and the statement in it, of an envelope that a key may have signed. The payload
    /// is a part of the message, by the encoding that is signed.
    fn signed(&self) -> Result<(Arc<Message>, Statement), Failure> {
        let Content::Dsse {
            payload_type,
            payload,
        } = &self.0.content
        else {
            return Err(BundleUse::MessageSignature.into());
        };
        if self.0.material != Material::Key {
            return Err(BundleUse::Certificate.into());
        }
        if payload_type != statement::PAYLOAD_TYPE {
            return Err(BundleUse::PayloadType {
                found: payload_type.chars().take(100).collect(),
            }
            .into());
        }
        Ok((
            Arc::new(Message::Bytes(dsse::pae(payload_type, payload))),
            Statement::parse(payload)?,
        ))
    }

    /// What the bundle claims under one key and scheme.
    fn claim(
        &self,
        key: &PublicKey,
        scheme: Scheme,
        message: &Arc<Message>,
    ) -> Result<Pending<()>, Refused> {
        let bundle = &self.0;
        let check = SignatureCheck::new(
            Role::DsseEnvelope,
            key,
            scheme,
            EcdsaForm::Der,
            message.clone(),
            &bundle.signature,
        )
        .map_err(Refused::new)?;
        let pending = Pending::read(check, |_| Ok(()))?;
        Ok(match bundle.log_entries.count() + bundle.timestamps.len() {
            0 => pending,
            n => pending.note_waived(Rule::new(
                "log.not-checked",
                format!(
                    "{n} log entries or timestamps in the bundle were not checked: this rule \
                     demands none"
                ),
            )),
        })
    }

    /// The statement of cosign's signature type, once one of `keys` is seen to have signed it.
    ///
    /// # Errors
    /// As [`Self::verify_statement`].
    pub async fn verify<P: Provider>(
        &self,
        keys: &[PublicKey],
        provider: &P,
    ) -> Result<Result<Verified<BundleClaim>, Refused>, HostError> {
        self.verify_statement(keys, statement::COSIGN_SIGN, provider)
            .await
    }

    /// The statement of this type, once one of `keys` is seen to have signed it.
    ///
    /// # Errors
    /// [`HostError`] when the provider gave no answer; inside, why it is not signed by any of them.
    pub async fn verify_statement<P: Provider>(
        &self,
        keys: &[PublicKey],
        predicate_type: &str,
        provider: &P,
    ) -> Result<Result<Verified<BundleClaim>, Refused>, HostError> {
        let (message, statement) = match self.signed().and_then(|(message, statement)| {
            Ok((message, check_predicate(statement, predicate_type)?))
        }) {
            Ok(signed) => signed,
            Err(failure) => return Ok(Err(Refused::new(failure))),
        };
        if keys.is_empty() {
            return Ok(Err(Refused::new(KeyError::None)));
        }
        // The usual scheme of every key, before that of older clients.
        let of_each = |place: usize| {
            keys.iter()
                .filter_map(move |key| Some((key, *dsse::schemes(key.kind()).get(place)?)))
        };
        let alternatives = of_each(0)
            .chain(of_each(1))
            .map(|(key, scheme)| self.claim(key, scheme, &message))
            .collect();
        match first_to_settle(alternatives, provider).await? {
            Err(refused) if refused.failure.kind == Kind::InvalidSignature => {
                Ok(Err(self.explain(keys, refused, &message, provider).await?))
            }
            settled => Ok(settled.and_then(|verified| {
                verified.check(predicate_rule(predicate_type), |()| {
                    Ok(BundleClaim { statement })
                })
            })),
        }
    }

    /// cosign 3.1 signs envelopes with Ed25519ph, which no client verifies. It stays refused, and
    /// says so.
    async fn explain<P: Provider>(
        &self,
        keys: &[PublicKey],
        refused: Refused,
        message: &Arc<Message>,
        provider: &P,
    ) -> Result<Refused, HostError> {
        for key in keys.iter().filter(|key| key.kind() == KeyKind::Ed25519) {
            if let Ok(pending) = self.claim(key, Scheme::Ed25519ph, message)
                // An explanation that cannot be had changes nothing.
                && pending.settle(provider).await.is_ok_and(|settled| settled.is_ok())
            {
                let failure = SignatureUse::OtherHash {
                    scheme: Scheme::Ed25519ph,
                    expected: Scheme::Ed25519,
                }
                .into();
                return Ok(Refused { failure, ..refused });
            }
        }
        Ok(refused)
    }
}

/// The rule of [`check_predicate`].
pub(crate) fn predicate_rule(wanted: &str) -> Rule {
    match wanted {
        statement::COSIGN_SIGN => Rule::new(
            "predicate.cosign-sign",
            "the statement is cosign's signature of an image",
        ),
        _ => Rule::new(
            "predicate.type",
            format!("the statement is of type {wanted}"),
        ),
    }
}

/// Whether the statement is of the type that was asked for; a signature of an image says that it is
/// a statement, too.
pub(crate) fn check_predicate(statement: Statement, wanted: &str) -> Result<Statement, Failure> {
    let found = || statement.predicate_type.chars().take(100).collect();
    match wanted {
        _ if statement.predicate_type == wanted
            && (statement.is_typed || wanted != statement::COSIGN_SIGN) =>
        {
            Ok(statement)
        }
        statement::COSIGN_SIGN if statement.predicate_type == wanted => Err(StatementError::Type {
            found: String::new(),
        }
        .into()),
        statement::COSIGN_SIGN => Err(BundleUse::Predicate { found: found() }.into()),
        _ => Err(BundleUse::OtherPredicate {
            found: found(),
            wanted: wanted.into(),
        }
        .into()),
    }
}
