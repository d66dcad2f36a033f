//! Switches, waits, times and faults equal what the kernel counts, over work that starts and ends while we watch.

use integration_tests::{
    bracket::assert_within,
    container::{Container, Image},
    monitor::Monitor,
    snapshot::Snapshot,
    truth::Tasks,
    workload::{Report, Workload},
};

/// Waits and times on a CPU may differ by this many thousandths.
const TIMES_PER_MILLE: u64 = 10;

/// Faults may differ from `getrusage` by this many thousandths: it is called a little before the barrier.
const FAULTS_PER_MILLE: u64 = 1;

/// Where pinned threads run.
const ONE_CPU: [&str; 2] = ["--cpus", "0"];

/// What happened between two barriers.
struct Growth {
    truth: Tasks,
    ours: Tasks,
    /// In our histograms of all the windows.
    waits: u64,
    /// Likewise.
    timeslices: Timeslices,
    /// By the cgroup's file. Its growth: a runtime enters one hierarchy after the other, each with a past of its own.
    usage_us: u64,
    ours_usage_us: u64,
    /// By `getrusage`.
    minor_faults: u64,
    /// By `getrusage`.
    major_faults: u64,
    /// Tasks that started and that ended, as we say.
    starts_and_exits: (u64, u64),
}

/// Runs a workload in a container of its own from barrier to barrier, and compares all there is to compare.
fn assert_exact(monitor: &mut Monitor, image: &Image, args: &[&str]) -> Growth {
    assert_exact_while(monitor, image, args, |_| {})
}

/// Likewise, doing something while it works.
fn assert_exact_while(
    monitor: &mut Monitor,
    image: &Image,
    args: &[&str],
    meanwhile: impl FnOnce(&mut Workload),
) -> Growth {
    let mut container = Container::start_with(image, &[], args);
    let ready = container.ready();
    let begin = Barrier::reach(monitor, &container, ready);
    container.workload().go();
    meanwhile(container.workload());
    let done = container.workload().wait_done();
    let end = Barrier::reach(monitor, &container, done);
    assert!(container.exit(0).success());

    let growth = Growth {
        truth: end.truth - begin.truth,
        ours: end.ours - begin.ours,
        waits: end.waits,
        timeslices: end.timeslices,
        usage_us: end.usage_us - begin.usage_us,
        ours_usage_us: end.ours_usage_us - begin.ours_usage_us,
        minor_faults: done.minor_faults - ready.minor_faults,
        major_faults: done.major_faults - ready.major_faults,
        starts_and_exits: (
            end.starts_and_exits.0 - begin.starts_and_exits.0,
            end.starts_and_exits.1 - begin.starts_and_exits.1,
        ),
    };
    eprintln!("{args:?}: truth {:?}\n{args:?}: ours  {:?}", growth.truth, growth.ours);
    growth.check();
    growth
}

impl Growth {
    fn check(&self) {
        let Self {
            truth, ours, waits, timeslices, usage_us, ours_usage_us, minor_faults, major_faults, ..
        } = self;
        assert_eq!(ours.voluntary, truth.voluntary, "voluntary switches");
        assert_eq!(ours.involuntary, truth.involuntary, "involuntary switches");
        // Each time that a task was given a CPU ended with one switch away from it. (The kernel's own count of the
        // beginnings, the third field of `schedstat`, leaves out those that no wait came before.)
        assert_eq!(*waits, truth.voluntary + truth.involuntary, "waits in the histogram");
        timeslices.check(truth);
        assert_within("time on a CPU", ours.on_cpu_ns, truth.on_cpu_ns, TIMES_PER_MILLE);
        assert_within("run-queue wait", ours.runq_wait_ns, truth.runq_wait_ns, TIMES_PER_MILLE);
        assert_eq!(ours.minor, truth.minor, "minor faults");
        assert_eq!(ours.major, truth.major, "major faults");
        // Each of the four readings was cut to whole microseconds.
        let apart = usage_us.abs_diff(*ours_usage_us);
        assert!(apart <= 1, "CPU usage: ours {ours_usage_us} us, by the cgroup's file {usage_us} us");
        // A workload that hardly faults has the few faults of its report to itself.
        for (name, ours, theirs) in [
            ("minor faults by getrusage", ours.minor, *minor_faults),
            ("major faults by getrusage", ours.major, *major_faults),
        ] {
            if theirs >= 1000 * FAULTS_PER_MILLE {
                assert_within(name, ours, theirs, FAULTS_PER_MILLE);
            }
        }
    }
}

/// What histograms of time slices tell together.
#[derive(Clone, Copy, Default)]
struct Timeslices {
    count: u64,
    /// All together took no less.
    least_ns: u64,
    /// Nor more.
    most_ns: u64,
}

impl Timeslices {
    /// Adds those of a window.
    fn add(&mut self, snapshot: &Snapshot, id: &str) {
        let latency =
            snapshot.find(id).and_then(|container| container.measured.scheduler.timeslices.as_ref());
        for bucket in latency.iter().flat_map(|latency| &latency.buckets) {
            self.count += bucket.count;
            self.least_ns += bucket.count * bucket.from_ns;
            self.most_ns += bucket.count * bucket.to_ns.expect("no turn of eight seconds");
        }
    }

    /// Each turn is in the histogram but those that ended while the kernel announced no switch, which are few.
    fn check(&self, truth: &Tasks) {
        let Self { count, least_ns, most_ns } = *self;
        let turns = truth.voluntary + truth.involuntary;
        assert!(count <= turns && count + turns / 50 + 1 >= turns, "{count} time slices in {turns} turns");
        let on_cpu_ns = truth.on_cpu_ns;
        assert!(least_ns <= on_cpu_ns, "time slices of {least_ns} ns and more in {on_cpu_ns} ns");
        assert!(
            most_ns + on_cpu_ns / 10 >= on_cpu_ns,
            "time slices of at most {most_ns} ns in {on_cpu_ns} ns"
        );
    }
}

/// A moment at which nothing in the container moves.
struct Barrier {
    /// The living and the dead.
    truth: Tasks,
    ours: Tasks,
    /// Those told since the barrier before.
    waits: u64,
    timeslices: Timeslices,
    /// CPU time by the cgroup's file.
    usage_us: u64,
    ours_usage_us: u64,
    starts_and_exits: (u64, u64),
}

impl Barrier {
    fn reach(monitor: &mut Monitor, container: &Container, report: Report) -> Self {
        let (mut waits, mut timeslices) = (0, Timeslices::default());
        loop {
            let truth = container.still_tasks();
            let usage_us = container.cpu_usage_us();
            let snapshots = monitor.snapshots_until_next();
            waits += snapshots.iter().map(|snapshot| waits_in(snapshot, container.id())).sum::<u64>();
            for snapshot in &snapshots {
                timeslices.add(snapshot, container.id());
            }
            if container.still_tasks() != truth {
                // Something moved all the same, as when a signal came; once more.
                continue;
            }
            let measured = &snapshots.last().expect("one").container(container.id()).measured;
            let ours = measured.task_totals();
            let ours_usage_us = measured.cpu.usage_ns_total.expect("CPU usage") / 1000;
            let scheduler = &measured.scheduler;
            let starts_and_exits =
                (scheduler.starts_total.expect("starts"), scheduler.exits_total.expect("exits"));
            let truth = truth + report.dead;
            return Self { truth, ours, waits, timeslices, usage_us, ours_usage_us, starts_and_exits };
        }
    }
}

fn waits_in(snapshot: &Snapshot, id: &str) -> u64 {
    let latency = snapshot.find(id).and_then(|container| container.measured.scheduler.runq_latency.as_ref());
    let Some(latency) = latency else { return 0 };
    let in_buckets: u64 = latency.buckets.iter().map(|bucket| bucket.count).sum();
    assert_eq!(latency.count, in_buckets, "each wait is in a bucket");
    latency.count
}

fn assert_exact_switches(threads: u64) {
    let (mut monitor, image) = (Monitor::start(), Image::import());
    let count = threads.to_string();
    let args = ["switch", "--threads", &count, "--blocks", "2000", "--yields", "500"];
    let pinned = assert_exact(&mut monitor, &image, &[&args[..], &ONE_CPU].concat());
    // Each read of a pair finds an empty pipe, since the partner cannot run meanwhile.
    assert!(
        pinned.truth.voluntary >= threads * 2000 * 9 / 10,
        "the workload blocked {}",
        pinned.truth.voluntary
    );
    if threads > 1 {
        assert!(pinned.truth.involuntary >= 500, "the workload was preempted {}", pinned.truth.involuntary);
    }
    let free = assert_exact(&mut monitor, &image, &args);
    assert!(free.truth.voluntary >= 1000, "the workload blocked {}", free.truth.voluntary);
}

#[test]
fn switches_of_one_thread() {
    assert_exact_switches(1);
}

#[test]
fn switches_of_eight_threads() {
    assert_exact_switches(8);
}

#[test]
fn switches_of_sixty_four_threads() {
    assert_exact_switches(64);
}

fn assert_exact_preemptions(threads: u64) {
    let (mut monitor, image) = (Monitor::start(), Image::import());
    let count = threads.to_string();
    let args = ["spin", "--threads", &count, "--ms", "500"];
    let pinned = assert_exact(&mut monitor, &image, &[&args[..], &ONE_CPU].concat());
    if threads > 1 {
        assert!(
            pinned.truth.runq_wait_ns > 500_000_000,
            "the workload waited {} ns",
            pinned.truth.runq_wait_ns
        );
    }
    assert_exact(&mut monitor, &image, &args);
}

#[test]
fn preemptions_of_one_spinning_thread() {
    assert_exact_preemptions(1);
}

#[test]
fn preemptions_of_eight_spinning_threads() {
    assert_exact_preemptions(8);
}

#[test]
fn preemptions_of_sixty_four_spinning_threads() {
    assert_exact_preemptions(64);
}

#[test]
fn minor_faults() {
    let (mut monitor, image) = (Monitor::start(), Image::import());
    for (threads, pages) in [("1", "20000"), ("8", "2500"), ("64", "300")] {
        let args = ["faults", "--threads", threads, "--pages", pages, "--rounds", "3"];
        for args in [args.to_vec(), [&args[..], &ONE_CPU].concat()] {
            let growth = assert_exact(&mut monitor, &image, &args);
            assert!(growth.truth.minor >= 57_600, "the workload took {} faults", growth.truth.minor);
        }
    }
}

#[test]
fn major_faults() {
    let (mut monitor, image) = (Monitor::start(), Image::import());
    let args = ["major", "--threads", "2", "--file", "/pages", "--pages", "1000"];
    let growth = assert_exact(&mut monitor, &image, &args);
    assert!(growth.truth.major >= 1000, "the workload took {} faults", growth.truth.major);
}

#[test]
fn children_that_fork_and_exit() {
    let (mut monitor, image) = (Monitor::start(), Image::import());
    let args = ["forks", "--children", "100", "--blocks", "50", "--pages", "200"];
    for args in [args.to_vec(), [&args[..], &ONE_CPU].concat()] {
        let growth = assert_exact(&mut monitor, &image, &args);
        assert_eq!(growth.starts_and_exits, (200, 200), "each child forks once");
        assert!(growth.truth.voluntary >= 200 * 50, "the children blocked {}", growth.truth.voluntary);
        assert!(growth.truth.minor >= 200 * 200, "the children took {} faults", growth.truth.minor);
    }
}

#[test]
fn time_is_told_for_each_cpu() {
    let (mut monitor, image) = (Monitor::start(), Image::import());
    for cpu in [0, 1] {
        let pin = ["spin", "--ms", "500", "--cpus", &cpu.to_string()].map(str::to_owned);
        let mut container = Container::start_with(&image, &[], &pin.each_ref().map(String::as_str));
        let _ready = container.ready();
        container.workload().go();
        let _done = container.workload().wait_done();
        let scheduler = monitor.next_snapshot().container(container.id()).measured.scheduler.clone();
        let by_cpu = scheduler.on_cpu_ns_by_cpu.expect("time on each CPU");
        let total: u64 = by_cpu.iter().sum();
        assert_eq!(Some(total), scheduler.on_cpu_ns_total);
        let there = by_cpu.get(cpu).copied().unwrap_or_default();
        assert!(there >= 100_000_000, "it ran on CPU {cpu} for {there} ns of {by_cpu:?}");
        // The runtime started it wherever there was room.
        assert!(there * 10 >= total * 8, "it ran on CPU {cpu} for {there} ns of {by_cpu:?}");
        assert!(container.exit(0).success());
    }
}

/// Its one switch comes at its end; what it uses must show at each tick before.
#[test]
fn a_hog_that_never_blocks_is_not_late_by_more_than_a_tick() {
    let (mut monitor, image) = (Monitor::start(), Image::import());
    let mut container = Container::start_with(&image, &[], &["hog"]);
    let ready = container.ready();
    let begin = Barrier::reach(&mut monitor, &container, ready);
    container.workload().go();
    let mut shown = 0;
    for _ in 0..20 {
        let least = container.tasks() - begin.truth;
        let snapshot = monitor.next_snapshot();
        let most = container.tasks() - begin.truth;
        let ours = snapshot.container(container.id()).measured.task_totals().on_cpu_ns - begin.ours.on_cpu_ns;
        assert!(
            least.on_cpu_ns <= ours && ours <= most.on_cpu_ns,
            "ours {ours} ns, the truth from {} to {} ns",
            least.on_cpu_ns,
            most.on_cpu_ns
        );
        assert!(ours > shown, "no growth over {shown} ns");
        shown = ours;
    }
    container.workload().stop();
    let done = container.workload().wait_done();
    let end = Barrier::reach(&mut monitor, &container, done);
    let (truth, ours) = (end.truth - begin.truth, end.ours - begin.ours);
    assert_eq!(ours.voluntary, truth.voluntary, "voluntary switches");
    assert_eq!(ours.involuntary, truth.involuntary, "involuntary switches");
    assert_within("time on a CPU", ours.on_cpu_ns, truth.on_cpu_ns, TIMES_PER_MILLE);
    assert!(container.exit(0).success());
}
