//! Until when an answer counts.

use super::family::*;
use super::make::*;
use super::*;

/// What is remembered of an answer ends before time alone makes another one of it: with whatever a
/// key says of itself for a time.
#[test]
fn when_an_answer_ends() {
    let family = Family::of(4);
    let (own, now) = (&family.primary, i64::from(MADE) + 2 * DAY);
    let hashed = own.parsed().hashed;
    let signed = i64::from(SIGNED);
    let for_days = |seconds: u32| subpacket(3, &days(seconds));
    let me = |more: &[u8]| own.user_id(b"me", 0x13, more);
    let direct = |more: &[u8]| own.says(0x1f, more, &[&hashed]);
    let flags = |flags: u8| subpacket(FLAGS, &[flags]);
    let by_key = |parts: &[Vec<u8>]| {
        let body = packet(6, &own.body());
        (own.message(), [&body[..], &parts.concat()].concat())
    };
    let by_subkey = |binding: &[u8], cross: &[u8]| {
        let cross = family.cross(&family.subkey, 0x19, cross);
        let binding = family.binding(SIGNED, 0x18, &[&cross, binding].concat());
        (family.subkey.message(), family.ring(&binding))
    };
    let expiring = {
        let mut made = own.plain(0);
        made.hashed.extend_from_slice(&for_days(5));
        own.parts(&made).concat()
    };
    for ((message, ring), expected) in [
        (by_key(&[me(&[])]), None),
        ((expiring, own.ring()), Some(signed + 5 * DAY)),
        (by_key(&[me(&for_days(4))]), Some(signed + 4 * DAY)),
        (
            by_key(&[me(&subpacket(KEY_EXPIRES, &days(4)))]),
            Some(i64::from(MADE) + 4 * DAY + 1),
        ),
        (by_subkey(&[], &[]), None),
        (by_subkey(&for_days(3), &[]), Some(signed + 3 * DAY)),
        (by_subkey(&[], &for_days(3)), Some(signed + 3 * DAY)),
        (
            by_subkey(&for_days(9), &for_days(6)),
            Some(signed + 6 * DAY),
        ),
        // After it the user id says what the key is for.
        (
            by_key(&[direct(&[flags(2), for_days(3)].concat()), me(&flags(1))]),
            Some(signed + 3 * DAY),
        ),
    ] {
        let ring = Keyring::read(&ring).unwrap();
        let judged = |now| verify(&message, &ring, at(UnixTime(now)));
        let claim = judged(now).unwrap().claim().clone();
        assert_eq!(claim.ends(), expected.map(UnixTime));
        let last = expected.map_or(1 << 40, |end| end - 1);
        assert_eq!(judged(last).unwrap().claim(), &claim);
        if let Some(end) = expected {
            assert!(judged(end).is_err(), "{end}");
        }
    }
}
