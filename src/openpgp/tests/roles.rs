//! Which signatures stand behind each good answer, by their roles, and what comes of each that fails
//! alone.

use super::family::*;
use super::make::*;
use super::*;
use crate::crypto::{Outcome, Provider, SignatureCheck};
use crate::error::HostError;
use alloc::string::String;
use core::cell::RefCell;

/// One message under one keyring a line: what is asked, in order, and the answer where that alone
/// fails. `UPDATE=1` rewrites it.
const FILE: &str = "src/openpgp/tests/roles.txt";

/// Where the answer is good without a signature, and why.
const NOT_NEEDED: [(&str, &str); 9] = [
    (
        "ids ids-one-revoked",
        "the other user id, and its revocation, beside one that stands",
    ),
    ("sq-cv25519 sq-cv25519", DIRECT),
    ("sq-rsa3k sq-rsa3k", DIRECT),
    ("sq-expiring sq-expiring", DIRECT),
    (
        "sq-ids sq-id-revoked",
        "a direct-key signature, as above, and the other user id with its revocation",
    ),
    (
        "rpgp-subkey rpgp-subkey",
        "a user id: of version 6 it certifies nothing",
    ),
    (
        "expiring-key expiring and prolonged",
        "the older signature, which the newer one replaces",
    ),
    (
        "made two user ids",
        "either of two user ids certifies the key",
    ),
    (
        "made revoker",
        "that the key names who may revoke it, and that somebody else did not",
    ),
];

const DIRECT: &str = "of version 4 a user id certifies; the direct-key signature says the same";

struct Case {
    name: String,
    message: Vec<u8>,
    keyring: Vec<u8>,
    now: UnixTime,
}

/// The fixtures that hold, and what no fixture has.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: &str, message, keyring, now| {
        let name = name.into();
        cases.push(Case {
            name,
            message,
            keyring,
            now,
        });
    };
    for (message, keyring) in [
        ("rsa", "rsa"),
        ("dsa", "dsa"),
        ("nistp256", "nistp256"),
        ("nistp384", "nistp384"),
        ("nistp521", "nistp521"),
        ("ed25519", "ed25519"),
        ("zip", "rsa"),
        ("zlib", "rsa"),
        ("text", "rsa"),
        ("stream", "rsa"),
        ("sha384", "rsa"),
        ("sha512", "rsa"),
        ("sha224", "rsa"),
        ("sha224-ed25519", "sha224-ed25519"),
        ("sha224-subkey", "sha224-subkey"),
        ("dsa224", "dsa224"),
        ("expiring", "rsa"),
        ("subkey", "subkey"),
        ("subkey-expiring", "subkey-expiring"),
        ("expiring-key", "expiring"),
        ("expiring-key", "prolonged"),
        ("revoked", "revoked-before"),
        ("ids", "ids-one-revoked"),
        ("sha1-primary", "sha1-primary"),
        ("sq-cv25519", "sq-cv25519"),
        ("sq-rsa3k", "sq-rsa3k"),
        ("sq-expiring", "sq-expiring"),
        ("sq-ids", "sq-id-revoked"),
        ("rpgp-ed25519", "rpgp-ed25519"),
        ("rpgp-nistp256", "rpgp-nistp256"),
        ("rpgp-nistp384", "rpgp-nistp384"),
        ("rpgp-nistp521", "rpgp-nistp521"),
        ("rpgp-rsa", "rpgp-rsa"),
        ("rpgp-subkey", "rpgp-subkey"),
    ] {
        let [sig, gpg] = [format!("{message}.sig"), format!("{keyring}.gpg")];
        let now = after(message);
        add(&format!("{message} {keyring}"), file(&sig), file(&gpg), now);
    }
    // Eight days later only the newer signature says that the key has not expired.
    let later = UnixTime(NOW.0 + 8 * DAY);
    let message = file("expiring-key.sig");
    let keyring = [file("expiring.gpg"), file("prolonged.gpg")].concat();
    add(
        "expiring-key expiring and prolonged",
        message,
        keyring,
        later,
    );
    for version in [4, 6] {
        let own = key(version, 1);
        let (message, ring) = (own.message(), own.ring());
        add(&format!("made version {version}"), message, ring, NOW);
        let family = Family::of(version);
        let (message, ring) = (family.subkey.message(), family.good_ring());
        add(
            &format!("made subkey of version {version}"),
            message,
            ring,
            NOW,
        );
    }
    let (own, other) = (key(4, 1), key(4, 2));
    let ids = [own.ring(), own.user_id(b"second", 0x13, &[])].concat();
    add("made two user ids", own.message(), ids, NOW);
    let hashed = own.parsed().hashed;
    let revoker = other.parsed().fingerprint;
    let named = [&[0x80, 22], revoker.bytes()].concat();
    let direct = own.says(0x1f, &subpacket(12, &named), &[&hashed]);
    // Its digest is that of a revocation, its last number is not: it is asked, and does not hold.
    let mut revocation = other.says(0x20, &[], &[&hashed]);
    *revocation.last_mut().unwrap() ^= 1;
    let parts = [packet(6, &own.body()), direct, revocation];
    let ring = [parts.concat(), own.user_id(b"me", 0x13, &[]), other.ring()].concat();
    add("made revoker", own.message(), ring, NOW);
    cases
}

/// Pure Rust; what is asked is kept, and one question, however often it is asked, is answered with no.
struct AllBut<'a> {
    fails: Option<&'a SignatureCheck>,
    asked: RefCell<Vec<(SignatureCheck, Outcome)>>,
}

impl Provider for AllBut<'_> {
    async fn verify(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        let outcome = match self.fails {
            Some(fails) if fails == check => Outcome::Fails,
            _ => RustCrypto.verify(check).await?,
        };
        self.asked.borrow_mut().push((check.clone(), outcome));
        Ok(outcome)
    }
}

impl Case {
    /// `ok` or the code, and what was asked.
    fn judged(
        &self,
        fails: Option<&SignatureCheck>,
    ) -> (&'static str, Vec<(SignatureCheck, Outcome)>) {
        let provider = AllBut {
            fails,
            asked: RefCell::default(),
        };
        let keyring = Keyring::read(&self.keyring).unwrap();
        let message = Message::read(&self.message).unwrap();
        let judged = at_once(message.verify(&keyring, at(self.now), &provider))
            .unwrap()
            .unwrap();
        let code = judged.map_or_else(|unproven| unproven.refused.failure.code, |_| "ok");
        (code, provider.asked.into_inner())
    }

    /// What is asked, and what comes of each that fails alone.
    fn line(&self) -> String {
        let (code, asked) = self.judged(None);
        assert_eq!(code, "ok", "{}", self.name);
        let mut words = Vec::new();
        for (place, (check, outcome)) in asked.iter().enumerate() {
            let before = &asked[..place];
            assert!(
                before.iter().all(|(other, _)| other != check),
                "{}: asked twice",
                self.name
            );
            let role = check.role().name().trim_start_matches("signature.openpgp-");
            let scheme = check.scheme().id();
            words.push(match outcome {
                Outcome::Holds => format!("{role} {scheme} {}", self.judged(Some(check)).0),
                Outcome::Fails => format!("{role} {scheme} fails"),
            });
        }
        format!("{}: {}\n", self.name, words.join(", "))
    }
}

#[test]
fn each_signature_matters() {
    let lines: Vec<String> = cases().iter().map(Case::line).collect();
    for (case, line) in cases().iter().zip(&lines) {
        let (_, words) = line.split_once(": ").unwrap();
        let needless = words
            .trim_end()
            .split(", ")
            .any(|word| word.ends_with(" ok") || word.ends_with("fails"));
        let reason = NOT_NEEDED.iter().any(|(name, _)| *name == case.name);
        assert_eq!(needless, reason, "{line}");
    }
    let found = lines.concat();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(FILE, &found).unwrap();
    }
    let golden = std::fs::read_to_string(FILE).unwrap_or_default();
    assert_eq!(
        found, golden,
        "other signatures than in {FILE} (UPDATE=1 rewrites it)"
    );
}
