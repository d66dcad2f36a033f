//! cgroup v2: which file fills in what.
//!
//! `cpu.stat` and the pressure files need no controller: every cgroup2 directory but the oldest kernels' has them,
//! also where the controllers themselves are mounted as v1.

use super::{
    files::{FileSpec, Part},
    parse,
    stats::CgroupStats,
};

/// Files that belong to no controller.
const CORE: &str = "";

/// Every file of interest. The first one exists as long as the cgroup does.
pub(super) const FILES: &[FileSpec] = &[
    FileSpec::new(CORE, "cpu.stat", Part::Pulse, cpu_stat),
    FileSpec::new("memory", "memory.current", Part::Pulse, |stats, text| {
        stats.memory.current_bytes = parse::number(text);
    }),
    FileSpec::new("memory", "memory.stat", Part::Memory, memory_stat),
    FileSpec::new("memory", "memory.events", Part::Memory, memory_events),
    FileSpec::new("memory", "memory.swap.current", Part::Memory, |stats, text| {
        stats.memory.swap_bytes = parse::number(text);
    }),
    FileSpec::new("memory", "memory.peak", Part::Memory, |stats, text| {
        stats.memory.peak_bytes = parse::number(text);
    }),
    FileSpec::new("pids", "pids.current", Part::Detail, |stats, text| {
        stats.pids.current = parse::number(text);
    }),
    FileSpec::new("cpu", "cpu.max", Part::Limits, |stats, text| {
        (stats.cpu.quota_us, stats.cpu.period_us) = parse::cpu_max(text).unzip();
    }),
    FileSpec::new("cpu", "cpu.weight", Part::Limits, |stats, text| {
        stats.cpu.shares_or_weight = parse::number(text);
    }),
    FileSpec::new("cpuset", "cpuset.cpus.effective", Part::Limits, |stats, text| {
        stats.cpu.cpuset = Some(parse::cpu_list(text));
    }),
    FileSpec::new("memory", "memory.max", Part::Limits, |stats, text| {
        stats.memory.limit_bytes = parse::limit(text);
    }),
    FileSpec::new("memory", "memory.swap.max", Part::Limits, |stats, text| {
        stats.memory.swap_limit_bytes = parse::limit(text);
    }),
    FileSpec::new("pids", "pids.max", Part::Limits, |stats, text| stats.pids.limit = parse::limit(text)),
    FileSpec::new(CORE, "cpu.pressure", Part::Pressure, |stats, text| {
        stats.pressure.cpu = parse::pressure(text);
    }),
    FileSpec::new(CORE, "memory.pressure", Part::Pressure, |stats, text| {
        stats.pressure.memory = parse::pressure(text);
    }),
    FileSpec::new(CORE, "io.pressure", Part::Pressure, |stats, text| {
        stats.pressure.io = parse::pressure(text);
    }),
];

/// The throttling lines are there only where the cpu controller is v2 and enabled.
fn cpu_stat(stats: &mut CgroupStats, text: &[u8]) {
    let cpu = &mut stats.cpu;
    for (key, value) in parse::flat_keyed(text) {
        let from_us = value.checked_mul(1_000);
        match key {
            b"usage_usec" => cpu.usage_ns = from_us,
            b"user_usec" => cpu.user_ns = from_us,
            b"system_usec" => cpu.system_ns = from_us,
            b"nr_periods" => cpu.periods = Some(value),
            b"nr_throttled" => cpu.throttled_periods = Some(value),
            b"throttled_usec" => cpu.throttled_ns = from_us,
            _ => {}
        }
    }
}

fn memory_stat(stats: &mut CgroupStats, text: &[u8]) {
    let memory = &mut stats.memory;
    for (key, value) in parse::flat_keyed(text) {
        match key {
            b"anon" => memory.anon_bytes = Some(value),
            b"file" => memory.file_bytes = Some(value),
            b"kernel" => memory.kernel_bytes = Some(value),
            b"file_mapped" => memory.mapped_file_bytes = Some(value),
            b"shmem" => memory.shmem_bytes = Some(value),
            b"slab" => memory.slab_bytes = Some(value),
            b"inactive_file" => memory.inactive_file_bytes = Some(value),
            b"active_file" => memory.active_file_bytes = Some(value),
            b"pgfault" => memory.page_faults_total = Some(value),
            b"pgmajfault" => memory.major_page_faults_total = Some(value),
            _ => {}
        }
    }
}

fn memory_events(stats: &mut CgroupStats, text: &[u8]) {
    let memory = &mut stats.memory;
    for (key, value) in parse::flat_keyed(text) {
        match key {
            b"high" => memory.high_events = Some(value),
            b"max" => memory.limit_hits = Some(value),
            b"oom" => memory.oom_events = Some(value),
            b"oom_kill" => memory.oom_kills_total = Some(value),
            _ => {}
        }
    }
}
