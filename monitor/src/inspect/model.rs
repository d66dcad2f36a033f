//! What `monitor inspect` says: the public JSON, one type for each object in it.
//!
//! What was not measured is `None` and `null`, never 0; a limit of -1 is no limit (docs/adr/0008).

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// Raised by a rename or a change of meaning; new fields do not raise it.
pub const SCHEMA_VERSION: u32 = 1;

/// One container at one moment: what isolates it and what is in it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Inspection {
    /// The version of this schema.
    pub schema_version: u32,
    /// When it was read. The parts are read one after the other, within some milliseconds.
    pub taken_at: Timestamp,
    /// The runtime's full id.
    pub id: String,
    /// Its first twelve characters, for screens.
    pub short_id: String,
    /// The runtime's name for it; `null` where the runtime did not tell.
    pub name: Option<String>,
    /// The image that it was made from.
    pub image: Option<String>,
    /// Who runs it: `docker`, `podman`, ...
    pub runtime: String,
    /// The uid of the Kubernetes pod that it is part of.
    pub pod_uid: Option<String>,
    /// Whether its processes are frozen, as those of a paused container are.
    pub is_frozen: Option<bool>,
    /// When the runtime made it.
    pub created_at: Option<Timestamp>,
    /// Its first process, in our pid namespace. `namespaces`, `security`, `cgroups` and `mounts` are this one's.
    pub first_pid: i32,
    /// The eight kinds of namespaces, by name.
    pub namespaces: Vec<Namespace>,
    /// What its first process may do.
    pub security: Security,
    /// Its cgroup on each hierarchy.
    pub cgroups: Vec<CgroupPlace>,
    /// What its cgroup may use. Its own limits: a cgroup above it may be limited further.
    pub limits: Limits,
    /// Descriptors open in its processes, one that several share counted for each.
    pub open_files: Option<u64>,
    /// Different sockets among them.
    pub open_sockets: Option<u64>,
    /// Its processes, those of nested cgroups included, the first one first.
    pub processes: Vec<Process>,
    /// What is mounted in its first process's mount namespace, in the order of mounting.
    pub mounts: Vec<Mount>,
    /// What it takes on file systems; `null` where its data were not found.
    pub filesystems: Option<Filesystems>,
}

/// What a container takes on file systems, as it was measured in at most two seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Filesystems {
    /// What was written over the image; where the storage driver copies the image for each container, the copy too.
    pub writable_layer: Option<DataTree>,
    /// What was logged, rotated logs included; `null` where the runtime told of no file.
    pub logs: Option<DataTree>,
    /// What of the host is mounted, but for what is in memory; `null` where the runtime did not tell.
    pub volumes: Option<Vec<Volume>>,
}

/// A tree of files; `null` is what was not measured: it takes longer, or is the host's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DataTree {
    /// Where it lies on the host; of logs, the file that is written to.
    pub path: String,
    /// Bytes allocated, as `du` counts.
    pub used_bytes: Option<u64>,
    /// Inodes, those of directories included.
    pub used_inodes: Option<u64>,
    /// The most bytes that it may take, by its project quota; -1 is no limit, `null` no quota.
    pub limit_bytes: Option<i64>,
}

/// What of the host a container has mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Volume {
    /// Where it is in the container.
    pub destination: String,
    /// What the runtime calls it.
    pub name: Option<String>,
    /// Whether it is any part of the host, and not the runtime's to look after.
    pub is_of_host: bool,
    /// Its files.
    #[serde(flatten)]
    pub tree: DataTree,
}

/// A namespace of the container's first process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Namespace {
    /// The kind, as in `/proc/PID/ns`: `net`, `pid`, ...
    pub kind: String,
    /// Its inode number: equal numbers are the same namespace. `null` where the kernel has no such kind.
    pub inode: Option<u64>,
    /// Whether it is that of process 1.
    pub is_host: Option<bool>,
    /// Other running containers whose first process is in it.
    pub shared_with: Vec<ContainerRef>,
}

/// Another container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct ContainerRef {
    /// The runtime's full id.
    pub id: String,
    /// The runtime's name for it; `null` where the runtime did not tell.
    pub name: Option<String>,
}

/// What a process may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Security {
    /// Its capabilities, which hold in its user namespace.
    pub capabilities: Capabilities,
    /// Whether system calls are filtered; `null` where the kernel has no seccomp.
    pub seccomp: Option<Seccomp>,
    /// How many filters a system call passes; Linux 5.9 and later.
    pub seccomp_filters: Option<u32>,
    /// Whether executing a file can give it no more rights than it has.
    pub no_new_privs: Option<bool>,
    /// What the security module confines it by: an `AppArmor` profile with its mode, or an `SELinux` context.
    pub lsm_label: Option<String>,
}

/// Sets of capabilities, by name; a number where this version knows none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Capabilities {
    /// Those that count.
    pub effective: Vec<String>,
    /// Those that it can make effective.
    pub permitted: Vec<String>,
    /// Those that executing a file can give.
    pub bounding: Option<Vec<String>>,
    /// Those that stay over the execution of an ordinary file.
    pub ambient: Option<Vec<String>>,
}

/// The mode of seccomp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Seccomp {
    /// All system calls.
    Disabled,
    /// Only read, write, exit and sigreturn.
    Strict,
    /// As the filters say.
    Filter,
}

/// A cgroup in one hierarchy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CgroupPlace {
    /// The kernel's number for the hierarchy; 0 is cgroup v2.
    pub hierarchy: u32,
    /// The controllers: on v1 the hierarchy's, or its name as `name=systemd`; on v2 those that are enabled in it.
    pub controllers: Vec<String>,
    /// The container's cgroup, or that of its first process where the hierarchy has none for the container.
    pub path: String,
    /// The kernfs id: the inode number of its directory; `null` where the hierarchy is not mounted here or has no
    /// controllers.
    pub id: Option<u64>,
    /// Whether it is the container's own, so that its limits count.
    pub is_own: bool,
}

/// Limits of every controller; `null` where there is no such controller or file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Limits {
    /// Of CPU time and placement.
    pub cpu: CpuLimits,
    /// Of memory.
    pub memory: MemoryLimits,
    /// Tasks that may exist.
    pub pids: Option<i64>,
    /// Of block I/O.
    pub io: IoLimits,
    /// Of memory in huge pages, by their size.
    pub hugetlb: Vec<HugetlbLimit>,
}

/// Limits of CPU time and placement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CpuLimits {
    /// CPU time allowed in each period.
    pub quota_us: Option<i64>,
    /// The length of a period.
    pub period_us: Option<u64>,
    /// Share of contended CPU time on cgroup v1: 2 to 262144, by default 1024.
    pub shares: Option<u64>,
    /// Share of contended CPU time on cgroup v2: 1 to 10000, by default 100.
    pub weight: Option<u64>,
    /// CPUs that its tasks may run on, as a list such as `0-3,8`.
    pub cpus: Option<String>,
    /// Memory nodes that it may allocate on, as such a list.
    pub memory_nodes: Option<String>,
}

/// Limits of memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MemoryLimits {
    /// The hard limit, at which tasks are killed.
    pub limit_bytes: Option<i64>,
    /// Where tasks are throttled and made to reclaim. cgroup v2 only.
    pub high_bytes: Option<i64>,
    /// cgroup v1: the soft limit, to which the kernel shrinks it when memory is short. cgroup v2: `memory.low`, up to
    /// which it is protected then; 0 where it is not.
    pub reservation_bytes: Option<i64>,
    /// Swap alone. cgroup v1 limits memory and swap together, so there it is that limit less `limit_bytes`.
    pub swap_bytes: Option<i64>,
}

/// Limits of block I/O.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IoLimits {
    /// Share of contended I/O, where the I/O scheduler or controller has weights.
    pub weight: Option<u64>,
    /// Devices that are limited; `null` where there is no such controller.
    pub devices: Option<Vec<IoDeviceLimit>>,
}

/// Limits of one block device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IoDeviceLimit {
    /// Its number as `major:minor`.
    pub device: String,
    /// Bytes read each second.
    pub read_bytes_per_second: i64,
    /// Bytes written each second.
    pub write_bytes_per_second: i64,
    /// Read operations each second.
    pub read_operations_per_second: i64,
    /// Write operations each second.
    pub write_operations_per_second: i64,
}

/// The limit of huge pages of one size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HugetlbLimit {
    /// The size as the kernel writes it: `2MB`.
    pub page_size: String,
    /// Memory in such pages.
    pub limit_bytes: i64,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Process {
    /// Its id in our pid namespace.
    pub pid: i32,
    /// Its id in its own pid namespace.
    pub namespace_pid: Option<i32>,
    /// Its parent in our pid namespace.
    pub parent_pid: i32,
    /// The effective user id, in our user namespace.
    pub user_id: u32,
    /// The letter of its state as in `ps`: R running, S sleeping, D waiting for I/O, T stopped, t traced, Z zombie, I
    /// idle.
    pub state: String,
    /// Threads.
    pub threads: u64,
    /// Resident memory, as the kernel keeps it without exact sums; `null` where it has none.
    pub resident_bytes: Option<u64>,
    /// When it started, to about a second: the kernel tells the time of the boot in whole ones.
    pub started_at: Timestamp,
    /// Descriptors that it has open; `null` where we may not look.
    pub open_files: Option<u64>,
    /// Those of them that are sockets.
    pub open_sockets: Option<u64>,
    /// The kernel's name for it, at most 15 bytes.
    pub name: String,
    /// Its arguments as it was started, or as it changed them since; none where it has none any more.
    pub arguments: Vec<String>,
}

/// A mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Mount {
    /// Where, from the process's root.
    pub target: String,
    /// What: a device, or a name that the file system gives.
    pub source: String,
    /// The part of the file system that is mounted: other than `/` for a bind mount.
    pub root: String,
    /// The type of the file system.
    pub fs_type: String,
    /// Options of this mount, such as `ro` and `nosuid`.
    pub options: Vec<String>,
    /// Options of the file system.
    pub fs_options: Vec<String>,
}
