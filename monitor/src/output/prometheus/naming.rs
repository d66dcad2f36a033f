//! A catalogue entry → what it is called outside: base units, and the kinds that a scraper wants.

use super::{exposition::Kind, number::Number};
use crate::model::{self, Metric, Value};

/// What a metric is called and how its values are converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The family's name, without `_total`.
    pub name: String,
    /// How it behaves.
    pub kind: Kind,
    /// The unit that the name ends in.
    pub unit: &'static str,
    /// Decimal places between the catalogue's unit and that one.
    places: u32,
}

/// The family of a metric; `None` of what is no number, and of what a window says: the rates of counters are the scraper's to
/// compute.
#[must_use]
pub fn named<T>(prefix: &str, metric: &Metric<T>) -> Option<Named> {
    let kind = match metric.kind {
        model::Kind::Counter => Kind::Counter,
        model::Kind::Gauge | model::Kind::Limit => Kind::Gauge,
        model::Kind::Ratio if metric.unit().is_empty() => Kind::Gauge,
        model::Kind::Ratio | model::Kind::Rate | model::Kind::Text => return None,
    };
    let full = format!("{prefix}_{}", metric.name.strip_suffix("_total").unwrap_or(metric.name));
    let small = [("_ns", 9), ("_us", 6)];
    if let Some((base, places)) =
        small.iter().find_map(|(unit, places)| Some((full.strip_suffix(unit)?, *places)))
    {
        return Some(Named { name: format!("{base}_seconds"), kind, unit: "seconds", places });
    }
    let unit = ["bytes", "pages"].into_iter().find(|unit| full.ends_with(unit)).unwrap_or_default();
    Some(Named { name: full, kind, unit, places: 0 })
}

/// Whether a metric is exported at all, wherever to.
#[must_use]
pub fn is_exported<T>(metric: &Metric<T>) -> bool {
    named("", metric).is_some()
}

impl Named {
    /// What its samples are called.
    #[must_use]
    pub fn sample(&self) -> String {
        let suffix = if self.kind == Kind::Counter { "_total" } else { "" };
        format!("{}{suffix}", self.name)
    }

    /// A value in the family's unit. A limit of -1, which is none, is infinite.
    #[must_use]
    pub fn number(&self, kind: model::Kind, value: Value<'_>) -> Option<Number> {
        match value {
            Value::Integer(-1) if kind == model::Kind::Limit => Some(Number::Infinite),
            Value::Integer(value) if self.places > 0 => Some(Number::Shifted(value, self.places)),
            Value::Integer(value) => Some(Number::Integer(value)),
            Value::Real(value) => Some(Number::Real(value)),
            Value::Text(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::catalog::metrics;

    fn family(name: &str) -> Option<Named> {
        let metric = metrics().find(|metric| metric.name == name).unwrap();
        named("monitor_container_x", metric)
    }

    #[test]
    fn names_have_base_units() {
        for (ours, theirs, unit) in [
            ("on_cpu_ns_total", "on_cpu_seconds", "seconds"),
            ("quota_us", "quota_seconds", "seconds"),
            ("working_set_bytes", "working_set_bytes", "bytes"),
            ("scanned_pages_total", "scanned_pages", "pages"),
            ("voluntary_switches_total", "voluntary_switches", ""),
            ("load_10s", "load_10s", ""),
        ] {
            let named = family(ours).unwrap();
            assert_eq!(named.name, format!("monitor_container_x_{theirs}"));
            assert_eq!(named.unit, unit, "{ours}");
        }
        for left_out in ["usage_cores", "minor_per_second", "cpuset"] {
            assert_eq!(family(left_out), None, "{left_out}");
        }
    }

    #[test]
    fn no_limit_is_infinite_and_time_is_exact() {
        let limit = family("limit_bytes").unwrap();
        assert_eq!(limit.number(model::Kind::Limit, Value::Integer(-1)), Some(Number::Infinite));
        assert_eq!(limit.number(model::Kind::Limit, Value::Integer(5)), Some(Number::Integer(5)));
        let time = family("on_cpu_ns_total").unwrap();
        assert_eq!(time.number(model::Kind::Counter, Value::Integer(5)), Some(Number::Shifted(5, 9)));
    }
}
