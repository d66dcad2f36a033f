//! What of a recording is analysed: numbers that vary, derived from the metric catalogue.

use crate::model::{
    Kind,
    catalog::{members, metrics},
    member::Form,
};

/// A number that varies over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// The column that it is read from.
    pub(super) column: String,
    /// Whether it is the column's growth a second, and not its value.
    pub(super) is_rate: bool,
    /// The column's unit, by its name.
    pub(super) unit: Unit,
}

/// What numbers count, for showing them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Bytes,
    Nanoseconds,
    Microseconds,
    None,
}

/// What is analysed where nothing else is asked for.
const USUAL: [&str; 15] = [
    "cpu.usage_cores",
    "cpu.throttled_ns_total",
    "scheduler.runq_wait_ns_total",
    "scheduler.runq_latency.p99_ns",
    "scheduler.voluntary_switches_total",
    "scheduler.involuntary_switches_total",
    "faults.minor_total",
    "faults.major_total",
    "memory.current_bytes",
    "network.rx_bytes_total",
    "network.tx_bytes_total",
    "network.tcp_retransmits_total",
    "block_io.read_bytes_total",
    "block_io.write_bytes_total",
    "pids.current",
];

/// The word for every signal there is.
const ALL: &str = "all";

/// The signals asked for: each word is a signal's name, a group's, or `all`; the usual ones where there is no word. The first
/// word that names none is the error.
pub fn select(words: &[String]) -> Result<Vec<Signal>, String> {
    let all = signals();
    if words.is_empty() {
        let usual = USUAL.iter().filter_map(|name| all.iter().find(|signal| signal.column == *name));
        return Ok(usual.cloned().collect());
    }
    let is_named = |signal: &Signal, word: &str| {
        let rest = signal.column.strip_prefix(word);
        word == ALL || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if let Some(unknown) = words.iter().find(|word| !all.iter().any(|signal| is_named(signal, word))) {
        return Err(unknown.clone());
    }
    Ok(all.into_iter().filter(|signal| words.iter().any(|word| is_named(signal, word))).collect())
}

/// Every signal: counters as rates, of which those that the catalogue has as such are not repeated, gauges and ratios as they
/// are, and quantiles of distributions.
fn signals() -> Vec<Signal> {
    let scalars = metrics().filter_map(|metric| {
        let is_rate = match metric.kind {
            Kind::Counter => true,
            Kind::Gauge | Kind::Ratio => false,
            Kind::Limit | Kind::Rate | Kind::Text => return None,
        };
        Some(signal(format!("{}.{}", metric.group, metric.name), is_rate))
    });
    let quantiles = members().filter(|member| member.form == Form::Latency).flat_map(|member| {
        ["p50_ns", "p99_ns"].map(|part| signal(format!("{}.{}.{part}", member.group, member.name), false))
    });
    let stalls = ["cpu", "memory", "io"].into_iter().flat_map(|resource| {
        ["some", "full"].map(|extent| signal(format!("pressure.{resource}.{extent}.stall_us_total"), true))
    });
    scalars.chain(quantiles).chain(stalls).collect()
}

fn signal(column: String, is_rate: bool) -> Signal {
    let stem = column.strip_suffix("_total").unwrap_or(&column);
    let unit = [("_bytes", Unit::Bytes), ("_ns", Unit::Nanoseconds), ("_us", Unit::Microseconds)]
        .into_iter()
        .find(|(ending, _)| stem.ends_with(ending))
        .map_or(Unit::None, |(_, unit)| unit);
    Signal { column, is_rate, unit }
}

impl Signal {
    /// The metric that it is read from, as in the catalogue, or a quantile of a distribution.
    #[must_use]
    pub fn column(&self) -> &str {
        &self.column
    }

    /// Whether the sum over containers means something: not of quantiles and ages.
    pub(super) fn adds_up(&self) -> bool {
        self.is_rate || self.unit != Unit::Nanoseconds
    }

    /// A value for reading.
    pub(super) fn shown(&self, value: f64) -> String {
        let number = match self.unit {
            Unit::Bytes => scaled(value, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB"]),
            Unit::Nanoseconds => scaled(value, 1000.0, &["ns", "µs", "ms", "s"]),
            Unit::Microseconds => scaled(value, 1000.0, &["µs", "ms", "s"]),
            Unit::None => scaled(value, 1000.0, &["", "k", "M", "G"]),
        };
        if self.is_rate { format!("{number}/s") } else { number }
    }
}

/// A number in the largest unit that it fills, with about three digits.
fn scaled(value: f64, step: f64, units: &[&str]) -> String {
    let mut value = value;
    let mut unit = 0;
    while value.abs() >= step && unit + 1 < units.len() {
        value /= step;
        unit += 1;
    }
    let digits = match value.abs() {
        zero if zero < 1e-9 => 0,
        small if small < 1.0 => 3,
        small if small < 10.0 => 2,
        medium if medium < 100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.digits$}");
    match units.get(unit) {
        None | Some(&"") => text,
        Some(unit) if unit.len() == 1 && *unit != "B" && *unit != "s" => format!("{text}{unit}"),
        Some(unit) => format!("{text} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_signals_are_in_the_catalogue() {
        assert_eq!(select(&[]).unwrap().len(), USUAL.len());
    }

    #[test]
    fn signals_are_asked_for_by_name_or_group() {
        let names = |words: &[&str]| -> Vec<String> {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            select(&words).unwrap().into_iter().map(|signal| signal.column).collect()
        };
        assert_eq!(names(&["pids.current"]), ["pids.current"]);
        assert_eq!(names(&["pids"]), ["pids.current"]);
        assert!(names(&["network"]).len() > 20 && names(&["all"]).len() > 150);
        assert_eq!(names(&["scheduler.runq_latency"]).len(), 2);
        assert_eq!(select(&["net".to_owned()]), Err("net".to_owned()));
    }

    #[test]
    fn values_are_short() {
        let shown = |column: &str, is_rate, value| signal(column.to_owned(), is_rate).shown(value);
        assert_eq!(shown("memory.current_bytes", false, 5_500_000.0), "5.25 MiB");
        assert_eq!(shown("network.rx_bytes_total", true, 0.0), "0 B/s");
        assert_eq!(shown("scheduler.runq_wait_ns_total", true, 1_500_000.0), "1.50 ms/s");
        assert_eq!(shown("faults.minor_total", true, 12_345.0), "12.3k/s");
        assert_eq!(shown("cpu.usage_cores", false, 0.5144), "0.514");
    }
}
