//! What `monitor events` tells, against what was done.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::Stdio,
    time::Duration,
};

use integration_tests::{
    container::{Container, Image},
    events::Events,
    monitor::command,
    schema, wait,
    workload::Workload,
};
use rustix::process::Signal;
use serde_json::Value;

const PROGRAMS: u8 = 20;

#[test]
fn every_program_of_a_container_is_told_with_its_end() {
    let mut events = Events::start(&[]);
    let mut container = Container::start(&["execs", "--children", &PROGRAMS.to_string()]);
    let (id, pid) = (container.id().to_owned(), container.inspect("{{.State.Pid}}"));
    let pid: u32 = pid.parse().expect("a process id");
    events.catch_up();
    let before = events.told().len();
    container.workload().go();
    let _done = container.workload().wait_done();
    events.catch_up();
    let of_it = |kind: &str| -> Vec<&Value> {
        let of_it = |event: &&Value| event["kind"] == kind && event["container"]["id"] == *id;
        events.told()[before..].iter().filter(of_it).collect()
    };
    let (execs, exits) = (of_it("exec"), of_it("exit"));
    assert_eq!(execs.len(), usize::from(PROGRAMS) + 1, "{execs:#?}");
    assert!(execs.iter().all(|exec| exec["path"] == "/workload" && exec["comm"] == "workload"), "{execs:#?}");
    assert!(execs.iter().all(|exec| exec["container"]["name"] == container.name()), "{execs:#?}");
    let ends: Vec<(i64, Option<i64>)> = exits
        .iter()
        .map(|exit| (exit["exit_code"].as_i64().expect("a code"), exit["signal"].as_i64()))
        .collect();
    let killed = std::iter::once((137, Some(9)));
    let expected: Vec<_> = (0..PROGRAMS).map(|code| (i64::from(code), None)).chain(killed).collect();
    assert_eq!(ends, expected);
    let pids = |told: &[&Value]| -> Vec<u64> { told.iter().filter_map(|one| one["pid"].as_u64()).collect() };
    assert_eq!(pids(&execs), pids(&exits), "each ends before the next one");
    assert!(!pids(&exits).contains(&pid.into()), "the container's own process goes on");
    assert!(container.exit(0).success());
    assert_without_loss(&events.end());
}

#[test]
fn a_life_is_told_from_beginning_to_end_once() {
    let mut events = Events::start(&[]);
    let mut container = Container::start(&["sleep", "--ms", "1"]);
    let id = container.id().to_owned();
    container.workload().go();
    let _done = container.workload().wait_done();
    assert_eq!(container.exit(3).code(), Some(3));
    events.wait_for("container_died", &id);
    let name = container.name().to_owned();
    drop(container);
    events.wait_for("container_removed", &id);
    events.catch_up();
    for kind in [
        "container_created",
        "container_started",
        "container_died",
        "container_removed",
        "cgroup_made",
        "cgroup_removed",
    ] {
        let told = events.of(kind, &id);
        assert_eq!(told.len(), 1, "{kind}: {told:#?}");
        assert_eq!(told[0]["container"]["name"], name.as_str(), "{kind}");
    }
    assert_eq!(events.of("container_died", &id)[0]["exit_code"], 3);
    let own_exit = events.of("exit", &id);
    assert_eq!(own_exit.last().expect("its exit")["exit_code"], 3);
    assert_without_loss(&events.end());
}

#[test]
fn a_quota_that_runs_out_is_told_until_it_suffices() {
    let mut events = Events::start(&["--kind", "throttle_begin,throttle_end,cgroup_made"]);
    let limits = ["--cpus=0.2"];
    let mut container = Container::start_with(&Image::import(), &limits, &["spin", "--ms", "2000"]);
    let id = container.id().to_owned();
    assert!(events.of("throttle_end", &id).is_empty());
    container.workload().go();
    events.wait_for("throttle_begin", &id);
    let _done = container.workload().wait_done();
    events.wait_for("throttle_end", &id);
    let (begins, ends) = (events.of("throttle_begin", &id), events.of("throttle_end", &id));
    assert_eq!((begins.len(), ends.len()), (1, 1), "{begins:#?} {ends:#?}");
    let periods = ends[0]["throttled_periods"].as_u64().expect("periods");
    let ns = ends[0]["throttled_ns"].as_u64().expect("time");
    // In 2 s it wants all of a CPU and has a fifth: 20 periods, 80 ms of each waited.
    assert!((15..30).contains(&periods), "{periods} periods");
    assert!((1_000_000_000..3_000_000_000).contains(&ns), "{ns} ns");
    assert!(container.exit(0).success());
    let _all = events.end();
}

#[test]
fn only_what_was_asked_for_is_told() {
    let [mut shown, mut hidden] = [(); 2].map(|()| Container::start(&["execs", "--children", "5"]));
    let mut child =
        command(&["events", "--format", "ndjson", "--count", "6", "--kind", "exit", shown.name()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("start monitor");
    // There is no sign of its readiness among what was asked for, so the others go first, while it starts.
    std::thread::sleep(Duration::from_secs(3));
    for container in [&mut hidden, &mut shown] {
        container.workload().go();
        let _done = container.workload().wait_done();
    }
    let lines: Vec<Value> = BufReader::new(child.stdout.take().expect("its standard output"))
        .lines()
        .map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON"))
        .collect();
    assert!(wait::until("the end of monitor", || child.try_wait().expect("wait")).success());
    assert_eq!(lines.len(), 6);
    assert!(lines.iter().all(|event| event["kind"] == "exit" && event["container"]["id"] == shown.id()));
}

#[test]
fn threads_that_end_at_once_are_one_process() {
    let mut events = Events::start(&[]);
    let mut pids = Vec::new();
    for _ in 0..20 {
        let mut workload = Workload::start(&["switch", "--threads", "64"]);
        let _ready = workload.wait_ready();
        pids.push(workload.pid());
        workload.go();
        let _done = workload.wait_done();
        assert!(workload.exit(4).code() == Some(4));
    }
    events.catch_up();
    for pid in pids {
        let told: Vec<_> =
            events.told().iter().filter(|event| event["kind"] == "exit" && event["pid"] == pid).collect();
        assert_eq!(told.len(), 1, "{told:#?}");
        assert_eq!(told[0]["exit_code"], 4);
    }
    assert_without_loss(&events.end());
}

/// Records wait in a megabyte: some 3000 of them. Each process here is two, its start and its end.
#[test]
fn what_was_lost_is_told_with_its_number() {
    let mut events = Events::start(&[]);
    events.signal(Signal::STOP);
    let programs = 2500;
    for _ in 0..programs / 250 {
        let mut workload = Workload::start(&["execs", "--children", "249"]);
        let _ready = workload.wait_ready();
        workload.go();
        let _done = workload.wait_done();
        assert!(workload.exit(0).success());
    }
    events.signal(Signal::CONT);
    events.catch_up();
    let all = events.end();
    let told = all.iter().filter(|event| event["kind"] == "exec" || event["kind"] == "exit").count();
    let lost: Vec<_> = all.iter().filter(|event| event["kind"] == "lost").collect();
    assert!(lost.iter().all(|event| event["cause"] == "full_ring"), "{lost:#?}");
    let lost: u64 = lost.iter().filter_map(|event| event["count"].as_u64()).sum();
    assert!(lost > 1000, "only {lost} of what a stopped monitor could not read");
    assert!(told as u64 + lost >= 2 * programs, "{told} told and {lost} lost");
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let mut child = command(&["events", "--format", "text"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start monitor");
    let mut stdout = BufReader::new(child.stdout.take().expect("its standard output"));
    let mut line = String::new();
    let ticking = std::thread::spawn(|| {
        for _ in 0..100 {
            let mut workload = Workload::start(&["sleep", "--ms", "0", "--unattended", "0"]);
            assert!(workload.wait_end().success());
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    stdout.read_line(&mut line).expect("a line");
    assert!(line.ends_with('\n'), "{line:?}");
    drop(stdout);
    let output = child.wait_with_output().expect("wait for monitor");
    assert!(output.status.success(), "{}", output.status);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    ticking.join().expect("the other thread");
}

#[test]
fn every_event_fits_the_committed_schema() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema/event.schema.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()));
    let schema: Value = serde_json::from_str(&text).expect("a schema");
    let mut events = Events::start(&[]);
    let mut container = Container::start(&["execs", "--children", "2"]);
    container.workload().go();
    let _done = container.workload().wait_done();
    assert!(container.exit(0).success());
    events.wait_for("container_died", container.id());
    let all = events.end();
    assert!(all.len() > 10, "only {} events", all.len());
    for event in all {
        let faults = schema::faults(&schema, &event);
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

fn assert_without_loss(events: &[Value]) {
    let lost: Vec<_> = events.iter().filter(|event| event["kind"] == "lost").collect();
    assert!(lost.is_empty(), "{lost:#?}");
}
