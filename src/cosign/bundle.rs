//! The form of cosign 3: a Sigstore bundle whose DSSE envelope carries an in-toto statement of cosign's own predicate
//! type. A statement of any other type is an attestation, and never a signature of an image (TRUST section 3).

use super::first_to_settle;
use super::signature::SignatureUse;
use crate::crypto::{EcdsaForm, KeyKind, Message, Pending, Provider, PublicKey, Refused, Role, Rule, Scheme, SignatureCheck, Verified};
use crate::error::{Failure, HostError};
use crate::sigstore::bundle::{Bundle, Content, Material};
use crate::sigstore::dsse;
use crate::sigstore::statement::{self, Statement};
use alloc::format;
use alloc::vec::Vec;

codes! {
    /// This bundle is no signature of an image by a key.
    pub enum BundleUse {
        PayloadType { found: alloc::string::String } => "bundle.payload-type", "expected an envelope of type application/vnd.in-toto+json, found {found:?}";
        Predicate { found: alloc::string::String } => "bundle.predicate-type", "expected a signature of the image (predicate type https://sigstore.dev/cosign/sign/v1), found an attestation of type {found:?}: attestations say something about an image, they do not sign it";
        MessageSignature => "bundle.message-signature", "the bundle signs a blob (messageSignature), not an image: such signatures never admit an image";
        Certificate => "bundle.certificate", "the bundle was signed with a certificate (keyless), and this rule trusts keys";
    }
}

/// A bundle that was found attached to an image.
#[derive(Debug, Clone, PartialEq)]
pub struct AttachedBundle(Bundle);

/// What it says once it is verified: a statement of cosign's predicate type.
#[derive(Debug, Clone, PartialEq, Eq)]
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

    /// What the bundle claims under one key and scheme.
    fn claim(&self, key: &PublicKey, scheme: Scheme) -> Result<Pending<BundleClaim>, Refused> {
        let bundle = &self.0;
        let Content::Dsse { payload_type, payload } = &bundle.content else { return Err(Refused { failure: BundleUse::MessageSignature.into(), steps: Vec::new() }) };
        let refuse = |failure: Failure| Refused { failure, steps: Vec::new() };
        if bundle.material != Material::Key {
            return Err(refuse(BundleUse::Certificate.into()));
        }
        if payload_type != statement::PAYLOAD_TYPE {
            return Err(refuse(BundleUse::PayloadType { found: payload_type.chars().take(100).collect() }.into()));
        }
        let message = Message::Bytes(dsse::pae(payload_type, payload));
        let check = SignatureCheck::new(Role::DsseEnvelope, key, scheme, EcdsaForm::Der, message, &bundle.signature).map_err(|error| refuse(error.into()))?;
        // The payload is a part of the message, by the encoding above.
        let pending = Pending::read(check, |_| Statement::parse(payload).map_err(Failure::from))?;
        let pending = pending.check(Rule::new("predicate.cosign-sign", "the statement is cosign's signature of an image"), |statement| {
            if statement.predicate_type == statement::COSIGN_SIGN {
                Ok(BundleClaim { statement })
            } else {
                Err(BundleUse::Predicate { found: statement.predicate_type.chars().take(100).collect() }.into())
            }
        })?;
        Ok(match bundle.log_entries.len() + bundle.timestamps.len() {
            0 => pending,
            n => pending.note_waived(Rule::new("log.not-checked", format!("{n} log entries or timestamps in the bundle were not checked: this rule demands none"))),
        })
    }

    /// The statement, once one of `keys` is seen to have signed it.
    ///
    /// # Errors
    /// [`HostError`] when the provider gave no answer; inside, why it is not signed by any of them.
    pub async fn verify<P: Provider>(&self, keys: &[PublicKey], provider: &P) -> Result<Result<Verified<BundleClaim>, Refused>, HostError> {
        let alternatives = keys.iter().flat_map(|key| dsse::schemes(key.kind()).into_iter().map(move |scheme| self.claim(key, scheme)));
        match first_to_settle(alternatives.collect(), provider).await? {
            Err(refused) if refused.failure.code == "signature.invalid" => Ok(Err(self.explain(keys, refused, provider).await?)),
            settled => Ok(settled),
        }
    }

    /// cosign 3.1 signs envelopes with Ed25519ph, which no client verifies. It stays refused, and says so.
    async fn explain<P: Provider>(&self, keys: &[PublicKey], refused: Refused, provider: &P) -> Result<Refused, HostError> {
        for key in keys.iter().filter(|key| key.kind() == KeyKind::Ed25519) {
            if let Ok(pending) = self.claim(key, Scheme::Ed25519ph)
                && pending.settle(provider).await?.is_ok() {
                    let failure = SignatureUse::OtherHash { scheme: Scheme::Ed25519ph, expected: Scheme::Ed25519 }.into();
                    return Ok(Refused { failure, ..refused });
                }
        }
        Ok(refused)
    }
}
