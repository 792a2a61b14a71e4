//! A value of the policy that knows where it stands, and the readers that every part of the policy
//! shares (docs/containers-image.md section 1.1).
//!
//! The lenient readers ([`Field::string`], [`Field::strings`], [`Field::bytes`]) treat `null` as Go
//! does; the readers of our own members ([`Field::text`], [`Field::list`]) refuse it, and what is
//! empty.

use super::error::Place;
use super::error::PolicyError;
use super::error::shown;
use crate::encoding::base64;
use crate::encoding::json;
use crate::encoding::json::Dialect;
use crate::encoding::json::JsonError;
use crate::encoding::json::Member;
use crate::encoding::json::Node;
use crate::encoding::json::Value;
use crate::limits;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Which members and types exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vocabulary {
    /// Those of containers/image.
    Containers,
    /// Those, and what `"sealgate": {"version": 1}` opens.
    Extended,
}

/// How a value is reached from the one around it.
#[derive(Debug, Clone, Copy)]
enum Segment<'a> {
    Root,
    Key(&'a str),
    Scope(&'a str),
    Index(usize),
}

/// A value in its place. Paths are built only when an error needs one: a scope may be long and have
/// many values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) node: &'a Node,
    pub(super) vocabulary: Vocabulary,
    parent: Option<&'a Field<'a>>,
    segment: Segment<'a>,
}

/// An object whose members are all known and stand once.
pub(super) struct Members<'a> {
    owner: &'a Field<'a>,
    members: &'a [Member],
}

/// Parses `bytes` and reads the value as `read` does.
pub(super) fn parse<T>(
    bytes: &[u8],
    vocabulary: Vocabulary,
    read: impl FnOnce(&Field<'_>) -> Result<T, PolicyError>,
) -> Result<T, PolicyError> {
    read(&Field::root(&document(bytes)?, vocabulary))
}

/// The JSON document, within the bounds on policies.
pub(super) fn document(bytes: &[u8]) -> Result<Node, PolicyError> {
    if bytes.len() > limits::POLICY {
        return Err(PolicyError::TooLarge {
            limit: limits::POLICY,
            found: bytes.len(),
        });
    }
    json::parse(bytes, Dialect::Go).map_err(|error| PolicyError::Json { error })
}

/// Goes on with a path to a member that the document's format names.
pub(super) fn push_key(path: &mut String, key: &str) {
    if key.is_empty()
        || key.len() > 100
        || !key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return push_scope(path, key);
    }
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

/// Goes on with a path to a member that the author names.
pub(super) fn push_scope(path: &mut String, scope: &str) {
    path.push_str(&format!("[{}]", json::quote(&shown(scope))));
}

/// Goes on with a path to an element.
pub(super) fn push_index(path: &mut String, index: usize) {
    path.push_str(&format!("[{index}]"));
}

impl<'a> Field<'a> {
    pub(super) fn root(node: &'a Node, vocabulary: Vocabulary) -> Self {
        Self {
            node,
            vocabulary,
            parent: None,
            segment: Segment::Root,
        }
    }

    pub(super) fn is_extended(&self) -> bool {
        self.vocabulary == Vocabulary::Extended
    }

    fn child<'b>(&'b self, node: &'b Node, segment: Segment<'b>) -> Field<'b> {
        Field {
            node,
            vocabulary: self.vocabulary,
            parent: Some(self),
            segment,
        }
    }

    /// The value of a member whose key is a scope.
    pub(super) fn scope<'b>(&'b self, member: &'b Member) -> Field<'b> {
        self.child(&member.node, Segment::Scope(&member.key))
    }

    /// The value of a member that is named by the document.
    pub(super) fn member<'b>(&'b self, member: &'b Member) -> Field<'b> {
        self.child(&member.node, Segment::Key(&member.key))
    }

    pub(super) fn place(&self) -> Place {
        self.place_at(self.node.span.start)
    }

    fn place_at(&self, at: usize) -> Place {
        let mut pointer = String::new();
        self.point(&mut pointer);
        Place { pointer, at }
    }

    fn point(&self, out: &mut String) {
        // As deep as the document is nested, which is bounded.
        if let Some(parent) = self.parent {
            parent.point(out);
        }
        match self.segment {
            Segment::Root => {}
            Segment::Key(key) => push_key(out, key),
            Segment::Scope(key) => push_scope(out, key),
            Segment::Index(index) => push_index(out, index),
        }
    }

    pub(super) fn wrong<T>(&self, expected: &'static str) -> Result<T, PolicyError> {
        let found = if self.node.is_null() {
            "<nil>"
        } else {
            self.node.kind()
        };
        Err(PolicyError::Type {
            place: self.place(),
            expected,
            found,
        })
    }

    pub(super) fn value<T>(&self, expected: &'static str) -> Result<T, PolicyError> {
        let found = match &self.node.value {
            Value::String(text) => json::quote(&shown(text)),
            Value::Number(text) => shown(text),
            _ => self.node.kind().into(),
        };
        Err(PolicyError::Value {
            place: self.place(),
            expected,
            found,
        })
    }

    /// The members of an object in which no key stands twice.
    pub(super) fn open(&self) -> Result<&'a [Member], PolicyError> {
        match self.node.members() {
            Ok(Some(members)) => Ok(members),
            Ok(None) => self.wrong("JSON object"),
            Err(JsonError::Duplicate { key, at }) => Err(PolicyError::DuplicateKey {
                place: self.place_at(at),
                key: shown(&key),
            }),
            Err(error) => Err(PolicyError::Json { error }),
        }
    }

    /// The members of an object that may have `known` members, and `extended` ones where the
    /// extensions are in force.
    pub(super) fn members(
        &'a self,
        known: &[&str],
        extended: &[&str],
    ) -> Result<Members<'a>, PolicyError> {
        let members = self.open()?;
        for member in members {
            let key = member.key.as_str();
            let ours = extended.contains(&key);
            let understood = known.contains(&key) || ours && self.is_extended();
            if !understood {
                return Err(self.unknown(member, known, ours));
            }
        }
        Ok(Members {
            owner: self,
            members,
        })
    }

    fn unknown(&self, member: &Member, known: &[&str], ours: bool) -> PolicyError {
        let advice = if ours {
            String::from(
                "it is understood only with \"sealgate\": {\"version\": 1} at the top level of \
                 the policy",
            )
        } else {
            format!("expected {}; case matters", known.join(", "))
        };
        PolicyError::UnknownKey {
            place: self.place_at(member.key_span.start),
            key: shown(&member.key),
            advice,
        }
    }

    /// The `type` that chooses how an object is read. As in Go, which reads this one member
    /// leniently: absent and `null` are `""`, and the object's own reader refuses other spellings
    /// of the key.
    pub(super) fn kind(&self) -> Result<&'a str, PolicyError> {
        if self.node.is_null() {
            return Ok("");
        }
        let Some(members) = self.node.as_object() else {
            return self.wrong("JSON object");
        };
        let mut kind = "";
        for member in members
            .iter()
            .filter(|member| member.key.eq_ignore_ascii_case("type"))
        {
            match &member.node.value {
                Value::String(text) => kind = text,
                Value::Null => {}
                _ => return self.member(member).wrong("a string"),
            }
        }
        Ok(kind)
    }

    /// A string; `null` is `""`.
    pub(super) fn string(&self) -> Result<&'a str, PolicyError> {
        match &self.node.value {
            Value::String(text) => Ok(text),
            Value::Null => Ok(""),
            _ => self.wrong("a string"),
        }
    }

    /// A string that says something.
    pub(super) fn text(&self) -> Result<&'a str, PolicyError> {
        match self.node.as_str() {
            Some("") => self.value("a string that is not empty"),
            Some(text) => Ok(text),
            None => self.wrong("a string"),
        }
    }

    /// A whole number from 1.
    pub(super) fn count(&self) -> Result<u64, PolicyError> {
        match self.node.as_u64() {
            Some(count) if count > 0 => Ok(count),
            _ => self.value("a whole number from 1"),
        }
    }

    pub(super) fn boolean(&self) -> Result<bool, PolicyError> {
        if let Value::Bool(value) = self.node.value {
            Ok(value)
        } else {
            self.wrong("true or false")
        }
    }

    /// The elements of an array, each in its place.
    pub(super) fn elements<'b>(&'b self) -> Option<impl Iterator<Item = Field<'b>>> {
        let items = self.node.as_array()?;
        Some(
            items
                .iter()
                .enumerate()
                .map(move |(index, node)| self.child(node, Segment::Index(index))),
        )
    }

    /// An array of ours, read element by element. It may be empty.
    pub(super) fn list<T>(
        &self,
        read: impl Fn(&Field<'_>) -> Result<T, PolicyError>,
    ) -> Result<Vec<T>, PolicyError> {
        let Some(elements) = self.elements() else {
            return self.wrong("an array");
        };
        elements.map(|element| read(&element)).collect()
    }

    /// An array of at most [`limits::KEYS`] values; `null` is `None`.
    fn keys<T>(
        &self,
        read: impl Fn(&Field<'_>) -> Result<T, PolicyError>,
    ) -> Result<Option<Vec<T>>, PolicyError> {
        if self.node.is_null() {
            return Ok(None);
        }
        let found = self.node.as_array().map_or(0, <[Node]>::len);
        if found > limits::KEYS {
            return Err(PolicyError::TooMany {
                place: self.place(),
                limit: limits::KEYS,
                found,
            });
        }
        self.list(read).map(Some)
    }

    /// Strings; `null` is `None`, and among them `""`.
    pub(super) fn strings(&self) -> Result<Option<Vec<String>>, PolicyError> {
        self.keys(|element| element.string().map(Into::into))
    }

    /// Byte strings; `null` is `None`, and among them empty.
    pub(super) fn byte_strings(&self) -> Result<Option<Vec<Vec<u8>>>, PolicyError> {
        self.keys(|element| Ok(element.bytes()?.unwrap_or_default()))
    }

    /// Bytes as Go reads them: base64, or an array of numbers from 0 to 255; `null` is `None`.
    pub(super) fn bytes(&self) -> Result<Option<Vec<u8>>, PolicyError> {
        match &self.node.value {
            Value::Null => Ok(None),
            Value::String(text) => {
                base64::decode_go(text)
                    .map(Some)
                    .ok_or_else(|| PolicyError::Base64 {
                        place: self.place(),
                    })
            }
            Value::Array(_) => self.list(Self::byte).map(Some),
            _ => self.wrong("base64 text"),
        }
    }

    fn byte(element: &Field<'_>) -> Result<u8, PolicyError> {
        if element.node.is_null() {
            return Ok(0);
        }
        match element
            .node
            .as_u64()
            .and_then(|number| u8::try_from(number).ok())
        {
            Some(byte) => Ok(byte),
            None => element.value("a number from 0 to 255"),
        }
    }
}

impl<'a> Members<'a> {
    /// Where the object stands.
    pub(super) fn place(&self) -> Place {
        self.owner.place()
    }

    /// The member of this name.
    pub(super) fn find(&self, key: &str) -> Option<Field<'a>> {
        self.members
            .iter()
            .find(|member| member.key == key)
            .map(|member| self.owner.member(member))
    }

    /// Whether there is a member of this name, whatever its value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.members.iter().any(|member| member.key == key)
    }

    /// The member of this name, which must be there.
    pub(super) fn need(&self, key: &'static str) -> Result<Field<'a>, PolicyError> {
        self.find(key).ok_or_else(|| PolicyError::MissingKey {
            place: self.place(),
            key,
        })
    }

    /// The text of a member; absent and `null` are `""`.
    pub(super) fn string(&self, key: &str) -> Result<&'a str, PolicyError> {
        match self.find(key) {
            Some(field) => field.string(),
            None => Ok(""),
        }
    }

    /// The bytes of a member; absent and `null` are `None`.
    pub(super) fn bytes(&self, key: &str) -> Result<Option<Vec<u8>>, PolicyError> {
        self.find(key).map_or(Ok(None), |field| field.bytes())
    }
}
