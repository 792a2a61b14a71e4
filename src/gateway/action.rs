//! Requests in, actions out.

use super::log::LogLine;
use crate::time::UnixTime;
use alloc::string::String;
use alloc::vec::Vec;

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRequest {
    /// Upper case.
    pub method: String,
    /// Absolute.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Now.
    pub time: UnixTime,
}

impl ClientRequest {
    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What the shell is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send this.
    Respond(Respond),
    /// Ask the upstream and hand its body on, untouched.
    Stream(Stream),
    /// Serve a file of the page.
    Asset(String),
    /// Nothing more: the answer went out in pieces ([`crate::host::Sink`]).
    Sent,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Respond {
    /// The HTTP status.
    pub status: u16,
    /// The reason phrase of HTTP/1.1: printable ASCII.
    pub status_text: Option<String>,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body; `None` for HEAD.
    pub body: Option<Vec<u8>>,
    /// For the log.
    pub log: Option<LogLine>,
}

/// A request to the upstream whose answer is handed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// `GET` or `HEAD`.
    pub method: &'static str,
    /// Absolute.
    pub url: String,
    /// To send.
    pub headers: Vec<(String, String)>,
    /// Names of the response headers that are handed on.
    pub pass: Vec<String>,
    /// Headers that are set whatever the upstream says.
    pub set: Vec<(String, String)>,
    /// JSON that replaces the upstream's body where its status is an error: a client that asked for
    /// a blob gets that blob, or words of this gateway.
    pub error_body: String,
    /// A `Location` that begins with the first is mapped to the second.
    pub location: (String, String),
    /// For the log.
    pub log: Option<LogLine>,
}

impl Action {
    /// What the log says of it.
    pub(super) fn log(&self) -> Option<&LogLine> {
        match self {
            Self::Respond(respond) => respond.log.as_ref(),
            Self::Stream(stream) => stream.log.as_ref(),
            Self::Asset(_) | Self::Sent => None,
        }
    }
}
