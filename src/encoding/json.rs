//! JSON (RFC 8259) for hostile input: one value, every key and value with its byte range, duplicate
//! keys seen after unescaping, numbers kept as text, nesting bounded.
//!
//! In scope: reading. Out of scope: numbers as values (each format says what it takes), writing
//! beyond [`quote`] and [`list`]. serde_json accepts duplicates in maps and has no positions on values; it is
//! the oracle of the tests here.

use crate::limits;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

/// How a reader of this format treats what RFC 8259 leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Invalid UTF-8, lone surrogates and duplicate keys are errors, wherever they stand.
    Strict,
    /// As Go's `encoding/json` reads `policy.json` and signature payloads: invalid UTF-8 and lone
    /// surrogates become U+FFFD. Duplicate keys stay visible; [`Node::members`] refuses them, so
    /// that only objects that are read count.
    Go,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Its bytes in the document.
    pub span: Range<usize>,
}

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it was written.
    Number(String),
    /// A string, unescaped.
    String(String),
    /// An array.
    Array(Vec<Node>),
    /// An object, members in the order of the document; under [`Dialect::Go`] possibly with
    /// duplicates.
    Object(Vec<Member>),
}

/// One member of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The key, unescaped.
    pub key: String,
    /// Where the key stands, quotes included.
    pub key_span: Range<usize>,
    /// The value.
    pub node: Node,
}

codes! {
    /// These bytes are no JSON document. `at` counts bytes from 0.
    pub enum JsonError {
        Syntax { at: usize, expected: &'static str } => "json.syntax",
            "JSON: expected {expected} at byte {at}";
        Utf8 { at: usize } => "json.utf8",
            "JSON: the bytes at {at} are not UTF-8, or name half of a surrogate pair";
        Depth { at: usize } => "json.depth", "JSON: nested deeper than 64 levels at byte {at}";
        Values { at: usize } => "json.values",
            "JSON: more than 262144 values; the first beyond stands at byte {at}";
        Duplicate { key: String, at: usize } => "json.duplicate-key",
            "JSON: Duplicate key \"{key}\" at byte {at}";
        Trailing { at: usize } => "json.trailing",
            "JSON: one value was expected, something follows it at byte {at}";
    }
}

/// Reads one JSON value with nothing but white space around it.
///
/// # Errors
/// [`JsonError`], with the byte at which reading stopped.
pub fn parse(bytes: &[u8], dialect: Dialect) -> Result<Node, JsonError> {
    let mut reader = Reader {
        bytes,
        at: 0,
        dialect,
        left: limits::JSON_VALUES,
    };
    reader.space();
    let node = reader.value(0)?;
    reader.space();
    if reader.at == bytes.len() {
        Ok(node)
    } else {
        Err(JsonError::Trailing { at: reader.at })
    }
}

impl Node {
    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = &self.value {
            Some(text)
        } else {
            None
        }
    }

    /// The elements of an array.
    pub fn as_array(&self) -> Option<&[Node]> {
        if let Value::Array(items) = &self.value {
            Some(items)
        } else {
            None
        }
    }

    /// The members of an object, duplicates not excluded under [`Dialect::Go`].
    pub fn as_object(&self) -> Option<&[Member]> {
        if let Value::Object(members) = &self.value {
            Some(members)
        } else {
            None
        }
    }

    /// The integer that a number writes without fraction or exponent, if it fits.
    pub fn as_u64(&self) -> Option<u64> {
        if let Value::Number(text) = &self.value {
            text.parse().ok()
        } else {
            None
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// What kind of value this is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }

    /// The first member of this name; `None` also when this is no object.
    pub fn member(&self, key: &str) -> Option<&Node> {
        self.as_object()?
            .iter()
            .find(|member| member.key == key)
            .map(|member| &member.node)
    }

    /// The members of an object in which no key stands twice; `Ok(None)` when this is no object.
    ///
    /// # Errors
    /// [`JsonError::Duplicate`].
    pub fn members(&self) -> Result<Option<&[Member]>, JsonError> {
        let Some(members) = self.as_object() else {
            return Ok(None);
        };
        unique(members)?;
        Ok(Some(members))
    }
}

fn unique(members: &[Member]) -> Result<(), JsonError> {
    let mut keys: Vec<(&str, usize)> = members
        .iter()
        .map(|member| (member.key.as_str(), member.key_span.start))
        .collect();
    keys.sort_unstable();
    let twice = keys.windows(2).filter_map(|pair| match pair {
        [(a, _), (b, at)] if a == b => Some((*b, *at)),
        _ => None,
    });
    match twice.min_by_key(|(_, at)| *at) {
        Some((key, at)) => Err(JsonError::Duplicate {
            key: key.into(),
            at,
        }),
        None => Ok(()),
    }
}

/// `texts` as a JSON array of strings.
pub fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quote(text)).collect();
    alloc::format!("[{}]", quoted.join(","))
}

/// `text` as a JSON string, quotes included.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let is_escaped = |byte: u8| matches!(byte, b'"' | b'\\' | 0..0x20 | 0x7f);
    let mut rest = text;
    // What needs no escape is taken over in one piece.
    while let Some((plain, tail)) =
        (rest.bytes().position(is_escaped)).and_then(|at| rest.split_at_checked(at))
    {
        out.push_str(plain);
        let mut tail = tail.chars();
        match tail.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some(c) => out.push_str(&alloc::format!("\\u{:04x}", u32::from(c))),
            None => {}
        }
        rest = tail.as_str();
    }
    out.push_str(rest);
    out.push('"');
    out
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    dialect: Dialect,
    /// Values that may still be read.
    left: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn syntax<T>(&self, expected: &'static str) -> Result<T, JsonError> {
        Err(JsonError::Syntax {
            at: self.at,
            expected,
        })
    }

    fn eat(&mut self, byte: u8, expected: &'static str) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return self.syntax(expected);
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Node, JsonError> {
        let start = self.at;
        self.left = self
            .left
            .checked_sub(1)
            .ok_or(JsonError::Values { at: start })?;
        let value = match self.peek() {
            Some(b'{') => self.object(depth + 1)?,
            Some(b'[') => self.array(depth + 1)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => return self.syntax("a value"),
        };
        Ok(Node {
            value,
            span: start..self.at,
        })
    }

    fn enter(&mut self, depth: usize) -> Result<(), JsonError> {
        if depth > limits::JSON_DEPTH {
            return Err(JsonError::Depth { at: self.at });
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.enter(depth)?;
        let mut members = Vec::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(members));
        }
        loop {
            let start = self.at;
            let key = self.string()?;
            let key_span = start..self.at;
            self.space();
            self.eat(b':', "a colon")?;
            self.space();
            let node = self.value(depth)?;
            members.push(Member {
                key,
                key_span,
                node,
            });
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return self.syntax("a comma or the end of the object"),
            }
            self.space();
        }
        self.at += 1;
        if self.dialect == Dialect::Strict {
            unique(&members)?;
        }
        Ok(Value::Object(members))
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.enter(depth)?;
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return self.syntax("a comma or the end of the array"),
            }
            self.space();
        }
        self.at += 1;
        Ok(Value::Array(items))
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, JsonError> {
        let end = self.at + word.len();
        if self.bytes.get(self.at..end) != Some(word.as_bytes()) {
            return self.syntax("a value");
        }
        self.at = end;
        Ok(value)
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return self.syntax("a digit");
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1
        } else {
            self.digits()?
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = self.bytes.get(start..self.at).unwrap_or_default();
        Ok(Value::Number(
            text.iter().map(|byte| char::from(*byte)).collect(),
        ))
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.eat(b'"', "a string")?;
        let mut text = String::new();
        loop {
            self.plain(&mut text)?;
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape(&mut text)?,
                _ => return self.syntax("the end of the string"),
            }
        }
        self.at += 1;
        Ok(text)
    }

    /// Takes characters up to a quote, a backslash, a control character or the end.
    fn plain(&mut self, text: &mut String) -> Result<(), JsonError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
            .unwrap_or(rest.len());
        let mut run = rest.get(..length).unwrap_or_default();
        while !run.is_empty() {
            match core::str::from_utf8(run) {
                Ok(valid) => {
                    text.push_str(valid);
                    break;
                }
                Err(error) => {
                    let (valid, broken) = run.split_at(error.valid_up_to());
                    if self.dialect == Dialect::Strict {
                        return Err(JsonError::Utf8 {
                            at: self.at + length - broken.len(),
                        });
                    }
                    text.push_str(core::str::from_utf8(valid).unwrap_or_default());
                    // Go replaces byte by byte.
                    text.push(char::REPLACEMENT_CHARACTER);
                    run = broken.get(1..).unwrap_or_default();
                }
            }
        }
        self.at += length;
        Ok(())
    }

    fn escape(&mut self, text: &mut String) -> Result<(), JsonError> {
        self.at += 1;
        let simple = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(text),
            _ => return self.syntax("an escape"),
        };
        self.at += 1;
        text.push(simple);
        Ok(())
    }

    /// At the `u` of an escape.
    fn unicode(&mut self, text: &mut String) -> Result<(), JsonError> {
        let start = self.at;
        let Some(unit) = self.unit(self.at + 1) else {
            return self.syntax("four hexadecimal digits");
        };
        self.at += 5;
        let mut decoded = char::from_u32(unit);
        if (0xd800..0xdc00).contains(&unit)
            && self.bytes.get(self.at..self.at + 2) == Some(b"\\u")
            && let Some(low) = self
                .unit(self.at + 2)
                .filter(|low| (0xdc00..0xe000).contains(low))
        {
            decoded = char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
            self.at += 6;
        }
        match (decoded, self.dialect) {
            (Some(c), _) => text.push(c),
            (None, Dialect::Go) => text.push(char::REPLACEMENT_CHARACTER),
            (None, Dialect::Strict) => return Err(JsonError::Utf8 { at: start }),
        }
        Ok(())
    }

    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.bytes.get(at..at + 4)?;
        digits.iter().try_fold(0, |unit, digit| {
            Some((unit << 4) | char::from(*digit).to_digit(16)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Coded;
    use alloc::format;
    use proptest::prelude::*;

    fn strict(text: &str) -> Result<Node, JsonError> {
        parse(text.as_bytes(), Dialect::Strict)
    }

    /// Each value costs many times its own byte in memory.
    #[test]
    fn values_are_counted() {
        let list = |values: usize| format!("[{}0]", "0,".repeat(values - 2));
        assert!(parse(list(limits::JSON_VALUES).as_bytes(), Dialect::Strict).is_ok());
        let error = parse(list(limits::JSON_VALUES + 1).as_bytes(), Dialect::Go).unwrap_err();
        assert_eq!(
            (error.code(), error),
            (
                "json.values",
                JsonError::Values {
                    at: 2 * limits::JSON_VALUES - 1
                }
            )
        );
    }

    #[test]
    fn positions() {
        let node = strict(r#" {"a": [1, "b"]} "#).unwrap();
        assert_eq!(node.span, 1..16);
        let member = &node.as_object().unwrap()[0];
        assert_eq!(
            (member.key_span.clone(), member.node.span.clone()),
            (2..5, 7..15)
        );
    }

    #[test]
    fn refuses() {
        for (text, code) in [
            ("", "json.syntax"),
            ("{", "json.syntax"),
            ("[1,]", "json.syntax"),
            ("{\"a\":1,}", "json.syntax"),
            ("// x\n1", "json.syntax"),
            ("01", "json.trailing"),
            ("1.", "json.syntax"),
            ("-", "json.syntax"),
            ("+1", "json.syntax"),
            ("1e", "json.syntax"),
            ("\u{feff}1", "json.syntax"),
            ("nul", "json.syntax"),
            ("\"\n\"", "json.syntax"),
            ("\"\\x\"", "json.syntax"),
            ("1 2", "json.trailing"),
            (r#"{"a":1,"\u0061":2}"#, "json.duplicate-key"),
            (r#"{"x":{"a":1,"a":2}}"#, "json.duplicate-key"),
            (r#""\ud800""#, "json.utf8"),
            (r#""\udc00\ud800""#, "json.utf8"),
        ] {
            assert_eq!(strict(text).unwrap_err().code(), code, "{text}");
        }
        assert_eq!(
            parse(b"\"\xff\"", Dialect::Strict).unwrap_err(),
            JsonError::Utf8 { at: 1 }
        );
    }

    #[test]
    fn go_replaces() {
        let text = |bytes: &[u8]| {
            parse(bytes, Dialect::Go)
                .unwrap()
                .as_str()
                .unwrap()
                .chars()
                .collect::<String>()
        };
        assert_eq!(text(b"\"\xff\xfea\""), "\u{fffd}\u{fffd}a");
        assert_eq!(text(br#""\ud800\u0041""#), "\u{fffd}A");
        assert_eq!(text(br#""\ud83d\ude00""#), "\u{1f600}");
        let twice = parse(br#"{"a":1,"\u0061":2}"#, Dialect::Go).unwrap();
        assert_eq!(
            twice.members().unwrap_err(),
            JsonError::Duplicate {
                key: "a".into(),
                at: 7
            }
        );
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(strict(&nested(64)).is_ok());
        assert_eq!(strict(&nested(65)).unwrap_err().code(), "json.depth");
        assert_eq!(
            strict(&"[".repeat(100_000)).unwrap_err().code(),
            "json.depth"
        );
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(text in r#"[\[\]{}:,"\\a-c0-2eE.+\-u \n]{0,24}"#) {
            let ours = strict(&text);
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            if let Err(JsonError::Duplicate { .. } | JsonError::Utf8 { .. }) = ours { return Ok(()) }
            // serde_json refuses numbers beyond f64; we keep them as text.
            if theirs.as_ref().is_err_and(|e| format!("{e}").contains("out of range")) { return Ok(()) }
            prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} {:?}", ours, theirs);
        }

        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = parse(&bytes, Dialect::Strict);
            let _ = parse(&bytes, Dialect::Go);
        }

        #[test]
        fn quoting_round_trips(text: String) {
            let node = strict(&quote(&text)).unwrap();
            prop_assert_eq!(node.as_str(), Some(text.as_str()));
        }
    }
}
