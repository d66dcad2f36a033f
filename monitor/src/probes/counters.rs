//! What was counted for a cgroup: as the maps hold it, and as a total that only grows.

use std::sync::Arc;

use monitor_common::{
    counters::{SchedCounters, Slot, TaskCounters},
    faults::FaultTimes,
    histogram::{BUCKETS, COARSE_BUCKETS, CoarseHistogram, Histogram},
    memory::Shortage,
    net::{ConnectionTimes, Dropped, NetSlot, Tcp, Traffic},
};

use super::{
    faults::add_faults,
    shortages::add_shortage,
    sockets::{Drops, add_connections, add_drops},
    waits::Waited,
};

/// Scheduler counters that only grow: those of [`SchedCounters`], under the same names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchedTotals {
    /// Switches away from a task that blocked.
    pub voluntary_switches: u64,
    /// Switches away from a task that could have gone on.
    pub involuntary_switches: u64,
    /// Nanoseconds spent running.
    pub on_cpu_ns: u64,
    /// Nanoseconds spent runnable and waiting for a CPU.
    pub runq_wait_ns: u64,
    /// The longest single wait.
    pub runq_wait_max_ns: u64,
    /// Placements on another CPU.
    pub migrations: u64,
    /// Page faults served without I/O.
    pub minor_faults: u64,
    /// Page faults served with I/O.
    pub major_faults: u64,
}

impl SchedTotals {
    /// Adds what others have counted.
    pub fn add(&mut self, other: &Self) {
        let Self {
            voluntary_switches,
            involuntary_switches,
            on_cpu_ns,
            runq_wait_ns,
            runq_wait_max_ns,
            migrations,
            minor_faults,
            major_faults,
        } = *other;
        self.voluntary_switches += voluntary_switches;
        self.involuntary_switches += involuntary_switches;
        self.on_cpu_ns += on_cpu_ns;
        self.runq_wait_ns += runq_wait_ns;
        self.runq_wait_max_ns = self.runq_wait_max_ns.max(runq_wait_max_ns);
        self.migrations += migrations;
        self.minor_faults += minor_faults;
        self.major_faults += major_faults;
    }

    /// Brings them up to `now`, with what has wrapped since `before` widened.
    fn advance(&mut self, now: &SchedCounters, before: &SchedCounters) {
        let widened = |total: u64, read: fn(&SchedCounters) -> u32| {
            total + u64::from(read(now).wrapping_sub(read(before)))
        };
        *self = Self {
            voluntary_switches: now.voluntary_switches,
            involuntary_switches: widened(self.involuntary_switches, |sched| sched.involuntary_switches),
            on_cpu_ns: now.on_cpu_ns,
            runq_wait_ns: now.runq_wait_ns,
            runq_wait_max_ns: now.runq_wait_max_ns,
            migrations: widened(self.migrations, |sched| sched.migrations),
            minor_faults: widened(self.minor_faults, |sched| sched.minor_faults),
            major_faults: widened(self.major_faults, |sched| sched.major_faults),
        };
    }
}

/// What the probes have counted for one cgroup's own tasks since they were attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CgroupCounters {
    /// Scheduler counters.
    pub sched: SchedTotals,
    /// Nanoseconds spent running on each CPU, by its number, up to the last one that it ran on.
    pub on_cpu_ns_by_cpu: Vec<u64>,
    /// Counters of rarer events.
    pub tasks: TaskCounters,
    /// Run-queue latency.
    pub runq: [u64; BUCKETS],
    /// Time slices.
    pub timeslices: [u64; COARSE_BUCKETS],
    /// What its sockets did.
    pub net: NetSlot,
    /// How long its connections took; `None` where none was timed.
    pub connections: Option<Box<ConnectionTimes>>,
    /// Why packets of its sockets were thrown away.
    pub drops: Drops,
    /// What a shortage of memory did to its tasks.
    pub shortage: Shortage,
    /// How long its tasks' major faults took; `None` where none was timed.
    pub faults: Option<Box<FaultTimes>>,
}

impl Default for CgroupCounters {
    fn default() -> Self {
        Self {
            sched: SchedTotals::default(),
            on_cpu_ns_by_cpu: Vec::new(),
            tasks: TaskCounters::default(),
            runq: [0; BUCKETS],
            timeslices: [0; COARSE_BUCKETS],
            net: NetSlot::default(),
            connections: None,
            drops: Drops::new(),
            shortage: Shortage::default(),
            faults: None,
        }
    }
}

impl CgroupCounters {
    /// Adds what another cgroup's tasks, or other CPUs, have counted.
    pub fn add(&mut self, other: &Self) {
        let Self {
            sched,
            on_cpu_ns_by_cpu,
            tasks,
            runq,
            timeslices,
            net,
            connections,
            drops,
            shortage,
            faults,
        } = other;
        self.sched.add(sched);
        for (cpu, ns) in on_cpu_ns_by_cpu.iter().enumerate() {
            add_at(&mut self.on_cpu_ns_by_cpu, cpu, *ns);
        }
        add_tasks(&mut self.tasks, tasks);
        add_net(&mut self.net, net);
        if let Some(connections) = connections {
            add_connections(&mut self.connections, connections);
        }
        add_drops(&mut self.drops, drops);
        add_shortage(&mut self.shortage, shortage);
        if let Some(faults) = faults {
            add_faults(&mut self.faults, faults);
        }
        let ours = self.runq.iter_mut().chain(&mut self.timeslices);
        for (sum, count) in ours.zip(runq.iter().chain(timeslices)) {
            *sum += count;
        }
    }
}

/// Adds to a place of a list that is as long as it needs to be.
fn add_at(list: &mut Vec<u64>, place: usize, value: u64) {
    if value > 0 && list.len() <= place {
        list.resize(place + 1, 0);
    }
    if let Some(sum) = list.get_mut(place) {
        *sum += value;
    }
}

fn add_sched(sum: &mut SchedCounters, other: &SchedCounters) {
    let SchedCounters {
        voluntary_switches,
        on_cpu_ns,
        runq_wait_ns,
        runq_wait_max_ns,
        own_wait_ns,
        own_waits,
        involuntary_switches,
        own_preemptions,
        migrations,
        minor_faults,
        major_faults,
    } = *other;
    sum.voluntary_switches += voluntary_switches;
    sum.on_cpu_ns += on_cpu_ns;
    sum.runq_wait_ns += runq_wait_ns;
    sum.runq_wait_max_ns = sum.runq_wait_max_ns.max(runq_wait_max_ns);
    sum.own_wait_ns += own_wait_ns;
    sum.own_waits = sum.own_waits.wrapping_add(own_waits);
    sum.involuntary_switches = sum.involuntary_switches.wrapping_add(involuntary_switches);
    sum.own_preemptions = sum.own_preemptions.wrapping_add(own_preemptions);
    sum.migrations = sum.migrations.wrapping_add(migrations);
    sum.minor_faults = sum.minor_faults.wrapping_add(minor_faults);
    sum.major_faults = sum.major_faults.wrapping_add(major_faults);
}

fn add_tasks(sum: &mut TaskCounters, other: &TaskCounters) {
    let TaskCounters { user_fault_exceptions, kernel_fault_exceptions, execs, exits, starts } = *other;
    sum.user_fault_exceptions += user_fault_exceptions;
    sum.kernel_fault_exceptions += kernel_fault_exceptions;
    sum.execs += execs;
    sum.exits += exits;
    sum.starts += starts;
}

pub(super) fn add_net(sum: &mut NetSlot, other: &NetSlot) {
    let NetSlot { traffic, udp, tcp, dropped } = other;
    add_traffic(&mut sum.traffic, traffic);
    add_traffic(&mut sum.udp, udp);
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
    let Dropped { packets, udp_full_buffer, udp_no_memory, reserved: _ } = *dropped;
    sum.dropped.packets += packets;
    sum.dropped.udp_full_buffer += udp_full_buffer;
    sum.dropped.udp_no_memory += udp_no_memory;
}

fn add_traffic(sum: &mut Traffic, other: &Traffic) {
    let Traffic {
        rx_bytes,
        rx_packets,
        rx_further_segments,
        rx_further_header_bytes,
        tx_bytes,
        tx_packets,
        tx_further_segments,
        tx_further_header_bytes,
    } = *other;
    sum.rx_bytes += rx_bytes;
    sum.rx_packets += rx_packets;
    sum.rx_further_segments += rx_further_segments;
    sum.rx_further_header_bytes += rx_further_header_bytes;
    sum.tx_bytes += tx_bytes;
    sum.tx_packets += tx_packets;
    sum.tx_further_segments += tx_further_segments;
    sum.tx_further_header_bytes += tx_further_header_bytes;
}

/// What was read of one cgroup.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// This tick's sums.
    pub(super) now: Sums,
    /// The last tick's sums.
    before: Sums,
    /// This tick's sums of time on each CPU.
    on_cpu_ns_by_cpu: Vec<u64>,
    pub(super) counters: Arc<CgroupCounters>,
    pub(super) changed: Changed,
}

/// What has moved between two readings of a cgroup's counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Changed {
    /// Anything at all.
    pub any: bool,
    /// For how long its tasks have run, in nanoseconds.
    pub ran_ns: u64,
    /// Tasks have started, ended or become another program.
    pub tasks: bool,
    /// TCP connections were established or closed.
    pub connections: bool,
    /// Packets of sockets were thrown away.
    pub drops: bool,
    /// What tasks of the cgroup have waited for each other, and taken the CPU from each other.
    pub own_waited: Waited,
}

/// A cgroup's slots added up, as the maps hold them: what has 32 bits wraps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    sched: SchedCounters,
    tasks: TaskCounters,
    runq: Histogram,
    timeslices: CoarseHistogram,
    pub(super) net: NetSlot,
    pub(super) shortage: Shortage,
}

impl Seen {
    /// Begins a tick's sums.
    pub(super) fn begin(&mut self) {
        self.now = Sums::default();
        self.on_cpu_ns_by_cpu.fill(0);
    }

    /// Adds one CPU's slot.
    pub(super) fn add(&mut self, cpu: u32, slot: &Slot) {
        let Slot { sched, tasks, throttle: _, runq_latency, timeslices } = slot;
        add_sched(&mut self.now.sched, sched);
        add_at(&mut self.on_cpu_ns_by_cpu, cpu as usize, sched.on_cpu_ns);
        add_tasks(&mut self.now.tasks, tasks);
        let sums = self.now.runq.0.iter_mut().chain(&mut self.now.timeslices.0);
        for (sum, count) in sums.zip(runq_latency.0.iter().chain(&timeslices.0)) {
            *sum = sum.wrapping_add(*count);
        }
    }

    /// Brings the counters up to this tick's sums.
    pub(super) fn finish(&mut self) {
        let of_tasks = |sums: &Sums| (sums.tasks.starts, sums.tasks.exits, sums.tasks.execs);
        let of_connections = |sums: &Sums| (sums.net.tcp.established, sums.net.tcp.closed);
        let (now, before) = (&self.now.sched, &self.before.sched);
        self.changed = Changed {
            any: self.now != self.before,
            ran_ns: now.on_cpu_ns.saturating_sub(before.on_cpu_ns),
            tasks: of_tasks(&self.now) != of_tasks(&self.before),
            connections: of_connections(&self.now) != of_connections(&self.before),
            drops: self.now.net.dropped != self.before.net.dropped,
            own_waited: Waited {
                wait_ns: now.own_wait_ns.saturating_sub(before.own_wait_ns),
                waits: now.own_waits.wrapping_sub(before.own_waits).into(),
                preemptions: now.own_preemptions.wrapping_sub(before.own_preemptions).into(),
            },
        };
        if self.changed.any {
            let Sums { sched, tasks, runq, timeslices, net, shortage } = self.now;
            let counters = Arc::make_mut(&mut self.counters);
            counters.sched.advance(&sched, &self.before.sched);
            counters.on_cpu_ns_by_cpu.clone_from(&self.on_cpu_ns_by_cpu);
            counters.tasks = tasks;
            counters.net = net;
            counters.shortage = shortage;
            widen(&mut counters.runq, &runq.0, &self.before.runq.0);
            widen(&mut counters.timeslices, &timeslices.0, &self.before.timeslices.0);
            self.before = self.now;
        }
    }
}

/// Brings a histogram's totals up to counts that wrap.
fn widen(totals: &mut [u64], now: &[u32], before: &[u32]) {
    for ((total, now), before) in totals.iter_mut().zip(now).zip(before) {
        *total += u64::from(now.wrapping_sub(*before));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(migrations: u32, own_wait_ns: u64, own_waits: u32) -> Slot {
        let own_preemptions = own_waits.wrapping_sub(3);
        let sched =
            SchedCounters { migrations, own_wait_ns, own_waits, own_preemptions, ..SchedCounters::default() };
        Slot { sched, ..Slot::default() }
    }

    #[test]
    fn what_wraps_between_two_readings_still_grows() {
        let mut seen = Seen::default();
        for migrations in [u32::MAX - 1, 3] {
            seen.begin();
            seen.add(0, &slot(migrations, 0, 0));
            seen.finish();
        }
        assert_eq!(seen.counters.sched.migrations, u64::from(u32::MAX) + 4);
    }

    #[test]
    fn own_waits_are_told_as_growth() {
        let mut seen = Seen::default();
        let waited = [(700, 2), (700, 2), (900, 3)].map(|(ns, waits)| {
            seen.begin();
            seen.add(0, &slot(0, ns, waits));
            seen.finish();
            seen.changed.own_waited
        });
        let growth = |wait_ns, waits, preemptions| Waited { wait_ns, waits, preemptions };
        assert_eq!(waited, [growth(700, 2, u64::from(u32::MAX)), growth(0, 0, 0), growth(200, 1, 1)]);
    }
}
