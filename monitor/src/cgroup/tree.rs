//! Which cgroups exist below a hierarchy's mount point.

use std::{collections::BTreeSet, ffi::CStr, fs, mem::MaybeUninit, os::fd::OwnedFd, path::Path};

use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, Stat, openat, statat},
    io::Errno,
};

use super::{CgroupError, parse};
use crate::newtypes::CgroupId;

/// Room for the entries of a directory; a cgroup has some 20 to 60 files.
const DIRECTORY_BUFFER_BYTES: usize = 8 * 1024;

/// Links of a directory without subdirectories: its name and its own `.`.
const LEAF_LINKS: u64 = 2;

/// Every cgroup of the hierarchy mounted at `mount`: id and path, parents before children, the root as `/` first.
///
/// Cgroups that come or go meanwhile may be listed or not. A name that is not UTF-8 is listed with replacement
/// characters and without what is below it.
///
/// cgroupfs counts subdirectories in `st_nlink` (`kernfs_refresh_inode`, fs/kernfs/inode.c), so a leaf, which most
/// cgroups are, costs one `stat` and its files are never listed. That `stat` also gives the id; readdir's `d_ino`
/// would be the same number (checked on 5.10, 6.1, 6.12, 6.18 and 7.2, cgroup v1 and v2).
pub fn list_cgroups(mount: &Path) -> Result<Vec<(CgroupId, String)>, CgroupError> {
    let failed = |error: Errno| CgroupError::Read { path: mount.to_owned(), source: error.into() };
    let root = open_directory(CWD, mount).map_err(failed)?;
    let stat = rustix::fs::fstat(&root).map_err(failed)?;
    let mut found = vec![(CgroupId(stat.st_ino), "/".to_owned())];
    let mut pending = Vec::new();
    list_children(&root, "", &mut found, &mut pending).map_err(failed)?;
    while let Some(path) = pending.pop() {
        let listed = open_directory(&root, path.trim_start_matches('/'))
            .and_then(|directory| list_children(&directory, &path, &mut found, &mut pending));
        match listed {
            // It was removed while we were walking, and all that was below it.
            Ok(()) | Err(Errno::NOENT | Errno::NODEV) => {}
            // Half a list would pass for the removal of the other half.
            Err(error) => {
                let path = mount.join(path.trim_start_matches('/'));
                return Err(CgroupError::Read { path, source: error.into() });
            }
        }
    }
    Ok(found)
}

/// The id of the cgroup whose directory is `directory`.
pub fn cgroup_id(directory: &Path) -> Result<CgroupId, CgroupError> {
    match statat(CWD, directory, AtFlags::empty()) {
        Ok(stat) => Ok(CgroupId(stat.st_ino)),
        Err(Errno::NOENT | Errno::NODEV) => {
            Err(CgroupError::Gone { path: directory.to_string_lossy().into_owned() })
        }
        Err(error) => Err(CgroupError::Read { path: directory.to_owned(), source: error.into() }),
    }
}

/// The id (tgid) of some process in the cgroup at `directory` or, if it has none itself, in a descendant.
///
/// `None` if there is none, if it just went away, or if all are outside of our pid namespace.
#[must_use]
pub fn first_pid(directory: &Path) -> Option<i32> {
    own_first_pid(directory).or_else(|| {
        let below = list_cgroups(directory).ok()?;
        below
            .iter()
            .skip(1)
            .find_map(|(_, path)| own_first_pid(&directory.join(path.trim_start_matches('/'))))
    })
}

/// The processes (tgids) in the cgroup at `directory` and below it that our pid namespace can name.
///
/// A cgroup that goes away meanwhile has none.
#[must_use]
pub fn list_processes(directory: &Path) -> BTreeSet<i32> {
    let below = list_cgroups(directory).unwrap_or_default();
    let own = |path: &str| fs::read(directory.join(path.trim_start_matches('/')).join("cgroup.procs"));
    below
        .iter()
        // A threaded cgroup refuses to be read; its processes are listed at its domain.
        .filter_map(|(_, path)| own(path).ok())
        .flat_map(|text| parse::pids(&text))
        .collect()
}

fn own_first_pid(directory: &Path) -> Option<i32> {
    let procs = openat(CWD, directory.join("cgroup.procs"), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let mut text = [0; 64];
    // Reading fails in a threaded cgroup, whose processes are listed at its domain.
    let length = rustix::io::read(procs.ok()?, &mut text).ok()?;
    parse::first_pid(text.get(..length)?)
}

/// Adds the children of the cgroup at `path` to `found`, and those that have children themselves to `pending`.
fn list_children(
    directory: &OwnedFd,
    path: &str,
    found: &mut Vec<(CgroupId, String)>,
    pending: &mut Vec<String>,
) -> Result<(), Errno> {
    let mut buffer = [MaybeUninit::uninit(); DIRECTORY_BUFFER_BYTES];
    let mut entries = RawDir::new(directory, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        if entry.file_type() != FileType::Directory || is_dot(entry.file_name()) {
            continue;
        }
        let Ok(stat) = statat(directory, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) else { continue };
        let child = format!("{path}/{}", entry.file_name().to_string_lossy());
        if !is_leaf(&stat) {
            pending.push(child.clone());
        }
        found.push((CgroupId(stat.st_ino), child));
    }
    Ok(())
}

/// Some file systems that a captured tree may lie on count no links and say 1 for every directory.
fn is_leaf(stat: &Stat) -> bool {
    stat.st_nlink == LEAF_LINKS
}

fn is_dot(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}

fn open_directory(at: impl std::os::fd::AsFd, path: impl rustix::path::Arg) -> Result<OwnedFd, Errno> {
    openat(at, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_listed_parents_first_with_inode_numbers() {
        use std::os::unix::fs::MetadataExt as _;

        let mount = tempfile::tempdir().unwrap();
        fs::create_dir_all(mount.path().join("docker/a/child")).unwrap();
        fs::create_dir(mount.path().join("docker/b")).unwrap();
        fs::write(mount.path().join("docker/cgroup.procs"), "").unwrap();

        let listed = list_cgroups(mount.path()).unwrap();
        let mut paths: Vec<&str> = listed.iter().map(|(_, path)| path.as_str()).collect();
        for (at, path) in paths.iter().enumerate().skip(1) {
            let parent =
                path.rsplit_once('/').map(|(parent, _)| if parent.is_empty() { "/" } else { parent });
            assert!(
                paths.iter().take(at).any(|earlier| Some(*earlier) == parent),
                "{path} before its parent"
            );
        }
        paths.sort_unstable();
        assert_eq!(paths, ["/", "/docker", "/docker/a", "/docker/a/child", "/docker/b"]);
        for (id, path) in &listed {
            let directory = mount.path().join(path.trim_start_matches('/'));
            assert_eq!(id.0, fs::metadata(&directory).unwrap().ino());
            assert_eq!(cgroup_id(&directory).unwrap(), *id);
        }
    }

    #[test]
    fn the_first_pid_may_be_in_a_descendant() {
        let container = tempfile::tempdir().unwrap();
        fs::create_dir_all(container.path().join("init/worker")).unwrap();
        fs::write(container.path().join("cgroup.procs"), "").unwrap();
        fs::write(container.path().join("init/worker/cgroup.procs"), "41\n42\n").unwrap();
        assert_eq!(first_pid(container.path()), Some(41));
        assert_eq!(first_pid(&container.path().join("missing")), None);
        assert_eq!(list_processes(container.path()), BTreeSet::from([41, 42]));
        assert!(list_processes(&container.path().join("missing")).is_empty());
    }

    #[test]
    fn a_missing_cgroup_is_gone_and_a_missing_mount_is_an_error() {
        let mount = tempfile::tempdir().unwrap();
        let missing = mount.path().join("missing");
        assert!(cgroup_id(&missing).unwrap_err().is_gone());
        assert!(matches!(list_cgroups(&missing), Err(CgroupError::Read { .. })));
    }
}
