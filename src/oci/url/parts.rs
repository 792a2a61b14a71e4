//! The delimiters of an address, and percent-encoding within it.
//!
//! In scope: where the parts of a text begin and end. Out of scope: whether the text is an address
//! that may be asked: only `Url` decides that.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// An address as it is written, taken apart at its delimiters (RFC 3986 appendix B) and not
/// checked; the fragment is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    /// What stands before `://`; empty where there is no authority.
    pub scheme: &'a str,
    /// Host and port.
    pub authority: &'a str,
    /// Path and query; may be empty.
    pub target: &'a str,
}

impl<'a> Parts<'a> {
    /// Every text has parts; most texts are no address.
    pub fn of(text: &'a str) -> Self {
        let text = without_fragment(text);
        let absolute = text
            .split_once("://")
            .filter(|(scheme, _)| !scheme.contains(['/', '?']));
        let Some((scheme, rest)) = absolute else {
            return Self {
                scheme: "",
                authority: "",
                target: text,
            };
        };
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        Self {
            scheme,
            authority,
            target,
        }
    }

    /// Scheme, host and port; empty where there is no authority.
    pub fn origin(&self) -> String {
        if self.authority.is_empty() {
            String::new()
        } else {
            format!("{}://{}", self.scheme, self.authority)
        }
    }

    /// The path; that of an origin is `/`.
    pub fn path(&self) -> &'a str {
        match self.target.split('?').next().unwrap_or_default() {
            "" => "/",
            path => path,
        }
    }

    /// The query, without its question mark; empty where there is none.
    pub fn query(&self) -> &'a str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The values of this parameter, decoded. One that does not decode is given as it is written,
    /// and so equals no text that a caller knows.
    pub fn parameters(&self, name: &str) -> Vec<String> {
        self.query()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| percent_decode(value).unwrap_or_else(|| value.into()))
            .collect()
    }
}

/// Percent-decoding of text whose characters are visible ASCII; `None` for anything else.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        return is_plain.then(|| text.into());
    }
    let mut out = String::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            u8::try_from(
                digit(bytes.next()?)?
                    .checked_mul(16)?
                    .checked_add(digit(bytes.next()?)?)?,
            )
            .ok()?
        } else {
            byte
        };
        if !byte.is_ascii_graphic() {
            return None;
        }
        out.push(char::from(byte));
    }
    Some(out)
}

pub(super) fn without_fragment(text: &str) -> &str {
    text.split('#').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts() {
        for (text, origin, authority, path, query) in [
            ("http://a:1/v2/?x=1#f", "http://a:1", "a:1", "/v2/", "x=1"),
            ("http://a", "http://a", "a", "/", ""),
            ("http://a?b/c", "http://a", "a", "/", "b/c"),
            ("http://a#/b?c", "http://a", "a", "/", ""),
            ("/v2", "", "", "/v2", ""),
            ("/v2?u=http://b/c", "", "", "/v2", "u=http://b/c"),
            ("", "", "", "/", ""),
        ] {
            let parts = Parts::of(text);
            assert_eq!(
                (
                    parts.origin().as_str(),
                    parts.authority,
                    parts.path(),
                    parts.query()
                ),
                (origin, authority, path, query),
                "{text}"
            );
        }
        let parts = Parts::of("http://a/?n=1&ns=b%3A5&ns=%zz&ns&xns=2#ns=3");
        assert_eq!(parts.parameters("ns"), ["b:5", "%zz"]);
        assert_eq!(percent_decode("a%2Fb"), Some("a/b".into()));
        for text in ["%", "%2", "%2g", "%+1", "%00", "%C3%A9", "a b", "é"] {
            assert_eq!(percent_decode(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "(https?://)?[a-c%0-9.:/?#=&]{0,24}|.{0,40}") {
            let parts = Parts::of(&text);
            prop_assert!(parts.path().len() + parts.query().len() <= text.len() + 1);
            let _ = (parts.origin(), parts.parameters("a"), percent_decode(&text));
        }
    }
}
