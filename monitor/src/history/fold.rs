//! From rows to what a stretch of time comes to: of counters their growth, of others their mean, and the least and the greatest
//! of either.

use super::{
    layout::{EPOCH_COLUMN, FOLDED, Kind, Layout},
    pack::{Tally, Unpacker, real, real_word},
};

/// What a stretch of time comes to, of one column.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fold {
    /// The last word.
    last: Option<u64>,
    /// Of a counter: how much it grew, and in how many milliseconds.
    growth: u64,
    grew_ms: i64,
    /// Of others: the sum of the values.
    sum: f64,
    /// Values, or growths, that are in it.
    count: u32,
    least: f64,
    most: f64,
}

impl Fold {
    /// How much a counter grew; `None` of what is none, and where it is not known.
    #[must_use]
    pub fn growth(&self) -> Option<u64> {
        (self.count > 0 && self.grew_ms > 0).then_some(self.growth)
    }

    /// The mean: of a counter its growth a second.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| {
            if self.grew_ms > 0 {
                per_second(self.growth, self.grew_ms)
            } else {
                self.sum / f64::from(self.count)
            }
        })
    }

    /// The least: of a counter the least growth a second.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.least)
    }

    /// The greatest.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.most)
    }

    /// Takes what a row says.
    pub(super) fn add(&mut self, reading: &Reading) {
        self.last = Some(reading.last);
        let Some((least, most)) = reading.range else { return };
        let is_first = self.count == 0;
        self.least = if is_first { least } else { self.least.min(least) };
        self.most = if is_first { most } else { self.most.max(most) };
        self.count += 1;
        self.sum += reading.value;
        self.growth = self.growth.saturating_add(reading.growth);
        self.grew_ms = self.grew_ms.saturating_add(reading.grew_ms);
    }

    /// The words of a folded row behind one of the same segment whose first word is `before`. Of a counter that is how much it
    /// grew since the segment's beginning, as far as is known.
    pub(super) fn words(&self, kind: Kind, before: Option<u64>) -> [Option<u64>; FOLDED] {
        let rate = |rate: f64| (self.count > 0).then(|| real_word(rate)).flatten();
        match kind {
            Kind::Counter => {
                let sum = before.unwrap_or(0).wrapping_add(self.growth);
                [self.last.map(|_| sum), rate(self.least), rate(self.most)]
            }
            Kind::Ratio => [rate(self.mean().unwrap_or_default()), rate(self.least), rate(self.most)],
            Kind::Gauge | Kind::Limit => {
                let whole = |value: f64| (self.count > 0).then(|| whole(value));
                [rate(self.mean().unwrap_or_default()), whole(self.least), whole(self.most)]
            }
            Kind::Distribution => [self.last, None, None],
        }
    }
}

/// A value that came from a whole number.
#[expect(clippy::cast_possible_truncation, reason = "it came from a whole number")]
fn whole(value: f64) -> u64 {
    (value as i64).cast_unsigned()
}

fn per_second(growth: u64, ms: i64) -> f64 {
    growth as f64 * 1000.0 / ms as f64
}

/// What one row says of one column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    last: u64,
    /// Of a level.
    value: f64,
    /// Of a counter since the row before.
    growth: u64,
    grew_ms: i64,
    /// The least and the greatest; `None` of a counter whose growth is not known.
    range: Option<(f64, f64)>,
}

impl Reading {
    fn unknown(last: u64) -> Self {
        Self { last, value: 0.0, growth: 0, grew_ms: 0, range: None }
    }
}

/// Goes through the rows of one subject in one segment and remembers the row before each.
pub(super) struct Walk<'a> {
    unpacker: Unpacker<'a>,
    layout: &'a Layout,
    stride: usize,
    times: &'a [i64],
    /// Of each column the last known counter, and when that was.
    before: Vec<Option<(u64, i64)>>,
    epoch: Option<u64>,
    /// When this row was.
    at: i64,
    is_begun: bool,
    /// Over how long counters were seen to grow in this row, and up to it.
    covered_ms: i64,
    all_covered_ms: i64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(bytes: &'a [u8], layout: &'a Layout, stride: usize, times: &'a [i64]) -> Self {
        Self {
            unpacker: Unpacker::new(bytes, layout.forms(stride)),
            layout,
            stride,
            times,
            before: vec![None; layout.columns().len()],
            epoch: None,
            at: 0,
            is_begun: false,
            covered_ms: 0,
            all_covered_ms: 0,
        }
    }

    /// How many columns there are.
    pub(super) fn columns(&self) -> usize {
        self.before.len()
    }

    /// Goes to the next row: its number and when it was. What is read of a row is remembered for the next.
    pub(super) fn advance(&mut self) -> Option<(usize, i64)> {
        let row = self.unpacker.advance()?;
        let at = *self.times.get(row)?;
        let word = self.word(EPOCH_COLUMN * self.stride);
        if self.is_folded() {
            let all = word.and_then(|word| i64::try_from(word).ok()).unwrap_or(self.all_covered_ms);
            self.covered_ms = all.saturating_sub(self.all_covered_ms);
            self.all_covered_ms = all;
        } else {
            let goes_on = self.is_begun && word == self.epoch;
            if !goes_on {
                self.before.fill(None);
                self.epoch = word;
            }
            self.covered_ms = if goes_on { at.saturating_sub(self.at) } else { 0 };
        }
        self.is_begun = true;
        self.at = at;
        Some((row, at))
    }

    fn is_folded(&self) -> bool {
        self.stride == FOLDED
    }

    /// What the row says of a column; `None` where it was not measured. To be asked of every row for the columns that matter,
    /// since growth is from one asking to the next.
    pub(super) fn read(&mut self, column: usize) -> Option<Reading> {
        let kind = self.layout.columns().get(column)?.kind;
        let lane = column * self.stride;
        let last = self.word(lane)?;
        let reals = self.range(lane, real);
        let level = |value: f64, range: Option<(f64, f64)>| Reading {
            range: range.or(Some((value, value))),
            value,
            ..Reading::unknown(last)
        };
        match kind {
            Kind::Counter if self.is_folded() => Some(self.folded_counter(column, last, reals)),
            Kind::Counter if column == EPOCH_COLUMN => Some(self.coverage(last)),
            Kind::Counter => Some(self.counter(column, last)),
            Kind::Ratio => Some(level(real(last), reals)),
            Kind::Gauge | Kind::Limit if self.is_folded() => {
                Some(level(real(last), self.range(lane, signed)))
            }
            Kind::Gauge | Kind::Limit => Some(level(signed(last), None)),
            Kind::Distribution => Some(level(1.0, None)),
        }
    }

    /// The least and the greatest of a folded row.
    fn range(&self, lane: usize, value: fn(u64) -> f64) -> Option<(f64, f64)> {
        let (least, most) = self.word(lane + 1).zip(self.word(lane + 2)).filter(|_| self.is_folded())?;
        Some((value(least), value(most)))
    }

    fn counter(&mut self, column: usize, last: u64) -> Reading {
        let unknown = Reading::unknown(last);
        let Some(place) = self.before.get_mut(column) else { return unknown };
        let before = place.replace((last, self.at));
        let grown =
            before.and_then(|(before, then)| Some((last.checked_sub(before)?, self.at.checked_sub(then)?)));
        let Some((growth, grew_ms)) = grown.filter(|(_, ms)| *ms > 0) else { return unknown };
        let rate = per_second(growth, grew_ms);
        Reading { growth, grew_ms, range: Some((rate, rate)), ..unknown }
    }

    /// Of a folded row, which has the sum of all growth in its segment so far.
    fn folded_counter(&mut self, column: usize, sum: u64, range: Option<(f64, f64)>) -> Reading {
        let unknown = Reading::unknown(sum);
        let Some(place) = self.before.get_mut(column) else { return unknown };
        let (before, _) = place.replace((sum, self.at)).unwrap_or_default();
        Reading { growth: sum.wrapping_sub(before), grew_ms: self.covered_ms, range, ..unknown }
    }

    /// How long counters were seen to grow, as if that were a counter itself.
    fn coverage(&self, epoch: u64) -> Reading {
        let rate = 1000.0;
        Reading {
            growth: self.covered_ms.unsigned_abs(),
            grew_ms: self.covered_ms,
            range: (self.covered_ms > 0).then_some((rate, rate)),
            ..Reading::unknown(epoch)
        }
    }

    /// How often each duration was seen, and whom was waited for.
    pub(super) fn tallies(&self) -> &[Tally] {
        &self.unpacker.tallies
    }

    fn word(&self, lane: usize) -> Option<u64> {
        self.unpacker.words.get(lane).copied().flatten()
    }
}

/// A gauge, or a limit, which can be -1.
fn signed(word: u64) -> f64 {
    word.cast_signed() as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::history::{layout::Column, pack::pack};

    fn layout() -> Layout {
        let column = |name: &str, kind| Column { name: name.to_owned(), kind, unit: "" };
        Layout::new(vec![
            column("epoch", Kind::Gauge),
            column("counter", Kind::Counter),
            column("limit", Kind::Limit),
        ])
    }

    /// Folds rows of an epoch, a counter and a limit, the first of which is only what came before.
    fn folded(rows: &[[Option<u64>; 3]]) -> (Fold, Fold) {
        let layout = layout();
        let (mut bytes, mut before) = (Vec::new(), vec![None; 3]);
        let mut times = Vec::new();
        for (row, words) in rows.iter().enumerate() {
            pack(&mut bytes, layout.forms(1), &mut before, u64::from(row > 0), words, &[]);
            times.push(i64::try_from(row).unwrap() * 500);
        }
        let mut walk = Walk::new(&bytes, &layout, 1, &times);
        let (mut counter, mut limit) = (Fold::default(), Fold::default());
        while let Some((row, _)) = walk.advance() {
            let readings = (walk.read(1), walk.read(2));
            if row > 0 {
                readings.0.inspect(|reading| counter.add(reading));
                readings.1.inspect(|reading| limit.add(reading));
            }
        }
        (counter, limit)
    }

    #[test]
    fn counters_grow_and_levels_are_averaged() {
        let none = Some(u64::MAX);
        let rows = [[Some(1), Some(10), none], [Some(1), Some(20), none], [Some(1), Some(25), Some(3)]];
        let (counter, limit) = folded(&rows);
        assert_eq!((counter.growth(), counter.mean()), (Some(15), Some(15.0)));
        assert_eq!((counter.min(), counter.max()), (Some(10.0), Some(20.0)));
        assert_eq!((limit.mean(), limit.min(), limit.max()), (Some(1.0), Some(-1.0), Some(3.0)));
        assert_eq!(limit.growth(), None);
    }

    #[test]
    fn another_count_and_one_that_goes_back_have_no_growth() {
        for rows in [
            [[Some(1), Some(10), None], [Some(2), Some(20), None]],
            [[Some(1), Some(10), None], [Some(1), Some(9), None]],
            [[Some(1), None, None], [Some(1), Some(9), None]],
        ] {
            let (counter, limit) = folded(&rows);
            assert_eq!((counter.growth(), counter.mean(), counter.max()), (None, None, None), "{rows:?}");
            assert_eq!(limit.mean(), None);
        }
    }

    #[test]
    fn growth_over_a_gap_is_not_lost() {
        let rows = [[Some(1), Some(10), None], [Some(1), None, None], [Some(1), Some(30), None]];
        assert_eq!(folded(&rows).0.growth(), Some(20));
    }

    proptest! {
        #[test]
        fn a_mean_lies_between_the_least_and_the_greatest(
            rows in proptest::collection::vec((0_u64..3, proptest::option::of(0_u64..1 << 50), any::<u32>()), 1..20),
        ) {
            let rows: Vec<_> = rows.iter().map(|(epoch, counter, limit)| {
                [Some(*epoch), *counter, Some(u64::from(*limit))]
            }).collect();
            let (counter, limit) = folded(&rows);
            for fold in [counter, limit] {
                let Some(mean) = fold.mean() else { continue };
                let (least, most) = (fold.min().unwrap(), fold.max().unwrap());
                let rounding = most.abs() * 1e-9;
                prop_assert!(0.0 <= least && least <= mean + rounding && mean <= most + rounding, "{fold:?}");
            }
        }

        #[test]
        fn growth_is_how_much_a_counter_grew_while_it_did(
            growths in proptest::collection::vec(proptest::option::of(0_u64..1 << 50), 1..20),
        ) {
            // Where it was not measured, it grew all the same.
            let mut total = 0;
            let mut rows: Vec<_> = growths.iter().map(|growth| {
                total += growth.unwrap_or(5);
                [Some(1), growth.map(|_| total), None]
            }).collect();
            rows.insert(0, [Some(1), Some(0), None]);
            let last = rows.iter().rev().find_map(|[_, counter, _]| *counter);
            let has_grown = rows.iter().skip(1).any(|[_, counter, _]| counter.is_some());
            prop_assert_eq!(folded(&rows).0.growth(), last.filter(|_| has_grown));
        }
    }
}
