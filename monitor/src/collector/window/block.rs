//! Block I/O's part of a Snapshot.

use std::collections::{BTreeSet, HashMap};

use monitor_common::{
    block::{DISCARD, FLUSH, READ, RequestTimes, Requests, WRITE, device, major_and_minor},
    histogram::{BUCKETS, FINE},
};

use super::{Window, latency};
use crate::{
    cgroup::IoDevice,
    collector::{
        block::BlockTotals,
        sample::{Sample, Series},
    },
    model::{BlockDevice, BlockInterference, BlockIo, Interference, Latency},
};

/// Names of block devices by number.
pub(super) type DeviceNames = HashMap<u32, String>;

pub(super) fn device_names(sample: &Sample) -> DeviceNames {
    let disks = sample.host_stats.disks.iter().flatten();
    let number = |number: i32| u32::try_from(number).ok();
    disks
        .filter_map(|disk| Some((device(number(disk.major)?, number(disk.minor)?), disk.name.clone())))
        .collect()
}

pub(super) fn block_io(series: &Series, window: &Window<'_>) -> BlockIo {
    let counted = |kind: usize, field: fn(&Requests) -> u64| {
        move |series: &Series| sum(series, kind).map(|requests| field(&requests))
    };
    let charged = |field: fn(&IoDevice) -> u64| {
        let devices = series.files.io.devices.as_ref();
        devices.map(|devices| devices.iter().map(field).sum())
    };
    let (read_bytes, write_bytes) = (counted(READ, |it| it.bytes), counted(WRITE, |it| it.bytes));
    let (reads, writes) = (counted(READ, |it| it.operations), counted(WRITE, |it| it.operations));
    let untimed = |kind: usize| counted(kind, |it| it.untimed)(series);
    BlockIo {
        read_bytes_total: read_bytes(series),
        write_bytes_total: write_bytes(series),
        discard_bytes_total: counted(DISCARD, |it| it.bytes)(series),
        read_ops_total: reads(series),
        write_ops_total: writes(series),
        discard_ops_total: counted(DISCARD, |it| it.operations)(series),
        flush_ops_total: counted(FLUSH, |it| it.operations)(series),
        read_ns_total: counted(READ, |it| it.total_ns)(series),
        write_ns_total: counted(WRITE, |it| it.total_ns)(series),
        flush_ns_total: counted(FLUSH, |it| it.total_ns)(series),
        read_queue_ns_total: counted(READ, |it| it.queue_ns)(series),
        write_queue_ns_total: counted(WRITE, |it| it.queue_ns)(series),
        untimed_ops_total: untimed(READ).zip(untimed(WRITE)).map(|(reads, writes)| reads + writes),
        read_bytes_per_second: window.rate(read_bytes(series), read_bytes),
        write_bytes_per_second: window.rate(write_bytes(series), write_bytes),
        read_ops_per_second: window.rate(reads(series), reads),
        write_ops_per_second: window.rate(writes(series), writes),
        charged_read_bytes_total: charged(|it| it.read_bytes),
        charged_write_bytes_total: charged(|it| it.write_bytes),
        charged_discard_bytes_total: charged(|it| it.discard_bytes),
        charged_read_ops_total: charged(|it| it.reads),
        charged_write_ops_total: charged(|it| it.writes),
        charged_discard_ops_total: charged(|it| it.discards),
        devices: devices(series, window.devices),
        read_latency: times(series, window, READ, |times| (&times.latency, times.latency_max_ns)),
        write_latency: times(series, window, WRITE, |times| (&times.latency, times.latency_max_ns)),
        read_queue: times(series, window, READ, |times| (&times.queue, times.queue_max_ns)),
        write_queue: times(series, window, WRITE, |times| (&times.queue, times.queue_max_ns)),
    }
}

/// The same as of waits for a CPU, without what there is none of here.
pub(super) fn interference(
    series: &Series,
    parts: Option<Vec<Interference>>,
) -> Option<Vec<BlockInterference>> {
    let parts = parts.filter(|_| is_counted(series))?;
    let part = |part| {
        let Interference {
            source,
            id,
            name,
            wait_ns_total,
            wait_ns_per_second,
            waits_total,
            preemptions_total: _,
        } = part;
        BlockInterference { source, id, name, wait_ns_total, wait_ns_per_second, waits_total }
    };
    Some(parts.into_iter().map(part).collect())
}

/// Requests of a kind on all devices. A cgroup that the block controller does not have has none of its own: they are
/// charged to one above it.
fn sum(series: &Series, kind: usize) -> Option<Requests> {
    match &series.block {
        Some(block) => Some(block.sum(kind)),
        None => is_counted(series).then(Requests::default),
    }
}

fn is_counted(series: &Series) -> bool {
    series.counted.requests && (series.block.is_some() || series.files.io.is_controlled)
}

fn devices(series: &Series, names: &DeviceNames) -> Option<Vec<BlockDevice>> {
    let charged = series.files.io.devices.as_ref();
    if !is_counted(series) && charged.is_none() {
        return None;
    }
    let charged: HashMap<u32, &IoDevice> =
        charged.into_iter().flatten().map(|io| (device(io.major, io.minor), io)).collect();
    let numbers: BTreeSet<u32> = counted_devices(series).chain(charged.keys().copied()).collect();
    let of = |number: u32| {
        let (major, minor) = major_and_minor(number);
        let counted = |kind: usize, field: fn(&Requests) -> u64| {
            let kinds = series.block.as_ref().and_then(|block| block.devices.get(&number));
            let requests = kinds.and_then(|kinds| kinds.get(kind)).map(field);
            requests.or_else(|| is_counted(series).then_some(0))
        };
        let charged = |field: fn(&IoDevice) -> u64| charged.get(&number).map(|io| field(io));
        BlockDevice {
            device: format!("{major}:{minor}"),
            name: names.get(&number).cloned(),
            read_bytes_total: counted(READ, |it| it.bytes),
            write_bytes_total: counted(WRITE, |it| it.bytes),
            discard_bytes_total: counted(DISCARD, |it| it.bytes),
            read_ops_total: counted(READ, |it| it.operations),
            write_ops_total: counted(WRITE, |it| it.operations),
            discard_ops_total: counted(DISCARD, |it| it.operations),
            flush_ops_total: counted(FLUSH, |it| it.operations),
            read_ns_total: counted(READ, |it| it.total_ns),
            write_ns_total: counted(WRITE, |it| it.total_ns),
            charged_read_bytes_total: charged(|it| it.read_bytes),
            charged_write_bytes_total: charged(|it| it.write_bytes),
            charged_read_ops_total: charged(|it| it.reads),
            charged_write_ops_total: charged(|it| it.writes),
        }
    };
    Some(numbers.into_iter().map(of).collect())
}

fn counted_devices(series: &Series) -> impl Iterator<Item = u32> + '_ {
    series.block.iter().flat_map(|block| block.devices.keys().copied())
}

/// The times of the window; of a series without a predecessor in it, of all its time. The counts wrap.
fn times(
    series: &Series,
    window: &Window<'_>,
    kind: usize,
    part: fn(&RequestTimes) -> (&[u32; BUCKETS], u64),
) -> Option<Latency> {
    let of = |block: &BlockTotals| block.times.get(kind).map(part).map(|(counts, max)| (*counts, max));
    let Some(block) = &series.block else { return is_counted(series).then(Latency::default) };
    if window.is_without(series, |series| series.block.as_ref()) {
        return Some(Latency::default());
    }
    let (now, longest_ns) = of(block)?;
    let before = window.before.and_then(|before| before.block.as_ref()).and_then(|block| of(block));
    let (before, _) = before.unwrap_or(([0; BUCKETS], 0));
    let mut counts = [0; BUCKETS];
    for ((count, now), before) in counts.iter_mut().zip(now).zip(before) {
        *count = u64::from(now.wrapping_sub(before));
    }
    Some(latency(&counts, FINE, Some(longest_ns)))
}
