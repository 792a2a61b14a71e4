//! Who may have signed (docs/trust.md section 5): patterns for the issuer and the subject of a
//! certificate, and its claims.
//!
//! Regular expressions have RE2's syntax and meaning, as Go's `regexp` does for cosign and
//! policy-controller. Whatever the library would read otherwise, or not at all, is refused when the
//! expression is read. They speak of ASCII: a text with other characters matches no expression, and
//! is written out instead.

use crate::limits;
use crate::x509::fulcio::Claims;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
#[cfg(feature = "expressions")]
use regex_automata::{
    nfa::thompson::{NFA, pikevm::PikeVM},
    util::syntax,
};

codes! {
    /// This is no regular expression that is understood here.
    pub enum PatternError {
        Empty => "pattern.empty",
            "expected a text, found an empty one: an empty issuer or subject would say nothing";
        TooLong { limit: usize } => "pattern.too-long",
            "expected a regular expression of at most {limit} bytes: write the texts that are \
             meant, one entry each";
        UnicodeClass => "pattern.unicode-class",
            "expected a regular expression without Unicode classes (\\p, \\P): list the letters \
             instead";
        NotAscii => "pattern.not-ascii",
            "expected a regular expression of ASCII characters: give a text with other characters \
             exactly, not as an expression";
        Construct { found: String } => "pattern.construct",
            "expected RE2's syntax, found {found}, which it lacks or reads otherwise: escape it, or \
             leave it out";
        Syntax { error: String } => "pattern.syntax", "expected RE2's syntax: {error}";
        /// Nothing is decided without it: whoever holds a larger module asks that one.
        Part => "part.missing",
            "regular expressions are not part of this build: use one with the feature expressions, \
             or give the text exactly";
    }
}

/// A compiled expression; where this build has none, a value that cannot exist.
#[cfg(feature = "expressions")]
#[derive(Clone)]
struct Machine(PikeVM);

/// A compiled expression; where this build has none, a value that cannot exist.
#[cfg(not(feature = "expressions"))]
#[derive(Clone)]
enum Machine {}

/// A regular expression, ready to match.
#[derive(Clone)]
pub struct Regexp {
    text: String,
    machine: Machine,
}

/// What a text must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// Byte for byte.
    Exact(String),
    /// The whole text matches: `\A(?:…)\z`.
    Whole(Regexp),
    /// A part of the text matches, as cosign's `--certificate-…-regexp` has it.
    Search(Regexp),
}

/// One identity: all of it must match one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The issuer of the identity.
    pub issuer: Pattern,
    /// The certificate's subject alternative name.
    pub subject: Pattern,
    /// Further claims of the certificate, by sigstore-go's names, compared exactly.
    pub claims: Vec<(String, String)>,
}

impl Pattern {
    /// Exactly this text.
    ///
    /// # Errors
    /// [`PatternError::Empty`].
    pub fn exact(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            Err(PatternError::Empty)
        } else {
            Ok(Self::Exact(text.into()))
        }
    }

    /// An expression for the whole text.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn whole(text: &str) -> Result<Self, PatternError> {
        Regexp::new(text, |text| format!(r"\A(?:{text})\z")).map(Self::Whole)
    }

    /// An expression for a part of the text.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn search(text: &str) -> Result<Self, PatternError> {
        Regexp::new(text, |text| text.into()).map(Self::Search)
    }

    /// Whether `text` is what is wanted.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(wanted) => wanted == text,
            Self::Whole(regexp) | Self::Search(regexp) => regexp.is_match(text),
        }
    }

    /// As a policy or a command line writes it.
    pub fn text(&self) -> &str {
        match self {
            Self::Exact(text) => text,
            Self::Whole(regexp) | Self::Search(regexp) => &regexp.text,
        }
    }

    /// Whether it is searched for and nothing holds it to the start and the end of a text.
    pub fn is_unanchored(&self) -> bool {
        let Self::Search(Regexp { text, .. }) = self else {
            return false;
        };
        let starts = text.starts_with('^') || text.starts_with(r"\A");
        let ends = text.ends_with('$') || text.ends_with(r"\z");
        !starts || !ends || has_alternatives(text)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(text) => f.write_str(text),
            Self::Whole(regexp) => write!(f, "whatever matches {} as a whole", regexp.text),
            Self::Search(regexp) => write!(f, "whatever matches {} in a part", regexp.text),
        }
    }
}

impl Identity {
    /// Exactly these.
    ///
    /// # Errors
    /// [`PatternError::Empty`].
    pub fn exact(issuer: &str, subject: &str) -> Result<Self, PatternError> {
        Ok(Self {
            issuer: Pattern::exact(issuer)?,
            subject: Pattern::exact(subject)?,
            claims: Vec::new(),
        })
    }

    /// Whether a certificate with these claims is of this identity. A claim that it lacks never
    /// matches.
    pub(crate) fn matches(&self, claims: &Claims) -> bool {
        claims
            .issuer()
            .is_some_and(|issuer| self.issuer.matches(issuer))
            && self.subject.matches(claims.subject().text())
            && self.missed(claims).next().is_none()
    }

    /// The claims that are wanted and are not the certificate's, by name.
    pub(crate) fn missed(&self, claims: &Claims) -> impl Iterator<Item = &str> {
        self.claims
            .iter()
            .filter(|(name, wanted)| claims.get(name) != Some(wanted))
            .map(|(name, _)| name.as_str())
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (vouched for by {})", self.subject, self.issuer)?;
        self.claims
            .iter()
            .try_for_each(|(name, wanted)| write!(f, ", {name} {wanted}"))
    }
}

impl Regexp {
    fn new(text: &str, wrap: impl FnOnce(&str) -> String) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.len() > limits::REGEXP {
            return Err(PatternError::TooLong {
                limit: limits::REGEXP,
            });
        }
        if !text.is_ascii() {
            return Err(PatternError::NotAscii);
        }
        check(text)?;
        Ok(Self {
            text: text.into(),
            machine: Machine::new(text, &wrap(text))?,
        })
    }

    fn is_match(&self, text: &str) -> bool {
        text.is_ascii() && text.len() <= limits::REGEXP_TEXT && self.machine.is_match(text)
    }
}

#[cfg(not(feature = "expressions"))]
impl Machine {
    fn new(_: &str, _: &str) -> Result<Self, PatternError> {
        Err(PatternError::Part)
    }

    fn is_match(&self, _: &str) -> bool {
        match *self {}
    }
}

#[cfg(feature = "expressions")]
impl Machine {
    fn new(text: &str, wrapped: &str) -> Result<Self, PatternError> {
        let syntax = syntax::Config::new().unicode(false).utf8(false);
        let wrong = |error: String| PatternError::Syntax {
            error: error
                .lines()
                .last()
                .unwrap_or_default()
                .chars()
                .take(200)
                .collect(),
        };
        // Alone first: what would close the group around it is no expression.
        syntax::parse_with(text, &syntax).map_err(|error| wrong(format!("{error}")))?;
        let config = NFA::config()
            .utf8(false)
            .nfa_size_limit(Some(limits::REGEXP_COMPILED));
        let compiled = NFA::compiler()
            .syntax(syntax)
            .configure(config)
            .build(wrapped)
            .map_err(|error| wrong(format!("{error}")))?;
        PikeVM::new_from_nfa(compiled)
            .map(Self)
            .map_err(|error| wrong(format!("{error}")))
    }

    fn is_match(&self, text: &str) -> bool {
        self.0.is_match(&mut self.0.create_cache(), text)
    }
}

impl fmt::Debug for Regexp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl PartialEq for Regexp {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Regexp {}

/// Whether a `|` stands outside of every group and set: then `^` and `$` hold one end each of
/// another alternative.
fn has_alternatives(text: &str) -> bool {
    bare_characters(text).any(|(_, character, depth)| character == '|' && depth == 0)
}

/// The characters of an expression that are neither escaped nor in a set: where they are, and in
/// how many groups; a parenthesis counts as outside of its own.
pub(crate) fn bare_characters(text: &str) -> impl Iterator<Item = (usize, char, usize)> {
    let (mut depth, mut in_set, mut escaped) = (0_usize, false, false);
    text.char_indices().filter_map(move |(at, character)| {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_set = true,
            ']' => in_set = false,
            _ if in_set => {}
            '(' => {
                depth = depth.saturating_add(1);
                return Some((at, character, depth.saturating_sub(1)));
            }
            ')' => {
                depth = depth.saturating_sub(1);
                return Some((at, character, depth));
            }
            _ => return Some((at, character, depth)),
        }
        None
    })
}

/// What RE2 lacks or reads otherwise than the library: `\<`, `\b{…}`, sets within sets, set
/// operations, other flags.
fn check(text: &str) -> Result<(), PatternError> {
    let refuse = |found: &str| {
        Err(PatternError::Construct {
            found: found.into(),
        })
    };
    let mut bytes = text.bytes().peekable();
    let mut in_set = false;
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(b'p' | b'P') => return Err(PatternError::UnicodeClass),
                Some(b'b' | b'B') if bytes.peek() == Some(&b'{') => return refuse(r"\b{"),
                Some(
                    b'A' | b'z' | b'a' | b'b' | b'B' | b'd' | b'D' | b'f' | b'n' | b'r' | b's'
                    | b'S' | b't' | b'v' | b'w' | b'W' | b'x',
                ) => {}
                Some(other) if other.is_ascii_alphanumeric() || matches!(other, b'<' | b'>') => {
                    return refuse(&format!("\\{}", char::from(other)));
                }
                _ => {}
            },
            b'[' if !in_set => {
                in_set = true;
                bytes.next_if_eq(&b'^');
                bytes.next_if_eq(&b']');
            }
            b'[' if bytes.peek() == Some(&b':') => {
                while bytes.next().is_some_and(|byte| byte != b']') {}
            }
            b'[' => return refuse("[ within a set"),
            b']' => in_set = false,
            b'&' | b'-' | b'~' if in_set && bytes.peek() == Some(&byte) => {
                return refuse("an operation on sets");
            }
            b'(' if !in_set
                && bytes.next_if_eq(&b'?').is_some()
                && !matches!(bytes.peek(), Some(b'P' | b'<')) =>
            {
                while let Some(flag) = bytes.next_if(|byte| !matches!(byte, b':' | b')')) {
                    if !matches!(flag, b'i' | b'm' | b's' | b'U' | b'-') {
                        return refuse(&format!("(?{}", char::from(flag)));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Coded;

    /// Go 1.26's `regexp` gave these answers.
    #[test]
    fn expressions_match_as_in_re2() {
        for (expression, text, whole, search) in [
            ("a", "a", true, true),
            ("a", "ba", false, true),
            ("a|b", "b", true, true),
            ("a|b", "bc", false, true),
            (".*@example\\.com", "x@example.com", true, true),
            (".*@example\\.com", "x@example.com.evil", false, true),
            (
                "^https://github\\.com/acme/.*$",
                "https://github.com/acme/x",
                true,
                true,
            ),
            (
                "https://github.com/acme/",
                "https://github.com/acme/x",
                false,
                true,
            ),
            (r"\w+\d", "ab1", true, true),
            ("(?i)ACME", "acme", true, true),
            ("[[:alpha:]]+", "abc", true, true),
            ("[^]a]", "b", true, true),
            ("[]a]", "]", true, true),
            ("a.c", "a\nc", false, false),
            ("(?s)a.c", "a\nc", true, true),
            ("a$", "a\n", false, false),
            ("(?m)a$", "a\n", false, true),
            (r"\x41", "A", true, true),
            ("(?P<n>a)(?<m>b)", "ab", true, true),
            ("x*", "", true, true),
        ] {
            assert_eq!(
                Pattern::whole(expression).unwrap().matches(text),
                whole,
                "{expression} whole {text:?}"
            );
            assert_eq!(
                Pattern::search(expression).unwrap().matches(text),
                search,
                "{expression} in {text:?}"
            );
        }
        assert!(!Pattern::whole(".*").unwrap().matches("jürgen@example.com"));
        assert!(
            !Pattern::whole(".*")
                .unwrap()
                .matches(&"a".repeat(limits::REGEXP_TEXT + 1))
        );
    }

    #[test]
    fn what_re2_lacks_is_refused() {
        for (expression, code) in [
            ("", "pattern.empty"),
            (r"\pL", "pattern.unicode-class"),
            (r"[\p{Greek}]", "pattern.unicode-class"),
            ("é", "pattern.not-ascii"),
            (r"\<a", "pattern.construct"),
            (r"a\b{start}", "pattern.construct"),
            ("(?x)a #", "pattern.construct"),
            ("(?R)a", "pattern.construct"),
            ("[a[b]]", "pattern.construct"),
            ("[a&&b]", "pattern.construct"),
            ("[a--b]", "pattern.construct"),
            (r"\u0041", "pattern.construct"),
            (r"\1", "pattern.construct"),
            ("a)|(?:b", "pattern.syntax"),
            ("(?=a)", "pattern.construct"),
            ("(", "pattern.syntax"),
            ("[", "pattern.syntax"),
            ("\\", "pattern.syntax"),
            ("(((a{100}){100}){100})", "pattern.syntax"),
        ] {
            assert_eq!(
                Pattern::whole(expression).unwrap_err().code(),
                code,
                "{expression}"
            );
            assert_eq!(
                Pattern::search(expression).unwrap_err().code(),
                code,
                "{expression}"
            );
        }
        assert_eq!(
            Pattern::whole(&"a".repeat(1025)).unwrap_err().code(),
            "pattern.too-long"
        );
    }

    #[test]
    fn anchors_hold_both_ends() {
        for (expression, unanchored) in [
            ("^a$", false),
            (r"\Aa\z", false),
            ("a", true),
            ("^a", true),
            ("a$", true),
            ("^a|b$", true),
            ("^(a|b)$", false),
            (r"^a\|b$", false),
            ("^[|]$", false),
        ] {
            assert_eq!(
                Pattern::search(expression).unwrap().is_unanchored(),
                unanchored,
                "{expression}"
            );
        }
        assert!(!Pattern::whole("a").unwrap().is_unanchored());
    }
}
