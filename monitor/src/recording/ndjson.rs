//! Recordings as NDJSON: a snapshot a line, in zstd frames that stand one after the other, as `zstdcat` reads them.
//!
//! A frame is complete in itself and written in one go, so that a file cut short is readable to its last whole frame.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Lines, Seek, SeekFrom, Write},
    time::{Duration, Instant},
};

use bytes::{BufMut, BytesMut};
use zstd::stream::read::Decoder;

use crate::model::Snapshot;

const LEVEL: i32 = 3;
/// What is compressed at once at most: a longer text compresses better, but takes memory and is lost with the process.
const MOST_BYTES: usize = 8 << 20;

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
    lines: Lines<BufReader<Decoder<'static, BufReader<File>>>>,
    is_cut: bool,
}

impl NdjsonReader {
    /// Opens a file.
    pub(super) fn open(file: File) -> io::Result<Self> {
        Ok(Self { lines: BufReader::new(Decoder::new(file)?).lines(), is_cut: false })
    }

    /// Whether the end of the file was found missing.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The next snapshot; none after the last whole frame.
    pub(super) fn next(&mut self) -> Option<Result<Snapshot, serde_json::Error>> {
        match self.lines.next()? {
            Ok(line) => Some(serde_json::from_str(&line)),
            // A frame that is not whole: the decoder says so where the file ends within it.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.is_cut = true;
                None
            }
            Err(error) => Some(Err(serde_json::Error::io(error))),
        }
    }
}
