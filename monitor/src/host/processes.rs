//! One process, as `ps` shows it.

use std::{collections::HashMap, fs, io, os::unix::fs::MetadataExt as _, path::Path};

use procfs::{FromRead as _, ProcError, ProcResult, process::Stat};

/// A process, from its directory in `/proc`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Its parent's.
    pub parent_pid: i32,
    /// Its effective user.
    pub user_id: u32,
    /// Its name.
    pub name: String,
    /// What it does, as one letter.
    pub state: char,
    /// Its threads.
    pub threads: i64,
    /// Its nice value: negative is favoured.
    pub nice: i64,
    /// Whether it leads its session.
    pub leads_session: bool,
    /// Whether it is in the foreground of a terminal.
    pub is_foreground: bool,
    /// Its start in nanoseconds since boot.
    pub started_ns: u64,
    /// CPU time that it has used, in nanoseconds, by whole clock ticks.
    pub cpu_ns: u64,
    /// Its address space.
    pub virtual_bytes: u64,
    /// The part of it that is in memory.
    pub resident_bytes: u64,
    /// The CPU that it ran on last.
    pub processor: Option<i32>,
    /// Descriptors open in it; `None` where we may not look.
    pub open_files: Option<u64>,
}

/// Reads one; fails where it has ended.
///
/// `proc` is `/proc` but in tests.
pub fn read_process(proc: &Path, pid: i32) -> io::Result<Process> {
    let dir = proc.join(pid.to_string());
    let stat = parse_stat(&fs::read(dir.join("stat"))?).map_err(io::Error::other)?;
    let user_id = fs::metadata(&dir)?.uid();
    let tick_ns = 1_000_000_000 / procfs::ticks_per_second().max(1);
    let ns = |ticks: u64| ticks.saturating_mul(tick_ns);
    Ok(Process {
        pid: stat.pid,
        parent_pid: stat.ppid,
        user_id,
        state: stat.state,
        threads: stat.num_threads,
        nice: stat.nice,
        leads_session: stat.session == stat.pid,
        is_foreground: stat.tpgid == stat.pgrp,
        started_ns: ns(stat.starttime),
        cpu_ns: ns(stat.utime.saturating_add(stat.stime)),
        virtual_bytes: stat.vsize,
        resident_bytes: stat.rss.saturating_mul(procfs::page_size()),
        processor: stat.processor,
        open_files: fs::read_dir(dir.join("fd"))
            .ok()
            .map(|entries| entries.count().try_into().unwrap_or(u64::MAX)),
        name: stat.comm,
    })
}

/// A process's `stat`. Checked for what `procfs` panics at: the name in parentheses, and something on both sides of it.
pub fn parse_stat(text: &[u8]) -> ProcResult<Stat> {
    let plain = String::from_utf8_lossy(text);
    let plain = plain.trim();
    let has_name = plain.find('(').zip(plain.rfind(')')).is_some_and(|(open, close)| {
        let before = open.checked_sub(1).and_then(|end| plain.get(..end));
        before.is_some() && open < close && plain.get(close + 2..).is_some()
    });
    if !has_name {
        return Err(ProcError::Other("a process's stat has no name in it".to_owned()));
    }
    Stat::from_read(text)
}

/// The names of users by their ids, from a file such as `/etc/passwd`.
#[must_use]
pub fn parse_users(passwd: &str) -> HashMap<u32, String> {
    passwd
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            Some((fields.nth(1)?.parse().ok()?, name.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_read() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let process = read_process(Path::new("/proc"), pid).unwrap();
        assert_eq!(process.pid, pid);
        assert!(process.resident_bytes > 0 && process.virtual_bytes >= process.resident_bytes);
        assert!(process.open_files.unwrap() > 2);
    }

    #[test]
    fn a_process_that_has_ended_fails() {
        let empty = tempfile::tempdir().unwrap();
        assert!(read_process(empty.path(), 1).is_err());
    }

    #[test]
    fn a_stat_that_is_cut_is_none() {
        let text = fs::read("/proc/self/stat").unwrap();
        assert!(parse_stat(&text).is_ok());
        for cut in 0..text.len().min(60) {
            assert!(parse_stat(&text[..cut]).is_err(), "{cut}");
        }
        for torn in ["(a) R 1", "1 )a( R", "1 (a)", "1 (", "\u{fc}(a) R 1"] {
            assert!(parse_stat(torn.as_bytes()).is_err(), "{torn}");
        }
    }

    #[test]
    fn users_have_names() {
        let users = parse_users("root:x:0:0:root:/root:/bin/sh\nbroken\nweb:x:33:33::/:\n");
        assert_eq!(users, [(0, "root".to_owned()), (33, "web".to_owned())].into());
    }
}
