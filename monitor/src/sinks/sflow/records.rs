//! The structures of host sFlow: <https://sflow.org/sflow_host.txt>.

use super::{
    Source,
    machine::{Adapter, Machine, parse_uuid},
    uptime_ms,
    xdr::{UNKNOWN_32, Writer},
};
use crate::model::{
    Container, ContainerState, DiskActivity, Host, HostFilesystem, HostInterface, Snapshot, is_disk,
    leads_outside,
};

const HOST_DESCR: u32 = 2000;
const HOST_ADAPTERS: u32 = 2001;
const HOST_PARENT: u32 = 2002;
const HOST_CPU: u32 = 2003;
const HOST_MEMORY: u32 = 2004;
const HOST_DISK_IO: u32 = 2005;
const HOST_NET_IO: u32 = 2006;
const VIRT_NODE: u32 = 2100;
const VIRT_CPU: u32 = 2101;
const VIRT_MEMORY: u32 = 2102;
const VIRT_DISK_IO: u32 = 2103;
const VIRT_NET_IO: u32 = 2104;

/// Linux, of `os_name`.
const LINUX: u32 = 2;

/// A structure behind its number.
type Record = (u32, Writer);

/// What is sent of the machine.
pub(super) fn machine(snapshot: &Snapshot, machine: &Machine, adapters: &[Adapter]) -> Vec<Record> {
    let host = &snapshot.host;
    let running = snapshot.containers.iter().filter(|one| one.state == ContainerState::Running).count();
    vec![
        (HOST_DESCR, description(&host.hostname, machine.uuid, machine.kind, &host.kernel_release)),
        (HOST_ADAPTERS, host_adapters(adapters)),
        (HOST_CPU, host_cpu(host, machine)),
        (HOST_MEMORY, host_memory(host)),
        (HOST_DISK_IO, host_disk_io(host)),
        (HOST_NET_IO, host_net_io(host)),
        (VIRT_NODE, virt_node(host, machine, running)),
    ]
}

/// What is sent of a container on a machine.
pub(super) fn container(one: &Container, host: &Host, machine: &Machine, parent: Source) -> Vec<Record> {
    let name = one.name.as_deref().unwrap_or(&one.short_id);
    let uuid = parse_uuid(&one.id).unwrap_or_default();
    let mut of = Writer::default();
    of.int(parent.class).int(parent.index);
    vec![
        (HOST_DESCR, description(name, uuid, machine.kind, &host.kernel_release)),
        (HOST_PARENT, of),
        (VIRT_CPU, virt_cpu(one, host)),
        (VIRT_MEMORY, virt_memory(one, host)),
        (VIRT_DISK_IO, virt_disk_io(one)),
        (VIRT_NET_IO, virt_net_io(one)),
    ]
}

fn description(name: &str, uuid: [u8; 16], kind: u32, release: &str) -> Writer {
    let mut record = Writer::default();
    record.text(name, 64).opaque(&uuid).int(kind).int(LINUX).text(release, 32);
    record
}

fn host_adapters(adapters: &[Adapter]) -> Writer {
    let mut record = Writer::default();
    record.int(u32::try_from(adapters.len()).unwrap_or_default());
    for Adapter { name: _, index, mac } in adapters {
        record.int(*index).int(1).opaque(mac);
    }
    record
}

fn host_cpu(host: &Host, machine: &Machine) -> Writer {
    let (cpu, scheduler) = (&host.totals.cpu, &host.totals.scheduler);
    let count = |value: Option<u64>| value.map_or(0, |value| u32::try_from(value).unwrap_or(u32::MAX));
    let mut record = Writer::default();
    for load in [scheduler.load_1, scheduler.load_5, scheduler.load_15] {
        // -1 is not known.
        record.float(load.map_or(-1.0, narrow));
    }
    record.int(count(scheduler.running_tasks)).int(count(scheduler.tasks));
    record.int(host.cpus).int(machine.mhz).int(count(Some(uptime_ms() / 1000)));
    for time in [
        cpu.user_ns_total,
        cpu.nice_ns_total,
        cpu.system_ns_total,
        cpu.idle_ns_total,
        cpu.iowait_ns_total,
        cpu.irq_ns_total,
        cpu.softirq_ns_total,
    ] {
        record.milliseconds(time);
    }
    // Interrupts are not counted.
    record.int(UNKNOWN_32).counter(scheduler.switches_total);
    record
}

/// A load as sFlow has it, with seven digits.
#[expect(clippy::cast_possible_truncation, reason = "a load has fewer digits than that")]
fn narrow(value: f64) -> f32 {
    value as f32
}

fn host_memory(host: &Host) -> Writer {
    let (memory, reclaim) = (&host.totals.memory, &host.totals.reclaim);
    let mut record = Writer::default();
    for level in [
        memory.total_bytes,
        memory.free_bytes,
        memory.shmem_bytes,
        memory.buffers_bytes,
        memory.cached_bytes,
        memory.swap_total_bytes,
        memory.swap_free_bytes,
    ] {
        record.level(level);
    }
    // Pages read and written by block devices are not counted.
    record.int(UNKNOWN_32).int(UNKNOWN_32);
    record.counter(reclaim.swap_in_pages_total).counter(reclaim.swap_out_pages_total);
    record
}

fn host_disk_io(host: &Host) -> Writer {
    let disks = host.totals.disks.as_deref();
    let sum = |get: fn(&DiskActivity) -> Option<u64>| {
        let own = disks?.iter().filter(|disk| is_disk(&disk.name));
        let values = own.filter_map(|disk| get(&disk.activity));
        Some(values.sum::<u64>())
    };
    let filesystems = host.totals.filesystems.as_deref().unwrap_or_default();
    let capacity = filesystems.iter().filter_map(|one| one.space.capacity_bytes).sum();
    let free = filesystems.iter().filter_map(|one| one.space.available_bytes).sum();
    let mut record = Writer::default();
    record.hyper(capacity).hyper(free).int(fullest(filesystems));
    record.counter(sum(|disk| disk.read_ops_total)).hyper_counter(sum(|disk| disk.read_bytes_total));
    record.milliseconds(sum(|disk| disk.read_ns_total));
    record.counter(sum(|disk| disk.write_ops_total)).hyper_counter(sum(|disk| disk.write_bytes_total));
    record.milliseconds(sum(|disk| disk.write_ns_total));
    record
}

/// How full the fullest is, in hundredths of a percent.
fn fullest(filesystems: &[HostFilesystem]) -> u32 {
    let used = filesystems.iter().filter_map(|one| {
        let (capacity, free) = (one.space.capacity_bytes?, one.space.available_bytes?);
        let used = u128::from(capacity.saturating_sub(free)) * 10_000;
        u32::try_from(used.checked_div(u128::from(capacity))?).ok()
    });
    used.max().unwrap_or_default()
}

fn host_net_io(host: &Host) -> Writer {
    let interfaces = host.totals.interfaces.as_deref();
    let sum = |get: fn(&HostInterface) -> Option<u64>| {
        let values = interfaces?.iter().filter(|one| leads_outside(&one.name)).filter_map(get);
        Some(values.sum::<u64>())
    };
    let mut record = Writer::default();
    record.hyper_counter(sum(|one| one.traffic.rx_bytes_total));
    record.counter(sum(|one| one.traffic.rx_packets_total));
    record.counter(sum(|one| one.traffic.rx_errors_total));
    record.counter(sum(|one| one.traffic.rx_dropped_total));
    record.hyper_counter(sum(|one| one.traffic.tx_bytes_total));
    record.counter(sum(|one| one.traffic.tx_packets_total));
    record.counter(sum(|one| one.traffic.tx_errors_total));
    record.counter(sum(|one| one.traffic.tx_dropped_total));
    record
}

fn virt_node(host: &Host, machine: &Machine, running: usize) -> Writer {
    let mut record = Writer::default();
    record.int(machine.mhz).int(host.cpus);
    record.level(host.memory_bytes).level(host.totals.memory.available_bytes);
    record.int(u32::try_from(running).unwrap_or(u32::MAX));
    record
}

fn virt_cpu(one: &Container, host: &Host) -> Writer {
    let cpu = &one.measurements.cpu;
    // As libvirt has them: running, paused, shut off.
    let state = match one.state {
        ContainerState::Running => 1,
        ContainerState::Paused => 3,
        ContainerState::Exited => 5,
    };
    let quota = cpu.quota_us.and_then(|quota| u64::try_from(quota).ok()).zip(cpu.period_us);
    let allowed = quota.and_then(|(quota, period)| u32::try_from(quota.checked_div(period)?).ok());
    let cpus = allowed.map_or(host.cpus, |cpus| cpus.clamp(1, host.cpus.max(1)));
    let mut record = Writer::default();
    record.int(state).milliseconds(cpu.usage_ns_total).int(cpus);
    record
}

fn virt_memory(one: &Container, host: &Host) -> Writer {
    let memory = &one.measurements.memory;
    let limit = memory.limit_bytes.and_then(|limit| u64::try_from(limit).ok());
    let mut record = Writer::default();
    record.level(memory.current_bytes).level(limit.or(host.memory_bytes));
    record
}

fn virt_disk_io(one: &Container) -> Writer {
    let (io, space) = (&one.measurements.block_io, &one.measurements.filesystems);
    let mut record = Writer::default();
    record.level(space.capacity_bytes).level(space.used_bytes).level(space.available_bytes);
    record.counter(io.read_ops_total).hyper_counter(io.read_bytes_total);
    record.counter(io.write_ops_total).hyper_counter(io.write_bytes_total);
    // Errors are not counted.
    record.int(UNKNOWN_32);
    record
}

fn virt_net_io(one: &Container) -> Writer {
    let network = &one.measurements.network;
    let mut record = Writer::default();
    // Errors are not counted, nor which packets were dropped on which way.
    record.hyper_counter(network.rx_bytes_total).counter(network.rx_packets_total);
    record.int(UNKNOWN_32).int(UNKNOWN_32);
    record.hyper_counter(network.tx_bytes_total).counter(network.tx_packets_total);
    record.int(UNKNOWN_32).int(UNKNOWN_32);
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Disk, testing};

    /// The lengths of the specification's structures.
    #[test]
    fn structures_have_their_lengths() {
        let snapshot = testing::snapshot(3, vec![testing::container("a")]);
        let adapter = Adapter { name: "eth0".to_owned(), index: 2, mac: [1; 6] };
        let of_machine = machine(&snapshot, &Machine::default(), &[adapter]);
        let lengths: Vec<(u32, usize)> =
            of_machine.iter().map(|(format, record)| (*format, record.bytes.len())).collect();
        assert_eq!(
            lengths[1..],
            [
                (HOST_ADAPTERS, 20),
                (HOST_CPU, 68),
                (HOST_MEMORY, 72),
                (HOST_DISK_IO, 52),
                (HOST_NET_IO, 40),
                (VIRT_NODE, 28)
            ]
        );
        let parent = Source { class: 2, index: 1 };
        let of_container = container(&snapshot.containers[0], &snapshot.host, &Machine::default(), parent);
        let lengths: Vec<(u32, usize)> =
            of_container.iter().map(|(format, record)| (*format, record.bytes.len())).collect();
        assert_eq!(
            lengths[1..],
            [(HOST_PARENT, 8), (VIRT_CPU, 12), (VIRT_MEMORY, 16), (VIRT_DISK_IO, 52), (VIRT_NET_IO, 40)]
        );
    }

    #[test]
    fn disks_are_summed_and_the_fullest_file_system_is_told() {
        let mut host = Host::default();
        let disk = |name: &str, bytes| Disk {
            name: name.to_owned(),
            activity: DiskActivity { read_bytes_total: Some(bytes), ..DiskActivity::default() },
            ..Disk::default()
        };
        // What is read of a mirror or a volume is read of its disks.
        host.totals.disks = Some(vec![disk("sda", 1), disk("sdb", 2), disk("md0", 3), disk("dm-0", 3)]);
        let mut full = HostFilesystem::default();
        full.space.capacity_bytes = Some(1000);
        full.space.available_bytes = Some(250);
        host.totals.filesystems = Some(vec![full]);
        let record = host_disk_io(&host).bytes;
        assert_eq!(record[16..20], 7500_u32.to_be_bytes());
        assert_eq!(record[24..32], 3_u64.to_be_bytes());
        let empty = host_disk_io(&Host::default()).bytes;
        assert_eq!(empty[24..32], [255; 8]);
    }
}
