//! How sources and programs fared, in the words of the snapshot's `coverage`.

use std::collections::BTreeMap;

use super::{
    collect::{Collector, Sources},
    files::FileHealth,
};
use crate::{
    host::HostFiles,
    model::{Coverage, Probe, Source},
    probes::load::{ProbeState, ProbeStatus},
    runtime::ConnectionState,
};

impl Collector {
    /// What is known of this tick's quality.
    pub(super) fn coverage(&self, tick_ns: u64, health: &FileHealth) -> Coverage {
        let mut coverage = Coverage {
            probes: self.sources.absent_probes.iter().cloned().map(probe).collect(),
            lost: self.lost.clone(),
            sources: self.sources.fixed.clone(),
            // Of those who write what the tick measures.
            sinks: BTreeMap::new(),
            map_bytes: 0,
            tick_ns,
            census_ns: self.census.took_ns(),
        };
        if let Ok(probes) = &self.sources.probes {
            let losses = probes.reader.losses();
            coverage.lost.slot_overflows_total = losses.slot_overflows;
            coverage.lost.overflowed_switches_total = probes.reader.overflowed_switches();
            coverage.lost.overflowed_packets_total = probes.reader.overflowed_packets();
            (coverage.lost.untimed_connections_total, coverage.lost.unexplained_drops_total) =
                probes.reader.lost_of_sockets();
            coverage.lost.unknown_turns_total = losses.unknown_turns;
            coverage.lost.hidden_tasks_total = losses.hidden_tasks;
            coverage.lost.unblamed_ns_total = losses.unblamed_ns;
            coverage.lost.unblamed_preemptions_total = losses.unblamed_preemptions;
            coverage.lost.overflowed_requests_total = probes.blocks.overflowed();
            coverage.lost.unattributed_requests_total = self.block.unattributed();
            coverage.lost.unblamed_request_ns_total = probes.blocks.queues.lost_ns();
            coverage.lost.unremembered_completions_total = probes.blocks.queues.lost_completions();
            coverage.lost.untimed_faults_total = probes.reader.untimed_faults();
            coverage.lost.shortages_total = losses.shortages;
            if losses.slot_overflows > 0 {
                coverage
                    .sources
                    .insert("cgroup_slots".to_owned(), crowded(probes.reader.geometry().owned_slots));
            }
            coverage.map_bytes = probes.map_bytes as u64;
            coverage.probes = probes.status().map(probe).collect();
        }
        coverage.sources.insert("cgroup_files".to_owned(), self.files_source(health));
        coverage.sources.insert("host".to_owned(), host_source(&self.sources.host_files));
        coverage.sources.insert("network".to_owned(), self.network_source());
        coverage.sources.insert("block_io".to_owned(), block_source(&self.sources));
        coverage.lost.uncounted_entries_total = self.filesystems.health().skipped_total;
        coverage.sources.insert("filesystems".to_owned(), self.filesystems_source());
        let probes = self.sources.probes.as_ref().ok();
        coverage.sources.insert("tasks".to_owned(), self.census.source(probes));
        for (name, state) in &self.connections {
            coverage.sources.insert(name.to_string(), connection(state, self.registry.not_kept(name)));
        }
        coverage
    }

    /// Where `network` comes from.
    fn network_source(&self) -> Source {
        let counts = |name| self.sources.probes.as_ref().is_ok_and(|probes| probes.is_attached(name));
        let source = |state: &str, reason: Option<&str>| Source {
            state: state.to_owned(),
            reason: reason.map(ToOwned::to_owned),
            origin: None,
        };
        match (counts("cgroup_skb_ingress"), counts("cgroup_skb_egress")) {
            (true, true) => source("ok", None),
            (false, false) => source(
                "partial",
                Some(
                    "no packet is counted by its socket's cgroup (see probes): bytes and packets are those of the network \
                     namespace's interfaces, link-layer headers included, the same for all that share the namespace",
                ),
            ),
            _ => source("partial", Some("packets are counted in one direction only (see probes)")),
        }
    }

    fn files_source(&self, health: &FileHealth) -> Source {
        let (state, reason) = match &self.sources.hierarchy {
            Err(reason) => ("unavailable", Some(reason.clone())),
            Ok(_) if health.unreadable > 0 => {
                let last = health.last_error.clone().unwrap_or_default();
                (
                    "partial",
                    Some(format!("{} cgroups could not be read; the last one: {last}", health.unreadable)),
                )
            }
            Ok(_) if !self.sees_all => (
                "partial",
                Some(
                    "only a part of the cgroup tree is mounted here; in a container, use the host's cgroup namespace \
                     (docker run --cgroupns host)"
                        .to_owned(),
                ),
            ),
            Ok(_) if health.starved_files > 0 => (
                "ok",
                Some(format!(
                    "{} files are opened for each reading, which costs more, and fails where no descriptor is left: raise the limit on open files",
                    health.starved_files
                )),
            ),
            Ok(_) => ("ok", None),
        };
        let origin = self.sources.counted.as_ref().map(|mount| mount.point.display().to_string());
        Source { state: state.to_owned(), reason, origin }
    }
}

/// The tables of counters, where some cgroup found no room in them.
fn crowded(slots: u32) -> Source {
    Source {
        state: "partial".to_owned(),
        reason: Some(format!(
            "more cgroups ran than the {slots} slots of a CPU have room for, and what the others did is in `lost`: start \
             monitor again, which makes room for those that there are, or with --expect-cgroups"
        )),
        origin: None,
    }
}

/// The machine's own files.
fn host_source(files: &HostFiles) -> Source {
    let missing: Vec<&str> = files.missing().collect();
    let (state, reason) = match missing.as_slice() {
        [] => ("ok", None),
        missing => ("partial", Some(format!("cannot open {}", missing.join(", ")))),
    };
    Source { state: state.to_owned(), reason, origin: Some("/proc".to_owned()) }
}

/// Where `block_io` comes from.
fn block_source(sources: &Sources) -> Source {
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
fn probe(status: ProbeStatus) -> Probe {
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

/// The way to a runtime, of whose words so many found no room.
fn connection(state: &ConnectionState, not_kept: u64) -> Source {
    let ConnectionState { endpoint, connected, is_absent, reason, server_version: _ } = state;
    let (state, reason) = match (connected, is_absent) {
        (true, _) if not_kept > 0 => {
            let reason = format!(
                "it tells of more containers than are remembered of one runtime: those without a cgroup were forgotten, the \
                 oldest first, or not taken in, {not_kept} times"
            );
            ("partial", Some(reason))
        }
        (true, _) => ("ok", reason.clone()),
        (false, true) => ("absent", reason.clone()),
        (false, false) => ("unavailable", reason.clone()),
    };
    Source { state: state.to_owned(), reason, origin: Some(endpoint.clone()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_that_tells_too_much_is_partial_while_it_answers() {
        let mut state = ConnectionState {
            endpoint: "unix:///run/user/1000/docker.sock".to_owned(),
            connected: true,
            is_absent: false,
            reason: None,
            server_version: None,
        };
        assert_eq!(connection(&state, 0).state, "ok");
        let source = connection(&state, 7);
        assert_eq!(source.state, "partial");
        assert!(source.reason.unwrap().contains("7 times"));
        state.connected = false;
        assert_eq!(connection(&state, 7).state, "unavailable");
    }
}
