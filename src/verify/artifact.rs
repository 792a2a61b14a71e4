//! Recognising evidence by its bytes (docs/security.md; docs/gateway.md "Serving"). A document that
//! a gateway sends as evidence has exactly the members of its format, at every level that the
//! format defines: whatever else stood in it could be read as a manifest, an index or an image's
//! config by somebody who asks for the same digest.
//!
//! In scope: the forms. Out of scope: whether a signature holds. All input is untrusted.

use super::form::Form;
use crate::cosign::{ATTESTATION, SIMPLE_SIGNING};
use crate::digest::Digest;
use crate::encoding::base64;
use crate::encoding::json::{self, Dialect, Node};
use crate::limits;
use crate::oci::{Descriptor, Document, Index, Manifest, folded, media_type};
use crate::sigstore::bundle::{Bundle, is_bundle_type};
use crate::simple_signing::{Payload, PayloadKind};
use alloc::string::{String, ToString};

/// What BuildKit attaches to an index: in-toto statements that nobody signed.
pub(super) const STATEMENT: &str = "application/vnd.in-toto+json";
/// The config of an artifact that has none (OCI image specification, manifest.md, "Guidance for an
/// Empty Descriptor").
const EMPTY: &[u8] = b"{}";

/// `optional` is the signer's, and names free.
const PAYLOAD: Form = Form::Members(&[
    (
        "critical",
        Form::Members(&[
            ("type", Form::Text),
            (
                "image",
                Form::Members(&[("docker-manifest-digest", Form::Text)]),
            ),
            (
                "identity",
                Form::Members(&[("docker-reference", Form::Text)]),
            ),
        ]),
    ),
    ("optional", Form::Free),
]);

/// secure-systems-lab/dsse, `envelope.md`.
const ENVELOPE: Form = Form::Members(ENVELOPE_MEMBERS);
const ENVELOPE_MEMBERS: &[(&str, Form)] = &[
    ("payload", Form::Base64),
    ("payloadType", Form::Text),
    (
        "signatures",
        Form::List(&Form::Members(&[
            ("sig", Form::Base64),
            ("keyid", Form::Text),
        ])),
    ),
];

const CERTIFICATE: Form = Form::Members(&[("rawBytes", Form::Base64)]);

/// sigstore/protobuf-specs, `sigstore_rekor.proto`, `TransparencyLogEntry`.
const LOG_ENTRY: Form = Form::Members(&[
    ("logIndex", Form::Integer),
    ("logId", Form::Members(&[("keyId", Form::Base64)])),
    (
        "kindVersion",
        Form::Members(&[("kind", Form::Text), ("version", Form::Text)]),
    ),
    ("integratedTime", Form::Integer),
    (
        "inclusionPromise",
        Form::Members(&[("signedEntryTimestamp", Form::Base64)]),
    ),
    (
        "inclusionProof",
        Form::Members(&[
            ("logIndex", Form::Integer),
            ("rootHash", Form::Base64),
            ("treeSize", Form::Integer),
            ("hashes", Form::List(&Form::Base64)),
            ("checkpoint", Form::Members(&[("envelope", Form::Text)])),
        ]),
    ),
    ("canonicalizedBody", Form::Base64),
]);

/// sigstore/protobuf-specs, `sigstore_bundle.proto`.
const BUNDLE: Form = Form::Members(&[
    ("mediaType", Form::Text),
    (
        "verificationMaterial",
        Form::Members(&[
            ("certificate", CERTIFICATE),
            (
                "x509CertificateChain",
                Form::Members(&[("certificates", Form::List(&CERTIFICATE))]),
            ),
            ("publicKey", Form::Members(&[("hint", Form::Text)])),
            ("tlogEntries", Form::List(&LOG_ENTRY)),
            (
                "timestampVerificationData",
                Form::Members(&[(
                    "rfc3161Timestamps",
                    Form::List(&Form::Members(&[("signedTimestamp", Form::Base64)])),
                )]),
            ),
        ]),
    ),
    ("dsseEnvelope", ENVELOPE),
    (
        "messageSignature",
        Form::Members(&[
            (
                "messageDigest",
                Form::Members(&[("algorithm", Form::Text), ("digest", Form::Base64)]),
            ),
            ("signature", Form::Base64),
        ]),
    ),
]);

/// in-toto/attestation, `spec/v1/statement.md`. The predicate is its type's.
const UNSIGNED_STATEMENT: Form = Form::Members(&[
    ("_type", Form::Text),
    ("subject", Form::List(&Form::Free)),
    ("predicateType", Form::Text),
    ("predicate", Form::Free),
]);

/// What cosign writes as the config of a signature: nothing that a program could be run by.
const CONFIG: Form = Form::Members(&[
    ("architecture", Form::Text),
    ("os", Form::Text),
    ("created", Form::Text),
    ("author", Form::Text),
    ("config", Form::Members(&[])),
    (
        "history",
        Form::List(&Form::Members(&[
            ("created", Form::Text),
            ("created_by", Form::Text),
            ("author", Form::Text),
            ("comment", Form::Text),
            ("empty_layer", Form::Free),
        ])),
    ),
    (
        "rootfs",
        Form::Members(&[
            ("type", Form::Text),
            ("diff_ids", Form::List(&Form::Digest)),
        ]),
    ),
]);

const DESCRIPTOR_MEMBERS: &[(&str, Form)] = &[
    ("mediaType", Form::Text),
    ("digest", Form::Digest),
    ("size", Form::Number),
    ("artifactType", Form::Text),
    ("annotations", Form::Texts),
];
const DESCRIPTOR: Form = Form::Members(DESCRIPTOR_MEMBERS);

/// A descriptor that may carry its content along, which is compared.
const EMBEDDING: Form = Form::Members(&[
    ("mediaType", Form::Text),
    ("digest", Form::Digest),
    ("size", Form::Number),
    ("artifactType", Form::Text),
    ("annotations", Form::Texts),
    ("data", Form::Base64),
]);

/// OCI image specification, manifest.md.
const MANIFEST: Form = Form::Members(&[
    ("schemaVersion", Form::Number),
    ("mediaType", Form::Text),
    ("artifactType", Form::Text),
    ("config", EMBEDDING),
    ("layers", Form::List(&EMBEDDING)),
    ("subject", DESCRIPTOR),
    ("annotations", Form::Texts),
]);

/// OCI image specification, image-index.md.
const LIST: Form = Form::Members(&[
    ("schemaVersion", Form::Number),
    ("mediaType", Form::Text),
    ("artifactType", Form::Text),
    ("manifests", Form::List(&DESCRIPTOR)),
    ("subject", DESCRIPTOR),
    ("annotations", Form::Texts),
]);

/// Whether this media type says that a layer is a signature or an attestation that we can parse.
pub fn is_evidence_type(media_type: &str) -> bool {
    media_type == SIMPLE_SIGNING
        || media_type == ATTESTATION
        || media_type == STATEMENT
        || is_bundle_type(media_type)
}

/// Whether an artifact of this type, as a list of referrers gives it, may be a signature or an
/// attestation; some registries list the type of the config, or none.
pub(super) fn may_be_signature(artifact_type: &str) -> bool {
    is_bundle_type(artifact_type)
        || artifact_type == ATTESTATION
        || artifact_type.starts_with("application/vnd.dev.cosign.")
        || matches!(
            artifact_type,
            "" | media_type::OCI_EMPTY | media_type::OCI_CONFIG
        )
}

/// Whether the bytes are what the type says, in exactly its form, and nothing that a client could
/// read as anything else.
pub fn is_evidence_document(media_type: &str, bytes: &[u8]) -> bool {
    if bytes.len() > limits::EVIDENCE || is_archive(bytes) {
        return false;
    }
    let Ok(root) = json::parse(bytes, Dialect::Strict) else {
        return false;
    };
    !reads_as_image(&root)
        && match media_type {
            SIMPLE_SIGNING => {
                PAYLOAD.fits(&root) && Payload::read(&root, PayloadKind::Cosign).is_ok()
            }
            ATTESTATION => ENVELOPE.fits(&root) && is_envelope(&root),
            STATEMENT => UNSIGNED_STATEMENT.fits(&root) && is_statement(&root),
            other => is_bundle_type(other) && BUNDLE.fits(&root) && Bundle::read(&root).is_ok(),
        }
}

/// A second look at what goes out as a blob of evidence, which knows nothing of the forms above: no
/// member at the top, in any spelling that Go reads, by which clients know a manifest, an index or
/// an image's config.
fn reads_as_image(root: &Node) -> bool {
    const READ: [&str; 10] = [
        "schemaVersion",
        "manifests",
        "layers",
        "config",
        "fsLayers",
        "rootfs",
        "history",
        "architecture",
        "os",
        "blobs",
    ];
    let Some(members) = root.as_object() else {
        return true;
    };
    members
        .iter()
        .any(|member| READ.iter().any(|name| folded(&member.key).eq(folded(name))))
}

/// Whether a config means nothing: `{}`, or the config of an image without a program whose layers
/// are exactly these.
pub fn is_empty_config(bytes: &[u8], manifest: &Manifest) -> bool {
    if bytes == EMPTY {
        return true;
    }
    if bytes.len() > limits::CONFIG {
        return false;
    }
    let Ok(root) = json::parse(bytes, Dialect::Strict) else {
        return false;
    };
    if root.as_object().is_none() || !CONFIG.fits(&root) {
        return false;
    }
    let unknown = |name: &str| root.member(name).and_then(Node::as_str) == Some("unknown");
    let unsigned = manifest
        .layers
        .iter()
        .any(|layer| layer.media_type == STATEMENT);
    let listed = root
        .member("rootfs")
        .and_then(|rootfs| rootfs.member("diff_ids"))
        .and_then(Node::as_array)
        .unwrap_or_default();
    let layers = manifest
        .layers
        .iter()
        .map(|layer| Some(layer.digest.to_string()));
    listed
        .iter()
        .map(|id| id.as_str().map(String::from))
        .eq(layers)
        && (!unsigned || unknown("architecture") && unknown("os"))
}

/// Whether a manifest has the form of evidence: every layer says that it is some, and nothing
/// stands beside what the format defines. What its blobs hold is looked at by
/// [`is_evidence_document`] and [`is_empty_config`].
pub fn is_evidence_manifest(bytes: &[u8], manifest: &Manifest) -> bool {
    let kinds = &manifest.layers;
    let unsigned = kinds
        .iter()
        .filter(|layer| layer.media_type == STATEMENT)
        .count();
    let may_be = manifest.media_type == media_type::OCI_MANIFEST
        && !kinds.is_empty()
        && kinds.len() <= limits::EVIDENCE_EXAMINED
        && kinds.iter().all(|layer| is_evidence_type(&layer.media_type))
        // What nobody signed stands by itself.
        && (unsigned == 0 || unsigned == kinds.len());
    // An image ends here, and is not read again.
    may_be
        && json::parse(bytes, Dialect::Strict)
            .is_ok_and(|root| MANIFEST.fits(&root) && embeds_what_it_names(&root))
}

/// Content that a manifest carries along is what its digest says.
fn embeds_what_it_names(root: &Node) -> bool {
    let layers = root
        .member("layers")
        .and_then(Node::as_array)
        .unwrap_or_default();
    root.member("config").into_iter().chain(layers).all(|node| {
        let Some(data) = node.member("data").and_then(Node::as_str) else {
            return true;
        };
        let digest = node
            .member("digest")
            .and_then(Node::as_str)
            .and_then(|text| Digest::parse(text).ok());
        base64::decode(data)
            .zip(digest)
            .is_some_and(|(bytes, digest)| digest.check(&bytes).is_ok())
    })
}

/// Whether a list has the form of a list of evidence. What it lists is for the caller to look at.
pub fn is_evidence_list(bytes: &[u8], index: &Index) -> bool {
    let is_evidence = |kind: &str| {
        is_evidence_type(kind)
            || matches!(kind, media_type::OCI_EMPTY | media_type::OCI_CONFIG)
            || kind.starts_with("application/vnd.dev.cosign.")
    };
    let may_be = index.media_type == media_type::OCI_INDEX
        && !index.manifests.is_empty()
        && index.manifests.len() <= limits::EVIDENCE_EXAMINED
        && index
            .manifests
            .iter()
            .all(|entry| entry.artifact_type.as_deref().is_none_or(is_evidence));
    may_be && json::parse(bytes, Dialect::Strict).is_ok_and(|root| LIST.fits(&root))
}

/// Whether an entry of an index is what BuildKit attaches to images, as the index describes it:
/// `unknown/unknown`, and nothing else said of its platform (docs/trust.md section 8). Its manifest
/// and config are looked at by [`is_unsigned_attestation`].
pub fn says_attestation(entry: &Descriptor) -> bool {
    entry.platform.as_ref().is_some_and(|platform| {
        platform.os == "unknown"
            && platform.architecture == "unknown"
            && platform.variant.is_none()
            && platform.os_version.is_none()
            && platform.os_features.is_empty()
    })
}

/// Whether this is a manifest of unsigned attestations that nobody can run: every layer a statement
/// by its type, and a config that means nothing.
pub fn is_unsigned_attestation(bytes: &[u8], config: &[u8]) -> bool {
    let Ok(Document::Manifest(manifest)) = Document::parse(bytes, Some(media_type::OCI_MANIFEST))
    else {
        return false;
    };
    is_evidence_manifest(bytes, &manifest)
        && manifest
            .layers
            .iter()
            .all(|layer| layer.media_type == STATEMENT)
        && is_empty_config(config, &manifest)
}

/// Whether a reader of tar (POSIX.1-2017, pax, "ustar Interchange Format") would take it: the first
/// block carries its own sum. All the rest of a header can be written in characters that JSON
/// allows. Or whether it begins as something compressed.
fn is_archive(bytes: &[u8]) -> bool {
    const MAGIC: [&[u8]; 5] = [
        b"\x1f\x8b",
        b"BZh",
        b"\xfd7zXZ\0",
        b"\x28\xb5\x2f\xfd",
        b"PK",
    ];
    if MAGIC.iter().any(|magic| bytes.starts_with(magic)) {
        return true;
    }
    let Some((header, field)) = bytes
        .get(..512)
        .and_then(|header| Some((header, header.get(SUM)?)))
    else {
        return false;
    };
    let digits = field
        .iter()
        .skip_while(|byte| matches!(byte, b' ' | 0))
        .map_while(|byte| char::from(*byte).to_digit(8));
    let said = digits.fold(0_i64, |sum, digit| {
        sum.saturating_mul(8).saturating_add(i64::from(digit))
    });
    let blank = |at: usize, byte: u8| if SUM.contains(&at) { b' ' } else { byte };
    let sum = |value: fn(u8) -> i64| {
        header
            .iter()
            .enumerate()
            .map(|(at, byte)| value(blank(at, *byte)))
            .sum::<i64>()
    };
    // Old writers summed signed bytes, and readers allow for it.
    said == sum(i64::from) || said == sum(|byte| i64::from(byte.cast_signed()))
}

/// Where a header of tar has its sum; counted as spaces in it.
const SUM: core::ops::Range<usize> = 148..156;

/// A DSSE envelope: payload, its type, and signatures, all in base64.
fn is_envelope(root: &Node) -> bool {
    let text = |node: &Node, name: &str| node.member(name).and_then(Node::as_str).is_some();
    let signatures = root
        .member("signatures")
        .and_then(Node::as_array)
        .unwrap_or_default();
    text(root, "payload")
        && text(root, "payloadType")
        && !signatures.is_empty()
        && signatures.iter().all(|signature| text(signature, "sig"))
}

/// All four members of a statement.
fn is_statement(root: &Node) -> bool {
    let text = |name: &str| root.member(name).and_then(Node::as_str).is_some();
    text("_type")
        && text("predicateType")
        && root.member("subject").and_then(Node::as_array).is_some()
        && root.member("predicate").is_some()
}
