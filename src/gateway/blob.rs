//! Blobs go out only while an allowed manifest of that repository lists them.

use super::action::{Action, Request, Respond, Stream};
use super::admit::{blobs, could_not, not_linked, Desk, Stop};
use super::config::Gateway;
use super::memory::Hint;
use super::refuse;
use crate::crypto::Provider;
use crate::digest::Digest;
use crate::host::{Host, Store};
use crate::oci::Document;
use crate::verify::Rules;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What a client may say about a blob.
const FORWARD: [&str; 5] = ["authorization", "range", "if-range", "accept", "user-agent"];
/// What the upstream may say about it.
const PASS: [&str; 9] = ["content-type", "content-length", "content-range", "accept-ranges", "etag", "last-modified", "location", "www-authenticate", "retry-after"];

pub(super) async fn serve<R: Host + Provider + Store>(gateway: &Gateway, rules: &Rules, request: &Request, repository: &str, digest: &Digest, remote: &R) -> Action {
    let desk = match Desk::new(gateway, rules, request, repository, remote) {
        Ok(desk) => desk,
        Err(error) => return refuse::upstream(gateway, repository, &digest.to_string(), &error),
    };
    match linked(&desk, digest).await {
        Ok(Link::Image) => Action::Stream(stream(gateway, request, repository, &format!("blobs/{digest}"), Vec::new())),
        Ok(Link::Evidence(bytes)) => Action::Respond(evidence(bytes, digest)),
        Err(stop @ (Stop::Denied(_) | Stop::Unknown(_))) if desk.audits(&digest.to_string()) => {
            let image = refuse::shown(&gateway.name, repository, &digest.to_string());
            let log = refuse::log("audit", &image, stop.code(), &stop.to_string(), &desk.decision_id(&digest.to_string()));
            Action::Stream(Stream { log: Some(log), ..stream(gateway, request, repository, &format!("blobs/{digest}"), Vec::new()) })
        }
        Err(Stop::Missing) => refuse::not_found("BLOB_UNKNOWN", gateway, repository, &digest.to_string()),
        Err(stop) => desk.stop(&digest.to_string(), &stop),
    }
}

enum Link {
    Image,
    Evidence(Vec<u8>),
}

/// A hint is only where to look: the manifest is hashed, must list the blob, and must be allowed now.
async fn linked<R: Host + Provider + Store>(desk: &Desk<'_, R>, digest: &Digest) -> Result<Link, Stop> {
    let (mut refused, mut unknown) = (None, None);
    for parent in desk.memory.hints(Hint::Blob, digest).await {
        let Ok(parent) = Digest::parse(&parent) else { continue };
        match through(desk, &parent, digest).await {
            Ok(link) => return Ok(link),
            Err(stop @ Stop::Denied(_)) => refused = refused.or(Some(stop)),
            // A manifest that is gone leads nowhere.
            Err(stop) => unknown = unknown.or(could_not(stop)),
        }
    }
    if let Some(stop) = unknown {
        return Err(stop);
    }
    // A stream is for the upstream to allow. So is knowing that something is refused here, and why.
    if desk.registry.has_blob(digest).await? { Err(refused.unwrap_or_else(not_linked)) } else { Err(Stop::Missing) }
}

async fn through<R: Host + Provider + Store>(desk: &Desk<'_, R>, parent: &Digest, digest: &Digest) -> Result<Link, Stop> {
    // The manifest does not go out here, and the blob only by the client's own credentials.
    let subject = desk.subject(parent, true).await?;
    let Document::Manifest(manifest) = &subject.document else { return Err(not_linked()) };
    if !blobs(manifest).any(|listed| listed == digest) {
        return Err(not_linked());
    }
    if let Some(checked) = desk.evidence(manifest).await? {
        return checked.get(&digest.to_string()).cloned().map(Link::Evidence).ok_or_else(not_linked);
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
    ];
    Respond { status: 200, status_text: None, headers, body: Some(bytes), log: None }
}

/// `tags/list` and referrers: lists, which cover nothing.
pub(super) fn list(gateway: &Gateway, request: &Request, repository: &str, rest: &str) -> Action {
    let set = alloc::vec![("cache-control".to_string(), "no-store".to_string())];
    let mut stream = stream(gateway, request, repository, rest, set);
    stream.pass.extend(["link".to_string(), "oci-filters-applied".to_string()]);
    Action::Stream(stream)
}

fn stream(gateway: &Gateway, request: &Request, repository: &str, rest: &str, mut set: Vec<(String, String)>) -> Stream {
    let origin = gateway.origin(request);
    let base = format!("{}/v2/", gateway.upstream);
    set.push(("docker-distribution-api-version".into(), "registry/2.0".into()));
    set.push(("x-content-type-options".into(), "nosniff".into()));
    // The upstream chooses the type: what a browser opens from here must not act as a page of this gateway.
    set.push(("content-security-policy".into(), "default-src 'none'; sandbox".into()));
    Stream {
        method: if request.method == "HEAD" { "HEAD" } else { "GET" },
        url: format!("{base}{}/{rest}", gateway.upstream_repository(repository)),
        headers: request.headers.iter().filter(|(name, _)| FORWARD.contains(&name.as_str())).cloned().collect(),
        pass: PASS.iter().map(ToString::to_string).collect(),
        set,
        location: (base, format!("{origin}/v2/")),
        log: None,
    }
}
