//! PL23 and SL19 to SL21: what is in OpenPGP keyrings, by what their keys say of themselves. None of
//! that is verified here: whoever can write to the file could as well put a key of their own there.

use super::context::SOON;
use super::document::Item;
use super::finding::Findings;
use super::rule::Rule;
use crate::openpgp::{Keyring, OpenPgpError, Outlook, PossibleSigner};
use crate::policy::Requirement;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::{String, ToString};

pub(super) fn check(
    now: Option<UnixTime>,
    item: Item<'_>,
    bytes: &[u8],
    what: &str,
    findings: &mut Findings,
) {
    let keyring = match Keyring::read(bytes) {
        // It has a lint of its own.
        Err(OpenPgpError::SecretKey) => return,
        Err(error) => return unusable(item, what, &error.to_string(), findings),
        Ok(keyring) => keyring,
    };
    if keyring.is_empty() {
        let why = keyring.note().map(ToString::to_string).unwrap_or_default();
        return unusable(item, what, &why, findings);
    }
    let Some(now) = now else { return };
    let outlooks = keyring.outlooks(now);
    let can_sign = |outlook: &Outlook| outlook.signers.iter().any(|own| own.expires.is_ok());
    if !outlooks.iter().any(can_sign) {
        let why = outlooks.first().map(why_not).unwrap_or_default();
        return unusable(item, what, &why, findings);
    }
    for outlook in &outlooks {
        if can_sign(outlook) {
            signers(now, item, outlook, what, findings);
        } else {
            let message = format!(
                "{what}: no signature by the key {} counts: {}; leave it out, or put a newer copy \
                 of it there",
                outlook.key,
                why_not(outlook)
            );
            findings.add(rule_of(outlook), item.place(), message, None);
        }
    }
}

/// SL14.
fn unusable(item: Item<'_>, what: &str, why: &str, findings: &mut Findings) {
    let message = format!("{what} has no key whose signatures count, so it accepts none: {why}");
    findings.add(Rule::KeyUnusable, item.place(), message, None);
}

/// What stands in its way most of all: that a key may only certify is so of most primary keys.
fn why_not(outlook: &Outlook) -> String {
    let errors = || outlook.signers.iter().filter_map(failure);
    errors()
        .find(|error| !matches!(error, OpenPgpError::NotForSigning { .. }))
        .or_else(|| errors().next())
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn failure(signer: &PossibleSigner) -> Option<&OpenPgpError> {
    signer.expires.as_ref().err()
}

fn rule_of(outlook: &Outlook) -> Rule {
    if outlook.signers.iter().filter_map(failure).any(is_weak) {
        Rule::WeakKey
    } else {
        Rule::KeyCannotSign
    }
}

fn is_weak(error: &OpenPgpError) -> bool {
    matches!(error, OpenPgpError::Key { error } if error.is_weak())
}

/// PL23, SL20, SL21.
fn signers(
    UnixTime(now): UnixTime,
    item: Item<'_>,
    outlook: &Outlook,
    what: &str,
    findings: &mut Findings,
) {
    let mut said = None;
    for signer in &outlook.signers {
        let name = if signer.key == outlook.key {
            format!("the key {}", outlook.key)
        } else {
            format!("the subkey {} of the key {}", signer.key, outlook.key)
        };
        match &signer.expires {
            // Subkeys that end with their primary key are not said again.
            Ok(Some(end)) if end.0 < now.saturating_add(SOON) && said != Some(*end) => {
                said = Some(*end);
                let (says, when) = if end.0 < now {
                    ("expired", "")
                } else {
                    ("expires", " from then on")
                };
                // What that is worth has a lint of its own.
                let unless = match item.requirement {
                    Requirement::SignedBy(signed) => signed.expired_keys,
                    _ => None,
                }
                .map_or(String::new(), |until| {
                    format!(" (but until {until}, as expiredKeys says)")
                });
                let message = format!(
                    "{what}: {name} {says} on {end}: whatever it signed, before that too, is \
                     refused{when}{unless}; \
                     have its owner prolong it (gpg --quick-set-expire) and put the new copy \
                     there, or have the images signed by another key of the file"
                );
                findings.add(Rule::ExpiredKey, item.place(), message, None);
            }
            Err(error) if is_weak(error) => {
                let message = format!("{what}: no signature by {name} counts: {error}");
                findings.add(Rule::WeakKey, item.place(), message, None);
            }
            _ => {}
        }
    }
    if outlook.is_sha1 {
        let message = format!(
            "{what}: what the key {} says of itself has a SHA-1 digest, which GnuPG takes there, and \
             other readers do not: have its owner sign it again (gpg --cert-digest-algo SHA256 \
             --quick-set-expire)",
            outlook.key
        );
        findings.add(Rule::Sha1Key, item.place(), message, None);
    }
}
