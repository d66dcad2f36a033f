//! Every scalar metric once: name, kind, help, and how to read it off a container's measurements.

use std::fmt::{self, Write};

use super::measurements::{BlockIo, Cpu, Faults, Measurements, Memory, Network, Pids, Scheduler};

/// How a metric behaves over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows while the cgroup lives.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A configured limit; -1 where none is set.
    Limit,
    /// A counter's growth over the window, per second.
    Rate,
    /// A quotient without a unit, or of two units that cancel.
    Ratio,
    /// Not a number.
    Text,
}

/// A metric's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Exact.
    Integer(i128),
    /// Derived by division.
    Real(f64),
    /// Not a number.
    Text(&'a str),
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Real(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}

/// One scalar metric.
#[derive(Clone, Copy)]
pub struct Metric {
    /// The JSON object that holds it.
    pub group: &'static str,
    /// Its name in that object, which ends in its unit.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// What it means, in Markdown.
    pub help: &'static str,
    /// Reads it.
    pub get: fn(&Measurements) -> Option<Value<'_>>,
}

impl Metric {
    /// The unit that the name ends in.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        let name = self.name.strip_suffix("_total").unwrap_or(self.name);
        if self.kind == Kind::Text {
            return "";
        }
        let units = [
            ("_ns", "nanoseconds"),
            ("_us", "microseconds"),
            ("_bytes", "bytes"),
            ("_bytes_per_second", "bytes per second"),
            ("_per_second", "per second"),
            ("_cores", "cores"),
        ];
        units.iter().find(|(suffix, _)| name.ends_with(suffix)).map_or("", |(_, unit)| unit)
    }
}

/// Every metric, group by group in the order of the JSON.
pub fn metrics() -> impl Iterator<Item = &'static Metric> {
    [
        Scheduler::METRICS,
        Faults::METRICS,
        Network::METRICS,
        Cpu::METRICS,
        Memory::METRICS,
        BlockIo::METRICS,
        Pids::METRICS,
    ]
    .into_iter()
    .flatten()
}

/// The documentation of every metric, as committed in docs/metrics.md.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(
        "# Metrics\n\nGenerated from the catalogue in `monitor/src/model/measurements.rs` by `cargo xtask codegen`; do not edit.\n\
         The same fields stand in each container and in each cgroup that is no container's. A value that was not \
         measured is `null`; `coverage` in the same snapshot says why.\n",
    );
    let mut group = "";
    for metric in metrics() {
        if metric.group != group {
            group = metric.group;
            // Writing to a String cannot fail.
            let _ = write!(text, "\n## `{group}`\n\n| name | kind | unit | meaning |\n|---|---|---|---|\n");
        }
        let kind = format!("{:?}", metric.kind).to_lowercase();
        let help = metric.help.trim().replace('|', "\\|");
        let _ = writeln!(text, "| `{}` | {kind} | {} | {help} |", metric.name, metric.unit());
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_follow_the_rules() {
        let mut seen = HashSet::new();
        for metric in metrics() {
            assert!(seen.insert((metric.group, metric.name)), "{} twice", metric.name);
            assert_eq!(metric.kind == Kind::Counter, metric.name.ends_with("_total"), "{}", metric.name);
            assert_eq!(metric.kind == Kind::Rate, metric.name.ends_with("_per_second"), "{}", metric.name);
            assert!(metric.help.trim().ends_with('.'), "{}", metric.name);
        }
    }

    #[test]
    fn every_rate_has_its_counter() {
        for metric in metrics().filter(|metric| metric.kind == Kind::Rate) {
            let counter = metric.name.replace("_per_second", "_total");
            assert!(metrics().any(|other| other.group == metric.group && other.name == counter), "{counter}");
        }
    }

    #[test]
    fn values_are_read_from_their_field() {
        let mut measurements = Measurements::default();
        measurements.scheduler.migrations_total = Some(u64::MAX);
        let migrations = metrics().find(|metric| metric.name == "migrations_total").unwrap();
        assert_eq!((migrations.get)(&measurements), Some(Value::Integer(u64::MAX.into())));
        let others = metrics().filter(|metric| metric.name != "migrations_total");
        assert!(others.into_iter().all(|metric| (metric.get)(&measurements).is_none()));
    }
}
