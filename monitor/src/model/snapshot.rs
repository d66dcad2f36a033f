//! The snapshot: one JSON object, or one line of an NDJSON stream.

use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{audit::Audit, coverage::Coverage, groups::Measurements, host::Host, shared::Shared};

/// Raised by a rename or a change of meaning; new fields do not raise it.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that is known at one moment, and how it changed over the window that ends there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// The version of this schema.
    pub schema_version: u32,
    /// The window's end, RFC 3339 with nanoseconds.
    pub taken_at: Timestamp,
    /// The window's length: rates and latencies are over it. 0 in a snapshot without a predecessor.
    pub window_ns: u64,
    /// The machine.
    pub host: Host,
    /// Containers that run, and those that ended a short while ago. Each carries what its nested cgroups did.
    pub containers: Vec<Container>,
    /// Cgroups that are no container's: services, sessions, the root.
    pub cgroups: Vec<CgroupEntry>,
    /// How what was counted compares with the machine's own figures, and what counting costs.
    pub audit: Audit,
    /// What was measured and what was lost.
    pub coverage: Coverage,
}

/// How the cgroup file systems are set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CgroupMode {
    /// Controllers in v1 hierarchies, no v2.
    V1,
    /// Controllers in v1 hierarchies, and a v2 tree beside them.
    Hybrid,
    /// One v2 tree.
    V2,
}

/// A container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Container {
    /// Who it is.
    #[serde(flatten)]
    pub about: Shared<About>,
    /// What was measured.
    #[serde(flatten)]
    pub measurements: Measurements,
}

/// Who a container is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct About {
    /// The runtime's full id; a name where the runtime has no ids, with containerd's namespace before it.
    pub id: String,
    /// Its first twelve characters, for screens.
    pub short_id: String,
    /// The runtime's name for it, in Kubernetes the one in its pod; `null` until the runtime has told.
    pub name: Option<String>,
    /// The image that it was made from.
    pub image: Option<String>,
    /// Who runs it: `docker`, `podman`, ...
    pub runtime: String,
    /// Whether it runs.
    pub state: ContainerState,
    /// The exit status, once ended: 128 and the signal's number where a signal ended it.
    pub exit_code: Option<i64>,
    /// When the runtime made it.
    pub created_at: Option<Timestamp>,
    /// When it was last started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The runtime's labels.
    pub labels: BTreeMap<String, String>,
    /// The Kubernetes pod that it is part of.
    pub pod: Option<Pod>,
    /// Since when the eBPF counters count: its own start, or the probes'.
    pub counting_since: Timestamp,
    /// Its cgroup in the hierarchy that is counted.
    pub cgroup: Cgroup,
    /// Inode numbers of its first process's namespaces.
    pub namespaces: Namespaces,
}

// So that `container.name` is its name.
impl Deref for Container {
    type Target = About;

    fn deref(&self) -> &About {
        &self.about
    }
}

impl DerefMut for Container {
    fn deref_mut(&mut self) -> &mut About {
        &mut self.about
    }
}

impl About {
    /// Whether it has a label, asked for as `KEY` or `KEY=VALUE`.
    #[must_use]
    pub fn has_label(&self, label: &str) -> bool {
        match label.split_once('=') {
            Some((key, value)) => self.labels.get(key).is_some_and(|told| told == value),
            None => self.labels.contains_key(label),
        }
    }

    /// The Compose project that it is part of, by Docker's label or Podman's.
    #[must_use]
    pub fn project(&self) -> Option<&str> {
        const LABELS: [&str; 2] = ["com.docker.compose.project", "io.podman.compose.project"];
        LABELS.iter().find_map(|label| self.labels.get(*label)).map(String::as_str)
    }
}

/// Whether a container runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContainerState {
    /// It has a cgroup.
    Running,
    /// It is frozen.
    Paused,
    /// Its cgroup is gone; the totals are final.
    Exited,
}

/// A Kubernetes pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pod {
    /// Its name, where the runtime tells.
    pub name: Option<String>,
    /// Its namespace, where the runtime tells.
    pub namespace: Option<String>,
    /// Its uid.
    pub uid: String,
}

/// A cgroup of the hierarchy that is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cgroup {
    /// The kernfs id: the inode number of its directory.
    pub id: u64,
    /// Its path below the hierarchy's root; `null` where it was gone before anything told it.
    pub path: Option<String>,
}

/// A cgroup that is no container's, with what its own tasks did (eBPF counters) and what it was charged for, nested
/// cgroups included (cgroup files).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CgroupEntry {
    /// Which.
    pub cgroup: Cgroup,
    /// What it is, by its path; `null` without one.
    pub kind: Option<CgroupKind>,
    /// The unit's name as systemd writes it, the pod's uid, else the last part of the path.
    pub name: Option<String>,
    /// Since when the eBPF counters count.
    pub counting_since: Timestamp,
    /// What was measured.
    #[serde(flatten)]
    pub measurements: Measurements,
}

/// What a cgroup is that is no container's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CgroupKind {
    /// The root of the hierarchy.
    Root,
    /// A systemd unit that groups others.
    Slice,
    /// A systemd service.
    Service,
    /// A systemd unit of processes that systemd did not start, such as a session.
    Scope,
    /// A systemd unit of another type.
    Unit,
    /// A Kubernetes pod's own, above its containers'.
    Pod,
    /// None of these.
    Cgroup,
}

/// Inode numbers of namespaces: equal numbers are the same namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Namespaces {
    /// Of cgroups.
    pub cgroup: Option<u64>,
    /// Of System V IPC and message queues.
    pub ipc: Option<u64>,
    /// Of mounts.
    pub mnt: Option<u64>,
    /// Of network stacks.
    pub net: Option<u64>,
    /// Of process ids.
    pub pid: Option<u64>,
    /// Of clocks.
    pub time: Option<u64>,
    /// Of users.
    pub user: Option<u64>,
    /// Of host names.
    pub uts: Option<u64>,
}
