//! The JSON that clients of cAdvisor decode: the types of its REST API v1, of which v2 and the metrics are made.
//!
//! Field names are cAdvisor's, misspelt ones too. What was not measured is `null`, which decoders written for cAdvisor
//! read as the 0 that it would have said; what no version of monitor measures is left out (docs/cadvisor.md).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

/// What cAdvisor says for a limit that is none.
pub(super) const UNLIMITED: u64 = u64::MAX;

/// A container, or a cgroup that is none, with its latest statistics.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ContainerInfo {
    #[serde(flatten)]
    pub(super) reference: Reference,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) subcontainers: Vec<Reference>,
    pub(super) spec: Spec,
    /// The oldest first.
    pub(super) stats: Vec<Stats>,
}

/// Who it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Reference {
    /// The runtime's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    /// The cgroup's path.
    pub(super) name: String,
    /// The runtime's name for it, and its id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) aliases: Vec<String>,
    /// Who runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<String>,
}

/// What it may use.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "as cAdvisor has it")]
pub(super) struct Spec {
    pub(super) creation_time: Option<Timestamp>,
    pub(super) start_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) labels: BTreeMap<String, String>,
    pub(super) has_cpu: bool,
    pub(super) cpu: CpuSpec,
    pub(super) has_memory: bool,
    pub(super) memory: MemorySpec,
    pub(super) has_hugetlb: bool,
    pub(super) has_network: bool,
    pub(super) has_processes: bool,
    pub(super) processes: ProcessSpec,
    pub(super) has_filesystem: bool,
    pub(super) has_diskio: bool,
    pub(super) has_custom_metrics: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct CpuSpec {
    /// CPU shares.
    pub(super) limit: Option<u64>,
    pub(super) max_limit: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mask: Option<String>,
    /// Microseconds; left out without a quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) quota: Option<u64>,
    /// Microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) period: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct MemorySpec {
    pub(super) limit: Option<u64>,
    pub(super) swap_limit: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct ProcessSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<u64>,
}

/// One reading.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "cAdvisor's names")]
pub(super) struct Stats {
    pub(super) timestamp: Timestamp,
    pub(super) cpu: Cpu,
    pub(super) diskio: DiskIo,
    pub(super) memory: Memory,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) hugetlb: BTreeMap<&'static str, HugePages>,
    pub(super) network: Network,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) filesystem: Vec<Filesystem>,
    pub(super) task_stats: Load,
    pub(super) processes: Processes,
    pub(super) oom_events: Option<u64>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Cpu {
    pub(super) usage: CpuUsage,
    pub(super) cfs: Quota,
    pub(super) schedstat: Schedstat,
    /// Runnable tasks times 1 000, smoothed over ten seconds.
    pub(super) load_average: Option<u64>,
    /// The same of tasks in uninterruptible sleep.
    pub(super) load_d_average: Option<u64>,
    pub(super) psi: Pressure,
}

/// Nanoseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct CpuUsage {
    pub(super) total: Option<u64>,
    pub(super) user: Option<u64>,
    pub(super) system: Option<u64>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Quota {
    pub(super) periods: Option<u64>,
    pub(super) throttled_periods: Option<u64>,
    /// Nanoseconds.
    pub(super) throttled_time: Option<u64>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Schedstat {
    /// Nanoseconds.
    pub(super) run_time: Option<u64>,
    /// Nanoseconds.
    pub(super) runqueue_time: Option<u64>,
    pub(super) run_periods: Option<u64>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Pressure {
    pub(super) full: Option<PressureShare>,
    pub(super) some: Option<PressureShare>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct PressureShare {
    /// Microseconds.
    pub(super) total: u64,
    pub(super) avg10: f64,
    pub(super) avg60: f64,
    pub(super) avg300: f64,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct DiskIo {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) io_service_bytes: Vec<DeviceStats>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) io_serviced: Vec<DeviceStats>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) io_queued: Vec<DeviceStats>,
    /// Nanoseconds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) io_service_time: Vec<DeviceStats>,
    /// Nanoseconds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) io_time: Vec<DeviceStats>,
    pub(super) psi: Pressure,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct DeviceStats {
    /// As in `/dev/sda`.
    pub(super) device: String,
    pub(super) major: u64,
    pub(super) minor: u64,
    /// By operation: `Read`, `Write`, or what there is no more than one of, `Total` or `Count`.
    pub(super) stats: BTreeMap<&'static str, u64>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Memory {
    pub(super) usage: Option<u64>,
    pub(super) max_usage: Option<u64>,
    pub(super) cache: Option<u64>,
    pub(super) rss: Option<u64>,
    pub(super) swap: Option<u64>,
    pub(super) mapped_file: Option<u64>,
    pub(super) working_set: Option<u64>,
    pub(super) total_active_file: Option<u64>,
    pub(super) total_inactive_file: Option<u64>,
    pub(super) file_dirty: Option<u64>,
    pub(super) file_writeback: Option<u64>,
    pub(super) pgscan: Option<u64>,
    pub(super) pgsteal: Option<u64>,
    pub(super) workingset_refault_file: Option<u64>,
    pub(super) workingset_refault_anon: Option<u64>,
    pub(super) failcnt: Option<u64>,
    pub(super) kernel: Option<u64>,
    pub(super) container_data: MemoryData,
    pub(super) hierarchical_data: MemoryData,
    pub(super) psi: Pressure,
    pub(super) events: MemoryEvents,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct MemoryData {
    pub(super) pgfault: Option<u64>,
    pub(super) pgmajfault: Option<u64>,
    pub(super) numa_stats: NumaStats,
}

/// Pages by node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct NumaStats {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) file: BTreeMap<u32, u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) anon: BTreeMap<u32, u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) unevictable: BTreeMap<u32, u64>,
}

/// Of cgroup v2.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct MemoryEvents {
    pub(super) high: Option<u64>,
    pub(super) max: Option<u64>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct HugePages {
    pub(super) usage: u64,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Network {
    /// The first of them.
    #[serde(flatten)]
    pub(super) first: Option<Interface>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) interfaces: Vec<Interface>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Interface {
    pub(super) name: String,
    pub(super) rx_bytes: Option<u64>,
    pub(super) rx_packets: Option<u64>,
    pub(super) rx_errors: Option<u64>,
    pub(super) rx_dropped: Option<u64>,
    pub(super) tx_bytes: Option<u64>,
    pub(super) tx_packets: Option<u64>,
    pub(super) tx_errors: Option<u64>,
    pub(super) tx_dropped: Option<u64>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Filesystem {
    pub(super) device: String,
    #[serde(rename = "type")]
    pub(super) fs_type: String,
    pub(super) capacity: Option<u64>,
    pub(super) usage: Option<u64>,
    /// Of a container: what it wrote over its image.
    pub(super) base_usage: Option<u64>,
    pub(super) available: Option<u64>,
    pub(super) has_inodes: bool,
    pub(super) inodes: Option<u64>,
    pub(super) inodes_free: Option<u64>,
    /// Of the machine's: the disk that it is on.
    #[serde(flatten)]
    pub(super) disk: Option<DiskStats>,
    /// Inodes that the container takes, which v2 alone tells.
    #[serde(skip)]
    pub(super) inode_usage: Option<u64>,
}

/// What a disk did; times are milliseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct DiskStats {
    pub(super) reads_completed: Option<u64>,
    pub(super) sectors_read: Option<u64>,
    pub(super) read_time: Option<u64>,
    pub(super) writes_completed: Option<u64>,
    pub(super) sectors_written: Option<u64>,
    pub(super) write_time: Option<u64>,
    pub(super) io_in_progress: Option<u64>,
    pub(super) io_time: Option<u64>,
}

#[derive(Clone, Debug, Default, Serialize)]
#[expect(clippy::struct_field_names, reason = "cAdvisor's names")]
pub(super) struct Load {
    pub(super) nr_sleeping: Option<u64>,
    pub(super) nr_running: Option<u64>,
    pub(super) nr_stopped: Option<u64>,
    pub(super) nr_uninterruptible: Option<u64>,
    pub(super) nr_io_wait: Option<u64>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Processes {
    pub(super) threads_current: Option<u64>,
    /// 0 is no limit.
    pub(super) threads_max: Option<u64>,
}
