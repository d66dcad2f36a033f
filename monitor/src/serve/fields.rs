//! `?fields=`: of everything that is measured of a container only some, for clients that show many containers.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::{
    problem::{self, Problem},
    query::Query,
};
use crate::model::{
    About, Audit, Container, Coverage, Host, Latency, Measurements, Snapshot,
    catalog::{self, Distribution, Metric, Value},
};

/// What is asked for of each container, by the JSON object that holds it.
pub(super) struct Fields(BTreeMap<&'static str, Group>);

/// What is asked for of one object.
enum Group {
    /// All that there is in it.
    Whole(Whole),
    /// These.
    Parts(Vec<Part>),
}

/// An object, or a list, that is asked for whole: what is in it is in no catalogue.
#[derive(Clone, Copy)]
enum Whole {
    Pressure,
    Interference,
    BlockInterference,
}

const WHOLE: [(&str, Whole); 3] = [
    ("pressure", Whole::Pressure),
    ("interference", Whole::Interference),
    ("block_interference", Whole::BlockInterference),
];

/// One field of an object.
enum Part {
    Scalar(&'static Metric),
    /// Its quantiles, without the buckets.
    Quantiles(&'static Distribution),
}

impl Fields {
    /// Reads names divided by commas, each an object's and a field's with a dot between them, or one of [`WHOLE`].
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let mut groups = BTreeMap::new();
        for name in text.split(',') {
            let Some((group, part)) = part(name) else {
                let Some((group, whole)) = WHOLE.into_iter().find(|(group, _)| *group == name) else {
                    let detail =
                        format!("{name} is no field that can be asked for: docs/metrics.md lists them");
                    return Err(Problem::new(problem::BAD_PARAMETER, detail));
                };
                groups.insert(group, Group::Whole(whole));
                continue;
            };
            match groups.entry(group).or_insert_with(|| Group::Parts(Vec::new())) {
                Group::Parts(parts) if parts.iter().all(|other| other.name() != part.name()) => {
                    parts.push(part);
                }
                Group::Parts(_) | Group::Whole(_) => {}
            }
        }
        Ok(Self(groups))
    }

    /// A snapshot with these fields of the containers that are asked for, and no other cgroups.
    pub(super) fn of<'a>(&'a self, snapshot: &'a Snapshot, query: &Query) -> Narrow<'a> {
        let Snapshot { schema_version, taken_at, window_ns, host, containers, cgroups: _, audit, coverage } =
            snapshot;
        let wanted = containers.iter().filter(|one| query.wants(&one.id, one.name.as_deref()));
        Narrow {
            schema_version: *schema_version,
            taken_at: *taken_at,
            window_ns: *window_ns,
            host,
            containers: wanted.map(|container| NarrowContainer { container, fields: self }).collect(),
            cgroups: [],
            audit,
            coverage,
        }
    }
}

fn part(name: &str) -> Option<(&'static str, Part)> {
    let is = |of: &str, field: &str| name.split_once('.') == Some((of, field));
    let scalar = catalog::metrics().find(|metric| is(metric.group, metric.name));
    let scalar = scalar.map(|metric| (metric.group, Part::Scalar(metric)));
    scalar.or_else(|| {
        let spread = catalog::distributions().find(|spread| is(spread.group, spread.name))?;
        Some((spread.group, Part::Quantiles(spread)))
    })
}

impl Part {
    fn name(&self) -> &'static str {
        match self {
            Self::Scalar(metric) => metric.name,
            Self::Quantiles(spread) => spread.name,
        }
    }
}

/// A snapshot with less in it.
#[derive(Serialize)]
pub(super) struct Narrow<'a> {
    schema_version: u32,
    taken_at: jiff::Timestamp,
    window_ns: u64,
    host: &'a Host,
    containers: Vec<NarrowContainer<'a>>,
    cgroups: [(); 0],
    audit: &'a Audit,
    coverage: &'a Coverage,
}

/// A container with less in it.
struct NarrowContainer<'a> {
    container: &'a Container,
    fields: &'a Fields,
}

impl Serialize for NarrowContainer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Container { about, measurements } = self.container;
        let About {
            id,
            short_id,
            name,
            image,
            runtime,
            state,
            exit_code,
            created_at,
            started_at,
            finished_at,
            labels,
            pod,
            counting_since,
            cgroup,
            namespaces: _,
        } = &**about;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", id)?;
        map.serialize_entry("short_id", short_id)?;
        map.serialize_entry("name", name)?;
        map.serialize_entry("image", image)?;
        map.serialize_entry("runtime", runtime)?;
        map.serialize_entry("state", state)?;
        map.serialize_entry("exit_code", exit_code)?;
        map.serialize_entry("created_at", created_at)?;
        map.serialize_entry("started_at", started_at)?;
        map.serialize_entry("finished_at", finished_at)?;
        map.serialize_entry("labels", labels)?;
        map.serialize_entry("pod", pod)?;
        map.serialize_entry("counting_since", counting_since)?;
        map.serialize_entry("cgroup", cgroup)?;
        for (name, group) in &self.fields.0 {
            match group {
                Group::Whole(Whole::Pressure) => map.serialize_entry(name, &measurements.pressure)?,
                Group::Whole(Whole::Interference) => map.serialize_entry(name, &measurements.interference)?,
                Group::Whole(Whole::BlockInterference) => {
                    map.serialize_entry(name, &measurements.block_interference)?;
                }
                Group::Parts(parts) => map.serialize_entry(name, &NarrowGroup { measurements, parts })?,
            }
        }
        map.end()
    }
}

struct NarrowGroup<'a> {
    measurements: &'a Measurements,
    parts: &'a [Part],
}

impl Serialize for NarrowGroup<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_map(self.parts.iter().map(|part| (part.name(), Measured::of(part, self.measurements))))
    }
}

/// What a field holds; `null` where it was not measured.
#[derive(Serialize)]
#[serde(untagged)]
enum Measured<'a> {
    Integer(i128),
    Real(f64),
    Text(&'a str),
    Quantiles(Quantiles),
    Nothing,
}

#[derive(Serialize)]
struct Quantiles {
    count: u64,
    p50_ns: Option<u64>,
    p90_ns: Option<u64>,
    p99_ns: Option<u64>,
    max_ns: Option<u64>,
}

impl<'a> Measured<'a> {
    fn of(part: &Part, measurements: &'a Measurements) -> Self {
        match part {
            Part::Scalar(metric) => match (metric.get)(measurements) {
                Some(Value::Integer(value)) => Self::Integer(value),
                Some(Value::Real(value)) => Self::Real(value),
                Some(Value::Text(value)) => Self::Text(value),
                None => Self::Nothing,
            },
            Part::Quantiles(spread) => match (spread.get)(measurements) {
                Some(Latency { count, p50_ns, p90_ns, p99_ns, max_ns, buckets: _ }) => {
                    Self::Quantiles(Quantiles {
                        count: *count,
                        p50_ns: *p50_ns,
                        p90_ns: *p90_ns,
                        p99_ns: *p99_ns,
                        max_ns: *max_ns,
                    })
                }
                None => Self::Nothing,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::model::testing::{container, snapshot};

    fn narrow(fields: &str, snapshot: &Snapshot) -> Json {
        serde_json::to_value(Fields::parse(fields).unwrap().of(snapshot, &Query::default())).unwrap()
    }

    #[test]
    fn each_field_is_as_in_the_whole_snapshot() {
        let mut web = container("ab");
        web.measurements.cpu.usage_cores = Some(0.5);
        web.measurements.cpu.cpuset = Some("0-1".to_owned());
        web.measurements.scheduler.migrations_total = Some(u64::MAX);
        web.measurements.scheduler.runq_latency =
            Some(Latency { count: 3, p99_ns: Some(7), ..Latency::default() });
        let snapshot = snapshot(1, vec![web]);
        let whole = serde_json::to_value(&snapshot).unwrap();
        let fields = "cpu.usage_cores,cpu.cpuset,cpu.quota_us,scheduler.migrations_total,scheduler.runq_latency,pressure";
        let found = narrow(fields, &snapshot);
        for member in ["schema_version", "taken_at", "window_ns", "host", "audit", "coverage"] {
            assert_eq!(found[member], whole[member], "{member}");
        }
        let (found, whole) = (&found["containers"][0], &whole["containers"][0]);
        assert_eq!(found["cpu"], json!({ "usage_cores": 0.5, "cpuset": "0-1", "quota_us": null }));
        assert_eq!(found["scheduler"]["migrations_total"], whole["scheduler"]["migrations_total"]);
        assert_eq!(found["scheduler"]["runq_latency"]["p99_ns"], 7);
        assert_eq!(found["scheduler"]["runq_latency"]["buckets"], Json::Null);
        assert_eq!(found["pressure"], whole["pressure"]);
        for member in ["id", "name", "image", "runtime", "state", "labels", "cgroup", "pod"] {
            assert_eq!(found[member], whole[member], "{member}");
        }
        assert_eq!(found["memory"], Json::Null);
    }

    #[test]
    fn every_metric_and_distribution_can_be_asked_for() {
        for metric in catalog::metrics() {
            assert!(Fields::parse(&format!("{}.{}", metric.group, metric.name)).is_ok(), "{}", metric.name);
        }
        for spread in catalog::distributions() {
            assert!(Fields::parse(&format!("{}.{}", spread.group, spread.name)).is_ok(), "{}", spread.name);
        }
    }

    #[test]
    fn what_is_not_measured_is_refused() {
        for fields in ["", "cpu", "cpu.", "cpu.usage", "pressure.cpu", "cpu.usage_cores,", "labels"] {
            assert!(Fields::parse(fields).is_err(), "{fields}");
        }
    }
}
