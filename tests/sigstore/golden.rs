//! Which signatures stand behind each verdict, by their roles, and that each of them matters.

use crate::vectors::{self, Vector};
use sealgate::internals::crypto::{Outcome, Provider, RustCrypto, SignatureCheck, Step};
use sealgate::internals::error::HostError;
use std::collections::BTreeMap;
use std::path::Path;

/// One vector a line, sorted. `UPDATE=1` rewrites the lines of the vectors that are there.
const FILE: &str = "tests/sigstore/golden.txt";

pub(crate) fn checks(vector: &Vector) -> Vec<SignatureCheck> {
    let steps = vector.whole().steps.clone();
    let settled = steps.into_iter().filter_map(|step| match step {
        Step::Settled(check, Outcome::Holds) => Some(*check),
        Step::Settled(check, Outcome::Fails) => panic!(
            "{}: {} failed, and it was accepted",
            vector.name,
            check.role().name()
        ),
        Step::Open(check) => panic!("{}: {} was never checked", vector.name, check.role().name()),
        Step::Broken(rule) => panic!(
            "{}: {} does not hold, and it was accepted",
            vector.name, rule.name
        ),
        Step::Remembered(check) => panic!(
            "{}: {} was not checked, with nothing to remember it",
            vector.name,
            check.role().name()
        ),
        Step::Rule(_) | Step::Waived(_) => None,
    });
    settled.collect()
}

fn lines(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, roles)| (name.into(), roles.into()))
        .collect()
}

#[test]
fn roles_of_signatures() {
    let mut golden = lines(&std::fs::read_to_string(Path::new(FILE)).unwrap_or_default());
    let mut wrong = Vec::new();
    let update = std::env::var_os("UPDATE").is_some();
    for vector in vectors::all() {
        let roles = checks(vector)
            .iter()
            .map(|check| check.role().name().trim_start_matches("signature."))
            .collect::<Vec<_>>()
            .join(" ");
        if update {
            golden.insert(vector.name.clone(), roles);
        } else if golden
            .get(&vector.name)
            .map_or(!vector.is_shared(), |known| *known != roles)
        {
            wrong.push(format!(
                "{}: {roles} (expected {:?})",
                vector.name,
                golden.get(&vector.name)
            ));
        }
    }
    // A shared vector that was happy once, and is there, is happy.
    let lost: Vec<_> = vectors::shared_names()
        .into_iter()
        .filter(|name| {
            golden.contains_key(name) && !vectors::all().iter().any(|vector| vector.name == *name)
        })
        .collect();
    assert!(lost.is_empty(), "no longer accepted: {lost:?}");
    if update {
        let text: String = golden
            .iter()
            .map(|(name, roles)| format!("{name}: {roles}\n"))
            .collect();
        std::fs::write(FILE, text).unwrap();
    }
    assert!(
        wrong.is_empty(),
        "the signatures behind these verdicts are others than in {FILE} (UPDATE=1 rewrites \
         it):\n{}",
        wrong.join("\n")
    );
}

/// Pure Rust, but for one question, however often it is asked.
pub(crate) struct AllBut<'a>(pub &'a SignatureCheck);

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
fn each_signature_that_fails_alone_refuses() {
    for vector in vectors::all() {
        let bundle = serde_json::to_vec(&vector.bundle).unwrap();
        for check in checks(vector) {
            let refused = vector
                .judge_bytes(&bundle, &AllBut(&check))
                .expect_err(&format!(
                    "{}: {} is not needed",
                    vector.name,
                    check.role().name()
                ));
            assert!(
                vector.tells(&refused, "signature.invalid"),
                "{}: {} gives {refused}",
                vector.name,
                check.role().name()
            );
        }
    }
}
