//! SignerInfo and its signed attributes (RFC 5652 sections 5.3 and 11, RFC 5816).

use super::error::TimestampError;
use crate::crypto::Hash;
use crate::crypto::Scheme;
use crate::encoding::der::{Element, Elements, ObjectIdentifier, Tag, constructed, primitive};
use crate::encoding::hex;
use crate::x509::Certificate;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;

/// id-ct-TSTInfo (RFC 3161 section 2.4.2).
pub(super) const TST_INFO: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
const SUBJECT_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// AlgorithmIdentifier. Which ones we know is asked when the token is judged, so that one of an
/// unlisted authority can still be read and set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AlgorithmIdentifier {
    oid: ObjectIdentifier,
    /// Parameters other than none and NULL.
    has_parameters: bool,
}

impl AlgorithmIdentifier {
    pub(super) fn parse(value: Element<'_>) -> Result<Self, TimestampError> {
        if value.tag != Tag::Sequence {
            return Err(TimestampError::Der {
                what: "an algorithm",
            });
        }
        let mut values = Elements::of(value.body, "an algorithm");
        let oid = values.oid()?;
        let has_parameters = match values.peek() {
            None => false,
            Some(_) => {
                let parameters = values.any()?;
                parameters.tag != Tag::Null || !parameters.body.is_empty()
            }
        };
        values.finish()?;
        Ok(Self {
            oid,
            has_parameters,
        })
    }

    /// RFC 5754 section 2: no parameters, or NULL. SHA-1 is refused.
    pub(super) fn hash(&self) -> Result<Hash, TimestampError> {
        match self.oid {
            SHA256 if !self.has_parameters => Ok(Hash::Sha256),
            SHA384 if !self.has_parameters => Ok(Hash::Sha384),
            SHA512 if !self.has_parameters => Ok(Hash::Sha512),
            _ => Err(TimestampError::Hash {
                oid: self.oid.to_string(),
            }),
        }
    }

    /// RFC 5754 section 3, RFC 8419 section 3.1. The hash under the signature is the signer's
    /// `hash`.
    fn scheme(&self, hash: Hash) -> Result<Scheme, TimestampError> {
        let scheme = match (self.oid, hash) {
            (ECDSA_SHA256, Hash::Sha256)
            | (ECDSA_SHA384, Hash::Sha384)
            | (ECDSA_SHA512, Hash::Sha512) => Some(Scheme::Ecdsa(hash)),
            (RSA_SHA256, Hash::Sha256)
            | (RSA_SHA384, Hash::Sha384)
            | (RSA_SHA512, Hash::Sha512)
            | (RSA, _) => Some(Scheme::RsaPkcs1(hash)),
            (ED25519, Hash::Sha512) => Some(Scheme::Ed25519),
            _ => None,
        };
        scheme
            .filter(|_| !self.has_parameters)
            .ok_or_else(|| TimestampError::Algorithm {
                oid: self.oid.to_string(),
            })
    }
}

/// SignerIdentifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SignerId {
    /// The issuer's DER Name, the content of the serial number.
    IssuerAndSerial(Vec<u8>, Vec<u8>),
    SubjectKeyId(Vec<u8>),
}

impl SignerId {
    /// RFC 5652 section 5.3. CVE-2026-39984: this finds the signer's certificate, never its place
    /// among others.
    pub(super) fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial(issuer, serial) => {
                certificate.issuer() == issuer && certificate.serial() == serial
            }
            Self::SubjectKeyId(id) => certificate.extension(SUBJECT_KEY_ID).is_some_and(|value| {
                let mut values = Elements::of(value, "a key identifier");
                values
                    .take(Tag::OctetString)
                    .is_ok_and(|own| own.body == id)
                    && values.finish().is_ok()
            }),
        }
    }

    /// Whether it says that this certificate's subject issued the signer's.
    pub(super) fn is_issued_by(&self, authority: &Certificate) -> bool {
        matches!(self, Self::IssuerAndSerial(issuer, _) if authority.subject() == issuer)
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        let bytes = match self {
            Self::IssuerAndSerial(issuer, _) => issuer,
            Self::SubjectKeyId(id) => id,
        };
        hex::encode(bytes).chars().take(120).collect()
    }
}

/// SignerInfo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignerInfo {
    pub id: SignerId,
    digest_algorithm: AlgorithmIdentifier,
    /// DER, with the tag of SET OF: what was signed.
    pub signed: Vec<u8>,
    signature_algorithm: AlgorithmIdentifier,
    pub signature: Vec<u8>,
}

impl SignerInfo {
    pub(super) fn parse(value: Element<'_>) -> Result<Self, TimestampError> {
        let mut values = Elements::of(value.body, "the SignerInfo");
        if value.tag != Tag::Sequence {
            return Err(values.error().into());
        }
        let version = values.integer()?;
        let id = signer_id(&mut values)?;
        // Section 5.3: the version follows from the kind of identifier.
        let expected = if matches!(id, SignerId::IssuerAndSerial(..)) {
            1
        } else {
            3
        };
        if version != [expected] {
            return Err(TimestampError::Version {
                what: "the SignerInfo",
                expected,
            });
        }
        let digest_algorithm = AlgorithmIdentifier::parse(values.take(Tag::Sequence)?)?;
        // RFC 5652 section 5.3: they must be present when the content is no plain data.
        let attributes = values
            .optional(constructed(0))?
            .ok_or(TimestampError::NoSignedAttributes)?;
        let signature_algorithm = AlgorithmIdentifier::parse(values.take(Tag::Sequence)?)?;
        let signature = values.take(Tag::OctetString)?.body.into();
        // Unsigned attributes prove nothing, whatever they say.
        let _ = values.optional(constructed(1))?;
        values.finish()?;
        let signed = as_set(attributes);
        SignedAttributes::parse(&signed)?;
        Ok(Self {
            id,
            digest_algorithm,
            signed,
            signature_algorithm,
            signature,
        })
    }

    /// The hash over the content, and under the signature.
    pub(super) fn hash(&self) -> Result<Hash, TimestampError> {
        self.digest_algorithm.hash()
    }

    pub(super) fn scheme(&self) -> Result<Scheme, TimestampError> {
        self.signature_algorithm.scheme(self.hash()?)
    }

    /// RFC 5652 section 5.1: the signed data lists the hash. It is no proof; a token in which it
    /// differs was put together.
    pub(super) fn check_listed(
        &self,
        algorithms: &[AlgorithmIdentifier],
    ) -> Result<(), TimestampError> {
        if algorithms.contains(&self.digest_algorithm) {
            Ok(())
        } else {
            Err(TimestampError::DigestAlgorithms)
        }
    }
}

fn signer_id(values: &mut Elements<'_>) -> Result<SignerId, TimestampError> {
    if let Some(id) = values.optional(primitive(0))? {
        return Ok(SignerId::SubjectKeyId(id.body.into()));
    }
    let mut parts = values.inside(Tag::Sequence)?;
    let issuer = parts.take(Tag::Sequence)?.raw.into();
    let serial = parts.integer()?.into();
    parts.finish()?;
    Ok(SignerId::IssuerAndSerial(issuer, serial))
}

/// Section 5.4: the signature is over the bytes as received, but with the tag of SET OF in the
/// place of `[0]`.
fn as_set(attributes: Element<'_>) -> Vec<u8> {
    const SET_OF: u8 = 0x31;
    core::iter::once(SET_OF)
        .chain(attributes.raw.iter().skip(1).copied())
        .collect()
}

/// What the signature is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignedAttributes {
    message_digest: Vec<u8>,
    /// The body of SigningCertificateV2.
    signing_certificate: Option<Vec<u8>>,
}

impl SignedAttributes {
    /// A DER `SET OF Attribute`. Section 5.4 wants DER here, so the order is checked too; each
    /// attribute that is read occurs once, with one value (section 11).
    pub(super) fn parse(der: &[u8]) -> Result<Self, TimestampError> {
        let attributes = Elements::inside_only(der, Tag::Set, "the signed attributes")?.all()?;
        if !attributes
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a.raw < b.raw))
        {
            return Err(TimestampError::Der {
                what: "the order of the signed attributes",
            });
        }
        let (mut types, mut digests, mut certificates) = (Vec::new(), Vec::new(), Vec::new());
        for attribute in attributes {
            let mut parts = Elements::of(attribute.body, "a signed attribute");
            if attribute.tag != Tag::Sequence {
                return Err(parts.error().into());
            }
            let oid = parts.oid()?;
            let found = parts.inside(Tag::Set)?.all()?;
            parts.finish()?;
            match oid {
                CONTENT_TYPE => types.extend(found),
                MESSAGE_DIGEST => digests.extend(found),
                SIGNING_CERTIFICATE_V2 => certificates.extend(found),
                _ => {}
            }
        }
        content_type(&types)?;
        let digest = one("message-digest", &digests)?;
        if digest.tag != Tag::OctetString {
            return Err(TimestampError::Der {
                what: "the signed digest",
            });
        }
        let signing_certificate = match certificates.as_slice() {
            [] => None,
            found => Some(one("signing-certificate-v2", found)?.raw.into()),
        };
        Ok(Self {
            message_digest: digest.body.into(),
            signing_certificate,
        })
    }

    /// Section 11.2.
    pub(super) fn check_content(&self, hash: Hash, content: &[u8]) -> Result<(), TimestampError> {
        if hash.hash(content) == self.message_digest {
            Ok(())
        } else {
            Err(TimestampError::MessageDigest)
        }
    }

    /// RFC 5816 section 2.2.1: the first certificate that is named is the signer's. We accept
    /// tokens that name it by SHA-1 alone (RFC 2634), or not at all, because the signature itself
    /// is checked with that certificate's key.
    pub(super) fn check_certificate(&self, signer: &Certificate) -> Result<(), TimestampError> {
        let Some(named) = &self.signing_certificate else {
            return Ok(());
        };
        let what = "the signing certificate's name";
        let mut outside = Elements::inside_only(named, Tag::Sequence, what)?;
        let mut first = outside.inside(Tag::Sequence)?.inside(Tag::Sequence)?;
        let hash = match first.optional(Tag::Sequence)? {
            Some(algorithm) => AlgorithmIdentifier::parse(algorithm)?.hash()?,
            None => Hash::Sha256,
        };
        if first.take(Tag::OctetString)?.body == hash.hash(signer.der()) {
            Ok(())
        } else {
            Err(TimestampError::SigningCertificate)
        }
    }
}

/// Section 11.1.
fn content_type(found: &[Element<'_>]) -> Result<(), TimestampError> {
    let value = one("content-type", found)?;
    match Elements::of(value.raw, "the signed content type").oid()? {
        TST_INFO => Ok(()),
        other => Err(TimestampError::SignedType {
            oid: other.to_string(),
        }),
    }
}

fn one<'a>(name: &'static str, found: &[Element<'a>]) -> Result<Element<'a>, TimestampError> {
    match found {
        [value] => Ok(*value),
        _ => Err(TimestampError::Attribute {
            name,
            found: found.len(),
        }),
    }
}
