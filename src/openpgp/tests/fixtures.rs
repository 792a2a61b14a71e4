//! What GnuPG made.

use super::*;

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

#[test]
fn every_form() {
    for (name, expected) in [
        ("zip", "ok"),
        ("zlib", "ok"),
        ("bzip2", "openpgp.compression"),
        ("text", "ok"),
        ("stream", "ok"),
        ("future", "ok"),
        ("sha1", "openpgp.sha1"),
        ("sha224", "openpgp.hash"),
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
