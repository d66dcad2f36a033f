//! Who a container is and what it may use.

use jiff::Timestamp;

use super::{Metric, Of, Read::One, same};
use crate::cadvisor::exposition::{
    Kind::Gauge,
    Value::{self, Count, Integer},
};

/// In the order of the export.
pub(super) static IDENTITY: &[Metric] = &[
    same("container_last_seen", Gauge, Of::Identity, "When the container was last seen, in seconds since 1970.", One(|_, stats| seconds(Some(stats.timestamp))))
    .corrected(
        "when the container was last read, and of one that has ended when it ended, as long as `serve` keeps it; \
         cAdvisor says when it was asked",
    ),
    same("container_start_time_seconds", Gauge, Of::Identity, "When the container was started, in seconds since 1970.", One(|info, _| seconds(info.spec.start_time)))
    .corrected("of containers, where cAdvisor gives every cgroup its directory's time"),
    same("container_creation_time_seconds", Gauge, Of::Identity, "When the container was made, in seconds since 1970.", One(|info, _| seconds(info.spec.creation_time)))
    .corrected("of containers, where cAdvisor gives every cgroup its directory's time"),
    same("container_spec_cpu_period", Gauge, Of::Spec, "Length of a quota period, in microseconds.", One(|info, _| info.spec.cpu.period.map(Count))),
    same("container_spec_cpu_quota", Gauge, Of::Spec, "CPU time allowed in each period, in microseconds.", One(|info, _| info.spec.cpu.quota.filter(|quota| *quota > 0).map(Count))),
    same("container_spec_cpu_shares", Gauge, Of::Spec, "Share of contended CPU time.", One(|info, _| info.spec.cpu.limit.map(Count)))
    .corrected(
        "absent on cgroup v2, whose weight runtimes make of the shares by two rules: cAdvisor reverses the old one \
         always (4537 for 2048)",
    ),
    same("container_spec_memory_limit_bytes", Gauge, Of::Spec, "Memory limit; 0 is none.", One(|info, _| info.spec.memory.limit.map(limit))),
    same("container_spec_memory_swap_limit_bytes", Gauge, Of::Spec, "Swap limit, on cgroup v1 of memory and swap together; 0 is none.", One(|info, _| info.spec.memory.swap_limit.map(limit))),
    same("container_scrape_error", Gauge, Of::Identity, "1 if the container could not be read, else 0.", One(|_, _| Some(Count(0)))),
];

fn seconds(at: Option<Timestamp>) -> Option<Value> {
    at.map(|at| Integer(at.as_second()))
}

/// cAdvisor's word for no limit is 0.
fn limit(bytes: u64) -> Value {
    const NO_LIMIT_FROM: u64 = 1 << 62;
    Count(if bytes >= NO_LIMIT_FROM { 0 } else { bytes })
}
