//! CPU time, quota and load.

use super::{
    Metric, Of,
    Read::{Each, One},
    same,
};
use crate::cadvisor::exposition::{
    Kind::{Counter, Gauge},
    Value::{Count, Nanoseconds},
};

const COUNTED_AT_SWITCHES: &str = "every thread is counted, at each switch, where cAdvisor reads process leaders; of cgroups that are no \
     container's, their own tasks; since monitor counts";
const FROM_THE_CENSUS: &str = "cAdvisor says 0 on cgroup v2 and without its load reader";

/// In the order of the export.
pub(super) static CPU: &[Metric] = &[
    same(
        "container_cpu_usage_seconds_total",
        Counter,
        Of::Use,
        "CPU time used.",
        Each(|stats, series| {
            series.put_with(&[("cpu", "total")], stats.cpu.usage.total.map(Nanoseconds));
        }),
    )
    .by(&["cpu"])
    .corrected("`cpu=\"total\"` alone, on cgroup v1 too"),
    same(
        "container_cpu_user_seconds_total",
        Counter,
        Of::Use,
        "CPU time used in user space.",
        One(|_, stats| stats.cpu.usage.user.map(Nanoseconds)),
    ),
    same(
        "container_cpu_system_seconds_total",
        Counter,
        Of::Use,
        "CPU time used in the kernel.",
        One(|_, stats| stats.cpu.usage.system.map(Nanoseconds)),
    ),
    same(
        "container_cpu_cfs_periods_total",
        Counter,
        Of::Use,
        "Quota periods that passed.",
        One(|_, stats| stats.cpu.cfs.periods.map(Count)),
    ),
    same(
        "container_cpu_cfs_throttled_periods_total",
        Counter,
        Of::Use,
        "Quota periods in which the quota ran out.",
        One(|_, stats| stats.cpu.cfs.throttled_periods.map(Count)),
    ),
    same(
        "container_cpu_cfs_throttled_seconds_total",
        Counter,
        Of::Use,
        "Time that tasks were held back by the quota.",
        One(|_, stats| stats.cpu.cfs.throttled_time.map(Nanoseconds)),
    ),
    same(
        "container_cpu_load_average_10s",
        Gauge,
        Of::Use,
        "Runnable tasks times 1000, decaying over ten seconds.",
        One(|_, stats| stats.cpu.load_average.map(Count)),
    )
    .corrected(FROM_THE_CENSUS),
    same(
        "container_cpu_load_d_average_10s",
        Gauge,
        Of::Use,
        "Tasks in uninterruptible sleep times 1000, decaying over ten seconds.",
        One(|_, stats| stats.cpu.load_d_average.map(Count)),
    )
    .corrected(FROM_THE_CENSUS),
    same(
        "container_tasks_state",
        Gauge,
        Of::Use,
        "Tasks by what they do.",
        Each(|stats, series| {
            let load = &stats.task_stats;
            for (state, tasks) in [
                ("sleeping", load.nr_sleeping),
                ("running", load.nr_running),
                ("stopped", load.nr_stopped),
                ("uninterruptible", load.nr_uninterruptible),
                ("iowaiting", load.nr_io_wait),
            ] {
                series.put_with(&[("state", state)], tasks.map(Count));
            }
        }),
    )
    .by(&["state"])
    .corrected(FROM_THE_CENSUS),
    same(
        "container_cpu_schedstat_run_seconds_total",
        Counter,
        Of::Use,
        "Time spent running.",
        One(|_, stats| stats.cpu.schedstat.run_time.map(Nanoseconds)),
    )
    .corrected(COUNTED_AT_SWITCHES),
    same(
        "container_cpu_schedstat_runqueue_seconds_total",
        Counter,
        Of::Use,
        "Time spent runnable and waiting for a CPU.",
        One(|_, stats| stats.cpu.schedstat.runqueue_time.map(Nanoseconds)),
    )
    .corrected(COUNTED_AT_SWITCHES),
    same(
        "container_cpu_schedstat_run_periods_total",
        Counter,
        Of::Use,
        "Turns on a CPU that have ended.",
        One(|_, stats| stats.cpu.schedstat.run_periods.map(Count)),
    )
    .corrected(COUNTED_AT_SWITCHES),
];
