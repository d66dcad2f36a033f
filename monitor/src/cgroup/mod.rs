//! Cgroup files: where they are mounted, which cgroups exist, and what one cgroup's files say.
//!
//! The same [`CgroupStats`] comes from cgroup v1, v2 and a hybrid of both. `v1` and `v2` are tables: one line for
//! each file with what it fills in; [`CgroupFiles`] keeps those files open and re-reads them. Every root directory is
//! passed in, so captured trees are read by the same code as a live host.
//!
//! Paths of cgroups are relative to a hierarchy's mount point and begin with `/`; `/` alone is the mounted root.

mod files;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod hierarchy;
mod limits;
mod parse;
mod stats;
mod tree;
mod v1;
mod v2;

use std::{io, path::PathBuf};

pub use self::{
    files::{CgroupFiles, What, raise_fd_limit},
    hierarchy::{Hierarchy, Mode, Mount, V1Hierarchy},
    limits::{CgroupLimits, IoLimit, Membership, Places, parse_memberships},
    parse::{MountLine, unescape},
    stats::{
        CgroupStats, CpuStats, IoDevice, IoStats, Limit, MemoryDetails, MemoryStats, NumaNode, PidsStats,
        Pressure, PressureAverages, PressureStats,
    },
    tree::{cgroup_id, first_pid, list_cgroups, list_processes},
};

/// Why something about cgroups could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CgroupError {
    /// This mount namespace has no cgroup file system with controllers and no cgroup2.
    #[error("find a mounted cgroup file system in {}", mountinfo.display())]
    NotMounted {
        /// The mount table that was searched.
        mountinfo: PathBuf,
    },
    /// The cgroup does not exist, or was removed since its files were opened.
    #[error("cgroup {path} is gone")]
    Gone {
        /// The cgroup, relative to its hierarchy.
        path: String,
    },
    /// Any other failure to open or read.
    #[error("read {}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl CgroupError {
    /// Whether the cgroup no longer exists, which is an everyday event and no failure.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Gone { .. })
    }
}
