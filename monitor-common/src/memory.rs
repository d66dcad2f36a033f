//! What a shortage of memory did to a cgroup's tasks.

use crate::slots::GOLDEN;

/// What one CPU has counted for the tasks of one cgroup, of the few that ever get here.
///
/// Written by programs in the context of the task concerned, which do not interrupt each other, so without atomics; user
/// space sums the CPUs and frees the entries of removed cgroups.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shortage {
    /// Whose tasks; 0 where the entry is free.
    pub cgroup_id: u64,
    /// Times that a task had to free memory itself because the machine was short of it.
    pub direct_reclaims: u64,
    /// How long that took.
    pub direct_reclaim_ns: u64,
    /// Times that a task had to free memory itself because a cgroup was at its limit.
    pub limit_reclaims: u64,
    /// How long that took.
    pub limit_reclaim_ns: u64,
    /// Processes that the kernel chose to kill because memory was short.
    pub oom_kills: u64,
    /// Reserved; fills the cache line.
    pub reserved: [u64; 2],
}
const _: () = assert!(size_of::<Shortage>() == 64, "one cache line");
const _: () = assert!(crate::limits::SHORTAGES.is_power_of_two());

/// Where a cgroup is looked for first, among the `entries` (a power of two) of one CPU.
#[inline(always)]
#[must_use]
pub const fn shortage_index(cgroup_id: u64, entries: u32) -> u32 {
    (cgroup_id.wrapping_mul(GOLDEN) >> 32) as u32 & (entries - 1)
}
