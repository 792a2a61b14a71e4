//! BuildKit: a source policy leads a build elsewhere, with no way back; mirrors in `buildkitd.toml`
//! fall back.

use super::place::Place;
use crate::encoding::json;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What no name may begin with (RFC 6761), so that nothing is there.
const NOWHERE: &str = "docker-image://blocked.invalid/";

/// The first rule that changes an address ends a round, and rounds go on until none does: so names
/// that are another registry's here are led away first, to what is denied then.
pub(super) fn source_policy(place: &Place<'_>) -> String {
    let mut rules: Vec<String> = Vec::new();
    for entry in place.entries.iter() {
        let hidden = place.entries.hidden(entry);
        rules.extend(hidden.map(|name| convert(&name, &format!("{NOWHERE}{name}"))));
    }
    for entry in place.entries.iter() {
        let to = format!("docker-image://{}", place.location(entry));
        rules.push(convert(&entry.name, &to));
    }
    rules.push(format!(
        "    {{\n      \"action\": \"DENY\",\n      \"selector\": {{\"identifier\": {}, \
         \"matchType\": \"WILDCARD\"}}\n    }}",
        json::quote(&format!("{NOWHERE}*"))
    ));
    format!("{{\n  \"rules\": [\n{}\n  ]\n}}\n", rules.join(",\n"))
}

fn convert(name: &str, to: &str) -> String {
    format!(
        "    {{\n      \"action\": \"CONVERT\",\n      \"selector\": {{\"identifier\": {}, \
         \"matchType\": \"WILDCARD\"}},\n      \"updates\": {{\"identifier\": {}}}\n    }}",
        json::quote(&format!("docker-image://{name}/*")),
        json::quote(&format!("{to}/${{1}}"))
    )
}

pub(super) fn buildkitd_toml(place: &Place<'_>) -> String {
    let mut text = String::from(
        "# For buildkitd: /etc/buildkit/buildkitd.toml\n# These are mirrors: where one refuses, \
         buildkitd goes to the registry itself, unless nodes\n# cannot reach it (/setup?for=hosts).\
         \n",
    );
    let authority = place.authority();
    // A table stands once in a file.
    let others = place.entries.iter().filter(|entry| entry.name != authority);
    for entry in others {
        text.push_str(&format!(
            "\n[registry.\"{}\"]\n  mirrors = [\"{}\"]\n",
            entry.name,
            place.location(entry)
        ));
    }
    if place.is_plain() {
        text.push_str(&format!("\n[registry.\"{authority}\"]\n  http = true\n"));
    }
    text
}
