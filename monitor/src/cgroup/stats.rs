//! What one reading of one cgroup's files holds: plain data, cumulative and raw.
//!
//! Every value includes the cgroup's descendants unless it says otherwise. `None` means that it was not measured: the
//! host has no such file, or not that line in it.

use serde::{Deserialize, Serialize};

/// A limit that was read, which is not the same as no reading (`None` around it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Limit {
    /// No limit is set.
    Max,
    /// The limit, in the unit of its field.
    Value(u64),
}

impl Limit {
    /// As outputs write it: -1 for no limit (docs/adr/0008).
    #[must_use]
    pub fn or_minus_one(self) -> i64 {
        match self {
            Self::Max => -1,
            Self::Value(value) => i64::try_from(value).unwrap_or(-1),
        }
    }

    /// What is left of this limit on two things together for the one that is not under `other`, at least 0.
    /// `None` where only one of the two is limited: nothing then says how they share.
    pub(super) fn less(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Max, _) => Some(Self::Max),
            (Self::Value(both), Self::Value(one)) => Some(Self::Value(both.saturating_sub(one))),
            (Self::Value(_), Self::Max) => None,
        }
    }
}

/// One reading of one cgroup.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CgroupStats {
    /// CPU time, quota and placement.
    pub cpu: CpuStats,
    /// Memory in use by kind, its limits, and what happened at them.
    pub memory: MemoryStats,
    /// Number of tasks.
    pub pids: PidsStats,
    /// Block I/O.
    pub io: IoStats,
    /// Pressure stall information.
    pub pressure: PressureStats,
}

/// CPU time, quota and placement. Counters start when the cgroup is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpuStats {
    /// CPU time used. From cgroup2's `cpu.stat` (exact to 1 000 ns; also where controllers are v1), else from
    /// `cpuacct.usage` (exact to 1 ns).
    pub usage_ns: Option<u64>,
    /// Its part in user space. From cgroup2's `cpu.stat`, which scales sampled times to the exact total, else from
    /// `cpuacct.stat`, which is sampled in ticks of 10 ms.
    pub user_ns: Option<u64>,
    /// Its part in the kernel; source as for `user_ns`.
    pub system_ns: Option<u64>,
    /// Time that runnable tasks were held back by the quota, summed over CPUs. This cgroup's own quota, not those of
    /// its descendants.
    pub throttled_ns: Option<u64>,
    /// Quota periods that have passed with the cgroup active; does not grow without a quota.
    pub periods: Option<u64>,
    /// Periods in which the quota ran out.
    pub throttled_periods: Option<u64>,
    /// CPU time allowed in each period, in microseconds.
    pub quota_us: Option<Limit>,
    /// Length of a quota period in microseconds.
    pub period_us: Option<u64>,
    /// Share of contended CPU time, as configured: v1 `cpu.shares` (2 to 262 144, default 1 024) or v2 `cpu.weight`
    /// (1 to 10 000, default 100). The two scales do not convert without loss, so neither is converted here.
    pub shares_or_weight: Option<u64>,
    /// The CPUs that its tasks may run on, as a list such as `0-3,8`; on v1 empty while none was configured.
    pub cpuset: Option<String>,
}

/// Memory in bytes and memory events. Counters (`_total` and the events) start when the cgroup is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryStats {
    /// All that is charged: anonymous, file, kernel and socket memory. v1 `memory.usage_in_bytes`, v2 `memory.current`.
    pub current_bytes: Option<u64>,
    /// The hard limit on `current_bytes`. This cgroup's own; an ancestor's may be lower.
    pub limit_bytes: Option<Limit>,
    /// Swap space in use.
    pub swap_bytes: Option<u64>,
    /// The limit on swap alone. v1 limits memory and swap together, so there it is that limit less `limit_bytes`.
    pub swap_limit_bytes: Option<Limit>,
    /// `current_bytes` less `inactive_file_bytes`, at least 0: what reclaim would find hard to free.
    pub working_set_bytes: Option<u64>,
    /// Anonymous memory. v1 `total_rss`, v2 `anon`.
    pub anon_bytes: Option<u64>,
    /// Page cache, tmpfs and shared memory included. v1 `total_cache`, v2 `file`.
    pub file_bytes: Option<u64>,
    /// Kernel memory. v1 `memory.kmem.usage_in_bytes`; v2 `kernel`, Linux 5.18 and later.
    pub kernel_bytes: Option<u64>,
    /// Page cache that is mapped.
    pub mapped_file_bytes: Option<u64>,
    /// Swap-backed page cache: tmpfs, shared memory.
    pub shmem_bytes: Option<u64>,
    /// Slab memory, reclaimable or not. v2 only.
    pub slab_bytes: Option<u64>,
    /// Page cache that reclaim takes first.
    pub inactive_file_bytes: Option<u64>,
    /// Page cache in recent use.
    pub active_file_bytes: Option<u64>,
    /// The most that `current_bytes` has been. v1 `memory.max_usage_in_bytes`; v2 `memory.peak`, Linux 5.19 and later.
    pub peak_bytes: Option<u64>,
    /// Page faults, major ones included.
    pub page_faults_total: Option<u64>,
    /// Page faults that had to wait for I/O.
    pub major_page_faults_total: Option<u64>,
    /// OOM events: reclaim could not get below the limit. v2 only.
    pub oom_events: Option<u64>,
    /// Tasks killed for lack of memory. On v1 without those of descendants, and only from Linux 4.13 on.
    pub oom_kills_total: Option<u64>,
    /// Times that the limit was hit and reclaim had to run. v1 `memory.failcnt` (without those of descendants), v2
    /// `max` of `memory.events`.
    pub limit_hits: Option<u64>,
    /// Times that `memory.high` was exceeded. v2 only.
    pub high_events: Option<u64>,
    /// The finer parts.
    pub details: MemoryDetails,
    /// On each NUMA node, in their order; `None` on machines with one.
    pub numa: Option<Vec<NumaNode>>,
}

/// A cgroup's memory on one NUMA node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumaNode {
    /// The node's number.
    pub node: u32,
    /// Anonymous memory.
    pub anon_bytes: Option<u64>,
    /// Page cache.
    pub file_bytes: Option<u64>,
    /// Memory that reclaim must leave alone.
    pub unevictable_bytes: Option<u64>,
}

/// Finer parts of `memory.stat`, and huge pages. What v1 lacks, or says in different units from kernel to kernel, is v2
/// only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryDetails {
    /// Anonymous memory that reclaim takes first.
    pub inactive_anon_bytes: Option<u64>,
    /// Anonymous memory in recent use.
    pub active_anon_bytes: Option<u64>,
    /// Memory that reclaim must leave alone, such as locked pages.
    pub unevictable_bytes: Option<u64>,
    /// Anonymous memory in transparent huge pages. v1 `total_rss_huge`, v2 `anon_thp`.
    pub anon_huge_bytes: Option<u64>,
    /// Page cache that waits to be written.
    pub dirty_bytes: Option<u64>,
    /// Page cache that is being written.
    pub writeback_bytes: Option<u64>,
    /// Slab memory that the kernel can free. v2 only.
    pub slab_reclaimable_bytes: Option<u64>,
    /// Slab memory that it cannot. v2 only.
    pub slab_unreclaimable_bytes: Option<u64>,
    /// Stacks of tasks in the kernel. v2 only.
    pub kernel_stack_bytes: Option<u64>,
    /// Page tables. v2, Linux 5.11 and later.
    pub page_tables_bytes: Option<u64>,
    /// Buffers of sockets. v2 only.
    pub sock_bytes: Option<u64>,
    /// Pages of 2 MiB from the huge page pool, which `current_bytes` does not have. Where the hugetlb controller is.
    pub hugetlb_2mb_bytes: Option<u64>,
    /// The same of 1 GiB.
    pub hugetlb_1gb_bytes: Option<u64>,
    /// Pages that reclaim looked at. v2 only.
    pub scanned_pages: Option<u64>,
    /// Pages that reclaim freed. v2 only.
    pub freed_pages: Option<u64>,
    /// The part of `scanned_pages` that tasks in need looked at themselves. v2, Linux 6.0 and later.
    pub direct_scanned_pages: Option<u64>,
    /// The part of `freed_pages` that they freed. v2, Linux 6.0 and later.
    pub direct_freed_pages: Option<u64>,
    /// Anonymous pages that were needed again soon after they were reclaimed. v2 only.
    pub refaulted_anon_pages: Option<u64>,
    /// Pages of files that were. v2 only.
    pub refaulted_file_pages: Option<u64>,
    /// Pages read from swap. v2 of recent kernels.
    pub swap_in_pages: Option<u64>,
    /// Pages written to swap. v2 of recent kernels.
    pub swap_out_pages: Option<u64>,
}

/// Number of tasks: threads, not processes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PidsStats {
    /// Tasks in the cgroup.
    pub current: Option<u64>,
    /// The most that may exist.
    pub limit: Option<Limit>,
}

/// Block I/O as it is charged, when it is submitted and before requests are merged. Nested cgroups included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IoStats {
    /// Whether the block controller has the cgroup, so that its requests are charged to it and not to one above it.
    pub is_controlled: bool,
    /// What was charged, by device. v2 `io.stat`; v1 `blkio.throttle.*_recursive`, which recent kernels fill only where
    /// some cgroup has a limit on the device: `None` where they did not.
    pub devices: Option<Vec<IoDevice>>,
}

/// What was charged for one device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IoDevice {
    /// Its major number.
    pub major: u32,
    /// Its minor number.
    pub minor: u32,
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub write_bytes: u64,
    /// Bytes discarded.
    pub discard_bytes: u64,
    /// Reads submitted.
    pub reads: u64,
    /// Writes submitted.
    pub writes: u64,
    /// Discards submitted.
    pub discards: u64,
}

/// Pressure stall information, Linux 4.20 and later, from cgroup2 alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PressureStats {
    /// Waiting for a CPU.
    pub cpu: Option<Pressure>,
    /// Waiting for memory: reclaim, refaults, swap-in.
    pub memory: Option<Pressure>,
    /// Waiting for I/O.
    pub io: Option<Pressure>,
}

/// Stalls on one resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pressure {
    /// At least one task was stalled.
    pub some: Option<PressureAverages>,
    /// All non-idle tasks were stalled at once. For CPU from Linux 5.13 on.
    pub full: Option<PressureAverages>,
}

/// How much of the time there was a stall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PressureAverages {
    /// Percent of the last 10 seconds.
    pub avg10: f64,
    /// Percent of the last minute.
    pub avg60: f64,
    /// Percent of the last five minutes.
    pub avg300: f64,
    /// Microseconds of stall since the cgroup was made.
    pub total_us: u64,
}

impl MemoryStats {
    /// Fills in what follows from other fields.
    pub(super) fn derive(&mut self) {
        self.working_set_bytes = self
            .current_bytes
            .zip(self.inactive_file_bytes)
            .map(|(current, inactive)| current.saturating_sub(inactive));
    }
}
