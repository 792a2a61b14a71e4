//! What is asked for.

use crate::gateway::action::Respond;
use crate::gateway::answer;
use crate::gateway::settings::Settings;
use crate::oci::url::Parts;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What `for=` may say.
const KINDS: [(&str, Guide); 8] = [
    ("podman", Guide::RegistriesConf),
    ("cri-o", Guide::RegistriesConf),
    ("openshift", Guide::MirrorSets),
    ("docker", Guide::DaemonJson),
    ("buildkit", Guide::SourcePolicy),
    ("buildkitd", Guide::BuildkitdToml),
    ("hosts", Guide::Hosts),
    ("policy", Guide::Policy),
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Guide {
    Overview,
    /// Of what containers/image reads, for all registries.
    RegistriesConf,
    /// What containerd reads of the registry with this name.
    HostsToml(String),
    /// What becomes a `registries.conf` on OpenShift's nodes.
    MirrorSets,
    /// What dockerd reads.
    DaemonJson,
    /// What a build is begun with.
    SourcePolicy,
    /// What buildkitd reads.
    BuildkitdToml,
    /// Names that lead nowhere.
    Hosts,
    /// The policy, which is for the administrator alone.
    Policy,
}

pub(crate) fn guide(url: &Parts<'_>, settings: &Settings) -> Result<Guide, Respond> {
    let parameter = |name: &str| url.parameters(name).into_iter().next();
    let Some(asked) = parameter("for") else {
        return Ok(Guide::Overview);
    };
    if asked == "containerd" {
        return hosts_toml(parameter("name"), settings);
    }
    let known = KINDS.iter().find(|(kind, _)| *kind == asked);
    known.map(|(_, guide)| guide.clone()).ok_or_else(|| {
        let kinds: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
        wrong(&format!("for= containerd, or one of {}", kinds.join(", ")))
    })
}

/// Of one registry there is nothing to choose.
fn hosts_toml(name: Option<String>, settings: &Settings) -> Result<Guide, Respond> {
    let entries = settings.entries.iter();
    let names: Vec<String> = entries.map(|entry| entry.name.clone()).collect();
    let only = names.first().filter(|_| names.len() == 1).cloned();
    name.or(only)
        .filter(|name| names.contains(name))
        .map(Guide::HostsToml)
        .ok_or_else(|| wrong(&format!("name= one of {}", names.join(", "))))
}

fn wrong(expected: &str) -> Respond {
    let message = format!("sealgate: /setup: expected {expected}");
    answer::error(400, "UNSUPPORTED", &message)
}
