//! What can be wrong with notes, proofs and log entries.

use crate::encoding::json::JsonError;
use alloc::string::String;

codes! {
    /// This is no note, proof or log entry, or it is one of something else.
    pub enum TlogError {
        NoteSyntax { line: usize, expected: &'static str } => "note.syntax",
            "the signed note: expected {expected} in line {line}";
        NoteSize { found: usize, limit: usize } => "note.size",
            "the signed note has {found} bytes, at most {limit} are read";
        NoteSignatures { limit: usize } => "note.signatures",
            "the signed note has more than {limit} signatures";
        CheckpointSyntax { expected: &'static str } => "checkpoint.syntax",
            "the log's checkpoint: expected {expected}";
        CheckpointUnsigned { name: String, id: String } => "checkpoint.unsigned",
            "expected a signature on the checkpoint by {name} with the key id {id}, found none: the \
             checkpoint is another log's, or its signature was taken away";
        CheckpointOrigin { expected: String, found: String } => "checkpoint.origin",
            "expected a checkpoint of the log {expected}, found one of {found:?}";
        CheckpointKey { found: String } => "checkpoint.key",
            "a checkpoint cannot be signed by a key of the kind {found}";
        ProofIndex { index: u64, size: u64 } => "proof.index",
            "the inclusion proof is for entry {index} of a log with {size} entries";
        ProofLength { index: u64, size: u64, found: usize } => "proof.length",
            "the inclusion proof for entry {index} of {size} has {found} hashes, which is not their \
             number";
        ProofRoot => "proof.root",
            "the inclusion proof leads to another root than the log's: this entry is not in the log \
             at that place";
        ProofStated { field: &'static str } => "proof.stated",
            "the inclusion proof's {field} is not that of the checkpoint";
        ProofMissing => "proof.missing",
            "expected an inclusion proof with a checkpoint, the log entry has no proof: ask the \
             signer for a complete bundle";
        CheckpointMissing => "proof.checkpoint-missing",
            "expected an inclusion proof with a checkpoint, found one without: nothing says that \
             its root is the log's";
        SetMissing => "set.missing",
            "expected a signed entry timestamp, the log entry has none: its integrated time is \
             anyone's word";
        SetVersion => "set.version",
            "Rekor v2 makes no signed entry timestamps, and this entry is of version 2";
        SetKey { found: String } => "set.key",
            "a signed entry timestamp is made by an ECDSA key, the log's key is {found}";
        SetPayload { expected: &'static str } => "set.payload",
            "what the signed entry timestamp was made over: expected {expected}";
        Json { at: &'static str, error: JsonError } => "log-entry.json",
            "{at} is no JSON that can be read: {error}";
        Shape { at: &'static str, expected: &'static str } => "log-entry.shape",
            "the log entry: expected {expected} at {at}";
        Unknown { at: &'static str, key: String } => "log-entry.shape",
            "the log entry: Unknown key {key:?} in {at}";
        Absent { at: &'static str, key: String } => "log-entry.shape",
            "the log entry: Key {key:?} missing in a JSON object: expected a value at {at}";
        TooMany { limit: usize, found: usize } => "log-entry.too-many",
            "at most {limit} log entries are read, found {found}";
        Repeated { index: u64 } => "log-entry.repeated",
            "the log entry with the index {index} is listed twice";
        LogId { expected: String, found: String } => "log-entry.log-id",
            "expected an entry of the log {expected}, found one of {found}";
        KindVersion { stated: String, found: String } => "log-entry.kind-version",
            "the log entry says that it is {stated}, its body is {found}";
        Kind { found: String } => "log-body.kind",
            "entries of the kind {found} do not speak about such a signature: expected hashedrekord \
             0.0.1 or 0.0.2, or for an envelope dsse 0.0.1 or 0.0.2, intoto 0.0.2 or hashedrekord \
             0.0.2";
        Signature => "log-body.signature",
            "the log entry is about another signature: it was taken from somewhere else";
        Signatures { expected: usize, found: usize } => "log-body.signatures",
            "the log entry lists {found} signatures, the envelope has {expected}";
        Verifier => "log-body.verifier",
            "the log entry names another certificate or key than the one that verifies the \
             signature";
        VerifierForm { expected: &'static str } => "log-body.verifier",
            "the log entry's key: expected {expected}";
        KeyDetails { found: String } => "log-body.key-details",
            "the log entry states the key details {found}, which do not fit its key and digest";
        Algorithm { found: String } => "log-body.algorithm",
            "the log entry is about a digest by {found}, the signature is over one by another \
             algorithm";
        Digest => "log-body.digest",
            "the log entry is about other content: its digest is not that of what was signed";
        PayloadType { found: String } => "log-body.payload-type",
            "the log entry is about an envelope of the type {found:?}, which this one is not";
    }
}

/// `text`, cut to what fits a message.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}
