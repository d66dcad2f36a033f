//! Limits in small trees of each version, with the kernel's own text.

use std::fs;

use tempfile::TempDir;

use super::*;

/// A directory with these files.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

#[test]
fn v2_files_give_every_limit() {
    let cgroup = directory(&[
        ("cpu.max", "50000 100000\n"),
        ("cpu.weight", "39\n"),
        ("cpuset.cpus.effective", "0-1\n"),
        ("cpuset.mems.effective", "0\n"),
        ("memory.max", "67108864\n"),
        ("memory.high", "max\n"),
        ("memory.low", "33554432\n"),
        ("memory.swap.max", "0\n"),
        ("pids.max", "50\n"),
        ("io.weight", "default 100\n8:0 50\n"),
        ("io.max", "8:0 rbps=1048576 wbps=max riops=max wiops=120\n"),
        ("hugetlb.2MB.max", "max\n"),
        ("hugetlb.2MB.rsvd.max", "4096\n"),
    ]);
    let places = Places { v2: Some(cgroup.path().to_owned()), v1: BTreeMap::new() };
    let io = IoLimit {
        read_bytes: Limit::Value(1 << 20),
        write_operations: Limit::Value(120),
        ..IoLimit::default()
    };
    let expected = CgroupLimits {
        quota_us: Some(Limit::Value(50_000)),
        period_us: Some(100_000),
        shares: None,
        weight: Some(39),
        cpus: Some("0-1".to_owned()),
        memory_nodes: Some("0".to_owned()),
        memory_bytes: Some(Limit::Value(64 << 20)),
        memory_high_bytes: Some(Limit::Max),
        memory_reservation_bytes: Some(Limit::Value(32 << 20)),
        swap_bytes: Some(Limit::Value(0)),
        pids: Some(Limit::Value(50)),
        io_weight: Some(100),
        io: Some(BTreeMap::from([("8:0".to_owned(), io)])),
        hugetlb_bytes: BTreeMap::from([("2MB".to_owned(), Limit::Max)]),
    };
    assert_eq!(places.read_limits(), expected);
}

#[test]
fn v1_files_give_every_limit_beside_a_v2_tree_without_controllers() {
    let cgroup = directory(&[
        ("cpu.cfs_quota_us", "-1\n"),
        ("cpu.cfs_period_us", "100000\n"),
        ("cpu.shares", "512\n"),
        ("cpuset.effective_cpus", "0\n"),
        ("cpuset.effective_mems", "0\n"),
        ("memory.limit_in_bytes", "67108864\n"),
        ("memory.soft_limit_in_bytes", "9223372036854771712\n"),
        ("memory.memsw.limit_in_bytes", "100663296\n"),
        ("pids.max", "max\n"),
        ("blkio.bfq.weight", "100\n"),
        ("blkio.throttle.read_bps_device", "254:0 1048576\n"),
        ("blkio.throttle.write_bps_device", ""),
        ("blkio.throttle.read_iops_device", ""),
        ("blkio.throttle.write_iops_device", "254:0 120\n254:16 7\n"),
        ("hugetlb.2MB.limit_in_bytes", "9223372036852678656\n"),
    ]);
    let unified = directory(&[("cpu.stat", "usage_usec 1\n")]);
    let controllers = ["cpu", "cpuset", "memory", "pids", "blkio", "hugetlb"];
    let v1 = controllers.map(|controller| (controller.to_owned(), cgroup.path().to_owned()));
    let places = Places { v2: Some(unified.path().to_owned()), v1: v1.into() };
    let limits = places.read_limits();
    assert_eq!((limits.quota_us, limits.period_us), (Some(Limit::Max), Some(100_000)));
    assert_eq!((limits.shares, limits.weight), (Some(512), None));
    assert_eq!(limits.memory_bytes, Some(Limit::Value(64 << 20)));
    assert_eq!(limits.memory_reservation_bytes, Some(Limit::Max));
    assert_eq!(limits.memory_high_bytes, None);
    assert_eq!(limits.swap_bytes, Some(Limit::Value(32 << 20)));
    assert_eq!(limits.pids, Some(Limit::Max));
    assert_eq!(limits.io_weight, Some(100));
    let io = limits.io.unwrap();
    let first = IoLimit {
        read_bytes: Limit::Value(1 << 20),
        write_operations: Limit::Value(120),
        ..IoLimit::default()
    };
    assert_eq!(io.get("254:0"), Some(&first));
    assert_eq!(io.get("254:16"), Some(&IoLimit { write_operations: Limit::Value(7), ..IoLimit::default() }));
    assert_eq!(limits.hugetlb_bytes, BTreeMap::from([("2MB".to_owned(), Limit::Max)]));
}

#[test]
fn without_controllers_nothing_is_known() {
    let empty = directory(&[]);
    let places = Places { v2: Some(empty.path().to_owned()), v1: BTreeMap::new() };
    assert_eq!(places.read_limits(), CgroupLimits::default());
    assert_eq!(Places::default().read_limits(), CgroupLimits::default());
    assert_eq!(Places::default().is_frozen(), None);
}

#[test]
fn a_paused_container_is_frozen_on_either_version() {
    for (text, expected) in [("FROZEN\n", true), ("FREEZING\n", true), ("THAWED\n", false)] {
        let cgroup = directory(&[("freezer.state", text)]);
        let v1 = BTreeMap::from([("freezer".to_owned(), cgroup.path().to_owned())]);
        assert_eq!(Places { v2: None, v1 }.is_frozen(), Some(expected));
    }
    for (text, expected) in [("populated 1\nfrozen 1\n", Some(true)), ("populated 1\n", None)] {
        let cgroup = directory(&[("cgroup.events", text)]);
        let places = Places { v2: Some(cgroup.path().to_owned()), v1: BTreeMap::new() };
        assert_eq!(places.is_frozen(), expected);
    }
}

#[test]
fn memberships_have_controllers_names_or_neither() {
    let text = "9:name=systemd:/a:b\n3:cpu,cpuacct:/docker/x\n0::/docker/x\nbroken\n";
    let membership = |hierarchy, controllers: &[&str], path: &str| Membership {
        hierarchy,
        controllers: controllers.iter().map(ToString::to_string).collect(),
        path: path.to_owned(),
    };
    let expected = [
        membership(9, &["name=systemd"], "/a:b"),
        membership(3, &["cpu", "cpuacct"], "/docker/x"),
        membership(0, &[], "/docker/x"),
    ];
    assert_eq!(parse_memberships(text), expected);
}
