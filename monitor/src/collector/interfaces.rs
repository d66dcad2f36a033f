//! Whose interfaces are read when.
//!
//! Reading them takes some 40 µs a container, more than everything else that a tick does for one. They are the second
//! opinion on what the sockets' own counters say, so they are read where packets passed, and not more often than the
//! budget allows, and once for all containers that share a namespace.

use std::{collections::HashMap, sync::Arc};

use crate::{
    host::{Interface, NetworkView},
    newtypes::CgroupId,
};

/// At most one reading in this time, over all containers: 0.2 % of a CPU. With 100 containers each is read every 2 s.
const SHARE_NS: u64 = 20_000_000;
/// The interfaces of a container without traffic of its own are read too, since its neighbours in the namespace may have some:
/// in one of so many turns, within the bounds below.
const QUIET_TURNS: u64 = 5;
const SHORTEST_QUIET_NS: u64 = 10_000_000_000;
const LONGEST_QUIET_NS: u64 = 30_000_000_000;

/// How long they are left alone. Where there are so many containers that a turn takes longer than the bounds, a turn.
fn quiet_ns(share_ns: u64) -> u64 {
    (share_ns * QUIET_TURNS).clamp(SHORTEST_QUIET_NS, LONGEST_QUIET_NS).max(share_ns)
}

#[derive(Default)]
struct Entry {
    view: Option<NetworkView>,
    last: Option<Arc<[Interface]>>,
    read_ns: u64,
    /// What [`Subject::packets`] was then.
    packets: Option<u64>,
}

/// What the interfaces of every container's namespace said last.
#[derive(Default)]
pub(super) struct InterfaceCache {
    entries: HashMap<CgroupId, Entry>,
    /// By namespace: what was read at `fresh_ns`.
    fresh: HashMap<u64, Arc<[Interface]>>,
    fresh_ns: u64,
}

/// A running container whose interfaces are to be read.
pub(super) struct Subject {
    pub(super) id: CgroupId,
    /// The inode of its network namespace, if that is known.
    pub(super) namespace: Option<u64>,
    /// Packets of its sockets so far; `None` where they are not counted.
    pub(super) packets: Option<u64>,
}

impl InterfaceCache {
    /// What the interfaces of a container's namespace say, or said not long ago; `first_pid` finds one of its
    /// processes.
    pub(super) fn read(
        &mut self,
        subject: &Subject,
        now_ns: u64,
        first_pid: impl FnOnce() -> Option<i32>,
    ) -> Option<&Arc<[Interface]>> {
        if self.fresh_ns != now_ns {
            self.fresh.clear();
            self.fresh_ns = now_ns;
        }
        let share_ns = SHARE_NS * self.entries.len() as u64;
        let entry = self.entries.entry(subject.id).or_default();
        if entry.is_due(subject, now_ns, share_ns) {
            // Of those met in one tick, not all are due in one tick again.
            let is_first = entry.last.is_none();
            entry.read_ns =
                if is_first { now_ns.saturating_sub(subject.id.phase(quiet_ns(share_ns))) } else { now_ns };
            entry.packets = subject.packets;
            if let Some(told) = subject.namespace.and_then(|inode| self.fresh.get(&inode)) {
                entry.last = Some(Arc::clone(told));
            } else {
                let told = entry.read(first_pid);
                self.fresh.extend(subject.namespace.zip(told));
            }
        }
        entry.last.as_ref()
    }

    /// What they said last.
    pub(super) fn last(&self, id: CgroupId) -> Option<&Arc<[Interface]>> {
        self.entries.get(&id)?.last.as_ref()
    }

    /// Lets go of a container that has ended, and keeps what they said.
    pub(super) fn retire(&mut self, id: CgroupId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.view = None;
        }
    }

    /// Forgets a container.
    pub(super) fn forget(&mut self, id: CgroupId) {
        self.entries.remove(&id);
    }
}

impl Entry {
    fn is_due(&self, subject: &Subject, now_ns: u64, share_ns: u64) -> bool {
        let age_ns = now_ns.saturating_sub(self.read_ns);
        let is_moving = subject.packets.is_none() || subject.packets != self.packets;
        self.last.is_none() || age_ns >= quiet_ns(share_ns) || is_moving && age_ns >= share_ns
    }

    fn read(&mut self, first_pid: impl FnOnce() -> Option<i32>) -> Option<Arc<[Interface]>> {
        let known = self.view.as_ref().and_then(|view| view.read().ok());
        let told: Arc<[Interface]> = known
            .or_else(|| {
                // Never looked at, or that process is gone and another one stands for the container.
                self.view = first_pid().and_then(|pid| NetworkView::of_process(pid).ok());
                self.view.as_ref().and_then(|view| view.read().ok())
            })?
            .into();
        self.last = Some(Arc::clone(&told));
        Some(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    fn read_at(packets: u64) -> Entry {
        Entry { last: Some(Arc::default()), read_ns: 100 * SECOND_NS, packets: Some(packets), view: None }
    }

    fn is_due(entry: &Entry, packets: u64, seconds_later: u64, containers: u64) -> bool {
        let subject = Subject { id: CgroupId(1), namespace: None, packets: Some(packets) };
        entry.is_due(&subject, (100 + seconds_later) * SECOND_NS, SHARE_NS * containers)
    }

    #[test]
    fn interfaces_are_read_where_packets_passed() {
        assert!(is_due(&read_at(5), 6, 1, 10));
        assert!(!is_due(&read_at(5), 5, 1, 10));
        assert!(is_due(&read_at(5), 5, 10, 10));
        assert!(is_due(&Entry::default(), 0, 0, 10));
    }

    #[test]
    fn many_containers_take_turns() {
        assert!(!is_due(&read_at(5), 6, 9, 500));
        assert!(is_due(&read_at(5), 6, 10, 500));
        assert!(!is_due(&read_at(5), 5, 29, 500));
        assert!(is_due(&read_at(5), 5, 30, 500));
        assert!(!is_due(&read_at(5), 5, 39, 2000));
    }

    #[test]
    fn a_process_that_is_gone_is_replaced_and_the_last_word_kept() {
        let mut cache = InterfaceCache::default();
        let me = i32::try_from(std::process::id()).ok();
        let subject = Subject { id: CgroupId(1), namespace: None, packets: None };
        assert_eq!(cache.read(&subject, 0, || None), None);
        assert!(cache.read(&subject, SECOND_NS, || me).is_some_and(|found| !found.is_empty()));
        cache.retire(subject.id);
        assert!(cache.read(&subject, 2 * SECOND_NS, || None).is_some());
        assert!(cache.last(subject.id).is_some());
    }

    #[test]
    fn a_shared_namespace_is_read_once_a_tick() {
        let mut cache = InterfaceCache::default();
        let me = i32::try_from(std::process::id()).ok();
        let subject = |id| Subject { id: CgroupId(id), namespace: Some(7), packets: None };
        assert!(cache.read(&subject(1), SECOND_NS, || me).is_some());
        assert!(cache.read(&subject(2), SECOND_NS, || None).is_some());
        assert!(cache.read(&subject(3), 2 * SECOND_NS, || None).is_none());
    }
}
