//! What can be asked for: the catalogue's metrics by name, of containers and of the machine, in base units.

use crate::model::{
    Disk, DiskActivity, Distribution, FilesystemSpace, Host, HostFilesystem, HostInterface, InterfaceTraffic,
    Kind, Latency, Measurements, Metric, Value,
    catalog::{distributions, host_metrics, metrics},
};

/// A number that was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Which of several, such as a disk's name; empty where there is one.
    pub part: String,
    /// In seconds, bytes or pieces, infinite for a limit that is not set; `None` where it was not measured.
    pub value: Option<f64>,
}

/// The units that performance data may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// None, or one that performance data cannot have.
    None,
    /// A counter.
    Counter,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

/// A metric of containers.
pub enum ContainerFigure {
    /// A scalar.
    Scalar(&'static Metric),
    /// A quantile of a distribution.
    Quantile(&'static Distribution, Quantile),
}

/// What is read off a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantile {
    /// The median.
    P50,
    /// The 90th percentile.
    P90,
    /// The 99th.
    P99,
    /// The longest.
    Max,
}

/// A metric of the machine.
pub enum HostFigure {
    /// Of all of it.
    Whole(&'static Metric<crate::model::HostTotals>),
    /// Of each disk.
    Disks(&'static Metric<Disk>),
    /// Of each file system.
    Filesystems(&'static Metric<HostFilesystem>),
    /// Of each interface.
    Interfaces(&'static Metric<HostInterface>),
}

/// Nothing is called so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FigureError {
    /// It is in no catalogue.
    #[error("{0} is no metric of {1}: docs/metrics.md has all, as GROUP.NAME")]
    Unknown(String, &'static str),
    /// It is there, but is no number.
    #[error("{0} is no number")]
    Text(String),
    /// One of its quantiles is to be named.
    #[error("{0} is a distribution: ask for {0}.p50, .p90, .p99 or .max")]
    Distribution(String),
}

impl ContainerFigure {
    /// By its name: `GROUP.NAME`, or `GROUP.NAME.p99` of a distribution.
    pub fn named(name: &str) -> Result<Self, FigureError> {
        let unknown = || FigureError::Unknown(name.to_owned(), "containers");
        let (group, rest) = name.split_once('.').ok_or_else(unknown)?;
        if let Some(metric) = metrics().find(|metric| metric.group == group && metric.name == rest) {
            return number(metric, name).map(Self::Scalar);
        }
        let (of, quantile) = match rest.split_once('.') {
            Some((of, quantile)) => (of, Some(Quantile::named(quantile).ok_or_else(unknown)?)),
            None => (rest, None),
        };
        let spread = distributions().find(|spread| spread.group == group && spread.name == of);
        let spread = spread.ok_or_else(unknown)?;
        let quantile = quantile.ok_or_else(|| FigureError::Distribution(name.to_owned()))?;
        Ok(Self::Quantile(spread, quantile))
    }

    /// Its unit.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match self {
            Self::Scalar(metric) => unit(metric),
            Self::Quantile(..) => Unit::Seconds,
        }
    }

    /// Its value.
    #[must_use]
    pub fn read(&self, measurements: &Measurements) -> Option<f64> {
        match self {
            Self::Scalar(metric) => value(metric, measurements),
            Self::Quantile(spread, quantile) => {
                let ns = quantile.of((spread.get)(measurements)?)?;
                Some(ns as f64 / 1e9)
            }
        }
    }
}

impl Quantile {
    fn named(name: &str) -> Option<Self> {
        match name {
            "p50" => Some(Self::P50),
            "p90" => Some(Self::P90),
            "p99" => Some(Self::P99),
            "max" => Some(Self::Max),
            _ => None,
        }
    }

    fn of(self, latency: &Latency) -> Option<u64> {
        match self {
            Self::P50 => latency.p50_ns,
            Self::P90 => latency.p90_ns,
            Self::P99 => latency.p99_ns,
            Self::Max => latency.max_ns,
        }
    }
}

impl HostFigure {
    /// By its name: `GROUP.NAME`, where disks, file systems and interfaces are groups too.
    pub fn named(name: &str) -> Result<Self, FigureError> {
        fn of<T>(metrics: &'static [Metric<T>], wanted: &str) -> Option<&'static Metric<T>> {
            metrics.iter().find(|metric| metric.name == wanted)
        }
        let unknown = || FigureError::Unknown(name.to_owned(), "the machine");
        let (group, rest) = name.split_once('.').ok_or_else(unknown)?;
        let found = match group {
            "disks" => of(DiskActivity::METRICS, rest).map(Self::Disks),
            "filesystems" => of(FilesystemSpace::METRICS, rest).map(Self::Filesystems),
            "interfaces" => of(InterfaceTraffic::METRICS, rest).map(Self::Interfaces),
            _ => host_metrics().find(|metric| metric.group == group && metric.name == rest).map(Self::Whole),
        };
        let found = found.ok_or_else(unknown)?;
        match &found {
            Self::Whole(metric) => number(metric, name).map(|_| ())?,
            // They are numbers, all of them.
            Self::Disks(_) | Self::Filesystems(_) | Self::Interfaces(_) => {}
        }
        Ok(found)
    }

    /// Its unit.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match self {
            Self::Whole(metric) => unit(metric),
            Self::Disks(metric) => unit(metric),
            Self::Filesystems(metric) => unit(metric),
            Self::Interfaces(metric) => unit(metric),
        }
    }

    /// Its values: one, or one for each disk, file system or interface.
    #[must_use]
    pub fn read(&self, host: &Host) -> Vec<Reading> {
        let totals = &host.totals;
        let part = |part: &str, value| Reading { part: part.to_owned(), value };
        match self {
            Self::Whole(metric) => vec![part("", value(metric, totals))],
            Self::Disks(metric) => {
                let each = totals.disks.iter().flatten();
                each.map(|disk| part(&disk.name, value(metric, disk))).collect()
            }
            Self::Filesystems(metric) => {
                let each = totals.filesystems.iter().flatten();
                each.map(|one| part(&one.mount_point, value(metric, one))).collect()
            }
            Self::Interfaces(metric) => {
                let each = totals.interfaces.iter().flatten();
                each.map(|one| part(&one.name, value(metric, one))).collect()
            }
        }
    }
}

fn number<T>(metric: &'static Metric<T>, name: &str) -> Result<&'static Metric<T>, FigureError> {
    if metric.kind == Kind::Text { Err(FigureError::Text(name.to_owned())) } else { Ok(metric) }
}

/// By how much a metric's values are divided to be in seconds; `None` of what is no time.
fn per_second<T>(metric: &Metric<T>) -> Option<f64> {
    let name = metric.name.strip_suffix("_total").unwrap_or(metric.name);
    let name = name.strip_suffix("_per_second").unwrap_or(name);
    [("_ns", 1e9), ("_us", 1e6)].into_iter().find(|(unit, _)| name.ends_with(unit)).map(|(_, parts)| parts)
}

fn unit<T>(metric: &Metric<T>) -> Unit {
    match metric.kind {
        Kind::Counter => Unit::Counter,
        Kind::Gauge | Kind::Limit | Kind::Ratio if per_second(metric).is_some() => Unit::Seconds,
        Kind::Gauge | Kind::Limit | Kind::Ratio if metric.unit() == "bytes" => Unit::Bytes,
        Kind::Gauge | Kind::Limit | Kind::Ratio | Kind::Rate | Kind::Text => Unit::None,
    }
}

fn value<T>(metric: &Metric<T>, of: &T) -> Option<f64> {
    let number = match (metric.get)(of)? {
        Value::Integer(-1) if metric.kind == Kind::Limit => return Some(f64::INFINITY),
        Value::Integer(value) => value as f64,
        Value::Real(value) => value,
        Value::Text(_) => return None,
    };
    Some(per_second(metric).map_or(number, |parts| number / parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Measurements {
        let mut measured = Measurements::default();
        measured.cpu.usage_ns_total = Some(1_500_000_000);
        measured.cpu.quota_us = Some(50_000);
        measured.memory.limit_bytes = Some(-1);
        measured.memory.limit_reclaim_ns_per_second = Some(2e9);
        measured.scheduler.runq_latency = Some(Latency { p99_ns: Some(2_000_000), ..Latency::default() });
        measured
    }

    #[test]
    fn values_are_in_base_units() {
        for (name, value, unit) in [
            ("cpu.usage_ns_total", Some(1.5), Unit::Counter),
            ("cpu.quota_us", Some(0.05), Unit::Seconds),
            ("memory.limit_bytes", Some(f64::INFINITY), Unit::Bytes),
            ("memory.limit_reclaim_ns_per_second", Some(2.0), Unit::None),
            ("scheduler.runq_latency.p99", Some(0.002), Unit::Seconds),
            ("scheduler.runq_latency.max", None, Unit::Seconds),
            ("pids.current", None, Unit::None),
        ] {
            let figure = ContainerFigure::named(name).unwrap();
            assert_eq!((figure.read(&measured()), figure.unit()), (value, unit), "{name}");
        }
    }

    #[test]
    fn every_metric_of_the_catalogue_can_be_asked_for() {
        for metric in metrics() {
            let name = format!("{}.{}", metric.group, metric.name);
            assert_eq!(ContainerFigure::named(&name).is_ok(), metric.kind != Kind::Text, "{name}");
        }
        for metric in host_metrics() {
            assert!(HostFigure::named(&format!("{}.{}", metric.group, metric.name)).is_ok());
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let refused = |name: &str| ContainerFigure::named(name).err();
        assert!(matches!(refused("cpu.cpuset"), Some(FigureError::Text(_))));
        assert!(matches!(refused("scheduler.runq_latency"), Some(FigureError::Distribution(_))));
        for unknown in ["cpu", "cpu.nothing", "nothing.usage_ns_total", "scheduler.runq_latency.p12", ""] {
            assert!(matches!(refused(unknown), Some(FigureError::Unknown(..))), "{unknown}");
        }
        assert!(HostFigure::named("disks.nothing").is_err());
    }

    #[test]
    fn the_machine_s_parts_are_told_apart() {
        let mut host = Host::default();
        host.totals.memory.available_bytes = Some(5);
        host.totals.disks = Some(vec![Disk {
            name: "vda".to_owned(),
            device: "254:0".to_owned(),
            activity: DiskActivity { busy_ns_total: Some(3_000_000_000), ..DiskActivity::default() },
        }]);
        let read = |name: &str| HostFigure::named(name).unwrap().read(&host);
        assert_eq!(read("memory.available_bytes"), [Reading { part: String::new(), value: Some(5.0) }]);
        assert_eq!(read("disks.busy_ns_total"), [Reading { part: "vda".to_owned(), value: Some(3.0) }]);
        assert_eq!(read("interfaces.rx_bytes_total"), []);
    }
}
