//! What a slot counts. All values only grow, until user space clears the slot of a removed cgroup.

use crate::{
    histogram::{CoarseHistogram, Histogram},
    limits::RECENT_CGROUPS,
    waits::{Throttle, Turn},
};

/// What the scheduler did to a cgroup's tasks on one CPU.
///
/// Written by the `sched_switch` and `flush` programs of the owning CPU alone, which never interrupt each other, so
/// without atomics; user space sums the CPUs. What has 32 bits wraps, and user space, which reads it more often than that,
/// widens it: all of it is one cache line.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchedCounters {
    /// Switches away from a task that blocked: growth of `task->nvcsw`.
    pub voluntary_switches: u64,
    /// Time spent running: growth of `task->se.sum_exec_runtime`.
    pub on_cpu_ns: u64,
    /// Time spent runnable and waiting for a CPU: growth of `task->sched_info.run_delay`.
    pub runq_wait_ns: u64,
    /// The longest single wait since the slot was claimed.
    pub runq_wait_max_ns: u64,
    /// The part of `runq_wait_ns` in which tasks of the same cgroup had the CPU.
    pub own_wait_ns: u64,
    /// Waits with such a part.
    pub own_waits: u32,
    /// Switches away from a task that could have gone on: growth of `task->nivcsw`.
    pub involuntary_switches: u32,
    /// Those among them to a task of the same cgroup.
    pub own_preemptions: u32,
    /// Placements on another CPU: growth of `task->se.nr_migrations`.
    pub migrations: u32,
    /// Page faults served without I/O: growth of `task->min_flt`.
    pub minor_faults: u32,
    /// Page faults served with I/O: growth of `task->maj_flt`.
    pub major_faults: u32,
}

/// Rarer events of a cgroup's tasks on one CPU.
///
/// Written by programs that may interrupt each other (a page fault in kernel mode inside an exec), each its own
/// field, so still without atomics.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskCounters {
    /// Page-fault exceptions taken in user mode. One fault may take several (a retry after I/O), and a
    /// fault of `min_flt` that the kernel caused without an exception takes none.
    pub user_fault_exceptions: u64,
    /// Page-fault exceptions taken in kernel mode, for example while copying to user memory.
    pub kernel_fault_exceptions: u64,
    /// Programs executed.
    pub execs: u64,
    /// Tasks (threads) that ended.
    pub exits: u64,
    /// Tasks (threads) that ran for the first time.
    pub starts: u64,
}

/// All that one CPU counts for one cgroup: in one entry, and so in one page, since a switch that misses the TLB for each
/// of several arrays costs more than all it adds up.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// At each switch.
    pub sched: SchedCounters,
    /// Rarer.
    pub tasks: TaskCounters,
    /// When a quota last kept its tasks from this CPU.
    pub throttle: Throttle,
    /// How long its tasks waited for this CPU, each time.
    pub runq_latency: Histogram,
    /// How long they had it then.
    pub timeslices: CoarseHistogram,
}

/// What concerns a CPU and no cgroup: a cache line for each switch, one for the rare, and the cgroups that ran lately.
#[repr(C, align(512))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuState {
    /// The tid of the task that it runs; 0 while it idles.
    pub running_tid: u64,
    /// Since when that task had been waiting for this CPU, by the run-queue clock; 0 where the kernel does not say.
    pub queued_at_ns: u64,
    /// The newest turn that it gave.
    pub newest: Turn,
    /// How long the task that it runs has had it in this turn, as far as that is booked.
    pub booked_ns: u64,
    /// Switches away from its idle task since boot, by that task's own count, as of the last one; 0 before any was seen.
    pub idle_switches: u64,
    /// The same right before the first one that was seen.
    pub idle_switches_before: u64,
    /// Programs on it that are about to claim a network slot: one may, if it is alone.
    pub network_claims: u64,
    /// What it could not count.
    pub losses: Losses,
    /// Cgroups that it ran lately, each at the place that its serial number names.
    pub recent: [RecentCgroup; RECENT_CGROUPS as usize],
}

/// Where a cgroup that ran lately is counted, so that the way from its task to its id and to its slot is not gone again.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecentCgroup {
    /// Its serial number and 1. The kernel gives each only once (kernel/cgroup/cgroup.c, `css_serial_nr_next`), so what is
    /// remembered of a removed cgroup is never taken for another.
    pub key: u64,
    /// Its id.
    pub cgroup_id: u64,
    /// The index of its slot over all CPUs.
    pub slot: u64,
}

/// What could not be counted.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Turns of tasks that were counted in the shared slot, since their cgroup found none of its own.
    pub slot_overflows: u64,
    /// Lifecycle records that found the ring buffer full.
    pub lifecycle_records: u64,
    /// Turns of tasks of which nothing earlier was known to subtract.
    pub unknown_turns: u64,
    /// Tasks older than our count that were first met while they ran: neither the task iterator nor a switch had shown them.
    pub hidden_tasks: u64,
    /// Nanoseconds waited that found no [`WaitPair`](crate::waits::WaitPair).
    pub unblamed_ns: u64,
    /// Preemptions that found none.
    pub unblamed_preemptions: u64,
    /// Reclaims and kills that found no [`Shortage`](crate::memory::Shortage).
    pub shortages: u64,
    /// Reserved; fills the cache line.
    pub reserved: u64,
}

const _: () = assert!(size_of::<SchedCounters>() == 64, "one cache line");
const _: () = assert!(size_of::<TaskCounters>() + size_of::<Throttle>() == 64, "one cache line");
const _: () = assert!(core::mem::offset_of!(CpuState, losses) == 64, "one cache line");
const _: () = assert!(size_of::<CpuState>() == 512, "a shift, not a multiplication");
const _: () = assert!(size_of::<Slot>() == 704, "eleven cache lines");
