//! What is remembered of cgroups that are gone, and for how long.

use std::{collections::HashSet, sync::Arc};

use super::{clock::Now, collect::Collector};
use crate::newtypes::CgroupId;

/// How long a removed cgroup keeps its slots, so that nothing counts for it afterwards.
const GRACE_NS: u64 = 2_000_000_000;
/// Removed cgroups that are remembered, to tell a late event from an unknown cgroup.
const TOMBSTONES: usize = 4096;
/// Ended runs that are shown at a time.
const ENDED_RUNS: usize = 4096;

impl Collector {
    /// Frees what belongs to removed cgroups that have been shown.
    pub(super) fn retire(&mut self, now: &Now) {
        let mut waiting = Vec::new();
        let (mut freed, mut gone) = (HashSet::new(), HashSet::new());
        for id in std::mem::take(&mut self.retiring) {
            let removed = self.registry.get(id).and_then(|info| info.removed_boot_ns);
            if removed.is_some_and(|removed| removed + GRACE_NS > now.boot_ns) {
                waiting.push(id);
            } else {
                if !self.free(id) {
                    gone.insert(id);
                }
                freed.insert(id);
            }
        }
        if let Ok(probes) = &mut self.sources.probes {
            probes.reader.waits.release(&freed);
        }
        self.retiring = waiting;
        self.forget_runs(now, &mut gone);
        self.ledger.forget(&gone);
        self.block.forget_waits(&gone);
        self.registry.forget_deleted();
    }

    /// Keeps a removed cgroup's counters if they are a run's, and frees its slots and files. Whether it is still shown.
    fn free(&mut self, id: CgroupId) -> bool {
        let run = self.registry.get(id).and_then(|info| info.run);
        if let Ok(probes) = &mut self.sources.probes {
            if let (Some(run), Some(counters)) = (run, probes.reader.get(id)) {
                Arc::make_mut(self.folded.entry(run).or_default()).add(counters);
            }
            probes.reader.release(id);
        }
        self.files.retire(id);
        self.interfaces.retire(id);
        if run != Some(id) {
            self.files.close(id);
            self.forget_counts(id);
            self.registry.forget(id);
        }
        self.tombstones.push_back(id);
        if self.tombstones.len() > TOMBSTONES {
            self.tombstones.pop_front();
        }
        run == Some(id)
    }

    /// Forgets what was counted for a series.
    fn forget_counts(&mut self, series: CgroupId) {
        self.block.forget(series);
        self.census.forget(series);
        self.throttling.forget(series);
    }

    /// Forgets runs that have been shown as ended for long enough, or the oldest of too many.
    fn forget_runs(&mut self, now: &Now, gone: &mut HashSet<CgroupId>) {
        let retiring: HashSet<CgroupId> = self.retiring.iter().copied().collect();
        let mut ended: Vec<(u64, CgroupId)> = self
            .shown_ended
            .iter()
            .filter(|(id, _)| !retiring.contains(id))
            .map(|(id, since)| (*since, *id))
            .collect();
        ended.sort_unstable();
        let too_many = ended.len().saturating_sub(ENDED_RUNS);
        for (place, (since, id)) in ended.into_iter().enumerate() {
            if place < too_many || since.saturating_add(self.keep_ended_ns) <= now.boot_ns {
                self.shown_ended.remove(&id);
                self.folded.remove(&id);
                gone.insert(id);
                self.forget_counts(id);
                self.namespaces.remove(&id);
                self.files.close(id);
                self.interfaces.forget(id);
                self.filesystems.forget(id, &self.sources.surveyor);
                self.registry.forget(id);
            }
        }
    }
}
