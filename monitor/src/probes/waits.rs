//! The pairs of cgroups that waited for each other, CPUs summed, as growth since they were read last.

use std::collections::{HashMap, HashSet};

use monitor_common::waits::{IDLE, QUOTA, UNKNOWN, WaitPair};

use super::sys::SharedArray;
use crate::newtypes::CgroupId;

/// What kept tasks from a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Culprit {
    /// Tasks of this cgroup, which may be the victim itself.
    Cgroup(CgroupId),
    /// A quota of the victim's or of an ancestor's.
    Quota,
    /// The time that an idle CPU takes to wake up.
    Idle,
    /// It is not known: the wait was for another CPU before a migration, or longer than the turns remembered.
    Unknown,
}

impl Culprit {
    pub(super) fn of(number: u64) -> Self {
        match number {
            QUOTA => Self::Quota,
            IDLE => Self::Idle,
            UNKNOWN => Self::Unknown,
            id => Self::Cgroup(CgroupId(id)),
        }
    }
}

/// How much was waited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waited {
    /// Nanoseconds.
    pub wait_ns: u64,
    /// Waits that the culprit had a part in.
    pub waits: u64,
    /// Times that the victim had to leave the CPU for the culprit though it could have gone on.
    pub preemptions: u64,
}

impl Waited {
    /// Adds what was waited besides.
    pub fn add(&mut self, other: Self) {
        let Self { wait_ns, waits, preemptions } = other;
        self.wait_ns += wait_ns;
        self.waits += waits;
        self.preemptions += preemptions;
    }

    fn since(self, before: Self) -> Self {
        Self {
            wait_ns: self.wait_ns.saturating_sub(before.wait_ns),
            waits: self.waits.saturating_sub(before.waits),
            preemptions: self.preemptions.saturating_sub(before.preemptions),
        }
    }
}

/// Reads the pairs through shared memory.
#[derive(Debug)]
pub struct Waits {
    pairs: SharedArray<WaitPair>,
    entries: u32,
    /// What each occupied entry held when it was read last.
    before: HashMap<u32, Waited>,
}

impl Waits {
    pub(super) fn new(pairs: SharedArray<WaitPair>, entries: u32) -> Self {
        Self { pairs, entries, before: HashMap::new() }
    }

    /// Hands each pair that has grown since the last reading, once for each CPU, to `take`: victim, culprit, growth.
    pub fn read(&mut self, mut take: impl FnMut(CgroupId, Culprit, Waited)) {
        for (index, pair) in (0..).zip(self.pairs.range(0..self.entries)) {
            let WaitPair { victim, culprit, wait_ns, waits, preemptions, reserved: _ } = pair;
            if victim == 0 {
                continue;
            }
            let now = Waited { wait_ns, waits, preemptions };
            let before = self.before.insert(index, now).unwrap_or_default();
            if now != before {
                take(CgroupId(victim), Culprit::of(culprit), now.since(before));
            }
        }
    }

    /// Frees the pairs of removed cgroups, whose last growth has been taken, in one pass over the table.
    pub fn release(&mut self, removed: &HashSet<CgroupId>) {
        if removed.is_empty() {
            return;
        }
        for (index, pair) in (0..).zip(self.pairs.range(0..self.entries)) {
            if pair.victim != 0
                && [pair.victim, pair.culprit].iter().any(|id| removed.contains(&CgroupId(*id)))
            {
                // The counts first: once the victim is 0 the CPU may claim the entry.
                self.pairs.set(
                    index,
                    WaitPair { victim: pair.victim, culprit: pair.culprit, ..WaitPair::default() },
                );
                self.pairs.set_word(index, 0, 0);
                self.before.remove(&index);
            }
        }
    }
}
