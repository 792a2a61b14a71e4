//! The codes of all layers.

use super::bundle::QuestionError;
use super::error::{Reason, RulesError, VerifyError};
use super::evidence::EvidenceError;
use super::init::InitError;
use super::request::RequestError;
#[cfg(feature = "openpgp")]
use super::simple::StoredError;

/// Every code that a report or an error of this layer and those below can carry.
pub fn codes() -> impl Iterator<Item = &'static str> {
    let lists: &[&[&'static str]] = &[
        NOTES,
        Reason::CODES,
        RequestError::CODES,
        VerifyError::CODES,
        #[cfg(feature = "openpgp")]
        StoredError::CODES,
        RulesError::CODES,
        EvidenceError::CODES,
        InitError::CODES,
        QuestionError::CODES,
        crate::policy::PolicyError::CODES,
        crate::policy::IdentityError::CODES,
        crate::policy::registries_d::RegistriesError::CODES,
        #[cfg(feature = "openpgp")]
        crate::openpgp::OpenPgpError::CODES,
        crate::cosign::SignatureUse::CODES,
        crate::cosign::BundleUse::CODES,
        crate::cosign::PredicateError::CODES,
        crate::cosign::containers_image::ContainersImageError::CODES,
        crate::sigstore::bundle::BundleError::CODES,
        crate::sigstore::statement::StatementError::CODES,
        crate::sigstore::identity::PatternError::CODES,
        crate::sigstore::trusted_root::TrustedRootError::CODES,
        crate::sigstore::verify::SigstoreError::CODES,
        crate::tlog::TlogError::CODES,
        crate::timestamp::TimestampError::CODES,
        crate::x509::X509Error::CODES,
        crate::oci::OciError::CODES,
        crate::oci::registry::RegistryError::CODES,
        crate::simple_signing::PayloadError::CODES,
        crate::error::HostError::CODES,
        crate::crypto::KeyError::CODES,
        crate::crypto::SignatureError::CODES,
        crate::reference::ReferenceError::CODES,
        crate::digest::DigestError::CODES,
        crate::encoding::json::JsonError::CODES,
        crate::error::FAILURES,
    ];
    lists.iter().copied().flatten().copied()
}

/// Codes that stand beside a verdict: what deserves attention, whatever was decided.
const NOTES: &[&str] = &[
    "log.not-required",
    "identity.any",
    "identity.match-digest",
    "identity.unanchored",
    "identity.open",
    "identity.any-caller",
    "identity.exact-wildcard",
    "identity.unescaped-dot",
    "identity.issuer-form",
    "policy.audit",
    "registries-d.attachments-off",
    "gateway.other-name",
    "gateway.no-evidence",
];
