//! Segments in files, one in each, which come and go with the segments in memory.
//!
//! A file is written beside its place and moved there when it is on the disk, so that it is whole or not there. Every part of it
//! is a zstd frame with a checksum: of a file that was damaged or cut short later, the parts before that are read.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use zstd::{bulk::Compressor, zstd_safe::CParameter};

use super::{
    Column, Figures, History, Layouts, Sealed, Subject,
    layout::{FOLDED, Layout},
    segment::{Chunk, Member, Number, Segment},
};

/// What every file begins with; the last byte is the version of the format.
const MAGIC: &[u8; 8] = b"MONHIST\x01";
const ENDING: &str = "segment";
/// Of a file that is being written.
const UNFINISHED: &str = "part";
const LOCK: &str = "lock";
/// The longest part of a file that is read: longer ones were never written.
const MOST_PART_BYTES: usize = 64 << 20;
const LEVEL: i32 = 3;

/// What can go wrong with the files.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The folder cannot be made or read.
    #[error("open {}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Somebody else keeps files there.
    #[error("{} is used by another monitor: name another folder with --data-dir", path.display())]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("write {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// The first part of a file.
#[derive(Serialize, Deserialize)]
struct Header {
    step_ms: i64,
    begins_at: i64,
    stride: usize,
    times: Box<[i64]>,
    measured: Vec<Column>,
    host: Vec<Column>,
    members: Box<[Member]>,
    /// Sizes of the other parts, decompressed.
    sizes: Vec<usize>,
    subjects: BTreeMap<Number, Subject>,
}

/// A folder of segments, which nobody else uses as long as this lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

/// A segment that was read.
pub(super) struct Loaded {
    path: PathBuf,
    header: Header,
    chunks: Vec<Chunk>,
}

/// A segment that does not fit the settings or the clock.
pub(super) struct Unfit {
    path: PathBuf,
    /// Whether it is older than what any resolution keeps.
    is_old: bool,
}

impl Folder {
    /// Opens a folder, which is made if it is not there.
    pub fn open(path: &Path) -> Result<Self, DiskError> {
        let failed = |source| DiskError::Open { path: path.into(), source };
        fs::DirBuilder::new().recursive(true).mode(0o750).create(path).map_err(failed)?;
        let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(path.join(LOCK));
        let lock = lock.map_err(failed)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path: path.into(), _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(DiskError::InUse { path: path.into() }),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a segment.
    pub fn write(&self, sealed: &Sealed) -> Result<(), DiskError> {
        let path = self.file_of(&sealed.name);
        let unfinished = path.with_extension(UNFINISHED);
        let write = || {
            let mut options = OpenOptions::new();
            let mut file = options.create(true).write(true).truncate(true).mode(0o600).open(&unfinished)?;
            file.write_all(&encode(sealed)?)?;
            file.sync_data()?;
            fs::rename(&unfinished, &path)
        };
        write().map_err(|source| {
            // What is left of it only takes room.
            let _ = fs::remove_file(&unfinished);
            DiskError::Write { path, source }
        })
    }

    /// Deletes a segment.
    pub fn forget(&self, name: &str) {
        let path = self.file_of(name);
        match fs::remove_file(&path) {
            // It was never written, or somebody deletes what is ours.
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                log::warn!("delete {}: {error}", path.display());
            }
            _ => {}
        }
    }

    fn file_of(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.{ENDING}"))
    }

    /// Every segment in the folder; what is none and looks like ours is deleted.
    pub(super) fn load(&self) -> Result<Vec<Loaded>, DiskError> {
        let failed = |source| DiskError::Open { path: self.path.clone(), source };
        let mut loaded = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let ending = path.extension().and_then(|ending| ending.to_str());
            if ending == Some(UNFINISHED) {
                delete(&path);
            }
            if ending != Some(ENDING) {
                continue;
            }
            match fs::read(&path).and_then(|bytes| decode(path.clone(), &bytes)) {
                Ok(segment) => loaded.push(segment),
                Err(error) => {
                    log::warn!("read {}: {error}: it is deleted", path.display());
                    delete(&path);
                }
            }
        }
        Ok(loaded)
    }
}

fn delete(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        log::warn!("delete {}: {error}", path.display());
    }
}

fn encode(sealed: &Sealed) -> io::Result<Vec<u8>> {
    let Sealed { name: _, step_ms, segment, subjects } = sealed;
    let Segment { begins_at, stride, times, layouts, members, chunks } = &**segment;
    let columns = |layout: Option<&Arc<Layout>>| layout.map(|one| one.columns().to_vec()).unwrap_or_default();
    let size = |chunk: &Chunk| match chunk {
        Chunk::Plain(bytes) => bytes.len(),
        Chunk::Packed { size, .. } => *size,
    };
    let header = Header {
        step_ms: *step_ms,
        begins_at: *begins_at,
        stride: *stride,
        times: times.clone(),
        measured: columns(layouts.as_ref().map(|layouts| &layouts.measured)),
        host: columns(layouts.as_ref().map(|layouts| &layouts.host)),
        members: members.clone(),
        sizes: chunks.iter().map(size).collect(),
        subjects: subjects.iter().cloned().collect(),
    };
    file_of(&serde_json::to_vec(&header)?, chunks)
}

/// A file of these parts.
pub(super) fn file_of(header: &[u8], chunks: &[Chunk]) -> io::Result<Vec<u8>> {
    let mut compressor = Compressor::new(LEVEL)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend(length(header.len())?);
    put_part(&mut bytes, &compressor.compress(header)?)?;
    for chunk in chunks {
        match chunk {
            Chunk::Packed { bytes: part, .. } => put_part(&mut bytes, part)?,
            Chunk::Plain(plain) => put_part(&mut bytes, &compressor.compress(plain)?)?,
        }
    }
    Ok(bytes)
}

fn put_part(bytes: &mut Vec<u8>, part: &[u8]) -> io::Result<()> {
    bytes.extend(length(part.len())?);
    bytes.extend(part);
    Ok(())
}

fn length(length: usize) -> io::Result<[u8; 4]> {
    u32::try_from(length).map(u32::to_le_bytes).map_err(io::Error::other)
}

/// Takes a number off the front; `None` where nothing is there, or it is no length of ours.
fn take_length(bytes: &mut &[u8]) -> Option<usize> {
    let (length, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length <= MOST_PART_BYTES)
}

fn take_part<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = take_length(bytes)?;
    let (part, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(part)
}

pub(super) fn decode(path: PathBuf, bytes: &[u8]) -> io::Result<Loaded> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut bytes =
        bytes.strip_prefix(MAGIC).ok_or_else(|| wrong("not a piece of history of this version"))?;
    let size = take_length(&mut bytes).ok_or_else(|| wrong("cut short"))?;
    let header = take_part(&mut bytes).ok_or_else(|| wrong("cut short"))?;
    let mut header: Header = serde_json::from_slice(&zstd::bulk::decompress(header, size)?)?;
    // Of what came before the first row there may be no time, which is said by the least number there is.
    let is_time = |at: &i64| Timestamp::from_millisecond(*at).is_ok();
    let are_times = is_time(&header.begins_at)
        && header.times.first().is_none_or(|at| *at == i64::MIN || is_time(at))
        && header.times.iter().skip(1).all(is_time);
    if !(header.stride == 1 || header.stride == FOLDED) || !header.times.is_sorted() || !are_times {
        return Err(wrong("its parts do not fit each other"));
    }
    let mut chunks = Vec::new();
    for size in &header.sizes {
        let Some(part) = take_part(&mut bytes) else { break };
        let chunk = Chunk::Packed { size: *size, bytes: part.into() };
        // Read once to see that it is what was written.
        if chunk.unpacked().is_err() {
            break;
        }
        chunks.push(chunk);
    }
    if chunks.len() < header.sizes.len() {
        log::warn!("{} was damaged or cut short: read to its last whole part", path.display());
        header.members = header.members.iter().filter(|one| one.chunk < chunks.len()).copied().collect();
    }
    header.members.sort_unstable_by_key(|member| member.subject);
    Ok(Loaded { path, header, chunks })
}

impl History {
    /// Takes in what a folder has. What is too old at `now` is deleted. What is later than that by more than an hour, since a clock
    /// was wrong, or has steps that are no longer kept, stays where it is until it is too old.
    pub fn restore(&mut self, folder: &Folder, now: i64) -> Result<Figures, DiskError> {
        for Unfit { path, is_old } in self.take_in(folder.load()?, now) {
            if is_old {
                delete(&path);
            } else {
                log::warn!("{} does not fit the settings or the clock: it is left as it is", path.display());
            }
        }
        Ok(self.figures())
    }

    /// Takes in what was read, but for what it returns.
    pub(super) fn take_in(&mut self, mut loaded: Vec<Loaded>, now: i64) -> Vec<Unfit> {
        const HOUR_MS: i64 = 3_600_000;
        let longest = self.tiers.iter().map(|tier| tier.span_ms).max().unwrap_or_default();
        let mut unfit = Vec::new();
        loaded.sort_by_key(|one| one.header.times.get(1).copied());
        for Loaded { path, header, chunks } in loaded {
            let level = self.tiers.iter().position(|tier| {
                let stride = tier.stride();
                tier.step_ms == header.step_ms && stride == header.stride
            });
            let is_due = header.times.last().is_some_and(|last| *last <= now + HOUR_MS);
            let restored = level.filter(|_| is_due && header.times.len() > 1);
            let is_old = header.times.last() < Some(&now.saturating_sub(longest));
            if restored.is_none_or(|level| !self.restore_one(level, header, chunks)) {
                unfit.push(Unfit { path, is_old });
            }
        }
        for level in 1..self.tiers.len() {
            self.catch_up(level);
        }
        self.forget(now);
        unfit
    }

    fn restore_one(&mut self, level: usize, header: Header, chunks: Vec<Chunk>) -> bool {
        let Header { step_ms: _, begins_at, stride, times, measured, host, members, sizes: _, subjects } =
            header;
        let are_known = members.iter().all(|member| subjects.contains_key(&member.subject));
        if !are_known || !subjects.iter().all(|(number, subject)| self.subjects.restore(*number, subject)) {
            return false;
        }
        let layouts = Layouts {
            measured: shared(&self.layouts.measured, measured),
            host: shared(&self.layouts.host, host),
        };
        let Some(tier) = self.tiers.get_mut(level) else { return false };
        if tier.last_at().is_some_and(|last| times.get(1).is_none_or(|first| *first <= last)) {
            return false;
        }
        let layouts = Some(layouts);
        tier.sealed.push_back(Arc::new(Segment { begins_at, stride, times, layouts, members, chunks }));
        true
    }

    /// Folds what the next finer tier has and this one has not: it was not whole when the writer was killed.
    fn catch_up(&mut self, level: usize) {
        let finer = level.checked_sub(1).and_then(|finer| self.tiers.get(finer));
        let segments: Vec<Arc<Segment>> =
            finer.map(|tier| tier.sealed.iter().map(Arc::clone).collect()).unwrap_or_default();
        for segment in segments {
            let is_ours = segment.layouts.as_ref().is_some_and(|theirs| {
                Arc::ptr_eq(&theirs.measured, &self.layouts.measured)
                    && Arc::ptr_eq(&theirs.host, &self.layouts.host)
            });
            // What an earlier version laid out in another way is kept as it is.
            if is_ours {
                self.fold_into(level, &segment);
            }
        }
    }
}

/// The layout that there is, where it is the same.
fn shared(ours: &Arc<Layout>, columns: Vec<Column>) -> Arc<Layout> {
    let is_same = ours.columns().len() == columns.len()
        && ours.columns().iter().zip(&columns).all(|(a, b)| a.name == b.name && a.kind == b.kind);
    if is_same { Arc::clone(ours) } else { Arc::new(Layout::new(columns)) }
}
