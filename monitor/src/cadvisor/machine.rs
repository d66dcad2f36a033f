//! The machine as cAdvisor describes it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    host::{self, Machine},
    model::Snapshot,
};

/// `machine` of every version.
#[derive(Clone, Debug, Serialize)]
pub(super) struct MachineInfo {
    pub(super) timestamp: Timestamp,
    pub(super) vendor_id: Option<String>,
    pub(super) num_cores: u32,
    pub(super) num_physical_cores: Option<u32>,
    pub(super) num_sockets: Option<u32>,
    pub(super) num_books: u32,
    pub(super) num_drawers: u32,
    pub(super) cpu_frequency_khz: Option<u64>,
    pub(super) memory_capacity: Option<u64>,
    pub(super) swap_capacity: Option<u64>,
    pub(super) hugepages: Vec<HugePages>,
    pub(super) machine_id: Option<String>,
    pub(super) system_uuid: Option<String>,
    pub(super) boot_id: Option<String>,
    pub(super) filesystems: Vec<Filesystem>,
    /// By number, as in `8:0`.
    pub(super) disk_map: BTreeMap<String, Disk>,
    pub(super) network_devices: Vec<NetworkDevice>,
    pub(super) topology: Vec<Node>,
    pub(super) cloud_provider: &'static str,
    pub(super) instance_type: &'static str,
    pub(super) instance_id: &'static str,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct HugePages {
    /// KiB.
    pub(super) page_size: u64,
    pub(super) num_pages: u64,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Filesystem {
    pub(super) device: String,
    pub(super) capacity: Option<u64>,
    #[serde(rename = "type")]
    pub(super) fs_type: &'static str,
    pub(super) inodes: Option<u64>,
    pub(super) has_inodes: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Disk {
    name: String,
    major: u32,
    minor: u32,
    size: u64,
    scheduler: String,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct NetworkDevice {
    name: String,
    mac_address: Option<String>,
    speed: Option<i64>,
    mtu: Option<i64>,
}

#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "cAdvisor's names")]
pub(super) struct Node {
    pub(super) node_id: u32,
    pub(super) memory: Option<u64>,
    pub(super) hugepages: Vec<HugePages>,
    pub(super) cores: Vec<Core>,
    /// Those that all its CPUs share.
    pub(super) caches: Vec<Cache>,
    pub(super) distances: Vec<u64>,
}

#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "cAdvisor's names")]
pub(super) struct Core {
    pub(super) core_id: u32,
    pub(super) thread_ids: Vec<u32>,
    /// Those that no other core shares.
    pub(super) caches: Vec<Cache>,
    /// Those that some other cores share.
    pub(super) uncore_caches: Vec<Cache>,
    pub(super) socket_id: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Cache {
    pub(super) id: Option<u32>,
    pub(super) size: u64,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) level: u32,
}

/// `attributes` of v2.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Attributes {
    kernel_version: String,
    container_os_version: Option<String>,
    docker_version: &'static str,
    docker_api_version: &'static str,
    cadvisor_version: &'static str,
    num_cores: u32,
    cpu_frequency_khz: Option<u64>,
    memory_capacity: Option<u64>,
    machine_id: Option<String>,
    system_uuid: Option<String>,
    hugepages: Vec<HugePages>,
    filesystems: Vec<Filesystem>,
    disk_map: BTreeMap<String, Disk>,
    network_devices: Vec<NetworkDevice>,
    topology: Vec<Node>,
    cloud_provider: &'static str,
    instance_type: &'static str,
}

/// What is said for cAdvisor's version.
pub(super) const VERSION: &str = concat!("monitor ", env!("CARGO_PKG_VERSION"));
const UNKNOWN: &str = "Unknown";

/// The machine, by what hardly changes of it and the last snapshot.
pub(super) fn machine_info(machine: &Machine, snapshot: &Snapshot) -> MachineInfo {
    let host = &snapshot.host;
    MachineInfo {
        timestamp: snapshot.taken_at,
        vendor_id: machine.cpu_vendor.clone(),
        num_cores: host.cpus,
        num_physical_cores: count(machine, |cpu| cpu.package.zip(cpu.core)),
        num_sockets: count(machine, |cpu| cpu.package),
        num_books: count(machine, |cpu| cpu.book).unwrap_or(0),
        num_drawers: count(machine, |cpu| cpu.drawer).unwrap_or(0),
        cpu_frequency_khz: machine.frequency_khz,
        memory_capacity: host.memory_bytes,
        swap_capacity: host.totals.memory.swap_total_bytes,
        hugepages: huge_pages(&machine.huge_pages),
        machine_id: machine.machine_id.clone(),
        system_uuid: machine.system_uuid.clone(),
        boot_id: host.boot_id.clone(),
        filesystems: filesystems(snapshot),
        disk_map: disk_map(machine),
        network_devices: machine.interfaces.iter().map(network_device).collect(),
        topology: machine.nodes.iter().map(|found| node(machine, found)).collect(),
        cloud_provider: cloud_provider(machine),
        instance_type: UNKNOWN,
        instance_id: "None",
    }
}

/// Names of versions beside the machine.
pub(super) fn attributes(machine: &Machine, snapshot: &Snapshot) -> Attributes {
    let info = machine_info(machine, snapshot);
    Attributes {
        kernel_version: snapshot.host.kernel_release.clone(),
        container_os_version: machine.os.clone(),
        docker_version: "",
        docker_api_version: "",
        cadvisor_version: VERSION,
        num_cores: info.num_cores,
        cpu_frequency_khz: info.cpu_frequency_khz,
        memory_capacity: info.memory_capacity,
        machine_id: info.machine_id,
        system_uuid: info.system_uuid,
        hugepages: info.hugepages,
        filesystems: info.filesystems,
        disk_map: info.disk_map,
        network_devices: info.network_devices,
        topology: info.topology,
        cloud_provider: info.cloud_provider,
        instance_type: info.instance_type,
    }
}

/// How many different ones there are; `None` where no CPU tells.
fn count<T: Ord>(machine: &Machine, of: impl Fn(&host::Processor) -> Option<T>) -> Option<u32> {
    let different: BTreeSet<T> = machine.cpus.iter().filter_map(of).collect();
    u32::try_from(different.len()).ok().filter(|count| *count > 0)
}

fn huge_pages(pools: &[host::HugePagePool]) -> Vec<HugePages> {
    pools.iter().map(|pool| HugePages { page_size: pool.page_kib, num_pages: pool.pages }).collect()
}

fn filesystems(snapshot: &Snapshot) -> Vec<Filesystem> {
    let mounted = snapshot.host.totals.filesystems.as_deref().unwrap_or_default();
    mounted
        .iter()
        .map(|found| Filesystem {
            device: found.source.clone(),
            capacity: found.space.capacity_bytes,
            fs_type: "vfs",
            inodes: found.space.inodes,
            has_inodes: found.space.inodes.is_some(),
        })
        .collect()
}

fn disk_map(machine: &Machine) -> BTreeMap<String, Disk> {
    machine
        .disks
        .iter()
        .map(|disk| {
            let host::DiskDevice { name, major, minor, size_bytes, scheduler } = disk.clone();
            let scheduler = scheduler.unwrap_or_else(|| "none".to_owned());
            (format!("{major}:{minor}"), Disk { name, major, minor, size: size_bytes, scheduler })
        })
        .collect()
}

fn network_device(interface: &host::InterfaceDevice) -> NetworkDevice {
    let host::InterfaceDevice { name, mac, speed_mbit, mtu } = interface.clone();
    NetworkDevice { name, mac_address: mac, speed: speed_mbit, mtu }
}

fn node(machine: &Machine, node: &host::Node) -> Node {
    let of_node: Vec<&host::Processor> =
        machine.cpus.iter().filter(|cpu| node.cpus.contains(&cpu.number)).collect();
    let mut threads: BTreeMap<(u32, u32), Vec<&host::Processor>> = BTreeMap::new();
    for cpu in &of_node {
        // Where the topology is hidden, each CPU stands for a core.
        let core = (cpu.package.unwrap_or(0), cpu.core.unwrap_or(cpu.number));
        threads.entry(core).or_default().push(cpu);
    }
    let sharers = Sharers { node: of_node.len() };
    Node {
        node_id: node.number,
        memory: node.memory_bytes,
        hugepages: huge_pages(&node.huge_pages),
        caches: caches(&of_node, |sharing| sharers.is_node(sharing, 0)),
        distances: node.distances.clone(),
        cores: threads
            .into_iter()
            .map(|((socket_id, core_id), cpus)| Core {
                core_id,
                thread_ids: cpus.iter().map(|cpu| cpu.number).collect(),
                caches: caches(&cpus, |sharing| sharing <= cpus.len()),
                uncore_caches: caches(&cpus, |sharing| {
                    sharing > cpus.len() && !sharers.is_node(sharing, cpus.len())
                }),
                socket_id,
            })
            .collect(),
    }
}

/// Tells whose a cache is by how many CPUs share it.
struct Sharers {
    node: usize,
}

impl Sharers {
    /// Whether it is the whole node's, and of more than a core with so many threads.
    fn is_node(&self, sharing: usize, threads: usize) -> bool {
        sharing >= self.node && sharing > threads.max(1)
    }
}

/// Each cache of these CPUs once that is shared by a number of CPUs of this kind.
fn caches(cpus: &[&host::Processor], is_wanted: impl Fn(usize) -> bool) -> Vec<Cache> {
    let different: BTreeSet<&host::Cache> =
        cpus.iter().flat_map(|cpu| &cpu.caches).filter(|cache| is_wanted(sharing(cache))).collect();
    different
        .into_iter()
        .map(|cache| Cache {
            id: cache.id,
            size: cache.size_bytes,
            kind: cache.kind.clone(),
            level: cache.level,
        })
        .collect()
}

/// How many CPUs a list such as `0-1,4` has.
fn sharing(cache: &host::Cache) -> usize {
    cache
        .shared_by
        .split(',')
        .filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            last.parse::<usize>().ok()?.checked_sub(first.parse().ok()?)
        })
        .map(|more| more + 1)
        .sum()
}

fn cloud_provider(machine: &Machine) -> &'static str {
    let vendor = machine.system_vendor.as_deref().unwrap_or_default();
    match (vendor, machine.product.as_deref()) {
        ("Amazon EC2", _) => "AWS",
        ("Google", Some("Google Compute Engine")) => "GCE",
        ("Microsoft Corporation", Some("Virtual Machine")) => "Azure",
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cadvisor::testing::snapshot;

    fn processor(number: u32, core: u32) -> host::Processor {
        let cache = |level, shared_by: &str| host::Cache {
            level,
            kind: "Unified".to_owned(),
            id: Some(0),
            size_bytes: 1024,
            shared_by: shared_by.to_owned(),
        };
        let own = if core == 0 { "0-1" } else { "2-3" };
        host::Processor {
            number,
            core: Some(core),
            package: Some(0),
            caches: vec![cache(2, own), cache(3, "0-3")],
            ..host::Processor::default()
        }
    }

    fn machine() -> Machine {
        Machine {
            cpus: vec![processor(0, 0), processor(1, 0), processor(2, 1), processor(3, 1)],
            nodes: vec![host::Node {
                cpus: vec![0, 1, 2, 3],
                memory_bytes: Some(7),
                ..host::Node::default()
            }],
            ..Machine::default()
        }
    }

    #[test]
    fn cores_have_threads_and_caches_belong_to_a_core_or_to_the_node() {
        let info = machine_info(&machine(), &snapshot(1, vec![], vec![]));
        assert_eq!((info.num_physical_cores, info.num_sockets), (Some(2), Some(1)));
        let node = info.topology.first().unwrap();
        assert_eq!(node.cores.len(), 2);
        assert_eq!(node.caches.iter().map(|cache| cache.level).collect::<Vec<_>>(), [3]);
        let core = node.cores.last().unwrap();
        assert_eq!(core.thread_ids, [2, 3]);
        assert_eq!(core.caches.iter().map(|cache| cache.level).collect::<Vec<_>>(), [2]);
        assert!(core.uncore_caches.is_empty());
    }

    #[test]
    fn what_a_machine_does_not_tell_is_null() {
        let info = machine_info(&Machine::default(), &snapshot(1, vec![], vec![]));
        let json = serde_json::to_value(info).unwrap();
        assert_eq!(json["num_sockets"], serde_json::Value::Null);
        assert_eq!(json["num_cores"], 2);
        assert_eq!(json["memory_capacity"], 8_u64 << 30);
        assert_eq!(json["cloud_provider"], "Unknown");
    }
}
