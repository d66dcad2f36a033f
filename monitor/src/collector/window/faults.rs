//! Page faults.

use monitor_common::{counters::TaskCounters, faults::FaultTimes, histogram::FINE};

use super::{Window, latency, sched_counters};
use crate::{
    collector::sample::Series,
    model::{Faults, Latency},
};

pub(super) fn faults(series: &Series, window: &Window<'_>) -> Faults {
    let minor = |series: &Series| sched_counters(series).map(|sched| sched.minor_faults);
    let major = |series: &Series| sched_counters(series).map(|sched| sched.major_faults);
    let tasks = |series: &Series| series.counters.as_ref().map(|counters| counters.tasks);
    let exceptions =
        |is_counted: bool, read: fn(TaskCounters) -> u64| tasks(series).filter(|_| is_counted).map(read);
    Faults {
        minor_total: minor(series),
        major_total: major(series),
        minor_per_second: window.rate(minor(series), minor),
        major_per_second: window.rate(major(series), major),
        major_ns_total: times(series).map(|times| times.total_ns),
        user_exceptions_total: exceptions(series.counted.user_exceptions, |tasks| {
            tasks.user_fault_exceptions
        }),
        kernel_exceptions_total: exceptions(series.counted.kernel_exceptions, |tasks| {
            tasks.kernel_fault_exceptions
        }),
        major_latency: major_latency(series, window),
    }
}

/// How long major faults took; `None` where none is timed.
fn times(series: &Series) -> Option<FaultTimes> {
    let counters = series.counters.as_ref().filter(|_| series.counted.major_times)?;
    Some(counters.faults.as_deref().copied().unwrap_or_default())
}

/// The times of the window; of a series without a predecessor in it, of all its time.
fn major_latency(series: &Series, window: &Window<'_>) -> Option<Latency> {
    let FaultTimes { latency: mut counts, max_ns, total_ns: _ } = times(series)?;
    if let Some(before) = window.before.and_then(times) {
        for (count, before) in counts.iter_mut().zip(before.latency) {
            *count = count.checked_sub(before)?;
        }
    }
    Some(latency(&counts, FINE, Some(max_ns)))
}
