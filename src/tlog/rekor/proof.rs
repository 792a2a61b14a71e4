//! An entry's proof that it is in the log, not checked ([`super::Included`] is what comes of it).

use super::fields::{find, hash, int64, need, object, text};
use crate::encoding::json::Node;
use crate::limits;
use crate::tlog::checkpoint::SignedCheckpoint;
use crate::tlog::error::TlogError;
use crate::tlog::merkle::NodeHash;
use alloc::vec::Vec;

/// Index and size are of the tree, which in Rekor v1 is one of several that make up the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InclusionProof {
    pub index: u64,
    pub size: u64,
    pub root: NodeHash,
    pub hashes: Vec<NodeHash>,
    pub checkpoint: Option<SignedCheckpoint>,
}

impl InclusionProof {
    pub(super) fn parse(node: &Node) -> Result<Self, TlogError> {
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
