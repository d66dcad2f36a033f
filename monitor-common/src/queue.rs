//! Whom requests to a block device stood in line behind: each device's latest completions, and what was waited for whom.
//!
//! What a device did between two completions it did for the second one. So the time of a request, from its beginning to the
//! completion before its own, is split over the completions that lie within; what comes after is its own. Nothing has to be
//! noted when requests are made or issued, since a completed request tells when it began.

use crate::waits::UNKNOWN;

/// Runs of completions that are remembered of each device, a power of two. Of a request that saw more, the first part of
/// its time is blamed on no one.
pub const RECENT_RUNS: usize = 16;

/// Devices whose completions are remembered.
pub const QUEUED_DEVICES: u32 = 256;

/// Pairs of cgroups that waited for each other's requests.
pub const QUEUE_PAIRS: u32 = 4096;

/// Place among what was lost of nanoseconds that found no pair.
pub const LOST_NS: u32 = 0;
/// Of completions of devices that found no entry.
pub const LOST_COMPLETIONS: u32 = 1;

/// Completions in a row of one cgroup's requests.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Its number; each one's is one more than the one's before. Of two that begin at the same moment on two CPUs one is lost, and
    /// its place still has the number of an older one.
    pub number: u64,
    /// Whose requests.
    pub cgroup: u64,
    /// When the last of them completed, in nanoseconds of `CLOCK_MONOTONIC`.
    pub until_ns: u64,
    /// Reserved; makes two of them a cache line.
    pub reserved: u64,
}

/// The last completions of a device. Run `n` is at `n % RECENT_RUNS`.
///
/// Shared by the CPUs without a lock: completions at the same moment are as good as one.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceQueue {
    /// The number of the newest run.
    pub newest: u64,
    /// Reserved; keeps each run in one cache line.
    pub reserved: [u64; 3],
    /// The runs.
    pub runs: [Run; RECENT_RUNS],
}

impl DeviceQueue {
    /// Splits the time of a request that began at `begun_ns` and is complete now, as far as it waited for other completions:
    /// hands `part` cgroups and nanoseconds.
    #[inline(always)]
    pub fn split(&self, begun_ns: u64, now_ns: u64, mut part: impl FnMut(u64, u64)) {
        // The run whose beginning is looked for.
        let (mut culprit, mut until_ns) = (UNKNOWN, begun_ns);
        let mut back = 0;
        while back < RECENT_RUNS {
            let number = self.newest.wrapping_sub(back as u64);
            let run = self.runs[place(number)];
            back += 1;
            if run.number != number {
                continue;
            }
            let from_ns = if run.until_ns > begun_ns { run.until_ns } else { begun_ns };
            part(culprit, until_ns.saturating_sub(from_ns));
            // Another CPU may have noted one that completed after this one.
            (culprit, until_ns) = (run.cgroup, if run.until_ns < now_ns { run.until_ns } else { now_ns });
            if until_ns <= begun_ns {
                return;
            }
        }
        // More runs than are remembered: of the oldest one it is not known when it began.
        part(UNKNOWN, until_ns.saturating_sub(begun_ns));
    }

    /// Notes a completion; whether a run begins with it, so that [`newest`](Self::newest) is one more.
    #[inline(always)]
    pub fn note(&mut self, cgroup: u64, now_ns: u64) -> bool {
        let newest = &mut self.runs[place(self.newest)];
        if newest.number == self.newest && newest.cgroup == cgroup {
            if newest.until_ns < now_ns {
                newest.until_ns = now_ns;
            }
            return false;
        }
        let number = self.newest.wrapping_add(1);
        self.runs[place(number)] = Run { number, cgroup, until_ns: now_ns, reserved: 0 };
        true
    }
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "what is left is less than the number of runs")]
const fn place(number: u64) -> usize {
    (number & (RECENT_RUNS as u64 - 1)) as usize
}

/// Whose requests waited, and whose the device completed meanwhile.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct QueuePair {
    /// Cgroup id in the block controller's hierarchy.
    pub victim: u64,
    /// The same, or [`UNKNOWN`].
    pub culprit: u64,
}

/// How much.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueWaits {
    /// Nanoseconds, of all requests together.
    pub wait_ns: u64,
    /// Requests that waited; where several others were ahead in turns, one may count more than once.
    pub waits: u64,
}

const _: () = assert!(size_of::<Run>() == 32, "no padding");
const _: () = assert!(size_of::<DeviceQueue>() == 32 * (RECENT_RUNS + 1), "no padding");
const _: () = assert!(size_of::<QueuePair>() == 16 && size_of::<QueueWaits>() == 16, "no padding");
const _: () = assert!(RECENT_RUNS.is_power_of_two());

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Requests in the order of their completion: cgroup, beginning, completion.
    fn waits(requests: &[(u64, u64, u64)]) -> BTreeMap<(u64, u64), u64> {
        let mut queue = DeviceQueue::default();
        let mut waits = BTreeMap::new();
        for &(cgroup, begun_ns, now_ns) in requests {
            queue.split(begun_ns, now_ns, |culprit, ns| {
                if ns > 0 {
                    *waits.entry((cgroup, culprit)).or_default() += ns;
                }
            });
            if queue.note(cgroup, now_ns) {
                queue.newest += 1;
            }
        }
        waits
    }

    const A: u64 = 7;
    const B: u64 = 9;

    #[test]
    fn alone_nobody_waits() {
        assert_eq!(waits(&[(A, 100, 200), (B, 300, 400), (A, 400, 500)]), BTreeMap::new());
    }

    #[test]
    fn a_request_waits_for_those_that_complete_before_it() {
        // A's stands behind three of B's, of which the first had begun before it.
        let requests = [(B, 100, 200), (B, 110, 300), (B, 120, 400), (A, 150, 500)];
        let expected = BTreeMap::from([((B, B), 90 + 80 + 100), ((A, B), 250)]);
        assert_eq!(waits(&requests), expected);
    }

    #[test]
    fn a_time_is_split_over_the_runs_that_it_overlaps() {
        let requests = [(A, 100, 200), (B, 100, 300), (A, 100, 400), (B, 100, 500)];
        let waited = waits(&requests);
        assert_eq!(waited[&(B, A)], 100 + 100 + 100);
        assert_eq!((waited[&(A, A)], waited[&(A, B)], waited[&(B, B)]), (100, 100, 100));
    }

    #[test]
    fn the_parts_add_up_to_the_time_before_the_last_completion() {
        let requests: Vec<(u64, u64, u64)> = (0..200).map(|n| (n % 3, 1 + n * 10, 500 + n * 10)).collect();
        let total: u64 = waits(&requests).values().sum();
        let expected: u64 =
            requests.iter().skip(1).map(|(_, begun, done)| (done - 10).saturating_sub(*begun)).sum();
        assert_eq!(total, expected);
    }

    #[test]
    fn what_is_older_than_what_is_remembered_is_not_known() {
        let mut requests: Vec<(u64, u64, u64)> = (1..=50).map(|n| (n % 2, n * 100 - 10, n * 100)).collect();
        requests.push((A, 1000, 6000));
        let waited = waits(&requests);
        let remembered = 100 * (RECENT_RUNS as u64 - 1);
        assert_eq!(waited[&(A, 0)] + waited[&(A, 1)], remembered);
        assert_eq!(waited[&(A, UNKNOWN)], 4000 - remembered);
    }

    #[test]
    fn a_number_that_is_nobody_s_is_passed_over() {
        let mut queue = DeviceQueue::default();
        for (cgroup, now_ns) in [(A, 100), (B, 200)] {
            assert!(queue.note(cgroup, now_ns));
            queue.newest += 1;
        }
        // Two CPUs began a run at once: the second one overwrote the first.
        assert!(queue.note(A, 300));
        queue.newest += 2;
        let mut parts = Vec::new();
        queue.split(150, 400, |culprit, ns| parts.push((culprit, ns)));
        parts.retain(|(_, ns)| *ns > 0);
        assert_eq!(parts, [(A, 100), (B, 50)]);
        assert!(queue.note(A, 500), "the newest is nobody's");
    }
}
