//! TSTInfo (RFC 3161 section 2.4.2): what an authority says.

use super::error::TimestampError;
use super::signer::AlgorithmIdentifier;
use crate::crypto::Hash;
use crate::encoding::der::{DateTime, DerError, Element, Elements, Tag, constructed, primitive};
use crate::time::UnixTime;
use alloc::string::ToString;
use alloc::vec::Vec;

/// What was said: these hashed bytes existed at this time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TstInfo {
    imprint_algorithm: AlgorithmIdentifier,
    imprint: Vec<u8>,
    pub time: UnixTime,
}

impl TstInfo {
    /// A DER TSTInfo, and nothing after it.
    pub(super) fn parse(der: &[u8]) -> Result<Self, TimestampError> {
        let mut values = Elements::inside_only(der, Tag::Sequence, "the TSTInfo")?;
        if values.integer()? != [1] {
            return Err(TimestampError::Version {
                what: "the TSTInfo",
                expected: 1,
            });
        }
        let _policy = values.oid()?;
        let mut imprint = values.inside(Tag::Sequence)?;
        let imprint_algorithm = AlgorithmIdentifier::parse(imprint.take(Tag::Sequence)?)?;
        let hash = imprint.take(Tag::OctetString)?.body.into();
        imprint.finish()?;
        // Negative serial numbers occur (sigstore-js's mock authority); nothing depends on this
        // one.
        let _serial = values.integer()?;
        let time = time(values.take(Tag::GeneralizedTime)?.body)?;
        // The accuracy says by how much genTime may be off; as all of Sigstore's clients we take
        // genTime itself.
        let _accuracy = values.optional(Tag::Sequence)?.map(accuracy).transpose()?;
        let _ordering = values.flag()?;
        let _nonce = if values.peek() == Some(Tag::Integer) {
            Some(values.integer()?)
        } else {
            None
        };
        // A hint that need not be signed for; the signer is who its certificate says.
        let _name = values
            .optional(constructed(0))?
            .map(|name| only(name.body, "the authority's name"))
            .transpose()?;
        if let Some(extensions) = values.optional(constructed(1))? {
            refuse_critical(extensions.body)?;
        }
        values.finish()?;
        Ok(Self {
            imprint_algorithm,
            imprint: hash,
            time,
        })
    }

    /// Section 2.4.2: the imprint is the hash of the stamped bytes, by a hash of which we know that
    /// it has no collisions.
    pub(super) fn check_imprint(&self, stamped: &[u8]) -> Result<(), TimestampError> {
        let hash: Hash = self.imprint_algorithm.hash()?;
        if hash.hash(stamped) == self.imprint {
            Ok(())
        } else {
            Err(TimestampError::Imprint)
        }
    }
}

/// One value and nothing after it.
fn only(bytes: &[u8], what: &'static str) -> Result<(), DerError> {
    let mut values = Elements::of(bytes, what);
    let _ = values.any()?;
    values.finish()
}

/// `SEQUENCE { seconds, [0] millis, [1] micros }`, each optional.
fn accuracy(value: Element<'_>) -> Result<(), DerError> {
    let mut values = Elements::of(value.body, "the accuracy");
    for tag in [Tag::Integer, primitive(0), primitive(1)] {
        let _ = values.optional(tag)?;
    }
    values.finish()
}

/// `YYYYMMDDhhmmss[.s…]Z`, no zeros at the end of the fraction, which is dropped: a time never
/// grows.
fn time(text: &[u8]) -> Result<UnixTime, TimestampError> {
    let error = || TimestampError::Time;
    let text = text.strip_suffix(b"Z").ok_or_else(error)?;
    let (digits, rest) = text.split_at_checked(14).ok_or_else(error)?;
    match rest {
        [] => {}
        [b'.', fraction @ .., last]
            if fraction.iter().chain([last]).all(u8::is_ascii_digit) && *last != b'0' => {}
        _ => return Err(error()),
    }
    let number = |from: usize, to: usize| {
        let digits = digits
            .get(from..to)
            .filter(|digits| digits.iter().all(u8::is_ascii_digit))
            .ok_or_else(error)?;
        Ok::<u16, TimestampError>(
            digits
                .iter()
                .fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0')),
        )
    };
    let part = |from: usize| u8::try_from(number(from, from + 2)?).map_err(|_| error());
    let date = DateTime::new(
        number(0, 4)?,
        part(4)?,
        part(6)?,
        part(8)?,
        part(10)?,
        part(12)?,
    )
    .map_err(|_| error())?;
    i64::try_from(date.unix_duration().as_secs())
        .map(UnixTime)
        .map_err(|_| error())
}

/// `[1] IMPLICIT Extensions`. RFC 3161 section 2.4.2 with RFC 5280 section 4.2: what is critical
/// must be understood.
fn refuse_critical(bytes: &[u8]) -> Result<(), TimestampError> {
    for extension in Elements::of(bytes, "the TSTInfo's extensions").all()? {
        if extension.tag != Tag::Sequence {
            return Err(TimestampError::Der {
                what: "the TSTInfo's extensions",
            });
        }
        let mut parts = Elements::of(extension.body, "the TSTInfo's extensions");
        let (oid, is_critical) = (parts.oid()?, parts.flag()?);
        let _ = parts.take(Tag::OctetString)?;
        parts.finish()?;
        if is_critical {
            return Err(TimestampError::CriticalExtension {
                oid: oid.to_string(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_to_the_second() {
        for (text, seconds) in [
            ("19700101000000Z", Some(0)),
            ("20240229235959Z", Some(1_709_251_199)),
            ("20240101000000.9Z", Some(1_704_067_200)),
            ("20240101000000.999999999Z", Some(1_704_067_200)),
            ("20230229000000Z", None),
            ("20240101000000", None),
            ("20240101000000.Z", None),
            ("20240101000000.10Z", None),
            ("20240101000000,5Z", None),
            ("20240101000000.5aZ", None),
            ("20240101000000+0100", None),
            ("202401010000Z", None),
            ("20240101000060Z", None),
            ("20240101240000Z", None),
            ("2024010100000aZ", None),
            ("", None),
            ("Z", None),
            ("19690101000000Z", None),
        ] {
            assert_eq!(time(text.as_bytes()).ok(), seconds.map(UnixTime), "{text}");
        }
    }
}
