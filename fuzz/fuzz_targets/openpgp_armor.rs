//! Armour: what is read is what an independent reader finds, and reads the same once it is written
//! anew; a keyring is the keys of its blocks.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sealgate::internals::openpgp::Keyring;
use sealgate::internals::openpgp::unarmoured;

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let blocks = unarmoured::keys(&text);
    assert_eq!(blocks, unarmoured::keys(&text), "it is read the same again");
    assert_eq!(
        blocks,
        expected(&text),
        "an independent reader finds the same"
    );
    let held: usize = blocks.iter().flatten().map(Vec::len).sum();
    assert!(held * 4 <= text.len() * 3, "{held} bytes in {}", text.len());

    let written: String = blocks
        .iter()
        .flatten()
        .map(|block| armoured(block))
        .collect();
    let read: Vec<_> = unarmoured::keys(&written);
    let whole: Vec<_> = blocks
        .iter()
        .filter(|block| block.is_some())
        .cloned()
        .collect();
    assert_eq!(read, whole, "written anew it reads the same");

    // Bytes that begin a packet are no text.
    if bytes.first().is_none_or(|first| first & 0x80 == 0) {
        keyring(bytes, &blocks);
    }
});

/// The keyring of a text is that of its blocks.
fn keyring(bytes: &[u8], blocks: &[Option<Vec<u8>>]) {
    let keyring = Keyring::read(bytes);
    assert_eq!(keyring, Keyring::read(bytes), "it is read the same again");
    let Ok(keyring) = keyring else {
        return;
    };
    let mut keys = Keyring::default();
    for block in blocks.iter().flatten() {
        // A block of its own may begin with no packet, and be text; what was read had only packets.
        if block.first().is_none_or(|first| first & 0x80 == 0) {
            continue;
        }
        let read = Keyring::read(block).expect("a block of a keyring that is read");
        keys.merge(read).expect("as many keys as were read");
    }
    assert_eq!(keyring.written(), keys.written(), "the keys of the blocks");
    if blocks.iter().any(Option::is_none) {
        assert!(keyring.is_empty(), "beside a malformed block no key counts");
    }
}

/// The same by another way: bit by bit, from the rules of RFC 9580 section 6.2.
fn expected(text: &str) -> Vec<Option<Vec<u8>>> {
    let lines: Vec<&str> = text.split('\n').map(str::trim_end).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = position(&lines, at, BEGIN) {
        let end = position(&lines, start, END);
        found.push(end.and_then(|end| block(&lines[start + 1..end])));
        at = end.unwrap_or(lines.len());
    }
    found
}

fn position(lines: &[&str], from: usize, wanted: &str) -> Option<usize> {
    (from..lines.len()).find(|at| lines[*at] == wanted)
}

fn block(lines: &[&str]) -> Option<Vec<u8>> {
    let mut lines = lines.iter();
    for line in lines.by_ref() {
        if line.is_empty() {
            return decoded(lines.take_while(|line| !line.starts_with('=')));
        }
        line.find(':')?;
    }
    None
}

fn decoded<'a>(lines: impl Iterator<Item = &'a &'a str>) -> Option<Vec<u8>> {
    let (mut letters, mut padding, mut bits, mut held) = (0_usize, 0_usize, 0_u32, Vec::new());
    // A carriage return inside of a line is no letter, and no matter (as Go has it).
    for byte in lines
        .flat_map(|line| line.bytes())
        .filter(|byte| *byte != b'\r')
    {
        if byte == b'=' {
            padding += 1;
            continue;
        }
        let value = LETTERS.iter().position(|letter| *letter == byte)?;
        if padding > 0 {
            return None;
        }
        letters += 1;
        bits = bits << 6 | u32::try_from(value).ok()?;
        if letters.is_multiple_of(4) {
            held.extend_from_slice(&bits.to_be_bytes()[1..]);
            bits = 0;
        }
    }
    match (letters % 4, padding) {
        (0, 0) => {}
        (2, 2) => held.push((bits >> 4).to_be_bytes()[3]),
        (3, 1) => held.extend_from_slice(&(bits >> 2).to_be_bytes()[2..]),
        _ => return None,
    }
    Some(held)
}

fn armoured(block: &[u8]) -> String {
    let mut body = String::new();
    for three in block.chunks(3) {
        let bits = three
            .iter()
            .fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = LETTERS[bits >> (18 - 6 * place) & 63];
            body.push(if place <= three.len() {
                letter.into()
            } else {
                '='
            });
        }
        if body.len() % 65 == 64 {
            body.push('\n');
        }
    }
    format!("{BEGIN}\nComment: anew\n\n{body}\n=AAAA\n{END}\n")
}
