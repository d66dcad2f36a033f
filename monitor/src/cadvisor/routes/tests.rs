use axum::http::Request as HttpRequest;
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;

use super::*;
use crate::{
    cadvisor::{
        exposition::ContainerLabels,
        testing::{cgroup, container, snapshot},
    },
    model::Snapshot,
    output::prometheus::Exposition,
    serve::hub,
};

struct Served(TowerToHyperService<Router>, Arc<Cadvisor>);

struct Got {
    status: StatusCode,
    text: String,
}

/// Over these snapshots, the oldest first.
async fn over(snapshots: Vec<Snapshot>) -> Served {
    let (mut publisher, inlet) = hub::open();
    let hub = inlet.hub();
    let distributed = tokio::spawn(inlet.distribute());
    for snapshot in snapshots {
        publisher.publish(snapshot);
        tokio::task::yield_now().await;
    }
    drop(publisher);
    distributed.await.unwrap();
    let cadvisor = Arc::new(Cadvisor::new(hub, ContainerLabels::All));
    Served(TowerToHyperService::new(router(Arc::clone(&cadvisor))), cadvisor)
}

/// Three seconds of two containers in a cgroup.
async fn usual() -> Served {
    let at = |second: i64| {
        let mut first = container("ab12");
        first.measurements.cpu.usage_ns_total = Some(second.unsigned_abs() * 500_000_000);
        snapshot(second, vec![first, container("cd34")], vec![cgroup("/docker"), cgroup("/x.slice")])
    };
    over(vec![at(10), at(11), at(12)]).await
}

impl Served {
    async fn ask(&self, path: &str, body: &'static str) -> Got {
        let request = HttpRequest::get(path).body(Body::from(body)).unwrap();
        let response = self.0.call(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Got { status, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    /// What is answered with 200.
    async fn json(&self, path: &str) -> Value {
        let got = self.ask(path, "").await;
        assert_eq!(got.status, StatusCode::OK, "{path}: {}", got.text);
        serde_json::from_str(&got.text).unwrap_or_else(|error| panic!("{path}: {error}: {}", got.text))
    }

    async fn refusal(&self, path: &str) -> (u16, String) {
        let got = self.ask(path, "").await;
        (got.status.as_u16(), got.text)
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn one_container_is_an_object_with_its_readings() {
    let served = usual().await;
    let info = served.json("/api/v1.3/containers/docker/ab12").await;
    assert_eq!(info["name"], "/docker/ab12");
    assert_eq!(info["aliases"], serde_json::json!(["name-ab12", "ab12"]));
    assert_eq!(info["namespace"], "docker");
    assert_eq!(info["spec"]["image"], "image:1");
    assert_eq!(info["spec"]["memory"]["limit"], u64::MAX);
    assert_eq!(info["stats"].as_array().unwrap().len(), 3);
    assert_eq!(info["stats"][2]["cpu"]["usage"]["total"], 6_000_000_000_u64);
    assert_eq!(info["stats"][0]["network"]["rx_bytes"], 100, "the first interface is inlined");
    assert_eq!(info["stats"][0]["timestamp"], "1970-01-01T00:00:10Z");
    let got = served.ask("/api/v1.0/containers//docker/ab12/", "{\"num_stats\":1}").await;
    let info: Value = serde_json::from_str(&got.text).unwrap();
    assert_eq!(info["stats"][0]["timestamp"], "1970-01-01T00:00:12Z");
}

#[tokio::test]
async fn subcontainers_are_a_list_and_docker_s_are_a_map() {
    let served = usual().await;
    let root = served.json("/api/v1.3/containers/").await;
    assert_eq!(root["subcontainers"], serde_json::json!([{"name": "/docker"}, {"name": "/x.slice"}]));
    let list = served.json("/api/v1.1/subcontainers/docker").await;
    let names: Vec<&Value> = list.as_array().unwrap().iter().map(|info| &info["name"]).collect();
    assert_eq!(names, ["/docker", "/docker/ab12", "/docker/cd34"]);
    assert_eq!(keys(&served.json("/api/v1.2/docker").await), ["/docker/ab12", "/docker/cd34"]);
    assert_eq!(keys(&served.json("/api/v1.3/docker/").await).len(), 2);
    assert_eq!(keys(&served.json("/api/v1.3/docker/name-cd34").await), ["/docker/cd34"]);
    assert_eq!(keys(&served.json("/api/v1.3/docker/ab").await), ["/docker/ab12"]);
}

#[tokio::test]
async fn the_second_generation_answers_with_maps() {
    let served = usual().await;
    let stats = served.json("/api/v2.1/stats/docker?recursive=true&count=2").await;
    assert_eq!(keys(&stats), ["/docker", "/docker/ab12", "/docker/cd34"]);
    assert_eq!(stats["/docker/ab12"]["stats"].as_array().unwrap().len(), 2);
    assert_eq!(stats["/docker/ab12"]["stats"][1]["cpu_inst"]["usage"]["total"], 500_000_000);
    assert_eq!(stats["/docker/ab12"]["spec"]["has_cpu"], true);
    assert!(served.json("/api/v2.1/stats/").await.as_object().unwrap().is_empty());
    let stats = served.json("/api/v2.0/stats/ab12?type=docker").await;
    assert_eq!(stats["/docker/ab12"][0]["has_memory"], true);
    let spec = served.json("/api/v2.0/spec/?type=docker&recursive=true").await;
    assert_eq!(spec["/docker/cd34"]["aliases"][0], "name-cd34");
    let summary = served.json("/api/v2.0/summary/docker/ab12").await;
    assert_eq!(summary["/docker/ab12"]["minute_usage"]["cpu"]["max"], 500);
    assert_eq!(served.json("/api/v2.0/appmetrics/docker/ab12").await["/docker/ab12"], serde_json::json!({}));
    let machine = served.json("/api/v2.1/machinestats?count=1").await;
    assert_eq!(machine[0]["memory"]["usage"], 5_u64 << 30);
    assert!(served.json("/api/v2.0/version").await.as_str().unwrap().starts_with("monitor "));
    assert_eq!(served.json("/api/v2.0/attributes").await["kernel_version"], "6.1.0");
    assert_eq!(served.json("/api/v2.0/machine").await["num_cores"], 2);
    assert!(served.json("/api/v2.0/storage").await.as_array().unwrap().is_empty());
    assert!(served.json("/api/v2.0/ps/").await.as_array().unwrap().len() > 1);
}

#[tokio::test]
async fn what_cannot_be_answered_is_plain_text() {
    let served = usual().await;
    let versions = "Supported API versions: v1.0,v1.1,v1.2,v1.3,v2.0,v2.1\n";
    assert_eq!(served.refusal("/api/").await, (400, versions.to_owned()));
    let (status, text) = served.refusal("/api/v1.1/").await;
    assert_eq!((status, text.as_str()), (400, "Supported request types: containers,machine,subcontainers\n"));
    let unknown = (500, "unknown container \"/nothing\"\n".to_owned());
    assert_eq!(served.refusal("/api/v1.3/containers/nothing").await, unknown);
    assert_eq!(served.refusal("/api/v1.3/docker/none").await.0, 500);
    assert_eq!(
        served.refusal("/api/v1.0/docker").await,
        (500, "unknown request type \"docker\"\n".to_owned())
    );
    assert_eq!(served.refusal("/api/v2.0/machinestats").await.0, 500);
    assert_eq!(served.refusal("/api/v2.1/stats/?count=x").await.0, 400);
    assert_eq!(served.refusal("/api/v2.0/storage?uuid=../../sda").await.0, 500);
    assert_eq!(served.refusal("/metrics/cadvisor?type=rkt").await.0, 400);
    let got = served.ask("/api/v1.3/containers/", "{\"num_stats\":").await;
    assert_eq!(got.status, StatusCode::BAD_REQUEST);
    assert!(got.text.starts_with("unable to decode the json value: "), "{}", got.text);
}

#[tokio::test]
async fn nothing_is_answered_before_the_first_snapshot() {
    let served = over(vec![]).await;
    for path in ["/metrics/cadvisor", "/api/v1.3/machine", "/api/v2.0/stats/", "/validate/"] {
        assert_eq!(served.refusal(path).await.0, 503, "{path}");
    }
}

#[tokio::test]
async fn events_are_kept_and_followed() {
    let served = usual().await;
    let log = &served.1.events;
    log.observe(&snapshot(20, vec![container("ab12")], vec![]));
    let events = served.json("/api/v1.3/events/docker?subcontainers=true&creation_events=true").await;
    assert!(events.as_array().unwrap().iter().any(|event| event["container_name"] == "/docker/ab12"));
    let request = HttpRequest::get("/api/v2.0/events/?stream=true&all_events=true&subcontainers=true");
    let response = served.0.call(request.body(Body::empty()).unwrap()).await.unwrap();
    let mut body = response.into_body();
    log.observe(&snapshot(21, vec![], vec![]));
    let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let event: Value = serde_json::from_slice(&frame).unwrap();
    assert_eq!(event["event_type"], "containerDeletion");
    assert_eq!(event["event_data"]["container_deletion"]["exit_code"], -1);
}

#[tokio::test]
async fn pages_lead_to_the_dashboard() {
    let served = usual().await;
    for path in ["/containers/", "/containers/docker/ab12", "/docker/", "/docker/ab12", "/docker"] {
        assert_eq!(served.refusal(path).await.0, 307, "{path}");
    }
}

#[tokio::test]
async fn the_metrics_are_those_of_the_latest_snapshot() {
    let served = usual().await;
    let got = served.ask("/metrics/cadvisor?type=docker&timestamps=true", "").await;
    let line = got.text.lines().find(|line| line.starts_with("container_cpu_usage_seconds_total")).unwrap();
    assert!(line.contains("name=\"name-ab12\"") && line.ends_with(" 6 12000"), "{line}");
}

#[tokio::test]
async fn other_metrics_of_the_same_snapshot_can_have_these_after_them() {
    let served = usual().await;
    let latest = served.1.latest().unwrap();
    let mut out = Exposition::new(Form::OpenMetrics);
    served.1.put_metrics(&latest, &mut out);
    let text = String::from_utf8(out.finish()).unwrap();
    assert!(text.contains("# TYPE container_cpu_usage_seconds counter\n"), "{text}");
    assert!(text.contains("\ncontainer_cpu_usage_seconds_total{id=\"/docker/ab12\""), "{text}");
}
