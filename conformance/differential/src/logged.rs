//! The promise of a log of one's own, Rekor's SignedEntryTimestamp, as the annotation
//! `dev.sigstore.cosign/bundle` holds it.

use crate::certificates::LOGGED;
use crate::images::put_in;
use crate::json::Json;
use crate::json::object;
use crate::json::raw;
use crate::json::text;
use crate::keys::Form;
use crate::keys::Key;
use crate::random::Random;
use sealgate::internals::digest::Digest;
use sealgate::internals::encoding::base64;

/// What is logged: the content that was signed, the signature, and the key or certificate in PEM.
pub struct Entry<'a> {
    pub content: &'a [u8],
    pub signature: &'a [u8],
    pub key: &'a str,
}

/// A bundle by `log`; faulty in one of ten or so.
pub fn bundle(entry: &Entry<'_>, log: &Key, random: &mut Random) -> String {
    let hash = Digest::of(entry.content).hex().to_string();
    let hash = if random.chance(4) {
        hash.to_uppercase()
    } else {
        hash
    };
    let key = match random.below(30) {
        0 => format!("{}\n", entry.key),
        1 => entry
            .key
            .replace("PUBLIC KEY", "X")
            .replace("CERTIFICATE", "X"),
        2 => format!("junk\n{}", entry.key),
        3 => entry.key.trim_end().into(),
        4 => entry.key.replace("MF", "MG"),
        _ => entry.key.into(),
    };
    let mut body = object([
        (
            "apiVersion",
            text(random.weighted(&[(97, "0.0.1"), (3, "0.0.2")])),
        ),
        (
            "kind",
            text(random.weighted(&[(97, "hashedrekord"), (3, "rekord")])),
        ),
        (
            "spec",
            object([
                (
                    "data",
                    object([(
                        "hash",
                        object([
                            (
                                "algorithm",
                                text(random.weighted(&[(97, "sha256"), (3, "sha512")])),
                            ),
                            ("value", text(&hash)),
                        ]),
                    )]),
                ),
                (
                    "signature",
                    object([
                        ("content", text(&base64::encode(entry.signature))),
                        (
                            "publicKey",
                            object([("content", text(&base64::encode(key.as_bytes())))]),
                        ),
                    ]),
                ),
            ]),
        ),
    ]);
    if random.chance(8) {
        let place = random.below(body.size());
        spoil(body.at(place), random);
    }
    let body = base64::encode(body.write(random).as_bytes());
    let time = (LOGGED + random.weighted(&[(90, 0), (5, 86_400), (5, -86_400)])).to_string();
    let identifier = "ab".repeat(32);
    let canonical = format!(
        r#"{{"body":"{body}","integratedTime":{time},"logID":"{identifier}","logIndex":7}}"#
    );
    let promise = log.sign(canonical.as_bytes(), Form::Usual, random);
    // After signing: another spelling of the same, or something else.
    let time = match random.below(24) {
        0 => format!("{time}.0"),
        1 => format!("{time}e0"),
        2 => format!("{time}1"),
        3 => format!("\"{time}\""),
        _ => time,
    };
    let mut bundle = object([
        ("SignedEntryTimestamp", text(&base64::encode(&promise))),
        (
            "Payload",
            object([
                ("logIndex", raw("7")),
                ("body", text(&body)),
                ("integratedTime", raw(&time)),
                ("logID", text(&identifier)),
            ]),
        ),
    ]);
    if random.chance(8) {
        let place = random.below(bundle.size());
        spoil(bundle.at(place), random);
    }
    let written = bundle.write(random);
    if random.chance(2) {
        written + random.pick(&["\n", "x", "{}"])
    } else {
        written
    }
}

fn spoil(value: &mut Json, random: &mut Random) {
    let strange = raw(random.pick(&[
        "null",
        "1",
        "true",
        "[]",
        "{}",
        "\"\"",
        "\"YQ==\"",
        "{\"a\":1}",
    ]));
    put_in(random, value, strange);
}
