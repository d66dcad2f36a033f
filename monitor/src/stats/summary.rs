//! What a series of values is like as a whole.

use schemars::JsonSchema;
use serde::Serialize;

/// Moments and percentiles of a series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// Values.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// Their standard deviation, that of a sample; `None` of one value.
    pub deviation: Option<f64>,
    /// Half are no greater.
    pub p50: f64,
    /// Nine tenths are no greater.
    pub p90: f64,
    /// 95 of a hundred are no greater.
    pub p95: f64,
    /// 99 of a hundred are no greater.
    pub p99: f64,
    /// 999 of a thousand are no greater.
    pub p999: f64,
}

impl Summary {
    /// That of these values; `None` where there are none.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let sorted = sorted(values);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let count = sorted.len();
        let mean = sorted.iter().sum::<f64>() / count as f64;
        let squares: f64 = sorted.iter().map(|value| (value - mean).powi(2)).sum();
        let at = |q| percentile(&sorted, q);
        Some(Self {
            count,
            mean,
            min,
            max,
            deviation: (count > 1).then(|| (squares / (count - 1) as f64).sqrt()),
            p50: at(0.5)?,
            p90: at(0.9)?,
            p95: at(0.95)?,
            p99: at(0.99)?,
            p999: at(0.999)?,
        })
    }
}

/// The values in order.
#[must_use]
pub fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The value at the share `q` (0 to 1) of values in order, between two of them by linear interpolation; `None` where there
/// are none.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index: from 0 to the length")]
pub fn percentile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let rank = q.clamp(0.0, 1.0) * last as f64;
    let below = (rank.floor() as usize).min(last);
    let from = *sorted.get(below)?;
    let to = *sorted.get((below + 1).min(last))?;
    Some(from + (to - from) * (rank - below as f64))
}

/// The middle of values in any order; `None` where there are none.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    percentile(&sorted(values), 0.5)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::samples::{A, assert_close};

    /// `a.mean(), a.std(ddof=1), np.percentile(a, [50, 90, 95, 99, 99.9])` with numpy 2.4.6.
    #[test]
    fn figures_are_those_of_numpy() {
        let summary = Summary::of(&A).unwrap();
        assert_close(summary.mean, 13.291_666_666_666_666);
        assert_close(summary.deviation.unwrap(), 27.372_662_484_952_965);
        assert_close(summary.p50, 5.5);
        assert_close(summary.p90, 9.28);
        assert_close(summary.p95, 50.225);
        assert_close(summary.p99, 90.045);
        assert_close(summary.p999, 99.0045);
        assert_eq!((summary.min, summary.max, summary.count), (2.2, 100.0, 12));
    }

    #[test]
    fn little_is_known_of_few_values() {
        assert_eq!(Summary::of(&[]), None);
        let one = Summary::of(&[7.0]).unwrap();
        assert_eq!((one.mean, one.deviation, one.p999), (7.0, None, 7.0));
    }

    proptest! {
        #[test]
        fn percentiles_keep_their_order(values in proptest::collection::vec(-1e9_f64..1e9, 1..100)) {
            let s = Summary::of(&values).unwrap();
            prop_assert!([s.min, s.p50, s.p90, s.p95, s.p99, s.p999, s.max].is_sorted());
        }
    }
}
