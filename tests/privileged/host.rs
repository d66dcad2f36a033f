//! The machine's own figures, and how all that was counted compares with them.

use std::{collections::BTreeMap, fs, path::Path, thread, time::Duration};

use integration_tests::{
    container::Container,
    monitor::Monitor,
    snapshot::{Comparison, Snapshot},
    truth, wait,
};

/// Counters of the machine by a name of our own, as its files have them.
type Counters = BTreeMap<String, u64>;

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("read {path}: {error}"))
}

fn numbers<'t>(words: impl Iterator<Item = &'t str>) -> Vec<u64> {
    words.map(|word| word.parse().unwrap_or_else(|_| panic!("{word:?} is no number"))).collect()
}

/// What `/proc` says. Units of 10 ms, sectors and the like are made those of the snapshot.
fn truth() -> Counters {
    const TICK_NS: u64 = 10_000_000;
    let mut counters = Counters::new();
    let stat = text("/proc/stat");
    for line in stat.lines().filter(|line| line.starts_with("cpu")) {
        let mut words = line.split_ascii_whitespace();
        let cpu = words.next().expect("a name");
        let times = numbers(words);
        for (name, place) in [("user", 0), ("system", 2)] {
            counters.insert(format!("{cpu} {name}"), times[place] * TICK_NS);
        }
    }
    counters.insert("switches".to_owned(), truth::field(&stat, "ctxt"));
    counters.insert("forks".to_owned(), truth::field(&stat, "processes"));
    let vmstat = text("/proc/vmstat");
    let (all, major) = (truth::field(&vmstat, "pgfault"), truth::field(&vmstat, "pgmajfault"));
    counters.insert("minor faults".to_owned(), all - major);
    counters.insert("major faults".to_owned(), major);
    for line in text("/proc/diskstats").lines() {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let values = numbers(words[3..].iter().copied());
        for (name, value) in
            [("read bytes", values[2] * 512), ("writes", values[4]), ("write bytes", values[6] * 512)]
        {
            counters.insert(format!("{} {name}", words[2]), value);
        }
    }
    for line in text("/proc/1/net/dev").lines().skip(2) {
        let (name, values) = line.split_once(':').expect("an interface");
        let values = numbers(values.split_ascii_whitespace());
        for (what, place) in [("rx bytes", 0), ("tx bytes", 8), ("tx packets", 9)] {
            counters.insert(format!("{} {what}", name.trim()), values[place]);
        }
    }
    counters
}

/// The same of a snapshot.
fn ours(snapshot: &Snapshot) -> Counters {
    let host = &snapshot.host;
    let mut counters = BTreeMap::from([
        ("cpu user".to_owned(), host.cpu.user_ns_total),
        ("cpu system".to_owned(), host.cpu.system_ns_total),
        ("switches".to_owned(), host.scheduler.switches_total),
        ("forks".to_owned(), host.scheduler.forks_total),
        ("minor faults".to_owned(), host.faults.minor_total),
        ("major faults".to_owned(), host.faults.major_total),
    ]);
    for cpu in host.per_cpu.as_ref().expect("CPUs") {
        counters.insert(format!("cpu{} user", cpu.number), cpu.times.user_ns_total);
        counters.insert(format!("cpu{} system", cpu.number), cpu.times.system_ns_total);
    }
    for disk in host.disks.as_ref().expect("disks") {
        counters.insert(format!("{} read bytes", disk.name), disk.read_bytes_total);
        counters.insert(format!("{} writes", disk.name), disk.write_ops_total);
        counters.insert(format!("{} write bytes", disk.name), disk.write_bytes_total);
    }
    for interface in host.interfaces.as_ref().expect("interfaces") {
        counters.insert(format!("{} rx bytes", interface.name), interface.rx_bytes_total);
        counters.insert(format!("{} tx bytes", interface.name), interface.tx_bytes_total);
        counters.insert(format!("{} tx packets", interface.name), interface.tx_packets_total);
    }
    let known = |(name, value): (String, Option<u64>)| {
        let value = value.unwrap_or_else(|| panic!("{name} is unknown"));
        (name, value)
    };
    counters.into_iter().map(known).collect()
}

#[test]
fn host_totals_lie_between_two_readings_of_proc() {
    let mut monitor = Monitor::start();
    let before = truth();
    let ours = ours(&monitor.next_snapshot());
    let after = truth();
    let mut compared = 0;
    for (name, ours) in &ours {
        // An interface or a device may have come or gone between the readings.
        let (Some(before), Some(after)) = (before.get(name), after.get(name)) else { continue };
        assert!(before <= ours && ours <= after, "{name}: {ours}, not between {before} and {after}");
        compared += 1;
    }
    assert!(compared >= 10, "only {compared} of {ours:?}");
    for cpu in before.keys().filter(|name| name.starts_with("cpu")) {
        assert!(ours.contains_key(cpu), "{cpu} is missing");
    }
}

#[test]
fn host_rates_are_the_growth_between_snapshots() {
    let mut monitor = Monitor::start();
    let first = monitor.next_snapshot();
    let second = monitor.any_snapshot();
    let grown = second.host.scheduler.switches_total.expect("switches")
        - first.host.scheduler.switches_total.expect("switches");
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let expected = grown as f64 / (second.window_ns as f64 / 1e9);
    let rate = second.host.scheduler.switches_per_second.expect("a rate");
    assert!((rate - expected).abs() <= expected * 1e-9, "{rate}, expected {expected}");
    let busy = second.host.cpu.busy_cores.expect("busy CPUs");
    #[expect(clippy::cast_precision_loss, reason = "a number of CPUs")]
    let most = second.host.cpus as f64 * 1.5;
    assert!((0.0..=most).contains(&busy), "{busy} of {} CPUs", second.host.cpus);
}

#[test]
fn host_memory_is_that_of_proc() {
    let mut monitor = Monitor::start();
    let memory = monitor.next_snapshot().host.memory;
    let kibibytes = |name: &str| {
        let line = text("/proc/meminfo");
        let line = line.lines().find_map(|line| line.strip_prefix(name)).expect("in meminfo");
        numbers(line.split_ascii_whitespace().take(1))[0] * 1024
    };
    assert_eq!(memory.total_bytes, Some(kibibytes("MemTotal:")));
    assert_eq!(memory.swap_total_bytes, Some(kibibytes("SwapTotal:")));
}

#[test]
fn host_pressure_is_that_of_proc_where_there_is_any() {
    let mut monitor = Monitor::start();
    let total = || {
        let text = truth::read(Path::new("/proc/pressure/cpu"))?;
        let line = text.lines().find(|line| line.starts_with("some "))?.to_owned();
        line.rsplit_once("total=")?.1.parse::<u64>().ok()
    };
    let before = total();
    let ours = monitor.next_snapshot().host.pressure.cpu.and_then(|stall| stall.some);
    let ours = ours.map(|share| share.stall_us_total);
    let after = total();
    assert!(before <= ours && ours <= after, "{ours:?}, not between {before:?} and {after:?}");
}

/// `error_percent` of a comparison of enough events to speak of percent.
fn percent(what: &str, comparison: Option<Comparison>, least: u64) -> f64 {
    let comparison = comparison.unwrap_or_else(|| panic!("{what} are not compared"));
    let Comparison { counted, machine, error, error_percent } = comparison;
    assert_eq!(i128::from(error), i128::from(counted) - i128::from(machine), "{what}");
    assert!(machine >= least, "{what}: only {machine}");
    error_percent.unwrap_or_else(|| panic!("{what}: no percentage"))
}

/// Switches by pairs that wait for each other, faults, forks, and CPUs that are idle now and then.
#[test]
fn audit_errors_are_small_while_much_goes_on() {
    let mut monitor = Monitor::start_with(&["--interval", "200ms"]);
    let mut busy = Container::start(&["switch", "--threads", "4", "--blocks", "20000"]);
    let mut faulting = Container::start(&["faults", "--pages", "50000"]);
    busy.workload().go();
    faulting.workload().go();
    let _done = (busy.workload().wait_done(), faulting.workload().wait_done());
    assert!(busy.exit(0).success() && faulting.exit(0).success());
    thread::sleep(Duration::from_millis(500));
    let snapshot = monitor.next_snapshot();
    let audit = &snapshot.audit;
    assert_eq!(snapshot.coverage.losses().next(), None, "{:?}", snapshot.coverage.lost);
    let switches = percent("switches", audit.switches, 50_000);
    assert!(switches.abs() <= 0.5, "switches: {switches} %: {audit:?}");
    let faults = percent("faults", audit.faults, 50_000);
    assert!((-1.0..=0.1).contains(&faults), "faults: {faults} %: {audit:?}");
    if snapshot.host.cgroup_mode.as_deref() != Some("v2") {
        let exact = percent("time on a CPU", audit.on_cpu_ns, 100_000_000);
        // On some virtual machines there are tasks that reach no tracepoint (docs/adr/0011-audit.md).
        assert!((-3.0..=0.5).contains(&exact), "time on a CPU: {exact} %: {audit:?}");
    }
    let sampled = percent("sampled time on a CPU", audit.sampled_on_cpu_ns, 100_000_000);
    assert!(sampled.abs() <= 10.0, "sampled time on a CPU: {sampled} %: {audit:?}");
}

#[test]
fn the_agents_own_cost_is_what_proc_says_of_it() {
    let mut monitor = Monitor::start();
    let schedstat = || {
        let tasks = fs::read_dir(format!("/proc/{}/task", monitor.pid())).expect("its threads");
        let on_cpu = tasks.map(|task| {
            let path = task.expect("a thread").path().join("schedstat");
            numbers(text(&path.display().to_string()).split_ascii_whitespace())[0]
        });
        on_cpu.sum::<u64>()
    };
    let before = schedstat();
    let pid = monitor.pid();
    let snapshot = wait::until("a snapshot of the agent", || Some(monitor.next_snapshot()));
    let agent = &snapshot.audit.agent;
    let cpu_ns = agent.cpu_ns_total.expect("its CPU time");
    assert!(cpu_ns >= before, "{cpu_ns} ns, before it was {before}");
    let status = text(&format!("/proc/{pid}/status"));
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    let resident = numbers(line.split_ascii_whitespace().take(1))[0] * 1024;
    let ours = agent.resident_bytes.expect("its memory");
    assert!(ours.abs_diff(resident) < resident / 10, "{ours} bytes resident, in /proc {resident}");
    assert!(agent.map_bytes > Some(1 << 20), "{agent:?}");
}
