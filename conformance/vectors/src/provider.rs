//! Who checks signatures: RustCrypto here, or the platform's WebCrypto outside
//! (`PROVIDER=webcrypto`, see `exchange`).

use crate::case::Run;
use crate::case::Stop;
use crate::exchange::Exchange;
use crate::package::bytes;
use sealgate::internals::crypto::Hash;
use sealgate::internals::crypto::KeyKind;
use sealgate::internals::crypto::Message;
use sealgate::internals::crypto::Outcome;
use sealgate::internals::crypto::Provider;
use sealgate::internals::crypto::RustCrypto;
use sealgate::internals::crypto::Scheme;
use sealgate::internals::crypto::SignatureCheck;
use sealgate::internals::error::HostError;
use serde_json::Value;
use serde_json::json;
use std::pin::pin;
use std::rc::Rc;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

/// The provider of this run.
pub enum Chosen {
    Rust,
    WebCrypto(Rc<Exchange>),
}

impl Chosen {
    /// By `PROVIDER`.
    pub fn from_environment(exchange: Option<&Rc<Exchange>>) -> Result<Self, String> {
        match (
            std::env::var("PROVIDER").unwrap_or_default().as_str(),
            exchange,
        ) {
            ("" | "rust", _) => Ok(Self::Rust),
            ("webcrypto", Some(exchange)) => Ok(Self::WebCrypto(exchange.clone())),
            ("webcrypto", None) => Err("PROVIDER=webcrypto: nobody here answers; use run.sh with \
                                        ON=wasm or ON=chromium"
                .into()),
            (other, _) => Err(format!("PROVIDER={other}: expected rust or webcrypto")),
        }
    }

    /// As the package calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::WebCrypto(_) => "webcrypto",
        }
    }
}

impl Provider for Chosen {
    async fn verify(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        match (self, check.message()) {
            (Self::WebCrypto(exchange), Message::Bytes(message)) if check.is_for_web_crypto() => {
                ask(exchange, check, message)
            }
            _ => RustCrypto.verify(check).await,
        }
    }
}

/// Without an answer yet it fails; that round counts for nothing.
fn ask(exchange: &Exchange, check: &SignatureCheck, message: &[u8]) -> Result<Outcome, HostError> {
    match exchange.ask(json!({"check": in_words(check, message)})) {
        Some(Value::Bool(true)) => Ok(Outcome::Holds),
        Some(Value::Bool(false)) | None => Ok(Outcome::Fails),
        Some(reason) => Err(HostError::Provider {
            reason: reason.to_string(),
        }),
    }
}

/// The check in the words of the Web Cryptography API, as the package's webcrypto.js takes it.
fn in_words(check: &SignatureCheck, message: &[u8]) -> Value {
    let hash = |hash: Hash| match hash {
        Hash::Sha256 => "SHA-256",
        Hash::Sha384 => "SHA-384",
        Hash::Sha512 => "SHA-512",
    };
    let curve = if let KeyKind::Ecdsa(curve) = check.key().kind() {
        curve.name()
    } else {
        ""
    };
    let (import, verify) = match check.scheme() {
        Scheme::Ecdsa(h) => (
            json!({"name": "ECDSA", "namedCurve": curve}),
            json!({"name": "ECDSA", "hash": hash(h)}),
        ),
        Scheme::RsaPkcs1(h) => (
            json!({"name": "RSASSA-PKCS1-v1_5", "hash": hash(h)}),
            json!({"name": "RSASSA-PKCS1-v1_5"}),
        ),
        Scheme::RsaPss(h) => (
            json!({"name": "RSA-PSS", "hash": hash(h)}),
            json!({"name": "RSA-PSS", "saltLength": h.size()}),
        ),
        // The first alone is asked about.
        Scheme::Ed25519
        | Scheme::Ed25519ph
        | Scheme::Dsa(_)
        | Scheme::DsaSha224
        | Scheme::RsaPkcs1Sha1
        | Scheme::RsaPkcs1Sha224 => (json!({"name": "Ed25519"}), json!({"name": "Ed25519"})),
    };
    json!({
        "keyId": format!("{}/{}", check.key().fingerprint(), check.scheme()), "importAlgorithm": import, "verifyAlgorithm": verify,
        "spki": bytes(check.key().spki_der()), "signature": bytes(check.signature()), "data": bytes(message),
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
