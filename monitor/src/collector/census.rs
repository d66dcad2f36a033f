//! What the tasks of each series do, and its load, from looks at all tasks that take but a small part of the time.

use std::{collections::HashMap, fs, sync::Arc};

use jiff::Timestamp;

use super::clock::Now;
use crate::{
    model::Source,
    newtypes::CgroupId,
    probes::{census::TaskStates, load::Probes, programs::CENSUS},
    registry::Registry,
};

/// Looks are this far apart, or farther.
const LEAST_NS: u64 = 1_000_000_000;
/// A look may take one part in so many of the time.
const SHARE: u64 = 1000;
/// Over how long the loads decay, in nanoseconds: cAdvisor's ten seconds.
const DECAY_NS: f64 = 1e10;

/// What the tasks of a series did when they were last looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Activity {
    /// How many did what.
    pub states: TaskStates,
    /// Mean number of those that ran or were ready to, decaying over ten seconds.
    pub running_10s: f64,
    /// The same of those in disk sleep.
    pub disk_sleep_10s: f64,
    /// When, by `CLOCK_MONOTONIC`.
    pub looked_ns: u64,
}

impl Activity {
    /// The first look at tasks is what their loads begin at.
    fn first(states: TaskStates, looked_ns: u64) -> Self {
        let (running_10s, disk_sleep_10s) = (states.running as f64, states.disk_sleep as f64);
        Self { states, running_10s, disk_sleep_10s, looked_ns }
    }

    fn next(&self, states: TaskStates, looked_ns: u64) -> Self {
        let kept = (-(looked_ns.saturating_sub(self.looked_ns) as f64) / DECAY_NS).exp();
        let decayed = |before: f64, now: u64| before * kept + now as f64 * (1.0 - kept);
        Self {
            states,
            running_10s: decayed(self.running_10s, states.running),
            disk_sleep_10s: decayed(self.disk_sleep_10s, states.disk_sleep),
            looked_ns,
        }
    }
}

/// The last look at all tasks.
#[derive(Debug, Default)]
pub(super) struct Census {
    rows: HashMap<CgroupId, Arc<Activity>>,
    /// When it was, if there was one.
    looked: Option<(u64, Timestamp)>,
    /// What it took.
    took_ns: Option<u64>,
    failure: Option<String>,
    /// Whether other pid namespaces than ours and those below may have tasks.
    is_confined: bool,
    buffer: Vec<u8>,
}

impl Census {
    pub(super) fn new() -> Self {
        Self { is_confined: is_confined(), ..Self::default() }
    }

    /// Looks at all tasks, if it is time to.
    pub(super) fn look(&mut self, probes: &mut Probes, registry: &Registry) {
        let now = Now::read();
        if !probes.is_attached(CENSUS) || !self.is_due(now.monotonic_ns) {
            return;
        }
        match probes.look_at_tasks(&mut self.buffer) {
            Ok(states) => {
                self.failure = None;
                self.take(&states, registry, &now);
                self.took_ns = Some(Now::read().monotonic_ns.saturating_sub(now.monotonic_ns));
            }
            Err(error) => self.failure = Some(error),
        }
    }

    fn is_due(&self, now_ns: u64) -> bool {
        let pause_ns = LEAST_NS.max(self.took_ns.unwrap_or_default().saturating_mul(SHARE));
        // Ticks are not evenly spaced to the microsecond.
        let slack_ns = LEAST_NS / 20;
        self.looked.is_none_or(|(looked_ns, _)| looked_ns + pause_ns <= now_ns + slack_ns)
    }

    fn take(&mut self, states: &HashMap<CgroupId, TaskStates>, registry: &Registry, now: &Now) {
        let mut sums: HashMap<CgroupId, TaskStates> = HashMap::with_capacity(states.len());
        for (id, states) in states {
            let run = registry.get(*id).and_then(|info| info.run);
            sums.entry(run.unwrap_or(*id)).or_default().add(states);
        }
        for (id, row) in &mut self.rows {
            let states = sums.remove(id).unwrap_or_default();
            *row = Arc::new(row.next(states, now.monotonic_ns));
        }
        self.rows.extend(
            sums.into_iter().map(|(id, states)| (id, Arc::new(Activity::first(states, now.monotonic_ns)))),
        );
        self.looked = Some((now.monotonic_ns, now.wall));
    }

    /// What a series did; `None` where it was never looked at.
    pub(super) fn row(&self, series: CgroupId, made_at: Option<Timestamp>) -> Option<Arc<Activity>> {
        let (looked_ns, looked_at) = self.looked?;
        let without_tasks = || {
            let was_there = made_at.is_none_or(|made_at| made_at < looked_at);
            was_there.then(|| Arc::new(Activity { looked_ns, ..Activity::default() }))
        };
        self.rows.get(&series).cloned().or_else(without_tasks)
    }

    /// Forgets a series.
    pub(super) fn forget(&mut self, series: CgroupId) {
        self.rows.remove(&series);
    }

    /// What the last look took.
    pub(super) fn took_ns(&self) -> Option<u64> {
        self.took_ns
    }

    /// How that fares.
    pub(super) fn source(&self, probes: Option<&Probes>) -> Source {
        let is_attached = probes.is_some_and(|probes| probes.is_attached(CENSUS));
        let (state, reason) = match &self.failure {
            _ if !is_attached => ("unavailable", Some("no program looks at tasks (see probes)".to_owned())),
            Some(failure) => ("unavailable", Some(failure.clone())),
            None if self.is_confined => (
                "partial",
                Some("tasks of other pid namespaces are not seen (docker run --pid host)".to_owned()),
            ),
            None => ("ok", None),
        };
        Source { state: state.to_owned(), reason, origin: None }
    }
}

/// Whether this process is in another pid namespace than the machine's first one, whose number is fixed
/// (`PROC_PID_INIT_INO`).
fn is_confined() -> bool {
    const FIRST: &str = "pid:[4026531836]";
    fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() != FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTAINER: &str = "/docker/1111111111111111111111111111111111111111111111111111111111111111";
    const SECOND_NS: u64 = 1_000_000_000;

    fn now(second: u64) -> Now {
        Now {
            monotonic_ns: second * SECOND_NS,
            wall: Timestamp::from_second(1000 + i64::try_from(second).unwrap()).unwrap(),
            ..Now::read()
        }
    }

    fn running(count: u64) -> TaskStates {
        TaskStates { running: count, ..TaskStates::default() }
    }

    #[test]
    fn a_load_decays_over_ten_seconds_from_where_it_began() {
        let first = Activity::first(running(4), 0);
        assert!((first.running_10s - 4.0).abs() < 1e-9);
        let mut activity = first;
        for second in 1..=10 {
            activity = activity.next(running(0), second * SECOND_NS);
        }
        let expected = 4.0 / std::f64::consts::E;
        assert!((activity.running_10s - expected).abs() < 1e-9, "{}", activity.running_10s);
        // One long pause is as good as ten short ones.
        let at_once = first.next(running(0), 10 * SECOND_NS);
        assert!((at_once.running_10s - expected).abs() < 1e-9);
    }

    #[test]
    fn nested_cgroups_are_their_container_s() {
        let (mut registry, mut census) = (Registry::default(), Census::default());
        registry.cgroup_made(CgroupId(1), CONTAINER, None);
        registry.cgroup_made(CgroupId(2), &format!("{CONTAINER}/inner"), None);
        let states = HashMap::from([(CgroupId(1), running(1)), (CgroupId(2), running(2))]);
        census.take(&states, &registry, &now(5));
        assert_eq!(census.row(CgroupId(1), None).unwrap().states, running(3));
        census.take(&HashMap::new(), &registry, &now(6));
        let gone = census.row(CgroupId(1), None).unwrap();
        assert_eq!(gone.states, running(0));
        assert!(gone.running_10s > 2.5 && gone.looked_ns == 6 * SECOND_NS);
    }

    #[test]
    fn a_cgroup_that_was_made_since_has_not_been_looked_at() {
        let (registry, mut census) = (Registry::default(), Census::default());
        assert_eq!(census.row(CgroupId(1), None), None);
        census.take(&HashMap::new(), &registry, &now(5));
        assert_eq!(census.row(CgroupId(1), Some(now(6).wall)), None);
        // One that was there and has no task has none.
        assert_eq!(census.row(CgroupId(1), Some(now(4).wall)).unwrap().states, running(0));
    }

    #[test]
    fn looks_are_as_far_apart_as_their_cost_wants() {
        let mut census = Census::default();
        assert!(census.is_due(0));
        census.looked = Some((0, now(0).wall));
        census.took_ns = Some(100_000);
        assert_eq!([900_000_000, 960_000_000].map(|ns| census.is_due(ns)), [false, true]);
        census.took_ns = Some(10_000_000);
        assert_eq!([9, 10].map(|second| census.is_due(second * SECOND_NS)), [false, true]);
    }
}
