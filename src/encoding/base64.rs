//! Base64 (RFC 4648 section 4), strict; and as Go's `encoding/base64.StdEncoding` reads it, where a
//! format is defined by a Go program (docs/containers-image.md sections 1.1 and 6).

use alloc::string::String;
use alloc::vec::Vec;
use base64ct::{Base64, Base64Url, Encoding};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Standard alphabet, with padding.
pub fn encode(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// Decodes the one canonical spelling: standard alphabet, padded, spare bits zero, nothing else.
/// `None` otherwise.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let bytes = Base64::decode_vec(text).ok()?;
    is_spelling(text, &bytes, Base64::encode_string).then_some(bytes)
}

/// Whether `text` is how `encode` spells `bytes`, that it was decoded to: four letters of the
/// alphabet are three bytes in one way only, so that spare bits can differ in the last four alone.
fn is_spelling(text: &str, bytes: &[u8], encode: fn(&[u8]) -> String) -> bool {
    let tail = bytes.len().saturating_sub(1) / 3;
    let (last, letters) = (
        bytes.get(tail * 3..).unwrap_or_default(),
        text.get(tail * 4..).unwrap_or_default(),
    );
    text.len() == bytes.len().div_ceil(3) * 4 && encode(last) == letters
}

/// Whether text has the form of what [`decode`] reads, spare bits not looked at; nothing is
/// decoded.
pub fn has_form(text: &str) -> bool {
    let letters = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - letters.len() <= 2
        && letters
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

/// As [`decode`], in the alphabet for URLs and file names (RFC 4648 section 5).
pub fn decode_url(text: &str) -> Option<Vec<u8>> {
    let bytes = Base64Url::decode_vec(text).ok()?;
    is_spelling(text, &bytes, Base64Url::encode_string).then_some(bytes)
}

/// Decodes as Go does: carriage returns and line feeds are ignored anywhere, spare bits are not
/// looked at; padding is required, other white space and the URL alphabet are refused.
pub fn decode_go(text: &str) -> Option<Vec<u8>> {
    let mut text: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let spare = match padding {
        0 => 0,
        1 => 0b11,
        2 => 0b1111,
        _ => return None,
    };
    if padding > 0 {
        let last = text.len().checked_sub(padding + 1)?;
        let symbol = text.get_mut(last)?;
        let value = ALPHABET.iter().position(|letter| letter == symbol)?;
        *symbol = *ALPHABET.get(value & !spare)?;
    }
    decode(core::str::from_utf8(&text).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_has_one_spelling() {
        assert_eq!(decode("YQ=="), Some(b"a".to_vec()));
        assert_eq!(decode(""), Some(Vec::new()));
        for bad in [
            "YQ", "YR==", "Y\nQ==", "YQ==\n", "_-8=", "Y Q==", "YQ===", "=",
        ] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn go_ignores_line_ends_and_spare_bits() {
        for good in ["YQ==", "YR==", "Y\nQ==", "YQ==\r\n", "\nYQ=\n="] {
            assert_eq!(decode_go(good), Some(b"a".to_vec()), "{good:?}");
        }
        assert_eq!(decode_go("YWJ="), Some(b"ab".to_vec()));
        for bad in ["YQ", "_-8=", "Y Q==", "YQ===", "=", "==", "Y=Q="] {
            assert_eq!(decode_go(bad), None, "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn both_round_trip(bytes: alloc::vec::Vec<u8>) {
            proptest::prop_assert_eq!(decode(&encode(&bytes)), Some(bytes.clone()));
            proptest::prop_assert_eq!(decode_go(&encode(&bytes)), Some(bytes));
        }

        /// The short way to see that there is one spelling finds what the long way finds.
        #[test]
        fn one_spelling(text in "([A-Za-z0-9+/]{4}){0,3}[A-Za-z0-9+/=_\n-]{0,5}") {
            let whole = Base64::decode_vec(&text).ok().filter(|bytes| encode(bytes) == text);
            proptest::prop_assert!(whole.is_none() || has_form(&text));
            proptest::prop_assert_eq!(decode(&text), whole);
            let whole = Base64Url::decode_vec(&text).ok().filter(|bytes| Base64Url::encode_string(bytes) == text);
            proptest::prop_assert_eq!(decode_url(&text), whole);
        }
    }
}
