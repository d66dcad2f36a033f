//! Recordings as NDJSON: a snapshot a line, in zstd frames that stand one after the other, as `zstdcat` reads them.
//!
//! A frame is complete in itself and written in one go, so that a file cut short is readable to its last whole frame.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    time::{Duration, Instant},
};

use bytes::{BufMut, BytesMut};
use zstd::stream::read::Decoder;

use crate::model::Snapshot;

const LEVEL: i32 = 3;
/// What is compressed at once at most: a longer text compresses better, but takes memory and is lost with the process.
const MOST_BYTES: usize = 8 << 20;

/// The longest line that is read: a snapshot of ten thousand containers takes a fifth of it. A small frame can hold one that no
/// memory holds.
const LONGEST_LINE: u64 = 512 << 20;

/// The bytes that every frame begins with (RFC 8878).
pub(super) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Writes a recording.
pub(super) struct NdjsonWriter {
    file: File,
    /// How much of the file holds whole frames.
    whole: u64,
    pending: BytesMut,
    flush_every: Duration,
    flushed_at: Instant,
}

impl NdjsonWriter {
    /// Begins a recording in an empty file.
    pub(super) fn create(file: File, flush_every: Duration) -> Self {
        Self { file, whole: 0, pending: BytesMut::new(), flush_every, flushed_at: Instant::now() }
    }

    /// Takes a snapshot; writes a frame where it is time, or where there is much.
    pub(super) fn write(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        line(snapshot, &mut self.pending)?;
        if self.pending.len() >= MOST_BYTES || self.flushed_at.elapsed() >= self.flush_every {
            self.flush()?;
        }
        Ok(())
    }

    /// How much of the file holds whole frames.
    #[cfg(test)]
    pub(super) fn whole(&self) -> u64 {
        self.whole
    }

    /// Writes what is held as a frame. Where there is no room for it, what was written of it is taken back.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let pending = self.pending.split();
        self.flushed_at = Instant::now();
        if pending.is_empty() {
            return Ok(());
        }
        let frame = zstd::bulk::compress(&pending, LEVEL)?;
        if let Err(error) = self.file.write_all(&frame) {
            // The first error is the one to tell.
            let _ = self.file.set_len(self.whole).and_then(|()| self.file.seek(SeekFrom::Start(self.whole)));
            return Err(error);
        }
        self.whole += frame.len() as u64;
        Ok(())
    }
}

fn line(snapshot: &Snapshot, out: &mut BytesMut) -> io::Result<()> {
    serde_json::to_writer(&mut out.writer(), snapshot)?;
    out.put_u8(b'\n');
    Ok(())
}

/// Reads a recording.
pub(super) struct NdjsonReader {
    text: BufReader<Decoder<'static, BufReader<File>>>,
    line: Vec<u8>,
    is_cut: bool,
}

impl NdjsonReader {
    /// Opens a file.
    pub(super) fn open(file: File) -> io::Result<Self> {
        Ok(Self { text: BufReader::new(Decoder::new(file)?), line: Vec::new(), is_cut: false })
    }

    /// Whether the end of the file was found missing.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The next snapshot; none after the last whole frame.
    pub(super) fn next(&mut self) -> Option<Result<Snapshot, serde_json::Error>> {
        match read_line(&mut self.text, LONGEST_LINE, &mut self.line) {
            Ok(()) if self.line.is_empty() => None,
            Ok(()) => Some(serde_json::from_slice(&self.line)),
            // A frame that is not whole: the decoder says so where the file ends within it.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.is_cut = true;
                None
            }
            Err(error) => Some(Err(serde_json::Error::io(error))),
        }
    }
}

/// Reads a line with its end; nothing at the end of the file.
fn read_line(text: &mut impl BufRead, longest: u64, line: &mut Vec<u8>) -> io::Result<()> {
    line.clear();
    let length = text.by_ref().take(longest).read_until(b'\n', line)?;
    if length as u64 == longest {
        let error = format!("a line has more than {longest} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, error));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_does_not_end_is_not_read_to_its_end() {
        let mut text = io::repeat(b'x').take(1 << 40);
        let mut line = Vec::new();
        let mut text = BufReader::new(&mut text);
        let error = read_line(&mut text, 1000, &mut line).unwrap_err();
        assert_eq!((error.kind(), line.len()), (io::ErrorKind::InvalidData, 1000));
        let mut text = &b"{}\n{}"[..];
        read_line(&mut text, 1000, &mut line).unwrap();
        assert_eq!(line, b"{}\n");
        read_line(&mut text, 1000, &mut line).unwrap();
        assert_eq!(line, b"{}");
        read_line(&mut text, 1000, &mut line).unwrap();
        assert!(line.is_empty());
    }
}
