//! Signed entry timestamps: the log's promise that an entry is in it since a time
//! ([`super::IntegratedTime`] is what comes of one).

use super::fields::{need, object, strict};
use crate::encoding::base64;
use crate::encoding::hex;
use crate::encoding::json::{self, Dialect, Node};
use crate::tlog::error::TlogError;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The message is canonical JSON of the entry's body, integrated time, log id and index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignedEntryTimestamp {
    pub message: Vec<u8>,
    pub signature: Vec<u8>,
}

pub(super) fn promise_signature(promise: &Node) -> Result<Vec<u8>, TlogError> {
    const AT: &str = "inclusionPromise.signedEntryTimestamp";
    let promise = object(promise, "inclusionPromise", &["signedEntryTimestamp"])?;
    strict(need(promise, "signedEntryTimestamp", AT)?, AT)
}

/// What a signed entry timestamp is over. In canonical form by construction: sorted keys, and texts
/// that need no escapes.
pub(super) fn promised(body: &[u8], time: u64, log_id: &[u8], log_index: u64) -> Vec<u8> {
    format!(
        r#"{{"body":"{}","integratedTime":{time},"logID":"{}","logIndex":{log_index}}}"#,
        base64::encode(body),
        hex::encode(log_id)
    )
    .into_bytes()
}

/// What a signed entry timestamp was made over, read from the canonical bytes.
pub(super) struct Timestamped {
    pub body: Vec<u8>,
    pub time: u64,
    pub log_id: String,
    pub log_index: u64,
}

impl Timestamped {
    pub(super) fn parse(message: &[u8]) -> Result<Self, TlogError> {
        let wrong = |expected| TlogError::SetPayload { expected };
        let root = json::parse(message, Dialect::Strict).map_err(|_| wrong("JSON"))?;
        let members = root.as_object().ok_or(wrong("an object"))?;
        let find = |key| {
            members
                .iter()
                .find(|member| member.key == key)
                .map(|member| &member.node)
        };
        let parsed = (|| {
            let body = base64::decode_go(find("body")?.as_str()?)?;
            Some(Self {
                body,
                time: signed(find("integratedTime")?)?,
                log_id: find("logID")?.as_str()?.into(),
                log_index: signed(find("logIndex")?)?,
            })
        })();
        parsed.filter(|_| members.len() == 4).ok_or(wrong(
            "exactly body (base64), integratedTime, logID (text) and logIndex (integers that are \
             not negative)",
        ))
    }
}

/// A number of 63 bits.
fn signed(node: &Node) -> Option<u64> {
    node.as_u64().filter(|value| i64::try_from(*value).is_ok())
}
