//! Which cgroup hierarchies this host has and where they are mounted.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{CgroupError, parse};

/// The v1 controllers worth telling containers apart by, best first: the one that accounts CPU time is attached to
/// whatever a runtime creates, and `pids` is often left out by old runtimes.
const KEY_CONTROLLERS: [&str; 4] = ["cpuacct", "cpu", "memory", "pids"];

/// Which version of the cgroup interface this host runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Controllers are mounted as v1 and there is no cgroup2 mount.
    V1,
    /// Some controllers are mounted as v1, and cgroup2 is mounted beside them.
    Hybrid,
    /// cgroup2 only. A named v1 hierarchy without controllers (`name=systemd`) does not change that.
    V2,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "v1",
            Self::Hybrid => "hybrid",
            Self::V2 => "v2",
        })
    }
}

/// One mounted cgroup file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The directory it is mounted on.
    pub point: PathBuf,
    /// The cgroup that shows up there: `/`, except where a container sees a bind-mounted part of the tree. It begins
    /// with `/..` where the mount was made outside of our cgroup namespace.
    pub root: String,
}

impl Mount {
    /// The path below [`Mount::point`] of a cgroup that is named from the hierarchy's own root, as kernel events do.
    ///
    /// `None` if it lies outside of what is mounted.
    #[must_use]
    pub fn strip_root<'p>(&self, path: &'p str) -> Option<&'p str> {
        if self.root == "/" {
            return Some(path);
        }
        match path.strip_prefix(self.root.as_str())? {
            "" => Some("/"),
            rest => rest.starts_with('/').then_some(rest),
        }
    }
}

/// A v1 hierarchy with at least one controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct V1Hierarchy {
    /// The kernel's number for it, as in `/proc/self/cgroup`; 0 is always cgroup v2.
    pub id: u32,
    /// Its controllers; more than one where they are mounted together (`cpu,cpuacct`).
    pub controllers: Vec<String>,
    /// Where it is mounted.
    pub mount: Mount,
}

/// The cgroup hierarchies of a host, as its mount table shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy {
    mode: Mode,
    unified: Option<Mount>,
    v1: Vec<V1Hierarchy>,
    disabled: Vec<String>,
    is_numa: bool,
}

impl Hierarchy {
    /// Reads `self/mountinfo`, `self/cgroup` and `cgroups` below `proc`, which is `/proc` on a live host.
    pub fn detect(proc: &Path) -> Result<Self, CgroupError> {
        Self::detect_below(proc, Path::new("/"))
    }

    /// [`Hierarchy::detect`] with every mount point taken relative to `root`: a captured tree, or a host whose root
    /// directory is mounted into our container.
    pub fn detect_below(proc: &Path, root: &Path) -> Result<Self, CgroupError> {
        let mountinfo = proc.join("self/mountinfo");
        let membership = read(&proc.join("self/cgroup"))?;
        // Absent where the kernel has no v1 at all, and then there is nothing that it could add.
        let controllers = fs::read_to_string(proc.join("cgroups")).unwrap_or_default();
        let mounts = parse::cgroup_mounts(&read(&mountinfo)?);

        let unified = best_mount(mounts.iter().filter(|mount| mount.is_v2), root);
        let v1: Vec<V1Hierarchy> = parse::v1_hierarchies(&membership)
            .into_iter()
            .filter_map(|(id, controllers)| {
                let of_this = mounts.iter().filter(|mount| {
                    !mount.is_v2 && controllers.iter().all(|name| mount.options.contains(name))
                });
                Some(V1Hierarchy { id, mount: best_mount(of_this, root)?, controllers })
            })
            .collect();
        let mode = match (&unified, v1.is_empty()) {
            (Some(_), true) => Mode::V2,
            (Some(_), false) => Mode::Hybrid,
            (None, false) => Mode::V1,
            (None, true) => return Err(CgroupError::NotMounted { mountinfo }),
        };
        // Of a kernel without NUMA there is no such file.
        let nodes = fs::read(root.join("sys/devices/system/node/online")).unwrap_or_default();
        let is_numa = parse::cpu_list(&nodes).contains([',', '-']);
        Ok(Self { mode, unified, v1, disabled: parse::disabled_controllers(&controllers), is_numa })
    }

    /// Which version of the interface this host runs.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Where cgroup2 is mounted.
    #[must_use]
    pub fn unified(&self) -> Option<&Path> {
        self.unified.as_ref().map(|mount| mount.point.as_path())
    }

    /// The cgroup2 mount with the part of the tree that it shows.
    #[must_use]
    pub fn unified_mount(&self) -> Option<&Mount> {
        self.unified.as_ref()
    }

    /// Every mounted v1 hierarchy that has a controller, in `/proc/self/cgroup`'s order.
    #[must_use]
    pub fn v1(&self) -> &[V1Hierarchy] {
        &self.v1
    }

    /// The v1 hierarchy of one controller: its mount and id. `None` if the controller is v2's or absent.
    #[must_use]
    pub fn v1_of(&self, controller: &str) -> Option<&V1Hierarchy> {
        self.v1.iter().find(|hierarchy| hierarchy.controllers.iter().any(|name| name == controller))
    }

    /// Hierarchies to tell cgroups apart by where there is no cgroup2, best first, each named by the controller
    /// that the kernel side finds it through.
    pub fn v1_keys(&self) -> impl Iterator<Item = (&'static str, &V1Hierarchy)> {
        KEY_CONTROLLERS.into_iter().filter_map(|controller| Some((controller, self.v1_of(controller)?)))
    }

    /// Whether the machine has more than one NUMA node.
    #[must_use]
    pub fn is_numa(&self) -> bool {
        self.is_numa
    }

    /// Controllers that this kernel has and that were switched off at boot (`cgroup_disable=`).
    #[must_use]
    pub fn disabled_controllers(&self) -> &[String] {
        &self.disabled
    }
}

/// The mount that shows most: one of the whole hierarchy if there is one, else the first.
fn best_mount<'m>(mounts: impl Iterator<Item = &'m parse::CgroupMount>, root: &Path) -> Option<Mount> {
    let best = mounts.min_by_key(|mount| mount.root != "/")?;
    let point = root.join(best.point.strip_prefix("/").unwrap_or(&best.point));
    Some(Mount { point, root: best.root.clone() })
}

fn read(path: &Path) -> Result<String, CgroupError> {
    fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .map_err(|source| CgroupError::Read { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEGACY: &str = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 /docker/abc /mnt/memory rw - cgroup cgroup rw,memory
36 31 0:32 / /sys/fs/cgroup/memory\\040here rw - cgroup cgroup rw,clone_children,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
";
    const MEMBERSHIP: &str = "9:name=systemd:/\n4:memory:/a\n2:cpu,cpuacct:/\n";

    fn detect(mountinfo: &str, membership: &str) -> Result<Hierarchy, CgroupError> {
        let proc = tempfile::tempdir().unwrap();
        fs::create_dir(proc.path().join("self")).unwrap();
        fs::write(proc.path().join("self/mountinfo"), mountinfo).unwrap();
        fs::write(proc.path().join("self/cgroup"), membership).unwrap();
        fs::write(
            proc.path().join("cgroups"),
            "#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t4\t1\t0\n",
        )
        .unwrap();
        Hierarchy::detect(proc.path())
    }

    #[test]
    fn combined_controllers_share_one_hierarchy() {
        let host = detect(LEGACY, MEMBERSHIP).unwrap();
        assert_eq!(host.mode(), Mode::V1);
        assert_eq!(host.unified(), None);
        let cpu = host.v1_of("cpu").unwrap();
        assert_eq!((cpu.id, cpu.mount.point.as_path()), (2, Path::new("/sys/fs/cgroup/cpu,cpuacct")));
        assert_eq!(host.v1_of("cpuacct"), Some(cpu));
        assert_eq!(host.v1_of("pids"), None);
        let keys: Vec<_> = host.v1_keys().map(|(controller, hierarchy)| (controller, hierarchy.id)).collect();
        assert_eq!(keys, [("cpuacct", 2), ("cpu", 2), ("memory", 4)]);
        assert_eq!(host.disabled_controllers(), ["memory"]);
    }

    #[test]
    fn a_mount_of_the_whole_tree_is_preferred_and_unescaped() {
        let host = detect(LEGACY, MEMBERSHIP).unwrap();
        let memory = &host.v1_of("memory").unwrap().mount;
        assert_eq!(memory.point, Path::new("/sys/fs/cgroup/memory here"));
        assert_eq!(memory.root, "/");
    }

    #[test]
    fn cgroup2_beside_v1_is_hybrid_and_beside_a_named_hierarchy_is_v2() {
        let both =
            format!("{LEGACY}41 31 0:38 / /sys/fs/cgroup/unified rw shared:1 master:2 - cgroup2 none rw\n");
        let host = detect(&both, MEMBERSHIP).unwrap();
        assert_eq!(host.mode(), Mode::Hybrid);
        assert_eq!(host.unified(), Some(Path::new("/sys/fs/cgroup/unified")));

        let v2 = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n\
                  40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n";
        assert_eq!(detect(v2, "1:name=systemd:/\n0::/\n").unwrap().mode(), Mode::V2);
    }

    #[test]
    fn no_cgroup_mount_is_its_own_error() {
        let error = detect("23 1 0:5 / /proc rw - proc proc rw\n", "0::/\n").unwrap_err();
        assert!(matches!(error, CgroupError::NotMounted { .. }), "{error}");
    }

    #[test]
    fn kernel_paths_are_cut_to_what_is_mounted() {
        let part = Mount { point: PathBuf::from("/mnt"), root: "/docker/abc".to_owned() };
        assert_eq!(part.strip_root("/docker/abc/child"), Some("/child"));
        assert_eq!(part.strip_root("/docker/abc"), Some("/"));
        assert_eq!(part.strip_root("/docker/abcdef"), None);
        assert_eq!(part.strip_root("/other"), None);
        let whole = Mount { point: PathBuf::from("/mnt"), root: "/".to_owned() };
        assert_eq!(whole.strip_root("/docker/abc"), Some("/docker/abc"));
    }
}
