//! How what was counted compares with the machine's own figures, and what counting costs.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric::metrics;

/// What was counted for all cgroups together, beside the machine's own growth in the same time. Each cgroup counts once
/// here, with its own tasks. What `coverage.lost` names is missing, so that a loss shows as a negative error; so do tasks that
/// reach no tracepoint, as there are on some virtual machines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Audit {
    /// When both sides began: at the first reading.
    pub since: Option<Timestamp>,
    /// Context switches away from tasks, against `ctxt` of `/proc/stat` less the switches that the kernel counts for its
    /// idle tasks, which belong to no cgroup. Equal but for what happens between the two readings of a tick.
    pub switches: Option<Comparison>,
    /// Page faults of tasks, minor and major together, against `pgfault` of `/proc/vmstat`. The machine also counts faults
    /// that failed and, before Linux 6.4, each retry of one, so the error is 0 or slightly negative. Major faults alone
    /// cannot be compared: a task's count has those that waited for a read begun by another, the machine's has not.
    pub faults: Option<Comparison>,
    /// Time on a CPU in nanoseconds, against `cpuacct.usage` of the root of cgroup v1's hierarchy; `null` without one. Both
    /// are booked by the scheduler, to the nanosecond.
    pub on_cpu_ns: Option<Comparison>,
    /// Time on a CPU in nanoseconds, against user, nice, system, irq and softirq time of `/proc/stat`. Stolen and idle time
    /// is in neither. The machine's side is sampled in ticks on most kernels, and has interrupts that hit idle CPUs.
    pub sampled_on_cpu_ns: Option<Comparison>,
    /// What this program takes for itself.
    pub agent: Agent,
}

/// Two counts of the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// What was counted since `since`.
    pub counted: u64,
    /// What the machine counted.
    pub machine: u64,
    /// `counted` less `machine`.
    pub error: i64,
    /// `error` in percent of `machine`; `null` where that is 0.
    pub error_percent: Option<f64>,
}

metrics! {
    /// What this program takes for itself; what its eBPF programs take is charged to the tasks they run in.
    Agent at agent of Audit {
        /// CPU time of all its threads since its start.
        cpu_ns_total: Counter,
        /// Growth of `cpu_ns_total` over the window, in CPUs.
        cpu_cores: Ratio,
        /// Its resident memory, the pages of eBPF maps that it shares with the kernel included.
        resident_bytes: Gauge,
        /// What the eBPF maps take in the kernel.
        map_bytes: Gauge,
        /// What reading every source took for this snapshot.
        tick_ns: Gauge,
        /// Times that its eBPF programs ran while `kernel.bpf_stats_enabled` was on.
        program_runs_total: Counter,
        /// What they took then, the measuring included.
        program_run_ns_total: Counter,
        /// The mean of that.
        program_run_mean_ns: Ratio,
    }
}
