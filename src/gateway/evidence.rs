//! `GET /api/evidence/<name>?ref=…`: what is known about an image, whatever the verdict, for the
//! page and the command line. It carries manifests and signature documents, never layers: nobody
//! can pull through it. It goes out piece by piece.

use super::action::{Action, Respond};
use super::answer;
use super::context::{Context, Resource};
use super::cors;
use super::stop::Stop;
use crate::crypto::Provider;
use crate::host::{Host, Sink, Store};
use crate::limits;
use crate::oci::registry::RegistryError;
use crate::reference::Reference;
use crate::verify::{Either, Frame, Out, collect, excerpt};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub(super) async fn serve<R: Host + Provider + Sink + Store>(
    context: &Context<'_, R>,
    reference: &str,
) -> Action {
    let name = match context.entry.judged_name(context.repository, reference) {
        Ok(name) => name,
        Err(error) => {
            return Action::Respond(answer::error(400, "NAME_INVALID", &error.to_string()));
        }
    };
    let served = if context.request.method == "HEAD" {
        head(context, reference).await
    } else {
        document(context, reference, &name).await
    };
    match served {
        Ok(Some(action)) => action,
        Ok(None) => answer::stopped(context, &Resource::Manifest(reference), Stop::Missing),
        Err(error) => {
            let stop = Stop::Upstream(error);
            answer::stopped(context, &Resource::Manifest(reference), stop)
        }
    }
}

async fn head<R: Host>(
    context: &Context<'_, R>,
    reference: &str,
) -> Result<Option<Action>, RegistryError> {
    let found = context.registry.head(reference).await?;
    Ok(found.map(|_| {
        Action::Respond(Respond {
            status: 200,
            status_text: None,
            headers: answer::head("application/json"),
            body: None,
            log: None,
        })
    }))
}

async fn document<R: Host + Provider + Sink + Store>(
    context: &Context<'_, R>,
    reference: &str,
    name: &Reference,
) -> Result<Option<Action>, RegistryError> {
    let settings = context.settings;
    // As many as an index may need that is looked at image by image.
    context
        .remote
        .allow_images(limits::INSTANCES, settings.requests);
    let mut headers = answer::head("application/json");
    cors::allow(settings, context.request, &mut headers);
    let policy = settings
        .rules
        .as_ref()
        .ok()
        .filter(|_| settings.publish_policy && !context.is_relayed)
        .and_then(|rules| excerpt(&settings.policy, rules, name));
    let frame = Frame {
        name: name.to_string(),
        repository: context.asked.into(),
        reference: reference.into(),
        policy,
        #[cfg(feature = "openpgp")]
        simple: settings
            .rules
            .as_ref()
            .ok()
            .filter(|_| !context.is_relayed)
            .and_then(|rules| rules.simple(name)),
    };
    let pieces = Pieces {
        remote: context.remote,
        headers,
    };
    let found = collect(&Either::Registry(&context.registry), &frame, &pieces).await?;
    Ok(found.then_some(Action::Sent))
}

struct Pieces<'a, R> {
    remote: &'a R,
    headers: Vec<(String, String)>,
}

impl<R: Provider + Sink + Store> Out for Pieces<'_, R> {
    async fn begin(&self) {
        // One document after the other, of clients that the upstream has let in: pulls keep the
        // memory.
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
