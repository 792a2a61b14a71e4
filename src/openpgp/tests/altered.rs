//! What comes of every way to alter what is good: each bit of each field, the packets' order, more
//! and less of them, and what is written another way.

use super::family::*;
use super::fields;
use super::make::*;
use super::*;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;

/// What may be altered in a message without the answer being another, and why: nothing covers it, and
/// nothing that is told depends on it. A star stands for whatever follows.
const FREE_IN_MESSAGES: [(&str, &str); 4] = [
    (
        "literal format",
        "RFC 9580 section 5.9: not signed; b, t and u are read alike",
    ),
    ("literal name", "section 5.9: not signed, not read"),
    ("literal date", "section 5.9: not signed, not read"),
    ("signature unhashed 16 type", ONE_HINT_LESS),
];

/// The same in a keyring.
const FREE_IN_KEYRINGS: [(&str, &str); 7] = [
    (
        "other subkey*",
        "a subkey for encryption, and what is said of it: not asked",
    ),
    ("user id's signature unhashed 16", ONE_HINT_LESS),
    ("user id's signature unhashed 16 type", ONE_HINT_LESS),
    ("subkey's signature unhashed 16", ONE_HINT_LESS),
    ("subkey's signature unhashed 16 type", ONE_HINT_LESS),
    ("cross signature unhashed 16", ONE_HINT_LESS),
    ("cross signature unhashed 16 type", ONE_HINT_LESS),
];

const ONE_HINT_LESS: &str =
    "a key id that is not hashed, beside the fingerprint that is: one hint less";

/// Of each field what came of altering it, over all cases.
type Table = BTreeMap<String, BTreeSet<&'static str>>;

/// Alters each of these bits of each byte; of a signature's numbers, which cost a check each, one.
fn alter(table: &mut Table, bytes: &[u8], bits: &[u8], judged: impl Fn(&[u8]) -> &'static str) {
    for (at, name) in fields::of(bytes).iter().enumerate() {
        let bits = if name.ends_with("numbers") {
            &[0]
        } else {
            bits
        };
        for bit in bits {
            let mut altered = bytes.to_vec();
            altered[at] ^= 1 << bit;
            table
                .entry(name.clone())
                .or_default()
                .insert(judged(&altered));
        }
    }
}

/// All that is told of it.
fn told(claim: &SignedPayload) -> impl PartialEq + '_ {
    let times = (
        claim.created(),
        claim.key_created(),
        claim.expired(),
        claim.ends(),
    );
    (
        claim.payload(),
        claim.primary(),
        claim.signer(),
        claim.scheme(),
        times,
    )
}

/// `ok` where the same is told.
pub(super) fn same(
    good: &SignedPayload,
    found: &Result<Verified<SignedPayload>, Refused>,
) -> &'static str {
    match found {
        Ok(found) if told(found.claim()) == told(good) => "ok",
        Ok(_) => "another answer",
        Err(refused) => refused.failure.code,
    }
}

/// A line a field; those that may be altered are those that are named, and no others.
fn hold(table: &Table, free: &[(&str, &str)], file: &str) {
    let found: String = (table.iter())
        .map(|(field, codes)| {
            let codes: Vec<&str> = codes.iter().copied().collect();
            format!("{field}: {}\n", codes.join(" "))
        })
        .collect();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file, &found).unwrap();
    }
    let names = |name: &str, field: &str| match name.strip_suffix('*') {
        Some(start) => field.starts_with(start),
        None => field == name,
    };
    for (field, codes) in table {
        let is_free = free.iter().any(|(name, _)| names(name, field));
        assert_eq!(
            codes.contains("ok"),
            is_free,
            "{field} is named with its reason: {codes:?}"
        );
        assert!(!codes.contains("another answer"), "{field}");
    }
    for (name, _) in free {
        assert!(
            table.keys().any(|field| names(name, field)),
            "{name} is a field"
        );
    }
    let golden = std::fs::read_to_string(file).unwrap_or_default();
    assert_eq!(
        found, golden,
        "something else than in {file} (UPDATE=1 rewrites it)"
    );
}

/// Messages, with the keyrings that they hold under.
pub(super) fn messages() -> Vec<(Vec<u8>, Vec<u8>)> {
    let of_gnupg = |message: &str, keyring: &str| {
        (
            file(&format!("{message}.sig")),
            file(&format!("{keyring}.gpg")),
        )
    };
    let mut messages = Vec::new();
    for name in [
        "rsa",
        "dsa",
        "nistp256",
        "nistp384",
        "nistp521",
        "ed25519",
        "subkey",
        "sha224-ed25519",
        "sha224-subkey",
        "dsa224",
    ] {
        messages.push(of_gnupg(name, name));
    }
    messages.push(of_gnupg("text", "rsa"));
    messages.push(of_gnupg("sha224", "rsa"));
    for version in [4, 6] {
        let own = key(version, 1);
        messages.push((own.message(), own.ring()));
        let family = Family::of(version);
        messages.push((family.subkey.message(), family.good_ring()));
    }
    messages
}

#[test]
fn every_bit_of_a_message() {
    let mut table = Table::new();
    let mut cases = messages();
    for version in [4, 6] {
        // In the older form, where nothing announces what the signature says.
        let own = key(version, 1);
        let [_, literal, signature] = own.parts(&own.plain(0));
        cases.push(([signature, literal].concat(), own.ring()));
    }
    for (message, keyring) in cases {
        let ring = Keyring::read(&keyring).unwrap();
        let good = verify(&message, &ring, at(NOW)).unwrap();
        let judged = |altered: &[u8]| same(good.claim(), &verify(altered, &ring, at(NOW)));
        alter(&mut table, &message, &[0, 1, 2, 3, 4, 5, 6, 7], judged);
    }
    hold(
        &table,
        &FREE_IN_MESSAGES,
        "src/openpgp/tests/altered_messages.txt",
    );
}

/// All bits of keys that are made here, one of each byte of GnuPG's, which are larger or slower.
#[test]
fn every_bit_of_a_keyring() {
    let mut table = Table::new();
    let mut cases: Vec<(Vec<u8>, Vec<u8>, &[u8])> = Vec::new();
    for name in ["rsa", "nistp256", "ed25519", "subkey", "sha224-subkey"] {
        let [message, keyring] = ["sig", "gpg"].map(|end| file(&format!("{name}.{end}")));
        cases.push((message, keyring, &[0]));
    }
    for version in [4, 6] {
        let family = Family::of(version);
        let message = family.subkey.message();
        cases.push((message, family.good_ring(), &[0, 1, 2, 3, 4, 5, 6, 7]));
    }
    for (message, keyring, bits) in cases {
        let ring = Keyring::read(&keyring).unwrap();
        let good = verify(&message, &ring, at(NOW)).unwrap();
        alter(&mut table, &keyring, bits, |altered| {
            match Keyring::read(altered) {
                Ok(ring) => same(good.claim(), &verify(&message, &ring, at(NOW))),
                Err(error) => Failure::from(error).code,
            }
        });
    }
    hold(
        &table,
        &FREE_IN_KEYRINGS,
        "src/openpgp/tests/altered_keyrings.txt",
    );
}

#[test]
fn bits_of_a_compressed_message() {
    let (message, keyring) = (file("zlib.sig"), file("rsa.gpg"));
    let ring = Keyring::read(&keyring).unwrap();
    let good = verify(&message, &ring, at(NOW)).unwrap();
    for place in 0..message.len() {
        for bit in 0..8 {
            let mut altered = message.clone();
            altered[place] ^= 1 << bit;
            // Which bits spell the name and the date is not known here.
            if let Ok(found) = verify(&altered, &ring, at(NOW)) {
                assert_eq!(found.claim(), good.claim(), "byte {place}, bit {bit}");
            }
        }
    }
}
