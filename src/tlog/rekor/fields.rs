//! Members of an entry's JSON. Every error says where it is.

use crate::encoding::base64;
use crate::encoding::json::{Member, Node, Value};
use crate::tlog::checkpoint::decimal;
use crate::tlog::error::{TlogError, shown};
use crate::tlog::merkle::NodeHash;
use alloc::vec::Vec;

pub(super) fn object<'a>(
    node: &'a Node,
    at: &'static str,
    known: &[&str],
) -> Result<&'a [Member], TlogError> {
    let members = node.as_object().ok_or(TlogError::Shape {
        at,
        expected: "an object",
    })?;
    match members
        .iter()
        .find(|member| !known.contains(&member.key.as_str()))
    {
        Some(member) => Err(TlogError::Unknown {
            at,
            key: shown(&member.key),
        }),
        None => Ok(members),
    }
}

/// `null` is absent, as in protobuf's JSON.
pub(super) fn find<'a>(members: &'a [Member], key: &str) -> Option<&'a Node> {
    members
        .iter()
        .find(|member| member.key == key)
        .map(|member| &member.node)
        .filter(|node| !node.is_null())
}

pub(super) fn need<'a>(
    members: &'a [Member],
    key: &str,
    at: &'static str,
) -> Result<&'a Node, TlogError> {
    find(members, key).ok_or_else(|| TlogError::Absent {
        at,
        key: key.into(),
    })
}

pub(super) fn text<'a>(node: &'a Node, at: &'static str) -> Result<&'a str, TlogError> {
    node.as_str().ok_or(TlogError::Shape {
        at,
        expected: "a text",
    })
}

/// Base64 that is not empty.
pub(super) fn strict(node: &Node, at: &'static str) -> Result<Vec<u8>, TlogError> {
    base64::decode(text(node, at)?)
        .filter(|bytes| !bytes.is_empty())
        .ok_or(TlogError::Shape {
            at,
            expected: "standard base64 with padding",
        })
}

/// Base64 as Go reads it, not empty.
pub(super) fn go(node: &Node, at: &'static str) -> Result<Vec<u8>, TlogError> {
    base64::decode_go(text(node, at)?)
        .filter(|bytes| !bytes.is_empty())
        .ok_or(TlogError::Shape {
            at,
            expected: "standard base64 with padding",
        })
}

pub(super) fn hash(node: &Node, at: &'static str) -> Result<NodeHash, TlogError> {
    strict(node, at)?.try_into().map_err(|_| TlogError::Shape {
        at,
        expected: "a hash of 32 bytes",
    })
}

/// protobuf's int64, not negative: a number or a text, without sign, fraction, exponent and leading
/// zeros; absent is zero.
pub(super) fn int64(node: Option<&Node>, at: &'static str) -> Result<u64, TlogError> {
    let digits = match node.map(|node| &node.value) {
        None => "0",
        Some(Value::Number(text) | Value::String(text)) => text,
        Some(_) => "",
    };
    decimal(digits)
        .filter(|value| i64::try_from(*value).is_ok())
        .ok_or(TlogError::Shape {
            at,
            expected: "an integer that is not negative",
        })
}
