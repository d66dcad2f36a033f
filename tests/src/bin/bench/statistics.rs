//! Medians and quantiles of a few measured values.

/// The value that half of them do not exceed; the mean of the middle two of an even number.
pub(crate) fn median(values: &[f64]) -> f64 {
    let values = sorted(values);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], values[middle])
    } else {
        values[middle]
    }
}

/// The least value that `percent` of a hundred values do not exceed (nearest rank).
pub(crate) fn percentile(values: &[f64], percent: usize) -> f64 {
    let values = sorted(values);
    let rank = (values.len() * percent).div_ceil(100).max(1);
    values[rank - 1]
}

pub(crate) fn least(values: &[f64]) -> f64 {
    percentile(values, 0)
}

pub(crate) fn most(values: &[f64]) -> f64 {
    percentile(values, 100)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    assert!(!values.is_empty(), "nothing was measured");
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_does_not_matter() {
        let values = [4.0, 1.0, 3.0, 2.0];
        let near = |a: f64, b: f64| (a - b).abs() < f64::EPSILON;
        assert!(near(median(&values), 2.5));
        assert!(near(median(&values[..3]), 3.0));
        assert!(near(percentile(&values, 50), 2.0));
        assert!(near(percentile(&values, 99), 4.0));
        assert!(near(least(&values), 1.0) && near(most(&values), 4.0));
    }
}
