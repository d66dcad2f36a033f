//! A snapshot's values in cAdvisor's words. Where cAdvisor's own value is wrong, the right one stands here, and
//! docs/cadvisor.md says so.

mod devices;
mod traffic;

use std::collections::BTreeMap;

use super::{
    frame::{Frame, Subject, What},
    info::{
        ContainerInfo, Cpu, CpuSpec, CpuUsage, DiskIo, HugePages, Load, Memory, MemoryData, MemoryEvents,
        MemorySpec, NumaStats, Pressure, PressureShare, ProcessSpec, Processes, Quota, Reference, Schedstat,
        Spec, Stats, UNLIMITED,
    },
};
use crate::model::{self, CgroupMode, Measurements, Stall, StallShare};

/// What it may use and one reading, as metrics have them: who it is is in their labels.
pub(super) fn measured(subject: &Subject<'_>) -> ContainerInfo {
    let stats = stats(subject);
    ContainerInfo {
        reference: Reference::default(),
        subcontainers: Vec::new(),
        spec: limits(subject, &stats),
        stats: vec![stats],
    }
}

/// Who it is.
pub(super) fn reference(subject: &Subject<'_>) -> Reference {
    let Some(container) = subject.container() else {
        return Reference { name: subject.path.to_owned(), ..Reference::default() };
    };
    Reference {
        id: Some(container.id.clone()),
        name: subject.path.to_owned(),
        aliases: container.name.iter().chain([&container.id]).cloned().collect(),
        namespace: Some(container.runtime.clone()),
    }
}

/// The cgroups right below this one.
pub(super) fn children(frame: &Frame, path: &str) -> Vec<Reference> {
    let depth = if path == super::frame::MACHINE { 1 } else { path.len() + 1 };
    frame
        .below(path)
        .filter(|subject| subject.path.get(depth..).is_some_and(|rest| !rest.contains('/')))
        .map(|subject| Reference { name: subject.path.to_owned(), ..Reference::default() })
        .collect()
}

/// What it may use.
pub(super) fn spec(subject: &Subject<'_>) -> Spec {
    let container = subject.container();
    Spec {
        labels: container.map(|container| container.labels.clone()).unwrap_or_default(),
        image: container.and_then(|container| container.image.clone()),
        ..limits(subject, &stats(subject))
    }
}

/// The same without its labels and its image.
fn limits(subject: &Subject<'_>, stats: &Stats) -> Spec {
    let nothing = Measurements::default();
    let measured = subject.measurements().unwrap_or(&nothing);
    let container = subject.container();
    Spec {
        creation_time: container.and_then(|container| container.created_at),
        start_time: container.and_then(|container| container.started_at),
        labels: BTreeMap::new(),
        has_cpu: stats.cpu.usage.total.is_some(),
        cpu: cpu_spec(subject, measured),
        has_memory: stats.memory.usage.is_some(),
        memory: memory_spec(subject, measured),
        has_hugetlb: !stats.hugetlb.is_empty(),
        has_network: stats.network.first.is_some(),
        has_processes: stats.processes.threads_current.is_some(),
        processes: ProcessSpec { limit: measured.pids.limit.and_then(|limit| u64::try_from(limit).ok()) },
        has_filesystem: !stats.filesystem.is_empty(),
        has_diskio: !stats.diskio.io_serviced.is_empty() || !stats.diskio.io_service_bytes.is_empty(),
        has_custom_metrics: false,
        image: None,
    }
}

fn cpu_spec(subject: &Subject<'_>, measured: &Measurements) -> CpuSpec {
    // Which of two rules a runtime made v2's weight of the shares by, it does not tell.
    let shares = if is_v2(subject) { None } else { measured.cpu.shares_or_weight };
    CpuSpec {
        limit: shares,
        max_limit: 0,
        mask: measured.cpu.cpuset.clone(),
        quota: measured.cpu.quota_us.and_then(|quota| u64::try_from(quota).ok()),
        period: measured.cpu.period_us,
    }
}

fn memory_spec(subject: &Subject<'_>, measured: &Measurements) -> MemorySpec {
    if subject.is_machine() {
        let memory = &subject.frame.snapshot.host.totals.memory;
        return MemorySpec { limit: memory.total_bytes, swap_limit: memory.swap_total_bytes };
    }
    let limit = measured.memory.limit_bytes.map(unsigned_limit);
    let swap = measured.memory.swap_limit_bytes.map(unsigned_limit);
    let swap_limit = if is_v2(subject) {
        swap
    } else {
        // v1 limits memory and swap together.
        limit.zip(swap).map(|(limit, swap)| limit.saturating_add(swap))
    };
    MemorySpec { limit, swap_limit }
}

/// -1 is no limit here.
fn unsigned_limit(limit: i64) -> u64 {
    u64::try_from(limit).unwrap_or(UNLIMITED)
}

fn is_v2(subject: &Subject<'_>) -> bool {
    subject.frame.snapshot.host.cgroup_mode == Some(CgroupMode::V2)
}

/// One reading.
pub(super) fn stats(subject: &Subject<'_>) -> Stats {
    let nothing = Measurements::default();
    let measured = subject.measurements().unwrap_or(&nothing);
    let pressure = match subject.what {
        What::Machine(_) => &subject.frame.snapshot.host.totals.pressure,
        What::Container(_) | What::Cgroup(_) => &measured.pressure,
    };
    Stats {
        timestamp: subject.frame.snapshot.taken_at,
        cpu: cpu(subject, measured, pressure),
        diskio: DiskIo { psi: psi(pressure.io.as_ref()), ..devices::disk_io(subject, measured) },
        memory: memory(subject, measured, pressure),
        hugetlb: [("2MB", measured.memory.hugetlb_2mb_bytes), ("1GB", measured.memory.hugetlb_1gb_bytes)]
            .into_iter()
            .filter_map(|(size, usage)| Some((size, HugePages { usage: usage? })))
            .collect(),
        network: traffic::network(subject),
        filesystem: devices::filesystems(subject),
        task_stats: load(&measured.tasks),
        processes: Processes {
            threads_current: measured.pids.current,
            threads_max: measured.pids.limit.map(|limit| u64::try_from(limit).unwrap_or(0)),
        },
        // Each misses kills that the other saw: before counting began, and when the cgroup was gone right after.
        oom_events: measured.memory.oom_kills_total.max(measured.memory.oom_victims_total),
    }
}

fn cpu(subject: &Subject<'_>, measured: &Measurements, pressure: &model::Pressure) -> Cpu {
    let model::Cpu {
        usage_ns_total,
        user_ns_total,
        system_ns_total,
        periods_total,
        throttled_periods_total,
        throttled_ns_total,
        quota_us,
        ..
    } = &*measured.cpu;
    let usage = CpuUsage { total: *usage_ns_total, user: *user_ns_total, system: *system_ns_total };
    let is_limited = quota_us.is_some_and(|quota| quota > 0);
    let with_quota = |value: &Option<u64>| value.filter(|_| is_limited);
    Cpu {
        usage: if subject.is_machine() && usage.total.is_none() { machine_cpu(subject) } else { usage },
        cfs: Quota {
            periods: with_quota(periods_total),
            throttled_periods: with_quota(throttled_periods_total),
            throttled_time: with_quota(throttled_ns_total),
        },
        schedstat: Schedstat {
            run_time: measured.scheduler.on_cpu_ns_total,
            runqueue_time: measured.scheduler.runq_wait_ns_total,
            run_periods: measured.scheduler.timeslices_total,
        },
        load_average: measured.tasks.running_10s.map(thousandths),
        load_d_average: measured.tasks.disk_sleep_10s.map(thousandths),
        psi: psi(pressure.cpu.as_ref()),
    }
}

/// Of all CPUs, in units of 10 ms, where the root cgroup has no count of its own.
fn machine_cpu(subject: &Subject<'_>) -> CpuUsage {
    let times = &subject.frame.snapshot.host.totals.cpu;
    let sum =
        |parts: &[Option<u64>]| {
            parts.first().copied().flatten().map(|first| {
                parts.iter().skip(1).fold(first, |sum, part| sum.saturating_add(part.unwrap_or(0)))
            })
        };
    let user = sum(&[times.user_ns_total, times.nice_ns_total]);
    let system = sum(&[times.system_ns_total, times.irq_ns_total, times.softirq_ns_total]);
    CpuUsage { total: sum(&[user, system]), user, system }
}

/// What cAdvisor gives a load in, which has no fractions.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of tasks is neither negative nor near 2^64"
)]
fn thousandths(load: f64) -> u64 {
    (load * 1000.0).round() as u64
}

fn memory(subject: &Subject<'_>, measured: &Measurements, pressure: &model::Pressure) -> Memory {
    let found = &measured.memory;
    let data = memory_data(found);
    let events_max = if is_v2(subject) { found.limit_hits_total } else { None };
    let memory = Memory {
        usage: found.current_bytes,
        max_usage: found.peak_bytes,
        cache: found.file_bytes,
        rss: found.anon_bytes,
        swap: found.swap_bytes,
        mapped_file: found.mapped_file_bytes,
        working_set: found.working_set_bytes,
        total_active_file: found.active_file_bytes,
        total_inactive_file: found.inactive_file_bytes,
        file_dirty: found.dirty_bytes,
        file_writeback: found.writeback_bytes,
        pgscan: found.scanned_pages_total,
        pgsteal: found.freed_pages_total,
        workingset_refault_file: found.refaulted_file_pages_total,
        workingset_refault_anon: found.refaulted_anon_pages_total,
        failcnt: found.limit_hits_total,
        kernel: found.kernel_bytes,
        // The files count nested cgroups too, and so does a container; what another cgroup has by itself is not known.
        container_data: subject.container().map(|_| data.clone()).unwrap_or_default(),
        hierarchical_data: data,
        psi: psi(pressure.memory.as_ref()),
        events: MemoryEvents { high: found.high_events_total, max: events_max },
    };
    if subject.is_machine() { machine_memory(subject, memory) } else { memory }
}

/// The root cgroup of v2 has no file of its use: the machine's is the rest of what is free.
fn machine_memory(subject: &Subject<'_>, measured: Memory) -> Memory {
    let host = &subject.frame.snapshot.host.totals.memory;
    let less =
        |all: Option<u64>, part: Option<u64>| all.zip(part).and_then(|(all, part)| all.checked_sub(part));
    let usage = measured.usage.or_else(|| less(host.total_bytes, host.free_bytes));
    let inactive = measured.total_inactive_file;
    Memory {
        usage,
        rss: measured.rss.or(host.anon_bytes),
        cache: measured.cache.or(host.cached_bytes),
        swap: measured.swap.or_else(|| less(host.swap_total_bytes, host.swap_free_bytes)),
        file_dirty: measured.file_dirty.or(host.dirty_bytes),
        file_writeback: measured.file_writeback.or(host.writeback_bytes),
        working_set: measured
            .working_set
            .or_else(|| usage.zip(inactive).map(|(usage, inactive)| usage.saturating_sub(inactive))),
        ..measured
    }
}

fn memory_data(found: &model::Memory) -> MemoryData {
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    let nodes = found.numa.as_deref().unwrap_or_default();
    let by_node = |bytes: fn(&model::NumaMemory) -> Option<u64>| {
        nodes.iter().filter_map(|node| Some((node.node, bytes(node)? / page))).collect()
    };
    MemoryData {
        pgfault: found.page_faults_total,
        pgmajfault: found.major_page_faults_total,
        numa_stats: NumaStats {
            file: by_node(|node| node.file_bytes),
            anon: by_node(|node| node.anon_bytes),
            unevictable: by_node(|node| node.unevictable_bytes),
        },
    }
}

fn load(tasks: &model::Tasks) -> Load {
    Load {
        nr_sleeping: tasks.sleeping,
        nr_running: tasks.running,
        nr_stopped: tasks.stopped,
        nr_uninterruptible: tasks.disk_sleep,
        nr_io_wait: tasks.io_wait,
    }
}

fn psi(stall: Option<&Stall>) -> Pressure {
    let share = |share: StallShare| PressureShare {
        total: share.stall_us_total,
        avg10: share.avg10,
        avg60: share.avg60,
        avg300: share.avg300,
    };
    Pressure {
        full: stall.and_then(|stall| stall.full).map(share),
        some: stall.and_then(|stall| stall.some).map(share),
    }
}

#[cfg(test)]
mod tests;
