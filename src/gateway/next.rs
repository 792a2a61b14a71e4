//! `POLICY_NEXT` (docs/gateway.md "The next policy"): what would change if it were in force. It is
//! judged after the answer has gone out, on a budget of its own, and never decides.

use super::log::{Decision, Resolution};
use super::memory::Caches;
use super::moment::Moment;
use super::settings::Settings;
use crate::encoding::json::quote;
use crate::limits;
use crate::time::UnixTime;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

/// Seconds before the same image is judged again.
const AGAIN: i64 = 60;

/// The next policy, and what was found about it.
#[derive(Debug)]
pub(super) struct NextPolicy {
    pub settings: Settings,
    pub caches: Caches,
    found: RefCell<Found>,
}

#[derive(Debug, Default)]
struct Found {
    /// What was decided on images that are still to be judged, and when.
    pending: BTreeMap<String, Decision>,
    /// When each image was judged last.
    judged: BTreeMap<String, UnixTime>,
    differences: BTreeMap<String, Difference>,
    /// Bytes of their names and reasons.
    weight: usize,
    compared: u64,
    /// Those that could not be found out.
    open: u64,
}

/// An image that the two policies do not agree about.
#[derive(Debug)]
struct Difference {
    now: Decision,
    next: Decision,
    since: UnixTime,
}

impl Difference {
    fn weight(&self) -> usize {
        self.now.weight().saturating_add(self.next.weight())
    }

    /// An object: the image, both verdicts with their reasons, since when and when last.
    fn document(&self) -> String {
        let side = |decision: &Decision| {
            format!(
                "{{\"verdict\":{},\"code\":{},\"message\":{}}}",
                quote(decision.resolution.name()),
                quote(decision.reason.code),
                quote(&decision.reason.message)
            )
        };
        format!(
            "{{\"image\":{},\"now\":{},\"next\":{},\"since\":{},\"last\":{}}}",
            quote(&self.now.image),
            side(&self.now),
            side(&self.next),
            self.since.0,
            self.next.time.0
        )
    }
}

impl Found {
    /// Keeps it, where there is room; nothing is what both agree about now.
    fn set(&mut self, image: &str, difference: Option<Difference>) {
        if let Some(old) = self.differences.remove(image) {
            self.weight = self.weight.saturating_sub(old.weight());
        }
        let Some(difference) = difference else { return };
        let weight = self.weight.saturating_add(difference.weight());
        if self.differences.len() < limits::NEXT_IMAGES && weight <= limits::KEPT_DECISIONS_BYTES {
            self.weight = weight;
            self.differences.insert(image.into(), difference);
        }
    }
}

/// How many images were compared.
pub(super) struct Compared {
    pub compared: u64,
    pub open: u64,
    pub differ: usize,
}

impl NextPolicy {
    pub(super) fn new(settings: Settings, beside: &Caches) -> Self {
        Self {
            settings,
            caches: beside.beside(),
            found: RefCell::default(),
        }
    }

    /// What was decided now is to be compared, unless it was a short time ago, or nothing was.
    pub(super) fn remember(&self, decision: &Decision) {
        let found = &mut *self.found.borrow_mut();
        let last = found.judged.get(&decision.image);
        let is_known = last.is_some_and(|last| {
            Moment::of(decision.time).is_before(UnixTime(last.0.saturating_add(AGAIN)))
        });
        let is_verdict = decision.resolution != Resolution::Unknown;
        if is_verdict && !is_known && found.pending.len() < limits::NEXT_PENDING {
            found
                .pending
                .insert(decision.image.clone(), decision.clone());
        }
    }

    /// Whether what was decided on it is still to be compared.
    pub(super) fn is_pending(&self, image: &str) -> bool {
        self.found.borrow().pending.contains_key(image)
    }

    /// What was decided on it, which is compared now.
    pub(super) fn take(&self, image: &str, now: UnixTime) -> Option<Decision> {
        let found = &mut *self.found.borrow_mut();
        let decision = found.pending.remove(image)?;
        if found.judged.len() >= limits::NEXT_IMAGES {
            found.judged.clear();
        }
        found.judged.insert(image.into(), now);
        Some(decision)
    }

    /// The log's line, where both do not agree.
    pub(super) fn compare(&self, now: Decision, next: Decision) -> Option<String> {
        let found = &mut *self.found.borrow_mut();
        found.compared = found.compared.saturating_add(1);
        if next.resolution == Resolution::Unknown {
            found.open = found.open.saturating_add(1);
            return None;
        }
        let allows = |decision: &Decision| decision.resolution == Resolution::Allow;
        if allows(&now) == allows(&next) {
            found.set(&now.image, None);
            return None;
        }
        let since = found
            .differences
            .get(&now.image)
            .map_or(next.time, |known| known.since);
        let difference = Difference { now, next, since };
        let document = difference.document();
        let image = difference.now.image.clone();
        found.set(&image, Some(difference));
        let members = document.strip_prefix('{').unwrap_or_default();
        Some(format!("{{\"event\":\"next\",{members}"))
    }

    pub(super) fn compared(&self) -> Compared {
        let found = self.found.borrow();
        Compared {
            compared: found.compared,
            open: found.open,
            differ: found.differences.len(),
        }
    }

    /// What `/admin/next` shows.
    pub(super) fn document(&self) -> String {
        let found = self.found.borrow();
        let state = match &self.settings.rules {
            Ok(_) => "{\"state\":\"ok\"}".into(),
            Err(failure) => format!(
                "{{\"state\":\"misconfigured\",\"code\":{},\"message\":{}}}",
                quote(failure.code),
                quote(&failure.message)
            ),
        };
        let shown: Vec<String> = found
            .differences
            .values()
            .take(limits::SHOWN_DECISIONS)
            .map(Difference::document)
            .collect();
        format!(
            "{{\"policy\":{state},\"compared\":{},\"open\":{},\"differences\":[{}],\"more\":{}}}",
            found.compared,
            found.open,
            shown.join(","),
            found.differences.len() > shown.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Failure;
    use crate::gateway::Config;

    /// Reasons repeat what evidence says, and whoever pushes much of it gets no more room.
    #[test]
    fn differences_have_a_bound_in_bytes() {
        let settings = Settings::both(Config {
            policy_next: Some(Vec::new()),
            ..Config::default()
        });
        let next = NextPolicy::new(settings.1.unwrap(), &Caches::default());
        let message = "x".repeat(4_000);
        let decision = |number: usize, resolution| Decision {
            id: String::new(),
            time: UnixTime(0),
            resolution,
            image: format!("r.example/app:{number}"),
            reason: Failure::new("signature.invalid", message.as_str()),
        };
        let compare = |number, verdict| {
            let now = decision(number, Resolution::Allow);
            next.compare(now, decision(number, verdict))
        };
        for number in 0..3_000 {
            assert!(compare(number, Resolution::Deny).is_some());
        }
        let held = next.compared().differ;
        assert!(
            held * 8_000 <= limits::KEPT_DECISIONS_BYTES && held > 900,
            "{held}"
        );
        for number in 0..3_000 {
            assert!(compare(number, Resolution::Allow).is_none());
        }
        assert_eq!((next.compared().differ, next.found.borrow().weight), (0, 0));
    }
}
