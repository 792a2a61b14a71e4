//! hosts(5): names of registries that lead nowhere, for clients that fall back to them.

use super::place::Place;
use crate::keyed::Keys;
use alloc::format;
use alloc::string::String;
use core::net::IpAddr;

const HEAD: &str = "\
# For nodes whose clients fall back to the registry (docker, buildkitd): add to /etc/hosts.
# Not where the gateway runs, which asks these registries. Clients with an HTTP proxy let the proxy
# look names up: block them there.
";

pub(super) fn hosts(place: &Place<'_>) -> String {
    let own = host_of(place.authority());
    let mut seen = Keys::default();
    let mut text = String::from(HEAD);
    for entry in place.entries.iter() {
        let host = asked(&entry.name);
        if !seen.add(host) {
            continue;
        }
        text.push_str(&if host == own {
            format!("\n# {host} is this gateway: block the registry in the network\n")
        } else if host.parse::<IpAddr>().is_ok() {
            format!("\n# {host} is an address, which no such file blocks: do it in the network\n")
        } else {
            let note = if entry.signs_in { SIGN_IN } else { "" };
            // Both, or those who look for IPv6 ask further.
            format!("\n{note}0.0.0.0 {host}\n:: {host}\n")
        });
    }
    text
}

const SIGN_IN: &str = "\
# Clients fetch tokens where this registry says. If that is the same host, they cannot any more: give
# the gateway credentials of its own.
";

/// The host that clients ask for what has this registry's name.
fn asked(name: &str) -> &str {
    match name {
        "docker.io" => "registry-1.docker.io",
        name => host_of(name),
    }
}

/// Without a port, and an IPv6 address without its brackets.
fn host_of(authority: &str) -> &str {
    let inner = (authority.strip_prefix('[')).and_then(|rest| rest.split_once(']'));
    match inner {
        Some((host, _)) => host,
        None => authority.split(':').next().unwrap_or_default(),
    }
}
