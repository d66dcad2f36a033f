//! From the values of one signal to what is said of it. Pure.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::source::Values;
use crate::stats::{
    changes::{changes, noise_penalty},
    outliers::outliers,
    ranks::{correlation, ranks},
    summary::Summary,
    trend::{Trend, theil_sen},
};

/// Points that a series is averaged to before changes of level are looked for.
const CHANGE_POINTS: usize = 600;
/// Points of a level at least.
const SHORTEST_LEVEL: usize = 5;
/// A change of level by less than this share of the greater one is not told.
const LEAST_CHANGE: f64 = 0.1;
/// Points that a series is averaged to before a line is put through it, the work for which goes with their square.
const TREND_POINTS: usize = 200;
/// Points of a plot.
const PLOT_POINTS: usize = 240;
/// Values that are told one by one.
const TOLD_OUTLIERS: usize = 10;
/// Correlations from this on are told.
const LEAST_CORRELATION: f64 = 0.7;
/// Common ticks that a correlation needs.
const LEAST_COMMON: usize = 20;

/// What is said of one series.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Findings {
    /// As a whole.
    #[serde(flatten)]
    pub(super) summary: Summary,
    /// Whether it goes up or down, in its unit an hour.
    pub(super) trend_per_hour: Option<Trend>,
    /// Values that do not belong to the others, all of them.
    pub(super) outlier_count: usize,
    /// Those that belong least.
    pub(super) outliers: Vec<Outlier>,
    /// Where its level changes.
    pub(super) changes: Vec<Change>,
    /// Means of equal stretches of time, for a plot.
    pub(super) plot: Vec<Option<f64>>,
    /// Where the changes are in the plot, as shares of its width.
    #[serde(skip)]
    pub(super) marks: Vec<f64>,
}

/// A value that does not belong to the others.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub(super) struct Outlier {
    /// When it was.
    pub(super) at: Timestamp,
    /// The value.
    pub(super) value: f64,
    /// Its distance from the median in standard deviations, if the others were normally distributed.
    pub(super) score: f64,
}

/// A new level.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ChangeOfLevel")]
pub(super) struct Change {
    /// When it begins.
    pub(super) at: Timestamp,
    /// The mean before.
    pub(super) before: f64,
    /// The mean from then on.
    pub(super) after: f64,
}

/// Analyses one series; `None` where nothing was measured.
pub(super) fn analyse(ticks: &[Timestamp], values: &Values) -> Option<Findings> {
    let there = ticks.iter().skip(values.first).zip(&values.values);
    let (times, measured): (Vec<Timestamp>, Vec<f64>) =
        there.filter_map(|(at, value)| Some((*at, (*value)?))).unzip();
    let summary = Summary::of(&measured)?;
    let mut found = outliers(&measured);
    let outlier_count = found.len();
    found.sort_unstable_by(|a, b| b.score.abs().total_cmp(&a.score.abs()));
    let told = found.iter().take(TOLD_OUTLIERS).filter_map(|outlier| {
        let (at, value) = (*times.get(outlier.index)?, *measured.get(outlier.index)?);
        Some(Outlier { at, value, score: outlier.score })
    });
    let changes = level_changes(&times, &measured);
    Some(Findings {
        summary,
        trend_per_hour: trend(&times, &measured),
        outlier_count,
        outliers: told.collect(),
        marks: changes.iter().filter_map(|change| place_in_plot(ticks, change.at)).collect(),
        changes,
        plot: stretches(ticks.len(), values, PLOT_POINTS),
    })
}

fn trend(times: &[Timestamp], values: &[f64]) -> Option<Trend> {
    const SECONDS_AN_HOUR: f64 = 3600.0;
    let first = *times.first()?;
    let size = values.len().div_ceil(TREND_POINTS).max(1);
    let hours = |at: &Timestamp| at.duration_since(first).as_secs_f64() / SECONDS_AN_HOUR;
    let points: Vec<(f64, f64)> = times
        .chunks(size)
        .zip(values.chunks(size))
        .map(|(times, values)| (mean(&times.iter().map(hours).collect::<Vec<_>>()), mean(values)))
        .collect();
    theil_sen(&points)
}

fn level_changes(times: &[Timestamp], values: &[f64]) -> Vec<Change> {
    let size = values.len().div_ceil(CHANGE_POINTS).max(1);
    let points: Vec<f64> = values.chunks(size).map(mean).collect();
    let Some(penalty) = noise_penalty(&points) else { return Vec::new() };
    let is_worth =
        |before: f64, after: f64| (after - before).abs() >= LEAST_CHANGE * before.abs().max(after.abs());
    changes(&points, penalty, SHORTEST_LEVEL)
        .into_iter()
        .filter(|change| is_worth(change.before, change.after))
        .filter_map(|change| {
            let at = *times.get(change.index * size)?;
            Some(Change { at, before: change.before, after: change.after })
        })
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Where a tick is between the first point of a plot and the last, of which each is a stretch of as many ticks.
fn place_in_plot(ticks: &[Timestamp], at: Timestamp) -> Option<f64> {
    let size = ticks.len().div_ceil(PLOT_POINTS).max(1);
    let last_point = ticks.len().div_ceil(size).checked_sub(1)?;
    let point = ticks.binary_search(&at).ok()? as f64 / size as f64;
    (last_point > 0).then(|| (point / last_point as f64).min(1.0))
}

/// The means of so many equal stretches of time, or of each tick where there are fewer.
fn stretches(ticks: usize, values: &Values, most: usize) -> Vec<Option<f64>> {
    let size = ticks.div_ceil(most).max(1);
    (0..ticks)
        .step_by(size)
        .map(|begin| {
            let measured: Vec<f64> = values.within(begin..begin + size).iter().copied().flatten().collect();
            (!measured.is_empty()).then(|| mean(&measured))
        })
        .collect()
}

/// Pairs of series that go together, by their ranks (Spearman), with the strongest first: their numbers and how far.
pub(super) fn correlated(series: &[Vec<Option<f64>>]) -> Vec<(usize, usize, f64)> {
    let whole: Vec<Option<Vec<f64>>> = series
        .iter()
        .map(|values| {
            let measured: Option<Vec<f64>> = values.iter().skip(1).copied().collect();
            measured.map(|values| ranks(&values))
        })
        .collect();
    let mut found = Vec::new();
    for (first, (values1, ranks1)) in series.iter().zip(&whole).enumerate() {
        for (second, (values2, ranks2)) in series.iter().zip(&whole).enumerate().skip(first + 1) {
            let together = match (ranks1, ranks2) {
                // Ranked once for all pairs.
                (Some(ranks1), Some(ranks2)) if ranks1.len() >= LEAST_COMMON => correlation(ranks1, ranks2),
                (Some(_), Some(_)) => None,
                _ => common_correlation(values1, values2),
            };
            if let Some(rho) = together.filter(|rho| rho.abs() >= LEAST_CORRELATION) {
                found.push((first, second, rho));
            }
        }
    }
    found.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()));
    found
}

/// Over the ticks at which both were measured.
fn common_correlation(first: &[Option<f64>], second: &[Option<f64>]) -> Option<f64> {
    let (first, second): (Vec<f64>, Vec<f64>) =
        first.iter().zip(second).filter_map(|(a, b)| Some(((*a)?, (*b)?))).unzip();
    if first.len() < LEAST_COMMON {
        return None;
    }
    correlation(&ranks(&first), &ranks(&second))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(count: usize) -> Vec<Timestamp> {
        (0..count).map(|second| Timestamp::from_second(i64::try_from(second).unwrap()).unwrap()).collect()
    }

    /// Values from the first tick on.
    fn whole(values: &[Option<f64>]) -> Values {
        Values { first: 0, values: values.to_vec() }
    }

    /// Uneven, so that nothing is exactly equal.
    fn noise(index: usize) -> f64 {
        (index * 7919 % 101) as f64 / 101.0
    }

    #[test]
    fn a_step_and_a_spike_are_told_with_their_time() {
        let values: Vec<Option<f64>> = (0..1000)
            .map(|index| {
                let level = if index < 600 { 10.0 } else { 20.0 };
                Some(if index == 300 { 500.0 } else { level + noise(index) })
            })
            .collect();
        let findings = analyse(&ticks(1000), &whole(&values)).unwrap();
        assert!(findings.outliers.iter().any(|outlier| outlier.at.as_second() == 300));
        let at_step = |change: &&Change| (change.at.as_second() - 600).abs() <= 2;
        let step = findings.changes.iter().find(at_step).unwrap();
        assert!((step.after - 20.5).abs() < 0.2, "{step:?}");
        assert_eq!(findings.plot.len(), 200);
    }

    #[test]
    fn a_change_is_marked_where_the_plot_has_its_step() {
        // There from half of the time on; ticks are further apart in the end.
        let level = |index| if index < 2700 { 1.0 } else { 5.0 };
        let values = (1800..3600).map(|index| Some(level(index) + noise(index) / 10.0)).collect();
        let values = Values { first: 1800, values };
        let mut ticks = ticks(3600);
        for (index, tick) in ticks.iter_mut().enumerate().skip(3000) {
            *tick += jiff::SignedDuration::from_secs(60 * i64::try_from(index - 3000).unwrap());
        }
        let findings = analyse(&ticks, &values).unwrap();
        let [mark] = findings.marks.as_slice() else { panic!("{:?}", findings.changes) };
        let step = findings.plot.iter().position(|value| value.is_some_and(|value| value > 3.0)).unwrap();
        let step = step as f64 / (findings.plot.len() - 1) as f64;
        assert!((mark - step).abs() < 0.01 && (mark - 0.75).abs() < 0.01, "{mark} {step}");
    }

    #[test]
    fn a_trend_is_told_an_hour() {
        let values: Vec<Option<f64>> =
            (0..3600).map(|second| Some(f64::from(second) / 3600.0 * 8.0)).collect();
        let trend = analyse(&ticks(3600), &whole(&values)).unwrap().trend_per_hour.unwrap();
        assert!((trend.slope - 8.0).abs() < 1e-6 && trend.is_certain(), "{trend:?}");
    }

    #[test]
    fn what_was_not_measured_is_left_out() {
        let mut values = vec![Some(1.0); 50];
        values[10] = None;
        let findings = analyse(&ticks(50), &whole(&values)).unwrap();
        assert_eq!((findings.summary.count, findings.summary.mean), (49, 1.0));
        assert!(findings.plot[10].is_none());
        assert!(analyse(&ticks(3), &whole(&[None; 3])).is_none());
    }

    #[test]
    fn series_that_go_together_are_found() {
        let up: Vec<Option<f64>> = (0..100).map(|index| Some(noise(index))).collect();
        let down: Vec<Option<f64>> = (0..100).map(|index| Some(-noise(index).powi(3))).collect();
        let other: Vec<Option<f64>> = (0..100).map(|index| Some(noise(index * index + 3))).collect();
        let mut short = up.clone();
        short.truncate(10);
        short.resize(100, None);
        let found = correlated(&[up, down, other, short]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].0, found[0].1), (0, 1));
        assert!((found[0].2 + 1.0).abs() < 1e-9);
    }
}
