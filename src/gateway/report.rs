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
use crate::verify::{Either, Request, Rules, verify_image};

pub(super) async fn serve<R: Host + Provider + Store>(
    context: &Context<'_, R>,
    rules: &Rules,
    reference: &str,
) -> Action {
    let resource = Resource::Manifest(reference);
    match report(context, rules, reference).await {
        Ok(action) => action,
        Err(stop) => answer::stopped(context, &resource, stop),
    }
}

async fn report<R: Host + Provider + Store>(
    context: &Context<'_, R>,
    rules: &Rules,
    reference: &str,
) -> Result<Action, Stop> {
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
    let report = verify_image(&archive, context.remote, rules, &request).await;
    let text = serde_json::to_string(&report).map_err(|error| {
        Stop::Unknown(Failure::new(
            "internal",
            alloc::format!("a report cannot leave: {error}"),
        ))
    })?;
    Ok(answer::json(200, text))
}
