//! Base64 (RFC 4648 section 4), strict; and as Go's `encoding/base64.StdEncoding` reads it, where a
//! format is defined by a Go program (docs/containers-image.md sections 1.1 and 6).

use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

/// Spare bits are not looked at.
const GO: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Standard alphabet, with padding.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes the one canonical spelling: standard alphabet, padded, spare bits zero, nothing else.
/// `None` otherwise.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
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
    URL_SAFE.decode(text).ok()
}

/// Decodes as Go does: carriage returns and line feeds are ignored anywhere, spare bits are not
/// looked at; padding is required, other white space and the URL alphabet are refused.
pub fn decode_go(text: &str) -> Option<Vec<u8>> {
    decode_without(text, |byte| matches!(byte, b'\r' | b'\n'))
}

/// As [`decode_go`]; spaces and tabs are ignored, too, as in PEM.
pub fn decode_spaced(text: &str) -> Option<Vec<u8>> {
    decode_without(text, |byte| matches!(byte, b'\r' | b'\n' | b' ' | b'\t'))
}

/// Line by line, not byte by byte: every bundle has certificates in lines.
fn decode_without(text: &str, ignored: fn(&u8) -> bool) -> Option<Vec<u8>> {
    let mut letters = Vec::with_capacity(text.len());
    for line in text.as_bytes().split(ignored) {
        letters.extend_from_slice(line);
    }
    GO.decode(letters).ok()
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

        /// Whatever is decoded is spelled as it would be written.
        #[test]
        fn one_spelling(text in "([A-Za-z0-9+/]{4}){0,3}[A-Za-z0-9+/=_\n-]{0,5}") {
            let (own, url) = (decode(&text), decode_url(&text));
            proptest::prop_assert!(own.is_none() || has_form(&text));
            for (bytes, spelled) in [(own, STANDARD), (url, URL_SAFE)] {
                if let Some(bytes) = bytes {
                    proptest::prop_assert_eq!(spelled.encode(bytes), text.clone());
                }
            }
        }

        /// What is spelled well is decoded, and with other spare bits by Go's reader alone.
        #[test]
        fn spare_bits(bytes in proptest::collection::vec(proptest::num::u8::ANY, 1..40), bits in 1_u8..16) {
            let text = encode(&bytes);
            let letters = text.trim_end_matches('=');
            let spare = match text.len() - letters.len() { 0 => return Ok(()), 1 => 0b11, _ => 0b1111 };
            let alphabet = alphabet::STANDARD.as_str();
            let last = letters.chars().last().unwrap();
            let value = alphabet.find(last).unwrap() | usize::from(bits & spare);
            let other = alphabet.chars().nth(value).unwrap();
            let altered = alloc::format!("{}{other}{}", &letters[..letters.len() - 1], &text[letters.len()..]);
            proptest::prop_assert_eq!(decode_go(&altered), Some(bytes.clone()));
            proptest::prop_assert_eq!(decode(&altered), (altered == text).then_some(bytes));
        }
    }
}
