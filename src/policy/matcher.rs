//! `signedIdentity`: what a signature must name (docs/containers-image.md section 3, docs/trust.md
//! section 3).
//!
//! The image's name is what the person asked for; the signature's is what a verified signature
//! says. Both are compared as references, normalised by containers/image's rules.

use super::error::PolicyError;
use super::error::shown;
use super::field;
use super::field::Field;
use super::field::Members;
use super::field::Vocabulary;
use crate::encoding::json::quote;
use crate::reference::Grammar;
use crate::reference::Reference;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;

/// A rule for the name that a signature gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matcher {
    /// `matchExact`: the same reference, tag or digest included.
    Exact,
    /// `matchRepoDigestOrExact`, the default: the same tag, or for a pull by digest any tag of the
    /// repository.
    RepoDigestOrExact,
    /// `matchRepository`: any tag of the repository, and none.
    Repository,
    /// `exactReference`: this reference, whatever the image is called.
    ExactReference(Reference),
    /// `exactRepository`: this repository, whatever the image is called.
    ExactRepository(Reference),
    /// `remapIdentity`: the image's name with another prefix, then the default rule.
    RemapIdentity {
        /// Host, or host and path, of the image's name.
        prefix: String,
        /// What stands in its place in signatures.
        signed_prefix: String,
    },
    /// `matchDigest`, ours: the digest is enough; a signature that names a repository must still
    /// name this one.
    Digest {
        /// Not even that.
        any_name: bool,
    },
    /// `remapRepository`, ours: the image's name with another prefix, then any tag of that
    /// repository.
    RemapRepository {
        /// Host, or host and path, of the image's name.
        prefix: String,
        /// What stands in its place in signatures.
        signed_prefix: String,
    },
}

impl Matcher {
    /// Parses a `signedIdentity` alone.
    ///
    /// # Errors
    /// [`PolicyError`], with the place.
    pub fn parse(bytes: &[u8], vocabulary: Vocabulary) -> Result<Self, PolicyError> {
        field::parse(bytes, vocabulary, |field| Self::read(field, vocabulary))
    }

    /// The `signedIdentity` of `signedBy`, whose signatures always name a repository.
    pub(super) fn of_signed_by(members: &Members<'_>) -> Result<Self, PolicyError> {
        members
            .find("signedIdentity")
            .map_or(Ok(Self::RepoDigestOrExact), |field| {
                Self::read(&field, Vocabulary::Containers)
            })
    }

    /// The `signedIdentity` of `sigstoreSigned`.
    pub(super) fn of_sigstore(members: &Members<'_>) -> Result<Self, PolicyError> {
        members
            .find("signedIdentity")
            .map_or(Ok(Self::RepoDigestOrExact), |field| {
                Self::read(&field, field.vocabulary)
            })
    }

    pub(super) fn read(field: &Field<'_>, vocabulary: Vocabulary) -> Result<Self, PolicyError> {
        let extended = vocabulary == Vocabulary::Extended;
        match field.kind()? {
            "matchExact" => field.members(&["type"], &[]).map(|_| Self::Exact),
            "matchRepoDigestOrExact" => field
                .members(&["type"], &[])
                .map(|_| Self::RepoDigestOrExact),
            "matchRepository" => field.members(&["type"], &[]).map(|_| Self::Repository),
            "exactReference" => exact_reference(field),
            "exactRepository" => exact_repository(field),
            "remapIdentity" => remapped(field).map(|(prefix, signed_prefix)| Self::RemapIdentity {
                prefix,
                signed_prefix,
            }),
            "matchDigest" if extended => match_digest(field),
            "remapRepository" if extended => {
                remapped(field).map(|(prefix, signed_prefix)| Self::RemapRepository {
                    prefix,
                    signed_prefix,
                })
            }
            found => Err(PolicyError::MatchType {
                place: field.place(),
                found: shown(found),
                advice: advice(found),
            }),
        }
    }

    /// Whether a verified signature that names `signed` speaks for `image`, which is `None` for
    /// images without a name.
    ///
    /// A `signed` that is no reference, `""` included, never does, but under `matchDigest` with
    /// `anyName`. Signatures that name nothing by design (bundles) are a matter of
    /// [`Matcher::accepts_unnamed`].
    pub fn accepts(&self, image: Option<&Reference>, signed: &str) -> bool {
        if matches!(self, Self::Digest { any_name: true }) {
            return true;
        }
        let Ok(signed) = Reference::normalize(signed, Grammar::Containers) else {
            return false;
        };
        match (self, image) {
            (Self::ExactReference(wanted), _) => exact(wanted, &signed),
            (Self::ExactRepository(wanted), _) => wanted.name() == signed.name(),
            (Self::Exact, Some(image)) => exact(image, &signed),
            (Self::RepoDigestOrExact, Some(image)) => repo_digest_or_exact(image, &signed),
            (Self::Repository | Self::Digest { .. }, Some(image)) => image.name() == signed.name(),
            (
                Self::RemapIdentity {
                    prefix,
                    signed_prefix,
                },
                Some(image),
            ) => remap(image, prefix, signed_prefix)
                .is_some_and(|image| repo_digest_or_exact(&image, &signed)),
            (
                Self::RemapRepository {
                    prefix,
                    signed_prefix,
                },
                Some(image),
            ) => remap(image, prefix, signed_prefix)
                .is_some_and(|image| image.name() == signed.name()),
            (_, None) => false,
        }
    }

    /// Whether a verified signature that names a digest and no repository (a bundle, as cosign 3
    /// writes it) can meet it.
    pub fn accepts_unnamed(&self) -> bool {
        matches!(self, Self::Digest { .. })
    }

    /// The matcher's name in a policy.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Exact => "matchExact",
            Self::RepoDigestOrExact => "matchRepoDigestOrExact",
            Self::Repository => "matchRepository",
            Self::ExactReference(_) => "exactReference",
            Self::ExactRepository(_) => "exactRepository",
            Self::RemapIdentity { .. } => "remapIdentity",
            Self::Digest { .. } => "matchDigest",
            Self::RemapRepository { .. } => "remapRepository",
        }
    }

    /// What it wants of a signature of `image`, for people: `matchRepository: any tag of
    /// demo.example/demo/signed`.
    pub fn describe(&self, image: Option<&Reference>) -> String {
        format!("{}: {}", self.kind(), self.wants(image))
    }

    fn wants(&self, image: Option<&Reference>) -> String {
        match (self, image) {
            (Self::ExactReference(wanted), _) => format!("exactly {wanted}"),
            (Self::ExactRepository(wanted), _) => format!("any tag of {}", wanted.name()),
            (Self::Digest { any_name: true }, _) => "this digest, under any name".into(),
            (_, None) => "nothing matches, because this image has no name".into(),
            (Self::Exact, Some(image)) => format!("exactly {image}"),
            (Self::RepoDigestOrExact, Some(image)) => default_wants(image),
            (Self::Repository, Some(image)) => format!("any tag of {}", image.name()),
            (Self::Digest { any_name: false }, Some(image)) => {
                format!(
                    "this digest; a signature that names a repository must name {}",
                    image.name()
                )
            }
            (
                Self::RemapIdentity {
                    prefix,
                    signed_prefix,
                },
                Some(image),
            ) => match remap(image, prefix, signed_prefix) {
                Some(image) => default_wants(&image),
                None => format!(
                    "nothing matches, because {image} with {signed_prefix} in place of {prefix} \
                     is no full name"
                ),
            },
            (
                Self::RemapRepository {
                    prefix,
                    signed_prefix,
                },
                Some(image),
            ) => match remap(image, prefix, signed_prefix) {
                Some(image) => format!("any tag of {}", image.name()),
                None => format!(
                    "nothing matches, because {image} with {signed_prefix} in place of {prefix} \
                     is no full name"
                ),
            },
        }
    }

    /// The narrowest `signedIdentity`, as JSON, that would accept for `image` a good signature that
    /// names `signed`.
    pub fn suggest(image: Option<&Reference>, signed: &str) -> Option<String> {
        let named = Reference::normalize(signed, Grammar::Containers).ok()?;
        let candidates = [
            Some(Self::RepoDigestOrExact),
            Some(Self::Repository),
            image.and_then(|image| mirrored(image, &named)),
            Some(Self::ExactReference(named.clone())),
            Some(Self::ExactRepository(named)),
        ];
        candidates
            .into_iter()
            .flatten()
            .find(|matcher| matcher.accepts(image, signed))
            .map(|matcher| matcher.to_json())
    }

    /// As it is written in a policy.
    pub fn to_json(&self) -> String {
        let prefixes = |prefix, signed| {
            format!(
                ", \"prefix\": {}, \"signedPrefix\": {}",
                quote(prefix),
                quote(signed)
            )
        };
        let members = match self {
            Self::Exact
            | Self::RepoDigestOrExact
            | Self::Repository
            | Self::Digest { any_name: false } => String::new(),
            Self::ExactReference(wanted) => {
                format!(", \"dockerReference\": {}", quote(&wanted.to_string()))
            }
            Self::ExactRepository(wanted) => {
                format!(", \"dockerRepository\": {}", quote(&wanted.name()))
            }
            Self::RemapIdentity {
                prefix,
                signed_prefix,
            }
            | Self::RemapRepository {
                prefix,
                signed_prefix,
            } => prefixes(prefix, signed_prefix),
            Self::Digest { any_name: true } => ", \"anyName\": true".into(),
        };
        format!("{{\"type\": {}{members}}}", quote(self.kind()))
    }
}

fn advice(found: &str) -> &'static str {
    match found {
        "matchDigest" | "remapRepository" => {
            "it is understood only in sigstoreSigned, with \"sealgate\": {\"version\": 1} at the \
             top level of the policy"
        }
        _ => {
            "expected matchExact, matchRepoDigestOrExact, matchRepository, exactReference, \
             exactRepository or remapIdentity"
        }
    }
}

fn reference(field: &Field<'_>) -> Result<Reference, PolicyError> {
    Reference::normalize(field.string()?, Grammar::Containers).map_err(|error| {
        PolicyError::Reference {
            place: field.place(),
            error,
        }
    })
}

fn exact_reference(field: &Field<'_>) -> Result<Matcher, PolicyError> {
    let members = field.members(&["type", "dockerReference"], &[])?;
    let member = members.need("dockerReference")?;
    let wanted = reference(&member)?;
    if wanted.is_bare() {
        return Err(PolicyError::NoTag {
            place: member.place(),
            found: shown(member.string()?),
        });
    }
    Ok(Matcher::ExactReference(wanted))
}

fn exact_repository(field: &Field<'_>) -> Result<Matcher, PolicyError> {
    let members = field.members(&["type", "dockerRepository"], &[])?;
    reference(&members.need("dockerRepository")?).map(Matcher::ExactRepository)
}

fn match_digest(field: &Field<'_>) -> Result<Matcher, PolicyError> {
    let members = field.members(&["type", "anyName"], &[])?;
    Ok(Matcher::Digest {
        any_name: members
            .find("anyName")
            .map_or(Ok(false), |field| field.boolean())?,
    })
}

fn remapped(field: &Field<'_>) -> Result<(String, String), PolicyError> {
    let members = field.members(&["type", "prefix", "signedPrefix"], &[])?;
    let prefix = |key| {
        let member = members.need(key)?;
        let text = member.string()?;
        if is_prefix(text) {
            Ok(text.into())
        } else {
            Err(PolicyError::Prefix {
                place: member.place(),
                found: shown(text),
            })
        }
    };
    Ok((prefix("prefix")?, prefix("signedPrefix")?))
}

/// A host with or without port, or a name that begins with one and has neither tag nor digest. A
/// short name such as `busybox` has the shape of a host: it parses, and never applies. We reject
/// what leaves no room in the 255 bytes of a name, which containers/image accepts, because it could
/// never apply either.
fn is_prefix(text: &str) -> bool {
    let host = || {
        Reference::parse(&format!("{text}/x"), Grammar::Containers)
            .is_ok_and(|reference| reference.domain() == text)
    };
    let name = || {
        Reference::parse(text, Grammar::Containers)
            .is_ok_and(|reference| reference.is_bare() && !reference.domain().is_empty())
    };
    !text.is_empty() && (host() || name())
}

fn exact(intended: &Reference, signed: &Reference) -> bool {
    !intended.is_bare() && !signed.is_bare() && intended.to_string() == signed.to_string()
}

/// A pull by digest compares names alone: its manifest has been hashed before any policy is asked.
fn repo_digest_or_exact(intended: &Reference, signed: &Reference) -> bool {
    match (intended.tag(), intended.digest()) {
        (Some(_), _) => exact(intended, signed),
        (None, Some(_)) => !signed.is_bare() && intended.name() == signed.name(),
        (None, None) => false,
    }
}

fn default_wants(image: &Reference) -> String {
    match (image.tag(), image.digest()) {
        (None, Some(_)) => format!(
            "any tag or digest of {}, because the image was asked for by digest",
            image.name()
        ),
        (None, None) => format!("nothing matches, because {image} has neither tag nor digest"),
        _ => format!("exactly {image}"),
    }
}

/// Whether `prefix` is the image's name, or ends at one of its slashes.
pub fn prefix_applies(image: &Reference, prefix: &str) -> bool {
    image
        .name()
        .strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The image with `signed_prefix` in place of `prefix`; the image itself where the prefix does not
/// apply. `None` when the result is no reference in full spelling.
pub fn remap(image: &Reference, prefix: &str, signed_prefix: &str) -> Option<Reference> {
    if !prefix_applies(image, prefix) {
        return Some(image.clone());
    }
    let full = image.to_string();
    let text = format!("{signed_prefix}{}", full.strip_prefix(prefix)?);
    Reference::normalize(&text, Grammar::Containers)
        .ok()
        .filter(|reference| reference.to_string() == text)
}

/// The remapping that leads from the image to the signed name, when they end in the same
/// components.
fn mirrored(image: &Reference, signed: &Reference) -> Option<Matcher> {
    let (ours, theirs) = (image.name(), signed.name());
    let same = ours
        .rsplit('/')
        .zip(theirs.rsplit('/'))
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len() + 1)
        .sum::<usize>();
    let cut = |name: &str| {
        name.len()
            .checked_sub(same)
            .and_then(|end| name.get(..end))
            .map(String::from)
            .filter(|prefix| is_prefix(prefix))
    };
    let (prefix, signed_prefix) = (cut(&ours)?, cut(&theirs)?);
    (same > 0).then_some(Matcher::RemapIdentity {
        prefix,
        signed_prefix,
    })
}
