//! May this image run? Discovery of evidence, the decision, and the report that explains it.
//!
//! Bytes come from a registry, or from a document that holds a registry's answers; either is
//! trusted for one thing, which digest a tag means, and the report names it.

mod archive;
mod artifact;
mod bundle;
mod codes;
mod containers_image;
mod direct;
mod discover;
mod either;
mod equivalent;
mod error;
mod evidence;
mod examine;
mod excerpt;
mod fetch;
mod finding;
mod form;
mod found;
mod image;
mod index;
mod init;
mod judge;
mod judged;
mod key_files;
mod material;
mod payload;
mod pins;
mod question;
mod report;
mod request;
mod roots;
mod rules;
#[cfg(feature = "openpgp")]
mod simple;
mod statement;
mod subject;
mod via_evidence;
mod work;

pub use archive::{Archive, Listed, Referrer};
pub use artifact::{
    is_empty_config, is_evidence_document, is_evidence_list, is_evidence_manifest,
    is_evidence_type, is_unsigned_attestation, says_attestation,
};
pub use bundle::{BundleKind, BundleQuestion, ClaimWanted, QuestionError, VerifiedBundle};
pub use codes::codes;
pub use direct::{Direct, Paths, SignedNames, Signers, public_keys};
pub use either::Either;
pub use error::{Reason, RulesError, VerifyError};
pub use evidence::{EvidenceDocument, EvidenceError, Frame, Out, PolicyFiles, collect};
pub use excerpt::excerpt;
pub use finding::{Finding, Verdict};
pub use image::verify_image;
pub use index::refused_images;
pub use init::{InitError, Mirrors, Trusted, first_policy};
pub use judge::Judge;
pub use judged::Judged;
pub use report::{
    Candidate, Claims, ImageReport, Instance, LogEntry, MirrorQuestion, Note, OpenPgpSigner,
    Outcome, Report, Requirement, RuleReport, Signer, StepReport, Timestamp,
};
pub use request::{Request, RequestError};
pub use roots::{NamedRoot, Roots};
pub use rules::{PolicyRules, Rules};
#[cfg(feature = "openpgp")]
pub use simple::{DIR_TAG, DirImage, Lookaside, StoredError};
pub use subject::Subject;
pub use via_evidence::verify_via_evidence;
pub use work::{Origin, Work};
