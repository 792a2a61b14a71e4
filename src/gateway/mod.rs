//! A registry request, and what to do with it (docs/gateway.md). Pure: no sockets, no JavaScript.
//!
//! In scope: the rules of serving, evidence for the page, health. Blobs never pass through here:
//! the answer is an [`Action::Stream`] that the shell carries out.

mod log;

mod action;

mod counters;
mod stop;

mod cache;
mod records;

mod moment;
mod parents;

mod decisions;
mod fetching;
mod news;

mod hints;

mod memory;
mod recall;
mod stored;

mod budget;
mod clients;
mod config;
mod credentials;
mod entries;
mod settings;
mod sign_in;

mod admission;
mod context;
mod cors;
mod ecr;

mod answer;
mod links;
mod names;
mod recognise;

mod judge;

mod admit;

mod admin;
mod audit;
mod badge;
mod metrics;
mod next;
mod report;
mod route;
mod setup;
mod turns;
mod wish;

mod blob;
mod evidence;
mod list;
mod manifest;

mod afterwards;
mod glance;
mod lines;

#[cfg(test)]
mod tests;

pub use action::{Action, ClientRequest, Respond, Stream};
pub(crate) use budget::Budget;
pub use config::{Config, ConfigError, Mode};
pub(crate) use counters::Counters;
pub use log::{Decision, LogLine, Resolution};

use crate::crypto::Provider;
use crate::error::Failure;
use crate::host::{Host, Sink, Store};
use crate::time::UnixTime;
use context::{Context, Resource, Way};
use core::cell::RefCell;
use decisions::Decisions;
use judge::Judge;
use memory::Caches;
use next::NextPolicy;
use route::{List, Route, Wanted};
use settings::Settings;
use stored::StoredDecisions;
use turns::Turns;

/// Every code that a refusal or a report can carry.
pub fn codes() -> impl Iterator<Item = &'static str> {
    crate::verify::codes()
        .chain(ConfigError::CODES.iter().copied())
        .chain([
            "gateway.not-linked",
            "gateway.foreign-layer",
            "gateway.credentials",
            memory::EVIDENCE,
        ])
}

/// Registries, their names, and the policy for all of them.
#[derive(Debug)]
pub struct Gateway {
    settings: Settings,
    caches: Caches,
    next: Option<NextPolicy>,
    counters: Counters,
    decisions: RefCell<Decisions>,
    turns: Turns,
}

impl Gateway {
    /// Never fails: a wrong configuration makes a gateway that refuses everything. The trusted
    /// roots that the policy names are verified in pure Rust.
    #[cfg(feature = "arithmetic")]
    pub fn new(config: Config) -> Self {
        Self::with(Settings::both(config))
    }

    /// Never fails: a wrong configuration makes a gateway that refuses everything. The signatures
    /// inside the trusted roots that the policy names are checked by `provider`.
    pub async fn new_by<P: Provider>(config: Config, provider: &P) -> Self {
        Self::with(Settings::both_by(config, provider).await)
    }

    fn with((settings, next): (Settings, Option<Settings>)) -> Self {
        let decisions = RefCell::new(Decisions::new(settings.stores_decisions));
        let caches = Caches::default();
        caches.since.set(settings.since);
        Self {
            settings,
            next: next.map(|settings| NextPolicy::new(settings, &caches)),
            caches,
            counters: Counters::default(),
            decisions,
            turns: Turns::default(),
        }
    }

    /// Says whether a newer configuration was refused, so that this one stays in force: for `/metrics`.
    pub fn set_stale(&self, is_stale: bool) {
        self.counters.stale.set(is_stale);
    }

    /// What is wrong with the configuration, if anything.
    pub fn misconfigured(&self) -> Option<&Failure> {
        self.settings.rules.as_ref().err()
    }

    /// What is wrong with the next policy, if there is one and anything is.
    pub fn next_misconfigured(&self) -> Option<&Failure> {
        self.next.as_ref()?.settings.rules.as_ref().err()
    }

    /// Hands the store what was decided since the last time: after an answer was sent, and as often
    /// as the shell likes.
    pub async fn store_decisions<S: Store>(&self, now: UnixTime, store: &S) {
        let waiting = self.decisions.borrow_mut().take_waiting();
        StoredDecisions::new(store, &self.settings.secret)
            .keep(&waiting, now)
            .await;
    }

    /// What to do with a request.
    pub async fn handle<R: Host + Provider + Sink + Store>(
        &self,
        request: &ClientRequest,
        remote: &R,
    ) -> Action {
        self.counters.requests.add(1);
        let action = self.decide(request, remote, &self.counters).await;
        if let Some(decision) = action.log().and_then(|log| log.decision.as_deref()) {
            self.counters.decided(decision.decided());
            self.decisions.borrow_mut().keep(decision);
            self.remember_for_next(request, decision);
        }
        action
    }

    /// The same, and nothing is written down but what it needs.
    async fn decide<R: Host + Provider + Sink + Store>(
        &self,
        request: &ClientRequest,
        remote: &R,
        counters: &Counters,
    ) -> Action {
        let mut action = match route::route(request, &self.settings) {
            Ok(Route::Asset(path)) => Action::Asset(path),
            Ok(Route::Health) => self.health(request),
            Ok(Route::Metrics) => self.metrics(request),
            Ok(Route::Setup(guide)) => match &self.settings.rules {
                Ok(_) => setup::serve(&self.settings, request, &guide),
                Err(failure) => answer::misconfigured(failure),
            },
            Ok(Route::Admin(wish)) => self.administer(request, &wish, remote).await,
            Ok(Route::Preflight) => answer::preflight(),
            Ok(Route::Upstream { repository, wanted }) => {
                let anonymous;
                let is_for_all = way(&wanted) != Way::Usual;
                // No registry gets the administrator's secret.
                let request = if is_for_all || wish::is_administrator(&self.settings, request) {
                    anonymous = badge::anonymous(request);
                    &anonymous
                } else {
                    request
                };
                let remote = &Budget::new(remote, counters, self.settings.requests);
                let about = (repository.as_str(), &wanted);
                self.ask_by(&self.settings, &self.caches, request, about, remote)
                    .await
            }
            Err(respond) => Action::Respond(respond),
        };
        if let Action::Respond(respond) = &mut action {
            if request.method == "HEAD" {
                respond.body = None;
            }
            cors::allow(&self.settings, request, &mut respond.headers);
        }
        action
    }

    /// Asks the upstream for what is wanted of a repository, and judges it by these settings.
    async fn ask_by<R: Host + Provider + Sink + Store>(
        &self,
        settings: &Settings,
        caches: &Caches,
        request: &ClientRequest,
        (repository, wanted): (&str, &Wanted),
        remote: &Budget<'_, R>,
    ) -> Action {
        let way = way(wanted);
        match way {
            // It is none of this gateway's registries.
            Way::Relayed => {}
            // What is for clients alone looks like what is not there.
            Way::Anonymous if !admission::is_open(settings, repository) => {
                return badge::unknown(settings);
            }
            Way::Anonymous => {}
            Way::Usual => {
                if let Err(respond) = admission::admit(settings, request, repository) {
                    admission::count(&respond, request, remote.counters);
                    return Action::Respond(respond);
                }
            }
        }
        let made = Context::new(settings, caches, request, repository, remote, way);
        let mut context = match made {
            Ok(Some(context)) => context,
            Ok(None) => return answer::no_registry(settings, repository),
            Err(error) => {
                let wrong = Failure::from(error);
                return answer::misconfigured(settings.rules.as_ref().err().unwrap_or(&wrong));
            }
        };
        let _turn = match self.turns.take(wanted, request.time) {
            Ok(turn) => turn,
            Err(respond) => return Action::Respond(respond),
        };
        if let Err(stop) = context.log_in().await {
            return answer::stopped(&context, &resource(wanted), stop);
        }
        serve(&context, wanted).await
    }
}

/// What is asked for, as messages name it.
fn resource(wanted: &Wanted) -> Resource<'_> {
    match wanted {
        Wanted::Ping => Resource::Ping,
        Wanted::Blob { digest } => Resource::Blob(digest),
        Wanted::List(List::Tags { .. }) => Resource::List("tags"),
        Wanted::List(List::Referrers { .. }) => Resource::List("referrers"),
        Wanted::Manifest { reference }
        | Wanted::Evidence { reference }
        | Wanted::Relay { reference }
        | Wanted::Report { reference }
        | Wanted::Badge { reference } => Resource::Manifest(reference),
    }
}

async fn serve<R: Host + Provider + Sink + Store>(
    context: &Context<'_, R>,
    wanted: &Wanted,
) -> Action {
    let settings = context.settings;
    match (wanted, &settings.rules) {
        (Wanted::Ping, _) => manifest::ping(context).await,
        (Wanted::Report { reference }, Ok(rules)) => report::serve(context, rules, reference).await,
        (Wanted::Badge { reference }, Ok(rules)) => badge::serve(context, rules, reference).await,
        (Wanted::Report { .. } | Wanted::Badge { .. }, Err(failure)) => {
            answer::misconfigured(failure)
        }
        (Wanted::Evidence { reference } | Wanted::Relay { reference }, _) => {
            evidence::serve(context, reference).await
        }
        (_, Err(failure)) if settings.mode == Mode::Enforce => answer::misconfigured(failure),
        (Wanted::List(list), _) => list::serve(context, list).await,
        (Wanted::Manifest { reference }, Err(failure)) => {
            manifest::serve_unjudged(context, reference, failure).await
        }
        (Wanted::Blob { digest }, Err(failure)) => {
            blob::serve_unjudged(context, digest, failure).await
        }
        (Wanted::Manifest { reference }, Ok(rules)) => {
            manifest::serve(&Judge::new(context, rules), reference).await
        }
        (Wanted::Blob { digest }, Ok(rules)) => {
            blob::serve(&Judge::new(context, rules), digest).await
        }
    }
}

fn way(wanted: &Wanted) -> Way {
    match wanted {
        Wanted::Badge { .. } => Way::Anonymous,
        Wanted::Relay { .. } => Way::Relayed,
        _ => Way::Usual,
    }
}
