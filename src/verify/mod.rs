//! May this image run? Discovery of evidence, the decision, and the report that explains it.
//!
//! Bytes come from a registry, or from a document that holds a registry's answers; either is
//! trusted for one thing, which digest a tag means, and the report says who told it.

mod archive;
mod artifact;
mod bundle;
mod candidate;
mod containers_image;
mod discover;
mod equivalent;
mod evidence;
mod excerpt;
mod form;
mod image;
mod init;
mod judge;
mod pins;
mod refused;
mod report;
mod rules;
mod trouble;
mod work;

pub use archive::{Archive, Either, Listed, Referrer};
pub use artifact::{
    is_empty_config, is_evidence_document, is_evidence_list, is_evidence_manifest,
    is_evidence_type, is_unsigned_attestation, says_attestation,
};
pub use bundle::{BundleKind, BundleQuestion, ClaimWanted, QuestionError, VerifiedBundle};
pub use evidence::{EvidenceDocument, EvidenceError, Frame, Out, PolicyFiles, collect};
pub use excerpt::excerpt;
pub use image::{Fetched, Judged, Subject, Within, judge_manifest, refused_images, verify_image};
pub use init::{InitError, Mirrors, Trusted, first_policy};
pub use refused::verify_via_evidence;
pub use report::{
    Candidate, Claims, Decision, ImageReport, Instance, LogEntry, MirrorQuestion, Note, Outcome,
    Report, Requirement, RuleReport, Signer, StepReport, Timestamp, Verdict,
};
pub use rules::{
    Direct, NamedRoot, Paths, Roots, Rules, RulesError, SignedNames, Signers, public_keys,
};
pub use trouble::VerifyError;
pub use work::{Origin, Work};

/// Every code that a report or an error of this layer and those below can carry.
pub fn codes() -> impl Iterator<Item = &'static str> {
    let lists: [&[&'static str]; 31] = [
        REASONS,
        VerifyError::CODES,
        RulesError::CODES,
        EvidenceError::CODES,
        InitError::CODES,
        QuestionError::CODES,
        crate::policy::PolicyError::CODES,
        crate::policy::IdentityError::CODES,
        crate::policy::registries_d::RegistriesError::CODES,
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
    lists.into_iter().flatten().copied()
}

/// Codes that say why something is allowed, set aside or noted.
const REASONS: &[&str] = &[
    "signature.accepted",
    "signature.blob-missing",
    "policy.accept-anything",
    "cosign.attachment",
    "index.empty",
    "log.not-required",
    "identity.any",
    "identity.match-digest",
    "identity.unnamed",
    "identity.unanchored",
    "identity.open",
    "identity.any-caller",
    "identity.exact-wildcard",
    "identity.unescaped-dot",
    "identity.issuer-form",
    "pinned.listed",
    "pinned.others",
    "exception.admitted",
    "policy.audit",
    "registries-d.attachments-off",
    "gateway.other-name",
    "gateway.no-evidence",
];
