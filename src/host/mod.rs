//! The outside world, as the core sees it.
//!
//! In scope: the trait that fetches. Out of scope: sockets, clocks, redirects that a platform
//! follows by itself. Nothing that a host returns is trusted: digests and signatures carry their
//! own proof.

mod task;

pub use task::{Advance, Answer, Ask, Remote, Task, glance};

use crate::error::HostError;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// By whom an address was written, and so where it may lead (docs/gateway.md "Egress").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Egress {
    /// By the operator, or the person who asks: it may be private, loopback and plain http.
    Operator,
    /// By anybody else (a redirect, a challenge): a host asks public addresses only, decided by the
    /// address that is connected to and not by its name.
    Public,
}

/// One HTTP request. Redirects are not followed by the host (a browser follows them and says so in
/// [`Response::url`]).
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD` or `POST`.
    pub method: &'static str,
    /// Absolute, http or https.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Only with `POST`.
    pub body: Option<String>,
    /// Bytes of body that are read; a longer one is [`HostError::TooLarge`], enforced while
    /// reading.
    pub max_bytes: usize,
    /// Where it may lead.
    pub egress: Egress,
    /// With which keys it is signed as Amazon wants it (Signature Version 4), before it is sent.
    pub sign: Option<AwsKeys>,
}

/// Never what headers and body hold: who asks stands there.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("egress", &self.egress)
            .finish_non_exhaustive()
    }
}

/// Keys of an account at Amazon, and what they sign for.
#[derive(Clone, PartialEq, Eq)]
pub struct AwsKeys {
    /// Such as `ecr`.
    pub service: String,
    /// Such as `eu-central-1`.
    pub region: String,
    /// Says whose keys they are.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: String,
    /// Of a role, for a while.
    pub session_token: Option<String>,
}

/// Never the keys.
impl fmt::Debug for AwsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsKeys")
            .field("service", &self.service)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// The answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, whole.
    pub body: Vec<u8>,
    /// The address that answered, where the platform followed redirects by itself.
    pub url: Option<String>,
}

impl Response {
    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What fetches.
pub trait Host {
    /// Sends one request and reads the answer.
    fn fetch(&self, request: Request) -> impl Future<Output = Result<Response, HostError>>;
}

/// What remembers. Nothing depends on it: a lost value costs a verification.
pub trait Store {
    /// The value of a key, if it is still there.
    fn load(&self, key: &str) -> impl Future<Output = Option<String>>;
    /// Waits for its turn: one task at a time works on a key. The turn ends with the task. Nothing
    /// depends on it.
    fn lock(&self, key: &str) -> impl Future<Output = ()>;
    /// Whether there is time to save, before something is changed of which the store is to know: at
    /// once, but for a [`glance`], which ends here.
    fn writable(&self) -> impl Future<Output = ()> {
        core::future::ready(())
    }
    /// Keeps a value for at most so many seconds.
    fn save(&self, key: &str, value: &str, seconds: u32) -> impl Future<Output = ()>;
    /// Adds a record, which holds no empty line, to a log, for at most so many seconds.
    fn append(&self, _log: &str, _record: &str, _seconds: u32) -> impl Future<Output = ()> {
        core::future::ready(())
    }
    /// A piece of a log, or nothing where the store gives no answer. Lines: when the log's oldest
    /// record was added, in seconds; the place before which the next piece ends; then records,
    /// between empty lines. The first two are empty where there is none.
    fn read_back(&self, _question: &LogQuestion) -> impl Future<Output = Option<String>> {
        core::future::ready(None)
    }
}

/// Which piece of a log is asked for, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogQuestion {
    /// The log's name.
    pub log: String,
    /// Records in which none of these texts stands are of no use; where there are no texts, all are
    /// wanted.
    pub holding: Vec<String>,
    /// The place before which it ends; the end of the log where it is empty.
    pub before: String,
}

/// Where an answer goes out in pieces, so that it never stands whole in memory.
pub trait Sink {
    /// The answer begins: status and headers.
    fn begin(&self, status: u16, headers: &[(String, String)]) -> impl Future<Output = ()>;
    /// The next piece of its body, once there is room for it; `false`: nobody takes it any more.
    fn write(&self, piece: Vec<u8>) -> impl Future<Output = bool>;
}
