//! TimeStampResp (RFC 3161 section 2.4.2) and TimeStampToken: a CMS SignedData (RFC 5652 section
//! 5.1) about a TSTInfo.

use super::error::TimestampError;
use super::info::TstInfo;
use super::signer::{AlgorithmIdentifier, SignerInfo, TST_INFO};
use crate::encoding::der::{Element, Elements, ObjectIdentifier, Tag, constructed};
use crate::limits;
use crate::time::UnixTime;
use crate::x509::Certificate;
use crate::x509::X509Error;
use alloc::string::ToString;
use alloc::vec::Vec;

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");

/// A well-formed token: what someone says that an authority said, until [`Token::claims`] settle.
#[derive(Debug, Clone)]
pub struct Token {
    /// The TSTInfo as received.
    pub(super) content: Vec<u8>,
    pub(super) info: TstInfo,
    /// What else is in the bag. Nothing signs it.
    pub(super) certificates: Vec<Certificate>,
    /// Why a certificate of the bag could not be read.
    pub(super) broken: Option<X509Error>,
    pub(super) signer: SignerInfo,
}

impl Token {
    /// A DER TimeStampResp or TimeStampToken, and nothing after it.
    ///
    /// # Errors
    /// [`TimestampError`]: too large, not DER, a status other than granted, content that is no
    /// TSTInfo, not exactly one
    /// signer, no signed attributes.
    pub fn parse(der: &[u8]) -> Result<Self, TimestampError> {
        if der.len() > limits::TIMESTAMP {
            return Err(TimestampError::TooLarge {
                limit: limits::TIMESTAMP,
                found: der.len(),
            });
        }
        let mut values = Elements::inside_only(der, Tag::Sequence, "the answer")?;
        // A response begins with PKIStatusInfo, a token with its type.
        if values.peek() != Some(Tag::Sequence) {
            return content_info(values);
        }
        check_status(&mut values)?;
        if values.is_empty() {
            return Err(TimestampError::NoToken);
        }
        let token = values.inside(Tag::Sequence)?;
        values.finish()?;
        content_info(token)
    }

    /// The time that the token states. Nobody vouches for it yet; for reports.
    pub fn time_unverified(&self) -> UnixTime {
        self.info.time
    }

    /// Whether both say the same: what a repeated token is, however it is wrapped or signed again.
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.content == other.content
    }
}

/// PKIStatusInfo. We reject grantedWithMods (1), as Sigstore's clients do: something else than what
/// was asked for.
fn check_status(values: &mut Elements<'_>) -> Result<(), TimestampError> {
    values.now("the status");
    let mut status = values.inside(Tag::Sequence)?;
    if status.integer()? != [0] {
        return Err(TimestampError::Status);
    }
    let _text = status.optional(Tag::Sequence)?;
    let _failure = status.optional(Tag::BitString)?;
    status.finish()?;
    values.now("the answer");
    Ok(())
}

/// RFC 5652 section 3.
fn content_info(mut values: Elements<'_>) -> Result<Token, TimestampError> {
    values.now("the ContentInfo");
    let oid = values.oid()?;
    if oid != SIGNED_DATA {
        return Err(TimestampError::NotSigned {
            oid: oid.to_string(),
        });
    }
    let content = values.take(constructed(0))?;
    values.finish()?;
    signed_data(Elements::inside_only(
        content.body,
        Tag::Sequence,
        "the SignedData",
    )?)
}

/// RFC 5652 section 5.1.
fn signed_data(mut values: Elements<'_>) -> Result<Token, TimestampError> {
    // Version 3: content that is no plain data, certificates of X.509 alone.
    if values.integer()? != [3] {
        return Err(TimestampError::Version {
            what: "the SignedData",
            expected: 3,
        });
    }
    let algorithms = values
        .inside(Tag::Set)?
        .all()?
        .into_iter()
        .map(AlgorithmIdentifier::parse)
        .collect::<Result<Vec<_>, _>>()?;
    let content = encapsulated(values.inside(Tag::Sequence)?)?;
    let (certificates, broken) = match values.optional(constructed(0))? {
        Some(bag) => bag_of(bag)?,
        None => (Vec::new(), None),
    };
    // Revocation lists: not read.
    let _ = values.optional(constructed(1))?;
    let signer = match values.inside(Tag::Set)?.all()?.as_slice() {
        [signer] => SignerInfo::parse(*signer)?,
        signers => {
            return Err(TimestampError::Signers {
                found: signers.len(),
            });
        }
    };
    values.finish()?;
    signer.check_listed(&algorithms)?;
    let info = TstInfo::parse(&content)?;
    Ok(Token {
        content,
        info,
        certificates,
        broken,
        signer,
    })
}

/// EncapsulatedContentInfo (RFC 5652 section 5.2).
fn encapsulated(mut values: Elements<'_>) -> Result<Vec<u8>, TimestampError> {
    values.now("the EncapsulatedContentInfo");
    let oid = values.oid()?;
    if oid != TST_INFO {
        return Err(TimestampError::Content {
            oid: oid.to_string(),
        });
    }
    let mut content = values.inside(constructed(0))?;
    values.finish()?;
    let octets = content.take(Tag::OctetString)?;
    content.finish()?;
    Ok(octets.body.into())
}

/// CertificateSet. A certificate that cannot be read is remembered: in a token of a listed
/// authority it is an error, in another one it does not matter.
fn bag_of(bag: Element<'_>) -> Result<(Vec<Certificate>, Option<X509Error>), TimestampError> {
    let found = Elements::of(bag.body, "the set of certificates").all()?;
    if found.len() > limits::CHAIN {
        return Err(TimestampError::Certificates {
            limit: limits::CHAIN,
        });
    }
    let (mut certificates, mut broken) = (Vec::new(), None);
    for value in found {
        match Certificate::parse(value.raw) {
            Ok(certificate) => certificates.push(certificate),
            Err(error) => broken = Some(error),
        }
    }
    Ok((certificates, broken))
}
