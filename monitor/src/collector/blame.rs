//! Who waited for whom, by series: what the probes tell of cgroups, as containers see it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::sample::{Blamed, WaitRow};
use crate::{
    newtypes::CgroupId,
    probes::waits::{Culprit, Waited},
    registry::Registry,
};

/// What each series has waited for since it is counted.
#[derive(Debug, Default)]
pub struct Ledger {
    rows: HashMap<CgroupId, WaitRow>,
}

impl Ledger {
    /// Adds what tasks of a cgroup have waited for.
    pub fn add(&mut self, registry: &Registry, victim: CgroupId, culprit: Culprit, waited: Waited) {
        let run_of = |id| registry.get(id).and_then(|info| info.run);
        let series = run_of(victim).unwrap_or(victim);
        let blamed = match culprit {
            Culprit::Cgroup(id) if id == victim || run_of(id) == Some(series) => Blamed::Own,
            Culprit::Cgroup(id) => run_of(id).map_or(Blamed::System, Blamed::Container),
            Culprit::Quota => Blamed::Quota,
            Culprit::Idle => Blamed::Wakeup,
            Culprit::Unknown => Blamed::Unknown,
        };
        Arc::make_mut(self.rows.entry(series).or_default()).entry(blamed).or_default().add(waited);
    }

    /// What a series has waited for.
    #[must_use]
    pub fn row(&self, series: CgroupId) -> WaitRow {
        self.rows.get(&series).cloned().unwrap_or_default()
    }

    /// Forgets series; those that waited for one remember that it was a container.
    ///
    /// All at once, since each row has to be looked at: thousands may go in one tick.
    pub fn forget(&mut self, gone: &HashSet<CgroupId>) {
        if gone.is_empty() {
            return;
        }
        self.rows.retain(|series, _| !gone.contains(series));
        let is_gone = |blamed: &Blamed| matches!(blamed, Blamed::Container(run) if gone.contains(run));
        for row in self.rows.values_mut().filter(|row| row.keys().any(is_gone)) {
            let row = Arc::make_mut(row);
            let mut ended = Waited::default();
            row.retain(|blamed, waited| {
                let is_kept = !is_gone(blamed);
                if !is_kept {
                    ended.add(*waited);
                }
                is_kept
            });
            row.entry(Blamed::Ended).or_default().add(ended);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const VICTIM: &str = "/docker/1111111111111111111111111111111111111111111111111111111111111111";
    const HOG: &str = "/docker/2222222222222222222222222222222222222222222222222222222222222222";

    fn registry() -> Registry {
        let mut registry = Registry::default();
        for (id, path) in [
            (1, VICTIM.to_owned()),
            (2, HOG.to_owned()),
            (3, format!("{HOG}/inner")),
            (4, "/system".to_owned()),
        ] {
            registry.cgroup_made(CgroupId(id), &path, None);
        }
        registry
    }

    fn ns(wait_ns: u64) -> Waited {
        Waited { wait_ns, waits: 1, preemptions: 0 }
    }

    #[test]
    fn nested_cgroups_are_their_container() {
        let (registry, mut ledger) = (registry(), Ledger::default());
        ledger.add(&registry, CgroupId(1), Culprit::Cgroup(CgroupId(2)), ns(10));
        ledger.add(&registry, CgroupId(1), Culprit::Cgroup(CgroupId(3)), ns(5));
        ledger.add(&registry, CgroupId(3), Culprit::Cgroup(CgroupId(2)), ns(7));
        let hog = Waited { wait_ns: 15, waits: 2, preemptions: 0 };
        assert_eq!(*ledger.row(CgroupId(1)), BTreeMap::from([(Blamed::Container(CgroupId(2)), hog)]));
        assert_eq!(*ledger.row(CgroupId(2)), BTreeMap::from([(Blamed::Own, ns(7))]));
    }

    #[test]
    fn all_that_is_no_container_is_the_system() {
        let (registry, mut ledger) = (registry(), Ledger::default());
        for (culprit, blamed) in [
            (Culprit::Cgroup(CgroupId(4)), Blamed::System),
            (Culprit::Quota, Blamed::Quota),
            (Culprit::Idle, Blamed::Wakeup),
            (Culprit::Unknown, Blamed::Unknown),
        ] {
            ledger.add(&registry, CgroupId(1), culprit, ns(3));
            assert_eq!(ledger.row(CgroupId(1)).get(&blamed), Some(&ns(3)), "{culprit:?}");
        }
    }

    #[test]
    fn what_was_waited_for_a_forgotten_container_stays() {
        let (registry, mut ledger) = (registry(), Ledger::default());
        ledger.add(&registry, CgroupId(1), Culprit::Cgroup(CgroupId(2)), ns(10));
        ledger.forget(&HashSet::from([CgroupId(2)]));
        assert_eq!(*ledger.row(CgroupId(1)), BTreeMap::from([(Blamed::Ended, ns(10))]));
        ledger.forget(&HashSet::from([CgroupId(1)]));
        assert!(ledger.row(CgroupId(1)).is_empty());
    }
}
