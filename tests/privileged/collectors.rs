//! Collectors understand what they are sent, by others' implementations of their protocols.

use std::{
    collections::BTreeMap,
    fs,
    net::UdpSocket,
    os::unix::net::UnixDatagram,
    time::{Duration, Instant},
};

use integration_tests::{
    collector::{Collectd, Otlp},
    container::Container,
    server::Server,
    wait,
};
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data, number_data_point::Value as Number};
use sflow_parser::{
    SampleData,
    models::core::{CounterData, CountersSample},
    parse_datagram,
};
use statsd_parser::Metric as Statsd;
use tonic::Status;

const EVERY_TICK: [&str; 4] = ["--interval", "500ms", "--export-interval", "500ms"];

fn writing(args: &[&str]) -> Server {
    Server::start(&[&EVERY_TICK, args].concat())
}

fn named<'m>(metrics: &'m [Metric], name: &str) -> &'m Metric {
    let found = metrics.iter().find(|metric| metric.name == name);
    found.unwrap_or_else(|| {
        panic!("no {name} among {:?}", metrics.iter().map(|one| &one.name).collect::<Vec<_>>())
    })
}

#[test]
fn opentelemetry_by_grpc_follows_its_conventions() {
    let folder = tempfile::tempdir().expect("make a folder");
    let headers = folder.path().join("headers");
    fs::write(&headers, "x-token: xyzzy\n").expect("write the headers");
    let collector = Otlp::start(vec![Status::unavailable("not yet")]);
    // Waits at its barrier, so that its counters stand still.
    let container = Container::start(&["sleep", "--ms", "1"]);
    let url = format!("http://{}", collector.address());
    let server = writing(&["--otlp-url", &url, "--otlp-headers-file", &headers.display().to_string()]);
    let metrics =
        wait::until("the container", || collector.metrics_of("container.id", container.id()).last().cloned());
    let one = server.json(&format!("/api/v1/containers/{}", container.name()))["container"].clone();
    let Some(Data::Sum(time)) = &named(&metrics, "container.cpu.time").data else { panic!("no sum") };
    assert!(time.is_monotonic && time.aggregation_temporality == 2);
    let modes = time.data_points.iter().map(|point| match point.value {
        Some(Number::AsDouble(seconds)) => seconds,
        ref other => panic!("{other:?}"),
    });
    let of_modes =
        ["user_ns_total", "system_ns_total"].map(|mode| one["cpu"][mode].as_f64().expect("a time"));
    assert!((modes.sum::<f64>() - of_modes.iter().sum::<f64>() / 1e9).abs() < 0.01);
    let switches = named(&metrics, "monitor.container.scheduler.voluntary_switches");
    let Some(Data::Sum(switches)) = &switches.data else { panic!("no sum") };
    let expected = one["scheduler"]["voluntary_switches_total"].as_i64().expect("a count");
    assert_eq!(switches.data_points[0].value, Some(Number::AsInt(expected)));
    let waits = named(&metrics, "monitor.container.scheduler.runq_latency_duration");
    let Some(Data::Histogram(waits)) = &waits.data else { panic!("no histogram") };
    let point = &waits.data_points[0];
    assert_eq!(point.count, point.bucket_counts.iter().sum::<u64>());
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
    let hostname = server.json("/api/v1/host")["host"]["hostname"].as_str().expect("a name").to_owned();
    wait::until("the machine", || {
        let of_host = collector.metrics_of("host.name", &hostname);
        of_host.iter().flatten().any(|metric| metric.name == "monitor.host.memory.total_bytes").then_some(())
    });
    assert_eq!(collector.headers()[0], "xyzzy");
    wait::until("the attempt when it was not ready", || {
        (server.sink("otlp")["retries_total"].as_u64() >= Some(1)).then_some(())
    });

    collector.refuse(3);
    let reason = server.wait_for_failure("otlp", "too many dots");
    assert!(!reason.contains("xyzzy"));
    assert!(server.sink("otlp")["refused_samples_total"].as_u64() >= Some(3));
}

#[test]
fn a_statsd_daemon_counts_what_containers_did() {
    let collectd = Collectd::start();
    let server = writing(&["--statsd", &collectd.address().to_string()]);
    server.wait_for_sink("statsd");
    let mut container = Container::start(&["switch", "--blocks", "2000"]);
    container.workload().go();
    let _done = container.workload().wait_done();
    let path = format!("/api/v1/containers/{}", container.name());
    let prefix = format!("monitor.container.{}", container.name());
    let switches = format!("{prefix}.scheduler.voluntary_switches_total");
    wait::until("all switches", || {
        let ours = server.json(&path)["container"]["scheduler"]["voluntary_switches_total"].as_f64()?;
        let theirs = collectd.value("derive", &switches)?;
        (ours >= 2000.0 && (ours - theirs).abs() < 0.5).then_some(())
    });
    let tasks = server.json(&path)["container"]["pids"]["current"].as_f64();
    assert_eq!(collectd.value("gauge", &format!("{prefix}.pids.current")), tasks);
}

#[test]
fn datagrams_for_datadog_s_agent_have_tags() {
    let folder = tempfile::tempdir().expect("make a folder");
    let path = folder.path().join("dsd.socket");
    let container = Container::start(&["sleep", "--ms", "1"]);
    let address = format!("unix://{}", path.display());
    let server =
        writing(&["--statsd", &address, "--statsd-format", "dogstatsd", "--export-label", "site=here"]);
    let _reason = server.wait_for_failure("statsd", "no such socket");
    let agent = UnixDatagram::bind(&path).expect("bind a socket");
    agent.set_read_timeout(Some(wait::LONG)).expect("set a timeout");
    let deadline = Instant::now() + wait::LONG;
    let found = loop {
        assert!(Instant::now() < deadline, "no datagram about the container");
        let mut bytes = vec![0; 65_536];
        let length = agent.recv(&mut bytes).expect("a datagram");
        assert!(length <= 8192, "{length}");
        let text = String::from_utf8(bytes[..length].to_vec()).expect("UTF-8");
        let messages = text
            .lines()
            .map(|line| statsd_parser::parse(line).unwrap_or_else(|error| panic!("{line}: {error:?}")));
        let about =
            |tags: &BTreeMap<String, String>| tags.get("name").map(String::as_str) == Some(container.name());
        let mut gauges =
            messages.filter(|message| message.tags.as_ref().is_some_and(about)).filter_map(|message| {
                match message.metric {
                    Statsd::Gauge(gauge) if message.name == "monitor.container.pids.current" => {
                        Some((gauge.value, message.tags.unwrap_or_default()))
                    }
                    _ => None,
                }
            });
        if let Some(found) = gauges.next() {
            break found;
        }
    };
    let (tasks, tags) = found;
    let one = server.json(&format!("/api/v1/containers/{}", container.name()))["container"].clone();
    assert_eq!(Some(tasks), one["pids"]["current"].as_f64());
    assert_eq!(tags["id"], container.id()[..12]);
    assert_eq!(tags["site"], "here");
}

/// The counters of each source in the datagrams of some seconds, the last of each, by its name.
fn sflow_samples(collector: &UdpSocket) -> BTreeMap<String, CountersSample> {
    let mut samples = BTreeMap::new();
    let deadline = Instant::now() + Duration::from_secs(3);
    while Instant::now() < deadline {
        let mut bytes = vec![0; 65_536];
        let length = collector.recv(&mut bytes).expect("a datagram");
        assert!(length <= 1400, "{length}");
        let datagram = parse_datagram(&bytes[..length]).expect("sFlow");
        for sample in datagram.samples {
            let SampleData::CountersSample(sample) = sample.sample_data else { panic!("{sample:?}") };
            let name = sample.counters.iter().find_map(|record| match &record.counter_data {
                CounterData::HostDescription(host) => Some(host.hostname.clone()),
                _ => None,
            });
            samples.insert(name.expect("a name"), sample);
        }
    }
    samples
}

#[test]
fn an_sflow_collector_reads_host_and_container_counters() {
    let collector = UdpSocket::bind("127.0.0.1:0").expect("bind a socket");
    collector.set_read_timeout(Some(wait::LONG)).expect("set a timeout");
    let mut container = Container::start_with(
        &integration_tests::container::Image::import(),
        &["--memory", "64m"],
        &["switch", "--blocks", "100"],
    );
    container.workload().go();
    let _done = container.workload().wait_done();
    let server = writing(&["--sflow", &collector.local_addr().expect("an address").to_string()]);
    let samples = sflow_samples(&collector);
    let host = server.json("/api/v1/host")["host"].clone();
    let machine = &samples[host["hostname"].as_str().expect("a name")];
    assert_eq!((machine.source_id.source_type(), machine.source_id.index()), (2, 1));
    let mut seen = 0;
    for record in &machine.counters {
        match &record.counter_data {
            CounterData::HostMemory(memory) => {
                assert_eq!(Some(memory.mem_total), host["memory"]["total_bytes"].as_u64());
                seen += 1;
            }
            CounterData::HostCpu(cpu) => {
                assert_eq!(Some(u64::from(cpu.cpu_num)), host["cpus"].as_u64());
                let user = host["cpu"]["user_ns_total"].as_u64().expect("a time") / 1_000_000;
                assert!(u64::from(cpu.cpu_user).abs_diff(user) < 30_000, "{} and {user}", cpu.cpu_user);
                seen += 1;
            }
            CounterData::HostDiskIo(_)
            | CounterData::HostNetIo(_)
            | CounterData::HostAdapters(_)
            | CounterData::HostDescription(_)
            | CounterData::VirtualNode(_) => seen += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, 7);

    let one = server.json(&format!("/api/v1/containers/{}", container.name()))["container"].clone();
    let sample = &samples[container.name()];
    assert_eq!(sample.source_id.source_type(), 3);
    for record in &sample.counters {
        match &record.counter_data {
            CounterData::HostParent(parent) => {
                assert_eq!((parent.container_type, parent.container_index), (2, 1));
            }
            CounterData::VirtualCpu(cpu) => {
                let used = one["cpu"]["usage_ns_total"].as_u64().expect("a time") / 1_000_000;
                assert_eq!((cpu.state, u64::from(cpu.cpu_time)), (1, used));
            }
            CounterData::VirtualMemory(memory) => assert_eq!(memory.max_memory, 64 << 20),
            CounterData::HostDescription(_)
            | CounterData::VirtualDiskIo(_)
            | CounterData::VirtualNetIo(_) => {}
            other => panic!("{other:?}"),
        }
    }
}
