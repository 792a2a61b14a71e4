//! Tags under which things that are attached to an image are found, where a registry has no
//! referrers API (cosign, `pkg/oci/remote`; OCI distribution specification, "Referrers Tag
//! Schema").
//!
//! A tag is a place to look, never evidence.

use crate::digest::Digest;
use alloc::format;
use alloc::string::String;

/// `sha256-<hex>.sig`: Cosign signatures.
pub fn signature_tag(digest: &Digest) -> String {
    cosign(digest, "sig")
}

/// `sha256-<hex>.att`: Cosign attestations.
pub fn attestation_tag(digest: &Digest) -> String {
    cosign(digest, "att")
}

/// `sha256-<hex>.sbom`: Cosign SBOM attachments.
pub fn sbom_tag(digest: &Digest) -> String {
    cosign(digest, "sbom")
}

/// `sha256-<hex>`: the index of referrers. The specification cuts the hash at 64 characters.
pub fn referrers_tag(digest: &Digest) -> String {
    format!("{}-{:.64}", digest.algorithm().name(), digest.hex())
}

/// Cosign cuts nothing: with sha512 this is longer than a tag may be, and no registry has it.
fn cosign(digest: &Digest, suffix: &str) -> String {
    format!("{}-{}.{suffix}", digest.algorithm().name(), digest.hex())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Algorithm;

    #[test]
    fn tags() {
        let digest = Digest::of(b"");
        let hex = digest.hex();
        assert_eq!(signature_tag(&digest), format!("sha256-{hex}.sig"));
        assert_eq!(attestation_tag(&digest), format!("sha256-{hex}.att"));
        assert_eq!(sbom_tag(&digest), format!("sha256-{hex}.sbom"));
        assert_eq!(referrers_tag(&digest), format!("sha256-{hex}"));
        assert_eq!(
            referrers_tag(&Digest::with(Algorithm::Sha512, b"")).len(),
            "sha512-".len() + 64
        );
    }
}
