//! A sealgate gateway refused an image: what it has about it is read there and judged here
//! (docs/gateway.md "Beside /v2/").
//!
//! The evidence comes through the same dialogue as everything of that registry: the same
//! credentials, to the same hosts. It is trusted for nothing; nor is the name that comes with it,
//! which chooses no rule.

use super::either::Either;
use super::error::VerifyError;
use super::evidence::EvidenceDocument;
use super::image::verify_image;
use super::report::{Note, Report};
use super::request::Request;
use super::rules::Rules;
use crate::crypto::Provider;
use crate::error::{Failure, Kind};
use crate::host::Host;
use crate::limits;
use crate::oci::registry::{Registry, clean};
use alloc::format;
use alloc::string::String;

/// [`verify_image`] by the evidence of the gateway where a gateway refuses. Where that is not to be
/// had, the refusal stands.
pub async fn verify_via_evidence<H: Host, P: Provider>(
    registry: &Registry<'_, H>,
    provider: &P,
    rules: &Rules,
    request: &Request,
) -> Report {
    let report = verify_image(&Either::Registry(registry), provider, rules, request).await;
    if report.finding.kind != Kind::Gateway {
        return report;
    }
    match read(registry, &request.reference()).await {
        Ok(document) => {
            let own =
                verify_image(&Either::<H>::Document(&document), provider, rules, request).await;
            if document.name == own.image.name {
                own
            } else {
                noted(own, "gateway.other-name", other_name(&document.name))
            }
        }
        Err(failure) => noted(
            report,
            "gateway.no-evidence",
            format!(
                "the gateway's evidence could not be used: {}",
                failure.message
            ),
        ),
    }
}

async fn read<H: Host>(
    registry: &Registry<'_, H>,
    reference: &str,
) -> Result<EvidenceDocument, Failure> {
    let Some(bytes) = registry
        .evidence(reference, limits::EVIDENCE_DOCUMENT)
        .await?
    else {
        return Err(VerifyError::NoDocument.into());
    };
    Ok(EvidenceDocument::parse(&bytes)?)
}

/// A claim, and no advice: a hostile registry would name the image whose signature it copied.
fn other_name(name: &str) -> String {
    format!(
        "the gateway says that it knows the image as {}; that is its claim, and nothing here was \
         judged by it",
        clean(name, limits::NAME)
    )
}

fn noted(mut report: Report, code: &'static str, message: String) -> Report {
    report.notes.push(Note { code, message });
    report
}
