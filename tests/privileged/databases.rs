//! Databases have what snapshots say, by their own query languages.

use std::{collections::BTreeSet, fs, path::PathBuf};

use integration_tests::{
    collector::certificate,
    container::Container,
    database::{Daemon, InfluxDb, influxdb_with_tls, prometheus_receiver, victoria_metrics},
    http::free_address,
    prometheus::{Series, found},
    server::Server,
    wait,
};
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

/// A window, and every snapshot is written.
const EVERY_TICK: [&str; 4] = ["--interval", "500ms", "--export-interval", "500ms"];
const PASSWORD: &str = "xyzzy";

/// A file with a secret.
fn secret(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("make a folder");
    let path: PathBuf = folder.path().join("secret");
    fs::write(&path, format!("{text}\n")).expect("write a secret");
    (folder, path.display().to_string())
}

/// `monitor serve` that writes at every tick.
fn writing(args: &[&str]) -> Server {
    Server::start(&[&EVERY_TICK, args].concat())
}

/// A container that runs without end on one CPU.
fn hog() -> Container {
    let mut container = Container::start(&["hog"]);
    container.workload().go();
    container
}

fn at(snapshot: &Value) -> Timestamp {
    snapshot["taken_at"].as_str().expect("a time").parse().expect("a time")
}

/// Seconds since 1970.
fn seconds(at: Timestamp) -> f64 {
    at.as_nanosecond() as f64 / 1e9
}

/// A number of the one container of a snapshot.
fn number(snapshot: &Value, pointer: &str) -> f64 {
    let number = snapshot["containers"][0].pointer(pointer).and_then(Value::as_f64);
    number.unwrap_or_else(|| panic!("no {pointer} in {snapshot}"))
}

/// Growth a second between the first and the last.
fn rate(snapshots: &[Value], pointer: &str) -> f64 {
    let (first, last) = (&snapshots[0], &snapshots[snapshots.len() - 1]);
    let elapsed = at(last).duration_since(at(first)).as_secs_f64();
    (number(last, pointer) - number(first, pointer)) / elapsed
}

fn assert_within_a_hundredth(what: &str, theirs: f64, ours: f64) {
    assert!((theirs - ours).abs() <= ours.abs() / 100.0, "{what}: {theirs} there, {ours} here");
}

#[test]
fn influxdb_has_what_snapshots_say_and_computes_the_same_rates() {
    let influx = InfluxDb::start(PASSWORD);
    influx.make("shop");
    let hog = hog();
    let more = ["--export-label", "site=here", "--metrics", "scheduler.on_cpu_ns_total"];
    let flags = influx.flags("shop", &more);
    let server = writing(&flags.iter().map(String::as_str).collect::<Vec<_>>());
    server.wait_for_sink("influxdb");
    let ours = server.stream(hog.name(), 8);
    server.wait_for_sink("influxdb");
    let which = format!("\"name\" = '{}' AND \"site\" = 'here'", hog.name());
    for snapshot in &ours {
        let moment = at(snapshot).as_nanosecond();
        let fields = "scheduler_on_cpu_ns_total, cpu_usage_ns_total";
        let query = format!("SELECT {fields} FROM monitor_container WHERE {which} AND time = {moment}");
        let rows = wait::until("the snapshot's point", || influx.query("shop", &query).first().cloned());
        let container = &snapshot["containers"][0];
        assert_eq!(rows[1], container["scheduler"]["on_cpu_ns_total"]);
        assert_eq!(rows[2], container["cpu"]["usage_ns_total"]);
    }
    let (first, last) = (at(&ours[0]).as_nanosecond(), at(&ours[ours.len() - 1]).as_nanosecond());
    let derivative = format!(
        "SELECT DERIVATIVE(cpu_usage_ns_total, 1s) FROM monitor_container WHERE {which} AND time >= {first} AND time <= {last}"
    );
    let theirs = influx.query("shop", &derivative);
    assert_eq!(theirs.len(), ours.len() - 1);
    for (theirs, ours) in theirs.iter().zip(&ours[1..]) {
        let cores = theirs[1].as_f64().expect("a rate") / 1e9;
        assert_within_a_hundredth("CPUs in use", cores, number(ours, "/cpu/usage_cores"));
    }
    let host = influx.query("shop", "SELECT LAST(memory_total_bytes) FROM monitor_host");
    assert_eq!(host[0][1], server.json("/api/v1/host")["host"]["memory"]["total_bytes"]);
}

#[test]
fn what_is_wrong_with_influxdb_is_told_with_what_to_do_and_no_secret() {
    let influx = InfluxDb::start(PASSWORD);
    let url = format!("http://{}", influx.0.address());
    let (_folder, wrong) = secret("plugh");
    let write = |file: &str| {
        let args = ["--influxdb-url", &url, "--influxdb-database", "shop", "--influxdb-user", "writer"];
        writing(&[&args[..], &["--influxdb-password-file", file]].concat())
    };
    let server = write(&wrong);
    let _reason = server.wait_for_failure("influxdb", "--influxdb-password-file");
    let told: Vec<String> =
        server.said().into_iter().filter(|line| line.contains("write to influxdb")).collect();
    assert_eq!(told.len(), 1, "said once: {told:?}");
    let everything = format!("{told:?}{}{}", server.json("/api/v1/snapshot"), server.get("/metrics").text());
    assert!(!everything.contains("plugh"), "{everything}");
    drop(server);

    let (_folder, right) = secret(PASSWORD);
    let server = write(&right);
    let _reason = server.wait_for_failure("influxdb", "CREATE DATABASE");
    let first = at(&server.json("/api/v1/snapshot")).as_nanosecond();
    influx.make("shop");
    server.wait_for_sink("influxdb");
    let waited = format!("SELECT cpu_user_ns_total FROM monitor_host WHERE time = {first}");
    assert_eq!(influx.query("shop", &waited).len(), 1, "what waited has come");
    assert_eq!(server.sink("influxdb")["dropped_samples_total"], 0);
    assert_eq!(server.metric("monitor_sink_ok{sink=\"influxdb\"}"), Some(1.0));
}

#[test]
fn certificates_are_checked() {
    let folder = tempfile::tempdir().expect("make a folder");
    let (certificate, key) = certificate(folder.path());
    let influx = influxdb_with_tls(&certificate, &key);
    let url = format!("https://{}", influx.address());
    let args = ["--influxdb-url", &url, "--influxdb-database", "shop"];
    let server = writing(&args);
    let _reason = server.wait_for_failure("influxdb", "certificate");
    drop(server);
    let path = certificate.display().to_string();
    let server = writing(&[&args[..], &["--export-ca-file", &path]].concat());
    let _reason = server.wait_for_failure("influxdb", "CREATE DATABASE");
}

#[test]
fn a_sink_that_is_away_costs_no_other_anything() {
    let victoria = victoria_metrics();
    let away = format!("http://{}/write", free_address());
    let server = writing(&[
        "--remote-write-url",
        &away,
        "--influxdb-url",
        &format!("http://{}", victoria.address()),
        "--influxdb-bucket",
        "shop",
    ]);
    let _reason = server.wait_for_failure("remote_write", "refused");
    server.wait_for_sink("influxdb");
    let before = server.sink("influxdb")["delivered_samples_total"].as_u64();
    wait::until("more", || {
        (server.sink("influxdb")["delivered_samples_total"].as_u64() > before).then_some(())
    });
}

/// The value of the one series of a container that a query finds at a moment.
fn value_at(daemon: &Daemon, query: &str, moment: Timestamp) -> Option<f64> {
    // Timestamps there are milliseconds, ours a little later.
    found(daemon.address(), query, Some(seconds(moment) + 0.001)).first().map(Series::number)
}

/// Rates over our first and last snapshot are the same there.
fn assert_rates(daemon: &Daemon, query: &str, factor: f64, ours: &[Value], pointer: &str) {
    let (first, last) = (at(&ours[0]), at(&ours[ours.len() - 1]));
    let at_last = wait::until("the last sample", || {
        value_at(daemon, query, last)
            .filter(|value| (value * factor - number(&ours[ours.len() - 1], pointer)).abs() < 1e6)
    });
    let growth = at_last - value_at(daemon, query, first).expect("the first sample");
    let theirs = growth * factor / last.duration_since(first).as_secs_f64();
    assert_within_a_hundredth(query, theirs, rate(ours, pointer));
}

#[test]
fn victoriametrics_takes_the_lines_of_influxdb_2() {
    let victoria = victoria_metrics();
    let (_folder, token) = secret("t0ken");
    let hog = hog();
    let url = format!("http://{}", victoria.address());
    let server = writing(&[
        "--influxdb-url",
        &url,
        "--influxdb-bucket",
        "shop",
        "--influxdb-org",
        "we",
        "--influxdb-token-file",
        &token,
    ]);
    let ours = server.stream(hog.name(), 8);
    server.wait_for_sink("influxdb");
    let query = format!("monitor_container_cpu_usage_ns_total{{name=\"{}\"}}", hog.name());
    assert_rates(&victoria, &query, 1.0, &ours[1..], "/cpu/usage_ns_total");
}

#[test]
fn remote_write_is_a_scrape_that_is_pushed() {
    let prometheus = prometheus_receiver();
    let victoria = victoria_metrics();
    for (daemon, has_receiver) in [(&prometheus, true), (&victoria, false)] {
        let hog = hog();
        let url = format!("http://{}/api/v1/write", daemon.address());
        let server = writing(&["--remote-write-url", &url, "--keep-ended", "1s"]);
        let ours = server.stream(hog.name(), 8);
        server.wait_for_sink("remote_write");
        let query = format!("monitor_container_cpu_usage_seconds_total{{name=\"{}\"}}", hog.name());
        assert_rates(daemon, &query, 1e9, &ours[1..], "/cpu/usage_ns_total");

        let names: BTreeSet<String> = found(daemon.address(), "{job=\"monitor\"}", None)
            .into_iter()
            .map(|series| series.metric["__name__"].clone())
            .collect();
        let page = server.get("/metrics/monitor").text();
        let scraped: BTreeSet<String> = page
            .lines()
            // What the server and its history count of themselves is no part of a snapshot.
            .filter(|line| {
                !["#", "monitor_http_", "monitor_history_"].iter().any(|other| line.starts_with(other))
            })
            .filter_map(|line| line.split(['{', ' ']).next().map(str::to_owned))
            .collect();
        assert_eq!(names, scraped);

        drop(hog);
        // Without a mark the last samples would be found for five minutes.
        wait::until("the end of its series", || {
            found(daemon.address(), &query, None).is_empty().then_some(())
        });
        if has_receiver {
            assert_eq!(server.sink("remote_write")["refused_samples_total"], 0);
        }
    }
}

#[test]
fn what_remote_write_refuses_is_not_tried_again() {
    let prometheus = prometheus_receiver();
    let url = format!("http://{}/no/such/path", prometheus.address());
    let server = writing(&["--remote-write-url", &url]);
    let reason = server.wait_for_failure("remote_write", "--web.enable-remote-write-receiver");
    assert!(reason.starts_with("404"), "{reason}");
    let sink = server.sink("remote_write");
    assert!(sink["refused_samples_total"].as_u64() > Some(0) && sink["retries_total"] == 0, "{sink}");
}

#[test]
fn victoriametrics_takes_opentelemetry_by_http() {
    let victoria = victoria_metrics();
    let hog = hog();
    let url = format!("http://{}/opentelemetry/v1/metrics", victoria.address());
    let server = writing(&["--otlp-url", &url, "--otlp-protocol", "http", "--export-label", "site=here"]);
    let ours = server.stream(hog.name(), 8);
    server.wait_for_sink("otlp");
    // Its label names are the attributes' with their dots.
    let query = format!(
        "sum({{__name__=\"container.cpu.time\", \"container.name\"=\"{}\", site=\"here\"}})",
        hog.name()
    );
    let (first, last) = (&ours[1], &ours[ours.len() - 1]);
    let counted =
        |snapshot| number(snapshot, "/cpu/user_ns_total") + number(snapshot, "/cpu/system_ns_total");
    let value = |snapshot| {
        wait::until("the sample", || {
            value_at(&victoria, &query, at(snapshot))
                .filter(|seconds| (seconds * 1e9 - counted(snapshot)).abs() < 1e6)
        })
    };
    let elapsed = at(last).duration_since(at(first)).as_secs_f64();
    let theirs = (value(last) - value(first)) * 1e9 / elapsed;
    let modes = rate(&ours[1..], "/cpu/user_ns_total") + rate(&ours[1..], "/cpu/system_ns_total");
    assert_within_a_hundredth("container.cpu.time", theirs, modes);
    let own = "count({__name__=\"monitor.container.scheduler.voluntary_switches\"})";
    assert!(found(victoria.address(), own, None)[0].number() >= 1.0);
    let buckets = "count({__name__=\"monitor.container.scheduler.runq_latency_duration_bucket\"})";
    assert!(found(victoria.address(), buckets, None)[0].number() >= 2.0);
}
