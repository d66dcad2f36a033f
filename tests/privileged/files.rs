//! What the cgroup files say, whichever hierarchy they are in.

use std::{fs, time::Duration};

use integration_tests::{
    bracket::assert_bracketed,
    cgroup::Places,
    container::{Container, Image},
    monitor::Monitor,
    snapshot::{Latency, Measurements, Stall},
    truth,
};

/// The text of the first of these files that the container has, v1's and v2's name for the same.
fn file(places: &Places, names: [&str; 2]) -> String {
    let path = names.iter().find_map(|name| places.file(name));
    let path = path.unwrap_or_else(|| panic!("none of {names:?} in {places:?}"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()))
}

fn number<T: std::str::FromStr>(places: &Places, names: [&str; 2]) -> T {
    let text = file(places, names);
    text.trim().parse().unwrap_or_else(|_| panic!("{names:?} is {text:?}"))
}

fn measured(monitor: &mut Monitor, container: &Container) -> Measurements {
    monitor.next_snapshot().container(container.id()).measured.clone()
}

#[test]
fn limits_are_those_of_the_files() {
    let create = ["--memory=64m", "--cpus=0.5", "--pids-limit=50", "--cpuset-cpus=0", "--cpu-shares=512"];
    let container = Container::start_with(&Image::import(), &create, &["hog"]);
    let mut monitor = Monitor::start();
    let ours = measured(&mut monitor, &container);
    let places = container.places();
    assert_eq!(ours.memory.limit_bytes, Some(64 << 20));
    assert_eq!(ours.memory.limit_bytes, Some(number(places, ["memory.limit_in_bytes", "memory.max"])));
    assert_eq!(ours.pids.limit, Some(50));
    assert_eq!(ours.pids.limit, Some(number(places, ["pids.max", "pids.max"])));
    assert_eq!(ours.cpu.quota_us, Some(50_000));
    assert_eq!(ours.cpu.period_us, Some(100_000));
    assert_eq!(ours.cpu.shares_or_weight, Some(number(places, ["cpu.shares", "cpu.weight"])));
    assert_eq!(ours.cpu.cpuset.as_deref(), Some("0"));
}

#[test]
fn no_limit_is_minus_one() {
    let container = Container::start(&["hog"]);
    let mut monitor = Monitor::start();
    let ours = measured(&mut monitor, &container);
    assert_eq!(ours.memory.limit_bytes, Some(-1));
    assert_eq!(ours.cpu.quota_us, Some(-1));
    assert_eq!(ours.pids.limit, Some(-1));
}

#[test]
fn memory_and_tasks_are_those_of_the_files() {
    let mut container = Container::start(&["switch", "--threads", "7", "--blocks", "10"]);
    let mut monitor = Monitor::start();
    container.workload().go();
    let _done = container.workload().wait_done();
    let _still = container.still_tasks();
    let stat = |name: [&str; 2]| {
        let text = file(container.places(), ["memory.stat", "memory.stat"]);
        truth::try_field(&text, name[0]).or_else(|| truth::try_field(&text, name[1])).expect("in memory.stat")
    };
    let truth = || {
        let current: u64 = number(container.places(), ["memory.usage_in_bytes", "memory.current"]);
        let active_anon = stat(["total_active_anon", "active_anon"]);
        let inactive_anon = stat(["total_inactive_anon", "inactive_anon"]);
        let anon = stat(["total_rss", "anon"]);
        let inactive_file = stat(["total_inactive_file", "inactive_file"]);
        let [dirty, unevictable] =
            [["total_dirty", "file_dirty"], ["total_unevictable", "unevictable"]].map(stat);
        [current, anon, inactive_file, active_anon, inactive_anon, dirty, unevictable]
    };
    // Nothing runs, but the kernel may still give charges back that it held in reserve.
    let (ours, [current, anon, inactive_file, active_anon, inactive_anon, dirty, unevictable]) =
        integration_tests::wait::until("memory to stand still", || {
            let before = truth();
            let ours = measured(&mut monitor, &container);
            (truth() == before).then_some((ours, before))
        });
    assert_eq!(ours.memory.current_bytes, Some(current));
    assert_eq!(ours.memory.anon_bytes, Some(anon));
    assert_eq!(ours.memory.inactive_file_bytes, Some(inactive_file));
    assert_eq!(ours.memory.active_anon_bytes, Some(active_anon));
    assert_eq!(ours.memory.inactive_anon_bytes, Some(inactive_anon));
    assert_eq!(ours.memory.dirty_bytes, Some(dirty));
    assert_eq!(ours.memory.unevictable_bytes, Some(unevictable));
    assert_eq!(ours.memory.working_set_bytes, Some(current.saturating_sub(inactive_file)));
    assert_eq!(ours.memory.oom_kills_total, Some(0));
    if let Some(peak) = ours.memory.peak_bytes {
        assert!(peak >= current, "the peak {peak} is below {current}");
    }
    assert_eq!(ours.pids.current, Some(8), "seven threads and the one that waits for them");
    assert!(container.exit(0).success());
}

#[test]
fn throttling_grows_as_in_the_file() {
    let mut container = Container::start_with(&Image::import(), &["--cpus=0.2"], &["hog"]);
    let mut monitor = Monitor::start();
    container.workload().go();
    // On a hybrid host v2 has a `cpu.stat` too, without a controller behind it.
    let quota = container.places().file("cpu.cfs_quota_us").or_else(|| container.places().file("cpu.max"));
    let stat = quota.expect("a quota").with_file_name("cpu.stat");
    let truth = || truth::read(&stat).expect("cpu.stat");
    let throttled = || truth::field(&truth(), "nr_throttled");
    let mut ours =
        || measured(&mut monitor, &container).cpu.throttled_periods_total.expect("throttled periods");
    let (least, _) = assert_bracketed(throttled, &mut ours, Duration::from_secs(1));
    assert!(least >= 3, "the quota ran out {least} times");
    let time = || {
        let text = truth();
        truth::try_field(&text, "throttled_time")
            .unwrap_or_else(|| truth::field(&text, "throttled_usec") * 1000)
    };
    let mut ours = || measured(&mut monitor, &container).cpu.throttled_ns_total.expect("throttled time");
    let (least, _) = assert_bracketed(time, &mut ours, Duration::from_secs(1));
    assert!(least > 100_000_000, "throttled for {least} ns");
    assert_periods_add_up(&mut monitor, &container);
    let mut periods = || measured(&mut monitor, &container).cpu.periods_total.expect("periods");
    assert_bracketed(|| truth::field(&truth(), "nr_periods"), &mut periods, Duration::from_secs(1));
    container.workload().stop();
    let _done = container.workload().wait_done();
    assert!(container.exit(0).success());
}

/// The lengths of throttled periods are as many as the file has grown by, and add up to the time that it has grown by.
fn assert_periods_add_up(monitor: &mut Monitor, container: &Container) {
    let first = measured(monitor, container).cpu;
    std::thread::sleep(Duration::from_secs(2));
    let last = measured(monitor, container).cpu;
    let [first_periods, last_periods] =
        [&first, &last].map(|cpu| cpu.throttled_period.clone().expect("throttled periods"));
    let grown = |read: fn(&integration_tests::snapshot::Cpu) -> Option<u64>| {
        read(&last).expect("measured") - read(&first).expect("measured")
    };
    let periods = last_periods.count - first_periods.count;
    assert_eq!(periods, grown(|cpu| cpu.throttled_periods_total));
    assert!(periods >= 10, "{periods} throttled periods in two seconds");
    // One thread with a fifth of a CPU is held back for four fifths of a period, less where it does not get its fifth at once.
    let (p50, max) = (last_periods.p50_ns.expect("a median"), last_periods.max_ns.expect("a longest"));
    assert!((40_000_000..=110_000_000).contains(&p50), "half were held back for {p50} ns");
    assert!(max >= p50, "{max} ns at most");
    let least = |latency: &Latency| latency.buckets.iter().map(|one| one.count * one.from_ns).sum::<u64>();
    let (bound, ns) = (least(&last_periods) - least(&first_periods), grown(|cpu| cpu.throttled_ns_total));
    assert!(bound <= ns && ns <= bound * 5 / 4 + 1, "the file has {ns} ns, the buckets from {bound} ns on");
}

#[test]
fn cpu_time_of_a_hog_is_user_time() {
    let mut container = Container::start(&["hog"]);
    let mut monitor = Monitor::start();
    container.workload().go();
    let usage = || container.cpu_usage_us();
    let mut ours = || measured(&mut monitor, &container).cpu.usage_ns_total.expect("usage") / 1000;
    let (least, _) = assert_bracketed(usage, &mut ours, Duration::from_secs(1));
    assert!(least > 100_000, "the hog had {least} us");
    let cpu = measured(&mut monitor, &container).cpu;
    assert!(cpu.user_ns_total.expect("user time") > cpu.system_ns_total.expect("system time"));
    container.workload().stop();
    let _done = container.workload().wait_done();
    assert!(container.exit(0).success());
}

#[test]
fn pressure_is_the_files_where_there_are_any() {
    let container = Container::start(&["hog"]);
    let mut monitor = Monitor::start();
    let read = |name: &str| truth::read(&container.places().v2()?.join(name));
    let some_us = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("some ")).expect("a line of `some`");
        let total = line.rsplit_once("total=").expect("a total").1;
        total.parse::<u64>().expect("microseconds")
    };
    let files = ["cpu.pressure", "memory.pressure", "io.pressure"];
    let before = files.map(read);
    let ours = measured(&mut monitor, &container).pressure;
    let after = files.map(read);
    let ours: [Option<Stall>; 3] = [ours.cpu, ours.memory, ours.io];
    for (((name, before), ours), after) in files.iter().zip(before).zip(ours).zip(after) {
        let (Some(before), Some(after)) = (before, after) else {
            assert!(ours.is_none(), "{name} is not there: {ours:?}");
            continue;
        };
        let ours =
            ours.and_then(|stall| stall.some).unwrap_or_else(|| panic!("{name} is there")).stall_us_total;
        assert!((some_us(&before)..=some_us(&after)).contains(&ours), "{name}: {ours}, in the file {after}");
    }
}
