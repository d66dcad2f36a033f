//! The machine's part of a snapshot.

use procfs::{DiskStat, PressureRecord, net::DeviceStatus};

use super::network::packet_drops;
use crate::{
    cgroup::Mode,
    collector::sample::Sample,
    host::{self, CpuUse, HostFacts, HostStats, ProcessCounters, VmCounters},
    model::{
        CgroupMode, CpuTimes, Disk, DiskActivity, Host, HostFaults, HostInterface, HostMemory, HostReclaim,
        HostScheduler, HostTotals, InterfaceTraffic, NumberedCpu, Pressure, Stall, StallShare,
    },
};

/// The unit of `/proc/diskstats`, whatever the device's own block size (`Documentation/admin-guide/iostats.rst`).
const SECTOR_BYTES: u64 = 512;
const MILLISECOND_NS: u64 = 1_000_000;

/// The machine; rates are over the time since `before`.
pub(super) fn host(before: Option<&Sample>, now: &Sample) -> Host {
    let HostFacts { hostname, kernel_release, boot_id, cpus, memory_bytes } = now.host.clone();
    let growth = Growth {
        seconds: before.map_or(0, |before| now.monotonic_ns.saturating_sub(before.monotonic_ns)) as f64 / 1e9,
    };
    Host {
        hostname,
        kernel_release,
        boot_id,
        cpus,
        memory_bytes,
        cgroup_mode: now.mode.map(cgroup_mode),
        totals: HostTotals {
            ownerless_drops: now.ownerless_drops.as_ref().map(packet_drops),
            filesystems: now.filesystems.as_deref().map(super::filesystems::mounted),
            ..totals(before.map(|before| &before.host_stats), &now.host_stats, growth)
        },
    }
}

fn cgroup_mode(mode: Mode) -> CgroupMode {
    match mode {
        Mode::V1 => CgroupMode::V1,
        Mode::Hybrid => CgroupMode::Hybrid,
        Mode::V2 => CgroupMode::V2,
    }
}

/// Growth per second between two readings.
#[derive(Clone, Copy)]
struct Growth {
    seconds: f64,
}

impl Growth {
    /// `None` where there is nothing to compare with, or where the counter went backwards.
    fn rate(self, before: Option<u64>, now: Option<u64>) -> Option<f64> {
        let grown = now?.checked_sub(before?)?;
        (self.seconds > 0.0).then(|| grown as f64 / self.seconds)
    }
}

fn totals(before: Option<&HostStats>, now: &HostStats, growth: Growth) -> HostTotals {
    let cpu_before = before.and_then(|before| before.cpu.as_ref());
    let stall = |stall: &Option<host::Stall>| stall.as_ref().map(pressure);
    HostTotals {
        cpu: now
            .cpu
            .as_ref()
            .map(|cpu| cpu_times(cpu_before.map(|before| &before.all), &cpu.all, growth))
            .unwrap_or_default(),
        per_cpu: now.cpu.as_ref().map(|cpu| per_cpu(cpu_before, cpu, growth)),
        scheduler: scheduler(before, now, growth),
        memory: memory(now),
        faults: faults(before.and_then(|before| before.vm), now.vm, growth),
        reclaim: now.vm.map(reclaim).unwrap_or_default(),
        disks: now.disks.as_ref().map(|disks| each(disks, |now| disk(disk_before(before, now), now, growth))),
        interfaces: now
            .interfaces
            .as_ref()
            .map(|interfaces| each(interfaces, |now| interface(interface_before(before, now), now, growth))),
        ownerless_drops: None,
        filesystems: None,
        pressure: Pressure {
            cpu: stall(&now.cpu_pressure),
            memory: stall(&now.memory_pressure),
            io: stall(&now.io_pressure),
        },
    }
}

fn each<T, U>(items: &[T], convert: impl Fn(&T) -> U) -> Vec<U> {
    items.iter().map(convert).collect()
}

fn cpu_times(before: Option<&host::CpuTimes>, now: &host::CpuTimes, growth: Growth) -> CpuTimes {
    let host::CpuTimes { user_ns, nice_ns, system_ns, idle_ns, iowait_ns, irq_ns, softirq_ns, steal_ns } =
        *now;
    CpuTimes {
        user_ns_total: Some(user_ns),
        nice_ns_total: Some(nice_ns),
        system_ns_total: Some(system_ns),
        idle_ns_total: Some(idle_ns),
        iowait_ns_total: iowait_ns,
        irq_ns_total: irq_ns,
        softirq_ns_total: softirq_ns,
        steal_ns_total: steal_ns,
        busy_cores: growth
            .rate(before.map(host::CpuTimes::busy_ns), Some(now.busy_ns()))
            .map(|ns_per_second| ns_per_second / 1e9),
    }
}

fn per_cpu(before: Option<&CpuUse>, now: &CpuUse, growth: Growth) -> Vec<NumberedCpu> {
    each(&now.each, |(number, times)| {
        let before = before.and_then(|before| before.each.iter().find(|(other, _)| other == number));
        NumberedCpu { number: *number, times: cpu_times(before.map(|(_, times)| times), times, growth) }
    })
}

fn scheduler(before: Option<&HostStats>, now: &HostStats, growth: Growth) -> HostScheduler {
    let read =
        |field: fn(&ProcessCounters) -> u64| move |stats: &HostStats| stats.processes.as_ref().map(field);
    let (switches, forks) = (read(|counters| counters.switches), read(|counters| counters.forks));
    HostScheduler {
        switches_total: switches(now),
        switches_per_second: growth.rate(before.and_then(switches), switches(now)),
        forks_total: forks(now),
        forks_per_second: growth.rate(before.and_then(forks), forks(now)),
        running_tasks: now.processes.and_then(|counters| counters.running).map(u64::from),
        blocked_tasks: now.processes.and_then(|counters| counters.blocked).map(u64::from),
        tasks: now.load.as_ref().map(|load| load.max.into()),
        load_1: now.load.as_ref().map(|load| hundredths(load.one)),
        load_5: now.load.as_ref().map(|load| hundredths(load.five)),
        load_15: now.load.as_ref().map(|load| hundredths(load.fifteen)),
    }
}

/// The two decimals that the kernel wrote, which `f32` holds only nearly.
fn hundredths(value: f32) -> f64 {
    (f64::from(value) * 100.0).round() / 100.0
}

fn memory(now: &HostStats) -> HostMemory {
    let Some(memory) = &now.memory else { return HostMemory::default() };
    HostMemory {
        total_bytes: Some(memory.mem_total),
        free_bytes: Some(memory.mem_free),
        available_bytes: memory.mem_available,
        buffers_bytes: Some(memory.buffers),
        cached_bytes: Some(memory.cached),
        shmem_bytes: memory.shmem,
        anon_bytes: memory.anon_pages,
        dirty_bytes: Some(memory.dirty),
        writeback_bytes: Some(memory.writeback),
        slab_bytes: Some(memory.slab),
        slab_reclaimable_bytes: memory.s_reclaimable,
        swap_total_bytes: Some(memory.swap_total),
        swap_free_bytes: Some(memory.swap_free),
    }
}

fn faults(before: Option<VmCounters>, now: Option<VmCounters>, growth: Growth) -> HostFaults {
    let minor = |vm: VmCounters| vm.faults?.checked_sub(vm.major_faults?);
    let major = |vm: VmCounters| vm.major_faults;
    HostFaults {
        minor_total: now.and_then(minor),
        major_total: now.and_then(major),
        minor_per_second: growth.rate(before.and_then(minor), now.and_then(minor)),
        major_per_second: growth.rate(before.and_then(major), now.and_then(major)),
    }
}

fn reclaim(vm: VmCounters) -> HostReclaim {
    let VmCounters {
        faults: _,
        major_faults: _,
        oom_kills,
        direct_scanned_pages,
        direct_freed_pages,
        kswapd_scanned_pages,
        kswapd_freed_pages,
        swap_in_pages,
        swap_out_pages,
    } = vm;
    HostReclaim {
        oom_kills_total: oom_kills,
        direct_scanned_pages_total: direct_scanned_pages,
        direct_freed_pages_total: direct_freed_pages,
        kswapd_scanned_pages_total: kswapd_scanned_pages,
        kswapd_freed_pages_total: kswapd_freed_pages,
        swap_in_pages_total: swap_in_pages,
        swap_out_pages_total: swap_out_pages,
    }
}

/// The same device, by number and not by name: a name may be taken over.
fn disk_before<'b>(before: Option<&'b HostStats>, now: &DiskStat) -> Option<&'b DiskStat> {
    let mut disks = before?.disks.as_ref()?.iter();
    disks.find(|disk| (disk.major, disk.minor) == (now.major, now.minor))
}

fn disk(before: Option<&DiskStat>, now: &DiskStat, growth: Growth) -> Disk {
    let bytes = |sectors: u64| sectors.saturating_mul(SECTOR_BYTES);
    let ns = |milliseconds: u64| milliseconds.saturating_mul(MILLISECOND_NS);
    let rate = |read: fn(&DiskStat) -> u64| growth.rate(before.map(read), Some(read(now)));
    Disk {
        name: now.name.clone(),
        device: format!("{}:{}", now.major, now.minor),
        activity: DiskActivity {
            read_ops_total: Some(now.reads),
            write_ops_total: Some(now.writes),
            read_bytes_total: Some(bytes(now.sectors_read)),
            write_bytes_total: Some(bytes(now.sectors_written)),
            read_ns_total: Some(ns(now.time_reading)),
            write_ns_total: Some(ns(now.time_writing)),
            busy_ns_total: Some(ns(now.time_in_progress)),
            in_flight: Some(now.in_progress),
            read_ops_per_second: rate(|disk| disk.reads),
            write_ops_per_second: rate(|disk| disk.writes),
            read_bytes_per_second: rate(|disk| disk.sectors_read.saturating_mul(SECTOR_BYTES)),
            write_bytes_per_second: rate(|disk| disk.sectors_written.saturating_mul(SECTOR_BYTES)),
        },
    }
}

fn interface_before<'b>(before: Option<&'b HostStats>, now: &DeviceStatus) -> Option<&'b DeviceStatus> {
    let before = before?.interfaces.as_ref()?;
    // They are in the order of names, and with many containers many.
    let place = before.binary_search_by(|interface| interface.name.cmp(&now.name)).ok()?;
    before.get(place)
}

fn interface(before: Option<&DeviceStatus>, now: &DeviceStatus, growth: Growth) -> HostInterface {
    let rate = |read: fn(&DeviceStatus) -> u64| growth.rate(before.map(read), Some(read(now)));
    HostInterface {
        name: now.name.clone(),
        traffic: InterfaceTraffic {
            rx_bytes_total: Some(now.recv_bytes),
            rx_packets_total: Some(now.recv_packets),
            rx_errors_total: Some(now.recv_errs),
            rx_dropped_total: Some(now.recv_drop),
            tx_bytes_total: Some(now.sent_bytes),
            tx_packets_total: Some(now.sent_packets),
            tx_errors_total: Some(now.sent_errs),
            tx_dropped_total: Some(now.sent_drop),
            rx_bytes_per_second: rate(|interface| interface.recv_bytes),
            rx_packets_per_second: rate(|interface| interface.recv_packets),
            tx_bytes_per_second: rate(|interface| interface.sent_bytes),
            tx_packets_per_second: rate(|interface| interface.sent_packets),
        },
    }
}

fn pressure(stall: &host::Stall) -> Stall {
    let host::Stall { some, full } = stall;
    Stall { some: some.as_ref().map(share), full: full.as_ref().map(share) }
}

fn share(record: &PressureRecord) -> StallShare {
    StallShare {
        avg10: hundredths(record.avg10),
        avg60: hundredths(record.avg60),
        avg300: hundredths(record.avg300),
        stall_us_total: record.total,
    }
}
