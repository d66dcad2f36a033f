//! What was recorded is what was counted, as DuckDB reads it, whatever became of the recorder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Child,
    thread,
    time::Duration,
};

use integration_tests::{
    bracket::assert_within,
    container::Container,
    disk::SmallDisk,
    duckdb::{numbers, query},
    monitor::{self, command},
    snapshot::Snapshot,
    truth::Tasks,
    wait,
};
use rustix::process::Signal;
use serde_json::Value;

/// A running `monitor record`. Killed on drop.
struct Recorder {
    child: Child,
    file: PathBuf,
}

impl Recorder {
    fn start(file: PathBuf, interval: &str, flush: &str) -> Self {
        let child = command(&["record", "--interval", interval, "--flush", flush])
            .arg(&file)
            .spawn()
            .expect("start monitor");
        Self { child, file }
    }

    /// Waits until so many ticks of a container can be read.
    fn wait_for_ticks(&self, id: &str, ticks: usize) {
        wait::until("ticks of the container", || {
            let snapshots = replayed(&self.file)?;
            let has_it = |snapshot: &&Snapshot| snapshot.find(id).is_some();
            (snapshots.iter().filter(has_it).count() >= ticks).then_some(())
        });
    }

    fn end(&mut self, signal: Signal) {
        monitor::send(&self.child, signal);
        let status = wait::until("the end of monitor", || self.child.try_wait().expect("wait for monitor"));
        assert_eq!(status.success(), signal != Signal::KILL, "{status}");
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // In vain where it has ended.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// What `monitor replay` shows; `None` where it cannot.
fn replayed(file: &Path) -> Option<Vec<Snapshot>> {
    let output = command(&["replay", "--format", "ndjson"]).arg(file).output().expect("run monitor");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    output.status.success().then(|| text.lines().map(Snapshot::parse).collect())
}

/// Records a container from before it works until after, and says what the kernel counted meanwhile.
fn record_work(file: PathBuf) -> (Container, Tasks) {
    let mut container = Container::start(&["switch", "--blocks", "2000"]);
    let mut recorder = Recorder::start(file, "100ms", "300ms");
    recorder.wait_for_ticks(container.id(), 2);
    let before = container.still_tasks();
    container.workload().go();
    let _done = container.workload().wait_done();
    let growth = container.still_tasks() - before;
    let seen = replayed(&recorder.file).expect("a recording").len();
    recorder.wait_for_ticks(container.id(), seen + 3);
    recorder.end(Signal::INT);
    (container, growth)
}

#[test]
fn duckdb_sums_what_the_kernel_counted() {
    let folder = tempfile::tempdir().expect("make a folder");
    let file = folder.path().join("x.parquet");
    let (container, truth) = record_work(file.clone());
    let of_it = format!("FROM FILE WHERE \"row\" = 'container' AND id = '{}'", container.id());
    let growth = |metric: &str| format!("max(\"scheduler.{metric}\") - min(\"scheduler.{metric}\")");
    let sql = format!(
        "SELECT {}, {}, {} {of_it}",
        growth("voluntary_switches_total"),
        growth("involuntary_switches_total"),
        growth("runq_wait_ns_total"),
    );
    let ours = numbers(&file, &sql);
    assert_eq!(ours[..2], [truth.voluntary, truth.involuntary]);
    assert_within("run-queue wait", ours[2], truth.runq_wait_ns, 10);
    // The distribution of each window adds up to the same.
    let sql = format!(
        "SELECT sum(bucket.count)::UBIGINT FROM (SELECT unnest(\"scheduler.runq_latency.buckets\") AS bucket {of_it} \
         AND taken_at > (SELECT min(taken_at) {of_it}))"
    );
    assert_eq!(numbers(&file, &sql), [truth.voluntary + truth.involuntary]);
}

#[test]
fn both_formats_replay_what_was_counted() {
    let folder = tempfile::tempdir().expect("make a folder");
    for name in ["x.parquet", "x.ndjson.zst"] {
        let file = folder.path().join(name);
        let (container, truth) = record_work(file.clone());
        let snapshots = replayed(&file).expect("a recording");
        let totals = |snapshot: &Snapshot| snapshot.container(container.id()).measured.task_totals();
        let with_it: Vec<&Snapshot> = snapshots.iter().filter(|s| s.find(container.id()).is_some()).collect();
        let ours = totals(with_it[with_it.len() - 1]) - totals(with_it[0]);
        assert_eq!((ours.voluntary, ours.involuntary), (truth.voluntary, truth.involuntary), "{name}");
        assert!(snapshots.is_sorted_by_key(|snapshot| snapshot.taken_at));
        let csv = command(&["replay", "--format", "csv"]).arg(&file).output().expect("run monitor");
        let rows = String::from_utf8(csv.stdout).expect("UTF-8").lines().count();
        let containers: usize = snapshots.iter().map(|snapshot| snapshot.containers.len()).sum();
        assert_eq!(rows, containers + 1, "{name}");
    }
}

#[test]
fn a_recorder_that_is_killed_leaves_a_file_that_opens() {
    let folder = tempfile::tempdir().expect("make a folder");
    let container = Container::start(&["hog"]);
    for attempt in 0..8 {
        let file = folder.path().join(format!("{attempt}.parquet"));
        let mut recorder = Recorder::start(file.clone(), "10ms", "10ms");
        recorder.wait_for_ticks(container.id(), 3);
        // Somewhere in the many writes.
        thread::sleep(Duration::from_millis(13 * attempt));
        recorder.end(Signal::KILL);
        let [ticks, rows] = numbers(
            &file,
            &format!(
                "SELECT count(DISTINCT taken_at), count(*) FILTER (id = '{}') FROM FILE",
                container.id()
            ),
        )[..] else {
            panic!("two numbers")
        };
        assert!(ticks >= 3 && rows >= 3, "{ticks} ticks, {rows} rows");
        assert_eq!(replayed(&file).expect("a recording").len() as u64, ticks);
    }
}

#[test]
fn a_full_disk_ends_a_recording_that_stays_readable() {
    for name in ["x.parquet", "x.ndjson.zst"] {
        let disk = SmallDisk::mount();
        let file = disk.path().join(name);
        let output = command(&["record", "--interval", "10ms", "--flush", "50ms", "--cgroups"])
            .arg(&file)
            .output()
            .expect("run monitor");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!(said.trim_end().lines().count(), 1, "not one line: {said}");
        assert!(said.contains(name) && said.contains("No space left"), "{said}");
        let snapshots = replayed(&file).expect("a recording");
        assert!(!snapshots.is_empty(), "{name}");
        if name == "x.parquet" {
            let counted = query(&file, "SELECT count(DISTINCT taken_at) FROM FILE");
            assert_eq!(counted, [[Value::from(snapshots.len())]]);
        }
    }
}

#[test]
fn a_recording_ends_after_the_time_asked_for() {
    let folder = tempfile::tempdir().expect("make a folder");
    let file = folder.path().join("x.parquet");
    let status = command(&["record", "--interval", "100ms", "--duration", "1s"]).arg(&file).status();
    assert!(status.expect("run monitor").success());
    let ticks = replayed(&file).expect("a recording").len();
    assert!((5..=10).contains(&ticks), "{ticks} ticks");
    // What nobody reads any more is gone from the file's end.
    let bytes = fs::read(&file).expect("the file");
    assert!(bytes.ends_with(b"PAR1"));
}

#[test]
fn a_name_that_tells_no_format_is_bad_usage() {
    let output = command(&["record", "/tmp/x.txt"]).output().expect("run monitor");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("x.txt") && said.contains(".parquet"), "{said}");
}

#[test]
fn a_report_has_the_figures_that_duckdb_has() {
    let folder = tempfile::tempdir().expect("make a folder");
    let file = folder.path().join("x.parquet");
    let mut busy = Container::start(&["hog"]);
    let _idle = Container::start(&["hog"]);
    busy.workload().go();
    let status = command(&["record", "--interval", "100ms", "--duration", "4s"]).arg(&file).status();
    assert!(status.expect("run monitor").success());
    busy.workload().stop();
    let _done = busy.workload().wait_done();

    let output = command(&["report", "--format", "json", "--metric", "cpu.usage_cores"]).arg(&file).output();
    let report: Value = serde_json::from_slice(&output.expect("run monitor").stdout).expect("JSON");
    assert_eq!(report["top"][0]["containers"][0]["id"], busy.id());
    let containers = report["containers"].as_array().expect("containers");
    let of_it = containers.iter().find(|container| container["id"] == busy.id()).expect("the container");
    let ours = &of_it["metrics"][0];
    let sql = format!(
        "SELECT count(x), avg(x), stddev_samp(x), min(x), max(x), quantile_cont(x, 0.5), quantile_cont(x, 0.99) FROM (SELECT \
         \"cpu.usage_cores\" AS x FROM FILE WHERE \"row\" = 'container' AND id = '{}')",
        busy.id()
    );
    let rows = query(&file, &sql);
    for (name, theirs) in ["count", "mean", "deviation", "min", "max", "p50", "p99"].into_iter().zip(&rows[0])
    {
        let (ours, theirs) = (ours[name].as_f64().expect(name), theirs.as_f64().expect(name));
        assert!((ours - theirs).abs() <= 1e-9 * theirs.abs(), "{name}: ours {ours}, theirs {theirs}");
    }
    assert!(ours["mean"].as_f64().expect("a mean") > 0.1, "it was busy: {ours}");
}
