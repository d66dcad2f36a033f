//! What the agent says that it cost, and what the kernel says.

use std::{collections::BTreeMap, fs};

use integration_tests::truth;
use jiff::Timestamp;
use serde::Deserialize;

use crate::agent::Agent;

/// The part of a snapshot that tells what it cost.
#[derive(Debug, Deserialize)]
pub(crate) struct Snapshot {
    taken_at: Timestamp,
    pub(crate) containers: Vec<Container>,
    pub(crate) coverage: Coverage,
    /// Length of its line.
    #[serde(skip)]
    pub(crate) bytes: usize,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Container {
    pub(crate) state: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Coverage {
    /// What reading every source took.
    pub(crate) tick_ns: u64,
    /// What the last look at every task took.
    pub(crate) census_ns: Option<u64>,
    pub(crate) map_bytes: u64,
    lost: BTreeMap<String, u64>,
}

impl Coverage {
    /// What was lost, each kind with its number; not the tasks that a hypervisor's guest kernel hides.
    pub(crate) fn lost(&self) -> Vec<String> {
        let losses = self.lost.iter().filter(|(what, count)| **count > 0 && *what != "hidden_tasks_total");
        losses.map(|(what, count)| format!("{what} {count}")).collect()
    }
}

impl Snapshot {
    pub(crate) fn running(&self) -> usize {
        self.containers.iter().filter(|container| container.state == "running").count()
    }
}

/// The next snapshot.
pub(crate) fn next(agent: &Agent) -> Snapshot {
    let line = agent.next_line();
    let snapshot: Snapshot = serde_json::from_str(&line).expect("a snapshot");
    Snapshot { bytes: line.len(), ..snapshot }
}

/// The snapshots that came unread, and the next.
pub(crate) fn unread(agent: &Agent) -> Vec<Snapshot> {
    let now = Timestamp::now();
    let mut snapshots = vec![next(agent)];
    while snapshots.last().is_some_and(|last| last.taken_at < now) {
        snapshots.push(next(agent));
    }
    snapshots
}

/// CPU time of all the agent's threads, user and system.
pub(crate) fn cpu_ns(agent: &Agent) -> u64 {
    cpu_ns_of(agent.pid())
}

/// The same of a process.
pub(crate) fn cpu_ns_of(pid: u32) -> u64 {
    let folder = format!("/proc/{pid}/task");
    let tasks = fs::read_dir(&folder).unwrap_or_else(|error| panic!("list {folder}: {error}"));
    // A thread that ended meanwhile has no file.
    let texts = tasks.flatten().filter_map(|task| truth::read(&task.path().join("schedstat")));
    let ns = |text: String| text.split_ascii_whitespace().next().and_then(|ns| ns.parse::<u64>().ok());
    texts.map(|text| ns(text).expect("nanoseconds in schedstat")).sum()
}

/// Resident memory of a process, in KiB as `/proc/PID/status` has it.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "a name ends in its unit")]
pub(crate) struct Memory {
    pub(crate) resident_kib: u64,
    pub(crate) anonymous_kib: u64,
    pub(crate) file_kib: u64,
    pub(crate) shared_kib: u64,
    pub(crate) peak_kib: u64,
}

impl Memory {
    pub(crate) fn of(agent: &Agent) -> Self {
        Self::of_process(agent.pid())
    }

    pub(crate) fn of_process(pid: u32) -> Self {
        let path = format!("/proc/{pid}/status");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("read {path}: {error}"));
        let kib = |name| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
            number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no {name} in {path}"))
        };
        Self {
            resident_kib: kib("VmRSS:"),
            anonymous_kib: kib("RssAnon:"),
            file_kib: kib("RssFile:"),
            shared_kib: kib("RssShmem:"),
            peak_kib: kib("VmHWM:"),
        }
    }
}
