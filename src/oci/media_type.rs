//! Media types of documents and of what they list (OCI image specification, media-types.md; Docker
//! image manifest 2.2).

use alloc::string::String;

/// An OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// A Docker image manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// A Docker manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// A Docker image manifest, schema 1, unsigned.
pub const DOCKER_V1: &str = "application/vnd.docker.distribution.manifest.v1+json";
/// A Docker image manifest, schema 1, with its signatures.
pub const DOCKER_V1_SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// The config of an OCI image.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The config of a Docker image.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// A config or layer without content: `{}`.
pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// Every manifest type, for one `Accept` header. Registries answer 404 for a type that is not asked
/// for; schema 1 is asked for so that the refusal can say what it found.
pub const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, \
                          application/vnd.oci.image.index.v1+json, \
                          application/vnd.docker.distribution.manifest.v2+json, \
                          application/vnd.docker.distribution.manifest.list.v2+json, \
                          application/vnd.docker.distribution.manifest.v1+prettyjws, \
                          application/vnd.docker.distribution.manifest.v1+json";

/// What kind of document a media type stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`OCI_MANIFEST`], [`DOCKER_MANIFEST`]
    Manifest,
    /// [`OCI_INDEX`], [`DOCKER_LIST`]
    Index,
    /// [`DOCKER_V1`], [`DOCKER_V1_SIGNED`]
    Schema1,
}

impl Kind {
    /// The kind of exactly this media type.
    pub fn of(media_type: &str) -> Option<Self> {
        match media_type {
            OCI_MANIFEST | DOCKER_MANIFEST => Some(Self::Manifest),
            OCI_INDEX | DOCKER_LIST => Some(Self::Index),
            DOCKER_V1 | DOCKER_V1_SIGNED => Some(Self::Schema1),
            _ => None,
        }
    }

    /// As it stands in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Manifest => "an image manifest",
            Self::Index => "an index",
            Self::Schema1 => "a schema 1 manifest",
        }
    }
}

/// The media type that a `Content-Type` names, without parameters and in lower case; `None` when it
/// says nothing about manifests: absent, `application/json`, `application/octet-stream`.
pub fn of_header(content_type: Option<&str>) -> Option<String> {
    let name = content_type?
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let silent = matches!(
        name.as_str(),
        "" | "application/json" | "application/octet-stream"
    );
    (!silent).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_has_them_all() {
        let names: alloc::vec::Vec<_> = ACCEPT.split(", ").collect();
        assert_eq!(
            names,
            [
                OCI_MANIFEST,
                OCI_INDEX,
                DOCKER_MANIFEST,
                DOCKER_LIST,
                DOCKER_V1_SIGNED,
                DOCKER_V1
            ]
        );
        assert!(names.iter().all(|name| Kind::of(name).is_some()));
    }

    #[test]
    fn headers() {
        for silent in [
            None,
            Some(""),
            Some("application/json"),
            Some("application/json; charset=utf-8"),
            Some("Application/Octet-Stream"),
        ] {
            assert_eq!(of_header(silent), None);
        }
        assert_eq!(
            of_header(Some(
                " Application/vnd.OCI.image.index.v1+json ;charset=utf-8"
            ))
            .as_deref(),
            Some(OCI_INDEX)
        );
        assert_eq!(of_header(Some("text/html")).as_deref(), Some("text/html"));
    }
}
