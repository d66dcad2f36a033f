//! Each capacity that both sides must agree on, once.

/// Tags in one set of the slot index: as many as fill a cache line.
pub const WAYS: u32 = 8;

/// Sets that an id may be in: the one it hashes to and those after it. With eight, tables filled to a half overflow
/// for no arithmetic progression of ids with a stride up to 129 (`slots::tests`).
pub const PROBES: u32 = 8;

/// Cgroups of which each CPU remembers where they are counted, a power of two. See [`crate::counters::RecentCgroup`].
pub const RECENT_CGROUPS: u32 = 16;

/// Entries of the table of tasks that one may be in. See [`crate::slots::SeenTask`].
pub const SEEN_PROBES: u32 = 8;

/// Turns that each CPU remembers, a power of two. A wait that was longer is blamed on no one for its first part.
pub const RECENT_TURNS: u32 = 16;

/// Pairs of cgroups that each CPU can count waits for, a power of two. See [`crate::waits::WaitPair`].
pub const WAIT_PAIRS: u32 = 4096;

/// Entries of the table of pairs that one may be in.
pub const PAIR_PROBES: u32 = 8;

/// Bytes of the lifecycle ring buffer.
pub const RING_BYTES: u32 = 1 << 20;

/// Bytes of a cgroup's path that a lifecycle record carries; a longer path is cut and resolved by user space.
pub const PATH_BYTES: usize = 256;

/// Bytes of a task's name, a terminating 0 included (`TASK_COMM_LEN`, include/linux/sched.h).
pub const COMM_BYTES: usize = 16;

/// Cgroups for which each CPU can count what a shortage of memory did, a power of two. See [`crate::memory::Shortage`].
pub const SHORTAGES: u32 = 1024;

/// Entries of that table that one cgroup may be in.
pub const SHORTAGE_PROBES: u32 = 8;

/// Tasks that may reclaim memory at the same time.
pub const RECLAIMERS: u32 = 4096;

/// Processes of which it is remembered that they were told of as ended or as killed for lack of memory.
pub const TOLD_PROCESSES: u32 = 1024;
