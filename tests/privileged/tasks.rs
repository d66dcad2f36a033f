//! What tasks do, how many turns they had and their load, against `/proc`.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use integration_tests::{
    container::{Container, Image},
    monitor::Monitor,
    snapshot::TaskStates,
    truth, wait,
};
use rustix::process::{Pid, Signal, kill_process};

/// Our counts under the letters of `/proc/PID/stat`, which has the frozen among those in disk sleep.
fn letters(ours: &TaskStates) -> BTreeMap<String, u64> {
    let count = |count: Option<u64>| count.expect("tasks are looked at");
    let by_letter = [
        ("R", count(ours.running)),
        ("S", count(ours.sleeping)),
        ("D", count(ours.disk_sleep) + count(ours.frozen)),
        ("T", count(ours.stopped)),
        ("Z", count(ours.zombie)),
        ("I", count(ours.idle)),
    ];
    by_letter
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(state, count)| (state.to_owned(), count))
        .collect()
}

/// Waits until a container's tasks are in these states by `/proc`, and until monitor says the same.
fn assert_states(monitor: &mut Monitor, container: &Container, expected: &[(&str, u64)]) -> TaskStates {
    let expected: BTreeMap<String, u64> =
        expected.iter().map(|(state, count)| ((*state).to_owned(), *count)).collect();
    wait::until("tasks to be in their states", || {
        (truth::states(container.places().any())? == expected).then_some(())
    });
    monitor.wait_for(&format!("tasks to be {expected:?}"), |snapshot| {
        let ours = &snapshot.find(container.id())?.measured.tasks;
        ours.running?;
        (letters(ours) == expected).then(|| ours.clone())
    })
}

fn pid(container: &Container) -> Pid {
    let pid = container.inspect("{{.State.Pid}}").parse().expect("a process id");
    Pid::from_raw(pid).expect("a process id")
}

#[test]
fn states_are_those_of_proc() {
    let (mut monitor, image) = (Monitor::start(), Image::import());
    let mut hog = Container::start_with(&image, &[], &["hog", "--threads", "3", "--cpus", "0"]);
    assert_states(&mut monitor, &hog, &[("S", 4)]);
    hog.workload().go();
    assert_states(&mut monitor, &hog, &[("R", 3), ("S", 1)]);
    kill_process(pid(&hog), Signal::STOP).expect("stop a process");
    assert_states(&mut monitor, &hog, &[("T", 4)]);
    kill_process(pid(&hog), Signal::CONT).expect("let a process go on");
    assert_states(&mut monitor, &hog, &[("R", 3), ("S", 1)]);
    hog.workload().stop();
    let _done = hog.workload().wait_done();
    assert_states(&mut monitor, &hog, &[("S", 4)]);
    assert!(hog.exit(0).success());
    let ended = monitor.wait_for("the end of the container", |snapshot| {
        let container = snapshot.find(hog.id())?;
        container.is_exited().then(|| container.measured.tasks.clone())
    });
    assert_eq!((ended.running, ended.load_10s, ended.age_ns), (None, None, None));
}

#[test]
fn disk_sleep_is_that_of_proc() {
    let (mut monitor, image) = (Monitor::start(), Image::import());
    let mut parent = Container::start_with(&image, &[], &["vfork", "--threads", "2", "--ms", "8000"]);
    parent.workload().go();
    // The one that waits for the threads, and the threads' children.
    let states = assert_states(&mut monitor, &parent, &[("D", 2), ("S", 3)]);
    assert_eq!((states.disk_sleep, states.frozen, states.io_wait), (Some(2), Some(0), Some(0)));
    assert!(states.disk_sleep_10s.expect("a load") > 0.0, "{states:?}");
    let _done = parent.workload().wait_done();
    assert!(parent.exit(0).success());
}

#[test]
fn a_paused_container_has_no_load() {
    let (mut monitor, image) = (Monitor::start(), Image::import());
    let container = Container::start_with(&image, &[], &["hog", "--threads", "2"]);
    container.docker(&["pause"]);
    let frozen = wait::until("tasks to be frozen", || {
        let states = truth::states(container.places().any())?;
        (states == BTreeMap::from([("D".to_owned(), 3)]) || states == BTreeMap::from([("S".to_owned(), 3)]))
            .then(|| states.contains_key("D"))
    });
    // v2 puts them to sleep. Before Linux 6.1 the frozen cannot be told from those in disk sleep.
    let states = assert_states(&mut monitor, &container, &[(if frozen { "D" } else { "S" }, 3)]);
    eprintln!("{states:?}");
    if frozen && states.disk_sleep == Some(0) {
        assert_eq!(states.frozen, Some(3));
        assert!(states.load_10s.expect("a load") < 1e-9, "{states:?}");
    }
    container.docker(&["unpause"]);
    assert_states(&mut monitor, &container, &[("S", 3)]);
}

#[test]
fn a_load_rises_as_it_should() {
    let (mut monitor, image) = (Monitor::start(), Image::import());
    let mut hog = Container::start_with(&image, &[], &["hog", "--threads", "2"]);
    assert_states(&mut monitor, &hog, &[("S", 3)]);
    let began = Instant::now();
    hog.workload().go();
    let (load, looked_at) = monitor.wait_for("the load to rise", |snapshot| {
        let tasks = &snapshot.find(hog.id())?.measured.tasks;
        let age = Duration::from_nanos(tasks.age_ns?);
        tasks.load_10s.filter(|load| *load > 0.8).map(|load| (load, began.elapsed().saturating_sub(age)))
    });
    hog.workload().stop();
    let _done = hog.workload().wait_done();
    // Looks are a second apart, so the first one with two running counts for anything up to a second before them.
    let after = |seconds: f64| 2.0 * (1.0 - (-seconds / 10.0).exp());
    let seconds = looked_at.as_secs_f64();
    let (least, most) = (after((seconds - 0.7).max(0.0)), after(seconds + 1.5));
    assert!((least..=most).contains(&load), "{load} after {seconds} s, not {least} to {most}");
    assert!(hog.exit(0).success());
}

#[test]
fn turns_on_a_cpu_are_those_of_schedstat() {
    let mut monitor = Monitor::start();
    let mut container = Container::start(&["switch", "--threads", "4", "--blocks", "2000"]);
    let look = |monitor: &mut Monitor, container: &Container| {
        let _still = container.still_tasks();
        let turns = truth::timeslices(container.places().any());
        let ours = monitor.next_snapshot().container(container.id()).measured.scheduler.timeslices_total;
        (turns, ours.expect("turns are counted"))
    };
    let (truth_before, ours_before) = look(&mut monitor, &container);
    container.workload().go();
    let _done = container.workload().wait_done();
    let (truth, ours) = look(&mut monitor, &container);
    let (truth, ours) = (truth - truth_before, ours - ours_before);
    eprintln!("truth {truth}, ours {ours}");
    // The kernel leaves out turns that no wait came before.
    assert!(
        truth >= 4000 && truth <= ours && ours <= truth + truth / 50,
        "{ours} turns, {truth} by schedstat"
    );
    assert!(container.exit(0).success());
}

#[test]
fn looks_at_all_tasks_take_little_of_the_time() {
    let mut monitor = Monitor::start();
    let first = monitor.next_snapshot();
    let took = first.coverage.census_ns.expect("tasks were looked at");
    let source = first.coverage.sources.get("tasks").expect("a source");
    assert_eq!((source.state.as_str(), &source.reason), ("ok", &None));
    let ages: Vec<u64> = (0..25)
        .filter_map(|_| monitor.any_snapshot().cgroups.first().and_then(|root| root.measured.tasks.age_ns))
        .collect();
    // Ticks are 100 ms apart, looks a second.
    let looks = ages.iter().filter(|age| **age < 20_000_000).count();
    assert!((1..=4).contains(&looks), "{looks} looks in {ages:?}");
    assert!(ages.iter().any(|age| *age > 500_000_000), "{ages:?}");
    assert!(took < 50_000_000, "a look took {took} ns");
}
