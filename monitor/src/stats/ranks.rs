//! What can be said by the order of values alone: whether one sample is greater than another, and whether two series go
//! together. Distributions with long tails, as rates and times have them, ask for this.

use serde::Serialize;

use super::{summary::sorted, trend::tie_sum};

/// How one sample compares with another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The probability of a difference at least as large between samples of one distribution, by the test of Mann and Whitney
    /// with the normal approximation, corrected for ties and continuity, if the values are independent.
    pub p: f64,
    /// How much more often a value of the second sample exceeds one of the first than the other way round, from -1 to 1 (Cliff).
    pub delta: f64,
}

impl Comparison {
    /// In a word, by the usual bounds (Romano et al., 2006).
    #[must_use]
    pub fn size(self) -> &'static str {
        match self.delta.abs() {
            small if small < 0.147 => "negligible",
            small if small < 0.33 => "small",
            medium if medium < 0.474 => "medium",
            _ => "large",
        }
    }
}

/// Compares two samples; `None` where one has no values, or where all values are equal.
#[must_use]
pub fn compare(first: &[f64], second: &[f64]) -> Option<Comparison> {
    if first.is_empty() || second.is_empty() {
        return None;
    }
    let (n1, n2) = (first.len() as f64, second.len() as f64);
    let n = n1 + n2;
    let together: Vec<f64> = first.iter().chain(second).copied().collect();
    let rank_sum: f64 = ranks(&together).iter().take(first.len()).sum();
    let u = rank_sum - n1 * (n1 + 1.0) / 2.0;
    let ties = tie_sum(&sorted(&together), |k| k.powi(3) - k);
    let variance = n1 * n2 / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)));
    if variance <= 0.0 {
        return None;
    }
    let z = ((u - n1 * n2 / 2.0).abs() - 0.5) / variance.sqrt();
    let p = libm::erfc(z / std::f64::consts::SQRT_2).min(1.0);
    Some(Comparison { p, delta: 1.0 - 2.0 * u / (n1 * n2) })
}

/// Each value's place among all, from 1; equal ones share the mean of theirs.
#[must_use]
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
    order.sort_unstable_by(|a, b| a.1.total_cmp(&b.1));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0.0;
    for group in order.chunk_by(|a, b| a.1.total_cmp(&b.1).is_eq()) {
        let size = group.len() as f64;
        for (index, _) in group {
            if let Some(rank) = ranks.get_mut(*index) {
                *rank = before + f64::midpoint(size, 1.0);
            }
        }
        before += size;
    }
    ranks
}

/// How far two series of one length go together linearly, from -1 to 1 (Pearson); of [`ranks`], in any monotonic way
/// (Spearman). `None` where one stands still.
#[must_use]
pub fn correlation(first: &[f64], second: &[f64]) -> Option<f64> {
    let n = first.len().min(second.len()) as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let (mean1, mean2) = (mean(first), mean(second));
    let (mut covariance, mut variance1, mut variance2) = (0.0, 0.0, 0.0);
    for (a, b) in first.iter().zip(second) {
        let (a, b) = (a - mean1, b - mean2);
        covariance += a * b;
        variance1 += a * a;
        variance2 += b * b;
    }
    let scale = (variance1 * variance2).sqrt();
    (scale > 0.0).then(|| (covariance / scale).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::samples::{A, B, assert_close};

    /// `scipy.stats.mannwhitneyu(a, b, method="asymptotic")` with scipy 1.17.1: U 25.5, of 120 pairs.
    #[test]
    fn the_test_is_that_of_scipy() {
        let comparison = compare(&A, &B).unwrap();
        assert_close(comparison.p, 0.024_804_768_074_012_35);
        assert_close(comparison.delta, 0.575);
        assert_eq!(comparison.size(), "large");
    }

    /// `scipy.stats.rankdata(a)`.
    #[test]
    fn equal_values_share_a_rank() {
        assert_eq!(ranks(&A), [2.0, 4.5, 4.5, 1.0, 11.0, 8.0, 6.0, 3.0, 10.0, 12.0, 7.0, 9.0]);
    }

    /// `scipy.stats.pearsonr(b, a[:10])` and `scipy.stats.spearmanr(b, a[:10])`.
    #[test]
    fn correlations_are_those_of_scipy() {
        assert_close(correlation(&B, &A[..10]).unwrap(), 0.101_668_590_805_502_67);
        assert_close(correlation(&ranks(&B), &ranks(&A[..10])).unwrap(), -0.127_660_164_172_813_56);
    }

    #[test]
    fn what_stands_still_compares_with_nothing() {
        assert_eq!(compare(&[], &B), None);
        assert_eq!(compare(&[1.0; 4], &[1.0; 5]), None);
        assert_eq!(correlation(&[1.0; 10], &B), None);
        assert_eq!(correlation(&[], &[]), None);
    }

    proptest! {
        #[test]
        fn the_other_way_round_it_is_the_opposite(
            a in proptest::collection::vec(0_u8..20, 1..40),
            b in proptest::collection::vec(0_u8..20, 1..40),
        ) {
            let reals = |values: &[u8]| values.iter().copied().map(f64::from).collect::<Vec<_>>();
            let (a, b) = (reals(&a), reals(&b));
            if let (Some(one), Some(other)) = (compare(&a, &b), compare(&b, &a)) {
                prop_assert!((one.delta + other.delta).abs() < 1e-9 && (one.p - other.p).abs() < 1e-9);
                prop_assert!((0.0..=1.0).contains(&one.p) && one.delta.abs() <= 1.0);
            }
        }
    }
}
