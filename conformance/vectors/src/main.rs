//! `sealgate-vectors DIR [TOPIC…]`: runs the cases of `DIR/TOPIC/cases.json` through sealgate's
//! public items.
//!
//! One line a case: `ok`, `FAIL`, `skip` (named by a divergence) or `note` (a matter of policy, not
//! counted); its id, the verdict, the code. The last line is `N passed, N failed, N skipped`. Exits
//! with 1 when a case failed, with 2 when the cases cannot be read, and with 3 when it must be run
//! again with answers (see `exchange`).
//!
//! Where the package can be called, cases whose kind has an entry there run through it as well.
//! Nothing is said of those that come out as they should; a case that only the package gets wrong
//! is `FAIL`, its id, `(package)`, what it said.

mod case;
mod divergences;
mod exchange;
mod package;
mod parameters;
mod provider;
mod topics;

use crate::case::Case;
use crate::case::Outcome;
use crate::divergences::Divergences;
use crate::exchange::Exchange;
use crate::package::Package;
use crate::provider::Chosen;
use std::fs;
use std::io::ErrorKind;
use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::thread::sleep;
use std::time::Duration;

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(root) = arguments.next() else {
        eprintln!("usage: sealgate-vectors DIR [TOPIC…]");
        return ExitCode::from(2);
    };
    let root = Path::new(&root);
    if !root.is_dir() {
        println!(
            "no vectors: {} is not there (VECTORS=DIR names another place)",
            root.display()
        );
        return ExitCode::SUCCESS;
    }
    match all(root, arguments.collect()) {
        Ok(Some(tally)) if tally.failed == 0 => ExitCode::SUCCESS,
        Ok(Some(_)) => ExitCode::from(1),
        Ok(None) => ExitCode::from(3),
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

/// `None` when the round counts for nothing.
fn all(root: &Path, mut topics: Vec<String>) -> Result<Option<Tally>, String> {
    if topics.is_empty() {
        topics = found(root)?;
    }
    let divergences = Divergences::parse(include_str!("../divergences.json"))?;
    let exchange = Exchange::from_environment()?.map(Rc::new);
    let provider = Chosen::from_environment(exchange.as_ref())?;
    let package = exchange
        .clone()
        .map(|exchange| Package::new(exchange, provider.name()));
    let mut cases = Vec::new();
    for topic in &topics {
        cases.extend(Case::load(root, topic)?);
    }
    let by_package: Vec<Option<Outcome>> = cases
        .iter()
        .map(|case| topics::through_package(case, package.as_ref()?))
        .collect();
    let again = || {
        exchange
            .as_ref()
            .map_or(Ok(false), |exchange| exchange.hand_out())
    };
    // RustCrypto asks nobody, so that its checks need not run in a round that counts for nothing.
    let in_rounds = matches!(provider, Chosen::WebCrypto(_));
    if !in_rounds && again()? {
        return Ok(None);
    }
    let mut tally = Tally::default();
    let mut lines = Vec::new();
    for (case, by_package) in cases.iter().zip(&by_package) {
        let outcome = catch_unwind(AssertUnwindSafe(|| topics::run(case, &provider)))
            .unwrap_or_else(|_| Outcome::Broken("it panicked".into()));
        lines.push(line(
            case,
            &outcome,
            by_package.as_ref(),
            divergences.reason(case),
            &mut tally,
        ));
        // Shown as they come, so that a trap shows where it was.
        if !in_rounds {
            show(&mut lines)?;
        }
    }
    if in_rounds && again()? {
        return Ok(None);
    }
    lines.extend(totals(&tally, package.is_some(), &by_package));
    show(&mut lines)?;
    Ok(Some(tally))
}

fn totals(tally: &Tally, has_package: bool, by_package: &[Option<Outcome>]) -> Vec<String> {
    let mut lines = Vec::new();
    if has_package {
        lines.push(format!(
            "{} cases ran through the package as well",
            by_package.iter().flatten().count()
        ));
    }
    lines.push(format!(
        "{} passed, {} failed, {} skipped",
        tally.passed, tally.failed, tally.skipped
    ));
    lines
}

fn show(lines: &mut Vec<String>) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    for line in lines.drain(..) {
        let text = line + "\n";
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let written = patiently(|| out.write(rest))?;
            rest = rest.get(written..).unwrap_or_default();
        }
    }
    patiently(|| out.flush())
}

/// Node makes its own pipes so that they do not block, and WASI then says "try again".
fn patiently<T>(mut action: impl FnMut() -> std::io::Result<T>) -> Result<T, String> {
    loop {
        match action() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => sleep(Duration::from_millis(1)),
            result => return result.map_err(|error| error.to_string()),
        }
    }
}

/// Every directory with a `cases.json`.
fn found(root: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(root).map_err(|error| format!("{}: {error}", root.display()))?;
    let mut topics: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().join("cases.json").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    topics.sort();
    if topics.is_empty() {
        Err(format!(
            "{}: no directory here has a cases.json",
            root.display()
        ))
    } else {
        Ok(topics)
    }
}

/// Counts a case once, and says how it went.
fn line(
    case: &Case,
    outcome: &Outcome,
    by_package: Option<&Outcome>,
    divergence: Option<&str>,
    tally: &mut Tally,
) -> String {
    let (word, remark) = judge(case, outcome, divergence);
    let wrong_in_package = by_package
        .map(|outcome| (outcome, judge(case, outcome, divergence)))
        .filter(|(_, (word, _))| *word == "FAIL");
    let (word, line) = match wrong_in_package {
        Some((outcome, (package_word, remark))) if word != "FAIL" => (
            package_word,
            format!("{} (package) {outcome}{remark}", case.id),
        ),
        Some((in_package, _)) => (
            word,
            format!("{} {outcome}{remark} (package: {in_package})", case.id),
        ),
        None => (word, format!("{} {outcome}{remark}", case.id)),
    };
    match word {
        "ok" => tally.passed += 1,
        "FAIL" => tally.failed += 1,
        "skip" => tally.skipped += 1,
        _ => {}
    }
    format!("{word} {line}")
}

/// How a case went, in a word and a remark.
fn judge(case: &Case, outcome: &Outcome, divergence: Option<&str>) -> (&'static str, String) {
    let passed = match outcome {
        Outcome::Ok => case.expect_ok,
        Outcome::Error(_) => !case.expect_ok,
        Outcome::Unsupported | Outcome::Broken(_) => false,
    };
    let broken = matches!(outcome, Outcome::Broken(_));
    let expected = if case.expect_ok { "ok" } else { "error" };
    match (broken, divergence, case.policy_choice, passed) {
        (true, ..) => ("FAIL", " (the case could not be run)".into()),
        (_, _, true, true) => ("note", " (a matter of policy: as in the vectors)".into()),
        (_, _, true, false) => (
            "note",
            format!(
                " (a matter of policy: {expected} in the vectors ({}))",
                case.reason
            ),
        ),
        (_, Some(reason), _, true) => (
            "FAIL",
            format!(" (unexpected success; divergences.json says: {reason})"),
        ),
        (_, Some(reason), _, false) => ("skip", format!(" ({reason})")),
        (_, None, _, true) => ("ok", String::new()),
        (_, None, _, false) => ("FAIL", format!(" (expected {expected}: {})", case.reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judging() {
        let mut case = Case::for_tests(
            r#"{"id": "t/x", "inputs": {}, "params": {}, "expect": "ok", "reason": "r"}"#,
        );
        let failed = || Outcome::Error("a.b".into());
        for (expect_ok, choice, outcome, divergence, word) in [
            (true, false, Outcome::Ok, None, "ok"),
            (false, false, failed(), None, "ok"),
            (true, false, failed(), None, "FAIL"),
            (false, false, Outcome::Ok, None, "FAIL"),
            (true, false, Outcome::Unsupported, None, "FAIL"),
            (false, false, Outcome::Unsupported, None, "FAIL"),
            (false, false, Outcome::Broken("x".into()), Some("d"), "FAIL"),
            (true, false, failed(), Some("d"), "skip"),
            (true, false, Outcome::Unsupported, Some("d"), "skip"),
            (false, false, Outcome::Unsupported, Some("d"), "skip"),
            (true, false, Outcome::Ok, Some("d"), "FAIL"),
            (false, false, failed(), Some("d"), "FAIL"),
            (true, true, Outcome::Ok, None, "note"),
            (true, true, failed(), Some("d"), "note"),
            (true, true, Outcome::Broken("x".into()), None, "FAIL"),
        ] {
            (case.expect_ok, case.policy_choice) = (expect_ok, choice);
            let mut tally = Tally::default();
            let line = line(&case, &outcome, None, divergence, &mut tally);
            assert_eq!(line.split(' ').next(), Some(word), "{line}");
            assert_eq!(
                tally.passed + tally.failed + tally.skipped,
                usize::from(word != "note")
            );
        }
    }

    #[test]
    fn the_package_counts_once() {
        let mut case = Case::for_tests(
            r#"{"id": "t/x", "inputs": {}, "params": {}, "expect": "ok", "reason": "r"}"#,
        );
        let failed = || Outcome::Error("a.b".into());
        for (choice, core, by_package, divergence, expected) in [
            (false, Outcome::Ok, Outcome::Ok, None, "ok t/x ok -"),
            (
                false,
                Outcome::Ok,
                failed(),
                None,
                "FAIL t/x (package) error a.b",
            ),
            (false, failed(), Outcome::Ok, None, "FAIL t/x error a.b"),
            (false, failed(), failed(), None, "FAIL t/x error a.b"),
            (false, failed(), failed(), Some("d"), "skip t/x error a.b"),
            (
                false,
                failed(),
                Outcome::Ok,
                Some("d"),
                "FAIL t/x (package) ok -",
            ),
            (
                false,
                Outcome::Ok,
                Outcome::Broken("x".into()),
                None,
                "FAIL t/x (package) broken",
            ),
            (true, Outcome::Ok, failed(), None, "note t/x ok -"),
        ] {
            case.policy_choice = choice;
            let mut tally = Tally::default();
            let line = line(&case, &core, Some(&by_package), divergence, &mut tally);
            assert!(line.starts_with(expected), "{line}");
            assert_eq!(
                tally.passed + tally.failed + tally.skipped,
                usize::from(!choice)
            );
        }
    }
}
