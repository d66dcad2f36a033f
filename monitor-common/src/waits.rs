//! Whom waiting for a CPU is blamed on: each CPU's recent turns, and what was waited for whom.

use crate::limits::RECENT_TURNS;

/// A turn that a CPU gave.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// When it began, by the CPU's run-queue clock. 0 for an idle CPU, which nothing was waiting for before.
    pub began_ns: u64,
    /// Whose task had it: a cgroup id or [`IDLE`]; 0 where there was none yet.
    pub cgroup_id: u64,
}

/// The last turns of a CPU before the newest ([`CpuState::newest`](crate::counters::CpuState)), each of which lasted until
/// the next one began. Turns of one cgroup in a row are one.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// The last one is at `(count - 1) % RECENT_TURNS`.
    pub turns: [Turn; RECENT_TURNS as usize],
    /// Turns noted so far.
    pub count: u64,
}

/// What the tasks of a cgroup waited for on one CPU while another cgroup, or something else, kept them from it. Waits for
/// tasks of the same one are in its slot, and so are their preemptions.
///
/// Written by the `sched_switch` and `flush` programs of the owning CPU alone.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitPair {
    /// The cgroup id of those that waited; 0 where the entry is free.
    pub victim: u64,
    /// The cgroup id of those that ran meanwhile, or one of the numbers below.
    pub culprit: u64,
    /// Nanoseconds waited.
    pub wait_ns: u64,
    /// Waits that the culprit had a part in.
    pub waits: u64,
    /// Times that the victim had to leave the CPU for the culprit though it could have gone on.
    pub preemptions: u64,
    /// Reserved; fills the cache line.
    pub reserved: [u64; 3],
}

/// A culprit that is no cgroup: the victim's CPU quota, or an ancestor's, was used up.
pub const QUOTA: u64 = u64::MAX;
/// A culprit that is no cgroup: the CPU was idle and took its time to wake up.
pub const IDLE: u64 = u64::MAX - 1;
/// A culprit that is not known: the wait was on another CPU before a migration, or longer than the turns remembered.
pub const UNKNOWN: u64 = u64::MAX - 2;

/// When tasks of a cgroup were last kept from a CPU by a quota.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Throttle {
    /// How long that was in all, by the kernel's own count, plus 1; 0 before it was first looked at.
    pub known_ns: u64,
    /// When the last such time began, by the CPU's run-queue clock.
    pub from_ns: u64,
    /// When it was over.
    pub until_ns: u64,
}

impl Throttle {
    /// How much of a time lies within.
    #[inline(always)]
    #[must_use]
    pub fn overlap(&self, from_ns: u64, until_ns: u64) -> u64 {
        self.until_ns.min(until_ns).saturating_sub(self.from_ns.max(from_ns))
    }
}

const _: () = assert!(size_of::<WaitPair>() == 64, "one cache line");
const _: () = assert!(RECENT_TURNS.is_power_of_two());

/// Where the pair is looked for first, among the `pairs` (a power of two) of one CPU.
#[inline(always)]
#[must_use]
pub const fn pair_index(victim: u64, culprit: u64, pairs: u32) -> u32 {
    let mixed = (victim ^ culprit.rotate_left(32)).wrapping_mul(crate::slots::GOLDEN);
    (mixed >> 32) as u32 & (pairs - 1)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::limits::{PAIR_PROBES, WAIT_PAIRS};

    #[test]
    fn a_throttling_takes_its_part_of_a_wait() {
        let throttle = Throttle { from_ns: 100, until_ns: 200, ..Throttle::default() };
        let overlaps = [(0, 50), (50, 150), (120, 130), (150, 300), (50, 300), (200, 300)]
            .map(|(from_ns, until_ns)| throttle.overlap(from_ns, until_ns));
        assert_eq!(overlaps, [0, 50, 10, 50, 100, 0]);
    }

    #[test]
    fn a_quarter_of_the_pairs_find_room() {
        let mut taken: HashMap<u32, (u64, u64)> = HashMap::new();
        let neighbours = 32;
        for n in 0..u64::from(WAIT_PAIRS / 4) {
            let (victim, culprit) = (1000 + 37 * (n / neighbours), 1000 + 37 * (n % neighbours));
            let first = pair_index(victim, culprit, WAIT_PAIRS);
            let place =
                (0..PAIR_PROBES).map(|probe| (first + probe) % WAIT_PAIRS).find(|at| !taken.contains_key(at));
            taken.insert(place.unwrap_or_else(|| panic!("no room for pair {n}")), (victim, culprit));
        }
    }
}
