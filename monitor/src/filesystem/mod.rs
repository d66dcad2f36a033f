//! How much of the file systems containers take, and what is left there.
//!
//! Nothing here happens in a tick. One thread, of the lowest priority for CPUs and disks, finds where a container writes
//! (`layout`), asks a project quota where one accounts for just that (`quota`), and walks the tree where none does
//! (`walk`). What a walk may cost is bounded twice: while it lasts, and by the rest that is taken after it
//! (`survey`). docs/adr/0015 has the reasons.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod layout;
mod mounts;
mod once;
mod quota;
mod space;
mod survey;
mod sys;
mod walk;

use std::sync::Arc;

use jiff::Timestamp;

pub use self::{
    layout::Subject,
    once::measure_once,
    space::{Filesystem, Space},
    survey::{Health, Surveyor, Told},
};
use crate::runtime::storage::VolumeKind;

/// How a figure came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The file system itself accounts for the tree, as a project with a quota or without.
    Quota,
    /// Every entry was looked at.
    Walk,
}

/// How much a tree took when it was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Bytes allocated.
    pub bytes: u64,
    /// Bytes as the lengths of files have them, directories left out; `None` from a quota.
    pub apparent_bytes: Option<u64>,
    /// Inodes, those of directories and whiteouts included.
    pub inodes: u64,
    /// The most bytes that the tree may take, -1 where there is no limit; `None` where nothing would hold it to one.
    pub limit_bytes: Option<i64>,
    /// The same for inodes.
    pub limit_inodes: Option<i64>,
    /// How it was measured.
    pub method: Method,
    /// Entries that were there and are not in the figures.
    pub skipped: u64,
    /// The file system that it lies on, as `st_dev`.
    pub device: u64,
    /// What was left there for it.
    pub space: Option<Space>,
    /// When measuring was done.
    pub at: Timestamp,
    /// The same by `CLOCK_MONOTONIC`.
    pub monotonic_ns: u64,
    /// How long measuring took, without the pauses in it.
    pub busy_ns: u64,
}

/// A tree of a container, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeUsage {
    /// Where it lies on the host; of logs, the file that is written to.
    pub path: Arc<str>,
    /// What it took; `None` before it was measured, or where that is not done.
    pub measured: Option<Arc<Measured>>,
}

/// What a container has mounted, and how much it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeUsage {
    /// Whose it is. Those of the host are not measured.
    pub kind: VolumeKind,
    /// What the runtime calls it.
    pub name: Option<String>,
    /// Where it is in the container.
    pub destination: String,
    /// Its tree.
    pub tree: TreeUsage,
}

/// All that is known of a container's data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerUsage {
    /// What it has written over its image.
    pub layer: Option<TreeUsage>,
    /// What it has logged.
    pub logs: Option<TreeUsage>,
    /// What it has mounted; `None` where no runtime told.
    pub volumes: Option<Vec<VolumeUsage>>,
}
