//! A host that answers from an OCI image layout (OCI image specification, image-layout.md) as a
//! registry would.

use sealgate::HostError;
use sealgate::host::{Host, Request, Response};
use std::path::PathBuf;

pub(crate) struct Layout {
    folder: PathBuf,
    /// Each tag with the digest that it stands for.
    tags: Vec<(String, String)>,
}

impl Layout {
    pub(crate) fn open(folder: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let folder = PathBuf::from(folder);
        let index = std::fs::read(folder.join("index.json"))?;
        let index: serde_json::Value = serde_json::from_slice(&index)?;
        let tags = index["manifests"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let tag = entry["annotations"]["org.opencontainers.image.ref.name"].as_str()?;
                Some((tag.to_owned(), entry["digest"].as_str()?.to_owned()))
            })
            .collect();
        Ok(Self { folder, tags })
    }

    /// The content with this digest, or under this tag.
    fn content(&self, reference: &str) -> Option<Vec<u8>> {
        let digest = self
            .tags
            .iter()
            .find(|(tag, _)| tag == reference)
            .map_or(reference, |(_, digest)| digest);
        let (algorithm, hex) = digest.split_once(':')?;
        // What is asked for may be anything; a digest leads to no other folder.
        let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_word(algorithm) || !is_word(hex) {
            return None;
        }
        std::fs::read(self.folder.join("blobs").join(algorithm).join(hex)).ok()
    }
}

impl Host for Layout {
    async fn fetch(&self, request: Request) -> Result<Response, HostError> {
        let found = match request.url.rsplit('/').collect::<Vec<_>>().as_slice() {
            [reference, "manifests" | "blobs", ..] => self.content(reference),
            _ => None,
        };
        let too_large = found
            .as_ref()
            .is_some_and(|body| body.len() > request.max_bytes);
        if too_large {
            return Err(HostError::TooLarge {
                url: request.url,
                limit: request.max_bytes,
            });
        }
        // A registry gives the type that it stored; here it is in the document.
        let media_type = found
            .as_deref()
            .and_then(|body| serde_json::from_slice::<serde_json::Value>(body).ok())
            .and_then(|document| document["mediaType"].as_str().map(String::from));
        Ok(Response {
            status: if found.is_some() { 200 } else { 404 },
            headers: media_type
                .map(|kind| ("content-type".to_owned(), kind))
                .into_iter()
                .collect(),
            body: found.unwrap_or_default(),
            url: None,
        })
    }
}
