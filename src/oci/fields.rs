//! Members of an object, read as Go's clients read them, and refused where they would read
//! something else.
//!
//! Go's `encoding/json` matches member names without regard to case. A document with `layers` and
//! `Layers` would mean one thing here and another to podman, so a name that only *folds* to a known
//! one is refused.

use crate::encoding::json::Member;
use crate::encoding::json::Node;
use crate::oci::error::OciError;
use alloc::string::String;
use alloc::vec::Vec;

/// The members of one object.
pub(super) struct Fields<'a>(&'a [Member]);

impl<'a> Fields<'a> {
    /// The object `node`, called `what` in messages, in which `known` are the names that clients
    /// read.
    pub(super) fn of(
        node: &'a Node,
        what: &'static str,
        known: &[&'static str],
    ) -> Result<Self, OciError> {
        let members = node
            .as_object()
            .ok_or_else(|| wrong(what, "an object", Some(node)))?;
        for member in members {
            if let Some(name) = known.iter().find(|name| folds_to(&member.key, name)) {
                return Err(OciError::Spelling {
                    found: shown(&member.key),
                    member: name,
                });
            }
        }
        Ok(Self(members))
    }

    /// The value, whatever it is.
    pub(super) fn node(&self, key: &str) -> Option<&'a Node> {
        self.0
            .iter()
            .find(|member| member.key == key)
            .map(|member| &member.node)
    }

    /// The value, unless it is `null`, which Go's clients write and read for nothing.
    fn value(&self, key: &str) -> Option<&'a Node> {
        self.node(key).filter(|node| !node.is_null())
    }

    /// A string; absent and empty are the same.
    pub(super) fn text(&self, key: &'static str) -> Result<Option<String>, OciError> {
        let Some(node) = self.value(key) else {
            return Ok(None);
        };
        let text = node
            .as_str()
            .ok_or_else(|| wrong(key, "a string", Some(node)))?;
        Ok((!text.is_empty()).then(|| text.into()))
    }

    /// A string that must be there.
    pub(super) fn required_text(&self, key: &'static str) -> Result<String, OciError> {
        self.text(key)?
            .ok_or_else(|| wrong(key, "a string", self.node(key)))
    }

    /// A value that must be there.
    pub(super) fn required(
        &self,
        key: &'static str,
        expected: &'static str,
    ) -> Result<&'a Node, OciError> {
        self.node(key).ok_or_else(|| wrong(key, expected, None))
    }

    /// The elements of an array; absent and `null` are the same as empty.
    pub(super) fn array(&self, key: &'static str) -> Result<&'a [Node], OciError> {
        let Some(node) = self.value(key) else {
            return Ok(&[]);
        };
        node.as_array()
            .ok_or_else(|| wrong(key, "an array", Some(node)))
    }

    /// An array of strings.
    pub(super) fn texts(&self, key: &'static str) -> Result<Vec<String>, OciError> {
        let text = |node: &Node| {
            node.as_str()
                .map(Into::into)
                .ok_or_else(|| wrong(key, "strings", Some(node)))
        };
        self.array(key)?.iter().map(text).collect()
    }

    /// An object of strings, in the document's order.
    pub(super) fn map(&self, key: &'static str) -> Result<Vec<(String, String)>, OciError> {
        let Some(node) = self.value(key) else {
            return Ok(Vec::new());
        };
        let members = node
            .as_object()
            .ok_or_else(|| wrong(key, "an object", Some(node)))?;
        let pair = |member: &Member| {
            let text = member
                .node
                .as_str()
                .ok_or_else(|| wrong(key, "strings as values", Some(&member.node)))?;
            Ok((member.key.clone(), text.into()))
        };
        members.iter().map(pair).collect()
    }

    /// A nested object that may be absent.
    pub(super) fn optional<T>(
        &self,
        key: &str,
        parse: impl FnOnce(&'a Node) -> Result<T, OciError>,
    ) -> Result<Option<T>, OciError> {
        self.value(key).map(parse).transpose()
    }
}

fn wrong(member: &'static str, expected: &'static str, found: Option<&Node>) -> OciError {
    let found = match found {
        None => "nothing",
        Some(node) if node.as_str() == Some("") => "an empty string",
        Some(node) => node.kind(),
    };
    OciError::Member {
        member,
        expected,
        found,
    }
}

/// The beginning of text from outside, for messages.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(160).collect()
}

/// Whether Go would take `key` for `name` though it is another.
fn folds_to(key: &str, name: &str) -> bool {
    key != name && folded(key).eq(folded(name))
}

/// A member's name as Go compares it (`encoding/json`, `foldName`). Besides letters of the other
/// case, Unicode folds the long s and the Kelvin sign.
pub(crate) fn folded(name: &str) -> impl Iterator<Item = char> {
    name.chars().map(|c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_is_that_of_go() {
        for key in ["Layers", "LAYERS", "layer\u{17f}"] {
            assert!(folds_to(key, "layers"), "{key}");
        }
        assert!(folds_to("\u{212a}ey", "key"));
        for key in ["layers", "layer", "layers ", "\u{142}ayers"] {
            assert!(!folds_to(key, "layers"), "{key}");
        }
    }
}
