//! One image or index: fetched, hashed, judged, reported.

use super::archive::Archive;
use super::equivalent::equivalent;
use super::error::VerifyError;
use super::fetch::fetch;
use super::finding::Finding;
use super::judge::Judge;
use super::judged::Judged;
use super::report::{ImageReport, Report, Requirement};
use super::request::Request;
use super::rules::Rules;
use super::subject::Subject;
use super::work::Work;
use crate::crypto::Provider;
use crate::oci::Document;
use alloc::format;
use alloc::string::{String, ToString};

/// Fetches, hashes, judges and reports. Whatever goes wrong is a report that does not allow.
pub async fn verify_image<A: Archive, P: Provider>(
    archive: &A,
    provider: &P,
    rules: &Rules,
    request: &Request,
) -> Report {
    let subject = match fetch(archive, &request.reference(), request.pinned()).await {
        Ok(Some(subject)) => Ok(subject),
        Ok(None) => Err(Finding::unknown(VerifyError::NotFound {
            image: request.shown().into(),
        })),
        Err(finding) => Err(finding),
    };
    let mut image = image_report(request, subject.as_ref().ok());
    if rules.named(request.name()).is_none() {
        image.name = request.shown().into();
        image.told_by = None;
    }
    let judge = Judge {
        rules,
        name: request.name(),
        now: request.time(),
        archive,
        work: &Work::new(provider),
    };
    let judged = match &subject {
        Ok(subject) => judge.document(subject, request.platform()).await,
        Err(finding) => Judged::new(rules, request.name(), finding.clone()),
    };
    report(rules, request, image, judged)
}

fn image_report(request: &Request, subject: Option<&Subject>) -> ImageReport {
    let kind = |subject: &Subject| match subject.document {
        Document::Index(_) => "index",
        Document::Manifest(_) => "image",
    };
    ImageReport {
        reference: request.shown().into(),
        name: request.name().to_string(),
        digest: subject.map(|subject| subject.digest.to_string()),
        media_type: subject.map(|subject| subject.document.media_type().into()),
        size: subject.map(|subject| subject.bytes.len()),
        kind: subject.map(kind),
        told_by: match request.pinned() {
            None => Some(request.at().domain().into()),
            Some(_) => None,
        },
    }
}

fn report(rules: &Rules, request: &Request, image: ImageReport, judged: Judged) -> Report {
    let verified = judged.is_verified();
    let equivalent = equivalent(rules, request, &judged, image.digest.as_deref());
    let mirror_question =
        (rules.named(request.name())).and_then(|name| judged.mirror_question(rules, name));
    let failed_signatures = judged
        .all_requirements()
        .map(Requirement::failed_signatures)
        .fold(0, usize::saturating_add);
    let finding = if judged.finding.is_allowed() && !verified {
        let message = format!("allowed, not verified: {}", judged.finding.message);
        judged.finding.in_words(message)
    } else {
        judged.finding
    };
    Report {
        version: 1,
        verifier: verifier(),
        finding,
        verified,
        image,
        rule: judged.rule,
        requirements: judged.requirements,
        instances: judged.instances,
        notes: judged.notes,
        equivalent,
        mirror_question,
        failed_signatures,
        time: request.time().0,
    }
}

/// The name and version of this program.
fn verifier() -> String {
    format!("sealgate {}", env!("CARGO_PKG_VERSION"))
}
