//! What history says is what the snapshots said, and what the kernel counted, whatever became of the server.

use std::{
    fs,
    io::Write as _,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use integration_tests::{
    container::Container, disk::SmallDisk, monitor::command, server::Server, truth::Tasks, wait,
};
use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;
use serde_json::Value;

/// A segment of the finest resolution is whole, and written, when a minute is over.
const A_MINUTE: Duration = Duration::from_secs(75);

fn server(data_dir: &Path) -> Server {
    Server::start(&["--data-dir", data_dir.to_str().expect("UTF-8")])
}

/// Lets a container work and says since when, and what the kernel counted.
fn work(server: &Server, container: &mut Container) -> (Timestamp, Tasks) {
    let before = container.still_tasks();
    let path = format!("/api/v1/containers/{}", container.id());
    let shows = |truth: &Tasks| {
        let answer = server.get(&path);
        let one = (answer.status == 200).then(|| answer.json())?;
        let scheduler = &one["container"]["scheduler"];
        let switches = scheduler["voluntary_switches_total"].as_u64()?
            + scheduler["involuntary_switches_total"].as_u64()?;
        (switches >= truth.voluntary + truth.involuntary)
            .then(|| one["taken_at"].as_str()?.parse::<Timestamp>().ok())?
    };
    let _seen = wait::until("what was before", || shows(&before));
    // Steps are of a second: what was before ends before the one that the work begins in.
    thread::sleep(Duration::from_secs(2));
    let since = Timestamp::now() - SignedDuration::from_millis(500);
    container.workload().go();
    let _done = container.workload().wait_done();
    let after = container.still_tasks();
    let _seen = wait::until("all switches", || shows(&after));
    thread::sleep(Duration::from_millis(300));
    (since, after - before)
}

/// The growth of a container's counters that history tells of.
fn growth(server: &Server, id: &str, metric: &str, since: Timestamp, step: u32) -> u64 {
    let path =
        format!("/api/v1/history?container={id}&metric={metric}&from={since}&step={step}&figure=growth");
    let answer = server.json(&path.replace('+', "%2B"));
    let growth = answer["subjects"][0]["metrics"][metric]["growth"].as_array().expect("growth").clone();
    assert_eq!(growth.len(), answer["times"].as_array().expect("times").len());
    growth.iter().filter_map(Value::as_u64).sum()
}

/// The voluntary and involuntary switches that history tells of.
fn counted(server: &Server, id: &str, since: Timestamp) -> (u64, u64) {
    let of = |metric: &str| growth(server, id, &format!("scheduler.{metric}"), since, 1);
    (of("voluntary_switches_total"), of("involuntary_switches_total"))
}

/// Durations that a distribution of history has.
fn durations(server: &Server, id: &str, since: Timestamp) -> u64 {
    let name = "scheduler.runq_latency";
    let path = format!("/api/v1/history?container={id}&metric={name}&from={since}&step=1");
    let spread = server.json(&path)["subjects"][0]["distributions"][name].clone();
    let counts = spread["counts"].as_array().expect("buckets");
    counts.iter().flat_map(|bucket| bucket.as_array().expect("steps")).filter_map(Value::as_u64).sum()
}

#[test]
fn history_adds_up_to_what_the_kernel_counted_across_a_restart_and_an_end() {
    let folder = tempfile::tempdir().expect("make a folder");
    let first = server(folder.path());
    let mut container = Container::start(&["switch", "--blocks", "2000"]);
    let id = container.id().to_owned();
    let (since, truth) = work(&first, &mut container);
    assert_eq!(counted(&first, &id, since), (truth.voluntary, truth.involuntary));
    assert_eq!(durations(&first, &id, since), truth.voluntary + truth.involuntary);
    assert_eq!(container.exit(3).code(), Some(3));
    let ended = |server: &Server| {
        let list = server.json("/api/v1/history/subjects?kind=container&state=exited")["subjects"].clone();
        list.as_array()?.iter().find(|one| one["id"] == id && one["exit_code"] == 3).cloned()
    };
    let of_first = wait::until("the end of the container", || ended(&first));
    // With those of its end.
    let (voluntary, involuntary) = counted(&first, &id, since);
    assert!(
        voluntary >= truth.voluntary && involuntary >= truth.involuntary,
        "{voluntary}, {involuntary}: {truth:?}"
    );
    assert_eq!(of_first["name"], container.name());
    assert!(of_first["finished_at"].is_string(), "{of_first}");
    assert!(first.end(Signal::TERM).success());

    let second = server(folder.path());
    let of_second = wait::until("what was before", || ended(&second));
    assert_eq!(of_first, of_second);
    assert_eq!(counted(&second, &id, since), (voluntary, involuntary));
    assert_eq!(durations(&second, &id, since), voluntary + involuntary);
    assert_eq!(second.metric("monitor_history_unwritten_segments_total"), Some(0.0));
    let bytes = second.metric("monitor_history_bytes").expect("bytes");
    assert!(bytes > 0.0 && bytes < 67_108_864.0, "{bytes}");
}

/// Waits until a segment of the finest resolution is in the folder that has what was measured up to now: one is begun each minute.
fn wait_for_segment(folder: &Path) {
    /// Within it comes one that ended before, at the latest.
    const LATE: Duration = Duration::from_secs(5);
    let count = || {
        let entries = fs::read_dir(folder.join("history")).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("1s-")).count()
    };
    let since = Instant::now();
    let mut before = count();
    while since.elapsed() < LATE || count() == before {
        if since.elapsed() < LATE {
            before = count();
        }
        assert!(since.elapsed() < LATE + A_MINUTE, "no segment is written");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_server_that_is_killed_leaves_all_but_the_last_minute() {
    let folder = tempfile::tempdir().expect("make a folder");
    let first = server(folder.path());
    let mut container = Container::start(&["switch", "--blocks", "2000"]);
    let id = container.id().to_owned();
    let (since, truth) = work(&first, &mut container);
    wait_for_segment(folder.path());
    let _killed = first.end(Signal::KILL);
    // Somebody cuts a file short besides.
    fs::write(folder.path().join("history/1s-1.segment"), b"MONHIST\x01\xff").expect("write a broken file");
    let second = server(folder.path());
    wait::until("what was before", || {
        (second.get(&format!("/api/v1/history?container={id}&from={since}")).status == 200).then_some(())
    });
    assert_eq!(counted(&second, &id, since), (truth.voluntary, truth.involuntary));
    // A step of ten seconds may begin before `since`, with the container's beginning in it.
    let begins = Timestamp::from_second(since.as_second() / 10 * 10).expect("a time");
    let of_all = |step| growth(&second, &id, "scheduler.voluntary_switches_total", begins, step);
    assert_eq!(of_all(10), of_all(1));
    assert!(!folder.path().join("history/1s-1.segment").exists());
}

#[test]
fn a_full_disk_costs_what_is_on_it_and_nothing_else() {
    let disk = SmallDisk::mount();
    let mut filler = fs::File::create(disk.path().join("filler")).expect("make a file");
    while filler.write_all(&[0; 4096]).is_ok() {}
    let server = server(disk.path());
    let began = Instant::now();
    let unwritten = || server.metric("monitor_history_unwritten_segments_total").expect("a count");
    while unwritten() < 1.0 {
        assert!(began.elapsed() < A_MINUTE, "nothing was tried to be written");
        thread::sleep(Duration::from_millis(200));
    }
    let taken_at: Timestamp =
        server.json("/api/v1/host")["taken_at"].as_str().expect("a time").parse().expect("a time");
    let age = Timestamp::now().duration_since(taken_at);
    assert!(age < SignedDuration::from_secs(1), "the tick hangs: the last is {age:#} old");
    assert_eq!(server.metric("monitor_lost_total{what=\"unwritten_snapshots\"}"), Some(0.0));
    assert_eq!(server.metric("monitor_history_missed_snapshots_total"), Some(0.0));
    let busy = server.json("/api/v1/history?host=true&metric=cpu.busy_cores");
    assert!(busy["subjects"][0]["metrics"]["cpu.busy_cores"]["mean"].as_array().expect("values").len() > 10);
    let said = server.said();
    let complaints = said.iter().filter(|line| line.contains("No space left")).count();
    assert_eq!(complaints, 1, "{said:#?}");
}

#[test]
fn without_a_directory_history_is_kept_in_memory_and_it_is_said() {
    let server = Server::start(&["--data-dir", "/proc/nowhere"]);
    let said = server.said();
    assert!(
        said.iter().any(|line| line.contains("memory only") && line.contains("/proc/nowhere")),
        "{said:#?}"
    );
    wait::until("history", || {
        server.json("/api/v1/history/subjects")["resolutions"][0]["newest_at"].is_string().then_some(())
    });
}

#[test]
fn one_directory_is_of_one_server() {
    let folder = tempfile::tempdir().expect("make a folder");
    let _first = server(folder.path());
    let second = server(folder.path());
    let said = second.said();
    assert!(said.iter().any(|line| line.contains("used by another monitor")), "{said:#?}");
}

#[test]
fn absurd_questions_are_refused() {
    let server = Server::start(&[]);
    wait::until("history", || {
        server.json("/api/v1/history/subjects")["resolutions"][0]["newest_at"].is_string().then_some(())
    });
    for (query, status, problem) in [
        ("history?from=0&to=4000000000&step=1", 400, "bad-parameter"),
        ("history?from=99999999999999999999999", 400, "bad-parameter"),
        ("history?from=24h&step=1", 400, "bad-parameter"),
        ("history?from=%00", 400, "bad-parameter"),
        ("history?container=no-such-container", 404, "no-such-container"),
        ("history?metric=cpu.colour", 400, "bad-parameter"),
        ("statistics?metric=weather", 400, "bad-parameter"),
        ("history/interference?to=yesterday", 400, "bad-parameter"),
    ] {
        let answer = server.get(&format!("/api/v1/{query}"));
        assert_eq!((answer.status, answer.problem().as_str()), (status, problem), "{query}");
    }
    let off = Server::start(&["--no-history"]);
    assert_eq!(off.get("/api/v1/history").problem(), "no-history");
}

#[test]
fn statistics_and_waits_are_of_the_time_asked_for() {
    let cpu = "0";
    let server = Server::start(&[]);
    let mut one = Container::start(&["hog", "--cpus", cpu]);
    let mut other = Container::start(&["hog", "--cpus", cpu]);
    one.workload().go();
    other.workload().go();
    thread::sleep(Duration::from_secs(4));
    let query = format!("container={}&from=3s&to=0s", one.id());
    let waits = server.json(&format!("/api/v1/history/interference?{query}"))["containers"][0].clone();
    assert_eq!(waits["id"], one.id());
    let blamed =
        waits["interference"].as_array().expect("parts").iter().find(|part| part["id"] == other.id());
    let blamed = blamed.unwrap_or_else(|| panic!("{waits}"));
    assert!(blamed["wait_ns"].as_u64().is_some_and(|waited| waited > 200_000_000), "{waits}");
    assert_eq!(blamed["name"], other.name());
    let said = server.json(&format!("/api/v1/statistics?{query}&step=1&metric=cpu.usage_cores"));
    let mean = said["containers"][0]["metrics"][0]["mean"].as_f64().expect("a mean");
    assert!((0.1..1.0).contains(&mean), "{said}");
}

#[test]
fn a_recording_is_served_as_if_it_were_measured() {
    let folder = tempfile::tempdir().expect("make a folder");
    let file = folder.path().join("x.parquet");
    let mut container = Container::start(&["switch", "--blocks", "2000"]);
    let mut recorder =
        command(&["record", "--interval", "100ms", "--flush", "200ms"]).arg(&file).spawn().expect("start");
    wait::until("the recording", || fs::metadata(&file).ok().filter(|file| file.len() > 8).map(|_| ()));
    thread::sleep(Duration::from_secs(1));
    let before = container.still_tasks();
    container.workload().go();
    let _done = container.workload().wait_done();
    let truth = container.still_tasks() - before;
    thread::sleep(Duration::from_millis(500));
    integration_tests::monitor::send(&recorder, Signal::INT);
    assert!(recorder.wait().expect("wait for monitor").success());

    let path = file.to_str().expect("UTF-8");
    let all = Server::start(&["--replay", path]);
    let latest = all.json(&format!("/api/v1/containers/{}", container.name()));
    assert_eq!(latest["container"]["id"], container.id());
    let ended_at: Timestamp = latest["taken_at"].as_str().expect("a time").parse().expect("a time");
    let since = ended_at - SignedDuration::from_mins(1);
    let counted = growth(&all, container.id(), "scheduler.voluntary_switches_total", since, 1);
    assert!(counted >= truth.voluntary, "{counted}: {truth:?}");
    thread::sleep(Duration::from_secs(1));
    assert_eq!(all.get("/healthz").status, 200, "that nothing comes any more is no failure");

    let paced = Server::start(&["--replay", path, "--replay-speed", "1"]);
    let taken_at = || paced.json("/api/v1/host")["taken_at"].as_str().expect("a time").to_owned();
    let first = taken_at();
    assert!(first.as_str() < latest["taken_at"].as_str().expect("a time"), "it begins at the beginning");
    wait::until("the next ones", || (taken_at() > first).then_some(()));
    assert!(paced.end(Signal::TERM).success());
}
