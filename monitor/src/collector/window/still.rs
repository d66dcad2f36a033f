//! Which series did nothing in a window, so that what is shown of them need not be made again.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{block, containers_by_run};
use crate::{
    collector::sample::{Blamed, ContainerInfo, Sample, Series, WaitRow},
    newtypes::CgroupId,
};

/// Tells, of two samples in a row.
pub(super) struct Still {
    /// Whether block devices are called what they were called.
    is_same_devices: bool,
    /// Containers that came, went or are called otherwise, by their run.
    renamed: HashSet<CgroupId>,
}

impl Still {
    pub(super) fn of(before: &Sample, now: &Sample) -> Self {
        let (was, is) = (containers_by_run(before), containers_by_run(now));
        let differs = |run: &CgroupId, other: &HashMap<CgroupId, &ContainerInfo>| {
            !was.get(run).zip(other.get(run)).is_some_and(|(was, is)| is_same_container(was, is))
        };
        Self {
            is_same_devices: block::device_names(before) == block::device_names(now),
            renamed: was.keys().chain(is.keys()).filter(|run| differs(run, &is)).copied().collect(),
        }
    }

    /// Whether everything that is shown of a series is in both samples the same, but for what has an age.
    pub(super) fn has(&self, before: &Series, now: &Series) -> bool {
        let Series {
            cgroup,
            path,
            container,
            counting_since,
            is_whole,
            is_new,
            counters,
            counted,
            waited,
            block,
            queued,
            activity: _,
            throttled,
            files,
            // When they were read makes a difference only where they have changed.
            files_read_ns: _,
            interfaces,
            filesystems: _,
        } = now;
        let is_same_container = match (&before.container, container) {
            (Some(before), Some(now)) => is_same_container(before, now),
            (before, now) => before.is_none() && now.is_none(),
        };
        self.is_same_devices
            && is_same_container
            && (before.cgroup, before.counting_since, before.is_whole, before.is_new, before.counted)
                == (*cgroup, *counting_since, *is_whole, *is_new, *counted)
            && before.path == *path
            && is_same(before.counters.as_ref(), counters.as_ref())
            && is_same(before.block.as_ref(), block.as_ref())
            && is_same(before.throttled.as_ref(), throttled.as_ref())
            && is_same_arc(&before.files, files)
            && before.interfaces == *interfaces
            && self.is_same_row(before.waited.as_ref(), waited.as_ref())
            && self.is_same_row(before.queued.as_ref(), queued.as_ref())
    }

    /// Whether it waited for nothing, and those that it once waited for are called what they were called.
    fn is_same_row(&self, before: Option<&WaitRow>, now: Option<&WaitRow>) -> bool {
        let is_renamed =
            |blamed: &Blamed| matches!(blamed, Blamed::Container(run) if self.renamed.contains(run));
        match (before, now) {
            (Some(before), Some(now)) => is_same_arc(before, now) && !now.keys().any(is_renamed),
            (before, now) => before.is_none() && now.is_none(),
        }
    }
}

fn is_same_container(before: &ContainerInfo, now: &ContainerInfo) -> bool {
    let ContainerInfo { run, metadata, namespaces } = now;
    is_same_arc(&before.run, run)
        && is_same(before.metadata.as_ref(), metadata.as_ref())
        && is_same_arc(&before.namespaces, namespaces)
}

fn is_same<T: PartialEq>(before: Option<&Arc<T>>, now: Option<&Arc<T>>) -> bool {
    match (before, now) {
        (Some(before), Some(now)) => is_same_arc(before, now),
        (before, now) => before.is_none() && now.is_none(),
    }
}

/// What did not change is shared, most often.
fn is_same_arc<T: PartialEq>(before: &Arc<T>, now: &Arc<T>) -> bool {
    Arc::ptr_eq(before, now) || before == now
}

#[cfg(test)]
mod tests;
