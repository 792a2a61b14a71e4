//! `sealgate-openpgp-differential GNUPG GO SKOPEO [--seed N] [--count N] [--case N]`: the same
//! questions to sealgate and to containers/image, about simple signatures.
//!
//! GNUPG and GO are the programs `signature-oracle` and `signature-oracle-go` of `pkg-tests/peers`;
//! SKOPEO is Debian's, which is asked where the policy names the image and must answer as GNUPG.
//! Each case is an image, its stored signatures and a policy with `signedBy`, made from the seed and
//! the case's number; its times lie around now, since the oracles have no other clock. Where two
//! answers differ, one of `reasons.rs` must explain it; any other difference is shown, and the exit
//! code is then 1. So it is where too little was tried: an algorithm, a form, a hash or a verdict
//! that is rare. `PLANT=always-allow` makes our answers always yes, which must fail.

mod keys;
mod make;
mod oracle;
mod ours;
mod packets;
#[path = "../../shared/program.rs"]
mod program;
#[path = "../../differential/src/random.rs"]
#[allow(dead_code)]
mod random;
mod reasons;
mod spec;

use crate::keys::Algorithm;
use crate::keys::Kit;
use crate::make::Maker;
use crate::oracle::Answer;
use crate::oracle::Oracle;
use crate::oracle::Question;
use crate::oracle::Skopeo;
use crate::ours::Judged;
use crate::random::Random;
use crate::reasons::REASONS;
use crate::reasons::Side;
use crate::spec::Form;
use crate::spec::Life;
use crate::spec::Spec;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

const SEED: u64 = 12;
const COUNT: u64 = 300;
/// How many cases there must be of each algorithm, form and hash, of a thousand.
const LEAST: u64 = 20;
/// Of a hundred cases, how many we must allow.
const LEAST_ALLOWED: usize = 30;
/// How many differences are shown in full.
const SHOWN: usize = 12;

struct Options {
    gnupg: String,
    go: String,
    skopeo: String,
    seed: u64,
    count: u64,
    only: Option<u64>,
    /// Plants a defect: our answer is always yes.
    always_allow: bool,
}

/// What the three say of one case.
struct Answers {
    ours: Judged,
    gnupg: Answer,
    go: Answer,
    /// Where it can be asked.
    skopeo: Option<Answer>,
}

impl Answers {
    /// The pairs of answers that differ.
    fn differences(&self) -> Vec<(&'static str, Side<'_>, Side<'_>)> {
        let theirs = |place, answer: &'_ Answer| (place, answer.allowed);
        let side = |(place, allowed): (usize, bool)| Side {
            place,
            allowed,
            text: match place {
                0 => &self.ours.code,
                1 => self.gnupg.error.as_deref().unwrap_or("ok"),
                2 => self.go.error.as_deref().unwrap_or("ok"),
                _ => {
                    let answer = self.skopeo.as_ref();
                    answer
                        .and_then(|answer| answer.error.as_deref())
                        .unwrap_or("ok")
                }
            },
        };
        let ours = (0, self.ours.allowed);
        let (gnupg, go) = (theirs(1, &self.gnupg), theirs(2, &self.go));
        let skopeo = (self.skopeo.as_ref()).map(|answer| theirs(3, answer));
        [
            ("GnuPG and Go", gnupg, go),
            ("we and GnuPG", ours, gnupg),
            ("we and Go", ours, go),
            ("skopeo and GnuPG", skopeo.unwrap_or(gnupg), gnupg),
        ]
        .into_iter()
        .filter(|(_, one, other)| one.1 != other.1)
        .map(|(name, one, other)| (name, side(one), side(other)))
        .collect()
    }
}

/// What came of a run.
#[derive(Default)]
struct Tally {
    differ: usize,
    algorithms: BTreeMap<Algorithm, u64>,
    forms: BTreeMap<Form, u64>,
    hashes: BTreeMap<u8, u64>,
    by_subkey: u64,
    /// Of version 6; whose keys name who may revoke them.
    version_6: u64,
    of_revokers: u64,
    /// What is odd beside the form, by name.
    odd: BTreeMap<String, u64>,
    /// Of those: ours, GnuPG's, Go's, all three.
    allowed: [usize; 4],
    codes: BTreeMap<String, u64>,
    skopeo: u64,
    /// By the place of a reason, and whose answers it explains.
    reasons: BTreeMap<(usize, &'static str), u64>,
    unexplained: BTreeMap<String, u64>,
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn options() -> Result<Options, String> {
    const USAGE: &str =
        "usage: sealgate-openpgp-differential GNUPG GO SKOPEO [--seed N] [--count N] [--case N]";
    let mut arguments = std::env::args().skip(1);
    let always_allow = match std::env::var("PLANT").as_deref() {
        Err(_) | Ok("") => false,
        Ok("always-allow") => true,
        Ok(other) => return Err(format!("expected PLANT=always-allow, found {other:?}")),
    };
    let mut options = Options {
        gnupg: arguments.next().ok_or(USAGE)?,
        go: arguments.next().ok_or(USAGE)?,
        skopeo: arguments.next().ok_or(USAGE)?,
        seed: SEED,
        count: COUNT,
        only: None,
        always_allow,
    };
    while let Some(name) = arguments.next() {
        let value = arguments.next().and_then(|text| text.parse::<u64>().ok());
        let value = value.ok_or(USAGE)?;
        match name.as_str() {
            "--seed" => options.seed = value,
            "--count" => options.count = value,
            "--case" => options.only = Some(value),
            _ => return Err(USAGE.into()),
        }
    }
    Ok(options)
}

/// A folder for the files that policies name.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self, String> {
        let name = format!("sealgate-openpgp-differential-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("expected to make {}, found: {error}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind in the folder for temporary files does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(options: &Options) -> Result<bool, String> {
    let folder = Folder::make()?;
    let kit = Kit::make(options.seed);
    let maker = Maker {
        kit: &kit,
        now: now()?,
        folder: &folder.0,
    };
    let mut oracles = [Oracle::start(&options.gnupg)?, Oracle::start(&options.go)?];
    let skopeo = Skopeo {
        program: options.skopeo.clone(),
        folder: folder.0.clone(),
    };
    let mut tally = Tally::default();
    let cases = options
        .only
        .map_or(0..options.count, |case| case..case.saturating_add(1));
    for case in cases {
        let spec = Spec::draw(case, &mut Random::of(options.seed, case));
        let question = maker.question(&spec)?;
        let mut answers = ask(&question, &mut oracles, maker.now)?;
        if reasons::is_for_skopeo(&spec) {
            answers.skopeo = Some(skopeo.ask(&question)?);
        }
        answers.ours.allowed |= options.always_allow;
        let unexplained = tally.add(&spec, &answers);
        if options.only.is_some() || !unexplained.is_empty() && tally.differ <= SHOWN {
            show(case, &spec, &question, &answers, &unexplained);
        }
    }
    println!("seed {}, now {}:", options.seed, maker.now);
    Ok(tally.summary(options))
}

fn now() -> Result<u32, String> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    (since
        .ok()
        .and_then(|since| u32::try_from(since.as_secs()).ok()))
    .ok_or_else(|| "expected a clock between 1970 and 2106, found another".into())
}

fn ask(question: &Question, oracles: &mut [Oracle; 2], now: u32) -> Result<Answers, String> {
    for (path, content) in &question.files {
        std::fs::write(Path::new(path), content)
            .map_err(|error| format!("expected to write {path}, found: {error}"))?;
    }
    let [gnupg, go] = oracles;
    gnupg.ask(question)?;
    go.ask(question)?;
    Ok(Answers {
        ours: ours::judge(question, now)?,
        gnupg: gnupg.answer()?,
        go: go.answer()?,
        skopeo: None,
    })
}

impl Tally {
    /// What no reason explains.
    fn add(&mut self, spec: &Spec, answers: &Answers) -> Vec<&'static str> {
        *self.algorithms.entry(spec.signer()).or_default() += 1;
        *self.forms.entry(spec.form).or_default() += 1;
        *self.hashes.entry(spec.hash).or_default() += 1;
        *self.codes.entry(answers.ours.code.clone()).or_default() += 1;
        self.by_subkey += u64::from(spec.subkey.is_some());
        self.version_6 += u64::from(spec.version == 6);
        self.of_revokers += u64::from(Life::OF_REVOKERS.contains(&spec.life));
        for name in spec.odd() {
            *self.odd.entry(name).or_default() += 1;
        }
        let verdicts = [
            answers.ours.allowed,
            answers.gnupg.allowed,
            answers.go.allowed,
        ];
        for (place, allowed) in verdicts.into_iter().enumerate() {
            self.allowed[place] += usize::from(allowed);
        }
        self.allowed[3] += usize::from(verdicts == [true; 3]);
        self.skopeo += u64::from(answers.skopeo.is_some());
        let mut unexplained = Vec::new();
        for (name, one, other) in answers.differences() {
            let reason = REASONS
                .iter()
                .position(|reason| reason.explains(spec, &one, &other));
            match reason {
                Some(place) => *self.reasons.entry((place, name)).or_default() += 1,
                None => {
                    unexplained.push(name);
                    let kind = format!("{name}: {:?} against {:?}", short(&one), short(&other));
                    *self.unexplained.entry(kind).or_default() += 1;
                }
            }
        }
        self.differ += usize::from(!unexplained.is_empty());
        unexplained
    }

    /// Whether all is well.
    fn summary(&self, options: &Options) -> bool {
        println!(
            "algorithms: {:?}, by subkeys: {}, of version 6: {}, that name a revoker: {}",
            self.algorithms, self.by_subkey, self.version_6, self.of_revokers
        );
        println!("forms: {:?}", self.forms);
        println!("hashes: {:?}", self.hashes);
        println!("beside: {:?}", self.odd);
        println!("our codes: {:?}", self.codes);
        let [ours, gnupg, go, all] = self.allowed;
        println!("allowed: {ours} by us, {gnupg} with GnuPG, {go} with Go, {all} by all three");
        println!("skopeo was asked {} times", self.skopeo);
        for (place, reason) in REASONS.iter().enumerate() {
            let pairs = self.reasons.range((place, "")..(place + 1, ""));
            let counts: Vec<String> = pairs
                .map(|((_, pair), count)| format!("{count} × {pair}"))
                .collect();
            if !counts.is_empty() {
                println!("differ: {}: {}", reason.name, counts.join(", "));
            }
        }
        for (kind, count) in &self.unexplained {
            println!("without a reason: {count} × {kind}");
        }
        let cases = self.algorithms.values().sum::<u64>();
        let enough = options.only.is_some() || self.enough(cases);
        println!("{cases} compared, {} differ without a reason", self.differ);
        self.differ == 0 && enough
    }

    /// Whether much of each was tried.
    fn enough(&self, cases: u64) -> bool {
        let least = (LEAST * cases / 1_000).clamp(1, LEAST);
        let mut rare = Vec::new();
        let count = |count: Option<&u64>| count.copied().unwrap_or_default();
        for algorithm in Algorithm::USUAL {
            rare.push((
                format!("{algorithm:?}"),
                count(self.algorithms.get(&algorithm)),
            ));
        }
        for form in Form::GOOD.iter().chain(&Form::ODD) {
            rare.push((format!("{form:?}"), count(self.forms.get(form))));
        }
        for hash in [2, 8, 9, 10, 11] {
            rare.push((format!("hash {hash}"), count(self.hashes.get(&hash))));
        }
        rare.push(("version 6".into(), self.version_6));
        rare.push(("keys that name a revoker".into(), self.of_revokers));
        rare.retain(|(_, count)| *count < least);
        for (name, count) in &rare {
            println!("too few: expected at least {least} cases of {name}, found {count}");
        }
        let [ours, ..] = self.allowed;
        let percent = 100 * ours / usize::try_from(cases.max(1)).unwrap_or(usize::MAX);
        if percent < LEAST_ALLOWED {
            println!("too few: expected {LEAST_ALLOWED} % allowed by us, found {percent} %");
        }
        rare.is_empty() && percent >= LEAST_ALLOWED
    }
}

fn short<'a>(side: &Side<'a>) -> &'a str {
    let end = side
        .text
        .char_indices()
        .nth(90)
        .map_or(side.text.len(), |(at, _)| at);
    &side.text[..end]
}

fn show(case: u64, spec: &Spec, question: &Question, answers: &Answers, unexplained: &[&str]) {
    println!("case {case}: {spec:?}");
    println!("  policy: {}", String::from_utf8_lossy(&question.policy));
    for signature in &question.signatures {
        let text = sealgate::internals::encoding::base64::encode(signature);
        println!("  signature: {text}");
    }
    let Judged {
        allowed,
        code,
        text,
    } = &answers.ours;
    println!("  ours: allowed {allowed}, {code}: {text}");
    println!("  with GnuPG: {:?}", answers.gnupg);
    println!("  with Go: {:?}", answers.go);
    println!("  skopeo: {:?}", answers.skopeo);
    println!("  without a reason: {unexplained:?}");
}
