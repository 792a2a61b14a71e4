//! What this gateway tells of itself: to its administrator, to whoever looks after its health, and to
//! Prometheus (docs/gateway.md "Administration").

use super::Gateway;
use super::action::{Action, ClientRequest};
use super::answer;
use super::config::Mode;
use super::decisions::Asked;
use super::entries::RegistryEntry;
use super::metrics;
use super::stored::{StoredDecisions, Told};
use super::wish::{Wish, is_administrator};
use crate::encoding::json::quote;
use crate::host::Store;
use crate::limits;
use crate::sigstore::roots;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

impl Gateway {
    pub(super) async fn administer<S: Store>(
        &self,
        request: &ClientRequest,
        wish: &Wish,
        store: &S,
    ) -> Action {
        match wish {
            Wish::Decisions(asked) => self.decided(asked, request.time, store).await,
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

    /// What this instance knows, and what a store has of all of them: the newest first, each once.
    async fn decided<S: Store>(&self, asked: &Asked, now: UnixTime, store: &S) -> Action {
        let are_stored = self.decisions.borrow().are_stored();
        let mut found = match are_stored {
            true => {
                let stored = StoredDecisions::new(store, &self.settings.secret);
                stored.find(asked, now).await
            }
            false => Told::default(),
        };
        let own = self.decisions.borrow();
        let most = limits::SHOWN_DECISIONS.saturating_add(1);
        for decision in own.found(asked).take(most) {
            found.add(decision.time, &decision.document());
        }
        let more = found.more || found.is_enough();
        let shown: Vec<&str> = found.shown().collect();
        let kept = kept(&found, own.since(), are_stored);
        let text = format!(
            "{{\"decisions\":[{}],\"more\":{more},\"kept\":{kept}}}",
            shown.join(",")
        );
        answer::json(200, text)
    }

    pub(super) fn metrics(&self, request: &ClientRequest) -> Action {
        let next = self.next.as_ref();
        let text = metrics::document(&self.settings, next, &self.counters, request.time);
        answer::document(200, "text/plain; version=0.0.4; charset=utf-8", text)
    }

    /// What an operator should know of a configuration that is none the worse for it.
    pub fn note(&self) -> Option<String> {
        let rules = self.settings.rules.as_ref().ok()?;
        let distrusted = rules.distrusted_digests();
        (self.settings.mode == Mode::Audit && distrusted > 0).then(|| {
            format!(
                "MODE=audit: what the policy distrusts is served, too, and only reported ({distrusted} \
                 under \"distrusted\"): an audit breaks no pull. Set MODE=enforce to stop it"
            )
        })
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
            if let Some(note) = self.note() {
                add("note", &note);
            }
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

/// Where what is told is kept, how much of it, and since when there is any.
fn kept(found: &Told, own: Option<UnixTime>, are_stored: bool) -> String {
    let (mut text, since) = match found.answered {
        true => {
            let days = limits::STORED_DECISIONS_DAYS;
            let since = match (own, found.begin()) {
                (Some(own), Some(begin)) => Some(own.min(begin)),
                (own, begin) => own.or(begin),
            };
            (format!("{{\"in\":\"store\",\"days\":{days}"), since)
        }
        false => {
            let count = limits::KEPT_DECISIONS;
            (format!("{{\"in\":\"instance\",\"count\":{count}"), own)
        }
    };
    if let Some(since) = since {
        text.push_str(&format!(",\"since\":{}", since.0));
    }
    if found.failed || are_stored && !found.answered {
        let wrong = "the store gave no answer, so what other instances decided may be missing: ask \
                     again, and look into the log for store.failed";
        text.push_str(&format!(",\"wrong\":{}", quote(wrong)));
    }
    text.push('}');
    text
}
