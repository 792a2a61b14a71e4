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
use core::cell::Cell;

/// One of as many reports as may be made or wait at once; it ends with whoever holds it.
pub(super) struct Turn<'a>(&'a Cell<usize>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

pub(super) fn turn(reports: &Cell<usize>) -> Option<Turn<'_>> {
    let more = reports.get().saturating_add(1);
    (more <= limits::REPORTS).then(|| {
        reports.set(more);
        Turn(reports)
    })
}

/// Whoever waits for another waits for a while only: many would be made at once.
pub(super) fn too_many() -> Action {
    let message = "sealgate: too many reports are being made here: ask again";
    let mut respond = answer::error(503, "UNAVAILABLE", message);
    respond.headers.push(("retry-after".into(), "5".into()));
    Action::Respond(respond)
}

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
