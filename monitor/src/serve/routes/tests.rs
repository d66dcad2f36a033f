use axum::http::Request;
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;

use super::*;
use crate::serve::{
    hub,
    testing::{container, snapshot as made_up},
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
