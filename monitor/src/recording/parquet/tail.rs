//! A file that ends in a valid footer at every moment, however the process ends.
//!
//! A reader takes the last eight bytes of the file, which are the footer's length and a magic, and looks for the footer that
//! many bytes before; what follows the footer within that length it does not look at. So there may be room between the two,
//! and between the data and the footer:
//!
//! ```text
//! data … | room | footer | room | length magic
//! ```
//!
//! More data and the footer that tells of it are written into the room, where they mean nothing yet. Then the four bytes of
//! the length are overwritten, which makes the new footer the one that counts. They are aligned and so within one page,
//! which the kernel writes in one piece even for a process that is being killed; before them all else is flushed to
//! the disk, so that a power cut finds them in that order too.

use std::{
    fs::File,
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
};

use super::MAGIC;

/// Bytes of the length and the magic.
pub(super) const END: usize = 8;
const END_BYTES: u64 = 8;

/// Room that is added where there is none, so that it need not be at each row group. Holes take no space on the disk.
const ROOM: u64 = 1 << 20;

/// The file, and where its parts are.
#[derive(Debug)]
pub(super) struct Tail {
    file: File,
    /// Where the data ends.
    data_end: u64,
    /// The footer that counts.
    footer: Vec<u8>,
    footer_at: u64,
    /// The file's length, a multiple of [`END_BYTES`].
    size: u64,
}

impl Tail {
    /// Makes an empty file one with this data and footer.
    pub(super) fn create(file: File, data: &[u8], footer: Vec<u8>) -> io::Result<Self> {
        file.write_all_at(data, 0)?;
        let data_end = length(data);
        let mut tail = Self { file, data_end, footer: Vec::new(), footer_at: data_end, size: 0 };
        tail.place(footer, data_end)?;
        Ok(tail)
    }

    /// Adds data and makes the footer that tells of it the one that counts. On failure the one before does.
    pub(super) fn append(&mut self, data: &[u8], footer: Vec<u8>) -> io::Result<()> {
        let data_end = self.data_end + length(data);
        if data_end > self.footer_at {
            // Makes room for the data.
            let same = self.footer.clone();
            self.place(same, data_end)?;
        }
        self.file.write_all_at(data, self.data_end)?;
        self.place(footer, data_end)?;
        self.data_end = data_end;
        Ok(())
    }

    /// Where the data ends.
    #[cfg(test)]
    pub(super) fn data_end(&self) -> u64 {
        self.data_end
    }

    /// Leaves the data, the footer and no room.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let end = self.data_end + length(&self.footer);
        if end + END_BYTES > self.footer_at {
            let same = self.footer.clone();
            self.place(same, end + END_BYTES)?;
        }
        let mut last = self.footer.clone();
        last.extend(pointer(length(&self.footer))?);
        last.extend(MAGIC);
        self.file.write_all_at(&last, self.data_end)?;
        self.file.sync_data()?;
        // The one step that counts: the end is now that of the copy.
        self.file.set_len(end + END_BYTES)?;
        self.footer_at = self.data_end;
        self.size = end + END_BYTES;
        Ok(())
    }

    /// Writes a footer where nothing is that counts, at or after `data_end`, and makes it the one that counts.
    fn place(&mut self, footer: Vec<u8>, data_end: u64) -> io::Result<()> {
        let length = length(&footer);
        let footer_end = self.footer_at + self::length(&self.footer);
        let behind = self.size.checked_sub(END_BYTES + length).filter(|at| *at >= footer_end.max(data_end));
        let before = self.footer_at.checked_sub(length).filter(|at| *at >= data_end);
        let at = if let Some(at) = behind.or(before) {
            at
        } else {
            self.extend(footer_end.max(data_end) + length)?;
            self.size - END_BYTES - length
        };
        self.file.write_all_at(&footer, at)?;
        self.file.sync_data()?;
        self.file.write_all_at(&pointer(self.size - END_BYTES - at)?, self.size - END_BYTES)?;
        // Before anything is written over the footer that counted until now.
        self.file.sync_data()?;
        (self.footer, self.footer_at) = (footer, at);
        Ok(())
    }

    /// Moves the end further away from `used`. The footer that counts stays the same.
    fn extend(&mut self, used: u64) -> io::Result<()> {
        let size = (used + ROOM + END_BYTES).next_multiple_of(END_BYTES);
        let mut end = [0; END];
        let (length, magic) = end.split_at_mut(size_of::<u32>());
        length.copy_from_slice(&pointer(size - END_BYTES - self.footer_at)?);
        magic.copy_from_slice(&MAGIC);
        self.file.write_all_at(&end, size - END_BYTES)?;
        self.size = size;
        Ok(())
    }
}

/// How far before the end the footer begins, as it is written. Readers take it for a signed number.
fn pointer(distance: u64) -> io::Result<[u8; 4]> {
    let distance = i32::try_from(distance)
        .map_err(|_error| io::Error::new(ErrorKind::FileTooLarge, "the footer exceeds 2 GiB"))?;
    Ok(distance.to_le_bytes())
}

fn length(bytes: &[u8]) -> u64 {
    bytes.len() as u64
}
