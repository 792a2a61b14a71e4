//! Why an image may not run, why evidence does not count, and why something is allowed.

use crate::crypto::KeyError;
use crate::time::UnixTime;
use alloc::string::String;

codes! {
    /// Why an image is not allowed.
    pub enum VerifyError {
        NotFound { image: String } => "image.not-found",
            "the registry knows no image {image}: check the name and the tag";
        GatewayRefused { message: String } => "gateway.refused" as Gateway, "{message}";
        RegistryRefused { status: u16, message: String } => "registry.refused",
            "the registry answered with {status}: {message}";
        NoSignature { detail: String } => "signature.missing" as NoEvidence,
            "A signature was required, but no signature exists{detail}: sign the image (for \
             instance: cosign sign --key cosign.key <image>@<digest>)";
        NoSimpleSignature => "signature.missing" as NoEvidence,
            "A signature was required, but no signature exists: sign the image (for instance: \
             skopeo copy --sign-by KEY), and name the lookaside that has its signatures in \
             registries.d";
        NoPublicKeys { detail: String } => "key.none",
            "No public keys imported{detail}: give OpenPGP public keys (gpg --export KEY)";
        KeyType { found: &'static str } => "requirement.not-implemented" as Policy,
            "Unimplemented \"keyType\" value {found:?}: only GPGKeys works, in containers/image too";
        SignatureList => "signature.list",
            "expected the registry's list of signatures (its extension /extensions/v2/) as JSON, \
             found something else: ask the registry's operator";
        Lookaside { limit: usize } => "limit.lookaside" as TooMuch,
            "server provided {limit} signatures, assuming that's unreasonable and a server error: \
             remove signatures that nobody needs from the lookaside";
        NoAttestation { predicate_type: String, others: usize } => "attestation.missing" as NoEvidence,
            "an attestation of type {predicate_type} was required, and none exists ({others} other \
             documents are attached): attest the image (for instance: cosign attest --type \
             {predicate_type} --predicate FILE <image>@<digest>)";
        Conditions { failed: String } => "attestation.condition" as Condition,
            "the attestation is good, and does not say what the policy demands: {failed}";
        TooOld { age: i64, limit: u64 } => "attestation.too-old" as Condition,
            "the attestation is {age} seconds old, by its signer's certificate, and the policy \
             takes none older than {limit}: attest the image again";
        NoAge => "attestation.no-time" as Condition,
            "the policy demands a maximum age, and nothing shows how old this attestation is, since a \
             key made it: attest the image with a certificate (keyless), or leave \"maxAge\" out";
        RootMissing => "root.unusable",
            "the trusted root that this requirement names was not loaded: give its file beside the \
             policy";
        Identity { signer: &'static str, signed: String, wanted: String, perhaps: &'static str } => "identity.not-accepted" as OtherName,
            "signed by a trusted {signer}, as {signed:?}; your rule wants {wanted}: {perhaps}. \
             Signature for identity {signed:?} is not accepted: have the image signed under its own \
             name";
        OtherName { signer: &'static str, signed: String, asked: String } => "identity.other-name" as OtherName,
            "signed by your {signer}, as another image: the signature names {signed:?}, and {asked} \
             was asked for: possibly a signature copied from there; have the image signed under its \
             own name";
        Annotation { name: String, value: String, found: String } => "annotation.missing" as Annotation,
            "expected the signed annotation {name:?} to be {value:?}, found {found}: sign the image \
             with it (for instance: cosign sign -a NAME=VALUE …), or do not ask for it";
        AnnotationsOfBundle => "annotation.unsupported",
            "annotations were asked for, and this is a bundle, whose annotations this version does \
             not compare: sign the image in cosign's older form (cosign sign \
             --new-bundle-format=false -a NAME=VALUE …)";
        SignedDigest { signed: String, digest: String } => "digest.not-signed" as OtherContent,
            "Signature for digest {signed} does not match: this image has {digest}; have this image \
             signed";
        SignedText { signed: String, digest: String } => "digest.not-signed" as OtherContent,
            "invalid docker-manifest-digest value {signed:?}: expected the digest of this image, \
             {digest}; have it signed again";
        Subject { digest: String } => "digest.not-signed" as OtherContent,
            "the signed statement is about other images, not about {digest}: attest this image";
        Rejected { image: String } => "policy.reject" as Policy,
            "Running image {image} is rejected by policy.";
        Distrusted { digest: String } => "policy.distrusted" as Policy,
            "the policy lists {digest} as distrusted: it does not run, whoever signed it; take another \
             image, or have the digest removed from \"distrusted\" if it is meant to run again";
        PinnedOther { name: String, pinned: String, found: String } => "pinned.other-digest" as Policy,
            "the policy pins {name} to {pinned}, and the registry has {found} under this tag: pull \
             the pinned digest, or change the pin if the new image is meant";
        PinnedTag { name: String, found: String } => "pinned.unlisted-tag" as Policy,
            "the policy pins tags, and {name} is not among them (it is {found}): add a pin for it, \
             or \"others\": \"allow\" if tags without one may pass";
        PinnedDigest { repository: String, found: String } => "pinned.unlisted-digest" as Policy,
            "the policy pins digests of {repository}, and {found} is not among them: add a pin for \
             it; an image of a pinned index is pulled by the index";
        NotImplemented { what: String } => "requirement.not-implemented" as Policy,
            "the policy demands {what}, which this version does not decide yet: it denies what \
             selects it";
        /// In the words of containers/image, which never implemented it either.
        BaseLayer => "requirement.not-implemented" as Policy,
            "signedBaseLayer not implemented yet!";
        KeyMissing { path: String } => "key.missing",
            "the policy names the key file {path:?}, which was not given: give it beside the policy";
        EvidenceLimit { what: &'static str, limit: usize } => "limit.evidence" as TooMuch,
            "more than {limit} {what} are attached to this image: it is unknown whether \
             one of them is a good signature; remove what is attached beside its signatures";
        SignatureManifest { found: String } => "signature.manifest",
            "unexpected MIME type of the signature manifest: expected \
             application/vnd.oci.image.manifest.v1+json, found {found}";
        Dangling { what: String } => "signature.blob-missing" as Dangling,
            "the registry lists {what} and does not have it: push it again, or ask the registry's \
             operator";
        EmptyIndex => "index.empty",
            "the index lists no image that could be run: there is nothing that could be allowed";
        Unnamed => "identity.unnamed",
            "a bundle names no repository, and this rule wants a name: only matchDigest accepts it";
        NoDocument => "image.not-found",
            "expected the evidence of the refused image (status 200), found status 404; ask the \
             gateway's operator, or verify against the registry behind it";
        Instances { found: usize, limit: usize } => "limit.instances",
            "the index lists {found} images, more than the {limit} that are judged one by one: sign the \
             index, or ask for one of them with the option \"platform\"";
        InstanceMissing { digest: String } => "instance.missing",
            "the index lists {digest}, which the registry does not have: push that image, or make the \
             index without it";
        NoPlatform { platform: String } => "index.platform",
            "the index lists no image for {platform}: ask for a platform that it lists";
        NestedIndex { digest: String } => "index.nested",
            "the index lists another index ({digest}), which is not judged: ask for it by its own \
             digest";
        RuleMissing => "rule.missing",
            "expected a key or a policy to judge by, found neither: give one of them";
    }
}

codes! {
    /// Why something is allowed, or does not count.
    pub enum Reason {
        Signature { message: String } => "signature.accepted", "{message}";
        Anything => "policy.accept-anything", "the policy accepts anything here";
        PinnedTag { name: String } => "pinned.listed", "the policy pins {name} to this digest";
        PinnedDigest { repository: String } => "pinned.listed",
            "the policy pins this digest in {repository}";
        PinnedOthers { name: String } => "pinned.others",
            "the policy pins other tags than {name}, and lets the others pass";
        Exception { until: UnixTime, reason: String } => "exception.admitted" as Exception,
            "admitted by an exception of the policy until {until} (reason: {reason}), and by \
             nothing else";
        Attachment { media_type: String } => "cosign.attachment" as Attachment,
            "an attachment of type {media_type}, no signature";
        NotAnAttestation => "cosign.attachment" as Attachment,
            "a signature of the image, no attestation";
        OtherSort => "signature.other-sort" as Attachment,
            "a signature of another sort than this rule asks for (simple signing or Cosign)";
        NotALayer => "cosign.attachment" as Attachment,
            "a bundle: this rule reads .sig signatures alone, as containers/image does";
    }
}

codes! {
    /// These rules cannot be judged by.
    pub enum RulesError {
        Key { what: String, error: KeyError } => "key.unusable", "{what}: {error}";
        NotKeys => "rule.all-keys",
            "expected keys, all of which must have signed, found an identity: give keys, or leave \
             the demand for all of them out";
        NoKeys => "key.none", "expected at least one key, found none";
        TooManyKeys { limit: usize } => "limit.keys",
            "expected at most {limit} keys, found more: leave those out that sign no more";
        PrivateKey { what: String } => "key.private",
            "{what} holds a private key, which must lie where nobody else reads it: give the public \
             key in its place (made by: cosign public-key --key FILE, openssl pkey -in FILE \
             -pubout, or gpg --export), and make a new pair if others could read this file";
        Missing { paths: String } => "key.missing",
            "the policy names files that were not given: {paths}";
        Root { name: String, message: String } => "root.unusable",
            "the trusted root {name}: {message}";
        NoTime { name: String } => "root.no-time",
            "identities are judged by certificates, which are valid for minutes, and the trusted \
             root {name} lists nobody who could say when a signature was made: add a transparency \
             log of version 1, or a timestamp authority";
        Dir => "rule.dir",
            "expected a policy without a registries.d for an image of the transport dir, found \
             something else: its signatures are beside its manifest, and only a policy judges them";
        NoAuthority { name: String } => "root.no-authority",
            "identities are judged by certificates, and the trusted root {name} lists no \
             certificate authority";
    }
}
