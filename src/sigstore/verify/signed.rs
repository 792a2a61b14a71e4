//! What a verified bundle says.

use super::witness::{LoggedEntry, Stamp, Witnesses};
use crate::sigstore::statement::Statement;
use crate::simple_signing::Payload;
use crate::time::UnixTime;
use crate::x509::Certificate;
use crate::x509::fulcio::Claims;
use alloc::vec::Vec;

/// What a signature is over.
#[derive(Debug, Clone)]
pub enum Says {
    /// An in-toto statement, about the artifact.
    Statement(Statement),
    /// A payload of simple signing. Which image it is about, and under which name, is still to be
    /// compared.
    Payload(Payload),
    /// The artifact itself.
    Blob,
}

/// What a verified bundle says.
#[derive(Debug, Clone)]
pub struct Signed {
    /// What is signed.
    pub says: Says,
    /// Who signed, where a certificate says it.
    pub claims: Option<Claims>,
    /// The certificate.
    pub certificate: Option<Certificate>,
    /// When, by everyone who was believed.
    pub times: Vec<UnixTime>,
    /// The entries in listed logs; all hold.
    pub log_entries: Vec<LoggedEntry>,
    /// The timestamps of listed authorities.
    pub timestamps: Vec<Stamp>,
}

impl Signed {
    pub(super) fn new(says: Says, leaf: Option<(&Certificate, Claims)>, seen: &Witnesses) -> Self {
        let (certificate, claims) = leaf.map_or((None, None), |(leaf, claims)| {
            (Some(leaf.clone()), Some(claims))
        });
        Self {
            says,
            claims,
            certificate,
            times: seen.times.clone(),
            log_entries: seen.entries.clone(),
            timestamps: seen.stamps.clone(),
        }
    }
}
