//! The member `pki` of `sigstoreSigned` (docs/containers-image.md section 2.2): certificates of
//! one's own authority.

use super::error::PolicyError;
use super::field;
use super::field::Field;
use super::field::Vocabulary;
use super::keys::KeySource;
use alloc::string::String;

/// `pki`. At least one of the subjects is given; what is given must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pki {
    /// The roots.
    pub roots: KeySource,
    /// Further certificates for the path.
    pub intermediates: Option<KeySource>,
    /// The e-mail address that the certificate names.
    pub subject_email: Option<String>,
    /// The host that the certificate names.
    pub subject_hostname: Option<String>,
}

const MEMBERS: &[&str] = &[
    "caRootsPath",
    "caRootsData",
    "caIntermediatesPath",
    "caIntermediatesData",
    "subjectEmail",
    "subjectHostname",
];

impl Pki {
    /// Parses the object alone.
    ///
    /// # Errors
    /// [`PolicyError`], with the place.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        field::parse(bytes, Vocabulary::Containers, Self::read)
    }

    pub(super) fn read(field: &Field<'_>) -> Result<Self, PolicyError> {
        let members = field.members(MEMBERS, &[])?;
        let roots = KeySource::one(
            &members,
            "caRootsPath",
            "caRootsData",
            "caRootsPath and caRootsData cannot be used simultaneously",
        )?
        .ok_or_else(|| PolicyError::CaSource {
            place: field.place(),
            rule: "At least one of caRootsPath and caRootsData must be specified",
        })?;
        let intermediates = KeySource::one(
            &members,
            "caIntermediatesPath",
            "caIntermediatesData",
            "caIntermediatesPath and caIntermediatesData cannot be used simultaneously",
        )?;
        let subject = |key| {
            members
                .string(key)
                .map(|text| Some(text).filter(|text| !text.is_empty()).map(String::from))
        };
        let (subject_email, subject_hostname) =
            (subject("subjectEmail")?, subject("subjectHostname")?);
        if subject_email.is_none() && subject_hostname.is_none() {
            return Err(PolicyError::Subject {
                place: field.place(),
                rule: "At least one of subjectEmail, subjectHostname must be specified",
            });
        }
        Ok(Self {
            roots,
            intermediates,
            subject_email,
            subject_hostname,
        })
    }

    /// Every source of certificates.
    pub fn sources(&self) -> impl Iterator<Item = &KeySource> {
        core::iter::once(&self.roots).chain(&self.intermediates)
    }
}
