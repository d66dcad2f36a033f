//! Requests to a block device of our own.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
};

use integration_tests::disk::LoopDevice;

/// What a request reads.
const BLOCK_BYTES: usize = 4096;
const BLOCKS: u64 = 1024;

/// A loop device that is open for reading past the page cache.
#[derive(Debug)]
pub(crate) struct Disk {
    file: File,
    memory: Vec<u8>,
    _device: LoopDevice,
}

impl Disk {
    pub(crate) fn open() -> Self {
        let device = LoopDevice::attach(BLOCKS * BLOCK_BYTES as u64);
        let file = OpenOptions::new().read(true).custom_flags(libc::O_DIRECT).open(device.path());
        let file = file.unwrap_or_else(|error| panic!("open {}: {error}", device.path()));
        Self { file, memory: vec![0; 2 * BLOCK_BYTES], _device: device }
    }

    /// Reads blocks, one by one.
    pub(crate) fn read(&mut self, count: u64) {
        let start = self.memory.as_ptr().align_offset(BLOCK_BYTES);
        let block = &mut self.memory[start..start + BLOCK_BYTES];
        for number in 0..count {
            let place = number % BLOCKS * BLOCK_BYTES as u64;
            self.file.read_exact_at(block, place).expect("read from a loop device");
        }
    }
}
