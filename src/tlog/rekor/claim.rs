//! What a log's signature makes of an entry: that it has it, and since when.

use super::entry::{Entry, Version};
use super::promise::Timestamped;
use super::proof::InclusionProof;
use crate::crypto::{
    EcdsaForm, Hash, KeyKind, Message, Pending, PublicKey, Refused, Role, Rule, Scheme,
    SignatureCheck,
};
use crate::encoding::hex;
use crate::error::Failure;
use crate::time::UnixTime;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::error::{TlogError, shown};
use crate::tlog::merkle::{self, NodeHash};
use crate::tlog::note::VerifierKey;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A log of a trust root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKey {
    id: Vec<u8>,
    origin: String,
    key: PublicKey,
    scheme: Scheme,
}

impl LogKey {
    /// `id` is the root's `logId.keyId`, `origin` the host of its `baseUrl` without port, which is
    /// what Rekor v2 calls itself (sigstore-go `pkg/verify/tlog.go`); `scheme` is what the root
    /// states for the key.
    pub fn new(id: &[u8], origin: &str, key: &PublicKey, scheme: Scheme) -> Self {
        Self {
            id: id.into(),
            origin: origin.into(),
            key: key.clone(),
            scheme,
        }
    }

    /// The log's id.
    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// Rekor v2's name for itself.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether it can sign entry timestamps, which are made with ECDSA and SHA-256 alone.
    pub fn signs_entry_timestamps(&self) -> bool {
        matches!(self.key.kind(), KeyKind::Ecdsa(_))
    }
}

/// The log took this entry at this time: its signed entry timestamp says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegratedTime {
    time: UnixTime,
    log_id: String,
    log_index: u64,
    leaf_hash: NodeHash,
}

impl IntegratedTime {
    /// When.
    pub fn time(&self) -> UnixTime {
        self.time
    }

    /// The log's id as the timestamp has it, hexadecimal.
    pub fn log_id(&self) -> &str {
        &self.log_id
    }

    /// The place of the entry in the log.
    pub fn log_index(&self) -> u64 {
        self.log_index
    }

    /// The entry; equal to [`Entry::leaf_hash`].
    pub fn leaf_hash(&self) -> &NodeHash {
        &self.leaf_hash
    }
}

/// This entry is in the log: a proof leads to the root of a checkpoint that the log signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    index: u64,
    checkpoint: Checkpoint,
    leaf_hash: NodeHash,
}

impl Included {
    /// The place of the entry in the tree.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The checkpoint.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The entry; equal to [`Entry::leaf_hash`].
    pub fn leaf_hash(&self) -> &NodeHash {
        &self.leaf_hash
    }
}

fn check_origin(expected: &str, found: &str) -> Result<(), TlogError> {
    if found == expected {
        Ok(())
    } else {
        Err(TlogError::CheckpointOrigin {
            expected: expected.into(),
            found: shown(found),
        })
    }
}

fn included(
    leaf_hash: NodeHash,
    proof: &InclusionProof,
    checkpoint: Checkpoint,
) -> Result<Included, Failure> {
    merkle::verify_inclusion(
        &leaf_hash,
        proof.index,
        checkpoint.size(),
        &proof.hashes,
        checkpoint.root_hash(),
    )?;
    Ok(Included {
        index: proof.index,
        checkpoint,
        leaf_hash,
    })
}

fn refuse(error: impl Into<Failure>) -> Refused {
    Refused {
        failure: error.into(),
        steps: Vec::new(),
    }
}

impl Entry {
    /// The signed entry timestamp under a log of a trust root.
    ///
    /// # Errors
    /// `log-entry.log-id` when the entry is another log's, the codes that begin with `set.`,
    /// [`crate::crypto::SignatureError`].
    pub fn set_claim(&self, log: &LogKey) -> Result<Pending<IntegratedTime>, Refused> {
        self.check_log(log)?;
        let id = hex::encode(&log.id);
        self.set_claim_of_any_log(&log.key)?.check(
            Rule::new("set.log-id", "the timestamp names the log"),
            |claim| {
                if claim.log_id == id {
                    Ok(claim)
                } else {
                    Err(TlogError::LogId {
                        expected: id,
                        found: shown(&claim.log_id),
                    }
                    .into())
                }
            },
        )
    }

    /// The signed entry timestamp under a bare key, whatever log the entry names: for
    /// `rekorPublicKey…`, which knows no ids (docs/containers-image.md section 2.4).
    ///
    /// # Errors
    /// As [`Self::set_claim`].
    pub fn set_claim_of_any_log(
        &self,
        key: &PublicKey,
    ) -> Result<Pending<IntegratedTime>, Refused> {
        if self.version() == Version::V2 {
            return Err(refuse(TlogError::SetVersion));
        }
        let set = self
            .set
            .as_ref()
            .ok_or_else(|| refuse(TlogError::SetMissing))?;
        // Section 2.3, step 3: SHA-256 and ECDSA, in DER only.
        let KeyKind::Ecdsa(_) = key.kind() else {
            return Err(refuse(TlogError::SetKey {
                found: format!("{}", key.kind()),
            }));
        };
        let message = Message::Bytes(set.message.clone());
        let check = SignatureCheck::new(
            Role::SignedEntryTimestamp,
            key,
            Scheme::Ecdsa(Hash::Sha256),
            EcdsaForm::Der,
            message,
            &set.signature,
        );
        Pending::read(check.map_err(refuse)?, |message| {
            // Step 4: what counts is read from the bytes that were signed.
            let Message::Bytes(bytes) = message else {
                return Err(TlogError::SetPayload { expected: "JSON" }.into());
            };
            let Timestamped {
                body,
                time,
                log_id,
                log_index,
            } = Timestamped::parse(bytes)?;
            let time =
                i64::try_from(time).map_err(|_| TlogError::SetPayload { expected: "a time" })?;
            Ok(IntegratedTime {
                time: UnixTime(time),
                log_id,
                log_index,
                leaf_hash: merkle::leaf_hash(&body),
            })
        })
    }

    /// The entry's place in a log of a trust root. There is no claim without a checkpoint
    /// (CVE-2024-54140): see [`Self::check_proof`] for what can be said of a proof that has none.
    ///
    /// # Errors
    /// `log-entry.log-id`, the codes that begin with `proof.` and `checkpoint.`,
    /// [`crate::crypto::SignatureError`].
    pub fn inclusion_claim(&self, log: &LogKey) -> Result<Pending<Included>, Refused> {
        self.check_log(log)?;
        let proof = self
            .proof
            .as_ref()
            .ok_or_else(|| refuse(TlogError::ProofMissing))?;
        let signed = proof
            .checkpoint
            .as_ref()
            .ok_or_else(|| refuse(TlogError::CheckpointMissing))?;
        let (origin, key) = self
            .expected_origin(log, signed.origin_unverified())
            .map_err(refuse)?;
        signed
            .claim(&key)?
            .check(
                Rule::new(
                    "checkpoint.origin",
                    format!("the checkpoint is of {origin}"),
                ),
                |checkpoint| {
                    check_origin(&origin, checkpoint.origin())?;
                    Ok(checkpoint)
                },
            )?
            .check(
                Rule::new(
                    "proof.stated",
                    "the proof states the checkpoint's size and root",
                ),
                |checkpoint| {
                    self.check_stated(proof, &checkpoint)?;
                    Ok(checkpoint)
                },
            )?
            .check(
                Rule::new(
                    "proof.inclusion",
                    "the entry leads to the checkpoint's root",
                ),
                |checkpoint| included(self.leaf_hash(), proof, checkpoint),
            )
    }

    /// Whether the entry leads to the root that its proof states, if there is a proof. Proves
    /// nothing, since anyone can state a root; but a proof that fails was altered.
    ///
    /// # Errors
    /// [`TlogError::ProofIndex`], [`TlogError::ProofLength`], [`TlogError::ProofRoot`].
    pub fn check_proof(&self) -> Result<(), TlogError> {
        match &self.proof {
            Some(proof) => merkle::verify_inclusion(
                &self.leaf_hash(),
                proof.index,
                proof.size,
                &proof.hashes,
                &proof.root,
            ),
            None => Ok(()),
        }
    }

    fn check_log(&self, log: &LogKey) -> Result<(), Refused> {
        if self.log_id == log.id {
            return Ok(());
        }
        let found = self.log_id.get(..32).unwrap_or(&self.log_id);
        Err(refuse(TlogError::LogId {
            expected: hex::encode(&log.id),
            found: hex::encode(found),
        }))
    }

    /// What the checkpoint's first line must be, and whose signature is wanted. Rekor v2 is called
    /// by its address. Rekor v1 writes `name - tree`, where the name is its host's own, and the
    /// tree one of several: the key alone tells the log.
    fn expected_origin(
        &self,
        log: &LogKey,
        origin: &str,
    ) -> Result<(String, VerifierKey), TlogError> {
        match self.version() {
            Version::V2 => Ok((
                log.origin.clone(),
                VerifierKey::log(&log.origin, &log.key, log.scheme)?,
            )),
            Version::V1 => {
                let name = origin.split_once(" - ").filter(|(_, tree)| {
                    !tree.is_empty() && tree.bytes().all(|byte| byte.is_ascii_digit())
                });
                let (name, _) = name.ok_or_else(|| TlogError::CheckpointOrigin {
                    expected: "NAME - TREE".into(),
                    found: shown(origin),
                })?;
                Ok((
                    origin.into(),
                    VerifierKey::rekor_v1(name, &log.key, log.scheme)?,
                ))
            }
        }
    }

    /// The proof repeats what the checkpoint says; one of two different numbers would be somebody
    /// else's.
    fn check_stated(
        &self,
        proof: &InclusionProof,
        checkpoint: &Checkpoint,
    ) -> Result<(), TlogError> {
        let wrong = |field| Err(TlogError::ProofStated { field });
        match () {
            () if proof.size != checkpoint.size() => wrong("size"),
            () if &proof.root != checkpoint.root_hash() => wrong("root"),
            // A log of version 2 is one tree.
            () if self.version() == Version::V2 && proof.index != self.log_index => wrong("index"),
            () => Ok(()),
        }
    }
}
