//! Two Samples → a Snapshot. Pure: no clock, no files, no kernel, so that every rule about resets, gaps and new
//! series is tested here with plain values.

mod audit;
mod block;
mod entries;
mod faults;
mod filesystems;
mod host;
mod network;
mod still;
mod tasks;

use std::{collections::HashMap, sync::Arc};

use monitor_common::{
    histogram::{COARSE, FINE, Scale},
    memory::Shortage,
};

use self::still::Still;
use super::sample::{Blamed, ContainerInfo, Counted, Sample, Series, WaitRow};
use crate::{
    cgroup::{
        CgroupStats, CpuStats, Limit, MemoryDetails, MemoryStats, NumaNode, PidsStats,
        Pressure as RawPressure, PressureAverages,
    },
    model::{
        About, Container, Cpu, Interference, InterferenceSource, Latency, LatencyBucket, Measurements,
        Memory, NumaMemory, Pids, Pressure, SCHEMA_VERSION, Scheduler, Shared, Snapshot, Stall, StallShare,
    },
    newtypes::CgroupId,
    probes::counters::{CgroupCounters, SchedTotals},
    stats::{quantile, upper_end},
};

/// Makes snapshots of one sample after the other.
#[derive(Debug, Default)]
pub struct Windows {
    before: Option<Sample>,
    /// What its block devices are called.
    devices: block::DeviceNames,
    /// What was shown last.
    shown: HashMap<CgroupId, Shown>,
}

/// What was shown of a series.
#[derive(Debug)]
struct Shown {
    about: Option<Shared<About>>,
    measurements: Measurements,
    /// Whether the series had done nothing in that window, so that all rates were 0 and stay so while it does nothing.
    is_still: bool,
}

impl Windows {
    /// The next window begins with this sample.
    #[must_use]
    pub fn after(before: Sample) -> Self {
        let devices = block::device_names(&before);
        Self { before: Some(before), devices, shown: HashMap::new() }
    }

    /// The snapshot at `now`; rates and latencies are over the time since the sample before.
    ///
    /// It shares with the snapshot before what is as it was there.
    pub fn advance(&mut self, now: Sample) -> Snapshot {
        let before = self.before.as_ref();
        let window_ns = before.map_or(0, |before| now.monotonic_ns.saturating_sub(before.monotonic_ns));
        let earlier: HashMap<CgroupId, &Series> =
            before.iter().flat_map(|sample| &sample.series).map(|series| (series.cgroup, series)).collect();
        let known = containers_by_run(&now);
        let devices = block::device_names(&now);
        let still = (window_ns > 0).then(|| Still::of(&earlier, &known, self.devices == devices));
        let (mut containers, mut cgroups) = (Vec::new(), Vec::new());
        let mut shown = HashMap::with_capacity(now.series.len());
        for series in &now.series {
            let window = Window {
                seconds: window_ns as f64 / 1e9,
                before: earlier.get(&series.cgroup).copied(),
                began_empty: before.is_some() && series.is_new,
                devices: &devices,
            };
            let is_still =
                still.as_ref().zip(window.before).is_some_and(|(still, before)| still.has(before, series));
            let last = self.shown.get(&series.cgroup);
            let about = about(series, last, is_still);
            let mut measurements = match last {
                Some(last) if last.is_still && is_still => last.measurements.clone(),
                last => {
                    let mut measured = measure(series, &window, &known);
                    last.inspect(|last| measured.share_with(&last.measurements));
                    measured
                }
            };
            // They have ages, which never stand still.
            measurements.tasks = tasks::tasks(series, now.monotonic_ns).into();
            measurements.filesystems = filesystems::filesystems(series, &now).into();
            let last = Shown { about: about.clone(), measurements: measurements.clone(), is_still };
            shown.insert(series.cgroup, last);
            match about {
                Some(about) => containers.push(Container { about, measurements }),
                None => cgroups.push(entries::cgroup_entry(series, measurements)),
            }
        }
        let snapshot = Snapshot {
            schema_version: SCHEMA_VERSION,
            taken_at: now.taken_at,
            window_ns,
            host: host::host(before, &now),
            containers,
            cgroups,
            audit: audit::audit(before, &now),
            coverage: now.coverage.clone(),
        };
        *self = Self { before: Some(now), devices, shown };
        snapshot
    }
}

/// Who a container is; `None` of another cgroup.
fn about(series: &Series, last: Option<&Shown>, is_still: bool) -> Option<Shared<About>> {
    let info = series.container.as_ref()?;
    let last = last.and_then(|last| last.about.as_ref());
    if is_still && let Some(last) = last {
        return Some(last.clone());
    }
    let mut about = Shared::from(entries::about(series, info));
    last.inspect(|last| about.share_with(last));
    Some(about)
}

fn containers_by_run(sample: &Sample) -> HashMap<CgroupId, &ContainerInfo> {
    sample.series.iter().filter_map(|series| Some((series.cgroup, series.container.as_ref()?))).collect()
}

/// What a series is compared with.
struct Window<'a> {
    seconds: f64,
    before: Option<&'a Series>,
    /// The series began inside the window, so that all it has counted is growth.
    began_empty: bool,
    devices: &'a block::DeviceNames,
}

impl Window<'_> {
    /// A counter's growth; `None` where there is nothing to compare with, or where it went backwards.
    fn growth(&self, now: Option<u64>, read: impl Fn(&Series) -> Option<u64>) -> Option<u64> {
        match self.before {
            Some(before) => now?.checked_sub(read(before)?),
            None if self.began_empty => now,
            None => None,
        }
    }

    /// Whether nothing of a kind was counted in it: what did not change is shared with the sample before.
    fn is_without<T>(&self, series: &Series, part: impl Fn(&Series) -> Option<&Arc<T>>) -> bool {
        let before = self.before.and_then(&part);
        before.zip(part(series)).is_some_and(|(before, now)| Arc::ptr_eq(before, now))
    }

    /// A counter's growth per second.
    fn rate(&self, now: Option<u64>, read: impl Fn(&Series) -> Option<u64>) -> Option<f64> {
        let growth = self.growth(now, read)?;
        (self.seconds > 0.0).then(|| growth as f64 / self.seconds)
    }
}

/// All but what has an age.
fn measure(series: &Series, window: &Window<'_>, known: &HashMap<CgroupId, &ContainerInfo>) -> Measurements {
    let CgroupStats { cpu, memory, pids, io: _, pressure } = &*series.files;
    let memory = if series.has_ended() { what_remains(&memory_of(memory)) } else { memory_of(memory) };
    let pids = if series.has_ended() { Pids { current: None, ..pids_of(pids) } } else { pids_of(pids) };
    let pressure = Pressure {
        cpu: pressure.cpu.map(stall),
        memory: pressure.memory.map(stall),
        io: pressure.io.map(stall),
    };
    let queued = interference(series, window, known, |series| series.queued.as_ref());
    Measurements {
        scheduler: scheduler(series, window).into(),
        tasks: Shared::default(),
        faults: faults::faults(series, window).into(),
        network: network::network(series, window).into(),
        cpu: Cpu { throttled_period: throttled_period(series), ..cpu_of(cpu, series, window) }.into(),
        memory: with_shortage(series, window, memory).into(),
        block_io: block::block_io(series, window).into(),
        filesystems: Shared::default(),
        pids: pids.into(),
        pressure: pressure.into(),
        interference: interference(series, window, known, |series| series.waited.as_ref()).into(),
        block_interference: block::interference(series, queued).into(),
    }
}

fn sched_counters(series: &Series) -> Option<&SchedTotals> {
    series.counters.as_ref().filter(|_| series.counted.scheduler).map(|counters| &counters.sched)
}

fn scheduler(series: &Series, window: &Window<'_>) -> Scheduler {
    let read = |field: fn(&SchedTotals) -> u64| move |series: &Series| sched_counters(series).map(field);
    let voluntary = read(|sched| sched.voluntary_switches);
    let involuntary = read(|sched| sched.involuntary_switches);
    let tasks = series.counters.as_ref().map(|counters| counters.tasks);
    let Counted { execs, exits, .. } = series.counted;
    Scheduler {
        voluntary_switches_total: voluntary(series),
        involuntary_switches_total: involuntary(series),
        voluntary_switches_per_second: window.rate(voluntary(series), voluntary),
        involuntary_switches_per_second: window.rate(involuntary(series), involuntary),
        timeslices_total: read(|sched| sched.voluntary_switches + sched.involuntary_switches)(series),
        on_cpu_ns_total: read(|sched| sched.on_cpu_ns)(series),
        runq_wait_ns_total: read(|sched| sched.runq_wait_ns)(series),
        migrations_total: read(|sched| sched.migrations)(series),
        execs_total: tasks.filter(|_| execs).map(|tasks| tasks.execs),
        starts_total: tasks.filter(|_| series.counted.scheduler).map(|tasks| tasks.starts),
        exits_total: tasks.filter(|_| exits).map(|tasks| tasks.exits),
        on_cpu_ns_by_cpu: series
            .counters
            .as_ref()
            .filter(|_| series.counted.scheduler)
            .map(|counters| counters.on_cpu_ns_by_cpu.clone()),
        runq_latency: latency_of(
            series,
            window,
            |counters| &counters.runq,
            FINE,
            sched_counters(series).map(|sched| sched.runq_wait_max_ns),
        ),
        timeslices: latency_of(series, window, |counters| &counters.timeslices, COARSE, None),
    }
}

/// What a histogram of the scheduler counted in the window; of a series without a predecessor in it, in all its time.
fn latency_of<const N: usize>(
    series: &Series,
    window: &Window<'_>,
    histogram: fn(&CgroupCounters) -> &[u64; N],
    scale: Scale,
    longest_ever: Option<u64>,
) -> Option<Latency> {
    let counters = series.counters.as_deref().filter(|_| series.counted.scheduler)?;
    if window.is_without(series, |series| series.counters.as_ref()) {
        return Some(Latency::default());
    }
    let mut counts = *histogram(counters);
    if let Some(before) = window.before.and_then(|before| before.counters.as_deref()) {
        for (count, before) in counts.iter_mut().zip(histogram(before)) {
            *count = count.checked_sub(*before)?;
        }
    }
    Some(latency(&counts, scale, longest_ever))
}

/// `longest_ever` is known of some.
fn latency(counts: &[u64], scale: Scale, longest_ever: Option<u64>) -> Latency {
    let buckets: Vec<LatencyBucket> = counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(bucket, &count)| LatencyBucket {
            from_ns: scale.lower_bound(bucket),
            to_ns: scale.upper_bound(bucket),
            count,
        })
        .collect();
    let max_ns = if buckets.is_empty() {
        None
    } else {
        [upper_end(counts, scale), longest_ever].into_iter().flatten().min()
    };
    let bounded = |q| quantile(counts, scale, q).map(|ns| max_ns.map_or(ns, |max| ns.min(max)));
    Latency {
        count: counts.iter().sum(),
        p50_ns: bounded(0.5),
        p90_ns: bounded(0.9),
        p99_ns: bounded(0.99),
        max_ns,
        buckets,
    }
}

/// What the series waited for, the longest first.
fn interference(
    series: &Series,
    window: &Window<'_>,
    containers: &HashMap<CgroupId, &ContainerInfo>,
    row: fn(&Series) -> Option<&WaitRow>,
) -> Option<Vec<Interference>> {
    let waited_for = |blamed: Blamed| {
        move |series: &Series| Some(row(series)?.get(&blamed).map_or(0, |waited| waited.wait_ns))
    };
    let mut parts: Vec<Interference> = row(series)?
        .iter()
        .map(|(blamed, waited)| {
            let (source, culprit) = match blamed {
                Blamed::Own => (InterferenceSource::Own, None),
                Blamed::Container(run) => (InterferenceSource::Container, containers.get(run)),
                Blamed::Ended => (InterferenceSource::Container, None),
                Blamed::System => (InterferenceSource::System, None),
                Blamed::Quota => (InterferenceSource::Quota, None),
                Blamed::Wakeup => (InterferenceSource::Wakeup, None),
                Blamed::Unknown => (InterferenceSource::Unknown, None),
            };
            Interference {
                source,
                id: culprit.map(|info| info.run.id.as_str().to_owned()),
                name: culprit.and_then(|info| info.name()).map(str::to_owned),
                wait_ns_total: waited.wait_ns,
                wait_ns_per_second: window.rate(Some(waited.wait_ns), waited_for(*blamed)),
                waits_total: waited.waits,
                preemptions_total: waited.preemptions,
            }
        })
        .collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.wait_ns_total));
    Some(parts)
}

fn cpu_of(cpu: &CpuStats, series: &Series, window: &Window<'_>) -> Cpu {
    let CpuStats {
        usage_ns,
        user_ns,
        system_ns,
        throttled_ns,
        periods,
        throttled_periods,
        quota_us,
        period_us,
        shares_or_weight,
        cpuset,
    } = cpu;
    Cpu {
        usage_ns_total: *usage_ns,
        user_ns_total: *user_ns,
        system_ns_total: *system_ns,
        usage_cores: usage_cores(series, window),
        throttled_ns_total: *throttled_ns,
        periods_total: *periods,
        throttled_periods_total: *throttled_periods,
        quota_us: quota_us.map(limit),
        period_us: *period_us,
        shares_or_weight: *shares_or_weight,
        cpuset: cpuset.clone(),
        throttled_period: None,
    }
}

fn throttled_period(series: &Series) -> Option<Latency> {
    series.throttled.as_ref().map(|periods| latency(&periods.counts, FINE, Some(periods.longest_ns)))
}

/// CPU time per time, both between the two readings of the file, which need not be one window apart.
fn usage_cores(series: &Series, window: &Window<'_>) -> Option<f64> {
    let usage_ns = |series: &Series| series.files.cpu.usage_ns;
    let on_cpu_ns = |series: &Series| sched_counters(series).map(|sched| sched.on_cpu_ns);
    let growth = window.growth(usage_ns(series), usage_ns)?;
    let elapsed = match window.before {
        Some(before) => series.files_read_ns?.checked_sub(before.files_read_ns?)? as f64,
        None => window.seconds * 1e9,
    };
    match growth {
        // Not read again because it hardly ran.
        0 => Some(window.rate(on_cpu_ns(series), on_cpu_ns).unwrap_or_default() / 1e9),
        _ => (elapsed > 0.0).then(|| growth as f64 / elapsed),
    }
}

fn memory_of(memory: &MemoryStats) -> Memory {
    let MemoryStats {
        current_bytes,
        limit_bytes,
        swap_bytes,
        swap_limit_bytes,
        working_set_bytes,
        anon_bytes,
        file_bytes,
        kernel_bytes,
        mapped_file_bytes,
        shmem_bytes,
        slab_bytes,
        inactive_file_bytes,
        active_file_bytes,
        peak_bytes,
        page_faults_total,
        major_page_faults_total,
        oom_events,
        oom_kills_total,
        limit_hits,
        high_events,
        details,
        numa,
    } = memory;
    Memory {
        current_bytes: *current_bytes,
        limit_bytes: limit_bytes.map(limit),
        working_set_bytes: *working_set_bytes,
        anon_bytes: *anon_bytes,
        file_bytes: *file_bytes,
        swap_bytes: *swap_bytes,
        swap_limit_bytes: swap_limit_bytes.map(limit),
        kernel_bytes: *kernel_bytes,
        peak_bytes: *peak_bytes,
        mapped_file_bytes: *mapped_file_bytes,
        shmem_bytes: *shmem_bytes,
        slab_bytes: *slab_bytes,
        inactive_file_bytes: *inactive_file_bytes,
        active_file_bytes: *active_file_bytes,
        page_faults_total: *page_faults_total,
        major_page_faults_total: *major_page_faults_total,
        oom_events_total: *oom_events,
        oom_kills_total: *oom_kills_total,
        limit_hits_total: *limit_hits,
        high_events_total: *high_events,
        numa: numa.as_ref().map(|nodes| nodes.iter().map(numa_memory).collect()),
        ..memory_details(details)
    }
}

fn numa_memory(node: &NumaNode) -> NumaMemory {
    let NumaNode { node, anon_bytes, file_bytes, unevictable_bytes } = *node;
    NumaMemory { node, anon_bytes, file_bytes, unevictable_bytes }
}

/// Adds what programs counted to what the files said.
fn with_shortage(series: &Series, window: &Window<'_>, files: Memory) -> Memory {
    let Counted { oom_kills, direct_reclaims, limit_reclaims, .. } = series.counted;
    let counted = |is_counted: bool, read: fn(&Shortage) -> u64| {
        move |series: &Series| {
            series.counters.as_ref().filter(|_| is_counted).map(|counters| read(&counters.shortage))
        }
    };
    let direct_ns = counted(direct_reclaims, |shortage| shortage.direct_reclaim_ns);
    let limit_ns = counted(limit_reclaims, |shortage| shortage.limit_reclaim_ns);
    Memory {
        direct_reclaim_ns_per_second: window.rate(direct_ns(series), direct_ns),
        limit_reclaim_ns_per_second: window.rate(limit_ns(series), limit_ns),
        growth_bytes: growth_bytes(&files, window),
        direct_reclaims_total: counted(direct_reclaims, |shortage| shortage.direct_reclaims)(series),
        direct_reclaim_ns_total: direct_ns(series),
        limit_reclaims_total: counted(limit_reclaims, |shortage| shortage.limit_reclaims)(series),
        limit_reclaim_ns_total: limit_ns(series),
        oom_victims_total: counted(oom_kills, |shortage| shortage.oom_kills)(series),
        ..files
    }
}

fn growth_bytes(now: &Memory, window: &Window<'_>) -> Option<i64> {
    let before = match window.before {
        Some(before) => before.files.memory.current_bytes?,
        None if window.began_empty => 0,
        None => return None,
    };
    now.current_bytes?.checked_signed_diff(before)
}

/// The members that have a finer part of `memory.stat`, and no other.
fn memory_details(details: &MemoryDetails) -> Memory {
    let MemoryDetails {
        inactive_anon_bytes,
        active_anon_bytes,
        unevictable_bytes,
        anon_huge_bytes,
        dirty_bytes,
        writeback_bytes,
        slab_reclaimable_bytes,
        slab_unreclaimable_bytes,
        kernel_stack_bytes,
        page_tables_bytes,
        sock_bytes,
        hugetlb_2mb_bytes,
        hugetlb_1gb_bytes,
        scanned_pages,
        freed_pages,
        direct_scanned_pages,
        direct_freed_pages,
        refaulted_anon_pages,
        refaulted_file_pages,
        swap_in_pages,
        swap_out_pages,
    } = *details;
    Memory {
        inactive_anon_bytes,
        active_anon_bytes,
        unevictable_bytes,
        anon_huge_bytes,
        dirty_bytes,
        writeback_bytes,
        slab_reclaimable_bytes,
        slab_unreclaimable_bytes,
        kernel_stack_bytes,
        page_tables_bytes,
        sock_bytes,
        hugetlb_2mb_bytes,
        hugetlb_1gb_bytes,
        scanned_pages_total: scanned_pages,
        freed_pages_total: freed_pages,
        direct_scanned_pages_total: direct_scanned_pages,
        direct_freed_pages_total: direct_freed_pages,
        refaulted_anon_pages_total: refaulted_anon_pages,
        refaulted_file_pages_total: refaulted_file_pages,
        swap_in_pages_total: swap_in_pages,
        swap_out_pages_total: swap_out_pages,
        ..Memory::default()
    }
}

/// The totals, limits and peak of a cgroup that is gone: it holds no memory any more.
fn what_remains(last: &Memory) -> Memory {
    Memory {
        limit_bytes: last.limit_bytes,
        swap_limit_bytes: last.swap_limit_bytes,
        peak_bytes: last.peak_bytes,
        page_faults_total: last.page_faults_total,
        major_page_faults_total: last.major_page_faults_total,
        oom_events_total: last.oom_events_total,
        oom_kills_total: last.oom_kills_total,
        limit_hits_total: last.limit_hits_total,
        high_events_total: last.high_events_total,
        scanned_pages_total: last.scanned_pages_total,
        freed_pages_total: last.freed_pages_total,
        direct_scanned_pages_total: last.direct_scanned_pages_total,
        direct_freed_pages_total: last.direct_freed_pages_total,
        refaulted_anon_pages_total: last.refaulted_anon_pages_total,
        refaulted_file_pages_total: last.refaulted_file_pages_total,
        swap_in_pages_total: last.swap_in_pages_total,
        swap_out_pages_total: last.swap_out_pages_total,
        ..Memory::default()
    }
}

fn pids_of(pids: &PidsStats) -> Pids {
    let PidsStats { current, limit: pids_limit } = pids;
    Pids { current: *current, limit: pids_limit.map(limit) }
}

/// -1 is no limit.
fn limit(limit: Limit) -> i64 {
    limit.or_minus_one()
}

fn stall(pressure: RawPressure) -> Stall {
    let RawPressure { some, full } = pressure;
    Stall { some: some.map(stall_share), full: full.map(stall_share) }
}

fn stall_share(averages: PressureAverages) -> StallShare {
    let PressureAverages { avg10, avg60, avg300, total_us } = averages;
    StallShare { avg10, avg60, avg300, stall_us_total: total_us }
}

#[cfg(test)]
mod tests;
