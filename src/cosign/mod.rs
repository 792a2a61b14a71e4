//! Cosign's signatures of images (sigstore/cosign `specs/SIGNATURE_SPEC.md`;
//! docs/containers-image.md section 6; docs/trust.md section 3).
//!
//! In scope: bytes to a claim to a verified claim, in both forms: the layer of a `.sig` manifest,
//! and a Sigstore bundle with cosign's own predicate type; keys, and for layers certificates and
//! logs exactly as containers/image does ([`containers_image`]). Out of scope: finding them.
//! Whether the claim is about the image in hand, and under which name, is asked of the verified
//! claim.

mod annotated;
mod bundle;
pub mod containers_image;
mod predicate;
mod signature;

pub use annotated::ATTESTATION;
pub use bundle::{AttachedBundle, BundleClaim, BundleUse};
pub(crate) use bundle::{check_predicate, predicate_rule};
pub use predicate::{PredicateError, predicate_type};
pub use signature::{SIMPLE_SIGNING, SignatureLayer, SignatureUse};
