//! The check of one signature, in pure Rust, for the modules that are built without the arithmetic:
//! where the platform has no cryptography of its own, or does not take a key or a scheme.

use crate::crypto::{EcdsaForm, Message, Outcome, Provider, PublicKey, Role, RustCrypto};
use crate::crypto::{Scheme, SignatureCheck, at_once};
use wasm_bindgen::prelude::*;

/// Whether a signature holds. What is not well-formed does not.
///
/// `scheme` is a [`Scheme::id`]; `spki` a DER SubjectPublicKeyInfo; `message` the message, or with
/// `is_digest` its hash by the scheme's; `signature` as [`SignatureCheck::signature`] has it.
#[wasm_bindgen(js_name = checkSignature)]
pub fn check_signature(
    scheme: &str,
    spki: &[u8],
    message: &[u8],
    is_digest: bool,
    signature: &[u8],
) -> bool {
    check(scheme, spki, message, is_digest, signature)
        .and_then(|check| at_once(RustCrypto.verify(&check)).ok()?.ok())
        .is_some_and(|outcome| outcome == Outcome::Holds)
}

fn check(
    scheme: &str,
    spki: &[u8],
    message: &[u8],
    is_digest: bool,
    signature: &[u8],
) -> Option<SignatureCheck> {
    let scheme = scheme_of(scheme)?;
    let message = match scheme.hash() {
        Some(hash) if is_digest => Message::Digest(hash, message.into()),
        None if is_digest => return None,
        _ => Message::Bytes(message.into()),
    };
    let key = key_of(scheme, spki)?;
    SignatureCheck::new(
        Role::Given,
        &key,
        scheme,
        EcdsaForm::Fixed,
        message,
        signature,
    )
    .ok()
}

#[cfg(not(feature = "openpgp"))]
fn scheme_of(id: &str) -> Option<Scheme> {
    Scheme::by_id(id)
}

#[cfg(feature = "openpgp")]
fn scheme_of(id: &str) -> Option<Scheme> {
    Scheme::by_id(id).or_else(|| Scheme::of_openpgp(id))
}

/// As a module without the arithmetic wrote it.
fn key_of(scheme: Scheme, spki: &[u8]) -> Option<PublicKey> {
    match scheme {
        #[cfg(feature = "openpgp")]
        Scheme::Dsa(_) | Scheme::DsaSha224 => PublicKey::from_dsa_spki(spki).ok(),
        _ => PublicKey::from_spki_der(spki).ok(),
    }
}
