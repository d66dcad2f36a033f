//! What a shortage of memory did to cgroups, as the maps hold it: an entry for each CPU.

use aya::Ebpf;
use monitor_common::{
    limits::{SHORTAGE_PROBES, SHORTAGES},
    memory::{Shortage, shortage_index},
};

use super::{load::LoadError, sys::SharedArray, table::share};
use crate::newtypes::CgroupId;

/// Reads the entries through shared memory.
#[derive(Debug)]
pub(super) struct Shortages {
    entries: SharedArray<Shortage>,
    cpus: u32,
}

impl Shortages {
    pub(super) fn open(ebpf: &mut Ebpf, cpus: u32) -> Result<Self, LoadError> {
        Ok(Self { entries: share(ebpf, "SHORTAGE", cpus * SHORTAGES)?, cpus })
    }

    /// Every entry that is some cgroup's.
    pub(super) fn occupied(&self) -> impl Iterator<Item = Shortage> + '_ {
        self.entries.range(0..self.cpus * SHORTAGES).filter(|entry| entry.cgroup_id != 0)
    }

    /// Frees the entries of a removed cgroup, whose last counts have been taken.
    pub(super) fn release(&self, id: CgroupId) {
        let first = shortage_index(id.0, SHORTAGES);
        for (cpu, probe) in (0..self.cpus).flat_map(|cpu| (0..SHORTAGE_PROBES).map(move |probe| (cpu, probe)))
        {
            let index = cpu * SHORTAGES + ((first + probe) & (SHORTAGES - 1));
            if self.entries.get(index).is_some_and(|entry| entry.cgroup_id == id.0) {
                // The counts first: once the id is 0 the CPU may claim the entry.
                self.entries.set(index, Shortage { cgroup_id: id.0, ..Shortage::default() });
                self.entries.set_word(index, 0, 0);
            }
        }
    }
}

/// Adds what another cgroup's tasks, or other CPUs, have counted.
pub(super) fn add_shortage(sum: &mut Shortage, other: &Shortage) {
    let Shortage {
        cgroup_id: _,
        direct_reclaims,
        direct_reclaim_ns,
        limit_reclaims,
        limit_reclaim_ns,
        oom_kills,
        reserved: _,
    } = *other;
    sum.direct_reclaims += direct_reclaims;
    sum.direct_reclaim_ns += direct_reclaim_ns;
    sum.limit_reclaims += limit_reclaims;
    sum.limit_reclaim_ns += limit_reclaim_ns;
    sum.oom_kills += oom_kills;
}
