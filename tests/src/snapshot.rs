//! The part of monitor's JSON that the tests read. What they do not name here, the schema test checks.
#![expect(missing_docs, reason = "monitor's own schema says what its fields are")]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::truth::Tasks;

/// One line of a stream.
#[derive(Clone, Debug, Deserialize)]
pub struct Snapshot {
    pub taken_at: Timestamp,
    pub window_ns: u64,
    pub host: Host,
    pub containers: Vec<Container>,
    pub cgroups: Vec<CgroupEntry>,
    pub audit: Audit,
    pub coverage: Coverage,
    /// All of it, as it was written.
    #[serde(skip)]
    pub line: String,
}

impl Snapshot {
    /// Reads one line.
    #[must_use]
    pub fn parse(line: &str) -> Self {
        let snapshot = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
        Self { line: line.to_owned(), ..snapshot }
    }

    /// When its window began.
    #[must_use]
    pub fn begun_at(&self) -> Timestamp {
        let window = SignedDuration::from_nanos(self.window_ns.try_into().expect("a window of years"));
        self.taken_at - window
    }

    /// Every entry of this container id, the newest series last.
    pub fn series(&self, id: &str) -> impl Iterator<Item = &Container> {
        self.containers.iter().filter(move |container| container.id == id)
    }

    /// The one entry of this container id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Container> {
        let mut series = self.series(id);
        let container = series.next();
        assert!(series.next().is_none(), "{id} is listed more than once");
        container
    }

    /// The one entry of this container id, which must be there.
    #[must_use]
    pub fn container(&self, id: &str) -> &Container {
        let listed = || self.containers.iter().map(|container| &container.id).collect::<Vec<_>>();
        self.find(id).unwrap_or_else(|| panic!("{id} is not among {:?}", listed()))
    }

    /// The cgroup that is no container's with this id.
    #[must_use]
    pub fn cgroup(&self, id: u64) -> Option<&CgroupEntry> {
        self.cgroups.iter().find(|entry| entry.cgroup.id == id)
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct Host {
    pub cgroup_mode: Option<String>,
    pub cpus: u64,
    pub cpu: CpuTimes,
    pub per_cpu: Option<Vec<NumberedCpu>>,
    pub scheduler: HostScheduler,
    pub memory: HostMemory,
    pub faults: HostFaults,
    pub disks: Option<Vec<Disk>>,
    pub filesystems: Option<Vec<HostFilesystem>>,
    pub interfaces: Option<Vec<HostInterface>>,
    pub ownerless_drops: Option<Vec<PacketDrops>>,
    pub pressure: Pressure,
}

#[derive(Clone, Debug, Deserialize)]
pub struct CpuTimes {
    pub user_ns_total: Option<u64>,
    pub system_ns_total: Option<u64>,
    pub idle_ns_total: Option<u64>,
    pub busy_cores: Option<f64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct NumberedCpu {
    pub number: u64,
    #[serde(flatten)]
    pub times: CpuTimes,
}

#[derive(Clone, Debug, Deserialize)]
pub struct HostScheduler {
    pub switches_total: Option<u64>,
    pub switches_per_second: Option<f64>,
    pub forks_total: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct HostMemory {
    pub total_bytes: Option<u64>,
    pub swap_total_bytes: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct HostFaults {
    pub minor_total: Option<u64>,
    pub major_total: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Disk {
    pub name: String,
    pub read_bytes_total: Option<u64>,
    pub write_bytes_total: Option<u64>,
    pub write_ops_total: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct HostFilesystem {
    pub mount_point: String,
    pub fs_type: String,
    pub capacity_bytes: Option<u64>,
    pub used_bytes: Option<u64>,
    pub available_bytes: Option<u64>,
    pub inodes: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct HostInterface {
    pub name: String,
    pub rx_bytes_total: Option<u64>,
    pub tx_bytes_total: Option<u64>,
    pub tx_packets_total: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Audit {
    pub since: Option<Timestamp>,
    pub switches: Option<Comparison>,
    pub faults: Option<Comparison>,
    pub on_cpu_ns: Option<Comparison>,
    pub sampled_on_cpu_ns: Option<Comparison>,
    pub agent: Agent,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Comparison {
    pub counted: u64,
    pub machine: u64,
    pub error: i64,
    pub error_percent: Option<f64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Agent {
    pub cpu_ns_total: Option<u64>,
    pub resident_bytes: Option<u64>,
    pub map_bytes: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Container {
    pub id: String,
    pub short_id: String,
    pub name: Option<String>,
    pub image: Option<String>,
    pub runtime: String,
    pub state: String,
    pub exit_code: Option<i64>,
    pub created_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub labels: BTreeMap<String, String>,
    pub pod: Option<Pod>,
    pub counting_since: Timestamp,
    pub cgroup: Cgroup,
    #[serde(flatten)]
    pub measured: Measurements,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Pod {
    pub name: Option<String>,
    pub namespace: Option<String>,
    pub uid: String,
}

impl Container {
    /// Whether its totals are final.
    #[must_use]
    pub fn is_exited(&self) -> bool {
        self.state == "exited"
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct CgroupEntry {
    pub cgroup: Cgroup,
    pub kind: Option<String>,
    pub name: Option<String>,
    #[serde(flatten)]
    pub measured: Measurements,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Cgroup {
    pub id: u64,
    pub path: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Measurements {
    pub scheduler: Scheduler,
    pub tasks: TaskStates,
    pub faults: Faults,
    pub network: Network,
    pub cpu: Cpu,
    pub memory: Memory,
    pub block_io: BlockIo,
    pub filesystems: Filesystems,
    pub pids: Pids,
    pub pressure: Pressure,
    pub interference: Option<Vec<Interference>>,
    pub block_interference: Option<Vec<BlockInterference>>,
}

impl Measurements {
    /// What is shown in place of what `/proc` has of each task.
    ///
    /// # Panics
    ///
    /// If any of it was not measured.
    #[must_use]
    pub fn task_totals(&self) -> Tasks {
        let Self { scheduler, faults, .. } = self;
        Tasks {
            voluntary: scheduler.voluntary_switches_total.expect("voluntary switches"),
            involuntary: scheduler.involuntary_switches_total.expect("involuntary switches"),
            on_cpu_ns: scheduler.on_cpu_ns_total.expect("time on a CPU"),
            runq_wait_ns: scheduler.runq_wait_ns_total.expect("run-queue wait"),
            minor: faults.minor_total.expect("minor faults"),
            major: faults.major_total.expect("major faults"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Filesystems {
    pub used_bytes: Option<u64>,
    pub used_inodes: Option<u64>,
    pub volumes_bytes: Option<u64>,
    pub capacity_bytes: Option<u64>,
    pub available_bytes: Option<u64>,
    pub inodes: Option<u64>,
    pub writable_layer: Option<Tree>,
    pub logs: Option<Tree>,
    pub volumes: Option<Vec<Volume>>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Tree {
    pub path: String,
    pub method: Option<String>,
    pub measured_at: Option<Timestamp>,
    pub used_bytes: Option<u64>,
    pub apparent_bytes: Option<u64>,
    pub used_inodes: Option<u64>,
    pub age_ns: Option<u64>,
    pub uncounted_entries: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Volume {
    pub kind: String,
    pub name: Option<String>,
    pub destination: String,
    #[serde(flatten)]
    pub tree: Tree,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Interference {
    pub source: String,
    pub id: Option<String>,
    pub name: Option<String>,
    pub wait_ns_total: u64,
    pub waits_total: u64,
    pub preemptions_total: u64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct TaskStates {
    pub running: Option<u64>,
    pub sleeping: Option<u64>,
    pub disk_sleep: Option<u64>,
    pub io_wait: Option<u64>,
    pub stopped: Option<u64>,
    pub zombie: Option<u64>,
    pub frozen: Option<u64>,
    pub idle: Option<u64>,
    pub load_10s: Option<f64>,
    pub running_10s: Option<f64>,
    pub disk_sleep_10s: Option<f64>,
    pub age_ns: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Scheduler {
    pub timeslices_total: Option<u64>,
    pub voluntary_switches_total: Option<u64>,
    pub involuntary_switches_total: Option<u64>,
    pub on_cpu_ns_total: Option<u64>,
    pub on_cpu_ns_by_cpu: Option<Vec<u64>>,
    pub runq_wait_ns_total: Option<u64>,
    pub migrations_total: Option<u64>,
    pub execs_total: Option<u64>,
    pub starts_total: Option<u64>,
    pub exits_total: Option<u64>,
    pub runq_latency: Option<Latency>,
    pub timeslices: Option<Latency>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Latency {
    pub count: u64,
    pub p50_ns: Option<u64>,
    pub p99_ns: Option<u64>,
    pub max_ns: Option<u64>,
    pub buckets: Vec<LatencyBucket>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LatencyBucket {
    pub from_ns: u64,
    pub to_ns: Option<u64>,
    pub count: u64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Faults {
    pub minor_total: Option<u64>,
    pub major_total: Option<u64>,
    pub user_exceptions_total: Option<u64>,
    pub kernel_exceptions_total: Option<u64>,
    pub major_ns_total: Option<u64>,
    pub major_latency: Option<Latency>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Network {
    pub rx_bytes_total: Option<u64>,
    pub rx_packets_total: Option<u64>,
    pub tx_bytes_total: Option<u64>,
    pub tx_packets_total: Option<u64>,
    pub rx_segments_total: Option<u64>,
    pub tx_segments_total: Option<u64>,
    pub rx_wire_bytes_total: Option<u64>,
    pub tx_wire_bytes_total: Option<u64>,
    pub tcp_retransmits_total: Option<u64>,
    pub tcp_resets_sent_total: Option<u64>,
    pub tcp_resets_received_total: Option<u64>,
    pub tcp_opened_total: Option<u64>,
    pub tcp_accepted_total: Option<u64>,
    pub tcp_failed_total: Option<u64>,
    pub tcp_open: Option<u64>,
    pub udp_rx_datagrams_total: Option<u64>,
    pub udp_tx_datagrams_total: Option<u64>,
    pub udp_rx_bytes_total: Option<u64>,
    pub udp_tx_bytes_total: Option<u64>,
    pub udp_full_buffer_drops_total: Option<u64>,
    pub udp_no_memory_drops_total: Option<u64>,
    pub dropped_packets_total: Option<u64>,
    pub tcp_connect_latency: Option<Latency>,
    pub tcp_rtt: Option<Latency>,
    pub drops: Option<Vec<PacketDrops>>,
    pub interfaces: Option<Vec<Interface>>,
}

impl Network {
    /// Packets thrown away for a reason.
    #[must_use]
    pub fn dropped_for(&self, reason: &str) -> u64 {
        packets_for(self.drops.as_deref(), reason)
    }
}

/// Packets thrown away for a reason.
#[must_use]
pub fn packets_for(drops: Option<&[PacketDrops]>, reason: &str) -> u64 {
    let drops = drops.expect("drops by reason").iter();
    drops.filter(|drops| drops.reason.as_deref() == Some(reason)).map(|drops| drops.packets_total).sum()
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PacketDrops {
    pub reason: Option<String>,
    pub packets_total: u64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Interface {
    pub name: String,
    pub rx_bytes_total: u64,
    pub rx_packets_total: u64,
    pub tx_bytes_total: u64,
    pub tx_packets_total: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Cpu {
    pub usage_ns_total: Option<u64>,
    pub user_ns_total: Option<u64>,
    pub system_ns_total: Option<u64>,
    pub throttled_ns_total: Option<u64>,
    pub periods_total: Option<u64>,
    pub throttled_periods_total: Option<u64>,
    pub quota_us: Option<i64>,
    pub period_us: Option<u64>,
    pub shares_or_weight: Option<u64>,
    pub cpuset: Option<String>,
    pub throttled_period: Option<Latency>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Memory {
    pub direct_reclaims_total: Option<u64>,
    pub limit_reclaims_total: Option<u64>,
    pub limit_reclaim_ns_total: Option<u64>,
    pub oom_victims_total: Option<u64>,
    pub limit_hits_total: Option<u64>,
    pub current_bytes: Option<u64>,
    pub limit_bytes: Option<i64>,
    pub working_set_bytes: Option<u64>,
    pub anon_bytes: Option<u64>,
    pub file_bytes: Option<u64>,
    pub peak_bytes: Option<u64>,
    pub inactive_file_bytes: Option<u64>,
    pub active_anon_bytes: Option<u64>,
    pub inactive_anon_bytes: Option<u64>,
    pub dirty_bytes: Option<u64>,
    pub unevictable_bytes: Option<u64>,
    pub oom_kills_total: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct BlockIo {
    pub read_bytes_total: Option<u64>,
    pub write_bytes_total: Option<u64>,
    pub read_ops_total: Option<u64>,
    pub write_ops_total: Option<u64>,
    pub flush_ops_total: Option<u64>,
    pub read_ns_total: Option<u64>,
    pub write_ns_total: Option<u64>,
    pub untimed_ops_total: Option<u64>,
    pub charged_read_bytes_total: Option<u64>,
    pub charged_write_bytes_total: Option<u64>,
    pub devices: Option<Vec<BlockDevice>>,
    pub read_latency: Option<Latency>,
    pub write_latency: Option<Latency>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct BlockInterference {
    pub source: String,
    pub id: Option<String>,
    pub name: Option<String>,
    pub wait_ns_total: u64,
    pub waits_total: u64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct BlockDevice {
    pub device: String,
    pub name: Option<String>,
    pub read_bytes_total: Option<u64>,
    pub write_bytes_total: Option<u64>,
    pub read_ops_total: Option<u64>,
    pub write_ops_total: Option<u64>,
    pub read_ns_total: Option<u64>,
    pub write_ns_total: Option<u64>,
    pub discard_bytes_total: Option<u64>,
    pub discard_ops_total: Option<u64>,
    pub flush_ops_total: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Pids {
    pub current: Option<u64>,
    pub limit: Option<i64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Pressure {
    pub cpu: Option<Stall>,
    pub memory: Option<Stall>,
    pub io: Option<Stall>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Stall {
    pub some: Option<StallShare>,
    pub full: Option<StallShare>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct StallShare {
    pub stall_us_total: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Coverage {
    pub census_ns: Option<u64>,
    pub probes: Vec<Probe>,
    pub lost: BTreeMap<String, u64>,
    pub sources: BTreeMap<String, Source>,
}

impl Coverage {
    /// What was lost. Not tasks that the kernel hides from every program, as some hypervisors' guests do: they are no
    /// container's.
    pub fn losses(&self) -> impl Iterator<Item = (&str, u64)> {
        let losses = self.lost.iter().map(|(what, count)| (what.as_str(), *count));
        losses.filter(|(what, count)| *count > 0 && *what != "hidden_tasks_total")
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct Probe {
    pub name: String,
    pub state: String,
    pub reason: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Source {
    pub state: String,
    pub reason: Option<String>,
    pub origin: Option<String>,
}
