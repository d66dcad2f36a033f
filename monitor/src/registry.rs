//! Which cgroup is whose: cgroup id → container, with birth and end. Identity's only owner; it knows no counters.
//!
//! A container here is one *run* of it: the life of one cgroup, told by that cgroup's id. A container that is started
//! again gets a new cgroup and so a new run, and a new series. Identity comes from the cgroup's path; what the runtime
//! says is joined by container id, whenever it arrives.

mod told;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use self::told::{Merged, Told};
use crate::{
    newtypes::{CgroupId, ContainerId},
    runtime::{Metadata, RuntimeEvent, RuntimeKind, SourceName, Standing, State, path::Claims},
};

/// Everything known about one cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CgroupInfo {
    /// Its path below the hierarchy's root; `None` where it was gone before anything told it.
    pub path: Option<Arc<str>>,
    /// The run that it belongs to, named by that run's own cgroup.
    pub run: Option<CgroupId>,
    /// The cgroup that it is in.
    pub parent: Option<CgroupId>,
    /// When it was made, if that was seen.
    pub made_at: Option<Timestamp>,
    /// When it was removed, by `CLOCK_BOOTTIME` in nanoseconds.
    pub removed_boot_ns: Option<u64>,
    /// The same moment, by the wall clock.
    pub removed_at: Option<Timestamp>,
}

/// One run of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The container's full id.
    pub id: ContainerId,
    /// Who runs it, as the path tells.
    pub runtime: RuntimeKind,
    /// The path of its own cgroup.
    pub path: String,
    /// The uid of the pod that it is part of.
    pub pod_uid: Option<String>,
    /// When its cgroup was made, if that was seen.
    pub made_at: Option<Timestamp>,
    /// Its cgroups, nested ones too, that exist.
    pub members: BTreeSet<CgroupId>,
    /// When its own cgroup was removed.
    pub ended_at: Option<Timestamp>,
    /// How it ended, as the kernel or the runtime told.
    pub exit_code: Option<i64>,
    /// How deep the pid namespace is whose end told the exit code; 0 where the host's runtime told, and deeper than any where a
    /// user's own did.
    pub exit_level: Option<u32>,
    /// When it ended, as the runtime told.
    pub finished_at: Option<Timestamp>,
}

/// Cgroups, runs of containers, and what runtimes say of them.
#[derive(Debug, Default)]
pub struct Registry {
    cgroups: HashMap<CgroupId, CgroupInfo>,
    by_path: HashMap<Arc<str>, CgroupId>,
    runs: HashMap<CgroupId, Arc<Run>>,
    /// What runtimes say of containers.
    told: Told,
    /// Cgroups that runtimes have told of.
    claims: Claims,
}

impl Run {
    /// Its name, where the path has it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.runtime.has_names_for_ids().then(|| self.id.as_str())
    }
}

/// A runtime makes a container's cgroups in every hierarchy within this time.
const MADE_TOGETHER: SignedDuration = SignedDuration::from_millis(500);

/// What a runtime's word on an exit code counts, as if it were a pid namespace's: that of the host's more than any, that of a
/// user's own less than any.
fn exit_level(source: &SourceName) -> u32 {
    match source.standing() {
        Standing::Host => 0,
        Standing::User => USERS_LEVEL,
    }
}

const USERS_LEVEL: u32 = u32::MAX;

impl Registry {
    /// A cgroup exists at this path. `made_at` is given where its making was seen.
    ///
    /// False where it is nested in a container whose own cgroup is not known: then a walk has to tell of both.
    pub fn cgroup_made(&mut self, id: CgroupId, path: &str, made_at: Option<Timestamp>) -> bool {
        if self.cgroups.get(&id).is_some_and(|known| known.path.is_some()) {
            return true;
        }
        let identity = self.claims.identify(path);
        let own_path = identity.container_path(path);
        if own_path.is_some_and(|own| own != path && !self.by_path.contains_key(own)) {
            return false;
        }
        let run = self.join_run(id, path, made_at);
        let parent = parent_path(path).and_then(|parent| self.by_path.get(parent).copied());
        let path: Arc<str> = path.into();
        let info = CgroupInfo {
            path: Some(Arc::clone(&path)),
            run,
            parent,
            made_at,
            removed_boot_ns: None,
            removed_at: None,
        };
        self.cgroups.insert(id, info);
        self.by_path.insert(path, id);
        true
    }

    /// Finds or begins the run that a cgroup belongs to.
    fn join_run(&mut self, id: CgroupId, path: &str, made_at: Option<Timestamp>) -> Option<CgroupId> {
        let identity = self.claims.identify(path);
        let own_path = identity.container_path(path)?.to_owned();
        let (runtime, container) = identity.container?;
        let key = if own_path == path { id } else { *self.by_path.get(own_path.as_str())? };
        // The runtime may have told of its end before the kernel's record of its beginning was read.
        let end = self.told.of(&container).filter(|(told, _)| {
            told.state == Some(State::Exited) && made_at.is_some() && made_at <= told.finished_at
        });
        let exit = end.and_then(|(told, by)| Some((told.exit_code?, exit_level(by))));
        let run = self.runs.entry(key).or_insert_with(|| {
            Arc::new(Run {
                id: container,
                runtime,
                path: own_path,
                pod_uid: identity.pod.map(|pod| pod.uid),
                made_at,
                members: BTreeSet::new(),
                ended_at: None,
                exit_code: exit.map(|(code, _)| code),
                exit_level: exit.map(|(_, level)| level),
                finished_at: end.and_then(|(told, _)| told.finished_at),
            })
        });
        Arc::make_mut(run).members.insert(id);
        Some(key)
    }

    /// A cgroup was removed.
    pub fn cgroup_removed(&mut self, id: CgroupId, boot_ns: u64, at: Timestamp) {
        let Some(info) = self.cgroups.get_mut(&id) else { return };
        if info.removed_boot_ns.is_some() {
            return;
        }
        info.removed_boot_ns = Some(boot_ns);
        info.removed_at = Some(at);
        if let Some(path) = &info.path
            && self.by_path.get(path) == Some(&id)
        {
            self.by_path.remove(path);
        }
        if let Some(run) = info.run.and_then(|key| self.runs.get_mut(&key)) {
            let run = Arc::make_mut(run);
            run.members.remove(&id);
            if info.run == Some(id) {
                run.ended_at = Some(at);
            }
        }
    }

    /// All cgroups that exist, parents before children: what was missed is made up for.
    ///
    /// `before` is the boot and wall time before the walk began, so that what it did not find was gone by then or later;
    /// `None` where the walk cannot see every cgroup.
    pub fn walked(&mut self, found: &[(CgroupId, String)], before: Option<(u64, Timestamp)>) {
        let ids: HashSet<CgroupId> = found.iter().map(|(id, _)| *id).collect();
        let gone: Vec<CgroupId> = self.live().map(|(id, _)| id).filter(|id| !ids.contains(id)).collect();
        if let Some((boot_ns, at)) = before {
            for id in gone {
                self.cgroup_removed(id, boot_ns, at);
            }
        }
        for (id, path) in found {
            self.cgroup_made(*id, path, None);
        }
    }

    /// A cgroup counted something that neither a record nor a walk told of. It is nameless, and removed if a walk would
    /// have seen it.
    pub fn cgroup_unknown(&mut self, id: CgroupId, removed_boot_ns: Option<u64>) {
        self.cgroups.entry(id).or_insert(CgroupInfo {
            path: None,
            run: None,
            parent: None,
            made_at: None,
            removed_boot_ns,
            removed_at: None,
        });
    }

    /// The first process of a pid namespace, in this cgroup, ended with this status in the form of wait(2).
    ///
    /// A container may make namespaces of its own, so the outermost one's word counts, and a runtime's before any.
    pub fn init_exited(&mut self, id: CgroupId, wait_status: u32, level: u32) {
        let key = self.cgroups.get(&id).and_then(|info| info.run);
        if let Some(run) = key.and_then(|key| self.runs.get_mut(&key))
            && run.exit_level.is_none_or(|known| level < known)
        {
            let run = Arc::make_mut(run);
            run.exit_code = Some(exit_code(wait_status));
            run.exit_level = Some(level);
        }
    }

    /// Whether what this place says of a container counts: nothing that a user's own daemon says does, where a runtime of the
    /// host's knows the container.
    #[must_use]
    pub fn believes(&self, source: &SourceName, id: &ContainerId) -> bool {
        self.told.believes(source, id)
    }

    /// Takes in what a runtime tells.
    pub fn runtime_told(&mut self, source: &SourceName, event: RuntimeEvent) {
        match event {
            RuntimeEvent::Listed(listed) => {
                self.told.deleted_but(source, &listed.iter().map(|one| &one.id).collect());
                for one in listed {
                    self.merge(source, one);
                }
            }
            RuntimeEvent::Updated(one) => self.merge(source, *one),
            RuntimeEvent::Removed { id } => self.told.deleted(source, id),
            RuntimeEvent::Connection(_) => {}
        }
    }

    fn merge(&mut self, source: &SourceName, one: Metadata) {
        if self.told.is_short_of_room(source, &one) {
            let running = self.runs.values().map(|run| &run.id).collect();
            if self.told.forget_oldest_but(source, &running) {
                self.claims.keep(|id| self.told.of(id).is_some());
            }
        }
        let id = one.id.clone();
        let end = (one.state == Some(State::Exited)).then_some((one.exit_code, one.finished_at));
        let claim = one.cgroup_path.clone().map(|path| (path, one.runtime));
        let merged = self.told.merge(source, one);
        match merged {
            Merged::Refused => return,
            Merged::InsteadOfLess => self.unsay_ends(&id),
            Merged::Believed | Merged::Added => {}
        }
        if merged != Merged::Added
            && let Some((exit_code, finished_at)) = end
            && let Some(run) = self.last_run_of(&id, finished_at)
        {
            let level = exit_level(source);
            if exit_code.is_some() && run.exit_level.is_none_or(|known| level <= known) {
                run.exit_code = exit_code;
                run.exit_level = Some(level);
            }
            run.finished_at = finished_at.or(run.finished_at);
        }
        if let Some((path, runtime)) = claim
            && self.claims.add(&path, runtime, &id)
        {
            self.join_claimed(&path);
        }
    }

    /// Takes back what a user's own daemon said of how a container's runs ended.
    fn unsay_ends(&mut self, id: &ContainerId) {
        for run in self.runs.values_mut().filter(|run| run.id == *id) {
            let run = Arc::make_mut(run);
            run.finished_at = None;
            if run.exit_level == Some(USERS_LEVEL) {
                run.exit_code = None;
                run.exit_level = None;
            }
        }
    }

    /// How many containers are known by runtimes' words.
    #[must_use]
    pub fn told_count(&self) -> usize {
        self.told.len()
    }

    /// How much of what a place told found no room: containers that were forgotten, and words that were not taken in.
    #[must_use]
    pub fn not_kept(&self, source: &SourceName) -> u64 {
        self.told.not_kept(source)
    }

    /// Makes a run of a cgroup that was there before a runtime told whose it is, and of those below it. One that was
    /// removed meanwhile is an ended run until it is forgotten.
    fn join_claimed(&mut self, own: &str) {
        let is_below =
            |path: &str| path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let mut joining: Vec<(String, CgroupId)> = self
            .cgroups
            .iter()
            .filter(|(_, info)| info.run.is_none())
            .filter_map(|(id, info)| {
                Some((info.path.as_deref().filter(|path| is_below(path))?.to_owned(), *id))
            })
            .collect();
        // Its own cgroup before those below it.
        joining.sort_unstable();
        for (path, id) in joining {
            let Some(made_at) = self.cgroups.get(&id).map(|info| info.made_at) else { continue };
            let Some(key) = self.join_run(id, &path, made_at) else { continue };
            let Some(info) = self.cgroups.get_mut(&id) else { continue };
            info.run = Some(key);
            if info.removed_boot_ns.is_some()
                && let Some(run) = self.runs.get_mut(&key).map(Arc::make_mut)
            {
                run.members.remove(&id);
                if key == id {
                    run.ended_at = info.removed_at;
                }
            }
        }
    }

    /// The run that ended at this moment: the last one begun before.
    fn last_run_of(&mut self, id: &ContainerId, ended: Option<Timestamp>) -> Option<&mut Run> {
        let before_the_end = |run: &Run| match (run.made_at, ended) {
            (Some(made), Some(ended)) => made <= ended,
            _ => true,
        };
        self.runs
            .values_mut()
            .filter(|run| run.id == *id && before_the_end(run))
            .max_by_key(|run| run.made_at)
            .map(Arc::make_mut)
    }

    /// Forgets a removed cgroup, and with a run's own cgroup the run.
    pub fn forget(&mut self, id: CgroupId) {
        self.cgroups.remove(&id);
        if let Some(run) = self.runs.remove(&id) {
            self.forget_metadata_of_the_deleted(&run.id);
        }
    }

    fn forget_metadata_of_the_deleted(&mut self, id: &ContainerId) {
        if self.told.is_deleted(id) && !self.runs.values().any(|run| run.id == *id) {
            self.told.forget(id);
            self.claims.remove(id);
        }
    }

    /// Forgets what a runtime said of containers that it has deleted and that no run is left of.
    pub fn forget_deleted(&mut self) {
        if !self.told.has_deleted() {
            return;
        }
        let running: HashSet<&ContainerId> = self.runs.values().map(|run| &run.id).collect();
        for id in self.told.forget_deleted_but(&running) {
            self.claims.remove(&id);
        }
    }

    /// One cgroup.
    #[must_use]
    pub fn get(&self, id: CgroupId) -> Option<&CgroupInfo> {
        self.cgroups.get(&id)
    }

    /// Every cgroup that is known, removed ones until they are forgotten.
    pub fn cgroups(&self) -> impl Iterator<Item = (CgroupId, &CgroupInfo)> {
        self.cgroups.iter().map(|(id, info)| (*id, info))
    }

    /// Every cgroup that exists.
    pub fn live(&self) -> impl Iterator<Item = (CgroupId, &CgroupInfo)> {
        self.cgroups().filter(|(_, info)| info.removed_boot_ns.is_none())
    }

    /// Every run, each by its own cgroup.
    pub fn runs(&self) -> impl Iterator<Item = (CgroupId, &Arc<Run>)> {
        self.runs.iter().map(|(id, run)| (*id, run))
    }

    /// The run whose own cgroup this is.
    #[must_use]
    pub fn run(&self, own: CgroupId) -> Option<&Arc<Run>> {
        self.runs.get(&own)
    }

    /// The cgroup that is or was at this path; where there were several, the one made nearest to `made_at`.
    #[must_use]
    pub fn at_path(&self, path: &str, made_at: Option<Timestamp>) -> Option<CgroupId> {
        let distance = |info: &CgroupInfo| match (info.made_at, made_at) {
            (Some(made), Some(wanted)) => made.duration_since(wanted).abs(),
            _ => SignedDuration::MAX,
        };
        let living = self.by_path.get(path).copied();
        let is_it = |id: CgroupId| {
            made_at.is_none() || self.get(id).is_some_and(|info| distance(info) < MADE_TOGETHER)
        };
        if let Some(living) = living.filter(|id| is_it(*id)) {
            return Some(living);
        }
        let all = self.cgroups().filter(|(_, info)| info.path.as_deref() == Some(path));
        all.min_by_key(|(id, info)| (distance(info), living != Some(*id))).map(|(id, _)| id)
    }

    /// The cgroup that exists at this path or at the nearest above it.
    #[must_use]
    pub fn nearest(&self, path: &str) -> Option<CgroupId> {
        std::iter::successors(Some(path), |path| parent_path(path))
            .find_map(|path| self.by_path.get(path).copied())
    }

    /// What the runtime says of a container.
    #[must_use]
    pub fn metadata(&self, id: &ContainerId) -> Option<&Arc<Metadata>> {
        self.told.of(id).map(|(metadata, _)| metadata)
    }

    /// A container's cgroup and those above it, from the inside out.
    pub fn with_ancestors(&self, id: CgroupId) -> impl Iterator<Item = CgroupId> + '_ {
        std::iter::successors(Some(id), |id| self.cgroups.get(id)?.parent)
    }
}

/// The path without its last part.
fn parent_path(path: &str) -> Option<&str> {
    match path.rsplit_once('/')? {
        ("", "") => None,
        ("", _) => Some("/"),
        (parent, _) => Some(parent),
    }
}

/// What a shell or a runtime calls an exit status: 128 + n where signal n ended the process.
#[must_use]
pub fn exit_code(wait_status: u32) -> i64 {
    let signal = i64::from(wait_status & 0x7f);
    if signal == 0 { i64::from(wait_status >> 8 & 0xff) } else { 128 + signal }
}

#[cfg(test)]
mod tests;
