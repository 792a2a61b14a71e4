//! Values in and out.

use crate::encoding::number;
use crate::error::{Failure, HostError};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use js_sys::{Array, Error, Object, Reflect, Uint8Array};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};

/// A real `Error` with `code`.
pub(super) fn failure(error: impl Into<Failure>) -> JsValue {
    let failure = error.into();
    let error = Error::new(&failure.message);
    set(&error, "code", failure.code);
    error.into()
}

fn argument(name: &str, expected: &str) -> JsValue {
    failure(Failure::new(
        "argument",
        format!("expected {expected} as {name:?}"),
    ))
}

/// Sets a property of an object of ours.
pub(super) fn set(object: &JsValue, key: &str, value: impl Into<JsValue>) {
    // Only a frozen or exotic object could refuse, and we made this one.
    let _ = Reflect::set(object, &key.into(), &value.into());
}

fn member(object: &JsValue, key: &str) -> Option<JsValue> {
    Reflect::get(object, &key.into())
        .ok()
        .filter(|value| !value.is_undefined() && !value.is_null())
}

/// Whether a member says something.
pub(super) fn has(object: &JsValue, key: &str) -> bool {
    member(object, key).is_some()
}

/// An object whose values are strings; absent is empty.
pub(super) fn text_map(object: &JsValue, key: &str) -> Result<Vec<(String, String)>, JsValue> {
    let Some(value) = member(object, key) else {
        return Ok(Vec::new());
    };
    let wrong = || argument(key, "an object of strings");
    let entries = Object::entries(value.dyn_ref::<Object>().ok_or_else(wrong)?);
    let pair = |entry: JsValue| {
        let entry: Array = entry.dyn_into().map_err(|_| wrong())?;
        Ok((
            entry.get(0).as_string().ok_or_else(wrong)?,
            entry.get(1).as_string().ok_or_else(wrong)?,
        ))
    };
    entries.iter().map(pair).collect()
}

/// An optional string.
pub(super) fn text(object: &JsValue, key: &str) -> Result<Option<String>, JsValue> {
    member(object, key)
        .map(|value| value.as_string().ok_or_else(|| argument(key, "a string")))
        .transpose()
}

/// A string that must be there.
pub(super) fn need_text(object: &JsValue, key: &str) -> Result<String, JsValue> {
    text(object, key)?.ok_or_else(|| argument(key, "a string"))
}

/// An optional truth value; absent is false.
pub(super) fn flag(object: &JsValue, key: &str) -> bool {
    member(object, key).is_some_and(|value| value.is_truthy())
}

/// A number that must be there, without its fraction; what is too large for it is the largest.
pub(super) fn integer(object: &JsValue, key: &str) -> Result<i64, JsValue> {
    let value = member(object, key)
        .and_then(|value| value.as_f64())
        .filter(|value| value.is_finite())
        .ok_or_else(|| argument(key, "a number"))?;
    let furthest = if value < 0.0 { i64::MIN } else { i64::MAX };
    Ok(number::integer_part(value).map_or(furthest, |(whole, _)| whole))
}

/// Optional bytes.
pub(super) fn bytes(object: &JsValue, key: &str) -> Result<Option<Vec<u8>>, JsValue> {
    member(object, key)
        .map(|value| to_bytes(&value).ok_or_else(|| argument(key, "a Uint8Array")))
        .transpose()
}

fn to_bytes(value: &JsValue) -> Option<Vec<u8>> {
    value.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec)
}

/// A list of byte arrays; absent is empty.
pub(super) fn byte_list(object: &JsValue, key: &str) -> Result<Option<Vec<Vec<u8>>>, JsValue> {
    let Some(value) = member(object, key) else {
        return Ok(None);
    };
    if let Some(one) = to_bytes(&value) {
        return Ok(Some(alloc::vec![one]));
    }
    let list = value
        .dyn_ref::<Array>()
        .ok_or_else(|| argument(key, "an array of Uint8Array"))?;
    list.iter()
        .map(|item| to_bytes(&item).ok_or_else(|| argument(key, "an array of Uint8Array")))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// A list of strings; absent is empty.
pub(super) fn text_list(object: &JsValue, key: &str) -> Result<Vec<String>, JsValue> {
    let wrong = || argument(key, "an array of strings");
    let Some(value) = member(object, key) else {
        return Ok(Vec::new());
    };
    let list = value.dyn_ref::<Array>().ok_or_else(wrong)?;
    list.iter()
        .map(|item| item.as_string().ok_or_else(wrong))
        .collect()
}

/// An object whose values are byte arrays; absent is empty.
pub(super) fn byte_map(object: &JsValue, key: &str) -> Result<BTreeMap<String, Vec<u8>>, JsValue> {
    let Some(value) = member(object, key) else {
        return Ok(BTreeMap::new());
    };
    let object = value
        .dyn_ref::<Object>()
        .ok_or_else(|| argument(key, "an object of Uint8Array"))?;
    let wrong = || argument(key, "an object of Uint8Array");
    Object::entries(object)
        .iter()
        .map(|entry| {
            let entry: Array = entry.dyn_into().map_err(|_| wrong())?;
            Ok((
                entry.get(0).as_string().ok_or_else(wrong)?,
                to_bytes(&entry.get(1)).ok_or_else(wrong)?,
            ))
        })
        .collect()
}

/// `[[name, value], …]`, names brought to lower case.
pub(super) fn header_list(object: &JsValue, key: &str) -> Result<Vec<(String, String)>, JsValue> {
    let wrong = || argument(key, "an array of [name, value]");
    let Some(value) = member(object, key) else {
        return Ok(Vec::new());
    };
    let list = value.dyn_ref::<Array>().ok_or_else(wrong)?;
    list.iter()
        .map(|pair| {
            let pair: Array = pair.dyn_into().map_err(|_| wrong())?;
            Ok((
                pair.get(0)
                    .as_string()
                    .ok_or_else(wrong)?
                    .to_ascii_lowercase(),
                pair.get(1).as_string().ok_or_else(wrong)?,
            ))
        })
        .collect()
}

/// An inner object.
pub(super) fn object(value: &JsValue, key: &str) -> Option<JsValue> {
    member(value, key)
}

/// The list of answers that `advance` is given.
pub(super) fn list(value: &JsValue) -> Result<Array, JsValue> {
    value
        .dyn_ref::<Array>()
        .cloned()
        .ok_or_else(|| argument("answers", "an array"))
}

/// What a failed ask becomes.
pub(super) fn host_error(error: &JsValue) -> HostError {
    let kind = text(error, "kind").ok().flatten().unwrap_or_default();
    let reason: String = text(error, "message")
        .ok()
        .flatten()
        .unwrap_or_default()
        .chars()
        .take(300)
        .collect();
    let url: String = text(error, "url")
        .ok()
        .flatten()
        .unwrap_or_else(|| "the registry".into());
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

/// A serialisable value as a plain object.
pub(super) fn plain(value: &impl Serialize) -> Result<JsValue, JsValue> {
    value
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .map_err(JsValue::from)
}
