//! Cgroups that nobody's runtime made.

use std::{fs, os::unix::fs::MetadataExt as _};

use integration_tests::{
    cgroup::{Cgroup, Places},
    container::{Container, unique},
    monitor::Monitor,
    snapshot::Measurements,
    truth::Tasks,
    workload::Workload,
};

fn voluntary(measured: &Measurements) -> u64 {
    measured.scheduler.voluntary_switches_total.expect("voluntary switches")
}

#[test]
fn what_a_nested_cgroup_does_counts_for_its_container() {
    let mut container = Container::start(&["sleep", "--ms", "1"]);
    let mut monitor = Monitor::start();
    let id = container.id().to_owned();
    let total = |monitor: &mut Monitor| voluntary(&monitor.next_snapshot().container(&id).measured);
    let outer = container.still_tasks();
    let before = total(&mut monitor);

    let nested = Cgroup::make(container.places(), "nested");
    let mut workload = Workload::start(&["switch", "--threads", "2", "--blocks", "1000"]);
    let _ready = workload.wait_ready();
    let at_home = Tasks::of_still_process(workload.pid());
    nested.take(workload.pid());
    workload.go();
    let _done = workload.wait_done();
    let truth = Tasks::of_still_cgroup(nested.places().any()) - at_home;
    let with_nested = total(&mut monitor);
    assert_eq!(container.still_tasks(), outer, "the container itself stood still");
    assert!(truth.voluntary >= 1000, "the workload blocked {}", truth.voluntary);
    assert_eq!(with_nested - before, truth.voluntary, "voluntary switches");

    assert!(workload.exit(0).success());
    // Its way out is counted too, and can no longer be read anywhere.
    let after_exit = total(&mut monitor);
    assert!(after_exit > with_nested);
    drop(nested);
    let removed = total(&mut monitor);
    assert_eq!(removed, after_exit, "a removed cgroup's totals stay with its container");
    container.workload().go();
    let _done = container.workload().wait_done();
    assert!(total(&mut monitor) > removed);
    assert!(container.exit(0).success());
}

#[test]
fn a_cgroup_that_is_no_container_s_is_listed_as_itself() {
    let mut monitor = Monitor::start();
    let name = unique("monitor-test");
    let cgroup = Cgroup::make(&Places::roots(), &name);
    let mut workload = Workload::start(&["switch", "--threads", "2", "--blocks", "1000"]);
    let _ready = workload.wait_ready();
    let at_home = Tasks::of_still_process(workload.pid());
    cgroup.take(workload.pid());
    workload.go();
    let _done = workload.wait_done();
    let truth = Tasks::of_still_cgroup(cgroup.places().any()) - at_home;
    let snapshot = monitor.next_snapshot();
    let path = format!("/{name}");
    let entry = snapshot.cgroups.iter().find(|entry| entry.cgroup.path.as_deref() == Some(&path));
    let entry = entry.unwrap_or_else(|| panic!("no cgroup {path} in {:?}", snapshot.cgroups));
    assert!(cgroup.places().has_id(entry.cgroup.id), "{} is no inode number of it", entry.cgroup.id);
    if let Some(folder) = cgroup.places().v2() {
        assert_eq!(entry.cgroup.id, fs::metadata(folder).expect("its folder").ino());
    }
    assert_eq!(voluntary(&entry.measured), truth.voluntary, "voluntary switches");
    assert_eq!(entry.measured.pids.current, Some(3), "tasks");
    assert!(workload.exit(0).success());
}
