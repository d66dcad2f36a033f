//! Snapshots for tests.
#![expect(clippy::unwrap_used, reason = "what is made up here is sound, and what is not is to be found")]

use std::sync::Arc;

use jiff::Timestamp;

use super::{convert, frame::Frame, info::Stats};
use crate::model::{
    About, BlockDevice, Cgroup, CgroupEntry, CgroupKind, CgroupMode, Container, Host, Interface,
    Measurements, Snapshot, Tree, testing,
};

/// Taken at this second, one second after the one before.
pub(super) fn snapshot(second: i64, containers: Vec<Container>, cgroups: Vec<CgroupEntry>) -> Snapshot {
    let mut host = Host {
        hostname: "host".to_owned(),
        kernel_release: "6.1.0".to_owned(),
        cpus: 2,
        memory_bytes: Some(8 << 30),
        cgroup_mode: Some(CgroupMode::V2),
        ..Host::default()
    };
    host.totals.memory.total_bytes = Some(8 << 30);
    host.totals.memory.free_bytes = Some(3 << 30);
    host.totals.cpu.user_ns_total = Some(5_000_000_000);
    host.totals.cpu.system_ns_total = Some(1_000_000_000);
    Snapshot { host, cgroups, ..testing::snapshot(second, containers) }
}

/// A Docker container that runs, with a figure of each kind.
pub(super) fn container(id: &str) -> Container {
    let mut measurements = Measurements::default();
    measurements.cpu.usage_ns_total = Some(1_500_000_000);
    measurements.cpu.user_ns_total = Some(1_000_000_000);
    measurements.cpu.system_ns_total = Some(500_000_000);
    measurements.memory.current_bytes = Some(4096);
    measurements.memory.working_set_bytes = Some(3072);
    measurements.memory.limit_bytes = Some(-1);
    measurements.block_io.devices = Some(vec![BlockDevice {
        device: "8:0".to_owned(),
        name: Some("sda".to_owned()),
        charged_read_bytes_total: Some(1024),
        read_ns_total: Some(2_000_000),
        ..BlockDevice::default()
    }]);
    measurements.network.interfaces = Some(vec![
        Interface { name: "lo".to_owned(), rx_bytes_total: 1, ..Interface::default() },
        Interface { name: "eth0".to_owned(), rx_bytes_total: 100, ..Interface::default() },
    ]);
    measurements.filesystems.used_bytes = Some(512);
    measurements.filesystems.writable_layer =
        Some(Tree { path: "/var/lib/docker/overlay2/x".into(), ..Tree::default() });
    let about = About {
        name: Some(format!("name-{id}")),
        image: Some("image:1".to_owned()),
        created_at: Timestamp::from_second(1).ok(),
        started_at: Timestamp::from_second(2).ok(),
        labels: [("com.docker.compose.project".to_owned(), "shop".to_owned())].into(),
        counting_since: Timestamp::from_second(2).unwrap(),
        cgroup: Cgroup { id: 11, path: Some(format!("/docker/{id}")) },
        ..About::clone(&testing::container(id))
    };
    Container { about: about.into(), measurements }
}

/// A reading of such a container that had used so much of CPUs by then.
#[cfg_attr(not(test), expect(dead_code, reason = "only tests need it"))]
pub(super) fn stats(second: i64, cpu_ns: u64) -> Stats {
    let mut made = container("aa");
    made.measurements.cpu.usage_ns_total = Some(cpu_ns);
    let frame = Frame::new(Arc::new(snapshot(second, vec![made], vec![])), None);
    convert::stats(&frame.find("/docker/aa").unwrap())
}

/// A cgroup that is no container's.
pub(super) fn cgroup(path: &str) -> CgroupEntry {
    CgroupEntry {
        cgroup: Cgroup { id: 12, path: Some(path.to_owned()) },
        kind: Some(CgroupKind::Cgroup),
        name: None,
        counting_since: Timestamp::from_second(1).unwrap(),
        measurements: Measurements::default(),
    }
}
