//! Base64 (RFC 4648 section 4), strict; and as Go's `encoding/base64.StdEncoding` reads it, where a format is defined by
//! a Go program (facts/containers-policy.md sections 1.1 and 6).

use alloc::string::String;
use alloc::vec::Vec;
use base64ct::{Base64, Base64Url, Encoding};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Standard alphabet, with padding.
pub fn encode(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// Decodes the one canonical spelling: standard alphabet, padded, spare bits zero, nothing else. `None` otherwise.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let bytes = Base64::decode_vec(text).ok()?;
    (encode(&bytes) == text).then_some(bytes)
}

/// As [`decode`], in the alphabet for URLs and file names (RFC 4648 section 5).
pub fn decode_url(text: &str) -> Option<Vec<u8>> {
    let bytes = Base64Url::decode_vec(text).ok()?;
    (Base64Url::encode_string(&bytes) == text).then_some(bytes)
}

/// Decodes as Go does: carriage returns and line feeds are ignored anywhere, spare bits are not looked at; padding is
/// required, other white space and the URL alphabet are refused.
pub fn decode_go(text: &str) -> Option<Vec<u8>> {
    let mut text: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
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
        for bad in ["YQ", "YR==", "Y\nQ==", "YQ==\n", "_-8=", "Y Q==", "YQ===", "="] {
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
    }
}
