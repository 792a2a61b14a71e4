//! Scopes: which of them an image is looked up under, and which a transport can have
//! (docs/containers-image.md sections 1.3 and 1.4).
//!
//! Scopes are compared as text, and nothing is inherited: the first hit decides alone.

use crate::digest::Digest;
use crate::reference::Reference;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

codes! {
    /// This reference names no one image.
    pub enum IdentityError {
        Bare { name: String } => "policy.bare-reference",
            "expected a tag or a digest, found {name}: write {name}:latest if that is meant";
        Path { path: String } => "policy.path",
            "expected an absolute path without '.', '..', doubled or trailing slashes, found \
             {path:?}";
        TagAndDigest { reference: Reference } => "reference.tag-and-digest",
            "Docker references with both a tag and digest are currently not supported: leave the \
             tag or the digest out of {reference}";
    }
}

/// The most specific scope of an image of `docker:`: `name:tag` or `name@digest`.
///
/// # Errors
/// [`IdentityError`]: neither or both.
pub fn docker_identity(image: &Reference) -> Result<String, IdentityError> {
    match (image.tag(), image.digest()) {
        (Some(_), Some(_)) => Err(IdentityError::TagAndDigest {
            reference: image.clone(),
        }),
        (None, None) => Err(IdentityError::Bare { name: image.name() }),
        _ => Ok(image.to_string()),
    }
}

/// The further scopes of an image of `docker:`, most specific first: the name, the name without its
/// last components down to `host[:port]`, then `*.` and what remains of the host as labels are
/// dropped from its front.
pub fn docker_namespaces(image: &Reference) -> Vec<String> {
    let mut name = image.name();
    let mut scopes = vec![name.clone()];
    while let Some(at) = name.rfind('/') {
        name.truncate(at);
        scopes.push(name.clone());
    }
    let mut host = name.split(':').next().unwrap_or_default();
    while let Some((_, rest)) = host.split_once('.') {
        scopes.push(format!("*.{rest}"));
        host = rest;
    }
    scopes
}

/// Every scope of an image of `docker:`, most specific first, the transport's own `""` at the end.
///
/// # Errors
/// [`IdentityError`]: neither tag nor digest, or both.
pub fn docker_scopes(image: &Reference) -> Result<Vec<String>, IdentityError> {
    let mut scopes = vec![docker_identity(image)?];
    scopes.extend(docker_namespaces(image));
    scopes.push(String::new());
    Ok(scopes)
}

/// A transport whose images are files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileTransport {
    /// `oci:`, a folder with an OCI layout.
    Oci,
    /// `oci-archive:`, the same in a tar file.
    OciArchive,
    /// `dir:`, containers/image's own folders.
    Dir,
    /// `docker-archive:`, what `docker save` writes.
    DockerArchive,
}

impl FileTransport {
    /// As policies write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Oci => "oci",
            Self::OciArchive => "oci-archive",
            Self::Dir => "dir",
            Self::DockerArchive => "docker-archive",
        }
    }
}

/// The scopes of an image in files, most specific first, but for `""`: its path with links
/// resolved, then the folders above it, `/` not among them. An archive of docker has none.
///
/// # Errors
/// [`IdentityError::Path`].
pub fn file_scopes(transport: FileTransport, path: &str) -> Result<Vec<String>, IdentityError> {
    if transport == FileTransport::DockerArchive {
        return Ok(Vec::new());
    }
    if !is_clean_path(path) {
        return Err(IdentityError::Path {
            path: path.chars().take(200).collect(),
        });
    }
    let mut scopes = vec![String::from(path)];
    let mut rest = path;
    while let Some((above, _)) = rest.rsplit_once('/').filter(|(above, _)| !above.is_empty()) {
        scopes.push(above.into());
        rest = above;
    }
    Ok(scopes)
}

/// The transports that containers/image has.
pub(super) const TRANSPORTS: [&str; 11] = [
    "docker",
    "atomic",
    "docker-daemon",
    "docker-archive",
    "oci",
    "oci-archive",
    "dir",
    "sif",
    "containers-storage",
    "tarball",
    "ostree",
];

/// What a scope of `transport` must look like when `scope` does not; `None` when the scope can be
/// one, and for transports that are not known.
pub(super) fn expected(transport: &str, scope: &str) -> Option<&'static str> {
    let (valid, expected) = match transport {
        _ if scope.is_empty() => return None,
        "atomic" => (is_atomic(scope), "host[/namespace[/stream[:tag]]]"),
        "docker-daemon" => (
            Digest::parse(scope).is_err(),
            "a name, not algorithm:digest",
        ),
        "docker-archive" | "tarball" => (false, "nothing else"),
        "oci" | "oci-archive" | "dir" | "sif" => (
            is_clean_path(scope),
            "an absolute path without '.', '..', doubled or trailing slashes",
        ),
        "containers-storage" => (
            is_storage(scope),
            "[driver@/root] or [/root], then name, @digest, @image-id",
        ),
        _ => return None,
    };
    (!valid).then_some(expected)
}

fn is_atomic(scope: &str) -> bool {
    let mut parts = scope.split('/');
    let _host = parts.next();
    let namespace = parts.next().is_none_or(|part| !part.contains(':'));
    let stream = parts
        .next()
        .is_none_or(|part| part.matches(':').count() <= 1);
    namespace && stream && parts.next().is_none()
}

fn is_clean_path(scope: &str) -> bool {
    scope
        .strip_prefix('/')
        .is_some_and(|rest| rest.split('/').all(|part| !matches!(part, "" | "." | "..")))
}

fn is_storage(scope: &str) -> bool {
    let Some((store, image)) = scope
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    else {
        return false;
    };
    let root = match store.split_once('@') {
        Some(("", _)) => return false,
        Some((_, root)) => root,
        None => store,
    };
    let id = |text: &str| Digest::parse(&format!("sha256:{text}")).is_ok();
    let digest = |text: &str| Digest::parse(text).is_ok();
    let mut parts = image.splitn(3, '@').skip(1);
    let tail = match (parts.next(), parts.next()) {
        (None, _) => true,
        (Some(one), None) => id(one) || digest(one),
        (Some(first), Some(second)) => digest(first) && id(second),
    };
    root.starts_with('/') && tail
}
