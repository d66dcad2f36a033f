//! Prometheus' remote write 1.0: what a scrape of `/metrics/monitor` would have got, pushed.
//! <https://prometheus.io/docs/specs/prw/remote_write_spec/>
//!
//! The series are read off the page that is served, so that they are the same to the letter.

use std::{borrow::Cow, collections::HashSet, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use prost::Message;

use super::{
    Batch, Deliver, Encode, Export, Failure, Taken, Then,
    http::{Address, Answer, Client, Credentials, connector},
};
use crate::{
    credentials::Trust,
    output::prometheus::{
        self, Exposition, Form,
        read::{Line, lines, parse_series},
    },
};

/// Where to write.
#[derive(Clone, Debug)]
pub struct RemoteWrite {
    /// The whole address.
    pub address: Address,
    /// Who writes.
    pub credentials: Credentials,
}

/// Samples in one request, as Prometheus' own default.
const REQUEST_SAMPLES: usize = 2000;
/// How often it is told what families are: as often as Prometheus does.
const METADATA_INTERVAL: Duration = Duration::from_mins(1);
/// The number that says that a series has ended: one of the many that are none (`value.StaleNaN` of Prometheus).
const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

impl RemoteWrite {
    /// The side that makes requests, with these labels in every series.
    #[expect(clippy::unused_self, reason = "as its siblings have it")]
    pub(super) fn encoder(&self, labels: &[(String, String)]) -> Box<dyn Encode> {
        let labels = labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Box::new(Requests { labels, written: HashSet::new(), described: None })
    }

    /// The side that sends them.
    pub(super) fn deliverer(self, trust: &Trust) -> Box<dyn Deliver> {
        let connector = connector(trust, &self.address, false);
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf")),
            (CONTENT_ENCODING, HeaderValue::from_static("snappy")),
            (HeaderName::from_static("x-prometheus-remote-write-version"), HeaderValue::from_static("0.1.0")),
        ];
        Box::new(Writer { client: Client::new(connector, self.address.uri(), &self.credentials, headers) })
    }
}

/// The published `WriteRequest`, as far as it is used:
/// <https://github.com/prometheus/prometheus/blob/v2.53.0/prompb/remote.proto>.
#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
    #[prost(message, repeated, tag = "3")]
    metadata: Vec<MetricMetadata>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct MetricMetadata {
    #[prost(enumeration = "MetricType", tag = "1")]
    kind: i32,
    #[prost(string, tag = "2")]
    metric_family_name: String,
    #[prost(string, tag = "4")]
    help: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
enum MetricType {
    Unknown = 0,
    Counter = 1,
    Gauge = 2,
    Histogram = 3,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<PairOfTexts>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

/// A `Label`.
#[derive(Clone, PartialEq, Eq, Message)]
struct PairOfTexts {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    /// Milliseconds since 1970.
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

struct Requests {
    labels: Vec<(String, String)>,
    /// The series of the last export as the page has them, `name{labels}`.
    written: HashSet<String>,
    /// When families were described last.
    described: Option<Timestamp>,
}

impl Encode for Requests {
    fn encode(&mut self, export: &Export<'_>) -> Vec<Batch> {
        let Export { snapshot, totals, selection } = export;
        let timestamp = snapshot.taken_at.as_millisecond();
        let mut page = Exposition::new(Form::Text);
        prometheus::encode(snapshot, totals, selection, &mut page);

        let mut ended = std::mem::take(&mut self.written);
        let (mut all, mut described) = (Vec::new(), Vec::new());
        let mut kind = MetricType::Unknown;
        for line in lines(page.text()) {
            match line {
                Line::Type { kind: named, .. } => kind = kind_named(named),
                Line::Help { family, help } => described.push(MetricMetadata {
                    kind: kind.into(),
                    metric_family_name: family.to_owned(),
                    help: help.into_owned(),
                }),
                Line::Sample(prometheus::read::Sample { series, value, .. }) => {
                    ended.remove(series);
                    all.push(self.series(series, Sample { value, timestamp }));
                    self.written.insert(series.to_owned());
                }
            }
        }
        // A container has left: without this its last values would be shown for five minutes more.
        all.extend(ended.iter().map(|series| self.series(series, Sample { value: STALE, timestamp })));
        let mut all = all.into_iter().peekable();
        let mut batches = self.describe(described, snapshot.taken_at);
        while all.peek().is_some() {
            let timeseries = all.by_ref().take(REQUEST_SAMPLES).collect();
            batches.push(batch(&WriteRequest { timeseries, metadata: Vec::new() }));
        }
        batches
    }
}

impl Requests {
    /// What families are, where it is time to tell.
    fn describe(&mut self, metadata: Vec<MetricMetadata>, now: Timestamp) -> Vec<Batch> {
        let interval = SignedDuration::try_from(METADATA_INTERVAL).unwrap_or(SignedDuration::MAX);
        if self.described.is_some_and(|last| now.duration_since(last) < interval) {
            return Vec::new();
        }
        self.described = Some(now);
        vec![batch(&WriteRequest { timeseries: Vec::new(), metadata })]
    }

    /// A series with its labels in the order of their names, each once: what a series says itself goes first.
    fn series(&self, series: &str, sample: Sample) -> TimeSeries {
        let (name, own) = parse_series(series);
        let added = self
            .labels
            .iter()
            .filter(|(name, value)| !value.is_empty() && own.iter().all(|(own, _)| own != name));
        let added = added.map(|(name, value)| PairOfTexts { name: name.clone(), value: value.clone() });
        let pair = |(name, value): (&str, Cow<'_, str>)| PairOfTexts {
            name: name.to_owned(),
            value: value.into_owned(),
        };
        let mut labels: Vec<PairOfTexts> = vec![pair(("__name__", name.into()))];
        labels.extend(added);
        labels.extend(own.into_iter().map(pair));
        labels.sort_by(|one, other| one.name.cmp(&other.name));
        TimeSeries { labels, samples: vec![sample] }
    }
}

/// How a family behaves, by what the text calls it.
fn kind_named(name: &str) -> MetricType {
    match name {
        "counter" => MetricType::Counter,
        "gauge" => MetricType::Gauge,
        "histogram" => MetricType::Histogram,
        _ => MetricType::Unknown,
    }
}

fn batch(request: &WriteRequest) -> Batch {
    let samples = u64::try_from(request.timeseries.len()).unwrap_or(u64::MAX);
    let plain = request.encode_to_vec();
    // It fails only of more than 4 GiB.
    let packed = snap::raw::Encoder::new().compress_vec(&plain).unwrap_or_default();
    Batch { bytes: Bytes::from(packed), samples }
}

struct Writer {
    client: Client,
}

impl Deliver for Writer {
    fn deliver<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Taken, Failure>> {
        Box::pin(async move { judge(&self.client.post(batch.bytes.clone()).await?) })
    }
}

/// What an answer means, by the specification: servers' errors are tried again, clients' never are, but for 429.
pub(super) fn judge(answer: &Answer) -> Result<Taken, Failure> {
    let later = Then::Retry(answer.retry_after);
    let (then, advice) = match answer.status.as_u16() {
        200..=299 => return Ok(Taken::default()),
        429 | 500..=599 => (later, ""),
        300..=399 => (Then::GiveUp, "give the address that it leads to as --remote-write-url"),
        401 | 403 => (
            Then::GiveUp,
            "check --remote-write-token-file, or --remote-write-user and --remote-write-password-file",
        ),
        404 | 405 => (
            Then::GiveUp,
            "check the path in --remote-write-url; Prometheus takes samples where it was started with --web.enable-remote-write-receiver",
        ),
        _ => (Then::GiveUp, ""),
    };
    Err(answer.failure(then, advice))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::{
        model::{
            Container, Snapshot,
            testing::{container, snapshot},
        },
        output::prometheus::{Selection, Totals},
    };

    fn decoded(batches: &[Batch]) -> Vec<TimeSeries> {
        let mut all = Vec::new();
        for batch in batches {
            let plain = snap::raw::Decoder::new().decompress_vec(&batch.bytes).unwrap();
            let request = WriteRequest::decode(&plain[..]).unwrap();
            assert_eq!(request.timeseries.len() as u64, batch.samples);
            assert!(request.timeseries.len() <= REQUEST_SAMPLES);
            all.extend(request.timeseries);
        }
        all
    }

    fn encode(requests: &mut dyn Encode, snapshot: &Snapshot) -> Vec<TimeSeries> {
        let export = Export { snapshot, totals: &Totals::default(), selection: &Selection::default() };
        decoded(&requests.encode(&export))
    }

    fn switches(id: &str) -> Container {
        let mut one = container(id);
        one.name = Some("we\"b\\".to_owned());
        one.measurements.scheduler.voluntary_switches_total = Some(7);
        one.measurements.memory.limit_bytes = Some(-1);
        one
    }

    fn requests() -> Box<dyn Encode> {
        let address = Address::parse("http://h:1/w").unwrap();
        let labels = [("job", "monitor"), ("image", "never"), ("empty", "")];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        RemoteWrite { address, credentials: Credentials::None }.encoder(&labels)
    }

    fn named<'s>(series: &'s [TimeSeries], name: &str) -> Vec<&'s TimeSeries> {
        series.iter().filter(|one| one.labels.iter().any(|label| label.value == name)).collect()
    }

    #[test]
    fn series_are_those_of_a_scrape_with_sorted_labels() {
        let series = encode(requests().as_mut(), &snapshot(3, vec![switches("a")]));
        let found = named(&series, "monitor_container_scheduler_voluntary_switches_total");
        let labels: Vec<(&str, &str)> =
            found[0].labels.iter().map(|label| (label.name.as_str(), label.value.as_str())).collect();
        assert_eq!(
            labels,
            [
                ("__name__", "monitor_container_scheduler_voluntary_switches_total"),
                ("id", "a"),
                ("image", "busybox:latest"),
                ("job", "monitor"),
                ("name", "we\"b\\"),
            ]
        );
        assert_eq!(found[0].samples, [Sample { value: 7.0, timestamp: 3000 }]);
        let limit = named(&series, "monitor_container_memory_limit_bytes");
        assert!(limit[0].samples[0].value.is_infinite());
    }

    #[test]
    fn a_container_that_left_is_marked_stale_once() {
        let mut requests = requests();
        let all = || vec![switches("a"), switches("b")];
        let both = encode(requests.as_mut(), &snapshot(3, all()));
        assert_eq!(named(&both, "b").len(), 3, "switches, limit, info");
        let left = encode(requests.as_mut(), &snapshot(4, vec![switches("a")]));
        let stale = named(&left, "b");
        assert_eq!(stale.len(), 3);
        assert!(stale.iter().all(|one| one.samples[0].value.to_bits() == STALE.to_bits()));
        assert!(named(&left, "a").iter().all(|one| !one.samples[0].value.is_nan()));
        assert!(named(&encode(requests.as_mut(), &snapshot(5, vec![])), "b").is_empty());
    }

    #[test]
    fn families_are_described_once_a_minute() {
        let mut requests = requests();
        let mut described = |second| {
            let snapshot = snapshot(second, vec![switches("a")]);
            let export =
                Export { snapshot: &snapshot, totals: &Totals::default(), selection: &Selection::default() };
            let first = requests.encode(&export).swap_remove(0);
            let plain = snap::raw::Decoder::new().decompress_vec(&first.bytes).unwrap();
            WriteRequest::decode(&plain[..]).unwrap().metadata
        };
        let first = described(0);
        let name = "monitor_container_scheduler_voluntary_switches_total";
        let of = first.iter().find(|one| one.metric_family_name == name).unwrap();
        assert_eq!(of.kind(), MetricType::Counter);
        assert!(of.help.starts_with("Switches away from a task"), "{}", of.help);
        assert!(described(59).is_empty() && !described(60).is_empty());
    }

    #[test]
    fn many_series_are_several_requests() {
        let many = (0..1500).map(|number| switches(&number.to_string())).collect();
        let series = encode(requests().as_mut(), &snapshot(3, many));
        assert!(series.len() > 2 * REQUEST_SAMPLES);
    }

    #[test]
    fn clients_errors_are_never_tried_again() {
        let then = |status| {
            let answer = Answer { status, ..Answer::default() };
            judge(&answer).map_err(|failure| failure.then)
        };
        assert_eq!(then(StatusCode::NO_CONTENT), Ok(Taken::default()));
        for refused in [400, 401, 404, 409, 413] {
            let status = StatusCode::from_u16(refused).unwrap();
            assert_eq!(then(status), Err(Then::GiveUp), "{refused}");
        }
        for later in [429, 500, 503] {
            let status = StatusCode::from_u16(later).unwrap();
            assert_eq!(then(status), Err(Then::Retry(None)), "{later}");
        }
    }
}
