//! What was measured lately: every snapshot of the last minutes, every ten seconds of the last hours, every minute of the last
//! day. Compressed and bounded in bytes; no clock, no thread.
//!
//! A snapshot becomes a row for each subject (`layout` says of what, `pack` how). Rows of all subjects over sixty steps make a
//! segment (`segment`), which is compressed when it is whole and then folded (`fold`) to the rows of the next resolution. Where
//! there is more than allowed, the segment goes whose age is the greatest in proportion to how long its resolution is kept: so
//! each resolution loses the same share of its time. [`disk`] keeps segments in files; [`query`] answers.

mod codes;
pub mod disk;
mod fold;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod layout;
mod pack;
pub mod query;
mod segment;
mod subjects;
mod tier;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use jiff::Timestamp;

pub use self::{
    codes::Culprit,
    fold::Fold,
    layout::{Column, Kind, Layouts},
    segment::Number,
    subjects::{Subject, SubjectKind},
    tier::{Resolution, ResolutionError, Resolutions},
};
use self::{
    codes::Spreads,
    layout::{EPOCH_COLUMN, Shape},
    segment::{HOST, Open, Segment},
    subjects::Subjects,
    tier::Tier,
};
use crate::model::{HostTotals, Measurements, Snapshot};

/// Segments at most, and so files: a restart begins new ones.
const MOST_SEGMENTS: usize = 1024;

/// The last measurements of all subjects.
pub struct History {
    measured: Shape<Measurements>,
    spreads: Spreads,
    host: Shape<HostTotals>,
    layouts: Layouts,
    tiers: Vec<Tier>,
    subjects: Subjects,
    /// The last words of each subject in the open segment of the finest tier.
    lasts: HashMap<Number, Vec<Option<u64>>>,
    /// Bytes at most.
    limit: usize,
    figures: Figures,
    changes: Changes,
}

/// What a history counts of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Bytes taken.
    pub bytes: u64,
    /// The most that may be.
    pub limit_bytes: u64,
    /// Containers, cgroups and the machine.
    pub subjects: u64,
    /// Rows that were forgotten before their time for want of room.
    pub dropped_rows_total: u64,
    /// Snapshots that were not taken because they were of a time that was taken already: a clock was set back.
    pub late_snapshots_total: u64,
}

/// What has become of segments since this was asked last.
#[derive(Debug, Default)]
pub struct Changes {
    /// Those that are whole now.
    pub sealed: Vec<Sealed>,
    /// The names of those that are forgotten.
    pub forgotten: Vec<String>,
}

impl Changes {
    /// Takes later changes in: what is forgotten again need not be written.
    pub fn take_in(&mut self, later: Self) {
        self.sealed.extend(later.sealed);
        self.forgotten.extend(later.forgotten);
        let Self { sealed, forgotten } = self;
        sealed.retain(|one| !forgotten.contains(&one.name));
    }

    /// Whether there is anything to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sealed.is_empty() && self.forgotten.is_empty()
    }
}

/// A whole segment, and what a file of it needs besides.
#[derive(Debug)]
pub struct Sealed {
    /// Tells it from others.
    pub name: String,
    step_ms: i64,
    segment: Arc<Segment>,
    subjects: Vec<(Number, Subject)>,
}

impl History {
    /// An empty one of at most so many bytes.
    #[must_use]
    pub fn new(resolutions: &Resolutions, limit: usize) -> Self {
        let (measured, host) = (layout::measured(), layout::host());
        let layouts = Layouts { measured: Arc::clone(&measured.layout), host: Arc::clone(&host.layout) };
        Self {
            spreads: Spreads::of(&measured.layout),
            measured,
            host,
            layouts,
            tiers: resolutions.iter().enumerate().map(|(level, one)| Tier::new(level, one)).collect(),
            subjects: Subjects::default(),
            lasts: HashMap::new(),
            limit,
            figures: Figures { limit_bytes: limit as u64, ..Figures::default() },
            changes: Changes::default(),
        }
    }

    /// Takes a snapshot, and forgets what is too old or too much. One that is not later than the last is not taken.
    pub fn push(&mut self, snapshot: &Snapshot) {
        let at = snapshot.taken_at.as_millisecond();
        let Some(finest) = self.tiers.first() else { return };
        if finest.last_at().is_some_and(|last| at <= last) {
            self.figures.late_snapshots_total += 1;
            return;
        }
        let begins_at = finest.stretch_of(at);
        self.turn_to(0, begins_at);
        self.put_rows(snapshot, at);
        self.forget(at);
    }

    /// Appends a row of each subject to the finest tier.
    fn put_rows(&mut self, snapshot: &Snapshot, at: i64) {
        let Self { measured, spreads, host, layouts, tiers, subjects, lasts, .. } = self;
        let Some(open) = tiers.first_mut().and_then(|tier| tier.open.as_mut()) else { return };
        open.times.push(at);
        let mut rows = Rows { row: open.times.len() - 1, open, lasts, layouts };
        let (mut words, mut tallies) = (Vec::new(), Vec::new());
        subjects.see_host(snapshot);
        host.read(subjects::boot(&snapshot.host), &snapshot.host.totals, &mut words);
        rows.put(HOST, &words, &tallies);
        let taken_at = snapshot.taken_at;
        // All of them before the first row, which may tell that it waited for the last.
        let numbers: Vec<Option<Number>> =
            snapshot.containers.iter().map(|container| subjects.see(container, taken_at)).collect();
        let window_s = snapshot.window_ns as f64 / 1e9;
        let is_born = |counting_since: Timestamp| {
            taken_at.as_nanosecond() - counting_since.as_nanosecond() < i128::from(snapshot.window_ns)
        };
        for (container, number) in snapshot.containers.iter().zip(numbers) {
            let Some(number) = number else { continue };
            measured.read(epoch(container.counting_since), &container.measurements, &mut words);
            let number_of = |id: &str| subjects.number(SubjectKind::Container, id);
            spreads.tallies(&container.measurements, window_s, number_of, &mut tallies);
            if is_born(container.counting_since) {
                rows.put_birth(number, &words);
            }
            rows.put(number, &words, &tallies);
        }
        for entry in &snapshot.cgroups {
            let Some(number) = subjects.see_cgroup(entry, taken_at) else { continue };
            measured.read(epoch(entry.counting_since), &entry.measurements, &mut words);
            spreads.tallies(&entry.measurements, window_s, |_| None, &mut tallies);
            if is_born(entry.counting_since) {
                rows.put_birth(number, &words);
            }
            rows.put(number, &words, &tallies);
        }
    }

    /// Makes the segment that begins then the open one of a tier; the one before is whole then.
    fn turn_to(&mut self, level: usize, begins_at: i64) {
        let Some(tier) = self.tiers.get_mut(level) else { return };
        if tier.open.as_ref().is_some_and(|open| open.begins_at == begins_at) {
            return;
        }
        let before = tier.open.take();
        let next = Open::after(before.as_ref(), begins_at, tier.stride(), &self.layouts);
        if level == 0 {
            let goes_on: BTreeSet<Number> = next.subjects().collect();
            self.lasts.retain(|number, _| goes_on.contains(number));
        }
        tier.open = Some(next);
        if let Some(before) = before {
            self.seal(level, &before);
        }
    }

    /// Compresses what was an open segment and folds it to rows of the next tier.
    fn seal(&mut self, level: usize, open: &Open) {
        let Some(tier) = self.tiers.get_mut(level).filter(|_| open.has_rows()) else { return };
        let segment = match open.seal(&self.layouts) {
            Ok(segment) => Arc::new(segment),
            Err(error) => return log::error!("compress a piece of history: {error}"),
        };
        tier.sealed.push_back(Arc::clone(&segment));
        let numbers = segment.members.iter().map(|member| member.subject);
        let subjects = numbers.filter_map(|number| Some((number, self.subjects.get(number)?.clone())));
        self.changes.sealed.push(Sealed {
            name: tier.name_of(&segment),
            step_ms: tier.step_ms,
            subjects: subjects.collect(),
            segment: Arc::clone(&segment),
        });
        self.fold_into(level + 1, &segment);
    }

    /// Appends what a segment of the next finer tier has to a tier, where it is later than what the tier has.
    fn fold_into(&mut self, level: usize, segment: &Segment) {
        let Some(tier) = self.tiers.get(level) else { return };
        let Some(steps) = tier.steps_of(segment) else { return };
        // All in one stretch: that of a finer segment lies in one of a coarser (`Resolutions`).
        let Some((begins_at, rows)) = tier.stretch_and_rows(&steps) else { return };
        self.turn_to(level, begins_at);
        let Some(tier) = self.tiers.get_mut(level) else { return };
        tier.append(segment, &rows, &self.layouts);
    }

    /// Forgets what is older than it is to be, and what is too much.
    fn forget(&mut self, now: i64) {
        for tier in &mut self.tiers {
            while let Some(old) = tier.pop_older_than(now) {
                self.changes.forgotten.push(tier.name_of(&old));
            }
        }
        let mut bytes = self.measured_bytes();
        let mut segments: usize = self.tiers.iter().map(|tier| tier.sealed.len()).sum();
        while bytes > self.limit || segments > MOST_SEGMENTS {
            let oldest = self.tiers.iter_mut().max_by(|a, b| a.age(now).total_cmp(&b.age(now)));
            let Some((tier, segment)) =
                oldest.and_then(|tier| tier.sealed.pop_front().map(|segment| (tier, segment)))
            else {
                let left = self.drop_largest_open(bytes);
                if left >= bytes {
                    break;
                }
                bytes = left;
                continue;
            };
            self.figures.dropped_rows_total += rows(&segment);
            self.changes.forgotten.push(tier.name_of(&segment));
            bytes = bytes.saturating_sub(segment.bytes());
            segments -= 1;
        }
        if !self.changes.forgotten.is_empty() {
            self.forget_subjects();
        }
        self.figures.bytes = bytes as u64;
        self.figures.subjects = self.subjects.len() as u64;
    }

    /// Empties the largest open segment: nothing else is left. What is left then.
    fn drop_largest_open(&mut self, bytes: usize) -> usize {
        let open = self.tiers.iter_mut().max_by_key(|tier| tier.open.as_ref().map_or(0, Open::bytes));
        let Some((tier, open)) = open.and_then(|tier| tier.open.take().map(|open| (tier, open))) else {
            return bytes;
        };
        self.figures.dropped_rows_total += (open.subjects().count() * open.times.len()) as u64;
        if tier.level == 0 {
            self.lasts.clear();
        }
        self.measured_bytes()
    }

    /// Forgets who is in no segment any more.
    fn forget_subjects(&mut self) {
        let there = self.tiers.iter().flat_map(Tier::subjects).collect();
        self.subjects.retain(&there);
    }

    fn measured_bytes(&self) -> usize {
        let lasts = self.lasts.values().map(|words| words.capacity() * size_of::<Option<u64>>());
        self.tiers.iter().map(Tier::bytes).sum::<usize>() + lasts.sum::<usize>() + self.subjects.bytes()
    }

    /// Makes what is open whole, at the end.
    pub fn finish(&mut self) {
        for level in 0..self.tiers.len() {
            if let Some(open) = self.tiers.get_mut(level).and_then(|tier| tier.open.take()) {
                self.seal(level, &open);
            }
        }
        self.lasts.clear();
    }

    /// What has become of segments since this was asked last.
    pub fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }

    /// What it counts of itself.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.figures
    }

    /// Everybody that anything is known of.
    pub fn subjects(&self) -> impl Iterator<Item = (Number, &Subject)> {
        self.subjects.iter()
    }

    /// One of them.
    #[must_use]
    pub fn subject(&self, number: Number) -> Option<&Subject> {
        self.subjects.get(number)
    }

    /// What is kept of subjects.
    #[must_use]
    pub fn layouts(&self) -> &Layouts {
        &self.layouts
    }

    /// When the last snapshot was that it has, in milliseconds since 1970.
    #[must_use]
    pub fn last_at(&self) -> Option<i64> {
        self.tiers.iter().filter_map(Tier::last_at).max()
    }
}

/// The rows of one snapshot.
struct Rows<'h> {
    row: usize,
    open: &'h mut Open,
    lasts: &'h mut HashMap<Number, Vec<Option<u64>>>,
    layouts: &'h Layouts,
}

impl Rows<'_> {
    fn put(&mut self, number: Number, words: &[Option<u64>], tallies: &[pack::Tally]) {
        self.put_at(self.row, number, words, tallies);
    }

    /// Counters of one that began to be counted since the row before grow from 0: these are put there.
    fn put_birth(&mut self, number: Number, words: &[Option<u64>]) {
        let epoch = words.get(EPOCH_COLUMN).copied().flatten();
        let known = self.lasts.get(&number).and_then(|last| last.get(EPOCH_COLUMN).copied().flatten());
        let Some(before) = self.row.checked_sub(1).filter(|before| self.open.is_time_known(*before)) else {
            return;
        };
        if known.is_some() && known == epoch {
            return;
        }
        let columns = words.iter().zip(self.layouts.measured.columns());
        let mut zeros: Vec<Option<u64>> = columns
            .map(|(word, column)| if column.kind == Kind::Counter { word.map(|_| 0) } else { None })
            .collect();
        zeros.get_mut(EPOCH_COLUMN).into_iter().for_each(|word| *word = epoch);
        self.put_at(before, number, &zeros, &[]);
    }

    fn put_at(&mut self, row: usize, number: Number, words: &[Option<u64>], tallies: &[pack::Tally]) {
        let before = self.lasts.entry(number).or_insert_with(|| vec![None; words.len()]);
        self.open.put(number, row, before, words, tallies, self.layouts);
    }
}

/// Rows of all subjects, about.
fn rows(segment: &Segment) -> u64 {
    (segment.members.len() * segment.times.len().saturating_sub(1)) as u64
}

fn epoch(counting_since: Timestamp) -> u64 {
    u64::try_from(counting_since.as_microsecond()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
