//! How sources and programs fared, in the words of the snapshot's `coverage`.

use super::collect::Sources;
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

/// Where `block_io` comes from.
pub(super) fn block_source(sources: &Sources) -> Source {
    let is_counted = sources.probes.as_ref().is_ok_and(|probes| probes.is_attached("block_rq_complete"));
    let v1 = sources.hierarchy.as_ref().ok().and_then(|hierarchy| hierarchy.v1_of("blkio"));
    let mut reasons = Vec::new();
    if !is_counted {
        reasons.push(
            "requests are not counted by eBPF (see probes): there is what the cgroup files have, if anything",
        );
    }
    if v1.is_some() {
        reasons.push(
            "the block controller is v1: the kernel charges buffered writes to the root cgroup, whoever made them, and \
             requests find their container by the path of its cgroup",
        );
    }
    let reason = (!reasons.is_empty()).then(|| reasons.join("; "));
    Source {
        state: if reason.is_some() { "partial" } else { "ok" }.to_owned(),
        reason,
        origin: v1.map(|v1| v1.mount.point.display().to_string()),
    }
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
