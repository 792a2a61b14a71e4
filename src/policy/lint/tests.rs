//! Each lint with a policy that has it, and the nearest one that has it not; and that its suggested
//! change puts it right.

use super::rule::Rule;
use super::{Context, Edit, KnownImage, Lint, docker_scope, lint};
use crate::encoding::base64;
use crate::limits;
use crate::policy::Policy;
use crate::policy::error::Place;
use crate::policy::registries_d::RegistriesD;
use crate::policy::scope;
use crate::reference::{Grammar, Reference};
use crate::time::UnixTime;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

extern crate std;

const NOW: i64 = 1_800_000_000;
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A policy that rejects by default, with these scopes of `docker`, of which each is
/// `"key":[requirements]`.
fn docker(scopes: &str) -> String {
    format!(r#"{{"default":[{{"type":"reject"}}],"transports":{{"docker":{{{scopes}}}}}}}"#)
}

/// The same with the marker.
fn ours(scopes: &str) -> String {
    docker(scopes).replacen('{', r#"{"sealgate":{"version":1},"#, 1)
}

fn transport(name: &str, scopes: &str) -> String {
    format!(r#"{{"default":[{{"type":"reject"}}],"transports":{{"{name}":{{{scopes}}}}}}}"#)
}

/// One scope with these requirements.
fn one(requirements: &str) -> String {
    docker(&format!(r#""a.b/c":[{requirements}]"#))
}

fn our_one(requirements: &str) -> String {
    ours(&format!(r#""a.b/c":[{requirements}]"#))
}

fn sigstore(members: &str) -> String {
    one(&format!(r#"{{"type":"sigstoreSigned",{members}}}"#))
}

fn our_sigstore(members: &str) -> String {
    our_one(&format!(r#"{{"type":"sigstoreSigned",{members}}}"#))
}

fn identity(entry: &str) -> String {
    our_sigstore(&format!(
        r#""trustedRoot":"public-good","identities":[{entry}]"#
    ))
}

const OPEN: &str = r#"[{"type":"insecureAcceptAnything"}]"#;
const REJECT: &str = r#"[{"type":"reject"}]"#;
const SIGNED: &str =
    r#"[{"type":"sigstoreSigned","keyPath":"/k","signedIdentity":{"type":"matchRepository"}}]"#;
const DIGESTS: &str =
    r#"[{"type":"sigstoreSigned","keyPath":"/d","signedIdentity":{"type":"matchDigest"}}]"#;

fn signed_by(members: &str) -> String {
    format!(r#"{{"type":"signedBy",{members}}}"#)
}

/// A rule, a policy that has it, and one that has it not.
type Case = (Rule, String, String);

fn of_scopes() -> Vec<Case> {
    let default = |requirements: &str| format!(r#"{{"default":{requirements}}}"#);
    vec![
        (Rule::DefaultOpen, default(OPEN), default(REJECT)),
        (Rule::DefaultOpen, default(OPEN), default(SIGNED)),
        (
            Rule::TransportOpen,
            docker(&format!(r#""":{OPEN}"#)),
            docker(&format!(r#""a.b":{OPEN}"#)),
        ),
        (
            Rule::RegistryOpen,
            docker(&format!(r#""docker.io":{OPEN}"#)),
            docker(&format!(r#""docker.io/library":{OPEN}"#)),
        ),
        (
            Rule::RegistryOpen,
            docker(&format!(r#""localhost:5000":{OPEN}"#)),
            docker(&format!(r#""docker.io":{SIGNED}"#)),
        ),
        (
            Rule::RegistryOpen,
            ours(&format!(r#""*.example":{OPEN}"#)),
            ours(&format!(r#""docker.io/busybox":{OPEN}"#)),
        ),
        (
            Rule::WeakerChild,
            docker(&format!(r#""a.b":{SIGNED},"a.b/c":{OPEN}"#)),
            docker(&format!(r#""a.b":{REJECT},"a.b/c":{OPEN}"#)),
        ),
        (
            Rule::WeakerChild,
            docker(&format!(r#""*.b":{SIGNED},"a.b:5000":{OPEN}"#)),
            docker(&format!(r#""*.b":{SIGNED},"b":{OPEN},"a.c":{OPEN}"#)),
        ),
        (
            Rule::WeakerChild,
            transport("dir", &format!(r#""/a":{SIGNED},"/a/b/c":{OPEN}"#)),
            transport("dir", &format!(r#""/a":{SIGNED},"/ab":{OPEN}"#)),
        ),
        (
            Rule::WeakerChild,
            docker(&format!(
                r#""a.b":[{{"type":"signedBy","keyType":"GPGKeys","keyPath":"/g"}},{}],"a.b/c":{SIGNED}"#,
                SIGNED.trim_matches(['[', ']'])
            )),
            docker(&format!(r#""a.b":{SIGNED},"a.b/c":{SIGNED}"#)),
        ),
        (
            Rule::WeakerChild,
            format!(r#"{{"default":{SIGNED},"transports":{{"docker":{{"a.b":{OPEN}}}}}}}"#),
            format!(r#"{{"default":{REJECT},"transports":{{"docker":{{"a.b":{OPEN}}}}}}}"#),
        ),
        (
            Rule::UnexpandedScope,
            docker(&format!(r#""busybox":{REJECT}"#)),
            docker(&format!(r#""docker.io/library/busybox":{REJECT}"#)),
        ),
        (
            Rule::UnexpandedScope,
            docker(&format!(r#""team/app:1.0":{REJECT}"#)),
            docker(&format!(r#""localhost/app:1.0":{REJECT}"#)),
        ),
        (
            Rule::UnexpandedScope,
            docker(&format!(r#""busybox:latest":{REJECT}"#)),
            docker(&format!(r#""busybox:1":{REJECT}"#)),
        ),
        (
            Rule::NoncanonicalScope,
            docker(&format!(r#""a.b/Team":{REJECT}"#)),
            docker(&format!(r#""A.b/team":{REJECT}"#)),
        ),
        (
            Rule::NoncanonicalScope,
            docker(&format!(r#""docker://a.b/c":{REJECT}"#)),
            docker(&format!(r#""a.b/c":{REJECT}"#)),
        ),
        (
            Rule::NoncanonicalScope,
            docker(&format!(r#""a.b/c/":{REJECT}"#)),
            docker(&format!(r#""a.b/c/d":{REJECT}"#)),
        ),
        (
            Rule::NoncanonicalScope,
            docker(&format!(r#""https://a.b:5000/":{REJECT}"#)),
            docker(&format!(r#""a.b:5000":{REJECT}"#)),
        ),
        (
            Rule::NoncanonicalScope,
            docker(&format!(r#""index.docker.io/library":{REJECT}"#)),
            docker(&format!(r#""docker.io/library":{REJECT}"#)),
        ),
        (
            Rule::NoncanonicalScope,
            docker(&format!(r#""docker.io/busybox:1":{REJECT}"#)),
            docker(&format!(r#""docker.io/busybox":{REJECT}"#)),
        ),
        (
            Rule::NoncanonicalScope,
            docker(&format!(r#""a.b/c:1@{DIGEST}":{REJECT}"#)),
            docker(&format!(r#""a.b/c@{DIGEST}":{REJECT}"#)),
        ),
        (
            Rule::NoncanonicalScope,
            docker(&format!(r#""{}":{REJECT}"#, "a/".repeat(2000))),
            docker(&format!(r#""a.b/{}c":{REJECT}"#, "a/".repeat(100))),
        ),
        (
            Rule::NoncanonicalScope,
            r#"{"sealgate":{"version":1,"audit":["a.b/C"]},"default":[{"type":"reject"}]}"#.into(),
            r#"{"sealgate":{"version":1,"audit":["a.b/c"]},"default":[{"type":"reject"}]}"#.into(),
        ),
        (
            Rule::PortScope,
            docker(&format!(r#""a.b/c":{REJECT},"a.b:5000/d":{REJECT}"#)),
            docker(&format!(r#""a.b/c":{REJECT},"a.b:5000/c":{REJECT}"#)),
        ),
        (
            Rule::PortScope,
            docker(&format!(r#""port.example":{REJECT}"#)),
            docker(&format!(r#""port.example:5000":{REJECT}"#)),
        ),
        (
            Rule::BadWildcard,
            docker(&format!(r#""a.b/*":{REJECT}"#)),
            docker(&format!(r#""*.b":{REJECT}"#)),
        ),
        (
            Rule::BadWildcard,
            docker(&format!(r#""*":{REJECT}"#)),
            docker(&format!(r#""":{REJECT}"#)),
        ),
        (
            Rule::BadWildcard,
            docker(&format!(r#""*.b:5000":{REJECT}"#)),
            docker(&format!(r#""*.5000":{REJECT}"#)),
        ),
        (
            Rule::BadWildcard,
            docker(&format!(r#""a.*.b":{REJECT}"#)),
            docker(&format!(r#""*.a.b":{REJECT}"#)),
        ),
        (
            Rule::WildcardApex,
            docker(&format!(r#""*.a.b":{REJECT}"#)),
            docker(&format!(r#""*.a.b":{REJECT},"a.b/c":{REJECT}"#)),
        ),
        (
            Rule::TagScopeBypass,
            docker(&format!(r#""a.b":{OPEN},"a.b/c:1":{SIGNED}"#)),
            docker(&format!(r#""a.b":{OPEN},"a.b/c":{SIGNED}"#)),
        ),
        (
            Rule::TagScopeBypass,
            docker(&format!(r#""a.b/c":{SIGNED},"a.b/c:1":{REJECT}"#)),
            docker(&format!(r#""a.b/c":{SIGNED},"a.b/c:1":{SIGNED}"#)),
        ),
        (
            Rule::UnknownTransport,
            transport("Docker", &format!(r#""a.b":{REJECT}"#)),
            transport("docker", &format!(r#""a.b":{REJECT}"#)),
        ),
        (
            Rule::UnknownTransport,
            transport("oci_archive", &format!(r#""/a":{REJECT}"#)),
            transport("ostree", &format!(r#""x":{REJECT}"#)),
        ),
        (
            Rule::UnknownTransport,
            transport("dirr", &format!(r#""not/a/path":{REJECT}"#)),
            transport("dir", &format!(r#""/a":{REJECT}"#)),
        ),
    ]
}

fn of_requirements() -> Vec<Case> {
    let reject = r#"{"type":"reject"}"#;
    let accept = r#"{"type":"insecureAcceptAnything"}"#;
    let repository = r#""signedIdentity":{"type":"matchRepository"}"#;
    let gpg = |path: &str| signed_by(&format!(r#""keyType":"GPGKeys","keyPath":"{path}""#));
    let remap = |scope: &str, prefix: &str| {
        docker(&format!(
            r#""{scope}":[{{"type":"sigstoreSigned","keyPath":"/k","signedIdentity":{{"type":"remapIdentity","prefix":"{prefix}","signedPrefix":"c.d"}}}}]"#
        ))
    };
    let fulcio = |issuer: &str, email: &str| {
        sigstore(&format!(
            r#""rekorPublicKeyPath":"/r","fulcio":{{"caPath":"/ca","oidcIssuer":"{issuer}","subjectEmail":"{email}"}}"#
        ))
    };
    let exact = r#"{"type":"sigstoreSigned","keyPath":"/k","signedIdentity":{"type":"exactRepository","dockerRepository":"a.b/c"}}"#;
    vec![
        (
            Rule::DeadRequirement,
            one(&format!("{accept},{}", gpg("/k"))),
            one(&gpg("/k")),
        ),
        (
            Rule::DeadRequirement,
            one(&format!("{},{accept}", gpg("/k"))),
            one(accept),
        ),
        (
            Rule::DeadRequirement,
            one(&format!("{},{reject}", gpg("/k"))),
            one(reject),
        ),
        (
            Rule::Unimplemented,
            one(r#"{"type":"signedBaseLayer","baseLayerIdentity":{"type":"matchExact"}}"#),
            one(reject),
        ),
        (
            Rule::Unimplemented,
            one(&signed_by(r#""keyType":"X509Certificates","keyPath":"/k""#)),
            one(&gpg("/k")),
        ),
        (
            Rule::Unimplemented,
            one(&signed_by(r#""keyType":"signedByGPGKeys","keyPath":"/k""#)),
            one(&gpg("/k")),
        ),
        (
            Rule::IdentityNeedsRef,
            transport("dir", &format!(r#""/a":[{}]"#, gpg("/k"))),
            transport("dir", &format!(r#""/a":[{exact}]"#)),
        ),
        (
            Rule::NoSignatureTransport,
            transport("oci", &format!(r#""/a":[{exact}]"#)),
            transport("dir", &format!(r#""/a":[{exact}]"#)),
        ),
        (
            Rule::NoSignatureTransport,
            transport("docker-archive", &format!(r#""":[{exact}]"#)),
            transport("docker-archive", &format!(r#""":{OPEN}"#)),
        ),
        (
            Rule::CosignIdentity,
            sigstore(r#""keyPath":"/k""#),
            sigstore(&format!(r#""keyPath":"/k",{repository}"#)),
        ),
        (
            Rule::CosignIdentity,
            sigstore(r#""keyPath":"/k","signedIdentity":{"type":"matchExact"}"#),
            one(&gpg("/k")),
        ),
        (
            Rule::TagSubstitution,
            sigstore(&format!(r#""keyPath":"/k",{repository}"#)),
            sigstore(r#""keyPath":"/k""#),
        ),
        (
            Rule::RekorOff,
            sigstore(r#""keyPath":"/k","rekorPublicKeyPath":"""#),
            sigstore(r#""keyPath":"/k","rekorPublicKeyPath":"/r""#),
        ),
        (
            Rule::RekorOff,
            sigstore(r#""rekorPublicKeyData":null,"keyPath":"/k""#),
            sigstore(r#""keyPath":"/k""#),
        ),
        (
            Rule::NoTransparency,
            sigstore(r#""keyPath":"/k""#),
            sigstore(r#""keyPath":"/k","rekorPublicKeyPath":"/r""#),
        ),
        (
            Rule::NoTransparency,
            our_one(r#"{"type":"attested","predicateType":"https://p.example","keyPath":"/k"}"#),
            our_sigstore(r#""keyPath":"/k","trustedRoot":"github""#),
        ),
        (
            Rule::FulcioUri,
            fulcio("https://i.example", "https://github.com/a/b"),
            fulcio("https://i.example", "a@b.c"),
        ),
        (
            Rule::FulcioUri,
            fulcio("https://i.example", "someone"),
            fulcio("https://i.example", "a@b.c"),
        ),
        (
            Rule::IssuerForm,
            fulcio("i.example", "a@b.c"),
            fulcio("https://i.example", "a@b.c"),
        ),
        (
            Rule::IssuerForm,
            fulcio("https://i.example/", "a@b.c"),
            fulcio("https://i.example/x", "a@b.c"),
        ),
        (
            Rule::IssuerForm,
            identity(r#"{"issuer":"http://i.example","subject":"a@b.c"}"#),
            identity(r#"{"issuer":"https://i.example","subject":"a@b.c"}"#),
        ),
        (
            Rule::AndRotation,
            one(&format!("{},{}", gpg("/1"), gpg("/2"))),
            one(&signed_by(r#""keyType":"GPGKeys","keyPaths":["/1","/2"]"#)),
        ),
        (
            Rule::AndRotation,
            one(&format!(
                r#"{{"type":"sigstoreSigned",{repository},"keyPath":"/1"}},{{"keyPath":"/2","type":"sigstoreSigned",{repository}}}"#
            )),
            one(&format!("{},{exact}", gpg("/1"))),
        ),
        (
            Rule::AndRotation,
            one(&format!("{exact},{exact},{reject}")),
            one(&format!("{exact},{reject}")),
        ),
        (
            Rule::PkiLifetime,
            sigstore(r#""pki":{"caRootsPath":"/r","subjectEmail":"a@b.c"}"#),
            fulcio("https://i.example", "a@b.c"),
        ),
        (
            Rule::EmptyKeys,
            one(&signed_by(r#""keyType":"GPGKeys","keyPaths":[]"#)),
            one(&signed_by(r#""keyType":"GPGKeys","keyPaths":["/k"]"#)),
        ),
        (
            Rule::EmptyKeys,
            sigstore(r#""keyData":"""#),
            sigstore(r#""keyData":"YQ==""#),
        ),
        (
            Rule::EmptyKeys,
            sigstore(r#""keyPath":"/k","rekorPublicKeyData":"""#),
            sigstore(r#""keyPath":"/k","rekorPublicKeyData":null"#),
        ),
        (
            Rule::RemapMiss,
            remap("a.b", "busybox"),
            remap("a.b", "a.b"),
        ),
        (
            Rule::RemapMiss,
            remap("a.b/c", "a.b/d"),
            remap("a.b/c", "a.b/c/d"),
        ),
        (
            Rule::RemapMiss,
            remap("a.b/cc", "a.b/c"),
            remap("a.b/c:1", "a.b/c"),
        ),
        (
            Rule::RemapMiss,
            remap("*.b", "a.c"),
            remap("*.b", "a.b:5000/x"),
        ),
        (
            Rule::CosignV3,
            sigstore(r#""keyPath":"/k""#),
            one(&gpg("/k")),
        ),
        (
            Rule::CosignV3,
            our_sigstore(&format!(r#""keyPath":"/k",{repository}"#)),
            our_sigstore(r#""keyPath":"/k","signedIdentity":{"type":"matchDigest"}"#),
        ),
    ]
}

fn of_ours() -> Vec<Case> {
    let attested = |members: &str| our_one(&format!(r#"{{"type":"attested",{members}}}"#));
    let exception = |until: &str| {
        format!(
            r#"{{"sealgate":{{"version":1,"exceptions":[{{"scope":"a.b/c","digests":["{DIGEST}"],"until":"{until}","reason":"r"}}]}},"default":[{{"type":"reject"}}]}}"#
        )
    };
    let distrusting = |audit: &str| {
        format!(
            r#"{{"sealgate":{{"version":1,{audit}"distrusted":["{DIGEST}"]}},"default":[{{"type":"reject"}}]}}"#
        )
    };
    let audited = |audit: &str, scope: &str| {
        format!(
            r#"{{"sealgate":{{"version":1,"audit":[{audit}]}},"default":[{{"type":"reject"}}],"transports":{{"docker":{{"{scope}":{REJECT}}}}}}}"#
        )
    };
    let pins = |scope: &str, pin: &str, beside: &str| {
        ours(&format!(
            r#""{scope}":[{{"type":"pinned","pins":{{"{pin}":"{DIGEST}"}}}}{beside}]"#
        ))
    };
    let gpg = r#""keyType":"GPGKeys","keyPath":"/k""#;
    let workflow = r#""issuer":"https://token.actions.githubusercontent.com","subject":"https://github.com/o/r/.github/workflows/w.yml@refs/heads/main""#;
    let signed = &format!(",{}", SIGNED.trim_matches(['[', ']']));
    vec![
        (
            Rule::SharedSigner,
            ours(&format!(r#""a.b/c":{DIGESTS},"a.b/d":{DIGESTS}"#)),
            ours(&format!(r#""a.b/c":{DIGESTS},"a.b/d":{SIGNED}"#)),
        ),
        (
            Rule::SharedSigner,
            ours(&format!(
                r#""a.b/c":{DIGESTS},"a.b/d":{}"#,
                SIGNED.replace("/k", "/d")
            )),
            ours(&format!(r#""a.b/c":{DIGESTS}"#)),
        ),
        // Two names of one key.
        (
            Rule::SharedSigner,
            ours(&format!(
                r#""a.b/c":{},"a.b/d":{}"#,
                DIGESTS.replace("/d", "ecdsa.pub"),
                DIGESTS.replace("/d", "again.pub")
            )),
            ours(&format!(
                r#""a.b/c":{},"a.b/d":{}"#,
                DIGESTS.replace("/d", "ecdsa.pub"),
                DIGESTS.replace("/d", "other.pub")
            )),
        ),
        (
            Rule::AnyDigest,
            ours(&format!(r#""a.b/c":{DIGESTS}"#)),
            ours(&format!(r#""a.b/c":{SIGNED}"#)),
        ),
        (
            Rule::AnyIdentity,
            identity(r#"{"issuer":"https://i.example","subjectRegexp":"^.*$"}"#),
            identity(r#"{"issuer":"https://i.example","subjectRegexp":".*@b\\.c"}"#),
        ),
        (
            Rule::AnyIdentity,
            identity(r#"{"issuerRegexp":"https://.+","subject":"a@b.c"}"#),
            identity(r#"{"issuerRegexp":"https://i\\.example/.+","subject":"a@b.c"}"#),
        ),
        (
            Rule::AnyCaller,
            identity(&format!("{{{workflow}}}")),
            identity(&format!(
                r#"{{{workflow},"claims":{{"sourceRepositoryURI":"https://github.com/o/r"}}}}"#
            )),
        ),
        (
            Rule::AnyCaller,
            identity(&format!(
                r#"{{{workflow},"claims":{{"buildTrigger":"push"}}}}"#
            )),
            identity(&format!(
                r#"{{{workflow},"claims":{{"sourceRepositoryOwnerURI":"https://github.com/o"}}}}"#
            )),
        ),
        (
            Rule::AnyCaller,
            identity(
                r#"{"issuerRegexp":"https://token\\.actions\\.githubusercontent\\.com","subjectRegexp":"https://github\\.com/o/r/.*"}"#,
            ),
            identity(
                r#"{"issuer":"https://accounts.example","subjectRegexp":"https://github\\.com/o/r/.*"}"#,
            ),
        ),
        (
            Rule::UnescapedDot,
            identity(r#"{"issuer":"https://i.example","subjectRegexp":"https://x.example/.*"}"#),
            identity(r#"{"issuer":"https://i.example","subjectRegexp":"https://x\\.example/.*"}"#),
        ),
        (
            Rule::ExactWildcard,
            identity(r#"{"issuer":"https://i.example","subject":"*@b.c"}"#),
            identity(r#"{"issuer":"https://i.example","subject":"a@b.c"}"#),
        ),
        (
            Rule::PinnedAlone,
            pins("a.b", "a.b/c:1", ""),
            pins("a.b", "a.b/c:1", signed),
        ),
        (
            Rule::PinnedAlone,
            pins("a.b", "a.b/c:1", r#",{"type":"insecureAcceptAnything"}"#),
            pins("a.b", "a.b/c:1", r#",{"type":"reject"}"#),
        ),
        (
            Rule::PinOutside,
            pins("a.b/c", "a.b/d:1", ""),
            pins("a.b/c", "a.b/c:1", ""),
        ),
        (
            Rule::PinOutside,
            pins("a.b/c:2", "a.b/c:1", ""),
            pins("*.b", "a.b/c:1", ""),
        ),
        (
            Rule::FindingsWithoutAge,
            attested(
                r#""predicateType":"https://openvex.dev/ns/v0.2.0","trustedRoot":"github","keyPath":"/k""#,
            ),
            attested(
                r#""predicateType":"https://openvex.dev/ns/v0.2.0","trustedRoot":"github","identities":[{"issuer":"https://i.example","subject":"a@b.c"}],"maxAge":1"#,
            ),
        ),
        (
            Rule::FindingsWithoutAge,
            attested(
                r#""predicateType":"https://cosign.sigstore.dev/attestation/vuln/v1","keyPath":"/k""#,
            ),
            attested(r#""predicateType":"https://slsa.dev/provenance/v1","keyPath":"/k""#),
        ),
        (
            Rule::FindingsWithoutAge,
            attested(r#""predicateType":"openvex","keyPath":"/k""#),
            attested(r#""predicateType":"slsaprovenance1","keyPath":"/k""#),
        ),
        (
            Rule::FindingsWithoutAge,
            attested(r#""predicateType":"https://example.com/test-result/v1","keyPath":"/k""#),
            attested(
                r#""predicateType":"https://example.com/test-result/v1","keyPath":"/k","conditions":[{"pointer":"/time","maxAge":1}]"#,
            ),
        ),
        (
            Rule::ExpiredKeys,
            our_one(&signed_by(&format!(
                r#"{gpg},"expiredKeys":{{"until":"2027-01-01T00:00:00Z"}}"#
            ))),
            our_one(&signed_by(gpg)),
        ),
        (
            Rule::ExceptionEnds,
            exception(&UnixTime(NOW + SOON).to_string()),
            exception(&UnixTime(NOW + SOON + 1).to_string()),
        ),
        (
            Rule::AuditAbove,
            audited(r#""a.b""#, "a.b/c"),
            audited(r#""a.b""#, "a.b"),
        ),
        (
            Rule::AuditAbove,
            audited(r#""a.b""#, "a.b/c:1"),
            audited(r#""a.b","a.b/c:1""#, "a.b/c:1"),
        ),
        (
            Rule::AuditAbove,
            audited(r#" "" "#, "a.b"),
            audited(r#""a.b/c""#, "a.b"),
        ),
        (
            Rule::AuditAbove,
            audited(r#""*.b""#, "a.b:5000/c"),
            audited(r#""a.b""#, "a.b:5000/c"),
        ),
        (
            Rule::DistrustAudited,
            distrusting(r#""audit":["a.b"],"#),
            distrusting(""),
        ),
        (
            Rule::ExceptionEnds,
            exception(&UnixTime(NOW - 1).to_string()),
            exception("2099-01-01T00:00:00Z"),
        ),
        (
            Rule::RekorWithoutBundles,
            our_sigstore(
                r#""keyPath":"/k","rekorPublicKeyPath":"/r","signedIdentity":{"type":"matchDigest"}"#,
            ),
            our_sigstore(r#""keyPath":"/k","signedIdentity":{"type":"matchDigest"}"#),
        ),
        (
            Rule::RekorWithoutBundles,
            our_sigstore(
                r#""keyPath":"/k","rekorPublicKeyPath":"/r","signedIdentity":{"type":"matchDigest"}"#,
            ),
            our_sigstore(r#""keyPath":"/k","rekorPublicKeyPath":"/r""#),
        ),
    ]
}

const SOON: i64 = 14 * 86_400;

/// Files, by the names that the policies write.
fn of_material() -> Vec<Case> {
    let path = |path: &str| sigstore(&format!(r#""keyPath":"{path}""#));
    let data = |path: &str| {
        sigstore(&format!(
            r#""keyData":"{}""#,
            base64::encode(&assets()[path])
        ))
    };
    let rekor = |path: &str| {
        sigstore(&format!(
            r#""keyPath":"ecdsa.pub","rekorPublicKeyPath":"{path}""#
        ))
    };
    let pki = |path: &str| {
        sigstore(&format!(
            r#""pki":{{"caRootsPath":"{path}","subjectEmail":"a@b.c"}}"#
        ))
    };
    let keyring = |path: &str| {
        one(&signed_by(&format!(
            r#""keyType":"GPGKeys","keyPath":"{path}""#
        )))
    };
    vec![
        (Rule::MultiPem, path("two.pub"), path("ecdsa.pub")),
        (Rule::MultiPem, data("two.pub"), data("ecdsa.pub")),
        (Rule::MultiPem, rekor("two.pub"), rekor("ecdsa.pub")),
        (Rule::ExpiredKey, pki("expired.pem"), pki("valid.pem")),
        (Rule::FileMissing, path("/nowhere"), path("ecdsa.pub")),
        (Rule::KeyUnusable, path("valid.pem"), path("ecdsa.pub")),
        (Rule::KeyUnusable, data("valid.pem"), data("ecdsa.pub")),
        (Rule::KeyUnusable, rekor("ed25519.pub"), path("ed25519.pub")),
        (Rule::KeyUnusable, pki("ecdsa.pub"), pki("valid.pem")),
        (
            Rule::ExpiredKey,
            keyring("expiring.gpg"),
            keyring("rsa.gpg"),
        ),
        (
            Rule::ExpiredKey,
            keyring("subkey-expiring.gpg"),
            keyring("subkey.gpg"),
        ),
        (
            Rule::KeyUnusable,
            keyring("ecdsa.pub"),
            keyring("ed25519.gpg"),
        ),
        (
            Rule::KeyUnusable,
            keyring("revoked.gpg"),
            keyring("revoked-before.gpg"),
        ),
        (
            Rule::KeyUnusable,
            keyring("certify.gpg"),
            keyring("one-of-two.gpg"),
        ),
        (
            Rule::KeyUnusable,
            keyring("revoked.gpg"),
            keyring("not-revoked.gpg"),
        ),
        (
            Rule::KeyCannotSign,
            keyring("one-of-two.gpg"),
            keyring("weak.gpg"),
        ),
        (
            Rule::WeakKey,
            keyring("weak.gpg"),
            keyring("one-of-two.gpg"),
        ),
        (
            Rule::Sha1Key,
            keyring("sha1-primary.gpg"),
            keyring("rsa.asc"),
        ),
        (Rule::PrivateKey, path("pair.pem"), path("two.pub")),
        (Rule::PrivateKey, data("pair.pem"), data("two.pub")),
        (Rule::PrivateKey, rekor("pair.pem"), rekor("two.pub")),
        (Rule::PrivateKey, pki("pair.pem"), pki("valid.pem")),
        (
            Rule::PrivateKey,
            one(&signed_by(r#""keyType":"GPGKeys","keyPath":"pair.pem""#)),
            one(&signed_by(r#""keyType":"GPGKeys","keyPath":"two.pub""#)),
        ),
    ]
}

fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

fn assets() -> BTreeMap<String, Vec<u8>> {
    let cosign = |name: &str| fixture(&format!("fixtures/cosign/{name}"));
    let certificate = |name: &str| {
        crate::encoding::pem::encode(
            "CERTIFICATE",
            &fixture(&format!("fixtures/x509/{name}.der")),
        )
        .into_bytes()
    };
    let ecdsa = cosign("ecdsa-p256-signature/key.pub");
    let pair = [
        ecdsa.clone(),
        crate::encoding::pem::encode("ENCRYPTED SIGSTORE PRIVATE KEY", b"x").into_bytes(),
    ]
    .concat();
    let two = [ecdsa.clone(), cosign("ed25519-signature/key.pub")].concat();
    [
        ("ecdsa.pub", ecdsa.clone()),
        ("again.pub", ecdsa),
        ("other.pub", cosign("rsa-2048-signature/key.pub")),
        ("ed25519.pub", cosign("ed25519-signature/key.pub")),
        ("two.pub", two),
        ("pair.pem", pair),
        ("valid.pem", certificate("root")),
        ("expired.pem", certificate("int-expired")),
        (
            "one-of-two.gpg",
            [keyring("certify.gpg"), keyring("ed25519.gpg")].concat(),
        ),
        ("weak.gpg", [WEAK.into(), keyring("ed25519.gpg")].concat()),
        ("not-revoked.gpg", not_revoked()),
    ]
    .into_iter()
    .chain(KEYRINGS.iter().map(|name| (*name, keyring(name))))
    .map(|(name, bytes)| (name.into(), bytes))
    .collect()
}

const KEYRINGS: &[&str] = &[
    "certify.gpg",
    "ed25519.gpg",
    "expiring.gpg",
    "revoked-before.gpg",
    "revoked.gpg",
    "rsa.asc",
    "rsa.gpg",
    "sha1-primary.gpg",
    "subkey-expiring.gpg",
    "subkey.gpg",
];

/// A key packet of version 4: RSA, of 16 bits.
const WEAK: &[u8] = &[
    0x98, 0x0d, 4, 0x69, 0x57, 0, 0, 1, 0, 16, 0xff, 0xf1, 0, 2, 3,
];

fn keyring(name: &str) -> Vec<u8> {
    fixture(&format!("fixtures/openpgp/{name}"))
}

/// What revokes the key was made at another time than it says, so that it is over something else.
fn not_revoked() -> Vec<u8> {
    let mut bytes = keyring("revoked.gpg");
    // Version 4, a key revocation: behind its issuer's fingerprint the time.
    let start = bytes.windows(2).position(|two| two == [4, 0x20]).unwrap();
    assert_eq!(bytes[start + 29..start + 31], [5, 2]);
    bytes[start + 34] ^= 1;
    bytes
}

fn of_surroundings() -> Vec<Case> {
    let signed = |scope: &str| docker(&format!(r#""{scope}":{SIGNED}"#));
    let gpg = |scope: &str| {
        let signed = signed_by(r#""keyType":"GPGKeys","keyPath":"rsa.gpg""#);
        docker(&format!(r#""{scope}":[{signed}]"#))
    };
    vec![
        (
            Rule::AttachmentsOff,
            signed("a.b/c"),
            signed("on.example/c"),
        ),
        (
            Rule::AttachmentsOff,
            signed(""),
            docker(&format!(r#""":{REJECT}"#)),
        ),
        (
            Rule::AttachmentsOff,
            signed("*.b"),
            signed("*.wild.example"),
        ),
        (
            Rule::AttachmentsOff,
            signed("off.on.example"),
            signed("on.example:5000/c:1"),
        ),
        (
            Rule::AttachmentsOff,
            signed("on.example/off"),
            ours(&format!(r#""a.b/c":{DIGESTS}"#)),
        ),
        (Rule::NoLookaside, gpg("a.b/c"), gpg("gpg.example/c")),
        (
            Rule::NoLookaside,
            gpg("on.example"),
            gpg("gpg.example:1/c:1"),
        ),
        (
            Rule::NoLookaside,
            gpg("gpg.example:2"),
            docker(&format!(r#""a.b/c":{SIGNED},"gpg.example:1":{REJECT}"#)),
        ),
        (Rule::NoLookaside, gpg("a.b"), gpg("")),
        (
            Rule::IndexOnly,
            signed("index.example"),
            docker(&format!(r#""index.example":{REJECT}"#)),
        ),
        (
            Rule::IndexOnly,
            signed("index.example"),
            ours(&format!(r#""index.example":{SIGNED}"#)),
        ),
    ]
}

const REGISTRIES: &str = r#"
docker:
  on.example:
    use-sigstore-attachments: true
  on.example:5000:
    use-sigstore-attachments: true
  on.example/off:
    use-sigstore-attachments: false
  "*.wild.example":
    use-sigstore-attachments: true
  gpg.example:
    lookaside: https://gpg.example/sigs
  gpg.example:1:
    sigstore: https://gpg.example/other
"#;

fn images() -> Vec<KnownImage> {
    let image = |text: &str, is_index| KnownImage {
        name: Reference::normalize(text, Grammar::Containers).unwrap(),
        is_index,
    };
    vec![
        image("port.example:5000/x:1", false),
        image("index.example/x:1", true),
    ]
}

/// Lints where everything is known.
fn found(policy: &str) -> Vec<Lint> {
    let (assets, images) = (assets(), images());
    let registries = RegistriesD::parse([("a.yaml", REGISTRIES.as_bytes())]).unwrap();
    let context = Context {
        assets: Some(&assets),
        now: Some(UnixTime(NOW)),
        images: &images,
        registries: Some(&registries),
        is_user_policy: false,
    };
    lint(policy.as_bytes(), &context).unwrap_or_else(|error| panic!("{error} {policy}"))
}

fn of(policy: &str, rule: Rule) -> Vec<Lint> {
    found(policy)
        .into_iter()
        .filter(|lint| lint.id == rule.facts().0)
        .collect()
}

fn edited(policy: &str, edit: &Edit) -> String {
    [&policy[..edit.at.start], &edit.text, &policy[edit.at.end..]].concat()
}

fn cases() -> Vec<Case> {
    [
        of_scopes(),
        of_requirements(),
        of_ours(),
        of_material(),
        of_surroundings(),
    ]
    .concat()
}

#[test]
fn each_lint_has_a_policy_that_has_it_and_a_neighbour_that_has_not() {
    for (rule, policy, neighbour) in cases() {
        let lints = of(&policy, rule);
        assert!(!lints.is_empty(), "{rule:?} {policy} {:#?}", found(&policy));
        assert_eq!(of(&neighbour, rule), [], "{rule:?} {neighbour}");
        for lint in lints {
            assert!(
                lint.place.at < policy.len() && lint.message.len() < 1_000,
                "{lint:?}"
            );
            assert_eq!((lint.name, lint.severity), (rule.facts().1, rule.facts().2));
        }
    }
}

#[test]
fn each_suggested_change_puts_it_right() {
    let mut changed = Vec::new();
    for (rule, policy, _) in cases() {
        let lints = of(&policy, rule);
        for lint in &lints {
            let Some(edit) = &lint.edit else { continue };
            let better = edited(&policy, edit);
            assert!(
                Policy::parse(better.as_bytes()).is_ok(),
                "{rule:?} {policy} {better}"
            );
            assert_eq!(
                of(&better, rule).len() + 1,
                lints.len(),
                "{rule:?} {policy} {better}"
            );
            changed.push(rule.facts().0);
        }
    }
    changed.sort_unstable();
    changed.dedup();
    let with_changes = [
        "PL01", "PL02", "PL04", "PL05", "PL06", "PL08", "PL09", "PL11", "PL12", "PL15", "PL17",
        "PL20", "PL21", "PL22", "SL04", "SL05", "SL11", "SL15",
    ];
    assert_eq!(changed, with_changes);
}

/// docs/trust.md section 9: as in policies, so on the command line.
#[test]
fn identities_of_a_command_line() {
    use crate::sigstore::identity::{Identity, Pattern};
    let codes = |issuer: Pattern, subject: Pattern, claims: &[(&str, &str)]| {
        let claims = claims
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        super::identity(&Identity {
            issuer,
            subject,
            claims,
        })
        .into_iter()
        .map(|(code, _)| code)
        .collect::<Vec<_>>()
    };
    let (exact, search) = (
        |text: &str| Pattern::exact(text).unwrap(),
        |text: &str| Pattern::search(text).unwrap(),
    );
    let issuer = || exact("https://i.example");
    for open in [
        ".*",
        ".+",
        "^.*$",
        ".",
        "a*",
        "(.*)",
        "[^#]",
        r"\S",
        r"^\S+$",
        r"\w+",
        "[a-z]",
        "https?://.*",
        "^https://.*$",
    ] {
        let subject = search(open);
        assert_eq!(
            codes(issuer(), subject.clone(), &[]),
            ["identity.open"],
            "{open}"
        );
        assert_eq!(
            codes(subject, exact("a@b.c"), &[]),
            ["identity.open"],
            "{open}"
        );
    }
    for loose in ["a@b", "@", "https", "^a@b", ":"] {
        assert_eq!(
            codes(issuer(), search(loose), &[]),
            ["identity.unanchored"],
            "{loose}"
        );
    }
    assert_eq!(codes(issuer(), search("^a@b$"), &[]), [""; 0]);
    assert_eq!(
        codes(issuer(), search("^a@b.c$"), &[]),
        ["identity.unescaped-dot"]
    );
    assert_eq!(
        codes(issuer(), exact("*@b.c"), &[]),
        ["identity.exact-wildcard"]
    );
    assert_eq!(
        codes(exact("https://i.example/"), exact("a@b.c"), &[]),
        ["identity.issuer-form"]
    );
    let workflow = || exact("https://github.com/o/r/.github/workflows/w.yml@refs/heads/main");
    assert_eq!(codes(issuer(), workflow(), &[]), ["identity.any-caller"]);
    assert_eq!(
        codes(issuer(), workflow(), &[("buildTrigger", "push")]),
        ["identity.any-caller"]
    );
    assert_eq!(
        codes(
            issuer(),
            workflow(),
            &[("sourceRepositoryURI", "https://github.com/o/r")]
        ),
        [""; 0]
    );
    assert_eq!(codes(issuer(), exact("a@b.c"), &[]), [""; 0]);
}

#[test]
fn every_lint_has_a_case() {
    let cases = cases();
    // Those have tests of their own below.
    let apart = [
        Rule::More,
        Rule::UserShadow,
        Rule::LookasideUrl,
        Rule::OldRoots,
    ];
    for rule in Rule::ALL {
        assert_ne!(
            cases.iter().any(|case| case.0 == *rule),
            apart.contains(rule),
            "{rule:?}"
        );
    }
    let mut ids: Vec<_> = Rule::ALL.iter().map(|rule| rule.facts().0).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), Rule::ALL.len());
    assert!((1..=31).all(|number| ids.contains(&format!("PL{number:02}").as_str())));
}

#[test]
fn lints_know_their_place() {
    let text = sigstore(r#""keyPath":"/k","signedIdentity":{"type":"matchExact"}"#);
    let lint = &of(&text, Rule::CosignIdentity)[0];
    assert_eq!(
        lint.place,
        Place {
            pointer: r#"transports.docker["a.b/c"][0].signedIdentity"#.into(),
            at: text.find(r#"{"type":"matchExact""#).unwrap()
        }
    );
    let text = identity(r#"{"issuer":"https://i.example","subjectRegexp":".*"}"#);
    let lint = &of(&text, Rule::AnyIdentity)[0];
    assert_eq!(
        lint.place,
        Place {
            pointer: r#"transports.docker["a.b/c"][0].identities[0]"#.into(),
            at: text.find(r#"".*""#).unwrap()
        }
    );
    let text = docker(&format!(r#""busybox":{REJECT}"#));
    assert_eq!(
        of(&text, Rule::UnexpandedScope)[0].place.at,
        text.find(r#""busybox""#).unwrap()
    );
    let json = serde_json::to_value(&of(&text, Rule::UnexpandedScope)[0]).unwrap();
    assert_eq!(
        (&json["id"], &json["severity"], &json["pointer"]),
        (
            &"PL05".into(),
            &"error".into(),
            &r#"transports.docker["busybox"]"#.into()
        )
    );
    assert_eq!(
        json["edit"],
        serde_json::json!({"at": {"start": 55, "end": 64}, "text": "\"docker.io/library/busybox\""})
    );
}

#[test]
fn a_change_that_would_make_a_key_stand_twice_is_not_suggested() {
    let text = docker(&format!(
        r#""busybox":{REJECT},"docker.io/library/busybox":{REJECT}"#
    ));
    assert_eq!(of(&text, Rule::UnexpandedScope)[0].edit, None);
    let text = format!(
        r#"{{"default":{REJECT},"transports":{{"docker":{{}},"Docker":{{"a.b":{REJECT}}}}}}}"#
    );
    assert_eq!(of(&text, Rule::UnknownTransport)[0].edit, None);
}

#[test]
fn what_is_not_known_is_not_linted_about() {
    let silent = [
        Rule::FileMissing,
        Rule::MultiPem,
        Rule::ExpiredKey,
        Rule::AttachmentsOff,
        Rule::IndexOnly,
        Rule::ExceptionEnds,
        Rule::UserShadow,
    ];
    for (rule, policy, _) in cases()
        .into_iter()
        .filter(|case| silent.contains(&case.0) && !case.1.contains("keyData"))
    {
        let lints = lint(policy.as_bytes(), &Context::default()).unwrap();
        assert!(
            !lints.iter().any(|lint| lint.id == rule.facts().0),
            "{rule:?} {policy}"
        );
    }
}

#[test]
fn a_policy_of_the_user_stands_in_place_of_the_system_s() {
    let text = format!(r#"{{"default":{REJECT}}}"#);
    let lints = |is_user_policy| {
        lint(
            text.as_bytes(),
            &Context {
                is_user_policy,
                ..Context::default()
            },
        )
        .unwrap()
    };
    assert_eq!(
        lints(true).iter().map(|lint| lint.id).collect::<Vec<_>>(),
        ["PL31"]
    );
    assert_eq!(lints(false), []);
}

#[test]
fn lookasides() {
    let lints = |files: &[(&str, &str)]| {
        let registries =
            RegistriesD::parse(files.iter().map(|(name, text)| (*name, text.as_bytes()))).unwrap();
        let text = format!(r#"{{"default":{REJECT}}}"#);
        lint(
            text.as_bytes(),
            &Context {
                registries: Some(&registries),
                ..Context::default()
            },
        )
        .unwrap()
    };
    let base = |host: &str, base: &str| format!("  {host}:\n    lookaside: {base}\n");
    let docker = |sections: &[String]| format!("docker:\n{}", sections.concat());
    for (files, pointer) in [
        (vec![("a.yml", String::new())], "registries.d a.yml"),
        (
            vec![("a.yaml", docker(&[base("a.b", "http://x/")]))],
            r#"registries.d a.yaml: docker["a.b"].lookaside"#,
        ),
        (
            vec![("a.yaml", docker(&[base("a.b", "/var/lib")]))],
            r#"registries.d a.yaml: docker["a.b"].lookaside"#,
        ),
        (
            vec![(
                "a.yaml",
                "default-docker:\n  sigstore-staging: x.example/y".into(),
            )],
            "registries.d a.yaml: default-docker.sigstore-staging",
        ),
        (
            vec![
                ("a.yaml", docker(&[base("a.b", "http://x")])),
                ("b.yaml", docker(&[base("b.c", "http://x")])),
            ],
            r#"registries.d b.yaml: docker["b.c"].lookaside"#,
        ),
    ] {
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, text)| (*name, text.as_str()))
            .collect();
        assert_eq!(
            lints(&files)
                .iter()
                .map(|lint| (lint.id, lint.place.pointer.as_str()))
                .collect::<Vec<_>>(),
            [("PL27", pointer)]
        );
    }
    assert_eq!(
        lints(&[
            (
                "a.yaml",
                &docker(&[
                    base("a.b", "http://x"),
                    base("a.b/c", "http://x"),
                    base("b.c", "file:///y")
                ])
            ),
            ("README", "")
        ]),
        []
    );
}

#[test]
fn a_policy_that_does_not_parse_has_no_lints() {
    let (bytes, context): (&[&[u8]], _) = (
        &[b"", b"{}", b"\xff", br#"{"default":[]}"#],
        Context::default(),
    );
    for bytes in bytes {
        assert_eq!(
            lint(bytes, &context),
            Err(Policy::parse(bytes).unwrap_err())
        );
    }
}

#[test]
fn hostile_policies_are_linted_within_bounds() {
    let list = |count: usize, one: &dyn Fn(usize) -> String| {
        (0..count).map(one).collect::<Vec<_>>().join(",")
    };
    for text in [
        docker(&list(20_000, &|n| format!(r#""*.h{n}.x":{OPEN}"#))),
        docker(&list(20_000, &|n| format!(r#""h{n}.x:1":{REJECT}"#))),
        one(&list(28_000, &|_| {
            r#"{"type":"insecureAcceptAnything"}"#.into()
        })),
        one(&list(12_000, &|_| {
            r#"{"type":"sigstoreSigned","keyData":"YQ==","rekorPublicKeyPath":""}"#.into()
        })),
        docker(&format!(r#""{}":{OPEN}"#, "a/".repeat(500_000))),
        docker(&list(400, &|n| {
            format!(r#""h{n}.x/{}a":{REJECT}"#, "a/".repeat(500))
        })),
        ours(&list(5_000, &|n| format!(r#""h{n}.x":{DIGESTS}"#))),
        transport(&"x".repeat(900_000), ""),
    ] {
        let lints = found(&text);
        assert!(lints.len() <= 3 * limits::LINTS + 1, "{}", lints.len());
        assert!(
            lints
                .iter()
                .all(|lint| lint.message.len() < 1_000 && lint.place.pointer.len() < 500)
        );
    }
    let many = found(&docker(&list(2_000, &|n| format!(r#""busy{n}":{OPEN}"#))));
    let left_out: Vec<&Lint> = many.iter().filter(|lint| lint.id == "SL00").collect();
    assert_eq!(
        (
            left_out.len(),
            many.iter().filter(|lint| lint.id == "PL05").count()
        ),
        (1, limits::LINTS)
    );
    assert!(
        left_out[0].message.starts_with("1500 more"),
        "{}",
        left_out[0].message
    );
}

#[test]
fn transports_are_those_that_scopes_know() {
    assert!(
        scope::TRANSPORTS
            .iter()
            .all(|name| of(&transport(name, ""), Rule::UnknownTransport).is_empty())
    );
}

proptest! {
    #[test]
    fn never_panics_on_scopes(scope in "[a-cA:/@*.0-9-]{0,24}", other in "[a-c:/*.]{0,8}") {
        let text = docker(&format!(r#"{}:{SIGNED},"{other}x":{OPEN}"#, crate::encoding::json::quote(&scope)));
        if Policy::parse(text.as_bytes()).is_ok() {
            for lint in found(&text) {
                if let Some(edit) = lint.edit {
                    prop_assert!(Policy::parse(edited(&text, &edit).as_bytes()).is_ok(), "{} {}", text, edited(&text, &edit));
                }
            }
        }
    }

    /// A scope that is said never to match matches nothing, and one that matches is not said to.
    #[test]
    fn a_scope_of_an_image_is_fine(image in "[a-b]{1,2}(\\.[a-b]|:5)?(/[a-b]{1,2}){0,3}(:t|@)?") {
        let text = if image.ends_with('@') { format!("{image}{DIGEST}") } else { image };
        let reference = Reference::normalize(&text, Grammar::Containers).map(Reference::with_default_tag);
        if let Some(reference) = reference.ok().filter(|reference| scope::docker_identity(reference).is_ok()) {
            for scope in scope::docker_namespaces(&reference).into_iter().chain([reference.to_string()]) {
                prop_assert_eq!(docker_scope::form(&scope), docker_scope::Form::Fine, "{}", scope);
            }
        }
    }
}

/// Only where the build's own roots are named, and from the day on.
#[test]
fn roots_that_the_build_carries_get_old() {
    let made = UnixTime::parse(&format!("{}T00:00:00Z", crate::sigstore::roots::DATE)).unwrap();
    let old = |policy: &str, days: i64| {
        let context = Context {
            now: Some(UnixTime(made.0 + days * 86_400)),
            ..Context::default()
        };
        let lints = lint(policy.as_bytes(), &context).unwrap();
        let (id, _, _) = Rule::OldRoots.facts();
        lints.iter().filter(|lint| lint.id == id).count()
    };
    let identity = r#"{"issuer":"https://i.example","subject":"s@i.example"}"#;
    let rooted = |root: &str| our_sigstore(&format!(r#"{root},"identities":[{identity}]"#));
    let keys = r#""keyPath":"k.pub","trustedRoot":"public-good""#;
    for (policy, found) in [
        (rooted(r#""trustedRoot":"public-good""#), 1),
        (rooted(r#""trustedRoot":"staging""#), 1),
        (rooted(r#""trustedRoot":"github""#), 1),
        (our_sigstore(keys), 1),
        (rooted(r#""trustedRootPath":"root.json""#), 0),
        (our_sigstore(r#""keyPath":"k.pub""#), 0),
    ] {
        assert_eq!(
            (old(&policy, 179), old(&policy, 180)),
            (0, found),
            "{policy}"
        );
    }
    let text = lint(
        rooted(r#""trustedRoot":"public-good""#).as_bytes(),
        &Context::default(),
    );
    assert!(
        text.unwrap().iter().all(|lint| lint.id != "SL23"),
        "no clock"
    );
}
