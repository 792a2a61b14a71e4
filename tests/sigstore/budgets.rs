//! What a bundle may cost before it is refused (docs/trust.md section 7), and that all promises of
//! listed logs hold (section 4).

use crate::authority::{self, Authority};
use crate::edit::encode;
use crate::forge::{self, ARTIFACT, Key};
use crate::vectors::Vector;
use sealgate::internals::crypto::{Outcome, Provider, RustCrypto, SignatureCheck};
use sealgate::internals::error::HostError;
use serde_json::Value;
use std::cell::Cell;

/// Pure Rust, counted.
#[derive(Default)]
pub(crate) struct Counting(Cell<usize>);

impl Counting {
    pub(crate) fn count(&self) -> usize {
        self.0.get()
    }
}

impl Provider for Counting {
    async fn verify(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        self.0.set(self.0.get() + 1);
        RustCrypto.verify(check).await
    }
}

/// The verdict, and how many checks it took.
fn judged(vector: &Vector, bundle: &Value) -> (Result<(), String>, usize) {
    let counting = Counting::default();
    let verdict = vector
        .judge_bytes(&serde_json::to_vec(bundle).unwrap(), &counting)
        .map(drop);
    (verdict, counting.0.get())
}

/// One that holds: a link, promises, the signature, the log's timestamp and checkpoint.
fn keyless(promise: impl Fn(&Authority, &[u8]) -> Vec<Vec<u8>>) -> Vector {
    let (ca, key, log) = (Authority::P256(Key::new(21)), Key::new(22), Key::new(23));
    let leaf = ca.leaf("ca", &key, |tbs| promise(&ca, tbs));
    authority::vector(
        authority::bundle(&key, &leaf, &[], &log),
        authority::root(&ca, &log, &Key::new(24)),
    )
}

#[test]
fn every_promise_of_a_listed_log_holds() {
    let (listed, other) = (Key::new(24), Key::new(25));
    let broken = |mut sct: Vec<u8>| {
        *sct.last_mut().unwrap() ^= 1;
        sct
    };
    let one = keyless(|ca, tbs| vec![ca.promise(&listed, tbs, 0)]);
    assert_eq!(judged(&one, &one.bundle), (Ok(()), 5));
    // An unlisted log's is set aside, whatever it is worth.
    let unlisted = keyless(|ca, tbs| {
        vec![
            broken(ca.promise(&other, tbs, 0)),
            ca.promise(&listed, tbs, 1),
        ]
    });
    assert_eq!(judged(&unlisted, &unlisted.bundle), (Ok(()), 5));
    for failing_first in [true, false] {
        let failing = keyless(|ca, tbs| {
            let mut promises = vec![
                ca.promise(&listed, tbs, 0),
                broken(ca.promise(&listed, tbs, 1)),
            ];
            if failing_first {
                promises.reverse();
            }
            promises
        });
        assert_eq!(
            judged(&failing, &failing.bundle).0,
            Err("signature.invalid".into())
        );
    }
    let two = keyless(|ca, tbs| vec![ca.promise(&listed, tbs, 0), ca.promise(&listed, tbs, 1)]);
    assert_eq!(judged(&two, &two.bundle), (Ok(()), 6));
    let early = keyless(|ca, tbs| {
        vec![
            ca.promise(&listed, tbs, 0),
            ca.promise(&listed, tbs, 400_000_000_000_000),
        ]
    });
    let mut root = early.root.clone();
    root["ctlogs"][0]["publicKey"]["validFor"]["end"] = "2030-01-01T00:00:00Z".into();
    let early = early.under(&root);
    assert_eq!(
        judged(&early, &early.bundle).0,
        Err("sigstore.sct-window".into())
    );
}

/// Nine authorities on P-521 that nobody certified, and sixteen promises under each: whatever of it
/// anybody can make, the root is asked about it first.
#[test]
fn a_chain_ends_at_the_first_link_that_fails() {
    let (key, log, promises) = (Key::new(22), Key::new(23), Key::new(24));
    let foreign = Authority::p521(7);
    let leaf = foreign.leaf("ca", &key, |tbs| {
        (0..16)
            .map(|number| foreign.promise(&promises, tbs, number))
            .collect()
    });
    let intermediates: Vec<Vec<u8>> = (1..=9)
        .map(|serial| Authority::p521(serial).certificate(serial, "ca"))
        .collect();
    let bundle = authority::bundle(&key, &leaf, &intermediates, &log);
    let vector = authority::vector(
        bundle,
        authority::root(&Authority::p521(33), &log, &promises),
    );
    let (verdict, checks) = judged(&vector, &vector.bundle);
    assert_eq!(verdict, Err("signature.invalid".into()));
    assert!(checks <= 16, "{checks} checks");
}

/// Thirty-two entries that a log did take, of a signature that is none: the key is asked first.
#[test]
fn what_no_key_signed_costs_one_check() {
    let (signer, stranger, log) = (Key::new(1), Key::new(66), Key::new(2));
    let payload = forge::statement("https://example.com/p", &[forge::subject(ARTIFACT)]);
    let entries: Vec<Value> = (0..32)
        .map(|number| {
            forge::entry_of(
                &log,
                number,
                body(number, &signer, &stranger, &payload).as_bytes(),
            )
        })
        .collect();
    let vector = forge::vector(
        forge::bundle(&stranger, &payload, &entries),
        &signer,
        &[&log],
    );
    assert_eq!(
        judged(&vector, &vector.bundle),
        (Err("signature.invalid".into()), 1)
    );
}

/// The log is told that `signer` made the signature of `stranger`.
fn body(number: u64, signer: &Key, stranger: &Key, payload: &[u8]) -> String {
    use sealgate::internals::crypto::Hash;
    use sealgate::internals::encoding::hex;
    let hash = |bytes: &[u8]| serde_json::json!({"algorithm": "sha256", "value": hex::encode(&Hash::Sha256.hash(bytes))});
    let signature = serde_json::json!([{"signature": encode(&forge::signature(stranger, payload)), "verifier": encode(signer.public().to_pem().as_bytes())}]);
    serde_json::json!({"apiVersion": "0.0.1", "kind": "dsse", "spec": {"envelopeHash": hash(&number.to_be_bytes()), "payloadHash": hash(payload), "signatures": signature}}).to_string()
}
