//! The catalogue's metrics in OpenTelemetry's form: `monitor.container.GROUP.NAME` and so on. Units are base units and not part
//! of the name: `_total` falls, a time's `_ns` is `_time`, and a
//! distribution ends in `_duration`.

use jiff::Timestamp;

use super::{
    super::{
        Export,
        rows::{Field, Row, Spread, Subject},
    },
    proto::{
        AggregationTemporality, Data, Gauge, Histogram, HistogramDataPoint, KeyValue, Metric, Number,
        NumberDataPoint, Sum,
    },
    text,
};
use crate::{
    model::{Kind, Measurements, Value},
    output::prometheus::{BOUNDS_NS, sum_ns},
};

/// What the name of a distribution ends in: there may be a counter of the same name.
const DURATION: &str = "_duration";

/// All metrics of a row.
pub(super) fn metrics(row: &Row<'_>, export: &Export<'_>, since: Timestamp) -> Vec<Metric> {
    let now = export.snapshot.taken_at;
    let prefix = row.subject.kind(".");
    let attributes = attributes(row);
    let numbers = row.fields.iter().filter_map(|field| {
        let start = start(&row.subject, field.group).map_or(0, nanos);
        number(&prefix, field, &attributes, start, nanos(now))
    });
    let mut metrics: Vec<Metric> = numbers.collect();
    let spreads = row.spreads.iter();
    metrics.extend(spreads.filter_map(|spread| histogram(&prefix, row, spread, export, since)));
    metrics
}

/// Metrics of one name as one, with the data points of all.
pub(super) fn merged(metrics: Vec<Metric>) -> Vec<Metric> {
    let mut merged: Vec<Metric> = Vec::new();
    for metric in metrics {
        let same = merged.iter_mut().find(|one| one.name == metric.name);
        match (same.and_then(|one| one.data.as_mut()), metric.data) {
            (Some(Data::Sum(all)), Some(Data::Sum(more))) => all.data_points.extend(more.data_points),
            (Some(Data::Gauge(all)), Some(Data::Gauge(more))) => all.data_points.extend(more.data_points),
            (_, data) => merged.push(Metric { data, ..metric }),
        }
    }
    merged
}

/// What tells disks, file systems and interfaces apart; containers and cgroups are resources.
fn attributes(row: &Row<'_>) -> Vec<KeyValue> {
    let key = |name: &str| match (row.subject, name) {
        (Subject::Disk | Subject::Filesystem, "device") => Some("system.device"),
        (Subject::Filesystem, "mount_point") => Some("system.filesystem.mountpoint"),
        (Subject::Filesystem, "fs_type") => Some("system.filesystem.type"),
        (Subject::Interface, "interface") => Some("network.interface.name"),
        _ => None,
    };
    row.tags.iter().filter_map(|(name, value)| Some(text(key(name)?, value))).collect()
}

/// Since when a group counts: the programs since they know the cgroup, the cgroup's files since it was made.
fn start(subject: &Subject<'_>, group: &str) -> Option<Timestamp> {
    let is_ours = matches!(group, "scheduler" | "faults" | "network" | "block_io" | "interference");
    match subject {
        Subject::Container(one) if is_ours => Some(one.counting_since),
        Subject::Container(one) => one.started_at,
        Subject::Cgroup(one) if is_ours => Some(one.counting_since),
        _ => None,
    }
}

fn number(
    prefix: &str,
    field: &Field<'_>,
    attributes: &[KeyValue],
    start_time_unix_nano: u64,
    time_unix_nano: u64,
) -> Option<Metric> {
    let (name, unit, divisor) = named(&field.full_name("."));
    let value = match field.value {
        Value::Integer(value) if divisor > 1.0 => Number::Double(value as f64 / divisor),
        Value::Integer(value) => {
            i64::try_from(value).map_or_else(|_too_large| Number::Double(value as f64), Number::Int)
        }
        Value::Real(value) => Number::Double(value / divisor),
        Value::Text(_) => return None,
    };
    let is_counter = field.kind == Kind::Counter;
    let point = NumberDataPoint {
        attributes: attributes.to_vec(),
        start_time_unix_nano: if is_counter { start_time_unix_nano } else { 0 },
        time_unix_nano,
        value: Some(value),
    };
    let data = if is_counter {
        monotonic(vec![point])
    } else {
        Some(Data::Gauge(Gauge { data_points: vec![point] }))
    };
    Some(Metric {
        name: format!("{prefix}.{name}"),
        description: field.help.trim().to_owned(),
        unit: unit.to_owned(),
        data,
    })
}

/// A name of the catalogue → the name, the unit and what a value is divided by.
fn named(name: &str) -> (String, &'static str, f64) {
    let name = name.strip_suffix("_total").unwrap_or(name);
    for (suffix, divisor) in [("_ns", 1e9), ("_us", 1e6)] {
        if let Some(stem) = name.strip_suffix(suffix) {
            return (format!("{stem}_time"), "s", divisor);
        }
    }
    let unit = if name.ends_with("_bytes") {
        "By"
    } else if name.ends_with("_pages") {
        "{page}"
    } else {
        "1"
    };
    (name.to_owned(), unit, 1.0)
}

fn histogram(
    prefix: &str,
    row: &Row<'_>,
    spread: &Spread<'_>,
    export: &Export<'_>,
    since: Timestamp,
) -> Option<Metric> {
    let (cgroup, counting, measurements): (u64, Timestamp, &Measurements) = match row.subject {
        Subject::Container(one) => (one.cgroup.id, one.counting_since, &one.measurements),
        Subject::Cgroup(one) => (one.cgroup.id, one.counting_since, &one.measurements),
        _ => return None,
    };
    let counts = export.totals.get(cgroup, spread.place)?.classes();
    let (group, name) = (spread.of.group, spread.of.name);
    let point = HistogramDataPoint {
        start_time_unix_nano: nanos(since.max(counting)),
        time_unix_nano: nanos(export.snapshot.taken_at),
        count: counts.iter().sum(),
        sum: sum_ns(name, measurements).map(|sum| sum as f64 / 1e9),
        bucket_counts: counts.to_vec(),
        explicit_bounds: BOUNDS_NS.iter().map(|bound| *bound as f64 / 1e9).collect(),
    };
    let temporality = AggregationTemporality::Cumulative.into();
    Some(Metric {
        name: format!("{prefix}.{group}.{name}{DURATION}"),
        description: spread.of.help.trim().replace(" over the window", ""),
        unit: "s".to_owned(),
        data: Some(Data::Histogram(Histogram {
            data_points: vec![point],
            aggregation_temporality: temporality,
        })),
    })
}

/// A sum that only grows; nothing where there is no point.
pub(super) fn monotonic(data_points: Vec<NumberDataPoint>) -> Option<Data> {
    sum(data_points, true)
}

/// A sum that goes up and down.
pub(super) fn up_down(data_points: Vec<NumberDataPoint>) -> Option<Data> {
    sum(data_points, false)
}

fn sum(data_points: Vec<NumberDataPoint>, is_monotonic: bool) -> Option<Data> {
    let aggregation_temporality = AggregationTemporality::Cumulative.into();
    (!data_points.is_empty()).then_some(Data::Sum(Sum { data_points, aggregation_temporality, is_monotonic }))
}

/// Nanoseconds since 1970.
pub(super) fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.as_nanosecond()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::model::catalog::{distributions, metrics};

    #[test]
    fn names_have_no_units_and_are_different() {
        assert_eq!(named("scheduler.on_cpu_ns_total"), ("scheduler.on_cpu_time".to_owned(), "s", 1e9));
        assert_eq!(named("cpu.quota_us"), ("cpu.quota_time".to_owned(), "s", 1e6));
        assert_eq!(named("memory.anon_bytes"), ("memory.anon_bytes".to_owned(), "By", 1.0));
        assert_eq!(named("faults.minor_total"), ("faults.minor".to_owned(), "1", 1.0));
        let mut seen = HashSet::new();
        for metric in metrics() {
            let (name, ..) = named(&format!("{}.{}", metric.group, metric.name));
            assert!(seen.insert(name.clone()), "{name} twice");
        }
        for spread in distributions() {
            let name = format!("{}.{}{DURATION}", spread.group, spread.name);
            assert!(seen.insert(name.clone()), "{name} twice");
        }
    }
}
