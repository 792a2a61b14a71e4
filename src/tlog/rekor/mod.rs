//! Rekor's log entries as evidence carries them: `TransparencyLogEntry` of sigstore/protobuf-specs
//! (`sigstore_rekor.proto`), and cosign's `bundle` annotation (docs/containers-image.md section
//! 2.3).
//!
//! In scope: their shape; the log's signed word on them ([`IntegratedTime`], [`Included`]); what
//! they are about ([`Entry::check_body`]). Out of scope: which log is trusted when, how many
//! entries are demanded.
//!
//! There is no accessor for the integrated time of an entry: it counts as signed by the log only
//! (CVE-2026-48816, CVE-2024-55655), so it is read out of the message of a signed entry timestamp.

mod body;
mod claim;
mod v1;
mod v2;

pub use body::{Content, Expected, Verifier};
pub use claim::{Included, IntegratedTime, LogKey};

use super::canonical::canonical;
use super::checkpoint::{SignedCheckpoint, decimal};
use super::error::{TlogError, shown};
use super::merkle::{self, NodeHash};
use crate::encoding::base64;
use crate::encoding::hex;
use crate::encoding::json::{self, Dialect, Member, Node, Value};
use crate::limits;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Which software made the entry; it decides what a proof of it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Signed entry timestamps, and proofs with checkpoints.
    V1,
    /// Proofs with checkpoints only.
    V2,
}

/// What an entry brings along to show that it is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofForm {
    /// Nothing.
    Absent,
    /// A proof that leads to a root of which nothing is known. It proves nothing (docs/trust.md
    /// section 4).
    WithoutCheckpoint,
    /// A proof and a checkpoint.
    WithCheckpoint,
}

/// One entry, nothing of it checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    body: Vec<u8>,
    kind: String,
    kind_version: String,
    spec: Node,
    log_id: Vec<u8>,
    log_index: u64,
    set: Option<SignedEntryTimestamp>,
    proof: Option<InclusionProof>,
}

/// The message is canonical JSON of the entry's body, integrated time, log id and index.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SignedEntryTimestamp {
    message: Vec<u8>,
    signature: Vec<u8>,
}

/// Index and size are of the tree, which in Rekor v1 is one of several that make up the log.
#[derive(Debug, Clone, PartialEq, Eq)]
struct InclusionProof {
    index: u64,
    size: u64,
    root: NodeHash,
    hashes: Vec<NodeHash>,
    checkpoint: Option<SignedCheckpoint>,
}

/// `verificationMaterial.tlogEntries`: bounded, and none of them twice.
///
/// # Errors
/// [`TlogError::TooMany`], [`TlogError::Repeated`], and those of [`Entry::parse`].
pub fn entries(nodes: &[Node]) -> Result<Vec<Entry>, TlogError> {
    if nodes.len() > limits::LOG_ENTRIES {
        return Err(TlogError::TooMany {
            limit: limits::LOG_ENTRIES,
            found: nodes.len(),
        });
    }
    let entries = nodes
        .iter()
        .map(Entry::parse)
        .collect::<Result<Vec<_>, _>>()?;
    for (at, entry) in entries.iter().enumerate() {
        let same = |other: &Entry| {
            other.log_id == entry.log_id
                && (other.log_index == entry.log_index || other.body == entry.body)
        };
        if entries.iter().take(at).any(same) {
            return Err(TlogError::Repeated {
                index: entry.log_index,
            });
        }
    }
    Ok(entries)
}

fn promise_signature(promise: &Node) -> Result<Vec<u8>, TlogError> {
    const AT: &str = "inclusionPromise.signedEntryTimestamp";
    let promise = object(promise, "inclusionPromise", &["signedEntryTimestamp"])?;
    strict(need(promise, "signedEntryTimestamp", AT)?, AT)
}

/// What a signed entry timestamp is over. In canonical form by construction: sorted keys, and texts
/// that need no escapes.
fn promised(body: &[u8], time: u64, log_id: &[u8], log_index: u64) -> Vec<u8> {
    format!(
        r#"{{"body":"{}","integratedTime":{time},"logID":"{}","logIndex":{log_index}}}"#,
        base64::encode(body),
        hex::encode(log_id)
    )
    .into_bytes()
}

impl Entry {
    /// One element of `tlogEntries`. Integers are numbers or texts; what has its default value may
    /// be left out, as protobuf's JSON does.
    ///
    /// # Errors
    /// [`TlogError`].
    pub fn parse(node: &Node) -> Result<Self, TlogError> {
        const AT: &str = "tlogEntries[]";
        let members = object(
            node,
            AT,
            &[
                "logIndex",
                "logId",
                "kindVersion",
                "integratedTime",
                "inclusionPromise",
                "inclusionProof",
                "canonicalizedBody",
            ],
        )?;
        let body = strict(
            need(members, "canonicalizedBody", "canonicalizedBody")?,
            "canonicalizedBody",
        )?;
        let log_id = object(need(members, "logId", "logId")?, "logId", &["keyId"])?;
        let log_id = strict(need(log_id, "keyId", "logId.keyId")?, "logId.keyId")?;
        let log_index = int64(find(members, "logIndex"), "logIndex")?;
        let time = int64(find(members, "integratedTime"), "integratedTime")?;
        let (kind, kind_version, spec) = body_parts(&body)?;
        stated_kind(
            need(members, "kindVersion", "kindVersion")?,
            &kind,
            &kind_version,
        )?;
        let set = match find(members, "inclusionPromise") {
            Some(promise) => Some(SignedEntryTimestamp {
                message: promised(&body, time, &log_id, log_index),
                signature: promise_signature(promise)?,
            }),
            None => None,
        };
        let proof = find(members, "inclusionProof")
            .map(InclusionProof::parse)
            .transpose()?;
        Ok(Self {
            body,
            kind,
            kind_version,
            spec,
            log_id,
            log_index,
            set,
            proof,
        })
    }

    /// Cosign's `dev.sigstore.cosign/bundle` annotation: a signed entry timestamp and what it was
    /// made over. Base64 is read as Go does, numbers as RFC 8785 does.
    ///
    /// # Errors
    /// [`TlogError`].
    pub fn parse_annotation(bytes: &[u8]) -> Result<Self, TlogError> {
        const AT: &str = "the bundle annotation";
        if bytes.len() > 2 * limits::LOG_BODY {
            return Err(TlogError::Shape {
                at: AT,
                expected: "at most 2 MiB",
            });
        }
        let root = json::parse(bytes, Dialect::Strict)
            .map_err(|error| TlogError::Json { at: AT, error })?;
        let members = object(&root, AT, &["SignedEntryTimestamp", "Payload"])?;
        let signature = go(
            need(members, "SignedEntryTimestamp", "SignedEntryTimestamp")?,
            "SignedEntryTimestamp",
        )?;
        let payload = need(members, "Payload", "Payload")?;
        let message = canonical(payload)
            .ok_or(TlogError::SetPayload {
                expected: "integers of at most 53 bits",
            })?
            .into_bytes();
        let timestamped = Timestamped::parse(&message)?;
        let (kind, kind_version, spec) = body_parts(&timestamped.body)?;
        // containers/image does not look at it: what is no id names no log, and is kept as it is.
        let log_id =
            hex::decode(&timestamped.log_id).unwrap_or_else(|| timestamped.log_id.into_bytes());
        let set = Some(SignedEntryTimestamp { message, signature });
        Ok(Self {
            body: timestamped.body,
            kind,
            kind_version,
            spec,
            log_id,
            log_index: timestamped.log_index,
            set,
            proof: None,
        })
    }

    /// The log that it says it is from, to choose a key by.
    pub fn log_id_unverified(&self) -> &[u8] {
        &self.log_id
    }

    /// The index that it says it has.
    pub fn log_index_unverified(&self) -> u64 {
        self.log_index
    }

    /// Kind and version of the body, for instance `hashedrekord 0.0.1`.
    pub fn kind(&self) -> String {
        format!("{} {}", shown(&self.kind), shown(&self.kind_version))
    }

    /// Which Rekor makes entries of this kind.
    pub fn version(&self) -> Version {
        match (self.kind.as_str(), self.kind_version.as_str()) {
            ("hashedrekord" | "dsse", "0.0.2") => Version::V2,
            _ => Version::V1,
        }
    }

    /// Whether a signed entry timestamp is there.
    pub fn has_set(&self) -> bool {
        self.set.is_some()
    }

    /// What is there to show that it is in the log.
    pub fn proof_form(&self) -> ProofForm {
        match &self.proof {
            None => ProofForm::Absent,
            Some(InclusionProof {
                checkpoint: None, ..
            }) => ProofForm::WithoutCheckpoint,
            Some(_) => ProofForm::WithCheckpoint,
        }
    }

    /// The body's hash as a leaf of the log; claims carry it too.
    pub fn leaf_hash(&self) -> NodeHash {
        merkle::leaf_hash(&self.body)
    }

    /// Ties the entry to a signature: every field of its body is what is expected.
    ///
    /// # Errors
    /// The codes that begin with `log-body.`, [`TlogError::Shape`].
    pub fn check_body(&self, expected: &Expected<'_>) -> Result<(), TlogError> {
        let body = match (self.kind.as_str(), self.kind_version.as_str()) {
            ("hashedrekord", "0.0.1") => v1::hashedrekord(&self.spec)?,
            ("dsse", "0.0.1") => v1::dsse(&self.spec)?,
            ("intoto", "0.0.1") => v1::intoto_by_hash(&self.spec)?,
            ("intoto", "0.0.2") => v1::intoto(&self.spec)?,
            ("hashedrekord", "0.0.2") => v2::hashedrekord(&self.spec)?,
            ("dsse", "0.0.2") => v2::dsse(&self.spec)?,
            _ => return Err(TlogError::Kind { found: self.kind() }),
        };
        body.check(expected, &self.kind())
    }
}

/// `kindVersion` is outside of what the log signed: it says the same as the body, or the entry is
/// refused.
fn stated_kind(node: &Node, kind: &str, version: &str) -> Result<(), TlogError> {
    let members = object(node, "kindVersion", &["kind", "version"])?;
    let stated = (
        text(
            need(members, "kind", "kindVersion.kind")?,
            "kindVersion.kind",
        )?,
        text(
            need(members, "version", "kindVersion.version")?,
            "kindVersion.version",
        )?,
    );
    if stated == (kind, version) {
        return Ok(());
    }
    let show = |(kind, version): (&str, &str)| format!("{} {}", shown(kind), shown(version));
    Err(TlogError::KindVersion {
        stated: show(stated),
        found: show((kind, version)),
    })
}

fn body_parts(body: &[u8]) -> Result<(String, String, Node), TlogError> {
    const AT: &str = "the log entry's body";
    if body.len() > limits::LOG_BODY {
        return Err(TlogError::Shape {
            at: AT,
            expected: "at most 1 MiB",
        });
    }
    let root =
        json::parse(body, Dialect::Strict).map_err(|error| TlogError::Json { at: AT, error })?;
    let members = root.as_object().ok_or(TlogError::Shape {
        at: AT,
        expected: "an object",
    })?;
    let part = |key, at| text(need(members, key, at)?, at).map(String::from);
    Ok((
        part("kind", "body.kind")?,
        part("apiVersion", "body.apiVersion")?,
        need(members, "spec", "body.spec")?.clone(),
    ))
}

impl InclusionProof {
    fn parse(node: &Node) -> Result<Self, TlogError> {
        const AT: &str = "inclusionProof";
        let members = object(
            node,
            AT,
            &["logIndex", "rootHash", "treeSize", "hashes", "checkpoint"],
        )?;
        let hashes = find(members, "hashes").map_or(Some([].as_slice()), Node::as_array);
        let hashes = hashes.filter(|hashes| hashes.len() <= limits::PROOF_HASHES);
        let hashes = hashes.ok_or(TlogError::Shape {
            at: "inclusionProof.hashes",
            expected: "an array of at most 64 hashes",
        })?;
        let checkpoint = match find(members, "checkpoint") {
            Some(node) => {
                let envelope = object(node, "inclusionProof.checkpoint", &["envelope"])?;
                let envelope = need(envelope, "envelope", "inclusionProof.checkpoint.envelope")?;
                Some(SignedCheckpoint::parse(text(
                    envelope,
                    "inclusionProof.checkpoint.envelope",
                )?)?)
            }
            None => None,
        };
        Ok(Self {
            index: int64(find(members, "logIndex"), "inclusionProof.logIndex")?,
            size: int64(find(members, "treeSize"), "inclusionProof.treeSize")?,
            root: hash(
                need(members, "rootHash", "inclusionProof.rootHash")?,
                "inclusionProof.rootHash",
            )?,
            hashes: hashes
                .iter()
                .map(|node| hash(node, "inclusionProof.hashes[]"))
                .collect::<Result<_, _>>()?,
            checkpoint,
        })
    }
}

/// What a signed entry timestamp was made over, read from the canonical bytes.
struct Timestamped {
    body: Vec<u8>,
    time: u64,
    log_id: String,
    log_index: u64,
}

impl Timestamped {
    fn parse(message: &[u8]) -> Result<Self, TlogError> {
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

fn object<'a>(node: &'a Node, at: &'static str, known: &[&str]) -> Result<&'a [Member], TlogError> {
    let members = node.as_object().ok_or(TlogError::Shape {
        at,
        expected: "an object",
    })?;
    match members
        .iter()
        .find(|member| !known.contains(&member.key.as_str()))
    {
        Some(member) => Err(TlogError::Unknown {
            at,
            key: shown(&member.key),
        }),
        None => Ok(members),
    }
}

/// `null` is absent, as in protobuf's JSON.
fn find<'a>(members: &'a [Member], key: &str) -> Option<&'a Node> {
    members
        .iter()
        .find(|member| member.key == key)
        .map(|member| &member.node)
        .filter(|node| !node.is_null())
}

fn need<'a>(members: &'a [Member], key: &str, at: &'static str) -> Result<&'a Node, TlogError> {
    find(members, key).ok_or_else(|| TlogError::Absent {
        at,
        key: key.into(),
    })
}

fn text<'a>(node: &'a Node, at: &'static str) -> Result<&'a str, TlogError> {
    node.as_str().ok_or(TlogError::Shape {
        at,
        expected: "a text",
    })
}

/// Base64 that is not empty.
fn strict(node: &Node, at: &'static str) -> Result<Vec<u8>, TlogError> {
    base64::decode(text(node, at)?)
        .filter(|bytes| !bytes.is_empty())
        .ok_or(TlogError::Shape {
            at,
            expected: "standard base64 with padding",
        })
}

/// Base64 as Go reads it, not empty.
fn go(node: &Node, at: &'static str) -> Result<Vec<u8>, TlogError> {
    base64::decode_go(text(node, at)?)
        .filter(|bytes| !bytes.is_empty())
        .ok_or(TlogError::Shape {
            at,
            expected: "standard base64 with padding",
        })
}

fn hash(node: &Node, at: &'static str) -> Result<NodeHash, TlogError> {
    strict(node, at)?.try_into().map_err(|_| TlogError::Shape {
        at,
        expected: "a hash of 32 bytes",
    })
}

/// protobuf's int64, not negative: a number or a text, without sign, fraction, exponent and leading
/// zeros; absent is zero.
fn int64(node: Option<&Node>, at: &'static str) -> Result<u64, TlogError> {
    let digits = match node.map(|node| &node.value) {
        None => "0",
        Some(Value::Number(text) | Value::String(text)) => text,
        Some(_) => "",
    };
    decimal(digits)
        .filter(|value| i64::try_from(*value).is_ok())
        .ok_or(TlogError::Shape {
            at,
            expected: "an integer that is not negative",
        })
}
