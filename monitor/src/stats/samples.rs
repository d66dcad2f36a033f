//! Samples whose figures are known from other implementations.

/// With a tie and an outlier.
pub(super) const A: [f64; 12] = [3.1, 4.7, 4.7, 2.2, 9.5, 6.0, 5.1, 4.4, 7.3, 100.0, 5.9, 6.6];
/// Shares values with [`A`].
pub(super) const B: [f64; 10] = [4.4, 8.8, 7.1, 12.5, 9.9, 6.6, 10.2, 11.0, 8.0, 9.5];

/// Uniform noise from 0 to 1 on the levels 0, 3 from 40 on, and 1 from 75 on:
/// `seed = (seed * 1103515245 + 12345) % 2**31; seed / 2**31 + level`, with the seed 1 before the first.
pub(super) fn levels() -> Vec<f64> {
    let mut seed: u32 = 1;
    (0..120)
        .map(|index| {
            seed = seed.wrapping_mul(1_103_515_245).wrapping_add(12_345) & 0x7fff_ffff;
            let level = match index {
                0..40 => 0.0,
                40..75 => 3.0,
                _ => 1.0,
            };
            f64::from(seed) / 2_f64.powi(31) + level
        })
        .collect()
}

/// Panics unless two figures are equal but for rounding.
pub(super) fn assert_close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1e-9), "{found}, not {expected}");
}
