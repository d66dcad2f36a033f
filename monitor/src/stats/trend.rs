//! Whether a series goes up or down.

use schemars::JsonSchema;
use serde::Serialize;

use super::summary::{median, sorted};

/// The 97.5th percentile of the normal distribution.
const Z_95: f64 = 1.959_963_984_540_054;

/// A straight line through a series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Trend {
    /// Its slope, a unit of x.
    pub slope: f64,
    /// With a confidence of 95 %, the slope is at least this, if the deviations from the line are independent.
    pub low: f64,
    /// With the same confidence, at most this.
    pub high: f64,
}

impl Trend {
    /// Whether it goes up, or down, with that confidence.
    #[must_use]
    pub fn is_certain(self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// The median of the slopes between any two points (Theil and Sen), which outliers do not move, with Sen's confidence interval.
/// `None` of fewer than three points or where all have the same x. Takes time and memory in the square of the points.
///
/// Sen, Estimates of the regression coefficient based on Kendall's tau, J. Am. Stat. Assoc. 63 (1968).
#[must_use]
pub fn theil_sen(points: &[(f64, f64)]) -> Option<Trend> {
    if points.len() < 3 {
        return None;
    }
    let mut slopes = Vec::with_capacity(points.len() * (points.len() - 1) / 2);
    for (index, (x0, y0)) in points.iter().enumerate() {
        let later = points.iter().skip(index + 1).filter(|(x, _)| x.total_cmp(x0).is_ne());
        slopes.extend(later.map(|(x, y)| (y - y0) / (x - x0)));
    }
    let slopes = sorted(&slopes);
    let slope = median(&slopes)?;
    let ties = |values: Vec<f64>| tie_sum(&sorted(&values), |k| k * (k - 1.0) * (2.0 * k + 5.0));
    let n = points.len() as f64;
    let variance = (n * (n - 1.0) * (2.0 * n + 5.0)
        - ties(points.iter().map(|point| point.0).collect())
        - ties(points.iter().map(|point| point.1).collect()))
        / 18.0;
    let reach = Z_95 * variance.max(0.0).sqrt();
    let count = slopes.len() as f64;
    let low = *slopes.get(index(f64::midpoint(count, -reach).round_ties_even() - 1.0, slopes.len()))?;
    let high = *slopes.get(index(f64::midpoint(count, reach), slopes.len()))?;
    Some(Trend { slope, low, high })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the length")]
fn index(rank: f64, length: usize) -> usize {
    (rank.round_ties_even().max(0.0) as usize).min(length.saturating_sub(1))
}

/// The sum over groups of equal values of what `term` says of each group's size.
pub(super) fn tie_sum(sorted: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    sorted.chunk_by(|a, b| a.total_cmp(b).is_eq()).map(|group| term(group.len() as f64)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::samples::{A, assert_close};

    fn points(values: &[f64], step: f64) -> Vec<(f64, f64)> {
        values.iter().enumerate().map(|(index, value)| (index as f64 * step, *value)).collect()
    }

    /// `scipy.stats.theilslopes(a, 10.0 * numpy.arange(12))` with scipy 1.17.1.
    #[test]
    fn figures_are_those_of_scipy() {
        let trend = theil_sen(&points(&A, 10.0)).unwrap();
        assert_close(trend.slope, 0.032_916_666_666_666_664);
        assert_close(trend.low, -0.002);
        assert_close(trend.high, 0.096_666_666_666_666_65);
        assert!(!trend.is_certain());
    }

    /// `scipy.stats.theilslopes([1, 2, 2, 3, 3, 3, 5, 4, 6, 6], numpy.arange(10))`.
    #[test]
    fn equal_values_narrow_the_interval_as_in_scipy() {
        let trend = theil_sen(&points(&[1., 2., 2., 3., 3., 3., 5., 4., 6., 6.], 1.0)).unwrap();
        assert_close(trend.slope, 0.5);
        assert_close(trend.low, 1.0 / 3.0);
        assert_close(trend.high, 2.0 / 3.0);
        assert!(trend.is_certain());
    }

    #[test]
    fn what_stands_still_has_no_trend() {
        let trend = theil_sen(&points(&[4.0; 20], 1.0)).unwrap();
        assert_eq!((trend.slope, trend.is_certain()), (0.0, false));
        assert_eq!(theil_sen(&points(&[1.0, 2.0], 1.0)), None);
        assert_eq!(theil_sen(&[(1.0, 1.0); 5]), None);
    }
}
