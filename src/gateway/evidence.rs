//! `GET /api/evidence/<name>?ref=…`: what is known about an image, whatever the verdict, for the page and the command
//! line. It carries manifests and signature documents, never layers: nobody can pull through it.

use super::action::{Action, Request};
use super::admit::upstream;
use super::budget::Budget;
use super::config::Gateway;
use super::refuse;
use crate::host::Host;
use crate::limits;
use crate::verify::{Either, collect, excerpt};
use alloc::string::ToString;

pub(super) async fn serve<R: Host>(gateway: &Gateway, request: &Request, repository: &str, reference: &str, remote: &Budget<'_, R>) -> Action {
    let registry = match upstream(gateway, request, repository, remote) {
        Ok(registry) => registry,
        Err(error) => return refuse::upstream(gateway, repository, reference, &error),
    };
    let name = match gateway.judged_name(repository, reference) {
        Ok(name) => name,
        Err(error) => return Action::Respond(refuse::error(400, "NAME_INVALID", &error.to_string())),
    };
    // As many as an index may have that is looked at image by image.
    remote.allow_images(limits::INSTANCES, gateway.requests);
    let mut document = match collect(&Either::Registry(&registry), reference).await {
        Ok(Some(document)) => document,
        Ok(None) => return refuse::not_found("MANIFEST_UNKNOWN", gateway, repository, reference),
        Err(error) => return refuse::with_troubles(refuse::upstream(gateway, repository, reference, &error), &registry.take_troubles()),
    };
    document.name = name.to_string();
    document.repository = repository.into();
    document.reference = reference.into();
    if let (true, Ok(rules)) = (gateway.publish_policy, &gateway.rules) {
        document.policy = excerpt(&gateway.policy, rules, &name);
    }
    refuse::json(200, document.into_json())
}
