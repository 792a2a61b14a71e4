//! The top-level member `sealgate` (TRUST.md section 1), which opens our vocabulary. podman refuses a policy that has it,
//! so no file means two things.

use super::error::PolicyError;
use super::field::Field;
use crate::digest::Digest;
use crate::time::UnixTime;
use alloc::string::String;
use alloc::vec::Vec;

/// Whether a signature of an index speaks for the images that it lists (TRUST.md section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// It does.
    Index,
    /// Each image is judged by its own signatures, as podman does.
    Instance,
}

/// What the member `sealgate` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// How indexes are judged.
    pub coverage: Coverage,
    /// Docker scopes whose refusals are only written down.
    pub audit: Vec<String>,
    /// Images that are admitted until a day, whatever the requirements say.
    pub exceptions: Vec<Exception>,
}

/// One entry of `exceptions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// A docker scope.
    pub scope: String,
    /// The images.
    pub digests: Vec<Digest>,
    /// When it ends.
    pub until: UnixTime,
    /// Why.
    pub reason: String,
}

impl Marker {
    pub(super) fn read(field: &Field<'_>) -> Result<Self, PolicyError> {
        let members = field.members(&["version", "coverage", "audit", "exceptions"], &[])?;
        let version = members.need("version")?;
        if version.node.as_u64() != Some(1) {
            return Err(PolicyError::Version { place: version.place() });
        }
        Ok(Self {
            coverage: members.find("coverage").map_or(Ok(Coverage::Index), |field| coverage(&field))?,
            audit: members.find("audit").map_or(Ok(Vec::new()), |field| field.list(scope))?,
            exceptions: members.find("exceptions").map_or(Ok(Vec::new()), |field| field.list(exception))?,
        })
    }
}

fn coverage(field: &Field<'_>) -> Result<Coverage, PolicyError> {
    match field.node.as_str() {
        Some("index") => Ok(Coverage::Index),
        Some("instance") => Ok(Coverage::Instance),
        _ => field.value("\"index\" or \"instance\""),
    }
}

/// Docker scopes are any text, as in the policy itself; `""` is the transport's own.
fn scope(field: &Field<'_>) -> Result<String, PolicyError> {
    field.node.as_str().map_or_else(|| field.wrong("a string"), |text| Ok(text.into()))
}

fn exception(field: &Field<'_>) -> Result<Exception, PolicyError> {
    let members = field.members(&["scope", "digests", "until", "reason"], &[])?;
    let digests = members.need("digests")?.list(digest)?;
    if digests.is_empty() {
        return Err(PolicyError::NoEntries { place: field.place(), member: "digests" });
    }
    let until = members.need("until")?;
    let Some(time) = until.node.as_str().and_then(utc) else { return until.value("a time in UTC such as 2027-01-31T12:00:00Z") };
    Ok(Exception { scope: scope(&members.need("scope")?)?, digests, until: time, reason: members.need("reason")?.text()?.into() })
}

fn digest(field: &Field<'_>) -> Result<Digest, PolicyError> {
    match field.node.as_str().and_then(|text| Digest::parse(text).ok()) {
        Some(digest) => Ok(digest),
        None => field.value("a digest such as sha256:<64 hexadecimal digits>"),
    }
}

/// RFC 3339 section 5.6, in UTC and whole seconds, upper case: one spelling.
fn utc(text: &str) -> Option<UnixTime> {
    let shape = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        19 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    if text.len() != 20 || !text.bytes().enumerate().all(shape) {
        return None;
    }
    let number = |range: core::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days since 0000-03-01, so that the leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 153 + 2) / 5 + day - 1;
    Some(UnixTime(((days - 719_468) * 24 + hour) * 3_600 + minute * 60 + second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_spelling() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:34:56Z", 951_827_696),
            ("2026-11-22T00:00:00Z", 1_795_305_600),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
            ("0000-01-01T00:00:00Z", -62_167_219_200),
        ] {
            assert_eq!(utc(text), Some(UnixTime(seconds)), "{text}");
        }
        for text in ["", "2026-11-22", "2026-11-22t00:00:00z", "2026-11-22T00:00:00+00:00", "2026-11-22T00:00:00.0Z", "2023-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:60Z", "+026-01-01T00:00:00Z", "2026-01-01T00:00:é"] {
            assert_eq!(utc(text), None, "{text}");
        }
    }
}
