//! `sealgate-differential ORACLE [--seed N] [--count N] [--case N]`: the same questions to sealgate
//! and to containers/image.
//!
//! ORACLE is the program `policy-oracle` of `pkg-tests/peers`. Each case is a policy, the name of
//! an image, its manifest and what hangs on it, made from the seed and the case's number. Compared
//! are: whether the policy parses, and what is said where it does not; whether the name is one, and
//! its full spelling; the scope that is hit; the verdict, and its reason. Differences that are
//! meant stand in `differences.json`; any other is shown, and the exit code is then 1. The last
//! line is `N compared, N differ`.

mod certificates;
mod compare;
mod images;
mod json;
mod keys;
mod logged;
mod names;
mod oracle;
mod ours;
mod policies;
#[path = "../../shared/program.rs"]
mod program;
mod random;

use crate::compare::Difference;
use crate::compare::Rule;
use crate::keys::Kit;
use crate::oracle::Answer;
use crate::oracle::Oracle;
use crate::oracle::Question;
use crate::ours::Ours;
use crate::policies::Made;
use crate::policies::Maker;
use crate::policies::Style;
use crate::random::Random;
use sealgate::internals::digest::Digest;
use sealgate::policy::Requirement;
use std::collections::BTreeMap;
use std::process::ExitCode;

const SEED: u64 = 5;
const COUNT: u64 = 6_000;
/// How many differences are shown in full.
const SHOWN: usize = 12;

/// A name, and what has it.
type Kind = (&'static str, fn(&Requirement) -> bool);

/// Requirements whose verdicts another test compares (`conformance/openpgp-differential`): no image
/// here has a signature for them. That an image which containers/image denies is not allowed is
/// compared all the same. Taking a line out switches the comparison on.
const ELSEWHERE: &[Kind] = &[("signedBy", |requirement| {
    matches!(requirement, Requirement::SignedBy(_))
})];

struct Options {
    oracle: String,
    seed: u64,
    count: u64,
    only: Option<u64>,
}

/// What came of a run.
#[derive(Default)]
struct Tally {
    differ: usize,
    parsed: usize,
    judged: usize,
    allowed: usize,
    meant: BTreeMap<usize, usize>,
    /// By their kind, and those that containers/image allows.
    elsewhere: BTreeMap<&'static str, (usize, usize)>,
    /// By their kind, for whoever looks for the cause.
    unexplained: BTreeMap<String, usize>,
}

fn main() -> ExitCode {
    let run = options().and_then(|options| run(&options));
    match run {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn options() -> Result<Options, String> {
    const USAGE: &str = "usage: sealgate-differential ORACLE [--seed N] [--count N] [--case N]";
    let mut arguments = std::env::args().skip(1);
    let mut options = Options {
        oracle: arguments.next().ok_or(USAGE)?,
        seed: SEED,
        count: COUNT,
        only: None,
    };
    while let Some(name) = arguments.next() {
        let value = arguments
            .next()
            .and_then(|text| text.parse::<u64>().ok())
            .ok_or(USAGE)?;
        match name.as_str() {
            "--seed" => options.seed = value,
            "--count" => options.count = value,
            "--case" => options.only = Some(value),
            _ => return Err(USAGE.into()),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<bool, String> {
    let rules: Vec<Rule> = serde_json::from_str(include_str!("../differences.json"))
        .map_err(|error| format!("differences.json: {error}"))?;
    let kit = Kit::make(options.seed)?;
    let mut oracle = Oracle::start(&options.oracle)?;
    let mut tally = Tally::default();
    let cases = options
        .only
        .map_or(0..options.count, |case| case..case.saturating_add(1));
    let compared = cases.end - cases.start;
    for case in cases {
        let question = question(options.seed, case, &kit);
        let answer = oracle.ask(&question)?;
        let found = compare(&question, &answer, &kit, &mut tally);
        if options.only.is_some() {
            show(case, &question, &answer, &found);
        }
        let unexplained: Vec<Difference> = found
            .into_iter()
            .filter(|difference| !explained(difference, &rules, &mut tally))
            .collect();
        if !unexplained.is_empty() {
            tally.differ += 1;
            for Difference {
                aspect,
                ours,
                theirs,
                ..
            } in &unexplained
            {
                let start: String = theirs.chars().take(60).collect();
                *tally
                    .unexplained
                    .entry(format!("{aspect:?} {ours} against {start:?}"))
                    .or_default() += 1;
            }
            if tally.differ <= SHOWN && options.only.is_none() {
                show(case, &question, &answer, &unexplained);
            }
        }
    }
    Ok(summary(options, &rules, compared, &tally))
}

/// One case.
fn question(seed: u64, case: u64, kit: &Kit) -> Question {
    let random = &mut Random::of(seed, case);
    let (manifest, media_type) = images::manifest(random);
    let digest = Digest::of(&manifest).to_string();
    let focus = random.weighted(&[(42, 0), (37, 1), (18, 2), (3, 3)]);
    let reference = if focus == 1 || random.chance(50) {
        names::good_reference(random, &digest)
    } else {
        names::reference(random, &digest)
    };
    let style = random.weighted(&[
        (46, Style::Keys),
        (18, Style::LoggedKeys),
        (18, Style::Fulcio),
        (18, Style::Pki),
    ]);
    let mut maker = Maker {
        style,
        random,
        kit,
        reference: &reference,
        digest: &digest,
        doubts: 0,
    };
    let Made { bytes, faults } = match focus {
        0 => maker.odd(),
        1 => maker.judging(),
        2 => maker.scoped(),
        _ => maker.bounded(),
    };
    let signatures = images::layers(random, kit, style, &manifest, &reference);
    Question {
        policy: bytes,
        reference,
        manifest,
        media_type,
        signatures,
        policy_is_doubtful: faults > 1,
    }
}

fn compare(question: &Question, answer: &Answer, kit: &Kit, tally: &mut Tally) -> Vec<Difference> {
    let ours = Ours::read(question);
    tally.parsed += usize::from(ours.policy.is_ok());
    let Some((_, selected)) = ours.selected() else {
        return compare::differences(question, &ours, answer, None);
    };
    let judged = ours.judge(question, kit);
    let kinds: Vec<&'static str> = ELSEWHERE
        .iter()
        .filter(|(_, is)| selected.iter().any(is))
        .map(|(kind, _)| *kind)
        .collect();
    for kind in &kinds {
        let (all, allowed) = tally.elsewhere.entry(kind).or_default();
        (*all, *allowed) = (*all + 1, *allowed + usize::from(answer.allowed));
    }
    tally.judged += usize::from(kinds.is_empty());
    tally.allowed += usize::from(answer.allowed);
    // What is compared elsewhere may not allow what they deny.
    let judged = judged.filter(|judged| kinds.is_empty() || judged.allowed);
    compare::differences(question, &ours, answer, judged.as_ref())
}

fn explained(difference: &Difference, rules: &[Rule], tally: &mut Tally) -> bool {
    let Some(at) = rules.iter().position(|rule| rule.explains(difference)) else {
        return false;
    };
    *tally.meant.entry(at).or_default() += 1;
    true
}

fn show(case: u64, question: &Question, answer: &Answer, found: &[Difference]) {
    println!("case {case}: {}", question.reference);
    println!(
        "  policy: {}",
        String::from_utf8_lossy(&question.policy)
            .chars()
            .take(1_500)
            .collect::<String>()
    );
    println!(
        "  manifest: {}",
        String::from_utf8_lossy(&question.manifest)
    );
    for layer in &question.signatures {
        println!(
            "  signature: {} {:?} {:?}",
            layer.media_type,
            String::from_utf8_lossy(&layer.payload),
            layer.annotations
        );
    }
    println!("  containers/image: {answer:?}");
    for difference in found {
        println!(
            "  {:?}: ours {:?} ({}), theirs {:?}",
            difference.aspect, difference.ours, difference.our_text, difference.theirs
        );
    }
}

/// Whether all is well.
fn summary(options: &Options, rules: &[Rule], compared: u64, tally: &Tally) -> bool {
    println!(
        "seed {}: {} policies parsed, {} verdicts compared, {} images allowed",
        options.seed, tally.parsed, tally.judged, tally.allowed
    );
    for (kind, (all, allowed)) in &tally.elsewhere {
        println!(
            "verdicts compared elsewhere: {all} by {kind}, of which containers/image allows \
             {allowed}"
        );
    }
    for (at, count) in &tally.meant {
        let rule = &rules[*at];
        println!(
            "meant: {count} × {:?} {} against {:?} ({})",
            rule.aspect, rule.ours, rule.theirs, rule.reason
        );
    }
    for (kind, count) in &tally.unexplained {
        println!("differ: {count} × {kind}");
    }
    let idle: Vec<&Rule> = rules
        .iter()
        .enumerate()
        .filter(|(at, _)| !tally.meant.contains_key(at))
        .map(|(_, rule)| rule)
        .collect();
    // A rule that explains nothing hides what may come; small and single runs may miss some.
    let complete = options.only.is_none() && options.count >= COUNT;
    for rule in idle.iter().filter(|_| complete) {
        println!(
            "differences.json: nothing differs as {:?} {} against {:?}: take the rule out",
            rule.aspect, rule.ours, rule.theirs
        );
    }
    println!("{compared} compared, {} differ", tally.differ);
    tally.differ == 0 && (idle.is_empty() || !complete)
}
