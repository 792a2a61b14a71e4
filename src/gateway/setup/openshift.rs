//! OpenShift's mirror sets, of which the machine-config operator makes the `registries.conf` of its
//! nodes: `NeverContactSource` becomes `blocked = true`, with the gateway as a mirror before it.

use super::place::Place;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

const HEAD: &str = "\
# For OpenShift 4.13 or newer: oc apply -f sealgate.yaml
# Both kinds are needed: one is for pulls by digest, the other for pulls by tag.
";

/// The sources of the mirrors do not belong into `blockedRegistries`, which refuses images by these
/// names wherever they come from.
const IMAGE: &str = "\
---
# Only one object of this kind exists, and its lists are replaced: add what stands in yours.
apiVersion: config.openshift.io/v1
kind: Image
metadata:
  name: cluster
spec:
  registrySources:
";

pub(super) fn mirror_sets(place: &Place<'_>) -> String {
    let mut text = String::from(HEAD);
    text.push_str(&mirror_set(
        place,
        "ImageDigestMirrorSet",
        "imageDigestMirrors",
    ));
    text.push_str("---\n");
    text.push_str(&mirror_set(place, "ImageTagMirrorSet", "imageTagMirrors"));
    let entries = place.entries.iter();
    let hidden: Vec<String> = entries
        .flat_map(|entry| place.entries.hidden(entry))
        .collect();
    if place.is_plain() || !hidden.is_empty() {
        text.push_str(IMAGE);
    }
    if place.is_plain() {
        text.push_str(&format!(
            "    insecureRegistries:\n      - \"{}\"\n",
            place.authority()
        ));
    }
    if !hidden.is_empty() {
        text.push_str("    # Here they would be another registry's.\n    blockedRegistries:\n");
    }
    for name in hidden {
        text.push_str(&format!("      - \"{name}\"\n"));
    }
    text
}

fn mirror_set(place: &Place<'_>, kind: &str, member: &str) -> String {
    let mut text = format!(
        "apiVersion: config.openshift.io/v1\nkind: {kind}\nmetadata:\n  name: sealgate\nspec:\n  \
         {member}:\n"
    );
    for entry in place.entries.iter() {
        text.push_str(&format!(
            "    - source: \"{}\"\n      mirrors:\n        - \"{}\"\n      mirrorSourcePolicy: \
             NeverContactSource\n",
            entry.name,
            place.location(entry)
        ));
    }
    text
}
