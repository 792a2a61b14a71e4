//! The two steps of a request whose answer is remembered, as text ([`super::glance`]): lines in, lines
//! and bytes out, so that a shell makes no object for either; and what both said in this second.

use super::Gateway;
use super::action::{ClientRequest, Respond};
use crate::limits;
use crate::time::UnixTime;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::iter;

/// What lets a request in stands last.
const AUTHORIZATION: &str = "\nauthorization\n";

/// What both steps said in this second. Time is counted in seconds: the same question, with the same
/// digest of the upstream, has the same answer until the next one begins, the log's line included.
/// Who asks is no part of the question: the upstream lets each request in by itself.
#[derive(Debug, Default)]
pub(super) struct Second {
    /// As requests write it.
    time: String,
    said: BTreeMap<String, Said>,
    bytes: usize,
}

#[derive(Debug)]
struct Said {
    /// Lines: the address, then a name and a value for each header but the authorization.
    head: String,
    /// The digest, and [`flat`].
    answer: Option<(String, Vec<u8>)>,
}

impl Second {
    fn said(&mut self, question: &str) -> Option<&mut Said> {
        let time = question.split('\n').next().unwrap_or_default();
        if time != self.time {
            *self = Self::default();
            self.time = time.into();
        }
        self.said.get_mut(question)
    }

    /// Whether there is room for so many bytes more, which are counted then.
    fn has_room(&mut self, bytes: usize) -> bool {
        let all = self.bytes.saturating_add(bytes);
        let fits = all <= limits::KEPT_SECOND;
        if fits {
            self.bytes = all;
        }
        fits
    }
}

/// A request's question, and the lines by which it is let in.
fn split(request: &str) -> (&str, &str) {
    let end = request.find(AUTHORIZATION).unwrap_or(request.len());
    request.split_at_checked(end).unwrap_or((request, ""))
}

impl Gateway {
    /// As [`Self::look`]. Request: the time in seconds, the method, the address, then a name and a
    /// value for each of the headers `host` and `authorization`, in this order. Question: the
    /// address, then a name and a value for each header. A line each.
    pub fn look_in_lines(&self, request: &str) -> Option<String> {
        let second = &mut self.caches.second.borrow_mut();
        let (question, authorization) = split(request);
        if let Some(said) = second.said(question) {
            return Some([&said.head, authorization].concat());
        }
        let head = self.look(&client_request(request)?)?;
        let lines = lines(iter::once(head.url.as_str()).chain(flat_headers(&head.headers)))?;
        if let Some(head) = lines.strip_suffix(authorization)
            && second.has_room(question.len().saturating_add(head.len()))
        {
            let said = Said {
                head: head.into(),
                answer: None,
            };
            second.said.insert(question.into(), said);
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
        let second = &mut self.caches.second.borrow_mut();
        let (question, _) = split(request);
        let said = second.said(question);
        let is_asked = |said: &&mut Said| said.head.split('\n').next() == Some(asked.as_str());
        if let Some((known, answer)) = said.filter(is_asked).and_then(|said| said.answer.as_ref())
            && *known == digest
        {
            return Some(answer.clone());
        }
        let respond = self.answer(&client_request(request)?, asked, Some(digest.clone()))?;
        let answer = flat(&respond)?;
        if second.has_room(answer.len())
            && let Some(said) = second.said(question)
        {
            said.answer = Some((digest, answer.clone()));
        }
        Some(answer)
    }
}

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
