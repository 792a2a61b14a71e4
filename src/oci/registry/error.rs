//! Why a registry's answer is no use.

use crate::digest::DigestError;
use crate::encoding::json;
use crate::encoding::json::Dialect;
use crate::error::{Coded, HostError, Kind};
use crate::limits;
use alloc::string::String;
use core::fmt;

/// A registry refused, or could not be asked. That something does not exist (404) is no error.
///
/// Written by hand: [`RegistryError::Host`] and [`RegistryError::Digest`] keep the codes of what
/// they hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistryError {
    /// No answer, or one that says nothing.
    Host(HostError),
    /// The content is not what the digest names.
    Digest(DigestError),
    /// 401 that could not be overcome. `challenge`: the registry's WWW-Authenticate, for a caller
    /// who can answer it.
    Unauthorized {
        /// Who said so: the registry, its token service or where a redirect led.
        url: String,
        /// All WWW-Authenticate headers of the registry, joined by commas; empty when there are
        /// none.
        challenge: String,
        /// What was said, without control characters; may be empty.
        message: String,
    },
    /// The answer is an error of the client class (400 to 499) other than 401, 404 and 429.
    Refused {
        /// Who said so.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The code in the error body (`DENIED`), without control characters; may be empty.
        code: String,
        /// The message in the error body, without control characters; may be empty.
        message: String,
    },
    /// 429.
    RateLimited {
        /// Who said so.
        url: String,
        /// Its Retry-After, as sent, without control characters.
        retry_after: Option<String>,
        /// The message in the error body, without control characters; may be empty.
        message: String,
    },
    /// What a gateway asks with for its clients is not accepted (400 or 401 of the token service, 401
    /// to Basic authentication): its operator can put that right, and no client.
    Credentials {
        /// Who said so.
        url: String,
    },
    /// 401 whose challenge cannot be read.
    Challenge {
        /// Who said so.
        url: String,
        /// The challenge, without control characters.
        challenge: String,
    },
    /// The token service may not be given credentials.
    Realm {
        /// The host of the registry that names it.
        registry: String,
        /// Its address.
        realm: String,
    },
    /// The token service's answer holds no token.
    Token {
        /// Its address.
        url: String,
        /// Its HTTP status.
        status: u16,
    },
    /// The address of the registry is none.
    Address {
        /// What was given.
        text: String,
    },
    /// Nothing at this address answers as a registry does.
    NoRegistry {
        /// Where it was asked.
        url: String,
    },
    /// The repository, tag or digest is none.
    Name {
        /// What was given.
        text: String,
    },
    /// A further page of a list is not where the registry says.
    Page {
        /// Where the list was read.
        url: String,
    },
    /// A lookaside answered with another status than 200 and 404.
    Lookaside {
        /// What was asked for there.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The list of evidence was cut.
    Limit {
        /// How many entries were taken.
        listed: usize,
    },
}

impl RegistryError {
    /// Every code that this type can give, beside those of [`HostError`] and [`DigestError`].
    pub const CODES: &'static [&'static str] = &[
        "registry.unauthorized",
        "registry.refused",
        "registry.rate-limited",
        "registry.credentials",
        "registry.challenge",
        "registry.realm",
        "registry.token",
        "registry.address",
        "registry.none",
        "registry.name",
        "registry.page",
        "lookaside.status",
        "limit.evidence",
    ];
}

impl RegistryError {
    /// The same for people who know the registry by this name only: no address is left in it, and
    /// nothing that the registry itself said, which could pass for our own words.
    pub(super) fn without_addresses(self, name: &str) -> Self {
        let name = || String::from(name);
        match self {
            Self::Host(error) => Self::Host(error.without_addresses(&name())),
            Self::Unauthorized { challenge, .. } => Self::Unauthorized {
                url: name(),
                challenge,
                message: String::new(),
            },
            Self::Refused { status, .. } => Self::Refused {
                url: name(),
                status,
                code: String::new(),
                message: String::new(),
            },
            // What Docker Hub says of its limits is for whoever meets them, and names no address of ours.
            Self::RateLimited {
                retry_after,
                message,
                ..
            } => Self::RateLimited {
                message: if name() == "docker.io" {
                    message
                } else {
                    String::new()
                },
                url: name(),
                retry_after,
            },
            Self::Credentials { .. } => Self::Credentials { url: name() },
            Self::Challenge { .. } => Self::Challenge {
                url: name(),
                challenge: String::from("another one"),
            },
            Self::Realm { .. } => Self::Realm {
                registry: name(),
                realm: String::from("another place"),
            },
            Self::Token { status, .. } => Self::Token {
                url: name(),
                status,
            },
            Self::Address { .. } => Self::Address { text: name() },
            Self::NoRegistry { .. } => Self::NoRegistry { url: name() },
            Self::Page { .. } => Self::Page { url: name() },
            Self::Lookaside { status, .. } => Self::Lookaside {
                url: name(),
                status,
            },
            other @ (Self::Digest(_) | Self::Name { .. } | Self::Limit { .. }) => other,
        }
    }
}

impl Coded for RegistryError {
    fn code(&self) -> &'static str {
        match self {
            Self::Host(error) => error.code(),
            Self::Digest(error) => error.code(),
            Self::Unauthorized { .. } => "registry.unauthorized",
            Self::Refused { .. } => "registry.refused",
            Self::RateLimited { .. } => "registry.rate-limited",
            Self::Credentials { .. } => "registry.credentials",
            Self::Challenge { .. } => "registry.challenge",
            Self::Realm { .. } => "registry.realm",
            Self::Token { .. } => "registry.token",
            Self::Address { .. } => "registry.address",
            Self::NoRegistry { .. } => "registry.none",
            Self::Name { .. } => "registry.name",
            Self::Page { .. } => "registry.page",
            Self::Lookaside { .. } => "lookaside.status",
            Self::Limit { .. } => "limit.evidence",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Host(error) => error.kind(),
            Self::Digest(error) => error.kind(),
            Self::Limit { .. } => Kind::TooMuch,
            _ => Kind::Other,
        }
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(error) => error.fmt(f),
            Self::Digest(error) => error.fmt(f),
            Self::Unauthorized { url, message, .. } => write!(
                f,
                "{url} does not let these credentials read ({}): sign in, and check the name of \
                 the repository",
                reason(message)
            ),
            Self::Refused {
                url,
                status,
                code,
                message,
            } => fmt_refused(f, url, *status, code, message),
            Self::RateLimited {
                url,
                retry_after,
                message,
            } => fmt_rate_limited(f, url, retry_after.as_deref(), message),
            Self::Credentials { url } => fmt_credentials(f, url),
            Self::Challenge { url, challenge } => write!(
                f,
                "{url} wants authentication; expected a Basic challenge or a Bearer one with an \
                 http(s) realm, found {challenge:?}: the registry is misconfigured"
            ),
            Self::Realm { registry, realm } => fmt_realm(f, registry, realm),
            Self::Token { url, status } => fmt_token(f, url, *status),
            Self::Address { text } => write!(
                f,
                "expected the address of a registry such as https://registry.example.com, found \
                 {text:?}"
            ),
            Self::NoRegistry { url } => fmt_no_registry(f, url),
            Self::Name { text } => write!(
                f,
                "expected a repository, a tag or a digest such as team/app, 1.0 or sha256:<64 \
                 hexadecimal digits>, found {text:?}"
            ),
            Self::Page { url } => write!(
                f,
                "expected the next page of the list at {url} to be an index on the same host, \
                 found something else: the registry is misconfigured"
            ),
            Self::Lookaside { url, status } => fmt_lookaside(f, url, *status),
            Self::Limit { listed } => fmt_limit(f, *listed),
        }
    }
}

fn fmt_refused(
    f: &mut fmt::Formatter<'_>,
    url: &str,
    status: u16,
    code: &str,
    message: &str,
) -> fmt::Result {
    write!(
        f,
        "{url} refused with status {status} ({code}{}{}): ask whoever runs the registry",
        if code.is_empty() { "" } else { ": " },
        reason(message)
    )
}

fn fmt_rate_limited(
    f: &mut fmt::Formatter<'_>,
    url: &str,
    retry_after: Option<&str>,
    message: &str,
) -> fmt::Result {
    write!(f, "{url} says that there were too many requests (429")?;
    if !message.is_empty() {
        write!(f, ", {message:?}")?;
    }
    f.write_str("): try again ")?;
    match retry_after {
        Some(after) => write!(f, "after {after}"),
        None => f.write_str("later"),
    }
}

fn fmt_credentials(f: &mut fmt::Formatter<'_>, url: &str) -> fmt::Result {
    write!(
        f,
        "expected the credentials that this gateway has for the registry to be accepted, found that \
         {url} refuses them: whoever runs the gateway renews UPSTREAM_CREDENTIALS"
    )
}

fn fmt_no_registry(f: &mut fmt::Formatter<'_>, url: &str) -> fmt::Result {
    write!(
        f,
        "expected {url} to answer as a registry does (GET /v2/), found status 404: see whether that \
         is its address"
    )
}

fn fmt_token(f: &mut fmt::Formatter<'_>, url: &str, status: u16) -> fmt::Result {
    write!(
        f,
        "expected a JSON answer with a token from {url}, found something else (status {status}): the \
         token service is unwell, try again"
    )
}

fn fmt_realm(f: &mut fmt::Formatter<'_>, registry: &str, realm: &str) -> fmt::Result {
    write!(
        f,
        "expected the token service of {registry} at its own host, over https where the registry \
         is, found {realm}: nothing was sent there; when it belongs to the registry, list {realm} in \
         the option \"realms\""
    )
}

fn fmt_lookaside(f: &mut fmt::Formatter<'_>, url: &str, status: u16) -> fmt::Result {
    write!(
        f,
        "expected a simple signature (200) or none (404) where registries.d keeps those of {url}, \
         found status {status}: see that its \"lookaside\" can be read from here"
    )
}

fn fmt_limit(f: &mut fmt::Formatter<'_>, listed: usize) -> fmt::Result {
    write!(
        f,
        "more is attached to the image than is read; the first {listed} entries were taken: \
         remove what is not needed"
    )
}

fn reason(message: &str) -> &str {
    if message.is_empty() {
        "no reason given"
    } else {
        message
    }
}

impl core::error::Error for RegistryError {}

impl From<HostError> for RegistryError {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

impl From<DigestError> for RegistryError {
    fn from(error: DigestError) -> Self {
        Self::Digest(error)
    }
}

/// Text from the network, fit to be shown: no control characters, none that change the direction of
/// writing, not long.
pub(crate) fn clean(text: &str, most: usize) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().filter(|c| !hidden(*c)).take(most).collect()
}

/// Code and message of the first error in a registry's error body (OCI distribution specification,
/// "Error Codes").
pub(super) fn parse_error_body(body: &[u8]) -> (String, String) {
    let body = if body.len() > limits::ERROR_BODY {
        &[]
    } else {
        body
    };
    let document = json::parse(body, Dialect::Go).ok();
    let first = document
        .as_ref()
        .and_then(|document| document.member("errors")?.as_array()?.first());
    let text = |name| {
        first
            .and_then(|error| error.member(name)?.as_str())
            .unwrap_or_default()
    };
    (
        clean(text("code"), 64),
        clean(text("message"), limits::ERROR_MESSAGE),
    )
}
