//! Comparison of two counters of which neither stands still.

use std::{fmt::Debug, ops::Sub, thread, time::Duration};

/// Panics unless `ours` grew within `time` by no less than `truth` surely did and by no more than it can have.
///
/// The truth is read on both sides of ours, at the beginning and at the end. Returns the least and the most.
pub fn assert_bracketed<T>(
    mut truth: impl FnMut() -> T,
    mut ours: impl FnMut() -> T,
    time: Duration,
) -> (T, T)
where
    T: Copy + Debug + PartialOrd + Sub<Output = T>,
{
    let mut sides = || (truth(), ours(), truth());
    let (early_begin, ours_begin, late_begin) = sides();
    thread::sleep(time);
    let (early_end, ours_end, late_end) = sides();
    let (least, most) = (early_end - late_begin, late_end - early_begin);
    let grown = ours_end - ours_begin;
    assert!(
        least <= grown && grown <= most,
        "ours grew by {grown:?}, the truth by at least {least:?} and at most {most:?}"
    );
    (least, most)
}

/// Panics unless `ours` is within `per_mille` thousandths of `truth`.
pub fn assert_within(what: &str, ours: u64, truth: u64, per_mille: u64) {
    let difference = ours.abs_diff(truth);
    assert!(
        u128::from(difference) * 1000 <= u128::from(truth) * u128::from(per_mille),
        "{what}: ours {ours}, truth {truth}, which is more than {per_mille} thousandths apart"
    );
}
