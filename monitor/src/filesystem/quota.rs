//! Project quotas: a file system's own account of a tree, kept at every write and free to ask for.
//!
//! A storage driver that limits a container gives its directory a project of its own (Docker's `--storage-opt size=`,
//! `docker volume create --opt size=`). The figures are used only where the project begins there: one that spans more
//! says nothing about the tree.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::fs::{Mode, OFlags, fstat, openat};

use super::{
    mounts::{self, Mount},
    sys::{self, Attributes, Quota},
};

/// What the file system accounts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accounted {
    pub(super) bytes: u64,
    pub(super) inodes: u64,
    pub(super) limit_bytes: i64,
    pub(super) limit_inodes: i64,
}

/// How far above a tree its project may begin: Docker gives one to the directory that holds a layer's `diff` and `work`,
/// and to the one that holds a volume's `_data`.
const LEVELS_ABOVE: usize = 1;

/// Whether some mounted file system keeps accounts of projects. Nothing but asking says so: ext4 shows no option for it.
pub(super) fn are_kept() -> bool {
    /// The project that there is where there is any.
    const NO_PROJECT: u32 = 0;
    let is_on_device = |mount: &Mount| mount.source.starts_with("/dev/");
    let asked = |mount: Mount| -> io::Result<Quota> {
        let root = File::open(mount.point)?;
        sys::project_quota(root.as_fd(), fstat(&root)?.st_dev, NO_PROJECT)
    };
    mounts::of_host().into_iter().filter(is_on_device).any(|mount| asked(mount).is_ok())
}

/// The account of a directory; `None` where there is none of its own.
pub(super) fn read(directory: BorrowedFd<'_>, device: u64) -> Option<Accounted> {
    let project = project_of(directory)?;
    if !begins_near(directory, project) {
        return None;
    }
    sys::project_quota(directory, device, project).ok().as_ref().map(translate)
}

fn project_of(directory: BorrowedFd<'_>) -> Option<u32> {
    let attributes = Attributes::of(directory).ok()?;
    (attributes.project != 0 && attributes.are_inherited()).then_some(attributes.project)
}

/// Whether the directory, or one at most [`LEVELS_ABOVE`] it, is the topmost of the project.
fn begins_near(directory: BorrowedFd<'_>, project: u32) -> bool {
    let mut above: Option<OwnedFd> = None;
    for _ in 0..=LEVELS_ABOVE {
        let here = above.as_ref().map_or(directory, AsFd::as_fd);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(parent) = openat(here, "..", flags, Mode::empty()) else { return false };
        match Attributes::of(parent.as_fd()) {
            Ok(attributes) if attributes.project == project => above = Some(parent),
            // Another project, or a file system without.
            _ => return true,
        }
    }
    false
}

/// The unit of block counts in a quota.
const BLOCK_BYTES: u64 = 512;

fn translate(quota: &Quota) -> Accounted {
    let limit = |limit: u64| if limit == 0 { -1 } else { i64::try_from(limit).unwrap_or(i64::MAX) };
    Accounted {
        bytes: quota.blocks.saturating_mul(BLOCK_BYTES),
        inodes: quota.inodes,
        limit_bytes: limit(quota.hard_limit_blocks.saturating_mul(BLOCK_BYTES)),
        limit_inodes: limit(quota.hard_limit_inodes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_become_bytes_and_zero_is_no_limit() {
        let mut quota = Quota::default();
        (quota.blocks, quota.inodes, quota.hard_limit_blocks) = (8, 3, 2048);
        let accounted = Accounted { bytes: 4096, inodes: 3, limit_bytes: 1 << 20, limit_inodes: -1 };
        assert_eq!(translate(&quota), accounted);
    }

    #[test]
    fn a_directory_without_a_project_has_no_account() {
        let folder = tempfile::tempdir().unwrap();
        let file = std::fs::File::open(folder.path()).unwrap();
        assert_eq!(read(file.as_fd(), rustix::fs::fstat(&file).unwrap().st_dev), None);
    }
}
