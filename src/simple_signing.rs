//! The payload that Cosign signatures and OpenPGP simple signing share (containers/image
//! `signature/payload.go`, docs/containers-image.md sections 5 and 6).
//!
//! In scope: its strict reading. Out of scope: the signature over it. Its bytes are trusted only
//! after that signature was verified.

use crate::encoding::json::{self, Dialect, JsonError, Member, Node, Value};
use crate::encoding::number;
use alloc::string::String;
use alloc::vec::Vec;

/// Which signature carries the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadKind {
    /// Cosign: `cosign container image signature`; `optional` may be `null`.
    Cosign,
    /// OpenPGP: `atomic container signature`.
    Atomic,
}

/// What was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// `critical.image.docker-manifest-digest`, as it is written.
    pub manifest_digest: String,
    /// `critical.identity.docker-reference`, as it is written.
    pub docker_reference: String,
    /// `optional.creator`.
    pub creator: Option<String>,
    /// `optional.timestamp`, seconds since 1970.
    pub timestamp: Option<i64>,
    /// Every member of `optional` that is a string: what `cosign sign -a` wrote.
    pub annotations: Vec<(String, String)>,
}

codes! {
    /// This text is no payload.
    pub enum PayloadError as Unproven {
        Json { error: JsonError } => "payload.json",
            "the signed payload is no JSON that can be read: {error}";
        Object { at: &'static str, found: &'static str } => "payload.shape",
            "the signed payload: expected an object at {at}, found {found}";
        Text { at: &'static str, found: &'static str } => "payload.shape",
            "the signed payload: expected a string at {at}, found {found}";
        Missing { key: &'static str } => "payload.shape",
            "the signed payload: Key \"{key}\" missing in a JSON object";
        Unknown { key: String } => "payload.shape", "the signed payload: Unknown key \"{key}\"";
        Type { found: String, expected: &'static str } => "payload.type",
            "Unrecognized signature type {found}: expected {expected}";
        Timestamp => "payload.timestamp", "Field optional.timestamp is not an integer";
    }
}

impl Payload {
    /// Reads a payload; nothing may stand beside the prescribed members.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8], kind: PayloadKind) -> Result<Self, PayloadError> {
        Self::read(
            &json::parse(bytes, Dialect::Go).map_err(|error| PayloadError::Json { error })?,
            kind,
        )
    }

    /// Reads a payload that was read as JSON.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn read(root: &Node, kind: PayloadKind) -> Result<Self, PayloadError> {
        let top = object(root, "the top")?;
        only(top, &["critical", "optional"])?;
        let critical = object(need(top, "critical")?, "critical")?;
        only(critical, &["type", "image", "identity"])?;
        let expected = match kind {
            PayloadKind::Cosign => "cosign container image signature",
            PayloadKind::Atomic => "atomic container signature",
        };
        let found = text(need(critical, "type")?, "critical.type")?;
        if found != expected {
            return Err(PayloadError::Type {
                found: found.chars().take(100).collect(),
                expected,
            });
        }
        let image = object(need(critical, "image")?, "critical.image")?;
        only(image, &["docker-manifest-digest"])?;
        let identity = object(need(critical, "identity")?, "critical.identity")?;
        only(identity, &["docker-reference"])?;
        let optional_node = need(top, "optional")?;
        let (creator, timestamp) = optional(optional_node, kind)?;
        Ok(Self {
            manifest_digest: text(
                need(image, "docker-manifest-digest")?,
                "critical.image.docker-manifest-digest",
            )?
            .into(),
            docker_reference: text(
                need(identity, "docker-reference")?,
                "critical.identity.docker-reference",
            )?
            .into(),
            creator,
            timestamp,
            annotations: strings(optional_node),
        })
    }
}

fn strings(node: &Node) -> Vec<(String, String)> {
    node.as_object()
        .unwrap_or_default()
        .iter()
        .filter_map(|member| Some((member.key.clone(), member.node.as_str()?.into())))
        .collect()
}

fn object<'a>(node: &'a Node, at: &'static str) -> Result<&'a [Member], PayloadError> {
    node.members()
        .map_err(|error| PayloadError::Json { error })?
        .ok_or_else(|| PayloadError::Object {
            at,
            found: node.kind(),
        })
}

fn text<'a>(node: &'a Node, at: &'static str) -> Result<&'a str, PayloadError> {
    node.as_str().ok_or_else(|| PayloadError::Text {
        at,
        found: node.kind(),
    })
}

fn find<'a>(members: &'a [Member], key: &str) -> Option<&'a Node> {
    members
        .iter()
        .find(|member| member.key == key)
        .map(|member| &member.node)
}

fn need<'a>(members: &'a [Member], key: &'static str) -> Result<&'a Node, PayloadError> {
    find(members, key).ok_or(PayloadError::Missing { key })
}

fn only(members: &[Member], known: &[&str]) -> Result<(), PayloadError> {
    match members
        .iter()
        .find(|member| !known.contains(&member.key.as_str()))
    {
        Some(member) => Err(PayloadError::Unknown {
            key: member.key.chars().take(100).collect(),
        }),
        None => Ok(()),
    }
}

/// Members other than these two are not looked at.
fn optional(node: &Node, kind: PayloadKind) -> Result<(Option<String>, Option<i64>), PayloadError> {
    if kind == PayloadKind::Cosign && node.is_null() {
        return Ok((None, None));
    }
    let members = object(node, "optional")?;
    let creator = match find(members, "creator").filter(|node| !node.is_null()) {
        Some(node) => Some(text(node, "optional.creator")?.into()),
        None => None,
    };
    let timestamp = match find(members, "timestamp").filter(|node| !node.is_null()) {
        Some(node) => Some(integer(node)?),
        None => None,
    };
    Ok((creator, timestamp))
}

/// A number whose value, as a double, is an integer of 64 bits.
fn integer(node: &Node) -> Result<i64, PayloadError> {
    let Value::Number(text) = &node.value else {
        return Err(PayloadError::Timestamp);
    };
    number::whole(text).ok_or(PayloadError::Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Coded;
    use alloc::format;

    const GOOD: &str = r#"{"critical":{"identity":{"docker-reference":"a.b/c"},"image":{"docker-manifest-digest":"sha256:x"},"type":"cosign container image signature"},"optional":null}"#;

    fn code(text: &str, kind: PayloadKind) -> &'static str {
        Payload::parse(text.as_bytes(), kind).map_or_else(|error| error.code(), |_| "ok")
    }

    #[test]
    fn cosign_and_atomic() {
        assert_eq!(code(GOOD, PayloadKind::Cosign), "ok");
        assert_eq!(code(GOOD, PayloadKind::Atomic), "payload.type");
        let atomic = GOOD.replace("cosign container image", "atomic container");
        assert_eq!(code(&atomic, PayloadKind::Atomic), "payload.shape");
        assert_eq!(
            code(&atomic.replace("null", "{}"), PayloadKind::Atomic),
            "ok"
        );
    }

    #[test]
    fn annotations_are_the_strings_of_optional() {
        let text = GOOD.replace(
            "null",
            r#"{"team":"red","n":1,"o":{"team":"x"},"creator":"me"}"#,
        );
        let payload = Payload::parse(text.as_bytes(), PayloadKind::Cosign).unwrap();
        assert_eq!(
            payload.annotations,
            [("team", "red"), ("creator", "me")].map(|(k, v)| (k.into(), v.into()))
        );
    }

    #[test]
    fn named_mutations() {
        let optional = |value: &str| GOOD.replace("null", value);
        for (text, expected) in [
            (format!("{GOOD}\n"), "ok"),
            (format!("{GOOD}{{}}"), "payload.json"),
            (String::new(), "payload.json"),
            ("[]".into(), "payload.shape"),
            ("{}".into(), "payload.shape"),
            (GOOD.replace(",\"optional\":null", ""), "payload.shape"),
            (
                GOOD.replace("\"optional\":null", "\"optional\":null,\"x\":1"),
                "payload.shape",
            ),
            (GOOD.replace("\"type\":", "\"Type\":"), "payload.shape"),
            (GOOD.replace("a.b/c\"", "a.b/c\",\"x\":1"), "payload.shape"),
            (GOOD.replace("\"sha256:x\"", "5"), "payload.shape"),
            (
                GOOD.replace(
                    "\"sha256:x\"",
                    "\"sha256:x\",\"docker-manifest-digest\":\"sha256:y\"",
                ),
                "payload.json",
            ),
            (optional("{}"), "ok"),
            (optional("[]"), "payload.shape"),
            (optional(r#"{"creator":null,"timestamp":null}"#), "ok"),
            (optional(r#"{"creator":5}"#), "payload.shape"),
            (optional(r#"{"timestamp":1.0}"#), "ok"),
            (optional(r#"{"timestamp":1e3}"#), "ok"),
            (optional(r#"{"timestamp":-1}"#), "ok"),
            (optional(r#"{"timestamp":1.5}"#), "payload.timestamp"),
            (
                optional(r#"{"timestamp":9223372036854775807}"#),
                "payload.timestamp",
            ),
            (optional(r#"{"timestamp":"1"}"#), "payload.timestamp"),
            (optional(r#"{"timestamp":1e999}"#), "payload.timestamp"),
            (optional(r#"{"a":1,"a":2}"#), "payload.json"),
            (optional(r#"{"a":{"b":1,"b":2}}"#), "ok"),
        ] {
            assert_eq!(code(&text, PayloadKind::Cosign), expected, "{text}");
        }
    }
}
