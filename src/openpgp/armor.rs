//! ASCII armour (RFC 9580 section 6), of keyrings alone: messages come as they are.

use crate::encoding::base64;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The label of public keys.
pub(super) const PUBLIC_KEY: &str = "PUBLIC KEY BLOCK";

/// What the blocks of this label in `text` hold, in order; none for one that is malformed. Text
/// between them is skipped.
pub(super) fn blocks(text: &str, label: &str) -> Vec<Option<Vec<u8>>> {
    let begin = format!("-----BEGIN PGP {label}-----");
    let end = format!("-----END PGP {label}-----");
    let mut found = Vec::new();
    let mut lines = text.lines().map(str::trim_end);
    while lines.by_ref().any(|line| line == begin) {
        let mut inside = Vec::new();
        let ended = lines.by_ref().any(|line| {
            let ends = line == end;
            if !ends {
                inside.push(line);
            }
            ends
        });
        found.push(if ended { block(&inside) } else { None });
    }
    found
}

/// Headers, an empty line, the body. Section 6.1: the checksum is not looked at, since whoever
/// changes the body changes it too.
fn block(lines: &[&str]) -> Option<Vec<u8>> {
    let start = lines.iter().position(|line| line.is_empty())?;
    let (headers, body) = lines.split_at(start);
    if !headers.iter().all(|line| line.contains(':')) {
        return None;
    }
    let is_data = |line: &&&str| !line.starts_with('=');
    let body: String = body.iter().take_while(is_data).copied().collect();
    base64::decode_go(&body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
    const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

    fn blocks(text: &str) -> Vec<Vec<u8>> {
        let found = super::blocks(text, PUBLIC_KEY);
        found.into_iter().flatten().collect()
    }

    fn armoured(headers: &str, body: &str) -> String {
        format!("{BEGIN}\n{headers}\n{body}\n{END}\n")
    }

    #[test]
    fn blocks_and_what_is_none() {
        let good = armoured("Comment: x\n", "aGVs\nbG8=\n=AAAA");
        assert_eq!(blocks(&good), [b"hello".to_vec()]);
        assert_eq!(blocks(&good.replace('\n', " \r\n")), [b"hello".to_vec()]);
        assert_eq!(blocks(&format!("text\n{good}\n{good}text")).len(), 2);
        assert_eq!(blocks(&armoured("", "aGVsbG8=")), [b"hello".to_vec()]);
        for bad in [
            armoured("no header\n", "aGVsbG8="),
            armoured("", "aGVsbG8"),
            armoured("", "aGVs bG8="),
            good.replace(END, ""),
            good.replace(BEGIN, ""),
            good.replace("KEY BLOCK", "KEY"),
            good.replace("PUBLIC KEY BLOCK", "SIGNATURE"),
            format!("{BEGIN}\naGVsbG8=\n{END}\n"),
        ] {
            assert_eq!(blocks(&bad), [[0; 0]; 0], "{bad}");
        }
    }
}
