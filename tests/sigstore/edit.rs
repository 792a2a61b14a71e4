//! Ways to alter JSON, and what is encoded in it.

use sealgate::internals::encoding::base64;
use serde_json::Value;

pub(crate) fn decode(value: &Value) -> Vec<u8> {
    let text = value
        .as_str()
        .unwrap_or_else(|| panic!("expected base64, found {value}"));
    base64::decode(text).unwrap_or_else(|| panic!("expected base64, found {text:?}"))
}

pub(crate) fn encode(bytes: &[u8]) -> Value {
    Value::String(base64::encode(bytes))
}

/// Every value that has no members, by its pointer (RFC 6901).
pub(crate) fn leaves(value: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => members
                .iter()
                .for_each(|(key, value)| walk(value, &format!("{at}/{key}"), found)),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(number, value)| walk(value, &format!("{at}/{number}"), found)),
            Value::Null => {}
            _ => found.push(at.into()),
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found
}

/// Another value of the same form: a number more, another hexadecimal digit, another bit under
/// base64, another word.
pub(crate) fn alter(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_i64().unwrap_or_default() + 1),
        Value::Bool(value) => Value::Bool(!value),
        Value::String(text) => Value::String(alter_text(text)),
        other => panic!("{other} is no leaf"),
    }
}

fn alter_text(text: &str) -> String {
    if let Ok(number) = text.parse::<u64>() {
        return number.wrapping_add(1).to_string();
    }
    if text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let last = if text.ends_with('0') { "1" } else { "0" };
        return format!("{}{last}", &text[..text.len() - 1]);
    }
    match base64::decode(text) {
        // In the last quarter: of ECDSA signatures that is in the middle of s, where DER does not
        // suffer.
        Some(mut bytes) if bytes.len() > 16 => {
            let at = bytes.len() * 3 / 4;
            bytes[at] ^= 1;
            base64::encode(&bytes)
        }
        _ => format!("{text}x"),
    }
}

/// Alters the value at `pointer`.
pub(crate) fn alter_at(value: &mut Value, pointer: &str) {
    let leaf = value
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("nothing at {pointer}"));
    *leaf = alter(leaf);
}

/// Positions over the whole length: all of a short text, else so many that are far apart.
pub(crate) fn positions(length: usize, most: usize) -> impl Iterator<Item = usize> {
    (0..length).step_by(length.div_ceil(most).max(1))
}

/// Where `part` stands in `whole`.
pub(crate) fn find(whole: &[u8], part: &[u8]) -> Option<usize> {
    whole.windows(part.len()).position(|window| window == part)
}
