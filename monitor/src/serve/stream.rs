//! Server-sent events: what is published, to those who keep listening.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Response, header},
    response::IntoResponse,
};
use bytes::Bytes;
use futures_util::stream::unfold;
use jiff::Timestamp;
use tokio::time::timeout;

use super::{
    api::{Served, encode, encode_in, wants_event},
    fields::Fields,
    hub::{NumberedEvent, Subscription},
    problem::{self, Problem},
    query::{self, Query},
};
use crate::model::Snapshot;

/// With nothing to say for so long, a line says that the connection is alive.
const SILENCE: Duration = Duration::from_secs(15);
/// What a client sends when it connects again: the last id that it had.
const LAST_EVENT_ID: &str = "last-event-id";

type Answer = Result<Response<Body>, Problem>;

/// Every snapshot.
pub(super) async fn snapshots(State(served): State<Arc<Served>>, query: Query, headers: HeaderMap) -> Answer {
    query.check(query::OF_STREAM)?;
    let fields = query.one("fields").map(Fields::parse).transpose()?;
    let subscription = served.hub.subscribe(last_id::<Timestamp>(&headers)?);
    Ok(stream(subscription, move |snapshot: &Arc<Snapshot>| {
        let json = match &fields {
            Some(fields) => encode(&fields.of(snapshot, &query)).into(),
            None if query.is_empty() => served.snapshot.get(snapshot, |room| encode_in(room, &**snapshot)),
            None => encode(&only(snapshot, &query)).into(),
        };
        Some((snapshot.taken_at.to_string(), json))
    }))
}

/// Every event.
pub(super) async fn events(State(served): State<Arc<Served>>, query: Query, headers: HeaderMap) -> Answer {
    query.check(query::OF_EVENT_STREAM)?;
    let subscription = served.hub.subscribe_to_events(last_id(&headers)?);
    Ok(stream(subscription, move |one: &Arc<NumberedEvent>| {
        wants_event(&query, &one.event).then(|| (one.number.to_string(), encode(&one.event).into()))
    }))
}

/// A snapshot with the containers that are asked for, and no other cgroups.
fn only(snapshot: &Snapshot, query: &Query) -> Snapshot {
    let wanted = snapshot.containers.iter().filter(|one| query.wants(&one.id, one.name.as_deref()));
    Snapshot {
        schema_version: snapshot.schema_version,
        taken_at: snapshot.taken_at,
        window_ns: snapshot.window_ns,
        host: snapshot.host.clone(),
        containers: wanted.cloned().collect(),
        cgroups: Vec::new(),
        audit: snapshot.audit.clone(),
        coverage: snapshot.coverage.clone(),
    }
}

fn last_id<T: std::str::FromStr>(headers: &HeaderMap) -> Result<Option<T>, Problem> {
    let Some(given) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let parsed = given.to_str().ok().and_then(|given| given.parse().ok());
    parsed.map(Some).ok_or_else(|| {
        Problem::new(problem::BAD_PARAMETER, "Last-Event-ID is no id of an event that this stream has sent")
    })
}

/// What a stream is made of: first what was there, then what comes, each as the bytes that are ready to be sent.
struct Sending<T, F> {
    subscription: Subscription<T>,
    encode: F,
    ready: VecDeque<Bytes>,
}

/// An answer without end. `encode` makes an id and a line of data of what is to be sent.
fn stream<T, F>(subscription: Subscription<T>, encode: F) -> Response<Body>
where
    T: Send + Sync + 'static,
    F: Fn(&Arc<T>) -> Option<(String, Bytes)> + Send + 'static,
{
    let sending = Sending { subscription, encode, ready: VecDeque::new() };
    let bytes = unfold(sending, |mut sending| async {
        let next = sending.next().await?;
        Some((Ok::<_, Infallible>(next), sending))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    (headers, Body::from_stream(bytes)).into_response()
}

impl<T, F: Fn(&Arc<T>) -> Option<(String, Bytes)>> Sending<T, F> {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some(bytes);
            }
            let thing = match self.subscription.earlier.pop_front() {
                Some(earlier) => earlier,
                None => match timeout(SILENCE, self.subscription.next.recv()).await {
                    Ok(next) => next?,
                    Err(_elapsed) => return Some(Bytes::from_static(b":\n\n")),
                },
            };
            if let Some((id, data)) = (self.encode)(&thing) {
                self.ready.push_back(Bytes::from(format!("id: {id}\ndata: ")));
                self.ready.push_back(data);
                self.ready.push_back(Bytes::from_static(b"\n\n"));
            }
        }
    }
}
