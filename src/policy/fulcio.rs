//! The member `fulcio` of `sigstoreSigned` (docs/containers-image.md section 2.2): certificates
//! for e-mail addresses.

use super::error::PolicyError;
use super::field;
use super::field::Field;
use super::field::Vocabulary;
use super::keys::KeySource;
use alloc::string::String;

/// `fulcio`. Issuer and address are compared byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fulcio {
    /// The certificate authority.
    pub ca: KeySource,
    /// The issuer of the identity.
    pub oidc_issuer: String,
    /// The e-mail address that the certificate names.
    pub subject_email: String,
}

impl Fulcio {
    /// Parses the object alone.
    ///
    /// # Errors
    /// [`PolicyError`], with the place.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        field::parse(bytes, Vocabulary::Containers, Self::read)
    }

    pub(super) fn read(field: &Field<'_>) -> Result<Self, PolicyError> {
        let members = field.members(&["caPath", "caData", "oidcIssuer", "subjectEmail"], &[])?;
        let ca = KeySource::one(
            &members,
            "caPath",
            "caData",
            "caPath and caData cannot be used simultaneously",
        )?
        .ok_or_else(|| PolicyError::CaSource {
            place: field.place(),
            rule: "At least one of caPath and caData must be specified",
        })?;
        let (issuer, email) = (
            members.string("oidcIssuer")?,
            members.string("subjectEmail")?,
        );
        let fail = |rule| {
            Err(PolicyError::Subject {
                place: field.place(),
                rule,
            })
        };
        if issuer.is_empty() {
            return fail("oidcIssuer not specified");
        }
        if email.is_empty() {
            return fail("subjectEmail not specified");
        }
        Ok(Self {
            ca,
            oidc_issuer: issuer.into(),
            subject_email: email.into(),
        })
    }
}
