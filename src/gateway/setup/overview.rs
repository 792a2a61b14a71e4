//! What to do, with the commands to paste.

use super::place::Place;
use alloc::format;
use alloc::string::String;

pub(super) fn overview(place: &Place<'_>) -> String {
    let Place { entries, origin } = place;
    let mut text = format!(
        "How clients use this gateway, so that they cannot fall back to the registry itself.\n\nA \
         mirror is not enough: every client goes to the registry silently where a mirror \
         refuses.\n\npodman, skopeo, buildah, CRI-O (systemctl reload crio):\n\n    curl -fsS \
         '{origin}/setup?for=podman' -o \
         /etc/containers/registries.conf.d/50-sealgate.conf\n\nOpenShift (read it first):\n\n    \
         curl -fsS '{origin}/setup?for=openshift' -o sealgate.yaml\n    oc apply -f \
         sealgate.yaml\n\ncontainerd, Kubernetes (with config_path = \
         \"/etc/containerd/certs.d\"); docker that keeps images in containerd's store\nreads the \
         same file from /etc/docker/certs.d:\n"
    );
    for entry in entries.iter() {
        let name = &entry.name;
        text.push_str(&format!(
            "\n    mkdir -p /etc/containerd/certs.d/{name}\n    curl -fsS \
             '{origin}/setup?for=containerd&name={name}' -o \
             /etc/containerd/certs.d/{name}/hosts.toml\n"
        ));
    }
    text.push_str(
        "\nOther docker has no such setting. Pull, and build, by the gateway's name:\n\n",
    );
    for entry in entries.iter() {
        let at = place.location(entry);
        text.push_str(&format!(
            "    docker pull {at}/REPOSITORY:TAG    # {}/REPOSITORY:TAG\n",
            entry.name
        ));
    }
    text.push_str(&format!(
        "\nbuildkit: a build that asks here, whatever stands in FROM:\n\n    curl -fsS \
         '{origin}/setup?for=buildkit' -o sealgate.json\n    buildctl build --source-policy-file \
         sealgate.json ...\n    EXPERIMENTAL_BUILDKIT_SOURCE_POLICY=sealgate.json docker buildx \
         build ...\n\nMirrors of docker and buildkitd, which fall back to whatever they can \
         reach:\n\n    curl -fsS '{origin}/setup?for=docker'     # of /etc/docker/daemon.json\n    \
         curl -fsS '{origin}/setup?for=buildkitd'  # of /etc/buildkit/buildkitd.toml\n\nSee to \
         it that nodes cannot reach the registry otherwise, in the network or by\n\n    curl -fsS \
         '{origin}/setup?for=hosts' >> /etc/hosts\n\nor give only the gateway its credentials.\n"
    ));
    text
}
