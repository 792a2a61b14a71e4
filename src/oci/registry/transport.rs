//! One request, its redirects followed where they may be (RFC 9110 section 15.4; `egress`): GET and
//! HEAD only, and whatever is secret stays with the host that it is for.

use super::egress;
use super::egress::EgressHosts;
use super::error::RegistryError;
use super::error::clean;
use super::error::parse_error_body;
use crate::error::HostError;
use crate::host::Egress;
use crate::host::Host;
use crate::host::Request;
use crate::host::Response;
use crate::limits;
use crate::oci::url::Url;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

const USER_AGENT: &str = concat!("sealgate/", env!("CARGO_PKG_VERSION"));

/// What is asked.
pub(super) struct Call<'a> {
    pub method: &'static str,
    pub url: &'a Url,
    pub accept: &'static str,
    /// Headers for the origin of `url` only.
    pub secret: &'a [(String, String)],
    /// A form.
    pub body: Option<String>,
    /// Bytes of a body with status 200.
    pub max: usize,
    /// By whom `url` was written.
    pub egress: Egress,
    pub redirects: Redirects<'a>,
}

/// What becomes of an answer that leads elsewhere.
#[derive(Clone, Copy)]
pub(super) enum Redirects<'a> {
    /// It is the answer.
    Returned,
    /// It is followed, to public addresses and these hosts.
    Followed(&'a EgressHosts),
    /// It is followed as before, and only on the host that was asked.
    #[cfg(feature = "openpgp")]
    OwnHost(&'a EgressHosts),
}

impl<'a> Redirects<'a> {
    fn hosts(self) -> Option<&'a EgressHosts> {
        match self {
            Self::Returned => None,
            Self::Followed(hosts) => Some(hosts),
            #[cfg(feature = "openpgp")]
            Self::OwnHost(hosts) => Some(hosts),
        }
    }

    /// docs/gateway.md "Egress".
    #[cfg(feature = "openpgp")]
    fn check(self, asked: &Url, next: &Url) -> Result<(), RegistryError> {
        if !matches!(self, Self::OwnHost(_)) || next.same_host(asked) {
            return Ok(());
        }
        Err(HostError::Redirect {
            url: asked.shown(),
            reason: "it leads to another host, and simple signatures are read from the host that \
                     registries.d names alone"
                .into(),
        }
        .into())
    }
}

/// What was answered.
pub(super) struct Reply {
    pub response: Response,
    /// Where the answer comes from.
    pub url: Url,
    /// Whether every step of the way was the origin that was asked: only then its challenges are
    /// heard.
    pub ours: bool,
}

impl Reply {
    pub(super) fn status(&self) -> u16 {
        self.response.status
    }

    /// Every header of this lower-case name.
    pub(super) fn headers(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.response
            .headers
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The challenges, in one line.
    pub(super) fn challenge(&self) -> String {
        let all: Vec<&str> = self.headers("www-authenticate").collect();
        clean(&all.join(", "), limits::ADDRESS)
    }

    /// The error that a status which nobody wants is.
    pub(super) fn error(&self, expected: &'static str) -> RegistryError {
        let url = self.url.shown();
        let (code, message) = parse_error_body(&self.response.body);
        match self.status() {
            // A challenge of another host is not for credentials of this one.
            401 => RegistryError::Unauthorized {
                url,
                challenge: if self.ours {
                    self.challenge()
                } else {
                    String::new()
                },
                message,
            },
            429 => RegistryError::RateLimited {
                url,
                retry_after: self
                    .headers("retry-after")
                    .next()
                    .map(|after| clean(after, 64)),
                message,
            },
            status @ 400..=499 => RegistryError::Refused {
                url,
                status,
                code,
                message,
            },
            status => HostError::Status {
                url,
                status,
                expected,
            }
            .into(),
        }
    }
}

/// Sends one request and follows where it leads.
pub(super) async fn send<H: Host>(host: &H, call: &Call<'_>) -> Result<Reply, RegistryError> {
    let mut at = call.url.clone();
    let mut ours = true;
    let mut egress = call.egress;
    for _ in 0..=limits::REDIRECTS {
        // The query of a redirect holds signatures.
        let response = host
            .fetch(request(call, &at, ours, egress))
            .await
            .map_err(|error| error.at(at.shown()))?;
        if let Some(end) = &response.url {
            // The platform followed redirects: an address that we cannot read is somebody else's.
            let end = Url::parse(end);
            ours = ours && end.as_ref().is_some_and(|end| end.same_origin(&at));
            at = end.unwrap_or(at);
            #[cfg(feature = "openpgp")]
            call.redirects.check(call.url, &at)?;
        }
        let location = response
            .header("location")
            .filter(|_| call.method != "POST" && is_redirect(response.status));
        let (Some(location), Some(hosts)) = (location, call.redirects.hosts()) else {
            return bounded(
                Reply {
                    response,
                    url: at,
                    ours,
                },
                call.max,
            );
        };
        let (next, whose) = egress::redirect(&at, location, ours, hosts)?;
        #[cfg(feature = "openpgp")]
        call.redirects.check(call.url, &next)?;
        // Once away, always away: another host must not choose what our credentials read.
        ours = ours && next.same_origin(&at);
        (at, egress) = (next, whose);
    }
    Err(HostError::Redirect {
        url: call.url.shown(),
        reason: format!("more than {} redirects", limits::REDIRECTS),
    }
    .into())
}

/// RFC 9110 section 15.4.
pub(super) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

fn request(call: &Call<'_>, at: &Url, ours: bool, egress: Egress) -> Request {
    let mut headers = Vec::from([
        ("user-agent".into(), USER_AGENT.into()),
        ("accept".into(), call.accept.into()),
    ]);
    if call.body.is_some() {
        headers.push((
            "content-type".into(),
            "application/x-www-form-urlencoded".into(),
        ));
    }
    if ours {
        headers.extend_from_slice(call.secret);
    }
    // An error body may be longer than what is asked for, and still says "not found".
    Request {
        method: call.method,
        url: format!("{at}"),
        headers,
        body: call.body.clone(),
        max_bytes: call.max.max(limits::ERROR_BODY),
        egress,
        sign: None,
    }
}

fn bounded(answer: Reply, max: usize) -> Result<Reply, RegistryError> {
    if answer.status() == 200 && answer.response.body.len() > max {
        return Err(HostError::TooLarge {
            url: answer.url.shown(),
            limit: max,
        }
        .into());
    }
    Ok(answer)
}
