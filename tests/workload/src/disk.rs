//! Requests of known size to a file or block device, past the page cache.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::PathBuf,
    thread,
};

use crate::sys;

/// Alignment that every device is content with.
const ALIGNMENT: usize = 4096;

/// Blocks to write, then to read, then to discard, from the beginning on and again after the last one; at last flushes of the
/// device's cache.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) file: PathBuf,
    /// Bytes of a block, a multiple of 4096.
    pub(crate) block_bytes: usize,
    /// Blocks that the file has.
    pub(crate) blocks: u64,
    pub(crate) writes: u64,
    pub(crate) reads: u64,
    /// Of a block device only.
    pub(crate) discards: u64,
    pub(crate) flushes: u64,
}

/// A [`Disk`] whose file is open.
pub(crate) struct Prepared {
    disk: Disk,
    file: File,
}

impl Disk {
    pub(crate) fn prepare(self) -> io::Result<Prepared> {
        let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_DIRECT).open(&self.file)?;
        Ok(Prepared { disk: self, file })
    }
}

impl Prepared {
    /// Lets each of some threads do all of it.
    pub(crate) fn run(&self, threads: usize) -> io::Result<()> {
        thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| self.run_alone())).collect();
            running.into_iter().try_for_each(|thread| thread.join().map_err(|_panic| io::ErrorKind::Other)?)
        })
    }

    fn run_alone(&self) -> io::Result<()> {
        let Disk { block_bytes, blocks, writes, reads, discards, flushes, file: _ } = self.disk;
        let mut memory = vec![1; block_bytes + ALIGNMENT];
        let start = memory.as_ptr().align_offset(ALIGNMENT);
        let block = memory.get_mut(start..start + block_bytes).ok_or(io::ErrorKind::InvalidInput)?;
        let place = |number: u64| number % blocks * block_bytes as u64;
        for number in 0..writes {
            self.file.write_all_at(block, place(number))?;
        }
        for number in 0..reads {
            self.file.read_exact_at(block, place(number))?;
        }
        for number in 0..discards {
            sys::discard(&self.file, place(number), block_bytes as u64)?;
        }
        for _ in 0..flushes {
            self.file.sync_all()?;
        }
        Ok(())
    }
}
