//! `POLICY_NEXT` (docs/gateway.md "The next policy"): what would change if it were in force. It is
//! judged after the answer has gone out, on a budget of its own, and never decides.

use super::log::{Decision, Resolution};
use super::memory::Caches;
use super::moment::Moment;
use super::settings::Settings;
use crate::encoding::json::quote;
use crate::keyed::Keyed;
use crate::limits;
use crate::time::UnixTime;
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
    pending: Keyed<Decision>,
    /// When each image was judged last.
    judged: Keyed<UnixTime>,
    differences: Keyed<Difference>,
    /// Bytes of their names and reasons.
    weight: usize,
    compared: u64,
    /// Those about which the next policy could not decide.
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
        self.found.borrow().pending.contains(image)
    }

    /// What was decided on it, which is compared now.
    pub(super) fn take(&self, image: &str, now: UnixTime) -> Option<Decision> {
        let found = &mut *self.found.borrow_mut();
        let decision = found.pending.remove(image)?;
        if found.judged.len() >= limits::NEXT_IMAGES {
            found.judged = Keyed::default();
        }
        found.judged.insert(image, now);
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
        let known = found.differences.remove(&now.image);
        if let Some(known) = &known {
            found.weight = found.weight.saturating_sub(known.weight());
        }
        if allows(&now) == allows(&next) {
            return None;
        }
        let since = known.map_or(next.time, |known| known.since);
        let difference = Difference { now, next, since };
        let document = difference.document();
        let weight = found.weight.saturating_add(difference.weight());
        if found.differences.len() < limits::NEXT_IMAGES && weight <= limits::KEPT_DECISIONS_BYTES {
            found.weight = weight;
            let image = difference.now.image.clone();
            found.differences.insert(image, difference);
        }
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
            "{{\"policy\":{state},\"compared\":{},\"open\":{},\"differences\":[{}],\"more\":{},\
             \"kept\":{{\"in\":\"instance\",\"count\":{}}}}}",
            found.compared,
            found.open,
            shown.join(","),
            found.differences.len() > shown.len(),
            limits::NEXT_IMAGES
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Failure;
    use crate::gateway::Config;
    use crate::gateway::settings::Settings;

    /// Whoever makes many images differ fills what is kept of them, and no more.
    #[test]
    fn differences_are_bounded() {
        let config = Config {
            policy_next: Some(Vec::new()),
            ..Config::default()
        };
        let (_, settings) = Settings::both(config);
        let next = NextPolicy::new(settings.unwrap(), &Caches::default());
        let decision = |number: usize, resolution, message: &str| Decision {
            id: String::new(),
            time: UnixTime(1_000),
            resolution,
            image: format!("r.example/app:{number}"),
            reason: Failure::new("signature.missing", message),
            signers: Vec::new(),
        };
        let differ = |number: usize, message: &str| {
            let now = decision(number, Resolution::Allow, message);
            assert!(
                next.compare(now, decision(number, Resolution::Deny, message))
                    .is_some()
            );
            let found = next.found.borrow();
            if number.is_multiple_of(500) {
                let weights = found.differences.values().map(Difference::weight);
                assert_eq!(found.weight, weights.sum::<usize>());
            }
            found.differences.len()
        };
        let long = "x".repeat(4_000);
        let mut kept = 0;
        for number in 0..2_000 {
            kept = differ(number, &long);
        }
        assert!(kept < 1_100 && next.found.borrow().weight <= limits::KEPT_DECISIONS_BYTES);
        // What agrees again makes room.
        for number in 0..kept {
            let now = decision(number, Resolution::Allow, "");
            assert!(
                next.compare(now, decision(number, Resolution::Allow, ""))
                    .is_none()
            );
        }
        assert_eq!((next.compared().differ, next.found.borrow().weight), (0, 0));
        for number in 0..limits::NEXT_IMAGES + 2 {
            differ(number, "");
        }
        assert_eq!(next.compared().differ, limits::NEXT_IMAGES);
    }
}
