//! Blobs go out only while an allowed manifest of that repository lists them.

use super::action::{Action, Request, Respond, Stream};
use super::admit::{Desk, Stop, blobs, could_not, not_linked};
use super::budget::Budget;
use super::config::Gateway;
use super::refuse;
use crate::crypto::Provider;
use crate::digest::Digest;
use crate::host::{Host, Store};
use crate::oci::Document;
use crate::verify::{Rules, Subject, is_evidence_manifest};
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

/// What a client may say about a blob.
const FORWARD: [&str; 5] = ["authorization", "range", "if-range", "accept", "user-agent"];
/// What the upstream may say about it.
const PASS: [&str; 8] = [
    "content-length",
    "content-range",
    "accept-ranges",
    "etag",
    "last-modified",
    "location",
    "www-authenticate",
    "retry-after",
];

pub(super) async fn serve<R: Host + Provider + Store>(
    gateway: &Gateway,
    rules: &Rules,
    request: &Request,
    repository: &str,
    digest: &Digest,
    remote: &Budget<'_, R>,
) -> Action {
    let desk = match Desk::new(gateway, rules, request, repository, remote) {
        Ok(desk) => desk,
        Err(error) => return refuse::upstream(gateway, repository, &digest.to_string(), &error),
    };
    match linked(&desk, digest).await {
        Ok(Link::Image) => Action::Stream(stream(gateway, request, repository, digest)),
        Ok(Link::Evidence(bytes)) => Action::Respond(evidence(bytes, digest)),
        Err(stop @ (Stop::Denied(_) | Stop::Unknown(_))) if audited(&desk, digest).await => {
            let image = refuse::shown(&gateway.name, repository, &digest.to_string());
            let log = refuse::log(
                "audit",
                &image,
                stop.code(),
                &stop.to_string(),
                &desk.decision_id(&digest.to_string()),
            );
            Action::Stream(Stream {
                log: Some(log),
                ..stream(gateway, request, repository, digest)
            })
        }
        Err(Stop::Missing) => {
            refuse::not_found("BLOB_UNKNOWN", gateway, repository, &digest.to_string())
        }
        Err(stop) => desk.stop(&digest.to_string(), &stop),
    }
}

enum Link {
    Image,
    Evidence(Vec<u8>),
}

/// Under audit are all blobs of a repository, or those of an image whose tag is.
async fn audited<R: Host + Provider + Store>(desk: &Desk<'_, R>, digest: &Digest) -> bool {
    if desk.audits(&digest.to_string()).await {
        return true;
    }
    for parent in desk.memory.parents(digest) {
        if lists(desk, &parent, digest)
            .await
            .is_ok_and(|listed| listed.is_some())
            && desk.audits(&parent.to_string()).await
        {
            return true;
        }
    }
    false
}

async fn linked<R: Host + Provider + Store>(
    desk: &Desk<'_, R>,
    digest: &Digest,
) -> Result<Link, Stop> {
    let stop = match by_hints(desk, digest).await {
        Err(stop @ (Stop::Denied(_) | Stop::Unknown(_))) => stop,
        answer => return answer,
    };
    // A stream is for the upstream to allow. So is knowing that something is refused here, or could
    // not be found out, and why: whose token has run out is told so.
    if !desk.registry.has_blob(digest).await? {
        return Err(Stop::Missing);
    }
    if desk.memory.recall(desk.request.time).await {
        by_hints(desk, digest).await
    } else {
        Err(stop)
    }
}

/// A hint is only where to look: the manifest is hashed, must list the blob, and must be allowed
/// now.
async fn by_hints<R: Host + Provider + Store>(
    desk: &Desk<'_, R>,
    digest: &Digest,
) -> Result<Link, Stop> {
    let (mut refused, mut unknown) = (None, None);
    for parent in desk.memory.parents(digest) {
        match through(desk, &parent, digest).await {
            Ok(link) => return Ok(link),
            Err(stop @ Stop::Denied(_)) => refused = refused.or(Some(stop)),
            // A manifest that is gone leads nowhere.
            Err(stop) => unknown = unknown.or(could_not(stop)),
        }
    }
    Err(unknown.or(refused).unwrap_or_else(not_linked))
}

/// The manifest with this digest, if it lists the blob.
async fn lists<R: Host + Provider + Store>(
    desk: &Desk<'_, R>,
    parent: &Digest,
    digest: &Digest,
) -> Result<Option<Subject>, Stop> {
    let subject = desk.subject(parent).await?;
    let listed = match &subject.document {
        Document::Manifest(manifest) => blobs(manifest).any(|listed| listed == digest),
        Document::Index(_) => false,
    };
    Ok(listed.then_some(subject))
}

async fn through<R: Host + Provider + Store>(
    desk: &Desk<'_, R>,
    parent: &Digest,
    digest: &Digest,
) -> Result<Link, Stop> {
    // The manifest does not go out here, and the blob only by the client's own credentials.
    let subject = lists(desk, parent, digest).await?.ok_or_else(not_linked)?;
    let Document::Manifest(manifest) = &subject.document else {
        return Err(not_linked());
    };
    if is_evidence_manifest(&subject.bytes, manifest) {
        // The config of a signature means nothing beside these layers, so they must be evidence,
        // too.
        let is_whole = manifest.config.digest != *digest
            || *digest == Digest::of(b"{}")
            || desk.is_evidence(&subject).await?;
        if let (true, Some(bytes)) = (is_whole, desk.evidence_blob(manifest, digest).await?) {
            return Ok(Link::Evidence(bytes));
        }
    }
    desk.admit(&subject, parent).await?;
    Ok(Link::Image)
}

fn evidence(bytes: Vec<u8>, digest: &Digest) -> Respond {
    let headers = alloc::vec![
        ("content-type".into(), "application/octet-stream".into()),
        ("content-length".into(), bytes.len().to_string()),
        ("docker-content-digest".into(), digest.to_string()),
        ("cache-control".into(), "no-transform".into()),
        ("x-content-type-options".into(), "nosniff".into()),
        ("content-security-policy".into(), refuse::SANDBOX.into()),
    ];
    Respond {
        status: 200,
        status_text: None,
        headers,
        body: Some(bytes),
        log: None,
    }
}

fn stream(gateway: &Gateway, request: &Request, repository: &str, digest: &Digest) -> Stream {
    let origin = gateway.origin(request);
    let base = format!("{}/v2/", gateway.upstream);
    let failed = format!(
        "sealgate: the registry {} did not send {digest}: see the status",
        gateway.name
    );
    Stream {
        method: if request.method == "HEAD" {
            "HEAD"
        } else {
            "GET"
        },
        url: format!(
            "{base}{}/blobs/{digest}",
            gateway.upstream_repository(repository)
        ),
        headers: request
            .headers
            .iter()
            .filter(|(name, _)| FORWARD.contains(&name.as_str()))
            .cloned()
            .collect(),
        pass: PASS.iter().map(ToString::to_string).collect(),
        set: alloc::vec![
            (
                "docker-distribution-api-version".into(),
                "registry/2.0".into()
            ),
            ("x-content-type-options".into(), "nosniff".into()),
            // Whatever the upstream says it is: nothing that a browser shows, or runs as a page of
            // this gateway.
            ("content-type".into(), "application/octet-stream".into()),
            ("content-security-policy".into(), refuse::SANDBOX.into()),
        ],
        error_body: refuse::error_body("UNKNOWN", &failed),
        location: (base, format!("{origin}/v2/")),
        log: None,
    }
}
