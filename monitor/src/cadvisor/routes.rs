//! Paths of cAdvisor's interfaces and what is answered there.

mod v1;
mod v2;

use std::{collections::HashMap, convert::Infallible, future::ready, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{MethodRouter, get},
};
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;

use super::{
    events::Wanted,
    frame::Subject,
    history::{Cadvisor, History},
    pages,
    render::Variant,
    request::{Parameters, Refusal, by_path, cgroup_path},
};
use crate::output::prometheus::Form;

/// A version of the REST API. Each has what those before it have, in its own generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    V1_0,
    V1_1,
    V1_2,
    V1_3,
    V2_0,
    V2_1,
}

const VERSIONS: [(&str, Version); 6] = [
    ("v1.0", Version::V1_0),
    ("v1.1", Version::V1_1),
    ("v1.2", Version::V1_2),
    ("v1.3", Version::V1_3),
    ("v2.0", Version::V2_0),
    ("v2.1", Version::V2_1),
];

/// What a handler is given.
struct Request {
    version: Version,
    cadvisor: Arc<Cadvisor>,
    history: History,
    /// What follows the type, without slashes at its ends.
    name: String,
    parameters: Parameters,
    body: Bytes,
}

type Answer = Result<Response, Refusal>;

/// cAdvisor's paths, but for `/metrics` and `/healthz`, which are monitor's own.
pub fn router(cadvisor: Arc<Cadvisor>) -> Router {
    let mut router = Router::new()
        .route("/metrics/cadvisor", get(metrics))
        .route("/validate", get(pages::validate))
        .route("/validate/", get(pages::validate))
        .route("/api", get(|| ready(no_version())))
        .route("/api/", get(|| ready(no_version())));
    for page in ["/containers", "/docker", "/podman"] {
        router = router
            .route(page, get(|| async { Redirect::temporary("/") }))
            .route(&format!("{page}/"), get(|| async { Redirect::temporary("/") }))
            .route(
                &format!("{page}/{{*rest}}"),
                get(move |State(cadvisor): State<Arc<Cadvisor>>, Path(rest): Path<String>| {
                    ready(pages::redirect(&cadvisor, page, &rest))
                }),
            );
    }
    for (path, version) in VERSIONS {
        router = router
            .route(&format!("/api/{path}"), get(move || ready(no_type(version))))
            .route(&format!("/api/{path}/"), get(move || ready(no_type(version))))
            .route(&format!("/api/{path}/{{*rest}}"), versioned(version));
    }
    router.with_state(cadvisor)
}

fn versioned(version: Version) -> MethodRouter<Arc<Cadvisor>> {
    let handle = move |State(cadvisor): State<Arc<Cadvisor>>,
                       Path(rest): Path<String>,
                       Query(parameters): Query<HashMap<String, String>>,
                       body: Bytes| async move {
        let (wanted, name) = rest.split_once('/').unwrap_or((&rest, ""));
        let Some(history) = cadvisor.history() else { return Refusal::NotReady.into_response() };
        let request = Request {
            version,
            cadvisor,
            history,
            name: name.trim_matches('/').to_owned(),
            parameters: Parameters(parameters),
            body,
        };
        let answered = if wanted == "ps" && version >= Version::V2_0 {
            v2::processes(&request).await
        } else {
            answer(wanted, &request)
        };
        answered.unwrap_or_else(IntoResponse::into_response)
    };
    get(handle).post(handle)
}

fn no_version() -> Response {
    let versions = VERSIONS.map(|(path, _)| path).join(",");
    plain(StatusCode::BAD_REQUEST, format!("Supported API versions: {versions}"))
}

fn no_type(version: Version) -> Response {
    plain(StatusCode::BAD_REQUEST, format!("Supported request types: {}", types(version).join(",")))
}

fn plain(status: StatusCode, text: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text + "\n").into_response()
}

/// What can be asked for.
fn types(version: Version) -> Vec<&'static str> {
    let since = |first: Version, names: &'static [&'static str]| {
        if version >= first { names } else { &[] }.iter().copied()
    };
    if version >= Version::V2_0 {
        let both = [
            "appmetrics",
            "attributes",
            "events",
            "machine",
            "ps",
            "spec",
            "stats",
            "storage",
            "summary",
            "version",
        ];
        return both.into_iter().chain(since(Version::V2_1, &["machinestats"])).collect();
    }
    ["containers", "machine"]
        .into_iter()
        .chain(since(Version::V1_1, &["subcontainers"]))
        .chain(since(Version::V1_2, &["docker"]))
        .chain(since(Version::V1_3, &["events"]))
        .collect()
}

fn answer(wanted: &str, request: &Request) -> Answer {
    if !types(request.version).contains(&wanted) {
        return Err(Refusal::UnknownType(wanted.chars().take(100).collect()));
    }
    match wanted {
        "machine" => {
            let machine = request.cadvisor.machine();
            json(&super::machine::machine_info(&machine, &request.history.latest.snapshot))
        }
        "events" => events(request),
        _ if request.version >= Version::V2_0 => v2::answer(wanted, request),
        _ => v1::answer(wanted, request),
    }
}

async fn metrics(
    State(cadvisor): State<Arc<Cadvisor>>,
    Query(parameters): Query<HashMap<String, String>>,
) -> Answer {
    let parameters = Parameters(parameters);
    let variant = Variant {
        form: Form::Text,
        kinds: parameters.kinds()?,
        with_timestamps: parameters.flag("timestamps")?,
    };
    let latest = cadvisor.latest().ok_or(Refusal::NotReady)?;
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((content_type, cadvisor.text(&latest, variant)).into_response())
}

fn events(request: &Request) -> Answer {
    let wanted = Wanted::read(cgroup_path(&request.name), &request.parameters)?;
    let log = &request.cadvisor.events;
    if !request.parameters.flag("stream")? {
        return json(&log.find(&wanted));
    }
    // One who reads too slowly is at his end with the first event that was not kept for him.
    let stream = stream::unfold((log.follow(), wanted), |(mut follower, wanted)| async move {
        loop {
            match follower.recv().await {
                Ok(event) if wanted.has(&event) => {
                    let mut line = serde_json::to_vec(&event).ok()?;
                    line.push(b'\n');
                    return Some((Ok::<_, Infallible>(Bytes::from(line)), (follower, wanted)));
                }
                Ok(_) => {}
                Err(RecvError::Lagged(_) | RecvError::Closed) => return None,
            }
        }
    });
    let mut response = json_body(Body::from_stream(stream));
    // Compressed, an event would wait for those after it.
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    Ok(response)
}

fn json<T: Serialize>(value: &T) -> Answer {
    Ok(json_body(Body::from(serde_json::to_vec(value).map_err(Refusal::Encode)?)))
}

fn json_body(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// How the answers for several containers are put together.
#[derive(Clone, Copy)]
enum Shape {
    /// An array.
    List,
    /// An object by the paths of cgroups.
    Map,
}

/// The answers for several containers, each made when the client has taken those before it: together they may be large.
fn several<T: Serialize>(
    request: &Request,
    subjects: &[Subject<'_>],
    shape: Shape,
    make: impl Fn(&History, &Subject<'_>) -> T + Send + 'static,
) -> Response {
    let (open, close) = match shape {
        Shape::List => ("[", "]"),
        Shape::Map => ("{", "}"),
    };
    let history = request.history.clone();
    let paths: Vec<String> = subjects.iter().map(|subject| subject.path.to_owned()).collect();
    let items = paths.into_iter().enumerate().map(move |(index, path)| {
        let subject = history.latest.find(&path);
        let value = subject.and_then(|subject| serde_json::to_string(&make(&history, &subject)).ok());
        let value = value.unwrap_or_else(|| "null".to_owned());
        let comma = if index > 0 { "," } else { "" };
        match shape {
            Shape::List => format!("{comma}{value}"),
            Shape::Map => format!("{comma}{}:{value}", serde_json::Value::from(path)),
        }
    });
    let chunks = std::iter::once(open.to_owned()).chain(items).chain([close.to_owned()]);
    json_body(Body::from_stream(stream::iter(chunks.map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk))))))
}

/// The cgroup that a request names by its path, and where it wants them those below.
fn with_nested(request: &Request, is_recursive: bool) -> Result<Vec<Subject<'_>>, Refusal> {
    let frame = &request.history.latest;
    let subject = by_path(frame, &cgroup_path(&request.name))?;
    let below = frame.below(subject.path).filter(|below| is_recursive && !below.has_ended());
    Ok(std::iter::once(subject).chain(below).collect())
}

#[cfg(test)]
mod tests;
