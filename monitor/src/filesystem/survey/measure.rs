//! One tree, measured.

use std::os::fd::AsFd as _;

use jiff::Timestamp;
use rustix::{
    fs::fstatvfs,
    time::{ClockId, clock_gettime},
};

use super::{Budget, Measured, Method, Target, quota};
use crate::filesystem::{
    space::Space,
    walk::{Found, Root, WalkError},
};

/// By the file system's own account where there is one of just this tree, else entry by entry.
pub(super) fn measure(target: &Target, budget: &mut Budget<'_>) -> Result<Measured, WalkError> {
    match target {
        Target::Tree(path) => {
            let root = Root::open(path)?;
            match quota::read(root.directory.as_fd(), root.device()) {
                Some(accounted) => Ok(by_quota(&root, accounted, budget)),
                None => Ok(by_walk(&root, root.walk(budget)?, budget)),
            }
        }
        Target::Log(path) => {
            let root = Root::open(path.parent().unwrap_or(path))?;
            let found = root.walk_named(path.file_name().unwrap_or_default(), budget)?;
            Ok(by_walk(&root, found, budget))
        }
    }
}

fn by_quota(root: &Root, accounted: quota::Accounted, budget: &Budget<'_>) -> Measured {
    let quota::Accounted { bytes, inodes, limit_bytes, limit_inodes } = accounted;
    Measured {
        apparent_bytes: None,
        limit_bytes: Some(limit_bytes),
        limit_inodes: Some(limit_inodes),
        method: Method::Quota,
        ..by_walk(root, Found { bytes, inodes, ..Found::default() }, budget)
    }
}

fn by_walk(root: &Root, found: Found, budget: &Budget<'_>) -> Measured {
    let Found { bytes, apparent_bytes, inodes, skipped } = found;
    Measured {
        bytes,
        apparent_bytes: Some(apparent_bytes),
        inodes,
        limit_bytes: None,
        limit_inodes: None,
        method: Method::Walk,
        skipped,
        device: root.device(),
        space: fstatvfs(&root.directory).ok().as_ref().map(Space::from),
        at: Timestamp::now(),
        monotonic_ns: monotonic_ns(),
        busy_ns: u64::try_from(budget.total().as_nanos()).unwrap_or(u64::MAX),
    }
}

fn monotonic_ns() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or_default()
}
