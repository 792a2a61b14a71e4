//! `/setup` (docs/gateway.md "A plain mirror is advisory"): how clients are told to use this gateway,
//! so that they cannot fall back to the registry itself. By their own names for images, which
//! signatures and policies keep.

use super::action::{Action, ClientRequest, Respond};
use super::answer;
use super::entries::RegistryEntry;
use super::settings::Settings;
use super::wish::is_administrator;
use crate::oci::url::Parts;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

const TEXT: &str = "text/plain; charset=utf-8";

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Guide {
    Overview,
    /// Of what containers/image reads, for all registries.
    RegistriesConf,
    /// What containerd reads of the registry with this name.
    HostsToml(String),
    /// The policy, which is for the administrator alone.
    Policy,
}

pub(super) fn guide(url: &Parts<'_>, settings: &Settings) -> Result<Guide, Respond> {
    let parameter = |name: &str| url.parameters(name).into_iter().next();
    let names = || -> Vec<String> {
        let entries = settings.entries.iter();
        entries.map(|entry| entry.name.clone()).collect()
    };
    match parameter("for").as_deref() {
        None => Ok(Guide::Overview),
        Some("podman") => Ok(Guide::RegistriesConf),
        Some("policy") => Ok(Guide::Policy),
        Some("containerd") => {
            let names = names();
            let only = names.first().filter(|_| names.len() == 1).cloned();
            parameter("name")
                .or(only)
                .filter(|name| names.contains(name))
                .map(Guide::HostsToml)
                .ok_or_else(|| wrong(&format!("name= one of {}", names.join(", "))))
        }
        Some(_) => Err(wrong("for=podman, for=containerd or for=policy")),
    }
}

fn wrong(expected: &str) -> Respond {
    let message = format!("sealgate: /setup: expected {expected}");
    answer::error(400, "UNSUPPORTED", &message)
}

pub(super) fn serve(settings: &Settings, request: &ClientRequest, guide: &Guide) -> Action {
    let origin = settings.origin(request);
    match guide {
        Guide::Overview => answer::document(200, TEXT, overview(settings, &origin)),
        Guide::RegistriesConf => answer::document(200, TEXT, registries_conf(settings, &origin)),
        Guide::HostsToml(name) => {
            let named = |entry: &&RegistryEntry| entry.name == *name;
            let entry = settings.entries.iter().find(named);
            let text = entry.map(|entry| hosts_toml(entry, &origin));
            answer::document(200, TEXT, text.unwrap_or_default())
        }
        Guide::Policy if is_administrator(settings, request) => {
            let text = String::from_utf8_lossy(&settings.policy).to_string();
            answer::document(200, "application/json", text)
        }
        Guide::Policy => Action::Respond(answer::error(
            401,
            "UNAUTHORIZED",
            "sealgate: the policy is for the administrator: Authorization: Bearer …",
        )),
    }
}

/// Where an entry's repositories are, without a scheme.
fn location(entry: &RegistryEntry, origin: &str) -> String {
    let authority = Parts::of(origin).authority;
    match entry.prefix.as_str() {
        "" => authority.into(),
        prefix => format!("{authority}/{prefix}"),
    }
}

/// containers-registries.conf(5): another location is no mirror, so nothing is behind it.
fn registries_conf(settings: &Settings, origin: &str) -> String {
    let insecure = if origin.starts_with("http:") {
        "insecure = true\n"
    } else {
        ""
    };
    let mut text = String::from(
        "# For podman, skopeo, buildah, CRI-O: /etc/containers/registries.conf.d/50-sealgate.conf\n",
    );
    for entry in settings.entries.iter() {
        text.push_str(&format!(
            "\n[[registry]]\nprefix = \"{}\"\nlocation = \"{}\"\n{insecure}",
            entry.name,
            location(entry, origin)
        ));
        // Else they would be asked for here, and be another registry's.
        for hidden in settings.entries.hidden(entry) {
            text.push_str(&format!(
                "\n[[registry]]\nprefix = \"{hidden}\"\nlocation = \"{hidden}\"\nblocked = true\n"
            ));
        }
    }
    text
}

/// containerd's `hosts.toml`: the server is the gateway, too, or it would be the registry itself.
fn hosts_toml(entry: &RegistryEntry, origin: &str) -> String {
    let (address, below) = match entry.prefix.as_str() {
        "" => (origin.to_string(), ""),
        prefix => (format!("{origin}/v2/{prefix}"), "override_path = true\n"),
    };
    format!(
        "# For containerd: /etc/containerd/certs.d/{}/hosts.toml\nserver = \"{address}\"\n\
         {below}capabilities = [\"pull\", \"resolve\"]\n\n[host.\"{address}\"]\n  capabilities = \
         [\"pull\", \"resolve\"]\n{}",
        entry.name,
        if below.is_empty() {
            String::new()
        } else {
            format!("  {below}")
        }
    )
}

fn overview(settings: &Settings, origin: &str) -> String {
    let mut text = format!(
        "How clients use this gateway, so that they cannot fall back to the registry itself.\n\nA \
         mirror is not enough: every client goes to the registry silently where a mirror \
         refuses.\n\npodman, skopeo, buildah, CRI-O:\n\n    curl -fsS '{origin}/setup?for=podman' \
         -o /etc/containers/registries.conf.d/50-sealgate.conf\n\ncontainerd, Kubernetes (with \
         config_path = \"/etc/containerd/certs.d\"):\n"
    );
    for entry in settings.entries.iter() {
        let name = &entry.name;
        text.push_str(&format!(
            "\n    mkdir -p /etc/containerd/certs.d/{name}\n    curl -fsS \
             '{origin}/setup?for=containerd&name={name}' -o \
             /etc/containerd/certs.d/{name}/hosts.toml\n"
        ));
    }
    text.push_str(
        "\ndocker has no such setting: --registry-mirror always falls back. Pull by the \
         gateway's name:\n\n",
    );
    for entry in settings.entries.iter() {
        let at = location(entry, origin);
        text.push_str(&format!(
            "    docker pull {at}/REPOSITORY:TAG    # {}/REPOSITORY:TAG\n",
            entry.name
        ));
    }
    text.push_str(
        "\nThen see to it that nodes cannot reach the registry otherwise, or give only the \
         gateway its credentials.\n",
    );
    text
}
