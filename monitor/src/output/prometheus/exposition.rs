//! The text that Prometheus reads: families of samples, in its own format or in `OpenMetrics`.

use std::fmt::Write as _;

use super::{
    number::{Number, put_number},
    protobuf::{self, Histogram, Natives},
};
use crate::output::escape::put_visible;

/// Which of the formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Prometheus' own, version 0.0.4.
    Text,
    /// `OpenMetrics` 1.0.
    OpenMetrics,
    /// Prometheus' messages, in which histograms have native buckets too.
    Protobuf,
}

const PROTOBUF: &str = "application/vnd.google.protobuf";

impl Form {
    /// The media type, as in a `Content-Type`.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }

    /// What an `Accept` header asks for; without one, Prometheus' own.
    #[must_use]
    pub fn accepted(accept: &str) -> Self {
        let quality_of = |wanted: &str, parameters: &[&str]| {
            let ranges = accept.split(',').map(|range| range.split(';').map(str::trim));
            let qualities = ranges.filter_map(|mut parts| {
                (parts.next()? == wanted).then_some(())?;
                let given: Vec<&str> = parts.collect();
                parameters.iter().all(|wanted| given.contains(wanted)).then_some(())?;
                let quality = given.iter().find_map(|part| part.strip_prefix("q=")?.parse::<f64>().ok());
                Some(quality.unwrap_or(1.0))
            });
            qualities.fold(0.0, f64::max)
        };
        let text = quality_of("text/plain", &[]);
        let open_metrics = quality_of("application/openmetrics-text", &[]);
        let message = ["proto=io.prometheus.client.MetricFamily", "encoding=delimited"];
        let protobuf = quality_of(PROTOBUF, &message);
        if protobuf > 0.0 && protobuf >= open_metrics.max(text) {
            Self::Protobuf
        } else if open_metrics > 0.0 && open_metrics >= text {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }
}

/// How a family behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows; its samples end in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Has buckets.
    Histogram,
    /// Is 1; what it says is in its labels, and its samples end in `_info`.
    Info,
}

/// A family's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family<'a> {
    /// Its name, without `_total` or `_info`.
    pub name: &'a str,
    /// How it behaves.
    pub kind: Kind,
    /// The unit that the name ends in; empty without one.
    pub unit: &'a str,
    /// What it means.
    pub help: &'a str,
}

/// Families as they are written.
#[derive(Debug)]
pub struct Exposition {
    form: Form,
    text: String,
    natives: Natives,
}

/// The samples of one family as they are written.
pub struct Samples<'e> {
    text: &'e mut String,
    /// Where native histograms go, in the format that has them.
    natives: Option<&'e mut Natives>,
    name: &'e str,
    suffix: &'static str,
}

impl Exposition {
    /// Nothing yet.
    #[must_use]
    pub fn new(form: Form) -> Self {
        Self::within(form, Vec::new())
    }

    /// Nothing yet, to be written into an empty vector that has room.
    #[must_use]
    pub fn within(form: Form, room: Vec<u8>) -> Self {
        Self { form, text: String::from_utf8(room).unwrap_or_default(), natives: Natives::new() }
    }

    /// Writes one family whole; one without a sample is left out.
    pub fn family(&mut self, family: &Family<'_>, put: impl FnOnce(&mut Samples<'_>)) {
        let before = self.text.len();
        self.put_head(family);
        let head = self.text.len();
        let suffix = match family.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        let natives = (self.form == Form::Protobuf).then_some(&mut self.natives);
        put(&mut Samples { text: &mut self.text, natives, name: family.name, suffix });
        if self.text.len() == head {
            self.text.truncate(before);
        }
    }

    fn put_head(&mut self, family: &Family<'_>) {
        let Family { name, kind, unit, help } = family;
        // Prometheus' own format calls families as their samples, and knows neither infos nor units.
        let (suffix, kind) = match (self.form, kind) {
            (Form::Text | Form::Protobuf, Kind::Counter) => ("_total", "counter"),
            (Form::Text | Form::Protobuf, Kind::Info) => ("_info", "gauge"),
            (Form::OpenMetrics, Kind::Counter) => ("", "counter"),
            (Form::OpenMetrics, Kind::Info) => ("", "info"),
            (_, Kind::Gauge) => ("", "gauge"),
            (_, Kind::Histogram) => ("", "histogram"),
        };
        let _ = writeln!(self.text, "# TYPE {name}{suffix} {kind}");
        if self.form == Form::OpenMetrics && !unit.is_empty() {
            let _ = writeln!(self.text, "# UNIT {name}{suffix} {unit}");
        }
        let _ = write!(self.text, "# HELP {name}{suffix} ");
        put_escaped(&mut self.text, help.trim());
        self.text.push('\n');
    }

    /// Which format it is in.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }

    /// Has families appended in its format; in Prometheus' text where that is protobuf.
    pub fn append(&mut self, put: impl FnOnce(&mut String)) {
        put(&mut self.text);
    }

    /// The families so far, in Prometheus' text where the format is protobuf.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All of it.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        match self.form {
            Form::Text => self.text.into_bytes(),
            Form::OpenMetrics => {
                self.text.push_str("# EOF\n");
                self.text.into_bytes()
            }
            Form::Protobuf => protobuf::encode(&self.text, self.natives),
        }
    }
}

impl Samples<'_> {
    /// Writes a sample with labels in the form of [`put_label`]; none where empty.
    pub fn put(&mut self, labels: &str, value: Number) {
        self.put_part(self.suffix, labels, "", value);
    }

    /// Writes a sample with one label more.
    pub fn put_with(&mut self, labels: &str, name: &str, label: &str, value: Number) {
        let mut more = String::new();
        put_label(&mut more, name, label);
        self.put_part(self.suffix, labels, &more, value);
    }

    /// Writes a histogram: how many durations were no longer than each of the bounds in nanoseconds, then all of them, then
    /// their sum in nanoseconds where it is known.
    pub fn put_histogram(&mut self, labels: &str, buckets: &[(u64, u64)], count: u64, sum_ns: Option<u64>) {
        let mut bound = String::new();
        for (up_to_ns, count) in buckets {
            bound.clear();
            bound.push_str("le=\"");
            put_number(&mut bound, Number::Shifted(i128::from(*up_to_ns), 9));
            bound.push('"');
            self.put_part("_bucket", labels, &bound, Number::Integer(i128::from(*count)));
        }
        let count = Number::Integer(i128::from(count));
        self.put_part("_bucket", labels, "le=\"+Inf\"", count);
        if let Some(sum) = sum_ns {
            self.put_part("_sum", labels, "", Number::Shifted(i128::from(sum), 9));
        }
        self.put_part("_count", labels, "", count);
    }

    /// Gives the histogram with these labels native buckets, where the format has them.
    pub(super) fn put_native(&mut self, labels: &str, native: impl FnOnce() -> Histogram) {
        if let Some(natives) = &mut self.natives {
            natives.insert(protobuf::series(self.name, labels), native());
        }
    }

    fn put_part(&mut self, suffix: &str, labels: &str, more: &str, value: Number) {
        self.text.push_str(self.name);
        self.text.push_str(suffix);
        if !(labels.is_empty() && more.is_empty()) {
            self.text.push('{');
            self.text.push_str(labels);
            if !(labels.is_empty() || more.is_empty()) {
                self.text.push(',');
            }
            self.text.push_str(more);
            self.text.push('}');
        }
        self.text.push(' ');
        put_number(self.text, value);
        self.text.push('\n');
    }
}

/// Appends `name="value"`, after a comma where something was there.
pub fn put_label(labels: &mut String, name: &str, value: &str) {
    if !labels.is_empty() {
        labels.push(',');
    }
    put_pair(labels, name, value);
}

/// Appends `name="value"`.
pub fn put_pair(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str("=\"");
    put_escaped(text, value);
    text.push('"');
}

fn put_escaped(text: &mut String, value: &str) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'\\' | b'"');
    if value.bytes().all(is_plain) {
        text.push_str(value);
        return;
    }
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            // The form allows them, and a terminal obeys them.
            control if control.is_control() => {
                text.push('\\');
                put_visible(text, control);
            }
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_written_as_its_form_has_it() {
        let family =
            Family { name: "x_seconds", kind: Kind::Counter, unit: "seconds", help: " A \"b\" \\ c. " };
        let written = |form| {
            let mut exposition = Exposition::new(form);
            exposition.family(&Family { name: "none", ..family.clone() }, |_| {});
            exposition.family(&family, |samples| {
                samples.put("", Number::Integer(1));
                samples.put_with("a=\"1\"", "b", "\n", Number::Integer(2));
            });
            String::from_utf8(exposition.finish()).unwrap()
        };
        assert_eq!(
            written(Form::Text),
            "# TYPE x_seconds_total counter\n# HELP x_seconds_total A \\\"b\\\" \\\\ c.\n\
             x_seconds_total 1\nx_seconds_total{a=\"1\",b=\"\\n\"} 2\n"
        );
        assert_eq!(
            written(Form::OpenMetrics),
            "# TYPE x_seconds counter\n# UNIT x_seconds seconds\n# HELP x_seconds A \\\"b\\\" \\\\ c.\n\
             x_seconds_total 1\nx_seconds_total{a=\"1\",b=\"\\n\"} 2\n# EOF\n"
        );
    }

    #[test]
    fn a_histogram_ends_with_all_of_it() {
        let mut exposition = Exposition::new(Form::Text);
        let family = Family { name: "h_seconds", kind: Kind::Histogram, unit: "seconds", help: "H." };
        exposition.family(&family, |samples| {
            samples.put_histogram("a=\"1\"", &[(4095, 1), (32_767, 3)], 4, Some(1_000));
        });
        let text = String::from_utf8(exposition.finish()).unwrap();
        let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            samples,
            [
                "h_seconds_bucket{a=\"1\",le=\"0.000004095\"} 1",
                "h_seconds_bucket{a=\"1\",le=\"0.000032767\"} 3",
                "h_seconds_bucket{a=\"1\",le=\"+Inf\"} 4",
                "h_seconds_sum{a=\"1\"} 0.000001",
                "h_seconds_count{a=\"1\"} 4",
            ]
        );
    }

    #[test]
    fn the_form_is_negotiated() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                          application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        assert_eq!(Form::accepted(prometheus), Form::OpenMetrics);
        let native = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,\
                      application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(Form::accepted(native), Form::Protobuf);
        assert_eq!(
            Form::accepted("application/vnd.google.protobuf;proto=other;encoding=delimited"),
            Form::Text
        );
        assert_eq!(Form::accepted("text/plain, application/openmetrics-text;q=0.1"), Form::Text);
        assert_eq!(Form::accepted("application/openmetrics-text;q=0"), Form::Text);
        assert_eq!(Form::accepted("*/*"), Form::Text);
        assert_eq!(Form::accepted(""), Form::Text);
    }
}
