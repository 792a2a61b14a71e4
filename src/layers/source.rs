//! The crate's files as the tests of `layers.rs` see them: words, paths and names, without comments,
//! strings and tests. No parser of Rust; it knows what rustfmt leaves and this crate writes.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use std::path::{Path, PathBuf};

extern crate std;

/// `a::b::C` as segments.
pub(super) type Segments = Vec<String>;

/// One file.
pub(super) struct Source {
    /// Where it is, below `src/`.
    pub file: String,
    /// Its module from the crate's root on, the room first.
    pub module: Segments,
    /// Its text as it is.
    pub text: String,
    /// What it declares with `mod`.
    pub children: BTreeSet<String>,
    /// What it brings in with `use`.
    pub imports: Vec<Import>,
    /// The paths elsewhere in it, from the crate's root on if they begin there.
    pub paths: Vec<Segments>,
    /// Its words outside of `use`.
    pub words: BTreeSet<String>,
    /// The types that it declares.
    pub types: BTreeSet<String>,
    /// Where something is decided by the text of a code.
    pub compared_codes: Vec<String>,
}

/// One name of a `use`.
pub(super) struct Import {
    /// Whether others see it (`pub`, `pub(crate)`, …).
    pub shared: bool,
    /// The name that it has here.
    pub name: String,
    /// From the crate's root on if it begins there.
    pub path: Segments,
}

/// Every file below `src/` that is no test.
pub(super) fn sources() -> Vec<Source> {
    // Tests run in the package's folder.
    let root = PathBuf::from("src");
    let mut found = Vec::new();
    files(&root, &mut found);
    found.sort();
    found
        .iter()
        .filter_map(|path| Source::read(path.strip_prefix(&root).unwrap(), path))
        .collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found)
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path)
        }
    }
}

impl Source {
    fn read(inside: &Path, path: &Path) -> Option<Self> {
        let is_test = (inside.with_extension("").iter()).any(|part| part == "tests");
        let text = || std::fs::read_to_string(path).unwrap();
        (!is_test).then(|| Self::of(inside.to_str().unwrap(), text()))
    }

    /// The file that is at `file` below `src/`, with this text.
    pub(super) fn of(file: &str, text: String) -> Self {
        let mut module: Segments = file
            .trim_end_matches(".rs")
            .split('/')
            .map(String::from)
            .collect();
        module.pop_if(|last| last == "mod");
        let words = without_tests(&words(&text));
        let mut source = Self {
            file: file.to_owned(),
            module,
            text,
            children: BTreeSet::new(),
            imports: Vec::new(),
            paths: Vec::new(),
            words: BTreeSet::new(),
            types: types(&words),
            compared_codes: compared_codes(&words),
        };
        // First what is declared: it decides where other paths begin.
        for declared in words.windows(3) {
            if let [keyword, name, end] = declared
                && keyword == "mod"
                && end == ";"
            {
                source.children.insert(name.clone());
            }
        }
        source.walk(&words);
        source
    }

    fn walk(&mut self, words: &[String]) {
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let before = at.checked_sub(1).and_then(|before| words.get(before));
            at += 1;
            if word == "use" {
                let shared = before.is_some_and(|word| word == "pub" || word == ")");
                let mut found = Vec::new();
                tree(words, &mut at, &[], &mut found);
                for (name, path) in found {
                    let path = self.absolute(path);
                    self.imports.push(Import { shared, name, path });
                }
                continue;
            }
            if before.is_some_and(|word| word == "mod") {
                continue;
            }
            self.words.insert(word.clone());
            if !is_name(word) || before.is_some_and(|word| word == "::") {
                continue;
            }
            let mut path = Vec::from([word.clone()]);
            while words.get(at).is_some_and(|word| word == "::")
                && let Some(next) = words.get(at + 1).filter(|word| is_name(word))
            {
                path.push(next.clone());
                at += 2;
            }
            if path.len() > 1 {
                self.words.extend(path.iter().cloned());
                let path = self.absolute(path);
                self.paths.push(path);
            }
        }
    }

    /// From the crate's root on, if it begins with a word that says where it begins or with a
    /// child; else as it is.
    fn absolute(&self, path: Segments) -> Segments {
        let mut base = self.module.clone();
        let mut rest = path.as_slice();
        match path.first().map(String::as_str) {
            Some("crate") => {
                base.clear();
                rest = &path[1..];
            }
            Some("self") => rest = &path[1..],
            Some("super") => {
                while rest.first().is_some_and(|part| part == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
            }
            Some(first) if self.children.contains(first) => {}
            _ => return path,
        }
        base.extend(rest.iter().cloned());
        base
    }

    /// What brought `name` in.
    pub(super) fn imported(&self, name: &str) -> Option<&Import> {
        self.imports.iter().find(|import| import.name == name)
    }
}

/// The names that one tree of a `use` brings in, with their paths.
fn tree(words: &[String], at: &mut usize, prefix: &[String], found: &mut Vec<(String, Segments)>) {
    let mut path = prefix.to_vec();
    let mut alias = None;
    while let Some(word) = words.get(*at) {
        match word.as_str() {
            "{" => {
                *at += 1;
                while words.get(*at).is_some_and(|word| word != "}") {
                    tree(words, at, &path, found);
                    if words.get(*at).is_some_and(|word| word == ",") {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            "}" | "," | ";" => break,
            "::" | "*" => {}
            "as" => {
                *at += 1;
                alias = words.get(*at).cloned();
            }
            name => path.push(name.to_owned()),
        }
        *at += 1;
    }
    // `a::{self}` is `a`.
    if path.len() > 1 {
        path.pop_if(|last| last == "self");
    }
    if let Some(last) = path.last().cloned() {
        found.push((alias.unwrap_or(last), path));
    }
}

/// Names after `struct`, `enum`, `trait` and `union`, and after `type` where it is no associated
/// one. Types that exist twice, by `cfg`, count once.
fn types(words: &[String]) -> BTreeSet<String> {
    let mut depth = 0_usize;
    let mut found = BTreeSet::new();
    let mut before = "";
    for pair in words.windows(2) {
        let [keyword, name] = pair else { continue };
        let declares = match keyword.as_str() {
            "struct" | "enum" | "trait" | "union" => true,
            "type" => depth == 0 || before == "pub" || before == ")",
            _ => false,
        };
        if declares && is_name(name) && name.starts_with(char::is_uppercase) {
            found.insert(name.clone());
        }
        match keyword.as_str() {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = keyword;
    }
    found
}

/// Each `….code` or `….code()` that is compared or matched, with what stands around it.
fn compared_codes(words: &[String]) -> Vec<String> {
    const METHODS: [&str; 8] = [
        "starts_with",
        "ends_with",
        "contains",
        "eq",
        "ne",
        "find",
        "strip_prefix",
        "split_once",
    ];
    let is = |at: usize, expected: &[&str]| {
        let found = words.get(at..at + expected.len());
        found.is_some_and(|found| found.iter().zip(expected).all(|(word, one)| word == one))
    };
    let is_compared = |at: &usize| {
        let end = at + if is(at + 2, &["(", ")"]) { 4 } else { 2 };
        let start = (0..*at)
            .rev()
            .take_while(|before| is_name(&words[*before]) || words[*before] == ".")
            .last()
            .unwrap_or(*at);
        let is_equated = |at: usize| is(at, &["=", "="]) || is(at, &["!", "="]);
        let is_matched = (words[..*at].iter().rev())
            .take_while(|word| !matches!(word.as_str(), "{" | "}" | ";"))
            .any(|word| word == "match" || word == "matches");
        let has_method = is(end, &["."])
            && (words.get(end + 1)).is_some_and(|word| METHODS.contains(&word.as_str()));
        is_equated(end) || start >= 2 && is_equated(start - 2) || is_matched || has_method
    };
    (0..words.len())
        .filter(|at| is(*at, &[".", "code"]))
        .filter(is_compared)
        .map(|at| words[at.saturating_sub(4)..words.len().min(at + 8)].join(" "))
        .collect()
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Without each item under `#[cfg(test)]`: up to its `;` or its closing brace.
fn without_tests(words: &[String]) -> Vec<String> {
    const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        if rest.len() >= TEST.len() && rest.iter().zip(TEST).all(|(word, test)| word == test) {
            rest = &rest[TEST.len()..];
            let mut depth = 0_usize;
            while let Some((word, after)) = rest.split_first() {
                rest = after;
                match word.as_str() {
                    "(" | "[" | "{" => depth += 1,
                    ")" | "]" | "}" => depth -= 1,
                    _ => {}
                }
                if depth == 0 && (word == ";" || word == "}") {
                    break;
                }
            }
            continue;
        }
        kept.push(word.clone());
        rest = after;
    }
    kept
}

/// Names, numbers, `::`, and every other character alone.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let (length, is_word) = if let Some(length) = silent(rest) {
            (length, false)
        } else if rest.starts_with("::") {
            (2, true)
        } else if is_part(first) {
            (rest.find(|c| !is_part(c)).unwrap_or(rest.len()), true)
        } else {
            (first.len_utf8(), !first.is_whitespace())
        };
        if is_word {
            words.push(rest[..length].to_owned());
        }
        rest = &rest[length..];
    }
    words
}

/// The length of the comment, string or character that `text` begins with.
fn silent(text: &str) -> Option<usize> {
    let until = |end: &str, from: usize| {
        text.get(from..)
            .and_then(|rest| rest.find(end))
            .map_or(text.len(), |found| from + found + end.len())
    };
    if text.starts_with("//") {
        return Some(until("\n", 0));
    }
    if text.starts_with("/*") {
        return Some(until("*/", 2));
    }
    let string = text.strip_prefix('b').unwrap_or(text);
    if let Some(raw) = string.strip_prefix('r') {
        let hashes = raw.chars().take_while(|c| *c == '#').count();
        if raw[hashes..].starts_with('"') {
            let start = text.len() - raw.len() + hashes + 1;
            return Some(until(&std::format!("\"{}", "#".repeat(hashes)), start));
        }
    }
    let quote = string.chars().next().filter(|c| *c == '"' || *c == '\'')?;
    let start = text.len() - string.len() + 1;
    let mut characters = string[1..].char_indices();
    // `'a` without an end is a lifetime.
    if quote == '\'' {
        let mut ahead = string[1..].chars();
        let is_escape = ahead.next() == Some('\\');
        if !is_escape && ahead.next() != Some('\'') {
            return None;
        }
    }
    while let Some((at, c)) = characters.next() {
        if c == '\\' {
            characters.next();
        } else if c == quote {
            return Some(start + at + 1);
        }
    }
    Some(text.len())
}
