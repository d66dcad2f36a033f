//! Maps → counters per cgroup, CPUs summed.

use std::{
    collections::{BTreeMap, HashMap},
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

use aya::Ebpf;
use monitor_common::{
    counters::{CpuState, Losses, Slot},
    limits::WAIT_PAIRS,
    net::NetSlot,
    slots::Geometry,
};

use super::{
    counters::{CgroupCounters, Changed, SchedTotals, Seen, add_net},
    faults::MajorFaults,
    load::LoadError,
    shortages::{Shortages, add_shortage},
    sockets::{Drops, Sockets},
    sys::{SharedArray, run_on_cpu},
    table::{OVERFLOW, Table, share},
    waits::Waits,
};
use crate::newtypes::CgroupId;

/// Reads the counters through shared memory.
#[derive(Debug)]
pub struct Reader {
    geometry: Geometry,
    slots: Table<Slot>,
    net: Table<NetSlot>,
    cpus: SharedArray<CpuState>,
    /// Who waited for whom.
    pub waits: Waits,
    shortages: Shortages,
    sockets: Sockets,
    faults: MajorFaults,
    flush: Option<OwnedFd>,
    seen: HashMap<CgroupId, Seen>,
    /// What cgroups whose slots were freed had counted.
    released: SchedTotals,
}

impl Reader {
    pub(super) fn open(
        ebpf: &mut Ebpf,
        geometry: Geometry,
        drop_reasons: &BTreeMap<u32, Arc<str>>,
    ) -> Result<Self, LoadError> {
        let flush = ebpf
            .program("flush")
            .and_then(|program| program.fd().ok())
            .and_then(|fd| fd.as_fd().try_clone_to_owned().ok());
        Ok(Self {
            geometry,
            slots: Table::open(ebpf, geometry, "TAGS", "SLOTS")?,
            net: Table::open(ebpf, geometry, "NET_TAGS", "NET")?,
            cpus: share(ebpf, "CPUS", geometry.cpus)?,
            waits: Waits::new(share(ebpf, "WAITS", geometry.cpus * WAIT_PAIRS)?, geometry.cpus * WAIT_PAIRS),
            shortages: Shortages::open(ebpf, geometry.cpus)?,
            sockets: Sockets::open(ebpf, drop_reasons)?,
            faults: MajorFaults::open(ebpf)?,
            flush,
            seen: HashMap::new(),
            released: SchedTotals::default(),
        })
    }

    /// The dimensions of the tables.
    #[must_use]
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Books what the running tasks have done so far, as of the scheduler's last tick on their CPU.
    ///
    /// Idle CPUs are left alone.
    pub fn flush_running(&self) {
        let Some(flush) = &self.flush else { return };
        for cpu in 0..self.geometry.cpus {
            if self.cpus.get(cpu).is_some_and(|state| state.running_tid != 0) {
                // An error means that the CPU has just gone offline, and its task with it.
                let _ = run_on_cpu(flush.as_fd(), cpu);
            }
        }
    }

    /// Whether [`Self::flush_running`] does anything.
    pub(super) fn can_flush(&self) -> bool {
        let Some(flush) = &self.flush else { return false };
        (0..self.geometry.cpus).any(|cpu| run_on_cpu(flush.as_fd(), cpu).is_ok())
    }

    /// Whether the tables that are read by system calls are to be read.
    pub(super) fn can_read_tables(&self) -> bool {
        self.sockets.can_be_read()
    }

    /// Notes which CPUs are busy as the programs are attached: nothing tells before their next switch.
    pub(super) fn note_running(&self) {
        let Some(flush) = &self.flush else { return };
        for cpu in 0..self.geometry.cpus {
            // An error means that the CPU is offline: there is nothing to note.
            let _ = run_on_cpu(flush.as_fd(), cpu);
        }
    }

    /// Brings every cgroup's counters up to date.
    pub fn read(&mut self) {
        for seen in self.seen.values_mut() {
            seen.begin();
        }
        for (id, cpu, slot) in self.slots.occupied() {
            self.seen.entry(id).or_default().add(cpu, &slot);
        }
        for (id, _, slot) in self.net.occupied() {
            add_net(&mut self.seen.entry(id).or_default().now.net, &slot);
        }
        for shortage in self.shortages.occupied() {
            let seen = self.seen.entry(CgroupId(shortage.cgroup_id)).or_default();
            add_shortage(&mut seen.now.shortage, &shortage);
        }
        self.seen.values_mut().for_each(Seen::finish);
        self.read_sockets();
        self.read_faults();
    }

    /// After the slots, which say where to look: what is there was written before what is in the slots.
    fn read_sockets(&mut self) {
        for (id, seen) in self.seen.iter_mut().filter(|(_, seen)| seen.changed.connections) {
            Arc::make_mut(&mut seen.counters).connections = self.sockets.connections(*id);
        }
        if self.seen.values().any(|seen| seen.changed.drops) {
            for (id, drops) in self.sockets.drops() {
                let counters = &mut self.seen.entry(id).or_default().counters;
                if counters.drops != drops {
                    Arc::make_mut(counters).drops = drops;
                }
            }
        }
    }

    fn read_faults(&mut self) {
        for (id, times) in self.faults.occupied() {
            let counters = &mut self.seen.entry(id).or_default().counters;
            if counters.faults.as_deref() != Some(&times) {
                Arc::make_mut(counters).faults = Some(Box::new(times));
            }
        }
    }

    /// Major faults that were not timed though they were to be.
    #[must_use]
    pub fn untimed_faults(&self) -> u64 {
        self.faults.untimed()
    }

    /// Packets that were thrown away and had no socket, by reason.
    #[must_use]
    pub fn ownerless_drops(&self) -> Drops {
        self.get(OVERFLOW).map(|shared| shared.drops.clone()).unwrap_or_default()
    }

    /// Connections whose times, and packets for whose reason to be thrown away there was no room in the tables.
    #[must_use]
    pub fn lost_of_sockets(&self) -> (u64, u64) {
        self.sockets.lost()
    }

    /// Each cgroup that has counted something, as of the last [`Self::read`], and what of that was new.
    pub fn cgroups(&self) -> impl Iterator<Item = (CgroupId, &Arc<CgroupCounters>, Changed)> {
        self.seen
            .iter()
            .filter(|(id, _)| **id != OVERFLOW)
            .map(|(id, seen)| (*id, &seen.counters, seen.changed))
    }

    /// One cgroup's counters as of the last [`Self::read`].
    #[must_use]
    pub fn get(&self, id: CgroupId) -> Option<&Arc<CgroupCounters>> {
        self.seen.get(&id).map(|seen| &seen.counters)
    }

    /// All that cgroups with slots of their own have counted, as of the last [`Self::read`], those included that were
    /// released since.
    #[must_use]
    pub fn total(&self) -> SchedTotals {
        let mut sum = self.released;
        self.cgroups().for_each(|(_, counters, _)| sum.add(&counters.sched));
        sum
    }

    /// Switches away from idle tasks since counting began, by the kernel's own count.
    #[must_use]
    pub fn idle_switches(&self) -> u64 {
        self.cpus
            .range(0..self.geometry.cpus)
            .map(|state| state.idle_switches.saturating_sub(state.idle_switches_before))
            .sum()
    }

    /// Switches of cgroups that found no slot of their own.
    #[must_use]
    pub fn overflowed_switches(&self) -> u64 {
        self.get(OVERFLOW)
            .map_or(0, |shared| shared.sched.voluntary_switches + shared.sched.involuntary_switches)
    }

    /// Packets of sockets whose cgroup found no slot of its own, or was not to be found.
    #[must_use]
    pub fn overflowed_packets(&self) -> u64 {
        self.get(OVERFLOW).map_or(0, |shared| shared.net.packets())
    }

    /// What was lost, all CPUs together.
    #[must_use]
    pub fn losses(&self) -> Losses {
        let mut sum = Losses::default();
        for state in self.cpus.range(0..self.geometry.cpus) {
            let Losses {
                slot_overflows,
                lifecycle_records,
                unknown_turns,
                hidden_tasks,
                unblamed_ns,
                unblamed_preemptions,
                shortages,
                reserved: _,
            } = state.losses;
            sum.slot_overflows += slot_overflows;
            sum.lifecycle_records += lifecycle_records;
            sum.unknown_turns += unknown_turns;
            sum.hidden_tasks += hidden_tasks;
            sum.unblamed_ns += unblamed_ns;
            sum.unblamed_preemptions += unblamed_preemptions;
            sum.shortages += shortages;
        }
        sum
    }

    /// Frees the slots of a removed cgroup, whose last counters have been taken.
    ///
    /// To be called only when no task can be left in it: a program that met the id again would claim a new slot.
    pub fn release(&mut self, id: CgroupId) {
        self.slots.release(id);
        self.net.release(id);
        self.shortages.release(id);
        self.sockets.release(id);
        self.faults.release(id);
        if let Some(seen) = self.seen.remove(&id) {
            self.released.add(&seen.counters.sched);
        }
    }
}
