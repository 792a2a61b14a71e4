//! Which field of a message or keyring each byte belongs to: read here anew, from RFC 9580 alone, so
//! that a reader which skips a field is found.

use super::*;
use alloc::string::{String, ToString};

/// The name of each byte's field.
pub(super) fn of(bytes: &[u8]) -> Vec<String> {
    let mut walk = Walk {
        bytes,
        names: Vec::new(),
    };
    let mut whose = "";
    while walk.names.len() < bytes.len() {
        let (tag, length) = walk.packet();
        let body = walk.rest()[..length].to_vec();
        whose = match (tag, body.get(5)) {
            (6, _) => "key",
            (13 | 17, _) => "user id",
            // For encryption (section 9.1): no signature of it is ever asked.
            (14, Some(16 | 18 | 25)) => "other subkey",
            (14, _) => "subkey",
            _ => whose,
        };
        let from = walk.names.len();
        match tag {
            2 => walk.signature(&signature(&body, whose), length),
            4 => walk.one_pass(),
            6 | 14 => walk.key(whose, length),
            11 => walk.literal(length),
            _ => walk.take(whose, length),
        }
        assert_eq!(walk.names.len(), from + length, "type {tag}");
    }
    walk.names
}

/// The packets of a message, as they stand there.
pub(super) fn packets(message: &[u8]) -> Vec<Vec<u8>> {
    let mut packets: Vec<Vec<u8>> = Vec::new();
    for (byte, name) in message.iter().zip(of(message)) {
        if name == "packet type" {
            packets.push(Vec::new());
        }
        packets.last_mut().unwrap().push(*byte);
    }
    packets
}

/// What a signature of this body is.
fn signature(body: &[u8], whose: &str) -> String {
    match body[1] {
        0 | 1 => "signature".into(),
        0x19 => "cross signature".into(),
        0x20 | 0x28 | 0x30 => format!("{whose}'s revocation"),
        _ => format!("{whose}'s signature"),
    }
}

struct Walk<'a> {
    bytes: &'a [u8],
    names: Vec<String>,
}

impl Walk<'_> {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.names.len()..]
    }

    fn take(&mut self, name: &str, length: usize) {
        assert!(length <= self.rest().len(), "{name}");
        self.names.extend((0..length).map(|_| name.to_string()));
    }

    /// A big-endian number of so many bytes.
    fn number(&mut self, name: &str, length: usize) -> usize {
        let number = self.rest()[..length]
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        self.take(name, length);
        number
    }

    /// Its type, and how long its body is. No fixture here has a body in parts.
    fn packet(&mut self) -> (u8, usize) {
        let head = self.rest()[0];
        let old = head & 0x40 == 0;
        let tag = if old { head >> 2 & 15 } else { head & 63 };
        self.take("packet type", 1);
        let first = self.rest()[0];
        let length = match (old, head & 3, first) {
            (true, 0, _) | (false, _, ..192) => self.number("packet length", 1),
            (true, 1, _) => self.number("packet length", 2),
            (true, 2, _) => self.number("packet length", 4),
            (false, _, 255) => {
                self.take("packet length", 1);
                self.number("packet length", 4)
            }
            (false, _, 192..224) => self.number("packet length", 2) - (192 << 8) + 192,
            _ => panic!("a body in parts"),
        };
        (tag, length)
    }

    fn one_pass(&mut self) {
        let version = self.number("one-pass version", 1);
        self.take("one-pass type", 1);
        self.take("one-pass hash", 1);
        self.take("one-pass algorithm", 1);
        if version == 6 {
            let salt = self.number("one-pass salt length", 1);
            self.take("one-pass salt", salt);
        }
        self.take("one-pass issuer", if version == 6 { 32 } else { 8 });
        self.take("one-pass last", 1);
    }

    fn literal(&mut self, length: usize) {
        self.take("literal format", 1);
        let name = self.number("literal name length", 1);
        self.take("literal name", name);
        self.take("literal date", 4);
        self.take("literal data", length - name - 6);
    }

    fn key(&mut self, whose: &str, length: usize) {
        self.take(&format!("{whose} version"), 1);
        self.take(&format!("{whose} created"), 4);
        self.take(&format!("{whose} algorithm"), 1);
        self.take(&format!("{whose} material"), length - 6);
    }

    fn signature(&mut self, what: &str, length: usize) {
        let end = self.names.len() + length;
        let version = self.number(&format!("{what} version"), 1);
        for field in ["type", "algorithm", "hash"] {
            self.take(&format!("{what} {field}"), 1);
        }
        let size = if version == 6 { 4 } else { 2 };
        for area in ["hashed", "unhashed"] {
            let length = self.number(&format!("{what} {area} length"), size);
            self.subpackets(&format!("{what} {area}"), length);
        }
        self.take(&format!("{what} digest start"), 2);
        if version == 6 {
            let salt = self.number(&format!("{what} salt length"), 1);
            self.take(&format!("{what} salt"), salt);
        }
        self.take(&format!("{what} numbers"), end - self.names.len());
    }

    fn subpackets(&mut self, area: &str, length: usize) {
        let end = self.names.len() + length;
        while self.names.len() < end {
            let first = self.rest()[0];
            let head = format!("{area} subpacket length");
            let length = match first {
                ..192 => self.number(&head, 1),
                192..255 => self.number(&head, 2) - (192 << 8) + 192,
                255 => {
                    self.take(&head, 1);
                    self.number(&head, 4)
                }
            };
            let kind = self.rest()[0] & 0x7f;
            self.take(&format!("{area} {kind} type"), 1);
            if kind == 32 {
                self.signature("cross signature", length - 1);
            } else {
                self.take(&format!("{area} {kind}"), length - 1);
            }
        }
    }
}
