//! What can be seen of a regular expression without running it: whether it matches any string, and
//! dots that were meant as dots. In doubt nothing is said.

use crate::sigstore::identity::bare_characters;
use alloc::string::String;

/// What an expression leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    /// Any string.
    String,
    /// Any address.
    Address,
}

/// Whether the expression, matched whole, says nothing: one of its alternatives is made of
/// wildcards.
pub(super) fn open(expression: &str) -> Option<Open> {
    let all = |text: &str| alternatives(text, 0);
    if all(expression) {
        return Some(Open::String);
    }
    let plain = expression
        .trim_start_matches(['^', '('])
        .trim_start_matches("\\A");
    let scheme = [
        "https?://",
        "https://",
        "http://",
        "http(s)?://",
        "https?:\\/\\/",
        "https:\\/\\/",
    ];
    let rest = scheme
        .iter()
        .find_map(|scheme| plain.strip_prefix(scheme))?;
    let closing = expression
        .matches('(')
        .count()
        .checked_sub(rest.matches('(').count() + usize::from(plain.starts_with("http(s)?")))?;
    let rest = (0..closing).fold(rest, |rest, _| {
        rest.trim_end_matches('$').strip_suffix(')').unwrap_or(rest)
    });
    all(rest).then_some(Open::Address)
}

/// Nesting that is looked into.
const DEPTH: usize = 16;

/// Whether one of the alternatives is wild.
fn alternatives(text: &str, depth: usize) -> bool {
    let mut start = 0;
    for (at, _, _) in
        bare_characters(text).filter(|(_, character, level)| *character == '|' && *level == 0)
    {
        if text.get(start..at).is_some_and(|one| sequence(one, depth)) {
            return true;
        }
        start = at + 1;
    }
    text.get(start..).is_some_and(|one| sequence(one, depth))
}

/// Whether all pieces can be nothing, or are wild, and one is wild and repeats without end.
fn sequence(mut text: &str, depth: usize) -> bool {
    const WILD: [&str; 7] = [
        ".", "[\\s\\S]", "[\\S\\s]", "[\\w\\W]", "[\\W\\w]", "[\\d\\D]", "[\\D\\d]",
    ];
    const NOTHING: [&str; 6] = ["^", "$", "\\A", "\\z", "(?s)", "(?i)"];
    let mut wild = false;
    while !text.is_empty() {
        if let Some(rest) = NOTHING.iter().find_map(|piece| text.strip_prefix(piece)) {
            text = rest;
        } else if let Some(rest) = WILD.iter().find_map(|piece| text.strip_prefix(piece)) {
            let Some(after) = endless(rest) else {
                return false;
            };
            wild = true;
            text = after;
        } else if let Some((inner, rest)) = group(text) {
            if depth >= DEPTH || !alternatives(inner, depth + 1) {
                return false;
            }
            wild = true;
            // However often it repeats, once is enough.
            text = quantifier(rest).unwrap_or(rest);
        } else {
            return false;
        }
    }
    wild
}

/// What follows a quantifier without upper bound.
fn endless(text: &str) -> Option<&str> {
    let rest = ["*", "+", "{0,}", "{1,}"]
        .iter()
        .find_map(|quantifier| text.strip_prefix(quantifier))?;
    Some(rest.strip_prefix('?').unwrap_or(rest))
}

fn quantifier(text: &str) -> Option<&str> {
    endless(text).or_else(|| text.strip_prefix('?'))
}

/// The inside of a group at the beginning, and what follows it.
fn group(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('(')?;
    let (end, _, _) =
        bare_characters(text).find(|(_, character, level)| *character == ')' && *level == 0)?;
    let body = text.get(1..end)?;
    let body = body
        .strip_prefix("?:")
        .or_else(|| named(body))
        .unwrap_or(body);
    Some((body, text.get(end + 1..)?))
}

fn named(body: &str) -> Option<&str> {
    let rest = body
        .strip_prefix("?P<")
        .or_else(|| body.strip_prefix("?<"))?;
    Some(rest.split_once('>')?.1)
}

/// The expression with dots between letters or digits made dots, if there are such: `github.com`
/// also matches `githubXcom`.
pub(super) fn with_literal_dots(expression: &str) -> Option<String> {
    let mut out = String::new();
    let (mut before, mut class, mut changed) = (' ', false, false);
    let mut chars = expression.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                out.push(c);
                out.extend(chars.next());
                before = ' ';
                continue;
            }
            '[' => class = true,
            ']' => class = false,
            '.' if !class
                && before.is_ascii_alphanumeric()
                && chars.peek().is_some_and(char::is_ascii_alphanumeric) =>
            {
                out.push('\\');
                changed = true;
            }
            _ => {}
        }
        out.push(c);
        before = c;
    }
    changed.then_some(out)
}

/// The text that an expression begins with, as far as it is literal.
pub(super) fn literal_beginning(expression: &str) -> String {
    let mut out = String::new();
    let mut chars = expression.trim_start_matches('^').chars().peekable();
    while let Some(c) = chars.next() {
        let literal = match c {
            '\\' => match chars.next() {
                Some(next) if next.is_ascii_punctuation() => next,
                _ => break,
            },
            // A dot between letters is meant as one.
            '.' if chars.peek().is_some_and(char::is_ascii_alphanumeric) => c,
            '.' | '[' | ']' | '(' | ')' | '{' | '}' | '*' | '+' | '?' | '|' | '^' | '$' => break,
            _ => c,
        };
        if matches!(chars.peek(), Some('*' | '?' | '{' | '+')) {
            break;
        }
        out.push(literal);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_open() {
        for text in [
            ".*",
            ".+",
            "^.*$",
            "(.*)",
            "(?:.+)?",
            "a|.*",
            "(a|(b|.*))",
            ".*.*",
            "[\\s\\S]*",
            "(?s).*",
            ".*?",
            ".{0,}",
            "\\A.*\\z",
            "(?P<x>.*)",
            "^(.*)$",
            "(.+)+",
        ] {
            assert_eq!(open(text), Some(Open::String), "{text}");
        }
        for text in [
            "https://.*",
            "^https?://.+$",
            "(https://.*)",
            "http(s)?://.*",
        ] {
            assert_eq!(open(text), Some(Open::Address), "{text}");
        }
        for text in [
            "",
            "a.*",
            ".*a",
            ".",
            ".?",
            ".{0,9}",
            "[^/]+",
            "\\.*",
            "(a)*",
            "(.*)a",
            "https://a.*",
            "[.*]",
            "(",
            "(.*",
            "a(|b",
            "https://github\\.com/o/.*",
            "((((((((((((((((((.*))))))))))))))))))",
        ] {
            assert_eq!(open(text), None, "{text}");
        }
    }

    #[test]
    fn dots() {
        assert_eq!(
            with_literal_dots("https://github.com/o/.*@v1.0").as_deref(),
            Some("https://github\\.com/o/.*@v1\\.0")
        );
        assert_eq!(with_literal_dots("https://github\\.com/[a.b]/.+\\."), None);
        assert_eq!(
            literal_beginning("^https://github\\.com/org/repo/\\.github/.*"),
            "https://github.com/org/repo/.github/"
        );
        assert_eq!(
            literal_beginning("https://github.com/org/x?"),
            "https://github.com/org/"
        );
    }

    proptest! {
        #[test]
        fn never_panics(text in r"[.*+?(){}\[\]|^$\\ahtps:/é]{0,32}") {
            let _ = open(&text);
            let _ = with_literal_dots(&text);
            let _ = literal_beginning(&text);
        }
    }
}
