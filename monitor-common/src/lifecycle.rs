//! Rare facts that user space must hear of one by one: a record each, through a ring buffer.

use crate::limits::{COMM_BYTES, PATH_BYTES};

/// What a record tells.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A cgroup was made; carries its id and path.
    CgroupMade = 1,
    /// A cgroup was removed; carries its id and path. Nothing can run in it any more, though a task that has
    /// left it by exiting may still be switched away from once.
    CgroupRemoved = 2,
    /// A task was moved into a cgroup; carries the target's id and path and the task's tid.
    TaskAttached = 3,
    /// The first process of a pid namespace ended, which ends the container that it is; carries the exit status.
    InitExited = 4,
    /// A process executed a program; carries its tgid, its new name and the program's path.
    Exec = 5,
    /// A process ended, its last thread too; carries its tgid, name and exit status.
    Exit = 6,
    /// The kernel chose a process to kill because memory was short; carries its tgid and name.
    OomKill = 7,
    /// A cgroup was made in the block controller's hierarchy, where that is another one than the counted.
    BlockCgroupMade = 16,
    /// A cgroup was removed there.
    BlockCgroupRemoved = 17,
}

/// The records of processes that are wanted, as bits of
/// [`Constants::process_records`](crate::fields::Constants::process_records): each exec and each exit of the machine costs
/// one, so without these they are counted only.
pub mod process_records {
    /// [`Kind::Exec`](super::Kind::Exec).
    pub const EXECS: u32 = 1;
    /// [`Kind::Exit`](super::Kind::Exit).
    pub const EXITS: u32 = 2;
    /// [`Kind::OomKill`](super::Kind::OomKill).
    pub const OOM_KILLS: u32 = 4;
}

impl Kind {
    /// The kind with this number.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::CgroupMade),
            2 => Some(Self::CgroupRemoved),
            3 => Some(Self::TaskAttached),
            4 => Some(Self::InitExited),
            16 => Some(Self::BlockCgroupMade),
            17 => Some(Self::BlockCgroupRemoved),
            5 => Some(Self::Exec),
            6 => Some(Self::Exit),
            7 => Some(Self::OomKill),
            _ => None,
        }
    }
}

/// One record of the ring buffer.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// The cgroup's kernfs id.
    pub cgroup_id: u64,
    /// `CLOCK_BOOTTIME` when it happened, in nanoseconds.
    pub boot_ns: u64,
    /// A [`Kind`].
    pub kind: u32,
    /// The task, or of a process the thread group, where one is concerned.
    pub tid: u32,
    /// `task->exit_code` in the form of wait(2), of an ended process.
    pub wait_status: u32,
    /// How deep that process's pid namespace is: 1 below the host's.
    pub pid_level: u32,
    /// Reserved; keeps the record without padding.
    pub reserved: u32,
    /// Bytes of `path` in use, without a terminating 0; [`PATH_BYTES`] where it was cut.
    pub path_len: u32,
    /// The name of the task or process, ended by a 0, where one is concerned.
    pub comm: [u8; COMM_BYTES],
    /// The cgroup's path below its hierarchy's root, or the path of the program executed as it was asked for.
    pub path: [u8; PATH_BYTES],
}
const _: () = assert!(size_of::<Record>() == 40 + COMM_BYTES + PATH_BYTES, "a record has no padding");
