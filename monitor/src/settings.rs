//! What was typed, checked and joined with what it depends on. Plain data.

mod access;
mod history;
mod plugin;
mod recording;
mod sinks;
mod top;

use std::{io::IsTerminal, path::PathBuf, time::Duration};

use monitor_common::lifecycle::process_records;

use crate::{
    cadvisor::ContainerLabels,
    cli::{
        BlameArgs, EventKind, EventsArgs, EventsFormat, Format, InspectArgs, ReportFormat, RuntimeArgs,
        ServeArgs, SnapshotArgs, SourceArgs, StreamArgs,
    },
    credentials::CredentialsError,
    history::ResolutionError,
    model::{Event, is_called},
    output::prometheus::{Selection, UnknownMetric},
    plugin::{client::AddressError, figure::FigureError, range::RangeError},
    probes::plan::Wishes,
    runtime::{
        docker::{DockerError, DockerSettings},
        places::{NamedSocket, RuntimeSettings},
    },
    serve::listener::{self, Address},
    sinks::{Settings as Sinks, SinkError},
    tui::UnknownColumn,
};

pub use self::{
    access::Openness,
    history::{KeptHistory, Replayed},
    plugin::{Check, Wanted, Zabbix},
    recording::{Record, Replay, Report, Reported},
    top::{Played, Top},
};

/// A setting that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The address of Docker.
    #[error("use --docker-host or DOCKER_HOST")]
    DockerHost(#[source] DockerError),
    /// The address of another runtime.
    #[error("--runtime {given} {wrong}")]
    Runtime {
        /// As it was given.
        given: String,
        /// What is wrong with it.
        wrong: &'static str,
    },
    /// Where to listen.
    #[error("--listen")]
    Listen(#[from] listener::AddressError),
    /// What is to be exported.
    #[error("--metrics")]
    Metrics(#[from] UnknownMetric),
    /// What is to be kept.
    #[error("--history")]
    History(#[from] ResolutionError),
    /// When a check alerts.
    #[error("{flag}")]
    Range {
        /// The flag.
        flag: &'static str,
        /// What is wrong with its value.
        source: RangeError,
    },
    /// What is checked.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// Who is asked.
    #[error("--url")]
    Url(#[from] AddressError),
    /// What is shown to who is asked.
    #[error("{flag}")]
    Credentials {
        /// The flag.
        flag: &'static str,
        /// What is wrong with the file.
        source: CredentialsError,
    },
    /// Anybody could ask.
    #[error(
        "--listen {listen} is open to others, and nothing says who may ask: \
         give --auth-token-file, --tls-client-ca-file, or --insecure to let everybody"
    )]
    Open {
        /// The address.
        listen: Address,
    },
    /// TLS where it is not spoken.
    #[error("--tls-cert-file is for a port: who may open a Unix socket, its mode says")]
    TlsOnSocket,
    /// What is sorted by.
    #[error("--sort")]
    Sort(#[from] UnknownColumn),
    /// There is nothing to draw on.
    #[error(
        "monitor top needs a terminal, and standard output is none: use `monitor stream` for pipes and files"
    )]
    NoTerminal,
    /// A database or collector.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The format of a recording.
    #[error(
        "the name {} does not tell the format of the recording: let it end in .parquet or .ndjson.zst",
        file.display()
    )]
    RecordingFormat {
        /// The file that it is for.
        file: PathBuf,
    },
}

/// Where measurements come from.
#[derive(Debug)]
pub struct Source {
    /// Length of a window.
    pub interval: Duration,
    /// Which runtimes are asked.
    pub runtimes: RuntimeSettings,
    /// How long ended containers are shown.
    pub keep_ended: Duration,
    /// What to load.
    pub wishes: Wishes,
    /// Least time between two walks of one tree of files; `None` where none is walked.
    pub filesystem_interval: Option<Duration>,
}

/// How the snapshots are written.
#[derive(Debug)]
pub struct Stream {
    /// Windows to write; no end where `None`.
    pub count: Option<u64>,
    /// Their form.
    pub form: Form,
    /// The containers to show; all where empty.
    pub containers: Vec<String>,
    /// Where to write; standard output where `None`.
    pub output: Option<PathBuf>,
}

/// Forms of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Columns for reading.
    Table,
    /// JSON in one line.
    Line,
    /// JSON over many lines.
    Pretty,
    /// One line a container.
    Csv,
    /// Who kept whom from a CPU.
    Blame,
}

impl From<Format> for Form {
    fn from(format: Format) -> Self {
        match format {
            Format::Table => Self::Table,
            Format::Ndjson => Self::Line,
            Format::Csv => Self::Csv,
        }
    }
}

/// Which events are told, and how.
#[derive(Debug)]
pub struct Events {
    /// Events to write; no end where `None`.
    pub count: Option<u64>,
    /// Their form.
    pub form: EventsForm,
    /// The containers whose events are told; all and the machine's where empty.
    pub containers: Vec<String>,
    /// The kinds that are told; all where empty.
    pub kinds: Vec<EventKind>,
    /// Where to write; standard output where `None`.
    pub output: Option<PathBuf>,
}

/// Forms of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventsForm {
    /// A line for reading.
    Text,
    /// A line of JSON.
    Line,
}

/// A kind that is told whatever was asked for: that something is missing.
const LOST: &str = "lost";

impl Events {
    /// Whether events of this kind, as in the JSON, are told.
    #[must_use]
    pub fn wants_kind(&self, kind: &str) -> bool {
        kind == LOST || self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted.name() == kind)
    }

    /// Whether this event is told.
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        let is_called = |wanted: &String| {
            event
                .container
                .as_ref()
                .is_some_and(|container| is_called(wanted, &container.id, container.name.as_deref()))
        };
        let kind = event.what.kind();
        self.wants_kind(kind)
            && (kind == LOST || self.containers.is_empty() || self.containers.iter().any(is_called))
    }

    /// The processes that the programs are to tell of one by one.
    fn process_records(&self) -> u32 {
        [
            (EventKind::Exec, process_records::EXECS),
            (EventKind::Exit, process_records::EXITS),
            (EventKind::OomKill, process_records::OOM_KILLS),
        ]
        .into_iter()
        .filter(|(kind, _)| self.wants_kind(kind.name()))
        .fold(0, |records, (_, record)| records | record)
    }

    /// What to load for these events: nothing that only counts and can be spared.
    #[must_use]
    pub fn wishes(&self, wishes: Wishes) -> Wishes {
        Wishes {
            fault_exceptions: false,
            major_fault_latency: false,
            network: false,
            process_records: self.process_records(),
            ..wishes
        }
    }
}

impl From<&EventsArgs> for Events {
    fn from(args: &EventsArgs) -> Self {
        let EventsArgs { containers, kind, count, format, output, source: _ } = args;
        let is_for_reading = output.is_none() && std::io::stdout().is_terminal();
        let default = if is_for_reading { EventsFormat::Text } else { EventsFormat::Ndjson };
        Self {
            count: *count,
            form: match format.unwrap_or(default) {
                EventsFormat::Text => EventsForm::Text,
                EventsFormat::Ndjson => EventsForm::Line,
            },
            containers: containers.clone(),
            kinds: kind.clone(),
            output: output.clone(),
        }
    }
}

/// What is served, and where.
#[derive(Debug)]
pub struct Serve {
    /// Where.
    pub listen: Address,
    /// Connections at a time.
    pub max_connections: u32,
    /// Whether every program executed and process ended is told of.
    pub process_events: bool,
    /// What is exported at /metrics.
    pub metrics: Selection,
    /// The runtimes' labels that cAdvisor's metrics have.
    pub container_labels: ContainerLabels,
    /// Who may ask.
    pub access: Openness,
    /// What is kept of what was measured; nothing where `None`.
    pub history: Option<KeptHistory>,
    /// The recording that is served instead of what is measured.
    pub replay: Option<Replayed>,
    /// What is written to besides.
    pub sinks: Sinks,
}

impl Serve {
    /// How long ended containers are shown: until they have been written too.
    #[must_use]
    pub fn keep_ended(&self, source: &Source) -> Duration {
        let until_written = self.sinks.interval + source.interval * 2;
        if self.sinks.is_empty() { source.keep_ended } else { source.keep_ended.max(until_written) }
    }

    /// What to load for it: kills for lack of memory are told of one by one in any case.
    #[must_use]
    pub fn wishes(&self, wishes: Wishes) -> Wishes {
        let processes = if self.process_events { process_records::EXECS | process_records::EXITS } else { 0 };
        Wishes { process_records: process_records::OOM_KILLS | processes, ..wishes }
    }
}

impl TryFrom<&ServeArgs> for Serve {
    type Error = SettingsError;

    fn try_from(args: &ServeArgs) -> Result<Self, SettingsError> {
        let ServeArgs {
            config: _,
            listen,
            max_connections,
            process_events,
            metrics,
            metrics_label,
            container_labels,
            access,
            history,
            sinks,
            source: _,
        } = args;
        let container_labels = container_labels.as_ref().map_or(ContainerLabels::All, |keys| {
            ContainerLabels::Only(keys.iter().filter(|key| !key.is_empty()).cloned().collect())
        });
        let listen: Address = listen.parse()?;
        Ok(Self {
            access: Openness::new(&listen, access)?,
            listen,
            max_connections: *max_connections,
            process_events: *process_events,
            metrics: Selection::new(metrics, metrics_label)?,
            container_labels,
            history: KeptHistory::new(history)?,
            replay: Replayed::new(history),
            sinks: sinks.as_ref().try_into()?,
        })
    }
}

/// Which container is inspected, and how it is shown.
#[derive(Debug)]
pub struct Inspect {
    /// Its name, id or the beginning of its id.
    pub container: String,
    /// The form of the output.
    pub format: ReportFormat,
    /// Which runtimes are asked for names.
    pub runtimes: RuntimeSettings,
}

impl TryFrom<InspectArgs> for Inspect {
    type Error = SettingsError;

    fn try_from(args: InspectArgs) -> Result<Self, SettingsError> {
        let InspectArgs { container, format, runtimes } = args;
        Ok(Self { container, format, runtimes: (&runtimes).try_into()? })
    }
}

impl TryFrom<&RuntimeArgs> for RuntimeSettings {
    type Error = SettingsError;

    fn try_from(args: &RuntimeArgs) -> Result<Self, SettingsError> {
        let RuntimeArgs { docker_host, no_docker, runtime, no_runtimes } = args;
        if *no_runtimes {
            return Ok(Self::default());
        }
        let docker = (!no_docker).then(|| DockerSettings::new(docker_host.as_deref()));
        let docker = docker.transpose().map_err(SettingsError::DockerHost)?;
        let parsed = runtime.iter().map(|given| {
            let wrong = |wrong| SettingsError::Runtime { given: given.clone(), wrong };
            given.parse().map_err(wrong)
        });
        Ok(Self::new(docker, &parsed.collect::<Result<Vec<NamedSocket>, _>>()?))
    }
}

impl TryFrom<&SourceArgs> for Source {
    type Error = SettingsError;

    fn try_from(args: &SourceArgs) -> Result<Self, SettingsError> {
        let SourceArgs {
            interval,
            runtimes,
            keep_ended,
            map_memory,
            expect_cgroups,
            no_fault_exceptions,
            major_fault_latency,
            no_filesystem_usage,
            filesystem_interval,
        } = args;
        let map_bytes = usize::try_from(*map_memory).unwrap_or(usize::MAX).saturating_mul(1 << 20);
        Ok(Self {
            interval: *interval,
            runtimes: runtimes.try_into()?,
            keep_ended: *keep_ended,
            wishes: Wishes {
                map_bytes,
                cgroups: *expect_cgroups,
                fault_exceptions: !no_fault_exceptions,
                major_fault_latency: *major_fault_latency,
                network: true,
                process_records: 0,
                log_level: program_log_level(),
            },
            filesystem_interval: (!no_filesystem_usage).then_some(*filesystem_interval),
        })
    }
}

impl From<&StreamArgs> for Stream {
    fn from(args: &StreamArgs) -> Self {
        let StreamArgs { source: _, count, format, container, output } = args;
        let is_for_reading = output.is_none() && std::io::stdout().is_terminal();
        let default = if is_for_reading { Format::Table } else { Format::Ndjson };
        Self {
            count: *count,
            form: Form::from(format.unwrap_or(default)),
            containers: container.clone(),
            output: output.clone(),
        }
    }
}

impl From<&SnapshotArgs> for Stream {
    fn from(args: &SnapshotArgs) -> Self {
        let SnapshotArgs { source: _, output } = args;
        let is_for_reading = output.is_none() && std::io::stdout().is_terminal();
        Self {
            count: Some(1),
            form: if is_for_reading { Form::Pretty } else { Form::Line },
            containers: Vec::new(),
            output: output.clone(),
        }
    }
}

impl From<&BlameArgs> for Stream {
    fn from(args: &BlameArgs) -> Self {
        let BlameArgs { source: _, format, containers } = args;
        Self {
            count: Some(1),
            form: match format {
                ReportFormat::Text => Form::Blame,
                ReportFormat::Json => Form::Pretty,
            },
            containers: containers.clone(),
            output: None,
        }
    }
}

/// The programs' logging costs a record in a ring buffer, so they do it only where all is asked for.
fn program_log_level() -> u8 {
    if log::max_level() >= log::LevelFilter::Debug { log::LevelFilter::Debug as u8 } else { 0 }
}
