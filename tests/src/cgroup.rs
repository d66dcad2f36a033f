//! Cgroups by hand, in every hierarchy that the host has mounted.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::{truth, wait};

/// A hierarchy's name in the map: its controllers as `/proc/PID/cgroup` names them, empty for v2.
type Hierarchy = String;

/// Where a process or a cgroup is, in each hierarchy.
#[derive(Clone, Debug)]
pub struct Places(BTreeMap<Hierarchy, PathBuf>);

impl Places {
    /// Of a process.
    #[must_use]
    pub fn of_process(pid: u32) -> Self {
        let path = PathBuf::from(format!("/proc/{pid}/cgroup"));
        let text = truth::read(&path).unwrap_or_else(|| panic!("process {pid} is gone"));
        let mounts = mounts();
        let places = text.lines().filter_map(|line| {
            let (_, line) = line.split_once(':')?;
            let (controllers, path) = line.split_once(':')?;
            let mount = mounts.get(controllers)?;
            Some((controllers.to_owned(), mount.join(path.trim_start_matches('/'))))
        });
        Self(places.collect())
    }

    /// The roots.
    #[must_use]
    pub fn roots() -> Self {
        Self(mounts())
    }

    /// The folder that has this file, such as `cpu.max` or `memory.limit_in_bytes`, with it.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<PathBuf> {
        self.0.values().map(|folder| folder.join(name)).find(|path| path.exists())
    }

    /// The folder in the v2 hierarchy.
    #[must_use]
    pub fn v2(&self) -> Option<&Path> {
        self.0.get("").map(PathBuf::as_path)
    }

    /// A folder whose `cgroup.procs` lists the processes: v2's, or any.
    #[must_use]
    pub fn any(&self) -> &Path {
        self.v2().or_else(|| self.0.values().next().map(PathBuf::as_path)).expect("some hierarchy")
    }

    /// Whether one of the folders has this inode number.
    #[must_use]
    pub fn has_id(&self, id: u64) -> bool {
        self.0.values().any(|folder| fs::metadata(folder).is_ok_and(|folder| folder.ino() == id))
    }
}

/// A cgroup of ours. Its processes must have ended before it is dropped, or do so soon.
#[derive(Debug)]
pub struct Cgroup {
    places: Places,
}

impl Cgroup {
    /// Makes one of this name under `parent`, in every hierarchy.
    #[must_use]
    pub fn make(parent: &Places, name: &str) -> Self {
        let mut places = BTreeMap::new();
        for (hierarchy, folder) in &parent.0 {
            let path = folder.join(name);
            fs::create_dir(&path).unwrap_or_else(|error| panic!("make {}: {error}", path.display()));
            // A v1 cpuset takes no task before it has CPUs and memory.
            for file in ["cpuset.cpus", "cpuset.mems"] {
                if hierarchy == "cpuset" && path.join(file).exists() {
                    fs::copy(folder.join(file), path.join(file)).expect("inherit a cpuset");
                }
            }
            places.insert(hierarchy.clone(), path);
        }
        Self { places: Places(places) }
    }

    /// Where it is.
    #[must_use]
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Moves a process here.
    pub fn take(&self, pid: u32) {
        for folder in self.places.0.values() {
            let file = folder.join("cgroup.procs");
            fs::write(&file, pid.to_string())
                .unwrap_or_else(|error| panic!("write {pid} to {}: {error}", file.display()));
        }
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        for folder in self.places.0.values() {
            // Busy for a moment after its last task became a zombie.
            wait::until("a cgroup to be removed", || match fs::remove_dir(folder) {
                Err(error) if folder.exists() => {
                    eprintln!("remove {}: {error}", folder.display());
                    None
                }
                _ => Some(()),
            });
        }
    }
}

/// Removes the top-level cgroup of this name from every hierarchy, with those below it, unless a process is in it.
pub fn remove_empty(name: &str) {
    for mount in mounts().into_values() {
        remove_tree(&mount.join(name));
    }
}

fn remove_tree(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_tree(&entry.path());
        }
    }
    // In vain where it is not there, or is somebody's.
    let _ = fs::remove_dir(folder);
}

/// Where each hierarchy is mounted.
fn mounts() -> BTreeMap<Hierarchy, PathBuf> {
    let text = truth::read(Path::new("/proc/self/mountinfo")).expect("the mounts");
    let hierarchies = truth::read(Path::new("/proc/self/cgroup")).expect("our cgroups");
    let mut mounts = BTreeMap::new();
    for line in text.lines() {
        let Some((mount, kind)) = line.split_once(" - ") else { continue };
        let Some(point) = mount.split(' ').nth(4) else { continue };
        let mut kind = kind.split(' ');
        let hierarchy = match kind.next() {
            Some("cgroup2") => String::new(),
            Some("cgroup") => named(kind.nth(1).unwrap_or_default(), &hierarchies),
            _ => continue,
        };
        mounts.entry(hierarchy).or_insert_with(|| PathBuf::from(point));
    }
    assert!(!mounts.is_empty(), "no cgroup hierarchy is mounted");
    mounts
}

/// The hierarchy's name in `/proc/self/cgroup`, whose controllers are all among the mount's options.
fn named(options: &str, hierarchies: &str) -> String {
    let options: Vec<&str> = options.split(',').collect();
    let names = hierarchies.lines().filter_map(|line| line.split(':').nth(1));
    names
        .filter(|name| !name.is_empty())
        .find(|name| name.split(',').all(|controller| options.contains(&controller)))
        .unwrap_or("?")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_a_mount_name_its_hierarchy() {
        let hierarchies = "4:memory:/\n3:cpu,cpuacct:/\n1:name=systemd:/\n0::/\n";
        assert_eq!(named("rw,cpu,cpuacct", hierarchies), "cpu,cpuacct");
        assert_eq!(named("rw,xattr,name=systemd", hierarchies), "name=systemd");
        assert_eq!(named("rw,pids", hierarchies), "?");
    }
}
