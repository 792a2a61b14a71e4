//! sealgate's answer to the same question, through its public items.

use crate::images::MANIFEST;
use crate::keys::Kit;
use crate::oracle::Question;
use sealgate::internals::crypto::RustCrypto;
use sealgate::internals::digest::Digest;
use sealgate::internals::error::Coded;
use sealgate::internals::oci::registry::Fetched;
use sealgate::internals::oci::registry::RegistryError;
use sealgate::internals::reference::Grammar;
use sealgate::internals::reference::Reference;
use sealgate::internals::time::UnixTime;
use sealgate::internals::verify::Archive;
use sealgate::internals::verify::Listed;
use sealgate::internals::verify::Request;
use sealgate::internals::verify::Rules;
use sealgate::internals::verify::verify_image;
use sealgate::policy::Policy;
use sealgate::policy::Requirement;
use sealgate::policy::scope;
use std::collections::BTreeMap;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::SystemTime;

/// A code, and words.
#[derive(Debug, Clone)]
pub struct Said {
    pub code: String,
    pub text: String,
}

impl Said {
    fn of(error: &impl Coded) -> Self {
        Self {
            code: error.code().into(),
            text: error.to_string(),
        }
    }
}

pub struct Ours {
    pub policy: Result<Policy, Said>,
    pub reference: Result<Reference, Said>,
}

/// The verdict on the image.
pub struct Judged {
    pub allowed: bool,
    pub said: Said,
}

impl Ours {
    pub fn read(question: &Question) -> Self {
        Self {
            policy: Policy::parse(&question.policy).map_err(|error| Said::of(&error)),
            reference: reference(&question.reference),
        }
    }

    /// The scope that is hit, and its requirements.
    pub fn selected(&self) -> Option<(Option<&str>, &[Requirement])> {
        let (Ok(policy), Ok(reference)) = (&self.policy, &self.reference) else {
            return None;
        };
        let selection = policy.select(reference).ok()?;
        Some((selection.key, selection.requirements))
    }

    pub fn judge(&self, question: &Question, kit: &Kit) -> Option<Judged> {
        let (Ok(policy), Ok(name)) = (&self.policy, &self.reference) else {
            return None;
        };
        let assets: BTreeMap<String, Vec<u8>> = policy
            .asset_paths()
            .into_iter()
            .filter_map(|path| Some((path.to_owned(), kit.file(path)?)))
            .collect();
        let rules = match Rules::policy(policy.clone(), assets) {
            Ok(rules) => rules,
            Err(error) => {
                return Some(Judged {
                    allowed: false,
                    said: Said::of(&error),
                });
            }
        };
        let asked = name
            .digest()
            .map(ToString::to_string)
            .or(name.tag().map(String::from))
            .unwrap_or_default();
        let request = Request::of(name.clone(), now());
        let archive = Memory::of(question, &asked);
        let report = finished(verify_image(&archive, &RustCrypto, &rules, &request));
        Some(Judged {
            allowed: report.allowed().is_some(),
            said: Said {
                code: report.finding.code.into(),
                text: report.finding.message,
            },
        })
    }
}

/// As a person's word: with the tag `latest` when it has none.
fn reference(text: &str) -> Result<Reference, Said> {
    let reference = Reference::normalize(text, Grammar::Containers)
        .map_err(|error| Said::of(&error))?
        .with_default_tag();
    scope::docker_identity(&reference).map_err(|error| Said::of(&error))?;
    Ok(reference)
}

/// `pki` is judged by the clock, on both sides.
fn now() -> UnixTime {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    UnixTime(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Polls a future that has nothing to wait for.
fn finished<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("an archive in memory never waits"),
    }
}

/// A registry with one image and its `.sig` tag.
#[derive(Default)]
struct Memory {
    manifests: BTreeMap<String, (Vec<u8>, String)>,
    blobs: BTreeMap<String, Vec<u8>>,
}

impl Memory {
    fn of(question: &Question, asked: &str) -> Self {
        let mut memory = Self::default();
        let mut layers = Vec::new();
        for layer in &question.signatures {
            let digest = Digest::of(&layer.payload).to_string();
            layers.push(serde_json::json!({"mediaType": layer.media_type, "digest": digest, "size": layer.payload.len(), "annotations": layer.annotations}));
            memory.blobs.insert(digest, layer.payload.clone());
        }
        if !layers.is_empty() {
            let config = Digest::of(b"{}").to_string();
            let manifest = serde_json::json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2}, "layers": layers});
            memory.manifests.insert(
                format!("sha256-{}.sig", Digest::of(&question.manifest).hex()),
                (manifest.to_string().into_bytes(), MANIFEST.into()),
            );
        }
        memory.manifests.insert(
            asked.into(),
            (question.manifest.clone(), question.media_type.into()),
        );
        memory
    }
}

impl Archive for Memory {
    async fn manifest(&self, reference: &str) -> Result<Option<Fetched>, RegistryError> {
        Ok(self.manifests.get(reference).map(|(bytes, kind)| Fetched {
            bytes: bytes.clone(),
            content_type: Some(kind.clone()),
            digest: None,
        }))
    }

    async fn blob(
        &self,
        digest: &Digest,
        _max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        Ok(self.blobs.get(&digest.to_string()).cloned())
    }

    async fn referrers(&self, _digest: &Digest) -> Result<Listed, RegistryError> {
        Ok(Listed::default())
    }
}
