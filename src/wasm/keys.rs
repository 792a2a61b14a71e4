//! A check of a signature, in the words of the Web Cryptography API or in ours.

use super::shapes::{Computation, KeyCheck, new};
use crate::crypto::{Hash, KeyKind, Message, Scheme, SignatureCheck};
use js_sys::{Object, Uint8Array};
use wasm_bindgen::JsCast;
use web_sys::{Algorithm, EcKeyImportParams, EcdsaParams, RsaHashedImportParams, RsaPssParams};

/// What the platform's `SubtleCrypto` needs to import the key and to check the signature.
pub(super) fn key_check(check: &SignatureCheck) -> KeyCheck {
    let object: KeyCheck = new();
    // An imported RSA key is bound to its hash.
    object.set_key_id(&alloc::format!(
        "{}/{}",
        check.key().fingerprint(),
        check.scheme()
    ));
    let (import, verify) = algorithms(check);
    object.set_import_algorithm(&import);
    object.set_verify_algorithm(&verify);
    object.set_spki(check.key().spki_der().into());
    object.set_signature(check.signature().into());
    if let Message::Bytes(bytes) = check.message() {
        object.set_data(Uint8Array::from(bytes.as_slice()));
    }
    object
}

/// What the module that has the arithmetic needs.
pub(super) fn computation(check: &SignatureCheck) -> Computation {
    let object: Computation = new();
    object.set_scheme(check.scheme().id());
    object.set_spki(check.key().spki_der().into());
    let (Message::Bytes(message) | Message::Digest(_, message)) = check.message();
    object.set_message(Uint8Array::from(message.as_slice()));
    object.set_is_digest(matches!(check.message(), Message::Digest(..)));
    object.set_signature(check.signature().into());
    object
}

/// For `importKey`, and for `verify`.
fn algorithms(check: &SignatureCheck) -> (Object, Object) {
    match check.scheme() {
        Scheme::Ecdsa(hash) => {
            let import = EcKeyImportParams::new("ECDSA");
            if let KeyKind::Ecdsa(curve) = check.key().kind() {
                import.set_named_curve(curve.name());
            }
            let verify = EcdsaParams::new_with_str("ECDSA", name(hash));
            (import.into(), verify.into())
        }
        Scheme::RsaPkcs1(hash) => {
            let scheme = "RSASSA-PKCS1-v1_5";
            (rsa_import(scheme, hash), Algorithm::new(scheme).into())
        }
        Scheme::RsaPss(hash) => {
            let salt = u32::try_from(hash.size()).unwrap_or(0);
            let verify = RsaPssParams::new("RSA-PSS", salt);
            (rsa_import("RSA-PSS", hash), verify.into())
        }
        // WebCrypto is asked about the first alone.
        Scheme::Ed25519
        | Scheme::Ed25519ph
        | Scheme::Dsa(_)
        | Scheme::DsaSha224
        | Scheme::RsaPkcs1Sha1
        | Scheme::RsaPkcs1Sha224 => {
            let algorithm: Object = Algorithm::new("Ed25519").into();
            (algorithm.clone(), algorithm)
        }
    }
}

fn rsa_import(scheme: &str, hash: Hash) -> Object {
    let params = RsaHashedImportParams::new_with_str(name(hash));
    // web-sys leaves out that these extend `Algorithm`.
    let params: Algorithm = params.unchecked_into();
    params.set_name(scheme);
    params.into()
}

fn name(hash: Hash) -> &'static str {
    match hash {
        Hash::Sha256 => "SHA-256",
        Hash::Sha384 => "SHA-384",
        Hash::Sha512 => "SHA-512",
    }
}
