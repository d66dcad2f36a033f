use std::sync::Arc;

use super::*;
use crate::{
    cadvisor::{
        frame::Frame,
        testing::{cgroup, container, snapshot},
    },
    model::{ContainerState, HostInterface, InterfaceTraffic, Snapshot},
};

fn stats_of(snapshot: Snapshot, path: &str) -> Stats {
    let frame = Frame::new(Arc::new(snapshot), Some(1));
    stats(&frame.find(path).unwrap())
}

fn spec_of(snapshot: Snapshot, path: &str) -> Spec {
    let frame = Frame::new(Arc::new(snapshot), Some(1));
    spec(&frame.find(path).unwrap())
}

#[test]
fn the_machine_is_made_of_the_host_s_figures() {
    let mut snapshot = snapshot(1, vec![], vec![]);
    let interface = |name: &str, bytes| HostInterface {
        name: name.to_owned(),
        traffic: InterfaceTraffic { rx_bytes_total: Some(bytes), ..InterfaceTraffic::default() },
    };
    snapshot.host.totals.interfaces = Some(vec![interface("veth12", 5), interface("eth0", 7)]);
    let stats = stats_of(snapshot, "/");
    assert_eq!(stats.cpu.usage.total, Some(6_000_000_000));
    assert_eq!(stats.memory.usage, Some(5 << 30));
    assert_eq!(stats.memory.working_set, None);
    let names: Vec<&str> = stats.network.interfaces.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(names, ["eth0"]);
}

#[test]
fn a_root_cgroup_that_has_counts_is_believed() {
    let mut root = cgroup("/");
    root.measurements.cpu.usage_ns_total = Some(7);
    let stats = stats_of(snapshot(1, vec![], vec![root]), "/");
    assert_eq!(stats.cpu.usage.total, Some(7));
}

#[test]
fn shares_are_told_where_they_are_shares() {
    let mut made = container("aa");
    made.measurements.cpu.shares_or_weight = Some(100);
    let v2 = snapshot(1, vec![made], vec![]);
    let mut v1 = v2.clone();
    v1.host.cgroup_mode = Some(CgroupMode::V1);
    assert_eq!(spec_of(v2, "/docker/aa").cpu.limit, None);
    assert_eq!(spec_of(v1, "/docker/aa").cpu.limit, Some(100));
}

#[test]
fn v1_limits_memory_and_swap_together() {
    let mut made = container("aa");
    made.measurements.memory.limit_bytes = Some(100);
    made.measurements.memory.swap_limit_bytes = Some(50);
    let v2 = snapshot(1, vec![made], vec![]);
    let mut v1 = v2.clone();
    v1.host.cgroup_mode = Some(CgroupMode::V1);
    assert_eq!(spec_of(v2, "/docker/aa").memory.swap_limit, Some(50));
    assert_eq!(spec_of(v1, "/docker/aa").memory.swap_limit, Some(150));
}

#[test]
fn no_limit_is_the_largest_number() {
    let spec = spec_of(snapshot(1, vec![container("aa")], vec![]), "/docker/aa");
    assert_eq!(spec.memory.limit, Some(UNLIMITED));
    assert_eq!(spec.memory.swap_limit, None);
}

#[test]
fn quota_figures_need_a_quota() {
    let mut made = container("aa");
    made.measurements.cpu.periods_total = Some(5);
    made.measurements.cpu.quota_us = Some(-1);
    let mut limited = container("bb");
    limited.measurements.cpu.periods_total = Some(5);
    limited.measurements.cpu.quota_us = Some(20_000);
    let snapshot = snapshot(1, vec![made, limited], vec![]);
    assert_eq!(stats_of(snapshot.clone(), "/docker/aa").cpu.cfs.periods, None);
    assert_eq!(stats_of(snapshot, "/docker/bb").cpu.cfs.periods, Some(5));
}

#[test]
fn a_container_in_the_machine_s_network_has_its_sockets_traffic() {
    let mut made = container("aa");
    made.namespaces.net = Some(1);
    made.measurements.network.rx_bytes_total = Some(33);
    let stats = stats_of(snapshot(1, vec![made], vec![]), "/docker/aa");
    let first = stats.network.first.unwrap();
    assert_eq!((first.name.as_str(), first.rx_bytes, first.rx_errors), ("sockets", Some(33), None));
}

#[test]
fn a_container_in_another_s_network_tells_none_of_it() {
    let mut first = container("aa");
    first.namespaces.net = Some(9);
    first.started_at = None;
    let mut second = container("bb");
    second.namespaces.net = Some(9);
    let snapshot = snapshot(1, vec![second, first], vec![]);
    assert_eq!(stats_of(snapshot.clone(), "/docker/aa").network.interfaces.len(), 1);
    assert!(stats_of(snapshot, "/docker/bb").network.interfaces.is_empty());
}

#[test]
fn devices_tell_what_is_known_of_them() {
    let stats = stats_of(snapshot(1, vec![container("aa")], vec![]), "/docker/aa");
    let bytes = stats.diskio.io_service_bytes.first().unwrap();
    assert_eq!((bytes.device.as_str(), bytes.major, bytes.minor), ("/dev/sda", 8, 0));
    assert_eq!(bytes.stats, [("Read", 1024)].into());
    assert!(stats.diskio.io_serviced.is_empty());
}

#[test]
fn kills_are_the_more_of_two_counts() {
    let mut made = container("aa");
    made.measurements.memory.oom_victims_total = Some(2);
    made.state = ContainerState::Exited;
    let stats = stats_of(snapshot(1, vec![made], vec![]), "/docker/aa");
    assert_eq!(stats.oom_events, Some(2));
}

#[test]
fn what_was_not_measured_is_null() {
    let frame = Frame::new(Arc::new(snapshot(1, vec![], vec![cgroup("/docker")])), None);
    let json = serde_json::to_value(measured(&frame.find("/docker").unwrap())).unwrap();
    assert_eq!(json["stats"][0]["cpu"]["usage"]["total"], serde_json::Value::Null);
    assert_eq!(json["stats"][0]["memory"]["usage"], serde_json::Value::Null);
    assert_eq!(json["spec"]["has_cpu"], false);
}
