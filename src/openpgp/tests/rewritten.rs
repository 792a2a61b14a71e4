//! Good messages written another way: packets in every order, more and less of them, other framings,
//! other subpackets, other numbers.

use super::altered::{messages, same};
use super::fields::{self, packets};
use super::make::*;
use super::*;

/// What stands in a packet.
fn unframed(packet: &[u8]) -> Vec<u8> {
    let names = fields::of(packet);
    let bytes = packet.iter().zip(names);
    let body = bytes.filter(|(_, name)| !name.starts_with("packet "));
    body.map(|(byte, _)| *byte).collect()
}

/// Every sequence of at most four of a message's packets.
#[test]
fn packets_in_every_order() {
    for (message, keyring) in messages() {
        let ring = Keyring::read(&keyring).unwrap();
        let good = verify(&message, &ring, at(NOW)).unwrap();
        let packets = packets(&message);
        assert_eq!(packets.len(), 3);
        for length in 0..=4 {
            for number in 0..3_usize.pow(length) {
                let order =
                    Vec::from_iter((0..length).map(|place| number / 3_usize.pow(place) % 3));
                let parts = order.iter().flat_map(|place| packets[*place].clone());
                let found = verify(&Vec::from_iter(parts), &ring, at(NOW));
                // With the announcement, or in the older form.
                let is_one = [&[0, 1, 2][..], &[2, 1]].contains(&&order[..]);
                assert_eq!(same(good.claim(), &found) == "ok", is_one, "{order:?}");
            }
        }
    }
}

#[test]
fn more_and_less() {
    for (message, keyring) in messages() {
        let ring = Keyring::read(&keyring).unwrap();
        let refused = |bytes: &[u8]| verify(bytes, &ring, at(NOW)).is_err();
        for byte in 0..=255 {
            assert!(refused(&[&message[..], &[byte]].concat()), "{byte} behind");
            assert!(refused(&[&[byte], &message[..]].concat()), "{byte} before");
        }
        for at in 0..message.len() {
            assert!(refused(&message[..at]), "up to {at}");
            assert!(at == 0 || refused(&message[at..]), "from {at}");
        }
    }
}

/// A signature of version 4 in its parts (RFC 9580 section 5.2.3).
#[derive(Clone)]
struct Parts {
    head: Vec<u8>,
    hashed: Vec<u8>,
    unhashed: Vec<u8>,
    start: Vec<u8>,
    numbers: Vec<u8>,
}

impl Parts {
    fn of(body: &[u8]) -> Self {
        let area = |at: usize| {
            let length = usize::from(u16::from_be_bytes([body[at], body[at + 1]]));
            (body[at + 2..at + 2 + length].to_vec(), at + 2 + length)
        };
        let (hashed, at) = area(4);
        let (unhashed, at) = area(at);
        Self {
            head: body[..4].into(),
            hashed,
            unhashed,
            start: body[at..at + 2].into(),
            numbers: body[at + 2..].into(),
        }
    }

    fn body(&self) -> Vec<u8> {
        let area = |area: &[u8]| [&u16::try_from(area.len()).unwrap().to_be_bytes(), area].concat();
        let areas = [area(&self.hashed), area(&self.unhashed)].concat();
        [&self.head[..], &areas, &self.start, &self.numbers].concat()
    }
}

/// A message of GnuPG in its parts: announcement, payload, signature.
struct Taken {
    one_pass: Vec<u8>,
    payload: Vec<u8>,
    signature: Parts,
}

impl Taken {
    fn of(message: &[u8]) -> Self {
        let named = fields::of(message);
        let packets = packets(message);
        let payload = (message.iter().zip(&named)).filter(|(_, name)| *name == "literal data");
        Self {
            one_pass: packets[0].clone(),
            payload: payload.map(|(byte, _)| *byte).collect(),
            signature: Parts::of(&unframed(&packets[2])),
        }
    }

    fn with(&self, change: impl Fn(&mut Parts)) -> Vec<u8> {
        let mut signature = self.signature.clone();
        change(&mut signature);
        let signature = packet(2, &signature.body());
        [&self.one_pass[..], &literal(&self.payload), &signature].concat()
    }

    fn with_literal(&self, literal: &[u8]) -> Vec<u8> {
        [
            &self.one_pass[..],
            literal,
            &packet(2, &self.signature.body()),
        ]
        .concat()
    }
}

fn of_gnupg(name: &str) -> (Taken, Keyring) {
    let keyring = Keyring::read(&file(&format!("{name}.gpg"))).unwrap();
    (Taken::of(&file(&format!("{name}.sig"))), keyring)
}

/// The subpackets of an area; those of the fixtures are short.
fn subpackets(area: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = area;
    let mut found = Vec::new();
    while let [length, ..] = rest {
        let (one, more) = rest.split_at(1 + usize::from(*length));
        found.push(one.into());
        rest = more;
    }
    found
}

#[test]
fn literals() {
    let (taken, ring) = of_gnupg("ed25519");
    let payload = &taken.payload[..];
    let body = |head: &[u8]| packet(11, &[head, payload].concat());
    let [first, second] = [&payload[..128], &payload[128..]];
    let parts = [&[0xcb, 0xe0 | 7][..], b"b\0\0\0\0\0", &payload[..122]].concat();
    let parts = |end: &[u8]| [&parts[..], end].concat();
    let last = |rest: &[u8]| {
        let length = u32::try_from(rest.len()).unwrap().to_be_bytes();
        [&[255], &length[..], rest].concat()
    };
    for (literal, expected) in [
        // Nothing of this is signed.
        (body(b"b\0\0\0\0\0"), "ok"),
        (body(b"b\x05other\xff\xff\xff\xff"), "ok"),
        (body(b"b\x08_CONSOLE\0\0\0\0"), "ok"),
        (body(b"t\0\0\0\0\0"), "ok"),
        (body(b"u\0\0\0\0\0"), "ok"),
        (parts(&last(&payload[122..])), "ok"),
        (body(b"l\0\0\0\0\0"), "openpgp.malformed"),
        (body(b"m\0\0\0\0\0"), "openpgp.malformed"),
        (body(b"1\0\0\0\0\0"), "openpgp.malformed"),
        (body(b"b\0\0\0\0"), "openpgp.digest"),
        (body(b"b\0\0\0\0\0\0"), "openpgp.digest"),
        (body(b"b\x01\0\0\0\0"), "openpgp.digest"),
        (parts(&last(&payload[123..])), "openpgp.digest"),
        (parts(&payload[122..]), "openpgp.malformed"),
        (
            literal(&[first, b"\r\n", second].concat()),
            "openpgp.digest",
        ),
        (literal(&[payload, b"\n"].concat()), "openpgp.digest"),
        (literal(b""), "openpgp.digest"),
    ] {
        let found = code_of(&taken.with_literal(&literal), &ring);
        assert_eq!(found, expected, "{literal:?}");
    }
}

fn code_of(message: &[u8], ring: &Keyring) -> &'static str {
    verify(message, ring, at(NOW)).map_or_else(|refused| refused.failure.code, |_| "ok")
}

#[test]
fn framings() {
    let (taken, ring) = of_gnupg("ed25519");
    let parts = packets(&taken.with(|_| ()));
    let bodies = Vec::from_iter(parts.iter().map(|part| unframed(part)));
    let old = |tag: u8, size: usize, body: &[u8]| {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        let kind = [0, 0, 1, 0, 2][size];
        [&[0x80 | tag << 2 | kind], &length[4 - size..], body].concat()
    };
    let two = |tag: u8, body: &[u8]| {
        let length = u16::try_from(body.len() - 192).unwrap() + (192 << 8);
        [&[0xc0 | tag][..], &length.to_be_bytes(), body].concat()
    };
    let [one_pass, payload, signature] = [0, 1, 2].map(|at| &bodies[at][..]);
    for (written, expected) in [
        (
            [
                old(4, 1, one_pass),
                old(11, 2, payload),
                old(2, 1, signature),
            ],
            "ok",
        ),
        (
            [
                old(4, 2, one_pass),
                old(11, 4, payload),
                old(2, 2, signature),
            ],
            "ok",
        ),
        (
            [old(4, 4, one_pass), two(11, payload), old(2, 4, signature)],
            "ok",
        ),
        // Of indeterminate length: the rest would be swallowed.
        (
            [
                old(4, 1, one_pass),
                [&[0xaf], payload].concat(),
                old(2, 1, signature),
            ],
            "openpgp.malformed",
        ),
        (
            [
                old(4, 1, one_pass),
                old(11, 2, payload),
                [&[0x8b], signature].concat(),
            ],
            "openpgp.malformed",
        ),
    ] {
        assert_eq!(code_of(&written.concat(), &ring), expected, "{written:?}");
    }
}

/// What is not hashed is a hint; what is hashed is covered, to its last byte.
#[test]
fn subpackets_and_fields() {
    for name in ["rsa", "dsa", "nistp256", "ed25519"] {
        let (taken, ring) = of_gnupg(name);
        let good = &taken.signature;
        let said = subpackets(&good.hashed);
        assert!(said.len() > 1);
        let reversed: Vec<u8> = said.iter().rev().flatten().copied().collect();
        let changed = |change: &dyn Fn(&mut Parts)| code_of(&taken.with(change), &ring);
        let unhashed = |more: &[u8]| changed(&|parts| parts.unhashed.extend_from_slice(more));
        let hashed = |more: &[u8]| changed(&|parts| parts.hashed.extend_from_slice(more));
        for (found, expected) in [
            (changed(&|_| ()), "ok"),
            (changed(&|parts| parts.unhashed.clear()), "ok"),
            (unhashed(&subpacket(20, &[0; 8])), "ok"),
            (unhashed(&subpacket(2, &[0; 4])), "ok"),
            (unhashed(&subpacket(3, &[0, 0, 0, 1])), "ok"),
            (unhashed(&subpacket(0x80 | 3, &[0, 0, 0, 1])), "ok"),
            (unhashed(&said.concat()), "ok"),
            (unhashed(&subpacket(0x80 | 20, &[0; 8])), "openpgp.critical"),
            (unhashed(&subpacket(16, &[1; 8])), "openpgp.unknown-key"),
            (unhashed(&[0]), "openpgp.malformed"),
            (hashed(&subpacket(100, &[])), "openpgp.digest"),
            (hashed(&good.unhashed), "openpgp.digest"),
            (hashed(&said.concat()), "openpgp.malformed"),
            (
                changed(&|parts| parts.hashed.clone_from(&reversed)),
                "openpgp.digest",
            ),
            (changed(&|parts| parts.hashed.clear()), "openpgp.malformed"),
            (
                changed(&|parts| parts.start = [0; 2].into()),
                "openpgp.digest",
            ),
            (changed(&|parts| parts.head[1] ^= 1), "openpgp.one-pass"),
            (changed(&|parts| parts.numbers.push(0)), "openpgp.malformed"),
            (changed(&|parts| parts.numbers.clear()), "openpgp.malformed"),
            // As long a number, with its zero in front.
            (
                changed(&|parts| {
                    parts.numbers[0] += 1;
                    parts.numbers.insert(2, 0);
                }),
                "openpgp.malformed",
            ),
        ] {
            assert_eq!(found, expected, "{name}");
        }
    }
}

/// Without the announcement nothing else says its type, hash and algorithm: the digest does.
#[test]
fn fields_that_are_announced_nowhere() {
    for name in ["rsa", "dsa", "nistp256", "ed25519"] {
        let (taken, ring) = of_gnupg(name);
        let mut accepted = Vec::new();
        for (field, value) in (0..4).flat_map(|field| (0..=255).map(move |value| (field, value))) {
            let mut signature = taken.signature.clone();
            signature.head[field] = value;
            let message = [packet(2, &signature.body()), literal(&taken.payload)].concat();
            if code_of(&message, &ring) == "ok" {
                accepted.push((field, value));
            }
        }
        let own = Vec::from_iter(taken.signature.head.iter().copied().enumerate());
        assert_eq!(accepted, own, "{name}");
    }
}

/// The group's order minus the second number is the other root of the same equation: ECDSA itself
/// has two signatures, and no rule of OpenPGP takes one of them away. Ed25519 has one.
#[test]
fn other_numbers() {
    let (taken, ring) = of_gnupg("nistp256");
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order = crate::encoding::hex::decode(order).unwrap();
    let numbers = &taken.signature.numbers;
    let length = usize::from(u16::from_be_bytes([numbers[0], numbers[1]])).div_ceil(8);
    let (r, s) = (&numbers[2..2 + length], &numbers[4 + length..]);
    let zero = [0; 32];
    for (r, s, expected) in [
        (r, s, "ok"),
        (r, &minus(&order, s)[..], "ok"),
        (s, r, "signature.invalid"),
        (r, r, "signature.invalid"),
        (&minus(&order, r)[..], s, "signature.invalid"),
        (r, &order[..], "signature.malformed"),
        (&order[..], s, "signature.malformed"),
        (r, &zero[..], "signature.malformed"),
        (&zero[..], s, "signature.malformed"),
    ] {
        let numbers = [mpi(r), mpi(s)].concat();
        let found = code_of(
            &taken.with(|parts| parts.numbers.clone_from(&numbers)),
            &ring,
        );
        assert_eq!(found, expected);
    }
}

/// Of numbers of the same length, the first the larger.
fn minus(from: &[u8], less: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut out: Vec<u8> = (from.iter().rev().zip(less.iter().rev()))
        .map(|(from, less)| {
            let (own, below) = from.overflowing_sub(*less);
            let (own, again) = own.overflowing_sub(borrow);
            borrow = u8::from(below || again);
            own
        })
        .collect();
    out.reverse();
    out
}
