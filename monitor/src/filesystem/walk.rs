//! A walk over a tree that others go on writing to: what `du -x` counts, at a pace of our own.
//!
//! Nothing is followed that could lead out of the tree. Every step is taken from an open directory by a single name, never
//! through a symbolic link, and a directory is entered only if it is still the one that was looked at; so who may write
//! there can at most have entries missed. Memory follows the depth of the tree and the number of hard links, not its size.

use std::{
    collections::HashSet,
    ffi::{CStr, OsStr},
    io,
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::Path,
};

use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, RawDir, Stat, fstat, fstatfs, open, openat, statat},
    io::Errno,
};

/// How deep below its root a tree is entered: each level keeps a descriptor open.
const MAX_DEPTH: usize = 512;
/// Hard-linked files that are remembered, 16 bytes each.
const MAX_LINKS: usize = 1 << 18;
/// Room for the entries of a directory that are asked for at a time.
const ENTRIES_BYTES: usize = 8 * 1024;
/// The unit of `st_blocks`, whatever the file system's own.
const BLOCK_BYTES: u64 = 512;

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub(super) enum WalkError {
    /// The tree's root.
    #[error("open {path}")]
    Open { path: String, source: io::Error },
    /// Walking it would be a request to another machine, or to some program, for each entry.
    #[error("{path} lies on a network file system or FUSE")]
    OnNetwork { path: String },
    /// The pace ended the walk.
    #[error("the walk was ended")]
    Stopped,
}

/// What is told of each entry, and may take its time.
pub(super) trait Pace {
    /// Whether to go on.
    fn step(&mut self) -> bool;
}

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Bytes allocated.
    pub(super) bytes: u64,
    /// The lengths of all that is no directory.
    pub(super) apparent_bytes: u64,
    /// Hard links count once, by their inode.
    pub(super) inodes: u64,
    /// Entries that were there and were not counted: not readable, too deep, or hard links beyond [`MAX_LINKS`].
    pub(super) skipped: u64,
}

/// A directory to be measured.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) directory: OwnedFd,
    stat: Stat,
}

impl Root {
    /// Opens it. The path may lead through links, as the runtime chose it, but not end in one.
    pub(super) fn open(path: &Path) -> Result<Self, WalkError> {
        let failed =
            |source: Errno| WalkError::Open { path: path.display().to_string(), source: source.into() };
        let directory = open_quietly(|flags| open(path, flags, Mode::empty())).map_err(failed)?;
        let kind = fstatfs(&directory).map_err(failed)?.f_type;
        if NETWORK.contains(&(kind.cast_unsigned() & 0xffff_ffff)) {
            return Err(WalkError::OnNetwork { path: path.display().to_string() });
        }
        let stat = fstat(&directory).map_err(failed)?;
        Ok(Self { directory, stat })
    }

    pub(super) fn device(&self) -> u64 {
        self.stat.st_dev
    }

    /// Everything in it, itself included, that is on its own file system.
    pub(super) fn walk(&self, pace: &mut impl Pace) -> Result<Found, WalkError> {
        let mut walker = Walker::new(self.device(), pace);
        walker.count(&self.stat);
        match walker.enter(self.directory.as_fd(), 0) {
            Ok(()) => Ok(walker.found),
            Err(Stopped) => Err(WalkError::Stopped),
        }
    }

    /// The file of this name in it, and those that have the name with a dot and more after it.
    pub(super) fn walk_named(&self, name: &OsStr, pace: &mut impl Pace) -> Result<Found, WalkError> {
        let mut walker = Walker::new(self.device(), pace);
        let is_wanted = |entry: &CStr| {
            let rest = entry.to_bytes().strip_prefix(name.as_bytes());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
        };
        let listed = walker.list(self.directory.as_fd(), |walker, entry| {
            if is_wanted(entry) {
                walker.look(self.directory.as_fd(), entry);
            }
            Ok(())
        });
        listed.map(|()| walker.found).map_err(|Stopped| WalkError::Stopped)
    }
}

/// NFS, SMB (three times), FUSE, Ceph, AFS, Coda and 9P: include/uapi/linux/magic.h.
const NETWORK: [u64; 9] = [
    0x6969,
    0x517b,
    0xff53_4d42,
    0xfe53_4d42,
    0x6573_5546,
    0x00c3_6400,
    0x5346_414f,
    0x7375_7245,
    0x0102_1997,
];

/// The pace ended the walk.
struct Stopped;

struct Walker<'p, P> {
    device: u64,
    pace: &'p mut P,
    found: Found,
    /// Inodes of files that have more than one name.
    linked: HashSet<u64>,
    /// Buffers of directories that were left.
    buffers: Vec<Vec<MaybeUninit<u8>>>,
}

impl<'p, P: Pace> Walker<'p, P> {
    fn new(device: u64, pace: &'p mut P) -> Self {
        Self { device, pace, found: Found::default(), linked: HashSet::new(), buffers: Vec::new() }
    }

    /// Counts what is in a directory, and in those in it.
    fn enter(&mut self, directory: BorrowedFd<'_>, depth: usize) -> Result<(), Stopped> {
        self.list(directory, |walker, name| {
            let Some(stat) = walker.look(directory, name) else { return Ok(()) };
            if depth >= MAX_DEPTH {
                walker.found.skipped += 1;
                return Ok(());
            }
            match open_same(directory, name, &stat) {
                Ok(Some(below)) => walker.enter(below.as_fd(), depth + 1),
                // Moved or deleted since.
                Ok(None) => Ok(()),
                Err(error) => {
                    walker.miss(error);
                    Ok(())
                }
            }
        })
    }

    /// Hands over the name of every entry.
    fn list(
        &mut self,
        directory: BorrowedFd<'_>,
        mut each: impl FnMut(&mut Self, &CStr) -> Result<(), Stopped>,
    ) -> Result<(), Stopped> {
        let mut buffer = self.buffers.pop().unwrap_or_else(|| vec![MaybeUninit::uninit(); ENTRIES_BYTES]);
        let mut entries = RawDir::new(directory, &mut buffer);
        while let Some(entry) = entries.next() {
            match entry {
                Ok(entry) if matches!(entry.file_name().to_bytes(), b"." | b"..") => {}
                Ok(entry) => {
                    if !self.pace.step() {
                        return Err(Stopped);
                    }
                    each(self, entry.file_name())?;
                }
                Err(error) => {
                    self.miss(error);
                    break;
                }
            }
        }
        self.buffers.push(buffer);
        Ok(())
    }

    /// Counts an entry; what it is, if it is a directory of this file system.
    fn look(&mut self, directory: BorrowedFd<'_>, name: &CStr) -> Option<Stat> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        match statat(directory, name, flags) {
            Ok(stat) if stat.st_dev != self.device => None,
            Ok(stat) => self.count(&stat).then_some(stat),
            Err(error) => {
                self.miss(error);
                None
            }
        }
    }

    /// Whether it is a directory.
    fn count(&mut self, stat: &Stat) -> bool {
        let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if !is_directory && stat.st_nlink > 1 {
            if self.linked.contains(&stat.st_ino) {
                return false;
            }
            if self.linked.len() >= MAX_LINKS {
                self.found.skipped += 1;
                return false;
            }
            self.linked.insert(stat.st_ino);
        }
        let positive = |number: i64| u64::try_from(number).unwrap_or_default();
        self.found.inodes += 1;
        self.found.bytes += positive(stat.st_blocks) * BLOCK_BYTES;
        if !is_directory {
            self.found.apparent_bytes += positive(stat.st_size);
        }
        is_directory
    }

    /// What went away meanwhile is no loss.
    fn miss(&mut self, error: Errno) {
        if !matches!(error, Errno::NOENT | Errno::STALE) {
            self.found.skipped += 1;
        }
    }
}

/// Opens the directory of this name, if it still is the one that was looked at.
fn open_same(directory: BorrowedFd<'_>, name: &CStr, seen: &Stat) -> Result<Option<OwnedFd>, Errno> {
    let opened = match open_quietly(|flags| openat(directory, name, flags, Mode::empty())) {
        // A link or a file has taken its place.
        Err(Errno::LOOP | Errno::NOTDIR) => return Ok(None),
        opened => opened?,
    };
    let stat = fstat(&opened)?;
    Ok((stat.st_dev == seen.st_dev && stat.st_ino == seen.st_ino).then_some(opened))
}

/// Opens a directory without a trace in its time of access, which only its owner and root may ask for.
fn open_quietly(open: impl Fn(OFlags) -> Result<OwnedFd, Errno>) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match open(flags | OFlags::NOATIME) {
        Err(Errno::PERM) => open(flags),
        opened => opened,
    }
}

#[cfg(test)]
mod tests;
