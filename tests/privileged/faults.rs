//! How long major faults take, beside the time that the process saw go by.

use std::time::{Duration, Instant};

use integration_tests::{
    container::{Container, Image},
    disk::LoopDevice,
    monitor::Monitor,
    snapshot::Snapshot,
};

const PAGES: u64 = 1000;
const PAGE_BYTES: u64 = 4096;
/// The part of a process's time that its faults take at least, where it does nothing else.
const SHARE: f64 = 0.7;

#[test]
fn major_faults_take_the_time_of_who_waits_for_them() {
    let device = LoopDevice::attach_direct(PAGES * PAGE_BYTES);
    let (mut monitor, image) = (Monitor::start_with(&["--major-fault-latency"]), Image::import());
    let bystander = Container::start_with(&image, &[], &["sleep", "--ms", "1"]);
    let pages = PAGES.to_string();
    let args = ["major", "--file", device.path(), "--pages", &pages];
    let mut busy = Container::start_with(&image, &["--device", device.path()], &args);
    let before = total_ns(&monitor.next_snapshot(), &busy);
    let begun = Instant::now();
    busy.workload().go();
    let done = busy.workload().wait_done();
    let took = begun.elapsed();
    let snapshots = monitor.snapshots_until_next();
    let last = snapshots.last().expect("a snapshot");
    let ns = total_ns(last, &busy) - before;
    let count: u64 = snapshots.iter().map(|snapshot| timed(snapshot, &busy)).sum();
    let truth = done.major_faults - busy.ready().major_faults;
    eprintln!("{count} faults of {truth}, {ns} ns of {took:?}");

    assert!(truth >= PAGES, "only {truth} major faults");
    assert_eq!(count, truth, "major faults in the histogram");
    assert!(Duration::from_nanos(ns) <= took, "{ns} ns of faults in {took:?}");
    assert!(ns as f64 >= SHARE * took.as_nanos() as f64, "only {ns} ns of faults in {took:?}");
    assert_eq!(last.coverage.lost.get("untimed_faults_total"), Some(&0));
    assert_eq!(timed(last, &bystander), 0);
    assert!(busy.exit(0).success());
}

#[test]
fn major_faults_are_not_timed_unless_asked_for() {
    let snapshot = Monitor::start().next_snapshot();
    let probe = snapshot.coverage.probes.iter().find(|probe| probe.name == "major_fault").expect("a probe");
    assert!(
        probe.reason.as_ref().is_some_and(|reason| reason.contains("--major-fault-latency")),
        "{probe:?}"
    );
    let root = snapshot.cgroups.iter().find(|entry| entry.cgroup.path.as_deref() == Some("/"));
    assert_eq!(root.map(|root| root.measured.faults.major_ns_total), Some(None));
}

fn total_ns(snapshot: &Snapshot, container: &Container) -> u64 {
    snapshot.container(container.id()).measured.faults.major_ns_total.expect("major faults are timed")
}

fn timed(snapshot: &Snapshot, container: &Container) -> u64 {
    let found = snapshot.find(container.id());
    let latency = found.and_then(|found| found.measured.faults.major_latency.as_ref());
    latency.map_or(0, |latency| latency.count)
}
