//! OpenTelemetry: metrics by its protocol (OTLP), over gRPC or HTTP.
//! <https://opentelemetry.io/docs/specs/otlp/>
//!
//! A container is a resource. Of it are written the metrics of the semantic conventions ([`conventions`]) and, in a namespace
//! of their own, those of the catalogue ([`own`]). All sums and histograms are cumulative.

mod conventions;
mod own;
mod parts;
mod proto;

use bytes::{Buf as _, Bytes};
use futures_util::future::BoxFuture;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use jiff::Timestamp;
use prost::Message as _;

use self::{
    parts::{count, parts},
    proto::{
        Any, AnyValue, ArrayValue, ExportMetricsServiceRequest, ExportMetricsServiceResponse,
        InstrumentationScope, KeyValue, Metric, Resource, ResourceMetrics, ScopeMetrics,
    },
};
use super::{
    Batch, Deliver, Encode, Export, Failure, Taken, Then,
    grpc::{self, Caller},
    http::{Address, Answer, Client, Credentials, SecretHeaders, connector},
    rows::{Row, Subject, rows},
};
use crate::{
    credentials::Trust,
    model::{Container, Host},
};

/// Where to write.
#[derive(Clone, Debug)]
pub struct Otlp {
    /// The server; of HTTP the whole address.
    pub address: Address,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// What is sent along.
    pub headers: SecretHeaders,
}

/// Ways to speak OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC.
    Grpc,
    /// Protobuf in HTTP requests.
    Http,
}

/// Data points in one request at most. gRPC servers take 4 MiB by default, and a distribution has less than a kilobyte.
const REQUEST_POINTS: usize = 4000;
const METHOD: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
/// What the instrumentation and the service are called.
const SCOPE: &str = "monitor";

impl Otlp {
    /// The side that makes requests, with these attributes in every resource.
    #[expect(clippy::unused_self, reason = "as its siblings have it")]
    pub(super) fn encoder(&self, labels: &[(String, String)]) -> Box<dyn Encode> {
        Box::new(Requests {
            attributes: labels.iter().map(|(name, value)| text(name, value)).collect(),
            since: Timestamp::now(),
        })
    }

    /// The side that sends them.
    pub(super) fn deliverer(self, trust: &Trust) -> Box<dyn Deliver> {
        match self.protocol {
            Protocol::Grpc => {
                let connector = connector(trust, &self.address, true);
                Box::new(GrpcWriter { caller: Caller::new(&self.address, connector, self.headers) })
            }
            Protocol::Http => {
                let connector = connector(trust, &self.address, false);
                let own = [
                    (CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf")),
                    (CONTENT_ENCODING, HeaderValue::from_static("gzip")),
                ];
                // A name that stands for more than one header comes once, and then without a name.
                let given = self.headers.0.iter().map(|(name, value)| (name.clone(), value.clone()));
                let headers = given.chain(own);
                let client = Client::new(connector, self.address.uri(), &Credentials::None, headers);
                Box::new(HttpWriter { client })
            }
        }
    }
}

struct Requests {
    attributes: Vec<KeyValue>,
    /// When we began: since then distributions of what was there before are summed up.
    since: Timestamp,
}

impl Encode for Requests {
    fn encode(&mut self, export: &Export<'_>) -> Vec<Batch> {
        let mut batches = Vec::new();
        let mut resources = Vec::new();
        let mut points = 0;
        for resource in self.resources(export).into_iter().flat_map(|one| parts(one, REQUEST_POINTS)) {
            let more = count(&resource);
            if points > 0 && points + more > REQUEST_POINTS {
                batches.push(batch(std::mem::take(&mut resources), std::mem::take(&mut points)));
            }
            points += more;
            resources.push(resource);
        }
        if points > 0 {
            batches.push(batch(resources, points));
        }
        batches
    }
}

impl Requests {
    /// One of each container and cgroup, and one of the machine with all that is its own.
    fn resources(&self, export: &Export<'_>) -> Vec<ResourceMetrics> {
        let host = &export.snapshot.host;
        let mut resources = Vec::new();
        let mut of_host = Vec::new();
        for row in rows(export) {
            let metrics = own::metrics(&row, export, self.since);
            match row.subject {
                Subject::Container(container) => {
                    let mut all = conventions::metrics(container, export.snapshot.taken_at);
                    all.extend(metrics);
                    resources.push(self.resource(container_attributes(container, &row, host), all));
                }
                Subject::Cgroup(cgroup) => {
                    let path = cgroup.cgroup.path.as_deref().unwrap_or_default();
                    let mut attributes = host_attributes(host);
                    attributes.push(text("monitor.cgroup.path", path));
                    resources.push(self.resource(attributes, metrics));
                }
                Subject::Host | Subject::Disk | Subject::Filesystem | Subject::Interface | Subject::Agent => {
                    of_host.extend(metrics);
                }
            }
        }
        resources.push(self.resource(host_attributes(host), own::merged(of_host)));
        resources
    }

    fn resource(&self, mut attributes: Vec<KeyValue>, metrics: Vec<Metric>) -> ResourceMetrics {
        let added = self.attributes.iter().filter(|added| attributes.iter().all(|own| own.key != added.key));
        let added: Vec<KeyValue> = added.cloned().collect();
        attributes.extend(added);
        let scope =
            InstrumentationScope { name: SCOPE.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
        ResourceMetrics {
            resource: Some(Resource { attributes }),
            scope_metrics: vec![ScopeMetrics { scope: Some(scope), metrics }],
        }
    }
}

/// <https://opentelemetry.io/docs/specs/semconv/resource/container/>
fn container_attributes(container: &Container, row: &Row<'_>, host: &Host) -> Vec<KeyValue> {
    let mut attributes = host_attributes(host);
    attributes.push(text("container.id", &container.id));
    attributes.push(text("container.runtime.name", &container.runtime));
    if let Some(name) = &container.name {
        attributes.push(text("container.name", name));
    }
    if let Some(image) = &container.image {
        let (name, tag) = split_image(image);
        attributes.push(text("container.image.name", name));
        if let Some(tag) = tag {
            attributes.push(texts("container.image.tags", &[tag]));
        }
    }
    if let Some(pod) = &container.pod {
        let told = [("k8s.pod.name", &pod.name), ("k8s.namespace.name", &pod.namespace)];
        attributes.push(text("k8s.pod.uid", &pod.uid));
        attributes.extend(told.iter().filter_map(|(key, value)| Some(text(key, value.as_deref()?))));
        if let Some(name) = &container.name {
            attributes.push(text("k8s.container.name", name));
        }
    }
    let labels = row.tags.iter().filter(|(name, _)| name.starts_with("label_"));
    attributes.extend(labels.map(|(name, value)| text(name, value)));
    attributes
}

fn host_attributes(host: &Host) -> Vec<KeyValue> {
    vec![
        text("host.name", &host.hostname),
        text("os.type", "linux"),
        text("os.version", &host.kernel_release),
        text("service.name", SCOPE),
    ]
}

/// `registry:5000/name:tag@digest` → the name with its registry, and the tag.
fn split_image(image: &str) -> (&str, Option<&str>) {
    let image = image.split_once('@').map_or(image, |(image, _digest)| image);
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (image, None),
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(Any::Text(value.to_owned())) };
    KeyValue { key: key.to_owned(), value: Some(value) }
}

fn texts(key: &str, values: &[&str]) -> KeyValue {
    let one = |value: &&str| AnyValue { value: Some(Any::Text((*value).to_owned())) };
    let array = ArrayValue { values: values.iter().map(one).collect() };
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(Any::Array(array)) }) }
}

/// As it is sent by gRPC; HTTP compresses it.
fn batch(resource_metrics: Vec<ResourceMetrics>, points: usize) -> Batch {
    let request = ExportMetricsServiceRequest { resource_metrics };
    Batch { bytes: Bytes::from(request.encode_to_vec()), samples: u64::try_from(points).unwrap_or(u64::MAX) }
}

/// What a server says that it did not take of a request that it took.
fn taken(response: &ExportMetricsServiceResponse) -> Taken {
    let Some(partial) = &response.partial_success else { return Taken::default() };
    let refused = u64::try_from(partial.rejected_data_points).unwrap_or_default();
    let why = (refused > 0 || !partial.error_message.is_empty())
        .then(|| format!("{refused} data points were refused: {}", partial.error_message));
    Taken { refused, why: why.filter(|_| refused > 0) }
}

struct GrpcWriter {
    caller: Caller,
}

impl Deliver for GrpcWriter {
    fn deliver<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Taken, Failure>> {
        Box::pin(async move {
            let answer = self.caller.call(METHOD, batch.bytes.clone()).await?;
            Ok(answer_of(answer))
        })
    }
}

struct HttpWriter {
    client: Client,
}

impl Deliver for HttpWriter {
    fn deliver<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Taken, Failure>> {
        Box::pin(async move {
            let answer = self.client.post(packed(&batch.bytes)).await?;
            if answer.status.is_success() { Ok(answer_of(answer.body)) } else { Err(judge(&answer)) }
        })
    }
}

fn packed(bytes: &Bytes) -> Bytes {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    // Writing to a vector cannot fail.
    let _ = packed.write_all(bytes.chunk());
    Bytes::from(packed.finish().unwrap_or_default())
}

/// What stands in an answer that went well. One that cannot be read went well all the same.
pub(super) fn answer_of(body: Bytes) -> Taken {
    ExportMetricsServiceResponse::decode(body).map_or_else(|_invalid| Taken::default(), |said| taken(&said))
}

/// What a refusal by HTTP means: the specification lists the statuses after which to try again.
pub(super) fn judge(answer: &Answer) -> Failure {
    let (then, advice) = match answer.status.as_u16() {
        429 | 502..=504 => (Then::Retry(answer.retry_after), ""),
        401 | 403 => (Then::GiveUp, "check --otlp-headers-file"),
        404 | 405 => {
            (Then::GiveUp, "give the whole address as --otlp-url, most often with /v1/metrics at its end")
        }
        _ => (Then::GiveUp, ""),
    };
    // The body is a protobuf message, if anything.
    let status = grpc::message(&answer.body);
    Answer { body: status.map_or_else(|| answer.body.clone(), Bytes::from), ..answer.clone() }
        .failure(then, advice)
}

#[cfg(test)]
mod tests;
