//! Sigstore bundles (sigstore/protobuf-specs, `sigstore_bundle.proto` and its comments), as JSON,
//! versions 0.1 to 0.3.
//!
//! In scope: reading one strictly, with what each version demands and forbids. Out of scope:
//! believing any of it. The key hint is not even kept.

use crate::encoding::base64;
use crate::encoding::json::{self, Dialect, JsonError, Node};
use crate::limits;
use crate::tlog::TlogError;
use crate::tlog::rekor::{self, Entry};
use alloc::string::String;
use alloc::vec::Vec;

/// The media type of version 0.3, and of the manifests that carry bundles.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Whether a layer or artifact of this media type says that it is a bundle.
pub fn is_bundle_type(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.dev.sigstore.bundle")
}

/// Which version a bundle says it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Version {
    /// No bundle: a layer of a `.sig` or `.att` manifest, with cosign's annotations.
    Layer,
    V0_1,
    V0_2,
    V0_3,
}

impl Version {
    /// Whether a signed entry timestamp proves that an entry is in its log; else a proof with a
    /// checkpoint must (docs/trust.md section 4).
    pub fn set_is_enough(self) -> bool {
        matches!(self, Self::Layer | Self::V0_1)
    }

    fn of(media_type: &str) -> Option<Self> {
        Some(match media_type {
            "application/vnd.dev.sigstore.bundle+json;version=0.1" => Self::V0_1,
            "application/vnd.dev.sigstore.bundle+json;version=0.2" => Self::V0_2,
            "application/vnd.dev.sigstore.bundle+json;version=0.3" | MEDIA_TYPE => Self::V0_3,
            _ => return None,
        })
    }
}

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A DSSE envelope with its one signature.
    Dsse {
        /// The envelope's payload type.
        payload_type: String,
        /// The envelope's payload.
        payload: Vec<u8>,
    },
    /// Cosign's older form: a payload of simple signing, signed as it is.
    Payload(Vec<u8>),
    /// A blob, by the digest that the bundle gives: a hint, compared where the algorithm is known.
    Message {
        /// As `HashAlgorithm` writes it, for instance `SHA2_256`.
        algorithm: String,
        /// The digest.
        digest: Vec<u8>,
    },
}

/// By whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// Certificates in DER: the leaf, then intermediates.
    Certificates(Vec<Vec<u8>>),
    /// A key that the verifier must know.
    Key,
}

/// A bundle, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// Its version.
    pub version: Version,
    /// What is signed.
    pub content: Content,
    /// The signature.
    pub signature: Vec<u8>,
    /// By whom.
    pub material: Material,
    /// The log entries, not read yet.
    pub log_entries: LogEntries,
    /// The timestamps, in DER, not read yet.
    pub timestamps: Vec<Vec<u8>>,
    /// What the timestamps are over, where it is not the signature.
    pub stamped: Option<Vec<u8>>,
}

/// Log entries as the evidence has them.
#[derive(Debug, Clone, PartialEq)]
pub enum LogEntries {
    /// `tlogEntries` of a bundle.
    Listed(Vec<Node>),
    /// Cosign's annotation `dev.sigstore.cosign/bundle`.
    Annotation(Vec<u8>),
}

impl LogEntries {
    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Listed(nodes) => nodes.len(),
            Self::Annotation(_) => 1,
        }
    }

    /// Reads them.
    ///
    /// # Errors
    /// [`TlogError`].
    pub fn read(&self) -> Result<Vec<Entry>, TlogError> {
        match self {
            Self::Listed(nodes) => rekor::entries(nodes),
            Self::Annotation(bytes) => {
                Entry::parse_annotation(bytes).map(|entry| alloc::vec![entry])
            }
        }
    }
}

codes! {
    /// These bytes are no bundle.
    pub enum BundleError {
        Json { error: JsonError } => "bundle.json",
            "the bundle is no JSON that can be read: {error}";
        MediaType { found: String } => "bundle.media-type",
            "expected a Sigstore bundle of version 0.1 to 0.3, found the media type {found:?}";
        Shape { at: &'static str, expected: &'static str } => "bundle.shape",
            "the bundle: expected {expected} at {at}";
        Signatures { found: usize } => "bundle.signatures",
            "expected an envelope with exactly one signature, found {found}";
        Certificates { found: usize } => "bundle.certificates",
            "expected 1 to 10 certificates, found {found}";
        Entries { found: usize } => "limit.log-entries",
            "expected at most 32 log entries, found {found}";
        Timestamps { found: usize } => "limit.timestamps",
            "expected at most 32 timestamps, found {found}";
    }
}

impl Bundle {
    /// The leaf certificate in DER, where there is one. A claim.
    pub fn leaf(&self) -> Option<&[u8]> {
        match &self.material {
            Material::Certificates(ders) => ders.first().map(Vec::as_slice),
            Material::Key => None,
        }
    }

    /// Reads a bundle.
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        Self::read(
            &json::parse(bytes, Dialect::Strict).map_err(|error| BundleError::Json { error })?,
        )
    }

    /// Reads a bundle that was read as JSON, strictly.
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn read(root: &Node) -> Result<Self, BundleError> {
        let media_type = text(root.member("mediaType"), "mediaType")?;
        let version = Version::of(media_type).ok_or_else(|| BundleError::MediaType {
            found: media_type.chars().take(100).collect(),
        })?;
        let (content, signature) = content(root)?;
        let material =
            present(root, "verificationMaterial").filter(|node| node.as_object().is_some());
        let material = material.ok_or(BundleError::Shape {
            at: "verificationMaterial",
            expected: "an object",
        })?;
        let log_entries = list(material, "tlogEntries", "verificationMaterial.tlogEntries")?;
        if log_entries.len() > limits::LOG_ENTRIES {
            return Err(BundleError::Entries {
                found: log_entries.len(),
            });
        }
        check_entries(version, log_entries)?;
        Ok(Self {
            version,
            content,
            signature,
            material: signer(version, material)?,
            log_entries: LogEntries::Listed(log_entries.into()),
            timestamps: timestamps(material)?,
            stamped: None,
        })
    }
}

fn content(root: &Node) -> Result<(Content, Vec<u8>), BundleError> {
    match (
        present(root, "dsseEnvelope"),
        present(root, "messageSignature"),
    ) {
        (Some(envelope), None) => {
            let signatures = list(envelope, "signatures", "dsseEnvelope.signatures")?;
            let [signature] = signatures else {
                return Err(BundleError::Signatures {
                    found: signatures.len(),
                });
            };
            let payload_type =
                text(envelope.member("payloadType"), "dsseEnvelope.payloadType")?.into();
            let payload = bytes_of(envelope.member("payload"), "dsseEnvelope.payload")?;
            Ok((
                Content::Dsse {
                    payload_type,
                    payload,
                },
                bytes_of(signature.member("sig"), "dsseEnvelope.signatures[0].sig")?,
            ))
        }
        (None, Some(message)) => {
            let digest = present(message, "messageDigest").ok_or(BundleError::Shape {
                at: "messageSignature.messageDigest",
                expected: "an object",
            })?;
            let algorithm = text(
                digest.member("algorithm"),
                "messageSignature.messageDigest.algorithm",
            )?
            .into();
            let digest = bytes_of(
                digest.member("digest"),
                "messageSignature.messageDigest.digest",
            )?;
            Ok((
                Content::Message { algorithm, digest },
                bytes_of(message.member("signature"), "messageSignature.signature")?,
            ))
        }
        _ => Err(BundleError::Shape {
            at: "the top",
            expected: "either dsseEnvelope or messageSignature",
        }),
    }
}

/// Version 0.3 has the leaf alone (`certificate`); those before have a chain, without its root.
fn signer(version: Version, material: &Node) -> Result<Material, BundleError> {
    let chain = present(material, "x509CertificateChain");
    match (
        present(material, "certificate"),
        chain,
        present(material, "publicKey"),
    ) {
        (None, None, Some(_)) => Ok(Material::Key),
        (Some(one), None, None) if version == Version::V0_3 => {
            Ok(Material::Certificates(alloc::vec![bytes_of(
                one.member("rawBytes"),
                "verificationMaterial.certificate.rawBytes"
            )?]))
        }
        (None, Some(chain), None) if version < Version::V0_3 => {
            let certificates = list(
                chain,
                "certificates",
                "verificationMaterial.x509CertificateChain.certificates",
            )?;
            if certificates.is_empty() || certificates.len() > limits::CHAIN {
                return Err(BundleError::Certificates {
                    found: certificates.len(),
                });
            }
            let one = |node: &Node| {
                bytes_of(
                    node.member("rawBytes"),
                    "verificationMaterial.x509CertificateChain.certificates[].rawBytes",
                )
            };
            Ok(Material::Certificates(
                certificates.iter().map(one).collect::<Result<_, _>>()?,
            ))
        }
        _ => Err(BundleError::Shape {
            at: "verificationMaterial",
            expected: "publicKey, or certificate (version 0.3), or x509CertificateChain (before), \
                       and one of them alone",
        }),
    }
}

/// Version 0.1 promises inclusion, those after it prove it with a checkpoint.
fn check_entries(version: Version, entries: &[Node]) -> Result<(), BundleError> {
    for entry in entries {
        let checkpoint = present(entry, "inclusionProof")
            .and_then(|proof| present(proof, "checkpoint"))
            .is_some();
        if version == Version::V0_1 && present(entry, "inclusionPromise").is_none() {
            return Err(BundleError::Shape {
                at: "verificationMaterial.tlogEntries[].inclusionPromise",
                expected: "an object (version 0.1)",
            });
        }
        if version > Version::V0_1 && !checkpoint {
            return Err(BundleError::Shape {
                at: "verificationMaterial.tlogEntries[].inclusionProof.checkpoint",
                expected: "an object (from version 0.2 on)",
            });
        }
    }
    Ok(())
}

/// A repeated token would be counted twice.
fn timestamps(material: &Node) -> Result<Vec<Vec<u8>>, BundleError> {
    const AT: &str = "verificationMaterial.timestampVerificationData.rfc3161Timestamps";
    let Some(data) = present(material, "timestampVerificationData") else {
        return Ok(Vec::new());
    };
    let tokens = list(data, "rfc3161Timestamps", AT)?;
    if tokens.len() > limits::TIMESTAMPS {
        return Err(BundleError::Timestamps {
            found: tokens.len(),
        });
    }
    let tokens: Vec<Vec<u8>> = tokens
        .iter()
        .map(|token| bytes_of(token.member("signedTimestamp"), AT))
        .collect::<Result<_, _>>()?;
    let mut sorted: Vec<&Vec<u8>> = tokens.iter().collect();
    sorted.sort_unstable();
    if sorted
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a == b))
    {
        return Err(BundleError::Shape {
            at: AT,
            expected: "no token twice",
        });
    }
    Ok(tokens)
}

/// A member that is there; `null` is absent, as JSON of protocol buffers has it.
fn present<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    node.member(key).filter(|value| !value.is_null())
}

fn text<'a>(node: Option<&'a Node>, at: &'static str) -> Result<&'a str, BundleError> {
    node.and_then(Node::as_str).ok_or(BundleError::Shape {
        at,
        expected: "a string",
    })
}

fn list<'a>(node: &'a Node, key: &str, at: &'static str) -> Result<&'a [Node], BundleError> {
    match present(node, key) {
        None => Ok(&[]),
        Some(value) => value.as_array().ok_or(BundleError::Shape {
            at,
            expected: "an array",
        }),
    }
}

fn bytes_of(node: Option<&Node>, at: &'static str) -> Result<Vec<u8>, BundleError> {
    base64::decode(text(node, at)?).ok_or(BundleError::Shape {
        at,
        expected: "standard base64 with padding",
    })
}
