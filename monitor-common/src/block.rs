//! What is counted of a cgroup's requests to a block device.
//!
//! A request completes in an interrupt or a task on any CPU, so the counters are shared by all CPUs and added to
//! atomically: requests are rare beside switches and packets.

use crate::histogram::BUCKETS;

/// Cgroups times devices that can be counted. The kernel allocates this many [`BlockCounters`] at the start.
pub const BLOCK_ENTRIES: u32 = 2048;

/// Whose requests, and to which device.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BlockKey {
    /// The kernfs id of the cgroup in the block controller's hierarchy; 0 where the request names none.
    pub cgroup: u64,
    /// The whole disk's number, major and minor as [`device`] puts them together.
    pub device: u32,
    /// Reserved; keeps the key without padding.
    pub reserved: u32,
}

/// A device's number, as the kernel has it in `dev_t` (`include/linux/kdev_t.h`).
#[inline(always)]
#[must_use]
pub const fn device(major: u32, minor: u32) -> u32 {
    major << MINOR_BITS | minor
}

/// The major and minor number of a [`device`].
#[must_use]
pub const fn major_and_minor(device: u32) -> (u32, u32) {
    (device >> MINOR_BITS, device & ((1 << MINOR_BITS) - 1))
}

const MINOR_BITS: u32 = 20;

/// Place among [`BlockCounters::requests`] of requests that read.
pub const READ: usize = 0;
/// Of requests that write, those included that write zeroes or reset a zone.
pub const WRITE: usize = 1;
/// Of requests to forget blocks.
pub const DISCARD: usize = 2;
/// Of requests without data that wait until the device has written its cache: `fsync` of what is written already.
pub const FLUSH: usize = 3;

/// Requests of one kind.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Requests completed.
    pub operations: u64,
    /// Bytes completed, also of requests that are not complete yet.
    pub bytes: u64,
    /// From the beginning of each request to its completion, in nanoseconds.
    pub total_ns: u64,
    /// The part of that before the request was issued to the device.
    pub queue_ns: u64,
    /// Requests whose times the kernel did not take.
    pub untimed: u64,
}

/// How long requests took, each.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestTimes {
    /// The longest time from issue to completion. Of two at the same moment it may miss one.
    pub latency_max_ns: u64,
    /// The longest time from the beginning to issue.
    pub queue_max_ns: u64,
    /// From issue to completion, in the buckets of [`crate::histogram`]. The counts wrap.
    pub latency: [u32; BUCKETS],
    /// From the beginning to issue.
    pub queue: [u32; BUCKETS],
}

impl Default for RequestTimes {
    fn default() -> Self {
        Self { latency_max_ns: 0, queue_max_ns: 0, latency: [0; BUCKETS], queue: [0; BUCKETS] }
    }
}

/// All that is counted for one cgroup and device.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockCounters {
    /// By kind: [`READ`], [`WRITE`], [`DISCARD`], [`FLUSH`].
    pub requests: [Requests; 4],
    /// Of [`READ`] and [`WRITE`].
    pub times: [RequestTimes; 2],
}

const _: () = assert!(size_of::<BlockKey>() == 16, "no padding");
const _: () = assert!(size_of::<Requests>() == 40, "no padding");
const _: () = assert!(size_of::<RequestTimes>() == 16 + 8 * BUCKETS, "no padding");
const _: () = assert!(size_of::<BlockCounters>() == 4 * 40 + 2 * (16 + 8 * BUCKETS), "no padding");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_its_numbers() {
        assert_eq!(device(259, 3), 0x1030_0003);
        assert_eq!(major_and_minor(device(259, 3)), (259, 3));
        assert_eq!(major_and_minor(device(8, (1 << 20) - 1)), (8, (1 << 20) - 1));
    }
}
