//! Notes have one spelling, and count under the right key only.

use super::*;
use crate::time::UnixTime;
use crate::tlog::{Note, SignedCheckpoint, VerifierKey};
use proptest::prelude::*;

const TEXT: &str = "log.example\n11\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

fn log_key() -> VerifierKey {
    VerifierKey::log(V2_ORIGIN, &ed25519_public(V2), Scheme::Ed25519).unwrap()
}

fn log_line(text: &str) -> String {
    line(
        V2_ORIGIN,
        &key_id(V2_ORIGIN, 1, V2),
        &ed25519(V2).sign(text.as_bytes()).to_bytes(),
    )
}

fn claim(note: &str, key: &VerifierKey) -> &'static str {
    match SignedCheckpoint::parse(note) {
        Ok(signed) => settle(signed.claim(key)).map_or_else(|code| code, |_| "ok"),
        Err(error) => code::<()>(Err(error)),
    }
}

#[test]
fn named_mutations() {
    let good = log_line(TEXT);
    let sign = |text: &str| format!("{text}\n{}", log_line(text));
    let stranger = line("other.example", &[1, 2, 3, 4], b"whatever");
    for (name, note, expected) in [
        ("as it is", sign(TEXT), "ok"),
        (
            "extensions",
            sign(&format!("{TEXT}more\neven more\n")),
            "ok",
        ),
        (
            "a stranger's signature first",
            format!("{TEXT}\n{stranger}{good}"),
            "ok",
        ),
        (
            "a stranger's signature last",
            format!("{TEXT}\n{good}{stranger}"),
            "ok",
        ),
        (
            "a stranger's alone",
            format!("{TEXT}\n{stranger}"),
            "checkpoint.unsigned",
        ),
        ("no signature", format!("{TEXT}\n"), "checkpoint.unsigned"),
        ("the same twice", format!("{TEXT}\n{good}{good}"), "ok"),
        (
            "ours, good and broken",
            format!(
                "{TEXT}\n{good}{}",
                line(V2_ORIGIN, &key_id(V2_ORIGIN, 1, V2), &[7; 64])
            ),
            "signature.invalid",
        ),
        (
            "ours, too short",
            format!(
                "{TEXT}\n{}",
                line(V2_ORIGIN, &key_id(V2_ORIGIN, 1, V2), &[7; 63])
            ),
            "signature.malformed",
        ),
        (
            "our name, another id",
            format!(
                "{TEXT}\n{}",
                line(
                    V2_ORIGIN,
                    &[1, 2, 3, 4],
                    &ed25519(V2).sign(TEXT.as_bytes()).to_bytes()
                )
            ),
            "checkpoint.unsigned",
        ),
        (
            "our id, another name",
            format!(
                "{TEXT}\n{}",
                line(
                    "other.example",
                    &key_id(V2_ORIGIN, 1, V2),
                    &ed25519(V2).sign(TEXT.as_bytes()).to_bytes()
                )
            ),
            "checkpoint.unsigned",
        ),
        (
            "size changed",
            format!("{}\n{good}", TEXT.replace("11", "12")),
            "signature.invalid",
        ),
        (
            "root changed",
            format!("{}\n{good}", TEXT.replace("AAAA=", "AAAE=")),
            "signature.invalid",
        ),
        (
            "extension added",
            format!("{TEXT}more\n\n{good}"),
            "signature.invalid",
        ),
        ("no empty line", format!("{TEXT}{good}"), "note.syntax"),
        (
            "no newline at the end",
            sign(TEXT).trim_end().into(),
            "note.syntax",
        ),
        (
            "hyphen for the dash",
            sign(TEXT).replace('\u{2014}', "-"),
            "note.syntax",
        ),
        (
            "two spaces",
            format!("{TEXT}\n{}", good.replace("example ", "example  ")),
            "note.syntax",
        ),
        (
            "no padding",
            format!(
                "{TEXT}\n{}",
                line(V2_ORIGIN, &[1, 2, 3, 4], b"1").replace('=', "")
            ),
            "note.syntax",
        ),
        (
            "spare bits",
            format!("{TEXT}\n\u{2014} a AAAAAAB=\n"),
            "note.syntax",
        ),
        (
            "an id and no signature",
            format!("{TEXT}\n{}", line(V2_ORIGIN, &[1, 2, 3, 4], b"")),
            "note.syntax",
        ),
        (
            "a plus in the name",
            format!("{TEXT}\n{good}{}", line("a+b", &[1, 2, 3, 4], b"1")),
            "note.syntax",
        ),
        (
            "a name of odd white space",
            format!("{TEXT}\n{good}{}", line("a\u{a0}b", &[1, 2, 3, 4], b"1")),
            "note.syntax",
        ),
        (
            "carriage returns",
            sign(TEXT).replace('\n', "\r\n"),
            "note.syntax",
        ),
        ("a tab", sign(&format!("{TEXT}a\tb\n")), "note.syntax"),
        (
            "100 signatures",
            format!("{TEXT}\n{}{good}", stranger.repeat(99)),
            "ok",
        ),
        (
            "101 signatures",
            format!("{TEXT}\n{}{good}", stranger.repeat(100)),
            "note.signatures",
        ),
        (
            "too large",
            sign(&format!("{TEXT}{}\n", "x".repeat(64 << 10))),
            "note.size",
        ),
        (
            "no origin",
            sign(&TEXT.replace("log.example\n", "\n")),
            "checkpoint.syntax",
        ),
        (
            "origin line missing",
            sign(&TEXT.replace("log.example\n", "")),
            "checkpoint.syntax",
        ),
        (
            "root missing",
            sign("log.example\n11\n"),
            "checkpoint.syntax",
        ),
        (
            "root too short",
            sign("log.example\n11\nAAAA\n"),
            "checkpoint.syntax",
        ),
        (
            "leading zero",
            sign(&TEXT.replace("11", "011")),
            "checkpoint.syntax",
        ),
        (
            "sign",
            sign(&TEXT.replace("11", "+11")),
            "checkpoint.syntax",
        ),
        (
            "size beyond 64 bits",
            sign(&TEXT.replace("11", "18446744073709551616")),
            "checkpoint.syntax",
        ),
        (
            "empty extension",
            sign(&format!("{TEXT}\nmore\n")),
            "checkpoint.syntax",
        ),
    ] {
        assert_eq!(claim(&note, &log_key()), expected, "{name}");
    }
}

/// C2SP signed-note: the name is a part of the key. The key is that of Go's checksum database, as
/// Go carries it: `sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8`.
#[test]
fn key_ids() {
    let key = base64::decode("Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8").unwrap();
    let mut der = hex::decode("302a300506032b6570032100").unwrap();
    der.extend_from_slice(&key[1..]);
    let key = PublicKey::from_spki_der(&der).unwrap();
    let id = |name| hex::encode(&VerifierKey::log(name, &key, Scheme::Ed25519).unwrap().id());
    assert_eq!(id("sum.golang.org"), "033de0ae");
    assert_ne!(id("a"), id("b"));
    assert_ne!(
        id("a"),
        hex::encode(&VerifierKey::witness("a", &key).unwrap().id())
    );
    let ecdsa = ecdsa_public(1);
    let by_key = &sha256(ecdsa.spki_der())[..4];
    assert_eq!(
        VerifierKey::log("a", &ecdsa, Scheme::Ecdsa(Hash::Sha256))
            .unwrap()
            .id(),
        by_key
    );
    assert_eq!(
        VerifierKey::rekor_v1("a", &ecdsa, Scheme::Ecdsa(Hash::Sha256))
            .unwrap()
            .id(),
        by_key
    );
    for (name, key, scheme, expected) in [
        ("a", &ecdsa, Scheme::Ed25519, "checkpoint.key"),
        ("a", &key, Scheme::Ed25519ph, "checkpoint.key"),
        ("a b", &key, Scheme::Ed25519, "note.syntax"),
        ("a+b", &key, Scheme::Ed25519, "note.syntax"),
        ("", &key, Scheme::Ed25519, "note.syntax"),
    ] {
        assert_eq!(code(VerifierKey::log(name, key, scheme)), expected);
    }
    assert_eq!(code(VerifierKey::witness("a", &ecdsa)), "checkpoint.key");
}

#[test]
fn witnesses() {
    let witness = VerifierKey::witness("witness.example", &ed25519_public(5)).unwrap();
    let sign = |time: u64, text: &str| {
        let signature = ed25519(5)
            .sign(format!("cosignature/v1\ntime {time}\n{text}").as_bytes())
            .to_bytes();
        [time.to_be_bytes().as_slice(), &signature].concat()
    };
    let cosigned = |signature: &[u8]| {
        let note = format!(
            "{TEXT}\n{}{}",
            line(
                "witness.example",
                &key_id("witness.example", 4, 5),
                signature
            ),
            log_line(TEXT)
        );
        settle(SignedCheckpoint::parse(&note).unwrap().cosigned(&witness))
    };
    let good = cosigned(&sign(1_700_000_000, TEXT)).unwrap();
    assert_eq!(
        (
            good.claim().witness(),
            good.claim().time(),
            good.claim().checkpoint().size()
        ),
        ("witness.example", UnixTime(1_700_000_000), 11)
    );
    let mut later = sign(1_700_000_000, TEXT);
    later[7] ^= 1;
    for (name, signature, expected) in [
        ("another time", later, "signature.invalid"),
        ("another text", sign(1, "x"), "signature.invalid"),
        (
            "the bare text",
            [
                1_u64.to_be_bytes().as_slice(),
                &ed25519(5).sign(TEXT.as_bytes()).to_bytes(),
            ]
            .concat(),
            "signature.invalid",
        ),
        (
            "time alone",
            1_u64.to_be_bytes()[..7].to_vec(),
            "note.syntax",
        ),
        (
            "no time",
            sign(1, TEXT)[8..].to_vec(),
            "signature.malformed",
        ),
        ("beyond time", sign(u64::MAX, TEXT), "checkpoint.syntax"),
    ] {
        assert_eq!(cosigned(&signature).unwrap_err(), expected, "{name}");
    }
    // A witness' line is no log's, and the other way round.
    let note = format!("{TEXT}\n{}", log_line(TEXT));
    let as_witness = VerifierKey::witness(V2_ORIGIN, &ed25519_public(V2)).unwrap();
    assert_eq!(
        settle(
            SignedCheckpoint::parse(&note)
                .unwrap()
                .cosigned(&as_witness)
        )
        .unwrap_err(),
        "checkpoint.unsigned"
    );
}

proptest! {
    #[test]
    fn never_panics(text: String, note in "[a\u{2014}\n =A+0-9]{0,60}") {
        let _ = Note::parse(&text);
        let _ = SignedCheckpoint::parse(&note);
    }

    /// No byte of a signed checkpoint can be another.
    #[test]
    fn every_byte_counts(at in 0_usize..200, new in "[ -~\n]") {
        let note = format!("{TEXT}\n{}", log_line(TEXT));
        let at = at % note.len();
        prop_assume!(note.is_char_boundary(at) && note.is_char_boundary(at + 1) && note[at..=at] != new);
        let altered = format!("{}{new}{}", &note[..at], &note[at + 1..]);
        prop_assert_ne!(claim(&altered, &log_key()), "ok", "{:?}", altered);
    }
}
