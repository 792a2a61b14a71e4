//! What keeps a judgement from being made, beside what [`crate::oci`] and
//! [`crate::error::HostError`] say.

use alloc::string::String;

codes! {
    /// Why an image is not allowed.
    pub enum VerifyError {
        NotFound { image: String } => "image.not-found",
            "the registry knows no image {image}: check the name and the tag";
        GatewayRefused { message: String } => "gateway.refused", "{message}";
        RegistryRefused { status: u16, message: String } => "registry.refused",
            "the registry answered with {status}: {message}";
        NoSignature { detail: String } => "signature.missing",
            "A signature was required, but no signature exists{detail}: sign the image (for \
             instance: cosign sign --key cosign.key <image>@<digest>)";
        NoAttestation { predicate_type: String, others: usize } => "attestation.missing",
            "an attestation of type {predicate_type} was required, and none exists ({others} other \
             documents are attached): attest the image (for instance: cosign attest --type \
             {predicate_type} --predicate FILE <image>@<digest>)";
        Conditions { failed: String } => "attestation.condition",
            "the attestation is good, and does not say what the policy demands: {failed}";
        TooOld { age: i64, limit: u64 } => "attestation.too-old",
            "the attestation is {age} seconds old, by its signer's certificate, and the policy \
             takes none older than {limit}: attest the image again";
        NoAge => "attestation.no-time",
            "the policy demands a maximum age, and it is not known when this attestation was signed \
             at the latest: only a signer's certificate tells it";
        RootMissing => "root.unusable",
            "the trusted root that this requirement names was not loaded";
        Identity { signer: &'static str, signed: String, wanted: String, perhaps: &'static str } => "identity.not-accepted", "signed by a trusted {signer}, as {signed:?}; your rule wants {wanted}: {perhaps}. Signature for identity {signed:?} is not accepted: have the image signed under its own name";
        OtherName { signer: &'static str, signed: String, asked: String } => "identity.other-name",
            "signed by your {signer}, as another image: the signature names {signed:?}, and {asked} \
             was asked for: possibly a signature copied from there; have the image signed under its \
             own name";
        Annotation { name: String, value: String, found: String } => "annotation.missing",
            "expected the signed annotation {name:?} to be {value:?}, found {found}: sign the image \
             with it (for instance: cosign sign -a NAME=VALUE …), or do not ask for it";
        AnnotationsOfBundle => "annotation.unsupported",
            "annotations were asked for, and this is a bundle, whose annotations this version does \
             not compare: sign the image in cosign's older form (cosign sign \
             --new-bundle-format=false -a NAME=VALUE …)";
        SignedDigest { signed: String, digest: String } => "digest.not-signed",
            "Signature for digest {signed} does not match: this image has {digest}";
        SignedText { signed: String, digest: String } => "digest.not-signed",
            "invalid docker-manifest-digest value {signed:?}: expected the digest of this image, \
             {digest}";
        Subject { digest: String } => "digest.not-signed",
            "the signed statement is about other images, not about {digest}";
        SeveralReasons { reasons: String } => "signature.none-accepted",
            "None of the signatures were accepted, reasons: {reasons}";
        Rejected { image: String } => "policy.reject",
            "Running image {image} is rejected by policy.";
        PinnedOther { name: String, pinned: String, found: String } => "pinned.other-digest",
            "the policy pins {name} to {pinned}, and the registry has {found} under this tag: pull \
             the pinned digest, or change the pin if the new image is meant";
        PinnedTag { name: String, found: String } => "pinned.unlisted-tag",
            "the policy pins tags, and {name} is not among them (it is {found}): add a pin for it, \
             or \"others\": \"allow\" if tags without one may pass";
        PinnedDigest { repository: String, found: String } => "pinned.unlisted-digest",
            "the policy pins digests of {repository}, and {found} is not among them: add a pin for \
             it; an image of a pinned index is pulled by the index";
        NotImplemented { what: String } => "requirement.not-implemented",
            "the policy demands {what}, which this version does not decide yet: it denies what \
             selects it";
        KeyMissing { path: String } => "key.missing",
            "the policy names the key file {path:?}, which was not given";
        EvidenceLimit { what: &'static str, limit: usize } => "limit.evidence",
            "more than {limit} {what} are attached to this image: it is unknown whether \
             one of them is a good signature";
        SignatureManifest { found: String } => "signature.manifest",
            "unexpected MIME type of the signature manifest: expected \
             application/vnd.oci.image.manifest.v1+json, found {found}";
        Instances { found: usize } => "limit.instances",
            "the index lists {found} images, more than the 64 that are judged one by one: sign the \
             index, or ask for one of them with the option \"platform\"";
        InstanceDenied { denied: usize, of: usize, images: String, first: String } => "instance.denied", "{denied} of the {of} images in this index are not allowed, and each is judged for itself here: {images}; the first: {first} Sign each of them (cosign sign -r), or have the policy say \"sealgate\": {{\"version\": 1, \"coverage\": \"index\"}} if the index is what you sign";
        InstanceMissing { digest: String } => "instance.missing",
            "the index lists {digest}, which the registry does not have";
        NoPlatform { platform: String } => "index.platform",
            "the index lists no image for {platform}";
        NestedIndex { digest: String } => "index.nested",
            "the index lists another index ({digest}), which is not judged: ask for it by its own \
             digest";
        TagAndDigest => "reference.tag-and-digest",
            "Docker references with both a tag and digest are currently not supported: leave one of \
             them out";
        RuleMissing => "rule.missing",
            "expected a key or a policy to judge by, found neither: give one of them";
    }
}
