//! Databases that are away for a while: what waits is bounded, nothing else is lost, and the tick does not notice.
//!
//! `MONITOR_OUTAGE_SECONDS` makes them longer.

use std::{thread, time::Duration};

use integration_tests::{
    container::Container,
    database::{InfluxDb, prometheus_receiver, victoria_metrics},
    env::outage_seconds,
    prometheus::found,
    server::Server,
    wait,
};
use jiff::Timestamp;

const TICK: Duration = Duration::from_millis(500);
const EVERY_TICK: [&str; 4] = ["--interval", "500ms", "--export-interval", "500ms"];
const CONTAINERS: usize = 10;

fn start(flags: &[String]) -> Server {
    Server::start(&flags.iter().map(String::as_str).collect::<Vec<_>>())
}

fn times(snapshots: &[serde_json::Value]) -> Vec<Timestamp> {
    let at = |one: &serde_json::Value| one["taken_at"].as_str().expect("a time").parse().expect("a time");
    snapshots.iter().map(at).collect()
}

/// How far the time between two ticks was from what it should be, in the median and at worst, in milliseconds.
fn jitter_ms(times: &[Timestamp]) -> (f64, f64) {
    let gaps = times.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs_f64());
    let mut jitter: Vec<f64> = gaps.map(|gap| (gap - TICK.as_secs_f64()).abs() * 1000.0).collect();
    jitter.sort_by(f64::total_cmp);
    (jitter[jitter.len() / 2], *jitter.last().expect("two ticks"))
}

#[test]
fn what_is_measured_while_databases_are_away_comes_later() {
    let mut influx = InfluxDb::start("xyzzy");
    influx.make("shop");
    let (mut prometheus, mut victoria) = (prometheus_receiver(), victoria_metrics());
    let _others: Vec<Container> = (0..CONTAINERS - 1).map(|_| Container::start(&["hog"])).collect();
    let mut hog = Container::start(&["hog"]);
    hog.workload().go();
    let remote_write = format!("http://{}/api/v1/write", prometheus.address());
    let otlp = format!("http://{}/opentelemetry/v1/metrics", victoria.address());
    let others = ["--remote-write-url", &remote_write, "--otlp-url", &otlp, "--otlp-protocol", "http"];
    let flags = influx.flags("shop", &[&EVERY_TICK[..], &others[..]].concat());
    let server = start(&flags);
    let sinks = ["influxdb", "remote_write", "otlp"];
    let wait_for_all = || {
        for sink in sinks {
            server.wait_for_sink(sink);
        }
    };
    wait_for_all();
    let away = outage_seconds();
    let ticks = |seconds: u64| usize::try_from(seconds * 2).expect("few");
    let before = times(&server.stream(hog.name(), ticks(away.div_ceil(3))));

    influx.0.stop();
    prometheus.stop();
    victoria.stop();
    let meanwhile = times(&server.stream(hog.name(), ticks(away)));
    let waiting: u64 = sinks.iter().filter_map(|sink| server.sink(sink)["queued_bytes"].as_u64()).sum();
    assert!(waiting > 0, "nothing waits");
    influx.0.go();
    prometheus.go();
    victoria.go();
    wait_for_all();
    let after = times(&server.stream(hog.name(), ticks(5)));
    wait_for_all();

    for sink in sinks {
        let sink = server.sink(sink);
        assert_eq!(
            (&sink["dropped_samples_total"], &sink["refused_samples_total"]),
            (&0.into(), &0.into()),
            "{sink}"
        );
    }
    let (first, last) = (before[0], after[after.len() - 1]);
    let elapsed = last.duration_since(first);
    let expected = elapsed.as_millis() / 500;
    let query = format!(
        "SELECT COUNT(cpu_user_ns_total) FROM monitor_host WHERE time > {} AND time <= {}",
        first.as_nanosecond(),
        last.as_nanosecond()
    );
    let in_influx = influx.query("shop", &query)[0][1].as_i64().expect("a count");
    assert!((i128::from(in_influx) - expected).abs() <= 1, "{in_influx} of {expected} in InfluxDB");
    let at = last.as_millisecond() as f64 / 1000.0 + 0.001;
    for (address, name) in
        [(prometheus.address(), "monitor_host_cpus"), (victoria.address(), "monitor.host.memory.total_bytes")]
    {
        let query = format!("count_over_time({{__name__=\"{name}\"}}[{}ms])", elapsed.as_millis());
        let count = wait::until("what waited", || {
            let count = found(address, &query, Some(at)).first()?.number();
            ((count - expected as f64).abs() <= 1.0).then_some(count)
        });
        println!("{count} of {expected} samples of {name}");
    }
    let (calm, stressed) = (jitter_ms(&before), jitter_ms(&meanwhile));
    println!(
        "away for {away} s: {in_influx} of {expected} points; {waiting} bytes waited; ticks off by {calm:.2?} ms (median, most) before, \
         {stressed:.2?} ms meanwhile"
    );
    assert!(
        stressed.0 < calm.0 + 2.0 && stressed.1 < 250.0,
        "ticks were off by {stressed:?} ms, {calm:?} ms before"
    );
    let missed = server.metric("monitor_lost_total{what=\"unwritten_snapshots\"}");
    assert_eq!(missed, Some(0.0), "the server's thread was held up");
}

#[test]
fn what_there_is_no_room_for_is_dropped_and_counted() {
    let mut influx = InfluxDb::start("xyzzy");
    influx.make("shop");
    let more = ["--interval", "50ms", "--export-interval", "50ms", "--export-queue", "1", "--metrics", "all"];
    let server = start(&influx.flags("shop", &more));
    server.wait_for_sink("influxdb");
    influx.0.stop();
    let dropped = || server.sink("influxdb")["dropped_samples_total"].as_u64().unwrap_or_default();
    wait::until("drops", || (dropped() > 0).then_some(()));
    let queued = server.sink("influxdb")["queued_bytes"].as_u64().expect("bytes");
    assert!(queued <= 1 << 20, "{queued} bytes wait");
    influx.0.go();
    wait::until("the database", || (server.sink("influxdb")["state"] == "ok").then_some(()));
    thread::sleep(Duration::from_secs(1));
    let total = dropped();
    let dropped_series = server.metric("monitor_sink_dropped_samples_total{sink=\"influxdb\"}");
    assert!(dropped_series.is_some_and(|series| series >= total as f64), "{dropped_series:?}, {total}");
    let told = server.said().join("\n");
    assert!(told.contains("takes what is written again") && told.contains("values were dropped"), "{told}");
}
