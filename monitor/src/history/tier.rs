//! One resolution: the segment that grows and those before it; and which resolutions there can be.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use super::{
    codes::widened,
    fold::{Fold, Walk},
    layout::{FOLDED, Layouts},
    pack::Tally,
    segment::{Number, Open, Segment},
};

/// Steps of a segment.
const STEPS: i64 = 60;
/// From this step on, two buckets of a distribution are one.
const WIDE_FROM_MS: i64 = 60_000;

/// A step, and for how long rows that far apart are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// Time from row to row.
    pub step: Duration,
    /// How long they are kept.
    pub span: Duration,
}

/// Resolutions from the finest to the coarsest: at least one, each step a multiple of the one before by a divisor of sixty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolutions(Vec<Resolution>);

/// Resolutions that cannot be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ResolutionError {
    /// None.
    #[error("names no resolution: give STEP=SPAN, as in 1s=10m,10s=2h,1m=24h")]
    None,
    /// Not a pair of durations.
    #[error("{0} is not STEP=SPAN, as in 10s=2h, in whole seconds")]
    Form(String),
    /// A step that does not fit the one before.
    #[error(
        "a step of {step} s behind one of {before} s: each must be a multiple of the one before by a divisor of 60, such as 10 or 6"
    )]
    Step {
        /// In seconds.
        step: u64,
        /// In seconds.
        before: u64,
    },
    /// A span that is shorter than what is kept at once, or than the one before.
    #[error(
        "{span} s is too short a span for steps of {step} s: at least 60 steps, and longer than the span before"
    )]
    Span {
        /// In seconds.
        span: u64,
        /// In seconds.
        step: u64,
    },
}

impl Resolutions {
    /// Checks them.
    pub fn new(resolutions: Vec<Resolution>) -> Result<Self, ResolutionError> {
        if resolutions.is_empty() {
            return Err(ResolutionError::None);
        }
        let mut before: Option<Resolution> = None;
        for one in &resolutions {
            let (step, span) = (one.step.as_secs(), one.span.as_secs());
            if let Some(before) = before.map(|before| before.step.as_secs()) {
                let factor = step.checked_div(before).unwrap_or_default();
                if factor < 2 || factor * before != step || 60 % factor != 0 {
                    return Err(ResolutionError::Step { step, before });
                }
            }
            if span < step.saturating_mul(60) || before.is_some_and(|before| before.span >= one.span) {
                return Err(ResolutionError::Span { span, step });
            }
            before = Some(*one);
        }
        Ok(Self(resolutions))
    }

    /// From the finest to the coarsest.
    pub fn iter(&self) -> impl Iterator<Item = &Resolution> {
        self.0.iter()
    }
}

impl FromStr for Resolution {
    type Err = ResolutionError;

    fn from_str(text: &str) -> Result<Self, ResolutionError> {
        let seconds = |text: &str| {
            let duration: jiff::SignedDuration = text.trim().parse().ok()?;
            let duration = Duration::try_from(duration).ok()?;
            (duration.subsec_nanos() == 0 && !duration.is_zero()).then_some(duration)
        };
        let pair = text.split_once('=').and_then(|(step, span)| Some((seconds(step)?, seconds(span)?)));
        let (step, span) = pair.ok_or_else(|| ResolutionError::Form(text.to_owned()))?;
        // The arithmetic is in milliseconds of 64 bits.
        if span > Duration::from_hours(24 * 3660) {
            return Err(ResolutionError::Form(text.to_owned()));
        }
        Ok(Self { step, span })
    }
}

/// The rows of one resolution.
#[derive(Debug)]
pub(super) struct Tier {
    /// 0 is the finest, which keeps every snapshot as it was.
    pub(super) level: usize,
    pub(super) step_ms: i64,
    pub(super) span_ms: i64,
    pub(super) sealed: VecDeque<Arc<Segment>>,
    pub(super) open: Option<Open>,
}

/// Which rows of a finer segment make up a row: the first one and when the last one was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    number: i64,
    first_row: usize,
    at: i64,
}

impl Tier {
    pub(super) fn new(level: usize, resolution: &Resolution) -> Self {
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self {
            level,
            step_ms: ms(resolution.step),
            span_ms: ms(resolution.span),
            sealed: VecDeque::new(),
            open: None,
        }
    }

    /// Lanes of a column.
    pub(super) fn stride(&self) -> usize {
        if self.level == 0 { 1 } else { FOLDED }
    }

    /// When the stretch of time of a segment begins that has this moment.
    pub(super) fn stretch_of(&self, at: i64) -> i64 {
        let length = self.step_ms * STEPS;
        at.div_euclid(length) * length
    }

    /// What tells a segment of this tier from others.
    pub(super) fn name_of(&self, segment: &Segment) -> String {
        format!("{}s-{}", self.step_ms / 1000, segment.first_at().unwrap_or_default())
    }

    /// When the first row was.
    pub(super) fn first_at(&self) -> Option<i64> {
        let open = || self.open.as_ref().and_then(|open| open.times.get(1).copied());
        self.sealed.front().and_then(|segment| segment.first_at()).or_else(open)
    }

    /// When the last row was.
    pub(super) fn last_at(&self) -> Option<i64> {
        let open = self.open.as_ref().filter(|open| open.has_rows());
        let sealed = || self.sealed.back().and_then(|segment| segment.last_at());
        open.and_then(|open| open.times.last().copied()).or_else(sealed)
    }

    /// How old the oldest segment is, as a share of how long it is to be kept.
    pub(super) fn age(&self, now: i64) -> f64 {
        let last = self.sealed.front().and_then(|segment| segment.last_at());
        last.map_or(f64::NEG_INFINITY, |last| (now - last) as f64 / self.span_ms as f64)
    }

    /// Takes the oldest segment out if it is too old.
    pub(super) fn pop_older_than(&mut self, now: i64) -> Option<Arc<Segment>> {
        let last = self.sealed.front()?.last_at().unwrap_or(i64::MIN);
        if last < now.saturating_sub(self.span_ms) { self.sealed.pop_front() } else { None }
    }

    pub(super) fn bytes(&self) -> usize {
        let sealed = self.sealed.iter().map(|segment| segment.bytes()).sum::<usize>();
        sealed + self.open.as_ref().map_or(0, Open::bytes)
    }

    pub(super) fn subjects(&self) -> BTreeSet<Number> {
        let sealed = self.sealed.iter().flat_map(|segment| segment.members.iter().map(|one| one.subject));
        sealed.chain(self.open.iter().flat_map(Open::subjects)).collect()
    }

    /// The steps that the rows of a finer segment make up, of those later than the last row here; `None` without any.
    pub(super) fn steps_of(&self, segment: &Segment) -> Option<Vec<Step>> {
        let after = self.last_at().unwrap_or(i64::MIN);
        let mut steps: Vec<Step> = Vec::new();
        for (row, at) in segment.times.iter().enumerate().skip(1).filter(|(_, at)| **at > after) {
            let number = at.div_euclid(self.step_ms);
            match steps.last_mut().filter(|step| step.number == number) {
                Some(step) => step.at = *at,
                None => steps.push(Step { number, first_row: row, at: *at }),
            }
        }
        (!steps.is_empty()).then_some(steps)
    }

    /// The stretch of time of the first of these steps, and those of them that are in it.
    pub(super) fn stretch_and_rows(&self, steps: &[Step]) -> Option<(i64, Vec<Step>)> {
        let begins_at = self.stretch_of(steps.first()?.at);
        let is_in = |step: &&Step| self.stretch_of(step.at) == begins_at;
        Some((begins_at, steps.iter().filter(is_in).copied().collect()))
    }

    /// Appends these steps of a finer segment to the open one.
    pub(super) fn append(&mut self, segment: &Segment, steps: &[Step], layouts: &Layouts) {
        let is_wide = self.step_ms >= WIDE_FROM_MS;
        let Some(open) = self.open.as_mut() else { return };
        let first_row = open.times.len();
        open.times.extend(steps.iter().map(|step| step.at));
        let stride = if segment.is_folded() { FOLDED } else { 1 };
        let mut reader = segment.reader();
        for member in &segment.members {
            let layout = layouts.of(member.subject);
            let Some(bytes) = reader.rows(member.subject) else { continue };
            let walk = Walk::new(bytes, layout, stride, &segment.times);
            let mut before = open.last(member.subject, layouts);
            for (step, folds, tallies) in Folded::new(walk, steps, is_wide) {
                let columns = folds.iter().zip(layout.columns()).zip(before.chunks(FOLDED));
                let words: Vec<Option<u64>> = columns
                    .flat_map(|((fold, column), before)| {
                        fold.words(column.kind, before.first().copied().flatten())
                    })
                    .collect();
                open.put(member.subject, first_row + step, &mut before, &words, &tallies, layouts);
            }
        }
    }
}

/// Folds the rows of a subject, step by step.
struct Folded<'a> {
    walk: Walk<'a>,
    steps: &'a [Step],
    is_wide: bool,
    /// The row that was reached: the step that it is in.
    reached: Option<usize>,
    folds: Vec<Fold>,
    tallies: BTreeMap<u64, u64>,
}

impl<'a> Folded<'a> {
    fn new(walk: Walk<'a>, steps: &'a [Step], is_wide: bool) -> Self {
        let folds = vec![Fold::default(); walk.columns()];
        let tallies = BTreeMap::new();
        let mut folded = Self { walk, steps, is_wide, reached: None, folds, tallies };
        folded.reached = folded.next_row();
        folded
    }

    /// Goes to the next row that is in a step, and says in which.
    fn next_row(&mut self) -> Option<usize> {
        loop {
            let (row, _) = self.walk.advance()?;
            let step = self.steps.partition_point(|step| step.first_row <= row).checked_sub(1);
            if step.is_some() {
                return step;
            }
            // Counters grow from there.
            for column in 0..self.folds.len() {
                self.walk.read(column);
            }
        }
    }

    fn take_row(&mut self) {
        for (column, fold) in self.folds.iter_mut().enumerate() {
            if let Some(reading) = self.walk.read(column) {
                fold.add(&reading);
            }
        }
        for (code, count) in self.walk.tallies() {
            let code = if self.is_wide { widened(*code) } else { *code };
            let sum = self.tallies.entry(code).or_default();
            *sum = sum.saturating_add(*count);
        }
    }
}

impl Iterator for Folded<'_> {
    type Item = (usize, Vec<Fold>, Vec<Tally>);

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.reached?;
        while self.reached == Some(step) {
            self.take_row();
            self.reached = self.next_row();
        }
        let folds = self.folds.iter_mut().map(std::mem::take).collect();
        Some((step, folds, std::mem::take(&mut self.tallies).into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolutions(text: &str) -> Result<Resolutions, ResolutionError> {
        let parsed: Result<Vec<Resolution>, _> = text.split(',').map(str::parse).collect();
        parsed.and_then(Resolutions::new)
    }

    #[test]
    fn resolutions_have_rules() {
        assert!(resolutions("1s=10m,10s=2h,1m=24h").is_ok());
        assert!(resolutions("1s=1m").is_ok());
        assert!(resolutions("5s=1h,1m=24h,1h=720h").is_ok_and(|all| all.iter().count() == 3));
        assert!(matches!(resolutions("1s=10m,7s=2h"), Err(ResolutionError::Step { step: 7, before: 1 })));
        assert!(matches!(resolutions("1s=10m,2m=2h"), Err(ResolutionError::Step { .. })));
        assert!(matches!(resolutions("10s=2h,1s=3h"), Err(ResolutionError::Step { .. })));
        assert!(matches!(resolutions("10s=1m"), Err(ResolutionError::Span { .. })));
        assert!(matches!(resolutions("1s=2h,10s=1h"), Err(ResolutionError::Span { .. })));
        for wrong in ["", "1s", "1s=", "500ms=10m", "0s=1h", "-1s=1h", "1s=99999999h", "x=y"] {
            assert!(matches!(resolutions(wrong), Err(ResolutionError::Form(_))), "{wrong}");
        }
        assert_eq!(Resolutions::new(Vec::new()), Err(ResolutionError::None));
    }
}
