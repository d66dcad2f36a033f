//! How two recordings differ, container by container of one name.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    ReportError, Steps, index,
    signals::Signal,
    source::{Index, Window},
};
use crate::stats::{
    ranks::{Comparison, compare as compare_samples},
    summary::Summary,
};

/// All that differs.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    pub(super) first: Side,
    pub(super) second: Side,
    /// Metrics of containers that are in both.
    pub(super) metrics: Vec<MetricDifference>,
    /// Containers of the first recording alone, by name.
    pub(super) only_in_first: Vec<String>,
    /// Containers of the second one alone.
    pub(super) only_in_second: Vec<String>,
}

/// One of the recordings.
#[derive(Debug, Serialize)]
pub(super) struct Side {
    pub(super) file: PathBuf,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    pub(super) ticks: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct MetricDifference {
    pub(super) container: String,
    pub(super) metric: String,
    pub(super) per_second: bool,
    pub(super) first: Summary,
    pub(super) second: Summary,
    /// The rank test; `null` where all values are equal.
    #[serde(flatten)]
    pub(super) comparison: Option<Comparison>,
    /// In a word.
    pub(super) effect: Option<&'static str>,
    #[serde(skip)]
    pub(super) signal: Signal,
}

/// Compares them; metrics that differ most come first.
pub(super) fn compare(
    first: &Path,
    second: &Path,
    signals: &[Signal],
    window: &Window<'_>,
) -> Result<Difference, ReportError> {
    let steps = Steps::of(&[first, second], signals.len());
    let tables = (steps.open(first, 0)?, steps.open(second, 1)?);
    let indices = (index(&tables.0, first, window)?, index(&tables.1, second, window)?);
    let mut metrics = Vec::new();
    for (number, signal) in signals.iter().enumerate() {
        steps.next(signal);
        let values1 = by_name(&indices.0, signal)?;
        let values2 = by_name(&indices.1, signal)?;
        for (name, values1) in &values1 {
            if let Some(values2) = values2.get(name) {
                metrics.extend(difference(name, signal, values1, values2));
            }
        }
        steps.done(number + 1);
    }
    drop(steps);
    let effect = |metric: &MetricDifference| metric.comparison.map_or(0.0, |found| found.delta.abs());
    metrics.sort_by(|a, b| effect(b).total_cmp(&effect(a)));
    let (names1, names2) = (names(&indices.0), names(&indices.1));
    Ok(Difference {
        first: side(first, &indices.0),
        second: side(second, &indices.1),
        metrics,
        only_in_first: names1.difference(&names2).cloned().collect(),
        only_in_second: names2.difference(&names1).cloned().collect(),
    })
}

/// `None` where one was not measured, or both are 0 throughout.
fn difference(name: &str, signal: &Signal, first: &[f64], second: &[f64]) -> Option<MetricDifference> {
    let summaries = (Summary::of(first)?, Summary::of(second)?);
    let is_nothing = |summary: &Summary| summary.max <= 0.0 && summary.min >= 0.0;
    if is_nothing(&summaries.0) && is_nothing(&summaries.1) {
        return None;
    }
    let comparison = compare_samples(first, second);
    Some(MetricDifference {
        container: name.to_owned(),
        metric: signal.column.clone(),
        per_second: signal.is_rate,
        first: summaries.0,
        second: summaries.1,
        comparison,
        effect: comparison.map(Comparison::size),
        signal: signal.clone(),
    })
}

/// A signal's values of all runs of each name.
fn by_name(index: &Index<'_>, signal: &Signal) -> Result<BTreeMap<String, Vec<f64>>, ReportError> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (run, series) in index.runs.iter().zip(index.series(signal)?) {
        values.entry(run.label().to_owned()).or_default().extend(series.measured());
    }
    Ok(values)
}

fn names(index: &Index<'_>) -> BTreeSet<String> {
    index.runs.iter().map(|run| run.label().to_owned()).collect()
}

fn side(path: &Path, index: &Index<'_>) -> Side {
    let (from, to) = (index.ticks.first().copied(), index.ticks.last().copied());
    Side { file: path.into(), from, to, ticks: index.ticks.len() }
}
