//! Where clients find the registries behind this gateway.

use crate::gateway::config::is_origin;
use crate::gateway::entries::{Entries, RegistryEntry};
use crate::oci::url::Parts;
use alloc::format;
use alloc::string::{String, ToString};

pub(super) struct Place<'s> {
    pub entries: &'s Entries,
    /// `http(s)://host[:port]`: nothing that would need quotes in any file.
    pub origin: String,
}

impl<'s> Place<'s> {
    /// `None` for an address that no client could use.
    pub(super) fn new(entries: &'s Entries, origin: &str) -> Option<Self> {
        is_origin(origin).then(|| Self {
            entries,
            origin: origin.into(),
        })
    }

    /// `host[:port]`.
    pub(super) fn authority(&self) -> &str {
        Parts::of(&self.origin).authority
    }

    /// Whether clients must be told that they need no TLS.
    pub(super) fn is_plain(&self) -> bool {
        Parts::of(&self.origin).scheme.eq_ignore_ascii_case("http")
    }

    /// Where an entry's repositories are, without a scheme.
    pub(super) fn location(&self, entry: &RegistryEntry) -> String {
        match entry.prefix.as_str() {
            "" => self.authority().to_string(),
            prefix => format!("{}/{prefix}", self.authority()),
        }
    }
}
