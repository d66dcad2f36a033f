//! One cgroup's files, kept open and re-read in place.
//!
//! This is the agent's most frequent work, so its cost is what shapes it. On a 2-core machine with kernel 6.18 a
//! `pread` of a one-number file costs 1.6 us, of `cpu.stat` 2.2 us, of a pressure file 3 to 4 us and of `memory.stat`
//! 8.6 us; opening, reading and closing costs four times a `pread`. Hence what is read often stays open, the details of
//! memory are read only if the cgroup did anything since, and limits only when asked for. Those are opened each time:
//! the kernel keeps a page of memory for each open file that was read once.

use std::{
    os::fd::{AsFd, AsRawFd as _, OwnedFd},
    path::Path,
    sync::Arc,
};

use rustix::{
    fs::{Access, CWD, Mode as FileMode, OFlags, access, openat},
    io::Errno,
    path::Arg,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};

use super::{
    CgroupError,
    hierarchy::Hierarchy,
    stats::{CgroupStats, Limit},
    v1, v2,
};

/// File descriptors that are left to the rest of the program.
const RESERVED_FDS: u64 = 64;

/// How often the details of a cgroup that did nothing are read all the same: every so many readings. Its own tasks
/// cannot have changed them, but global reclaim can age its page cache.
const QUIET_READINGS: u32 = 10;

/// Large enough for every file but a `cpuset` list of a very large machine.
const INITIAL_BUFFER_BYTES: usize = 8 * 1024;

/// What a [`CgroupFiles::read`] should read afresh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each part is due on its own")]
pub struct What {
    /// What changes by itself: CPU time and memory.
    pub usage: bool,
    /// With usage, what changes as tasks start and end: pids. Without, once in a while.
    pub tasks: bool,
    /// With usage, what requests to block devices change: bytes and operations. Without, once in a while.
    pub io: bool,
    /// What changes when somebody configures it: limits, quota, weight, cpuset. Twice as dear as a full
    /// reading of usage.
    pub limits: bool,
    /// The pressure files. The kernel updates them every two seconds (`PSI_FREQ`, kernel/sched/psi.c), so that
    /// reading more often gives the same.
    pub pressure: bool,
}

impl What {
    /// Everything.
    pub const ALL: Self = Self { usage: true, tasks: true, io: true, limits: true, pressure: true };
}

/// When a file is read. In the order in which a cgroup's files are kept, so that the first one is always kept open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// At every reading of usage. Tells whether the cgroup did anything.
    Pulse,
    /// With usage, if the pulse moved.
    Detail,
    /// With usage, if the pulse moved and tasks may have started or ended.
    Tasks,
    /// With usage, if there may have been requests to block devices.
    Io,
    /// With usage, if the memory charge moved: its parts, three quarters of the cost of a reading.
    Memory,
    /// With usage, once in a while, and with limits; where there is more than one NUMA node.
    Numa,
    /// With usage, unless there is known to be no quota, and with limits.
    Throttling,
    /// When limits are asked for.
    Limits,
    /// When pressure is asked for.
    Pressure,
}

/// A file of some controller and what to do with its text.
pub(super) struct FileSpec {
    controller: &'static str,
    name: &'static str,
    part: Part,
    merge: fn(&mut CgroupStats, &[u8]),
}

impl FileSpec {
    pub(super) const fn new(
        controller: &'static str,
        name: &'static str,
        part: Part,
        merge: fn(&mut CgroupStats, &[u8]),
    ) -> Self {
        Self { controller, name, part, merge }
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == name
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn merge(&self, stats: &mut CgroupStats, text: &[u8]) {
        (self.merge)(stats, text);
    }
}

/// One cgroup's files, in every hierarchy that has it.
///
/// They belong to the cgroup that had the path when they were opened: if that is removed and another one takes its
/// path, reading reports the removal.
pub struct CgroupFiles {
    path: String,
    /// Sorted by part. The first one tells whether the cgroup still exists.
    files: Vec<OpenFile>,
    /// Shared with those who were told, and copied where it moves on.
    stats: Arc<CgroupStats>,
    /// Counts readings of usage, from a number that differs between cgroups: those opened together are then not due
    /// for their details in the same tick.
    readings: u32,
    is_partial: bool,
    starved_files: usize,
}

struct OpenFile {
    spec: &'static FileSpec,
    handle: Handle,
}

enum Handle {
    Kept(OwnedFd),
    /// Opened in this directory for each reading.
    Reopened(Arc<Path>),
}

impl CgroupFiles {
    /// Opens the files of the cgroup at `path`, relative to the mount points of `hierarchy`.
    ///
    /// A file that does not exist leaves its fields `None` for good. With no hierarchy knowing the path, the error
    /// is [`CgroupError::Gone`].
    pub fn open(hierarchy: &Hierarchy, path: &str) -> Result<Self, CgroupError> {
        let soft_limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        Self::open_below(hierarchy, path, soft_limit.saturating_sub(RESERVED_FDS))
    }

    /// [`CgroupFiles::open`], keeping only file descriptors below `fd_ceiling`.
    fn open_below(hierarchy: &Hierarchy, path: &str, fd_ceiling: u64) -> Result<Self, CgroupError> {
        let mut opener = Opener { path, fd_ceiling, is_numa: hierarchy.is_numa(), ..Opener::default() };
        if let Some(unified) = hierarchy.unified() {
            opener.open_hierarchy(unified, v2::FILES, |controller| hierarchy.v1_of(controller).is_none())?;
        }
        let has_cpu_times = opener.files.iter().any(|file| file.spec.name == "cpu.stat");
        for v1 in hierarchy.v1() {
            opener.open_hierarchy(&v1.mount.point, v1::FILES, |controller| {
                !(controller == "cpuacct" && has_cpu_times)
                    && v1.controllers.iter().any(|name| name == controller)
            })?;
        }
        if opener.found == 0 {
            return Err(CgroupError::Gone { path: path.to_owned() });
        }
        let mut files = opener.files;
        files.sort_by_key(|file| file.spec.part);
        Ok(Self {
            path: path.to_owned(),
            files,
            stats: Arc::default(),
            readings: path.bytes().map(u32::from).sum(),
            is_partial: opener.missing > 0,
            starved_files: opener.starved,
        })
    }

    /// Reads what is asked for afresh into what was read before, and returns all of it.
    ///
    /// `buffer` is scratch space to be passed to every call; it grows as needed. A file that fails costs its own
    /// fields and [`CgroupFiles::is_partial`] tells. [`CgroupError::Gone`] is final.
    ///
    /// Where the memory charge stands still, its parts are taken over from the reading before, and so is the number of
    /// pids unless tasks are asked for: nine times out of ten.
    pub fn read(&mut self, buffer: &mut Vec<u8>, what: What) -> Result<&Arc<CgroupStats>, CgroupError> {
        if buffer.len() < INITIAL_BUFFER_BYTES {
            buffer.resize(INITIAL_BUFFER_BYTES, 0);
        }
        let mut what = what;
        // A file that is lost takes its values along: start anew with those that remain.
        while !self.read_parts(buffer, what)? {
            self.stats = Arc::default();
            what = What::ALL;
        }
        Ok(&self.stats)
    }

    /// Closes every file. Nothing can be read afterwards; [`CgroupFiles::last`] stays.
    pub fn close(&mut self) {
        self.files = Vec::new();
    }

    /// The values as last read, all `None` before the first reading.
    #[must_use]
    pub fn last(&self) -> &Arc<CgroupStats> {
        &self.stats
    }

    /// The cgroup's path, as it was opened.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether opening it once more may find more: a hierarchy did not have the cgroup yet (runtimes create it in
    /// one hierarchy after the other), or a file was lost while reading. Try a few times, not for ever: there are
    /// runtimes that leave hierarchies out.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// Number of files that should stay open and could not for lack of file descriptors. They are opened for each
    /// reading, at four times the cost.
    #[must_use]
    pub fn starved_files(&self) -> usize {
        self.starved_files
    }

    /// Whether every file could be read.
    fn read_parts(&mut self, buffer: &mut Vec<u8>, what: What) -> Result<bool, CgroupError> {
        let mut is_complete = true;
        if what.usage {
            is_complete &= self.read_usage(buffer, what)?;
        } else if self.is_first_removed(buffer) {
            return Err(self.gone());
        }
        if what.limits {
            is_complete &= self.read_part(Part::Limits, buffer)?;
            is_complete &= self.read_part(Part::Numa, buffer)?;
        }
        // Without a quota these stand still, but may have moved before it was taken away.
        if what.limits || (what.usage && self.stats.cpu.quota_us != Some(Limit::Max)) {
            is_complete &= self.read_part(Part::Throttling, buffer)?;
        }
        if what.pressure {
            is_complete &= self.read_part(Part::Pressure, buffer)?;
        }
        Ok(is_complete)
    }

    fn read_usage(&mut self, buffer: &mut Vec<u8>, what: What) -> Result<bool, CgroupError> {
        let (usage_ns, charge) = (self.stats.cpu.usage_ns, self.stats.memory.current_bytes);
        let mut is_complete = self.read_part(Part::Pulse, buffer)?;
        self.readings = self.readings.wrapping_add(1);
        let is_due = self.readings.is_multiple_of(QUIET_READINGS);
        let has_charged =
            self.stats.memory.current_bytes.is_none() || self.stats.memory.current_bytes != charge;
        let has_run = self.stats.cpu.usage_ns.is_none() || self.stats.cpu.usage_ns != usage_ns;
        if has_run || has_charged || is_due {
            is_complete &= self.read_part(Part::Detail, buffer)?;
        }
        if what.tasks && has_run || has_charged || is_due {
            is_complete &= self.read_part(Part::Tasks, buffer)?;
        }
        if what.io || is_due {
            is_complete &= self.read_part(Part::Io, buffer)?;
        }
        if has_charged || is_due {
            is_complete &= self.read_part(Part::Memory, buffer)?;
        }
        if is_due {
            is_complete &= self.read_part(Part::Numa, buffer)?;
        }
        Arc::make_mut(&mut self.stats).memory.derive();
        Ok(is_complete)
    }

    fn read_part(&mut self, part: Part, buffer: &mut Vec<u8>) -> Result<bool, CgroupError> {
        let mut lost = None;
        for (index, file) in self.files.iter().enumerate() {
            if file.spec.part != part {
                continue;
            }
            match file.read(buffer) {
                Ok(text) => (file.spec.merge)(Arc::make_mut(&mut self.stats), text),
                Err(error) => {
                    lost = Some((index, error));
                    break;
                }
            }
        }
        let Some((index, error)) = lost else { return Ok(true) };
        // On v2 a controller can be taken away from a cgroup that lives on, so ask a file that stays.
        if is_removed(error) && (index == 0 || self.is_first_removed(buffer)) {
            return Err(self.gone());
        }
        self.files.remove(index);
        // A kernel that does not support the file (pressure switched off) will not do so later.
        self.is_partial |= error != Errno::OPNOTSUPP;
        Ok(false)
    }

    fn gone(&self) -> CgroupError {
        CgroupError::Gone { path: self.path.clone() }
    }

    fn is_first_removed(&self, buffer: &mut Vec<u8>) -> bool {
        self.files.first().is_some_and(|file| file.read(buffer).is_err_and(is_removed))
    }
}

/// `ENODEV` from a file that was open when its cgroup was removed, `ENOENT` from opening it afterwards.
fn is_removed(error: Errno) -> bool {
    matches!(error, Errno::NODEV | Errno::NOENT)
}

impl OpenFile {
    /// The whole file, into as much of `buffer` as it takes.
    fn read<'b>(&self, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], Errno> {
        let length = match &self.handle {
            Handle::Kept(fd) => read_whole(fd, buffer)?,
            Handle::Reopened(directory) => {
                read_whole(&open_file(CWD, directory.join(self.spec.name))?, buffer)?
            }
        };
        Ok(buffer.get(..length).unwrap_or_default())
    }
}

fn open_file(at: impl AsFd, path: impl Arg) -> Result<OwnedFd, Errno> {
    openat(at, path, OFlags::RDONLY | OFlags::CLOEXEC, FileMode::empty())
}

/// The kernel makes up such a file in one go, so a read that leaves room in the buffer was complete.
fn read_whole(fd: &OwnedFd, buffer: &mut Vec<u8>) -> Result<usize, Errno> {
    loop {
        let length = rustix::io::pread(fd, buffer.as_mut_slice(), 0)?;
        if length < buffer.len() {
            return Ok(length);
        }
        buffer.resize(buffer.len() * 2, 0);
    }
}

/// Collects the files of one cgroup.
#[derive(Default)]
struct Opener<'p> {
    path: &'p str,
    /// Only file descriptors below this number are kept. The kernel hands out the lowest free one, so a high number
    /// means that few are left.
    fd_ceiling: u64,
    /// Whether the machine has more than one NUMA node.
    is_numa: bool,
    files: Vec<OpenFile>,
    /// Hierarchies that have the cgroup, and that do not.
    found: usize,
    missing: usize,
    starved: usize,
}

impl Opener<'_> {
    /// Opens those of `specs` whose controller is wanted in the hierarchy mounted at `mount`.
    fn open_hierarchy(
        &mut self,
        mount: &Path,
        specs: &'static [FileSpec],
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<(), CgroupError> {
        let is_numa = self.is_numa;
        let is_there = |spec: &&FileSpec| is_wanted(spec.controller) && (is_numa || spec.part != Part::Numa);
        let mut wanted = specs.iter().filter(is_there).peekable();
        if wanted.peek().is_none() {
            return Ok(());
        }
        let path: Arc<Path> = mount.join(self.path.trim_start_matches('/')).into();
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        // Without a descriptor for the directory each file is looked up by its whole path.
        let directory = match openat(CWD, &*path, flags, FileMode::empty()) {
            Ok(directory) => Some(directory),
            Err(error) if is_exhausted(error) => None,
            Err(error) if is_removed(error) => {
                self.missing += 1;
                return Ok(());
            }
            Err(error) => return Err(CgroupError::Read { path: path.to_path_buf(), source: error.into() }),
        };
        self.found += 1;
        for spec in wanted {
            if let Some(handle) = self.open_handle(directory.as_ref(), &path, spec) {
                self.files.push(OpenFile { spec, handle });
            }
        }
        Ok(())
    }

    /// `None` if there is no such file here.
    fn open_handle(
        &mut self,
        directory: Option<&OwnedFd>,
        path: &Arc<Path>,
        spec: &FileSpec,
    ) -> Option<Handle> {
        let reopened = || Handle::Reopened(Arc::clone(path));
        if matches!(spec.part, Part::Limits | Part::Numa) {
            return access(path.join(spec.name), Access::READ_OK).is_ok().then(reopened);
        }
        let opened = match directory {
            Some(directory) => open_file(directory, spec.name),
            None => access(path.join(spec.name), Access::READ_OK).and(Err(Errno::MFILE)),
        };
        match opened {
            Ok(fd) if u64::try_from(fd.as_raw_fd()).is_ok_and(|number| number < self.fd_ceiling) => {
                Some(Handle::Kept(fd))
            }
            Err(error) if !is_exhausted(error) => None,
            _ => {
                self.starved += 1;
                Some(reopened())
            }
        }
    }
}

fn is_exhausted(error: Errno) -> bool {
    matches!(error, Errno::MFILE | Errno::NFILE)
}

/// Raises this process's limit on open files as far as it may, and returns the limit it has then.
///
/// One cgroup takes 12 descriptors on a hybrid host, and the usual soft limit is 1 024.
#[must_use]
pub fn raise_fd_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    // Not being allowed to is no failure: the files over the limit are reopened for each reading.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
