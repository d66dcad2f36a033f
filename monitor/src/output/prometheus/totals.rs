//! Distributions summed over snapshots: a snapshot has those of its window, a scrape wants all since the beginning.

use std::collections::HashMap;

use crate::model::{Latency, LatencyBucket, Measurements, Snapshot, Span, catalog::distributions};

/// Upper bounds of the exported buckets in nanoseconds. Each is one less than a bound of the buckets that are measured, whose
/// durations are whole nanoseconds shorter than it: so the counts are exact.
pub const BOUNDS_NS: [u64; 6] =
    [(1 << 15) - 1, (1 << 18) - 1, (1 << 21) - 1, (1 << 24) - 1, (1 << 27) - 1, (1 << 30) - 1];

/// How many durations were no longer than each bound and longer than the one before; the last ones are longer than all.
pub type Classes = [u64; BOUNDS_NS.len() + 1];

/// How often durations were seen, in the buckets that are measured and were ever in use, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(Vec<LatencyBucket>);

/// What every container and cgroup that still exists has counted, by the id of its cgroup.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    by_cgroup: HashMap<u64, Vec<Counts>>,
}

impl Totals {
    /// Adds what was counted in a snapshot's window, and forgets what is gone.
    pub fn add(&mut self, snapshot: &Snapshot) {
        let containers = snapshot.containers.iter().map(|one| (one.cgroup.id, &one.measurements));
        let cgroups = snapshot.cgroups.iter().map(|one| (one.cgroup.id, &one.measurements));
        let mut before = std::mem::take(&mut self.by_cgroup);
        self.by_cgroup = containers
            .chain(cgroups)
            .map(|(id, measurements)| (id, sum(before.remove(&id).unwrap_or_default(), measurements)))
            .collect();
    }

    /// What a distribution of the catalogue, by its place there, has counted for a cgroup; `None` before anything was.
    #[must_use]
    pub fn get(&self, cgroup: u64, distribution: usize) -> Option<&Counts> {
        self.by_cgroup.get(&cgroup)?.get(distribution)
    }
}

impl Counts {
    /// The buckets that were in use.
    pub(super) fn buckets(&self) -> &[LatencyBucket] {
        &self.0
    }

    /// The same in the few classes that are exported.
    #[must_use]
    pub fn classes(&self) -> Classes {
        let mut classes = Classes::default();
        for bucket in &self.0 {
            let longest = bucket.to_ns.map_or(u64::MAX, |to| to.saturating_sub(1));
            let class = BOUNDS_NS.partition_point(|bound| *bound < longest);
            if let Some(count) = classes.get_mut(class) {
                *count += bucket.count;
            }
        }
        classes
    }

    fn add(&mut self, latency: &Latency) {
        for bucket in &latency.buckets {
            match self.0.binary_search_by_key(&bucket.from_ns, |one| one.from_ns) {
                Ok(place) => {
                    if let Some(one) = self.0.get_mut(place) {
                        one.count += bucket.count;
                    }
                }
                Err(place) => self.0.insert(place, *bucket),
            }
        }
    }
}

fn sum(mut totals: Vec<Counts>, measurements: &Measurements) -> Vec<Counts> {
    totals.resize_with(distributions().count(), Counts::default);
    for (total, distribution) in totals.iter_mut().zip(distributions()) {
        let Some(latency) = (distribution.get)(measurements) else { continue };
        if distribution.span == Span::Whole {
            *total = Counts::default();
        }
        total.add(latency);
    }
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latency(buckets: &[(u64, Option<u64>, u64)]) -> Latency {
        let buckets =
            buckets.iter().map(|&(from_ns, to_ns, count)| LatencyBucket { from_ns, to_ns, count }).collect();
        Latency { buckets, ..Latency::default() }
    }

    fn measured(buckets: &[(u64, Option<u64>, u64)], throttled: u64) -> Measurements {
        let mut measurements = Measurements::default();
        measurements.scheduler.runq_latency = Some(latency(buckets));
        measurements.cpu.throttled_period = Some(latency(&[(1024, Some(1280), throttled)]));
        measurements
    }

    #[test]
    fn windows_add_up_and_wholes_do_not() {
        let place = |name| distributions().position(|distribution| distribution.name == name).unwrap();
        let first = sum(Vec::new(), &measured(&[(0, Some(1024), 1), (3584, Some(4096), 2)], 5));
        let more = [(0, Some(1024), 1), (1280, Some(1536), 3), (1 << 33, None, 4)];
        let second = sum(first, &measured(&more, 7));
        assert_eq!(second[place("runq_latency")].classes(), [7, 0, 0, 0, 0, 0, 4]);
        assert_eq!(second[place("throttled_period")].classes(), [7, 0, 0, 0, 0, 0, 0]);
        assert_eq!(second[place("tcp_rtt")], Counts::default());
        let expected =
            latency(&[(0, Some(1024), 2), (1280, Some(1536), 3), (3584, Some(4096), 2), (1 << 33, None, 4)]);
        assert_eq!(second[place("runq_latency")].buckets(), expected.buckets);
    }
}
