//! Requests to block devices by cgroup and device, as growth since they were read last.

use std::collections::HashMap;

use aya::{
    Ebpf,
    maps::{Array, HashMap as KernelMap, Map, MapData},
};
use monitor_common::{
    block::{BlockCounters, BlockKey, RequestTimes, Requests},
    histogram::BUCKETS,
};

use super::{
    load::{LoadError, take_map},
    queue::Queues,
};
use crate::newtypes::CgroupId;

/// What one cgroup did to one device since it was read last.
#[derive(Clone, Debug)]
pub struct Growth {
    /// The cgroup, in the block controller's hierarchy; 0 where a request named none.
    pub cgroup: CgroupId,
    /// The device ([`monitor_common::block::device`]).
    pub device: u32,
    /// What grew; the longest times are those since counting began.
    pub counters: Box<BlockCounters>,
}

/// Reads the table of requests.
pub struct Blocks {
    table: KernelMap<MapData, BlockKey, BlockCounters>,
    shared: Array<MapData, BlockCounters>,
    before: HashMap<BlockKey, Box<BlockCounters>>,
    /// Entries that have not grown lately.
    still: Vec<BlockKey>,
    /// Whom requests stood in line behind.
    pub queues: Queues,
}

impl std::fmt::Debug for Blocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blocks").field("before", &self.before.len()).finish_non_exhaustive()
    }
}

/// The entry of the shared counters that counts what found no room.
const OVERFLOW: u32 = 1;

impl Blocks {
    pub(super) fn open(ebpf: &mut Ebpf) -> Result<Self, LoadError> {
        Ok(Self {
            table: open(ebpf, "BLOCK")?,
            shared: open(ebpf, "BLOCK_SHARED")?,
            before: HashMap::new(),
            still: Vec::new(),
            queues: Queues::open(ebpf)?,
        })
    }

    /// Hands all that has grown since the last reading to `take`, which says whether it took it; what it did not comes
    /// again.
    pub fn read(&mut self, mut take: impl FnMut(&Growth) -> bool) {
        let keys: Vec<BlockKey> = self.table.keys().filter_map(Result::ok).collect();
        self.still.clear();
        for key in keys {
            let Ok(now) = self.table.get(&key, 0) else { continue };
            let cgroup = CgroupId(key.cgroup);
            if let Some(before) = self.before.get(&key)
                && **before == now
            {
                self.still.push(key);
                continue;
            }
            let counters = match self.before.get(&key) {
                Some(before) => since(&now, before),
                None => now,
            };
            if take(&Growth { cgroup, device: key.device, counters: Box::new(counters) }) {
                self.before.insert(key, Box::new(now));
            }
        }
    }

    /// Frees the entries of removed cgroups which stood still at the last reading: requests may be under way after the
    /// removal.
    pub fn release(&mut self, is_removed: impl Fn(CgroupId) -> bool) {
        for key in self.still.drain(..).filter(|key| is_removed(CgroupId(key.cgroup))) {
            // It fails only where the entry is not there.
            let _ = self.table.remove(&key);
            self.before.remove(&key);
        }
        self.queues.release(is_removed);
    }

    /// Requests of cgroups and devices that found no room in the table.
    #[must_use]
    pub fn overflowed(&self) -> u64 {
        let shared = self.shared.get(&OVERFLOW, 0).unwrap_or_default();
        shared.requests.iter().map(|requests| requests.operations).sum()
    }
}

pub(super) fn open<M: TryFrom<Map, Error = aya::maps::MapError>>(
    ebpf: &mut Ebpf,
    name: &'static str,
) -> Result<M, LoadError> {
    M::try_from(take_map(ebpf, name)?)
        .map_err(|error| LoadError::Map { name, source: std::io::Error::other(error) })
}

/// What grew from `before` to `now`.
fn since(now: &BlockCounters, before: &BlockCounters) -> BlockCounters {
    let mut growth = *now;
    for (growth, before) in growth.requests.iter_mut().zip(&before.requests) {
        let Requests { operations, bytes, total_ns, queue_ns, untimed } = *before;
        growth.operations = growth.operations.saturating_sub(operations);
        growth.bytes = growth.bytes.saturating_sub(bytes);
        growth.total_ns = growth.total_ns.saturating_sub(total_ns);
        growth.queue_ns = growth.queue_ns.saturating_sub(queue_ns);
        growth.untimed = growth.untimed.saturating_sub(untimed);
    }
    for (growth, before) in growth.times.iter_mut().zip(&before.times) {
        let RequestTimes { latency_max_ns: _, queue_max_ns: _, latency, queue } = before;
        subtract(&mut growth.latency, latency);
        subtract(&mut growth.queue, queue);
    }
    growth
}

fn subtract(counts: &mut [u32; BUCKETS], before: &[u32; BUCKETS]) {
    for (count, before) in counts.iter_mut().zip(before) {
        *count = count.wrapping_sub(*before);
    }
}

/// Adds requests of one kind to others.
pub fn add_requests(sum: &mut Requests, other: &Requests) {
    let Requests { operations, bytes, total_ns, queue_ns, untimed } = *other;
    sum.operations += operations;
    sum.bytes += bytes;
    sum.total_ns += total_ns;
    sum.queue_ns += queue_ns;
    sum.untimed += untimed;
}

/// Adds times of requests to others. The counts wrap.
pub fn add_times(sum: &mut RequestTimes, other: &RequestTimes) {
    let RequestTimes { latency_max_ns, queue_max_ns, latency, queue } = other;
    sum.latency_max_ns = sum.latency_max_ns.max(*latency_max_ns);
    sum.queue_max_ns = sum.queue_max_ns.max(*queue_max_ns);
    for (sum, count) in sum.latency.iter_mut().zip(latency) {
        *sum = sum.wrapping_add(*count);
    }
    for (sum, count) in sum.queue.iter_mut().zip(queue) {
        *sum = sum.wrapping_add(*count);
    }
}

#[cfg(test)]
mod tests {
    use monitor_common::block::{READ, WRITE};

    use super::*;

    fn counters(operations: u64, count: u32) -> BlockCounters {
        let mut counters = BlockCounters::default();
        let ns = operations * 100;
        counters.requests[WRITE] =
            Requests { operations, bytes: operations * 4096, total_ns: ns, queue_ns: ns / 2, untimed: 1 };
        counters.times[WRITE].latency[7] = count;
        counters.times[WRITE].latency_max_ns = ns;
        counters
    }

    #[test]
    fn growth_is_what_was_added_though_counts_wrap() {
        let growth = since(&counters(30, 2), &counters(10, u32::MAX));
        assert_eq!(
            growth.requests[WRITE],
            Requests { operations: 20, bytes: 20 * 4096, total_ns: 2000, queue_ns: 1000, untimed: 0 }
        );
        assert_eq!((growth.times[WRITE].latency[7], growth.times[WRITE].latency_max_ns), (3, 3000));
        assert_eq!(growth.requests[READ], Requests::default());
    }

    #[test]
    fn sums_have_the_longest_of_both() {
        let mut sum = counters(10, 4).times[WRITE];
        add_times(&mut sum, &counters(5, 3).times[WRITE]);
        assert_eq!((sum.latency[7], sum.latency_max_ns), (7, 1000));
    }
}
