//! What the gateway does with the next policy, after an answer (docs/gateway.md "The next policy").

use super::Gateway;
use super::action::{Action, ClientRequest};
use super::badge;
use super::budget::Budget;
use super::log::Decision;
use super::route::{Route, Wanted, route};
use super::wish::is_administrator;
use crate::crypto::Provider;
use crate::host::{Host, Sink, Store};
use alloc::string::String;

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
        let anonymous;
        let request = if is_administrator(&self.settings, request) {
            anonymous = badge::anonymous(request);
            &anonymous
        } else {
            request
        };
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
        let is_pending = next.is_pending(&asked.2);
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
        let image = entry.image(own, reference);
        Some((repository, wanted, image))
    }
}

fn decision(action: Action) -> Option<Decision> {
    match action {
        Action::Respond(respond) => respond.log?.decision.map(|decision| *decision),
        _ => None,
    }
}
