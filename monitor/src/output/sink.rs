//! Where encoded snapshots or events go, on a thread of its own, so that a slow reader cannot delay a tick.

use std::{
    error::Error,
    fs::File,
    io::{self, Seek, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use rustix::pipe::{fcntl_getpipe_size, fcntl_setpipe_size};

use crate::confine::{self, Part};

/// What waits for a slow reader at most; more is dropped and counted.
const QUEUE: usize = 64;
/// As much as anybody may have (`fs.pipe-max-size`).
const PIPE_BYTES: usize = 1 << 20;
/// How long the last windows may take to be written.
const PATIENCE: Duration = Duration::from_secs(5);

/// Writing failed.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The file could not be made.
    #[error("create {}", path.display())]
    Create {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A window could not be written; what was written before is whole.
    #[error("write to {target}")]
    Write {
        /// Where to.
        target: String,
        /// Why not.
        source: io::Error,
    },
    /// What takes windows in place of a stream of bytes failed.
    #[error(transparent)]
    Drain(Box<dyn Error + Send + Sync>),
}

impl SinkError {
    /// Whether the reader has gone away, which ends a stream and is no failure.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Turns what is written, a snapshot or a batch of events, into bytes.
pub type Encode<T> = Box<dyn FnMut(&T, &mut BytesMut) + Send>;

/// A place to write to.
pub struct Target {
    name: String,
    out: Out,
}

enum Out {
    Stdout,
    File(WindowFile),
}

/// A file, of which only whole windows are kept.
struct WindowFile {
    file: File,
    /// How much of it holds whole windows.
    whole: u64,
    written: u64,
}

impl Target {
    /// Standard output. A smaller pipe is made to hold `PIPE_BYTES`, so that a long line is not handed over in dozens of pieces.
    #[must_use]
    pub fn stdout() -> Self {
        // It is no pipe, holds more already, or its user has as much in pipes as is allowed: it stays as it is.
        if fcntl_getpipe_size(io::stdout()).is_ok_and(|bytes| bytes < PIPE_BYTES) {
            let _ = fcntl_setpipe_size(io::stdout(), PIPE_BYTES);
        }
        Self { name: "standard output".to_owned(), out: Out::Stdout }
    }

    /// A file, emptied if it exists.
    pub fn file(path: &Path) -> Result<Self, SinkError> {
        let file = File::create(path).map_err(|source| SinkError::Create { path: path.into(), source })?;
        Ok(Self {
            name: path.display().to_string(),
            out: Out::File(WindowFile { file, whole: 0, written: 0 }),
        })
    }

    /// Writes a window whole.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        let written = self.write_part(bytes).and_then(|()| self.end_window());
        written.map_err(|source| self.failed(source))
    }

    /// Writes a part of a window. Where a file has no room for it, what was written of the window is taken back, so that every
    /// line of the file is complete.
    pub(super) fn write_part(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.out {
            Out::Stdout => io::stdout().lock().write_all(bytes),
            Out::File(out) => out.write_part(bytes),
        }
    }

    /// Says that the window is whole.
    pub(super) fn end_window(&mut self) -> io::Result<()> {
        match &mut self.out {
            Out::Stdout => io::stdout().lock().flush(),
            Out::File(out) => {
                out.whole = out.written;
                Ok(())
            }
        }
    }

    pub(super) fn failed(&self, source: io::Error) -> SinkError {
        SinkError::Write { target: self.name.clone(), source }
    }
}

impl WindowFile {
    fn write_part(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(bytes);
        match &written {
            Ok(()) => self.written += bytes.len() as u64,
            // Not possible for a pipe or a device, and not needed there.
            Err(_) => {
                let _ = self
                    .file
                    .set_len(self.whole)
                    .and_then(|()| self.file.seek(io::SeekFrom::Start(self.whole)));
            }
        }
        written
    }
}

/// What takes snapshots or batches of events, on a thread of its own.
pub trait Drain<T>: Send {
    /// How long the last of it may take.
    const PATIENCE: Duration = PATIENCE;

    /// Takes one.
    fn take(&mut self, item: &Arc<T>) -> Result<(), SinkError>;

    /// Writes what is held, after the last one.
    fn finish(&mut self) -> Result<(), SinkError>;
}

/// A stream of bytes.
struct Encoded<T> {
    target: Target,
    encode: Encode<T>,
    buffer: BytesMut,
}

impl<T> Drain<T> for Encoded<T> {
    fn take(&mut self, item: &Arc<T>) -> Result<(), SinkError> {
        self.buffer.clear();
        (self.encode)(item, &mut self.buffer);
        self.target.write(&self.buffer)
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// A thread that encodes and writes.
pub struct Sink<T> {
    queue: Option<SyncSender<Arc<T>>>,
    thread: Option<JoinHandle<Result<(), SinkError>>>,
    dropped: u64,
    patience: Duration,
}

/// The writing thread has ended: [`Sink::finish`] tells why.
#[derive(Debug)]
pub struct Ended;

impl<T: Send + Sync + 'static> Sink<T> {
    /// Starts the thread, which writes a stream of bytes.
    #[must_use]
    pub fn start(target: Target, encode: Encode<T>) -> Self {
        Self::start_into(Encoded { target, encode, buffer: BytesMut::new() })
    }

    /// Starts the thread, which hands over everything.
    #[must_use]
    pub fn start_into<D: Drain<T> + 'static>(mut drain: D) -> Self {
        let (queue, items) = sync_channel::<Arc<T>>(QUEUE);
        let thread = std::thread::spawn(move || {
            confine::enter(Part::Output);
            for item in items {
                drain.take(&item)?;
            }
            drain.finish()
        });
        Self { queue: Some(queue), thread: Some(thread), dropped: 0, patience: D::PATIENCE }
    }

    /// Hands something over, or drops and counts it where the reader is too slow.
    pub fn send(&mut self, item: Arc<T>) -> Result<(), Ended> {
        match self.queue.as_ref().map(|queue| queue.try_send(item)) {
            Some(Ok(())) => Ok(()),
            Some(Err(TrySendError::Full(_))) => {
                if self.dropped == 0 {
                    log::warn!("the reader of the stream is too slow: some of it is dropped");
                }
                self.dropped += 1;
                Ok(())
            }
            Some(Err(TrySendError::Disconnected(_))) | None => Err(Ended),
        }
    }

    /// How many were dropped so far.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Waits until all that was handed over is written, or until it is plain that nobody reads.
    pub fn finish(mut self) -> Result<(), SinkError> {
        self.queue = None;
        let began = Instant::now();
        while self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            if began.elapsed() > self.patience {
                return Err(SinkError::Write {
                    target: "the stream".to_owned(),
                    source: io::ErrorKind::TimedOut.into(),
                });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(SinkError::Write {
                target: "the stream".to_owned(),
                source: io::Error::other("the writing thread panicked"),
            }),
            None => Ok(()),
        }
    }
}
