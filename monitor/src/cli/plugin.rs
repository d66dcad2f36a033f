//! Arguments of the commands that other monitoring systems start.

use std::{path::PathBuf, time::Duration};

use clap::{
    Args, Subcommand, ValueEnum,
    builder::{NonEmptyStringValueParser, ValueParser},
};

use super::{SourceArgs, parse_duration};

/// Who is asked, and how long it may take.
#[derive(Args, Debug)]
pub struct AskArgs {
    /// Where `monitor serve` answers: http://HOST:PORT, https://HOST:PORT or unix:PATH.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// End after so long with what is known to be missing: seconds, or a duration such as 500ms.
    #[arg(short, long, value_name = "TIME", default_value = "10", value_parser = ValueParser::new(parse_timeout))]
    pub timeout: Duration,
    /// A file with the token that it asks for.
    #[arg(long, value_name = "FILE")]
    pub auth_token_file: Option<PathBuf>,
    /// Certificates (PEM) of those who may vouch for it, instead of the system's.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// A certificate to show to it (PEM).
    #[arg(long, value_name = "FILE", requires = "client_key_file")]
    pub client_cert_file: Option<PathBuf>,
    /// The certificate's key (PEM).
    #[arg(long, value_name = "FILE", requires = "client_cert_file")]
    pub client_key_file: Option<PathBuf>,
}

/// Arguments of `monitor check`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// What to judge: GROUP.NAME of docs/metrics.md, of a distribution with a quantile, as in `scheduler.runq_latency.p99`
    /// [default: whether the containers run].
    #[arg(value_name = "METRIC", value_parser = NonEmptyStringValueParser::new())]
    pub metric: Option<String>,
    /// The container, by name, id or the beginning of its id; may be given more than once [default: all that have the
    /// labels].
    #[arg(long, value_name = "CONTAINER", value_parser = NonEmptyStringValueParser::new(), conflicts_with = "label")]
    pub container: Vec<String>,
    /// Containers with this label, as KEY or KEY=VALUE; may be given more than once.
    #[arg(long, value_name = "LABEL", value_parser = NonEmptyStringValueParser::new())]
    pub label: Vec<String>,
    /// The machine instead of containers; `disks`, `filesystems` and `interfaces` are groups too.
    #[arg(long, conflicts_with_all = ["container", "label"])]
    pub host: bool,
    /// Warn where the value is outside of this range, in seconds and bytes: 10, 10:, ~:10, 10:20; or inside, as in @10:20.
    #[arg(short, long, value_name = "RANGE", allow_hyphen_values = true, requires = "metric")]
    pub warning: Option<String>,
    /// It is critical where the value is outside of this range.
    #[arg(short, long, value_name = "RANGE", allow_hyphen_values = true, requires = "metric")]
    pub critical: Option<String>,
    /// Who is asked.
    #[command(flatten)]
    pub ask: AskArgs,
    /// Measure one window instead of asking `monitor serve`, which needs its rights and takes longer.
    #[arg(long, conflicts_with = "url")]
    pub measure: bool,
    /// How it is measured then.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// The commands of `monitor zabbix`.
#[derive(Debug, Subcommand)]
pub enum ZabbixCommand {
    /// Print the JSON of low-level discovery.
    Discovery {
        /// What to discover.
        #[arg(value_enum, default_value_t = Discovered::Containers)]
        kind: Discovered,
        /// Who is asked.
        #[command(flatten)]
        ask: AskArgs,
    },
    /// Print an item's value.
    Item {
        /// The metric: GROUP.NAME of docs/metrics.md, of a distribution with a quantile behind it [default: all there is,
        /// as JSON].
        #[arg(value_name = "METRIC", value_parser = NonEmptyStringValueParser::new())]
        metric: Option<String>,
        /// The container, by name, id or the beginning of its id [default: the machine].
        #[arg(long, value_name = "CONTAINER", value_parser = NonEmptyStringValueParser::new())]
        container: Option<String>,
        /// Which disk, file system or interface of the machine.
        #[arg(long, value_name = "NAME", conflicts_with = "container", requires = "metric")]
        part: Option<String>,
        /// Who is asked.
        #[command(flatten)]
        ask: AskArgs,
    },
}

/// What can be discovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Discovered {
    /// Containers that have not ended.
    Containers,
    /// The machine's disks.
    Disks,
    /// Its file systems.
    Filesystems,
    /// Its interfaces.
    Interfaces,
}

/// `10`, which is seconds, or `500ms`.
fn parse_timeout(text: &str) -> Result<Duration, String> {
    let timeout = match text.parse::<u32>() {
        Ok(seconds) => Duration::from_secs(seconds.into()),
        Err(_) => parse_duration(text)?,
    };
    if timeout.is_zero() { Err("is no time at all".to_owned()) } else { Ok(timeout) }
}
