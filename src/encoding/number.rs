//! Integers out of doubles, without a cast that rounds, wraps or saturates in silence.

use alloc::vec::Vec;

/// Bits of a double's fraction (IEEE 754 binary64).
const FRACTION: u32 = 52;
/// What the exponent is stored with, for a significand that is read as an integer.
const BIAS: u32 = 1023 + FRACTION;

/// The integer part of `value`, and whether that is all of it. `None` if an `i64` cannot hold it.
pub fn integer_part(value: f64) -> Option<(i64, bool)> {
    let (magnitude, exact) = magnitude(value.abs())?;
    let signed = if value.is_sign_negative() {
        0_i64.checked_sub_unsigned(magnitude)
    } else {
        0_i64.checked_add_unsigned(magnitude)
    };
    Some((signed?, exact))
}

/// The same of a value that has no sign.
fn magnitude(value: f64) -> Option<(u64, bool)> {
    if value < 1.0 {
        return Some((0, value == 0.0));
    }
    let bits = value.to_bits();
    let exponent = u32::try_from(bits >> FRACTION).ok()?;
    let significand = bits & ((1 << FRACTION) - 1) | 1 << FRACTION;
    match exponent.checked_sub(BIAS) {
        // Infinity and what is no number have the largest exponent, and end here.
        Some(left) => Some((significand.checked_mul(1_u64.checked_shl(left)?)?, true)),
        None => {
            let right = BIAS - exponent;
            let whole = significand >> right;
            Some((whole, whole << right == significand))
        }
    }
}

/// The integer that a JSON number's double is. `None` if that has a fraction, or an `i64` cannot
/// hold it.
///
/// The double is the nearest to what is written, and of two the even one (IEEE 754, 4.3.1). Whether
/// that is an integer is told by what is written, digit by digit: reading doubles takes tables
/// of 10 KB, which every page would load.
pub fn whole(text: &str) -> Option<i64> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let magnitude = nearest(&Decimal::read(text)?)?;
    if negative {
        0_i64.checked_sub_unsigned(magnitude)
    } else {
        i64::try_from(magnitude).ok()
    }
}

/// What is written, exactly: `0.` and the digits, times ten to the power of `point`. The first and
/// the last digit are not zero.
struct Decimal {
    digits: Vec<u8>,
    point: i64,
}

/// Half of the smallest double that is not zero, 2⁻¹⁰⁷⁵, begins so behind 323 zeros: what is not
/// above it is zero.
const TINY: &[u8] = &[2, 4, 7, 0, 3, 2, 8, 2, 2, 9, 2, 0, 6, 2, 3, 2, 7];
const TINY_POINT: i64 = -323;

impl Decimal {
    /// A JSON number without its sign (RFC 8259 section 6).
    fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, power(exponent)?),
            None => (text, 0),
        };
        let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits = Vec::with_capacity(mantissa.len());
        for byte in before.bytes().chain(after.bytes()) {
            digits.push(byte.checked_sub(b'0').filter(|digit| *digit < 10)?);
        }
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..zeros);
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let point = i64::try_from(before.len()).ok()? - i64::try_from(zeros).ok()?;
        Some(Self {
            digits,
            point: point.saturating_add(exponent),
        })
    }

    /// `count` digits from the one that stands `from` places behind the point, as an integer;
    /// all that does not fit is the largest.
    fn part(&self, from: i64, count: i64) -> u128 {
        (from..from.saturating_add(count)).fold(0_u128, |value, place| {
            let digit = usize::try_from(self.point.saturating_add(place))
                .ok()
                .and_then(|index| self.digits.get(index))
                .map_or(0, |digit| u128::from(*digit));
            value.saturating_mul(10).saturating_add(digit)
        })
    }

    /// Whether something is written from this many places behind the point on.
    fn goes_on(&self, places: i64) -> bool {
        i64::try_from(self.digits.len())
            .is_ok_and(|count| count > self.point.saturating_add(places))
    }
}

/// An exponent; one that nobody could write out is as good as the largest.
fn power(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut value = 0_i64;
    for byte in digits.bytes() {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        value = value.saturating_mul(10).saturating_add(digit.into());
    }
    Some(value.min(i64::from(u32::MAX)) * sign)
}

/// The integer that the nearest double is.
fn nearest(written: &Decimal) -> Option<u64> {
    let tiny = written.digits.is_empty()
        || written.point < TINY_POINT
        || (written.point == TINY_POINT && written.digits.as_slice() <= TINY);
    if tiny {
        return Some(0);
    }
    // Ten to the power of 20 is more than any i64.
    if !(0..20).contains(&written.point) {
        return None;
    }
    let whole = u64::try_from(written.part(-written.point, written.point)).ok()?;
    let bits = u64::BITS - whole.leading_zeros();
    match bits.checked_sub(FRACTION + 1) {
        Some(beyond) => rounded(whole, beyond, written),
        None => integer_near(whole, FRACTION + 1 - bits, written),
    }
}

/// An integer part of 53 bits or more: the double ends `beyond` bits before its last.
fn rounded(whole: u64, beyond: u32, written: &Decimal) -> Option<u64> {
    let unit = 1_u64.checked_shl(beyond)?;
    let (down, left) = (whole - whole % unit, whole % unit);
    // Twice what is left of it, beside the unit: tenths of the first digit behind the point.
    let tenths = u128::from(left) * 20 + written.part(0, 1) * 2;
    let half = (tenths, written.goes_on(1)).cmp(&(u128::from(unit) * 10, false));
    if half.is_gt() || (half.is_eq() && !(down / unit).is_multiple_of(2)) {
        down.checked_add(unit)
    } else {
        Some(down)
    }
}

/// A shorter one: the double has `fraction` bits behind the point, and is an integer where half a
/// unit of the last of them, 2⁻ᵐ, is not less than what the next integer is away. Of 2⁻ᵐ, the digits
/// are those of 5ᵐ, at m places.
fn integer_near(whole: u64, fraction: u32, written: &Decimal) -> Option<u64> {
    let places = fraction + 1;
    let half = 5_u128.checked_pow(places)?;
    let behind = written.part(0, places.into());
    let exact = !written.goes_on(places.into());
    if behind < half || (behind == half && exact) {
        // Below one, only what is tiny is zero.
        return (whole > 0).then_some(whole);
    }
    // What is missing to the next integer: nine less each digit, and something in the last place.
    let missing = (0..i64::from(places)).fold(0_u128, |value, place| {
        let digit = 9 - written.part(place, 1);
        value.saturating_mul(10).saturating_add(digit)
    });
    (missing < half).then(|| whole.checked_add(1)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn edges() {
        for (value, expected) in [
            (0.0, Some((0, true))),
            (-0.0, Some((0, true))),
            (f64::MIN_POSITIVE, Some((0, false))),
            (0.999_999_999_999, Some((0, false))),
            (1.0, Some((1, true))),
            (-1.5, Some((-1, false))),
            (
                4_503_599_627_370_495.5,
                Some((4_503_599_627_370_495, false)),
            ),
            (9_007_199_254_740_992.0, Some((1 << 53, true))),
            (9_223_372_036_854_774_784.0, Some((i64::MAX - 1023, true))),
            (9_223_372_036_854_775_808.0, None),
            (-9_223_372_036_854_775_808.0, Some((i64::MIN, true))),
            (-9_223_372_036_854_777_856.0, None),
            (1e300, None),
            (f64::INFINITY, None),
            (f64::NEG_INFINITY, None),
            (f64::NAN, None),
        ] {
            assert_eq!(integer_part(value), expected, "{value}");
        }
    }

    #[test]
    fn of_text() {
        assert_eq!(whole("1e0"), Some(1));
        assert_eq!(whole("-2.50e1"), Some(-25));
        assert_eq!(whole("0.5"), None);
        assert_eq!(whole("1e999"), None);
        for text in [
            "0",
            "-0",
            "0.0",
            "0e99999999999999999999",
            "1e-99999999999999999999",
            "1e99999999999999999999",
            // Around 1, 2^53 and the ends of an i64; ties go to the even one.
            "0.99999999999999994448884876874217297881841659545898437500",
            "0.99999999999999994448884876874217297881841659545898437499",
            "0.999999999999999944488848768742172978818416595458984375000001",
            "1.0000000000000001110223024625156540423631668090820312500",
            "1.0000000000000001110223024625156540423631668090820312501",
            "4503599627370495.75",
            "4503599627370495.7499",
            "4503599627370496.5",
            "4503599627370497.5",
            "9007199254740991.5",
            "9007199254740993",
            "9007199254740993.0000001",
            "9007199254740995",
            "9223372036854775295.99",
            "9223372036854775296",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "-9223372036854776832",
            "-9223372036854776833",
            "18446744073709551616",
            "99999999999999999999",
            "100000000000000000000",
            "2e-324",
            "2.4703282292062327e-324",
            "2.4703282292062329e-324",
            "3e-324",
            "1e-323",
            "1000e-3",
            "1001e-3",
            "0.001e3",
            "1E+2",
        ] {
            assert_eq!(whole(text), of_double(text), "{text}");
        }
    }

    /// By the double that Rust reads.
    fn of_double(text: &str) -> Option<i64> {
        let (value, exact) = integer_part(text.parse().ok()?)?;
        exact.then_some(value)
    }

    /// Near what a double can be, and halves between two: where rounding decides.
    fn near() -> impl Strategy<Value = alloc::string::String> {
        let bits = prop_oneof![
            (0_u64..1 << 63),
            (0_u32..64, any::<bool>(), -2_i64..3)
                .prop_map(|(shift, _, step)| { (1_u64 << shift).wrapping_add_signed(step) >> 1 }),
        ];
        (
            bits,
            0_usize..60,
            any::<bool>(),
            0_u128..1 << 60,
            0_u32..56,
            -40_i32..40,
        )
            .prop_map(|(whole, zeros, nines, tail, halves, exponent)| {
                let fill = if nines { "9" } else { "0" }.repeat(zeros);
                // 2 to the power of -halves, exactly.
                let exact = alloc::format!(
                    "{:0>1$}",
                    5_u128.pow(halves),
                    usize::try_from(halves).unwrap()
                );
                match exponent {
                    0..10 => alloc::format!("{whole}.{fill}{tail}"),
                    10..20 => alloc::format!("{whole}.{exact}"),
                    20..30 => alloc::format!("{whole}.{exact}{fill}1"),
                    30..40 => alloc::format!("-{whole}"),
                    _ => alloc::format!("{whole}.{fill}e{exponent}"),
                }
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn whole_is_what_the_double_is(text in prop_oneof![
            near(),
            "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?",
            any::<f64>().prop_filter("finite", |value| value.is_finite()).prop_map(|value| alloc::format!("{value:e}")),
        ]) {
            prop_assert_eq!(whole(&text), of_double(&text), "{}", text);
        }

        /// With enough places, Display writes a double exactly: its part before the point is the
        /// oracle.
        #[test]
        fn as_written(value in prop_oneof![any::<f64>(), -1e19..1e19, -1e3..1e3]) {
            let text = alloc::format!("{value:.60}");
            let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
            let tiny = value != 0.0 && value.abs() < 1.0;
            let exact = !tiny && fraction.bytes().all(|digit| digit == b'0');
            let expected = whole.parse().ok().map(|whole: i64| (whole, exact));
            prop_assert_eq!(integer_part(value), expected);
        }
    }
}
