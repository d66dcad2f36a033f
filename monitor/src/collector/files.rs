//! Which cgroup files are read when.
//!
//! The probes tell for how long each cgroup ran. One that did not cannot have used CPU time, and one that only looked at its
//! clock has hardly: its files are read every few seconds only, for what others do to it (reclaim, new limits). That is why
//! hundreds of idle containers cost next to nothing.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;

use super::clock::Now;
use crate::{
    cgroup::{CgroupFiles, CgroupStats, Hierarchy, What},
    newtypes::CgroupId,
};

const SECOND_NS: u64 = 1_000_000_000;

/// How often what is read. With many cgroups less often, so that those that do not run cost no more than so many readings a
/// second, however many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "a name ends in its unit")]
struct Periods {
    /// How long the usage of a cgroup that does not run may be taken over.
    usage_ns: u64,
    /// Configuration: limits, quota and cpuset, unless a runtime tells of a change.
    limits_ns: u64,
    /// The pressure of a cgroup that runs.
    pressure_ns: u64,
    /// The pressure of one that does not: its averages fade.
    fading_ns: u64,
}

impl Periods {
    fn of(cgroups: usize) -> Self {
        /// At most 30 readings a second, but not so seldom that memory is told much later: with 10 000 cgroups 1000.
        const USAGE_SHARE_NS: u64 = SECOND_NS / 30;
        const LONGEST_USAGE_NS: u64 = 10 * SECOND_NS;
        /// At most 100, since limits are dear.
        const LIMITS_SHARE_NS: u64 = SECOND_NS / 100;
        /// At most 100 likewise, but not so seldom that averages over 10 s are told much later.
        const PRESSURE_SHARE_NS: u64 = SECOND_NS / 100;
        const LONGEST_PRESSURE_NS: u64 = 30 * SECOND_NS;
        /// How often the kernel itself brings pressure up to date (`PSI_FREQ`, kernel/sched/psi.c).
        const PSI_NS: u64 = 2 * SECOND_NS;
        let cgroups = cgroups as u64;
        let pressure_ns = (PRESSURE_SHARE_NS * cgroups).clamp(PSI_NS, LONGEST_PRESSURE_NS);
        Self {
            usage_ns: (USAGE_SHARE_NS * cgroups).clamp(5 * SECOND_NS, LONGEST_USAGE_NS),
            limits_ns: (LIMITS_SHARE_NS * cgroups).max(60 * SECOND_NS),
            pressure_ns,
            fading_ns: pressure_ns.max(10 * SECOND_NS),
        }
    }
}

/// A cgroup's files are read at once when it has run for so long since they were read last. What they would tell of less is
/// told with the next reading, [`Periods::usage_ns`] later at the latest.
const LEAST_RUN_NS: u64 = 100_000;

/// How long after a cgroup was made it is opened again where files are missing: runtimes make it in one hierarchy
/// after the other.
const YOUNG_NS: i128 = 3 * 1_000_000_000;

struct Entry {
    files: CgroupFiles,
    schedule: Schedule,
}

/// When what of a cgroup is to be read.
#[expect(clippy::struct_field_names, reason = "a name ends in its unit")]
struct Schedule {
    /// When usage was read last.
    read_ns: u64,
    /// For how long the cgroup has run since then.
    ran_ns: u64,
    usage_due_ns: u64,
    limits_due_ns: u64,
    /// When pressure was read last.
    pressure_read_ns: u64,
    /// When it is read even if nothing runs.
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
    /// For how long its tasks, and those of cgroups below it, have run since the last tick; the most where that is not known.
    pub(super) ran_ns: u64,
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
        let periods = Periods::of(self.entries.len());
        let (what, is_first) = match self.entries.get_mut(&id) {
            Some(entry) if !(entry.files.is_partial() && subject.is_young(now)) => {
                (entry.schedule.due(now_ns, subject, &periods), false)
            }
            _ => (self.open(hierarchy, subject, now_ns, &periods, health)?, true),
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
            return Some((entry.files.last(), entry.schedule.read_ns));
        }
        if !is_first {
            entry.schedule.note(now_ns, what, &periods);
        }
        Some((entry.files.last(), entry.schedule.read_ns))
    }

    fn open(
        &mut self,
        hierarchy: &Hierarchy,
        subject: &Subject<'_>,
        now_ns: u64,
        periods: &Periods,
        health: &mut FileHealth,
    ) -> Option<What> {
        match CgroupFiles::open(hierarchy, subject.path) {
            Ok(files) => {
                let schedule = Schedule::new(subject.id, now_ns, periods);
                self.entries.insert(subject.id, Entry { files, schedule });
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
        self.entries.get(&id).map(|entry| (entry.files.last(), entry.schedule.read_ns))
    }

    /// Has the limits read at the next tick.
    pub(super) fn expire_limits(&mut self, id: CgroupId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.schedule.limits_due_ns = 0;
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

impl Schedule {
    /// Everything is read at once; what is read again later falls on different ticks for different cgroups.
    fn new(id: CgroupId, now_ns: u64, periods: &Periods) -> Self {
        let Periods { usage_ns, limits_ns, pressure_ns, fading_ns } = *periods;
        let due = |period: u64| now_ns + id.phase(period);
        Self {
            read_ns: now_ns,
            ran_ns: 0,
            usage_due_ns: due(usage_ns),
            limits_due_ns: due(limits_ns),
            pressure_read_ns: due(pressure_ns).saturating_sub(pressure_ns),
            pressure_due_ns: due(fading_ns),
        }
    }

    /// What is due, now that the cgroup has done more.
    fn due(&mut self, now_ns: u64, subject: &Subject<'_>, periods: &Periods) -> What {
        self.ran_ns = self.ran_ns.saturating_add(subject.ran_ns);
        let has_run = self.ran_ns >= LEAST_RUN_NS;
        let has_changed = subject.have_tasks_changed || subject.has_done_io;
        What {
            usage: has_run || has_changed || self.usage_due_ns <= now_ns,
            tasks: subject.have_tasks_changed,
            io: subject.has_done_io,
            limits: self.limits_due_ns <= now_ns,
            pressure: (has_run && self.pressure_read_ns + periods.pressure_ns <= now_ns)
                || self.pressure_due_ns <= now_ns,
        }
    }

    fn note(&mut self, now_ns: u64, what: What, periods: &Periods) {
        if what.usage {
            (self.read_ns, self.ran_ns) = (now_ns, 0);
        }
        if what.pressure {
            self.pressure_read_ns = now_ns;
        }
        let next = |due: &mut u64, period: u64| {
            if *due <= now_ns {
                *due = now_ns + period;
            }
        };
        next(&mut self.usage_due_ns, periods.usage_ns);
        next(&mut self.limits_due_ns, periods.limits_ns);
        next(&mut self.pressure_due_ns, periods.fading_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_cgroups_are_read_as_often_as_values_move() {
        let seconds = |cgroups| {
            let Periods { usage_ns, limits_ns, pressure_ns, fading_ns } = Periods::of(cgroups);
            [usage_ns, limits_ns, pressure_ns, fading_ns].map(|period| period / SECOND_NS)
        };
        assert_eq!(seconds(0), [5, 60, 2, 10]);
        assert_eq!(seconds(300), [9, 60, 3, 10]);
        assert_eq!(seconds(10_000), [10, 100, 30, 30]);
    }

    #[test]
    fn a_cgroup_that_runs_briefly_is_read_when_that_adds_up() {
        let periods = Periods::of(1);
        let mut schedule = Schedule::new(CgroupId(1), 0, &periods);
        let mut is_read = |ran_ns, have_tasks_changed| {
            let subject = Subject {
                id: CgroupId(1),
                path: "/",
                ran_ns,
                have_tasks_changed,
                has_done_io: false,
                made_at: None,
            };
            let what = schedule.due(1, &subject, &periods);
            schedule.note(1, what, &periods);
            what.usage
        };
        assert!(!is_read(0, false));
        assert!(!is_read(LEAST_RUN_NS - 1, false));
        assert!(is_read(1, false));
        assert!(!is_read(LEAST_RUN_NS / 2, false), "it begins anew");
        assert!(is_read(0, true));
        assert!(is_read(u64::MAX, false), "where nothing tells");
    }

    #[test]
    fn readings_of_cgroups_met_together_are_spread() {
        const CGROUPS: usize = 10_000;
        let periods = Periods::of(CGROUPS);
        let mut due = [0_usize; 30];
        for id in 1..=CGROUPS as u64 {
            let at = CgroupId(id * 37).phase(periods.fading_ns) / SECOND_NS;
            due[usize::try_from(at).expect("within the period")] += 1;
        }
        assert!(due.iter().all(|readings| (250..450).contains(readings)), "{due:?}");
    }
}
