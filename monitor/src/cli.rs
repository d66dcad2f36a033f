//! What was typed. Defaults here do not depend on the host.

mod access;
mod history;
mod plugin;
mod recording;
mod sinks;
mod top;

use std::{path::PathBuf, time::Duration};

use clap::{
    Args, CommandFactory, Parser, Subcommand, ValueEnum,
    builder::{NonEmptyStringValueParser, ValueParser},
};
use clap_complete::Shell;

pub use self::{
    access::AccessArgs,
    history::HistoryArgs,
    plugin::{AskArgs, CheckArgs, Discovered, ZabbixCommand},
    recording::{Moment, RecordArgs, RecordingFormat, ReplayArgs, ReportArgs, Speed, StatisticsFormat},
    sinks::{OtlpProtocol, SinkArgs, StatsdFormat},
    top::TopArgs,
};

/// Kernel-level container profiler: counts at the event, not at the poll.
///
/// eBPF programs count context switches, run-queue waits, migrations and page faults per cgroup; monitor maps cgroups to
/// containers and merges the cgroup files and the runtime's metadata.
///
/// Exit codes: 0 done, 1 failed, 2 bad usage, 77 not permitted.
#[derive(Debug, Parser)]
#[command(name = "monitor", version, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Say more on standard error; twice for all.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The whole of it. Each flag of `monitor serve` is a variable of the environment too.
#[must_use]
pub fn command() -> clap::Command {
    let with_variable = |arg: clap::Arg| {
        let name = format!("MONITOR_{}", arg.get_id().as_str().to_uppercase());
        if arg.get_env().is_some() { arg } else { arg.env(name) }
    };
    Cli::command().mut_subcommand("serve", |serve| serve.mut_args(with_variable))
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show every container's rates, window by window.
    ///
    /// A table on a terminal, NDJSON (one snapshot a line) when piped.
    Stream(StreamArgs),
    /// Show all containers on a full screen, live: sorted, filtered, in groups, with details, and back in time.
    ///
    /// `?` lists the keys. The columns and the filter are those of the dashboard of `monitor serve`.
    Top(TopArgs),
    /// Measure one window and print it as JSON.
    Snapshot(SnapshotArgs),
    /// Say who kept containers from a CPU: which other container, the system, or their own quota.
    ///
    /// Measures one window and tells for each container, or for those named, how long its tasks waited, for whom, and what
    /// would shorten it.
    Blame(BlameArgs),
    /// Tell what happens, as it happens: containers' lives, programs executed and ended, kills for lack of memory, CPU quotas
    /// that run out.
    ///
    /// A line for reading each on a terminal, NDJSON when piped.
    Events(EventsArgs),
    /// Measure without end and serve what is measured over HTTP.
    ///
    /// JSON at /api/v1, for Prometheus at /metrics. By default only this machine reaches it; at another address a token, client
    /// certificates or --insecure say who may ask.
    Serve(ServeArgs),
    /// Write every window to a file, for replay, report and tools that read Parquet.
    ///
    /// The file is readable at any moment, also after a crash, up to what was last written whole.
    Record(RecordArgs),
    /// Show what was recorded, as `stream` would have shown it.
    ///
    /// A table on a terminal, NDJSON when piped. Needs no rights but to read the file.
    Replay(ReplayArgs),
    /// Say what a recording shows: rates, trends, outliers, changes of level, who goes together, and how two of them differ.
    ///
    /// Needs no rights but to read the file.
    Report(ReportArgs),
    /// Say what this kernel, cgroup set-up and runtime allow, and what to do about each no.
    Doctor(DoctorArgs),
    /// Show what isolates one running container and what is in it.
    ///
    /// Namespaces and who shares them, rights, limits, cgroups, processes, open files and mounts, read once from /proc and
    /// the cgroup files.
    Inspect(InspectArgs),
    /// Judge a metric, as a plugin of Nagios, Icinga and their kin: one line, performance data, an exit code.
    ///
    /// Asks a running `monitor serve`. Exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, which is also for whatever fails.
    Check(CheckArgs),
    /// Tell Zabbix' agent what there is and what was measured.
    ///
    /// Asks a running `monitor serve`. What cannot be told is `ZBX_NOTSUPPORTED`.
    #[command(subcommand)]
    Zabbix(ZabbixCommand),
    /// Settings of `monitor serve` that are written down.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the completions of a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write the generated documentation: schema, metrics, man pages, completions.
    #[command(hide = true)]
    Generate {
        /// The directory to write to.
        directory: PathBuf,
    },
}

/// Who is asked for names, images and labels.
#[derive(Args, Clone, Debug, Default)]
pub struct RuntimeArgs {
    /// Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`].
    #[arg(long, value_name = "URL", env = "DOCKER_HOST", hide_env_values = true)]
    pub docker_host: Option<String>,
    /// Do not ask Docker: its containers are known by id only.
    #[arg(long)]
    pub no_docker: bool,
    /// Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once.
    ///
    /// Without it their usual sockets are asked where they are there, those of users' own Podman and Docker among them.
    #[arg(long, value_name = "NAME=SOCKET")]
    pub runtime: Vec<String>,
    /// Do not ask any runtime: containers are known by id only.
    #[arg(long, conflicts_with = "runtime")]
    pub no_runtimes: bool,
}

/// Where measurements come from.
#[derive(Args, Debug)]
pub struct SourceArgs {
    /// Length of a window, such as 500ms, 1s or 1m.
    #[arg(short, long, value_name = "DURATION", default_value = "1s", value_parser = ValueParser::new(parse_interval))]
    pub interval: Duration,
    /// Who is asked for names.
    #[command(flatten)]
    pub runtimes: RuntimeArgs,
    /// How long an ended container is shown after it was shown as ended first.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = ValueParser::new(parse_duration))]
    pub keep_ended: Duration,
    /// Most memory that the cgroups' counters may take in the kernel, in MiB, but for 512 slots a CPU.
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub map_memory: u32,
    /// Cgroups to make room for where many are still to come: by default four for each that there is at the start, and
    /// thousands at least. Room is not made later.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    pub expect_cgroups: u32,
    /// Do not count page-fault exceptions, which costs a program run at each fault.
    #[arg(long)]
    pub no_fault_exceptions: bool,
    /// Measure how long major faults take, which costs a look at the clock at each fault of either kind.
    #[arg(long, conflicts_with = "no_fault_exceptions")]
    pub major_fault_latency: bool,
    /// Do not measure what containers take on file systems, for which trees of files are walked.
    #[arg(long)]
    pub no_filesystem_usage: bool,
    /// Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less
    /// often.
    #[arg(long, value_name = "DURATION", default_value = "1m", conflicts_with = "no_filesystem_usage", value_parser = ValueParser::new(parse_interval))]
    pub filesystem_interval: Duration,
}

/// Arguments of `monitor stream`.
#[derive(Args, Debug)]
pub struct StreamArgs {
    /// Where measurements come from.
    #[command(flatten)]
    pub source: SourceArgs,
    /// End after so many windows.
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Form of the output [default: table on a terminal, else ndjson].
    #[arg(short, long, value_enum)]
    pub format: Option<Format>,
    /// Show this container only, by name, id or the beginning of its id (six characters or more); may be given more than once.
    #[arg(short, long, value_name = "CONTAINER")]
    pub container: Vec<String>,
    /// Write to a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `monitor snapshot`.
#[derive(Args, Debug)]
pub struct SnapshotArgs {
    /// Where measurements come from.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Write to a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `monitor blame`.
#[derive(Args, Debug)]
pub struct BlameArgs {
    /// The containers, by name, id or the beginning of an id [default: all].
    #[arg(value_name = "CONTAINER")]
    pub containers: Vec<String>,
    /// Form of the output: lines for reading, or the whole snapshot.
    #[arg(short, long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Where measurements come from.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// Arguments of `monitor events`.
#[derive(Args, Debug)]
pub struct EventsArgs {
    /// The containers whose events to tell, by name, id or the beginning of an id [default: all, and what is no
    /// container's].
    #[arg(value_name = "CONTAINER", value_parser = NonEmptyStringValueParser::new())]
    pub containers: Vec<String>,
    /// Tell events of this kind only; may be given more than once, or several with commas between them. That events were
    /// lost is always told.
    #[arg(short, long, value_enum, value_name = "KIND", value_delimiter = ',')]
    pub kind: Vec<EventKind>,
    /// End after so many events.
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Form of the output [default: text on a terminal, else ndjson].
    #[arg(short, long, value_enum)]
    pub format: Option<EventsFormat>,
    /// Write to a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where events come from. Quotas that run out are looked for once a window.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// What is done with settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say whether `monitor serve` would take the file, with the environment as it is.
    Check {
        /// The file [default: /etc/monitor/config.toml, if it is there].
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

/// Arguments of `monitor serve`.
#[derive(Args, Debug)]
pub struct ServeArgs {
    /// A file of settings, in TOML: each key is the name of a flag here, without the dashes before it. What is typed goes before
    /// the environment, that before the file [default: /etc/monitor/config.toml, if it is there].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address and port to listen on, or unix:PATH for a socket that only its owner and group can open.
    #[arg(short, long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// Connections at a time; one more is refused.
    #[arg(long, value_name = "NUMBER", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub max_connections: u32,
    /// Tell of every program executed and every process ended too, at /api/v1/events: a record each, which the programs do
    /// not send otherwise.
    #[arg(long)]
    pub process_events: bool,
    /// Export more at /metrics than by default: a group of metrics as GROUP, one as GROUP.NAME, or `all`; may be given more
    /// than once, or several with commas between them.
    ///
    /// docs/metrics.md has groups and names. Groups besides: `pressure`; `culprits`, which tells whom waits are blamed on one
    /// by one; `cgroups`, the same of cgroups that are no container's.
    #[arg(long, value_name = "METRIC", value_delimiter = ',')]
    pub metrics: Vec<String>,
    /// Make a label of the runtime's, by its key, one of `monitor_container_info`; may be given more than once, or several with
    /// commas between them.
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    pub metrics_label: Vec<String>,
    /// Labels of containers that become labels of cAdvisor's metrics, separated by commas, instead of all; none if empty.
    #[arg(long, value_name = "KEY,...", value_delimiter = ',')]
    pub container_labels: Option<Vec<String>>,
    /// Who may ask.
    #[command(flatten)]
    pub access: AccessArgs,
    /// What is kept of what was measured.
    #[command(flatten)]
    pub history: HistoryArgs,
    /// Databases and collectors.
    #[command(flatten)]
    pub sinks: Box<SinkArgs>,
    /// Where measurements come from.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// Arguments of `monitor doctor`.
#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// Form of the output.
    #[arg(short, long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Who is asked for names.
    #[command(flatten)]
    pub runtimes: RuntimeArgs,
}

/// Arguments of `monitor inspect`.
#[derive(Args, Debug)]
pub struct InspectArgs {
    /// The container, by name, id or the beginning of its id.
    #[arg(value_name = "CONTAINER", value_parser = NonEmptyStringValueParser::new())]
    pub container: String,
    /// Form of the output.
    #[arg(short, long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Who is asked for names.
    #[command(flatten)]
    pub runtimes: RuntimeArgs,
}

/// Forms of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for reading.
    Table,
    /// One snapshot a line.
    Ndjson,
    /// One line a container and window.
    Csv,
}

/// Forms of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EventsFormat {
    /// A line each for reading.
    Text,
    /// A line of JSON each.
    Ndjson,
}

/// Kinds of events, as the JSON calls them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum EventKind {
    /// A runtime has made a container.
    ContainerCreated,
    /// A runtime has started a container.
    ContainerStarted,
    /// A container's first process has ended.
    ContainerDied,
    /// A runtime has deleted a container.
    ContainerRemoved,
    /// A cgroup was made.
    CgroupMade,
    /// A cgroup was removed.
    CgroupRemoved,
    /// A task was moved into a cgroup.
    TaskMoved,
    /// A process executed a program.
    Exec,
    /// A process ended.
    Exit,
    /// A process was killed for lack of memory.
    OomKill,
    /// A CPU quota began to run out.
    ThrottleBegin,
    /// A CPU quota runs out no more.
    ThrottleEnd,
}

impl EventKind {
    /// Its name in the JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ContainerCreated => "container_created",
            Self::ContainerStarted => "container_started",
            Self::ContainerDied => "container_died",
            Self::ContainerRemoved => "container_removed",
            Self::CgroupMade => "cgroup_made",
            Self::CgroupRemoved => "cgroup_removed",
            Self::TaskMoved => "task_moved",
            Self::Exec => "exec",
            Self::Exit => "exit",
            Self::OomKill => "oom_kill",
            Self::ThrottleBegin => "throttle_begin",
            Self::ThrottleEnd => "throttle_end",
        }
    }
}

/// Forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Lines for reading.
    Text,
    /// One object.
    Json,
}

/// The shortest window: below this the reading itself would be what is measured.
const SHORTEST: Duration = Duration::from_millis(10);
/// The longest: the kernel side's histogram counts would wrap in much longer ones.
const LONGEST: Duration = Duration::from_hours(1);

fn parse_interval(text: &str) -> Result<Duration, String> {
    let interval = parse_duration(text)?;
    if (SHORTEST..=LONGEST).contains(&interval) {
        Ok(interval)
    } else {
        Err("not between 10ms and 1h".to_owned())
    }
}

/// `1s`, `200ms`, `1m 30s`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration: jiff::SignedDuration =
        text.parse().map_err(|_error| "not a duration such as 500ms, 1s or 1m".to_owned())?;
    Duration::try_from(duration).map_err(|_error| "is negative".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn kinds_of_events_are_typed_as_they_are_named() {
        for kind in EventKind::value_variants() {
            let typed = kind.to_possible_value().unwrap();
            assert_eq!(typed.get_name(), kind.name());
        }
    }

    #[test]
    fn intervals_have_bounds() {
        assert_eq!(parse_interval("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(parse_interval("1m"), Ok(Duration::from_mins(1)));
        assert!(parse_interval("0").is_err());
        assert!(parse_interval("0s").is_err());
        assert!(parse_interval("-1s").is_err());
        assert!(parse_interval("2h").is_err());
        assert!(parse_interval("soon").is_err());
    }
}
