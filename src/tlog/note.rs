//! Signed notes (C2SP `signed-note`, version 1), and the keys that sign them.
//!
//! In scope: the one spelling of a note, which signature lines are a key's. Out of scope: what the
//! text says. A note is the evidence's; the name and key id of a line only choose which key is
//! tried.

use super::error::{TlogError, shown};
use crate::crypto::{
    EcdsaForm, KeyKind, Message, PublicKey, Refused, Role, Scheme, SignatureCheck,
};
use crate::digest::sha256;
use crate::encoding::base64;
use crate::encoding::hex;
use crate::error::Failure;
use crate::limits;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The first bytes of a hash over name and key.
pub type KeyId = [u8; 4];

/// A text and the signatures below it, none of them checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    unverified: Vec<NoteSignature>,
}

/// One line: `— name base64(key id || signature)`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NoteSignature {
    name: String,
    id: KeyId,
    signature: Vec<u8>,
}

impl Note {
    /// Reads a note: text, empty line, signature lines. A note without signature lines is read too,
    /// so that the failure can say whose signature is missing.
    ///
    /// # Errors
    /// [`TlogError::NoteSize`], [`TlogError::NoteSyntax`], [`TlogError::NoteSignatures`].
    pub fn parse(note: &str) -> Result<Self, TlogError> {
        if note.len() > limits::NOTE {
            return Err(TlogError::NoteSize {
                found: note.len(),
                limit: limits::NOTE,
            });
        }
        // Control characters but the newline would let two notes look the same.
        if let Some(line) = note.split('\n').position(|line| {
            line.chars()
                .any(|c| u32::from(c) < 0x20 || c == char::REPLACEMENT_CHARACTER)
        }) {
            return Err(TlogError::NoteSyntax {
                line: line + 1,
                expected: "no control character",
            });
        }
        // The text may have empty lines: the last one splits.
        let split = note.rfind("\n\n").ok_or(TlogError::NoteSyntax {
            line: 1,
            expected: "a text, an empty line and signatures",
        })?;
        let (text, lines) = note.split_at(split + 1);
        let first = text.split('\n').count() + 1;
        let lines = lines.strip_prefix('\n').unwrap_or_default();
        let mut unverified = Vec::new();
        for (at, line) in lines.split_inclusive('\n').enumerate() {
            if at == limits::NOTE_SIGNATURES {
                return Err(TlogError::NoteSignatures {
                    limit: limits::NOTE_SIGNATURES,
                });
            }
            let signature = signature_line(line).ok_or(TlogError::NoteSyntax {
                line: first + at,
                expected: "a signature: — name base64",
            })?;
            unverified.push(signature);
        }
        Ok(Self {
            text: text.into(),
            unverified,
        })
    }

    /// What is signed, its last newline included.
    pub fn text_unverified(&self) -> &str {
        &self.text
    }

    /// The names on the signature lines, for messages.
    pub fn names_unverified(&self) -> impl Iterator<Item = &str> {
        self.unverified.iter().map(|line| line.name.as_str())
    }

    /// One open check for each line with the key's name and id; at least one. All of them must
    /// hold: a note with a broken signature by a known key is broken (C2SP signed-note,
    /// "Signatures"). The message is the one that `message` makes of the line's signature; `None`
    /// where the line is too short for it.
    pub(super) fn checks(
        &self,
        key: &VerifierKey,
        message: impl Fn(&[u8]) -> Option<(Vec<u8>, Vec<u8>)>,
    ) -> Result<(SignatureCheck, Vec<SignatureCheck>), Refused> {
        let refuse = |failure: Failure| Refused {
            failure,
            steps: Vec::new(),
        };
        let mut checks = Vec::new();
        for line in self
            .unverified
            .iter()
            .filter(|line| line.name == key.name && line.id == key.id)
        {
            let (message, signature) = message(&line.signature).ok_or_else(|| {
                refuse(
                    TlogError::NoteSyntax {
                        line: 1,
                        expected: "a cosignature: a time and 64 bytes",
                    }
                    .into(),
                )
            })?;
            let check = SignatureCheck::new(
                Role::Checkpoint,
                &key.key,
                key.scheme,
                EcdsaForm::Der,
                Message::Bytes(message),
                &signature,
            );
            checks.push(check.map_err(|error| refuse(error.into()))?);
        }
        if checks.is_empty() {
            return Err(refuse(
                TlogError::CheckpointUnsigned {
                    name: shown(&key.name),
                    id: hex::encode(&key.id),
                }
                .into(),
            ));
        }
        let first = checks.remove(0);
        Ok((first, checks))
    }
}

fn signature_line(line: &str) -> Option<NoteSignature> {
    let (name, encoded) = line
        .strip_suffix('\n')?
        .strip_prefix("\u{2014} ")?
        .split_once(' ')?;
    let bytes = base64::decode(encoded)?;
    let (id, signature) = bytes.split_first_chunk()?;
    (is_name(name) && !signature.is_empty()).then(|| NoteSignature {
        name: name.into(),
        id: *id,
        signature: signature.into(),
    })
}

/// C2SP signed-note: not empty, no white space, no plus.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

/// What a trusted key signs, and under which name: the name is a part of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: KeyId,
    key: PublicKey,
    scheme: Scheme,
}

/// C2SP signed-note, "Signature types".
const ED25519: u8 = 0x01;
const COSIGNATURE: u8 = 0x04;
const OTHER: u8 = 0xff;
/// As rekor-tiles identifies RSA keys.
const RSA: &[u8] = b"PKIX-RSA-PKCS#1v1.5";

impl VerifierKey {
    /// A log's key as C2SP and Rekor v2 (rekor-tiles, `pkg/note`) identify it. ECDSA keys are
    /// identified by the key alone, as C2SP grants to logs that did so before.
    ///
    /// # Errors
    /// [`TlogError::CheckpointKey`] when key and scheme do not belong together,
    /// [`TlogError::NoteSyntax`] for a name that no note can carry.
    pub fn log(name: &str, key: &PublicKey, scheme: Scheme) -> Result<Self, TlogError> {
        let id = match (key.kind(), scheme) {
            (KeyKind::Ed25519, Scheme::Ed25519) => key_id(name, &[ED25519], raw(key)),
            (KeyKind::Ecdsa(_), Scheme::Ecdsa(_)) => first_bytes(key.spki_der()),
            (KeyKind::Rsa(_), Scheme::RsaPkcs1(_)) => {
                key_id(name, &[&[OTHER], RSA].concat(), key.spki_der())
            }
            (kind, scheme) => {
                return Err(TlogError::CheckpointKey {
                    found: format!("{kind} ({scheme})"),
                });
            }
        };
        Self::named(name, id, key, scheme)
    }

    /// A log's key as Rekor v1 (`pkg/util/signed_note.go`) identifies it: by the first bytes of the
    /// log id, which is the SHA-256 of the key.
    ///
    /// # Errors
    /// [`TlogError::NoteSyntax`] for a name that no note can carry.
    pub fn rekor_v1(name: &str, key: &PublicKey, scheme: Scheme) -> Result<Self, TlogError> {
        Self::named(name, first_bytes(key.spki_der()), key, scheme)
    }

    /// A witness' Ed25519 key (C2SP `tlog-cosignature`, version 1).
    ///
    /// # Errors
    /// As [`Self::log`].
    pub fn witness(name: &str, key: &PublicKey) -> Result<Self, TlogError> {
        if key.kind() != KeyKind::Ed25519 {
            return Err(TlogError::CheckpointKey {
                found: format!("{}", key.kind()),
            });
        }
        Self::named(
            name,
            key_id(name, &[COSIGNATURE], raw(key)),
            key,
            Scheme::Ed25519,
        )
    }

    fn named(name: &str, id: KeyId, key: &PublicKey, scheme: Scheme) -> Result<Self, TlogError> {
        if !is_name(name) {
            return Err(TlogError::NoteSyntax {
                line: 1,
                expected: "a name without white space and plus",
            });
        }
        Ok(Self {
            name: name.into(),
            id,
            key: key.clone(),
            scheme,
        })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key id.
    pub fn id(&self) -> KeyId {
        self.id
    }
}

/// C2SP signed-note: SHA-256(name || 0x0A || type || key), first four bytes.
fn key_id(name: &str, kind: &[u8], key: &[u8]) -> KeyId {
    first_bytes(&[name.as_bytes(), b"\n", kind, key].concat())
}

fn first_bytes(bytes: &[u8]) -> KeyId {
    let [a, b, c, d, ..] = sha256(bytes);
    [a, b, c, d]
}

/// The 32 bytes that end an Ed25519 SubjectPublicKeyInfo (RFC 8410 section 4).
fn raw(key: &PublicKey) -> &[u8] {
    key.spki_der().last_chunk::<32>().map_or(&[], |raw| raw)
}
