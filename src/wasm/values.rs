//! Values in and out.

use super::shapes::CodedError;
use crate::encoding::number;
use crate::error::Failure;
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
    let error: CodedError = Error::new(&failure.message).unchecked_into();
    error.set_code(failure.code);
    error.into()
}

fn argument(name: &str, expected: &str) -> JsValue {
    failure(Failure::new(
        "argument",
        format!("expected {expected} as {name:?}"),
    ))
}

fn member(object: &JsValue, key: &str) -> Option<JsValue> {
    Reflect::get(object, &key.into()).ok().and_then(said)
}

/// A value that says something.
pub(super) fn said(value: JsValue) -> Option<JsValue> {
    (!value.is_undefined() && !value.is_null()).then_some(value)
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
    to_text(member(object, key), key)
}

/// The string of this name, if it is there.
pub(super) fn to_text(value: Option<JsValue>, name: &str) -> Result<Option<String>, JsValue> {
    value
        .map(|value| value.as_string().ok_or_else(|| argument(name, "a string")))
        .transpose()
}

/// A string that must be there.
pub(super) fn need_text(object: &JsValue, key: &str) -> Result<String, JsValue> {
    to_needed_text(member(object, key), key)
}

/// The string of this name, which must be there.
pub(super) fn to_needed_text(value: Option<JsValue>, name: &str) -> Result<String, JsValue> {
    to_text(value, name)?.ok_or_else(|| argument(name, "a string"))
}

/// An optional truth value; absent is false.
pub(super) fn flag(object: &JsValue, key: &str) -> bool {
    member(object, key).is_some_and(|value| value.is_truthy())
}

/// A number that must be there, without its fraction; what is too large for it is the largest.
pub(super) fn integer(object: &JsValue, key: &str) -> Result<i64, JsValue> {
    to_integer(member(object, key), key)
}

/// The number of this name, as [`integer`] reads it.
pub(super) fn to_integer(value: Option<JsValue>, name: &str) -> Result<i64, JsValue> {
    let value = value
        .and_then(|value| value.as_f64())
        .filter(|value| value.is_finite())
        .ok_or_else(|| argument(name, "a number"))?;
    let furthest = if value < 0.0 { i64::MIN } else { i64::MAX };
    Ok(number::integer_part(value).map_or(furthest, |(whole, _)| whole))
}

/// Optional bytes.
pub(super) fn bytes(object: &JsValue, key: &str) -> Result<Option<Vec<u8>>, JsValue> {
    to_bytes(member(object, key), key)
}

/// The bytes of this name, if they are there.
pub(super) fn to_bytes(value: Option<JsValue>, name: &str) -> Result<Option<Vec<u8>>, JsValue> {
    value
        .map(|value| as_bytes(&value).ok_or_else(|| argument(name, "a Uint8Array")))
        .transpose()
}

fn as_bytes(value: &JsValue) -> Option<Vec<u8>> {
    value.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec)
}

/// A list of byte arrays; absent is empty.
pub(super) fn byte_list(object: &JsValue, key: &str) -> Result<Option<Vec<Vec<u8>>>, JsValue> {
    let Some(value) = member(object, key) else {
        return Ok(None);
    };
    if let Some(one) = as_bytes(&value) {
        return Ok(Some(alloc::vec![one]));
    }
    let list = value
        .dyn_ref::<Array>()
        .ok_or_else(|| argument(key, "an array of Uint8Array"))?;
    list.iter()
        .map(|item| as_bytes(&item).ok_or_else(|| argument(key, "an array of Uint8Array")))
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
    let mut map = BTreeMap::new();
    for entry in Object::entries(object).iter() {
        let entry: Array = entry.dyn_into().map_err(|_| wrong())?;
        map.insert(
            entry.get(0).as_string().ok_or_else(wrong)?,
            as_bytes(&entry.get(1)).ok_or_else(wrong)?,
        );
    }
    Ok(map)
}

/// `[[name, value], …]`, names brought to lower case; absent is empty.
pub(super) fn to_headers(value: Option<JsValue>) -> Result<Vec<(String, String)>, JsValue> {
    let wrong = || argument("headers", "an array of [name, value]");
    let Some(value) = value else {
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

/// Pairs as JavaScript has headers.
pub(super) fn pairs(list: &[(String, String)]) -> Array {
    list.iter()
        .map(|(name, value)| Array::of2(&name.into(), &value.into()))
        .collect()
}

/// An object of which members can be asked.
pub(super) fn to_object<T: JsCast>(value: &JsValue, name: &str) -> Result<T, JsValue> {
    if value.is_object() {
        Ok(value.clone().unchecked_into())
    } else {
        Err(argument(name, "an object"))
    }
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

/// A serialisable value as a plain object.
pub(super) fn plain(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let text = serde_json::to_string(value).map_err(|error| {
        failure(Failure::new(
            "internal",
            format!("a report cannot leave: {error}"),
        ))
    })?;
    js_sys::JSON::parse(&text)
}
