//! Promises of what answers requests: [`crate::fuzzing`].
#![expect(clippy::unwrap_used, reason = "what is made up here is sound, and what is not is to be found")]

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, Response, StatusCode, header},
};
use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::runtime::Runtime;

use super::{
    access::{Access, Rules, guarded},
    hub::{self, Hub, Publisher},
    metrics,
    past::{self, Past},
    problem, routes,
};
use crate::{
    history::{History, Resolution, Resolutions},
    model::testing::{container, snapshot},
    output::prometheus::Selection,
};

/// Answers requests, one after the other.
pub(crate) struct Server {
    runtime: Runtime,
    router: TowerToHyperService<Router>,
}

/// The first seconds of two containers.
const SECONDS: std::ops::Range<i64> = 1_800_000_000..1_800_000_090;

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    Server::new(|hub, publisher| {
        let resolutions = ["1s=10m", "10s=2h"].iter().map(|one| one.parse::<Resolution>().unwrap()).collect();
        let mut history = History::new(&Resolutions::new(resolutions).unwrap(), 16 << 20);
        for second in SECONDS {
            let mut one = container("ab12");
            one.measurements.cpu.usage_ns_total = Some(second.unsigned_abs());
            one.measurements.cpu.usage_cores = Some(0.5);
            history.push(&snapshot(second, vec![one, container("cd34")]));
        }
        publisher.publish(snapshot(SECONDS.end, vec![container("ab12"), container("cd34")]));
        let more = past::routes(Some(Past::new(history, hub.clone()))).merge(metrics::routes(
            hub.clone(),
            Selection::default(),
            Vec::new(),
            Vec::new(),
        ));
        let access = Arc::new(Access::open(Rules::default()).unwrap());
        guarded(routes::router(hub.clone(), more), access, hub)
    })
});

/// A request of HTTP/1.1 as a client sends it, but for the version.
pub(crate) fn request(input: &[u8]) {
    let Some(answer) = SERVER.answer(input) else { return };
    assert_ne!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR, "{answer:?}");
    if answer.status().is_client_error() {
        assert_eq!(answer.headers()[header::CONTENT_TYPE], problem::MEDIA_TYPE);
    }
}

impl Server {
    /// Over what is published while it is made.
    pub(crate) fn new(make: impl FnOnce(Hub, &mut Publisher) -> Router) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (mut publisher, inlet) = hub::open();
        let router = make(inlet.hub(), &mut publisher);
        drop(publisher);
        // To its end: nobody publishes any more.
        runtime.block_on(inlet.distribute());
        Self { runtime, router: TowerToHyperService::new(router) }
    }

    /// The answer to a request; `None` where a client could not send it. Where the body is JSON and ends, it is whole.
    pub(crate) fn answer(&self, input: &[u8]) -> Option<Response<()>> {
        let request = parse(input)?;
        self.runtime.block_on(async {
            let answered = tokio::time::timeout(Duration::from_secs(20), self.router.call(request)).await;
            let (head, body) = answered.expect("an answer begins in time").unwrap().into_parts();
            let whole: Option<Bytes> = body.collect().now_or_never().map(|body| body.unwrap().to_bytes());
            let is_json = head.headers.get(header::CONTENT_TYPE).is_some_and(|kind| {
                let kind = kind.to_str().unwrap();
                kind.starts_with("application/") && kind.ends_with("json")
            });
            let is_packed =
                head.headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
            let has_body = whole.as_ref().is_some_and(|body| !body.is_empty());
            if is_json && !is_packed && has_body {
                let body = whole.unwrap_or_default();
                let mut values =
                    serde_json::Deserializer::from_slice(&body).into_iter::<serde::de::IgnoredAny>();
                assert!(values.all(|value| value.is_ok()), "{head:?} has no JSON: {}", body.escape_ascii());
            }
            Some(Response::from_parts(head, ()))
        })
    }
}

/// A line with a method and a target, headers, and behind an empty line a body.
fn parse(input: &[u8]) -> Option<Request<Body>> {
    let end = input.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((input, &[][..]), |end| (&input[..end], &input[end + 2..]));
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next()?;
    let space = first.iter().position(|byte| *byte == b' ')?;
    let mut request = Request::builder().method(&first[..space]).uri(&first[space + 1..]);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        request = request.header(&line[..colon], line[colon + 1..].trim_ascii());
    }
    request.body(Body::from(body.to_vec())).ok()
}
