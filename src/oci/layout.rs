//! OCI layouts: an `index.json` and blobs by digest (OCI image specification, image-layout.md).
//!
//! In scope: finding an image by name, walking everything that is listed with every digest and size
//! checked, referrers of a digest. Out of scope: files, archives. The store is untrusted;
//! `index.json` has no digest and is a claim.

use crate::digest::Digest;
use crate::encoding::json::Dialect;
use crate::encoding::json::parse;
use crate::keyed::Keyed;
use crate::limits;
use crate::oci::descriptor::Descriptor;
use crate::oci::document::Document;
use crate::oci::error::OciError;
use crate::oci::fields::Fields;
use crate::oci::fields::shown;
use crate::oci::index::Index;
use crate::oci::media_type;
use crate::oci::media_type::Kind;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

/// The annotation that names an image in a layout.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// What has the blobs of a layout. What it returns need not have the digest that was asked for.
pub trait Blobs {
    /// The blob, or `None` when it is not stored.
    fn blob(&self, digest: &Digest) -> Option<Vec<u8>>;
}

impl<F: Fn(&Digest) -> Option<Vec<u8>>> Blobs for F {
    fn blob(&self, digest: &Digest) -> Option<Vec<u8>> {
        self(digest)
    }
}

/// A layout, by its `index.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    index: Index,
}

/// What a walk found. Everything that was stored has the digest that its descriptor says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// Manifests and indexes, each once.
    pub documents: Vec<(Descriptor, Document)>,
    /// Blobs that were hashed, documents among them.
    pub checked: usize,
    /// What is listed and not stored: a layout may hold one platform of several.
    pub missing: Vec<Descriptor>,
    /// Configs and layers whose descriptor gives another size. Their digest proves them
    /// nevertheless, and published layouts have such, so it is for the caller to judge.
    pub missized: Vec<Descriptor>,
}

/// Checks the `oci-layout` file.
///
/// # Errors
/// [`OciError::LayoutVersion`], [`OciError::Json`].
pub fn check_version(bytes: &[u8]) -> Result<(), OciError> {
    let wrong = |found: &str| OciError::LayoutVersion {
        found: shown(found),
    };
    if bytes.len() > limits::CONFIG {
        return Err(wrong("a file that is too long"));
    }
    let node = parse(bytes, Dialect::Strict)?;
    let version = Fields::of(&node, "oci-layout", &["imageLayoutVersion"])?
        .required_text("imageLayoutVersion")?;
    if version.starts_with("1.") {
        Ok(())
    } else {
        Err(wrong(&version))
    }
}

impl Layout {
    /// Reads `index.json`.
    ///
    /// # Errors
    /// [`OciError`]: no index.
    pub fn parse(index: &[u8]) -> Result<Self, OciError> {
        match Document::parse(index, Some(media_type::OCI_INDEX))? {
            Document::Index(index) => Ok(Self { index }),
            Document::Manifest(_) => Err(OciError::UnknownDocument {
                found: "a manifest".into(),
            }),
        }
    }

    /// The `index.json`.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The image of this name; without a name the only one. As in containers/image the first of
    /// several equal names is taken, and what is no image or index is passed over.
    ///
    /// # Errors
    /// [`OciError::LayoutName`], [`OciError::LayoutChoice`], [`OciError::LayoutMediaType`].
    pub fn find(&self, name: Option<&str>) -> Result<&Descriptor, OciError> {
        let Some(name) = name else {
            return match self.index.manifests.as_slice() {
                [only] => Ok(only),
                several => Err(OciError::LayoutChoice {
                    found: several.len(),
                }),
            };
        };
        let mut other = None;
        for entry in self
            .index
            .manifests
            .iter()
            .filter(|entry| entry.annotation(REF_NAME) == Some(name))
        {
            if is_document(&entry.media_type) {
                return Ok(entry);
            }
            other = Some(entry);
        }
        Err(match other {
            Some(entry) => OciError::LayoutMediaType {
                name: shown(name),
                found: shown(&entry.media_type),
            },
            None => OciError::LayoutName { name: shown(name) },
        })
    }

    /// Reads and hashes everything that `index.json` leads to. Configs and layers are hashed,
    /// whatever their type says; a `subject` is not followed.
    ///
    /// # Errors
    /// [`OciError`]: a blob that has not its descriptor's digest, a document that has not its size
    /// or is not well-formed.
    pub fn walk(&self, blobs: &impl Blobs) -> Result<Walk, OciError> {
        let mut walk = Walk {
            documents: Vec::new(),
            checked: 0,
            missing: Vec::new(),
            missized: Vec::new(),
        };
        // How each was used, so that one digest under two types is read as both; its size, or
        // `None` when not stored.
        let mut seen: Keyed<Option<usize>> = Keyed::default();
        let mut ahead: Vec<(Descriptor, bool)> = self
            .index
            .manifests
            .iter()
            .rev()
            .map(|entry| (entry.clone(), true))
            .collect();
        while let Some((entry, listed)) = ahead.pop() {
            let media_type = entry.media_type.as_str();
            let document = (listed && is_document(media_type)).then_some(media_type);
            let key = format!("{} {}", entry.digest, document.unwrap_or_default());
            if let Some(size) = seen.get(&key) {
                if let Some(size) = *size {
                    walk.check_size(&entry, listed, size)?;
                }
                continue;
            }
            let limit = limits::LAYOUT_BLOBS;
            if seen.len() >= limit {
                return Err(OciError::Blobs { limit });
            }
            let Some(bytes) = blobs.blob(&entry.digest) else {
                seen.insert(key, None);
                walk.missing.push(entry);
                continue;
            };
            walk.check_size(&entry, listed, bytes.len())?;
            entry
                .digest
                .check(&bytes)
                .map_err(|error| OciError::BlobDigest { error })?;
            walk.checked += 1;
            if document.is_some() {
                let document = Document::parse(&bytes, Some(&entry.media_type))?;
                ahead.extend(children(&document));
                walk.documents.push((entry, document));
            }
            seen.insert(key, Some(bytes.len()));
        }
        Ok(walk)
    }
}

impl Walk {
    fn check_size(
        &mut self,
        entry: &Descriptor,
        listed: bool,
        found: usize,
    ) -> Result<(), OciError> {
        if u64::try_from(found) == Ok(entry.size) {
            return Ok(());
        }
        if listed {
            return Err(OciError::BlobSize {
                digest: entry.digest.to_string(),
                expected: entry.size,
                found,
            });
        }
        self.missized.push(entry.clone());
        Ok(())
    }

    /// What names `subject` as its subject, as the referrers API lists it: with its artifact type
    /// and annotations, in order of digest.
    pub fn referrers(&self, subject: &Digest) -> Vec<Descriptor> {
        let mut found: Vec<Descriptor> = Vec::new();
        for (entry, document) in &self.documents {
            if document
                .subject()
                .is_none_or(|named| named.digest != *subject)
            {
                continue;
            }
            let artifact_type = match document {
                Document::Manifest(manifest) => Some(manifest.referrer_type().into()),
                Document::Index(index) => index.artifact_type.clone(),
            };
            found.push(Descriptor {
                artifact_type,
                annotations: document.annotations().to_vec(),
                urls: Vec::new(),
                platform: None,
                ..entry.clone()
            });
        }
        found.sort_by(|a, b| a.digest.cmp(&b.digest));
        found.dedup_by(|a, b| a.digest == b.digest);
        found
    }
}

/// What a document lists, last first, and whether it lists it as a document.
fn children(document: &Document) -> Vec<(Descriptor, bool)> {
    match document {
        Document::Index(index) => index
            .manifests
            .iter()
            .rev()
            .map(|entry| (entry.clone(), true))
            .collect(),
        Document::Manifest(manifest) => manifest
            .layers
            .iter()
            .rev()
            .chain([&manifest.config])
            .map(|entry| (entry.clone(), false))
            .collect(),
    }
}

fn is_document(media_type: &str) -> bool {
    matches!(Kind::of(media_type), Some(Kind::Manifest | Kind::Index))
}
