//! What stands in a message.

use super::make::*;
use super::*;
use crate::openpgp::detached;

#[test]
fn every_version_and_order() {
    for version in [4, 6] {
        let key = key(version, 1);
        let [one_pass, literal, signature] = key.parts(&key.plain(0));
        for message in [
            [&one_pass[..], &literal, &signature].concat(),
            [&signature[..], &literal].concat(),
        ] {
            assert_eq!(judged(&message, &key.ring()), "ok", "{version}");
            let inside = [&[0], &message[..]].concat();
            assert_eq!(judged(&packet(8, &inside), &key.ring()), "ok");
            // One level of compression.
            let twice = [&[0], &packet(8, &inside)[..]].concat();
            assert_eq!(judged(&packet(8, &twice), &key.ring()), "openpgp.packet");
            let after = [&packet(8, &inside)[..], &[0xca]].concat();
            assert_eq!(judged(&after, &key.ring()), "openpgp.trailing");
        }
    }
}

#[test]
fn version_3() {
    let (old, new) = (key(4, 1), key(6, 1));
    let message = |key: &Key, kind| {
        let signature = packet(2, &key.sign_v3(kind, PAYLOAD));
        [signature, literal(PAYLOAD)].concat()
    };
    assert_eq!(judged(&message(&old, 0), &old.ring()), "ok");
    assert_eq!(judged(&message(&old, 1), &old.ring()), "ok");
    assert_eq!(
        judged(&message(&old, 2), &old.ring()),
        "openpgp.signature-type"
    );
    assert_eq!(
        judged(&message(&new, 0), &new.ring()),
        "openpgp.key-algorithm"
    );
}

/// GHSA-qwqc-28w3-fww6: signatures that were made for something else.
#[test]
fn types() {
    let key = key(4, 1);
    for kind in 0..=255 {
        let expected = if kind < 2 {
            "ok"
        } else {
            "openpgp.signature-type"
        };
        let message = key.parts(&key.plain(kind)).concat();
        assert_eq!(judged(&message, &key.ring()), expected, "{kind}");
    }
}

/// CVE-2025-47934 and its like: every order, and every packet beside.
#[test]
fn exactly_these_packets() {
    let key = key(4, 1);
    let parts = key.parts(&key.plain(0));
    let [o, l, s] = &parts;
    let other = &literal(b"other");
    let encrypted = &packet(18, &[1]);
    for (packets, expected) in [
        (&[][..], "openpgp.empty"),
        (&[o], "openpgp.malformed"),
        (&[l], "openpgp.unsigned"),
        (&[s], "openpgp.detached"),
        (&[o, l], "openpgp.unsigned"),
        (&[l, s], "openpgp.unsigned"),
        (&[l, o, s], "openpgp.unsigned"),
        (&[o, s], "openpgp.signature-count"),
        (&[o, s, l], "openpgp.signature-count"),
        (&[s, o, l], "openpgp.signature-count"),
        (&[s, s, l], "openpgp.signature-count"),
        (&[o, o, l, s, s], "openpgp.signature-count"),
        (&[o, l, s, s], "openpgp.signature-count"),
        (&[s, l, s], "openpgp.signature-count"),
        (&[o, other, l, s], "openpgp.packet"),
        (&[o, l, other, s], "openpgp.packet"),
        (&[other, o, l, s], "openpgp.unsigned"),
        (&[o, l, s, other], "openpgp.trailing"),
        (&[s, l, other], "openpgp.trailing"),
        (&[s, other, l], "openpgp.trailing"),
        (&[o, l, s, o, l, s], "openpgp.trailing"),
        (&[o, other, s], "openpgp.digest"),
        (&[encrypted], "openpgp.encrypted"),
        (&[o, encrypted, s], "openpgp.packet"),
    ] {
        let message: Vec<u8> = packets.iter().flat_map(|part| (*part).clone()).collect();
        assert_eq!(judged(&message, &key.ring()), expected, "{packets:?}");
    }
    // Anything else at any place: markers, trust, user ids, padding, unknown and private ones.
    for tag in (1..64).filter(|tag| *tag != 2) {
        for place in 0..=parts.len() {
            let mut packets = parts.to_vec();
            packets.insert(place, packet(tag, b"PGP"));
            let found = judged(&packets.concat(), &key.ring());
            assert_ne!(found, "ok", "{tag} at {place}");
        }
    }
    for end in 0..parts.concat().len() {
        assert_ne!(judged(&parts.concat()[..end], &key.ring()), "ok", "{end}");
    }
    for more in [&b"\n"[..], &[0], &[0xca, 3, b'P', b'G', b'P']] {
        let message = [&parts.concat(), more].concat();
        assert_eq!(judged(&message, &key.ring()), "openpgp.trailing");
    }
}

#[test]
fn the_announcement_is_of_this_signature() {
    for version in [4, 6] {
        let key = key(version, 1);
        let [one_pass, literal, signature] = key.parts(&key.plain(0));
        let header = 6;
        for at in header..one_pass.len() {
            let mut altered = one_pass.clone();
            altered[at] ^= 1;
            let message = [&altered[..], &literal, &signature].concat();
            let found = judged(&message, &key.ring());
            assert!(found.starts_with("openpgp."), "{version} {at} {found}");
        }
    }
}

#[test]
fn what_a_signature_says() {
    let made = key(4, 1);
    for (more, expected) in [
        (subpacket(3, &[0, 0, 0, 0]), "ok"),
        (subpacket(3, &86_401_u32.to_be_bytes()), "ok"),
        (
            subpacket(3, &86_400_u32.to_be_bytes()),
            "openpgp.signature-expired",
        ),
        (subpacket(0x80 | 20, &[0; 8]), "openpgp.critical"),
        (subpacket(0x80 | 100, &[]), "openpgp.critical"),
        (subpacket(20, &[0; 8]), "ok"),
        (subpacket(2, &SIGNED.to_be_bytes()), "openpgp.malformed"),
        (subpacket(16, &[1; 8]), "openpgp.unknown-key"),
        (subpacket(33, &key(4, 2).issuer()), "openpgp.unknown-key"),
    ] {
        let mut plain = made.plain(0);
        plain.hashed.extend_from_slice(&more);
        let [_, literal, signature] = made.parts(&plain);
        let message = [signature, literal].concat();
        assert_eq!(judged(&message, &made.ring()), expected, "{more:?}");
    }
    let without = |hashed: Vec<u8>| {
        let plain = Made {
            hashed,
            ..made.plain(0)
        };
        let [_, literal, signature] = made.parts(&plain);
        judged(&[signature, literal].concat(), &made.ring())
    };
    assert_eq!(without(subpacket(33, &made.issuer())), "openpgp.malformed");
    assert_eq!(
        without(subpacket(2, &SIGNED.to_be_bytes())),
        "openpgp.no-issuer"
    );
    let early = [
        subpacket(2, &(MADE - 1).to_be_bytes()),
        subpacket(33, &made.issuer()),
    ];
    assert_eq!(without(early.concat()), "openpgp.key-newer");
}

#[test]
fn algorithms_and_hashes() {
    let made = key(4, 1);
    let altered = |change: &dyn Fn(&mut Made)| {
        let mut plain = made.plain(0);
        change(&mut plain);
        judged(&made.parts(&plain).concat(), &made.ring())
    };
    for (hash, expected) in [
        (1, "openpgp.md5"),
        (2, "openpgp.sha1"),
        (3, "openpgp.hash"),
        (9, "ok"),
        (10, "ok"),
        (11, "ok"),
        (12, "openpgp.hash"),
    ] {
        assert_eq!(altered(&|made| made.hash = hash), expected, "{hash}");
    }
    // RFC 9580 section 5.2.3.5: what GnuPG does not know takes no shorter one.
    let new = key(6, 1);
    let mut short = new.plain(0);
    short.hash = 11;
    let message = new.parts(&short).concat();
    assert_eq!(judged(&message, &new.ring()), "openpgp.short-hash");
    for algorithm in [1, 17, 19, 27, 28] {
        let found = altered(&|made| made.algorithm = algorithm);
        assert_eq!(found, "openpgp.key-algorithm", "{algorithm}");
    }
    for version in [2, 5, 6, 7] {
        let found = altered(&|made| made.version = version);
        assert_ne!(found, "ok", "{version}");
    }
    let new = key(6, 1);
    for (salt, expected) in [
        (16, "ok"),
        (15, "openpgp.malformed"),
        (32, "openpgp.malformed"),
    ] {
        let plain = Made {
            salt: [1; 32][..salt].into(),
            ..new.plain(0)
        };
        let [_, literal, signature] = new.parts(&plain);
        assert_eq!(
            judged(&[signature, literal].concat(), &new.ring()),
            expected
        );
    }
}

/// For tests alone: no message is read so.
#[test]
fn detached_signatures() {
    let key = key(4, 1);
    let signature = packet(2, &key.sign(&key.plain(0), &[PAYLOAD]));
    let keyring = Keyring::read(&key.ring()).unwrap();
    for (data, holds) in [(PAYLOAD, true), (b"other", false)] {
        let message = detached::message(&signature, data).unwrap();
        let settled = at_once(message.verify(&keyring, at(NOW), &RustCrypto));
        assert_eq!(settled.unwrap().unwrap().is_ok(), holds);
    }
}
