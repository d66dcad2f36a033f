//! The system calls that std lacks. All of this program's unsafe code.
#![expect(unsafe_code, reason = "std has no fork, mmap, affinity, getrusage and ioctl")]

use std::{fs::File, io, mem, os::fd::AsRawFd as _, ptr, time::Duration};

/// Size of a page on the machines that the tests run on (x86-64; the least size on others).
pub(crate) const PAGE_BYTES: usize = 4096;

/// Which side of a fork this is.
pub(crate) enum Forked {
    Parent,
    Child,
}

/// What `getrusage` says of faults.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) minor_faults: u64,
    pub(crate) major_faults: u64,
}

/// Keeps this thread, and those that it makes, on the CPUs.
pub(crate) fn pin_to(cpus: &[usize]) -> io::Result<()> {
    // SAFETY: an all-zero `cpu_set_t` is the empty set.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    for cpu in cpus {
        if *cpu >= 8 * size_of::<libc::cpu_set_t>() {
            return Err(io::Error::other(format!("CPU {cpu} is beyond what a set holds")));
        }
        // SAFETY: the index was checked to lie within the set.
        unsafe { libc::CPU_SET(*cpu, &mut set) };
    }
    // SAFETY: `set` is valid for reads of the size given.
    checked(unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) })
}

/// `RUSAGE_SELF`.
pub(crate) fn usage_of_self() -> io::Result<Usage> {
    usage(libc::RUSAGE_SELF)
}

/// `RUSAGE_CHILDREN`.
pub(crate) fn usage_of_children() -> io::Result<Usage> {
    usage(libc::RUSAGE_CHILDREN)
}

fn usage(who: libc::c_int) -> io::Result<Usage> {
    // SAFETY: all members of `rusage` are integers, for which zero is valid.
    let mut usage: libc::rusage = unsafe { mem::zeroed() };
    // SAFETY: `usage` is valid for writes.
    checked(unsafe { libc::getrusage(who, &raw mut usage) })?;
    Ok(Usage { minor_faults: usage.ru_minflt.cast_unsigned(), major_faults: usage.ru_majflt.cast_unsigned() })
}

/// Makes this process the parent of its descendants' orphans, as a container's first one is by itself.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    // SAFETY: this option takes no pointer.
    checked(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) })
}

/// Only to be called while this process has one thread.
pub(crate) fn fork() -> io::Result<Forked> {
    // SAFETY: with one thread, no lock is held by a thread that the child would lack.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        _ => Ok(Forked::Parent),
    }
}

/// Makes a child that sleeps, and waits for its end as `vfork` does: no signal but a deadly one wakes this thread.
pub(crate) fn wait_as_vfork(time: Duration) -> io::Result<()> {
    let time = libc::timespec {
        tv_sec: time.as_secs().try_into().map_err(io::Error::other)?,
        tv_nsec: time.subsec_nanos().into(),
    };
    let flags = libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the child gets memory of its own, as from `fork`, and the stack that it was called on.
    let child = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    match child {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            // SAFETY: `time` is valid for reads; neither call needs a lock that another thread may have held.
            unsafe {
                libc::nanosleep(&raw const time, ptr::null_mut());
                libc::_exit(0)
            }
        }
        child => reap(child.try_into().map_err(io::Error::other)?),
    }
}

/// Ends this process without what std or libc would do at its end.
pub(crate) fn exit_now(code: u8) -> ! {
    // SAFETY: `_exit` has no precondition.
    unsafe { libc::_exit(code.into()) }
}

/// Takes a zombie's exit status, upon which it is gone.
pub(crate) fn reap(pid: i32) -> io::Result<()> {
    let mut status = 0;
    // SAFETY: `status` is valid for writes.
    let reaped = unsafe { libc::waitpid(pid, &raw mut status, 0) };
    if reaped == -1 {
        return Err(io::Error::last_os_error());
    }
    if status != 0 {
        return Err(io::Error::other(format!("child {pid} ended with status {status:#x}")));
    }
    Ok(())
}

/// Blocks for the shortest time that there is. Without allocation, for the child of a fork.
pub(crate) fn block_shortly() {
    let time = libc::timespec { tv_sec: 0, tv_nsec: 1 };
    // SAFETY: `time` is valid for reads, and the remaining time is not asked for.
    unsafe { libc::nanosleep(&raw const time, ptr::null_mut()) };
}

/// Takes a file's pages, which must be on disk, out of the page cache.
pub(crate) fn drop_cache(file: &File) -> io::Result<()> {
    // SAFETY: takes no pointer.
    match unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Has a block device forget a range, in one request. Its content is undefined afterwards.
pub(crate) fn discard(device: &File, start: u64, bytes: u64) -> io::Result<()> {
    /// `_IO(0x12, 119)`, include/uapi/linux/fs.h.
    const BLKDISCARD: libc::c_ulong = 0x1277;
    let range = [start, bytes];
    // SAFETY: `range` is valid for reads of the two words that this call takes.
    checked(unsafe { libc::ioctl(device.as_raw_fd(), BLKDISCARD, range.as_ptr()) })
}

/// Pages that are mapped, not yet touched, and each faulted in alone.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: *mut u8,
    pages: usize,
    is_writable: bool,
}

// SAFETY: the pages belong to this value alone; nothing about them is bound to a thread.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Fresh memory, in pages of the smallest size.
    pub(crate) fn anonymous(pages: usize) -> io::Result<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        Self::new(pages, libc::PROT_READ | libc::PROT_WRITE, flags, -1, libc::MADV_NOHUGEPAGE)
    }

    /// A file's first pages, without read-ahead.
    pub(crate) fn of_file(file: &File, pages: usize) -> io::Result<Self> {
        Self::new(pages, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), libc::MADV_RANDOM)
    }

    fn new(pages: usize, access: i32, flags: i32, fd: i32, advice: i32) -> io::Result<Self> {
        let is_writable = access & libc::PROT_WRITE != 0;
        if pages == 0 {
            return Ok(Self { start: ptr::null_mut(), pages, is_writable });
        }
        let length = pages * PAGE_BYTES;
        // SAFETY: the kernel chooses the address, so nothing that is mapped is replaced.
        let start = unsafe { libc::mmap(ptr::null_mut(), length, access, flags, fd, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let mapping = Self { start: start.cast(), pages, is_writable };
        // SAFETY: the range was just mapped, and the advice changes no contents.
        let advised = checked(unsafe { libc::madvise(start, length, advice) });
        match advised {
            // A kernel without huge pages knows no advice about them.
            Err(error) if error.raw_os_error() != Some(libc::EINVAL) => Err(error),
            _ => Ok(mapping),
        }
    }

    /// Accesses each page once: writes to fresh memory, reads a file's. One fault each.
    pub(crate) fn touch(&self) {
        for page in 0..self.pages {
            // SAFETY: the offset is within the mapping.
            let byte = unsafe { self.start.add(page * PAGE_BYTES) };
            if self.is_writable {
                // SAFETY: the mapping is writable; volatile, so that it is accessed.
                unsafe { byte.write_volatile(1) };
            } else {
                // SAFETY: the mapping is readable; volatile, so that it is accessed.
                unsafe { byte.read_volatile() };
            }
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.pages > 0 {
            // SAFETY: the range was mapped by `new` and nothing else refers into it.
            unsafe { libc::munmap(self.start.cast(), self.pages * PAGE_BYTES) };
        }
    }
}

fn checked(result: libc::c_int) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
