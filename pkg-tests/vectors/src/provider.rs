//! Who checks signatures: RustCrypto here, or the platform's WebCrypto outside (`PROVIDER=webcrypto`).
//!
//! WebCrypto answers later, and this program does not wait. It therefore runs in rounds: a check without an answer is
//! written down and held to fail, and when a round has such checks its verdicts are thrown away. Whoever started it
//! answers them and runs it again, with all answers so far, until a round has none. `EXCHANGE` is the folder for both.

use crate::case::Run;
use crate::case::Stop;
use sealgate::crypto::Hash;
use sealgate::crypto::KeyKind;
use sealgate::crypto::Message;
use sealgate::crypto::Outcome;
use sealgate::crypto::Provider;
use sealgate::crypto::RustCrypto;
use sealgate::crypto::Scheme;
use sealgate::crypto::SignatureCheck;
use sealgate::digest::Digest;
use sealgate::encoding::base64;
use sealgate::error::HostError;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

/// The provider of this run.
pub enum Chosen {
    Rust,
    WebCrypto(Exchange),
}

/// Questions and answers of WebCrypto.
pub struct Exchange {
    folder: PathBuf,
    /// By the question's id: whether it holds, or why there is no answer.
    answers: Map<String, Value>,
    open: RefCell<Map<String, Value>>,
}

impl Chosen {
    /// By `PROVIDER`.
    pub fn from_environment() -> Result<Self, String> {
        match std::env::var("PROVIDER").unwrap_or_default().as_str() {
            "" | "rust" => Ok(Self::Rust),
            "webcrypto" => {
                let folder = PathBuf::from(std::env::var_os("EXCHANGE").ok_or("PROVIDER=webcrypto: nobody here answers; use run.sh with ON=wasm")?);
                let answers = match fs::read(folder.join("answers.json")) {
                    Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| format!("answers.json: {error}"))?,
                    Err(_) => Map::new(),
                };
                Ok(Self::WebCrypto(Exchange { folder, answers, open: RefCell::default() }))
            }
            other => Err(format!("PROVIDER={other}: expected rust or webcrypto")),
        }
    }

    /// Writes the open questions down; whether there were any, so that this round says nothing.
    pub fn ask(&self) -> Result<bool, String> {
        let Self::WebCrypto(exchange) = self else { return Ok(false) };
        let open = Value::Object(exchange.open.take());
        fs::write(exchange.folder.join("questions.json"), open.to_string()).map_err(|error| format!("questions.json: {error}"))?;
        Ok(open.as_object().is_some_and(|open| !open.is_empty()))
    }

    /// Whether lines wait for the end of the round.
    pub fn is_in_rounds(&self) -> bool {
        matches!(self, Self::WebCrypto(_))
    }
}

impl Provider for Chosen {
    async fn verify(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        match (self, check.message()) {
            (Self::WebCrypto(exchange), Message::Bytes(message)) if check.is_for_web_crypto() => exchange.verify(check, message),
            _ => RustCrypto.verify(check).await,
        }
    }
}

impl Exchange {
    fn verify(&self, check: &SignatureCheck, message: &[u8]) -> Result<Outcome, HostError> {
        let question = question(check, message);
        let id = Digest::of(question.to_string().as_bytes()).hex();
        match self.answers.get(&id) {
            Some(Value::Bool(true)) => Ok(Outcome::Holds),
            Some(Value::Bool(false)) => Ok(Outcome::Fails),
            Some(reason) => Err(HostError::Provider { reason: reason.to_string() }),
            None => {
                self.open.borrow_mut().insert(id, question);
                Ok(Outcome::Fails)
            }
        }
    }
}

/// The check in the words of the Web Cryptography API, as js/webcrypto.js takes it; bytes in base64.
fn question(check: &SignatureCheck, message: &[u8]) -> Value {
    let hash = |hash: Hash| match hash {
        Hash::Sha256 => "SHA-256",
        Hash::Sha384 => "SHA-384",
        Hash::Sha512 => "SHA-512",
    };
    let curve = if let KeyKind::Ecdsa(curve) = check.key().kind() { curve.name() } else { "" };
    let (import, verify) = match check.scheme() {
        Scheme::Ecdsa(h) => (json!({"name": "ECDSA", "namedCurve": curve}), json!({"name": "ECDSA", "hash": hash(h)})),
        Scheme::RsaPkcs1(h) => (json!({"name": "RSASSA-PKCS1-v1_5", "hash": hash(h)}), json!({"name": "RSASSA-PKCS1-v1_5"})),
        Scheme::RsaPss(h) => (json!({"name": "RSA-PSS", "hash": hash(h)}), json!({"name": "RSA-PSS", "saltLength": h.size()})),
        Scheme::Ed25519 | Scheme::Ed25519ph => (json!({"name": "Ed25519"}), json!({"name": "Ed25519"})),
    };
    json!({
        "keyId": format!("{}/{}", check.key().fingerprint(), check.scheme()), "importAlgorithm": import, "verifyAlgorithm": verify,
        "spki": base64::encode(check.key().spki_der()), "signature": base64::encode(check.signature()), "data": base64::encode(message),
    })
}

/// The value of a future that waits for nothing, as all are under these providers.
pub fn now<T>(future: impl Future<Output = Result<T, HostError>>) -> Run<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        // No answer is no verdict: the case could not be run.
        Poll::Ready(value) => value.map_err(|error| Stop::Broken(error.to_string())),
        Poll::Pending => Err(Stop::Broken("the provider waits".into())),
    }
}
