//! What the driver and this module hand each other, typed: each member is one call, and no name of
//! a member crosses. `js/task.js` and `js/index.d.ts` have the same shapes. They are flat, strings
//! and arrays, since several of them cross for each request to the gateway.

use js_sys::{Array, Error, Object, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::RequestInit;

/// An empty object of ours.
pub(super) fn new<T: JsCast>() -> T {
    Object::new().unchecked_into()
}

#[wasm_bindgen]
extern "C" {
    /// What `advance` gives: new questions, or the result.
    #[wasm_bindgen(extends = Object)]
    pub(super) type Step;
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_asks(this: &Step, asks: &Array);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_done(this: &Step, result: &JsValue);

    /// What says by its `kind` what it is: a question, or an action of the gateway. An answer that
    /// begins and one that is whole have a status and headers.
    #[wasm_bindgen(extends = Object)]
    pub(super) type Tagged;
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_kind(this: &Tagged, kind: &str);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_status(this: &Tagged, status: u16);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_headers(this: &Tagged, headers: &Array);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_request(this: &Tagged, request: &FetchRequest);

    /// A question.
    #[wasm_bindgen(extends = Tagged, extends = Object)]
    pub(super) type Ask;
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_id(this: &Ask, id: u32);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_check(this: &Ask, check: &Object);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_key(this: &Ask, key: &str);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_value(this: &Ask, value: &str);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_seconds(this: &Ask, seconds: u32);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_holding(this: &Ask, texts: &Array);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_before(this: &Ask, place: &str);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_piece(this: &Ask, piece: Uint8Array);

    /// What is fetched, and how far.
    #[wasm_bindgen(extends = RequestInit, extends = Object)]
    pub(super) type FetchRequest;
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_url(this: &FetchRequest, url: &str);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_egress(this: &FetchRequest, egress: &str);
    #[wasm_bindgen(method, setter = maxBytes)]
    pub(super) fn set_max_bytes(this: &FetchRequest, bytes: u32);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_sign(this: &FetchRequest, keys: &Signing);

    /// With which keys a request is signed as Amazon wants it.
    #[wasm_bindgen(extends = Object)]
    pub(super) type Signing;
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_service(this: &Signing, service: &str);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_region(this: &Signing, region: &str);
    #[wasm_bindgen(method, setter = accessKeyId)]
    pub(super) fn set_access_key_id(this: &Signing, id: &str);
    #[wasm_bindgen(method, setter = secretAccessKey)]
    pub(super) fn set_secret_access_key(this: &Signing, key: &str);
    #[wasm_bindgen(method, setter = sessionToken)]
    pub(super) fn set_session_token(this: &Signing, token: &str);

    /// A signature to be checked by the platform, with what its `SubtleCrypto` is told.
    #[wasm_bindgen(extends = Object)]
    pub(super) type KeyCheck;
    #[wasm_bindgen(method, setter = keyId)]
    pub(super) fn set_key_id(this: &KeyCheck, id: &str);
    #[wasm_bindgen(method, setter = importAlgorithm)]
    pub(super) fn set_import_algorithm(this: &KeyCheck, algorithm: &Object);
    #[wasm_bindgen(method, setter = verifyAlgorithm)]
    pub(super) fn set_verify_algorithm(this: &KeyCheck, algorithm: &Object);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_spki(this: &KeyCheck, spki: Uint8Array);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_signature(this: &KeyCheck, signature: Uint8Array);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_data(this: &KeyCheck, data: Uint8Array);

    /// A signature to be checked by the module that has the arithmetic.
    #[wasm_bindgen(extends = Object)]
    pub(super) type Computation;
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_scheme(this: &Computation, scheme: &str);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_spki(this: &Computation, spki: Uint8Array);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_message(this: &Computation, message: Uint8Array);
    #[wasm_bindgen(method, setter = isDigest)]
    pub(super) fn set_is_digest(this: &Computation, is_digest: bool);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_signature(this: &Computation, signature: Uint8Array);

    /// An answer to a question. Its members are checked when they are read.
    #[wasm_bindgen(extends = Object)]
    pub(super) type Answer;
    #[wasm_bindgen(method, getter)]
    pub(super) fn id(this: &Answer) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub(super) fn error(this: &Answer) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub(super) fn response(this: &Answer) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub(super) fn verified(this: &Answer) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub(super) fn value(this: &Answer) -> JsValue;

    /// What was fetched.
    #[wasm_bindgen(extends = Object)]
    pub(super) type FetchResponse;
    #[wasm_bindgen(method, getter)]
    pub(super) fn status(this: &FetchResponse) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub(super) fn headers(this: &FetchResponse) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub(super) fn body(this: &FetchResponse) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub(super) fn url(this: &FetchResponse) -> JsValue;

    /// Why nothing was fetched or checked.
    #[wasm_bindgen(extends = Object)]
    pub(super) type AnswerError;
    #[wasm_bindgen(method, getter)]
    pub(super) fn kind(this: &AnswerError) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub(super) fn message(this: &AnswerError) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub(super) fn url(this: &AnswerError) -> JsValue;

    /// A failure with its code.
    #[wasm_bindgen(extends = Error, extends = Object)]
    pub(super) type CodedError;
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_code(this: &CodedError, code: &str);
}
