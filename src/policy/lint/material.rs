//! PL21, PL23 and ours of the same kind: what is in the files that the policy names, and in its
//! inline data.

use super::context::SOON;
use super::document::Document;
use super::document::Item;
use super::edit::Edit;
use super::finding::Findings;
#[cfg(feature = "openpgp")]
use super::keyring;
use super::rule::Rule;
use crate::crypto::KeyKind;
use crate::crypto::PublicKey;
use crate::crypto::holds_private_key;
use crate::encoding::base64;
use crate::encoding::json::quote;
use crate::encoding::pem;
use crate::keyed::Keys;
use crate::limits;
use crate::policy::KeySource;
#[cfg(feature = "openpgp")]
use crate::policy::KeyType;
use crate::policy::Requirement;
use crate::policy::Trust;
use crate::policy::error::shown;
use crate::time::UnixTime;
use crate::x509::Certificate;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What a source is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    Key,
    Rekor,
    Certificates,
    #[cfg(feature = "openpgp")]
    Keyring,
}

pub(super) fn check(document: &Document<'_>, findings: &mut Findings) {
    let mut looked_at = Keys::default();
    let mut searched = Keys::default();
    for item in document.items() {
        private(document, item, &mut searched, findings);
        missing(document, item, findings);
        for (source, purpose) in sources(item) {
            for path in source.paths() {
                let asset = document.context.assets.and_then(|assets| assets.get(path));
                // A file that many requirements name is opened once.
                if let Some(bytes) = asset.filter(|_| looked_at.add(format!("{purpose:?} {path}")))
                {
                    look(
                        document,
                        item,
                        purpose,
                        bytes,
                        &format!("the file {:?}", shown(path)),
                        findings,
                    );
                }
            }
            for bytes in source.datas().iter().filter(|bytes| !bytes.is_empty()) {
                look(document, item, purpose, bytes, "the inline data", findings);
            }
        }
    }
}

fn sources(item: Item<'_>) -> Vec<(&KeySource, Use)> {
    let beside = match item.requirement {
        Requirement::SigstoreSigned(signed) => {
            signed.rekor.as_ref().map(|source| (source, Use::Rekor))
        }
        #[cfg(feature = "openpgp")]
        Requirement::SignedBy(signed) if signed.key_type == KeyType::GpgKeys => {
            Some((&signed.keys, Use::Keyring))
        }
        _ => None,
    };
    let purpose = match item.trust() {
        Some(Trust::Keys(_) | Trust::LoggedKeys { .. }) => Use::Key,
        _ => Use::Certificates,
    };
    item.trust()
        .map(Trust::sources)
        .unwrap_or_default()
        .into_iter()
        .map(|source| (source, purpose))
        .chain(beside)
        .collect()
}

/// SL17, OpenPGP keyrings included.
fn private<'a>(
    document: &Document<'a>,
    item: Item<'a>,
    searched: &mut Keys,
    findings: &mut Findings,
) {
    let mut add = |what: String| {
        let message = format!(
            "{what} holds a private key, so the policy is not used at all: give the public key in \
             its place (cosign public-key --key FILE, openssl pkey -in FILE -pubout, gpg \
             --export), and make a new pair if others could read this file"
        );
        findings.add(Rule::PrivateKey, item.place(), message, None);
    };
    for path in item.requirement.paths() {
        let asset = document.context.assets.and_then(|assets| assets.get(path));
        if asset
            .filter(|_| searched.add(path))
            .is_some_and(|bytes| holds_private_key(bytes))
        {
            add(format!("the file {:?}", shown(path)));
        }
    }
    if item.requirement.datas().any(holds_private_key) {
        add("the inline data".into());
    }
}

fn missing(document: &Document<'_>, item: Item<'_>, findings: &mut Findings) {
    let Some(assets) = document.context.assets else {
        return;
    };
    let absent: Vec<String> = item
        .requirement
        .paths()
        .into_iter()
        .filter(|path| !path.is_empty() && !assets.contains_key(*path))
        .map(shown)
        .collect();
    if let Some(first) = absent.first() {
        let more = if absent.len() > 1 {
            format!(" and {} more", absent.len() - 1)
        } else {
            String::new()
        };
        findings.add(
            Rule::FileMissing,
            item.place(),
            format!(
                "the policy names {first:?}{more}, which is not there: put it there, or correct \
                 the path"
            ),
            None,
        );
    }
}

fn look(
    document: &Document<'_>,
    item: Item<'_>,
    purpose: Use,
    bytes: &[u8],
    what: &str,
    findings: &mut Findings,
) {
    if bytes.len() > limits::KEY_FILE {
        findings.add(
            Rule::KeyUnusable,
            item.place(),
            format!("{what} has more than 1 MiB: no key or certificate is so large"),
            None,
        );
        return;
    }
    #[cfg(feature = "openpgp")]
    if purpose == Use::Keyring {
        return keyring::check(document.context.now, item, bytes, what, findings);
    }
    if purpose == Use::Certificates {
        return certificates(document, item, bytes, what, findings);
    }
    match PublicKey::from_pem(bytes) {
        Err(error) => findings.add(
            Rule::KeyUnusable,
            item.place(),
            format!("{what} is no key that can be used, so this always rejects: {error}"),
            None,
        ),
        Ok(key) if purpose == Use::Rekor && !matches!(key.kind(), KeyKind::Ecdsa(_)) => {
            findings.add(
                Rule::KeyUnusable,
                item.place(),
                format!(
                    "{what} holds {} as Rekor's key, which must be ECDSA: this always rejects",
                    key.kind()
                ),
                None,
            );
        }
        Ok(_) => {}
    }
    several_blocks(item, purpose, bytes, what, findings);
}

fn several_blocks(item: Item<'_>, purpose: Use, bytes: &[u8], what: &str, findings: &mut Findings) {
    // As Go has it, text is what is UTF-8; only the first block counts.
    let blocks = pem::all(
        core::str::from_utf8(bytes).unwrap_or_default(),
        limits::LINTED_BLOCKS,
    );
    if blocks.len() > 1 {
        let members = if purpose == Use::Rekor {
            "rekorPublicKeyPaths or rekorPublicKeyDatas"
        } else {
            "keyPaths or keyDatas"
        };
        let message = format!(
            "{what} holds {} PEM blocks, and only the first is used: give each key a file of its \
             own, in {members}",
            blocks.len()
        );
        findings.add(
            Rule::MultiPem,
            item.place(),
            message,
            apart(item, purpose, &blocks),
        );
    }
}

/// Inline data as a list.
fn apart(item: Item<'_>, purpose: Use, blocks: &[pem::Block<'_>]) -> Option<Edit> {
    let (one, many) = if purpose == Use::Rekor {
        ("rekorPublicKeyData", "rekorPublicKeyDatas")
    } else {
        ("keyData", "keyDatas")
    };
    let member = item
        .node
        .as_object()?
        .iter()
        .find(|member| member.key == one && !member.node.is_null())?;
    let fits = matches!(
        item.requirement,
        Requirement::SigstoreSigned(_) | Requirement::Attested(_)
    ) && item.node.member(many).is_none();
    let datas: Vec<String> = blocks
        .iter()
        .map(|block| {
            quote(&base64::encode(
                pem::encode(block.label, &block.body).as_bytes(),
            ))
        })
        .collect();
    fits.then(|| Edit {
        at: member.key_span.start..member.node.span.end,
        text: format!("{}: [{}]", quote(many), datas.join(", ")),
    })
}

/// PL23.
fn certificates(
    document: &Document<'_>,
    item: Item<'_>,
    bytes: &[u8],
    what: &str,
    findings: &mut Findings,
) {
    let blocks = pem::all(
        core::str::from_utf8(bytes).unwrap_or_default(),
        limits::LINTED_BLOCKS,
    );
    let found: Vec<Certificate> = blocks
        .iter()
        .filter(|block| block.label == "CERTIFICATE")
        .filter_map(|block| Certificate::parse(&block.body).ok())
        .collect();
    if found.is_empty() {
        findings.add(
            Rule::KeyUnusable,
            item.place(),
            format!(
                "{what} holds no certificate that can be used, so this always rejects: give the \
                 authority's certificate in PEM"
            ),
            None,
        );
    }
    let Some(UnixTime(now)) = document.context.now else {
        return;
    };
    for certificate in found {
        let UnixTime(end) = certificate.not_after();
        if end < now.saturating_add(SOON) {
            let says = if end < now { "expired" } else { "expires" };
            let message = format!(
                "{what}: the certificate of {} {says} on {}: signatures that were made under it \
                 stop verifying then; renew it in time",
                shown(&certificate.shown()),
                certificate.not_after()
            );
            findings.add(Rule::ExpiredKey, item.place(), message, None);
        }
    }
}
