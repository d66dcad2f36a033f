//! Our buckets as those of Prometheus' native histograms.
//!
//! Ours divide each octave of nanoseconds into four parts of the same width; Prometheus' schemas divide octaves of seconds
//! into parts of the same ratio, so that no bound of ours but zero's is one of theirs (docs/adr/0022). A bucket of ours becomes
//! the one of theirs that holds its middle: what a query reads there is off by half of our bucket, 12 %, and by what theirs is
//! wide, 2 %.

use super::protobuf::{BucketSpan, Histogram};
use crate::model::LatencyBucket;

/// 32 buckets to an octave: no two of ours fall into one of theirs, and it costs nothing, since empty ones are not sent.
const SCHEMA: i32 = 5;
const PER_OCTAVE: f64 = 32.0;
/// What is shorter than our first bound, in nanoseconds, is theirs of zero: this one is exact.
const ZERO_NS: u64 = 1023;

/// A histogram with native buckets; `sum_ns` is `None` where it was not measured.
pub(super) fn histogram(buckets: &[LatencyBucket], sum_ns: Option<u64>) -> Histogram {
    let mut zero = 0;
    let mut counts: Vec<(i32, u64)> = Vec::new();
    for bucket in buckets {
        if bucket.from_ns == 0 {
            zero += bucket.count;
            continue;
        }
        let index = index(bucket);
        match counts.last_mut().filter(|(last, _)| *last == index) {
            Some((_, count)) => *count += bucket.count,
            None => counts.push((index, bucket.count)),
        }
    }
    let (positive_span, positive_delta) = spans(&counts);
    Histogram {
        sample_count: Some(zero + counts.iter().map(|(_, count)| count).sum::<u64>()),
        // Not a number is what a sum is that nobody knows; 0 would be a mean of 0.
        sample_sum: Some(sum_ns.map_or(f64::NAN, |sum| sum as f64 / 1e9)),
        schema: Some(SCHEMA),
        zero_threshold: Some(ZERO_NS as f64 / 1e9),
        zero_count: Some(zero),
        positive_span,
        positive_delta,
        bucket: Vec::new(),
    }
}

/// The number k of the bucket from 2^((k-1)/32) s, exclusive, to 2^(k/32) s that holds the middle of one of ours by ratio; of
/// the last one, which has no end, its beginning.
fn index(bucket: &LatencyBucket) -> i32 {
    let from = bucket.from_ns as f64;
    let middle = bucket.to_ns.map_or(from, |to| (from * to as f64).sqrt());
    let index = ((middle / 1e9).log2() * PER_OCTAVE).ceil();
    #[expect(clippy::cast_possible_truncation, reason = "of 64 bits of nanoseconds, 32 times -30 to 35")]
    let index = index as i32;
    index
}

/// Runs of buckets without a gap, and each count less the one before it.
fn spans(counts: &[(i32, u64)]) -> (Vec<BucketSpan>, Vec<i64>) {
    let (mut spans, mut deltas): (Vec<BucketSpan>, Vec<i64>) = (Vec::new(), Vec::new());
    // Where the next bucket without a gap would be; the first span's offset is from 0.
    let (mut next, mut before) = (0, 0);
    for &(index, count) in counts {
        match spans.last_mut().filter(|_| index == next) {
            Some(BucketSpan { length: Some(length), .. }) => *length += 1,
            _ => spans.push(BucketSpan { offset: Some(index - next), length: Some(1) }),
        }
        next = index + 1;
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        deltas.push(count - before);
        before = count;
    }
    (spans, deltas)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use monitor_common::histogram::{BUCKETS, COARSE, COARSE_BUCKETS, FINE, Scale};

    use super::*;

    fn all(scale: Scale, count: usize) -> Vec<LatencyBucket> {
        let bucket = |place| LatencyBucket {
            from_ns: scale.lower_bound(place),
            to_ns: scale.upper_bound(place),
            count: place as u64 + 1,
        };
        (0..count).map(bucket).collect()
    }

    #[test]
    fn each_bucket_of_ours_has_one_of_theirs_in_it() {
        for buckets in [all(FINE, BUCKETS), all(COARSE, COARSE_BUCKETS)] {
            let indexes: HashSet<i32> = buckets[1..].iter().map(index).collect();
            assert_eq!(indexes.len(), buckets.len() - 1);
            for bucket in &buckets[1..buckets.len() - 1] {
                let end = (f64::from(index(bucket)) / PER_OCTAVE).exp2() * 1e9;
                let start = end * (-1.0 / PER_OCTAVE).exp2();
                let (from, to) = (bucket.from_ns as f64, bucket.to_ns.unwrap() as f64);
                assert!(from < start && end < to, "{start} to {end} for {from} to {to}");
                // The farthest that a query's answer can be from a duration that was seen.
                let (low, high) = (to / start, end / from);
                let bound = if to / from < 1.3 { 1.15 } else { 1.26 };
                assert!(low < bound && high < bound, "{low} {high} at {from}");
            }
        }
    }

    #[test]
    fn nothing_is_lost_on_the_way() {
        let buckets = all(FINE, BUCKETS);
        let native = histogram(&buckets, Some(1_500_000_000));
        assert_eq!(native.sample_count, Some(buckets.iter().map(|bucket| bucket.count).sum()));
        assert_eq!((native.sample_sum, native.zero_count), (Some(1.5), Some(1)));
        let mut count = 0;
        let total: i64 = native
            .positive_delta
            .iter()
            .map(|delta| {
                count += delta;
                count
            })
            .sum();
        assert_eq!(Some(total.unsigned_abs() + 1), native.sample_count);
        let lengths: u32 = native.positive_span.iter().filter_map(|span| span.length).sum();
        assert_eq!(lengths as usize, native.positive_delta.len());
        assert!(histogram(&[], None).sample_sum.unwrap().is_nan());
    }

    #[test]
    fn spans_are_runs_and_gaps() {
        let span = |offset, length| BucketSpan { offset: Some(offset), length: Some(length) };
        let (spans, deltas) = spans(&[(-5, 3), (-4, 1), (0, 2)]);
        assert_eq!(spans, [span(-5, 2), span(3, 1)]);
        assert_eq!(deltas, [3, -2, 1]);
    }
}
