//! Reading such a document, and answering from it.

use crate::digest::Digest;
use crate::encoding::base64;
use crate::encoding::json::{self, Dialect, JsonError, Node};
use crate::error::HostError;
use crate::keyed::Keyed;
use crate::limits;
use crate::oci::registry::{Fetched, RegistryError};
use crate::verify::archive::{Archive, Listed, Referrer};
#[cfg(feature = "openpgp")]
use crate::verify::simple::Lookaside;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// One answer of the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Recorded {
    /// Of a manifest.
    pub content_type: Option<String>,
    /// Of a manifest: the digest that the registry said it has.
    pub digest: Option<String>,
    /// Of a manifest or blob.
    pub body: Vec<u8>,
    /// Of a list of referrers.
    pub referrers: Vec<Referrer>,
    found: bool,
    error: Option<String>,
}

/// Files by the path that a policy writes.
pub(in crate::verify) type Files = BTreeMap<String, Vec<u8>>;

/// A policy, and the files that belong to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyFiles {
    /// Its bytes.
    pub text: Vec<u8>,
    /// The files that it names.
    pub assets: Files,
    /// The files of a `registries.d`, where one is in force.
    pub registries_d: Option<Files>,
}

/// The answers, by path below the repository (`manifests/1.0`), and which image they are about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EvidenceDocument {
    /// The name by which the one who answered knows the image. Never used to choose a rule unless
    /// a person says so.
    pub name: String,
    /// The repository at the one who answered.
    pub repository: String,
    /// The tag or digest that was asked for.
    pub reference: String,
    /// The digest of the image, by the bytes that are in here.
    pub digest: Option<Digest>,
    /// The policy by which the one who answered decides.
    pub policy: Option<PolicyFiles>,
    answers: Keyed<Recorded>,
}

codes! {
    /// These bytes are no evidence document.
    pub enum EvidenceError {
        TooLarge { limit: usize } => "evidence.too-large",
            "expected evidence of at most {limit} bytes, found more: ask for one image of the index";
        Json { error: JsonError } => "evidence.json",
            "the evidence is no JSON that can be read: {error}";
        Shape { at: &'static str, expected: &'static str } => "evidence.shape",
            "the evidence: expected {expected} at {at}";
    }
}

impl EvidenceDocument {
    fn answer(&self, path: &str) -> Result<Option<&Recorded>, RegistryError> {
        let answer = self
            .answers
            .get(path)
            .ok_or_else(|| HostError::NotRecorded { url: path.into() })?;
        match &answer.error {
            Some(message) => Err(HostError::Unreachable {
                url: path.into(),
                reason: message.clone(),
            }
            .into()),
            None => Ok(answer.found.then_some(answer)),
        }
    }

    fn bounded(&self, path: String, max_bytes: usize) -> Result<Option<Vec<u8>>, RegistryError> {
        match self.answer(&path)? {
            Some(answer) if answer.body.len() > max_bytes => Err(HostError::TooLarge {
                url: path,
                limit: max_bytes,
            }
            .into()),
            answer => Ok(answer.map(|answer| answer.body.clone())),
        }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        if bytes.len() > limits::EVIDENCE_DOCUMENT {
            return Err(EvidenceError::TooLarge {
                limit: limits::EVIDENCE_DOCUMENT,
            });
        }
        let root =
            json::parse(bytes, Dialect::Strict).map_err(|error| EvidenceError::Json { error })?;
        if root.member("version").and_then(Node::as_u64) != Some(1) {
            return Err(EvidenceError::Shape {
                at: "version",
                expected: "the number 1",
            });
        }
        let mut document = Self {
            name: text(&root, "name")?,
            repository: text(&root, "repository")?,
            reference: text(&root, "reference")?,
            digest: root
                .member("digest")
                .and_then(Node::as_str)
                .and_then(|text| Digest::parse(text).ok()),
            policy: root.member("policy").map(policy).transpose()?,
            answers: Keyed::default(),
        };
        for node in root
            .member("answers")
            .and_then(Node::as_array)
            .ok_or(EvidenceError::Shape {
                at: "answers",
                expected: "an array",
            })?
        {
            document.answers.insert(text(node, "path")?, answer(node)?);
        }
        Ok(document)
    }
}

impl Archive for EvidenceDocument {
    async fn manifest(&self, reference: &str) -> Result<Option<Fetched>, RegistryError> {
        let answer = self.answer(&format!("manifests/{reference}"))?;
        Ok(answer.map(|answer| Fetched {
            bytes: answer.body.clone(),
            content_type: answer.content_type.clone(),
            digest: answer.digest.clone(),
        }))
    }

    async fn blob(
        &self,
        digest: &Digest,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        let Some(body) = self.bounded(format!("blobs/{digest}"), max_bytes)? else {
            return Ok(None);
        };
        digest.check(&body)?;
        Ok(Some(body))
    }

    async fn referrers(&self, digest: &Digest) -> Result<Listed, RegistryError> {
        let answer = self.answer(&format!("referrers/{digest}"))?;
        Ok(Listed {
            entries: answer
                .map(|answer| answer.referrers.clone())
                .unwrap_or_default(),
            incomplete: None,
        })
    }

    /// Whatever the reader's own `registries.d` says: it was read where the document was made.
    #[cfg(feature = "openpgp")]
    async fn simple_signature(
        &self,
        _lookaside: Option<&Lookaside>,
        digest: &Digest,
        number: usize,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        self.bounded(signature_path(digest, number), max_bytes)
    }

    #[cfg(feature = "openpgp")]
    async fn simple_signatures(
        &self,
        digest: &Digest,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        self.bounded(signatures_path(digest), max_bytes)
    }
}

fn text(node: &Node, at: &'static str) -> Result<String, EvidenceError> {
    node.member(at)
        .and_then(Node::as_str)
        .map(Into::into)
        .ok_or(EvidenceError::Shape {
            at,
            expected: "a string",
        })
}

fn bytes(node: Option<&Node>, at: &'static str) -> Result<Vec<u8>, EvidenceError> {
    node.and_then(Node::as_str)
        .and_then(base64::decode)
        .ok_or(EvidenceError::Shape {
            at,
            expected: "base64",
        })
}

fn policy(node: &Node) -> Result<PolicyFiles, EvidenceError> {
    let files = |node: Option<&Node>, at| -> Result<Files, EvidenceError> {
        let mut files = Files::new();
        for member in node.and_then(Node::as_object).unwrap_or_default() {
            files.insert(member.key.clone(), bytes(Some(&member.node), at)?);
        }
        Ok(files)
    };
    Ok(PolicyFiles {
        text: bytes(node.member("text"), "policy.text")?,
        assets: files(node.member("assets"), "policy.assets")?,
        registries_d: node
            .member("registriesD")
            .map(|node| files(Some(node), "policy.registriesD"))
            .transpose()?,
    })
}

fn answer(node: &Node) -> Result<Recorded, EvidenceError> {
    match node.member("status").and_then(Node::as_u64) {
        Some(0) => Ok(Recorded {
            error: Some(text(node, "error")?),
            ..Recorded::default()
        }),
        Some(404) => Ok(Recorded::default()),
        Some(200) => {
            let referrers = node
                .member("referrers")
                .and_then(Node::as_array)
                .unwrap_or_default()
                .iter()
                .map(referrer)
                .collect::<Result<_, _>>()?;
            let body = if node.member("body").is_some() {
                bytes(node.member("body"), "answers[].body")?
            } else {
                Vec::new()
            };
            let optional = |name| node.member(name).and_then(Node::as_str).map(String::from);
            Ok(Recorded {
                content_type: optional("contentType"),
                digest: optional("digest"),
                body,
                referrers,
                found: true,
                error: None,
            })
        }
        _ => Err(EvidenceError::Shape {
            at: "answers[].status",
            expected: "0, 200 or 404",
        }),
    }
}

fn referrer(node: &Node) -> Result<Referrer, EvidenceError> {
    let digest = Digest::parse(&text(node, "digest")?).map_err(|_| EvidenceError::Shape {
        at: "answers[].referrers[].digest",
        expected: "a digest",
    })?;
    Ok(Referrer {
        digest,
        artifact_type: node
            .member("artifactType")
            .and_then(Node::as_str)
            .map(Into::into),
    })
}

/// Where a document has a signature of a lookaside.
#[cfg(feature = "openpgp")]
pub(super) fn signature_path(digest: &Digest, number: usize) -> String {
    format!("lookaside/{digest}/signature-{number}")
}

/// Where a document has the list of the registry's extension.
#[cfg(feature = "openpgp")]
pub(super) fn signatures_path(digest: &Digest) -> String {
    format!("signatures/{digest}")
}
