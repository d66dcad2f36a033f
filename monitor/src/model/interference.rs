//! Whom a container's waiting is blamed on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Part of a container's waiting for a CPU and whom it is blamed on. The parts of a container add up to its
/// `runq_wait_ns_total`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interference {
    /// Whom or what.
    pub source: InterferenceSource,
    /// The other container's id; `null` where the source is no single container.
    pub id: Option<String>,
    /// The other container's name.
    pub name: Option<String>,
    /// Time waited.
    pub wait_ns_total: u64,
    /// Growth of `wait_ns_total` over the window.
    pub wait_ns_per_second: Option<f64>,
    /// Waits that the source had a part in.
    pub waits_total: u64,
    /// Times that a task had to leave its CPU for the source though it could have gone on.
    pub preemptions_total: u64,
}

/// What can keep a task from a CPU, or a request from its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum InterferenceSource {
    /// Other tasks of the same container.
    #[serde(rename = "self")]
    Own,
    /// Another container; without an id, containers that have ended and are no longer shown.
    Container,
    /// Tasks that are in no container, the kernel's threads among them.
    System,
    /// The CPU quota of the container or of a cgroup around it: throttling.
    Quota,
    /// Nobody: the CPU was idle, and waking it up took this long.
    Wakeup,
    /// Not known: the wait was for another CPU before the task was moved, or longer than what is remembered of a CPU.
    Unknown,
}

/// Part of the time of a container's requests to block devices and whom it is blamed on: the time from the beginning of each
/// request to the last completion on its device before its own, split at the completions in between. What a device did between
/// two completions it did for the second one; where it does several things at once, this is whose requests it got done
/// meanwhile, and not that it could have done ours instead. The rest of a request's time is its own service, and in no row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BlockInterference {
    /// Whose requests: `self`, `container` or `system`. `unknown`: completions so many ago that they are not remembered.
    pub source: InterferenceSource,
    /// The other container's id; `null` where the source is no single container.
    pub id: Option<String>,
    /// The other container's name.
    pub name: Option<String>,
    /// Time waited, of all requests together.
    pub wait_ns_total: u64,
    /// Growth of `wait_ns_total` over the window.
    pub wait_ns_per_second: Option<f64>,
    /// Requests that waited for the source.
    pub waits_total: u64,
}
