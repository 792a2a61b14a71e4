//! Time as a value: an argument of the core, which has no clock.

use core::fmt;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime(pub i64);

impl UnixTime {
    /// Reads RFC 3339 (section 5.6) in UTC and upper case, to the second: `2026-11-22T00:00:00Z`.
    pub fn parse(text: &str) -> Option<Self> {
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
        let (year, month) = if month > 2 {
            (year, month - 3)
        } else {
            (year - 1, month + 9)
        };
        let days = year * 365 + year.div_euclid(4) - year.div_euclid(100)
            + year.div_euclid(400)
            + (month * 153 + 2) / 5
            + day
            - 1;
        Some(Self(
            ((days - 719_468) * 24 + hour) * 3_600 + minute * 60 + second,
        ))
    }

    /// RFC 3339 (section 5.6) as programs write it into signed documents: a fraction of a second,
    /// which is dropped, and any offset from UTC.
    pub fn parse_offset(text: &str) -> Option<Self> {
        let Some(at) = text.rfind(['+', '-']).filter(|at| *at > 18) else {
            return Self::parse_fractional(text);
        };
        let (local, offset) = text.split_at_checked(at)?;
        let (hours, minutes) = offset.get(1..)?.split_once(':')?;
        let number = |digits: &str, limit: i64| {
            digits.parse::<i64>().ok().filter(|value| {
                digits.len() == 2
                    && digits.bytes().all(|byte| byte.is_ascii_digit())
                    && *value < limit
            })
        };
        let seconds = (number(hours, 24)? * 60 + number(minutes, 60)?) * 60;
        let local = Self::parse_fractional(&alloc::format!("{local}Z"))?;
        Some(Self(if offset.starts_with('-') {
            local.0 + seconds
        } else {
            local.0 - seconds
        }))
    }

    /// The same, with a fraction of a second allowed, which is dropped, as JSON of protocol buffers
    /// writes timestamps.
    pub fn parse_fractional(text: &str) -> Option<Self> {
        let Some((whole, fraction)) = text.split_once('.') else {
            return Self::parse(text);
        };
        let digits = fraction.strip_suffix('Z')?;
        if !(1..=9).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Self::parse(&alloc::format!("{whole}Z"))
    }
}

/// RFC 3339, UTC, for messages.
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        // Days since 0000-03-01, in eras of 400 years: leap days end a year that begins in March.
        let (era, day) = (
            (days + 719_468).div_euclid(146_097),
            (days + 719_468).rem_euclid(146_097),
        );
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let of_year = day - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let of_month = of_year - (153 * month + 2) / 5 + 1;
        let (year, month) = (
            year + era * 400,
            if month < 10 { month + 3 } else { month - 9 },
        );
        let year = if month <= 2 { year + 1 } else { year };
        write!(
            f,
            "{year:04}-{month:02}-{of_month:02}T{:02}:{:02}:{:02}Z",
            rest / 3_600,
            rest / 60 % 60,
            rest % 60
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn times_have_one_spelling() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:34:56Z", 951_827_696),
            ("2026-11-22T00:00:00Z", 1_795_305_600),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(UnixTime::parse(text), Some(UnixTime(seconds)), "{text}");
        }
        for text in [
            "",
            "2026-11-22",
            "2026-11-22T00:00:00",
            "2026-11-22t00:00:00Z",
            "2026-11-22T00:00:00+00:00",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T00:00:60Z",
            "2026-11-22T00:00:00.5Z",
        ] {
            assert_eq!(UnixTime::parse(text), None, "{text}");
        }
    }

    #[test]
    fn fractions_are_dropped() {
        assert_eq!(
            UnixTime::parse_fractional("1970-01-01T00:00:01.999Z"),
            Some(UnixTime(1))
        );
        assert_eq!(
            UnixTime::parse_fractional("1970-01-01T00:00:01Z"),
            Some(UnixTime(1))
        );
        for text in [
            "1970-01-01T00:00:01.Z",
            "1970-01-01T00:00:01.5",
            "1970-01-01T00:00:01.0123456789Z",
            "1970-01-01T00:00:01.5.5Z",
        ] {
            assert_eq!(UnixTime::parse_fractional(text), None, "{text}");
        }
    }

    #[test]
    fn is_written_as_rfc_3339() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_102_444_800, "2100-01-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(UnixTime(seconds).to_string(), text);
        }
    }
}
