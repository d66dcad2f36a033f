//! The calls that aya has no name for: run a program on a given CPU, read its run-time statistics, map an array.
#![expect(unsafe_code, reason = "system calls with pointers, and memory shared with the kernel")]

use std::{
    fs, io,
    marker::PhantomData,
    mem, ops,
    os::fd::{AsRawFd, BorrowedFd},
    ptr,
};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

// Commands and flags of bpf(2), include/uapi/linux/bpf.h.
const BPF_PROG_TEST_RUN: libc::c_int = 10;
const BPF_OBJ_GET_INFO_BY_FD: libc::c_int = 15;
const BPF_F_TEST_RUN_ON_CPU: u32 = 1;

/// The part of `union bpf_attr` that `BPF_PROG_TEST_RUN` reads.
#[repr(C)]
#[derive(Default)]
struct TestRun {
    prog_fd: u32,
    retval: u32,
    data_size_in: u32,
    data_size_out: u32,
    data_in: u64,
    data_out: u64,
    repeat: u32,
    duration: u32,
    ctx_size_in: u32,
    ctx_size_out: u32,
    ctx_in: u64,
    ctx_out: u64,
    flags: u32,
    cpu: u32,
    batch_size: u32,
    reserved: u32,
}

/// The part of `union bpf_attr` that `BPF_OBJ_GET_INFO_BY_FD` reads.
#[repr(C)]
struct GetInfo {
    bpf_fd: u32,
    info_len: u32,
    info: u64,
}

/// `struct bpf_prog_info`, as long as it was when `verified_insns` joined it (5.16); older kernels fill less.
#[repr(C)]
#[derive(Default)]
struct ProgInfo {
    before_stats: [u64; 24],
    run_time_ns: u64,
    run_cnt: u64,
    recursion_misses: u64,
    verified_insns: u32,
    attach_btf_obj_id: u32,
}
const _: () = assert!(mem::offset_of!(ProgInfo, run_time_ns) == 192);

/// What the kernel says of a loaded program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgramStats {
    /// Times it ran while `kernel.bpf_stats_enabled` was on.
    pub run_count: u64,
    /// Nanoseconds that it took then, the measuring itself included.
    pub run_time_ns: u64,
    /// Instructions that the verifier walked; 0 before 5.16.
    pub verified_instructions: u32,
}

fn bpf<T>(command: libc::c_int, attributes: &mut T) -> io::Result<()> {
    // SAFETY: `attributes` is the leading part of `union bpf_attr` for `command`, of the length that is passed, and
    // the callers below see to it that the pointers in it outlive the call.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, command, ptr::from_mut(attributes), size_of::<T>()) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn raw(fd: BorrowedFd<'_>) -> u32 {
    fd.as_raw_fd().cast_unsigned()
}

/// Runs a raw tracepoint program once on `cpu` and waits for its end. Linux 5.10.
///
/// `ENXIO` where the CPU is offline.
pub fn run_on_cpu(program: BorrowedFd<'_>, cpu: u32) -> io::Result<()> {
    let mut attributes =
        TestRun { prog_fd: raw(program), flags: BPF_F_TEST_RUN_ON_CPU, cpu, ..TestRun::default() };
    bpf(BPF_PROG_TEST_RUN, &mut attributes)
}

/// Reads a program's statistics.
pub fn program_stats(program: BorrowedFd<'_>) -> io::Result<ProgramStats> {
    let mut info = ProgInfo::default();
    let mut attributes = GetInfo {
        bpf_fd: raw(program),
        info_len: u32::try_from(size_of::<ProgInfo>()).unwrap_or_default(),
        info: ptr::from_mut(&mut info) as u64,
    };
    bpf(BPF_OBJ_GET_INFO_BY_FD, &mut attributes)?;
    Ok(ProgramStats {
        run_count: info.run_cnt,
        run_time_ns: info.run_time_ns,
        verified_instructions: info.verified_insns,
    })
}

/// Returns memory that was freed to the system, as far as the allocator is glibc's.
pub fn return_free_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim(3) has no preconditions.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Lets go of the pages with the program's own code, a good part of which only starting needed. What goes on running is mapped
/// again as it runs, from the page cache.
pub fn return_code() {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let program = fs::read_link("/proc/self/exe").unwrap_or_default();
    let of_program = |line: &&str| program.to_str().is_some_and(|program| line.ends_with(program));
    let code = maps.lines().filter(of_program).filter(|line| line.contains(" r-xp ")).filter_map(|line| {
        let (begin, end) = line.split_whitespace().next()?.split_once('-')?;
        Some((usize::from_str_radix(begin, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
    });
    for (begin, end) in code {
        // SAFETY: the mapping is the program's file, private and never written to, so that its pages come back as they were.
        unsafe {
            libc::madvise(ptr::without_provenance_mut(begin), end - begin, libc::MADV_DONTNEED);
        }
    }
}

/// Lifts the limit on locked memory, to which maps are charged before Linux 5.11. Later kernels need no limit, and a
/// machine that does not let us raise it has such a kernel, so a failure is harmless.
pub fn lift_memlock_limit() {
    let unlimited = rustix::process::Rlimit { current: None, maximum: None };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Memlock, unlimited);
}

/// A `BPF_F_MMAPABLE` array's entries, shared with the programs that write them. Linux 5.5.
#[derive(Debug)]
pub struct SharedArray<T> {
    start: *mut T,
    entries: usize,
    of: PhantomData<T>,
}

// SAFETY: the mapping belongs to the process, not to a thread, and every access is a volatile copy.
unsafe impl<T: aya::Pod> Send for SharedArray<T> {}

impl<T: aya::Pod> SharedArray<T> {
    /// Maps the array behind a map's descriptor, which must hold `entries` values of type `T`.
    pub fn map(map: BorrowedFd<'_>, entries: u32) -> io::Result<Self> {
        const { assert!(size_of::<T>().is_multiple_of(8), "the kernel rounds entries up to 8 bytes") };
        let entries = entries as usize;
        // SAFETY: a fresh mapping at an address of the kernel's choice; a length past the map's end is refused.
        let start = unsafe {
            mmap(
                ptr::null_mut(),
                entries * size_of::<T>(),
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                map,
                0,
            )?
        };
        Ok(Self { start: start.cast(), entries, of: PhantomData })
    }

    /// Copies the entries of a range; entries past the end are left out.
    ///
    /// Each aligned word is read as it was at some moment, the words of one entry not at the same one.
    pub fn range(&self, range: ops::Range<u32>) -> impl Iterator<Item = T> + '_ {
        let end = (range.end as usize).min(self.entries);
        // SAFETY: in bounds; `T` is plain data, so whatever the kernel writes meanwhile is a `T`.
        (range.start as usize..end).map(|index| unsafe { self.start.add(index).read_volatile() })
    }

    /// Copies one entry.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<T> {
        // SAFETY: as in `range`.
        ((index as usize) < self.entries).then(|| unsafe { self.start.add(index as usize).read_volatile() })
    }

    /// Overwrites one entry that no program writes to.
    pub fn set(&self, index: u32, value: T) {
        if (index as usize) < self.entries {
            // SAFETY: in bounds, and the mapping is writable.
            unsafe { self.start.add(index as usize).write_volatile(value) };
        }
    }
}

impl<T: aya::Pod> SharedArray<T> {
    /// Overwrites one word of an entry.
    pub fn set_word(&self, index: u32, word: usize, value: u64) {
        if (index as usize) < self.entries && word < size_of::<T>() / size_of::<u64>() {
            // SAFETY: in bounds and, since entries are multiples of 8 bytes in a page-aligned mapping, aligned.
            unsafe { self.start.add(index as usize).cast::<u64>().add(word).write_volatile(value) };
        }
    }
}

impl<T> Drop for SharedArray<T> {
    fn drop(&mut self) {
        // SAFETY: the range is the one that was mapped, and nothing borrowed from it outlives `self`.
        // It cannot fail for a range that was mapped.
        let _ = unsafe { munmap(self.start.cast(), self.entries * size_of::<T>()) };
    }
}
