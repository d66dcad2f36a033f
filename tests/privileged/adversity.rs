//! Bad days of the agent itself: it stands still, it may open no more files, more happens than its buffers hold.

use std::{fs, thread, time::Duration};

use integration_tests::{
    cgroup::{Cgroup, Places},
    container::{Container, unique},
    monitor::Monitor,
    snapshot::Snapshot,
};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};

/// How long it stands still: as long as a debugger or a frozen machine holds it, or as CI has time for.
fn standstill() -> Duration {
    if std::env::var_os("MONITOR_TEST_LONG").is_some() {
        Duration::from_mins(1)
    } else {
        Duration::from_secs(5)
    }
}

/// A process that does nothing until this is dropped.
struct Stopped(Pid);

impl Stopped {
    fn new(monitor: &Monitor) -> Self {
        let pid = pid(monitor);
        kill_process(pid, Signal::STOP).expect("stop monitor");
        Self(pid)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        kill_process(self.0, Signal::CONT).expect("let monitor go on");
    }
}

fn pid(monitor: &Monitor) -> Pid {
    Pid::from_raw(monitor.pid().try_into().expect("a process id")).expect("a process id")
}

fn voluntary(snapshot: &Snapshot, id: &str) -> u64 {
    let container = snapshot.container(id);
    container.measured.scheduler.voluntary_switches_total.expect("voluntary switches")
}

fn lost_records(snapshot: &Snapshot) -> u64 {
    snapshot.coverage.lost["lifecycle_records_total"]
}

#[test]
fn what_happens_while_it_stands_still_is_counted() {
    let mut container = Container::start(&["switch", "--threads", "2", "--blocks", "5000"]);
    let mut monitor = Monitor::start();
    let id = container.id().to_owned();
    let still = container.still_tasks();
    let before = voluntary(&monitor.next_snapshot(), &id);

    let stopped = Stopped::new(&monitor);
    container.workload().go();
    let _done = container.workload().wait_done();
    let late = Container::start(&["switch", "--blocks", "1"]);
    thread::sleep(standstill());
    drop(stopped);

    let snapshots = monitor.snapshots_until_next();
    let truth = container.still_tasks() - still;
    let last = snapshots.last().expect("a snapshot");
    assert!(truth.voluntary >= 5_000, "the workload blocked {}", truth.voluntary);
    assert_eq!(voluntary(last, &id) - before, truth.voluntary, "voluntary switches");
    let longest = snapshots.iter().map(|snapshot| Duration::from_nanos(snapshot.window_ns)).max();
    assert!(longest >= Some(standstill()), "windows of {longest:?} at most");
    assert_eq!(last.coverage.losses().collect::<Vec<_>>(), []);
    let named = monitor
        .wait_for("a container that came meanwhile", |snapshot| snapshot.find(late.id())?.name.clone());
    assert_eq!(named, late.name());
}

#[test]
fn more_cgroups_than_its_buffer_holds_are_counted_as_lost_and_found_all_the_same() {
    let mut monitor = Monitor::start();
    let before = lost_records(&monitor.next_snapshot());
    let name = unique("monitor-test");
    let roots = Places::roots();

    let stopped = Stopped::new(&monitor);
    // Two records each; there is room for some 3 300.
    for number in 0..2_500 {
        let folder = roots.any().join(format!("{name}-{number}"));
        fs::create_dir(&folder).expect("make a cgroup");
        fs::remove_dir(&folder).expect("remove a cgroup");
    }
    let kept = Cgroup::make(&roots, &name);
    drop(stopped);

    let path = format!("/{name}");
    let is_it =
        |snapshot: &Snapshot| snapshot.cgroups.iter().any(|one| one.cgroup.path.as_ref() == Some(&path));
    let found =
        monitor.wait_for("the cgroup that is there", |snapshot| is_it(snapshot).then(|| snapshot.clone()));
    let lost = lost_records(&found) - before;
    assert!((1_000..5_000).contains(&lost), "{lost} records lost");
    drop(kept);
    monitor.wait_for("its end", |snapshot| (!is_it(snapshot)).then_some(()));
}

#[test]
fn without_file_descriptors_it_goes_on_and_says_what_is_missing() {
    let mut monitor = Monitor::start();
    let usual = getrlimit(Resource::Nofile);
    let open = fs::read_dir(format!("/proc/{}/fd", monitor.pid())).expect("its descriptors").count();
    let few = Rlimit { current: Some(u64::try_from(open).expect("a number")), ..usual };
    prlimit(Some(pid(&monitor)), Resource::Nofile, few).expect("take away descriptors");

    let mut container = Container::start(&["switch", "--threads", "2", "--blocks", "1000"]);
    let id = container.id().to_owned();
    let still = container.still_tasks();
    let begun = voluntary(&monitor.next_snapshot(), &id);
    container.workload().go();
    let _done = container.workload().wait_done();
    let truth = container.still_tasks() - still;
    let poor = monitor.next_snapshot();
    assert!(truth.voluntary >= 1_000, "the workload blocked {}", truth.voluntary);
    assert_eq!(voluntary(&poor, &id) - begun, truth.voluntary, "voluntary switches");
    let why = poor.coverage.sources["cgroup_files"].reason.clone().unwrap_or_default();
    assert!(why.contains("raise the limit on open files"), "{:?}", poor.coverage.sources);

    prlimit(Some(pid(&monitor)), Resource::Nofile, usual).expect("give descriptors back");
    let is_read = |snapshot: &Snapshot| snapshot.container(&id).measured.memory.current_bytes > Some(0);
    let is_well = |snapshot: &Snapshot| {
        (snapshot.coverage.sources["tasks"].state == "ok" && is_read(snapshot)).then_some(())
    };
    monitor.wait_for("all to be read again", is_well);
}
