//! What stands where in a report.

use std::path::Path;

use jiff::Timestamp;

use super::{
    ContainerStatistics, MetricStatistics, Statistics,
    analysis::Findings,
    diff::{Difference, MetricDifference, Side},
    document::{Block, Document, Plot},
};
use crate::stats::trend::Trend;

/// Rows of the tables that could be endless.
const MOST_CHANGES: usize = 60;
const MOST_OUTLIERS: usize = 20;
const MOST_CORRELATIONS: usize = 20;
const MOST_DIFFERENCES: usize = 100;

/// The report on one recording.
pub(super) fn one(statistics: &Statistics) -> Document {
    let mut document = Document::default();
    document.heading(
        1,
        format!("Report on {}", statistics.file.as_deref().unwrap_or(Path::new("history")).display()),
    );
    document.line(format!(
        "{} to {}, {} ticks, {} containers. A rate is growth a second; a percentile is over ticks.",
        time(statistics.from),
        time(statistics.to),
        statistics.ticks,
        statistics.containers.len()
    ));
    put_top(&mut document, statistics);
    put_changes(&mut document, statistics);
    put_outliers(&mut document, statistics);
    put_correlations(&mut document, statistics);
    let mut containers: Vec<&ContainerStatistics> = statistics.containers.iter().collect();
    containers.sort_by(|a, b| a.label.cmp(&b.label));
    for container in containers {
        put_container(&mut document, container);
    }
    document
}

fn put_top(document: &mut Document, statistics: &Statistics) {
    let mut rows = Vec::new();
    for top in &statistics.top {
        for (rank, talker) in top.containers.iter().enumerate() {
            rows.push(vec![
                if rank == 0 { top.metric.clone() } else { String::new() },
                talker.label.clone(),
                top.signal.shown(talker.mean),
                format!("{:.1}%", talker.share * 100.0),
            ]);
        }
    }
    document.heading(2, "Top talkers");
    document.table(&["METRIC", "CONTAINER", "MEAN", "SHARE"], 2, rows);
}

/// Everything that was found of one kind, with whose it is.
fn all<'s, T>(
    statistics: &'s Statistics,
    found: impl Fn(&'s Findings) -> &'s [T],
) -> Vec<(&'s ContainerStatistics, &'s MetricStatistics, &'s T)> {
    let mut all = Vec::new();
    for container in &statistics.containers {
        for metric in &container.metrics {
            all.extend(found(&metric.findings).iter().map(|one| (container, metric, one)));
        }
    }
    all
}

fn put_changes(document: &mut Document, statistics: &Statistics) {
    let mut changes = all(statistics, |findings| &findings.changes);
    if changes.is_empty() {
        return;
    }
    document.heading(2, "Changes of level");
    document.line(told(MOST_CHANGES, changes.len(), "those by the greatest factor, in the order of time"));
    changes.sort_by(|a, b| factor(b.2.before, b.2.after).total_cmp(&factor(a.2.before, a.2.after)));
    changes.truncate(MOST_CHANGES);
    changes.sort_by_key(|(_, _, change)| change.at);
    let rows = changes.into_iter().map(|(container, metric, change)| {
        vec![
            time(Some(change.at)),
            container.label.clone(),
            metric.metric.clone(),
            metric.signal.shown(change.before),
            metric.signal.shown(change.after),
        ]
    });
    document.table(&["AT", "CONTAINER", "METRIC", "BEFORE", "AFTER"], 3, rows.collect());
}

/// By how much one level exceeds the other, whichever is greater.
fn factor(before: f64, after: f64) -> f64 {
    let (less, more) = (before.abs().min(after.abs()), before.abs().max(after.abs()));
    if less > 0.0 { more / less } else { f64::INFINITY }
}

fn put_outliers(document: &mut Document, statistics: &Statistics) {
    let mut outliers = all(statistics, |findings| &findings.outliers);
    if outliers.is_empty() {
        return;
    }
    document.heading(2, "Outliers");
    let metrics = statistics.containers.iter().flat_map(|container| &container.metrics);
    let count = metrics.map(|metric| metric.findings.outlier_count).sum();
    document.line(told(MOST_OUTLIERS, count, "those furthest from the median"));
    outliers.sort_by(|a, b| b.2.score.abs().total_cmp(&a.2.score.abs()));
    let rows = outliers.into_iter().take(MOST_OUTLIERS).map(|(container, metric, outlier)| {
        vec![
            time(Some(outlier.at)),
            container.label.clone(),
            metric.metric.clone(),
            metric.signal.shown(outlier.value),
            metric.signal.shown(metric.findings.summary.p50),
            format!("{:+.0}", outlier.score),
        ]
    });
    document.table(&["AT", "CONTAINER", "METRIC", "VALUE", "MEDIAN", "SCORE"], 3, rows.collect());
}

fn put_correlations(document: &mut Document, statistics: &Statistics) {
    if statistics.correlations.is_empty() {
        return;
    }
    document.heading(2, "Containers that go together");
    let count = statistics.correlations.len();
    document.line(told(MOST_CORRELATIONS, count, "the strongest, by Spearman's rank correlation"));
    let mut correlations: Vec<_> = statistics.correlations.iter().collect();
    correlations.sort_by(|a, b| b.rho.abs().total_cmp(&a.rho.abs()));
    let rows = correlations.into_iter().take(MOST_CORRELATIONS).map(|found| {
        vec![found.metric.clone(), found.first.clone(), found.second.clone(), format!("{:+.2}", found.rho)]
    });
    document.table(&["METRIC", "CONTAINER", "AND", "RHO"], 3, rows.collect());
}

fn told(most: usize, count: usize, which: &str) -> String {
    if count > most { format!("{most} of {count}: {which}.") } else { format!("{count} in all.") }
}

fn put_container(document: &mut Document, container: &ContainerStatistics) {
    document.heading(2, container.label.clone());
    document.line(format!(
        "{}, image {}, seen from {} to {}.",
        container.id.get(..12).unwrap_or(&container.id),
        container.image.as_deref().unwrap_or("unknown"),
        time(Some(container.first_seen_at)),
        time(Some(container.last_seen_at))
    ));
    let rows = container.metrics.iter().map(|metric| {
        let summary = &metric.findings.summary;
        let shown = |value| metric.signal.shown(value);
        vec![
            metric.metric.clone(),
            shown(summary.mean),
            summary.deviation.map_or_else(|| "-".to_owned(), shown),
            shown(summary.min),
            shown(summary.p50),
            shown(summary.p90),
            shown(summary.p95),
            shown(summary.p99),
            shown(summary.p999),
            shown(summary.max),
            trend(metric),
        ]
    });
    document.table(
        &["METRIC", "MEAN", "DEVIATION", "MIN", "P50", "P90", "P95", "P99", "P99.9", "MAX", "TREND AN HOUR"],
        1,
        rows.collect(),
    );
    for metric in &container.metrics {
        document.blocks.push(Block::Plot(plot(metric)));
    }
}

/// The slope, where it is certain.
fn trend(metric: &MetricStatistics) -> String {
    let certain = |trend: &Trend| trend.is_certain();
    metric.findings.trend_per_hour.filter(certain).map_or_else(
        || "-".to_owned(),
        |trend| {
            let sign = if trend.slope > 0.0 { "+" } else { "" };
            format!("{sign}{}", metric.signal.shown(trend.slope))
        },
    )
}

fn plot(metric: &MetricStatistics) -> Plot {
    let summary = &metric.findings.summary;
    Plot {
        title: metric.metric.clone(),
        range: (metric.signal.shown(summary.min), metric.signal.shown(summary.max)),
        points: metric.findings.plot.clone(),
        marks: metric.findings.marks.clone(),
    }
}

/// The report on two recordings.
pub(super) fn two(difference: &Difference) -> Document {
    let mut document = Document::default();
    document.heading(1, "Difference of two recordings");
    let side = |name: &str, side: &Side| {
        format!(
            "{name}: {}, {} to {}, {} ticks.",
            side.file.display(),
            time(side.from),
            time(side.to),
            side.ticks
        )
    };
    document.line(side("A", &difference.first));
    document.line(side("B", &difference.second));
    document.line(
        "DELTA is Cliff's: how much more often a value of B exceeds one of A than the other way round, from -1 to 1. P is of the \
         test of Mann and Whitney; values of neighbouring ticks are alike, which makes it too small: judge by DELTA.",
    );
    for (name, only) in [("A", &difference.only_in_first), ("B", &difference.only_in_second)] {
        if !only.is_empty() {
            document.line(format!("Only in {name}: {}.", only.join(", ")));
        }
    }
    if difference.metrics.len() > MOST_DIFFERENCES {
        document.line(told(
            MOST_DIFFERENCES,
            difference.metrics.len(),
            "those that differ most; JSON has all",
        ));
    }
    let rows = difference.metrics.iter().take(MOST_DIFFERENCES).map(difference_row);
    document.table(
        &[
            "CONTAINER",
            "METRIC",
            "EFFECT",
            "MEAN A",
            "MEAN B",
            "P50 A",
            "P50 B",
            "P99 A",
            "P99 B",
            "DELTA",
            "P",
        ],
        3,
        rows.collect(),
    );
    document
}

fn difference_row(metric: &MetricDifference) -> Vec<String> {
    let shown = |value| metric.signal.shown(value);
    let compared = |show: fn(f64, f64) -> String| {
        metric.comparison.map_or_else(|| "-".to_owned(), |found| show(found.delta, found.p))
    };
    vec![
        metric.container.clone(),
        metric.metric.clone(),
        metric.effect.unwrap_or("none").to_owned(),
        shown(metric.first.mean),
        shown(metric.second.mean),
        shown(metric.first.p50),
        shown(metric.second.p50),
        shown(metric.first.p99),
        shown(metric.second.p99),
        compared(|delta, _| format!("{delta:+.2}")),
        compared(|_, p| if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") }),
    ]
}

/// To the second.
fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}
