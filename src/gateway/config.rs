//! The configuration, checked once. A wrong one refuses everything and says why.

use super::action::ClientRequest;
use super::entries::Entries;
use crate::crypto::Provider;
use crate::digest::sha256;
use crate::encoding::hex;
use crate::error::{Coded, Failure};
use crate::limits;
use crate::oci::registry::EgressHosts;
use crate::oci::url::{Parts, Url};
use crate::policy::Policy;
use crate::sigstore::roots;
use crate::verify::Rules;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Bytes of a secret that nobody guesses.
pub(super) const SECRET: usize = 16;

/// What an operator decides.
#[derive(Debug, Clone)]
pub struct Config {
    /// `REGISTRIES`: a JSON list of `{"prefix": …, "upstream": …, "name": …}`, instead of the two
    /// that follow.
    pub registries: Option<String>,
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
    /// Which build of this program it is: records of another build are ignored.
    pub build: String,
    /// `CORS_ORIGINS`: origins of websites that may read what stands beside `/v2/`; `*` is every
    /// one.
    pub cors_origins: Vec<String>,
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

impl Default for Config {
    fn default() -> Self {
        Self {
            registries: None,
            upstream: String::new(),
            name: String::new(),
            policy: Vec::new(),
            policy_next: None,
            assets: BTreeMap::new(),
            registries_d: None,
            secret: Vec::new(),
            build: env!("CARGO_PKG_VERSION").into(),
            cors_origins: Vec::new(),
            publish_policy: true,
            requests: 0,
            public_url: String::new(),
            egress: Vec::new(),
            mode: Mode::default(),
            admin_secret: Vec::new(),
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
        Policy { error: String } => "config.policy", "POLICY: {error}";
        RegistriesD { error: String } => "config.registries-d", "REGISTRIES_D: {error}";
        PolicySize => "config.policy-size", "POLICY: expected at most 1 MiB";
        Origin { found: String } => "config.cors-origins",
            "CORS_ORIGINS: expected origins such as https://docs.example.com, or *, found \
             {found:?}";
        PublicUrl { found: String } => "config.public-url",
            "PUBLIC_URL: expected http(s)://host[:port], found {found:?}";
        AdminSecret => "config.admin-secret",
            "ADMIN_SECRET: expected at least 16 bytes, or none, where nobody administrates this \
             gateway; found fewer";
        Egress { found: String } => "config.egress",
            "EGRESS: expected host or host:port, separated by commas or spaces, found {found:?}";
    }
}

/// The configuration as it is used.
#[derive(Debug)]
pub(super) struct Settings {
    pub entries: Entries,
    /// By which rules, or why by none: then everything is refused.
    pub rules: Result<Rules, Failure>,
    /// Its bytes.
    pub policy: Vec<u8>,
    /// SHA-256 over everything that a verdict depends on, but for the image.
    pub basis: String,
    pub secret: Vec<u8>,
    pub build: String,
    pub cors_origins: Vec<String>,
    pub publish_policy: bool,
    pub requests: usize,
    public_url: Option<String>,
    pub egress: EgressHosts,
    pub mode: Mode,
    pub admin_secret: Vec<u8>,
    pub foreign_layers: bool,
    /// Whether nothing is to be learnt from what is judged: it is judged beside what decides.
    pub beside: bool,
}

impl Settings {
    /// What would be in force with the next policy, where there is one.
    fn next(config: &Config) -> Option<Config> {
        Some(Config {
            policy: config.policy_next.clone()?,
            policy_next: None,
            mode: Mode::Enforce,
            ..config.clone()
        })
    }

    /// Those of the policy in force, and those of the next one.
    #[cfg(feature = "arithmetic")]
    pub(super) fn both(config: Config) -> (Self, Option<Self>) {
        let next = Self::next(&config).map(Self::new);
        (Self::new(config), next.map(Self::beside))
    }

    /// The same, by this provider.
    pub(super) async fn both_by<P: Provider>(config: Config, provider: &P) -> (Self, Option<Self>) {
        let next = match Self::next(&config) {
            Some(next) => Some(Self::new_by(next, provider).await.beside()),
            None => None,
        };
        (Self::new_by(config, provider).await, next)
    }

    fn beside(self) -> Self {
        Self {
            beside: true,
            ..self
        }
    }

    #[cfg(feature = "arithmetic")]
    fn new(config: Config) -> Self {
        let rules = crate::crypto::at_once(check(&config, &crate::crypto::RustCrypto));
        let rules = rules.unwrap_or_else(|error| Err(error.into()));
        Self::with(config, rules)
    }

    async fn new_by<P: Provider>(config: Config, provider: &P) -> Self {
        let rules = check(&config, provider).await;
        Self::with(config, rules)
    }

    fn with(config: Config, rules: Result<Rules, Failure>) -> Self {
        let entries = Entries::read(&config).unwrap_or_default();
        let basis = basis(&config, &entries);
        let public_url = without_slash(&config.public_url);
        Self {
            entries,
            rules,
            basis,
            public_url: Some(public_url.into()).filter(|url: &String| !url.is_empty()),
            egress: egress(&config).unwrap_or_default(),
            requests: match config.requests {
                0 => limits::REQUESTS,
                requests => requests.min(limits::REQUESTS),
            },
            policy: config.policy,
            secret: config.secret,
            build: config.build,
            cors_origins: config.cors_origins,
            publish_policy: config.publish_policy,
            mode: config.mode,
            // One that is too short is nobody's.
            admin_secret: Some(config.admin_secret)
                .filter(|secret| secret.len() >= SECRET)
                .unwrap_or_default(),
            foreign_layers: config.foreign_layers,
            beside: false,
        }
    }

    /// Scheme, host and port by which clients know this gateway: behind something that ends TLS,
    /// the request does not say.
    pub(super) fn origin(&self, request: &ClientRequest) -> String {
        match &self.public_url {
            Some(url) => url.clone(),
            None => Parts::of(&request.url).origin(),
        }
    }
}

pub(super) fn without_slash(url: &str) -> &str {
    url.trim_end_matches('/')
}

fn egress(config: &Config) -> Result<EgressHosts, ConfigError> {
    let entries = config.egress.iter().map(String::as_str);
    EgressHosts::parse(entries).map_err(|_| ConfigError::Egress {
        found: quoted(&config.egress.join(" ")),
    })
}

/// As much of a wrong value as a message repeats.
pub(super) fn quoted(value: &str) -> String {
    value.chars().take(200).collect()
}

async fn check<P: Provider>(config: &Config, provider: &P) -> Result<Rules, Failure> {
    check_addresses(config)?;
    egress(config)?;
    if (1..SECRET).contains(&config.admin_secret.len()) {
        return Err(ConfigError::AdminSecret.into());
    }
    if config.policy.len() > limits::POLICY {
        return Err(ConfigError::PolicySize.into());
    }
    let with_code = |error: &dyn Coded| format!("{error} [{}]", error.code());
    let policy = Policy::parse(&config.policy).map_err(|error| ConfigError::Policy {
        error: with_code(&error),
    })?;
    let rules = Rules::policy_by(policy, config.assets.clone(), provider).await?;
    let Some(files) = &config.registries_d else {
        return Ok(rules);
    };
    Ok(rules
        .with_registries_d(files)
        .map_err(|error| ConfigError::RegistriesD {
            error: with_code(&error),
        })?)
}

fn check_addresses(config: &Config) -> Result<(), ConfigError> {
    Entries::read(config)?.check()?;
    // Browsers send an origin in one spelling, and it is compared as text.
    let is_spelt_otherwise = |origin: &&String| {
        *origin != "*"
            && Url::parse(origin).is_none_or(|url| url.to_string() != format!("{origin}/"))
    };
    if let Some(origin) = config.cors_origins.iter().find(is_spelt_otherwise) {
        return Err(ConfigError::Origin {
            found: quoted(origin),
        });
    }
    let public = without_slash(&config.public_url);
    if !(public.is_empty() || is_origin(public)) {
        return Err(ConfigError::PublicUrl {
            found: quoted(&config.public_url),
        });
    }
    Ok(())
}

/// Whether it is `http(s)://host[:port]` and nothing else.
pub(super) fn is_origin(text: &str) -> bool {
    Url::parse(text).is_some_and(|url| url.target() == "/" && !text.contains(['?', '#']))
}

fn basis(config: &Config, entries: &Entries) -> String {
    let mut parts: Vec<u8> = Vec::new();
    let mut add = |part: &[u8]| {
        parts.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        parts.extend_from_slice(part);
    };
    add(concat!("sealgate ", env!("CARGO_PKG_VERSION")).as_bytes());
    add(config.mode.name().as_bytes());
    add(config.build.as_bytes());
    // The trusted roots that are compiled in.
    add(roots::DATE.as_bytes());
    for entry in entries.iter() {
        for part in [&entry.prefix, &entry.upstream, &entry.name] {
            add(part.as_bytes());
        }
    }
    add(&config.policy);
    // Their number stands first, so that no file of one kind reads as one of the other.
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
