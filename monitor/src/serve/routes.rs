//! What is served where, and the bounds that every request keeps to.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    middleware::{self, Next},
    response::IntoResponse,
    routing::get,
};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use tower_http::compression::CompressionLayer;

use super::{
    cache::Cache,
    hub::Hub,
    problem::{self, Problem},
};
use crate::model::{CgroupEntry, Container, ContainerState, Host, Snapshot};

/// How long an answer may take to begin, the reading of the request's body included.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Bytes of a request's body at most.
pub const BODY: usize = 64 << 10;
/// A snapshot older than this, and than three windows, means that the tick hangs.
const FRESH: SignedDuration = SignedDuration::from_secs(10);

/// What handlers share.
#[derive(Debug)]
pub struct Served {
    hub: Hub,
    snapshot: Cache,
    containers: Cache,
    cgroups: Cache,
}

/// A list or an object of one snapshot.
#[derive(Debug, Serialize, JsonSchema)]
struct Of<T> {
    /// The version of the schema, as in a snapshot.
    schema_version: u32,
    /// The end of the window that rates and latencies are over.
    taken_at: Timestamp,
    /// Its length.
    window_ns: u64,
    /// What was asked for.
    #[serde(flatten)]
    asked: T,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Containers<'a> {
    /// Containers that run, and those that ended a short while ago.
    containers: &'a [Container],
}

#[derive(Debug, Serialize, JsonSchema)]
struct OneContainer<'a> {
    /// The container.
    container: &'a Container,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Cgroups<'a> {
    /// Cgroups that are no container's.
    cgroups: &'a [CgroupEntry],
}

#[derive(Debug, Serialize, JsonSchema)]
struct OneHost<'a> {
    /// The machine.
    host: &'a Host,
}

/// Everything that is served, within bounds. `more` are the routes of other subjects, which get the same bounds.
pub fn router(hub: Hub, more: Router) -> Router {
    let served = Served {
        hub: hub.clone(),
        snapshot: Cache::default(),
        containers: Cache::default(),
        cgroups: Cache::default(),
    };
    Router::new()
        .route("/healthz", get(health))
        .route("/api/v1/snapshot", get(snapshot))
        .route("/api/v1/containers", get(containers))
        .route("/api/v1/containers/{container}", get(container))
        .route("/api/v1/cgroups", get(cgroups))
        .route("/api/v1/host", get(host))
        .with_state(Arc::new(served))
        .merge(more)
        .fallback(|request: Request| async move {
            Problem::new(problem::NO_SUCH_PATH, format!("nothing is served at {}", request.uri().path()))
        })
        .method_not_allowed_fallback(|request: Request| async move {
            Problem::new(problem::BAD_METHOD, format!("{} is not for this path", request.method()))
        })
        .layer(DefaultBodyLimit::max(BODY))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn_with_state(hub, bound))
}

/// Ends what takes too long, refuses what is too large, and counts.
async fn bound(State(hub): State<Hub>, request: Request, next: Next) -> Response<Body> {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let response = if length.is_some_and(|length| length > BODY as u64) {
        Problem::new(problem::LARGE_BODY, format!("a body may have {BODY} bytes")).into_response()
    } else {
        tokio::time::timeout(ANSWER_WITHIN, next.run(request)).await.unwrap_or_else(|_elapsed| {
            Problem::new(problem::SLOW_REQUEST, "the answer took too long").into_response()
        })
    };
    hub.figures().count(response.status());
    response
}

impl Served {
    fn latest(&self) -> Result<Arc<Snapshot>, Problem> {
        self.hub.latest().ok_or_else(|| Problem::new(problem::NOT_READY, "nothing was measured yet"))
    }
}

type Answer = Result<Response<Body>, Problem>;

/// 200 as long as snapshots come.
async fn health(State(served): State<Arc<Served>>) -> Result<&'static str, Problem> {
    let snapshot = served.latest()?;
    let age = Timestamp::now().duration_since(snapshot.taken_at);
    let window = SignedDuration::from_nanos(i64::try_from(snapshot.window_ns).unwrap_or(i64::MAX));
    if age > FRESH.max(window.saturating_mul(3)) {
        return Err(Problem::new(problem::NOT_READY, format!("the last snapshot is {age:#} old")));
    }
    Ok("ok")
}

async fn snapshot(State(served): State<Arc<Served>>, headers: HeaderMap) -> Answer {
    let latest = served.latest()?;
    Ok(answer(&latest, &headers, || served.snapshot.get(&latest, encode)))
}

async fn containers(State(served): State<Arc<Served>>, headers: HeaderMap) -> Answer {
    let latest = served.latest()?;
    let list = |snapshot: &Snapshot| encode(&of(snapshot, Containers { containers: &snapshot.containers }));
    Ok(answer(&latest, &headers, || served.containers.get(&latest, list)))
}

async fn container(
    State(served): State<Arc<Served>>,
    Path(wanted): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let latest = served.latest()?;
    let container = find(&latest.containers, &wanted)?;
    Ok(answer(&latest, &headers, || encode(&of(&latest, OneContainer { container })).into()))
}

async fn cgroups(State(served): State<Arc<Served>>, headers: HeaderMap) -> Answer {
    let latest = served.latest()?;
    let list = |snapshot: &Snapshot| encode(&of(snapshot, Cgroups { cgroups: &snapshot.cgroups }));
    Ok(answer(&latest, &headers, || served.cgroups.get(&latest, list)))
}

async fn host(State(served): State<Arc<Served>>, headers: HeaderMap) -> Answer {
    let latest = served.latest()?;
    Ok(answer(&latest, &headers, || encode(&of(&latest, OneHost { host: &latest.host })).into()))
}

fn of<T>(snapshot: &Snapshot, asked: T) -> Of<T> {
    let Snapshot { schema_version, taken_at, window_ns, .. } = *snapshot;
    Of { schema_version, taken_at, window_ns, asked }
}

/// The container of this id or name, or whose id alone begins so. Of several with one name, the one that has not ended.
pub fn find<'s>(containers: &'s [Container], wanted: &str) -> Result<&'s Container, Problem> {
    let is_named = |container: &&Container| container.name.as_deref() == Some(wanted);
    let has_not_ended = |container: &&Container| container.state != ContainerState::Exited;
    let one = |found: Vec<&'s Container>| match found[..] {
        [] => None,
        [one] => Some(Ok(one)),
        _ => Some(Err(Problem::new(
            problem::AMBIGUOUS_CONTAINER,
            format!("{} containers are called {wanted}: say more of the id", found.len()),
        ))),
    };
    if let Some(exact) = containers.iter().find(|container| container.id == wanted) {
        return Ok(exact);
    }
    one(containers.iter().filter(is_named).filter(has_not_ended).collect())
        .or_else(|| one(containers.iter().filter(is_named).collect()))
        .or_else(|| one(containers.iter().filter(|container| container.id.starts_with(wanted)).collect()))
        .unwrap_or_else(|| {
            let detail = format!("no container is called {wanted}: /api/v1/containers has all");
            Err(Problem::new(problem::NO_SUCH_CONTAINER, detail))
        })
}

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // It cannot fail: every map has string keys and nothing in a snapshot refuses to be serialized.
    serde_json::to_vec(value).unwrap_or_default()
}

/// JSON made of a snapshot; not made where the client has it already.
fn answer(snapshot: &Snapshot, asked: &HeaderMap, make: impl FnOnce() -> Bytes) -> Response<Body> {
    // Weak: one form may come compressed, another not.
    let tag = format!("W/\"{}\"", snapshot.taken_at.as_nanosecond());
    let has_it = asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|tags| tags.to_str().ok())
        .flat_map(|tags| tags.split(','))
        .any(|one| one.trim() == tag || one.trim() == "*");
    let mut response = if has_it {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(make()));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests;
