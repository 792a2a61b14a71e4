//! Blobs go out only while an allowed manifest of that repository lists them.

use super::action::{Action, Stream};
use super::answer;
use super::context::{Context, Resource};
use super::judge::Judge;
use super::log::{LogLine, Resolution};
use super::stop::Stop;
use crate::crypto::Provider;
use crate::digest::Digest;
use crate::error::Failure;
use crate::host::{Host, Store};
use crate::oci::Document;
use crate::verify::is_evidence_manifest;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

/// Of a blob, whatever the upstream says it is.
const BYTES: &str = "application/octet-stream";
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

/// Of both, what is between a client and the one registry that it signs in to.
const OF_SIGNING_IN: [&str; 2] = ["authorization", "www-authenticate"];

pub(super) async fn serve<R: Host + Provider + Store>(
    judge: &Judge<'_, R>,
    digest: &Digest,
) -> Action {
    let (context, resource) = (judge.context, Resource::Blob(digest));
    if let Err(stop) = let_in(context, digest).await {
        return answer::stopped(context, &resource, stop);
    }
    let stop = match judge.link(digest).await {
        Ok(Link::Image) => return Action::Stream(stream(context, digest, None)),
        Ok(Link::Evidence(bytes)) => {
            return Action::Respond(answer::content(BYTES, bytes, Some(digest)));
        }
        Err(stop) => stop,
    };
    // Audit has nothing to do with what the upstream itself does not give.
    let stopped = match stop {
        Stop::Upstream(_) | Stop::Missing => Err(stop),
        stop => judge.unless_audited(stop, &resource).await,
    };
    match stopped {
        Ok(reason) => {
            let log = answer::decision(context, Resolution::Audit, &resource, &reason);
            Action::Stream(stream(context, digest, Some(log)))
        }
        Err(stop) => answer::stopped(context, &resource, stop),
    }
}

/// Under audit, where the policy is none: the registry alone decides.
pub(super) async fn serve_unjudged<R: Host + Store>(
    context: &Context<'_, R>,
    digest: &Digest,
    failure: &Failure,
) -> Action {
    if let Err(stop) = let_in(context, digest).await {
        return answer::stopped(context, &Resource::Blob(digest), stop);
    }
    let log = answer::decision(context, Resolution::Audit, &Resource::Blob(digest), failure);
    Action::Stream(stream(context, digest, Some(log)))
}

/// A registry that gets no credentials of clients may want a token of everybody's, which is then sent
/// along with the stream.
async fn let_in<R: Host + Store>(context: &Context<'_, R>, digest: &Digest) -> Result<(), Stop> {
    match context.entry.signs_in || context.registry.has_blob(digest).await? {
        true => Ok(()),
        false => Err(Stop::Missing),
    }
}

/// What makes a blob go out.
enum Link {
    /// An allowed image lists it.
    Image,
    /// It is evidence, and these are its bytes.
    Evidence(Vec<u8>),
}

impl<R: Host + Provider + Store> Judge<'_, R> {
    async fn link(&self, digest: &Digest) -> Result<Link, Stop> {
        let stop = match self.link_by_hints(digest).await {
            Err(stop @ (Stop::Denied(_) | Stop::Unknown(_))) => stop,
            answer => return answer,
        };
        // A stream is for the upstream to allow. So is knowing that something is refused here, or
        // undecided, and why: a client whose token has run out is answered with 401.
        if !self.context.registry.has_blob(digest).await? {
            return Err(Stop::Missing);
        }
        if self.context.hints.recall(self.context.now()).await {
            self.link_by_hints(digest).await
        } else {
            Err(stop)
        }
    }

    /// A hint is only where to look: the manifest is hashed, must list the blob, and must be
    /// allowed now.
    async fn link_by_hints(&self, digest: &Digest) -> Result<Link, Stop> {
        let (mut refused, mut open) = (None, None);
        for parent in self.context.hints.parents(digest) {
            match self.link_through(&parent, digest).await {
                Ok(link) => return Ok(link),
                Err(stop @ Stop::Denied(_)) => {
                    self.context.remote.counters.hints.add(1);
                    refused = refused.or(Some(stop));
                }
                // A manifest that is gone leads nowhere.
                Err(stop) => open = open.or(stop.if_open()),
            }
        }
        Err(open.or(refused).unwrap_or_else(Stop::not_linked))
    }

    async fn link_through(&self, parent: &Digest, digest: &Digest) -> Result<Link, Stop> {
        // The manifest does not go out here, and the blob only by the client's own credentials.
        let subject = self
            .context
            .manifest_with(parent, digest)
            .await?
            .ok_or_else(Stop::not_linked)?;
        let Document::Manifest(manifest) = &subject.document else {
            return Err(Stop::not_linked());
        };
        self.check_trust(&subject)?;
        if is_evidence_manifest(&subject.bytes, manifest) {
            // The config of a signature means nothing beside these layers, so they must be
            // evidence, too.
            let is_whole = manifest.config.digest != *digest
                || *digest == Digest::of(b"{}")
                || self.context.is_evidence(&subject).await?;
            let bytes = match is_whole {
                true => self.context.evidence_blob(manifest, digest).await?,
                false => None,
            };
            if let Some(bytes) = bytes {
                return Ok(Link::Evidence(bytes));
            }
        }
        self.admit(&subject, parent).await?;
        Ok(Link::Image)
    }
}

fn stream<R: Host>(context: &Context<'_, R>, digest: &Digest, log: Option<LogLine>) -> Stream {
    let (entry, request) = (context.entry, context.request);
    let failed = format!(
        "sealgate: the registry {} did not send {digest}: see the status",
        entry.name
    );
    let is_passed = |name: &str| entry.signs_in || !OF_SIGNING_IN.contains(&name);
    let forwarded = request
        .headers
        .iter()
        .filter(|(name, _)| FORWARD.contains(&name.as_str()) && is_passed(name))
        .cloned()
        .chain(context.registry.own_authorization());
    let here = match (context.settings.origin(request), entry.prefix.as_str()) {
        (origin, "") => format!("{origin}/v2/"),
        (origin, prefix) => format!("{origin}/v2/{prefix}/"),
    };
    let mut set = answer::typed(BYTES);
    set.push(answer::api_version());
    Stream {
        method: if request.method == "HEAD" {
            "HEAD"
        } else {
            "GET"
        },
        url: context.registry.blob_url(digest).to_string(),
        headers: forwarded.collect(),
        pass: (PASS.iter().filter(|name| is_passed(name)))
            .map(ToString::to_string)
            .collect(),
        set,
        error_body: answer::error_body("UNKNOWN", &failed),
        location: (context.registry.api_url().to_string(), here),
        log,
    }
}
