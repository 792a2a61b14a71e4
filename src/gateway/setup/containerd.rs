//! containerd's `hosts.toml`: the server is the gateway, too, or it would be the registry itself.
//! docker reads the same file for images that it keeps in containerd's store.

use super::place::Place;
use crate::gateway::entries::RegistryEntry;
use alloc::format;
use alloc::string::String;

pub(super) fn hosts_toml(place: &Place<'_>, entry: &RegistryEntry) -> String {
    let (address, below) = match entry.prefix.as_str() {
        "" => (place.origin.clone(), ""),
        prefix => (
            format!("{}/v2/{prefix}", place.origin),
            "override_path = true\n",
        ),
    };
    let name = &entry.name;
    let indented = if below.is_empty() { "" } else { "  " };
    format!(
        "# For containerd: /etc/containerd/certs.d/{name}/hosts.toml\n# For docker that keeps \
         images in containerd's store: /etc/docker/certs.d/{name}/hosts.toml\nserver = \
         \"{address}\"\n{below}capabilities = [\"pull\", \"resolve\"]\n\n[host.\"{address}\"]\n  \
         capabilities = [\"pull\", \"resolve\"]\n{indented}{below}"
    )
}
