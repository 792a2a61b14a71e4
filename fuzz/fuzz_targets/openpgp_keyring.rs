//! Keyrings: what is read reads the same once it is written anew; whatever stands in a keyring, a
//! message proves of its signer what the fixtures say, or nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sealgate::internals::crypto::Outcome;
use sealgate::internals::crypto::RustCrypto;
use sealgate::internals::limits;
use sealgate::internals::openpgp::Keyring;
use sealgate::internals::openpgp::Message;
use sealgate::internals::time::UnixTime;
use sealgate_fuzz::Always;
use sealgate_fuzz::Fact;
use sealgate_fuzz::Known;
use sealgate_fuzz::TIMES;
use sealgate_fuzz::assert_end;
use sealgate_fuzz::judge;
use std::collections::BTreeSet;
use std::sync::LazyLock;

static KNOWN: LazyLock<Known> = LazyLock::new(Known::read);

fuzz_target!(|bytes: &[u8]| {
    let keyring = Keyring::read(bytes);
    assert_eq!(keyring, Keyring::read(bytes), "it is read the same again");
    let Ok(keyring) = keyring else {
        return;
    };
    let names: BTreeSet<_> = keyring.fingerprints().collect();
    assert_eq!(
        names.len(),
        keyring.fingerprints().count(),
        "a key stands there once"
    );
    assert!(names.len() <= limits::OPENPGP_KEYS, "{} keys", names.len());
    assert_eq!(keyring.is_empty(), names.is_empty());
    assert!(
        !keyring.is_empty() || keyring.note().is_some(),
        "why there is no key"
    );
    let anew = written(&keyring);
    for (message, fact) in &KNOWN.messages {
        for now in TIMES {
            verified(message, fact, &keyring, now);
            if let Some(anew) = &anew {
                let [judged, again] =
                    [&keyring, anew].map(|ring| judge(message, ring, now, &RustCrypto));
                assert_eq!(judged, again, "written anew it says the same of each key");
            }
        }
    }
});

/// Written anew, and beside itself, it is the same keys. None where that is too large to be read.
fn written(keyring: &Keyring) -> Option<Keyring> {
    let written = keyring.written();
    if written.len() > limits::KEY_FILE {
        return None;
    }
    let read = Keyring::read(&written).expect("what was read, written anew");
    assert_eq!(read.written(), written, "written anew it reads the same");
    assert!(
        read.fingerprints().eq(keyring.fingerprints()),
        "and has the same keys"
    );
    let merged = |with: &Keyring| {
        let mut merged = with.clone();
        merged.merge(read.clone()).map(|()| merged)
    };
    if let Ok(both) = merged(keyring) {
        assert!(
            both.fingerprints().eq(keyring.fingerprints()),
            "no key more"
        );
        assert_eq!(merged(&both), Ok(both.clone()), "nothing is said twice");
    }
    Some(read)
}

fn verified(message: &Message, fact: &Fact, keyring: &Keyring, now: UnixTime) {
    let judged = judge(message, keyring, now, &RustCrypto);
    if judged.checks == 0 {
        return;
    }
    assert_eq!(
        judged,
        judge(message, keyring, now, &RustCrypto),
        "it is judged the same again"
    );
    if let Some(claim) = &judged.claim {
        assert_eq!(
            Fact::from(claim),
            *fact,
            "who signed is no matter of what is said of it"
        );
        assert!(
            keyring.fingerprints().any(|own| own == claim.primary()),
            "it is listed"
        );
    }
    let none = judge(message, keyring, now, &Always(Outcome::Fails));
    assert_eq!(none.claim, None, "no signature of it holds");
    let all = Always(Outcome::Holds);
    if let Some(claim) = judge(message, keyring, now, &all).claim {
        assert_end(message, keyring, &claim, now, &all);
    }
}
