//! Durations to buckets: four to an octave, from a microsecond to a quarter of a minute, or two.
//!
//! A bucket is at most a quarter (or a half) as wide as its lower bound, so a quantile read from it is wrong by less than that.

/// Buckets of a histogram.
pub const BUCKETS: usize = 96;

/// Buckets of a histogram that has two to an octave.
pub const COARSE_BUCKETS: usize = 48;

/// log2 of the first bucket's upper bound in nanoseconds.
const FIRST_BITS: u32 = 10;

/// The shortest duration that is in the last bucket, whatever it is. Checked before the bucket is computed and not after: the
/// verifiers before 6.8 do not see that a constant exceeds an index, and take the array for left.
const LAST_NS: u64 = 6 << (FIRST_BITS - 2 + 23);
/// The same where there are two to an octave.
const LAST_COARSE_NS: u64 = 4 << (FIRST_BITS - 2 + 23);

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

/// As [`Histogram`], with two buckets to an octave: of what is read less closely, and would take too much memory.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoarseHistogram(pub [u32; COARSE_BUCKETS]);

impl Default for CoarseHistogram {
    fn default() -> Self {
        Self([0; COARSE_BUCKETS])
    }
}

/// Octaves that [`FIRST_BUCKETS`] covers from the second quarter of the first bucket on.
const BAND_OCTAVES: u32 = 6;

/// The buckets of the durations below 2^16 ns, by the duration's quarters of the first bucket. Six octaves further on it is the
/// same with 24 buckets more. eBPF has no instruction that counts leading zeros, and to find the octave by halving takes five
/// times as many instructions.
#[expect(clippy::cast_possible_truncation, reason = "24 at most")]
static FIRST_BUCKETS: [u8; 256] = {
    let mut buckets = [0; 256];
    let mut quarters = 4_u32;
    while quarters < 256 {
        let octave = quarters.ilog2();
        buckets[quarters as usize] = (1 + (octave - 2) * 4 + (quarters >> (octave - 2) & 3)) as u8;
        quarters += 1;
    }
    buckets
};

/// The bucket of a duration in nanoseconds; the last one takes all that is longer.
#[inline(always)]
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "a byte")]
pub fn bucket(ns: u64) -> usize {
    let mut quarters = ns >> (FIRST_BITS - 2);
    let mut before = 0;
    if ns >= LAST_NS {
        return BUCKETS - 1;
    }
    while quarters > 255 {
        quarters >>= BAND_OCTAVES;
        before += BAND_OCTAVES as usize * 4;
    }
    before + FIRST_BUCKETS[low_byte(quarters) as usize] as usize
}

/// The low byte. In assembly where it becomes an eBPF program: the compiler knows that there is nothing above it and would
/// leave the mask out, but the verifier does not know.
#[inline(always)]
#[cfg_attr(target_arch = "bpf", expect(unsafe_code, reason = "assembly"))]
fn low_byte(value: u64) -> u64 {
    #[cfg(target_arch = "bpf")]
    let value = {
        let mut value = value;
        // SAFETY: arithmetic.
        unsafe {
            core::arch::asm!("{value} &= 255", value = inout(reg) value, options(nostack, nomem, pure));
        };
        value
    };
    value & 255
}

/// The bucket of a duration in nanoseconds where there are two to an octave.
#[inline(always)]
#[must_use]
pub fn coarse_bucket(ns: u64) -> usize {
    if ns >= LAST_COARSE_NS { COARSE_BUCKETS - 1 } else { bucket(ns).div_ceil(2) }
}

/// What the buckets of a histogram mean.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    buckets: usize,
    /// Into how many each octave is divided.
    per_octave: usize,
}

/// That of a [`Histogram`].
pub const FINE: Scale = Scale { buckets: BUCKETS, per_octave: 4 };
/// That of a [`CoarseHistogram`].
pub const COARSE: Scale = Scale { buckets: COARSE_BUCKETS, per_octave: 2 };

impl Scale {
    /// The smallest duration of a bucket in nanoseconds.
    #[must_use]
    pub const fn lower_bound(self, bucket: usize) -> u64 {
        if bucket == 0 {
            return 0;
        }
        let octave = (bucket - 1) / self.per_octave;
        let part = (bucket - 1) % self.per_octave * (4 / self.per_octave);
        (4 + part as u64) << (FIRST_BITS as usize - 2 + octave)
    }

    /// The first duration past a bucket in nanoseconds; `None` for the last bucket, which has no bound.
    #[must_use]
    pub const fn upper_bound(self, bucket: usize) -> Option<u64> {
        if bucket + 1 < self.buckets { Some(self.lower_bound(bucket + 1)) } else { None }
    }
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
        assert_eq!(FINE.lower_bound(BUCKETS - 1), 6 << 31);
        assert_eq!(
            (coarse_bucket(u64::MAX), COARSE.lower_bound(COARSE_BUCKETS - 1)),
            (COARSE_BUCKETS - 1, 4 << 31)
        );
        assert_eq!(FINE.upper_bound(BUCKETS - 1), None);
    }

    #[test]
    fn each_bound_falls_into_its_own_bucket() {
        type Bucket = fn(u64) -> usize;
        for (scale, bucket) in [(FINE, bucket as Bucket), (COARSE, coarse_bucket)] {
            for index in 0..scale.buckets {
                assert_eq!(bucket(scale.lower_bound(index)), index);
                if let Some(end) = scale.upper_bound(index) {
                    assert_eq!(bucket(end - 1), index);
                    assert_eq!(bucket(end), index + 1);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_duration_lies_within_its_buckets_bounds(ns in any::<u64>()) {
            for (scale, index) in [(FINE, bucket(ns)), (COARSE, coarse_bucket(ns))] {
                prop_assert!(scale.lower_bound(index) <= ns);
                prop_assert!(scale.upper_bound(index).is_none_or(|end| ns < end));
            }
        }

        #[test]
        fn a_bucket_is_no_wider_than_a_share_of_its_lower_bound(ns in any::<u64>()) {
            for (scale, index, share) in [(FINE, bucket(ns), 4), (COARSE, coarse_bucket(ns), 2)] {
                if let Some(end) = scale.upper_bound(index).filter(|_| index > 0) {
                    let start = scale.lower_bound(index);
                    prop_assert!((end - start) * share <= start);
                }
            }
        }

        #[test]
        fn a_bucket_lies_in_one_of_the_coarser_scale(ns in any::<u64>()) {
            let (fine, coarse) = (bucket(ns), coarse_bucket(ns));
            prop_assert!(COARSE.lower_bound(coarse) <= FINE.lower_bound(fine));
            prop_assert!(COARSE.upper_bound(coarse).is_none_or(|end| FINE.upper_bound(fine).unwrap() <= end));
        }

        #[test]
        fn buckets_keep_the_order(a in any::<u64>(), b in any::<u64>()) {
            let (shorter, longer) = (a.min(b), a.max(b));
            prop_assert!(bucket(shorter) <= bucket(longer));
        }
    }
}
