//! One container, read below a `/proc` and the cgroups' mount points, which may be captured ones.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{
    InspectError,
    find::{self, Found},
    limits,
    model::{self, CgroupPlace, ContainerRef, Inspection},
    mounts,
    namespaces::{self, Inodes, Neighbour},
    process::{ProcessDirectory, Reading},
    security,
};
use crate::{
    cgroup::{Hierarchy, Membership, Places, cgroup_id, parse_memberships},
    newtypes::ContainerId,
    runtime::{Metadata, RuntimeKind, path::Claims},
};

/// Where this machine, or a captured one, is read.
pub(super) struct Host<'a> {
    proc: &'a Path,
    hierarchy: Hierarchy,
    /// The wall time at which its ticks began, to whole seconds.
    booted_at: Timestamp,
}

impl<'a> Host<'a> {
    /// `proc` is `/proc`, and the cgroups' mount points are taken relative to `root`.
    pub(super) fn detect(proc: &'a Path, root: &Path) -> Result<Self, InspectError> {
        Ok(Self { proc, hierarchy: Hierarchy::detect_below(proc, root)?, booted_at: read_boot_time(proc)? })
    }

    /// Inspects the running container that `wanted` names, given what the runtime told.
    pub(super) fn inspect(&self, wanted: &str, told: &[Metadata]) -> Result<Inspection, InspectError> {
        let claims = find::claims(told);
        let running = find::running(&self.hierarchy, &claims)?;
        let id = find::resolve(wanted, &running, told)?;
        let metadata = find::metadata_of(&id, told);
        let has_ended = || InspectError::NotRunning {
            container: find::called(&id, metadata),
            state: "it has just ended".to_owned(),
        };
        let found = running.get(&id).ok_or_else(has_ended)?;
        let taken_at = Timestamp::now();
        let processes = self.read_processes(&id, &claims, found);
        let (directory, first) = processes.first().ok_or_else(has_ended)?;
        let memberships = parse_memberships(&directory.read_text("cgroup").map_err(|_gone| has_ended())?);
        let places = self.places(&id, &claims, &memberships);
        Ok(Inspection {
            schema_version: model::SCHEMA_VERSION,
            taken_at,
            id: id.as_str().to_owned(),
            short_id: id.short().to_owned(),
            name: metadata.and_then(|metadata| metadata.name.clone()).or_else(|| found.name(&id)),
            image: metadata.and_then(|metadata| metadata.image.clone()),
            runtime: runtime_of(found, metadata).to_string(),
            pod_uid: found.pod_uid.clone(),
            is_frozen: places.is_frozen(),
            created_at: metadata.and_then(|metadata| metadata.created_at),
            first_pid: first.process.pid,
            namespaces: namespaces::describe(
                &Inodes::read(directory),
                &Inodes::of_host(self.proc),
                &self.others(&id, &running, told),
            ),
            security: security::read(directory, first),
            cgroups: self.cgroups(&id, &claims, &memberships),
            limits: limits::describe(places.read_limits()),
            open_files: processes.iter().map(|(_, reading)| reading.process.open_files).sum(),
            open_sockets: different_sockets(&processes),
            mounts: mounts::parse(&directory.read_text("mountinfo").unwrap_or_default()),
            processes: processes.into_iter().map(|(_, reading)| reading.process).collect(),
            filesystems: None,
        })
    }

    /// The directory of an inspected container's own cgroup.
    pub(super) fn directory_of(&self, inspection: &Inspection) -> Option<PathBuf> {
        inspection.cgroups.iter().filter(|place| place.is_own).find_map(|place| {
            let CgroupPlace { hierarchy, controllers, path, .. } = place.clone();
            self.hierarchy.directory_of(&Membership { hierarchy, controllers, path })
        })
    }

    /// The container's processes, the first one first and then the older ones. Those that end meanwhile are left out,
    /// and so is one that has got the number of such a one.
    fn read_processes(
        &self,
        id: &ContainerId,
        claims: &Claims,
        found: &Found,
    ) -> Vec<(ProcessDirectory, Reading)> {
        let read = |pid| {
            let directory = ProcessDirectory::open(self.proc, pid).ok()?;
            let memberships = parse_memberships(&directory.read_text("cgroup").ok()?);
            let is_inside = memberships.iter().any(|membership| is_own(id, claims, membership));
            let reading = is_inside.then(|| directory.read(self.booted_at).ok())??;
            Some((directory, reading))
        };
        let mut processes: Vec<_> = found.processes().into_iter().filter_map(read).collect();
        processes.sort_by_key(|(_, reading)| reading.seniority());
        processes
    }

    /// The container's own cgroup in each hierarchy that has one.
    fn places(&self, id: &ContainerId, claims: &Claims, memberships: &[Membership]) -> Places {
        let mut places = Places::default();
        for membership in memberships.iter().filter(|membership| is_own(id, claims, membership)) {
            let membership = cut_to_container(claims, membership);
            let Some(directory) = self.hierarchy.directory_of(&membership) else { continue };
            if membership.hierarchy == 0 {
                places.v2 = Some(directory);
            } else {
                let controllers = membership.controllers.iter();
                places.v1.extend(controllers.map(|controller| (controller.clone(), directory.clone())));
            }
        }
        places
    }

    fn cgroups(&self, id: &ContainerId, claims: &Claims, memberships: &[Membership]) -> Vec<CgroupPlace> {
        let place = |membership: &Membership| {
            let is_own = is_own(id, claims, membership);
            let membership = if is_own { cut_to_container(claims, membership) } else { membership.clone() };
            let directory = self.hierarchy.directory_of(&membership);
            let enabled = directory.as_ref().filter(|_| membership.hierarchy == 0).and_then(|directory| {
                let names = fs::read_to_string(directory.join("cgroup.controllers")).ok()?;
                Some(names.split_ascii_whitespace().map(str::to_owned).collect())
            });
            CgroupPlace {
                hierarchy: membership.hierarchy,
                controllers: enabled.unwrap_or(membership.controllers),
                path: membership.path,
                id: directory.and_then(|directory| cgroup_id(&directory).ok()).map(|id| id.0),
                is_own,
            }
        };
        memberships.iter().map(place).collect()
    }

    /// The other running containers, each by some process of it.
    fn others(
        &self,
        id: &ContainerId,
        running: &BTreeMap<ContainerId, Found>,
        told: &[Metadata],
    ) -> Vec<Neighbour> {
        let neighbour = |(other, found): (&ContainerId, &Found)| {
            let pid = found.processes().into_iter().next()?;
            let name = find::metadata_of(other, told).and_then(|metadata| metadata.name.clone());
            Some(Neighbour {
                container: ContainerRef { id: other.as_str().to_owned(), name },
                namespaces: Inodes::read(&ProcessDirectory::open(self.proc, pid).ok()?),
            })
        };
        running.iter().filter(|(other, _)| *other != id).filter_map(neighbour).collect()
    }
}

/// A socket that several processes have open counts once. `None` where we may not look into one of them.
fn different_sockets(processes: &[(ProcessDirectory, Reading)]) -> Option<u64> {
    let mut different: BTreeSet<u64> = BTreeSet::new();
    for (_, reading) in processes {
        different.extend(reading.sockets.as_ref()?);
    }
    u64::try_from(different.len()).ok()
}

/// Whether a process that is there is in the container's cgroup, or in one nested in it.
fn is_own(id: &ContainerId, claims: &Claims, membership: &Membership) -> bool {
    claims.identify(&membership.path).container.is_some_and(|(_, container)| container == *id)
}

/// The container's own cgroup, where its first process is in one that is nested in it.
fn cut_to_container(claims: &Claims, membership: &Membership) -> Membership {
    let identity = claims.identify(&membership.path);
    let own = identity.container_path(&membership.path).unwrap_or(&membership.path);
    Membership { path: own.to_owned(), ..membership.clone() }
}

/// A path may name the container by its bare id only; then the runtime that knows the id is the one.
fn runtime_of(found: &Found, metadata: Option<&Metadata>) -> RuntimeKind {
    match (found.runtime, metadata) {
        (RuntimeKind::Unknown, Some(metadata)) => metadata.runtime,
        (runtime, _) => runtime,
    }
}

fn read_boot_time(proc: &Path) -> Result<Timestamp, InspectError> {
    let path = proc.join("stat");
    let failed = |source| InspectError::Boot { path: path.display().to_string(), source };
    let text = fs::read_to_string(&path).map_err(failed)?;
    let second = text.lines().find_map(|line| line.strip_prefix("btime ")).map(str::trim);
    let booted_at = second.and_then(|second| Timestamp::from_second(second.parse().ok()?).ok());
    booted_at.ok_or_else(|| failed(io::Error::other("it has no time of the boot")))
}

#[cfg(test)]
mod tests;
