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

use crate::crypto::{Pending, Provider, Refused, Verified};
use crate::error::HostError;
use alloc::vec::Vec;

/// Settles alternatives one by one: the first that holds wins. When none does, the steps of all are
/// shown, with the failure of the last that came furthest.
async fn first_to_settle<T, P: Provider>(
    alternatives: impl IntoIterator<Item = Result<Pending<T>, Refused>>,
    provider: &P,
) -> Result<Result<Verified<T>, Refused>, HostError> {
    let mut refused: Option<Refused> = None;
    for alternative in alternatives {
        let outcome = match alternative {
            Ok(pending) => pending.settle_in_turn(provider).await?,
            Err(refusal) => Err(refusal),
        };
        match outcome {
            Ok(verified) => return Ok(Ok(verified)),
            Err(next) => refused = Some(merge(refused, next)),
        }
    }
    Ok(Err(refused.unwrap_or_else(|| Refused {
        failure: crate::error::Failure::new(
            "key.none",
            "expected at least one key to check with, found none",
        ),
        steps: Vec::new(),
    })))
}

fn merge(earlier: Option<Refused>, later: Refused) -> Refused {
    match earlier {
        None => later,
        Some(mut earlier) => {
            earlier.steps.extend(later.steps);
            Refused {
                failure: later.failure,
                steps: earlier.steps,
            }
        }
    }
}
