//! How long major faults took, by cgroup.

use aya::{
    Ebpf,
    maps::{Array, HashMap as KernelMap, MapData},
};
use monitor_common::faults::FaultTimes;

use super::{block::open, load::LoadError};
use crate::newtypes::CgroupId;

/// Reads the table of times, which is empty where none are taken.
pub(super) struct MajorFaults {
    times: KernelMap<MapData, u64, FaultTimes>,
    untimed: Array<MapData, u64>,
}

impl std::fmt::Debug for MajorFaults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MajorFaults").finish_non_exhaustive()
    }
}

impl MajorFaults {
    pub(super) fn open(ebpf: &mut Ebpf) -> Result<Self, LoadError> {
        Ok(Self { times: open(ebpf, "FAULT_TIMES")?, untimed: open(ebpf, "UNTIMED_FAULTS")? })
    }

    /// Each cgroup that had one, and how long they took.
    pub(super) fn occupied(&self) -> impl Iterator<Item = (CgroupId, FaultTimes)> {
        self.times.iter().filter_map(Result::ok).map(|(id, times)| (CgroupId(id), times))
    }

    /// Major faults that were not timed.
    pub(super) fn untimed(&self) -> u64 {
        self.untimed.get(&0, 0).unwrap_or_default()
    }

    /// Frees the entry of a removed cgroup, whose last counts have been taken.
    pub(super) fn release(&mut self, id: CgroupId) {
        // It fails only where the entry is not there.
        let _ = self.times.remove(&id.0);
    }
}

/// Adds how long another cgroup's faults took.
pub(super) fn add_faults(sum: &mut Option<Box<FaultTimes>>, other: &FaultTimes) {
    let FaultTimes { total_ns, max_ns, latency } = other;
    let sum = sum.get_or_insert_default();
    sum.total_ns += total_ns;
    sum.max_ns = sum.max_ns.max(*max_ns);
    for (sum, count) in sum.latency.iter_mut().zip(latency) {
        *sum += count;
    }
}
