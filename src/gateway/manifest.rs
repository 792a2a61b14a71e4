//! Manifests: fetched, hashed, judged, and those very bytes sent.

use super::action::{Action, Request, Respond};
use super::admit::{Desk, Stop, descriptors, upstream};
use super::budget::Budget;
use super::config::Gateway;
use super::refuse;
use crate::crypto::Provider;
use crate::digest::{Digest, DigestError};
use crate::error::Failure;
use crate::host::{Host, Store};
use crate::oci::Document;
use crate::oci::registry::{Fetched, RegistryError};
use crate::verify::{Rules, Subject};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// `GET /v2/`: whether the client needs to authenticate is the upstream's to say.
pub(super) async fn ping<R: Host>(gateway: &Gateway, request: &Request, remote: &R) -> Action {
    let registry = match upstream(gateway, request, "x", remote) {
        Ok(registry) => registry,
        Err(error) => return refuse::upstream(gateway, "", "", &error),
    };
    match registry.ping().await {
        Ok(()) => refuse::json(200, "{}".into()),
        Err(error) => refuse::with_troubles(
            refuse::upstream(gateway, "", "", &error),
            &registry.take_troubles(),
        ),
    }
}

pub(super) async fn serve<R: Host + Provider + Store>(
    gateway: &Gateway,
    rules: &Rules,
    request: &Request,
    repository: &str,
    reference: &str,
    remote: &Budget<'_, R>,
) -> Action {
    let desk = match Desk::new(gateway, rules, request, repository, remote) {
        Ok(desk) => desk,
        Err(error) => return refuse::upstream(gateway, repository, reference, &error),
    };
    match judged(&desk, reference).await {
        Ok((subject, digest, log)) => Action::Respond(content(&subject, &digest, log)),
        Err(stop) => desk.stop(reference, &stop),
    }
}

/// The bytes that may go out, the digest to send with them, and a line for the log.
async fn judged<R: Host + Provider + Store>(
    desk: &Desk<'_, R>,
    reference: &str,
) -> Result<(Subject, Digest, String), Stop> {
    let (subject, asked, tag) = match Digest::parse(reference) {
        Ok(digest) => (by_digest(desk, &digest).await?, digest, None),
        Err(_) => {
            let subject = by_tag(desk, reference).await?;
            let digest = subject.digest.clone();
            (subject, digest, Some(reference))
        }
    };
    let (verdict, code, message) = match decided(desk, &subject, &asked, tag).await {
        Ok((code, message)) => ("allow", code, message),
        Err(stop) => match desk.audits(reference).await {
            true => ("audit", stop.code().into(), stop.to_string()),
            false => return Err(stop),
        },
    };
    desk.remember(&subject, tag).await;
    // Only what went out, and only where the upstream's word on its type is not needed.
    if verdict == "allow" && subject.reads_alone() {
        desk.memory.keep_content(&asked, &subject.bytes).await;
    }
    let image = refuse::shown(&desk.gateway.name, desk.repository, reference);
    let log = refuse::log(
        verdict,
        &image,
        &code,
        &message,
        &desk.decision_id(reference),
    );
    Ok((subject, asked, log))
}

/// Whether these bytes may go out: code and message.
async fn decided<R: Host + Provider + Store>(
    desk: &Desk<'_, R>,
    subject: &Subject,
    asked: &Digest,
    tag: Option<&str>,
) -> Result<(String, String), Stop> {
    refuse_past_the_gateway(subject)?;
    if desk.is_evidence(subject).await? {
        return Ok((
            String::from("evidence"),
            String::from("signatures and attestations, recognised by their bytes"),
        ));
    }
    let kept = match tag {
        Some(tag) => {
            let name = desk
                .gateway
                .judged_name(desk.repository, tag)
                .map_err(|error| Stop::Denied(error.into()))?;
            desk.judge_as(subject, &name).await?
        }
        None => desk.admit(subject, asked).await?,
    };
    Ok((kept.code, kept.message))
}

/// The upstream's HEAD at every request; its digest only selects bytes, which are hashed.
async fn by_tag<R: Host + Provider + Store>(
    desk: &Desk<'_, R>,
    tag: &str,
) -> Result<Subject, Stop> {
    match desk.registry.head(tag).await {
        Ok(None) => return Err(Stop::Missing),
        Ok(Some(head)) => {
            if let Some(digest) = head.digest.and_then(|text| Digest::parse(&text).ok()) {
                return desk.subject(&digest).await;
            }
        }
        // Some registries know no HEAD; others say nothing by it. The GET decides.
        Err(RegistryError::Refused {
            status: 400 | 405 | 406,
            ..
        }) => {}
        Err(error) => return Err(error.into()),
    }
    let mut fetched = desk.registry.manifest(tag).await?.ok_or(Stop::Missing)?;
    if contradicts(&fetched).is_err() {
        fetched = desk.registry.manifest(tag).await?.ok_or(Stop::Missing)?;
        contradicts(&fetched).map_err(|error| Stop::Denied(error.into()))?;
    }
    Subject::read(fetched.bytes, fetched.content_type.as_deref(), None).map_err(Stop::Denied)
}

/// The registry's own word on what it sends.
fn contradicts(fetched: &Fetched) -> Result<(), DigestError> {
    fetched
        .digest
        .as_deref()
        .and_then(|text| Digest::parse(text).ok())
        .map_or(Ok(()), |told| told.check(&fetched.bytes))
}

/// Kept bytes go out only after the upstream accepted this request's own credentials.
async fn by_digest<R: Host + Provider + Store>(
    desk: &Desk<'_, R>,
    digest: &Digest,
) -> Result<Subject, Stop> {
    if desk.memory.content(digest).is_some() {
        match desk.registry.head(&digest.to_string()).await {
            Ok(Some(_)) => {}
            Ok(None) => return Err(Stop::Missing),
            // Whoever knows no HEAD is asked with GET.
            Err(RegistryError::Refused {
                status: 400 | 405 | 406,
                ..
            }) => return desk.fetched(digest).await,
            Err(error) => return Err(error.into()),
        }
    }
    desk.subject(digest).await
}

/// What has `urls` makes clients leave the gateway, and an image that stands in its index is never
/// asked for here: containerd fetches from `urls` first whatever it is, and takes `data` for
/// fetched.
fn refuse_past_the_gateway(subject: &Subject) -> Result<(), Stop> {
    let is_index = matches!(subject.document, Document::Index(_));
    let stop = |digest: &Digest, how: &str| {
        Err(Stop::Denied(Failure::new(
            "gateway.foreign-layer",
            alloc::format!("{digest} is to be had {how}, past this gateway"),
        )))
    };
    for one in descriptors(&subject.document) {
        if let Some(url) = one.urls.first() {
            return stop(
                &one.digest,
                &alloc::format!(
                    "from another address ({})",
                    url.chars().take(200).collect::<String>()
                ),
            );
        }
        if is_index && one.embedded {
            return stop(&one.digest, "from the index itself");
        }
    }
    Ok(())
}

fn content(subject: &Subject, digest: &Digest, log: String) -> Respond {
    let headers: Vec<(String, String)> = alloc::vec![
        (
            "content-type".into(),
            subject.document.media_type().to_string()
        ),
        ("content-length".into(), subject.bytes.len().to_string()),
        ("docker-content-digest".into(), digest.to_string()),
        ("cache-control".into(), "no-transform".into()),
        (
            "docker-distribution-api-version".into(),
            "registry/2.0".into()
        ),
        ("x-content-type-options".into(), "nosniff".into()),
        ("content-security-policy".into(), refuse::SANDBOX.into()),
    ];
    Respond {
        status: 200,
        status_text: None,
        headers,
        body: Some(subject.bytes.clone()),
        log: Some(log),
    }
}
