//! Block devices and file systems.

use std::collections::BTreeMap;

use crate::{
    cadvisor::{
        frame::{Subject, What},
        info::{DeviceStats, DiskIo, DiskStats, Filesystem},
    },
    model::{BlockDevice, Disk, Filesystems, HostFilesystem, Measurements},
};

/// The unit of cAdvisor's sectors, whatever the device's own is.
const SECTOR_BYTES: u64 = 512;
const MILLISECOND_NS: u64 = 1_000_000;

/// One operation's name and count.
type Operation = (&'static str, Option<u64>);

/// Requests to block devices: of the machine as its disks count them, else of the cgroup.
pub(super) fn disk_io(subject: &Subject<'_>, measured: &Measurements) -> DiskIo {
    match subject.what {
        What::Machine(_) => machine(subject.frame.snapshot.host.totals.disks.as_deref().unwrap_or_default()),
        What::Container(_) | What::Cgroup(_) => {
            cgroup(measured.block_io.devices.as_deref().unwrap_or_default())
        }
    }
}

fn machine(disks: &[Disk]) -> DiskIo {
    let each = |operations: fn(&Disk) -> Vec<Operation>| {
        disks.iter().filter_map(|disk| device(&disk.device, Some(&disk.name), &operations(disk))).collect()
    };
    DiskIo {
        io_service_bytes: each(|disk| {
            vec![("Read", disk.activity.read_bytes_total), ("Write", disk.activity.write_bytes_total)]
        }),
        io_serviced: each(|disk| {
            vec![("Read", disk.activity.read_ops_total), ("Write", disk.activity.write_ops_total)]
        }),
        io_queued: each(|disk| vec![("Total", disk.activity.in_flight)]),
        io_service_time: each(|disk| {
            vec![("Read", disk.activity.read_ns_total), ("Write", disk.activity.write_ns_total)]
        }),
        io_time: each(|disk| vec![("Total", disk.activity.busy_ns_total)]),
        ..DiskIo::default()
    }
}

/// What the block controller charged, which is what cAdvisor reads; without one what was counted at the device.
fn cgroup(devices: &[BlockDevice]) -> DiskIo {
    let each = |operations: fn(&BlockDevice) -> Vec<Operation>| {
        devices
            .iter()
            .filter_map(|found| device(&found.device, found.name.as_deref(), &operations(found)))
            .collect()
    };
    DiskIo {
        io_service_bytes: each(|device| {
            let read = device.charged_read_bytes_total.or(device.read_bytes_total);
            vec![("Read", read), ("Write", device.charged_write_bytes_total.or(device.write_bytes_total))]
        }),
        io_serviced: each(|device| {
            let read = device.charged_read_ops_total.or(device.read_ops_total);
            vec![("Read", read), ("Write", device.charged_write_ops_total.or(device.write_ops_total))]
        }),
        io_service_time: each(|device| {
            vec![("Read", device.read_ns_total), ("Write", device.write_ns_total)]
        }),
        ..DiskIo::default()
    }
}

/// `None` where nothing of it is known. Reads and writes, where both are known, make a total, as cAdvisor has it.
fn device(number: &str, name: Option<&str>, operations: &[Operation]) -> Option<DeviceStats> {
    let mut stats: BTreeMap<&'static str, u64> =
        operations.iter().filter_map(|(operation, count)| Some((*operation, (*count)?))).collect();
    if stats.is_empty() {
        return None;
    }
    if stats.len() == operations.len() {
        let total = stats.values().fold(0, |sum: u64, count| sum.saturating_add(*count));
        stats.insert("Total", total);
    }
    let (major, minor) = number.split_once(':')?;
    Some(DeviceStats {
        device: name.map_or_else(|| number.to_owned(), |name| format!("/dev/{name}")),
        major: major.parse().ok()?,
        minor: minor.parse().ok()?,
        stats,
    })
}

/// File systems: those of the machine, or what a container takes of the one with its writable layer.
pub(super) fn filesystems(subject: &Subject<'_>) -> Vec<Filesystem> {
    match subject.what {
        What::Machine(_) => {
            let totals = &subject.frame.snapshot.host.totals;
            let disks = totals.disks.as_deref().unwrap_or_default();
            totals
                .filesystems
                .as_deref()
                .unwrap_or_default()
                .iter()
                .map(|found| mounted(found, disks))
                .collect()
        }
        What::Container(container) => {
            container_filesystem(subject, &container.measurements.filesystems).into_iter().collect()
        }
        What::Cgroup(_) => Vec::new(),
    }
}

fn mounted(found: &HostFilesystem, disks: &[Disk]) -> Filesystem {
    Filesystem {
        device: found.source.clone(),
        fs_type: "vfs".to_owned(),
        capacity: found.space.capacity_bytes,
        usage: found.space.used_bytes,
        base_usage: None,
        available: found.space.available_bytes,
        has_inodes: found.space.inodes.is_some(),
        inodes: found.space.inodes,
        inodes_free: found.space.free_inodes,
        disk: disks.iter().find(|disk| disk.device == found.device).map(disk_stats),
        inode_usage: None,
    }
}

fn disk_stats(disk: &Disk) -> DiskStats {
    let found = &disk.activity;
    let milliseconds = |ns: Option<u64>| ns.map(|ns| ns / MILLISECOND_NS);
    DiskStats {
        reads_completed: found.read_ops_total,
        sectors_read: found.read_bytes_total.map(|bytes| bytes / SECTOR_BYTES),
        read_time: milliseconds(found.read_ns_total),
        writes_completed: found.write_ops_total,
        sectors_written: found.write_bytes_total.map(|bytes| bytes / SECTOR_BYTES),
        write_time: milliseconds(found.write_ns_total),
        io_in_progress: found.in_flight,
        io_time: milliseconds(found.busy_ns_total),
    }
}

fn container_filesystem(subject: &Subject<'_>, taken: &Filesystems) -> Option<Filesystem> {
    let layer = taken.writable_layer.as_ref()?;
    let device = subject.frame.filesystem_of(&layer.path).map(|found| found.source.clone());
    Some(Filesystem {
        device: device.unwrap_or_default(),
        fs_type: "vfs".to_owned(),
        capacity: taken.capacity_bytes,
        usage: taken.used_bytes,
        base_usage: layer.usage.used_bytes,
        available: taken.available_bytes,
        has_inodes: taken.inodes.is_some(),
        inodes: taken.inodes,
        inodes_free: taken.free_inodes,
        disk: None,
        inode_usage: taken.used_inodes,
    })
}
