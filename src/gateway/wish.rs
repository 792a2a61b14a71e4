//! What only an administrator may ask, and who that is (docs/gateway.md "Administration").

use super::action::{ClientRequest, Respond};
use super::answer;
use super::decisions::Asked;
use super::settings::Settings;
use crate::oci::url::Parts;
use crate::time::UnixTime;
use alloc::format;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What an administrator asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    Decisions(Asked),
    /// What the next policy would change.
    Next,
    /// Forget everything.
    Flush,
}

/// What this request wishes, where it is one of an administrator; `None` where there is no such
/// address, or no administrator.
pub(super) fn wish(
    request: &ClientRequest,
    url: &Parts<'_>,
    settings: &Settings,
) -> Option<Result<Wish, Respond>> {
    let below = url.path().strip_prefix("/admin/")?;
    if settings.admin_secret.is_empty() {
        return None;
    }
    if !is_administrator(settings, request) {
        return Some(Err(unauthorized()));
    }
    let method = if below == "flush" { "POST" } else { "GET" };
    let wish = match below {
        "decisions" => asked(url, false).map(Wish::Decisions),
        "refusals" => asked(url, true).map(Wish::Decisions),
        "flush" => Ok(Wish::Flush),
        "next" => Ok(Wish::Next),
        _ => return None,
    };
    if request.method != method {
        let message = format!("sealgate: /admin/{below} takes {method} alone");
        return Some(Err(answer::error(405, "UNSUPPORTED", &message)));
    }
    Some(wish)
}

fn asked(url: &Parts<'_>, refusals: bool) -> Result<Asked, Respond> {
    let parameter = |name: &str| url.parameters(name).into_iter().next();
    let since = match parameter("since") {
        None => None,
        Some(text) => Some(time(&text).ok_or_else(|| {
            answer::error(
                400,
                "UNSUPPORTED",
                "sealgate: since: expected seconds since 1970, or a time such as \
                 2026-11-30T12:00:00Z",
            )
        })?),
    };
    Ok(Asked {
        image: parameter("image"),
        id: parameter("id"),
        since,
        refusals,
    })
}

fn time(text: &str) -> Option<UnixTime> {
    match text.parse() {
        Ok(seconds) => Some(UnixTime(seconds)),
        Err(_) => UnixTime::parse(text),
    }
}

/// Whether it bears the administrator's secret.
pub(super) fn is_administrator(settings: &Settings, request: &ClientRequest) -> bool {
    request
        .header("authorization")
        .is_some_and(|value| is_administrators(settings, value))
}

/// Whether this is an Authorization header of the administrator: for this gateway, and for no registry.
pub(super) fn is_administrators(settings: &Settings, authorization: &str) -> bool {
    let given = authorization.strip_prefix("Bearer ");
    !settings.admin_secret.is_empty()
        && given.is_some_and(|given| same(&settings.admin_secret, given.as_bytes()))
}

/// Whether they are the same, in a time that says nothing about how much of them is.
fn same(secret: &[u8], given: &[u8]) -> bool {
    let mac = |of: &[u8]| -> Option<Hmac<Sha256>> {
        let mut mac: Hmac<Sha256> = Hmac::new_from_slice(b"administrator").ok()?;
        mac.update(of);
        Some(mac)
    };
    let (Some(wanted), Some(found), false) = (mac(secret), mac(given), secret.is_empty()) else {
        return false;
    };
    found.verify(&wanted.finalize().into_bytes()).is_ok()
}

fn unauthorized() -> Respond {
    let message = "sealgate: expected the administrator's secret: Authorization: Bearer …";
    let mut respond = answer::error(401, "UNAUTHORIZED", message);
    let challenge = "Bearer realm=\"sealgate administration\"";
    respond
        .headers
        .push(("www-authenticate".into(), challenge.into()));
    respond
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_secret_is_nobody() {
        assert!(same(b"0123456789abcdef", b"0123456789abcdef"));
        for (secret, given) in [("", ""), ("a", ""), ("", "a"), ("a", "b"), ("a", "a\0")] {
            assert!(!same(secret.as_bytes(), given.as_bytes()), "{given:?}");
        }
        assert_eq!(time("13"), Some(UnixTime(13)));
        assert_eq!(time("1970-01-01T00:00:13Z"), Some(UnixTime(13)));
        assert_eq!(time("yesterday"), None);
    }
}
