//! Where the level of a series changes.
//!
//! PELT (Killick, Fearnhead and Eckley, Optimal detection of changepoints with a linear computational cost, J. Am. Stat. Assoc.
//! 107, 2012): of all ways to cut the series, the one with the least sum of squared deviations from each segment's mean and
//! a penalty for each cut. It is exact, where binary segmentation, which cuts greedily, misses short segments.

use super::{
    outliers::MAD_OF_NORMAL,
    summary::{Summary, median},
};

/// Where a new level begins, and the levels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The first value of the new level.
    pub index: usize,
    /// The mean from the change before, or the beginning, to here.
    pub before: f64,
    /// The mean from here to the next change, or the end.
    pub after: f64,
}

/// The changes of level, for segments of at least `shortest` values. A greater penalty finds fewer.
#[must_use]
pub fn changes(values: &[f64], penalty: f64, shortest: usize) -> Vec<Change> {
    let sums = Sums::of(values);
    let cuts = cuts(&sums, values.len(), penalty, shortest.max(1));
    let bounds: Vec<usize> = [0].into_iter().chain(cuts).chain([values.len()]).collect();
    bounds
        .windows(3)
        .filter_map(|window| match *window {
            [from, index, to] => {
                Some(Change { index, before: sums.mean(from, index), after: sums.mean(index, to) })
            }
            _ => None,
        })
        .collect()
}

/// A penalty for [`changes`] that noise seldom pays: three times the noise's variance times the logarithm of the length. The noise
/// is what one value differs from the next by, in the middle, so that changes of level do not count for it.
#[must_use]
pub fn noise_penalty(values: &[f64]) -> Option<f64> {
    let steps: Vec<f64> = values.windows(2).filter_map(|pair| Some(pair.last()? - pair.first()?)).collect();
    let middle = median(&steps)?;
    let deviations: Vec<f64> = steps.iter().map(|step| (step - middle).abs()).collect();
    let deviation = match median(&deviations)? / MAD_OF_NORMAL {
        none if none <= 0.0 => Summary::of(&steps)?.deviation?,
        deviation => deviation,
    };
    // The difference of two values has twice the variance of one.
    let variance = deviation.powi(2) / 2.0;
    (variance > 0.0).then(|| 3.0 * variance * (values.len() as f64).ln())
}

/// Sums of the first n values and of their squares, after their mean is taken off, which keeps the squares small.
struct Sums {
    offset: f64,
    values: Vec<f64>,
    squares: Vec<f64>,
}

impl Sums {
    fn of(values: &[f64]) -> Self {
        let offset = values.iter().sum::<f64>() / values.len().max(1) as f64;
        let running = |term: fn(f64) -> f64| {
            let mut sum = 0.0;
            let sums = values.iter().map(|value| {
                sum += term(value - offset);
                sum
            });
            [0.0].into_iter().chain(sums).collect()
        };
        Self { offset, values: running(|value| value), squares: running(|value| value * value) }
    }

    fn between(sums: &[f64], from: usize, to: usize) -> f64 {
        sums.get(to).zip(sums.get(from)).map_or(0.0, |(to, from)| to - from)
    }

    fn mean(&self, from: usize, to: usize) -> f64 {
        self.offset + Self::between(&self.values, from, to) / (to - from).max(1) as f64
    }

    /// Squared deviations from the mean between two places.
    fn cost(&self, from: usize, to: usize) -> f64 {
        let sum = Self::between(&self.values, from, to);
        Self::between(&self.squares, from, to) - sum * sum / (to - from).max(1) as f64
    }
}

/// The best places to cut, in order.
fn cuts(sums: &Sums, length: usize, penalty: f64, shortest: usize) -> Vec<usize> {
    // The least cost of the first n values, and the last cut that it takes.
    let mut best: Vec<(f64, usize)> = vec![(f64::INFINITY, 0); length + 1];
    if let Some(first) = best.first_mut() {
        *first = (-penalty, 0);
    }
    let cost_of = |best: &[(f64, usize)], n: usize| best.get(n).map_or(f64::INFINITY, |(cost, _)| *cost);
    let mut candidates: Vec<usize> = vec![0];
    for end in shortest..=length {
        let total = |cut: usize| cost_of(&best, cut) + sums.cost(cut, end) + penalty;
        let costs = candidates.iter().map(|cut| (total(*cut), *cut));
        if let Some(least) = costs.min_by(|a, b| a.0.total_cmp(&b.0))
            && let Some(place) = best.get_mut(end)
        {
            *place = least;
        }
        // What a cut at `next` beats from now on needs no further look; segments after `next` are long enough from here on.
        let next = end + 1 - shortest;
        if next >= shortest {
            let least = cost_of(&best, next);
            candidates.retain(|cut| cost_of(&best, *cut) + sums.cost(*cut, next) < least);
            candidates.push(next);
        }
    }
    let mut cuts = Vec::new();
    let mut end = length;
    while let Some((_, cut)) = best.get(end).filter(|(_, cut)| *cut > 0 && *cut < end) {
        cuts.push(*cut);
        end = *cut;
    }
    cuts.reverse();
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::samples::{assert_close, levels};

    fn places(values: &[f64], penalty: f64, shortest: usize) -> Vec<usize> {
        changes(values, penalty, shortest).iter().map(|change| change.index).collect()
    }

    /// `ruptures.Pelt(model="l2", min_size=M, jump=1).fit(s).predict(pen=P)[:-1]` with ruptures 1.1.10.
    #[test]
    fn places_are_those_of_ruptures() {
        assert_eq!(places(&levels(), 2.0, 5), [40, 75]);
        assert_eq!(places(&levels(), 0.15, 3), [14, 21, 25, 35, 40, 45, 51, 75, 90, 100, 103, 116]);
    }

    /// `numpy.median(abs(numpy.diff(s) - numpy.median(numpy.diff(s))))` is 0.27704725600779057.
    #[test]
    fn the_penalty_goes_by_the_noise() {
        let deviation = 0.277_047_256_007_790_57 / MAD_OF_NORMAL;
        let penalty = noise_penalty(&levels()).unwrap();
        assert_close(penalty, 3.0 * deviation.powi(2) / 2.0 * 120.0_f64.ln());
        assert_eq!(places(&levels(), penalty, 5), [40, 75]);
    }

    #[test]
    fn levels_are_means() {
        let mut values = vec![1e12; 30];
        values.extend([1e12 + 8.0; 20]);
        let change = changes(&values, noise_penalty(&values).unwrap(), 5);
        assert_eq!(change, [Change { index: 30, before: 1e12, after: 1e12 + 8.0 }]);
    }

    #[test]
    fn what_stands_still_does_not_change() {
        assert_eq!(noise_penalty(&[3.0; 40]), None);
        assert!(changes(&[3.0; 40], 1.0, 5).is_empty());
        assert!(changes(&[], 1.0, 5).is_empty());
        assert!(changes(&[1.0, 9.0], 1.0, 5).is_empty());
    }
}
