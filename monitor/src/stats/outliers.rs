//! Values that do not belong to the others.

use super::summary::median;

/// Beyond this score a value is an outlier (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993).
pub const THRESHOLD: f64 = 3.5;
/// The median absolute deviation of a normal distribution, in standard deviations.
pub(super) const MAD_OF_NORMAL: f64 = 0.6745;
/// The mean absolute deviation of one.
const MEAN_DEVIATION_OF_NORMAL: f64 = 0.7979;

/// A value that does not belong to the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlier {
    /// Its place in the series.
    pub index: usize,
    /// How many standard deviations it is from the median, if the others were normally distributed; negative below.
    pub score: f64,
}

/// Values whose modified z-score is beyond [`THRESHOLD`]: median and median absolute deviation, which outliers do not move.
/// Where more than half of the values are equal, the mean absolute deviation stands in for the latter.
#[must_use]
pub fn outliers(values: &[f64]) -> Vec<Outlier> {
    let Some(middle) = median(values) else { return Vec::new() };
    let deviations: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    let unit = match median(&deviations) {
        Some(mad) if mad > 0.0 => mad / MAD_OF_NORMAL,
        _ => deviations.iter().sum::<f64>() / deviations.len() as f64 / MEAN_DEVIATION_OF_NORMAL,
    };
    if unit <= 0.0 {
        return Vec::new();
    }
    let scored = values.iter().enumerate().map(|(index, value)| (index, (value - middle) / unit));
    scored
        .filter(|(_, score)| score.abs() > THRESHOLD)
        .map(|(index, score)| Outlier { index, score })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::samples::{A, assert_close};

    /// `0.6745 * (a - numpy.median(a)) / numpy.median(abs(a - numpy.median(a)))` with numpy 2.4.6.
    #[test]
    fn scores_are_those_of_numpy() {
        let found = outliers(&A);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].index, 9);
        assert_close(found[0].score, 57.945_681_818_181_83);
    }

    #[test]
    fn one_spike_in_what_stands_still_is_found() {
        let mut values = [5.0; 50];
        assert!(outliers(&values).is_empty());
        values[17] = 6.0;
        let indices: Vec<usize> = outliers(&values).iter().map(|outlier| outlier.index).collect();
        assert_eq!(indices, [17]);
    }

    #[test]
    fn nothing_has_no_outliers() {
        assert!(outliers(&[]).is_empty());
        assert!(outliers(&[1.0]).is_empty());
    }
}
