//! Answers: the headers of those that carry content, and all of those that do not.
//! docs/clients.md section 2 has what each client makes of them.

use super::action::{Action, Respond};
use super::context::{Context, Resource};
use super::counters::SignInRefusal;
use super::entries::image;
use super::log::{Decision, LogLine, Resolution};
use super::settings::Settings;
use super::stop::Stop;
use crate::digest::Digest;
use crate::encoding::json::quote;
use crate::error::Failure;
use crate::host::{Host, Store};
use crate::oci::registry::{RegistryError, clean};
use crate::oci::url::Parts;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Longest reason phrase.
const PHRASE: usize = 180;
/// Longest reason.
const MESSAGE: usize = 4_000;

/// A header.
type Header = (String, String);

fn header(name: &str, value: &str) -> Header {
    (name.into(), value.into())
}

/// That this is version 2 of the registry protocol.
pub(super) fn api_version() -> Header {
    header("docker-distribution-api-version", "registry/2.0")
}

/// What an answer is: nothing that a browser guesses at, or runs as a page of this gateway, whatever
/// the upstream says it is.
pub(super) fn typed(kind: &str) -> Vec<Header> {
    alloc::vec![
        header("content-type", kind),
        header("x-content-type-options", "nosniff"),
        header("content-security-policy", "default-src 'none'; sandbox"),
    ]
}

fn headers(extra: &[(&str, &str)], length: usize) -> Vec<Header> {
    let mut headers = head("application/json");
    headers.push(header("content-length", &length.to_string()));
    headers.extend(extra.iter().map(|(name, value)| header(name, value)));
    headers
}

/// Headers of an answer whose length is not known yet.
pub(super) fn head(kind: &str) -> Vec<Header> {
    let mut headers = typed(kind);
    headers.push(header("cache-control", "no-store"));
    headers.push(api_version());
    headers
}

/// Content that goes out whole. With a digest it is what was pushed, byte by byte, and stays so;
/// without one it is a list, which the next question may find changed.
pub(super) fn content(kind: &str, body: Vec<u8>, digest: Option<&Digest>) -> Respond {
    let mut headers = typed(kind);
    headers.push(header("content-length", &body.len().to_string()));
    headers.push(header(
        "cache-control",
        digest.map_or("no-store", |_| "no-transform"),
    ));
    headers.extend(digest.map(|digest| header("docker-content-digest", &digest.to_string())));
    Respond {
        status: 200,
        status_text: None,
        headers,
        body: Some(body),
        log: None,
    }
}

/// No registry here has such a repository; to a ping, that whoever comes may ask.
pub(super) fn no_registry(settings: &Settings, repository: &str) -> Action {
    if let Err(failure) = &settings.rules {
        return misconfigured(failure);
    }
    if repository.is_empty() {
        return json(200, "{}".into());
    }
    let prefixes: Vec<String> = settings
        .entries
        .iter()
        .map(|entry| format!("{}/", entry.prefix))
        .collect();
    let message = format!(
        "sealgate: expected a repository below {}, found {repository}",
        prefixes.join(" or ")
    );
    Action::Respond(error(404, "NAME_UNKNOWN", &message))
}

/// An error of the registry protocol.
pub(super) fn error(status: u16, code: &str, message: &str) -> Respond {
    let body = error_body(code, message).into_bytes();
    Respond {
        status,
        status_text: None,
        headers: headers(&[], body.len()),
        body: Some(body),
        log: None,
    }
}

/// The body of an error of the registry protocol (OCI distribution specification, "Error Codes").
pub(super) fn error_body(code: &str, message: &str) -> String {
    format!(
        "{{\"errors\":[{{\"code\":{},\"message\":{}}}]}}",
        quote(code),
        quote(message)
    )
}

/// A document beside the protocol.
pub(super) fn json(status: u16, text: String) -> Action {
    document(status, "application/json", text)
}

/// The same, of another type.
pub(super) fn document(status: u16, kind: &str, text: String) -> Action {
    let body = text.into_bytes();
    let mut headers = head(kind);
    headers.push(header("content-length", &body.len().to_string()));
    Action::Respond(Respond {
        status,
        status_text: None,
        headers,
        body: Some(body),
        log: None,
    })
}

/// The answer to a browser that asks whether it may ask.
pub(super) fn preflight() -> Action {
    let extra = [
        ("access-control-allow-methods", "GET, HEAD"),
        ("access-control-allow-headers", "authorization"),
        ("access-control-max-age", "600"),
    ];
    Action::Respond(Respond {
        status: 204,
        status_text: None,
        headers: headers(&extra, 0),
        body: None,
        log: None,
    })
}

pub(super) fn misconfigured(failure: &Failure) -> Action {
    let message = format!(
        "sealgate: this gateway refuses everything, because its configuration is wrong [{}]: {}",
        failure.code, failure.message
    );
    Action::Respond(phrased(error(403, "DENIED", &message), &message))
}

/// The reason phrase repeats the reason, for clients that drop the body of a HEAD.
fn phrased(respond: Respond, message: &str) -> Respond {
    let phrase = message
        .chars()
        .take(PHRASE)
        .map(|c| {
            if c.is_ascii_graphic() || c == ' ' {
                c
            } else {
                '?'
            }
        })
        .collect();
    Respond {
        status_text: Some(phrase),
        ..respond
    }
}

/// A message may repeat text from evidence that nobody signed, and ends on people's terminals.
fn cleaned(failure: Failure) -> Failure {
    Failure::new(failure.code, clean(&failure.message, MESSAGE))
}

/// The one place where a stop becomes an answer.
pub(super) fn stopped<R: Host + Store>(
    context: &Context<'_, R>,
    resource: &Resource<'_>,
    stop: Stop,
) -> Action {
    let respond = match stop {
        Stop::Denied(failure) => denied(context, resource, &cleaned(failure)),
        Stop::Unknown(failure) => {
            let id = context.decision_id(resource);
            unknown(context, resource, &cleaned(failure), id)
        }
        Stop::Upstream(error) => upstream(context, resource, error),
        Stop::Missing => not_found(context, resource),
    };
    Action::Respond(with_troubles(respond, &context.registry.take_troubles()))
}

fn denied<R: Host + Store>(
    context: &Context<'_, R>,
    resource: &Resource<'_>,
    failure: &Failure,
) -> Respond {
    let shown = context.shown(resource);
    let id = context.decision_id(resource);
    let origin = context.settings.origin(context.request);
    let own = image(
        Parts::of(&origin).authority,
        context.asked,
        &resource.to_string(),
    );
    let short = format!("sealgate: {shown} is refused: {}", failure.message);
    let message = format!(
        "{short} [{}] Decision {id}; details: {origin}/#{own}",
        failure.code
    );
    let mut respond = phrased(error(403, "DENIED", &message), &short);
    respond.log = Some(log(context, Resolution::Deny, shown, failure, id).into());
    respond
}

/// Nobody can say whether it is allowed.
fn unknown<R: Host + Store>(
    context: &Context<'_, R>,
    resource: &Resource<'_>,
    failure: &Failure,
    id: String,
) -> Respond {
    let shown = context.shown(resource);
    let message = format!(
        "sealgate: {shown}: could not find out whether it is allowed: {} [{}]",
        failure.message, failure.code
    );
    let mut respond = phrased(error(503, "UNAVAILABLE", &message), &message);
    respond.log = Some(log(context, Resolution::Unknown, shown, failure, id).into());
    respond
}

/// The log's line about something that goes out.
pub(super) fn decision<R: Host + Store>(
    context: &Context<'_, R>,
    resolution: Resolution,
    resource: &Resource<'_>,
    reason: &Failure,
) -> LogLine {
    let id = context.decision_id(resource);
    log(context, resolution, context.shown(resource), reason, id).into()
}

fn log<R>(
    context: &Context<'_, R>,
    resolution: Resolution,
    image: String,
    reason: &Failure,
    id: String,
) -> Decision {
    Decision {
        id,
        time: context.request.time,
        resolution,
        image,
        reason: reason.clone(),
        signers: Vec::new(),
    }
}

/// With what went wrong at the registry, its addresses included, in the operator's log and nowhere
/// else.
fn with_troubles(respond: Respond, troubles: &[String]) -> Respond {
    if troubles.is_empty() {
        return respond;
    }
    let mut log = respond.log.unwrap_or_default();
    log.upstream = troubles.iter().map(|text| clean(text, MESSAGE)).collect();
    Respond {
        log: Some(log),
        ..respond
    }
}

/// What the upstream's own refusals become: 401, 404 and 429 pass, the rest is "could not find
/// out".
fn upstream<R: Host + Store>(
    context: &Context<'_, R>,
    resource: &Resource<'_>,
    problem: RegistryError,
) -> Respond {
    count(context, &problem);
    match problem {
        RegistryError::Unauthorized { challenge, .. } => {
            let entry = context.entry;
            if context.own.is_some() {
                return not_let_in(context);
            }
            if entry.public || context.settings.clients.is_some() {
                let message = format!(
                    "sealgate: the registry {} gives this to nobody without credentials, and this \
                     gateway has none for it (UPSTREAM_CREDENTIALS)",
                    entry.name
                );
                return error(403, "DENIED", &message);
            }
            if !entry.signs_in {
                let message = format!(
                    "sealgate: the registry {} gives this to nobody without credentials, and clients \
                     sign in at another registry behind this gateway: only what everybody may read \
                     is served below {}/",
                    entry.name, entry.prefix
                );
                return error(401, "UNAUTHORIZED", &message);
            }
            let mut respond = error(401, "UNAUTHORIZED", "authentication required");
            if !challenge.is_empty() {
                respond.headers.push(("www-authenticate".into(), challenge));
            }
            respond
        }
        RegistryError::RateLimited {
            retry_after,
            message,
            ..
        } => too_many(context, retry_after, &message),
        RegistryError::Refused { status: 403, .. } => not_let_in(context),
        other => {
            let id = context.decision_id(resource);
            unknown(context, resource, &cleaned(other.into()), id)
        }
    }
}

/// Counts whom the registry, or its token service, did not let in: only who brought credentials.
fn count<R>(context: &Context<'_, R>, problem: &RegistryError) {
    let is_refused = matches!(
        problem,
        RegistryError::Unauthorized { .. }
            | RegistryError::Credentials { .. }
            | RegistryError::Refused { status: 403, .. }
    );
    let brought = context.entry.signs_in && context.request.header("authorization").is_some();
    let refusal = match context.own {
        Some(_) => SignInRefusal::Own,
        None if brought => SignInRefusal::Registry,
        None => return,
    };
    if is_refused {
        context.remote.counters.refused_sign_in(refusal);
    }
}

/// In our words: the upstream's could pass for a refusal of ours.
fn not_let_in<R>(context: &Context<'_, R>) -> Respond {
    let whose = match context.own {
        Some(_) => "the credentials of this gateway",
        None => "these credentials",
    };
    let message = format!(
        "the registry {} does not let {whose} read this",
        context.entry.name
    );
    error(403, "DENIED", &message)
}

/// Docker Hub counts pulls by account or address, and says so in words that people look for.
fn too_many<R>(context: &Context<'_, R>, retry_after: Option<String>, said: &str) -> Respond {
    let mut message = format!(
        "the registry {} says that there were too many requests",
        context.entry.name
    );
    if !said.is_empty() {
        message.push_str(&format!(": {said:?}"));
    }
    if context.entry.name == "docker.io" {
        message.push_str(match (context.own, context.entry.signs_in) {
            (Some(_), _) => ". It counts the pulls of this gateway's account",
            (None, true) => ". It counts the pulls of your account, or of this gateway's address",
            (None, false) => {
                ". It counts the pulls of this gateway's address; an account may have more \
                 (UPSTREAM_CREDENTIALS)"
            }
        });
    }
    let mut respond = error(429, "TOOMANYREQUESTS", &message);
    let retry_after = retry_after.map(|value| ("retry-after".into(), value));
    respond.headers.extend(retry_after);
    respond
}

/// The upstream does not have it.
fn not_found<R: Host + Store>(context: &Context<'_, R>, resource: &Resource<'_>) -> Respond {
    let name = &context.entry.name;
    match resource {
        Resource::List(_) => {
            let message = format!("the registry {name} has no such list for {}", context.asked);
            error(404, "NAME_UNKNOWN", &message)
        }
        Resource::Blob(_) => not_known("BLOB_UNKNOWN", &context.shown(resource)),
        Resource::Manifest(_) | Resource::Ping => {
            not_known("MANIFEST_UNKNOWN", &context.shown(resource))
        }
    }
}

fn not_known(code: &str, shown: &str) -> Respond {
    error(404, code, &format!("the registry knows no {shown}"))
}
