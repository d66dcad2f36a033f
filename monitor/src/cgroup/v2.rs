//! cgroup v2: which file fills in what.
//!
//! `cpu.stat` and the pressure files need no controller: every cgroup2 directory but the oldest kernels' has them,
//! also where the controllers themselves are mounted as v1.

use super::{
    files::{FileSpec, Part},
    parse,
    stats::{CgroupStats, IoStats, MemoryDetails},
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
    FileSpec::new("memory", "memory.numa_stat", Part::Numa, |stats, text| {
        stats.memory.numa = parse::numa_stat(text);
    }),
    FileSpec::new("memory", "memory.events", Part::Memory, memory_events),
    FileSpec::new("memory", "memory.swap.current", Part::Memory, |stats, text| {
        stats.memory.swap_bytes = parse::number(text);
    }),
    FileSpec::new("memory", "memory.peak", Part::Memory, |stats, text| {
        stats.memory.peak_bytes = parse::number(text);
    }),
    FileSpec::new("pids", "pids.current", Part::Tasks, |stats, text| {
        stats.pids.current = parse::number(text);
    }),
    FileSpec::new("io", "io.stat", Part::Io, |stats, text| {
        stats.io = IoStats { is_controlled: true, devices: Some(parse::io_stat(text)) };
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
    // Read with the limits, as few use huge pages and the files need not stay open for them.
    FileSpec::new("hugetlb", "hugetlb.2MB.current", Part::Limits, |stats, text| {
        stats.memory.details.hugetlb_2mb_bytes = parse::number(text);
    }),
    FileSpec::new("hugetlb", "hugetlb.1GB.current", Part::Limits, |stats, text| {
        stats.memory.details.hugetlb_1gb_bytes = parse::number(text);
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
            _ => memory_detail(&mut memory.details, key, value),
        }
    }
}

fn memory_detail(details: &mut MemoryDetails, key: &[u8], value: u64) {
    let field = match key {
        b"inactive_anon" => &mut details.inactive_anon_bytes,
        b"active_anon" => &mut details.active_anon_bytes,
        b"unevictable" => &mut details.unevictable_bytes,
        b"anon_thp" => &mut details.anon_huge_bytes,
        b"file_dirty" => &mut details.dirty_bytes,
        b"file_writeback" => &mut details.writeback_bytes,
        b"slab_reclaimable" => &mut details.slab_reclaimable_bytes,
        b"slab_unreclaimable" => &mut details.slab_unreclaimable_bytes,
        b"kernel_stack" => &mut details.kernel_stack_bytes,
        b"pagetables" => &mut details.page_tables_bytes,
        b"sock" => &mut details.sock_bytes,
        b"pgscan" => &mut details.scanned_pages,
        b"pgsteal" => &mut details.freed_pages,
        b"pgscan_direct" => &mut details.direct_scanned_pages,
        b"pgsteal_direct" => &mut details.direct_freed_pages,
        b"workingset_refault_anon" => &mut details.refaulted_anon_pages,
        b"workingset_refault_file" => &mut details.refaulted_file_pages,
        b"pswpin" => &mut details.swap_in_pages,
        b"pswpout" => &mut details.swap_out_pages,
        _ => return,
    };
    *field = Some(value);
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
