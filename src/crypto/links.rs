//! Links of chains that were seen to hold before (docs/trust.md section 7).
//!
//! In scope: one positive fact, that this key verified this signature over these bytes under this
//! scheme. Out of scope: whatever else makes a chain hold. Anchors, windows, constraints and usages
//! are judged every time, by those who ask.

use super::check::{Message, Outcome, Provider, Role, SignatureCheck};
use crate::digest::sha256;
use crate::error::HostError;
use crate::limits;
use crate::shared::Shared;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// What holds of a link, by a hash of all of it.
type Fact = [u8; 32];

/// The links above signers that were seen to hold, at most 256 of them: what was not
/// met for longest is forgotten first. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Links(Arc<Shared<Vec<Fact>>>);

impl Links {
    /// Whether exactly this was seen to hold. Nothing but links is ever remembered.
    pub fn hold(&self, check: &SignatureCheck) -> bool {
        is_kept(check) && {
            let fact = fact(check);
            self.0.with(|known| {
                let at = known.iter().position(|known| *known == fact);
                if let Some(at) = at {
                    let met = known.remove(at);
                    known.push(met);
                }
                at.is_some()
            })
        }
    }

    /// Remembers what holds; that something does not is never remembered.
    pub fn note(&self, check: &SignatureCheck, outcome: Outcome) {
        if outcome != Outcome::Holds || !is_kept(check) {
            return;
        }
        let fact = fact(check);
        self.0.with(|known| {
            known.retain(|known| *known != fact);
            if known.len() >= limits::LINKS {
                known.remove(0);
            }
            known.push(fact);
        });
    }
}

/// Signatures of issuers over authorities: those over signers are each met once.
fn is_kept(check: &SignatureCheck) -> bool {
    let is_link = matches!(
        check.role(),
        Role::CertificateSignature | Role::TimestampCertificate
    );
    is_link && check.recurs()
}

/// Key, scheme, message and signature, each after its length: no two checks have one text.
fn fact(check: &SignatureCheck) -> Fact {
    let scheme = check.scheme().to_string();
    let (kind, message) = match check.message() {
        Message::Bytes(bytes) => ("bytes", bytes),
        Message::Digest(hash, digest) => (hash.name(), digest),
    };
    let parts = [
        check.key().spki_der(),
        scheme.as_bytes(),
        kind.as_bytes(),
        message,
        check.signature(),
    ];
    let mut text = Vec::with_capacity(parts.iter().map(|part| part.len().saturating_add(8)).sum());
    for part in parts {
        text.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        text.extend_from_slice(part);
    }
    sha256(&text)
}

/// A provider that checks no link twice, as far as it remembers.
#[derive(Debug, Clone)]
pub struct Remembering<'a, P> {
    provider: &'a P,
    links: &'a Links,
}

impl<'a, P> Remembering<'a, P> {
    /// Over a provider, with what was seen to hold before.
    pub fn new(provider: &'a P, links: &'a Links) -> Self {
        Self { provider, links }
    }
}

impl<P: Provider> Provider for Remembering<'_, P> {
    fn remembers(&self, check: &SignatureCheck) -> bool {
        self.links.hold(check)
    }

    async fn verify(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        let outcome = self.provider.verify(check).await?;
        self.links.note(check, outcome);
        Ok(outcome)
    }

    async fn pause(&self) {
        self.provider.pause().await;
    }
}

#[cfg(test)]
mod tests;
