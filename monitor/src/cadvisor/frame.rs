//! A snapshot as cAdvisor's API looks at it: every cgroup by its path, containers among them.

use std::{cmp::Ordering, collections::HashMap, sync::Arc};

use crate::model::{Cgroup, CgroupEntry, Container, ContainerState, HostFilesystem, Measurements, Snapshot};

/// The path of the cgroup that stands for the machine.
pub(super) const MACHINE: &str = "/";

/// One snapshot, in the order of paths.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) snapshot: Arc<Snapshot>,
    /// In the order of their paths, each path once.
    places: Vec<Place>,
    /// Of each network namespace that several containers share, the one that had it first, by its index.
    owners: HashMap<u64, usize>,
    /// The machine's own network namespace.
    host_network: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The machine, and its root cgroup where that is known.
    Machine(Option<usize>),
    Container(usize),
    Cgroup(usize),
}

/// One cgroup of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'f> {
    pub(super) frame: &'f Frame,
    pub(super) path: &'f str,
    pub(super) what: What<'f>,
}

/// What a cgroup is.
#[derive(Clone, Copy, Debug)]
pub(super) enum What<'f> {
    Machine(Option<&'f CgroupEntry>),
    Container(&'f Container),
    Cgroup(&'f CgroupEntry),
}

/// Whose the interfaces are that a container sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NetworkOwner {
    /// Its own, or nobody knows better.
    Itself,
    /// The machine's.
    Machine,
    /// Another container's, which tells of them.
    Another,
}

impl Frame {
    /// `host_network` is the inode number of the machine's network namespace.
    pub(super) fn new(snapshot: Arc<Snapshot>, host_network: Option<u64>) -> Self {
        let mut places: Vec<Place> = (0..snapshot.containers.len()).map(Place::Container).collect();
        let is_root = |entry: &CgroupEntry| entry.cgroup.path.as_deref() == Some(MACHINE);
        let root = snapshot.cgroups.iter().position(is_root);
        places.extend((0..snapshot.cgroups.len()).filter(|index| Some(*index) != root).map(Place::Cgroup));
        places.retain(|place| place.path(&snapshot).is_some_and(|path| path != MACHINE));
        places.push(Place::Machine(root));
        // Where a container was started again, the run that goes on comes first and stays.
        places.sort_by(|one, other| {
            one.path(&snapshot).cmp(&other.path(&snapshot)).then_with(|| one.precedence(&snapshot, *other))
        });
        places.dedup_by(|later, kept| later.path(&snapshot) == kept.path(&snapshot));
        let owners = owners(&snapshot.containers);
        Self { snapshot, places, owners, host_network }
    }

    /// Every cgroup, in the order of paths; containers that have ended among them.
    pub(super) fn subjects(&self) -> impl Iterator<Item = Subject<'_>> {
        self.places.iter().filter_map(|place| self.subject(*place))
    }

    /// The cgroup with this path.
    pub(super) fn find(&self, path: &str) -> Option<Subject<'_>> {
        let found = self.places.binary_search_by(|place| place.path(&self.snapshot).cmp(&Some(path))).ok()?;
        self.subject(*self.places.get(found)?)
    }

    /// The same cgroup as in another frame, and not a later one with its path.
    pub(super) fn find_again(&self, other: &Subject<'_>) -> Option<Subject<'_>> {
        self.find(other.path).filter(|found| found.id() == other.id())
    }

    /// The cgroups below this one.
    pub(super) fn below<'f>(&'f self, path: &str) -> impl Iterator<Item = Subject<'f>> + use<'f> {
        let prefix = if path == MACHINE { MACHINE.to_owned() } else { format!("{path}/") };
        let first = self.places.partition_point(|place| {
            place.path(&self.snapshot).is_none_or(|place| place < prefix.as_str() || place == MACHINE)
        });
        self.places
            .iter()
            .skip(first)
            .filter_map(|place| self.subject(*place))
            .take_while(move |subject| subject.path.starts_with(&prefix))
    }

    /// The file system that a file of the host lies on.
    pub(super) fn filesystem_of(&self, path: &str) -> Option<&HostFilesystem> {
        let holds = |mount: &str| {
            path.strip_prefix(mount)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || mount == "/")
        };
        let mounted = self.snapshot.host.totals.filesystems.as_deref().unwrap_or_default();
        mounted
            .iter()
            .filter(|mounted| holds(&mounted.mount_point))
            .max_by_key(|mounted| mounted.mount_point.len())
    }

    fn subject(&self, place: Place) -> Option<Subject<'_>> {
        let what = match place {
            Place::Machine(root) => What::Machine(root.and_then(|root| self.snapshot.cgroups.get(root))),
            Place::Container(index) => What::Container(self.snapshot.containers.get(index)?),
            Place::Cgroup(index) => What::Cgroup(self.snapshot.cgroups.get(index)?),
        };
        Some(Subject { frame: self, path: place.path(&self.snapshot)?, what })
    }
}

impl Place {
    fn path(self, snapshot: &Snapshot) -> Option<&str> {
        match self {
            Self::Machine(_) => Some(MACHINE),
            Self::Container(index) => snapshot.containers.get(index)?.cgroup.path.as_deref(),
            Self::Cgroup(index) => snapshot.cgroups.get(index)?.cgroup.path.as_deref(),
        }
    }

    /// Orders two of the same path: what runs before what has ended, then the later one first.
    fn precedence(self, snapshot: &Snapshot, other: Self) -> Ordering {
        let rank = |place: Self| match place {
            Self::Container(index) => snapshot.containers.get(index).map(Container::precedence),
            Self::Machine(_) | Self::Cgroup(_) => None,
        };
        rank(other).cmp(&rank(self))
    }
}

/// The first container of each network namespace, by its start, as in a pod the one that holds the namespace.
fn owners(containers: &[Container]) -> HashMap<u64, usize> {
    let mut owners: HashMap<u64, usize> = HashMap::new();
    let start =
        |container: &Container| (container.started_at.or(container.created_at), container.counting_since);
    for (index, container) in containers.iter().enumerate() {
        let Some(namespace) = container.namespaces.net else { continue };
        if container.state == ContainerState::Exited {
            continue;
        }
        let owner = owners.entry(namespace).or_insert(index);
        if containers.get(*owner).is_some_and(|known| start(container) < start(known)) {
            *owner = index;
        }
    }
    owners
}

impl<'f> Subject<'f> {
    /// The container, where it is one.
    pub(super) fn container(&self) -> Option<&'f Container> {
        match self.what {
            What::Container(container) => Some(container),
            What::Machine(_) | What::Cgroup(_) => None,
        }
    }

    /// What was measured; of the machine, of its root cgroup.
    pub(super) fn measurements(&self) -> Option<&'f Measurements> {
        match self.what {
            What::Machine(entry) => entry.map(|entry| &entry.measurements),
            What::Container(container) => Some(&container.measurements),
            What::Cgroup(entry) => Some(&entry.measurements),
        }
    }

    /// Whether it is the machine as a whole.
    pub(super) fn is_machine(&self) -> bool {
        matches!(self.what, What::Machine(_))
    }

    /// Whether it is a container that has ended: what it counted is final, and it has nothing now.
    pub(super) fn has_ended(&self) -> bool {
        self.container().is_some_and(|container| container.state == ContainerState::Exited)
    }

    /// Whose interfaces a container sees.
    pub(super) fn network_owner(&self) -> NetworkOwner {
        let Some(container) = self.container() else { return NetworkOwner::Itself };
        let Some(namespace) = container.namespaces.net else { return NetworkOwner::Itself };
        if Some(namespace) == self.frame.host_network {
            return NetworkOwner::Machine;
        }
        let owner = self.frame.owners.get(&namespace);
        match owner.and_then(|owner| self.frame.snapshot.containers.get(*owner)) {
            Some(owner) if owner.id != container.id => NetworkOwner::Another,
            _ => NetworkOwner::Itself,
        }
    }

    /// Tells apart cgroups that had the same path one after the other.
    fn id(&self) -> Option<u64> {
        let cgroup: Option<&Cgroup> = match self.what {
            What::Machine(_) => None,
            What::Container(container) => Some(&container.cgroup),
            What::Cgroup(entry) => Some(&entry.cgroup),
        };
        cgroup.map(|cgroup| cgroup.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cadvisor::testing::{cgroup, container, snapshot};

    fn frame(snapshot: Snapshot) -> Frame {
        Frame::new(Arc::new(snapshot), Some(1))
    }

    #[test]
    fn the_machine_is_always_there_and_every_path_once() {
        let mut ended = container("aa");
        ended.state = ContainerState::Exited;
        let mut again = container("aa");
        again.cgroup.id = 99;
        let frame = frame(snapshot(1, vec![ended, again, container("bb")], vec![cgroup("/docker")]));
        let paths: Vec<&str> = frame.subjects().map(|subject| subject.path).collect();
        assert_eq!(paths, ["/", "/docker", "/docker/aa", "/docker/bb"]);
        let found = frame.find("/docker/aa").unwrap();
        assert!(!found.has_ended());
        assert_eq!(found.id(), Some(99));
        assert!(frame.find("/docker/a").is_none());
    }

    #[test]
    fn below_is_all_that_is_nested() {
        let cgroups = vec![cgroup("/docker"), cgroup("/docker-other"), cgroup("/docker/aa/nested")];
        let frame = frame(snapshot(1, vec![container("aa")], cgroups));
        let below = |path: &str| frame.below(path).map(|subject| subject.path).collect::<Vec<_>>();
        assert_eq!(below("/docker"), ["/docker/aa", "/docker/aa/nested"]);
        assert_eq!(below("/"), ["/docker", "/docker-other", "/docker/aa", "/docker/aa/nested"]);
        assert!(below("/docker-other").is_empty());
    }

    #[test]
    fn a_cgroup_made_anew_is_another_one() {
        let earlier = frame(snapshot(1, vec![container("aa")], vec![]));
        let mut again = container("aa");
        again.cgroup.id = 99;
        let later = frame(snapshot(2, vec![again], vec![]));
        assert!(earlier.find_again(&later.find("/docker/aa").unwrap()).is_none());
        assert!(earlier.find_again(&later.find("/").unwrap()).is_some());
    }

    #[test]
    fn a_shared_namespace_is_its_first_container_s() {
        let with = |id: &str, namespace, started| {
            let mut made = container(id);
            made.namespaces.net = Some(namespace);
            made.started_at = Some(jiff::Timestamp::from_second(started).unwrap());
            made
        };
        let containers = vec![with("aa", 7, 20), with("bb", 7, 10), with("cc", 1, 5), with("dd", 8, 5)];
        let frame = frame(snapshot(30, containers, vec![]));
        let owner = |id: &str| frame.find(&format!("/docker/{id}")).unwrap().network_owner();
        assert_eq!(owner("aa"), NetworkOwner::Another);
        assert_eq!(owner("bb"), NetworkOwner::Itself);
        assert_eq!(owner("cc"), NetworkOwner::Machine);
        assert_eq!(owner("dd"), NetworkOwner::Itself);
    }

    #[test]
    fn a_file_is_on_the_file_system_mounted_closest_to_it() {
        let mut snapshot = snapshot(1, vec![], vec![]);
        let mounted =
            |point: &str| HostFilesystem { mount_point: point.to_owned(), ..HostFilesystem::default() };
        snapshot.host.totals.filesystems =
            Some(vec![mounted("/"), mounted("/var/lib"), mounted("/var/lib/do")]);
        let frame = frame(snapshot);
        assert_eq!(frame.filesystem_of("/var/lib/docker/x").unwrap().mount_point, "/var/lib");
        assert_eq!(frame.filesystem_of("/etc").unwrap().mount_point, "/");
    }
}
