//! The answers.

use super::buildkit::{buildkitd_toml, source_policy};
use super::containerd::hosts_toml;
use super::containers::registries_conf;
use super::docker::daemon_json;
use super::guide::Guide;
use super::hosts::hosts;
use super::openshift::mirror_sets;
use super::overview::overview;
use super::place::Place;
use crate::gateway::action::{Action, ClientRequest};
use crate::gateway::answer;
use crate::gateway::settings::Settings;
use crate::gateway::wish::is_administrator;
use alloc::string::{String, ToString};

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

pub(crate) fn serve(settings: &Settings, request: &ClientRequest, guide: &Guide) -> Action {
    if *guide == Guide::Policy {
        return policy(settings, request);
    }
    let Some(place) = Place::new(&settings.entries, &settings.origin(request)) else {
        return Action::Respond(answer::error(
            400,
            "UNSUPPORTED",
            "sealgate: /setup: expected to be asked as http(s)://host, found something else: set \
             PUBLIC_URL",
        ));
    };
    let (kind, text) = match guide {
        Guide::Overview | Guide::Policy => (TEXT, overview(&place)),
        Guide::RegistriesConf => (TEXT, registries_conf(&place)),
        Guide::HostsToml(name) => {
            let entry = settings.entries.iter().find(|entry| entry.name == *name);
            let text = entry.map(|entry| hosts_toml(&place, entry));
            (TEXT, text.unwrap_or_default())
        }
        Guide::MirrorSets => (TEXT, mirror_sets(&place)),
        Guide::DaemonJson => (JSON, daemon_json(&place)),
        Guide::SourcePolicy => (JSON, source_policy(&place)),
        Guide::BuildkitdToml => (TEXT, buildkitd_toml(&place)),
        Guide::Hosts => (TEXT, hosts(&place)),
    };
    answer::document(200, kind, text)
}

fn policy(settings: &Settings, request: &ClientRequest) -> Action {
    if is_administrator(settings, request) {
        let text = String::from_utf8_lossy(&settings.policy).to_string();
        return answer::document(200, JSON, text);
    }
    Action::Respond(answer::error(
        401,
        "UNAUTHORIZED",
        "sealgate: the policy is for the administrator: Authorization: Bearer …",
    ))
}
