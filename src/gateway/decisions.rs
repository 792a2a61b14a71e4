//! The last decisions of this instance, for whoever administrates it (docs/gateway.md
//! "Administration"): the newest, as many as fit.

use super::log::{Decision, Resolution};
use super::moment::Moment;
use crate::keyed::Keys;
use crate::limits;
use crate::time::UnixTime;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The oldest first.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    kept: VecDeque<Decision>,
    weight: usize,
    /// Those of this moment: what is decided again in it has the same id, and stands there once.
    moment: Moment,
    ids: Keys,
    /// As JSON, those that wait to be handed to the store, where one keeps them.
    waiting: Option<Vec<String>>,
    waiting_weight: usize,
}

impl Decisions {
    /// `stores`: whether a store is to have them, too.
    pub(super) fn new(stores: bool) -> Self {
        Self {
            waiting: stores.then(Vec::new),
            ..Self::default()
        }
    }

    pub(super) fn keep(&mut self, decision: &Decision) {
        let moment = Moment::of(decision.time);
        if moment != self.moment {
            self.moment = moment;
            self.ids = Keys::default();
        }
        let id = format!("{} {}", decision.id, decision.resolution.name());
        if !self.ids.add(id) {
            return;
        }
        self.wait(decision);
        self.weight = self.weight.saturating_add(decision.weight());
        self.kept.push_back(decision.clone());
        while self.kept.len() > limits::KEPT_DECISIONS || self.weight > limits::KEPT_DECISIONS_BYTES
        {
            let Some(oldest) = self.kept.pop_front() else {
                return;
            };
            self.weight = self.weight.saturating_sub(oldest.weight());
        }
    }

    fn wait(&mut self, decision: &Decision) {
        let Some(waiting) = &mut self.waiting else {
            return;
        };
        let document = decision.document();
        let weight = self.waiting_weight.saturating_add(document.len());
        if weight <= limits::WAITING_DECISIONS {
            self.waiting_weight = weight;
            waiting.push(document);
        }
    }

    /// Those that waited for the store; none, where none keeps them.
    pub(super) fn take_waiting(&mut self) -> Vec<String> {
        self.waiting_weight = 0;
        self.waiting
            .as_mut()
            .map(core::mem::take)
            .unwrap_or_default()
    }

    /// Whether a store is to have them, too.
    pub(super) fn are_stored(&self) -> bool {
        self.waiting.is_some()
    }

    /// Since when there are any.
    pub(super) fn since(&self) -> Option<UnixTime> {
        self.kept.front().map(|oldest| oldest.time)
    }

    /// What this asks for, the newest first.
    pub(super) fn found<'a>(&'a self, asked: &'a Asked) -> impl Iterator<Item = &'a Decision> {
        self.kept.iter().rev().filter(|decision| {
            let is_allow = decision.resolution == Resolution::Allow;
            asked.is(&decision.id, &decision.image, decision.time, is_allow)
        })
    }
}

/// Which decisions are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub image: Option<String>,
    pub id: Option<String>,
    pub since: Option<UnixTime>,
    /// Only what was not allowed.
    pub refusals: bool,
}

impl Asked {
    /// Whether it asks for a decision with this id, on this image, of this time.
    pub(super) fn is(&self, id: &str, image: &str, time: UnixTime, is_allow: bool) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        is(&self.image, image)
            && is(&self.id, id)
            && self.since.is_none_or(|since| time >= since)
            && !(self.refusals && is_allow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Failure;
    use alloc::string::ToString;

    fn decision(number: i64, verdict: Resolution, message: &str) -> Decision {
        Decision {
            id: format!("{number:012}"),
            time: UnixTime(number),
            resolution: verdict,
            image: format!("r.example/app{}:1", number % 2),
            reason: Failure::new("signature.missing", message),
            signers: Vec::new(),
        }
    }

    #[test]
    fn the_newest_are_kept_as_many_as_fit() {
        let mut decisions = Decisions::default();
        let most = i64::try_from(limits::KEPT_DECISIONS).unwrap();
        for number in 0..most + 7 {
            decisions.keep(&decision(number, Resolution::Deny, "m"));
        }
        let all: Vec<i64> = decisions
            .found(&Asked::default())
            .map(|decision| decision.time.0)
            .collect();
        assert_eq!(
            (all.len(), all[0], all[all.len() - 1]),
            (limits::KEPT_DECISIONS, most + 6, 7)
        );
        let large = "x".repeat(limits::KEPT_DECISIONS_BYTES / 4);
        for number in 0..9 {
            decisions.keep(&decision(most + 100 + number, Resolution::Deny, &large));
        }
        assert!(decisions.weight <= limits::KEPT_DECISIONS_BYTES);
        assert_eq!(decisions.found(&Asked::default()).count(), 3);
    }

    #[test]
    fn one_decision_of_a_moment_stands_there_once() {
        let mut decisions = Decisions::default();
        let mut again = decision(100, Resolution::Allow, "");
        for (time, verdict) in [
            (100, Resolution::Allow),
            (109, Resolution::Allow),
            (109, Resolution::Deny),
            (110, Resolution::Allow),
        ] {
            (again.time, again.resolution) = (UnixTime(time), verdict);
            decisions.keep(&again);
        }
        assert_eq!(decisions.kept.len(), 3);
    }

    #[test]
    fn what_is_asked_for() {
        let mut decisions = Decisions::default();
        for (number, verdict) in [
            (1, Resolution::Allow),
            (2, Resolution::Deny),
            (13, Resolution::Audit),
            (24, Resolution::Unknown),
        ] {
            decisions.keep(&decision(number, verdict, ""));
        }
        let found = |asked: &Asked| -> Vec<i64> {
            decisions
                .found(asked)
                .map(|decision| decision.time.0)
                .collect()
        };
        let any = Asked::default();
        assert_eq!(found(&any), [24, 13, 2, 1]);
        assert_eq!(
            found(&Asked {
                refusals: true,
                ..any.clone()
            }),
            [24, 13, 2]
        );
        assert_eq!(
            found(&Asked {
                since: Some(UnixTime(13)),
                ..any.clone()
            }),
            [24, 13]
        );
        assert_eq!(
            found(&Asked {
                image: Some("r.example/app1:1".to_string()),
                ..any.clone()
            }),
            [13, 1]
        );
        assert_eq!(
            found(&Asked {
                id: Some("000000000002".to_string()),
                ..any.clone()
            }),
            [2]
        );
        assert!(
            found(&Asked {
                id: Some(String::new()),
                ..any
            })
            .is_empty()
        );
    }
}
