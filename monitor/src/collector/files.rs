//! Which cgroup files are read when.
//!
//! The probes tell which cgroups ran since the last tick. One that did not cannot have used CPU time, so its files
//! keep their values and are read every few seconds only, for what others do to it (reclaim, new limits). That is why
//! hundreds of idle containers cost next to nothing.

use std::collections::HashMap;

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
/// How often the pressure of a cgroup that does not run is read: its averages fade.
const FADING_NS: u64 = 10 * SECOND_NS;
/// How often a cgroup is opened again in which files are missing: runtimes make it in one hierarchy after the other.
const REOPEN_TRIES: u8 = 5;

struct Entry {
    files: CgroupFiles,
    tries_left: u8,
    usage_ns: u64,
    limits_ns: u64,
    pressure_ns: u64,
}

/// The open files of every cgroup.
#[derive(Default)]
pub(super) struct FileCache {
    entries: HashMap<CgroupId, Entry>,
    buffer: Vec<u8>,
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
        id: CgroupId,
        path: &str,
        now_ns: u64,
        has_run: bool,
        health: &mut FileHealth,
    ) -> Option<(&CgroupStats, u64)> {
        let what = match self.entries.get_mut(&id) {
            Some(entry) if entry.files.is_partial() && entry.tries_left > 0 => {
                entry.tries_left -= 1;
                let tries_left = entry.tries_left;
                self.open(hierarchy, id, path, now_ns, tries_left, health)?
            }
            Some(entry) => entry.due(now_ns, has_run),
            None => self.open(hierarchy, id, path, now_ns, REOPEN_TRIES, health)?,
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
            return Some((entry.files.last(), entry.usage_ns));
        }
        entry.note(now_ns, what, id);
        Some((entry.files.last(), entry.usage_ns))
    }

    fn open(
        &mut self,
        hierarchy: &Hierarchy,
        id: CgroupId,
        path: &str,
        now_ns: u64,
        tries_left: u8,
        health: &mut FileHealth,
    ) -> Option<What> {
        match CgroupFiles::open(hierarchy, path) {
            Ok(files) => {
                let entry =
                    Entry { files, tries_left, usage_ns: now_ns, limits_ns: now_ns, pressure_ns: now_ns };
                self.entries.insert(id, entry);
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
    pub(super) fn last(&self, id: CgroupId) -> Option<(&CgroupStats, u64)> {
        self.entries.get(&id).map(|entry| (entry.files.last(), entry.usage_ns))
    }

    /// Has the limits read at the next tick.
    pub(super) fn expire_limits(&mut self, id: CgroupId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.limits_ns = 0;
        }
    }

    /// Closes a cgroup's files.
    pub(super) fn close(&mut self, id: CgroupId) {
        self.entries.remove(&id);
    }
}

impl Entry {
    fn due(&self, now_ns: u64, has_run: bool) -> What {
        let age = |since: u64| now_ns.saturating_sub(since);
        let usage = has_run || age(self.usage_ns) >= USAGE_NS;
        let pressure = age(self.pressure_ns) >= if has_run { PRESSURE_NS } else { FADING_NS };
        What { usage, limits: age(self.limits_ns) >= LIMITS_NS, pressure }
    }

    fn note(&mut self, now_ns: u64, what: What, id: CgroupId) {
        if what.usage {
            self.usage_ns = now_ns;
        }
        if what.limits {
            // Cgroups met in the same tick would otherwise all be due in the same tick again.
            self.limits_ns = now_ns.saturating_sub(id.0 % 16 * SECOND_NS);
        }
        if what.pressure {
            self.pressure_ns = now_ns;
        }
    }
}
