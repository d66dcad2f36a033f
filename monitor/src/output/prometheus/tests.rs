use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use super::*;
use crate::model::{
    Cgroup, ContainerState, Interference, InterferenceSource, Latency, LatencyBucket, Measurements, Pod,
    testing,
};

fn snapshot(containers: Vec<Container>) -> Snapshot {
    testing::snapshot(0, containers)
}

/// A container as it is known where no runtime tells.
fn plain(number: u64) -> Container {
    let id = format!("{number:064x}");
    let id = id.chars().rev().collect::<String>();
    let mut container = Container { measurements: measured(number), ..testing::container(&id) };
    (container.name, container.image) = (None, None);
    container.cgroup = Cgroup { id: number, path: Some(format!("/docker/{id}")) };
    container
}

/// Everything that is exported by default, after a day or so.
fn measured(number: u64) -> Measurements {
    let mut measured = Measurements::default();
    let latency = |count| {
        let bucket = LatencyBucket { from_ns: 4096, to_ns: Some(5120), count };
        Some(Latency { count, buckets: vec![bucket], ..Latency::default() })
    };
    measured.scheduler.voluntary_switches_total = Some(12_345_678 + number);
    measured.scheduler.involuntary_switches_total = Some(234_567);
    measured.scheduler.on_cpu_ns_total = Some(3_456_789_012_345);
    measured.scheduler.runq_wait_ns_total = Some(45_678_901_234);
    measured.scheduler.runq_latency = latency(1_234_567);
    measured.faults.minor_total = Some(1_234_567);
    measured.faults.major_total = Some(123);
    measured.network.rx_bytes_total = Some(1_234_567_890);
    measured.network.tx_bytes_total = Some(1_234_567_890);
    measured.network.tcp_retransmits_total = Some(123);
    measured.network.dropped_packets_total = Some(0);
    measured.cpu.usage_ns_total = Some(3_456_789_012_345);
    measured.cpu.throttled_ns_total = Some(0);
    measured.memory.working_set_bytes = Some(123_456_789);
    measured.memory.limit_bytes = Some(-1);
    measured.memory.oom_victims_total = Some(0);
    measured.memory.anon_bytes = Some(1);
    measured.block_io.read_bytes_total = Some(123_456_789);
    measured.block_io.write_bytes_total = Some(123_456_789);
    measured.filesystems.used_bytes = Some(123_456_789);
    measured.pids.current = Some(12);
    measured
}

fn encoded(snapshot: &Snapshot, selection: &Selection, form: Form) -> String {
    let mut totals = Totals::default();
    totals.add(snapshot);
    let mut out = Exposition::new(form);
    encode(snapshot, &totals, selection, &mut out);
    String::from_utf8(out.finish()).unwrap()
}

fn sample<'t>(text: &'t str, start: &str) -> &'t str {
    let line = text.lines().find(|line| line.starts_with(start));
    line.and_then(|line| line.rsplit(' ').next()).unwrap_or_else(|| panic!("no {start} in {text}"))
}

#[test]
fn a_container_has_its_labels_and_values_in_base_units() {
    let mut container = plain(1);
    container.name = Some("we\"b".to_owned());
    container.image = Some("nginx".to_owned());
    container.pod =
        Some(Pod { name: Some("p".to_owned()), namespace: Some("ns".to_owned()), uid: "u".to_owned() });
    container.labels.insert("app.kind".to_owned(), "x".to_owned());
    *container.measurements.interference = Some(
        [(Some("a"), 1_000_000_000), (Some("b"), 500_000_000)]
            .map(|(id, wait_ns_total)| Interference {
                source: InterferenceSource::Container,
                id: id.map(str::to_owned),
                name: None,
                wait_ns_total,
                wait_ns_per_second: None,
                waits_total: 1,
                preemptions_total: 0,
            })
            .to_vec(),
    );
    let selection = Selection::new(&[], &["app.kind".to_owned()]).unwrap();
    let text = encoded(&snapshot(vec![container]), &selection, Form::Text);
    let labels = r#"{id="100000000000",name="we\"b",image="nginx",pod="p",namespace="ns""#;
    for (name, value) in [
        ("monitor_container_cpu_usage_seconds_total", "3456.789012345"),
        ("monitor_container_memory_limit_bytes", "+Inf"),
        ("monitor_container_scheduler_runq_latency_seconds_sum", "45.678901234"),
        ("monitor_container_scheduler_runq_latency_seconds_count", "1234567"),
    ] {
        assert_eq!(sample(&text, &format!("{name}{labels}}}")), value, "{name}");
    }
    let bucket = format!("monitor_container_scheduler_runq_latency_seconds_bucket{labels}");
    assert_eq!(sample(&text, &format!("{bucket},le=\"1.073741823\"}}")), "1234567");
    assert_eq!(sample(&text, &format!("{bucket},le=\"0.000032767\"}}")), "1234567");
    let interference =
        format!("monitor_container_interference_wait_seconds_total{labels},source=\"container\"}}");
    assert_eq!(sample(&text, &interference), "1.5");
    let info = text.lines().find(|line| line.starts_with("monitor_container_info{")).unwrap();
    assert!(info.contains("label_app_kind=\"x\"") && info.contains("pod_uid=\"u\""), "{info}");
    assert!(!text.contains("memory_anon_bytes"), "{text}");
    assert!(text.contains("# TYPE monitor_container_faults_minor_total counter\n"));
}

#[test]
fn a_container_that_was_started_again_has_the_series_of_the_run_that_goes_on() {
    let mut ended = plain(1);
    ended.state = ContainerState::Exited;
    let mut running = Container { measurements: measured(0), ..ended.clone() };
    (running.state, running.cgroup.id) = (ContainerState::Running, 2);
    let text = encoded(&snapshot(vec![ended, running]), &Selection::default(), Form::Text);
    assert_eq!(sample(&text, "monitor_container_scheduler_voluntary_switches_total"), "12345678");
    let series: Vec<&str> = text.lines().filter_map(|line| Some(line.rsplit_once(' ')?.0)).collect();
    let mut once = HashSet::new();
    assert!(series.iter().filter(|name| !name.starts_with('#')).all(|name| once.insert(name)), "{text}");
}

#[test]
fn what_was_not_measured_has_no_series() {
    let mut container = plain(1);
    container.measurements = Measurements::default();
    let text = encoded(&snapshot(vec![container]), &Selection::default(), Form::Text);
    let series: Vec<&str> = text.lines().filter(|line| line.starts_with("monitor_container")).collect();
    assert_eq!(series.len(), 1, "{series:?}");
}

#[test]
fn every_family_is_written_once_and_together() {
    let selection = Selection::new(&["all".to_owned()], &[]).unwrap();
    for form in [Form::Text, Form::OpenMetrics] {
        let text = encoded(&snapshot((0..3).map(plain).collect()), &selection, form);
        let types: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        let names: HashSet<&str> = types.iter().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(names.len(), types.len(), "a family twice");
        let series: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(series, _)| series)
            .collect();
        assert_eq!(series.iter().collect::<HashSet<_>>().len(), series.len(), "a series twice");
    }
}

/// The promise of a lean scrape, for containers of which only the cgroup is known. Names, images and pods add their length to
/// each of some thirty series.
#[test]
fn a_thousand_containers_are_lean() {
    let snapshot = snapshot((0..1000).map(plain).collect());
    let few = encoded(&snapshot, &Selection::default(), Form::Text).len();
    println!("{} bytes a container", few / 1000);
    assert!(few <= 2048 * 1000, "{} bytes a container", few / 1000);
    let began = Instant::now();
    let all = Selection::new(&["all".to_owned()], &[]).unwrap();
    let _ = encoded(&snapshot, &all, Form::Text);
    println!("{:?} for all", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(5));
}
