//! sealgate beside the crate sigstore-verify, over altered bundles: what we accept and it refuses
//! has a reason in differences.json, or is a failure. What it accepts and we refuse is counted, and
//! shown with `SHOW=1`.
//!
//! Run from the repository's root (`make test-sigstore-differential`): the happy vectors are those
//! of tests/sigstore. `SEED` and `CASES` (for each vector) repeat or widen a run.

#[allow(dead_code)]
#[path = "../../../tests/sigstore/edit.rs"]
mod edit;
mod mutate;
mod peer;
#[allow(dead_code)]
#[path = "../../../tests/sigstore/vectors.rs"]
mod vectors;

use mutate::Random;
use peer::Peer;
use sealgate::internals::crypto::RustCrypto;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::ExitCode;
use vectors::Vector;

/// A kind of case that we accept and the other refuses, and why that is right.
struct Difference {
    /// A part of the other's message.
    theirs: String,
    /// What must be true of the altered bundle, by the name in [`mutate::holds`].
    when: String,
    seen: usize,
}

#[derive(Default)]
struct Tally {
    both_accept: usize,
    both_refuse: usize,
    stricter: BTreeMap<String, usize>,
    explained: usize,
    unexplained: Vec<String>,
}

fn differences() -> Vec<Difference> {
    let list: Value = serde_json::from_str(include_str!("../differences.json"))
        .expect("differences.json is JSON");
    let one = |rule: &Value| {
        let text = |name: &str| {
            rule[name]
                .as_str()
                .unwrap_or_else(|| panic!("a difference without {name}"))
                .to_owned()
        };
        assert!(text("reason").len() > 20, "a difference without a reason");
        Difference {
            theirs: text("theirs"),
            when: text("when"),
            seen: 0,
        }
    };
    list.as_array().expect("a list").iter().map(one).collect()
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name}: expected a number"))
    })
}

impl Tally {
    fn count(
        &mut self,
        vector: &Vector,
        what: &str,
        bundle: &[u8],
        ours: Result<(), String>,
        theirs: Result<(), String>,
        differences: &mut [Difference],
    ) {
        match (ours, theirs) {
            (Ok(()), Ok(())) => self.both_accept += 1,
            (Err(_), Err(_)) => self.both_refuse += 1,
            (Err(code), Ok(())) => {
                *self.stricter.entry(format!("{code} ({what})")).or_default() += 1
            }
            (Ok(()), Err(message)) => match differences.iter_mut().find(|known| {
                message.contains(&known.theirs) && mutate::holds(&known.when, bundle, vector)
            }) {
                Some(known) => {
                    known.seen += 1;
                    self.explained += 1;
                }
                None => self
                    .unexplained
                    .push(format!("{}: {what}: {message}", vector.name)),
            },
        }
    }
}

fn main() -> ExitCode {
    let (seed, cases) = (number("SEED", 1), number("CASES", 120));
    let (mut differences, mut tally) = (differences(), Tally::default());
    let all = vectors::all();
    let mut compared = 0;
    for (at, vector) in all.iter().enumerate() {
        let peer = match Peer::new(vector) {
            Ok(peer) => peer,
            Err(message) => {
                println!(
                    "not compared: {}: the other does not take its trusted root: {message}",
                    vector.name
                );
                continue;
            }
        };
        compared += 1;
        let mut random = Random::new(seed, at);
        let whole = serde_json::to_vec(&vector.bundle).expect("JSON");
        let altered = std::iter::once(("as it is".to_owned(), whole))
            .chain((0..cases).map(|_| mutate::altered(vector, all, &mut random)));
        for (what, bundle) in altered {
            let ours = vector.judge_bytes(&bundle, &RustCrypto).map(drop);
            tally.count(
                vector,
                &what,
                &bundle,
                ours,
                peer.judge(&bundle),
                &mut differences,
            );
        }
    }
    report(seed, cases, compared, &tally, &differences)
}

fn report(
    seed: u64,
    cases: u64,
    compared: usize,
    tally: &Tally,
    differences: &[Difference],
) -> ExitCode {
    let stricter: usize = tally.stricter.values().sum();
    println!("seed {seed}: {compared} bundles, each altered in {cases} ways");
    println!(
        "both accept {}, both refuse {}, only we refuse {stricter}, only we accept {} ({} of them \
         explained)",
        tally.both_accept,
        tally.both_refuse,
        tally.explained + tally.unexplained.len(),
        tally.explained
    );
    for known in differences {
        println!(
            "  explained {:>4} times: {:?} when {}",
            known.seen, known.theirs, known.when
        );
    }
    if std::env::var_os("SHOW").is_some() {
        tally
            .stricter
            .iter()
            .for_each(|(what, count)| println!("  only we refuse, {count} times: {what}"));
    }
    tally
        .unexplained
        .iter()
        .for_each(|case| println!("  we accept without a reason: {case}"));
    // The run says something: unaltered bundles are accepted by both, and alterations refused by
    // both.
    let ok = tally.unexplained.is_empty()
        && compared > 0
        && tally.both_accept > compared / 2
        && tally.both_refuse > compared;
    println!("{} passed, {} failed", usize::from(ok), usize::from(!ok));
    if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
