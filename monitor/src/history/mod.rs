//! What was measured lately, in memory: every second of the last minutes, every ten seconds of the last hours, every minute of the
//! last day. Pure, compressed, and bounded in bytes.
//!
//! Values are handed over tick by tick, for each subject one row with a value a column. Each tier keeps one row a step: of
//! counters the last value, so that growth is exact over any stretch, of others the mean. Rows are packed in columns as they
//! come (`column`), sixty to a block. Where the blocks take more bytes than allowed, the oldest of the finest tier go first,
//! since the coarser ones have their time too.

mod column;
mod tier;

use std::{collections::BTreeMap, time::Duration};

pub use self::column::Kind;
use self::tier::Tier;

/// A step, and for how long rows that far apart are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// Time from row to row.
    pub step: Duration,
    /// How long they are kept.
    pub span: Duration,
}

/// Every second for ten minutes, every ten seconds for two hours, every minute for a day.
pub const USUAL: [Resolution; 3] = [
    Resolution { step: Duration::from_secs(1), span: Duration::from_mins(10) },
    Resolution { step: Duration::from_secs(10), span: Duration::from_hours(2) },
    Resolution { step: Duration::from_mins(1), span: Duration::from_hours(24) },
];

/// A value of a column; `None` was not measured.
pub type Value = Option<f64>;

/// A row that was kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When its step began, in seconds since the epoch.
    pub at: u64,
    /// Its value.
    pub value: Value,
}

/// The last values of subjects named by `K`.
pub struct History<K> {
    kinds: Vec<Kind>,
    resolutions: Vec<Resolution>,
    /// The most bytes that blocks may take.
    limit: usize,
    subjects: BTreeMap<K, Vec<Tier>>,
}

impl<K: Ord + Clone> History<K> {
    /// An empty history of rows with these columns, in tiers from the finest to the coarsest, of at most `limit` bytes.
    #[must_use]
    pub fn new(kinds: Vec<Kind>, resolutions: &[Resolution], limit: usize) -> Self {
        Self { kinds, resolutions: resolutions.to_vec(), limit, subjects: BTreeMap::new() }
    }

    /// Takes one row a subject, measured at `at`, in seconds since the epoch, and forgets what is too old or too much. A row of
    /// another length than there are columns is not taken.
    pub fn push<'r>(&mut self, at: u64, rows: impl IntoIterator<Item = (K, &'r [Value])>)
    where
        K: 'r,
    {
        for (subject, row) in rows {
            if row.len() != self.kinds.len() {
                continue;
            }
            let tiers = self.subjects.entry(subject).or_insert_with(|| {
                self.resolutions.iter().map(|resolution| Tier::new(*resolution)).collect()
            });
            for tier in tiers {
                tier.push(at, row, &self.kinds);
            }
        }
        for tiers in self.subjects.values_mut() {
            for tier in tiers {
                tier.forget_before(at, &self.kinds);
            }
        }
        self.subjects.retain(|_, tiers| tiers.iter().any(|tier| !tier.is_empty()));
        self.shrink();
    }

    /// The subjects that anything is known of.
    pub fn subjects(&self) -> impl Iterator<Item = &K> {
        self.subjects.keys()
    }

    /// The points of a subject's column from `from` to `to`, both in seconds since the epoch, no closer than `step`, from the finest
    /// tier that reaches back to `from`, else from the one that reaches back furthest.
    #[must_use]
    pub fn points(&self, subject: &K, column: usize, from: u64, to: u64, step: Duration) -> Vec<Point> {
        let (Some(tiers), Some(kind)) = (self.subjects.get(subject), self.kinds.get(column)) else {
            return Vec::new();
        };
        let coarse_enough = tiers.iter().filter(|tier| tier.step() >= step);
        let reaching = coarse_enough.clone().find(|tier| tier.begins_at().is_some_and(|at| at <= from));
        let furthest = coarse_enough.filter(|tier| !tier.is_empty()).min_by_key(|tier| tier.begins_at());
        let tier = reaching.or(furthest).or(tiers.last());
        let points = tier.map(|tier| tier.points(column, *kind)).unwrap_or_default();
        points.into_iter().filter(|point| (from..=to).contains(&point.at)).collect()
    }

    /// The bytes that all blocks take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.subjects.values().flatten().map(Tier::bytes).sum()
    }

    /// Forgets whole blocks until the rest is few enough bytes.
    fn shrink(&mut self) {
        let mut bytes = self.bytes();
        for level in 0..self.resolutions.len() {
            while bytes > self.limit {
                let tiers = self.subjects.values_mut().filter_map(|tiers| tiers.get_mut(level));
                let Some(oldest) = tiers.filter(|tier| tier.has_sealed()).min_by_key(|tier| tier.begins_at())
                else {
                    break;
                };
                bytes -= oldest.forget_oldest();
            }
        }
    }
}

#[cfg(test)]
mod tests;
