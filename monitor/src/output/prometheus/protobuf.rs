//! Prometheus' protobuf format: the same families as in the text, and native histograms, which the text cannot have.
//!
//! It is made of the text, which others append to as well, so that there is one place where families are written.
//!
//! <https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto>

use std::{borrow::Cow, collections::HashMap};

use prost::Message;

use super::read::{Line, Sample, lines, parse_series};

/// `MetricType`.
mod kind {
    pub(super) const COUNTER: i32 = 0;
    pub(super) const GAUGE: i32 = 1;
    pub(super) const UNTYPED: i32 = 3;
    pub(super) const HISTOGRAM: i32 = 4;
}

#[derive(Clone, PartialEq, Message)]
struct MetricFamily {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    help: Option<String>,
    #[prost(int32, optional, tag = "3")]
    kind: Option<i32>,
    #[prost(message, repeated, tag = "4")]
    metric: Vec<Metric>,
}

#[derive(Clone, PartialEq, Message)]
struct Metric {
    #[prost(message, repeated, tag = "1")]
    label: Vec<LabelPair>,
    #[prost(message, optional, tag = "2")]
    gauge: Option<Number>,
    #[prost(message, optional, tag = "3")]
    counter: Option<Number>,
    #[prost(message, optional, tag = "5")]
    untyped: Option<Number>,
    #[prost(message, optional, tag = "7")]
    histogram: Option<Histogram>,
    #[prost(int64, optional, tag = "6")]
    timestamp_ms: Option<i64>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct LabelPair {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    value: Option<String>,
}

/// `Gauge`, `Counter` and `Untyped`, which look the same.
#[derive(Clone, Copy, PartialEq, Message)]
struct Number {
    #[prost(double, optional, tag = "1")]
    value: Option<f64>,
}

/// `Histogram`: classic buckets, native ones, or both.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Histogram {
    #[prost(uint64, optional, tag = "1")]
    pub(super) sample_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub(super) sample_sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    pub(super) bucket: Vec<Bucket>,
    #[prost(sint32, optional, tag = "5")]
    pub(super) schema: Option<i32>,
    #[prost(double, optional, tag = "6")]
    pub(super) zero_threshold: Option<f64>,
    #[prost(uint64, optional, tag = "7")]
    pub(super) zero_count: Option<u64>,
    #[prost(message, repeated, tag = "12")]
    pub(super) positive_span: Vec<BucketSpan>,
    #[prost(sint64, repeated, packed = "false", tag = "13")]
    pub(super) positive_delta: Vec<i64>,
}

/// A classic bucket.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Bucket {
    #[prost(uint64, optional, tag = "1")]
    cumulative_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    upper_bound: Option<f64>,
}

/// Native buckets without a gap between them.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(super) struct BucketSpan {
    #[prost(sint32, optional, tag = "1")]
    pub(super) offset: Option<i32>,
    #[prost(uint32, optional, tag = "2")]
    pub(super) length: Option<u32>,
}

/// Native histograms by their series: the name and the labels as in the text.
pub(super) type Natives = HashMap<String, Histogram>;

/// Families in Prometheus' text format, each as a message with its length before it. A histogram that is among the native ones
/// has those buckets too.
pub(super) fn encode(text: &str, mut natives: Natives) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 2);
    let mut family = MetricFamily::default();
    for line in lines(text) {
        match line {
            Line::Type { family: name, kind } => {
                family.turn_to(name, &mut out);
                family.kind = Some(kind_named(kind));
            }
            Line::Help { family: name, help } => {
                family.turn_to(name, &mut out);
                family.help = Some(help.into_owned());
            }
            Line::Sample(sample) => family.add(&sample, &mut natives),
        }
    }
    put(&family, &mut out);
    out
}

fn put(family: &MetricFamily, out: &mut Vec<u8>) {
    if !family.metric.is_empty() {
        // It cannot fail: a vector has room.
        let _ = family.encode_length_delimited(out);
    }
}

fn kind_named(name: &str) -> i32 {
    match name {
        "counter" => kind::COUNTER,
        "gauge" => kind::GAUGE,
        "histogram" => kind::HISTOGRAM,
        _ => kind::UNTYPED,
    }
}

impl MetricFamily {
    /// Begins another family, unless it is the same, and writes the one before.
    fn turn_to(&mut self, name: &str, out: &mut Vec<u8>) {
        if self.name.as_deref() != Some(name) {
            put(&std::mem::take(self), out);
            self.name = Some(name.to_owned());
        }
    }

    fn add(&mut self, sample: &Sample<'_>, natives: &mut Natives) {
        let label = labels(sample);
        if self.kind == Some(kind::HISTOGRAM) {
            return self.add_to_histogram(sample, label, natives);
        }
        let number = Some(Number { value: Some(sample.value) });
        let mut metric = Metric { label, timestamp_ms: sample.timestamp_ms, ..Metric::default() };
        match self.kind {
            Some(kind::COUNTER) => metric.counter = number,
            Some(kind::GAUGE) => metric.gauge = number,
            _ => metric.untyped = number,
        }
        self.metric.push(metric);
    }

    /// The lines of one histogram stand together, its count last.
    fn add_to_histogram(&mut self, sample: &Sample<'_>, mut label: Vec<LabelPair>, natives: &mut Natives) {
        let name = self.name.as_deref().unwrap_or_default();
        let bound = label.iter().position(|label| label.name.as_deref() == Some("le"));
        let bound = bound.map(|place| label.remove(place).value.unwrap_or_default());
        if self.metric.last().is_none_or(|last| last.label != label) {
            self.metric.push(Metric { label, histogram: Some(Histogram::default()), ..Metric::default() });
        }
        let Some(histogram) = self.metric.last_mut().and_then(|last| last.histogram.as_mut()) else { return };
        match sample.name().strip_prefix(name) {
            Some("_bucket") => histogram.bucket.push(Bucket {
                cumulative_count: Some(whole(sample.value)),
                upper_bound: bound.and_then(|bound| bound.parse().ok()),
            }),
            Some("_sum") => histogram.sample_sum = Some(sample.value),
            Some("_count") => {
                histogram.sample_count = Some(whole(sample.value));
                if let Some(native) = natives.remove(&series(name, sample.written_labels())) {
                    let bucket = std::mem::take(&mut histogram.bucket);
                    *histogram = Histogram { bucket, ..native };
                }
            }
            _ => {}
        }
    }
}

/// How a series is named among the native histograms.
pub(super) fn series(name: &str, labels: &str) -> String {
    format!("{name}{{{labels}}}")
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count, which was written as an integer"
)]
fn whole(value: f64) -> u64 {
    value as u64
}

fn labels(sample: &Sample<'_>) -> Vec<LabelPair> {
    let (_, labels) = parse_series(sample.series);
    let pair = |(name, value): (&str, Cow<'_, str>)| LabelPair {
        name: Some(name.to_owned()),
        value: Some(value.into_owned()),
    };
    labels.into_iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str, natives: Natives) -> Vec<MetricFamily> {
        let bytes = encode(text, natives);
        let mut rest = bytes.as_slice();
        let mut families = Vec::new();
        while !rest.is_empty() {
            families.push(MetricFamily::decode_length_delimited(&mut rest).unwrap());
        }
        families
    }

    fn label(name: &str, value: &str) -> LabelPair {
        LabelPair { name: Some(name.to_owned()), value: Some(value.to_owned()) }
    }

    #[test]
    fn families_are_those_of_the_text() {
        let text = "# TYPE a_total counter\n# HELP a_total A \\\"b\\\" \\\\ c.\na_total 1.5\n\
                    a_total{x=\"1,}\\\"\",none=\"\",y=\"\\n\\\\\"} +Inf\n\
                    # HELP b B.\n# TYPE b gauge\nb{} -1 17\n# TYPE none gauge\n# HELP none N.\n";
        let families = decoded(text, Natives::new());
        assert_eq!(families.len(), 2, "{families:?}");
        let [a, b] = families.try_into().unwrap();
        assert_eq!(a.help.as_deref(), Some("A \"b\" \\ c."));
        assert_eq!((a.name.as_deref(), a.kind), (Some("a_total"), Some(kind::COUNTER)));
        let values: Vec<_> = a.metric.iter().map(|metric| metric.counter.unwrap().value.unwrap()).collect();
        assert_eq!(values, [1.5, f64::INFINITY]);
        assert_eq!(a.metric[1].label, [label("x", "1,}\""), label("y", "\n\\")]);
        assert_eq!(b.metric[0].gauge, Some(Number { value: Some(-1.0) }));
        assert_eq!((b.metric[0].timestamp_ms, b.help.as_deref()), (Some(17), Some("B.")));
    }

    #[test]
    fn histograms_have_both_kinds_of_buckets() {
        let text = "# TYPE h histogram\nh_bucket{a=\"1\",le=\"0.5\"} 2\nh_bucket{a=\"1\",le=\"+Inf\"} 3\nh_sum{a=\"1\"} 4.5\n\
                    h_count{a=\"1\"} 3\nh_bucket{a=\"2\",le=\"+Inf\"} 0\nh_count{a=\"2\"} 0\n";
        let native = Histogram { sample_count: Some(3), schema: Some(5), ..Histogram::default() };
        let natives = Natives::from([(series("h", "a=\"1\""), native)]);
        let families = decoded(text, natives);
        let [first, second] = &families[0].metric[..] else { panic!("{families:?}") };
        let histogram = first.histogram.clone().unwrap();
        assert_eq!((histogram.schema, histogram.sample_count), (Some(5), Some(3)));
        assert_eq!(
            histogram.bucket,
            [(2, 0.5), (3, f64::INFINITY)]
                .map(|(count, bound)| Bucket { cumulative_count: Some(count), upper_bound: Some(bound) })
        );
        assert_eq!(first.label, [label("a", "1")]);
        assert_eq!(second.histogram.as_ref().unwrap().schema, None);
    }
}
