//! What the tests of images share: archives over the fixtures, and driving a future that never
//! waits.
#![allow(dead_code)]

use sealgate::internals::crypto::RustCrypto;
use sealgate::internals::digest::Digest;
use sealgate::internals::oci::Platform;
use sealgate::internals::oci::registry::{Fetched, RegistryError};
use sealgate::internals::reference::{Grammar, Reference};
use sealgate::internals::time::UnixTime;
use sealgate::internals::verify::{
    Archive, Listed, Lookaside, Referrer, Report, Request, Rules, verify_image,
};
use sealgate::policy::Policy;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

pub(crate) fn fixtures() -> PathBuf {
    // Relative, so that the same tests run under WASI with the current folder opened.
    PathBuf::from("fixtures")
}

pub(crate) fn read(path: impl AsRef<Path>) -> Vec<u8> {
    std::fs::read(path.as_ref()).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `make fixtures` makes it",
            path.as_ref().display()
        )
    })
}

/// Polls a future that has nothing to wait for.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits"),
    }
}

/// A registry in memory. Manifests by tag or digest, blobs by digest, referrers by subject.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    pub manifests: BTreeMap<String, (Vec<u8>, String)>,
    pub blobs: BTreeMap<String, Vec<u8>>,
    pub referrers: BTreeMap<String, Vec<Referrer>>,
    /// The simple signatures of a manifest, as a lookaside or a `dir:` image has them.
    pub simple: BTreeMap<String, Vec<Vec<u8>>>,
    /// How many numbers are left out before the first of them.
    pub gap: usize,
    /// Answers for every `.sig` tag, as a hostile registry may.
    pub any_signature: Option<Vec<u8>>,
    /// Answers for every list of referrers.
    pub any_referrers: Option<Vec<Referrer>>,
    /// Does not check blobs, as a hostile registry would not; the archive's contract does.
    pub told: BTreeMap<String, String>,
}

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

impl Memory {
    /// An OCI layout of `fixtures/demo`.
    pub(crate) fn layout(folder: &Path) -> Self {
        let mut memory = Self::default();
        let index: serde_json::Value =
            serde_json::from_slice(&read(folder.join("index.json"))).unwrap();
        for entry in std::fs::read_dir(folder.join("blobs/sha256")).unwrap() {
            let path = entry.unwrap().path();
            memory.blobs.insert(
                format!("sha256:{}", path.file_name().unwrap().to_str().unwrap()),
                read(&path),
            );
        }
        let blobs = memory.blobs.clone();
        let kind = |bytes: &[u8]| {
            serde_json::from_slice::<serde_json::Value>(bytes)
                .ok()
                .and_then(|value| value["mediaType"].as_str().map(String::from))
        };
        for (digest, bytes) in &blobs {
            if let Some(kind) = kind(bytes)
                .filter(|kind| kind.contains("image.manifest") || kind.contains("image.index"))
            {
                memory
                    .manifests
                    .insert(digest.clone(), (bytes.clone(), kind));
            }
        }
        for entry in index["manifests"].as_array().unwrap() {
            let digest = entry["digest"].as_str().unwrap();
            let Some(tag) = entry["annotations"]["org.opencontainers.image.ref.name"].as_str()
            else {
                continue;
            };
            memory.manifests.insert(
                tag.into(),
                (
                    blobs[digest].clone(),
                    entry["mediaType"].as_str().unwrap().into(),
                ),
            );
            memory.told.insert(tag.into(), digest.into());
        }
        memory
    }

    /// Keeps a blob.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.blobs.insert(digest.to_string(), bytes.into());
        digest
    }

    /// One folder of `fixtures/cosign` or `fixtures/sigstore`; the image has the tag `1`.
    pub(crate) fn case(folder: &Path) -> Self {
        let mut memory = Self::default();
        let image = read(folder.join("manifest.json"));
        let digest = Digest::of(&image);
        memory
            .manifests
            .insert("1".into(), (image, MANIFEST.into()));
        let Ok(entries) = std::fs::read_dir(folder) else {
            panic!()
        };
        for path in entries.map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let bytes = read(&path);
            let content = Digest::of(&bytes).to_string();
            if name == "sig-manifest.json" {
                memory.manifests.insert(
                    format!("sha256-{}.sig", digest.hex()),
                    (bytes, MANIFEST.into()),
                );
            } else if name == "att-manifest.json" {
                memory.manifests.insert(
                    format!("sha256-{}.att", digest.hex()),
                    (bytes, MANIFEST.into()),
                );
            } else if name.starts_with("referrer-manifest") {
                memory.manifests.insert(content, (bytes, MANIFEST.into()));
            } else if name == "fallback-index.json" {
                let index: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                let list = index["manifests"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|entry| Referrer {
                        digest: Digest::parse(entry["digest"].as_str().unwrap()).unwrap(),
                        artifact_type: entry["artifactType"].as_str().map(Into::into),
                    });
                memory.referrers.insert(digest.to_string(), list.collect());
            } else {
                memory.blobs.insert(content, bytes);
            }
        }
        memory
    }
}

impl Archive for Memory {
    async fn manifest(&self, reference: &str) -> Result<Option<Fetched>, RegistryError> {
        if let (Some(bytes), true) = (&self.any_signature, reference.ends_with(".sig")) {
            return Ok(Some(Fetched {
                bytes: bytes.clone(),
                content_type: Some(MANIFEST.into()),
                digest: None,
            }));
        }
        let found = self.manifests.get(reference);
        Ok(found.map(|(bytes, kind)| Fetched {
            bytes: bytes.clone(),
            content_type: Some(kind.clone()),
            digest: self.told.get(reference).cloned(),
        }))
    }

    async fn blob(&self, digest: &Digest, _max: usize) -> Result<Option<Vec<u8>>, RegistryError> {
        let Some(bytes) = self.blobs.get(&digest.to_string()) else {
            return Ok(None);
        };
        digest.check(bytes)?;
        Ok(Some(bytes.clone()))
    }

    async fn simple_signature(
        &self,
        _lookaside: Option<&Lookaside>,
        digest: &Digest,
        number: usize,
        _max: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        let stored = self.simple.get(&digest.to_string());
        let place = (number - 1).checked_sub(self.gap);
        Ok(stored
            .zip(place)
            .and_then(|(stored, place)| stored.get(place))
            .cloned())
    }

    async fn referrers(&self, digest: &Digest) -> Result<Listed, RegistryError> {
        if let Some(list) = &self.any_referrers {
            return Ok(Listed {
                entries: list.clone(),
                incomplete: None,
            });
        }
        if let Some(list) = self.referrers.get(&digest.to_string()) {
            return Ok(Listed {
                entries: list.clone(),
                incomplete: None,
            });
        }
        // The tag schema.
        let Some((bytes, _)) = self.manifests.get(&format!("sha256-{}", digest.hex())) else {
            return Ok(Listed::default());
        };
        let index: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        let entries = index["manifests"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                Some(Referrer {
                    digest: Digest::parse(entry["digest"].as_str()?).ok()?,
                    artifact_type: entry["artifactType"].as_str().map(Into::into),
                })
            });
        Ok(Listed {
            entries: entries.collect(),
            incomplete: None,
        })
    }
}

pub(crate) fn judge(archive: &impl Archive, rules: &Rules, name: &str) -> Report {
    judge_at(archive, rules, name, NOW)
}

pub(crate) fn judge_at(archive: &impl Archive, rules: &Rules, name: &str, time: i64) -> Report {
    judge_with(archive, rules, name, None, time)
}

pub(crate) fn judge_platform(
    archive: &impl Archive,
    rules: &Rules,
    name: &str,
    platform: &str,
) -> Report {
    judge_with(
        archive,
        rules,
        name,
        Some(Platform::parse(platform).unwrap()),
        NOW,
    )
}

/// Now, where no test says otherwise.
const NOW: i64 = 1_800_000_000;

fn judge_with(
    archive: &impl Archive,
    rules: &Rules,
    name: &str,
    platform: Option<Platform>,
    time: i64,
) -> Report {
    let name = Reference::normalize(name, Grammar::Containers).unwrap();
    let request = Request::of(name, UnixTime(time));
    let request = match platform {
        Some(platform) => request.on(platform),
        None => request,
    };
    block_on(verify_image(archive, &RustCrypto, rules, &request))
}

pub(crate) fn demo_rules() -> Rules {
    let policy = Policy::parse(&read(fixtures().join("demo/policy.json"))).unwrap();
    Rules::policy(policy, demo_assets()).unwrap()
}

/// The files that the demo's policy names.
pub(crate) fn demo_assets() -> BTreeMap<String, Vec<u8>> {
    [
        "bundle.pub",
        "cosign.pub",
        "keyring.asc",
        "trusted_root.json",
    ]
    .map(|name| (name.to_owned(), read(fixtures().join("demo").join(name))))
    .into()
}

pub(crate) fn key_rules(path: &Path) -> Rules {
    Rules::keys(&[read(path)]).unwrap()
}
