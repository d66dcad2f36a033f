//! Maps → counters per cgroup, CPUs summed.

use std::{
    collections::HashMap,
    os::fd::{AsFd, OwnedFd},
};

use aya::Ebpf;
use monitor_common::{
    counters::{CpuState, Losses, SchedCounters, Slot, TaskCounters},
    histogram::{BUCKETS, Histogram},
    limits::WAIT_PAIRS,
    memory::Shortage,
    net::{NetSlot, Tcp, Traffic},
    slots::Geometry,
};

use super::{
    load::LoadError,
    shortages::{Shortages, add_shortage},
    sys::{SharedArray, run_on_cpu},
    table::{OVERFLOW, Table, share},
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
    /// What its sockets did.
    pub net: NetSlot,
    /// What a shortage of memory did to its tasks.
    pub shortage: Shortage,
}

impl Default for CgroupCounters {
    fn default() -> Self {
        Self {
            sched: SchedCounters::default(),
            tasks: TaskCounters::default(),
            runq: [0; BUCKETS],
            net: NetSlot::default(),
            shortage: Shortage::default(),
        }
    }
}

impl CgroupCounters {
    /// Adds what another cgroup's tasks, or other CPUs, have counted.
    pub fn add(&mut self, other: &Self) {
        let Self { sched, tasks, runq, net, shortage } = other;
        add_sched(&mut self.sched, sched);
        add_tasks(&mut self.tasks, tasks);
        add_net(&mut self.net, net);
        add_shortage(&mut self.shortage, shortage);
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

fn add_net(sum: &mut NetSlot, other: &NetSlot) {
    let NetSlot { traffic, tcp } = other;
    let Traffic {
        rx_bytes,
        rx_packets,
        rx_further_segments,
        rx_further_header_bytes,
        tx_bytes,
        tx_packets,
        tx_further_segments,
        tx_further_header_bytes,
    } = *traffic;
    sum.traffic.rx_bytes += rx_bytes;
    sum.traffic.rx_packets += rx_packets;
    sum.traffic.rx_further_segments += rx_further_segments;
    sum.traffic.rx_further_header_bytes += rx_further_header_bytes;
    sum.traffic.tx_bytes += tx_bytes;
    sum.traffic.tx_packets += tx_packets;
    sum.traffic.tx_further_segments += tx_further_segments;
    sum.traffic.tx_further_header_bytes += tx_further_header_bytes;
    let Tcp { retransmits, resets_sent, resets_received, opened, accepted, failed, established, closed } =
        *tcp;
    sum.tcp.retransmits += retransmits;
    sum.tcp.resets_sent += resets_sent;
    sum.tcp.resets_received += resets_received;
    sum.tcp.opened += opened;
    sum.tcp.accepted += accepted;
    sum.tcp.failed += failed;
    sum.tcp.established += established;
    sum.tcp.closed += closed;
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
    net: NetSlot,
    shortage: Shortage,
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
            let Sums { sched, tasks, runq, net, shortage } = self.now;
            self.counters.sched = sched;
            self.counters.tasks = tasks;
            self.counters.net = net;
            self.counters.shortage = shortage;
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
    slots: Table<Slot>,
    net: Table<NetSlot>,
    cpus: SharedArray<CpuState>,
    /// Who waited for whom.
    pub waits: Waits,
    shortages: Shortages,
    flush: Option<OwnedFd>,
    seen: HashMap<CgroupId, Seen>,
    /// What cgroups whose slots were freed had counted.
    released: SchedCounters,
}

impl Reader {
    pub(super) fn open(ebpf: &mut Ebpf, geometry: Geometry) -> Result<Self, LoadError> {
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
            flush,
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
        for seen in self.seen.values_mut() {
            seen.now = Sums::default();
        }
        for (id, slot) in self.slots.occupied() {
            self.seen.entry(id).or_default().add(&slot);
        }
        for (id, slot) in self.net.occupied() {
            add_net(&mut self.seen.entry(id).or_default().now.net, &slot);
        }
        for shortage in self.shortages.occupied() {
            let seen = self.seen.entry(CgroupId(shortage.cgroup_id)).or_default();
            add_shortage(&mut seen.now.shortage, &shortage);
        }
        self.seen.values_mut().for_each(Seen::finish);
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

    /// Packets of sockets whose cgroup found no slot of its own, or was not to be found.
    #[must_use]
    pub fn overflowed_packets(&self) -> u64 {
        self.get(OVERFLOW).map_or(0, |shared| shared.net.traffic.rx_packets + shared.net.traffic.tx_packets)
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
                shortages,
                reserved: _,
            } = state.losses;
            sum.slot_overflows += slot_overflows;
            sum.lifecycle_records += lifecycle_records;
            sum.unknown_turns += unknown_turns;
            sum.hidden_tasks += hidden_tasks;
            sum.unblamed_ns += unblamed_ns;
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
        if let Some(seen) = self.seen.remove(&id) {
            add_sched(&mut self.released, &seen.counters.sched);
        }
    }
}
