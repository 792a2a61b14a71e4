//! PL04, PL12 to PL19, PL22, PL24, PL25, PL29, PL30: requirements, one by one and beside each
//! other.

use super::docker_scope;
use super::document::Document;
use super::document::Item;
use super::document::Scope;
use super::edit;
use super::edit::Edit;
use super::finding::Findings;
use super::rule::Rule;
use crate::encoding::json::quote;
use crate::policy::KeySource;
use crate::policy::KeyType;
use crate::policy::Matcher;
use crate::policy::Requirement;
use crate::policy::Trust;
use crate::policy::error::shown;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Those that never carry signatures.
const UNSIGNED: [&str; 6] = [
    "oci",
    "oci-archive",
    "docker-archive",
    "docker-daemon",
    "sif",
    "tarball",
];
/// Those whose images have no name.
const UNNAMED: [&str; 4] = ["dir", "oci", "oci-archive", "sif"];
const REKOR: [&str; 4] = [
    "rekorPublicKeyPath",
    "rekorPublicKeyPaths",
    "rekorPublicKeyData",
    "rekorPublicKeyDatas",
];

pub(super) fn check(document: &Document<'_>, findings: &mut Findings) {
    let mut unseen_bundles = None;
    for scope in document.scopes.iter().copied() {
        dead(scope, findings);
        rotation(document, scope, findings);
        for item in scope.items() {
            unimplemented(item, findings);
            transport(item, findings);
            identity(item, findings);
            log(item, findings);
            certificates(item, findings);
            empty(item, findings);
            remap(item, findings);
            if unseen_bundles.is_none() && is_blind_to_bundles(item) {
                unseen_bundles = Some(item);
            }
        }
    }
    if let Some(item) = unseen_bundles {
        let message = "signatures are read from .sig tags here (with a log demanded: under a \
                       Rekor v1 SET); the bundles that cosign 3 writes by default are not seen: \
                       sign with --new-bundle-format=false, or accept bundles by matchDigest";
        findings.add(Rule::CosignV3, item.place(), message.into(), None);
    }
}

/// PL04.
fn dead(scope: Scope<'_>, findings: &mut Findings) {
    if scope.requirements.len() < 2 {
        return;
    }
    let rejects = scope.requirements.contains(&Requirement::Reject);
    for item in scope.items() {
        match item.requirement {
            Requirement::InsecureAcceptAnything => {
                let edit = edit::without_element(&scope.member.node, item.number);
                findings.add(
                    Rule::DeadRequirement,
                    item.place(),
                    "requirements are ANDed, so this one changes nothing: remove it".into(),
                    edit.filter(|_| !rejects),
                );
            }
            Requirement::Reject => {
                let edit = Some(edit::replace(&scope.member.node, r#"[{"type": "reject"}]"#));
                findings.add(
                    Rule::DeadRequirement,
                    item.place(),
                    "requirements are ANDed, so this one decides everything: remove it, or those \
                     beside it"
                        .into(),
                    edit,
                );
            }
            _ => {}
        }
    }
}

/// PL12.
fn unimplemented(item: Item<'_>, findings: &mut Findings) {
    match item.requirement {
        Requirement::SignedBaseLayer { .. } => {
            findings.add(
                Rule::Unimplemented,
                item.place(),
                "signedBaseLayer always rejects: it was never implemented; remove it, or write \
                 reject"
                    .into(),
                None,
            );
        }
        Requirement::SignedBy(signed) if signed.key_type != KeyType::GpgKeys => {
            let edit = item
                .node
                .member("keyType")
                .filter(|_| signed.key_type == KeyType::SignedByGpgKeys)
                .map(|node| edit::replace(node, r#""GPGKeys""#));
            findings.add(
                Rule::Unimplemented,
                item.place_of("keyType"),
                "this keyType parses and always rejects: only GPGKeys works".into(),
                edit,
            );
        }
        _ => {}
    }
}

/// PL13, PL14.
fn transport(item: Item<'_>, findings: &mut Findings) {
    let (Some(name), Some(matcher)) = (item.scope.transport, item.matcher()) else {
        return;
    };
    if UNSIGNED.contains(&name) {
        let message = format!(
            "images of {name}: carry no signatures, so this always rejects: write reject, or sign \
             and pull them from a registry"
        );
        findings.add(Rule::NoSignatureTransport, item.place(), message, None);
    }
    let by_image = !matches!(
        matcher,
        Matcher::ExactReference(_) | Matcher::ExactRepository(_) | Matcher::Digest { .. }
    );
    if UNNAMED.contains(&name) && by_image {
        let message = format!(
            "images of {name}: have no name, so {} matches nothing: use exactReference or \
             exactRepository",
            matcher.kind()
        );
        findings.add(
            Rule::IdentityNeedsRef,
            item.place_of("signedIdentity"),
            message,
            None,
        );
    }
}

/// PL15, PL16.
fn identity(item: Item<'_>, findings: &mut Findings) {
    let (Some(matcher), sigstore) = (
        item.matcher(),
        matches!(item.requirement, Requirement::SigstoreSigned(_)),
    ) else {
        return;
    };
    match matcher {
        Matcher::Exact | Matcher::RepoDigestOrExact if sigstore => {
            let wanted = r#"{"type": "matchRepository"}"#;
            let edit = match item.node.member("signedIdentity") {
                Some(node) => Some(edit::replace(node, wanted)),
                None => edit::append(item.node, &format!("\"signedIdentity\": {wanted}")),
            };
            let message = format!(
                "{} wants a tag or digest in the signature, and cosign signs the bare repository: \
                 use matchRepository (any signed tag then passes as any other), unless podman or \
                 skopeo signs",
                matcher.kind()
            );
            findings.add(
                Rule::CosignIdentity,
                item.place_of("signedIdentity"),
                message,
                edit,
            );
        }
        Matcher::Repository | Matcher::ExactRepository(_) | Matcher::RemapRepository { .. } => {
            let message = format!(
                "{}: any signed tag of the repository passes as any other, older ones too \
                 (rollback); pull by digest where that matters",
                matcher.kind()
            );
            findings.add(
                Rule::TagSubstitution,
                item.place_of("signedIdentity"),
                message,
                None,
            );
        }
        _ => {}
    }
}

/// PL17, PL18.
fn log(item: Item<'_>, findings: &mut Findings) {
    let Some(Trust::Keys(_)) = item.trust() else {
        return;
    };
    let logged =
        matches!(item.requirement, Requirement::SigstoreSigned(signed) if signed.rekor.is_some());
    if logged {
        return;
    }
    match REKOR
        .into_iter()
        .find(|key| item.node.member(key).is_some())
    {
        Some(key) => {
            let message = format!(
                "an empty {key} is as if it were absent: no transparency log is demanded; name \
                 the log's key, or remove the member"
            );
            findings.add(
                Rule::RekorOff,
                item.place_of(key),
                message,
                edit::without_member(item.node, key),
            );
        }
        None => {
            let message = "keys without a transparency log: nothing shows when a signature was \
                           made, nor that it was made in public; whoever has the key signs unseen";
            findings.add(Rule::NoTransparency, item.place(), message.into(), None);
        }
    }
}

/// PL19, PL20 (for `fulcio`), PL24.
fn certificates(item: Item<'_>, findings: &mut Findings) {
    match item.trust() {
        Some(Trust::Fulcio(fulcio)) => {
            if fulcio.subject_email.contains("://") || !fulcio.subject_email.contains('@') {
                let message = format!(
                    "{:?} is no e-mail address, and fulcio compares nothing else: no certificate \
                     matches; workflows of CI need identities with a trusted root (a policy with \
                     \"sealgate\": {{\"version\": 1}})",
                    shown(&fulcio.subject_email)
                );
                findings.add(Rule::FulcioUri, item.place_of("fulcio"), message, None);
            }
            let node = item
                .node
                .member("fulcio")
                .and_then(|fulcio| fulcio.member("oidcIssuer"));
            if let Some((message, better)) = issuer(&fulcio.oidc_issuer) {
                findings.add(
                    Rule::IssuerForm,
                    item.place_of("fulcio"),
                    message,
                    node.map(|node| edit::replace(node, quote(&better))),
                );
            }
        }
        Some(Trust::Pki(_)) => {
            let message = "pki has no timestamps: a signature is worth nothing once its \
                           certificate has expired; sign again before, or use keys or a trusted \
                           root";
            findings.add(
                Rule::PkiLifetime,
                item.place_of("pki"),
                message.into(),
                None,
            );
        }
        _ => {}
    }
}

/// What is odd about an issuer, and what was probably meant.
pub(super) fn issuer(text: &str) -> Option<(String, String)> {
    let rest = text.strip_prefix("https://");
    let wanted = rest
        .unwrap_or_else(|| text.split_once("://").map_or(text, |(_, rest)| rest))
        .trim_end_matches('/');
    let what = if rest.is_none() {
        "does not begin with https://"
    } else {
        "ends in /"
    };
    let odd = rest.is_none() || text.ends_with('/');
    odd.then(|| {
        let message = format!(
            "{:?} {what}, and issuers are compared byte for byte: write what the certificates say \
             (usually https://{})",
            shown(text),
            shown(wanted)
        );
        (message, format!("https://{wanted}"))
    })
}

/// PL22.
fn rotation(document: &Document<'_>, scope: Scope<'_>, findings: &mut Findings) {
    for kind in ["signedBy", "sigstoreSigned"] {
        let same: Vec<Item<'_>> = scope
            .items()
            .filter(|item| item.requirement.kind() == kind)
            .collect();
        let [_, second, ..] = same.as_slice() else {
            continue;
        };
        let message = format!(
            "{} requirements of type {kind}: all of them must be met, by signatures of their own; \
             to rotate keys, list them in one requirement (keyPaths)",
            same.len()
        );
        let edit = merged(document, scope, &same);
        findings.add(Rule::AndRotation, second.place(), message, edit);
    }
}

/// One requirement with all keys, where the requirements differ in `keyPath` alone and stand alone.
fn merged(document: &Document<'_>, scope: Scope<'_>, same: &[Item<'_>]) -> Option<Edit> {
    let all = same.len() == scope.requirements.len();
    let (first, last) = (same.first()?, same.last()?);
    let alike = |item: &Item<'_>| match (item.requirement, first.requirement) {
        (Requirement::SignedBy(a), Requirement::SignedBy(b)) => {
            a.key_type == b.key_type && a.identity == b.identity
        }
        (Requirement::SigstoreSigned(a), Requirement::SigstoreSigned(b)) => {
            matches!((&a.trust, &b.trust), (Trust::Keys(_), Trust::Keys(_)))
                && a.rekor == b.rekor
                && a.identity == b.identity
        }
        _ => false,
    };
    let paths: Option<Vec<String>> = same
        .iter()
        .map(|item| {
            Some(quote(
                item.node
                    .member("keyPath")?
                    .as_str()
                    .filter(|path| !path.is_empty())?,
            ))
        })
        .collect();
    let paths =
        paths.filter(|_| all && same.iter().all(alike) && same.len() <= crate::limits::COMPARED)?;
    let member = first
        .node
        .as_object()?
        .iter()
        .find(|member| member.key == "keyPath")?;
    let whole = document.text(first.node);
    let from = member.key_span.start.checked_sub(first.node.span.start)?;
    let to = member.node.span.end.checked_sub(first.node.span.start)?;
    let text = format!(
        "{}\"keyPaths\": [{}]{}",
        whole.get(..from)?,
        paths.join(", "),
        whole.get(to..)?
    );
    Some(Edit {
        at: first.node.span.start..last.node.span.end,
        text,
    })
}

/// PL25.
fn empty(item: Item<'_>, findings: &mut Findings) {
    let sources = match item.requirement {
        Requirement::SignedBy(signed) => alloc::vec![&signed.keys],
        Requirement::SigstoreSigned(signed) => signed
            .trust
            .sources()
            .into_iter()
            .chain(&signed.rekor)
            .collect(),
        Requirement::Attested(attested) => attested.trust.sources(),
        _ => Vec::new(),
    };
    let is_empty = |source: &&KeySource| match source {
        KeySource::Path(path) => path.is_empty(),
        KeySource::Paths(paths) => paths.is_empty() || paths.iter().any(String::is_empty),
        KeySource::Data(data) => data.is_empty(),
        KeySource::Datas(datas) => datas.is_empty() || datas.iter().any(Vec::is_empty),
    };
    if sources.iter().any(is_empty) {
        findings.add(
            Rule::EmptyKeys,
            item.place(),
            "a key of this requirement is empty: it parses, and always rejects; give the key, or \
             write reject"
                .into(),
            None,
        );
    }
}

/// PL29.
fn remap(item: Item<'_>, findings: &mut Findings) {
    let Some(Matcher::RemapIdentity { prefix, .. } | Matcher::RemapRepository { prefix, .. }) =
        item.matcher()
    else {
        return;
    };
    let host = docker_scope::authority(prefix);
    let short = !docker_scope::is_host(host);
    if short || item.scope.is_docker() && !meets(item.scope.key, prefix) {
        let why = if short {
            "is no name with a host"
        } else {
            "is the beginning of no image of this scope"
        };
        let message = format!(
            "the prefix {:?} {why}: the remapping never applies, and signatures must name the \
             image itself; write it as the image's name begins",
            shown(prefix)
        );
        findings.add(
            Rule::RemapMiss,
            item.place_of("signedIdentity"),
            message,
            None,
        );
    }
}

/// Whether an image of docker scope `key` can begin with `prefix`.
fn meets(key: &str, prefix: &str) -> bool {
    if key.is_empty() {
        return true;
    }
    let host = docker_scope::authority(prefix)
        .split(':')
        .next()
        .unwrap_or_default();
    if let Some(domain) = key.strip_prefix('*') {
        return host.ends_with(domain);
    }
    let begins = |long: &str, short: &str| {
        long.strip_prefix(short)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':', '@']))
    };
    begins(key, prefix) || begins(prefix, key)
}

/// PL30: whether bundles that name no repository cannot meet it.
fn is_blind_to_bundles(item: Item<'_>) -> bool {
    match item.requirement {
        Requirement::SigstoreSigned(signed) => {
            !(signed.reads_bundles() && signed.identity.accepts_unnamed())
        }
        _ => false,
    }
}
