//! Image references as distribution and containers/image read them (docs/containers-image.md
//! section 3).
//!
//! [`Reference::normalize`] expands what people type (`busybox` is `docker.io/library/busybox`);
//! [`Reference::parse`] only takes it apart.

use crate::digest::{Digest, DigestError};
use crate::limits;
use alloc::format;
use alloc::string::String;
use core::fmt;

/// A well-formed reference: repository, and tag or digest or both or neither ("bare").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

codes! {
    /// This text is no image reference.
    pub enum ReferenceError {
        Empty => "reference.empty",
            "expected an image reference such as docker.io/library/busybox:1, found nothing";
        TooLong { found: usize } => "reference.too-long",
            "expected at most 1024 bytes, and a repository name of at most 255, found {found}";
        BareDigest => "reference.bare-digest",
            "64 hexadecimal digits are an image id, not a repository name: write \
             name@sha256:<digits>";
        UpperCase { text: String } => "reference.upper-case",
            "repository names are lower case, found {text:?}";
        Name { text: String } => "reference.name",
            "expected host[:port]/path of letters, digits and single separators, found {text:?}";
        Tag { text: String } => "reference.tag",
            "expected a tag of at most 128 letters, digits, '.', '_' or '-', found {text:?}";
        Digest { error: DigestError } => "reference.digest", "{error}";
    }
}

/// Whose rules apply where the two libraries differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// containers/image: no IPv6 hosts, a host has a dot, a colon or is `localhost`, at most 255
    /// bytes with the host. Policies and signed identities are read so.
    Containers,
    /// distribution/reference 3: IPv6 hosts, a host may also be known by its upper case, at most 255
    /// bytes of path.
    Distribution,
}

impl Reference {
    /// Takes `text` apart; nothing is added.
    ///
    /// # Errors
    /// [`ReferenceError`].
    pub fn parse(text: &str, grammar: Grammar) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.len() > limits::REFERENCE {
            return Err(ReferenceError::TooLong { found: text.len() });
        }
        let (name, tag, digest) = split(text);
        let (domain, path) = match name.split_once('/') {
            Some((head, rest)) if is_domain(head, grammar) && is_path(rest) => (head, rest),
            _ if is_path(name) => ("", name),
            _ if is_path(&name.to_ascii_lowercase()) => {
                return Err(ReferenceError::UpperCase { text: shown(name) });
            }
            _ => return Err(ReferenceError::Name { text: shown(name) }),
        };
        let length = path.len()
            + if grammar == Grammar::Containers && !domain.is_empty() {
                domain.len() + 1
            } else {
                0
            };
        if length > limits::NAME {
            return Err(ReferenceError::TooLong { found: length });
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(ReferenceError::Tag { text: shown(tag) });
        }
        let digest = digest
            .map(Digest::parse)
            .transpose()
            .map_err(|error| ReferenceError::Digest { error })?;
        Ok(Self {
            domain: domain.into(),
            path: path.into(),
            tag: tag.map(Into::into),
            digest,
        })
    }

    /// Reads what people type, with Docker Hub's defaults: `busybox` is
    /// `docker.io/library/busybox`. No tag is added.
    ///
    /// # Errors
    /// [`ReferenceError`].
    pub fn normalize(text: &str, grammar: Grammar) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.len() == 64
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        {
            return Err(ReferenceError::BareDigest);
        }
        let (domain, rest) = match text.split_once('/') {
            Some((head, rest)) if looks_like_host(head, grammar) => (head, rest),
            _ => ("docker.io", text),
        };
        let domain = if domain == "index.docker.io" {
            "docker.io"
        } else {
            domain
        };
        let library = if domain == "docker.io" && !rest.contains('/') {
            "library/"
        } else {
            ""
        };
        let path = rest.split(':').next().unwrap_or_default();
        if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(ReferenceError::UpperCase { text: shown(path) });
        }
        Self::parse(&format!("{domain}/{library}{rest}"), grammar)
    }

    /// The host, with its port; empty when the reference has none.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The repository without its host.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Host and path.
    pub fn name(&self) -> String {
        if self.domain.is_empty() {
            self.path.clone()
        } else {
            format!("{}/{}", self.domain, self.path)
        }
    }

    /// As people type it, and as containers/image names images in messages: without what
    /// [`Reference::normalize`] adds. To be read by people alone: `docker.io/docker.io/x` becomes
    /// `docker.io/x`, which means another.
    pub fn familiar(&self) -> String {
        let full = format!("{self}");
        match full.strip_prefix("docker.io/") {
            Some(rest) => rest
                .strip_prefix("library/")
                .filter(|path| !path.contains('/'))
                .unwrap_or(rest)
                .into(),
            None => full,
        }
    }

    /// The tag.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Whether it has neither tag nor digest.
    pub fn is_bare(&self) -> bool {
        self.tag.is_none() && self.digest.is_none()
    }

    /// With the tag `latest` when it has neither tag nor digest.
    #[must_use]
    pub fn with_default_tag(mut self) -> Self {
        if self.is_bare() {
            self.tag = Some("latest".into());
        }
        self
    }

    /// The same repository and this tag; `None` when the text is no tag.
    pub fn with_tag(&self, tag: &str) -> Option<Self> {
        is_tag(tag).then(|| Self {
            tag: Some(tag.into()),
            digest: None,
            ..self.clone()
        })
    }

    /// The same repository and this digest.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self {
            domain: self.domain.clone(),
            path: self.path.clone(),
            tag: None,
            digest: Some(digest),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}

/// Name, tag, digest: the digest after the first `@`, the tag after the last colon that follows the
/// last slash.
fn split(text: &str) -> (&str, Option<&str>, Option<&str>) {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag), digest),
        _ => (rest, None, digest),
    }
}

fn looks_like_host(head: &str, grammar: Grammar) -> bool {
    head.contains(['.', ':'])
        || head == "localhost"
        || grammar == Grammar::Distribution && head.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Labels of letters, digits and inner dashes, joined by dots, with an optional port; or an IPv6
/// address in brackets.
fn is_domain(text: &str, grammar: Grammar) -> bool {
    let address = |host: &str| {
        let inner = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        inner.is_some_and(|inner| {
            !inner.is_empty()
                && inner
                    .bytes()
                    .all(|byte| byte.is_ascii_hexdigit() || byte == b':')
        })
    };
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
        && (host.split('.').all(label) || grammar == Grammar::Distribution && address(host))
}

fn is_path(text: &str) -> bool {
    text.split('/').all(is_path_component)
}

/// Runs of lower-case letters and digits, joined by `.`, `_`, `__` or dashes.
fn is_path_component(text: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut rest = text.as_bytes();
    loop {
        let run = rest.iter().take_while(|byte| alphanumeric(byte)).count();
        rest = rest.get(run..).unwrap_or_default();
        if run == 0 {
            return false;
        }
        if rest.is_empty() {
            return true;
        }
        let separator = rest.iter().take_while(|byte| !alphanumeric(byte)).count();
        let (mark, after) = rest.split_at(separator);
        if !(matches!(mark, b"." | b"_" | b"__") || mark.iter().all(|byte| *byte == b'-')) {
            return false;
        }
        rest = after;
    }
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text
            .bytes()
            .all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    fn containers(text: &str) -> Result<Reference, ReferenceError> {
        Reference::normalize(text, Grammar::Containers)
    }

    #[test]
    fn hub_defaults() {
        for (text, full) in [
            ("busybox", "docker.io/library/busybox"),
            ("index.docker.io/busybox:1", "docker.io/library/busybox:1"),
            ("a/b", "docker.io/a/b"),
            ("localhost/x", "localhost/x"),
            ("localhost:5000/x:y", "localhost:5000/x:y"),
            ("Deep.com/z", "Deep.com/z"),
            ("a.b_c/x", "a.b_c/x"),
        ] {
            assert_eq!(containers(text).unwrap().to_string(), full);
        }
    }

    #[test]
    fn familiar_names() {
        for (text, familiar) in [
            ("docker.io/library/busybox:1", "busybox:1"),
            ("busybox", "busybox"),
            ("library/a/b", "library/a/b"),
            ("index.docker.io/a/b", "a/b"),
            ("a.b/library/c:1", "a.b/library/c:1"),
        ] {
            assert_eq!(containers(text).unwrap().familiar(), familiar);
        }
    }

    #[test]
    fn the_grammars_differ_where_the_libraries_do() {
        for text in ["Foo/bar", "[::1]:5000/repo", "LOCALDOMAIN/a"] {
            assert!(containers(text).is_err(), "{text}");
            assert!(
                Reference::normalize(text, Grammar::Distribution).is_ok(),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses() {
        for text in [
            "",
            ":x",
            "a//b",
            "-a",
            "a..b",
            "a___b",
            "a/",
            "/a",
            "a:",
            "a:-x",
            "a@sha256:x",
            "a b",
            "a.b/C",
            "a.b/c:t:u",
            "é",
            "a@@",
            &"a".repeat(300),
            &"9".repeat(64),
        ] {
            assert!(containers(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn normalisation_is_idempotent(text in "[A-Ca-c0-2./:@_-]{0,24}") {
            for grammar in [Grammar::Containers, Grammar::Distribution] {
                if let Ok(reference) = Reference::normalize(&text, grammar) {
                    // A host-less path such as a.b_c/x has no such spelling.
                    if !reference.domain().is_empty() {
                        prop_assert_eq!(Reference::normalize(&reference.to_string(), grammar), Ok(reference));
                    }
                }
            }
        }

        #[test]
        fn never_panics(text: String) {
            let _ = containers(&text);
            let _ = Reference::parse(&text, Grammar::Distribution);
        }
    }
}
