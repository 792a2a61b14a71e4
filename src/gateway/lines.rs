//! The two steps of a request whose answer is remembered ([`super::glance`]), as text: lines in, lines
//! and bytes out, so that a shell makes no object for either.

use super::Gateway;
use super::action::{ClientRequest, Respond};
use super::log::LogLine;
use super::moment::Moment;
use super::wish::is_administrators;
use crate::time::UnixTime;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::iter;

/// What lets a request in stands last.
const AUTHORIZATION: &str = "\nauthorization\n";

impl Gateway {
    /// As [`Self::look`]. Request: the time in seconds, the method, the address, then a name and a
    /// value for each of the headers `host` and `authorization`, in this order. Question: the
    /// address, then a name and a value for each header. A line each.
    pub fn look_in_lines(&self, request: &str) -> Option<String> {
        let (time, question, authorization) = split(request)?;
        let bears = authorization.strip_prefix(AUTHORIZATION);
        if bears.is_some_and(|value| is_administrators(&self.settings, value)) {
            return None;
        }
        let moment = Moment::of(time);
        if let Some(head) = self.caches.said.borrow_mut().within(moment).head(question) {
            return Some([head, authorization].concat());
        }
        let client = client_request(request)?;
        let head = self.look(&client)?;
        let lines = lines(iter::once(head.url.as_str()).chain(flat_headers(&head.headers)))?;
        if let Some(head) = lines.strip_suffix(authorization)
            && self.may_keep_said(&client)
        {
            let mut said = self.caches.said.borrow_mut();
            said.within(moment).keep_head(question, head);
        }
        Some(lines)
    }

    /// As [`Self::answer`], to the same lines. The status, the reason phrase, the log's line, then
    /// a name and a value for each header, a line each; after them a zero byte and the body, where
    /// there is one.
    pub fn answer_in_lines(
        &self,
        request: &str,
        asked: String,
        digest: Option<String>,
    ) -> Option<Vec<u8>> {
        let digest = digest?;
        let (time, question, _) = split(request)?;
        let moment = Moment::of(time);
        let mut said = self.caches.said.borrow_mut();
        if let Some((answer, decided)) = said.within(moment).answer(question, &asked, &digest) {
            self.counters.answered(decided);
            return Some(answer.into());
        }
        drop(said);
        let client = client_request(request)?;
        let respond = self.answer(&client, asked, Some(digest.clone()))?;
        let answer = flat(&respond)?;
        let decision = respond.log.and_then(|log| log.decision)?;
        self.counters.answered(decision.decided());
        // Where no question was kept, no answer is.
        let mut said = self.caches.said.borrow_mut();
        said.within(moment)
            .keep_answer(question, digest, &answer, decision.decided());
        self.decisions.borrow_mut().keep(&decision);
        self.remember_for_next(&client, &decision);
        Some(answer)
    }
}

/// When a request came, its question, and the lines by which it is let in.
fn split(request: &str) -> Option<(UnixTime, &str, &str)> {
    let (time, rest) = request.split_once('\n')?;
    let end = rest.find(AUTHORIZATION).unwrap_or(rest.len());
    let (question, authorization) = rest.split_at_checked(end)?;
    Some((UnixTime(time.parse().ok()?), question, authorization))
}

fn client_request(text: &str) -> Option<ClientRequest> {
    let (time, rest) = text.split_once('\n')?;
    let time = UnixTime(time.parse().ok()?);
    let mut lines = rest.split('\n');
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

fn flat(respond: &Respond) -> Option<Vec<u8>> {
    let status = respond.status.to_string();
    let log = respond.log.as_ref().map(LogLine::line).unwrap_or_default();
    let head = [
        &status,
        respond.status_text.as_deref().unwrap_or_default(),
        &log,
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
