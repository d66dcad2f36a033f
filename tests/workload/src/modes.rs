//! The kinds of work.

use std::{
    fs::File,
    hint,
    io::{self, PipeReader, PipeWriter, Read as _, Write as _},
    os::unix::fs::FileTypeExt as _,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::sys::{self, Mapping};

/// The work of each thread of a team.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// Block `blocks` times, then offer the CPU to others `yields` times. Threads block in pairs, each waiting for its
    /// partner's byte; an odd one out sleeps instead.
    Switch { blocks: u64, yields: u64 },
    /// Use a CPU for a time without blocking.
    Spin { time: Duration },
    /// Use a CPU, without blocking and without a system call, until stopped.
    Hog,
    /// Block once.
    Sleep { time: Duration },
    /// Wait for a child that sleeps, as `vfork` does: in disk sleep.
    Vfork { time: Duration },
    /// Touch fresh anonymous pages, and again fresh ones in each further round.
    MinorFaults { pages: usize, rounds: u64 },
    /// Touch pages of a new file, or of a block device, that are not in the page cache.
    MajorFaults { file: &'static Path, pages: usize },
    /// Read a file that was written before, from beginning to end.
    Read { file: &'static Path, mebibytes: usize },
}

/// One thread's work, with what it must own for it.
#[derive(Debug)]
pub(crate) enum Worker {
    Pair { blocks: u64, yields: u64, leads: bool, to_partner: PipeWriter, from_partner: PipeReader },
    Alone(Work),
    Map(Mapping),
}

impl Work {
    /// Whether it only ends when told.
    pub(crate) fn needs_stop(self) -> bool {
        matches!(self, Self::Hog)
    }

    /// Shares itself out.
    pub(crate) fn workers(self, threads: usize) -> io::Result<Vec<Worker>> {
        let mut workers = Vec::new();
        match self {
            Self::Switch { blocks, yields } => {
                while workers.len() + 1 < threads {
                    let (reader, writer) = io::pipe()?;
                    let (other_reader, other_writer) = io::pipe()?;
                    let pair = |leads, to_partner, from_partner| Worker::Pair {
                        blocks,
                        yields,
                        leads,
                        to_partner,
                        from_partner,
                    };
                    workers.push(pair(true, writer, other_reader));
                    workers.push(pair(false, other_writer, reader));
                }
            }
            Self::MajorFaults { file, pages } => {
                for thread in workers.len()..threads {
                    workers.push(Worker::Map(uncached(file, thread, pages)?));
                }
            }
            Self::Read { file, mebibytes } => write_mebibytes(file, mebibytes)?,
            Self::Spin { .. }
            | Self::Hog
            | Self::Sleep { .. }
            | Self::Vfork { .. }
            | Self::MinorFaults { .. } => {}
        }
        workers.resize_with(threads, || Worker::Alone(self));
        Ok(workers)
    }

    fn run(self, is_stopped: &AtomicBool) -> io::Result<()> {
        match self {
            Self::Switch { blocks, yields } => {
                for _ in 0..blocks {
                    // Timer slack makes at least 50 us of it, long enough to block each time.
                    thread::sleep(Duration::from_nanos(1));
                }
                offer_cpu(yields);
            }
            Self::Spin { time } => {
                let begin = Instant::now();
                while begin.elapsed() < time {
                    hint::spin_loop();
                }
            }
            Self::Hog => {
                while !is_stopped.load(Ordering::Relaxed) {
                    hint::spin_loop();
                }
            }
            Self::Sleep { time } => thread::sleep(time),
            Self::Vfork { time } => sys::wait_as_vfork(time)?,
            Self::MinorFaults { pages, rounds } => {
                for _ in 0..rounds {
                    Mapping::anonymous(pages)?.touch();
                }
            }
            Self::MajorFaults { .. } => {}
            Self::Read { file, mebibytes } => read_mebibytes(file, mebibytes)?,
        }
        Ok(())
    }
}

impl Worker {
    /// Does it.
    pub(crate) fn run(&mut self, is_stopped: &AtomicBool) -> io::Result<()> {
        match self {
            Self::Pair { blocks, yields, leads, to_partner, from_partner } => {
                let mut byte = [0];
                for _ in 0..*blocks {
                    if *leads {
                        to_partner.write_all(&byte)?;
                    }
                    from_partner.read_exact(&mut byte)?;
                    if !*leads {
                        to_partner.write_all(&byte)?;
                    }
                }
                offer_cpu(*yields);
                Ok(())
            }
            Self::Alone(work) => work.run(is_stopped),
            Self::Map(mapping) => {
                mapping.touch();
                Ok(())
            }
        }
    }
}

fn offer_cpu(times: u64) {
    for _ in 0..times {
        thread::yield_now();
    }
}

const MEBIBYTE: usize = 1 << 20;

/// Makes a file that is on disk. Little of it is in memory at a time, but for the page cache.
fn write_mebibytes(path: &Path, count: usize) -> io::Result<()> {
    let (mut file, piece) = (File::create(path)?, vec![1; MEBIBYTE]);
    for _ in 0..count {
        file.write_all(&piece)?;
        file.sync_data()?;
    }
    Ok(())
}

fn read_mebibytes(path: &Path, count: usize) -> io::Result<()> {
    let (mut file, mut piece) = (File::open(path)?, vec![0; MEBIBYTE]);
    (0..count).try_for_each(|_| file.read_exact(&mut piece))
}

/// A mapping whose pages are on disk and nowhere else, each read alone: of a block device, or of a new file of each thread.
fn uncached(path: &Path, thread: usize, pages: usize) -> io::Result<Mapping> {
    let is_device = path.metadata().is_ok_and(|found| found.file_type().is_block_device());
    let file = if is_device { File::open(path)? } else { new_file(path, thread, pages)? };
    sys::drop_cache(&file)?;
    Mapping::of_file(&file, pages)
}

fn new_file(path: &Path, thread: usize, pages: usize) -> io::Result<File> {
    let path = path.with_extension(thread.to_string());
    let mut file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
    file.write_all(&vec![1; pages * sys::PAGE_BYTES])?;
    file.sync_all()?;
    Ok(file)
}
