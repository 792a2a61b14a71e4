//! The configuration, checked once. A wrong one refuses everything and says why.

use super::action::{Action, Request};
use super::budget::Budget;
use super::memory::Shelves;
use super::route::{Route, route, split};
use super::{blob, evidence, list, manifest, refuse};
use crate::crypto::Provider;
use crate::digest::sha256;
use crate::encoding::hex;
use crate::error::{Coded, Failure};
use crate::host::{Host, Sink, Store};
use crate::limits;
use crate::oci::registry::EgressHosts;
use crate::oci::url::Url;
use crate::policy::Policy;
use crate::reference::{Grammar, Reference, ReferenceError};
use crate::sigstore::roots;
use crate::verify::Rules;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;

/// What a gateway is told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    /// `UPSTREAM`: http or https, host and port, no path.
    pub upstream: String,
    /// `NAME`: the name by which policies and signatures know the registry; empty for the
    /// upstream's own.
    pub name: String,
    /// The bytes of `POLICY`.
    pub policy: Vec<u8>,
    /// The files that it names.
    pub assets: BTreeMap<String, Vec<u8>>,
    /// `REGISTRIES_D`: the files of a folder, by their names; without it attachments are looked at
    /// everywhere.
    pub registries_d: Option<BTreeMap<String, Vec<u8>>>,
    /// `SECRET`: for the HMAC of what is stored outside of this isolate; without it nothing is.
    pub secret: Vec<u8>,
    /// Which build of this program it is: what another one stored is not there.
    pub build: String,
    /// `CORS_ORIGINS`: origins of websites that may read what stands beside `/v2/`; `*` is every
    /// one.
    pub cors_origins: Vec<String>,
    /// `PUBLISH_POLICY`: whether evidence carries the part of the policy that decides for the
    /// image.
    pub publish_policy: bool,
    /// Requests to the upstream that one request may need; 0 is the standard,
    /// [`limits::REQUESTS`].
    pub requests: usize,
    /// `PUBLIC_URL`: by which address clients know this gateway, `http(s)://host[:port]`; empty
    /// for the one that they ask.
    pub public_url: String,
    /// `EGRESS`: `host[:port]` that redirects may lead to although they are private.
    pub egress: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            upstream: String::new(),
            name: String::new(),
            policy: Vec::new(),
            assets: BTreeMap::new(),
            registries_d: None,
            secret: Vec::new(),
            build: env!("CARGO_PKG_VERSION").into(),
            cors_origins: Vec::new(),
            publish_policy: true,
            requests: 0,
            public_url: String::new(),
            egress: Vec::new(),
        }
    }
}

codes! {
    /// A gateway cannot work so.
    pub enum ConfigError {
        Upstream { found: String } => "config.upstream",
            "UPSTREAM: expected http(s)://host[:port], found {found:?}";
        Name { found: String } => "config.name",
            "NAME: expected a registry's host[:port], found {found:?}";
        Policy { error: String } => "config.policy", "POLICY: {error}";
        RegistriesD { error: String } => "config.registries-d", "REGISTRIES_D: {error}";
        PolicySize => "config.policy-size", "POLICY: expected at most 1 MiB";
        Origin { found: String } => "config.cors-origins",
            "CORS_ORIGINS: expected origins such as https://docs.example.com, or *, found \
             {found:?}";
        PublicUrl { found: String } => "config.public-url",
            "PUBLIC_URL: expected http(s)://host[:port], found {found:?}";
        Egress { found: String } => "config.egress",
            "EGRESS: expected host or host:port, separated by commas or spaces, found {found:?}";
    }
}

/// One registry, its name and its policy.
#[derive(Debug)]
pub struct Gateway {
    pub(super) upstream: String,
    pub(super) name: String,
    pub(super) rules: Result<Rules, Failure>,
    /// Its bytes.
    pub(super) policy: Vec<u8>,
    /// SHA-256 over everything that a verdict depends on, but for the image.
    pub(super) basis: String,
    pub(super) secret: Vec<u8>,
    pub(super) build: String,
    pub(super) cors_origins: Vec<String>,
    pub(super) publish_policy: bool,
    pub(super) requests: usize,
    pub(super) shelves: RefCell<Shelves>,
    public_url: Option<String>,
    pub(super) egress: EgressHosts,
}

impl Gateway {
    /// Never fails: a wrong configuration makes a gateway that refuses everything.
    pub fn new(mut config: Config) -> Self {
        config.name = name(&config);
        let rules = check(&config);
        let basis = basis(&config);
        let upstream = config.upstream.trim_end_matches('/').to_string();
        let public_url =
            Some(config.public_url.trim_end_matches('/').to_string()).filter(|url| !url.is_empty());
        let egress = egress(&config).unwrap_or_default();
        Self {
            upstream,
            name: config.name,
            rules,
            policy: config.policy,
            basis,
            secret: config.secret,
            build: config.build,
            cors_origins: config.cors_origins,
            publish_policy: config.publish_policy,
            requests: if config.requests == 0 {
                limits::REQUESTS
            } else {
                config.requests.min(limits::REQUESTS)
            },
            shelves: RefCell::default(),
            public_url,
            egress,
        }
    }

    /// Scheme, host and port by which clients know this gateway: behind something that ends TLS,
    /// the request does not say.
    pub(super) fn origin<'a>(&'a self, request: &'a Request) -> &'a str {
        self.public_url
            .as_deref()
            .unwrap_or_else(|| split(&request.url).0)
    }

    /// What is wrong with the configuration, if anything.
    pub fn misconfigured(&self) -> Option<&Failure> {
        self.rules.as_ref().err()
    }

    /// What to do with a request.
    pub async fn handle<R: Host + Provider + Sink + Store>(
        &self,
        request: &Request,
        remote: &R,
    ) -> Action {
        let head = request.method == "HEAD";
        let remote = &Budget::new(remote, self.requests);
        let action = match route(request, self) {
            Ok(Route::Asset(path)) => Action::Asset(path),
            Ok(Route::Health) => self.health(),
            Ok(Route::Preflight) => refuse::preflight(),
            Ok(Route::Evidence {
                repository,
                reference,
            }) => evidence::serve(self, request, &repository, &reference, remote).await,
            Ok(Route::Ping) => manifest::ping(self, request, remote).await,
            Ok(Route::Manifest {
                repository,
                reference,
            }) => match &self.rules {
                Ok(rules) => {
                    manifest::serve(self, rules, request, &repository, &reference, remote).await
                }
                Err(failure) => refuse::misconfigured(failure),
            },
            Ok(Route::Blob { repository, digest }) => match &self.rules {
                Ok(rules) => blob::serve(self, rules, request, &repository, &digest, remote).await,
                Err(failure) => refuse::misconfigured(failure),
            },
            Ok(Route::List { repository, list }) => match &self.rules {
                Ok(_) => list::serve(self, request, &repository, &list, remote).await,
                Err(failure) => refuse::misconfigured(failure),
            },
            Err(answer) => Action::Respond(answer),
        };
        let action = if head {
            refuse::without_body(action)
        } else {
            action
        };
        self.for_websites(request, action)
    }

    /// What stands beside `/v2/` may be read by the websites that the operator named.
    pub(super) fn for_websites(&self, request: &Request, action: Action) -> Action {
        let beside = split(&request.url).1.starts_with("/api/");
        let origin = request.header("origin").filter(|_| beside);
        let allowed = origin.and_then(|origin| {
            self.cors_origins
                .iter()
                .find(|known| *known == "*" || *known == origin)
        });
        match (action, allowed) {
            (Action::Respond(mut respond), Some(allowed)) => {
                respond
                    .headers
                    .push(("access-control-allow-origin".into(), allowed.clone()));
                respond.headers.push(("vary".into(), "origin".into()));
                Action::Respond(respond)
            }
            (action, _) => action,
        }
    }

    fn health(&self) -> Action {
        let (status, text) = if self.rules.is_ok() {
            (200, "ok")
        } else {
            (503, "misconfigured")
        };
        refuse::json(status, format!("{{\"state\":\"{text}\"}}"))
    }

    /// The reference by which policy and signatures know an image of `repository` here.
    pub(super) fn judged_name(
        &self,
        repository: &str,
        reference: &str,
    ) -> Result<Reference, ReferenceError> {
        let separator = if reference.contains(':') { '@' } else { ':' };
        Reference::normalize(
            &format!("{}/{repository}{separator}{reference}", self.name),
            Grammar::Containers,
        )
    }

    /// The repository at the upstream: Docker Hub keeps official images under `library/`.
    pub(super) fn upstream_repository(&self, repository: &str) -> String {
        if self.name == "docker.io" && !repository.contains('/') {
            format!("library/{repository}")
        } else {
            repository.into()
        }
    }
}

/// `NAME`, by default the upstream's `host[:port]`. Docker Hub has one name, whichever of its hosts
/// was written.
fn name(config: &Config) -> String {
    let authority = config
        .upstream
        .trim_end_matches('/')
        .split_once("://")
        .map_or("", |(_, authority)| authority);
    let name = if config.name.is_empty() {
        authority
    } else {
        &config.name
    };
    if matches!(
        name,
        "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com"
    ) {
        "docker.io".into()
    } else {
        name.into()
    }
}

fn egress(config: &Config) -> Result<EgressHosts, ConfigError> {
    let entries = config.egress.iter().map(String::as_str);
    EgressHosts::parse(entries).map_err(|_| ConfigError::Egress {
        found: config.egress.join(" ").chars().take(200).collect(),
    })
}

fn check(config: &Config) -> Result<Rules, Failure> {
    let upstream = config.upstream.trim_end_matches('/');
    let authority = upstream
        .strip_prefix("https://")
        .or_else(|| upstream.strip_prefix("http://"));
    let fits = |authority: &str| {
        !authority.is_empty()
            && authority.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']')
            })
    };
    if !authority.is_some_and(fits) {
        return Err(ConfigError::Upstream {
            found: config.upstream.chars().take(200).collect(),
        }
        .into());
    }
    let probe = Reference::normalize(&format!("{}/x/y", config.name), Grammar::Containers);
    if !probe.is_ok_and(|reference| reference.domain() == config.name) {
        return Err(ConfigError::Name {
            found: config.name.chars().take(200).collect(),
        }
        .into());
    }
    let odd = |origin: &&String| {
        *origin != "*"
            && Url::parse(origin).is_none_or(|url| url.to_string() != format!("{origin}/"))
    };
    if let Some(origin) = config.cors_origins.iter().find(odd) {
        return Err(ConfigError::Origin {
            found: origin.chars().take(200).collect(),
        }
        .into());
    }
    let public = config.public_url.trim_end_matches('/');
    if !public.is_empty()
        && !Url::parse(public)
            .is_some_and(|url| url.target() == "/" && !public.contains(['?', '#']))
    {
        return Err(ConfigError::PublicUrl {
            found: config.public_url.chars().take(200).collect(),
        }
        .into());
    }
    egress(config)?;
    if config.policy.len() > limits::POLICY {
        return Err(ConfigError::PolicySize.into());
    }
    let policy = Policy::parse(&config.policy).map_err(|error| ConfigError::Policy {
        error: format!("{error} [{}]", error.code()),
    })?;
    let rules = Rules::policy(policy, config.assets.clone())?;
    let Some(files) = &config.registries_d else {
        return Ok(rules);
    };
    Ok(rules
        .with_registries_d(files)
        .map_err(|error| ConfigError::RegistriesD {
            error: format!("{error} [{}]", error.code()),
        })?)
}

fn basis(config: &Config) -> String {
    let mut parts: Vec<u8> = Vec::new();
    let mut add = |part: &[u8]| {
        parts.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        parts.extend_from_slice(part);
    };
    add(concat!("sealgate ", env!("CARGO_PKG_VERSION"), " enforce").as_bytes());
    add(config.build.as_bytes());
    // What the program itself brings along and judges by.
    add(roots::DATE.as_bytes());
    add(config.upstream.as_bytes());
    add(config.name.as_bytes());
    add(&config.policy);
    // How many there are comes first, so that no file of one kind reads as one of the other.
    for files in [Some(&config.assets), config.registries_d.as_ref()] {
        let count = files.and_then(|files| u64::try_from(files.len()).ok());
        add(&count.unwrap_or(u64::MAX).to_be_bytes());
        for (path, bytes) in files.into_iter().flatten() {
            add(path.as_bytes());
            add(bytes);
        }
    }
    hex::encode(&sha256(&parts))
}
