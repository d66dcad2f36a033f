//! How long major faults took.
//!
//! An exception tells when a fault begins, the kernel's own event of a major fault when it is over. Between the two the task sleeps,
//! and may come back on another CPU, so the beginning is kept by its number.

use crate::histogram::BUCKETS;

/// Places for the beginnings of faults, a power of two. Tasks whose numbers are this far apart share one.
pub const FAULTING_TASKS: u32 = 1 << 14;

/// Cgroups whose major faults can be timed. The kernel allocates this many [`FaultTimes`] at the start.
pub const FAULT_ENTRIES: u32 = 1024;

/// When a task was last stopped by a fault.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultBegin {
    /// The task's tid.
    pub tid: u64,
    /// When, in nanoseconds of `CLOCK_MONOTONIC`.
    pub at_ns: u64,
}

/// How long the major faults of a cgroup's tasks took.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultTimes {
    /// All of them together.
    pub total_ns: u64,
    /// The longest. Of two at the same moment it may miss one.
    pub max_ns: u64,
    /// Each, in the buckets of [`crate::histogram`].
    pub latency: [u64; BUCKETS],
}

impl Default for FaultTimes {
    fn default() -> Self {
        Self { total_ns: 0, max_ns: 0, latency: [0; BUCKETS] }
    }
}

const _: () = assert!(FAULTING_TASKS.is_power_of_two());
const _: () =
    assert!(size_of::<FaultBegin>() == 16 && size_of::<FaultTimes>() == 16 + 8 * BUCKETS, "no padding");
