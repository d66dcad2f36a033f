//! Snapshots as text for a terminal: a block of rows a window.

use std::fmt::Write;

use bytes::{BufMut, BytesMut};

pub use super::escape::printable;
use crate::model::{Container, ContainerState, Snapshot};

/// A column: its heading, its width, and what it shows of a container.
struct Column {
    heading: &'static str,
    width: usize,
    cell: fn(&Container) -> String,
}

const NAME_WIDTH: usize = 24;

const COLUMNS: &[Column] = &[
    Column { heading: "STATE", width: 9, cell: state },
    Column { heading: "CPU", width: 7, cell: cpu },
    Column { heading: "MEMORY", width: 9, cell: |c| bytes(c.measurements.memory.current_bytes) },
    Column {
        heading: "VOL/s",
        width: 8,
        cell: |c| rate(c.measurements.scheduler.voluntary_switches_per_second),
    },
    Column {
        heading: "INVOL/s",
        width: 8,
        cell: |c| rate(c.measurements.scheduler.involuntary_switches_per_second),
    },
    Column { heading: "WAIT p50", width: 9, cell: |c| wait(c, |l| l.p50_ns) },
    Column { heading: "WAIT p99", width: 9, cell: |c| wait(c, |l| l.p99_ns) },
    Column { heading: "MINFLT/s", width: 9, cell: |c| rate(c.measurements.faults.minor_per_second) },
    Column { heading: "MAJFLT/s", width: 9, cell: |c| rate(c.measurements.faults.major_per_second) },
    Column { heading: "PIDS", width: 6, cell: |c| count(c.measurements.pids.current) },
];

/// Appends a block: a line on the window, a heading, and a row for each container, the busiest first.
pub fn encode(snapshot: &Snapshot, out: &mut BytesMut) {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} · {} · kernel {} · {} containers · window {:.2} s{}",
        snapshot.taken_at.strftime("%Y-%m-%d %H:%M:%SZ"),
        printable(&snapshot.host.hostname),
        printable(&snapshot.host.kernel_release),
        snapshot.containers.len(),
        snapshot.window_ns as f64 / 1e9,
        warnings(snapshot),
    );
    let _ = write!(text, "{:<NAME_WIDTH$}", "NAME");
    for column in COLUMNS {
        let _ = write!(text, " {:>width$}", column.heading, width = column.width);
    }
    text.push('\n');
    let mut containers: Vec<&Container> = snapshot.containers.iter().collect();
    containers.sort_by(|a, b| usage(b).total_cmp(&usage(a)).then_with(|| label(a).cmp(&label(b))));
    for container in containers {
        let _ = write!(text, "{:<NAME_WIDTH$}", fitted(&label(container), NAME_WIDTH));
        for column in COLUMNS {
            let _ = write!(text, " {:>width$}", (column.cell)(container), width = column.width);
        }
        text.push('\n');
    }
    text.push('\n');
    out.put_slice(text.as_bytes());
}

/// What a reader of the block must know to trust it.
#[must_use]
pub fn warnings(snapshot: &Snapshot) -> String {
    let lost = &snapshot.coverage.lost;
    let lost_total = lost.slot_overflows_total
        + lost.overflowed_packets_total
        + lost.lifecycle_records_total
        + lost.discarded_records_total
        + lost.unknown_turns_total
        + lost.unknown_cgroups_total;
    let down = snapshot.coverage.probes.iter().filter(|probe| probe.state == "refused").count();
    let mut text = String::new();
    if lost_total > 0 {
        let _ = write!(text, " · {lost_total} lost (see coverage)");
    }
    if down > 0 {
        let _ = write!(text, " · {down} probes refused (see `monitor doctor`)");
    }
    text
}

fn usage(container: &Container) -> f64 {
    container.measurements.cpu.usage_cores.unwrap_or(-1.0)
}

/// The name, or the short id until the runtime has told it.
#[must_use]
pub fn label(container: &Container) -> String {
    printable(container.name.as_deref().unwrap_or(&container.short_id))
}

fn state(container: &Container) -> String {
    match (container.state, container.exit_code) {
        (ContainerState::Running, _) => "running".to_owned(),
        (ContainerState::Paused, _) => "paused".to_owned(),
        (ContainerState::Exited, Some(code)) => format!("exit {code}"),
        (ContainerState::Exited, None) => "exited".to_owned(),
    }
}

fn cpu(container: &Container) -> String {
    unknown_or(container.measurements.cpu.usage_cores, |cores| format!("{:.1}%", cores * 100.0))
}

fn wait(container: &Container, quantile: fn(&crate::model::Latency) -> Option<u64>) -> String {
    let latency = container.measurements.scheduler.runq_latency.as_ref();
    unknown_or(latency.and_then(quantile), duration)
}

fn rate(per_second: Option<f64>) -> String {
    unknown_or(per_second, |rate| match rate {
        rate if rate >= 1e6 => format!("{:.1}M", rate / 1e6),
        rate if rate >= 1e4 => format!("{:.1}k", rate / 1e3),
        rate => format!("{rate:.0}"),
    })
}

fn count(value: Option<u64>) -> String {
    unknown_or(value, |value| value.to_string())
}

/// A size in the largest unit that it fills, or `-` where it was not measured.
#[must_use]
pub fn bytes(value: Option<u64>) -> String {
    unknown_or(value, |bytes| {
        let mut value = bytes as f64;
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1024.0 {
                let digits = usize::from(unit != "B");
                return format!("{value:.digits$} {unit}");
            }
            value /= 1024.0;
        }
        format!("{value:.1} TiB")
    })
}

pub(super) fn duration(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{:.0} µs", ns as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", ns as f64 / 1e6),
        _ => format!("{:.1} s", ns as f64 / 1e9),
    }
}

/// As [`duration`], of a mean or a rate.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounded for display; never negative"
)]
pub(super) fn nanoseconds(ns: f64) -> String {
    duration(ns as u64)
}

/// A value, or `-` where it was not measured.
fn unknown_or<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), show)
}

/// The beginning of a text that is too long, with a mark.
fn fitted(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(bytes(Some(512)), "512 B");
        assert_eq!(bytes(Some(5 << 20)), "5.0 MiB");
        assert_eq!(bytes(Some(3 << 40)), "3.0 TiB");
        assert_eq!(duration(900), "900 ns");
        assert_eq!(duration(1_500_000), "1.5 ms");
        assert_eq!(rate(Some(123_456.0)), "123.5k");
        assert_eq!(rate(None), "-");
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(fitted("abcdef", 4), "abc…");
    }
}
