//! Which cgroup files are read when.
//!
//! The probes tell which cgroups ran since the last tick. One that did not cannot have used CPU time, so its files
//! keep their values and are read every few seconds only, for what others do to it (reclaim, new limits). That is why
//! hundreds of idle containers cost next to nothing.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;

use super::clock::Now;
use crate::{
    cgroup::{CgroupFiles, CgroupStats, Hierarchy, What},
    newtypes::CgroupId,
};

const SECOND_NS: u64 = 1_000_000_000;
/// How long the usage of a cgroup that does not run may be taken over.
const USAGE_NS: u64 = 5 * SECOND_NS;
/// How often configuration is read, limits, quota and cpuset, unless a runtime tells of a change.
const LIMITS_NS: u64 = 30 * SECOND_NS;
/// How often the kernel itself brings pressure up to date (`PSI_FREQ`, kernel/sched/psi.c).
const PRESSURE_NS: u64 = 2 * SECOND_NS;
/// Pressure is the dearest file for what it tells, so at most this share of a second goes by for each cgroup: beyond
/// 200 of them it is read less often.
const PRESSURE_SHARE_NS: u64 = 10_000_000;
/// How often the pressure of a cgroup that does not run is read: its averages fade.
const FADING_NS: u64 = 10 * SECOND_NS;
/// How long after a cgroup was made it is opened again where files are missing: runtimes make it in one hierarchy
/// after the other.
const YOUNG_NS: i128 = 3 * 1_000_000_000;

struct Entry {
    files: CgroupFiles,
    /// When usage was read last.
    read_ns: u64,
    usage_due_ns: u64,
    limits_due_ns: u64,
    pressure_due_ns: u64,
}

/// The open files of every cgroup.
#[derive(Default)]
pub(super) struct FileCache {
    entries: HashMap<CgroupId, Entry>,
    buffer: Vec<u8>,
}

/// A cgroup whose files are to be read.
pub(super) struct Subject<'a> {
    pub(super) id: CgroupId,
    pub(super) path: &'a str,
    /// Whether its tasks, or those of cgroups below it, have run since the last tick.
    pub(super) has_run: bool,
    /// Whether some of these have started, ended or become another program.
    pub(super) have_tasks_changed: bool,
    /// Whether requests of theirs to block devices have completed.
    pub(super) has_done_io: bool,
    /// When it was made, if that was seen.
    pub(super) made_at: Option<Timestamp>,
}

impl Subject<'_> {
    fn is_young(&self, now: &Now) -> bool {
        self.made_at.is_some_and(|made| now.wall.as_nanosecond() - made.as_nanosecond() < YOUNG_NS)
    }
}

/// How reading went, over all cgroups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FileHealth {
    /// Files that could not be kept open for lack of descriptors.
    pub(super) starved_files: usize,
    /// Cgroups that have no files, and the last reason.
    pub(super) unreadable: usize,
    /// The last failure that was not a cgroup's removal.
    pub(super) last_error: Option<String>,
}

impl FileCache {
    /// What a cgroup's files say, and when they said it.
    pub(super) fn read(
        &mut self,
        hierarchy: &Hierarchy,
        subject: &Subject<'_>,
        now: &Now,
        health: &mut FileHealth,
    ) -> Option<(&Arc<CgroupStats>, u64)> {
        let (id, now_ns) = (subject.id, now.monotonic_ns);
        let pressure_ns = PRESSURE_NS.max(PRESSURE_SHARE_NS * self.entries.len() as u64);
        let what = match self.entries.get(&id) {
            Some(entry) if !(entry.files.is_partial() && subject.is_young(now)) => {
                entry.due(now_ns, subject, pressure_ns)
            }
            _ => self.open(hierarchy, subject, now_ns, health)?,
        };
        let entry = self.entries.get_mut(&id)?;
        health.starved_files += entry.files.starved_files();
        if what != What::default()
            && let Err(error) = entry.files.read(&mut self.buffer, what)
        {
            if !error.is_gone() {
                health.unreadable += 1;
                health.last_error = Some(crate::error::chain(&error));
            }
            // What it said last stays its final word.
            return Some((entry.files.last(), entry.read_ns));
        }
        entry.note(now_ns, what);
        Some((entry.files.last(), entry.read_ns))
    }

    fn open(
        &mut self,
        hierarchy: &Hierarchy,
        subject: &Subject<'_>,
        now_ns: u64,
        health: &mut FileHealth,
    ) -> Option<What> {
        match CgroupFiles::open(hierarchy, subject.path) {
            Ok(files) => {
                self.entries.insert(subject.id, Entry::new(files, subject.id, now_ns));
                Some(What::ALL)
            }
            Err(error) => {
                if !error.is_gone() {
                    health.unreadable += 1;
                    health.last_error = Some(crate::error::chain(&error));
                }
                None
            }
        }
    }

    /// What the files of a removed cgroup said last.
    pub(super) fn last(&self, id: CgroupId) -> Option<(&Arc<CgroupStats>, u64)> {
        self.entries.get(&id).map(|entry| (entry.files.last(), entry.read_ns))
    }

    /// Has the limits read at the next tick.
    pub(super) fn expire_limits(&mut self, id: CgroupId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.limits_due_ns = 0;
        }
    }

    /// Closes the files of a removed cgroup and keeps what they said.
    pub(super) fn retire(&mut self, id: CgroupId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.files.close();
        }
    }

    /// Forgets a cgroup's files.
    pub(super) fn close(&mut self, id: CgroupId) {
        self.entries.remove(&id);
    }
}

impl Entry {
    /// Everything is read at once; what is read again later falls on different ticks for different cgroups.
    fn new(files: CgroupFiles, id: CgroupId, now_ns: u64) -> Self {
        let due = |period: u64| now_ns + id.phase(period);
        Self {
            files,
            read_ns: now_ns,
            usage_due_ns: due(USAGE_NS),
            limits_due_ns: due(LIMITS_NS),
            pressure_due_ns: due(FADING_NS),
        }
    }

    fn due(&self, now_ns: u64, subject: &Subject<'_>, pressure_ns: u64) -> What {
        let has_run = subject.has_run;
        let is_fresh = now_ns + FADING_NS < self.pressure_due_ns + pressure_ns.min(FADING_NS);
        What {
            usage: has_run || self.usage_due_ns <= now_ns,
            tasks: subject.have_tasks_changed,
            io: subject.has_done_io,
            limits: self.limits_due_ns <= now_ns,
            pressure: if has_run { !is_fresh } else { self.pressure_due_ns <= now_ns },
        }
    }

    fn note(&mut self, now_ns: u64, what: What) {
        if what.usage {
            self.read_ns = now_ns;
        }
        if self.usage_due_ns <= now_ns {
            self.usage_due_ns = now_ns + USAGE_NS;
        }
        if self.limits_due_ns <= now_ns {
            self.limits_due_ns = now_ns + LIMITS_NS;
        }
        if what.pressure {
            self.pressure_due_ns = now_ns + FADING_NS;
        }
    }
}
