//! What GnuPG made.

use super::*;
use crate::crypto::{Outcome, Provider, Role};
use crate::openpgp::check::{Sha1, check};
use crate::openpgp::key_packet::KeyPacket;
use crate::openpgp::packet::Packets;
use crate::openpgp::signature_packet::SignaturePacket;

const AT: Terms = Terms {
    now: NOW,
    expired_keys_until: None,
};

#[test]
fn every_algorithm() {
    for (name, scheme) in [
        ("rsa", "rsa-pkcs1-sha512"),
        ("dsa", "dsa-sha256"),
        ("nistp256", "ecdsa-sha256"),
        ("nistp384", "ecdsa-sha384"),
        ("nistp521", "ecdsa-sha512"),
        ("ed25519", "ed25519"),
    ] {
        let keyring = Keyring::read(&file(&format!("{name}.gpg"))).unwrap();
        let signed = verify(&file(&format!("{name}.sig")), &keyring, AT).unwrap();
        let claim = signed.claim();
        assert_eq!(claim.payload(), file("payload.json"), "{name}");
        assert_eq!(claim.scheme().id(), scheme);
        assert_eq!(Some(claim.primary()), keyring.fingerprints().next());
        assert_eq!(claim.primary(), claim.signer());
        assert_eq!(claim.created(), UnixTime(NOW.0 - DAY));
        assert_eq!(claim.key_created(), UnixTime(NOW.0 - 3 * DAY));
    }
}

/// RSA, Ed25519 and DSA with a q of 224 bits take it, in what a key says of itself too, as GnuPG does.
#[test]
fn sha224_counts() {
    for (message, keyring, scheme, hash) in [
        ("sha224", "rsa", "rsa-pkcs1-sha224", "SHA-224"),
        ("sha224-ed25519", "sha224-ed25519", "ed25519", "SHA-224"),
        ("sha224-subkey", "sha224-subkey", "ed25519", "SHA-224"),
        ("dsa224", "dsa224", "dsa-sha224", "SHA-224"),
        ("dsa224-sha256", "dsa224", "dsa-sha256", "SHA-256"),
    ] {
        let keyring = Keyring::read(&file(&format!("{keyring}.gpg"))).unwrap();
        let signed = verify(&file(&format!("{message}.sig")), &keyring, AT).unwrap();
        assert_eq!(signed.claim().scheme().id(), scheme, "{message}");
        assert_eq!(signed.claim().by().hash(), hash, "{message}");
    }
}

/// The same messages, which now say that they are over SHA-224: too short for these keys.
#[test]
fn sha224_is_short_for_others() {
    for (name, algorithm) in [("nistp256", 19), ("dsa", 17)] {
        let mut message = file(&format!("{name}.sig"));
        for (before, at) in [([3, 0, 8, algorithm], 2), ([4, 0, algorithm, 8], 3)] {
            let mut found = message.windows(4).enumerate();
            let (start, _) = found.find(|(_, bytes)| *bytes == before).unwrap();
            message[start + at] = 11;
        }
        let keyring = file(&format!("{name}.gpg"));
        assert_eq!(code(&message, &keyring, AT), "openpgp.short-hash", "{name}");
    }
}

#[test]
fn every_form() {
    for (name, expected) in [
        ("zip", "ok"),
        ("zlib", "ok"),
        ("bzip2", "openpgp.compression"),
        ("text", "ok"),
        ("stream", "ok"),
        ("sha1", "openpgp.sha1"),
        ("sha224", "ok"),
        ("sha384", "ok"),
        ("sha512", "ok"),
        ("two", "openpgp.signature-count"),
        ("detached", "openpgp.detached"),
        ("clear", "openpgp.armoured"),
        ("armoured", "openpgp.armoured"),
        ("stored", "openpgp.unsigned"),
        ("symmetric", "openpgp.encrypted"),
        ("ed25519", "openpgp.unknown-key"),
    ] {
        let message = file(&format!("{name}.sig"));
        for keyring in ["rsa.gpg", "rsa.asc"] {
            assert_eq!(code(&message, &file(keyring), AT), expected, "{name}");
        }
    }
}

#[test]
fn signatures_and_keys_at_their_times() {
    let days = |days| at(UnixTime(NOW.0 + days * DAY));
    for (message, keyring, terms, expected) in [
        ("expiring", "rsa", AT, "ok"),
        ("expiring", "rsa", days(9), "openpgp.signature-expired"),
        ("subkey", "subkey", AT, "ok"),
        ("subkey", "subkey-revoked", AT, "openpgp.subkey-revoked"),
        ("expiring-key", "expiring", AT, "ok"),
        ("expiring-key", "expiring", days(7), "ok"),
        ("expiring-key", "expiring", days(8), "openpgp.key-expired"),
        ("expiring-key", "prolonged", days(8), "ok"),
        (
            "expiring-key",
            "prolonged",
            days(120),
            "openpgp.key-expired",
        ),
        ("subkey-expiring", "subkey-expiring", AT, "ok"),
        (
            "subkey-expiring",
            "subkey-expiring",
            days(9),
            "openpgp.key-expired",
        ),
        ("revoked", "revoked-before", AT, "ok"),
        ("revoked", "revoked", AT, "openpgp.key-revoked"),
        ("ids", "ids-one-revoked", AT, "ok"),
        ("sha1-primary", "sha1-primary", AT, "ok"),
        ("sha224-ed25519", "sha224-ed25519", AT, "ok"),
        ("sha224-subkey", "sha224-subkey", AT, "ok"),
        ("dsa224", "dsa224", AT, "ok"),
        ("rsa", "certify", AT, "openpgp.unknown-key"),
        ("rsa", "rsa", days(-2), "ok"),
        ("rsa", "rsa", days(-4), "openpgp.key-future"),
    ] {
        let (message, keyring) = (format!("{message}.sig"), format!("{keyring}.gpg"));
        let found = code(&file(&message), &file(&keyring), terms);
        assert_eq!(found, expected, "{message} {keyring} {terms:?}");
    }
}

#[test]
fn an_expired_key_may_be_passed_over() {
    let (message, keyring) = (file("expiring-key.sig"), file("expiring.gpg"));
    let until = |days: i64, until: i64| Terms {
        now: UnixTime(NOW.0 + days * DAY),
        expired_keys_until: Some(UnixTime(NOW.0 + until * DAY)),
    };
    assert_eq!(code(&message, &keyring, until(8, 8)), "ok");
    assert_eq!(code(&message, &keyring, until(9, 8)), "openpgp.key-expired");
    let keyring = Keyring::read(&keyring).unwrap();
    let verified = verify(&message, &keyring, until(8, 9)).unwrap();
    let waived = verified.steps().iter().any(|step| {
        matches!(step, crate::crypto::Step::Waived(rule) if rule.name == "openpgp.key-expiry")
    });
    assert!(waived);
}

#[test]
fn a_subkey_stands_for_its_primary_key() {
    let keyring = Keyring::read(&file("subkey.gpg")).unwrap();
    let verified = verify(&file("subkey.sig"), &keyring, AT).unwrap();
    let claim = verified.claim();
    assert_eq!(Some(claim.primary()), keyring.fingerprints().next());
    assert_ne!(claim.primary(), claim.signer());
    let roles: Vec<_> = verified
        .steps()
        .iter()
        .filter_map(|step| match step {
            crate::crypto::Step::Settled(check, _) => Some(check.role().name()),
            _ => None,
        })
        .collect();
    assert_eq!(
        roles,
        [
            "signature.openpgp-message",
            "signature.openpgp-self",
            "signature.openpgp-self",
            "signature.openpgp-cross"
        ]
    );
}

#[test]
fn keyrings() {
    let (rsa, dsa) = (file("rsa.gpg"), file("dsa.gpg"));
    let count = |bytes: &[u8]| Keyring::read(bytes).map(|keyring| keyring.fingerprints().count());
    assert_eq!(count(&[&rsa[..], &dsa].concat()), Ok(2));
    assert_eq!(count(&file("rsa.asc").repeat(2)), Ok(1));
    for junk in [&b""[..], b"junk", &[0x99], &[0xff; 9], &file("rsa.sig")] {
        let keyring = Keyring::read(junk).unwrap();
        assert!(keyring.is_empty() && keyring.note().is_some(), "{junk:?}");
    }
    // What is cut off may be a revocation.
    let cut = Keyring::read(&rsa[..rsa.len() - 1]);
    assert!(
        matches!(cut, Err(OpenPgpError::Malformed { .. })),
        "{cut:?}"
    );
    let text = std::string::String::from_utf8(file("rsa.asc")).unwrap();
    for broken in [
        text.replacen("\n\n", "\n", 1),
        text.replace("-----END", "-----"),
    ] {
        assert!(Keyring::read(broken.as_bytes()).unwrap().is_empty());
        assert!(Keyring::read((text.clone() + &broken).as_bytes()).is_err());
    }
    // Two copies of one key: what one says counts for both.
    for copies in [
        ["revoked-before.gpg", "revoked.gpg"],
        ["revoked.gpg", "revoked-before.gpg"],
    ] {
        let both = copies.map(file).concat();
        assert_eq!(code(&file("revoked.sig"), &both, AT), "openpgp.key-revoked");
        let mut keyring = Keyring::read(&file(copies[0])).unwrap();
        keyring
            .merge(Keyring::read(&file(copies[1])).unwrap())
            .unwrap();
        let refused = verify(&file("revoked.sig"), &keyring, AT).unwrap_err();
        assert_eq!(refused.failure.code, "openpgp.key-revoked");
    }
}

/// What GnuPG says of every message under every keyring, at several times; where we say otherwise it
/// is on purpose.
#[test]
fn as_gnupg_decides() {
    let verdicts = std::string::String::from_utf8(file("gnupg.txt")).unwrap();
    let mut count = 0;
    for line in verdicts.lines() {
        let [message, keyring, time, word] =
            <[&str; 4]>::try_from(line.split(' ').collect::<Vec<_>>()).unwrap();
        let time = format!(
            "{}-{}-{}T{}:{}:{}Z",
            &time[..4],
            &time[4..6],
            &time[6..8],
            &time[9..11],
            &time[11..13],
            &time[13..]
        );
        let found = code(
            &file(&format!("{message}.sig")),
            &file(&format!("{keyring}.gpg")),
            at(UnixTime::parse(&time).unwrap()),
        );
        let form = message.trim_start_matches("sq-");
        let expected = match (form, word) {
            ("sha1", _) => "openpgp.sha1",
            ("bzip2", _) => "openpgp.compression",
            ("clear" | "armoured", _) => "openpgp.armoured",
            ("detached", _) => "openpgp.detached",
            ("two", _) => "openpgp.signature-count",
            ("critical", "BADSIG") => "openpgp.critical",
            (_, "REVKEYSIG") if keyring.ends_with("subkey-revoked") => "openpgp.subkey-revoked",
            (_, "REVKEYSIG") => "openpgp.key-revoked",
            (_, "EXPKEYSIG") => "openpgp.key-expired",
            (_, "EXPSIG") => "openpgp.signature-expired",
            (_, "GOODSIG") => "ok",
            other => panic!("{other:?}"),
        };
        assert_eq!(found, expected, "{line}");
        count += 1;
    }
    assert!(count > 300);
}

/// SHA-1 is a matter of who asks.
#[test]
fn sha1_counts_where_it_is_allowed() {
    let bytes = file("sha1-primary.gpg");
    let mut packets = Packets::of(&bytes);
    let mut next = || packets.next().unwrap().unwrap().body;
    let key = KeyPacket::parse(&next()).unwrap();
    let user_id = next();
    let length = u32::try_from(user_id.len()).unwrap().to_be_bytes();
    let user_id = [&[0xb4], &length[..], &user_id].concat();
    let signature = SignaturePacket::parse(&next()).unwrap();
    let asked = |sha1| {
        let data: [&[u8]; 2] = [&key.hashed, &user_id];
        check(Role::OpenPgpSelfSignature, &key, &signature, &data, sha1)
    };
    let holds = at_once(RustCrypto.verify(&asked(Sha1::Allowed).unwrap())).unwrap();
    assert_eq!(holds, Ok(Outcome::Holds));
    assert_eq!(asked(Sha1::Refused).unwrap_err().code, "openpgp.sha1");
    let keyring = Keyring::read(&bytes).unwrap();
    let verified = verify(&file("sha1-primary.sig"), &keyring, AT).unwrap();
    let noted = verified.steps().iter().any(|step| {
        matches!(step, crate::crypto::Step::Waived(rule) if rule.name == "openpgp.sha1-self-signature")
    });
    assert!(noted);
}
