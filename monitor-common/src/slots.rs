//! How a cgroup's counters are found without a hash map.
//!
//! Each CPU owns a table of *slots*. A cgroup id hashes to a *set* of [`WAYS`] tags, one cache line, and to the next
//! ones where that is full; the tag that equals the id, or the first free one, names the slot. Only the owning CPU
//! claims a tag and user space alone frees one (of a removed cgroup, after its counters are cleared), so neither side
//! needs an atomic operation. The same cgroup may have different slots on different CPUs, and after a tag before its
//! own was freed even two on one CPU: user space adds up all that carry its id. An id that finds all its sets full is
//! counted in the CPU's last, shared slot, so that totals stay right, and as
//! [`Losses::slot_overflows`](crate::counters::Losses).

use crate::limits::WAYS;

/// One set of tags: the cgroup ids that own the slots `8 * set ..`, 0 where free.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TagSet(pub [u64; WAYS as usize]);

/// 2^64 divided by the golden ratio.
///
/// cgroup ids come as arithmetic progressions (each control file of a cgroup takes an inode number too), which
/// multiplicative hashing spreads evenly (Knuth, TAOCP 3, 6.4).
pub const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The set in which a cgroup id is looked for at the given one of [`PROBES`](crate::limits::PROBES) tries, among
/// `1 << set_bits` sets.
#[inline(always)]
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "the shift leaves `set_bits` bits, at most 31")]
pub const fn set_of(cgroup_id: u64, set_bits: u32, probe: u32) -> u32 {
    // Folding the id first breaks up the strides that multiplication alone maps onto few sets.
    let first = (cgroup_id ^ cgroup_id >> 7).wrapping_mul(GOLDEN) >> (64 - set_bits);
    (first as u32).wrapping_add(probe) & ((1 << set_bits) - 1)
}

/// The dimensions of the slot tables: what the loader sizes the maps by and the programs index them by.
///
/// The programs read these as they are, so what follows from others is computed once, by [`Geometry::new`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// log2 of the sets on each CPU; 3 to 20.
    pub set_bits: u32,
    /// CPUs that can come online; a CPU past it is not counted.
    pub cpus: u32,
    /// Sets of one CPU.
    pub sets: u32,
    /// Slots of one CPU that a cgroup can own. The one after them is shared by all cgroups without one.
    pub owned_slots: u32,
}

impl Geometry {
    /// Tables of `1 << set_bits` sets on each CPU.
    #[must_use]
    pub const fn new(set_bits: u32, cpus: u32) -> Self {
        let sets = 1 << set_bits;
        Self { set_bits, cpus, sets, owned_slots: sets * WAYS }
    }

    /// The slot of one CPU that all cgroups without one share.
    #[inline(always)]
    #[must_use]
    pub const fn overflow_slot(self) -> u32 {
        self.owned_slots
    }

    /// Index of a CPU's first slot in the counter maps.
    #[inline(always)]
    #[must_use]
    pub const fn first_slot(self, cpu: u32) -> u32 {
        cpu * (self.owned_slots + 1)
    }

    /// Index of a CPU's first set in the tag map.
    #[inline(always)]
    #[must_use]
    pub const fn first_set(self, cpu: u32) -> u32 {
        cpu * self.sets
    }

    /// Entries of the counter maps.
    #[must_use]
    pub const fn counter_entries(self) -> u32 {
        self.first_slot(self.cpus)
    }

    /// Entries of the tag map.
    #[must_use]
    pub const fn tag_entries(self) -> u32 {
        self.first_set(self.cpus)
    }
}

/// A task's own kernel counters, all of which only grow.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskTotals {
    /// `task->nvcsw`.
    pub voluntary_switches: u64,
    /// `task->nivcsw`.
    pub involuntary_switches: u64,
    /// `task->se.sum_exec_runtime` in nanoseconds.
    pub on_cpu_ns: u64,
    /// `task->min_flt`.
    pub minor_faults: u64,
    /// `task->maj_flt`.
    pub major_faults: u64,
    /// `task->sched_info.run_delay` in nanoseconds.
    pub run_delay_ns: u64,
}

/// What has been booked of a task: its totals at the end of its last turn, or at a flush since.
///
/// The table is shared by the CPUs and indexed by the task's number: the distance of its `task_struct` from an address
/// that does not move. Not by tid: a thread that executes a program takes over its leader's tid. A task is in the entry that
/// [`seen_index`] names or in one of the [`SEEN_PROBES`](crate::limits::SEEN_PROBES)` - 1` after it, until it is dead.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeenTask {
    /// Whose entry this is: a task's number; 0 is free.
    pub task: u64,
    /// What has been booked.
    pub totals: TaskTotals,
    /// Low half of `task->se.nr_migrations`.
    pub migrations: u32,
    /// The turn whose wait the histogram has already: the low half of the number of switches at its end; 0 is none.
    pub counted_turn: u32,
}

/// Where a task's [`SeenTask`] is looked for first, among `1 << bits` entries.
#[inline(always)]
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "the shift leaves `bits` bits, at most 31")]
pub const fn seen_index(task: u64, bits: u32) -> u32 {
    (task.wrapping_mul(GOLDEN) >> (64 - bits)) as u32
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::limits::{PROBES, SEEN_PROBES};

    #[test]
    fn half_full_tables_have_a_slot_for_every_id() {
        // Debian's kernels take 20 to 80 inode numbers a cgroup.
        let geometry = Geometry::new(9, 1);
        for stride in 1..130 {
            let mut load = vec![0_u32; geometry.sets as usize];
            for n in 0..u64::from(geometry.owned_slots / 2) {
                let set = (0..PROBES)
                    .map(|probe| set_of(1000 + n * stride, geometry.set_bits, probe) as usize)
                    .find(|&set| load[set] < WAYS);
                load[set.unwrap_or_else(|| panic!("stride {stride}: no room for cgroup {n}"))] += 1;
            }
        }
    }

    #[test]
    fn tasks_of_one_slab_do_not_collide() {
        // Three objects of 9 856 bytes in each slab of 32 KiB, in the kernel's direct map.
        let address = |n: u64| 0xffff_8881_0240_0000 + n / 3 * 0x8000 + n % 3 * 9856;
        let tasks = 2_000;
        let indices: HashSet<u32> = (0..tasks).map(|n| seen_index(address(n), 16)).collect();
        assert!(indices.iter().all(|&index| index < 1 << 16));
        assert!(indices.len() as u64 > tasks * 95 / 100, "only {} entries", indices.len());
    }

    #[test]
    fn a_table_of_tasks_that_is_full_to_a_quarter_has_room_for_every_one() {
        let (bits, tasks) = (16, 1 << 14);
        let mut taken = vec![false; 1 << bits];
        for n in 0..tasks {
            let first = seen_index(0xffff_8881_0240_0000 + n / 3 * 0x8000 + n % 3 * 9856, bits);
            let places = (0..SEEN_PROBES).map(|probe| ((first + probe) & ((1 << bits) - 1)) as usize);
            let free = places.clone().find(|&place| !taken[place]);
            taken[free.unwrap_or_else(|| panic!("no room for task {n}"))] = true;
        }
    }

    #[test]
    fn probes_wrap_around() {
        let sets: HashSet<u32> = (0..PROBES).map(|probe| set_of(77, 3, probe)).collect();
        assert_eq!(sets.len(), 8);
    }

    #[test]
    fn cpus_do_not_overlap() {
        let geometry = Geometry::new(3, 3);
        assert_eq!(geometry.first_slot(1), geometry.overflow_slot() + 1);
        assert_eq!(geometry.first_slot(2) + geometry.overflow_slot() + 1, geometry.counter_entries());
        assert_eq!(geometry.first_set(2) + geometry.sets, geometry.tag_entries());
    }
}
