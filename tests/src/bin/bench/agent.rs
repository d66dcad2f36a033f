//! The `monitor stream` that is measured: what it says of itself and what the kernel says of it.

use std::{
    fs, io,
    os::unix::process::CommandExt as _,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use integration_tests::{lines::Lines, monitor, truth};
use jiff::Timestamp;
use rustix::process::Signal;
use serde::Deserialize;

use crate::interrupt;

/// How long it may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running `monitor stream`, ended on drop.
pub(crate) struct Agent {
    child: Child,
    lines: Lines,
}

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
    pub(crate) map_bytes: u64,
}

impl Snapshot {
    pub(crate) fn running(&self) -> usize {
        self.containers.iter().filter(|container| container.state == "running").count()
    }
}

impl Agent {
    /// Starts it with more arguments, and waits for its first line: by then its programs are attached.
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut command = monitor::command(&["stream", "--format", "ndjson"]);
        // Ctrl-C is meant for the benchmark, which ends it in its own time.
        command.args(args).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().expect("start monitor");
        let lines = Lines::of(child.stdout.take().expect("its standard output"));
        let agent = Self { child, lines };
        agent.next();
        agent
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next snapshot.
    pub(crate) fn next(&self) -> Snapshot {
        interrupt::check();
        let line = self.lines.next_line().expect("a line of monitor, which ended");
        let snapshot: Snapshot = serde_json::from_str(&line).expect("a snapshot");
        Snapshot { bytes: line.len(), ..snapshot }
    }

    /// The snapshots that came unread: those of the time since the last call.
    ///
    /// Ends with one that is waited for.
    pub(crate) fn waiting(&self) -> Vec<Snapshot> {
        let now = Timestamp::now();
        let mut snapshots = vec![self.next()];
        while snapshots.last().is_some_and(|last| last.taken_at < now) {
            snapshots.push(self.next());
        }
        snapshots
    }

    /// CPU time of all its threads, user and system.
    pub(crate) fn cpu_ns(&self) -> u64 {
        let folder = format!("/proc/{}/task", self.pid());
        let tasks = fs::read_dir(&folder).unwrap_or_else(|error| panic!("list {folder}: {error}"));
        // A thread that ended meanwhile has no file.
        let texts = tasks.flatten().filter_map(|task| truth::read(&task.path().join("schedstat")));
        let ns = |text: String| text.split_ascii_whitespace().next().and_then(|ns| ns.parse::<u64>().ok());
        texts.map(|text| ns(text).expect("nanoseconds in schedstat")).sum()
    }

    /// What it holds in memory now.
    pub(crate) fn memory(&self) -> Memory {
        let path = format!("/proc/{}/status", self.pid());
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("read {path}: {error}"));
        let kib = |name| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
            number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no {name} in {path}"))
        };
        Memory {
            resident_kib: kib("VmRSS:"),
            anonymous_kib: kib("RssAnon:"),
            file_kib: kib("RssFile:"),
            shared_kib: kib("RssShmem:"),
            peak_kib: kib("VmHWM:"),
        }
    }
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

impl Drop for Agent {
    fn drop(&mut self) {
        if let Err(error) = end(&mut self.child) {
            eprintln!("bench: end monitor: {error}");
        }
    }
}

fn end(child: &mut Child) -> io::Result<()> {
    if child.try_wait()?.is_some() {
        return Ok(());
    }
    monitor::send(child, Signal::INT);
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait()?.is_none() {
        if Instant::now() > deadline {
            child.kill()?;
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
