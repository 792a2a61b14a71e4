//! PEM (RFC 7468) as Go's `encoding/pem` reads it: text before a block is skipped, a malformed
//! block is skipped, spaces and line ends inside the body are ignored, RFC 1421 headers are
//! skipped.

use super::base64;
use crate::limits;
use alloc::string::String;
use alloc::vec::Vec;

/// One block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block<'a> {
    /// What stands between `BEGIN ` and the dashes, for instance `PUBLIC KEY`.
    pub label: &'a str,
    /// The decoded body.
    pub body: Vec<u8>,
    /// Whether RFC 1421 headers stood before the body.
    pub has_headers: bool,
}

/// The first well-formed block of `text`, and what follows its END line. The search for it ends
/// after [`limits::PEM_MALFORMED`] blocks that are not: each costs a walk over the rest.
pub fn first(mut text: &str) -> Option<(Block<'_>, &str)> {
    for _ in 0..limits::PEM_MALFORMED {
        let start = begin(text)?;
        let inside = text.get(start..)?;
        if let Some(found) = block(inside) {
            return Some(found);
        }
        text = inside;
    }
    None
}

/// All well-formed blocks in order, at most `limit`.
pub fn all(mut text: &str, limit: usize) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    while blocks.len() < limit {
        let Some((block, rest)) = first(text) else {
            break;
        };
        blocks.push(block);
        text = rest;
    }
    blocks
}

/// Where the next BEGIN line's label begins.
fn begin(text: &str) -> Option<usize> {
    const MARK: &str = "-----BEGIN ";
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find(MARK)?;
        let after = at + MARK.len();
        if at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n') {
            return Some(after);
        }
        from = after;
    }
}

/// `text` begins at the label.
fn block(text: &str) -> Option<(Block<'_>, &str)> {
    let (line, rest) = text.split_once('\n')?;
    let label = line
        .trim_end_matches([' ', '\t', '\r'])
        .strip_suffix("-----")?;
    let mut end = String::from("-----END ");
    end.push_str(label);
    end.push_str("-----");
    let stop = if rest.starts_with(&end) {
        0
    } else {
        rest.find(&alloc::format!("\n{end}"))? + 1
    };
    let tail = rest.get(stop + end.len()..)?;
    let (trailer, rest_after) = tail.split_once('\n').unwrap_or((tail, ""));
    if !trailer.trim_matches([' ', '\t', '\r']).is_empty() {
        return None;
    }
    let inside = rest.get(..stop)?;
    let text = without_headers(inside);
    Some((
        Block {
            label,
            body: base64::decode_spaced(text)?,
            has_headers: text.len() < inside.len(),
        },
        rest_after,
    ))
}

/// Skips `Name: value` lines.
fn without_headers(mut body: &str) -> &str {
    while let Some((line, rest)) = body.split_once('\n') {
        if !line.contains(':') {
            break;
        }
        body = rest;
    }
    body
}

/// `der` as one PEM block with `label`, lines of 64 characters.
pub fn encode(label: &str, der: &[u8]) -> String {
    let body = base64::encode(der);
    let mut text = alloc::format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        text.extend(line.iter().map(|byte| char::from(*byte)));
        text.push('\n');
    }
    text.push_str(&alloc::format!("-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        let text = encode("PUBLIC KEY", b"hello");
        let (block, rest) = first(&text).unwrap();
        assert_eq!(
            (block.label, block.body.as_slice(), rest),
            ("PUBLIC KEY", &b"hello"[..], "")
        );
        let junk = alloc::format!("junk\n{text}more");
        assert_eq!(first(&junk).unwrap().1, "more");
        assert_eq!(all(&alloc::format!("{text}{text}"), 10).len(), 2);
        assert_eq!(all(&alloc::format!("{text}{text}"), 1).len(), 1);
    }

    #[test]
    fn skips_malformed_blocks() {
        let good = encode("B", b"x");
        assert_eq!(
            first(&alloc::format!(
                "-----BEGIN A-----\n!!\n-----END A-----\n{good}"
            ))
            .unwrap()
            .0
            .label,
            "B"
        );
        assert_eq!(first("-----BEGIN A-----\nYQ==\n-----END Z-----\n"), None);
        assert_eq!(first("x-----BEGIN A-----\nYQ==\n-----END A-----\n"), None);
        assert_eq!(first(""), None);
        assert_eq!(first("-----BEGIN A-----"), None);
        let broken = |times: usize| "-----BEGIN A-----\n".repeat(times) + &good;
        assert!(first(&broken(limits::PEM_MALFORMED - 1)).is_some());
        assert_eq!(first(&broken(limits::PEM_MALFORMED)), None);
    }

    #[test]
    fn headers() {
        let text = "-----BEGIN A-----\nName: value\n\nYQ==\n-----END A-----\n";
        let (block, _) = first(text).unwrap();
        assert_eq!(
            (block.body.as_slice(), block.has_headers),
            (&b"a"[..], true)
        );
        assert!(!first(&encode("A", b"a")).unwrap().0.has_headers);
    }
}
