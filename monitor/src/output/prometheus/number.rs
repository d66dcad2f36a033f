//! Numbers as Prometheus reads them. A page of a thousand containers has some hundred thousand.

use std::fmt::Write as _;

/// A sample's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Exact.
    Integer(i128),
    /// An integer of a unit that is so many decimal places smaller than the family's: nanoseconds of a family in seconds
    /// have 9. Exact too.
    Shifted(i128, u32),
    /// Derived.
    Real(f64),
    /// More than any other.
    Infinite,
}

/// Appends a number.
pub fn put_number(text: &mut String, value: Number) {
    match value {
        Number::Integer(value) => put_integer(text, value),
        Number::Shifted(value, places) => put_shifted(text, value, places),
        // Writing to a String cannot fail.
        Number::Real(value) => {
            let _ = write!(text, "{value}");
        }
        Number::Infinite => text.push_str("+Inf"),
    }
}

fn put_integer(text: &mut String, value: i128) {
    let mut digits = itoa::Buffer::new();
    // 128 bits take several times as long.
    text.push_str(match i64::try_from(value) {
        Ok(value) => digits.format(value),
        Err(_) => digits.format(value),
    });
}

/// Appends an integer with its last `places` digits, at most 19, behind the point, without zeros at the end.
fn put_shifted(text: &mut String, value: i128, places: u32) {
    let unit = 10_u64.pow(places);
    if value < 0 {
        text.push('-');
    }
    let magnitude = value.unsigned_abs();
    let (whole, part) = if let Ok(short) = u64::try_from(magnitude) {
        (u128::from(short / unit), short % unit)
    } else {
        let part = magnitude % u128::from(unit);
        (magnitude / u128::from(unit), u64::try_from(part).unwrap_or_default())
    };
    put_integer(text, whole.cast_signed());
    if part > 0 {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(part);
        let width = usize::try_from(places).unwrap_or_default();
        text.push('.');
        text.extend(std::iter::repeat_n('0', width.saturating_sub(digits.len())));
        text.push_str(digits.trim_end_matches('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: Number) -> String {
        let mut text = String::new();
        put_number(&mut text, value);
        text
    }

    #[test]
    fn numbers_are_exact() {
        assert_eq!(shown(Number::Integer(u64::MAX.into())), u64::MAX.to_string());
        assert_eq!(shown(Number::Shifted(1_500_000_000, 9)), "1.5");
        assert_eq!(shown(Number::Shifted(1, 9)), "0.000000001");
        assert_eq!(shown(Number::Shifted(-25, 6)), "-0.000025");
        assert_eq!(shown(Number::Shifted(3_000_000_000, 9)), "3");
        assert_eq!(shown(Number::Shifted(u64::MAX.into(), 9)), "18446744073.709551615");
        assert_eq!(shown(Number::Real(0.25)), "0.25");
        assert_eq!(shown(Number::Infinite), "+Inf");
    }
}
