//! Durations to buckets: four to an octave, from a microsecond to a quarter of a minute.
//!
//! A bucket is at most a quarter as wide as its lower bound, so a quantile read from it is wrong by less than that.

/// Buckets of a histogram.
pub const BUCKETS: usize = 96;

/// log2 of the first bucket's upper bound in nanoseconds.
const FIRST_BITS: u32 = 10;

/// Quarters of the first bucket from which on all is in the last one. Checked before the bucket is computed and not after: the
/// verifiers before 6.8 do not see that a constant exceeds an index, and take the array for left.
const LAST_UNITS: u64 = 7 << 23;

/// How often each duration was seen on one CPU.
///
/// The counts wrap; user space reads them more often than that and widens them.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Histogram(pub [u32; BUCKETS]);

impl Default for Histogram {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

/// The bucket of a duration in nanoseconds; the last one takes all that is longer.
#[inline(always)]
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "the index is below the number of buckets")]
pub const fn bucket(ns: u64) -> usize {
    let units = ns >> (FIRST_BITS - 2);
    if units < 4 {
        return 0;
    }
    if units >= LAST_UNITS {
        return BUCKETS - 1;
    }
    // log2 by halving: eBPF has no instruction that counts leading zeros.
    let mut rest = units;
    let mut octave = 0;
    let mut step = 16;
    while step > 0 {
        if rest >= 1 << step {
            rest >>= step;
            octave += step;
        }
        step /= 2;
    }
    let quarter = (units >> (octave - 2)) & 3;
    (1 + (octave - 2) * 4 + quarter) as usize
}

/// The smallest duration of a bucket in nanoseconds.
#[must_use]
pub const fn lower_bound(bucket: usize) -> u64 {
    if bucket == 0 {
        return 0;
    }
    let octave = (bucket - 1) / 4;
    let quarter = ((bucket - 1) % 4) as u64;
    (4 + quarter) << (FIRST_BITS as usize - 2 + octave)
}

/// The first duration past a bucket in nanoseconds; `None` for the last bucket, which has no bound.
#[must_use]
pub const fn upper_bound(bucket: usize) -> Option<u64> {
    if bucket + 1 < BUCKETS { Some(lower_bound(bucket + 1)) } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bounds_are_those_documented() {
        assert_eq!(bucket(0), 0);
        assert_eq!(bucket(1023), 0);
        assert_eq!(bucket(1024), 1);
        assert_eq!(bucket(1279), 1);
        assert_eq!(bucket(1280), 2);
        assert_eq!(bucket(2048), 5);
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        assert_eq!(lower_bound(BUCKETS - 1), 6 << 31);
        assert_eq!(upper_bound(BUCKETS - 1), None);
    }

    #[test]
    fn each_bound_falls_into_its_own_bucket() {
        for index in 0..BUCKETS {
            assert_eq!(bucket(lower_bound(index)), index);
            if let Some(end) = upper_bound(index) {
                assert_eq!(bucket(end - 1), index);
                assert_eq!(bucket(end), index + 1);
            }
        }
    }

    proptest! {
        #[test]
        fn a_duration_lies_within_its_buckets_bounds(ns in any::<u64>()) {
            let index = bucket(ns);
            prop_assert!(lower_bound(index) <= ns);
            prop_assert!(upper_bound(index).is_none_or(|end| ns < end));
        }

        #[test]
        fn buckets_keep_the_order(a in any::<u64>(), b in any::<u64>()) {
            let (shorter, longer) = (a.min(b), a.max(b));
            prop_assert!(bucket(shorter) <= bucket(longer));
        }
    }
}
