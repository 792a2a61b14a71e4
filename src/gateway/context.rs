//! What all steps of one request share.

use super::action::ClientRequest;
use super::budget::Budget;
use super::credentials::Credential;
use super::entries::{Owned, RegistryEntry};
use super::fetching::Fetching;
use super::hints::Hints;
use super::memory::{Caches, Memory};
use super::moment::Moment;
use super::records::Records;
use super::settings::Settings;
use super::stop::Stop;
use crate::digest::{Digest, sha256};
use crate::encoding::hex;
use crate::error::Failure;
use crate::host::{Host, Store};
use crate::oci::auth::Credentials;
use crate::oci::registry::{EgressHosts, Fetched, Registry, RegistryError};
use crate::time::UnixTime;
use crate::verify::Subject;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use core::cell::Cell;
use core::fmt;

/// One request, and what it may use.
pub(super) struct Context<'a, R> {
    pub settings: &'a Settings,
    pub request: &'a ClientRequest,
    pub remote: &'a Budget<'a, R>,
    /// The registry that is fronted, asked with the client's own credentials, or with none.
    pub registry: Registry<'a, Budget<'a, R>>,
    pub memory: Memory<'a, Budget<'a, R>>,
    pub hints: Hints<'a, Budget<'a, R>>,
    /// The turn that this request has at the manifest that it asks for, until it ends.
    turn: Cell<Option<Fetching>>,
    /// What it is asked with of this gateway's own: nothing for what everybody may see.
    pub own: Option<&'a Owned>,
    /// The registry that has the repository.
    pub entry: &'a RegistryEntry,
    /// Its own name there, without the prefix; empty where the request is about none.
    pub repository: &'a str,
    /// The same as the client wrote it.
    pub asked: &'a str,
    /// Whether that registry is not behind this gateway, so that nothing here is about it.
    pub is_relayed: bool,
}

/// How a registry is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// With what lets this client in.
    Usual,
    /// As everybody may.
    Anonymous,
    /// The same, of a registry that is not behind this gateway.
    Relayed,
}

/// What a client asks for.
#[derive(Clone, Copy)]
pub(super) enum Resource<'a> {
    /// Whether it is let in at all.
    Ping,
    /// A manifest or index, by tag or digest.
    Manifest(&'a str),
    /// A config or layer.
    Blob(&'a Digest),
    /// A list, by its path.
    List(&'a str),
}

impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ping => Ok(()),
            Self::Manifest(text) | Self::List(text) => f.write_str(text),
            Self::Blob(digest) => write!(f, "{digest}"),
        }
    }
}

impl<'a, R: Host + Store> Context<'a, R> {
    /// Nothing, where no registry has such a repository. `asked` is empty for a ping.
    pub(super) fn new(
        settings: &'a Settings,
        caches: &'a Caches,
        request: &'a ClientRequest,
        asked: &'a str,
        remote: &'a Budget<'a, R>,
        way: Way,
    ) -> Result<Option<Self>, RegistryError> {
        let found = match (asked, way) {
            ("", _) => settings.entries.of_ping().map(|entry| (entry, "")),
            (asked, Way::Relayed) => settings.relayed.of(asked),
            (asked, _) => settings.entries.of(asked),
        };
        let anonymously = way != Way::Usual;
        let Some((entry, repository)) = found else {
            return Ok(None);
        };
        let upstream = at_upstream(entry, repository);
        let kept = kept_as(entry, &upstream);
        let records = || Records {
            store: remote,
            secret: &settings.secret,
            build: &settings.build,
        };
        let own = entry.own.as_ref().filter(|_| !anonymously);
        let brought = (entry.signs_in && !anonymously).then(|| forwarded(request));
        let is_brought = brought.is_some();
        let asking = credentials(own, brought);
        let egress = egress(settings, way);
        let registry = registry(entry, &upstream, remote, asking, egress)?;
        Ok(Some(Self {
            settings,
            request,
            remote,
            registry: match is_brought {
                true => registry,
                false => lending(registry, caches, own, request.time),
            },
            own,
            memory: Memory {
                caches,
                records: records(),
                upstream: &entry.upstream,
                repository: kept.clone(),
                basis: &settings.basis,
            },
            hints: Hints {
                caches: &caches.hints,
                records: records(),
                upstream: &entry.upstream,
                repository: kept,
            },
            turn: Cell::default(),
            entry,
            repository,
            asked,
            is_relayed: way == Way::Relayed,
        }))
    }

    /// Gets what the registry is asked with, where somebody else gives it out.
    pub(super) async fn log_in(&mut self) -> Result<(), Stop> {
        let Some(Owned {
            key,
            credential: Credential::Ecr(ecr),
        }) = self.own
        else {
            return Ok(());
        };
        let issued = &self.memory.caches.issued;
        match issued
            .credentials((key, ecr), self.now(), self.remote)
            .await
        {
            Ok(credentials) => {
                self.registry.lend(credentials);
                Ok(())
            }
            Err(why) => {
                self.registry
                    .note(format!("Amazon ECR gave no credentials: {why}"));
                let message = format!(
                    "this gateway has no credentials for the registry {} now, since Amazon gave it \
                     none: try again; its log says more",
                    self.entry.name
                );
                Err(Stop::Unknown(Failure::new("gateway.credentials", message)))
            }
        }
    }

    pub(super) fn now(&self) -> UnixTime {
        self.request.time
    }

    /// The name of this resource in messages.
    pub(super) fn shown(&self, resource: &Resource<'_>) -> String {
        match self.repository {
            "" => self.entry.name.clone(),
            repository => self.entry.image(repository, &resource.to_string()),
        }
    }

    /// An id for people who compare an answer with the log: of what was decided on this in these ten
    /// seconds.
    pub(super) fn decision_id(&self, resource: &Resource<'_>) -> String {
        let text = format!(
            "{}\n{}\n{resource}\n{}",
            self.settings.basis,
            self.asked,
            Moment::of(self.now()).0
        );
        hex::encode(&sha256(text.as_bytes()))
            .chars()
            .take(12)
            .collect()
    }

    /// The document with this digest: kept, or fetched and hashed.
    pub(super) async fn subject(&self, digest: &Digest) -> Result<Rc<Subject>, Stop> {
        match self.kept_subject(digest).await {
            Some(subject) => Ok(subject),
            None => self.fetch_subject(digest).await,
        }
    }

    /// The one that this request asks for. Of those that ask for it at once one fetches it, and the
    /// others wait. Whom the upstream has not let in yet takes nothing of what others have: it is let
    /// in, or is not, as it fetches.
    pub(super) async fn asked_subject(&self, digest: &Digest) -> Result<Rc<Subject>, Stop> {
        if self.remote.was_let_in()
            && let Some(kept) = self.kept_subject(digest).await
        {
            return Ok(kept);
        }
        let turn = self.memory.take_turn(digest).await;
        let found = self.memory.content(digest).or_else(|| turn.found());
        let subject = match found {
            Some(subject) if self.remote.was_let_in() => subject,
            _ => {
                let subject = self.fetch_subject(digest).await?;
                turn.hand_over(&subject);
                subject
            }
        };
        self.turn.set(Some(turn));
        Ok(subject)
    }

    async fn kept_subject(&self, digest: &Digest) -> Option<Rc<Subject>> {
        match self.memory.content(digest) {
            None => self.memory.recall_content(digest).await,
            kept => kept,
        }
    }

    /// The same from the upstream, asked once more if the bytes have another digest.
    pub(super) async fn fetch_subject(&self, digest: &Digest) -> Result<Rc<Subject>, Stop> {
        let reference = digest.to_string();
        let mut fetched = self.fetch_manifest(&reference).await?;
        if digest.check(&fetched.bytes).is_err() {
            fetched = self.fetch_manifest(&reference).await?;
            digest.check(&fetched.bytes).map_err(Stop::denied)?;
        }
        Subject::read(fetched.bytes, fetched.content_type.as_deref(), Some(digest))
            .map(Rc::new)
            .map_err(Stop::Denied)
    }

    /// What the upstream has under this tag or digest, not yet compared with anything.
    pub(super) async fn fetch_manifest(&self, reference: &str) -> Result<Fetched, Stop> {
        self.registry
            .manifest(reference)
            .await?
            .ok_or(Stop::Missing)
    }
}

/// Asked by the gateway's own word: the same tokens for all who ask for the same.
fn lending<'a, H: Host>(
    registry: Registry<'a, H>,
    caches: &'a Caches,
    own: Option<&Owned>,
    now: UnixTime,
) -> Registry<'a, H> {
    let whose = own.map(|own| format!("own {}", own.key));
    registry.lending(&caches.tokens, &whose.unwrap_or_default(), now)
}

/// A ping is about no repository; a dialogue is always about one.
fn at_upstream(entry: &RegistryEntry, repository: &str) -> String {
    match repository {
        "" => String::from("x"),
        repository => entry.upstream_repository(repository),
    }
}

/// What is known of two registries is kept apart: no repository's name has a bar. Each owner in a
/// registry pays for what is his, so that no slash of a prefix may end an owner's name.
fn kept_as(entry: &RegistryEntry, upstream: &str) -> String {
    match entry.prefix.as_str() {
        "" => upstream.into(),
        prefix => format!("{}|{upstream}", prefix.replace('/', ":")),
    }
}

/// What a registry is asked with: this gateway's own, or what the client brings it.
fn credentials(own: Option<&Owned>, brought: Option<Credentials>) -> Credentials {
    match own.map(|own| &own.credential) {
        Some(Credential::Given(credentials)) => credentials.clone(),
        // Until it is given out, nobody's.
        Some(Credential::Ecr(_)) => Credentials::Anonymous,
        None => brought.unwrap_or(Credentials::Anonymous),
    }
}

/// The client's own.
fn forwarded(request: &ClientRequest) -> Credentials {
    let authorization = request
        .header("authorization")
        .map(|value| ("authorization".to_string(), value.to_string()));
    Credentials::Forward(authorization.into_iter().collect())
}

/// Where redirects may lead although it is private: those of the operator's own registries alone.
fn egress(settings: &Settings, way: Way) -> EgressHosts {
    match way {
        Way::Relayed => EgressHosts::default(),
        Way::Usual | Way::Anonymous => settings.egress.clone(),
    }
}

fn registry<'a, H: Host>(
    entry: &RegistryEntry,
    repository: &str,
    remote: &'a H,
    credentials: Credentials,
    egress: EgressHosts,
) -> Result<Registry<'a, H>, RegistryError> {
    let registry = Registry::new(remote, &entry.upstream, repository, credentials)?;
    Ok(registry
        .with_realms(entry.realm.as_deref())?
        .with_egress(egress)
        .named(&entry.name))
}
