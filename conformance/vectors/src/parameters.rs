//! What each kind of case may ask for. A parameter that is not listed could change the verdict, so a
//! case that has one is not run: it is `unsupported`, never a pass.

use crate::case::Case;
use crate::topics::cosign_image;

/// Who has to have signed a bundle, by name or by expression.
const SIGNER: [&str; 4] = ["identity", "identity_regex", "issuer", "issuer_regex"];

/// The parameter `signer` itself: a fingerprint.
const FINGERPRINT: &str = "a fingerprint";

/// `cosign-legacy` by certificates, which is another question than by keys.
const KEYLESS: &str = "cosign-legacy by certificates";

/// Kinds, their topic, and the parameters that their module reads or may leave aside: results that
/// the vectors note down, and hints that are never evidence. [`SIGNER`] is written `signer`.
const KNOWN: &[(&str, &[&str], &[&str])] = &[
    (
        "attestations",
        &["bundle-attestation"],
        &[
            "signer",
            "digest",
            "predicate_type",
            "source_repository_uri",
            "source_repository_owner_uri",
            "github_workflow_repository",
            "artifact_sha256",
            "artifact_sha512",
            "line",
            "pointer",
            "tlog",
            "key_id",
        ],
    ),
    (
        "attestations",
        &["cosign-att"],
        &[
            "signer",
            "digest",
            "predicate_type",
            "github_workflow_repository",
            "layer",
            "tlog",
        ],
    ),
    (
        "attestations",
        &["dsse"],
        &[
            "pointer",
            "hash",
            "sig_encoding",
            "base64",
            "threshold",
            "scheme",
        ],
    ),
    (
        "attestations",
        &["statement-predicate"],
        &["predicate_type"],
    ),
    ("attestations", &["predicate-alias"], &["type", "uri"]),
    (
        "bundles",
        &[""],
        &[
            "signer",
            "digest",
            "artifact_sha256",
            "artifact_digest_from_file",
            "skip_identity",
            "skip_artifact",
            "tlog",
            "tlog_threshold",
            "observer_timestamp_threshold",
            "integrated_timestamp_threshold",
            "signed_timestamp_threshold",
            "time_threshold",
            "sct_threshold",
            "max_timestamps",
            "key_valid_from",
            "key_valid_until",
        ],
    ),
    ("bundles", &["rfc3161"], &[]),
    (
        "cosign-image",
        &["containers-sigstore", "containers-sigstore-image"],
        &["docker_reference", "signedIdentity", "fulcio", "pki"],
    ),
    (
        "cosign-image",
        &["cosign-legacy"],
        &[
            "digest",
            "tlog",
            "hash",
            "threshold",
            "required",
            "annotations",
            "layer",
        ],
    ),
    (
        "cosign-image",
        &[KEYLESS],
        &[
            "signer",
            "digest",
            "tlog",
            "layer",
            "annotations",
            "payload_sha256",
            "envelope_sha256",
        ],
    ),
    (
        "cosign-image",
        &["rekor-set", "rekor-set-only"],
        &["integrated_time"],
    ),
    ("cosign-image", &["cosign-blob-bundle"], &["log_index"]),
    (
        "cosign-image",
        &["fulcio-cert"],
        &["time", "issuer", "email"],
    ),
    (
        "cosign-image",
        &["cert-identity"],
        &[
            "subject",
            "subject_regex",
            "issuer",
            "issuer_regex",
            "extensions",
        ],
    ),
    (
        "crypto",
        &["wycheproof-file"],
        &[
            "algorithm",
            "schema",
            "tests",
            "valid",
            "invalid",
            "acceptable",
        ],
    ),
    ("crypto", &["signature"], &["algorithm"]),
    (
        "manifests",
        &["manifest-type", "manifest-parse"],
        &["media_type"],
    ),
    (
        "manifests",
        &["manifest-digest", "dir-image", "digest-parse"],
        &["digest"],
    ),
    (
        "manifests",
        &["platform-select"],
        &["os", "architecture", "variant", "digest", "prefer_gzip"],
    ),
    (
        "manifests",
        &["layout-lookup"],
        &["ref", "media_type", "digest", "position"],
    ),
    ("manifests", &["oci-layout"], &[]),
    (
        "manifests",
        &["referrers"],
        &[
            "subject",
            "referrers",
            "fallback_tag",
            "fallback_index",
            "listed",
        ],
    ),
    (
        "manifests",
        &["reference-parse"],
        &["input", "repository", "domain", "tag", "digest"],
    ),
    (
        "manifests",
        &["reference-normalize"],
        &["input", "full", "familiar", "domain", "path"],
    ),
    (
        "manifests",
        &["tag-scheme"],
        &["repository", "digest", "what", "tag"],
    ),
    (
        "policy",
        &[
            "policy-parse",
            "requirements-parse",
            "fulcio-parse",
            "pki-parse",
            "identity-parse",
        ],
        &[],
    ),
    ("policy", &["requirement-parse"], &["default_identity"]),
    (
        "policy",
        &["identity-match"],
        &["identity", "image_reference", "signed_reference"],
    ),
    ("policy", &["remap-prefix"], &["reference", "prefix"]),
    (
        "policy",
        &["remap"],
        &["prefix", "signedPrefix", "reference", "result"],
    ),
    (
        "policy",
        &["scope-lookup"],
        &[
            "transport",
            "reference",
            "matched_transport",
            "matched_scope",
        ],
    ),
    (
        "policy",
        &["policy-namespaces"],
        &["reference", "identity", "namespaces"],
    ),
    (
        "simple-signing",
        &["openpgp-verify", "openpgp-detached"],
        &[
            FINGERPRINT,
            "signing_subkey",
            "content",
            "primary",
            "revoked_subkey",
            "detached",
            "time",
        ],
    ),
    ("simple-signing", &["keyring"], &["fingerprints"]),
    (
        "simple-signing",
        &["signedBy-image"],
        &["docker_reference", "signedIdentity", "keyType", "time"],
    ),
    (
        "simple-signing",
        &["manifest-signature"],
        &["expected_reference", "accepted_fingerprints", "time"],
    ),
    (
        "policy",
        &["policy-eval"],
        &[
            "transport",
            "reference",
            "accepted_author_signatures",
            "time",
        ],
    ),
    ("simple-signing", &["payload-parse"], &["type"]),
    (
        "simple-signing",
        &["release-signature"],
        &["digest", "time", FINGERPRINT, "docker_reference"],
    ),
];

/// Whether the case asks only for what its kind is known to ask for.
pub fn all_known(case: &Case) -> bool {
    let kind = if cosign_image::is_keyless(case) {
        KEYLESS
    } else {
        &case.kind
    };
    let of_kind = KNOWN
        .iter()
        .find(|(topic, kinds, _)| case.topic == *topic && kinds.contains(&kind));
    of_kind.is_some_and(|(.., known)| {
        case.param_names().all(|name| {
            known.iter().any(|known| match *known {
                "signer" => SIGNER.contains(&name),
                FINGERPRINT => name == "signer",
                known => known == name,
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(topic: &str, kind: &str, params: &str) -> bool {
        let mut case = Case::for_tests(&format!(
            r#"{{"id": "t/x", "kind": "{kind}", "inputs": {{}}, "params": {params}, "expect": "ok"}}"#
        ));
        case.topic = topic.into();
        all_known(&case)
    }

    #[test]
    fn only_what_is_listed() {
        assert!(known("bundles", "", "{}"));
        assert!(known(
            "bundles",
            "",
            r#"{"identity_regex": "a", "tlog": true}"#
        ));
        assert!(!known(
            "bundles",
            "",
            r#"{"identity": "a", "required": ["b"]}"#
        ));
        assert!(!known("bundles", "", r#"{"signer": "a"}"#));
        assert!(!known("bundles", "rfc3161", r#"{"identity": "a"}"#));
        assert!(known(
            "cosign-image",
            "cosign-legacy",
            r#"{"annotations": {}, "required": []}"#
        ));
        assert!(!known(
            "cosign-image",
            "containers-sigstore",
            r#"{"annotations": {}}"#
        ));
        assert!(!known("cosign-image", "of-tomorrow", "{}"));
        assert!(!known("of-tomorrow", "", "{}"));
    }

    /// One kind is in one row, so that no list is shadowed by another.
    #[test]
    fn every_kind_once() {
        let mut kinds: Vec<_> = KNOWN
            .iter()
            .flat_map(|(topic, kinds, _)| kinds.iter().map(move |kind| (topic, kind)))
            .collect();
        let count = kinds.len();
        kinds.sort();
        kinds.dedup();
        assert_eq!(kinds.len(), count);
    }
}
