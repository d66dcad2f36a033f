//! What dashboards, alerts and clients made for cAdvisor get, against the kernel's own figures.

use std::{
    fs,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use integration_tests::{
    cgroup::{Cgroup, Places},
    container::{Container, Image, unique},
    prometheus::{Prometheus, complaints},
    server::Server,
    truth, wait,
};
use serde_json::Value;

/// Complaints about names that are cAdvisor's own, which dashboards ask for.
const ITS_OWN_NAMES: [&str; 6] = [
    "cadvisor_version_info label names should be written in 'snake_case' not 'camelCase'",
    "container_cpu_load_d_average_10s metric names should not contain abbreviated units",
    "container_fs_inodes_total non-counter metrics should not have \"_total\" suffix",
    "container_memory_failcnt counter metrics should have \"_total\" suffix",
    "machine_node_hugepages_count non-histogram and non-summary metrics should not have \"_count\" suffix",
    "machine_thread_siblings_count non-histogram and non-summary metrics should not have \"_count\" suffix",
];

/// A container on a network, with a label, a memory limit and a quota of one CPU.
fn limited(workload: &[&str]) -> Container {
    let create = [
        "--network",
        "bridge",
        "--memory",
        "64m",
        "--cpus",
        "1",
        "--label",
        "com.docker.compose.project=shop",
        "--label",
        "com.docker.compose.service=web",
        "--label",
        "com.docker.compose.project.working_dir=/srv/shop",
    ];
    Container::start_with(&Image::import(), &create, workload)
}

/// The value of the one series of this name for this container, once there is one.
fn metric<T: FromStr>(server: &Server, name: &str, container: &Container) -> T {
    let named = format!("name=\"{}\"", container.name());
    wait::until(&format!("{name} of {named}"), || {
        let text = server.get("/metrics/cadvisor").text();
        let mut lines =
            text.lines().filter(|line| line.starts_with(&format!("{name}{{")) && line.contains(&named));
        lines.next()?.rsplit_once(' ')?.1.parse().ok()
    })
}

fn number(container: &Container, names: [&str; 2]) -> u64 {
    let file = names.iter().find_map(|name| container.places().file(name)).expect("a cgroup's file");
    truth::read_number(&file).expect("a number")
}

#[test]
fn figures_are_those_of_the_cgroup_s_files() {
    let container = limited(&["sleep", "--ms", "1"]);
    let server = Server::start(&["--interval", "200ms"]);
    // It waits at its barrier, so that nothing of it moves.
    let integer = |name: &str| metric::<u64>(&server, name, &container);
    assert_eq!(integer("container_spec_memory_limit_bytes"), 64 << 20);
    assert_eq!(integer("container_spec_cpu_quota"), integer("container_spec_cpu_period"));
    assert_eq!(
        integer("container_memory_usage_bytes"),
        number(&container, ["memory.current", "memory.usage_in_bytes"])
    );
    assert_eq!(integer("container_threads"), number(&container, ["pids.current", "pids.current"]));
    let stat = container.places().file("memory.stat").expect("memory.stat");
    let stat = truth::read(&stat).expect("memory.stat");
    let field = |v2: &str, v1: &str| {
        let name =
            if container.places().v2().is_some_and(|v2| v2.join("memory.stat").exists()) { v2 } else { v1 };
        truth::field(&stat, name)
    };
    assert_eq!(integer("container_memory_rss"), field("anon", "total_rss"));
    assert_eq!(integer("container_memory_cache"), field("file", "total_cache"));
    let cpu_us = container.cpu_usage_us();
    let ours = metric::<f64>(&server, "container_cpu_usage_seconds_total", &container) * 1e6;
    assert!((ours - cpu_us as f64).abs() < 1.0, "{ours} µs, not {cpu_us}");
    let started: jiff::Timestamp = container.inspect("{{.State.StartedAt}}").parse().expect("a time");
    assert_eq!(integer("container_start_time_seconds"), started.as_second().unsigned_abs());
    let _received = integer("container_network_receive_bytes_total");
}

#[test]
fn clients_of_the_rest_interface_find_the_container() {
    let container = limited(&["sleep", "--ms", "1"]);
    let server = Server::start(&["--interval", "200ms"]);
    let path = wait::until("the container in /api/v1.3/docker", || {
        let all: Value = server.get("/api/v1.3/docker").json();
        let is_it = |info: &Value| info["id"] == container.id() && info["aliases"][0] == container.name();
        let (path, _) = all.as_object()?.iter().find(|(_, info)| is_it(info))?;
        Some(path.clone())
    });
    let one: Value = server.get(&format!("/api/v1.3/docker/{}", container.name())).json();
    let info = &one[&path];
    assert_eq!(info["aliases"], serde_json::json!([container.name(), container.id()]));
    assert_eq!(info["spec"]["labels"]["com.docker.compose.project"], "shop");
    assert_eq!(info["spec"]["memory"]["limit"], 64 << 20);
    let same: Value = server.get(&format!("/api/v1.3/containers{path}")).json();
    assert_eq!(same["name"], Value::from(path.clone()));
    let last = same["stats"].as_array().and_then(|stats| stats.last()).expect("a reading");
    let usage = number(&container, ["memory.current", "memory.usage_in_bytes"]);
    assert_eq!(last["memory"]["usage"].as_u64(), Some(usage));
    wait::until("two readings", || {
        let query = format!("/api/v2.1/stats/{}?type=docker&count=2", container.id());
        let stats: Value = server.get(&query).json();
        (stats[&path]["stats"].as_array()?.len() == 2).then_some(())
    });
    let processes: Value = server.get(&format!("/api/v2.0/ps/{}?type=docker", container.name())).json();
    let pid = container.inspect("{{.State.Pid}}").parse::<u64>().expect("a process id");
    assert!(processes.as_array().is_some_and(|all| all.iter().any(|one| one["pid"] == pid)), "{processes}");
    let machine: Value = server.get("/api/v1.3/machine").json();
    let cpus = thread::available_parallelism().expect("CPUs").get();
    assert!(machine["num_cores"].as_u64().is_some_and(|cores| cores >= cpus as u64), "{machine}");
    assert_eq!(server.get("/api/v1.3/containers/none").status, 500);
}

#[test]
fn events_tell_a_container_s_life_to_clients_of_cadvisor() {
    let server = Server::start(&["--interval", "200ms"]);
    let mut container = limited(&["sleep", "--ms", "1"]);
    let id = container.id().to_owned();
    container.workload().go();
    let _done = container.workload().wait_done();
    assert_eq!(container.exit(7).code(), Some(7));
    wait::until("its deletion", || {
        let query = "/api/v1.3/events/?all_events=true&subcontainers=true&max_events=1000";
        let events: Value = server.get(query).json();
        let of_it = |kind: &str| {
            events.as_array()?.iter().find(|event| {
                event["event_type"] == kind
                    && event["container_name"].as_str().is_some_and(|name| name.contains(&id))
            })
        };
        of_it("containerCreation")?;
        let code = of_it("containerDeletion")?["event_data"]["container_deletion"]["exit_code"].as_i64()?;
        (code == 7).then_some(())
    });
}

#[test]
fn a_kill_for_lack_of_memory_is_an_event_with_its_victim() {
    let limits = ["--memory=32m", "--memory-swap=32m"];
    let server = Server::start(&["--interval", "200ms"]);
    let mut container = Container::start_with(&Image::import(), &limits, &["faults", "--pages", "100000"]);
    let pid = container.inspect("{{.State.Pid}}").parse::<u64>().expect("a process id");
    container.workload().go();
    let event = wait::until("the kill", || {
        let query = "/api/v1.3/events/?oom_kill_events=true&subcontainers=true&max_events=1000";
        let events: Value = server.get(query).json();
        let of_it = |event: &&Value| {
            event["container_name"].as_str().is_some_and(|name| name.contains(container.id()))
        };
        events.as_array()?.iter().find(of_it).cloned()
    });
    assert_eq!(event["event_data"]["oom"]["pid"], pid);
    assert_eq!(event["event_data"]["oom"]["process_name"], "workload");
}

#[test]
fn promtool_finds_nothing_wrong_but_cadvisor_s_own_names() {
    let container = limited(&["sleep", "--ms", "1"]);
    let server = Server::start(&["--interval", "200ms"]);
    let _value: u64 = metric(&server, "container_memory_usage_bytes", &container);
    for path in ["/metrics/cadvisor", "/metrics"] {
        let mut complaints = complaints(&server.get(path).body);
        complaints.retain(|line| !ITS_OWN_NAMES.contains(&line.as_str()));
        assert!(complaints.is_empty(), "{path}: {complaints:#?}");
    }
}

/// The queries of the dashboards 193 and 14282, and those of rules made for the kubelet, with their variables filled in.
pub(crate) fn queries(name: &str) -> Vec<String> {
    let of_it = format!("instance=~\".*\",name=~\"{name}\",name=~\".+\"");
    vec![
        "count(container_last_seen{image!=\"\"})".to_owned(),
        "sum(container_memory_usage_bytes{image!=\"\"})".to_owned(),
        "container_memory_usage_bytes{image!=\"\"}".to_owned(),
        "sum(rate(container_cpu_user_seconds_total{image!=\"\"}[5m]) * 100)".to_owned(),
        format!("rate(container_cpu_user_seconds_total{{image!=\"\",name=\"{name}\"}}[5m]) * 100"),
        format!("rate(container_network_receive_bytes_total{{image!=\"\",name=\"{name}\"}}[5m])"),
        format!("rate(container_network_transmit_bytes_total{{image!=\"\",name=\"{name}\"}}[5m])"),
        format!("sum(rate(container_cpu_usage_seconds_total{{{of_it}}}[5m])) by (name) *100"),
        format!("sum(container_memory_rss{{{of_it}}}) by (name)"),
        format!("sum(container_memory_cache{{{of_it}}}) by (name)"),
        format!("sum(rate(container_network_receive_bytes_total{{{of_it}}}[5m])) by (name)"),
        format!("sum(rate(container_network_transmit_bytes_total{{{of_it}}}[5m])) by (name)"),
        format!("(time() - container_start_time_seconds{{{of_it}}})/86400"),
        "count by (instance) ({__name__=~\"container.*\"})".to_owned(),
        "count by (name) ({__name__=~\"container.*\",instance=~\".*\"})".to_owned(),
        "count(rate(container_last_seen{name=~\".+\"}[5m]))".to_owned(),
        "sum(container_memory_working_set_bytes{image!=\"\"})".to_owned(),
        "container_cpu_usage_seconds_total{id=\"/\"}".to_owned(),
        "machine_memory_bytes".to_owned(),
    ]
}

#[test]
fn dashboards_made_for_cadvisor_show_the_container() {
    let mut container = limited(&["hog"]);
    container.workload().go();
    let server = Server::start(&[]);
    let jobs = [("cadvisor", "/metrics/cadvisor"), ("all", "/metrics")];
    let prometheus = Prometheus::start(server.address(), &jobs);
    let name = container.name().to_owned();
    for query in queries(&name) {
        let found = prometheus.wait_for(&query);
        assert!(found.iter().all(|series| series.number().is_finite()), "{query}");
    }
    // Where OpenMetrics is spoken, names are the same.
    for metric in ["container_cpu_usage_seconds_total", "container_memory_failcnt", "monitor_container_info"]
    {
        let _found = prometheus.wait_for(&format!("{metric}{{job=\"all\",name=\"{name}\"}}"));
    }
    // The columns of 14282's table.
    let found = prometheus.wait_for(&format!("container_start_time_seconds{{name=\"{name}\"}}"));
    let labels = &found.first().expect("a series").metric;
    for (label, value) in [
        ("container_label_com_docker_compose_project", "shop"),
        ("container_label_com_docker_compose_service", "web"),
        ("container_label_com_docker_compose_project_working_dir", "/srv/shop"),
    ] {
        assert_eq!(labels.get(label).map(String::as_str), Some(value), "{label}");
    }
    assert!(labels.get("image").is_some_and(|image| !image.is_empty()));
}

/// The kernel's own count of a container's CPU time, with the time at which it was read.
fn follow_cpu(container: &Container, stop: &Arc<AtomicBool>) -> thread::JoinHandle<Vec<(f64, f64)>> {
    let v1 = container.places().file("cpuacct.usage");
    let v2 = container.places().v2().map(|v2| v2.join("cpu.stat"));
    let stop = Arc::clone(stop);
    thread::spawn(move || {
        let mut readings = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let seconds = match (&v1, &v2) {
                (Some(file), _) => truth::read_number(file).expect("cpuacct.usage") as f64 / 1e9,
                (None, Some(file)) => {
                    truth::field(&fs::read_to_string(file).expect("cpu.stat"), "usage_usec") as f64 / 1e6
                }
                (None, None) => panic!("no count of CPU time"),
            };
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time after 1970");
            readings.push((now.as_secs_f64(), seconds));
            thread::sleep(Duration::from_millis(10));
        }
        readings
    })
}

/// The value at a time, between the readings around it.
fn at(readings: &[(f64, f64)], time: f64) -> f64 {
    let after = readings.partition_point(|(at, _)| *at < time);
    let ((before, low), (after, high)) = (readings[after - 1], readings[after]);
    low + (high - low) * (time - before) / (after - before)
}

#[test]
fn rates_that_prometheus_makes_are_the_kernel_s() {
    let mut container = limited(&["hog"]);
    container.workload().go();
    let server = Server::start(&[]);
    // With the snapshots' own times, as cAdvisor's samples have: else a rate has the scrape's, up to a second later.
    let jobs = [("cadvisor", "/metrics/cadvisor?timestamps=true")];
    let prometheus = Prometheus::start(server.address(), &jobs);
    let series = format!("container_cpu_usage_seconds_total{{name=\"{}\"}}", container.name());
    let stop = Arc::new(AtomicBool::new(false));
    let truth = follow_cpu(&container, &stop);
    thread::sleep(Duration::from_millis(500));
    let begun_at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time").as_secs_f64();
    let samples = wait::until("ten seconds of samples", || {
        let found = prometheus.query(&format!("{series}[1m]"));
        let samples = found.first()?.samples();
        let samples: Vec<_> = samples.into_iter().filter(|(at, _)| *at > begun_at).collect();
        (samples.len() > 10).then_some(samples)
    });
    thread::sleep(Duration::from_millis(100));
    stop.store(true, Ordering::Relaxed);
    let truth = truth.join().expect("the kernel's readings");
    let ((first, _), (last, _)) = (samples[0], samples[10]);
    // A range begins after its beginning.
    let window = last - first + 0.001;
    let query = format!("rate({series}[{:.0}ms])", window * 1000.0);
    let rate = prometheus.query_at(&query, last).first().expect("a rate").number();
    let expected = (at(&truth, last) - at(&truth, first)) / (last - first);
    assert!(expected > 0.05, "the hog had {expected} CPUs");
    assert!((rate / expected - 1.0).abs() < 0.01, "{rate} CPUs, by the kernel {expected}");
}

/// What 1 000 containers may take. The first to ask after a tick waits for the text to be made.
#[test]
fn a_scrape_of_a_thousand_containers_takes_fifty_milliseconds() {
    const CONTAINERS: usize = 1000;
    let outer = Cgroup::make(&Places::roots(), &unique("monitor-test-docker"));
    let made: Vec<Cgroup> = (0..CONTAINERS)
        .map(|number| Cgroup::make(outer.places(), &format!("docker-{number:064x}.scope")))
        .collect();
    let server = Server::start(&["--interval", "1s"]);
    let scrape = || {
        let asked_at = Instant::now();
        let text = server.get("/metrics/cadvisor").text();
        (asked_at.elapsed(), text)
    };
    let text = wait::until("every container to be shown", || {
        let (_, text) = scrape();
        let shown = text.lines().filter(|line| line.starts_with("container_last_seen{")).count();
        (shown > CONTAINERS).then_some(text)
    });
    // Whatever else the machine does, some scrape right after a tick is not disturbed.
    let times: Vec<Duration> = (0..8)
        .map(|_| {
            thread::sleep(Duration::from_millis(1001));
            scrape().0
        })
        .collect();
    let best = times.iter().min().expect("some");
    println!("{} bytes in {times:?}", text.len());
    assert!(*best <= Duration::from_millis(50), "{times:?}");
    drop(made);
    drop(outer);
}
