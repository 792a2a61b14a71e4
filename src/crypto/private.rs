//! Whether a file holds what its owner must not give away (docs/trust.md section 1): a private key
//! in PEM, or the secret key of OpenPGP, armoured (RFC 9580 section 6) or not (section 4).
//!
//! In scope: seeing that it is there, also behind a public key. Out of scope: whether it is any
//! good. In doubt it says no: what it does not know as a key is no key to any rule either.

use crate::encoding::base64;
use crate::limits;
use alloc::string::String;

/// Packet tags of RFC 9580 section 5: secret key, secret subkey.
const SECRET: [u8; 2] = [5, 7];

/// Whether these bytes hold a private key.
pub fn holds_private_key(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    // Wherever the line stands: what reads the file may look further than its first block.
    let labelled = text
        .split("-----BEGIN ")
        .skip(1)
        .filter_map(|rest| rest.split("-----").next())
        .any(|label| label.contains("PRIVATE KEY"));
    let armoured = || {
        text.split("-----BEGIN PGP ")
            .skip(1)
            .take(limits::LINTED_BLOCKS)
            .filter_map(armour)
            .any(|packets| has_secret_packet(&packets))
    };
    labelled || has_secret_packet(bytes) || armoured()
}

/// The packets of an armoured block, from after `-----BEGIN PGP `.
fn armour(rest: &str) -> Option<alloc::vec::Vec<u8>> {
    let inside = rest.split_once('\n')?.1.split("-----END ").next()?;
    // Headers are `Name: value`, and the checksum's line begins with `=`.
    let lines = inside
        .lines()
        .map(str::trim)
        .filter(|line| !line.contains(':') && !line.starts_with('='));
    base64::decode_go(&lines.collect::<String>())
}

/// Walks over packets as long as they read as such.
fn has_secret_packet(mut bytes: &[u8]) -> bool {
    while let Some((tag, rest)) = packet(bytes) {
        if SECRET.contains(&tag) {
            return true;
        }
        bytes = rest;
    }
    false
}

/// The tag of the first packet, and what follows it.
fn packet(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (&head, rest) = bytes.split_first()?;
    if head & 0x80 == 0 {
        return None;
    }
    if head & 0x40 != 0 {
        return Some((head & 0x3f, new_body(rest)));
    }
    let size = match head & 3 {
        0 => 1,
        1 => 2,
        2 => 4,
        // Of indeterminate length: it ends with the file.
        _ => return Some((head >> 2 & 0xf, &[])),
    };
    let length = rest.get(..size).map_or(usize::MAX, number);
    Some((
        head >> 2 & 0xf,
        rest.get(size..)
            .and_then(|rest| rest.get(length..))
            .unwrap_or_default(),
    ))
}

/// What follows a body of the new format (section 4.2.1); of parts it is not known where they end
/// without walking them.
fn new_body(mut rest: &[u8]) -> &[u8] {
    loop {
        let (length, after, is_part) = match rest {
            [first @ 0..=191, after @ ..] => (usize::from(*first), after, false),
            [first @ 192..=223, second, after @ ..] => (
                ((usize::from(*first) - 192) << 8) + usize::from(*second) + 192,
                after,
                false,
            ),
            [255, a, b, c, d, after @ ..] => (number(&[*a, *b, *c, *d]), after, false),
            [first @ 224..=254, after @ ..] => (1_usize << (first & 0x1f), after, true),
            _ => return &[],
        };
        let Some(next) = after.get(length..) else {
            return &[];
        };
        if !is_part {
            return next;
        }
        rest = next;
    }
}

fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::pem;
    use alloc::format;
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn old(tag: u8, body: &[u8]) -> Vec<u8> {
        [&[0x80 | tag << 2, u8::try_from(body.len()).unwrap()], body].concat()
    }

    fn new(tag: u8, body: &[u8]) -> Vec<u8> {
        [&[0xc0 | tag, u8::try_from(body.len()).unwrap()], body].concat()
    }

    fn armoured(packets: &[u8]) -> Vec<u8> {
        format!(
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: none\n\n{}\n=AAAA\n-----END PGP \
             PUBLIC KEY BLOCK-----\n",
            base64::encode(packets)
        )
        .into_bytes()
    }

    #[test]
    fn private_keys_are_seen_wherever_they_stand() {
        let public = pem::encode("PUBLIC KEY", b"x");
        for label in [
            "PRIVATE KEY",
            "EC PRIVATE KEY",
            "RSA PRIVATE KEY",
            "ENCRYPTED PRIVATE KEY",
            "ENCRYPTED SIGSTORE PRIVATE KEY",
            "OPENSSH PRIVATE KEY",
            "PGP PRIVATE KEY BLOCK",
        ] {
            let private = pem::encode(label, b"x");
            for text in [
                private.clone(),
                format!("{public}{private}"),
                format!("{private}{public}"),
                format!("{public}junk {private}"),
                private.replace('\n', "\r\n"),
            ] {
                assert!(holds_private_key(text.as_bytes()), "{text}");
            }
        }
        for make in [old, new] {
            let ring = [make(6, b"public"), make(13, b"name"), make(14, b"subkey")].concat();
            assert!(!holds_private_key(&ring) && !holds_private_key(&armoured(&ring)));
            for secret in SECRET {
                let ring = [ring.clone(), make(secret, b"secret")].concat();
                assert!(
                    holds_private_key(&ring) && holds_private_key(&armoured(&ring)),
                    "{secret}"
                );
            }
        }
        // A long body, one in parts, one of indeterminate length.
        let long = [vec![0xc6, 0xc0, 0x08], vec![0; 200], new(5, b"")].concat();
        let parts = [vec![0xc6, 0xe1, 0, 0, 1, 0], new(5, b"")].concat();
        let two = [vec![0x99, 0, 3], vec![0; 3], old(7, b"")].concat();
        for ring in [long, parts, two, vec![0x97, 1]] {
            assert!(holds_private_key(&ring), "{ring:x?}");
        }
    }

    #[test]
    fn public_ones_are_not() {
        let public = pem::encode("PUBLIC KEY", b"x");
        for text in [
            public.as_str(),
            &public.repeat(3),
            &pem::encode("CERTIFICATE", b"x"),
            "",
            "no PRIVATE KEY here",
            "{}",
        ] {
            assert!(!holds_private_key(text.as_bytes()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = holds_private_key(&bytes);
            let _ = holds_private_key(&armoured(&bytes));
        }
    }
}
