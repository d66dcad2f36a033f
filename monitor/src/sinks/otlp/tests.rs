use std::collections::BTreeMap;

use http::StatusCode;

use super::{
    proto::{Data, ExportMetricsPartialSuccess},
    *,
};
use crate::{
    model::{
        Disk, HostInterface, Latency, LatencyBucket, Pod, Snapshot,
        testing::{container, snapshot},
    },
    output::prometheus::{Selection, Totals},
};

fn exported(labels: &[(&str, &str)]) -> Vec<ResourceMetrics> {
    let mut one = container("a");
    one.image = Some("registry:5000/nginx:1.25@sha256:0".to_owned());
    one.pod = Some(Pod { name: Some("p".to_owned()), namespace: None, uid: "u".to_owned() });
    one.started_at = Some(Timestamp::from_second(1).unwrap());
    one.measurements.cpu.usage_ns_total = Some(1_500_000_000);
    one.measurements.memory.current_bytes = Some(4096);
    one.measurements.block_io.read_bytes_total = Some(512);
    one.measurements.scheduler.runq_wait_ns_total = Some(3_000_000_000);
    let bucket = LatencyBucket { from_ns: 0, to_ns: Some(1024), count: 4 };
    one.measurements.scheduler.runq_latency =
        Some(Latency { count: 4, buckets: vec![bucket], ..Latency::default() });
    let mut taken = snapshot(3, vec![one]);
    let disk = |name: &str| {
        let mut disk = Disk { name: name.to_owned(), ..Disk::default() };
        disk.activity.read_bytes_total = Some(1);
        disk
    };
    taken.host.totals.disks = Some(vec![disk("sda"), disk("sdb")]);
    let batches = batches(&taken, labels);
    let request = ExportMetricsServiceRequest::decode(batches[0].bytes.clone()).unwrap();
    let points: usize = request.resource_metrics.iter().map(count).sum();
    assert_eq!(points as u64, batches[0].samples);
    request.resource_metrics
}

fn batches(taken: &Snapshot, labels: &[(&str, &str)]) -> Vec<Batch> {
    let mut totals = Totals::default();
    totals.add(taken);
    let export = Export { snapshot: taken, totals: &totals, selection: &Selection::default() };
    let labels: Vec<(String, String)> =
        labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let otlp = Otlp {
        address: Address::parse("http://h:1").unwrap(),
        protocol: Protocol::Grpc,
        headers: SecretHeaders::default(),
    };
    otlp.encoder(&labels).encode(&export)
}

#[test]
fn a_machine_with_thousands_of_interfaces_is_written_in_requests_that_servers_take() {
    let mut one = container("a");
    one.measurements.cpu.usage_ns_total = Some(1);
    let mut taken = snapshot(3, vec![one]);
    let interface = |number: usize| {
        let mut interface = HostInterface { name: format!("veth{number:07x}"), ..HostInterface::default() };
        let traffic = &mut interface.traffic;
        (traffic.rx_bytes_total, traffic.rx_packets_total) = (Some(1), Some(2));
        (traffic.tx_bytes_total, traffic.tx_packets_total) = (Some(3), Some(4));
        (traffic.rx_errors_total, traffic.rx_dropped_total) = (Some(5), Some(6));
        (traffic.tx_errors_total, traffic.tx_dropped_total) = (Some(7), Some(8));
        interface
    };
    taken.host.totals.interfaces = Some((0..10_000).map(interface).collect());
    let batches = batches(&taken, &[]);
    let most = batches.iter().map(|batch| batch.bytes.len()).max().unwrap();
    assert!(most < 4 << 20, "{most} bytes");
    assert!(batches.iter().all(|batch| batch.samples <= 4000));
    assert!(batches.iter().map(|batch| batch.samples).sum::<u64>() >= 80_000, "none is lost");
    for batch in &batches {
        let request = ExportMetricsServiceRequest::decode(batch.bytes.clone()).unwrap();
        let last = request.resource_metrics.last().unwrap();
        assert_eq!(attributes(last).get("service.name").map(String::as_str), Some("monitor"));
    }
}

fn attributes(resource: &ResourceMetrics) -> BTreeMap<String, String> {
    let shown = |value: &AnyValue| match &value.value {
        Some(Any::Text(text)) => text.clone(),
        other => format!("{other:?}"),
    };
    let all = resource.resource.iter().flat_map(|resource| &resource.attributes);
    all.map(|one| (one.key.clone(), shown(one.value.as_ref().unwrap()))).collect()
}

fn metric<'m>(resource: &'m ResourceMetrics, name: &str) -> &'m Metric {
    let found = resource.scope_metrics[0].metrics.iter().find(|metric| metric.name == name);
    found.unwrap_or_else(|| panic!("no {name} in {resource:#?}"))
}

#[test]
fn a_container_is_a_resource() {
    let resources = exported(&[("env", "test"), ("container.id", "never")]);
    let attributes = attributes(&resources[0]);
    for (key, value) in [
        ("container.id", "a"),
        ("container.name", "c-a"),
        ("container.image.name", "registry:5000/nginx"),
        ("container.runtime.name", "docker"),
        ("k8s.pod.name", "p"),
        ("k8s.pod.uid", "u"),
        ("env", "test"),
    ] {
        assert_eq!(attributes.get(key).map(String::as_str), Some(value), "{key}");
    }
    assert!(attributes["container.image.tags"].contains("1.25"));
    assert_eq!(split_image("nginx"), ("nginx", None));
    assert_eq!(split_image("registry:5000/nginx"), ("registry:5000/nginx", None));
}

#[test]
fn conventions_and_own_names_stand_side_by_side() {
    let resources = exported(&[]);
    let Some(Data::Sum(time)) = &metric(&resources[0], "container.cpu.time").data else { panic!() };
    assert!(time.is_monotonic && time.aggregation_temporality == 2);
    let point = &time.data_points[0];
    assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (1_000_000_000, 3_000_000_000));
    assert_eq!(point.value, Some(proto::Number::Double(1.5)));
    let Some(Data::Sum(memory)) = &metric(&resources[0], "container.memory.usage").data else { panic!() };
    assert!(!memory.is_monotonic);
    let Some(Data::Sum(disk)) = &metric(&resources[0], "container.disk.io").data else { panic!() };
    assert_eq!(disk.data_points.len(), 1, "what was not measured has no point");
    assert_eq!(disk.data_points[0].attributes, [text("disk.io.direction", "read")]);
    let own = metric(&resources[0], "monitor.container.cpu.usage_time");
    assert_eq!(own.unit, "s");
    let Some(Data::Histogram(waits)) =
        &metric(&resources[0], "monitor.container.scheduler.runq_latency_duration").data
    else {
        panic!()
    };
    let point = &waits.data_points[0];
    assert_eq!((point.count, point.sum), (4, Some(3.0)));
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
}

#[test]
fn the_machine_is_one_resource() {
    let resources = exported(&[]);
    assert_eq!(resources.len(), 2);
    let Some(Data::Sum(read)) = &metric(&resources[1], "monitor.host.disk.read_bytes").data else { panic!() };
    let devices: Vec<_> = read.data_points.iter().map(|point| point.attributes.clone()).collect();
    assert_eq!(devices, [vec![text("system.device", "sda")], vec![text("system.device", "sdb")]]);
}

#[test]
fn what_is_refused_in_part_is_told() {
    let said = |rejected_data_points, error_message: &str| {
        let error_message = error_message.to_owned();
        taken(&ExportMetricsServiceResponse {
            partial_success: Some(ExportMetricsPartialSuccess { rejected_data_points, error_message }),
        })
    };
    let partly = said(3, "too old");
    assert_eq!(partly.refused, 3);
    assert!(partly.why.unwrap().contains("too old"));
    assert_eq!(said(0, ""), Taken::default());
    assert_eq!(said(0, "a warning"), Taken::default());
}

#[test]
fn only_what_the_specification_names_is_tried_again() {
    let then = |status: u16| {
        judge(&Answer { status: StatusCode::from_u16(status).unwrap(), ..Answer::default() }).then
    };
    assert!([429, 502, 503, 504].iter().all(|status| then(*status) == Then::Retry(None)));
    assert!([400, 401, 404, 500, 501].iter().all(|status| then(*status) == Then::GiveUp));
}
