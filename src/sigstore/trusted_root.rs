//! `trusted_root.json` (sigstore/protobuf-specs, `sigstore_trustroot.proto`): which authorities and
//! logs count, and when.
//!
//! It is itself verified once, when it is loaded: the signatures inside each authority's chain.
//! Windows are kept, and judged at each proof's own time; what the root lists counts even where its
//! window has ended (docs/trust.md section 4).

use crate::crypto::{Hash, KeyKind, Provider, PublicKey, Scheme};
use crate::encoding::base64;
use crate::encoding::json::{self, Dialect, JsonError, Node};
use crate::error::{Failure, HostError};
use crate::limits;
use crate::time::UnixTime;
use crate::timestamp::TimestampAuthority;
use crate::tlog::rekor::LogKey;
use crate::x509::{Anchor, Certificate, Window};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A log and when its key counts.
#[derive(Debug, Clone)]
pub struct Log {
    /// The log.
    pub key: LogKey,
    /// When.
    pub valid: Window,
}

/// Everything that is trusted, and when.
#[derive(Debug, Clone, Default)]
pub struct TrustedRoot {
    transparency_logs: Vec<Log>,
    certificate_logs: Vec<Log>,
    authorities: Vec<Anchor>,
    timestamp_authorities: Vec<TimestampAuthority>,
}

codes! {
    /// These bytes are no trusted root.
    pub enum TrustedRootError {
        TooLarge => "trusted-root.too-large", "expected a trusted root of at most 1 MiB";
        Json { error: JsonError } => "trusted-root.json",
            "the trusted root is no JSON that can be read: {error}";
        MediaType { found: String } => "trusted-root.media-type",
            "expected application/vnd.dev.sigstore.trustedroot+json, version 0.1 or 0.2, found \
             {found:?}";
        Shape { at: String, expected: &'static str } => "trusted-root.shape",
            "the trusted root: expected {expected} at {at}";
        Entry { at: String, reason: String } => "trusted-root.entry",
            "the trusted root: {at} cannot be used: {reason}";
        TooMany { at: &'static str } => "trusted-root.too-many",
            "the trusted root: more than 64 entries at {at}";
    }
}

/// Entries of one list.
const LISTED: usize = 64;

impl TrustedRoot {
    /// Reads and verifies a trusted root, in pure Rust.
    ///
    /// # Errors
    /// [`TrustedRootError`], or what is wrong with an authority.
    #[cfg(feature = "arithmetic")]
    pub fn load(bytes: &[u8]) -> Result<Result<Self, Failure>, HostError> {
        crate::crypto::at_once(Self::load_by(bytes, &crate::crypto::RustCrypto))?
    }

    /// Reads and verifies a trusted root.
    ///
    /// # Errors
    /// [`HostError`] when the provider gave no answer. Inside, [`TrustedRootError`], or what is
    /// wrong with an authority.
    pub async fn load_by<P: Provider>(
        bytes: &[u8],
        provider: &P,
    ) -> Result<Result<Self, Failure>, HostError> {
        let (mut root, chains) = match Self::read(bytes) {
            Ok(read) => read,
            Err(error) => return Ok(Err(error.into())),
        };
        for (is_timestamp, certificates, valid) in chains {
            let anchor = match Anchor::verify(&certificates, valid) {
                Ok(pending) => pending.settle(provider).await?,
                Err(refused) => Err(refused),
            };
            match anchor {
                Ok(anchor) if is_timestamp => root.timestamp_authorities.push(TimestampAuthority {
                    chain: anchor.claim().clone(),
                }),
                Ok(anchor) => root.authorities.push(anchor.claim().clone()),
                Err(refused) => return Ok(Err(refused.failure)),
            }
        }
        Ok(Ok(root))
    }

    fn read(bytes: &[u8]) -> Result<(Self, Vec<Chain>), TrustedRootError> {
        if bytes.len() > limits::KEY_FILE {
            return Err(TrustedRootError::TooLarge);
        }
        let root = json::parse(bytes, Dialect::Strict)
            .map_err(|error| TrustedRootError::Json { error })?;
        let media_type = root
            .member("mediaType")
            .and_then(Node::as_str)
            .unwrap_or_default();
        if !matches!(
            media_type,
            "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
                | "application/vnd.dev.sigstore.trustedroot.v0.2+json"
        ) {
            return Err(TrustedRootError::MediaType {
                found: media_type.chars().take(100).collect(),
            });
        }
        let mut chains = authorities(&root, "certificateAuthorities", false)?;
        chains.extend(authorities(&root, "timestampAuthorities", true)?);
        Ok((
            Self {
                transparency_logs: logs(&root, "tlogs")?,
                certificate_logs: logs(&root, "ctlogs")?,
                ..Self::default()
            },
            chains,
        ))
    }

    /// Transparency logs.
    pub fn transparency_logs(&self) -> &[Log] {
        &self.transparency_logs
    }

    /// Whether a log of version 1 is listed, whose signed entry timestamps say when.
    pub fn has_log_that_tells_time(&self) -> bool {
        self.transparency_logs
            .iter()
            .any(|log| log.key.signs_entry_timestamps())
    }

    /// Certificate transparency logs.
    pub fn certificate_logs(&self) -> &[Log] {
        &self.certificate_logs
    }

    /// Certificate authorities.
    pub fn authorities(&self) -> &[Anchor] {
        &self.authorities
    }

    /// Timestamp authorities.
    pub fn timestamp_authorities(&self) -> &[TimestampAuthority] {
        &self.timestamp_authorities
    }
}

/// Whether of a timestamp authority, its certificates, when.
type Chain = (bool, Vec<Certificate>, Window);

fn list<'a>(node: &'a Node, key: &'static str) -> Result<&'a [Node], TrustedRootError> {
    let items = match node.member(key).filter(|value| !value.is_null()) {
        None => &[],
        Some(value) => value.as_array().ok_or(TrustedRootError::Shape {
            at: key.into(),
            expected: "an array",
        })?,
    };
    if items.len() > LISTED {
        Err(TrustedRootError::TooMany { at: key })
    } else {
        Ok(items)
    }
}

fn logs(root: &Node, key: &'static str) -> Result<Vec<Log>, TrustedRootError> {
    list(root, key)?
        .iter()
        .enumerate()
        .map(|(number, node)| log(node, &format!("{key}[{number}]")))
        .collect()
}

fn log(node: &Node, at: &str) -> Result<Log, TrustedRootError> {
    let shape = |member: &str, expected| TrustedRootError::Shape {
        at: format!("{at}.{member}"),
        expected,
    };
    let public = node
        .member("publicKey")
        .ok_or_else(|| shape("publicKey", "an object"))?;
    let raw = bytes(public.member("rawBytes"), at, "publicKey.rawBytes")?;
    let details = public
        .member("keyDetails")
        .and_then(Node::as_str)
        .ok_or_else(|| shape("publicKey.keyDetails", "a string"))?;
    let unusable = |reason: String| TrustedRootError::Entry {
        at: at.into(),
        reason,
    };
    let key = if details.starts_with("PKCS1_") {
        PublicKey::from_pkcs1_der(&raw)
    } else {
        PublicKey::from_spki_der(&raw)
    };
    let key = key.map_err(|error| unusable(format!("{error}")))?;
    let scheme = scheme(details, key.kind()).ok_or_else(|| {
        unusable(format!(
            "the key is {}, and is said to be {details}",
            key.kind()
        ))
    })?;
    let id = bytes(
        node.member("logId").and_then(|id| id.member("keyId")),
        at,
        "logId.keyId",
    )?;
    let base = node
        .member("baseUrl")
        .and_then(Node::as_str)
        .unwrap_or_default();
    let origin = base
        .split_once("://")
        .map_or(base, |(_, rest)| rest)
        .trim_end_matches('/');
    Ok(Log {
        key: LogKey::new(&id, origin, &key, scheme),
        valid: window(public.member("validFor"), at)?,
    })
}

/// Exactly what the trusted root states (docs/trust.md section 4), and only what fits the key.
fn scheme(details: &str, key: KeyKind) -> Option<Scheme> {
    use crate::crypto::Curve;
    let scheme = match details {
        "PKIX_ECDSA_P256_SHA_256" => {
            (key == KeyKind::Ecdsa(Curve::P256)).then_some(Scheme::Ecdsa(Hash::Sha256))
        }
        "PKIX_ECDSA_P384_SHA_384" => {
            (key == KeyKind::Ecdsa(Curve::P384)).then_some(Scheme::Ecdsa(Hash::Sha384))
        }
        "PKIX_ECDSA_P521_SHA_512" => {
            (key == KeyKind::Ecdsa(Curve::P521)).then_some(Scheme::Ecdsa(Hash::Sha512))
        }
        "PKIX_ED25519" => (key == KeyKind::Ed25519).then_some(Scheme::Ed25519),
        _ => None,
    };
    let rsa = matches!(key, KeyKind::Rsa(_))
        && (details.starts_with("PKIX_RSA_PKCS1V15_")
            || details == "PKCS1_RSA_PKCS1V5"
            || details == "PKIX_RSA_PKCS1V5");
    scheme.or_else(|| rsa.then_some(Scheme::RsaPkcs1(Hash::Sha256)))
}

fn authorities(
    root: &Node,
    key: &'static str,
    is_timestamp: bool,
) -> Result<Vec<Chain>, TrustedRootError> {
    let one = |(number, node): (usize, &Node)| {
        let at = format!("{key}[{number}]");
        let chain = node
            .member("certChain")
            .and_then(|chain| chain.member("certificates"))
            .and_then(Node::as_array);
        let chain = chain.ok_or_else(|| TrustedRootError::Shape {
            at: format!("{at}.certChain.certificates"),
            expected: "an array",
        })?;
        let certificate = |node: &Node| {
            let der = bytes(
                node.member("rawBytes"),
                &at,
                "certChain.certificates[].rawBytes",
            )?;
            Certificate::parse(&der).map_err(|error| TrustedRootError::Entry {
                at: at.clone(),
                reason: format!("{error}"),
            })
        };
        Ok((
            is_timestamp,
            chain
                .iter()
                .take(limits::CHAIN + 1)
                .map(certificate)
                .collect::<Result<_, _>>()?,
            window(node.member("validFor"), &at)?,
        ))
    };
    list(root, key)?.iter().enumerate().map(one).collect()
}

/// An absent start is an error: nothing is trusted since ever.
fn window(node: Option<&Node>, at: &str) -> Result<Window, TrustedRootError> {
    let shape = |member: &str| TrustedRootError::Shape {
        at: format!("{at}.validFor.{member}"),
        expected: "a time such as 2026-11-22T00:00:00Z",
    };
    let read = |node: &Node, member| {
        node.as_str()
            .and_then(UnixTime::parse_fractional)
            .ok_or_else(|| shape(member))
    };
    let start = node
        .and_then(|node| node.member("start"))
        .ok_or_else(|| shape("start"))?;
    let end = node
        .and_then(|node| node.member("end"))
        .filter(|end| !end.is_null());
    Ok(Window {
        start: read(start, "start")?,
        end: end.map(|end| read(end, "end")).transpose()?,
    })
}

fn bytes(node: Option<&Node>, at: &str, member: &'static str) -> Result<Vec<u8>, TrustedRootError> {
    node.and_then(Node::as_str)
        .and_then(base64::decode)
        .ok_or_else(|| TrustedRootError::Shape {
            at: format!("{at}.{member}"),
            expected: "standard base64 with padding",
        })
}
