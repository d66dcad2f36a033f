//! Processes that switch, fault, fork and end.
//!
//! Each child leaves a grandchild behind, which does the same work and becomes ours when the child ends, so both the
//! waited-for and the orphaned kind are among the dead. None is reaped before its counters were read: a zombie keeps
//! them.

use std::{
    collections::BTreeMap,
    fs, io,
    time::{Duration, Instant},
};

use crate::{
    sys::{self, Forked, Mapping},
    truth::{DeadTasks, TaskCounters},
};

/// How long zombies must not have moved. The last switch away from a task comes a little after it has become one.
const STILL: Duration = Duration::from_millis(100);

/// Starts `children`, one after the other and without waiting for any, waits for all that came of them, and returns
/// what those did.
pub(crate) fn run(children: usize, blocks: u64, pages: usize) -> io::Result<DeadTasks> {
    sys::adopt_orphans()?;
    for _ in 0..children {
        if let Forked::Child = sys::fork()? {
            child(blocks, pages);
        }
    }
    let dead = settled(children * 2)?;
    for pid in dead.keys() {
        sys::reap(*pid)?;
    }
    Ok(DeadTasks(dead.into_values().sum()))
}

/// Never returns, so that nothing of the parent's is done twice.
fn child(blocks: u64, pages: usize) -> ! {
    // A failed fork shows in the parent, which waits for twice as many as there are.
    let _ = sys::fork();
    for _ in 0..blocks {
        sys::block_shortly();
    }
    let touched = Mapping::anonymous(pages).map(|mapping| mapping.touch());
    sys::exit_now(u8::from(touched.is_err()))
}

/// Waits until all `expected` are zombies and have stopped moving.
fn settled(expected: usize) -> io::Result<BTreeMap<i32, TaskCounters>> {
    let deadline = Instant::now() + Duration::from_mins(1);
    let mut last = BTreeMap::new();
    while Instant::now() < deadline {
        let zombies = zombies()?;
        if zombies.len() == expected && zombies == last {
            return Ok(last);
        }
        last = zombies;
        std::thread::sleep(STILL);
    }
    Err(io::Error::other(format!("{} of {expected} children ended", last.len())))
}

/// Our children that have ended.
fn zombies() -> io::Result<BTreeMap<i32, TaskCounters>> {
    let me = i32::try_from(std::process::id()).map_err(io::Error::other)?;
    let mut zombies = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // Others' processes may end while we look.
        let Ok(task) = TaskCounters::read(pid) else { continue };
        if task.is_zombie && task.parent == me {
            zombies.insert(pid, task.counters);
        }
    }
    Ok(zombies)
}
