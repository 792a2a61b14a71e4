//! The two calls of a gateway's request whose answer is remembered: text in, text and bytes out, and
//! no object made for either.

use crate::gateway::{ClientRequest, Gateway, Respond};
use crate::time::UnixTime;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::iter;

/// What such a request asks of the upstream first. Lines: the address, then a name and a value for
/// each header.
pub(super) fn look(gateway: &Gateway, request: &str) -> Option<String> {
    let head = gateway.look(&client_request(request)?)?;
    lines(iter::once(head.url.as_str()).chain(flat_headers(&head.headers)))
}

/// The answer: see [`flat`].
pub(super) fn answer(
    gateway: &Gateway,
    request: &str,
    asked: String,
    digest: Option<String>,
) -> Option<Vec<u8>> {
    flat(&gateway.answer(&client_request(request)?, asked, digest)?)
}

/// Lines: the time, the method, the address, then a name and a value for each header that matters.
fn client_request(text: &str) -> Option<ClientRequest> {
    let mut lines = text.split('\n');
    let time = UnixTime(lines.next()?.parse().ok()?);
    let (method, url) = (lines.next()?.to_string(), lines.next()?.to_string());
    let mut headers = Vec::new();
    while let Some(name) = lines.next() {
        headers.push((name.to_string(), lines.next()?.to_string()));
    }
    Some(ClientRequest {
        method,
        url,
        headers,
        time,
    })
}

/// Lines: the status, the reason phrase, the log's line, then a name and a value for each header.
/// After them a zero byte and the body, where there is one.
fn flat(respond: &Respond) -> Option<Vec<u8>> {
    let status = respond.status.to_string();
    let head = [
        &status,
        respond.status_text.as_deref().unwrap_or_default(),
        respond.log.as_deref().unwrap_or_default(),
    ];
    let head = lines(head.into_iter().chain(flat_headers(&respond.headers)))?;
    let mut out = head.into_bytes();
    if let Some(body) = &respond.body {
        out.push(0);
        out.extend_from_slice(body);
    }
    Some(out)
}

fn flat_headers(headers: &[(String, String)]) -> impl Iterator<Item = &str> {
    headers
        .iter()
        .flat_map(|(name, value)| [name.as_str(), value.as_str()])
}

/// Joined by line ends; nothing where a text has one itself.
fn lines<'a>(texts: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut out = String::new();
    for (number, text) in texts.enumerate() {
        if text.contains('\n') || text.contains('\0') {
            return None;
        }
        if number > 0 {
            out.push('\n');
        }
        out.push_str(text);
    }
    Some(out)
}
