//! `/api/v1`: parts of the latest snapshot as JSON, what was and what comes. Each endpoint is declared once, for the router
//! and for the `OpenAPI` document.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
    routing::{MethodRouter, get},
};
use bytes::Bytes;
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use super::{
    cache::Cache,
    hub::Hub,
    openapi,
    problem::{self, Kind, Problem},
    query::{self, Parameter, Query, page},
    stream,
};
use crate::model::{
    CgroupEntry, Container, ContainerState, Event, Host, Interference, Snapshot, latest_runs,
};

/// What handlers share.
#[derive(Debug)]
pub struct Served {
    pub(super) hub: Hub,
    pub(super) snapshot: Cache,
    containers: Cache,
}

/// Something that is served.
pub struct Endpoint<S = Served> {
    /// Its path, with parameters in braces.
    pub path: &'static str,
    /// What it has, in a sentence.
    pub summary: &'static str,
    /// What can be asked for behind the `?`.
    pub parameters: &'static [Parameter],
    /// The media type of the answer.
    pub media: &'static str,
    /// The schema of the answer, or of one line of data in it.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// What can go wrong, but for what can with every request.
    pub problems: &'static [Kind],
    pub(super) handler: fn() -> MethodRouter<Arc<S>>,
}

pub(super) const JSON: &str = "application/json";
const LINES: &str = "text/event-stream";

/// All of them.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: "/healthz",
        summary: "Whether snapshots come.",
        parameters: &[],
        media: "text/plain",
        schema: SchemaGenerator::subschema_for::<&str>,
        problems: &[problem::NOT_READY],
        handler: || get(health),
    },
    Endpoint {
        path: "/api/v1/snapshot",
        summary: "The latest snapshot whole.",
        parameters: &[],
        media: JSON,
        schema: SchemaGenerator::subschema_for::<Snapshot>,
        problems: &[problem::NOT_READY],
        handler: || get(snapshot),
    },
    Endpoint {
        path: "/api/v1/containers",
        summary: "Containers that run, and those that ended a short while ago, by id.",
        parameters: query::OF_CONTAINERS,
        media: JSON,
        schema: SchemaGenerator::subschema_for::<ContainerList<'_>>,
        problems: &[problem::NOT_READY, problem::BAD_PARAMETER],
        handler: || get(containers),
    },
    Endpoint {
        path: "/api/v1/containers/{container}",
        summary: "One container, by name, id or the beginning of its id.",
        parameters: &[],
        media: JSON,
        schema: SchemaGenerator::subschema_for::<OneContainer<'_>>,
        problems: &[problem::NOT_READY, problem::NO_SUCH_CONTAINER, problem::AMBIGUOUS_CONTAINER],
        handler: || get(container),
    },
    Endpoint {
        path: "/api/v1/cgroups",
        summary: "Cgroups that are no container's, by id.",
        parameters: query::OF_CGROUPS,
        media: JSON,
        schema: SchemaGenerator::subschema_for::<CgroupList<'_>>,
        problems: &[problem::NOT_READY, problem::BAD_PARAMETER],
        handler: || get(cgroups),
    },
    Endpoint {
        path: "/api/v1/host",
        summary: "The machine.",
        parameters: &[],
        media: JSON,
        schema: SchemaGenerator::subschema_for::<TheHost<'_>>,
        problems: &[problem::NOT_READY],
        handler: || get(host),
    },
    Endpoint {
        path: "/api/v1/interference",
        summary: "Who kept containers from a CPU: those that waited, the longest in this window first.",
        parameters: query::CONTAINERS,
        media: JSON,
        schema: SchemaGenerator::subschema_for::<InterferenceList<'_>>,
        problems: &[problem::NOT_READY, problem::BAD_PARAMETER],
        handler: || get(interference),
    },
    Endpoint {
        path: "/api/v1/events",
        summary: "What happened: the last events, the oldest first. What is of a container as a whole, its start, its end, kills and \
                  quotas that run out, is kept longer than what is of its processes.",
        parameters: query::OF_EVENTS,
        media: JSON,
        schema: SchemaGenerator::subschema_for::<EventList<'_>>,
        problems: &[problem::BAD_PARAMETER],
        handler: || get(events),
    },
    Endpoint {
        path: "/api/v1/events/stream",
        summary: "What happens, as server-sent events: an event as JSON each, its number as the id. With `Last-Event-ID`, those \
                  after that one first.",
        parameters: query::OF_EVENT_STREAM,
        media: LINES,
        schema: SchemaGenerator::subschema_for::<Event>,
        problems: &[problem::BAD_PARAMETER],
        handler: || get(stream::events),
    },
    Endpoint {
        path: "/api/v1/stream",
        summary: "Every snapshot, as server-sent events, the time of the snapshot as the id: the latest, then those to come. With \
                  `Last-Event-ID`, the kept ones after that one first.",
        parameters: query::OF_STREAM,
        media: LINES,
        schema: SchemaGenerator::subschema_for::<Snapshot>,
        problems: &[problem::BAD_PARAMETER],
        handler: || get(stream::snapshots),
    },
    Endpoint {
        path: "/api/v1/openapi.json",
        summary: "This document.",
        parameters: &[],
        media: JSON,
        schema: SchemaGenerator::subschema_for::<serde_json::Value>,
        problems: &[],
        handler: || get(|| async { ([(header::CONTENT_TYPE, JSON)], openapi::document()) }),
    },
];

/// When what stands beside it was measured.
#[derive(Debug, Serialize, JsonSchema)]
struct Measured {
    /// The version of the schema, as in a snapshot.
    schema_version: u32,
    /// The end of the window that rates and latencies are over.
    taken_at: Timestamp,
    /// Its length.
    window_ns: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ContainerList<'a> {
    #[serde(flatten)]
    measured: Measured,
    /// Containers, sorted by id.
    containers: Vec<&'a Container>,
    /// The id to ask for more `after`; `null` where there are none.
    next: Option<&'a str>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OneContainer<'a> {
    #[serde(flatten)]
    measured: Measured,
    /// The container.
    container: &'a Container,
}

#[derive(Debug, Serialize, JsonSchema)]
struct CgroupList<'a> {
    #[serde(flatten)]
    measured: Measured,
    /// Cgroups, sorted by id.
    cgroups: Vec<&'a CgroupEntry>,
    /// The id to ask for more `after`; `null` where there are none.
    next: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TheHost<'a> {
    #[serde(flatten)]
    measured: Measured,
    /// The machine.
    host: &'a Host,
}

#[derive(Debug, Serialize, JsonSchema)]
struct InterferenceList<'a> {
    #[serde(flatten)]
    measured: Measured,
    /// Those that waited.
    containers: Vec<Victim<'a>>,
}

/// A container that waited for a CPU, and for whom.
#[derive(Debug, Serialize, JsonSchema)]
struct Victim<'a> {
    /// Its id.
    id: &'a str,
    /// Its name.
    name: Option<&'a str>,
    /// How long it waited in all, since it is counted.
    runq_wait_ns_total: Option<u64>,
    /// Growth of the parts together over the window.
    wait_ns_per_second: f64,
    /// Whom or what it waited for.
    interference: &'a [Interference],
}

#[derive(Debug, Serialize, JsonSchema)]
struct EventList<'a> {
    /// Events, in the order in which they became known.
    events: Vec<Numbered<'a>>,
    /// The number to ask for more `after`, now or later; `null` where nothing has happened yet.
    next: Option<u64>,
}

/// An event and its number.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Numbered<'a> {
    /// Counted from 1 since the server's start.
    number: u64,
    /// What happened.
    #[serde(flatten)]
    event: &'a Event,
}

impl Served {
    pub(super) fn new(hub: Hub) -> Self {
        Self { hub, snapshot: Cache::default(), containers: Cache::default() }
    }

    fn latest(&self) -> Result<Arc<Snapshot>, Problem> {
        self.hub.latest().ok_or_else(|| Problem::new(problem::NOT_READY, "nothing was measured yet"))
    }
}

type Asked = State<Arc<Served>>;
type Answer = Result<Response<Body>, Problem>;

/// 200 as long as snapshots come.
async fn health(State(served): Asked) -> Result<&'static str, Problem> {
    let snapshot = served.latest()?;
    if served.hub.is_fed(Duration::from_nanos(snapshot.window_ns)) {
        return Ok("ok");
    }
    Err(Problem::new(problem::NOT_READY, format!("no snapshot has come since {}", snapshot.taken_at)))
}

async fn snapshot(State(served): Asked, query: Query, headers: HeaderMap) -> Answer {
    query.check(&[])?;
    let latest = served.latest()?;
    Ok(answer(&latest, &headers, || served.snapshot.get(&latest, |room| encode_in(room, &*latest))))
}

async fn containers(State(served): Asked, query: Query, headers: HeaderMap) -> Answer {
    query.check(query::OF_CONTAINERS)?;
    let latest = served.latest()?;
    let list = |room: Vec<u8>| {
        let is_after = |one: &&Container| query.one("after").is_none_or(|after| one.id.as_str() > after);
        let mut list: Vec<&Container> =
            latest.containers.iter().filter(|one| query.lists(one)).filter(is_after).collect();
        list.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        let (containers, next) = page(list, query.number("limit"), |one| one.id.as_str());
        encode_in(room, &ContainerList { measured: measured(&latest), containers, next })
    };
    Ok(answer(&latest, &headers, || {
        if query.is_empty() { served.containers.get(&latest, list) } else { list(Vec::new()).into() }
    }))
}

async fn container(
    State(served): Asked,
    Path(wanted): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Answer {
    query.check(&[])?;
    let latest = served.latest()?;
    let container = find(&latest.containers, &wanted)?;
    let one = || encode(&OneContainer { measured: measured(&latest), container });
    Ok(answer(&latest, &headers, || one().into()))
}

async fn cgroups(State(served): Asked, query: Query, headers: HeaderMap) -> Answer {
    query.check(query::OF_CGROUPS)?;
    let latest = served.latest()?;
    let list = || {
        let after = query.number("after");
        let is_after = |one: &&CgroupEntry| after.is_none_or(|after| one.cgroup.id > after);
        let mut list: Vec<&CgroupEntry> =
            latest.cgroups.iter().filter(|one| query.lists_cgroup(one)).filter(is_after).collect();
        list.sort_unstable_by_key(|one| one.cgroup.id);
        let (cgroups, next) = page(list, query.number("limit"), |one| one.cgroup.id);
        encode(&CgroupList { measured: measured(&latest), cgroups, next })
    };
    Ok(answer(&latest, &headers, || list().into()))
}

async fn host(State(served): Asked, query: Query, headers: HeaderMap) -> Answer {
    query.check(&[])?;
    let latest = served.latest()?;
    let host = || encode(&TheHost { measured: measured(&latest), host: &latest.host });
    Ok(answer(&latest, &headers, || host().into()))
}

async fn interference(State(served): Asked, query: Query, headers: HeaderMap) -> Answer {
    query.check(query::CONTAINERS)?;
    let latest = served.latest()?;
    let list = || {
        let wanted = latest.containers.iter().filter(|one| query.wants(&one.id, one.name.as_deref()));
        let mut containers: Vec<Victim<'_>> = wanted.filter_map(victim).collect();
        containers.sort_by(|one, other| other.wait_ns_per_second.total_cmp(&one.wait_ns_per_second));
        encode(&InterferenceList { measured: measured(&latest), containers })
    };
    Ok(answer(&latest, &headers, || list().into()))
}

fn victim(container: &Container) -> Option<Victim<'_>> {
    let interference = container.measurements.interference.as_deref()?;
    Some(Victim {
        id: &container.id,
        name: container.name.as_deref(),
        runq_wait_ns_total: container.measurements.scheduler.runq_wait_ns_total,
        wait_ns_per_second: interference.iter().filter_map(|part| part.wait_ns_per_second).sum(),
        interference,
    })
}

async fn events(State(served): Asked, query: Query) -> Answer {
    query.check(query::OF_EVENTS)?;
    let kept = served.hub.events();
    let after = query.number("after").unwrap_or(0);
    let wanted = kept.iter().filter(|one| one.number > after && wants_event(&query, &one.event));
    let list = wanted.map(|one| Numbered { number: one.number, event: &one.event }).collect();
    let (events, next) = page(list, query.number("limit"), |one| one.number);
    // Where nothing is left out, what comes next comes after all that there is, whether it was asked for or not.
    let next = next.or(kept.back().map(|last| last.number));
    let list = encode(&EventList { events, next });
    Ok(([(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "no-cache")], list).into_response())
}

/// Whether an event is asked for by [`query::OF_EVENTS`].
pub(super) fn wants_event(query: &Query, event: &Event) -> bool {
    let mut kinds = query.all("kind").peekable();
    let is_of_kind = kinds.peek().is_none() || kinds.any(|kind| kind == event.what.kind());
    let is_of_container = query.one("container").is_none()
        || event
            .container
            .as_ref()
            .is_some_and(|container| query.wants(&container.id, container.name.as_deref()));
    is_of_kind && is_of_container
}

fn measured(snapshot: &Snapshot) -> Measured {
    let Snapshot { schema_version, taken_at, window_ns, .. } = *snapshot;
    Measured { schema_version, taken_at, window_ns }
}

/// The container of this id or name, or whose id alone begins so. Of several with one name, the one that has not ended; of several
/// runs of one, the latest.
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
    let every = || latest_runs(containers).map(|(_, container)| container);
    if let Some(exact) = every().find(|container| container.id == wanted) {
        return Ok(exact);
    }
    one(every().filter(is_named).filter(has_not_ended).collect())
        .or_else(|| one(every().filter(is_named).collect()))
        .or_else(|| one(every().filter(|container| container.id.starts_with(wanted)).collect()))
        .unwrap_or_else(|| {
            let detail = format!("no container is called {wanted}: /api/v1/containers has all");
            Err(Problem::new(problem::NO_SUCH_CONTAINER, detail))
        })
}

pub(super) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    encode_in(Vec::new(), value)
}

/// The same in an empty vector that has room.
pub(super) fn encode_in<T: Serialize>(mut room: Vec<u8>, value: &T) -> Vec<u8> {
    // It cannot fail: every map has string keys and nothing in a snapshot refuses to be serialized.
    let _ = serde_json::to_writer(&mut room, value);
    room
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
        ([(header::CONTENT_TYPE, JSON)], Body::from(make())).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}
