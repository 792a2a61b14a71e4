//! The decisions of all instances, which a store keeps for a week: a log for each day, whose records
//! are decisions as JSON, a line each (docs/gateway.md "Administration").
//!
//! Nothing depends on them: they are told to an administrator and to nobody else. So another build's
//! are believed, too: what an update replaces must still be able to say why it refused.

use super::decisions::Asked;
use super::log::Resolution;
use super::records::Records;
use crate::encoding::json::{self, Dialect, Node, quote};
use crate::host::{LogQuestion, Store};
use crate::limits;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// In place of the build: it changes with what a line is.
const FORMAT: &str = "1";
const KIND: &str = "decisions";
const DAY: i64 = 86_400;
const SECONDS: u32 = limits::STORED_DECISIONS_DAYS * 86_400;
/// Before every place of a log: what is asked for there is nothing, but the time of its oldest record.
const START: &str = "0";

/// The logs of a store.
pub(super) struct StoredDecisions<'a, S>(Records<'a, S>);

/// What was found in them.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// When, and the decision as JSON: the oldest first, each once.
    told: Vec<(UnixTime, String)>,
    /// When the oldest record came, by the store's word.
    since: Option<UnixTime>,
    /// Whether there may be more of what is asked for.
    pub more: bool,
    /// Whether the store gave an answer.
    pub answered: bool,
    /// Whether it once gave none.
    pub failed: bool,
}

impl<'a, S: Store> StoredDecisions<'a, S> {
    pub(super) fn new(store: &'a S, secret: &'a [u8]) -> Self {
        Self(Records {
            store,
            secret,
            build: FORMAT,
        })
    }

    /// Keeps these, in today's log.
    pub(super) async fn keep(&self, decisions: &[String], now: UnixTime) {
        let log = log(day(now));
        let mut lines = String::new();
        for (number, decision) in decisions.iter().enumerate() {
            if !lines.is_empty() {
                lines.push('\n');
            }
            lines.push_str(decision);
            let is_last = number.saturating_add(1) == decisions.len();
            if is_last || lines.len() >= limits::DECISIONS_RECORD {
                self.0.append(KIND, &log, &lines, SECONDS).await;
                lines.clear();
            }
        }
    }

    /// What is asked for, of the last days: as much of the newest as is shown.
    pub(super) async fn find(&self, asked: &Asked, now: UnixTime) -> Told {
        let mut found = Told::default();
        let mut pieces = limits::LOG_PIECES;
        let oldest = UnixTime(now.0.saturating_sub(i64::from(SECONDS)));
        let days = day(oldest)..=day(now);
        let wanted = day(asked.since.unwrap_or(oldest));
        for (number, day) in days.rev().enumerate() {
            let later = usize::try_from(limits::STORED_DECISIONS_DAYS).unwrap_or(0);
            let later = later.saturating_sub(number);
            let mut question = LogQuestion {
                log: log(day),
                holding: holding(asked),
                before: String::new(),
            };
            if found.is_enough() || day < wanted {
                question.before = START.into();
            }
            // Each day is asked once at least, so that one piece is left for each.
            loop {
                pieces = pieces.saturating_sub(1);
                let Some(before) = self.read(&question, asked, oldest, &mut found).await else {
                    break;
                };
                question.before = before;
                if found.is_enough() || pieces <= later {
                    found.more = true;
                    break;
                }
            }
        }
        found
    }

    /// Reads one piece; where the next one ends, if there is one.
    async fn read(
        &self,
        question: &LogQuestion,
        asked: &Asked,
        oldest: UnixTime,
        found: &mut Told,
    ) -> Option<String> {
        let piece = self.0.store.read_back(question).await;
        let piece = piece.filter(|piece| piece.len() <= limits::LOG_PIECE);
        let Some((since, rest)) = piece.as_ref().and_then(|piece| piece.split_once('\n')) else {
            found.failed = true;
            return None;
        };
        found.answered = true;
        if let Ok(since) = since.parse().map(|since| UnixTime(since).max(oldest)) {
            found.since = Some(found.since.map_or(since, |known| known.min(since)));
        }
        let (before, records) = rest.split_once('\n').unwrap_or((rest, ""));
        for record in records.split("\n\n") {
            let body = self.0.body(KIND, &question.log, record);
            for line in body.unwrap_or_default().lines() {
                if let Some(time) = time_if_asked(line, asked).filter(|time| *time >= oldest) {
                    found.add(time, line);
                }
            }
        }
        // A place that does not come before is none.
        let is_before = question.before.is_empty() || before < question.before.as_str();
        (!before.is_empty() && is_before).then(|| before.to_string())
    }
}

impl Told {
    /// Adds a decision, unless it is there.
    pub(super) fn add(&mut self, time: UnixTime, document: &str) {
        let place = (self.told)
            .binary_search_by(|(known, text)| known.cmp(&time).then(text.as_str().cmp(document)));
        if let Err(place) = place {
            self.told.insert(place, (time, document.into()));
        }
    }

    /// The newest of them, as many as are shown.
    pub(super) fn shown(&self) -> impl Iterator<Item = &str> {
        let newest = self.told.iter().rev().take(limits::SHOWN_DECISIONS);
        newest.map(|(_, document)| document.as_str())
    }

    /// Since when there is something.
    pub(super) fn begin(&self) -> Option<UnixTime> {
        let first = self.told.first().map(|(time, _)| *time);
        match (self.since, first) {
            (Some(since), Some(first)) => Some(since.min(first)),
            (since, first) => since.or(first),
        }
    }

    /// Whether there are as many as are shown, and more.
    pub(super) fn is_enough(&self) -> bool {
        self.told.len() > limits::SHOWN_DECISIONS
    }
}

fn day(time: UnixTime) -> i64 {
    time.0.div_euclid(DAY)
}

fn log(day: i64) -> String {
    format!("{KIND}/{day}")
}

/// One of these stands in each record with anything that is asked for, as it is written there.
fn holding(asked: &Asked) -> Vec<String> {
    let member = |name: &str, value: &str| format!("\"{name}\":{}", quote(value));
    if let Some(id) = &asked.id {
        return [member("id", id)].into();
    }
    if let Some(image) = &asked.image {
        return [member("image", image)].into();
    }
    let verdicts = Resolution::ALL.into_iter().filter(|_| asked.refusals);
    let refusals = verdicts.filter(|verdict| *verdict != Resolution::Allow);
    refusals
        .map(|verdict| member("verdict", verdict.name()))
        .collect()
}

/// When this was decided, if it is asked for.
fn time_if_asked(line: &str, asked: &Asked) -> Option<UnixTime> {
    let root = json::parse(line.as_bytes(), Dialect::Strict).ok()?;
    let text = |name: &str| root.member(name).and_then(Node::as_str);
    let time = root.member("time").and_then(Node::as_u64)?;
    let time = UnixTime(i64::try_from(time).ok()?);
    let is_allow = text("verdict")? == Resolution::Allow.name();
    asked
        .is(text("id")?, text("image")?, time, is_allow)
        .then_some(time)
}
