//! One entry: its shape, and what it is about.

use super::body::Expected;
use super::fields::{find, go, int64, need, object, strict, text};
use super::promise::{SignedEntryTimestamp, Timestamped, promise_signature, promised};
use super::proof::InclusionProof;
use super::{v1, v2};
use crate::encoding::hex;
use crate::encoding::json::{self, Dialect, Node};
use crate::limits;
use crate::tlog::canonical::canonical;
use crate::tlog::error::{TlogError, shown};
use crate::tlog::merkle::{self, NodeHash};
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
    pub(super) body: Vec<u8>,
    kind: String,
    kind_version: String,
    spec: Node,
    pub(super) log_id: Vec<u8>,
    pub(super) log_index: u64,
    pub(super) set: Option<SignedEntryTimestamp>,
    pub(super) proof: Option<InclusionProof>,
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
