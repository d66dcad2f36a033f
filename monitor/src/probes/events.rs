//! Ring buffer → typed events.

use std::io;

use aya::maps::{Map, MapData, RingBuf};
use monitor_common::{
    lifecycle::{Kind, Record},
    limits::COMM_BYTES,
};

use crate::newtypes::CgroupId;

/// Something that happened once, in the hierarchy that is counted if it says nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The cgroup concerned.
    pub cgroup: CgroupId,
    /// `CLOCK_BOOTTIME` in nanoseconds.
    pub boot_ns: u64,
    /// What happened.
    pub what: What,
}

/// What an [`Event`] tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The cgroup was made at this path; `None` where the path was too long for a record.
    Made(Option<String>),
    /// It was removed.
    Removed(Option<String>),
    /// A task was moved into it.
    Attached {
        /// The task.
        tid: u32,
        /// Its name.
        comm: String,
        /// The cgroup's path.
        path: Option<String>,
    },
    /// The first process of a pid namespace, in this cgroup, ended.
    InitExited {
        /// Its process id, as the host counts.
        tgid: u32,
        /// How, in the form of wait(2).
        wait_status: u32,
        /// How deep the namespace is: 1 below the host's.
        level: u32,
    },
    /// A cgroup was made at this path in the block controller's hierarchy, where that is not the one that is counted.
    BlockMade(Option<String>),
    /// One was removed there.
    BlockRemoved,
    /// A process of it executed a program.
    Exec {
        /// The process.
        tgid: u32,
        /// Its name from then on.
        comm: String,
        /// The program's path as it was asked for; `None` where it was too long for a record.
        path: Option<String>,
    },
    /// A process of it ended.
    Exit {
        /// The process.
        tgid: u32,
        /// Its name.
        comm: String,
        /// How, in the form of wait(2).
        wait_status: u32,
    },
    /// The kernel chose a process of it to kill because memory was short.
    OomKill {
        /// The process.
        tgid: u32,
        /// Its name.
        comm: String,
    },
}

/// The records that the programs send.
pub struct Lifecycle(RingBuf<MapData>);

impl std::fmt::Debug for Lifecycle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lifecycle").finish_non_exhaustive()
    }
}

impl Lifecycle {
    pub(super) fn open(map: Map) -> io::Result<Self> {
        RingBuf::try_from(map).map(Self).map_err(io::Error::other)
    }

    /// Takes all that has arrived, in order. A record of unknown form is counted in `discarded`.
    pub fn drain(&mut self, events: &mut Vec<Event>, discarded: &mut u64) {
        while let Some(record) = self.0.next() {
            match parse(&record) {
                Some(event) => events.push(event),
                None => *discarded += 1,
            }
        }
    }
}

/// Reads a record's bytes, which come from the kernel in its own byte order.
pub(super) fn parse(bytes: &[u8]) -> Option<Event> {
    let u64_at = |at: usize| bytes.get(at..at + 8)?.try_into().ok().map(u64::from_ne_bytes);
    let u32_at = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes);
    let path_at = std::mem::offset_of!(Record, path);
    let path = || {
        let length = u32_at(std::mem::offset_of!(Record, path_len))? as usize;
        let whole = bytes.get(path_at..path_at.checked_add(length)?)?;
        let is_cut = length == 0 || length >= monitor_common::limits::PATH_BYTES;
        (!is_cut).then(|| String::from_utf8_lossy(whole).into_owned())
    };
    let comm = || {
        let at = std::mem::offset_of!(Record, comm);
        let name = bytes.get(at..at + COMM_BYTES)?.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(name).into_owned())
    };
    let wait_status = u32_at(std::mem::offset_of!(Record, wait_status))?;
    let tid = u32_at(std::mem::offset_of!(Record, tid))?;
    let what = match Kind::from_number(u32_at(std::mem::offset_of!(Record, kind))?)? {
        Kind::CgroupMade => What::Made(path()),
        Kind::CgroupRemoved => What::Removed(path()),
        Kind::BlockCgroupMade => What::BlockMade(path()),
        Kind::BlockCgroupRemoved => What::BlockRemoved,
        Kind::TaskAttached => What::Attached { tid, comm: comm()?, path: path() },
        Kind::InitExited => What::InitExited {
            tgid: tid,
            wait_status,
            level: u32_at(std::mem::offset_of!(Record, pid_level))?,
        },
        Kind::Exec => What::Exec { tgid: tid, comm: comm()?, path: path() },
        Kind::Exit => What::Exit { tgid: tid, comm: comm()?, wait_status },
        Kind::OomKill => What::OomKill { tgid: tid, comm: comm()? },
    };
    Some(Event {
        cgroup: CgroupId(u64_at(std::mem::offset_of!(Record, cgroup_id))?),
        boot_ns: u64_at(std::mem::offset_of!(Record, boot_ns))?,
        what,
    })
}

#[cfg(test)]
mod tests {
    use monitor_common::limits::PATH_BYTES;
    use proptest::prelude::*;

    use super::*;

    fn record(kind: u32, path: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(42_u64.to_ne_bytes());
        bytes.extend(7_u64.to_ne_bytes());
        for word in [kind, 99, 256, 1, 0, u32::try_from(path.len()).unwrap()] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(b"true\0garbage    ");
        bytes.extend(path.bytes());
        bytes.resize(40 + COMM_BYTES + PATH_BYTES, 0);
        bytes
    }

    #[test]
    fn records_become_events() {
        let event = parse(&record(1, "/docker/a")).unwrap();
        assert_eq!(
            event,
            Event { cgroup: CgroupId(42), boot_ns: 7, what: What::Made(Some("/docker/a".into())) }
        );
        assert_eq!(parse(&record(16, "/a")).unwrap().what, What::BlockMade(Some("/a".into())));
        assert_eq!(parse(&record(17, "/a")).unwrap().what, What::BlockRemoved);
        assert_eq!(
            parse(&record(4, "")).unwrap().what,
            What::InitExited { tgid: 99, wait_status: 256, level: 1 }
        );
    }

    #[test]
    fn processes_are_told_with_their_names() {
        let comm = "true".to_owned();
        assert_eq!(
            parse(&record(5, "/bin/true")).unwrap().what,
            What::Exec { tgid: 99, comm: comm.clone(), path: Some("/bin/true".into()) }
        );
        assert_eq!(
            parse(&record(6, "")).unwrap().what,
            What::Exit { tgid: 99, comm: comm.clone(), wait_status: 256 }
        );
        assert_eq!(parse(&record(7, "")).unwrap().what, What::OomKill { tgid: 99, comm });
    }

    #[test]
    fn a_cut_path_is_no_path() {
        let long = "x".repeat(PATH_BYTES);
        assert_eq!(parse(&record(2, &long)).unwrap().what, What::Removed(None));
    }

    #[test]
    fn unknown_kinds_are_refused() {
        assert_eq!(parse(&record(77, "/")), None);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }
    }
}
