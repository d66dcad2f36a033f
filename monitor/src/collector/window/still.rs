//! Which series did nothing in a window, so that what is shown of them need not be made again.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    collector::sample::{Blamed, ContainerInfo, Series, WaitRow},
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
    /// Of the series before, the containers now, and whether block devices are called what they were called.
    pub(super) fn of(
        before: &HashMap<CgroupId, &Series>,
        now: &HashMap<CgroupId, &ContainerInfo>,
        is_same_devices: bool,
    ) -> Self {
        let was = |run: &CgroupId| before.get(run)?.container.as_ref();
        let differs =
            |run: &CgroupId| !was(run).zip(now.get(run)).is_some_and(|(was, is)| is_same_container(was, is));
        let gone = before.keys().filter(|run| was(run).is_some() && !now.contains_key(run));
        let renamed = now.keys().filter(|run| differs(run)).chain(gone).copied().collect();
        Self { is_same_devices, renamed }
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
