//! Time as a value: an argument of the core, which has no clock.

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
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let days = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 153 + 2) / 5 + day - 1;
        Some(Self(((days - 719_468) * 24 + hour) * 3_600 + minute * 60 + second))
    }

    /// The same, with a fraction of a second allowed, which is dropped, as JSON of protocol buffers writes timestamps.
    pub fn parse_fractional(text: &str) -> Option<Self> {
        let Some((whole, fraction)) = text.split_once('.') else { return Self::parse(text) };
        let digits = fraction.strip_suffix('Z')?;
        if !(1..=9).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Self::parse(&alloc::format!("{whole}Z"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_spelling() {
        for (text, seconds) in [("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:34:56Z", 951_827_696), ("2026-11-22T00:00:00Z", 1_795_305_600), ("9999-12-31T23:59:59Z", 253_402_300_799)] {
            assert_eq!(UnixTime::parse(text), Some(UnixTime(seconds)), "{text}");
        }
        for text in ["", "2026-11-22", "2026-11-22T00:00:00", "2026-11-22t00:00:00Z", "2026-11-22T00:00:00+00:00", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T00:00:60Z", "2026-11-22T00:00:00.5Z"] {
            assert_eq!(UnixTime::parse(text), None, "{text}");
        }
    }

    #[test]
    fn fractions_are_dropped() {
        assert_eq!(UnixTime::parse_fractional("1970-01-01T00:00:01.999Z"), Some(UnixTime(1)));
        assert_eq!(UnixTime::parse_fractional("1970-01-01T00:00:01Z"), Some(UnixTime(1)));
        for text in ["1970-01-01T00:00:01.Z", "1970-01-01T00:00:01.5", "1970-01-01T00:00:01.0123456789Z", "1970-01-01T00:00:01.5.5Z"] {
            assert_eq!(UnixTime::parse_fractional(text), None, "{text}");
        }
    }
}
