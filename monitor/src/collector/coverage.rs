//! How sources and programs fared, in the words of the snapshot's `coverage`.

use crate::{
    host::HostFiles,
    model::{Probe, Source},
    probes::load::{ProbeState, ProbeStatus},
    runtime::ConnectionState,
};

/// The machine's own files.
pub(super) fn host_source(files: &HostFiles) -> Source {
    let missing: Vec<&str> = files.missing().collect();
    let (state, reason) = match missing.as_slice() {
        [] => ("ok", None),
        missing => ("partial", Some(format!("cannot open {}", missing.join(", ")))),
    };
    Source { state: state.to_owned(), reason, origin: Some("/proc".to_owned()) }
}

/// A program.
pub(super) fn probe(status: ProbeStatus) -> Probe {
    let ProbeStatus { program, state, stats } = status;
    let (state, reason) = match state {
        ProbeState::Attached => ("attached", None),
        ProbeState::Unsupported(reason) => ("unsupported", Some(reason)),
        ProbeState::Refused(reason) => ("refused", Some(reason)),
    };
    let stats = stats.filter(|stats| stats.run_count > 0);
    Probe {
        name: program.name.to_owned(),
        state: state.to_owned(),
        reason,
        run_count: stats.map(|stats| stats.run_count),
        run_time_ns: stats.map(|stats| stats.run_time_ns),
    }
}

/// The way to a runtime.
pub(super) fn connection(state: &ConnectionState) -> Source {
    let ConnectionState { endpoint, connected, is_absent, reason, server_version: _ } = state;
    let state = match (connected, is_absent) {
        (true, _) => "ok",
        (false, true) => "absent",
        (false, false) => "unavailable",
    };
    Source { state: state.to_owned(), reason: reason.clone(), origin: Some(endpoint.clone()) }
}
