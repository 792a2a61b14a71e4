//! What other implementations say of each message under each keyring: Sequoia (sq.txt) and rPGP
//! (rpgp.txt). GnuPG, as which we decide, is in `fixtures`.

use super::*;
use alloc::collections::BTreeSet;
use alloc::string::String;

/// Where we say otherwise than the oracle, and what; `ok` is what it refuses.
fn differences(oracle: &str) -> Vec<(String, &'static str)> {
    let held = String::from_utf8(file(oracle)).unwrap();
    let held: BTreeSet<&str> = held.lines().collect();
    assert!(held.len() > 30);
    let mut found = Vec::new();
    for keyring in files(".gpg") {
        for message in files(".sig") {
            let pair = format!("{message} {keyring}");
            let (sig, gpg) = (
                file(&format!("{message}.sig")),
                file(&format!("{keyring}.gpg")),
            );
            let ours = code(&sig, &gpg, at(after(&message)));
            if (ours == "ok") != held.contains(&*pair) {
                found.push((pair, ours));
            }
        }
    }
    found
}

fn files(end: &str) -> Vec<String> {
    let entries = std::fs::read_dir("fixtures/openpgp").unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut found: Vec<String> = names
        .filter_map(|name| Some(name.strip_suffix(end)?.into()))
        .collect();
    found.sort();
    found
}

/// What we say, of which messages under which keyrings, and why not as the oracle.
type Reason<'a> = (&'static str, &'a [&'a str], &'a str);

const OTHER_FORM: &str =
    "another form than simple signing has; podman and skopeo write none of them";
const REVOKED: &str = "as GnuPG has it: once revoked is revoked, whatever reason and date it gives";

const SEQUOIA: [Reason<'_>; 10] = [
    (
        "openpgp.armoured",
        &[
            "armoured rsa",
            "clear rsa",
            "sq-armoured sq-cv25519",
            "sq-armoured sq-revoked",
            "sq-armoured sq-subkey-revoked",
            "sq-clear sq-cv25519",
            "sq-clear sq-revoked",
            "sq-clear sq-subkey-revoked",
        ],
        OTHER_FORM,
    ),
    ("openpgp.compression", &["bzip2 rsa"], OTHER_FORM),
    (
        "openpgp.signature-count",
        &[
            "two ed25519",
            "two rsa",
            "sq-two sq-cv25519",
            "sq-two sq-revoked",
            "sq-two sq-rsa3k",
            "sq-two sq-subkey-revoked",
        ],
        "exactly one signature: readers differ in what several mean",
    ),
    (
        "openpgp.key-revoked",
        &[
            "revoked revoked",
            "sq-cv25519 sq-revoked",
            "sq-notation sq-revoked",
        ],
        REVOKED,
    ),
    (
        "openpgp.subkey-revoked",
        &[
            "sq-cv25519 sq-subkey-revoked",
            "sq-notation sq-subkey-revoked",
        ],
        REVOKED,
    ),
    (
        "openpgp.not-certified",
        &["sq-no-id sq-no-id"],
        "as GnuPG has it: a key of version 4 counts by a user id",
    ),
    (
        "ok",
        &["expiring rsa"],
        "sq judged it when it had expired, and we a day after it was made",
    ),
    (
        "ok",
        &["expiring-key prolonged"],
        "sq asks what the key said when it signed: only what it said later is in the keyring",
    ),
    (
        "ok",
        &["sha1-primary sha1-primary"],
        "as GnuPG has it: what an old key says of itself may be over SHA-1 (a step says so)",
    ),
    (
        "ok",
        &[
            "rpgp-ed25519 rpgp-ed25519",
            "rpgp-text rpgp-ed25519",
            "rpgp-zlib rpgp-ed25519",
            "rpgp-subkey rpgp-subkey",
            "rpgp-nistp256 rpgp-nistp256",
            "rpgp-nistp384 rpgp-nistp384",
            "rpgp-nistp521 rpgp-nistp521",
            "rpgp-rsa rpgp-rsa",
        ],
        "sq 0.27 knows no keys of version 6",
    ),
];

/// It leaves to its user what is no arithmetic: revocation, key flags, critical notations, SHA-1.
const RPGP: [Reason<'_>; 10] = [
    (
        "openpgp.key-revoked",
        &[
            "revoked revoked",
            "sq-cv25519 sq-revoked",
            "sq-notation sq-revoked",
        ],
        "not looked at",
    ),
    (
        "openpgp.subkey-revoked",
        &[
            "subkey subkey-revoked",
            "sq-cv25519 sq-subkey-revoked",
            "sq-notation sq-subkey-revoked",
        ],
        "not looked at",
    ),
    (
        "openpgp.critical",
        &[
            "sq-critical sq-cv25519",
            "sq-critical sq-revoked",
            "sq-critical sq-subkey-revoked",
        ],
        "not looked at",
    ),
    (
        "openpgp.not-for-signing",
        &["rpgp-certify rpgp-certify"],
        "key flags are not looked at",
    ),
    (
        "openpgp.not-certified",
        &["sq-no-id sq-no-id"],
        "as GnuPG has it: a key of version 4 counts by a user id",
    ),
    (
        "openpgp.signature-count",
        &["two ed25519", "sq-two sq-rsa3k", "rpgp-two rpgp-ed25519"],
        "exactly one signature: it asks the outermost, and we refuse",
    ),
    ("openpgp.sha1", &["sha1 rsa"], "SHA-1 signs no message"),
    (
        "ok",
        &[
            "sha224-ed25519 sha224-ed25519",
            "sha224-subkey sha224-subkey",
        ],
        "as GnuPG has it: Ed25519 over SHA-224, which RFC 9580 section 5.2.3.3 finds too short",
    ),
    (
        "openpgp.hash",
        &["rpgp-sha3 rpgp-ed25519"],
        "SHA-3 is not read",
    ),
    (
        "openpgp.ed448",
        &["rpgp-ed448 rpgp-ed448"],
        "Ed448 is not checked",
    ),
];

/// Each difference has its reason, and each reason its difference.
fn hold(oracle: &str, reasons: &[Reason<'_>]) {
    let named = |(ours, pairs, _): &Reason<'_>| -> Vec<(String, &'static str)> {
        pairs
            .iter()
            .map(|pair| (String::from(*pair), *ours))
            .collect()
    };
    let expected: BTreeSet<_> = reasons.iter().flat_map(named).collect();
    let found: BTreeSet<_> = differences(oracle).into_iter().collect();
    let wrong: Vec<_> = found.symmetric_difference(&expected).collect();
    assert!(wrong.is_empty(), "{oracle}: {wrong:?}");
}

#[test]
fn as_sequoia_decides() {
    hold("sq.txt", &SEQUOIA);
}

#[test]
fn as_rpgp_decides() {
    hold("rpgp.txt", &RPGP);
}
