//! containers-registries.conf(5): another location is no mirror, so nothing is behind it.

use super::place::Place;
use alloc::format;
use alloc::string::String;

pub(super) fn registries_conf(place: &Place<'_>) -> String {
    let insecure = if place.is_plain() {
        "insecure = true\n"
    } else {
        ""
    };
    let mut text = String::from(
        "# For podman, skopeo, buildah, CRI-O: /etc/containers/registries.conf.d/50-sealgate.conf\n",
    );
    for entry in place.entries.iter() {
        text.push_str(&format!(
            "\n[[registry]]\nprefix = \"{}\"\nlocation = \"{}\"\n{insecure}",
            entry.name,
            place.location(entry)
        ));
        // Else they would be asked for here, and be another registry's.
        for hidden in place.entries.hidden(entry) {
            text.push_str(&format!(
                "\n[[registry]]\nprefix = \"{hidden}\"\nlocation = \"{hidden}\"\nblocked = true\n"
            ));
        }
    }
    text
}
