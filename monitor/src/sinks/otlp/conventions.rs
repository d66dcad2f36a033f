//! Metrics of containers as OpenTelemetry's semantic conventions have them.
//! <https://opentelemetry.io/docs/specs/semconv/system/container-metrics/>

use jiff::Timestamp;

use super::{
    own::{monotonic, nanos, up_down},
    proto::{Data, Gauge, KeyValue, Metric, Number, NumberDataPoint},
    text,
};
use crate::model::Container;

/// A value and its attributes.
type Point = (Option<Number>, Vec<KeyValue>);

/// Those that were measured.
pub(super) fn metrics(container: &Container, now: Timestamp) -> Vec<Metric> {
    let of = &container.measurements;
    // The cgroup's files count since the container was started.
    let started = container.started_at;
    let counting = Some(container.counting_since);
    let counter = |name, unit, description, since, points| {
        metric(name, unit, description, monotonic(numbers(points, since, now)))
    };
    let level = |name, description, value: Option<u64>| {
        let points = vec![(value.map(integer), vec![])];
        metric(name, "By", description, up_down(numbers(points, None, now)))
    };
    let cpu_time = match (of.cpu.user_ns_total, of.cpu.system_ns_total) {
        (Some(user), Some(system)) => vec![mode(user, "user"), mode(system, "system")],
        _ => vec![(of.cpu.usage_ns_total.map(seconds), vec![])],
    };
    let io = |key, pairs: [(&str, Option<u64>); 2]| {
        pairs.map(|(direction, bytes)| (bytes.map(integer), vec![text(key, direction)])).to_vec()
    };
    let disk = [("read", of.block_io.read_bytes_total), ("write", of.block_io.write_bytes_total)];
    let network = [("receive", of.network.rx_bytes_total), ("transmit", of.network.tx_bytes_total)];
    let usage = of.cpu.usage_cores.map(Number::Double);
    let uptime = started.filter(|_| container.finished_at.is_none()).and_then(|started| {
        let seconds = now.duration_since(started).as_secs_f64();
        (seconds >= 0.0).then_some(Number::Double(seconds))
    });
    [
        counter("container.cpu.time", "s", "Total CPU time consumed.", started, cpu_time),
        gauge("container.cpu.usage", "{cpu}", "CPU usage over the last window, in CPUs.", usage, now),
        level("container.memory.usage", "Memory usage.", of.memory.current_bytes),
        level("container.memory.working_set", "Memory working set.", of.memory.working_set_bytes),
        level("container.memory.rss", "Anonymous memory.", of.memory.anon_bytes),
        counter(
            "container.disk.io",
            "By",
            "Disk bytes for the container.",
            counting,
            io("disk.io.direction", disk),
        ),
        counter(
            "container.network.io",
            "By",
            "Network bytes of its sockets, from the IP header on.",
            counting,
            io("network.io.direction", network),
        ),
        level("container.filesystem.usage", "Writable layer and logs.", of.filesystems.used_bytes),
        gauge("container.uptime", "s", "The time the container has been running.", uptime, now),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn mode(nanoseconds: u64, mode: &str) -> Point {
    (Some(seconds(nanoseconds)), vec![text("cpu.mode", mode)])
}

fn seconds(nanoseconds: u64) -> Number {
    Number::Double(nanoseconds as f64 / 1e9)
}

fn integer(value: u64) -> Number {
    Number::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

fn numbers(points: Vec<Point>, since: Option<Timestamp>, now: Timestamp) -> Vec<NumberDataPoint> {
    let point = |(value, attributes): Point| {
        Some(NumberDataPoint {
            attributes,
            start_time_unix_nano: since.map_or(0, nanos),
            time_unix_nano: nanos(now),
            value: Some(value?),
        })
    };
    points.into_iter().filter_map(point).collect()
}

fn gauge(name: &str, unit: &str, description: &str, value: Option<Number>, now: Timestamp) -> Option<Metric> {
    let data_points = numbers(vec![(value, vec![])], None, now);
    let data = (!data_points.is_empty()).then_some(Data::Gauge(Gauge { data_points }));
    metric(name, unit, description, data)
}

fn metric(name: &str, unit: &str, description: &str, data: Option<Data>) -> Option<Metric> {
    Some(Metric {
        name: name.to_owned(),
        description: description.to_owned(),
        unit: unit.to_owned(),
        data: Some(data?),
    })
}
