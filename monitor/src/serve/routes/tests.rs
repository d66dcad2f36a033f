use axum::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use jiff::Timestamp;
use serde_json::Value;

use super::*;
use crate::{
    model::{
        Container, ContainerState, Happening, Interference, InterferenceSource,
        testing::{container, event, snapshot as made_up},
    },
    serve::hub,
};

/// A router over one snapshot with these containers, taken now.
async fn over(containers: Vec<Container>) -> TowerToHyperService<Router> {
    let (mut publisher, inlet) = hub::open();
    let hub = inlet.hub();
    publisher.publish(made_up(Timestamp::now().as_second(), containers));
    drop(publisher);
    inlet.distribute().await;
    TowerToHyperService::new(router(hub, Router::new()))
}

struct Got {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    /// The last part of a problem's type.
    fn problem(&self) -> String {
        assert_eq!(self.headers[header::CONTENT_TYPE], problem::MEDIA_TYPE);
        assert_eq!(self.json()["status"], self.status.as_u16());
        self.json()["type"].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned()
    }
}

async fn ask(router: &TowerToHyperService<Router>, request: Request<Body>) -> Got {
    let response = router.call(request).await.unwrap();
    let (head, body) = response.into_parts();
    Got { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
}

async fn fetch(router: &TowerToHyperService<Router>, path: &str) -> Got {
    ask(router, Request::get(path).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn nothing_is_served_before_the_first_snapshot() {
    let (_publisher, inlet) = hub::open();
    let router = TowerToHyperService::new(router(inlet.hub(), Router::new()));
    for path in ["/healthz", "/api/v1/snapshot", "/api/v1/containers", "/api/v1/host"] {
        let got = fetch(&router, path).await;
        assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(got.problem(), "not-ready");
    }
}

#[tokio::test]
async fn parts_are_those_of_the_snapshot() {
    let router = over(vec![container("abc"), container("def")]).await;
    assert_eq!(fetch(&router, "/healthz").await.body, "ok");
    let whole = fetch(&router, "/api/v1/snapshot").await.json();
    for part in ["containers", "cgroups", "host"] {
        let got = fetch(&router, &format!("/api/v1/{part}")).await.json();
        for member in [part, "taken_at", "window_ns", "schema_version"] {
            assert_eq!(got[member], whole[member], "{member} of {part}");
        }
    }
    let one = fetch(&router, "/api/v1/containers/c-def").await.json();
    assert_eq!(one["container"], whole["containers"][1]);
}

#[tokio::test]
async fn a_container_is_found_by_id_name_and_beginning() {
    let mut ended = container("a1");
    ended.name = Some("web".to_owned());
    ended.state = ContainerState::Exited;
    let mut running = container("a2");
    running.name = Some("web".to_owned());
    let mut named_like_an_id = container("b22");
    named_like_an_id.name = Some("b1".to_owned());
    let lxc = container("lxc/web");
    let router = over(vec![ended, running, container("b1"), named_like_an_id, lxc]).await;
    for (wanted, id) in [("web", "a2"), ("a1", "a1"), ("b1", "b1"), ("b2", "b22"), ("lxc%2Fweb", "lxc/web")] {
        let got = fetch(&router, &format!("/api/v1/containers/{wanted}")).await;
        assert_eq!(got.json()["container"]["id"], id, "{wanted}");
    }
    for (wanted, status, problem) in [
        ("a", StatusCode::CONFLICT, "ambiguous-container"),
        ("x", StatusCode::NOT_FOUND, "no-such-container"),
    ] {
        let got = fetch(&router, &format!("/api/v1/containers/{wanted}")).await;
        assert_eq!((got.status, got.problem().as_str()), (status, problem));
    }
}

#[tokio::test]
async fn what_a_client_has_is_not_sent_again() {
    let router = over(vec![container("abc")]).await;
    let tag = fetch(&router, "/api/v1/snapshot").await.headers[header::ETAG].clone();
    let request = Request::get("/api/v1/snapshot").header(header::IF_NONE_MATCH, tag);
    let got = ask(&router, request.body(Body::empty()).unwrap()).await;
    assert_eq!((got.status, got.body.len()), (StatusCode::NOT_MODIFIED, 0));
}

#[tokio::test]
async fn answers_are_compressed_where_that_is_understood() {
    let router = over(vec![container("abc")]).await;
    for coding in ["gzip", "zstd"] {
        let request = Request::get("/api/v1/snapshot").header(header::ACCEPT_ENCODING, coding);
        let got = ask(&router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(got.headers[header::CONTENT_ENCODING], coding);
    }
}

#[tokio::test]
async fn what_cannot_be_served_is_a_problem() {
    let router = over(vec![]).await;
    let got = fetch(&router, "/api/v9/snapshot").await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::NOT_FOUND, "no-such-path"));
    let got = ask(&router, Request::post("/api/v1/host").body(Body::empty()).unwrap()).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::METHOD_NOT_ALLOWED, "bad-method"));
    assert_eq!(got.headers[header::ALLOW], "GET,HEAD");
    let large = Request::get("/api/v1/host").header(header::CONTENT_LENGTH, BODY + 1);
    let got = ask(&router, large.body(Body::empty()).unwrap()).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "large-body"));
}

fn ids(list: &Value) -> Vec<&str> {
    list["containers"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn lists_come_in_pages_and_filtered() {
    let router = over(["c", "a", "d", "b"].map(container).to_vec()).await;
    let all = fetch(&router, "/api/v1/containers").await.json();
    assert_eq!((ids(&all), all["next"].is_null()), (vec!["a", "b", "c", "d"], true));
    let first = fetch(&router, "/api/v1/containers?limit=3").await.json();
    assert_eq!((ids(&first), first["next"].as_str()), (vec!["a", "b", "c"], Some("c")));
    let last = fetch(&router, "/api/v1/containers?limit=3&after=c").await.json();
    assert_eq!((ids(&last), last["next"].is_null()), (vec!["d"], true));
    let one = fetch(&router, "/api/v1/containers?name=c-b&runtime=docker").await.json();
    assert_eq!(ids(&one), ["b"]);
    for bad in ["limit=0", "state=asleep", "colour=red", "name=a&name=b"] {
        let got = fetch(&router, &format!("/api/v1/containers?{bad}")).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::BAD_REQUEST, "bad-parameter"), "{bad}");
    }
}

#[tokio::test]
async fn those_that_waited_longest_come_first() {
    let waits = |id: &str, wait_ns_per_second| {
        let mut one = container(id);
        *one.measurements.interference = Some(vec![Interference {
            source: InterferenceSource::System,
            id: None,
            name: None,
            wait_ns_total: 1,
            wait_ns_per_second: Some(wait_ns_per_second),
            waits_total: 1,
            preemptions_total: 0,
        }]);
        one
    };
    let router = over(vec![waits("a", 1.0), container("b"), waits("c", 2.0)]).await;
    assert_eq!(ids(&fetch(&router, "/api/v1/interference").await.json()), ["c", "a"]);
    assert_eq!(ids(&fetch(&router, "/api/v1/interference?container=c-a").await.json()), ["a"]);
}

#[tokio::test]
async fn events_are_asked_for_by_number_and_kind() {
    let (mut publisher, inlet) = hub::open();
    let router = TowerToHyperService::new(router(inlet.hub(), Router::new()));
    publisher.tell(vec![event(Happening::CgroupMade), event(Happening::CgroupRemoved)]);
    drop(publisher);
    inlet.distribute().await;
    let numbers = |list: &Value| {
        list["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["number"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    let all = fetch(&router, "/api/v1/events").await.json();
    assert_eq!((numbers(&all), all["next"].as_u64()), (vec![1, 2], Some(2)));
    let rest = fetch(&router, "/api/v1/events?after=1").await.json();
    assert_eq!((numbers(&rest), rest["events"][0]["kind"].as_str()), (vec![2], Some("cgroup_removed")));
    let made = fetch(&router, "/api/v1/events?kind=cgroup_made").await.json();
    assert_eq!((numbers(&made), made["next"].as_u64()), (vec![1], Some(2)));
    assert_eq!(numbers(&fetch(&router, "/api/v1/events?container=x").await.json()), [0; 0]);
}

#[tokio::test]
async fn a_stream_has_what_was_kept_and_what_comes() {
    let (mut publisher, inlet) = hub::open();
    let hub = inlet.hub();
    for second in 1..=3 {
        publisher.publish(made_up(second, vec![container("abc"), container("def")]));
    }
    drop(publisher);
    let router = TowerToHyperService::new(router(hub.clone(), Router::new()));
    let taken = tokio::spawn(inlet.distribute());
    while hub.recent().len() < 3 {
        tokio::task::yield_now().await;
    }
    taken.await.unwrap();
    // Subscribed after the end, so that only what was kept is there; a subscription that began before would end here too.
    let request =
        Request::get("/api/v1/stream?container=abc").header("last-event-id", "1970-01-01T00:00:01Z");
    let response = router.call(request.body(Body::empty()).unwrap()).await.unwrap();
    let mut body = response.into_body();
    let mut text = String::new();
    while !text.contains("id: 1970-01-01T00:00:03Z") || !text.ends_with("\n\n") {
        let frame = body.frame().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
    assert!(text.starts_with("id: 1970-01-01T00:00:02Z\ndata: {"), "{text}");
    assert!(text.contains("\"id\":\"abc\"") && !text.contains("\"id\":\"def\""), "{text}");
    let bad = Request::get("/api/v1/stream").header("last-event-id", "yesterday");
    assert_eq!(ask(&router, bad.body(Body::empty()).unwrap()).await.problem(), "bad-parameter");
    assert_eq!(fetch(&router, "/api/v1/stream?fields=cpu.nothing").await.problem(), "bad-parameter");
}

#[tokio::test]
async fn metrics_are_those_of_the_latest_snapshot() {
    let (mut publisher, inlet) = hub::open();
    let hub = inlet.hub();
    let mut one = container("abc");
    one.measurements.faults.minor_total = Some(7);
    publisher.publish(made_up(1, vec![one]));
    drop(publisher);
    inlet.distribute().await;
    let selection = crate::output::prometheus::Selection::default();
    let metrics = crate::serve::metrics::routes(hub.clone(), selection, vec![], vec![]);
    let router = TowerToHyperService::new(router(hub, metrics));
    let text = String::from_utf8(fetch(&router, "/metrics").await.body.to_vec()).unwrap();
    let series =
        "monitor_container_faults_minor_total{id=\"abc\",name=\"c-abc\",image=\"busybox:latest\"} 7\n";
    assert!(text.contains(series), "{text}");
    assert!(text.contains("\nmonitor_http_dropped_clients_total 0\n"), "{text}");
    let request = Request::get("/metrics/monitor").header(header::ACCEPT, "application/openmetrics-text");
    let open = ask(&router, request.body(Body::empty()).unwrap()).await;
    assert!(open.body.ends_with(b"# EOF\n"));
}
