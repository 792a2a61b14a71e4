//! Checkpoints (C2SP `tlog-checkpoint`): how large a log is and what its root is, signed by the
//! log, and cosigned by witnesses (C2SP `tlog-cosignature`, version 1).
//!
//! In scope: the note's text, signatures by given keys. Out of scope: which witnesses are trusted,
//! consistency.

use super::error::TlogError;
use super::merkle::NodeHash;
use super::note::{Note, VerifierKey};
use crate::crypto::{Message, Pending, Refused, Rule, SignatureCheck};
use crate::encoding::base64;
use crate::error::Failure;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What the log says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root_hash: NodeHash,
    extensions: Vec<String>,
}

/// What a witness says: it saw this checkpoint, consistent with those before, at that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    checkpoint: Checkpoint,
    witness: String,
    time: UnixTime,
}

/// A checkpoint as it came, nothing of it checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint(Note);

impl Checkpoint {
    /// Reads a note's text: origin, size and root in one line each, then extension lines, none of
    /// them empty.
    ///
    /// # Errors
    /// [`TlogError::CheckpointSyntax`].
    fn parse(text: &str) -> Result<Self, TlogError> {
        let wrong = |expected| TlogError::CheckpointSyntax { expected };
        let mut lines = text
            .strip_suffix('\n')
            .ok_or(wrong("a newline at the end"))?
            .split('\n');
        let origin = lines
            .next()
            .filter(|line| !line.is_empty())
            .ok_or(wrong("the log's origin in the first line"))?;
        let size = lines.next().and_then(decimal).ok_or(wrong(
            "the log's size, a decimal number, in the second line",
        ))?;
        let root = lines
            .next()
            .and_then(base64::decode)
            .and_then(|root| NodeHash::try_from(root).ok());
        let root_hash = root.ok_or(wrong(
            "the root hash, base64 of 32 bytes, in the third line",
        ))?;
        let extensions: Vec<String> = lines.map(String::from).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(wrong("no empty line among the extensions"));
        }
        Ok(Self {
            origin: origin.into(),
            size,
            root_hash,
            extensions,
        })
    }

    /// The log's name for itself.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    pub fn root_hash(&self) -> &NodeHash {
        &self.root_hash
    }

    /// Further lines; their meaning is the log's.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }
}

impl Cosigned {
    /// The checkpoint.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The witness' name.
    pub fn witness(&self) -> &str {
        &self.witness
    }

    /// When the witness saw it.
    pub fn time(&self) -> UnixTime {
        self.time
    }
}

impl SignedCheckpoint {
    /// Reads a note with a checkpoint.
    ///
    /// # Errors
    /// The codes of [`Note::parse`], [`TlogError::CheckpointSyntax`].
    pub fn parse(note: &str) -> Result<Self, TlogError> {
        let note = Note::parse(note)?;
        Checkpoint::parse(note.text_unverified())?;
        Ok(Self(note))
    }

    /// The origin line, to choose a key by.
    pub fn origin_unverified(&self) -> &str {
        self.0
            .text_unverified()
            .split('\n')
            .next()
            .unwrap_or_default()
    }

    /// The checkpoint, when this log key signed it.
    ///
    /// # Errors
    /// `checkpoint.unsigned` when no line is this key's, the codes of
    /// [`crate::crypto::SignatureError`].
    pub fn claim(&self, key: &VerifierKey) -> Result<Pending<Checkpoint>, Refused> {
        let text = self.0.text_unverified().as_bytes();
        let (first, more) = self
            .0
            .checks(key, |signature| Some((text.to_vec(), signature.to_vec())))?;
        all(first, more, |text| Ok(Checkpoint::parse(text)?))
    }

    /// The checkpoint and a time, when this witness cosigned it: a cosignature is eight bytes of
    /// time and the signature.
    ///
    /// # Errors
    /// As [`Self::claim`].
    pub fn cosigned(&self, witness: &VerifierKey) -> Result<Pending<Cosigned>, Refused> {
        let text = self.0.text_unverified();
        let (first, more) = self.0.checks(witness, |cosignature| {
            let (time, signature) = cosignature.split_first_chunk::<8>()?;
            Some((
                format!("cosignature/v1\ntime {}\n{text}", u64::from_be_bytes(*time)).into_bytes(),
                signature.to_vec(),
            ))
        })?;
        let name = String::from(witness.name());
        all(first, more, |message| cosigned(message, name.clone()))
    }
}

/// All signatures by one key hold; the claim is that of the first.
fn all<T>(
    first: SignatureCheck,
    more: Vec<SignatureCheck>,
    parse: impl Fn(&str) -> Result<T, Failure>,
) -> Result<Pending<T>, Refused> {
    let read = |check| {
        Pending::read(check, |message| {
            let Message::Bytes(bytes) = message else {
                return Err(TlogError::CheckpointSyntax { expected: "a text" }.into());
            };
            parse(
                core::str::from_utf8(bytes)
                    .map_err(|_| TlogError::CheckpointSyntax { expected: "UTF-8" })?,
            )
        })
    };
    let mut pending = read(first)?;
    for check in more {
        let rule = Rule::new(
            "checkpoint.every-signature",
            "every signature by this key holds",
        );
        pending = pending
            .and(read(check)?)
            .check(rule, |(claim, _)| Ok(claim))?;
    }
    Ok(pending)
}

fn cosigned(message: &str, witness: String) -> Result<Cosigned, Failure> {
    let wrong = || TlogError::CheckpointSyntax {
        expected: "a cosignature's message",
    };
    let (time, text) = message
        .strip_prefix("cosignature/v1\ntime ")
        .and_then(|rest| rest.split_once('\n'))
        .ok_or_else(wrong)?;
    let time = decimal(time)
        .and_then(|time| i64::try_from(time).ok())
        .ok_or_else(wrong)?;
    Ok(Cosigned {
        checkpoint: Checkpoint::parse(text)?,
        witness,
        time: UnixTime(time),
    })
}

/// ASCII digits without leading zeros.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let digits =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if digits { text.parse().ok() } else { None }
}
