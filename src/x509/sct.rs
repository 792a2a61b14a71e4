//! Signed certificate timestamps that a certificate carries (RFC 6962 sections 3.2 and 3.3).
//!
//! A log signs the precertificate: the TBSCertificate without this list, and the hash of the
//! issuer's key. Out of scope: precertificates with a signing certificate of their own, SCTs that
//! come beside the certificate.

use super::anchor::refused;
use super::certificate::Certificate;
use super::error::X509Error;
use crate::crypto::EcdsaForm;
use crate::crypto::Hash;
use crate::crypto::KeyKind;
use crate::crypto::Message;
use crate::crypto::Pending;
use crate::crypto::PublicKey;
use crate::crypto::Refused;
use crate::crypto::Role;
use crate::crypto::Rule;
use crate::crypto::Scheme;
use crate::crypto::SignatureCheck;
use crate::digest::sha256;
use crate::encoding::der::{Elements, ObjectIdentifier, Tag, constructed, wrap};
use crate::encoding::hex;
use crate::limits;
use crate::time::UnixTime;
use alloc::vec::Vec;

/// The extension that holds the list.
pub const OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");

/// One timestamp: well-formed, not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sct {
    log_id: [u8; 32],
    milliseconds: u64,
    extensions: Vec<u8>,
    /// HashAlgorithm and SignatureAlgorithm of RFC 5246 section 7.4.1.4.1.
    algorithm: [u8; 2],
    signature: Vec<u8>,
}

/// A log has promised to list this certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SctClaim {
    /// SHA-256 of the log's SubjectPublicKeyInfo.
    pub log_id: [u8; 32],
    /// When, to the second.
    pub time: UnixTime,
}

/// Every SCT that `certificate` carries; none when it has no list.
///
/// # Errors
/// [`X509Error::Sct`], [`X509Error::TooMany`].
pub fn scts(certificate: &Certificate) -> Result<Vec<Sct>, X509Error> {
    let Some(value) = certificate.extension(OID) else {
        return Ok(Vec::new());
    };
    let mut values = Elements::of(value, "the list of signed certificate timestamps");
    let list = values.take(Tag::OctetString)?.body;
    values.finish()?;
    let mut outside = Bytes(list);
    let mut list = Bytes(outside.prefixed().ok_or(X509Error::Sct {
        what: "its length is wrong",
    })?);
    outside.finish().ok_or(X509Error::Sct {
        what: "something follows it",
    })?;
    let mut scts = Vec::new();
    while scts.is_empty() || !list.0.is_empty() {
        if scts.len() == limits::SCTS {
            return Err(X509Error::TooMany {
                what: "signed certificate timestamps",
                limit: limits::SCTS,
            });
        }
        let sct = list.prefixed().ok_or(X509Error::Sct {
            what: "an entry's length is wrong",
        })?;
        scts.push(read(sct).ok_or(X509Error::Sct {
            what: "an entry is malformed, or of another version than 1",
        })?);
    }
    Ok(scts)
}

/// RFC 6962 section 3.2.
fn read(sct: &[u8]) -> Option<Sct> {
    let mut bytes = Bytes(sct);
    let [0] = bytes.take::<1>()? else { return None };
    let log_id = bytes.take::<32>()?;
    let milliseconds = u64::from_be_bytes(bytes.take::<8>()?);
    let extensions = bytes.prefixed()?.into();
    let algorithm = bytes.take::<2>()?;
    let signature = bytes.prefixed()?.into();
    bytes.finish()?;
    Some(Sct {
        log_id,
        milliseconds,
        extensions,
        algorithm,
        signature,
    })
}

impl Sct {
    /// Which log it says it is of.
    pub fn log_id(&self) -> [u8; 32] {
        self.log_id
    }

    /// When, to the second, as far as it can be said.
    pub fn time(&self) -> UnixTime {
        UnixTime(i64::try_from(self.milliseconds / 1_000).unwrap_or(i64::MAX))
    }

    /// That the log with `log_key` signed this over `leaf`, issued by the key `issuer_spki_der`.
    /// Whether the log counted at that time is the caller's to judge.
    ///
    /// # Errors
    /// [`X509Error::SctLog`], [`X509Error::SctAlgorithm`], a signature that is malformed.
    pub fn claim(
        &self,
        leaf: &Certificate,
        issuer_spki_der: &[u8],
        log_key: &PublicKey,
    ) -> Result<Pending<SctClaim>, Refused> {
        // RFC 6962 section 3.2: the log's id is the hash of its key.
        if sha256(log_key.spki_der()) != self.log_id {
            return Err(refused(X509Error::SctLog));
        }
        let scheme = self.scheme(log_key).map_err(refused)?;
        let message = self.signed(leaf, issuer_spki_der).map_err(refused)?;
        let check = SignatureCheck::new(
            Role::SignedCertificateTimestamp,
            log_key,
            scheme,
            EcdsaForm::Der,
            Message::Bytes(message),
            &self.signature,
        )
        .map_err(refused)?;
        let claim = Pending::read(check, |message| {
            let Message::Bytes(bytes) = message else {
                return Err(X509Error::Sct {
                    what: "it was hashed",
                }
                .into());
            };
            let mut bytes = Bytes(bytes);
            let malformed = || X509Error::Sct {
                what: "it was not built",
            };
            let [0, 0] = bytes.take::<2>().ok_or_else(malformed)? else {
                return Err(malformed().into());
            };
            let milliseconds = u64::from_be_bytes(bytes.take::<8>().ok_or_else(malformed)?);
            Ok(UnixTime(
                i64::try_from(milliseconds / 1_000).unwrap_or(i64::MAX),
            ))
        })?;
        let rule = Rule::new(
            "sct.log",
            alloc::format!(
                "the timestamp is of the certificate transparency log {}",
                hex::encode(&self.log_id)
            ),
        );
        claim.check(rule, |time| {
            Ok(SctClaim {
                log_id: self.log_id,
                time,
            })
        })
    }

    /// RFC 6962 section 2.1.4: SHA-256, by the kind of the log's key; the SCT must say the same.
    fn scheme(&self, log_key: &PublicKey) -> Result<Scheme, X509Error> {
        match (log_key.kind(), self.algorithm) {
            (KeyKind::Ecdsa(_), [4, 3]) => Ok(Scheme::Ecdsa(Hash::Sha256)),
            (KeyKind::Rsa(_), [4, 1]) => Ok(Scheme::RsaPkcs1(Hash::Sha256)),
            _ => Err(X509Error::SctAlgorithm),
        }
    }

    /// RFC 6962 section 3.2: `digitally-signed struct`, for a precert_entry.
    fn signed(&self, leaf: &Certificate, issuer_spki_der: &[u8]) -> Result<Vec<u8>, X509Error> {
        let tbs = precertificate(leaf)?;
        let too_long = |_| X509Error::Sct {
            what: "the certificate is too long for it",
        };
        let length = u32::try_from(tbs.len()).map_err(too_long)?.to_be_bytes();
        let mut message = Vec::with_capacity(tbs.len() + self.extensions.len() + 64);
        // version v1, signature_type certificate_timestamp
        message.extend([0, 0]);
        message.extend(self.milliseconds.to_be_bytes());
        // entry_type precert_entry
        message.extend([0, 1]);
        message.extend(sha256(issuer_spki_der));
        message.extend(length.iter().skip(1));
        message.extend(&tbs);
        message.extend(
            u16::try_from(self.extensions.len())
                .map_err(too_long)?
                .to_be_bytes(),
        );
        message.extend(&self.extensions);
        Ok(message)
    }
}

/// RFC 6962 section 3.2: the TBSCertificate without this list. All else stays as received; only the
/// lengths around it change.
fn precertificate(leaf: &Certificate) -> Result<Vec<u8>, X509Error> {
    let mut tbs = Elements::of(leaf.tbs_der(), "the TBSCertificate").inside(Tag::Sequence)?;
    let mut body = Vec::with_capacity(leaf.tbs_der().len());
    while !tbs.is_empty() {
        let value = tbs.any()?;
        if value.tag == constructed(3) {
            let mut list = Vec::new();
            leaf.extensions()
                .iter()
                .filter(|extension| extension.oid != OID)
                .for_each(|extension| list.extend(&extension.raw));
            body.extend(wrap(0xa3, &wrap(0x30, &list)));
        } else {
            body.extend(value.raw);
        }
    }
    Ok(wrap(0x30, &body))
}

/// TLS presentation language (RFC 8446 section 3), as far as it is needed.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (found, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*found)
    }

    /// `opaque<0..2^16-1>`.
    fn prefixed(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(u16::from_be_bytes(self.take::<2>()?));
        let (found, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(found)
    }

    fn finish(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}
