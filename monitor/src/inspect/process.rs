//! One process's directory in /proc, and what is read in it.

use std::{collections::BTreeSet, fs::File, io, io::Read as _, os::fd::OwnedFd, path::Path};

use jiff::{SignedDuration, Timestamp};
use procfs::{FromRead as _, process::Status};
use rustix::fs::{CWD, Dir, Mode, OFlags, openat, readlinkat};

use super::model;
use crate::host::parse_stat;

/// A process's directory in /proc, held open: what is read in it is this process's or, once it has ended, fails. It is
/// never that of another process which was given the number.
#[derive(Debug)]
pub(super) struct ProcessDirectory(OwnedFd);

/// What a process's files say.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) process: model::Process,
    /// `/proc/PID/status`.
    pub(super) status: Status,
    /// Its text: procfs has no field for how many seccomp filters there are.
    pub(super) status_text: String,
    /// Start in clock ticks since boot.
    pub(super) start_ticks: u64,
    /// Inode numbers of its sockets; `None` where we may not look.
    pub(super) sockets: Option<BTreeSet<u64>>,
}

impl ProcessDirectory {
    pub(super) fn open(proc: &Path, pid: i32) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(openat(CWD, proc.join(pid.to_string()), flags, Mode::empty())?))
    }

    /// A file's text, with replacement characters for what is not UTF-8, which process names may hold.
    pub(super) fn read_text(&self, name: &str) -> io::Result<String> {
        let file = openat(&self.0, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let mut bytes = Vec::new();
        File::from(file).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Where a link such as `ns/net` leads.
    pub(super) fn read_link(&self, name: &str) -> io::Result<String> {
        let target = readlinkat(&self.0, name, Vec::new())?;
        Ok(String::from_utf8_lossy(target.to_bytes()).into_owned())
    }

    /// The whole process. Fails where it has ended.
    ///
    /// `booted_at` is the wall time at which the machine's ticks began.
    pub(super) fn read(&self, booted_at: Timestamp) -> io::Result<Reading> {
        let status_text = self.read_text("status")?;
        let status = Status::from_read(status_text.as_bytes()).map_err(io::Error::other)?;
        let stat = parse_stat(self.read_text("stat")?.as_bytes()).map_err(io::Error::other)?;
        let arguments = parse_arguments(&self.read_text("cmdline")?);
        let links = self.read_descriptors();
        let process = model::Process {
            pid: status.pid,
            namespace_pid: status.nstgid.as_ref().and_then(|pids| pids.last().copied()),
            parent_pid: status.ppid,
            user_id: status.euid,
            state: stat.state.to_string(),
            threads: status.threads,
            resident_bytes: resident_bytes(&status),
            started_at: after_boot(booted_at, stat.starttime),
            open_files: links.as_ref().map(|links| count(links.len())),
            open_sockets: links.as_ref().map(|links| count(socket_inodes(links).count())),
            name: stat.comm,
            arguments,
        };
        let sockets = links.map(|links| socket_inodes(&links).collect());
        Ok(Reading { process, status, status_text, start_ticks: stat.starttime, sockets })
    }

    /// Where each descriptor leads. `None` where we may not look; one that is closed meanwhile is left out.
    fn read_descriptors(&self) -> Option<Vec<String>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(&self.0, "fd", flags, Mode::empty()).ok()?;
        let mut links = Vec::new();
        for entry in Dir::read_from(&directory).ok()? {
            let Ok(entry) = entry else { break };
            if entry.file_name().to_bytes().starts_with(b".") {
                continue;
            }
            match readlinkat(&directory, entry.file_name(), Vec::new()) {
                Ok(target) => links.push(String::from_utf8_lossy(target.to_bytes()).into_owned()),
                Err(rustix::io::Errno::NOENT) => {}
                Err(_not_allowed) => return None,
            }
        }
        Some(links)
    }
}

impl Reading {
    /// Sorts the first process of a container to the front: of those that are process 1 of their pid namespace the one
    /// in the outermost, else the oldest.
    pub(super) fn seniority(&self) -> (bool, usize, u64, i32) {
        let depth = self.status.nstgid.as_ref().map_or(0, Vec::len);
        let is_namespace_init = depth > 1 && self.process.namespace_pid == Some(1);
        (!is_namespace_init, if is_namespace_init { depth } else { 0 }, self.start_ticks, self.process.pid)
    }
}

/// What of the process is in memory; `None` of one that has no memory of its own.
pub(super) fn resident_bytes(status: &Status) -> Option<u64> {
    status.vmrss?.checked_mul(1024)
}

/// The inode numbers in links such as `socket:[4242]`.
fn socket_inodes(links: &[String]) -> impl Iterator<Item = u64> {
    links.iter().filter_map(|link| link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
}

/// Arguments end in NUL each; a process that changed its title may leave many at the end, or none.
pub(super) fn parse_arguments(cmdline: &str) -> Vec<String> {
    let arguments = cmdline.trim_end_matches('\0');
    if arguments.is_empty() { Vec::new() } else { arguments.split('\0').map(str::to_owned).collect() }
}

pub(super) fn after_boot(booted_at: Timestamp, ticks: u64) -> Timestamp {
    let milliseconds = i64::try_from(ticks.saturating_mul(1000) / procfs::ticks_per_second());
    milliseconds
        .ok()
        .and_then(|milliseconds| booted_at.checked_add(SignedDuration::from_millis(milliseconds)).ok())
        .unwrap_or(booted_at)
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_may_be_empty_but_not_at_the_end() {
        assert_eq!(parse_arguments("sh\0-c\0\0x\0"), ["sh", "-c", "", "x"]);
        assert_eq!(parse_arguments("nginx: master process\0\0\0\0"), ["nginx: master process"]);
        assert!(parse_arguments("").is_empty());
    }

    #[test]
    fn sockets_are_told_by_their_links() {
        let links = ["/dev/null", "socket:[12]", "pipe:[13]", "socket:[x]"].map(str::to_owned);
        assert_eq!(socket_inodes(&links).collect::<Vec<_>>(), [12]);
    }

    #[test]
    fn a_process_that_is_gone_fails() {
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let directory = ProcessDirectory::open(Path::new("/proc"), pid).unwrap();
        let reading = directory.read(Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(reading.process.pid, pid);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(directory.read(Timestamp::UNIX_EPOCH).is_err());
    }
}
