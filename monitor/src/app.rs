//! Builds sources, collector and sinks from settings; starts and stops them.

mod confined;
mod export;
mod look;
mod record;
mod replayed;
mod serve;
mod signals;
mod top;
mod watch;

pub use self::{
    look::look,
    record::{record, replay},
    serve::serve,
    top::top,
    watch::watch,
};

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::BytesMut;

use self::signals::{Ends, Signals};
use crate::{
    cgroup::{Hierarchy, Mode, Mount, list_cgroups, raise_fd_limit},
    collector::{
        collect::{Collector, Sources},
        run::{Message, Then, run},
    },
    confine::{self, Part},
    error::chain,
    filesystem::Surveyor,
    host::{HostFiles, read_facts},
    model::{self, Snapshot},
    output::{
        blame, csv, json,
        lines::Lines,
        sink::{Encode, Ended, Sink, SinkError, Target},
        table,
    },
    privileges,
    probes::{
        btf::Btf,
        load::{ProbeState, ProbeStatus, Probes},
        plan::{CountedHierarchy, Plan, plan},
        support::probe_kernel,
        sys,
    },
    recording::RecordingError,
    runtime::{
        RuntimeEvent, Standing, path,
        places::{self, Notice},
    },
    serve::ServeError,
    settings::{Form, Source, Stream},
    tui::TuiError,
};

/// Why monitor cannot do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Rights are missing.
    #[error("monitor needs {0}: run it as root, or with these capabilities")]
    NotPermitted(String),
    /// No running container has the name or id.
    #[error("no container is called {0}: `monitor snapshot` shows all that there are")]
    NoSuchContainer(String),
    /// No container of the recording has the name or id.
    #[error("no container in the recording is called {0}: `monitor report` lists them")]
    NotRecorded(String),
    /// It was told to stop before there was anything.
    #[error("stopped before anything was measured")]
    Stopped,
    /// Writing failed.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// Nothing can be shown.
    #[error(transparent)]
    Tui(#[from] TuiError),
    /// Nothing can be served.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A recording could not be made or read.
    #[error(transparent)]
    Recording(#[from] RecordingError),
}

/// How long a runtime may take to answer before a container's name counts as unknown.
const NAME_PATIENCE: Duration = Duration::from_secs(3);

/// Refuses to go on without the rights that are needed.
fn require_rights() -> Result<(), AppError> {
    match privileges::missing(privileges::effective()) {
        Some(missing) => Err(AppError::NotPermitted(missing)),
        None => Ok(()),
    }
}

/// Measures and writes until told to stop, or for as many windows as asked for.
pub fn stream(source: &Source, stream: &Stream) -> Result<(), AppError> {
    require_rights()?;
    let target = stream.output.as_deref().map_or_else(|| Ok(Target::stdout()), Target::file)?;
    let wanted =
        Wanted { containers: &stream.containers, cgroups: true, count: stream.count, duration: None };
    measure(source, &wanted, || match stream.form {
        Form::Line => Sink::start_into(Lines::new(target)),
        _ => Sink::start(target, encoder(stream)),
    })
}

/// Which part of the snapshots is wanted, and how many.
struct Wanted<'a> {
    /// These containers; all and the cgroups where empty.
    containers: &'a [String],
    /// Cgroups that are no container's.
    cgroups: bool,
    /// So many windows; no end where `None`.
    count: Option<u64>,
    /// Windows for so long.
    duration: Option<Duration>,
}

/// Measures and hands windows to a sink.
fn measure(
    source: &Source,
    wanted: &Wanted<'_>,
    start_sink: impl FnOnce() -> Sink<Snapshot>,
) -> Result<(), AppError> {
    let mut collector = Collector::new(open_sources(source), source.keep_ended);
    let (sender, messages) = channel();
    start_edges(source, Ends::OnRequest, sender);
    let mut publisher = Publisher {
        sink: start_sink(),
        left: wanted.count,
        containers: wanted.containers,
        has_named: false,
        unknown: None,
    };
    if !wanted.containers.is_empty() && await_runtimes(&mut collector, &messages, source.runtimes.answers()) {
        return Ok(());
    }
    confined::tick(&mut collector, false);
    let began = Instant::now();
    run(&mut collector, &messages, source.interval, |mut snapshot, collector| {
        if !wanted.cgroups {
            snapshot.cgroups.clear();
        }
        let then = publisher.publish(snapshot, collector);
        if wanted.duration.is_some_and(|duration| began.elapsed() >= duration) { Then::End } else { then }
    });
    publisher.finish()
}

/// Takes every runtime's first answer before counting starts, where a name depends on it. Whether a stop came instead.
fn await_runtimes(collector: &mut Collector, messages: &Receiver<Message>, answers: usize) -> bool {
    let deadline = Instant::now() + NAME_PATIENCE;
    let mut answered = BTreeSet::new();
    while answered.len() < answers {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(message) = messages.recv_timeout(left) else { break };
        let Message::Runtime(Notice { source, event, .. }) = message else { return true };
        let is_answer = matches!(&event, RuntimeEvent::Listed(_))
            || matches!(&event, RuntimeEvent::Connection(state) if !state.connected);
        collector.runtime_told(&source, event);
        // Users' own daemons are not among those that are waited for.
        if is_answer && source.standing() == Standing::Host {
            answered.insert(source);
        }
    }
    false
}

/// Hands windows to the sink.
struct Publisher<'a> {
    sink: Sink<Snapshot>,
    left: Option<u64>,
    containers: &'a [String],
    has_named: bool,
    unknown: Option<String>,
}

impl Publisher<'_> {
    fn publish(&mut self, mut snapshot: Snapshot, collector: &Collector) -> Then {
        if !self.knows_names(collector) {
            return if self.unknown.is_some() { Then::End } else { Then::GoOn };
        }
        if !self.containers.is_empty() {
            snapshot
                .containers
                .retain(|container| self.containers.iter().any(|name| container.is_called(name)));
            snapshot.cgroups.clear();
        }
        snapshot.coverage.lost.unwritten_snapshots_total = self.sink.dropped();
        if let Err(Ended) = self.sink.send(Arc::new(snapshot)) {
            return Then::End;
        }
        match &mut self.left {
            None => Then::GoOn,
            Some(left) => {
                *left -= 1;
                if *left == 0 { Then::End } else { Then::GoOn }
            }
        }
    }

    /// Whether every name asked for was met. One that is not is an error: the runtimes have had their time.
    fn knows_names(&mut self, collector: &Collector) -> bool {
        if self.has_named {
            return true;
        }
        let unknown = self.containers.iter().find(|name| !collector.knows_container(name));
        self.has_named = unknown.is_none();
        self.unknown = unknown.cloned();
        self.has_named
    }

    fn finish(self) -> Result<(), AppError> {
        let written = self.sink.finish();
        if let Some(name) = self.unknown {
            return Err(AppError::NoSuchContainer(name));
        }
        match written {
            Err(error) if error.is_broken_pipe() => Ok(()),
            other => Ok(other?),
        }
    }
}

fn encoder(stream: &Stream) -> Encode<Snapshot> {
    match stream.form {
        Form::Table => Box::new(table::encode),
        Form::Line => Box::new(json::encode_line),
        Form::Pretty => Box::new(json::encode_pretty),
        Form::Blame => Box::new(blame::encode),
        Form::Csv => {
            let mut is_first = true;
            Box::new(move |snapshot: &Snapshot, out: &mut BytesMut| {
                if std::mem::take(&mut is_first) {
                    csv::encode_header(out);
                }
                csv::encode_rows(snapshot, out);
            })
        }
    }
}

/// Opens every source; one that cannot be had costs its own fields.
#[must_use]
pub fn open_sources(source: &Source) -> Sources {
    let _ = raise_fd_limit();
    let hierarchy = Hierarchy::detect(Path::new("/proc")).map_err(|error| chain(&error));
    let kernel_types = Btf::read_kernel();
    let counted = hierarchy.as_ref().ok().and_then(|hierarchy| choose(hierarchy, kernel_types.as_ref().ok()));
    let facts = probe_kernel(&kernel_types);
    let plan = plan(&facts, counted.as_ref().map(|counted| counted.hierarchy), source.wishes);
    let probes = match plan.left_out.first() {
        Some((_, reason)) if plan.programs.is_empty() => Err(reason.clone()),
        _ => {
            let tree = counted.as_ref().map(|counted| counted.mount.point.as_path());
            Probes::load(&plan, tree).map_err(|error| chain(&error))
        }
    };
    drop(kernel_types);
    // Reading kernel types took tens of megabytes for a moment.
    sys::return_free_memory();
    if let Err(reason) = &probes {
        log::error!("nothing is counted by eBPF: {reason}");
    }
    let absent_probes = match &probes {
        Ok(_) => Vec::new(),
        Err(reason) => not_loaded(&plan, reason),
    };
    Sources {
        host: read_facts(),
        host_files: HostFiles::open(Path::new("/proc"), Path::new("/sys")),
        fixed: fixed_sources(&hierarchy),
        counted: counted.map(|counted| counted.mount),
        hierarchy,
        probes,
        absent_probes,
        surveyor: start_surveyor(source.filesystem_interval),
    }
}

/// Starts measuring what containers take on file systems.
fn start_surveyor(interval: Option<Duration>) -> Result<Surveyor, String> {
    let interval = interval.ok_or("switched off: --no-filesystem-usage")?;
    Surveyor::start(interval).map_err(|error| format!("start the thread that measures: {error}"))
}

/// The hierarchy whose cgroups are counted.
#[derive(Clone, Debug)]
pub struct Counted {
    /// How the programs find it.
    pub hierarchy: CountedHierarchy,
    /// Where it is mounted.
    pub mount: Mount,
}

/// The v2 tree, where containers are in it; else the first v1 hierarchy that a program can find.
#[must_use]
pub fn choose(hierarchy: &Hierarchy, kernel_types: Option<&Btf>) -> Option<Counted> {
    let block = hierarchy.v1_of("blkio").map_or(0, |v1| v1.id);
    let v1 = || {
        hierarchy.v1_keys().find_map(|(controller, v1)| {
            let subsystem = kernel_types?.enumerator("cgroup_subsys_id", &format!("{controller}_cgrp_id"))?;
            let hierarchy = CountedHierarchy { number: v1.id, subsystem: Some(subsystem), block };
            Some(Counted { hierarchy, mount: v1.mount.clone() })
        })
    };
    let v2 = hierarchy.unified_mount().map(|mount| Counted {
        hierarchy: CountedHierarchy { number: 0, subsystem: None, block },
        mount: mount.clone(),
    });
    match hierarchy.mode() {
        Mode::V2 => v2,
        Mode::V1 => v1(),
        // A runtime that is older than hybrid hosts puts its containers into the v1 trees alone.
        Mode::Hybrid => match (v2, v1()) {
            (Some(v2), Some(v1)) if !has_containers(&v2.mount) && has_containers(&v1.mount) => Some(v1),
            (v2, v1) => v2.or(v1),
        },
    }
}

fn has_containers(mount: &Mount) -> bool {
    list_cgroups(&mount.point)
        .is_ok_and(|found| found.iter().any(|(_, path)| path::parse(path).container.is_some()))
}

/// Every program's state where none was loaded.
fn not_loaded(plan: &Plan, reason: &str) -> Vec<ProbeStatus> {
    let refused = plan.programs.iter().map(|program| (*program, ProbeState::Refused(reason.to_owned())));
    let left_out =
        plan.left_out.iter().map(|(program, reason)| (*program, ProbeState::Unsupported(reason.clone())));
    refused.chain(left_out).map(|(program, state)| ProbeStatus { program, state, stats: None }).collect()
}

/// Sources whose state does not change while we run.
fn fixed_sources(hierarchy: &Result<Hierarchy, String>) -> BTreeMap<String, model::Source> {
    let absent = |reason: &str| model::Source {
        state: "absent".to_owned(),
        reason: Some(reason.to_owned()),
        origin: None,
    };
    let mut sources = BTreeMap::new();
    let pressure = match hierarchy {
        Ok(hierarchy) if hierarchy.unified().is_none() => {
            absent("pressure needs a cgroup2 tree, and none is mounted")
        }
        _ if !Path::new("/proc/pressure").exists() => {
            absent("this kernel was built or booted without pressure stall information (boot with psi=1)")
        }
        _ => model::Source { state: "ok".to_owned(), reason: None, origin: None },
    };
    sources.insert("pressure".to_owned(), pressure);
    sources.insert("confinement".to_owned(), confined::source());
    sources
}

/// The edges, on a thread of their own: the runtimes' clients and signals. They end with the process. When this returns, signals
/// are listened for.
fn start_edges(source: &Source, ends: Ends, sender: Sender<Message>) {
    let runtimes = source.runtimes.clone();
    let (listens, listening) = channel::<Infallible>();
    let work = move || {
        confine::enter(Part::Edges);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return log::error!("start the event loop for signals and runtimes: {error}"),
        };
        let told = sender.clone();
        runtime.block_on(async move {
            let signals = Signals::listen(ends);
            drop(listens);
            // Sending fails only after the loop has ended.
            let tell = move |notice| drop(told.send(Message::Runtime(notice)));
            tokio::spawn(places::watch_all(runtimes, tell));
            match signals {
                Ok(signals) => signals.pass_on(&sender).await,
                Err(error) => {
                    log::error!("listen for signals: {error}");
                    std::future::pending::<()>().await;
                }
            }
        });
    };
    if let Err(error) = thread::Builder::new().name("edges".to_owned()).spawn(work) {
        log::error!("start the thread for signals and runtimes: {error}");
    }
    // Nothing comes but the end.
    let _ = listening.recv();
}
