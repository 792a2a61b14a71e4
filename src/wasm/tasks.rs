//! A job, as JavaScript drives it.

use super::pairs;
use super::values::{self, failure, set};
use crate::crypto::{Hash, KeyKind, Message, Scheme, SignatureCheck};
use crate::error::Failure;
use crate::host::{self, Advance, Answer, Ask, Egress, Remote, Request, Response};
use alloc::vec::Vec;
use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::prelude::*;

/// Advance it until it is done: `{asks}` are new questions, `{done}` is the result.
#[wasm_bindgen]
pub struct Task {
    inner: Option<host::Task<Result<JsValue, JsValue>>>,
}

impl Task {
    pub(super) fn new(
        remote: Remote,
        future: impl Future<Output = Result<JsValue, JsValue>> + 'static,
    ) -> Self {
        Self {
            inner: Some(host::Task::new(remote, future)),
        }
    }
}

#[wasm_bindgen]
impl Task {
    /// Takes answers and goes on.
    pub fn advance(&mut self, answers: &JsValue) -> Result<Object, JsValue> {
        let answers = values::list(answers)?
            .iter()
            .map(|one| answer(&one))
            .collect::<Result<Vec<_>, _>>()?;
        let task = self
            .inner
            .as_mut()
            .ok_or_else(|| failure(Failure::new("internal", "the task is over")))?;
        let step = Object::new();
        match task.advance(answers) {
            Advance::Done(result) => {
                self.inner = None;
                set(&step, "done", result?);
            }
            Advance::Asks(asks) => set(
                &step,
                "asks",
                asks.into_iter()
                    .map(|(id, one)| ask(id, one))
                    .collect::<Array>(),
            ),
        }
        Ok(step)
    }
}

fn answer(value: &JsValue) -> Result<(u32, Answer), JsValue> {
    let id = u32::try_from(values::integer(value, "id")?).unwrap_or(0);
    if let Some(error) = values::object(value, "error") {
        return Ok((id, Answer::Error(values::host_error(&error))));
    }
    if let Some(response) = values::object(value, "response") {
        let status = u16::try_from(values::integer(&response, "status")?).unwrap_or(0);
        let headers = values::header_list(&response, "headers")?;
        let body = values::bytes(&response, "body")?.unwrap_or_default();
        return Ok((
            id,
            Answer::Response(Response {
                status,
                headers,
                body,
                url: values::text(&response, "url")?,
            }),
        ));
    }
    if let Some(verified) = values::object(value, "verified") {
        return Ok((id, Answer::Verified(verified.as_bool() == Some(true))));
    }
    Ok((id, Answer::Value(values::text(value, "value")?)))
}

fn ask(id: u32, ask: Ask) -> Object {
    let object = Object::new();
    set(&object, "id", id);
    match ask {
        Ask::Fetch(request) => {
            set(&object, "kind", "fetch");
            set(&object, "request", fetch(&request));
        }
        Ask::Verify(check) => {
            set(&object, "kind", "verify");
            set(&object, "check", web_crypto(&check));
        }
        Ask::Load(key) => {
            set(&object, "kind", "load");
            set(&object, "key", key);
        }
        Ask::Lock(key) => {
            set(&object, "kind", "lock");
            set(&object, "key", key);
        }
        Ask::Begin(status, headers) => {
            set(&object, "kind", "begin");
            set(&object, "status", f64::from(status));
            set(&object, "headers", pairs(&headers));
        }
        Ask::Write(piece) => {
            set(&object, "kind", "write");
            set(&object, "piece", Uint8Array::from(piece.as_slice()));
        }
        Ask::Save(key, value, seconds) => {
            set(&object, "kind", "save");
            set(&object, "key", key);
            set(&object, "value", value);
            set(&object, "seconds", seconds);
        }
        Ask::Pause => set(&object, "kind", "pause"),
    }
    object
}

fn fetch(request: &Request) -> Object {
    let object = Object::new();
    set(&object, "method", request.method);
    set(&object, "url", request.url.as_str());
    set(&object, "headers", pairs(&request.headers));
    if let Some(body) = &request.body {
        set(&object, "body", body.as_str());
    }
    set(
        &object,
        "egress",
        if request.egress == Egress::Operator {
            "operator"
        } else {
            "public"
        },
    );
    set(
        &object,
        "maxBytes",
        u32::try_from(request.max_bytes).unwrap_or(u32::MAX),
    );
    object
}

/// The check in the words of the Web Cryptography API.
fn web_crypto(check: &SignatureCheck) -> Object {
    let hash = |hash: Hash| match hash {
        Hash::Sha256 => "SHA-256",
        Hash::Sha384 => "SHA-384",
        Hash::Sha512 => "SHA-512",
    };
    let (import, verify) = (Object::new(), Object::new());
    let name = |name: &str| {
        set(&import, "name", name);
        set(&verify, "name", name);
    };
    match check.scheme() {
        Scheme::Ecdsa(h) => {
            name("ECDSA");
            if let KeyKind::Ecdsa(curve) = check.key().kind() {
                set(&import, "namedCurve", curve.name());
            }
            set(&verify, "hash", hash(h));
        }
        Scheme::RsaPkcs1(h) => {
            name("RSASSA-PKCS1-v1_5");
            set(&import, "hash", hash(h));
        }
        Scheme::RsaPss(h) => {
            name("RSA-PSS");
            set(&import, "hash", hash(h));
            set(&verify, "saltLength", u32::try_from(h.size()).unwrap_or(0));
        }
        Scheme::Ed25519 | Scheme::Ed25519ph => name("Ed25519"),
    }
    let object = Object::new();
    // An imported RSA key is bound to its hash.
    set(
        &object,
        "keyId",
        alloc::format!("{}/{}", check.key().fingerprint(), check.scheme()),
    );
    set(&object, "importAlgorithm", import);
    set(&object, "verifyAlgorithm", verify);
    set(&object, "spki", Uint8Array::from(check.key().spki_der()));
    set(&object, "signature", Uint8Array::from(check.signature()));
    if let Message::Bytes(bytes) = check.message() {
        set(&object, "data", Uint8Array::from(bytes.as_slice()));
    }
    object
}
