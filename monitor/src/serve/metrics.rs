//! `/metrics`: the latest snapshot as Prometheus reads it, encoded once however many scrape.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Response, header},
    routing::get,
};

use super::{
    cache::Cache,
    hub::{Figures, Hub},
    problem::{self, Problem},
};
use crate::{
    model::Snapshot,
    output::prometheus::{self, Exposition, Family, Form, Kind, Number, Selection},
};

/// Appends families of another subject, such as cAdvisor's.
pub type Encode = Box<dyn Fn(&Arc<Snapshot>, &mut Exposition) + Send + Sync>;

/// What handlers share.
struct Exporter {
    hub: Hub,
    selection: Selection,
    own: Vec<Encode>,
    others: Vec<Encode>,
    ours: Pages,
    all: Pages,
}

/// One for each form.
#[derive(Debug, Default)]
struct Pages {
    text: Cache,
    open_metrics: Cache,
    protobuf: Cache,
}

/// `/metrics` has everything, `/metrics/monitor` only what is ours: `monitor_*`, of which `own` appends more.
pub fn routes(hub: Hub, selection: Selection, own: Vec<Encode>, others: Vec<Encode>) -> Router {
    let exporter = Exporter { hub, selection, own, others, ours: Pages::default(), all: Pages::default() };
    Router::new()
        .route("/metrics", get(all))
        .route("/metrics/monitor", get(ours))
        .with_state(Arc::new(exporter))
}

async fn all(State(exporter): State<Arc<Exporter>>, headers: HeaderMap) -> Result<Response<Body>, Problem> {
    exporter.answer(&headers, &exporter.all, &exporter.others)
}

async fn ours(State(exporter): State<Arc<Exporter>>, headers: HeaderMap) -> Result<Response<Body>, Problem> {
    exporter.answer(&headers, &exporter.ours, &[])
}

impl Exporter {
    fn answer(&self, asked: &HeaderMap, pages: &Pages, others: &[Encode]) -> Result<Response<Body>, Problem> {
        let Some(latest) = self.hub.latest() else {
            return Err(Problem::new(problem::NOT_READY, "nothing was measured yet"));
        };
        let form = form(asked);
        let page = pages.get(form).get(&latest, |room| self.encode(&latest, form, others, room));
        let mut response = Response::new(Body::from(page));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form.media_type()));
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        Ok(response)
    }

    fn encode(&self, snapshot: &Arc<Snapshot>, form: Form, others: &[Encode], room: Vec<u8>) -> Vec<u8> {
        let mut out = Exposition::within(form, room);
        prometheus::encode(snapshot, &self.hub.totals(), &self.selection, &mut out);
        put_figures(self.hub.figures(), self.hub.subscribers(), &mut out);
        for encode in self.own.iter().chain(others) {
            encode(snapshot, &mut out);
        }
        out.finish()
    }
}

impl Pages {
    fn get(&self, form: Form) -> &Cache {
        match form {
            Form::Text => &self.text,
            Form::OpenMetrics => &self.open_metrics,
            Form::Protobuf => &self.protobuf,
        }
    }
}

/// The form that a request asks for.
#[must_use]
pub fn form(asked: &HeaderMap) -> Form {
    let accept = asked.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    Form::accepted(accept.unwrap_or_default())
}

/// What the server counts of itself.
fn put_figures(figures: &Figures, subscribers: usize, out: &mut Exposition) {
    let Figures {
        connections,
        accepted_connections_total,
        refused_connections_total,
        dropped_streams_total,
        dropped_clients_total,
        requests_total,
        refused_requests_total,
        failed_requests_total,
    } = figures;
    let mut put = |name, kind, help, value: Number| {
        out.family(&Family { name, kind, unit: "", help }, |samples| samples.put("", value));
    };
    let now = |figure: &AtomicU64| Number::Integer(figure.load(Ordering::Relaxed).into());
    put("monitor_http_connections", Kind::Gauge, "Connections open now.", now(connections));
    let streams = i128::try_from(subscribers).unwrap_or(i128::MAX);
    put("monitor_http_streams", Kind::Gauge, "Clients that are streamed to now.", Number::Integer(streams));
    for (name, help, figure) in [
        ("monitor_http_accepted_connections", "Connections accepted.", accepted_connections_total),
        (
            "monitor_http_refused_connections",
            "Connections closed at once because there were too many.",
            refused_connections_total,
        ),
        (
            "monitor_http_dropped_streams",
            "Streams ended because their client had not taken what came before.",
            dropped_streams_total,
        ),
        (
            "monitor_http_dropped_clients",
            "Connections closed because their client read nothing for a while.",
            dropped_clients_total,
        ),
        ("monitor_http_requests", "Requests answered.", requests_total),
        (
            "monitor_http_refused_requests",
            "Requests answered with an error of the client's (4xx).",
            refused_requests_total,
        ),
        (
            "monitor_http_failed_requests",
            "Requests answered with an error of ours (5xx).",
            failed_requests_total,
        ),
    ] {
        put(name, Kind::Counter, help, now(figure));
    }
}
