//! A table of slots ([`monitor_common::slots`]) as user space sees it.

use std::{io, os::fd::AsFd};

use aya::{Ebpf, Pod, maps::Map};
use monitor_common::{
    limits::{PROBES, WAYS},
    slots::{Geometry, set_of},
};

use super::{
    load::{LoadError, take_map},
    sys::SharedArray,
};
use crate::newtypes::CgroupId;

/// The id under which the shared slots' counters are kept: no cgroup has it.
pub(super) const OVERFLOW: CgroupId = CgroupId(0);

/// Slots of every CPU and the tags that say whose they are.
#[derive(Debug)]
pub(super) struct Table<T> {
    geometry: Geometry,
    /// The tags of every set, one after the other.
    tags: SharedArray<u64>,
    slots: SharedArray<T>,
}

impl<T: Pod + Default> Table<T> {
    /// Maps the two arrays of a table.
    pub(super) fn open(
        ebpf: &mut Ebpf,
        geometry: Geometry,
        tags: &'static str,
        slots: &'static str,
    ) -> Result<Self, LoadError> {
        Ok(Self {
            geometry,
            tags: share(ebpf, tags, geometry.tag_entries() * WAYS)?,
            slots: share(ebpf, slots, geometry.counter_entries())?,
        })
    }

    /// Every slot that is some cgroup's, and those that are shared, under [`OVERFLOW`]; each with its CPU.
    pub(super) fn occupied(&self) -> impl Iterator<Item = (CgroupId, u32, T)> + '_ {
        let geometry = self.geometry;
        let tags = self.tags.range(0..geometry.cpus * geometry.owned_slots);
        let owned = (0_u32..).zip(tags).filter(|(_, id)| *id != 0).map(move |(number, id)| {
            let cpu = number / geometry.owned_slots;
            (CgroupId(id), cpu, geometry.first_slot(cpu) + number % geometry.owned_slots)
        });
        let shared = (0..geometry.cpus)
            .map(move |cpu| (OVERFLOW, cpu, geometry.first_slot(cpu) + geometry.overflow_slot()));
        owned.chain(shared).filter_map(|(id, cpu, slot)| Some((id, cpu, self.slots.get(slot)?)))
    }

    /// Clears and frees the slots of a cgroup.
    pub(super) fn release(&self, id: CgroupId) {
        let cpus = 0..self.geometry.cpus;
        for (cpu, probe) in cpus.flat_map(|cpu| (0..PROBES).map(move |probe| (cpu, probe))) {
            let set = set_of(id.0, self.geometry.set_bits, probe);
            let first = (self.geometry.first_set(cpu) + set) * WAYS;
            for way in 0..WAYS {
                if self.tags.get(first + way) == Some(id.0) {
                    let slot = self.geometry.first_slot(cpu) + set * WAYS + way;
                    self.slots.set(slot, T::default());
                    // Last, and this word alone: the CPU may be claiming another one of the set.
                    self.tags.set(first + way, 0);
                }
            }
        }
    }
}

/// Maps an array that programs write to.
pub(super) fn share<T: Pod>(
    ebpf: &mut Ebpf,
    name: &'static str,
    entries: u32,
) -> Result<SharedArray<T>, LoadError> {
    let not_an_array = || io::Error::other("not an array");
    let failed = |source| LoadError::Map { name, source };
    match take_map(ebpf, name)? {
        Map::Array(data) => SharedArray::map(data.fd().as_fd(), entries).map_err(failed),
        _ => Err(failed(not_an_array())),
    }
}
