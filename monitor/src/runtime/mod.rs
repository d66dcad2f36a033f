//! Who runs containers, and what they call them.
//!
//! Identity has two sources that may each be missing: [`path`] reads a container's id off the path of its cgroup,
//! which works without any runtime's help; a runtime's client ([`docker`], [`containerd`], [`cri`]) adds names, images,
//! labels and exit codes under the same id as it learns of them, and the cgroup where its path does not tell. Both may
//! come in either order, so what is known of a container is built up by [`Metadata::merge`]. [`places`] knows where
//! which runtime is asked.

pub mod containerd;
pub mod cri;
pub mod docker;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod grpc;
mod link;
pub mod path;
pub mod places;
pub mod storage;

use std::{collections::BTreeMap, fmt, sync::Arc};

use jiff::Timestamp;

use self::storage::Storage;
use crate::newtypes::ContainerId;

/// Whose container it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuntimeKind {
    /// Docker Engine.
    Docker,
    /// containerd used directly, by Kubernetes or nerdctl.
    Containerd,
    /// CRI-O.
    Crio,
    /// Podman, rootful or rootless.
    Podman,
    /// LXC, and so Incus, LXD and Proxmox.
    Lxc,
    /// systemd-nspawn, by itself or through machined.
    Nspawn,
    /// A container for certain, but nothing says whose: several runtimes name a cgroup by the bare id.
    Unknown,
}

impl RuntimeKind {
    /// The name in outputs, which its users write in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Containerd => "containerd",
            Self::Crio => "cri-o",
            Self::Podman => "podman",
            Self::Lxc => "lxc",
            Self::Nspawn => "systemd-nspawn",
            Self::Unknown => "unknown",
        }
    }

    /// Whether its containers have no ids but names, unique on a host.
    #[must_use]
    pub fn has_names_for_ids(self) -> bool {
        matches!(self, Self::Lxc | Self::Nspawn)
    }
}

impl fmt::Display for RuntimeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where a container is in its life, in Docker's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Made, never started.
    Created,
    /// Its first process runs.
    Running,
    /// All its processes are frozen.
    Paused,
    /// Its first process has ended and the runtime is about to start it again.
    Restarting,
    /// Being deleted.
    Removing,
    /// Its first process has ended.
    Exited,
    /// Could not be deleted in full.
    Dead,
}

impl State {
    /// The name in outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }

    /// Whether the container has processes now.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a runtime has told about one container; `None` is what it has not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The key: a name can pass to another container, an id cannot.
    pub id: ContainerId,
    /// Who told.
    pub runtime: RuntimeKind,
    /// The name without Docker's leading slash.
    pub name: Option<String>,
    /// The image as the container's maker wrote it; an image id where its name has moved on.
    pub image: Option<String>,
    /// The labels that were kept, those of the image included.
    pub labels: BTreeMap<String, String>,
    /// How many labels were left out because all of them together were too large.
    pub labels_left_out: usize,
    /// Where it is in its life.
    pub state: Option<State>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When its first process was last started.
    pub started_at: Option<Timestamp>,
    /// When its first process last ended.
    pub finished_at: Option<Timestamp>,
    /// What its first process last returned; 128 + n where signal n ended it.
    pub exit_code: Option<i64>,
    /// Its first process, in the host's pid namespace. Stays after that process ended.
    pub pid: Option<i32>,
    /// The Kubernetes pod that it is part of.
    pub pod: Option<PodInfo>,
    /// Its cgroup below the hierarchy's root, told where the path alone does not tell whose it is.
    pub cgroup_path: Option<String>,
    /// Where its data lie on the host.
    pub storage: Option<Arc<Storage>>,
}

/// A Kubernetes pod, as a runtime knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodInfo {
    /// Kubernetes' uid of it.
    pub uid: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The Kubernetes namespace that it is in.
    pub namespace: Option<String>,
}

/// How many bytes of labels are kept per container, names and values together. What passes through is not bounded:
/// clients collect an answer or an event whole.
const LABEL_BYTES: usize = 64 * 1024;

/// What a pair of texts takes in memory besides them, about.
const PAIR_BYTES: usize = 96;

impl Metadata {
    /// A container of which only the id is known.
    #[must_use]
    pub fn new(id: ContainerId, runtime: RuntimeKind) -> Self {
        Self {
            id,
            runtime,
            name: None,
            image: None,
            labels: BTreeMap::new(),
            labels_left_out: 0,
            state: None,
            created_at: None,
            started_at: None,
            finished_at: None,
            exit_code: None,
            pid: None,
            pod: None,
            cgroup_path: None,
            storage: None,
        }
    }

    /// What it takes in memory, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        /// Of what has a fixed size, with the entries of tables in which it is.
        const FIXED: usize = 1024;
        let Self {
            id,
            runtime: _,
            name,
            image,
            labels,
            labels_left_out: _,
            state: _,
            created_at: _,
            started_at: _,
            finished_at: _,
            exit_code: _,
            pid: _,
            pod,
            cgroup_path,
            storage,
        } = self;
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let pod = pod.as_ref().map_or(0, |pod| text(&pod.uid) + text(&pod.name) + text(&pod.namespace));
        let labels: usize = labels.iter().map(|(name, value)| name.len() + value.len() + PAIR_BYTES).sum();
        let storage = storage.as_ref().map_or(0, |storage| storage.bytes());
        FIXED + id.as_str().len() + text(name) + text(image) + pod + text(cgroup_path) + labels + storage
    }

    /// Keeps labels in the order of their names while they fit, and counts the others. The kubelet writes the pod
    /// among them (`newContainerLabels`, pkg/kubelet/kuberuntime/labels.go).
    fn set_labels(&mut self, labels: impl IntoIterator<Item = (String, String)>) {
        let mut room = LABEL_BYTES;
        for (name, value) in labels.into_iter().collect::<BTreeMap<_, _>>() {
            match room.checked_sub(name.len() + value.len()) {
                Some(rest) => {
                    room = rest;
                    self.labels.insert(name, value);
                }
                None => self.labels_left_out += 1,
            }
        }
        let label = |name: &str| self.labels.get(name).cloned();
        let pod = PodInfo {
            uid: label("io.kubernetes.pod.uid"),
            name: label("io.kubernetes.pod.name"),
            namespace: label("io.kubernetes.pod.namespace"),
        };
        if pod != PodInfo::default() {
            self.pod = Some(pod);
        }
    }

    /// Takes over what `newer` tells about the same container and keeps what it does not.
    ///
    /// A container that was started again has no exit code and no end: a live state in `newer` clears those of the
    /// run before. Labels never change in a container's life, so that an empty map means "not told".
    pub fn merge(&mut self, newer: Self) {
        let Self {
            id,
            runtime,
            name,
            image,
            labels,
            labels_left_out,
            state,
            created_at,
            started_at,
            finished_at,
            exit_code,
            pid,
            pod,
            cgroup_path,
            storage,
        } = newer;
        debug_assert_eq!(self.id, id, "only facts about one container can be merged");
        if runtime != RuntimeKind::Unknown {
            self.runtime = runtime;
        }
        if state.is_some_and(State::is_live) {
            self.finished_at = None;
            self.exit_code = None;
        }
        if !labels.is_empty() || labels_left_out > 0 {
            self.labels = labels;
            self.labels_left_out = labels_left_out;
        }
        replace_if_told(&mut self.name, name);
        replace_if_told(&mut self.image, image);
        replace_if_told(&mut self.state, state);
        // A container is made once; some answers say when to the second only, and must not replace a better one.
        if self.created_at.is_none_or(|at| at.subsec_nanosecond() == 0) {
            replace_if_told(&mut self.created_at, created_at);
        }
        replace_if_told(&mut self.started_at, started_at);
        replace_if_told(&mut self.finished_at, finished_at);
        replace_if_told(&mut self.exit_code, exit_code);
        replace_if_told(&mut self.pid, pid);
        replace_if_told(&mut self.pod, pod);
        replace_if_told(&mut self.cgroup_path, cgroup_path);
        // It never changes, and who compares pointers is spared the work of finding that out.
        if self.storage != storage {
            replace_if_told(&mut self.storage, storage);
        }
    }
}

fn replace_if_told<T>(known: &mut Option<T>, newer: Option<T>) {
    if newer.is_some() {
        *known = newer;
    }
}

/// What coverage calls one place where a runtime is asked: `docker`, `podman-1000`; and what its word counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName {
    name: Arc<str>,
    standing: Standing,
}

/// What a place's word counts against another's on the same container: more, the later it stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Any user may have a daemon there, and have it say what he likes of anybody's container.
    User,
    /// Only root can have one there, or whoever started us has named the place.
    Host,
}

impl SourceName {
    /// A place of the host's.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), standing: Standing::Host }
    }

    /// A place of a user's own.
    #[must_use]
    pub fn of_user(name: &str) -> Self {
        Self { name: name.into(), standing: Standing::User }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// What its word counts.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a runtime's client reports, in the order in which it learned of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuntimeEvent {
    /// All containers that the runtime knows, after each (re)connection. One that is not among them is gone from the
    /// runtime, though events that follow may still tell how it ended. Each is to be merged, like `Updated`.
    Listed(Vec<Metadata>),
    /// New facts about one container, to be merged; it may be the first that is heard of it. Facts repeat after a
    /// reconnection.
    Updated(Box<Metadata>),
    /// The runtime has deleted the container.
    Removed {
        /// Which.
        id: ContainerId,
    },
    /// The connection was made, lost, or fails for another reason than before.
    Connection(ConnectionState),
}

impl RuntimeEvent {
    /// What it takes in memory, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Listed(listed) => listed.iter().map(Metadata::bytes).sum(),
            Self::Updated(one) => one.bytes(),
            Self::Removed { id } => size_of::<Self>() + id.as_str().len(),
            Self::Connection(state) => size_of::<Self>() + state.reason.as_ref().map_or(0, String::len),
        }
    }
}

/// Whether a runtime can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionState {
    /// Where it is asked, as a URL.
    pub endpoint: String,
    /// Whether it answers.
    pub connected: bool,
    /// Whether nothing is there where it would be, which is no fault: nobody said that it is used here.
    pub is_absent: bool,
    /// Why it does not answer.
    pub reason: Option<String>,
    /// What it calls its own version; `None` while not connected.
    pub server_version: Option<String>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_state() -> impl Strategy<Value = State> {
        prop::sample::select(vec![
            State::Created,
            State::Running,
            State::Paused,
            State::Restarting,
            State::Removing,
            State::Exited,
            State::Dead,
        ])
    }

    fn any_timestamp() -> impl Strategy<Value = Option<Timestamp>> {
        prop::option::of((0..4i64).prop_map(|second| Timestamp::constant(second, 0)))
    }

    prop_compose! {
        fn any_metadata()(
            name in prop::option::of("[ab]"),
            image in prop::option::of("[cd]"),
            labels in prop::collection::btree_map("[kl]", "[vw]", 0..3),
            labels_left_out in 0..3usize,
            state in prop::option::of(any_state()),
            created_at in any_timestamp(),
            started_at in any_timestamp(),
            finished_at in any_timestamp(),
            exit_code in prop::option::of(0..3i64),
            pid in prop::option::of(1..3i32),
            cgroup_path in prop::option::of("/[ab]"),
        ) -> Metadata {
            let id = ContainerId::new("c");
            let runtime = RuntimeKind::Docker;
            Metadata {
                id, runtime, name, image, labels, labels_left_out, state, created_at, started_at, finished_at,
                exit_code, pid, pod: None, cgroup_path, storage: None,
            }
        }
    }

    #[test]
    fn the_pod_is_among_a_kubelet_s_labels() {
        let mut metadata = Metadata::new(ContainerId::new("c"), RuntimeKind::Containerd);
        metadata.set_labels([("colour".to_owned(), "blue".to_owned())]);
        assert_eq!(metadata.pod, None);
        let label = |name: &str, value: &str| (format!("io.kubernetes.pod.{name}"), value.to_owned());
        metadata.set_labels([label("name", "web-0"), label("namespace", "shop"), label("uid", "u")]);
        let pod = metadata.pod.unwrap();
        assert_eq!((pod.name.as_deref(), pod.namespace.as_deref()), (Some("web-0"), Some("shop")));
        assert_eq!(pod.uid.as_deref(), Some("u"));
    }

    #[test]
    fn a_whole_second_does_not_replace_an_exact_time_of_making() {
        let made = |second, nanosecond| {
            let mut metadata = Metadata::new(ContainerId::new("c"), RuntimeKind::Docker);
            metadata.created_at = Some(Timestamp::constant(second, nanosecond));
            metadata
        };
        assert_eq!(merged(made(1, 0), made(1, 5)), made(1, 5));
        assert_eq!(merged(made(1, 5), made(1, 0)), made(1, 5));
    }

    fn merged(mut older: Metadata, newer: Metadata) -> Metadata {
        older.merge(newer);
        older
    }

    proptest! {
        #[test]
        fn hearing_the_same_again_changes_nothing(a in any_metadata(), b in any_metadata()) {
            let once = merged(a, b.clone());
            prop_assert_eq!(merged(once.clone(), b), once);
        }

        #[test]
        fn hearing_nothing_changes_nothing(a in any_metadata()) {
            let nothing = Metadata::new(a.id.clone(), RuntimeKind::Unknown);
            prop_assert_eq!(merged(a.clone(), nothing), a);
        }

        #[test]
        fn what_is_told_wins_and_the_rest_stays(a in any_metadata(), b in any_metadata()) {
            let both = merged(a.clone(), b.clone());
            prop_assert_eq!(both.name, b.name.or(a.name));
            prop_assert_eq!(both.image, b.image.or(a.image));
            prop_assert_eq!(both.state, b.state.or(a.state));
            prop_assert_eq!(both.started_at, b.started_at.or(a.started_at));
            prop_assert_eq!(both.pid, b.pid.or(a.pid));
        }

        #[test]
        fn an_end_belongs_to_one_run(a in any_metadata(), b in any_metadata()) {
            let both = merged(a.clone(), b.clone());
            let older = if b.state.is_some_and(State::is_live) { None } else { Some(a) };
            prop_assert_eq!(both.exit_code, b.exit_code.or(older.as_ref().and_then(|a| a.exit_code)));
            prop_assert_eq!(both.finished_at, b.finished_at.or(older.and_then(|a| a.finished_at)));
        }
    }
}
