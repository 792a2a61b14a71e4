//! What this gateway tells of itself: to its administrator, to whoever looks after its health, and to
//! Prometheus (docs/gateway.md "Administration").

use super::Gateway;
use super::action::{Action, ClientRequest};
use super::answer;
use super::decisions::Asked;
use super::entries::RegistryEntry;
use super::log::Decision;
use super::metrics;
use super::wish::{Wish, is_administrator};
use crate::encoding::json::quote;
use crate::limits;
use crate::sigstore::roots;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

impl Gateway {
    pub(super) fn administer(&self, request: &ClientRequest, wish: &Wish) -> Action {
        match wish {
            Wish::Decisions(asked) => self.decided(asked),
            Wish::Next => match &self.next {
                Some(next) => answer::json(200, next.document()),
                None => Action::Respond(answer::error(
                    404,
                    "UNSUPPORTED",
                    "sealgate: there is no next policy: set POLICY_NEXT",
                )),
            },
            Wish::Flush => {
                self.caches.forget(request.time);
                if let Some(next) = &self.next {
                    next.caches.forget(request.time);
                }
                answer::json(200, "{\"flushed\":true}".into())
            }
        }
    }

    fn decided(&self, asked: &Asked) -> Action {
        let kept = self.decisions.borrow();
        let mut found = kept.found(asked);
        let shown: Vec<String> = found
            .by_ref()
            .take(limits::SHOWN_DECISIONS)
            .map(Decision::document)
            .collect();
        let more = found.next().is_some();
        let text = format!("{{\"decisions\":[{}],\"more\":{more}}}", shown.join(","));
        answer::json(200, text)
    }

    pub(super) fn metrics(&self, request: &ClientRequest) -> Action {
        let next = self.next.as_ref();
        let text = metrics::document(&self.settings, next, &self.counters, request.time);
        answer::document(200, "text/plain; version=0.0.4; charset=utf-8", text)
    }

    /// `/healthz`: whoever asks learns whether it works, an administrator also why not.
    pub(super) fn health(&self, request: &ClientRequest) -> Action {
        let failure = self.misconfigured();
        let (status, state) = match failure {
            None => (200, "ok"),
            Some(_) => (503, "misconfigured"),
        };
        let mut text = format!("{{\"state\":\"{state}\"");
        if is_administrator(&self.settings, request) {
            let settings = &self.settings;
            let mut add = |name: &str, value: &str| {
                text.push_str(&format!(",\"{name}\":{}", quote(value)));
            };
            if let Some(failure) = failure {
                add("code", failure.code);
                add("message", &failure.message);
            }
            add("version", env!("CARGO_PKG_VERSION"));
            add("mode", settings.mode.name());
            add("basis", &settings.basis);
            add("trustedRoots", roots::DATE);
            if let Some(failure) = self.next_misconfigured() {
                add("next", &format!("{} [{}]", failure.message, failure.code));
            }
        }
        if is_administrator(&self.settings, request) {
            let entries = self.settings.entries.iter().map(RegistryEntry::document);
            let entries: Vec<String> = entries.collect();
            text.push_str(&format!(",\"registries\":[{}]", entries.join(",")));
        }
        text.push('}');
        answer::json(status, text)
    }
}
