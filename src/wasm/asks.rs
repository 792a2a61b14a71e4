//! What is asked of JavaScript.

use super::keys::{computation, key_check};
use super::shapes::{Ask, FetchRequest, Signing, new};
use super::values::pairs;
use crate::host::{self, AwsKeys, Egress, LogQuestion, Request};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;

/// A question, as the driver is asked it.
pub(super) fn ask(id: u32, asked: host::Ask) -> Ask {
    let ask: Ask = new();
    ask.set_id(id);
    match asked {
        host::Ask::Fetch(request) => {
            ask.set_kind("fetch");
            ask.set_request(&fetch(&request));
        }
        host::Ask::Verify(check) => {
            ask.set_kind("verify");
            ask.set_check(&key_check(&check));
        }
        host::Ask::Compute(check) => {
            ask.set_kind("compute");
            ask.set_check(&computation(&check));
        }
        host::Ask::Load(key) => {
            ask.set_kind("load");
            ask.set_key(&key);
        }
        host::Ask::Lock(key) => {
            ask.set_kind("lock");
            ask.set_key(&key);
        }
        host::Ask::Begin(status, headers) => {
            ask.set_kind("begin");
            ask.set_status(status);
            ask.set_headers(&pairs(&headers));
        }
        host::Ask::Write(piece) => {
            ask.set_kind("write");
            ask.set_piece(Uint8Array::from(piece.as_slice()));
        }
        host::Ask::Save(key, value, seconds) => keep(&ask, "save", &key, &value, seconds),
        host::Ask::Append(log, record, seconds) => keep(&ask, "append", &log, &record, seconds),
        host::Ask::ReadBack(question) => read_back(&ask, &question),
        host::Ask::Pause => ask.set_kind("pause"),
    }
    ask
}

fn keep(ask: &Ask, kind: &str, key: &str, value: &str, seconds: u32) {
    ask.set_kind(kind);
    ask.set_key(key);
    ask.set_value(value);
    ask.set_seconds(seconds);
}

fn read_back(ask: &Ask, question: &LogQuestion) {
    ask.set_kind("readBack");
    ask.set_key(&question.log);
    let holding: Array = question.holding.iter().map(JsValue::from).collect();
    ask.set_holding(&holding);
    ask.set_before(&question.before);
}

fn signing(keys: &AwsKeys) -> Signing {
    let asked: Signing = new();
    asked.set_service(&keys.service);
    asked.set_region(&keys.region);
    asked.set_access_key_id(&keys.access_key_id);
    asked.set_secret_access_key(&keys.secret_access_key);
    if let Some(token) = &keys.session_token {
        asked.set_session_token(token);
    }
    asked
}

fn fetch(request: &Request) -> FetchRequest {
    let asked: FetchRequest = new();
    asked.set_method(request.method);
    asked.set_url(&request.url);
    asked.set_headers(&pairs(&request.headers));
    if let Some(body) = &request.body {
        asked.set_body(&body.as_str().into());
    }
    asked.set_egress(match request.egress {
        Egress::Operator => "operator",
        Egress::Public => "public",
    });
    if let Some(keys) = &request.sign {
        asked.set_sign(&signing(keys));
    }
    asked.set_max_bytes(u32::try_from(request.max_bytes).unwrap_or(u32::MAX));
    asked
}
