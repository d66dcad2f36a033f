//! Ranges of the Monitoring Plugins' guidelines, which say when a value is worth an alert.

use std::{fmt, str::FromStr};

/// When a value alerts: outside of the range, or inside where it was written with `@`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    start: f64,
    end: f64,
    alerts_inside: bool,
}

/// What is no range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// A bound is no number.
    #[error("{0:?} is no number: a range is 10, 10:, ~:10, 10:20 or @10:20")]
    Bound(String),
    /// Nothing lies between the bounds.
    #[error("it starts above its end")]
    Order,
}

impl Range {
    /// Whether a value is worth an alert. One that is no number is.
    #[must_use]
    pub fn alerts(&self, value: f64) -> bool {
        let is_inside = self.start <= value && value <= self.end;
        is_inside == self.alerts_inside
    }
}

impl FromStr for Range {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let (alerts_inside, bounds) = match text.strip_prefix('@') {
            Some(bounds) => (true, bounds),
            None => (false, text),
        };
        let (start, end) = match bounds.split_once(':') {
            None => (0.0, bound(bounds)?),
            Some((start, end)) => (
                if start == "~" { f64::NEG_INFINITY } else { bound(start)? },
                if end.is_empty() { f64::INFINITY } else { bound(end)? },
            ),
        };
        if start > end {
            return Err(RangeError::Order);
        }
        Ok(Self { start, end, alerts_inside })
    }
}

/// A decimal number, of which `inf` and `nan` are none.
fn bound(text: &str) -> Result<f64, RangeError> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| RangeError::Bound(text.to_owned()))
}

/// As it is written in performance data.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, end, alerts_inside } = *self;
        if alerts_inside {
            f.write_str("@")?;
        }
        match (start, end) {
            (f64::NEG_INFINITY, f64::INFINITY) => f.write_str("~:"),
            (f64::NEG_INFINITY, end) => write!(f, "~:{end}"),
            (0.0, end) if end.is_finite() => write!(f, "{end}"),
            (start, f64::INFINITY) => write!(f, "{start}:"),
            (start, end) => write!(f, "{start}:{end}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The guidelines' own table, each range with values that are worth an alert and some that are not.
    #[test]
    fn the_guidelines_examples_mean_what_they_say() {
        for (range, alerts, does_not) in [
            ("10", &[-1.0, 10.001, f64::NAN][..], &[0.0, 5.0, 10.0][..]),
            ("10:", &[9.999, -5.0], &[10.0, 1e300]),
            ("~:10", &[10.001, f64::INFINITY], &[10.0, 0.0, -1e300]),
            ("10:20", &[9.0, 21.0], &[10.0, 15.0, 20.0]),
            ("@10:20", &[10.0, 15.0, 20.0], &[9.999, 20.001]),
            ("@10", &[0.0, 10.0], &[-0.001, 10.001]),
            ("-20:-10", &[-21.0, -9.0, 0.0], &[-20.0, -10.0]),
            ("0.5:1e3", &[0.4, 1000.1], &[0.5, 1000.0]),
            ("~:", &[], &[0.0, f64::INFINITY]),
        ] {
            let parsed: Range = range.parse().unwrap();
            for value in alerts {
                assert!(parsed.alerts(*value), "{range}: {value}");
            }
            for value in does_not {
                assert!(!parsed.alerts(*value), "{range}: {value}");
            }
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for wrong in ["", "x", "10:x", ":10", "20:10", "@", "nan", "inf", "10:20:30", "~", "10%"] {
            assert!(wrong.parse::<Range>().is_err(), "{wrong}");
        }
        assert_eq!("2:1".parse::<Range>(), Err(RangeError::Order));
    }

    #[test]
    fn ranges_are_shown_as_they_were_written() {
        for range in ["10", "10:", "~:10", "10:20", "@10:20", "~:", "-5:0", "0.25", "@0.5:"] {
            assert_eq!(range.parse::<Range>().unwrap().to_string(), range);
        }
        assert_eq!("0:10".parse::<Range>().unwrap().to_string(), "10");
    }
}
