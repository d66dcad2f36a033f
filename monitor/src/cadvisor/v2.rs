//! The types of cAdvisor's REST API v2, made of those of v1.

use jiff::Timestamp;
use serde::Serialize;

use super::info::{
    Cpu, DiskIo, DiskStats, Filesystem, HugePages, Interface, Load, Memory, Network, Processes, Reference,
    Spec, Stats,
};
use std::collections::BTreeMap;

/// `spec`: that of v1 with the other names.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ContainerSpec {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    #[serde(flatten)]
    spec: Spec,
}

/// `stats` of v2.1.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ContainerInfo {
    pub(super) spec: ContainerSpec,
    pub(super) stats: Vec<ContainerStats>,
}

/// One reading; what the container has none of is left out.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ContainerStats {
    timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu: Option<Cpu>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_inst: Option<CpuInst>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diskio: Option<DiskIo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<Memory>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    hugetlb: BTreeMap<&'static str, HugePages>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<NetworkStats>,
    #[serde(skip_serializing_if = "Option::is_none")]
    processes: Option<Processes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filesystem: Option<FilesystemStats>,
    load_stats: Load,
}

/// `stats` of v2.0, which says what the container has.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "as cAdvisor has it")]
pub(super) struct DeprecatedStats {
    timestamp: Timestamp,
    has_cpu: bool,
    cpu: Cpu,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_inst: Option<CpuInst>,
    has_diskio: bool,
    diskio: DiskIo,
    has_memory: bool,
    memory: Memory,
    has_hugetlb: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    hugetlb: BTreeMap<&'static str, HugePages>,
    has_network: bool,
    network: NetworkStats,
    has_processes: bool,
    processes: Processes,
    has_filesystem: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    filesystem: Vec<Filesystem>,
    has_load: bool,
    load_stats: Load,
    has_custom_metrics: bool,
}

/// `machinestats`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct MachineStats {
    timestamp: Timestamp,
    cpu: Cpu,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_inst: Option<CpuInst>,
    diskio: DiskIo,
    memory: Memory,
    network: NetworkStats,
    filesystem: Vec<MachineFilesystem>,
    load_stats: Load,
}

/// CPU use between the reading before and this one, in billionths of a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct CpuInst {
    usage: CpuInstUsage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct CpuInstUsage {
    total: Option<u64>,
    user: Option<u64>,
    system: Option<u64>,
}

#[derive(Clone, Debug, Serialize)]
struct NetworkStats {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    interfaces: Vec<Interface>,
}

#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "cAdvisor's names")]
struct FilesystemStats {
    #[serde(rename = "totalUsageBytes", skip_serializing_if = "Option::is_none")]
    total_usage: Option<u64>,
    #[serde(rename = "baseUsageBytes", skip_serializing_if = "Option::is_none")]
    base_usage: Option<u64>,
    /// cAdvisor's spelling.
    #[serde(rename = "containter_inode_usage", skip_serializing_if = "Option::is_none")]
    inode_usage: Option<u64>,
}

#[derive(Clone, Debug, Serialize)]
struct MachineFilesystem {
    device: String,
    #[serde(rename = "type")]
    fs_type: String,
    capacity: Option<u64>,
    usage: Option<u64>,
    available: Option<u64>,
    inodes_free: Option<u64>,
    /// A Go tag that went wrong: the figures are one level down.
    inline: MachineDiskStats,
}

/// Times are durations, in nanoseconds.
#[derive(Clone, Debug, Default, Serialize)]
struct MachineDiskStats {
    reads_completed: Option<u64>,
    sectors_read: Option<u64>,
    read_duration: Option<u64>,
    writes_completed: Option<u64>,
    sectors_written: Option<u64>,
    write_duration: Option<u64>,
    io_in_progress: Option<u64>,
    io_duration: Option<u64>,
}

/// The specification, with quota and period, which cAdvisor forgets.
pub(super) fn container_spec(reference: Reference, spec: Spec) -> ContainerSpec {
    ContainerSpec { aliases: reference.aliases, namespace: reference.namespace, spec }
}

/// Readings of v2.1, the oldest first as these are.
pub(super) fn container_stats(stats: Vec<Stats>) -> Vec<ContainerStats> {
    with_instant_use(stats)
        .map(|(stats, cpu_inst)| ContainerStats {
            timestamp: stats.timestamp,
            cpu_inst,
            diskio: has_diskio(&stats).then_some(stats.diskio),
            hugetlb: stats.hugetlb,
            network: has_network(&stats.network).then(|| network(stats.network)),
            processes: stats.processes.threads_current.is_some().then_some(stats.processes),
            filesystem: stats.filesystem.first().map(filesystem),
            cpu: stats.cpu.usage.total.is_some().then_some(stats.cpu),
            memory: stats.memory.usage.is_some().then_some(stats.memory),
            load_stats: stats.task_stats,
        })
        .collect()
}

/// Readings of v2.0.
pub(super) fn deprecated_stats(stats: Vec<Stats>) -> Vec<DeprecatedStats> {
    with_instant_use(stats)
        .map(|(stats, cpu_inst)| DeprecatedStats {
            timestamp: stats.timestamp,
            has_cpu: stats.cpu.usage.total.is_some(),
            cpu_inst,
            has_diskio: has_diskio(&stats),
            has_memory: stats.memory.usage.is_some(),
            has_hugetlb: !stats.hugetlb.is_empty(),
            has_network: has_network(&stats.network),
            has_processes: stats.processes.threads_current.is_some(),
            has_filesystem: !stats.filesystem.is_empty(),
            has_load: stats.task_stats.nr_running.is_some(),
            has_custom_metrics: false,
            cpu: stats.cpu,
            diskio: stats.diskio,
            memory: stats.memory,
            hugetlb: stats.hugetlb,
            network: network(stats.network),
            processes: stats.processes,
            filesystem: stats.filesystem,
            load_stats: stats.task_stats,
        })
        .collect()
}

/// Readings of the machine.
pub(super) fn machine_stats(stats: Vec<Stats>) -> Vec<MachineStats> {
    with_instant_use(stats)
        .map(|(stats, cpu_inst)| MachineStats {
            timestamp: stats.timestamp,
            cpu: stats.cpu,
            cpu_inst,
            diskio: stats.diskio,
            memory: stats.memory,
            network: network(stats.network),
            filesystem: stats.filesystem.into_iter().map(machine_filesystem).collect(),
            load_stats: stats.task_stats,
        })
        .collect()
}

/// Each reading with the CPU use since the one before.
fn with_instant_use(stats: Vec<Stats>) -> impl Iterator<Item = (Stats, Option<CpuInst>)> {
    let mut before: Option<Stats> = None;
    stats.into_iter().map(move |now| {
        let instant = before.replace(now.clone()).and_then(|before| cpu_inst(&before, &now));
        (now, instant)
    })
}

/// `None` where no time passed between them, or a counter went backwards.
pub(super) fn cpu_inst(before: &Stats, now: &Stats) -> Option<CpuInst> {
    let ns = u128::try_from(now.timestamp.duration_since(before.timestamp).as_nanos()).ok()?;
    let rate = |before: Option<u64>, now: Option<u64>| {
        let grown = now?.checked_sub(before?)?;
        u64::try_from(u128::from(grown) * 1_000_000_000 / Some(ns).filter(|ns| *ns > 0)?).ok()
    };
    let (before, now) = (&before.cpu.usage, &now.cpu.usage);
    let usage = CpuInstUsage {
        total: rate(before.total, now.total),
        user: rate(before.user, now.user),
        system: rate(before.system, now.system),
    };
    usage.total.map(|_| CpuInst { usage })
}

impl CpuInst {
    /// In billionths of a CPU.
    pub(super) fn total(self) -> Option<u64> {
        self.usage.total
    }
}

fn has_diskio(stats: &Stats) -> bool {
    !stats.diskio.io_serviced.is_empty() || !stats.diskio.io_service_bytes.is_empty()
}

fn has_network(network: &Network) -> bool {
    network.first.is_some()
}

fn network(network: Network) -> NetworkStats {
    NetworkStats { interfaces: network.interfaces }
}

fn filesystem(found: &Filesystem) -> FilesystemStats {
    FilesystemStats { total_usage: found.usage, base_usage: found.base_usage, inode_usage: found.inode_usage }
}

fn machine_filesystem(found: Filesystem) -> MachineFilesystem {
    let DiskStats {
        reads_completed,
        sectors_read,
        read_time,
        writes_completed,
        sectors_written,
        write_time,
        io_in_progress,
        io_time,
    } = found.disk.unwrap_or_default();
    let nanoseconds = |milliseconds: Option<u64>| milliseconds?.checked_mul(1_000_000);
    MachineFilesystem {
        device: found.device,
        fs_type: found.fs_type,
        capacity: found.capacity,
        usage: found.usage,
        available: found.available,
        inodes_free: found.inodes_free,
        inline: MachineDiskStats {
            reads_completed,
            sectors_read,
            read_duration: nanoseconds(read_time),
            writes_completed,
            sectors_written,
            write_duration: nanoseconds(write_time),
            io_in_progress,
            io_duration: nanoseconds(io_time),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cadvisor::testing::stats;

    #[test]
    fn instant_use_is_over_the_time_between_readings() {
        let instant = cpu_inst(&stats(10, 0), &stats(12, 1_000_000_000)).unwrap();
        assert_eq!(instant.total(), Some(500_000_000));
        assert_eq!(cpu_inst(&stats(10, 0), &stats(10, 5)), None);
        assert_eq!(cpu_inst(&stats(10, 9), &stats(11, 5)), None);
        assert_eq!(cpu_inst(&stats(11, 0), &stats(10, 5)), None);
    }

    #[test]
    fn the_spelling_is_cadvisor_s() {
        let mut readings = container_stats(vec![stats(1, 1), stats(2, 2)]);
        let json = serde_json::to_value(readings.pop().unwrap()).unwrap();
        assert_eq!(json["filesystem"]["totalUsageBytes"], 512);
        assert_eq!(json["cpu_inst"]["usage"]["total"], 1);
        assert_eq!(json["network"]["interfaces"][0]["name"], "eth0");
        assert!(json.get("hugetlb").is_none() && json.get("processes").is_none());
        let json = serde_json::to_value(readings.pop().unwrap()).unwrap();
        assert!(json.get("cpu_inst").is_none());
    }

    #[test]
    fn the_machine_s_disks_are_one_level_down_and_in_nanoseconds() {
        let mut found = stats(1, 1);
        found.filesystem.first_mut().unwrap().disk =
            Some(DiskStats { read_time: Some(3), ..DiskStats::default() });
        let json = serde_json::to_value(machine_stats(vec![found])).unwrap();
        assert_eq!(json[0]["filesystem"][0]["inline"]["read_duration"], 3_000_000);
    }

    #[test]
    fn v2_0_says_what_there_is() {
        let json = serde_json::to_value(deprecated_stats(vec![stats(1, 1)])).unwrap();
        assert_eq!((&json[0]["has_cpu"], &json[0]["has_hugetlb"]), (&true.into(), &false.into()));
    }
}
