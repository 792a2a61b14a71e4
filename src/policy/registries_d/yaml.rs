//! The part of YAML in which `registries.d` files are written: block mappings of one-line scalars,
//! and comments.
//!
//! We reject what lies outside it (flow collections but `{}`, sequences, anchors, aliases, tags,
//! multi-line scalars, escapes, directives, several documents), with an error that says so, because
//! podman reads these files by the rules of YAML 1.1 and 1.2 mixed, and where libraries differ a
//! file would mean two things. A whole YAML 1.2 parser (saphyr-parser 0.3, the one that is kept up
//! and `no_std`) was measured at 30 KB of brotli, a sixth of the module's budget, for two levels of
//! settings.

use super::error::RegistriesError;
use crate::keyed::Keys;
use alloc::string::String;
use alloc::vec::Vec;

/// Levels of mappings; `registries.d` has three.
const DEPTH: usize = 8;

/// A value, and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Yaml<'a> {
    line: usize,
    shape: Shape<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape<'a> {
    Null,
    Plain(&'a str, usize),
    Quoted(&'a str, usize),
    Mapping(Vec<Member<'a>>),
}

/// A member of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member<'a> {
    pub key: String,
    pub value: Yaml<'a>,
}

/// A line that says something.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    number: usize,
    indent: usize,
    /// Byte of the file at which `text` begins.
    at: usize,
    text: &'a str,
}

/// Reads one document.
pub(super) fn parse<'a>(file: &str, bytes: &'a [u8]) -> Result<Yaml<'a>, RegistriesError> {
    let text =
        core::str::from_utf8(bytes).map_err(|_| RegistriesError::Utf8 { file: file.into() })?;
    let lines = lines(file, text)?;
    let mut reader = Reader {
        file,
        lines: &lines,
    };
    let Some(first) = lines.first() else {
        return Ok(Yaml {
            line: 1,
            shape: Shape::Null,
        });
    };
    let value = reader.mapping(first.indent, 0)?;
    match reader.lines.first() {
        None => Ok(value),
        Some(line) => {
            Err(reader.wrong(line, "a line that is indented as the others of its mapping"))
        }
    }
}

fn lines<'a>(file: &str, text: &'a str) -> Result<Vec<Line<'a>>, RegistriesError> {
    let mut found: Vec<Line<'a>> = Vec::new();
    let mut at = 0;
    for (number, whole) in (1..).zip(text.split('\n')) {
        let line = whole.strip_suffix('\r').unwrap_or(whole);
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        let refuse = |found, instead| {
            Err(RegistriesError::Subset {
                file: file.into(),
                line: number,
                found,
                instead,
            })
        };
        if content.starts_with('\t') && !content.trim_start_matches(['\t', ' ']).is_empty() {
            return refuse("a tab before text", "indent with spaces");
        }
        if content.chars().any(|c| {
            c != '\t' && c.is_control()
                || matches!(c, '\u{feff}' | '\u{85}' | '\u{2028}' | '\u{2029}')
        }) {
            return refuse(
                "a control character or another line end than \\n",
                "leave it out",
            );
        }
        let text = content.trim_end_matches([' ', '\t']);
        let marks = indent == 0
            && (text == "---"
                || text == "..."
                || text.starts_with("--- ")
                || text.starts_with("... "));
        if marks && !(text == "---" && found.is_empty()) || text.starts_with('%') {
            return refuse("a directive or a second document", "write one document");
        }
        if !text.is_empty() && !text.starts_with('#') && !marks {
            found.push(Line {
                number,
                indent,
                at: at + indent,
                text,
            });
        }
        at += whole.len() + 1;
    }
    Ok(found)
}

struct Reader<'f, 'l, 'a> {
    file: &'f str,
    lines: &'l [Line<'a>],
}

impl<'a> Reader<'_, '_, 'a> {
    fn wrong(&self, line: &Line<'_>, expected: &'static str) -> RegistriesError {
        RegistriesError::Yaml {
            file: self.file.into(),
            line: line.number,
            expected,
            found: line.text.chars().take(60).collect(),
        }
    }

    fn refuse<T>(
        &self,
        line: &Line<'_>,
        found: &'static str,
        instead: &'static str,
    ) -> Result<T, RegistriesError> {
        Err(RegistriesError::Subset {
            file: self.file.into(),
            line: line.number,
            found,
            instead,
        })
    }

    /// The lines of exactly this indentation, and what is indented below each.
    fn mapping(&mut self, indent: usize, depth: usize) -> Result<Yaml<'a>, RegistriesError> {
        let (mut members, mut seen): (Vec<Member<'a>>, Keys) = Default::default();
        let start = self.lines.first().map_or(1, |line| line.number);
        while let Some((line, rest)) = self
            .lines
            .split_first()
            .filter(|(line, _)| line.indent == indent)
        {
            if depth >= DEPTH {
                return Err(RegistriesError::Depth {
                    file: self.file.into(),
                    line: line.number,
                });
            }
            self.lines = rest;
            let (key, after) = self.key(line)?;
            if !seen.add(key.as_str()) {
                return Err(RegistriesError::DuplicateKey {
                    file: self.file.into(),
                    line: line.number,
                    key,
                });
            }
            let value = self.value(line, after, depth)?;
            members.push(Member { key, value });
        }
        Ok(Yaml {
            line: start,
            shape: Shape::Mapping(members),
        })
    }

    fn value(
        &mut self,
        line: &Line<'a>,
        after: &'a str,
        depth: usize,
    ) -> Result<Yaml<'a>, RegistriesError> {
        let below = self
            .lines
            .first()
            .filter(|next| next.indent > line.indent)
            .map(|next| next.indent);
        let rest = after.trim_start_matches([' ', '\t']);
        let shape = if rest.is_empty() || rest.len() < after.len() && rest.starts_with('#') {
            match below {
                Some(indent) => return self.mapping(indent, depth + 1),
                None => Shape::Null,
            }
        } else if below.is_some() {
            return self.refuse(line, "a scalar over several lines", "write it on one line");
        } else {
            self.scalar(line, rest)?
        };
        Ok(Yaml {
            line: line.number,
            shape,
        })
    }

    /// The key of a line, and what follows its colon.
    fn key(&self, line: &Line<'a>) -> Result<(String, &'a str), RegistriesError> {
        let missing = || self.wrong(line, "key: value");
        if let Some(quote) = line.text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            let (key, rest) = self.quoted(line, line.text, quote)?;
            let rest = rest
                .trim_start_matches(' ')
                .strip_prefix(':')
                .filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t']));
            return Ok((key.into(), rest.ok_or_else(missing)?));
        }
        self.plain(line, line.text)?;
        let end = line.text.match_indices(':').map(|(at, _)| at).find(|at| {
            line.text
                .get(at + 1..)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
        });
        let (key, rest) = end
            .and_then(|end| Some((line.text.get(..end)?, line.text.get(end + 1..)?)))
            .ok_or_else(missing)?;
        let key = key.trim_end_matches([' ', '\t']);
        if key.contains(" #") || key.contains("\t#") {
            return Err(missing());
        }
        if matches!(key, "" | "~" | "<<") || is_null(key) {
            return self.refuse(
                line,
                "a merge key, or null as a key",
                "write the settings where they hold, and put quotes around the key",
            );
        }
        Ok((key.into(), rest))
    }

    fn scalar(&self, line: &Line<'a>, text: &'a str) -> Result<Shape<'a>, RegistriesError> {
        let at = line.at + line.text.len() - text.len();
        let comment = |rest: &str| {
            rest.trim_start_matches([' ', '\t']).is_empty()
                || rest.starts_with([' ', '\t'])
                    && rest.trim_start_matches([' ', '\t']).starts_with('#')
        };
        if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            let (inner, rest) = self.quoted(line, text, quote)?;
            return if comment(rest) {
                Ok(Shape::Quoted(inner, at + 1))
            } else {
                Err(self.wrong(line, "nothing but a comment after the closing quote"))
            };
        }
        if text.strip_prefix("{}").is_some_and(comment) {
            return Ok(Shape::Mapping(Vec::new()));
        }
        self.plain(line, text)?;
        let end = [" #", "\t#"]
            .iter()
            .filter_map(|mark| text.find(mark))
            .min()
            .unwrap_or(text.len());
        let plain = text
            .get(..end)
            .unwrap_or_default()
            .trim_end_matches([' ', '\t']);
        if plain.contains(": ") || plain.contains(":\t") || plain.ends_with(':') {
            return Err(self.wrong(
                line,
                "one value; put quotes around text with a colon and a space",
            ));
        }
        Ok(if is_null(plain) {
            Shape::Null
        } else {
            Shape::Plain(plain, at)
        })
    }

    /// `text` begins with the quote.
    fn quoted(
        &self,
        line: &Line<'_>,
        text: &'a str,
        quote: char,
    ) -> Result<(&'a str, &'a str), RegistriesError> {
        let inner = text.get(1..).unwrap_or_default();
        let Some((inner, rest)) = inner.split_once(quote) else {
            return self.refuse(
                line,
                "a quoted text over several lines",
                "close the quote on the same line",
            );
        };
        if quote == '"' && inner.contains('\\') || quote == '\'' && rest.starts_with('\'') {
            return self.refuse(line, "an escape inside quotes", "write the text without it");
        }
        Ok((inner, rest))
    }

    /// What begins no plain scalar (YAML 1.2.2 section 7.3.3), by what it begins.
    fn plain(&self, line: &Line<'_>, text: &str) -> Result<(), RegistriesError> {
        let (found, instead) = match text.chars().next() {
            Some('&' | '*') => (
                "an anchor or alias",
                "put quotes around a scope that begins with *",
            ),
            Some('!') => ("a tag", "leave it out"),
            Some('[' | ']' | '{' | '}' | ',') => ("a flow collection", "write one setting a line"),
            Some('|' | '>') => ("a block scalar", "write the text on one line"),
            Some('-' | '?' | ':') => ("a sequence or a complex key", "write key: value"),
            Some('%' | '@' | '`' | '#' | '"' | '\'') => (
                "a reserved character in front",
                "put quotes around the text",
            ),
            _ => return Ok(()),
        };
        self.refuse(line, found, instead)
    }
}

fn is_null(plain: &str) -> bool {
    matches!(plain, "~" | "null" | "Null" | "NULL")
}

impl<'a> Yaml<'a> {
    pub(super) fn is_null(&self) -> bool {
        self.shape == Shape::Null
    }

    fn wrong<T>(
        &self,
        file: &str,
        what: &str,
        expected: &'static str,
    ) -> Result<T, RegistriesError> {
        Err(RegistriesError::Type {
            file: file.into(),
            line: self.line,
            what: what.chars().take(100).collect(),
            expected,
        })
    }

    /// The members of a mapping; `null` has none.
    pub(super) fn members(&self, file: &str, what: &str) -> Result<&[Member<'a>], RegistriesError> {
        match &self.shape {
            Shape::Mapping(members) => Ok(members),
            Shape::Null => Ok(&[]),
            Shape::Plain(..) | Shape::Quoted(..) => self.wrong(file, what, "a mapping"),
        }
    }

    /// A text that says something, and where it begins. Empty and `null` are as if absent.
    pub(super) fn text(
        &self,
        file: &str,
        what: &str,
    ) -> Result<Option<(&'a str, usize)>, RegistriesError> {
        match self.shape {
            Shape::Plain(text, at) | Shape::Quoted(text, at) => {
                Ok(Some((text, at)).filter(|_| !text.is_empty()))
            }
            Shape::Null => Ok(None),
            Shape::Mapping(_) => self.wrong(file, what, "text"),
        }
    }

    /// YAML's truth values, those of 1.1 included; `null` is as if absent.
    pub(super) fn boolean(&self, file: &str, what: &str) -> Result<Option<bool>, RegistriesError> {
        match self.shape {
            Shape::Null => Ok(None),
            Shape::Plain(
                "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON",
                _,
            ) => Ok(Some(true)),
            Shape::Plain(
                "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF",
                _,
            ) => Ok(Some(false)),
            _ => self.wrong(file, what, "true or false"),
        }
    }
}
