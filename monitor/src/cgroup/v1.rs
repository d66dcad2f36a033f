//! cgroup v1: which file of which controller fills in what.
//!
//! Where cgroup2 is mounted too, its `cpu.stat` replaces the `cpuacct` files: one read for the three CPU times, and
//! its user and system times are not sampled in ticks.

use super::{
    files::{FileSpec, Part},
    parse,
    stats::{CgroupStats, IoStats},
};

/// Nanoseconds in one tick of `cpuacct.stat`. `USER_HZ` is part of the kernel's ABI and is 100 everywhere that this
/// program runs.
const TICK_NS: u64 = 1_000_000_000 / 100;

/// Every file of interest.
pub(super) const FILES: &[FileSpec] = &[
    FileSpec::new("cpuacct", "cpuacct.usage", Part::Pulse, |stats, text| {
        stats.cpu.usage_ns = parse::number(text);
    }),
    FileSpec::new("cpuacct", "cpuacct.stat", Part::Detail, cpuacct_stat),
    FileSpec::new("cpu", "cpu.stat", Part::Throttling, cpu_stat),
    FileSpec::new("cpu", "cpu.cfs_quota_us", Part::Limits, |stats, text| {
        stats.cpu.quota_us = parse::v1_quota(text);
    }),
    FileSpec::new("cpu", "cpu.cfs_period_us", Part::Limits, |stats, text| {
        stats.cpu.period_us = parse::number(text);
    }),
    FileSpec::new("cpu", "cpu.shares", Part::Limits, |stats, text| {
        stats.cpu.shares_or_weight = parse::number(text);
    }),
    FileSpec::new("cpuset", "cpuset.effective_cpus", Part::Limits, |stats, text| {
        stats.cpu.cpuset = Some(parse::cpu_list(text));
    }),
    FileSpec::new("memory", "memory.usage_in_bytes", Part::Pulse, |stats, text| {
        stats.memory.current_bytes = parse::number(text);
    }),
    FileSpec::new("memory", "memory.stat", Part::Memory, memory_stat),
    FileSpec::new("memory", "memory.kmem.usage_in_bytes", Part::Memory, |stats, text| {
        stats.memory.kernel_bytes = parse::number(text);
    }),
    FileSpec::new("memory", "memory.max_usage_in_bytes", Part::Memory, |stats, text| {
        stats.memory.peak_bytes = parse::number(text);
    }),
    FileSpec::new("memory", "memory.failcnt", Part::Memory, |stats, text| {
        stats.memory.limit_hits = parse::number(text);
    }),
    FileSpec::new("memory", "memory.oom_control", Part::Memory, oom_control),
    FileSpec::new("memory", "memory.numa_stat", Part::Numa, |stats, text| {
        stats.memory.numa = parse::v1_numa_stat(text, rustix::param::page_size() as u64);
    }),
    FileSpec::new("memory", "memory.limit_in_bytes", Part::Limits, |stats, text| {
        stats.memory.limit_bytes = parse::v1_memory_limit(text);
    }),
    // After memory.limit_in_bytes, which it needs.
    FileSpec::new("memory", "memory.memsw.limit_in_bytes", Part::Limits, memsw_limit),
    FileSpec::new("hugetlb", "hugetlb.2MB.usage_in_bytes", Part::Limits, |stats, text| {
        stats.memory.details.hugetlb_2mb_bytes = parse::number(text);
    }),
    FileSpec::new("hugetlb", "hugetlb.1GB.usage_in_bytes", Part::Limits, |stats, text| {
        stats.memory.details.hugetlb_1gb_bytes = parse::number(text);
    }),
    FileSpec::new("blkio", "blkio.throttle.io_service_bytes_recursive", Part::Io, service_bytes),
    // After the bytes, whose devices it adds to.
    FileSpec::new("blkio", "blkio.throttle.io_serviced_recursive", Part::Io, serviced),
    FileSpec::new("pids", "pids.current", Part::Tasks, |stats, text| {
        stats.pids.current = parse::number(text);
    }),
    FileSpec::new("pids", "pids.max", Part::Limits, |stats, text| stats.pids.limit = parse::limit(text)),
];

fn cpuacct_stat(stats: &mut CgroupStats, text: &[u8]) {
    for (key, ticks) in parse::flat_keyed(text) {
        match key {
            b"user" => stats.cpu.user_ns = ticks.checked_mul(TICK_NS),
            b"system" => stats.cpu.system_ns = ticks.checked_mul(TICK_NS),
            _ => {}
        }
    }
}

fn cpu_stat(stats: &mut CgroupStats, text: &[u8]) {
    for (key, value) in parse::flat_keyed(text) {
        match key {
            b"nr_periods" => stats.cpu.periods = Some(value),
            b"nr_throttled" => stats.cpu.throttled_periods = Some(value),
            b"throttled_time" => stats.cpu.throttled_ns = Some(value),
            _ => {}
        }
    }
}

/// The same names without `total_` leave out the descendants. `workingset_refault_*` is not taken: its unit was bytes on
/// some kernels and pages on others.
fn memory_stat(stats: &mut CgroupStats, text: &[u8]) {
    let memory = &mut stats.memory;
    for (key, value) in parse::flat_keyed(text) {
        let Some(key) = key.strip_prefix(b"total_") else { continue };
        match key {
            b"cache" => memory.file_bytes = Some(value),
            b"rss" => memory.anon_bytes = Some(value),
            b"shmem" => memory.shmem_bytes = Some(value),
            b"mapped_file" => memory.mapped_file_bytes = Some(value),
            b"swap" => memory.swap_bytes = Some(value),
            b"pgfault" => memory.page_faults_total = Some(value),
            b"pgmajfault" => memory.major_page_faults_total = Some(value),
            b"inactive_file" => memory.inactive_file_bytes = Some(value),
            b"active_file" => memory.active_file_bytes = Some(value),
            b"inactive_anon" => memory.details.inactive_anon_bytes = Some(value),
            b"active_anon" => memory.details.active_anon_bytes = Some(value),
            b"unevictable" => memory.details.unevictable_bytes = Some(value),
            b"rss_huge" => memory.details.anon_huge_bytes = Some(value),
            b"dirty" => memory.details.dirty_bytes = Some(value),
            b"writeback" => memory.details.writeback_bytes = Some(value),
            _ => {}
        }
    }
}

fn service_bytes(stats: &mut CgroupStats, text: &[u8]) {
    let mut devices = Vec::new();
    for (device, operation, bytes) in parse::v1_io(text) {
        let Some(device) = parse::io_device(&mut devices, device) else { continue };
        match operation {
            b"Read" => device.read_bytes = bytes,
            b"Write" => device.write_bytes = bytes,
            b"Discard" => device.discard_bytes = bytes,
            _ => {}
        }
    }
    stats.io = IoStats { is_controlled: true, devices: (!devices.is_empty()).then_some(devices) };
}

fn serviced(stats: &mut CgroupStats, text: &[u8]) {
    let Some(devices) = &mut stats.io.devices else { return };
    for (device, operation, count) in parse::v1_io(text) {
        let Some(device) = parse::io_device(devices, device) else { continue };
        match operation {
            b"Read" => device.reads = count,
            b"Write" => device.writes = count,
            b"Discard" => device.discards = count,
            _ => {}
        }
    }
}

fn oom_control(stats: &mut CgroupStats, text: &[u8]) {
    for (key, value) in parse::flat_keyed(text) {
        if key == b"oom_kill" {
            stats.memory.oom_kills_total = Some(value);
        }
    }
}

fn memsw_limit(stats: &mut CgroupStats, text: &[u8]) {
    let memory = &mut stats.memory;
    memory.swap_limit_bytes =
        parse::v1_memory_limit(text).zip(memory.limit_bytes).and_then(|(both, memory)| both.less(memory));
}
