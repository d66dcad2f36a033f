//! What monitor said of each container, over all snapshots, and whether that is what happened.

use std::collections::{BTreeMap, HashMap, HashSet};

use integration_tests::snapshot::{Container, Scheduler, Snapshot};

use crate::churn::Started;

/// Everything that was seen.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    containers: HashMap<String, Seen>,
    faults: Vec<String>,
    lost_at_first: Option<BTreeMap<String, u64>>,
    lost: BTreeMap<String, u64>,
    nameless_cgroups_at_first: Option<usize>,
    nameless_cgroups: usize,
}

/// What was said of one container.
#[derive(Debug, Default)]
struct Seen {
    name: Option<String>,
    image: Option<String>,
    exit_code: Option<i64>,
    /// Its totals when it was first shown as ended.
    end: Option<Scheduler>,
    /// Whether it was no longer shown after that.
    has_left: bool,
}

impl Watch {
    /// Takes a snapshot in; what contradicts an earlier one is a fault.
    pub(crate) fn observe(&mut self, snapshot: &Snapshot) {
        let mut shown = HashSet::new();
        for container in &snapshot.containers {
            if !shown.insert(container.id.as_str()) {
                self.faults.push(format!("{} is listed twice in one snapshot", container.id));
            }
            let seen = self.containers.entry(container.id.clone()).or_default();
            self.faults.extend(seen.observe(container).map(|fault| format!("{}: {fault}", container.id)));
        }
        for (id, seen) in &mut self.containers {
            seen.has_left |= seen.end.is_some() && !shown.contains(id.as_str());
        }
        self.lost = snapshot.coverage.losses().map(|(what, count)| (what.to_owned(), count)).collect();
        self.lost_at_first.get_or_insert_with(|| self.lost.clone());
        self.nameless_cgroups = snapshot.cgroups.iter().filter(|entry| entry.cgroup.path.is_none()).count();
        self.nameless_cgroups_at_first.get_or_insert(self.nameless_cgroups);
    }

    /// How many were shown as ended.
    pub(crate) fn ended(&self) -> usize {
        self.containers.values().filter(|seen| seen.end.is_some()).count()
    }

    /// How many of these were not shown as ended yet.
    pub(crate) fn missing(&self, started: &[Started]) -> usize {
        let is_missing =
            |one: &&Started| self.containers.get(&one.identity.id).is_none_or(|seen| seen.end.is_none());
        started.iter().filter(is_missing).count()
    }

    /// Cgroups of unknown path in the last snapshot.
    pub(crate) fn nameless_cgroups(&self) -> usize {
        self.nameless_cgroups
    }

    /// What was lost since the first snapshot.
    pub(crate) fn lost(&self) -> BTreeMap<&str, u64> {
        let before = |name| self.lost_at_first.as_ref().and_then(|lost| lost.get(name)).copied();
        self.lost
            .iter()
            .map(|(name, count)| (name.as_str(), count.saturating_sub(before(name).unwrap_or_default())))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    /// All that is wrong, given what was started under names with this prefix.
    pub(crate) fn faults(&self, started: &[Started], prefix: &str) -> Vec<String> {
        let mut faults = self.faults.clone();
        let ids: HashSet<&str> = started.iter().map(|one| one.identity.id.as_str()).collect();
        for (id, seen) in &self.containers {
            let is_ours = seen.name.as_ref().unwrap_or(id).starts_with(prefix);
            if is_ours && !ids.contains(id.as_str()) {
                faults.push(format!("{id} was reported and never started"));
            }
        }
        for one in started {
            match self.containers.get(&one.identity.id) {
                Some(seen) => faults.extend(seen.faults(one)),
                None => faults.push(format!("{} was never reported", one.identity.id)),
            }
        }
        for (what, count) in self.lost() {
            faults.push(format!("{what} grew by {count}"));
        }
        let before = self.nameless_cgroups_at_first.unwrap_or_default();
        if self.nameless_cgroups > before {
            faults.push(format!(
                "cgroups without a path: {before} at first, {} at last",
                self.nameless_cgroups
            ));
        }
        faults
    }
}

impl Seen {
    /// What contradicts what was said of it before.
    fn observe(&mut self, container: &Container) -> impl Iterator<Item = String> + use<> {
        let mut faults = Vec::new();
        let mut keep = |what, kept: &mut Option<String>, said: &Option<String>| {
            if kept.is_some() && kept != said {
                faults.push(format!("its {what} was {kept:?}, is {said:?}"));
            }
            kept.clone_from(said);
        };
        keep("name", &mut self.name, &container.name);
        keep("image", &mut self.image, &container.image);
        match (self.exit_code, container.exit_code) {
            (Some(before), now) if now != Some(before) => {
                faults.push(format!("its exit code was {before}, is {now:?}"));
            }
            (_, now) => self.exit_code = now,
        }
        let totals = &container.measured.scheduler;
        match &self.end {
            Some(_) if self.has_left => faults.push("it came back after its end".to_owned()),
            Some(_) if !container.is_exited() => faults.push("it runs after its end".to_owned()),
            Some(end) if !is_same(end, totals) => {
                faults.push(format!("its totals moved after its end: {end:?}, {totals:?}"));
            }
            None if container.is_exited() => self.end = Some(totals.clone()),
            Some(_) | None => {}
        }
        faults.into_iter()
    }

    /// What is not as it was started.
    fn faults(&self, started: &Started) -> Vec<String> {
        let mut faults = Vec::new();
        let mut expect = |is_so: bool, what: String| {
            if !is_so {
                faults.push(format!("{}: {what}", started.identity.id));
            }
        };
        let Self { name, image, exit_code, end, has_left: _ } = self;
        let identity = &started.identity;
        expect(*name == identity.name, format!("its name is {name:?}, not {:?}", identity.name));
        expect(*image == identity.image, format!("its image is {image:?}, not {:?}", identity.image));
        // A stopping daemon ends its containers by signals.
        let codes = [i64::from(started.code), 128 + 9, 128 + 15];
        let possible = if started.met_stop { &codes[..] } else { &codes[..1] };
        let is_possible = exit_code.is_some_and(|code| possible.contains(&code));
        expect(is_possible, format!("its exit code is {exit_code:?}, not one of {possible:?}"));
        let switched = end.as_ref().and_then(|totals| totals.voluntary_switches_total);
        match end {
            None => expect(false, "it was never shown as ended".to_owned()),
            // It slept, and ended: two switches at least.
            Some(_) => expect(switched >= Some(2), format!("it ended with {switched:?} voluntary switches")),
        }
        faults
    }
}

/// Whether totals are the same; latencies are of a window, and so may differ.
fn is_same(one: &Scheduler, other: &Scheduler) -> bool {
    let totals = |of: &Scheduler| Scheduler { runq_latency: None, timeslices: None, ..of.clone() };
    totals(one) == totals(other)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use serde_json::{Value, json};

    use super::*;
    use crate::starter::Identity;

    fn started() -> Started {
        let (name, image) = (Some("soak-1".to_owned()), Some("box".to_owned()));
        let identity = Identity { id: "i".to_owned(), name, image };
        Started { identity, code: 7, met_stop: false, ends_by: Instant::now() }
    }

    fn container(state: &str, exit_code: Option<i64>, switches: u64) -> Value {
        json!({
            "id": "i", "short_id": "i", "name": "soak-1", "image": "box", "runtime": "docker", "state": state,
            "exit_code": exit_code, "labels": {}, "counting_since": "2026-01-01T00:00:00Z", "cgroup": {"id": 1},
            "scheduler": {"voluntary_switches_total": switches}, "tasks": {}, "faults": {}, "cpu": {}, "memory": {}, "network": {},
            "block_io": {}, "filesystems": {}, "pids": {}, "pressure": {},
        })
    }

    fn faults(snapshots: &[&[&Value]], lost: u64) -> Vec<String> {
        let mut watch = Watch::default();
        for (number, containers) in snapshots.iter().enumerate() {
            let lost = if number > 0 { lost } else { 0 };
            let snapshot = json!({
                "taken_at": "2026-01-01T00:00:00Z", "window_ns": 1, "cgroups": [], "audit": {"agent": {}},
                "host": {"cpus": 1, "cpu": {}, "scheduler": {}, "memory": {}, "faults": {}, "pressure": {}},
                "containers": containers,
                "coverage": {"probes": [], "lost": {"records": lost}, "sources": {}, "map_bytes": 0, "tick_ns": 0},
            });
            watch.observe(&Snapshot::parse(&snapshot.to_string()));
        }
        watch.faults(&[started()], "soak-")
    }

    #[test]
    fn a_whole_life_is_without_fault() {
        let (runs, ended) = (container("running", None, 3), container("exited", Some(7), 5));
        let none: [String; 0] = [];
        assert_eq!(faults(&[&[&runs], &[&ended], &[&ended], &[]], 0), none);
    }

    #[test]
    fn what_moves_after_the_end_is_a_fault() {
        let (ended, moved) = (container("exited", Some(7), 5), container("exited", Some(7), 6));
        let runs = container("running", None, 5);
        assert_eq!(faults(&[&[&ended], &[&moved]], 0).len(), 1);
        assert_eq!(faults(&[&[&ended], &[], &[&ended]], 0).len(), 1);
        assert_eq!(faults(&[&[&ended, &ended]], 0).len(), 1);
        assert!(!faults(&[&[&ended], &[&runs]], 0).is_empty());
    }

    #[test]
    fn what_is_missing_wrong_or_lost_is_a_fault() {
        let ended = container("exited", Some(7), 5);
        assert_eq!(faults(&[&[]], 0), ["i was never reported"]);
        assert_eq!(faults(&[&[&container("running", None, 3)]], 0).len(), 2);
        assert_eq!(faults(&[&[&container("exited", Some(8), 5)]], 0).len(), 1);
        assert_eq!(faults(&[&[&container("exited", Some(7), 0)]], 0).len(), 1);
        assert_eq!(faults(&[&[&ended], &[&ended]], 3), ["records grew by 3"]);
    }
}
