//! Why bytes are no manifest, index or layout.

use crate::digest::DigestError;
use crate::encoding::json::JsonError;
use alloc::string::String;

codes! {
    /// These bytes are no manifest, index or layout that may be used.
    pub enum OciError {
        TooLong { found: usize } => "limit.manifest",
            "expected a manifest or index of at most 4 MiB, found {found} bytes: whatever this is, \
             it is not run";
        Descriptors { found: usize } => "limit.descriptors",
            "expected at most 4096 descriptors in one manifest or index, found {found}";
        Blobs { limit: usize } => "limit.layout",
            "expected a layout of at most {limit} blobs: split it, or name one image of it";
        Json { error: JsonError } => "oci.json", "this is no manifest: {error}";
        UnknownDocument { found: String } => "oci.unknown-document",
            "expected an OCI or Docker manifest or index, found {found}";
        Schema1 => "oci.schema1",
            "this is a Docker schema 1 manifest, which no signature format covers safely: push the \
             image again with a current client";
        Ambiguous { kind: &'static str, member: &'static str } => "oci.ambiguous",
            "{kind} must not have the member {member:?}, which belongs to another kind of document: \
             clients would read it in two ways (CVE-2021-41190); build the image again";
        Spelling { found: String, member: &'static str } => "oci.member-spelling",
            "expected the member {member:?}, found {found:?}: some clients read both as one; write \
             it exactly";
        MediaTypeMismatch { document: String, header: String } => "oci.media-type-mismatch",
            "the document says that it is {document}, its Content-Type or descriptor says {header}: \
             the registry or the index is wrong (CVE-2021-41190)";
        Member { member: &'static str, expected: &'static str, found: &'static str } => "oci.member",
            "expected {expected} as {member:?}, found {found}";
        Digest { member: &'static str, error: DigestError } => "oci.digest", "{member}: {error}";
        Size { found: String } => "oci.size",
            "expected a size in bytes from 0 to 9223372036854775807, found {found}";
        Platform { found: String } => "oci.platform",
            "expected a platform such as linux/amd64 or linux/arm64/v8, found {found:?}";
        Schema1Signatures { reason: &'static str } => "oci.schema1-signatures",
            "the signatures of this Docker schema 1 manifest cannot be taken off to compute its \
             digest: {reason}";
        Schema1Layers { layers: usize, history: usize } => "oci.schema1-layers",
            "expected as many history entries as layers in a Docker schema 1 manifest, found \
             {history} and {layers}";
        LayoutVersion { found: String } => "oci.layout-version",
            "expected an OCI layout of version 1.x, found {found}";
        LayoutName { name: String } => "oci.layout-name",
            "no image of this layout is named {name:?}: see the org.opencontainers.image.ref.name \
             annotations of its index.json";
        LayoutChoice { found: usize } => "oci.layout-choice",
            "expected a layout with exactly one image, found {found}: name one";
        LayoutMediaType { name: String, found: String } => "oci.layout-media-type",
            "{name:?} is no image or index in this layout, but {found}";
        BlobSize { digest: String, expected: u64, found: usize } => "oci.blob-size",
            "expected {expected} bytes of {digest}, found {found}: its descriptor is wrong";
        BlobDigest { error: DigestError } => "oci.blob-digest", "{error}";
    }
}

impl From<JsonError> for OciError {
    fn from(error: JsonError) -> Self {
        Self::Json { error }
    }
}
