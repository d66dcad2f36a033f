//! `monitor inspect`: one container's isolation at a glance, read once from /proc and the cgroup files.
//!
//! Needs no eBPF. A container is found by the path of its cgroup; Runtimes are asked once for names and may be absent. What
//! vanishes while it is read is left out. Environment variables are not read at all.

mod filesystems;
mod find;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod limits;
pub mod model;
mod mounts;
mod namespaces;
mod process;
mod read;
mod security;
mod text;

use std::{
    io::{self, Write as _},
    path::Path,
    time::Duration,
};

use self::{model::Inspection, read::Host};
use crate::{
    cgroup::CgroupError,
    cli::ReportFormat,
    error::chain,
    output::escape::safe_json,
    privileges,
    runtime::{
        Metadata,
        places::{self, RuntimeError, RuntimeSettings},
    },
    settings::Inspect,
};

/// How long a runtime may take to tell names.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why a container cannot be inspected.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// Rights are missing.
    #[error("monitor inspect needs {0}: run it as root, or with this capability")]
    NotPermitted(String),
    /// No container has the name or id.
    #[error("no container is called {wanted}")]
    NoSuchContainer {
        /// What was asked for.
        wanted: String,
    },
    /// No container has the id, and names could not be had.
    #[error("no container has the id {wanted}, and its name is not known")]
    NoNames {
        /// What was asked for.
        wanted: String,
        /// Why not.
        source: Box<RuntimeError>,
    },
    /// This process could not make what waits for answers.
    #[error("make an event loop to ask runtimes")]
    NoEventLoop(#[source] io::Error),
    /// The beginning of an id is that of several.
    #[error("{wanted} could be any of {candidates}")]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// The containers that it could mean.
        candidates: String,
    },
    /// The runtime knows it, but it has no processes.
    #[error("container {container} is not running: {state}")]
    NotRunning {
        /// Its id and name.
        container: String,
        /// What it is or did instead.
        state: String,
    },
    /// The cgroups cannot be read.
    #[error("find the containers' cgroups")]
    Cgroups(#[from] CgroupError),
    /// The time of the boot cannot be read.
    #[error("read {path}")]
    Boot {
        /// The file.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// Writing failed.
    #[error("write to standard output")]
    Write(#[source] io::Error),
}

/// Inspects a container and prints what it finds.
pub fn run(settings: &Inspect) -> Result<(), InspectError> {
    if let Some(missing) = privileges::missing_to_inspect(privileges::effective()) {
        return Err(InspectError::NotPermitted(missing));
    }
    let host = Host::detect(Path::new("/proc"), Path::new("/"))?;
    let (told, failures) = ask_runtimes(&settings.runtimes)?;
    let mut failures = failures.into_iter();
    let mut inspection = match host.inspect(&settings.container, &told) {
        Err(InspectError::NoSuchContainer { wanted }) => {
            return Err(match failures.next() {
                Some(source) => InspectError::NoNames { wanted, source: Box::new(source) },
                None => InspectError::NoSuchContainer { wanted },
            });
        }
        inspection => inspection?,
    };
    let metadata = tell_storage(&settings.runtimes, told, &inspection)?;
    let cgroup = host.directory_of(&inspection);
    inspection.filesystems = cgroup.and_then(|cgroup| filesystems::measure(cgroup, metadata.as_ref()));
    failures.for_each(|error| log::warn!("names are not known: {}", chain(&error)));
    let text = match settings.format {
        ReportFormat::Text => text::encode(&inspection),
        ReportFormat::Json => json(&inspection),
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(InspectError::Write(error)),
        _ => Ok(()),
    }
}

/// The JSON Schema of an inspection, generated from its types.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(Inspection);
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

/// It cannot fail: every map has string keys and nothing in an inspection refuses to be serialized.
fn json(inspection: &Inspection) -> String {
    safe_json(serde_json::to_string_pretty(inspection).unwrap_or_default()) + "\n"
}

fn ask_runtimes(settings: &RuntimeSettings) -> Result<(Vec<Metadata>, Vec<RuntimeError>), InspectError> {
    Ok(event_loop()?.block_on(places::list_all(settings, PATIENCE)))
}

/// What was told of the container, and where its data lie as far as its runtime tells.
fn tell_storage(
    settings: &RuntimeSettings,
    told: Vec<Metadata>,
    inspection: &Inspection,
) -> Result<Option<Metadata>, InspectError> {
    let Some(mut metadata) = told.into_iter().find(|one| one.id.as_str() == inspection.id) else {
        return Ok(None);
    };
    if metadata.storage.is_none() {
        metadata.storage = event_loop()?.block_on(places::storage_of(settings, &metadata.id, PATIENCE));
    }
    Ok(Some(metadata))
}

fn event_loop() -> Result<tokio::runtime::Runtime, InspectError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(InspectError::NoEventLoop)
}
