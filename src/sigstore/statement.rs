//! In-toto statements (in-toto/attestation, `spec/v1/statement.md`, and version 0.1).

use crate::digest::{Algorithm, Digest};
use crate::encoding::hex;
use crate::encoding::json::{self, Dialect, JsonError, Member, Node};
use crate::limits;
use alloc::string::String;
use alloc::vec::Vec;

/// The payload type of an envelope that carries a statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The predicate type that makes a statement a signature of an image. No other does (docs/trust.md
/// section 3).
pub const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

const TYPES: [&str; 2] = [
    "https://in-toto.io/Statement/v1",
    "https://in-toto.io/Statement/v0.1",
];

/// A statement about artifacts.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// What kind of statement.
    pub predicate_type: String,
    /// What it is about.
    pub subjects: Vec<Subject>,
    /// What it says of them; absent in some.
    pub predicate: Option<Node>,
    /// Whether it says that it is a statement (`_type`).
    pub is_typed: bool,
}

/// One artifact, by its digests: algorithm and lower-case hexadecimal, as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its digests.
    pub digests: Vec<(String, String)>,
}

codes! {
    /// This text is no in-toto statement.
    pub enum StatementError as Unproven {
        Json { error: JsonError } => "statement.json",
            "the signed statement is no JSON that can be read: {error}";
        Shape { at: &'static str, expected: &'static str } => "statement.shape",
            "the signed statement: expected {expected} at {at}";
        Type { found: String } => "statement.type",
            "expected an in-toto Statement v0.1 or v1, found the _type {found:?}";
        Subjects { found: usize } => "statement.subjects",
            "expected 1 to 1024 subjects, found {found}";
        SubjectDigests { found: usize } => "statement.subject-digests",
            "expected 1 to 32 digests of a subject, found {found}";
    }
}

impl Statement {
    /// Reads a statement. The predicate is kept as it is.
    ///
    /// # Errors
    /// [`StatementError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, StatementError> {
        let root =
            json::parse(bytes, Dialect::Strict).map_err(|error| StatementError::Json { error })?;
        Self::read(&root, text(root.member("_type"), "_type")?)
    }

    /// As [`Self::parse`], for statements that leave `_type` out, as some writers do. Enough to say
    /// what a signed statement is about; no signature of an image is read so.
    ///
    /// # Errors
    /// [`StatementError`].
    pub fn parse_untyped(bytes: &[u8]) -> Result<Self, StatementError> {
        let root =
            json::parse(bytes, Dialect::Strict).map_err(|error| StatementError::Json { error })?;
        Self::read(
            &root,
            root.member("_type")
                .map_or(Ok("https://in-toto.io/Statement/v1"), |kind| {
                    text(Some(kind), "_type")
                })?,
        )
    }

    fn read(root: &Node, kind: &str) -> Result<Self, StatementError> {
        if !TYPES.contains(&kind) {
            return Err(StatementError::Type {
                found: kind.chars().take(100).collect(),
            });
        }
        let subjects =
            root.member("subject")
                .and_then(Node::as_array)
                .ok_or(StatementError::Shape {
                    at: "subject",
                    expected: "an array",
                })?;
        if subjects.is_empty() || subjects.len() > limits::SUBJECTS {
            return Err(StatementError::Subjects {
                found: subjects.len(),
            });
        }
        Ok(Self {
            predicate_type: text(root.member("predicateType"), "predicateType")?.into(),
            subjects: subjects.iter().map(subject).collect::<Result<_, _>>()?,
            predicate: root.member("predicate").cloned(),
            is_typed: root.member("_type").is_some(),
        })
    }

    /// Whether a subject is the artifact with this content: each sha256 and sha512 that it lists is
    /// the content's, and it lists at least one of them.
    pub fn is_about(&self, content: &[u8]) -> bool {
        let (sha256, sha512) = (
            Digest::of(content).hex(),
            hex::encode(&Algorithm::Sha512.hash(content)),
        );
        self.subjects.iter().any(|subject| {
            let mut known = subject
                .digests
                .iter()
                .filter_map(|(algorithm, value)| match algorithm.as_str() {
                    "sha256" => Some(*value == sha256),
                    "sha512" => Some(*value == sha512),
                    _ => None,
                });
            known
                .next()
                .is_some_and(|first| first && known.all(|same| same))
        })
    }
}

impl Statement {
    /// Whether a subject is the artifact with these digests: every one that it names and that can
    /// be compared is one of them.
    pub fn is_about_digests(&self, digests: &[Digest]) -> bool {
        let same = |(algorithm, value): &(String, String)| match algorithm.as_str() {
            "sha256" | "sha512" => Some(
                digests
                    .iter()
                    .any(|own| own.algorithm().name() == algorithm && own.hex() == *value),
            ),
            _ => None,
        };
        self.subjects.iter().any(|subject| {
            let mut known = subject.digests.iter().filter_map(same);
            known
                .next()
                .is_some_and(|first| first && known.all(|same| same))
        })
    }

    /// Whether a subject is the artifact with this digest, and says so by its algorithm.
    pub fn is_about_digest(&self, digest: &Digest) -> bool {
        let (name, hex) = (digest.algorithm().name(), digest.hex());
        self.subjects.iter().any(|subject| {
            let mut named = subject
                .digests
                .iter()
                .filter(|(algorithm, _)| algorithm == name)
                .peekable();
            named.peek().is_some() && named.all(|(_, value)| *value == hex)
        })
    }
}

fn text<'a>(node: Option<&'a Node>, at: &'static str) -> Result<&'a str, StatementError> {
    node.and_then(Node::as_str).ok_or(StatementError::Shape {
        at,
        expected: "a string",
    })
}

fn subject(node: &Node) -> Result<Subject, StatementError> {
    let digests = node
        .member("digest")
        .and_then(Node::as_object)
        .ok_or(StatementError::Shape {
            at: "subject[].digest",
            expected: "an object",
        })?;
    if digests.is_empty() || digests.len() > limits::SUBJECT_DIGESTS {
        return Err(StatementError::SubjectDigests {
            found: digests.len(),
        });
    }
    let digest = |member: &Member| {
        Ok((
            member.key.clone(),
            text(Some(&member.node), "subject[].digest")?.into(),
        ))
    };
    Ok(Subject {
        digests: digests.iter().map(digest).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Coded;
    use alloc::format;
    use alloc::string::ToString;

    fn statement(digests: &str) -> String {
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{{digests}}}}}],"predicateType":"p"}}"#
        )
    }

    #[test]
    fn a_subject_matches_by_every_digest_that_we_can_compute() {
        let (s256, s512) = (
            Digest::of(b"x").hex(),
            Digest::with(Algorithm::Sha512, b"x").hex(),
        );
        let other = Digest::of(b"y").hex();
        for (digests, about) in [
            (format!(r#""sha256":"{s256}""#), true),
            (format!(r#""sha512":"{s512}""#), true),
            (format!(r#""sha256":"{s256}","sha512":"{s512}""#), true),
            (format!(r#""sha256":"{other}","sha512":"{s512}""#), false),
            (format!(r#""sha256":"{s256}","sha512":"00""#), false),
            (r#""md5":"x""#.to_string(), false),
            (format!(r#""sha256":"{}""#, s256.to_uppercase()), false),
        ] {
            let statement = Statement::parse(statement(&digests).as_bytes()).unwrap();
            assert_eq!(statement.is_about(b"x"), about, "{digests}");
            let known = [Algorithm::Sha256, Algorithm::Sha512].map(|one| Digest::with(one, b"x"));
            assert_eq!(statement.is_about_digests(&known), about, "{digests}");
            // What cannot be compared is not the same.
            assert!(
                !about || digests.contains("sha256") || !statement.is_about_digests(&known[..1])
            );
        }
    }

    /// GHSA-cq38-jh5f-37mq: unbounded entries.
    #[test]
    fn bounds() {
        let digests = |n: usize| {
            (0..n)
                .map(|i| format!(r#""a{i}":"x""#))
                .collect::<Vec<_>>()
                .join(",")
        };
        assert!(Statement::parse(statement(&digests(32)).as_bytes()).is_ok());
        assert_eq!(
            Statement::parse(statement(&digests(33)).as_bytes())
                .unwrap_err()
                .code(),
            "statement.subject-digests"
        );
        assert_eq!(
            Statement::parse(statement("").as_bytes())
                .unwrap_err()
                .code(),
            "statement.subject-digests"
        );
        let subjects = alloc::vec![r#"{"digest":{"a":"b"}}"#; 1025].join(",");
        let text = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{subjects}],"predicateType":"p"}}"#
        );
        assert_eq!(
            Statement::parse(text.as_bytes()).unwrap_err().code(),
            "statement.subjects"
        );
    }
}
