//! What one cgroup may use, read once: more of it than [`CgroupFiles`](super::CgroupFiles) reads at a tick.
//!
//! Each hierarchy's directory is given apart, because a process need not have the same path in all of them. What is
//! read is the cgroup's own; an ancestor's limit may be lower.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{Hierarchy, Limit, parse};

/// A line of `/proc/PID/cgroup`: where a process is in one hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The kernel's number for the hierarchy; 0 is cgroup v2.
    pub hierarchy: u32,
    /// The v1 hierarchy's controllers, or its name as `name=systemd`; empty on v2.
    pub controllers: Vec<String>,
    /// The cgroup, from the root of our cgroup namespace; it begins with `/..` where it is outside of that.
    pub path: String,
}

/// Where a process is in each hierarchy, from the text of its `/proc/PID/cgroup`.
#[must_use]
pub fn parse_memberships(text: &str) -> Vec<Membership> {
    parse::memberships(text)
}

impl Hierarchy {
    /// The directory of a cgroup that a process is in. `None` where its hierarchy is not mounted with a controller, or
    /// not that part of it.
    #[must_use]
    pub fn directory_of(&self, membership: &Membership) -> Option<PathBuf> {
        let mount = match membership.hierarchy {
            0 => self.unified_mount()?,
            id => &self.v1().iter().find(|v1| v1.id == id)?.mount,
        };
        let below = mount.strip_root(&membership.path)?;
        Some(mount.point.join(below.trim_start_matches('/')))
    }
}

/// The directories of one cgroup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// In the v2 tree.
    pub v2: Option<PathBuf>,
    /// In the v1 hierarchies, by controller.
    pub v1: BTreeMap<String, PathBuf>,
}

/// Limits of every controller. `None` means that there is no such file: no such controller here, or not on this
/// version of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CgroupLimits {
    /// CPU time allowed in each period, in microseconds.
    pub quota_us: Option<Limit>,
    /// Length of a quota period in microseconds.
    pub period_us: Option<u64>,
    /// v1 `cpu.shares`.
    pub shares: Option<u64>,
    /// v2 `cpu.weight`.
    pub weight: Option<u64>,
    /// The CPUs that its tasks may run on, as a list such as `0-3,8`.
    pub cpus: Option<String>,
    /// The memory nodes that it may allocate on, as such a list.
    pub memory_nodes: Option<String>,
    /// The hard limit on memory in bytes.
    pub memory_bytes: Option<Limit>,
    /// Where its tasks are throttled and made to reclaim: v2 `memory.high`, in bytes.
    pub memory_high_bytes: Option<Limit>,
    /// v1 `memory.soft_limit_in_bytes`, v2 `memory.low`.
    pub memory_reservation_bytes: Option<Limit>,
    /// The limit on swap alone; on v1 that on both less that on memory.
    pub swap_bytes: Option<Limit>,
    /// Tasks that may exist.
    pub pids: Option<Limit>,
    /// Share of contended I/O, where the I/O scheduler or controller has weights.
    pub io_weight: Option<u64>,
    /// I/O by device, of devices that have any limit.
    pub io: Option<BTreeMap<String, IoLimit>>,
    /// Memory in huge pages of each size, in bytes, by sizes as the kernel writes them: `2MB`.
    pub hugetlb_bytes: BTreeMap<String, Limit>,
}

/// What may be read from and written to one device each second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IoLimit {
    /// Bytes read.
    pub read_bytes: Limit,
    /// Bytes written.
    pub write_bytes: Limit,
    /// Read operations.
    pub read_operations: Limit,
    /// Write operations.
    pub write_operations: Limit,
}

impl Default for IoLimit {
    fn default() -> Self {
        let none = Limit::Max;
        Self { read_bytes: none, write_bytes: none, read_operations: none, write_operations: none }
    }
}

impl Places {
    /// The cgroup's limits. A file that cannot be read costs its own fields.
    #[must_use]
    pub fn read_limits(&self) -> CgroupLimits {
        let mut limits = CgroupLimits::default();
        if let Some(directory) = &self.v2 {
            read_v2(directory, &mut limits);
        }
        self.read_v1(&mut limits);
        limits
    }

    /// Whether the cgroup's tasks are frozen, as those of a paused container are.
    #[must_use]
    pub fn is_frozen(&self) -> Option<bool> {
        if let Some(directory) = self.v1.get("freezer") {
            return Some(read(directory, "freezer.state")?.trim_ascii() != b"THAWED");
        }
        let events = read(self.v2.as_ref()?, "cgroup.events")?;
        parse::flat_keyed(&events).find(|(key, _)| *key == b"frozen").map(|(_, value)| value == 1)
    }

    fn read_v1(&self, limits: &mut CgroupLimits) {
        let file = |controller: &str, name: &str| read(self.v1.get(controller)?, name);
        if self.v1.contains_key("cpu") {
            limits.quota_us = file("cpu", "cpu.cfs_quota_us").and_then(|text| parse::v1_quota(&text));
            limits.period_us = file("cpu", "cpu.cfs_period_us").and_then(|text| parse::number(&text));
            limits.shares = file("cpu", "cpu.shares").and_then(|text| parse::number(&text));
        }
        if self.v1.contains_key("cpuset") {
            limits.cpus = file("cpuset", "cpuset.effective_cpus").map(|text| parse::cpu_list(&text));
            limits.memory_nodes = file("cpuset", "cpuset.effective_mems").map(|text| parse::cpu_list(&text));
        }
        if self.v1.contains_key("memory") {
            let bytes = |name: &str| file("memory", name).and_then(|text| parse::v1_memory_limit(&text));
            limits.memory_bytes = bytes("memory.limit_in_bytes");
            limits.memory_reservation_bytes = bytes("memory.soft_limit_in_bytes");
            let both = bytes("memory.memsw.limit_in_bytes");
            limits.swap_bytes = both.zip(limits.memory_bytes).and_then(|(both, memory)| both.less(memory));
        }
        if self.v1.contains_key("pids") {
            limits.pids = file("pids", "pids.max").and_then(|text| parse::limit(&text));
        }
        if let Some(directory) = self.v1.get("blkio") {
            limits.io_weight = first_weight(directory, &["blkio.bfq.weight", "blkio.weight"]);
            limits.io = read_v1_io(directory);
        }
        if let Some(directory) = self.v1.get("hugetlb") {
            limits.hugetlb_bytes = read_hugetlb(directory, ".limit_in_bytes", parse::v1_hugetlb_limit);
        }
    }
}

fn read_v2(directory: &Path, limits: &mut CgroupLimits) {
    let file = |name: &str| read(directory, name);
    let bytes = |name: &str| file(name).and_then(|text| parse::limit(&text));
    (limits.quota_us, limits.period_us) = file("cpu.max").and_then(|text| parse::cpu_max(&text)).unzip();
    limits.weight = file("cpu.weight").and_then(|text| parse::number(&text));
    limits.cpus = file("cpuset.cpus.effective").map(|text| parse::cpu_list(&text));
    limits.memory_nodes = file("cpuset.mems.effective").map(|text| parse::cpu_list(&text));
    limits.memory_bytes = bytes("memory.max");
    limits.memory_high_bytes = bytes("memory.high");
    limits.memory_reservation_bytes = bytes("memory.low");
    limits.swap_bytes = bytes("memory.swap.max");
    limits.pids = bytes("pids.max");
    limits.io_weight = first_weight(directory, &["io.weight", "io.bfq.weight"]);
    limits.io = file("io.max").map(|text| parse::io_max(&text).into_iter().collect());
    limits.hugetlb_bytes = read_hugetlb(directory, ".max", parse::limit);
}

/// Of four files, each with a line for each device that is limited.
fn read_v1_io(directory: &Path) -> Option<BTreeMap<String, IoLimit>> {
    type Field = fn(&mut IoLimit) -> &mut Limit;
    const FILES: [(&str, Field); 4] = [
        ("blkio.throttle.read_bps_device", |io| &mut io.read_bytes),
        ("blkio.throttle.write_bps_device", |io| &mut io.write_bytes),
        ("blkio.throttle.read_iops_device", |io| &mut io.read_operations),
        ("blkio.throttle.write_iops_device", |io| &mut io.write_operations),
    ];
    let mut devices = None;
    for (name, field) in FILES {
        let Some(text) = read(directory, name) else { continue };
        let devices = devices.get_or_insert_with(BTreeMap::new);
        for (device, limit) in parse::device_limits(&text) {
            *field(devices.entry(device).or_default()) = Limit::Value(limit);
        }
    }
    devices
}

fn first_weight(directory: &Path, names: &[&str]) -> Option<u64> {
    names.iter().find_map(|name| parse::default_weight(&read(directory, name)?))
}

/// Of files such as `hugetlb.2MB.max`, one for each size that the machine has.
fn read_hugetlb(
    directory: &Path,
    suffix: &str,
    limit: fn(&[u8]) -> Option<Limit>,
) -> BTreeMap<String, Limit> {
    let Ok(entries) = fs::read_dir(directory) else { return BTreeMap::new() };
    let size_and_limit = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let size = name.strip_prefix("hugetlb.")?.strip_suffix(suffix)?;
        // `hugetlb.2MB.rsvd.max` limits reservations.
        let is_size = !size.contains('.');
        is_size.then(|| Some((size.to_owned(), limit(&fs::read(entry.path()).ok()?)?))).flatten()
    };
    entries.filter_map(Result::ok).filter_map(size_and_limit).collect()
}

fn read(directory: &Path, name: &str) -> Option<Vec<u8>> {
    fs::read(directory.join(name)).ok()
}

#[cfg(test)]
mod tests;
