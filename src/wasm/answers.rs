//! What JavaScript answers. Nothing of it is believed to be of the type that it should be.

use super::shapes::{Answer, AnswerError, FetchResponse};
use super::values::{self, said};
use crate::error::HostError;
use crate::host::{self, Response};
use alloc::string::String;
use wasm_bindgen::JsValue;

/// Reads an answer, and to which question it is one.
pub(super) fn answer(value: &JsValue) -> Result<(u32, host::Answer), JsValue> {
    let answer: Answer = values::to_object(value, "answer")?;
    let id = u32::try_from(values::to_integer(said(answer.id()), "id")?).unwrap_or(0);
    if let Some(error) = said(answer.error()) {
        let error = values::to_object(&error, "error")?;
        return Ok((id, host::Answer::Error(host_error(&error))));
    }
    if let Some(found) = said(answer.response()) {
        let found = values::to_object(&found, "response")?;
        return Ok((id, host::Answer::Response(response(&found)?)));
    }
    if let Some(verified) = said(answer.verified()) {
        return Ok((id, host::Answer::Verified(verified.as_bool() == Some(true))));
    }
    let value = values::to_text(said(answer.value()), "value")?;
    Ok((id, host::Answer::Value(value)))
}

fn response(found: &FetchResponse) -> Result<Response, JsValue> {
    let status = values::to_integer(said(found.status()), "status")?;
    Ok(Response {
        status: u16::try_from(status).unwrap_or(0),
        headers: values::to_headers(said(found.headers()))?,
        body: values::to_bytes(said(found.body()), "body")?.unwrap_or_default(),
        url: values::to_text(said(found.url()), "url")?,
    })
}

/// What a failed ask becomes.
fn host_error(error: &AnswerError) -> HostError {
    let text = |value: JsValue| value.as_string();
    let kind = text(error.kind()).unwrap_or_default();
    let reason: String = text(error.message())
        .unwrap_or_default()
        .chars()
        .take(300)
        .collect();
    let url = text(error.url()).unwrap_or_else(|| "the registry".into());
    match kind.as_str() {
        "timeout" => HostError::Timeout { url },
        "too-large" => HostError::TooLarge { url, limit: 0 },
        "refused" => HostError::Refused { url, reason },
        "egress" => HostError::Egress { url, reason },
        "budget" => HostError::Budget {
            what: "seconds of waiting for the registry",
        },
        "other" => HostError::Provider { reason },
        _ => HostError::Unreachable { url, reason },
    }
}
