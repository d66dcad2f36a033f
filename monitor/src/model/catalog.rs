//! Every metric once: name, kind, help, and how to read it off a container's measurements or the host's.

use std::fmt::{self, Write};

use super::{
    audit::Agent,
    filesystems::{FilesystemSpace, Filesystems, TreeUsage},
    groups::Measurements,
    host::{
        CpuTimes, DiskActivity, HostFaults, HostMemory, HostReclaim, HostScheduler, HostTotals,
        InterfaceTraffic,
    },
    measurements::{BlockIo, Cpu, Faults, Latency, Memory, Network, Pids, Scheduler, Tasks},
    member::Member,
};

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

/// One scalar metric of what a `T` holds.
pub struct Metric<T = Measurements> {
    /// The JSON object that holds it.
    pub group: &'static str,
    /// Its name in that object, which ends in its unit.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// What it means, in Markdown.
    pub help: &'static str,
    /// Reads it.
    pub get: fn(&T) -> Option<Value<'_>>,
}

impl<T> Metric<T> {
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
            ("_pages", "pages"),
            ("_bytes", "bytes"),
            ("_bytes_per_second", "bytes per second"),
            ("_per_second", "per second"),
            ("_cores", "cores"),
        ];
        units.iter().find(|(suffix, _)| name.ends_with(suffix)).map_or("", |(_, unit)| unit)
    }
}

/// What a distribution counts over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// The snapshot's window.
    Window,
    /// All the time that it was counted.
    Whole,
}

/// How often each duration was seen.
pub struct Distribution {
    /// The JSON object that holds it.
    pub group: &'static str,
    /// Its name in that object.
    pub name: &'static str,
    /// What it counts over.
    pub span: Span,
    /// What it means, in Markdown.
    pub help: &'static str,
    /// Reads it.
    pub get: fn(&Measurements) -> Option<&Latency>,
}

/// Every distribution, in the order of the JSON.
pub fn distributions() -> impl Iterator<Item = &'static Distribution> {
    [
        Scheduler::DISTRIBUTIONS,
        Faults::DISTRIBUTIONS,
        Network::DISTRIBUTIONS,
        Cpu::DISTRIBUTIONS,
        BlockIo::DISTRIBUTIONS,
    ]
    .into_iter()
    .flatten()
}

/// Every metric, group by group in the order of the JSON.
pub fn metrics() -> impl Iterator<Item = &'static Metric> {
    [
        Scheduler::METRICS,
        Tasks::METRICS,
        Faults::METRICS,
        Network::METRICS,
        Cpu::METRICS,
        Memory::METRICS,
        BlockIo::METRICS,
        Filesystems::METRICS,
        Pids::METRICS,
    ]
    .into_iter()
    .flatten()
}

/// Every field of these groups that is no scalar: distributions, lists, trees.
pub fn members() -> impl Iterator<Item = &'static Member> {
    [
        Scheduler::MEMBERS,
        Tasks::MEMBERS,
        Faults::MEMBERS,
        Network::MEMBERS,
        Cpu::MEMBERS,
        Memory::MEMBERS,
        BlockIo::MEMBERS,
        Filesystems::MEMBERS,
        Pids::MEMBERS,
    ]
    .into_iter()
    .flatten()
}

/// Every metric of the machine as a whole.
pub fn host_metrics() -> impl Iterator<Item = &'static Metric<HostTotals>> {
    [
        CpuTimes::METRICS,
        HostScheduler::METRICS,
        HostMemory::METRICS,
        HostFaults::METRICS,
        HostReclaim::METRICS,
    ]
    .into_iter()
    .flatten()
}

/// The documentation of every metric, as committed in docs/metrics.md.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(
        "# Metrics\n\nGenerated from the catalogue in `monitor/src/model/` by `cargo xtask codegen`; do not edit.\n\
         A value that was not measured is `null`; `coverage` in the same snapshot says why.\n\n\
         The same fields stand in each container and in each cgroup that is no container's:\n",
    );
    let mut groups: Vec<(&str, Vec<&Metric>)> = Vec::new();
    for metric in metrics() {
        match groups.last_mut() {
            Some((group, members)) if *group == metric.group => members.push(metric),
            _ => groups.push((metric.group, vec![metric])),
        }
    }
    for (group, members) in groups {
        put_section(&mut text, group, members);
    }
    put_distributions(&mut text);
    text.push_str(
        "\nOf the trees in `filesystems`, which are `writable_layer`, `logs` and each of `volumes`:\n",
    );
    put_section(&mut text, "filesystems.writable_layer", TreeUsage::METRICS);
    text.push_str("\nOf the machine; each entry of `host.per_cpu` has the fields of `host.cpu`:\n");
    put_section(&mut text, "host.cpu", CpuTimes::METRICS);
    put_section(&mut text, "host.scheduler", HostScheduler::METRICS);
    put_section(&mut text, "host.memory", HostMemory::METRICS);
    put_section(&mut text, "host.faults", HostFaults::METRICS);
    put_section(&mut text, "host.reclaim", HostReclaim::METRICS);
    put_section(&mut text, "host.disks[]", DiskActivity::METRICS);
    put_section(&mut text, "host.filesystems[]", FilesystemSpace::METRICS);
    put_section(&mut text, "host.interfaces[]", InterfaceTraffic::METRICS);
    text.push_str("\nOf `monitor` itself:\n");
    put_section(&mut text, "audit.agent", Agent::METRICS);
    text
}

fn put_distributions(text: &mut String) {
    text.push_str("\n## Distributions\n\n| name | over | meaning |\n|---|---|---|\n");
    for Distribution { group, name, span, help, get: _ } in distributions() {
        let over = match span {
            Span::Window => "the window",
            Span::Whole => "all the time",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| `{group}.{name}` | {over} | {} |", help.trim().replace('|', "\\|"));
    }
}

fn put_section<'m, T: 'static>(
    text: &mut String,
    title: &str,
    metrics: impl IntoIterator<Item = &'m Metric<T>>,
) {
    // Writing to a String cannot fail.
    let _ = write!(text, "\n## `{title}`\n\n| name | kind | unit | meaning |\n|---|---|---|---|\n");
    for metric in metrics {
        let kind = format!("{:?}", metric.kind).to_lowercase();
        let help = metric.help.trim().replace('|', "\\|");
        let _ = writeln!(text, "| `{}` | {kind} | {} | {help} |", metric.name, metric.unit());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn assert_follows_the_rules<T>(metrics: &[&Metric<T>]) {
        let mut seen = HashSet::new();
        for metric in metrics {
            assert!(seen.insert((metric.group, metric.name)), "{} twice", metric.name);
            assert_eq!(metric.kind == Kind::Counter, metric.name.ends_with("_total"), "{}", metric.name);
            assert_eq!(metric.kind == Kind::Rate, metric.name.ends_with("_per_second"), "{}", metric.name);
            assert!(metric.help.trim().ends_with('.'), "{}", metric.name);
        }
        for metric in metrics.iter().filter(|metric| metric.kind == Kind::Rate) {
            let counter = metric.name.replace("_per_second", "_total");
            assert!(
                metrics.iter().any(|other| other.group == metric.group && other.name == counter),
                "{counter}"
            );
        }
    }

    #[test]
    fn names_follow_the_rules_and_every_rate_has_its_counter() {
        assert_follows_the_rules(&metrics().collect::<Vec<_>>());
        let of_the_host =
            [CpuTimes::METRICS, HostScheduler::METRICS, HostMemory::METRICS, HostFaults::METRICS];
        assert_follows_the_rules(&of_the_host.into_iter().flatten().collect::<Vec<_>>());
        assert_follows_the_rules(&Agent::METRICS.iter().collect::<Vec<_>>());
        assert_follows_the_rules(&HostReclaim::METRICS.iter().collect::<Vec<_>>());
        assert_follows_the_rules(&DiskActivity::METRICS.iter().collect::<Vec<_>>());
        assert_follows_the_rules(&InterfaceTraffic::METRICS.iter().collect::<Vec<_>>());
        assert_follows_the_rules(&FilesystemSpace::METRICS.iter().collect::<Vec<_>>());
        assert_follows_the_rules(&TreeUsage::METRICS.iter().collect::<Vec<_>>());
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
