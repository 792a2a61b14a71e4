//! Links of chains that were seen to hold before (docs/trust.md section 7): what they save, and that
//! everything else is judged as before.

use crate::authority::{self, Authority};
use crate::budgets::Counting;
use crate::forge::Key;
use crate::golden::checks;
use crate::vectors::{self, Vector};
use sealgate::internals::crypto::{
    Links, Outcome, Provider, Remembering, Role, RustCrypto, SignatureCheck, Step,
};
use sealgate::internals::error::HostError;
use std::cell::RefCell;

fn is_link(check: &SignatureCheck) -> bool {
    matches!(
        check.role(),
        Role::CertificateSignature | Role::TimestampCertificate
    )
}

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
        let remembered = all.iter().filter(|check| is_link(check)).count();
        assert_eq!(second.1 < first.1, remembered > 0, "{}", vector.name);
        let steps = second
            .0
            .unwrap_or_else(|code| panic!("{}: {code}", vector.name));
        let told = steps.iter().filter(|step| match step {
            Step::Remembered(check) => {
                assert!(is_link(check), "{}", vector.name);
                true
            }
            Step::Settled(check, _) => {
                assert!(!is_link(check), "{}", vector.name);
                false
            }
            _ => false,
        });
        assert_eq!(told.count(), remembered, "{}", vector.name);
    }
}

/// Everything that is no link fails here, if it is this one.
struct AllBut<'a>(&'a SignatureCheck);

impl Provider for AllBut<'_> {
    async fn verify(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        if check == self.0 {
            Ok(Outcome::Fails)
        } else {
            RustCrypto.verify(check).await
        }
    }
}

#[test]
fn with_all_links_remembered_each_other_signature_is_still_needed() {
    for vector in vectors::all() {
        let bundle = serde_json::to_vec(&vector.bundle).unwrap();
        let links = Links::default();
        judged(vector, &links).0.unwrap();
        for check in checks(vector).iter().filter(|check| !is_link(check)) {
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

/// What was seen to hold of one bundle, and of none of these.
#[test]
fn another_root_or_time_is_judged_as_if_nothing_were_remembered() {
    let (ca, key, log, promises) = (
        Authority::P256(Key::new(21)),
        Key::new(22),
        Key::new(23),
        Key::new(24),
    );
    let leaf = ca.leaf("ca", &key, |tbs| vec![ca.promise(&promises, tbs, 0)]);
    let good = authority::vector(
        authority::bundle(&key, &leaf, &[], &log),
        authority::root(&ca, &log, &promises),
    );
    let links = Links::default();
    assert_eq!(judged(&good, &links).1, 5);
    assert_eq!(judged(&good, &links).1, 4);
    let window = |start: &str, end: &str| {
        let mut root = good.root.clone();
        root["certificateAuthorities"][0]["validFor"] =
            serde_json::json!({"start": start, "end": end});
        good.under(&root)
    };
    for (other, expected) in [
        // Of the same name, with another key.
        (
            good.under(&authority::root(
                &Authority::P256(Key::new(31)),
                &log,
                &promises,
            )),
            "signature.invalid",
        ),
        (
            window("2000-01-01T00:00:00Z", "2000-01-02T00:00:00Z"),
            "x509.expired",
        ),
        (
            window("2090-01-01T00:00:00Z", "2091-01-01T00:00:00Z"),
            "x509.not-yet-valid",
        ),
    ] {
        for links in [&Links::default(), &links] {
            assert_eq!(judged(&other, links).0.unwrap_err(), expected);
        }
    }
}

/// A signature that fails is asked about each time.
#[test]
fn a_link_that_failed_is_asked_again() {
    struct Failing(RefCell<usize>);
    impl Provider for Failing {
        async fn verify(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
            *self.0.borrow_mut() += usize::from(is_link(check));
            Ok(Outcome::Fails)
        }
    }
    let vector = vectors::all()
        .iter()
        .find(|vector| !vector.is_keyed())
        .unwrap();
    let bundle = serde_json::to_vec(&vector.bundle).unwrap();
    let (failing, links) = (Failing(RefCell::new(0)), Links::default());
    for time in 1..=2 {
        let provider = Remembering::new(&failing, &links);
        vector.judge_bytes(&bundle, &provider).unwrap_err();
        assert_eq!(*failing.0.borrow(), time);
    }
    assert!(judged(vector, &links).0.is_ok());
}
