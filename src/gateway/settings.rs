//! The configuration, checked once. A wrong one refuses everything and says why.

use super::action::ClientRequest;
use super::clients::Clients;
use super::config::{Config, ConfigError, Mode, SECRET, is_origin, quoted, without_slash};
use super::entries::Entries;
use super::sign_in;
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
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// The configuration as it is used.
pub(super) struct Settings {
    pub entries: Entries,
    /// Those whose evidence is carried to websites.
    pub relayed: Entries,
    /// Who may ask; nobody is asked who that is, where there are none.
    pub clients: Option<Clients>,
    /// By which rules, or why by none: then everything is refused.
    pub rules: Result<Rules, Failure>,
    /// Its bytes.
    pub policy: Vec<u8>,
    /// SHA-256 over everything that a verdict depends on, but for the image.
    pub basis: String,
    pub secret: Vec<u8>,
    pub since: i64,
    pub build: String,
    pub cors_origins: Vec<String>,
    pub publish_policy: bool,
    pub requests: usize,
    public_url: Option<String>,
    pub egress: EgressHosts,
    pub mode: Mode,
    pub admin_secret: Vec<u8>,
    pub foreign_layers: bool,
    pub stores_decisions: bool,
    /// Whether nothing is to be learnt from what is judged: it is judged beside what decides.
    pub beside: bool,
}

/// Nothing that is secret.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("entries", &self.entries)
            .field("rules", &self.rules.as_ref().map(|_| ()))
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
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
        // Without them nothing is served, whatever the mode.
        let (entries, clients) = sign_in::read(&config).unwrap_or_default();
        let relayed = Entries::relayed(&config.relay, &entries).unwrap_or_default();
        let basis = basis(&config, &entries);
        let public_url = without_slash(&config.public_url);
        Self {
            entries,
            relayed,
            clients,
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
            since: config.since,
            build: config.build,
            cors_origins: config.cors_origins,
            publish_policy: config.publish_policy,
            mode: config.mode,
            // One that is too short is nobody's.
            admin_secret: Some(config.admin_secret)
                .filter(|secret| secret.len() >= SECRET)
                .unwrap_or_default(),
            foreign_layers: config.foreign_layers,
            stores_decisions: config.stores_decisions,
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

fn egress(config: &Config) -> Result<EgressHosts, ConfigError> {
    let entries = config.egress.iter().map(String::as_str);
    EgressHosts::parse(entries).map_err(|_| ConfigError::Egress {
        found: quoted(&config.egress.join(" ")),
    })
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
    let (entries, _) = sign_in::read(config)?;
    entries.check()?;
    Entries::relayed(&config.relay, &entries)?;
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
