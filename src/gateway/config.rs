//! What an operator decides, as it was written.

use crate::oci::url::Url;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Bytes of a secret that nobody guesses.
pub(super) const SECRET: usize = 16;

/// What an operator decides.
#[derive(Clone)]
pub struct Config {
    /// `REGISTRIES`: a JSON list of `{"prefix": …, "upstream": …, "name": …}`, instead of the two
    /// that follow.
    pub registries: Option<String>,
    /// `UPSTREAM_CREDENTIALS`: what registries are asked with, a JSON object from `host[:port]`, or
    /// the name that an entry of `REGISTRIES` gives, to credentials; or docker's `config.json`.
    pub upstream_credentials: Option<String>,
    /// `CLIENTS`: who may ask, a JSON list of `{"name": …, "sha256": …, "repositories": […]}`;
    /// without it, clients sign in at the registry.
    pub clients: Option<String>,
    /// `UPSTREAM`: http or https, host and port, no path.
    pub upstream: String,
    /// `NAME`: the name by which policies and signatures know the registry; empty for the
    /// upstream's own.
    pub name: String,
    /// The bytes of `POLICY`.
    pub policy: Vec<u8>,
    /// The bytes of `POLICY_NEXT`: what it would change is reported, and nothing else.
    pub policy_next: Option<Vec<u8>>,
    /// The files that they name.
    pub assets: BTreeMap<String, Vec<u8>>,
    /// `REGISTRIES_D`: the files of a folder, by their names; without it attachments are looked at
    /// everywhere.
    pub registries_d: Option<BTreeMap<String, Vec<u8>>>,
    /// `SECRET`: for the HMAC of what is stored outside of this isolate; without it nothing is.
    pub secret: Vec<u8>,
    /// Verdicts of a store from before this, in milliseconds since 1970, are asked for no more: what a
    /// gateway that this one replaces has forgotten stays forgotten. 0: all may be asked for.
    pub since: i64,
    /// Which build of this program it is: records of another build are ignored.
    pub build: String,
    /// `CORS_ORIGINS`: origins of websites that may read what stands beside `/v2/`; `*` is every
    /// one.
    pub cors_origins: Vec<String>,
    /// `RELAY`: registries whose evidence is carried to websites, each as `host[:port]` (over https) or
    /// as an address.
    pub relay: Vec<String>,
    /// `PUBLISH_POLICY`: whether evidence carries the part of the policy that decides for the
    /// image.
    pub publish_policy: bool,
    /// Requests to the upstream that one request may need; 0 is the standard, 256.
    pub requests: usize,
    /// `PUBLIC_URL`: by which address clients know this gateway, `http(s)://host[:port]`; empty
    /// for the one that they ask.
    pub public_url: String,
    /// `EGRESS`: `host[:port]` that redirects may lead to although they are private.
    pub egress: Vec<String>,
    /// `MODE`: by default what is refused is not served.
    pub mode: Mode,
    /// `ADMIN_SECRET`: who bears it administrates this gateway; nobody where it is empty.
    pub admin_secret: Vec<u8>,
    /// Whether the store keeps what was decided, too ([`crate::host::Store::append`]).
    pub stores_decisions: bool,
    /// `FOREIGN_LAYERS`: whether images may have layers that clients fetch from elsewhere.
    pub foreign_layers: bool,
}

/// What becomes of what is refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// It is not served.
    #[default]
    Enforce,
    /// It is served, and reported (docs/gateway.md "Serving").
    Audit,
}

impl Mode {
    /// `audit`; whatever else it says, nothing is let through.
    pub fn named(name: &str) -> Self {
        if name == "audit" {
            Self::Audit
        } else {
            Self::Enforce
        }
    }

    /// Its name, as the setting has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Audit => "audit",
        }
    }
}

/// Nothing that is secret, or may hold something that is.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("registries", &self.registries)
            .field("upstream", &self.upstream)
            .field("name", &self.name)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            registries: None,
            upstream_credentials: None,
            clients: None,
            upstream: String::new(),
            name: String::new(),
            policy: Vec::new(),
            policy_next: None,
            assets: BTreeMap::new(),
            registries_d: None,
            secret: Vec::new(),
            since: 0,
            build: env!("CARGO_PKG_VERSION").into(),
            cors_origins: Vec::new(),
            relay: Vec::new(),
            publish_policy: true,
            requests: 0,
            public_url: String::new(),
            egress: Vec::new(),
            mode: Mode::default(),
            admin_secret: Vec::new(),
            stores_decisions: false,
            foreign_layers: false,
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
        Registries { expected: String } => "config.registries", "REGISTRIES: expected {expected}";
        UpstreamCredentials { expected: String } => "config.upstream-credentials",
            "UPSTREAM_CREDENTIALS: expected {expected}";
        Clients { expected: String } => "config.clients", "CLIENTS: expected {expected}";
        Policy { error: String } => "config.policy", "POLICY: {error}";
        RegistriesD { error: String } => "config.registries-d", "REGISTRIES_D: {error}";
        PolicySize => "config.policy-size", "POLICY: expected at most 1 MiB";
        Origin { found: String } => "config.cors-origins",
            "CORS_ORIGINS: expected origins such as https://docs.example.com, or *, found \
             {found:?}";
        Relay { found: String } => "config.relay",
            "RELAY: expected registries as host[:port] or http(s)://host[:port], none of which stands \
             behind this gateway, each once and at most 64, found {found:?}";
        PublicUrl { found: String } => "config.public-url",
            "PUBLIC_URL: expected http(s)://host[:port], found {found:?}";
        AdminSecret => "config.admin-secret",
            "ADMIN_SECRET: expected at least 16 bytes, or none, where nobody administrates this \
             gateway; found fewer";
        Egress { found: String } => "config.egress",
            "EGRESS: expected host or host:port, separated by commas or spaces, found {found:?}";
    }
}

pub(super) fn without_slash(url: &str) -> &str {
    url.trim_end_matches('/')
}

/// As much of a wrong value as a message repeats.
pub(super) fn quoted(value: &str) -> String {
    value.chars().take(200).collect()
}

/// Whether it is `http(s)://host[:port]` and nothing else.
pub(super) fn is_origin(text: &str) -> bool {
    Url::parse(text).is_some_and(|url| url.target() == "/" && !text.contains(['?', '#']))
}
