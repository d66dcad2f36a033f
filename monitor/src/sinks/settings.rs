//! Which sinks there are, and how each is reached. Plain data, with the secrets that were in files.

use std::time::Duration;

use super::{Deliver, Encode, Sink};
pub use super::{
    http::{Address, Credentials, HttpError, SecretHeaders},
    influxdb::{InfluxDb, Place},
    otlp::{Otlp, Protocol},
    remote_write::RemoteWrite,
    sflow::SFlow,
    statsd::{Dialect, Socket, StatsD},
};
use crate::credentials::Trust;

/// A setting that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// An address that is none. The address itself is not told: it may have a secret in it.
    #[error("{flag}: {wrong}")]
    Address {
        /// The flag.
        flag: &'static str,
        /// What is wrong.
        wrong: &'static str,
    },
    /// A text that is not what the flag takes.
    #[error("{flag} {given} {wrong}")]
    Text {
        /// The flag.
        flag: &'static str,
        /// As it was given.
        given: String,
        /// What is wrong.
        wrong: &'static str,
    },
    /// Flags that do not go together.
    #[error("{0}")]
    Together(&'static str),
    /// A file.
    #[error("{flag}")]
    File {
        /// The flag.
        flag: &'static str,
        /// What is wrong with it.
        source: HttpError,
    },
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Time between two exports.
    pub interval: Duration,
    /// Bytes that may wait for each sink.
    pub queue_bytes: usize,
    /// Labels of everything that is written.
    pub labels: Vec<(String, String)>,
    /// Who may vouch for servers.
    pub trust: Trust,
    /// InfluxDB.
    pub influxdb: Option<InfluxDb>,
    /// Prometheus' remote write.
    pub remote_write: Option<RemoteWrite>,
    /// OpenTelemetry.
    pub otlp: Option<Otlp>,
    /// `StatsD`.
    pub statsd: Option<StatsD>,
    /// sFlow.
    pub sflow: Option<SFlow>,
}

impl Settings {
    /// Whether nothing is written to.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            interval: _,
            queue_bytes: _,
            labels: _,
            trust: _,
            influxdb,
            remote_write,
            otlp,
            statsd,
            sflow,
        } = self;
        influxdb.is_none() && remote_write.is_none() && otlp.is_none() && statsd.is_none() && sflow.is_none()
    }

    /// Both sides of each sink. Nothing is connected to yet.
    pub(super) fn open(self, hostname: &str) -> Vec<Sink> {
        let Self { interval: _, queue_bytes: _, labels, trust, influxdb, remote_write, otlp, statsd, sflow } =
            self;
        let with = |more: &[(&str, &str)]| {
            let given = |name: &str| labels.iter().any(|(label, _)| label == name);
            let more = more.iter().filter(|(name, _)| !given(name));
            let more = more.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            labels.iter().cloned().chain(more).collect::<Vec<_>>()
        };
        let host = with(&[("host", hostname)]);
        let mut sinks = Vec::new();
        let mut add = |name, destination, encode: Box<dyn Encode>, deliver: Box<dyn Deliver>| {
            sinks.push(Sink { name, destination, encode, deliver });
        };
        if let Some(one) = influxdb {
            add("influxdb", one.destination(), one.encoder(&host), one.deliverer(&trust));
        }
        if let Some(one) = remote_write {
            // What a scrape adds by itself.
            let labels = with(&[("job", "monitor"), ("instance", hostname)]);
            add("remote_write", one.address.to_string(), one.encoder(&labels), one.deliverer(&trust));
        }
        if let Some(one) = otlp {
            add("otlp", one.address.to_string(), one.encoder(&labels), one.deliverer(&trust));
        }
        if let Some(one) = statsd {
            add("statsd", one.socket.destination(), one.encoder(&host), one.deliverer());
        }
        if let Some(one) = sflow {
            add("sflow", one.destination(), one.encoder(), one.deliverer());
        }
        sinks
    }
}
