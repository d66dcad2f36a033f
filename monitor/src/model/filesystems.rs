//! What is taken of file systems, by containers and altogether.

use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric::metrics;

metrics! {
    /// Space and inodes that a container takes on file systems. Measured in the background, each tree at its own time
    /// (`age_ns`) and not more often than its cost allows; while a container does not run, at every tenth turn only.
    Filesystems at filesystems {
        /// Bytes allocated to the writable layer and the logs together; `null` before both were measured.
        used_bytes: Gauge,
        /// Inodes of the writable layer and the logs together.
        used_inodes: Gauge,
        /// Bytes allocated to the volumes that the runtime made; one that is shared counts for each who has it.
        volumes_bytes: Gauge,
        /// Inodes of these volumes.
        volumes_inodes: Gauge,
        /// Size of the file system that holds the writable layer.
        capacity_bytes: Gauge,
        /// What is left there for those that are not root.
        available_bytes: Gauge,
        /// Inodes that there can be on it; `null` where it makes them as they are needed.
        inodes: Gauge,
        /// Those of them that are free.
        free_inodes: Gauge,
    }
    + {
        /// What was written over the image; where the storage driver copies the image for each container, the copy too.
        writable_layer: Tree,
        /// What was logged, rotated logs included; `null` where the runtime told of no file.
        logs: Tree,
        /// What of the host is mounted, but for what is in memory; `null` where the runtime did not tell.
        volumes: Vec<Volume>,
    }
}

metrics! {
    /// What a tree of files took when it was measured.
    TreeUsage at usage of Tree {
        /// Bytes allocated, as `du` counts: blocks and not lengths, hard links once, directories and whiteouts too.
        used_bytes: Gauge,
        /// The lengths of all that is no directory, as `docker ps --size` counts; `null` from a quota.
        apparent_bytes: Gauge,
        /// Inodes, those of directories and whiteouts included.
        used_inodes: Gauge,
        /// The most bytes that the tree may take, by its project quota; -1 is no limit, `null` no quota.
        limit_bytes: Limit,
        /// The most inodes that it may take.
        limit_inodes: Limit,
        /// How long ago it was measured.
        age_ns: Gauge,
        /// How long measuring took, without the pauses in it.
        took_ns: Gauge,
        /// Entries that were there and could not be counted: the figures are too low by so many.
        uncounted_entries: Gauge,
    }
}

/// A tree of files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tree {
    /// Where it lies on the host; of logs, the file that is written to.
    pub path: Arc<str>,
    /// How it was measured; `null` as long as it was not.
    pub method: Option<UsageMethod>,
    /// When it was measured.
    pub measured_at: Option<Timestamp>,
    /// What it took.
    #[serde(flatten)]
    pub usage: TreeUsage,
}

/// How it is known what a tree takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UsageMethod {
    /// The file system accounts for it (project quota).
    Quota,
    /// Every entry was looked at.
    Walk,
}

/// What of the host a container has mounted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Volume {
    /// Who looks after it.
    pub kind: VolumeKind,
    /// What the runtime calls it.
    pub name: Option<String>,
    /// Where it is in the container.
    pub destination: String,
    /// Its files. Those of a bind mount are not measured.
    #[serde(flatten)]
    pub tree: Tree,
}

/// Who looks after what is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VolumeKind {
    /// The runtime, which made it.
    Volume,
    /// The host: any part of it.
    Bind,
}

/// A file system on a device of the machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HostFilesystem {
    /// Where it is mounted.
    pub mount_point: String,
    /// Its number, as in `254:0`: that of the disk, but on file systems that span several.
    pub device: String,
    /// Its type.
    pub fs_type: String,
    /// What is mounted, such as `/dev/sda1`.
    pub source: String,
    /// What it holds.
    #[serde(flatten)]
    pub space: FilesystemSpace,
}

metrics! {
    /// What a file system holds (`statvfs`), asked every 15 s.
    FilesystemSpace at space of HostFilesystem {
        /// Its size, what is kept for root included.
        capacity_bytes: Gauge,
        /// The part in use.
        used_bytes: Gauge,
        /// What is left for those that are not root.
        available_bytes: Gauge,
        /// Inodes that there can be; `null` where it makes them as they are needed.
        inodes: Gauge,
        /// Those of them that are free.
        free_inodes: Gauge,
    }
}
