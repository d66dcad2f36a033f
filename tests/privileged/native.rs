//! Native histograms, as a real Prometheus stores and queries them, against what our own buckets say.

use std::{collections::BTreeMap, io::Write as _, thread};

use integration_tests::{
    container::Container,
    prometheus::Prometheus,
    server::{Server, data_lines},
    wait,
};
use serde_json::Value;

/// Buckets by their lower bound in nanoseconds: the upper one and how many.
type Buckets = BTreeMap<u64, (Option<u64>, u64)>;

/// Adds up the buckets of a container's waits over all snapshots of a stream, until it ends.
fn follow(server: &Server, id: &str) -> thread::JoinHandle<Buckets> {
    let mut stream = server.connect();
    let request =
        format!("GET /api/v1/stream?container={id} HTTP/1.0\r\nlast-event-id: 1970-01-01T00:00:00Z\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("ask for a stream");
    thread::spawn(move || {
        let mut buckets = Buckets::new();
        for line in data_lines(stream) {
            let snapshot: Value = serde_json::from_str(&line).expect("a snapshot");
            let seen = &snapshot["containers"][0]["scheduler"]["runq_latency"]["buckets"];
            for bucket in seen.as_array().into_iter().flatten() {
                let from = bucket["from_ns"].as_u64().expect("a bound");
                let entry = buckets.entry(from).or_insert((bucket["to_ns"].as_u64(), 0));
                entry.1 += bucket["count"].as_u64().expect("a count");
            }
        }
        buckets
    })
}

/// The bucket in which a quantile lies.
fn bucket_of(buckets: &Buckets, quantile: f64) -> (f64, f64) {
    let total: u64 = buckets.values().map(|(_, count)| count).sum();
    let rank = quantile * total as f64;
    let mut so_far = 0;
    for (from, (to, count)) in buckets {
        so_far += count;
        if so_far as f64 >= rank {
            return (*from as f64 / 1e9, to.map_or(f64::INFINITY, |to| to as f64 / 1e9));
        }
    }
    panic!("no quantile of {buckets:?}")
}

#[test]
fn native_histograms_say_what_ours_do() {
    let server = Server::start(&["--interval", "200ms"]);
    let mut one = Container::start(&["switch", "--blocks", "20000", "--threads", "4", "--cpus", "0"]);
    let mut other = Container::start(&["spin", "--ms", "500", "--cpus", "0"]);
    let followed = follow(&server, one.id());
    let args = ["--enable-feature=native-histograms"];
    let prometheus = Prometheus::start_with(server.address(), &[("monitor", "/metrics")], &args);
    one.workload().go();
    other.workload().go();
    let (_done, _done_too) = (one.workload().wait_done(), other.workload().wait_done());

    let family = format!("monitor_container_scheduler_runq_latency_seconds{{name=\"{}\"}}", one.name());
    let count = || Some(prometheus.query(&format!("histogram_count({family})")).first()?.number());
    // Nothing moves any more, so that what is scraped from now on is all.
    let total = wait::until_still("the last scrape", || {
        thread::sleep(wait::SHORT * 2);
        wait::until("a native histogram", count)
    });
    let read = |function: &str| prometheus.query(&format!("{function}{family})"))[0].number();
    let theirs: Vec<(f64, f64)> = [0.5, 0.9, 0.99, 0.999]
        .map(|quantile| (quantile, read(&format!("histogram_quantile({quantile}, "))))
        .to_vec();
    let sum = read("histogram_sum(");
    let waited = server.json(&format!("/api/v1/containers/{}", one.name()));
    let waited = waited["container"]["scheduler"]["runq_wait_ns_total"].as_u64().expect("a total");
    // A classic histogram is not there besides: Prometheus takes one of them.
    assert!(server.end(rustix::process::Signal::TERM).success());
    let ours = followed.join().expect("the stream");

    let counted: u64 = ours.values().map(|(_, count)| count).sum();
    assert!((total - counted as f64).abs() < 0.5, "{total} by Prometheus, {counted} by us");
    assert!((sum - waited as f64 / 1e9).abs() < 1e-6, "{sum} s by Prometheus, {waited} ns by us");
    for (quantile, value) in theirs {
        let (from, to) = bucket_of(&ours, quantile);
        assert!(from <= value && value <= to, "{quantile}: {value} is not in our bucket, {from} to {to}");
    }
}
