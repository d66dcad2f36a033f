//! Arguments of `monitor serve` on databases and collectors.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum, builder::ValueParser};

use super::parse_interval;

/// Databases and collectors that are written to. Secrets are read from files, so that nobody sees them among the processes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Databases and collectors")]
pub struct SinkArgs {
    /// How often databases and collectors are written to: one snapshot each time. What is written of containers is what
    /// `--metrics` has.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = ValueParser::new(parse_interval))]
    pub export_interval: Duration,
    /// What may wait for each of them, in MiB as it is sent; what is more is dropped, the oldest first, and counted.
    #[arg(long, value_name = "MIB", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub export_queue: u32,
    /// A label of everything that is written, besides the host's name; may be given more than once.
    #[arg(long, value_name = "NAME=VALUE")]
    pub export_label: Vec<String>,
    /// Certificates (PEM) of those who may vouch for a server, instead of the system's.
    #[arg(long, value_name = "FILE")]
    pub export_ca_file: Option<PathBuf>,

    /// Write to InfluxDB, or what takes its line protocol, at this address, such as `http://127.0.0.1:8086`.
    #[arg(long, value_name = "URL")]
    pub influxdb_url: Option<String>,
    /// The database of an InfluxDB 1, as DATABASE or DATABASE/POLICY.
    #[arg(long, value_name = "DATABASE", conflicts_with = "influxdb_bucket")]
    pub influxdb_database: Option<String>,
    /// The user of an InfluxDB 1.
    #[arg(long, value_name = "NAME")]
    pub influxdb_user: Option<String>,
    /// A file with the user's password.
    #[arg(long, value_name = "FILE")]
    pub influxdb_password_file: Option<PathBuf>,
    /// The organization of an InfluxDB 2.
    #[arg(long, value_name = "ORGANIZATION")]
    pub influxdb_org: Option<String>,
    /// The bucket of an InfluxDB 2, or the database of an InfluxDB 3.
    #[arg(long, value_name = "BUCKET")]
    pub influxdb_bucket: Option<String>,
    /// A file with the token for an InfluxDB 2 or 3.
    #[arg(long, value_name = "FILE", conflicts_with = "influxdb_user")]
    pub influxdb_token_file: Option<PathBuf>,

    /// Write by Prometheus' remote write to this address, such as `http://127.0.0.1:9090/api/v1/write`.
    #[arg(long, value_name = "URL")]
    pub remote_write_url: Option<String>,
    /// The user there.
    #[arg(long, value_name = "NAME")]
    pub remote_write_user: Option<String>,
    /// A file with the user's password.
    #[arg(long, value_name = "FILE")]
    pub remote_write_password_file: Option<PathBuf>,
    /// A file with a bearer token.
    #[arg(long, value_name = "FILE", conflicts_with = "remote_write_user")]
    pub remote_write_token_file: Option<PathBuf>,

    /// Write OpenTelemetry metrics by OTLP to this address: with gRPC such as `http://127.0.0.1:4317`, with HTTP the whole,
    /// such as `http://127.0.0.1:4318/v1/metrics`.
    #[arg(long, value_name = "URL")]
    pub otlp_url: Option<String>,
    /// How OTLP is spoken.
    #[arg(long, value_enum, default_value_t = OtlpProtocol::Grpc)]
    pub otlp_protocol: OtlpProtocol,
    /// A file with headers to send along, one `NAME: VALUE` a line, such as those that authorize.
    #[arg(long, value_name = "FILE")]
    pub otlp_headers_file: Option<PathBuf>,

    /// Send to a StatsD daemon: `ADDRESS:PORT` for UDP, `unix:///PATH` for a socket of datagrams.
    #[arg(long, value_name = "ADDRESS")]
    pub statsd: Option<String>,
    /// What the daemon understands.
    #[arg(long, value_enum, default_value_t = StatsdFormat::Statsd)]
    pub statsd_format: StatsdFormat,

    /// Send to an sFlow collector, as `ADDRESS` or `ADDRESS:PORT`.
    #[arg(long, value_name = "ADDRESS")]
    pub sflow: Option<String>,
}

/// How OTLP is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OtlpProtocol {
    /// gRPC.
    #[default]
    Grpc,
    /// Protobuf in HTTP requests.
    Http,
}

/// Dialects of `StatsD`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum StatsdFormat {
    /// `StatsD`'s own: what it is about is part of the name.
    #[default]
    Statsd,
    /// Datadog's: what it is about is in tags.
    Dogstatsd,
}
