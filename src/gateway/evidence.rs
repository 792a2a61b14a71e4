//! `GET /api/evidence/<name>?ref=…`: what is known about an image, whatever the verdict, for the page and the command
//! line. It carries manifests and signature documents, never layers: nobody can pull through it.

use super::action::{Action, Request};
use super::admit::upstream;
use super::config::Gateway;
use super::refuse;
use crate::host::Host;
use crate::verify::{collect, Either, Recorder};
use alloc::string::ToString;

pub(super) async fn serve<R: Host>(gateway: &Gateway, request: &Request, repository: &str, reference: &str, remote: &R) -> Action {
    let registry = match upstream(gateway, request, repository, remote) {
        Ok(registry) => registry,
        Err(error) => return refuse::upstream(gateway, repository, reference, &error),
    };
    let name = match gateway.judged_name(repository, reference) {
        Ok(name) => name,
        Err(error) => return Action::Respond(refuse::error(400, "NAME_INVALID", &error.to_string())),
    };
    let archive = Either::Registry(&registry);
    let recorder = Recorder::new(&archive);
    let digest = match collect(&recorder, reference).await {
        Ok(Some(digest)) => digest,
        Ok(None) => return refuse::not_found("MANIFEST_UNKNOWN", gateway, repository, reference),
        Err(error) => return refuse::with_troubles(refuse::upstream(gateway, repository, reference, &error), &registry.take_troubles()),
    };
    let mut document = recorder.into_document();
    document.name = name.to_string();
    document.digest = Some(digest);
    document.repository = repository.into();
    document.reference = reference.into();
    document.policy = Some(gateway.policy.clone());
    refuse::json(200, document.to_json())
}
