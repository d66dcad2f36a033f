//! What happened, one by one, for `monitor events`: from the kernel's records, from what runtimes tell, and from two
//! samples where the kernel only counts.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::sample::{Sample, Series};
use crate::{
    cgroup::CpuStats,
    model::{Cgroup, EVENT_SCHEMA_VERSION, Event, EventContainer, Happening, LossCause, Lost},
    newtypes::{CgroupId, ContainerId},
    probes::events::{self, What},
    registry::{Registry, exit_code},
    runtime::{Metadata, RuntimeEvent, SourceName, State},
};

/// Something that happened, before it is looked up whose it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnessed {
    /// When.
    pub at: Timestamp,
    /// Whom it concerns.
    pub subject: Subject,
    /// What.
    pub what: Happening,
}

/// Whom something concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A cgroup, which may be a container's.
    Cgroup(CgroupId),
    /// A container, as a runtime calls it.
    Container(ContainerId),
    /// Nobody.
    None,
}

/// Keeps what happened until it is taken.
#[derive(Debug, Default)]
pub struct Witness {
    happened: Vec<Witnessed>,
    lives: Lives,
    throttling: Throttling,
    lost: Lost,
}

impl Witness {
    /// A record of the kernel's.
    pub(super) fn saw(&mut self, event: &events::Event, at: Timestamp) {
        if let Some(what) = happening(&event.what) {
            self.happened.push(Witnessed { at, subject: Subject::Cgroup(event.cgroup), what });
        }
    }

    /// A runtime's word, at this moment, before the registry takes it in.
    pub(super) fn heard(
        &mut self,
        source: &SourceName,
        event: &RuntimeEvent,
        at: Timestamp,
        registry: &Registry,
    ) {
        self.lives.follow(source, event, at, registry, &mut self.happened);
    }

    /// A sample, after the one before.
    pub(super) fn compared(&mut self, sample: &Sample) {
        self.throttling.follow(sample, &mut self.happened);
        let Lost { lifecycle_records_total, discarded_records_total, .. } = sample.coverage.lost;
        for (cause, now, before) in [
            (LossCause::FullRing, lifecycle_records_total, self.lost.lifecycle_records_total),
            (LossCause::UnknownForm, discarded_records_total, self.lost.discarded_records_total),
        ] {
            if let Some(count @ 1..) = now.checked_sub(before) {
                let what = Happening::Lost { cause, count };
                self.happened.push(Witnessed { at: sample.taken_at, subject: Subject::None, what });
            }
        }
        self.lost = sample.coverage.lost.clone();
    }

    /// All that happened since it was taken last.
    pub(super) fn take(&mut self) -> Vec<Witnessed> {
        std::mem::take(&mut self.happened)
    }
}

impl Witnessed {
    /// The event, with what is known of whom it concerns.
    #[must_use]
    pub fn describe(&self, registry: &Registry) -> Event {
        let info = match self.subject {
            Subject::Cgroup(id) => registry.get(id),
            Subject::Container(_) | Subject::None => None,
        };
        let cgroup = match self.subject {
            Subject::Cgroup(id) => {
                Some(Cgroup { id: id.0, path: info.and_then(|info| info.path.as_deref()).map(str::to_owned) })
            }
            Subject::Container(_) | Subject::None => None,
        };
        let container = match &self.subject {
            Subject::Cgroup(_) => info.and_then(|info| registry.run(info.run?)).map(|run| &run.id),
            Subject::Container(id) => Some(id),
            Subject::None => None,
        };
        let container = container.map(|id| {
            let told = registry.metadata(id);
            EventContainer {
                id: id.as_str().to_owned(),
                name: told.and_then(|told| told.name.clone()),
                image: told.and_then(|told| told.image.clone()),
            }
        });
        Event {
            schema_version: EVENT_SCHEMA_VERSION,
            at: self.at,
            container,
            cgroup,
            what: self.what.clone(),
        }
    }
}

/// What a record tells users; `None` of one that is for the registry only.
fn happening(what: &What) -> Option<Happening> {
    Some(match what {
        What::Made(_) => Happening::CgroupMade,
        What::Removed(_) => Happening::CgroupRemoved,
        What::Attached { tid, comm, path: _ } => Happening::TaskMoved { tid: *tid, comm: comm.clone() },
        // The exit of the same process is a record of its own.
        What::InitExited { .. } | What::BlockMade(_) | What::BlockRemoved => return None,
        What::Exec { tgid, comm, path } => {
            Happening::Exec { pid: *tgid, comm: comm.clone(), path: path.clone() }
        }
        What::Exit { tgid, comm, wait_status } => {
            let signal = wait_status & 0x7f;
            Happening::Exit {
                pid: *tgid,
                comm: comm.clone(),
                exit_code: exit_code(*wait_status),
                signal: (signal != 0).then_some(signal),
                has_dumped_core: wait_status & 0x80 != 0,
            }
        }
        What::OomKill { tgid, comm } => Happening::OomKill { pid: *tgid, comm: comm.clone() },
    })
}

/// Where containers are in their lives, to tell news from what a runtime repeats.
#[derive(Debug, Default)]
struct Lives {
    /// Which places have listed what there was before.
    begun: HashSet<SourceName>,
    stages: HashMap<ContainerId, Stage>,
}

/// How far a container has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Created,
    Started,
    Died,
}

/// Containers more than the registry knows for which there is room, so that it is rarely made.
const SPARE: usize = 1024;

impl Lives {
    fn follow(
        &mut self,
        source: &SourceName,
        event: &RuntimeEvent,
        at: Timestamp,
        registry: &Registry,
        happened: &mut Vec<Witnessed>,
    ) {
        // Nobody need say that a container is gone, and anybody may make up new ones: what the registry has forgotten goes here too.
        if self.stages.len() > 2 * registry.told_count() + SPARE {
            self.stages.retain(|id, _| registry.metadata(id).is_some());
        }
        match event {
            RuntimeEvent::Listed(listed) => {
                let has_begun = self.begun.contains(source);
                for one in listed.iter().filter(|one| registry.believes(source, &one.id)) {
                    if has_begun {
                        self.update(one, at, happened);
                    } else if let Some(stage) = stage(one) {
                        self.stages.insert(one.id.clone(), stage);
                    }
                }
                self.begun.insert(source.clone());
            }
            RuntimeEvent::Updated(one) => {
                if registry.believes(source, &one.id) {
                    self.update(one, at, happened);
                }
            }
            RuntimeEvent::Removed { id } => {
                if registry.believes(source, id) && self.stages.remove(id).is_some() {
                    let subject = Subject::Container(id.clone());
                    happened.push(Witnessed { at, subject, what: Happening::ContainerRemoved });
                }
            }
            RuntimeEvent::Connection(_) => {}
        }
    }

    fn update(&mut self, one: &Metadata, at: Timestamp, happened: &mut Vec<Witnessed>) {
        let Some(now) = stage(one) else { return };
        let before = self.stages.insert(one.id.clone(), now);
        if before == Some(now) {
            return;
        }
        let (what, told_at) = match now {
            Stage::Created => (Happening::ContainerCreated, one.created_at),
            Stage::Started => (Happening::ContainerStarted, one.started_at),
            Stage::Died => (Happening::ContainerDied { exit_code: one.exit_code }, one.finished_at),
        };
        let subject = Subject::Container(one.id.clone());
        happened.push(Witnessed { at: told_at.unwrap_or(at), subject, what });
    }
}

fn stage(one: &Metadata) -> Option<Stage> {
    Some(match one.state? {
        State::Created => Stage::Created,
        State::Running | State::Paused => Stage::Started,
        State::Restarting | State::Exited | State::Dead => Stage::Died,
        State::Removing => return None,
    })
}

/// Which cgroups' quotas run out.
#[derive(Debug, Default)]
struct Throttling {
    seen: HashMap<CgroupId, Quota>,
    /// When the last sample was taken, by `CLOCK_MONOTONIC`.
    looked_ns: u64,
}

/// What `cpu.stat` said of a cgroup.
#[derive(Clone, Copy, Debug)]
struct Quota {
    periods: u64,
    throttled_periods: u64,
    throttled_ns: u64,
    /// When the sample was taken, by `CLOCK_MONOTONIC`.
    looked_ns: u64,
    /// When `throttled_periods` was last seen to grow.
    grown_ns: u64,
    /// What the counters were before they began to grow; `None` while it is not throttled.
    began: Option<(u64, u64)>,
}

/// A cgroup that does nothing has no periods: after this many periods' time without one it counts as not throttled.
const QUIET_PERIODS: u64 = 2;
/// The kernel's default (`cpu.max`).
const PERIOD_US: u64 = 100_000;

impl Throttling {
    fn follow(&mut self, sample: &Sample, happened: &mut Vec<Witnessed>) {
        let before = std::mem::take(&mut self.seen);
        for series in &sample.series {
            let Some(mut quota) = Quota::of(&series.files.cpu, sample.monotonic_ns) else { continue };
            let earlier = before.get(&series.cgroup).copied();
            // What a cgroup did before it was first looked at is news only if it was made since the last sample.
            let earlier = earlier.or_else(|| series.is_new.then(|| Quota::none(self.looked_ns)));
            if let Some(what) = earlier.and_then(|earlier| quota.compare(&earlier, series)) {
                let subject = Subject::Cgroup(series.cgroup);
                happened.push(Witnessed { at: sample.taken_at, subject, what });
            }
            self.seen.insert(series.cgroup, quota);
        }
        self.looked_ns = sample.monotonic_ns;
    }
}

impl Quota {
    fn of(cpu: &CpuStats, now_ns: u64) -> Option<Self> {
        Some(Self {
            periods: cpu.periods?,
            throttled_periods: cpu.throttled_periods?,
            throttled_ns: cpu.throttled_ns.unwrap_or_default(),
            looked_ns: now_ns,
            grown_ns: now_ns,
            began: None,
        })
    }

    /// A cgroup's counters as it is made, at this moment at the earliest.
    fn none(looked_ns: u64) -> Self {
        Self {
            periods: 0,
            throttled_periods: 0,
            throttled_ns: 0,
            looked_ns,
            grown_ns: looked_ns,
            began: None,
        }
    }

    /// What changed since an earlier look, which this one continues.
    fn compare(&mut self, before: &Self, series: &Series) -> Option<Happening> {
        let granularity_ns = self.looked_ns - before.looked_ns;
        let growth = self.throttled_periods.saturating_sub(before.throttled_periods);
        self.began = before.began;
        if growth > 0 && !series.has_ended() {
            let is_new = before.began.is_none();
            self.began = before.began.or(Some((before.throttled_periods, before.throttled_ns)));
            return is_new.then_some(Happening::ThrottleBegin { granularity_ns });
        }
        self.grown_ns = if growth > 0 { self.looked_ns } else { before.grown_ns };
        let (periods, ns) = before.began?;
        let quiet_ns = series.files.cpu.period_us.unwrap_or(PERIOD_US) * QUIET_PERIODS * 1000;
        let is_over = series.has_ended()
            || self.periods > before.periods
            || self.looked_ns.saturating_sub(self.grown_ns) > quiet_ns;
        if !is_over {
            return None;
        }
        self.began = None;
        Some(Happening::ThrottleEnd {
            granularity_ns,
            throttled_periods: self.throttled_periods.saturating_sub(periods),
            throttled_ns: self.throttled_ns.saturating_sub(ns),
        })
    }
}

#[cfg(test)]
mod tests;
