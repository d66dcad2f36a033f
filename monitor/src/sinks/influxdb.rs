//! InfluxDB: its line protocol, as InfluxDB 1 (`/write`), 2 and 3 (`/api/v2/write`) and others take it.
//!
//! A container is one line of `monitor_container` with all that is exported of it, and so on; timestamps are the snapshots', in
//! nanoseconds. <https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/>

use std::{fmt::Write as _, io::Write as _};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures_util::future::BoxFuture;
use http::{
    StatusCode, Uri,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue},
};

use super::{
    Batch, Deliver, Encode, Export, Failure, Taken, Then,
    http::{Address, Answer, Client, Credentials, connector},
    rows::{Row, rows},
};
use crate::{
    credentials::Trust,
    model::{Latency, Value},
};

/// Where to write.
#[derive(Clone, Debug)]
pub struct InfluxDb {
    /// The server.
    pub address: Address,
    /// The place there.
    pub place: Place,
    /// Who writes.
    pub credentials: Credentials,
}

/// The place in a server that is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// InfluxDB 1.
    Database {
        /// Its name.
        name: String,
        /// The retention policy; the database's default where `None`.
        policy: Option<String>,
    },
    /// InfluxDB 2 and 3.
    Bucket {
        /// Its name; in InfluxDB 3 a database's.
        name: String,
        /// Whose it is; nobody's in InfluxDB 3.
        organization: Option<String>,
    },
}

/// Bytes of lines in one request, before compression.
const REQUEST_BYTES: usize = 1 << 20;

impl InfluxDb {
    /// The server and the place, for reading.
    pub(super) fn destination(&self) -> String {
        match &self.place {
            Place::Database { name, .. } => format!("{} (database {name})", self.address),
            Place::Bucket { name, .. } => format!("{} (bucket {name})", self.address),
        }
    }

    /// The side that writes lines, with these tags in each.
    #[expect(clippy::unused_self, reason = "as its siblings have it")]
    pub(super) fn encoder(&self, tags: &[(String, String)]) -> Box<dyn Encode> {
        let mut suffix = String::new();
        for (name, value) in tags {
            put_tag(&mut suffix, name, value);
        }
        Box::new(Lines { suffix })
    }

    /// The side that sends them.
    pub(super) fn deliverer(self, trust: &Trust) -> Box<dyn Deliver> {
        let connector = connector(trust, &self.address, false);
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
            (CONTENT_ENCODING, HeaderValue::from_static("gzip")),
        ];
        let client = Client::new(connector, self.uri(), &self.credentials, headers);
        Box::new(Writer { client, place: self.place })
    }

    fn uri(&self) -> Uri {
        match &self.place {
            Place::Database { name, policy } => {
                let mut parameters = vec![("db", name.as_str()), ("precision", "ns")];
                parameters.extend(policy.as_deref().map(|policy| ("rp", policy)));
                self.address.below("/write", &parameters)
            }
            Place::Bucket { name, organization } => {
                let mut parameters = vec![("bucket", name.as_str()), ("precision", "ns")];
                parameters.extend(organization.as_deref().map(|organization| ("org", organization)));
                self.address.below("/api/v2/write", &parameters)
            }
        }
    }
}

struct Lines {
    /// The tags of every line, with a comma before each.
    suffix: String,
}

impl Encode for Lines {
    fn encode(&mut self, export: &Export<'_>) -> Vec<Batch> {
        let at = export.snapshot.taken_at.as_nanosecond();
        let mut batches = Vec::new();
        let (mut text, mut samples) = (String::new(), 0);
        for row in rows(export) {
            samples += put_line(&mut text, &row, &self.suffix, at);
            if text.len() >= REQUEST_BYTES {
                batches.push(batch(&std::mem::take(&mut text), std::mem::take(&mut samples)));
            }
        }
        if samples > 0 {
            batches.push(batch(&text, samples));
        }
        batches
    }
}

fn batch(text: &str, samples: u64) -> Batch {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to a vector cannot fail.
    let _ = packed.write_all(text.as_bytes());
    Batch { bytes: Bytes::from(packed.finish().unwrap_or_default()), samples }
}

/// Appends the line of a row; how many fields it has. A row without any has no line.
fn put_line(text: &mut String, row: &Row<'_>, suffix: &str, at: i128) -> u64 {
    let before = text.len();
    text.push_str(&row.subject.kind("_"));
    for (name, value) in &row.tags {
        put_tag(text, name, value);
    }
    text.push_str(suffix);
    let mut fields = Fields { text, count: 0 };
    for field in &row.fields {
        fields.put(field.group, &field.name, field.value);
    }
    for spread in &row.spreads {
        put_quantiles(&mut fields, spread.of.group, spread.of.name, spread.latency);
    }
    let count = fields.count;
    if count == 0 {
        text.truncate(before);
    } else {
        // Writing to a String cannot fail.
        let _ = writeln!(text, " {at}");
    }
    count
}

struct Fields<'t> {
    text: &'t mut String,
    count: u64,
}

impl Fields<'_> {
    fn put(&mut self, group: &str, name: &str, value: Value<'_>) {
        let before = self.text.len();
        self.text.push(if self.count == 0 { ' ' } else { ',' });
        if !group.is_empty() {
            self.text.push_str(group);
            self.text.push('_');
        }
        self.text.push_str(name);
        let is_written = match value {
            Value::Integer(value) => match i64::try_from(value) {
                Ok(value) => write!(self.text, "={value}i").is_ok(),
                // Integers have 63 bits there.
                Err(_too_large) => write!(self.text, "={value}.0").is_ok(),
            },
            Value::Real(value) => value.is_finite() && write!(self.text, "={value}").is_ok(),
            Value::Text(_) => false,
        };
        if is_written {
            self.count += 1;
        } else {
            self.text.truncate(before);
        }
    }
}

/// Quantiles of the last window.
fn put_quantiles(fields: &mut Fields<'_>, group: &str, name: &str, latency: &Latency) {
    let Latency { count: _, p50_ns, p90_ns, p99_ns, max_ns, buckets: _ } = latency;
    for (quantile, value) in [("p50", p50_ns), ("p90", p90_ns), ("p99", p99_ns), ("max", max_ns)] {
        if let Some(value) = value {
            fields.put(group, &format!("{name}_{quantile}_ns"), Value::Integer((*value).into()));
        }
    }
}

/// Appends `,name=value`; nothing where the value is empty, which is not allowed there.
fn put_tag(text: &mut String, name: &str, value: &str) {
    // A backslash at the end would escape what comes after it, and nothing escapes a backslash.
    let value = value.trim_end_matches('\\');
    if value.is_empty() {
        return;
    }
    for (mark, part) in [(',', name), ('=', value)] {
        text.push(mark);
        for character in part.chars() {
            match character {
                ',' | '=' | ' ' => text.extend(['\\', character]),
                '\n' | '\r' | '\t' => text.push_str("\\ "),
                // What reads it again may be a terminal. No backslash: nothing escapes one here.
                control if control.is_control() => text.push('\u{fffd}'),
                other => text.push(other),
            }
        }
    }
}

struct Writer {
    client: Client,
    place: Place,
}

impl Deliver for Writer {
    fn deliver<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Taken, Failure>> {
        Box::pin(async move { judge(&self.client.post(batch.bytes.clone()).await?, &self.place) })
    }
}

/// What an answer means. A database that is missing can be made and a right be given, so what it would have taken waits.
fn judge(answer: &Answer, place: &Place) -> Result<Taken, Failure> {
    let later = Then::Retry(answer.retry_after);
    let (then, advice) = match (answer.status, place) {
        (status, _) if status.is_success() => return Ok(Taken::default()),
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, Place::Database { name, .. }) => (
            later,
            format!(
                "check --influxdb-user and --influxdb-password-file, and that the user may write to {name}"
            ),
        ),
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, Place::Bucket { name, .. }) => {
            (later, format!("check --influxdb-token-file, and that the token may write to {name}"))
        }
        (StatusCode::NOT_FOUND, Place::Database { name, .. }) => {
            (later, format!("make it with `CREATE DATABASE \"{name}\"`, or correct --influxdb-database"))
        }
        (StatusCode::NOT_FOUND, Place::Bucket { name, .. }) => {
            (later, format!("make the bucket {name}, or correct --influxdb-bucket and --influxdb-org"))
        }
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT, _) => (later, String::new()),
        (status, _) if status.is_server_error() => (later, String::new()),
        (status, _) if status.is_redirection() => {
            (Then::GiveUp, "give the address that it leads to as --influxdb-url".to_owned())
        }
        _ => (Then::GiveUp, String::new()),
    };
    Err(answer.failure(then, &advice))
}

#[cfg(test)]
mod tests {
    use std::{io::Read as _, time::Duration};

    use flate2::read::GzDecoder;

    use super::*;
    use crate::{
        model::{
            LatencyBucket,
            testing::{container, snapshot},
        },
        output::prometheus::{Selection, Totals},
    };

    fn lines(also: &[&str], tags: &[(&str, &str)]) -> String {
        let mut one = container("a");
        one.name = Some("we b,=\\".to_owned());
        one.measurements.scheduler.voluntary_switches_total = Some(7);
        one.measurements.memory.limit_bytes = Some(-1);
        one.measurements.cpu.usage_cores = Some(0.5);
        one.measurements.tasks.load_10s = Some(0.25);
        let buckets = vec![LatencyBucket { from_ns: 0, to_ns: None, count: 1 }];
        one.measurements.scheduler.runq_latency =
            Some(Latency { count: 1, p50_ns: Some(5), buckets, ..Latency::default() });
        let also: Vec<String> = also.iter().map(ToString::to_string).collect();
        let selection = Selection::new(&also, &[]).unwrap();
        let tags: Vec<(String, String)> =
            tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let place = Place::Database { name: "d".to_owned(), policy: None };
        let influx = InfluxDb {
            address: Address::parse("http://h:1").unwrap(),
            place,
            credentials: Credentials::None,
        };
        let snapshot = snapshot(3, vec![one]);
        let export = Export { snapshot: &snapshot, totals: &Totals::default(), selection: &selection };
        let batches = influx.encoder(&tags).encode(&export);
        let mut text = String::new();
        for batch in &batches {
            GzDecoder::new(&batch.bytes[..]).read_to_string(&mut text).unwrap();
        }
        let samples: u64 = batches.iter().map(|batch| batch.samples).sum();
        let fields = text.lines().map(|line| line.matches('=').count()).sum::<usize>();
        assert!(samples > 0 && usize::try_from(samples).unwrap() < fields);
        text
    }

    #[test]
    fn a_container_is_a_line() {
        let text = lines(&[], &[("host", "my host")]);
        assert_eq!(
            text.lines().next().unwrap(),
            "monitor_container,id=a,name=we\\ b\\,\\=,image=busybox:latest,host=my\\ host \
             scheduler_voluntary_switches_total=7i,scheduler_runq_latency_p50_ns=5i 3000000000"
        );
    }

    #[test]
    fn more_is_written_where_it_is_asked_for_but_no_rates() {
        let text = lines(&["all"], &[]);
        assert!(text.contains(",tasks_load_10s=0.25,") && !text.contains("cores"), "{text}");
    }

    #[test]
    fn the_place_is_in_the_address() {
        let uri = |place| {
            let address = Address::parse("http://h:1/p/").unwrap();
            InfluxDb { address, place, credentials: Credentials::None }.uri().to_string()
        };
        let database = Place::Database { name: "a b".to_owned(), policy: Some("week".to_owned()) };
        assert_eq!(uri(database), "http://h:1/p/write?db=a%20b&precision=ns&rp=week");
        let bucket = Place::Bucket { name: "b".to_owned(), organization: Some("o".to_owned()) };
        assert_eq!(uri(bucket), "http://h:1/p/api/v2/write?bucket=b&precision=ns&org=o");
    }

    #[test]
    fn answers_are_judged() {
        let place = Place::Database { name: "d".to_owned(), policy: None };
        let then = |status, retry_after| {
            let answer = Answer { status, retry_after, body: Bytes::new() };
            judge(&answer, &place).map_err(|failure| (failure.then, failure.why))
        };
        assert_eq!(then(StatusCode::NO_CONTENT, None), Ok(Taken::default()));
        let (retry, why) = then(StatusCode::NOT_FOUND, None).unwrap_err();
        assert!(retry == Then::Retry(None) && why.contains("CREATE DATABASE \"d\""), "{why}");
        let (retry, why) = then(StatusCode::UNAUTHORIZED, None).unwrap_err();
        assert!(retry == Then::Retry(None) && why.contains("--influxdb-password-file"), "{why}");
        let wait = Some(Duration::from_secs(3));
        assert_eq!(then(StatusCode::SERVICE_UNAVAILABLE, wait).unwrap_err().0, Then::Retry(wait));
        assert_eq!(then(StatusCode::BAD_REQUEST, None).unwrap_err().0, Then::GiveUp);
    }
}
