//! Which registries stand behind this gateway, and under which paths (docs/gateway.md
//! "Configuration"): one, by `UPSTREAM` and `NAME`, or several by prefix, by `REGISTRIES`.

use super::config::{Config, ConfigError, is_origin, quoted, without_slash};
use super::credentials::Credential;
use crate::encoding::json::{self, Dialect, Node, Value};
use crate::limits;
use crate::oci::url::{Parts, Url};
use crate::reference::{Grammar, Reference, ReferenceError};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// One registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RegistryEntry {
    /// Whole components before a repository's own name here; empty where there are none.
    pub prefix: String,
    /// Without a slash at its end.
    pub upstream: String,
    /// By which policies, signatures and messages know it.
    pub name: String,
    /// Whether it gets what clients sign in with. They have one login for this gateway's host, so
    /// of several registries one does: the others would get, or send their token services, what is
    /// meant for it. None does that is asked by this gateway's own word.
    pub signs_in: bool,
    /// What this gateway has is everybody's: whoever asks is not asked who that is.
    pub public: bool,
    /// A token service that gets the credentials, beside those of the registry's own host.
    pub realm: Option<String>,
    /// Under which name `UPSTREAM_CREDENTIALS` has them, where it is not that of the upstream.
    pub credentials: Option<String>,
    /// What it is asked with, for whoever may ask.
    pub own: Option<Owned>,
}

/// Credentials of this gateway's, and the name under which they were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owned {
    pub key: String,
    pub credential: Credential,
}

impl RegistryEntry {
    fn new(prefix: &str, upstream: &str, name: &str) -> Self {
        let upstream = without_slash(upstream);
        Self {
            prefix: prefix.into(),
            upstream: upstream.into(),
            name: usual_name(upstream, name).into(),
            signs_in: true,
            public: false,
            realm: None,
            credentials: None,
            own: None,
        }
    }

    /// `host[:port]`, as it is written.
    pub(super) fn authority(&self) -> &str {
        Parts::of(&self.upstream).authority
    }

    /// The repository's own name, without the prefix, if it is of this registry.
    fn strip<'r>(&self, repository: &'r str) -> Option<&'r str> {
        let rest = match self.prefix.as_str() {
            "" => Some(repository),
            prefix => repository
                .strip_prefix(prefix)
                .and_then(|rest| rest.strip_prefix('/')),
        };
        rest.filter(|rest| !rest.is_empty())
    }

    /// The name of an image of `repository` there, as messages have it.
    pub(super) fn image(&self, repository: &str, reference: &str) -> String {
        image(&self.name, &self.upstream_repository(repository), reference)
    }

    /// The reference by which policy and signatures know an image of `repository` there.
    pub(super) fn judged_name(
        &self,
        repository: &str,
        reference: &str,
    ) -> Result<Reference, ReferenceError> {
        let name = image(&self.name, repository, reference);
        Reference::normalize(&name, Grammar::Containers)
    }

    /// The repository at the upstream: Docker Hub keeps official images under `library/`.
    pub(super) fn upstream_repository(&self, repository: &str) -> String {
        if self.name == "docker.io" && !repository.contains('/') {
            format!("library/{repository}")
        } else {
            repository.into()
        }
    }

    /// Whether both are one registry, by address or by name, whatever their spelling.
    fn is_same(&self, other: &Self) -> bool {
        let place = |address: &str| {
            let url = Url::parse(address)?;
            Some((String::from(url.host()), url.port()))
        };
        let places = |entry: &Self| {
            let named = place(&format!("https://{}", entry.name));
            [place(&entry.upstream), named]
        };
        let others = places(other);
        places(self)
            .iter()
            .any(|place| place.is_some() && others.contains(place))
    }

    /// As `REGISTRIES` has it.
    pub(super) fn document(&self) -> String {
        format!(
            "{{\"prefix\":{},\"upstream\":{},\"name\":{}}}",
            json::quote(&self.prefix),
            json::quote(&self.upstream),
            json::quote(&self.name)
        )
    }

    fn check(&self) -> Result<(), ConfigError> {
        if !is_origin(&self.upstream) {
            return Err(ConfigError::Upstream {
                found: quoted(&self.upstream),
            });
        }
        let probe = Reference::normalize(&format!("{}/x/y", self.name), Grammar::Containers);
        if !probe.is_ok_and(|reference| reference.domain() == self.name) {
            return Err(ConfigError::Name {
                found: quoted(&self.name),
            });
        }
        if let Some(realm) = &self.realm
            && Url::parse(realm).is_none_or(|url| url.target().contains(['?', '#']))
        {
            return Err(wrong(format!(
                "realm to be the address of a token service, http(s)://host/path, found {:?}",
                quoted(realm)
            )));
        }
        let path = format!("h.example/{}", self.prefix);
        let is_path = Reference::parse(&path, Grammar::Containers)
            .is_ok_and(|bare| bare.is_bare() && bare.path() == self.prefix);
        if !(self.prefix.is_empty() || is_path) {
            return Err(wrong(format!(
                "a prefix of whole components such as team or hub/library, found {:?}",
                quoted(&self.prefix)
            )));
        }
        Ok(())
    }
}

/// All of them, the longest prefix first, so that the first that fits is the one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entries(Vec<RegistryEntry>);

impl Entries {
    /// As they were written; they may be wrong, which [`Self::check`] says.
    pub(super) fn read(config: &Config) -> Result<Self, ConfigError> {
        let Some(text) = &config.registries else {
            let only = RegistryEntry::new("", &config.upstream, &config.name);
            return Ok(Self(alloc::vec![only]));
        };
        if !(config.upstream.is_empty() && config.name.is_empty()) {
            return Err(wrong(
                "no UPSTREAM and no NAME beside REGISTRIES, found both".into(),
            ));
        }
        let root = json::parse(text.as_bytes(), Dialect::Strict)
            .map_err(|error| wrong(format!("a JSON list: {error}")))?;
        let listed = root.as_array().unwrap_or_default();
        if !(1..=limits::REGISTRIES).contains(&listed.len()) {
            return Err(wrong(format!(
                "a JSON list of 1 to {} registries, found {}",
                limits::REGISTRIES,
                listed.len()
            )));
        }
        let mut entries: Vec<RegistryEntry> = listed.iter().map(entry).collect::<Result<_, _>>()?;
        if entries.len() > 1 {
            for entry in &mut entries {
                entry.signs_in = entry.prefix.is_empty();
            }
        }
        entries.sort_unstable_by(|a, b| {
            let lengths = b.prefix.len().cmp(&a.prefix.len());
            lengths.then_with(|| a.prefix.cmp(&b.prefix))
        });
        Ok(Self(entries))
    }

    /// Registries that are not behind this gateway: what everybody may read there of signatures is
    /// carried to websites, each below its name.
    pub(super) fn relayed(hosts: &[String], behind: &Self) -> Result<Self, ConfigError> {
        let mut relayed = Self::default();
        for host in hosts {
            let wrong = || ConfigError::Relay {
                found: quoted(host),
            };
            let entry = relay(host).ok_or_else(wrong)?;
            let is_known = |known: &RegistryEntry| known.is_same(&entry);
            if behind.iter().chain(relayed.iter()).any(is_known)
                || relayed.0.len() >= limits::REGISTRIES
            {
                return Err(wrong());
            }
            relayed.0.push(entry);
        }
        Ok(relayed)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for entry in &self.0 {
            entry.check()?;
        }
        match self.0.windows(2).find(|pair| match pair {
            [one, other] => one.prefix == other.prefix,
            _ => false,
        }) {
            Some([twice, ..]) => Err(wrong(format!(
                "each prefix once, found {:?} twice",
                twice.prefix
            ))),
            _ => Ok(()),
        }
    }

    /// The registry that has this repository, and the repository's own name there.
    pub(super) fn of<'e, 'r>(
        &'e self,
        repository: &'r str,
    ) -> Option<(&'e RegistryEntry, &'r str)> {
        let mut fitting = self.0.iter();
        fitting.find_map(|entry| Some((entry, entry.strip(repository)?)))
    }

    /// By which name a client asks for this repository of the registry that policies know by `name`.
    pub(super) fn asked(&self, name: &str, repository: &str) -> Option<String> {
        let entry = self.0.iter().find(|entry| entry.name == name)?;
        let asked = match entry.prefix.as_str() {
            "" => repository.into(),
            prefix => format!("{prefix}/{repository}"),
        };
        // A longer prefix may hide it.
        let leads = self.of(&asked).is_some_and(|(found, _)| found == entry);
        leads.then_some(asked)
    }

    /// Names of this registry below which another one stands here, so that nobody gets them.
    pub(super) fn hidden<'e>(
        &'e self,
        entry: &'e RegistryEntry,
    ) -> impl Iterator<Item = String> + 'e {
        let others = self.0.iter().filter(move |other| *other != entry);
        others.filter_map(move |other| {
            let below = match entry.prefix.as_str() {
                "" => Some(other.prefix.as_str()),
                prefix => other.prefix.strip_prefix(prefix)?.strip_prefix('/'),
            };
            let below = below.filter(|below| !below.is_empty())?;
            Some(format!("{}/{below}", entry.name))
        })
    }

    /// The one that is asked whether a client is let in at all: that to which clients sign in.
    pub(super) fn of_ping(&self) -> Option<&RegistryEntry> {
        self.0.iter().find(|entry| entry.signs_in)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &RegistryEntry> {
        self.0.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut RegistryEntry> {
        self.0.iter_mut()
    }
}

fn wrong(expected: String) -> ConfigError {
    ConfigError::Registries { expected }
}

const MEMBERS: [&str; 6] = [
    "prefix",
    "upstream",
    "name",
    "realm",
    "credentials",
    "public",
];

/// `{"prefix": …, "upstream": …, "name": …}` and how it is asked; what is not known here could be
/// meant to restrict.
fn entry(node: &Node) -> Result<RegistryEntry, ConfigError> {
    let members = node
        .as_object()
        .ok_or_else(|| wrong("each registry to be an object, found something else".into()))?;
    if let Some(other) = members
        .iter()
        .find(|member| !MEMBERS.contains(&member.key.as_str()))
    {
        return Err(wrong(format!(
            "of each registry {}, found {:?}",
            MEMBERS.join(", "),
            quoted(&other.key)
        )));
    }
    let text = |name: &str| match node.member(name) {
        None => Ok(None),
        Some(value) => value
            .as_str()
            .map(Some)
            .ok_or_else(|| wrong(format!("{name} to be a text, found something else"))),
    };
    let public = match node.member("public").map(|public| &public.value) {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(_) => {
            return Err(wrong(
                "public to be true or false, found something else".into(),
            ));
        }
    };
    Ok(RegistryEntry {
        public,
        realm: text("realm")?.map(Into::into),
        credentials: text("credentials")?.map(Into::into),
        ..RegistryEntry::new(
            text("prefix")?.unwrap_or_default(),
            text("upstream")?.unwrap_or_default(),
            text("name")?.unwrap_or_default(),
        )
    })
}

/// Docker Hub is asked where it serves.
fn relay(host: &str) -> Option<RegistryEntry> {
    let upstream = match host.split_once("://") {
        Some(_) => host.into(),
        None if usual_name("", host) == "docker.io" => "https://registry-1.docker.io".into(),
        None => format!("https://{host}"),
    };
    let entry = RegistryEntry::new("", &upstream, "");
    entry.check().ok()?;
    Some(RegistryEntry {
        prefix: entry.name.clone(),
        signs_in: false,
        ..entry
    })
}

/// `NAME`, by default the upstream's `host[:port]` as it is written. Docker Hub has one name,
/// whichever of its hosts was written.
fn usual_name<'a>(upstream: &'a str, name: &'a str) -> &'a str {
    let name = match name {
        "" => Parts::of(upstream).authority,
        name => name,
    };
    if matches!(
        name,
        "docker.io" | "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com"
    ) {
        "docker.io"
    } else {
        name
    }
}

/// The image of this tag or digest in a repository of `host`.
pub(super) fn image(host: &str, repository: &str, reference: &str) -> String {
    let separator = if reference.contains(':') { '@' } else { ':' };
    format!("{host}/{repository}{separator}{reference}")
}

impl core::fmt::Display for Entries {
    /// Their names, for messages.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (at, entry) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" or ")?;
            }
            f.write_str(&entry.name)?;
        }
        Ok(())
    }
}
