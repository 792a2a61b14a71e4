//! The JSON Canonicalization Scheme (RFC 8785), as far as signed entry timestamps need it.
//!
//! In scope: null, booleans, strings, integers, arrays, objects. We reject numbers that are no
//! integer of at most 53 bits because no field of an entry is one, and beyond them two spellings of
//! different numbers have the same canonical form.

use crate::encoding::json::{Member, Node, Value};
use crate::encoding::number;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// 2^53 - 1, the largest integer that a double tells from its neighbours (RFC 7493 section 2.2).
const SAFE: i64 = (1 << 53) - 1;

/// The canonical form. `None` for numbers out of scope. The parser bounds the depth.
pub(super) fn canonical(node: &Node) -> Option<String> {
    Some(match &node.value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Number(text) => integer(text)?.to_string(),
        Value::String(text) => quote(text),
        Value::Array(items) => format!(
            "[{}]",
            items
                .iter()
                .map(canonical)
                .collect::<Option<Vec<_>>>()?
                .join(",")
        ),
        Value::Object(members) => object(members)?,
    })
}

/// RFC 8785 section 3.2.3: sorted by UTF-16 code units.
fn object(members: &[Member]) -> Option<String> {
    let mut sorted: Vec<&Member> = members.iter().collect();
    // No member is there twice.
    sorted.sort_unstable_by(|a, b| a.key.encode_utf16().cmp(b.key.encode_utf16()));
    let members: Option<Vec<String>> = sorted
        .iter()
        .map(|member| {
            Some(format!(
                "{}:{}",
                quote(&member.key),
                canonical(&member.node)?
            ))
        })
        .collect();
    Some(format!("{{{}}}", members?.join(",")))
}

/// RFC 8785 section 3.2.2.3: the double that the number writes, as ECMAScript writes it; so `1.0`
/// and `1e0` are `1`.
fn integer(text: &str) -> Option<i64> {
    number::whole(text).filter(|value| (-SAFE..=SAFE).contains(value))
}

/// RFC 8785 section 3.2.2.2.
fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::json::{self, Dialect};
    use proptest::prelude::*;

    fn of(text: &str) -> Option<String> {
        canonical(&json::parse(text.as_bytes(), Dialect::Strict).unwrap())
    }

    #[test]
    fn one_spelling() {
        for (text, expected) in [
            (
                r#" { "b" : 1 , "a" : [ true , null , "x" ] } "#,
                r#"{"a":[true,null,"x"],"b":1}"#,
            ),
            (
                r#"{"integratedTime":1670870899.0,"logIndex":9.0E0}"#,
                r#"{"integratedTime":1670870899,"logIndex":9}"#,
            ),
            ("[1e3,-0,-0.0,10e-1,-7]", "[1000,0,0,1,-7]"),
            ("9007199254740991", "9007199254740991"),
            // Section 3.2.2.2: escapes, and none where none is needed.
            (
                r#""\u20ac$\u000f\nA'\u0042\u0022\u005c\\\"\/""#,
                "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"",
            ),
            (r#""\b\t\f\r\u007f\u0000""#, "\"\\b\\t\\f\\r\u{7f}\\u0000\""),
            // Section 3.2.3: the example of the sorting, by UTF-16 code units and not by code
            // points.
            (
                r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#,
                "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\
                 \u{fb33}\":3}",
            ),
        ] {
            assert_eq!(of(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_out_of_scope() {
        for text in [
            "1.5",
            "9007199254740992",
            "-9007199254740993",
            "1e400",
            "[1,{\"a\":0.1}]",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn is_idempotent_and_says_the_same(text: String, number in -9_007_199_254_740_991_i64..=9_007_199_254_740_991, key: String) {
            let node = serde_json::json!({ "z": text, "k": [number, { "x": key }], "a": null });
            let once = of(&node.to_string()).unwrap();
            prop_assert_eq!(of(&once).unwrap(), once.clone());
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&once).unwrap(), node);
        }
    }
}
