//! `GET /api/verify?image=…`: the whole explanation of what this gateway decides on an image, for
//! whoever may read it at the registry. Nothing of it is remembered or served by it.

use super::action::Action;
use super::answer;
use super::context::{Context, Resource};
use super::stop::Stop;
use crate::crypto::Provider;
use crate::error::Failure;
use crate::host::{Host, Store};
use crate::limits;
use crate::verify::{Either, Report, Request, Rules, verify_image};

pub(super) async fn serve<R: Host + Provider + Store>(
    context: &Context<'_, R>,
    rules: &Rules,
    reference: &str,
) -> Action {
    if !context.settings.publish_policy {
        let message = "sealgate: reports say what the policy demands, which this gateway does not \
                       publish (PUBLISH_POLICY=none)";
        return Action::Respond(answer::error(403, "DENIED", message));
    }
    let text = match report(context, rules, reference).await {
        Ok(report) => serde_json::to_string(&report).map_err(|error| {
            Stop::Unknown(Failure::new(
                "internal",
                alloc::format!("a report cannot leave: {error}"),
            ))
        }),
        Err(stop) => Err(stop),
    };
    match text {
        Ok(text) => answer::json(200, text),
        Err(stop) => answer::stopped(context, &Resource::Manifest(reference), stop),
    }
}

/// The report on an image that this client may read.
pub(super) async fn report<R: Host + Provider + Store>(
    context: &Context<'_, R>,
    rules: &Rules,
    reference: &str,
) -> Result<Report, Stop> {
    let name = context.name(reference)?;
    // Whether this client may read it is the registry's to say.
    if context.registry.head(reference).await?.is_none() {
        return Err(Stop::Missing);
    }
    // One after the other, beside evidence: pulls keep the memory.
    context.remote.lock("evidence").await;
    context
        .remote
        .allow_images(limits::INSTANCES, context.settings.requests);
    let request = Request::of(name, context.now());
    let archive = Either::Registry(&context.registry);
    Ok(verify_image(&archive, context.remote, rules, &request).await)
}
