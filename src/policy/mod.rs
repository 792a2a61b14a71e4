//! `policy.json`: what must hold for an image to run (containers-policy.json(5);
//! docs/containers-image.md sections 1 to 4, docs/trust.md section 1 for the vocabulary that
//! `"sealgate": {"version": 1}` opens).
//!
//! In scope: parsing as strictly as containers/image, and as leniently where it is lenient;
//! choosing the requirements of an image; judging the name that a verified signature gives. Out of
//! scope: judging signatures, reading the files that a policy names. What a policy probably did not
//! mean is said by [`lint`], where signatures are kept by [`registries_d`]. The policy is its
//! author's word and is trusted; its bytes are bounded and may be anything.

mod attested;
mod error;
pub mod explain;
mod field;
mod fulcio;
mod keys;
pub mod lint;
mod marker;
pub mod matcher;
mod pinned;
mod pki;
pub mod registries_d;
mod requirement;
pub mod scope;
mod signed_by;
mod sigstore_signed;
mod trust;
mod trusted_root;

#[cfg(test)]
mod tests;

pub use attested::Attested;
pub use attested::Condition;
pub(crate) use attested::Test;
pub use error::Place;
pub use error::PolicyError;
pub use field::Vocabulary;
pub use fulcio::Fulcio;
pub use keys::KeySource;
pub use marker::Coverage;
pub use marker::Exception;
pub use marker::Marker;
pub use matcher::Matcher;
pub use pinned::Others;
pub use pinned::Pinned;
pub use pki::Pki;
pub use requirement::Requirement;
pub use scope::FileTransport;
pub use scope::IdentityError;
pub use signed_by::KeyType;
pub use signed_by::SignedBy;
pub use sigstore_signed::SigstoreSigned;
pub use trust::Trust;
pub use trusted_root::TrustedRoot;

/// What [`PolicyError::PredicateType`] carries.
pub use crate::cosign::PredicateError;

use crate::encoding::json;
use crate::encoding::json::Member;
use crate::keyed::Keys;
use crate::reference::Reference;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use field::Field;

/// A policy: what must hold by default, and for scopes of transports.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    default: Vec<Requirement>,
    transports: Vec<Transport>,
    marker: Option<Marker>,
    /// Of a policy for one image in files: that image, and the scope that decides on it.
    of_file: Option<Box<OfFile>>,
}

#[derive(Debug, Clone, PartialEq)]
struct OfFile {
    image: String,
    scope: String,
}

#[derive(Debug, Clone, PartialEq)]
struct Transport {
    name: String,
    scopes: Vec<(String, Vec<Requirement>)>,
}

/// The requirements of one image, and where they come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection<'a> {
    /// For people and reports: `docker "registry.example.com/team"`, `docker ""` or `default`.
    pub scope: String,
    /// The scope that was hit, as the policy writes it; `None` is the default.
    pub key: Option<&'a str>,
    /// All must hold; there is at least one.
    pub requirements: &'a [Requirement],
}

impl Policy {
    /// Parses a `policy.json`.
    ///
    /// # Errors
    /// [`PolicyError`], with the place.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let document = field::document(bytes)?;
        let vocabulary = if document.member("sealgate").is_some() {
            Vocabulary::Extended
        } else {
            Vocabulary::Containers
        };
        Self::read(&Field::root(&document, vocabulary))
    }

    fn read(field: &Field<'_>) -> Result<Self, PolicyError> {
        let members = field.members(&["default", "transports"], &["sealgate"])?;
        let marker = members
            .find("sealgate")
            .map(|field| Marker::read(&field))
            .transpose()?;
        let default = members
            .find("default")
            .ok_or_else(|| PolicyError::NoDefault {
                place: field.place(),
            })?;
        let default = Requirement::read_list(&default)?;
        let transports = members
            .find("transports")
            .map_or(Ok(Vec::new()), |field| transports(&field))?;
        Ok(Self {
            default,
            transports,
            marker,
            of_file: None,
        })
    }

    /// Whether `"sealgate": {"version": 1}` opens our vocabulary.
    pub fn is_extended(&self) -> bool {
        self.marker.is_some()
    }

    /// What the member `sealgate` says, if it is there.
    pub fn marker(&self) -> Option<&Marker> {
        self.marker.as_ref()
    }

    /// How indexes are judged; without the marker as podman does.
    pub fn coverage(&self) -> Coverage {
        self.marker
            .as_ref()
            .map_or(Coverage::Instance, |marker| marker.coverage)
    }

    /// Every list of requirements with its scope (as in [`Selection`]), the default first, then in
    /// the document's order.
    pub fn scopes(&self) -> impl Iterator<Item = Selection<'_>> {
        let scoped = self
            .transports
            .iter()
            .flat_map(|transport| transport.scopes.iter().map(|hit| transport.selection(hit)));
        core::iter::once(self.by_default()).chain(scoped)
    }

    /// The paths of all keys, certificates and trusted roots that it names, each once, in the order
    /// of [`Policy::scopes`].
    pub fn asset_paths(&self) -> Vec<&str> {
        let mut seen = Keys::default();
        let scoped = self
            .transports
            .iter()
            .flat_map(|transport| &transport.scopes)
            .flat_map(|(_, requirements)| requirements);
        self.default
            .iter()
            .chain(scoped)
            .flat_map(Requirement::paths)
            .filter(|path| seen.add(*path))
            .collect()
    }

    /// The requirements of an image of `docker:`. A reference with neither tag nor digest means the
    /// tag `latest`.
    ///
    /// # Errors
    /// [`IdentityError::TagAndDigest`]: such a reference is refused before any policy is asked.
    pub fn select(&self, image: &Reference) -> Result<Selection<'_>, IdentityError> {
        let image = image.clone().with_default_tag();
        Ok(self.select_for(
            "docker",
            &scope::docker_identity(&image)?,
            &scope::docker_namespaces(&image),
        ))
    }

    /// Whether anything is under audit.
    pub(crate) fn has_audit(&self) -> bool {
        self.marker
            .as_ref()
            .is_some_and(|marker| !marker.audit.is_empty())
    }

    /// The docker scope of this image that is under audit. Of all scopes that match an image, the
    /// policy's and the audit list's together, the most specific decides: a policy's scope below an
    /// audited one is enforced (docs/trust.md section 1).
    pub fn audited(&self, image: &Reference) -> Option<&str> {
        let audit = &self.marker.as_ref()?.audit;
        let image = image.clone().with_default_tag();
        let decides = self.select(&image).ok()?.key;
        let scopes = scope::docker_scopes(&image).ok()?;
        let nearest = scopes
            .iter()
            .find(|scope| decides == Some(scope.as_str()) || audit.contains(scope))?;
        audit
            .iter()
            .find(|scope| *scope == nearest)
            .map(String::as_str)
    }

    /// The requirements of an image in files, by its path with links resolved.
    ///
    /// # Errors
    /// [`IdentityError::Path`].
    pub fn select_file(
        &self,
        transport: FileTransport,
        path: &str,
    ) -> Result<Selection<'_>, IdentityError> {
        let scopes = scope::file_scopes(transport, path)?;
        let (identity, above) = match scopes.split_first() {
            Some((first, rest)) => (first.as_str(), rest),
            None => ("", scopes.as_slice()),
        };
        Ok(self.select_for(transport.name(), identity, above))
    }

    /// The requirements of an image of any transport, by its identity and further scopes, most
    /// specific first.
    pub fn select_for(
        &self,
        transport: &str,
        identity: &str,
        namespaces: &[String],
    ) -> Selection<'_> {
        let Some(transport) = self
            .transports
            .iter()
            .find(|candidate| candidate.name == transport)
        else {
            return self.by_default();
        };
        let mut candidates = core::iter::once(identity)
            .chain(namespaces.iter().map(String::as_str))
            .chain([""]);
        let hit = candidates.find_map(|candidate| {
            transport
                .scopes
                .iter()
                .find(|(scope, _)| scope == candidate)
        });
        hit.map_or_else(|| self.by_default(), |hit| transport.selection(hit))
    }

    /// What it says of this one image in files, which has no name: nothing else is left of it, and
    /// nothing that is said of names (audit, exceptions).
    ///
    /// # Errors
    /// [`IdentityError::Path`].
    pub fn of_file(&self, transport: FileTransport, path: &str) -> Result<Self, IdentityError> {
        let selected = self.select_file(transport, path)?;
        Ok(Self {
            default: selected.requirements.to_vec(),
            transports: Vec::new(),
            marker: self.marker.as_ref().map(|marker| Marker {
                coverage: marker.coverage,
                audit: Vec::new(),
                exceptions: Vec::new(),
                distrusted: marker.distrusted.clone(),
            }),
            of_file: Some(Box::new(OfFile {
                image: format!("{}:{path}", transport.name()),
                scope: selected.scope,
            })),
        })
    }

    /// The one image in files that it is for, if it is.
    pub fn file(&self) -> Option<&str> {
        self.of_file.as_ref().map(|file| file.image.as_str())
    }

    fn by_default(&self) -> Selection<'_> {
        let scope = self.of_file.as_ref().map(|file| file.scope.clone());
        Selection {
            scope: scope.unwrap_or_else(|| "default".into()),
            key: None,
            requirements: &self.default,
        }
    }
}

impl Transport {
    fn selection<'a>(
        &self,
        (scope, requirements): &'a (String, Vec<Requirement>),
    ) -> Selection<'a> {
        Selection {
            scope: format!("{} {}", self.name, json::quote(scope)),
            key: Some(scope),
            requirements,
        }
    }
}

fn transports(field: &Field<'_>) -> Result<Vec<Transport>, PolicyError> {
    field
        .open()?
        .iter()
        .map(|member| {
            Ok(Transport {
                name: member.key.clone(),
                scopes: scopes(&field.member(member), &member.key)?,
            })
        })
        .collect()
}

fn scopes(
    field: &Field<'_>,
    transport: &str,
) -> Result<Vec<(String, Vec<Requirement>)>, PolicyError> {
    let read = |member: &Member| {
        let at = field.scope(member);
        match scope::expected(transport, &member.key) {
            Some(expected) => Err(PolicyError::Scope {
                place: at.place(),
                scope: error::shown(&member.key),
                expected,
            }),
            None => Ok((member.key.clone(), Requirement::read_list(&at)?)),
        }
    };
    field.open()?.iter().map(read).collect()
}
