//! The top-level member `sealgate` (docs/trust.md section 1), which opens our vocabulary. podman
//! refuses a policy that has it, so no file means two things.

use super::error::PolicyError;
use super::error::shown;
use super::field::Field;
use crate::digest::Digest;
use crate::reference::Grammar;
use crate::reference::Reference;
use crate::time::UnixTime;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;

/// Whether a signature of an index speaks for the images that it lists (docs/trust.md section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// It does.
    Index,
    /// Each image is judged by its own signatures, as podman does.
    Instance,
}

/// What the member `sealgate` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// How indexes are judged.
    pub coverage: Coverage,
    /// Docker scopes whose refusals are only written down.
    pub audit: Vec<String>,
    /// Images that are admitted until a day, whatever the requirements say.
    pub exceptions: Vec<Exception>,
    /// Manifests and indexes that are refused, whatever else is said of them.
    pub distrusted: Vec<Digest>,
}

/// One entry of `exceptions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// One repository, or one `name:tag`, in its full spelling. Nothing below it is meant.
    pub scope: String,
    /// The images.
    pub digests: Vec<Digest>,
    /// When it ends.
    pub until: UnixTime,
    /// Why.
    pub reason: String,
}

impl Marker {
    pub(super) fn read(field: &Field<'_>) -> Result<Self, PolicyError> {
        let members = field.members(
            &["version", "coverage", "audit", "exceptions", "distrusted"],
            &[],
        )?;
        let version = members.need("version")?;
        if version.node.as_u64() != Some(1) {
            return Err(PolicyError::Version {
                place: version.place(),
            });
        }
        Ok(Self {
            coverage: members
                .find("coverage")
                .map_or(Ok(Coverage::Index), |field| coverage(&field))?,
            audit: members
                .find("audit")
                .map_or(Ok(Vec::new()), |field| field.list(scope))?,
            exceptions: members
                .find("exceptions")
                .map_or(Ok(Vec::new()), |field| field.list(exception))?,
            distrusted: members
                .find("distrusted")
                .map_or(Ok(Vec::new()), |field| field.list(digest))?,
        })
    }
}

fn coverage(field: &Field<'_>) -> Result<Coverage, PolicyError> {
    match field.node.as_str() {
        Some("index") => Ok(Coverage::Index),
        Some("instance") => Ok(Coverage::Instance),
        _ => field.value("\"index\" or \"instance\""),
    }
}

/// Docker scopes are any text, as in the policy itself; `""` is the transport's own.
fn scope(field: &Field<'_>) -> Result<String, PolicyError> {
    field
        .node
        .as_str()
        .map_or_else(|| field.wrong("a string"), |text| Ok(text.into()))
}

fn exception(field: &Field<'_>) -> Result<Exception, PolicyError> {
    let members = field.members(&["scope", "digests", "until", "reason"], &[])?;
    let digests = members.need("digests")?.list(digest)?;
    if digests.is_empty() {
        return Err(PolicyError::NoEntries {
            place: field.place(),
            member: "digests",
        });
    }
    let until = members.need("until")?;
    let Some(time) = until.node.as_str().and_then(UnixTime::parse) else {
        return until.value("a time in UTC such as 2027-01-31T12:00:00Z");
    };
    Ok(Exception {
        scope: repository(&members.need("scope")?)?,
        digests,
        until: time,
        reason: members.need("reason")?.text()?.into(),
    })
}

/// Exactly one repository or `name:tag` (docs/trust.md section 1): whoever breaks glass says which
/// pane. In its one full spelling, since scopes are compared as text.
fn repository(field: &Field<'_>) -> Result<String, PolicyError> {
    let text = scope(field)?;
    let wide = || PolicyError::ExceptionScope {
        place: field.place(),
        found: shown(&text),
    };
    let named = Reference::normalize(&text, Grammar::Containers).map_err(|_| wide())?;
    if named.digest().is_some() || named.to_string() != text {
        Err(wide())
    } else {
        Ok(text)
    }
}

fn digest(field: &Field<'_>) -> Result<Digest, PolicyError> {
    match field
        .node
        .as_str()
        .and_then(|text| Digest::parse(text).ok())
    {
        Some(digest) => Ok(digest),
        None => field.value("a digest such as sha256:<64 hexadecimal digits>"),
    }
}
