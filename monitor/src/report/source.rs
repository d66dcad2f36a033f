//! Series out of a recording: who was there at which tick, and one signal of all of them at a time.

use std::{
    collections::{BTreeSet, HashMap},
    ops::{Range, RangeInclusive},
};

use jiff::Timestamp;

use super::signals::Signal;
use crate::{
    cli::Moment,
    model::is_called,
    recording::{ContainerRow, RecordingError, Table},
};

/// Which part of a recording is looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Window<'a> {
    pub(super) from: Option<Moment>,
    pub(super) to: Option<Moment>,
    /// Containers by name, id or the beginning of an id; all where empty.
    pub(super) containers: &'a [String],
}

/// One run of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The container's id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its image.
    pub image: Option<String>,
    /// The first tick at which it was there.
    pub first: Timestamp,
    /// The last one.
    pub last: Timestamp,
}

impl Run {
    /// Its name, or the beginning of its id.
    pub(super) fn label(&self) -> &str {
        self.name.as_deref().unwrap_or_else(|| self.id.get(..12).unwrap_or(&self.id))
    }
}

/// Runs by what tells them apart: the container and its cgroup, which is another one after each start.
#[derive(Default)]
struct Runs {
    runs: Vec<Run>,
    known: HashMap<(String, u64), usize>,
}

impl Runs {
    /// The number of a row's run, which is another one if it was not met before.
    fn number_of(&mut self, row: ContainerRow) -> usize {
        let ContainerRow { taken_at: at, id, cgroup, name, image } = row;
        let new_run = || Run { id: id.clone(), name: None, image: None, first: at, last: at };
        let number = *self.known.entry((id.clone(), cgroup)).or_insert_with(|| {
            self.runs.push(new_run());
            self.runs.len() - 1
        });
        if let Some(run) = self.runs.get_mut(number) {
            run.first = run.first.min(at);
            run.last = run.last.max(at);
            run.name = name.or(run.name.take());
            run.image = image.or(run.image.take());
        }
        number
    }
}

impl Window<'_> {
    /// From when to when, in a recording with this beginning.
    fn bounds(&self, beginning: Timestamp) -> RangeInclusive<Timestamp> {
        let from = self.from.map_or(Timestamp::MIN, |from| from.after(beginning));
        from..=self.to.map_or(Timestamp::MAX, |to| to.after(beginning))
    }
}

/// Who was there when.
pub(super) struct Index<'t> {
    table: &'t Table,
    pub(super) ticks: Vec<Timestamp>,
    pub(super) runs: Vec<Run>,
    /// For each piece and row of it: the run and the tick, where the row is looked at.
    places: Vec<Vec<Option<(usize, usize)>>>,
}

/// The values of one signal of one run, at each tick from its first to its last. Most runs of a long recording are short: values at
/// all ticks of it would be runs by ticks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Values {
    /// The number of its first tick.
    pub(super) first: usize,
    pub(super) values: Vec<Option<f64>>,
}

impl Values {
    /// At this tick of the recording.
    pub(super) fn at(&self, tick: usize) -> Option<f64> {
        self.values.get(tick.checked_sub(self.first)?).copied().flatten()
    }

    /// Of these ticks of the recording, without those at which it was not there yet or any more.
    pub(super) fn within(&self, ticks: Range<usize>) -> &[Option<f64>] {
        let place = |tick: usize| tick.saturating_sub(self.first).min(self.values.len());
        self.values.get(place(ticks.start)..place(ticks.end)).unwrap_or_default()
    }

    /// What was measured.
    pub(super) fn measured(&self) -> impl Iterator<Item = f64> {
        self.values.iter().copied().flatten()
    }
}

impl<'t> Index<'t> {
    /// Goes through the rows once. Of each only its place is kept.
    pub(super) fn build(table: &'t Table, window: &Window<'_>) -> Result<Self, RecordingError> {
        let mut runs = Runs::default();
        let mut times = Vec::with_capacity(table.groups());
        let mut bounds = None;
        for group in 0..table.groups() {
            let rows = table.rows(group)?;
            // Pieces are in the order of time.
            let beginning = rows.iter().flatten().map(|row| row.taken_at).min();
            bounds = bounds.or(beginning.map(|beginning| window.bounds(beginning)));
            let is_in = |at: Timestamp| bounds.as_ref().is_some_and(|bounds| bounds.contains(&at));
            let in_window = |row: Option<ContainerRow>| {
                let row = row.filter(|row| is_in(row.taken_at))?;
                let at = row.taken_at;
                Some((runs.number_of(row), at))
            };
            times.push(rows.into_iter().map(in_window).collect::<Vec<_>>());
        }
        let ticks: BTreeSet<Timestamp> = times.iter().flatten().flatten().map(|(_, at)| *at).collect();
        let ticks: Vec<Timestamp> = ticks.into_iter().collect();
        let place = |(run, at): (usize, Timestamp)| Some((run, ticks.binary_search(&at).ok()?));
        let places =
            times.into_iter().map(|group| group.into_iter().map(|row| row.and_then(place)).collect());
        let places = places.collect();
        let mut index = Self { table, ticks, runs: runs.runs, places };
        index.keep(window.containers);
        Ok(index)
    }

    /// Leaves the runs of these containers only.
    fn keep(&mut self, wanted: &[String]) {
        if wanted.is_empty() {
            return;
        }
        let is_wanted = |run: &Run| wanted.iter().any(|name| is_called(name, &run.id, run.name.as_deref()));
        let mut kept = 0;
        let new_numbers: Vec<Option<usize>> = self
            .runs
            .iter()
            .map(|run| {
                is_wanted(run).then(|| {
                    kept += 1;
                    kept - 1
                })
            })
            .collect();
        self.runs.retain(is_wanted);
        for place in self.places.iter_mut().flatten() {
            *place = place.and_then(|(run, tick)| Some(((*new_numbers.get(run)?)?, tick)));
        }
    }

    /// Reads one signal of all runs.
    pub(super) fn series(&self, signal: &Signal) -> Result<Vec<Values>, RecordingError> {
        let mut series: Vec<Values> = self.runs.iter().map(|run| self.nothing_of(run)).collect();
        for (group, places) in self.places.iter().enumerate() {
            let numbers = self.table.numbers(group, &signal.column)?;
            for (place, number) in places.iter().zip(numbers) {
                let value = place.and_then(|(run, tick)| {
                    let Values { first, values } = series.get_mut(run)?;
                    values.get_mut(tick.checked_sub(*first)?)
                });
                if let Some(value) = value {
                    *value = number;
                }
            }
        }
        if signal.is_rate {
            for values in &mut series {
                self.make_rates(values);
            }
        }
        Ok(series)
    }

    /// Room for the values of a run.
    fn nothing_of(&self, run: &Run) -> Values {
        let first = self.ticks.partition_point(|at| *at < run.first);
        let end = self.ticks.partition_point(|at| *at <= run.last);
        Values { first, values: vec![None; end.saturating_sub(first)] }
    }

    /// A counter's growth a second since the tick before; nothing where it was not there then, or went backwards.
    fn make_rates(&self, series: &mut Values) {
        let Values { first, values } = series;
        let mut before: Option<(Timestamp, f64)> = None;
        for (value, at) in values.iter_mut().zip(self.ticks.iter().skip(*first)) {
            let now = value.map(|value| (*at, value));
            *value = now.zip(before).and_then(|((at, value), (then, earlier))| {
                let seconds = at.duration_since(then).as_secs_f64();
                (value >= earlier && seconds > 0.0).then(|| (value - earlier) / seconds)
            });
            before = now;
        }
    }
}
