//! What was measured, by which means, and what was lost: data, not a log line.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The quality of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// The eBPF programs.
    pub probes: Vec<Probe>,
    /// What did not reach the snapshot.
    pub lost: Lost,
    /// The other sources by name; one that is down costs its own fields only.
    pub sources: BTreeMap<String, Source>,
    /// The databases and collectors that `monitor serve` writes to, by name, as of the snapshot before; one that is down costs
    /// nobody else anything.
    #[serde(default)]
    pub sinks: BTreeMap<String, Sink>,
    /// Bytes that the eBPF maps take in the kernel.
    pub map_bytes: u64,
    /// What reading every source took for this snapshot, in nanoseconds.
    pub tick_ns: u64,
    /// What the last look at every task took (see `tasks`), in nanoseconds; `null` where there was none. Looks are at least 500
    /// times as far apart.
    pub census_ns: Option<u64>,
}

/// One eBPF program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Probe {
    /// Its name: the tracepoint's or cgroup hook's, or `flush`, `seed` and `census`, which are attached to none.
    pub name: String,
    /// `attached`; `unsupported` by this kernel or switched off; `refused` by the kernel.
    pub state: String,
    /// Why it is not attached.
    pub reason: Option<String>,
    /// Times it ran while `kernel.bpf_stats_enabled` was on; `null` while it never was.
    pub run_count: Option<u64>,
    /// Nanoseconds that it took then, the measuring included.
    pub run_time_ns: Option<u64>,
}

/// What was not counted where it belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lost {
    /// Times that a cgroup's slot was looked for and none was free.
    pub slot_overflows_total: u64,
    /// Switches of such cgroups, which are counted here instead.
    pub overflowed_switches_total: u64,
    /// Packets of sockets whose cgroup found no slot, or has none, which are counted here instead.
    pub overflowed_packets_total: u64,
    /// Requests to block devices of cgroups that found no room, which are counted here instead.
    pub overflowed_requests_total: u64,
    /// Requests to block devices of no cgroup, or of one that was forgotten since, which are counted here instead.
    pub unattributed_requests_total: u64,
    /// TCP connections established or closed whose time found no room in the table of times.
    pub untimed_connections_total: u64,
    /// Packets thrown away whose reason found no room in the table of reasons.
    pub unexplained_drops_total: u64,
    /// Lifecycle records that found the ring buffer full; the cgroup tree is then walked instead.
    pub lifecycle_records_total: u64,
    /// Lifecycle records of unknown form.
    pub discarded_records_total: u64,
    /// Turns on a CPU of tasks of which nothing earlier was known to subtract.
    pub unknown_turns_total: u64,
    /// Tasks older than the count that the kernel shows to no program until they are met running, counted from then on.
    pub hidden_tasks_total: u64,
    /// Nanoseconds waited for a CPU that found no room in the table of who waited for whom.
    pub unblamed_ns_total: u64,
    /// Preemptions that found no room in it.
    pub unblamed_preemptions_total: u64,
    /// Nanoseconds that requests to block devices waited for others that found no room in that table of theirs.
    pub unblamed_request_ns_total: u64,
    /// Completed requests to more block devices than are remembered, for which nobody is said to have waited.
    pub unremembered_completions_total: u64,
    /// Major faults that were not timed though they were to be.
    pub untimed_faults_total: u64,
    /// Reclaims of memory and kills for lack of it that found no room in their table.
    pub shortages_total: u64,
    /// Cgroups that counted something but were gone before anything told their path.
    pub unknown_cgroups_total: u64,
    /// Files and directories that were there and are not in what containers take on file systems, over all walks.
    pub uncounted_entries_total: u64,
    /// Snapshots that were not written because the reader of the stream was too slow.
    pub unwritten_snapshots_total: u64,
}

/// A source other than a probe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// `ok`, `partial`, `unavailable` or `absent` (not built yet, or switched off).
    pub state: String,
    /// Why it is not `ok`.
    pub reason: Option<String>,
    /// Where it is read from.
    pub origin: Option<String>,
}

/// A database or collector that is written to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sink {
    /// `ok`; `failing` when the last attempt was in vain; `starting` before the first.
    pub state: String,
    /// Why it is not `ok`.
    pub reason: Option<String>,
    /// Where it is, without credentials.
    pub destination: String,
    /// Values that it has taken; of one that is written to in datagrams, values sent.
    pub delivered_samples_total: u64,
    /// Values that it refused for good, or that could not be sent in a datagram.
    pub refused_samples_total: u64,
    /// Values that were thrown away, the oldest first, because too many waited for it.
    pub dropped_samples_total: u64,
    /// Attempts to write that were in vain and made again.
    pub retries_total: u64,
    /// Bytes that wait for it.
    pub queued_bytes: u64,
}
