//! A request whose answer is remembered: one question to the upstream, and two steps around it
//! (docs/gateway.md "Two steps").
//!
//! Nothing is decided here. Both steps run the gateway itself, as far as it comes without waiting;
//! where it would wait for anything but that one answer, nothing is said, and the request goes the
//! general way. What is to be saved is changed there alone.

use super::Gateway;
use super::action::{Action, ClientRequest, Respond};
use super::counters::Counters;
use super::entries::RegistryEntry;
use super::route::{Route, Wanted, route};
use crate::host::{Advance, Ask, Egress, Remote, Request, Response, glance};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

impl Gateway {
    /// What this request asks of the upstream first, if that is `HEAD` of an address to which the
    /// operator's word leads.
    /// Of manifests alone: what else is asked for has effects, or lets its client in otherwise.
    pub fn look(&self, request: &ClientRequest) -> Option<Request> {
        if !self.may_glance(request) {
            return None;
        }
        match self.glance(request, Remote::new(true)) {
            Advance::Asks(asks) => match <[(u32, Ask); 1]>::try_from(asks).ok()? {
                [(_, Ask::Fetch(head))]
                    if head.method == "HEAD" && head.egress == Egress::Operator =>
                {
                    Some(head)
                }
                _ => None,
            },
            Advance::Done(_) => None,
        }
    }

    /// The answer, if nothing more must be found out now that the upstream has said 200 and this
    /// digest to `HEAD asked`, for this very request.
    pub fn answer(
        &self,
        request: &ClientRequest,
        asked: String,
        digest: Option<String>,
    ) -> Option<Respond> {
        if !self.may_glance(request) {
            return None;
        }
        let digest = digest.map(|digest| ("docker-content-digest".to_string(), digest));
        let head = Response {
            status: 200,
            headers: digest.into_iter().collect(),
            body: Vec::new(),
            url: None,
        };
        match self.glance(request, Remote::new(true).knowing(asked, Ok(head))) {
            // Whatever is refused is refused on the general way, by all that the upstream said.
            Advance::Done(Action::Respond(respond)) if respond.status == 200 => Some(respond),
            _ => None,
        }
    }

    fn may_glance(&self, request: &ClientRequest) -> bool {
        self.glanced_entry(request).is_some()
    }

    /// Whether the registry is asked with what comes with the request, so that what both steps say may
    /// be said to everybody: the registry lets each in by itself. What is asked with the gateway's own
    /// word is for whom the gateway lets in, and that is looked at each time.
    pub(super) fn may_keep_said(&self, request: &ClientRequest) -> bool {
        (self.glanced_entry(request)).is_some_and(|entry| entry.signs_in)
    }

    fn glanced_entry(&self, request: &ClientRequest) -> Option<&RegistryEntry> {
        let Ok(Route::Upstream {
            wanted: Wanted::Manifest { .. },
            repository,
        }) = route(request, &self.settings)
        else {
            return None;
        };
        self.settings
            .entries
            .of(&repository)
            .map(|(entry, _)| entry)
    }

    fn glance(&self, request: &ClientRequest, remote: Remote) -> Advance<Action> {
        // What is counted is counted once: on the general way, or where the second step answers.
        let counters = Counters::default();
        glance(remote, async |remote| {
            self.decide(request, &remote, &counters).await
        })
    }
}
