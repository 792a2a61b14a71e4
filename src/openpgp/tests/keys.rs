//! What a key says of itself, and when it counts.

use super::family::*;
use super::make::*;
use super::*;
use alloc::vec;

#[test]
fn certification() {
    let (own, other) = (key(4, 1), key(4, 2));
    let body = packet(6, &own.body());
    let hashed = own.parsed().hashed;
    let id = hashed_id(b"me");
    let by_other = {
        let mut made = other.plain(0x13);
        made.hashed = [at_seconds(SIGNED), subpacket(33, &own.issuer())].concat();
        packet(2, &other.sign(&made, &[&hashed, &id]))
    };
    let me = packet(13, b"me");
    let certified = own.says_of(b"me", 0x10, &[]);
    let revoked = |created| said_at(&own, created, 0x30, &[], &[&hashed, &id]);
    let again = said_at(&own, SIGNED + 20, 0x13, &[], &[&hashed, &id]);
    let direct = own.says(0x1f, &[], &[&hashed]);
    let second = own.user_id(b"second", 0x13, &[]);
    for (parts, expected) in [
        (&[][..], "openpgp.not-certified"),
        (&[&direct], "openpgp.not-certified"),
        (&[&me], "openpgp.not-certified"),
        (&[&me, &by_other], "openpgp.not-certified"),
        (&[&packet(13, b"you"), &certified], "openpgp.not-certified"),
        (&[&me, &certified], "ok"),
        (&[&direct, &me, &certified], "ok"),
        (&[&me, &by_other, &certified], "ok"),
        // The later of certification and revocation counts; of equals the last.
        (
            &[&me, &certified, &revoked(SIGNED + 10)],
            "openpgp.not-certified",
        ),
        (&[&me, &revoked(SIGNED), &certified], "ok"),
        (
            &[&me, &certified, &revoked(SIGNED)],
            "openpgp.not-certified",
        ),
        (&[&me, &certified, &revoked(SIGNED + 10), &again], "ok"),
        (&[&me, &certified, &revoked(SIGNED + 10), &second], "ok"),
        // One that has expired is passed over.
        (
            &[&me, &own.says_of(b"me", 0x13, &subpacket(3, &days(1)))],
            "openpgp.not-certified",
        ),
        (
            &[&me, &own.says_of(b"me", 0x13, &subpacket(3, &days(2)))],
            "ok",
        ),
        // One that is not understood, too.
        (
            &[&me, &own.says_of(b"me", 0x13, &subpacket(0x80 | 20, &[]))],
            "openpgp.not-certified",
        ),
    ] {
        let parts: Vec<u8> = parts.iter().flat_map(|part| (*part).clone()).collect();
        let ring = [&body[..], &parts].concat();
        assert_eq!(judged(&own.message(), &ring), expected, "{parts:?}");
    }
}

/// A revocation whose hash is not checked may be real.
#[test]
fn revocations() {
    let (own, other, third) = (key(4, 1), key(4, 2), key(4, 3));
    let hashed = own.parsed().hashed;
    let revoked = |by: &Key, issuer: &Key, hash| {
        let mut made = by.plain(0x20);
        made.hash = hash;
        made.hashed = [at_seconds(SIGNED), subpacket(33, &issuer.issuer())].concat();
        packet(2, &by.sign(&made, &[&hashed]))
    };
    let names_other = {
        let fingerprint = other.parsed().fingerprint;
        let revoker = subpacket(12, &[&[0x80, 22], fingerprint.bytes()].concat());
        own.says(0x1f, &revoker, &[&hashed])
    };
    let nothing = Vec::new();
    for (parts, behind, expected) in [
        (
            [&revoked(&own, &own, 8), &nothing],
            &nothing,
            "openpgp.key-revoked",
        ),
        (
            [&revoked(&own, &own, 2), &nothing],
            &nothing,
            "openpgp.revocation",
        ),
        (
            [&revoked(&own, &own, 1), &nothing],
            &nothing,
            "openpgp.revocation",
        ),
        // Somebody else's, under his own name and under the key's.
        ([&revoked(&other, &other, 8), &nothing], &nothing, "ok"),
        ([&revoked(&other, &own, 8), &nothing], &nothing, "ok"),
        // Somebody whom the key names for it.
        ([&names_other, &nothing], &other.ring(), "ok"),
        (
            [&names_other, &revoked(&other, &other, 8)],
            &other.ring(),
            "openpgp.key-revoked",
        ),
        (
            [&names_other, &revoked(&third, &third, 8)],
            &other.ring(),
            "ok",
        ),
        (
            [&names_other, &revoked(&third, &other, 8)],
            &other.ring(),
            "ok",
        ),
        (
            [&names_other, &revoked(&other, &other, 8)],
            &nothing,
            "openpgp.revocation",
        ),
    ] {
        let ring = [
            &packet(6, &own.body())[..],
            &parts.map(|part| part.clone()).concat(),
            &own.user_id(b"me", 0x13, &[]),
            behind,
        ]
        .concat();
        assert_eq!(judged(&own.message(), &ring), expected);
    }
    // Only the key itself names whom: not somebody who signs in its name.
    let forged = {
        let fingerprint = other.parsed().fingerprint;
        let mut made = other.plain(0x1f);
        let revoker = subpacket(12, &[&[0x80, 22], fingerprint.bytes()].concat());
        made.hashed = [at_seconds(SIGNED), subpacket(33, &own.issuer()), revoker].concat();
        packet(2, &other.sign(&made, &[&hashed]))
    };
    let ring = [
        &packet(6, &own.body())[..],
        &forged,
        &revoked(&other, &other, 8),
    ]
    .concat();
    let ring = [ring, own.user_id(b"me", 0x13, &[]), other.ring()].concat();
    assert_eq!(judged(&own.message(), &ring), "ok");
    // Where it stands does not matter, nor its date.
    let late = said_at(&own, SIGNED + 999_999_999, 0x20, &[], &[&hashed]);
    let ring = [own.ring(), late].concat();
    assert_eq!(judged(&own.message(), &ring), "openpgp.key-revoked");
    // Of a user id, that cannot be checked.
    let mut made = own.plain(0x30);
    made.hash = 1;
    let doubtful = packet(2, &own.sign(&made, &[&hashed, &hashed_id(b"me")]));
    assert_eq!(
        judged(&own.message(), &[own.ring(), doubtful].concat()),
        "openpgp.not-certified"
    );
    // What does not read, and says that it revokes; of everything else there may be more.
    for (kind, expected) in [
        (0x20, "openpgp.malformed"),
        (0x28, "openpgp.malformed"),
        (0x30, "openpgp.malformed"),
        (0x10, "ok"),
        (0x1f, "ok"),
    ] {
        let mut made = own.plain(kind);
        made.hashed = [at_seconds(SIGNED), at_seconds(SIGNED)].concat();
        let twice = packet(2, &own.sign(&made, &[&hashed]));
        let ring = [own.ring(), twice].concat();
        assert_eq!(judged(&own.message(), &ring), expected, "{kind:#x}");
    }
}

#[test]
fn flags_and_expiry() {
    let own = key(4, 1);
    let hashed = own.parsed().hashed;
    let direct = |more: &[u8]| own.says(0x1f, more, &[&hashed]);
    let me = |more: &[u8]| own.user_id(b"me", 0x13, more);
    let later = |more: &[u8]| {
        let id = hashed_id(b"second");
        let said = said_at(&own, SIGNED + 10, 0x13, more, &[&hashed, &id]);
        [packet(13, b"second"), said].concat()
    };
    let flags = |flags: u8| subpacket(FLAGS, &[flags]);
    let ends = |end: u32| subpacket(KEY_EXPIRES, &days(end));
    for (parts, expected) in [
        ([direct(&[]), me(&flags(3))], "ok"),
        ([direct(&[]), me(&flags(1))], "openpgp.not-for-signing"),
        (
            [direct(&[]), me(&subpacket(FLAGS, &[]))],
            "openpgp.not-for-signing",
        ),
        // What a direct-key signature says counts before what user ids say.
        (
            [direct(&flags(1)), me(&flags(3))],
            "openpgp.not-for-signing",
        ),
        ([direct(&flags(2)), me(&flags(1))], "ok"),
        // The newest user id that says anything.
        ([me(&flags(2)), later(&flags(1))], "openpgp.not-for-signing"),
        ([me(&flags(1)), later(&flags(2))], "ok"),
        ([me(&flags(1)), later(&[])], "openpgp.not-for-signing"),
        ([Vec::new(), me(&ends(1))], "openpgp.key-expired"),
        ([Vec::new(), me(&ends(2))], "ok"),
        ([Vec::new(), me(&ends(0))], "ok"),
        ([direct(&ends(1)), me(&ends(3))], "openpgp.key-expired"),
        ([direct(&ends(3)), me(&ends(1))], "ok"),
        ([me(&ends(3)), later(&ends(1))], "openpgp.key-expired"),
        ([me(&ends(1)), later(&ends(3))], "ok"),
        ([me(&ends(1)), later(&[])], "openpgp.key-expired"),
    ] {
        let ring = [packet(6, &own.body()), parts.concat()].concat();
        assert_eq!(judged(&own.message(), &ring), expected, "{parts:?}");
    }
    // What was signed after the expiry is never passed over.
    let ring = [
        packet(6, &own.body()),
        me(&subpacket(KEY_EXPIRES, &1_u32.to_be_bytes())),
    ]
    .concat();
    let terms = Terms {
        now: UnixTime(i64::from(MADE) + 2 * DAY),
        expired_keys_until: Some(NOW),
    };
    assert_eq!(
        code(&own.message(), &ring, terms),
        "openpgp.signed-after-expiry"
    );
}

/// Version 6 (RFC 9580 section 10.1.1): the direct-key signature says it all.
#[test]
fn version_6() {
    let own = key(6, 1);
    let hashed = own.parsed().hashed;
    let body = packet(6, &own.body());
    let direct = |more: &[u8]| own.says(0x1f, more, &[&hashed]);
    let me = own.user_id(b"me", 0x13, &subpacket(KEY_EXPIRES, &days(1)));
    for (parts, expected) in [
        (std::vec![], "openpgp.not-certified"),
        (std::vec![me.clone()], "openpgp.not-certified"),
        (std::vec![direct(&[]), me], "ok"),
        (
            std::vec![direct(&subpacket(FLAGS, &[1]))],
            "openpgp.not-for-signing",
        ),
        (
            std::vec![direct(&subpacket(KEY_EXPIRES, &days(1)))],
            "openpgp.key-expired",
        ),
    ] {
        let ring = [&body[..], &parts.concat()].concat();
        assert_eq!(judged(&own.message(), &ring), expected);
    }
}

#[test]
fn subkeys() {
    for version in [4, 6] {
        let family = Family::of(version);
        let (cross, other) = (family.good_cross(), key(version, 3));
        let signs = subpacket(FLAGS, &[2]);
        let with = |more: &[&[u8]]| [&cross[..], &more.concat()].concat();
        let bound = |more: &[u8]| family.binding(SIGNED, 0x18, more);
        let unhashed = {
            let [primary, subkey] = family.data();
            let mut made = family.primary.plain(0x18);
            made.unhashed.clone_from(&cross);
            packet(2, &family.primary.sign(&made, &[&primary, &subkey]))
        };
        let by_other = {
            let [primary, subkey] = family.data();
            let mut made = other.plain(0x18);
            made.hashed = [
                at_seconds(SIGNED),
                subpacket(33, &family.primary.issuer()),
                cross.clone(),
            ]
            .concat();
            packet(2, &other.sign(&made, &[&primary, &subkey]))
        };
        let md5 = {
            let [primary, subkey] = family.data();
            let mut made = family.primary.plain(0x28);
            (made.hash, made.version) = (1, 4);
            made.algorithm = 22;
            packet(2, &family.primary.sign(&made, &[&primary, &subkey]))
        };
        for (bindings, expected) in [
            (bound(&with(&[&signs])), "ok"),
            (bound(&cross), "ok"),
            (unhashed, "ok"),
            (Vec::new(), "openpgp.not-bound"),
            (by_other, "openpgp.not-bound"),
            (bound(&signs), "openpgp.not-cross-signed"),
            (
                bound(&family.cross(&family.subkey, 0x18, &[])),
                "openpgp.not-cross-signed",
            ),
            (
                bound(&family.cross(&family.subkey, 0x19, &subpacket(3, &days(1)))),
                "openpgp.not-cross-signed",
            ),
            (bound(&family.cross(&other, 0x19, &[])), "openpgp.digest"),
            (
                bound(&with(&[&subpacket(FLAGS, &[12])])),
                "openpgp.not-for-signing",
            ),
            (
                bound(&with(&[&subpacket(KEY_EXPIRES, &days(1))])),
                "openpgp.key-expired",
            ),
            (
                bound(&with(&[&subpacket(3, &days(1))])),
                "openpgp.not-bound",
            ),
            // The latest binding decides.
            (
                [
                    bound(&with(&[&signs])),
                    family.binding(SIGNED + 5, 0x18, &with(&[&subpacket(FLAGS, &[4])])),
                ]
                .concat(),
                "openpgp.not-for-signing",
            ),
            (
                [
                    bound(&with(&[&signs])),
                    family.binding(SIGNED - 5, 0x18, &with(&[&subpacket(FLAGS, &[4])])),
                ]
                .concat(),
                "ok",
            ),
            // Revoked for ever, whenever.
            (
                [bound(&cross), family.binding(SIGNED + 5, 0x28, &[])].concat(),
                "openpgp.subkey-revoked",
            ),
            (
                [family.binding(SIGNED - 5, 0x28, &[]), bound(&cross)].concat(),
                "openpgp.subkey-revoked",
            ),
            ([bound(&cross), md5].concat(), "openpgp.revocation"),
        ] {
            let found = judged(&family.subkey.message(), &family.ring(&bindings));
            let expected = if expected == "openpgp.digest" {
                ["openpgp.digest", "signature.invalid"]
            } else {
                [expected; 2]
            };
            assert!(
                expected.contains(&found),
                "{version}: {found}, {expected:?}"
            );
        }
        // Revoked with its primary key.
        let [primary, _] = family.data();
        let revocation = family.primary.says(0x20, &[], &[&primary]);
        let ring = [family.ring(&bound(&cross)), revocation].concat();
        assert_eq!(
            judged(&family.subkey.message(), &ring),
            "openpgp.key-revoked"
        );
    }
}

/// A key that takes somebody else's subkey for its own gets nothing signed by it.
#[test]
fn a_subkey_that_is_taken() {
    let subkey = || key(4, 9);
    let owner = Family {
        primary: key(4, 1),
        subkey: subkey(),
    };
    let good = owner.ring(&owner.binding(SIGNED, 0x18, &owner.good_cross()));
    let thief = |seed| {
        let family = Family {
            primary: key(4, seed),
            subkey: subkey(),
        };
        let cross = owner.good_cross();
        family.ring(&family.binding(SIGNED, 0x18, &cross))
    };
    let message = subkey().message();
    assert_ne!(judged(&message, &thief(2)), "ok");
    let both = [thief(2), good.clone()].concat();
    let ring = Keyring::read(&both).unwrap();
    let verified = verify(&message, &ring, at(NOW)).unwrap();
    assert_eq!(
        verified.claim().primary(),
        &owner.primary.parsed().fingerprint
    );
    let many = [thief(2), thief(3), thief(4), thief(5), good].concat();
    assert_eq!(judged(&message, &many), "openpgp.too-many");
}

#[test]
fn bounds() {
    let own = key(4, 1);
    let many = own.user_id(b"me", 0x13, &[]).repeat(3);
    assert_eq!(
        judged(&own.message(), &[packet(6, &own.body()), many].concat()),
        "ok"
    );
    // One signature often is one signature; different ones are many.
    let hashed = own.parsed().hashed;
    let said = |times: u32| -> Vec<u8> {
        let id = hashed_id(b"me");
        let made = (0..times).flat_map(|at| said_at(&own, SIGNED + at, 0x13, &[], &[&hashed, &id]));
        [
            &packet(6, &own.body())[..],
            &packet(13, b"me"),
            &made.collect::<Vec<_>>(),
        ]
        .concat()
    };
    assert_eq!(judged(&own.message(), &said(64)), "ok");
    assert_eq!(judged(&own.message(), &said(65)), "openpgp.too-many");
    let ids = |times: u32| -> Vec<u8> {
        let ids = (0..times).flat_map(|id| packet(13, &id.to_be_bytes()));
        [own.ring(), ids.collect()].concat()
    };
    assert_eq!(judged(&own.message(), &ids(127)), "ok");
    assert_eq!(judged(&own.message(), &ids(128)), "openpgp.too-many");
    let keys = |times: u32| -> Vec<u8> {
        let key = |at| {
            let mut own = key(4, 2);
            own.created += at;
            packet(6, &own.body())
        };
        (0..times).flat_map(key).collect()
    };
    assert!(Keyring::read(&keys(1_024)).is_ok());
    assert!(Keyring::read(&keys(1_025)).is_err());
    let secret = [own.ring(), packet(7, &own.body())].concat();
    assert_eq!(judged(&own.message(), &secret), "openpgp.secret-key");
    assert_eq!(
        judged(&own.message(), &std::vec![0x99; (1 << 20) + 1]),
        "openpgp.too-large"
    );
    assert_eq!(
        judged(&std::vec![0xc2; (4 << 20) + 1], &own.ring()),
        "openpgp.too-large"
    );
}

/// SHA-1 counts in what an RSA primary key says of itself, and in what revokes; it binds nothing and
/// brings nothing back.
#[test]
fn sha1() {
    let family = Family {
        primary: rsa(),
        subkey: key(4, 2),
    };
    let own = &family.primary;
    let [primary, subkey] = family.data();
    let id = hashed_id(b"me");
    let said = |hash, kind, created, more: &[u8], data: &[&[u8]]| {
        let mut made = own.plain(kind);
        made.hash = hash;
        made.hashed = [&at_seconds(created), &subpacket(33, &own.issuer()), more].concat();
        packet(2, &own.sign(&made, data))
    };
    let body = packet(6, &own.body());
    let of_id = |hash, kind, created| said(hash, kind, created, &[], &[&primary, &id]);
    let me = packet(13, b"me");
    let revoked = said(2, 0x20, SIGNED, &[], &[&primary]);
    for (parts, expected) in [
        (std::vec![of_id(2, 0x13, SIGNED)], "ok"),
        (
            std::vec![of_id(8, 0x13, SIGNED), of_id(8, 0x30, SIGNED + 1)],
            "openpgp.not-certified",
        ),
        (
            std::vec![of_id(8, 0x30, SIGNED), of_id(8, 0x13, SIGNED + 1)],
            "ok",
        ),
        (
            std::vec![of_id(8, 0x30, SIGNED), of_id(2, 0x13, SIGNED + 1)],
            "openpgp.not-certified",
        ),
        (
            std::vec![of_id(8, 0x13, SIGNED), of_id(2, 0x30, SIGNED + 1)],
            "openpgp.not-certified",
        ),
        (
            std::vec![of_id(8, 0x13, SIGNED), revoked],
            "openpgp.key-revoked",
        ),
    ] {
        let ring = [&body[..], &me, &parts.concat()].concat();
        assert_eq!(judged(&own.message(), &ring), expected);
    }
    let cross = family.good_cross();
    let weak_cross = {
        let mut made = family.subkey.plain(0x19);
        made.hash = 2;
        subpacket(32, &family.subkey.sign(&made, &[&primary, &subkey]))
    };
    for (hash, cross, expected) in [
        (8, &cross, "ok"),
        (2, &cross, "openpgp.not-bound"),
        (8, &weak_cross, "openpgp.sha1"),
    ] {
        let binding = said(hash, 0x18, SIGNED, cross, &[&primary, &subkey]);
        let ring = family.ring(&binding);
        assert_eq!(judged(&family.subkey.message(), &ring), expected);
    }
    // A subkey's revocation counts, however weak.
    let good = said(8, 0x18, SIGNED, &cross, &[&primary, &subkey]);
    let gone = said(2, 0x28, SIGNED, &[], &[&primary, &subkey]);
    let ring = family.ring(&[good, gone].concat());
    let found = judged(&family.subkey.message(), &ring);
    assert_eq!(found, "openpgp.subkey-revoked");
}

/// Chosen as GnuPG does, of those that stand; whatever bytes it is made of.
#[test]
fn the_user_id_that_is_shown() {
    let own = key(4, 1);
    let hashed = own.parsed().hashed;
    let said = |id: &[u8], created, more: &[u8]| {
        let over = said_at(&own, created, 0x13, more, &[&hashed, &hashed_id(id)]);
        [packet(13, id), over].concat()
    };
    let plain = |id: &[u8], later| said(id, SIGNED + later, &[]);
    let primary = |id: &[u8], later| said(id, SIGNED + later, &subpacket(25, &[1]));
    let revoked = |id: &[u8]| said_at(&own, SIGNED + 50, 0x30, &[], &[&hashed, &hashed_id(id)]);
    let picture = {
        let attribute = [&[0xd1, 0, 0, 0, 1], &b"x"[..]].concat();
        let over = said_at(&own, SIGNED + 90, 0x13, &[], &[&hashed, &attribute]);
        [packet(17, b"x"), over].concat()
    };
    let other = [packet(13, b"uncertified"), Vec::new()].concat();
    let long = "\u{202e}ü".repeat(200);
    let cut = "\u{202e}ü".repeat(100) + "…";
    for (parts, expected) in [
        (vec![plain(b"a", 1), plain(b"b", 2)], "b"),
        (vec![plain(b"b", 2), plain(b"a", 1)], "b"),
        (vec![primary(b"a", 1), plain(b"b", 2)], "a"),
        (vec![primary(b"a", 1), primary(b"b", 2)], "b"),
        (
            vec![said(b"a", SIGNED, &subpacket(25, &[0])), plain(b"b", 2)],
            "b",
        ),
        (vec![primary(b"a", 1), revoked(b"a"), plain(b"b", 2)], "b"),
        (vec![plain(b"a", 1), picture, other], "a"),
        (vec![plain(b"\xff<b>\0", 1)], "\u{fffd}<b>\0"),
        (vec![plain(long.as_bytes(), 1)], &cut),
        (vec![plain("x".repeat(200).as_bytes(), 1)], &"x".repeat(200)),
        (vec![plain(b"", 1)], ""),
    ] {
        let ring = [packet(6, &own.body()), parts.concat()].concat();
        let now = at(UnixTime(i64::from(MADE) + 2 * DAY));
        let keyring = Keyring::read(&ring).unwrap();
        let verified = verify(&own.message(), &keyring, now).unwrap();
        assert_eq!(verified.claim().by().user_id.as_deref(), Some(expected));
    }
    let six = key(6, 1);
    let keyring = Keyring::read(&six.ring()).unwrap();
    let now = at(UnixTime(i64::from(MADE) + 2 * DAY));
    let verified = verify(&six.message(), &keyring, now).unwrap();
    assert_eq!(verified.claim().by().user_id, None);
}
