//! What tasks do, of a Snapshot.

use crate::{
    collector::{census::Activity, sample::Series},
    model::Tasks,
    probes::census::TaskStates,
};

/// Nothing of a container that has ended: it has no tasks any more.
pub(super) fn tasks(series: &Series, taken_ns: u64) -> Tasks {
    let Some(activity) = series.activity.as_deref().filter(|_| !series.has_ended()) else {
        return Tasks::default();
    };
    let Activity { states, running_10s, disk_sleep_10s, looked_ns } = *activity;
    let TaskStates { running, sleeping, disk_sleep, stopped, zombie, frozen, idle, io_wait } = states;
    Tasks {
        running: Some(running),
        sleeping: Some(sleeping),
        disk_sleep: Some(disk_sleep),
        io_wait: Some(io_wait),
        stopped: Some(stopped),
        zombie: Some(zombie),
        frozen: Some(frozen),
        idle: Some(idle),
        load_10s: Some(running_10s + disk_sleep_10s),
        running_10s: Some(running_10s),
        disk_sleep_10s: Some(disk_sleep_10s),
        age_ns: Some(taken_ns.saturating_sub(looked_ns)),
    }
}
