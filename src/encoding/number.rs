//! Integers out of doubles, without a cast that rounds, wraps or saturates in silence.

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
pub fn whole(text: &str) -> Option<i64> {
    let (value, exact) = integer_part(text.parse().ok()?)?;
    exact.then_some(value)
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
    }

    proptest! {
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
