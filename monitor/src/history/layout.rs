//! What is kept of a subject: columns, derived from the metric catalogue, and how each is read off a snapshot.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::pack::{Form, real_word};
use crate::model::{
    HostTotals, Measurements, Metric, Pressure, Span, Stall, Value,
    catalog::{self, distributions, host_metrics, metrics},
};

/// How a column behaves over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down; a whole number.
    Gauge,
    /// A configured limit; -1 where none is set.
    Limit,
    /// Goes up and down.
    Ratio,
    /// How often each duration was seen: the column says only that it was measured, the counts are tallies.
    Distribution,
}

/// One thing that is kept of a subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// As in the catalogue: group and name, as in `cpu.usage_cores`.
    pub name: String,
    /// How it behaves.
    pub kind: Kind,
    /// Its unit in the words of the catalogue; empty without one.
    #[serde(skip)]
    pub unit: &'static str,
}

/// Columns in their order.
#[derive(Debug)]
pub struct Layout {
    columns: Vec<Column>,
    by_name: HashMap<String, usize>,
    /// How the lanes of a snapshot's row, and those of a folded one, are packed.
    forms: [Vec<Form>; 2],
}

/// Since when the eBPF counters count, in microseconds, or of the machine which boot it is: another value is another count.
pub(super) const EPOCH: &str = "epoch";
/// Its place.
pub(super) const EPOCH_COLUMN: usize = 0;
/// Lanes of a column in rows that are folded: the last or mean value, the least and the greatest.
pub(super) const FOLDED: usize = 3;

impl Layout {
    /// That of these columns.
    #[must_use]
    pub fn new(columns: Vec<Column>) -> Self {
        let by_name =
            columns.iter().enumerate().map(|(place, column)| (column.name.clone(), place)).collect();
        let forms = [1, FOLDED].map(|stride| {
            let lanes = columns.iter().flat_map(|column| (0..stride).map(move |part| (column.kind, part)));
            lanes.map(|(kind, part)| form(kind, part, stride)).collect()
        });
        Self { columns, by_name, forms }
    }

    /// Its columns.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Where a column is.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// How each lane is packed where a column has so many.
    pub(super) fn forms(&self, stride: usize) -> &[Form] {
        let [plain, folded] = &self.forms;
        if stride == FOLDED { folded } else { plain }
    }
}

fn form(kind: Kind, part: usize, stride: usize) -> Form {
    let is_folded = stride == FOLDED;
    match (kind, part) {
        // The mean of whole numbers; the least and the greatest growth a second.
        (Kind::Gauge | Kind::Limit, 0) if is_folded => Form::Real,
        (Kind::Ratio, _) | (Kind::Counter, 1..) => Form::Real,
        (Kind::Counter | Kind::Gauge | Kind::Limit | Kind::Distribution, _) => Form::Integer,
    }
}

/// The layouts of all subjects.
#[derive(Clone, Debug)]
pub struct Layouts {
    /// Of containers and cgroups.
    pub measured: Arc<Layout>,
    /// Of the machine.
    pub host: Arc<Layout>,
}

type Get<T> = Box<dyn Fn(&T) -> Option<u64> + Send + Sync>;

/// A layout and how its words are read off a `T`; that of [`EPOCH`] is not.
pub(super) struct Shape<T> {
    pub(super) layout: Arc<Layout>,
    getters: Vec<Get<T>>,
}

impl<T> Shape<T> {
    fn new(columns: Vec<(Column, Get<T>)>) -> Self {
        // A counter, since of these the last is kept exactly.
        let epoch = Column { name: EPOCH.to_owned(), kind: Kind::Counter, unit: "" };
        let (mut all, mut getters): (Vec<Column>, Vec<Get<T>>) = (vec![epoch], Vec::new());
        for (column, get) in columns {
            all.push(column);
            getters.push(get);
        }
        Self { layout: Arc::new(Layout::new(all)), getters }
    }

    /// The words of a row.
    pub(super) fn read(&self, epoch: u64, measured: &T, words: &mut Vec<Option<u64>>) {
        words.clear();
        words.push(Some(epoch));
        words.extend(self.getters.iter().map(|get| get(measured)));
    }
}

/// Of containers and cgroups.
pub(super) fn measured() -> Shape<Measurements> {
    let scalars = metrics().filter_map(scalar);
    let stalls = stalls(|measurements: &Measurements| &measurements.pressure);
    let spread = distributions().filter(|spread| spread.span == Span::Window).map(|spread| {
        let name = format!("{}.{}", spread.group, spread.name);
        let column = Column { name, kind: Kind::Distribution, unit: "nanoseconds" };
        let get: Get<Measurements> = Box::new(move |measurements| (spread.get)(measurements).map(|_| 1));
        (column, get)
    });
    Shape::new(scalars.chain(stalls).chain(spread).collect())
}

/// Of the machine.
pub(super) fn host() -> Shape<HostTotals> {
    Shape::new(
        host_metrics().filter_map(scalar).chain(stalls(|totals: &HostTotals| &totals.pressure)).collect(),
    )
}

/// A number of the catalogue. Rates follow from their counters, and texts are none.
fn scalar<T>(metric: &'static Metric<T>) -> Option<(Column, Get<T>)> {
    let kind = match metric.kind {
        catalog::Kind::Counter => Kind::Counter,
        catalog::Kind::Gauge => Kind::Gauge,
        catalog::Kind::Limit => Kind::Limit,
        catalog::Kind::Ratio => Kind::Ratio,
        catalog::Kind::Rate | catalog::Kind::Text => return None,
    };
    let column = Column { name: format!("{}.{}", metric.group, metric.name), kind, unit: metric.unit() };
    Some((column, Box::new(move |measured| (metric.get)(measured).and_then(|value| word(&value)))))
}

fn word(value: &Value<'_>) -> Option<u64> {
    match value {
        Value::Integer(value) => {
            let negative = || i64::try_from(*value).ok().map(i64::cast_unsigned);
            u64::try_from(*value).ok().or_else(negative)
        }
        Value::Real(value) => real_word(*value),
        Value::Text(_) => None,
    }
}

/// The stalls of pressure stall information, as counters.
fn stalls<T: 'static>(
    pressure: impl Fn(&T) -> &Pressure + Copy + Send + Sync + 'static,
) -> impl Iterator<Item = (Column, Get<T>)> {
    type Resource = (&'static str, fn(&Pressure) -> Option<&Stall>);
    const RESOURCES: [Resource; 3] = [
        ("cpu", |pressure| pressure.cpu.as_ref()),
        ("memory", |pressure| pressure.memory.as_ref()),
        ("io", |pressure| pressure.io.as_ref()),
    ];
    RESOURCES.into_iter().flat_map(move |(resource, stall)| {
        ["some", "full"].map(|extent| {
            let name = format!("pressure.{resource}.{extent}.stall_us_total");
            let get: Get<T> = Box::new(move |measured| {
                let stall = stall(pressure(measured))?;
                let share = if extent == "some" { stall.some } else { stall.full };
                Some(share?.stall_us_total)
            });
            (Column { name, kind: Kind::Counter, unit: "microseconds" }, get)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_the_catalogue_that_varies_is_kept() {
        let shape = measured();
        for metric in metrics() {
            let name = format!("{}.{}", metric.group, metric.name);
            let is_kept = !matches!(metric.kind, catalog::Kind::Rate | catalog::Kind::Text);
            assert_eq!(shape.layout.place(&name).is_some(), is_kept, "{name}");
        }
        assert_eq!(shape.layout.place(EPOCH), Some(EPOCH_COLUMN));
        assert_eq!(shape.getters.len() + 1, shape.layout.columns().len());
        assert!(host().layout.place("cpu.busy_cores").is_some());
    }

    #[test]
    fn words_are_read_from_their_field() {
        let mut measurements = Measurements::default();
        measurements.memory.limit_bytes = Some(-1);
        measurements.pids.current = Some(7);
        let shape = measured();
        let mut words = Vec::new();
        shape.read(5, &measurements, &mut words);
        let word = |name| words[shape.layout.place(name).unwrap()];
        assert_eq!(word(EPOCH), Some(5));
        assert_eq!(word("memory.limit_bytes"), Some(u64::MAX));
        assert_eq!(word("pids.current"), Some(7));
        assert_eq!(words.iter().flatten().count(), 3);
    }
}
