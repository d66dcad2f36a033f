//! Maps → counters per cgroup, CPUs summed.

use std::{
    collections::HashMap,
    io,
    os::fd::{AsFd, OwnedFd},
};

use aya::{Ebpf, Pod, maps::Map};
use monitor_common::{
    counters::{CpuState, Losses, SchedCounters, Slot, TaskCounters},
    histogram::{BUCKETS, Histogram},
    limits::{PROBES, WAIT_PAIRS, WAYS},
    slots::{Geometry, set_of},
};

use super::{
    load::{LoadError, take_map},
    sys::{SharedArray, run_on_cpu},
    waits::Waits,
};
use crate::newtypes::CgroupId;

/// What the probes have counted for one cgroup's own tasks since they were attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CgroupCounters {
    /// Scheduler counters.
    pub sched: SchedCounters,
    /// Counters of rarer events.
    pub tasks: TaskCounters,
    /// Run-queue latency.
    pub runq: [u64; BUCKETS],
}

impl Default for CgroupCounters {
    fn default() -> Self {
        Self { sched: SchedCounters::default(), tasks: TaskCounters::default(), runq: [0; BUCKETS] }
    }
}

impl CgroupCounters {
    /// Adds what another cgroup's tasks, or other CPUs, have counted.
    pub fn add(&mut self, other: &Self) {
        let Self { sched, tasks, runq } = other;
        add_sched(&mut self.sched, sched);
        add_tasks(&mut self.tasks, tasks);
        for (sum, count) in self.runq.iter_mut().zip(runq) {
            *sum += count;
        }
    }
}

fn add_sched(sum: &mut SchedCounters, other: &SchedCounters) {
    let SchedCounters {
        voluntary_switches,
        involuntary_switches,
        on_cpu_ns,
        runq_wait_ns,
        runq_wait_max_ns,
        migrations,
        minor_faults,
        major_faults,
    } = *other;
    sum.voluntary_switches += voluntary_switches;
    sum.involuntary_switches += involuntary_switches;
    sum.on_cpu_ns += on_cpu_ns;
    sum.runq_wait_ns += runq_wait_ns;
    sum.runq_wait_max_ns = sum.runq_wait_max_ns.max(runq_wait_max_ns);
    sum.migrations += migrations;
    sum.minor_faults += minor_faults;
    sum.major_faults += major_faults;
}

fn add_tasks(sum: &mut TaskCounters, other: &TaskCounters) {
    let TaskCounters { user_fault_exceptions, kernel_fault_exceptions, execs, exits } = *other;
    sum.user_fault_exceptions += user_fault_exceptions;
    sum.kernel_fault_exceptions += kernel_fault_exceptions;
    sum.execs += execs;
    sum.exits += exits;
}

/// What was read of one cgroup.
#[derive(Debug, Default)]
struct Seen {
    /// This tick's sums.
    now: Sums,
    /// The last tick's sums.
    before: Sums,
    counters: CgroupCounters,
    changed: bool,
}

/// A cgroup's slots added up, as the maps hold them: the histogram's counts wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    sched: SchedCounters,
    tasks: TaskCounters,
    runq: Histogram,
}

impl Seen {
    fn add(&mut self, slot: &Slot) {
        let Slot { sched, tasks, throttle: _, runq_latency } = slot;
        add_sched(&mut self.now.sched, sched);
        add_tasks(&mut self.now.tasks, tasks);
        for (sum, count) in self.now.runq.0.iter_mut().zip(runq_latency.0) {
            *sum = sum.wrapping_add(count);
        }
    }

    /// Brings the counters up to this tick's sums.
    fn finish(&mut self) {
        self.changed = self.now != self.before;
        if self.changed {
            let Sums { sched, tasks, runq } = self.now;
            self.counters.sched = sched;
            self.counters.tasks = tasks;
            for ((total, now), before) in self.counters.runq.iter_mut().zip(runq.0).zip(self.before.runq.0) {
                *total += u64::from(now.wrapping_sub(before));
            }
            self.before = self.now;
        }
    }
}

/// Reads the counters through shared memory.
#[derive(Debug)]
pub struct Reader {
    geometry: Geometry,
    /// The tags of every set, one after the other.
    tags: SharedArray<u64>,
    counters: SharedArray<Slot>,
    cpus: SharedArray<CpuState>,
    /// Who waited for whom.
    pub waits: Waits,
    flush: Option<OwnedFd>,
    /// Where each occupied slot is, found by the last scan of the tags.
    slots: Vec<(CgroupId, u32)>,
    seen: HashMap<CgroupId, Seen>,
    /// What cgroups whose slots were freed had counted.
    released: SchedCounters,
}

/// The id under which the shared slots' counters are kept: no cgroup has it.
const OVERFLOW: CgroupId = CgroupId(0);

impl Reader {
    pub(super) fn open(ebpf: &mut Ebpf, geometry: Geometry) -> Result<Self, LoadError> {
        let flush = ebpf
            .program("flush")
            .and_then(|program| program.fd().ok())
            .and_then(|fd| fd.as_fd().try_clone_to_owned().ok());
        Ok(Self {
            geometry,
            tags: share(ebpf, "TAGS", geometry.tag_entries() * WAYS)?,
            counters: share(ebpf, "SLOTS", geometry.counter_entries())?,
            cpus: share(ebpf, "CPUS", geometry.cpus)?,
            waits: Waits::new(share(ebpf, "WAITS", geometry.cpus * WAIT_PAIRS)?, geometry.cpus * WAIT_PAIRS),
            flush,
            slots: Vec::new(),
            seen: HashMap::new(),
            released: SchedCounters::default(),
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
        self.scan_tags();
        for seen in self.seen.values_mut() {
            seen.now = Sums::default();
        }
        let overflow = self.geometry.overflow_slot();
        let shared = (0..self.geometry.cpus).map(|cpu| (OVERFLOW, self.geometry.first_slot(cpu) + overflow));
        for (id, index) in self.slots.iter().copied().chain(shared) {
            if let Some(slot) = self.counters.get(index) {
                self.seen.entry(id).or_default().add(&slot);
            }
        }
        self.seen.values_mut().for_each(Seen::finish);
    }

    fn scan_tags(&mut self) {
        self.slots.clear();
        let owned = self.geometry.owned_slots;
        for (number, id) in (0_u32..).zip(self.tags.range(0..self.geometry.cpus * owned)) {
            if id != 0 {
                self.slots.push((CgroupId(id), self.geometry.first_slot(number / owned) + number % owned));
            }
        }
    }

    /// Each cgroup that has counted something, as of the last [`Self::read`], and whether that was new.
    pub fn cgroups(&self) -> impl Iterator<Item = (CgroupId, &CgroupCounters, bool)> {
        self.seen
            .iter()
            .filter(|(id, _)| **id != OVERFLOW)
            .map(|(id, seen)| (*id, &seen.counters, seen.changed))
    }

    /// One cgroup's counters as of the last [`Self::read`].
    #[must_use]
    pub fn get(&self, id: CgroupId) -> Option<&CgroupCounters> {
        self.seen.get(&id).map(|seen| &seen.counters)
    }

    /// All that cgroups with slots of their own have counted, as of the last [`Self::read`], those included that were
    /// released since.
    #[must_use]
    pub fn total(&self) -> SchedCounters {
        let mut sum = self.released;
        self.cgroups().for_each(|(_, counters, _)| add_sched(&mut sum, &counters.sched));
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
                reserved: _,
            } = state.losses;
            sum.slot_overflows += slot_overflows;
            sum.lifecycle_records += lifecycle_records;
            sum.unknown_turns += unknown_turns;
            sum.hidden_tasks += hidden_tasks;
            sum.unblamed_ns += unblamed_ns;
        }
        sum
    }

    /// Frees the slots of a removed cgroup, whose last counters have been taken.
    ///
    /// To be called only when no task can be left in it: a program that met the id again would claim a new slot.
    pub fn release(&mut self, id: CgroupId) {
        for (cpu, probe) in (0..self.geometry.cpus).flat_map(|cpu| (0..PROBES).map(move |probe| (cpu, probe)))
        {
            let set = set_of(id.0, self.geometry.set_bits, probe);
            let first = (self.geometry.first_set(cpu) + set) * WAYS;
            for way in 0..WAYS {
                if self.tags.get(first + way) == Some(id.0) {
                    let slot = self.geometry.first_slot(cpu) + set * WAYS + way;
                    self.counters.set(slot, Slot::default());
                    // Last, and this word alone: the CPU may be claiming another one of the set.
                    self.tags.set(first + way, 0);
                }
            }
        }
        if let Some(seen) = self.seen.remove(&id) {
            add_sched(&mut self.released, &seen.counters.sched);
        }
        self.waits.release(id);
    }
}

fn share<T: Pod>(ebpf: &mut Ebpf, name: &'static str, entries: u32) -> Result<SharedArray<T>, LoadError> {
    let not_an_array = || io::Error::other("not an array");
    let failed = |source| LoadError::Map { name, source };
    match take_map(ebpf, name)? {
        Map::Array(data) => SharedArray::map(data.fd().as_fd(), entries).map_err(failed),
        _ => Err(failed(not_an_array())),
    }
}
