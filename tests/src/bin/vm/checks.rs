//! What is compared with what. Each check panics where it fails, and says what it found.

use std::sync::atomic::{AtomicU32, Ordering};

use integration_tests::{
    bracket::assert_within,
    cgroup::{Cgroup, Places},
    disk::DiskStats,
    guest,
    monitor::{self, Monitor},
    net::Traffic,
    server::Server,
    snapshot::{Container, Measurements, Snapshot},
    threads::{Status, threads},
    truth::Tasks,
    wait,
    workload::{Report, Workload},
};
use rustix::process::Signal;
use serde::Deserialize;

use crate::{
    machine::{self, Mode},
    work::{CHILDREN, DISK, LOOPBACK_BYTES, MAJOR_FAULTS, READ_BYTES, READS},
};

/// Waits and times on a CPU may differ by this many thousandths.
const TIMES_PER_MILLE: u64 = 10;

/// Of IPv4.
const LARGEST_PACKET_BYTES: u64 = 1 << 16;

#[derive(Deserialize)]
struct Doctor {
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    subject: String,
    answer: String,
    finding: String,
    is_vital: bool,
}

/// `monitor doctor` ends well, and no vital thing is missing.
pub(crate) fn doctor() -> String {
    let output = monitor::command(&["doctor", "--format", "json"]).output().expect("run monitor");
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    let Doctor { checks } = serde_json::from_slice(&output.stdout).expect("a report");
    for Check { subject, answer, finding, is_vital } in &checks {
        assert!(!is_vital || answer == "yes", "{subject}: {answer}: {finding}");
    }
    let missing = checks.iter().filter(|check| check.answer == "no").count();
    format!("{} of {} things", checks.len() - missing, checks.len())
}

/// `monitor snapshot` gives one window of this machine.
pub(crate) fn snapshot(mode: Mode) -> String {
    let args = ["snapshot", "--no-runtimes", "--interval", "300ms"];
    let output = monitor::command(&args).output().expect("run monitor");
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    let snapshot = Snapshot::parse(&String::from_utf8(output.stdout).expect("UTF-8"));
    assert_eq!(snapshot.host.cgroup_mode.as_deref(), Some(mode.name()), "the mode");
    let root = snapshot.cgroups.iter().find(|entry| entry.cgroup.path.as_deref() == Some("/"));
    let switches = root.and_then(|root| root.measured.scheduler.voluntary_switches_total);
    assert!(switches > Some(0), "the root cgroup switched {switches:?} times");
    format!("mode {}", mode.name())
}

/// Each thread of `monitor serve` gives up what it does not need, and all of them go on with their work.
pub(crate) fn rights() -> String {
    let server = Server::start(&["--no-runtimes", "--interval", "200ms"]);
    let threads = wait::until("the threads to have given up their rights", || {
        let threads = threads(server.child().id());
        threads.values().all(Status::is_confined).then_some(threads)
    });
    let serve = threads.get("serve").expect("the server's thread");
    for set in ["CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"] {
        assert_eq!(serve.bits(set), 0, "{set} of the server's thread");
    }
    let snapshot = server.json("/api/v1/snapshot");
    let root =
        snapshot["cgroups"].as_array().expect("cgroups").iter().find(|one| one["cgroup"]["path"] == "/");
    let switches = root.and_then(|root| root["scheduler"]["voluntary_switches_total"].as_u64());
    assert!(switches > Some(0), "the root cgroup switched {switches:?} times");
    let listed = server.json("/api/v2.0/ps/");
    assert!(listed.as_array().is_some_and(|listed| !listed.is_empty()), "no processes: {listed}");
    let tick = threads.get("monitor").expect("the tick's thread").bits("CapEff");
    let state = &snapshot["coverage"]["sources"]["confinement"]["state"];
    format!("confinement {state}, the tick keeps {tick:#x}")
}

/// A stream that is watched, and a place for containers.
pub(crate) struct Watched {
    monitor: Option<Monitor>,
    docker: Cgroup,
}

/// A cgroup that looks like a container's, with a workload in it.
struct Boxed {
    workload: Workload,
    cgroup: Cgroup,
    id: String,
    /// What the workload said before it came here.
    ready: Report,
}

/// What had happened at a moment at which nothing moved.
struct Barrier {
    truth: Tasks,
    ours: Tasks,
}

impl Watched {
    /// The stream, and how each of its programs fared.
    pub(crate) fn start() -> (Self, Vec<(String, String)>) {
        let docker = Cgroup::make(&Places::roots(), "docker");
        if let Some(folder) = docker.places().v2() {
            machine::delegate(folder);
        }
        let mut monitor = Monitor::start_with(&[
            "--no-runtimes",
            "--interval",
            "200ms",
            "--keep-ended",
            "30s",
            "--major-fault-latency",
        ]);
        let probes = monitor.next_snapshot().coverage.probes;
        let programs = probes.into_iter().map(|probe| {
            let reason = probe.reason.unwrap_or_default().replace('\n', " / ");
            let is_attached = probe.state == "attached";
            (probe.name, if is_attached { "attached".to_owned() } else { format!("absent {reason}") })
        });
        (Self { monitor: Some(monitor), docker }, programs.collect())
    }

    fn monitor(&mut self) -> &mut Monitor {
        self.monitor.as_mut().expect("it was not stopped")
    }

    fn boxed(&self, args: &[&str]) -> Boxed {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let id = format!("{:064x}", NEXT.fetch_add(1, Ordering::Relaxed));
        let cgroup = Cgroup::make(self.docker.places(), &id);
        let mut workload = Workload::start(args);
        let ready = workload.wait_ready();
        cgroup.take(workload.pid());
        Boxed { workload, cgroup, id, ready }
    }

    fn barrier(&mut self, boxed: &Boxed, dead: Tasks) -> Barrier {
        loop {
            let truth = boxed.tasks();
            let ours = self.monitor().next_snapshot().container(&boxed.id).measured.task_totals();
            if boxed.tasks() == truth {
                return Barrier { truth: truth + dead, ours };
            }
        }
    }

    /// Lets a workload do its work; what was counted meanwhile, and what the kernel says.
    fn work(&mut self, args: &[&str]) -> (Tasks, Tasks, Measurements) {
        let mut boxed = self.boxed(args);
        let begin = self.barrier(&boxed, boxed.ready.dead);
        boxed.workload.go();
        let done = boxed.workload.wait_done();
        let end = self.barrier(&boxed, done.dead);
        let measured = self.monitor().next_snapshot().container(&boxed.id).measured.clone();
        assert!(boxed.workload.exit(0).success(), "the workload failed");
        (end.truth - begin.truth, end.ours - begin.ours, measured)
    }

    /// Switches, times and faults of a workload equal the kernel's.
    pub(crate) fn exact(&mut self, args: &[&str]) -> String {
        let (truth, ours, _) = self.work(args);
        compare(&ours, &truth)
    }

    /// So do those of children that come and go, and each is told.
    pub(crate) fn forks(&mut self) -> String {
        let children = CHILDREN.to_string();
        let (truth, ours, measured) =
            self.work(&["forks", "--children", &children, "--blocks", "10", "--pages", "50"]);
        let said = compare(&ours, &truth);
        let scheduler = &measured.scheduler;
        let expected = Some(2 * CHILDREN);
        assert_eq!((scheduler.starts_total, scheduler.exits_total), (expected, expected), "starts and exits");
        said
    }

    /// Requests to the disk equal its own figures.
    pub(crate) fn block(&mut self) -> String {
        let name = DISK.trim_start_matches("/dev/");
        let before = DiskStats::of(name);
        let [bytes, reads] = [READ_BYTES, READS].map(|number| number.to_string());
        let args = ["disk", "--file", DISK, "--block-bytes", &bytes, "--blocks", "64", "--reads", &reads];
        let (_, _, measured) = self.work(&args);
        let truth = DiskStats::of(name).since(before);
        let devices = measured.block_io.devices.unwrap_or_default();
        let ours = devices.iter().find(|device| device.name.as_deref() == Some(name));
        let ours = ours.unwrap_or_else(|| panic!("nothing on {name}, but {truth:?}"));
        assert_eq!((truth.reads, truth.read_bytes), (READS, READS * READ_BYTES), "what was asked for");
        assert_eq!(ours.read_ops_total, Some(truth.reads), "reads");
        assert_eq!(ours.read_bytes_total, Some(truth.read_bytes), "bytes read");
        format!("{} reads", truth.reads)
    }

    /// Major faults are as many as the kernel's, and take as long as a disk may.
    pub(crate) fn major_faults(&mut self) -> String {
        let pages = MAJOR_FAULTS.to_string();
        let (truth, ours, measured) = self.work(&["major", "--file", DISK, "--pages", &pages]);
        assert_eq!(ours.major, truth.major, "major faults");
        assert!(truth.major >= MAJOR_FAULTS, "only {} major faults", truth.major);
        let ns = measured.faults.major_ns_total.expect("their time");
        let mean_us = ns / truth.major / 1000;
        assert!((1..100_000).contains(&mean_us), "{} major faults took {ns} ns", truth.major);
        format!("{} of {mean_us} us", truth.major)
    }

    /// Bytes over the loopback interface equal its own figures, the sender's on its container; on v1 alone no socket tells
    /// its cgroup. The receiver's socket is older than its place in a container, and so is the root cgroup's.
    pub(crate) fn network(&mut self, mode: Mode) -> String {
        let all_received = |snapshot: &Snapshot| -> u64 {
            let containers = snapshot.containers.iter().map(|container| &container.measured);
            let all = containers.chain(snapshot.cgroups.iter().map(|entry| &entry.measured));
            all.filter_map(|measured| measured.network.rx_bytes_total).sum()
        };
        let (before, ours_before) =
            (Traffic::of_interface(1, "lo"), all_received(&self.monitor().next_snapshot()));
        let bytes = LOOPBACK_BYTES.to_string();
        let (_, _, measured) = self.work(&["loopback", "--address", "127.0.0.1:7000", "--bytes", &bytes]);
        let truth = Traffic::of_interface(1, "lo") - before;
        let ours = all_received(&self.monitor().next_snapshot()) - ours_before;
        assert!(truth.rx_bytes >= LOOPBACK_BYTES, "only {} bytes went over lo", truth.rx_bytes);
        let sent = measured.network.tx_segments_total;
        if mode == Mode::V1 {
            assert_eq!(sent, None, "segments of sockets whose cgroup is unknown");
            return "not counted on v1".to_owned();
        }
        // One that comes while another CPU completes the connection is shown to programs twice; seen once, on 6.1.
        let more = ours.checked_sub(truth.rx_bytes).filter(|more| *more <= LARGEST_PACKET_BYTES);
        assert!(more.is_some(), "{ours} bytes received, by the interface {}", truth.rx_bytes);
        let sent = measured.network.tx_bytes_total;
        if mode == Mode::Hybrid && has_one_place_for_socket_cgroups() {
            assert_eq!(sent, Some(0), "bytes of sockets that do not know their cgroup2");
            return "sockets do not know their cgroup2".to_owned();
        }
        assert!(sent >= Some(LOOPBACK_BYTES), "its container sent {sent:?} bytes");
        format!("{} bytes", truth.rx_bytes)
    }

    /// What the cgroup files say is passed on.
    pub(crate) fn files(&mut self) -> String {
        let mut boxed = self.boxed(&["sleep", "--ms", "1", "--threads", "3"]);
        let seen = self.monitor().next_snapshot().container(&boxed.id).measured.clone();
        let has = |name: &str| boxed.cgroup.places().file(name).is_some();
        assert!(seen.cpu.usage_ns_total.is_some() || !has("cpu.stat"), "no CPU time");
        let has_memory = has("memory.current") || has("memory.usage_in_bytes");
        assert_eq!(seen.memory.current_bytes.is_some(), has_memory, "memory");
        // Its own thread and three more.
        assert_eq!(seen.pids.current, has("pids.max").then_some(4), "tasks");
        boxed.workload.go();
        let _done = boxed.workload.wait_done();
        assert!(boxed.workload.exit(0).success(), "the workload failed");
        format!("memory {}, tasks {}", yes_or_no(has_memory), yes_or_no(seen.pids.current.is_some()))
    }

    /// A container that is gone is shown as ended, with what it did.
    pub(crate) fn end_of_a_container(&mut self) -> String {
        let mut boxed = self.boxed(&["switch", "--threads", "2", "--blocks", "50"]);
        boxed.workload.go();
        let _done = boxed.workload.wait_done();
        assert!(boxed.workload.exit(0).success(), "the workload failed");
        let Boxed { cgroup, id, .. } = boxed;
        drop(cgroup);
        let ended = self.monitor().wait_for("the end of a container", |snapshot| {
            snapshot.find(&id).filter(|container| Container::is_exited(container)).cloned()
        });
        let switches = ended.measured.scheduler.voluntary_switches_total;
        assert!(switches >= Some(50), "it ended with {switches:?} switches");
        format!("{} switches at its end", switches.unwrap_or_default())
    }

    /// Nothing was lost, and all cgroups together have switched as often as the machine.
    pub(crate) fn losses(&mut self) -> String {
        const MOST_PERCENT: f64 = 0.5;
        let snapshot = self.monitor().next_snapshot();
        let lost: Vec<(&str, u64)> = snapshot.coverage.losses().collect();
        assert!(lost.is_empty(), "{lost:?}");
        let switches = snapshot.audit.switches.expect("an audit of switches");
        let percent = switches.error_percent.expect("a share");
        assert!(percent.abs() <= MOST_PERCENT, "{switches:?}");
        format!("switches off by {} of {}", switches.error, switches.machine)
    }

    /// It ends when it is asked to.
    pub(crate) fn stop(&mut self) -> String {
        let ended = self.monitor.take().expect("it was not stopped").end(Signal::TERM);
        assert!(ended.status.success(), "{}: {}", ended.status, ended.complaints);
        "it ended".to_owned()
    }
}

impl Boxed {
    fn tasks(&self) -> Tasks {
        Tasks::of_still_cgroup(self.cgroup.places().any())
    }
}

/// Before Linux 5.15 a socket has no place for a cgroup of the v2 tree once some cgroup of `net_cls` or `net_prio` is in use, as on
/// hybrid hosts (`cgroup_sk_alloc_disable`).
fn has_one_place_for_socket_cgroups() -> bool {
    guest::release().is_ok_and(|release| release.starts_with("5.10."))
}

fn yes_or_no(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

fn compare(ours: &Tasks, truth: &Tasks) -> String {
    assert_eq!(ours.voluntary, truth.voluntary, "voluntary switches");
    assert_eq!(ours.involuntary, truth.involuntary, "involuntary switches");
    assert_eq!((ours.minor, ours.major), (truth.minor, truth.major), "faults");
    assert_within("time on a CPU", ours.on_cpu_ns, truth.on_cpu_ns, TIMES_PER_MILLE);
    assert_within("run-queue wait", ours.runq_wait_ns, truth.runq_wait_ns, TIMES_PER_MILLE);
    format!(
        "{} switches, {} faults, {} ms on a CPU, {} ms of waiting",
        truth.voluntary + truth.involuntary,
        truth.minor + truth.major,
        truth.on_cpu_ns / 1_000_000,
        truth.runq_wait_ns / 1_000_000,
    )
}
