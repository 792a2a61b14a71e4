//! Whether whoever asks may: decided before any store is asked, and anything of a registry
//! (docs/gateway.md "Signing in").

use super::action::{ClientRequest, Respond};
use super::answer;
use super::counters::{Counters, SignInRefusal};
use super::settings::Settings;
use alloc::format;

/// Nothing, where this gateway has no clients of its own, or what is asked for is everybody's; else
/// only to clients, each for its repositories. A ping is about no repository.
pub(super) fn admit(
    settings: &Settings,
    request: &ClientRequest,
    repository: &str,
) -> Result<(), Respond> {
    let Some(clients) = &settings.clients else {
        return Ok(());
    };
    if is_public(settings, repository) {
        return Ok(());
    }
    let client = clients.who(request).ok_or_else(unauthorized)?;
    // What is nowhere is nobody's; that it is nowhere is for clients alone.
    let Some((entry, own)) = settings.entries.of(repository) else {
        return Ok(());
    };
    let name = format!("{}/{}", entry.name, entry.upstream_repository(own));
    if client.may_read(&name) {
        return Ok(());
    }
    let message = format!(
        "sealgate: the client {} may not have {name} here: its repositories are those that CLIENTS \
         lists for it",
        client.name
    );
    Err(answer::error(403, "DENIED", &message))
}

/// Counts who was not admitted. Every client asks first without credentials, to hear how it is to sign
/// in.
pub(super) fn count(respond: &Respond, request: &ClientRequest, counters: &Counters) {
    if request.header("authorization").is_some() {
        counters.refused_sign_in(match respond.status {
            401 => SignInRefusal::Client,
            _ => SignInRefusal::Repository,
        });
    }
}

/// Whether it may be asked for by everybody, or nobody is a client here.
pub(super) fn is_open(settings: &Settings, repository: &str) -> bool {
    settings.clients.is_none() || is_public(settings, repository)
}

fn is_public(settings: &Settings, repository: &str) -> bool {
    let found = settings.entries.of(repository);
    found.is_some_and(|(entry, _)| entry.public)
}

fn unauthorized() -> Respond {
    let message = "sealgate: expected a client of this gateway, with its name and token: sign in \
                   (docker login, podman login), or ask whoever runs the gateway for a token";
    let mut respond = answer::error(401, "UNAUTHORIZED", message);
    let challenge = "Basic realm=\"sealgate\"";
    respond
        .headers
        .push(("www-authenticate".into(), challenge.into()));
    respond
}
