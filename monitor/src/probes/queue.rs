//! Whom requests to block devices stood in line behind, as growth since it was read last.

use std::collections::HashMap;

use aya::{
    Ebpf,
    maps::{Array, HashMap as KernelMap, MapData},
};
use monitor_common::{
    queue::{LOST_COMPLETIONS, LOST_NS, QueuePair, QueueWaits},
    waits::UNKNOWN,
};

use super::{
    block::open,
    load::LoadError,
    waits::{Culprit, Waited},
};
use crate::newtypes::CgroupId;

/// Reads the table of who waited for whom.
pub struct Queues {
    pairs: KernelMap<MapData, QueuePair, QueueWaits>,
    lost: Array<MapData, u64>,
    before: HashMap<QueuePair, QueueWaits>,
    /// Pairs that have not grown lately.
    still: Vec<QueuePair>,
}

impl Queues {
    pub(super) fn open(ebpf: &mut Ebpf) -> Result<Self, LoadError> {
        Ok(Self {
            pairs: open(ebpf, "QUEUE_WAITS")?,
            lost: open(ebpf, "QUEUE_LOST")?,
            before: HashMap::new(),
            still: Vec::new(),
        })
    }

    /// Hands each pair that has grown to `take`: victim and culprit, by their cgroups in the block controller's hierarchy,
    /// and the growth.
    pub fn read(&mut self, mut take: impl FnMut(CgroupId, Culprit, Waited)) {
        self.still.clear();
        let pairs: Vec<QueuePair> = self.pairs.keys().filter_map(Result::ok).collect();
        for pair in pairs {
            let Ok(now) = self.pairs.get(&pair, 0) else { continue };
            let before = self.before.insert(pair, now).unwrap_or_default();
            if now == before {
                self.still.push(pair);
                continue;
            }
            let QueueWaits { wait_ns, waits } = now;
            let waited = Waited {
                wait_ns: wait_ns.saturating_sub(before.wait_ns),
                waits: waits.saturating_sub(before.waits),
                preemptions: 0,
            };
            take(CgroupId(pair.victim), Culprit::of(pair.culprit), waited);
        }
    }

    /// Frees the pairs of removed cgroups which stood still at the last reading.
    pub(super) fn release(&mut self, is_removed: impl Fn(CgroupId) -> bool) {
        // What is no cgroup's is never removed.
        let is_gone = |id: u64| id != 0 && id != UNKNOWN && is_removed(CgroupId(id));
        let is_removed = |pair: &QueuePair| is_gone(pair.victim) || is_gone(pair.culprit);
        for pair in self.still.drain(..).filter(is_removed) {
            // It fails only where the entry is not there.
            let _ = self.pairs.remove(&pair);
            self.before.remove(&pair);
        }
    }

    /// Nanoseconds that found no room in the table.
    #[must_use]
    pub fn lost_ns(&self) -> u64 {
        self.lost.get(&LOST_NS, 0).unwrap_or_default()
    }

    /// Completions of devices that found none in theirs.
    #[must_use]
    pub fn lost_completions(&self) -> u64 {
        self.lost.get(&LOST_COMPLETIONS, 0).unwrap_or_default()
    }
}
