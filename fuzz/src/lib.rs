//! What the targets share: the signed messages of fixtures/ with the keys that made them, and
//! providers that count.

use sealgate::internals::crypto::Outcome;
use sealgate::internals::crypto::Provider;
use sealgate::internals::crypto::RustCrypto;
use sealgate::internals::crypto::SignatureCheck;
use sealgate::internals::error::HostError;
use sealgate::internals::limits;
use sealgate::internals::openpgp::Fingerprint;
use sealgate::internals::openpgp::Keyring;
use sealgate::internals::openpgp::Message;
use sealgate::internals::openpgp::SignedPayload;
use sealgate::internals::openpgp::Terms;
use sealgate::internals::time::UnixTime;
use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

/// 2026-01-04T00:00:00Z: a day after the fixtures were signed.
pub const NOW: UnixTime = UnixTime(1_767_484_800);
const DAY: i64 = 86_400;
/// Before the fixtures' keys were made; when they count; after the last has expired.
pub const TIMES: [UnixTime; 3] = [UnixTime(NOW.0 - 9 * DAY), NOW, UnixTime(NOW.0 + 999 * DAY)];
/// After whatever a keyring can say: its times have 32 bits, one beside the other.
const NEVER: i64 = 1 << 40;

/// What must be asked of a provider at most, for one message: of each key that it may be of, the
/// message's signature, what the key says of itself, what those say whom it names, and the cross
/// signatures.
pub const MOST_CHECKS: usize = limits::OPENPGP_CANDIDATES
    * (1 + 2 * limits::OPENPGP_SELF_SIGNATURES + limits::OPENPGP_EMBEDDED);

/// Who signed what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub payload: Vec<u8>,
    pub primary: Fingerprint,
    pub signer: Fingerprint,
}

impl From<&SignedPayload> for Fact {
    fn from(signed: &SignedPayload) -> Self {
        Self {
            payload: signed.payload().into(),
            primary: signed.primary().clone(),
            signer: signed.signer().clone(),
        }
    }
}

/// The fixtures that hold.
pub struct Known {
    /// All keys, those that are revoked as they were before.
    pub keyring: Keyring,
    /// Messages, and what each proves under that keyring.
    pub messages: Vec<(Message, Fact)>,
}

impl Known {
    /// # Panics
    /// Where the fixtures are not what they are to be: then nothing is tested.
    pub fn read() -> Self {
        let mut keyring = Keyring::default();
        for bytes in files("gpg") {
            let read = Keyring::read(&bytes).expect("a fixture's keyring is read");
            keyring.merge(read).expect("the fixtures' keys are few");
        }
        let mut messages = Vec::new();
        for message in files("sig")
            .iter()
            .filter_map(|bytes| Message::read(bytes).ok())
        {
            if let Judged {
                claim: Some(claim), ..
            } = judge(&message, &keyring, NOW, &RustCrypto)
            {
                let fact = Fact::from(&claim);
                messages.push((message, fact));
            }
        }
        assert!(messages.len() > 20, "the fixtures' messages hold");
        Self { keyring, messages }
    }

    pub fn is_known(&self, claim: &SignedPayload) -> bool {
        let found = Fact::from(claim);
        self.messages.iter().any(|(_, fact)| *fact == found)
    }
}

/// The fixtures whose names end so. What revokes a whole key or subkey is left out: it would be so
/// for every message of it.
fn files(end: &str) -> Vec<Vec<u8>> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in ["openpgp", "simple-signing"] {
        let entries = fs::read_dir(fixtures.join(folder)).expect("the fixtures are there");
        found.extend(entries.map(|entry| entry.expect("a fixture has a name").path()));
    }
    let revoked = [
        "revoked.gpg",
        "subkey-revoked.gpg",
        "sq-revoked.gpg",
        "sq-subkey-revoked.gpg",
    ];
    found.retain(|path| {
        path.extension().is_some_and(|own| own == end)
            && !revoked.iter().any(|name| path.ends_with(name))
    });
    found.sort();
    let read = |path: &PathBuf| fs::read(path).expect("a fixture is read");
    found.iter().map(read).collect()
}

/// What came of a message, and how much was asked.
#[derive(Debug, PartialEq, Eq)]
pub struct Judged {
    pub claim: Option<SignedPayload>,
    pub checks: usize,
}

/// # Panics
/// Where more was asked than the bounds allow.
pub fn judge(
    message: &Message,
    keyring: &Keyring,
    now: UnixTime,
    provider: &impl Provider,
) -> Judged {
    let terms = Terms {
        now,
        expired_keys_until: None,
    };
    let asked = Cell::new(0);
    let counting = Counting {
        provider,
        asked: &asked,
    };
    let settled = finished(message.verify(keyring, terms, &counting));
    let claim = settled
        .expect("these providers answer")
        .ok()
        .map(|verified| verified.claim().clone());
    assert!(asked.get() <= MOST_CHECKS, "{} checks", asked.get());
    Judged {
        claim,
        checks: asked.get(),
    }
}

/// Its provider's answers; how many is counted.
struct Counting<'a, P> {
    provider: &'a P,
    asked: &'a Cell<usize>,
}

impl<P: Provider> Provider for Counting<'_, P> {
    async fn verify(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        self.asked.set(self.asked.get() + 1);
        self.provider.verify(check).await
    }
}

/// `claim` was proven at `now`: time alone makes nothing of it until it says so, and then does.
///
/// # Panics
/// Where it ends sooner or later than it says.
pub fn assert_end(
    message: &Message,
    keyring: &Keyring,
    claim: &SignedPayload,
    now: UnixTime,
    provider: &impl Provider,
) {
    let at = |now: i64| judge(message, keyring, UnixTime(now), provider).claim;
    let Some(end) = claim.ends() else {
        assert_eq!(at(NEVER).as_ref(), Some(claim), "it does not end");
        return;
    };
    assert!(end > now, "it ends at {end}, which is over");
    assert_eq!(
        at(end.0 - 1).as_ref(),
        Some(claim),
        "it ends no sooner than at {end}"
    );
    assert_ne!(at(end.0).as_ref(), Some(claim), "it ends at {end}");
}

/// Always the same answer: it leads behind every check, or never.
pub struct Always(pub Outcome);

impl Provider for Always {
    async fn verify(&self, _: &SignatureCheck) -> Result<Outcome, HostError> {
        Ok(self.0)
    }
}

fn finished<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(found) = future.as_mut().poll(&mut context) {
            return found;
        }
    }
}
