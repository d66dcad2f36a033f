//! How long the quota held series back in each period in which it ran out, as far as `cpu.stat` tells.
//!
//! No tracepoint tells of throttling. The file has two counters that move together when a period ends: periods that were
//! throttled, and the time. Their growth between two readings is a mean over the throttled periods in between, of which there
//! are at most ten a second with the usual period of 100 ms. That mean is what each of them counts with here.

use std::{collections::HashMap, sync::Arc};

use monitor_common::histogram::{BUCKETS, bucket};

use crate::{cgroup::CpuStats, newtypes::CgroupId};

/// The throttled periods of a series since it is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThrottledPeriods {
    /// How many of each length ([`monitor_common::histogram`]).
    pub counts: [u64; BUCKETS],
    /// The longest.
    pub longest_ns: u64,
}

impl Default for ThrottledPeriods {
    fn default() -> Self {
        Self { counts: [0; BUCKETS], longest_ns: 0 }
    }
}

#[derive(Debug)]
struct Row {
    /// Throttled periods, and throttled nanoseconds, up to which all are counted.
    known: (u64, u64),
    periods: Arc<ThrottledPeriods>,
}

/// The throttled periods of every series.
#[derive(Debug, Default)]
pub(super) struct ThrottleLedger {
    rows: HashMap<CgroupId, Row>,
    /// What most series have.
    none: Arc<ThrottledPeriods>,
}

impl ThrottleLedger {
    /// Takes a reading; what it says when a series is first met is from before, unless that `is_whole`: made while we count.
    pub(super) fn follow(
        &mut self,
        series: CgroupId,
        cpu: &CpuStats,
        is_whole: bool,
    ) -> Option<Arc<ThrottledPeriods>> {
        let (Some(periods), Some(ns)) = (cpu.throttled_periods, cpu.throttled_ns) else {
            return self.rows.get(&series).map(|row| Arc::clone(&row.periods));
        };
        let row = self.rows.entry(series).or_insert_with(|| Row {
            known: if is_whole { (0, 0) } else { (periods, ns) },
            periods: Arc::clone(&self.none),
        });
        row.advance(periods, ns);
        Some(Arc::clone(&row.periods))
    }

    /// Forgets a series.
    pub(super) fn forget(&mut self, series: CgroupId) {
        self.rows.remove(&series);
    }
}

impl Row {
    fn advance(&mut self, periods: u64, ns: u64) {
        let (Some(new_periods), Some(new_ns)) =
            (periods.checked_sub(self.known.0), ns.checked_sub(self.known.1))
        else {
            // The controller was taken away and came back.
            self.known = (periods, ns);
            return;
        };
        // One counter may be read before the other one has moved: then both wait for the next reading.
        if new_periods == 0 || new_ns == 0 {
            return;
        }
        let mean_ns = new_ns / new_periods;
        let counted = Arc::make_mut(&mut self.periods);
        if let Some(count) = counted.counts.get_mut(bucket(mean_ns)) {
            *count += new_periods;
        }
        counted.longest_ns = counted.longest_ns.max(mean_ns);
        self.known = (periods, ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERIES: CgroupId = CgroupId(7);

    fn cpu(periods: u64, ns: u64) -> CpuStats {
        CpuStats { throttled_periods: Some(periods), throttled_ns: Some(ns), ..CpuStats::default() }
    }

    fn count(periods: &ThrottledPeriods, ns: u64) -> u64 {
        periods.counts[bucket(ns)]
    }

    #[test]
    fn each_period_counts_with_the_mean_of_those_that_were_read_together() {
        let mut ledger = ThrottleLedger::default();
        ledger.follow(SERIES, &cpu(100, 5_000_000_000), false);
        ledger.follow(SERIES, &cpu(102, 5_160_000_000), false);
        let counted = ledger.follow(SERIES, &cpu(103, 5_170_000_000), false).unwrap();
        assert_eq!((count(&counted, 80_000_000), count(&counted, 10_000_000)), (2, 1));
        assert_eq!((counted.counts.iter().sum::<u64>(), counted.longest_ns), (3, 80_000_000));
    }

    #[test]
    fn what_was_before_is_left_out_but_of_a_cgroup_that_began_with_us() {
        let mut ledger = ThrottleLedger::default();
        let old = ledger.follow(SERIES, &cpu(5, 500_000_000), false).unwrap();
        let new = ledger.follow(CgroupId(8), &cpu(5, 500_000_000), true).unwrap();
        assert_eq!((old.counts.iter().sum::<u64>(), count(&new, 100_000_000)), (0, 5));
    }

    #[test]
    fn counters_that_do_not_move_together_wait_for_each_other() {
        let mut ledger = ThrottleLedger::default();
        for (periods, ns) in [(0, 0), (1, 0), (1, 70_000_000), (1, 80_000_000)] {
            ledger.follow(SERIES, &cpu(periods, ns), false);
        }
        let counted = ledger.follow(SERIES, &cpu(2, 130_000_000), false).unwrap();
        assert_eq!((count(&counted, 70_000_000), count(&counted, 60_000_000)), (1, 1));
        assert_eq!(counted.counts.iter().sum::<u64>(), 2);
    }

    #[test]
    fn without_a_quota_controller_there_is_nothing() {
        assert_eq!(ThrottleLedger::default().follow(SERIES, &CpuStats::default(), true), None);
    }
}
