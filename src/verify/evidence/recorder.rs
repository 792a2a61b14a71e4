//! Making such a document, piece by piece.

use super::document::{Files, PolicyFiles};
use crate::digest::Digest;
use crate::encoding::base64;
use crate::encoding::json;
use crate::error::Coded;
use crate::keyed::Keys;
use crate::limits;
use crate::oci::registry::{Fetched, RegistryError};
use crate::oci::{Descriptor, Document, Manifest, tag};
use crate::verify::archive::{Archive, Listed, Referrer};
use crate::verify::artifact::{
    is_empty_config, is_evidence_document, is_evidence_type, may_be_signature, says_attestation,
};
#[cfg(feature = "openpgp")]
use crate::verify::simple::Lookaside;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Takes an evidence document as it is made.
pub trait Out {
    /// There is an image, so that there will be a document.
    fn begin(&self) -> impl Future<Output = ()>;
    /// The next piece of its text; `false`: nobody takes it any more.
    fn put(&self, piece: String) -> impl Future<Output = bool>;
    /// Others have their turn.
    fn pause(&self) -> impl Future<Output = ()>;
}

/// What stands in a document beside the registry's answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// The name by which whoever answers knows the image.
    pub name: String,
    /// The repository at whoever answers.
    pub repository: String,
    /// The tag or digest that was asked for.
    pub reference: String,
    /// The part of the policy that decides.
    pub policy: Option<PolicyFiles>,
    /// Which simple signatures belong to it, where the image is judged by such: none, or those of
    /// the registry itself or else of the lookaside, if there is one. Where they are is not said.
    #[cfg(feature = "openpgp")]
    pub simple: Option<Option<Lookaside>>,
}

impl Frame {
    /// Everything up to the first answer.
    fn head(&self, digest: &Digest) -> String {
        let quote = json::quote;
        let mut text = format!(
            "{{\"version\":1,\"name\":{},\"repository\":{},\"reference\":{},\"digest\":\"{digest}\",",
            quote(&self.name),
            quote(&self.repository),
            quote(&self.reference)
        );
        if let Some(policy) = &self.policy {
            let registries = policy.registries_d.as_ref().map_or(String::new(), |files| {
                format!(",\"registriesD\":{}", files_json(files))
            });
            text.push_str(&format!(
                "\"policy\":{{\"text\":{},\"assets\":{}{registries}}},",
                quote(&base64::encode(&policy.text)),
                files_json(&policy.assets)
            ));
        }
        text.push_str("\"answers\":[");
        text
    }
}

/// Fetches what a judgement of this image may ask for, and writes it down at once: the manifest,
/// the images of an index, and the signatures of each; never a layer, and no blob that is not
/// evidence by its bytes. What cannot be had is said as such. `false`: there is no such image, and
/// nothing was written.
///
/// # Errors
/// When the image itself cannot be had; nothing was written then.
pub async fn collect<A: Archive, O: Out>(
    archive: &A,
    frame: &Frame,
    out: &O,
) -> Result<bool, RegistryError> {
    let Some(fetched) = archive.manifest(&frame.reference).await? else {
        return Ok(false);
    };
    let digest = Digest::of(&fetched.bytes);
    out.begin().await;
    let is_taken = out.put(frame.head(&digest)).await;
    let mut collector = Collector {
        archive,
        out,
        written: Keys::default(),
        #[cfg(feature = "openpgp")]
        simple: frame.simple.as_ref(),
        left: limits::EVIDENCE_TOTAL,
        is_taken,
    };
    let document = Document::parse(&fetched.bytes, fetched.content_type.as_deref());
    collector
        .add_manifest(&format!("manifests/{}", frame.reference), &fetched)
        .await;
    collector.attached(&digest).await;
    if let Ok(Document::Index(index)) = document {
        for entry in index.manifests.iter().take(limits::INSTANCES) {
            if let Some(Document::Manifest(manifest)) =
                collector.manifest(&entry.digest.to_string()).await
            {
                collector.empty_config(entry, &manifest).await;
                collector.attached(&entry.digest).await;
            }
        }
    }
    out.put("]}".into()).await;
    Ok(true)
}

pub(super) struct Collector<'a, A, O> {
    pub(super) archive: &'a A,
    pub(super) out: &'a O,
    #[cfg(feature = "openpgp")]
    simple: Option<&'a Option<Lookaside>>,
    /// The paths of what was written.
    pub(super) written: Keys,
    /// Bytes that may still be written, before they become base64.
    pub(super) left: usize,
    pub(super) is_taken: bool,
}

/// What is said of it instead.
pub(super) const WITHHELD: &str = "what is listed as a signature here is none by its bytes, and is not given \
                        out [evidence.withheld]";
/// Bytes that are encoded at a stretch: whole triples.
const PIECE: usize = 384 << 10;

impl<A: Archive, O: Out> Collector<'_, A, O> {
    async fn put(&mut self, piece: String) {
        if self.is_taken {
            self.is_taken = self.out.put(piece).await;
        }
    }

    /// One answer, up to what is particular to it.
    async fn begin(&mut self, path: &str, rest: &str) {
        let comma = if self.written.is_empty() { "" } else { "," };
        self.written.add(path);
        self.put(format!("{comma}{{\"path\":{}{rest}", json::quote(path)))
            .await;
    }

    pub(super) async fn add_missing(&mut self, path: &str) {
        self.begin(path, ",\"status\":404}").await;
    }

    pub(super) async fn add_error(&mut self, path: &str, message: &str) {
        self.begin(
            path,
            &format!(",\"status\":0,\"error\":{}}}", json::quote(message)),
        )
        .await;
    }

    async fn add_manifest(&mut self, path: &str, found: &Fetched) {
        let member = |name: &str, value: Option<&str>| {
            value.map_or(String::new(), |value| {
                format!(",\"{name}\":{}", json::quote(value))
            })
        };
        self.add_body(
            path,
            &(member("contentType", found.content_type.as_deref())
                + &member("digest", found.digest.as_deref())),
            &found.bytes,
        )
        .await;
    }

    pub(super) async fn add_body(&mut self, path: &str, members: &str, body: &[u8]) {
        self.left = self.left.saturating_sub(body.len());
        self.begin(path, &format!(",\"status\":200{members},\"body\":\""))
            .await;
        for piece in body.chunks(PIECE) {
            self.put(base64::encode(piece)).await;
        }
        self.put("\"}".into()).await;
    }

    async fn add_referrers(&mut self, path: &str, list: &[Referrer]) {
        let quote = json::quote;
        let kind = |one: &Referrer| {
            one.artifact_type.as_deref().map_or(String::new(), |kind| {
                format!(",\"artifactType\":{}", quote(kind))
            })
        };
        let list: Vec<String> = list
            .iter()
            .map(|one| {
                format!(
                    "{{\"digest\":{}{}}}",
                    quote(&one.digest.to_string()),
                    kind(one)
                )
            })
            .collect();
        self.begin(
            path,
            &format!(",\"status\":200,\"referrers\":[{}]}}", list.join(",")),
        )
        .await;
    }

    /// Whoever asked the registry is not told its address.
    pub(super) async fn failed(&mut self, path: &str, error: &RegistryError) {
        self.add_error(
            path,
            &format!("the registry did not give this [{}]", error.code()),
        )
        .await;
    }

    pub(super) async fn full(&mut self, path: &str) {
        self.add_error(
            path,
            "there is more evidence than one document holds [limit.evidence]",
        )
        .await;
    }

    async fn manifest(&mut self, reference: &str) -> Option<Document> {
        let path = format!("manifests/{reference}");
        if !self.is_taken || self.written.contains(&path) {
            return None;
        }
        match self.archive.manifest(reference).await {
            Ok(Some(found)) if found.bytes.len() <= self.left => {
                self.add_manifest(&path, &found).await;
                return Document::parse(&found.bytes, found.content_type.as_deref()).ok();
            }
            Ok(Some(_)) => self.full(&path).await,
            Ok(None) => self.add_missing(&path).await,
            Err(error) => self.failed(&path, &error).await,
        }
        None
    }

    /// Signatures and attestations by tag, then what refers to the image.
    async fn attached(&mut self, digest: &Digest) {
        #[cfg(feature = "openpgp")]
        if let Some(lookaside) = self.simple {
            self.simple(digest, lookaside.as_ref()).await;
        }
        let mut examined = 0;
        for name in [tag::signature_tag(digest), tag::attestation_tag(digest)] {
            if let Some(Document::Manifest(manifest)) = self.manifest(&name).await {
                self.layers(&manifest, &mut examined).await;
            }
        }
        let path = format!("referrers/{digest}");
        if !self.is_taken || self.written.contains(&path) {
            return;
        }
        let listed = match self.archive.referrers(digest).await {
            Ok(Listed {
                incomplete: Some(error),
                ..
            })
            | Err(error) => return self.failed(&path, &error).await,
            Ok(listed) => listed,
        };
        self.add_referrers(&path, &listed.entries).await;
        let may_be =
            |entry: &&Referrer| entry.artifact_type.as_deref().is_none_or(may_be_signature);
        for entry in listed
            .entries
            .iter()
            .filter(may_be)
            .take(limits::EVIDENCE_EXAMINED)
        {
            if examined >= limits::EVIDENCE_EXAMINED || self.left == 0 {
                break;
            }
            if let Some(Document::Manifest(manifest)) =
                self.manifest(&entry.digest.to_string()).await
            {
                self.layers(&manifest, &mut examined).await;
            }
        }
    }

    async fn layers(&mut self, manifest: &Manifest, examined: &mut usize) {
        for layer in manifest
            .layers
            .iter()
            .filter(|layer| is_evidence_type(&layer.media_type))
        {
            if *examined >= limits::EVIDENCE_EXAMINED {
                break;
            }
            *examined = examined.saturating_add(1);
            self.blob(layer).await;
        }
    }

    async fn blob(&mut self, layer: &Descriptor) {
        let path = format!("blobs/{}", layer.digest);
        if !self.is_taken || self.written.contains(&path) {
            return;
        }
        let most = limits::EVIDENCE.min(self.left);
        if usize::try_from(layer.size).map_or(true, |size| size > most) {
            return self.full(&path).await;
        }
        let found = self.archive.blob(&layer.digest, most).await;
        self.out.pause().await;
        match found {
            Ok(Some(bytes)) if is_evidence_document(&layer.media_type, &bytes) => {
                self.out.pause().await;
                self.add_body(&path, "", &bytes).await;
            }
            Ok(Some(_)) => self.add_error(&path, WITHHELD).await,
            Ok(None) => self.add_missing(&path).await,
            Err(error) => self.failed(&path, &error).await,
        }
    }

    /// By its config an attestation that nobody signed is told from an image.
    async fn empty_config(&mut self, entry: &Descriptor, manifest: &Manifest) {
        let path = format!("blobs/{}", manifest.config.digest);
        if !self.is_taken || !says_attestation(entry) || self.written.contains(&path) {
            return;
        }
        if let Ok(Some(bytes)) = self
            .archive
            .blob(&manifest.config.digest, limits::CONFIG.min(self.left))
            .await
            && is_empty_config(&bytes, manifest)
        {
            self.add_body(&path, "", &bytes).await;
        }
    }
}

fn files_json(files: &Files) -> String {
    let files: Vec<String> = files
        .iter()
        .map(|(path, bytes)| {
            format!(
                "{}:{}",
                json::quote(path),
                json::quote(&base64::encode(bytes))
            )
        })
        .collect();
    format!("{{{}}}", files.join(","))
}
