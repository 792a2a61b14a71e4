//! A document that holds a registry's answers about one image, so that its verdict can be reached elsewhere
//! (`/api/evidence`, GATEWAY "Beside /v2/"). Every byte in it is untrusted: digests and signatures carry their own proof.

use super::archive::{Archive, Referrer};
use super::discover::Source;
use super::image::Subject;
use crate::digest::Digest;
use crate::encoding::base64;
use crate::encoding::json::{self, Dialect, JsonError, Node};
use crate::error::{Failure, HostError};
use crate::limits;
use crate::oci::registry::{Fetched, RegistryError};
use crate::oci::Document;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// One answer of the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
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
pub type Files = BTreeMap<String, Vec<u8>>;

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
    /// The name by which the one who answered knows the image. Never used to choose a rule unless a person says so.
    pub name: String,
    /// The repository at the one who answered.
    pub repository: String,
    /// The tag or digest that was asked for.
    pub reference: String,
    /// The digest of the image, by the bytes that are in here.
    pub digest: Option<Digest>,
    /// The policy by which the one who answered decides.
    pub policy: Option<PolicyFiles>,
    answers: BTreeMap<String, Answer>,
}

codes! {
    /// These bytes are no evidence document.
    pub enum EvidenceError {
        TooLarge => "evidence.too-large", "expected evidence of at most 64 MiB";
        Json { error: JsonError } => "evidence.json", "the evidence is no JSON that can be read: {error}";
        Shape { at: &'static str, expected: &'static str } => "evidence.shape", "the evidence: expected {expected} at {at}";
    }
}

/// Base64 of all evidence and manifests, with room for their frame.
const DOCUMENT: usize = 64 << 20;

impl EvidenceDocument {
    pub(super) fn add_manifest(&mut self, path: &str, found: &Fetched) {
        let Fetched { bytes, content_type, digest } = found.clone();
        self.answers.insert(path.into(), Answer { content_type, digest, body: bytes, found: true, ..Answer::default() });
    }

    pub(super) fn add_blob(&mut self, path: &str, body: &[u8]) {
        self.answers.insert(path.into(), Answer { body: body.into(), found: true, ..Answer::default() });
    }

    pub(super) fn add_missing(&mut self, path: &str) {
        self.answers.insert(path.into(), Answer::default());
    }

    pub(super) fn add_error(&mut self, path: &str, message: &str) {
        self.answers.insert(path.into(), Answer { error: Some(message.into()), ..Answer::default() });
    }

    pub(super) fn add_referrers(&mut self, path: &str, list: &[Referrer]) {
        self.answers.insert(path.into(), Answer { referrers: list.into(), found: true, ..Answer::default() });
    }

    pub(super) fn answer(&self, path: &str) -> Result<Option<&Answer>, RegistryError> {
        let answer = self.answers.get(path).ok_or_else(|| HostError::NotRecorded { url: path.into() })?;
        match &answer.error {
            Some(message) => Err(HostError::Unreachable { url: path.into(), reason: message.clone() }.into()),
            None => Ok(answer.found.then_some(answer)),
        }
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        let quote = json::quote;
        let digest = self.digest.as_ref().map_or(String::new(), |digest| format!("\"digest\":\"{digest}\","));
        let mut text = format!("{{\"version\":1,\"name\":{},\"repository\":{},\"reference\":{},{digest}\"answers\":[", quote(&self.name), quote(&self.repository), quote(&self.reference));
        for (number, (path, answer)) in self.answers.iter().enumerate() {
            if number > 0 {
                text.push(',');
            }
            text.push_str(&answer_json(path, answer));
        }
        text.push(']');
        if let Some(policy) = &self.policy {
            let registries = policy.registries_d.as_ref().map_or(String::new(), |files| format!(",\"registriesD\":{}", files_json(files)));
            text.push_str(&format!(",\"policy\":{{\"text\":{},\"assets\":{}{registries}}}", quote(&base64::encode(&policy.text)), files_json(&policy.assets)));
        }
        text.push('}');
        text
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        if bytes.len() > DOCUMENT {
            return Err(EvidenceError::TooLarge);
        }
        let root = json::parse(bytes, Dialect::Strict).map_err(|error| EvidenceError::Json { error })?;
        if root.member("version").and_then(Node::as_u64) != Some(1) {
            return Err(EvidenceError::Shape { at: "version", expected: "the number 1" });
        }
        let mut document = Self {
            name: text(&root, "name")?,
            repository: text(&root, "repository")?,
            reference: text(&root, "reference")?,
            digest: root.member("digest").and_then(Node::as_str).and_then(|text| Digest::parse(text).ok()),
            policy: root.member("policy").map(policy).transpose()?,
            answers: BTreeMap::new(),
        };
        for node in root.member("answers").and_then(Node::as_array).ok_or(EvidenceError::Shape { at: "answers", expected: "an array" })? {
            document.answers.insert(text(node, "path")?, answer(node)?);
        }
        Ok(document)
    }
}

fn files_json(files: &Files) -> String {
    let files: Vec<String> = files.iter().map(|(path, bytes)| format!("{}:{}", json::quote(path), json::quote(&base64::encode(bytes)))).collect();
    format!("{{{}}}", files.join(","))
}

fn answer_json(path: &str, answer: &Answer) -> String {
    let quote = json::quote;
    let path = quote(path);
    if let Some(error) = &answer.error {
        return format!("{{\"path\":{path},\"status\":0,\"error\":{}}}", quote(error));
    }
    if !answer.found {
        return format!("{{\"path\":{path},\"status\":404}}");
    }
    if path.starts_with("\"referrers/") {
        let list: Vec<String> = answer.referrers.iter().map(|one| {
            let kind = one.artifact_type.as_deref().map_or(String::new(), |kind| format!(",\"artifactType\":{}", quote(kind)));
            format!("{{\"digest\":{}{kind}}}", quote(&one.digest.to_string()))
        }).collect();
        return format!("{{\"path\":{path},\"status\":200,\"referrers\":[{}]}}", list.join(","));
    }
    let member = |name: &str, value: Option<&str>| value.map_or(String::new(), |value| format!(",\"{name}\":{}", quote(value)));
    let kind = member("contentType", answer.content_type.as_deref()) + &member("digest", answer.digest.as_deref());
    format!("{{\"path\":{path},\"status\":200{kind},\"body\":{}}}", quote(&base64::encode(&answer.body)))
}

fn text(node: &Node, at: &'static str) -> Result<String, EvidenceError> {
    node.member(at).and_then(Node::as_str).map(Into::into).ok_or(EvidenceError::Shape { at, expected: "a string" })
}

fn bytes(node: Option<&Node>, at: &'static str) -> Result<Vec<u8>, EvidenceError> {
    node.and_then(Node::as_str).and_then(base64::decode).ok_or(EvidenceError::Shape { at, expected: "base64" })
}

fn policy(node: &Node) -> Result<PolicyFiles, EvidenceError> {
    let files = |node: Option<&Node>, at| -> Result<Files, EvidenceError> {
        let members = node.and_then(Node::as_object).unwrap_or_default();
        members.iter().map(|member| Ok((member.key.clone(), bytes(Some(&member.node), at)?))).collect()
    };
    Ok(PolicyFiles {
        text: bytes(node.member("text"), "policy.text")?,
        assets: files(node.member("assets"), "policy.assets")?,
        registries_d: node.member("registriesD").map(|node| files(Some(node), "policy.registriesD")).transpose()?,
    })
}

fn answer(node: &Node) -> Result<Answer, EvidenceError> {
    match node.member("status").and_then(Node::as_u64) {
        Some(0) => Ok(Answer { error: Some(text(node, "error")?), ..Answer::default() }),
        Some(404) => Ok(Answer::default()),
        Some(200) => {
            let referrers = node.member("referrers").and_then(Node::as_array).unwrap_or_default().iter().map(referrer).collect::<Result<_, _>>()?;
            let body = if node.member("body").is_some() { bytes(node.member("body"), "answers[].body")? } else { Vec::new() };
            let optional = |name| node.member(name).and_then(Node::as_str).map(String::from);
            Ok(Answer { content_type: optional("contentType"), digest: optional("digest"), body, referrers, found: true, error: None })
        }
        _ => Err(EvidenceError::Shape { at: "answers[].status", expected: "0, 200 or 404" }),
    }
}

fn referrer(node: &Node) -> Result<Referrer, EvidenceError> {
    let digest = Digest::parse(&text(node, "digest")?).map_err(|_| EvidenceError::Shape { at: "answers[].referrers[].digest", expected: "a digest" })?;
    Ok(Referrer { digest, artifact_type: node.member("artifactType").and_then(Node::as_str).map(Into::into) })
}

/// Walks everything that a judgement of this image may ask for, so that a [`super::Recorder`] keeps it: the manifest, the
/// images of an index, and the signatures of each. What cannot be had is kept as such.
///
/// # Errors
/// When the image itself cannot be had. The digest of what was found otherwise.
pub async fn collect<A: Archive>(archive: &A, reference: &str) -> Result<Option<Digest>, RegistryError> {
    let Some(fetched) = archive.manifest(reference).await? else { return Ok(None) };
    let digest = Digest::of(&fetched.bytes);
    let subject: Result<Subject, Failure> = Subject::read(fetched.bytes, fetched.content_type.as_deref(), None);
    let Ok(subject) = subject else { return Ok(Some(digest)) };
    signatures(archive, &subject.digest).await;
    if let Document::Index(index) = &subject.document {
        for descriptor in index.manifests.iter().take(limits::INSTANCES) {
            if archive.manifest(&descriptor.digest.to_string()).await.is_ok_and(|found| found.is_some()) {
                signatures(archive, &descriptor.digest).await;
            }
        }
    }
    Ok(Some(digest))
}

async fn signatures<A: Archive>(archive: &A, digest: &Digest) {
    // Failures are kept by the recorder, and met again by whoever judges.
    Source::new(archive, digest, Vec::new()).walk().await;
}
