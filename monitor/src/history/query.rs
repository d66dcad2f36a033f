//! Reading: which rows tell of a stretch of time best, and what they come to step by step.
//!
//! A [`View`] is taken quickly, while nothing may change, and read at leisure.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Culprit, Fold, History,
    codes::Counts,
    fold::Walk,
    layout::{FOLDED, Layout},
    segment::{HOST, Number, Segment},
    tier::Tier,
};

/// How far apart snapshots are taken to be where there is one at most, in milliseconds.
const USUAL_TICK_MS: i64 = 1000;

/// The steps that a stretch of time is told in. All times are milliseconds, since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// When the first step begins.
    pub begins_at: i64,
    /// The length of a step; not shorter than rows are apart.
    pub step_ms: i64,
    /// How many.
    pub steps: usize,
    /// The resolution that it is read from.
    level: usize,
}

/// Rows of a stretch of time, and the steps that they are to be told in.
pub struct View {
    /// The steps.
    pub grid: Grid,
    parts: Vec<Part>,
}

/// Rows of one segment.
struct Part {
    segment: Arc<Segment>,
    /// Those up to here are told by another part.
    after: i64,
}

/// What a subject's rows come to.
#[derive(Debug, Default)]
pub struct Found {
    /// Of each number asked for, step by step; empty where it was never measured.
    pub folds: Vec<Vec<Fold>>,
    /// Of each distribution asked for, step by step; empty where it was never measured, `None` where it was not in that step.
    pub counts: Vec<Vec<Option<Counts>>>,
}

/// What is kept of a resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Time from row to row.
    pub step_ms: i64,
    /// How long they are kept.
    pub span_ms: i64,
    /// When the first row was.
    pub first_at: Option<i64>,
    /// When the last row was.
    pub last_at: Option<i64>,
    /// Bytes that it takes.
    pub bytes: usize,
}

impl History {
    /// Resolutions from the finest to the coarsest.
    pub fn kept(&self) -> impl Iterator<Item = Kept> {
        self.tiers.iter().map(|tier| Kept {
            step_ms: tier.step_ms,
            span_ms: tier.span_ms,
            first_at: tier.first_at(),
            last_at: tier.last_at(),
            bytes: tier.bytes(),
        })
    }

    /// The least length of the steps that tell of this stretch of time, if they are to be at least so long, and where they begin.
    #[must_use]
    pub fn grid(&self, from: i64, to: i64, step_ms: i64) -> Grid {
        let tick_ms = self.tick_ms();
        let base = self.base(from, step_ms);
        let row_ms = base.map_or(USUAL_TICK_MS, |tier| if tier.level == 0 { tick_ms } else { tier.step_ms });
        let unit = base.filter(|tier| tier.level > 0).map_or(1000, |tier| tier.step_ms);
        let step_ms = step_ms.max(whole_seconds(row_ms)).saturating_add(unit - 1).div_euclid(unit) * unit;
        // Where a step has one snapshot, in its middle, so that none has two and the next none.
        let has_one = base.is_none_or(|tier| tier.level == 0) && step_ms < 2 * row_ms;
        let phase =
            self.last_at().filter(|_| has_one).map_or(0, |last| (last - step_ms / 2).rem_euclid(step_ms));
        let begins_at = (from - phase).div_euclid(step_ms) * step_ms + phase;
        let steps = usize::try_from((to - begins_at).div_euclid(step_ms) + 1).unwrap_or(0);
        Grid { begins_at, step_ms, steps, level: base.map_or(0, |tier| tier.level) }
    }

    /// The rows of these subjects, in the order of their numbers, in the steps of a [`History::grid`].
    #[must_use]
    pub fn view(&self, wanted: &[Number], grid: Grid) -> View {
        let (from, to) = (grid.begins_at, grid.ends_at());
        let mut parts = Vec::new();
        let mut after = from - 1;
        // What a coarser resolution does not have yet, the next finer one has.
        for tier in self.tiers.iter().take(grid.level + 1).rev() {
            let open = tier.open.iter().map(|open| Arc::new(open.copy(wanted, &self.layouts)));
            let is_in = |segment: &Arc<Segment>| {
                segment.last_at().is_some_and(|last| last > after)
                    && segment.first_at().is_some_and(|first| first < to)
            };
            let segments = tier.sealed.iter().map(Arc::clone).chain(open).filter(is_in);
            parts.extend(segments.map(|segment| Part { segment, after }));
            after = tier.last_at().unwrap_or(after).max(after);
        }
        View { grid, parts }
    }

    /// The coarsest resolution that is fine enough and reaches back far enough; else the finest one that does.
    fn base(&self, from: i64, step_ms: i64) -> Option<&Tier> {
        let coarse_enough = self.tiers.iter().rposition(|tier| tier.step_ms <= step_ms).unwrap_or(0);
        let tick_ms = self.tick_ms();
        // What is forgotten is forgotten to the tick.
        let reaches =
            |tier: &&Tier| tier.first_at().is_some_and(|first| first - 2 * tier.step_ms.max(tick_ms) <= from);
        let mut candidates = self.tiers.iter().skip(coarse_enough);
        let furthest = || {
            let known = self.tiers.iter().skip(coarse_enough).filter(|tier| tier.first_at().is_some());
            // Of those that begin in the same step the finest.
            known.min_by_key(|tier| tier.first_at().map(|first| first.div_euclid(60_000)))
        };
        candidates.find(reaches).or_else(furthest).or_else(|| self.tiers.first())
    }

    /// How far snapshots are apart.
    fn tick_ms(&self) -> i64 {
        let times = self.tiers.first().and_then(|tier| {
            let open = tier.open.as_ref().map(|open| open.times.as_slice()).filter(|times| times.len() > 2);
            open.or_else(|| tier.sealed.back().map(|segment| &*segment.times))
        });
        let rows = times.unwrap_or_default().get(1..).unwrap_or_default();
        let mut gaps: Vec<i64> =
            rows.windows(2).filter_map(|pair| Some(pair.last()? - pair.first()?)).collect();
        gaps.sort_unstable();
        gaps.get(gaps.len() / 2).copied().unwrap_or(USUAL_TICK_MS).max(1)
    }
}

/// The time between two snapshots: seconds even where they are not quite evenly apart.
fn whole_seconds(ms: i64) -> i64 {
    let nearest = (ms + 500) / 1000 * 1000;
    if nearest * 20 >= ms * 19 { nearest } else { nearest + 1000 }
}

impl Grid {
    fn ends_at(&self) -> i64 {
        let length = i64::try_from(self.steps).unwrap_or(i64::MAX).saturating_mul(self.step_ms);
        self.begins_at.saturating_add(length)
    }

    /// When each step begins.
    pub fn times(&self) -> impl Iterator<Item = i64> {
        (0..).take(self.steps).map(|step: i64| self.begins_at + step * self.step_ms)
    }

    /// The step of a row; `None` where it is in none of them.
    fn step_of(&self, at: i64) -> Option<usize> {
        let step = usize::try_from(at.checked_sub(self.begins_at)?.div_euclid(self.step_ms)).ok()?;
        (step < self.steps).then_some(step)
    }
}

impl View {
    /// What the rows of each of these subjects come to; the subjects are those of [`History::view`].
    #[must_use]
    pub fn read(&self, subjects: &[Number], numbers: &[String], distributions: &[String]) -> Vec<Found> {
        let mut found: Vec<Found> = subjects
            .iter()
            .map(|_| Found {
                folds: vec![Vec::new(); numbers.len()],
                counts: vec![Vec::new(); distributions.len()],
            })
            .collect();
        self.each_walk(subjects, |subject, layout, walk, after| {
            let Some(found) = found.get_mut(subject) else { return };
            let places = |names: &[String]| names.iter().map(|name| layout.place(name)).collect::<Vec<_>>();
            self.fold(walk, after, &places(numbers), &places(distributions), found);
        });
        found
    }

    /// How long each of these subjects waited for whom, in nanoseconds.
    #[must_use]
    pub fn waits(&self, subjects: &[Number]) -> Vec<BTreeMap<Culprit, u64>> {
        let mut waits = vec![BTreeMap::new(); subjects.len()];
        self.each_walk(subjects, |subject, _, mut walk, after| {
            let Some(waits) = waits.get_mut(subject) else { return };
            while let Some((row, at)) = walk.advance() {
                if row == 0 || at <= after || self.grid.step_of(at).is_none() {
                    continue;
                }
                for (code, waited) in walk.tallies() {
                    if let Some(culprit) = Culprit::of(*code) {
                        let sum: &mut u64 = waits.entry(culprit).or_default();
                        *sum = sum.saturating_add(*waited);
                    }
                }
            }
        });
        waits
    }

    /// The rows of each subject in each part: the subject's place, how its rows are laid out, the rows, and up to when they are
    /// told by another part.
    fn each_walk(&self, subjects: &[Number], mut take: impl FnMut(usize, &Layout, Walk<'_>, i64)) {
        for Part { segment, after } in &self.parts {
            let Some(layouts) = &segment.layouts else { continue };
            let stride = if segment.is_folded() { FOLDED } else { 1 };
            let mut reader = segment.reader();
            for (place, subject) in subjects.iter().enumerate() {
                let layout = layouts.of(*subject);
                let Some(bytes) = reader.rows(*subject) else { continue };
                take(place, layout, Walk::new(bytes, layout, stride, &segment.times), *after);
            }
        }
    }

    fn fold(
        &self,
        mut walk: Walk<'_>,
        after: i64,
        numbers: &[Option<usize>],
        distributions: &[Option<usize>],
        found: &mut Found,
    ) {
        while let Some((row, at)) = walk.advance() {
            let step = self.grid.step_of(at).filter(|_| row > 0 && at > after);
            for (column, folds) in numbers.iter().zip(&mut found.folds) {
                let Some(reading) = column.and_then(|column| walk.read(column)) else { continue };
                if let Some(step) = step {
                    folds.resize(self.grid.steps, Fold::default());
                    folds.get_mut(step).into_iter().for_each(|fold| fold.add(&reading));
                }
            }
            for (column, counts) in distributions.iter().zip(&mut found.counts) {
                let Some((column, step)) = column.zip(step) else { continue };
                if walk.read(column).is_none() {
                    continue;
                }
                counts.resize(self.grid.steps, None);
                if let Some(counts) = counts.get_mut(step) {
                    counts.get_or_insert_default().add(column, walk.tallies());
                }
            }
        }
    }
}

/// Whether a number is the machine's.
#[must_use]
pub fn is_host(number: Number) -> bool {
    number == HOST
}
