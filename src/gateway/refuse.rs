//! Answers that are not content. docs/clients.md section 2 has what each client makes of
//! them.

use super::action::{Action, Request, Respond};
use super::config::Gateway;
use crate::encoding::json::quote;
use crate::error::{Coded, Failure};
use crate::oci::registry::{RegistryError, clean};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Longest reason phrase.
const PHRASE: usize = 180;
/// Longest reason.
const MESSAGE: usize = 4_000;

/// What a browser opens from here does not act as a page of this gateway.
pub(super) const SANDBOX: &str = "default-src 'none'; sandbox";

fn headers(extra: &[(&str, &str)], length: usize) -> Vec<(String, String)> {
    let mut headers = head("application/json");
    headers.push(("content-length".into(), length.to_string()));
    headers.extend(
        extra
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into())),
    );
    headers
}

/// Headers of an answer whose length is not known yet.
pub(super) fn head(kind: &str) -> Vec<(String, String)> {
    alloc::vec![
        ("content-type".into(), kind.into()),
        ("cache-control".into(), "no-store".into()),
        (
            "docker-distribution-api-version".into(),
            "registry/2.0".into()
        ),
        ("x-content-type-options".into(), "nosniff".into()),
        ("content-security-policy".into(), SANDBOX.into()),
    ]
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
    let body = text.into_bytes();
    Action::Respond(Respond {
        status,
        status_text: None,
        headers: headers(&[], body.len()),
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

/// HEAD: the same, but for the body.
pub(super) fn without_body(action: Action) -> Action {
    match action {
        Action::Respond(respond) => Action::Respond(Respond {
            body: None,
            ..respond
        }),
        other => other,
    }
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
fn cleaned(failure: &Failure) -> Failure {
    Failure::new(failure.code, clean(&failure.message, MESSAGE))
}

/// The image is not allowed.
pub(super) fn denied(
    gateway: &Gateway,
    request: &Request,
    repository: &str,
    reference: &str,
    failure: &Failure,
    id: &str,
) -> Action {
    let image = shown(&gateway.name, repository, reference);
    let failure = &cleaned(failure);
    let origin = gateway.origin(request);
    let link = format!(
        "{origin}/#{}",
        shown(super::route::own_host(origin), repository, reference)
    );
    let message = format!(
        "sealgate: {image} is refused: {} [{}] Decision {id}; details: {link}",
        failure.message, failure.code
    );
    let mut respond = phrased(
        error(403, "DENIED", &message),
        &format!("sealgate: {image} is refused: {}", failure.message),
    );
    respond.log = Some(log("deny", &image, failure.code, &failure.message, id));
    Action::Respond(respond)
}

/// It could not be found out.
pub(super) fn unknown(
    gateway: &Gateway,
    repository: &str,
    reference: &str,
    failure: &Failure,
    id: &str,
) -> Action {
    let image = shown(&gateway.name, repository, reference);
    let failure = &cleaned(failure);
    let message = format!(
        "sealgate: {image}: could not find out whether it is allowed: {} [{}]",
        failure.message, failure.code
    );
    let mut respond = phrased(error(503, "UNAVAILABLE", &message), &message);
    respond.log = Some(log("unknown", &image, failure.code, &failure.message, id));
    Action::Respond(respond)
}

pub(super) fn shown(host: &str, repository: &str, reference: &str) -> String {
    let separator = if reference.contains(':') { '@' } else { ':' };
    format!("{host}/{repository}{separator}{reference}")
}

/// One line for the log.
pub(super) fn log(verdict: &str, image: &str, code: &str, message: &str, id: &str) -> String {
    format!(
        "{{\"event\":\"decision\",\"id\":{},\"verdict\":{},\"image\":{},\"code\":{},\"message\":\
         {}}}",
        quote(id),
        quote(verdict),
        quote(image),
        quote(code),
        quote(message)
    )
}

/// With what went wrong at the registry, its addresses included, in the operator's log and nowhere
/// else.
pub(super) fn with_troubles(action: Action, troubles: &[String]) -> Action {
    let Action::Respond(mut respond) = action else {
        return action;
    };
    if !troubles.is_empty() {
        let list: Vec<String> = troubles
            .iter()
            .map(|text| quote(&clean(text, MESSAGE)))
            .collect();
        let line = respond
            .log
            .unwrap_or_else(|| String::from("{\"event\":\"upstream\"}"));
        respond.log = Some(format!(
            "{},\"upstream\":[{}]}}",
            line.strip_suffix('}').unwrap_or(&line),
            list.join(",")
        ));
    }
    Action::Respond(respond)
}

/// What the upstream's own refusals become: 401, 404 and 429 pass, the rest is "could not find
/// out".
pub(super) fn upstream(
    gateway: &Gateway,
    repository: &str,
    reference: &str,
    problem: &RegistryError,
) -> Action {
    match problem {
        RegistryError::Unauthorized { challenge, .. } => {
            let mut respond = error(401, "UNAUTHORIZED", "authentication required");
            if !challenge.is_empty() {
                respond
                    .headers
                    .push(("www-authenticate".into(), challenge.clone()));
            }
            Action::Respond(respond)
        }
        RegistryError::RateLimited { retry_after, .. } => {
            let mut respond = error(
                429,
                "TOOMANYREQUESTS",
                "the registry says that there were too many requests",
            );
            respond.headers.extend(
                retry_after
                    .clone()
                    .map(|value| ("retry-after".into(), value)),
            );
            Action::Respond(respond)
        }
        // In our words: the upstream's could pass for a refusal of ours.
        RegistryError::Refused { status: 403, .. } => Action::Respond(error(
            403,
            "DENIED",
            &format!(
                "the registry {} does not let these credentials read this",
                gateway.name
            ),
        )),
        other => unknown(
            gateway,
            repository,
            reference,
            &Failure::new(other.code(), other.to_string()),
            "-",
        ),
    }
}

/// The upstream has no such thing.
pub(super) fn not_found(
    code: &str,
    gateway: &Gateway,
    repository: &str,
    reference: &str,
) -> Action {
    Action::Respond(error(
        404,
        code,
        &format!(
            "the registry knows no {}",
            shown(&gateway.name, repository, reference)
        ),
    ))
}
