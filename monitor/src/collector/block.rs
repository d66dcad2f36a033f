//! Whose requests to block devices: what the probes tell of the block controller's cgroups, as series see it.
//!
//! Where that controller is in a v1 hierarchy its cgroups have other ids than those that are counted. Runtimes give a
//! container the same path in each, so the path is what joins them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use monitor_common::block::{RequestTimes, Requests};

use super::{blame::Ledger, sample::WaitRow};
use crate::{
    cgroup::{Hierarchy, Mount, list_cgroups},
    newtypes::CgroupId,
    probes::{
        block::{Blocks, Growth, add_requests, add_times},
        events::What,
        waits::{Culprit, Waited},
    },
    registry::Registry,
};

/// What a series did to block devices since it is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockTotals {
    /// Requests by device ([`monitor_common::block::device`]) and kind.
    pub devices: BTreeMap<u32, [Requests; 4]>,
    /// How long reads and writes took, on all devices.
    pub times: [RequestTimes; 2],
}

impl BlockTotals {
    /// Requests of a kind on all devices.
    #[must_use]
    pub fn sum(&self, kind: usize) -> Requests {
        let mut sum = Requests::default();
        for requests in self.devices.values().filter_map(|kinds| kinds.get(kind)) {
            add_requests(&mut sum, requests);
        }
        sum
    }

    fn add(&mut self, growth: &Growth) {
        let kinds = self.devices.entry(growth.device).or_default();
        for (sum, requests) in kinds.iter_mut().zip(&growth.counters.requests) {
            add_requests(sum, requests);
        }
        for (sum, times) in self.times.iter_mut().zip(&growth.counters.times) {
            add_times(sum, times);
        }
    }
}

/// Whose a request without data of its own is.
const NO_CGROUP: CgroupId = CgroupId(0);

/// What each series has done to block devices.
#[derive(Debug, Default)]
pub(super) struct BlockLedger {
    rows: HashMap<CgroupId, Arc<BlockTotals>>,
    /// The series that a cgroup of the block controller counts for.
    series: HashMap<CgroupId, CgroupId>,
    /// Cgroups that nobody knew at the last reading.
    unknown: HashSet<CgroupId>,
    /// The block controller's own hierarchy, where it is another one than the counted.
    foreign: Option<Foreign>,
    /// Series that did something between the last two readings.
    moved: HashSet<CgroupId>,
    /// Requests of cgroups that belong to no series.
    unattributed: u64,
    /// Whom requests stood in line behind.
    waits: Ledger,
}

/// The cgroups of a hierarchy that is not the counted one.
#[derive(Debug)]
struct Foreign {
    mount: Mount,
    cgroups: HashMap<CgroupId, Place>,
}

#[derive(Clone, Debug)]
struct Place {
    path: String,
    made_at: Option<Timestamp>,
    is_gone: bool,
}

impl BlockLedger {
    /// Looks for the block controller's hierarchy.
    pub(super) fn new(hierarchy: Option<&Hierarchy>, counted: Option<&Mount>) -> Self {
        let mount = hierarchy.and_then(|hierarchy| match hierarchy.v1_of("blkio") {
            Some(v1) => Some(&v1.mount),
            None => hierarchy.unified_mount(),
        });
        let foreign = mount.filter(|mount| counted.is_some_and(|counted| counted.point != mount.point));
        let foreign = foreign.map(|mount| Foreign { mount: mount.clone(), cgroups: HashMap::new() });
        Self { foreign, ..Self::default() }
    }

    /// Takes in what a record tells of the block controller's own hierarchy.
    pub(super) fn told(&mut self, id: CgroupId, what: &What, at: Timestamp) {
        let Some(foreign) = &mut self.foreign else { return };
        match what {
            What::BlockMade(Some(path)) => {
                let Some(path) = foreign.mount.strip_root(path) else { return };
                let place = Place { path: path.to_owned(), made_at: Some(at), is_gone: false };
                foreign.cgroups.insert(id, place);
            }
            What::BlockRemoved => {
                if let Some(place) = foreign.cgroups.get_mut(&id) {
                    place.is_gone = true;
                }
            }
            _ => {}
        }
    }

    /// Takes what has grown.
    pub(super) fn read(&mut self, blocks: &mut Blocks, registry: &Registry) {
        self.moved.clear();
        let unknown_before = std::mem::take(&mut self.unknown);
        let mut has_walked = false;
        blocks.read(|growth| {
            let id = growth.cgroup;
            let is_second_time = unknown_before.contains(&id);
            let mut series = self.series_of(id, registry, is_second_time);
            if series.is_none() && !has_walked {
                has_walked = true;
                self.walk();
                series = self.series_of(id, registry, is_second_time);
            }
            if let Some(series) = series {
                self.moved.insert(series);
                Arc::make_mut(self.rows.entry(series).or_default()).add(growth);
            } else if id != NO_CGROUP && !is_second_time {
                // What tells of it may be on its way.
                self.unknown.insert(id);
                return false;
            } else {
                let requests = growth.counters.requests.iter();
                self.unattributed += requests.map(|requests| requests.operations).sum::<u64>();
            }
            true
        });
        // Nobody waits where nothing completes.
        if !self.moved.is_empty() {
            blocks.queues.read(|victim, culprit, waited| self.note_wait(registry, victim, culprit, waited));
        }
        blocks.release(|id| match &self.foreign {
            None => registry.get(id).is_none_or(|info| info.removed_boot_ns.is_some()),
            Some(foreign) => foreign.cgroups.get(&id).is_none_or(|place| place.is_gone),
        });
        self.forget_places();
    }

    /// Adds what requests have waited for others.
    fn note_wait(&mut self, registry: &Registry, victim: CgroupId, culprit: Culprit, waited: Waited) {
        let Some(victim) = self.series_of(victim, registry, true) else { return };
        let culprit = match culprit {
            // Requests of the kernel's own.
            Culprit::Cgroup(NO_CGROUP) => Culprit::Cgroup(NO_CGROUP),
            Culprit::Cgroup(id) => {
                self.series_of(id, registry, true).map_or(Culprit::Unknown, Culprit::Cgroup)
            }
            other => other,
        };
        self.waits.add(registry, victim, culprit, waited);
    }

    /// Whom a series' requests stood in line behind.
    pub(super) fn waited(&self, series: CgroupId) -> WaitRow {
        self.waits.row(series)
    }

    /// The series that a cgroup of the block controller counts for. One that has no namesake in the counted hierarchy, if
    /// that is certain by now, counts for the nearest above it that has.
    fn series_of(&mut self, id: CgroupId, registry: &Registry, is_certain: bool) -> Option<CgroupId> {
        if let Some(series) = self.series.get(&id) {
            return Some(*series);
        }
        let counted = match &self.foreign {
            None => id,
            Some(foreign) => {
                let place = foreign.cgroups.get(&id)?;
                let exact = registry.at_path(&place.path, place.made_at);
                exact.or_else(|| registry.nearest(&place.path).filter(|_| is_certain))?
            }
        };
        let info = registry.get(counted)?;
        let series = info.run.unwrap_or(counted);
        // Who is nameless may turn out to be a container's.
        if info.path.is_some() {
            self.series.insert(id, series);
        }
        Some(series)
    }

    /// Looks for cgroups that no record told of.
    fn walk(&mut self) {
        let Some(foreign) = &mut self.foreign else { return };
        let found = match list_cgroups(&foreign.mount.point) {
            Ok(found) => found,
            Err(error) => return log::warn!("{}", crate::error::chain(&error)),
        };
        let living: HashSet<CgroupId> = found.iter().map(|(id, _)| *id).collect();
        for (id, place) in &mut foreign.cgroups {
            place.is_gone |= !living.contains(id);
        }
        for (id, path) in found {
            let place = Place { path, made_at: None, is_gone: false };
            foreign.cgroups.entry(id).or_insert(place);
        }
    }

    /// Forgets where removed cgroups were that count for nobody any more.
    fn forget_places(&mut self) {
        /// Removed ones that are remembered, since their requests may still be under way.
        const MOST: usize = 4096;
        let Some(foreign) = &mut self.foreign else { return };
        if foreign.cgroups.values().filter(|place| place.is_gone).count() > MOST {
            foreign.cgroups.retain(|id, place| !place.is_gone || self.series.contains_key(id));
        }
    }

    /// What a series has done; `None` where it did nothing.
    pub(super) fn row(&self, series: CgroupId) -> Option<Arc<BlockTotals>> {
        self.rows.get(&series).cloned()
    }

    /// Whether a series did something between the last two readings.
    pub(super) fn has_moved(&self, series: CgroupId) -> bool {
        self.moved.contains(&series)
    }

    /// Requests that belong to no series: of cgroups that were forgotten since, or of none.
    pub(super) fn unattributed(&self) -> u64 {
        self.unattributed
    }

    /// Forgets whom requests of series, or others for them, stood in line behind.
    pub(super) fn forget_waits(&mut self, gone: &HashSet<CgroupId>) {
        self.waits.forget(gone);
    }

    /// Forgets what a series did.
    pub(super) fn forget(&mut self, series: CgroupId) {
        self.rows.remove(&series);
        let mut freed = Vec::new();
        self.series.retain(|id, counts_for| {
            let stays = *counts_for != series;
            if !stays {
                freed.push(*id);
            }
            stays
        });
        if let Some(foreign) = &mut self.foreign {
            foreign.cgroups.retain(|id, place| !(place.is_gone && freed.contains(id)));
        }
    }
}

#[cfg(test)]
mod tests {
    use monitor_common::block::{BlockCounters, READ, device};

    use super::*;
    use crate::collector::sample::Blamed;

    const CONTAINER: &str = "/docker/1111111111111111111111111111111111111111111111111111111111111111";

    fn at(millisecond: i64) -> Option<Timestamp> {
        Timestamp::from_millisecond(millisecond).ok()
    }

    fn registry() -> Registry {
        let mut registry = Registry::default();
        registry.cgroup_made(CgroupId(1), "/", None);
        registry.cgroup_made(CgroupId(10), CONTAINER, at(1_000));
        registry.cgroup_made(CgroupId(11), &format!("{CONTAINER}/inner"), at(1_100));
        registry
    }

    fn foreign(places: &[(u64, &str, i64)]) -> BlockLedger {
        let place =
            |path: &str, made: i64| Place { path: path.to_owned(), made_at: at(made), is_gone: false };
        let cgroups = places.iter().map(|(id, path, made)| (CgroupId(*id), place(path, *made))).collect();
        let mount = Mount { point: "/sys/fs/cgroup/blkio".into(), root: "/".to_owned() };
        BlockLedger { foreign: Some(Foreign { mount, cgroups }), ..BlockLedger::default() }
    }

    #[test]
    fn nested_cgroups_count_for_their_container() {
        let (registry, mut ledger) = (registry(), BlockLedger::default());
        assert_eq!(ledger.series_of(CgroupId(11), &registry, false), Some(CgroupId(10)));
        assert_eq!(ledger.series_of(CgroupId(1), &registry, false), Some(CgroupId(1)));
        assert_eq!(ledger.series_of(CgroupId(99), &registry, true), None);
    }

    #[test]
    fn ids_of_another_hierarchy_are_joined_by_path() {
        let registry = registry();
        let mut ledger = foreign(&[(501, CONTAINER, 1_003), (502, "/system/other", 900)]);
        assert_eq!(ledger.series_of(CgroupId(501), &registry, false), Some(CgroupId(10)));
        // The same number means another cgroup there.
        assert_eq!(ledger.series_of(CgroupId(10), &registry, true), None);
        // One without a namesake counts for the root, but not before it is certain that there is none.
        assert_eq!(ledger.series_of(CgroupId(502), &registry, false), None);
        assert_eq!(ledger.series_of(CgroupId(502), &registry, true), Some(CgroupId(1)));
    }

    #[test]
    fn a_container_that_was_started_again_is_told_from_its_earlier_run() {
        let mut registry = registry();
        registry.cgroup_removed(CgroupId(11), 0, Timestamp::UNIX_EPOCH);
        registry.cgroup_removed(CgroupId(10), 0, Timestamp::UNIX_EPOCH);
        registry.cgroup_made(CgroupId(20), CONTAINER, at(9_000));
        let mut ledger = foreign(&[(501, CONTAINER, 1_003), (601, CONTAINER, 9_002)]);
        assert_eq!(ledger.series_of(CgroupId(501), &registry, false), Some(CgroupId(10)));
        assert_eq!(ledger.series_of(CgroupId(601), &registry, false), Some(CgroupId(20)));
    }

    #[test]
    fn waits_are_put_down_to_series() {
        let (registry, mut ledger) = (registry(), BlockLedger::default());
        let waited = |wait_ns| Waited { wait_ns, waits: 1, preemptions: 0 };
        let container = CgroupId(10);
        for (culprit, ns) in [
            (Culprit::Cgroup(CgroupId(11)), 1),
            (Culprit::Cgroup(CgroupId(1)), 2),
            (Culprit::Cgroup(NO_CGROUP), 4),
            (Culprit::Cgroup(CgroupId(99)), 8),
            (Culprit::Unknown, 16),
        ] {
            ledger.note_wait(&registry, CgroupId(11), culprit, waited(ns));
        }
        ledger.note_wait(&registry, CgroupId(1), Culprit::Cgroup(CgroupId(11)), waited(32));
        let ns = |series: CgroupId, blamed: Blamed| {
            ledger.waited(series).get(&blamed).map(|waited| waited.wait_ns)
        };
        assert_eq!(ns(container, Blamed::Own), Some(1));
        assert_eq!(ns(container, Blamed::System), Some(6));
        assert_eq!(ns(container, Blamed::Unknown), Some(24));
        assert_eq!(ns(CgroupId(1), Blamed::Container(container)), Some(32));
    }

    #[test]
    fn records_tell_where_a_cgroup_is_and_that_it_is_gone() {
        let (registry, mut ledger) = (registry(), foreign(&[]));
        let at = Timestamp::from_second(1).unwrap();
        ledger.told(CgroupId(7), &What::BlockMade(Some(CONTAINER.to_owned())), at);
        ledger.told(CgroupId(7), &What::BlockRemoved, at);
        // What is under way still counts for it.
        assert_eq!(ledger.series_of(CgroupId(7), &registry, false), Some(CgroupId(10)));
        assert!(ledger.foreign.as_ref().is_some_and(|foreign| foreign.cgroups[&CgroupId(7)].is_gone));
        ledger.forget(CgroupId(10));
        assert!(ledger.foreign.as_ref().is_some_and(|foreign| foreign.cgroups.is_empty()));
    }

    #[test]
    fn devices_are_kept_apart_and_summed() {
        let mut totals = BlockTotals::default();
        for (device, bytes) in [(device(8, 0), 4096), (device(7, 1), 512), (device(8, 0), 1)] {
            let mut counters = Box::new(BlockCounters::default());
            counters.requests[READ] = Requests { operations: 1, bytes, ..Requests::default() };
            totals.add(&Growth { cgroup: CgroupId(1), device, counters });
        }
        assert_eq!(totals.devices[&device(8, 0)][READ].bytes, 4097);
        assert_eq!((totals.sum(READ).operations, totals.sum(READ).bytes), (3, 4609));
    }
}
