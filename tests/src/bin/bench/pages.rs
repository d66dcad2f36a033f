//! Memory whose pages are faulted in one by one, again and again.
#![expect(unsafe_code, reason = "std has no mmap")]

use std::{ptr, slice};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

/// Size of a page on the machines that this runs on (x86-64; the least size on others).
const PAGE_BYTES: usize = 4096;

/// Anonymous pages of the smallest size.
#[derive(Debug)]
pub(crate) struct Pages {
    start: *mut u8,
    pages: usize,
}

impl Pages {
    pub(crate) fn map(pages: usize) -> Self {
        assert!(pages > 0, "a mapping has pages");
        let (access, length) = (ProtFlags::READ | ProtFlags::WRITE, pages * PAGE_BYTES);
        // SAFETY: the kernel chooses the address, so nothing that is mapped is replaced.
        let start = unsafe { mmap_anonymous(ptr::null_mut(), length, access, MapFlags::PRIVATE) };
        let mapped = Self { start: start.expect("map memory").cast(), pages };
        // SAFETY: the range is ours, and the advice changes no contents.
        // A kernel without huge pages knows no advice about them.
        let _ = unsafe { madvise(mapped.start.cast(), length, Advice::LinuxNoHugepage) };
        mapped
    }

    /// Gives the pages back, so that each is fresh again.
    pub(crate) fn discard(&mut self) {
        // SAFETY: the range is ours, nothing borrows from it, and zeroes are as good as what it held.
        let discarded = unsafe { madvise(self.start.cast(), self.pages * PAGE_BYTES, Advice::LinuxDontNeed) };
        discarded.expect("discard memory");
    }

    /// Writes to each page once: a fault in user mode where it is fresh.
    pub(crate) fn touch(&mut self) {
        for page in 0..self.pages {
            // SAFETY: the offset lies within the mapping, which is writable; volatile, so that it is accessed.
            unsafe { self.start.add(page * PAGE_BYTES).write_volatile(1) };
        }
    }

    /// All of it, for the kernel to write to: a fault in kernel mode for each page that is fresh.
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the mapping is readable and writable, lives as long as `self`, and starts as zeroes.
        unsafe { slice::from_raw_parts_mut(self.start, self.pages * PAGE_BYTES) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `map` and nothing else refers into it.
        // It cannot fail for a range that was mapped.
        let _ = unsafe { munmap(self.start.cast(), self.pages * PAGE_BYTES) };
    }
}
