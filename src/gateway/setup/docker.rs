//! dockerd's `daemon.json`, which knows mirrors of Docker Hub and nothing else of the kind.

use super::place::Place;
use crate::encoding::json;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub(super) fn daemon_json(place: &Place<'_>) -> String {
    let mut members: Vec<(&str, &str)> = Vec::new();
    if is_mirror(place) {
        members.push(("registry-mirrors", &place.origin));
    }
    if place.is_plain() {
        members.push(("insecure-registries", place.authority()));
    }
    let lines = members
        .iter()
        .map(|(name, value)| format!("  \"{name}\": [{}]", json::quote(value)));
    match lines.collect::<Vec<_>>().join(",\n") {
        lines if lines.is_empty() => "{}\n".to_string(),
        lines => format!("{{\n{lines}\n}}\n"),
    }
}

/// A mirror has no path, and docker does not say of which registry it asks: so Docker Hub is all
/// that may stand at the root, with nothing of another registry below it.
fn is_mirror(place: &Place<'_>) -> bool {
    let root = place.entries.iter().find(|entry| entry.prefix.is_empty());
    root.is_some_and(|entry| {
        entry.name == "docker.io" && place.entries.hidden(entry).next().is_none()
    })
}
