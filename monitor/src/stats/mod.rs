//! Statistics over histograms, and over series of values ([`summary`] and beside it): pure.

pub mod changes;
pub mod outliers;
pub mod ranks;
#[cfg(test)]
mod samples;
pub mod summary;
pub mod trend;

use monitor_common::histogram::Scale;

/// The value below which the share `q` (0 to 1) of a histogram's entries lies, by linear interpolation within its
/// bucket; `None` where there are no entries.
///
/// The last bucket has no upper bound; its lower one is returned.
#[must_use]
pub fn quantile(counts: &[u64], scale: Scale, q: f64) -> Option<u64> {
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return None;
    }
    let rank = q.clamp(0.0, 1.0) * total as f64;
    let mut below = 0.0;
    for (bucket, &count) in counts.iter().enumerate() {
        let within = below + count as f64;
        if count > 0 && within >= rank {
            let from = scale.lower_bound(bucket);
            let width = scale.upper_bound(bucket).map_or(0, |to| to - from);
            let share = ((rank - below) / count as f64).clamp(0.0, 1.0);
            return Some(from + share_of(width, share));
        }
        below = within;
    }
    None
}

/// The upper bound of the highest bucket in use; `None` where none is, or where it has no bound.
#[must_use]
pub fn upper_end(counts: &[u64], scale: Scale) -> Option<u64> {
    counts.iter().rposition(|&count| count > 0).and_then(|bucket| scale.upper_bound(bucket))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a bucket's width, which is below 2^34"
)]
fn share_of(width: u64, share: f64) -> u64 {
    (width as f64 * share).round() as u64
}

#[cfg(test)]
mod tests {
    use monitor_common::histogram::{BUCKETS, FINE, bucket};
    use proptest::prelude::*;

    use super::*;

    fn histogram(values: &[u64]) -> [u64; BUCKETS] {
        let mut counts = [0; BUCKETS];
        for value in values {
            counts[bucket(*value)] += 1;
        }
        counts
    }

    #[test]
    fn an_empty_histogram_has_no_quantiles() {
        assert_eq!(quantile(&[0; BUCKETS], FINE, 0.5), None);
        assert_eq!(upper_end(&[0; BUCKETS], FINE), None);
    }

    #[test]
    fn a_lone_bucket_is_interpolated() {
        let counts = histogram(&[1100; 10]);
        assert_eq!(quantile(&counts, FINE, 0.5), Some(1152));
        assert_eq!(upper_end(&counts, FINE), Some(1280));
    }

    proptest! {
        #[test]
        fn quantiles_lie_in_the_bucket_of_the_value_they_estimate(
            mut values in proptest::collection::vec(0_u64..10_000_000_000, 1..200),
            q in 0.0_f64..1.0,
        ) {
            values.sort_unstable();
            let counts = histogram(&values);
            let estimate = quantile(&counts, FINE, q).unwrap();
            // The least value with at least the share `q` at or below it.
            let has_share = |&(below, _): &(usize, &u64)| (below + 1) as f64 >= q * values.len() as f64;
            let (_, &exact) = values.iter().enumerate().find(has_share).unwrap();
            prop_assert!(FINE.lower_bound(bucket(exact)) <= estimate);
            prop_assert!(FINE.upper_bound(bucket(exact)).is_none_or(|end| estimate <= end));
        }

        #[test]
        fn quantiles_keep_their_order(values in proptest::collection::vec(any::<u64>(), 1..100)) {
            let counts = histogram(&values);
            let quantiles = [0.1, 0.5, 0.9, 0.99].map(|q| quantile(&counts, FINE, q));
            prop_assert!(quantiles.is_sorted());
        }

        #[test]
        fn quantiles_of_two_together_lie_between_those_of_each(
            a in proptest::collection::vec(any::<u64>(), 1..100),
            b in proptest::collection::vec(any::<u64>(), 1..100),
            q in 0.0_f64..=1.0,
        ) {
            let (a, b) = (histogram(&a), histogram(&b));
            let together: Vec<u64> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
            let [one, other, both] = [&a[..], &b, &together].map(|counts| quantile(counts, FINE, q).unwrap());
            // Each is rounded, of buckets as wide as seconds in floats of 53 bits.
            prop_assert!(one.min(other) <= both + 2 && both <= one.max(other) + 2, "{one} {other} {both}");
        }

        #[test]
        fn nothing_lies_above_the_upper_end(values in proptest::collection::vec(any::<u64>(), 1..100)) {
            let counts = histogram(&values);
            let end = upper_end(&counts, FINE);
            prop_assert_eq!(end.is_none(), values.iter().any(|value| bucket(*value) == BUCKETS - 1));
            prop_assert!(end.is_none() || quantile(&counts, FINE, 1.0) <= end);
            prop_assert!(end.is_none_or(|end| values.iter().all(|value| *value < end)));
        }
    }
}
