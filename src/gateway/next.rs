//! `POLICY_NEXT` (docs/gateway.md "The next policy"): what would change if it were in force. It is
//! judged after the answer has gone out, on a budget of its own, and never decides.

use super::Gateway;
use super::action::{Action, ClientRequest};
use super::budget::Budget;
use super::config::Settings;
use super::entries::image;
use super::log::{Decision, Resolution};
use super::memory::Caches;
use super::moment::Moment;
use super::route::{Route, Wanted, route};
use crate::crypto::Provider;
use crate::encoding::json::quote;
use crate::host::{Host, Sink, Store};
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
pub(super) struct Next {
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

impl Next {
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

    fn take(&self, image: &str, now: UnixTime) -> Option<Decision> {
        let found = &mut *self.found.borrow_mut();
        let decision = found.pending.remove(image)?;
        if found.judged.len() >= limits::NEXT_IMAGES {
            found.judged.clear();
        }
        found.judged.insert(image.into(), now);
        Some(decision)
    }

    /// The log's line, where both do not agree.
    fn compare(&self, now: Decision, next: Decision) -> Option<String> {
        let found = &mut *self.found.borrow_mut();
        found.compared = found.compared.saturating_add(1);
        if next.resolution == Resolution::Unknown {
            found.open = found.open.saturating_add(1);
            return None;
        }
        let allows = |decision: &Decision| decision.resolution == Resolution::Allow;
        if allows(&now) == allows(&next) {
            found.differences.remove(&now.image);
            return None;
        }
        let since = found
            .differences
            .get(&now.image)
            .map_or(next.time, |known| known.since);
        let difference = Difference { now, next, since };
        let document = difference.document();
        let image = difference.now.image.clone();
        let has_room = found.differences.len() < limits::NEXT_IMAGES;
        if has_room || found.differences.contains_key(&image) {
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
            "{{\"policy\":{state},\"compared\":{},\"open\":{},\"differences\":[{}],\"more\":{}}}",
            found.compared,
            found.open,
            shown.join(","),
            found.differences.len() > shown.len()
        )
    }
}

impl Gateway {
    /// Whether the next policy is still to be asked about what this request asked for
    /// ([`Self::judge_next`]).
    pub fn has_next(&self, request: &ClientRequest) -> bool {
        self.pending(request).is_some()
    }

    /// Judges by the next policy what was just answered by the one in force: after the answer was
    /// sent, and as often as the shell likes. A line for the log where the verdict would change.
    pub async fn judge_next<R: Host + Provider + Sink + Store>(
        &self,
        request: &ClientRequest,
        remote: &R,
    ) -> Option<String> {
        let next = self.next.as_ref()?;
        let (repository, wanted, image) = self.pending(request)?;
        let now = next.take(&image, request.time)?;
        let remote = &Budget::new(remote, &self.counters, next.settings.requests);
        let action = self
            .ask_by(
                &next.settings,
                &next.caches,
                request,
                (&repository, &wanted),
                remote,
            )
            .await;
        next.compare(now, decision(action)?)
    }

    /// What was decided on a manifest is to be compared.
    pub(super) fn remember_for_next(&self, request: &ClientRequest, decision: &Decision) {
        if let Some(next) = &self.next
            && self.manifest_of(request).is_some()
        {
            next.remember(decision);
        }
    }

    fn pending(&self, request: &ClientRequest) -> Option<(String, Wanted, String)> {
        let next = self.next.as_ref()?;
        let asked = self.manifest_of(request)?;
        let is_pending = next.found.borrow().pending.contains_key(&asked.2);
        is_pending.then_some(asked)
    }

    /// The repository, what is wanted of it, and the image's name, where a manifest is.
    fn manifest_of(&self, request: &ClientRequest) -> Option<(String, Wanted, String)> {
        let Ok(Route::Upstream { repository, wanted }) = route(request, &self.settings) else {
            return None;
        };
        let Wanted::Manifest { reference } = &wanted else {
            return None;
        };
        let (entry, own) = self.settings.entries.of(&repository)?;
        let image = image(&entry.name, own, reference);
        Some((repository, wanted, image))
    }
}

fn decision(action: Action) -> Option<Decision> {
    match action {
        Action::Respond(respond) => respond.log?.decision,
        _ => None,
    }
}
