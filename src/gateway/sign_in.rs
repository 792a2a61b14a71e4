//! Who may ask this gateway, and with what it asks the registries, as one: what is wrong here refuses
//! everything, whatever the mode. Else a private registry would be everybody's.

use super::clients::Clients;
use super::config::{Config, ConfigError};
use super::credentials::{self, Credential};
use super::entries::{Entries, Owned, RegistryEntry};
use crate::keyed::Keyed;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The registries with their credentials, and the clients.
pub(super) fn read(config: &Config) -> Result<(Entries, Option<Clients>), ConfigError> {
    let mut entries = Entries::read(config)?;
    let given = match &config.upstream_credentials {
        Some(text) => credentials::read(text)?,
        None => Keyed::default(),
    };
    let mut used = Keyed::default();
    for entry in entries.iter_mut() {
        entry.own = own(entry, &given)?;
        if let Some(own) = &entry.own {
            check_use(entry, own, &mut used)?;
            if config.clients.is_none() && !entry.public {
                return Err(unguarded(own));
            }
        }
        // The gateway's own login is one, and goes no further.
        entry.signs_in &= entry.own.is_none() && !entry.public && config.clients.is_none();
    }
    let mut all = given.iter();
    if let Some((key, _)) = all.find(|(key, _)| !used.contains(key)) {
        let mut known: Vec<&str> = entries.iter().map(key_of).collect();
        known.sort_unstable();
        known.dedup();
        let known = known.join(", ");
        let expected = format!("to be the registry of one that stands here: {known}");
        return Err(credentials::of(key, &expected));
    }
    let clients = config.clients.as_deref();
    let clients = clients.map(|text| Clients::read(text, &entries));
    Ok((entries, clients.transpose()?))
}

/// Under which name its credentials are.
fn key_of(entry: &RegistryEntry) -> &str {
    match &entry.credentials {
        Some(name) => name,
        None => credentials::spelling(entry.authority()),
    }
}

fn own(entry: &RegistryEntry, given: &Keyed<Credential>) -> Result<Option<Owned>, ConfigError> {
    let key = key_of(entry);
    match given.get(key) {
        Some(credential) => Ok(Some(Owned {
            key: key.into(),
            credential: credential.clone(),
        })),
        None if entry.credentials.is_some() => {
            let expected = "to be there, as REGISTRIES names it, found it missing";
            Err(credentials::of(key, expected))
        }
        None => Ok(None),
    }
}

/// Credentials are for one registry.
fn check_use(
    entry: &RegistryEntry,
    own: &Owned,
    used: &mut Keyed<String>,
) -> Result<(), ConfigError> {
    let upstream = entry.upstream.clone();
    let before = used.insert(own.key.as_str(), upstream);
    match before {
        Some(other) if other != entry.upstream => Err(credentials::of(
            &own.key,
            "to be of one registry, found it named for two: write it twice, under two names",
        )),
        _ => Ok(()),
    }
}

fn unguarded(own: &Owned) -> ConfigError {
    credentials::of(
        &own.key,
        "to come with CLIENTS, which says who may ask for what these credentials read, or with \
         \"public\": true in its REGISTRIES entry: without either everybody could read it here",
    )
}
