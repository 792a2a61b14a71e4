//! Signed messages: what is accepted is one message and nothing else, however it is wrapped; no key
//! of the fixtures signed anything but what the fixtures say.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sealgate::internals::crypto::Outcome;
use sealgate::internals::crypto::RustCrypto;
use sealgate::internals::limits;
use sealgate::internals::openpgp::Message;
use sealgate_fuzz::Always;
use sealgate_fuzz::Known;
use sealgate_fuzz::NOW;
use sealgate_fuzz::assert_end;
use sealgate_fuzz::judge;
use std::sync::LazyLock;

static KNOWN: LazyLock<Known> = LazyLock::new(Known::read);
/// The type of compressed data.
const COMPRESSED: u8 = 8;

fuzz_target!(|bytes: &[u8]| {
    let mut room = limits::OPENPGP_INFLATED;
    let read = Message::read_within(bytes, &mut room);
    let inflated = limits::OPENPGP_INFLATED - room;
    let most = bytes.len() * limits::OPENPGP_INFLATE_RATIO + limits::OPENPGP_INFLATED_FREE;
    assert!(
        inflated <= most.min(limits::OPENPGP_INFLATED),
        "{inflated} bytes of {}",
        bytes.len()
    );
    assert_eq!(read, Message::read(bytes), "it is read the same again");
    let Ok(message) = read else {
        return;
    };
    room_is_kept(bytes, inflated, &message);
    nothing_else(bytes);
    if inflated == 0 && !is_compressed(bytes) {
        wrapped(bytes, &message);
    }
    verified(&message);
});

/// With the room that it needs it reads the same, and not with less.
fn room_is_kept(bytes: &[u8], inflated: usize, message: &Message) {
    let mut room = inflated;
    assert_eq!(
        Message::read_within(bytes, &mut room).as_ref(),
        Ok(message),
        "just enough room"
    );
    assert_eq!(room, 0, "what it inflates to is taken off");
    if let Some(mut less) = inflated.checked_sub(1) {
        assert!(
            Message::read_within(bytes, &mut less).is_err(),
            "less room than it needs"
        );
    }
}

/// Neither more behind it nor less of it is a message.
fn nothing_else(bytes: &[u8]) {
    for more in [&b"\n"[..], &[0], &[0xca, 3, b'P', b'G', b'P'], bytes] {
        if bytes.len() + more.len() > limits::EVIDENCE {
            continue;
        }
        assert!(
            Message::read(&[bytes, more].concat()).is_err(),
            "{more:?} behind it"
        );
    }
    for end in [1, bytes.len() / 2, bytes.len() - 1] {
        assert!(Message::read(&bytes[..end]).is_err(), "cut off at {end}");
    }
}

/// Compressed it is the same message; compressed twice it is none.
fn wrapped(bytes: &[u8], message: &Message) {
    let zlib = miniz_oxide::deflate::compress_to_vec_zlib(bytes, 6);
    let deflate = miniz_oxide::deflate::compress_to_vec(bytes, 6);
    for body in [
        [&[0], bytes].concat(),
        [&[1], &deflate[..]].concat(),
        [&[2], &zlib[..]].concat(),
    ] {
        let once = compressed(&body);
        assert_eq!(
            Message::read(&once).as_ref(),
            Ok(message),
            "compressed by {}",
            body[0]
        );
        let twice = compressed(&[&[0], &once[..]].concat());
        assert!(Message::read(&twice).is_err(), "compressed twice");
    }
}

fn compressed(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len())
        .expect("a message is short")
        .to_be_bytes();
    [&[0xc0 | COMPRESSED, 0xff], &length[..], body].concat()
}

/// Whether the first packet says so, in the new format or the old.
fn is_compressed(bytes: &[u8]) -> bool {
    let first = bytes[0];
    let tag = if first & 0x40 != 0 {
        first & 0x3f
    } else {
        first >> 2 & 0x0f
    };
    tag == COMPRESSED
}

fn verified(message: &Message) {
    let keyring = &KNOWN.keyring;
    let judged = judge(message, keyring, NOW, &RustCrypto);
    assert_eq!(
        judged,
        judge(message, keyring, NOW, &RustCrypto),
        "it is judged the same again"
    );
    if let Some(claim) = &judged.claim {
        assert!(KNOWN.is_known(claim), "nobody signed {claim:?}");
    }
    let none = judge(message, keyring, NOW, &Always(Outcome::Fails));
    assert_eq!(none.claim, None, "no signature of it holds");
    // Behind every check: how long it counts is no matter of who signed.
    let all = Always(Outcome::Holds);
    if let Some(claim) = judge(message, keyring, NOW, &all).claim {
        assert_end(message, keyring, &claim, NOW, &all);
    }
}
