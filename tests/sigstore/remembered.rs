//! Links of chains that were seen to hold before (docs/trust.md section 7): what they save, and that
//! everything else is judged as before.

use crate::authority::{self, Authority};
use crate::budgets::Counting;
use crate::forge::Key;
use crate::golden::{AllBut, checks};
use crate::vectors::{self, Vector};
use sealgate::internals::crypto::{
    Links, Outcome, Provider, Remembering, RustCrypto, SignatureCheck, Step,
};
use sealgate::internals::error::HostError;
use std::cell::Cell;

/// Whether it is accepted, and how many checks that took.
fn judged(vector: &Vector, links: &Links) -> (Result<Vec<Step>, String>, usize) {
    let counting = Counting::default();
    let bundle = serde_json::to_vec(&vector.bundle).unwrap();
    let verdict = vector.judge_bytes(&bundle, &Remembering::new(&counting, links));
    (verdict.map(|accepted| accepted.steps), counting.count())
}

#[test]
fn the_second_time_each_link_is_remembered_and_nothing_else_is() {
    for vector in vectors::all() {
        let links = Links::default();
        let (first, second) = (judged(vector, &links), judged(vector, &links));
        let all = checks(vector);
        let remembered = all.iter().filter(|check| check.recurs()).count();
        assert_eq!(second.1 < first.1, remembered > 0, "{}", vector.name);
        let steps = second
            .0
            .unwrap_or_else(|code| panic!("{}: {code}", vector.name));
        let told = steps.iter().filter(|step| match step {
            Step::Remembered(check) => {
                assert!(check.recurs(), "{}", vector.name);
                true
            }
            Step::Settled(check, _) => {
                assert!(!check.recurs(), "{}", vector.name);
                false
            }
            _ => false,
        });
        assert_eq!(told.count(), remembered, "{}", vector.name);
    }
}

#[test]
fn with_all_links_remembered_each_other_signature_is_still_needed() {
    for vector in vectors::all() {
        let bundle = serde_json::to_vec(&vector.bundle).unwrap();
        let links = Links::default();
        judged(vector, &links).0.unwrap();
        for check in checks(vector).iter().filter(|check| !check.recurs()) {
            let all_but = AllBut(check);
            let provider = Remembering::new(&all_but, &links);
            let refused = vector.judge_bytes(&bundle, &provider).expect_err(&format!(
                "{}: {} is not needed",
                vector.name,
                check.role().name()
            ));
            assert!(vector.tells(&refused, "signature.invalid"), "{refused}");
        }
    }
}

/// One with a chain above an authority of timestamps.
fn stamped() -> &'static Vector {
    vectors::all()
        .iter()
        .find(|vector| vector.name == "sigstore/blob-email")
        .unwrap()
}

/// What was seen to hold of one bundle says nothing under a root that does not list it, or lists it
/// for another time.
#[test]
fn another_root_or_time_is_judged_as_if_nothing_were_remembered() {
    let good = stamped();
    let links = Links::default();
    let (first, second) = (judged(good, &links), judged(good, &links));
    assert!(first.0.is_ok() && second.0.is_ok());
    assert_eq!(first.1, second.1 + 1);
    let over = serde_json::json!({"start": "2000-01-01T00:00:00Z", "end": "2000-01-02T00:00:00Z"});
    let early = serde_json::json!({"start": "2090-01-01T00:00:00Z"});
    for authorities in ["timestampAuthorities", "certificateAuthorities"] {
        for window in [&over, &early] {
            let mut root = good.root.clone();
            root[authorities][0]["validFor"] = window.clone();
            refused_as_before(&good.under(&root), &links);
        }
    }
    let mut root = good.root.clone();
    root["timestampAuthorities"] = serde_json::json!([]);
    refused_as_before(&good.under(&root), &links);
}

/// A policy is another one by whom it wants; here by its authority: the same name, another key.
#[test]
fn an_authority_of_the_same_name_is_another() {
    let (ca, key, log, promises, leaf) = authority::certified();
    let good = authority::vector(
        authority::bundle(&key, &leaf, &[], &log),
        authority::root(&ca, &log, &promises),
    );
    let links = Links::default();
    assert!(judged(&good, &links).0.is_ok());
    let other = Authority::P256(Key::new(31));
    refused_as_before(
        &good.under(&authority::root(&other, &log, &promises)),
        &links,
    );
}

fn refused_as_before(vector: &Vector, links: &Links) {
    let before = judged(vector, &Links::default()).0.unwrap_err();
    assert_eq!(judged(vector, links).0.unwrap_err(), before);
}

/// A signature that fails is asked about each time.
#[test]
fn a_link_that_failed_is_asked_again() {
    struct Failing(Cell<usize>);
    impl Provider for Failing {
        async fn verify(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
            if !check.recurs() {
                return RustCrypto.verify(check).await;
            }
            self.0.set(self.0.get() + 1);
            Ok(Outcome::Fails)
        }
    }
    let vector = stamped();
    let bundle = serde_json::to_vec(&vector.bundle).unwrap();
    let (failing, links) = (Failing(Cell::new(0)), Links::default());
    for time in 1..=2 {
        let provider = Remembering::new(&failing, &links);
        vector.judge_bytes(&bundle, &provider).unwrap_err();
        assert_eq!(failing.0.get(), time);
    }
    assert!(judged(vector, &links).0.is_ok());
}
