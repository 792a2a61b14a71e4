//! `GET /api/evidence/<name>?ref=…`: what is known about an image, whatever the verdict, for the
//! page and the command line. It carries manifests and signature documents, never layers: nobody
//! can pull through it. It goes out piece by piece.

use super::action::{Action, Request, Respond};
use super::admit::upstream;
use super::budget::Budget;
use super::config::Gateway;
use super::refuse;
use crate::crypto::Provider;
use crate::host::{Host, Sink, Store};
use crate::limits;
use crate::verify::{Either, Frame, Out, collect, excerpt};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub(super) async fn serve<R: Host + Provider + Sink + Store>(
    gateway: &Gateway,
    request: &Request,
    repository: &str,
    reference: &str,
    remote: &Budget<'_, R>,
) -> Action {
    let registry = match upstream(gateway, request, repository, remote) {
        Ok(registry) => registry,
        Err(error) => return refuse::upstream(gateway, repository, reference, &error),
    };
    let name = match gateway.judged_name(repository, reference) {
        Ok(name) => name,
        Err(error) => {
            return Action::Respond(refuse::error(400, "NAME_INVALID", &error.to_string()));
        }
    };
    let headers = refuse::head("application/json");
    let head = Action::Respond(Respond {
        status: 200,
        status_text: None,
        headers,
        body: None,
        log: None,
    });
    if request.method == "HEAD" {
        return match registry.head(reference).await {
            Ok(Some(_)) => head,
            Ok(None) => refuse::not_found("MANIFEST_UNKNOWN", gateway, repository, reference),
            Err(error) => refuse::upstream(gateway, repository, reference, &error),
        };
    }
    // As many as an index may need that is looked at image by image.
    remote.allow_images(limits::INSTANCES, gateway.requests);
    let Action::Respond(Respond { headers, .. }) = gateway.for_websites(request, head) else {
        return Action::Sent;
    };
    let policy = gateway
        .rules
        .as_ref()
        .ok()
        .filter(|_| gateway.publish_policy)
        .and_then(|rules| excerpt(&gateway.policy, rules, &name));
    let frame = Frame {
        name: name.to_string(),
        repository: repository.into(),
        reference: reference.into(),
        policy,
    };
    match collect(
        &Either::Registry(&registry),
        &frame,
        &Pieces { remote, headers },
    )
    .await
    {
        Ok(true) => Action::Sent,
        Ok(false) => refuse::not_found("MANIFEST_UNKNOWN", gateway, repository, reference),
        Err(error) => refuse::with_troubles(
            refuse::upstream(gateway, repository, reference, &error),
            &registry.take_troubles(),
        ),
    }
}

struct Pieces<'a, R> {
    remote: &'a R,
    headers: Vec<(String, String)>,
}

impl<R: Provider + Sink + Store> Out for Pieces<'_, R> {
    async fn begin(&self) {
        // One document after the other, of those who may read: whoever pulls has the room.
        self.remote.lock("evidence").await;
        self.remote.begin(200, &self.headers).await;
    }

    async fn put(&self, piece: String) -> bool {
        self.remote.write(piece.into_bytes()).await
    }

    async fn pause(&self) {
        self.remote.pause().await;
    }
}
