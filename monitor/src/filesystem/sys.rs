//! The calls that rustix has no name for: the disk priority of a thread, and projects with their quotas.
#![expect(unsafe_code, reason = "system calls with pointers")]

use std::{
    ffi::CString,
    io, mem,
    os::fd::{AsRawFd, BorrowedFd},
    ptr,
};

// include/uapi/linux/ioprio.h
const IOPRIO_WHO_PROCESS: libc::c_int = 1;
const IOPRIO_CLASS_IDLE: libc::c_int = 3;
const IOPRIO_CLASS_SHIFT: libc::c_int = 13;

/// Has the calling thread run when a CPU has nothing else to do. A low priority (`nice`) would not do: a task that wakes up, as for
/// a tick, would still wait for the end of its time slice.
pub(super) fn use_cpus_when_idle() -> io::Result<()> {
    let priority = libc::sched_param { sched_priority: 0 };
    // SAFETY: sched_setscheduler(2) reads the parameter; 0 is the calling thread.
    let answer = unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const priority) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Has the calling thread's requests served when the disk has nothing else to do, by schedulers that know of it.
pub(super) fn use_disks_when_idle() -> io::Result<()> {
    let idle = IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT;
    // SAFETY: ioprio_set(2) takes three integers; 0 is the calling thread.
    let answer = unsafe { libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, idle) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// `struct fsxattr`, `include/uapi/linux/fs.h`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attributes {
    flags: u32,
    extent_size: u32,
    extents: u32,
    /// The project that the file counts for; 0 is none.
    pub(super) project: u32,
    cow_extent_size: u32,
    padding: [u8; 8],
}
const _: () = assert!(size_of::<Attributes>() == 28, "its size is part of the request's number");

/// `FS_IOC_FSGETXATTR`, that is `_IOR('X', 31, struct fsxattr)`.
const GET_ATTRIBUTES: u32 = 0x801c_581f;

impl Attributes {
    /// Of an open file. Linux 4.5, where the file system has them.
    pub(super) fn of(file: BorrowedFd<'_>) -> io::Result<Self> {
        let mut attributes = Self::default();
        // SAFETY: the kernel writes a `struct fsxattr`, which this is.
        let answer =
            unsafe { libc::ioctl(file.as_raw_fd(), GET_ATTRIBUTES.into(), ptr::from_mut(&mut attributes)) };
        if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(attributes) }
    }

    /// Whether new files below a directory count for its project (`FS_XFLAG_PROJINHERIT`).
    pub(super) fn are_inherited(&self) -> bool {
        self.flags & 0x200 != 0
    }
}

/// `struct fs_disk_quota`, `include/uapi/linux/dqblk_xfs.h`; blocks are of 512 bytes, and 0 is no limit.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quota {
    version: i8,
    flags: i8,
    fields: u16,
    id: u32,
    pub(super) hard_limit_blocks: u64,
    soft_limit_blocks: u64,
    pub(super) hard_limit_inodes: u64,
    soft_limit_inodes: u64,
    pub(super) blocks: u64,
    pub(super) inodes: u64,
    rest: [u64; 7],
}
const _: () = assert!(size_of::<Quota>() == 112);
const _: () = assert!(mem::offset_of!(Quota, blocks) == 40);

/// `Q_XGETQUOTA` for projects, which ext4 answers too.
const GET_PROJECT_QUOTA: libc::c_int = (0x5803 << 8) | 2;

/// What a project takes, on the file system of an open file. Needs `CAP_SYS_ADMIN`.
///
/// By that file from Linux 5.14 on, and before by the device's node that udev makes.
pub(super) fn project_quota(file: BorrowedFd<'_>, device: u64, project: u32) -> io::Result<Quota> {
    let mut quota = Quota::default();
    // SAFETY: the kernel writes a `struct fs_disk_quota`, which this is.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_quotactl_fd,
            file.as_raw_fd(),
            GET_PROJECT_QUOTA,
            project,
            ptr::from_mut(&mut quota),
        )
    };
    if answer == 0 {
        return Ok(quota);
    }
    let error = io::Error::last_os_error();
    if error.raw_os_error() != Some(libc::ENOSYS) {
        return Err(error);
    }
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let node = CString::new(format!("/dev/block/{major}:{minor}"))?;
    // SAFETY: the path ends in a zero byte, and the kernel writes a `struct fs_disk_quota`.
    let answer = unsafe {
        libc::quotactl(
            GET_PROJECT_QUOTA,
            node.as_ptr(),
            project.cast_signed(),
            ptr::from_mut(&mut quota).cast(),
        )
    };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(quota) }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_plain_directory_counts_for_no_project() {
        let folder = tempfile::tempdir().unwrap();
        let file = std::fs::File::open(folder.path()).unwrap();
        // Some file systems have no projects, which is an answer too.
        if let Ok(attributes) = Attributes::of(file.as_fd()) {
            assert_eq!(attributes.project, 0);
            assert!(!attributes.are_inherited());
        }
    }

    #[test]
    fn a_thread_may_always_step_back() {
        std::thread::spawn(|| use_disks_when_idle().unwrap()).join().unwrap();
    }
}
