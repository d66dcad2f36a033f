//! The binary under test.

use std::{
    io::Read as _,
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
};

use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process};

use crate::{env, lines::Lines, snapshot::Snapshot, wait};

/// A stream's interval unless a test asks for another.
pub const INTERVAL: &str = "100ms";

/// A running `monitor stream`.
#[derive(Debug)]
pub struct Monitor {
    child: Child,
    lines: Lines,
    /// What it says on standard error, once it has ended.
    complaints: Option<JoinHandle<String>>,
}

/// What is left of one.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// The snapshots that nobody had taken.
    pub rest: Vec<Snapshot>,
    /// What it said on standard error.
    pub complaints: String,
}

/// `monitor` with these arguments and the test's own environment, not yet started.
#[must_use]
pub fn command(args: &[&str]) -> Command {
    env::require_bpf_dir();
    let mut command = Command::new(env::monitor_bin());
    // What is kept across restarts is each test's own.
    command.args(args).stdin(Stdio::null()).env("MONITOR_DATA_DIR", "");
    command
}

impl Monitor {
    /// Streams everything.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Streams with more arguments.
    #[must_use]
    pub fn start_with(args: &[&str]) -> Self {
        let mut command = command(&["stream", "--format", "ndjson"]);
        if !args.contains(&"--interval") {
            command.args(["--interval", INTERVAL]);
        }
        command.args(args);
        Self::spawn(command)
    }

    /// Starts a command that writes NDJSON, and waits for its first line.
    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start monitor");
        let lines = Lines::of(child.stdout.take().expect("its standard output"));
        let complaints = child.stderr.take().map(|stderr| thread::spawn(move || read_all(stderr)));
        let mut monitor = Self { child, lines, complaints };
        // By then its programs are attached.
        monitor.any_snapshot();
        monitor
    }

    /// The next line, whenever its window began.
    pub fn any_snapshot(&mut self) -> Snapshot {
        if let Some(line) = self.lines.next_line() {
            return Snapshot::parse(&line);
        }
        let status = self.child.wait().expect("wait for monitor");
        panic!("monitor ended with {status}: {}", self.complaints());
    }

    /// The first snapshot whose window began after this call, so that what was true before it is in it.
    pub fn next_snapshot(&mut self) -> Snapshot {
        self.snapshots_until_next().pop().expect("at least one")
    }

    /// Every snapshot up to and with [`Self::next_snapshot`].
    pub fn snapshots_until_next(&mut self) -> Vec<Snapshot> {
        let called_at = Timestamp::now();
        let mut snapshots = Vec::new();
        loop {
            let snapshot = self.any_snapshot();
            let is_next = snapshot.window_ns > 0 && snapshot.begun_at() > called_at;
            snapshots.push(snapshot);
            if is_next {
                return snapshots;
            }
        }
    }

    /// Takes snapshots until one answers; panics with `what` after [`wait::LONG`].
    pub fn wait_for<T>(&mut self, what: &str, mut answer: impl FnMut(&Snapshot) -> Option<T>) -> T {
        wait::until(what, || answer(&self.any_snapshot()))
    }

    /// The process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal and waits for the end.
    #[must_use]
    pub fn end(mut self, signal: Signal) -> Ended {
        send(&self.child, signal);
        self.ended()
    }

    fn ended(&mut self) -> Ended {
        let status = wait::until("the end of monitor", || self.child.try_wait().expect("wait for monitor"));
        let mut rest = Vec::new();
        while let Some(line) = self.lines.next_line() {
            rest.push(Snapshot::parse(&line));
        }
        Ended { status, rest, complaints: self.complaints() }
    }

    fn complaints(&mut self) -> String {
        let said = self.complaints.take().map(JoinHandle::join);
        said.transpose().expect("read standard error").unwrap_or_default()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        if thread::panicking() {
            // The kernel detaches the programs of the dead. Whatever fails now, the first error is the one to show.
            let _ = self.child.kill().and_then(|()| self.child.wait());
            return;
        }
        send(&self.child, Signal::TERM);
        let status = wait::until("the end of monitor", || self.child.try_wait().expect("wait for monitor"));
        assert!(status.success(), "monitor ended with {status}: {}", self.complaints());
    }
}

/// Signals a child that was not waited for, so that its id is still its own.
pub fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("signal a child");
}

fn read_all(mut pipe: ChildStderr) -> String {
    let mut text = Vec::new();
    // What was read until an error is worth showing too.
    let _ = pipe.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}
