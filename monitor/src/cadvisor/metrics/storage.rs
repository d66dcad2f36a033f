//! File systems and block devices.

use super::{Metric, Of, Read::Each, Several, same};
use crate::cadvisor::{
    exposition::{
        Kind::{Counter, Gauge},
        Series,
        Value::{self, Count, Nanoseconds},
    },
    info::{DeviceStats, Filesystem, Stats},
};

const SECTORS: &str = "bytes by 512, on every cgroup version";
const OF_DISKS: &str =
    "seconds, where cAdvisor's are a million times too small; whole disks, and of the machine only";
const SERVICE_TIME: &str = "seconds, where cAdvisor's are a million times too small; of the container's own requests, and not of all on the \
     partition";
const OWN_IO: &str = "the container's own, once: not the host partition's beside it under the same name";

/// In the order of the export.
pub(super) static STORAGE: &[Metric] = &[
    filesystem("container_fs_inodes_free", "Inodes that are free.", |stats, series| {
        put_filesystems(stats, series, |found| found.inodes_free);
    }),
    filesystem("container_fs_inodes_total", "Inodes that there can be.", |stats, series| {
        put_filesystems(stats, series, |found| found.inodes);
    }),
    filesystem("container_fs_limit_bytes", "Size of the file system.", |stats, series| {
        put_filesystems(stats, series, |found| found.capacity);
    }),
    filesystem(
        "container_fs_usage_bytes",
        "Bytes in use: of a container its writable layer and its logs.",
        |stats, series| {
            put_filesystems(stats, series, |found| found.usage);
        },
    ),
    device("container_fs_reads_bytes_total", "Bytes read.", |stats, series| {
        put_devices(&stats.diskio.io_service_bytes, "Read", series, Count);
    })
    .corrected(OWN_IO),
    device("container_fs_writes_bytes_total", "Bytes written.", |stats, series| {
        put_devices(&stats.diskio.io_service_bytes, "Write", series, Count);
    })
    .corrected(OWN_IO),
    device("container_fs_reads_total", "Reads.", |stats, series| {
        put_devices(&stats.diskio.io_serviced, "Read", series, Count);
    })
    .corrected(OWN_IO),
    device("container_fs_writes_total", "Writes.", |stats, series| {
        put_devices(&stats.diskio.io_serviced, "Write", series, Count);
    })
    .corrected(OWN_IO),
    device("container_fs_sector_reads_total", "Sectors of 512 bytes read.", |stats, series| {
        put_devices(&stats.diskio.io_service_bytes, "Read", series, |bytes| Count(bytes / 512));
    })
    .corrected(SECTORS),
    device("container_fs_sector_writes_total", "Sectors of 512 bytes written.", |stats, series| {
        put_devices(&stats.diskio.io_service_bytes, "Write", series, |bytes| Count(bytes / 512));
    })
    .corrected(SECTORS),
    device("container_fs_read_seconds_total", "Time that all reads took together.", |stats, series| {
        put_devices(&stats.diskio.io_service_time, "Read", series, Nanoseconds);
    })
    .corrected(SERVICE_TIME),
    device("container_fs_write_seconds_total", "Time that all writes took together.", |stats, series| {
        put_devices(&stats.diskio.io_service_time, "Write", series, Nanoseconds);
    })
    .corrected(SERVICE_TIME),
    same(
        "container_fs_io_current",
        Gauge,
        Of::Use,
        "Requests in flight.",
        Each(|stats, series| {
            put_devices(&stats.diskio.io_queued, "Total", series, Count);
        }),
    )
    .by(&["device"])
    .corrected("of the machine's disks only"),
    device("container_fs_io_time_seconds_total", "Time with any request in flight.", |stats, series| {
        put_devices(&stats.diskio.io_time, "Total", series, Nanoseconds);
    })
    .corrected(OF_DISKS),
    same(
        "container_blkio_device_usage_total",
        Counter,
        Of::Use,
        "Bytes by device and operation.",
        Each(|stats, series| {
            put_blkio(&stats.diskio.io_service_bytes, series);
        }),
    )
    .by(&["device", "major", "minor", "operation"])
    .corrected("`Read`, `Write` and `Total`"),
];

const fn filesystem(name: &'static str, help: &'static str, read: Several) -> Metric {
    same(name, Gauge, Of::Use, help, Each(read)).by(&["device"])
}

const fn device(name: &'static str, help: &'static str, read: Several) -> Metric {
    same(name, Counter, Of::Use, help, Each(read)).by(&["device"])
}

fn put_filesystems(stats: &Stats, series: &mut Series<'_>, value: fn(&Filesystem) -> Option<u64>) {
    for (index, found) in stats.filesystem.iter().enumerate() {
        // A device that is mounted in several places is one device.
        let is_first = stats.filesystem.iter().take(index).all(|earlier| earlier.device != found.device);
        if is_first {
            series.put_with(&[("device", &found.device)], value(found).map(Count));
        }
    }
}

fn put_devices(devices: &[DeviceStats], operation: &str, series: &mut Series<'_>, value: fn(u64) -> Value) {
    for found in devices {
        series.put_with(&[("device", &found.device)], found.stats.get(operation).copied().map(value));
    }
}

fn put_blkio(devices: &[DeviceStats], series: &mut Series<'_>) {
    for found in devices {
        let (major, minor) = (found.major.to_string(), found.minor.to_string());
        for (operation, bytes) in &found.stats {
            let labels =
                [("device", &*found.device), ("major", &major), ("minor", &minor), ("operation", operation)];
            series.put_with(&labels, Some(Count(*bytes)));
        }
    }
}
